//===- Passes.cpp - levels of Einsums along a walk -----------------------------------===//
#include "compiler/analysis/Passes.h"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace einfall::analysis {
using namespace ein;
namespace {

enum class Obstacle { None, Reduction, Selection, LastStep };

/// The analysis of one walk over one rank.
class WalkLevels {
public:
  WalkLevels(const EinsumGraph &graph, const PassOptions &options, int walk, RankId rank)
      : graph(graph), cascade(graph.cascade), options(options), walk(walk), rank(rank) {
    result.walk = walk;
    result.rank = rank;
    result.level.assign(graph.einsums.size(), 0);
    result.heavy.assign(graph.einsums.size(), false);
    pend.assign(graph.einsums.size(), false);
    origin.assign(graph.einsums.size(), {-1, Obstacle::None});
    for (size_t n = 0; n < graph.einsums.size(); ++n)
      result.heavy[n] = covers(graph.einsums[n], rank, 0);
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

  Levels result;

  void barriers(std::vector<Barrier> &out, std::set<std::string> &seen) const {
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

  /// The most traversals that are forced on something read by the Einsums
  /// `reads`: the longest chain of readers with a barrier between each two.
  int chain(const std::vector<bool> &reads) const {
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

private:
  bool onWalk(VarId v) const { return graph.walkOf[v] == walk; }

  bool isAnchored(int e, const Access &a) const {
    return options.anchored &&
           options.anchored(nameOf(a.einsum, -1), nameOf(e, -1), cascade.ranks[rank].name);
  }

  /// Variables of the walk cover all of `r`.
  bool covers(const Einsum &e, RankId r, int depth) const {
    for (VarId v : e.space)
      if (onWalk(v) && graph.isWithin(r, cascade.rankOf(v)))
        return true;
    if (depth > 16)
      return false;
    for (const Split &s : cascade.splits)
      if (s.whole == r && std::all_of(s.parts.begin(), s.parts.end(),
                                      [&](RankId part) { return covers(e, part, depth + 1); }))
        return true;
    return false;
  }

  /// `v` walks `rank` as a whole or the outermost part of a split of it.
  bool outermost(VarId v) const {
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

  const Component &component(int e) const { return cascade.schedule[graph.componentOf[e]]; }
  bool sameCycle(int e, int d) const {
    return graph.componentOf[e] == graph.componentOf[d] && component(e).rank >= 0;
  }

  /// The variable with which the equation of `e` steps along `r`, or -1.
  VarId stepVariable(int e, RankId r) const {
    for (VarId v : cascade.equations[graph.einsums[e].equation].vars)
      if (graph.isWithin(cascade.rankOf(v), r))
        return v;
    return -1;
  }

  /// Is the recurrence of `e` one along this walk and rank?
  bool stepsAlong(int e) const {
    for (RankId r : {component(e).rank, component(e).inner})
      if (r >= 0)
        if (VarId v = stepVariable(e, r); v >= 0 && onWalk(v) && graph.overlap(cascade.rankOf(v), rank))
          return true;
    return false;
  }

  /// A read of another step of a recurrence that does not run along this walk:
  /// other fibers, not another traversal of these.
  bool isCut(int e, const Access &a) const {
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

  Obstacle barrier(int e, const Access &a) const {
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
        bool fixed = std::none_of(vars.begin(), vars.end(), [&](VarId v) {
          return onWalk(v) || graph.overlap(cascade.rankOf(v), rank);
        });
        if (along && fixed)
          return Obstacle::LastStep;
      }
    return Obstacle::None;
  }

  /// What stands between a producer and `e`: the edge itself, or what a light
  /// producer hands on.
  std::pair<int, Obstacle> blame(int e, const Access &a) const {
    if (Obstacle o = barrier(e, a); o != Obstacle::None)
      return {a.einsum, o};
    if (pend[a.einsum] && !(sameCycle(e, a.einsum) && stepsAlong(e)) && !isAnchored(e, a))
      return origin[a.einsum];
    return {-1, Obstacle::None};
  }

  bool visit(int e) {
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

  /// A nested reduction goes by the name of its equation, except towards it.
  std::string nameOf(int n, int towards) const {
    const Einsum &e = graph.einsums[n];
    if (e.nested && (towards < 0 || graph.einsums[towards].equation != e.equation))
      return graph.einsums[graph.ofEquation[e.equation]].name;
    return e.name;
  }

  Barrier describe(int from, Obstacle kind, int to) const {
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
      b.why = fmt::format("'{}' needs '{}', a selection ({}) that looks at all of {}", b.to, b.from,
                          name(d.op), b.rank);
      break;
    default:
      b.why = fmt::format("'{}' reads '{}' at a fixed place along {}, known only after the steps before it",
                          b.to, b.from, b.rank);
    }
    return b;
  }

  const EinsumGraph &graph;
  const Cascade &cascade;
  const PassOptions &options;
  const int walk;
  const RankId rank;
  std::vector<bool> pend;
  std::vector<std::pair<int, Obstacle>> origin; ///< of a light Einsum's wait
};

std::vector<RankId> wholesFirst(const EinsumGraph &graph, const std::set<RankId> &ranks) {
  std::vector<RankId> out;
  for (size_t depth = 1; out.size() < ranks.size(); ++depth)
    for (RankId r : ranks)
      if (graph.ancestors(r).size() == depth)
        out.push_back(r);
  return out;
}

/// The inputs that each Einsum reads, directly or behind an elementwise one.
class InputReads {
public:
  explicit InputReads(const EinsumGraph &graph) : graph(graph), reads(graph.einsums.size()) {
    // An elementwise equation of inputs alone shows them in another dress:
    // reading F = sigmoid(K) is reading K, and F itself reads nothing.
    std::vector<bool> dress(graph.einsums.size());
    for (const auto &members : graph.components)
      for (int n : members) {
        const Einsum &e = graph.einsums[n];
        dress[n] = !e.reduces && graph.cascade.schedule[graph.componentOf[n]].rank < 0;
        for (const Access &a : e.reads) {
          if (a.einsum < 0)
            reads[n].insert(&a);
          else if (dress[a.einsum])
            reads[n].insert(reads[a.einsum].begin(), reads[a.einsum].end());
          else
            dress[n] = false;
        }
        dress[n] = dress[n] && !reads[n].empty();
      }
    for (size_t n = 0; n < graph.einsums.size(); ++n)
      if (dress[n] && graph.cascade.tensors[graph.cascade.equations[graph.einsums[n].equation].tensor].role ==
                          Role::Intermediate)
        reads[n].clear();
  }

  /// Adds what one walk over one rank forces on the inputs that it reads.
  void count(const WalkLevels &levels, PassCounts &counts) const {
    const Cascade &cascade = graph.cascade;
    std::map<TensorId, std::vector<bool>> readers;
    for (size_t n = 0; n < graph.einsums.size(); ++n)
      if (levels.result.heavy[n])
        for (const Access *in : reads[n])
          for (const ExprRef &s : in->subscripts)
            for (VarId v : freeVariables(s))
              if (graph.walkOf[v] == levels.result.walk &&
                  graph.overlap(cascade.rankOf(v), levels.result.rank)) {
                auto &list = readers[in->tensor];
                list.resize(graph.einsums.size());
                list[n] = true;
              }
    for (auto &[tensor, list] : readers) {
      int &count = counts.inputs[cascade.tensors[tensor].name][cascade.ranks[levels.result.rank].name];
      count = std::max(count, levels.chain(list));
    }
  }

private:
  const EinsumGraph &graph;
  std::vector<std::set<const Access *>> reads;
};

} // namespace

PassAnalysis passes(const EinsumGraph &graph, const PassOptions &options) {
  const Cascade &cascade = graph.cascade;
  PassAnalysis out;
  std::vector<std::set<RankId>> targets(graph.walkCount);
  for (size_t v = 0; v < cascade.variables.size(); ++v)
    if (graph.walkOf[v] >= 0)
      for (RankId r : graph.ancestors(cascade.rankOf(VarId(v))))
        targets[graph.walkOf[v]].insert(r);
  for (const Tensor &t : cascade.tensors)
    for (RankId r : t.ranks) {
      out.counts.ranks[cascade.ranks[r].name] = 1;
      if (t.role == Role::Input)
        out.counts.inputs[t.name][cascade.ranks[r].name] = 1;
    }
  InputReads inputs(graph);
  std::set<std::string> seen;
  for (int w = 0; w < graph.walkCount; ++w)
    // Whole ranks before their parts.
    for (RankId r : wholesFirst(graph, targets[w])) {
      WalkLevels levels(graph, options, w, r);
      int &count = out.counts.ranks.emplace(cascade.ranks[r].name, 1).first->second;
      count = std::max(count, levels.result.passes);
      // `rank M = P`: one rank, found by either name.
      for (const std::string &alias : cascade.ranks[r].aliases)
        out.counts.ranks[alias] = count;
      levels.barriers(out.barriers, seen);
      inputs.count(levels, out.counts);
      out.levels.push_back(std::move(levels.result));
    }
  // In order of the text; the pairs are few.
  auto before = [](const Barrier &a, const Barrier &b) {
    return std::atoi(a.at.c_str()) < std::atoi(b.at.c_str());
  };
  for (size_t i = 1; i < out.barriers.size(); ++i)
    for (size_t j = i; j > 0 && before(out.barriers[j], out.barriers[j - 1]); --j)
      std::swap(out.barriers[j], out.barriers[j - 1]);
  return out;
}

PassAnalysis passes(const Cascade &cascade, const PassOptions &options) {
  return passes(EinsumGraph(cascade), options);
}

} // namespace einfall::analysis
