#include "compiler/lower/Schedule.h"
#include <algorithm>
#include <map>

using namespace mlir;
using namespace einfall::ein;

namespace einfall::lower {

namespace {
std::vector<TensorId> reads(const Equation &equation) {
  std::vector<TensorId> all;
  for (auto &e : {equation.rhs, equation.where, equation.init})
    if (e)
      for (TensorId t : tensorsRead(e))
        all.push_back(t);
  return all;
}

/// The subscript that a read gives to a left variable of the read tensor's equation; null: none.
ExprRef subscriptFor(const Expr &read, const Equation &of, VarId var) {
  for (size_t d = 0; d < of.lhs.size(); ++d) {
    const Expr &left = *of.lhs[d];
    if (left.op == ExprOp::Coord && left.id == var)
      return read.args[d];
    for (size_t i = 0; i < left.args.size(); ++i)
      if (left.args[i]->id == var && read.args[d]->op == ExprOp::Tuple && read.args[d]->id == left.id)
        return read.args[d]->args[i];
  }
  return nullptr;
}

/// What the equations of a recurrence have in common.
class Recurrence {
public:
  Recurrence(const Cascade &cascade, const Component &component) : cascade(cascade), component(component) {}

  /// Ranks that every equation has once and that no read within the cycle shifts.
  std::vector<RankId> shared(const std::map<int, VarId> &step, const std::map<int, VarId> &inner) {
    std::vector<RankId> ranks;
    for (VarId v : cascade.equations[component.equations[0]].vars) {
      RankId rank = cascade.rankOf(v);
      std::map<int, VarId> of;
      bool fits = std::find(ranks.begin(), ranks.end(), rank) == ranks.end();
      for (int i : component.equations) {
        int count = 0;
        for (VarId w : cascade.equations[i].vars)
          if (cascade.rankOf(w) == rank) {
            of[i] = w;
            ++count;
          }
        fits &= count == 1;
        auto s = step.find(i), n = inner.find(i);
        fits &= (s == step.end() || s->second != of[i]) && (n == inner.end() || n->second != of[i]);
      }
      if (fits && everyRead(of, [](const ExprRef &sub, VarId own) {
            return sub && sub->op == ExprOp::Coord && sub->id == own;
          }))
        ranks.push_back(rank);
    }
    return ranks;
  }

private:
  const Cascade &cascade;
  const Component &component;

