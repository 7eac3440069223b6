//===- Tables.h - the names of a cascade, in the order of their ids -----------===//
#pragma once
#include "dialects/ein/ir/Ein.h"

namespace einfall::ein::ir {

/// The tables of a cascade operation: what its expressions may name. Tensors are
/// numbered inputs first, then outputs in the header's order, then the others
/// as written, unless the operation has an `order`.
struct Tables {
  Names names;
  std::vector<RankId> variableRanks;      ///< by VarId; -1: no such rank
  std::vector<mlir::Operation *> tensors; ///< by TensorId: input or equation
  std::vector<RankOp> ranks;
  std::vector<SplitOp> splits;
  std::vector<ScalarOp> scalars;

  explicit Tables(CascadeOp cascade);
  /// The tables for the expressions of an equation.
  Names namesOf(EquationOp equation) const;
  RankId rank(llvm::StringRef name) const;     ///< -1: none
  TensorId tensor(llvm::StringRef name) const; ///< -1: none
};

/// Labels of variables in an equation whose first variable is number `first`:
/// `m` for the first variable called m from there on, `m.1` for the second.
std::vector<std::string> labelsFrom(const std::vector<std::string> &variables, int64_t first);

/// Name of the tensor that an input or equation defines.
llvm::StringRef tensorNameOf(mlir::Operation *op);
/// What an expression calls variable `id`; `#id` when it has no name.
std::string variableName(ExprAttr expr, VarId id);
/// The left variables, tuples flattened.
std::vector<std::string> leftVariables(EquationOp equation);
/// Every expression of an equation: left side, right side, where, init, empty.
llvm::SmallVector<ExprAttr> expressionsOf(EquationOp equation);
/// Names of the tensors that an equation reads, in the order of its operands.
std::vector<std::string> tensorNamesRead(llvm::ArrayRef<ExprAttr> expressions);

} // namespace einfall::ein::ir
