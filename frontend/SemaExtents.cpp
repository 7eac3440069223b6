//===- SemaExtents.cpp - extents and splits (r7, r9) --------------------------===//
//
// Extents come from arguments, from `rank R = expr`, from splits and from the
// command line; all of them are known before any data is read. Which of these
// gives which is solved at the call; here it is only checked that a solution
// exists, by the same propagation with "known" in place of numbers.
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

namespace {
/// Calls `visit` for every node of a syntax tree.
template <typename F>
void visitTree(const ast::Expr &e, const F &visit);
template <typename F>
void visitSubscript(const ast::Subscript &s, const F &visit) {
  if (s.expr)
    visitTree(*s.expr, visit);
  for (const ast::Subscript &part : s.parts)
    visitSubscript(part, visit);
}
template <typename F>
void visitTree(const ast::Expr &e, const F &visit) {
  visit(e);
  for (const ast::ExprPtr &x : e.args)
    if (x)
      visitTree(*x, visit);
  for (const ast::Subscript &s : e.subscripts)
    visitSubscript(s, visit);
  if (e.filter)
    visitTree(*e.filter, visit);
  if (e.aux)
    visitTree(*e.aux, visit);
}

bool holdsExtent(const ExprRef &e) {
  bool found = false;
  ein::walk(e, [&](const ein::Expr &x) { found |= x.op == ExprOp::Extent; });
  return found;
}
} // namespace

void Checker::defineExtent(const ast::Name &rank, const ast::Expr &value, Range range) {
  RankId id = ranks.at(rank.text);
  if (extentSource[id].valid()) {
    error("ein-r5", rank.range, fmt::format("rank {} is defined twice", rank.text))
        .notes.push_back({extentSource[id], "the first definition"});
    return;
  }
  extentSource[id] = range;
  std::set<std::string> defined;
  for (const ast::Stmt &stmt : source.body)
    if (stmt.form == ast::Stmt::Form::Equation)
      defined.insert(stmt.name.text);
  const ast::Expr *data = nullptr, *reduction = nullptr;
  visitTree(value, [&](const ast::Expr &e) {
    if (e.form == ast::ExprForm::Name && !data && (tensors.count(e.name.text) || defined.count(e.name.text)))
      data = &e;
    if (e.form == ast::ExprForm::Reduce && !reduction)
      reduction = &e;
  });
  if (data) {
    error("ein-u1", data->range,
          fmt::format(
              "the extent of {} would depend on the data of '{}': extents are known before data is read; "
              "pass it as a scalar of type index, or take the largest extent and restrict with 'where'",
              rank.text, data->name.text));
    return;
  }
  if (reduction) {
    error("ein-r9", reduction->range,
          fmt::format("the extent of {} is made of extents, parameters and index scalars; a reduction cannot "
                      "stand here",
                      rank.text));
    return;
  }
  context = Context::Extent;
  ExprRef e = expr(value, {});
  context = Context::Equation;
  if (!e)
    return;
  if (e->kind != Kind::Int) {
    error("ein-r9", value.range,
          fmt::format("the extent of {} must be an integer, not {}", rank.text, kindName(e->kind)));
    return;
  }
  if (ExprRef folded = foldConstant(e)) {
    if (folded->integer < 0) {
      error("ein-r9", value.range,
            fmt::format("the extent of {} is {}; it cannot be negative", rank.text, folded->integer));
      return;
    }
    e = node(ein::Expr(*folded), value.range);
  }
  out.ranks[id].definition = e;
  out.ranks[id].isDefault = !holdsExtent(e);
}

void Checker::rankStatements() {
  for (const ast::Stmt &stmt : source.body)
    if (stmt.form == ast::Stmt::Form::Rank && stmt.value &&
        !(stmt.value->form == ast::ExprForm::Name && !stmt.value->bracketed &&
          !stmt.value->name.text.empty() && stmt.value->name.text[0] >= 'A' &&
          stmt.value->name.text[0] <= 'Z') &&
        ranks.count(stmt.name.text))
      defineExtent(stmt.name, *stmt.value, stmt.range);
}

void Checker::splitStatements() {
  for (const ast::Stmt &stmt : source.body) {
    if (stmt.form != ast::Stmt::Form::Split)
      continue;
    ein::Split split;
    split.whole = ranks.at(stmt.name.text);
    split.range = locate(stmt.range);
    bool bad = stmt.parts.size() < 2;
    failed |= bad;
    for (const ast::Part &part : stmt.parts) {
      RankId id = ranks.at(part.rank.text);
      if (id == split.whole) {
        error("ein-r7", part.rank.range, fmt::format("rank {} is split into itself", stmt.name.text));
        bad = true;
      } else if (std::count(split.parts.begin(), split.parts.end(), id)) {
        error("ein-r7", part.rank.range, fmt::format("rank {} is a part twice", part.rank.text));
        bad = true;
      }
      split.parts.push_back(id);
    }
    for (const ein::Split &other : out.splits)
      if (!bad && other.whole == split.whole && other.parts == split.parts) {
        error("ein-r5", stmt.range,
              fmt::format("rank {} is split twice into the same parts", stmt.name.text));
        bad = true;
      }
    for (const ast::Part &part : stmt.parts)
      if (part.extent)
        defineExtent(part.rank, *part.extent, part.rank.range);
    if (!bad)
      out.splits.push_back(split);
  }
}

