//===- Sema.cpp - errors, nodes and substitution ------------------------------===//
//
// Every expression node of a cascade is made by `Checker::node`, which keeps its
// size as a tree, its depth and its free variables. Nodes are shared, so an
// expansion that doubles at every call is small in memory; but all later stages
// walk trees, so its size is what the limit is on.
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

namespace {
/// Nodes on the longest path of an expanded expression.
constexpr int maxDepth = 2000;

std::vector<VarId> merged(const std::vector<VarId> &a, const std::vector<VarId> &b) {
  if (b.empty())
    return a;
  std::vector<VarId> result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}
} // namespace

std::string_view kindName(Kind kind) {
  return kind == Kind::Float ? "a float" : kind == Kind::Int ? "an integer" : "a bool";
}

Checker::Checker(const ast::Cascade &source, const FunctionTable &functions, Diagnostics &diagnostics,
                 const Bindings &bindings, Bindings &unused)
    : source(source), functions(functions), diagnostics(diagnostics), bindings(bindings), unused(unused) {
  out.name = source.name.text;
  out.file = diagnostics.sources[0]->name();
}

std::optional<ein::Cascade> Checker::run() {
  declareAliases();
  header();
  declareParams();
  splitStatements();
  rankStatements();
  bindRanks();
  headerConstants();
  checkExtents();
  declareEquations();
  for (EquationState &equation : equations)
    scopes(equation);
  inferRanks();
  for (EquationState &equation : equations)
    settleOutside(equation);
  inferKinds();
  buildEquations();
  if (failed)
    return std::nullopt;
  schedule();
  if (failed)
    return std::nullopt;
  ein::inferExistence(out);
  return std::move(out);
}

/// Inside a function the same mistake would be reported at every call; inside
/// the prelude its place says nothing to the user, the call does.
Diagnostic &Checker::error(std::string rule, Range range, std::string message) {
  failed = true;
  bool inPrelude = range.file != 0 && !callStack.empty();
  Range place = inPrelude ? callStack.front()->range : range;
  if (inPrelude)
    message = fmt::format("in '{}': {}", callStack.front()->name.text, message);
  if (!seen.insert({{place.file, place.begin}, message}).second) {
    scratch = {};
    return scratch;
  }
  Diagnostic &d = diagnostics.error(std::move(rule), place, std::move(message));
  if (inPrelude)
    d.notes.push_back({range, "from this part of the prelude"});
  else if (!callStack.empty())
    d.notes.push_back(
        {callStack.back()->range, fmt::format("'{}' is called here", callStack.back()->name.text)});
  return d;
}

void Checker::suggest(Diagnostic &d, Range range, std::string_view name,
                      const std::vector<std::string> &candidates) {
  std::string best = nearest(name, candidates);
  if (best.empty() || best == name)
    return;
  d.message += fmt::format("; did you mean '{}'?", best);
  d.fixIt = FixIt{range, best};
}

ein::SourceRange Checker::locate(Range range) const {
  if (range.file != 0 && !callStack.empty())
    range = callStack.front()->range;
  if (!range.valid() || range.file >= diagnostics.sources.size())
    return {};
  const Source &text = *diagnostics.sources[range.file];
  auto begin = text.position(range.begin), end = text.position(range.end);
  return {begin.line, begin.column, end.line, end.column};
}

ExprRef Checker::node(ein::Expr e, Range range) {
  Facts f{1, 1, {}};
  auto add = [&](const ExprRef &x) {
    if (!x)
      return;
    const Facts &g = factsOf(x);
    f.size = std::min(f.size + g.size, Limits::expandedNodes + 1);
    f.depth = std::max(f.depth, g.depth + 1);
    f.free = merged(f.free, g.free);
  };
  for (const ExprRef &x : e.args)
    add(x);
  add(e.filter);
  if (e.op == ExprOp::Reduce)
    for (VarId v : e.vars)
      f.free.erase(std::remove(f.free.begin(), f.free.end(), v), f.free.end());
  for (const ExprRef &x : e.at)
    add(x);
  add(e.aux);
  if (e.op == ExprOp::Coord)
    f.free = {e.id};
  if (++created > 4 * Limits::expandedNodes || f.size > Limits::expandedNodes || f.depth > maxDepth) {
    if (!exhausted) {
      Range place = callStack.empty() ? range : callStack.front()->range;
      callStack.clear();
      error("ein-r22", place,
            f.depth > maxDepth
                ? fmt::format("the expression nests more than {} deep after expansion; name a part in an "
                              "equation of its own",
                              maxDepth)
                : fmt::format("the expression has more than {} operations after expansion; name a part in "
                              "an equation of its own",
                              Limits::expandedNodes));
    }
    exhausted = true;
    return nullptr;
  }
  if (!e.range.line)
    e.range = locate(range);
  auto result = std::make_shared<const ein::Expr>(std::move(e));
  facts[result.get()] = std::move(f);
  alive.push_back(result);
  return result;
}

bool Checker::isFree(const ExprRef &e, VarId v) {
  if (!e)
    return false;
  const auto &free = factsOf(e).free;
  return std::binary_search(free.begin(), free.end(), v);
}

/// Replaces free coordinates. A reduction that is copied binds fresh variables:
/// the replacement may hold the very reduction it is put into.
ExprRef Checker::instantiate(const ExprRef &e, const std::map<VarId, ExprRef> &with) {
  std::unordered_map<const ein::Expr *, ExprRef> done;
  return instantiateIn(e, with, done);
}

ExprRef Checker::instantiateIn(const ExprRef &e, const std::map<VarId, ExprRef> &with,
                               std::unordered_map<const ein::Expr *, ExprRef> &done) {
  if (!e || exhausted)
    return nullptr;
  const auto &free = factsOf(e).free;
  if (std::none_of(free.begin(), free.end(), [&](VarId v) { return with.count(v) != 0; }))
    return e;
  if (e->op == ExprOp::Coord)
    return with.at(e->id);
  if (auto it = done.find(e.get()); it != done.end())
    return it->second;
  ein::Expr copy = *e;
  bool bad = false;
  auto into = [&](ExprRef &x, const std::map<VarId, ExprRef> &map,
                  std::unordered_map<const ein::Expr *, ExprRef> &memo) {
    if (!x)
      return;
    x = instantiateIn(x, map, memo);
    bad |= !x;
  };
  if (e->op == ExprOp::Reduce) {
    std::map<VarId, ExprRef> inner = with;
    for (VarId &v : copy.vars) {
      VarId fresh = out.addVariable(out.variables[v].name, out.variables[v].rank);
      ein::Expr coordinate{ExprOp::Coord, Kind::Int};
      coordinate.id = fresh;
      inner[v] = node(std::move(coordinate), {});
      v = fresh;
      bad |= !inner.rbegin()->second;
    }
    std::unordered_map<const ein::Expr *, ExprRef> memo;
    for (ExprRef &x : copy.args)
      into(x, inner, memo);
    into(copy.filter, inner, memo);
    for (ExprRef &x : copy.at)
      into(x, with, done);
    into(copy.aux, with, done);
  } else {
    for (ExprRef &x : copy.args)
      into(x, with, done);
  }
  ExprRef result = bad ? nullptr : node(std::move(copy), {});
  done[e.get()] = result;
  return result;
}

} // namespace einfall::frontend::sema
