//===- BuildTile.h - a plan as a tile program -----------------------------------===//
#pragma once
#include "compiler/transforms/Stream.h"
#include "dialects/tile/Tile.h"

namespace einfall::pipeline {

/// Vectors and registers of the target, as far as tile sizes depend on them.
struct TileShape {
  unsigned width; ///< f32 lanes of a tile
  unsigned block; ///< streamed coordinates of a tile
};

/// The rule for tile sizes: four vectors of lanes with 32 registers (AVX-512),
/// two with 16 (AVX2); 48 streamed coordinates, a multiple of the register
/// block's rows, so that a tile of scores and one of weights stay in L1.
TileShape tileShape(unsigned vectorBits);

/// Appends the program for `plan` (whose cascade is in the module already).
tile::ProgramOp buildTile(mlir::OpBuilder &builder, const transforms::Plan &plan, TileShape shape);

} // namespace einfall::pipeline
