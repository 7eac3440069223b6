//===- StreamConvert.h - stream kernels as operations and back ------------------===//
#pragma once
#include "dialects/ein/ir/ExprText.h"
#include "dialects/tile/Stream.h"
#include "dialects/tile/Tile.h"
#include <optional>
#include <string>

namespace einfall::tile {

/// Appends a `tile.stream` at the builder's insertion point (inside a kernel).
StreamOp toOps(mlir::OpBuilder &builder, mlir::Location loc, const StreamKernel &kernel,
               const ein::ir::Names &names);

/// The kernel of an operation; nothing, with the unknown name in `error`, if a
/// name is not in `names`.
std::optional<StreamKernel> fromOps(StreamOp op, const ein::ir::Names &names, std::string &error);

} // namespace einfall::tile