/// `--rank E=64`.
void Checker::bindRanks() {
  for (const auto &[name, value] : bindings.ranks) {
    auto it = ranks.find(name);
    if (it == ranks.end())
      continue;
    unused.ranks.erase(name);
    ein::Rank &rank = out.ranks[it->second];
    if (value < 0) {
      failed = true;
      diagnostics.error("ein-r9", {}, fmt::format("--rank {}={}: an extent cannot be negative", name, value));
      continue;
    }
    if (rank.fixed && *rank.fixed != value) {
      failed = true;
      diagnostics.error("ein-r9", {},
                        fmt::format("--rank {}={}: the same rank is fixed to {} by another name", name, value,
                                    *rank.fixed));
      continue;
    }
    rank.fixed = value;
    if (rank.definition && rank.isDefault)
      rank.definition = integer(value, {});
  }
}

void Checker::checkExtents() {
  size_t count = out.ranks.size();
  rankPoisoned.assign(count, false);
  std::vector<bool> known(count), argument(count);
  for (const ein::Tensor &tensor : out.tensors)
    for (RankId rank : tensor.ranks) {
      argument[rank] = true;
      if (tensor.role == ein::Role::Input)
        known[rank] = true;
    }
  std::vector<std::vector<RankId>> needs(count);
  for (size_t r = 0; r < count; ++r) {
    ein::Rank &rank = out.ranks[r];
    // A literal that no argument can contradict is the extent.
    if (rank.definition && rank.definition->op == ExprOp::Number && !argument[r] && !rank.fixed)
      rank.fixed = rank.definition->integer;
    if (rank.fixed)
      known[r] = true;
    ein::walk(rank.definition, [&](const ein::Expr &e) {
      if (e.op == ExprOp::Extent)
        needs[r].push_back(e.id);
    });
  }
  auto propagate = [&] {
    for (bool changed = true; changed;) {
      changed = false;
      auto set = [&](RankId r) {
        changed |= !known[r];
        known[r] = true;
      };
      for (size_t r = 0; r < count; ++r)
        if (!known[r] && out.ranks[r].definition &&
            std::all_of(needs[r].begin(), needs[r].end(), [&](RankId n) { return known[n]; }))
          set(static_cast<RankId>(r));
      for (const ein::Split &split : out.splits) {
        RankId missing = -1;
        int unknown = 0;
        for (RankId part : split.parts)
          if (!known[part]) {
            missing = part;
            ++unknown;
          }
        if (unknown == 0)
          set(split.whole);
        else if (unknown == 1 && known[split.whole])
          set(missing);
      }
    }
  };
  propagate();
  // One error for each independent gap: assume the extent and go on.
  auto placeOf = [&](size_t r) -> Range {
    const std::string &name = out.ranks[r].name;
    auto same = [&](const ast::Name &n) {
      auto it = ranks.find(n.text);
      return it != ranks.end() && it->second == static_cast<RankId>(r);
    };
    for (const ast::Stmt &stmt : source.body) {
      if (stmt.form == ast::Stmt::Form::Rank && same(stmt.name))
        return stmt.name.range;
      if (stmt.form == ast::Stmt::Form::Split)
        for (const ast::Part &part : stmt.parts)
          if (same(part.rank))
            return part.rank.range;
    }
    for (const ast::Stmt &stmt : source.body)
      if (stmt.form == ast::Stmt::Form::Split && same(stmt.name))
        return stmt.name.range;
    for (const auto *decls : {&source.inputs, &source.outputs})
      for (const ast::Decl &decl : *decls)
        for (const ast::Dim &dim : decl.dims)
          if (dim.rank.text == name || same(dim.rank))
            return dim.rank.range;
    return source.name.range;
  };
  std::vector<bool> brokenDefinition(count);
  for (size_t r = 0; r < count; ++r)
    brokenDefinition[r] = extentSource[r].valid() && !out.ranks[r].definition;
  for (size_t r = 0; r < count; ++r)
    if (!known[r] && brokenDefinition[r]) {
      known[r] = true; // reported where it is defined
      propagate();
    }
  for (size_t r = 0; r < count; ++r) {
    if (known[r])
      continue;
    std::string why;
    if (out.ranks[r].definition)
      why = ": its definition is circular or uses a rank without one";
    else
      why = fmt::format(": no input has it, no split gives it; write 'rank {} = ..'", out.ranks[r].name);
    error("ein-r9", placeOf(r), fmt::format("rank {} has no extent{}", out.ranks[r].name, why));
    known[r] = true;
    rankPoisoned[r] = true;
    propagate();
  }
}

} // namespace einfall::frontend::sema
