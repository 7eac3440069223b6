//===- EinsumGraph.cpp - hoisting nested reductions; finding walks -------------------===//
#include "compiler/analysis/EinsumGraph.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace einfall::analysis {
using namespace ein;
namespace {

void addOnce(std::vector<VarId> &list, VarId v) {
  if (std::find(list.begin(), list.end(), v) == list.end())
    list.push_back(v);
}

/// Takes the equations apart.
class Builder {
public:
  Builder(EinsumGraph &graph) : graph(graph), cascade(graph.cascade) {}

  /// Appends the Einsums of an equation, its nested reductions first.
  void equation(int index) {
    const Equation &eq = cascade.equations[index];
    current = index;
    seen.clear();
    Einsum e;
    e.name = cascade.tensors[eq.tensor].name;
    e.equation = index;
    e.range = eq.range;
    e.ranks = cascade.tensors[eq.tensor].ranks;
    for (const ExprRef &l : eq.lhs)
      e.left.push_back(freeVariables(l));
    e.space = eq.vars;
    if (eq.rhs->op == ExprOp::Reduce)
      reduction(*eq.rhs, e);
    else
      collect(eq.rhs, e);
    if (eq.where)
      collect(eq.where, e);
    if (eq.init)
      collect(eq.init, e);
    graph.ofEquation[index] = int(graph.einsums.size());
    graph.einsums.push_back(std::move(e));
  }

private:
  /// The variables, operands and operator of a reduction go to `e`.
  void reduction(const Expr &r, Einsum &e) {
    e.reduces = true;
    e.op = r.reduce;
    // A scan or selection at a plain coordinate walks with that coordinate.
    std::map<VarId, ExprRef> renamed;
    for (size_t i = 0; i < r.vars.size(); ++i) {
      VarId v = r.vars[i];
      if (!keepsVariables(r.reduce)) {
        e.removed.push_back(v);
      } else {
        if (i < r.at.size() && r.at[i]->op == ExprOp::Coord) {
          renamed[v] = r.at[i];
          v = r.at[i]->id;
        }
        (isScan(r.reduce) ? e.scanned : e.selected).push_back(v);
      }
      addOnce(e.space, v);
    }
    auto part = [&](const ExprRef &x) {
      if (!x)
        return;
      collect(renamed.empty() ? x
                              : substitute(x,
                                           [&](VarId v) {
                                             auto it = renamed.find(v);
                                             return it == renamed.end() ? ExprRef() : it->second;
                                           }),
              e);
    };
    part(r.args[0]);
    part(r.filter);
    part(r.aux);
  }

  void collect(const ExprRef &x, Einsum &e) {
    switch (x->op) {
    case ExprOp::Coord:
      addOnce(e.space, x->id);
      return;
    case ExprOp::Read: {
      Access a;
      a.tensor = x->id;
      a.subscripts = x->args;
      e.reads.push_back(std::move(a));
      break;
    }
    case ExprOp::Reduce: {
      e.reads.push_back(hoist(x));
      for (const ExprRef &s : e.reads.back().subscripts)
        for (VarId v : freeVariables(s))
          addOnce(e.space, v);
      for (const ExprRef &at : x->at)
        collect(at, e);
      return;
    }
    default:
      break;
    }
    for (const ExprRef &a : x->args)
      collect(a, e);
  }

  /// Makes an Einsum of a nested reduction and returns the read of it.
  Access hoist(const ExprRef &x) {
    for (auto &[expr, access] : seen)
      if (ein::equal(expr, x))
        return access;
    Einsum e;
    e.equation = current;
    e.nested = true;
    e.range = x->range.line ? x->range : cascade.equations[current].range;
    e.name = ein::print(cascade, x);
    if (e.name.size() > 48)
      e.name = e.name.substr(0, 45) + "...";
    Access access;
    for (VarId v : freeVariables(x)) {
      bool inPlaceOnly = false; // it occurs only in `at`: an output of its own below
      for (const ExprRef &at : x->at)
        if (at->op != ExprOp::Coord)
          for (VarId u : freeVariables(at))
            inPlaceOnly |= u == v;
      if (inPlaceOnly && !inBody(*x, v))
        continue;
      e.left.push_back({v});
      e.ranks.push_back(cascade.rankOf(v));
      e.space.push_back(v);
      access.subscripts.push_back(coord(v));
    }
    reduction(*x, e);
    if (keepsVariables(x->reduce))
      for (size_t i = 0; i < x->vars.size() && i < x->at.size(); ++i)
        if (x->at[i]->op != ExprOp::Coord) {
          e.left.push_back({x->vars[i]});
          e.ranks.push_back(cascade.rankOf(x->vars[i]));
          access.subscripts.push_back(x->at[i]);
        }
    access.einsum = int(graph.einsums.size());
    graph.einsums.push_back(std::move(e));
    seen.emplace_back(x, access);
    return access;
  }

