//===- Expand.cpp - multiplying out, and the identity test ---------------------------===//
//
// `isZero` brings an expression to a sum of monomials over one denominator. Two
// expressions that are equal as rational functions of their atoms and of their
// (normalised) transcendental parts then cancel term by term.
//
//===----------------------------------------------------------------------===//
#include "compiler/algebra/Sym.h"
#include <cmath>
#include <map>
#include <random>
#include <unordered_map>

namespace einfall::algebra {
namespace {

constexpr size_t maxTerms = 1024;
constexpr int64_t maxPower = 12;
constexpr size_t maxWork = 20000; ///< products of two terms, for one call of `expand`

std::vector<Sym> termsOf(const Sym &e) {
  if (!e.is(Form::Add))
    return {e};
  std::vector<Sym> t = e.args();
  if (!e.number().isZero())
    t.push_back(Sym(e.number()));
  return t;
}

class Expander {
public:
  Sym run(const Sym &e) {
    if (e.args().empty())
      return e;
    if (auto it = done.find(e); it != done.end())
      return it->second;
    Sym result = compute(e);
    done.emplace(e, result);
    return result;
  }

private:
  Sym compute(const Sym &e) {
    switch (e.form()) {
    case Form::Add: {
      std::vector<Sym> terms{Sym(e.number())};
      for (const Sym &t : e.args())
        terms.push_back(run(t));
      return add(terms);
    }
    case Form::Pow: {
      Sym base = run(e.args()[0]);
      const Number &k = e.number();
      if (!base.is(Form::Add) || !k.exact() || k.value() <= 1 || k.value() > maxPower)
        return base == e.args()[0] ? e : pow(base, k);
      // b^(5/2) = b^2 * b^(1/2), with b^2 multiplied out.
      int64_t whole = k.floor();
      Sym result = pow(base, k - Number(whole));
      for (int64_t i = 0; i < whole; ++i)
        result = product({result, base});
      return result;
    }
    case Form::Mul: {
      std::vector<Sym> factors{Sym(e.number())};
      for (const Sym &f : e.args())
        factors.push_back(run(f));
      return product(factors);
    }
    default: {
      std::vector<Sym> args;
      for (const Sym &a : e.args())
        args.push_back(run(a));
      return args == e.args() ? e : rebuild(e, args);
    }
    }
  }

  Sym product(const std::vector<Sym> &factors) {
    std::vector<Sym> plain, sum{Sym(1)};
    for (const Sym &f : factors) {
      if (!f.is(Form::Add)) {
        plain.push_back(f);
        continue;
      }
      std::vector<Sym> next;
      size_t products = sum.size() * (f.args().size() + 1);
      work += products;
      if (products > maxTerms || work > maxWork)
        return mul(factors);
      for (const Sym &s : sum)
        for (const Sym &t : termsOf(f))
          next.push_back(mul({s, t}));
      // Collect like terms on the way.
      sum = termsOf(add(next));
    }
    if (sum.size() == 1) {
      plain.push_back(sum[0]);
      return mul(plain);
    }
    std::vector<Sym> terms;
    Sym rest = mul(plain);
    for (const Sym &s : sum) {
      Sym t = mul({rest, s});
      // The parts may have merged into a new power of a sum, or a sum of its own.
      bool open = false;
      for (const Sym &f : t.is(Form::Mul) ? t.args() : std::vector<Sym>{t})
        open |= f.is(Form::Add) || (f.is(Form::Pow) && f.args()[0].is(Form::Add) && f.number().value() > 1 &&
                                    f.number().value() <= maxPower);
      terms.push_back(open ? run(t) : t);
    }
    return add(terms);
  }

  std::unordered_map<Sym, Sym> done;
  size_t work = 0;
};

const std::vector<Sym> factorsOf(const Sym &e) { return e.is(Form::Mul) ? e.args() : std::vector<Sym>{e}; }

} // namespace

Sym expand(const Sym &e) { return Expander().run(e); }

std::vector<Sym> overCommonDenominator(const std::vector<Sym> &es) {
  std::vector<Sym> out;
  for (const Sym &e : es)
    out.push_back(expand(e));
  // Each round clears the denominators seen; nested ones may come up after it.
  for (int round = 0; round < 4; ++round) {
    std::map<Sym, Number> worst;
    for (const Sym &e : out)
      for (const Sym &t : termsOf(e))
        for (const Sym &f : factorsOf(t))
          if (f.is(Form::Pow) && f.number().sign() < 0 && f.args()[0].is(Form::Add)) {
            Number k = Number(f.number().floor());
            auto [it, isNew] = worst.emplace(f.args()[0], k);
            if (!isNew && k.compare(it->second) < 0)
              it->second = k;
          }
    if (worst.empty())
      break;
    std::vector<Sym> clear;
    for (auto &[base, k] : worst)
      clear.push_back(pow(base, -k));
    for (Sym &e : out) {
      std::vector<Sym> terms;
      for (const Sym &t : termsOf(e)) {
        std::vector<Sym> factors = clear;
        factors.push_back(t);
        terms.push_back(expand(mul(factors)));
      }
      e = add(terms);
    }
  }
  return out;
}

bool isZero(const Sym &e) {
  if (e.is(Form::Number))
    return e.number().isZero();
  if (hasInfinity(e))
    return false;
  if (expand(e).isNumber(0))
    return true;
  return overCommonDenominator({e})[0].isNumber(0);
}

bool isNonZero(const Sym &e) {
  if (e.is(Form::Number))
    return !e.number().isZero();
  if (hasInfinity(e))
    return false;
  if (e.isPositive())
    return true;
  std::mt19937_64 random(12345);
  for (int trial = 0; trial < 16; ++trial) {
    std::unordered_map<Sym, double> values;
    std::uniform_real_distribution<double> any(-2, 2), positive(0.2, 2.4);
    double scale = 0;
    auto at = [&](const Sym &a) {
      auto [it, isNew] = values.emplace(a, 0);
      if (isNew)
        it->second = a.sign() == Sign::Any && trial % 2 ? any(random) : positive(random);
      return it->second;
    };
    double x = evaluate(e, at);
    // Against the size of what cancels in it.
    for (const Sym &t : e.is(Form::Add) ? e.args() : std::vector<Sym>{e})
      scale = std::max(scale, std::fabs(evaluate(t, at)));
    if (std::isfinite(x) && std::fabs(x) > 1e-9 * scale && std::fabs(x) > 1e-200)
      return true;
  }
  return false;
}

} // namespace einfall::algebra
