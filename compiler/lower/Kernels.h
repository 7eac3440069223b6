//===- Kernels.h - the functions of a program -------------------------------===//
//
// Shared by the lowering of all kinds of kernels: a task function under
// construction, and how points of a kernel are distributed over tasks.
//
//   void task(frame, offsets, task, thread):
//     for i in chunk(task):  (b, h) = decode(i)  ; outer variables
//       for p: for m:  point(b, h, p, m)
//
// `Distribution` emits the same arithmetic in `main` (how many tasks) and in the
// task function (which points), from extents alone.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/Lower.h"
#include "compiler/lower/x86/ScalarEmitter.h"
#include "dialects/tile/Tile.h"

namespace einfall::lower {

/// What all functions of one program share.
struct Program {
  const ein::Cascade &cascade;
  Layout layout;
  Target target;
  mlir::ModuleOp module;
  mlir::OpBuilder &b;
  std::string error; ///< a refusal; empty: none
  int kernels = 0;
};

/// A function `void name(ptr frame, ptr offsets, i64 task, i64 thread)`, open at its end.
struct Function {
  Function(Program &program, llvm::StringRef name, bool isTask);
  Program &program;
  mlir::LLVM::LLVMFuncOp op;
  mlir::Value frame, offsets, task, thread;
  mlir::Operation *anchor; ///< entry values stand before it
  Lanes l;                 ///< uniform code
  std::optional<Storage> storage;
  void finish(); ///< returns
};

/// Points of `outer` flattened into chunks, times ranges of one more dimension.
struct Distribution {
  mlir::Value count; ///< tasks
  mlir::Value outerTotal, outerSize, innerChunks, innerSize, innerTotal;
};
/// `inner` null: no further dimension; `sequential`: one task.
Distribution distribute(Lanes &l, Storage &storage, llvm::ArrayRef<ein::RankId> outer, mlir::Value inner,
                        bool sequential);

/// Runs `body` for the task's points: coordinates of the outer ranks, and the
/// range [lo, hi) of the inner dimension.
void forTask(Function &f, const Distribution &d, llvm::ArrayRef<ein::RankId> outer,
             llvm::function_ref<void(llvm::ArrayRef<mlir::Value>, mlir::Value lo, mlir::Value hi)> body);

/// Emits the kernel's task function; returns its symbol and emits into `main`
/// the number of its tasks. Failure: program.error says why.
mlir::LogicalResult lowerKernel(Program &program, tile::KernelOp kernel, Function &main);

/// Coordinates already fixed, by left variable.
using Fixed = std::map<ein::VarId, mlir::Value>;

/// All points of an equation whose fixed variables have the given coordinates;
/// `last` may confine its last free variable to [lo, hi).
struct Range {
  ein::VarId var = -1;
  mlir::Value lo, hi;
};
void emitNest(Function &f, const ein::Equation &equation, const Fixed &fixed, const Range &range);
/// The same for an equation whose right side is a selection or a scan.
void emitRows(Function &f, const ein::Equation &equation, const Fixed &fixed, const Range &range);
/// Left variables on which the rows of a selection or scan depend.
std::vector<ein::VarId> rowVariables(const ein::Equation &equation);
/// Scratch bytes a thread needs for the equation's rows.
mlir::Value scratchBytes(Lanes &l, Storage &storage, const ein::Equation &equation);

} // namespace einfall::lower
