//===- SemaEquations.cpp - equations and their schedule (r5, r11, r20, r21) ----===//
#include "dialects/ein/Schedule.h"
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

using ast::ExprForm;

namespace {
/// Every factor of the right side, for r13.
void watchFactors(const ast::Expr &e, std::map<const ast::Expr *, ExprRef> &watched) {
  const ast::Expr *x = &e;
  while (x->form == ExprForm::Paren && x->args[0])
    x = x->args[0].get();
  bool product = x->form == ExprForm::Binary && (x->op == "*" || x->op == "/");
  if (product || (x->form == ExprForm::Unary && x->op == "-")) {
    for (const ast::ExprPtr &factor : x->args)
      watchFactors(*factor, watched);
  } else {
    watched[x] = nullptr;
  }
}
} // namespace

void Checker::buildEquations() {
  for (EquationState &equation : equations)
    if (equation.tensor < 0 || !buildEquation(equation))
      failed = true;
  state = nullptr;
}

bool Checker::buildEquation(EquationState &equation) {
  const ast::Stmt &stmt = *equation.stmt;
  state = &equation;
  context = Context::Equation;
  const ein::Tensor &tensor = out.tensors[equation.tensor];
  ein::Equation result;
  result.tensor = equation.tensor;
  result.range = locate(stmt.range);
  bool bad = equation.poisoned;

  Env left;
  for (Variable *v : equation.left) {
    VarId id = variableId(*v);
    bad |= id < 0;
    left.names[v->name] = {id, nullptr};
    result.vars.push_back(id);
  }
  size_t next = 0;
  for (size_t i = 0; i < stmt.left.size() && !bad; ++i) {
    const ast::Left &side = stmt.left[i];
    std::vector<ExprRef> coordinates;
    for (size_t k = 0; k < side.binds.size(); ++k) {
      ein::Expr c{ExprOp::Coord, Kind::Int};
      c.id = equation.left[next++]->id;
      coordinates.push_back(node(std::move(c), side.binds[k].range));
    }
    if (side.tuple) {
      const TupleUse *tuple = equation.leftTuples.at(&side);
      ein::Expr x{ExprOp::Tuple, Kind::Int};
      x.id = tuple->split;
      x.args = coordinates;
      bad |= tuple->poisoned || tuple->split < 0;
      result.lhs.push_back(bad ? nullptr : node(std::move(x), side.range));
    } else {
      result.lhs.push_back(coordinates[0]);
    }
  }

  Env all;
  all.parent = &left;
  for (auto &[name, v] : equation.implicit)
    all.names[name] = {variableId(*v), nullptr};
  watched.clear();
  if (stmt.value) {
    watchFactors(*stmt.value, watched);
    result.rhs = impliedSum(equation, expr(*stmt.value, all));
    watched.clear();
    result.rhs = stored(result.rhs, tensor.type, stmt.value->range,
                        fmt::format("the right side of '{}'", tensor.name));
  }
  if (stmt.where) {
    result.where = expr(*stmt.where, left);
    if (result.where && result.where->kind != Kind::Bool) {
      error("ein-r8", stmt.where->range,
            fmt::format("'where' needs a bool, not {}", kindName(result.where->kind)));
      result.where = nullptr;
    }
    bad |= !result.where;
  }
  if (stmt.init) {
    result.init = stored(expr(*stmt.init, left), tensor.type, stmt.init->range,
                         fmt::format("'init' of '{}'", tensor.name));
    bad |= !result.init;
  }
  if (bad || !result.rhs)
    return false;
  out.equations.push_back(std::move(result));
  return true;
}

/// Order of evaluation; what cannot be ordered is an error that names the cycle.
void Checker::schedule() {
  std::vector<const ast::Stmt *> statements;
  for (const EquationState &equation : equations)
    statements.push_back(equation.stmt);
  auto report = [&](const ein::ScheduleFailure &failure) {
    const ast::Stmt &stmt = *statements[failure.equation];
    Range place =
        failure.rule == "ein-r21" && stmt.init && failure.atInit ? stmt.init->range : stmt.name.range;
    Diagnostic &d = error(failure.rule, place, failure.message);
    if (failure.note.empty() || !failure.read.line)
      return;
    // The place of a read is known by line and column only.
    const Source &text = *diagnostics.sources[0];
    auto offset = [&](int line, int column) {
      std::string_view whole = text.text(), row = text.lineAt(line);
      return static_cast<uint32_t>(row.data() - whole.data()) + static_cast<uint32_t>(column - 1);
    };
    d.notes.push_back({Range{offset(failure.read.line, failure.read.column),
                             offset(failure.read.endLine, failure.read.endColumn), 0},
                       failure.note});
  };
  auto failures = ein::schedule(out);
  if (failures.empty())
    failures = ein::placeInits(out);
  for (const ein::ScheduleFailure &failure : failures)
    report(failure);
}

} // namespace einfall::frontend::sema
