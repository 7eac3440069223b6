//===- Linear.h - linear dependence over row expressions ---------------------------===//
//
// A sum over a stream (m) is linear: of `sum_m c * b(m)` the factor `c` may be
// taken out when it does not vary with m. So the question of whether one
// expression is a combination of others is asked over the *field of expressions
// free of varying atoms*: exp((s-g)/t) and -exp((s-g)/t)/t are dependent when t
// is a value of the row, with the coefficient -1/t.
//
// Every expression is written as a sum of (coefficient free of varying atoms) x
// (monomial in varying factors), the monomials are taken for independent, and
// the linear system is solved exactly.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/algebra/Sym.h"
#include <map>

namespace einfall::algebra {

/// e = sum of coefficient x monomial, multiplied out.
std::map<Sym, Sym> monomials(const Sym &e, const AtomTest &varies);

struct Pulled {
  Sym outside; ///< product of the factors without varying atoms, the number included
  Sym inside;  ///< the rest; 1 if there is none
};
/// Takes the factors that do not vary out of a product. Sums stay whole.
Pulled pull(const Sym &e, const AtomTest &varies);

/// Coefficients c, free of varying atoms, with d = sum c_i * basis_i; nothing if
/// there are none. The result has been checked by `isZero`.
std::optional<std::vector<Sym>> combination(const Sym &d, const std::vector<Sym> &basis,
                                            const AtomTest &varies);

} // namespace einfall::algebra
