#include "compiler/transforms/StreamGroup.h"
#include <algorithm>
#include <optional>

namespace einfall::transforms {
using namespace ein;

VarId VariableClasses::find(VarId v) const {
  while (v >= 0 && static_cast<size_t>(v) < parent.size() && parent[v] != v)
    v = parent[v];
  return v;
}

void VariableClasses::unite(VarId a, VarId b) {
  a = find(a), b = find(b);
  if (a != b)
    parent[std::max(a, b)] = std::min(a, b);
}

ExprRef StreamGroup::canonical(const ExprRef &e) const {
  if (!e)
    return e;
  // Bound variables too: a nested reduction keeps one meaning of its variables.
  return rewrite(e, [&](const ExprRef &x) -> ExprRef {
    if (x->op == ExprOp::Coord && canonical(x->id) != x->id)
      return coord(canonical(x->id));
    if (x->op == ExprOp::Reduce) {
      auto copy = std::make_shared<Expr>(*x);
      for (VarId &v : copy->vars)
        v = canonical(v);
      return copy;
    }
    return x;
  });
}

bool StreamGroup::isRow(VarId v) const {
  return std::find(outer.begin(), outer.end(), v) != outer.end() ||
         std::find(lanes.begin(), lanes.end(), v) != lanes.end();
}

void factors(const ExprRef &e, std::vector<ExprRef> &list) {
  if (e->kind == Kind::Float && e->op == ExprOp::Mul) {
    factors(e->args[0], list);
    factors(e->args[1], list);
  } else if (e->kind == Kind::Float && e->op == ExprOp::Neg) {
    list.push_back(number(-1));
    factors(e->args[0], list);
  } else if (e->kind == Kind::Float && e->op == ExprOp::Div) {
    factors(e->args[0], list);
    list.push_back(binary(ExprOp::Div, number(1), e->args[1]));
  } else {
    list.push_back(e);
  }
}

namespace {

/// A reduction under examination, with the tensors it reaches.
struct Candidate {
  int equation;
  VarId stream;
  std::map<TensorId, VarId> streamed;
  std::set<TensorId> rowReads; ///< results over the same root rank, at row level
};

class Finder {
public:
  Finder(const Cascade &cascade, const Dependence &facts)
      : cascade(cascade), facts(facts), classes(cascade.variables.size()) {}

  std::vector<StreamGroup> run() {
    for (int i : facts.order())
      consider(i);
    dropInner();
    joinCandidates();
    joinByMaps();
    std::vector<StreamGroup> groups;
    for (auto &members : gather()) {
      if (auto g = build(members)) {
        groups.push_back(std::move(*g));
        continue;
      }
      // Ranks that do not go together are walked apart.
      std::map<RankId, std::vector<int>> byRank;
      for (int m : members)
        byRank[cascade.rankOf(candidates[m].stream)].push_back(m);
      for (auto &[rank, some] : byRank)
        if (byRank.size() > 1)
          if (auto g = build(some))
            groups.push_back(std::move(*g));
    }
    return groups;
  }

private:
  const Cascade &cascade;
  const Dependence &facts;
  VariableClasses classes;
  std::vector<Candidate> candidates;
  std::map<TensorId, int> producer; ///< row tensor -> candidate that computes it
  std::set<TensorId> walks;         ///< results of candidates that save a pass or a tensor
  std::vector<int> leader;

  /// A tensor that a kernel may hold without storing it.
  bool holdable(TensorId t) const {
    const Tensor &tensor = cascade.tensors[t];
    const Equation *eq = cascade.equationOf(t);
    if (!eq || !facts.acyclic(t) || eq->init || tensor.role == Role::Input)
      return false;
    Type own = cascade.computesInF64(*eq) ? Type::F64 : Type::F32;
    return kindOf(tensor.type) != Kind::Float || tensor.type == own;
  }

  static bool streamable(ReduceOp op) {
    return op == ReduceOp::Sum || op == ReduceOp::Max || op == ReduceOp::Min || op == ReduceOp::Any ||
           op == ReduceOp::All || op == ReduceOp::Count;
  }

