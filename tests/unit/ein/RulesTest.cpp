// Existence (r14 .. r19), reductions and selections (r18), integers (r8, r23),
// recurrences (r20, r21): one rule a test.
#include "tests/unit/ein/Evaluated.h"

using namespace einfall;
using Doubles = std::vector<double>;

namespace {
constexpr double inf = std::numeric_limits<double>::infinity();
const double NaN = std::nan("");

std::vector<bool> present(const Evaluated &e, const std::string &name) {
  const ein::Array &array = *e.environment.tensors[e.cascade.tensorNamed(name)];
  return {array.present.begin(), array.present.end()};
}
} // namespace

TEST_CASE("r14: out of range, division by zero, else, if, empty") {
  Evaluated e(R"(
    cascade c(x[N] : f64, i[N] : index) -> (A[N] : f64 empty -9.0, B[N] : index, C[N] : f64, D[N] : f64, E[N] : f64) {
      A[n] = x[n-1] + x[n+1]
      B[n] = 10 div i[n] + 7 mod i[n]
      C[n] = (x[i[n]] else 100)
      D[n] = if i[n] > 0 then x[n] else x[n-9]
      E[n] = if exists(x[n-1]) then x[n-1] else -1
    })");
  e.extent("N", 4).values("x", {1, 2, 4, 8}).values("i", {0, -3, 3, 1}).run();
  CHECK(e.all("A") == Doubles{-9, 5, 10, -9});
  CHECK(present(e, "A") == std::vector<bool>{false, true, true, false});
  CHECK(e.all("B") == Doubles{0, -4 - 2, 3 + 1, 10});
  CHECK(present(e, "B") == std::vector<bool>{false, true, true, true});
  CHECK(e.all("C") == Doubles{1, 100, 8, 2});
  CHECK(present(e, "D") == std::vector<bool>{false, false, true, true});
  CHECK(e.all("E") == Doubles{-1, 1, 2, 4});
}

TEST_CASE("r14, r23: NaN beyond the mask changes nothing, inside it only what depends on it") {
  Evaluated e(R"(
    cascade c(S[P,M] : f64, V[M] : f64, len[P] : index) -> (O[P] : f64, X[P] : f64) {
      X[p]   = max[m where m < len[p]] S[p,m]
      N[p,m] = exp(S[p,m] - X[p])   where m < len[p]
      D[p]   = sum[m] N[p,m]
      O[p]   = sum[m] N[p,m] / D[p] * V[m]
    })");
  e.extent("P", 3).extent("M", 3).values("len", {2, 1, 0});
  e.values("S", {1, 1, NaN, 2, NaN, NaN, NaN, NaN, NaN}).values("V", {3, 5, NaN}).run();
  CHECK(e.all("O") == Doubles{4, 3, 0});
  CHECK(e.all("X") == Doubles{1, 2, -inf});
  e.values("S", {1, NaN, 7, 2, 0, 0, 0, 0, 0}).run();
  CHECK(std::isnan(e.at("X", {0})));
  CHECK(std::isnan(e.at("O", {0})));
  CHECK(e.at("O", {1}) == 3);
}

TEST_CASE("r15: bools always have a value") {
  Evaluated e(R"(
    cascade c(x[N] : f64) -> (A[N] : bool, B[N] : bool, C[N] : bool, D[N] : index) {
      Even[n] = x[n] > 0   where n mod 2 == 0
      A[n] = x[n+1] > 0
      B[n] = not x[n+1] > 0
      C[n] = not Even[n]
      D[n] = count[k in N where k >= n] Even[k]
    })");
  e.extent("N", 3).values("x", {1, 1, 1}).run();
  CHECK(e.all("A") == Doubles{1, 1, 0});
  CHECK(e.all("B") == Doubles{0, 0, 1});
  CHECK(e.all("C") == Doubles{0, 1, 0});
  CHECK(e.all("D") == Doubles{2, 1, 1});
}

TEST_CASE("r16, r17: a missing key is a missing score; a missing factor is a missing sum") {
  Evaluated e(R"(
    cascade c(Q[P,E] : f64, K[M,E] : f64, g[M] : f64) -> (S[P,W] : f64, A[P] : f64, Y[P] : f64, Z[P] : f64) {
      rank W = 3
      rank M = P
      S[p,w] = Q[p,e] * K[p-w,e]
      A[p]   = sum[w] S[p,w]
      Y[p]   = sum[e] K[p-1,e]
      Z[p]   = sum[w] g[p-w]
    })");
  e.extent("P", 4).extent("E", 2).extent("W", 3).random("Q").random("K").values("g", {1, 2, 4, 8}).run();
  for (int64_t p = 0; p < 4; ++p) {
    double sum = 0;
    for (int64_t w = 0; w < 3; ++w) {
      CHECK(e.has("S", {p, w}) == (w <= p));
      for (int64_t i = 0; i < 2 && w <= p; ++i)
        sum += e.at("Q", {p, i}) * e.at("K", {p - w, i});
    }
    CHECK(near(e.at("A", {p}), sum));
    CHECK(e.has("Y", {p}) == (p > 0)); // the sum over e is all or nothing
  }
  CHECK(e.all("Z") == Doubles{1, 3, 7, 14}); // the points that exist
}

