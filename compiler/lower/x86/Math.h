//===- Math.h - elementary functions as straight-line code ------------------===//
//
// LLVM turns `exp` of a vector into one library call a lane, so Einfall brings
// its own: range reduction and a polynomial, on scalars and vectors alike, in
// arith operations. Errors in f32 are a few units in the last place. In f64,
// and for rare functions, the C library is called lane by lane.
//
// Every function takes any float: infinities, NaN and subnormals behave as in C.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/x86/Lanes.h"
#include "dialects/ein/Expr.h"

namespace einfall::lower {

class Math {
public:
  explicit Math(Lanes &lanes) : l(lanes) {}

  mlir::Value exp(mlir::Value x);
  mlir::Value exp2(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value log2(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  mlir::Value erf(mlir::Value x);
  mlir::Value expm1(mlir::Value x);
  mlir::Value log1p(mlir::Value x);
  mlir::Value sigmoid(mlir::Value x);
  mlir::Value pow(mlir::Value x, mlir::Value y);
  mlir::Value powInteger(mlir::Value x, int64_t n); ///< x^n by squaring, n >= 0; also for integers
  mlir::Value sqrt(mlir::Value x);
  mlir::Value abs(mlir::Value x);
  /// A function of the language on floats (ein-r23).
  mlir::Value call(ein::Fn fn, mlir::Value x);

private:
  Lanes &l;
  bool isF64(mlir::Value x) { return Lanes::elementOf(x).isF64(); }
  mlir::Value c(mlir::Value like, double v) { return l.constantLike(like, v); }
  mlir::Value horner(mlir::Value x, std::initializer_list<double> highestFirst);
  mlir::Value scaleByPowerOfTwo(mlir::Value x, mlir::Value n);
  mlir::Value expPolynomial(mlir::Value r);
  mlir::Value library(llvm::StringRef name, llvm::ArrayRef<mlir::Value> args);
  /// x = m * 2^e with m in [sqrt(1/2), sqrt(2)): returns log(m), sets e.
  mlir::Value logReduced(mlir::Value x, mlir::Value &e);
  mlir::Value logSpecial(mlir::Value x, mlir::Value result);
};

} // namespace einfall::lower
