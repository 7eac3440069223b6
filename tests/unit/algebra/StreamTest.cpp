//===- StreamTest.cpp - one pass by moving anchors, against two passes ------------------===//
//
// What the closure is for, done in numbers: a sum whose terms use a total that is
// known only at the end is accumulated against running values of that total, in
// parts that are merged in any order, and must come out as if the total had been
// known from the start.
//
//===----------------------------------------------------------------------===//
#include "compiler/algebra/Terms.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>

using namespace einfall::algebra;

namespace {

Sym s = Sym::atom(0, "s"), v = Sym::atom(1, "v"), w = Sym::atom(2, "w"), s2 = Sym::atom(3, "s2");
Sym t = Sym::atom(10, "t", Sign::Positive), lambda = Sym::atom(11, "lambda");
Sym x = Sym::atom(20, "x"), mu = Sym::atom(21, "mu"), x2 = Sym::atom(22, "x2");
Sym d = Sym::atom(23, "d", Sign::Positive), d2 = Sym::atom(24, "d2", Sign::Positive);

bool isStream(const Sym &a) { return a.id() < 10; }
using Env = std::map<Sym, double>;
double at(const Sym &e, const Env &env) {
  return evaluate(e, [&](const Sym &a) { return env.at(a); });
}

/// Accumulators of one closure, and the anchor values they stand at.
struct State {
  std::vector<double> sums;
  Env anchors;
};

class Stream {
public:
  Stream(const Closure &c, const Env &row) : c(c), row(row) {
    for (size_t k = 0; k < c.anchors.size(); ++k) {
      from.push_back(Sym::atom(100 + int(k), "from", c.anchors[k].atom.sign()));
      auto step = transport(c.A[k], c.anchors[k].kind, from.back(), c.anchors[k].atom);
      REQUIRE(step);
      steps.push_back(*step);
    }
  }

  void move(State &state, const Env &to) const {
    for (size_t k = 0; k < steps.size(); ++k) {
      Env env = row;
      env[from[k]] = state.anchors.at(c.anchors[k].atom);
      env[c.anchors[k].atom] = to.at(c.anchors[k].atom);
      std::vector<double> next(state.sums.size());
      for (size_t i = 0; i < next.size(); ++i)
        for (size_t j = 0; j < next.size(); ++j)
          if (!steps[k][i][j].isNumber(0))
            next[i] += at(steps[k][i][j], env) * state.sums[j];
      state.sums = next;
    }
    state.anchors = to;
  }

  void take(State &state, const Env &point) const {
    Env env = row;
    for (auto &[a, value] : point)
      env[a] = value;
    for (auto &[a, value] : state.anchors)
      env[a] = value;
    for (size_t i = 0; i < c.basis.size(); ++i)
      state.sums[i] += at(c.basis[i], env);
  }

private:
  const Closure &c;
  Env row;
  std::vector<Sym> from;
  std::vector<Matrix> steps;
};

/// Sum of f over random points, by a walk of the anchors over parts that are
/// merged pairwise, against the plain sum at the final anchors.
void check(const Sym &f, const std::vector<Anchor> &anchors) {
  INFO(f.print());
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> value(0.2, 2.4);
  Env row{{t, 1.3}, {lambda, 0.4}}, last;
  for (const Anchor &a : anchors)
    last[a.atom] = value(random);
  std::vector<Env> points;
  for (int m = 0; m < 24; ++m)
    points.push_back({{s, value(random)}, {v, value(random) - 1}, {w, value(random)}, {s2, value(random)}});
  double plain = 0, size = 1;
  for (Env env : points) {
    env.insert(row.begin(), row.end());
    env.insert(last.begin(), last.end());
    plain += at(f, env);
    size = std::max(size, std::fabs(plain));
  }
  double streamed = 0;
  for (const Term &term : splitTerms(f, anchors, isStream)) {
    std::vector<Sym> used;
    for (const Anchor &a : anchors)
      used.push_back(a.atom);
    auto c = closureOfAnyKind(term.body, used, isStream);
    INFO(term.body.print() << ": " << c.reason);
    REQUIRE(c);
    Stream stream(*c, row);
    std::vector<State> parts;
    size_t next = 0;
    while (next < points.size()) {
      State part{std::vector<double>(c->basis.size()), {}};
      for (const Anchor &a : anchors)
        part.anchors[a.atom] = value(random);
      for (size_t n = 1 + random() % 5; n-- && next < points.size();) {
        Env to;
        for (const Anchor &a : anchors)
          to[a.atom] = value(random);
        stream.move(part, to);
        stream.take(part, points[next++]);
      }
      parts.push_back(part);
    }
    while (parts.size() > 1) { // merge any two, at the anchors of one of them
      size_t a = random() % parts.size();
      State one = parts[a];
      parts.erase(parts.begin() + long(a));
      State &other = parts[random() % parts.size()];
      stream.move(one, other.anchors);
      for (size_t i = 0; i < one.sums.size(); ++i)
        other.sums[i] += one.sums[i];
    }
    stream.move(parts[0], last);
    Env env = row;
    env.insert(last.begin(), last.end());
    streamed += at(term.row, env) * parts[0].sums[0];
  }
  CHECK(streamed == Approx(plain).epsilon(1e-9).margin(1e-10 * size));
}

} // namespace

TEST_CASE("streams of every known shape", "[stream]") {
  using K = AnchorKind;
  Sym N = exp(s - x), A = N / d;
  check(N * v, {{x}});
  check(call("exp2", {(s - x) / t}) * v, {{x}});
  check(A * v, {{x}, {d, K::Scale}});
  check(A * log(A), {{x}, {d, K::Scale}});                                                 // row entropy
  check((A - lambda * exp(s2 - x2) / d2) * v, {{x}, {d, K::Scale}, {x2}, {d2, K::Scale}}); // a difference
  check(A * w * s2 * v, {{x}, {d, K::Scale}});                                             // double sums
  check((A + w / d2) * v, {{x}, {d, K::Scale}, {d2, K::Scale}});
  check(pow(v - mu, Number(2)), {{mu}}); // Chan
  check(A * pow(v - mu, Number(2)), {{x}, {d, K::Scale}, {mu}});
  check(A * pow(v - mu, Number(3)) * w, {{x}, {d, K::Scale}, {mu}});
  check(pow(A, Number(2)) * v, {{x}, {d, K::Scale}});
  check(pow(A - w, Number(2)), {{x}, {d, K::Scale}});
  check(w * call("rsqrt", {d}), {{d, K::Scale}});
  check(call("cos", {v - mu}) * w, {{mu}});
}

TEST_CASE("Chan's formula comes out", "[stream]") {
  // Merging two parts at the mean of both: M2 = M2a - 2 (mu - mua) S1a + (mu - mua)^2 na + ...
  auto c = closure(pow(v - mu, Number(2)), {{mu}}, isStream);
  REQUIRE(c);
  Sym from = Sym::atom(30, "from");
  auto M = transport(c->A[0], AnchorKind::Shift, from, mu);
  REQUIRE(M);
  CHECK((*M)[0][0] == Sym(1));
  CHECK(isZero((*M)[0][1] + 2 * (mu - from)));
  CHECK(isZero((*M)[0][2] - pow(mu - from, Number(2))));
}
