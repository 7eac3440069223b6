//===- SemaExpr.cpp - expressions (r8, r14, r23) ------------------------------===//
//
// From the syntax tree to `ein::Expr`: names are resolved, integers that meet
// floats are converted, operands are checked. A null result is poisoned: it was
// reported, whoever gets it stays silent.
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace einfall::frontend::sema {

using ast::ExprForm;

namespace {
/// Levels of recursion, calls of functions included.
constexpr int maxRecursion = 2500;

const ast::Expr &withoutParens(const ast::Expr &e) {
  const ast::Expr *x = &e;
  while (x->form == ExprForm::Paren && x->args[0])
    x = x->args[0].get();
  return *x;
}
bool beginsUpper(std::string_view text) { return !text.empty() && text[0] >= 'A' && text[0] <= 'Z'; }
} // namespace

ExprRef Checker::makeOp(ExprOp op, Kind kind, std::vector<ExprRef> args, Range range) {
  for (const ExprRef &x : args)
    if (!x)
      return nullptr;
  ein::Expr e{op, kind};
  e.args = std::move(args);
  return node(std::move(e), range);
}

ExprRef Checker::number(double value, Range range) {
  ein::Expr e{ExprOp::Number, Kind::Float};
  e.number = value;
  return node(std::move(e), range);
}

ExprRef Checker::integer(int64_t value, Range range) {
  ein::Expr e{ExprOp::Number, Kind::Int};
  e.integer = value;
  return node(std::move(e), range);
}

/// An integer as a float; literals become float literals.
ExprRef Checker::toFloat(const ExprRef &e) {
  if (!e || e->kind == Kind::Float)
    return e;
  ein::Expr copy{ExprOp::ToFloat, Kind::Float};
  copy.range = e->range;
  if (e->op == ExprOp::Number) {
    copy.op = ExprOp::Number;
    copy.number = static_cast<double>(e->integer);
  } else if (e->op == ExprOp::Neg && e->args[0]->op == ExprOp::Number) {
    copy.op = ExprOp::Neg;
    copy.args = {toFloat(e->args[0])};
  } else {
    copy.args = {e};
  }
  for (const ExprRef &x : copy.args)
    if (!x)
      return nullptr;
  return node(std::move(copy), {});
}

/// Brings two operands to one kind; false (reported) if one is a bool and the
/// other is not.
bool Checker::agree(ExprRef &a, ExprRef &b, Range range, std::string_view what) {
  if (!a || !b)
    return false;
  if (a->kind == b->kind)
    return true;
  if (a->kind == Kind::Bool || b->kind == Kind::Bool) {
    error("ein-r8", range,
          fmt::format("{} {} and {}; a bool converts only by cast<..>(..)", what, kindName(a->kind),
                      kindName(b->kind)));
    return false;
  }
  a = toFloat(a);
  b = toFloat(b);
  return a && b;
}

ExprRef Checker::stored(ExprRef e, Type type, Range range, const std::string &what) {
  if (!e)
    return nullptr;
  Kind kind = ein::kindOf(type);
  if (e->kind == kind)
    return e;
  if (kind == Kind::Float && e->kind == Kind::Int)
    return toFloat(e);
  error("ein-r8", range,
        fmt::format("{} is {}, and the type is {}: write cast<{}>(..)", what, kindName(e->kind),
                    ein::name(type), ein::name(type)));
  return nullptr;
}

ExprRef Checker::expr(const ast::Expr &e, const Env &env) {
  struct Deeper {
    int &depth;
    explicit Deeper(int &depth) : depth(depth) { ++depth; }
    ~Deeper() { --depth; }
  } deeper(depth);
  if (exhausted)
    return nullptr;
  if (depth > maxRecursion) {
    Range place = callStack.empty() ? e.range : callStack.front()->range;
    callStack.clear();
    error("ein-r22", place,
          "functions and expressions nest too deeply here; name a part in an equation of its own");
    exhausted = true;
    return nullptr;
  }
  ExprRef result = exprIn(e, env);
  if (auto it = watched.find(&e); it != watched.end())
    it->second = result;
  return result;
}

/// Operands that every tree of a form has; one without comes from no parser.
static size_t operandCount(const ast::Expr &e) {
  switch (e.form) {
  case ExprForm::Cast:
  case ExprForm::Unary:
  case ExprForm::Paren:
  case ExprForm::Reduce:
    return 1;
  case ExprForm::Binary:
  case ExprForm::Else:
    return 2;
  case ExprForm::If:
    return 3;
  case ExprForm::Compare:
    return e.ops.size() + 1;
  default:
    return 0;
  }
}

ExprRef Checker::exprIn(const ast::Expr &e, const Env &env) {
  bool whole = e.args.size() >= operandCount(e);
  for (const ast::ExprPtr &x : e.args)
    whole &= x != nullptr;
  if (!whole) {
    failed = true;
    return nullptr;
  }
  switch (e.form) {
  case ExprForm::Integer:
  case ExprForm::Float:
  case ExprForm::Inf:
  case ExprForm::True:
  case ExprForm::False:
    return literal(e);
  case ExprForm::Extent:
    return extentOf(e, env);
  case ExprForm::Name:
    return name(e, env);
  case ExprForm::Call:
    return callExpr(e, env);
  case ExprForm::Cast:
    return castExpr(e, env);
  case ExprForm::Unary:
    return unaryExpr(e, env);
  case ExprForm::Binary:
    return binaryExpr(e, env);
  case ExprForm::Compare:
    return compareExpr(e, env);
  case ExprForm::If:
    return ifExpr(e, env);
  case ExprForm::Else: {
    ExprRef x = expr(*e.args[0], env), y = expr(*e.args[1], env);
    if (!agree(x, y, e.range, "'else' joins"))
      return nullptr;
    Kind kind = x->kind;
    return makeOp(ExprOp::Else, kind, {x, y}, e.range);
  }
  case ExprForm::Paren:
    return expr(*e.args[0], env);
  case ExprForm::Reduce:
    return reduceExpr(e, env);
  case ExprForm::Error:
    failed = true;
    return nullptr;
  }
  return nullptr;
}

ExprRef Checker::literal(const ast::Expr &e) {
  switch (e.form) {
  case ExprForm::Integer: {
    int64_t value = 0;
    auto [end, status] = std::from_chars(e.text.data(), e.text.data() + e.text.size(), value);
    if (status != std::errc()) {
      error("ein-r1", e.range, fmt::format("integer {} does not fit 64 bits", e.text));
      return nullptr;
    }
    return integer(value, e.range);
  }
  case ExprForm::Float:
    return number(std::strtod(e.text.c_str(), nullptr), e.range);
  case ExprForm::Inf:
    return number(HUGE_VAL, e.range);
  default: {
    ein::Expr x{ExprOp::Number, Kind::Bool};
    x.integer = e.form == ExprForm::True;
    return node(std::move(x), e.range);
  }
  }
}

Binding Checker::lookup(const Env &env, const std::string &name, bool &found) {
  if (auto it = env.names.find(name); it != env.names.end()) {
    found = true;
    return it->second;
  }
  if (!env.parent) {
    found = false;
    return {};
  }
  Binding b = lookup(*env.parent, name, found);
  if (b.value && !env.substitution.empty()) {
    std::map<VarId, ExprRef> with;
    for (auto [from, to] : env.substitution)
      if (isFree(b.value, from)) {
        ein::Expr c{ExprOp::Coord, Kind::Int};
        c.id = to;
        with[from] = node(std::move(c), {});
      }
    if (!with.empty())
      b.value = exhausted ? nullptr : instantiate(b.value, with);
  }
  return b;
}

ExprRef Checker::name(const ast::Expr &e, const Env &env) {
  if (env.function)
    return functionName(e, env);
  const std::string &text = e.name.text;
  if (!e.bracketed) {
    bool found = false;
    Binding b = lookup(env, text, found);
    if (found) {
      if (b.var < 0)
        return nullptr;
      ein::Expr c{ExprOp::Coord, Kind::Int};
      c.id = b.var;
      return node(std::move(c), e.range);
    }
  }
  if (poisonedNames.count(text))
    return nullptr;
  bool isScalar = scalars.count(text), isParam = params.count(text);
  if ((isScalar || isParam) && e.bracketed) {
    error("ein-r5", e.range,
          fmt::format("'{}' is a {}, it takes no subscripts", text, isScalar ? "scalar" : "parameter"))
        .notes.push_back({declaredAt.at(text), "declared here"});
    return nullptr;
  }
  if (isParam) {
    const Param *p = param(text);
    if (!p->value)
      return nullptr;
    ein::Expr copy = *p->value;
    copy.range = {};
    return node(std::move(copy), e.range);
  }
  if (isScalar) {
    const ein::ScalarArg &scalar = out.scalars[scalars.at(text)];
    if (context == Context::Constant) {
      error("ein-r9", e.range,
            fmt::format("'{}' is a scalar argument, known at the call: a constant is needed", text));
      return nullptr;
    }
    if (context == Context::Extent && scalar.type != Type::Index) {
      error("ein-r9", e.range,
            fmt::format("'{}' is {}: an extent may use scalars of type index", text, ein::name(scalar.type)))
          .notes.push_back({declaredAt.at(text), "declared here"});
      return nullptr;
    }
    if (context == Context::ScalarDefault && scalars.at(text) >= scalarLimit) {
      error("ein-r4", e.range, fmt::format("a default may use the scalars before it, and '{}' is not", text))
          .notes.push_back({declaredAt.at(text), "declared here"});
      return nullptr;
    }
    ein::Expr x{ExprOp::Scalar, ein::kindOf(scalar.type)};
    x.id = scalars.at(text);
    return node(std::move(x), e.range);
  }
  auto tensor = tensors.find(text);
  if (context != Context::Equation) {
    bool data = tensor != tensors.end();
    std::string hint = beginsUpper(text) && ranks.count(text)
                           ? fmt::format(": it is a rank, write '|{}|' for its extent", text)
                           : std::string();
    if (data)
      error("ein-r9", e.range,
            fmt::format("'{}' is a tensor: a value known before data is read is needed", text));
    else
      unknownName(e.name, visibleNames(nullptr), hint);
    return nullptr;
  }
  if (tensor == tensors.end()) {
    if (e.bracketed) {
      if (state && state->silent.insert(text + "[]").second) {
        std::vector<std::string> names;
        for (auto &[other, id] : tensors)
          names.push_back(other);
        unknownName(e.name, names);
      }
    } else if (state && (state->silent.count(text) || state->silent.count("where " + text) ||
                         state->silent.count("init " + text))) {
      return nullptr;
    } else {
      unknownName(e.name, visibleNames(state));
    }
    return nullptr;
  }
  return readTensor(e, tensor->second, env);
}

/// A constant outside a fixed rank (r14), reported.
bool Checker::outside(const ExprRef &subscript, RankId rank, int plus, Range range) {
  if (!factsOf(subscript).free.empty() || factsOf(subscript).size > 64)
    return false;
  ExprRef value = foldConstant(subscript);
  const ein::Rank &r = out.ranks[rank];
  if (!value || value->kind != Kind::Int ||
      (value->integer >= 0 && (!r.fixed || value->integer < *r.fixed + plus)))
    return false;
  error("ein-r14", range,
        r.fixed ? fmt::format("{} is outside rank {} ({})", value->integer, r.name, *r.fixed)
                : fmt::format("{} is outside rank {}: coordinates begin at 0", value->integer, r.name));
  return true;
}

ExprRef Checker::readTensor(const ast::Expr &e, TensorId id, const Env &env) {
  const ein::Tensor &tensor = out.tensors[id];
  if (e.subscripts.size() != tensor.ranks.size()) {
    if (tensorPoisoned[id])
      return nullptr;
    Diagnostic &d = error("ein-r5", e.range,
                          fmt::format("'{}' has {} rank{}, {} subscript{}", tensor.name, tensor.ranks.size(),
                                      tensor.ranks.size() == 1 ? "" : "s", e.subscripts.size(),
                                      e.subscripts.size() == 1 ? "" : "s"));
    if (auto it = declaredAt.find(tensor.name); it != declaredAt.end())
      d.notes.push_back({it->second, fmt::format("'{}' is defined here", tensor.name)});
    return nullptr;
  }
  ein::Expr x{ExprOp::Read, tensorKind[id].value_or(ein::kindOf(tensor.type))};
  x.id = id;
  bool bad = tensorPoisoned[id];
  for (size_t i = 0; i < e.subscripts.size(); ++i) {
    ExprRef s = subscript(e.subscripts[i], env);
    bad |= !s;
    // Before the start stands `init`.
    bool hasInit = equationOf[id] && equationOf[id]->stmt->init;
    if (s && !tensorPoisoned[id] && !hasInit)
      bad |= outside(s, tensor.ranks[i], tensor.plus[i], e.subscripts[i].range);
    x.args.push_back(s);
  }
  return bad ? nullptr : node(std::move(x), e.range);
}

ExprRef Checker::subscript(const ast::Subscript &s, const Env &env) {
  using Form = ast::Subscript::Form;
  if (s.form == Form::Replace) {
    error("ein-r22", s.range,
          fmt::format(
              "'{} = ..' replaces a variable in a parameter of a function; a tensor takes plain subscripts",
              s.var.text));
    return nullptr;
  }
  if (s.form == Form::Tuple) {
    TupleUse *tuple = nullptr;
    if (state)
      if (auto it = state->tupleOf.find(&s); it != state->tupleOf.end())
        tuple = it->second;
    bool bad = !tuple || tuple->poisoned || tuple->split < 0;
    ein::Expr x{ExprOp::Tuple, Kind::Int};
    x.id = tuple ? tuple->split : -1;
    for (size_t i = 0; i < s.parts.size(); ++i) {
      ExprRef entry = subscript(s.parts[i], env);
      bad |= !entry || (!bad && outside(entry, out.splits[tuple->split].parts[i], 0, s.parts[i].range));
      x.args.push_back(entry);
    }
    return bad ? nullptr : node(std::move(x), s.range);
  }
  ExprRef x = s.expr ? expr(*s.expr, env) : nullptr;
  if (!x)
    return nullptr;
  if (x->kind != Kind::Int) {
    Diagnostic &d =
        error("ein-r8", s.range,
              fmt::format("a subscript must be an integer, not {}: cast<index>(..)", kindName(x->kind)));
    if (s.range.file == 0 && callStack.empty()) {
      std::string_view text = diagnostics.sources[0]->text();
      if (s.range.end <= text.size())
        d.fixIt = FixIt{
            s.range, fmt::format("cast<index>({})", text.substr(s.range.begin, s.range.end - s.range.begin))};
    }
    return nullptr;
  }
  return x;
}

ExprRef Checker::extentOf(const ast::Expr &e, const Env &env) {
  RankId rank = -1;
  if (beginsUpper(e.name.text)) {
    if (env.function) {
      error("ein-r22", e.range,
            fmt::format("a function knows no ranks: pass a variable after ';' and write '|v|', not '|{}|'",
                        e.name.text));
      return nullptr;
    }
    rank = findRank(e.name);
  } else {
    bool found = false;
    Binding b = lookup(env, e.name.text, found);
    if (found && b.var >= 0) {
      rank = out.variables[b.var].rank;
    } else if (!found || (env.function && b.value)) {
      bool silent =
          state && (state->silent.count(e.name.text) || state->silent.count("where " + e.name.text) ||
                    state->silent.count("init " + e.name.text));
      bool known = scalars.count(e.name.text) || params.count(e.name.text) || tensors.count(e.name.text) ||
                   (env.function && found);
      if (known)
        error("ein-r9", e.range,
              fmt::format("'|{}|' is the extent of a rank or a variable's rank; an absolute value is abs({})",
                          e.name.text, e.name.text));
      else if (!silent)
        unknownName(e.name, env.function ? std::vector<std::string>() : visibleNames(state));
      return nullptr;
    }
  }
  if (rank < 0)
    return nullptr;
  if (context == Context::Constant) {
    error("ein-r9", e.range, fmt::format("'|{}|' is known at the call: a constant is needed", e.name.text));
    return nullptr;
  }
  ein::Expr x{ExprOp::Extent, Kind::Int};
  x.id = rank;
  return node(std::move(x), e.range);
}

ExprRef Checker::unaryExpr(const ast::Expr &e, const Env &env) {
  ExprRef x = expr(*e.args[0], env);
  if (!x)
    return nullptr;
  if (e.op == "not") {
    if (x->kind != Kind::Bool) {
      error("ein-r8", e.args[0]->range, fmt::format("'not' needs a bool, not {}", kindName(x->kind)));
      return nullptr;
    }
    return makeOp(ExprOp::Not, Kind::Bool, {x}, e.range);
  }
  if (x->kind == Kind::Bool) {
    error("ein-r8", e.args[0]->range, "'-' needs a number, not a bool; a bool converts only by cast<..>(..)");
    return nullptr;
  }
  Kind kind = x->kind;
  return makeOp(ExprOp::Neg, kind, {x}, e.range);
}

/// Coordinates, extents, counts and literals under `+ * div mod max` (r8).
bool Checker::plainlyNonNegative(const ExprRef &e) const {
  auto all = [&] {
    return std::all_of(e->args.begin(), e->args.end(),
                       [&](const ExprRef &x) { return plainlyNonNegative(x); });
  };
  switch (e->op) {
  case ExprOp::Number:
    return e->kind == Kind::Int && e->integer >= 0;
  case ExprOp::Coord:
  case ExprOp::Extent:
    return true;
  case ExprOp::Add:
  case ExprOp::Mul:
  case ExprOp::IDiv:
  case ExprOp::Mod:
  case ExprOp::Min:
    return all();
  case ExprOp::Max:
    return plainlyNonNegative(e->args[0]) || plainlyNonNegative(e->args[1]);
  case ExprOp::Call:
    return e->fn == ein::Fn::BitLength;
  case ExprOp::Reduce:
    return e->reduce == ein::ReduceOp::Count || e->reduce == ein::ReduceOp::Place ||
           e->reduce == ein::ReduceOp::ArgMax || e->reduce == ein::ReduceOp::ArgMin ||
           e->reduce == ein::ReduceOp::ArgSort || e->reduce == ein::ReduceOp::Coordinates;
  default:
    return false;
  }
}

ExprRef Checker::binaryExpr(const ast::Expr &e, const Env &env) {
  ExprRef x = expr(*e.args[0], env), y = expr(*e.args[1], env);
  if (!x || !y)
    return nullptr;
  const std::string &op = e.op;
  if (op == "and" || op == "or") {
    for (int i = 0; i < 2; ++i)
      if ((i ? y : x)->kind != Kind::Bool) {
        error("ein-r8", e.args[i]->range,
              fmt::format("'{}' needs a bool, not {}", op, kindName((i ? y : x)->kind)));
        return nullptr;
      }
    return makeOp(op == "and" ? ExprOp::And : ExprOp::Or, Kind::Bool, {x, y}, e.range);
  }
  for (int i = 0; i < 2; ++i)
    if ((i ? y : x)->kind == Kind::Bool) {
      error("ein-r8", e.args[i]->range,
            fmt::format("'{}' needs a number, not a bool; a bool converts only by cast<..>(..)", op));
      return nullptr;
    }
  if (op == "div" || op == "mod") {
    for (int i = 0; i < 2; ++i)
      if ((i ? y : x)->kind != Kind::Int) {
        error("ein-r8", e.args[i]->range,
              fmt::format("'{}' is of integers, not of {}{}", op, "floats",
                          op == "div" ? ": write '/', or floor(x / y)" : ""));
        return nullptr;
      }
    const ast::Expr &divisor = withoutParens(*e.args[1]);
    if (divisor.form == ExprForm::Integer && y->op == ExprOp::Number && y->integer == 0) {
      error("ein-r23", e.args[1]->range, fmt::format("'{}' by 0 has no value", op));
      return nullptr;
    }
    return makeOp(op == "div" ? ExprOp::IDiv : ExprOp::Mod, Kind::Int, {x, y}, e.range);
  }
  if (op == "/")
    return makeOp(ExprOp::Div, Kind::Float, {toFloat(x), toFloat(y)}, e.range);
  if (op == "^" && x->kind == Kind::Int && y->kind == Kind::Int) {
    if (!plainlyNonNegative(y)) {
      error("ein-r8", e.args[1]->range,
            "the exponent of an integer may be negative here: write a float base (2.0 ^ ..) or max(.., 0)");
      return nullptr;
    }
    return makeOp(ExprOp::Pow, Kind::Int, {x, y}, e.range);
  }
  if (!agree(x, y, e.range, fmt::format("'{}' joins", op)))
    return nullptr;
  ExprOp code = op == "+" ? ExprOp::Add : op == "-" ? ExprOp::Sub : op == "*" ? ExprOp::Mul : ExprOp::Pow;
  Kind kind = x->kind;
  return makeOp(code, kind, {x, y}, e.range);
}

/// `a < b <= c` is `a < b and b <= c`.
ExprRef Checker::compareExpr(const ast::Expr &e, const Env &env) {
  std::vector<ExprRef> members;
  for (const ast::ExprPtr &x : e.args)
    members.push_back(expr(*x, env));
  ExprRef result;
  for (size_t i = 0; i < e.ops.size(); ++i) {
    ExprRef x = members[i], y = members[i + 1];
    Range range{e.args[i]->range.begin, e.args[i + 1]->range.end, e.range.file};
    const std::string &op = e.ops[i];
    if (!agree(x, y, range, fmt::format("'{}' compares", op)))
      return nullptr;
    if (x->kind == Kind::Bool && op != "==" && op != "!=") {
      error("ein-r8", range, fmt::format("'{}' compares numbers; bools have no order", op));
      return nullptr;
    }
    ExprOp code = op == "<"    ? ExprOp::Lt
                  : op == "<=" ? ExprOp::Le
                  : op == ">"  ? ExprOp::Gt
                  : op == ">=" ? ExprOp::Ge
                  : op == "==" ? ExprOp::Eq
                               : ExprOp::Ne;
    ExprRef one = makeOp(code, Kind::Bool, {x, y}, range);
    result = i == 0 ? one : makeOp(ExprOp::And, Kind::Bool, {result, one}, e.range);
  }
  return result;
}

ExprRef Checker::ifExpr(const ast::Expr &e, const Env &env) {
  ExprRef condition = expr(*e.args[0], env), x = expr(*e.args[1], env), y = expr(*e.args[2], env);
  if (condition && condition->kind != Kind::Bool) {
    error("ein-r8", e.args[0]->range, fmt::format("'if' needs a bool, not {}", kindName(condition->kind)));
    return nullptr;
  }
  if (!condition || !agree(x, y, e.range, "the branches of 'if' are"))
    return nullptr;
  Kind kind = x->kind;
  return makeOp(ExprOp::If, kind, {condition, x, y}, e.range);
}

ExprRef Checker::castExpr(const ast::Expr &e, const Env &env) {
  std::optional<Type> type = parseType(e.name);
  ExprRef x = expr(*e.args[0], env);
  if (!type || !x)
    return nullptr;
  ein::Expr c{ExprOp::Cast, ein::kindOf(*type)};
  c.type = *type;
  c.args = {x};
  return node(std::move(c), e.range);
}

} // namespace einfall::frontend::sema
