//===- Terms.h - taking a summand apart; maxima; anchors that do not matter ------------===//
//
// Before a reduction is given anchors it is taken apart: sum_m (f1 + f2) are two
// reductions, and factors that do not vary with m stand outside. How far to go is
// decided by the *signature* of a term: the powers of Scale anchors and the rates
// of exponentials of Shift anchors in it. One accumulator can be corrected by one
// factor only if its terms agree in signature; so a product is distributed over a
// sum just where the summands disagree:
//
//   (exp(s1-x1)/d1 - k*exp(s2-x2)/d2) * v   two terms: rates {x1: -1}, {x2: -1}
//   (v - mu)^2 * exp(s-x)                   one term: a polynomial in mu stays whole
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/algebra/Closure.h"
#include <map>

namespace einfall::algebra {

struct Term {
  Sym row;  ///< product of the factors without stream atoms (anchors may occur)
  Sym body; ///< the rest: what is reduced; 1 if there is none
};

/// f = sum of row * body; bodies that are equal are collected.
std::vector<Term> splitTerms(const Sym &f, const std::vector<Anchor> &anchors, const AtomTest &isStream);

/// How max_m f(u, g) (or min) moves with g: f(u, to) = f(u, from) + c, or = c * f(u, from)
/// with c > 0, for all u. The (max, +) and (max, *) forms of transport.
struct MaxTransport {
  bool isFactor = false; ///< c multiplies; otherwise it is added
  Sym c;
};
Result<MaxTransport> shiftOfMax(const Sym &f, const Sym &anchor, const Sym &from, const Sym &to,
                                const AtomTest &isStream);

/// Accumulators and the matrix by which they follow an anchor: D r = A r.
struct Follows {
  std::vector<Sym> accumulators;
  Matrix A;
};

/// Total derivation of `out` in the anchor, the accumulators following it.
Sym totalDerivation(const Sym &out, const Anchor &anchor, const std::vector<Follows> &follows);

/// The value of the anchor does not matter to `out`: O = N/D, X + log(D). Then
/// only its range does: a reference value, or none, may take its place.
bool isFreeAnchor(const Sym &out, const Anchor &anchor, const std::vector<Follows> &follows);

} // namespace einfall::algebra
