#include "compiler/transforms/TakeApart.h"
#include "compiler/transforms/Dependence.h"
#include "compiler/transforms/Normalize.h"
#include "compiler/transforms/Presence.h"
#include <algorithm>
#include <map>
#include <optional>

namespace einfall::transforms {
using namespace ein;

namespace {

/// constant + sum of coefficient * term, terms being coordinates and extents.
struct Linear {
  int64_t constant = 0;
  std::vector<std::pair<ExprRef, int64_t>> terms;

  void add(const ExprRef &e, int64_t factor) {
    for (auto &[t, c] : terms)
      if (equal(t, e)) {
        c += factor;
        return;
      }
    terms.push_back({e, factor});
  }
};

bool linear(const ExprRef &e, int64_t factor, Linear &out) {
  switch (e->op) {
  case ExprOp::Number:
    out.constant += factor * e->integer;
    return e->kind == Kind::Int;
  case ExprOp::Coord:
  case ExprOp::Extent:
    out.add(e, factor);
    return true;
  case ExprOp::Add:
  case ExprOp::Sub:
    return linear(e->args[0], factor, out) &&
           linear(e->args[1], e->op == ExprOp::Sub ? -factor : factor, out);
  case ExprOp::Neg:
    return linear(e->args[0], -factor, out);
  case ExprOp::Mul:
    for (int i : {0, 1})
      if (e->args[i]->op == ExprOp::Number)
        return linear(e->args[1 - i], factor * e->args[i]->integer, out);
    return false;
  default:
    return false;
  }
}

class Separator {
public:
  explicit Separator(const Cascade &cascade) : out(cascade), facts(cascade) {}

  Cascade run() {
    bool changed = false;
    const size_t ranks = out.ranks.size();
    for (size_t r = 0; r < ranks; ++r)
      if (findParts(static_cast<RankId>(r)))
        changed |= separate(static_cast<RankId>(r));
    if (!changed)
      return std::move(out);
    inferExistence(out);
    reschedule(out);
    return normalize(out);
  }

private:
  struct Part {
    RankId rank;
    ExprRef offset; ///< null: 0
  };
  Cascade out;
  Dependence facts;
  RankId whole = -1;
  std::vector<Part> parts;
  std::map<std::pair<TensorId, size_t>, TensorId> copies;

  /// The rank is a sum of at least two extents.
  bool findParts(RankId rank) {
    parts.clear();
    copies.clear();
    whole = rank;
    const Rank info = out.ranks[rank];
    if (!info.definition || info.isDefault)
      return false;
    Linear sum;
    if (!linear(info.definition, 1, sum) || sum.constant < 0)
      return false;
    std::vector<ExprRef> extents;
    for (auto &[t, c] : sum.terms) {
      if (t->op != ExprOp::Extent || c < 1 || c > 4)
        return false;
      for (int64_t i = 0; i < c; ++i)
        extents.push_back(t);
    }
    if (extents.size() + (sum.constant > 0) < 2)
      return false;
    // In the order written; a constant is a part of its own.
    std::vector<RankId> order;
    std::function<void(const ExprRef &)> visit = [&](const ExprRef &e) {
      if (e->op == ExprOp::Extent)
        order.push_back(e->id);
      else if (e->op == ExprOp::Number)
        order.push_back(constantRank(info.name, e->integer));
      else
        for (const ExprRef &a : e->args)
          visit(a);
    };
    if (sum.terms.size() != extents.size())
      return false;
    visit(info.definition);
    ExprRef offset;
    for (RankId p : order) {
      parts.push_back({p, offset});
      ExprRef size = extent(p);
      offset = offset ? binary(ExprOp::Add, offset, size) : size;
    }
    return true;
  }

  RankId constantRank(const std::string &base, int64_t size) {
    Rank r;
    r.name = base + "_" + std::to_string(size);
    while (out.rankNamed(r.name) >= 0)
      r.name += "_";
    r.fixed = size;
    out.ranks.push_back(r);
    return static_cast<RankId>(out.ranks.size()) - 1;
  }

