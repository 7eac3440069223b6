//===- Footprint.h - what must stay live between passes ------------------------------===//
//
// A tensor whose readers are all in the pass that computes it can be consumed
// element by element: along that rank one coordinate is live at a time. A reader
// in a later pass needs the whole fiber kept (or spilled, or computed again). So
// the live footprint, for any mapping, is at least the product of the extents of
// those ranks along which a later pass reads. Stable softmax as written:
//
//   S, N   |M|     read again after the row's maximum, after the row's sum
//   X, D   1       one value a row
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/Passes.h"

namespace einfall::analysis {

/// Intermediate tensor -> least number of live elements, a product of extents
/// ("|M|", "|N|*|E|", "1"). `analysis` must be that of `graph`.
std::map<std::string, std::string> footprint(const EinsumGraph &graph, const PassAnalysis &analysis);

} // namespace einfall::analysis
