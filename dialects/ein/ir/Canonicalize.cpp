//===- Canonicalize.cpp - simplified equations, and only those needed ----------===//
#include "dialects/ein/ir/Shape.h"
#include "dialects/ein/ir/Simplify.h"
#include "dialects/ein/ir/Tables.h"
#include "dialects/ein/ir/Verify.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include <functional>

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
  if (equation.getFirstAttr())
    parts.first = equation.getFirstAttr().getInt();
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

LogicalResult removeUnneeded(CascadeOp cascade, PatternRewriter &rewriter) {
  // What the outputs reach; a dead cycle keeps only itself alive.
  Block &body = cascade.getBody().front();
  SmallVector<Operation *> queue{&body.back()};
  llvm::SetVector<Operation *> needed;
  while (!queue.empty()) {
    Operation *op = queue.pop_back_val();
    if (needed.insert(op))
      for (Value v : op->getOperands())
        if (Operation *definition = v.getDefiningOp())
          queue.push_back(definition);
  }
  SmallVector<Operation *> dead;
  llvm::StringSet<> names;
  for (Operation &op : body)
    if (llvm::isa<EquationOp>(op) && !needed.contains(&op)) {
      dead.push_back(&op);
      names.insert(tensorNameOf(&op));
    }
  if (dead.empty())
    return failure();

  auto isDead = [&](StringAttr name) { return names.contains(name.getValue()); };
  SmallVector<Attribute> steps, order;
  for (auto step : cascade.getSteps().getAsRange<StepAttr>()) {
    SmallVector<StringAttr> kept(llvm::make_filter_range(step.getTensors(), std::not_fn(isDead)));
    if (!kept.empty())
      steps.push_back(StepAttr::get(cascade.getContext(), kept, step.getRank(), step.getBackward(),
                                    step.getInner(), step.getInnerBackward()));
  }
  if (cascade.getOrderAttr())
    for (auto name : cascade.getOrderAttr().getAsRange<StringAttr>())
      if (!isDead(name))
        order.push_back(name);
  rewriter.modifyOpInPlace(cascade, [&] {
    cascade.setStepsAttr(rewriter.getArrayAttr(steps));
    if (cascade.getOrderAttr())
      cascade.setOrderAttr(rewriter.getArrayAttr(order));
  });
  for (Operation *op : dead)
    rewriter.modifyOpInPlace(op, [&] { op->setOperands({}); });
  for (Operation *op : dead)
    rewriter.eraseOp(op);
  return success();
}

} // namespace einfall::ein::ir
