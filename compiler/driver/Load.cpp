//===- Load.cpp - object code into this process ------------------------------------===//
//
// The object that `compile` wrote is linked in memory; what it calls in the
// runtime is bound to this process's own copy by address, so it works the same
// in a program and in a shared library with hidden symbols.
//
//===----------------------------------------------------------------------===//
#include "compiler/driver/Driver.h"
#include "compiler/driver/Target.h"
#include "einfall/support.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

namespace einfall::driver {

namespace {

namespace orc = llvm::orc;

struct RuntimeSymbol {
  const char *name;
  void *address;
};

#define SYMBOL(name)                                                                                         \
  { #name, reinterpret_cast < void *>(&name) }
const RuntimeSymbol runtimeSymbols[] = {
    SYMBOL(einfall_parallel),     SYMBOL(einfall_order_f32),    SYMBOL(einfall_order_f64),
    SYMBOL(einfall_order_i64),    SYMBOL(einfall_place_f32),    SYMBOL(einfall_place_f64),
    SYMBOL(einfall_place_i64),    SYMBOL(einfall_top_f32),      SYMBOL(einfall_top_f64),
    SYMBOL(einfall_top_i64),      SYMBOL(einfall_top_mass_f32), SYMBOL(einfall_top_mass_f64),
    SYMBOL(einfall_top_mass_i64), SYMBOL(einfall_coordinates),
};
#undef SYMBOL

class LoadedKernel : public Kernel {
public:
  LoadedKernel(std::unique_ptr<orc::LLJIT> jit, const einfall_kernel *description)
      : jit_(std::move(jit)), description_(description) {}
  const einfall_kernel *description() const override { return description_; }

private:
  std::unique_ptr<orc::LLJIT> jit_; ///< owns the memory that `description_` is in
  const einfall_kernel *description_;
};

llvm::Error defineRuntime(orc::LLJIT &jit) {
  orc::SymbolMap symbols;
  for (const RuntimeSymbol &symbol : runtimeSymbols)
    symbols[jit.mangleAndIntern(symbol.name)] = {orc::ExecutorAddr::fromPtr(symbol.address),
                                                 llvm::JITSymbolFlags::Exported |
                                                     llvm::JITSymbolFlags::Callable};
  return jit.getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols)));
}

llvm::Expected<const einfall_kernel *> link(orc::LLJIT &jit, const Compiled &compiled) {
  if (llvm::Error error = defineRuntime(jit))
    return error;
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(compiled.object, compiled.name);
  if (llvm::Error error = jit.addObjectFile(std::move(buffer)))
    return error;
  llvm::Expected<orc::ExecutorAddr> address = jit.lookup(compiled.name + "_kernel");
  if (!address)
    return address.takeError();
  return address->toPtr<const einfall_kernel *>();
}

[[noreturn]] void abortWithReason(void *, const char *reason, bool) {
  std::fprintf(stderr, "einfall: LLVM: %s\n", reason);
  std::abort();
}

Expected<Kernel> failed(bool defect, std::string text) {
  Expected<Kernel> result;
  result.failure = {defect, std::move(text)};
  return result;
}

} // namespace

void abortOnFatalErrors() { llvm::install_fatal_error_handler(abortWithReason); }

Expected<Kernel> load(const Compiled &compiled) {
  pipeline::Target target;
  std::string error;
  if (!resolveTarget(compiled.target.empty() ? "native" : compiled.target, target, error))
    return failed(false, error);
  const std::vector<std::string> missing = missingHere(target);
  if (!missing.empty())
    return failed(false, fmt::format("code for target '{}' does not run here: this machine lacks {}",
                                     compiled.target, fmt::join(missing, ", ")));
  auto jit =
      orc::LLJITBuilder()
          .setJITTargetMachineBuilder(orc::JITTargetMachineBuilder(llvm::Triple("x86_64-unknown-linux-gnu")))
          .setPlatformSetUp(orc::setUpInactivePlatform)
          .create();
  if (!jit)
    return failed(true, "loading: " + llvm::toString(jit.takeError()));
  llvm::Expected<const einfall_kernel *> description = link(**jit, compiled);
  if (!description)
    return failed(true, "loading: " + llvm::toString(description.takeError()));
  Expected<Kernel> result;
  result.value = std::make_unique<LoadedKernel>(std::move(*jit), *description);
  return result;
}

} // namespace einfall::driver
