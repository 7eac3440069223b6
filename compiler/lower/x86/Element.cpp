//===- Element.cpp - element types: rounding, decoding, encoding ------------===//
//
// Narrow floats are handled with exact integer and power-of-two arithmetic, so
// that the result is the same with and without conversion instructions.
//
//===----------------------------------------------------------------------===//
#include "compiler/lower/x86/Storage.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <limits>

using namespace mlir;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace einfall::lower {

namespace {
/// Stored mantissa bits, exponent bias and largest finite value of a narrow float.
struct Format {
  int mantissa, bias;
  double largest;
  bool infinite;
};
Format formatOf(ein::Type type) {
  switch (type) {
  case ein::Type::F16:
    return {10, 15, 65504, true};
  case ein::Type::F8E4M3:
    return {3, 7, 448, false};
  default: // F8E5M2
    return {2, 15, 57344, true};
  }
}

/// f64 to f32 with the last bit sticky ("round to odd"), so that a second
/// rounding to fewer bits gives what one rounding would have given.
Value narrowSticky(Lanes &l, Value x) {
  if (!Lanes::elementOf(x).isF64())
    return x;
  Type i32 = l.b.getI32Type();
  Value y = arith::TruncFOp::create(l.b, l.loc, l.shaped(l.f32(), x), x);
  Value back = arith::ExtFOp::create(l.b, l.loc, l.shaped(l.f64(), x), y);
  Value bits = l.bitcast(y, i32);
  Value inexact = l.cmpF(CmpFPredicate::ONE, back, x);
  Value away =
      l.cmpF(CmpFPredicate::OGT, math::AbsFOp::create(l.b, l.loc, back), math::AbsFOp::create(l.b, l.loc, x));
  Value one = l.constant(bits.getType(), 1), zero = l.constant(bits.getType(), 0);
  Value odd = l.orI(l.subI(bits, l.select(away, one, zero)), one);
  return l.bitcast(l.select(inexact, odd, bits), l.f32());
}

/// Nearest value of `format`, as f32.
Value roundNarrow(Lanes &l, Value x, Format format) {
  Type i32 = l.b.getI32Type();
  Value bits = l.bitcast(x, i32);
  auto k = [&](int64_t v) { return l.constant(bits.getType(), v); };
  // The unit in the last place is a power of two; dividing by it makes rounding to integers do the work.
  Value exponent = l.andI(bits, k(0x7f800000));
  exponent = l.maxS(exponent, k(int64_t(1 - format.bias + 127) << 23));
  Value unit = l.subI(exponent, k(int64_t(format.mantissa) << 23));
  Value inverse = l.subI(k(int64_t(254) << 23), unit);
  Value y = l.mulF(l.roundEven(l.mulF(x, l.bitcast(inverse, l.f32()))), l.bitcast(unit, l.f32()));
  auto c = [&](double v) { return l.constantLike(x, v); };
  Value overflow = l.cmpF(CmpFPredicate::OGT, math::AbsFOp::create(l.b, l.loc, y), c(format.largest));
  Value isInf = l.cmpF(CmpFPredicate::OEQ, math::AbsFOp::create(l.b, l.loc, x), c(INFINITY));
  Value beyond = math::CopySignOp::create(l.b, l.loc, c(format.infinite ? INFINITY : NAN), x);
  y = l.select(l.orI(overflow, isInf), beyond, y);
  return l.select(l.cmpF(CmpFPredicate::UNO, x, x), x, y);
}

/// Bits of a value that `format` represents.
Value packNarrow(Lanes &l, Value x, Format format) {
  Type i32 = l.b.getI32Type();
  int width = format.mantissa == 10 ? 16 : 8;
  Value bits = l.bitcast(x, i32);
  auto k = [&](int64_t v) { return l.constant(bits.getType(), v); };
  Value sign = l.shl(l.shru(bits, k(31)), k(width - 1));
  Value magnitude = l.bitcast(math::AbsFOp::create(l.b, l.loc, x), l.f32());
  // Multiplying by 2^(bias - 127) moves the exponent; subnormals come out shifted right by themselves.
  Value moved = l.bitcast(l.mulF(magnitude, l.constantLike(x, std::ldexp(1.0, format.bias - 127))), i32);
  Value code = l.shru(moved, k(23 - format.mantissa));
  int64_t allOnes = (int64_t(1) << (width - 1)) - 1;
  int64_t infinity = ((allOnes >> format.mantissa) << format.mantissa);
  int64_t quiet = format.infinite ? infinity | (int64_t(1) << (format.mantissa - 1)) : allOnes;
  code = l.select(l.cmpF(CmpFPredicate::OEQ, magnitude, l.constantLike(x, INFINITY)), k(infinity), code);
  code = l.select(l.cmpF(CmpFPredicate::UNO, x, x), k(quiet), code);
  return l.narrow(l.orI(code, sign), l.b.getIntegerType(width));
}

/// The reverse of packNarrow.
Value unpackNarrow(Lanes &l, Value stored, Format format) {
  Type i32 = l.b.getI32Type();
  int width = format.mantissa == 10 ? 16 : 8;
  Value bits = l.extend(stored, i32, /*isSigned=*/false);
  auto k = [&](int64_t v) { return l.constant(bits.getType(), v); };
  int64_t allOnes = (int64_t(1) << (width - 1)) - 1;
  Value magnitude = l.andI(bits, k(allOnes));
  Value x = l.mulF(l.bitcast(l.shl(magnitude, k(23 - format.mantissa)), l.f32()),
                   l.constant(l.shaped(l.f32(), bits), std::ldexp(1.0, 127 - format.bias)));
  int64_t infinity = ((allOnes >> format.mantissa) << format.mantissa);
  if (format.infinite) {
    Value special = l.select(l.cmpI(CmpIPredicate::eq, magnitude, k(infinity)), l.constantLike(x, INFINITY),
                             l.constantLike(x, NAN));
    x = l.select(l.cmpI(CmpIPredicate::sge, magnitude, k(infinity)), special, x);
  } else {
    x = l.select(l.cmpI(CmpIPredicate::eq, magnitude, k(allOnes)), l.constantLike(x, NAN), x);
  }
  Value sign = l.shl(l.shru(bits, k(width - 1)), k(31));
  return l.bitcast(l.orI(l.bitcast(x, i32), sign), l.f32());
}

/// bf16 bits of an f32: round to nearest even on the upper half.
Value packBrain(Lanes &l, Value x) {
  Type i32 = l.b.getI32Type();
  Value bits = l.bitcast(x, i32);
  auto k = [&](int64_t v) { return l.constant(bits.getType(), v); };
  Value odd = l.andI(l.shru(bits, k(16)), k(1));
  Value code = l.shru(l.addI(bits, l.addI(odd, k(0x7fff))), k(16));
  Value quiet = l.orI(l.shru(bits, k(16)), k(0x40));
  code = l.select(l.cmpF(CmpFPredicate::UNO, x, x), quiet, code);
  return l.narrow(code, l.b.getIntegerType(16));
}

Value unpackBrain(Lanes &l, Value stored) {
  Value bits = l.extend(stored, l.b.getI32Type(), /*isSigned=*/false);
  return l.bitcast(l.shl(bits, l.constant(bits.getType(), 16)), l.f32());
}

Value toWidth(Lanes &l, Value x, bool f64) {
  if (Lanes::elementOf(x).isF64() == f64)
    return x;
  if (f64)
    return arith::ExtFOp::create(l.b, l.loc, l.shaped(l.f64(), x), x);
  return arith::TruncFOp::create(l.b, l.loc, l.shaped(l.f32(), x), x);
}
} // namespace

Type storedType(OpBuilder &b, ein::Type type) {
  switch (type) {
  case ein::Type::F64:
    return b.getF64Type();
  case ein::Type::F32:
    return b.getF32Type();
  default:
    return b.getIntegerType(std::max(8u, ein::bitWidth(type)));
  }
}

Value roundFloat(Lanes &l, Value x, ein::Type type) {
  bool f64 = Lanes::elementOf(x).isF64();
  switch (type) {
  case ein::Type::F64:
    return x;
  case ein::Type::F32:
    return toWidth(l, toWidth(l, x, false), f64);
  case ein::Type::BF16:
    return toWidth(l, unpackBrain(l, packBrain(l, narrowSticky(l, x))), f64);
  default:
    return toWidth(l, roundNarrow(l, narrowSticky(l, x), formatOf(type)), f64);
  }
}

Value saturate(Lanes &l, Value x, ein::Type type) {
  int64_t low, high;
  switch (type) {
  case ein::Type::I32:
    low = INT32_MIN, high = INT32_MAX;
    break;
  case ein::Type::I16:
    low = INT16_MIN, high = INT16_MAX;
    break;
  case ein::Type::I8:
    low = -128, high = 127;
    break;
  case ein::Type::I4:
    low = -8, high = 7;
    break;
  case ein::Type::U8:
    low = 0, high = 255;
    break;
  default:
    return x;
  }
  return l.maxS(l.minS(x, l.constant(x.getType(), high)), l.constant(x.getType(), low));
}

Value floatToInt(Lanes &l, Value x) {
  Type result = l.shaped(l.i64(), x);
  auto c = [&](double v) { return l.constantLike(x, v); };
  Value high = l.cmpF(CmpFPredicate::OGE, x, c(0x1p63)), low = l.cmpF(CmpFPredicate::OLT, x, c(-0x1p63));
  Value nan = l.cmpF(CmpFPredicate::UNO, x, x);
  Value safe = l.select(l.orI(l.orI(high, low), nan), c(0), x);
  Value y = arith::FPToSIOp::create(l.b, l.loc, result, safe);
  y = l.select(high, l.constant(result, INT64_MAX), y);
  return l.select(low, l.constant(result, INT64_MIN), y);
}

Value decode(Lanes &l, Value stored, ein::Type type, bool f64) {
  switch (type) {
  case ein::Type::F64:
  case ein::Type::F32:
    return toWidth(l, stored, f64);
  case ein::Type::BF16:
    return toWidth(l, unpackBrain(l, stored), f64);
  case ein::Type::F16:
  case ein::Type::F8E4M3:
  case ein::Type::F8E5M2:
    return toWidth(l, unpackNarrow(l, stored, formatOf(type)), f64);
  case ein::Type::U8:
    return l.extend(stored, l.i64(), /*isSigned=*/false);
  case ein::Type::Bool:
    return l.cmpI(CmpIPredicate::ne, stored, l.constant(stored.getType(), 0));
  default:
    return l.extend(stored, l.i64());
  }
}

Value encode(Lanes &l, Value value, ein::Type type) {
  switch (type) {
  case ein::Type::F64:
  case ein::Type::F32:
    return toWidth(l, value, type == ein::Type::F64);
  case ein::Type::BF16:
    return packBrain(l, narrowSticky(l, value));
  case ein::Type::F16:
  case ein::Type::F8E4M3:
  case ein::Type::F8E5M2:
    return packNarrow(l, roundNarrow(l, narrowSticky(l, value), formatOf(type)), formatOf(type));
  case ein::Type::Bool:
    return l.extend(value, l.i8(), /*isSigned=*/false);
  default:
    return l.narrow(saturate(l, value, type), storedType(l.b, type));
  }
}

} // namespace einfall::lower
