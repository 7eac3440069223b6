//===- Codegen.cpp - LLVM IR, a light optimisation, an object in memory --------------===//
//
// Generated code arrives in good shape: vectors are explicit, loops are tiled and
// unrolled by the lowering. What is left is cleaning up addresses and hoisting
// invariants, so the pass list is short; compile time is part of the answer time.
//
//===----------------------------------------------------------------------===//
#include "compiler/driver/Codegen.h"
#include "compiler/driver/Target.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <fmt/format.h>

namespace einfall::driver {

namespace {

void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);

  llvm::FunctionPassManager function;
  function.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  function.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  function.addPass(llvm::SimplifyCFGPass());
  function.addPass(llvm::InstCombinePass());
  llvm::LoopPassManager loop;
  loop.addPass(llvm::LICMPass(llvm::LICMOptions()));
  function.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(loop), /*UseMemorySSA=*/true));
  function.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  function.addPass(llvm::SimplifyCFGPass());

  llvm::ModulePassManager passes;
  passes.addPass(llvm::AlwaysInlinerPass());
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(function)));
  passes.addPass(llvm::GlobalDCEPass());
  passes.run(module, modules);
}

bool emit(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type, std::string &out,
          std::string &error) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type, /*DisableVerify=*/true)) {
    error = "the code generator cannot write this kind of file";
    return false;
  }
  passes.run(module);
  out.assign(bytes.begin(), bytes.end());
  return true;
}

} // namespace

bool generate(mlir::ModuleOp moduleOp, const einfall_kernel &description, const pipeline::Target &target,
              Want want, Compiled &out, std::string &error) {
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(target, error);
  if (!machine)
    return false;
  mlir::MLIRContext *mlirContext = moduleOp.getContext();
  mlir::DialectRegistry registry;
  mlir::registerAllToLLVMIRTranslations(registry);
  mlirContext->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = mlir::translateModuleToLLVMIR(moduleOp, context, description.name);
  if (!module) {
    error = "the module could not be translated to LLVM IR";
    return false;
  }
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.setDoesNotThrow();
  if (!addDescription(*module, description, error))
    return false;
  std::string problem;
  llvm::raw_string_ostream problemStream(problem);
  if (llvm::verifyModule(*module, &problemStream)) {
    error = "the LLVM module is malformed: " + problem;
    return false;
  }
  optimise(*module, *machine);
  if (want.texts) {
    llvm::raw_string_ostream stream(out.llvmText);
    module->print(stream, nullptr);
  }
  if (want.assembly) {
    // Writing code changes the module; the object comes from the original.
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*module);
    if (!emit(*copy, *machine, llvm::CodeGenFileType::AssemblyFile, out.assembly, error))
      return false;
  }
  return emit(*module, *machine, llvm::CodeGenFileType::ObjectFile, out.object, error);
}

} // namespace einfall::driver
