//===- Rows.cpp - selections and scans, row by row --------------------------===//
//
// A row is all points of the selected variables at fixed values of the variables
// on which the selected expression depends. Keys of a row are computed once into
// the thread's scratch memory, ordered by a function of the runtime, and the
// result is looked up at every point of the equation that shares the row.
//
// Scratch of a thread, for n points:  keys 8n | exists n | places 8n | order 8n
//
//===----------------------------------------------------------------------===//
#include "compiler/lower/Bounds.h"
#include "compiler/lower/Kernels.h"
#include "runtime/include/einfall/runtime.h"
#include <algorithm>

using namespace mlir;
using namespace einfall::ein;
using arith::CmpIPredicate;

namespace einfall::lower {

namespace {
/// The operands that decide what a row is.
bool auxInRow(const Expr &e) { return e.reduce == ReduceOp::Top || e.reduce == ReduceOp::TopMass; }

class RowEmitter {
public:
  RowEmitter(Function &f, const Equation &equation, const Fixed &fixed)
      : f(f), l(f.l), equation(equation), e(*equation.rhs), cascade(f.program.cascade),
        f64(cascade.computesInF64(equation)), emitter(l, *f.storage, f64) {
    for (auto [v, value] : fixed)
      emitter.env[v] = emitter.uniform(value);
  }

  void run() {
    // Rows that the caller has not fixed (inside steps of a recurrence).
    std::vector<VarId> rows;
    for (VarId v : rowVariables(equation))
      if (!emitter.env.count(v))
        rows.push_back(v);
    loops(rows, 0, [&] { row(); });
  }

private:
  Function &f;
  Lanes &l;
  const Equation &equation;
  const Expr &e;
  const Cascade &cascade;
  bool f64;
  ScalarEmitter emitter;
  Value points, keys, exists, places, order;

  void loops(const std::vector<VarId> &vars, size_t i, function_ref<void()> body) {
    if (i == vars.size()) {
      body();
      return;
    }
    l.loop(l.integer(0), f.storage->extent(cascade.rankOf(vars[i])), {}, [&](Value iv, ValueRange) {
      emitter.env[vars[i]] = emitter.uniform(iv);
      loops(vars, i + 1, body);
      return SmallVector<Value>{};
    });
    emitter.env.erase(vars[i]);
  }

  Value at(Value base, mlir::Type element, Value index) {
    return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), element, base, ArrayRef<LLVM::GEPArg>{index});
  }
  Value load(Value base, mlir::Type element, Value index) {
    return LLVM::LoadOp::create(l.b, l.loc, element, at(base, element, index));
  }
  void put(Value value, Value base, Value index) {
    LLVM::StoreOp::create(l.b, l.loc, value, at(base, value.getType(), index));
  }

  void row() {
    points = l.integer(1);
    for (VarId v : e.vars)
      points = l.mulI(points, f.storage->extent(cascade.rankOf(v)));
    Value scratch = f.storage->field(offsetof(einfall_frame, scratch), l.ptr());
    Value bytes = f.storage->field(offsetof(einfall_frame, scratch_bytes), l.i64());
    keys = at(scratch, l.i8(), l.mulI(bytes, f.thread));
    Value wide = l.mulI(points, l.integer(8));
    places = at(keys, l.i8(), wide);
    order = at(places, l.i8(), wide);
    exists = at(order, l.i8(), wide);
    Value whole = fill();
    Value count = arrange();
    std::vector<VarId> columns;
    for (VarId v : equation.vars)
      if (!emitter.env.count(v))
        columns.push_back(v);
    loops(columns, 0, [&] { point(count, whole); });
  }

  std::string suffix() {
    Kind kind = e.args[0]->kind;
    return kind == Kind::Float ? (f64 ? "_f64" : "_f32") : "_i64";
  }

