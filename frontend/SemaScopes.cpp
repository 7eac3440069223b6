//===- SemaScopes.cpp - which variable a name means (r2, r3, r10, r11) ---------===//
//
// A first walk over an equation: every binder gets a `Variable`, every plain
// subscript is noted as a use of it. What remains - a plain subscript whose name
// is bound nowhere - is an *implicit* variable, later summed (r12). In `where`
// and `init` there are none: those may use left-side variables only.
//
//===----------------------------------------------------------------------===//
#include "frontend/Lexer.h"
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

using ast::ExprForm;

namespace {
const ast::Expr &withoutParens(const ast::Expr &e) {
  const ast::Expr *x = &e;
  while (x->form == ExprForm::Paren && x->args[0])
    x = x->args[0].get();
  return *x;
}
} // namespace

Variable *Checker::Scope::find(const std::string &name) const {
  for (const Scope *s = this; s; s = s->parent)
    if (auto it = s->names.find(name); it != s->names.end())
      return it->second;
  return nullptr;
}

bool Checker::isPlainName(const ast::Expr &e) {
  const ast::Expr &x = withoutParens(e);
  return x.form == ExprForm::Name && !x.bracketed;
}

bool Checker::isOtherName(const std::string &name) const {
  if (scalars.count(name) || params.count(name) || poisonedNames.count(name))
    return true;
  auto it = tensors.find(name);
  return it != tensors.end() && out.tensors[it->second].ranks.empty();
}

std::vector<std::string> Checker::visibleNames(const EquationState *state) const {
  std::vector<std::string> names;
  for (auto &[name, id] : tensors)
    names.push_back(name);
  for (auto &[name, id] : scalars)
    names.push_back(name);
  for (auto &[name, p] : params)
    names.push_back(name);
  if (state)
    for (const Variable &v : state->variables)
      names.push_back(v.name);
  return names;
}

void Checker::unknownName(const ast::Name &name, std::vector<std::string> candidates, std::string_view hint) {
  failed = true;
  if (!unknown.insert(name.text).second)
    return;
  Diagnostic &d = error("ein-r4", name.range, fmt::format("'{}' is not defined{}", name.text, hint));
  suggest(d, name.range, name.text, candidates);
}

/// r2: a variable may not bear the name of a scalar or parameter.
bool Checker::checkVariableName(EquationState &state, const ast::Name &name) {
  if (!isOtherName(name.text))
    return true;
  if (state.silent.insert(name.text).second && !poisonedNames.count(name.text)) {
    std::string_view what = scalars.count(name.text)  ? "a scalar"
                            : params.count(name.text) ? "a parameter"
                                                      : "a tensor without ranks";
    Diagnostic &d = error("ein-r2", name.range,
                          fmt::format("variable '{}' bears the name of {}; choose another", name.text, what));
    if (auto it = declaredAt.find(name.text); it != declaredAt.end())
      d.notes.push_back({it->second, fmt::format("'{}' is declared here", name.text)});
  }
  return false;
}

void Checker::scopes(EquationState &state) {
  if (state.tensor < 0)
    return;
  leftSide(state);
  Scope top;
  for (auto &[name, v] : state.leftByName)
    top.names[name] = v;
  if (state.stmt->value)
    scanExpr(state, *state.stmt->value, top, Part::Right);
  settleMentions(state);
  if (state.stmt->where)
    scanExpr(state, *state.stmt->where, top, Part::Where);
  if (state.stmt->init)
    scanExpr(state, *state.stmt->init, top, Part::Init);
}

