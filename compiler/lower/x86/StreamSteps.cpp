//===- StreamSteps.cpp - maps, folds and anchors of a block -----------------------===//
#include "compiler/lower/x86/StreamEmitter.h"
#include <algorithm>
#include <limits>

using namespace mlir;
using namespace einfall::ein;
using arith::CmpFPredicate;
using arith::CmpIPredicate;
using einfall::tile::TileStep;

namespace einfall::lower {

/// A maximum may stay this far behind before the state follows: exp of it leaves
/// most of the range of a float for the sums.
static constexpr double lagDistance = 8;

//===----------------------------------------------------------------------===//
// Values at a place
//===----------------------------------------------------------------------===//

ScalarEmitter StreamEmitter::uniformAt() {
  ScalarEmitter e(l, storage, f64);
  for (auto &[v, x] : uniformEnv)
    e.env[v] = e.uniform(x);
  return e;
}

Value StreamEmitter::laneMask(unsigned j) {
  Value lane = wide.addI(l.integer(int64_t(j) * W), wide.iota());
  return wide.cmpI(CmpIPredicate::slt, lane, validLanes);
}

Val StreamEmitter::laneVariable(VarId v, unsigned j) {
  ScalarEmitter e(wide, storage, f64);
  if (kernel.lanes.size() == 1)
    return e.laneCoordinate(l.addI(firstLane, l.integer(int64_t(j) * W)));
  return e.uniform(loadVector(at(laneCoordinates.at(v), {}, j), l.i64()));
}

/// An anchor that was never set counts as 0: any value is right.
Value StreamEmitter::stateValue(TensorId t, Value raw) {
  if (!deltas.count(t))
    return raw;
  Value unset = wide.constantLike(raw, -std::numeric_limits<double>::infinity());
  return wide.select(wide.cmpF(CmpFPredicate::OEQ, raw, unset), wide.constantLike(raw, 0.0), raw);
}

std::vector<TensorId> StreamEmitter::rowStateIn(const ExprRef &e) {
  std::vector<TensorId> list;
  for (TensorId t : tensorsRead(e))
    if (auto it = state.find(t); it != state.end() && it->second.over.empty())
      list.push_back(t);
  return list;
}

std::vector<std::map<TensorId, Value>> StreamEmitter::preload(const ExprRef &e) {
  std::vector<std::map<TensorId, Value>> all(J);
  for (TensorId t : rowStateIn(e))
    for (unsigned j = 0; j < J; ++j)
      all[j][t] = stateValue(t, loadSlot(state.at(t), {}, j));
  return all;
}

ScalarEmitter StreamEmitter::lanesAt(unsigned j, Value m, const std::map<TensorId, Value> *preloaded) {
  ScalarEmitter e(wide, storage, f64);
  for (auto &[v, x] : uniformEnv)
    e.env[v] = e.uniform(x);
  for (VarId v : kernel.lanes)
    e.env[v] = laneVariable(v, j);
  if (m)
    e.env[stream] = e.uniform(m);
  e.mask = laneMask(j);
  Value row = m ? l.subI(m, blockStart) : Value();
  std::map<TensorId, Value> held;
  if (preloaded)
    held = *preloaded;
  e.hook = [this, j, row, held](const Expr &x) -> std::optional<Val> {
    if (x.op == ExprOp::Read) {
      if (auto h = held.find(x.id); h != held.end())
        return Val{h->second, {}, {}, 0};
      if (auto t = tiles.find(x.id); row && t != tiles.end())
        return Val{loadSlot(t->second, row, j), {}, {}, 0};
      if (auto s = state.find(x.id); s != state.end())
        return Val{stateValue(x.id, loadSlot(s->second, rowIndex(s->second), j)), {}, {}, 0};
    }
    if (x.op == ExprOp::Exists && x.args[0]->op == ExprOp::Read &&
        (tiles.count(x.args[0]->id) || state.count(x.args[0]->id)))
      return Val{l.boolean(true), {}, {}, 0};
    return std::nullopt;
  };
  return e;
}

int StreamEmitter::maskIndex(const ExprRef &mask) {
  for (size_t i = 0; i < masks.size(); ++i)
    if (equal(masks[i], mask))
      return static_cast<int>(i);
  return -1;
}

static Value maskAddress(Lanes &l, Value base, int index, unsigned block, unsigned J, Value row, unsigned j,
                         mlir::Type word) {
  Value at = l.addI(l.mulI(row, l.integer(J)), l.integer(int64_t(index) * block * J + j));
  return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), word, base, ArrayRef<LLVM::GEPArg>{at});
}

