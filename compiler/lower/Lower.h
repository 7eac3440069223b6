//===- Lower.h - tile programs to LLVM --------------------------------------===//
//
// A module with an `ein.cascade` and the `tile.program` of the same name becomes
// a module in the `llvm` dialect that defines, with the meaning of
// `einfall_kernel` (einfall/runtime.h),
//
//   void @<name>_sizes(!llvm.ptr frame, !llvm.ptr sizes)
//   void @<name>_main(!llvm.ptr frame)
//
// Every `tile.kernel` is a task function that `main` hands to `einfall_parallel`.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace einfall::lower {

/// Facts about the processor that the lowering may use.
struct Target {
  unsigned vectorBits = 256;
  bool fma = true, avx512 = false, avx512bf16 = false, f16c = true;
};

/// Loads the dialects that lowered code goes through.
void loadDialects(mlir::MLIRContext &context);

/// Replaces the program and the cascade by functions. On failure `error` is a
/// refusal for the user: construct, place, a way round.
mlir::LogicalResult lowerProgram(mlir::ModuleOp module, const Target &target, std::string &error);

} // namespace einfall::lower
