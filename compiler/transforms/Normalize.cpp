#include "compiler/transforms/Normalize.h"
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

namespace einfall::transforms {
using namespace ein;

namespace {

/// Fresh bound variables and coordinates: `e` with each variable of `from`
/// replaced by the variable at the same place of `to`.
ExprRef rename(const ExprRef &e, const std::vector<VarId> &from, const std::vector<VarId> &to) {
  return substitute(e, [&](VarId v) -> ExprRef {
    auto it = std::find(from.begin(), from.end(), v);
    return it == from.end() ? nullptr : coord(to[it - from.begin()]);
  });
}

class Normalizer {
public:
  explicit Normalizer(const Cascade &source) : out(source) {}

  Cascade run() {
    std::vector<Equation> todo = std::move(out.equations);
    out.equations.clear();
    std::set<int> cyclic;
    for (const Component &c : out.schedule)
      if (c.rank >= 0)
        cyclic.insert(c.equations.begin(), c.equations.end());
    std::vector<int> order;
    for (const Component &c : out.schedule)
      order.insert(order.end(), c.equations.begin(), c.equations.end());
    for (int i : order) {
      inCycle = cyclic.count(i);
      process(std::move(todo[i]));
    }
    inferExistence(out);
    reschedule(out);
    return std::move(out);
  }

private:
  struct Known {
    ExprRef canonical; ///< free variables as Coord(-2), Coord(-3), ..
    std::vector<RankId> ranks;
    TensorId tensor;
    std::vector<int> place; ///< tensor's subscript i is free variable place[i]
  };

  Cascade out;
  std::unordered_multimap<size_t, Known> known;
  bool inCycle = false;
  std::string owner;
  Equation *current = nullptr;
  int counter = 0;

  void process(Equation eq) {
    owner = out.tensors[eq.tensor].name;
    counter = 0;
    current = &eq;
    eq.where = inner(eq.where);
    eq.init = inner(eq.init);
    bool root = eq.rhs->op == ExprOp::Reduce && rootFits(eq);
    eq.rhs = root ? operands(eq.rhs) : inner(eq.rhs);
    if (root && eq.rhs->reduce == ReduceOp::Mean)
      splitMean(eq);
    else if (root && !inCycle && !eq.where && !eq.init)
      remember(eq);
    nameInvariants(eq);
    out.equations.push_back(std::move(eq));
  }

  /// A kink: a function that the algebra cannot look into.
  static bool kinked(const Expr &e) {
    if (e.op == ExprOp::Call)
      return e.fn == Fn::Abs || e.fn == Fn::Sign || e.fn == Fn::Relu || e.fn == Fn::Floor ||
             e.fn == Fn::Ceil || e.fn == Fn::Round;
    return e.op == ExprOp::Min || e.op == ExprOp::Max || e.op == ExprOp::If || e.op == ExprOp::Else;
  }

  /// Results under a kink that is the same along a reduction (or along a variable
  /// of a map) become a tensor of their own, max(x[p], sink[p]) in exp(s[p,m] -
  /// max(x[p], sink[p])): the kink is then at the level of the rows, where it is harmless.
  void nameInvariants(Equation &eq) {
    if (inCycle || eq.init)
      return;
    Equation *saved = current;
    current = &eq;
    const ExprRef &r = eq.rhs;
    if (r->op == ExprOp::Reduce && !keepsVariables(r->reduce) && !isSelection(r->reduce)) {
      ExprRef body = withoutKinks(r->args[0], [&](const std::vector<VarId> &free) {
        return std::none_of(free.begin(), free.end(), [&](VarId v) {
          return std::find(r->vars.begin(), r->vars.end(), v) != r->vars.end();
        });
      });
      if (body != r->args[0])
        eq.rhs = withArgs(*r, {body});
    } else if (r->op != ExprOp::Reduce && out.tensors[eq.tensor].role == Role::Intermediate) {
      eq.rhs = withoutKinks(r, [&](const std::vector<VarId> &free) { return free.size() < eq.vars.size(); });
    }
    current = saved;
  }