  /// Keys and existence of all points; scans keep their running value as key.
  /// Returns whether the body had a value wherever it must.
  Value fill() {
    const ExprRef &body = e.args[0];
    Kind kind = body->kind;
    bool scan = isScan(e.reduce);
    mlir::Type number = emitter.typeOf(kind);
    SmallVector<Value> state{l.integer(0), l.boolean(true)};
    if (scan)
      state.append({l.constant(number, 0), l.boolean(false)});
    std::vector<ExprRef> tests;
    splitConjuncts(e.filter, tests);
    std::function<SmallVector<Value>(size_t, SmallVector<Value>)> level = [&](size_t i,
                                                                              SmallVector<Value> s) {
      if (i < e.vars.size()) {
        auto result = l.loop(l.integer(0), f.storage->extent(cascade.rankOf(e.vars[i])), s,
                             [&](Value iv, ValueRange carried) {
                               emitter.env[e.vars[i]] = emitter.uniform(iv);
                               return level(i + 1, SmallVector<Value>(carried));
                             });
        emitter.env.erase(e.vars[i]);
        return result;
      }
      Value inside;
      for (const ExprRef &t : tests)
        inside = l.both(inside, emitter.condition(t));
      auto value = [&] {
        Val x = emitter.emit(body);
        Value has = x.present ? x.present : l.boolean(true);
        if (kind == Kind::Bool) {
          x.value = l.andI(x.value, has);
          has = l.boolean(true);
        }
        return SmallVector<Value>{x.value, has};
      };
      SmallVector<Value> x =
          inside ? l.branch(inside, value,
                            [&] {
                              return SmallVector<Value>{l.constant(number, 0), l.boolean(false)};
                            })
                 : value();
      Value has = x[1], key = x[0];
      if (!e.partial)
        s[1] = l.andI(s[1], inside ? l.orI(has, l.notB(inside)) : has);
      if (scan) {
        key = l.select(has, l.select(s[3], combine(s[2], key), key), s[2]);
        s[2] = key;
        s[3] = l.orI(s[3], has);
      }
      if (e.reduce == ReduceOp::Coordinates)
        has = l.andI(has, key);
      put(kind == Kind::Bool ? l.extend(key, l.i64(), false) : key, keys, s[0]);
      put(l.extend(has, l.i8(), false), exists, s[0]);
      s[0] = l.addI(s[0], l.integer(1));
      return s;
    };
    return level(0, state)[1];
  }

  Value combine(Value x, Value y) {
    bool isFloat = isa<FloatType>(x.getType());
    switch (e.reduce) {
    case ReduceOp::CumSum:
      return isFloat ? l.addF(x, y) : l.addI(x, y);
    case ReduceOp::CumProd:
      return isFloat ? l.mulF(x, y) : l.mulI(x, y);
    case ReduceOp::CumMax:
      return isFloat ? l.make<arith::MaximumFOp>(x, y) : l.maxS(x, y);
    default:
      return isFloat ? l.make<arith::MinimumFOp>(x, y) : l.minS(x, y);
    }
  }

  /// Orders the row. Returns how many points `order` holds, where that is asked.
  Value arrange() {
    switch (e.reduce) {
    case ReduceOp::Place:
      return l.callC("einfall_place" + suffix(), l.i64(), {keys, exists, points, places, order});
    case ReduceOp::Top: {
      Val k = emitter.emit(e.aux);
      Value some = k.present ? l.select(k.present, k.value, l.integer(0)) : k.value;
      return l.callC("einfall_top" + suffix(), l.i64(), {keys, exists, points, some, places, order});
    }
    case ReduceOp::TopMass: {
      Val t = emitter.emit(e.aux);
      Value mass = t.value;
      if (e.aux->kind != Kind::Float)
        mass = arith::SIToFPOp::create(l.b, l.loc, l.f64(), mass);
      else if (!f64)
        mass = arith::ExtFOp::create(l.b, l.loc, l.f64(), mass);
      Value n = t.present ? l.select(t.present, points, l.integer(0)) : points;
      if (t.present) { // without a mass nothing is selected
        l.loop(l.integer(0), points, {}, [&](Value i, ValueRange) {
          put(l.constant(l.i8(), 0), places, i);
          return SmallVector<Value>{};
        });
      }
      return l.callC("einfall_top_mass" + suffix(), l.i64(), {keys, exists, n, mass, places, order});
    }
    case ReduceOp::ArgSort:
      return l.callC("einfall_order" + suffix(), l.i64(), {keys, exists, points, order});
    case ReduceOp::Coordinates:
      return l.callC("einfall_coordinates", l.i64(), {exists, points, order});
    default:
      return points;
    }
  }