  void consider(int index) {
    const Equation &eq = cascade.equations[index];
    const ExprRef &r = eq.rhs;
    if (r->op != ExprOp::Reduce || !facts.acyclic(eq.tensor) || eq.init || !streamable(r->reduce) ||
        r->vars.size() != 1 || eq.where)
      return;
    if (r->kind == Kind::Int && r->reduce != ReduceOp::Count)
      return;
    Candidate c{index, r->vars[0], {}, {}};
    VariableClasses saved = classes;
    if (!reach(c, r->args[0], c.stream) || !reach(c, r->filter, c.stream) || conflicting(eq, c)) {
      classes = saved;
      return;
    }
    producer[eq.tensor] = static_cast<int>(candidates.size());
    if (!c.streamed.empty() || !c.rowReads.empty())
      walks.insert(eq.tensor);
    candidates.push_back(std::move(c));
  }

  /// Two variables of one equation in one class: the group would confuse them.
  bool conflicting(const Equation &eq, const Candidate &c) {
    auto clash = [&](const Equation &e) {
      std::set<VarId> seen;
      std::vector<VarId> vars = e.vars;
      if (e.rhs->op == ExprOp::Reduce)
        vars.insert(vars.end(), e.rhs->vars.begin(), e.rhs->vars.end());
      for (VarId v : vars)
        if (!seen.insert(classes.find(v)).second)
          return true;
      return false;
    };
    if (clash(eq))
      return true;
    for (auto &[t, v] : c.streamed)
      if (clash(*cascade.equationOf(t)))
        return true;
    for (TensorId t : c.rowReads)
      if (clash(*cascade.equationOf(t)))
        return true;
    return false;
  }

  /// Pairs (variable of the defining equation, variable of the reader), if the
  /// read is plain.
  std::optional<std::vector<std::pair<VarId, VarId>>> plainRead(const Expr &read) {
    const Equation *eq = cascade.equationOf(read.id);
    std::vector<std::pair<VarId, VarId>> pairs;
    for (size_t i = 0; i < read.args.size(); ++i) {
      const ExprRef &l = eq->lhs[i], &s = read.args[i];
      if (l->op == ExprOp::Coord && s->op == ExprOp::Coord &&
          cascade.rankOf(l->id) == cascade.rankOf(s->id)) {
        pairs.push_back({l->id, s->id});
      } else if (l->op == ExprOp::Tuple && s->op == ExprOp::Tuple && l->id == s->id) {
        for (size_t k = 0; k < l->args.size(); ++k) {
          if (s->args[k]->op != ExprOp::Coord)
            return std::nullopt;
          pairs.push_back({l->args[k]->id, s->args[k]->id});
        }
      } else {
        return std::nullopt;
      }
    }
    return pairs;
  }

  /// Follows the reads of `e`, whose streamed variable is `stream`.
  bool reach(Candidate &c, const ExprRef &e, VarId stream) {
    bool ok = true;
    walk(e, [&](const Expr &x) {
      if (x.op != ExprOp::Read || !ok || !cascade.equationOf(x.id))
        return;
      bool overStream = false;
      for (const ExprRef &s : x.args)
        overStream |= mentions(s, {stream});
      if (!holdable(x.id))
        return;
      const Equation &eq = *cascade.equationOf(x.id);
      auto pairs = plainRead(x);
      if (!pairs)
        return; // stored
      if (!overStream) {
        RankId root = facts.root(cascade.rankOf(c.stream));
        if (!facts.onReductionOver(x.id, root) || (!producer.count(x.id) && !facts.isMap(x.id)))
          return;
        if (!rowLevel(c, x.id))
          return;
        for (auto [own, user] : *pairs)
          classes.unite(own, user);
        return;
      }
      VarId own = -1;
      for (auto [l, s] : *pairs)
        if (s == stream)
          own = l;
      if (own < 0 || eq.vars.size() < 2)
        return;
      if (eq.rhs->op == ExprOp::Reduce) {
        // An inner reduction, of all points or none, is computed with the tile.
        if (eq.rhs->reduce != ReduceOp::Sum || eq.rhs->filter || eq.rhs->kind != Kind::Float)
          return;
        // Not one that is a walk of its own over products of a third rank.
        if (auto p = producer.find(x.id); p != producer.end())
          for (auto &[t, v] : candidates[p->second].streamed)
            if (cascade.equationOf(t)->rhs->op == ExprOp::Reduce)
              return;
        for (VarId v : eq.rhs->vars)
          if (facts.root(cascade.rankOf(v)) == facts.root(cascade.rankOf(own)))
            return;
      } else if (!facts.isMap(x.id) || finishes(eq, own)) {
        return;
      }
      auto [it, isNew] = c.streamed.insert({x.id, own});
      if (!isNew && it->second != own) {
        ok = false;
        return;
      }
      for (auto [l, s] : *pairs)
        classes.unite(l, s);
      if (isNew) {
        ok &= reach(c, eq.rhs, own);
        ok &= reach(c, eq.where, own);
      }
    });
    return ok;
  }

