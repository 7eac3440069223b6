//===- SemaReductions.cpp - reductions and implied sums (r10, r12, r13, r18) ---===//
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

using ast::ExprForm;
using ein::ReduceOp;

namespace {
const ast::Expr &withoutParens(const ast::Expr &e) {
  const ast::Expr *x = &e;
  while (x->form == ExprForm::Paren && x->args[0])
    x = x->args[0].get();
  return *x;
}

/// The factors of a product: `*`, `/`, sign and parentheses around those.
void collectFactors(const ast::Expr &e, std::vector<const ast::Expr *> &factors) {
  const ast::Expr &x = withoutParens(e);
  if (x.form == ExprForm::Binary && (x.op == "*" || x.op == "/")) {
    collectFactors(*x.args[0], factors);
    collectFactors(*x.args[1], factors);
  } else if (x.form == ExprForm::Unary && x.op == "-") {
    collectFactors(*x.args[0], factors);
  } else {
    factors.push_back(&x);
  }
}

bool isProductFactor(const ast::Expr &e) {
  switch (e.form) {
  case ExprForm::Binary:
    return e.op != "+" && e.op != "-" && e.op != "and" && e.op != "or";
  case ExprForm::Unary:
    return e.op == "-";
  case ExprForm::If:
  case ExprForm::Compare:
    return false;
  default:
    return true;
  }
}

/// `A[..]` or `cast<..>(A[..])`.
bool isPlainTensor(const ast::Expr &factor) {
  const ast::Expr &x = withoutParens(factor);
  return x.form == ExprForm::Cast ? isPlainTensor(*x.args[0]) : x.form == ExprForm::Name && x.bracketed;
}
} // namespace

std::optional<ReduceOp> findReduceOp(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ReduceOp::Coordinates); ++i)
    if (ein::name(static_cast<ReduceOp>(i)) == name)
      return static_cast<ReduceOp>(i);
  return std::nullopt;
}

VarId Checker::variableId(Variable &v) {
  if (v.id < 0 && !v.poisoned && v.rank >= 0)
    v.id = out.addVariable(v.name, v.rank);
  return v.id;
}

/// How many variables, and whether something follows `;`.
bool Checker::checkReduceShape(const ast::Expr &e, ReduceOp op) {
  std::string_view name = ein::name(op);
  bool needsAux = op == ReduceOp::Top || op == ReduceOp::TopMass || op == ReduceOp::ArgSort ||
                  op == ReduceOp::Coordinates;
  if (needsAux && !e.aux) {
    error("ein-r18", e.opRange,
          fmt::format("'{}' needs {} after ';': {}[{}; ..] ..", name,
                      op == ReduceOp::Top       ? "the number of points"
                      : op == ReduceOp::TopMass ? "the share of the total"
                                                : "the place",
                      name, e.binds[0].var.text));
    return false;
  }
  if (!needsAux && e.aux) {
    error("ein-r18", e.aux->range, fmt::format("'{}' takes nothing after ';'", name));
    return false;
  }
  bool single = ein::isScan(op) || op == ReduceOp::ArgMax || op == ReduceOp::ArgMin ||
                op == ReduceOp::ArgSort || op == ReduceOp::Coordinates;
  if (single && e.binds.size() > 1) {
    error("ein-r18", e.binds[1].range,
          fmt::format("'{}' takes one variable, {} given{}", name, e.binds.size(),
                      ein::isScan(op) ? "" : ": the coordinate of several is no single number"));
    return false;
  }
  return true;
}

