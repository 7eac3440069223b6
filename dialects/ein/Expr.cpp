#include "dialects/ein/Expr.h"
#include <array>
#include <cassert>
#include <cstring>
#include <map>

namespace einfall::ein {

namespace {
std::shared_ptr<Expr> make(ExprOp op, Kind kind, std::vector<ExprRef> args = {}) {
  auto e = std::make_shared<Expr>();
  e->op = op;
  e->kind = kind;
  e->args = std::move(args);
  return e;
}

constexpr std::array<std::string_view, 28> fnNames = {
    "abs",   "sign",    "exp",   "exp2",       "expm1",   "log",      "log2",    "log1p", "sqrt", "rsqrt",
    "tanh",  "sigmoid", "relu",  "gelu",       "silu",    "softplus", "elu",     "erf",   "sin",  "cos",
    "floor", "ceil",    "round", "bit_length", "bit_and", "bit_or",   "bit_xor", ""};
constexpr std::array<std::string_view, 19> reduceNames = {
    "sum",    "prod",    "max",    "min",    "mean",  "any", "all",      "count",   "argmax",     "argmin",
    "cumsum", "cumprod", "cummax", "cummin", "place", "top", "top_mass", "argsort", "coordinates"};

/// Bound variables of two reductions under comparison, paired as they are met.
using Pairs = std::map<VarId, VarId>;

bool equalIn(const ExprRef &a, const ExprRef &b, Pairs &pairs) {
  if (!a || !b)
    return !a && !b;
  if (a == b && pairs.empty())
    return true;
  if (a->op != b->op || a->kind != b->kind || a->args.size() != b->args.size())
    return false;
  switch (a->op) {
  case ExprOp::Number:
    if (a->kind == Kind::Float ? std::memcmp(&a->number, &b->number, sizeof(double)) != 0
                               : a->integer != b->integer)
      return false;
    break;
  case ExprOp::Coord: {
    auto it = pairs.find(a->id);
    if (it != pairs.end() ? it->second != b->id : a->id != b->id)
      return false;
    break;
  }
  case ExprOp::Extent:
  case ExprOp::Scalar:
  case ExprOp::Read:
  case ExprOp::Tuple:
    if (a->id != b->id)
      return false;
    break;
  case ExprOp::Cast:
    if (a->type != b->type)
      return false;
    break;
  case ExprOp::Call:
    if (a->fn != b->fn)
      return false;
    break;
  case ExprOp::Reduce: {
    if (a->reduce != b->reduce || a->vars.size() != b->vars.size() || a->at.size() != b->at.size() ||
        a->partial != b->partial)
      return false;
    for (size_t i = 0; i < a->at.size(); ++i)
      if (!equalIn(a->at[i], b->at[i], pairs))
        return false;
    if (!equalIn(a->aux, b->aux, pairs))
      return false;
    Pairs inner = pairs;
    for (size_t i = 0; i < a->vars.size(); ++i)
      inner[a->vars[i]] = b->vars[i];
    return equalIn(a->args[0], b->args[0], inner) && equalIn(a->filter, b->filter, inner);
  }
  default:
    break;
  }
  for (size_t i = 0; i < a->args.size(); ++i)
    if (!equalIn(a->args[i], b->args[i], pairs))
      return false;
  return true;
}

size_t mix(size_t h, size_t v) { return h ^ (v + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2)); }

size_t hashIn(const ExprRef &e, std::map<VarId, int> &bound) {
  if (!e)
    return 7;
  size_t h = mix(static_cast<size_t>(e->op), static_cast<size_t>(e->kind));
  if (e->op == ExprOp::Number) {
    uint64_t bits;
    std::memcpy(&bits, &e->number, sizeof bits);
    return mix(h, e->kind == Kind::Float ? bits : static_cast<size_t>(e->integer));
  }
  if (e->op == ExprOp::Coord) {
    auto it = bound.find(e->id);
    return mix(h, it != bound.end() ? 1000003 + it->second : e->id);
  }
  h = mix(h, static_cast<size_t>(e->id));
  h = mix(h, static_cast<size_t>(e->fn));
  h = mix(h, static_cast<size_t>(e->reduce));
  h = mix(h, static_cast<size_t>(e->type));
  if (e->op == ExprOp::Reduce) {
    for (auto &a : e->at)
      h = mix(h, hashIn(a, bound));
    h = mix(h, hashIn(e->aux, bound));
    auto inner = bound;
    for (VarId v : e->vars)
      inner[v] = static_cast<int>(inner.size());
    h = mix(h, hashIn(e->args[0], inner));
    return mix(h, hashIn(e->filter, inner));
  }
  for (auto &a : e->args)
    h = mix(h, hashIn(a, bound));
  return h;
}
} // namespace

bool isScan(ReduceOp op) { return op >= ReduceOp::CumSum && op <= ReduceOp::CumMin; }
bool isSelection(ReduceOp op) { return op >= ReduceOp::Place; }
bool keepsVariables(ReduceOp op) { return op >= ReduceOp::CumSum && op <= ReduceOp::TopMass; }

