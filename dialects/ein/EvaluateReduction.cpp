//===- EvaluateReduction.cpp - reductions, scans and selections ---------------===//
//
// ein-r17 and r18. A point takes part in a reduction if the filter holds there
// and the body has a value; whether a body without value silences one point or
// the whole reduction is the node's `partial`. Scans and selections compute all
// their results at once and are then looked up at a place.
//
//===----------------------------------------------------------------------===//
#include "dialects/ein/Arithmetic.h"
#include "dialects/ein/EvaluatorNode.h"
#include <algorithm>

namespace einfall::ein {

using namespace arithmetic;

Value Evaluator::reduce(const Node &node) {
  Memo *memo = node.memo.get();
  bool stale = false;
  if (memo) {
    stale = memo->epoch < 0 || (memo->evolves && memo->epoch != epoch);
    for (size_t i = 0; i < memo->key.size(); ++i) {
      stale = stale || memo->keyValue[i] != slot[memo->key[i]];
      memo->keyValue[i] = slot[memo->key[i]];
    }
    memo->epoch = epoch;
  }
  if (keepsVariables(node.reduce) || isSelection(node.reduce)) {
    if (stale || !memo) {
      if (memo)
        memo->epoch = -1; // not valid should the filling end early
      isScan(node.reduce) ? fillScan(node) : fillOrder(node);
      if (memo)
        memo->epoch = epoch;
    }
    return keepsVariables(node.reduce) ? scanOrPlace(node) : select(node);
  }
  if (!memo)
    return fold(node);
  if (stale)
    std::fill(memo->known.begin(), memo->known.end(), 0);
  int64_t index = 0;
  for (VarId v : memo->inner) {
    // A place read by `init` may lie outside; there is no result to remember.
    if (slot[v] < 0 || slot[v] >= extentOf(v))
      return fold(node);
    index = index * extentOf(v) + slot[v];
  }
  if (!memo->known[index]) {
    memo->results[index] = fold(node);
    memo->known[index] = 1;
  }
  return memo->results[index];
}

/// The operators that remove their variables and need no order (ein-r17).
Value Evaluator::fold(const Node &node) {
  const Node *body = node.args[0];
  bool isFloat = body->kind == Kind::Float;
  double f = 0;
  int64_t i = 0, taken = 0, where = 0;
  switch (node.reduce) {
  case ReduceOp::Prod:
    f = 1, i = 1;
    break;
  case ReduceOp::Max:
    f = -infinity;
    break;
  case ReduceOp::Min:
    f = infinity;
    break;
  default:
    break;
  }
  bool whole = true, decided = false;
  forEachPoint(node.vars, [&] {
    if (node.filter && !holds(node.filter))
      return true;
    Value x = evaluate(body);
    if (!x.has) // such a point takes no part, or there is no result at all
      return whole = node.partial;
    bool first = taken++ == 0;
    switch (node.reduce) {
    case ReduceOp::Sum:
      isFloat ? void(f += x.cell.f) : void(i = add(i, x.cell.i));
      break;
    case ReduceOp::Mean:
      f += isFloat ? x.cell.f : double(x.cell.i);
      break;
    case ReduceOp::Prod:
      isFloat ? void(f *= x.cell.f) : void(i = multiply(i, x.cell.i));
      break;
    case ReduceOp::Max:
      isFloat ? void(f = maximum(f, x.cell.f)) : void(i = first ? x.cell.i : std::max(i, x.cell.i));
      break;
    case ReduceOp::Min:
      isFloat ? void(f = minimum(f, x.cell.f)) : void(i = first ? x.cell.i : std::min(i, x.cell.i));
      break;
    case ReduceOp::Any:
      decided = decided || x.cell.i;
      return !decided;
    case ReduceOp::All:
      decided = decided || !x.cell.i;
      return !decided;
    case ReduceOp::Count:
      i += x.cell.i != 0;
      break;
    case ReduceOp::ArgMax:
    case ReduceOp::ArgMin: {
      double a = node.reduce == ReduceOp::ArgMax ? x.cell.f : -x.cell.f;
      bool better = first || (isFloat                           ? precedes(a, f)
                              : node.reduce == ReduceOp::ArgMax ? x.cell.i > i
                                                                : x.cell.i < i);
      if (better) {
        f = a;
        i = x.cell.i;
        where = slot[node.vars[0]];
      }
      break;
    }
    default:
      break;
    }
    return true;
  });
  if (!whole)
    return missing();
  switch (node.reduce) {
  case ReduceOp::Mean:
    return taken ? valueOf(f / double(taken)) : missing();
  case ReduceOp::Any:
    return valueOf(decided);
  case ReduceOp::All:
    return valueOf(!decided);
  case ReduceOp::Count:
    return valueOf(i);
  case ReduceOp::ArgMax:
  case ReduceOp::ArgMin:
    return taken ? valueOf(where) : missing();
  case ReduceOp::Max:
  case ReduceOp::Min:
    if (!isFloat && !taken)
      return missing();
    [[fallthrough]];
  default:
    return isFloat ? valueOf(f) : valueOf(i);
  }
}

/// Inclusive, in the order of the coordinates; a point where `x` has one.
void Evaluator::fillScan(const Node &node) {
  Order &order = *node.order;
  order.values.clear();
  order.whole = true;
  bool isFloat = node.kind == Kind::Float, started = false;
  Cell state = isFloat ? cellOf(0.0) : cellOf(int64_t(0));
  forEachPoint(node.vars, [&] {
    Value x = node.filter && !holds(node.filter) ? missing() : evaluate(node.args[0]);
    if (x.has && !started) {
      state = x.cell;
      started = true;
    } else if (x.has) {
      double f = state.f, g = x.cell.f;
      int64_t i = state.i, j = x.cell.i;
      switch (node.reduce) {
      case ReduceOp::CumSum:
        state = isFloat ? cellOf(f + g) : cellOf(add(i, j));
        break;
      case ReduceOp::CumProd:
        state = isFloat ? cellOf(f * g) : cellOf(multiply(i, j));
        break;
      case ReduceOp::CumMax:
        state = isFloat ? cellOf(maximum(f, g)) : cellOf(std::max(i, j));
        break;
      default:
        state = isFloat ? cellOf(minimum(f, g)) : cellOf(std::min(i, j));
        break;
      }
    }
    order.values.push_back({state, x.has});
    return true;
  });
}

/// Sorts the points: largest first (coordinates: as they come), ties and NaN as
/// ein-r18 says.
void Evaluator::fillOrder(const Node &node) {
  Order &order = *node.order;
  const Node *body = node.args[0];
  bool isFloat = body->kind == Kind::Float, ascending = node.reduce == ReduceOp::Coordinates;
  order.values.clear();
  order.sorted.clear();
  order.whole = true;
  forEachPoint(node.vars, [&] {
    bool inside = !node.filter || holds(node.filter);
    Value x = inside ? evaluate(body) : missing();
    if (inside && !x.has && !node.partial)
      order.whole = false;
    if (x.has && (!ascending || x.cell.i))
      order.sorted.push_back(static_cast<int64_t>(order.values.size()));
    order.values.push_back(x);
    return true;
  });
  if (!ascending)
    std::sort(order.sorted.begin(), order.sorted.end(), [&](int64_t a, int64_t b) {
      Cell x = order.values[a].cell, y = order.values[b].cell;
      if (isFloat ? precedes(x.f, y.f) : precedes(x.i, y.i))
        return true;
      return !(isFloat ? precedes(y.f, x.f) : precedes(y.i, x.i)) && a < b;
    });
  order.place.assign(order.values.size(), -1);
  for (size_t q = 0; q < order.sorted.size(); ++q)
    order.place[order.sorted[q]] = static_cast<int64_t>(q);
  if (node.reduce != ReduceOp::TopMass)
    return;
  order.reached.assign(1, 0);
  double sum = 0;
  for (int64_t point : order.sorted) {
    Cell x = order.values[point].cell;
    sum += isFloat ? x.f : double(x.i);
    order.reached.push_back(sum > order.reached.back() ? sum : order.reached.back());
  }
  order.total = sum; // the same sum that the whole prefix has: `t = 1` reaches it
}

/// Operators whose variables stay free: the result at the place `at`.
Value Evaluator::scanOrPlace(const Node &node) {
  const Order &order = *node.order;
  Value none = node.kind == Kind::Bool ? valueOf(false) : missing();
  int64_t point = 0;
  for (size_t i = 0; i < node.at.size(); ++i) {
    Value at = evaluate(node.at[i]);
    if (!at.has || at.cell.i < 0 || at.cell.i >= node.extents[i])
      return none;
    point = point * node.extents[i] + at.cell.i;
  }
  if (point >= static_cast<int64_t>(order.values.size()) || !order.values[point].has)
    return none;
  if (isScan(node.reduce))
    return order.values[point];
  int64_t place = order.place[point];
  if (node.reduce == ReduceOp::Place)
    return valueOf(place);
  Value aux = evaluate(node.aux);
  if (!aux.has)
    return none;
  if (node.reduce == ReduceOp::Top)
    return valueOf(place < aux.cell.i);
  // On the shortest prefix that reaches the mass: no shorter one has.
  double mass = (node.aux->kind == Kind::Float ? aux.cell.f : double(aux.cell.i)) * order.total;
  return valueOf(!(order.reached[place] >= mass));
}

/// argsort, coordinates: the coordinate at place `aux`.
Value Evaluator::select(const Node &node) {
  const Order &order = *node.order;
  Value aux = evaluate(node.aux);
  if (!aux.has || !order.whole || aux.cell.i < 0 || aux.cell.i >= static_cast<int64_t>(order.sorted.size()))
    return missing();
  return valueOf(order.sorted[aux.cell.i]);
}

} // namespace einfall::ein
