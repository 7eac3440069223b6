//===- Verify.cpp - see Verify.h -----------------------------------------------===//
#include "dialects/ein/ir/Verify.h"
#include "dialects/ein/ir/Shape.h"
#include "dialects/ein/ir/Tables.h"
#include <algorithm>
#include <set>

using namespace mlir;

namespace einfall::ein::ir {

//===----------------------------------------------------------------------===//
// What an equation shows by itself
//===----------------------------------------------------------------------===//

/// ein-r5: the left side lists distinct variables, one entry per rank.
static LogicalResult verifyLeftSide(EquationOp equation) {
  size_t ranks = equation.getTensorType().getRankCount();
  if (equation.getLhs().size() != ranks)
    return equation->emitOpError() << "'" << equation.getTensorName() << "' has " << ranks << " ranks, "
                                   << equation.getLhs().size() << " left subscripts [ein-r5]";
  for (auto entry : equation.getLhs().getAsRange<ExprAttr>()) {
    const Expr &e = *entry.getExpr();
    auto isVariable = [](const ExprRef &x) { return x->op == ExprOp::Coord; };
    if (e.op != ExprOp::Coord && !(e.op == ExprOp::Tuple && llvm::all_of(e.args, isVariable)))
      return equation->emitOpError() << "left subscript '" << entry.getText()
                                     << "' is neither a variable nor a tuple of variables [ein-r5]";
  }
  std::set<std::string> seen;
  for (const std::string &name : leftVariables(equation))
    if (!seen.insert(name).second)
      return equation->emitOpError() << "variable '" << name << "' stands twice on the left [ein-r5]";
  return success();
}

/// Free variables of `expr` stand on the left; bound ones do not.
static LogicalResult verifyVariables(EquationOp equation, ExprAttr expr, llvm::StringRef what,
                                     llvm::StringRef rule) {
  std::vector<std::string> left = leftVariables(equation);
  auto onLeft = [&](const std::string &name) { return llvm::is_contained(left, name); };
  for (VarId v : freeVariables(expr.getExpr()))
    if (std::string name = variableName(expr, v); !onLeft(name))
      return equation->emitOpError() << "'" << name << "' is free in the " << what << " but not on the left ["
                                     << rule << "]";
  std::string clash;
  walk(expr.getExpr(), [&](const Expr &e) {
    if (e.op == ExprOp::Reduce)
      for (VarId v : e.vars)
        if (onLeft(variableName(expr, v)))
          clash = variableName(expr, v);
  });
  if (!clash.empty())
    return equation->emitOpError() << "'" << clash << "' is reduced but stands on the left [ein-r10]";
  return success();
}

/// Operands are the tensors that the expressions name, in order.
static LogicalResult verifyReads(EquationOp equation) {
  std::vector<std::string> names = tensorNamesRead(expressionsOf(equation));
  if (names.size() != equation.getReads().size())
    return equation->emitOpError() << "names " << names.size() << " tensors but has "
                                   << equation.getReads().size() << " operands [ein-r4]";
  for (auto [name, value] : llvm::zip_equal(names, equation.getReads()))
    if (Operation *op = value.getDefiningOp(); tensorNameOf(op) != name)
      return equation->emitOpError() << "names tensor '" << name << "', but the operand there is '"
                                     << tensorNameOf(op) << "' [ein-r4]";
  return success();
}

LogicalResult verifyEquation(EquationOp equation) {
  if (failed(verifyLeftSide(equation)))
    return failure();
  const Expr &rhs = *equation.getRhs().getExpr();
  if (!llvm::isa<RecurrenceOp>(equation) && shapeOf(rhs) != equation->getName().getStringRef())
    return equation->emitOpError() << "has the right side of " << shapeOf(rhs) << " [ein-r18]";
  if (failed(verifyVariables(equation, equation.getRhs(), "right side", "ein-r12")))
    return failure();
  if (ExprAttr where = equation.getWhereAttr()) {
    if (where.getExpr()->kind != Kind::Bool)
      return equation->emitOpError("'where' needs a bool [ein-r8]");
    if (failed(verifyVariables(equation, where, "'where'", "ein-r11")))
      return failure();
  }
  bool isRecurrence = llvm::isa<RecurrenceOp>(equation);
  if (equation.getInitAttr() && !isRecurrence)
    return equation->emitOpError("has 'init' but is no recurrence [ein-r21]");
  if (bool(equation.getInitAttr()) != bool(equation.getInitRankAttr()))
    return equation->emitOpError("'init' and the rank position that it lies along go together [ein-r21]");
  if (IntegerAttr at = equation.getInitRankAttr()) {
    if (at.getInt() < 0 || at.getInt() >= static_cast<int64_t>(equation.getLhs().size()))
      return equation->emitOpError() << "'init' lies along rank position " << at.getInt() << " of "
                                     << equation.getLhs().size() << " [ein-r21]";
    if (failed(verifyVariables(equation, equation.getInitAttr(), "'init'", "ein-r21")))
      return failure();
  }
  return verifyReads(equation);
}

//===----------------------------------------------------------------------===//
// What needs the tables of the cascade
//===----------------------------------------------------------------------===//

namespace {
class CascadeVerifier {
public:
  explicit CascadeVerifier(CascadeOp cascade) : cascade(cascade), tables(cascade) {}

