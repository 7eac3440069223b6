//===- Codegen.h - a module in the llvm dialect becomes an object ------------------===//
#pragma once
#include "compiler/driver/Driver.h"
#include "compiler/pipeline/Pipeline.h"

namespace llvm {
class Module;
}

namespace einfall::driver {

/// Adds the constant `@<name>_kernel`, an `einfall_kernel` that holds
/// `description` and the functions `@<name>_sizes` and `@<name>_main` of `module`.
bool addDescription(llvm::Module &module, const einfall_kernel &description, std::string &error);

/// Translates, adds the description, optimises, and fills `out.object` and the
/// texts wanted. False, with a text, on a defect.
bool generate(mlir::ModuleOp module, const einfall_kernel &description, const pipeline::Target &target,
              Want want, Compiled &out, std::string &error);

/// NAME.h and NAME.json (Header.cpp).
std::string headerText(const ein::Cascade &cascade, const einfall_kernel &description,
                       const std::string &target);
std::string jsonText(const ein::Cascade &cascade, const einfall_kernel &description,
                     const std::string &target);

} // namespace einfall::driver
