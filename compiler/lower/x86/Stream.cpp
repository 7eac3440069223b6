#include "compiler/lower/x86/Stream.h"
#include "compiler/lower/Bounds.h"
#include "compiler/lower/x86/StreamEmitter.h"
#include "dialects/ein/ir/Convert.h"
#include "dialects/tile/StreamConvert.h"
#include "runtime/include/einfall/runtime.h"
#include <algorithm>
#include <limits>
#include <set>

using namespace mlir;
using namespace einfall::ein;
using arith::CmpIPredicate;
using einfall::tile::TileStep;

namespace einfall::lower {

StreamEmitter::StreamEmitter(Program &program, const tile::StreamKernel &kernel, Lanes &lanes,
                             Storage &storage)
    : program(program), kernel(kernel), cascade(program.cascade), l(lanes), storage(storage),
      W(program.target.vectorBits / 32), wide(lanes.b, lanes.loc, 1) {
  for (const tile::Segment &s : kernel.segments)
    for (const TileStep &step : s.steps)
      if (const Equation *eq = cascade.equationOf(step.tensor))
        f64 |= cascade.computesInF64(*eq);
  if (f64)
    W /= 2;
  J = std::max(1u, kernel.width / (program.target.vectorBits / 32));
  new (&wide) Lanes(lanes.b, lanes.loc, W);
  element = f64 ? l.f64() : l.f32();
}

//===----------------------------------------------------------------------===//
// Scratch memory
//===----------------------------------------------------------------------===//

mlir::Type StreamEmitter::stored(mlir::Type type) { return type.isInteger(1) ? l.i8() : type; }

Value StreamEmitter::extentProduct(const std::vector<VarId> &over) {
  Value n = l.integer(1);
  for (VarId v : over)
    n = l.mulI(n, storage.extent(cascade.rankOf(v)));
  return n;
}

Value StreamEmitter::layOut() {
  Value offset = l.integer(0);
  auto take = [&](Value elements, unsigned bytes) {
    Value here = offset;
    Value size = l.andI(l.addI(l.mulI(elements, l.integer(bytes)), l.integer(63)), l.integer(-64));
    offset = l.addI(offset, size);
    if (!scratch)
      return Value();
    return Value(LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i8(), scratch, ArrayRef<LLVM::GEPArg>{here}));
  };
  auto bytesOf = [&](mlir::Type t) { return std::max(8u, stored(t).getIntOrFloatBitWidth()) / 8; };
  const int64_t width = int64_t(W) * J, block = kernel.block;
  auto typeOf = [&](TensorId t) -> mlir::Type {
    Kind k = kindOf(cascade.tensors[t].type);
    return k == Kind::Float ? element : k == Kind::Int ? mlir::Type(l.i64()) : mlir::Type(l.i1());
  };
  for (TensorId t : kernel.tiles)
    tiles[t] = {take(l.integer(block * width), bytesOf(typeOf(t))), {}, typeOf(t)};
  std::map<TensorId, std::vector<VarId>> overOf;
  for (const tile::Segment &s : kernel.segments)
    for (const TileStep &step : s.steps) {
      if (step.kind == TileStep::Kind::Fold || step.kind == TileStep::Kind::FoldContract ||
          step.kind == TileStep::Kind::Anchor)
        overOf[step.tensor] = step.over;
      if (step.mask && maskIndex(step.mask) < 0)
        masks.push_back(step.mask);
    }
  for (TensorId t : kernel.state) {
    std::vector<VarId> over = overOf[t];
    state[t] = {take(l.mulI(extentProduct(over), l.integer(width)), bytesOf(typeOf(t))), over, typeOf(t)};
  }
  for (const tile::Segment &s : kernel.segments)
    for (const TileStep &step : s.steps)
      if (step.kind == TileStep::Kind::Anchor) {
        deltas[step.tensor] = {take(l.mulI(extentProduct(step.over), l.integer(width)), bytesOf(element)),
                               step.over, element};
      } else if (step.kind == TileStep::Kind::Contract || step.kind == TileStep::Kind::FoldContract) {
        Pack p;
        p.step = &step;
        Value points = extentProduct(step.over);
        if (step.kind == TileStep::Kind::Contract) {
          p.aUsed = true;
          p.aEarly = !mentionsResident(step.a);
          p.a = {take(l.mulI(points, l.integer(width)), bytesOf(element)), step.over, element};
        }
        stream = s.var;
        if (!isPlain(step.b, step.over)) {
          p.bUsed = true;
          p.b = {take(l.mulI(points, l.integer(block)), bytesOf(element)), step.over, element};
        }
        packs.push_back(p);
      }
  if (kernel.lanes.size() > 1)
    for (VarId v : kernel.lanes)
      laneCoordinates[v] = {take(l.integer(width), 8), {}, l.i64()};
  maskBase = take(l.integer(int64_t(masks.size()) * block * J), std::max(8u, W) / 8);
  return offset;
}

