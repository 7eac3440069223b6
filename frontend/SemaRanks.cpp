//===- SemaRanks.cpp - the rank of every variable (r3, r6, r7) ----------------===//
//
// A variable ranges over the rank of `v in R`; else of its plain subscripts; else
// of the same letters in upper case. Plain subscripts of an intermediate only
// help once the intermediate's own left side is known, and a tuple only once it
// is known which split it is; so ranks spread through the whole cascade until
// nothing changes. Three levels keep the answer independent of the order of
// equations: what tensors say, then what tuples say, then letters (for equations
// that wait for each other in a ring).
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

RankId Checker::rankByCase(const std::string &variable) const {
  std::string upper = variable;
  for (char &c : upper)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  auto it = ranks.find(upper);
  return it == ranks.end() ? -1 : it->second;
}

RankId Checker::rankOfSite(const Site &site) const {
  if (site.tuple) {
    if (site.tuple->split < 0)
      return -1;
    const auto &parts = out.splits[site.tuple->split].parts;
    return site.index < static_cast<int>(parts.size()) ? parts[site.index] : -1;
  }
  if (site.tensor < 0)
    return -1;
  return out.tensors[site.tensor].ranks[site.index];
}

bool Checker::sitePoisoned(const Site &site) const {
  if (site.tuple)
    return site.tuple->poisoned;
  return site.tensor < 0 || tensorPoisoned[site.tensor];
}

/// Tries to find the rank of `v`; true if it was found now.
bool Checker::assignRank(EquationState &, Variable &v, int level) {
  if (v.rank >= 0 || v.poisoned)
    return false;
  auto set = [&](RankId rank, Range from) {
    v.rank = rank;
    v.rankFrom = from;
    return rank >= 0;
  };
  if (v.in) {
    if (v.inVariable) {
      if (v.inVariable->poisoned)
        v.poisoned = true;
      return set(v.inVariable->rank, v.in->range);
    }
    RankId rank = findRank(*v.in);
    v.poisoned = rank < 0;
    return set(rank, v.in->range);
  }
  for (auto &[site, range] : v.uses) {
    if ((site.tuple && level < 1) || sitePoisoned(site))
      continue;
    RankId rank = rankOfSite(site);
    if (rank >= 0)
      return set(rank, range);
  }
  if (v.uses.empty() || level >= 2)
    return set(rankByCase(v.name), v.range);
  return false;
}

/// The splits that a tuple may be. `byCase`: a variable whose rank is not known
/// yet is taken to range over the rank of its letters.
std::vector<SplitId> Checker::fittingSplits(const TupleUse &tuple, bool byCase) const {
  RankId whole = tuple.defining ? -1 : rankOfSite(tuple.site);
  std::vector<SplitId> strict, loose;
  for (size_t s = 0; s < out.splits.size(); ++s) {
    const ein::Split &split = out.splits[s];
    if (split.parts.size() != tuple.entries.size() || (!tuple.defining && split.whole != whole))
      continue;
    bool fits = true, explicitMisfit = false;
    for (size_t i = 0; i < tuple.entries.size(); ++i) {
      const Variable *v = tuple.entries[i];
      if (!v)
        continue;
      RankId rank = v->rank;
      if (rank < 0 && byCase)
        rank = rankByCase(v->name);
      if (rank < 0 || rank == split.parts[i])
        continue;
      // After `v in R` a plain subscript is a mere integer: it fits, if nothing fits better.
      (v->in ? explicitMisfit : fits) = v->in != nullptr;
    }
    if (fits)
      (explicitMisfit ? loose : strict).push_back(static_cast<SplitId>(s));
  }
  return strict.empty() && !tuple.defining ? loose : strict;
}

bool Checker::assignSplit(TupleUse &tuple, int level) {
  if (tuple.split >= 0 || tuple.poisoned)
    return false;
  if (!tuple.defining) {
    if (sitePoisoned(tuple.site)) {
      tuple.poisoned = true;
      return true;
    }
    if (rankOfSite(tuple.site) < 0)
      return false;
  }
  std::vector<SplitId> fitting = fittingSplits(tuple, level >= 2);
  if (fitting.size() == 1) {
    tuple.split = fitting[0];
    return true;
  }
  return false;
}

/// Left sides give intermediates their ranks.
bool Checker::fillTensorRanks(EquationState &state) {
  if (state.tensor < 0)
    return false;
  ein::Tensor &tensor = out.tensors[state.tensor];
  if (tensor.role != ein::Role::Intermediate)
    return false;
  bool changed = false;
  size_t v = 0;
  for (size_t i = 0; i < state.stmt->left.size(); ++i) {
    const ast::Left &left = state.stmt->left[i];
    RankId rank = -1;
    bool poisoned = false;
    if (left.tuple) {
      const TupleUse *tuple = state.leftTuples.at(&left);
      rank = tuple->split < 0 ? -1 : out.splits[tuple->split].whole;
      poisoned = tuple->poisoned;
    } else {
      rank = state.left[v]->rank;
      poisoned = state.left[v]->poisoned;
    }
    v += left.binds.size();
    if (rank >= 0 && tensor.ranks[i] < 0) {
      tensor.ranks[i] = rank;
      changed = true;
    }
    if (poisoned && !tensorPoisoned[state.tensor]) {
      tensorPoisoned[state.tensor] = true;
      changed = true;
    }
  }
  return changed;
}

