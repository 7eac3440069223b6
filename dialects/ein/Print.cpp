//===- Print.cpp - a cascade as .ein text -------------------------------------===//
//
// The inverse of parsing and checking: parentheses only where the grammar
// (docs/language.md, appendix A) needs them, and names such that the text means
// what the tree says. Two things are not in the tree and are decided here:
//
// * Names of variables. A tree refers to variables by number, and rewriting may
//   bring two of one name into one scope; the inner one then gets a number
//   behind its name.
// * `v in R`. It is written only where the text alone would not give `v` its
//   rank (ein-r3). That depends on every plain subscript of the equation, so a
//   binder leaves a marker in the text, and the markers are filled in at the end.
//
//===----------------------------------------------------------------------===//
#include "dialects/ein/Cascade.h"
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

namespace einfall::ein {

namespace {

/// Levels of the grammar, loosest first. An expression is parenthesised when it
/// binds looser than its place demands.
enum Level {
  Whole,
  OrLevel,
  AndLevel,
  NotLevel,
  CompareLevel,
  SumLevel,
  ProductLevel,
  FactorLevel,
  AtomLevel
};

Level levelOf(const Expr &e) {
  switch (e.op) {
  case ExprOp::If:
    return Whole;
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
    return SumLevel;
  case ExprOp::Mul:
  case ExprOp::Div:
  case ExprOp::IDiv:
  case ExprOp::Mod:
    return ProductLevel;
  case ExprOp::Neg:
  case ExprOp::Pow:
  case ExprOp::Reduce:
    return FactorLevel;
  case ExprOp::Number:
    if (e.kind == Kind::Float)
      return std::isnan(e.number) || !std::signbit(e.number) ? AtomLevel : FactorLevel;
    return e.kind == Kind::Int && e.integer < 0 ? FactorLevel : AtomLevel;
  case ExprOp::ToFloat:
    return levelOf(*e.args[0]);
  default:
    return AtomLevel;
  }
}

std::string floatText(double x) {
  if (std::isnan(x))
    return "(inf - inf)";
  if (std::isinf(x))
    return x < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", x); // the shortest that reads back exactly
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string integerText(int64_t x) {
  if (x == INT64_MIN) // its digits alone are no int64
    return "(-9223372036854775807 - 1)";
  return std::to_string(x);
}

constexpr std::array<std::string_view, 22> keywords = {
    "cascade", "fn",  "return", "rank", "param", "split", "where", "init", "empty", "if",    "then",
    "else",    "and", "or",     "not",  "in",    "div",   "mod",   "cast", "inf",   "false", "true"};

bool isReserved(std::string_view word) {
  if (std::find(keywords.begin(), keywords.end(), word) != keywords.end())
    return true;
  for (int op = 0; op <= static_cast<int>(ReduceOp::Coordinates); ++op)
    if (word == name(static_cast<ReduceOp>(op)))
      return true;
  return false;
}

class Printer {
public:
  explicit Printer(const Cascade &cascade) : cascade(cascade) {
    for (const Tensor &t : cascade.tensors)
      taken.insert(t.name);
    for (const ScalarArg &s : cascade.scalars)
      taken.insert(s.name);
  }

  /// Text of `e`, whose free variables (not yet named) keep their names.
  std::string expression(const ExprRef &e) {
    for (VarId v : freeVariables(e))
      if (!scope.count(v))
        bind(v);
    return emit(e, Whole, true);
  }

  std::string equation(const Equation &eq) {
    const Tensor &tensor = cascade.tensors[eq.tensor];
    for (VarId v : eq.vars)
      bind(v);
    std::string text = tensor.name;
    if (!eq.lhs.empty()) {
      text += '[';
      for (size_t i = 0; i < eq.lhs.size(); ++i) {
        // The header gives an output its ranks; an intermediate gets them from here.
        bool counts = tensor.role != Role::Intermediate;
        text += (i ? "," : "") + leftEntry(eq.lhs[i], tensor.ranks[i], counts);
      }
      text += ']';
    }
    if (tensor.role == Role::Intermediate && (tensor.annotated || tensor.type != impliedType(eq)))
      text += fmt::format(" : {}", name(tensor.type));
    text += " = " + emit(eq.rhs, Whole, true);
    if (eq.where)
      text += " where " + emit(eq.where, Whole, true);
    if (eq.init)
      text += " init " + emit(eq.init, Whole, true);
    return finish(std::move(text));
  }

  /// Fills in the markers.
  std::string finish(std::string text) const {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != marker) {
        out += text[i];
        continue;
      }
      size_t end = text.find(marker, i + 1);
      const Binder &b = binders[std::stoul(text.substr(i + 1, end - i - 1))];
      if (!inferred(b))
        out += " in " + cascade.ranks[b.rank].name;
      i = end;
    }
    return out;
  }

private:
  static constexpr char marker = '\x01';

