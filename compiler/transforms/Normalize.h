//===- Normalize.h - one reduction an equation ----------------------------------===//
//
// The planner and the lowering want the cascade as a graph of simple steps.
// After `normalize`, of the same meaning:
//
//  - a reduction, scan or selection is the whole right side of an equation;
//    nested ones become equations of their own, over the variables free in them;
//  - equal reductions are one equation (bound variables compared up to renaming);
//  - `mean` is a sum, a count and a division where the count is positive;
//  - a kink of results that is the same along the reduction, max(x[p], sink[p]),
//    is an equation of its own.
//
// Before:  O[p,f] = softmax(S[p,m]; m) * V[m,f]
//          i.e. sum[m] exp(S[p,m] - max[m] S[p,m]) / (sum[m] exp(..)) * V[m,f]
// After:   O_1[p]   = max[m] S[p,m]
//          O_2[p]   = sum[m] exp(S[p,m] - O_1[p])
//          O[p,f]   = sum[m] exp(S[p,m] - O_1[p]) / O_2[p] * V[m,f]
//
// Inside recurrences only what the lowering needs apart is taken out: selections,
// scans, and reductions over fewer variables than their equation has.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"

namespace einfall::transforms {

ein::Cascade normalize(const ein::Cascade &cascade);

} // namespace einfall::transforms
