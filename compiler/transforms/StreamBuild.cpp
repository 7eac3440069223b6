#include "compiler/transforms/StreamBuild.h"
#include "compiler/algebra/Terms.h"
#include "compiler/transforms/Presence.h"
#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace einfall::transforms {
using namespace ein;
using algebra::Matrix;
using algebra::Sym;

StreamBuilder::StreamBuilder(Cascade &cascade, const Dependence &facts, const StreamGroup &group)
    : cascade(cascade), facts(facts), group(group), symbolic(cascade) {
  delta = cascade.addVariable("delta", group.lanes.empty() ? 0 : cascade.rankOf(group.lanes[0]));
  deltaAtom = symbolic.atom(unary(ExprOp::ToFloat, coord(delta)));
}

ExprRef StreamBuilder::readAtCanonical(TensorId t) const {
  const Equation &eq = *cascade.equationOf(t);
  std::vector<ExprRef> subscripts;
  for (const ExprRef &l : eq.lhs)
    subscripts.push_back(group.canonical(l));
  return read(t, kindOf(cascade.tensors[t].type), subscripts);
}

std::vector<VarId> StreamBuilder::extraOf(TensorId t) const {
  std::vector<VarId> extra;
  for (VarId v : cascade.equationOf(t)->vars)
    if (VarId k = group.canonical(v); !group.isRow(k))
      extra.push_back(k);
  return extra;
}

/// A read of a row tensor of the group at its own place.
bool StreamBuilder::isRowRead(const Expr &x) const {
  if (x.op != ExprOp::Read || !group.rows.count(x.id))
    return false;
  const Equation &eq = *cascade.equationOf(x.id);
  for (size_t i = 0; i < x.args.size(); ++i)
    if (!equal(group.canonical(x.args[i]), group.canonical(eq.lhs[i])))
      return false;
  return true;
}

int StreamBuilder::passOf(TensorId t) const {
  if (auto it = accumulations.find(t); it != accumulations.end())
    return it->second.pass;
  if (!group.rows.count(t))
    return -1;
  int pass = -1;
  const Equation &eq = *cascade.equationOf(t);
  for (const ExprRef &e : {eq.rhs, eq.where})
    walk(e, [&](const Expr &x) {
      if (isRowRead(x) && x.id != t)
        pass = std::max(pass, passOf(x.id));
    });
  return pass;
}

bool StreamBuilder::dependsOnPass(TensorId streamed, int pass) const {
  bool depends = false;
  const Equation &eq = *cascade.equationOf(streamed);
  for (const ExprRef &e : {eq.rhs, eq.where})
    walk(e, [&](const Expr &x) {
      if (isRowRead(x))
        depends |= passOf(x.id) == pass;
      else if (x.op == ExprOp::Read && x.id != streamed && group.isVirtual(x.id))
        depends |= dependsOnPass(x.id, pass);
    });
  return depends;
}

/// The summand over canonical atoms; streamed tensors that depend on row results
/// of the pass are looked through.
Sym StreamBuilder::bodySymbol(const Accumulation &a, int pass) {
  symbolic.lookThrough = [this, pass](const Expr &x) {
    return (group.inlined.count(x.id) || group.streamed.count(x.id)) && facts.isMap(x.id) &&
           dependsOnPass(x.id, pass);
  };
  Sym s = symbolic.toSym(group.canonical(cascade.equations[a.equation].rhs->args[0]));
  return s;
}

/// Which points a reduction takes; null: all.
ExprRef StreamBuilder::pointsOf(const Equation &reduction) const {
  const ExprRef &r = reduction.rhs;
  return conjunction(group.canonical(r->filter), presence(cascade, group.canonical(r->args[0])));
}

