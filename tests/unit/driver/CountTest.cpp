//===- CountTest.cpp - work over existing points ---------------------------------===//
#include "compiler/driver/Count.h"
#include "frontend/Frontend.h"
#include <catch2/catch.hpp>

using namespace einfall;

static driver::WorkCount count(const std::string &text, std::map<std::string, int64_t> extents,
                               std::map<std::string, std::vector<int64_t>> tables = {},
                               int64_t exact = int64_t(1) << 22) {
  frontend::Result result = frontend::load("t.ein", text);
  INFO(result.diagnostics.render());
  REQUIRE(result.cascades.size() == 1);
  const ein::Cascade &cascade = result.cascades[0];
  ein::Environment environment;
  for (const ein::Rank &rank : cascade.ranks)
    environment.extent.push_back(extents.at(rank.name));
  environment.tensors.resize(cascade.tensors.size());
  for (auto &[name, values] : tables) {
    ein::Array array;
    array.type = cascade.tensors[cascade.tensorNamed(name)].type;
    array.shape = {static_cast<int64_t>(values.size())};
    for (int64_t v : values)
      array.value.push_back(ein::cellOf(v));
    environment.tensors[cascade.tensorNamed(name)] = array;
  }
  return driver::countWork(cascade, environment, exact);
}

static const char *causal = R"(
cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32, scale : f32 = 1) -> (O[P,F] : f32) {
  S[p,m] = scale * Q[p,e] * K[m,e]   where m <= p
  X[p]   = max[m] S[p,m]
  N[p,m] = exp(S[p,m] - X[p])
  D[p]   = sum[m] N[p,m]
  A[p,m] = N[p,m] / D[p]
  O[p,f] = A[p,m] * V[m,f]
})";

TEST_CASE("a causal mask halves the work, conditions reach their readers") {
  double P = 10, E = 4, F = 3, pairs = P * (P + 1) / 2;
  double want = P * E            // scale * Q
                + pairs * E * 2  // contraction
                + pairs          // max
                + pairs * 2      // subtract, exp
                + pairs          // sum
                + pairs          // divide
                + pairs * F * 2; // contraction
  auto got = count(causal, {{"P", 10}, {"M", 10}, {"E", 4}, {"F", 3}});
  CHECK(got.flops == want);
  CHECK_FALSE(got.sampled);
  CHECK_FALSE(got.estimated);
}

TEST_CASE("beyond the exact budget a sample is close") {
  auto exact = count(causal, {{"P", 200}, {"M", 200}, {"E", 4}, {"F", 3}});
  auto sampled = count(causal, {{"P", 200}, {"M", 200}, {"E", 4}, {"F", 3}}, {}, 4096);
  CHECK(sampled.sampled);
  CHECK(sampled.flops == Approx(exact.flops).epsilon(0.02));
}

TEST_CASE("tables count, and without them the condition is taken to hold") {
  const char *text = R"(
cascade c(A[B,M] : f32, len[B] : i32) -> (O[B] : f32) {
  O[b] = sum[m where m < len[b]] A[b,m]
})";
  CHECK(count(text, {{"B", 3}, {"M", 10}}, {{"len", {2, 10, 0}}}).flops == 12);
  auto without = count(text, {{"B", 3}, {"M", 10}});
  CHECK(without.flops == 30);
  CHECK(without.estimated);
}

TEST_CASE("parts of a split see the condition on the whole") {
  const char *text = R"(
cascade c(A[M] : f32) -> (O[N] : f32) {
  split M = (N, C = 4)
  T[m]  = 2 * A[m]   where m < 6
  O[n]  = sum[c] T[(n,c)]
})";
  // 6 products; N = 2 blocks of 4, of which 6 points exist.
  CHECK(count(text, {{"M", 8}, {"N", 2}, {"C", 4}}).flops == 12);
}
