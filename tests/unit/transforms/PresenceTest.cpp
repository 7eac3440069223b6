// Existence as a predicate, integer simplification, and the way through the algebra.
#include "compiler/transforms/Presence.h"
#include "Case.h"
#include "compiler/transforms/Normalize.h"
#include "compiler/transforms/Symbolic.h"
#include "dialects/ein/Evaluator.h"
#include <cmath>
#include <random>

namespace einfall {
using namespace ein;

namespace {

std::string presenceOf(const std::string &text, const std::string &tensor) {
  Cascade c = loaded(text);
  ExprRef p = transforms::presence(c, c.equationOf(c.tensorNamed(tensor))->rhs);
  return p ? print(c, p) : "always";
}

/// The tensor's points where `presence` of its right side and its own `where` say.
void agrees(const Cascade &c, uint64_t seed) {
  Environment env = arguments(c, seed);
  env.keepIntermediates = true;
  std::string error;
  REQUIRE(evaluate(c, env, error));
  for (const Equation &eq : c.equations) {
    if (eq.init || !env.tensors[eq.tensor] || kindOf(c.tensors[eq.tensor].type) == Kind::Bool)
      continue;
    Cascade asked = c;
    ExprRef p = transforms::presence(c, read(eq.tensor, kindOf(c.tensors[eq.tensor].type), eq.lhs));
    Tensor t = c.tensors[eq.tensor];
    t.name = "asked";
    t.role = Role::Intermediate;
    t.type = Type::Bool;
    t.empty = nullptr;
    Equation ask = eq;
    ask.tensor = asked.addTensor(t);
    ask.rhs = p ? p : boolean(true);
    ask.where = nullptr;
    asked.equations.push_back(ask);
    Environment with = env;
    with.tensors.resize(asked.tensors.size());
    Component alone;
    alone.equations = {static_cast<int>(asked.equations.size()) - 1};
    REQUIRE(evaluateComponent(asked, with, alone, error));
    const Array &truth = *env.tensors[eq.tensor], &answer = *with.tensors[ask.tensor];
    INFO(print(c, eq));
    INFO((p ? print(c, p) : std::string("always")));
    for (size_t i = 0; i < truth.value.size(); ++i) {
      INFO("point " << i);
      bool stands = truth.present.empty() || truth.present[i];
      bool said = answer.present[i] && answer.value[i].i;
      CHECK(stands == said);
    }
  }
}

} // namespace

TEST_CASE("presence as text") {
  CHECK(
      presenceOf(
          "cascade c(S[P,M] : f64) -> (Y[P,M] : f64) { T[p,m] = S[p,m] where m <= p  Y[p,m] = exp(T[p,m]) }",
          "Y") == "m <= p");
  CHECK(presenceOf("cascade c(S[P,M] : f64) -> (Y[P,M] : f64) { Y[p,m] = exp(S[p,m]) }", "Y") == "always");
  CHECK(presenceOf("cascade c(S[P] : f64) -> (Y[P] : f64) { Y[p] = S[p-2] }", "Y") ==
        "0 <= p - 2 and p - 2 < |P|");
  CHECK(presenceOf("cascade c(S[P] : f64) -> (Y[P] : f64) { Y[p] = (S[p-2] else 0) }", "Y") == "always");
}

TEST_CASE("presence says where points are") {
  for (const Named &c : handwritten())
    DYNAMIC_SECTION(c.name) {
      for (uint64_t seed : {0, 1, 2, 7})
        agrees(transforms::normalize(loaded(c.text)), seed);
    }
  for (uint64_t seed = 0; seed < 60; ++seed)
    DYNAMIC_SECTION("seed " << seed) { agrees(transforms::normalize(loaded(randomCascade(seed))), seed); }
}

TEST_CASE("conjunction drops what is known") {
  ExprRef a = binary(ExprOp::Lt, coord(0), integer(3)), b = binary(ExprOp::Lt, coord(1), integer(3));
  CHECK_FALSE(transforms::conjunction(nullptr, nullptr));
  CHECK(transforms::conjunction(a, nullptr) == a);
  CHECK(equal(transforms::conjunction(nullptr, a), a));
  CHECK(transforms::conjunction(a, a) == a);
  ExprRef both = transforms::conjunction(a, b);
  CHECK(transforms::conjunction(both, b) == both);
}

TEST_CASE("integer simplification") {
  Cascade c = loaded("cascade c(S[T] : f64) -> (Y[T] : f64) { split T = (N, C = 3)  Y[(n,c)] = S[(n,c)] }");
  ExprRef x = coord(0), y = coord(1);
  auto simple = [&](const ExprRef &e) { return print(c, transforms::simplify(c, e)); };
  auto add = [](ExprRef a, ExprRef b) { return binary(ExprOp::Add, a, b); };
  auto sub = [](ExprRef a, ExprRef b) { return binary(ExprOp::Sub, a, b); };
  CHECK(simple(add(x, integer(0))) == print(c, x));
  CHECK(simple(sub(add(x, y), y)) == print(c, x));
  CHECK(simple(sub(add(x, integer(2)), integer(2))) == print(c, x));
  CHECK(simple(sub(x, x)) == "0");
  CHECK(simple(binary(ExprOp::Mul, x, integer(1))) == print(c, x));
  CHECK(simple(select(boolean(true), x, y)) == print(c, x));
  CHECK(simple(binary(ExprOp::And, boolean(true), binary(ExprOp::Lt, x, y))) ==
        print(c, binary(ExprOp::Lt, x, y)));
  SplitId s = 0;
  ExprRef size = extent(c.splits[s].parts[1]);
  CHECK(simple(tuple(s, {binary(ExprOp::IDiv, x, size), binary(ExprOp::Mod, x, size)})) == print(c, x));
}

TEST_CASE("there and back through the algebra") {
  const char *forms[] = {"exp(A[p] - B[p]) / (1 + C[p] * C[p])",
                         "log(1 + A[p] * A[p]) - 2 * B[p]",
                         "(A[p] - B[p])^2 * exp2(C[p])",
                         "sqrt(abs(A[p]) + 1) * rsqrt(B[p] * B[p] + 2)",
                         "tanh(A[p]) + sigmoid(B[p]) - silu(C[p])",
                         "if A[p] > 0 then exp(B[p]) else B[p] / 3",
                         "max(A[p], B[p]) - min(B[p], C[p])",
                         "-A[p] * -B[p] / -(1 + C[p] * C[p])",
                         "exp(A[p]) * exp(B[p]) * exp(-A[p])",
                         "erf(A[p]) * gelu(B[p]) + relu(C[p]) - softplus(A[p])",
                         "A[p] * 0.1 + p * 0.25 - |P|",
                         "cos(A[p]) * sin(B[p]) + expm1(C[p]) + log1p(B[p] * B[p])"};
  for (const char *form : forms)
    DYNAMIC_SECTION(form) {
      Cascade c =
          loaded(std::string("cascade c(A[P] : f64, B[P] : f64, C[P] : f64) -> (Y[P] : f64) { Y[p] = ") +
                 form + " }");
      Cascade after = c;
      transforms::Symbolic symbolic(c);
      after.equations[0].rhs = symbolic.toExpr(symbolic.toSym(c.equations[0].rhs));
      INFO(print(after));
      Environment env = arguments(c, 3);
      CHECK(difference(evaluated(c, env), evaluated(after, env)) == "");
    }
}

} // namespace einfall
