// The examples of docs/language.md against plain loops.
#include "tests/unit/ein/Evaluated.h"

using namespace einfall;
using Doubles = std::vector<double>;

namespace {
constexpr double inf = std::numeric_limits<double>::infinity();

/// Attention of one row: weights softmax(scores), missing keys left out.
struct Row {
  std::vector<std::pair<double, int64_t>> scores; ///< and the key
  double max = -inf, sum = 0;
  void finish() {
    for (auto &s : scores)
      max = std::max(max, s.first);
    for (auto &s : scores)
      sum += std::exp(s.first - max);
  }
  double weighted(const std::function<double(int64_t)> &v) const {
    double out = 0;
    for (auto &s : scores)
      out += std::exp(s.first - max) / sum * v(s.second);
    return out;
  }
};
} // namespace

TEST_CASE("interpreter: causal grouped-query attention, rows without keys") {
  Evaluated e(R"(
    cascade gqa(Q[B,H,P,E] : f64, K[B,J,M,E] : f64, V[B,J,M,F] : f64, scale : f64 = 1 / sqrt(|E|))
        -> (O[B,H,P,F] : f64, LSE[B,H,P] : f64) {
      split H = (J, G)
      S[b,j,g,p,m] = scale * Q[b,(j,g),p,e] * K[b,j,m,e]   where m <= p + |M| - |P|
      X[b,j,g,p]   = max[m] S[b,j,g,p,m]
      N[b,j,g,p,m] = exp(S[b,j,g,p,m] - X[b,j,g,p])
      D[b,j,g,p]   = sum[m] N[b,j,g,p,m]
      A[b,j,g,p,m] = N[b,j,g,p,m] / D[b,j,g,p]
      O[b,(j,g),p,f] = A[b,j,g,p,m] * V[b,j,m,f]
      LSE[b,(j,g),p] = X[b,j,g,p] + log(D[b,j,g,p])
    })");
  int64_t B = 2, H = 4, J = 2, G = 2, P = 5, M = 3, E = 4, F = 3;
  e.extent("B", B).extent("H", H).extent("J", J).extent("G", G).extent("P", P).extent("M", M).extent("E", E);
  e.extent("F", F).random("Q").random("K").random("V").run();
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < H; ++h)
      for (int64_t p = 0; p < P; ++p) {
        Row row;
        for (int64_t m = 0; m < M; ++m) {
          double s = 0;
          for (int64_t i = 0; i < E; ++i)
            s += 0.5 * e.at("Q", {b, h, p, i}) * e.at("K", {b, h / G, m, i});
          if (m <= p + M - P)
            row.scores.push_back({s, m});
        }
        row.finish();
        bool none = row.scores.empty();
        CHECK(none == (p < 2));
        CHECK(near(e.at("LSE", {b, h, p}), none ? -inf : row.max + std::log(row.sum)));
        for (int64_t f = 0; f < F; ++f) {
          CHECK(e.has("O", {b, h, p, f}));
          CHECK(near(e.at("O", {b, h, p, f}), row.weighted([&](int64_t m) {
            return e.at("V", {b, h / G, m, f});
          })));
        }
      }
}

static const char *gatedDelta = R"(
  cascade gated_delta(Q[H,T,E] : f64, K[H,T,E] : f64, V[H,T,F] : f64, G[H,T] : f64, Beta[H,T] : f64,
                      S0[H,E,F] : f64 = 0) -> (O[H,T,F] : f64, ST[H,E,F] : f64) {
    R[h,t,e,f] = exp(G[h,t]) * S[h,t-1,e,f]
    U[h,t,f]   = Beta[h,t] * (V[h,t,f] - sum[e] K[h,t,e] * R[h,t,e,f])
    S[h,t,e,f] = R[h,t,e,f] + K[h,t,e] * U[h,t,f]          init S0[h,e,f]
    O[h,t,f]   = Q[h,t,e] * S[h,t,e,f]
    ST[h,e,f]  = S[h,|T|-1,e,f]
  })";

TEST_CASE("interpreter: gated delta rule") {
  int64_t H = 2, T = 6, E = 3, F = 2;
  Evaluated e(gatedDelta);
  e.extent("H", H).extent("T", T).extent("E", E).extent("F", F);
  for (const char *name : {"Q", "K", "V", "G", "Beta", "S0"})
    e.random(name);
  e.run();
  for (int64_t h = 0; h < H; ++h) {
    double S[3][2];
    for (int64_t i = 0; i < E; ++i)
      for (int64_t f = 0; f < F; ++f)
        S[i][f] = e.at("S0", {h, i, f});
    for (int64_t t = 0; t < T; ++t)
      for (int64_t f = 0; f < F; ++f) {
        double kr = 0, o = 0;
        for (int64_t i = 0; i < E; ++i)
          kr += e.at("K", {h, t, i}) * (S[i][f] *= std::exp(e.at("G", {h, t})));
        double u = e.at("Beta", {h, t}) * (e.at("V", {h, t, f}) - kr);
        for (int64_t i = 0; i < E; ++i)
          o += e.at("Q", {h, t, i}) * (S[i][f] += e.at("K", {h, t, i}) * u);
        CHECK(near(e.at("O", {h, t, f}), o));
      }
    for (int64_t i = 0; i < E; ++i)
      for (int64_t f = 0; f < F; ++f)
        CHECK(near(e.at("ST", {h, i, f}), S[i][f]));
  }
}

