//===- ExplainTest.cpp - an explanation as prose and as JSON ----------------------===//
#include "compiler/driver/Explain.h"
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace einfall;

static analysis::Explanation sample() {
  analysis::Explanation e;
  e.cascade = "c";
  e.source.ranks = {{"E", 1}, {"M", 3}};
  e.source.inputs = {{"K", {{"M", 2}}}};
  e.derived.ranks = {{"E", 1}, {"M", 1}};
  e.derived.inputs = {{"K", {{"M", 1}}}};
  e.rewrites.push_back({"one-pass", "M", "O", "D -> A", "12:7", "the sum scales with the maximum"});
  e.merges.push_back({"M", {"X", "D", "O"}, "max, then rescale"});
  e.kernels.push_back(
      {{"S", "O"}, {"p"}, {"m"}, {{"K", "|M|*|E|"}}, "2*|P|*|M|*|E|", {{"lanes", "16"}, {"kind", "stream"}}});
  e.masks.push_back({"S", "m <= p", "m0 > p1", "", "otherwise"});
  e.footprint = {{"K", "|E|"}};
  return e;
}

TEST_CASE("JSON has the keys of the contract") {
  auto json = nlohmann::json::parse(driver::explainJson(sample()));
  CHECK(json["cascade"] == "c");
  CHECK(json["source"]["passes"]["M"] == 3);
  CHECK(json["derived"]["passes"]["M"] == 1);
  CHECK(json["source"]["inputs"]["K"]["M"] == 2);
  CHECK(json["rewrites"][0]["removes"] == "D -> A");
  CHECK(json["barriers"].is_array());
  CHECK(json["merge"][0]["operator"] == "max, then rescale");
  CHECK(json["kernels"][0]["schedule"]["lanes"] == 16);
  CHECK(json["kernels"][0]["schedule"]["kind"] == "stream");
  CHECK(json["materialised"].empty());
  CHECK(json["masks"][0]["predicate"] == "m <= p");
  CHECK(json["footprint"]["K"] == "|E|");
}

TEST_CASE("prose answers in the order one asks, within the page") {
  std::string text = driver::explainText(sample());
  CHECK(text.find("c: 3 passes over M as written, 1 after the rewrites") == 0);
  size_t last = 0;
  for (const char *part :
       {"traversed", "rewritten", "keeps more", "put together", "stored", "skipped", "What runs"}) {
    size_t at = text.find(part);
    INFO(part);
    REQUIRE(at != std::string::npos);
    CHECK(at > last);
    last = at;
  }
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    CHECK(end - begin <= 100);
    begin = end + 1;
  }
}
