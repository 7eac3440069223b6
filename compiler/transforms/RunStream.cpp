//===- RunStream.cpp - a stream kernel in float64 --------------------------------------===//
//
// Row by row: a *row* is one coordinate of the outer and lane variables. Within a
// row a tile has one value for each coordinate of the block, and a state one for
// each point of its `over` variables; reads of them are rewritten to just these
// subscripts, as the lowering does.
//
//===----------------------------------------------------------------------===//
#include "compiler/transforms/RunPlan.h"
#include "dialects/ein/Arithmetic.h"
#include "dialects/ein/Evaluator.h"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <random>
#include <set>

namespace einfall::transforms {
using namespace ein;

namespace {

constexpr double poison = std::numeric_limits<double>::quiet_NaN();

/// State of one part: values by tensor, at the points of its `over` variables.
using State = std::map<TensorId, std::vector<Cell>>;

/// A step with its expressions translated.
struct ReadyStep {
  const TileStep *step;
  const Node *a, *b, *mask;
  std::vector<std::vector<std::vector<const Node *>>> matrices; ///< transport, row, column
  bool is(TileStep::Kind kind) const { return step->kind == kind; }
  bool folds() const { return is(TileStep::Kind::Fold) || is(TileStep::Kind::FoldContract); }
};

struct ReadySegment {
  const Segment *segment;
  int64_t extent;
  std::vector<ReadyStep> steps;
};

struct ReadyFinish {
  const Finish *finish;
  std::vector<const Node *> subscripts;
  const Node *value, *mask;
};

/// Coordinates [begin, end) of a segment.
struct Block {
  size_t segment;
  int64_t begin, end;
};

class Runner {
public:
  Runner(const Cascade &source, const StreamKernel &kernel, Environment &environment,
         const RunOptions &options)
      : kernel(kernel), environment(environment), options(options), cascade(withDelta(source)),
        evaluator(cascade, environment), random(options.seed.value_or(0)) {}

  void run() {
    for (size_t s = 0; s < cascade.scalars.size(); ++s)
      evaluator.scalars[s] = scalarOf(cascade.scalars[s], s);
    bindStored();
    bindResident();
    translate();
    std::vector<VarId> rows = kernel.outer;
    rows.insert(rows.end(), kernel.lanes.begin(), kernel.lanes.end());
    evaluator.forEachPoint(rows, [&] {
      row();
      return true;
    });
    for (auto &[t, array] : stored) {
      fillEmpty(cascade.tensors[t], array);
      environment.tensors[t] = std::move(array);
    }
  }

private:
  const StreamKernel &kernel;
  Environment &environment;
  const RunOptions &options;
  TensorId deltaTensor = -1;
  Cascade cascade; ///< with a tensor for the distance that an anchor moved
  Evaluator evaluator;
  std::mt19937_64 random;

  std::map<TensorId, VarId> tileVar;             ///< tiles: their segment's variable
  std::map<TensorId, std::vector<VarId>> overOf; ///< state: variables besides the row's
  std::set<TensorId> anchors;
  std::map<TensorId, ReduceOp> opOf; ///< folded state
  std::vector<TensorId> resident;    ///< all of these
  std::map<TensorId, std::vector<Cell>> tiles;
  std::map<TensorId, std::vector<Cell>> shown; ///< state as expressions read it
  std::vector<State> parts;
  Cell deltaValue = cellOf(0.0);
  std::vector<ReadySegment> segments;
  std::vector<ReadyFinish> finishes;
  std::map<TensorId, Array> stored;

  //===--------------------------------------------------------------------===//
  // Before the first row
  //===--------------------------------------------------------------------===//

  /// The distance is a number; expressions read it from a tensor without ranks.
  Cascade withDelta(const Cascade &source) {
    Cascade copy = source;
    Tensor t;
    t.name = "delta of an anchor";
    t.role = Role::Intermediate;
    t.type = Type::F64;
    deltaTensor = copy.addTensor(t);
    return copy;
  }

  static Cell rounded(Type type, Cell v) {
    return kindOf(type) == Kind::Float ? cellOf(roundTo(type, v.f)) : cellOf(arithmetic::saturate(type, v.i));
  }

  Cell constant(const ExprRef &e, Type type, const std::string &name) {
    std::string error;
    auto v = evaluateConstant(cascade, environment, e, error);
    if (!v)
      throw Refusal{fmt::format("a constant of '{}' has no value: {}", name, error)};
    return rounded(type, *v);
  }