TEST_CASE("interpreter: a recurrence of no steps gives its init, an optional state is zero") {
  Evaluated e(gatedDelta);
  e.extent("H", 1).extent("T", 0).extent("E", 2).extent("F", 2);
  for (const char *name : {"Q", "K", "V", "G", "Beta", "S0"})
    e.random(name);
  e.run();
  CHECK(e.all("ST") == e.all("S0"));
  CHECK(e.all("O").empty());
  e.environment.tensors[e.cascade.tensorNamed("S0")].reset();
  e.run();
  CHECK(e.all("ST") == Doubles(4, 0));
}

TEST_CASE("interpreter: mixture of block attention with a short last block") {
  Evaluated e(R"(
    cascade moba(Q[T,E] : f64, K[T,E] : f64, scale : f64 = 0.5) -> (S[T,T2] : f64, Means[N,E] : f64) {
      split T = (N, C = 4)
      rank T2 = T
      KM[n,e]    = mean[c] K[(n,c),e]
      R[t,n]     = if n == t div |C| then inf else sum[e] Q[t,e] * KM[n,e]   where n <= t div |C|
      Sel[t,n]   = top[n; 2] R[t,n]
      S[t,(n,c)] = scale * Q[t,e] * K[(n,c),e]   where Sel[t,n] and n*|C| + c <= t
      Means[n,e] = KM[n,e]
    })");
  int64_t T = 10, C = 4, N = 3, E = 3;
  e.extent("T", T).extent("N", N).extent("C", C).extent("E", E).random("Q").random("K").run();
  auto mean = [&](int64_t n, int64_t i) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t m = n * C; m < std::min(T, (n + 1) * C); ++m, ++count)
      sum += e.at("K", {m, i});
    return sum / double(count);
  };
  CHECK(near(e.at("Means", {2, 1}), mean(2, 1))); // of two points
  for (int64_t t = 0; t < T; ++t) {
    std::vector<double> score(N, -inf);
    for (int64_t n = 0; n <= t / C; ++n) {
      score[n] = n == t / C ? inf : 0;
      for (int64_t i = 0; i < E && n < t / C; ++i)
        score[n] += e.at("Q", {t, i}) * mean(n, i);
    }
    for (int64_t m = 0; m < T; ++m) {
      int better = 0;
      for (int64_t n = 0; n <= t / C; ++n)
        better += score[n] > score[m / C];
      bool exists = m <= t && better < 2;
      CHECK(e.has("S", {t, m}) == exists);
      double s = 0;
      for (int64_t i = 0; i < E; ++i)
        s += 0.5 * e.at("Q", {t, i}) * e.at("K", {m, i});
      CHECK(near(e.at("S", {t, m}), exists ? s : 0));
    }
  }
}

TEST_CASE("interpreter: packed sequences") {
  Evaluated e(R"(
    cascade packed(Q[T,E] : f64, K[T,E] : f64, V[T,F] : f64, cu[L + 1] : index) -> (O[T,F] : f64, Doc[T] : index) {
      Doc[t]  = count[s in L] (cu[s+1] <= t)
      S[t,u in T] = Q[t,e] * K[u,e]   where Doc[t] == Doc[u] and u <= t
      X[t]    = max[u in T] S[t,u]
      W[t,u in T] = exp(S[t,u] - X[t])
      D[t]    = sum[u in T] W[t,u]
      O[t,f]  = sum[u in T] W[t,u] / D[t] * V[u,f]
    })");
  int64_t T = 7, E = 2, F = 2;
  e.extent("T", T).extent("E", E).extent("F", F).extent("L", 3).values("cu", {0, 3, 3, 7});
  e.random("Q").random("K").random("V").run();
  CHECK(e.all("Doc") == Doubles{0, 0, 0, 2, 2, 2, 2});
  for (int64_t t = 0; t < T; ++t) {
    Row row;
    for (int64_t u = t < 3 ? 0 : 3; u <= t; ++u)
      row.scores.push_back(
          {e.at("Q", {t, 0}) * e.at("K", {u, 0}) + e.at("Q", {t, 1}) * e.at("K", {u, 1}), u});
    row.finish();
    for (int64_t f = 0; f < F; ++f)
      CHECK(near(e.at("O", {t, f}), row.weighted([&](int64_t u) { return e.at("V", {u, f}); })));
  }
}

