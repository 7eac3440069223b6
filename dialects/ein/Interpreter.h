//===- Interpreter.h - the meaning of a cascade -------------------------------===//
//
// The reference that every compiled cascade is compared with. It evaluates the
// equations as docs/language.md states them: every point of a tensor in turn,
// every reduction over every point of its range, in float64 and int64. It knows
// no tile, no one-pass form and no identity of algebra, and shares no code with
// the compiler.
//
// A tensor is a partial function (section 4 of the language): each point has a
// value or does not exist. `Array::present` says which; nothing is ever computed
// from, or read at, a point that does not exist.
//
// Values are rounded where a type was declared (outputs, annotated equations,
// `cast`); an intermediate without annotation keeps its float64 value.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace einfall::ein {

/// A value of kind Float (`f`), Int or Bool (`i`; a bool is 0 or 1).
union Cell {
  double f;
  int64_t i;
};
inline Cell cellOf(double x) {
  Cell c;
  c.f = x;
  return c;
}
inline Cell cellOf(int64_t x) {
  Cell c;
  c.i = x;
  return c;
}

/// A dense tensor, row-major. Elements hold values of `type` exactly: a bf16
/// element is a float64 that bf16 can represent, an i4 element one int64.
struct Array {
  Type type = Type::F64;
  std::vector<int64_t> shape;
  std::vector<Cell> value;
  std::vector<uint8_t> present; ///< empty: every point exists
};

/// What a cascade is evaluated on, and its results. Ids are those of the cascade.
struct Environment {
  std::vector<int64_t> extent;               ///< by RankId; all known
  std::vector<std::optional<Array>> tensors; ///< inputs; none: the header's default
  std::vector<std::optional<Cell>> scalars;  ///< none: the header's default

  /// Checked mode: an index read from data that lies outside its rank is an
  /// error (ein-c2) instead of a point that does not exist.
  bool checked = false;
  /// Intermediates stay in `tensors` afterwards.
  bool keepIntermediates = false;
  /// Refuse beyond these: bytes of tensors that exist at one time (0: three
  /// quarters of the memory this process may use), and points visited (of left
  /// sides and of reductions).
  int64_t maxBytes = 0;
  int64_t maxPoints = INT64_MAX;
};

/// Evaluates what the outputs need and fills `tensors` with them; a point that
/// does not exist is stored as the header's `empty` (0 or false), and stays
/// marked in `present`. On failure the text of `error` says why, and the
/// outputs are left empty.
bool evaluate(const Cascade &cascade, Environment &environment, std::string &error);

/// Evaluates one step of the schedule alone: `environment.tensors` gives every
/// tensor that it reads, of any role, and has those of its equations afterwards.
bool evaluateComponent(const Cascade &cascade, Environment &environment, const Component &component,
                       std::string &error);

/// Value of a constant expression: extents and scalars only. Nothing when it has
/// no value (a division by zero). Sets `error` and returns nothing on failure.
std::optional<Cell> evaluateConstant(const Cascade &cascade, const Environment &environment, const ExprRef &e,
                                     std::string &error);

} // namespace einfall::ein