StreamEmitter::Pack &StreamEmitter::packOf(const TileStep &s) {
  for (Pack &p : packs)
    if (p.step == &s)
      return p;
  llvm_unreachable("every contraction has a pack");
}

Value StreamEmitter::at(const Slot &slot, Value row, unsigned j) {
  mlir::Type type = stored(slot.element);
  Value index = l.integer(int64_t(j) * W);
  if (row)
    index = l.addI(l.mulI(row, l.integer(int64_t(W) * J)), index);
  return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), type, slot.base, ArrayRef<LLVM::GEPArg>{index});
}

Value StreamEmitter::rowIndex(const Slot &slot) {
  Value row;
  for (VarId v : slot.over) {
    Value x = uniformEnv.at(v);
    row = row ? l.addI(l.mulI(row, storage.extent(cascade.rankOf(v))), x) : x;
  }
  return row;
}

Value StreamEmitter::loadVector(Value pointer, mlir::Type type) {
  return LLVM::LoadOp::create(l.b, l.loc, wide.vectorOf(type), pointer, type.getIntOrFloatBitWidth() / 8 * W);
}

void StreamEmitter::storeVector(Value pointer, Value value) {
  LLVM::StoreOp::create(l.b, l.loc, value, pointer, Lanes::elementOf(value).getIntOrFloatBitWidth() / 8 * W);
}

Value StreamEmitter::loadSlot(const Slot &slot, Value row, unsigned j) {
  Value v = loadVector(at(slot, row, j), stored(slot.element));
  return slot.element.isInteger(1) ? wide.cmpI(CmpIPredicate::ne, v, wide.constantLike(v, 0)) : v;
}

void StreamEmitter::storeSlot(const Slot &slot, Value row, unsigned j, Value value) {
  value = wide.broadcast(value);
  if (slot.element.isInteger(1))
    value = wide.extend(value, l.i8(), false);
  storeVector(at(slot, row, j), value);
}

//===----------------------------------------------------------------------===//
// The task
//===----------------------------------------------------------------------===//

Value StreamEmitter::taskCount() {
  Value lanes = extentProduct(kernel.lanes), width = l.integer(int64_t(W) * J);
  Value groups = arith::DivUIOp::create(l.b, l.loc, l.addI(lanes, l.subI(width, l.integer(1))), width);
  return l.mulI(extentProduct(kernel.outer), groups);
}

void StreamEmitter::decodeTask(Value taskIndex) {
  laneTotal = extentProduct(kernel.lanes);
  Value width = l.integer(int64_t(W) * J);
  Value groups = arith::DivUIOp::create(l.b, l.loc, l.addI(laneTotal, l.subI(width, l.integer(1))), width);
  Value rest = arith::DivUIOp::create(l.b, l.loc, taskIndex, groups);
  // Later groups first: under a causal mask they are the longest.
  Value group = l.subI(l.subI(groups, l.integer(1)), l.subI(taskIndex, l.mulI(rest, groups)));
  firstLane = l.mulI(group, width);
  validLanes = l.minS(width, l.subI(laneTotal, firstLane));
  for (size_t k = kernel.outer.size(); k-- > 0;) {
    VarId v = kernel.outer[k];
    Value size = storage.extent(cascade.rankOf(v)), x = rest;
    if (k) {
      Value next = arith::DivUIOp::create(l.b, l.loc, rest, size);
      x = l.subI(rest, l.mulI(next, size));
      rest = next;
    }
    uniformEnv[v] = x;
    box[v] = {x, x};
  }
}

