#include "compiler/transforms/ExplainPlan.h"
#include "compiler/analysis/Passes.h"
#include "compiler/transforms/Presence.h"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace einfall::transforms {
using namespace ein;

namespace {

std::string product(const Cascade &c, const std::vector<RankId> &ranks) {
  std::string text;
  for (RankId r : ranks)
    text += (text.empty() ? "|" : "*|") + c.ranks[r].name + "|";
  return text.empty() ? "1" : text;
}

/// Arithmetic of one evaluation of `e` without nested reductions; multiply-adds
/// count 2, functions 1.
int operations(const ExprRef &e) {
  int n = 0;
  walk(e, [&](const Expr &x) {
    if (x.kind == Kind::Float && (x.op == ExprOp::Add || x.op == ExprOp::Sub || x.op == ExprOp::Mul ||
                                  x.op == ExprOp::Div || x.op == ExprOp::Min || x.op == ExprOp::Max ||
                                  x.op == ExprOp::Call || x.op == ExprOp::Neg || x.op == ExprOp::Pow))
      ++n;
  });
  return n;
}

/// Bounds of an integer expression over a tile, as text: variables by their
/// first and last coordinate.
std::string bound(const Cascade &c, const ExprRef &e, bool upper) {
  switch (e->op) {
  case ExprOp::Coord:
    return c.variables[e->id].name + (upper ? "1" : "0");
  case ExprOp::Add:
    return bound(c, e->args[0], upper) + " + " + bound(c, e->args[1], upper);
  case ExprOp::Sub:
    return bound(c, e->args[0], upper) + " - " + bound(c, e->args[1], !upper);
  case ExprOp::IDiv:
    return "(" + bound(c, e->args[0], upper) + ") div " + print(c, e->args[1]);
  case ExprOp::Mul:
    for (int i : {0, 1})
      if (e->args[i]->op == ExprOp::Extent || e->args[i]->op == ExprOp::Number)
        return "(" + bound(c, e->args[1 - i], upper) + ")*" + print(c, e->args[i]);
    break;
  default:
    break;
  }
  if (freeVariables(e).empty())
    return print(c, e);
  return "";
}

struct Regions {
  std::string empty, full;
};

/// When a tile has no point, or all of them; "" where it cannot be told in advance.
Regions regions(const Cascade &c, const ExprRef &e) {
  auto join = [](const std::string &a, const std::string &b, const char *word, bool needBoth) -> std::string {
    if (a.empty() || b.empty())
      return needBoth ? "" : a.empty() ? b : a;
    return a + " " + word + " " + b;
  };
  if (e->op == ExprOp::And || e->op == ExprOp::Or) {
    Regions x = regions(c, e->args[0]), y = regions(c, e->args[1]);
    bool both = e->op == ExprOp::And;
    return {join(x.empty, y.empty, both ? "or" : "and", !both),
            join(x.full, y.full, both ? "and" : "or", both)};
  }
  if (e->op == ExprOp::Not) {
    Regions x = regions(c, e->args[0]);
    return {x.full, x.empty};
  }
  if (e->op < ExprOp::Lt || e->op > ExprOp::Ge || e->args[0]->kind != Kind::Int)
    return {};
  bool swap = e->op == ExprOp::Gt || e->op == ExprOp::Ge;
  const ExprRef &a = e->args[swap], &b = e->args[!swap];
  std::string less = e->op == ExprOp::Lt || e->op == ExprOp::Gt ? " < " : " <= ";
  std::string not_ = e->op == ExprOp::Lt || e->op == ExprOp::Gt ? " >= " : " > ";
  std::string a1 = bound(c, a, true), b0 = bound(c, b, false), a0 = bound(c, a, false),
              b1 = bound(c, b, true);
  if (a1.empty() || b0.empty())
    return {};
  return {a0 + not_ + b1, a1 + less + b0};
}

class Writer {
public:
  Writer(const Cascade &source, const Cascade &derived, const std::vector<KernelSource> &kernels,
         analysis::Explanation &out)
      : source(source), derived(derived), kernels(kernels), out(out), facts(derived) {}

  void run() {
    out.cascade = source.name;
    analysis::PassAnalysis asWritten = analysis::passes(source);
    out.source = asWritten.counts;
    derivedPasses();
    tokenRanks();
    for (const KernelSource &k : kernels)
      kernel(k);
    stored();
    masks();
  }

private:
  const Cascade &source, &derived;
  const std::vector<KernelSource> &kernels;
  analysis::Explanation &out;
  Dependence facts;
  std::set<RankId> tokens; ///< root ranks that attention walks over

