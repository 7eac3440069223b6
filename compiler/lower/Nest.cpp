//===- Nest.cpp - all points of one equation --------------------------------===//
//
// Loops over the left variables around the emitted expression. The predicate of
// the equation confines the innermost loop where it can: before and after the
// confined range only "does not exist" is stored.
//
// When every read moves along contiguous memory with the innermost variable, or
// does not move at all, that variable goes into the lanes of vectors: W points
// at once, and what is left over one by one.
//
//===----------------------------------------------------------------------===//
#include "compiler/lower/Bounds.h"
#include "compiler/lower/Kernels.h"

using namespace mlir;
using namespace einfall::ein;
using arith::CmpIPredicate;

namespace einfall::lower {

namespace {
class NestEmitter {
public:
  NestEmitter(Function &f, const Equation &equation, const Range &range)
      : f(f), l(f.l), equation(equation), range(range), cascade(f.program.cascade),
        f64(cascade.computesInF64(equation)) {
    splitConjuncts(equation.where, conjuncts);
    if (equation.rhs->kind != Kind::Bool)
      hints = necessaryConditions(cascade, equation.rhs);
  }

  void run(const Fixed &fixed) {
    for (auto [v, value] : fixed)
      coordinates[v] = value;
    for (VarId v : equation.vars)
      if (!coordinates.count(v))
        loops.push_back(v);
    level(0);
  }

private:
  Function &f;
  Lanes &l;
  const Equation &equation;
  const Range &range;
  const Cascade &cascade;
  bool f64;
  std::vector<ExprRef> conjuncts, hints;
  std::map<VarId, Value> coordinates;
  std::vector<VarId> loops;

  std::pair<Value, Value> rangeOf(VarId v) {
    if (v == range.var)
      return {range.lo, range.hi};
    return {l.integer(0), f.storage->extent(cascade.rankOf(v))};
  }

  void level(size_t i) {
    if (i == loops.size()) {
      ScalarEmitter emitter(l, *f.storage, f64);
      for (auto [v, value] : coordinates)
        emitter.env[v] = emitter.uniform(value);
      point(emitter, conjuncts);
      return;
    }
    VarId v = loops[i];
    auto [lo, hi] = rangeOf(v);
    if (i + 1 < loops.size()) {
      l.loop(lo, hi, {}, [&](Value iv, ValueRange) {
        coordinates[v] = iv;
        level(i + 1);
        return SmallVector<Value>{};
      });
      coordinates.erase(v);
      return;
    }
    innermost(v, lo, hi);
  }

  void innermost(VarId v, Value lo, Value hi) {
    std::vector<ExprRef> tests = conjuncts;
    Value from = lo, to = hi;
    if (!conjuncts.empty() || !hints.empty()) {
      ScalarEmitter emitter(l, *f.storage, f64);
      for (auto [w, value] : coordinates)
        emitter.env[w] = emitter.uniform(value);
      Value first, last;
      emitter.narrow(v, tests, hints, first, last);
      from = l.minS(l.maxS(lo, first), hi);
      to = l.maxS(from, l.minS(hi, last));
      nothing(v, lo, from);
    }
    // Whole vectors first; under a reduction four at a time, so that four sums run side by side.
    unsigned one = lanes(v);
    SmallVector<unsigned> widths;
    if (one > 1 && equation.rhs->op == ExprOp::Reduce)
      widths.push_back(4 * one);
    if (one > 1)
      widths.push_back(one);
    for (unsigned width : widths) {
      Value whole = l.addI(from, l.andI(l.subI(to, from), l.integer(-int64_t(width))));
      l.loop(
          from, whole, {},
          [&](Value iv, ValueRange) {
            Lanes wide(l.b, l.loc, width);
            ScalarEmitter emitter(wide, *f.storage, f64);
            for (auto [w, value] : coordinates)
              emitter.env[w] = emitter.uniform(value);
            emitter.env[v] = emitter.laneCoordinate(iv);
            point(emitter, tests);
            return SmallVector<Value>{};
          },
          width);
      from = whole;
    }
    l.loop(from, to, {}, [&](Value iv, ValueRange) {
      ScalarEmitter emitter(l, *f.storage, f64);
      for (auto [w, value] : coordinates)
        emitter.env[w] = emitter.uniform(value);
      emitter.env[v] = emitter.uniform(iv);
      point(emitter, tests);
      return SmallVector<Value>{};
    });
    if (!conjuncts.empty() || !hints.empty())
      nothing(v, to, hi);
  }

  /// Points [lo, hi) of `v` do not exist.
  void nothing(VarId v, Value lo, Value hi) {
    if (cascade.tensors[equation.tensor].role != Role::Output && !f.storage->hasPresence(equation.tensor))
      return;
    l.loop(lo, hi, {}, [&](Value iv, ValueRange) {
      ScalarEmitter emitter(l, *f.storage, f64);
      for (auto [w, value] : coordinates)
        emitter.env[w] = emitter.uniform(value);
      emitter.env[v] = emitter.uniform(iv);
      inside(emitter, [&](ArrayRef<Val> subs) { emitter.store(equation.tensor, subs, missing(emitter)); });
      return SmallVector<Value>{};
    });
  }

