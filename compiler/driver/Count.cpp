//===- Count.cpp - the work of a call, counted over existing points -------------===//
#include "compiler/driver/Count.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace einfall::driver {

using namespace ein;

namespace {

using Conditions = std::vector<ExprRef>;

/// The conjuncts of a condition.
void conjuncts(const ExprRef &e, Conditions &out) {
  if (!e)
    return;
  if (e->op == ExprOp::And) {
    for (const ExprRef &arg : e->args)
      conjuncts(arg, out);
    return;
  }
  out.push_back(e);
}

class Counter {
public:
  Counter(const Cascade &cascade, const Environment &environment, int64_t exactPoints)
      : cascade(cascade), environment(environment), exactPoints(exactPoints) {}

  WorkCount run() {
    for (size_t i = 0; i < cascade.equations.size(); ++i)
      if (live().count(cascade.equations[i].tensor)) {
        const Equation &equation = cascade.equations[i];
        operations(equation.rhs, existence(equation.tensor));
      }
    return result;
  }

  /// Tensors on which an output depends.
  const std::set<TensorId> &live() {
    if (!alive.empty())
      return alive;
    std::vector<TensorId> open;
    for (TensorId t = 0; t < static_cast<TensorId>(cascade.tensors.size()); ++t)
      if (cascade.tensors[t].role == Role::Output)
        open.push_back(t);
    closure(open, alive);
    return alive;
  }

  /// Adds `open` and all that they are computed from.
  void closure(std::vector<TensorId> open, std::set<TensorId> &out) const {
    while (!open.empty()) {
      TensorId t = open.back();
      open.pop_back();
      if (!out.insert(t).second)
        continue;
      if (const Equation *equation = cascade.equationOf(t))
        for (const ExprRef &e : {equation->rhs, equation->where, equation->init})
          if (e)
            for (TensorId read : tensorsRead(e))
              open.push_back(read);
    }
  }

  /// Conditions under which a point of `t` exists, over its equation's variables.
  const Conditions &existence(TensorId t) {
    auto [found, fresh] = known.try_emplace(t);
    const Equation *equation = cascade.equationOf(t);
    if (!fresh || !equation)
      return found->second; // in a cycle: what is known so far
    Conditions conditions;
    conjuncts(equation->where, conditions);
    readConditions(equation->rhs, conditions);
    return known[t] = conditions;
  }

private:
  const Cascade &cascade;
  const Environment &environment;
  int64_t exactPoints;
  WorkCount result;
  std::set<TensorId> alive;
  std::map<TensorId, Conditions> known;
  struct Counted {
    std::vector<VarId> variables;
    Conditions conditions;
    double points;
  };
  std::vector<Counted> counted;

  static void addOnce(Conditions &list, const ExprRef &condition) {
    for (const ExprRef &e : list)
      if (equal(e, condition))
        return;
    list.push_back(condition);
  }

  /// What the tensors read in `e` demand. Reductions are not entered (they take
  /// the points that exist), nor anything that catches a missing value.
  void readConditions(const ExprRef &e, Conditions &out) {
    switch (e->op) {
    case ExprOp::Reduce:
    case ExprOp::If:
    case ExprOp::Else:
    case ExprOp::Exists:
      return;
    default:
      break;
    }
    if (e->kind == Kind::Bool)
      return;
    for (const ExprRef &arg : e->args)
      readConditions(arg, out);
    if (e->op == ExprOp::Read)
      if (const Equation *equation = cascade.equationOf(e->id))
        inlined(*equation, e->args, out);
  }

  /// The conditions of `equation`'s tensor at the subscripts of a read.
  void inlined(const Equation &equation, const std::vector<ExprRef> &subscripts, Conditions &out) {
    std::map<VarId, ExprRef> at;
    for (size_t k = 0; k < equation.lhs.size() && k < subscripts.size(); ++k) {
      const ExprRef &left = equation.lhs[k], &subscript = subscripts[k];
      if (left->op == ExprOp::Coord) {
        at[left->id] = linear(subscript);
        continue;
      }
      // A tuple: its parts from a tuple of the same split, or by div and mod.
      ExprRef rest = linear(subscript);
      const Split &split = cascade.splits[left->id];
      for (size_t p = left->args.size(); p-- > 0;) {
        bool same = subscript->op == ExprOp::Tuple && subscript->id == left->id;
        ExprRef size = extent(split.parts[p]);
        ExprRef part = same ? subscript->args[p] : p ? binary(ExprOp::Mod, rest, size) : rest;
        if (left->args[p]->op == ExprOp::Coord)
          at[left->args[p]->id] = part;
        rest = binary(ExprOp::IDiv, rest, size);
      }
    }
    for (const ExprRef &condition : existence(equation.tensor))
      addOnce(out, substitute(condition, [&](VarId v) {
                auto found = at.find(v);
                return found == at.end() ? ExprRef() : found->second;
              }));
  }

