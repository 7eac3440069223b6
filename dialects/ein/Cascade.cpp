#include "dialects/ein/Cascade.h"
#include <algorithm>
#include <unordered_map>

namespace einfall::ein {

const Equation *Cascade::equationOf(TensorId tensor) const {
  int i = equationIndexOf(tensor);
  return i < 0 ? nullptr : &equations[i];
}
int Cascade::equationIndexOf(TensorId tensor) const {
  for (size_t i = 0; i < equations.size(); ++i)
    if (equations[i].tensor == tensor)
      return static_cast<int>(i);
  return -1;
}
VarId Cascade::addVariable(std::string name, RankId rank) {
  variables.push_back({std::move(name), rank});
  return static_cast<VarId>(variables.size()) - 1;
}
TensorId Cascade::addTensor(Tensor tensor) {
  tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(tensors.size()) - 1;
}
TensorId Cascade::tensorNamed(std::string_view name) const {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name)
      return static_cast<TensorId>(i);
  return -1;
}
RankId Cascade::rankNamed(std::string_view name) const {
  for (size_t i = 0; i < ranks.size(); ++i)
    if (ranks[i].name == name ||
        std::find(ranks[i].aliases.begin(), ranks[i].aliases.end(), name) != ranks[i].aliases.end())
      return static_cast<RankId>(i);
  return -1;
}
bool Cascade::computesInF64(const Equation &equation) const {
  if (tensors[equation.tensor].type == Type::F64)
    return true;
  for (const Tensor &t : tensors)
    if (t.role == Role::Input && t.type == Type::F64)
      return true;
  for (const ScalarArg &s : scalars)
    if (s.type == Type::F64)
      return true;
  return false;
}

void walk(const ExprRef &e, const std::function<void(const Expr &)> &visit) {
  if (!e)
    return;
  visit(*e);
  for (auto &a : e->args)
    walk(a, visit);
  for (auto &a : e->at)
    walk(a, visit);
  walk(e->filter, visit);
  walk(e->aux, visit);
}

namespace {
/// Rebuilds every node once, however often it is shared.
struct Rewriter {
  const std::function<ExprRef(const ExprRef &)> &f;
  std::unordered_map<const Expr *, ExprRef> done;

  ExprRef operator()(const ExprRef &e) {
    if (!e)
      return e;
    if (auto it = done.find(e.get()); it != done.end())
      return it->second;
    bool changed = false;
    auto each = [&](const ExprRef &x) {
      ExprRef y = (*this)(x);
      changed |= y != x;
      return y;
    };
    std::vector<ExprRef> args, at;
    for (auto &a : e->args)
      args.push_back(each(a));
    for (auto &a : e->at)
      at.push_back(each(a));
    ExprRef filter = each(e->filter), aux = each(e->aux);
    ExprRef next = e;
    if (changed) {
      auto copy = std::make_shared<Expr>(*e);
      copy->args = std::move(args);
      copy->at = std::move(at);
      copy->filter = filter;
      copy->aux = aux;
      next = copy;
    }
    return done[e.get()] = f(next);
  }
};

void collectFree(const ExprRef &e, std::vector<VarId> &bound, std::vector<VarId> &free) {
  if (!e)
    return;
  if (e->op == ExprOp::Coord) {
    if (std::find(bound.begin(), bound.end(), e->id) == bound.end() &&
        std::find(free.begin(), free.end(), e->id) == free.end())
      free.push_back(e->id);
    return;
  }
  if (e->op == ExprOp::Reduce) {
    for (auto &a : e->at)
      collectFree(a, bound, free);
    collectFree(e->aux, bound, free);
    bound.insert(bound.end(), e->vars.begin(), e->vars.end());
    collectFree(e->filter, bound, free);
    collectFree(e->args[0], bound, free);
    bound.resize(bound.size() - e->vars.size());
    return;
  }
  for (auto &a : e->args)
    collectFree(a, bound, free);
}
} // namespace

ExprRef rewrite(const ExprRef &e, const std::function<ExprRef(const ExprRef &)> &f) {
  return Rewriter{f, {}}(e);
}

ExprRef substitute(const ExprRef &e, const std::function<ExprRef(VarId)> &with) {
  return rewrite(e, [&](const ExprRef &x) -> ExprRef {
    if (x->op == ExprOp::Coord)
      if (ExprRef y = with(x->id))
        return y;
    return x;
  });
}

std::vector<VarId> freeVariables(const ExprRef &e) {
  std::vector<VarId> bound, free;
  collectFree(e, bound, free);
  return free;
}

std::vector<TensorId> tensorsRead(const ExprRef &e) {
  std::vector<TensorId> list;
  walk(e, [&](const Expr &x) {
    if (x.op == ExprOp::Read && std::find(list.begin(), list.end(), x.id) == list.end())
      list.push_back(x.id);
  });
  return list;
}

} // namespace einfall::ein
