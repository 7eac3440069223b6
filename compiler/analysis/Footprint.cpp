//===- Footprint.cpp - ranks along which a later pass reads --------------------------===//
#include "compiler/analysis/Footprint.h"
#include <algorithm>

namespace einfall::analysis {
using namespace ein;
namespace {

class Held {
public:
  Held(const EinsumGraph &graph, const PassAnalysis &analysis) : graph(graph), cascade(graph.cascade) {
    for (const Levels &l : analysis.levels)
      levels[{l.walk, l.rank}] = &l;
    readers.resize(graph.einsums.size());
    for (int e = 0; e < int(graph.einsums.size()); ++e)
      for (const Access &a : graph.einsums[e].reads)
        if (a.einsum >= 0)
          readers[a.einsum].push_back({e, &a});
  }

  /// Extents that must be kept of an output position, as factors.
  void factors(int producer, size_t position, std::vector<RankId> &out) const {
    RankId rank = graph.einsums[producer].ranks[position];
    if (readElsewhere(producer, position))
      out.push_back(rank);
    else
      along(producer, position, rank, out, 0);
  }

private:
  /// Some reader takes this position from another walk (or looks it up in a
  /// table): any coordinate may be wanted.
  bool readElsewhere(int producer, size_t position) const {
    int walk = graph.walkAt(producer, position);
    for (auto &[e, access] : readers[producer]) {
      if (position >= access->subscripts.size())
        continue;
      bool any = false, own = false;
      for (VarId v : freeVariables(access->subscripts[position])) {
        any = true;
        own |= graph.walkOf[v] == walk;
      }
      if (any && !own)
        return true;
    }
    return false;
  }

  void along(int producer, size_t position, RankId rank, std::vector<RankId> &out, int depth) const {
    auto it = levels.find({graph.walkAt(producer, position), rank});
    if (it != levels.end())
      for (auto &[e, access] : readers[producer])
        if (it->second->level[e] > it->second->level[producer])
          return out.push_back(rank);
    // The rank as a whole is streamed; within one of its blocks it may not be.
    if (depth < 16)
      for (const Split &s : cascade.splits)
        if (s.whole == rank)
          for (RankId part : s.parts)
            if (std::find(out.begin(), out.end(), part) == out.end())
              along(producer, position, part, out, depth + 1);
  }

  const EinsumGraph &graph;
  const Cascade &cascade;
  std::map<std::pair<int, RankId>, const Levels *> levels;
  std::vector<std::vector<std::pair<int, const Access *>>> readers;
};

} // namespace

std::map<std::string, std::string> footprint(const EinsumGraph &graph, const PassAnalysis &analysis) {
  Held held(graph, analysis);
  std::map<std::string, std::string> out;
  for (int n = 0; n < int(graph.einsums.size()); ++n) {
    const Einsum &e = graph.einsums[n];
    if (e.nested ||
        graph.cascade.tensors[graph.cascade.equations[e.equation].tensor].role != Role::Intermediate)
      continue;
    std::vector<RankId> factors;
    for (size_t p = 0; p < e.left.size(); ++p)
      held.factors(n, p, factors);
    std::string text;
    for (RankId r : factors)
      text += (text.empty() ? "|" : "*|") + graph.cascade.ranks[r].name + "|";
    out[e.name] = text.empty() ? "1" : text;
  }
  return out;
}

} // namespace einfall::analysis
