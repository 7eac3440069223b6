//===- Driver.h - from text to a kernel that runs -----------------------------===//
//
// The only place where frontend and compiler meet. Used by the command line,
// the C API (einfall.h) and the tests. No MLIR in this header.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/Explanation.h"
#include "dialects/ein/Cascade.h"
#include "einfall/runtime.h"
#include "frontend/Frontend.h"
#include <memory>
#include <string>
#include <vector>

namespace einfall::driver {

struct Options {
  std::string target = "native"; ///< or an LLVM x86-64 CPU name: x86-64-v3, x86-64-v4, znver4
  bool requireFused = false;     ///< --require fused
  std::string dumpPhases;        ///< directory; empty: none
  std::string stopAfter;         ///< phase name; empty: none
};

/// A compiled cascade, not yet loaded: object code plus every text one may ask for.
struct Compiled {
  std::string name;
  std::string object; ///< bytes of the ELF object
  std::string einText, tileText, llvmText, assembly;
  std::string header, json; ///< NAME.h and NAME.json
  std::string target;       ///< as in the options
  analysis::Explanation explanation;
};

/// What went wrong: a user's mistake (exit 1) or a defect (exit 3).
struct Failure {
  bool defect = false;
  std::string text;
};

template <class T>
struct Expected {
  std::unique_ptr<T> value; ///< null: see failure
  Failure failure;
  explicit operator bool() const { return value != nullptr; }
  T *operator->() { return value.get(); }
};

/// Which texts `compile` should fill beyond the object.
struct Want {
  bool texts = false, assembly = false;
};

/// Passes, rewrites, kernels, materialised tensors: everything but code generation.
Expected<analysis::Explanation> explain(const ein::Cascade &cascade, const Options &options);
Expected<Compiled> compile(const ein::Cascade &cascade, const Options &options, Want want = {});

/// A kernel in this process. Thread safe; keeps its code loaded while it lives.
class Kernel {
public:
  virtual ~Kernel() = default;
  virtual const einfall_kernel *description() const = 0;
};
/// Fails when this machine lacks an instruction set of the target.
Expected<Kernel> load(const Compiled &compiled);

/// A target built in, for `einfall targets`.
struct TargetInfo {
  std::string name, processor;
  unsigned vectorBits = 0;
  bool fma = false, avx512 = false, avx512bf16 = false, f16c = false;
  std::vector<std::string> missing; ///< instruction sets this machine lacks; empty: runs here
};
std::vector<TargetInfo> targets();

/// For programs, not for libraries: every fatal error inside LLVM ends in abort(),
/// where a program's own handler reports it. LLVM would leave with exit code 1 for
/// some, which here means that the user's input is wrong.
void abortOnFatalErrors();

/// The description alone (ranks, tensors, scalars; no code), for einfall_bind
/// and the interpreter. Owns what the pointers point to.
class Description {
public:
  explicit Description(const ein::Cascade &cascade);
  ~Description();
  Description(Description &&) noexcept;
  const einfall_kernel *get() const;

private:
  struct Data;
  std::unique_ptr<Data> data_;
};

} // namespace einfall::driver
