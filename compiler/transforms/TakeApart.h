//===- TakeApart.h - a concatenated rank as its parts --------------------------------===//
//
// A rank defined as a sum of extents, `rank U = |L| + |M|`, joins two index sets.
// A reduction over it is the combination of a reduction over each; tensors over
// it that choose by position are one tensor a part.
//
// Before:  rank U = |L| + |M|
//          S[p,u in U] = if u < |L| then S1[p,u] else S2[p,u-|L|]     X[p] = max[u] S[p,u]
// After:   S_L[p,l] = S1[p,l]   S_M[p,m] = S2[p,m]
//          X[p] = max(max[l] S_L[p,l], max[m] S_M[p,m])
//
// The tensors over U itself stay, and are dropped later if nothing needs them.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"

namespace einfall::transforms {

/// Takes and gives a normalised cascade.
ein::Cascade takeApart(const ein::Cascade &cascade);

} // namespace einfall::transforms
