//===- Recurrence.h - reads inside a cycle of equations ------------------------===//
//
// How a read of a recurrence relates to the coordinate that is being computed:
// `S[t - 1]` lies at distance -1, `S[u]` under the filter `u < t` at a distance of
// at most -1, `S[idx[t]]` at no known distance. Schedules (Schedule.cpp) are made
// of nothing but these.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include <map>

namespace einfall::ein {

/// sum of coefficient * variable + constant; extents that are not fixed count
/// as variables of their own (negative keys).
struct Affine {
  bool ok = true;
  std::map<int, int64_t> terms;
  int64_t constant = 0;

  static Affine unknown();
  Affine scaled(int64_t factor) const;
  Affine plus(const Affine &b) const;
};
Affine affine(const Cascade &cascade, const ExprRef &e);

/// Where a read may lie, relative to a coordinate: low <= subscript - v <= high.
struct Distance {
  std::optional<int64_t> low, high;
  bool back(bool backward, bool strictly) const {
    if (backward)
      return low && *low >= (strictly ? 1 : 0);
    return high && *high <= (strictly ? -1 : 0);
  }
  bool exact() const { return low && high && *low == *high; }
};

/// A read of one equation's tensor by another (or the same).
struct Access {
  int from, to; ///< equations
  const Expr *read;
  std::vector<ExprRef> subscripts; ///< for each left variable of `to`; null: not comparable
  std::vector<ExprRef> conjuncts;  ///< of the filters around the read
  bool inInit = false;
  bool caught = false; ///< stands in an `else` or `if`
};

/// All reads among the equations given, by tensor.
std::vector<Access> accessesAmong(const Cascade &cascade, const std::vector<int> &equations);

/// Of subscript `k` of the read from the coordinate `v` of the reading equation.
Distance distance(const Cascade &cascade, const Access &access, size_t k, VarId v);

} // namespace einfall::ein
