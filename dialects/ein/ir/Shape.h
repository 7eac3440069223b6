//===- Shape.h - which operation an equation is --------------------------------===//
#pragma once
#include "dialects/ein/ir/Ein.h"

namespace einfall::ein::ir {

/// Name of the operation for an acyclic equation with this right side.
llvm::StringRef shapeOf(const Expr &rhs);

/// The parts of an equation to be built; null attributes: none.
struct EquationParts {
  std::string tensor;
  mlir::ArrayAttr lhs;
  ExprAttr rhs, where, init, empty;
  int initRank = -1;
  int64_t first = 0; ///< number of the first variable
  bool initBackward = false, annotated = false;
  bool recurrence = false;
};

/// Builds the operation that fits the parts. `reads` in the order of
/// `tensorNamesRead`.
mlir::Operation *buildEquation(mlir::OpBuilder &builder, mlir::Location loc, const EquationParts &parts,
                               TensorType type, mlir::ValueRange reads);

} // namespace einfall::ein::ir
