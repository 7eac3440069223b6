//===- PassesTest.cpp - pass counts of known cascades ---------------------------------===//
//
// The counts published for FuseMax's taxonomy (stable softmax 3, with deferral
// 2, local maxima 2, running maximum 1), and those of other families.
//
//===----------------------------------------------------------------------===//
#include "compiler/analysis/Passes.h"
#include "compiler/analysis/Footprint.h"
#include "frontend/Frontend.h"
#include <catch2/catch.hpp>

using namespace einfall;

namespace {

struct Counted {
  analysis::PassAnalysis passes;
  std::map<std::string, std::string> footprint;
  int rank(const std::string &name) const { return passes.counts.ranks.at(name); }
  int input(const std::string &tensor, const std::string &rank) const {
    return passes.counts.inputs.at(tensor).at(rank);
  }
  /// "X -> N" of the barriers along a rank, in order of the text.
  std::string barriers(const std::string &rank) const {
    std::string s;
    for (const auto &b : passes.barriers)
      if (b.rank == rank)
        s += (s.empty() ? "" : ", ") + b.from + " -> " + b.to;
    return s;
  }
};

Counted count(const std::string &text, const analysis::PassOptions &options = {}) {
  auto loaded = frontend::load("test.ein", text);
  INFO(loaded.diagnostics.render());
  REQUIRE(loaded.diagnostics.empty());
  REQUIRE(loaded.cascades.size() == 1);
  analysis::EinsumGraph graph(loaded.cascades[0]);
  Counted c{analysis::passes(graph, options), {}};
  c.footprint = analysis::footprint(graph, c.passes);
  return c;
}

std::string attention(const std::string &body) {
  return "cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32) {\n" + body + "}\n";
}

} // namespace

TEST_CASE("a product with a reduced value", "[passes]") {
  CHECK(count("cascade c(A[K] : f32, B[K] : f32) -> (Z : f32) { Y = A[k] * B[k]  Z = sum[k] Y * A[k] }")
            .rank("K") == 2);
  CHECK(
      count("cascade c(A[K] : f32, B[K] : f32) -> (Z : f32) { Y = A[k] * B[k]  X = sum[k] A[k]  Z = Y * X }")
          .rank("K") == 1);
  auto iterative =
      count("cascade c(A[K] : f32, B[K] : f32) -> (Z : f32) {\n"
            "RY[k] = RY[k-1] + A[k] * B[k] init 0\n"
            "RZ[k] = (if RY[k-1] == 0 then 0 else RZ[k-1] * RY[k] / RY[k-1]) + RY[k] * A[k] init 0\n"
            "Z = RZ[|K|-1] }");
  CHECK(iterative.rank("K") == 1);
}

TEST_CASE("softmax attention", "[passes]") {
  auto stable = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                                "X[p] = max[m] S[p,m]\n"
                                "N[p,m] = exp(S[p,m] - X[p])\n"
                                "D[p] = sum[m] N[p,m]\n"
                                "A[p,m] = N[p,m] / D[p]\n"
                                "O[p,f] = A[p,m] * V[m,f]\n"));
  CHECK(stable.rank("M") == 3);
  CHECK(stable.rank("E") == 1);
  CHECK(stable.rank("P") == 1);
  CHECK(stable.rank("F") == 1);
  CHECK(stable.barriers("M") == "X -> N, D -> A");
  CHECK(stable.passes.barriers[0].at == "4:1");
  CHECK_THAT(stable.passes.barriers[0].why, Catch::Contains("a max over all of M"));
  CHECK(stable.footprint.at("S") == "|M|");
  CHECK(stable.footprint.at("N") == "|M|");
  CHECK(stable.footprint.at("X") == "1");

  auto deferred = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                                  "X[p] = max[m] S[p,m]\n"
                                  "N[p,m] = exp(S[p,m] - X[p])\n"
                                  "D[p] = sum[m] N[p,m]\n"
                                  "Y[p,f] = N[p,m] * V[m,f]\n"
                                  "O[p,f] = Y[p,f] / D[p]\n"));
  CHECK(deferred.rank("M") == 2);
  CHECK(deferred.barriers("M") == "X -> N");
  CHECK(deferred.footprint.at("N") == "1");

  auto unstable = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                                  "N[p,m] = exp(S[p,m])\n"
                                  "D[p] = sum[m] N[p,m]\n"
                                  "Y[p,f] = N[p,m] * V[m,f]\n"
                                  "O[p,f] = Y[p,f] / D[p]\n"));
  CHECK(unstable.rank("M") == 1);
  CHECK(unstable.barriers("M").empty());

  CHECK(count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                        "A[p,m] = sigmoid(S[p,m])\n"
                        "O[p,f] = A[p,m] * V[m,f]\n"))
            .rank("M") == 1);
}