  /// A subscript as a number: tuples written out.
  ExprRef linear(const ExprRef &subscript) {
    if (subscript->op != ExprOp::Tuple)
      return subscript;
    const Split &split = cascade.splits[subscript->id];
    ExprRef value = subscript->args[0];
    for (size_t p = 1; p < subscript->args.size(); ++p)
      value = binary(ExprOp::Add, binary(ExprOp::Mul, value, extent(split.parts[p])), subscript->args[p]);
    return value;
  }

  static bool isOperation(const Expr &e) {
    if (e.kind != Kind::Float)
      return false;
    switch (e.op) {
    case ExprOp::Neg:
    case ExprOp::Add:
    case ExprOp::Sub:
    case ExprOp::Mul:
    case ExprOp::Div:
    case ExprOp::Pow:
    case ExprOp::Min:
    case ExprOp::Max:
    case ExprOp::Call:
      return true;
    default:
      return false;
    }
  }

  void operations(const ExprRef &e, const Conditions &conditions) {
    if (e->op == ExprOp::Reduce) {
      Conditions inside = conditions;
      if (e->filter)
        conjuncts(e->filter, inside);
      for (const ExprRef &arg : e->args) {
        readConditions(arg, inside);
        operations(arg, inside);
        std::vector<VarId> variables = freeVariables(arg);
        for (VarId v : e->vars)
          if (std::find(variables.begin(), variables.end(), v) == variables.end())
            variables.push_back(v);
        result.flops += points(variables, inside);
      }
      if (e->filter)
        operations(e->filter, conditions);
      return;
    }
    for (const ExprRef &arg : e->args)
      operations(arg, conditions);
    if (isOperation(*e))
      result.flops += points(freeVariables(e), conditions);
  }

  /// Existing points of a set of variables; conditions on others do not count.
  double points(std::vector<VarId> variables, const Conditions &conditions) {
    std::sort(variables.begin(), variables.end());
    Conditions relevant;
    std::set<VarId> mentioned;
    for (const ExprRef &condition : conditions) {
      std::vector<VarId> free = freeVariables(condition);
      if (free.empty() || !std::all_of(free.begin(), free.end(), [&](VarId v) {
            return std::binary_search(variables.begin(), variables.end(), v);
          }))
        continue;
      relevant.push_back(condition);
      mentioned.insert(free.begin(), free.end());
    }
    double rest = 1;
    std::vector<VarId> inside;
    for (VarId v : variables)
      if (mentioned.count(v))
        inside.push_back(v);
      else
        rest *= static_cast<double>(environment.extent[cascade.rankOf(v)]);
    return rest * (inside.empty() ? 1 : counting(inside, relevant));
  }

  double counting(const std::vector<VarId> &variables, const Conditions &conditions) {
    for (const Counted &c : counted)
      if (c.variables == variables && c.conditions.size() == conditions.size() &&
          std::equal(conditions.begin(), conditions.end(), c.conditions.begin(), equal))
        return c.points;
    double all = 1;
    for (VarId v : variables)
      all *= static_cast<double>(environment.extent[cascade.rankOf(v)]);
    double points = all;
    if (all > 0) {
      int64_t n = interpret(variables, conditions, all);
      if (n < 0)
        result.estimated = true;
      else
        points = all <= static_cast<double>(exactPoints)
                     ? static_cast<double>(n)
                     : all * static_cast<double>(n) / static_cast<double>(exactPoints);
    }
    counted.push_back({variables, conditions, points});
    return points;
  }

