//===- Existence.cpp - which points certainly exist (ein-r14 to r17) -----------===//
//
// A reduction whose body may lack a value at some of the reduced points sums
// what exists; one whose body's existence does not vary along the reduced rank
// is all or nothing (ein-r17). So two questions are answered here for every
// tensor, from its equation and with no data:
//
//   depends     on which of its ranks does the existence of a point depend?
//               The least solution: starts with "on none" and grows.
//   everywhere  has every point in range a value for certain?
//               The greatest solution: starts with "yes" and shrinks.
//
// Example: `S[p,m] = Q[p,e] * K[m,e] where m <= p` depends on both its ranks, so
// `sum[m] exp(S[p,m])` is partial; `sum[e] Q[p,e] * K[p-w,e]` is not: the
// subscript p-w may miss, but not depending on e.
//
//===----------------------------------------------------------------------===//
#include "dialects/ein/Cascade.h"
#include <algorithm>
#include <unordered_map>

namespace einfall::ein {

namespace {

/// Sorted, without repetition.
using Variables = std::vector<VarId>;

void unite(Variables &a, const Variables &b) {
  if (b.empty())
    return;
  Variables merged;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged));
  a = std::move(merged);
}
void erase(Variables &a, VarId v) {
  auto it = std::lower_bound(a.begin(), a.end(), v);
  if (it != a.end() && *it == v)
    a.erase(it);
}
bool contains(const Variables &a, VarId v) { return std::binary_search(a.begin(), a.end(), v); }

bool isConstant(const ExprRef &e) {
  bool constant = true;
  walk(e, [&](const Expr &x) { constant &= x.op != ExprOp::Coord && x.op != ExprOp::Read; });
  return constant;
}

/// Integer minima and maxima of nothing have no value, unlike those of floats.
bool hasIdentity(const Expr &e) {
  switch (e.reduce) {
  case ReduceOp::Sum:
  case ReduceOp::Prod:
    return true;
  case ReduceOp::Max:
  case ReduceOp::Min:
    return e.kind == Kind::Float;
  default:
    return false;
  }
}

class Existence {
public:
  explicit Existence(Cascade &cascade) : cascade(cascade) {}

  void run() {
    for (Tensor &t : cascade.tensors) {
      t.depends.assign(t.ranks.size(), false);
      t.everywhere = true;
    }
    solveDepends();
    for (Equation &e : cascade.equations)
      for (ExprRef *x : {&e.rhs, &e.where, &e.init})
        if (*x)
          *x = marked(*x);
    solveEverywhere();
  }

private:
  Cascade &cascade;
  std::unordered_map<const Expr *, Variables> freeOf, dependsOf;
  std::unordered_map<const Expr *, ExprRef> markedOf;
  std::unordered_map<const Expr *, bool> missesOf;

  bool isPlain(const ExprRef &subscript, RankId rank) const {
    return subscript->op == ExprOp::Coord && cascade.rankOf(subscript->id) == rank;
  }

  const Variables &free(const ExprRef &e) {
    if (auto it = freeOf.find(e.get()); it != freeOf.end())
      return it->second;
    Variables result;
    if (e->op == ExprOp::Coord)
      result = {e->id};
    for (const ExprRef &x : e->args)
      unite(result, free(x));
    if (e->filter)
      unite(result, free(e->filter));
    if (e->op == ExprOp::Reduce)
      for (VarId v : e->vars)
        erase(result, v);
    for (const ExprRef &x : e->at)
      unite(result, free(x));
    if (e->aux)
      unite(result, free(e->aux));
    return freeOf[e.get()] = std::move(result);
  }

  /// The variables on which it depends whether `e` has a value (ein-r16).
  const Variables &depends(const ExprRef &e) {
    if (auto it = dependsOf.find(e.get()); it != dependsOf.end())
      return it->second;
    Variables result = dependsNow(e);
    return dependsOf[e.get()] = std::move(result);
  }

