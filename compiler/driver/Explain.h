//===- Explain.h - an explanation as prose and as JSON -------------------------===//
//
// The same facts twice: for a reader, in the order in which one asks (how many
// passes, what was fused, what was not and why, what is stored, how parts merge,
// which tiles are skipped, what runs), and for a program, under stable keys.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/analysis/Explanation.h"
#include <string>

namespace einfall::driver {

std::string explainText(const analysis::Explanation &explanation);
/// One JSON object, indented, with a final line end.
std::string explainJson(const analysis::Explanation &explanation);

} // namespace einfall::driver