  /// One place where a variable gets its name: a left side or a bracket.
  struct Binder {
    std::string name;
    RankId rank;
    std::set<RankId> plain; ///< ranks at which it stands as a plain subscript
  };

  const Cascade &cascade;
  std::set<std::string> taken; ///< by tensors and scalars
  std::map<VarId, int> scope;  ///< index into binders
  std::vector<Binder> binders;
  std::map<std::string, RankId> nameRank; ///< one name keeps one rank in an equation

  /// r24: what the tensor of `eq` is without annotation.
  Type impliedType(const Equation &eq) const {
    Kind kind = kindOf(cascade.tensors[eq.tensor].type);
    if (kind != Kind::Float)
      return kind == Kind::Int ? Type::I64 : Type::Bool;
    for (const Tensor &t : cascade.tensors)
      if (t.role == Role::Input && t.type == Type::F64)
        return Type::F64;
    for (const ScalarArg &s : cascade.scalars)
      if (s.type == Type::F64)
        return Type::F64;
    return Type::F32;
  }

  int bind(VarId v) {
    const Variable &variable = cascade.variables[v];
    std::string base;
    for (char c : variable.name)
      base += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    if (base.empty() || !std::isalpha(static_cast<unsigned char>(base[0])))
      base = "v" + base;
    base[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(base[0])));
    std::string text = base;
    for (int number = 2; !usable(text, variable.rank); ++number)
      text = base + std::to_string(number);
    nameRank.emplace(text, variable.rank);
    binders.push_back({text, variable.rank, {}});
    scope[v] = static_cast<int>(binders.size()) - 1;
    return scope[v];
  }

  bool usable(const std::string &text, RankId rank) const {
    if (taken.count(text) || isReserved(text))
      return false;
    for (auto &[v, binder] : scope)
      if (binders[binder].name == text)
        return false;
    auto it = nameRank.find(text);
    return it == nameRank.end() || it->second == rank;
  }

  /// Whether r3 finds the rank of `b` without being told.
  bool inferred(const Binder &b) const {
    std::set<RankId> ofName;
    for (const Binder &other : binders)
      if (other.name == b.name)
        ofName.insert(other.plain.begin(), other.plain.end());
    if (!b.plain.empty())
      return ofName.size() == 1 && *ofName.begin() == b.rank;
    std::string upper;
    for (char c : b.name)
      upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return (ofName.empty() || (ofName.size() == 1 && *ofName.begin() == b.rank)) &&
           cascade.rankNamed(upper) == b.rank;
  }

  std::string mark(int binder) const {
    return binders[binder].name + marker + std::to_string(binder) + marker;
  }

  /// A rank whose tuples of `parts` entries can only mean one split.
  bool oneSplit(const Split &split) const {
    int fitting = 0;
    for (const Split &s : cascade.splits)
      fitting += s.whole == split.whole && s.parts.size() == split.parts.size();
    return fitting == 1;
  }

  std::string leftEntry(const ExprRef &e, RankId rank, bool counts) {
    if (e->op != ExprOp::Tuple) {
      int binder = scope.at(e->id);
      if (counts)
        binders[binder].plain.insert(rank);
      return mark(binder);
    }
    const Split &split = cascade.splits[e->id];
    std::string text = "(";
    for (size_t i = 0; i < e->args.size(); ++i)
      text += (i ? "," : "") + leftEntry(e->args[i], split.parts[i], counts && oneSplit(split));
    return text + ")";
  }

  std::string subscript(const ExprRef &e, RankId rank, bool counts = true) {
    if (e->op == ExprOp::Coord && counts)
      if (auto it = scope.find(e->id); it != scope.end())
        binders[it->second].plain.insert(rank);
    if (e->op != ExprOp::Tuple)
      return emit(e, Whole, true);
    const Split &split = cascade.splits[e->id];
    std::string text = "(";
    for (size_t i = 0; i < e->args.size(); ++i)
      text += (i ? "," : "") + subscript(e->args[i], split.parts[i], counts && oneSplit(split));
    return text + ")";
  }

  /// `tail`: nothing follows in the same product, so that a reduction, which
  /// takes the rest of its product, may stand without parentheses.
  std::string emit(const ExprRef &e, Level level, bool tail) {
    if (levelOf(*e) < level || (e->op == ExprOp::Reduce && !tail))
      return "(" + bare(*e, true) + ")";
    return bare(*e, tail);
  }