  std::string name(TensorId t) const { return derived.tensors[t].name; }

  void derivedPasses() {
    // Live equations only; reads of a running value are no barrier.
    std::set<TensorId> live;
    std::map<std::pair<std::string, std::string>, std::set<RankId>> running; ///< along these root ranks
    for (const KernelSource &k : kernels) {
      if (!k.group) {
        for (int e : k.equations)
          live.insert(derived.equations[e].tensor);
        continue;
      }
      std::set<TensorId> evaluated = k.group->evaluatedIn(k.pass, k.stores);
      live.insert(evaluated.begin(), evaluated.end());
      for (TensorId from : evaluated)
        if (k.group->passOf(from) == k.pass)
          for (TensorId to : evaluated)
            for (VarId v : k.group->of().segments)
              running[{name(from), name(to)}].insert(facts.root(derived.rankOf(v)));
    }
    Cascade pruned = derived;
    std::erase_if(pruned.equations, [&](const Equation &e) { return !live.count(e.tensor); });
    reschedule(pruned);
    analysis::PassOptions options;
    options.anchored = [&](const std::string &from, const std::string &to, const std::string &rank) {
      auto it = running.find({from, to});
      RankId r = derived.rankNamed(rank);
      return it != running.end() && r >= 0 && it->second.count(facts.root(r)) > 0;
    };
    analysis::PassAnalysis a = analysis::passes(pruned, options);
    out.derived = a.counts;
    // Ranks of the source only: a part made by a transform is no rank of the user's.
    std::erase_if(out.derived.ranks, [&](auto &r) { return source.rankNamed(r.first) < 0; });
    for (auto &[r, n] : out.source.ranks)
      if (!out.derived.ranks.count(r))
        out.derived.ranks[r] = n ? 1 : 0;
    // What remains: reasons of the groups first, then barriers of the analysis.
    std::set<std::string> told;
    for (const analysis::Barrier &b : out.barriers)
      told.insert(b.to);
    for (const analysis::Barrier &b : a.barriers)
      if (!told.count(b.to))
        out.barriers.push_back(b);
  }

  void tokenRanks() {
    for (const KernelSource &k : kernels) {
      if (k.group) {
        for (VarId s : k.group->of().segments)
          tokens.insert(facts.root(derived.rankOf(s)));
        tokens.insert(facts.root(derived.rankOf(k.group->of().lanes.back())));
      }
      if (k.step >= 0)
        tokens.insert(facts.root(k.step));
    }
    // A rank over which an intermediate is normalised, selected or ordered.
    for (const Equation &eq : derived.equations)
      if (eq.rhs->op == ExprOp::Reduce)
        for (VarId v : eq.rhs->vars)
          walk(eq.rhs->args[0], [&](const Expr &x) {
            if (x.op == ExprOp::Read && derived.tensors[x.id].role != Role::Input && mentionsVar(x, v) &&
                derived.equationOf(x.id) && derived.equationOf(x.id)->rhs->op == ExprOp::Reduce)
              tokens.insert(facts.root(derived.rankOf(v)));
          });
  }

  static bool mentionsVar(const Expr &x, VarId v) {
    for (const ExprRef &s : x.args)
      if (mentions(s, {v}))
        return true;
    return false;
  }

