//===- Cascade.h - a checked cascade as plain values ------------------------===//
//
// The vocabulary that the frontend produces, the interpreter evaluates, and the
// compiler analyses. The `ein` dialect carries exactly this structure as
// operations (EinOps.td); `Convert.h` goes from one to the other without loss.
//
// Example: `S[b,(j,g),p] = ...` with `split H = (J, G)` is an equation of tensor
// S with ranks [B, H, P], `lhs` = {Coord b, Tuple(H; Coord j, Coord g), Coord p}
// and `vars` = {b, j, g, p}.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Expr.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace einfall::ein {

struct Rank {
  std::string name; ///< canonical; `rank M = P` makes one Rank of two names
  std::vector<std::string> aliases;
  std::optional<int64_t> fixed; ///< by a literal or by `--rank`
  ExprRef definition;           ///< `rank R = expr` over extents and index scalars; null: none
  bool isDefault = false;       ///< the definition is a default: an argument may differ
  SourceRange range;
};

/// `split M = (N, C = 64)`: m = n*|C| + c. Extents of parts are in their Rank.
struct Split {
  RankId whole;
  std::vector<RankId> parts; ///< outermost first
  SourceRange range;
};

struct Variable {
  std::string name; ///< as written; not unique
  RankId rank;
};

enum class Role : uint8_t { Input, Output, Intermediate };

struct Tensor {
  std::string name;
  Role role;
  Type type;              ///< storage; ein-r24 for intermediates without annotation
  bool annotated = false; ///< type was written: values are rounded to it
  std::vector<RankId> ranks;
  std::vector<int> plus; ///< header `ptr[B + 1]`: 1 at that rank, else 0; one per rank
  ExprRef defaultValue;  ///< inputs: `= constant`; null: required
  ExprRef empty;         ///< outputs: `empty v`; null: 0 or false
  /// ein-r16: ranks (positions in `ranks`) on which the existence of points depends.
  std::vector<bool> depends;
  bool everywhere = true; ///< every point in range certainly has a value
  SourceRange range;
};

struct ScalarArg {
  std::string name;
  Type type;
  ExprRef defaultValue; ///< over extents, scalars before it; null: required
  SourceRange range;
};

struct Equation {
  TensorId tensor;
  std::vector<ExprRef> lhs; ///< one per rank: Coord, or Tuple of Coords
  std::vector<VarId> vars;  ///< left variables, outermost first, tuples flattened
  ExprRef rhs;
  ExprRef where; ///< null: none
  ExprRef init;  ///< null: none; over the other left variables
  /// The rank position of `tensor` along which `init` lies; -1 without init.
  int initRank = -1;
  bool initBackward = false; ///< init lies past the end
  SourceRange range;
};

/// A step of evaluation: equations that need only earlier steps. A cyclic
/// component is evaluated along `rank` (coordinate by coordinate, downwards if
/// `backward`), at each coordinate its equations in the order given; if `inner`
/// is set, that rank likewise inside. Equations of a component that do not
/// range over its rank cannot occur (ein-r20).
struct Component {
  std::vector<int> equations;
  RankId rank = -1; ///< -1: acyclic, one equation
  bool backward = false;
  RankId inner = -1;
  bool innerBackward = false;
  /// The left variable of each equation that ranges over `rank`, and over `inner`
  /// (empty without): an equation may have two of one rank.
  std::vector<VarId> variables, innerVariables;
};

struct Cascade {
  std::string name;
  std::string file;
  std::vector<Rank> ranks;
  std::vector<Split> splits;
  std::vector<Variable> variables;
  std::vector<Tensor> tensors; ///< header inputs, header outputs, intermediates
  std::vector<ScalarArg> scalars;
  std::vector<Equation> equations; ///< as written
  std::vector<Component> schedule; ///< a valid order of evaluation

  const Equation *equationOf(TensorId tensor) const;
  int equationIndexOf(TensorId tensor) const; ///< -1: none (inputs)
  VarId addVariable(std::string name, RankId rank);
  TensorId addTensor(Tensor tensor);
  RankId rankOf(VarId var) const { return variables[var].rank; }
  TensorId tensorNamed(std::string_view name) const; ///< -1: none
  RankId rankNamed(std::string_view name) const;     ///< aliases too; -1: none
  /// Float arithmetic of an equation is f64 if an input is, or if annotated so.
  bool computesInF64(const Equation &equation) const;
};

/// Calls `visit` for `e` and every node below it, outside in (filter and aux too).
void walk(const ExprRef &e, const std::function<void(const Expr &)> &visit);
/// Rebuilds `e` bottom-up; `f` gets each node after its operands were rebuilt.
ExprRef rewrite(const ExprRef &e, const std::function<ExprRef(const ExprRef &)> &f);
/// Replaces free coordinates: Coord(v) becomes with(v) where that is not null.
ExprRef substitute(const ExprRef &e, const std::function<ExprRef(VarId)> &with);
/// Variables that occur free in `e`, in order of first occurrence.
std::vector<VarId> freeVariables(const ExprRef &e);
/// Tensors read in `e`, in order of first occurrence, without repetition.
std::vector<TensorId> tensorsRead(const ExprRef &e);

/// `.ein` text of an expression, an equation, a whole cascade. The text of a
/// cascade parses and checks to an equal cascade.
std::string print(const Cascade &cascade, const ExprRef &e);
std::string print(const Cascade &cascade, const Equation &equation);
std::string print(const Cascade &cascade);

/// Fills `Tensor::depends`, `Tensor::everywhere` and `Expr::partial` of every
/// equation from scratch (ein-r16, r17), by fixed point over the equations.
void inferExistence(Cascade &cascade);
/// Recomputes `schedule` (topological; cyclic components keep what sema found
/// for the same set of tensors). Used after a transform added equations.
void reschedule(Cascade &cascade);

} // namespace einfall::ein
