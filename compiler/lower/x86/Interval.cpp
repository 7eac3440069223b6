#include "compiler/lower/x86/Interval.h"

using namespace mlir;
using namespace einfall::ein;
using arith::CmpIPredicate;

namespace einfall::lower {

/// All free variables have one coordinate, so the value can be computed.
bool Interval::exactVariables(const ExprRef &e) {
  for (VarId v : freeVariables(e)) {
    auto it = box.find(v);
    if (it == box.end() || !it->second.exact())
      return false;
  }
  return true;
}

Interval::Range Interval::range(const ExprRef &e) {
  auto both = [&](auto f) -> Range {
    Range x = range(e->args[0]), y = range(e->args[1]);
    return x.known() && y.known() ? f(x, y) : Range{};
  };
  switch (e->op) {
  case ExprOp::Number: {
    Value v = l.integer(e->integer);
    return {v, v};
  }
  case ExprOp::Coord: {
    auto it = box.find(e->id);
    return it == box.end() ? Range{} : it->second;
  }
  case ExprOp::Extent:
  case ExprOp::Scalar: {
    if (e->kind != Kind::Int)
      return {};
    Value v = uniform.emit(e).value;
    return {v, v};
  }
  case ExprOp::Neg: {
    Range x = range(e->args[0]);
    if (!x.known())
      return {};
    Value zero = l.integer(0);
    return {l.subI(zero, x.hi), l.subI(zero, x.lo)};
  }
  case ExprOp::Add:
    return both([&](Range x, Range y) -> Range {
      Value lo = l.addI(x.lo, y.lo);
      return {lo, x.exact() && y.exact() ? lo : l.addI(x.hi, y.hi)};
    });
  case ExprOp::Sub:
    return both([&](Range x, Range y) -> Range {
      Value lo = l.subI(x.lo, y.hi);
      return {lo, x.exact() && y.exact() ? lo : l.subI(x.hi, y.lo)};
    });
  case ExprOp::Mul:
    return both([&](Range x, Range y) -> Range {
      if (!y.exact())
        std::swap(x, y);
      if (!y.exact())
        return {};
      Value a = l.mulI(x.lo, y.lo), b = x.exact() ? a : l.mulI(x.hi, y.lo);
      if (x.exact())
        return {a, a};
      return {l.minS(a, b), l.maxS(a, b)};
    });
  case ExprOp::Min:
  case ExprOp::Max:
    return both([&](Range x, Range y) -> Range {
      auto pick = [&](Value a, Value b) { return e->op == ExprOp::Min ? l.minS(a, b) : l.maxS(a, b); };
      Value lo = pick(x.lo, y.lo);
      return {lo, x.exact() && y.exact() ? lo : pick(x.hi, y.hi)};
    });
  case ExprOp::IDiv:
  case ExprOp::Mod: {
    // By a positive constant or extent; an extent of 0 has no points anyway.
    const ExprRef &d = e->args[1];
    bool positive = (d->op == ExprOp::Number && d->integer > 0) || d->op == ExprOp::Extent;
    Range x = range(e->args[0]);
    if (!positive || !x.known())
      return {};
    Value divisor = l.maxS(uniform.emit(d).value, l.integer(1)), none;
    Value lo = l.floorDiv(x.lo, divisor, false, none);
    Value hi = x.exact() ? lo : l.floorDiv(x.hi, divisor, false, none);
    if (e->op == ExprOp::IDiv)
      return {lo, hi};
    Value first = l.subI(x.lo, l.mulI(lo, divisor));
    if (x.exact())
      return {first, first};
    Value last = l.subI(x.hi, l.mulI(hi, divisor)), same = l.cmpI(CmpIPredicate::eq, lo, hi);
    return {l.select(same, first, l.integer(0)), l.select(same, last, l.subI(divisor, l.integer(1)))};
  }
  default:
    if (e->kind == Kind::Int && exactVariables(e)) {
      Val v = uniform.emit(e);
      if (!v.present)
        return {v.value, v.value};
    }
    return {};
  }
}

Interval::Truth Interval::truth(const ExprRef &e) {
  Truth unknown{l.boolean(true), l.boolean(true)};
  if (!e)
    return {l.boolean(true), l.boolean(false)};
  switch (e->op) {
  case ExprOp::Number:
    return {l.boolean(e->integer != 0), l.boolean(e->integer == 0)};
  case ExprOp::And: {
    Truth x = truth(e->args[0]), y = truth(e->args[1]);
    return {l.andI(x.canBeTrue, y.canBeTrue), l.orI(x.canBeFalse, y.canBeFalse)};
  }
  case ExprOp::Or: {
    Truth x = truth(e->args[0]), y = truth(e->args[1]);
    return {l.orI(x.canBeTrue, y.canBeTrue), l.andI(x.canBeFalse, y.canBeFalse)};
  }
  case ExprOp::Not: {
    Truth x = truth(e->args[0]);
    return {x.canBeFalse, x.canBeTrue};
  }
  case ExprOp::Lt:
  case ExprOp::Le:
  case ExprOp::Gt:
  case ExprOp::Ge: {
    if (e->args[0]->kind != Kind::Int)
      break;
    bool swap = e->op == ExprOp::Gt || e->op == ExprOp::Ge;
    Range x = range(e->args[swap]), y = range(e->args[!swap]);
    if (!x.known() || !y.known())
      break;
    bool strict = e->op == ExprOp::Lt || e->op == ExprOp::Gt;
    auto less = strict ? CmpIPredicate::slt : CmpIPredicate::sle;
    auto notLess = strict ? CmpIPredicate::sge : CmpIPredicate::sgt;
    return {l.cmpI(less, x.lo, y.hi), l.cmpI(notLess, x.hi, y.lo)};
  }
  case ExprOp::Eq:
  case ExprOp::Ne: {
    if (e->args[0]->kind != Kind::Int)
      break;
    Range x = range(e->args[0]), y = range(e->args[1]);
    if (!x.known() || !y.known())
      break;
    Value meet = l.andI(l.cmpI(CmpIPredicate::sle, x.lo, y.hi), l.cmpI(CmpIPredicate::sle, y.lo, x.hi));
    Value one = l.andI(l.cmpI(CmpIPredicate::eq, x.lo, x.hi), l.cmpI(CmpIPredicate::eq, y.lo, y.hi));
    Value differ = l.notB(l.andI(one, meet));
    return e->op == ExprOp::Eq ? Truth{meet, differ} : Truth{differ, meet};
  }
  default:
    break;
  }
  if (exactVariables(e)) {
    Value v = uniform.condition(e);
    return {v, l.notB(v)};
  }
  return unknown;
}

} // namespace einfall::lower