  void kernel(const KernelSource &k) {
    analysis::KernelInfo info;
    std::vector<std::string> flops;
    std::set<TensorId> reads;
    auto count = [&](const Equation &eq) {
      std::vector<RankId> ranks;
      for (VarId v : eq.vars)
        ranks.push_back(derived.rankOf(v));
      ExprRef body = eq.rhs;
      int n = 0;
      if (body->op == ExprOp::Reduce) {
        for (VarId v : body->vars)
          ranks.push_back(derived.rankOf(v));
        body = body->args[0];
        n = 1;
      }
      n += operations(body);
      if (n)
        flops.push_back((n > 1 ? std::to_string(n) + "*" : "") + product(derived, ranks));
    };
    if (k.group) {
      const StreamGroup &g = k.group->of();
      std::set<TensorId> evaluated = k.group->evaluatedIn(k.pass, k.stores);
      for (const Equation &eq : derived.equations)
        if (evaluated.count(eq.tensor)) {
          info.equations.push_back(name(eq.tensor));
          count(eq);
        }
      for (VarId v : g.outer)
        info.parallel.push_back(derived.variables[v].name);
      for (VarId v : g.lanes)
        info.parallel.push_back(derived.variables[v].name);
      for (VarId v : g.segments)
        info.sequential.push_back(derived.variables[v].name);
      reads = k.group->inputsOf(k.pass, k.stores);
      std::string lanes;
      for (VarId v : g.lanes)
        lanes += (lanes.empty() ? "" : ",") + derived.variables[v].name;
      info.schedule["kind"] = "stream";
      info.schedule["lanes"] = lanes;
      std::vector<std::string> state;
      std::string op = k.group->mergeText(k.pass, k.stores, state);
      out.merges.push_back({derived.ranks[derived.rankOf(g.segments[0])].name, state, op});
    } else {
      for (int e : k.equations) {
        const Equation &eq = derived.equations[e];
        info.equations.push_back(name(eq.tensor));
        count(eq);
        for (VarId v : eq.vars)
          if (derived.rankOf(v) != k.step && std::find(info.parallel.begin(), info.parallel.end(),
                                                       derived.variables[v].name) == info.parallel.end())
            info.parallel.push_back(derived.variables[v].name);
        for (const ExprRef &x : {eq.rhs, eq.where, eq.init})
          for (TensorId t : tensorsRead(x))
            reads.insert(t);
      }
      if (k.step >= 0)
        info.sequential.push_back(derived.ranks[k.step].name);
      info.schedule["kind"] = k.step >= 0 ? "steps" : "nest";
    }
    for (TensorId t : reads)
      info.reads[name(t)] = product(derived, derived.tensors[t].ranks);
    for (const std::string &f : flops)
      info.flops += (info.flops.empty() ? "" : " + ") + f;
    out.kernels.push_back(info);
  }

  void stored() {
    for (const KernelSource &k : kernels) {
      std::set<TensorId> made = k.stores;
      if (!k.group)
        for (int e : k.equations)
          made.insert(derived.equations[e].tensor);
      for (TensorId t : made) {
        const Tensor &tensor = derived.tensors[t];
        if (tensor.role != Role::Intermediate)
          continue;
        std::set<RankId> counted;
        int two = 0;
        for (RankId r : tensor.ranks)
          if (tokens.count(facts.root(r)))
            ++two;
        std::string why;
        if (k.group)
          why = "a later kernel reads this result of the rows";
        else if (k.step >= 0)
          why = "a step reads earlier steps";
        else
          why = reasonFor(t);
        out.materialised.push_back({tensor.name, product(derived, tensor.ranks), why, two});
      }
    }
  }

  std::string reasonFor(TensorId t) {
    const Equation &eq = *derived.equationOf(t);
    if (eq.rhs->op == ExprOp::Reduce && isSelection(eq.rhs->reduce))
      return fmt::format("a selection needs all of {}", derived.ranks[derived.rankOf(eq.rhs->vars[0])].name);
    for (const Equation &reader : derived.equations)
      if (reader.rhs->op == ExprOp::Reduce && isSelection(reader.rhs->reduce)) {
        auto read = tensorsRead(reader.rhs);
        if (std::find(read.begin(), read.end(), t) != read.end())
          return fmt::format("'{}' selects from all of it", name(reader.tensor));
      }
    for (const Equation &reader : derived.equations) {
      auto read = tensorsRead(reader.rhs);
      if (!facts.acyclic(reader.tensor) && std::find(read.begin(), read.end(), t) != read.end())
        return fmt::format("the recurrence of '{}' reads it", name(reader.tensor));
    }
    if (eq.rhs->op == ExprOp::Reduce)
      return "computed once and read by a later kernel";
    return "read by kernels that do not share a walk";
  }

  void masks() {
    for (const Equation &eq : derived.equations) {
      if (!eq.where || derived.tensors[eq.tensor].name.find("_anchor") != std::string::npos)
        continue;
      bool live = false;
      for (const KernelSource &k : kernels)
        live |= k.group ? k.group->evaluatedIn(k.pass, k.stores).count(eq.tensor) > 0
                        : std::any_of(k.equations.begin(), k.equations.end(),
                                      [&](int e) { return derived.equations[e].tensor == eq.tensor; });
      if (!live)
        continue;
      Regions r = regions(derived, eq.where);
      out.masks.push_back(
          {name(eq.tensor), print(derived, eq.where), r.empty.empty() ? "not known in advance" : r.empty,
           r.full.empty() ? "not known in advance" : r.full, "tested at every point of the tile"});
    }
  }
};

} // namespace

void explainPlan(const Cascade &source, const Cascade &derived, const std::vector<KernelSource> &kernels,
                 analysis::Explanation &explanation) {
  Writer(source, derived, kernels, explanation).run();
}

} // namespace einfall::transforms