  static bool inBody(const Expr &r, VarId v) {
    for (const ExprRef &part : {r.args[0], r.filter, r.aux})
      if (part)
        for (VarId u : freeVariables(part))
          if (u == v)
            return true;
    return false;
  }

  EinsumGraph &graph;
  const Cascade &cascade;
  int current = -1;
  std::vector<std::pair<ExprRef, Access>> seen; ///< reductions of this equation
};

/// Variables of a subscript outside index tensors: `t` of `t-1`, not of `page[t]`.
void directVariables(const ExprRef &e, std::vector<VarId> &out) {
  if (e->op == ExprOp::Coord)
    addOnce(out, e->id);
  if (e->op == ExprOp::Read || e->op == ExprOp::Reduce)
    return;
  for (const ExprRef &a : e->args)
    directVariables(a, out);
}

/// Union-find over variables and tensor positions that refuses to join two
/// overlapping variables of one Einsum.
class Walks {
public:
  Walks(const EinsumGraph &graph, size_t positions)
      : graph(graph), parent(graph.cascade.variables.size() + positions), members(parent.size()) {
    std::iota(parent.begin(), parent.end(), 0);
    for (int n = 0; n < int(graph.einsums.size()); ++n)
      for (VarId v : graph.einsums[n].space)
        members[v][n].push_back(v);
  }

  int find(int x) {
    while (parent[x] != x)
      x = parent[x] = parent[parent[x]];
    return x;
  }

  void join(int a, int b) {
    a = find(a), b = find(b);
    if (a == b)
      return;
    if (members[a].size() < members[b].size())
      std::swap(a, b);
    for (auto &[einsum, vars] : members[b])
      if (auto it = members[a].find(einsum); it != members[a].end())
        for (VarId x : vars)
          for (VarId y : it->second)
            if (x != y && graph.overlap(graph.cascade.rankOf(x), graph.cascade.rankOf(y)))
              return;
    for (auto &[einsum, vars] : members[b])
      for (VarId v : vars)
        addOnce(members[a][einsum], v);
    members[b].clear();
    parent[b] = a;
  }

private:
  const EinsumGraph &graph;
  std::vector<int> parent;
  std::vector<std::map<int, std::vector<VarId>>> members; ///< Einsum -> variables of the class
};

} // namespace

EinsumGraph::EinsumGraph(const Cascade &cascade) : cascade(cascade) {
  ancestors_.resize(cascade.ranks.size());
  for (RankId r = 0; r < int(cascade.ranks.size()); ++r) {
    ancestors_[r] = {r};
    for (size_t i = 0; i < ancestors_[r].size(); ++i)
      for (const Split &s : cascade.splits)
        if (std::find(s.parts.begin(), s.parts.end(), ancestors_[r][i]) != s.parts.end() &&
            std::find(ancestors_[r].begin(), ancestors_[r].end(), s.whole) == ancestors_[r].end())
          ancestors_[r].push_back(s.whole);
  }
  build();
  findWalks();
}

void EinsumGraph::build() {
  ofEquation.assign(cascade.equations.size(), -1);
  Builder builder(*this);
  for (const Component &c : cascade.schedule) {
    int before = int(einsums.size());
    for (int e : c.equations)
      builder.equation(e);
    components.emplace_back();
    for (int n = before; n < int(einsums.size()); ++n) {
      components.back().push_back(n);
      componentOf.push_back(int(components.size()) - 1);
    }
  }
  // Reads of tensors with an equation become reads of its Einsum.
  for (Einsum &e : einsums)
    for (Access &a : e.reads)
      if (a.tensor >= 0)
        if (int eq = cascade.equationIndexOf(a.tensor); eq >= 0)
          a.einsum = ofEquation[eq];
}