  bool separate(RankId) {
    bool changed = false;
    const size_t count = out.equations.size();
    for (size_t i = 0; i < count; ++i) {
      const Equation eq = out.equations[i];
      const ExprRef r = eq.rhs;
      if (r->op != ExprOp::Reduce || !facts.acyclic(eq.tensor) || eq.init || r->vars.size() != 1 ||
          out.rankOf(r->vars[0]) != whole || (r->kind == Kind::Int && r->reduce != ReduceOp::Count) ||
          r->reduce > ReduceOp::Count || r->reduce == ReduceOp::Mean ||
          !choosesByPosition(r->args[0], r->vars[0]))
        continue;
      ExprRef all;
      for (size_t k = 0; k < parts.size(); ++k) {
        VarId v = variableOf(k);
        auto part = std::make_shared<Expr>(*r);
        part->vars = {v};
        part->args = {inPart(r->args[0], r->vars[0], k, v)};
        part->filter = r->filter ? inPart(r->filter, r->vars[0], k, v) : nullptr;
        ExprOp combine = r->reduce == ReduceOp::Max    ? ExprOp::Max
                         : r->reduce == ReduceOp::Min  ? ExprOp::Min
                         : r->reduce == ReduceOp::Any  ? ExprOp::Or
                         : r->reduce == ReduceOp::All  ? ExprOp::And
                         : r->reduce == ReduceOp::Prod ? ExprOp::Mul
                                                       : ExprOp::Add;
        all = all ? binary(combine, all, part) : ExprRef(part);
      }
      out.equations[i].rhs = all;
      changed = true;
    }
    return changed;
  }

  /// Somewhere below, through maps, an `if` compares the variable.
  bool choosesByPosition(const ExprRef &e, VarId u) {
    bool chooses = false;
    walk(e, [&](const Expr &x) {
      if (x.op == ExprOp::If && mentions(x.args[0], {u}))
        chooses = true;
      if (x.op == ExprOp::Read && !chooses && copyable(x.id))
        if (auto d = positionOf(x.id); d && x.args[*d]->op == ExprOp::Coord && x.args[*d]->id == u) {
          const Equation &eq = *out.equationOf(x.id);
          chooses = choosesByPosition(eq.rhs, eq.lhs[*d]->id);
        }
    });
    return chooses;
  }

  VarId variableOf(size_t k) {
    std::string name = out.ranks[parts[k].rank].name;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return out.addVariable(name, parts[k].rank);
  }

  bool copyable(TensorId t) {
    const Equation *eq = out.equationOf(t);
    return eq && facts.acyclic(t) && !eq->init && !out.tensors[t].annotated &&
           (eq->rhs->op != ExprOp::Reduce || eq->rhs->reduce <= ReduceOp::Count) &&
           out.tensors[t].role != Role::Input;
  }

  /// The one position of `whole` on the tensor's left side, if it is a plain variable.
  std::optional<size_t> positionOf(TensorId t) {
    const Equation *eq = out.equationOf(t);
    std::optional<size_t> found;
    for (size_t d = 0; d < eq->lhs.size(); ++d)
      if (eq->lhs[d]->op == ExprOp::Coord && out.rankOf(eq->lhs[d]->id) == whole) {
        if (found)
          return std::nullopt;
        found = d;
      }
    return found;
  }

  /// `e` with u confined to part k, u = v + offset.
  ExprRef inPart(const ExprRef &e, VarId u, size_t k, VarId v) {
    if (!e)
      return e;
    ExprRef at = parts[k].offset ? binary(ExprOp::Add, coord(v), parts[k].offset) : coord(v);
    ExprRef moved = substitute(e, [&](VarId x) -> ExprRef { return x == u ? at : nullptr; });
    moved = simplify(out, rewrite(moved, [&](const ExprRef &x) -> ExprRef { return decide(x, v); }));
    return rewrite(moved, [&](const ExprRef &x) -> ExprRef {
      if (x->op != ExprOp::Read || !copyable(x->id))
        return x;
      auto d = positionOf(x->id);
      if (!d || !equal(x->args[*d], at))
        return x;
      auto copy = std::make_shared<Expr>(*x);
      copy->id = partOf(x->id, *d, k);
      copy->args[*d] = coord(v);
      return copy;
    });
  }

