//===- Expr.h - scalar expressions of an equation --------------------------===//
//
// The right side of an equation is an immutable tree of `Expr` nodes. After the
// checks of the frontend everything in it is resolved: variables, ranks and
// tensors are ids into the `Cascade` (Cascade.h), functions are expanded,
// compile-time parameters are numbers, implied sums are explicit `Reduce` nodes,
// and where an integer meets a float there is a `ToFloat` node.
//
// A value may be missing (existence, language section 4). Every node states
// through its operator how that propagates: `Else` and `Exists` catch it, `If`
// looks only at the branch taken, comparisons and bool reads turn it into
// false, everything else passes it on.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Type.h"
#include <memory>
#include <string>
#include <vector>

namespace einfall::ein {

using RankId = int;
using VarId = int; ///< unique in a cascade: every binder has its own
using TensorId = int;
using ScalarId = int;
using SplitId = int;

/// Position in the source, for diagnostics and `explain` (1-based; 0: none).
struct SourceRange {
  int line = 0, column = 0, endLine = 0, endColumn = 0;
};

enum class ExprOp : uint8_t {
  // Leaves.
  Number, ///< `number` (Kind::Float) or `integer` (Kind::Int, Kind::Bool: 0/1)
  Coord,  ///< coordinate of variable `id`
  Extent, ///< extent of rank `id`
  Scalar, ///< scalar argument `id`
  // Tensor access. Missing when a subscript is out of range or the point is.
  Read,  ///< tensor `id`, one subscript per rank in `args`
  Tuple, ///< subscript only: split `id`, one entry per part in `args`; the value
         ///< is the linear coordinate; missing when an entry is outside its part
  // Arithmetic; operands agree in kind.
  Neg,
  Add,
  Sub,
  Mul,
  Div,  ///< float division
  IDiv, ///< floor division of integers; missing when the divisor is 0
  Mod,  ///< floor modulo of integers; missing when the divisor is 0
  Pow,
  Min,
  Max,
  // Comparisons and logic give bools; a comparison with something missing is false.
  Lt,
  Le,
  Gt,
  Ge,
  Eq,
  Ne,
  And,
  Or,
  Not,
  If,      ///< args: condition, then, else
  Else,    ///< args: x, v; v where x has no value
  Exists,  ///< bool: the argument has a value
  ToFloat, ///< integer to float, implicit
  Cast,    ///< to `type`, explicit; rounds as `roundTo`
  Call,    ///< `fn` of args
  Reduce,  ///< reduction, scan or selection over/along `vars`; see ReduceOp
};

/// Elementwise functions (language section 2). `min`, `max`, `exists` and
/// `cast` have operators of their own; `clamp` is expanded to them.
enum class Fn : uint8_t {
  Abs,
  Sign,
  Exp,
  Exp2,
  Expm1,
  Log,
  Log2,
  Log1p,
  Sqrt,
  Rsqrt,
  Tanh,
  Sigmoid,
  Relu,
  Gelu,
  Silu,
  Softplus,
  Elu,
  Erf,
  Sin,
  Cos,
  Floor,
  Ceil,
  Round,
  BitLength,
  BitAnd,
  BitOr,
  BitXor
};

/// ein-r18. The first group removes `vars`; the second keeps its one variable
/// free (`vars[0]` is then also visible outside: the value is *at* that
/// coordinate); ArgSort and Coordinates remove it and take `aux` as the place.
enum class ReduceOp : uint8_t {
  Sum,
  Prod,
  Max,
  Min,
  Mean,
  Any,
  All,
  Count,
  ArgMax,
  ArgMin,
  CumSum,
  CumProd,
  CumMax,
  CumMin,
  Place,
  Top,
  TopMass,
  ArgSort,
  Coordinates
};
bool isScan(ReduceOp op);      ///< CumSum .. CumMin
bool isSelection(ReduceOp op); ///< Place, Top, TopMass, ArgSort, Coordinates
/// Scans, Place, Top, TopMass: `vars` stay free.
bool keepsVariables(ReduceOp op);

struct Expr;
using ExprRef = std::shared_ptr<const Expr>;

struct Expr {
  ExprOp op;
  Kind kind = Kind::Float;
  Fn fn{};                   ///< Call
  ReduceOp reduce{};         ///< Reduce
  Type type{};               ///< Cast
  int id = -1;               ///< Coord, Extent, Scalar, Read, Tuple
  double number = 0;         ///< Number, Kind::Float
  int64_t integer = 0;       ///< Number, Kind::Int or Bool
  std::vector<ExprRef> args; ///< operands; Reduce: the body
  // Reduce only. For operators that keep their variables, `vars[i]` inside the
  // body and filter is bound anew by the operator (a bound variable of its own),
  // and `at[i]` is the free coordinate at which the result is taken.
  std::vector<VarId> vars;
  std::vector<ExprRef> at;
  ExprRef filter; ///< null: no `where`
  ExprRef aux;    ///< after `;`: k of Top, t of TopMass, place s of ArgSort, Coordinates
  /// ein-r17: the body's existence depends on a reduced variable, so that the
  /// points that exist take part. Otherwise it is all or nothing.
  bool partial = false;
  SourceRange range;
};

/// Builders. They do not simplify.
ExprRef number(double value);
ExprRef integer(int64_t value);
ExprRef boolean(bool value);
ExprRef coord(VarId var);
ExprRef extent(RankId rank);
ExprRef scalar(ScalarId id, Kind kind);
ExprRef read(TensorId tensor, Kind kind, std::vector<ExprRef> subscripts);
ExprRef tuple(SplitId split, std::vector<ExprRef> entries);
ExprRef unary(ExprOp op, ExprRef x);
ExprRef binary(ExprOp op, ExprRef x, ExprRef y);
ExprRef select(ExprRef condition, ExprRef x, ExprRef y); ///< If
ExprRef call(Fn fn, std::vector<ExprRef> args);
ExprRef cast(Type type, ExprRef x);
ExprRef reduce(ReduceOp op, std::vector<VarId> vars, ExprRef body, ExprRef filter = nullptr);
/// A copy of `e` with other operands (args), everything else kept.
ExprRef withArgs(const Expr &e, std::vector<ExprRef> args);

/// Structural equality, bound variables compared up to renaming; ranges ignored.
bool equal(const ExprRef &a, const ExprRef &b);
size_t hash(const ExprRef &e);

/// Names as written in `.ein` text: `exp`, `argmax`, `<=`.
std::string_view name(Fn fn);
std::string_view name(ReduceOp op);
std::string_view symbol(ExprOp op);

} // namespace einfall::ein