/// At every point that `user` takes, the row value is finite as soon as its block is
/// folded: a maximum has taken the point itself.
bool StreamBuilder::isKnownWhere(TensorId row, const Equation &user, int pass) const {
  std::vector<const Equation *> extrema;
  std::function<void(TensorId)> collect = [&](TensorId t) {
    const Equation &eq = *cascade.equationOf(t);
    if (accumulations.count(t)) {
      if (eq.rhs->reduce == ReduceOp::Max || eq.rhs->reduce == ReduceOp::Min)
        extrema.push_back(&eq);
      return;
    }
    walk(eq.rhs, [&](const Expr &x) {
      if (isRowRead(x) && x.id != t && passOf(x.id) == pass)
        collect(x.id);
    });
  };
  collect(row);
  ExprRef mine = pointsOf(user);
  return extrema.empty() || std::any_of(extrema.begin(), extrema.end(), [&](const Equation *eq) {
           if (group.canonical(eq->rhs->vars[0]) != group.canonical(user.rhs->vars[0]))
             return false;
           ExprRef theirs = pointsOf(*eq);
           return !theirs || (mine && conjunction(mine, theirs) == mine);
         });
}

/// Fills anchors, basis and transports for computing `a` in `pass`; a reason if
/// it cannot be.
std::string StreamBuilder::close(Accumulation &a, int pass) {
  const Equation &eq = cascade.equations[a.equation];
  const ExprRef &r = eq.rhs;
  VarId stream = group.canonical(r->vars[0]);
  a.anchors.clear();
  a.basis.clear();
  a.transports.clear();
  // Row results under conditions, filters, bools: not a matter of differentiation.
  std::vector<TensorId> used, inInner;
  std::function<void(const ExprRef &, bool)> collect = [&](const ExprRef &e, bool inner) {
    walk(e, [&](const Expr &x) {
      if (isRowRead(x)) {
        if (passOf(x.id) == pass && std::find(used.begin(), used.end(), x.id) == used.end())
          used.push_back(x.id);
        if (passOf(x.id) == pass && inner)
          inInner.push_back(x.id);
      } else if (x.op == ExprOp::Read && group.isVirtual(x.id)) {
        bool sum = cascade.equationOf(x.id)->rhs->op == ExprOp::Reduce;
        collect(cascade.equationOf(x.id)->rhs, inner || sum);
        collect(cascade.equationOf(x.id)->where, inner || sum);
      }
    });
  };
  std::vector<TensorId> inCondition;
  collect(r->filter, false);
  if (ExprRef where = presence(cascade, r->args[0]))
    collect(where, false);
  inCondition = used;
  collect(r->args[0], false);
  if (used.empty()) {
    if (r->reduce == ReduceOp::Sum && r->kind == Kind::Float)
      a.basis = {bodySymbol(a, pass)};
    return "";
  }
  auto name = [&](TensorId t) { return cascade.tensors[t].name; };
  if (!inInner.empty())
    return fmt::format("'{}' is used inside an inner sum", name(inInner[0]));
  if (!inCondition.empty())
    return fmt::format("'{}' decides which points take part", name(inCondition[0]));
  if (r->kind != Kind::Float ||
      (r->reduce != ReduceOp::Sum && r->reduce != ReduceOp::Max && r->reduce != ReduceOp::Min))
    return fmt::format("'{}' of a condition on '{}' cannot be corrected afterwards", ein::name(r->reduce),
                       name(used[0]));
  Sym f = bodySymbol(a, pass);
  auto isStream = [&](const Sym &x) { return mentions(symbolic.exprOf(x), {stream}); };
  std::vector<algebra::Anchor> anchors;
  for (TensorId t : used) {
    Sym atom = symbolic.atom(readAtCanonical(t));
    // Atoms that hide the row result (a comparison, an index) cannot be looked into.
    bool hidden = false;
    algebra::walk(f, [&](const Sym &x) {
      if (x.is(algebra::Form::Atom) && x != atom)
        walk(symbolic.exprOf(x), [&](const Expr &y) { hidden |= isRowRead(y) && y.id == t; });
    });
    if (hidden)
      return fmt::format("'{}' is compared or indexed with inside the {}", name(t), ein::name(r->reduce));
    if (algebra::mentions(f, atom) && !isKnownWhere(t, eq, pass))
      return fmt::format("'{}' may have no value yet at points that the {} takes", name(t),
                         ein::name(r->reduce));
    if (algebra::mentions(f, atom)) {
      anchors.push_back({atom, algebra::AnchorKind::Shift});
      a.anchors.push_back(t);
    }
  }
  if (r->reduce != ReduceOp::Sum) {
    a.shift = true;
    for (const algebra::Anchor &k : anchors) {
      auto moved = algebra::shiftOfMax(f, k.atom, Sym(0), deltaAtom, isStream);
      if (!moved)
        return moved.reason;
      if (moved->isFactor)
        return fmt::format("the {} scales with '{}'", ein::name(r->reduce), k.atom.name());
      a.transports.push_back({{moved->c}});
    }
    a.basis = {f};
    return "";
  }
  auto closed = algebra::closure(f, anchors, isStream);
  if (!closed)
    return closed.reason;
  for (size_t k = 0; k < anchors.size(); ++k) {
    auto m = algebra::transport(closed->A[k], algebra::AnchorKind::Shift, Sym(0), deltaAtom);
    if (!m)
      return m.reason;
    a.transports.push_back(*m);
  }
  a.basis = closed->basis;
  return "";
}

