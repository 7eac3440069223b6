//===- SemaTest.cpp - what the checks accept, and what they derive ------------===//
#include "dialects/ein/Cascade.h"
#include "frontend/Frontend.h"
#include <catch2/catch.hpp>

using namespace einfall;
using namespace einfall::frontend;

namespace {
ein::Cascade accept(const std::string &text, const Bindings &bindings = {}) {
  Result result = load("test.ein", text, bindings);
  INFO(text << "\n" << result.diagnostics.render());
  REQUIRE(result.diagnostics.empty());
  REQUIRE(result.cascades.size() == 1);
  return result.cascades[0];
}

std::string equation(const ein::Cascade &c, std::string_view tensor) {
  const ein::Equation *e = c.equationOf(c.tensorNamed(tensor));
  REQUIRE(e);
  return ein::print(c, *e);
}

/// Names of the ranks on which the existence of a tensor's points depends.
std::string depends(const ein::Cascade &c, std::string_view tensor) {
  const ein::Tensor &t = c.tensors[c.tensorNamed(tensor)];
  std::string result;
  for (size_t i = 0; i < t.ranks.size(); ++i)
    if (t.depends[i])
      result += c.ranks[t.ranks[i]].name;
  return result;
}

std::vector<bool> partialFlags(const ein::Cascade &c, std::string_view tensor) {
  std::vector<bool> flags;
  ein::walk(c.equationOf(c.tensorNamed(tensor))->rhs, [&](const ein::Expr &e) {
    if (e.op == ein::ExprOp::Reduce)
      flags.push_back(e.partial);
  });
  return flags;
}

bool everywhere(const ein::Cascade &c, std::string_view tensor) {
  return c.tensors[c.tensorNamed(tensor)].everywhere;
}

/// `R U S along T; O`
std::string schedule(const ein::Cascade &c) {
  std::string result;
  for (const ein::Component &step : c.schedule) {
    result += result.empty() ? "" : "; ";
    for (size_t i = 0; i < step.equations.size(); ++i)
      result += (i ? " " : "") + c.tensors[c.equations[step.equations[i]].tensor].name;
    if (step.rank >= 0)
      result += " along " + c.ranks[step.rank].name + (step.backward ? " backward" : "");
    if (step.inner >= 0)
      result += " inside " + c.ranks[step.inner].name + (step.innerBackward ? " backward" : "");
  }
  return result;
}
} // namespace

TEST_CASE("language section 1: grouped attention", "[sema]") {
  auto c = accept(R"(
    cascade causal_gqa(Q[B,H,P,E] : bf16, K[B,J,M,E] : bf16, V[B,J,M,F] : bf16, scale : f32 = 1 / sqrt(|E|))
        -> (O[B,H,P,F] : bf16, LSE[B,H,P] : f32) {
      split H = (J, G)
      S[b,j,g,p,m] = scale * Q[b,(j,g),p,e] * K[b,j,m,e] where m <= p + |M| - |P|
      X[b,j,g,p]   = max[m] S[b,j,g,p,m]
      N[b,j,g,p,m] = exp(S[b,j,g,p,m] - X[b,j,g,p])
      D[b,j,g,p]   = sum[m] N[b,j,g,p,m]
      A[b,j,g,p,m] = N[b,j,g,p,m] / D[b,j,g,p]
      O[b,(j,g),p,f] = A[b,j,g,p,m] * V[b,j,m,f]
      LSE[b,(j,g),p] = X[b,j,g,p] + log(D[b,j,g,p])
    })");
  CHECK(equation(c, "S") ==
        "S[b,j,g,p,m] = sum[e] scale * Q[b,(j,g),p,e] * K[b,j,m,e] where m <= p + |M| - |P|");
  CHECK(c.tensors[c.tensorNamed("S")].type == ein::Type::F32);
  CHECK(partialFlags(c, "S") == std::vector<bool>{false});
  CHECK(partialFlags(c, "O") == std::vector<bool>{true});
  CHECK_FALSE(everywhere(c, "S"));
  CHECK(everywhere(c, "X"));
  CHECK(everywhere(c, "O"));
  CHECK(schedule(c) == "S; X; N; D; A; O; LSE");
}