void EinsumGraph::findWalks() {
  // Positions are numbered after the variables: Einsum outputs, then inputs.
  int next = int(cascade.variables.size());
  std::vector<int> ofEinsum(einsums.size()), ofTensor(cascade.tensors.size());
  for (size_t n = 0; n < einsums.size(); ++n) {
    ofEinsum[n] = next;
    next += int(einsums[n].left.size());
  }
  for (size_t t = 0; t < cascade.tensors.size(); ++t) {
    ofTensor[t] = next;
    next += int(cascade.tensors[t].ranks.size());
  }
  Walks walks(*this, size_t(next) - cascade.variables.size());
  for (size_t n = 0; n < einsums.size(); ++n)
    for (size_t p = 0; p < einsums[n].left.size(); ++p)
      for (VarId v : einsums[n].left[p])
        walks.join(ofEinsum[n] + int(p), v);

  // Einsums with several walks over one rank first: they tell the walks apart.
  // Tensors that are computed before inputs: one input may serve both walks.
  auto several = [&](const Einsum &e) {
    for (VarId a : e.space)
      for (VarId b : e.space)
        if (a != b && overlap(cascade.rankOf(a), cascade.rankOf(b)))
          return true;
    return false;
  };
  std::vector<bool> isSeveral;
  for (const Einsum &e : einsums)
    isSeveral.push_back(several(e));
  for (int round = 0; round < 4; ++round)
    for (size_t n = 0; n < einsums.size(); ++n) {
      if (isSeveral[n] != (round < 2))
        continue;
      for (const Access &a : einsums[n].reads) {
        bool isInput = a.einsum < 0;
        if (isInput != (round % 2 == 1))
          continue;
        const auto &ranks = isInput ? cascade.tensors[a.tensor].ranks : einsums[a.einsum].ranks;
        int base = isInput ? ofTensor[a.tensor] : ofEinsum[a.einsum];
        for (size_t p = 0; p < a.subscripts.size() && p < ranks.size(); ++p) {
          std::vector<VarId> vars;
          directVariables(a.subscripts[p], vars);
          for (VarId v : vars)
            if (shareRoot(cascade.rankOf(v), ranks[p]))
              walks.join(base + int(p), v);
        }
      }
    }

  // Number the classes that have variables.
  std::map<int, int> number;
  walkOf.assign(cascade.variables.size(), -1);
  for (const Einsum &e : einsums)
    for (VarId v : e.space)
      walkOf[v] = number.emplace(walks.find(v), int(number.size())).first->second;
  walkCount = int(number.size());
  for (size_t n = 0; n < einsums.size(); ++n) {
    positionWalk_.emplace_back();
    for (size_t p = 0; p < einsums[n].left.size(); ++p) {
      auto it = number.find(walks.find(ofEinsum[n] + int(p)));
      positionWalk_.back().push_back(it == number.end() ? -1 : it->second);
    }
  }
}

int EinsumGraph::walkAt(int einsum, size_t position) const { return positionWalk_[einsum][position]; }

bool EinsumGraph::isWithin(RankId part, RankId whole) const {
  const auto &a = ancestors_[part];
  return std::find(a.begin(), a.end(), whole) != a.end();
}

bool EinsumGraph::shareRoot(RankId a, RankId b) const {
  for (RankId r : ancestors_[a])
    if (isWithin(b, r))
      return true;
  return false;
}

bool EinsumGraph::overlap(RankId a, RankId b) const {
  if (!shareRoot(a, b))
    return false;
  if (isWithin(a, b) || isWithin(b, a))
    return true;
  for (const Split &s : cascade.splits)
    for (RankId x : s.parts)
      for (RankId y : s.parts)
        if (x != y && isWithin(a, x) && isWithin(b, y))
          return false;
  return true;
}

} // namespace einfall::analysis
