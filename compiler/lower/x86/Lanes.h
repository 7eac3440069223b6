//===- Lanes.h - arithmetic on values that may be vectors -------------------===//
//
// Generated code computes one point at a time, or W points in the lanes of a
// vector. A value is *uniform* (a scalar, the same in every lane) or *varying*
// (`vector<W x ..>`). `Lanes` builds arith operations on any mix: a uniform
// operand is broadcast where the other one varies. With W = 1 all is uniform.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include <functional>

namespace einfall::lower {

/// A value that may be missing. Integers in lanes remember when they are
/// `base + step * lane`, so that neighbouring lanes can share one load.
struct Val {
  mlir::Value value;
  mlir::Value present; ///< i1 or vector of i1; null: always
  mlir::Value base;    ///< varying integers that are affine in the lane: the value of lane 0
  int64_t step = 0;    ///< their distance between lanes
};

class Lanes {
public:
  Lanes(mlir::OpBuilder &builder, mlir::Location loc, unsigned width) : b(builder), loc(loc), width(width) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  const unsigned width; ///< W

  mlir::Type i1() { return b.getI1Type(); }
  mlir::Type i8() { return b.getI8Type(); }
  mlir::Type i64() { return b.getI64Type(); }
  mlir::Type f32() { return b.getF32Type(); }
  mlir::Type f64() { return b.getF64Type(); }
  mlir::Type ptr() { return mlir::LLVM::LLVMPointerType::get(b.getContext()); }
  mlir::Type vectorOf(mlir::Type element) { return mlir::VectorType::get({int64_t(width)}, element); }

  static bool varies(mlir::Value v) { return v && mlir::isa<mlir::VectorType>(v.getType()); }
  static mlir::Type elementOf(mlir::Value v) { return mlir::getElementTypeOrSelf(v.getType()); }
  /// `element`, or a vector of it if `like` varies.
  mlir::Type shaped(mlir::Type element, mlir::Value like) {
    return varies(like)
               ? mlir::VectorType::get(mlir::cast<mlir::VectorType>(like.getType()).getShape(), element)
               : element;
  }

  // Constants; `like` gives shape and element type.
  mlir::Value integer(int64_t value) { return constant(i64(), value); }
  mlir::Value boolean(bool value) { return constant(i1(), value ? 1 : 0); }
  mlir::Value constant(mlir::Type type, double value);
  mlir::Value constant(mlir::Type type, int64_t value);
  mlir::Value constant(mlir::Type type, int value) { return constant(type, int64_t(value)); }
  mlir::Value constantLike(mlir::Value like, double value) { return constant(like.getType(), value); }

  mlir::Value broadcast(mlir::Value v);
  /// Broadcasts the uniform ones if any varies.
  void unify(std::initializer_list<mlir::Value *> values);
  mlir::Value iota(); ///< 0 .. W-1 as vector<W x i64>

