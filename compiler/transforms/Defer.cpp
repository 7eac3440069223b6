#include "compiler/transforms/Defer.h"
#include "compiler/transforms/Dependence.h"
#include "compiler/transforms/Normalize.h"
#include "compiler/transforms/Presence.h"
#include "compiler/transforms/Symbolic.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::transforms {
using namespace ein;
using algebra::Form;
using algebra::Sym;

namespace {

/// One summand of f: `outside` is free of the reduced variables.
struct Term {
  Sym outside, inside;
};

class Deferral {
public:
  Deferral(const Cascade &cascade, std::vector<analysis::Rewrite> &rewrites)
      : out(cascade), facts(cascade), symbolic(out), rewrites(rewrites) {}

  Cascade run() {
    const Cascade source = out;
    bool changed = false;
    for (int i : facts.order()) {
      Equation &eq = out.equations[i];
      if (facts.acyclic(eq.tensor) && !eq.init && eq.rhs->op == ExprOp::Reduce &&
          eq.rhs->reduce == ReduceOp::Sum && eq.rhs->kind == Kind::Float)
        changed |= rewriteSum(eq);
      learnSign(eq);
    }
    if (!changed)
      return source;
    inferExistence(out);
    reschedule(out);
    return normalize(out);
  }

private:
  Cascade out;
  Dependence facts;
  Symbolic symbolic;
  std::vector<analysis::Rewrite> &rewrites;

  /// A sum of positive values over a row with points is positive, so is a map of positives.
  void learnSign(const Equation &eq) {
    if (eq.init || !facts.acyclic(eq.tensor) || out.tensors[eq.tensor].role == Role::Input)
      return;
    ExprRef body = eq.rhs;
    if (body->op == ExprOp::Reduce) {
      if (body->reduce != ReduceOp::Sum && body->reduce != ReduceOp::Max && body->reduce != ReduceOp::Min)
        return;
      body = body->args[0];
    }
    if (body->kind == Kind::Float && symbolic.toSym(body).isPositive())
      symbolic.positive.insert(eq.tensor);
  }

  bool isAnchor(const Sym &atom, const std::vector<VarId> &vars, RankId rootRank) {
    const ExprRef &e = symbolic.exprOf(atom);
    return e->op == ExprOp::Read && !mentions(e, vars) && facts.onReductionOver(e->id, rootRank);
  }

  /// Marks atoms that occur other than as a factor, a power's base or a logarithm's argument.
  static void additive(const Sym &s, bool factor, std::vector<Sym> &found) {
    switch (s.form()) {
    case Form::Atom:
      if (!factor && std::find(found.begin(), found.end(), s) == found.end())
        found.push_back(s);
      return;
    case Form::Mul:
      for (const Sym &a : s.args())
        additive(a, factor, found);
      return;
    case Form::Pow:
      return additive(s.args()[0], factor, found);
    case Form::Log:
      return additive(s.args()[0], true, found);
    case Form::Add: // x - mu: a plain atom in a summand is additive, 1/d is not
      for (const Sym &a : s.args())
        for (const Sym &x : a.is(Form::Mul) ? a.args() : std::vector<Sym>{a})
          additive(x, x.is(Form::Log) || x.is(Form::Pow) ? factor : false, found);
      return;
    default:
      for (const Sym &a : s.args())
        additive(a, false, found);
    }
  }

  /// Splits `s` into terms; sums are distributed only where a summand mentions a scale.
  void split(const Sym &s, const std::function<bool(const Sym &)> &isStream,
             const std::function<bool(const Sym &)> &isScale, std::vector<Term> &terms, int depth = 0) {
    std::vector<Sym> factors = s.is(Form::Mul) ? s.args() : std::vector<Sym>{s};
    Sym constant = s.is(Form::Mul) ? Sym(s.number()) : Sym(1);
    for (size_t i = 0; i < factors.size() && depth < 6; ++i) {
      const Sym f = factors[i];
      if (!f.is(Form::Add) || !algebra::mentions(f, isScale) || !algebra::mentions(f, isStream))
        continue;
      Sym rest = constant;
      for (size_t k = 0; k < factors.size(); ++k)
        if (k != i)
          rest = rest * factors[k];
      Sym plain = Sym(f.number());
      for (const Sym &t : f.args()) {
        if (algebra::mentions(t, isScale))
          split(rest * t, isStream, isScale, terms, depth + 1);
        else
          plain = plain + t;
      }
      if (!plain.isNumber(0))
        split(rest * plain, isStream, isScale, terms, depth + 1);
      return;
    }
    Term term{constant, Sym(1)};
    for (const Sym &f : factors) {
      if (algebra::mentions(f, isStream))
        term.inside = term.inside * f;
      else
        term.outside = term.outside * f;
    }
    for (Term &t : terms)
      if (t.inside == term.inside) {
        t.outside = t.outside + term.outside;
        return;
      }
    terms.push_back(term);
  }