TEST_CASE("reductions nested in an equation count like equations", "[passes]") {
  auto nested = count(attention(
      "S[p,m] = Q[p,e] * K[m,e]\n"
      "A[p,m] = exp(S[p,m] - (max[u in M] S[p,u])) / (sum[w in M] exp(S[p,w] - (max[u in M] S[p,u])))\n"
      "O[p,f] = A[p,m] * V[m,f]\n"));
  CHECK(nested.rank("M") == 3);
  auto called = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                                "O[p,f] = sum[m] softmax(S[p,m]; m) * V[m,f]\n"));
  CHECK(called.rank("M") == 3);
  CHECK(called.passes.barriers.size() >= 2);
}

TEST_CASE("local maxima: two passes, three within a block", "[passes]") {
  auto local = count(attention("split M = (N, C = 32)\n"
                               "S[p,(n,c)] = Q[p,e] * K[(n,c),e]\n"
                               "LX[p,n] = max[c] S[p,(n,c)]\n"
                               "SN[p,n,c] = exp(S[p,(n,c)] - LX[p,n])\n"
                               "SD[p,n] = sum[c] SN[p,n,c]\n"
                               "X[p] = max[n] LX[p,n]\n"
                               "R[p,n] = exp(LX[p,n] - X[p])\n"
                               "D[p] = R[p,n] * SD[p,n]\n"
                               "A[p,n,c] = SN[p,n,c] * R[p,n] / D[p]\n"
                               "O[p,f] = sum[n, c] A[p,n,c] * V[(n,c),f]\n"));
  CHECK(local.rank("M") == 2);
  CHECK(local.rank("C") == 3);
  CHECK(local.footprint.at("SN") == "|N|*|C|");
  CHECK(local.footprint.at("S") == "|C|");
}

TEST_CASE("split-KV: one heavy pass and a light fix-up", "[passes]") {
  auto split = count(attention("split M = (N, C = 32)\n"
                               "S[p,(n,c)] = Q[p,e] * K[(n,c),e]\n"
                               "LX[p,n] = max[c] S[p,(n,c)]\n"
                               "SN[p,n,c] = exp(S[p,(n,c)] - LX[p,n])\n"
                               "SD[p,n] = sum[c] SN[p,n,c]\n"
                               "SY[p,n,f] = SN[p,n,c] * V[(n,c),f]\n"
                               "X[p] = max[n] LX[p,n]\n"
                               "R[p,n] = exp(LX[p,n] - X[p])\n"
                               "D[p] = R[p,n] * SD[p,n]\n"
                               "Y[p,f] = R[p,n] * SY[p,n,f]\n"
                               "O[p,f] = Y[p,f] / D[p]\n"));
  CHECK(split.rank("M") == 1);
  CHECK(split.rank("C") == 2);
  CHECK(split.barriers("M").empty());
}

TEST_CASE("running maximum: one pass, two within a block", "[passes]") {
  auto running = count(attention("split M = (N, C = 64)\n"
                                 "S[p,m] = Q[p,e] * K[m,e]\n"
                                 "X[p,n] = max(X[p,n-1], max[c] S[p,(n,c)]) init -inf\n"
                                 "W[p,n,c] = exp(S[p,(n,c)] - X[p,n])\n"
                                 "R[p,n] = if X[p,n-1] == -inf then 0 else exp(X[p,n-1] - X[p,n])\n"
                                 "D[p,n] = D[p,n-1] * R[p,n] + sum[c] W[p,n,c] init 0\n"
                                 "Y[p,n,f] = Y[p,n-1,f] * R[p,n] + sum[c] W[p,n,c] * V[(n,c),f] init 0\n"
                                 "O[p,f] = Y[p,|N|-1,f] / D[p,|N|-1] where D[p,|N|-1] > 0\n"));
  CHECK(running.rank("M") == 1);
  CHECK(running.rank("C") == 2);
  CHECK(running.rank("N") == 1);
  CHECK(running.footprint.at("S") == "|C|");
  CHECK(running.footprint.at("Y") == "1");
}