void Checker::inferRanks() {
  for (int level = 0; level <= 2;) {
    bool changed = false;
    for (EquationState &state : equations) {
      if (state.tensor < 0)
        continue;
      for (Variable &v : state.variables) {
        changed |= assignRank(state, v, level);
        if (changed && level == 2)
          break; // one guess at a time: the rest may follow from it
      }
      if (!(changed && level == 2))
        for (TupleUse &tuple : state.tuples) {
          changed |= assignSplit(tuple, level);
          if (changed && level == 2)
            break;
        }
      changed |= fillTensorRanks(state);
      if (changed && level == 2)
        break;
    }
    level = changed ? 0 : level + 1;
  }
  for (EquationState &state : equations)
    if (state.tensor >= 0)
      verifyRanks(state);
}

void Checker::reportTuple(EquationState &, TupleUse &tuple) {
  tuple.poisoned = true;
  // A split of, or into, a rank without extent is what is wrong, if there is one.
  failed = true;
  for (const ein::Split &split : out.splits) {
    bool wrong = rankPoisoned[split.whole];
    for (RankId part : split.parts)
      wrong |= rankPoisoned[part];
    if (wrong && split.parts.size() == tuple.entries.size())
      return;
  }
  std::string entries;
  for (const Variable *v : tuple.entries)
    entries += (entries.empty() ? "" : ", ") + (!v             ? std::string("..")
                                                : v->rank >= 0 ? rankName(v->rank)
                                                               : v->name);
  if (tuple.defining) {
    int fitting = static_cast<int>(fittingSplits(tuple, true).size());
    error("ein-r7", tuple.range,
          fitting > 1 ? fmt::format("{} splits fit this tuple ({}); exactly one must", fitting, entries)
                      : fmt::format("no split fits this tuple ({})", entries));
    return;
  }
  RankId whole = rankOfSite(tuple.site);
  std::string_view name = out.ranks[whole].name;
  if (!unknown.insert(fmt::format("{} ({})", name, entries)).second)
    return; // the same mistake as in another equation
  std::vector<SplitId> fitting = fittingSplits(tuple, true);
  Diagnostic &d =
      error("ein-r7", tuple.range,
            fitting.size() > 1 ? fmt::format("{} splits of {} fit this tuple ({}); exactly one must",
                                             fitting.size(), name, entries)
                               : fmt::format("no split of {} fits this tuple ({})", name, entries));
  for (const ast::Stmt &stmt : source.body)
    if (stmt.form == ast::Stmt::Form::Split && ranks.at(stmt.name.text) == whole)
      d.notes.push_back({stmt.range, fmt::format("a split of {}", name)});
}

void Checker::verifyVariable(Variable &v) {
  if (v.poisoned)
    return;
  if (v.rank < 0) {
    v.poisoned = true;
    if (v.inVariable)
      return; // reported there
    for (auto &[site, range] : v.uses)
      if (sitePoisoned(site) || rankOfSite(site) < 0)
        return;
    error("ein-r3", v.range, fmt::format("'{}' has no rank here; write '{} in R'", v.name, v.name));
    return;
  }
  bool definesOutput = v.origin == Variable::Origin::Left;
  for (auto &[site, range] : v.uses) {
    RankId rank = rankOfSite(site);
    if (rank < 0 || rank == v.rank || sitePoisoned(site))
      continue;
    bool onLeft = definesOutput && range.begin == v.range.begin;
    if (v.in && !onLeft)
      continue; // a mere integer
    v.poisoned = true;
    if (rankPoisoned[rank] || rankPoisoned[v.rank])
      return; // a misspelt rank: reported where it has no extent
    // The same name between the same ranks is the same mistake in every equation.
    failed = true;
    if (!unknown.insert(fmt::format("{} {} {}", v.name, std::min(rank, v.rank), std::max(rank, v.rank)))
             .second)
      return;
    Diagnostic &d =
        error("ein-r6", range,
              fmt::format("'{}' ranges over {}, and here over {}; if they are one, write 'rank {} = {}'",
                          v.name, rankName(v.rank), rankName(rank), rankName(rank), rankName(v.rank)));
    d.notes.push_back({v.rankFrom, fmt::format("'{}' has its rank {} from here", v.name, rankName(v.rank))});
    return;
  }
}

void Checker::verifyRanks(EquationState &state) {
  for (TupleUse &tuple : state.tuples) {
    if (tuple.poisoned)
      continue;
    bool entriesPoisoned = false;
    for (const Variable *v : tuple.entries)
      entriesPoisoned |= v && v->poisoned;
    if (tuple.split < 0) {
      if (entriesPoisoned || (!tuple.defining && rankOfSite(tuple.site) < 0))
        tuple.poisoned = true;
      else
        reportTuple(state, tuple);
      continue;
    }
    const auto &parts = out.splits[tuple.split].parts;
    for (size_t i = 0; i < parts.size(); ++i) {
      Variable *v = tuple.entries[i];
      bool misfit = v && !v->poisoned && v->rank >= 0 && v->rank != parts[i];
      if (misfit && (!v->in || tuple.defining)) {
        reportTuple(state, tuple);
        break;
      }
    }
  }
  for (Variable &v : state.variables)
    verifyVariable(v);
  fillTensorRanks(state);
  ein::Tensor &tensor = out.tensors[state.tensor];
  for (RankId rank : tensor.ranks)
    if (rank < 0) {
      tensorPoisoned[state.tensor] = true;
      state.poisoned = true;
      failed = true;
    }
}

} // namespace einfall::frontend::sema