static const char *paged = R"(
  cascade paged(Q[B,E] : f64, KQ[PG,C,E] : i8, KS[PG,C] : f64, page[B,NP] : index, len[B] : index)
      -> (S[B,M] : f64 empty -1.0) {
    rank M = |NP| * |C|
    S[b,m] = Q[b,e] * KS[page[b,m div |C|],m mod |C|] * KQ[page[b,m div |C|],m mod |C|,e]   where m < len[b]
  })";

TEST_CASE("interpreter: paged keys of int8; indices outside exist only where they are used") {
  Evaluated e(paged);
  int64_t B = 2, NP = 2, C = 2, PG = 3, E = 2;
  e.extent("B", B).extent("NP", NP).extent("C", C).extent("PG", PG).extent("E", E).extent("M", NP * C);
  e.values("page", {2, 0, 1, 93}).values("len", {4, 2}).random("Q").random("KS");
  e.input("KQ", [](const Index &i) { return double(i[0] * 10 + i[1] * 3 - i[2] * 20); });
  auto check = [&] {
    for (int64_t b = 0; b < B; ++b)
      for (int64_t m = 0; m < NP * C; ++m) {
        int64_t page = e.exact("page", {b, m / C});
        bool exists = m < e.exact("len", {b}) && page < PG;
        double s = 0;
        for (int64_t i = 0; i < E && exists; ++i)
          s += e.at("Q", {b, i}) * e.at("KS", {page, m % C}) * e.at("KQ", {page, m % C, i});
        CHECK(e.has("S", {b, m}) == exists);
        CHECK(near(e.at("S", {b, m}), exists ? s : -1));
      }
  };
  e.environment.checked = true;
  e.run(); // the bad page lies behind len
  check();
  e.environment.checked = false;
  e.values("len", {4, 4}).run();
  check();
  e.environment.checked = true;
  CHECK(e.refusal() == "page[1,1] = 93 is outside rank PG (3) [ein-c2]");
  CHECK_FALSE(e.environment.tensors[e.cascade.tensorNamed("S")]);
}

TEST_CASE("interpreter: two key sets joined; block-sparse lists") {
  Evaluated e(R"(
    cascade both(S1[P,L] : f64, S2[P,M] : f64) -> (S[P,U] : f64) {
      rank U = |L| + |M|
      S[p,u in U] = if u < |L| then S1[p,u] else S2[p,u-|L|]
    })");
  e.extent("P", 2).extent("L", 2).extent("M", 3).extent("U", 5).random("S1").random("S2").run();
  for (int64_t u = 0; u < 5; ++u)
    CHECK(e.at("S", {1, u}) == (u < 2 ? e.at("S1", {1, u}) : e.at("S2", {1, u - 2})));

  Evaluated lists(R"(
    cascade lists(X[N,C] : f64, ptr[R + 1] : index, col[Z] : index) -> (Y[R] : f64) {
      S[r,z,c] = X[col[z],c]   where ptr[r] <= z < ptr[r+1]
      Y[r]     = sum[z,c] S[r,z,c]
    })");
  lists.extent("N", 3).extent("C", 2).extent("R", 3).extent("Z", 3).values("ptr", {0, 2, 2, 3});
  lists.values("col", {2, 0, 1}).values("X", {1, 2, 4, 8, 16, 32}).run();
  CHECK(lists.all("Y") == Doubles{51, 0, 12});
}

TEST_CASE("interpreter: triangular dependence on all earlier steps") {
  Evaluated e(R"(
    cascade former(V[T,F] : f64, Beta[T] : f64, A[T,T2] : f64) -> (U[T,F] : f64) {
      rank T2 = T
      U[t,f] = V[t,f] - Beta[t] * sum[u in T where u < t] A[t,u] * U[u,f]
    })");
  int64_t T = 6, F = 2;
  e.extent("T", T).extent("F", F).random("V").random("Beta").random("A").run();
  std::vector<Doubles> U(T, Doubles(F));
  for (int64_t t = 0; t < T; ++t)
    for (int64_t f = 0; f < F; ++f) {
      double sum = 0;
      for (int64_t u = 0; u < t; ++u)
        sum += e.at("A", {t, u}) * U[u][f];
      U[t][f] = e.at("V", {t, f}) - e.at("Beta", {t}) * sum;
      CHECK(near(e.at("U", {t, f}), U[t][f]));
    }
}

