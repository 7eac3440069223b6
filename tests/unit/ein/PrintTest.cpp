// Printing: minimal parentheses, names, `v in R`; and whole cascades come back.
#include "tests/unit/ein/Evaluated.h"
#include <algorithm>

using namespace einfall;
using namespace einfall::ein;

namespace {

Cascade checked(const std::string &text) {
  frontend::Result result = frontend::load("test.ein", text);
  INFO(text);
  INFO(result.diagnostics.render());
  REQUIRE(result.diagnostics.empty());
  return result.cascades.at(0);
}

/// The right side of `o = ..` over some names, parsed and printed.
std::string again(const std::string &expression) {
  Cascade c = checked(
      "cascade c(a : f32, b : f32, d : f32, i : index, j : index, k : index, X[N,M] : f32, Y[M] : f32)"
      " -> (o : f32) { o = " +
      expression + " }");
  return print(c, c.equationOf(c.tensorNamed("o"))->rhs);
}

void roundTrip(const std::string &text) {
  Cascade first = checked(text);
  std::string printed = print(first);
  Cascade second = checked(printed);
  INFO(printed);
  CHECK(print(second) == printed);
  REQUIRE(second.equations.size() == first.equations.size());
  REQUIRE(second.tensors.size() == first.tensors.size());
  for (const Equation &eq : first.equations) {
    const Tensor &tensor = first.tensors[eq.tensor];
    TensorId other = second.tensorNamed(tensor.name);
    REQUIRE(other >= 0);
    CHECK(second.tensors[other].type == tensor.type);
    CHECK(second.tensors[other].annotated == tensor.annotated);
    CHECK(second.tensors[other].depends == tensor.depends);
    CHECK(print(second, *second.equationOf(other)) == print(first, eq));
  }
}

} // namespace

TEST_CASE("print: parentheses where the grammar needs them, nowhere else") {
  for (const char *text : {"a + b - d",
                           "a - (b - d)",
                           "a * (b + d)",
                           "a / b * d",
                           "a / (b * d)",
                           "-a * b",
                           "-(a * b)",
                           "-a ^ b",
                           "(-a) ^ b",
                           "a ^ -b",
                           "a ^ b ^ d",
                           "(a ^ b) ^ d",
                           "a * -b",
                           "if a < b then a else b + d",
                           "(if a < b then a else b) + d",
                           "if not a < b and (b < d or a == d) then 1.0 else inf",
                           "sum[m] Y[m] * 2.0",
                           "(sum[m] Y[m]) * 2.0",
                           "2.0 * sum[m] Y[m]",
                           "-sum[m] Y[m]",
                           "(sum[m] Y[m]) + a",
                           "sum[m] (Y[m] + a)",
                           "sum[m] -Y[m] / a",
                           "max(a, b) - min(a, b)",
                           "exp(a - b)",
                           "(Y[i] else a)",
                           "cast<f16>(a + b)",
                           "X[i div 2,j mod 2]",
                           "1.5e-07 * a",
                           "1e+30 * a",
                           "-inf + a",
                           "sum[n, m where n <= m and m < k] X[n,m]",
                           "mean[m] Y[m]",
                           "a ^ sum[m] Y[m]"}) {
    std::string expected = text;
    // A reduction takes its product, not the sum around it.
    if (expected == "(sum[m] Y[m]) + a")
      expected = "sum[m] Y[m] + a";
    CHECK(again(text) == expected);
  }
}

