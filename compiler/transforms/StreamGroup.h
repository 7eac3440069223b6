//===- StreamGroup.h - which equations can share a walk over a rank -----------------===//
//
// A group is a set of reductions over one streamed rank (or the parts of one)
// that belong to the same rows: they use the same streamed tensors S[row, m], or
// one uses another's result. Within a group variables of different equations that
// stand for the same coordinate are one *canonical* variable.
//
// Example: X[p] = max[m] S[p,m], N[q,n] = exp(S[q,n] - X[q]), D[r] = sum[k] N[r,k]
// form a group with one row variable (p = q = r) and one streamed variable (m = n = k).
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/transforms/Dependence.h"
#include "dialects/ein/Cascade.h"
#include <map>
#include <set>
#include <vector>

namespace einfall::transforms {

/// Union-find over the variables of a cascade.
class VariableClasses {
public:
  explicit VariableClasses(size_t count = 0) {
    for (size_t i = 0; i < count; ++i)
      parent.push_back(static_cast<int>(i));
  }
  ein::VarId find(ein::VarId v) const;
  void unite(ein::VarId a, ein::VarId b);

private:
  std::vector<int> parent;
};

struct StreamGroup {
  std::vector<int> reduces;                     ///< equation indices, in order of evaluation
  std::map<ein::TensorId, ein::VarId> streamed; ///< virtual tensors and their streamed variable
  std::set<ein::TensorId> inlined;              ///< maps of inputs, the same in all lanes: written out
  std::set<ein::TensorId> rows;                 ///< results of `reduces`, and maps of them
  VariableClasses classes;
  std::vector<ein::VarId> outer, lanes; ///< canonical row variables
  std::vector<ein::VarId> segments;     ///< canonical streamed variables

  ein::VarId canonical(ein::VarId v) const { return classes.find(v); }
  /// `e` over canonical variables.
  ein::ExprRef canonical(const ein::ExprRef &e) const;
  bool isRow(ein::VarId canonicalVar) const;
  /// Computed within the block where it is read: held in a tile or written out.
  bool isVirtual(ein::TensorId t) const { return streamed.count(t) || inlined.count(t); }
};

/// Groups of a normalised cascade whose fusion saves a pass or a tensor with the
/// rows' and the streamed rank, with lanes chosen; every other equation is a nest.
std::vector<StreamGroup> findStreamGroups(const ein::Cascade &cascade, const Dependence &facts);

/// Factors of a product (through `*`, negation and division by a factor).
void factors(const ein::ExprRef &e, std::vector<ein::ExprRef> &list);

} // namespace einfall::transforms