TEST_CASE("r17: identities of empty reductions, and those without a value") {
  Evaluated e(R"(
    cascade c(x[N] : f64, i[N] : i64) -> (a : f64, b : f64, c : f64, d : f64, any0 : bool, all0 : bool, k : index,
        m : f64 empty -7.0, am : index empty -7, an : index empty -7, im : i64 empty -7, is : i64, z : f64) {
      a = sum[n where n < 0] x[n]
      b = prod[n where n < 0] x[n]
      c = max[n where n < 0] x[n]
      d = min[n where n < 0] x[n]
      any0 = any[n where n < 0] (x[n] > 0)
      all0 = all[n where n < 0] (x[n] > 0)
      k = count[n where n < 0] (x[n] > 0)
      m = mean[n where n < 0] x[n]
      am = argmax[n where n < 0] x[n]
      an = argmin[n where n < 0] i[n]
      im = max[n where n < 0] i[n]
      is = sum[n where n < 0] i[n]
      z = sum[n] x[n + 100]
    })");
  e.extent("N", 3).values("x", {1, 2, 3}).values("i", {1, 2, 3}).run();
  auto one = [&](const char *name) { return e.at(name, {}); };
  CHECK(one("a") == 0);
  CHECK(one("b") == 1);
  CHECK(one("c") == -inf);
  CHECK(one("d") == inf);
  CHECK(one("any0") == 0);
  CHECK(one("all0") == 1);
  CHECK(one("k") == 0);
  CHECK(one("is") == 0);
  CHECK(one("z") == 0);
  for (const char *name : {"m", "am", "an", "im"}) {
    CHECK(one(name) == -7);
    CHECK_FALSE(e.has(name, {}));
  }
}

TEST_CASE("r18: order of selections: ties to the smaller coordinate, NaN last, missing never") {
  Evaluated e(R"(
    cascade c(x[N] : f64, len : index) -> (Place[N] : index empty -1, Top[N] : bool, All[N] : bool, None[N] : bool,
        Sorted[K] : index empty -1, big : index, small : index, At[K] : index empty -1) {
      rank K = |N|
      y[n]      = 1.0 * x[n]   where n < len
      Place[n]  = place[n] y[n]
      Top[n]    = top[n; 3] y[n]
      All[n]    = top[n; 100] y[n]
      None[n]   = top[n; 0] y[n]
      Sorted[k] = argsort[n; k] y[n]
      big       = argmax[n] y[n]
      small     = argmin[n] y[n]
      At[k]     = coordinates[n; k] (x[n] > 1)
    })");
  e.extent("N", 7).extent("K", 7).scalar("len", 6).values("x", {2, 5, NaN, 5, -1, 2, 99}).run();
  CHECK(e.all("Place") == Doubles{2, 0, 5, 1, 4, 3, -1});
  CHECK(e.all("Top") == Doubles{1, 1, 0, 1, 0, 0, 0});
  CHECK(e.all("All") == Doubles{1, 1, 1, 1, 1, 1, 0});
  CHECK(e.all("None") == Doubles(7, 0));
  CHECK(e.all("Sorted") == Doubles{1, 3, 0, 5, 4, 2, -1});
  CHECK(e.at("big", {}) == 1);
  CHECK(e.at("small", {}) == 4);
  CHECK(e.all("At") == Doubles{0, 1, 3, 5, 6, -1, -1});
}

TEST_CASE("r18: top_mass takes the shortest prefix, filters and joint selections") {
  Evaluated e(R"(
    cascade c(x[N] : f64, y[A,N] : f64) -> (Half[N] : bool, Whole[N] : bool, Nothing[N] : bool, Odd[N] : bool,
                                            Joint[A,N] : bool) {
      Half[n]    = top_mass[n; 0.5] x[n]
      Whole[n]   = top_mass[n; 1.5] x[n]
      Nothing[n] = top_mass[n; 0.0] x[n]
      Odd[n]     = top[n where n mod 2 == 1; 1] x[n]
      Joint[a,n] = top[a, n; 3] y[a,n]
    })");
  e.extent("N", 4).extent("A", 2).values("x", {1, 4, 2, 3}).values("y", {1, 5, 3, 5, 4, 0, 5, 2}).run();
  CHECK(e.all("Half") == Doubles{0, 1, 0, 1}); // 4 < 5 <= 4 + 3
  CHECK(e.all("Whole") == Doubles(4, 1));
  CHECK(e.all("Nothing") == Doubles(4, 0));
  CHECK(e.all("Odd") == Doubles{0, 1, 0, 0});
  CHECK(e.all("Joint") == Doubles{0, 1, 0, 1, 0, 0, 1, 0});
}