  template <class Test>
  bool everyRead(const std::map<int, VarId> &of, Test test) {
    bool ok = true;
    for (int i : component.equations) {
      const Equation &equation = cascade.equations[i];
      for (auto &root : {equation.rhs, equation.where})
        walk(root, [&](const Expr &e) {
          if (e.op != ExprOp::Read)
            return;
          int j = cascade.equationIndexOf(e.id);
          if (std::find(component.equations.begin(), component.equations.end(), j) ==
              component.equations.end())
            return;
          auto theirs = of.find(j), own = of.find(i);
          if (theirs != of.end() && own != of.end())
            ok &= test(subscriptFor(e, cascade.equations[j], theirs->second), own->second);
        });
    }
    return ok;
  }
};

int64_t indexOf(const Equation &equation, VarId var) {
  return std::find(equation.vars.begin(), equation.vars.end(), var) - equation.vars.begin();
}

void addEquation(OpBuilder &b, const Cascade &cascade, const Equation &equation, IntegerAttr step,
                 IntegerAttr inner) {
  Location loc = b.getUnknownLoc();
  StringAttr name = b.getStringAttr(cascade.tensors[equation.tensor].name);
  const Expr &e = *equation.rhs;
  if (e.op == ExprOp::Reduce && isScan(e.reduce))
    tile::ScanOp::create(b, loc, name, step, inner);
  else if (e.op == ExprOp::Reduce && isSelection(e.reduce))
    tile::SelectOp::create(b, loc, name, step, inner);
  else
    tile::NestOp::create(b, loc, name, step, inner);
}
} // namespace

std::set<int> liveEquations(const Cascade &cascade) {
  std::set<int> live;
  std::vector<int> work;
  auto need = [&](TensorId t) {
    int i = cascade.equationIndexOf(t);
    if (i >= 0 && live.insert(i).second)
      work.push_back(i);
  };
  for (size_t t = 0; t < cascade.tensors.size(); ++t)
    if (cascade.tensors[t].role == Role::Output)
      need(static_cast<TensorId>(t));
  while (!work.empty()) {
    int i = work.back();
    work.pop_back();
    for (TensorId t : reads(cascade.equations[i]))
      need(t);
  }
  return live;
}

void addBuffer(OpBuilder &b, const Cascade &cascade, TensorId tensor, bool readAgain) {
  const Tensor &t = cascade.tensors[tensor];
  bool missing = !t.everywhere, output = t.role == Role::Output;
  if (output && !(missing && readAgain))
    return;
  SmallVector<StringRef> ranks;
  for (RankId r : t.ranks)
    ranks.push_back(cascade.ranks[r].name);
  std::string_view type = ein::name(t.type);
  tile::BufferOp::create(b, b.getUnknownLoc(), b.getStringAttr(t.name), b.getStrArrayAttr(ranks),
                         b.getStringAttr(StringRef(type.data(), type.size())),
                         missing ? b.getUnitAttr() : UnitAttr(), output ? b.getUnitAttr() : UnitAttr());
}

void addKernel(OpBuilder &b, const Cascade &cascade, const Component &component) {
  Location loc = b.getUnknownLoc();
  auto kernel = tile::KernelOp::create(b, loc);
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&kernel.getBody());
  if (component.rank < 0) {
    addEquation(b, cascade, cascade.equations[component.equations[0]], {}, {});
    return;
  }
  Recurrence recurrence(cascade, component);
  std::map<int, VarId> step, inner;
  for (size_t k = 0; k < component.equations.size(); ++k) {
    step[component.equations[k]] = component.variables[k];
    if (component.inner >= 0)
      inner[component.equations[k]] = component.innerVariables[k];
  }
  SmallVector<StringRef> shared;
  for (RankId r : recurrence.shared(step, inner))
    shared.push_back(cascade.ranks[r].name);
  auto steps = tile::StepsOp::create(
      b, loc, b.getStringAttr(cascade.ranks[component.rank].name),
      component.backward ? b.getUnitAttr() : UnitAttr(),
      component.inner >= 0 ? b.getStringAttr(cascade.ranks[component.inner].name) : StringAttr(),
      component.inner >= 0 && component.innerBackward ? b.getUnitAttr() : UnitAttr(),
      b.getStrArrayAttr(shared));
  b.createBlock(&steps.getBody());
  for (int i : component.equations) {
    const Equation &equation = cascade.equations[i];
    IntegerAttr at = b.getI64IntegerAttr(indexOf(equation, step.at(i)));
    IntegerAttr within =
        component.inner >= 0 ? b.getI64IntegerAttr(indexOf(equation, inner.at(i))) : IntegerAttr();
    addEquation(b, cascade, equation, at, within);
  }
}

tile::ProgramOp buildProgram(OpBuilder &b, const Cascade &cascade) {
  auto program = tile::ProgramOp::create(b, b.getUnknownLoc(), b.getStringAttr(cascade.name));
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&program.getBody());
  std::set<int> live = liveEquations(cascade);
  std::set<TensorId> again;
  for (int i : live)
    for (TensorId t : reads(cascade.equations[i]))
      again.insert(t);
  for (int i : live)
    addBuffer(b, cascade, cascade.equations[i].tensor, again.count(cascade.equations[i].tensor));
  for (const Component &component : cascade.schedule) {
    // All equations of a cycle are live, or none is.
    if (live.count(component.equations[0]))
      addKernel(b, cascade, component);
  }
  return program;
}

} // namespace einfall::lower
