//===- Interval.h - a predicate over a whole tile -----------------------------===//
//
// Emits code that bounds an integer expression, or decides a condition, for all
// points of a box of coordinates at once: is a tile empty, full, or partial?
//
//   m <= p + d   with m in [m0, m1], p in [p0, p1]
//     can be true:  m0 <= p1 + d      can be false:  m1 > p0 + d
//
// What it does not understand (a table of document ids, say) can be both, which
// is always sound: such a tile is partial.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/x86/ScalarEmitter.h"

namespace einfall::lower {

class Interval {
public:
  struct Range {
    mlir::Value lo, hi; ///< both null: unknown
    bool known() const { return static_cast<bool>(lo); }
    bool exact() const { return lo && lo == hi; }
  };
  struct Truth {
    mlir::Value canBeTrue, canBeFalse;
  };

  Interval(Lanes &lanes, ScalarEmitter &uniform) : l(lanes), uniform(uniform) {}

  /// First and last coordinate of each variable; equal values: a single one,
  /// which is then also in the emitter's environment.
  std::map<ein::VarId, Range> box;

  Range range(const ein::ExprRef &e);
  Truth truth(const ein::ExprRef &e);

private:
  Lanes &l;
  ScalarEmitter &uniform;
  bool exactVariables(const ein::ExprRef &e);
};

} // namespace einfall::lower
