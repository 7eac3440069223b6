//===- Access.cpp - reads and stores of the expression emitter --------------===//
//
// A subscript that is certainly inside its rank costs nothing; any other one
// guards the access. In lanes, an access whose subscripts are affine in the lane
// is one vector load when the lanes are neighbours in memory (tested at run time
// for arguments, whose strides are not known before), a gather otherwise.
//
//===----------------------------------------------------------------------===//
#include "compiler/lower/Bounds.h"
#include "compiler/lower/x86/ScalarEmitter.h"

using namespace mlir;
using namespace einfall::ein;
using arith::CmpIPredicate;

namespace einfall::lower {

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

ScalarEmitter::Offset ScalarEmitter::offsetOf(TensorId tensor, ArrayRef<Val> subs, bool dense) {
  Offset at;
  at.uniform = l.integer(0);
  bool affineLanes = true, anyVaries = false;
  for (const Val &s : subs)
    if (Lanes::varies(s.value)) {
      anyVaries = true;
      affineLanes &= static_cast<bool>(s.base);
    }
  std::optional<int64_t> only; // the lane stride, if it is one constant
  unsigned moving = 0;
  for (size_t d = 0; d < subs.size(); ++d) {
    std::optional<int64_t> known;
    Value stride = dense ? storage.denseStride(tensor, d) : storage.stride(tensor, d, &known);
    if (dense && d + 1 == subs.size())
      known = 1;
    auto times = [&](Value v) { return known == 1 ? v : l.mulI(v, stride); };
    const Val &s = subs[d];
    if (!Lanes::varies(s.value)) {
      at.uniform = l.addI(at.uniform, times(s.value));
      continue;
    }
    Value term = times(s.value);
    at.varying = at.varying ? l.addI(at.varying, term) : term;
    if (!affineLanes)
      continue;
    Value base = times(s.base);
    at.base = at.base ? l.addI(at.base, base) : base;
    if (s.step == 0)
      continue;
    ++moving;
    Value move = known == 1 ? l.integer(s.step) : l.mulI(l.integer(s.step), stride);
    at.laneStride = at.laneStride ? l.addI(at.laneStride, move) : move;
    only = known == 1 ? std::optional<int64_t>(s.step) : std::nullopt;
  }
  if (!anyVaries)
    return at;
  at.varying = l.addI(at.varying, at.uniform);
  if (affineLanes) {
    at.base = l.addI(at.base, at.uniform);
    if (!at.laneStride)
      at.laneStride = l.integer(0);
    at.unit = moving == 1 && only == 1;
  }
  return at;
}

Value ScalarEmitter::pointer(Value base, mlir::Type element, Value offset) {
  return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), element, base, ArrayRef<LLVM::GEPArg>{offset});
}

/// Elements at the offset; lanes outside `guard` (null: none) are not read and 0.
/// A uniform access must have been guarded by a branch.
Value ScalarEmitter::loadElements(Value base, mlir::Type element, const Offset &at, Value guard) {
  unsigned bytes = element.getIntOrFloatBitWidth() / 8;
  if (!at.varying)
    return LLVM::LoadOp::create(l.b, l.loc, element, pointer(base, element, at.uniform), bytes);
  mlir::Type vector = l.vectorOf(element);
  guard = guard ? l.broadcast(guard) : Value();
  auto contiguous = [&]() -> Value {
    Value p = pointer(base, element, at.base);
    if (!guard)
      return LLVM::LoadOp::create(l.b, l.loc, vector, p, bytes);
    Value none = l.constant(vector, 0);
    return LLVM::MaskedLoadOp::create(l.b, l.loc, vector, p, guard, none, l.b.getI32IntegerAttr(bytes));
  };
  auto gathered = [&]() -> Value {
    mlir::Type pointers = VectorType::get({int64_t(l.width)}, l.ptr());
    Value p = LLVM::GEPOp::create(l.b, l.loc, pointers, element, base, ArrayRef<LLVM::GEPArg>{at.varying});
    Value all = guard ? guard : l.broadcast(l.boolean(true));
    return LLVM::masked_gather::create(l.b, l.loc, vector, p, all, ValueRange{l.constant(vector, 0)},
                                       l.b.getI32IntegerAttr(bytes));
  };
  if (at.unit)
    return contiguous();
  if (!at.laneStride)
    return gathered();
  Value one = l.cmpI(CmpIPredicate::eq, at.laneStride, l.integer(1));
  return l.branch(
      one, [&] { return SmallVector<Value>{contiguous()}; },
      [&] { return SmallVector<Value>{gathered()}; })[0];
}

