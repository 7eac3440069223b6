// Every transform keeps the meaning of a cascade: outputs before and after are
// compared through the reference interpreter.
#include "Case.h"
#include "compiler/transforms/Defer.h"
#include "compiler/transforms/JoinSplits.h"
#include "compiler/transforms/Normalize.h"
#include "compiler/transforms/TakeApart.h"

namespace einfall {
using namespace ein;

namespace {

void keepMeaning(const std::string &text, int seeds) {
  Cascade before = loaded(text);
  INFO(text);
  std::vector<analysis::Rewrite> rewrites;
  Cascade normal = transforms::normalize(before);
  Cascade apart = transforms::takeApart(normal);
  Cascade joined = transforms::joinSplits(apart);
  Cascade deferred = transforms::defer(joined, rewrites);
  for (int seed = 0; seed < seeds; ++seed) {
    INFO("arguments of seed " << seed);
    Environment env = arguments(before, seed);
    Outputs expected = evaluated(before, env);
    const std::pair<const char *, const Cascade *> stages[] = {
        {"normalize", &normal}, {"takeApart", &apart}, {"joinSplits", &joined}, {"defer", &deferred}};
    for (auto [name, cascade] : stages) {
      INFO("after " << name << "\n" << print(*cascade));
      CHECK(difference(expected, evaluated(*cascade, env)) == "");
    }
  }
}

} // namespace

TEST_CASE("transforms keep the meaning of hand-written cascades") {
  for (const Named &c : handwritten())
    DYNAMIC_SECTION(c.name) { keepMeaning(c.text, 8); }
}

TEST_CASE("transforms keep the meaning of random cascades") {
  for (uint64_t seed = 0; seed < 200; ++seed)
    DYNAMIC_SECTION("seed " << seed) { keepMeaning(randomCascade(seed), 2); }
}

} // namespace einfall
