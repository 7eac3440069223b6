//===- Dependence.h - which tensors depend on a reduction over a rank --------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include <map>
#include <set>

namespace einfall::transforms {

/// Facts about the equations of a cascade that several transforms ask for.
class Dependence {
public:
  explicit Dependence(const ein::Cascade &cascade);

  /// A split's parts have the root of the whole.
  ein::RankId root(ein::RankId rank) const { return roots[rank]; }
  /// The tensor's equation is not part of a recurrence.
  bool acyclic(ein::TensorId tensor) const { return !recurrent.count(tensor); }
  /// The tensor needs, directly or through others, a reduction over (part of) that root rank.
  bool onReductionOver(ein::TensorId tensor, ein::RankId rootRank) const;
  /// An acyclic equation whose right side is no reduction.
  bool isMap(ein::TensorId tensor) const;
  /// Equations in an order of evaluation.
  const std::vector<int> &order() const { return sequence; }

private:
  const ein::Cascade &cascade;
  std::vector<ein::RankId> roots;
  std::set<ein::TensorId> recurrent;
  std::vector<int> sequence;
  std::map<ein::TensorId, std::set<ein::RankId>> reduced; ///< root ranks reduced on the way
};

/// Does `e` mention one of `vars`, free?
bool mentions(const ein::ExprRef &e, const std::vector<ein::VarId> &vars);

/// "12:7" of a range, or "".
std::string place(const ein::SourceRange &range);

} // namespace einfall::transforms