TEST_CASE("the last step of a recurrence is a barrier for what goes over the rank again", "[passes]") {
  auto last = count("cascade c(A[T] : f32) -> (O[T] : f32) {\n"
                    "S[t] = S[t-1] + A[t] init 0\n"
                    "O[t] = A[t] / S[|T|-1] }");
  CHECK(last.rank("T") == 2);
  CHECK(last.input("A", "T") == 2);
  CHECK(last.barriers("T") == "S -> O");
  auto scan = count("cascade c(A[T] : f32) -> (O[T] : f32) { S[t] = cumsum[t] A[t]  O[t] = A[t] / S[t] }");
  CHECK(scan.rank("T") == 1);
  auto end = count("cascade c(A[T] : f32) -> (O[T] : f32) { S[t] = cumsum[t] A[t]  O[t] = A[t] / S[|T|-1] }");
  CHECK(end.rank("T") == 2);
}

TEST_CASE("linear attention and the delta rule", "[passes]") {
  auto linear = count("cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32) -> (O[T,F] : f32) {\n"
                      "S[t,e,f] = S[t-1,e,f] + K[t,e] * V[t,f] init 0\n"
                      "O[t,f] = Q[t,e] * S[t,e,f] }");
  CHECK(linear.rank("T") == 1);
  CHECK(count("cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32) {\n"
              "S[e,f] = K[m,e] * V[m,f]  O[p,f] = Q[p,e] * S[e,f] }")
            .rank("M") == 1);
  auto delta = count("cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32, B[T] : f32) -> (O[T,F] : f32) {\n"
                     "U[t,f] = B[t] * (V[t,f] - sum[e] K[t,e] * S[t-1,e,f])\n"
                     "S[t,e,f] = S[t-1,e,f] + K[t,e] * U[t,f] init 0\n"
                     "O[t,f] = Q[t,e] * S[t,e,f] }");
  CHECK(delta.rank("T") == 1);
  CHECK(delta.rank("E") == 2); // the key is read against the state, then written to it
  CHECK(delta.input("K", "T") == 1);
}

TEST_CASE("block selection: the keys twice, the values once", "[passes]") {
  const std::string head = "cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32) -> (O[T,F] : f32) {\n"
                           "split T = (N, C = 16)\n"
                           "KM[n,e] = mean[c] K[(n,c),e]\n"
                           "R[t,n] = (sum[e] Q[t,e] * KM[n,e]) where n <= t div |C|\n"
                           "Sel[t,n] = top[n; 3] R[t,n]\n"
                           "S[t,(n,c)] = Q[t,e] * K[(n,c),e] where Sel[t,n] and n * |C| + c <= t\n";
  auto sigmoid = count(head + "A[t,u] = sigmoid(S[t,u])  O[t,f] = A[t,u] * V[u,f] }");
  CHECK(sigmoid.rank("T") == 2);
  CHECK(sigmoid.input("K", "T") == 2);
  CHECK(sigmoid.input("V", "T") == 1);
  CHECK(sigmoid.input("Q", "T") == 1);
  CHECK(sigmoid.barriers("T") == "Sel -> S");
  auto softmax = count(head + "X[t] = max[u] S[t,u]  W[t,u] = exp(S[t,u] - X[t])  D[t] = sum[u] W[t,u]\n"
                              "A[t,u] = W[t,u] / D[t]  O[t,f] = A[t,u] * V[u,f] }");
  CHECK(softmax.rank("T") == 4);
  CHECK(softmax.input("K", "T") == 2);
  CHECK(softmax.input("V", "T") == 1);
}

TEST_CASE("token selection is a barrier", "[passes]") {
  auto top = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                             "T[p,m] = top[m; 4] S[p,m]\n"
                             "A[p,m] = (if T[p,m] then sigmoid(S[p,m]) else 0)\n"
                             "O[p,f] = A[p,m] * V[m,f]\n"));
  CHECK(top.rank("M") == 2);
  CHECK_THAT(top.passes.barriers[0].why, Catch::Contains("selection (top)"));
}

