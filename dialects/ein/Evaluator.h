//===- Evaluator.h - scalar expressions of the reference interpreter ----------===//
//
// An expression is translated once into a tree of `Node`s whose variables,
// extents and tensors are direct references, and then evaluated at many points.
// One `Value` says both things a point has: whether it exists, and what it is.
//
// Reductions remember their last results: `A[p,m] = exp(S[p,m] - max[m] S[p,m])`
// evaluates the maximum, which does not depend on the `m` outside, once for each
// `p`. Nothing else is clever here.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Interpreter.h"
#include <deque>
#include <memory>
#include <utility>

namespace einfall::ein {

struct Value {
  Cell cell;
  bool has;
};
inline Value valueOf(double x) { return {cellOf(x), true}; }
inline Value valueOf(int64_t x) { return {cellOf(x), true}; }
inline Value valueOf(bool x) { return {cellOf(int64_t(x)), true}; }
inline Value missing() { return {cellOf(int64_t(0)), false}; }

/// Ends an evaluation with a message for the user.
struct Refusal {
  std::string message;
};

struct Node;

/// A tensor during evaluation.
struct Store {
  std::vector<int64_t> extent, stride;
  const Cell *value = nullptr;
  const uint8_t *present = nullptr; ///< null: every point exists
  // Only of tensors with `init`: the value beyond the end of rank `initRank`.
  int initRank = -1;
  bool initBackward = false;
  const Node *init = nullptr;
  std::vector<const Expr *> left; ///< how subscripts determine the left variables
  Type type = Type::F64;
  bool rounds = false; ///< values are rounded to `type`
};

class Evaluator {
public:
  Evaluator(const Cascade &cascade, const Environment &environment);
  ~Evaluator();

  /// Translates `e`. `loops`: the variables around it, outermost first.
  /// `evolving`: tensors that change between two evaluations at one point.
  const Node *translate(const ExprRef &e, const std::vector<VarId> &loops,
                        const std::vector<TensorId> &evolving = {});
  Value evaluate(const Node *node);
  /// A bool always has a value (ein-r15).
  bool holds(const Node *node) { return evaluate(node).cell.i != 0; }

  /// Evolving tensors have changed: reductions that read them start afresh.
  void advance() { ++epoch; }
  /// Calls `body` for every point of `vars`, in lexicographic order, until it
  /// returns false. Their values before the call come back afterwards.
  template <typename Body>
  void forEachPoint(const std::vector<VarId> &vars, Body body);

  std::vector<int64_t> slot; ///< by VarId: the current coordinate
  std::vector<Store> stores; ///< by TensorId
  std::vector<Cell> scalars; ///< by ScalarId

private:
  struct Translation;
  const Cascade &cascade;
  const Environment &environment;
  std::deque<Node> nodes;
  int64_t epoch = 0;
  int64_t points = 0;
  int initDepth = 0;

  void count() {
    if (++points > environment.maxPoints)
      throw Refusal{"the evaluation visits more than " + std::to_string(environment.maxPoints) + " points"};
  }
  int64_t extentOf(VarId v) const { return environment.extent[cascade.variables[v].rank]; }

  Value arithmetic(const Node &node);
  Value compare(const Node &node);
  Value convert(const Node &node);
  Value call(const Node &node);
  Value read(const Node &node);
  Value readOutside(const Node &node);
  Value readInit(const Store &store, const int64_t *subscripts);
  bool leftVariables(const Expr &entry, int64_t coordinate);
  Value tuple(const Node &node);
  Value reduce(const Node &node);
  Value fold(const Node &node);
  Value select(const Node &node);
  Value scanOrPlace(const Node &node);
  void fillScan(const Node &node);
  void fillOrder(const Node &node);
  [[noreturn]] void outside(const Node &node, int position, int64_t coordinate);
};

template <typename Body>
void Evaluator::forEachPoint(const std::vector<VarId> &vars, Body body) {
  constexpr int most = 64; // left variables of a tensor of 16 ranks, each split
  int64_t saved[most], extent[most];
  int count = static_cast<int>(vars.size());
  if (count > most)
    throw Refusal{"more than 64 variables at one place"};
  bool more = true;
  for (int i = 0; i < count; ++i) {
    saved[i] = std::exchange(slot[vars[i]], 0);
    extent[i] = extentOf(vars[i]);
    more = more && extent[i] > 0;
  }
  while (more) {
    this->count();
    if (!body())
      break;
    int i = count - 1;
    while (i >= 0 && ++slot[vars[i]] >= extent[i])
      slot[vars[i--]] = 0;
    more = i >= 0;
  }
  for (int i = count; i-- > 0;)
    slot[vars[i]] = saved[i];
}

} // namespace einfall::ein
