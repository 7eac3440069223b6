//===- StreamContract.cpp - contractions in register blocks -----------------------===//
//
// Both contractions keep a block of accumulators in registers:
//
//   contract       R coordinates m x J vectors of lanes, looping over `over`
//   fold_contract  R coordinates of `over` x J vectors of lanes, looping over m
//
// An iteration loads J vectors of the lane side and broadcasts R scalars of the
// other. Rule for R (measured in the reference on CPU ceilings): accumulators +
// lane vectors + one broadcast must fit the register file, R * J near 24 of 32
// registers with AVX-512, 12 of 16 with AVX2.
//
//===----------------------------------------------------------------------===//
#include "compiler/lower/Bounds.h"
#include "compiler/lower/x86/StreamEmitter.h"
#include <algorithm>

using namespace mlir;
using namespace einfall::ein;
using einfall::tile::TileStep;

namespace einfall::lower {

bool StreamEmitter::mentionsResident(const ExprRef &e) {
  for (TensorId t : tensorsRead(e))
    if (tiles.count(t) || state.count(t) ||
        std::find(kernel.state.begin(), kernel.state.end(), t) != kernel.state.end())
      return true;
  return false;
}

/// A read of float memory of the kernel's own type where the streamed variable
/// and the one further variable are each one plain subscript.
bool StreamEmitter::isPlain(const ExprRef &b, const std::vector<VarId> &over) {
  if (b->op != ExprOp::Read || over.size() != 1)
    return false;
  const Tensor &t = cascade.tensors[b->id];
  if (t.type != (f64 ? ein::Type::F64 : ein::Type::F32) || storage.hasPresence(b->id))
    return false;
  if (const Equation *eq = cascade.equationOf(b->id); eq && eq->init)
    return false;
  int atM = 0, atX = 0;
  for (size_t d = 0; d < b->args.size(); ++d) {
    const ExprRef &s = b->args[d];
    if (s->op == ExprOp::Coord && (s->id == stream || s->id == over[0])) {
      ++(s->id == stream ? atM : atX);
      if (cascade.rankOf(s->id) != t.ranks[d])
        return false;
    } else if (mentions(s, stream) || mentions(s, over[0]) || !certainlyInside(cascade, b->id, d, s)) {
      return false;
    }
  }
  return atM == 1 && atX == 1;
}

std::optional<StreamEmitter::Plain> StreamEmitter::plainMemory(const ExprRef &b,
                                                               const std::vector<VarId> &over) {
  if (!isPlain(b, over))
    return std::nullopt;
  Plain p;
  ScalarEmitter e = uniformAt();
  Value offset = l.integer(0), bytes = l.integer(f64 ? 8 : 4);
  for (size_t d = 0; d < b->args.size(); ++d) {
    Value stride = storage.stride(b->id, d);
    const ExprRef &s = b->args[d];
    if (s->op == ExprOp::Coord && s->id == stream)
      p.strideM = l.mulI(stride, bytes);
    else if (s->op == ExprOp::Coord && s->id == over[0])
      p.strideX = l.mulI(stride, bytes);
    else
      offset = l.addI(offset, l.mulI(e.emit(s).value, stride));
  }
  p.base = LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i8(), storage.base(b->id),
                               ArrayRef<LLVM::GEPArg>{l.mulI(offset, bytes)});
  return p;
}

static Value advance(Lanes &l, Value pointer, Value bytes) {
  return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i8(), pointer, ArrayRef<LLVM::GEPArg>{bytes});
}

/// The lane side, [over][lanes]: all of it once, or once a block if it uses state.
void StreamEmitter::packLaneSide(Pack &p) {
  forOver(p.a.over, [&] {
    for (unsigned j = 0; j < J; ++j) {
      ScalarEmitter e = lanesAt(j, {});
      Val v = e.emit(p.step->a);
      v.value = wide.broadcast(v.value);
      if (v.present)
        v.value = wide.select(v.present, v.value, wide.constantLike(v.value, 0.0));
      storeSlot(p.a, rowIndex(p.a), j, v.value);
    }
  });
}