  /// Counts with a cascade of one equation; -1: the interpreter gave up.
  int64_t interpret(const std::vector<VarId> &variables, const Conditions &conditions, double all) {
    Cascade small = cascade;
    Environment call;
    call.extent = environment.extent;
    call.scalars = environment.scalars;
    call.tensors.resize(cascade.tensors.size());
    call.maxPoints = int64_t(1) << 27;
    call.maxBytes = int64_t(1) << 30;

    ExprRef condition = conditions[0];
    for (size_t i = 1; i < conditions.size(); ++i)
      condition = binary(ExprOp::And, condition, conditions[i]);
    std::set<TensorId> needed;
    closure(tensorsRead(condition), needed);
    for (TensorId t = 0; t < static_cast<TensorId>(small.tensors.size()); ++t) {
      Tensor &tensor = small.tensors[t];
      if (tensor.role == Role::Output)
        tensor.role = Role::Intermediate;
      if (tensor.role != Role::Input)
        continue;
      if (needed.count(t)) {
        call.tensors[t] = environment.tensors[t];
      } else { // not read: no memory
        tensor.ranks.clear();
        tensor.plus.clear();
        tensor.defaultValue = kindOf(tensor.type) == Kind::Float ? number(0) : integer(0);
      }
    }

    std::vector<VarId> reduced = variables;
    if (all > static_cast<double>(exactPoints)) {
      // Sample s of n: coordinate i is the fractional part of s * alpha_i, scaled;
      // the alphas are those of Roberts' R-sequence (powers of a root of
      // x^(d+1) = x + 1), in units of 2^-30.
      result.sampled = true;
      double root = 1.5;
      for (int i = 0; i < 60; ++i)
        root = std::pow(1 + root, 1.0 / (static_cast<double>(variables.size()) + 1));
      Rank rank;
      rank.name = "Sample";
      small.ranks.push_back(rank);
      call.extent.push_back(exactPoints);
      VarId s = small.addVariable("s", static_cast<RankId>(small.ranks.size()) - 1);
      std::map<VarId, ExprRef> at;
      double alpha = 1;
      for (VarId v : variables) {
        alpha /= root;
        constexpr int64_t unit = int64_t(1) << 30;
        ExprRef step = integer(static_cast<int64_t>(alpha * unit) | 1);
        ExprRef fraction = binary(ExprOp::Mod, binary(ExprOp::Mul, coord(s), step), integer(unit));
        at[v] = binary(ExprOp::IDiv, binary(ExprOp::Mul, fraction, extent(cascade.rankOf(v))), integer(unit));
      }
      condition = substitute(condition, [&](VarId v) {
        auto found = at.find(v);
        return found == at.end() ? ExprRef() : found->second;
      });
      reduced = {s};
    }

    Tensor count;
    count.name = "count";
    count.role = Role::Output;
    count.type = Type::I64;
    TensorId id = small.addTensor(count);
    call.tensors.resize(small.tensors.size());
    Equation equation;
    equation.tensor = id;
    equation.rhs = reduce(ReduceOp::Count, reduced, boolean(true), condition);
    small.equations.push_back(equation);
    Component component;
    component.equations = {static_cast<int>(small.equations.size()) - 1};
    small.schedule.push_back(component);
    std::string error;
    if (!evaluate(small, call, error) || !call.tensors[id] || call.tensors[id]->value.empty())
      return -1;
    return call.tensors[id]->value[0].i;
  }
};

} // namespace

WorkCount countWork(const Cascade &cascade, const Environment &environment, int64_t exactPoints) {
  return Counter(cascade, environment, exactPoints).run();
}

std::vector<TensorId> tablesOf(const Cascade &cascade) {
  Environment nothing;
  Counter counter(cascade, nothing, 0);
  std::vector<TensorId> roots;
  auto note = [&](const ExprRef &e) {
    if (e)
      for (TensorId t : tensorsRead(e))
        roots.push_back(t);
  };
  for (const Equation &equation : cascade.equations) {
    note(equation.where);
    for (const ExprRef &e : {equation.rhs, equation.init})
      if (e)
        walk(e, [&](const Expr &node) { note(node.filter); });
  }
  std::set<TensorId> all;
  counter.closure(roots, all);
  std::vector<TensorId> inputs;
  for (TensorId t : all)
    if (cascade.tensors[t].role == Role::Input)
      inputs.push_back(t);
  return inputs;
}

} // namespace einfall::driver
