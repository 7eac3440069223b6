#include "compiler/pipeline/Pipeline.h"
#include "compiler/lower/Lower.h"
#include "compiler/pipeline/BuildTile.h"
#include "compiler/transforms/Stream.h"
#include "dialects/ein/ir/Convert.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace einfall::pipeline {

namespace {
lower::Target lowerTarget(const Target &target) {
  return {target.vectorBits, target.fma, target.avx512, target.avx512bf16, target.f16c};
}
/// `--require fused`: nothing with two token ranks may be stored.
bool fusedEnough(const Options &options, const analysis::Explanation &explanation, std::string &error) {
  if (!options.requireFused)
    return true;
  for (const analysis::Materialised &m : explanation.materialised)
    if (m.tokenRanks > 1) {
      error = "'" + m.tensor + "' (" + m.extent + " elements) would be stored: " + m.why +
              "; leave out '--require fused' to allow it";
      return false;
    }
  return true;
}
} // namespace

void registerDialects(MLIRContext &context) { lower::loadDialects(context); }

OwningOpRef<ModuleOp> lowerToLLVM(MLIRContext &context, const ein::Cascade &cascade, const Options &options,
                                  analysis::Explanation &explanation, std::string &error) {
  // Calls the observer; true when the caller asked for no more.
  auto phase = [&](const char *name, ModuleOp module) {
    if (options.observe)
      options.observe(name, module);
    return options.stopAfter == name;
  };
  if (options.observe || !options.stopAfter.empty()) {
    OwningOpRef<ModuleOp> source = ein::ir::toModule(&context, {cascade});
    if (phase("1.ein", *source))
      return {};
  }
  transforms::Plan plan = transforms::derive(cascade, explanation);
  if (!fusedEnough(options, explanation, error))
    return {};
  OwningOpRef<ModuleOp> module = ein::ir::toModule(&context, {plan.cascade});
  if (phase("2.derived", *module))
    return {};

  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  buildTile(builder, plan, tileShape(options.target.vectorBits));
  if (failed(verify(*module)))
    return {};
  if (phase("3.tile", *module))
    return {};

  if (failed(lower::lowerProgram(*module, lowerTarget(options.target), error)))
    return {};
  if (phase("5.llvm", *module))
    return {};
  return module;
}

bool plan(const ein::Cascade &cascade, const Options &options, analysis::Explanation &explanation,
          std::string &error) {
  transforms::derive(cascade, explanation);
  return fusedEnough(options, explanation, error);
}

} // namespace einfall::pipeline
