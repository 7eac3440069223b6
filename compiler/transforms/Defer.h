//===- Defer.h - take out of a sum what does not depend on it ----------------------===//
//
// The distributive law on cascades: in r = sum[m] f, factors of f that are free
// of m move outside, sums are split where their parts carry different ones, and
// logarithms are split over products of positive values. A reduction over m whose
// result was used *inside* another reduction over m is then used after it: one
// pass less (FuseMax: deferral; architecture.md 3.1: a constant anchor).
//
// Before:  A[p,m] = N[p,m] / D[p]          After:  O_1[p,f] = sum[m] N[p,m] * V[m,f]
//          O[p,f] = A[p,m] * V[m,f]                O[p,f]   = if |M| > 0 then O_1[p,f] / D[p] else 0
//
// A row without points keeps the identity: the `if` (no 0/0 from the division).
// Only equations that use such a result are touched.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/Explanation.h"
#include "dialects/ein/Cascade.h"
#include <vector>

namespace einfall::transforms {

/// Takes and gives a normalised cascade; appends what it did to `rewrites`.
ein::Cascade defer(const ein::Cascade &cascade, std::vector<analysis::Rewrite> &rewrites);

} // namespace einfall::transforms
