//===- EinOps.cpp - generated parts of the operations, and result names -------===//
#include "dialects/ein/ir/EinSyntax.h"
#include "dialects/ein/ir/Verify.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace einfall::ein::ir;

#define GET_OP_CLASSES
#include "dialects/ein/ir/EinOps.cpp.inc"

namespace einfall::ein::ir {

void InputOp::getAsmResultNames(llvm::function_ref<void(Value, llvm::StringRef)> name) {
  name(getResult(), getTensorName());
}
void MapOp::getAsmResultNames(llvm::function_ref<void(Value, llvm::StringRef)> name) {
  name(getResult(), getTensorName());
}
void ReduceOp::getAsmResultNames(llvm::function_ref<void(Value, llvm::StringRef)> name) {
  name(getResult(), getTensorName());
}
void ScanOp::getAsmResultNames(llvm::function_ref<void(Value, llvm::StringRef)> name) {
  name(getResult(), getTensorName());
}
void SelectOp::getAsmResultNames(llvm::function_ref<void(Value, llvm::StringRef)> name) {
  name(getResult(), getTensorName());
}
void RecurrenceOp::getAsmResultNames(llvm::function_ref<void(Value, llvm::StringRef)> name) {
  name(getResult(), getTensorName());
}

LogicalResult MapOp::verify() { return verifyEquation(*this); }
LogicalResult ReduceOp::verify() { return verifyEquation(*this); }
LogicalResult ScanOp::verify() { return verifyEquation(*this); }
LogicalResult SelectOp::verify() { return verifyEquation(*this); }
LogicalResult RecurrenceOp::verify() { return verifyEquation(*this); }

LogicalResult CascadeOp::verifyRegions() { return verifyCascade(*this); }

LogicalResult ScalarOp::verify() {
  if (!parseType(getType()))
    return emitOpError("has unknown type '") << getType() << "' [ein-r8]";
  return success();
}

LogicalResult CascadeOp::canonicalize(CascadeOp op, PatternRewriter &rewriter) {
  return removeUnneeded(op, rewriter);
}
LogicalResult MapOp::canonicalize(MapOp op, PatternRewriter &rewriter) {
  return canonicalizeEquation(op, rewriter);
}
LogicalResult ReduceOp::canonicalize(ReduceOp op, PatternRewriter &rewriter) {
  return canonicalizeEquation(op, rewriter);
}
LogicalResult ScanOp::canonicalize(ScanOp op, PatternRewriter &rewriter) {
  return canonicalizeEquation(op, rewriter);
}
LogicalResult SelectOp::canonicalize(SelectOp op, PatternRewriter &rewriter) {
  return canonicalizeEquation(op, rewriter);
}
LogicalResult RecurrenceOp::canonicalize(RecurrenceOp op, PatternRewriter &rewriter) {
  return canonicalizeEquation(op, rewriter);
}

} // namespace einfall::ein::ir