  /// One point of the equation: looks the row's result up and stores it.
  void point(Value count, Value whole) {
    Val none = emitter.zeroOf(equation.rhs->kind);
    none.present = l.boolean(false);
    auto result = [&]() -> Val {
      bool places_ = !keepsVariables(e.reduce);
      Value index = l.integer(0), present;
      if (places_) {
        Val s = emitter.emit(e.aux);
        index = s.value;
        present = l.both(s.present, l.cmpI(CmpIPredicate::ult, index, count));
        present = l.both(present, whole);
      }
      for (size_t i = 0; i < e.at.size() && !places_; ++i) {
        Val c = emitter.emit(e.at[i]);
        Value size = f.storage->extent(cascade.rankOf(e.vars[i]));
        bool inside =
            e.at[i]->op == ExprOp::Coord && cascade.rankOf(e.at[i]->id) == cascade.rankOf(e.vars[i]);
        present = l.both(present, c.present);
        if (!inside)
          present = l.both(present, l.cmpI(CmpIPredicate::ult, c.value, size));
        index = l.addI(l.mulI(index, size), c.value);
      }
      auto found = [&] {
        Value has = l.boolean(true), value;
        if (places_) {
          value = load(order, l.i64(), index);
        } else {
          has = l.cmpI(CmpIPredicate::ne, load(exists, l.i8(), index), l.constant(l.i8(), 0));
          if (e.reduce == ReduceOp::Place)
            value = load(places, l.i64(), index);
          else if (isSelection(e.reduce))
            value =
                l.andI(l.cmpI(CmpIPredicate::ne, load(places, l.i8(), index), l.constant(l.i8(), 0)), has);
          else
            value = load(keys, emitter.typeOf(e.kind), index);
        }
        return SmallVector<Value>{value, has};
      };
      auto nothing = [&] { return SmallVector<Value>{none.value, l.boolean(false)}; };
      SmallVector<Value> r = present ? l.branch(present, found, nothing) : found();
      if (equation.rhs->kind == Kind::Bool)
        return {l.andI(r[0], r[1]), {}, {}, 0};
      return {r[0], r[1], {}, 0};
    };
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
    auto body = [&] {
      Val value;
      if (equation.where) {
        auto r = l.branch(
            emitter.condition(equation.where),
            [&] {
              Val x = result();
              return SmallVector<Value>{x.value, x.present ? x.present : l.boolean(true)};
            },
            [&] {
              return SmallVector<Value>{none.value, none.present};
            });
        value = {r[0], r[1], {}, 0};
      } else {
        value = result();
      }
      emitter.store(equation.tensor, subs, value);
      return SmallVector<Value>{};
    };
    if (guard)
      l.branch(guard, body, [] { return SmallVector<Value>{}; });
    else
      body();
  }
};
} // namespace

std::vector<VarId> rowVariables(const Equation &equation) {
  const Expr &e = *equation.rhs;
  auto inner = std::make_shared<Expr>(e);
  inner->at.clear();
  if (!auxInRow(e))
    inner->aux = nullptr;
  std::vector<VarId> free = freeVariables(inner), rows;
  for (VarId v : equation.vars)
    if (std::find(free.begin(), free.end(), v) != free.end())
      rows.push_back(v);
  return rows;
}

Value scratchBytes(Lanes &l, Storage &storage, const Equation &equation) {
  Value points = l.integer(1);
  for (VarId v : equation.rhs->vars)
    points = l.mulI(points, storage.extent(storage.cascade.rankOf(v)));
  // keys, places, order: 8 each, exists: 1; whole cache lines, and room for one heap entry.
  Value bytes = l.addI(l.mulI(points, l.integer(25)), l.integer(127));
  return l.andI(bytes, l.integer(-64));
}

void emitRows(Function &f, const Equation &equation, const Fixed &fixed, const Range &) {
  RowEmitter(f, equation, fixed).run();
}

} // namespace einfall::lower