void StreamBuilder::assignPasses(analysis::Explanation &explanation) {
  RankId rank = cascade.rankOf(group.segments[0]);
  for (int index : group.reduces) {
    const Equation &eq = cascade.equations[index];
    Accumulation a;
    a.equation = index;
    // The earliest pass: that of the latest row result it uses.
    int pass = 0;
    std::function<void(const ExprRef &)> latest = [&](const ExprRef &e) {
      walk(e, [&](const Expr &x) {
        if (isRowRead(x)) {
          pass = std::max(pass, passOf(x.id));
        } else if (x.op == ExprOp::Read && group.isVirtual(x.id)) {
          latest(cascade.equationOf(x.id)->rhs);
          latest(cascade.equationOf(x.id)->where);
        } else if (x.op == ExprOp::Read) {
          pass = std::max(pass, storedAfter(x.id));
        }
      });
    };
    latest(eq.rhs->args[0]);
    latest(eq.rhs->filter);
    std::string reason = close(a, pass);
    if (!reason.empty()) {
      std::string from;
      for (TensorId t : group.rows)
        if (passOf(t) == pass && accumulations.count(t)) {
          bool used = false;
          std::function<void(const ExprRef &)> look = [&](const ExprRef &e) {
            walk(e, [&](const Expr &x) {
              if (isRowRead(x))
                used |= x.id == t;
              else if (x.op == ExprOp::Read && group.isVirtual(x.id))
                look(cascade.equationOf(x.id)->rhs), look(cascade.equationOf(x.id)->where);
            });
          };
          look(eq.rhs->args[0]);
          look(eq.rhs->filter);
          if (used)
            from += (from.empty() ? "" : ", ") + cascade.tensors[t].name;
        }
      explanation.barriers.push_back(
          {cascade.ranks[rank].name, from, cascade.tensors[eq.tensor].name, place(eq.range), reason});
      reason = close(a, ++pass);
    } else if (!a.anchors.empty()) {
      std::string names;
      for (TensorId t : a.anchors)
        names += (names.empty() ? "" : ", ") + cascade.tensors[t].name;
      explanation.rewrites.push_back(
          {"one-pass", cascade.ranks[rank].name, cascade.tensors[eq.tensor].name,
           names + " -> " + cascade.tensors[eq.tensor].name, place(eq.range),
           a.shift
               ? fmt::format("the {} moves with {} by a shift", ein::name(eq.rhs->reduce), names)
               : fmt::format("the summand and its derivatives in {} span {} dimension{}: the sum so far is "
                             "corrected when {} moves",
                             names, a.basis.size(), a.basis.size() == 1 ? "" : "s", names)});
    }
    a.pass = pass;
    passes = std::max(passes, pass + 1);
    accumulations[eq.tensor] = std::move(a);
  }
}