  LogicalResult run() {
    if (!llvm::isa<OutputsOp>(cascade.getBody().front().back()))
      return cascade.emitOpError("must end in ein.outputs [ein-r1]");
    if (failed(verifyNames()) || failed(verifySteps()))
      return failure();
    for (RankOp rank : tables.ranks)
      if (failed(verifyExpr(rank, rank.getDefinitionAttr())))
        return failure();
    for (ScalarOp scalar : tables.scalars)
      if (failed(verifyExpr(scalar, scalar.getDefaultValueAttr())))
        return failure();
    for (SplitOp split : tables.splits)
      if (failed(verifySplit(split)))
        return failure();
    for (Operation *op : tables.tensors)
      if (failed(verifyTensor(op)))
        return failure();
    return success();
  }

private:
  CascadeOp cascade;
  Tables tables;

  LogicalResult verifyNames() {
    std::set<std::string> seen;
    for (auto [i, name] : llvm::enumerate(tables.names.tensors))
      if (!seen.insert(name).second)
        return tables.tensors[i]->emitOpError() << "'" << name << "' is defined twice [ein-r5]";
    for (auto [i, name] : llvm::enumerate(tables.names.vars))
      if (tables.variableRanks[i] < 0)
        return cascade.emitOpError() << "variable '" << name
                                     << "' ranges over a rank that is not here [ein-r3]";
    return success();
  }

  /// Every equation is in exactly one step, and steps name nothing else.
  LogicalResult verifySteps() {
    std::set<std::string> seen;
    for (auto step : cascade.getSteps().getAsRange<StepAttr>()) {
      for (StringAttr name : step.getTensors()) {
        TensorId id = tables.tensor(name);
        if (id < 0 || !llvm::isa<EquationOp>(tables.tensors[id]))
          return cascade.emitOpError()
                 << "step names '" << name.getValue() << "', which has no equation [ein-r20]";
        if (!seen.insert(name.str()).second)
          return cascade.emitOpError() << "'" << name.getValue() << "' is in two steps [ein-r20]";
      }
      for (StringAttr name : {step.getRank(), step.getInner()})
        if (!name.empty() && tables.rank(name) < 0)
          return cascade.emitOpError()
                 << "step goes along '" << name.getValue() << "', which is no rank [ein-r20]";
    }
    for (Operation *op : tables.tensors)
      if (llvm::isa<EquationOp>(op) && !seen.count(tensorNameOf(op).str()))
        return op->emitOpError() << "'" << tensorNameOf(op) << "' is in no step [ein-r20]";
    return success();
  }

  LogicalResult verifySplit(SplitOp split) {
    if (split.getParts().size() < 2)
      return split.emitOpError() << "has " << split.getParts().size() << " parts, needs two or more [ein-r7]";
    auto known = [&](llvm::StringRef name) -> LogicalResult {
      if (tables.rank(name) < 0)
        return split.emitOpError() << "'" << name << "' is no rank [ein-r7]";
      return success();
    };
    if (failed(known(split.getWhole())))
      return failure();
    for (auto part : split.getParts().getAsRange<FlatSymbolRefAttr>())
      if (failed(known(part.getValue())))
        return failure();
    return success();
  }