void Checker::leftSide(EquationState &state) {
  const ast::Stmt &stmt = *state.stmt;
  const ein::Tensor &tensor = out.tensors[state.tensor];
  bool output = tensor.role == ein::Role::Output;
  if (output && stmt.left.size() != tensor.ranks.size()) {
    error("ein-r5", stmt.name.range,
          fmt::format("'{}' has {} rank{}, {} subscript{} here", tensor.name, tensor.ranks.size(),
                      tensor.ranks.size() == 1 ? "" : "s", stmt.left.size(),
                      stmt.left.size() == 1 ? "" : "s"))
        .notes.push_back({declaredAt.at(tensor.name), "declared here"});
    state.poisoned = true;
  }
  if (stmt.left.size() > Limits::ranks)
    state.poisoned = true;
  for (size_t i = 0; i < stmt.left.size(); ++i) {
    const ast::Left &left = stmt.left[i];
    TupleUse *tuple = nullptr;
    if (left.tuple) {
      tuple = &state.tuples.emplace_back();
      tuple->site = {state.tensor, nullptr, static_cast<int>(i)};
      tuple->range = left.range;
      tuple->defining = !output;
      tuple->poisoned = state.poisoned;
      state.leftTuples[&left] = tuple;
    }
    for (size_t k = 0; k < left.binds.size(); ++k) {
      const ast::Bind &bind = left.binds[k];
      bool good = checkVariableName(state, bind.var);
      auto it = state.leftByName.find(bind.var.text);
      if (it != state.leftByName.end()) {
        error("ein-r5", bind.var.range, fmt::format("'{}' stands twice on the left", bind.var.text))
            .notes.push_back({it->second->range, "the first time"});
        state.poisoned = true;
      }
      Variable &v = state.variables.emplace_back();
      v.origin = Variable::Origin::Left;
      v.name = bind.var.text;
      v.range = bind.var.range;
      v.poisoned = !good || state.poisoned;
      if (bind.in)
        v.in = &*bind.in;
      if (tuple)
        v.uses.push_back({{-1, tuple, static_cast<int>(k)}, bind.var.range});
      else if (output && !state.poisoned)
        v.uses.push_back({{state.tensor, nullptr, static_cast<int>(i)}, bind.var.range});
      if (tuple)
        tuple->entries.push_back(&v);
      state.left.push_back(&v);
      state.leftByName.insert({v.name, &v});
    }
  }
  // `v in u` on the left: u is another left variable.
  for (Variable *v : state.left)
    if (v->in && !v->in->text.empty() && v->in->text[0] >= 'a' && v->in->text[0] <= 'z') {
      auto it = state.leftByName.find(v->in->text);
      if (it == state.leftByName.end() || it->second == v) {
        unknownName(*v->in, visibleNames(&state), ": write a rank, or another variable of the left side");
        v->poisoned = true;
      } else {
        v->inVariable = it->second;
      }
    }
}

/// What a name means as a variable; null: it is none, or reported.
Variable *Checker::variableNamed(EquationState &state, const ast::Name &name, const Scope &scope, Part part,
                                 bool plain) {
  if (Variable *v = scope.find(name.text))
    return v;
  if (isOtherName(name.text) || state.silent.count(name.text))
    return nullptr;
  if (name.text.empty() || name.text[0] < 'a' || name.text[0] > 'z') {
    if (!tensors.count(name.text) && state.silent.insert(name.text).second) {
      if (ranks.count(name.text)) {
        Diagnostic &d =
            error("ein-r4", name.range,
                  fmt::format("'{}' is a rank: write '|{}|' for its extent", name.text, name.text));
        d.fixIt = FixIt{name.range, "|" + name.text + "|"};
      } else {
        unknownName(name, visibleNames(&state));
      }
    }
    return nullptr;
  }
  if (part != Part::Right) {
    if (!tensors.count(name.text) &&
        state.silent.insert((part == Part::Where ? "where " : "init ") + name.text).second)
      state.outside.push_back({&name, part == Part::Init});
    return nullptr;
  }
  if (auto it = state.implicit.find(name.text); it != state.implicit.end())
    return it->second;
  if (!plain) {
    state.mentions.push_back(&name);
    return nullptr;
  }
  if (tensors.count(name.text))
    return nullptr;
  Variable &v = state.variables.emplace_back();
  v.origin = Variable::Origin::Implicit;
  v.name = name.text;
  v.range = name.range;
  state.implicit[name.text] = &v;
  return &v;
}

/// r11, r21: a name in `where` or `init` that is not on the left.
void Checker::unknownInPart(EquationState &state, const ast::Name &name, bool init) {
  bool variable =
      state.implicit.count(name.text) || state.boundBy.count(name.text) || rankByCase(name.text) >= 0;
  if (!variable)
    unknownName(name, visibleNames(&state));
  else if (!init)
    refuseWhereVariable(state, name);
  else
    error("ein-r21", name.range,
          fmt::format("'{}' is not on the left: 'init' may use the other left variables only", name.text));
}

/// Silent if a variable of the left side is wrong: then that one may be meant.
void Checker::settleOutside(EquationState &state) {
  bool sound =
      std::none_of(state.left.begin(), state.left.end(), [](const Variable *v) { return v->poisoned; });
  for (auto [name, init] : state.outside) {
    failed = true;
    if (sound)
      unknownInPart(state, *name, init);
  }
}