  /// A map that ends another walk: it reads that walk's results along `own`.
  bool finishes(const Equation &eq, VarId own) {
    bool ends = false;
    for (const ExprRef &e : {eq.rhs, eq.where})
      walk(e, [&](const Expr &x) {
        if (x.op == ExprOp::Read && walks.count(x.id))
          for (const ExprRef &s : x.args)
            ends |= mentions(s, {own});
      });
    return ends;
  }

  /// Notes the row results that tensor t stands for; unites the variables of maps.
  bool rowLevel(Candidate &c, TensorId t) {
    if (c.rowReads.count(t))
      return true;
    if (producer.count(t)) {
      c.rowReads.insert(t);
      return true;
    }
    const Equation &eq = *cascade.equationOf(t);
    bool ok = true, any = false;
    std::vector<std::pair<VarId, VarId>> found;
    std::vector<TensorId> inner;
    auto look = [&](const ExprRef &e) {
      walk(e, [&](const Expr &x) {
        if (x.op != ExprOp::Read || !cascade.equationOf(x.id) || !holdable(x.id))
          return;
        // A result over another rank that is mixed in belongs to the same state:
        // max(max[l] .., max[m] ..).
        RankId root = facts.root(cascade.rankOf(c.stream));
        if (!facts.onReductionOver(x.id, root) && !producer.count(x.id))
          return;
        auto pairs = plainRead(x);
        if (!pairs || (!producer.count(x.id) && !facts.isMap(x.id))) {
          ok = false;
          return;
        }
        found.insert(found.end(), pairs->begin(), pairs->end());
        inner.push_back(x.id);
        any = true;
      });
    };
    look(eq.rhs);
    look(eq.where);
    if (!ok || !any)
      return false;
    for (TensorId i : inner)
      if (!rowLevel(c, i))
        return false;
    for (auto [own, user] : found)
      classes.unite(own, user);
    c.rowReads.insert(t);
    return true;
  }

  /// A sum that another candidate computes within its tiles is no walk of its own.
  void dropInner() {
    std::set<TensorId> inner;
    for (const Candidate &c : candidates)
      for (auto &[t, v] : c.streamed)
        if (cascade.equationOf(t)->rhs->op == ExprOp::Reduce)
          inner.insert(t);
    std::erase_if(candidates,
                  [&](const Candidate &c) { return inner.count(cascade.equations[c.equation].tensor) > 0; });
    producer.clear();
    for (size_t i = 0; i < candidates.size(); ++i)
      producer[cascade.equations[candidates[i].equation].tensor] = static_cast<int>(i);
  }

  int lead(int i) { return leader[i] == i ? i : leader[i] = lead(leader[i]); }

  void joinCandidates() {
    leader.resize(candidates.size());
    std::map<TensorId, int> firstUser;
    for (size_t i = 0; i < candidates.size(); ++i)
      leader[i] = static_cast<int>(i);
    for (size_t i = 0; i < candidates.size(); ++i) {
      for (auto &[t, v] : candidates[i].streamed) {
        auto [it, isNew] = firstUser.insert({t, static_cast<int>(i)});
        if (!isNew)
          leader[lead(static_cast<int>(i))] = lead(it->second);
      }
      for (TensorId t : candidates[i].rowReads)
        if (auto p = producer.find(t); p != producer.end())
          leader[lead(static_cast<int>(i))] = lead(p->second);
    }
  }

