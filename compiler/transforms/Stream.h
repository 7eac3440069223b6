//===- Stream.h - the plan of a cascade ------------------------------------------------===//
//
// What `derive` decides: which equations share a kernel, in which order kernels
// run. The kernels themselves are values of the tile dialect (dialects/tile/Stream.h).
//
// Before:  S, X, N, D, A, O as written, each a nest of its own; S, N and A stored.
// After:   one item, the stream kernel that walks m once and stores O.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/Explanation.h"
#include "dialects/ein/Cascade.h"
#include "dialects/tile/Stream.h"

namespace einfall::transforms {

using tile::Finish;
using tile::Segment;
using tile::StreamKernel;
using tile::TileStep;
using tile::Transport;

/// The whole program: stream kernels and the equations left to general nests, in
/// an order of evaluation.
struct Plan {
  ein::Cascade cascade; ///< derived: normalised, deferred, with the tensors that kernels hold
  struct Item {
    int stream = -1;          ///< index into `streams`, or
    ein::Component component; ///< nests
  };
  std::vector<Item> items;
  std::vector<StreamKernel> streams;
};

/// Derives the plan; fills rewrites, barriers, merges, masks, kernels,
/// materialised tensors and the derived pass counts of `explanation`.
Plan derive(const ein::Cascade &cascade, analysis::Explanation &explanation);

} // namespace einfall::transforms