/// Coordinates of the lanes' variables, and their bounds for the whole tile.
void StreamEmitter::setLanes() {
  Value last = l.addI(firstLane, l.subI(validLanes, l.integer(1)));
  if (kernel.lanes.size() == 1) {
    box[kernel.lanes[0]] = {firstLane, last};
    return;
  }
  l.loop(l.integer(0), l.integer(int64_t(W) * J), {}, [&](Value i, ValueRange) {
    // Lanes beyond the end repeat the last one; nothing of theirs is stored.
    Value rest = l.minS(l.addI(firstLane, i), last);
    for (size_t k = kernel.lanes.size(); k-- > 0;) {
      Value size = storage.extent(cascade.rankOf(kernel.lanes[k])), x = rest;
      if (k) {
        Value next = arith::DivUIOp::create(l.b, l.loc, rest, size);
        x = l.subI(rest, l.mulI(next, size));
        rest = next;
      }
      Value p = LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i64(), laneCoordinates[kernel.lanes[k]].base,
                                    ArrayRef<LLVM::GEPArg>{i});
      LLVM::StoreOp::create(l.b, l.loc, x, p);
    }
    return SmallVector<Value>{};
  });
  Value lo = firstLane, hi = last;
  // From the innermost: a variable spans its whole rank where the next one moves.
  for (size_t k = kernel.lanes.size(); k-- > 0;) {
    VarId v = kernel.lanes[k];
    if (k == 0) {
      box[v] = {lo, hi};
      break;
    }
    Value size = storage.extent(cascade.rankOf(v));
    Value qlo = arith::DivUIOp::create(l.b, l.loc, lo, size),
          qhi = arith::DivUIOp::create(l.b, l.loc, hi, size);
    Value same = l.cmpI(CmpIPredicate::eq, qlo, qhi);
    box[v] = {l.select(same, l.subI(lo, l.mulI(qlo, size)), l.integer(0)),
              l.select(same, l.subI(hi, l.mulI(qhi, size)), l.subI(size, l.integer(1)))};
    lo = qlo, hi = qhi;
  }
}

Value StreamEmitter::identity(ReduceOp op, mlir::Type type) {
  switch (op) {
  case ReduceOp::Max:
    return l.constant(type, -std::numeric_limits<double>::infinity());
  case ReduceOp::Min:
    return l.constant(type, std::numeric_limits<double>::infinity());
  case ReduceOp::All:
    return l.boolean(true);
  default:
    return l.constant(type, 0);
  }
}

void StreamEmitter::initialise() {
  std::set<TensorId> done;
  for (const tile::Segment &s : kernel.segments)
    for (const TileStep &step : s.steps) {
      bool isAnchor = step.kind == TileStep::Kind::Anchor;
      if ((!isAnchor && step.kind != TileStep::Kind::Fold && step.kind != TileStep::Kind::FoldContract) ||
          !done.insert(step.tensor).second)
        continue;
      const Slot &slot = state.at(step.tensor);
      // An anchor that was never set is -inf.
      Value first = isAnchor
                        ? identity(ReduceOp::Max, slot.element)
                        : identity(step.kind == TileStep::Kind::Fold ? step.op : ReduceOp::Sum, slot.element);
      forOver(slot.over, [&] {
        for (unsigned j = 0; j < J; ++j)
          storeSlot(slot, rowIndex(slot), j, first);
      });
    }
}

void StreamEmitter::task(Value scratchBase, Value taskIndex) {
  scratch = scratchBase;
  decodeTask(taskIndex);
  layOut();
  setLanes();
  initialise();
  for (const tile::Segment &s : kernel.segments) {
    stream = s.var;
    for (const TileStep &step : s.steps)
      if (step.kind == TileStep::Kind::Contract)
        if (Pack &p = packOf(step); p.aEarly)
          packLaneSide(p);
  }
  for (const tile::Segment &s : kernel.segments)
    segment(s);
  finish();
}

void StreamEmitter::segment(const tile::Segment &s) {
  stream = s.var;
  ScalarEmitter uniform = uniformAt();
  Value extent = uniform.emit(s.extent).value;
  // Masks of the reductions: a block without points in any of them does nothing.
  std::vector<ExprRef> foldMasks, all;
  bool always = false;
  for (const TileStep &step : s.steps) {
    if (step.kind == TileStep::Kind::Fold || step.kind == TileStep::Kind::FoldContract) {
      always |= !step.mask;
      if (step.mask)
        foldMasks.push_back(step.mask);
    }
    if (step.mask &&
        std::none_of(all.begin(), all.end(), [&](const ExprRef &m) { return equal(m, step.mask); }))
      all.push_back(step.mask);
  }
  Value size = l.integer(kernel.block);
  l.loop(
      l.integer(0), extent, {},
      [&](Value start, ValueRange) {
        blockStart = start;
        Value end = l.minS(l.addI(start, size), extent);
        blockCount = l.subI(end, start);
        ScalarEmitter emitter = uniformAt();
        Interval interval(l, emitter);
        interval.box = box;
        interval.box[stream] = {start, l.subI(end, l.integer(1))};
        Value possible = l.boolean(always), full = l.cmpI(CmpIPredicate::eq, blockCount, size);
        for (const ExprRef &m : foldMasks)
          possible = l.orI(possible, interval.truth(m).canBeTrue);
        for (const ExprRef &m : all)
          full = l.andI(full, l.notB(interval.truth(m).canBeFalse));
        auto nothing = [] { return SmallVector<Value>{}; };
        l.branch(
            possible,
            [&] {
              l.branch(
                  full,
                  [&] {
                    checked = false;
                    blockCount = size;
                    block(s);
                    return SmallVector<Value>{};
                  },
                  [&] {
                    checked = true;
                    blockCount = l.subI(end, start);
                    block(s);
                    return SmallVector<Value>{};
                  });
              return SmallVector<Value>{};
            },
            nothing);
        return SmallVector<Value>{};
      },
      kernel.block);
}

