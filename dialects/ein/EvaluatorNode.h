//===- EvaluatorNode.h - a translated expression ------------------------------===//
//
// Shared by Evaluator.cpp (scalars and reads) and EvaluateReduction.cpp.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Evaluator.h"

namespace einfall::ein {

/// What a reduction remembers. Its result depends on its free variables. Those
/// that change slower than every loop it does not depend on form the key; one
/// result is kept for each point of the rest (`inner`), while the key stays.
struct Memo {
  std::vector<VarId> key, inner;
  std::vector<int64_t> keyValue;
  int64_t epoch = -1;
  bool evolves = false; ///< reads an evolving tensor
  std::vector<Value> results;
  std::vector<uint8_t> known;
};

/// Points of a selection in its order, or of a scan with their results.
struct Order {
  std::vector<Value> values;   ///< by point: the argument; scans: the result
  std::vector<int64_t> sorted; ///< points with a value, first one first
  std::vector<int64_t> place;  ///< by point: where in `sorted`; -1 nowhere
  std::vector<double> reached; ///< [q]: largest sum of up to q first values
  double total = 0;
  bool whole = true; ///< the body had a value wherever it must (ein-r17)
};

/// One subscript of a read: a variable, as most are, or an expression.
struct Dimension {
  VarId var = -1;
  const Node *subscript = nullptr;
  int64_t extent = 0, stride = 0;
};

struct Node {
  ExprOp op;
  Kind kind;
  ReduceOp reduce{};
  bool partial = false;
  bool fromData = false;                               ///< a subscript that reads a tensor
  int id = -1;                                         ///< Coord, Read
  const Node *x = nullptr, *y = nullptr, *z = nullptr; ///< the first operands
  Cell constant{};
  const Store *store = nullptr; ///< Read
  std::vector<Dimension> dimensions;
  Fn fn{};
  Type type{};
  std::vector<const Node *> args;
  std::vector<int64_t> extents; ///< Tuple: of the parts; Reduce: of vars
  std::vector<VarId> vars;
  std::vector<const Node *> at;
  const Node *filter = nullptr, *aux = nullptr;
  const Expr *source = nullptr;
  std::unique_ptr<Memo> memo;
  std::unique_ptr<Order> order;
};

} // namespace einfall::ein