  Variables dependsNow(const ExprRef &e) {
    Variables result;
    if (e->kind == Kind::Bool)
      return result;
    switch (e->op) {
    case ExprOp::Read: {
      const Tensor &t = cascade.tensors[e->id];
      for (size_t i = 0; i < e->args.size(); ++i) {
        if (!isPlain(e->args[i], t.ranks[i]) || t.depends[i])
          unite(result, free(e->args[i]));
      }
      return result;
    }
    case ExprOp::IDiv:
    case ExprOp::Mod:
      result = depends(e->args[0]);
      unite(result, depends(e->args[1]));
      if (!isConstant(e->args[1]))
        unite(result, free(e->args[1]));
      return result;
    case ExprOp::If:
      result = depends(e->args[1]);
      unite(result, depends(e->args[2]));
      if (!result.empty())
        unite(result, free(e->args[0]));
      return result;
    case ExprOp::Else:
      return depends(e->args[1]);
    case ExprOp::Reduce:
      return dependsReduce(*e);
    default:
      for (const ExprRef &x : e->args)
        unite(result, depends(x));
      return result;
    }
  }

  bool isPartial(const Expr &e) {
    const Variables &body = depends(e.args[0]);
    return std::any_of(e.vars.begin(), e.vars.end(), [&](VarId v) { return contains(body, v); });
  }

  Variables dependsReduce(const Expr &e) {
    Variables result;
    if (e.reduce == ReduceOp::Count)
      return result;
    const Variables &body = depends(e.args[0]);
    if (keepsVariables(e.reduce)) {
      // The value at a point: where the body has one there.
      result = body;
      for (size_t i = 0; i < e.vars.size(); ++i)
        if (contains(body, e.vars[i])) {
          erase(result, e.vars[i]);
          unite(result, free(e.at[i]));
        }
      return result;
    }
    if (!isPartial(e))
      result = body;
    if (hasIdentity(e))
      return result;
    // No value where nothing takes part: also on what decides that.
    Variables others = free(e.args[0]);
    if (e.filter)
      unite(others, free(e.filter));
    for (VarId v : e.vars)
      erase(others, v);
    unite(result, others);
    if (e.aux) {
      unite(result, free(e.aux));
      unite(result, depends(e.aux));
    }
    return result;
  }

  void solveDepends() {
    for (bool changed = true; changed;) {
      changed = false;
      dependsOf.clear();
      for (const Equation &eq : cascade.equations) {
        Tensor &t = cascade.tensors[eq.tensor];
        if (kindOf(t.type) == Kind::Bool)
          continue;
        Variables on = depends(eq.rhs);
        if (eq.where)
          unite(on, free(eq.where));
        for (size_t i = 0; i < eq.lhs.size(); ++i) {
          if (t.depends[i])
            continue;
          for (VarId v : free(eq.lhs[i]))
            if (contains(on, v) && !t.depends[i])
              t.depends[i] = changed = true;
        }
      }
    }
    dependsOf.clear();
  }

  /// A copy with `partial` set in every reduction; shared parts stay shared.
  ExprRef marked(const ExprRef &e) {
    if (auto it = markedOf.find(e.get()); it != markedOf.end())
      return it->second;
    bool changed = false;
    auto each = [&](const ExprRef &x) {
      if (!x)
        return x;
      ExprRef y = marked(x);
      changed |= y != x;
      return y;
    };
    Expr copy = *e;
    for (ExprRef &x : copy.args)
      x = each(x);
    for (ExprRef &x : copy.at)
      x = each(x);
    copy.filter = each(copy.filter);
    copy.aux = each(copy.aux);
    if (e->op == ExprOp::Reduce) {
      copy.partial = isPartial(*e);
      changed |= copy.partial != e->partial;
    }
    ExprRef result = changed ? std::make_shared<const Expr>(std::move(copy)) : e;
    kept.push_back(e);
    return markedOf[e.get()] = result;
  }
  std::vector<ExprRef> kept; ///< the memos go by address

  // ---- points that certainly have a value ----

