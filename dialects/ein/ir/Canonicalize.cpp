//===- Canonicalize.cpp - equations with simplified expressions ----------------===//
#include "dialects/ein/ir/Shape.h"
#include "dialects/ein/ir/Simplify.h"
#include "dialects/ein/ir/Tables.h"
#include "dialects/ein/ir/Verify.h"

using namespace mlir;

namespace einfall::ein::ir {

static ExprAttr simplified(ExprAttr attr) {
  if (!attr)
    return {};
  return ExprAttr::get(attr.getContext(), simplify(attr.getExpr()), attr.getNames());
}

LogicalResult canonicalizeEquation(EquationOp equation, PatternRewriter &rewriter) {
  EquationParts parts;
  parts.tensor = equation.getTensorName().str();
  parts.lhs = equation.getLhs();
  parts.rhs = simplified(equation.getRhs());
  parts.where = simplified(equation.getWhereAttr());
  if (parts.where && isBool(parts.where.getExpr(), true))
    parts.where = {};
  parts.init = simplified(equation.getInitAttr());
  parts.empty = equation.getEmptyAttr();
  if (equation.getInitRankAttr())
    parts.initRank = equation.getInitRankAttr().getInt();
  parts.initBackward = equation.getInitBackward();
  parts.annotated = equation.getAnnotated();
  parts.recurrence = llvm::isa<RecurrenceOp>(equation);
  if (parts.rhs == equation.getRhs() && parts.where == equation.getWhereAttr() &&
      parts.init == equation.getInitAttr())
    return failure();

  // A branch that went away may have been the only reader of a tensor.
  std::vector<std::string> before = tensorNamesRead(expressionsOf(equation));
  SmallVector<ExprAttr> expressions(equation.getLhs().getAsRange<ExprAttr>());
  for (ExprAttr e : {parts.rhs, parts.where, parts.init, parts.empty})
    if (e)
      expressions.push_back(e);
  SmallVector<Value> reads;
  for (const std::string &name : tensorNamesRead(expressions))
    reads.push_back(equation.getReads()[llvm::find(before, name) - before.begin()]);
  Operation *op = buildEquation(rewriter, equation.getLoc(), parts, equation.getTensorType(), reads);
  // A reader of itself now reads the new operation.
  rewriter.replaceOp(equation, op->getResults());
  return success();
}

} // namespace einfall::ein::ir