  /// A map that brings results of two walks over one rank together, row by row,
  /// makes them one: n1/d1 - n2/d2.
  void joinByMaps() {
    for (int i : facts.order()) {
      const Equation &eq = cascade.equations[i];
      if (!facts.isMap(eq.tensor))
        continue;
      std::map<int, std::set<VarId>> rowsOf; // leader -> variables that all its reads have
      std::vector<std::pair<VarId, VarId>> found;
      bool plain = true;
      walk(eq.rhs, [&](const Expr &x) {
        if (x.op != ExprOp::Read || !walks.count(x.id) || !producer.count(x.id))
          return;
        auto pairs = plainRead(x);
        if (!pairs) {
          plain = false;
          return;
        }
        std::set<VarId> vars;
        for (auto [own, user] : *pairs)
          vars.insert(user);
        found.insert(found.end(), pairs->begin(), pairs->end());
        auto [it, isNew] = rowsOf.insert({lead(producer.at(x.id)), vars});
        if (!isNew)
          std::erase_if(it->second, [&](VarId v) { return !vars.count(v); });
      });
      if (!plain || rowsOf.size() < 2)
        continue;
      bool same = true;
      RankId rank = cascade.rankOf(candidates[rowsOf.begin()->first].stream);
      for (auto &[l, vars] : rowsOf)
        same &= vars == rowsOf.begin()->second && cascade.rankOf(candidates[l].stream) == rank;
      if (!same)
        continue;
      VariableClasses saved = classes;
      for (auto [own, user] : found)
        classes.unite(own, user);
      int first = rowsOf.begin()->first;
      bool clash = false;
      for (size_t k = 0; k < candidates.size(); ++k)
        if (rowsOf.count(lead(static_cast<int>(k))))
          clash |= conflicting(cascade.equations[candidates[k].equation], candidates[k]);
      if (clash) {
        classes = saved;
        continue;
      }
      for (auto &[l, vars] : rowsOf)
        leader[lead(l)] = lead(first);
    }
  }

  std::vector<std::vector<int>> gather() {
    std::map<int, std::vector<int>> byLeader;
    for (size_t i = 0; i < candidates.size(); ++i)
      byLeader[lead(static_cast<int>(i))].push_back(static_cast<int>(i));
    std::vector<std::vector<int>> all;
    for (auto &[l, members] : byLeader)
      all.push_back(members);
    return all;
  }

  /// A tile holds one place: a tensor that is also read at another is stored.
  void dropShifted(StreamGroup &g) {
    std::set<TensorId> shifted;
    auto look = [&](const ExprRef &e) {
      walk(e, [&](const Expr &x) {
        if (x.op != ExprOp::Read || !g.streamed.count(x.id))
          return;
        const Equation &eq = *cascade.equationOf(x.id);
        for (size_t i = 0; i < x.args.size(); ++i)
          if (!equal(g.canonical(x.args[i]), g.canonical(eq.lhs[i])))
            shifted.insert(x.id);
      });
    };
    for (int r : g.reduces)
      look(cascade.equations[r].rhs);
    for (auto &[t, v] : g.streamed) {
      look(cascade.equationOf(t)->rhs);
      look(cascade.equationOf(t)->where);
    }
    for (TensorId t : shifted)
      g.streamed.erase(t);
  }

  std::set<VarId> classesIn(const ExprRef &e) {
    std::set<VarId> set;
    for (VarId v : freeVariables(e))
      set.insert(classes.find(v));
    return set;
  }

  /// The reductions that wait for each other, and those with the same rows: one
  /// that merely shares an operand would take rows from the others.
  std::vector<int> withSameRows(const std::vector<int> &all) {
    std::set<TensorId> read;
    for (int m : all)
      read.insert(candidates[m].rowReads.begin(), candidates[m].rowReads.end());
    auto left = [&](int m) {
      std::set<VarId> vars;
      for (VarId v : cascade.equations[candidates[m].equation].vars)
        vars.insert(classes.find(v));
      return vars;
    };
    std::optional<std::set<VarId>> rows;
    auto isCore = [&](int m) {
      return !candidates[m].rowReads.empty() || read.count(cascade.equations[candidates[m].equation].tensor);
    };
    for (int m : all)
      if (isCore(m)) {
        auto own = left(m);
        if (!rows)
          rows = own;
        else
          std::erase_if(*rows, [&](VarId v) { return !own.count(v); });
      }
    std::vector<int> kept;
    for (int m : all) {
      auto own = left(m);
      if (!rows || isCore(m) || std::includes(own.begin(), own.end(), rows->begin(), rows->end()))
        kept.push_back(m);
    }
    return kept;
  }

