#include "compiler/lower/Bounds.h"
#include <algorithm>
#include <map>
#include <optional>

using namespace einfall::ein;

namespace einfall::lower {

void splitConjuncts(const ExprRef &e, std::vector<ExprRef> &list) {
  if (!e)
    return;
  if (e->op == ExprOp::And) {
    splitConjuncts(e->args[0], list);
    splitConjuncts(e->args[1], list);
    return;
  }
  list.push_back(e);
}

bool mentions(const ExprRef &e, VarId var) {
  auto free = freeVariables(e);
  return std::find(free.begin(), free.end(), var) != free.end();
}

namespace {
/// e = factor * var + rest; rest null: 0.
struct Linear {
  int64_t factor = 0;
  ExprRef rest;
};

ExprRef plus(const ExprRef &x, const ExprRef &y) { return !x ? y : !y ? x : binary(ExprOp::Add, x, y); }
ExprRef minus(const ExprRef &x, const ExprRef &y) {
  return !y ? x : !x ? unary(ExprOp::Neg, y) : binary(ExprOp::Sub, x, y);
}

std::optional<Linear> linear(const ExprRef &e, VarId var) {
  if (!mentions(e, var))
    return Linear{0, e};
  switch (e->op) {
  case ExprOp::Coord:
    return Linear{1, nullptr};
  case ExprOp::Neg: {
    auto x = linear(e->args[0], var);
    if (!x)
      return {};
    return Linear{-x->factor, x->rest ? unary(ExprOp::Neg, x->rest) : nullptr};
  }
  case ExprOp::Add:
  case ExprOp::Sub: {
    auto x = linear(e->args[0], var), y = linear(e->args[1], var);
    if (!x || !y)
      return {};
    if (e->op == ExprOp::Add)
      return Linear{x->factor + y->factor, plus(x->rest, y->rest)};
    return Linear{x->factor - y->factor, minus(x->rest, y->rest)};
  }
  case ExprOp::Mul: {
    auto x = linear(e->args[0], var), y = linear(e->args[1], var);
    if (!x || !y)
      return {};
    if (x->factor)
      std::swap(x, y);
    // x is free of the variable; only a literal factor is handled.
    if (x->factor || !x->rest || x->rest->op != ExprOp::Number || std::abs(x->rest->integer) > (1 << 20))
      return {};
    int64_t k = x->rest->integer;
    return Linear{k * y->factor, y->rest ? binary(ExprOp::Mul, integer(k), y->rest) : nullptr};
  }
  default:
    return {};
  }
}
} // namespace

std::vector<Bound> boundsOf(const ExprRef &c, VarId var, bool &exact) {
  exact = false;
  if (c->op < ExprOp::Lt || c->op > ExprOp::Eq || c->args[0]->kind != Kind::Int ||
      c->args[1]->kind != Kind::Int)
    return {};
  auto x = linear(c->args[0], var), y = linear(c->args[1], var);
  if (!x || !y)
    return {};
  int64_t factor = x->factor - y->factor;
  if (factor == 0)
    return {};
  // factor * var  OP  limit
  ExprRef limit = minus(y->rest, x->rest);
  if (!limit)
    limit = integer(0);
  ExprOp op = c->op;
  if (factor < 0) {
    factor = -factor;
    limit = limit->op == ExprOp::Neg ? limit->args[0] : minus(x->rest, y->rest);
    if (!limit)
      limit = integer(0);
    op = op == ExprOp::Lt   ? ExprOp::Gt
         : op == ExprOp::Le ? ExprOp::Ge
         : op == ExprOp::Gt ? ExprOp::Lt
         : op == ExprOp::Ge ? ExprOp::Le
                            : op;
  }
  exact = factor == 1 || op != ExprOp::Eq;
  auto floorOf = [&](const ExprRef &e) { return factor == 1 ? e : binary(ExprOp::IDiv, e, integer(factor)); };
  auto upper = [&] { return Bound{false, true, floorOf(limit)}; };
  auto lower = [&](const ExprRef &e) { // ceil(e / factor)
    return Bound{
        true, true,
        factor == 1 ? e : unary(ExprOp::Neg, binary(ExprOp::IDiv, unary(ExprOp::Neg, e), integer(factor)))};
  };
  switch (op) {
  case ExprOp::Lt:
    if (factor == 1)
      return {Bound{false, false, limit}};
    return {Bound{false, true, floorOf(binary(ExprOp::Sub, limit, integer(1)))}};
  case ExprOp::Le:
    return {upper()};
  case ExprOp::Ge:
    return {lower(limit)};
  case ExprOp::Gt:
    if (factor == 1)
      return {Bound{true, false, limit}};
    return {lower(binary(ExprOp::Add, limit, integer(1)))};
  default:
    return {upper(), lower(limit)};
  }
}

bool certainlyInside(const Cascade &cascade, TensorId tensor, unsigned dim, const ExprRef &sub) {
  RankId rank = cascade.tensors[tensor].ranks[dim];
  if (sub->op == ExprOp::Coord)
    return cascade.rankOf(sub->id) == rank;
  if (sub->op == ExprOp::Number && cascade.ranks[rank].fixed)
    return sub->integer >= 0 && sub->integer < *cascade.ranks[rank].fixed;
  return false;
}

ExprRef atSubscripts(const Cascade &cascade, const Expr &read, const ExprRef &what) {
  const Equation *equation = cascade.equationOf(read.id);
  if (!equation || !what)
    return nullptr;
  std::map<VarId, ExprRef> with;
  for (size_t d = 0; d < equation->lhs.size(); ++d) {
    const Expr &left = *equation->lhs[d];
    const ExprRef &sub = read.args[d];
    if (left.op == ExprOp::Coord) {
      with[left.id] = sub;
      continue;
    }
    if (sub->op == ExprOp::Tuple && sub->id == left.id) {
      for (size_t i = 0; i < left.args.size(); ++i)
        with[left.args[i]->id] = sub->args[i];
      continue;
    }
    // A plain coordinate for a tuple: its parts by div and mod, innermost first.
    ExprRef rest = sub;
    const Split &split = cascade.splits[left.id];
    for (size_t i = left.args.size(); i-- > 0;) {
      ExprRef size = extent(split.parts[i]);
      with[left.args[i]->id] = i ? binary(ExprOp::Mod, rest, size) : rest;
      if (i)
        rest = binary(ExprOp::IDiv, rest, size);
    }
  }
  // Bound variables keep their names: subscripts mention only variables of the
  // reading equation, which are other variables.
  return substitute(what, [&](VarId v) -> ExprRef {
    auto it = with.find(v);
    return it == with.end() ? nullptr : it->second;
  });
}

namespace {
void collect(const Cascade &cascade, const ExprRef &e, int depth, std::vector<ExprRef> &list) {
  switch (e->op) {
  case ExprOp::Neg:
  case ExprOp::Add:
  case ExprOp::Sub:
  case ExprOp::Mul:
  case ExprOp::Div:
  case ExprOp::IDiv:
  case ExprOp::Mod:
  case ExprOp::Pow:
  case ExprOp::Min:
  case ExprOp::Max:
  case ExprOp::ToFloat:
  case ExprOp::Call:
    for (auto &a : e->args)
      collect(cascade, a, depth, list);
    return;
  case ExprOp::Cast:
    if (e->kind != Kind::Bool && e->args[0]->kind != Kind::Bool)
      collect(cascade, e->args[0], depth, list);
    return;
  case ExprOp::Tuple: {
    const Split &split = cascade.splits[e->id];
    for (size_t i = 0; i < e->args.size(); ++i) {
      const ExprRef &part = e->args[i];
      collect(cascade, part, depth, list);
      if (part->op == ExprOp::Coord && cascade.rankOf(part->id) == split.parts[i])
        continue;
      list.push_back(binary(ExprOp::Le, integer(0), part));
      list.push_back(binary(ExprOp::Lt, part, extent(split.parts[i])));
    }
    return;
  }
  case ExprOp::Read: {
    const Tensor &tensor = cascade.tensors[e->id];
    const Equation *equation = cascade.equationOf(e->id);
    for (size_t d = 0; d < e->args.size(); ++d) {
      const ExprRef &sub = e->args[d];
      collect(cascade, sub, depth, list);
      if (certainlyInside(cascade, e->id, d, sub) ||
          (equation && equation->init && equation->initRank == int(d)))
        continue;
      int extra = d < tensor.plus.size() ? tensor.plus[d] : 0;
      ExprRef size =
          extra ? binary(ExprOp::Add, extent(tensor.ranks[d]), integer(extra)) : extent(tensor.ranks[d]);
      list.push_back(binary(ExprOp::Le, integer(0), sub));
      list.push_back(binary(ExprOp::Lt, sub, size));
    }
    // What the read tensor's own equation needs, at these subscripts.
    if (!equation || equation->init || depth == 0)
      return;
    std::vector<ExprRef> inner;
    splitConjuncts(equation->where, inner);
    if (tensor.type != ein::Type::Bool)
      collect(cascade, equation->rhs, depth - 1, inner);
    for (auto &c : inner)
      if (tensorsRead(c).empty())
        if (ExprRef here = atSubscripts(cascade, *e, c))
          list.push_back(here);
    return;
  }
  default:
    return;
  }
}
} // namespace

std::vector<ExprRef> necessaryConditions(const Cascade &cascade, const ExprRef &e) {
  std::vector<ExprRef> list;
  collect(cascade, e, 4, list);
  return list;
}

} // namespace einfall::lower