TEST_CASE("flow attention: K 2, Q 2, V 1 after deferral", "[passes]") {
  const std::string head =
      "cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32, eps : f32) -> (O[P,F] : f32) {\n"
      "FQ[p,e] = sigmoid(Q[p,e])\n"
      "FK[m,e] = sigmoid(K[m,e])\n"
      "SQ[e] = sum[p] FQ[p,e]\n"
      "SK[e] = sum[m] FK[m,e]\n"
      "In[p] = 1 / (sum[e] (FQ[p,e] + eps) * (SK[e] + eps))\n"
      "Out[m] = 1 / (sum[e] (FK[m,e] + eps) * (SQ[e] + eps))\n"
      "KO[e] = FK[m,e] * Out[m]\n"
      "QI[e] = FQ[p,e] * In[p]\n"
      "CIn[p] = sum[e] (FQ[p,e] + eps) * (KO[e] + eps)\n"
      "COut[m] = clamp(sum[e] (FK[m,e] + eps) * (QI[e] + eps), -1, 1)\n"
      "D = sum[m] exp(COut[m])\n";
  auto deferred = count(head + "C[e,f] = sum[m] FK[m,e] * exp(COut[m]) * V[m,f]\n"
                               "O[p,f] = sigmoid(CIn[p]) * In[p] * (sum[e] FQ[p,e] * C[e,f]) / D }");
  CHECK(deferred.rank("M") == 2);
  CHECK(deferred.rank("P") == 2);
  CHECK(deferred.input("K", "M") == 2);
  CHECK(deferred.input("Q", "P") == 2);
  CHECK(deferred.input("V", "M") == 1);
  auto written = count(head + "C[e,f] = sum[m] FK[m,e] * exp(COut[m]) / D * V[m,f]\n"
                              "O[p,f] = sigmoid(CIn[p]) * In[p] * (sum[e] FQ[p,e] * C[e,f]) }");
  CHECK(written.rank("M") == 3);
  CHECK(written.input("V", "M") == 1);
}

TEST_CASE("self-attention: queries and keys walk one rank", "[passes]") {
  auto self =
      count("cascade c(X[T,D] : f32, WQ[D,E] : f32, WK[D,E] : f32, WV[D,F] : f32) -> (O[T,F] : f32) {\n"
            "Q[t,e] = X[t,d] * WQ[d,e]\n"
            "K[t,e] = X[t,d] * WK[d,e]\n"
            "V[t,f] = X[t,d] * WV[d,f]\n"
            "S[t,u] = Q[t,e] * K[u,e] where u <= t\n"
            "G[t] = max[u] S[t,u]\n"
            "N[t,u] = exp(S[t,u] - G[t])\n"
            "R[t] = sum[u] N[t,u]\n"
            "A[t,u] = N[t,u] / R[t]\n"
            "O[t,f] = A[t,u] * V[u,f] }");
  CHECK(self.rank("T") == 3);
  CHECK(self.barriers("T") == "G -> N, R -> A");
  auto same = count("cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32) {\n"
                    "rank M = P\n"
                    "S[p,m] = Q[p,e] * K[m,e]\n"
                    "G[p] = max[m] S[p,m]\n"
                    "N[p,m] = exp(S[p,m] - G[p])\n"
                    "O[p,f] = N[p,m] * V[m,f] }");
  for (const char *name : {"M", "P"}) // one rank by two names
    CHECK(same.rank(name) == 2);
  CHECK(same.rank("E") == 1);
  auto normed = count("cascade c(X[T,D] : f32) -> (O[T,D] : f32) {\n"
                      "R[t] = rsqrt(mean[d] X[t,d] * X[t,d])\n"
                      "Y[t,d] = X[t,d] * R[t]\n"
                      "S[t,u] = Y[t,d] * Y[u,d]\n"
                      "A[t,u] = softmax(S[t,u]; u)\n"
                      "Z[t,d] = A[t,u] * Y[u,d]\n"
                      "O[t,d] = X[t,d] + Z[t,d] }");
  CHECK(normed.rank("T") == 3);
}

TEST_CASE("a concatenated rank counts on the concatenation", "[passes]") {
  auto joint = count("cascade c(Q[P,E] : f32, K1[L,E] : f32, V1[L,F] : f32, K2[M,E] : f32, V2[M,F] : f32) -> "
                     "(O[P,F] : f32) {\n"
                     "rank U = |L| + |M|\n"
                     "S1[p,l] = Q[p,e] * K1[l,e]\n"
                     "S2[p,m] = Q[p,e] * K2[m,e]\n"
                     "S[p,u in U] = if u < |L| then S1[p,u] else S2[p,u-|L|]\n"
                     "W[u in U,f] = if u < |L| then V1[u,f] else V2[u-|L|,f]\n"
                     "X[p] = max[u] S[p,u]\n"
                     "N[p,u] = exp(S[p,u] - X[p])\n"
                     "D[p] = sum[u] N[p,u]\n"
                     "A[p,u] = N[p,u] / D[p]\n"
                     "O[p,f] = A[p,u] * W[u,f] }");
  CHECK(joint.rank("U") == 3);
  CHECK(joint.rank("L") == 1);
  CHECK(joint.rank("M") == 1);
}

