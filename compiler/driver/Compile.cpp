//===- Compile.cpp - a checked cascade becomes an object -----------------------------===//
#include "compiler/driver/Codegen.h"
#include "compiler/driver/Target.h"
#include "compiler/pipeline/Pipeline.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <fmt/format.h>

namespace einfall::driver {

namespace {

template <class T>
Expected<T> failed(bool defect, std::string text) {
  Expected<T> result;
  result.failure = {defect, std::move(text)};
  return result;
}

/// What the runtime's tables hold; larger cascades are refused by name.
bool fitsRuntime(const ein::Cascade &cascade, std::string &error) {
  size_t tensors = 0;
  for (const ein::Tensor &tensor : cascade.tensors)
    tensors += tensor.role != ein::Role::Intermediate;
  auto check = [&](const char *what, size_t count, size_t limit) {
    if (count > limit && error.empty())
      error = fmt::format("cascade '{}' has {} {}, at most {} are supported: split it into two cascades",
                          cascade.name, count, what, limit);
  };
  check("ranks", cascade.ranks.size(), EINFALL_MAX_EXTENTS);
  check("scalars", cascade.scalars.size(), EINFALL_MAX_SCALARS);
  check("header tensors", tensors, EINFALL_MAX_TENSORS);
  return error.empty();
}

std::string textOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text;
}

/// Writes DIR/PHASE.mlir; an error is the user's (a directory that cannot be written).
bool dump(const std::string &directory, const std::string &phase, const std::string &text,
          std::string &error) {
  std::error_code code = llvm::sys::fs::create_directories(directory);
  if (!code) {
    llvm::raw_fd_ostream file(directory + "/" + phase + ".mlir", code);
    if (!code) {
      file << text;
      file.close();
      code = file.error();
      file.clear_error();
    }
  }
  if (code)
    error = fmt::format("cannot write '{}/{}.mlir': {}", directory, phase, code.message());
  return !code;
}

} // namespace

Expected<analysis::Explanation> explain(const ein::Cascade &cascade, const Options &options) {
  pipeline::Options pipelineOptions;
  std::string error;
  if (!resolveTarget(options.target, pipelineOptions.target, error))
    return failed<analysis::Explanation>(false, error);
  pipelineOptions.requireFused = options.requireFused;
  auto explanation = std::make_unique<analysis::Explanation>();
  if (!pipeline::plan(cascade, pipelineOptions, *explanation, error))
    return failed<analysis::Explanation>(false, error);
  Expected<analysis::Explanation> result;
  result.value = std::move(explanation);
  return result;
}

Expected<Compiled> compile(const ein::Cascade &cascade, const Options &options, Want want) {
  std::string error, dumpError;
  pipeline::Options pipelineOptions;
  if (!fitsRuntime(cascade, error) || !resolveTarget(options.target, pipelineOptions.target, error))
    return failed<Compiled>(false, error);
  auto compiled = std::make_unique<Compiled>();
  compiled->name = cascade.name;
  compiled->target = options.target;
  pipelineOptions.requireFused = options.requireFused;
  pipelineOptions.stopAfter = options.stopAfter;
  bool stopped = false;
  if (want.texts || !options.dumpPhases.empty() || !options.stopAfter.empty())
    pipelineOptions.observe = [&](const std::string &phase, mlir::ModuleOp module) {
      const std::string text = textOf(module);
      if (phase == "3.tile")
        compiled->tileText = text;
      stopped |= phase == options.stopAfter;
      if (!options.dumpPhases.empty() && dumpError.empty())
        dump(options.dumpPhases, phase, text, dumpError);
    };

  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  pipeline::registerDialects(context);
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module =
      pipeline::lowerToLLVM(context, cascade, pipelineOptions, compiled->explanation, error);
  if (!dumpError.empty())
    return failed<Compiled>(false, dumpError);
  if (!module && !stopped)
    return error.empty()
               ? failed<Compiled>(true, fmt::format("compiling '{}': {}", cascade.name, diagnostics))
               : failed<Compiled>(false, error);
  if (!options.stopAfter.empty() && !stopped)
    return failed<Compiled>(false, fmt::format("no phase is called '{}'", options.stopAfter));

  Description description(cascade);
  if (want.texts)
    compiled->einText = ein::print(cascade);
  compiled->header = headerText(cascade, *description.get(), options.target);
  compiled->json = jsonText(cascade, *description.get(), options.target);
  if (!stopped && !generate(*module, *description.get(), pipelineOptions.target, want, *compiled, error))
    return failed<Compiled>(true, fmt::format("compiling '{}': {}{}{}", cascade.name, error,
                                              diagnostics.empty() ? "" : "; ", diagnostics));
  Expected<Compiled> result;
  result.value = std::move(compiled);
  return result;
}

} // namespace einfall::driver