  Val missing(ScalarEmitter &emitter) {
    Val none = emitter.zeroOf(equation.rhs->kind);
    none.present = l.boolean(false);
    return none;
  }

  /// A tuple on the left has no points beyond the end of its rank.
  void inside(ScalarEmitter &emitter, function_ref<void(ArrayRef<Val>)> body) {
    SmallVector<Val> subs;
    Value guard;
    for (size_t d = 0; d < equation.lhs.size(); ++d) {
      Val s = emitter.emit(equation.lhs[d]);
      guard = l.both(guard, s.present);
      if (equation.lhs[d]->op != ExprOp::Coord ||
          cascade.rankOf(equation.lhs[d]->id) != cascade.tensors[equation.tensor].ranks[d])
        guard = l.both(guard, l.cmpI(CmpIPredicate::ult, s.value, f.storage->size(equation.tensor, d)));
      s.present = {};
      subs.push_back(s);
    }
    if (!guard) {
      body(subs);
    } else if (!Lanes::varies(guard)) {
      l.branch(
          guard,
          [&] {
            body(subs);
            return SmallVector<Value>{};
          },
          [] { return SmallVector<Value>{}; });
    } else {
      emitter.mask = emitter.mask ? l.andI(emitter.mask, guard) : guard;
      body(subs);
      emitter.mask = {};
    }
  }

  void point(ScalarEmitter &emitter, const std::vector<ExprRef> &tests) {
    inside(emitter, [&](ArrayRef<Val> subs) {
      Value plain, varying;
      for (const ExprRef &t : tests) {
        Value c = emitter.condition(t);
        (Lanes::varies(c) ? varying : plain) = l.both(Lanes::varies(c) ? varying : plain, c);
      }
      auto compute = [&]() -> Val {
        Value outer = emitter.mask;
        emitter.mask = outer && varying ? l.andI(outer, varying) : outer ? outer : varying;
        Val x = emitter.emit(equation.rhs);
        emitter.mask = outer;
        x.present = l.both(x.present, varying);
        return x;
      };
      Val value;
      if (!plain) {
        value = compute();
      } else {
        auto results = l.branch(
            plain,
            [&] {
              Val x = compute();
              return SmallVector<Value>{x.value, x.present ? x.present : l.boolean(true)};
            },
            [&] {
              Val x = missing(emitter);
              return SmallVector<Value>{x.value, x.present};
            });
        value = {results[0], results[1], {}, 0};
      }
      if (equation.rhs->kind == Kind::Bool && value.present && !equation.where)
        value = {l.andI(value.value, value.present), {}, {}, 0};
      emitter.store(equation.tensor, subs, value);
    });
  }

  /// Lanes for the innermost variable: W when memory is walked contiguously.
  unsigned lanes(VarId v) {
    unsigned width = f.program.target.vectorBits / (f64 ? 64 : 32);
    if (f.storage->packed(equation.tensor) || equation.lhs.empty() || !alongLast(equation.lhs, v))
      return 1;
    bool fits = true, moves = false;
    std::function<void(const ExprRef &)> visit = [&](const ExprRef &e) {
      if (!e || !fits)
        return;
      if (e->op == ExprOp::Read && mentions(e, v)) {
        moves = true;
        const Equation *other = cascade.equationOf(e->id);
        fits &= alongLast(e->args, v) && !f.storage->packed(e->id) && !(other && other->init);
        return;
      }
      if (e->op == ExprOp::Reduce && e->reduce >= ReduceOp::CumSum)
        fits = false;
      // Integer division has no vector form; a general `if` may hold expensive branches.
      if ((e->op == ExprOp::IDiv || e->op == ExprOp::Mod || e->op == ExprOp::Pow) && mentions(e, v))
        fits = false;
      if (e->op == ExprOp::Call && (e->fn == Fn::Sin || e->fn == Fn::Cos) && mentions(e, v))
        fits = false;
      for (auto &a : e->args)
        visit(a);
      visit(e->filter);
      visit(e->aux);
    };
    visit(equation.rhs);
    for (auto &c : conjuncts)
      visit(c);
    return fits && moves ? width : 1;
  }

  /// Does the variable stand only in the last subscript, with factor 1?
  bool alongLast(const std::vector<ExprRef> &subs, VarId v) {
    for (size_t d = 0; d + 1 < subs.size(); ++d)
      if (mentions(subs[d], v))
        return false;
    const ExprRef *last = &subs.back();
    while ((*last)->op == ExprOp::Tuple) {
      for (size_t i = 0; i + 1 < (*last)->args.size(); ++i)
        if (mentions((*last)->args[i], v))
          return false;
      last = &(*last)->args.back();
    }
    if (!mentions(*last, v))
      return true;
    if ((*last)->op == ExprOp::Coord)
      return true;
    return ((*last)->op == ExprOp::Add || (*last)->op == ExprOp::Sub) &&
           (*last)->args[0]->op == ExprOp::Coord && (*last)->args[0]->id == v &&
           !mentions((*last)->args[1], v);
  }
};
} // namespace

void emitNest(Function &f, const Equation &equation, const Fixed &fixed, const Range &range) {
  NestEmitter(f, equation, range).run(fixed);
}

} // namespace einfall::lower