  ExprRef withoutKinks(const ExprRef &e, const std::function<bool(const std::vector<VarId> &)> &invariant) {
    if (e->op == ExprOp::Reduce)
      return e;
    if (e->kind == Kind::Float && kinked(*e)) {
      bool computed = false, reduces = false;
      walk(e, [&](const Expr &x) {
        computed |= x.op == ExprOp::Read && out.tensors[x.id].role != Role::Input;
        reduces |= x.op == ExprOp::Reduce;
      });
      std::vector<VarId> free = freeVariables(e);
      if (computed && !reduces && !free.empty() && invariant(free))
        return hoist(e);
    }
    bool changed = false;
    std::vector<ExprRef> args;
    for (const ExprRef &a : e->args) {
      args.push_back(withoutKinks(a, invariant));
      changed |= args.back() != a;
    }
    return changed ? withArgs(*e, std::move(args)) : e;
  }

  /// A root that keeps its variables must give exactly the left variables.
  static bool rootFits(const Equation &eq) {
    if (!keepsVariables(eq.rhs->reduce) && !isSelection(eq.rhs->reduce))
      return true;
    if (eq.where || eq.init)
      return false;
    std::set<VarId> seen;
    for (const ExprRef &a : eq.rhs->at)
      if (a->op != ExprOp::Coord || !seen.insert(a->id).second ||
          std::find(eq.vars.begin(), eq.vars.end(), a->id) == eq.vars.end())
        return false;
    for (const ExprRef &l : eq.lhs)
      if (l->op != ExprOp::Coord)
        return false;
    return true;
  }

  /// Every reduction below `e`, `e` included, becomes a read.
  ExprRef inner(const ExprRef &e) {
    if (!e)
      return e;
    ExprRef x = operands(e);
    return x->op == ExprOp::Reduce && wantsOut(x) ? hoist(x) : x;
  }

  bool wantsOut(const ExprRef &e) {
    if (!inCycle || isScan(e->reduce) || isSelection(e->reduce) || e->reduce == ReduceOp::Mean)
      return true;
    return freeVariables(e).size() < current->vars.size();
  }

  /// `e` with everything below it normalised.
  ExprRef operands(const ExprRef &e) {
    bool changed = false;
    auto each = [&](const ExprRef &x) {
      ExprRef y = inner(x);
      changed |= y != x;
      return y;
    };
    std::vector<ExprRef> args, at;
    for (auto &a : e->args)
      args.push_back(each(a));
    for (auto &a : e->at)
      at.push_back(each(a));
    ExprRef filter = each(e->filter), aux = each(e->aux);
    if (!changed)
      return e;
    auto copy = std::make_shared<Expr>(*e);
    copy->args = std::move(args);
    copy->at = std::move(at);
    copy->filter = filter;
    copy->aux = aux;
    return copy;
  }

  ExprRef canonical(const ExprRef &e, const std::vector<VarId> &free) {
    return substitute(e, [&](VarId v) -> ExprRef {
      auto it = std::find(free.begin(), free.end(), v);
      return it == free.end() ? nullptr : coord(-2 - static_cast<int>(it - free.begin()));
    });
  }

  const Known *find(const ExprRef &canonicalForm, const std::vector<RankId> &ranks) {
    auto [first, last] = known.equal_range(hash(canonicalForm));
    for (auto it = first; it != last; ++it)
      if (it->second.ranks == ranks && equal(it->second.canonical, canonicalForm))
        return &it->second;
    return nullptr;
  }

  std::vector<RankId> ranksOf(const std::vector<VarId> &vars) {
    std::vector<RankId> ranks;
    for (VarId v : vars)
      ranks.push_back(out.rankOf(v));
    return ranks;
  }

  void remember(const Equation &eq) {
    if (keepsVariables(eq.rhs->reduce) || out.tensors[eq.tensor].annotated)
      return;
    std::vector<VarId> free = freeVariables(eq.rhs);
    if (free.size() != eq.lhs.size())
      return;
    Known k{canonical(eq.rhs, free), ranksOf(free), eq.tensor, {}};
    for (const ExprRef &l : eq.lhs) {
      auto it = l->op == ExprOp::Coord ? std::find(free.begin(), free.end(), l->id) : free.end();
      if (it == free.end())
        return;
      k.place.push_back(static_cast<int>(it - free.begin()));
    }
    size_t h = hash(k.canonical);
    known.emplace(h, std::move(k));
  }

  std::string freshName() {
    std::string name;
    do
      name = owner + "_" + std::to_string(++counter);
    while (out.tensorNamed(name) >= 0);
    return name;
  }

