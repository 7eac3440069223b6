#include "dialects/ein/Arithmetic.h"
#include "dialects/ein/EvaluatorNode.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::ein {

using namespace arithmetic;

Evaluator::Evaluator(const Cascade &cascade, const Environment &environment)
    : slot(cascade.variables.size(), 0), stores(cascade.tensors.size()), scalars(cascade.scalars.size()),
      cascade(cascade), environment(environment) {}
Evaluator::~Evaluator() = default;

//===----------------------------------------------------------------------===//
// Translation
//===----------------------------------------------------------------------===//

struct Evaluator::Translation {
  Evaluator &evaluator;
  std::vector<VarId> loops;
  const std::vector<TensorId> &evolving;
  int depth = 0;

  const Node *operator()(const ExprRef &e) {
    if (!e)
      return nullptr;
    // Evaluation recurses along the expression: bounded by its depth alone.
    if (++depth > 4000)
      throw Refusal{"an expression is nested more than 4000 deep"};
    const Node *node = translate(e);
    --depth;
    return node;
  }

  const Node *translate(const ExprRef &e) {
    Node &node = evaluator.nodes.emplace_back();
    node.op = e->op;
    node.kind = e->kind;
    node.fn = e->fn;
    node.type = e->type;
    node.reduce = e->reduce;
    node.partial = e->partial;
    node.id = e->id;
    node.source = e.get();
    if (e->op == ExprOp::Reduce)
      return reduction(node, *e);
    for (const ExprRef &a : e->args)
      node.args.push_back((*this)(a));
    node.fromData = e->op == ExprOp::Read;
    for (const Node *a : node.args)
      node.fromData = node.fromData || a->fromData;
    for (size_t i = 0; i < node.args.size() && i < 3; ++i)
      (i == 0 ? node.x : i == 1 ? node.y : node.z) = node.args[i];
    if (e->op == ExprOp::Read) {
      node.store = &evaluator.stores[e->id];
      for (size_t i = 0; i < node.args.size(); ++i)
        node.dimensions.push_back({node.args[i]->op == ExprOp::Coord ? node.args[i]->id : -1, node.args[i],
                                   node.store->extent[i], node.store->stride[i]});
    }
    if (e->op == ExprOp::Number)
      node.constant = e->kind == Kind::Float ? cellOf(e->number) : cellOf(e->integer);
    if (e->op == ExprOp::Extent)
      node.constant = cellOf(evaluator.environment.extent[e->id]);
    if (e->op == ExprOp::Scalar)
      node.constant = evaluator.scalars[e->id];
    if (e->op == ExprOp::Tuple)
      for (RankId part : evaluator.cascade.splits[e->id].parts)
        node.extents.push_back(evaluator.environment.extent[part]);
    return &node;
  }

  const Node *reduction(Node &node, const Expr &e) {
    node.vars = e.vars;
    for (const ExprRef &a : e.at)
      node.at.push_back((*this)(a));
    node.aux = (*this)(e.aux);
    if (e.vars.size() > 1 &&
        (e.reduce == ReduceOp::ArgMax || e.reduce == ReduceOp::ArgMin || e.reduce >= ReduceOp::ArgSort))
      throw Refusal{fmt::format("'{}' over several variables has no one coordinate", name(e.reduce))};
    int64_t count = 1;
    for (VarId v : e.vars)
      node.extents.push_back(evaluator.extentOf(v));
    bool table = keepsVariables(e.reduce) || isSelection(e.reduce);
    for (int64_t extent : node.extents)
      if (__builtin_mul_overflow(count, extent, &count) || (table && count > (int64_t(1) << 26)))
        throw Refusal{fmt::format("'{}' over more points than can be ordered here (2^26)", name(e.reduce))};
    memo(node, e);
    size_t outer = loops.size();
    loops.insert(loops.end(), e.vars.begin(), e.vars.end());
    node.filter = (*this)(e.filter);
    node.args.push_back((*this)(e.args[0]));
    loops.resize(outer);
    node.fromData = true;
    if (table)
      node.order = std::make_unique<Order>();
    return &node;
  }

