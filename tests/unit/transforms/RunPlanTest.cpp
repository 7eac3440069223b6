// A plan gives what its cascade gives, however its blocks are cut and ordered.
#include "Case.h"
#include <filesystem>
#include <fstream>
#include <sstream>

namespace einfall {
using namespace ein;
using transforms::RunOptions;

namespace {

std::vector<RunOptions> manyWays(bool all) {
  std::vector<RunOptions> list;
  for (int64_t block : {1, 2, 3, 7, 48}) {
    RunOptions o;
    o.block = block;
    list.push_back(o);
  }
  list[1].lag = list[3].lag = false;
  list[2].lagDistance = 0.3;
  for (uint64_t seed = 1; seed <= (all ? 4 : 2); ++seed) {
    RunOptions o;
    o.block = 3;
    o.seed = seed;
    o.lag = seed % 2;
    o.parts = seed == 1 ? 1 : static_cast<int>(seed);
    list.push_back(o);
  }
  return list;
}

void planIsRight(const std::string &text, int seeds, bool all) {
  Cascade before = loaded(text);
  INFO(text);
  analysis::Explanation explanation;
  transforms::Plan plan = transforms::derive(before, explanation);
  INFO(describe(plan));
  for (int seed = 0; seed < seeds; ++seed) {
    INFO("arguments of seed " << seed);
    Environment env = arguments(before, seed);
    Outputs expected = evaluated(before, env);
    for (const RunOptions &o : manyWays(all)) {
      INFO("block " << o.block << " seed " << o.seed.value_or(0) << " parts " << o.parts << " lag " << o.lag);
      CHECK(difference(expected, executed(plan, env, o)) == "");
    }
  }
}

} // namespace

TEST_CASE("plans of hand-written cascades") {
  for (const Named &c : handwritten())
    DYNAMIC_SECTION(c.name) { planIsRight(c.text, 8, true); }
}

TEST_CASE("plans of random cascades") {
  for (uint64_t seed = 0; seed < 200; ++seed)
    DYNAMIC_SECTION("seed " << seed) { planIsRight(randomCascade(seed), 2, false); }
}

TEST_CASE("plans of the examples") {
  for (const auto &file : std::filesystem::directory_iterator(EINFALL_EXAMPLES))
    if (file.path().extension() == ".ein")
      DYNAMIC_SECTION(file.path().stem().string()) {
        std::ostringstream text;
        text << std::ifstream(file.path()).rdbuf();
        planIsRight(text.str(), 2, true);
      }
}

} // namespace einfall
