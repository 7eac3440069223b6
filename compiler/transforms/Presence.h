//===- Presence.h - when does an expression have a value? ------------------------===//
//
// The condition of existence (language section 4) as a predicate over
// coordinates, so that it can be evaluated for a whole tile at once (empty, full,
// partial) and moved with an expression that is rewritten.
//
// Example: with  S[p,m] = Q[p,e] * K[m,e] where m <= p  the value of
// exp(S[p,m] - X[p]) exists where `m <= p`; that of Q[p,e] * K[p-w,e] where
// `0 <= p-w and p-w < |M|`.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include <functional>

namespace einfall::transforms {

/// Null: always. A read of a tensor with missing points is resolved through its
/// equation where that is a map or an all-or-nothing reduction outside of
/// recurrences, and stays `exists(T[..])` otherwise.
ein::ExprRef presence(const ein::Cascade &cascade, const ein::ExprRef &e);

/// `a and b` with null for true; drops `b` if it is a conjunct of `a`.
ein::ExprRef conjunction(const ein::ExprRef &a, const ein::ExprRef &b);

/// `e` where reads of tensors that are `held` give something at every point: what
/// looks at existence (`else`, `exists`, comparisons) asks for it in words. `known`
/// holds wherever the value matters; null: nothing is known.
/// Example: with S existing where `m <= p`, `S[p,m] > 0` is `m <= p and S[p,m] > 0`.
ein::ExprRef withPresence(const ein::Cascade &cascade, const ein::ExprRef &e, const ein::ExprRef &known,
                          const std::function<bool(ein::TensorId)> &held);

/// The right side of an equation at given left variables: `read` is a read of
/// its tensor; null when a left side tuple cannot be matched.
/// Tuple subscripts of the same split match entry by entry; a plain subscript u
/// for a tuple gives u div .., u mod ...
ein::ExprRef expandRead(const ein::Cascade &cascade, const ein::Expr &read, const ein::ExprRef &what);

/// Integer simplification: x + 0, (x + a) - a, tuples rejoined, `if` on known conditions.
ein::ExprRef simplify(const ein::Cascade &cascade, const ein::ExprRef &e);

} // namespace einfall::transforms
