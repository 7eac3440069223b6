//===- Description.cpp - a cascade as the runtime's constant data ----------------===//
//
// What a call must know before it may run: names, ranks, types, and how extents
// and defaults follow from the arguments. Expressions become postfix programs;
// `1 / sqrt(|E|)` is
//
//   INT 1, FLOAT_OF, EXTENT E, FLOAT_OF, CALL sqrt, DIV, END
//
//===----------------------------------------------------------------------===//
#include "compiler/driver/Driver.h"
#include "einfall/element.h"
#include <deque>

namespace einfall::driver {

using ein::ExprOp;
using ein::ExprRef;
using Program = std::vector<einfall_instruction>;

static_assert(int(ein::Type::Index) == EINFALL_INDEX && int(ein::Type::I4) == EINFALL_I4);
static_assert(int(ein::Fn::BitXor) == 26, "runtime/program.c numbers the functions alike");

namespace {

/// The runtime's opcode of an operator; nothing for what cannot occur in an
/// extent or a default (coordinates, tensors, reductions).
std::optional<int> opcodeOf(ExprOp op) {
  switch (op) {
  case ExprOp::Neg:
    return EINFALL_OP_NEG;
  case ExprOp::Add:
    return EINFALL_OP_ADD;
  case ExprOp::Sub:
    return EINFALL_OP_SUB;
  case ExprOp::Mul:
    return EINFALL_OP_MUL;
  case ExprOp::Div:
    return EINFALL_OP_DIV;
  case ExprOp::IDiv:
    return EINFALL_OP_IDIV;
  case ExprOp::Mod:
    return EINFALL_OP_MOD;
  case ExprOp::Pow:
    return EINFALL_OP_POW;
  case ExprOp::Min:
    return EINFALL_OP_MIN;
  case ExprOp::Max:
    return EINFALL_OP_MAX;
  case ExprOp::Lt:
    return EINFALL_OP_LT;
  case ExprOp::Le:
    return EINFALL_OP_LE;
  case ExprOp::Gt:
    return EINFALL_OP_GT;
  case ExprOp::Ge:
    return EINFALL_OP_GE;
  case ExprOp::Eq:
    return EINFALL_OP_EQ;
  case ExprOp::Ne:
    return EINFALL_OP_NE;
  case ExprOp::And:
    return EINFALL_OP_AND;
  case ExprOp::Or:
    return EINFALL_OP_OR;
  case ExprOp::Not:
    return EINFALL_OP_NOT;
  case ExprOp::If:
    return EINFALL_OP_IF;
  case ExprOp::Else:
    return EINFALL_OP_ELSE;
  case ExprOp::Exists:
    return EINFALL_OP_EXISTS;
  case ExprOp::ToFloat:
    return EINFALL_OP_FLOAT_OF;
  case ExprOp::Cast:
    return EINFALL_OP_CAST;
  case ExprOp::Call:
    return EINFALL_OP_CALL;
  default:
    return std::nullopt;
  }
}

einfall_instruction instruction(int opcode, int operand = 0) {
  einfall_instruction in{};
  in.opcode = opcode;
  in.operand = operand;
  return in;
}

void append(Program &program, const ExprRef &e) {
  switch (e->op) {
  case ExprOp::Number: {
    einfall_instruction in = instruction(e->kind == ein::Kind::Float ? EINFALL_OP_FLOAT : EINFALL_OP_INT);
    if (e->kind == ein::Kind::Float)
      in.value.f = e->number;
    else
      in.value.i = e->integer;
    program.push_back(in);
    return;
  }
  case ExprOp::Extent:
    program.push_back(instruction(EINFALL_OP_EXTENT, e->id));
    return;
  case ExprOp::Scalar:
    program.push_back(instruction(EINFALL_OP_SCALAR, e->id));
    return;
  default:
    break;
  }
  // The checks of the frontend let nothing else through; if something else came,
  // the runtime refuses the malformed program.
  const std::optional<int> opcode = opcodeOf(e->op);
  if (!opcode) {
    program.push_back(instruction(-1));
    return;
  }
  // A chain such as a + b + c + .. stays shallow on the stack: left first.
  for (const ExprRef &arg : e->args)
    append(program, arg);
  const int operand = e->op == ExprOp::Cast ? int(e->type) : e->op == ExprOp::Call ? int(e->fn) : 0;
  program.push_back(instruction(*opcode, operand));
  // `min` and `max` of more than two.
  if (e->op == ExprOp::Min || e->op == ExprOp::Max)
    for (size_t k = 2; k < e->args.size(); ++k)
      program.push_back(instruction(*opcode));
}

} // namespace

struct Description::Data {
  std::deque<std::string> names;
  std::deque<Program> programs;
  std::deque<std::vector<int32_t>> numbers;
  std::deque<uint64_t> elements; ///< defaults of tensors
  std::vector<einfall_rank_info> ranks;
  std::vector<einfall_split_info> splits;
  std::vector<einfall_tensor_info> tensors;
  std::vector<einfall_scalar_info> scalars;
  einfall_kernel kernel{};