/// The first pass in which a stored tensor can be read: after the passes whose
/// results it is computed from.
int StreamBuilder::storedAfter(TensorId t) const {
  int pass = 0;
  std::set<TensorId> seen;
  std::vector<TensorId> todo = {t};
  while (!todo.empty()) {
    TensorId x = todo.back();
    todo.pop_back();
    if (!seen.insert(x).second)
      continue;
    if (group.rows.count(x))
      pass = std::max(pass, passOf(x) + 1);
    if (const Equation *eq = cascade.equationOf(x))
      for (const ExprRef &e : {eq->rhs, eq->where, eq->init})
        for (TensorId r : tensorsRead(e))
          todo.push_back(r);
  }
  return pass;
}

void StreamBuilder::trace(int pass, const std::set<TensorId> &wanted, std::set<TensorId> &inputs,
                          std::set<TensorId> &evaluated) const {
  std::function<void(TensorId)> row;
  std::function<void(const ExprRef &, bool)> look = [&](const ExprRef &e, bool inBlock) {
    walk(e, [&](const Expr &x) {
      if (x.op != ExprOp::Read)
        return;
      if (isRowRead(x)) {
        if (passOf(x.id) == pass)
          row(x.id);
        else
          inputs.insert(x.id);
      } else if (inBlock && group.isVirtual(x.id)) {
        if (evaluated.insert(x.id).second) {
          look(cascade.equationOf(x.id)->rhs, true);
          look(cascade.equationOf(x.id)->where, true);
          look(presence(cascade, cascade.equationOf(x.id)->rhs), true); // what masks read
        }
      } else {
        inputs.insert(x.id);
      }
    });
  };
  row = [&](TensorId t) {
    if (!evaluated.insert(t).second)
      return;
    const Equation &eq = *cascade.equationOf(t);
    if (accumulations.count(t)) {
      look(eq.rhs->args[0], true);
      look(eq.rhs->filter, true);
      look(presence(cascade, eq.rhs->args[0]), true);
      return;
    }
    look(eq.rhs, false);
    look(eq.where, false);
    look(presence(cascade, eq.rhs), false);
  };
  for (TensorId t : wanted)
    row(t);
}

std::set<TensorId> StreamBuilder::inputsOf(int pass, const std::set<TensorId> &wanted) const {
  std::set<TensorId> inputs, evaluated;
  trace(pass, wanted, inputs, evaluated);
  return inputs;
}

std::set<TensorId> StreamBuilder::evaluatedIn(int pass, const std::set<TensorId> &wanted) const {
  std::set<TensorId> inputs, evaluated;
  trace(pass, wanted, inputs, evaluated);
  return evaluated;
}

std::string StreamBuilder::mergeText(int pass, const std::set<TensorId> &wanted,
                                     std::vector<std::string> &state) const {
  std::set<TensorId> evaluated = evaluatedIn(pass, wanted);
  std::string text;
  for (int index : group.reduces) {
    const Equation &eq = cascade.equations[index];
    if (!evaluated.count(eq.tensor))
      continue;
    const Accumulation &a = accumulations.at(eq.tensor);
    const std::string &name = cascade.tensors[eq.tensor].name;
    state.push_back(name);
    text += (text.empty() ? "" : "; ") + name + " = ";
    auto part = [&](const std::string &which) {
      if (a.anchors.empty())
        return name + which;
      std::string factor;
      for (size_t k = 0; k < a.anchors.size(); ++k) {
        const std::string &g = cascade.tensors[a.anchors[k]].name;
        std::string entry = a.transports[k].size() == 1 ? a.transports[k][0][0].print()
                                                        : fmt::format("M{}", a.transports[k].size());
        std::string d = deltaAtom.print(), to = "(" + g + " - " + g + which + ")";
        if (a.transports[k].size() > 1)
          entry += "(" + d + ")";
        for (size_t at = 0; (at = entry.find(d, at)) != std::string::npos; at += to.size())
          entry.replace(at, d.size(), to);
        factor += entry + (a.shift ? " + " : " * ");
      }
      return factor + name + which;
    };
    if (eq.rhs->reduce == ReduceOp::Max || eq.rhs->reduce == ReduceOp::Min)
      text += std::string(ein::name(eq.rhs->reduce)) + "(" + part("'") + ", " + part("\"") + ")";
    else
      text += part("'") +
              (eq.rhs->kind == Kind::Bool ? (eq.rhs->reduce == ReduceOp::Any ? " or " : " and ") : " + ") +
              part("\"");
  }
  return text;
}

