//===- JoinSplits.h - one variable where a split's parts are only used together ----===//
//
// A streamed rank should have one variable. Where an intermediate is defined over
// a tuple but read by its whole coordinate, its equation gets one variable; where
// a reduction runs over all parts of a split and uses them as a tuple, it runs
// over the whole rank.
//
// Before:  S[t,(n,c)] = Q[t,e] * K[(n,c),e] where Sel[t,n]     X[t] = max[n,c] S[t,(n,c)]
// After:   S[t,u] = Q[t,e] * K[u,e] where Sel[t,u div |C|]     X[t] = max[u] S[t,u]
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"

namespace einfall::transforms {

ein::Cascade joinSplits(const ein::Cascade &cascade);

} // namespace einfall::transforms
