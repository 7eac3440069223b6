/*===- program.c - extents and scalar defaults as postfix programs ----------------===
 *
 * `split T = (N, C = 64)` or `scale : f32 = 1 / sqrt(|E|)` reach the runtime as
 * postfix instructions over integers and floats. A value may be missing: not
 * known yet (the solver asks again later) or without a value (a division by 0).
 * Missing operands make the result missing, except where the language says
 * otherwise: comparisons are false, `if` looks only at the branch taken, `else`
 * catches. The order of the checks matters: what is not known yet wins.
 *
 *===----------------------------------------------------------------------------===*/
#include "Internal.h"
#include "einfall/element.h"
#include <math.h>

enum { STACK_DEPTH = 512 };

/* Numbering of ein::Fn. */
typedef enum Function {
  FN_ABS,
  FN_SIGN,
  FN_EXP,
  FN_EXP2,
  FN_EXPM1,
  FN_LOG,
  FN_LOG2,
  FN_LOG1P,
  FN_SQRT,
  FN_RSQRT,
  FN_TANH,
  FN_SIGMOID,
  FN_RELU,
  FN_GELU,
  FN_SILU,
  FN_SOFTPLUS,
  FN_ELU,
  FN_ERF,
  FN_SIN,
  FN_COS,
  FN_FLOOR,
  FN_CEIL,
  FN_ROUND,
  FN_BIT_LENGTH,
  FN_BIT_AND,
  FN_BIT_OR,
  FN_BIT_XOR
} Function;

static Value ofInt(int64_t i) { return (Value){VALUE_KNOWN, 0, i, 0}; }
static Value ofFloat(double f) { return (Value){VALUE_KNOWN, 1, 0, f}; }
static Value missing(ValueState state) { return (Value){state, 0, 0, 0}; }
static double asFloat(Value v) { return v.isFloat ? v.f : (double)v.i; }
static int isTrue(Value v) { return v.state == VALUE_KNOWN && (v.isFloat ? v.f != 0 : v.i != 0); }

const char *einfallrt_reason(ValueState state) {
  switch (state) {
  case VALUE_DIVIDES_BY_0:
    return "divides by 0";
  case VALUE_OVERFLOWS:
    return "exceeds 64 bits";
  case VALUE_NEGATIVE_EXPONENT:
    return "raises an integer to a negative power";
  case VALUE_UNKNOWN:
    return "needs an extent that is not known";
  default:
    return "has a malformed program";
  }
}

static Value integerPower(int64_t base, int64_t exponent) {
  if (exponent < 0)
    return missing(VALUE_NEGATIVE_EXPONENT);
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
      return missing(VALUE_OVERFLOWS);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
      return missing(VALUE_OVERFLOWS);
  }
  return ofInt(result);
}

/* Floor division; `divisor` is not 0. */
static int64_t floorDivide(int64_t a, int64_t divisor) {
  int64_t quotient = a / divisor;
  return (a % divisor != 0 && (a < 0) != (divisor < 0)) ? quotient - 1 : quotient;
}

static Value integerBinary(int32_t opcode, int64_t a, int64_t b) {
  int64_t r = 0;
  switch (opcode) {
  case EINFALL_OP_ADD:
    return __builtin_add_overflow(a, b, &r) ? missing(VALUE_OVERFLOWS) : ofInt(r);
  case EINFALL_OP_SUB:
    return __builtin_sub_overflow(a, b, &r) ? missing(VALUE_OVERFLOWS) : ofInt(r);
  case EINFALL_OP_MUL:
    return __builtin_mul_overflow(a, b, &r) ? missing(VALUE_OVERFLOWS) : ofInt(r);
  case EINFALL_OP_IDIV:
    if (b == 0)
      return missing(VALUE_DIVIDES_BY_0);
    return a == INT64_MIN && b == -1 ? missing(VALUE_OVERFLOWS) : ofInt(floorDivide(a, b));
  case EINFALL_OP_MOD:
    if (b == 0)
      return missing(VALUE_DIVIDES_BY_0);
    if (b == -1)
      return ofInt(0);
    r = a % b;
    return ofInt(r != 0 && (r < 0) != (b < 0) ? r + b : r);
  case EINFALL_OP_POW:
    return integerPower(a, b);
  case EINFALL_OP_MIN:
    return ofInt(a < b ? a : b);
  default:
    return ofInt(a > b ? a : b);
  }
}

