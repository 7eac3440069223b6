#include "dialects/ein/Recurrence.h"
#include <algorithm>

namespace einfall::ein {

Affine Affine::unknown() {
  Affine a;
  a.ok = false;
  return a;
}
Affine Affine::scaled(int64_t factor) const {
  Affine a = *this;
  a.ok &= !__builtin_mul_overflow(a.constant, factor, &a.constant);
  for (auto &[key, c] : a.terms)
    a.ok &= !__builtin_mul_overflow(c, factor, &c);
  return a;
}
Affine Affine::plus(const Affine &b) const {
  Affine a = *this;
  a.ok &= b.ok && !__builtin_add_overflow(a.constant, b.constant, &a.constant);
  for (auto &[key, c] : b.terms)
    a.ok &= !__builtin_add_overflow(a.terms[key], c, &a.terms[key]);
  std::erase_if(a.terms, [](auto &term) { return term.second == 0; });
  return a;
}

Affine affine(const Cascade &cascade, const ExprRef &e) {
  Affine a;
  switch (e->op) {
  case ExprOp::Number:
    a.constant = e->integer;
    a.ok = e->kind == Kind::Int;
    return a;
  case ExprOp::Coord:
    a.terms[e->id] = 1;
    return a;
  case ExprOp::Extent:
    if (cascade.ranks[e->id].fixed)
      a.constant = *cascade.ranks[e->id].fixed;
    else
      a.terms[-1 - e->id] = 1;
    return a;
  case ExprOp::Neg:
    return affine(cascade, e->args[0]).scaled(-1);
  case ExprOp::Add:
    return affine(cascade, e->args[0]).plus(affine(cascade, e->args[1]));
  case ExprOp::Sub:
    return affine(cascade, e->args[0]).plus(affine(cascade, e->args[1]).scaled(-1));
  case ExprOp::Mul:
    for (int i = 0; i < 2; ++i) {
      Affine factor = affine(cascade, e->args[i]);
      if (factor.ok && factor.terms.empty())
        return affine(cascade, e->args[1 - i]).scaled(factor.constant);
    }
    return Affine::unknown();
  default:
    return Affine::unknown();
  }
}

namespace {
/// Restricts u - v by one conjunct of a filter.
void restrict(const Cascade &cascade, const Expr &conjunct, VarId u, VarId v, Distance &d) {
  if (conjunct.op < ExprOp::Lt || conjunct.op > ExprOp::Eq || conjunct.args[0]->kind != Kind::Int)
    return;
  // left - right, as sign * (u - v) + k
  Affine a = affine(cascade, conjunct.args[0]).plus(affine(cascade, conjunct.args[1]).scaled(-1));
  if (!a.ok || a.terms.size() != 2 || !a.terms.count(u) || !a.terms.count(v))
    return;
  int64_t sign = a.terms[u], k = a.constant;
  if ((sign != 1 && sign != -1) || a.terms[v] != -sign || k > INT64_MAX / 4 || k < INT64_MIN / 4)
    return;
  auto above = [&](int64_t x) { d.low = d.low ? std::max(*d.low, x) : x; };
  auto below = [&](int64_t x) { d.high = d.high ? std::min(*d.high, x) : x; };
  // sign * (u - v) <= limit
  auto atMost = [&](int64_t limit) { sign == 1 ? below(limit) : above(-limit); };
  auto atLeast = [&](int64_t limit) { sign == 1 ? above(limit) : below(-limit); };
  switch (conjunct.op) {
  case ExprOp::Lt:
    return atMost(-k - 1);
  case ExprOp::Le:
    return atMost(-k);
  case ExprOp::Gt:
    return atLeast(-k + 1);
  case ExprOp::Ge:
    return atLeast(-k);
  default:
    atMost(-k);
    return atLeast(-k);
  }
}

void splitConjuncts(const ExprRef &e, std::vector<ExprRef> &list) {
  if (e->op == ExprOp::And) {
    splitConjuncts(e->args[0], list);
    splitConjuncts(e->args[1], list);
  } else {
    list.push_back(e);
  }
}

class Collector {
public:
  Collector(const Cascade &cascade, const std::map<TensorId, int> &members, std::vector<Access> &out)
      : cascade(cascade), members(members), out(out) {}

  void equation(int index) {
    from = index;
    const Equation &eq = cascade.equations[index];
    visit(eq.rhs, false);
    if (eq.where)
      visit(eq.where, false);
    if (eq.init) {
      inInit = true;
      visit(eq.init, false);
      inInit = false;
    }
  }

private:
  const Cascade &cascade;
  const std::map<TensorId, int> &members;
  std::vector<Access> &out;
  int from = 0;
  bool inInit = false;
  std::vector<ExprRef> conjuncts;

  void visit(const ExprRef &e, bool caught) {
    if (e->op == ExprOp::Read)
      if (auto it = members.find(e->id); it != members.end())
        add(*e, it->second, caught);
    bool inner = caught || e->op == ExprOp::Else || e->op == ExprOp::If;
    size_t before = conjuncts.size();
    if (e->op == ExprOp::Reduce) {
      for (const ExprRef &x : e->at)
        visit(x, inner);
      if (e->aux)
        visit(e->aux, inner);
      if (e->filter) {
        splitConjuncts(e->filter, conjuncts);
        visit(e->filter, inner);
      }
    }
    for (const ExprRef &x : e->args)
      visit(x, inner);
    conjuncts.resize(before);
  }

  void add(const Expr &read, int to, bool caught) {
    Access a{from, to, &read, {}, conjuncts, inInit, caught};
    const Equation &target = cascade.equations[to];
    for (size_t i = 0; i < target.lhs.size(); ++i) {
      const ExprRef &left = target.lhs[i], &here = read.args[i];
      if (left->op != ExprOp::Tuple) {
        a.subscripts.push_back(here->op == ExprOp::Tuple ? nullptr : here);
        continue;
      }
      bool same = here->op == ExprOp::Tuple && here->id == left->id;
      for (size_t k = 0; k < left->args.size(); ++k)
        a.subscripts.push_back(same && here->args[k]->op != ExprOp::Tuple ? here->args[k] : nullptr);
    }
    out.push_back(std::move(a));
  }
};

} // namespace

std::vector<Access> accessesAmong(const Cascade &cascade, const std::vector<int> &equations) {
  std::map<TensorId, int> members;
  for (int e : equations)
    members[cascade.equations[e].tensor] = e;
  std::vector<Access> result;
  Collector collector(cascade, members, result);
  for (int e : equations)
    collector.equation(e);
  return result;
}

Distance distance(const Cascade &cascade, const Access &access, size_t k, VarId v) {
  if (access.inInit || !access.subscripts[k])
    return {};
  Affine a = affine(cascade, access.subscripts[k]);
  if (!a.ok || a.terms.size() != 1 || a.terms.begin()->second != 1)
    return {};
  VarId u = a.terms.begin()->first;
  if (u < 0)
    return {};
  if (u == v)
    return {a.constant, a.constant};
  Distance d;
  for (const ExprRef &conjunct : access.conjuncts)
    restrict(cascade, *conjunct, u, v, d);
  if (d.low)
    *d.low += a.constant;
  if (d.high)
    *d.high += a.constant;
  return d;
}

} // namespace einfall::ein
