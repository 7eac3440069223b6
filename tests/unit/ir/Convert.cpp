// Cascades as operations and back: nothing is lost, also through text.
#include "dialects/ein/ir/Convert.h"
#include "frontend/Frontend.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace einfall::ein;
using namespace einfall::ein::ir;

namespace {
bool same(const SourceRange &a, const SourceRange &b) {
  return a.line == b.line && a.column == b.column && a.endLine == b.endLine && a.endColumn == b.endColumn;
}

void compare(const Cascade &a, const Cascade &b, bool ranges) {
  auto checkRange = [&](const SourceRange &x, const SourceRange &y) { CHECK((!ranges || same(x, y))); };
  CHECK(a.name == b.name);
  REQUIRE(a.ranks.size() == b.ranks.size());
  for (size_t i = 0; i < a.ranks.size(); ++i) {
    const Rank &x = a.ranks[i], &y = b.ranks[i];
    INFO("rank " << x.name);
    CHECK(x.name == y.name);
    CHECK(x.aliases == y.aliases);
    CHECK(x.fixed == y.fixed);
    CHECK(equal(x.definition, y.definition));
    CHECK(x.isDefault == y.isDefault);
    checkRange(x.range, y.range);
  }
  REQUIRE(a.splits.size() == b.splits.size());
  for (size_t i = 0; i < a.splits.size(); ++i) {
    CHECK(a.splits[i].whole == b.splits[i].whole);
    CHECK(a.splits[i].parts == b.splits[i].parts);
  }
  REQUIRE(a.variables.size() == b.variables.size());
  for (size_t i = 0; i < a.variables.size(); ++i) {
    CHECK(a.variables[i].name == b.variables[i].name);
    CHECK(a.variables[i].rank == b.variables[i].rank);
  }
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const Tensor &x = a.tensors[i], &y = b.tensors[i];
    INFO("tensor " << x.name);
    CHECK(x.name == y.name);
    CHECK(x.role == y.role);
    CHECK(x.type == y.type);
    CHECK((x.role == Role::Input || x.annotated == y.annotated));
    CHECK(x.ranks == y.ranks);
    for (size_t k = 0; k < x.ranks.size(); ++k) {
      CHECK((k < x.plus.size() ? x.plus[k] : 0) == (k < y.plus.size() ? y.plus[k] : 0));
      CHECK((k < x.depends.size() && x.depends[k]) == (k < y.depends.size() && y.depends[k]));
    }
    CHECK(x.everywhere == y.everywhere);
    CHECK(equal(x.defaultValue, y.defaultValue));
    CHECK(equal(x.empty, y.empty));
    checkRange(x.range, y.range);
  }
  REQUIRE(a.scalars.size() == b.scalars.size());
  for (size_t i = 0; i < a.scalars.size(); ++i) {
    CHECK(a.scalars[i].name == b.scalars[i].name);
    CHECK(a.scalars[i].type == b.scalars[i].type);
    CHECK(equal(a.scalars[i].defaultValue, b.scalars[i].defaultValue));
  }
  REQUIRE(a.equations.size() == b.equations.size());
  for (size_t i = 0; i < a.equations.size(); ++i) {
    const Equation &x = a.equations[i], &y = b.equations[i];
    INFO("equation " << a.tensors[x.tensor].name);
    CHECK(x.tensor == y.tensor);
    REQUIRE(x.lhs.size() == y.lhs.size());
    for (size_t k = 0; k < x.lhs.size(); ++k)
      CHECK(equal(x.lhs[k], y.lhs[k]));
    CHECK(x.vars == y.vars);
    CHECK(equal(x.rhs, y.rhs));
    CHECK(equal(x.where, y.where));
    CHECK(equal(x.init, y.init));
    CHECK((x.init ? x.initRank : -1) == y.initRank);
    CHECK(x.initBackward == y.initBackward);
    checkRange(x.range, y.range);
  }
  REQUIRE(a.schedule.size() == b.schedule.size());
  for (size_t i = 0; i < a.schedule.size(); ++i) {
    CHECK(a.schedule[i].equations == b.schedule[i].equations);
    CHECK(a.schedule[i].rank == b.schedule[i].rank);
    CHECK(a.schedule[i].backward == b.schedule[i].backward);
    CHECK(a.schedule[i].inner == b.schedule[i].inner);
    CHECK(a.schedule[i].innerBackward == b.schedule[i].innerBackward);
  }
  CHECK(print(a) == print(b));
}

void roundTrip(const Cascade &cascade) {
  mlir::MLIRContext context;
  auto module = toModule(&context, {cascade});
  REQUIRE(mlir::succeeded(mlir::verify(*module)));
  auto direct = fromOps(*module->getOps<CascadeOp>().begin());
  REQUIRE(direct);
  compare(cascade, *direct, true);

  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out, mlir::OpPrintingFlags().enableDebugInfo());
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  INFO(text);
  REQUIRE(parsed);
  auto again = fromOps(*parsed->getOps<CascadeOp>().begin());
  REQUIRE(again);
  compare(cascade, *again, true);
}
} // namespace

TEST_CASE("every example survives its operations") {
  size_t seen = 0;
  for (const auto &entry : std::filesystem::directory_iterator(EINFALL_EXAMPLES)) {
    if (entry.path().extension() != ".ein")
      continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    auto result = einfall::frontend::load(entry.path().filename().string(), text.str());
    INFO(entry.path() << "\n" << result.diagnostics.render());
    CHECK(result.diagnostics.empty());
    for (const Cascade &cascade : result.cascades) {
      ++seen;
      roundTrip(cascade);
    }
  }
  CHECK(seen >= 30);
}

TEST_CASE("two cyclic ranks, a backward step, tensors out of order") {
  auto result = einfall::frontend::load("t.ein", R"(
    cascade t(A[I,J] : f32) -> (W[I,J] : f32 empty -1, Z[I,J] : f32) {
      W[i,j] = A[i,j] + 0.5 * (W[i-1,j] else 0) + 0.25 * (W[i,j-1] else 0)   where i != 2
      Z[i,j] = Z[i,j+1] + A[i,j]   init 1
    })");
  INFO(result.diagnostics.render());
  REQUIRE(result.cascades.size() == 1);
  Cascade cascade = result.cascades[0];
  roundTrip(cascade);
  // A transform may number tensors in any order.
  std::swap(cascade.equations[0], cascade.equations[1]);
  for (Component &component : cascade.schedule)
    for (int &equation : component.equations)
      equation = 1 - equation;
  roundTrip(cascade);
}