  std::optional<StreamGroup> build(const std::vector<int> &all) {
    const std::vector<int> members = withSameRows(all);
    StreamGroup g;
    std::set<VarId> streams;
    for (int m : members) {
      const Candidate &c = candidates[m];
      g.reduces.push_back(c.equation);
      g.streamed.insert(c.streamed.begin(), c.streamed.end());
      g.rows.insert(cascade.equations[c.equation].tensor);
      g.rows.insert(c.rowReads.begin(), c.rowReads.end());
    }
    for (int m : members) // one width of arithmetic in a kernel
      if (cascade.computesInF64(cascade.equations[candidates[m].equation]) !=
          cascade.computesInF64(cascade.equations[g.reduces[0]]))
        return std::nullopt;
    // Streams of one rank are one walk.
    std::map<RankId, VarId> walkOf;
    for (int m : members) {
      VarId v = candidates[m].stream;
      auto [it, isNew] = walkOf.insert({cascade.rankOf(v), v});
      if (!isNew)
        classes.unite(it->second, v);
    }
    for (int m : members) {
      VarId s = classes.find(candidates[m].stream);
      if (streams.insert(s).second)
        g.segments.push_back(s);
    }
    g.classes = classes;
    if (crossing(g, streams))
      return std::nullopt;
    dropShifted(g);
    if (!chooseLanes(g, streams))
      return std::nullopt;
    dropUniform(g);
    // Worth it if a reduction waits for another, or for a product over a third rank.
    bool saves = false;
    for (auto &[t, v] : g.streamed)
      saves |= cascade.equationOf(t)->rhs->op == ExprOp::Reduce;
    for (int m : members)
      saves |= !candidates[m].rowReads.empty();
    if (!saves)
      return std::nullopt;
    return g;
  }

  /// A tensor with two streamed variables, or a result that still has one.
  bool crossing(const StreamGroup &g, const std::set<VarId> &streams) {
    auto streamsOf = [&](const Equation &eq) {
      return std::count_if(eq.vars.begin(), eq.vars.end(),
                           [&](VarId v) { return streams.count(classes.find(v)) > 0; });
    };
    for (auto &[t, v] : g.streamed)
      if (streamsOf(*cascade.equationOf(t)) > 1)
        return true;
    return std::any_of(g.reduces.begin(), g.reduces.end(),
                       [&](int r) { return streamsOf(cascade.equations[r]) > 0; });
  }