  template <class Op>
  mlir::Value make(mlir::Value x, mlir::Value y) {
    unify({&x, &y});
    return b.createOrFold<Op>(loc, x, y);
  }
  template <class Op>
  mlir::Value makeFast(mlir::Value x, mlir::Value y, mlir::arith::FastMathFlags flags) {
    unify({&x, &y});
    return Op::create(b, loc, x, y, mlir::arith::FastMathFlagsAttr::get(b.getContext(), flags));
  }
  mlir::Value addF(mlir::Value x, mlir::Value y) { return make<mlir::arith::AddFOp>(x, y); }
  mlir::Value subF(mlir::Value x, mlir::Value y) { return make<mlir::arith::SubFOp>(x, y); }
  mlir::Value mulF(mlir::Value x, mlir::Value y) { return make<mlir::arith::MulFOp>(x, y); }
  mlir::Value divF(mlir::Value x, mlir::Value y) { return make<mlir::arith::DivFOp>(x, y); }
  mlir::Value addI(mlir::Value x, mlir::Value y) { return make<mlir::arith::AddIOp>(x, y); }
  mlir::Value subI(mlir::Value x, mlir::Value y) { return make<mlir::arith::SubIOp>(x, y); }
  mlir::Value mulI(mlir::Value x, mlir::Value y) { return make<mlir::arith::MulIOp>(x, y); }
  mlir::Value andI(mlir::Value x, mlir::Value y) { return make<mlir::arith::AndIOp>(x, y); }
  mlir::Value orI(mlir::Value x, mlir::Value y) { return make<mlir::arith::OrIOp>(x, y); }
  mlir::Value xorI(mlir::Value x, mlir::Value y) { return make<mlir::arith::XOrIOp>(x, y); }
  mlir::Value shl(mlir::Value x, mlir::Value y) { return make<mlir::arith::ShLIOp>(x, y); }
  mlir::Value shru(mlir::Value x, mlir::Value y) { return make<mlir::arith::ShRUIOp>(x, y); }
  mlir::Value minS(mlir::Value x, mlir::Value y) { return make<mlir::arith::MinSIOp>(x, y); }
  mlir::Value maxS(mlir::Value x, mlir::Value y) { return make<mlir::arith::MaxSIOp>(x, y); }
  mlir::Value cmpI(mlir::arith::CmpIPredicate p, mlir::Value x, mlir::Value y) {
    unify({&x, &y});
    return b.createOrFold<mlir::arith::CmpIOp>(loc, p, x, y);
  }
  mlir::Value cmpF(mlir::arith::CmpFPredicate p, mlir::Value x, mlir::Value y) {
    unify({&x, &y});
    return b.createOrFold<mlir::arith::CmpFOp>(loc, p, x, y);
  }
  mlir::Value negF(mlir::Value x) { return b.createOrFold<mlir::arith::NegFOp>(loc, x); }
  mlir::Value notB(mlir::Value x) { return xorI(x, constant(x.getType(), int64_t(1))); }
  mlir::Value select(mlir::Value c, mlir::Value x, mlir::Value y);
  /// Presence of both; null means always.
  mlir::Value both(mlir::Value p, mlir::Value q) { return !p ? q : !q ? p : p == q ? p : andI(p, q); }
  mlir::Value bitcast(mlir::Value x, mlir::Type element) {
    return b.createOrFold<mlir::arith::BitcastOp>(loc, shaped(element, x), x);
  }
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value roundEven(mlir::Value x);
  mlir::Value extend(mlir::Value x, mlir::Type element, bool isSigned = true); ///< integer widening
  mlir::Value narrow(mlir::Value x, mlir::Type element);                       ///< integer narrowing
  /// Floor division and modulo; `missing` is set where the divisor may be 0.
  mlir::Value floorDiv(mlir::Value x, mlir::Value y, bool modulo, mlir::Value &present);
  /// Lanes of a vector reduced to one scalar.
  mlir::Value anyLane(mlir::Value mask);
  mlir::Value acrossMin(mlir::Value v);
  mlir::Value acrossMax(mlir::Value v);

  /// `condition ? then() : otherwise()`, evaluating only one; uniform condition.
  llvm::SmallVector<mlir::Value> branch(mlir::Value condition,
                                        llvm::function_ref<llvm::SmallVector<mlir::Value>()> then,
                                        llvm::function_ref<llvm::SmallVector<mlir::Value>()> otherwise);
  /// for (i64 i = lo; i < hi; ++i), carrying `state`.
  llvm::SmallVector<mlir::Value>
  loop(mlir::Value lo, mlir::Value hi, llvm::ArrayRef<mlir::Value> state,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value i, mlir::ValueRange state)> body,
       int64_t step = 1);

  /// C functions by name: `double erf(double)`; `lowerProgram` adds the declarations.
  mlir::Value callC(llvm::StringRef name, mlir::Type result, llvm::ArrayRef<mlir::Value> args);
  /// The same for every lane of varying arguments.
  mlir::Value callPerLane(llvm::StringRef name, llvm::ArrayRef<mlir::Value> args);
};

} // namespace einfall::lower