/// Bits of W lanes in one word (a byte at least). A mask may use tiles of earlier
/// steps, so it is computed where it is first needed.
void StreamEmitter::computeMask(const ExprRef &mask) {
  int k = maskIndex(mask);
  if (!masksDone.insert(k).second)
    return;
  mlir::Type word = l.b.getIntegerType(std::max(8u, W));
  forBlock([&](Value row, Value m) {
    for (unsigned j = 0; j < J; ++j) {
      ScalarEmitter e = lanesAt(j, m);
      Value bits = wide.andI(wide.broadcast(e.condition(masks[k])), laneMask(j));
      Value packed = LLVM::BitcastOp::create(l.b, l.loc, l.b.getIntegerType(W), bits);
      if (W < 8)
        packed = LLVM::ZExtOp::create(l.b, l.loc, word, packed);
      LLVM::StoreOp::create(l.b, l.loc, packed, maskAddress(l, maskBase, k, kernel.block, J, row, j, word));
    }
  });
}

Value StreamEmitter::maskBits(const ExprRef &mask, Value row, unsigned j) {
  if (!checked || !mask)
    return {};
  mlir::Type word = l.b.getIntegerType(std::max(8u, W));
  Value packed = LLVM::LoadOp::create(
      l.b, l.loc, word, maskAddress(l, maskBase, maskIndex(mask), kernel.block, J, row, j, word));
  if (W < 8)
    packed = LLVM::TruncOp::create(l.b, l.loc, l.b.getIntegerType(W), packed);
  return LLVM::BitcastOp::create(l.b, l.loc, wide.vectorOf(l.i1()), packed);
}

void StreamEmitter::forOver(const std::vector<VarId> &over, function_ref<void()> body) {
  std::function<void(size_t)> level = [&](size_t i) {
    if (i == over.size()) {
      body();
      return;
    }
    l.loop(l.integer(0), storage.extent(cascade.rankOf(over[i])), {}, [&](Value x, ValueRange) {
      uniformEnv[over[i]] = x;
      level(i + 1);
      return SmallVector<Value>{};
    });
    uniformEnv.erase(over[i]);
  };
  level(0);
}