  void memo(Node &node, const Expr &e) {
    // Free variables of body and filter; places and `aux` are looked up afresh.
    Expr inside = e;
    inside.at.clear();
    inside.aux = nullptr;
    auto copy = std::make_shared<const Expr>(inside);
    std::vector<VarId> free = freeVariables(copy);
    auto memo = std::make_unique<Memo>();
    for (TensorId t : tensorsRead(copy))
      memo->evolves = memo->evolves || std::find(evolving.begin(), evolving.end(), t) != evolving.end();
    bool table = keepsVariables(e.reduce) || isSelection(e.reduce);
    auto isFree = [&](VarId v) { return std::find(free.begin(), free.end(), v) != free.end(); };
    size_t slow = 0;
    while (slow < loops.size() && isFree(loops[slow]))
      ++slow;
    int64_t count = 1;
    for (VarId v : free) {
      bool isSlow = std::find(loops.begin(), loops.begin() + slow, v) != loops.begin() + slow;
      int64_t next;
      bool fits = !__builtin_mul_overflow(count, evaluator.extentOf(v), &next) && next <= (1 << 22);
      if (isSlow || table || !fits || std::find(loops.begin(), loops.end(), v) == loops.end()) {
        memo->key.push_back(v);
      } else {
        memo->inner.push_back(v);
        count = next;
      }
    }
    if (slow == loops.size() && !table && !loops.empty())
      return; // depends on every loop: no result is asked for twice
    memo->keyValue.assign(memo->key.size(), -1);
    memo->results.resize(table ? 0 : std::max<int64_t>(count, 1));
    memo->known.assign(memo->results.size(), 0);
    node.memo = std::move(memo);
  }
};

