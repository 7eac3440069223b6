#include "compiler/lower/x86/Math.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
using arith::CmpFPredicate;

namespace einfall::lower {

namespace {
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
} // namespace

Value Math::horner(Value x, std::initializer_list<double> highestFirst) {
  Value y;
  for (double coefficient : highestFirst)
    y = y ? l.fma(y, x, c(x, coefficient)) : c(x, coefficient);
  return y;
}

Value Math::library(StringRef name, ArrayRef<Value> args) {
  return l.callPerLane(isF64(args[0]) ? name.str() : name.str() + "f", args);
}

/// x * 2^n for an integral float n in [-252, 254]: two exact factors, so that
/// subnormal results and overflow come out right.
Value Math::scaleByPowerOfTwo(Value x, Value n) {
  Type i32 = l.b.getI32Type();
  Value k = arith::FPToSIOp::create(l.b, l.loc, l.shaped(i32, n), n);
  Value half = l.make<arith::ShRSIOp>(k, l.constant(k.getType(), 1));
  auto power = [&](Value e) {
    Value bits = l.shl(l.addI(e, l.constant(e.getType(), 127)), l.constant(e.getType(), 23));
    return l.bitcast(bits, l.f32());
  };
  return l.mulF(l.mulF(x, power(half)), power(l.subI(k, half)));
}

/// exp(r) - 1 for |r| <= ln(2)/2.
Value Math::expPolynomial(Value r) {
  Value p = horner(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
                       5.0000001201e-1});
  return l.fma(p, l.mulF(r, r), r);
}

Value Math::exp(Value x) {
  if (isF64(x))
    return library("exp", {x});
  // Beyond these the result is 0 or infinity; NaN passes both tests.
  Value y = l.select(l.cmpF(CmpFPredicate::OGT, x, c(x, 89)), c(x, 89), x);
  y = l.select(l.cmpF(CmpFPredicate::OLT, y, c(x, -104)), c(x, -104), y);
  Value n = l.roundEven(l.mulF(y, c(x, 1.44269504088896341)));
  Value r = l.fma(n, c(x, -0.693359375), y);
  r = l.fma(n, c(x, 2.12194440e-4), r);
  n = l.select(l.cmpF(CmpFPredicate::ORD, n, n), n, c(x, 0));
  return scaleByPowerOfTwo(l.addF(expPolynomial(r), c(x, 1)), n);
}

Value Math::exp2(Value x) {
  if (isF64(x))
    return library("exp2", {x});
  Value y = l.select(l.cmpF(CmpFPredicate::OGT, x, c(x, 129)), c(x, 129), x);
  y = l.select(l.cmpF(CmpFPredicate::OLT, y, c(x, -151)), c(x, -151), y);
  Value n = l.roundEven(y);
  Value r = l.mulF(l.subF(y, n), c(x, 0.693147180559945309));
  n = l.select(l.cmpF(CmpFPredicate::ORD, n, n), n, c(x, 0));
  return scaleByPowerOfTwo(l.addF(expPolynomial(r), c(x, 1)), n);
}

Value Math::logReduced(Value x, Value &e) {
  Type i32 = l.b.getI32Type();
  // Subnormals are scaled into the normal range first.
  Value tiny = l.cmpF(CmpFPredicate::OLT, x, c(x, 1.17549435e-38));
  Value scaled = l.select(tiny, l.mulF(x, c(x, 8388608)), x);
  Value bits = l.bitcast(scaled, i32);
  auto k = [&](int64_t v) { return l.constant(bits.getType(), v); };
  // m in [sqrt(1/2), sqrt(2)): subtract the bits of sqrt(1/2), the exponent field is then e.
  Value offset = l.subI(bits, k(0x3f3504f3));
  Value exponent = l.make<arith::ShRSIOp>(offset, k(23));
  Value m = l.bitcast(l.addI(l.andI(offset, k(0x007fffff)), k(0x3f3504f3)), l.f32());
  e = arith::SIToFPOp::create(l.b, l.loc, x.getType(), exponent);
  e = l.subF(e, l.select(tiny, c(x, 23), c(x, 0)));
  Value f = l.subF(m, c(x, 1));
  Value z = l.mulF(f, f);
  Value p = horner(f, {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                       -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1});
  Value y = l.mulF(l.mulF(p, f), z);
  return l.addF(f, l.fma(z, c(x, -0.5), y));
}

Value Math::logSpecial(Value x, Value result) {
  result = l.select(l.cmpF(CmpFPredicate::OEQ, x, c(x, inf)), x, result);
  result = l.select(l.cmpF(CmpFPredicate::OEQ, x, c(x, 0)), c(x, -inf), result);
  result = l.select(l.cmpF(CmpFPredicate::OLT, x, c(x, 0)), c(x, nan), result);
  return l.select(l.cmpF(CmpFPredicate::UNO, x, x), x, result);
}

Value Math::log(Value x) {
  if (isF64(x))
    return library("log", {x});
  Value e, y = logReduced(x, e);
  y = l.fma(e, c(x, -2.12194440e-4), y);
  return logSpecial(x, l.fma(e, c(x, 0.693359375), y));
}

Value Math::log2(Value x) {
  if (isF64(x))
    return library("log2", {x});
  Value e, y = logReduced(x, e);
  return logSpecial(x, l.fma(y, c(x, 1.44269504088896341), e)); // exact at powers of two
}

Value Math::abs(Value x) {
  if (isa<FloatType>(Lanes::elementOf(x)))
    return math::AbsFOp::create(l.b, l.loc, x);
  return l.select(l.cmpI(arith::CmpIPredicate::slt, x, l.constant(x.getType(), 0)),
                  l.subI(l.constant(x.getType(), 0), x), x);
}

