/*===- element.c - numbers as the bits of an element ----------------------------===
 *
 * All small floats share one shape: sign, `exponent` bits, `mantissa` bits. The
 * value of a number with biased exponent E > 0 is 1.m * 2^(E - bias), with E = 0
 * it is 0.m * 2^(1 - bias), so that the integer made of both fields counts the
 * representable numbers from 0 upwards: rounding is rounding that count, and a
 * carry out of the mantissa moves into the exponent by itself.
 *
 *===----------------------------------------------------------------------------===*/
#include "einfall/element.h"
#include <math.h>
#include <string.h>

typedef struct SmallFloat {
  int exponent, mantissa;
  int hasInfinity; /* 0: f8e4m3, whose all-ones pattern alone is NaN */
} SmallFloat;

static SmallFloat shapeOf(int32_t type) {
  switch (type) {
  case EINFALL_F16:
    return (SmallFloat){5, 10, 1};
  case EINFALL_BF16:
    return (SmallFloat){8, 7, 1};
  case EINFALL_F8E4M3:
    return (SmallFloat){4, 3, 0};
  default:
    return (SmallFloat){5, 2, 1};
  }
}

const char *einfall_type_name(int32_t type) {
  static const char *const names[] = {"f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2", "i64",
                                      "i32", "i16", "i8",  "i4",   "u8",     "bool",   "index"};
  return type >= 0 && type <= EINFALL_INDEX ? names[type] : "?";
}

int32_t einfall_type_bits(int32_t type) {
  static const int32_t bits[] = {64, 32, 16, 16, 8, 8, 64, 32, 16, 8, 4, 8, 8, 64};
  return type >= 0 && type <= EINFALL_INDEX ? bits[type] : 0;
}

int32_t einfall_type_is_float(int32_t type) { return type >= EINFALL_F64 && type <= EINFALL_F8E5M2; }

void einfall_type_range(int32_t type, int64_t *low, int64_t *high) {
  if (type == EINFALL_BOOL || type == EINFALL_U8) {
    *low = 0;
    *high = type == EINFALL_BOOL ? 1 : 255;
    return;
  }
  int bits = einfall_type_bits(type);
  *high = (int64_t)(((uint64_t)1 << (bits - 1)) - 1);
  *low = -*high - 1;
}

static uint64_t encodeSmall(SmallFloat shape, double value) {
  const int bias = (1 << (shape.exponent - 1)) - 1;
  const uint64_t sign = (uint64_t)(signbit(value) != 0) << (shape.exponent + shape.mantissa);
  const uint64_t infinity = (((uint64_t)1 << shape.exponent) - 1) << shape.mantissa;
  const uint64_t allOnes = infinity | (((uint64_t)1 << shape.mantissa) - 1);
  const uint64_t nan = shape.hasInfinity ? infinity | ((uint64_t)1 << (shape.mantissa - 1)) : allOnes;
  if (isnan(value))
    return sign | nan;
  const uint64_t overflow = shape.hasInfinity ? infinity : nan;
  if (isinf(value))
    return sign | overflow;
  int exponent;
  frexp(value, &exponent);
  exponent -= 1;
  if (value == 0 || exponent < 1 - bias)
    exponent = 1 - bias;
  if (exponent > bias + 1)
    return sign | overflow;
  const uint64_t count = (uint64_t)nearbyint(ldexp(fabs(value), shape.mantissa - exponent));
  const uint64_t bits = ((uint64_t)(exponent - (1 - bias)) << shape.mantissa) + count;
  const uint64_t first = shape.hasInfinity ? infinity : allOnes; /* the first pattern that is no number */
  return sign | (bits >= first ? overflow : bits);
}

static double decodeSmall(SmallFloat shape, uint64_t bits) {
  const int bias = (1 << (shape.exponent - 1)) - 1;
  const uint64_t mantissaMask = ((uint64_t)1 << shape.mantissa) - 1;
  const uint64_t exponentMask = ((uint64_t)1 << shape.exponent) - 1;
  const uint64_t mantissa = bits & mantissaMask, exponent = (bits >> shape.mantissa) & exponentMask;
  double value;
  if (exponent == exponentMask && shape.hasInfinity)
    value = mantissa ? (double)NAN : (double)INFINITY;
  else if (exponent == exponentMask && mantissa == mantissaMask)
    value = (double)NAN;
  else if (exponent == 0)
    value = ldexp((double)mantissa, 1 - bias - shape.mantissa);
  else
    value = ldexp((double)(mantissa | (mantissaMask + 1)), (int)exponent - bias - shape.mantissa);
  return (bits >> (shape.exponent + shape.mantissa)) & 1 ? -value : value;
}

uint64_t einfall_encode_float(int32_t type, double value) {
  if (type == EINFALL_F64) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  if (type == EINFALL_F32) {
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    return bits;
  }
  return encodeSmall(shapeOf(type), value);
}

double einfall_decode_float(int32_t type, uint64_t bits) {
  if (type == EINFALL_F64) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (type == EINFALL_F32) {
    float value;
    uint32_t low = (uint32_t)bits;
    memcpy(&value, &low, sizeof value);
    return (double)value;
  }
  return decodeSmall(shapeOf(type), bits);
}

double einfall_round_float(int32_t type, double value) {
  return einfall_decode_float(type, einfall_encode_float(type, value));
}

int64_t einfall_saturate(int32_t type, double value) {
  int64_t low, high;
  if (type == EINFALL_BOOL)
    return value != 0;
  if (isnan(value))
    return 0;
  einfall_type_range(type, &low, &high);
  /* (double)INT64_MAX is 2^63: compare before converting. */
  if (value >= (double)high)
    return high;
  if (value <= (double)low)
    return low;
  return (int64_t)value;
}