TEST_CASE("interpreter: the explicit one-pass form equals softmax, short block and empty row included") {
  Evaluated e(R"(
    cascade fusemax(Z[P,M] : f64, V[M,F] : f64, len[P] : index) -> (O[P,F] : f64, O2[P,F] : f64) {
      split M = (N, C = 3)
      S[p,m]   = 1.0 * Z[p,m]   where m < len[p]
      X[p,n]   = max(X[p,n-1], max[c] S[p,(n,c)])                                  init -inf
      W[p,n,c] = exp(S[p,(n,c)] - X[p,n])
      R[p,n]   = if X[p,n-1] == -inf then 0 else exp(X[p,n-1] - X[p,n])
      D[p,n]   = D[p,n-1] * R[p,n] + sum[c] W[p,n,c]                               init 0
      Y[p,n,f] = Y[p,n-1,f] * R[p,n] + sum[c] W[p,n,c] * V[(n,c),f]                init 0
      O[p,f]   = Y[p,|N|-1,f] / D[p,|N|-1]   where D[p,|N|-1] > 0
      O2[p,f]  = sum[m] softmax(S[p,m]; m) * V[m,f]
    })");
  e.extent("P", 4).extent("M", 8).extent("N", 3).extent("C", 3).extent("F", 2);
  e.values("len", {8, 0, 1, 5}).random("Z").random("V").run();
  for (int64_t p = 0; p < 4; ++p)
    for (int64_t f = 0; f < 2; ++f) {
      CHECK(e.has("O", {p, f}) == (p != 1));
      CHECK(near(e.at("O", {p, f}), e.at("O2", {p, f})));
    }
}

TEST_CASE("interpreter: a cycle over two ranks, and one that runs backwards") {
  Evaluated e(R"(
    cascade paths(x[I,J] : f64) -> (D[I,J] : f64) {
      D[i,j] = x[i,j] + max((D[i-1,j] else -inf), (D[i,j-1] else if i == 0 then 0 else -inf))
    })");
  e.extent("I", 3).extent("J", 4).random("x").run();
  double d[3][4];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) {
      double up = i ? d[i - 1][j] : -inf, left = j ? d[i][j - 1] : i == 0 ? 0 : -inf;
      d[i][j] = e.at("x", {i, j}) + std::max(up, left);
      CHECK(near(e.at("D", {i, j}), d[i][j]));
    }

  Evaluated back(R"(
    cascade back(x[T] : f64, g[T] : f64) -> (A[T] : f64, first : f64) {
      A[t]  = x[t] + g[t] * A[t+1]   init 7
      first = A[0]
    })");
  back.extent("T", 3).values("x", {1, 2, 3}).values("g", {2, 3, 5}).run();
  CHECK(back.all("A") == Doubles{1 + 2 * 116, 2 + 3 * 38, 3 + 5 * 7});
  back.extent("T", 0).values("x", {}).values("g", {}).run();
  CHECK(back.all("first") == Doubles{7}); // 0 is past the end of nothing
}

TEST_CASE("interpreter: limits are refusals with numbers") {
  Evaluated e(
      "cascade big(x[A] : f64) -> (s : f64) { Y[a,b in A] = x[a] * x[b]  s = sum[a, b in A] Y[a,b] }");
  e.extent("A", 1000).random("x");
  e.environment.maxBytes = 1 << 20;
  CHECK(e.refusal() == "tensor 'Y' (1000 x 1000) does not fit in the 1048576 bytes the interpreter may use");
  e.environment.maxBytes = int64_t(1) << 30;
  e.environment.maxPoints = 1000;
  CHECK(e.refusal() == "the evaluation visits more than 1000 points");
}

TEST_CASE("interpreter: a reduction is evaluated once for each point of its own variables") {
  Evaluated e(R"(
    cascade inlined(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
      O[p,f] = softmax(sum[e] Q[p,e] * K[m,e]; m) * V[m,f]
    })");
  e.extent("P", 20).extent("M", 20).extent("E", 10).extent("F", 10).random("Q").random("K").random("V");
  // 200 outputs of 20 keys; the expansion holds the scores four times (400 of 10
  // products each), the maximum twice and the sum once (20 of 20 keys each).
  e.environment.maxPoints = 200 + 4000 + 4 * 4000 + 3 * 400;
  e.run();
  for (int64_t p = 0; p < 20; ++p) {
    Row row;
    for (int64_t m = 0; m < 20; ++m) {
      double s = 0;
      for (int64_t i = 0; i < 10; ++i)
        s += e.at("Q", {p, i}) * e.at("K", {m, i});
      row.scores.push_back({s, m});
    }
    row.finish();
    CHECK(near(e.at("O", {p, 3}), row.weighted([&](int64_t m) { return e.at("V", {m, 3}); })));
  }
}
