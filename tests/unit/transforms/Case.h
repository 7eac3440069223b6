// Cascades from text with random arguments, and the comparison of their outputs.
#pragma once
#include "compiler/transforms/RunPlan.h"
#include "dialects/ein/Interpreter.h"
#include "frontend/Frontend.h"
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace einfall {

struct Named {
  std::string name, text;
};

/// Cascades written for these tests: online forms, joint key sets, splits, masks,
/// missing points, empty rows, recurrences.
const std::vector<Named> &handwritten();

/// A well-formed cascade over rows and a streamed rank: scores, masks, reductions
/// of maps of reductions.
std::string randomCascade(uint64_t seed);

/// The one cascade of a text, every float tensor of its header in f64. Literal
/// extents and parameters that are large become small.
ein::Cascade loaded(const std::string &text);

/// Small extents that agree with splits and definitions, random inputs; some
/// seeds give extents 0 and 1.
ein::Environment arguments(const ein::Cascade &cascade, uint64_t seed);

/// Outputs by name.
using Outputs = std::vector<std::pair<std::string, ein::Array>>;
Outputs evaluated(const ein::Cascade &cascade, const ein::Environment &environment);
Outputs executed(const transforms::Plan &plan, const ein::Environment &environment,
                 const transforms::RunOptions &options);

/// The plan as text: items in order, kernels with their steps.
std::string describe(const transforms::Plan &plan);

/// "" if equal to 1e-9, else the first difference.
std::string difference(const Outputs &a, const Outputs &b);

/// Arguments of a cascade for one that a transform made of it: added ranks get their extents.
ein::Environment adapted(const ein::Cascade &after, const ein::Environment &environment);

} // namespace einfall