TEST_CASE("print: colliding names are told apart, ranks are said where the text does not") {
  Cascade c =
      checked("cascade c(X[N,M] : f32, Z[M] : f32, W[W2] : f32) -> (O[N] : f32, P[U] : f32)"
              "{ rank U = |N| + |M| O[n] = sum[m] X[n,m]  P[u in U] = if u < |M| then Z[u] else W[u] }");
  CHECK(print(c, *c.equationOf(c.tensorNamed("P"))) == "P[u in U] = if u < |M| then Z[u] else W[u]");
  // A rewrite puts one sum over m inside another.
  VarId other = c.addVariable("m", c.rankNamed("M"));
  Equation eq = *c.equationOf(c.tensorNamed("O"));
  eq.rhs = reduce(ReduceOp::Sum, {other},
                  binary(ExprOp::Mul, read(c.tensorNamed("Z"), Kind::Float, {coord(other)}), eq.rhs));
  CHECK(print(c, eq) == "O[n] = sum[m] Z[m] * sum[m2] X[n,m2]");
  // Siblings may share a name, not with different ranks.
  VarId third = c.addVariable("m", c.rankNamed("W2"));
  eq.rhs = binary(ExprOp::Add,
                  reduce(ReduceOp::Sum, {other}, read(c.tensorNamed("Z"), Kind::Float, {coord(other)})),
                  reduce(ReduceOp::Sum, {third}, read(c.tensorNamed("W"), Kind::Float, {coord(third)})));
  CHECK(print(c, eq) == "O[n] = sum[m] Z[m] + sum[m2] W[m2]");
  // Nothing tells the rank of a variable that is no subscript.
  VarId fourth = c.addVariable("q", c.rankNamed("M"));
  eq.rhs = reduce(ReduceOp::Sum, {fourth}, unary(ExprOp::ToFloat, coord(fourth)));
  CHECK(print(c, eq) == "O[n] = sum[q in M] q");
}

TEST_CASE("print: whole cascades come back equal") {
  roundTrip(R"(
    cascade causal_gqa(Q[B,H,P,E] : bf16, K[B,J,M,E] : bf16, V[B,J,M,F] : bf16, scale : f32 = 1 / sqrt(|E|))
        -> (O[B,H,P,F] : bf16, LSE[B,H,P] : f32 empty -inf) {
      split H = (J, G)
      S[b,j,g,p,m] : f64 = scale * Q[b,(j,g),p,e] * K[b,j,m,e]   where m <= p + |M| - |P|
      X[b,j,g,p]   = max[m] S[b,j,g,p,m]
      N[b,j,g,p,m] = exp(S[b,j,g,p,m] - X[b,j,g,p])
      D[b,j,g,p]   = sum[m] N[b,j,g,p,m]
      A[b,j,g,p,m] = N[b,j,g,p,m] / D[b,j,g,p]
      O[b,(j,g),p,f] = A[b,j,g,p,m] * V[b,j,m,f]
      LSE[b,(j,g),p] = X[b,j,g,p] + log(D[b,j,g,p])
    })");
  roundTrip(R"(
    cascade state(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32, G[T] : f32, S0[E,F] : f32 = 0)
        -> (O[T,F] : f32, ST[E,F] : f32) {
      S[t,e,f] = exp(G[t]) * S[t-1,e,f] + K[t,e] * V[t,f]   init S0[e,f]
      O[t,f]   = Q[t,e] * S[t,e,f]
      ST[e,f]  = S[|T|-1,e,f]
    })");
  roundTrip(R"(
    cascade blocks(Q[H,T,E] : f32, K[H,T,E] : f32, page[B,NP] : index, ptr[B + 1] : index, Z2[NP] : f32)
        -> (S[H,T,T] : f32, C2[B] : f32, Y[B] : index) {
      split T = (N, C = 64)
      KM[h,n,e]  = mean[c] K[h,(n,c),e]
      R[h,t,n]   = if n == t div |C| then inf else sum[e] Q[h,t,e] * KM[h,n,e]   where n <= t div |C|
      Sel[h,t,n] = top[n; 3] R[h,t,n]
      S[h,t,(n,c)] = Q[h,t,e] * K[h,(n,c),e]   where Sel[h,t,n] and n*|C| + c <= t
      C2[b] = sum[z in NP where ptr[b] <= z < ptr[b+1]] Z2[page[b,z]]
      Y[b]  = argmax[n in NP] Z2[n] + count[s in NP] (page[b,s] > 2)
      L[n in NP] = cumsum[n] Z2[n]
      W[n in NP] = top_mass[n; 0.9] Z2[n]
    })");
  roundTrip(R"(
    cascade calls(S[P,M] : f32, V[M,F] : f32, w : index = 3) -> (O[P,F] : f32) {
      rank U = |P| + |M|
      param alpha : f32 = 0.5
      O[p,f] = softmax(alpha * S[p,m]; m) * V[m,f]
      T[u in U] = if u < |P| then 1.0 else cast<f32>(u)
    })");
}