TEST_CASE("r18: scans are inclusive and have a point where the argument has one") {
  Evaluated e(R"(
    cascade c(x[N] : f64) -> (A[N] : f64 empty -1.0, B[N] : f64, C[N] : f64, D[N] : f64, G[B2,N] : f64) {
      rank B2 = 2
      y[n] = 1.0 * x[n]   where n != 1
      A[n] = cumsum[n] y[n]
      B[n] = cumprod[n] x[n]
      C[n] = cummax[n] x[n]
      D[n] = cummin[n] x[n]
      G[b in B2,n] = exp(cumsum[n] (x[n] * b)) - exp(cumsum[n] (x[n] * b))
    })");
  e.extent("N", 4).extent("B2", 2).values("x", {2, 3, 1, 4}).run();
  CHECK(e.all("A") == Doubles{2, -1, 3, 7});
  CHECK(e.all("B") == Doubles{2, 6, 6, 24});
  CHECK(e.all("C") == Doubles{2, 3, 3, 4});
  CHECK(e.all("D") == Doubles{2, 2, 1, 1});
  CHECK(e.all("G") == Doubles(8, 0));
}

TEST_CASE("r8, r23: integers are exact, wrap, and saturate where a type is declared") {
  Evaluated e(R"(
    cascade c(a[N] : i64, b[N] : i64) -> (Sum[N] : i64, Div[N] : i64, Mod[N] : i64, Narrow[N] : i8, Bits[N] : index,
        F[N] : i64, Pow[N] : i64, Abs[N] : i64, Neg[N] : i64) {
      Sum[n] = a[n] + b[n]
      Div[n] = a[n] div b[n]
      Mod[n] = a[n] mod b[n]
      Narrow[n] = a[n]
      Bits[n] = bit_length(n) + bit_xor(n, 1)
      F[n]   = cast<i64>(cast<f64>(a[n]) * 1.5)
      Pow[n] = 3 ^ n
      Abs[n] = abs(a[n])
      Neg[n] = -a[n]
    })");
  e.extent("N", 4);
  std::vector<int64_t> a = {INT64_MIN, 9007199254740993, -7, 7}, b = {-1, 2, 2, -2};
  for (auto &[name, list] : {std::pair{"a", a}, std::pair{"b", b}}) {
    ein::Array array{ein::Type::I64, {4}, {}, {}};
    for (int64_t x : list)
      array.value.push_back(ein::cellOf(x));
    e.environment.tensors[e.cascade.tensorNamed(name)] = array;
  }
  e.run();
  auto exact = [&](const char *name) {
    std::vector<int64_t> list;
    for (int64_t n = 0; n < 4; ++n)
      list.push_back(e.exact(name, {n}));
    return list;
  };
  CHECK(exact("Sum") == std::vector<int64_t>{INT64_MAX, 9007199254740995, -5, 5});
  CHECK(exact("Div") == std::vector<int64_t>{INT64_MIN, 4503599627370496, -4, -4});
  CHECK(exact("Mod") == std::vector<int64_t>{0, 1, 1, -1});
  CHECK(exact("Narrow") == std::vector<int64_t>{-128, 127, -7, 7});
  CHECK(exact("Bits") == std::vector<int64_t>{0 + 1, 1 + 0, 2 + 3, 2 + 2});
  CHECK(exact("F") == std::vector<int64_t>{INT64_MIN, 13510798882111488, -10, 10});
  CHECK(exact("Pow") == std::vector<int64_t>{1, 3, 9, 27});
  CHECK(exact("Abs") == std::vector<int64_t>{INT64_MIN, 9007199254740993, 7, 7});
  CHECK(exact("Neg") == std::vector<int64_t>{INT64_MIN, -9007199254740993, 7, -7});
}