  LogicalResult verifyTensor(Operation *op) {
    auto type = llvm::cast<TensorType>(op->getResult(0).getType());
    for (StringAttr name : type.getRanks())
      if (tables.rank(name) < 0)
        return op->emitOpError() << "'" << name.getValue() << "' is no rank [ein-r4]";
    if (auto input = llvm::dyn_cast<InputOp>(op))
      return verifyExpr(op, input.getDefaultValueAttr());
    auto equation = llvm::cast<EquationOp>(op);
    Names names = tables.namesOf(equation);
    for (auto [entry, rank] : llvm::zip_equal(equation.getLhs().getAsRange<ExprAttr>(), type.getRanks()))
      if (failed(verifyTuple(op, resolved(entry, names), rank)))
        return failure();
    for (ExprAttr expr : expressionsOf(equation))
      if (failed(verifyExpr(op, expr, names)))
        return failure();
    return success();
  }

  static ExprRef resolved(ExprAttr expr, const Names &names) {
    std::string missing;
    return expr.resolve(names, missing);
  }

  /// ein-r7: a tuple that subscripts `rank` uses a split of that rank.
  LogicalResult verifyTuple(Operation *op, const ExprRef &e, StringAttr rank) {
    if (!e || e->op != ExprOp::Tuple || e->id < 0 || e->id >= static_cast<int>(tables.splits.size()))
      return success(); // unknown names are reported by verifyExpr
    SplitOp split = tables.splits[e->id];
    if (split.getWhole() != rank.getValue())
      return op->emitOpError() << "split '" << split.getSymName() << "' is of rank '" << split.getWhole()
                               << "', but the subscript is at rank '" << rank.getValue() << "' [ein-r7]";
    return success();
  }

  /// Names resolve; tensors are read with the right number and kind of subscripts.
  LogicalResult verifyExpr(Operation *op, ExprAttr expr) { return verifyExpr(op, expr, tables.names); }
  LogicalResult verifyExpr(Operation *op, ExprAttr expr, const Names &names) {
    if (!expr)
      return success();
    std::string missing;
    ExprRef e = expr.resolve(names, missing);
    if (!e)
      return op->emitOpError() << "'" << missing << "' is not defined [ein-r4]";
    LogicalResult result = success();
    auto error = [&] {
      result = failure();
      return op->emitOpError();
    };
    auto within = [](int id, size_t size) { return id >= 0 && id < static_cast<int>(size); };
    walk(e, [&](const Expr &x) {
      if (failed(result))
        return;
      if (x.op == ExprOp::Read) {
        if (!within(x.id, tables.tensors.size()))
          return void(error() << "reads tensor number " << x.id << ", which is not there [ein-r4]");
        auto type = llvm::cast<TensorType>(tables.tensors[x.id]->getResult(0).getType());
        const std::string &name = tables.names.tensors[x.id];
        if (type.getRankCount() != x.args.size())
          return void(error() << "'" << name << "' has " << type.getRankCount() << " ranks, " << x.args.size()
                              << " subscripts [ein-r5]");
        if (kindOf(type.getElement()) != x.kind)
          return void(error() << "'" << name << "' of " << ein::name(type.getElement())
                              << " is read as another kind [ein-r8]");
        for (auto [subscript, rank] : llvm::zip_equal(x.args, type.getRanks())) {
          if (subscript->kind != Kind::Int)
            return void(error() << "a subscript of '" << name << "' is no integer [ein-r8]");
          if (failed(verifyTuple(op, subscript, rank)))
            result = failure();
        }
      } else if (x.op == ExprOp::Tuple) {
        if (!within(x.id, tables.splits.size()))
          return void(error() << "uses split number " << x.id << ", which is not there [ein-r7]");
        SplitOp split = tables.splits[x.id];
        if (split.getParts().size() != x.args.size())
          return void(error() << "split '" << split.getSymName() << "' has " << split.getParts().size()
                              << " parts, the tuple " << x.args.size() << " [ein-r7]");
      } else if ((x.op == ExprOp::Coord && !within(x.id, tables.names.vars.size())) ||
                 (x.op == ExprOp::Extent && !within(x.id, tables.ranks.size())) ||
                 (x.op == ExprOp::Scalar && !within(x.id, tables.scalars.size()))) {
        error() << "uses number " << x.id << ", which is not there [ein-r4]";
      }
    });
    return result;
  }
};
} // namespace

LogicalResult verifyCascade(CascadeOp cascade) { return CascadeVerifier(cascade).run(); }

} // namespace einfall::ein::ir