void ScalarEmitter::storeElements(Value base, Value elements, const Offset &at) {
  mlir::Type element = Lanes::elementOf(elements);
  unsigned bytes = element.getIntOrFloatBitWidth() / 8;
  if (!at.varying) {
    LLVM::StoreOp::create(l.b, l.loc, elements, pointer(base, element, at.uniform), bytes);
    return;
  }
  elements = l.broadcast(elements);
  Value guard = mask ? l.broadcast(mask) : Value();
  auto contiguous = [&] {
    Value p = pointer(base, element, at.base);
    if (guard)
      LLVM::MaskedStoreOp::create(l.b, l.loc, elements, p, guard, l.b.getI32IntegerAttr(bytes));
    else
      LLVM::StoreOp::create(l.b, l.loc, elements, p, bytes);
    return SmallVector<Value>{};
  };
  auto scattered = [&] {
    mlir::Type pointers = VectorType::get({int64_t(l.width)}, l.ptr());
    Value p = LLVM::GEPOp::create(l.b, l.loc, pointers, element, base, ArrayRef<LLVM::GEPArg>{at.varying});
    Value all = guard ? guard : l.broadcast(l.boolean(true));
    LLVM::masked_scatter::create(l.b, l.loc, elements, p, all, l.b.getI32IntegerAttr(bytes));
    return SmallVector<Value>{};
  };
  if (at.unit) {
    contiguous();
  } else if (!at.laneStride) {
    scattered();
  } else {
    Value one = l.cmpI(CmpIPredicate::eq, at.laneStride, l.integer(1));
    l.branch(one, contiguous, scattered);
  }
}

/// i4 arguments: two elements a byte, the even coordinate low. Strides count
/// elements; those of the outer dimensions are even.
Value ScalarEmitter::loadPacked(TensorId tensor, ArrayRef<Val> subs, Value guard) {
  Offset at = offsetOf(tensor, subs, false);
  Value offset = at.varying ? at.varying : at.uniform;
  Value one = l.constant(offset.getType(), 1);
  Offset byte;
  (at.varying ? byte.varying : byte.uniform) = l.make<arith::ShRSIOp>(offset, one);
  Value pair = loadElements(storage.base(tensor), l.i8(), byte, guard);
  Value four = l.constant(pair.getType(), 4);
  Value odd = l.cmpI(CmpIPredicate::ne, l.andI(offset, one), l.constant(offset.getType(), 0));
  Value low = l.make<arith::ShRSIOp>(l.shl(pair, four), four);
  return l.select(odd, l.make<arith::ShRSIOp>(pair, four), low);
}

