//===- Count.h - the work of a call, counted over existing points ---------------===//
//
// The number of floating-point operations that the equations ask for, as written:
// an operation counts once for every existing point of the variables it mentions
// (`scale * Q[p,e]` once a (p,e), not once a key), a reduction once for every
// point it takes up, so a multiply-add counts 2 and an exp 1.
//
// Which points exist follows from the conditions (`where`, filters, and those of
// the tensors read), a predicate over coordinates, extents and tables. It is
// counted by the reference interpreter: exactly up to `exactPoints`, beyond that
// on a low-discrepancy sample. Conditions on computed tensors (selections) are
// evaluated too, within a budget; where that does not suffice the condition is
// taken to hold and `estimated` is set.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Interpreter.h"

namespace einfall::driver {

struct WorkCount {
  double flops = 0;
  bool sampled = false;   ///< some count is from a sample
  bool estimated = false; ///< some condition was taken to hold
};

/// `environment` holds extents, scalars, and at least the inputs that conditions
/// read (`tablesOf`).
WorkCount countWork(const ein::Cascade &cascade, const ein::Environment &environment,
                    int64_t exactPoints = int64_t(1) << 22);

/// Inputs that conditions read, directly or through computed tensors.
std::vector<ein::TensorId> tablesOf(const ein::Cascade &cascade);

} // namespace einfall::driver
