// Properties of plans: one pass where there is one, barriers that say why not.
#include "Case.h"
#include <fstream>
#include <set>
#include <sstream>

namespace einfall {
using namespace ein;

namespace {

std::string example(const std::string &name) {
  std::ostringstream text;
  text << std::ifstream(std::string(EINFALL_EXAMPLES) + "/" + name + ".ein").rdbuf();
  return text.str();
}

const std::string &written(const std::string &name) {
  for (const Named &c : handwritten())
    if (c.name == name)
      return c.text;
  FAIL("no cascade of that name");
  return handwritten()[0].text;
}

struct Derived {
  explicit Derived(const std::string &text)
      : source(loaded(text)), plan(transforms::derive(source, explanation)) {}
  Cascade source;
  analysis::Explanation explanation;
  transforms::Plan plan;

  std::string nameOf(TensorId t) const { return plan.cascade.tensors[t].name; }

  /// Every output, and what items read, is stored by exactly one earlier item.
  void isOrdered() const {
    INFO(describe(plan));
    const Cascade &c = plan.cascade;
    std::set<TensorId> stored;
    auto store = [&](TensorId t) {
      INFO(c.tensors[t].name);
      CHECK(stored.insert(t).second);
    };
    auto known = [&](const ExprRef &e, const std::set<TensorId> &own) {
      for (TensorId t : tensorsRead(e)) {
        INFO(c.tensors[t].name);
        CHECK((c.tensors[t].role == Role::Input || stored.count(t) || own.count(t)));
      }
    };
    for (const auto &item : plan.items) {
      std::set<TensorId> own;
      if (item.stream < 0) {
        for (int e : item.component.equations)
          own.insert(c.equations[e].tensor);
        for (int e : item.component.equations)
          for (const ExprRef &x : {c.equations[e].rhs, c.equations[e].where, c.equations[e].init})
            known(x, item.component.rank < 0 ? std::set<TensorId>() : own);
        for (TensorId t : own)
          store(t);
        continue;
      }
      const tile::StreamKernel &k = plan.streams[item.stream];
      own.insert(k.tiles.begin(), k.tiles.end());
      own.insert(k.state.begin(), k.state.end());
      for (const auto &s : k.segments) {
        CHECK_FALSE(s.steps.empty());
        for (const auto &step : s.steps)
          for (const ExprRef &x : {step.a, step.b, step.mask})
            known(x, own);
      }
      for (const auto &f : k.finish) {
        known(f.value, own);
        known(f.mask, own);
      }
      CHECK_FALSE(k.finish.empty());
      for (const auto &f : k.finish)
        store(f.tensor);
    }
    for (size_t t = 0; t < c.tensors.size(); ++t)
      if (c.tensors[t].role == Role::Output)
        CHECK(stored.count(static_cast<TensorId>(t)));
  }
};

} // namespace

TEST_CASE("plans store everything once, before it is read") {
  for (const Named &c : handwritten())
    DYNAMIC_SECTION(c.name) { Derived(c.text).isOrdered(); }
  for (uint64_t seed = 0; seed < 200; ++seed)
    DYNAMIC_SECTION("seed " << seed) { Derived(randomCascade(seed)).isOrdered(); }
}

TEST_CASE("one pass over the keys, nothing of rows times keys in memory") {
  for (std::string name : {"attention",
                           "causal_gqa",
                           "alibi",
                           "base2",
                           "softcap",
                           "sink_logit",
                           "row_temperature",
                           "two_values",
                           "differential",
                           "gated_attention",
                           "mla",
                           "padded_encoder",
                           "sliding_window",
                           "row_entropy",
                           "stats",
                           "parallax",
                           "joint_softmax",
                           "unstable_softmax",
                           "deferred_division",
                           "logsumexp",
                           "sigmoid_attention",
                           "relu_attention"})
    DYNAMIC_SECTION(name) {
      Derived d(example(name));
      INFO(describe(d.plan));
      CHECK(d.explanation.derived.ranks.count("M") + d.explanation.derived.ranks.count("U") > 0);
      for (const char *rank : {"M", "U"})
        if (auto it = d.explanation.derived.ranks.find(rank); it != d.explanation.derived.ranks.end())
          CHECK(it->second == 1);
      for (const analysis::Barrier &b : d.explanation.barriers)
        CHECK((b.rank != "M" && b.rank != "U"));
      for (const analysis::Materialised &m : d.explanation.materialised) {
        INFO(m.tensor);
        CHECK(m.tokenRanks < 2);
      }
      int streams = 0; // kernels over the keys
      for (const tile::StreamKernel &k : d.plan.streams) {
        std::string rank = d.plan.cascade.ranks[k.rank].name;
        streams += rank == "M" || rank == "U" || rank == "L";
      }
      CHECK(streams == 1);
    }
}

TEST_CASE("what does not close stays a barrier, named") {
  struct Refused {
    std::string cascade, from, to;
  };
  const Refused list[] = {{"softmax of softmax", "A", ""},
                          {"a threshold relative to the largest", "X", ""},
                          {"the largest scores", "Sel", ""},
                          {"sparsemax", "", ""},
                          {"relative_threshold", "", ""}};
  for (const Refused &r : list)
    DYNAMIC_SECTION(r.cascade) {
      bool isExample = r.cascade == "sparsemax" || r.cascade == "relative_threshold";
      Derived d(isExample ? example(r.cascade) : written(r.cascade));
      INFO(describe(d.plan));
      REQUIRE_FALSE(d.explanation.barriers.empty());
      bool named = false;
      std::string all;
      for (const analysis::Barrier &b : d.explanation.barriers) {
        CHECK_FALSE(b.why.empty());
        all += b.from + " -> " + b.to + ": " + b.why + "\n";
        named |= (b.from + b.to).find(r.from) != std::string::npos;
      }
      INFO(all);
      CHECK(named);
      CHECK(d.explanation.derived.ranks.at("M") > 1);
    }
}

TEST_CASE("the state of a softmax and how two parts merge") {
  Derived d(written("softmax"));
  REQUIRE(d.explanation.merges.size() == 1);
  const analysis::Merge &m = d.explanation.merges[0];
  CHECK(m.rank == "M");
  INFO(m.op);
  CHECK(m.op.find("X = max(X', X\")") != std::string::npos);
  CHECK(m.op.find("D = exp(") != std::string::npos);
  CHECK(std::count(m.state.begin(), m.state.end(), "X") == 1);
  CHECK(std::count(m.state.begin(), m.state.end(), "D") == 1);
}

TEST_CASE("central moments carry the lower ones along") {
  Derived d(written("weighted variance"));
  INFO(describe(d.plan));
  REQUIRE(d.plan.streams.size() == 1);
  bool nilpotent = false; // a transport of three sums: second moment, first, weight
  for (const auto &step : d.plan.streams[0].segments.at(0).steps)
    for (const auto &t : step.transports)
      nilpotent |= t.state.size() == 3 && t.matrix[0].size() == 3 && t.matrix[0][2];
  CHECK(nilpotent);
}

TEST_CASE("an anchor whose maximum has not taken a point waits for the next pass") {
  Derived d(written("a maximum of some points, a sum of others"));
  bool said = false;
  for (const analysis::Barrier &b : d.explanation.barriers)
    said |= b.from == "X" && b.why.find("no value yet") != std::string::npos;
  CHECK(said);
}

TEST_CASE("groups: rows, lanes and streams") {
  auto kernel = [](const std::string &name) {
    Derived d(written(name));
    INFO(describe(d.plan));
    REQUIRE(d.plan.streams.size() == 1);
    const tile::StreamKernel &k = d.plan.streams[0];
    auto names = [&](const std::vector<VarId> &list) {
      std::string t;
      for (VarId v : list)
        t += d.plan.cascade.variables[v].name;
      return t;
    };
    return names(k.outer) + "|" + names(k.lanes) + "|" + std::to_string(k.segments.size());
  };
  CHECK(kernel("self-attention") == "bh|t|1");
  CHECK(kernel("grouped queries") == "bj|gp|1");
  CHECK(kernel("two key sets") == "|p|2");
  CHECK(kernel("three key sets") == "|p|3");
  Derived two(written("a softmax over queries and one over keys"));
  CHECK(two.plan.streams.size() == 2);
  CHECK(two.plan.streams[0].rank != two.plan.streams[1].rank);
  Derived recurrent(written("a recurrence beside a softmax"));
  CHECK(std::any_of(recurrent.plan.items.begin(), recurrent.plan.items.end(),
                    [](const auto &i) { return i.stream < 0 && i.component.rank >= 0; }));
}

} // namespace einfall
