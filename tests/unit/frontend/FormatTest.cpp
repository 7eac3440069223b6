//===- FormatTest.cpp - canonical layout ---------------------------------------===//
#include "SyntaxSupport.h"
#include <catch2/catch.hpp>
#include <random>

using namespace syntax;

static const char *canonical = R"(// Causal grouped-query attention.
cascade causal_gqa(Q[B,H,P,E] : bf16, K[B,J,M,E] : bf16, V[B,J,M,F] : bf16, scale : f32 = 1 / sqrt(|E|))
    -> (O[B,H,P,F] : bf16, LSE[B,H,P] : f32) {
  split H = (J, G)                                      // query head h = j*|G| + g
  S[b,j,g,p,m]   = scale * Q[b,(j,g),p,e] * K[b,j,m,e]  // e is absent on the left: summed
                     where m <= p + |M| - |P|           // outside: no such point
  X[b,j,g,p]     = max[m] S[b,j,g,p,m]
  O[b,(j,g),p,f] = A[b,j,g,p,m] * V[b,j,m,f]

  // a second group
  LSE[b,(j,g),p] = X[b,j,g,p] + log(D[b,j,g,p])
}

fn rotate(x; e) { h = |e| div 2  return if e < h then -x[e = e + h] else x[e = e - h] }
fn long_one(x, y; m, n) {
  a   = max[m, n where m <= n] x
  two = (x else -inf)^2
  return a + two
}

cascade rest(ptr[R + 1] : i32 = 0 empty 3, n : index) -> (Y[R] : f32 empty -inf) {
  param w : index = 256
  rank U = |R| + 1
  Y[r,u in U]  : f64 = sum[k in K where k < w; 3] cast<f32>(A[ptr[r]-1,k div 2 + 1,max(k-1, 0),(k,n*|U|)]) * B[k]   where not r == 1 and -r < 2   init -1
  Long[r]            = alpha[r] * beta[r] + gamma_with_a_long_name[r] * delta_with_a_long_name[r] - epsilon_too[r] * zeta[r] / eta[r]
  VeryLongName[r] = if r < 1 then 2 else 3
}
)";

static void checkStable(const std::string &text) {
  INFO(text);
  Parsed p = parse(text);
  REQUIRE(p.diagnostics.render() == "");
  std::string once = formatted(text);
  CHECK(tokensOf(once) == tokensOf(text));
  CHECK(formatted(once) == once);
}

TEST_CASE("canonical text is a fixed point") {
  std::string text = canonical;
  std::string head = text.substr(0, text.find("\ncascade rest"));
  CHECK(formatted(head) == head);
}

TEST_CASE("formatting keeps the tokens and is idempotent") { checkStable(canonical); }

TEST_CASE("long equations break at the loosest operator, within the width") {
  std::string out = formatted(canonical);
  CHECK(out.find("  Y[r,u in U] : f64 = sum[k in K where k < w; 3]") != std::string::npos);
  CHECK(out.find("\n                        where not r == 1 and -r < 2") != std::string::npos);
  size_t begin = 0;
  while (begin < out.size()) {
    size_t end = out.find('\n', begin);
    CHECK(end - begin <= 110);
    begin = end + 1;
  }
}

TEST_CASE("any blanks and comments: tokens stay, the second run changes nothing") {
  std::mt19937 random(7);
  auto tokens = tokensOf(canonical);
  tokens.resize(std::find(tokens.begin(), tokens.end(), "") - tokens.begin());
  for (int round = 0; round < 60; ++round) {
    std::string text;
    int dice = 4 + random() % 40;
    for (auto &token : tokens) {
      text += token;
      switch (random() % dice) {
      case 0:
        text += "\n";
        break;
      case 1:
        text += " // trailing " + std::to_string(random() % 10) + "\n";
        break;
      case 2:
        text += "\n  // own\n\n\n";
        break;
      case 3:
        text += "\r\n\t";
        break;
      default:
        text += " ";
      }
    }
    checkStable(text);
  }
}

TEST_CASE("blank lines are kept, at most one, none at the ends of a body") {
  std::string out = formatted(
      "\n\n// head\n\n\ncascade c(A[P] : f32)->(O[P]:f32){\n\n\nX[p]=A[p]\n\n\n\nO[p]=X[p]\n\n}\n\n\n");
  CHECK(out == "// head\n\ncascade c(A[P] : f32) -> (O[P] : f32) {\n  X[p] = A[p]\n\n  O[p] = X[p]\n}\n");
}