void StreamEmitter::forBlock(function_ref<void(Value, Value)> body) {
  l.loop(l.integer(0), blockCount, {}, [&](Value row, ValueRange) {
    body(row, l.addI(blockStart, row));
    return SmallVector<Value>{};
  });
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void StreamEmitter::step(const TileStep &s) {
  if (checked && s.mask && s.kind != TileStep::Kind::Contract)
    computeMask(s.mask);
  switch (s.kind) {
  case TileStep::Kind::Contract:
    return contract(s);
  case TileStep::Kind::Map:
    return map(s);
  case TileStep::Kind::Fold:
    return fold(s);
  case TileStep::Kind::FoldContract:
    return foldContract(s);
  case TileStep::Kind::Anchor:
    return anchor(s, /*exact=*/false);
  }
}

void StreamEmitter::map(const TileStep &s) {
  auto held = preload(s.a);
  const Slot &slot = tiles.at(s.tensor);
  forBlock([&](Value row, Value m) {
    for (unsigned j = 0; j < J; ++j) {
      ScalarEmitter e = lanesAt(j, m, &held[j]);
      if (Value bits = maskBits(s.mask, row, j))
        e.mask = bits;
      Val v = e.emit(s.a);
      storeSlot(slot, row, j, v.value);
    }
  });
}

Value StreamEmitter::combine(ReduceOp op, Value acc, const Val &v, Value mask) {
  Value next;
  switch (op) {
  case ReduceOp::Sum:
    next = wide.addF(acc, v.value);
    break;
  case ReduceOp::Max:
    next = wide.makeFast<arith::MaximumFOp>(acc, v.value, arith::FastMathFlags::nsz);
    break;
  case ReduceOp::Min:
    next = wide.makeFast<arith::MinimumFOp>(acc, v.value, arith::FastMathFlags::nsz);
    break;
  case ReduceOp::Any:
    next = wide.orI(acc, v.value);
    break;
  case ReduceOp::All:
    next = wide.andI(acc, v.value);
    break;
  default: // Count
    next = wide.addI(acc, wide.extend(wide.broadcast(v.value), l.i64(), false));
  }
  return mask ? wide.select(mask, next, acc) : next;
}

void StreamEmitter::fold(const TileStep &s) {
  const Slot &slot = state.at(s.tensor);
  forOver(s.over, [&] {
    auto held = preload(s.a);
    Value place = rowIndex(slot);
    SmallVector<Value> first;
    for (unsigned j = 0; j < J; ++j)
      first.push_back(loadSlot(slot, place, j));
    auto last = l.loop(l.integer(0), blockCount, first, [&](Value row, ValueRange acc) {
      SmallVector<Value> next;
      Value m = l.addI(blockStart, row);
      for (unsigned j = 0; j < J; ++j) {
        ScalarEmitter e = lanesAt(j, m, &held[j]);
        Value bits = maskBits(s.mask, row, j);
        if (bits)
          e.mask = bits;
        Val v = e.emit(s.a);
        v.value = wide.broadcast(v.value);
        // Bools: what is missing is false.
        if (s.a->kind == Kind::Bool && v.present)
          v.value = wide.andI(v.value, v.present);
        else if (s.op == ReduceOp::Sum && v.present)
          v.value = wide.select(v.present, v.value, wide.constantLike(v.value, 0.0));
        next.push_back(combine(s.op, acc[j], v, bits));
      }
      return next;
    });
    for (unsigned j = 0; j < J; ++j)
      storeSlot(slot, place, j, last[j]);
  });
}

/// Moves the anchor and lets the state follow. `exact`: to the value itself.
void StreamEmitter::anchor(const TileStep &s, bool exact) {
  const Slot &slot = state.at(s.tensor), &deltaSlot = deltas.at(s.tensor);
  const double inf = std::numeric_limits<double>::infinity();
  Value moved = l.boolean(false);
  std::vector<Value> single;
  auto one = [&]() -> Value {
    Value any = l.boolean(false);
    for (unsigned j = 0; j < J; ++j) {
      ScalarEmitter e = lanesAt(j, {});
      Val y = e.emit(s.a);
      y.value = wide.broadcast(y.value);
      Value old = loadSlot(slot, rowIndex(slot), j);
      Value magnitude = Math(wide).abs(y.value);
      Value set = wide.cmpF(CmpFPredicate::OLT, magnitude, wide.constantLike(y.value, inf));
      if (y.present)
        set = wide.andI(set, y.present);
      Value distance = wide.subF(y.value, old);
      if (s.lag && !exact) {
        // Not within the lag; an anchor never set (-inf) is infinitely far.
        Value far =
            wide.cmpF(CmpFPredicate::UGT, Math(wide).abs(distance), wide.constantLike(old, lagDistance));
        set = wide.andI(set, far);
      } else {
        set = wide.andI(set, wide.cmpF(CmpFPredicate::UNE, y.value, old));
      }
      // State that is not at its identity stands at 0 as long as the anchor is not set.
      Value delta =
          wide.select(set, wide.subF(y.value, stateValue(s.tensor, old)), wide.constantLike(old, 0.0));
      storeSlot(slot, rowIndex(slot), j, wide.select(set, y.value, old));
      storeSlot(deltaSlot, rowIndex(deltaSlot), j, delta);
      Value follows = wide.cmpF(CmpFPredicate::UNE, delta, wide.constantLike(delta, 0.0));
      any = l.orI(any, wide.anyLane(wide.andI(follows, laneMask(j))));
    }
    return any;
  };
  if (s.over.empty()) {
    moved = one();
  } else {
    forOver(s.over, [&] { one(); });
    moved = l.boolean(true);
  }
  if (s.transports.empty())
    return;
  l.branch(
      moved,
      [&] {
        transport(s);
        return SmallVector<Value>{};
      },
      [] { return SmallVector<Value>{}; });
}

void StreamEmitter::transport(const TileStep &s) {
  const Slot &deltaSlot = deltas.at(s.tensor);
  for (const tile::Transport &t : s.transports) {
    std::vector<VarId> over;
    for (TensorId x : t.state)
      for (VarId v : state.at(x).over)
        if (std::find(over.begin(), over.end(), v) == over.end())
          over.push_back(v);
    forOver(over, [&] {
      for (unsigned j = 0; j < J; ++j) {
        Value delta = loadSlot(deltaSlot, rowIndex(deltaSlot), j);
        ScalarEmitter e = lanesAt(j, {});
        auto inner = e.hook;
        e.hook = [&, inner](const Expr &x) -> std::optional<Val> {
          if (x.op == ExprOp::ToFloat && x.args[0]->op == ExprOp::Coord && x.args[0]->id == s.delta)
            return Val{delta, {}, {}, 0};
          return inner(x);
        };
        SmallVector<Value> old, next;
        for (TensorId x : t.state)
          old.push_back(loadSlot(state.at(x), rowIndex(state.at(x)), j));
        for (size_t r = 0; r < t.state.size(); ++r) {
          Value sum;
          if (t.matrix[r].empty()) {
            next.push_back({});
            continue;
          }
          for (size_t c = 0; c < t.state.size(); ++c) {
            if (!t.matrix[r][c])
              continue;
            Value entry = e.emit(t.matrix[r][c]).value;
            Value term = t.shift ? wide.addF(entry, old[c]) : wide.mulF(entry, old[c]);
            // The identity stays, also under a factor beyond the range of the type.
            if (!t.shift) {
              Value zero = wide.constantLike(old[c], 0.0);
              term = wide.select(wide.cmpF(CmpFPredicate::OEQ, old[c], zero), zero, term);
            }
            sum = sum ? wide.addF(sum, term) : term;
          }
          next.push_back(sum ? sum : wide.constantLike(old[r], 0.0));
        }
        for (size_t r = 0; r < t.state.size(); ++r)
          if (next[r])
            storeSlot(state.at(t.state[r]), rowIndex(state.at(t.state[r])), j, next[r]);
      }
    });
  }
}

} // namespace einfall::lower