TEST_CASE("r24: one rounding, at the declared type") {
  Evaluated e(R"(
    cascade c(x[N] : f64) -> (A[N] : bf16, B[N] : f64, C[N] : f64, D[N] : f8e4m3) {
      y[n] : bf16 = x[n]
      B[n] = y[n]
      A[n] = x[n]
      C[n] = cast<f16>(x[n])
      D[n] = x[n]
    })");
  e.extent("N", 3).values("x", {1.00390625, 0.1, 70000}).run();
  CHECK(e.all("A") == Doubles{1, 0.10009765625, 70144});
  CHECK(e.all("B") == e.all("A"));
  CHECK(e.all("C") == Doubles{1.00390625, 0.0999755859375, inf});
  CHECK(e.at("D", {0}) == 1);
  CHECK(std::isnan(e.at("D", {2})));
}

TEST_CASE("r23: functions at their edges") {
  Evaluated e(R"(
    cascade c(x[N] : f64) -> (Sign[N] : f64, Round[N] : f64, Relu[N] : f64, Soft[N] : f64, Elu[N] : f64, Gelu[N] : f64,
                              Clamp[N] : f64, Sig[N] : f64) {
      Sign[n] = sign(x[n])
      Round[n] = round(x[n])
      Relu[n] = relu(x[n])
      Soft[n] = softplus(x[n])
      Elu[n] = elu(x[n])
      Gelu[n] = gelu(x[n])
      Clamp[n] = clamp(x[n], -1, 1)
      Sig[n] = sigmoid(x[n])
    })");
  e.extent("N", 5).values("x", {0, 2.5, -1000, 1000, NaN}).run();
  CHECK(e.at("Sign", {0}) == 0);
  CHECK(e.at("Sign", {2}) == -1);
  CHECK(e.at("Round", {1}) == 2);
  CHECK(e.at("Soft", {2}) == 0);
  CHECK(e.at("Soft", {3}) == 1000);
  CHECK(near(e.at("Soft", {0}), std::log(2.0)));
  CHECK(e.at("Elu", {2}) == -1);
  CHECK(near(e.at("Gelu", {1}), 2.5 * 0.5 * (1 + std::erf(2.5 / std::sqrt(2.0)))));
  CHECK(e.at("Gelu", {3}) == 1000);
  CHECK(e.at("Clamp", {2}) == -1);
  CHECK(e.at("Sig", {2}) == 0);
  CHECK(e.at("Sig", {3}) == 1);
  for (const char *name : {"Sign", "Round", "Relu", "Soft", "Elu", "Gelu", "Clamp", "Sig"})
    CHECK(std::isnan(e.at(name, {4})));
}

TEST_CASE("r21: init for every reader, steps of two, missing steps") {
  Evaluated e(R"(
    cascade c(x[T] : f64, s0[B] : f64) -> (F[T] : f64, Before[T] : f64, L[B] : f64, G[T] : f64) {
      F[t]      = F[t-1] + F[t-2] + x[t]        init 1
      Before[t] = F[t-1]
      S[b,t]    = 2 * S[b,t-1]                  init s0[b]
      L[b]      = S[b,|T|-1] + S[b,-1]
      G[t]      = (G[t-1] else 10) + x[t]       where t != 2
    })");
  e.extent("T", 5).extent("B", 2).values("x", {0, 0, 0, 1, 0}).values("s0", {1, 3}).run();
  CHECK(e.all("F") == Doubles{2, 3, 5, 9, 14});
  CHECK(e.all("Before") == Doubles{1, 2, 3, 5, 9});
  CHECK(e.all("L") == Doubles{33, 99});
  CHECK(e.all("G") == Doubles{10, 10, 0, 11, 11});
}

TEST_CASE("r7: a tuple's entries stay in their own ranges") {
  Evaluated e(R"(
    cascade c(x[M] : f64) -> (Left[M] : f64 empty -1.0, Shift[N,C] : f64 empty -1.0, B[N,C] : index) {
      split M = (N, C = 3)
      Left[(n,c)] = x[(n,c)] * 2
      Shift[n,c]  = x[(n,c+1)]
      B[n,c]      = n * 10 + c
    })");
  e.extent("M", 5).extent("N", 2).extent("C", 3).values("x", {1, 2, 3, 4, 5}).run();
  CHECK(e.all("Left") == Doubles{2, 4, 6, 8, 10});
  CHECK(e.all("Shift") == Doubles{2, 3, -1, 5, -1, -1});
  CHECK(e.all("B") == Doubles{0, 1, 2, 10, 11, 12});
}

TEST_CASE("only what an output needs is evaluated") {
  Evaluated e(R"(
    cascade c(x[N] : f64) -> (A[N] : f64) {
      A[n] = x[n]
      Big[n,k in N,l in N] = x[n] * x[k] * x[l]
    })");
  e.extent("N", 100).random("x");
  e.environment.maxPoints = 1000;
  e.run();
  CHECK(e.all("A") == e.all("x"));
}
