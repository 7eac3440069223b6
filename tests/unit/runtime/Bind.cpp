//===- Bind.cpp - names, types, pointers, strides of arguments --------------------===//
#include "Fixture.h"
#include <catch2/catch.hpp>
#include <cmath>

namespace {
/// X[P,E] : type -> Y[P,E] : type, scalars s : f32 = 1, n : i8 = 0, b : bool = 0.
struct Simple : Fixture {
  explicit Simple(int type = EINFALL_F32) {
    int p = rank("P"), e = rank("E");
    tensor("X", EINFALL_INPUT, type, {p, e});
    tensor("Z", EINFALL_INPUT, type, {p, e}, {}, "\0\0\0\0\0\0\0");
    tensor("Y", EINFALL_OUTPUT, type, {p, e});
    scalar("s", EINFALL_F32, {number(1)});
    scalar("n", EINFALL_I8, {integer(0)});
    scalar("b", EINFALL_BOOL, {integer(0)});
  }
};

std::string errorOf(Call &call, Fixture &f) { return call.bind(f) == EINFALL_OK ? "no error" : call.error; }
einfall_tensor x(int type = EINFALL_F32) { return dense(type, {4, 6}); }
einfall_tensor y(int type = EINFALL_F32) { return dense(type, {4, 6}, someMemory(1)); }
} // namespace

TEST_CASE("names, duplicates, kinds, rank counts, types") {
  Simple f;
  Call missing, unknown, twice, number, tensor, ranks, type, negative, scalarTwice;
  CHECK(errorOf(missing, f) == "input 'X' is missing: X[P,E] : f32 [ein-c1]");
  CHECK(errorOf(unknown.tensor("Q", x()), f) ==
        "'test' has no argument 'Q'; it has X, Z, Y, s, n, b [ein-c1]");
  CHECK(errorOf(twice.tensor("X", x()).tensor("X", x()), f) == "'X' is given twice [ein-c1]");
  CHECK(errorOf(number.number("X", 1), f) == "'X' is a tensor, X[P,E] : f32; a number was given [ein-c1]");
  CHECK(errorOf(tensor.tensor("X", x()).tensor("s", x()), f) ==
        "'s' is a scalar of type f32; a tensor was given [ein-c1]");
  CHECK(errorOf(ranks.tensor("X", dense(EINFALL_F32, {4})), f) ==
        "'X' has 1 rank, its declaration 2: X[P,E] : f32 [ein-c1]");
  CHECK(errorOf(type.tensor("X", x(EINFALL_F16)), f) == "'X' holds f16, its declaration says f32 [ein-c1]");
  CHECK(errorOf(negative.tensor("X", dense(EINFALL_F32, {4, -1})), f) ==
        "'X' has the extent -1 at rank E [ein-c1]");
  CHECK(errorOf(scalarTwice.number("s", 1).number("s", 2), f) == "'s' is given twice [ein-c1]");
}

TEST_CASE("index and i64 are one representation, i32 is not") {
  Simple f(EINFALL_INDEX);
  Call a, b, c;
  CHECK(errorOf(a.tensor("X", x(EINFALL_I64)), f) == "no error");
  CHECK(errorOf(b.tensor("X", x(EINFALL_INDEX)), f) == "no error");
  CHECK(errorOf(c.tensor("X", x(EINFALL_I32)), f) == "'X' holds i32, its declaration says index [ein-c1]");
}

TEST_CASE("scalars: kinds and ranges") {
  Simple f;
  auto with = [&](auto set) {
    Call call;
    call.tensor("X", x());
    set(call);
    return errorOf(call, f);
  };
  CHECK(with([](Call &c) { c.integer("s", 3); }) == "no error");
  CHECK(with([](Call &c) { c.number("s", INFINITY); }) == "no error");
  CHECK(with([](Call &c) { c.number("s", 1e300); }) == "scalar 's': 1e+300 does not fit f32 [ein-c1]");
  CHECK(with([](Call &c) { c.number("n", 5.0); }) == "no error");
  CHECK(with([](Call &c) { c.number("n", 5.5); }) == "scalar 'n' is i8, 5.5 is no integer [ein-c1]");
  CHECK(with([](Call &c) { c.number("n", NAN); }).find("scalar 'n' is i8") == 0);
  CHECK(with([](Call &c) { c.number("n", 1e30); }) == "scalar 'n': 1e+30 does not fit i8 [ein-c1]");
  CHECK(with([](Call &c) { c.integer("n", 128); }) == "scalar 'n': 128 is outside i8 (-128 .. 127) [ein-c1]");
  CHECK(with([](Call &c) { c.integer("b", 2); }) == "scalar 'b': 2 is outside bool (0 .. 1) [ein-c1]");
  Call rounded;
  REQUIRE(rounded.tensor("X", x()).number("s", 0.1).bind(f) == EINFALL_OK);
  CHECK(rounded.binding.fscalar[0] == double(0.1f));
}

