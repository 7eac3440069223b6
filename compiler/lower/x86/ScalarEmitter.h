//===- ScalarEmitter.h - an expression as straight-line code and loops -------===//
//
// Emits the code that computes an `ein::Expr` at given coordinates, for one
// point or for W points in lanes. Each result is a value and, where it may be
// missing, a presence bit (language section 4). What the code keeps to:
//
//  - memory of a point that does not exist is never read: subscripts that may
//    leave their range guard the load;
//  - a missing value may hold anything; it reaches a result only through a
//    select on presence;
//  - `if` evaluates the branch taken when a branch reads or reduces;
//  - predicates that bound a reduced variable become loop bounds (Bounds.h).
//
// Example, lanes = 16 over m with base m0:   exp(S[p,m] - X[p])
//    S: one masked load of 16 floats, X: one scalar load broadcast, then vector code.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/x86/Lanes.h"
#include "compiler/lower/x86/Math.h"
#include "compiler/lower/x86/Storage.h"
#include "dialects/ein/Cascade.h"
#include <functional>
#include <map>
#include <optional>

namespace einfall::lower {

class ScalarEmitter {
public:
  /// `f64`: float arithmetic of the equation (Cascade::computesInF64).
  ScalarEmitter(Lanes &lanes, Storage &storage, bool f64)
      : l(lanes), storage(storage), cascade(storage.cascade), f64(f64), math(lanes) {}

  /// Coordinates of the variables in scope. For the variable in the lanes use `laneCoordinate`.
  std::map<ein::VarId, Val> env;
  /// Asked before every node; a result replaces the node's code. Its value may
  /// vary; a missing one must set `present`.
  std::function<std::optional<Val>(const ein::Expr &)> hook;
  /// Lanes that matter; null: all. Loads of the other lanes do not happen.
  mlir::Value mask;

  Val emit(const ein::ExprRef &e);
  /// A bool: missing is false. i1 or a vector of i1.
  mlir::Value condition(const ein::ExprRef &e);
  /// base, base + 1, .. in the lanes.
  Val laneCoordinate(mlir::Value base);
  Val uniform(mlir::Value v) { return {v, {}, {}, 0}; }

  /// Coordinates [lo, hi) of `var` that `conjuncts` leave, starting from its whole
  /// range. Conjuncts that need no test within are removed from `tests`; those of
  /// `hints` only narrow. Both may mention variables not yet in `env`: skipped.
  void narrow(ein::VarId var, std::vector<ein::ExprRef> &tests, const std::vector<ein::ExprRef> &hints,
              mlir::Value &lo, mlir::Value &hi);

  /// Stores at subscripts that exist. `present` null: certainly. A missing point of
  /// an output gets its `empty` value; `where` the lanes to store (null: all).
  void store(ein::TensorId tensor, llvm::ArrayRef<Val> subscripts, const Val &value);
  /// The value at subscripts already emitted.
  Val load(ein::TensorId tensor, llvm::ArrayRef<Val> subscripts, llvm::ArrayRef<bool> inside);

  Val zeroOf(ein::Kind kind);
  mlir::Type typeOf(ein::Kind kind);
  bool isF64() const { return f64; }

private:
  Lanes &l;
  Storage &storage;
  const ein::Cascade &cascade;
  bool f64;
  Math math;
  /// In the body of a float sum: products may be contracted into the sum.
  bool inSum = false;
  int initDepth = 0;

  Val arithmetic(const ein::Expr &e);
  Val compare(const ein::Expr &e);
  Val convert(const ein::Expr &e);
  Val call(const ein::Expr &e);
  Val conditional(const ein::Expr &e);
  Val otherwise(const ein::Expr &e);
  Val tuple(const ein::Expr &e);
  Val read(const ein::Expr &e);
  Val reduce(const ein::Expr &e);
  Val initValue(const ein::Expr &read, llvm::ArrayRef<Val> subscripts);
  Val affine(ein::ExprOp op, const Val &x, const Val &y, mlir::Value value);
  Val selectVal(mlir::Value c, const Val &x, const Val &y);
  Val branchVal(mlir::Value c, llvm::function_ref<Val()> then, llvm::function_ref<Val()> otherwise);
  bool varying(const ein::ExprRef &e);
  bool heavy(const ein::ExprRef &e); ///< contains reads or reductions
  bool mayMiss(const ein::ExprRef &e);
  bool ready(const ein::ExprRef &e); ///< all its free variables are in `env`

  /// Element offset of a point. `contiguous`: neighbouring lanes are neighbours
  /// in memory if `unit` (null: certainly) holds.
  struct Offset {
    mlir::Value uniform, varying; ///< varying null: the same for all lanes
    mlir::Value base;             ///< affine lanes: offset of lane 0
    mlir::Value laneStride;       ///< affine lanes: distance
    bool unit = false;            ///< laneStride is certainly 1
  };
  Offset offsetOf(ein::TensorId tensor, llvm::ArrayRef<Val> subscripts, bool dense);
  mlir::Value loadElements(mlir::Value base, mlir::Type element, const Offset &at, mlir::Value guard);
  void storeElements(mlir::Value base, mlir::Value elements, const Offset &at);
  mlir::Value pointer(mlir::Value base, mlir::Type element, mlir::Value offset);
  mlir::Value loadPacked(ein::TensorId tensor, llvm::ArrayRef<Val> subscripts, mlir::Value guard);
  void storePacked(ein::TensorId tensor, llvm::ArrayRef<Val> subscripts, mlir::Value value);
};

} // namespace einfall::lower
