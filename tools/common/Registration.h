//===- Registration.h - what the developer tools know --------------------------===//
#pragma once
#include "mlir/IR/DialectRegistry.h"

namespace einfall::tools {

/// Own dialects and the upstream ones that the pipeline uses.
void registerDialects(mlir::DialectRegistry &registry);
/// MLIR's own transforms (canonicalize, cse, ..) and those of the project.
void registerTransforms();
/// The cascade transforms alone: --ein-normalize, --ein-derive, ..
void registerCascadePasses();

} // namespace einfall::tools