static Value floatBinary(int32_t opcode, double a, double b) {
  switch (opcode) {
  case EINFALL_OP_ADD:
    return ofFloat(a + b);
  case EINFALL_OP_SUB:
    return ofFloat(a - b);
  case EINFALL_OP_MUL:
    return ofFloat(a * b);
  case EINFALL_OP_IDIV:
    return ofFloat(floor(a / b));
  case EINFALL_OP_MOD:
    return ofFloat(a - b * floor(a / b));
  case EINFALL_OP_POW:
    return ofFloat(pow(a, b));
  case EINFALL_OP_MIN: /* a NaN wins */
    return ofFloat(isnan(a) || isnan(b) ? (double)NAN : a < b ? a : b);
  default:
    return ofFloat(isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b);
  }
}

static Value compare(int32_t opcode, Value a, Value b) {
  int less, equal;
  if (a.isFloat || b.isFloat) {
    double x = asFloat(a), y = asFloat(b);
    if (isnan(x) || isnan(y))
      return ofInt(opcode == EINFALL_OP_NE);
    less = x < y;
    equal = x == y;
  } else {
    less = a.i < b.i;
    equal = a.i == b.i;
  }
  switch (opcode) {
  case EINFALL_OP_LT:
    return ofInt(less);
  case EINFALL_OP_LE:
    return ofInt(less || equal);
  case EINFALL_OP_GT:
    return ofInt(!less && !equal);
  case EINFALL_OP_GE:
    return ofInt(!less);
  case EINFALL_OP_EQ:
    return ofInt(equal);
  default:
    return ofInt(!equal);
  }
}

