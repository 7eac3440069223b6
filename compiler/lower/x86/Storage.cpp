#include "compiler/lower/x86/Storage.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "runtime/include/einfall/runtime.h"

using namespace mlir;

namespace einfall::lower {

unsigned workspaceBytes(ein::Type type) { return (ein::bitWidth(type) + 7) / 8; }

bool Storage::inWorkspace(ein::TensorId tensor) const {
  auto it = layout.slots.find(tensor);
  return it != layout.slots.end() && it->second.value >= 0;
}
bool Storage::hasPresence(ein::TensorId tensor) const {
  auto it = layout.slots.find(tensor);
  return it != layout.slots.end() && it->second.presence >= 0;
}

Value Storage::once(int kind, int x, int y, function_ref<Value()> make) {
  Value &v = cache[{kind, x, y}];
  if (!v) {
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPoint(anchor);
    Value made = make();
    return cache[{kind, x, y}] = made;
  }
  return v;
}

Value Storage::loadAt(Value pointer, int64_t byteOffset, Type type) {
  Value p = byteOffset ? LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i8(), pointer,
                                             ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(byteOffset))})
                             .getResult()
                       : pointer;
  return LLVM::LoadOp::create(l.b, l.loc, type, p);
}

Value Storage::field(unsigned byteOffset, Type type) {
  return once(0, byteOffset, 0, [&] { return loadAt(frame, byteOffset, type); });
}

Value Storage::extent(ein::RankId rank) {
  if (auto fixed = cascade.ranks[rank].fixed)
    return once(1, rank, 0, [&] { return l.integer(*fixed); });
  Value table = field(offsetof(einfall_frame, extent), l.ptr());
  return once(1, rank, 0, [&] { return loadAt(table, rank * 8, l.i64()); });
}

Value Storage::scalar(ein::ScalarId id, bool f64) {
  ein::Type type = cascade.scalars[id].type;
  if (ein::kindOf(type) == ein::Kind::Float) {
    Value table = field(offsetof(einfall_frame, fscalar), l.ptr());
    return once(2, id, f64, [&]() -> Value {
      Value x = loadAt(table, id * 8, l.f64());
      return f64 ? x : arith::TruncFOp::create(l.b, l.loc, l.f32(), x).getResult();
    });
  }
  Value table = field(offsetof(einfall_frame, iscalar), l.ptr());
  return once(3, id, 0, [&]() -> Value {
    Value x = loadAt(table, id * 8, l.i64());
    return type == ein::Type::Bool ? l.cmpI(arith::CmpIPredicate::ne, x, l.integer(0)) : x;
  });
}

Value Storage::base(ein::TensorId tensor) {
  if (!inWorkspace(tensor)) {
    Value table = field(offsetof(einfall_frame, data), l.ptr());
    return once(4, tensor, 0, [&] { return loadAt(table, tensor * 8, l.ptr()); });
  }
  Value workspace = field(offsetof(einfall_frame, workspace), l.ptr());
  int slot = layout.slots.at(tensor).value;
  return once(4, tensor, 0, [&]() -> Value {
    Value offset = loadAt(offsets, slot * 8, l.i64());
    return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i8(), workspace, ArrayRef<LLVM::GEPArg>{offset});
  });
}

Value Storage::presenceBase(ein::TensorId tensor) {
  if (!hasPresence(tensor))
    return {};
  Value workspace = field(offsetof(einfall_frame, workspace), l.ptr());
  int slot = layout.slots.at(tensor).presence;
  return once(5, tensor, 0, [&]() -> Value {
    Value offset = loadAt(offsets, slot * 8, l.i64());
    return LLVM::GEPOp::create(l.b, l.loc, l.ptr(), l.i8(), workspace, ArrayRef<LLVM::GEPArg>{offset});
  });
}

Value Storage::size(ein::TensorId tensor, unsigned dim) {
  const ein::Tensor &t = cascade.tensors[tensor];
  Value points = extent(t.ranks[dim]);
  int plus = dim < t.plus.size() ? t.plus[dim] : 0;
  return plus ? once(6, tensor, dim, [&] { return l.addI(points, l.integer(plus)); }) : points;
}

Value Storage::denseStride(ein::TensorId tensor, unsigned dim) {
  const ein::Tensor &t = cascade.tensors[tensor];
  if (dim + 1 == t.ranks.size())
    return once(7, tensor, dim, [&] { return l.integer(1); });
  Value inner = denseStride(tensor, dim + 1), points = size(tensor, dim + 1);
  return once(7, tensor, dim, [&] { return l.mulI(inner, points); });
}

Value Storage::stride(ein::TensorId tensor, unsigned dim, std::optional<int64_t> *known) {
  bool last = dim + 1 == cascade.tensors[tensor].ranks.size();
  if (known)
    *known = last && inWorkspace(tensor) ? std::optional<int64_t>(1) : std::nullopt;
  if (inWorkspace(tensor))
    return denseStride(tensor, dim);
  Value table = field(offsetof(einfall_frame, stride), l.ptr());
  Value row = once(8, tensor, 0, [&] { return loadAt(table, tensor * 8, l.ptr()); });
  return once(9, tensor, dim, [&] { return loadAt(row, dim * 8, l.i64()); });
}

} // namespace einfall::lower
