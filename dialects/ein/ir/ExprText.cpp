//===- ExprText.cpp - printer of expression text ----------------------------===//
#include "dialects/ein/ir/ExprText.h"
#include "dialects/ein/Cascade.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace einfall::ein::ir {

namespace {
/// Binding strength, weakest first; an operand weaker than its place needs
/// parentheses. Pow and comparisons are not associative in this text.
enum Level {
  Lowest,
  OrLevel,
  AndLevel,
  NotLevel,
  CompareLevel,
  SumLevel,
  ProductLevel,
  NegLevel,
  PowLevel,
  AtomLevel
};

Level levelOf(const Expr &e) {
  switch (e.op) {
  case ExprOp::If:
    return Lowest;
  case ExprOp::Or:
    return OrLevel;
  case ExprOp::And:
    return AndLevel;
  case ExprOp::Not:
    return NotLevel;
  case ExprOp::Lt:
  case ExprOp::Le:
  case ExprOp::Gt:
  case ExprOp::Ge:
  case ExprOp::Eq:
  case ExprOp::Ne:
    return CompareLevel;
  case ExprOp::Add:
  case ExprOp::Sub:
  case ExprOp::Reduce: // takes the rest of its product, as in `.ein`
    return SumLevel;
  case ExprOp::Mul:
  case ExprOp::Div:
  case ExprOp::IDiv:
  case ExprOp::Mod:
    return ProductLevel;
  case ExprOp::Neg:
    return NegLevel;
  case ExprOp::Number:
    return e.kind == Kind::Float ? (std::signbit(e.number) ? NegLevel : AtomLevel)
                                 : (e.integer < 0 ? NegLevel : AtomLevel);
  case ExprOp::Pow:
    return PowLevel;
  default:
    return AtomLevel;
  }
}

/// The kind the builders give to this node: what the text says without suffix.
Kind impliedKind(const Expr &e) {
  switch (e.op) {
  case ExprOp::Number:
    return e.kind;
  case ExprOp::Coord:
  case ExprOp::Extent:
  case ExprOp::Tuple:
    return Kind::Int;
  case ExprOp::Scalar:
  case ExprOp::Read:
    return Kind::Float;
  case ExprOp::Neg:
  case ExprOp::Not:
  case ExprOp::Exists:
  case ExprOp::ToFloat:
    return unary(e.op, e.args[0])->kind;
  case ExprOp::If:
    return e.args[1]->kind;
  case ExprOp::Cast:
    return kindOf(e.type);
  case ExprOp::Call:
    return call(e.fn, e.args)->kind;
  case ExprOp::Reduce:
    return reduce(e.reduce, e.vars, e.args[0])->kind;
  default:
    return binary(e.op, e.args[0], e.args[1])->kind;
  }
}

std::string numberText(const Expr &e) {
  if (e.kind == Kind::Bool)
    return e.integer ? "true" : "false";
  if (e.kind == Kind::Int)
    return fmt::format("{}", e.integer);
  if (std::isnan(e.number))
    return "nan";
  if (std::isinf(e.number))
    return e.number < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", e.number); // the shortest that reads back exactly
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

struct Printer {
  const Names *names;

  static std::string label(const std::vector<std::string> *table, int id) {
    if (table && id >= 0 && id < static_cast<int>(table->size()))
      return (*table)[id];
    return fmt::format("#{}", id);
  }
  std::string var(int id) const { return label(names ? &names->vars : nullptr, id); }
  std::string rank(int id) const { return label(names ? &names->ranks : nullptr, id); }
  std::string tensor(int id) const { return label(names ? &names->tensors : nullptr, id); }
  std::string scalar(int id) const { return label(names ? &names->scalars : nullptr, id); }
  std::string split(int id) const { return label(names ? &names->splits : nullptr, id); }

  std::string list(const std::vector<ExprRef> &args) const {
    std::string text;
    for (auto &a : args)
      text += (text.empty() ? "" : ", ") + print(a, Lowest);
    return text;
  }

  std::string print(const ExprRef &e, Level place) const {
    bool suffix = e->kind != impliedKind(*e);
    std::string text = body(*e);
    if (levelOf(*e) < (suffix ? AtomLevel : place))
      text = "(" + text + ")";
    if (suffix)
      text += e->kind == Kind::Float ? ":f" : e->kind == Kind::Int ? ":i" : ":b";
    return text;
  }

  std::string infix(const Expr &e, Level left, Level right) const {
    return fmt::format("{} {} {}", print(e.args[0], left), symbol(e.op), print(e.args[1], right));
  }

  std::string reduction(const Expr &e) const {
    std::string text = fmt::format("{}{}[", name(e.reduce), e.partial ? "?" : "");
    for (size_t i = 0; i < e.vars.size(); ++i)
      text += (i ? ", " : "") + var(e.vars[i]);
    if (!e.at.empty())
      text += " at " + list(e.at);
    if (e.filter)
      text += " where " + print(e.filter, Lowest);
    if (e.aux)
      text += "; " + print(e.aux, Lowest);
    return text + "] " + print(e.args[0], ProductLevel);
  }

  std::string body(const Expr &e) const {
    switch (e.op) {
    case ExprOp::Number:
      return numberText(e);
    case ExprOp::Coord:
      return var(e.id);
    case ExprOp::Extent:
      return "|" + rank(e.id) + "|";
    case ExprOp::Scalar:
      return "@" + scalar(e.id);
    case ExprOp::Read:
      return tensor(e.id) + "[" + list(e.args) + "]";
    case ExprOp::Tuple:
      return "(" + list(e.args) + ") of " + split(e.id);
    case ExprOp::Neg: {
      // `-1` is a literal, `-(1)` a negation.
      std::string x = print(e.args[0], NegLevel);
      bool looksLiteral = std::isdigit(static_cast<unsigned char>(x[0])) || x.starts_with("inf");
      return looksLiteral ? "-(" + x + ")" : "-" + x;
    }
    case ExprOp::Add:
    case ExprOp::Sub:
      return infix(e, SumLevel, ProductLevel);
    case ExprOp::Mul:
    case ExprOp::Div:
    case ExprOp::IDiv:
    case ExprOp::Mod:
      return infix(e, ProductLevel, NegLevel);
    case ExprOp::Pow:
      return infix(e, AtomLevel, AtomLevel);
    case ExprOp::Min:
    case ExprOp::Max:
    case ExprOp::Exists:
      return fmt::format("{}({})", symbol(e.op), list(e.args));
    case ExprOp::And:
      return infix(e, AndLevel, NotLevel);
    case ExprOp::Or:
      return infix(e, OrLevel, AndLevel);
    case ExprOp::Not:
      return "not " + print(e.args[0], NotLevel);
    case ExprOp::If:
      return fmt::format("if {} then {} else {}", print(e.args[0], OrLevel), print(e.args[1], OrLevel),
                         print(e.args[2], Lowest));
    case ExprOp::Else:
      return fmt::format("({} else {})", print(e.args[0], OrLevel), print(e.args[1], Lowest));
    case ExprOp::ToFloat:
      return "float(" + print(e.args[0], Lowest) + ")";
    case ExprOp::Cast:
      return fmt::format("cast<{}>({})", name(e.type), print(e.args[0], Lowest));
    case ExprOp::Call:
      return fmt::format("{}({})", name(e.fn), list(e.args));
    case ExprOp::Reduce:
      return reduction(e);
    default: // comparisons
      return infix(e, SumLevel, SumLevel);
    }
  }
};

/// Index of `from[id]` in `to`; `id` itself when it has no name.
bool renameId(int &id, const std::vector<std::string> &from, const std::vector<std::string> &to,
              std::string &missing) {
  if (id < 0 || id >= static_cast<int>(from.size()))
    return true;
  auto it = std::find(to.begin(), to.end(), from[id]);
  if (it == to.end()) {
    missing = from[id];
    return false;
  }
  id = static_cast<int>(it - to.begin());
  return true;
}
} // namespace

std::string printExpr(const ExprRef &e, const Names *names) { return Printer{names}.print(e, Lowest); }

ExprRef rename(const ExprRef &e, const Names &from, const Names &to, std::string &missing) {
  bool found = true;
  ExprRef result = rewrite(e, [&](const ExprRef &x) -> ExprRef {
    auto copy = std::make_shared<Expr>(*x);
    switch (x->op) {
    case ExprOp::Coord:
      found &= renameId(copy->id, from.vars, to.vars, missing);
      break;
    case ExprOp::Extent:
      found &= renameId(copy->id, from.ranks, to.ranks, missing);
      break;
    case ExprOp::Scalar:
      found &= renameId(copy->id, from.scalars, to.scalars, missing);
      break;
    case ExprOp::Read:
      found &= renameId(copy->id, from.tensors, to.tensors, missing);
      break;
    case ExprOp::Tuple:
      found &= renameId(copy->id, from.splits, to.splits, missing);
      break;
    case ExprOp::Reduce:
      for (VarId &v : copy->vars)
        found &= renameId(v, from.vars, to.vars, missing);
      break;
    default:
      return x;
    }
    return copy;
  });
  return found ? result : nullptr;
}

} // namespace einfall::ein::ir
