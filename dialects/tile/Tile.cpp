#include "dialects/tile/Tile.h"
#include "dialects/ein/Type.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSet.h"

#include "dialects/tile/TileDialect.cpp.inc"

using namespace mlir;

namespace einfall::tile {

void TileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

namespace {
bool computesEquation(Operation &op) { return isa<NestOp, SelectOp, ScanOp>(op); }

/// Shared by the ops that compute one equation.
template <class OpT>
LogicalResult verifyEquation(OpT op) {
  bool inSteps = isa<StepsOp>(op->getParentOp());
  if (inSteps && !op.getStep())
    return op.emitOpError("inside 'tile.steps' needs 'step'");
  if (!inSteps && (op.getStep() || op.getInnerStep()))
    return op.emitOpError("has 'step' outside 'tile.steps'");
  for (std::optional<uint64_t> step : {op.getStep(), op.getInnerStep()})
    if (step && static_cast<int64_t>(*step) < 0)
      return op.emitOpError("'step' is negative: ") << static_cast<int64_t>(*step);
  if (auto steps = dyn_cast<StepsOp>(op->getParentOp()))
    if (steps.getInner().has_value() != op.getInnerStep().has_value())
      return op.emitOpError("must have 'inner' exactly when the enclosing 'tile.steps' has");
  return success();
}
} // namespace

LogicalResult NestOp::verify() { return verifyEquation(*this); }
LogicalResult SelectOp::verify() { return verifyEquation(*this); }
LogicalResult ScanOp::verify() { return verifyEquation(*this); }

LogicalResult BufferOp::verify() {
  if (!ein::parseType(getType()))
    return emitOpError("has no element type '") << getType() << "'";
  if (getShadow() && !getPresence())
    return emitOpError("with 'shadow' needs 'presence'");
  return success();
}

LogicalResult KernelOp::verify() {
  if (!llvm::hasSingleElement(getBody().front()))
    return emitOpError("holds exactly one operation");
  return success();
}

LogicalResult StepsOp::verify() {
  if (getBody().front().empty())
    return emitOpError("holds no equation");
  for (Operation &op : getBody().front())
    if (!computesEquation(op))
      return op.emitOpError("cannot stand in 'tile.steps'");
  if (getInnerBackward() && !getInner())
    return emitOpError("has 'inner_backward' without 'inner'");
  return success();
}

LogicalResult ProgramOp::verify() {
  llvm::StringSet<> names;
  for (Operation &op : getBody().front()) {
    if (!isa<BufferOp, KernelOp>(op))
      return op.emitOpError("cannot stand in 'tile.program'");
    if (auto buffer = dyn_cast<BufferOp>(op))
      if (!names.insert(buffer.getTensor()).second)
        return buffer.emitOpError("is a second buffer of '") << buffer.getTensor() << "'";
  }
  return success();
}

} // namespace einfall::tile

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"
