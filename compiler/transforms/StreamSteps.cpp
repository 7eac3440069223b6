//===- StreamSteps.cpp - the steps of one kernel ------------------------------------===//
#include "compiler/transforms/Presence.h"
#include "compiler/transforms/StreamBuild.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::transforms {
using namespace ein;
using algebra::Sym;

namespace {
bool mentionsAny(const ExprRef &e, const std::vector<VarId> &vars) { return e && mentions(e, vars); }

ExprRef product(const std::vector<ExprRef> &list) {
  ExprRef p;
  for (const ExprRef &f : list)
    p = !p ? f : binary(ExprOp::Mul, p, f);
  return p ? p : number(1);
}
} // namespace

/// A kernel being written.
struct StreamBuilder::Steps {
  StreamBuilder &b;
  int pass;
  StreamKernel &kernel;
  std::set<TensorId> live;                                ///< reductions of this pass to compute
  std::map<TensorId, TensorId> anchorOf;                  ///< row tensor -> its anchor
  std::map<TensorId, std::vector<TensorId>> basisOf;      ///< reduction -> accumulators, own first
  std::vector<std::pair<ExprRef, TensorId>> tilesByValue; ///< maps made for operands
  std::string reason;

  Cascade &cascade() { return b.cascade; }
  const StreamGroup &group() { return b.group; }

  /// Row tensors of this pass that `e` uses at row level, through streamed tensors too.
  void anchorsIn(const ExprRef &e, std::set<TensorId> &found) {
    walk(e, [&](const Expr &x) {
      if (b.isRowRead(x)) {
        if (b.passOf(x.id) == pass)
          found.insert(x.id);
      } else if (x.op == ExprOp::Read && group().isVirtual(x.id)) {
        anchorsIn(cascade().equationOf(x.id)->rhs, found);
        anchorsIn(cascade().equationOf(x.id)->where, found);
      }
    });
  }

  /// Everything that `t` (a reduction or a row map of this pass) needs in this pass.
  void require(TensorId t) {
    if (b.passOf(t) != pass)
      return;
    if (auto it = b.accumulations.find(t); it != b.accumulations.end()) {
      if (!live.insert(t).second)
        return;
      std::set<TensorId> anchors;
      const Equation &eq = cascade().equations[it->second.equation];
      anchorsIn(eq.rhs->args[0], anchors);
      anchorsIn(eq.rhs->filter, anchors);
      for (TensorId a : anchors)
        require(a);
      return;
    }
    const Equation &eq = *cascade().equationOf(t);
    for (const ExprRef &e : {eq.rhs, eq.where, presence(cascade(), eq.rhs)})
      walk(e, [&](const Expr &x) {
        if (b.isRowRead(x) && x.id != t)
          require(x.id);
      });
  }

  /// Adds a tensor that holds a copy or a further accumulator, with a true equation.
  TensorId addTensor(const std::string &base, const std::string &suffix, TensorId like, ExprRef rhs,
                     const std::vector<ExprRef> &lhs) {
    Tensor t = cascade().tensors[like];
    t.role = Role::Intermediate;
    t.annotated = false;
    t.defaultValue = t.empty = nullptr;
    t.name = base + suffix;
    for (int n = 2; cascade().tensorNamed(t.name) >= 0; ++n)
      t.name = base + suffix + std::to_string(n);
    t.ranks.clear();
    for (const ExprRef &l : lhs)
      t.ranks.push_back(l->op == ExprOp::Tuple ? cascade().splits[l->id].whole : cascade().rankOf(l->id));
    t.plus.assign(t.ranks.size(), 0);
    t.depends.assign(t.ranks.size(), false);
    t.everywhere = true;
    TensorId id = cascade().addTensor(t);
    // The equation has variables of its own, as every equation.
    Equation eq;
    eq.tensor = id;
    std::map<VarId, VarId> fresh;
    auto own = [&](VarId v) {
      auto [it, isNew] = fresh.insert({v, -1});
      if (isNew) {
        const Variable info = cascade().variables[v];
        it->second = cascade().addVariable(info.name, info.rank);
      }
      return it->second;
    };
    for (const ExprRef &l : lhs)
      for (VarId v : freeVariables(l))
        eq.vars.push_back(own(v));
    if (rhs->op == ExprOp::Reduce) {
      auto copy = std::make_shared<Expr>(*rhs);
      for (VarId &v : copy->vars)
        v = own(v);
      rhs = copy;
    }
    auto rename = [&](VarId v) -> ExprRef {
      auto it = fresh.find(v);
      return it == fresh.end() ? nullptr : coord(it->second);
    };
    for (const ExprRef &l : lhs)
      eq.lhs.push_back(substitute(l, rename));
    eq.rhs = substitute(rhs, rename);
    eq.range = cascade().equationOf(like) ? cascade().equationOf(like)->range : SourceRange{};
    cascade().equations.push_back(eq);
    return id;
  }

