//===- Build.cpp - the normal form: how sums, products, powers are made -----------===//
//
// Each builder takes normal forms and returns one. Where a rule produces
// something that other rules may apply to (2^(1/2) * 2^(1/2) is the number 2),
// the builder starts over with the result; every such step removes a factor or
// a level, so this ends.
//
//===----------------------------------------------------------------------===//
#include "compiler/algebra/Sym.h"
#include <algorithm>
#include <cmath>
#include <map>

namespace einfall::algebra {
namespace {

Sym node(Form form, Number number, std::vector<Sym> args) {
  Node n;
  n.form = form;
  n.number = number;
  n.args = std::move(args);
  return Sym::intern(std::move(n));
}

/// e = coefficient * rest.
std::pair<Number, Sym> splitCoefficient(const Sym &e) {
  if (!e.is(Form::Mul) || e.number().isOne())
    return {1, e};
  return {e.number(), e.args().size() == 1 ? e.args()[0] : node(Form::Mul, 1, e.args())};
}

/// The number to take out of a sum so that its first term has coefficient 1;
/// 1 where that would not be exact.
Number contentOf(const Sym &sum) {
  Number c = splitCoefficient(sum.args()[0]).first;
  return c.exact() ? c : Number(1);
}

Sym scale(const Sym &sum, const Number &c) {
  std::vector<Sym> terms;
  for (const Sym &t : sum.args()) {
    auto [k, rest] = splitCoefficient(t);
    terms.push_back(mul({Sym(k * c), rest}));
  }
  terms.push_back(Sym(sum.number() * c));
  return add(terms);
}

/// c^e for a number that is not 0 or 1: roots by primes.
Sym powerOfNumber(const Number &c, const Number &e) {
  if (e.isInteger())
    return c.isZero() && e.sign() < 0 ? node(Form::Pow, e, {Sym(c)}) : Sym(c.pow(e.num()));
  if (c.isZero())
    return e.sign() > 0 ? Sym(0) : node(Form::Pow, e, {Sym(c)});
  if (c.sign() < 0)
    return node(Form::Pow, e, {Sym(c)});
  if (!c.exact() || !e.exact())
    return Sym(std::pow(c.value(), e.value()));
  Number outside = 1;
  std::vector<Sym> roots;
  auto prime = [&](int64_t p, const Number &k) {
    Number power = k * e;
    int64_t whole = power.floor();
    outside = outside * Number(p).pow(whole);
    if (Number rest = power - Number(whole); !rest.isZero())
      roots.push_back(node(Form::Pow, rest, {Sym(p)}));
  };
  for (auto [value, direction] : {std::pair{c.num(), 1}, std::pair{c.den(), -1}}) {
    for (int64_t p = 2; p < 1000 && p * p <= value; ++p) {
      int64_t k = 0;
      for (; value % p == 0; value /= p)
        ++k;
      if (k)
        prime(p, k * direction);
    }
    if (value > 1)
      prime(value, direction);
  }
  if (roots.empty())
    return Sym(outside);
  if (roots.size() == 1 && outside.isOne())
    return roots[0];
  std::sort(roots.begin(), roots.end());
  return node(Form::Mul, outside, std::move(roots));
}

Sym logOfNumber(const Number &c) {
  if (c.isOne())
    return Sym(0);
  if (c.sign() <= 0)
    return node(Form::Log, 0, {Sym(c)});
  if (!c.exact())
    return Sym(std::log(c.value()));
  std::vector<Sym> terms;
  for (auto [value, direction] : {std::pair{c.num(), 1}, std::pair{c.den(), -1}}) {
    auto prime = [&](int64_t p, int64_t k) {
      terms.push_back(mul({Sym(k * direction), node(Form::Log, 0, {Sym(p)})}));
    };
    for (int64_t p = 2; p < 1000 && p * p <= value; ++p) {
      int64_t k = 0;
      for (; value % p == 0; value /= p)
        ++k;
      if (k)
        prime(p, k);
    }
    if (value > 1)
      prime(value, 1);
  }
  return add(terms);
}

} // namespace

Sym add(const std::vector<Sym> &terms) {
  Number constant = 0;
  std::map<Sym, Number> like;
  auto take = [&](auto &self, const Sym &t) -> void {
    if (t.is(Form::Add)) {
      constant = constant + t.number();
      for (const Sym &a : t.args())
        self(self, a);
    } else if (t.is(Form::Number)) {
      constant = constant + t.number();
    } else {
      auto [c, rest] = splitCoefficient(t);
      auto [it, isNew] = like.emplace(rest, c);
      if (!isNew)
        it->second = it->second + c;
    }
  };
  for (const Sym &t : terms)
    take(take, t);
  std::vector<Sym> args;
  for (auto &[rest, c] : like)
    if (!c.isZero())
      args.push_back(c.isOne() ? rest : mul({Sym(c), rest}));
  if (args.empty())
    return Sym(constant);
  if (args.size() == 1 && constant.isZero())
    return args[0];
  return node(Form::Add, constant, std::move(args));
}

Sym mul(const std::vector<Sym> &factors) {
  Number c = 1;
  std::map<Sym, Number> powers;
  std::vector<Sym> exponents;
  auto take = [&](auto &self, const Sym &f) -> void {
    switch (f.form()) {
    case Form::Number:
      c = c * f.number();
      return;
    case Form::Mul:
      c = c * f.number();
      for (const Sym &a : f.args())
        self(self, a);
      return;
    case Form::Exp:
      exponents.push_back(f.args()[0]);
      return;
    default: {
      Sym base = f.is(Form::Pow) ? f.args()[0] : f;
      Number e = f.is(Form::Pow) ? f.number() : Number(1);
      auto [it, isNew] = powers.emplace(base, e);
      if (!isNew)
        it->second = it->second + e;
    }
    }
  };
  for (const Sym &f : factors)
    take(take, f);
  if (c.isZero())
    return Sym(0);

  std::vector<Sym> args;
  bool again = false;
  size_t kinds = powers.size() + !exponents.empty();
  for (auto &[base, e] : powers) {
    Sym p = pow(base, e);
    if (p.isNumber(1))
      continue;
    // (2a + 2b) * x and 2 * (a + b) * x must be one form.
    if (p.is(Form::Add) && kinds > 1)
      if (Number k = contentOf(p); !k.isOne()) {
        c = c * k;
        p = scale(p, k.inverse());
      }
    bool stable = p.is(Form::Pow) ? p.args()[0] == base || p.args()[0].is(Form::Add)
                                  : p.is(Form::Add) || (p == base && !p.is(Form::Number));
    again |= !stable;
    args.push_back(p);
  }
  if (!exponents.empty()) {
    Sym e = exp(exponents.size() == 1 ? exponents[0] : add(exponents));
    again |= !e.is(Form::Exp);
    if (!e.isNumber(1))
      args.push_back(e);
  }
  if (again) {
    args.push_back(Sym(c));
    return mul(args);
  }
  if (args.empty())
    return Sym(c);
  if (args.size() == 1 && c.isOne())
    return args[0];
  if (args.size() == 1 && args[0].is(Form::Add))
    return scale(args[0], c);
  std::sort(args.begin(), args.end());
  return node(Form::Mul, c, std::move(args));
}

Sym pow(const Sym &b, const Number &e) {
  if (e.isZero())
    return Sym(1);
  if (e.isOne() || b.isNumber(1))
    return b;
  switch (b.form()) {
  case Form::Number:
    return powerOfNumber(b.number(), e);
  case Form::Exp:
    return exp(mul({Sym(e), b.args()[0]}));
  case Form::Pow:
    if (b.args()[0].is(Form::Number)) // already a root of a prime (or undefined)
      return b.args()[0].number().sign() > 0 ? powerOfNumber(b.args()[0].number(), b.number() * e)
                                             : node(Form::Pow, e, {b});
    if (e.isInteger() || b.args()[0].sign() != Sign::Any)
      return pow(b.args()[0], b.number() * e);
    return node(Form::Pow, e, {b});
  case Form::Mul: {
    if (e.isInteger() ||
        (b.sign() != Sign::Any &&
         std::all_of(b.args().begin(), b.args().end(), [](const Sym &a) { return a.sign() != Sign::Any; }))) {
      std::vector<Sym> out{pow(Sym(b.number()), e)};
      for (const Sym &a : b.args())
        out.push_back(pow(a, e));
      return mul(out);
    }
    // Positive factors leave the root, the others stay under it together.
    std::vector<Sym> out, inside;
    Number c = b.number();
    if (c.sign() < 0) {
      inside.push_back(Sym(-1));
      c = -c;
    }
    if (!c.isOne())
      out.push_back(pow(Sym(c), e));
    for (const Sym &a : b.args()) {
      if (a.isPositive())
        out.push_back(pow(a, e));
      else
        inside.push_back(a);
    }
    if (out.empty())
      return node(Form::Pow, e, {b});
    out.push_back(pow(mul(inside), e));
    return mul(out);
  }
  case Form::Add: {
    Number c = contentOf(b);
    if (!e.isInteger() && c.sign() < 0)
      c = -c;
    if (!c.isOne())
      return mul({pow(Sym(c), e), pow(scale(b, c.inverse()), e)});
    return node(Form::Pow, e, {b});
  }
  default:
    return node(Form::Pow, e, {b});
  }
}

Sym pow(const Sym &base, const Sym &e) {
  if (e.is(Form::Number))
    return pow(base, e.number());
  if (base.isPositive())
    return exp(mul({e, log(base)}));
  return call("pow", {base, e});
}

Sym exp(const Sym &x) {
  if (hasInfinity(x))
    return node(Form::Exp, 0, {x});
  // The exponent stays as it is written, for (p - m)^2 * c computes better than its
  // expansion, unless something cancels: (s - g)/t + (g - h)/t has no g.
  Sym e = expand(x);
  if (e.isNumber(0))
    return Sym(1);
  if (!e.is(Form::Number) && !e.is(Form::Atom) && e.atoms().size() >= x.atoms().size())
    e = x;
  // exp(k * log(b)) = b^k.
  std::vector<Sym> outside, inside;
  auto term = [&](const Sym &t) {
    auto [k, rest] = splitCoefficient(t);
    if (rest.is(Form::Log))
      outside.push_back(pow(rest.args()[0], k));
    else
      inside.push_back(t);
  };
  if (e.is(Form::Add)) {
    for (const Sym &t : e.args())
      term(t);
    if (!e.number().isZero())
      inside.push_back(Sym(e.number()));
  } else {
    term(e);
  }
  if (outside.empty())
    return node(Form::Exp, 0, {e});
  if (!inside.empty())
    outside.push_back(node(Form::Exp, 0, {add(inside)}));
  return mul(outside);
}

Sym log(const Sym &x) {
  switch (x.form()) {
  case Form::Number:
    return logOfNumber(x.number());
  case Form::Exp:
    return x.args()[0];
  case Form::Pow:
    // Defined only for a positive base unless the numerator is even.
    if (x.args()[0].sign() != Sign::Any || !x.number().exact() || x.number().num() % 2 != 0)
      return mul({Sym(x.number()), log(x.args()[0])});
    break;
  case Form::Mul: {
    std::vector<Sym> terms, inside;
    Number c = x.number();
    if (c.sign() < 0) {
      inside.push_back(Sym(-1));
      c = -c;
    }
    if (!c.isOne())
      terms.push_back(logOfNumber(c));
    for (const Sym &a : x.args()) {
      if (a.sign() != Sign::Any)
        terms.push_back(log(a));
      else
        inside.push_back(a);
    }
    if (terms.empty())
      break;
    if (!inside.empty())
      terms.push_back(log(mul(inside)));
    return add(terms);
  }
  case Form::Add: {
    Number c = contentOf(x);
    if (c.sign() < 0)
      c = -c;
    if (!c.isOne())
      return add({logOfNumber(c), log(scale(x, c.inverse()))});
    break;
  }
  default:
    break;
  }
  return node(Form::Log, 0, {x});
}

Sym call(const std::string &name, const std::vector<Sym> &args) {
  auto raw = [&](bool analytic, const std::vector<Sym> &a) {
    Node n;
    n.form = Form::Call;
    n.name = name;
    n.args = a;
    n.analytic = analytic;
    return Sym::intern(std::move(n));
  };
  if (args.size() == 1) {
    const Sym &x = args[0];
    if (name == "exp")
      return exp(x);
    if (name == "log")
      return log(x);
    if (name == "exp2")
      return exp(mul({x, log(Sym(2))}));
    if (name == "log2")
      return mul({log(x), pow(log(Sym(2)), Number(-1))});
    if (name == "sqrt")
      return pow(x, Number::ratio(1, 2));
    if (name == "rsqrt")
      return pow(x, Number::ratio(-1, 2));
    bool odd = name == "tanh" || name == "erf" || name == "sin", even = name == "cos";
    if (odd || even) {
      // One form for f(x) and f(-x): the first coefficient is positive.
      Number lead = x.is(Form::Add)                         ? splitCoefficient(x.args()[0]).first
                    : x.is(Form::Mul) || x.is(Form::Number) ? x.number()
                                                            : Number(1);
      if (x.isNumber(0))
        return Sym(even ? 1 : 0);
      if (lead.sign() < 0)
        return even ? raw(true, {-x}) : -raw(true, {-x});
      return raw(true, args);
    }
    if (name == "expm1" || name == "log1p" || name == "sigmoid" || name == "silu" || name == "gelu" ||
        name == "softplus")
      return raw(true, args);
  }
  return raw(false, args);
}

} // namespace einfall::algebra