void ScalarEmitter::storePacked(TensorId tensor, ArrayRef<Val> subs, Value value) {
  // Reads, changes one half, writes: the kernel that does so runs as one task.
  Offset at = offsetOf(tensor, subs, false);
  Value one = l.integer(1);
  Value p = pointer(storage.base(tensor), l.i8(), l.make<arith::ShRSIOp>(at.uniform, one));
  Value pair = LLVM::LoadOp::create(l.b, l.loc, l.i8(), p);
  Value odd = l.cmpI(CmpIPredicate::ne, l.andI(at.uniform, one), l.integer(0));
  auto k = [&](int64_t v) { return l.constant(l.i8(), v); };
  Value high = l.orI(l.andI(pair, k(15)), l.shl(value, k(4)));
  Value low = l.orI(l.andI(pair, k(-16)), l.andI(value, k(15)));
  LLVM::StoreOp::create(l.b, l.loc, l.select(odd, high, low), p);
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

Val ScalarEmitter::tuple(const Expr &e) {
  const Split &split = cascade.splits[e.id];
  Val linear;
  Value present;
  for (size_t i = 0; i < e.args.size(); ++i) {
    Val part = emit(e.args[i]);
    Value size = storage.extent(split.parts[i]);
    bool inside = e.args[i]->op == ExprOp::Coord && cascade.rankOf(e.args[i]->id) == split.parts[i];
    present = l.both(present, part.present);
    if (!inside)
      present = l.both(present, l.cmpI(CmpIPredicate::ult, part.value, size));
    part.present = {};
    if (i == 0) {
      linear = part;
      continue;
    }
    Val scaled = Lanes::varies(linear.value)
                     ? Val{l.mulI(linear.value, size),
                           {},
                           linear.step == 0 && linear.base ? l.mulI(linear.base, size) : Value(),
                           0}
                     : uniform(l.mulI(linear.value, size));
    linear = affine(ExprOp::Add, scaled, part, l.addI(scaled.value, part.value));
  }
  linear.present = present;
  return linear;
}

Val ScalarEmitter::read(const Expr &e) {
  SmallVector<Val> subs;
  SmallVector<bool> inside;
  for (size_t d = 0; d < e.args.size(); ++d) {
    subs.push_back(emit(e.args[d]));
    inside.push_back(certainlyInside(cascade, e.id, d, e.args[d]));
  }
  const Equation *equation = cascade.equationOf(e.id);
  int initRank = equation && equation->init ? equation->initRank : -1;
  if (initRank < 0 || inside[initRank])
    return load(e.id, subs, inside);
  // ein-r21: a subscript before the start (past the end) gives `init`.
  const Val &s = subs[initRank];
  Value beyond = equation->initBackward
                     ? l.cmpI(CmpIPredicate::sge, s.value, storage.size(e.id, initRank))
                     : l.cmpI(CmpIPredicate::slt, s.value, l.constant(s.value.getType(), 0));
  if (s.present)
    beyond = l.andI(beyond, s.present);
  Val result;
  if (!Lanes::varies(beyond)) {
    result = branchVal(
        beyond, [&] { return initValue(e, subs); }, [&] { return load(e.id, subs, inside); });
  } else {
    Value outer = mask;
    mask = l.both(outer, beyond);
    Val first = initValue(e, subs);
    mask = l.both(outer, l.notB(beyond));
    Val rest = load(e.id, subs, inside);
    mask = outer;
    result = selectVal(beyond, first, rest);
  }
  if (e.kind == Kind::Bool && result.present)
    return uniform(l.andI(result.value, result.present));
  return result;
}

/// `init` over the other left variables, which the subscripts give.
Val ScalarEmitter::initValue(const Expr &read, ArrayRef<Val> subs) {
  const Equation &equation = *cascade.equationOf(read.id);
  auto saved = env;
  Value present;
  std::function<void(const Expr &, Val)> bind = [&](const Expr &left, Val at) {
    if (left.op == ExprOp::Coord) {
      Value size = storage.extent(cascade.rankOf(left.id));
      present = l.both(present, l.both(at.present, l.cmpI(CmpIPredicate::ult, at.value, size)));
      at.present = {};
      env[left.id] = at;
      return;
    }
    const Split &split = cascade.splits[left.id];
    Value rest = at.value;
    present = l.both(present, at.present);
    for (size_t i = left.args.size(); i-- > 0;) {
      Value none;
      Value size = storage.extent(split.parts[i]);
      bind(*left.args[i], uniform(i ? l.floorDiv(rest, size, true, none) : rest));
      if (i)
        rest = l.floorDiv(rest, size, false, none);
      present = l.both(present, none);
    }
  };
  for (size_t d = 0; d < equation.lhs.size(); ++d)
    if (int(d) != equation.initRank)
      bind(*equation.lhs[d], subs[d]);
  auto value = [&] {
    Val v = emit(equation.init);
    const Tensor &tensor = cascade.tensors[read.id];
    if (tensor.annotated && tensor.type != ein::Type::F64 && !(tensor.type == ein::Type::F32 && !f64)) {
      if (kindOf(tensor.type) == Kind::Float)
        v.value = roundFloat(l, v.value, tensor.type);
      else if (kindOf(tensor.type) == Kind::Int)
        v.value = saturate(l, v.value, tensor.type);
      v.base = {};
    }
    return v;
  };
  Val result;
  if (!present) {
    result = value();
  } else if (!Lanes::varies(present)) {
    result = branchVal(present, value, [&] {
      Val none = zeroOf(read.kind);
      none.present = l.boolean(false);
      return none;
    });
  } else {
    Value outer = mask;
    mask = l.both(outer, present);
    result = value();
    mask = outer;
    result.present = l.both(result.present, present);
  }
  env = std::move(saved);
  return result;
}

Val ScalarEmitter::load(TensorId tensor, ArrayRef<Val> subs, ArrayRef<bool> inside) {
  const Tensor &t = cascade.tensors[tensor];
  Kind kind = kindOf(t.type);
  Value guard;
  for (size_t d = 0; d < subs.size(); ++d) {
    guard = l.both(guard, subs[d].present);
    if (!inside[d])
      guard = l.both(guard, l.cmpI(CmpIPredicate::ult, subs[d].value, storage.size(tensor, d)));
  }
  bool lanes = false;
  for (const Val &s : subs)
    lanes |= Lanes::varies(s.value);
  lanes |= Lanes::varies(guard);
  // Pointers and strides are loaded at the entry, whatever the branch.
  auto fetch = [&](ArrayRef<Val> at, Value laneGuard) {
    Value stored = storage.packed(tensor) ? loadPacked(tensor, at, laneGuard)
                                          : loadElements(storage.base(tensor), storedType(l.b, t.type),
                                                         offsetOf(tensor, at, false), laneGuard);
    Val v = uniform(decode(l, stored, t.type, f64));
    if (Value map = storage.presenceBase(tensor)) {
      Value byte = loadElements(map, l.i8(), offsetOf(tensor, at, true), laneGuard);
      v.present = l.cmpI(CmpIPredicate::ne, byte, l.constant(byte.getType(), 0));
    }
    return v;
  };
  Val result;
  if (!lanes && !guard) {
    result = fetch(subs, {});
  } else if (!lanes) {
    auto none = [&] {
      Val v = zeroOf(kind);
      v.present = l.boolean(false);
      return v;
    };
    result = branchVal(
        guard, [&] { return fetch(subs, {}); }, none);
  } else {
    SmallVector<Val> at(subs.begin(), subs.end());
    bool anyVaries = false;
    for (const Val &s : subs)
      anyVaries |= Lanes::varies(s.value);
    if (!anyVaries) // one place under a guard that varies: a gather of it
      at[0] = {l.broadcast(at[0].value), {}, {}, 0};
    result = fetch(at, l.both(guard, mask && Lanes::varies(mask) ? mask : Value()));
    result.present = l.both(result.present, guard);
  }
  if (kind == Kind::Bool && result.present)
    return uniform(l.andI(result.value, result.present));
  return result;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

void ScalarEmitter::store(TensorId tensor, ArrayRef<Val> subs, const Val &given) {
  const Tensor &t = cascade.tensors[tensor];
  Val value = given;
  if (t.role == Role::Output && value.present) {
    Val none = t.empty ? emit(t.empty) : zeroOf(kindOf(t.type));
    value.value = l.select(value.present, value.value, none.value);
  }
  Value stored = encode(l, value.value, t.type);
  if (storage.packed(tensor))
    storePacked(tensor, subs, stored);
  else
    storeElements(storage.base(tensor), stored, offsetOf(tensor, subs, false));
  if (Value map = storage.presenceBase(tensor)) {
    Value present = value.present ? value.present : l.boolean(true);
    storeElements(map, l.extend(present, l.i8(), false), offsetOf(tensor, subs, true));
  }
}

} // namespace einfall::lower
