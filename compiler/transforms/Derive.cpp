//===- Derive.cpp - a cascade becomes a plan ------------------------------------------===//
//
// Works backwards from the outputs: a tensor that is needed is stored by the pass
// of the stream group that has it as a row result, or else by the nest of its own
// equation. What that kernel reads is needed in turn. Equations that nothing
// needs are dropped.
//
//===----------------------------------------------------------------------===//
#include "compiler/transforms/Defer.h"
#include "compiler/transforms/ExplainPlan.h"
#include "compiler/transforms/JoinSplits.h"
#include "compiler/transforms/Normalize.h"
#include "compiler/transforms/StreamBuild.h"
#include "compiler/transforms/TakeApart.h"
#include <algorithm>
#include <map>
#include <memory>

namespace einfall::transforms {
using namespace ein;

namespace {

/// A kernel to be: a pass of a group, or a component of the schedule.
struct Node {
  int group = -1, pass = 0;
  int component = -1;
  bool operator<(const Node &o) const {
    return std::tie(group, pass, component) < std::tie(o.group, o.pass, o.component);
  }
};

class Planner {
public:
  Planner(Plan &plan, analysis::Explanation &explanation) : plan(plan), explanation(explanation) {}

  void run(const std::set<int> &withoutGroup) {
    Cascade &cascade = plan.cascade;
    facts = std::make_unique<Dependence>(cascade);
    std::vector<StreamGroup> found = findStreamGroups(cascade, *facts);
    for (size_t g = 0; g < found.size(); ++g)
      if (!withoutGroup.count(found[g].reduces[0]))
        builders.push_back(std::make_unique<StreamBuilder>(cascade, *facts, found[g]));
    for (auto &b : builders)
      b->assignPasses(explanation);
    for (size_t i = 0; i < cascade.schedule.size(); ++i)
      for (int e : cascade.schedule[i].equations)
        componentOf[cascade.equations[e].tensor] = static_cast<int>(i);

    std::vector<TensorId> todo;
    for (size_t t = 0; t < cascade.tensors.size(); ++t)
      if (cascade.tensors[t].role == Role::Output)
        todo.push_back(static_cast<TensorId>(t));
    std::set<TensorId> needed;
    while (!todo.empty()) {
      TensorId t = todo.back();
      todo.pop_back();
      if (!cascade.equationOf(t) || !needed.insert(t).second)
        continue;
      Node n = producerOf(t);
      wanted[n].insert(t);
      for (TensorId r : readsOf(n))
        todo.push_back(r);
    }
    std::set<Node> placed, open;
    for (auto &[n, w] : wanted)
      place(n, placed, open);
  }

  /// First reduction of a group that waits for itself through another kernel; -1: none.
  int circular = -1;

  /// First reduction of a group whose kernel could not be written, or -1.
  int emit(std::string &reason) {
    for (const Node &n : order) {
      Plan::Item item;
      if (n.group < 0) {
        item.component = plan.cascade.schedule[n.component];
      } else {
        std::vector<TensorId> store(wanted[n].begin(), wanted[n].end());
        auto kernel = builders[n.group]->build(n.pass, store, reason);
        if (!kernel)
          return builders[n.group]->of().reduces[0];
        item.stream = static_cast<int>(plan.streams.size());
        plan.streams.push_back(std::move(*kernel));
      }
      plan.items.push_back(std::move(item));
    }
    return -1;
  }

  std::vector<std::unique_ptr<StreamBuilder>> builders;
  std::vector<Node> order;
  std::map<Node, std::set<TensorId>> wanted;

private:
  Plan &plan;
  analysis::Explanation &explanation;
  std::unique_ptr<Dependence> facts;
  std::map<TensorId, int> componentOf;

  Node producerOf(TensorId t) {
    for (size_t g = 0; g < builders.size(); ++g)
      if (builders[g]->isFinishable(t))
        return {static_cast<int>(g), builders[g]->passOf(t), -1};
    return {-1, 0, componentOf.at(t)};
  }

  std::set<TensorId> readsOf(const Node &n) {
    std::set<TensorId> reads;
    if (n.group >= 0)
      return builders[n.group]->inputsOf(n.pass, wanted[n]);
    for (int i : plan.cascade.schedule[n.component].equations) {
      const Equation &eq = plan.cascade.equations[i];
      for (const ExprRef &e : {eq.rhs, eq.where, eq.init})
        for (TensorId t : tensorsRead(e))
          reads.insert(t);
    }
    return reads;
  }

  void place(const Node &n, std::set<Node> &placed, std::set<Node> &open) {
    if (open.count(n) && n.group >= 0)
      circular = builders[n.group]->of().reduces[0];
    if (!placed.insert(n).second)
      return;
    open.insert(n);
    for (TensorId t : readsOf(n))
      if (plan.cascade.equationOf(t))
        if (Node p = producerOf(t); p < n || n < p)
          place(p, placed, open);
    open.erase(n);
    order.push_back(n);
  }
};

} // namespace

Plan derive(const Cascade &cascade, analysis::Explanation &explanation) {
  std::vector<analysis::Rewrite> rewrites;
  Cascade prepared = joinSplits(takeApart(normalize(cascade)));
  prepared = defer(prepared, rewrites);
  std::set<int> without; ///< groups given up, by their first reduction
  for (;;) {
    Plan plan;
    plan.cascade = prepared;
    analysis::Explanation attempt;
    attempt.rewrites = rewrites;
    Planner planner(plan, attempt);
    planner.run(without);
    if (planner.circular >= 0) {
      without.insert(planner.circular);
      continue;
    }
    std::vector<KernelSource> kernels;
    for (const Node &n : planner.order) {
      KernelSource k;
      if (n.group >= 0) {
        k.group = planner.builders[n.group].get();
        k.pass = n.pass;
        k.stores = planner.wanted[n];
      } else {
        k.equations = plan.cascade.schedule[n.component].equations;
        k.step = plan.cascade.schedule[n.component].rank;
      }
      kernels.push_back(k);
    }
    explainPlan(cascade, plan.cascade, kernels, attempt);
    std::string reason;
    int failed = planner.emit(reason);
    if (failed < 0) {
      explanation = attempt;
      inferExistence(plan.cascade);
      reschedule(plan.cascade); // with the tensors that kernels added
      return plan;
    }
    without.insert(failed);
  }
}

} // namespace einfall::transforms