ExprRef number(double value) {
  auto e = make(ExprOp::Number, Kind::Float);
  e->number = value;
  return e;
}
ExprRef integer(int64_t value) {
  auto e = make(ExprOp::Number, Kind::Int);
  e->integer = value;
  return e;
}
ExprRef boolean(bool value) {
  auto e = make(ExprOp::Number, Kind::Bool);
  e->integer = value;
  return e;
}
static ExprRef leaf(ExprOp op, Kind kind, int id, std::vector<ExprRef> args = {}) {
  auto e = make(op, kind, std::move(args));
  e->id = id;
  return e;
}
ExprRef coord(VarId var) { return leaf(ExprOp::Coord, Kind::Int, var); }
ExprRef extent(RankId rank) { return leaf(ExprOp::Extent, Kind::Int, rank); }
ExprRef scalar(ScalarId id, Kind kind) { return leaf(ExprOp::Scalar, kind, id); }
ExprRef read(TensorId tensor, Kind kind, std::vector<ExprRef> subscripts) {
  return leaf(ExprOp::Read, kind, tensor, std::move(subscripts));
}
ExprRef tuple(SplitId split, std::vector<ExprRef> entries) {
  return leaf(ExprOp::Tuple, Kind::Int, split, std::move(entries));
}
ExprRef unary(ExprOp op, ExprRef x) {
  Kind kind = op == ExprOp::Not || op == ExprOp::Exists ? Kind::Bool
              : op == ExprOp::ToFloat                   ? Kind::Float
                                                        : x->kind;
  return make(op, kind, {std::move(x)});
}
ExprRef binary(ExprOp op, ExprRef x, ExprRef y) {
  Kind kind = op >= ExprOp::Lt && op <= ExprOp::Or ? Kind::Bool : x->kind;
  return make(op, kind, {std::move(x), std::move(y)});
}
ExprRef select(ExprRef condition, ExprRef x, ExprRef y) {
  Kind kind = x->kind;
  return make(ExprOp::If, kind, {std::move(condition), std::move(x), std::move(y)});
}
ExprRef call(Fn fn, std::vector<ExprRef> args) {
  Kind kind = fn >= Fn::BitLength                 ? Kind::Int
              : (fn == Fn::Abs || fn == Fn::Sign) ? args[0]->kind
                                                  : Kind::Float;
  auto e = make(ExprOp::Call, kind, std::move(args));
  e->fn = fn;
  return e;
}
ExprRef cast(Type type, ExprRef x) {
  auto e = make(ExprOp::Cast, kindOf(type), {std::move(x)});
  e->type = type;
  return e;
}
ExprRef reduce(ReduceOp op, std::vector<VarId> vars, ExprRef body, ExprRef filter) {
  Kind kind = body->kind;
  if (op == ReduceOp::Mean)
    kind = Kind::Float;
  else if (op == ReduceOp::Any || op == ReduceOp::All || op == ReduceOp::Top || op == ReduceOp::TopMass)
    kind = Kind::Bool;
  else if (op == ReduceOp::Count || op == ReduceOp::ArgMax || op == ReduceOp::ArgMin ||
           op == ReduceOp::Place || op >= ReduceOp::ArgSort)
    kind = Kind::Int;
  auto e = make(ExprOp::Reduce, kind, {std::move(body)});
  e->reduce = op;
  e->vars = std::move(vars);
  e->filter = std::move(filter);
  return e;
}
ExprRef withArgs(const Expr &e, std::vector<ExprRef> args) {
  auto copy = std::make_shared<Expr>(e);
  copy->args = std::move(args);
  return copy;
}

bool equal(const ExprRef &a, const ExprRef &b) {
  Pairs none;
  return equalIn(a, b, none);
}
size_t hash(const ExprRef &e) {
  std::map<VarId, int> none;
  return hashIn(e, none);
}

std::string_view name(Fn fn) { return fnNames[static_cast<size_t>(fn)]; }
std::string_view name(ReduceOp op) { return reduceNames[static_cast<size_t>(op)]; }

std::string_view symbol(ExprOp op) {
  switch (op) {
  case ExprOp::Neg:
  case ExprOp::Sub:
    return "-";
  case ExprOp::Add:
    return "+";
  case ExprOp::Mul:
    return "*";
  case ExprOp::Div:
    return "/";
  case ExprOp::IDiv:
    return "div";
  case ExprOp::Mod:
    return "mod";
  case ExprOp::Pow:
    return "^";
  case ExprOp::Min:
    return "min";
  case ExprOp::Max:
    return "max";
  case ExprOp::Lt:
    return "<";
  case ExprOp::Le:
    return "<=";
  case ExprOp::Gt:
    return ">";
  case ExprOp::Ge:
    return ">=";
  case ExprOp::Eq:
    return "==";
  case ExprOp::Ne:
    return "!=";
  case ExprOp::And:
    return "and";
  case ExprOp::Or:
    return "or";
  case ExprOp::Not:
    return "not";
  case ExprOp::Exists:
    return "exists";
  default:
    return "";
  }
}

} // namespace einfall::ein