ExprRef Checker::reduceExpr(const ast::Expr &e, const Env &env) {
  auto op = findReduceOp(e.name.text);
  if (!op || context != Context::Equation) {
    if (op)
      error("ein-r9", e.range, "a value known before data is read is needed; a reduction cannot stand here");
    failed = true;
    return nullptr;
  }
  bool keeps = ein::keepsVariables(*op);
  bool bad = !checkReduceShape(e, *op);
  ein::Expr x{ExprOp::Reduce};
  x.reduce = *op;
  Env inner;
  inner.parent = &env;
  inner.function = env.function;
  std::vector<VarId> outer;
  for (const ast::Bind &bind : e.binds) {
    RankId rank = -1;
    VarId at = -1;
    if (env.function) {
      // A function's variable is the caller's: bound anew, under the same name.
      bool found = false;
      Binding b = lookup(env, bind.var.text, found);
      if (found && (b.var < 0 || inner.names.count(bind.var.text))) {
        if (b.var < 0 && b.value)
          error("ein-r22", bind.var.range,
                fmt::format("'{}' is an expression of the function; a reduction needs a variable",
                            bind.var.text));
        else if (b.var >= 0)
          error("ein-r10", bind.var.range, fmt::format("'{}' stands twice in this bracket", bind.var.text));
        bad = true;
        continue;
      }
      if (found) {
        at = b.var;
        rank = out.variables[b.var].rank;
      } else if (keeps) {
        unknownName(bind.var, {});
        bad = true;
      } else if (!bind.in) {
        error("ein-r3", bind.var.range,
              fmt::format("'{}' has no rank here; write '{} in v', v a variable of the function",
                          bind.var.text, bind.var.text));
        bad = true;
      }
      if (bind.in) {
        bool known = false;
        Binding in = lookup(env, bind.in->text, known);
        if (!known || in.var < 0) {
          if (!known || in.value)
            error("ein-r22", bind.in->range,
                  fmt::format("'{}' is no variable of this function: a function knows no ranks",
                              bind.in->text));
          bad = true;
        } else if (rank < 0) {
          rank = out.variables[in.var].rank;
        } else if (rank != out.variables[in.var].rank) {
          error("ein-r6", bind.in->range,
                fmt::format("'{}' ranges over {}, and here over {}", bind.var.text, rankName(rank),
                            rankName(out.variables[in.var].rank)));
          bad = true;
        }
      }
      if (rank < 0) {
        inner.names[bind.var.text] = {};
        bad = true;
        continue;
      }
    } else {
      auto it = state ? state->binders.find(&bind) : decltype(state->binders.end()){};
      if (!state || it == state->binders.end() || it->second->poisoned || it->second->rank < 0) {
        inner.names[bind.var.text] = {};
        failed = true;
        bad = true;
        continue;
      }
      Variable &v = *it->second;
      rank = v.rank;
      if (keeps) {
        bool found = false;
        Binding b = lookup(env, v.name, found);
        at = found ? b.var : -1;
        if (at < 0) {
          failed = bad = true;
          continue;
        }
        if (bind.in && v.in != &*bind.in) {
          RankId said = -1;
          if (auto named = ranks.find(bind.in->text); named != ranks.end()) {
            said = named->second;
          } else {
            bool known = false;
            Binding in = lookup(env, bind.in->text, known);
            if (known && in.var >= 0)
              said = out.variables[in.var].rank;
            else
              findRank(*bind.in);
          }
          if (said >= 0 && said != rank)
            error(
                "ein-r6", bind.in->range,
                fmt::format("'{}' ranges over {}, and here over {}", v.name, rankName(rank), rankName(said)));
          bad |= said != rank;
        }
      }
    }
    VarId fresh = out.addVariable(bind.var.text, rank);
    inner.names[bind.var.text] = {fresh, nullptr};
    x.vars.push_back(fresh);
    if (at >= 0)
      inner.substitution.push_back({at, fresh});
    if (keeps) {
      outer.push_back(at);
      ein::Expr c{ExprOp::Coord, Kind::Int};
      c.id = at;
      ExprRef coordinate = node(std::move(c), bind.range);
      bad |= !coordinate;
      x.at.push_back(coordinate);
    }
  }
  if (e.filter) {
    x.filter = expr(*e.filter, inner);
    if (x.filter && x.filter->kind != Kind::Bool) {
      error("ein-r8", e.filter->range, fmt::format("'where' needs a bool, not {}", kindName(x.filter->kind)));
      bad = true;
    }
    bad |= !x.filter;
  }
  ExprRef body = e.args.empty() || !e.args[0] ? nullptr : expr(*e.args[0], inner);
  if (e.aux) {
    x.aux = expr(*e.aux, env);
    bad |= !x.aux;
  }
  if (!body || bad)
    return nullptr;
  std::string_view name = ein::name(*op);
  bool wantsBool =
      *op == ReduceOp::Any || *op == ReduceOp::All || *op == ReduceOp::Count || *op == ReduceOp::Coordinates;
  if (wantsBool != (body->kind == Kind::Bool)) {
    error("ein-r8", e.args[0]->range,
          wantsBool ? fmt::format("'{}' is of bools, not of {}s", name,
                                  body->kind == Kind::Int ? "integer" : "float")
                    : fmt::format("'{}' is of numbers, not of bools{}", name,
                                  *op == ReduceOp::Sum ? ": write count[..], or cast<f32>(..)"
                                  : *op == ReduceOp::Max || *op == ReduceOp::Prod || *op == ReduceOp::Min
                                      ? ": write any[..] or all[..]"
                                      : ""));
    return nullptr;
  }
  switch (*op) {
  case ReduceOp::Mean:
    body = toFloat(body);
    x.kind = Kind::Float;
    break;
  case ReduceOp::TopMass:
    body = toFloat(body);
    if (x.aux->kind == Kind::Int)
      x.aux = toFloat(x.aux);
    [[fallthrough]];
  case ReduceOp::Top:
  case ReduceOp::Any:
  case ReduceOp::All:
    x.kind = Kind::Bool;
    break;
  case ReduceOp::Count:
  case ReduceOp::ArgMax:
  case ReduceOp::ArgMin:
  case ReduceOp::Place:
  case ReduceOp::ArgSort:
  case ReduceOp::Coordinates:
    x.kind = Kind::Int;
    break;
  default:
    x.kind = body->kind;
  }
  if (x.aux) {
    Kind wanted = *op == ReduceOp::TopMass ? Kind::Float : Kind::Int;
    if (x.aux->kind != wanted) {
      error("ein-r8", e.aux->range,
            fmt::format("what follows ';' in '{}' must be {}, not {}", name, kindName(wanted),
                        kindName(x.aux->kind)));
      return nullptr;
    }
    for (VarId v : outer)
      if (isFree(x.aux, v)) {
        error("ein-r18", e.aux->range,
              fmt::format("what follows ';' cannot depend on '{}', along which '{}' selects",
                          out.variables[v].name, name));
        return nullptr;
      }
    if (*op == ReduceOp::Top && e.aux->form == ExprForm::Unary && foldConstant(x.aux)) {
      error("ein-r18", e.aux->range, fmt::format("'top' of {} points", foldConstant(x.aux)->integer));
      return nullptr;
    }
  }
  if (!body)
    return nullptr;
  x.args = {body};
  return node(std::move(x), e.range);
}