  const char *keep(const std::string &name) { return names.emplace_back(name).c_str(); }
  const int32_t *keep(std::vector<int32_t> list) { return numbers.emplace_back(std::move(list)).data(); }
  const einfall_instruction *keep(const ExprRef &e) {
    if (!e)
      return nullptr;
    Program &program = programs.emplace_back();
    append(program, e);
    program.push_back(instruction(EINFALL_OP_END));
    return program.data();
  }
  const void *keepElement(const ExprRef &e, ein::Type type) {
    if (!e)
      return nullptr;
    uint64_t &bits = elements.emplace_back(0);
    einfall_constant_element(keep(e), int32_t(type), &bits);
    return &bits;
  }
};

Description::Description(const ein::Cascade &cascade) : data_(std::make_unique<Data>()) {
  Data &d = *data_;
  for (const ein::Rank &rank : cascade.ranks)
    d.ranks.push_back({d.keep(rank.name), rank.fixed.value_or(-1),
                       rank.fixed ? nullptr : d.keep(rank.definition), rank.isDefault});
  for (const ein::Split &split : cascade.splits) {
    const int32_t *parts = d.keep(std::vector<int32_t>(split.parts.begin(), split.parts.end()));
    d.splits.push_back({split.whole, int32_t(split.parts.size()), parts});
  }
  for (const ein::Tensor &tensor : cascade.tensors) {
    if (tensor.role == ein::Role::Intermediate)
      continue;
    std::vector<int32_t> plus(tensor.plus.begin(), tensor.plus.end());
    plus.resize(tensor.ranks.size());
    const int role = tensor.role == ein::Role::Input ? EINFALL_INPUT : EINFALL_OUTPUT;
    d.tensors.push_back({d.keep(tensor.name), role, int32_t(tensor.type), int32_t(tensor.ranks.size()),
                         d.keep(std::vector<int32_t>(tensor.ranks.begin(), tensor.ranks.end())),
                         d.keep(std::move(plus)), d.keepElement(tensor.defaultValue, tensor.type)});
  }
  for (const ein::ScalarArg &scalar : cascade.scalars)
    d.scalars.push_back({d.keep(scalar.name), int32_t(scalar.type), d.keep(scalar.defaultValue)});
  d.kernel = {EINFALL_ABI,
              int32_t(d.ranks.size()),
              int32_t(d.splits.size()),
              int32_t(d.tensors.size()),
              int32_t(d.scalars.size()),
              d.keep(cascade.name),
              d.ranks.data(),
              d.splits.data(),
              d.tensors.data(),
              d.scalars.data(),
              nullptr,
              nullptr};
}

Description::~Description() = default;
Description::Description(Description &&) noexcept = default;
const einfall_kernel *Description::get() const { return &data_->kernel; }

} // namespace einfall::driver
