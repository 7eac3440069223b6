//===- SemaFold.cpp - the value of a constant expression ----------------------===//
//
// Parameters, defaults of tensors, `empty` values and literal extents are
// computed here, in float64 and int64, once and for all.
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <bit>
#include <cmath>

namespace einfall::frontend::sema {

namespace {
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

double applyFloat(ein::Fn fn, double x) {
  using ein::Fn;
  switch (fn) {
  case Fn::Abs:
    return std::fabs(x);
  case Fn::Sign:
    return x > 0 ? 1 : x < 0 ? -1 : x;
  case Fn::Exp:
    return std::exp(x);
  case Fn::Exp2:
    return std::exp2(x);
  case Fn::Expm1:
    return std::expm1(x);
  case Fn::Log:
    return std::log(x);
  case Fn::Log2:
    return std::log2(x);
  case Fn::Log1p:
    return std::log1p(x);
  case Fn::Sqrt:
    return std::sqrt(x);
  case Fn::Rsqrt:
    return 1 / std::sqrt(x);
  case Fn::Tanh:
    return std::tanh(x);
  case Fn::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case Fn::Relu:
    return x < 0 ? 0 : x;
  case Fn::Gelu:
    return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
  case Fn::Silu:
    return x / (1 + std::exp(-x));
  case Fn::Softplus:
    return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
  case Fn::Elu:
    return x < 0 ? std::expm1(x) : x;
  case Fn::Erf:
    return std::erf(x);
  case Fn::Sin:
    return std::sin(x);
  case Fn::Cos:
    return std::cos(x);
  case Fn::Floor:
    return std::floor(x);
  case Fn::Ceil:
    return std::ceil(x);
  case Fn::Round:
    return std::nearbyint(x);
  default:
    return notANumber;
  }
}

int64_t wrap(uint64_t x) { return static_cast<int64_t>(x); }

bool foldInteger(const ein::Expr &e, const std::vector<int64_t> &x, int64_t &result) {
  auto u = [&](size_t i) { return static_cast<uint64_t>(x[i]); };
  switch (e.op) {
  case ExprOp::Neg:
    return result = wrap(-u(0)), true;
  case ExprOp::Add:
    return !__builtin_add_overflow(x[0], x[1], &result);
  case ExprOp::Sub:
    return !__builtin_sub_overflow(x[0], x[1], &result);
  case ExprOp::Mul:
    return !__builtin_mul_overflow(x[0], x[1], &result);
  case ExprOp::IDiv:
  case ExprOp::Mod: {
    if (x[1] == 0 || (x[1] == -1 && x[0] == INT64_MIN))
      return false;
    int64_t q = x[0] / x[1], r = x[0] % x[1];
    if (r != 0 && (r < 0) != (x[1] < 0)) {
      --q;
      r += x[1];
    }
    result = e.op == ExprOp::IDiv ? q : r;
    return true;
  }
  case ExprOp::Pow: {
    result = 1;
    int64_t base = x[0], n = x[1];
    if (n < 0)
      return false;
    if (base == 0 || base == 1 || base == -1)
      return result = n == 0 ? 1 : base == -1 && n % 2 == 0 ? 1 : base, true;
    for (; n > 0; --n)
      if (__builtin_mul_overflow(result, base, &result))
        return false;
    return true;
  }
  case ExprOp::Min:
    return result = std::min(x[0], x[1]), true;
  case ExprOp::Max:
    return result = std::max(x[0], x[1]), true;
  case ExprOp::Call:
    switch (e.fn) {
    case ein::Fn::Abs:
      return result = x[0] < 0 ? wrap(-u(0)) : x[0], true;
    case ein::Fn::Sign:
      return result = (x[0] > 0) - (x[0] < 0), true;
    case ein::Fn::BitLength:
      return result = 64 - std::countl_zero(x[0] < 0 ? -u(0) : u(0)), true;
    case ein::Fn::BitAnd:
      return result = x[0] & x[1], true;
    case ein::Fn::BitOr:
      return result = x[0] | x[1], true;
    case ein::Fn::BitXor:
      return result = x[0] ^ x[1], true;
    default:
      return false;
    }
  default:
    return false;
  }
}

/// Python-like minimum and maximum would hide a NaN; these hand it on.
double minimum(double x, double y) { return std::isnan(x) || std::isnan(y) ? notANumber : std::fmin(x, y); }
double maximum(double x, double y) { return std::isnan(x) || std::isnan(y) ? notANumber : std::fmax(x, y); }

bool foldFloat(const ein::Expr &e, const std::vector<double> &x, double &result) {
  switch (e.op) {
  case ExprOp::Neg:
    return result = -x[0], true;
  case ExprOp::Add:
    return result = x[0] + x[1], true;
  case ExprOp::Sub:
    return result = x[0] - x[1], true;
  case ExprOp::Mul:
    return result = x[0] * x[1], true;
  case ExprOp::Div:
    return result = x[0] / x[1], true;
  case ExprOp::Pow:
    return result = std::pow(x[0], x[1]), true;
  case ExprOp::Min:
    return result = minimum(x[0], x[1]), true;
  case ExprOp::Max:
    return result = maximum(x[0], x[1]), true;
  case ExprOp::Call:
    return result = applyFloat(e.fn, x[0]), true;
  default:
    return false;
  }
}

bool compare(ExprOp op, auto x, auto y) {
  switch (op) {
  case ExprOp::Lt:
    return x < y;
  case ExprOp::Le:
    return x <= y;
  case ExprOp::Gt:
    return x > y;
  case ExprOp::Ge:
    return x >= y;
  case ExprOp::Eq:
    return x == y;
  default:
    return x != y;
  }
}
} // namespace

ExprRef foldConstant(const ExprRef &e) {
  if (!e)
    return nullptr;
  if (e->op == ExprOp::Number)
    return e;
  if (e->op == ExprOp::Reduce || e->op == ExprOp::Read || e->op == ExprOp::Tuple || e->op == ExprOp::Coord ||
      e->op == ExprOp::Extent || e->op == ExprOp::Scalar)
    return nullptr;
  if (e->op == ExprOp::If) {
    ExprRef condition = foldConstant(e->args[0]);
    return condition ? foldConstant(e->args[condition->integer ? 1 : 2]) : nullptr;
  }
  std::vector<ExprRef> args;
  for (const ExprRef &x : e->args) {
    args.push_back(foldConstant(x));
    if (!args.back() && e->op == ExprOp::Exists)
      return ein::boolean(false);
    if (!args.back() && e->op != ExprOp::Else)
      return nullptr;
  }
  if (e->op == ExprOp::Else)
    return args[0] ? args[0] : args[1];
  if (e->op == ExprOp::Exists)
    return ein::boolean(true);
  Kind kind = args[0]->kind;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  for (const ExprRef &x : args) {
    ints.push_back(x->integer);
    floats.push_back(x->number);
  }
  switch (e->op) {
  case ExprOp::ToFloat:
    return ein::number(static_cast<double>(ints[0]));
  case ExprOp::Cast: {
    double value = kind == Kind::Float ? floats[0] : static_cast<double>(ints[0]);
    if (ein::kindOf(e->type) == Kind::Float)
      return ein::number(ein::roundTo(e->type, value));
    if (ein::kindOf(e->type) == Kind::Bool)
      return ein::boolean(kind == Kind::Float ? value != 0 : ints[0] != 0);
    if (kind != Kind::Float && ein::bitWidth(e->type) == 64)
      return ein::integer(ints[0]);
    double rounded = ein::roundTo(e->type, value);
    return ein::integer(rounded >= 9223372036854775808.0 ? INT64_MAX : static_cast<int64_t>(rounded));
  }
  case ExprOp::And:
    return ein::boolean(ints[0] && ints[1]);
  case ExprOp::Or:
    return ein::boolean(ints[0] || ints[1]);
  case ExprOp::Not:
    return ein::boolean(!ints[0]);
  case ExprOp::Lt:
  case ExprOp::Le:
  case ExprOp::Gt:
  case ExprOp::Ge:
  case ExprOp::Eq:
  case ExprOp::Ne:
    return ein::boolean(kind == Kind::Float ? compare(e->op, floats[0], floats[1])
                                            : compare(e->op, ints[0], ints[1]));
  default:
    break;
  }
  if (kind == Kind::Int) {
    int64_t result = 0;
    return foldInteger(*e, ints, result) ? ein::integer(result) : nullptr;
  }
  double result = 0;
  return foldFloat(*e, floats, result) ? ein::number(result) : nullptr;
}

} // namespace einfall::frontend::sema