TEST_CASE("language section 5: recurrences", "[sema]") {
  auto c = accept(R"(
    cascade gated_delta(Q[B,H,T,E] : bf16, K[B,H,T,E] : bf16, V[B,H,T,F] : bf16, G[B,H,T] : f32, Beta[B,H,T] : f32,
                        S0[B,H,E,F] : f32 = 0) -> (O[B,H,T,F] : bf16, ST[B,H,E,F] : f32) {
      R[b,h,t,e,f] = exp(G[b,h,t]) * S[b,h,t-1,e,f]
      U[b,h,t,f]   = Beta[b,h,t] * (V[b,h,t,f] - sum[e] K[b,h,t,e] * R[b,h,t,e,f])
      S[b,h,t,e,f] = R[b,h,t,e,f] + K[b,h,t,e] * U[b,h,t,f]          init S0[b,h,e,f]
      O[b,h,t,f]   = Q[b,h,t,e] * S[b,h,t,e,f]
      ST[b,h,e,f]  = S[b,h,|T|-1,e,f]
    })");
  CHECK(schedule(c) == "R U S along T; O; ST");
  const ein::Equation &s = *c.equationOf(c.tensorNamed("S"));
  CHECK(s.initRank == 2);
  CHECK_FALSE(s.initBackward);
  CHECK(everywhere(c, "S"));
  CHECK(c.tensors[c.tensorNamed("S0")].defaultValue);
}

TEST_CASE("schedules: directions, filters, two ranks", "[sema]") {
  auto one = [](const std::string &equations, const std::string &header = "X[T,E] : f32") {
    return accept("cascade c(" + header + ") -> (O[T,E] : f32) {\n" + equations + "\n}");
  };
  auto back = one("O[t,e] = X[t,e] + O[t+1,e] init 0");
  CHECK(schedule(back) == "O along T backward");
  CHECK(back.equations[0].initBackward);
  CHECK(schedule(one("O[t,e] = X[t,e] - sum[u where u < t] O[u,e]")) == "O along T");
  CHECK(schedule(one("O[t,e] = X[t,e] - sum[u where t > u and X[u,e] > 0] O[u,e]")) == "O along T");
  CHECK(schedule(one("O[t,e] = X[t,e] - sum[u where u + 1 <= t] O[u,e]")) == "O along T");
  CHECK(schedule(one("O[t,e] = X[t,e] - sum[u in t where u <= t - 2] O[u+1,e]")) == "O along T");
  CHECK(schedule(one("O[t,e] = X[t,e] - sum[u where t < u] O[u,e]")) == "O along T backward");
  CHECK(schedule(one("O[t,e] = X[t,e] + (O[t-2,e] else 0) + (O[t-1,e] else 1)")) == "O along T");
  CHECK(schedule(one("param w : index = 3 O[t,e] = if t >= w then O[t-w,e] else X[t,e]")) == "O along T");
  // Wavefront: along T alone O[t,e-1] stays, along E alone O[t-1,e] does.
  CHECK(schedule(one("O[t,e] = X[t,e] + min((O[t-1,e] else inf), (O[t,e-1] else inf))")) ==
        "O along T inside E");
  CHECK(schedule(one("O[t,e] = X[t,e] + (O[t-1,e+1] else 0) + (O[t,e-1] else 0)")) == "O along T inside E");
  // Along E everything goes back: one rank is enough.
  CHECK(schedule(one("O[t,e] = X[t,e] + (O[t-1,e-1] else 0) + (O[t,e-1] else 0)")) == "O along E");
  // The order inside a step follows what stays.
  CHECK(schedule(one("O[t,e] = A[t,e] * 2\nA[t,e] = B[t,e] + X[t,e]\nB[t,e] = (O[t-1,e] else 0)")) ==
        "B A O along T");
}