Value Math::sqrt(Value x) { return math::SqrtOp::create(l.b, l.loc, x); }

Value Math::tanh(Value x) {
  if (isF64(x))
    return library("tanh", {x});
  Value a = abs(x), z = l.mulF(x, x);
  Value small = l.fma(l.mulF(horner(z, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2,
                                        1.33314422036e-1, -3.33332819422e-1}),
                             z),
                      x, x);
  Value large = l.subF(c(x, 1), l.divF(c(x, 2), l.addF(exp(l.addF(a, a)), c(x, 1))));
  large = math::CopySignOp::create(l.b, l.loc, large, x);
  return l.select(l.cmpF(CmpFPredicate::OLT, a, c(x, 0.625)), small, large);
}

Value Math::sigmoid(Value x) { return l.divF(c(x, 1), l.addF(c(x, 1), exp(l.negF(x)))); }

Value Math::erf(Value x) {
  if (isF64(x))
    return library("erf", {x});
  Value a = abs(x);
  Value t = l.select(l.cmpF(CmpFPredicate::OGT, a, c(x, 10)), c(x, 10), a), s = l.mulF(t, t);
  // erf = 1 - exp(polynomial) for large arguments, x + x * polynomial(x^2) for small ones.
  Value r = l.fma(c(x, -1.72853470e-5), t, c(x, 3.83197126e-4));
  Value u = l.fma(c(x, -3.88396438e-3), t, c(x, 2.42546219e-2));
  r = l.fma(r, s, u);
  r = l.fma(r, t, c(x, -1.06777877e-1));
  r = l.fma(r, t, c(x, -6.34846687e-1));
  r = l.fma(r, t, c(x, -1.28717512e-1));
  r = l.fma(r, t, l.negF(t));
  Value large = math::CopySignOp::create(l.b, l.loc, l.subF(c(x, 1), exp(r)), x);
  Value q = horner(
      s, {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
  return l.select(l.cmpF(CmpFPredicate::OGT, a, c(x, 0.927734375)), large, l.fma(q, x, x));
}

Value Math::expm1(Value x) {
  if (isF64(x))
    return library("expm1", {x});
  return l.select(l.cmpF(CmpFPredicate::OLE, abs(x), c(x, 0.3465)), expPolynomial(x),
                  l.subF(exp(x), c(x, 1)));
}

Value Math::log1p(Value x) {
  if (isF64(x))
    return library("log1p", {x});
  // log(u) * x / (u - 1) with u = 1 + x as rounded: the two rounding errors cancel.
  Value u = l.addF(x, c(x, 1));
  Value exact = l.mulF(log(u), l.divF(x, l.subF(u, c(x, 1))));
  Value y = l.select(l.cmpF(CmpFPredicate::OEQ, u, c(x, inf)), u, exact);
  return l.select(l.cmpF(CmpFPredicate::OEQ, u, c(x, 1)), x, y);
}

Value Math::powInteger(Value x, int64_t n) {
  Value result, square = x;
  for (; n; n >>= 1) {
    bool isFloat = isa<FloatType>(Lanes::elementOf(x));
    if (n & 1)
      result = !result ? square : isFloat ? l.mulF(result, square) : l.mulI(result, square);
    if (n > 1)
      square = isFloat ? l.mulF(square, square) : l.mulI(square, square);
  }
  return result ? result : l.constant(x.getType(), int64_t(1));
}

Value Math::pow(Value x, Value y) {
  l.unify({&x, &y});
  return library("pow", {x, y});
}

Value Math::call(ein::Fn fn, Value x) {
  using ein::Fn;
  Value zero = c(x, 0), one = c(x, 1);
  switch (fn) {
  case Fn::Abs:
    return abs(x);
  case Fn::Sign: {
    Value y = l.select(l.cmpF(CmpFPredicate::OGT, x, zero), one, zero);
    y = l.select(l.cmpF(CmpFPredicate::OLT, x, zero), c(x, -1), y);
    return l.select(l.cmpF(CmpFPredicate::UNO, x, x), x, y);
  }
  case Fn::Exp:
    return exp(x);
  case Fn::Exp2:
    return exp2(x);
  case Fn::Expm1:
    return expm1(x);
  case Fn::Log:
    return log(x);
  case Fn::Log2:
    return log2(x);
  case Fn::Log1p:
    return log1p(x);
  case Fn::Sqrt:
    return sqrt(x);
  case Fn::Rsqrt:
    return l.divF(one, sqrt(x));
  case Fn::Tanh:
    return tanh(x);
  case Fn::Sigmoid:
    return sigmoid(x);
  case Fn::Relu: // NaN stays NaN
    return l.select(l.cmpF(CmpFPredicate::OLT, x, zero), zero, x);
  case Fn::Gelu:
    return l.mulF(l.mulF(x, c(x, 0.5)), l.addF(one, erf(l.mulF(x, c(x, 0.707106781186547524)))));
  case Fn::Silu:
    return l.mulF(x, sigmoid(x));
  case Fn::Softplus:
    return l.addF(l.make<arith::MaximumFOp>(x, zero), log1p(exp(l.negF(abs(x)))));
  case Fn::Elu:
    return l.select(l.cmpF(CmpFPredicate::OGT, x, zero), x, expm1(x));
  case Fn::Erf:
    return erf(x);
  case Fn::Sin:
    return library("sin", {x});
  case Fn::Cos:
    return library("cos", {x});
  case Fn::Floor:
    return math::FloorOp::create(l.b, l.loc, x);
  case Fn::Ceil:
    return math::CeilOp::create(l.b, l.loc, x);
  case Fn::Round:
    return l.roundEven(x);
  default:
    return {};
  }
}

} // namespace einfall::lower
