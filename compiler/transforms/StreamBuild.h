//===- StreamBuild.h - from a group to kernels, one for each pass ------------------===//
//
// Decides for every reduction of a group in which pass over the streamed rank it
// can be computed, and writes the steps of each pass's kernel.
//
// A reduction that uses results of the same pass needs its summand to close under
// differentiation in them (compiler/algebra/Closure.h); otherwise it moves to the
// next pass and the reason is kept as a barrier.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/algebra/Closure.h"
#include "compiler/transforms/Stream.h"
#include "compiler/transforms/StreamGroup.h"
#include "compiler/transforms/Symbolic.h"
#include <optional>

namespace einfall::transforms {

class StreamBuilder {
public:
  /// Adds tensors (anchors, extra accumulators) to `cascade` while building.
  StreamBuilder(ein::Cascade &cascade, const Dependence &facts, const StreamGroup &group);

  /// Assigns passes; appends barriers and rewrites to the explanation.
  void assignPasses(analysis::Explanation &explanation);
  int passCount() const { return passes; }
  /// The pass at whose end a row tensor is known.
  int passOf(ein::TensorId row) const;
  /// `t` can be stored at the end of a pass: a reduction of the group, or a map
  /// whose variables are rows and variables of the results it reads.
  bool isFinishable(ein::TensorId t);

  /// The kernel of one pass that stores at least `wanted`. Nothing, with the
  /// reason, if a step cannot be written (the equations are then nests).
  std::optional<StreamKernel> build(int pass, const std::vector<ein::TensorId> &wanted, std::string &reason);

  const StreamGroup &of() const { return group; }

  /// Tensors that the kernel of `pass` reads from memory to produce `wanted`:
  /// arguments, stored intermediates, results of earlier passes.
  std::set<ein::TensorId> inputsOf(int pass, const std::set<ein::TensorId> &wanted) const;
  /// Equations that the kernel evaluates (its streamed tensors and reductions).
  std::set<ein::TensorId> evaluatedIn(int pass, const std::set<ein::TensorId> &wanted) const;
  /// Text of the operator that merges the states of two parts of the rank.
  std::string mergeText(int pass, const std::set<ein::TensorId> &wanted,
                        std::vector<std::string> &state) const;

private:
  struct Accumulation {
    int equation = -1;
    int pass = 0;
    std::vector<ein::TensorId> anchors;      ///< row tensors of its pass that it uses
    std::vector<algebra::Sym> basis;         ///< summands; the equation's own first
    std::vector<algebra::Matrix> transports; ///< one an anchor, over the delta atom
    bool shift = false;                      ///< max, min: transports[k][0][0] is added
  };

  ein::Cascade &cascade;
  const Dependence &facts;
  StreamGroup group;
  Symbolic symbolic;
  std::map<ein::TensorId, Accumulation> accumulations;
  int passes = 1;
  ein::VarId delta = -1;
  algebra::Sym deltaAtom;

  struct Steps; ///< a kernel being built

  std::string close(Accumulation &a, int pass);
  ein::ExprRef pointsOf(const ein::Equation &reduction) const;
  bool isKnownWhere(ein::TensorId row, const ein::Equation &user, int pass) const;
  int storedAfter(ein::TensorId t) const;
  void trace(int pass, const std::set<ein::TensorId> &wanted, std::set<ein::TensorId> &inputs,
             std::set<ein::TensorId> &evaluated) const;
  algebra::Sym bodySymbol(const Accumulation &a, int pass);
  bool dependsOnPass(ein::TensorId streamed, int pass) const;
  bool isRowRead(const ein::Expr &x) const;
  ein::ExprRef readAtCanonical(ein::TensorId t) const;
  std::vector<ein::VarId> extraOf(ein::TensorId t) const;
  ein::ExprRef rowValue(ein::TensorId t, int pass) const;
};

} // namespace einfall::transforms
