//===- ExplainPlan.h - the plan as facts for `explain` -------------------------------===//
#pragma once
#include "compiler/analysis/Explanation.h"
#include "compiler/transforms/StreamBuild.h"

namespace einfall::transforms {

/// One kernel of the plan: a pass of a group, or the nests of a component.
struct KernelSource {
  StreamBuilder *group = nullptr;
  int pass = 0;
  std::set<ein::TensorId> stores;
  std::vector<int> equations;
  ein::RankId step = -1; ///< recurrence
};

/// Fills pass counts, kernels, materialised tensors, merges, masks.
void explainPlan(const ein::Cascade &source, const ein::Cascade &derived,
                 const std::vector<KernelSource> &kernels, analysis::Explanation &explanation);

} // namespace einfall::transforms
