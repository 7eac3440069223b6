//===- ClosureTest.cpp - the catalogue of anchors, checked numerically ---------------===//
#include "compiler/algebra/Linear.h"
#include "compiler/algebra/Terms.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>

using namespace einfall::algebra;

namespace {

Sym s = Sym::atom(0, "s"), v = Sym::atom(1, "v"), w = Sym::atom(2, "w"), s2 = Sym::atom(3, "s2");
Sym t = Sym::atom(10, "t", Sign::Positive), lambda = Sym::atom(11, "lambda");
Sym g = Sym::atom(20, "g"), h = Sym::atom(21, "h");
Sym d = Sym::atom(22, "d", Sign::Positive), d2 = Sym::atom(23, "d2", Sign::Positive);
Sym x2 = Sym::atom(24, "x2");

bool isStream(const Sym &a) { return a.id() < 10; }

using Env = std::map<Sym, double>;
double at(const Sym &e, const Env &env) {
  return evaluate(e, [&](const Sym &a) { return env.at(a); });
}

/// b(u, to) == M b(u, from) at random points, for every anchor together.
double transportError(const Closure &c) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> value(0.2, 2.4);
  double worst = 0;
  for (int trial = 0; trial < 20; ++trial) {
    Env env;
    for (const Sym &a : {s, v, w, s2, t, lambda, g, h, d, d2, x2})
      env[a] = value(random);
    Env moved = env;
    Matrix M = identityMatrix(c.basis.size());
    for (size_t k = 0; k < c.anchors.size(); ++k) {
      Sym from = Sym::atom(100 + int(k), "a", c.anchors[k].atom.sign());
      moved[c.anchors[k].atom] = value(random);
      auto step = transport(c.A[k], c.anchors[k].kind, from, c.anchors[k].atom);
      if (!step)
        return INFINITY;
      env[from] = env[c.anchors[k].atom];
      moved[from] = env[c.anchors[k].atom];
      M = multiply(*step, M);
    }
    for (size_t i = 0; i < c.basis.size(); ++i) {
      double sum = 0, size = 1;
      for (size_t j = 0; j < c.basis.size(); ++j) {
        double term = at(M[i][j], moved) * at(c.basis[j], env);
        sum += term;
        size = std::max(size, std::fabs(term));
      }
      worst = std::max(worst, std::fabs(sum - at(c.basis[i], moved)) / size);
    }
  }
  return worst;
}

} // namespace

TEST_CASE("anchors that close", "[closure]") {
  struct Case {
    const char *name;
    Sym f;
    std::vector<Anchor> anchors;
    size_t dimension;
  };
  using K = AnchorKind;
  const Case cases[] = {
      {"softmax weight", exp(s - g), {{g}}, 1},
      {"softmax times value", exp(s - g) * v, {{g}}, 1},
      {"base-2 softmax", call("exp2", {s - g}) * v, {{g}}, 1},
      {"temperature", exp((s - g) / t) * v, {{g}}, 1},
      {"double sum", exp(s - g) * w * v, {{g}}, 1},
      {"division by the denominator", w / d * v, {{d, K::Scale}}, 1},
      {"root of a sum", w * call("rsqrt", {d}), {{d, K::Scale}}, 1},
      {"central second moment", pow(v - g, Number(2)), {{g}}, 3},
      {"weighted central third moment", w * pow(v - g, Number(3)), {{g}}, 4},
      {"row entropy", (s - g) * exp(s - g), {{g}}, 2},
      {"rotation", call("cos", {v - g}), {{g}}, 2},
      {"softmax and division", exp(s - g) / d * v, {{g}, {d, K::Scale}}, 1},
      {"p log p", exp(s - g) / d * log(exp(s - g) / d), {{g}, {d, K::Scale}}, 2},
      {"weighted variance", exp(s - g) / d * pow(v - h, Number(2)), {{g}, {d, K::Scale}, {h}}, 3},
      {"growth", call("exp2", {(s - g) / t}) + exp((g - s) * log(Sym(2)) / t), {{g}}, 2},
  };
  for (const Case &c : cases) {
    INFO(c.name);
    auto r = closure(c.f, c.anchors, isStream);
    INFO(r.reason);
    REQUIRE(r);
    CHECK(r->basis.size() == c.dimension);
    CHECK(r->basis[0] == c.f);
    for (const Matrix &A : r->A)
      for (auto &row : A)
        for (const Sym &e : row) {
          CHECK(!mentions(e, isStream));
          for (const Anchor &a : c.anchors)
            CHECK(!mentions(e, a.atom));
        }
    CHECK(transportError(*r) < 1e-12);
    std::vector<Sym> atoms;
    for (const Anchor &a : c.anchors)
      atoms.push_back(a.atom);
    auto any = closureOfAnyKind(c.f, atoms, isStream);
    INFO(any.reason);
    REQUIRE(any);
    CHECK(any->basis.size() <= c.dimension);
    CHECK(transportError(*any) < 1e-12);
  }
}

