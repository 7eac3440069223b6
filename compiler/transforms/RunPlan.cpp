#include "compiler/transforms/RunPlan.h"
#include "dialects/ein/Evaluator.h"

namespace einfall::transforms {
using namespace ein;

bool runPlan(const Plan &plan, Environment &environment, const RunOptions &options, std::string &error) {
  environment.tensors.resize(plan.cascade.tensors.size());
  auto clear = [&](Role role) {
    for (size_t t = 0; t < plan.cascade.tensors.size(); ++t)
      if (plan.cascade.tensors[t].role == role)
        environment.tensors[t].reset();
  };
  clear(Role::Output);
  clear(Role::Intermediate);
  try {
    for (const Plan::Item &item : plan.items) {
      if (item.stream >= 0)
        runStream(plan.cascade, plan.streams[item.stream], environment, options);
      else if (!evaluateComponent(plan.cascade, environment, item.component, error))
        throw Refusal{error};
    }
    for (size_t t = 0; t < plan.cascade.tensors.size(); ++t)
      if (plan.cascade.tensors[t].role == Role::Output && !environment.tensors[t])
        throw Refusal{"no item of the plan stores '" + plan.cascade.tensors[t].name + "'"};
  } catch (const Refusal &refusal) {
    error = refusal.message;
    clear(Role::Output);
    return false;
  }
  clear(Role::Intermediate);
  return true;
}

} // namespace einfall::transforms
