#include "compiler/lower/Lower.h"
#include "compiler/lower/Kernels.h"
#include "compiler/lower/x86/Stream.h"
#include "dialects/ein/ir/Convert.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace einfall::ein;

namespace einfall::lower {

void loadDialects(MLIRContext &context) {
  context.loadDialect<arith::ArithDialect, scf::SCFDialect, cf::ControlFlowDialect, math::MathDialect,
                      vector::VectorDialect, LLVM::LLVMDialect, tile::TileDialect, ein::ir::EinDialect>();
}

namespace {
/// Slots of the program's buffers in the table of offsets.
LogicalResult layOut(Program &program, tile::ProgramOp op) {
  for (auto buffer : op.getOps<tile::BufferOp>()) {
    TensorId tensor = program.cascade.tensorNamed(buffer.getTensor().str());
    if (tensor < 0) {
      program.error =
          "the tile program stores a tensor that the cascade has not: " + buffer.getTensor().str();
      return failure();
    }
    Layout::Slots slots;
    if (!buffer.getShadow())
      slots.value = program.layout.count++;
    if (buffer.getPresence())
      slots.presence = program.layout.count++;
    program.layout.slots[tensor] = slots;
  }
  return success();
}

/// void layout(frame, offsets, sizes): fills the offsets; sizes[0], sizes[1].
/// Sizes beyond what an int64 holds come out as INT64_MAX.
void emitSizes(Program &program, tile::ProgramOp op, StringRef name) {
  Function f(program, name, /*isTask=*/false);
  f.op.setLinkage(LLVM::Linkage::External);
  Lanes &l = f.l;
  Value total = l.integer(0), estimate = l.constant(l.f64(), 0.0);
  for (auto &[tensor, slots] : program.layout.slots) {
    const Tensor &t = program.cascade.tensors[tensor];
    Value points = l.integer(1), about = l.constant(l.f64(), 1.0);
    for (size_t d = 0; d < t.ranks.size(); ++d) {
      Value size = f.storage->size(tensor, d);
      points = l.mulI(points, size);
      about = l.mulF(about, arith::SIToFPOp::create(l.b, l.loc, l.f64(), size));
    }
    for (int slot : {slots.value, slots.presence}) {
      if (slot < 0)
        continue;
      int64_t bytes = slot == slots.value ? workspaceBytes(t.type) : 1;
      Value need = l.andI(l.addI(l.mulI(points, l.integer(bytes)), l.integer(63 + 64)), l.integer(-64));
      total = l.addI(total, need);
      estimate = l.addF(estimate, l.mulF(about, l.constant(l.f64(), double(bytes))));
    }
  }
  Value huge = l.cmpF(arith::CmpFPredicate::OGT, estimate, l.constant(l.f64(), 0x1p60));
  total = l.select(huge, l.integer(INT64_MAX), total);
  Value scratch = l.integer(0);
  op.walk([&](Operation *each) {
    if (isa<tile::SelectOp, tile::ScanOp>(each)) {
      TensorId tensor =
          program.cascade.tensorNamed(each->getAttrOfType<StringAttr>("tensor").getValue().str());
      scratch = l.maxS(scratch, scratchBytes(l, *f.storage, *program.cascade.equationOf(tensor)));
    }
    if (auto stream = dyn_cast<tile::StreamOp>(each))
      scratch = l.maxS(scratch, streamScratchBytes(program, stream, l, *f.storage));
  });
  LLVM::StoreOp::create(l.b, l.loc, total, f.offsets);
  Value second = LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i64(), f.offsets, ArrayRef<LLVM::GEPArg>{1});
  LLVM::StoreOp::create(l.b, l.loc, scratch, second);
  f.finish();
}

/// In `main`: the same sums, kept as offsets in a table on the stack.
Value emitOffsets(Program &program, Function &main) {
  Lanes &l = main.l;
  Value count = l.integer(std::max(1, program.layout.count));
  Value table = LLVM::AllocaOp::create(l.b, l.loc, l.ptr(), l.i64(), count, 64);
  Value total = l.integer(0);
  for (auto &[tensor, slots] : program.layout.slots) {
    const Tensor &t = program.cascade.tensors[tensor];
    Value points = l.integer(1);
    for (size_t d = 0; d < t.ranks.size(); ++d)
      points = l.mulI(points, main.storage->size(tensor, d));
    for (int slot : {slots.value, slots.presence}) {
      if (slot < 0)
        continue;
      int64_t bytes = slot == slots.value ? workspaceBytes(t.type) : 1;
      Value place = LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i64(), table, ArrayRef<LLVM::GEPArg>{slot});
      LLVM::StoreOp::create(l.b, l.loc, total, place);
      Value need = l.andI(l.addI(l.mulI(points, l.integer(bytes)), l.integer(63 + 64)), l.integer(-64));
      total = l.addI(total, need);
    }
  }
  return table;
}

