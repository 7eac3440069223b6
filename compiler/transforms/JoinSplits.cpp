#include "compiler/transforms/JoinSplits.h"
#include "compiler/transforms/Dependence.h"
#include "compiler/transforms/Presence.h"
#include <algorithm>
#include <cctype>
#include <map>

namespace einfall::transforms {
using namespace ein;

namespace {

class Joiner {
public:
  explicit Joiner(const Cascade &cascade) : out(cascade), facts(cascade) {}

  Cascade run() {
    bool changed = false;
    for (Equation &eq : out.equations)
      if (facts.acyclic(eq.tensor) && !eq.init)
        changed |= joinReduction(eq);
    for (Equation &eq : out.equations)
      if (facts.acyclic(eq.tensor) && !eq.init && out.tensors[eq.tensor].role == Role::Intermediate)
        changed |= joinLeft(eq);
    if (changed) {
      inferExistence(out);
      reschedule(out);
    }
    return std::move(out);
  }

private:
  Cascade out;
  Dependence facts;

  VarId fresh(RankId rank) {
    std::string name = out.ranks[rank].name;
    for (char &c : name)
      c = static_cast<char>(std::tolower(c));
    return out.addVariable(name, rank);
  }

  /// part variables -> expressions of the whole coordinate u
  std::map<VarId, ExprRef> parts(const Split &split, const std::vector<VarId> &vars, VarId u) {
    std::map<VarId, ExprRef> with;
    ExprRef rest = coord(u);
    for (size_t k = vars.size(); k-- > 0;) {
      if (k == 0) {
        with[vars[k]] = rest;
      } else {
        with[vars[k]] = binary(ExprOp::Mod, rest, extent(split.parts[k]));
        rest = binary(ExprOp::IDiv, rest, extent(split.parts[k]));
      }
    }
    return with;
  }

  ExprRef apply(const ExprRef &e, const std::map<VarId, ExprRef> &with) {
    if (!e)
      return e;
    return simplify(out, substitute(e, [&](VarId v) -> ExprRef {
                      auto it = with.find(v);
                      return it == with.end() ? nullptr : it->second;
                    }));
  }

  /// Subscripts that certainly must be in range for `e` to have a value.
  static void mandatory(const ExprRef &e, std::vector<ExprRef> &tuples) {
    if (!e || e->kind == Kind::Bool || e->op == ExprOp::Else || e->op == ExprOp::If)
      return;
    if (e->op == ExprOp::Reduce)
      return;
    for (const ExprRef &a : e->args) {
      if (a->op == ExprOp::Tuple)
        tuples.push_back(a);
      mandatory(a, tuples);
    }
  }

  bool joinReduction(Equation &eq) {
    bool changed = false;
    while (eq.rhs->op == ExprOp::Reduce && !keepsVariables(eq.rhs->reduce) && !isSelection(eq.rhs->reduce) &&
           eq.rhs->reduce != ReduceOp::ArgMax && eq.rhs->reduce != ReduceOp::ArgMin &&
           eq.rhs->vars.size() > 1) {
      const ExprRef r = eq.rhs;
      std::vector<ExprRef> tuples;
      mandatory(r->args[0], tuples);
      ExprRef found;
      std::vector<VarId> vars;
      for (const ExprRef &t : tuples) {
        vars.clear();
        for (const ExprRef &a : t->args)
          if (a->op == ExprOp::Coord && std::find(r->vars.begin(), r->vars.end(), a->id) != r->vars.end() &&
              out.rankOf(a->id) == out.splits[t->id].parts[vars.size()])
            vars.push_back(a->id);
        if (vars.size() == t->args.size() && std::find_if(vars.begin(), vars.end(), [&](VarId v) {
                                               return std::count(vars.begin(), vars.end(), v) > 1;
                                             }) == vars.end()) {
          found = t;
          break;
        }
      }
      if (!found)
        return changed;
      const Split &split = out.splits[found->id];
      VarId u = fresh(split.whole);
      auto with = parts(split, vars, u);
      auto copy = std::make_shared<Expr>(*r);
      copy->vars.clear();
      bool placed = false;
      for (VarId v : r->vars) {
        if (!with.count(v))
          copy->vars.push_back(v);
        else if (!placed)
          placed = (copy->vars.push_back(u), true);
      }
      copy->args = {apply(r->args[0], with)};
      copy->filter = apply(r->filter, with);
      eq.rhs = copy;
      changed = true;
    }
    return changed;
  }

  bool joinLeft(Equation &eq) {
    bool changed = false;
    for (size_t d = 0; d < eq.lhs.size(); ++d) {
      if (eq.lhs[d]->op != ExprOp::Tuple || !readWhole(eq.tensor, d))
        continue;
      const Split &split = out.splits[eq.lhs[d]->id];
      std::vector<VarId> vars;
      for (const ExprRef &a : eq.lhs[d]->args)
        vars.push_back(a->id);
      VarId u = fresh(split.whole);
      auto with = parts(split, vars, u);
      eq.rhs = apply(eq.rhs, with);
      eq.where = apply(eq.where, with);
      eq.lhs[d] = coord(u);
      auto at = std::find(eq.vars.begin(), eq.vars.end(), vars[0]);
      *at = u;
      std::erase_if(eq.vars, [&](VarId v) { return with.count(v); });
      changed = true;
    }
    return changed;
  }

  /// Every read of `tensor` has one expression, not a tuple, at rank position d.
  bool readWhole(TensorId tensor, size_t d) {
    bool read = false, all = true;
    for (const Equation &eq : out.equations)
      for (const ExprRef &e : {eq.rhs, eq.where, eq.init})
        walk(e, [&](const Expr &x) {
          if (x.op == ExprOp::Read && x.id == tensor) {
            read = true;
            all &= x.args[d]->op != ExprOp::Tuple;
          }
        });
    return read && all;
  }
};

} // namespace

Cascade joinSplits(const Cascade &cascade) { return Joiner(cascade).run(); }

} // namespace einfall::transforms