  std::vector<ExprRef> canonicalLhs(TensorId t) {
    std::vector<ExprRef> lhs;
    for (const ExprRef &l : cascade().equationOf(t)->lhs)
      lhs.push_back(group().canonical(l));
    return lhs;
  }

  TensorId anchorTensor(TensorId row) {
    auto it = anchorOf.find(row);
    if (it != anchorOf.end())
      return it->second;
    ExprRef self = b.readAtCanonical(row);
    TensorId t = addTensor(cascade().tensors[row].name, "_anchor", row, self, canonicalLhs(row));
    kernel.state.push_back(t);
    return anchorOf[row] = t;
  }

  /// Row results of this pass become their anchors.
  ExprRef anchored(const ExprRef &e) {
    if (!e)
      return e;
    return rewrite(e, [&](const ExprRef &x) -> ExprRef {
      if (b.isRowRead(*x) && b.passOf(x->id) == pass) {
        auto copy = std::make_shared<Expr>(*x);
        copy->id = anchorTensor(x->id);
        return copy;
      }
      return x;
    });
  }

  /// Streamed maps that are not held are written out where they are read.
  ExprRef inlined(const ExprRef &e) {
    ExprRef out = rewrite(e, [&](const ExprRef &x) -> ExprRef {
      if (x->op == ExprOp::Read && group().inlined.count(x->id))
        if (ExprRef inside = expandRead(cascade(), *x, rightSide(*cascade().equationOf(x->id))))
          return inlined(explicitly(group().canonical(inside), nullptr));
      return x;
    });
    return simplify(cascade(), out);
  }

  /// Tiles and what is written out have a value everywhere: who asks for existence
  /// gets the condition. `known` holds wherever `e` matters.
  ExprRef explicitly(const ExprRef &e, const ExprRef &known) {
    return withPresence(cascade(), e, known, [&](TensorId t) { return group().isVirtual(t); });
  }

  /// A condition as the kernel evaluates it.
  ExprRef condition(const ExprRef &mask) { return mask ? anchored(inlined(explicitly(mask, mask))) : mask; }

  /// Of a bool, which is false where its `where` does not hold.
  static ExprRef rightSide(const Equation &eq) {
    return eq.where && eq.rhs->kind == Kind::Bool ? binary(ExprOp::And, eq.where, eq.rhs) : eq.rhs;
  }

  /// A tile that holds `value`[m, lanes].
  ExprRef tileOf(Segment &segment, const ExprRef &value, const ExprRef &mask, const std::string &base,
                 TensorId like) {
    if (value->op == ExprOp::Read &&
        std::find(kernel.tiles.begin(), kernel.tiles.end(), value->id) != kernel.tiles.end())
      return value;
    for (auto &[known, tile] : tilesByValue)
      if (equal(known, value))
        return read(tile, Kind::Float, tileSubscripts(segment));
    std::vector<ExprRef> lhs = tileSubscripts(segment);
    TensorId t = addTensor(base, "_tile", like, value, lhs);
    kernel.tiles.push_back(t);
    TileStep step{TileStep::Kind::Map, t, {}, ReduceOp::Sum, value, nullptr, mask, false, -1, {}};
    segment.steps.push_back(step);
    tilesByValue.push_back({value, t});
    return read(t, Kind::Float, lhs);
  }

