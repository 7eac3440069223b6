//===- Verify.h - checks and canonical forms behind the operations -------------===//
//
// One constraint is one check and one message that ends in the rule's id. What
// an equation shows by itself is checked per equation, what needs the tables of
// the cascade (names, ranks, splits, steps) once for the whole.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/ir/Ein.h"

namespace einfall::ein::ir {

mlir::LogicalResult verifyEquation(EquationOp equation);
mlir::LogicalResult verifyCascade(CascadeOp cascade);

/// Simplifies the expressions of an equation (Simplify.h); the operation
/// changes its name when the right side changed its shape.
mlir::LogicalResult canonicalizeEquation(EquationOp equation, mlir::PatternRewriter &rewriter);

/// Removes equations that no output needs, and their steps.
mlir::LogicalResult removeUnneeded(CascadeOp cascade, mlir::PatternRewriter &rewriter);

} // namespace einfall::ein::ir
