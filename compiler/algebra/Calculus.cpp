//===- Calculus.cpp - derivative, substitution, evaluation --------------------------===//
#include "compiler/algebra/Sym.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace einfall::algebra {
namespace {

/// f'(x) for the analytic calls of one argument; the chain rule is the caller's.
Sym derivativeOfCall(const std::string &name, const Sym &x) {
  Sym f = call(name, {x});
  if (name == "tanh")
    return 1 - f * f;
  if (name == "sigmoid")
    return f * (1 - f);
  if (name == "sin")
    return call("cos", {x});
  if (name == "cos")
    return -call("sin", {x});
  if (name == "expm1")
    return exp(x);
  if (name == "log1p")
    return pow(1 + x, Number(-1));
  Sym sigmoid = call("sigmoid", {x});
  if (name == "softplus")
    return sigmoid;
  if (name == "silu")
    return sigmoid + x * sigmoid * (1 - sigmoid);
  Sym pi = call("pi", {}); // a constant by name; evaluates to 3.14159..
  Sym half(Number::ratio(1, 2));
  if (name == "erf")
    return 2 * pow(pi, Number::ratio(-1, 2)) * exp(-(x * x));
  // gelu: x times the normal distribution function.
  return half * (1 + call("erf", {x * pow(Sym(2), Number::ratio(-1, 2))})) +
         x * pow(2 * pi, Number::ratio(-1, 2)) * exp(-half * x * x);
}

double evaluateCall(const std::string &name, const std::vector<double> &a) {
  auto is = [&](const char *n) { return name == n; };
  if (is("inf"))
    return std::numeric_limits<double>::infinity();
  if (is("nan"))
    return std::numeric_limits<double>::quiet_NaN();
  if (is("pi"))
    return M_PI;
  if (is("if") && a.size() == 3)
    return a[0] != 0 ? a[1] : a[2];
  if (a.size() == 2) {
    if (is("pow"))
      return std::pow(a[0], a[1]);
    if (is("<"))
      return a[0] < a[1];
    if (is("<="))
      return a[0] <= a[1];
    if (is(">"))
      return a[0] > a[1];
    if (is(">="))
      return a[0] >= a[1];
    if (is("=="))
      return a[0] == a[1];
    if (is("!="))
      return a[0] != a[1];
    if (is("and"))
      return a[0] != 0 && a[1] != 0;
    if (is("or"))
      return a[0] != 0 || a[1] != 0;
    if (is("div"))
      return std::floor(a[0] / a[1]);
    if (is("mod"))
      return a[0] - a[1] * std::floor(a[0] / a[1]);
  }
  if (!a.empty() && (is("max") || is("min"))) {
    double r = a[0];
    for (double x : a)
      r = is("max") ? std::max(r, x) : std::min(r, x);
    return r;
  }
  if (a.size() == 1) {
    double x = a[0], sigmoid = 1 / (1 + std::exp(-x));
    if (is("tanh"))
      return std::tanh(x);
    if (is("sigmoid"))
      return sigmoid;
    if (is("silu"))
      return x * sigmoid;
    if (is("gelu"))
      return x * 0.5 * std::erfc(-x * M_SQRT1_2);
    if (is("softplus"))
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    if (is("erf"))
      return std::erf(x);
    if (is("sin"))
      return std::sin(x);
    if (is("cos"))
      return std::cos(x);
    if (is("expm1"))
      return std::expm1(x);
    if (is("log1p"))
      return std::log1p(x);
    if (is("abs"))
      return std::fabs(x);
    if (is("sign"))
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    if (is("relu"))
      return x > 0 ? x : 0;
    if (is("elu"))
      return x > 0 ? x : std::expm1(x);
    if (is("floor"))
      return std::floor(x);
    if (is("ceil"))
      return std::ceil(x);
    if (is("round"))
      return std::nearbyint(x);
    if (is("not"))
      return x == 0;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

} // namespace

void walk(const Sym &e, const std::function<void(const Sym &)> &visit) {
  std::unordered_set<Sym> seen;
  auto go = [&](auto &self, const Sym &x) -> void {
    if (!seen.insert(x).second)
      return;
    visit(x);
    for (const Sym &a : x.args())
      self(self, a);
  };
  go(go, e);
}

bool mentions(const Sym &e, const AtomTest &test) {
  if (e.is(Form::Atom))
    return test(e);
  return std::any_of(e.atoms().begin(), e.atoms().end(), test);
}

bool mentions(const Sym &e, const Sym &atom) {
  if (e.is(Form::Atom))
    return e == atom;
  return std::binary_search(e.atoms().begin(), e.atoms().end(), atom);
}

bool hasInfinity(const Sym &e) { return e.hasInfinity(); }

Sym rebuild(const Sym &e, const std::vector<Sym> &args) {
  switch (e.form()) {
  case Form::Number:
  case Form::Atom:
    return e;
  case Form::Add: {
    std::vector<Sym> terms = args;
    terms.push_back(Sym(e.number()));
    return add(terms);
  }
  case Form::Mul: {
    std::vector<Sym> factors = args;
    factors.push_back(Sym(e.number()));
    return mul(factors);
  }
  case Form::Pow:
    return pow(args[0], e.number());
  case Form::Exp:
    return exp(args[0]);
  case Form::Log:
    return log(args[0]);
  case Form::Call:
    return call(e.name(), args);
  }
  return e;
}

Sym substitute(const Sym &e, const std::function<std::optional<Sym>(const Sym &)> &with) {
  std::unordered_map<Sym, Sym> done;
  auto go = [&](auto &self, const Sym &x) -> Sym {
    if (auto it = done.find(x); it != done.end())
      return it->second;
    Sym result = x;
    if (x.is(Form::Atom)) {
      if (auto value = with(x))
        result = *value;
    } else if (!x.args().empty()) {
      std::vector<Sym> args;
      bool changed = false;
      for (const Sym &a : x.args()) {
        args.push_back(self(self, a));
        changed |= args.back() != a;
      }
      if (changed)
        result = rebuild(x, args);
    }
    done.emplace(x, result);
    return result;
  };
  return go(go, e);
}

Sym substitute(const Sym &e, const Sym &atom, const Sym &value) {
  return substitute(e, [&](const Sym &a) { return a == atom ? std::optional(value) : std::nullopt; });
}

namespace {

class Differentiator {
public:
  explicit Differentiator(const Sym &atom) : atom(atom) {}
  Sym diff(const Sym &e) {
    if (auto it = done.find(e); it != done.end())
      return it->second;
    Sym d = compute(e);
    done.emplace(e, d);
    return d;
  }

private:
  Sym compute(const Sym &e);
  const Sym &atom;
  std::unordered_map<Sym, Sym> done;
};

Sym Differentiator::compute(const Sym &e) {
  if (!mentions(e, atom))
    return Sym(0);
  const auto &a = e.args();
  switch (e.form()) {
  case Form::Number:
    return Sym(0);
  case Form::Atom:
    return Sym(e == atom ? 1 : 0);
  case Form::Add: {
    std::vector<Sym> terms;
    for (const Sym &t : a)
      terms.push_back(diff(t));
    return add(terms);
  }
  case Form::Mul: {
    std::vector<Sym> terms;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!mentions(a[i], atom))
        continue;
      std::vector<Sym> factors = a;
      factors[i] = diff(a[i]);
      factors.push_back(Sym(e.number()));
      terms.push_back(mul(factors));
    }
    return add(terms);
  }
  case Form::Pow:
    return Sym(e.number()) * pow(a[0], e.number() - Number(1)) * diff(a[0]);
  case Form::Exp:
    return e * diff(a[0]);
  case Form::Log:
    return diff(a[0]) / a[0];
  case Form::Call: {
    if (e.analytic())
      return derivativeOfCall(e.name(), a[0]) * diff(a[0]);
    std::vector<Sym> terms;
    for (size_t i = 0; i < a.size(); ++i)
      if (mentions(a[i], atom))
        terms.push_back(call(e.name() + "'" + std::to_string(i), a) * diff(a[i]));
    return add(terms);
  }
  }
  return Sym(0);
}

} // namespace