/// r12, r13: variables absent on the left are summed over the whole product.
ExprRef Checker::impliedSum(EquationState &state, ExprRef rhs) {
  if (!rhs)
    return nullptr;
  const ast::Expr &value = *state.stmt->value;
  std::vector<const ast::Expr *> factors;
  collectFactors(value, factors);
  std::vector<VarId> sum;
  // With a left variable that is wrong, an absent one may be what was meant.
  bool bad = std::any_of(state.left.begin(), state.left.end(), [](const Variable *v) { return v->poisoned; });
  if (bad)
    return nullptr;
  for (Variable &v : state.variables) {
    if (v.origin != Variable::Origin::Implicit || v.id < 0 || !isFree(rhs, v.id))
      continue;
    if (factors.size() == 1 && !isProductFactor(*factors[0])) {
      Diagnostic &d =
          error("ein-r12", v.range,
                fmt::format("implied sum over {}, but the right side is not one product: write sum[{}] (..)",
                            v.name, v.name));
      if (auto it = state.boundBy.find(v.name); it != state.boundBy.end())
        d.notes.push_back(
            {it->second.second->range,
             fmt::format("'{}' takes the rest of its product and ends here", it->second.first)});
      bad = true;
      continue;
    }
    if (v.uses.empty()) {
      error("ein-r3", v.range,
            fmt::format("'{}' has no rank here: a variable of an implied sum needs a plain subscript; write "
                        "sum[{} in ..] ..",
                        v.name, v.name));
      bad = true;
      continue;
    }
    int holding = 0;
    bool plain = false;
    for (const ast::Expr *factor : factors) {
      auto it = watched.find(factor);
      if (it == watched.end() || !it->second || !isFree(it->second, v.id))
        continue;
      ++holding;
      plain |= isPlainTensor(*factor);
    }
    if (holding < 2 && !plain) {
      error("ein-r13", v.range,
            fmt::format(
                "'{}' is absent on the left and stands in one factor only, which is no plain tensor: write "
                "sum[{}] .. if a sum is meant",
                v.name, v.name));
      bad = true;
      continue;
    }
    sum.push_back(v.id);
  }
  if (bad)
    return nullptr;
  if (sum.empty())
    return rhs;
  if (rhs->kind == Kind::Bool) {
    error(
        "ein-r8", value.range,
        fmt::format("implied sum over {}, but the right side is a bool: write any[..], all[..] or count[..]",
                    out.variables[sum[0]].name));
    return nullptr;
  }
  ein::Expr x{ExprOp::Reduce, rhs->kind};
  x.reduce = ReduceOp::Sum;
  x.vars = sum;
  x.args = {rhs};
  return node(std::move(x), value.range);
}

} // namespace einfall::frontend::sema