  Cell scalarOf(const ScalarArg &arg, size_t s) {
    if (s < environment.scalars.size() && environment.scalars[s])
      return rounded(arg.type, *environment.scalars[s]);
    if (!arg.defaultValue)
      throw Refusal{fmt::format("scalar '{}' has no value [ein-c1]", arg.name)};
    return constant(arg.defaultValue, arg.type, arg.name);
  }

  int64_t extentOf(VarId v) const { return environment.extent[cascade.rankOf(v)]; }

  int64_t pointsOf(const std::vector<VarId> &over) const {
    int64_t n = 1;
    for (VarId v : over)
      n *= extentOf(v);
    return n;
  }

  static void strides(Store &store) {
    store.stride.assign(store.extent.size(), 1);
    for (size_t i = store.extent.size(); i-- > 1;)
      store.stride[i - 1] = store.stride[i] * std::max<int64_t>(store.extent[i], 1);
  }

  std::vector<int64_t> shapeOf(const Tensor &tensor) const {
    std::vector<int64_t> shape;
    for (size_t i = 0; i < tensor.ranks.size(); ++i)
      shape.push_back(environment.extent[tensor.ranks[i]] + (i < tensor.plus.size() ? tensor.plus[i] : 0));
    return shape;
  }

  static int64_t count(const std::vector<int64_t> &shape) {
    int64_t n = 1;
    for (int64_t x : shape)
      n *= x;
    return n;
  }

  /// Arguments and what earlier items stored.
  void bindStored() {
    for (size_t t = 0; t < cascade.tensors.size(); ++t) {
      const Tensor &tensor = cascade.tensors[t];
      Store &store = evaluator.stores[t];
      store.type = tensor.type;
      store.extent = shapeOf(tensor);
      strides(store);
      if (t >= environment.tensors.size())
        continue;
      auto &given = environment.tensors[t];
      if (!given && tensor.role == Role::Input && tensor.defaultValue)
        given = Array{
            tensor.type,
            store.extent,
            std::vector<Cell>(count(store.extent), constant(tensor.defaultValue, tensor.type, tensor.name)),
            {}};
      if (given) {
        store.value = given->value.data();
        store.present = given->present.empty() ? nullptr : given->present.data();
      }
    }
  }

  void bindResident() {
    for (const Segment &s : kernel.segments)
      for (const TileStep &step : s.steps)
        switch (step.kind) {
        case TileStep::Kind::Contract:
        case TileStep::Kind::Map:
          tileVar[step.tensor] = s.var;
          tiles[step.tensor].resize(std::max<int64_t>(extentOf(s.var), 1));
          break;
        case TileStep::Kind::Anchor:
          anchors.insert(step.tensor);
          overOf[step.tensor] = step.over;
          break;
        default:
          opOf[step.tensor] = step.kind == TileStep::Kind::Fold ? step.op : ReduceOp::Sum;
          overOf[step.tensor] = step.over;
        }
    for (auto &[t, over] : overOf)
      shown[t].resize(std::max<int64_t>(pointsOf(over), 1));
    auto offer = [&](TensorId t, const std::vector<VarId> &vars, const std::vector<Cell> &data) {
      Store &store = evaluator.stores[t];
      store.extent.clear();
      for (VarId v : vars)
        store.extent.push_back(extentOf(v));
      strides(store);
      store.value = data.data();
      store.present = nullptr;
      resident.push_back(t);
    };
    for (auto &[t, data] : tiles)
      offer(t, {tileVar[t]}, data);
    for (auto &[t, data] : shown)
      offer(t, overOf[t], data);
    evaluator.stores[deltaTensor].value = &deltaValue;
  }

  bool isResident(TensorId t) const { return tiles.count(t) || shown.count(t); }

  /// Reads of tiles and state at their own variables only; they always exist.
  ExprRef local(const ExprRef &e, VarId delta) {
    return rewrite(e, [&](const ExprRef &x) -> ExprRef {
      if (x->op == ExprOp::Read && isResident(x->id)) {
        std::vector<ExprRef> subscripts;
        if (auto t = tileVar.find(x->id); t != tileVar.end())
          subscripts.push_back(coord(t->second));
        else
          for (VarId v : overOf.at(x->id))
            subscripts.push_back(coord(v));
        return read(x->id, x->kind, subscripts);
      }
      if (x->op == ExprOp::Exists && x->args[0]->op == ExprOp::Read && isResident(x->args[0]->id))
        return boolean(true);
      if (x->op == ExprOp::ToFloat && x->args[0]->op == ExprOp::Coord && x->args[0]->id == delta)
        return read(deltaTensor, Kind::Float, {});
      return x;
    });
  }

