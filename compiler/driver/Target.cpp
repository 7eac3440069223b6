//===- Target.cpp - processors by name -------------------------------------------===//
//
// A target is a processor name and a list of instruction sets. LLVM knows what
// each processor has; nothing here asks what the build machine was.
//
//===----------------------------------------------------------------------===//
#include "compiler/driver/Target.h"
#include "compiler/driver/Driver.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include <algorithm>
#include <fmt/format.h>
#include <mutex>

namespace einfall::driver {

namespace {

const char *const tripleName = "x86_64-unknown-linux-gnu";

const llvm::Target *x86() {
  static std::once_flag once;
  static const llvm::Target *target = nullptr;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    std::string error;
    target = llvm::TargetRegistry::lookupTarget(llvm::Triple(tripleName), error);
  });
  return target;
}

/// "+avx2,-amx-bf16,..": what this machine has and has not.
std::string hostFeatures() {
  std::string text;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", feature.second ? '+' : '-', feature.first().str());
  return text;
}

std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const std::string &cpu, const std::string &features) {
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      x86()->createMCSubtargetInfo(llvm::Triple(tripleName), cpu, features));
}

bool isProcessor(const std::string &name) {
  // An unknown name gives the subtarget of a generic processor, and says so on
  // standard error; asking a generic subtarget is quiet.
  return subtarget("x86-64", "")->isCPUStringValid(name);
}

} // namespace

bool resolveTarget(const std::string &name, pipeline::Target &target, std::string &error) {
  if (!x86()) {
    error = "this LLVM has no x86-64 code generator";
    return false;
  }
  if (name.rfind("sm_", 0) == 0) {
    error =
        fmt::format("target '{}': code for GPUs is not built in; targets are native and x86-64 processors "
                    "such as x86-64-v3, x86-64-v4",
                    name);
    return false;
  }
  const bool native = name == "native";
  target.cpu = native ? llvm::sys::getHostCPUName().str() : name;
  target.features = native ? hostFeatures() : "";
  if (!native && !isProcessor(name)) {
    error =
        fmt::format("unknown target '{}'; targets are native, x86-64-v2, x86-64-v3, x86-64-v4, and processor "
                    "names such as znver4",
                    name);
    return false;
  }
  const auto info = subtarget(target.cpu, target.features);
  if (!info->checkFeatures("+64bit")) {
    error = fmt::format("target '{}' has no 64-bit mode", name);
    return false;
  }
  const bool avx512 = info->checkFeatures("+avx512f,+avx512bw,+avx512dq,+avx512vl");
  target.avx512 = avx512;
  target.vectorBits = avx512 ? 512 : info->checkFeatures("+avx2") ? 256 : 128;
  target.fma = info->checkFeatures("+fma");
  target.f16c = info->checkFeatures("+f16c");
  target.avx512bf16 = avx512 && info->checkFeatures("+avx512bf16");
  return true;
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const pipeline::Target &target, std::string &error) {
  if (!x86()) {
    error = "this LLVM has no x86-64 code generator";
    return nullptr;
  }
  llvm::TargetOptions options;
  // a*b+c becomes one instruction only where the lowering wrote it so.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      x86()->createTargetMachine(llvm::Triple(tripleName), target.cpu, target.features, options,
                                 llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    error = fmt::format("no code generator for processor '{}'", target.cpu);
  return machine;
}

std::vector<std::string> missingHere(const pipeline::Target &target) {
  std::vector<std::string> missing;
  const auto info = subtarget(target.cpu, target.features);
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (!feature.second && info->checkFeatures("+" + feature.first().str()))
      missing.push_back(feature.first().str());
  std::sort(missing.begin(), missing.end());
  return missing;
}

std::vector<TargetInfo> targets() {
  std::vector<TargetInfo> list;
  for (const char *name : {"native", "x86-64-v2", "x86-64-v3", "x86-64-v4", "znver4", "sapphirerapids"}) {
    pipeline::Target target;
    std::string error;
    if (!resolveTarget(name, target, error))
      continue;
    TargetInfo info{name,          target.cpu,        target.vectorBits, target.fma,
                    target.avx512, target.avx512bf16, target.f16c,       {}};
    info.missing = missingHere(target);
    list.push_back(std::move(info));
  }
  return list;
}

} // namespace einfall::driver