  std::string bare(const Expr &e, bool tail) {
    auto &a = e.args;
    auto infix = [&](Level left, Level right) {
      bool product = left == ProductLevel || left == AtomLevel;
      std::string x = emit(a[0], left, !product);
      return fmt::format("{} {} {}", x, symbol(e.op), emit(a[1], right, product ? tail : true));
    };
    switch (e.op) {
    case ExprOp::Number:
      return e.kind == Kind::Float ? floatText(e.number)
             : e.kind == Kind::Int ? integerText(e.integer)
                                   : (e.integer ? "true" : "false");
    case ExprOp::Coord: {
      auto it = scope.find(e.id);
      return it == scope.end() ? cascade.variables[e.id].name : binders[it->second].name;
    }
    case ExprOp::Extent:
      return "|" + cascade.ranks[e.id].name + "|";
    case ExprOp::Scalar:
      return cascade.scalars[e.id].name;
    case ExprOp::Read: {
      const Tensor &tensor = cascade.tensors[e.id];
      std::string text = tensor.name;
      for (size_t i = 0; i < a.size(); ++i)
        text += (i ? "," : "[") + subscript(a[i], tensor.ranks[i]);
      return a.empty() ? text : text + "]";
    }
    case ExprOp::Tuple:
      return subscript(std::make_shared<Expr>(e), cascade.splits[e.id].whole);
    case ExprOp::Neg:
      return "-" + emit(a[0], FactorLevel, tail);
    case ExprOp::Add:
    case ExprOp::Sub:
      return infix(SumLevel, ProductLevel);
    case ExprOp::Mul:
    case ExprOp::Div:
    case ExprOp::IDiv:
    case ExprOp::Mod:
      return infix(ProductLevel, FactorLevel);
    case ExprOp::Pow:
      return infix(AtomLevel, FactorLevel);
    case ExprOp::Lt:
    case ExprOp::Le:
    case ExprOp::Gt:
    case ExprOp::Ge:
    case ExprOp::Eq:
    case ExprOp::Ne:
      return infix(SumLevel, SumLevel);
    case ExprOp::And:
      return infix(AndLevel, NotLevel);
    case ExprOp::Or:
      return infix(OrLevel, AndLevel);
    case ExprOp::Not:
      return "not " + emit(a[0], NotLevel, true);
    case ExprOp::If: {
      std::string condition = emit(a[0], Whole, true), yes = emit(a[1], Whole, true);
      return fmt::format("if {} then {} else {}", condition, yes, emit(a[2], Whole, true));
    }
    case ExprOp::Else: {
      std::string x = emit(a[0], Whole, true);
      return fmt::format("({} else {})", x, emit(a[1], Whole, true));
    }
    case ExprOp::ToFloat: // implicit
      return bare(*a[0], tail);
    case ExprOp::Cast:
      return fmt::format("cast<{}>({})", name(e.type), emit(a[0], Whole, true));
    case ExprOp::Min:
    case ExprOp::Max:
    case ExprOp::Exists:
    case ExprOp::Call: {
      std::string text(e.op == ExprOp::Call ? name(e.fn) : symbol(e.op));
      for (size_t i = 0; i < a.size(); ++i)
        text += (i ? ", " : "(") + emit(a[i], Whole, true);
      return text + ")";
    }
    case ExprOp::Reduce:
      return reduction(e);
    }
    return "";
  }

  /// Operators that keep their variables have one name for two things: inside
  /// the variable runs, outside it is the place at which the result is taken.
  /// A rewrite may leave an expression there that no variable of the scope can
  /// stand for; it is shown as a replacement, `(cumsum[t] x)[t = t2 - 1]`.
  std::string reduction(const Expr &e) {
    std::map<VarId, int> outer = scope;
    std::string aux = e.aux ? "; " + emit(e.aux, Whole, true) : "", places;
    std::vector<std::pair<VarId, std::string>> replaced;
    std::string text = std::string(name(e.reduce)) + "[";
    std::vector<VarId> inside = freeVariables(e.args[0]);
    if (e.filter)
      for (VarId v : freeVariables(e.filter))
        inside.push_back(v);
    std::map<VarId, int> inner = scope;
    for (size_t i = 0; i < e.vars.size(); ++i) {
      text += i ? ", " : "";
      if (i < e.at.size() && e.at[i]->op == ExprOp::Coord && outer.count(e.at[i]->id) &&
          (e.at[i]->id == e.vars[i] ||
           std::find(inside.begin(), inside.end(), e.at[i]->id) == inside.end())) {
        inner[e.vars[i]] = outer[e.at[i]->id];
        text += binders[inner[e.vars[i]]].name;
        continue;
      }
      int binder = bind(e.vars[i]);
      inner[e.vars[i]] = binder;
      text += mark(binder);
      if (i < e.at.size()) {
        std::map<VarId, int> here = std::exchange(scope, outer);
        places += fmt::format("{}{} = {}", places.empty() ? "" : ", ", binders[binder].name,
                              emit(e.at[i], Whole, true));
        scope = here;
      }
    }
    scope = inner;
    if (e.filter)
      text += " where " + emit(e.filter, Whole, true);
    text += aux + "] " + emit(e.args[0], ProductLevel, true);
    scope = outer;
    return places.empty() ? text : fmt::format("({})[{}]", text, places);
  }
};

