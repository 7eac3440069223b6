//===- EinsumGraph.h - a cascade as Einsums, and which variables walk together -----===//
//
// Passes are counted on Einsums. An equation is one Einsum, except that every
// reduction nested in it is one of its own, with the variables it mentions:
//
//   A[p,m] = exp(S[p,m]) / sum[m] exp(S[p,m])
//   is    R[p] = sum[m] exp(S[p,m])   and   A[p,m] = exp(S[p,m]) / R[p]
//
// A *walk* is a class of variables that traverse the same fibers: the variable m
// of one equation and the m of another that reads the same tensor at the same
// rank; the n and c of a tuple (n,c) too. Two variables of one Einsum that both
// range over one rank are different walks: in self-attention S[t,u] the queries'
// walk over T and the keys' walk over T.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include <string>
#include <vector>

namespace einfall::analysis {

/// A read of another Einsum's result (`einsum`), or of an input (`tensor`).
struct Access {
  int einsum = -1;
  ein::TensorId tensor = -1;
  std::vector<ein::ExprRef> subscripts;
};

struct Einsum {
  std::string name;    ///< tensor, or text of a nested reduction
  int equation = -1;   ///< index into Cascade::equations
  bool nested = false; ///< a reduction inside the equation
  ein::SourceRange range;
  std::vector<std::vector<ein::VarId>> left; ///< output variables at each position
  std::vector<ein::RankId> ranks;            ///< rank of each output position
  std::vector<ein::VarId> space;             ///< all variables: the iteration space
  bool reduces = false;                      ///< `op` is set
  ein::ReduceOp op{};
  std::vector<ein::VarId> removed;  ///< variables reduced away
  std::vector<ein::VarId> selected; ///< variables along which a selection looks, kept
  std::vector<ein::VarId> scanned;  ///< variables of a scan, kept
  std::vector<Access> reads;
};

class EinsumGraph {
public:
  explicit EinsumGraph(const ein::Cascade &cascade);

  const ein::Cascade &cascade;
  std::vector<Einsum> einsums;
  /// Einsums of each component of the schedule, producers first.
  std::vector<std::vector<int>> components;
  std::vector<int> componentOf; ///< of each Einsum
  std::vector<int> ofEquation;  ///< equation -> its Einsum

  int walkCount = 0;
  std::vector<int> walkOf; ///< of each variable; -1: in no Einsum
  /// The walk of an Einsum's output position; -1: none.
  int walkAt(int einsum, size_t position) const;

  // Ranks and their splits.
  /// `rank` and everything it is a part of.
  const std::vector<ein::RankId> &ancestors(ein::RankId rank) const { return ancestors_[rank]; }
  bool isWithin(ein::RankId part, ein::RankId whole) const;
  bool isRoot(ein::RankId rank) const { return ancestors_[rank].size() == 1; }
  bool shareRoot(ein::RankId a, ein::RankId b) const;
  /// Both walk the same coordinates: equal, one inside the other, or parts of
  /// different splits of one rank. The parts of one split do not overlap.
  bool overlap(ein::RankId a, ein::RankId b) const;

private:
  void build();
  void findWalks();
  std::vector<std::vector<ein::RankId>> ancestors_;
  std::vector<std::vector<int>> positionWalk_; ///< per Einsum and output position
};

} // namespace einfall::analysis