Sym diff(const Sym &e, const Sym &atom) { return Differentiator(atom).diff(e); }

namespace {

class Evaluator {
public:
  explicit Evaluator(const std::function<double(const Sym &)> &value) : value(value) {}
  double run(const Sym &e) {
    if (e.args().empty())
      return compute(e);
    if (auto it = done.find(e); it != done.end())
      return it->second;
    double x = compute(e);
    done.emplace(e, x);
    return x;
  }

private:
  double compute(const Sym &e) {
    const auto &a = e.args();
    switch (e.form()) {
    case Form::Number:
      return e.number().value();
    case Form::Atom:
      return value(e);
    case Form::Add: {
      double r = e.number().value();
      for (const Sym &t : a)
        r += run(t);
      return r;
    }
    case Form::Mul: {
      double r = e.number().value();
      for (const Sym &f : a)
        r *= run(f);
      return r;
    }
    case Form::Pow:
      return std::pow(run(a[0]), e.number().value());
    case Form::Exp:
      return std::exp(run(a[0]));
    case Form::Log:
      return std::log(run(a[0]));
    case Form::Call: {
      std::vector<double> args;
      for (const Sym &x : a)
        args.push_back(run(x));
      return evaluateCall(e.name(), args);
    }
    }
    return 0;
  }

  const std::function<double(const Sym &)> &value;
  std::unordered_map<Sym, double> done;
};

} // namespace

double evaluate(const Sym &e, const std::function<double(const Sym &atom)> &value) {
  return Evaluator(value).run(e);
}

} // namespace einfall::algebra
