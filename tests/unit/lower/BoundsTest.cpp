// Loop bounds from predicates, and the default tile program, on checked cascades.
#include "compiler/lower/Bounds.h"
#include "compiler/lower/Lower.h"
#include "compiler/lower/Schedule.h"
#include "compiler/transforms/Normalize.h"
#include "dialects/ein/ir/Convert.h"
#include "frontend/Frontend.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include <catch2/catch.hpp>

using namespace einfall;
using namespace einfall::ein;

namespace {
Cascade cascadeOf(const std::string &text) {
  auto result = frontend::load("test.ein", text);
  REQUIRE(result.cascades.size() == 1);
  return result.cascades[0];
}

/// Bounds that the first reduction's filter puts on its variable, as text.
std::string boundsText(const std::string &filter, bool &exact) {
  Cascade c = cascadeOf("cascade t(A[P,M] : f32, len[P] : i32) -> (Y[P] : f32) {\n"
                        "  Y[p] = sum[m where " +
                        filter + "] A[p,m]\n}\n");
  const Expr &e = *c.equations[0].rhs;
  std::string text;
  for (const lower::Bound &b : lower::boundsOf(e.filter, e.vars[0], exact))
    text += std::string(b.lower ? (b.closed ? ">= " : "> ") : (b.closed ? "<= " : "< ")) + print(c, b.limit) +
            "; ";
  return text;
}

std::string tileText(const Cascade &cascade) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  lower::loadDialects(context);
  auto module = ein::ir::toModule(&context, {cascade});
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module->getBody());
  auto program = lower::buildProgram(builder, cascade);
  REQUIRE(mlir::succeeded(mlir::verify(*module)));
  std::string text;
  llvm::raw_string_ostream stream(text);
  program->print(stream);
  return text;
}
} // namespace

TEST_CASE("comparisons affine in the variable are bounds") {
  bool exact = false;
  CHECK(boundsText("m <= p", exact) == "<= p; ");
  CHECK(exact);
  CHECK(boundsText("m < len[p]", exact) == "< len[p]; ");
  CHECK(exact);
  CHECK(boundsText("p - m < 3", exact) == "> p - 3; ");
  CHECK(exact);
  CHECK(boundsText("m == p", exact) == "<= p; >= p; ");
  CHECK(exact);
}

TEST_CASE("others are left to be tested") {
  bool exact = true;
  CHECK(boundsText("m mod 2 == 0", exact).empty());
  CHECK_FALSE(exact);
  boundsText("2 * m == p", exact); // narrows, but m must still be tested
  CHECK_FALSE(exact);
}

TEST_CASE("what the body needs confines its variables") {
  Cascade c = cascadeOf("cascade t(A[P] : f32, B[W] : f32) -> (Y[P] : f32) {\n"
                        "  Y[p] = sum[w] A[p - w] * B[w]\n}\n");
  const Expr &e = *c.equations[0].rhs;
  CHECK(e.partial);
  CHECK(lower::necessaryConditions(c, e.args[0]).size() == 2); // 0 <= p - w, p - w < |P|
}

TEST_CASE("a recurrence is one kernel, parallel over what nothing shifts") {
  Cascade c = cascadeOf("cascade t(A[B,T,E] : f32) -> (O[B,E] : f32) {\n"
                        "  S[b,t,e] = 0.5 * S[b,t-1,e] + A[b,t,e] init 0\n"
                        "  Dead[b] = sum[t, e] A[b,t,e]\n"
                        "  O[b,e] = S[b,|T|-1,e]\n}\n");
  std::string text = tileText(transforms::normalize(c));
  CHECK(text.find("tile.steps \"T\" shared [\"B\", \"E\"]") != std::string::npos);
  CHECK(text.find("tile.nest \"S\" step 1") != std::string::npos);
  CHECK(text.find("Dead") == std::string::npos);
}

TEST_CASE("tensors with missing points get a presence map") {
  Cascade c = cascadeOf("cascade t(A[P,M] : f32) -> (Y[P] : f32) {\n"
                        "  S[p,m] = 2 * A[p,m] where m <= p\n"
                        "  Y[p] = max[m] S[p,m]\n}\n");
  std::string text = tileText(transforms::normalize(c));
  CHECK(text.find("tile.buffer \"S\" [\"P\", \"M\"] \"f32\" presence") != std::string::npos);
}