TEST_CASE("the matrices are exact", "[closure]") {
  auto softmax = closure(call("exp2", {(s - g) / t}), {{g}}, isStream);
  REQUIRE(softmax);
  CHECK(isZero(softmax->A[0][0][0] + log(Sym(2)) / t));
  auto chan = closure(pow(v - g, Number(2)), {{g}}, isStream);
  REQUIRE(chan);
  CHECK(chan->basis[1] == v - g);
  CHECK(chan->basis[2] == Sym(1));
  CHECK(chan->A[0][0][1] == Sym(-2));
  CHECK(chan->A[0][1][2] == Sym(-1));
  auto entropy = closure((s - g) * exp(s - g), {{g}}, isStream);
  REQUIRE(entropy);
  CHECK(entropy->basis[1] == exp(s - g));
  auto scale = closure(w / d, {{d, AnchorKind::Scale}}, isStream);
  auto M = transport(scale->A[0], AnchorKind::Scale, t, d);
  REQUIRE(M);
  CHECK((*M)[0][0] == t / d);
}

TEST_CASE("anchors that do not close are refused with the function named", "[closure]") {
  struct Case {
    Sym f;
    std::vector<Anchor> anchors;
    const char *says;
  };
  const Case cases[] = {
      {exp(w / d), {{d, AnchorKind::Scale}}, "'exp(w/d)'"},
      {call("tanh", {s - g}) * v, {{g}}, "tanh("},
      {1 / (1 + exp(g - s)), {{g}}, "do not close"},
      {call("sigmoid", {s - g}), {{g}}, "'sigmoid(s - g)'"},
      {call("sqrt", {s + g}), {{g}}, "'sqrt(s + g)'"},
      {call("max", {s - g, Sym(0)}) * v, {{g}}, "'max(s - g, 0)' is not analytic in 'g'"},
      {call("if", {call(">", {exp(s - g), Sym(0.1)}), v, Sym(0)}), {{g}}, "is not analytic in 'g'"},
      {exp(exp(s - g)), {{g}}, "do not close"},
      {exp(s * g), {{g}}, "do not close"},
  };
  for (const Case &c : cases) {
    INFO(c.f.print());
    auto r = closure(c.f, c.anchors, isStream);
    REQUIRE(!r);
    CHECK_THAT(r.reason, Catch::Contains(c.says));
    std::vector<Sym> atoms{c.anchors[0].atom};
    CHECK(!closureOfAnyKind(c.f, atoms, isStream));
  }
}