  TensorId partOf(TensorId t, size_t d, size_t k) {
    auto it = copies.find({t, k});
    if (it != copies.end())
      return it->second;
    Tensor tensor = out.tensors[t];
    tensor.role = Role::Intermediate;
    tensor.empty = nullptr;
    tensor.name += "_" + out.ranks[parts[k].rank].name;
    while (out.tensorNamed(tensor.name) >= 0)
      tensor.name += "_";
    tensor.ranks[d] = parts[k].rank;
    TensorId id = copies[{t, k}] = out.addTensor(tensor);
    Equation eq = *out.equationOf(t);
    eq.tensor = id;
    // Fresh variables, as in every equation.
    std::map<VarId, VarId> fresh;
    for (VarId &x : eq.vars) {
      const Variable info = out.variables[x];
      VarId y = x == eq.lhs[d]->id ? variableOf(k) : out.addVariable(info.name, info.rank);
      fresh[x] = y;
      x = y;
    }
    VarId u = eq.lhs[d]->id;
    auto rename = [&](VarId x) -> ExprRef {
      auto f = fresh.find(x);
      return f == fresh.end() || x == u ? nullptr : coord(f->second);
    };
    for (size_t i = 0; i < eq.lhs.size(); ++i)
      eq.lhs[i] = i == d ? coord(fresh[u]) : substitute(eq.lhs[i], rename);
    eq.rhs = inPart(substitute(eq.rhs, rename), u, k, fresh[u]);
    eq.where = inPart(eq.where ? substitute(eq.where, rename) : nullptr, u, k, fresh[u]);
    out.equations.push_back(eq);
    return id;
  }

  /// Comparisons that hold or fail for all v of its rank.
  ExprRef decide(const ExprRef &x, VarId v) {
    if (x->op != ExprOp::Lt && x->op != ExprOp::Le && x->op != ExprOp::Gt && x->op != ExprOp::Ge)
      return x;
    if (x->args[0]->kind != Kind::Int)
      return x;
    Linear d; // less than 0, or at most 0
    bool swap = x->op == ExprOp::Gt || x->op == ExprOp::Ge;
    if (!linear(x->args[swap ? 1 : 0], 1, d) || !linear(x->args[swap ? 0 : 1], -1, d))
      return x;
    int64_t slack = x->op == ExprOp::Le || x->op == ExprOp::Ge ? 1 : 0; // a <= b: a - b < 1
    Linear high{d.constant - slack, {}}, low{d.constant - slack, {}};
    for (auto &[t, c] : d.terms) {
      if (t->op == ExprOp::Coord) {
        if (t->id != v)
          return x;
        Linear &bound = c > 0 ? high : low;
        bound.constant -= c; // c * (|R| - 1)
        bound.add(extent(out.rankOf(v)), c);
        continue;
      }
      if (t->id == whole) { // the sum of its parts
        for (const Part &p : parts)
          high.add(extent(p.rank), c), low.add(extent(p.rank), c);
        continue;
      }
      high.add(t, c), low.add(t, c);
    }
    auto known = [&](Linear &l) { // ranks of fixed extent are numbers
      std::vector<std::pair<ExprRef, int64_t>> rest;
      for (auto &[t, c] : l.terms)
        if (c == 0)
          continue;
        else if (out.ranks[t->id].fixed)
          l.constant += c * *out.ranks[t->id].fixed;
        else
          rest.push_back({t, c});
      l.terms = rest;
    };
    known(high), known(low);
    if (high.constant < 0 &&
        std::all_of(high.terms.begin(), high.terms.end(), [](auto &t) { return t.second <= 0; }))
      return boolean(true);
    if (low.constant >= 0 &&
        std::all_of(low.terms.begin(), low.terms.end(), [](auto &t) { return t.second >= 0; }))
      return boolean(false);
    return x;
  }
};

} // namespace

Cascade takeApart(const Cascade &cascade) { return Separator(cascade).run(); }

} // namespace einfall::transforms
