#include "dialects/ein/Bits.h"
#include "dialects/ein/Arithmetic.h"
#include <algorithm>
#include <bit>

namespace einfall::ein {

namespace {
/// sign : 1, exponent, mantissa; the exponent field is `bias` larger than the exponent.
struct Format {
  int mantissa, exponent, bias;
  bool infinities; ///< the largest exponent field is kept for inf and NaN
};

Format formatOf(Type type) {
  switch (type) {
  case Type::F16:
    return {10, 5, 15, true};
  case Type::BF16:
    return {7, 8, 127, true};
  case Type::F8E4M3:
    return {3, 4, 7, false};
  case Type::F8E5M2:
    return {2, 5, 15, true};
  case Type::F32:
    return {23, 8, 127, true};
  default:
    return {52, 11, 1023, true};
  }
}
} // namespace

uint64_t encodeFloat(Type type, double value) {
  // The formats of the machine itself.
  if (type == Type::F64 && !std::isnan(value))
    return std::bit_cast<uint64_t>(value);
  if (type == Type::F32 && !std::isnan(value))
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  Format f = formatOf(type);
  double x = roundTo(type, value);
  uint64_t sign = uint64_t(std::signbit(x)) << (f.mantissa + f.exponent);
  uint64_t full = ((uint64_t(1) << f.exponent) - 1) << f.mantissa;
  if (std::isnan(x))
    return full | (f.infinities ? uint64_t(1) << (f.mantissa - 1) : (uint64_t(1) << f.mantissa) - 1);
  if (std::isinf(x))
    return sign | full;
  if (x == 0)
    return sign;
  int exponent = std::max(std::ilogb(x), 1 - f.bias); // below that: subnormal, same unit
  auto units = static_cast<uint64_t>(std::ldexp(std::fabs(x), f.mantissa - exponent));
  // A normal number has the leading 1 in `units`: it carries into the exponent.
  return sign | ((uint64_t(exponent + f.bias - 1) << f.mantissa) + units);
}

double decodeFloat(Type type, uint64_t bits) {
  if (type == Type::F64)
    return std::bit_cast<double>(bits);
  if (type == Type::F32)
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  Format f = formatOf(type);
  uint64_t mantissa = bits & ((uint64_t(1) << f.mantissa) - 1);
  int field = static_cast<int>((bits >> f.mantissa) & ((uint64_t(1) << f.exponent) - 1));
  bool negative = (bits >> (f.mantissa + f.exponent)) & 1;
  int most = (1 << f.exponent) - 1;
  double x;
  if (field == most && (f.infinities || mantissa == (uint64_t(1) << f.mantissa) - 1))
    x = f.infinities && mantissa == 0 ? arithmetic::infinity : std::numeric_limits<double>::quiet_NaN();
  else if (field == 0)
    x = std::ldexp(double(mantissa), 1 - f.bias - f.mantissa);
  else
    x = std::ldexp(double(mantissa + (uint64_t(1) << f.mantissa)), field - f.bias - f.mantissa);
  return negative && !std::isnan(x) ? -x : x;
}

uint64_t encode(Type type, Cell value) {
  if (kindOf(type) == Kind::Float)
    return encodeFloat(type, value.f);
  return uint64_t(arithmetic::saturate(type, value.i));
}

Cell decode(Type type, uint64_t bits) {
  if (kindOf(type) == Kind::Float)
    return cellOf(decodeFloat(type, bits));
  unsigned width = bitWidth(type);
  if (type == Type::Bool)
    return cellOf(int64_t((bits & 0xff) != 0));
  uint64_t low = width == 64 ? bits : bits & ((uint64_t(1) << width) - 1);
  if (type != Type::U8 && width < 64 && (low >> (width - 1)))
    low |= ~uint64_t(0) << width; // the sign
  return cellOf(static_cast<int64_t>(low));
}

} // namespace einfall::ein
