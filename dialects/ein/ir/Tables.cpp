//===- Tables.cpp - see Tables.h -----------------------------------------------===//
#include "dialects/ein/ir/Tables.h"
#include "mlir/IR/Builders.h"
#include <map>

using namespace mlir;

namespace einfall::ein::ir {

static int indexOf(const std::vector<std::string> &table, llvm::StringRef name) {
  for (size_t i = 0; i < table.size(); ++i)
    if (table[i] == name)
      return static_cast<int>(i);
  return -1;
}

llvm::StringRef tensorNameOf(Operation *op) {
  if (auto input = llvm::dyn_cast_or_null<InputOp>(op))
    return input.getTensorName();
  if (auto equation = llvm::dyn_cast_or_null<EquationOp>(op))
    return equation.getTensorName();
  return {};
}

Tables::Tables(CascadeOp cascade) {
  std::vector<Operation *> inputs, outputs, others;
  Block &body = cascade.getBody().front();
  if (auto end = llvm::dyn_cast<OutputsOp>(body.back()))
    for (Value v : end.getTensors())
      if (Operation *op = v.getDefiningOp())
        outputs.push_back(op);
  for (Operation &op : body) {
    if (auto rank = llvm::dyn_cast<RankOp>(op)) {
      ranks.push_back(rank);
      names.ranks.push_back(rank.getSymName().str());
    } else if (auto split = llvm::dyn_cast<SplitOp>(op)) {
      splits.push_back(split);
      names.splits.push_back(split.getSymName().str());
    } else if (auto scalar = llvm::dyn_cast<ScalarOp>(op)) {
      scalars.push_back(scalar);
      names.scalars.push_back(scalar.getSymName().str());
    } else if (llvm::isa<InputOp>(op)) {
      inputs.push_back(&op);
    } else if (llvm::isa<EquationOp>(op) && !llvm::is_contained(outputs, &op)) {
      others.push_back(&op);
    }
  }
  for (auto *group : {&inputs, &outputs, &others})
    tensors.insert(tensors.end(), group->begin(), group->end());
  if (auto order = cascade.getOrderAttr()) {
    std::vector<Operation *> sorted;
    for (auto name : order.getAsRange<StringAttr>())
      for (Operation *op : tensors)
        if (tensorNameOf(op) == name.getValue())
          sorted.push_back(op);
    if (sorted.size() == tensors.size())
      tensors = sorted;
  }
  for (Operation *op : tensors)
    names.tensors.push_back(tensorNameOf(op).str());
  for (auto variable : cascade.getVariables().getAsRange<VariableAttr>()) {
    names.vars.push_back(variable.getName().str());
    variableRanks.push_back(rank(variable.getRank()));
  }
}

std::vector<std::string> labelsFrom(const std::vector<std::string> &variables, int64_t first) {
  std::vector<std::string> labels;
  std::map<std::string, int> seen;
  for (size_t i = 0; i < variables.size(); ++i) {
    if (static_cast<int64_t>(i) < first) {
      labels.push_back("#" + std::to_string(i));
      continue;
    }
    int count = seen[variables[i]]++;
    labels.push_back(count ? variables[i] + "." + std::to_string(count) : variables[i]);
  }
  return labels;
}

Names Tables::namesOf(EquationOp equation) const {
  Names local = names;
  local.vars = labelsFrom(names.vars, equation.getFirstAttr() ? equation.getFirstAttr().getInt() : 0);
  return local;
}

RankId Tables::rank(llvm::StringRef name) const { return indexOf(names.ranks, name); }
TensorId Tables::tensor(llvm::StringRef name) const { return indexOf(names.tensors, name); }

std::string variableName(ExprAttr expr, VarId id) {
  const std::vector<std::string> &vars = expr.getNames().vars;
  return id >= 0 && id < static_cast<int>(vars.size()) ? vars[id] : "#" + std::to_string(id);
}

std::vector<std::string> leftVariables(EquationOp equation) {
  std::vector<std::string> list;
  for (auto entry : equation.getLhs().getAsRange<ExprAttr>())
    walk(entry.getExpr(), [&](const Expr &e) {
      if (e.op == ExprOp::Coord)
        list.push_back(variableName(entry, e.id));
    });
  return list;
}

llvm::SmallVector<ExprAttr> expressionsOf(EquationOp equation) {
  llvm::SmallVector<ExprAttr> list(equation.getLhs().getAsRange<ExprAttr>());
  for (ExprAttr e :
       {equation.getRhs(), equation.getWhereAttr(), equation.getInitAttr(), equation.getEmptyAttr()})
    if (e)
      list.push_back(e);
  return list;
}

std::vector<std::string> tensorNamesRead(llvm::ArrayRef<ExprAttr> expressions) {
  std::vector<std::string> list;
  for (ExprAttr e : expressions)
    for (const std::string &name : e.getNames().tensors)
      if (indexOf(list, name) < 0)
        list.push_back(name);
  return list;
}

} // namespace einfall::ein::ir
