//===- Target.h - which instructions may be used ----------------------------------===//
#pragma once
#include "compiler/pipeline/Pipeline.h"
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class TargetMachine;
}

namespace einfall::driver {

/// What the pipeline may use on the processor called `name`: `native`, or any
/// x86-64 processor that LLVM knows by name. False, with a text: unknown.
bool resolveTarget(const std::string &name, pipeline::Target &target, std::string &error);

/// Position-independent code for `target`; null, with a text, on failure.
std::unique_ptr<llvm::TargetMachine> createTargetMachine(const pipeline::Target &target, std::string &error);

/// Instruction sets that `target` uses and this machine lacks; empty: code runs here.
std::vector<std::string> missingHere(const pipeline::Target &target);

} // namespace einfall::driver
