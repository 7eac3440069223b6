//===- CodegenTest.cpp - from the llvm dialect to a result ---------------------------===//
#include "compiler/driver/Codegen.h"
#include "Scaled.h"
#include "compiler/driver/Target.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

using namespace einfall::driver;

namespace {

/// The hand-written module through code generation.
Compiled compileScaled(const std::string &targetName, const char *text = scaledModule(), Want want = {}) {
  Description description(scaledCascade());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::LLVM::LLVMDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  REQUIRE(module);
  einfall::pipeline::Target target;
  Compiled compiled;
  std::string error;
  REQUIRE(resolveTarget(targetName, target, error));
  const bool done = generate(*module, *description.get(), target, want, compiled, error);
  INFO(error);
  REQUIRE(done);
  compiled.name = "scaled";
  compiled.target = targetName;
  return compiled;
}

einfall_tensor vectorOf(float *data, int64_t count) {
  einfall_tensor t{};
  t.data = data;
  t.type = EINFALL_F32;
  t.rank = 1;
  t.shape[0] = count;
  t.stride[0] = 1;
  return t;
}

} // namespace

TEST_CASE("a module is compiled, loaded and run") {
  Compiled compiled = compileScaled("native", scaledModule(), {true, true});
  CHECK(compiled.object.substr(1, 3) == "ELF");
  CHECK(compiled.llvmText.find("@scaled_kernel") != std::string::npos);
  CHECK(compiled.assembly.find("scaled_kernel") != std::string::npos);
  auto kernel = load(compiled);
  INFO(kernel.failure.text);
  REQUIRE(kernel);
  const einfall_kernel *description = kernel->description();
  CHECK(std::string(description->name) == "scaled");

  float x[5] = {0, 1, 2, 3, 4}, y[5] = {};
  einfall_tensor tx = vectorOf(x, 5), ty = vectorOf(y, 5), wrong = vectorOf(y, 4);
  char text[256];
  for (int threads : {1, 2}) {
    einfall_pool *pool = einfall_pool_create(threads);
    const einfall_argument byDefault[] = {{"X", &tx, 0, 0, 0}, {"Y", &ty, 0, 0, 0}};
    REQUIRE(einfall_run(description, byDefault, 2, pool, text, sizeof text) == EINFALL_OK);
    for (int p = 0; p < 5; ++p)
      CHECK(y[p] == Approx(x[p] / std::sqrt(5.0) + 0.5));
    const einfall_argument given[] = {
        {"X", &tx, 0, 0, 0}, {"Z", &tx, 0, 0, 0}, {"Y", &ty, 0, 0, 0}, {"s", nullptr, 1, 0, 3}};
    REQUIRE(einfall_run(description, given, 4, pool, text, sizeof text) == EINFALL_OK);
    for (int p = 0; p < 5; ++p)
      CHECK(y[p] == 4 * x[p]);
    einfall_pool_destroy(pool);
  }
  const einfall_argument bad[] = {{"X", &tx, 0, 0, 0}, {"Y", &wrong, 0, 0, 0}};
  CHECK(einfall_run(description, bad, 2, nullptr, text, sizeof text) == EINFALL_BAD_ARGUMENT);
  CHECK(std::string(text) == "rank P: 5 in 'X', 4 in 'Y' [ein-c1]");
}

TEST_CASE("two kernels live side by side") {
  auto a = load(compileScaled("native")), b = load(compileScaled("native"));
  REQUIRE(a);
  REQUIRE(b);
  CHECK(a->description() != b->description());
}

TEST_CASE("a module without the functions is a defect, not a crash") {
  Description description(scaledCascade());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::LLVM::LLVMDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>("llvm.func @other()", &context);
  einfall::pipeline::Target target;
  Compiled compiled;
  std::string error;
  REQUIRE(resolveTarget("native", target, error));
  CHECK(!generate(*module, *description.get(), target, {}, compiled, error));
  CHECK(error == "the compiled module lacks @scaled_sizes or @scaled_main");
}

TEST_CASE("targets by name") {
  einfall::pipeline::Target target;
  std::string error;
  REQUIRE(resolveTarget("x86-64-v2", target, error));
  CHECK(target.vectorBits == 128);
  CHECK(!target.fma);
  REQUIRE(resolveTarget("x86-64-v3", target, error));
  CHECK(target.vectorBits == 256);
  CHECK((target.fma && target.f16c && !target.avx512));
  REQUIRE(resolveTarget("x86-64-v4", target, error));
  CHECK(target.vectorBits == 512);
  CHECK((target.avx512 && !target.avx512bf16));
  REQUIRE(resolveTarget("znver4", target, error));
  CHECK(target.avx512bf16);
  CHECK(!resolveTarget("pentium9", target, error));
  CHECK(error.find("unknown target 'pentium9'") == 0);
  CHECK(!resolveTarget("sm_90a", target, error));
  CHECK(error.find("target 'sm_90a': code for GPUs is not built in") == 0);
  CHECK(!resolveTarget("i686", target, error));
  CHECK(!resolveTarget("", target, error));
  CHECK(targets().size() >= 5);
  CHECK(targets()[0].missing.empty());
}

TEST_CASE("objects for other targets are written, and refused here when they would not run") {
  for (const TargetInfo &info : targets()) {
    Compiled compiled = compileScaled(info.name);
    auto kernel = load(compiled);
    CHECK(bool(kernel) == info.missing.empty());
    if (!kernel) {
      CHECK(!kernel.failure.defect);
      CHECK(kernel.failure.text.find("does not run here") != std::string::npos);
    }
  }
}
