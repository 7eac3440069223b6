//===- Bounds.h - loop bounds from predicates --------------------------------===//
//
// `sum[m where m <= p + |M| - |P|] ..` need not test its predicate at every
// point: m runs from 0 to p + |M| - |P|. A conjunct that is a comparison of
// integers, affine in the variable, becomes a bound of its loop.
//
// The existence of the body bounds the loop as well. Where the points that exist
// take part (ein-r17), `Q[p,e] * K[p-w,e]` confines w to 0 <= p-w < |P|, and a
// read of a tensor with a `where` to the points where that holds.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"

namespace einfall::lower {

/// var >= limit, or var < limit (var <= limit if `closed`). The limit is free of
/// the variable; where it has no value, the range is empty.
struct Bound {
  bool lower = false, closed = false;
  ein::ExprRef limit;
};

/// Appends the conjuncts of `e` (null: none), outermost `and`s split.
void splitConjuncts(const ein::ExprRef &e, std::vector<ein::ExprRef> &list);

/// Bounds that `conjunct` puts on `var`; empty if it is not of that form.
/// `exact`: the conjunct holds exactly within them.
std::vector<Bound> boundsOf(const ein::ExprRef &conjunct, ein::VarId var, bool &exact);

/// Conditions without which `e` certainly has no value, as bools over its free variables.
std::vector<ein::ExprRef> necessaryConditions(const ein::Cascade &cascade, const ein::ExprRef &e);

/// `what` (an expression over the left variables of the read tensor's equation)
/// at the subscripts of `read`; null when they do not determine them.
ein::ExprRef atSubscripts(const ein::Cascade &cascade, const ein::Expr &read, const ein::ExprRef &what);

/// Does `e` mention `var`?
bool mentions(const ein::ExprRef &e, ein::VarId var);

/// Is the subscript certainly inside dimension `dim` of `tensor`?
bool certainlyInside(const ein::Cascade &cascade, ein::TensorId tensor, unsigned dim,
                     const ein::ExprRef &sub);

} // namespace einfall::lower