TEST_CASE("schedules: init of another equation's step", "[sema]") {
  auto c = accept(R"(
    cascade c(X[T] : f32) -> (O[T] : f32) {
      B[t] = O[t-1] * 0.5
      O[t] = B[t] + X[t] init 1
    })");
  CHECK(c.equationOf(c.tensorNamed("O"))->initRank == 0);
  CHECK(schedule(c) == "B O along T");
}

TEST_CASE("ranks: letters, plain subscripts, tuples, aliases", "[sema]") {
  auto rankOfLeft = [](const ein::Cascade &c, std::string_view tensor, size_t i) {
    const ein::Equation *e = c.equationOf(c.tensorNamed(tensor));
    return c.ranks[c.rankOf(e->vars[i])].name;
  };
  auto self = accept("cascade c(K[T,E] : f32) -> (S[T,T] : f32) { S[t,u] = K[t,e] * K[u,e] }");
  CHECK(rankOfLeft(self, "S", 1) == "T");
  // Through intermediates, whatever the order of equations.
  auto chain = accept(R"(cascade c(K[T,E] : f32) -> (O[T] : f32) {
      O[x] = C[x]
      C[y] = B[y] + 1
      B[z] = sum[e] K[z,e]
    })");
  CHECK(rankOfLeft(chain, "B", 0) == "T");
  CHECK(rankOfLeft(chain, "C", 0) == "T");
  // A ring of intermediates is settled by letters.
  auto ring = accept(R"(cascade c(K[T,E] : f32) -> (O[T] : f32) {
      A[t,e] = B[t-1,e] + K[t,0]
      B[t,e] = A[t,e] init 0
      O[t] = sum[e] B[t,e]
    })");
  CHECK(rankOfLeft(ring, "A", 1) == "E");
  auto alias =
      accept("cascade c(Q[P,E] : f32, K[M,E] : f32) -> (S[P] : f32) { rank M = P  S[p] = Q[p,e] * K[p,e] }");
  CHECK(alias.ranks.size() == 2);
  auto wide = accept(R"(cascade c(A[X] : f32, C[Z] : f32) -> (O[Y] : f32) {
      rank Y = |X| + |Z|
      O[y in Y] = if y < |X| then A[y] else C[y-|X|]
    })");
  CHECK(rankOfLeft(wide, "O", 0) == "Y");
  auto within =
      accept("cascade c(A[T] : f32) -> (O[T] : f32) { O[t] = sum[u in t where u < t] A[u] * A[t] }");
  CHECK(within.equations.size() == 1);
  auto twoSplits = accept(R"(cascade c(A[T] : f32, col[Z] : i32) -> (O[N,C] : f32, P[X,Y] : f32) {
      split T = (N, C = 4)
      split T = (X, Y = 8)
      O[n,c] = A[(n,c)]
      P[x,y] = A[(x,y)]
    })");
  CHECK(twoSplits.splits.size() == 2);
}

TEST_CASE("kinds and types of intermediates", "[sema]") {
  auto c = accept(R"(cascade c(A[T] : bf16, I[T] : i8, b : bool = true) -> (O[T] : f32) {
      N[t] = I[t] * 2
      F[t] = F[t-1] + N[t] init 1
      G[t] : f16 = A[t] * N[t]
      M[t] = N[t] > 3 or b
      H[t] = A[t] + N[t]
      O[t] = if M[t] then H[t] + F[t] else G[t] / N[t] + 2 ^ t
    })");
  auto type = [&](std::string_view name) { return c.tensors[c.tensorNamed(name)].type; };
  CHECK(type("N") == ein::Type::I64);
  CHECK(type("F") == ein::Type::I64);
  CHECK(type("G") == ein::Type::F16);
  CHECK(c.tensors[c.tensorNamed("G")].annotated);
  CHECK(type("M") == ein::Type::Bool);
  CHECK(type("H") == ein::Type::F32);
  auto wide = accept("cascade c(A[T] : f64) -> (O[T] : f32) { B[t] = A[t] * 2  O[t] = B[t] }");
  CHECK(wide.tensors[wide.tensorNamed("B")].type == ein::Type::F64);
}

