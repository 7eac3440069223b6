#include "compiler/lower/x86/Lanes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace einfall::lower {

Value Lanes::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = b.getFloatAttr(element, value);
  if (auto shape = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(shape, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

Value Lanes::constant(Type type, int64_t value) {
  Type element = getElementTypeOrSelf(type);
  if (isa<FloatType>(element))
    return constant(type, double(value));
  TypedAttr attr = b.getIntegerAttr(element, value);
  if (auto shape = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(shape, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

Value Lanes::broadcast(Value v) {
  return varies(v) ? v : vector::BroadcastOp::create(b, loc, vectorOf(v.getType()), v).getResult();
}

void Lanes::unify(std::initializer_list<Value *> values) {
  Value like;
  for (Value *v : values)
    if (varies(*v))
      like = *v;
  if (!like)
    return;
  auto shape = cast<VectorType>(like.getType()).getShape();
  for (Value *v : values)
    if (!varies(*v))
      *v = vector::BroadcastOp::create(b, loc, VectorType::get(shape, v->getType()), *v);
}

Value Lanes::iota() {
  SmallVector<int64_t> lanes;
  for (unsigned i = 0; i < width; ++i)
    lanes.push_back(i);
  auto type = cast<VectorType>(vectorOf(i64()));
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(lanes)));
}

Value Lanes::select(Value c, Value x, Value y) {
  if (varies(c))
    unify({&c, &x, &y});
  else
    unify({&x, &y});
  return b.createOrFold<arith::SelectOp>(loc, c, x, y);
}

Value Lanes::fma(Value x, Value y, Value z) {
  unify({&x, &y, &z});
  return math::FmaOp::create(b, loc, x, y, z);
}

Value Lanes::roundEven(Value x) { return math::RoundEvenOp::create(b, loc, x); }

Value Lanes::extend(Value x, Type element, bool isSigned) {
  if (elementOf(x) == element)
    return x;
  Type type = shaped(element, x);
  return isSigned ? b.createOrFold<arith::ExtSIOp>(loc, type, x)
                  : b.createOrFold<arith::ExtUIOp>(loc, type, x);
}

Value Lanes::narrow(Value x, Type element) {
  return elementOf(x) == element ? x : b.createOrFold<arith::TruncIOp>(loc, shaped(element, x), x);
}

Value Lanes::floorDiv(Value x, Value y, bool modulo, Value &present) {
  // The machine instruction traps on a divisor 0 and on INT64_MIN / -1; both are
  // replaced by a division by 1 and corrected afterwards.
  APInt constantDivisor;
  bool known = matchPattern(y, m_ConstantInt(&constantDivisor));
  bool positive = known && constantDivisor.isStrictlyPositive();
  unify({&x, &y});
  Value zero = constant(x.getType(), 0), one = constant(x.getType(), 1);
  Value safe = y, minusOne;
  if (!positive) {
    Value isZero = cmpI(arith::CmpIPredicate::eq, y, zero);
    minusOne = cmpI(arith::CmpIPredicate::eq, y, constant(y.getType(), -1));
    present = both(present, notB(isZero));
    safe = select(orI(isZero, minusOne), one, y);
  }
  Value quotient = make<arith::DivSIOp>(x, safe);
  Value rest = subI(x, mulI(quotient, safe));
  // Floor: one less where the remainder has not the divisor's sign.
  Value wrong = positive ? cmpI(arith::CmpIPredicate::slt, rest, zero)
                         : andI(cmpI(arith::CmpIPredicate::ne, rest, zero),
                                cmpI(arith::CmpIPredicate::slt, xorI(rest, safe), zero));
  Value result =
      modulo ? select(wrong, addI(rest, safe), rest) : select(wrong, subI(quotient, one), quotient);
  if (minusOne)
    result = modulo ? select(minusOne, zero, result) : select(minusOne, subI(zero, x), result);
  return result;
}

Value Lanes::anyLane(Value mask) {
  return varies(mask) ? vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, mask).getResult()
                      : mask;
}
Value Lanes::acrossMin(Value v) {
  return varies(v) ? vector::ReductionOp::create(b, loc, vector::CombiningKind::MINSI, v).getResult() : v;
}
Value Lanes::acrossMax(Value v) {
  return varies(v) ? vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXSI, v).getResult() : v;
}

SmallVector<Value> Lanes::branch(Value condition, function_ref<SmallVector<Value>()> then,
                                 function_ref<SmallVector<Value>()> otherwise) {
  // The result types are those of the first region, so it is built before the op.
  Region thenRegion, elseRegion;
  auto build = [&](Region &region, function_ref<SmallVector<Value>()> body) {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&region);
    SmallVector<Value> results = body();
    return results;
  };
  SmallVector<Value> x = build(thenRegion, then), y = build(elseRegion, otherwise);
  auto finish = [&](Region &region, SmallVector<Value> &mine, SmallVector<Value> &other) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&region.back());
    for (size_t i = 0; i < mine.size(); ++i)
      if (varies(other[i]) && !varies(mine[i]))
        mine[i] = vector::BroadcastOp::create(b, loc, other[i].getType(), mine[i]);
    scf::YieldOp::create(b, loc, mine);
  };
  finish(thenRegion, x, y);
  finish(elseRegion, y, x);
  SmallVector<Type> types;
  for (Value v : x)
    types.push_back(v.getType());
  auto op = scf::IfOp::create(b, loc, types, condition, /*withElseRegion=*/true);
  op.getThenRegion().takeBody(thenRegion);
  op.getElseRegion().takeBody(elseRegion);
  return SmallVector<Value>(op.getResults());
}

SmallVector<Value> Lanes::loop(Value lo, Value hi, ArrayRef<Value> state,
                               function_ref<SmallVector<Value>(Value, ValueRange)> body, int64_t step) {
  auto op = scf::ForOp::create(b, loc, lo, hi, integer(step), ValueRange(state),
                               [&](OpBuilder &, Location, Value i, ValueRange carried) {
                                 // The nested builder is `b` moved into the loop.
                                 scf::YieldOp::create(b, loc, body(i, carried));
                               });
  return SmallVector<Value>(op.getResults());
}

Value Lanes::callC(StringRef name, Type result, ArrayRef<Value> args) {
  SmallVector<Type> types;
  for (Value a : args)
    types.push_back(a.getType());
  Type resultType = result ? result : Type(LLVM::LLVMVoidType::get(b.getContext()));
  auto type = LLVM::LLVMFunctionType::get(resultType, types);
  auto call = LLVM::CallOp::create(b, loc, type, name, args);
  return result ? call.getResult() : Value();
}

Value Lanes::callPerLane(StringRef name, ArrayRef<Value> args) {
  Value like;
  for (Value a : args)
    if (varies(a))
      like = a;
  if (!like)
    return callC(name, args[0].getType(), args);
  Value result;
  for (unsigned lane = 0; lane < width; ++lane) {
    SmallVector<Value> scalars;
    for (Value a : args)
      scalars.push_back(varies(a) ? vector::ExtractOp::create(b, loc, a, int64_t(lane)).getResult() : a);
    Value y = callC(name, scalars[0].getType(), scalars);
    if (!result)
      result = constant(VectorType::get(cast<VectorType>(like.getType()).getShape(), y.getType()), 0);
    result = vector::InsertOp::create(b, loc, y, result, int64_t(lane));
  }
  return result;
}

} // namespace einfall::lower