  /// `e` (already normalised below) as an equation; a read of it.
  ExprRef hoist(const ExprRef &e) {
    // Kept variables get their value at `at`: the new tensor ranges over them.
    std::vector<VarId> keptFree;
    std::vector<ExprRef> keptAt;
    ExprRef body = e;
    if (keepsVariables(e->reduce)) {
      auto copy = std::make_shared<Expr>(*e);
      copy->at.clear();
      for (size_t i = 0; i < e->vars.size(); ++i) {
        const Variable v = out.variables[e->vars[i]];
        VarId free = out.addVariable(v.name, v.rank);
        keptFree.push_back(free);
        keptAt.push_back(e->at[i]);
        copy->at.push_back(coord(free));
      }
      body = copy;
    }
    std::vector<VarId> free = freeVariables(body);
    std::erase_if(free,
                  [&](VarId v) { return std::find(keptFree.begin(), keptFree.end(), v) != keptFree.end(); });
    std::vector<ExprRef> subscripts;
    for (VarId v : free)
      subscripts.push_back(coord(v));
    subscripts.insert(subscripts.end(), keptAt.begin(), keptAt.end());
    std::vector<VarId> all = free;
    all.insert(all.end(), keptFree.begin(), keptFree.end());

    ExprRef form = canonical(body, all);
    if (const Known *k = inCycle ? nullptr : find(form, ranksOf(all))) {
      std::vector<ExprRef> permuted;
      for (int place : k->place)
        permuted.push_back(subscripts[place]);
      return read(k->tensor, e->kind, permuted);
    }

    Equation eq;
    std::vector<VarId> fresh;
    for (VarId v : all) {
      const Variable copy = out.variables[v];
      fresh.push_back(out.addVariable(copy.name, copy.rank));
    }
    eq.vars = fresh;
    for (VarId v : fresh)
      eq.lhs.push_back(coord(v));
    eq.rhs = rename(body, all, fresh);
    eq.range = current->range;
    Tensor t;
    t.name = freshName();
    t.role = Role::Intermediate;
    t.ranks = ranksOf(all);
    t.plus.assign(t.ranks.size(), 0);
    t.range = current->range;
    t.type = e->kind == Kind::Bool         ? Type::Bool
             : e->kind == Kind::Int        ? Type::I64
             : out.computesInF64(*current) ? Type::F64
                                           : Type::F32;
    eq.tensor = out.addTensor(t);
    TensorId tensor = eq.tensor;
    if (!inCycle) {
      Known k{form, ranksOf(all), tensor, {}};
      for (size_t i = 0; i < all.size(); ++i)
        k.place.push_back(static_cast<int>(i));
      known.emplace(hash(form), std::move(k));
    }
    if (eq.rhs->op == ExprOp::Reduce && eq.rhs->reduce == ReduceOp::Mean)
      splitMean(eq);
    nameInvariants(eq);
    out.equations.push_back(std::move(eq));
    return read(tensor, e->kind, subscripts);
  }

  /// eq: T = mean[v where c] x   becomes   T = sum[v where c] x / count[v where c] exists(x)
  /// where the count is positive.
  void splitMean(Equation &eq) {
    ExprRef mean = eq.rhs;
    auto sum = std::make_shared<Expr>(*mean);
    sum->reduce = ReduceOp::Sum;
    if (sum->args[0]->kind != Kind::Float)
      sum->args[0] = unary(ExprOp::ToFloat, sum->args[0]);
    std::vector<VarId> counted;
    for (VarId v : mean->vars) {
      const Variable copy = out.variables[v];
      counted.push_back(out.addVariable(copy.name, copy.rank));
    }
    auto count = std::make_shared<Expr>(*mean);
    count->reduce = ReduceOp::Count;
    count->kind = Kind::Int;
    count->vars = counted;
    count->args = {unary(ExprOp::Exists, rename(mean->args[0], mean->vars, counted))};
    count->filter = mean->filter ? rename(mean->filter, mean->vars, counted) : nullptr;
    Equation *saved = current;
    current = &eq;
    ExprRef total = hoist(sum), points = hoist(count);
    current = saved;
    eq.rhs = binary(ExprOp::Div, total, unary(ExprOp::ToFloat, points));
    ExprRef positive = binary(ExprOp::Gt, points, integer(0));
    eq.where = eq.where ? binary(ExprOp::And, eq.where, positive) : positive;
  }
};

} // namespace

Cascade normalize(const Cascade &cascade) { return Normalizer(cascade).run(); }

} // namespace einfall::transforms