  bool rewriteSum(Equation &eq) {
    const ExprRef sum = eq.rhs;
    const std::vector<VarId> &vars = sum->vars;
    RankId rootRank = facts.root(out.rankOf(vars[0]));
    // Look through maps over the reduced variables that use a result over the same rank.
    std::vector<std::pair<Sym, ExprRef>> seen;
    symbolic.lookThrough = [&](const Expr &r) {
      bool over = false;
      for (const ExprRef &s : r.args)
        over |= mentions(s, vars);
      const Tensor &t = out.tensors[r.id];
      return over && facts.isMap(r.id) && t.role != Role::Input && !(t.annotated && t.type != Type::F64) &&
             facts.onReductionOver(r.id, rootRank);
    };
    Sym f = symbolic.toSym(sum->args[0]);
    walkReads(sum->args[0], seen);
    symbolic.lookThrough = [](const Expr &) { return false; };

    auto isStream = [&](const Sym &a) { return mentions(symbolic.exprOf(a), vars); };
    std::vector<Sym> shifts;
    additive(f, true, shifts);
    std::string removed;
    auto isScale = [&](const Sym &a) {
      return isAnchor(a, vars, rootRank) && std::find(shifts.begin(), shifts.end(), a) == shifts.end();
    };
    // A factor that is the same for the whole row moves out, whatever its form: 1/(d + eps).
    bool any = algebra::mentions(f, isScale);
    for (const Sym &x : f.is(Form::Mul) ? f.args() : std::vector<Sym>{f})
      any |= !algebra::mentions(x, isStream) &&
             algebra::mentions(x, [&](const Sym &a) { return isAnchor(a, vars, rootRank); });
    if (!any)
      return false;
    std::vector<Term> terms;
    split(f, isStream, isScale, terms);
    for (const Term &t : terms)
      if (algebra::mentions(t.inside, isScale) || algebra::hasInfinity(t.inside) ||
          algebra::hasInfinity(t.outside))
        return false;

    ExprRef where = presence(out, sum->args[0]);
    // All points or none (ein-r17): a matter of the row, which keeps its condition.
    ExprRef rowWhere;
    if (where && !sum->partial) {
      if (mentions(where, vars) || sum->filter)
        return false;
      rowWhere = where;
      where = nullptr;
    }
    ExprRef filter = conjunction(sum->filter, nullptr);
    auto known = [&](const Sym &s) -> ExprRef {
      for (auto &[symbol, read] : seen)
        if (symbol == s)
          return read;
      return nullptr;
    };
    ExprRef total;
    for (const Term &t : terms) {
      ExprRef inside = symbolic.toExpr(t.inside, known), outside = symbolic.toExpr(t.outside);
      if (!inside || !outside)
        return false;
      ExprRef own = presence(out, inside);
      ExprRef restricted = filter;
      if (where && !(own && equal(conjunction(nullptr, own), conjunction(nullptr, where))))
        restricted = conjunction(filter, where);
      ExprRef part = freshSum(sum, inside, restricted);
      if (!t.outside.isNumber(1))
        part = t.outside.isNumber(-1) ? unary(ExprOp::Neg, part) : binary(ExprOp::Mul, outside, part);
      // outside = 1/d prints as a division
      if (outside->op == ExprOp::Div && outside->args[0]->op == ExprOp::Number &&
          outside->args[0]->number == 1)
        part = binary(ExprOp::Div, part->args[1], outside->args[1]);
      total = total ? binary(ExprOp::Add, total, part) : part;
    }
    std::string names;
    algebra::walk(f, [&](const Sym &s) {
      if (s.is(Form::Atom) && isScale(s)) {
        std::string n = s.name();
        if (names.find(n) == std::string::npos)
          names += (names.empty() ? "" : ", ") + n;
      }
    });
    ExprRef witness = where ? witnessOf(sum->args[0], where, vars, rootRank) : nullptr;
    ExprRef points = witness && !filter ? unary(ExprOp::Exists, witness) : conjunction(filter, where);
    eq.rhs = select(somePoint(sum, points), total, number(0));
    if (rowWhere) // over an empty range the identity exists all the same
      eq.where =
          conjunction(eq.where, binary(ExprOp::Or, unary(ExprOp::Not, somePoint(sum, nullptr)), rowWhere));
    rewrites.push_back(
        {"defer", out.ranks[rootRank].name, out.tensors[eq.tensor].name,
         names + " -> " + out.tensors[eq.tensor].name, place(eq.range),
         fmt::format(
             "the sum over {} does not need {}: it is taken out of the sum and applied once at the end",
             out.variables[vars[0]].name, names)});
    return true;
  }