/// With the fix-it that moves the condition into the bracket of the reduction.
void Checker::refuseWhereVariable(EquationState &state, const ast::Name &name) {
  const ast::Stmt &stmt = *state.stmt;
  auto bound = state.boundBy.find(name.text);
  std::string op = bound == state.boundBy.end() ? "sum" : bound->second.first;
  Diagnostic &d =
      error("ein-r11", name.range,
            fmt::format("'{}' is not on the left: write {}[{} where ..]", name.text, op, name.text));
  if (!stmt.value || stmt.where->range.file != 0 || stmt.value->range.end > stmt.where->range.begin)
    return;
  std::string_view text = diagnostics.sources[0]->text();
  auto piece = [&](uint32_t begin, uint32_t end) {
    return begin <= end && end <= text.size() ? std::string(text.substr(begin, end - begin)) : std::string();
  };
  std::string condition = piece(stmt.where->range.begin, stmt.where->range.end);
  uint32_t valueBegin = stmt.value->range.begin, valueEnd = stmt.value->range.end;
  Range whole{valueBegin, stmt.where->range.end, 0};
  if (bound == state.boundBy.end()) {
    d.fixIt =
        FixIt{whole, fmt::format("sum[{} where {}] {}", name.text, condition, piece(valueBegin, valueEnd))};
    return;
  }
  const ast::Expr &reduction = *bound->second.second;
  uint32_t cut = reduction.filter ? reduction.filter->range.end : reduction.binds.back().range.end;
  d.fixIt = FixIt{whole, piece(valueBegin, cut) + (reduction.filter ? " and " : " where ") + condition +
                             piece(cut, valueEnd)};
}

/// Names that were met before it was clear whether they are implicit variables.
void Checker::settleMentions(EquationState &state) {
  for (const ast::Name *name : state.mentions) {
    if (state.implicit.count(name->text) || tensors.count(name->text))
      continue;
    if (!state.silent.insert(name->text).second)
      continue;
    if (state.boundBy.count(name->text) || rankByCase(name->text) >= 0) {
      // r12 asks for a plain subscript; a rank of that name shows what was meant.
      Diagnostic &d =
          error("ein-r3", name->range,
                fmt::format("'{}' has no rank here; write it on the left, or reduce it: sum[{} in ..] ..",
                            name->text, name->text));
      if (auto it = state.boundBy.find(name->text); it != state.boundBy.end())
        d.notes.push_back({it->second.second->range, "the reduction over it ends here"});
    } else {
      unknownName(*name, visibleNames(&state));
    }
  }
}

void Checker::scanSubscript(EquationState &state, const ast::Subscript &s, Site site, const Scope &scope,
                            Part part) {
  using Form = ast::Subscript::Form;
  if (s.form == Form::Replace) {
    if (s.expr)
      scanExpr(state, *s.expr, scope, part);
    return;
  }
  if (s.form == Form::Tuple) {
    TupleUse &tuple = state.tuples.emplace_back();
    tuple.site = site;
    tuple.range = s.range;
    tuple.poisoned = site.tensor < 0 && !site.tuple;
    tuple.entries.assign(s.parts.size(), nullptr);
    state.tupleOf[&s] = &tuple;
    for (size_t i = 0; i < s.parts.size(); ++i) {
      const ast::Subscript &entry = s.parts[i];
      if (entry.form == Form::Plain && entry.expr && isPlainName(*entry.expr))
        tuple.entries[i] = variableNamed(state, withoutParens(*entry.expr).name, scope, part, true);
      scanSubscript(state, entry, {-1, &tuple, static_cast<int>(i)}, scope, part);
    }
    return;
  }
  if (!s.expr)
    return;
  if (isPlainName(*s.expr)) {
    const ast::Name &name = withoutParens(*s.expr).name;
    if (Variable *v = variableNamed(state, name, scope, part, true)) {
      if (site.tensor >= 0 || site.tuple)
        v->uses.push_back({site, name.range});
      else if (v->origin == Variable::Origin::Implicit)
        v->poisoned = true; // its tensor is unknown
    }
    return;
  }
  scanExpr(state, *s.expr, scope, part);
}