std::string declaration(const Cascade &cascade, const Tensor &t) {
  std::string text = t.name;
  for (size_t i = 0; i < t.ranks.size(); ++i) {
    text += (i ? "," : "[") + cascade.ranks[t.ranks[i]].name;
    if (i < t.plus.size() && t.plus[i])
      text += fmt::format(" + {}", t.plus[i]);
  }
  text += t.ranks.empty() ? "" : "]";
  text += fmt::format(" : {}", name(t.type));
  if (t.defaultValue)
    text += " = " + print(cascade, t.defaultValue);
  if (t.empty)
    text += " empty " + print(cascade, t.empty);
  return text;
}

bool before(const SourceRange &a, const SourceRange &b) {
  return a.line && b.line && (a.line != b.line ? a.line < b.line : a.column < b.column);
}

/// Inputs and scalars, as in the text where that is known: a scalar's default
/// may use scalars before it.
std::string header(const Cascade &cascade) {
  std::vector<std::pair<SourceRange, std::string>> list;
  for (const Tensor &t : cascade.tensors)
    if (t.role == Role::Input)
      list.push_back({t.range, declaration(cascade, t)});
  for (const ScalarArg &s : cascade.scalars) {
    std::string text = fmt::format("{} : {}", s.name, name(s.type));
    if (s.defaultValue)
      text += " = " + print(cascade, s.defaultValue);
    list.push_back({s.range, text});
  }
  bool known = std::all_of(list.begin(), list.end(), [](auto &entry) { return entry.first.line > 0; });
  if (known)
    std::sort(list.begin(), list.end(), [](auto &a, auto &b) { return before(a.first, b.first); });
  std::string text;
  for (auto &entry : list)
    text += (text.empty() ? "" : ", ") + entry.second;
  return text;
}

/// The extent of a rank as its definition or a number; empty: none. A default
/// that the caller of the compiler has replaced is shown as what it became.
std::string extentText(const Cascade &cascade, const Rank &rank) {
  if (rank.definition && !(rank.isDefault && rank.fixed))
    return print(cascade, rank.definition);
  return rank.fixed ? std::to_string(*rank.fixed) : "";
}

} // namespace

std::string print(const Cascade &cascade, const ExprRef &e) {
  if (!e)
    return "";
  Printer printer(cascade);
  return printer.finish(printer.expression(e));
}

std::string print(const Cascade &cascade, const Equation &equation) {
  return Printer(cascade).equation(equation);
}

std::string print(const Cascade &cascade) {
  std::string out = fmt::format("cascade {}({}) -> (", cascade.name, header(cascade));
  std::string separator;
  for (const Tensor &t : cascade.tensors)
    if (t.role == Role::Output) {
      out += separator + declaration(cascade, t);
      separator = ", ";
    }
  out += ") {\n";

  std::set<RankId> written;
  std::string splits;
  for (const Split &s : cascade.splits) {
    splits += fmt::format("  split {} = (", cascade.ranks[s.whole].name);
    for (size_t i = 0; i < s.parts.size(); ++i) {
      const Rank &part = cascade.ranks[s.parts[i]];
      std::string extent = written.count(s.parts[i]) ? "" : extentText(cascade, part);
      splits += (i ? ", " : "") + part.name + (extent.empty() ? "" : " = " + extent);
      if (!extent.empty())
        written.insert(s.parts[i]);
    }
    splits += ")\n";
  }
  for (size_t i = 0; i < cascade.ranks.size(); ++i) {
    const Rank &rank = cascade.ranks[i];
    for (const std::string &alias : rank.aliases)
      out += fmt::format("  rank {} = {}\n", alias, rank.name);
    std::string extent = extentText(cascade, rank);
    if (!extent.empty() && !written.count(static_cast<RankId>(i)))
      out += fmt::format("  rank {} = {}\n", rank.name, extent);
  }
  out += splits;
  for (const Equation &eq : cascade.equations)
    out += "  " + print(cascade, eq) + "\n";
  return out + "}\n";
}

} // namespace einfall::ein