TEST_CASE("implied sums", "[sema]") {
  auto c = accept(R"(cascade c(A[I,K] : f32, B[K,J] : f32) -> (O[I,J] : f32) {
      O[i,j] = -A[i,k] * (B[k,j] + 1) / 2
      R[i] = A[i,k]
      D[i] = 1 / cast<f32>(A[i,k])
      M[i] = (A[i,k] + 1) * A[i,k]
    })");
  CHECK(equation(c, "O").find("sum[k]") != std::string::npos);
  CHECK(equation(c, "R") == "R[i] = sum[k] A[i,k]");
  CHECK(equation(c, "D").find("sum[k]") != std::string::npos);
  // The reduction takes the rest of its product.
  auto product = accept("cascade c(A[K] : f32, B[K] : f32) -> (O : f32) { O = sum[k] A[k] * B[k] + 1 }");
  CHECK(equation(product, "O") == "O = sum[k] A[k] * B[k] + 1.0");
}

TEST_CASE("functions: expansion, hygiene, replacement", "[sema]") {
  auto c = accept(R"(
    fn f(x; m) { y = sum[u in m where u <= m] x[m = u]  return y * x }
    cascade c(A[P,M] : f32, V[M] : f32) -> (O[P,M] : f32, L[P] : f32, W[P] : f32) {
      O[p,m] = f(A[p,m]; m)
      L[p] = logsumexp(A[p,m]; m)
      W[p] = softmax(A[p,m]; m) * V[m]
    })");
  CHECK(equation(c, "O") == "O[p,m] = (sum[u where u <= m] A[p,u]) * A[p,m]");
  CHECK(equation(c, "L").find("sum[") != std::string::npos);
  // A variable of the caller named like one of the function.
  auto hygiene = accept(R"(
    fn f(x; m) { return sum[u in m] x[m = u] }
    cascade c(A[M,U] : f32) -> (O[U] : f32) { O[u] = f(A[m,u]; m) }
  )");
  CHECK(equation(hygiene, "O").find("A[u2,u]") != std::string::npos);
  // A file's function hides the prelude's.
  auto hidden =
      accept("fn softmax(s) { return s * 2 } cascade c(A[P] : f32) -> (O[P] : f32) { O[p] = softmax(A[p]) }");
  CHECK(equation(hidden, "O") == "O[p] = A[p] * 2.0");
}

TEST_CASE("every function of the prelude expands", "[sema]") {
  auto c = accept(R"(cascade c(S[P,M] : f32, X[P,E] : f32, sink : f32) -> (O[P,M] : f32) {
      A[p,m] = softmax_sink(S[p,m], sink; m)
      B[p,e] = rms_norm(X[p,e], 0.00001; e) + layer_norm(X[p,e], 0.00001; e) + l2_normalize(X[p,e], 0.00001; e)
      C[p,e] = rope(X[p,e], p, 10000; e)
      D[p] = logaddexp(X[p,0], log_sigmoid(X[p,1])) * alibi_slope(; p)
      O[p,m] = S[p,m] * A[p,m] + sum[e] B[p,e] * C[p,e] * D[p] where causal(; p, m) and window(p, m, 4)
    })");
  CHECK(c.equations.size() == 5);
}