TEST_CASE("pointers and alignment") {
  Simple f;
  Call null, empty, odd;
  CHECK(errorOf(null.tensor("X", dense(EINFALL_F32, {4, 6}, nullptr)), f) ==
        "'X' has no data (a null pointer) [ein-c1]");
  CHECK(errorOf(empty.tensor("X", dense(EINFALL_F32, {0, 6}, nullptr)), f) == "no error");
  CHECK(errorOf(odd.tensor("X", dense(EINFALL_F32, {4, 6}, (char *)someMemory() + 2)), f) ==
        "'X' is not aligned: elements of f32 begin at multiples of 4 bytes [ein-c1]");
}

TEST_CASE("sizes and strides that exceed 64 bits") {
  Simple f;
  Call size, reach;
  CHECK(errorOf(size.tensor("X", dense(EINFALL_F32, {int64_t(1) << 31, int64_t(1) << 31})), f) ==
        "'X' has more bytes than 64 bits count [ein-c1]");
  einfall_tensor far = x();
  far.stride[0] = int64_t(1) << 62;
  CHECK(errorOf(reach.tensor("X", far), f) == "'X': its strides reach further than 64 bits [ein-c1]");
}

TEST_CASE("inputs may repeat and run backwards, outputs may not alias") {
  Simple f;
  einfall_tensor broadcast = x(), backwards = x(), out = y(), overlapping = y();
  broadcast.stride[0] = 0;
  backwards.data = (char *)someMemory() + 4 * 18;
  backwards.stride[0] = -6;
  out.stride[0] = 0;
  overlapping.stride[0] = 3;
  Call a, b, c, d;
  CHECK(errorOf(a.tensor("X", broadcast).tensor("Y", y()), f) == "no error");
  CHECK(errorOf(b.tensor("X", backwards).tensor("Y", y()), f) == "no error");
  CHECK(errorOf(c.tensor("X", x()).tensor("Y", out), f) ==
        "output 'Y': rank P has 4 points at stride 0 [ein-c1]");
  CHECK(errorOf(d.tensor("X", x()).tensor("Y", overlapping), f) ==
        "output 'Y': its strides reach one element twice [ein-c1]");
}

TEST_CASE("outputs may not share memory with anything") {
  Simple f;
  Call same, touching, twice;
  CHECK(errorOf(same.tensor("X", x()).tensor("Y", x()), f) == "output 'Y' shares memory with 'X' [ein-c1]");
  CHECK(errorOf(
            touching.tensor("X", x()).tensor("Y", dense(EINFALL_F32, {4, 6}, (char *)someMemory() + 4 * 24)),
            f) == "no error");
  CHECK(errorOf(twice.tensor("X", x()).tensor("Y", dense(EINFALL_F32, {4, 6}, (char *)someMemory() + 4 * 23)),
                f) == "output 'Y' shares memory with 'X' [ein-c1]");
}

TEST_CASE("interleaved views of one buffer are apart") {
  Simple f;
  einfall_tensor left = x(), right = dense(EINFALL_F32, {4, 6}, (char *)someMemory() + 4 * 6);
  left.stride[0] = right.stride[0] = 12;
  Call apart, meeting;
  CHECK(errorOf(apart.tensor("X", left).tensor("Y", right), f) == "no error");
  right.data = (char *)someMemory() + 4 * 5;
  CHECK(errorOf(meeting.tensor("X", left).tensor("Y", right), f) ==
        "output 'Y' shares memory with 'X' [ein-c1]");
}

TEST_CASE("i4 packs two elements a byte along the last rank") {
  Simple f(EINFALL_I4);
  einfall_tensor strided = x(EINFALL_I4), oddRow = dense(EINFALL_I4, {4, 5}), good = oddRow;
  strided.stride[1] = 2;
  oddRow.stride[0] = 5;
  Call a, b, c;
  CHECK(errorOf(a.tensor("X", strided), f) ==
        "'X' holds i4: its last rank E must be dense, its stride is 2 [ein-c1]");
  CHECK(errorOf(b.tensor("X", oddRow), f) ==
        "'X' holds i4: rows must begin at a byte, the stride of rank P is 5, odd [ein-c1]");
  CHECK(errorOf(c.tensor("X", good), f) == "no error");
}

TEST_CASE("misuse of the call itself") {
  Simple f;
  einfall_binding binding;
  char text[64];
  CHECK(einfall_bind(nullptr, nullptr, 0, 0, &binding, text, sizeof text) == EINFALL_BAD_ARGUMENT);
  CHECK(einfall_bind(f.kernel(), nullptr, 1, 0, &binding, text, sizeof text) == EINFALL_BAD_ARGUMENT);
  CHECK(einfall_bind(f.kernel(), nullptr, 0, 0, &binding, nullptr, 0) == EINFALL_BAD_ARGUMENT);
  char tiny[12];
  CHECK(einfall_bind(f.kernel(), nullptr, 0, 0, &binding, tiny, sizeof tiny) == EINFALL_BAD_ARGUMENT);
  CHECK(std::string(tiny).size() < sizeof tiny);
  einfall_kernel other = *f.kernel();
  other.abi = 99;
  CHECK(einfall_bind(&other, nullptr, 0, 0, &binding, text, sizeof text) == EINFALL_INTERNAL);
}
