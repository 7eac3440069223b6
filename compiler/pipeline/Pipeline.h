//===- Pipeline.h - the story of a cascade, top to bottom ---------------------===//
#pragma once
#include "compiler/analysis/Explanation.h"
#include "dialects/ein/Cascade.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <functional>
#include <string>

namespace einfall::pipeline {

/// Facts about the processor that the lowering may use.
struct Target {
  std::string cpu;      ///< LLVM name
  std::string features; ///< LLVM feature string, "" for the CPU's own
  unsigned vectorBits = 256;
  bool fma = true, avx512 = false, avx512bf16 = false, f16c = true;
};

struct Options {
  Target target;
  bool requireFused = false;
  /// Called after every phase with its name ("1.ein", "2.derived", "3.tile", "5.llvm").
  std::function<void(const std::string &phase, mlir::ModuleOp module)> observe;
  std::string stopAfter;
};

/// Loads every dialect that the pipeline uses.
void registerDialects(mlir::MLIRContext &context);

/// cascade -> a module in the `llvm` dialect that defines
///   void @<name>_sizes(!llvm.ptr frame, !llvm.ptr sizes)
///   void @<name>_main(!llvm.ptr frame)
/// with the meaning of `einfall_kernel` in einfall/runtime.h. On failure returns
/// null and sets `error` (a user-facing refusal that names construct, place and a way round).
mlir::OwningOpRef<mlir::ModuleOp> lowerToLLVM(mlir::MLIRContext &context, const ein::Cascade &cascade,
                                              const Options &options, analysis::Explanation &explanation,
                                              std::string &error);

/// The decisions alone.
bool plan(const ein::Cascade &cascade, const Options &options, analysis::Explanation &explanation,
          std::string &error);

} // namespace einfall::pipeline
