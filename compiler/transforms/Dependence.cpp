#include "compiler/transforms/Dependence.h"
#include <algorithm>

namespace einfall::transforms {
using namespace ein;

Dependence::Dependence(const Cascade &cascade) : cascade(cascade) {
  for (size_t r = 0; r < cascade.ranks.size(); ++r)
    roots.push_back(static_cast<RankId>(r));
  for (size_t round = 0; round <= cascade.splits.size(); ++round)
    for (const Split &s : cascade.splits)
      for (RankId part : s.parts)
        roots[part] = roots[s.whole];
  for (const Component &c : cascade.schedule) {
    sequence.insert(sequence.end(), c.equations.begin(), c.equations.end());
    // Everything in a cycle depends on all that the cycle depends on.
    std::set<RankId> all;
    for (int i : c.equations) {
      const Equation &eq = cascade.equations[i];
      for (const ExprRef &e : {eq.rhs, eq.where, eq.init}) {
        walk(e, [&](const Expr &x) {
          if (x.op == ExprOp::Reduce)
            for (VarId v : x.vars)
              all.insert(root(cascade.rankOf(v)));
          if (x.op == ExprOp::Read)
            if (auto it = reduced.find(x.id); it != reduced.end())
              all.insert(it->second.begin(), it->second.end());
        });
      }
      if (c.rank >= 0)
        recurrent.insert(eq.tensor);
    }
    if (c.rank >= 0)
      all.insert(root(c.rank));
    for (int i : c.equations)
      reduced[cascade.equations[i].tensor] = all;
  }
}

bool Dependence::onReductionOver(TensorId tensor, RankId rootRank) const {
  auto it = reduced.find(tensor);
  return it != reduced.end() && it->second.count(rootRank);
}

bool Dependence::isMap(TensorId tensor) const {
  const Equation *eq = cascade.equationOf(tensor);
  return eq && acyclic(tensor) && !eq->init && eq->rhs->op != ExprOp::Reduce;
}

bool mentions(const ExprRef &e, const std::vector<VarId> &vars) {
  for (VarId v : freeVariables(e))
    if (std::find(vars.begin(), vars.end(), v) != vars.end())
      return true;
  return false;
}

std::string place(const SourceRange &range) {
  return range.line ? std::to_string(range.line) + ":" + std::to_string(range.column) : "";
}

} // namespace einfall::transforms