  /// Rows: what streamed tensors range over besides the stream. Lanes: those rows
  /// on which the streamed side of no contraction depends.
  bool chooseLanes(StreamGroup &g, const std::set<VarId> &streams) {
    std::vector<VarId> rows;
    auto addRows = [&](const std::vector<VarId> &vars) {
      for (VarId v : vars) {
        VarId k = classes.find(v);
        if (!streams.count(k) && std::find(rows.begin(), rows.end(), k) == rows.end())
          rows.push_back(k);
      }
    };
    // Every reduction has all rows; what some lack is not a row of the group.
    for (auto &[t, v] : g.streamed)
      addRows(cascade.equationOf(t)->vars);
    if (g.streamed.empty())
      addRows(cascade.equations[g.reduces[0]].vars);
    for (int r : g.reduces) {
      std::set<VarId> own;
      for (VarId v : cascade.equations[r].vars)
        own.insert(classes.find(v));
      std::erase_if(rows, [&](VarId v) { return !own.count(v); });
    }
    std::set<VarId> keySide;
    auto block = [&](const ExprRef &factor) {
      for (VarId k : classesIn(factor))
        if (std::find(rows.begin(), rows.end(), k) != rows.end())
          keySide.insert(k);
    };
    auto scan = [&](const ExprRef &body, const std::vector<VarId> &extra) {
      std::vector<ExprRef> list;
      factors(body, list);
      for (const ExprRef &f : list) {
        auto in = classesIn(f);
        bool wide =
            std::any_of(extra.begin(), extra.end(), [&](VarId v) { return in.count(classes.find(v)); });
        if (!wide)
          continue;
        // In a compound factor, the reads that carry the stream: tanh(q[p,e] + k[m,e]).
        walk(f, [&](const Expr &x) {
          if (x.op != ExprOp::Read)
            return;
          ExprRef self = withArgs(x, x.args);
          auto own = classesIn(self);
          if (std::any_of(streams.begin(), streams.end(), [&](VarId s) { return own.count(s); }))
            block(self);
        });
      }
    };
    for (auto &[t, v] : g.streamed)
      if (const Equation *eq = cascade.equationOf(t); eq->rhs->op == ExprOp::Reduce)
        scan(eq->rhs->args[0], eq->rhs->vars);
    for (int r : g.reduces) {
      const Equation &eq = cascade.equations[r];
      std::vector<VarId> extra;
      for (VarId v : eq.vars)
        if (std::find(rows.begin(), rows.end(), classes.find(v)) == rows.end())
          extra.push_back(v);
      scan(eq.rhs->args[0], extra);
    }
    // In the order of the first reduction's left side.
    std::vector<VarId> ordered;
    for (VarId v : cascade.equations[g.reduces[0]].vars)
      if (VarId k = classes.find(v); std::find(rows.begin(), rows.end(), k) != rows.end())
        ordered.push_back(k);
    for (VarId k : ordered)
      (keySide.count(k) ? g.outer : g.lanes).push_back(k);
    bool onlyRows = cascade.equations[g.reduces[0]].vars.size() == g.outer.size();
    if (g.lanes.empty() && !g.outer.empty() && onlyRows) { // a window that moves with the row
      g.lanes.push_back(g.outer.back());
      g.outer.pop_back();
    }
    // A streamed tensor with a variable that is neither row nor stream cannot be held.
    for (auto &[t, v] : g.streamed)
      for (VarId x : cascade.equationOf(t)->vars) {
        VarId k = classes.find(x);
        if (!streams.count(k) && std::find(rows.begin(), rows.end(), k) == rows.end())
          wide.insert(t);
      }
    return !g.lanes.empty();
  }

  bool onlyInputs(TensorId t) const {
    if (!facts.isMap(t))
      return false;
    bool only = true;
    const Equation &eq = *cascade.equationOf(t);
    // Elementary functions are worth storing: a tile would compute them again.
    walk(eq.rhs, [&](const Expr &x) {
      only &= x.op != ExprOp::Pow &&
              !(x.op == ExprOp::Call && x.fn >= Fn::Exp && x.fn <= Fn::Cos && x.fn != Fn::Relu);
    });
    for (const ExprRef &e : {eq.rhs, eq.where})
      for (TensorId r : tensorsRead(e))
        only &= cascade.tensors[r].role == Role::Input || (r != t && onlyInputs(r));
    return only;
  }

  std::set<TensorId> wide; ///< with a variable that is neither row nor stream

  /// Tensors that are the same in all lanes are stored, or, if they are maps of
  /// inputs, written out where they are read.
  void dropUniform(StreamGroup &g) {
    for (auto it = g.streamed.begin(); it != g.streamed.end();) {
      bool lane = false;
      for (VarId v : cascade.equationOf(it->first)->vars)
        lane |= std::find(g.lanes.begin(), g.lanes.end(), classes.find(v)) != g.lanes.end();
      if (lane && !wide.count(it->first)) {
        ++it;
        continue;
      }
      if (onlyInputs(it->first) || (wide.count(it->first) && facts.isMap(it->first)))
        g.inlined.insert(it->first);
      it = g.streamed.erase(it);
    }
  }
};

} // namespace

std::vector<StreamGroup> findStreamGroups(const Cascade &cascade, const Dependence &facts) {
  return Finder(cascade, facts).run();
}

} // namespace einfall::transforms
