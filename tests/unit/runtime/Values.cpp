//===- Values.cpp - postfix programs, element bits, selections ---------------------===//
#include "Fixture.h"
#include "einfall/element.h"
#include "einfall/support.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

using F = Fixture;

namespace {
/// The value of a program, as the default of an f64 or i64 scalar.
std::string evaluate(Fixture::Program program, bool isFloat, double &f, int64_t &i) {
  Fixture fixture;
  fixture.scalar("v", isFloat ? EINFALL_F64 : EINFALL_I64, std::move(program));
  Call call;
  call.bind(fixture);
  f = call.binding.fscalar[0];
  i = call.binding.iscalar[0];
  return call.error;
}
int64_t integerOf(Fixture::Program program) {
  double f;
  int64_t i;
  REQUIRE(evaluate(std::move(program), false, f, i) == "");
  return i;
}
double floatOf(Fixture::Program program) {
  double f;
  int64_t i;
  REQUIRE(evaluate(std::move(program), true, f, i) == "");
  return f;
}
int64_t two(int64_t a, int64_t b, int opcode) {
  return integerOf({F::integer(a), F::integer(b), F::op(opcode)});
}
} // namespace

TEST_CASE("integer arithmetic floors and checks") {
  CHECK(two(-7, 2, EINFALL_OP_IDIV) == -4);
  CHECK(two(-7, 2, EINFALL_OP_MOD) == 1);
  CHECK(two(7, -2, EINFALL_OP_IDIV) == -4);
  CHECK(two(7, -2, EINFALL_OP_MOD) == -1);
  CHECK(two(INT64_MIN, -1, EINFALL_OP_MOD) == 0);
  CHECK(two(3, 4, EINFALL_OP_POW) == 81);
  CHECK(two(3, 4, EINFALL_OP_MIN) == 3);
  CHECK(two(3, 4, EINFALL_OP_MAX) == 4);
  CHECK(two(3, 4, EINFALL_OP_LT) == 1);
  CHECK(integerOf({F::integer(100), F::op(EINFALL_OP_CALL, 23)}) == 7); // bit_length
  CHECK(integerOf({F::integer(12), F::integer(10), F::op(EINFALL_OP_CALL, 26)}) == 6);
  CHECK(integerOf({F::number(300.7), F::op(EINFALL_OP_CAST, EINFALL_I8)}) == 127);
  double f;
  int64_t i;
  CHECK(evaluate({F::integer(INT64_MAX), F::integer(1), F::op(EINFALL_OP_ADD)}, false, f, i) ==
        "scalar 'v': its default exceeds 64 bits [ein-c1]");
  CHECK(evaluate({F::integer(2), F::integer(-1), F::op(EINFALL_OP_POW)}, false, f, i) ==
        "scalar 'v': its default raises an integer to a negative power [ein-c1]");
  CHECK(evaluate({F::integer(2), F::integer(0), F::op(EINFALL_OP_MOD)}, false, f, i) ==
        "scalar 'v': its default divides by 0 [ein-c1]");
  CHECK(evaluate({F::op(EINFALL_OP_ADD)}, false, f, i) == "scalar 'v': its default has a malformed program");
  CHECK(evaluate({F::scalarOf(0)}, false, f, i) == "scalar 'v': its default depends on itself [ein-c1]");
}

TEST_CASE("missing values: if, else, exists, comparisons") {
  const F::Program undefined = {F::integer(1), F::integer(0), F::op(EINFALL_OP_IDIV)};
  auto with = [&](F::Program before, F::Program after) {
    before.insert(before.end(), undefined.begin(), undefined.end());
    before.insert(before.end(), after.begin(), after.end());
    return integerOf(before);
  };
  CHECK(with({F::integer(1), F::integer(5)}, {F::op(EINFALL_OP_IF)}) == 5);
  CHECK(with({}, {F::integer(9), F::op(EINFALL_OP_ELSE)}) == 9);
  CHECK(with({}, {F::op(EINFALL_OP_EXISTS)}) == 0);
  CHECK(with({F::integer(3)}, {F::op(EINFALL_OP_NE)}) == 0);
  CHECK(with({F::integer(3)}, {F::op(EINFALL_OP_LT), F::op(EINFALL_OP_NOT)}) == 1);
}

TEST_CASE("float functions") {
  CHECK(floatOf({F::number(2), F::op(EINFALL_OP_CALL, 9)}) == Approx(std::sqrt(0.5)));   // rsqrt
  CHECK(floatOf({F::number(-800), F::op(EINFALL_OP_CALL, 11)}) == 0);                    // sigmoid
  CHECK(floatOf({F::number(1), F::op(EINFALL_OP_CALL, 13)}) == Approx(0.8413447460685)); // gelu
  CHECK(floatOf({F::number(800), F::op(EINFALL_OP_CALL, 15)}) == 800);                   // softplus
  CHECK(floatOf({F::number(2.5), F::op(EINFALL_OP_CALL, 22)}) == 2);                     // round: to even
  CHECK(floatOf({F::number(0), F::number(0), F::op(EINFALL_OP_DIV), F::number(1), F::op(EINFALL_OP_EQ)}) ==
        0);
  CHECK(std::isnan(floatOf({F::number(NAN), F::number(1), F::op(EINFALL_OP_MAX)})));
}

