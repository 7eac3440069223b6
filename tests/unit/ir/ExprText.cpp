// Expression text: printing then parsing gives back the tree, ids, kinds and flags.
#include "dialects/ein/ir/ExprText.h"
#include "dialects/ein/Cascade.h"
#include <catch2/catch.hpp>
#include <limits>
#include <random>

using namespace einfall::ein;
using namespace einfall::ein::ir;

namespace {
const Names names{{"m", "m.1", "t"}, {"M", "N"}, {"Q", "K", "max_in"}, {"scale", "w"}, {"M.N.C"}};

/// A random tree; kinds need not make sense, they only have to come back.
struct Random {
  std::mt19937 engine;
  int below(int n) { return static_cast<int>(engine() % n); }
  ExprRef leaf() {
    switch (below(7)) {
    case 0:
      return number(std::ldexp(static_cast<double>(engine()) - 2e9, below(200) - 100));
    case 1:
      return integer(static_cast<int64_t>(engine()) - 2000000000);
    case 2:
      return boolean(below(2));
    case 3:
      return extent(below(2));
    case 4:
      return scalar(below(2), static_cast<Kind>(below(3)));
    case 5:
      return number(below(2) ? -std::numeric_limits<double>::infinity() : -0.0);
    default:
      return coord(below(3));
    }
  }
  ExprRef tree(int depth) {
    if (depth == 0)
      return leaf();
    auto sub = [&] { return tree(below(depth)); };
    auto op = static_cast<ExprOp>(below(static_cast<int>(ExprOp::Reduce) + 1));
    switch (op) {
    case ExprOp::Number:
    case ExprOp::Coord:
    case ExprOp::Extent:
    case ExprOp::Scalar:
      return leaf();
    case ExprOp::Read:
      return read(below(3), static_cast<Kind>(below(3)), {sub(), sub()});
    case ExprOp::Tuple:
      return tuple(0, {sub(), sub(), sub()});
    case ExprOp::Neg:
    case ExprOp::Not:
    case ExprOp::Exists:
    case ExprOp::ToFloat:
      return unary(op, sub());
    case ExprOp::If:
      return select(sub(), sub(), sub());
    case ExprOp::Cast:
      return cast(static_cast<Type>(below(14)), sub());
    case ExprOp::Call: {
      auto fn = static_cast<Fn>(below(static_cast<int>(Fn::BitXor) + 1));
      return fn >= Fn::BitAnd ? call(fn, {sub(), sub()}) : call(fn, {sub()});
    }
    case ExprOp::Reduce: {
      auto kind = static_cast<ReduceOp>(below(19));
      auto copy = std::make_shared<Expr>(*reduce(kind, {0, 2}, sub(), below(2) ? sub() : nullptr));
      copy->partial = below(2);
      if (keepsVariables(kind))
        copy->at = {sub(), sub()};
      if (below(2))
        copy->aux = sub();
      return copy;
    }
    default:
      return binary(op, sub(), sub());
    }
  }
};

ExprRef again(const std::string &text, Names table) {
  std::string error;
  ExprRef e = parseExpr(text, table, error);
  INFO(text << ": " << error);
  REQUIRE(e);
  return e;
}
} // namespace

TEST_CASE("random expressions survive their text, named and numbered") {
  Random random{std::mt19937(1)};
  for (int i = 0; i < 3000; ++i) {
    ExprRef e = random.tree(i % 7);
    std::string named = printExpr(e, &names), numbered = printExpr(e);
    INFO(named);
    REQUIRE(equal(again(named, names), e));
    REQUIRE(printExpr(again(named, names), &names) == named);
    REQUIRE(equal(again(numbered, {}), e));
  }
}

TEST_CASE("names are numbered in order of first use") {
  Names table;
  std::string error;
  ExprRef e = parseExpr("K[t] * Q[t, |N|] + @w", table, error);
  REQUIRE(e);
  CHECK(table.tensors == std::vector<std::string>{"K", "Q"});
  CHECK(table.ranks == std::vector<std::string>{"N"});
  std::string missing;
  ExprRef renamed = rename(e, table, names, missing);
  REQUIRE(renamed);
  CHECK(printExpr(renamed, &names) == "K[t] * Q[t, |N|] + @w");
  CHECK(!rename(e, table, Names{}, missing));
  CHECK(!missing.empty());
}

TEST_CASE("malformed texts give one message") {
  for (const char *text :
       {"", "1 +", "(1", "Q[", "|M", "exp()", "exp(1, 2)", "foo(1)", "sum[] 1", "cast<f33>(1)", "(1, 2)",
        "1 2", "#x", "1e", "if 1 then 2", "x:z", "99999999999999999999", "min(1)", "sum[m where] 1"}) {
    Names table;
    std::string error;
    INFO(text);
    CHECK(!parseExpr(text, table, error));
    CHECK(!error.empty());
  }
  Names table;
  std::string error, deep(100000, '('), minus(100000, '-');
  CHECK(!parseExpr(deep + "1", table, error));
  CHECK(error.find("nested too deeply") != std::string::npos);
  CHECK(!parseExpr(minus + "x", table, error));
}
