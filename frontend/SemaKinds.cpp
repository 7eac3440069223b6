//===- SemaKinds.cpp - float, integer or bool (r8, r24) -----------------------===//
//
// An intermediate without annotation has the kind of its right side, which may
// read the intermediate itself. Kinds grow from "unknown" over integer to float
// until nothing changes; mistakes are left to the real walk (SemaExpr).
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"

namespace einfall::frontend::sema {

using ast::ExprForm;
using MaybeKind = std::optional<Kind>;

namespace {
MaybeKind join(MaybeKind a, MaybeKind b) {
  if (!a || !b)
    return a ? a : b;
  if (*a == *b)
    return a;
  return *a == Kind::Float || *b == Kind::Float ? Kind::Float : a;
}
} // namespace

MaybeKind Checker::kindOf(const ast::Expr &e, const KindEnv *function) {
  // Expansion of functions may be exponential; the real walk reports that.
  if (++kindSteps > 16 * Limits::expandedNodes || depth > 2000)
    return std::nullopt;
  struct Deeper {
    int &depth;
    explicit Deeper(int &depth) : depth(depth) { ++depth; }
    ~Deeper() { --depth; }
  } deeper(depth);
  auto argument = [&](size_t i) -> MaybeKind {
    return i < e.args.size() && e.args[i] ? kindOf(*e.args[i], function) : std::nullopt;
  };
  switch (e.form) {
  case ExprForm::Integer:
  case ExprForm::Extent:
    return Kind::Int;
  case ExprForm::Float:
  case ExprForm::Inf:
    return Kind::Float;
  case ExprForm::True:
  case ExprForm::False:
  case ExprForm::Compare:
    return Kind::Bool;
  case ExprForm::Name: {
    if (function) {
      auto it = function->find(e.name.text);
      return it == function->end() ? MaybeKind(Kind::Int) : it->second; // else a variable
    }
    if (auto it = scalars.find(e.name.text); it != scalars.end() && !e.bracketed)
      return ein::kindOf(out.scalars[it->second].type);
    if (auto it = params.find(e.name.text); it != params.end() && !e.bracketed)
      return ein::kindOf(it->second.type);
    if (auto it = tensors.find(e.name.text);
        it != tensors.end() && (e.bracketed || out.tensors[it->second].ranks.empty()))
      return tensorKind[it->second];
    return e.bracketed ? std::nullopt : MaybeKind(Kind::Int);
  }
  case ExprForm::Paren:
    return argument(0);
  case ExprForm::Cast: {
    auto type = ein::parseType(e.name.text);
    return type ? MaybeKind(ein::kindOf(*type)) : std::nullopt;
  }
  case ExprForm::Unary:
    return e.op == "not" ? Kind::Bool : argument(0);
  case ExprForm::Binary:
    if (e.op == "/")
      return Kind::Float;
    if (e.op == "div" || e.op == "mod")
      return Kind::Int;
    if (e.op == "and" || e.op == "or")
      return Kind::Bool;
    return join(argument(0), argument(1));
  case ExprForm::If:
    return join(argument(1), argument(2));
  case ExprForm::Else:
    return join(argument(0), argument(1));
  case ExprForm::Reduce: {
    auto op = findReduceOp(e.name.text);
    if (!op)
      return std::nullopt;
    using R = ein::ReduceOp;
    switch (*op) {
    case R::Mean:
      return Kind::Float;
    case R::Any:
    case R::All:
    case R::Top:
    case R::TopMass:
      return Kind::Bool;
    case R::Count:
    case R::ArgMax:
    case R::ArgMin:
    case R::Place:
    case R::ArgSort:
    case R::Coordinates:
      return Kind::Int;
    default:
      return argument(0);
    }
  }
  case ExprForm::Call: {
    if (const Builtin *builtin = findBuiltin(e.name.text)) {
      MaybeKind result;
      switch (builtin->shape) {
      case Builtin::Shape::Float:
        return Kind::Float;
      case Builtin::Shape::Bits:
        return Kind::Int;
      case Builtin::Shape::Exists:
        return Kind::Bool;
      default:
        for (size_t i = 0; i < e.args.size(); ++i)
          result = join(result, argument(i));
        return result;
      }
    }
    const Function *callee = functions.find(e.name.text);
    if (!callee || callee->poisoned)
      return std::nullopt;
    KindEnv env;
    for (size_t i = 0; i < callee->ast->parameters.size() && i < e.args.size(); ++i)
      env[callee->ast->parameters[i].text] = argument(i);
    for (const ast::Name &v : callee->ast->variables)
      env[v.text] = Kind::Int;
    for (const ast::Local &local : callee->ast->locals)
      if (local.value)
        env[local.name.text] = kindOf(*local.value, &env);
    return callee->ast->result ? kindOf(*callee->ast->result, &env) : std::nullopt;
  }
  case ExprForm::Error:
    break;
  }
  return std::nullopt;
}

void Checker::inferKinds() {
  auto update = [&](EquationState &state) {
    if (state.tensor < 0 || !state.stmt->value || out.tensors[state.tensor].annotated ||
        out.tensors[state.tensor].role != ein::Role::Intermediate)
      return false;
    MaybeKind kind = kindOf(*state.stmt->value, nullptr);
    if (state.stmt->init)
      kind = join(kind, kindOf(*state.stmt->init, nullptr));
    MaybeKind &known = tensorKind[state.tensor];
    kind = join(known, kind);
    bool changed = kind != known;
    known = kind;
    return changed;
  };
  // Both directions: either order of writing settles in two rounds.
  for (bool changed = true; changed && kindSteps <= 16 * Limits::expandedNodes;) {
    changed = false;
    for (size_t i = 0; i < equations.size(); ++i)
      changed |= update(equations[i]);
    for (size_t i = equations.size(); changed && i-- > 0;)
      changed |= update(equations[i]);
  }
  // Rings that only copy themselves are floats; whatever stays unknown even so
  // holds an error, and its readers are silent.
  std::vector<TensorId> guessed;
  for (size_t t = 0; t < tensorKind.size(); ++t)
    if (!tensorKind[t] && equationOf[t]) {
      tensorKind[t] = Kind::Float;
      guessed.push_back(static_cast<TensorId>(t));
    }
  for (TensorId t : guessed)
    if (equationOf[t]->stmt->value && !kindOf(*equationOf[t]->stmt->value, nullptr))
      tensorPoisoned[t] = true;
  bool f64 = false;
  for (const ein::Tensor &tensor : out.tensors)
    f64 |= tensor.role == ein::Role::Input && tensor.type == Type::F64;
  for (const ein::ScalarArg &scalar : out.scalars)
    f64 |= scalar.type == Type::F64;
  for (EquationState &state : equations) {
    if (state.tensor < 0)
      continue;
    ein::Tensor &tensor = out.tensors[state.tensor];
    if (tensor.role != ein::Role::Intermediate || tensor.annotated)
      continue;
    Kind kind = tensorKind[state.tensor].value_or(Kind::Float);
    tensor.type = kind == Kind::Float ? (f64 ? Type::F64 : Type::F32)
                  : kind == Kind::Int ? Type::I64
                                      : Type::Bool;
  }
}

} // namespace einfall::frontend::sema