  /// Memos of nested reductions would have to follow the order of loops: none.
  const Node *translate(const ExprRef &e, VarId delta = -1) {
    if (!e)
      return nullptr;
    ExprRef own = local(e, delta);
    for (TensorId t : tensorsRead(own))
      if (!evaluator.stores[t].value && count(evaluator.stores[t].extent) > 0)
        throw Refusal{fmt::format("a kernel reads '{}' before it has its values", cascade.tensors[t].name)};
    evolving = resident;
    evolving.push_back(deltaTensor);
    return evaluator.translate(own, {}, evolving);
  }
  std::vector<TensorId> evolving;

  void translate() {
    for (const Segment &s : kernel.segments) {
      ReadySegment ready{&s, evaluator.evaluate(translate(s.extent)).cell.i, {}};
      for (const TileStep &step : s.steps) {
        ReadyStep r{&step, translate(step.a), translate(step.b), translate(step.mask), {}};
        for (const Transport &move : step.transports) {
          r.matrices.emplace_back();
          for (const auto &line : move.matrix) {
            r.matrices.back().emplace_back();
            for (const ExprRef &e : line)
              r.matrices.back().back().push_back(translate(e, step.delta));
          }
        }
        ready.steps.push_back(std::move(r));
      }
      segments.push_back(std::move(ready));
    }
    for (const Finish &f : kernel.finish) {
      ReadyFinish r{&f, {}, translate(f.value), translate(f.mask)};
      for (const ExprRef &s : f.subscripts)
        r.subscripts.push_back(translate(s));
      finishes.push_back(r);
      const Tensor &tensor = cascade.tensors[f.tensor];
      Array array{tensor.type, shapeOf(tensor), {}, {}};
      array.value.assign(count(array.shape), cellOf(int64_t(0)));
      array.present.assign(std::max<int64_t>(count(array.shape), 1), 0);
      stored[f.tensor] = std::move(array);
    }
  }

  //===--------------------------------------------------------------------===//
  // A row
  //===--------------------------------------------------------------------===//

  Value evaluate(const Node *n) {
    evaluator.advance();
    return evaluator.evaluate(n);
  }
  bool holds(const Node *mask) { return !mask || evaluate(mask).cell.i != 0; }

  std::vector<Block> blocks() {
    std::vector<Block> list;
    int64_t size = options.block > 0 ? options.block : kernel.block;
    for (size_t s = 0; s < segments.size(); ++s)
      for (int64_t begin = 0, end; begin < segments[s].extent; begin = end) {
        int64_t step = options.seed ? 1 + static_cast<int64_t>(random() % size) : size;
        end = std::min(segments[s].extent, begin + step);
        list.push_back({s, begin, end});
      }
    if (options.seed)
      std::shuffle(list.begin(), list.end(), random);
    return list;
  }

  Cell identity(TensorId t) const {
    if (anchors.count(t))
      return cellOf(-arithmetic::infinity); // never set
    switch (opOf.at(t)) {
    case ReduceOp::Max:
      return cellOf(-arithmetic::infinity);
    case ReduceOp::Min:
      return cellOf(arithmetic::infinity);
    case ReduceOp::All:
      return cellOf(int64_t(1));
    case ReduceOp::Sum:
      return cellOf(0.0);
    default: // Any, Count
      return cellOf(int64_t(0));
    }
  }

  /// An anchor that was never set counts as 0: any value is right.
  void show(const State &state) {
    for (auto &[t, data] : state)
      for (size_t i = 0; i < data.size(); ++i)
        shown[t][i] = anchors.count(t) && data[i].f == -arithmetic::infinity ? cellOf(0.0) : data[i];
  }

  void row() {
    State first;
    for (auto &[t, over] : overOf)
      first[t].assign(pointsOf(over), identity(t));
    parts.assign(options.parts, first);
    size_t next = 0;
    for (const Block &b : blocks())
      block(b, parts[next++ % parts.size()]);
    State &state = parts[0];
    if (parts.size() > 1)
      state = merged(first);
    for (const ReadySegment &s : segments)
      for (const ReadyStep &step : s.steps)
        if (step.is(TileStep::Kind::Anchor) && (step.step->lag || segments.size() > 1))
          anchor(step, state, state, /*exact=*/true);
    show(state);
    for (const ReadyFinish &f : finishes)
      finish(f);
  }

