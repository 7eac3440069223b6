//===- Shape.cpp - see Shape.h -------------------------------------------------===//
#include "dialects/ein/ir/Shape.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace einfall::ein::ir {

llvm::StringRef shapeOf(const Expr &rhs) {
  if (rhs.op != ExprOp::Reduce)
    return MapOp::getOperationName();
  if (isScan(rhs.reduce))
    return ScanOp::getOperationName();
  if (isSelection(rhs.reduce))
    return SelectOp::getOperationName();
  return ReduceOp::getOperationName();
}

Operation *buildEquation(OpBuilder &builder, Location loc, const EquationParts &parts, TensorType type,
                         ValueRange reads) {
  llvm::StringRef name = parts.recurrence ? RecurrenceOp::getOperationName() : shapeOf(*parts.rhs.getExpr());
  OperationState state(loc, name);
  state.addOperands(reads);
  state.addTypes(type);
  // All equation operations have the same attributes (Ein_EquationOp).
  auto add = [&](llvm::StringRef key, Attribute value) {
    if (value)
      state.addAttribute(key, value);
  };
  UnitAttr unit = builder.getUnitAttr();
  add("tensor_name", builder.getStringAttr(parts.tensor));
  add("lhs", parts.lhs);
  add("rhs", parts.rhs);
  add("where", parts.where);
  add("init", parts.init);
  add("init_rank", parts.init ? Attribute(builder.getI64IntegerAttr(parts.initRank)) : Attribute());
  add("init_backward", parts.initBackward ? unit : UnitAttr());
  add("empty", parts.empty);
  add("first", parts.first ? Attribute(builder.getI64IntegerAttr(parts.first)) : Attribute());
  add("annotated", parts.annotated ? unit : UnitAttr());
  return builder.create(state);
}

} // namespace einfall::ein::ir
