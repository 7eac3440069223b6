// Element formats: every bit pattern of the small ones, and rounding at the edges.
#include "dialects/ein/Bits.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace einfall::ein;

TEST_CASE("bits: every pattern of the small floats survives") {
  for (Type type : {Type::F16, Type::BF16, Type::F8E4M3, Type::F8E5M2}) {
    INFO(name(type));
    uint64_t patterns = uint64_t(1) << bitWidth(type);
    int wrong = 0;
    for (uint64_t bits = 0; bits < patterns; ++bits) {
      double x = decodeFloat(type, bits);
      wrong += std::isnan(x) ? !std::isnan(decodeFloat(type, encodeFloat(type, x)))
                             : encodeFloat(type, x) != bits || roundTo(type, x) != x;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("bits: values that every implementation agrees on") {
  CHECK(encodeFloat(Type::F16, 1.0) == 0x3c00);
  CHECK(encodeFloat(Type::F16, 65504) == 0x7bff);
  CHECK(encodeFloat(Type::F16, 65520) == 0x7c00);   // the midpoint goes to infinity
  CHECK(encodeFloat(Type::F16, 0x1p-24) == 0x0001); // smallest subnormal
  CHECK(encodeFloat(Type::F16, 0x1p-25) == 0x0000); // half of it: to even
  CHECK(encodeFloat(Type::BF16, -2.0) == 0xc000);
  CHECK(encodeFloat(Type::BF16, 1 + 0x1p-8) == 0x3f80); // ties to even
  CHECK(encodeFloat(Type::BF16, 1 + 0x3p-8) == 0x3f82);
  CHECK(encodeFloat(Type::F8E4M3, 448) == 0x7e);
  CHECK(encodeFloat(Type::F8E4M3, 1e9) == 0x7f); // no infinity: NaN
  CHECK(encodeFloat(Type::F8E4M3, 0x1p-9) == 0x01);
  CHECK(encodeFloat(Type::F8E5M2, 57344) == 0x7b);
  CHECK(encodeFloat(Type::F8E5M2, 1e9) == 0x7c);
  CHECK(encodeFloat(Type::F32, 0.1) == 0x3dcccccd);
  CHECK(encodeFloat(Type::F64, -0.0) == uint64_t(1) << 63);
  CHECK(encodeFloat(Type::F16, std::nan("")) == 0x7e00);
  CHECK(encodeFloat(Type::F32, -std::nan("")) == 0x7fc00000);
}

TEST_CASE("bits: integers saturate and keep their sign") {
  CHECK(encode(Type::I8, cellOf(int64_t(1000))) == 127);
  CHECK(decode(Type::I8, 0x80).i == -128);
  CHECK(decode(Type::I4, 0xf8).i == -8);
  CHECK(decode(Type::U8, 0xff).i == 255);
  CHECK(decode(Type::Bool, 2).i == 1);
  CHECK(decode(Type::I64, ~uint64_t(0)).i == -1);
  CHECK(decode(Type::I32, 0x80000000).i == INT32_MIN);
}
