//===- RunPlan.h - a plan executed step by step ----------------------------------------===//
//
// The meaning of a plan, in float64 and without a target: stream kernels block by
// block with their tiles, state and anchors, everything else by the reference
// interpreter. A plan gives the same outputs as its cascade, however blocks are
// cut and ordered and whether anchors lag; so the planner is tested apart from
// the code that is generated from a plan.
//
// Memory that a lowering would leave undefined is poisoned here: tiles hold NaN
// where their mask is false and outside of their block, and what no item has
// stored yet cannot be read.
//
// Example: block = 3 and |M| = 7 walk coordinates 0-2, 3-5, 6. With a seed the
// rank is cut at random places and the pieces come in random order. With parts = 2
// two states take the pieces in turn and are merged before the results are stored
// (split-KV): anchors meet, state follows them, and like adds to like.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/transforms/Stream.h"
#include "dialects/ein/Interpreter.h"

namespace einfall::transforms {

struct RunOptions {
  int64_t block = 0;            ///< coordinates of a block; 0: the kernel's
  std::optional<uint64_t> seed; ///< cuts and orders blocks at random
  int parts = 1;                ///< states that share the rank, merged at the end
  bool lag = true;              ///< anchors that may lag do
  double lagDistance = 8;       ///< how far
};

/// Executes `plan` and fills the environment's outputs, as `ein::evaluate` does.
bool runPlan(const Plan &plan, ein::Environment &environment, const RunOptions &options, std::string &error);

/// One kernel: reads stored tensors from the environment, stores its results there.
/// Throws ein::Refusal (dialects/ein/Evaluator.h).
void runStream(const ein::Cascade &cascade, const StreamKernel &kernel, ein::Environment &environment,
               const RunOptions &options);

} // namespace einfall::transforms