static double floatFunction(int32_t fn, double x) {
  switch (fn) {
  case FN_ABS:
    return fabs(x);
  case FN_SIGN:
    return isnan(x) ? x : (double)((x > 0) - (x < 0));
  case FN_EXP:
    return exp(x);
  case FN_EXP2:
    return exp2(x);
  case FN_EXPM1:
    return expm1(x);
  case FN_LOG:
    return log(x);
  case FN_LOG2:
    return log2(x);
  case FN_LOG1P:
    return log1p(x);
  case FN_SQRT:
    return sqrt(x);
  case FN_RSQRT:
    return 1 / sqrt(x);
  case FN_TANH:
    return tanh(x);
  case FN_SIGMOID:
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
  case FN_RELU:
    return isnan(x) || x > 0 ? x : 0;
  case FN_GELU:
    return x * (0.5 * erfc(-x * 0.70710678118654752440));
  case FN_SILU:
    return x * floatFunction(FN_SIGMOID, x);
  case FN_SOFTPLUS:
    return isnan(x) ? x : (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
  case FN_ELU:
    return x > 0 ? x : expm1(x);
  case FN_ERF:
    return erf(x);
  case FN_SIN:
    return sin(x);
  case FN_COS:
    return cos(x);
  case FN_FLOOR:
    return floor(x);
  case FN_CEIL:
    return ceil(x);
  default:
    return nearbyint(x);
  }
}

static int64_t bitLength(int64_t i) {
  uint64_t magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  return magnitude ? 64 - __builtin_clzll(magnitude) : 0;
}

static Value callUnary(int32_t fn, Value x) {
  if (fn == FN_BIT_LENGTH)
    return ofInt(bitLength(x.i));
  if (!x.isFloat && fn == FN_ABS)
    return x.i == INT64_MIN ? missing(VALUE_OVERFLOWS) : ofInt(x.i < 0 ? -x.i : x.i);
  if (!x.isFloat && fn == FN_SIGN)
    return ofInt((x.i > 0) - (x.i < 0));
  if (!x.isFloat && fn == FN_RELU)
    return ofInt(x.i > 0 ? x.i : 0);
  return ofFloat(floatFunction(fn, asFloat(x)));
}

static Value callBits(int32_t fn, int64_t a, int64_t b) {
  return ofInt(fn == FN_BIT_AND ? (a & b) : fn == FN_BIT_OR ? (a | b) : (a ^ b));
}

static Value castTo(int32_t type, Value x) {
  if (einfall_type_is_float(type))
    return ofFloat(einfall_round_float(type, asFloat(x)));
  if (x.isFloat)
    return ofInt(einfall_saturate(type, x.f));
  if (type == EINFALL_BOOL)
    return ofInt(x.i != 0);
  int64_t low, high;
  einfall_type_range(type, &low, &high);
  return ofInt(x.i < low ? low : x.i > high ? high : x.i);
}

static Value unary(const einfall_instruction *in, Value x) {
  switch (in->opcode) {
  case EINFALL_OP_NEG:
    if (x.isFloat)
      return ofFloat(-x.f);
    return x.i == INT64_MIN ? missing(VALUE_OVERFLOWS) : ofInt(-x.i);
  case EINFALL_OP_FLOAT_OF:
    return ofFloat(asFloat(x));
  case EINFALL_OP_INT_OF:
    return castTo(EINFALL_I64, x);
  case EINFALL_OP_CAST:
    return castTo(in->operand, x);
  default:
    return callUnary(in->operand, x);
  }
}

static Value leaf(const einfall_instruction *in, const ProgramInput *input) {
  switch (in->opcode) {
  case EINFALL_OP_INT:
    return ofInt(in->value.i);
  case EINFALL_OP_FLOAT:
    return ofFloat(in->value.f);
  case EINFALL_OP_EXTENT:
    if (in->operand < 0 || in->operand >= input->extentCount)
      return missing(VALUE_BAD_PROGRAM);
    return input->extent[in->operand] < 0 ? missing(VALUE_UNKNOWN) : ofInt(input->extent[in->operand]);
  default:
    if (in->operand < 0 || in->operand >= input->scalarCount)
      return missing(VALUE_BAD_PROGRAM);
    if (!input->scalarKnown[in->operand])
      return missing(VALUE_UNKNOWN);
    return einfall_type_is_float(input->scalars[in->operand].type) ? ofFloat(input->fscalar[in->operand])
                                                                   : ofInt(input->iscalar[in->operand]);
  }
}

/* And, Or, Not, comparisons: bools always have a value once everything is known. */
static Value logic(int32_t opcode, Value a, Value b) {
  if (a.state == VALUE_UNKNOWN || b.state == VALUE_UNKNOWN)
    return missing(VALUE_UNKNOWN);
  if (opcode == EINFALL_OP_AND)
    return ofInt(isTrue(a) && isTrue(b));
  if (opcode == EINFALL_OP_OR)
    return ofInt(isTrue(a) || isTrue(b));
  if (a.state != VALUE_KNOWN || b.state != VALUE_KNOWN)
    return ofInt(0);
  return compare(opcode, a, b);
}

static int operandCount(const einfall_instruction *in) {
  switch (in->opcode) {
  case EINFALL_OP_INT:
  case EINFALL_OP_FLOAT:
  case EINFALL_OP_EXTENT:
  case EINFALL_OP_SCALAR:
    return 0;
  case EINFALL_OP_NEG:
  case EINFALL_OP_NOT:
  case EINFALL_OP_FLOAT_OF:
  case EINFALL_OP_INT_OF:
  case EINFALL_OP_CAST:
  case EINFALL_OP_EXISTS:
    return 1;
  case EINFALL_OP_IF:
    return 3;
  case EINFALL_OP_CALL:
    if (in->operand < FN_ABS || in->operand > FN_BIT_XOR)
      return -1;
    return in->operand >= FN_BIT_AND ? 2 : 1;
  default:
    return in->opcode > EINFALL_OP_END && in->opcode <= EINFALL_OP_EXISTS ? 2 : -1;
  }
}

static Value apply(const einfall_instruction *in, const Value *x, const ProgramInput *input) {
  switch (in->opcode) {
  case EINFALL_OP_INT:
  case EINFALL_OP_FLOAT:
  case EINFALL_OP_EXTENT:
  case EINFALL_OP_SCALAR:
    return leaf(in, input);
  case EINFALL_OP_EXISTS:
    return x[0].state == VALUE_UNKNOWN ? x[0] : ofInt(x[0].state == VALUE_KNOWN);
  case EINFALL_OP_NOT:
    return x[0].state == VALUE_UNKNOWN ? x[0] : ofInt(!isTrue(x[0]));
  case EINFALL_OP_ELSE:
    return x[0].state == VALUE_KNOWN || x[0].state == VALUE_UNKNOWN ? x[0] : x[1];
  case EINFALL_OP_IF:
    if (x[0].state != VALUE_KNOWN)
      return x[0];
    return isTrue(x[0]) ? x[1] : x[2];
  case EINFALL_OP_LT:
  case EINFALL_OP_LE:
  case EINFALL_OP_GT:
  case EINFALL_OP_GE:
  case EINFALL_OP_EQ:
  case EINFALL_OP_NE:
  case EINFALL_OP_AND:
  case EINFALL_OP_OR:
    return logic(in->opcode, x[0], x[1]);
  default:
    break;
  }
  const int count = operandCount(in);
  for (int k = 0; k < count; ++k)
    if (x[k].state == VALUE_UNKNOWN)
      return x[k];
  for (int k = 0; k < count; ++k)
    if (x[k].state != VALUE_KNOWN)
      return x[k];
  if (count == 1)
    return unary(in, x[0]);
  if (in->opcode == EINFALL_OP_CALL)
    return callBits(in->operand, x[0].i, x[1].i);
  if (in->opcode == EINFALL_OP_DIV)
    return ofFloat(asFloat(x[0]) / asFloat(x[1]));
  if (x[0].isFloat || x[1].isFloat)
    return floatBinary(in->opcode, asFloat(x[0]), asFloat(x[1]));
  return integerBinary(in->opcode, x[0].i, x[1].i);
}

Value einfallrt_evaluate(const einfall_instruction *program, const ProgramInput *input) {
  Value stack[STACK_DEPTH];
  int depth = 0;
  for (const einfall_instruction *in = program; in->opcode != EINFALL_OP_END; ++in) {
    const int count = operandCount(in);
    if (count < 0 || count > depth || depth - count >= STACK_DEPTH)
      return missing(VALUE_BAD_PROGRAM);
    depth -= count;
    const Value result = apply(in, stack + depth, input);
    if (result.state == VALUE_BAD_PROGRAM)
      return result;
    stack[depth++] = result;
  }
  return depth == 1 ? stack[0] : missing(VALUE_BAD_PROGRAM);
}

int32_t einfall_constant_element(const einfall_instruction *program, int32_t type, uint64_t *bits) {
  const ProgramInput nothing = {0};
  const Value v = einfallrt_evaluate(program, &nothing);
  if (v.state != VALUE_KNOWN)
    return 0;
  const Value element = castTo(type, v);
  const int32_t width = einfall_type_bits(type);
  const uint64_t mask = width == 64 ? ~(uint64_t)0 : ((uint64_t)1 << width) - 1;
  *bits = einfall_type_is_float(type) ? einfall_encode_float(type, element.f) : (uint64_t)element.i & mask;
  return 1;
}