const Node *Evaluator::translate(const ExprRef &e, const std::vector<VarId> &loops,
                                 const std::vector<TensorId> &evolving) {
  return Translation{*this, loops, evolving}(e);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value Evaluator::evaluate(const Node *n) {
  const Node &node = *n;
  switch (node.op) {
  case ExprOp::Number:
  case ExprOp::Extent:
  case ExprOp::Scalar:
    return {node.constant, true};
  case ExprOp::Coord:
    return valueOf(slot[node.id]);
  case ExprOp::Read:
    return read(node);
  case ExprOp::Tuple:
    return tuple(node);
  case ExprOp::Mul: // most of all that is ever evaluated
    if (node.kind == Kind::Float) {
      Value x = evaluate(node.x);
      Value y = x.has ? evaluate(node.y) : x;
      return {cellOf(x.cell.f * y.cell.f), y.has};
    }
    [[fallthrough]];
  case ExprOp::Neg:
  case ExprOp::Add:
  case ExprOp::Sub:
  case ExprOp::Div:
  case ExprOp::IDiv:
  case ExprOp::Mod:
  case ExprOp::Pow:
  case ExprOp::Min:
  case ExprOp::Max:
    return arithmetic(node);
  case ExprOp::Lt:
  case ExprOp::Le:
  case ExprOp::Gt:
  case ExprOp::Ge:
  case ExprOp::Eq:
  case ExprOp::Ne:
    return compare(node);
  case ExprOp::And:
    return valueOf(holds(node.x) && holds(node.y));
  case ExprOp::Or:
    return valueOf(holds(node.x) || holds(node.y));
  case ExprOp::Not:
    return valueOf(!holds(node.x));
  case ExprOp::If: // reads only the branch taken
    return evaluate(holds(node.x) ? node.y : node.z);
  case ExprOp::Else: {
    Value x = evaluate(node.x);
    return x.has ? x : evaluate(node.y);
  }
  case ExprOp::Exists:
    return valueOf(evaluate(node.x).has);
  case ExprOp::ToFloat:
  case ExprOp::Cast:
    return convert(node);
  case ExprOp::Call:
    return call(node);
  case ExprOp::Reduce:
    return reduce(node);
  }
  return missing();
}

Value Evaluator::arithmetic(const Node &node) {
  Value x = evaluate(node.x);
  if (!x.has)
    return x;
  Value y = x;
  if (node.op != ExprOp::Neg && !(y = evaluate(node.y)).has)
    return y;
  if (node.kind == Kind::Float) {
    double a = x.cell.f, b = y.cell.f;
    switch (node.op) {
    case ExprOp::Neg:
      return valueOf(-a);
    case ExprOp::Add:
      return valueOf(a + b);
    case ExprOp::Sub:
      return valueOf(a - b);
    case ExprOp::Mul:
      return valueOf(a * b);
    case ExprOp::Div:
      return valueOf(a / b);
    case ExprOp::Pow:
      return valueOf(std::pow(a, b));
    case ExprOp::Min:
      return valueOf(minimum(a, b));
    case ExprOp::Max:
      return valueOf(maximum(a, b));
    default:
      return missing();
    }
  }
  auto orMissing = [](std::optional<int64_t> z) { return z ? valueOf(*z) : missing(); };
  int64_t a = x.cell.i, b = y.cell.i;
  switch (node.op) {
  case ExprOp::Neg:
    return valueOf(negate(a));
  case ExprOp::Add:
    return valueOf(add(a, b));
  case ExprOp::Sub:
    return valueOf(subtract(a, b));
  case ExprOp::Mul:
    return valueOf(multiply(a, b));
  case ExprOp::IDiv:
    return orMissing(floorDivide(a, b));
  case ExprOp::Mod:
    return orMissing(floorModulo(a, b));
  case ExprOp::Pow:
    return orMissing(power(a, b));
  case ExprOp::Min:
    return valueOf(std::min(a, b));
  case ExprOp::Max:
    return valueOf(std::max(a, b));
  default:
    return missing();
  }
}

/// Of two numbers or two bools; false when one is missing.
Value Evaluator::compare(const Node &node) {
  Value x = evaluate(node.x), y = evaluate(node.y);
  if (!x.has || !y.has)
    return valueOf(false);
  auto with = [&](auto a, auto b) {
    switch (node.op) {
    case ExprOp::Lt:
      return a < b;
    case ExprOp::Le:
      return a <= b;
    case ExprOp::Gt:
      return a > b;
    case ExprOp::Ge:
      return a >= b;
    case ExprOp::Eq:
      return a == b;
    default:
      return a != b;
    }
  };
  return valueOf(node.x->kind == Kind::Float ? with(x.cell.f, y.cell.f) : with(x.cell.i, y.cell.i));
}

Value Evaluator::convert(const Node &node) {
  Value x = evaluate(node.x);
  if (!x.has)
    return node.kind == Kind::Bool ? valueOf(false) : x;
  bool fromFloat = node.x->kind == Kind::Float;
  Type type = node.op == ExprOp::ToFloat ? Type::F64 : node.type;
  switch (node.kind) {
  case Kind::Float:
    return valueOf(fromFloat ? roundTo(type, x.cell.f) : toFloat(type, x.cell.i));
  case Kind::Int:
    return valueOf(saturate(type, fromFloat ? truncate(x.cell.f) : x.cell.i));
  case Kind::Bool:
    return valueOf(fromFloat ? x.cell.f != 0 : x.cell.i != 0);
  }
  return missing();
}

Value Evaluator::call(const Node &node) {
  Value x = evaluate(node.x);
  if (!x.has)
    return x;
  if (node.x->kind == Kind::Float)
    return valueOf(apply(node.fn, x.cell.f));
  Value y = node.args.size() > 1 ? evaluate(node.y) : x;
  return y.has ? valueOf(apply(node.fn, x.cell.i, y.cell.i)) : y;
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

/// What a read gives where there is no point: a bool tensor is false there.
static Value nothing(const Node &node) { return node.kind == Kind::Bool ? valueOf(false) : missing(); }

Value Evaluator::tuple(const Node &node) {
  int64_t linear = 0;
  for (size_t i = 0; i < node.args.size(); ++i) {
    Value entry = evaluate(node.args[i]);
    if (!entry.has)
      return entry;
    if (entry.cell.i < 0 || entry.cell.i >= node.extents[i]) {
      if (environment.checked && node.args[i]->fromData)
        outside(node, static_cast<int>(i), entry.cell.i);
      return missing();
    }
    if (__builtin_mul_overflow(linear, node.extents[i], &linear) ||
        __builtin_add_overflow(linear, entry.cell.i, &linear))
      return missing();
  }
  return valueOf(linear);
}

Value Evaluator::read(const Node &node) {
  int64_t offset = 0;
  for (const Dimension &d : node.dimensions) {
    int64_t at;
    if (d.var >= 0) {
      at = slot[d.var];
    } else {
      Value v = evaluate(d.subscript);
      if (!v.has)
        return nothing(node);
      at = v.cell.i;
    }
    if (at < 0 || at >= d.extent)
      return readOutside(node);
    offset = add(offset, multiply(at, d.stride));
  }
  if (node.store->present && !node.store->present[offset])
    return nothing(node);
  return {node.store->value[offset], true};
}

/// Some subscript is out of range: a value before the start, or no point.
Value Evaluator::readOutside(const Node &node) {
  const Store &store = *node.store;
  std::vector<int64_t> subscripts;
  for (size_t i = 0; i < node.args.size(); ++i) {
    Value v = evaluate(node.args[i]);
    if (!v.has)
      return nothing(node);
    int64_t at = v.cell.i;
    bool outside = at < 0 || at >= store.extent[i];
    if (outside && !(static_cast<int>(i) == store.initRank && (at < 0) != store.initBackward)) {
      if (environment.checked && node.args[i]->fromData && node.args[i]->op != ExprOp::Tuple)
        this->outside(node, static_cast<int>(i), at);
      return nothing(node);
    }
    subscripts.push_back(at);
  }
  Value v = readInit(store, subscripts.data());
  return v.has ? v : nothing(node);
}

/// `init` is over the tensor's other left variables, which the subscripts give.
Value Evaluator::readInit(const Store &store, const int64_t *subscripts) {
  if (++initDepth > static_cast<int>(stores.size()))
    throw Refusal{"the 'init' of a recurrence needs its own value"};
  std::vector<int64_t> saved = slot;
  bool exists = true;
  for (size_t i = 0; i < store.left.size() && exists; ++i)
    if (static_cast<int>(i) != store.initRank)
      exists = leftVariables(*store.left[i], subscripts[i]);
  Value v = exists ? evaluate(store.init) : missing();
  if (v.has && store.rounds)
    v.cell = kindOf(store.type) == Kind::Float ? cellOf(roundTo(store.type, v.cell.f))
                                               : cellOf(saturate(store.type, v.cell.i));
  slot = std::move(saved);
  --initDepth;
  return v;
}

bool Evaluator::leftVariables(const Expr &entry, int64_t coordinate) {
  if (entry.op == ExprOp::Coord) {
    slot[entry.id] = coordinate;
    return coordinate < extentOf(entry.id);
  }
  const Split &split = cascade.splits[entry.id];
  for (size_t i = entry.args.size(); i-- > 0;) {
    int64_t extent = environment.extent[split.parts[i]];
    if (extent <= 0)
      return false;
    if (!leftVariables(*entry.args[i], i ? coordinate % extent : coordinate))
      return false;
    coordinate /= extent;
  }
  return true;
}

/// ein-c2: names the subscript, its value, the rank and its extent.
void Evaluator::outside(const Node &node, int position, int64_t coordinate) {
  const Node &sub = *node.args[position];
  RankId rank = node.op == ExprOp::Tuple ? cascade.splits[node.id].parts[position]
                                         : cascade.tensors[node.id].ranks[position];
  int64_t extent = node.op == ExprOp::Tuple ? node.extents[position] : stores[node.id].extent[position];
  std::string what;
  if (sub.op == ExprOp::Read) {
    what = cascade.tensors[sub.id].name;
    for (size_t i = 0; i < sub.args.size(); ++i)
      what += fmt::format("{}{}", i ? "," : "[", evaluate(sub.args[i]).cell.i);
    what += sub.args.empty() ? "" : "]";
  } else {
    ExprRef text(std::shared_ptr<void>(), sub.source);
    what = print(cascade, text);
    std::string where;
    for (VarId v : freeVariables(text))
      where += fmt::format("{}{} = {}", where.empty() ? " at " : ", ", cascade.variables[v].name, slot[v]);
    what += where;
  }
  throw Refusal{fmt::format("{}{} {} is outside rank {} ({}) [ein-c2]", what,
                            sub.op == ExprOp::Read ? " =" : ":", coordinate, cascade.ranks[rank].name,
                            extent)};
}

} // namespace einfall::ein