TEST_CASE("existence", "[sema]") {
  auto c =
      accept(R"(cascade c(Q[P,E] : f32, K[P,E] : f32, page[B] : i32, I[P] : i32, n : index) -> (O[P] : f32) {
      param w : index = 3
      S[p] = sum[e] Q[p,e] * K[p-w,e]
      T[p,w2 in P] = Q[p,0] where w2 < p
      A[p] = sum[w2 in P] Q[p,0] * K[p-w2,0]
      R[p] = max[u where u < p] T[p,u]
      X[p] = argmax[u where u < p] Q[u,0]
      E2[p] = (S[p] else 0)
      D[p] = I[p] div I[p]
      Z[p] = if p < 3 then Q[p,0] else S[p]
      Y[p] = if p < 3 then Q[p,0] else Q[p,1]
      F[p] = S[p] > 0
      C[p] = count[u in P] (S[u] > 0)
      M[p] = max[u where u < p] I[u]
      O[p] = 1
    })");
  CHECK(depends(c, "S") == "P");
  CHECK(partialFlags(c, "S") == std::vector<bool>{false});
  CHECK(partialFlags(c, "A") == std::vector<bool>{true});
  CHECK(depends(c, "A").empty());
  CHECK(everywhere(c, "A"));
  CHECK(depends(c, "T") == "PP");
  CHECK(partialFlags(c, "R") == std::vector<bool>{true});
  CHECK(everywhere(c, "R"));
  CHECK(depends(c, "X") == "P");
  CHECK_FALSE(everywhere(c, "X"));
  CHECK(depends(c, "E2").empty());
  CHECK(everywhere(c, "E2"));
  CHECK(depends(c, "D") == "P");
  CHECK(depends(c, "Z") == "P");
  CHECK(depends(c, "Y").empty());
  CHECK(depends(c, "F").empty());
  CHECK(everywhere(c, "F"));
  CHECK(depends(c, "C").empty());
  CHECK_FALSE(everywhere(c, "M"));
}

TEST_CASE("bindings", "[sema]") {
  const std::string text = R"(cascade c(Q[P,E] : f32, s : f32 = 1) -> (O[P] : f32) {
      param w : index = 2 + 1
      param v : index = w * 2
      split P = (N, C = 16)
      O[p] = sum[e] Q[p,e] * s where p mod v < w
    })";
  auto plain = accept(text);
  CHECK(equation(plain, "O").find("p mod 6 < 3") != std::string::npos);
  CHECK(plain.ranks[plain.rankNamed("C")].fixed == 16);
  CHECK(plain.ranks[plain.rankNamed("C")].isDefault);
  Bindings bindings;
  bindings.parameters["w"] = "2 * 4";
  bindings.ranks = {{"E", 64}, {"C", 32}};
  bindings.types["all"] = ein::Type::BF16;
  bindings.types["O"] = ein::Type::F64;
  auto bound = accept(text, bindings);
  CHECK(equation(bound, "O").find("p mod 16 < 8") != std::string::npos);
  CHECK(bound.ranks[bound.rankNamed("E")].fixed == 64);
  CHECK(bound.ranks[bound.rankNamed("C")].fixed == 32);
  CHECK(bound.tensors[bound.tensorNamed("Q")].type == ein::Type::BF16);
  CHECK(bound.tensors[bound.tensorNamed("O")].type == ein::Type::F64);
  auto refused = [&](const Bindings &b) { return load("test.ein", text, b).diagnostics.list().size() == 1; };
  CHECK(refused({{{"X", 3}}, {}, {}}));
  CHECK(refused({{{"E", -3}}, {}, {}}));
  CHECK(refused({{}, {{"w", "1.5"}}, {}}));
  CHECK(refused({{}, {{"w", "|E|"}}, {}}));
  CHECK(refused({{}, {{"w", "1 } fn g() { return 2"}}, {}}));
  CHECK(refused({{}, {{"zz", "1"}}, {}}));
  CHECK(refused({{}, {}, {{"K", ein::Type::F32}}}));
}

TEST_CASE("a printed cascade checks to the same text", "[sema]") {
  auto c = accept(
      R"(cascade c(Q[B,H,T,E] : f32, K[B,H,T,E] : f32, V[B,H,T,F] : f32, scale : f32) -> (O[B,H,T,F] : f32) {
      split T = (N, C = 512)
      KM[b,h,n,e]    = mean[c] K[b,h,(n,c),e]
      R[b,h,t,n]     = if n == t div |C| then inf else sum[e] Q[b,h,t,e] * KM[b,h,n,e]   where n <= t div |C|
      Sel[b,h,t,n]   = top[n; 3] R[b,h,t,n]
      S[b,h,t,(n,c)] = scale * Q[b,h,t,e] * K[b,h,(n,c),e]   where Sel[b,h,t,n] and n*|C| + c <= t
      O[b,h,t,f] = softmax(S[b,h,t,u]; u) * V[b,h,u,f]
    })");
  std::string text = ein::print(c);
  CHECK(ein::print(accept(text)) == text);
}
