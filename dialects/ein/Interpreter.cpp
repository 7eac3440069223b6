#include "dialects/ein/Interpreter.h"
#include "dialects/ein/Arithmetic.h"
#include "dialects/ein/Evaluator.h"
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <new>
#include <unistd.h>

namespace einfall::ein {

namespace {

/// A value as a tensor or scalar of declared type holds it (ein-r24).
Cell rounded(Type type, Cell value) {
  return kindOf(type) == Kind::Float ? cellOf(roundTo(type, value.f))
                                     : cellOf(arithmetic::saturate(type, value.i));
}

/// Bytes that this process may use: of the machine, or of its control group.
int64_t memoryOfProcess() {
  int64_t bytes = int64_t(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  for (const char *path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    int64_t limit = 0;
    if (std::ifstream(path) >> limit && limit > 0) // the word "max" is no number
      bytes = std::min(bytes, limit);
  }
  return bytes;
}

/// One equation, translated.
struct Statement {
  const Equation *equation;
  std::vector<const Node *> left;
  const Node *where, *right;
  VarId step = -1, inner = -1; ///< cyclic components: the variables that advance
  std::vector<VarId> vars;     ///< the others
};

class Evaluation {
public:
  Evaluation(const Cascade &cascade, Environment &environment)
      : cascade(cascade), environment(environment), evaluator(cascade, environment),
        results(cascade.tensors.size()), maxBytes(environment.maxBytes) {
    if (maxBytes <= 0)
      maxBytes = memoryOfProcess() / 4 * 3;
  }

  void run() {
    bindExtents();
    bindScalars();
    layOut();
    bindInputs();
    findNeeded();
    for (size_t t = 0; t < cascade.tensors.size(); ++t)
      if (cascade.tensors[t].role != Role::Input && needed[t])
        results[t].type = cascade.tensors[t].type;
    for (size_t c = 0; c < cascade.schedule.size(); ++c) {
      const Component &component = cascade.schedule[c];
      if (!needed[cascade.equations[component.equations[0]].tensor])
        continue;
      component.rank < 0 ? runAcyclic(component) : runCycle(component);
      release(static_cast<int>(c));
    }
    finish();
  }

  void runAlone(const Component &component) {
    bindExtents();
    bindScalars();
    layOut();
    bindInputs();
    needed.assign(cascade.tensors.size(), false);
    for (const Equation &eq : cascade.equations)
      if (const auto &given = environment.tensors[eq.tensor]) {
        connect(eq.tensor, *given);
        bindInit(eq);
      }
    for (int e : component.equations) {
      const Equation &eq = cascade.equations[e];
      needed[eq.tensor] = true;
      results[eq.tensor].type = cascade.tensors[eq.tensor].type;
      eachRead(eq, [&](TensorId t) {
        bool own = std::any_of(component.equations.begin(), component.equations.end(),
                               [&](int k) { return cascade.equations[k].tensor == t; });
        if (cascade.tensors[t].role != Role::Input && !own && !environment.tensors[t])
          throw Refusal{fmt::format("'{}' reads '{}' before it has its values",
                                    cascade.tensors[eq.tensor].name, cascade.tensors[t].name)};
      });
    }
    component.rank < 0 ? runAcyclic(component) : runCycle(component);
    environment.keepIntermediates = true;
    finish();
  }

  Value constant(const ExprRef &e) {
    bindExtents();
    bindScalars();
    return evaluator.evaluate(evaluator.translate(e, {}));
  }

private:
  const Cascade &cascade;
  Environment &environment;
  Evaluator evaluator;
  std::vector<Array> results; ///< by TensorId; also defaults of inputs
  std::vector<bool> needed;
  std::vector<int> lastUse; ///< by TensorId: component
  int64_t bytes = 0, maxBytes;

  static constexpr int64_t bytesOfPoint = sizeof(Cell) + 1;

  void bindExtents() {
    if (environment.extent.size() < cascade.ranks.size())
      throw Refusal{
          fmt::format("{} extents are given for {} ranks", environment.extent.size(), cascade.ranks.size())};
    for (size_t r = 0; r < cascade.ranks.size(); ++r)
      if (environment.extent[r] < 0)
        throw Refusal{
            fmt::format("rank {} has extent {} [ein-r9]", cascade.ranks[r].name, environment.extent[r])};
  }

  void bindScalars() {
    for (size_t s = 0; s < cascade.scalars.size(); ++s) {
      const ScalarArg &scalar = cascade.scalars[s];
      Value v = missing();
      if (s < environment.scalars.size() && environment.scalars[s])
        v = {*environment.scalars[s], true};
      else if (scalar.defaultValue)
        v = evaluator.evaluate(evaluator.translate(scalar.defaultValue, {}));
      else
        throw Refusal{fmt::format("scalar '{}' has no value [ein-c1]", scalar.name)};
      if (!v.has)
        throw Refusal{fmt::format("the default of scalar '{}' divides by zero [ein-c1]", scalar.name)};
      evaluator.scalars[s] = rounded(scalar.type, v.cell);
    }
  }

  std::vector<int64_t> shapeOf(const Tensor &tensor) const {
    std::vector<int64_t> shape;
    for (size_t i = 0; i < tensor.ranks.size(); ++i)
      shape.push_back(environment.extent[tensor.ranks[i]] + (i < tensor.plus.size() ? tensor.plus[i] : 0));
    return shape;
  }

  /// Number of points; refuses what memory should not hold.
  int64_t countPoints(const Tensor &tensor, const std::vector<int64_t> &shape) {
    int64_t count = 1, size = 0;
    bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end(), overflow = false;
    for (int64_t extent : shape)
      overflow = overflow || __builtin_mul_overflow(count, extent, &count);
    if (empty)
      return 0;
    overflow = overflow || __builtin_mul_overflow(count, bytesOfPoint, &size);
    if (overflow || size > maxBytes - bytes) {
      std::string text;
      for (size_t i = 0; i < shape.size(); ++i)
        text += fmt::format("{}{}", i ? " x " : "", shape[i]);
      throw Refusal{fmt::format("tensor '{}' ({}) does not fit in the {} bytes the interpreter may use",
                                tensor.name, text, maxBytes)};
    }
    return count;
  }

  /// Shapes of all tensors; their memory follows when it exists.
  void layOut() {
    for (size_t t = 0; t < cascade.tensors.size(); ++t) {
      Store &store = evaluator.stores[t];
      store.type = cascade.tensors[t].type;
      store.extent = shapeOf(cascade.tensors[t]);
      store.stride.assign(store.extent.size(), 1);
      for (size_t i = store.extent.size(); i-- > 1;) // only of tensors that fit in memory are they used
        store.stride[i - 1] = arithmetic::multiply(store.stride[i], std::max<int64_t>(store.extent[i], 1));
    }
  }

  void connect(TensorId t, const Array &array) {
    Store &store = evaluator.stores[t];
    store.value = array.value.data();
    store.present = array.present.empty() ? nullptr : array.present.data();
  }

  void bindInputs() {
    environment.tensors.resize(cascade.tensors.size());
    for (size_t t = 0; t < cascade.tensors.size(); ++t) {
      const Tensor &tensor = cascade.tensors[t];
      if (tensor.role != Role::Input)
        continue;
      std::vector<int64_t> shape = shapeOf(tensor);
      int64_t count = countPoints(tensor, shape);
      if (const auto &given = environment.tensors[t]) {
        if (given->shape != shape || static_cast<int64_t>(given->value.size()) != count)
          throw Refusal{fmt::format("tensor '{}' has not the shape its ranks have [ein-c1]", tensor.name)};
        connect(static_cast<TensorId>(t), *given);
        continue;
      }
      if (!tensor.defaultValue)
        throw Refusal{fmt::format("tensor '{}' is not given and has no default [ein-c1]", tensor.name)};
      Value v = evaluator.evaluate(evaluator.translate(tensor.defaultValue, {}));
      if (!v.has)
        throw Refusal{fmt::format("the default of tensor '{}' divides by zero [ein-c1]", tensor.name)};
      results[t] = {tensor.type, shape, std::vector<Cell>(count, rounded(tensor.type, v.cell)), {}};
      bytes += count * bytesOfPoint;
      connect(static_cast<TensorId>(t), results[t]);
    }
  }

  template <typename Visit>
  void eachRead(const Equation &eq, Visit visit) const {
    for (const ExprRef &e : {eq.rhs, eq.where, eq.init})
      for (TensorId t : tensorsRead(e))
        visit(t);
  }

  /// Tensors that an output depends on, and the component that reads each last.
  void findNeeded() {
    needed.assign(cascade.tensors.size(), false);
    lastUse.assign(cascade.tensors.size(), -1);
    std::vector<TensorId> open;
    auto need = [&](TensorId t) {
      if (!needed[t])
        open.push_back(t);
      needed[t] = true;
    };
    for (size_t t = 0; t < cascade.tensors.size(); ++t)
      if (cascade.tensors[t].role == Role::Output)
        need(static_cast<TensorId>(t));
    while (!open.empty()) {
      TensorId t = open.back();
      open.pop_back();
      if (const Equation *eq = cascade.equationOf(t))
        eachRead(*eq, need);
    }
    for (size_t c = 0; c < cascade.schedule.size(); ++c)
      for (int e : cascade.schedule[c].equations)
        if (const Equation &eq = cascade.equations[e]; needed[eq.tensor]) {
          lastUse[eq.tensor] = std::max(lastUse[eq.tensor], static_cast<int>(c));
          eachRead(eq, [&](TensorId t) { lastUse[t] = static_cast<int>(c); });
          // A reader of a recurrence may evaluate its `init`.
          eachRead(eq, [&](TensorId t) {
            if (const Equation *source = cascade.equationOf(t); source && source->init)
              for (TensorId u : tensorsRead(source->init))
                lastUse[u] = static_cast<int>(c);
          });
        }
  }

  void allocate(const Equation &eq) {
    const Tensor &tensor = cascade.tensors[eq.tensor];
    Array &array = results[eq.tensor];
    array.shape = shapeOf(tensor);
    int64_t count = countPoints(tensor, array.shape);
    array.value.assign(count, cellOf(int64_t(0)));
    array.present.assign(std::max<int64_t>(count, 1), 0); // never empty: nothing exists yet
    bytes += count * bytesOfPoint;
    connect(eq.tensor, array);
    bindInit(eq);
  }

  /// How values are rounded, and what lies before the first.
  void bindInit(const Equation &eq) {
    const Tensor &tensor = cascade.tensors[eq.tensor];
    Store &store = evaluator.stores[eq.tensor];
    store.rounds = tensor.annotated || tensor.role == Role::Output;
    if (eq.init) {
      store.initRank = eq.initRank;
      store.initBackward = eq.initBackward;
      store.init = evaluator.translate(eq.init, {});
      for (const ExprRef &entry : eq.lhs)
        store.left.push_back(entry.get());
    }
  }

  /// `first`: variables outside the equation's own loops.
  Statement translate(const Equation &eq, VarId step, VarId inner, const std::vector<TensorId> &evolving) {
    Statement s;
    s.equation = &eq;
    s.step = step;
    s.inner = inner;
    std::vector<VarId> loops;
    for (VarId v : {step, inner})
      if (v >= 0)
        loops.push_back(v);
    for (VarId v : eq.vars)
      if (v != step && v != inner)
        s.vars.push_back(v);
    loops.insert(loops.end(), s.vars.begin(), s.vars.end());
    for (const ExprRef &entry : eq.lhs)
      s.left.push_back(evaluator.translate(entry, loops));
    s.where = evaluator.translate(eq.where, loops, evolving);
    s.right = evaluator.translate(eq.rhs, loops, evolving);
    return s;
  }

  /// Evaluates the points of an equation at the current step.
  void execute(const Statement &s) {
    Array &array = results[s.equation->tensor];
    Store &store = evaluator.stores[s.equation->tensor];
    evaluator.forEachPoint(s.vars, [&] {
      int64_t offset = 0;
      for (size_t i = 0; i < s.left.size(); ++i) {
        Value at = evaluator.evaluate(s.left[i]);
        if (!at.has || at.cell.i >= store.extent[i]) // beyond a short last block
          return true;
        offset += at.cell.i * store.stride[i];
      }
      if (s.where && !evaluator.holds(s.where))
        return true;
      Value v = evaluator.evaluate(s.right);
      if (v.has) {
        array.value[offset] = store.rounds ? rounded(array.type, v.cell) : v.cell;
        array.present[offset] = 1;
      }
      return true;
    });
  }

  void runAcyclic(const Component &component) {
    for (int e : component.equations) {
      const Equation &eq = cascade.equations[e];
      allocate(eq);
      execute(translate(eq, -1, -1, {}));
    }
  }

  /// Steps along a rank, downwards if `backward`.
  template <typename Body>
  void along(RankId rank, bool backward, Body body) {
    int64_t extent = environment.extent[rank];
    for (int64_t i = 0; i < extent; ++i)
      body(backward ? extent - 1 - i : i);
  }

  void runCycle(const Component &component) {
    std::vector<TensorId> evolving;
    for (int e : component.equations)
      evolving.push_back(cascade.equations[e].tensor);
    std::vector<Statement> statements;
    for (int e : component.equations)
      allocate(cascade.equations[e]);
    for (size_t i = 0; i < component.equations.size(); ++i) {
      const Equation &eq = cascade.equations[component.equations[i]];
      VarId step = advancing(component.variables, i, eq, component.rank);
      if (step < 0)
        throw Refusal{fmt::format("recurrence '{}' does not range over {} [ein-r20]",
                                  cascade.tensors[eq.tensor].name, cascade.ranks[component.rank].name)};
      VarId inner = component.inner < 0 ? -1 : advancing(component.innerVariables, i, eq, component.inner);
      statements.push_back(translate(eq, step, inner, evolving));
    }
    along(component.rank, component.backward, [&](int64_t outer) {
      for (const Statement &s : statements)
        evaluator.slot[s.step] = outer;
      // Neighbours that range over the inner rank advance together along it.
      for (size_t i = 0; i < statements.size();) {
        size_t end = i + 1;
        while (statements[i].inner >= 0 && end < statements.size() && statements[end].inner >= 0)
          ++end;
        auto all = [&] {
          for (size_t k = i; k < end; ++k) {
            evaluator.advance();
            execute(statements[k]);
          }
        };
        if (statements[i].inner < 0)
          all();
        else
          along(component.inner, component.innerBackward, [&](int64_t inside) {
            for (size_t k = i; k < end; ++k)
              evaluator.slot[statements[k].inner] = inside;
            all();
          });
        i = end;
      }
    });
  }

  /// The left variable with which equation `i` of a cycle advances along `rank`.
  VarId advancing(const std::vector<VarId> &chosen, size_t i, const Equation &eq, RankId rank) const {
    if (i < chosen.size())
      return chosen[i];
    for (VarId v : eq.vars)
      if (cascade.rankOf(v) == rank)
        return v;
    return -1;
  }

  /// Intermediates that nothing reads any more.
  void release(int component) {
    for (size_t t = 0; t < cascade.tensors.size(); ++t)
      if (cascade.tensors[t].role == Role::Intermediate && lastUse[t] == component &&
          !environment.keepIntermediates) {
        bytes -= static_cast<int64_t>(results[t].value.size()) * bytesOfPoint;
        results[t].value = {};
        results[t].present = {};
        evaluator.stores[t].value = nullptr;
        evaluator.stores[t].present = nullptr;
      }
  }

  /// ein-r19: what is stored where an output has no point.
  void finish() {
    for (size_t t = 0; t < cascade.tensors.size(); ++t) {
      const Tensor &tensor = cascade.tensors[t];
      if (tensor.role == Role::Input || !needed[t])
        continue;
      Array &array = results[t];
      array.present.resize(array.value.size());
      if (tensor.role == Role::Output && tensor.empty) {
        Value v = evaluator.evaluate(evaluator.translate(tensor.empty, {}));
        if (!v.has)
          throw Refusal{fmt::format("'empty' of '{}' divides by zero [ein-r19]", tensor.name)};
        Cell cell = rounded(tensor.type, v.cell);
        for (size_t i = 0; i < array.value.size(); ++i)
          if (!array.present[i])
            array.value[i] = cell;
      }
      if (tensor.role == Role::Output || environment.keepIntermediates)
        environment.tensors[t] = std::move(array);
    }
  }
};

} // namespace

bool evaluate(const Cascade &cascade, Environment &environment, std::string &error) {
  try {
    Evaluation(cascade, environment).run();
    return true;
  } catch (const Refusal &refusal) {
    error = refusal.message;
  } catch (const std::bad_alloc &) {
    error = "the interpreter has not enough memory for the tensors of this call";
  }
  environment.tensors.resize(cascade.tensors.size());
  for (size_t t = 0; t < cascade.tensors.size(); ++t)
    if (cascade.tensors[t].role != Role::Input)
      environment.tensors[t].reset();
  return false;
}

bool evaluateComponent(const Cascade &cascade, Environment &environment, const Component &component,
                       std::string &error) {
  bool keep = environment.keepIntermediates, done = false;
  try {
    Evaluation(cascade, environment).runAlone(component);
    done = true;
  } catch (const Refusal &refusal) {
    error = refusal.message;
  } catch (const std::bad_alloc &) {
    error = "the interpreter has not enough memory for the tensors of this call";
  }
  environment.keepIntermediates = keep;
  return done;
}

std::optional<Cell> evaluateConstant(const Cascade &cascade, const Environment &environment, const ExprRef &e,
                                     std::string &error) {
  Environment copy;
  copy.extent = environment.extent;
  copy.scalars = environment.scalars;
  try {
    Value v = Evaluation(cascade, copy).constant(e);
    return v.has ? std::optional<Cell>(v.cell) : std::nullopt;
  } catch (const Refusal &refusal) {
    error = refusal.message;
  }
  return std::nullopt;
}

} // namespace einfall::ein