bool StreamBuilder::isFinishable(TensorId t) {
  if (accumulations.count(t))
    return true;
  const Equation *eq = cascade.equationOf(t);
  if (group.rows.count(t)) { // a map that has all rows; others are stored before
    std::set<VarId> own;
    for (VarId v : eq->vars)
      own.insert(group.canonical(v));
    auto has = [&](VarId v) { return own.count(v) > 0; };
    return facts.isMap(t) && std::all_of(group.outer.begin(), group.outer.end(), has) &&
           std::all_of(group.lanes.begin(), group.lanes.end(), has);
  }
  if (!eq || !facts.isMap(t) ||
      cascade.computesInF64(*eq) != cascade.computesInF64(cascade.equations[group.reduces[0]]))
    return false;
  // A map of row results at plain places, over rows and the variables of those results.
  VariableClasses saved = group.classes;
  std::set<VarId> covered;
  bool any = false, ok = true;
  for (const ExprRef &e : {eq->rhs, eq->where})
    walk(e, [&](const Expr &x) {
      if (x.op == ExprOp::Reduce)
        ok = false;
      if (x.op != ExprOp::Read || !ok)
        return;
      if (!group.rows.count(x.id) && (!facts.isMap(x.id) || !isFinishable(x.id))) {
        // What the map reads besides must not wait for the group itself.
        ok &= storedAfter(x.id) == 0;
        return;
      }
      const Equation &own = *cascade.equationOf(x.id);
      for (size_t i = 0; i < x.args.size(); ++i) {
        const ExprRef &l = own.lhs[i], &s = x.args[i];
        if (l->op == ExprOp::Coord && s->op == ExprOp::Coord) {
          group.classes.unite(l->id, s->id);
          covered.insert(s->id);
        } else if (l->op == ExprOp::Tuple && s->op == ExprOp::Tuple && l->id == s->id) {
          for (size_t k = 0; k < l->args.size(); ++k) {
            if (s->args[k]->op != ExprOp::Coord) {
              ok = false;
              return;
            }
            group.classes.unite(l->args[k]->id, s->args[k]->id);
            covered.insert(s->args[k]->id);
          }
        } else {
          ok = false;
        }
      }
      any = true;
    });
  std::set<VarId> distinct, rows;
  for (VarId v : eq->vars) {
    ok &= covered.count(v) > 0;
    ok &= distinct.insert(group.canonical(v)).second;
    if (group.isRow(group.canonical(v)))
      rows.insert(group.canonical(v));
  }
  ok &= rows.size() == group.outer.size() + group.lanes.size();
  if (!ok || !any) {
    group.classes = saved;
    return false;
  }
  group.rows.insert(t);
  return true;
}

/// The value of a row tensor over the reductions of `pass` (maps expanded) and
/// stored results of earlier passes.
ExprRef StreamBuilder::rowValue(TensorId t, int pass) const {
  if (accumulations.count(t) || passOf(t) < pass)
    return readAtCanonical(t);
  const Equation &eq = *cascade.equationOf(t);
  ExprRef value = group.canonical(eq.rhs);
  if (eq.where) // an anchor that is not finite stays where it was
    value = select(group.canonical(eq.where), value, number(std::numeric_limits<double>::infinity()));
  return rewrite(value, [&](const ExprRef &x) -> ExprRef {
    if (isRowRead(*x) && !accumulations.count(x->id) && passOf(x->id) == pass)
      return rowValue(x->id, pass);
    return x;
  });
}

} // namespace einfall::transforms
