#include "dialects/ein/Type.h"
#include <array>
#include <cmath>
#include <limits>

namespace einfall::ein {

namespace {
constexpr std::array<std::string_view, 14> names = {"f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2", "i64",
                                                    "i32", "i16", "i8",  "i4",   "u8",     "bool",   "index"};

/// Rounds to a binary float with `mantissa` stored bits, smallest normal
/// exponent `minExponent`, and largest finite value `largest`. Beyond the
/// midpoint to the next value: `beyond`.
double roundFloat(double x, int mantissa, int minExponent, double largest, double beyond) {
  if (!std::isfinite(x) || x == 0)
    return std::isinf(x) ? std::copysign(beyond, x) : x;
  int exponent;
  std::frexp(x, &exponent); // |x| in [2^(exponent-1), 2^exponent)
  int unit = std::max(exponent - 1, minExponent) - mantissa;
  double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
  return std::fabs(rounded) > largest ? std::copysign(beyond, x) : rounded;
}

double roundInt(double x, double low, double high) {
  if (std::isnan(x))
    return 0;
  return std::fmin(std::fmax(std::trunc(x), low), high);
}
} // namespace

std::string_view name(Type type) { return names[static_cast<size_t>(type)]; }

std::optional<Type> parseType(std::string_view text) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == text)
      return static_cast<Type>(i);
  return std::nullopt;
}

Kind kindOf(Type type) {
  if (type <= Type::F8E5M2)
    return Kind::Float;
  return type == Type::Bool ? Kind::Bool : Kind::Int;
}

unsigned bitWidth(Type type) {
  switch (type) {
  case Type::F64:
  case Type::I64:
  case Type::Index:
    return 64;
  case Type::F32:
  case Type::I32:
    return 32;
  case Type::F16:
  case Type::BF16:
  case Type::I16:
    return 16;
  case Type::I4:
    return 4;
  default:
    return 8;
  }
}

double roundTo(Type type, double x) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  switch (type) {
  case Type::F64:
    return x;
  case Type::F32:
    return static_cast<float>(x);
  case Type::F16:
    return roundFloat(x, 10, -14, 65504, inf);
  case Type::BF16:
    return roundFloat(x, 7, -126, 3.3895313892515355e38, inf);
  case Type::F8E4M3: // no infinities: beyond 448 is NaN
    return roundFloat(x, 3, -6, 448, std::numeric_limits<double>::quiet_NaN());
  case Type::F8E5M2:
    return roundFloat(x, 2, -14, 57344, inf);
  case Type::I64:
  case Type::Index:
    return roundInt(x, -9223372036854775808.0, 9223372036854775807.0);
  case Type::I32:
    return roundInt(x, -2147483648.0, 2147483647.0);
  case Type::I16:
    return roundInt(x, -32768, 32767);
  case Type::I8:
    return roundInt(x, -128, 127);
  case Type::I4:
    return roundInt(x, -8, 7);
  case Type::U8:
    return roundInt(x, 0, 255);
  case Type::Bool:
    return x != 0;
  }
  return x;
}

} // namespace einfall::ein
