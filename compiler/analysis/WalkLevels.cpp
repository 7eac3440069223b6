//===- WalkLevels.cpp - levels of Einsums along one walk -------------------------===//
#include "compiler/analysis/WalkLevels.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::analysis {
using namespace ein;

WalkLevels::WalkLevels(const EinsumGraph &graph, const PassOptions &options, int walk, RankId rank)
    : graph(graph), cascade(graph.cascade), options(options), walk(walk), rank(rank) {
  result.walk = walk;
  result.rank = rank;
  result.level.assign(graph.einsums.size(), 0);
  result.heavy.assign(graph.einsums.size(), false);
  pend.assign(graph.einsums.size(), false);
  origin.assign(graph.einsums.size(), {-1, Obstacle::None});
  for (size_t n = 0; n < graph.einsums.size(); ++n)
    result.heavy[n] = covers(graph.einsums[n]);
  for (size_t c = 0; c < graph.components.size(); ++c) {
    const auto &members = graph.components[c];
    // Inside a recurrence levels flow around the cycle without rising.
    size_t rounds = cascade.schedule[c].rank >= 0 ? members.size() + 1 : 1;
    for (bool changed = true; changed && rounds--;) {
      changed = false;
      for (int n : members)
        changed |= visit(n);
    }
  }
  for (size_t n = 0; n < graph.einsums.size(); ++n)
    if (result.heavy[n])
      result.passes = std::max(result.passes, result.level[n] + 1);
}

void WalkLevels::barriers(std::vector<Barrier> &out, std::set<std::string> &seen) const {
  for (int e = 0; e < int(graph.einsums.size()); ++e) {
    if (!result.heavy[e])
      continue;
    for (const Access &a : graph.einsums[e].reads) {
      if (a.einsum < 0 || isCut(e, a))
        continue;
      auto [from, kind] = blame(e, a);
      if (kind == Obstacle::None || result.level[a.einsum] + 1 != result.level[e])
        continue;
      Barrier b = describe(from, kind, e);
      // What blocks a rank blocks its parts; said once, of the whole.
      bool said = false;
      for (RankId r : graph.ancestors(rank))
        said |= seen.count(cascade.ranks[r].name + "\n" + b.from + "\n" + b.to) > 0;
      if (!said) {
        seen.insert(b.rank + "\n" + b.from + "\n" + b.to);
        out.push_back(std::move(b));
      }
    }
  }
}

int WalkLevels::chain(const std::vector<bool> &reads) const {
  // Of chains that reach an Einsum: `open`, nothing stands between the last
  // reader and here; `crossed`, a barrier does, with only light Einsums since;
  // `closed`, the last reader belongs to an earlier pass.
  struct Chain {
    int open = 0, crossed = 0, closed = 0;
    bool operator==(const Chain &) const = default;
  };
  std::vector<Chain> at(graph.einsums.size());
  int longest = 0;
  auto step = [&](int e) {
    Chain c;
    for (const Access &a : graph.einsums[e].reads) {
      if (a.einsum < 0 || a.einsum == e || isCut(e, a))
        continue;
      Chain d = at[a.einsum];
      bool free = (sameCycle(e, a.einsum) && stepsAlong(e)) || isAnchored(e, a);
      if (barrier(e, a) != Obstacle::None) {
        d.crossed = std::max(d.crossed, d.open);
        d.open = 0;
      }
      if (result.heavy[e] && !free) {
        d.closed = std::max(d.closed, d.crossed);
        d.crossed = 0;
      }
      c.open = std::max(c.open, d.open);
      c.crossed = std::max(c.crossed, d.crossed);
      c.closed = std::max(c.closed, d.closed);
    }
    if (reads[e])
      c.open = std::max(c.open, c.closed + 1);
    longest = std::max(longest, c.open);
    bool changed = !(c == at[e]);
    at[e] = c;
    return changed;
  };
  for (size_t k = 0; k < graph.components.size(); ++k) {
    const auto &members = graph.components[k];
    size_t rounds = cascade.schedule[k].rank >= 0 ? members.size() + 1 : 1;
    for (bool changed = true; changed && rounds--;) {
      changed = false;
      for (int n : members)
        changed |= step(n);
    }
  }
  return longest;
}

bool WalkLevels::isAnchored(int e, const Access &a) const {
  return options.anchored && options.anchored(nameOf(a.einsum, -1), nameOf(e, -1), cascade.ranks[rank].name);
}

bool WalkLevels::covers(const Einsum &e) const {
  // Grown from the variables: a rank covers its parts, all parts cover the whole.
  std::vector<bool> covered(cascade.ranks.size());
  auto cover = [&](RankId whole) {
    for (RankId r = 0; r < int(covered.size()); ++r)
      if (graph.isWithin(r, whole))
        covered[r] = true;
  };
  for (VarId v : e.space)
    if (onWalk(v))
      cover(cascade.rankOf(v));
  for (bool grown = !covered.empty(); grown;) {
    grown = false;
    for (const Split &s : cascade.splits)
      if (!covered[s.whole] &&
          std::all_of(s.parts.begin(), s.parts.end(), [&](RankId part) { return covered[part]; })) {
        cover(s.whole);
        grown = true;
      }
  }
  return covered[rank];
}

bool WalkLevels::outermost(VarId v) const {
  if (!onWalk(v))
    return false;
  RankId r = cascade.rankOf(v);
  std::vector<RankId> first{rank};
  for (size_t i = 0; i < first.size(); ++i) {
    if (graph.isWithin(first[i], r))
      return true;
    for (const Split &s : cascade.splits)
      if (s.whole == first[i] && std::find(first.begin(), first.end(), s.parts[0]) == first.end())
        first.push_back(s.parts[0]);
  }
  return false;
}