/// The other side of this block in scratch, [m][over], as floats.
StreamEmitter::Plain StreamEmitter::packUniformSide(const TileStep &s, Pack &p) {
  const std::vector<VarId> &over = s.over;
  Value points = extentProduct(over), bytes = l.integer(f64 ? 8 : 4);
  VarId last = over.empty() ? -1 : over.back();
  std::vector<VarId> before(over.begin(), over.empty() ? over.end() : over.end() - 1);
  auto place = [&](Value row, Value x) {
    Value index;
    for (VarId v : before)
      index = index ? l.addI(l.mulI(index, storage.extent(cascade.rankOf(v))), uniformEnv.at(v))
                    : uniformEnv.at(v);
    if (last >= 0)
      index = index ? l.addI(l.mulI(index, storage.extent(cascade.rankOf(last))), x) : x;
    Value at = l.mulI(row, points);
    if (index)
      at = l.addI(at, index);
    return Value(LLVM::GEPOp::create(l.b, l.loc, l.ptr(), element, p.b.base, ArrayRef<LLVM::GEPArg>{at}));
  };
  auto write = [&](Lanes &lanes, Value row, Value m, Value x, bool vector) {
    ScalarEmitter e(lanes, storage, f64);
    for (auto &[v, value] : uniformEnv)
      e.env[v] = e.uniform(value);
    e.env[stream] = e.uniform(m);
    if (last >= 0)
      e.env[last] = vector ? e.laneCoordinate(x) : e.uniform(x);
    Val v = e.emit(s.b);
    if (vector)
      v.value = lanes.broadcast(v.value);
    if (v.present)
      v.value = lanes.select(v.present, v.value, lanes.constantLike(v.value, 0.0));
    LLVM::StoreOp::create(l.b, l.loc, v.value, place(row, x), f64 ? 8 : 4);
  };
  forBlock([&](Value row, Value m) {
    forOver(before, [&] {
      if (last < 0) {
        write(l, row, m, l.integer(0), false);
        return;
      }
      // Whole vectors along the last variable, then the rest.
      Value size = storage.extent(cascade.rankOf(last));
      Value whole = l.andI(size, l.integer(-int64_t(W)));
      l.loop(
          l.integer(0), whole, {},
          [&](Value x, ValueRange) {
            write(wide, row, m, x, true);
            return SmallVector<Value>{};
          },
          W);
      l.loop(whole, size, {}, [&](Value x, ValueRange) {
        write(l, row, m, x, false);
        return SmallVector<Value>{};
      });
    });
  });
  return {p.b.base, l.mulI(points, bytes), bytes};
}

