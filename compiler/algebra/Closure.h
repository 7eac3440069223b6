//===- Closure.h - anchors: one theorem for deferral, online forms and merging ------===//
//
// A reduction r(g) = sum_m f(u_m, g) that uses another reduction g over the same
// m needs two passes as written: g first. An *anchor* removes the wait. Replace g
// by any value a while summing, and correct afterwards:
//
//     r(g) = M(a -> g) r(a)
//
// Such an M exists exactly when f and its derivatives in g span a space of finite
// dimension: a basis b(u, g) = (f, ..) with D b = A b, A free of u and g. Then b
// is known at every g from one g, b(u, g) = expm(A * delta) b(u, a), and sums of
// b follow their summands. Two derivations D cover the formulas people write:
//
//     Shift   D = d/dg,    delta = g - a          exp(s - g), (v - g)^2, cos(v - g)
//     Scale   D = g d/dg,  delta = log(g / a)     w / g, w / sqrt(g), w * log(g)
//
//   f                     basis                     A                M(a -> g)
//   exp(s - g) * v        f                         [-1]             exp(a - g)
//   w / g                 f                         [-1]   (Scale)   a / g
//   (v - g)^2             f, v - g, 1               nilpotent        1, -2d, d^2 / ..   (Chan)
//   (s - g) * exp(s - g)  f, exp(s - g)             [-1 -1; 0 -1]    exp(a-g) * [1 a-g; 0 1]
//   exp(w / g)            never closes: refused, the second pass is needed
//
// Basis elements beyond f are extra accumulators. Which value the anchor takes is
// the schedule's choice: a constant (deferral), the running value (online form),
// one per split (merge operator), a lagging one (conditional rescale).
//
// Worked example: O = sum_m N / D * V with D = sum_m N, N = exp(S - X), X = max S.
// In X a Shift with A = [-1], in D a Scale with A = [-1]: O, D accumulate against
// a running X, and the division by D is done once, after the loop.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/algebra/Sym.h"

namespace einfall::algebra {

enum class AnchorKind : uint8_t { Shift, Scale };

struct Anchor {
  Sym atom;
  AnchorKind kind = AnchorKind::Shift;
};

using Matrix = std::vector<std::vector<Sym>>;

/// A value, or the reason (lower-case, names quoted) why there is none.
template <class T>
struct Result {
  std::optional<T> value;
  std::string reason;
  explicit operator bool() const { return value.has_value(); }
  const T &operator*() const { return *value; }
  const T *operator->() const { return &*value; }
};

struct Closure {
  std::vector<Sym> basis; ///< f first
  std::vector<Matrix> A;  ///< one for each anchor; D_k basis = A[k] basis
  std::vector<Anchor> anchors;
};

/// d/dg or g d/dg.
Sym derivation(const Sym &e, const Anchor &anchor);

/// Closes f under the derivations of all anchors together. `isStream` holds for
/// the atoms that vary with the reduced variables; the entries of A are free of
/// them and of all anchors. At most `limit` basis elements.
Result<Closure> closure(const Sym &f, const std::vector<Anchor> &anchors, const AtomTest &isStream,
                        int limit = 6);

/// Chooses Shift or Scale for each anchor: the smallest basis whose matrices
/// `transport` accepts.
Result<Closure> closureOfAnyKind(const Sym &f, const std::vector<Sym> &anchors, const AtomTest &isStream,
                                 int limit = 6);

/// expm(A * delta) from anchor value `from` to `to`, as expressions. Does it for
/// A that is, block by block (connected basis elements), c * I + N with N
/// nilpotent or N * N a multiple of I; refuses otherwise. A Scale without N needs
/// no logarithm: it is (to / from)^c.
Result<Matrix> transport(const Matrix &A, AnchorKind kind, const Sym &from, const Sym &to);

/// Matrix helpers for composing transports of several anchors (they commute).
Matrix identityMatrix(size_t n);
Matrix multiply(const Matrix &x, const Matrix &y);

} // namespace einfall::algebra