TEST_CASE("transport composes and refuses what it cannot write", "[closure]") {
  auto c = closure(pow(v - g, Number(2)), {{g}}, isStream);
  Sym a = Sym::atom(30, "a"), b = Sym::atom(31, "b"), e = Sym::atom(32, "e");
  auto one = transport(c->A[0], AnchorKind::Shift, a, b), next = transport(c->A[0], AnchorKind::Shift, b, e);
  auto whole = transport(c->A[0], AnchorKind::Shift, a, e);
  Matrix product = multiply(*next, *one);
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      CHECK(isZero(product[i][j] - (*whole)[i][j]));
  // Rates 0 and -1 lie symmetric to their mean; three different ones do not.
  Matrix two{{Sym(0), Sym(1)}, {Sym(0), Sym(-1)}};
  auto pair = transport(two, AnchorKind::Shift, a, b);
  REQUIRE(pair);
  CHECK(isZero((*pair)[0][1] - (1 - exp(a - b))));
  Matrix three{{Sym(0), Sym(1), Sym(0)}, {Sym(0), Sym(1), Sym(1)}, {Sym(0), Sym(0), Sym(3)}};
  CHECK(!transport(three, AnchorKind::Shift, a, b));
  Matrix blocks{{Sym(-1), Sym(0)}, {Sym(0), Sym(2)}};
  auto m = transport(blocks, AnchorKind::Shift, a, b);
  REQUIRE(m);
  CHECK((*m)[0][0] == exp(a - b));
  CHECK((*m)[1][1] == exp(2 * b - 2 * a));
}

TEST_CASE("summands are split where their signatures differ", "[terms]") {
  std::vector<Anchor> anchors{{g}, {x2}, {h}, {d, AnchorKind::Scale}, {d2, AnchorKind::Scale}};
  auto parts = [&](const Sym &f) {
    auto terms = splitTerms(f, anchors, isStream);
    std::vector<Sym> back;
    for (const Term &p : terms) {
      back.push_back(p.row * p.body);
      CHECK(!mentions(p.row, isStream));
    }
    CHECK(isZero(add(back) - f));
    return terms;
  };
  // Two softmaxes, subtracted, over one value.
  auto two = parts((exp(s - g) / d - lambda * exp(s2 - x2) / d2) * v);
  REQUIRE(two.size() == 2);
  for (const Term &p : two)
    CHECK(closureOfAnyKind(p.body, {g, x2, d, d2}, isStream)->basis.size() == 1);
  // A polynomial in a shift stays whole.
  auto moment = parts(exp(s - g) / d * pow(v - h, Number(2)));
  REQUIRE(moment.size() == 1);
  CHECK(moment[0].row == 1 / d);
  CHECK(moment[0].body == exp(s - g) * pow(v - h, Number(2)));
  // A part without the exponential has another signature.
  CHECK(parts((1 + exp(s - g)) * v).size() == 2);
  CHECK(parts(exp(s - g) * (s - g - log(d)) / d).size() == 1);
  CHECK(parts(pow(exp(s - g) / d - w, Number(2))).size() == 3);
}

TEST_CASE("a maximum of shifted or scaled scores", "[terms]") {
  Sym a = Sym::atom(30, "a", Sign::Positive), b = Sym::atom(31, "b", Sign::Positive);
  auto shift = shiftOfMax(s * w - g + lambda, g, a, b, isStream);
  REQUIRE(shift);
  CHECK(!shift->isFactor);
  CHECK(isZero(shift->c - (a - b)));
  auto factor = shiftOfMax((s + w) / d, d, a, b, isStream);
  REQUIRE(factor);
  CHECK(factor->isFactor);
  CHECK(factor->c == a / b);
  CHECK(!shiftOfMax(s / g, g, Sym::atom(32, "p"), Sym::atom(33, "q"), isStream)); // sign unknown
  CHECK(!shiftOfMax(call("tanh", {s - g}), g, a, b, isStream));
}

TEST_CASE("anchors whose value does not matter", "[terms]") {
  Sym N = Sym::atom(40, "N"), D = Sym::atom(41, "D", Sign::Positive);
  Matrix minus{{Sym(-1)}};
  std::vector<Follows> both{{{N}, minus}, {{D}, minus}};
  CHECK(isFreeAnchor(N / D, {g}, both));
  CHECK(isFreeAnchor(g + log(D), {g}, both));
  CHECK(isFreeAnchor(call("relu", {N / D}) * t, {g}, both));
  CHECK(isFreeAnchor(call("if", {call(">", {N / D, Sym(1)}), g + log(D), Sym(0)}), {g}, both));
  CHECK(!isFreeAnchor(N, {g}, both));
  CHECK(!isFreeAnchor(N / (D + 1), {g}, both));
  // A sink: D = sum exp(s - g) + exp(z - g).
  CHECK(isFreeAnchor(N / (D + exp(t - g)), {g}, both));
}
