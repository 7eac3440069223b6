//===- Symbolic.h - from equations to the algebra and back ------------------------===//
//
// The algebra (compiler/algebra) sees the value of a float expression as a
// function of atoms. An atom is a sub-expression that the algebra need not look
// into: a read, a coordinate, a maximum, a comparison, an integer. Whether a
// value exists is not its business (Presence.h).
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/algebra/Sym.h"
#include "dialects/ein/Cascade.h"
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

namespace einfall::transforms {

class Symbolic {
public:
  explicit Symbolic(const ein::Cascade &cascade) : cascade(cascade) {}

  /// Reads for which this returns true are replaced by the right side of their
  /// equation (a map); others are atoms.
  std::function<bool(const ein::Expr &read)> lookThrough = [](const ein::Expr &) { return false; };

  /// Tensors whose values are known to be positive where a row has points.
  std::set<ein::TensorId> positive;

  /// Float, integer or bool expression. Conditions and functions that are not
  /// analytic become calls, so that their arguments stay visible.
  algebra::Sym toSym(const ein::ExprRef &e);

  /// Back to an expression. `known` offers a read for a symbol that a tensor
  /// already holds (or null).
  ein::ExprRef toExpr(const algebra::Sym &s,
                      const std::function<ein::ExprRef(const algebra::Sym &)> &known = nullptr);

  /// The expression behind an atom.
  const ein::ExprRef &exprOf(const algebra::Sym &atom) const { return atoms.at(atom.id()); }
  bool isAtomOf(const algebra::Sym &s, const ein::ExprRef &e);
  algebra::Sym atom(const ein::ExprRef &e);

private:
  const ein::Cascade &cascade;
  std::vector<ein::ExprRef> atoms;
  std::unordered_multimap<size_t, int> byHash;
};

} // namespace einfall::transforms
