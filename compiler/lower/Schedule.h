//===- Schedule.h - the default tile program of a cascade -------------------===//
//
// One kernel for each step of evaluation, in order; equations that no output
// needs are dropped; every other intermediate is stored. This is what every
// cascade can be lowered to, and what rewrites start from.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include "dialects/tile/Tile.h"
#include <set>

namespace einfall::lower {

/// Equations (by index) on which an output depends.
std::set<int> liveEquations(const ein::Cascade &cascade);

/// Appends the program at the builder's insertion point.
tile::ProgramOp buildProgram(mlir::OpBuilder &b, const ein::Cascade &cascade);

/// Pieces of it, for programs in which some tensors live in other kernels.
void addBuffer(mlir::OpBuilder &b, const ein::Cascade &cascade, ein::TensorId tensor, bool readAgain);
void addKernel(mlir::OpBuilder &b, const ein::Cascade &cascade, const ein::Component &component);

} // namespace einfall::lower