void Checker::scanExpr(EquationState &state, const ast::Expr &e, const Scope &scope, Part part) {
  switch (e.form) {
  case ExprForm::Name: {
    if (!e.bracketed) {
      if (!tensors.count(e.name.text) || scope.find(e.name.text))
        variableNamed(state, e.name, scope, part, false);
      return;
    }
    auto it = tensors.find(e.name.text);
    bool usable = it != tensors.end() && !tensorPoisoned[it->second] &&
                  out.tensors[it->second].ranks.size() == e.subscripts.size();
    for (size_t i = 0; i < e.subscripts.size(); ++i)
      scanSubscript(state, e.subscripts[i],
                    {usable ? it->second : TensorId(-1), nullptr, static_cast<int>(i)}, scope, part);
    return;
  }
  case ExprForm::Extent:
    if (!e.name.text.empty() && e.name.text[0] >= 'a' && e.name.text[0] <= 'z')
      variableNamed(state, e.name, scope, part, false);
    return;
  case ExprForm::Reduce:
    return scanReduce(state, e, scope, part);
  case ExprForm::Call:
    for (const ast::ExprPtr &x : e.args)
      if (x)
        scanExpr(state, *x, scope, part);
    for (const ast::Name &v : e.vars) {
      // A function may bind the variable itself; then it needs no plain
      // subscript, its letters tell the rank.
      if (!scope.find(v.text) && !state.implicit.count(v.text) && part == Part::Right &&
          !isOtherName(v.text) && rankByCase(v.text) >= 0)
        variableNamed(state, v, scope, part, true);
      else if (isOtherName(v.text))
        checkVariableName(state, v);
      else
        variableNamed(state, v, scope, part, false);
    }
    return;
  default:
    for (const ast::ExprPtr &x : e.args)
      if (x)
        scanExpr(state, *x, scope, part);
  }
}

void Checker::scanReduce(EquationState &state, const ast::Expr &e, const Scope &scope, Part part) {
  auto op = findReduceOp(e.name.text);
  bool keeps = op && ein::keepsVariables(*op);
  Scope inner{&scope, {}};
  for (const ast::Bind &bind : e.binds) {
    bool lowerIn = bind.in && !bind.in->text.empty() && bind.in->text[0] >= 'a' && bind.in->text[0] <= 'z';
    Variable *inVariable = nullptr;
    if (lowerIn) {
      inVariable = variableNamed(state, *bind.in, scope, part, false);
      if (!inVariable && isOtherName(bind.in->text) && state.silent.insert(bind.in->text).second)
        error("ein-r3", bind.in->range,
              fmt::format("'{}' is neither a rank nor a variable: '{}' cannot range over it", bind.in->text,
                          bind.var.text));
    }
    bool good = checkVariableName(state, bind.var);
    if (keeps) {
      // The variable is free outside; the operator binds it anew inside.
      Variable *v = good ? variableNamed(state, bind.var, scope, part, true) : nullptr;
      if (v && bind.in && !v->in && v->origin == Variable::Origin::Implicit) {
        v->in = &*bind.in;
        v->inVariable = inVariable;
      }
      if (v && inner.names.count(v->name))
        error("ein-r10", bind.var.range, fmt::format("'{}' stands twice in this bracket", v->name));
      if (v) {
        inner.names[v->name] = v;
        state.binders[&bind] = v;
      }
      continue;
    }
    Variable &v = state.variables.emplace_back();
    v.origin = Variable::Origin::Bound;
    v.name = bind.var.text;
    v.range = bind.var.range;
    v.poisoned = !good || (lowerIn && !inVariable);
    if (bind.in)
      v.in = &*bind.in;
    v.inVariable = inVariable;
    if (Variable *other = scope.find(v.name)) {
      bool left = other->origin == Variable::Origin::Left;
      error("ein-r10", bind.var.range,
            left ? fmt::format("'{}' is reduced here but stands on the left", v.name)
                 : fmt::format("'{}' is reduced here and in the reduction around it: choose another name",
                               v.name))
          .notes.push_back({other->range, left ? "on the left" : "the reduction around it"});
      v.poisoned = true;
    } else if (inner.names.count(v.name)) {
      error("ein-r10", bind.var.range, fmt::format("'{}' stands twice in this bracket", v.name));
      v.poisoned = true;
    }
    inner.names[v.name] = &v;
    state.binders[&bind] = &v;
    state.boundBy.insert({v.name, {e.name.text, &e}});
  }
  if (e.filter)
    scanExpr(state, *e.filter, inner, part);
  for (const ast::ExprPtr &x : e.args)
    if (x)
      scanExpr(state, *x, inner, part);
  if (e.aux)
    scanExpr(state, *e.aux, scope, part);
}

} // namespace einfall::frontend::sema