TEST_CASE("element bits round to nearest even") {
  CHECK(einfall_encode_float(EINFALL_BF16, 1.0) == 0x3f80);
  CHECK(einfall_encode_float(EINFALL_BF16, 1.00390625) == 0x3f80);
  CHECK(einfall_encode_float(EINFALL_BF16, 1.01171875) == 0x3f82);
  CHECK(einfall_encode_float(EINFALL_BF16, -INFINITY) == 0xff80);
  CHECK(einfall_encode_float(EINFALL_F16, 65504) == 0x7bff);
  CHECK(einfall_encode_float(EINFALL_F16, 65519.9) == 0x7bff);
  CHECK(einfall_encode_float(EINFALL_F16, 65520) == 0x7c00);
  CHECK(einfall_encode_float(EINFALL_F16, 5.9604644775390625e-8) == 1);
  CHECK(einfall_encode_float(EINFALL_F16, 2.98e-8) == 0);
  CHECK(einfall_encode_float(EINFALL_F16, 6.103515625e-5) == 0x0400);
  CHECK(einfall_encode_float(EINFALL_F8E4M3, 448) == 0x7e);
  CHECK(einfall_encode_float(EINFALL_F8E4M3, 500) == 0x7f);
  CHECK(einfall_encode_float(EINFALL_F8E5M2, 57344) == 0x7b);
  CHECK(einfall_encode_float(EINFALL_F8E5M2, 1e6) == 0x7c);
  CHECK(std::signbit(einfall_decode_float(EINFALL_F16, einfall_encode_float(EINFALL_F16, -0.0))));
  for (int type : {EINFALL_F16, EINFALL_BF16, EINFALL_F8E4M3, EINFALL_F8E5M2})
    for (uint64_t bits = 0; bits < (uint64_t(1) << einfall_type_bits(type)); ++bits) {
      const double value = einfall_decode_float(type, bits);
      if (std::isnan(value))
        REQUIRE(std::isnan(einfall_decode_float(type, einfall_encode_float(type, value))));
      else
        REQUIRE(einfall_encode_float(type, value) == bits);
    }
  CHECK(einfall_saturate(EINFALL_I64, 1e30) == INT64_MAX);
  CHECK(einfall_saturate(EINFALL_U8, -3.5) == 0);
  CHECK(einfall_saturate(EINFALL_I4, -8.9) == -8);
  CHECK(einfall_saturate(EINFALL_I32, NAN) == 0);
}

TEST_CASE("selections agree with a stable sort") {
  std::mt19937 random(1);
  for (int n : {0, 1, 2, 3, 7, 64, 200}) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::vector<float> x(n);
      std::vector<uint8_t> exists(n), selected(n);
      for (int c = 0; c < n; ++c) {
        x[c] = random() % 11 == 0 ? NAN : float(random() % 9) - 2;
        exists[c] = random() % 4 != 0;
      }
      std::vector<int64_t> expected, order(n), place(n), heap(n + 1);
      for (int c = 0; c < n; ++c)
        if (exists[c])
          expected.push_back(c);
      std::sort(expected.begin(), expected.end(), [&](int64_t a, int64_t b) {
        if (std::isnan(x[a]) || std::isnan(x[b]) || x[a] == x[b])
          return std::isnan(x[a]) == std::isnan(x[b]) ? a < b : std::isnan(x[b]);
        return x[a] > x[b];
      });
      const int64_t m = einfall_place_f32(x.data(), exists.data(), n, place.data(), order.data());
      REQUIRE(std::vector<int64_t>(order.begin(), order.begin() + m) == expected);
      for (int64_t s = 0; s < m; ++s)
        REQUIRE(place[order[s]] == s);
      for (int64_t k : {int64_t(-1), int64_t(0), int64_t(1), int64_t(3), int64_t(n)}) {
        const int64_t taken = einfall_top_f32(x.data(), exists.data(), n, k, selected.data(), heap.data());
        REQUIRE(taken == std::min<int64_t>(m, std::max<int64_t>(k, 0)));
        for (int64_t s = 0; s < m; ++s)
          REQUIRE(selected[expected[s]] == (s < taken));
      }
    }
  }
}

TEST_CASE("top_mass takes the shortest prefix") {
  const double x[] = {0.1, 0.5, 0.25, 0.15};
  uint8_t selected[4];
  int64_t order[4];
  CHECK(einfall_top_mass_f64(x, nullptr, 4, 0.7, selected, order) == 2);
  CHECK((selected[1] && selected[2] && !selected[0] && !selected[3]));
  CHECK(einfall_top_mass_f64(x, nullptr, 4, 0, selected, order) == 0);
  CHECK(einfall_top_mass_f64(x, nullptr, 4, 2, selected, order) == 4);
  const int64_t counts[] = {3, 0, 5, 2};
  CHECK(einfall_top_mass_i64(counts, nullptr, 4, 0.5, selected, order) == 1);
  const uint8_t holds[] = {0, 1, 0, 1};
  CHECK(einfall_coordinates(holds, 4, order) == 2);
  CHECK((order[0] == 1 && order[1] == 3));
}