bool WalkLevels::sameCycle(int e, int d) const {
  return graph.componentOf[e] == graph.componentOf[d] && component(e).rank >= 0;
}

VarId WalkLevels::stepVariable(int e, RankId r) const {
  for (VarId v : cascade.equations[graph.einsums[e].equation].vars)
    if (graph.isWithin(cascade.rankOf(v), r))
      return v;
  return -1;
}

bool WalkLevels::stepsAlong(int e) const {
  for (RankId r : {component(e).rank, component(e).inner})
    if (r >= 0)
      if (VarId v = stepVariable(e, r); v >= 0 && onWalk(v) && graph.overlap(cascade.rankOf(v), rank))
        return true;
  return false;
}

bool WalkLevels::isCut(int e, const Access &a) const {
  if (!sameCycle(e, a.einsum) || graph.einsums[a.einsum].nested || stepsAlong(e))
    return false;
  const Einsum &d = graph.einsums[a.einsum];
  for (RankId r : {component(e).rank, component(e).inner}) {
    if (r < 0)
      continue;
    VarId own = stepVariable(e, r);
    for (size_t p = 0; p < d.ranks.size() && p < a.subscripts.size(); ++p) {
      if (!graph.isWithin(r, d.ranks[p]))
        continue;
      const ExprRef &s = a.subscripts[p];
      bool plain = s->op == ExprOp::Coord && s->id == own;
      if (s->op == ExprOp::Tuple)
        for (const ExprRef &part : s->args)
          plain |= part->op == ExprOp::Coord && part->id == own;
      if (!plain)
        return true;
    }
  }
  return false;
}

Obstacle WalkLevels::barrier(int e, const Access &a) const {
  const Einsum &d = graph.einsums[a.einsum];
  if (sameCycle(e, a.einsum) && stepsAlong(e))
    return Obstacle::None;
  if (isAnchored(e, a))
    return Obstacle::None;
  for (VarId v : d.removed)
    if (outermost(v))
      return Obstacle::Reduction;
  for (VarId v : d.selected)
    if (outermost(v))
      return Obstacle::Selection;
  // The last step of a recurrence or scan.
  bool runs = std::any_of(d.scanned.begin(), d.scanned.end(), [&](VarId v) { return outermost(v); }) ||
              (component(a.einsum).rank >= 0 && stepsAlong(a.einsum) && !sameCycle(e, a.einsum));
  if (runs)
    for (size_t p = 0; p < d.left.size() && p < a.subscripts.size(); ++p) {
      bool along = std::any_of(d.left[p].begin(), d.left[p].end(), [&](VarId v) { return outermost(v); });
      auto vars = freeVariables(a.subscripts[p]);
      bool fixed = std::none_of(vars.begin(), vars.end(),
                                [&](VarId v) { return onWalk(v) || graph.overlap(cascade.rankOf(v), rank); });
      if (along && fixed)
        return Obstacle::LastStep;
    }
  return Obstacle::None;
}

std::pair<int, Obstacle> WalkLevels::blame(int e, const Access &a) const {
  if (Obstacle o = barrier(e, a); o != Obstacle::None)
    return {a.einsum, o};
  if (pend[a.einsum] && !(sameCycle(e, a.einsum) && stepsAlong(e)) && !isAnchored(e, a))
    return origin[a.einsum];
  return {-1, Obstacle::None};
}

bool WalkLevels::visit(int e) {
  int level = 0;
  std::pair<int, Obstacle> first{-1, Obstacle::None};
  for (const Access &a : graph.einsums[e].reads) {
    if (a.einsum < 0 || a.einsum == e || isCut(e, a))
      continue;
    auto because = blame(e, a);
    int h = result.level[a.einsum] + (result.heavy[e] && because.second != Obstacle::None);
    if (h > level)
      first = because;
    else if (h == level && first.second == Obstacle::None)
      first = because;
    level = std::max(level, h);
  }
  bool waits = !result.heavy[e] && first.second != Obstacle::None;
  bool changed = level != result.level[e] || waits != pend[e];
  result.level[e] = level;
  pend[e] = waits;
  origin[e] = first;
  return changed;
}

std::string WalkLevels::nameOf(int n, int towards) const {
  const Einsum &e = graph.einsums[n];
  if (e.nested && (towards < 0 || graph.einsums[towards].equation != e.equation))
    return graph.einsums[graph.ofEquation[e.equation]].name;
  return e.name;
}

Barrier WalkLevels::describe(int from, Obstacle kind, int to) const {
  const Einsum &d = graph.einsums[from];
  Barrier b;
  b.rank = cascade.ranks[rank].name;
  b.from = nameOf(from, to);
  b.to = graph.einsums[to].nested && graph.einsums[to].equation == d.equation ? graph.einsums[to].name
                                                                              : nameOf(to, -1);
  const SourceRange &at = graph.einsums[to].range;
  b.at = fmt::format("{}:{}", at.line, at.column);
  switch (kind) {
  case Obstacle::Reduction:
    b.why = fmt::format("'{}' needs '{}', a {} over all of {}", b.to, b.from, name(d.op), b.rank);
    break;
  case Obstacle::Selection:
    b.why = fmt::format("'{}' needs '{}', a selection ({}) that looks at all of {}", b.to, b.from, name(d.op),
                        b.rank);
    break;
  default:
    b.why = fmt::format("'{}' reads '{}' at a fixed place along {}, known only after the steps before it",
                        b.to, b.from, b.rank);
  }
  return b;
}

} // namespace einfall::analysis