TEST_CASE("readers that need not wait for each other share a pass", "[passes]") {
  // V is read by the pooled branch, and by attention two levels later; nothing
  // makes the first come earlier.
  auto two = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                             "X[p] = max[m] S[p,m]\n"
                             "N[p,m] = exp(S[p,m] - X[p])\n"
                             "Y[p,f] = N[p,m] * V[m,f]\n"
                             "Mean[f] = mean[m] V[m,f]\n"
                             "O[p,f] = Y[p,f] + Mean[f]\n"));
  CHECK(two.rank("M") == 2);
  CHECK(two.input("V", "M") == 1);
  CHECK(two.input("K", "M") == 1);
  // Keys that are also values are read before and after the maximum.
  auto shared = count("cascade c(Q[P,E] : f32, C[M,E] : f32) -> (O[P,E] : f32) {\n"
                      "S[p,m] = Q[p,e] * C[m,e]\n"
                      "X[p] = max[m] S[p,m]\n"
                      "N[p,m] = exp(S[p,m] - X[p])\n"
                      "O[p,e] = N[p,m] * C[m,e] }");
  CHECK(shared.input("C", "M") == 2);
}

TEST_CASE("grouped heads, gathers and masks", "[passes]") {
  auto gqa = count("cascade c(Q[H,P,E] : f32, K[J,M,E] : f32, V[J,M,F] : f32) -> (O[H,P,F] : f32) {\n"
                   "split H = (J, G)\n"
                   "S[j,g,p,m] = Q[(j,g),p,e] * K[j,m,e] where m <= p + |M| - |P|\n"
                   "X[j,g,p] = max[m] S[j,g,p,m]\n"
                   "N[j,g,p,m] = exp(S[j,g,p,m] - X[j,g,p])\n"
                   "D[j,g,p] = sum[m] N[j,g,p,m]\n"
                   "A[j,g,p,m] = N[j,g,p,m] / D[j,g,p]\n"
                   "O[(j,g),p,f] = A[j,g,p,m] * V[j,m,f] }");
  CHECK(gqa.rank("M") == 3);
  for (const char *r : {"H", "J", "G", "P", "E", "F"})
    CHECK(gqa.rank(r) == 1);
  auto paged =
      count("cascade c(Q[E] : f32, page[NP] : index, K[PG,C,E] : f32, V[PG,C,F] : f32) -> (O[F] : f32) {\n"
            "rank M = |NP| * |C|\n"
            "S[m] = Q[e] * K[page[m div |C|], m mod |C|, e]\n"
            "X = max[m] S[m]\n"
            "N[m] = exp(S[m] - X)\n"
            "O[f] = N[m] * V[page[m div |C|], m mod |C|, f] }");
  CHECK(paged.rank("M") == 2);
  CHECK(paged.input("page", "M") == 2);
  CHECK(paged.input("V", "M") == 1);
  // A window written by offsets: the row's window is walked three times.
  auto window = count("cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32) -> (O[T,F] : f32) {\n"
                      "rank W = 8\n"
                      "S[t,w] = Q[t,e] * K[t-w,e]\n"
                      "X[t] = max[w] S[t,w]\n"
                      "N[t,w] = exp(S[t,w] - X[t])\n"
                      "D[t] = sum[w] N[t,w]\n"
                      "A[t,w] = N[t,w] / D[t]\n"
                      "O[t,f] = A[t,w] * V[t-w,f] }");
  CHECK(window.rank("W") == 3);
  CHECK(window.rank("T") == 1);
}

TEST_CASE("normalising a row before using it", "[passes]") {
  auto norm = count("cascade c(X[T,D] : f32, W[D,E] : f32) -> (O[T,E] : f32) {\n"
                    "R[t] = rsqrt(mean[d] X[t,d] * X[t,d])\n"
                    "Y[t,d] = X[t,d] * R[t]\n"
                    "O[t,e] = Y[t,d] * W[d,e] }");
  CHECK(norm.rank("D") == 2);
  CHECK(norm.rank("T") == 1);
  CHECK(norm.input("X", "D") == 2);
  CHECK(norm.input("W", "D") == 1);
}

TEST_CASE("anchored reads are no barriers", "[passes]") {
  analysis::PassOptions options;
  options.anchored = [](const std::string &from, const std::string &to, const std::string &) {
    return from == "X" && to == "N";
  };
  auto online = count(attention("S[p,m] = Q[p,e] * K[m,e]\n"
                                "X[p] = max[m] S[p,m]\n"
                                "N[p,m] = exp(S[p,m] - X[p])\n"
                                "D[p] = sum[m] N[p,m]\n"
                                "Y[p,f] = N[p,m] * V[m,f]\n"
                                "O[p,f] = Y[p,f] / D[p]\n"),
                      options);
  CHECK(online.rank("M") == 1);
  CHECK(online.barriers("M").empty());
}