/// tile[m, lanes] = sum over x of a[x, lanes] * b[m, x]
void StreamEmitter::contract(const TileStep &s) {
  Pack &p = packOf(s);
  if (!p.aEarly)
    packLaneSide(p);
  Plain b;
  Value first = blockStart;
  if (p.bUsed) {
    b = packUniformSide(s, p);
    first = l.integer(0);
  } else {
    b = *plainMemory(s.b, s.over);
  }
  const unsigned R = program.target.avx512 ? 6 : (J >= 4 ? 2 : 6);
  const Slot &slot = tiles.at(s.tensor);
  Value points = extentProduct(s.over);
  Value end = l.addI(first, l.subI(blockCount, l.integer(1)));
  l.loop(
      l.integer(0), l.integer(kernel.block), {},
      [&](Value row, ValueRange) {
        SmallVector<Value> rows;
        for (unsigned r = 0; r < R; ++r) {
          // Rows beyond a short block repeat its last one; their tile is not used.
          Value m = l.addI(l.addI(first, row), l.integer(r));
          if (checked)
            m = l.minS(m, end);
          rows.push_back(advance(l, b.base, l.mulI(m, b.strideM)));
        }
        SmallVector<Value> zero(R * J + 1, wide.broadcast(l.constant(element, 0.0)));
        zero[R * J] = l.integer(0);
        auto acc = l.loop(l.integer(0), points, zero, [&](Value x, ValueRange carried) {
          SmallVector<Value> next, lanes;
          for (unsigned j = 0; j < J; ++j)
            lanes.push_back(loadVector(at(p.a, x, j), element));
          Value offset = carried[R * J];
          for (unsigned r = 0; r < R; ++r) {
            Value scalar =
                LLVM::LoadOp::create(l.b, l.loc, element, advance(l, rows[r], offset), f64 ? 8 : 4);
            Value spread = wide.broadcast(scalar);
            for (unsigned j = 0; j < J; ++j)
              next.push_back(wide.fma(spread, lanes[j], carried[r * J + j]));
          }
          next.push_back(l.addI(offset, b.strideX));
          return next;
        });
        for (unsigned r = 0; r < R; ++r)
          for (unsigned j = 0; j < J; ++j)
            storeSlot(slot, l.addI(row, l.integer(r)), j, acc[r * J + j]);
        return SmallVector<Value>{};
      },
      R);
}

/// state[x, lanes] += sum over the block's m of a[m, lanes] * b[m, x]
void StreamEmitter::foldContract(const TileStep &s) {
  Pack &p = packOf(s);
  Plain b;
  Value first = blockStart;
  if (p.bUsed) {
    b = packUniformSide(s, p);
    first = l.integer(0);
  } else {
    b = *plainMemory(s.b, s.over);
  }
  const Slot &slot = state.at(s.tensor), &tile = tiles.at(s.a->id);
  Value points = extentProduct(s.over);
  Value start = advance(l, b.base, l.mulI(first, b.strideM));
  auto rowsFrom = [&](Value x, unsigned R) {
    SmallVector<Value> columns, acc;
    for (unsigned r = 0; r < R; ++r) {
      Value at = l.addI(x, l.integer(r));
      columns.push_back(advance(l, start, l.mulI(at, b.strideX)));
      for (unsigned j = 0; j < J; ++j)
        acc.push_back(loadSlot(slot, at, j));
    }
    acc.push_back(l.integer(0));
    auto done = l.loop(l.integer(0), blockCount, acc, [&](Value row, ValueRange carried) {
      SmallVector<Value> next, lanes, bits;
      for (unsigned j = 0; j < J; ++j) {
        lanes.push_back(loadSlot(tile, row, j));
        bits.push_back(maskBits(s.mask, row, j));
      }
      Value offset = carried[R * J];
      for (unsigned r = 0; r < R; ++r) {
        Value scalar = LLVM::LoadOp::create(l.b, l.loc, element, advance(l, columns[r], offset), f64 ? 8 : 4);
        Value spread = wide.broadcast(scalar);
        for (unsigned j = 0; j < J; ++j) {
          Value old = carried[r * J + j];
          Value sum = wide.fma(spread, lanes[j], old);
          // A masked point adds nothing, whatever stands in memory there.
          next.push_back(bits[j] ? wide.select(bits[j], sum, old) : sum);
        }
      }
      next.push_back(l.addI(offset, b.strideM));
      return next;
    });
    for (unsigned r = 0; r < R; ++r)
      for (unsigned j = 0; j < J; ++j)
        storeSlot(slot, l.addI(x, l.integer(r)), j, done[r * J + j]);
    return SmallVector<Value>{};
  };
  const unsigned R = program.target.avx512 ? 4 : (J >= 4 ? 2 : 4);
  Value whole = l.andI(points, l.integer(-int64_t(R)));
  l.loop(
      l.integer(0), whole, {}, [&](Value x, ValueRange) { return rowsFrom(x, R); }, R);
  l.loop(whole, points, {}, [&](Value x, ValueRange) { return rowsFrom(x, 1); });
}

} // namespace einfall::lower