  void block(const Block &b, State &state) {
    const ReadySegment &segment = segments[b.segment];
    const VarId stream = segment.segment->var;
    auto each = [&](auto body) {
      for (int64_t m = b.begin; m < b.end; ++m) {
        evaluator.slot[stream] = m;
        body(m);
      }
    };
    for (auto &[t, data] : tiles)
      std::fill(data.begin(), data.end(),
                kindOf(cascade.tensors[t].type) == Kind::Float ? cellOf(poison) : cellOf(int64_t(0x5a5a)));
    show(state);
    for (const ReadyStep &step : segment.steps) {
      const TileStep &s = *step.step;
      switch (s.kind) {
      case TileStep::Kind::Map:
        each([&](int64_t m) {
          if (holds(step.mask))
            tiles[s.tensor][m] = valueAt(step.a, s);
        });
        break;
      case TileStep::Kind::Contract:
        each([&](int64_t m) {
          if (!holds(step.mask))
            return;
          double sum = 0;
          evaluator.forEachPoint(s.over, [&] {
            Value x = evaluate(step.a), y = evaluate(step.b); // what is missing adds nothing
            sum += x.has && y.has ? x.cell.f * y.cell.f : 0;
            return true;
          });
          tiles[s.tensor][m] = cellOf(sum);
        });
        break;
      case TileStep::Kind::Fold:
      case TileStep::Kind::FoldContract: {
        ReduceOp op = opOf.at(s.tensor);
        eachPoint(s.over, [&](size_t at) {
          each([&](int64_t) {
            if (!holds(step.mask))
              return;
            Cell v = valueAt(step.a, s);
            if (step.b)
              v = cellOf(v.f * valueAt(step.b, s).f);
            state[s.tensor][at] = combine(op, state[s.tensor][at], v);
          });
        });
        show(state);
        break;
      }
      case TileStep::Kind::Anchor:
        anchor(step, state, state, /*exact=*/!s.lag || !options.lag);
        show(state);
        break;
      }
    }
  }

  template <typename Body>
  void eachPoint(const std::vector<VarId> &over, Body body) {
    size_t at = 0;
    evaluator.forEachPoint(over, [&] {
      body(at++);
      return true;
    });
  }

  /// What has no value where the mask holds is as undefined as in a lowering.
  Cell valueAt(const Node *n, const TileStep &s) {
    Value v = evaluate(n);
    if (v.has)
      return v.cell;
    return kindOf(cascade.tensors[s.tensor].type) == Kind::Float ? cellOf(poison) : v.cell;
  }

  static Cell combine(ReduceOp op, Cell x, Cell y) {
    switch (op) {
    case ReduceOp::Sum:
      return cellOf(x.f + y.f);
    case ReduceOp::Max:
      return cellOf(arithmetic::maximum(x.f, y.f));
    case ReduceOp::Min:
      return cellOf(arithmetic::minimum(x.f, y.f));
    case ReduceOp::Any:
      return cellOf(int64_t(x.i || y.i));
    case ReduceOp::All:
      return cellOf(int64_t(x.i && y.i));
    default: // Count of bools, or of counts
      return cellOf(x.i + y.i);
    }
  }

  /// Moves the anchor of `state` to the row value of `values`; state follows.
  void anchor(const ReadyStep &step, State &state, const State &values, bool exact) {
    const TileStep &s = *step.step;
    show(values);
    std::vector<double> deltas;
    eachPoint(s.over, [&](size_t at) {
      Value y = evaluate(step.a);
      double &own = state[s.tensor][at].f, delta = 0;
      bool unset = own == -arithmetic::infinity;
      bool set = y.has && std::isfinite(y.cell.f) && y.cell.f != own;
      if (set && !unset && !exact)
        set = std::fabs(y.cell.f - own) > options.lagDistance;
      if (set) {
        delta = unset ? y.cell.f : y.cell.f - own; // until then state stands at 0
        own = y.cell.f;
      }
      deltas.push_back(delta);
    });
    show(state);
    for (size_t k = 0; k < s.transports.size(); ++k)
      transport(s.transports[k], step.matrices[k], s.over, deltas, state);
  }