  /// A tensor read below `e` that exists exactly where `where` holds, and that
  /// waits for no reduction over the rank: whether a row has a point is then
  /// found along with its other results.
  ExprRef witnessOf(const ExprRef &e, const ExprRef &where, const std::vector<VarId> &vars, RankId rootRank) {
    ExprRef found, deepest;
    std::function<void(const ExprRef &)> look = [&](const ExprRef &x) {
      walk(x, [&](const Expr &r) {
        if (found || r.op != ExprOp::Read || !out.equationOf(r.id) || !facts.acyclic(r.id))
          return;
        ExprRef self = withArgs(r, r.args);
        if (!mentions(self, vars))
          return;
        ExprRef own = presence(out, self);
        if (own && equal(own, where)) {
          (facts.onReductionOver(r.id, rootRank) ? deepest : found) = self;
          if (found)
            return;
        }
        if (facts.isMap(r.id))
          if (ExprRef inside = expandRead(out, r, out.equationOf(r.id)->rhs))
            look(simplify(out, inside));
      });
    };
    look(e);
    return found ? found : deepest;
  }

  /// Reads that `toSym` looked through, with their symbol, outermost first.
  void walkReads(const ExprRef &e, std::vector<std::pair<Sym, ExprRef>> &seen) {
    walk(e, [&](const Expr &x) {
      if (x.op != ExprOp::Read || !symbolic.lookThrough(x))
        return;
      ExprRef self = withArgs(x, x.args);
      seen.push_back({symbolic.toSym(self), self});
      if (const Equation *eq = out.equationOf(x.id))
        if (ExprRef inside = expandRead(out, x, eq->rhs))
          walkReads(simplify(out, inside), seen);
    });
  }

  ExprRef freshSum(const ExprRef &sum, const ExprRef &body, const ExprRef &filter) {
    std::vector<VarId> fresh;
    for (VarId v : sum->vars) {
      const Variable copy = out.variables[v];
      fresh.push_back(out.addVariable(copy.name, copy.rank));
    }
    auto with = [&](VarId v) -> ExprRef {
      auto it = std::find(sum->vars.begin(), sum->vars.end(), v);
      return it == sum->vars.end() ? nullptr : coord(fresh[it - sum->vars.begin()]);
    };
    return reduce(ReduceOp::Sum, fresh, substitute(body, with), filter ? substitute(filter, with) : nullptr);
  }

  /// Bool: the row has a point.
  ExprRef somePoint(const ExprRef &sum, const ExprRef &condition) {
    if (condition) {
      ExprRef any = freshSum(sum, condition, nullptr);
      auto copy = std::make_shared<Expr>(*any);
      copy->reduce = ReduceOp::Any;
      copy->kind = Kind::Bool;
      return copy;
    }
    ExprRef all;
    for (VarId v : sum->vars) {
      ExprRef nonEmpty = binary(ExprOp::Gt, extent(out.rankOf(v)), integer(0));
      all = all ? binary(ExprOp::And, all, nonEmpty) : nonEmpty;
    }
    return all;
  }
};

} // namespace

Cascade defer(const Cascade &cascade, std::vector<analysis::Rewrite> &rewrites) {
  return Deferral(cascade, rewrites).run();
}

} // namespace einfall::transforms
