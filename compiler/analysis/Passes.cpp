//===- Passes.cpp - pass counts of all ranks and inputs ---------------------------===//
#include "compiler/analysis/Passes.h"
#include "compiler/analysis/WalkLevels.h"
#include <map>
#include <set>

namespace einfall::analysis {
using namespace ein;
namespace {

std::vector<RankId> wholesFirst(const EinsumGraph &graph, const std::set<RankId> &ranks) {
  std::vector<RankId> out;
  for (size_t depth = 1; out.size() < ranks.size(); ++depth)
    for (RankId r : ranks)
      if (graph.ancestors(r).size() == depth)
        out.push_back(r);
  return out;
}

/// The inputs that each Einsum reads, directly or behind an elementwise one.
class InputReads {
public:
  explicit InputReads(const EinsumGraph &graph) : graph(graph), reads(graph.einsums.size()) {
    // An elementwise equation of inputs alone shows them in another dress:
    // reading F = sigmoid(K) is reading K, and F itself reads nothing.
    std::vector<bool> dress(graph.einsums.size());
    for (const auto &members : graph.components)
      for (int n : members) {
        const Einsum &e = graph.einsums[n];
        dress[n] = !e.reduces && graph.cascade.schedule[graph.componentOf[n]].rank < 0;
        for (const Access &a : e.reads) {
          if (a.einsum < 0)
            reads[n].insert(&a);
          else if (dress[a.einsum])
            reads[n].insert(reads[a.einsum].begin(), reads[a.einsum].end());
          else
            dress[n] = false;
        }
        dress[n] = dress[n] && !reads[n].empty();
      }
    for (size_t n = 0; n < graph.einsums.size(); ++n)
      if (dress[n] && graph.cascade.tensors[graph.cascade.equations[graph.einsums[n].equation].tensor].role ==
                          Role::Intermediate)
        reads[n].clear();
  }

  /// Adds what one walk over one rank forces on the inputs that it reads.
  void count(const WalkLevels &levels, PassCounts &counts) const {
    const Cascade &cascade = graph.cascade;
    std::map<TensorId, std::vector<bool>> readers;
    for (size_t n = 0; n < graph.einsums.size(); ++n)
      if (levels.result.heavy[n])
        for (const Access *in : reads[n])
          for (const ExprRef &s : in->subscripts)
            for (VarId v : freeVariables(s))
              if (graph.walkOf[v] == levels.result.walk &&
                  graph.overlap(cascade.rankOf(v), levels.result.rank)) {
                auto &list = readers[in->tensor];
                list.resize(graph.einsums.size());
                list[n] = true;
              }
    for (auto &[tensor, list] : readers) {
      if (cascade.tensors[tensor].role != Role::Input)
        continue;
      int &count = counts.inputs[cascade.tensors[tensor].name][cascade.ranks[levels.result.rank].name];
      count = std::max(count, levels.chain(list));
    }
  }

private:
  const EinsumGraph &graph;
  std::vector<std::set<const Access *>> reads;
};

} // namespace

PassAnalysis passes(const EinsumGraph &graph, const PassOptions &options) {
  const Cascade &cascade = graph.cascade;
  PassAnalysis out;
  std::vector<std::set<RankId>> targets(graph.walkCount);
  for (size_t v = 0; v < cascade.variables.size(); ++v)
    if (graph.walkOf[v] >= 0)
      for (RankId r : graph.ancestors(cascade.rankOf(VarId(v))))
        targets[graph.walkOf[v]].insert(r);
  for (const Tensor &t : cascade.tensors)
    for (RankId r : t.ranks) {
      out.counts.ranks[cascade.ranks[r].name] = 1;
      if (t.role == Role::Input)
        out.counts.inputs[t.name][cascade.ranks[r].name] = 1;
    }
  InputReads inputs(graph);
  std::set<std::string> seen;
  for (int w = 0; w < graph.walkCount; ++w)
    // Whole ranks before their parts.
    for (RankId r : wholesFirst(graph, targets[w])) {
      WalkLevels levels(graph, options, w, r);
      int &count = out.counts.ranks.emplace(cascade.ranks[r].name, 1).first->second;
      count = std::max(count, levels.result.passes);
      // `rank M = P`: one rank, found by either name.
      for (const std::string &alias : cascade.ranks[r].aliases)
        out.counts.ranks[alias] = count;
      levels.barriers(out.barriers, seen);
      inputs.count(levels, out.counts);
      out.levels.push_back(std::move(levels.result));
    }
  // In order of the text; the pairs are few.
  auto before = [](const Barrier &a, const Barrier &b) {
    return std::atoi(a.at.c_str()) < std::atoi(b.at.c_str());
  };
  for (size_t i = 1; i < out.barriers.size(); ++i)
    for (size_t j = i; j > 0 && before(out.barriers[j], out.barriers[j - 1]); --j)
      std::swap(out.barriers[j], out.barriers[j - 1]);
  return out;
}

PassAnalysis passes(const Cascade &cascade, const PassOptions &options) {
  return passes(EinsumGraph(cascade), options);
}

} // namespace einfall::analysis