  void transport(const Transport &move, const std::vector<std::vector<const Node *>> &matrix,
                 const std::vector<VarId> &anchorOver, const std::vector<double> &deltas, State &state) {
    std::vector<VarId> over;
    for (TensorId t : move.state)
      for (VarId v : overOf.at(t))
        if (std::find(over.begin(), over.end(), v) == over.end())
          over.push_back(v);
    for (VarId v : anchorOver)
      if (std::find(over.begin(), over.end(), v) == over.end())
        throw Refusal{"an anchor with more variables than the state that follows it"};
    auto place = [&](const std::vector<VarId> &vars) {
      size_t at = 0;
      for (VarId v : vars)
        at = at * extentOf(v) + evaluator.slot[v];
      return at;
    };
    evaluator.forEachPoint(over, [&] {
      deltaValue = cellOf(deltas[place(anchorOver)]);
      std::vector<double> old;
      for (TensorId t : move.state)
        old.push_back(state[t][place(overOf.at(t))].f);
      for (size_t r = 0; r < move.state.size(); ++r) {
        if (matrix[r].empty())
          continue;
        double sum = 0;
        bool any = false;
        for (size_t c = 0; c < matrix[r].size(); ++c)
          if (matrix[r][c]) {
            double entry = evaluate(matrix[r][c]).cell.f;
            // The identity stays, also under a factor beyond the range.
            double term = move.shift ? entry + old[c] : old[c] == 0 ? 0 : entry * old[c];
            sum = any ? sum + term : term;
            any = true;
          }
        state[move.state[r]][place(overOf.at(move.state[r]))] = cellOf(sum);
      }
      return true;
    });
  }

  //===--------------------------------------------------------------------===//
  // Parts, results
  //===--------------------------------------------------------------------===//

  /// One state from several: a value can be added up when every anchor that it
  /// hangs on stands at one place in all parts, an anchor can move when what its
  /// row value reads has been.
  State merged(const State &first) {
    State whole = first;
    std::map<TensorId, const ReadyStep *> anchorStep;
    std::map<TensorId, std::set<TensorId>> waits;
    for (const ReadySegment &s : segments)
      for (const ReadyStep &step : s.steps)
        if (step.is(TileStep::Kind::Anchor)) {
          anchorStep[step.step->tensor] = &step;
          for (TensorId t : tensorsRead(step.step->a))
            if (overOf.count(t))
              waits[step.step->tensor].insert(t);
          for (size_t k = 0; k < step.step->transports.size(); ++k)
            for (size_t r = 0; r < step.step->transports[k].state.size(); ++r)
              if (!step.step->transports[k].matrix[r].empty())
                waits[step.step->transports[k].state[r]].insert(step.step->tensor);
        }
    std::set<TensorId> done;
    for (bool progress = true; progress && done.size() < overOf.size();) {
      progress = false;
      for (auto &[t, over] : overOf) {
        bool ready = !done.count(t);
        for (TensorId w : waits[t])
          ready &= done.count(w) > 0;
        if (!ready)
          continue;
        progress = true;
        done.insert(t);
        if (anchors.count(t)) {
          for (State &part : parts)
            anchor(*anchorStep[t], part, whole, /*exact=*/true);
          whole[t] = parts[0][t];
          for (State &part : parts) // a part that never set its own
            for (size_t i = 0; i < part[t].size(); ++i)
              whole[t][i] = cellOf(std::max(whole[t][i].f, part[t][i].f));
          continue;
        }
        for (State &part : parts)
          for (size_t i = 0; i < part[t].size(); ++i)
            whole[t][i] = combine(opOf.at(t), whole[t][i], part[t][i]);
      }
    }
    if (done.size() < overOf.size())
      throw Refusal{"the state of a kernel hangs on itself"};
    return whole;
  }

  void finish(const ReadyFinish &f) {
    const Tensor &tensor = cascade.tensors[f.finish->tensor];
    Array &array = stored[f.finish->tensor];
    evaluator.forEachPoint(f.finish->over, [&] {
      int64_t offset = 0;
      for (size_t i = 0; i < f.subscripts.size(); ++i) {
        Value at = evaluate(f.subscripts[i]);
        if (!at.has || at.cell.i < 0 || at.cell.i >= array.shape[i]) // beyond a short last block
          return true;
        offset = offset * array.shape[i] + at.cell.i;
      }
      if (array.present[offset])
        throw Refusal{fmt::format("a point of '{}' is stored twice", tensor.name)};
      Value v = holds(f.mask) ? evaluate(f.value) : missing();
      if (!v.has)
        return true;
      bool rounds = tensor.annotated || tensor.role == Role::Output;
      array.value[offset] = rounds ? rounded(tensor.type, v.cell) : v.cell;
      array.present[offset] = 1;
      return true;
    });
  }

  void fillEmpty(const Tensor &tensor, Array &array) {
    array.present.resize(array.value.size());
    if (tensor.role != Role::Output || !tensor.empty)
      return;
    Cell cell = constant(tensor.empty, tensor.type, tensor.name);
    for (size_t i = 0; i < array.value.size(); ++i)
      if (!array.present[i])
        array.value[i] = cell;
  }
};

} // namespace

void runStream(const Cascade &cascade, const StreamKernel &kernel, Environment &environment,
               const RunOptions &options) {
  Runner(cascade, kernel, environment, options).run();
}

} // namespace einfall::transforms