  std::vector<ExprRef> tileSubscripts(const Segment &segment) {
    std::vector<ExprRef> s;
    for (VarId v : group().outer)
      s.push_back(coord(v));
    for (VarId v : group().lanes)
      s.push_back(coord(v));
    s.push_back(coord(segment.var));
    return s;
  }

  /// Emits Anchor steps for what `e` reads, once a segment.
  void moveAnchors(Segment &segment, const ExprRef &e, std::set<TensorId> &moved) {
    std::set<TensorId> found;
    walk(e, [&](const Expr &x) {
      if (b.isRowRead(x) && b.passOf(x.id) == pass)
        found.insert(x.id);
    });
    for (TensorId row : found) {
      if (!moved.insert(row).second)
        continue;
      TileStep step{TileStep::Kind::Anchor,
                    anchorTensor(row),
                    b.extraOf(row),
                    ReduceOp::Sum,
                    b.rowValue(row, pass),
                    nullptr,
                    nullptr,
                    false,
                    b.delta,
                    {}};
      segment.steps.push_back(step);
    }
  }

  void emitStreamed(Segment &segment, TensorId t, std::set<TensorId> &moved) {
    const Equation eq = *cascade().equationOf(t); // a copy: anchors add equations
    ExprRef self = b.readAtCanonical(t);
    ExprRef where = presence(cascade(), self), mask = condition(where);
    moveAnchors(segment, inlined(group().canonical(eq.rhs)), moved);
    kernel.tiles.push_back(t);
    TileStep step{TileStep::Kind::Map, t, {}, ReduceOp::Sum, nullptr, nullptr, mask, false, -1, {}};
    ExprRef value = anchored(inlined(explicitly(group().canonical(rightSide(eq)), where)));
    if (value->op == ExprOp::Reduce) {
      std::vector<ExprRef> list, a, bb;
      factors(value->args[0], list);
      bool contraction = true;
      for (const ExprRef &f : list) {
        bool lane = mentionsAny(f, group().lanes), stream = mentionsAny(f, {segment.var});
        contraction &= !(lane && stream) && !readsTile(f);
        (stream ? bb : a).push_back(f);
      }
      if (contraction && !bb.empty()) {
        step.kind = TileStep::Kind::Contract;
        step.over = value->vars;
        step.a = product(a);
        step.b = product(bb);
      } else {
        step.a = value;
      }
    } else {
      step.a = value;
    }
    segment.steps.push_back(step);
  }

  bool readsTile(const ExprRef &e) {
    bool reads = false;
    walk(e, [&](const Expr &x) {
      reads |= x.op == ExprOp::Read &&
               std::find(kernel.tiles.begin(), kernel.tiles.end(), x.id) != kernel.tiles.end();
    });
    return reads;
  }

