//===- DescriptionTest.cpp - cascades as constant data --------------------------------===//
#include "Scaled.h"
#include "compiler/driver/Driver.h"
#include "einfall/element.h"
#include <catch2/catch.hpp>
#include <cstring>

using namespace einfall;
using driver::Description;

TEST_CASE("names, roles, programs, defaults") {
  ein::Cascade cascade = scaledCascade();
  ein::Tensor intermediate;
  intermediate.name = "T";
  intermediate.role = ein::Role::Intermediate;
  cascade.tensors.push_back(intermediate);
  Description moved(cascade);
  Description description(std::move(moved));
  const einfall_kernel *k = description.get();
  CHECK(k->tensor_count == 3);
  CHECK(k->scalar_count == 1);
  CHECK(std::string(k->tensors[2].name) == "Y");
  CHECK(k->tensors[2].role == EINFALL_OUTPUT);
  CHECK(k->tensors[0].default_value == nullptr);
  float half;
  std::memcpy(&half, k->tensors[1].default_value, sizeof half);
  CHECK(half == 0.5f);
  const int expected[] = {EINFALL_OP_FLOAT, EINFALL_OP_EXTENT, EINFALL_OP_FLOAT_OF,
                          EINFALL_OP_CALL,  EINFALL_OP_DIV,    EINFALL_OP_END};
  for (int at = 0; at < 6; ++at)
    CHECK(k->scalars[0].default_value[at].opcode == expected[at]);
}

TEST_CASE("defaults are rounded to the type of the tensor") {
  auto bits = [](ein::Type type, ein::ExprRef e) {
    ein::Cascade cascade = scaledCascade();
    cascade.tensors[1].type = type;
    cascade.tensors[1].defaultValue = std::move(e);
    Description description(cascade);
    uint64_t value;
    std::memcpy(&value, description.get()->tensors[1].default_value, sizeof value);
    return value;
  };
  CHECK(bits(ein::Type::BF16, ein::unary(ein::ExprOp::Neg, ein::number(1))) == 0xbf80);
  CHECK(bits(ein::Type::I4, ein::integer(-1)) == 0xf);
  CHECK(bits(ein::Type::Index, ein::integer(-1)) == ~uint64_t(0));
  CHECK(bits(ein::Type::F64, ein::integer(1)) == 0x3ff0000000000000);
  CHECK(bits(ein::Type::Bool, ein::boolean(true)) == 1);
}

TEST_CASE("min and max of several, and what cannot be a program") {
  ein::Cascade cascade = scaledCascade();
  ein::Expr e;
  e.op = ein::ExprOp::Max;
  e.kind = ein::Kind::Int;
  e.args = {ein::integer(3), ein::extent(0), ein::integer(9)};
  cascade.scalars[0].type = ein::Type::Index;
  cascade.scalars[0].defaultValue = std::make_shared<const ein::Expr>(e);
  float data[4];
  einfall_tensor x{data, EINFALL_F32, 1, {4}, {1}};
  const einfall_argument arguments[] = {{"X", &x, 0, 0, 0}};
  einfall_binding binding;
  char text[128];
  Description good(cascade);
  REQUIRE(einfall_bind(good.get(), arguments, 1, 0, &binding, text, sizeof text) == EINFALL_OK);
  CHECK(binding.iscalar[0] == 9);
  cascade.scalars[0].defaultValue = ein::coord(0);
  Description bad(cascade);
  CHECK(einfall_bind(bad.get(), arguments, 1, 0, &binding, text, sizeof text) == EINFALL_INTERNAL);
}
