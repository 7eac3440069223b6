//===- Simplify.h - rewrites that keep value and existence ---------------------===//
//
//   2 + 3      -> 5            x * 1, x / 1, x - 0   -> x
//   not not b  -> b            - - x                 -> x
//   if true then x else y -> x     true and b        -> b
//   (n else v) -> n, exists(n) -> true, for n that always has a value
//   sum[m where true] x -> sum[m] x
//
// What looks alike and is not done: x * 0 is not 0 (x may be missing, infinite
// or NaN), x + 0.0 is not x (it is 0.0 for x = -0.0), x mod 1 is not 0 and
// x - x is not 0 (x may be missing), integer arithmetic that overflows is kept.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Expr.h"

namespace einfall::ein::ir {

/// `e` simplified; the same pointer when there was nothing to do.
ExprRef simplify(const ExprRef &e);
/// Whether `e` is the bool `value`.
bool isBool(const ExprRef &e, bool value);

} // namespace einfall::ein::ir
