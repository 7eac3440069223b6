//===- Print.cpp - text of a symbolic expression ----------------------------------===//
//
// `.ein`-like text for messages and tests: quotients with a slash, roots as
// `sqrt`, powers of two as `exp2`.
//
//===----------------------------------------------------------------------===//
#include "compiler/algebra/Sym.h"
#include <algorithm>

namespace einfall::algebra {
namespace {

enum Level { Sum, Product, Factor, Primary };

/// Nodes that may still be written; a shared expression can be exponentially
/// longer as text than it is in memory.
thread_local int budget = 0;

std::string text(const Sym &e, Level level);

std::string parenthesised(std::string s, bool yes) { return yes ? "(" + s + ")" : s; }

std::string power(const Sym &base, const Number &k) {
  if (k.isOne())
    return text(base, Factor);
  if (k == Number::ratio(1, 2))
    return "sqrt(" + text(base, Sum) + ")";
  std::string e = k.print();
  return text(base, Primary) + "^" + (k.isInteger() && k.sign() > 0 ? e : "(" + e + ")");
}

std::string product(const Sym &e, bool &negative) {
  Number c = e.number();
  negative = c.sign() < 0;
  if (negative)
    c = -c;
  std::vector<std::string> up, down;
  if (c.exact()) {
    if (c.num() != 1)
      up.push_back(std::to_string(c.num()));
    if (c.den() != 1)
      down.push_back(std::to_string(c.den()));
  } else {
    up.push_back(c.print());
  }
  for (const Sym &f : e.args()) {
    if (f.is(Form::Pow) && f.number().sign() < 0)
      down.push_back(power(f.args()[0], -f.number()));
    else
      up.push_back(text(f, Factor));
  }
  std::string s = up.empty() ? "1" : "";
  for (auto &u : up)
    s += (s.empty() ? "" : "*") + u;
  for (auto &d : down)
    s += "/" + d;
  return s;
}

std::string text(const Sym &e, Level level) {
  if (budget-- <= 0)
    return "..";
  switch (e.form()) {
  case Form::Number: {
    bool compound = e.number().sign() < 0 || !e.number().isInteger();
    return parenthesised(e.number().print(), compound && level > Sum);
  }
  case Form::Atom:
    return e.name();
  case Form::Add: {
    // Positive terms first: `s - g` reads better than `-g + s`.
    std::string s;
    std::vector<std::string> minus;
    for (const Sym &t : e.args()) {
      bool negative = false;
      std::string p = t.is(Form::Mul) ? product(t, negative) : text(t, Product);
      if (negative)
        minus.push_back(p);
      else
        s += (s.empty() ? "" : " + ") + p;
    }
    if (e.number().sign() > 0)
      s += (s.empty() ? "" : " + ") + e.number().print();
    if (e.number().sign() < 0)
      minus.push_back((-e.number()).print());
    for (auto &m : minus)
      s += (s.empty() ? "-" : " - ") + m;
    return parenthesised(s, level > Sum);
  }
  case Form::Mul: {
    bool negative = false;
    std::string s = product(e, negative);
    if (negative)
      s = "-" + s;
    return parenthesised(s, level > (negative ? Sum : Product));
  }
  case Form::Pow:
    if (e.number().sign() < 0)
      return parenthesised("1/" + power(e.args()[0], -e.number()), level > Product);
    return parenthesised(power(e.args()[0], e.number()), level > Factor && e.number() != Number::ratio(1, 2));
  case Form::Exp: {
    // 2^x is kept as exp(x*log(2)).
    Sym base2 = e.args()[0] / log(Sym(2));
    bool two = false;
    walk(e, [&](const Sym &x) { two |= x == log(Sym(2)); });
    if (two) {
      Sym arg = expand(base2);
      bool clean = true;
      walk(arg, [&](const Sym &x) { clean &= !(x == log(Sym(2))); });
      if (clean)
        return "exp2(" + text(arg, Sum) + ")";
    }
    return "exp(" + text(e.args()[0], Sum) + ")";
  }
  case Form::Log:
    return "log(" + text(e.args()[0], Sum) + ")";
  case Form::Call: {
    if (e.args().empty())
      return e.name();
    if (e.name() == "if" && e.args().size() == 3)
      return parenthesised("if " + text(e.args()[0], Sum) + " then " + text(e.args()[1], Sum) + " else " +
                               text(e.args()[2], Sum),
                           level > Sum);
    if (e.args().size() == 2 && e.name().find_first_of("<>=") != std::string::npos)
      return "(" + text(e.args()[0], Sum) + " " + e.name() + " " + text(e.args()[1], Sum) + ")";
    std::string s = e.name() + "(";
    for (size_t i = 0; i < e.args().size(); ++i)
      s += (i ? ", " : "") + text(e.args()[i], Sum);
    return s + ")";
  }
  }
  return "";
}

} // namespace

std::string Sym::print() const {
  budget = 120;
  return text(*this, Sum);
}

} // namespace einfall::algebra
