//===- Convert.h - cascades as operations and back -----------------------------===//
//
// Lossless both ways: `fromOps(toOps(c))` is `c`, also after the operations went
// through text. Source ranges of tensors, equations and declarations travel as
// locations (`--mlir-print-debuginfo` keeps them in text); those inside
// expressions do not.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/ir/Ein.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <optional>
#include <vector>

namespace einfall::ein::ir {

/// Appends the operation for `cascade` at the builder's insertion point.
CascadeOp toOps(mlir::OpBuilder &builder, const Cascade &cascade);
/// A module that holds one operation for each cascade.
mlir::OwningOpRef<mlir::ModuleOp> toModule(mlir::MLIRContext *context, const std::vector<Cascade> &cascades);

/// The cascade of a verified operation. Nothing, after an error at the
/// operation, when a name does not resolve (the operation was not verified).
std::optional<Cascade> fromOps(CascadeOp cascade);

/// Names for the expressions of `cascade`: unique, by id.
Names namesOf(const Cascade &cascade);

/// Locations <-> ranges of the source text.
mlir::Location locationOf(mlir::MLIRContext *context, llvm::StringRef file, SourceRange range);
SourceRange rangeOf(mlir::Location loc);

} // namespace einfall::ein::ir