  /// `split M = (N, C)` has no short last block: some part but the first follows
  /// from the others by exact division, or the numbers say so.
  bool isExact(const Split &split) const {
    auto given = [&](RankId rank) {
      if (cascade.ranks[rank].fixed || cascade.ranks[rank].definition)
        return true;
      for (const Tensor &t : cascade.tensors)
        if (t.role == Role::Input && std::count(t.ranks.begin(), t.ranks.end(), rank))
          return true;
      for (const Split &other : cascade.splits)
        if (&other != &split &&
            (other.whole == rank || std::count(other.parts.begin(), other.parts.end(), rank)))
          return true;
      return false;
    };
    if (!given(split.whole))
      return true; // the product of its parts
    for (size_t i = 1; i < split.parts.size(); ++i)
      if (!given(split.parts[i]))
        return true;
    int64_t product = 1;
    for (RankId part : split.parts)
      if (!cascade.ranks[part].fixed || __builtin_mul_overflow(product, *cascade.ranks[part].fixed, &product))
        return false;
    return cascade.ranks[split.whole].fixed && product == *cascade.ranks[split.whole].fixed;
  }

  /// A subscript that certainly lies in its rank.
  bool inRange(const ExprRef &subscript, RankId rank) {
    if (isPlain(subscript, rank))
      return true;
    if (subscript->op == ExprOp::Number)
      return cascade.ranks[rank].fixed && subscript->integer >= 0 &&
             subscript->integer < *cascade.ranks[rank].fixed;
    if (subscript->op != ExprOp::Tuple)
      return false;
    const Split &split = cascade.splits[subscript->id];
    for (size_t i = 0; i < split.parts.size(); ++i)
      if (!inRange(subscript->args[i], split.parts[i]))
        return false;
    return isExact(split);
  }

  /// A step before the start that reads `init`.
  bool readsInit(const Expr &read, size_t position) {
    const Equation *eq = cascade.equationOf(read.id);
    if (!eq || !eq->init || eq->initRank != static_cast<int>(position))
      return false;
    const ExprRef &s = read.args[position];
    bool step = (s->op == ExprOp::Sub && !eq->initBackward) || (s->op == ExprOp::Add && eq->initBackward);
    return step && isPlain(s->args[0], cascade.tensors[read.id].ranks[position]) &&
           s->args[1]->op == ExprOp::Number && s->args[1]->integer >= 0 && !misses(eq->init);
  }

  bool misses(const ExprRef &e) {
    if (e->kind == Kind::Bool)
      return false;
    if (auto it = missesOf.find(e.get()); it != missesOf.end())
      return it->second;
    bool result = missesNow(*e);
    return missesOf[e.get()] = result;
  }

  bool missesNow(const Expr &e) {
    switch (e.op) {
    case ExprOp::Read: {
      const Tensor &t = cascade.tensors[e.id];
      if (!t.everywhere)
        return true;
      for (size_t i = 0; i < e.args.size(); ++i)
        if (!inRange(e.args[i], t.ranks[i]) && !readsInit(e, i))
          return true;
      return false;
    }
    case ExprOp::IDiv:
    case ExprOp::Mod: {
      const Expr &d = *e.args[1];
      bool nonZero = (d.op == ExprOp::Number && d.integer != 0) ||
                     (d.op == ExprOp::Extent && cascade.ranks[d.id].fixed && *cascade.ranks[d.id].fixed != 0);
      return !nonZero || misses(e.args[0]);
    }
    case ExprOp::If:
      return misses(e.args[1]) || misses(e.args[2]);
    case ExprOp::Else:
      return misses(e.args[1]);
    case ExprOp::Reduce:
      if (e.reduce == ReduceOp::Count)
        return false;
      if (keepsVariables(e.reduce))
        return misses(e.args[0]);
      if (!hasIdentity(e))
        return true;
      return !e.partial && misses(e.args[0]);
    default:
      return std::any_of(e.args.begin(), e.args.end(), [&](const ExprRef &x) { return misses(x); });
    }
  }

  void solveEverywhere() {
    for (bool changed = true; changed;) {
      changed = false;
      missesOf.clear();
      for (const Equation &eq : cascade.equations) {
        Tensor &t = cascade.tensors[eq.tensor];
        bool trivial = !eq.where || (eq.where->op == ExprOp::Number && eq.where->integer);
        if (t.everywhere && kindOf(t.type) != Kind::Bool && (!trivial || misses(eq.rhs))) {
          t.everywhere = false;
          changed = true;
        }
      }
    }
  }
};

} // namespace

void inferExistence(Cascade &cascade) { Existence(cascade).run(); }

} // namespace einfall::ein
