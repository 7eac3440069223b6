//===- WalkLevels.h - levels of Einsums along one walk over one rank ------------------===//
//
// The equations of Passes.h for one walk (the keys' walk over M) and one rank
// that it covers (M, or a part of a split of it).
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/Passes.h"
#include <set>
#include <utility>

namespace einfall::analysis {

/// Why a producer must have gone over a whole rank before its consumer starts.
enum class Obstacle { None, Reduction, Selection, LastStep };

class WalkLevels {
public:
  WalkLevels(const EinsumGraph &graph, const PassOptions &options, int walk, ein::RankId rank);

  Levels result;

  /// Appends the barriers that raise a level; `seen` holds those said already,
  /// also of the ranks that this one is a part of.
  void barriers(std::vector<Barrier> &out, std::set<std::string> &seen) const;

  /// The most traversals that are forced on something read by the Einsums
  /// `reads`: the longest chain of readers with a barrier between each two.
  int chain(const std::vector<bool> &reads) const;

private:
  bool onWalk(ein::VarId v) const { return graph.walkOf[v] == walk; }
  bool isAnchored(int e, const Access &a) const;
  /// Variables of the walk cover all of `rank`: the Einsum is heavy.
  bool covers(const Einsum &e) const;
  /// `v` walks `rank` as a whole or the outermost part of a split of it.
  bool outermost(ein::VarId v) const;
  const ein::Component &component(int e) const { return cascade.schedule[graph.componentOf[e]]; }
  bool sameCycle(int e, int d) const;
  /// The variable with which the equation of `e` steps along `r`, or -1.
  ein::VarId stepVariable(int e, ein::RankId r) const;
  /// Is the recurrence of `e` one along this walk and rank?
  bool stepsAlong(int e) const;
  /// A read of another step of a recurrence that does not run along this walk:
  /// other fibers, not another traversal of these.
  bool isCut(int e, const Access &a) const;
  Obstacle barrier(int e, const Access &a) const;
  /// What stands between a producer and `e`: the edge itself, or what a light
  /// producer hands on.
  std::pair<int, Obstacle> blame(int e, const Access &a) const;
  /// Recomputes level and pend of `e`; true if they changed.
  bool visit(int e);
  /// A nested reduction goes by the name of its equation, except towards it.
  std::string nameOf(int n, int towards) const;
  Barrier describe(int from, Obstacle kind, int to) const;

  const EinsumGraph &graph;
  const ein::Cascade &cascade;
  const PassOptions &options;
  const int walk;
  const ein::RankId rank;
  std::vector<bool> pend;
  std::vector<std::pair<int, Obstacle>> origin; ///< of a light Einsum's wait
};

} // namespace einfall::analysis
