//===- Schedule.h - order of evaluation and recurrences (ein-r20, r21) ---------===//
//
// Equations that read each other in a ring can be evaluated if some rank orders
// them: along it every read stays or goes back, and every ring goes back at
// least once. Then one walks along that rank, coordinate by coordinate, and at
// each coordinate evaluates the equations in an order in which the reads that
// stay come first. If what stays still forms rings, a second rank may order
// those, inside the first.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"

namespace einfall::ein {

struct ScheduleFailure {
  std::string rule;    ///< `ein-r20` or `ein-r21`
  std::string message; ///< `cycle S -> R -> S goes back along no rank`
  int equation = 0;    ///< the equation it is about
  bool atInit = false; ///< about its `init`
  std::string note;    ///< about `read`; empty: none
  SourceRange read;
};

/// Fills `Cascade::schedule` from the equations alone. One failure for each set
/// of equations that cannot be ordered; then `schedule` is left as it was.
std::vector<ScheduleFailure> schedule(Cascade &cascade);

/// Fills `Equation::initRank` and `initBackward` of a scheduled cascade, and
/// checks that every step before the start has a value to read (ein-r21).
std::vector<ScheduleFailure> placeInits(Cascade &cascade);

} // namespace einfall::ein