  void emitReduce(Segment &segment, TensorId t, std::set<TensorId> &moved) {
    Accumulation &acc = b.accumulations[t];
    const Equation eq = cascade().equations[acc.equation];
    const ExprRef r = eq.rhs;
    ExprRef body = group().canonical(r->args[0]);
    ExprRef mask = presence(cascade(), group().canonical(r->args[0]));
    if (mask && !r->partial && r->reduce != ReduceOp::Count && r->kind != Kind::Bool) {
      // All points or none (ein-r17): a matter of the row.
      if (mentionsAny(mask, {segment.var}) || mentionsAny(mask, b.extraOf(t)) || r->filter)
        reason = fmt::format("'{}' has a value only where all its points have", cascade().tensors[t].name);
      ExprRef none = binary(ExprOp::Eq, segment.extent, integer(0)); // the identity exists
      kernel.rowPresence.push_back({t, binary(ExprOp::Or, none, mask)});
      mask = nullptr;
    }
    // Whether a point exists is a mask, not a value to compute.
    if (r->reduce == ReduceOp::Any && body->op == ExprOp::Exists) {
      mask = presence(cascade(), body->args[0]);
      body = boolean(true);
    }
    const ExprRef points = conjunction(group().canonical(r->filter), mask);
    body = inlined(explicitly(body, points));
    mask = condition(points);
    ExprRef wide; // conditions on the further variables of this reduction
    if (mentionsAny(mask, b.extraOf(t))) {
      std::vector<ExprRef> parts;
      splitAnd(mask, parts);
      mask = nullptr;
      for (const ExprRef &c : parts)
        (mentionsAny(c, b.extraOf(t)) ? wide : mask) =
            conjunction(mentionsAny(c, b.extraOf(t)) ? wide : mask, c);
      if (r->reduce != ReduceOp::Sum || r->kind != Kind::Float || mentionsAny(wide, group().lanes) ||
          acc.basis.size() != 1)
        reason = fmt::format("the points of '{}' depend on more than its row", cascade().tensors[t].name);
      // A sum takes 0 from a point that does not exist.
      body = binary(ExprOp::Mul, body, select(wide, number(1), number(0)));
    }
    moveAnchors(segment, body, moved);
    std::vector<TensorId> &basis = basisOf[t];
    if (basis.empty()) {
      basis.push_back(t);
      kernel.state.push_back(t);
      for (size_t k = 1; k < acc.basis.size(); ++k)
        basis.push_back(furtherAccumulator(acc, k, t));
    }
    emitFold(segment, t, t, body, mask, r->reduce);
    for (size_t k = 1; k < acc.basis.size(); ++k)
      if (ownBasis.count(basis[k]) && ownBasis[basis[k]] == t) {
        // Variables may have become one since the basis was found.
        ExprRef element =
            group().canonical(b.symbolic.toExpr(acc.basis[k], [&](const Sym &s) { return heldValue(s); }));
        emitFold(segment, basis[k], t, element, mask, ReduceOp::Sum);
      }
  }

  static void splitAnd(const ExprRef &e, std::vector<ExprRef> &parts) {
    if (e->op == ExprOp::And)
      for (const ExprRef &a : e->args)
        splitAnd(a, parts);
    else
      parts.push_back(e);
  }

  std::map<TensorId, TensorId> ownBasis; ///< further accumulator -> reduction it was made for

  /// A reduction of the pass with the same summand, or a new one.
  TensorId furtherAccumulator(const Accumulation &acc, size_t k, TensorId t) {
    // Shared only if it waits for the same anchors: else it has this block's
    // summands already when the anchor moves.
    auto inStep = [&](const Accumulation &o) {
      return std::all_of(acc.anchors.begin(), acc.anchors.end(), [&](TensorId a) {
        return std::find(o.anchors.begin(), o.anchors.end(), a) != o.anchors.end();
      });
    };
    for (auto &[other, o] : b.accumulations)
      if (live.count(other) && other != t && !o.basis.empty() && !o.shift && inStep(o) &&
          o.basis[0] == acc.basis[k] && sameDomain(o, acc))
        return other;
    const Equation eq = cascade().equations[acc.equation];
    ExprRef element = group().canonical(b.symbolic.toExpr(acc.basis[k]));
    auto sum = std::make_shared<Expr>(*eq.rhs);
    sum->vars = {group().canonical(eq.rhs->vars[0])};
    sum->args = {element};
    sum->filter = group().canonical(eq.rhs->filter);
    TensorId made =
        addTensor(cascade().tensors[t].name, "_moment" + std::to_string(k), t, sum, canonicalLhs(t));
    kernel.state.push_back(made);
    ownBasis[made] = t;
    return made;
  }

  /// The two sums run over the same points.
  bool sameDomain(const Accumulation &x, const Accumulation &y) {
    const Equation &p = cascade().equations[x.equation], &q = cascade().equations[y.equation];
    auto points = [&](const Equation &e) {
      return conjunction(group().canonical(e.rhs->filter),
                         presence(cascade(), group().canonical(e.rhs->args[0])));
    };
    ExprRef a = points(p), c = points(q);
    return group().canonical(p.rhs->vars[0]) == group().canonical(q.rhs->vars[0]) &&
           (a && c ? equal(a, c) : !a && !c);
  }

