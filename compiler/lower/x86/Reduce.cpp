//===- Reduce.cpp - reductions of the expression emitter --------------------===//
//
// A reduction is a nest of sequential loops that carries its accumulators. Its
// filter is split into conjuncts: bounds of loops where they can be, tests at
// the outermost loop where their variables are known otherwise.
//
// ein-r17: if the body's existence depends on a reduced variable, the points that
// exist take part, and what confines them also narrows the loops. If not, one
// missing point makes the result missing: `whole` carries that.
//
//===----------------------------------------------------------------------===//
#include "compiler/lower/Bounds.h"
#include "compiler/lower/x86/ScalarEmitter.h"
#include <algorithm>
#include <limits>

using namespace mlir;
using namespace einfall::ein;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace einfall::lower {

void ScalarEmitter::narrow(VarId var, std::vector<ExprRef> &tests, const std::vector<ExprRef> &hints,
                           Value &lo, Value &hi) {
  Value size = storage.extent(cascade.rankOf(var));
  lo = l.integer(0);
  hi = size;
  Value minusOne = l.integer(-1), one = l.integer(1);
  auto apply = [&](const ExprRef &conjunct) {
    if (!mentions(conjunct, var))
      return false;
    for (VarId v : freeVariables(conjunct))
      if (v != var && !env.count(v))
        return false;
    bool exact;
    std::vector<Bound> bounds = boundsOf(conjunct, var, exact);
    for (const Bound &bound : bounds) {
      Val limit = emit(bound.limit);
      // Out of any range is as good as just outside, and safe to add 1 to.
      Value at = l.maxS(l.minS(limit.value, size), minusOne);
      if (bound.lower ? !bound.closed : bound.closed)
        at = l.addI(at, one);
      Value relevant = l.both(limit.present, Lanes::varies(at) ? mask : Value());
      if (Lanes::varies(at) || Lanes::varies(relevant)) {
        exact = false;
        Value nowhere = bound.lower ? size : l.integer(0);
        if (relevant)
          at = l.select(relevant, at, nowhere);
        at = bound.lower ? l.acrossMin(at) : l.acrossMax(at);
      } else if (relevant) {
        at = l.select(relevant, at, bound.lower ? size : l.integer(0));
      }
      if (bound.lower)
        lo = l.maxS(lo, at);
      else
        hi = l.minS(hi, at);
    }
    return !bounds.empty() && exact;
  };
  std::erase_if(tests, apply);
  for (const ExprRef &hint : hints)
    apply(hint);
}

namespace {
/// Loop-carried values of a reduction.
struct State {
  SmallVector<Value> values;
  int whole = -1; ///< index of the flag; -1: not needed
};
} // namespace

Val ScalarEmitter::reduce(const Expr &e) {
  const ExprRef &body = e.args[0];
  Kind bodyKind = body->kind;
  ReduceOp op = e.reduce;
  if (isScan(op) || isSelection(op))
    return {}; // the planner gives these an op of their own; lowerProgram checks
  auto shared = std::make_shared<Expr>(e);
  bool lanes = varying(shared);
  Value outerMask = mask;
  bool outerSum = inSum;
  if (!lanes)
    mask = {};
  inSum = op == ReduceOp::Sum && bodyKind == Kind::Float;

  // Accumulators: [0] the value, then what the operator needs besides.
  auto start = [&](mlir::Type type, double v) {
    Value c = l.constant(type, v);
    return lanes ? l.broadcast(c) : c;
  };
  auto startInt = [&](mlir::Type type, int64_t v) {
    Value c = l.constant(type, v);
    return lanes ? l.broadcast(c) : c;
  };
  mlir::Type number = typeOf(bodyKind);
  constexpr double inf = std::numeric_limits<double>::infinity();
  bool isFloat = bodyKind == Kind::Float;
  SmallVector<Value> state;
  int taken = -1, whole = -1;
  switch (op) {
  case ReduceOp::Sum:
    state.push_back(isFloat ? start(number, 0) : startInt(number, 0));
    break;
  case ReduceOp::Prod:
    state.push_back(isFloat ? start(number, 1) : startInt(number, 1));
    break;
  case ReduceOp::Max:
  case ReduceOp::Min: {
    bool max = op == ReduceOp::Max;
    state.push_back(isFloat ? start(number, max ? -inf : inf)
                            : startInt(number, max ? INT64_MIN : INT64_MAX));
    if (!isFloat) {
      taken = state.size();
      state.push_back(startInt(l.i1(), 0));
    }
    break;
  }
  case ReduceOp::Mean:
    state.push_back(start(typeOf(Kind::Float), 0));
    state.push_back(startInt(l.i64(), 0)); // how many
    break;
  case ReduceOp::Any:
    state.push_back(startInt(l.i1(), 0));
    break;
  case ReduceOp::All:
    state.push_back(startInt(l.i1(), 1));
    break;
  case ReduceOp::Count:
    state.push_back(startInt(l.i64(), 0));
    break;
  default: // argmax, argmin: best value, where
    state.push_back(isFloat ? start(number, 0) : startInt(number, 0));
    state.push_back(startInt(l.i64(), 0));
    taken = state.size();
    state.push_back(startInt(l.i1(), 0));
    break;
  }
  bool allOrNothing = !e.partial && bodyKind != Kind::Bool && (mayMiss(body) || hook);
  if (allOrNothing) {
    whole = state.size();
    state.push_back(startInt(l.i1(), 1));
  }

  std::vector<ExprRef> filter, hints;
  splitConjuncts(e.filter, filter);
  if (e.partial)
    hints = necessaryConditions(cascade, body);
  // A bool tensor in the filter is false where its own predicate is.
  for (const ExprRef &c : filter)
    if (c->op == ExprOp::Read)
      for (const ExprRef &n : necessaryConditions(cascade, c))
        hints.push_back(n);

  auto combine = [&](SmallVector<Value> s, Value test) {
    Value outer = mask;
    if (test && Lanes::varies(test))
      mask = l.both(outer, test);
    Val x = emit(body);
    mask = outer;
    Value active = test;
    if (bodyKind == Kind::Bool && x.present) {
      x.value = l.andI(x.value, x.present);
      x.present = {};
    }
    if (x.present) {
      if (whole >= 0)
        s[whole] = l.andI(s[whole], test ? l.orI(x.present, l.notB(test)) : x.present);
      active = l.both(active, x.present);
    }
    auto chosen = [&](Value v, Value neutral) { return active ? l.select(active, v, neutral) : v; };
    auto flags = arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;
    switch (op) {
    case ReduceOp::Sum:
      s[0] = isFloat ? l.makeFast<arith::AddFOp>(s[0], chosen(x.value, l.constant(number, 0)), flags)
                     : l.addI(s[0], chosen(x.value, l.constant(number, 0)));
      break;
    case ReduceOp::Prod:
      s[0] = isFloat ? l.makeFast<arith::MulFOp>(s[0], chosen(x.value, l.constant(number, 1)),
                                                 arith::FastMathFlags::reassoc)
                     : l.mulI(s[0], chosen(x.value, l.constant(number, 1)));
      break;
    case ReduceOp::Max:
      s[0] = chosen(isFloat ? l.make<arith::MaximumFOp>(s[0], x.value) : l.maxS(s[0], x.value), s[0]);
      break;
    case ReduceOp::Min:
      s[0] = chosen(isFloat ? l.make<arith::MinimumFOp>(s[0], x.value) : l.minS(s[0], x.value), s[0]);
      break;
    case ReduceOp::Mean: {
      Value v = x.value;
      if (!isFloat)
        v = bodyKind == Kind::Bool
                ? arith::UIToFPOp::create(l.b, l.loc, l.shaped(typeOf(Kind::Float), v), v).getResult()
                : arith::SIToFPOp::create(l.b, l.loc, l.shaped(typeOf(Kind::Float), v), v).getResult();
      s[0] = l.makeFast<arith::AddFOp>(s[0], chosen(v, l.constant(typeOf(Kind::Float), 0)), flags);
      s[1] = l.addI(s[1], chosen(l.integer(1), l.integer(0)));
      break;
    }
    case ReduceOp::Any:
      s[0] = l.orI(s[0], chosen(x.value, l.boolean(false)));
      break;
    case ReduceOp::All:
      s[0] = l.andI(s[0], chosen(x.value, l.boolean(true)));
      break;
    case ReduceOp::Count:
      s[0] = l.addI(s[0], l.extend(chosen(x.value, l.boolean(false)), l.i64(), false));
      break;
    default: {
      bool max = op == ReduceOp::ArgMax;
      Value better;
      if (isFloat) { // NaN after everything
        Value above = l.cmpF(max ? CmpFPredicate::OGT : CmpFPredicate::OLT, x.value, s[0]);
        Value overNan =
            l.andI(l.cmpF(CmpFPredicate::UNO, s[0], s[0]), l.cmpF(CmpFPredicate::ORD, x.value, x.value));
        better = l.orI(above, overNan);
      } else {
        better = l.cmpI(max ? CmpIPredicate::sgt : CmpIPredicate::slt, x.value, s[0]);
      }
      better = l.orI(better, l.notB(s[taken]));
      if (active)
        better = l.andI(better, active);
      s[0] = l.select(better, x.value, s[0]);
      s[1] = l.select(better, env.at(e.vars[0]).value, s[1]);
      break;
    }
    }
    if (taken >= 0)
      s[taken] = l.orI(s[taken], active ? active : l.boolean(true));
    return s;
  };

  // Takes the tests that can be made here and runs `inside` under them.
  auto guarded =
      [&](std::vector<ExprRef> &tests, SmallVector<Value> s, Value varyingTest,
          function_ref<SmallVector<Value>(SmallVector<Value>, Value)> inside) -> SmallVector<Value> {
    Value plain;
    std::vector<ExprRef> later;
    for (const ExprRef &t : tests) {
      if (!ready(t)) {
        later.push_back(t);
        continue;
      }
      Value c = condition(t);
      if (Lanes::varies(c))
        varyingTest = l.both(varyingTest, c);
      else
        plain = l.both(plain, c);
    }
    tests = later;
    if (!plain)
      return inside(s, varyingTest);
    return l.branch(
        plain, [&] { return inside(s, varyingTest); }, [&] { return s; });
  };

  auto saved = env;
  for (VarId v : e.vars)
    env.erase(v);
  std::function<SmallVector<Value>(size_t, std::vector<ExprRef>, SmallVector<Value>, Value)> level =
      [&](size_t i, std::vector<ExprRef> tests, SmallVector<Value> s, Value varyingTest) {
        return guarded(tests, s, varyingTest, [&](SmallVector<Value> s, Value test) -> SmallVector<Value> {
          if (i == e.vars.size())
            return combine(s, test);
          Value lo, hi;
          std::vector<ExprRef> rest = tests;
          narrow(e.vars[i], rest, hints, lo, hi);
          auto results = l.loop(lo, hi, s, [&](Value iv, ValueRange carried) {
            env[e.vars[i]] = uniform(iv);
            auto next = level(i + 1, rest, SmallVector<Value>(carried), test);
            // Types of carried values stay: broadcast what came out uniform.
            for (auto [v, c] : llvm::zip(next, carried))
              if (Lanes::varies(c))
                v = l.broadcast(v);
            return next;
          });
          env.erase(e.vars[i]);
          return results;
        });
      };
  SmallVector<Value> result = level(0, filter, state, {});
  env = std::move(saved);
  mask = outerMask;
  inSum = outerSum;

  Val out{result[0], whole >= 0 ? result[whole] : Value(), {}, 0};
  switch (op) {
  case ReduceOp::Mean: {
    Value count = arith::SIToFPOp::create(l.b, l.loc, l.shaped(typeOf(Kind::Float), result[1]), result[1]);
    out.value = l.divF(result[0], count);
    out.present = l.both(out.present, l.cmpI(CmpIPredicate::ne, result[1], l.integer(0)));
    break;
  }
  case ReduceOp::ArgMax:
  case ReduceOp::ArgMin:
    out.value = result[1];
    out.present = l.both(out.present, result[taken]);
    break;
  case ReduceOp::Max:
  case ReduceOp::Min:
    if (taken >= 0)
      out.present = l.both(out.present, result[taken]);
    break;
  default:
    break;
  }
  return out;
}

} // namespace einfall::lower
