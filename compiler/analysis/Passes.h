//===- Passes.h - how often data must be traversed, for any mapping ------------------===//
//
// A *pass* over a rank is one traversal of its fibers. Two Einsums that walk the
// same fibers must do so in different passes when every element has to be visited
// by the first before any can be visited by the second, however the work is
// ordered. For a walk over rank R (EinsumGraph.h) an Einsum is
//
//   heavy      if its iteration space covers R, by R or by all parts of a split
//   light      otherwise: it walks fibers much shorter than R, or none
//
// and the edge from producer d to consumer e is a *barrier* if d reduces the
// outermost part of R away, or selects along it (top, place), or if e reads the
// last coordinate of a recurrence or scan along it. Reading another step inside
// the recurrence is none. Levels follow:
//
//   h(e)    = max over d of  h(d) + [e heavy and (barrier(d,e) or pend(d))]
//   pend(e) = e light and a maximal edge into it is barrier or pend
//   passes  = 1 + max h over heavy e
//
// Light Einsums cost no pass, they hand a barrier on. Example, stable softmax:
// S, X: h = 0; N (reads X, which reduced m): 1, D: 1; A (reads D): 2, O: 2.
// Three passes over M. The same is done for every part of a split: passes over C
// of (N, C) say what must be held within a block.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/EinsumGraph.h"
#include "compiler/analysis/Explanation.h"
#include <functional>

namespace einfall::analysis {

struct PassOptions {
  /// Is the read of tensor `from` by tensor `to` anchored along the rank, that
  /// is, may `to` use a running value of `from` (corrected later)? Then it is no
  /// barrier. Null: as written.
  std::function<bool(const std::string &from, const std::string &to, const std::string &rank)> anchored;
};

/// Levels of all Einsums for one walk and one rank that it covers.
struct Levels {
  int walk;
  ein::RankId rank;
  std::vector<int> level; ///< one for each Einsum of the graph
  std::vector<bool> heavy;
  int passes = 0; ///< 0: no Einsum is heavy
};

struct PassAnalysis {
  PassCounts counts;
  std::vector<Barrier> barriers; ///< those that raise a level, in order of the text
  std::vector<Levels> levels;
};

/// Counts passes for every rank (and part of a split) and for every input: the
/// longest chain of heavy Einsums that read it (directly, or an elementwise
/// equation of inputs alone) with a barrier between each two. Keys that are
/// scored once to select blocks and once to attend: 2; the values: 1.
PassAnalysis passes(const EinsumGraph &graph, const PassOptions &options = {});
PassAnalysis passes(const ein::Cascade &cascade, const PassOptions &options = {});

} // namespace einfall::analysis