  /// A tile or state that holds the value of a symbol.
  ExprRef heldValue(const Sym &s) {
    for (TensorId t : kernel.tiles)
      if (group().streamed.count(t) && b.dependsOnPass(t, pass)) {
        ExprRef self = b.readAtCanonical(t);
        b.symbolic.lookThrough = [this](const Expr &x) {
          return group().isVirtual(x.id) && b.facts.isMap(x.id) && b.dependsOnPass(x.id, pass);
        };
        if (b.symbolic.toSym(self) == s)
          return self;
      }
    return nullptr;
  }

  /// `of` is the reduction that `target` belongs to: they have the same variables.
  void emitFold(Segment &segment, TensorId target, TensorId of, const ExprRef &body, const ExprRef &mask,
                ReduceOp op) {
    std::vector<VarId> extra = b.extraOf(of);
    ExprRef value = anchored(inlined(body));
    TileStep step{TileStep::Kind::Fold, target, extra, op, value, nullptr, mask, false, -1, {}};
    if (op == ReduceOp::Sum && value->kind == Kind::Float && !extra.empty()) {
      std::vector<ExprRef> list, a, bb;
      factors(value, list);
      bool contraction = true;
      for (const ExprRef &f : list) {
        bool lane = mentionsAny(f, group().lanes) || readsTile(f), wide = mentionsAny(f, extra);
        contraction &= !(lane && wide);
        (wide ? bb : a).push_back(f);
      }
      if (contraction && !bb.empty()) {
        step.kind = TileStep::Kind::FoldContract;
        step.a = tileOf(segment, product(a), mask, cascade().tensors[target].name, target);
        step.b = product(bb);
      }
    }
    segment.steps.push_back(step);
  }

  /// Fills the transports of every Anchor step, once all state is known. A state
  /// that another one's transport reads is moved after it.
  void fillTransports(Segment &segment) {
    for (TileStep &step : segment.steps) {
      if (step.kind != TileStep::Kind::Anchor)
        continue;
      TensorId row = -1;
      for (auto &[r, a] : anchorOf)
        if (a == step.tensor)
          row = r;
      for (size_t i = b.group.reduces.size(); i-- > 0;) {
        TensorId t = cascade().equations[b.group.reduces[i]].tensor;
        auto it = b.accumulations.find(t);
        if (!live.count(t) || it == b.accumulations.end() || !basisOf.count(t))
          continue;
        const Accumulation &acc = it->second;
        for (size_t k = 0; k < acc.anchors.size(); ++k) {
          if (acc.anchors[k] != row)
            continue;
          Transport move;
          move.state = basisOf[t];
          move.shift = acc.shift;
          size_t rows = 1;
          while (rows < move.state.size() && ownBasis.count(move.state[rows]) &&
                 ownBasis[move.state[rows]] == t)
            ++rows;
          for (size_t r = 0; r < move.state.size(); ++r) {
            // Own rows only; others are moved by their own transport.
            bool own = r == 0 || (ownBasis.count(move.state[r]) && ownBasis[move.state[r]] == t);
            std::vector<ExprRef> line;
            for (size_t c = 0; c < move.state.size(); ++c) {
              const Sym entry = acc.transports[k][acc.shift ? 0 : r][acc.shift ? 0 : c];
              bool identity = !own;
              line.push_back(identity            ? nullptr
                             : entry.isNumber(0) ? nullptr
                                                 : anchored(group().canonical(b.symbolic.toExpr(entry))));
            }
            move.matrix.push_back(own ? line : std::vector<ExprRef>{});
          }
          step.transports.push_back(move);
        }
      }
    }
  }
};

