#include "compiler/transforms/Symbolic.h"
#include "compiler/transforms/Presence.h"
#include <cmath>

namespace einfall::transforms {
using namespace ein;
using algebra::Form;
using algebra::Sym;

Sym Symbolic::atom(const ExprRef &e) {
  size_t h = hash(e);
  auto [first, last] = byHash.equal_range(h);
  int id = -1;
  for (auto it = first; it != last; ++it)
    if (equal(atoms[it->second], e))
      id = it->second;
  if (id < 0) {
    id = static_cast<int>(atoms.size());
    atoms.push_back(e);
    byHash.emplace(h, id);
  }
  bool isPositive = e->op == ExprOp::Read && positive.count(e->id);
  std::string name = e->op == ExprOp::Read ? cascade.tensors[e->id].name : print(cascade, e);
  return Sym::atom(id, name, isPositive ? algebra::Sign::Positive : algebra::Sign::Any);
}

bool Symbolic::isAtomOf(const Sym &s, const ExprRef &e) { return s.is(Form::Atom) && equal(exprOf(s), e); }

Sym Symbolic::toSym(const ExprRef &e) {
  auto arg = [&](int i) { return toSym(e->args[i]); };
  if (e->kind != Kind::Float)
    return e->op == ExprOp::Number && e->kind == Kind::Int ? Sym(e->integer) : atom(e);
  switch (e->op) {
  case ExprOp::Number:
    return Sym(e->number);
  case ExprOp::Read:
    if (lookThrough(*e)) {
      const Equation *eq = cascade.equationOf(e->id);
      if (ExprRef inside = expandRead(cascade, *e, eq->rhs))
        return toSym(simplify(cascade, inside));
    }
    return atom(e);
  case ExprOp::Neg:
    return -arg(0);
  case ExprOp::Add:
    return arg(0) + arg(1);
  case ExprOp::Sub:
    return arg(0) - arg(1);
  case ExprOp::Mul:
    return arg(0) * arg(1);
  case ExprOp::Div:
    return arg(0) / arg(1);
  case ExprOp::Pow: {
    Sym exponent = arg(1);
    return exponent.is(Form::Number) ? algebra::pow(arg(0), exponent.number())
                                     : algebra::pow(arg(0), exponent);
  }
  case ExprOp::ToFloat:
    return e->args[0]->op == ExprOp::Number ? Sym(e->args[0]->integer) : atom(e);
  case ExprOp::Call: {
    std::vector<Sym> args;
    for (size_t i = 0; i < e->args.size(); ++i)
      args.push_back(arg(static_cast<int>(i)));
    return algebra::call(std::string(ein::name(e->fn)), args);
  }
  case ExprOp::Min:
  case ExprOp::Max:
    return algebra::call(e->op == ExprOp::Min ? "min" : "max", {arg(0), arg(1)});
  case ExprOp::If:
    return algebra::call("if", {atom(e->args[0]), arg(1), arg(2)});
  default:
    return atom(e);
  }
}

namespace {
/// Functions that `toSym` writes as calls, by name.
ExprRef callByName(const std::string &name, std::vector<ExprRef> args) {
  if (name == "min" || name == "max")
    return binary(name == "min" ? ExprOp::Min : ExprOp::Max, args[0], args[1]);
  if (name == "if")
    return select(args[0], args[1], args[2]);
  if (name == "pow")
    return binary(ExprOp::Pow, args[0], args[1]);
  for (int f = 0; f <= static_cast<int>(Fn::BitXor); ++f)
    if (ein::name(static_cast<Fn>(f)) == name)
      return ein::call(static_cast<Fn>(f), std::move(args));
  return nullptr;
}
} // namespace

ExprRef Symbolic::toExpr(const Sym &s, const std::function<ExprRef(const Sym &)> &known) {
  if (known)
    if (ExprRef e = known(s))
      return e;
  auto each = [&](const Sym &x) { return toExpr(x, known); };
  switch (s.form()) {
  case Form::Number:
    return number(s.number().value());
  case Form::Atom:
    return exprOf(s);
  case Form::Add: {
    ExprRef sum;
    for (const Sym &t : s.args()) {
      // a - b rather than a + (-1)*b
      bool negative = sum && t.is(Form::Mul) && t.number().value() < 0;
      ExprRef x = negative ? each(-t) : each(t);
      sum = !sum ? x : binary(negative ? ExprOp::Sub : ExprOp::Add, sum, x);
    }
    double constant = s.number().value();
    return constant == 0 ? sum : binary(ExprOp::Add, sum, number(constant));
  }
  case Form::Mul: {
    ExprRef product, divisor;
    double factor = s.number().value();
    if (factor != 1)
      product = number(factor);
    // A stored tensor may hold part of the product: exp(s-x) in exp(s-x)*v.
    for (const Sym &f : s.args()) {
      if (f.is(Form::Pow) && f.number().value() < 0) {
        ExprRef d = each(algebra::pow(f.args()[0], -f.number()));
        divisor = divisor ? binary(ExprOp::Mul, divisor, d) : d;
        continue;
      }
      ExprRef x = each(f);
      product = product ? binary(ExprOp::Mul, product, x) : x;
    }
    if (!product)
      product = number(1);
    return divisor ? binary(ExprOp::Div, product, divisor) : product;
  }
  case Form::Pow: {
    double exponent = s.number().value();
    ExprRef base = each(s.args()[0]);
    if (exponent == 0.5)
      return ein::call(Fn::Sqrt, {base});
    if (exponent == -0.5)
      return ein::call(Fn::Rsqrt, {base});
    if (exponent == 2)
      return binary(ExprOp::Mul, base, base);
    if (exponent == -1)
      return binary(ExprOp::Div, number(1), base);
    return binary(ExprOp::Pow, base, number(exponent));
  }
  case Form::Exp: {
    // exp(y * log 2) is exp2(y).
    Sym two = algebra::log(Sym(2)), y = algebra::expand(s.args()[0] / two);
    bool base2 = true;
    algebra::walk(y, [&](const Sym &x) { base2 &= x != two; });
    if (base2 && algebra::mentions(s.args()[0], [](const Sym &) { return true; }))
      return ein::call(Fn::Exp2, {each(y)});
    return ein::call(Fn::Exp, {each(s.args()[0])});
  }
  case Form::Log:
    return ein::call(Fn::Log, {each(s.args()[0])});
  case Form::Call: {
    std::vector<ExprRef> args;
    for (const Sym &a : s.args())
      args.push_back(each(a));
    return callByName(s.name(), std::move(args));
  }
  }
  return nullptr;
}

} // namespace einfall::transforms