void StreamEmitter::block(const tile::Segment &s) {
  masksDone.clear();
  for (const TileStep &step : s.steps)
    this->step(step);
}

void StreamEmitter::finish() {
  checked = false;
  // Anchors that lag catch up, so that state stands at the values themselves; so do
  // those of a segment after which another one moved the value.
  for (const tile::Segment &s : kernel.segments)
    for (const TileStep &step : s.steps)
      if (step.kind == TileStep::Kind::Anchor && (step.lag || kernel.segments.size() > 1))
        anchor(step, /*exact=*/true);
  for (const tile::Finish &f : kernel.finish)
    forOver(f.over, [&] {
      for (unsigned j = 0; j < J; ++j) {
        ScalarEmitter emitter = lanesAt(j, {});
        Value where = f.mask ? emitter.condition(f.mask) : Value();
        Val value = emitter.emit(f.value);
        if (where)
          value.present =
              wide.both(value.present ? wide.broadcast(value.present) : Value(), wide.broadcast(where));
        if (f.value->kind == Kind::Bool && value.present)
          value = {wide.andI(value.value, value.present), {}, {}, 0};
        // A tuple beyond the end of its rank is no point to store.
        SmallVector<Val> subscripts;
        Value inside = laneMask(j);
        for (size_t d = 0; d < f.subscripts.size(); ++d) {
          const ExprRef &e = f.subscripts[d];
          Val x = emitter.emit(e);
          if (x.present)
            inside = wide.andI(inside, wide.broadcast(x.present));
          if (e->op == ExprOp::Tuple) {
            Value before = wide.cmpI(arith::CmpIPredicate::ult, x.value, storage.size(f.tensor, d));
            inside = wide.andI(inside, wide.broadcast(before));
          }
          x.present = {};
          subscripts.push_back(x);
        }
        value.value = wide.broadcast(value.value);
        if (value.present)
          value.present = wide.broadcast(value.present);
        emitter.mask = inside;
        emitter.store(f.tensor, subscripts, value);
      }
    });
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

namespace {
std::optional<tile::StreamKernel> kernelOf(Program &program, tile::StreamOp op) {
  std::string missing;
  auto kernel = tile::fromOps(op, ein::ir::namesOf(program.cascade), missing);
  if (!kernel)
    program.error = "the stream kernel names '" + missing + "', which the cascade has not";
  return kernel;
}
} // namespace

LogicalResult lowerStream(Program &program, tile::StreamOp op, Function &main, StringRef name) {
  auto kernel = kernelOf(program, op);
  if (!kernel)
    return failure();
  {
    Function f(program, name, /*isTask=*/true);
    Value bytes = f.storage->field(offsetof(einfall_frame, scratch_bytes), f.l.i64());
    Value all = f.storage->field(offsetof(einfall_frame, scratch), f.l.ptr());
    Value own = LLVM::GEPOp::create(f.l.b, f.l.loc, f.l.ptr(), f.l.i8(), all,
                                    ArrayRef<LLVM::GEPArg>{f.l.mulI(f.thread, bytes)});
    StreamEmitter(program, *kernel, f.l, *f.storage).task(own, f.task);
    f.finish();
  }
  program.b.setInsertionPointToEnd(&main.op.getBody().back());
  Value count = StreamEmitter(program, *kernel, main.l, *main.storage).taskCount();
  Value function = LLVM::AddressOfOp::create(program.b, main.l.loc, main.l.ptr(), name);
  main.l.callC("einfall_parallel", {}, {main.frame, function, main.offsets, count});
  return success(program.error.empty());
}

Value streamScratchBytes(Program &program, tile::StreamOp op, Lanes &l, Storage &storage) {
  auto kernel = kernelOf(program, op);
  return kernel ? StreamEmitter(program, *kernel, l, storage).layOut() : l.integer(0);
}

} // namespace einfall::lower