std::optional<StreamKernel> StreamBuilder::build(int pass, const std::vector<TensorId> &wanted,
                                                 std::string &reason) {
  StreamKernel kernel;
  kernel.rank = cascade.rankOf(group.segments[0]);
  kernel.outer = group.outer;
  kernel.lanes = group.lanes;
  Steps steps{*this, pass, kernel, {}, {}, {}, {}, {}, {}};
  for (TensorId t : wanted)
    steps.require(t);

  for (VarId s : group.segments) {
    Segment segment{s, extent(cascade.rankOf(s)), {}};
    std::set<TensorId> moved;
    std::set<TensorId> emitted;
    steps.tilesByValue.clear();
    // Streamed tensors first needed by a reduction of this segment, then the reduction.
    std::function<void(const ExprRef &)> streamedIn = [&](const ExprRef &e) {
      walk(e, [&](const Expr &x) {
        if (x.op != ExprOp::Read || !group.isVirtual(x.id) || emitted.count(x.id))
          return;
        bool held = group.streamed.count(x.id);
        if (held && group.canonical(group.streamed.at(x.id)) != s)
          return;
        emitted.insert(x.id);
        const Equation eq = *cascade.equationOf(x.id); // a copy: steps add equations
        streamedIn(eq.rhs);
        streamedIn(eq.where);
        if (held)
          steps.emitStreamed(segment, x.id, moved);
      });
    };
    for (size_t i = 0; i < group.reduces.size(); ++i) {
      const Equation eq = cascade.equations[group.reduces[i]];
      if (!steps.live.count(eq.tensor) || group.canonical(eq.rhs->vars[0]) != s)
        continue;
      streamedIn(eq.rhs->args[0]);
      streamedIn(eq.rhs->filter);
      steps.emitReduce(segment, eq.tensor, moved);
    }
    if (!segment.steps.empty())
      kernel.segments.push_back(std::move(segment));
  }
  for (Segment &s : kernel.segments)
    steps.fillTransports(s);
  // A maximum may be followed with a lag where nothing else is computed from
  // state that hangs on it before the end.
  std::set<TensorId> lagging;
  for (Segment &s : kernel.segments) {
    size_t anchors = std::count_if(s.steps.begin(), s.steps.end(),
                                   [](const TileStep &t) { return t.kind == TileStep::Kind::Anchor; });
    for (TileStep &t : s.steps)
      if (t.kind == TileStep::Kind::Anchor && anchors == 1 && kernel.segments.size() == 1)
        t.lag = true;
  }
  for (TensorId t : wanted) {
    const Equation &eq = *cascade.equationOf(t);
    Finish f{t, {}, extraOf(t), nullptr};
    for (const ExprRef &l : eq.lhs)
      f.subscripts.push_back(group.canonical(l));
    if (accumulations.count(t)) {
      f.value = readAtCanonical(t);
    } else {
      // Maps of this pass are written out, with what their existence asks for;
      // results of earlier passes are stored.
      auto isHere = [&](TensorId x) { return group.rows.count(x) && passOf(x) == pass; };
      std::function<ExprRef(const ExprRef &)> writeOut = [&](const ExprRef &e) {
        return !e ? e : rewrite(e, [&](const ExprRef &x) -> ExprRef {
          if (!isRowRead(*x) || x->id == t || accumulations.count(x->id) || !isHere(x->id))
            return x;
          const ExprRef inner = group.canonical(cascade.equationOf(x->id)->rhs);
          return writeOut(withPresence(cascade, inner, nullptr, isHere));
        });
      };
      const ExprRef value = group.canonical(eq.rhs);
      const ExprRef where = conjunction(group.canonical(eq.where), presence(cascade, value));
      f.value = writeOut(withPresence(cascade, value, where, isHere));
      f.mask = writeOut(withPresence(cascade, where, where, isHere));
      walk(f.mask, [&](const Expr &x) {
        if (x.op == ExprOp::Exists)
          walk(x.args[0], [&](const Expr &y) {
            if (y.op == ExprOp::Read && isHere(y.id) && !accumulations.count(y.id))
              steps.reason = fmt::format("'{}' is used by '{}' at the end of the same pass",
                                         cascade.tensors[y.id].name, cascade.tensors[t].name);
          });
      });
    }
    // Results of rows that have none are missing.
    for (auto &[row, where] : kernel.rowPresence) {
      bool reads = false;
      for (const ExprRef &e : {f.value, f.mask})
        walk(e, [&](const Expr &x) { reads |= x.op == ExprOp::Read && x.id == row; });
      if (reads)
        f.mask = conjunction(f.mask, where);
    }
    kernel.finish.push_back(f);
  }
  reason = steps.reason;
  if (!reason.empty())
    return std::nullopt;
  return kernel;
}

} // namespace einfall::transforms
