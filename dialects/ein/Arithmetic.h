//===- Arithmetic.h - what the scalar operators of the language compute ------===//
//
// The values of ein-r8, r23 and r24, one short function each, for the reference
// interpreter. Floats are float64. Integers are int64: arithmetic wraps modulo
// 2^64, conversions to a narrower type (`cast`, a declared type) saturate. An
// operation without a result (division by zero) returns nothing.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Expr.h"
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace einfall::ein::arithmetic {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Signed overflow is undefined in C++, unsigned is not.
inline int64_t add(int64_t x, int64_t y) { return static_cast<int64_t>(uint64_t(x) + uint64_t(y)); }
inline int64_t subtract(int64_t x, int64_t y) { return static_cast<int64_t>(uint64_t(x) - uint64_t(y)); }
inline int64_t multiply(int64_t x, int64_t y) { return static_cast<int64_t>(uint64_t(x) * uint64_t(y)); }
inline int64_t negate(int64_t x) { return subtract(0, x); }

/// Rounds down; the remainder has the sign of the divisor.
inline std::optional<int64_t> floorDivide(int64_t x, int64_t y) {
  if (y == 0)
    return std::nullopt;
  if (y == -1) // the one quotient that overflows: wraps
    return negate(x);
  return x / y - (x % y != 0 && (x < 0) != (y < 0));
}
inline std::optional<int64_t> floorModulo(int64_t x, int64_t y) {
  if (y == 0)
    return std::nullopt;
  if (y == -1)
    return 0;
  int64_t rest = x % y;
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

/// By squaring. A negative exponent has no integer value; the checks let none through.
inline std::optional<int64_t> power(int64_t base, int64_t exponent) {
  if (exponent < 0)
    return std::nullopt;
  int64_t result = 1;
  for (; exponent; exponent >>= 1, base = multiply(base, base))
    if (exponent & 1)
      result = multiply(result, base);
  return result;
}

/// `max` and `min` are those of IEEE 754-2019: a NaN operand gives NaN (a NaN
/// changes every point that depends on it), and -0 lies below +0.
inline double maximum(double x, double y) {
  if (std::isnan(x) || std::isnan(y))
    return x + y;
  return x == y ? (std::signbit(x) ? y : x) : (x > y ? x : y);
}
inline double minimum(double x, double y) {
  if (std::isnan(x) || std::isnan(y))
    return x + y;
  return x == y ? (std::signbit(x) ? x : y) : (x < y ? x : y);
}

/// The order of selections: larger first, NaN after everything. Ties are left
/// to the caller (smaller coordinate first).
inline bool precedes(double x, double y) { return std::isnan(y) ? !std::isnan(x) : x > y; }
inline bool precedes(int64_t x, int64_t y) { return x > y; }

inline double apply(Fn fn, double x) {
  switch (fn) {
  case Fn::Abs:
    return std::fabs(x);
  case Fn::Sign:
    return std::isnan(x) ? x : double((x > 0) - (x < 0));
  case Fn::Exp:
    return std::exp(x);
  case Fn::Exp2:
    return std::exp2(x);
  case Fn::Expm1:
    return std::expm1(x);
  case Fn::Log:
    return std::log(x);
  case Fn::Log2:
    return std::log2(x);
  case Fn::Log1p:
    return std::log1p(x);
  case Fn::Sqrt:
    return std::sqrt(x);
  case Fn::Rsqrt:
    return 1 / std::sqrt(x);
  case Fn::Tanh:
    return std::tanh(x);
  case Fn::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case Fn::Relu:
    return maximum(x, 0);
  case Fn::Gelu:
    return x * 0.5 * std::erfc(-x * std::sqrt(0.5));
  case Fn::Silu:
    return x / (1 + std::exp(-x));
  case Fn::Softplus: // log(1 + e^x) without overflow
    return maximum(x, 0) + std::log1p(std::exp(-std::fabs(x)));
  case Fn::Elu:
    return x > 0 ? x : std::expm1(x);
  case Fn::Erf:
    return std::erf(x);
  case Fn::Sin:
    return std::sin(x);
  case Fn::Cos:
    return std::cos(x);
  case Fn::Floor:
    return std::floor(x);
  case Fn::Ceil:
    return std::ceil(x);
  case Fn::Round: // halves to even, the rounding mode of the process
    return std::nearbyint(x);
  default: // the rest are functions of integers
    return x;
  }
}

/// `y` only for functions of two operands.
inline int64_t apply(Fn fn, int64_t x, int64_t y) {
  switch (fn) {
  case Fn::Abs:
    return x < 0 ? negate(x) : x;
  case Fn::Sign:
    return (x > 0) - (x < 0);
  case Fn::BitLength: // of the magnitude: 0 for 0, 3 for 5 and for -5
    return 64 - std::countl_zero(x < 0 ? 0 - uint64_t(x) : uint64_t(x));
  case Fn::BitAnd:
    return x & y;
  case Fn::BitOr:
    return x | y;
  case Fn::BitXor:
    return x ^ y;
  default: // the rest are functions of floats
    return x;
  }
}

/// An integer as an element of `type`: saturates.
inline int64_t saturate(Type type, int64_t x) {
  auto within = [&](int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; };
  switch (type) {
  case Type::I32:
    return within(INT32_MIN, INT32_MAX);
  case Type::I16:
    return within(INT16_MIN, INT16_MAX);
  case Type::I8:
    return within(INT8_MIN, INT8_MAX);
  case Type::I4:
    return within(-8, 7);
  case Type::U8:
    return within(0, 255);
  case Type::Bool:
    return x != 0;
  default:
    return x;
  }
}

/// A float as an integer: toward zero, saturating, NaN to 0.
inline int64_t truncate(double x) {
  if (std::isnan(x))
    return 0;
  if (x >= 0x1p63)
    return INT64_MAX;
  return x < -0x1p63 ? INT64_MIN : static_cast<int64_t>(x);
}

/// An integer as a float of `type`. A float32 is rounded once, not by way of a
/// float64; narrower types cannot tell the difference within their range.
inline double toFloat(Type type, int64_t x) {
  return type == Type::F32 ? double(static_cast<float>(x)) : roundTo(type, static_cast<double>(x));
}

} // namespace einfall::ein::arithmetic
