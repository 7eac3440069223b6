//===- Stream.h - lowering of stream kernels ------------------------------------===//
//
// A task is one coordinate of the outer variables and one group of lanes. Its
// code, top to bottom:
//
//   lane coordinates; state := identities; pack the lane side of contractions
//   for each segment, for each block of the streamed variable:
//     empty (no reduction has a point)?  skip
//     full (every mask holds everywhere)? steps without masks
//     otherwise                           masks into registers' worth of bits, masked steps
//   finish: store row results of the lanes that exist
//
// Layout in the thread's scratch memory: a tile is [block][width], state is
// [over ..][width], so one vector is W neighbouring lanes at one coordinate.
// Contractions keep a register block of R coordinates x all lanes of the tile;
// the lane side comes from a packed copy, the other side is broadcast, read in
// place where it is plain memory and packed for the block otherwise.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/Kernels.h"
#include "dialects/tile/Stream.h"

namespace einfall::lower {

/// Emits the task function `name` and its launch in `main`.
mlir::LogicalResult lowerStream(Program &program, tile::StreamOp op, Function &main, llvm::StringRef name);

/// Scratch bytes a thread needs.
mlir::Value streamScratchBytes(Program &program, tile::StreamOp op, Lanes &l, Storage &storage);

} // namespace einfall::lower