/// Declares the C functions that are called.
void declareCallees(ModuleOp module) {
  OpBuilder b(module.getContext());
  llvm::StringMap<LLVM::LLVMFunctionType> callees;
  SymbolTable table(module);
  module.walk([&](LLVM::CallOp call) {
    StringRef name = call.getCallee().value_or("");
    if (name.empty() || table.lookup(name))
      return;
    SmallVector<mlir::Type> types(call.getOperandTypes());
    mlir::Type result = call->getNumResults() ? call.getResult().getType()
                                              : mlir::Type(LLVM::LLVMVoidType::get(b.getContext()));
    callees.try_emplace(name, LLVM::LLVMFunctionType::get(result, types));
  });
  SmallVector<StringRef> names;
  for (auto &entry : callees)
    names.push_back(entry.getKey());
  llvm::sort(names); // the text of a module must not depend on hashing
  b.setInsertionPointToStart(module.getBody());
  for (StringRef name : names)
    LLVM::LLVMFuncOp::create(b, module.getLoc(), name, callees[name]);
}

/// Equations that the emitter cannot compute inside an expression.
std::string refuse(const Cascade &cascade) {
  for (const Equation &equation : cascade.equations) {
    std::string what;
    auto check = [&](const ExprRef &root, bool isRoot) {
      walk(root, [&](const Expr &e) {
        bool own = isRoot && &e == equation.rhs.get();
        if (e.op == ExprOp::Reduce && e.reduce >= ReduceOp::CumSum && !own)
          what = std::string(ein::name(e.reduce));
      });
    };
    check(equation.rhs, true);
    check(equation.where, false);
    check(equation.init, false);
    if (!what.empty())
      return "'" + what + "' inside an expression of '" + cascade.tensors[equation.tensor].name +
             "' must be an equation of its own here; name its result";
  }
  return {};
}

LogicalResult convertToLLVM(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.enableVerifier(false);
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  return pm.run(module);
}
} // namespace

LogicalResult lowerProgram(ModuleOp module, const Target &target, std::string &error) {
  auto op = *module.getOps<tile::ProgramOp>().begin();
  auto source = *module.getOps<ein::ir::CascadeOp>().begin();
  std::optional<Cascade> cascade = ein::ir::fromOps(source);
  if (!cascade) {
    error = "the cascade of the tile program does not resolve";
    return failure();
  }
  if (error = refuse(*cascade); !error.empty())
    return failure();
  OpBuilder b(module.getContext());
  Program program{*cascade, {}, target, module, b, {}, 0};
  if (failed(layOut(program, op))) {
    error = program.error;
    return failure();
  }
  emitSizes(program, op, cascade->name + "_sizes");
  Function main(program, cascade->name + "_main_", /*isTask=*/false);
  b.setInsertionPointAfter(main.anchor);
  main.offsets = emitOffsets(program, main);
  for (auto kernel : op.getOps<tile::KernelOp>())
    if (failed(lowerKernel(program, kernel, main))) {
      error = program.error;
      return failure();
    }
  b.setInsertionPointToEnd(&main.op.getBody().back());
  main.finish();
  // The public function takes the frame alone.
  main.op.setName(cascade->name + "_main");
  main.op.setLinkage(LLVM::Linkage::External);
  llvm::BitVector second(2);
  second.set(1);
  (void)main.op.eraseArguments(second);
  op.erase();
  source.erase();
  declareCallees(module);
  if (failed(convertToLLVM(module))) {
    error = "conversion to the llvm dialect failed";
    return failure();
  }
  return success();
}

} // namespace einfall::lower
