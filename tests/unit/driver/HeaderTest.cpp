//===- HeaderTest.cpp - NAME.h and NAME.json -------------------------------------------===//
#include "Scaled.h"
#include "compiler/driver/Codegen.h"
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace einfall;

namespace {
bool has(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }
} // namespace

TEST_CASE("the header documents every argument") {
  ein::Cascade cascade = scaledCascade();
  cascade.tensors[0].name = "register";
  driver::Description description(cascade);
  const std::string text = driver::headerText(cascade, *description.get(), "x86-64-v3");
  INFO(text);
  CHECK(has(text, "extern const einfall_kernel scaled_kernel;"));
  CHECK(has(text, "const einfall_tensor *register_; /* in: f32 [P], float */"));
  CHECK(has(text, "\"register\", args->register_"));
  CHECK(has(text, "NULL: 0.5 everywhere"));
  CHECK(has(text, "const double *s; /* f32; NULL: 1"));
  CHECK(has(text, "P: the shape of register, Z"));
  CHECK(has(text, "target x86-64-v3"));
}

TEST_CASE("the JSON says the same") {
  ein::Cascade cascade = scaledCascade();
  driver::Description description(cascade);
  const auto json = nlohmann::json::parse(driver::jsonText(cascade, *description.get(), "native"));
  CHECK(json["symbol"] == "scaled_kernel");
  CHECK(json["inputs"].size() == 2);
  CHECK(json["outputs"][0]["name"] == "Y");
  CHECK(json["outputs"][0]["shape"][0] == "P");
  CHECK(json["scalars"][0]["type"] == "f32");
}
