//===- Convert.cpp - cascade values to operations ------------------------------===//
#include "dialects/ein/ir/Convert.h"
#include "dialects/ein/ir/Shape.h"
#include "dialects/ein/ir/Tables.h"
#include "mlir/IR/Builders.h"
#include <algorithm>
#include <climits>
#include <set>

using namespace mlir;

namespace einfall::ein::ir {

Location locationOf(MLIRContext *context, llvm::StringRef file, SourceRange range) {
  if (range.line <= 0)
    return UnknownLoc::get(context);
  return FileLineColRange::get(StringAttr::get(context, file.empty() ? "-" : file), range.line, range.column,
                               range.endLine, range.endColumn);
}

SourceRange rangeOf(Location loc) {
  if (auto file = llvm::dyn_cast<FileLineColRange>(loc))
    return {static_cast<int>(file.getStartLine()), static_cast<int>(file.getStartColumn()),
            static_cast<int>(file.getEndLine()), static_cast<int>(file.getEndColumn())};
  return {};
}

Names namesOf(const Cascade &cascade) {
  Names names;
  std::set<std::string> taken;
  for (size_t i = 0; i < cascade.variables.size(); ++i) {
    std::string name = cascade.variables[i].name;
    if (!taken.insert(name).second)
      taken.insert(name += "." + std::to_string(i));
    names.vars.push_back(name);
  }
  for (const Rank &rank : cascade.ranks)
    names.ranks.push_back(rank.name);
  for (const Tensor &tensor : cascade.tensors)
    names.tensors.push_back(tensor.name);
  for (const ScalarArg &scalar : cascade.scalars)
    names.scalars.push_back(scalar.name);
  for (size_t i = 0; i < cascade.splits.size(); ++i) {
    std::string name = cascade.ranks[cascade.splits[i].whole].name;
    for (RankId part : cascade.splits[i].parts)
      name += "." + cascade.ranks[part].name;
    if (std::find(names.splits.begin(), names.splits.end(), name) != names.splits.end())
      name += "." + std::to_string(i);
    names.splits.push_back(name);
  }
  return names;
}

namespace {
class Writer {
public:
  Writer(OpBuilder &builder, const Cascade &cascade)
      : builder(builder), context(builder.getContext()), cascade(cascade), names(namesOf(cascade)) {
    for (const Variable &variable : cascade.variables)
      variableNames.push_back(variable.name);
  }

  CascadeOp write() {
    auto op = CascadeOp::create(builder, locationOf(context, cascade.file, {1, 1, 1, 1}),
                                builder.getStringAttr(cascade.name), variables(), steps(), order());
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&op.getBody());
    declarations();
    equations();
    SmallVector<Value> outputs;
    for (size_t i = 0; i < cascade.tensors.size(); ++i)
      if (cascade.tensors[i].role == Role::Output)
        outputs.push_back(values[i]);
    OutputsOp::create(builder, op.getLoc(), outputs);
    return op;
  }

private:
  OpBuilder &builder;
  MLIRContext *context;
  const Cascade &cascade;
  Names names; ///< of the equation at hand
  std::vector<std::string> variableNames;
  std::vector<Value> values; ///< by tensor
  std::set<int> cyclic;      ///< equations in a component with a rank

  StringAttr string(llvm::StringRef text) { return builder.getStringAttr(text); }
  StringAttr rankName(RankId rank) { return string(rank < 0 ? llvm::StringRef() : names.ranks[rank]); }
  ExprAttr expr(const ExprRef &e) { return e ? ExprAttr::get(context, e, names) : ExprAttr(); }
  Location at(SourceRange range) { return locationOf(context, cascade.file, range); }

  ArrayAttr variables() {
    SmallVector<Attribute> list;
    for (size_t i = 0; i < cascade.variables.size(); ++i)
      list.push_back(
          VariableAttr::get(context, string(cascade.variables[i].name), rankName(cascade.variables[i].rank)));
    return builder.getArrayAttr(list);
  }

  ArrayAttr steps() {
    SmallVector<Attribute> list;
    for (const Component &component : cascade.schedule) {
      SmallVector<StringAttr> tensors;
      for (int i : component.equations) {
        tensors.push_back(string(names.tensors[cascade.equations[i].tensor]));
        if (component.rank >= 0)
          cyclic.insert(i);
      }
      list.push_back(StepAttr::get(context, tensors, rankName(component.rank), component.backward,
                                   rankName(component.inner), component.innerBackward));
    }
    return builder.getArrayAttr(list);
  }

  /// Null when the tensors are numbered as `Tables` numbers them by itself.
  ArrayAttr order() {
    std::vector<TensorId> natural;
    for (Role role : {Role::Input, Role::Output})
      for (size_t i = 0; i < cascade.tensors.size(); ++i)
        if (cascade.tensors[i].role == role)
          natural.push_back(i);
    for (const Equation &equation : cascade.equations)
      if (cascade.tensors[equation.tensor].role == Role::Intermediate)
        natural.push_back(equation.tensor);
    if (std::is_sorted(natural.begin(), natural.end()))
      return {};
    SmallVector<llvm::StringRef> list(names.tensors.begin(), names.tensors.end());
    return builder.getStrArrayAttr(list);
  }

  TensorType typeOf(const Tensor &tensor) {
    SmallVector<StringAttr> ranks;
    SmallVector<int64_t> plus(tensor.ranks.size(), 0);
    SmallVector<bool> depends(tensor.ranks.size(), false);
    for (size_t i = 0; i < tensor.ranks.size(); ++i) {
      ranks.push_back(rankName(tensor.ranks[i]));
      plus[i] = i < tensor.plus.size() ? tensor.plus[i] : 0;
      depends[i] = i < tensor.depends.size() && tensor.depends[i];
    }
    return TensorType::get(context, ranks, plus, depends, tensor.type, tensor.everywhere);
  }

  void declarations() {
    for (const Rank &rank : cascade.ranks) {
      SmallVector<llvm::StringRef> aliases(rank.aliases.begin(), rank.aliases.end());
      RankOp::create(builder, at(rank.range), string(rank.name),
                     aliases.empty() ? ArrayAttr() : builder.getStrArrayAttr(aliases),
                     rank.fixed ? builder.getI64IntegerAttr(*rank.fixed) : IntegerAttr(),
                     expr(rank.definition), rank.isDefault ? builder.getUnitAttr() : UnitAttr());
    }
    for (size_t i = 0; i < cascade.splits.size(); ++i) {
      const Split &split = cascade.splits[i];
      SmallVector<Attribute> parts;
      for (RankId part : split.parts)
        parts.push_back(FlatSymbolRefAttr::get(rankName(part)));
      SplitOp::create(builder, at(split.range), string(names.splits[i]),
                      FlatSymbolRefAttr::get(rankName(split.whole)), builder.getArrayAttr(parts));
    }
    for (const ScalarArg &scalar : cascade.scalars)
      ScalarOp::create(builder, at(scalar.range), string(scalar.name), string(name(scalar.type)),
                       expr(scalar.defaultValue));
    for (const Tensor &tensor : cascade.tensors) {
      Value value;
      if (tensor.role == Role::Input)
        value = InputOp::create(builder, at(tensor.range), typeOf(tensor), string(tensor.name),
                                expr(tensor.defaultValue));
      values.push_back(value);
    }
  }

  /// The smallest variable number of an equation; 0 without variables.
  static int64_t firstVariable(const Equation &equation) {
    VarId first = INT_MAX;
    auto visit = [&](const Expr &e) {
      if (e.op == ExprOp::Coord)
        first = std::min(first, e.id);
      for (VarId v : e.vars)
        first = std::min(first, v);
    };
    for (const ExprRef &entry : equation.lhs)
      walk(entry, visit);
    for (const ExprRef &e : {equation.rhs, equation.where, equation.init})
      walk(e, visit);
    return first == INT_MAX ? 0 : first;
  }

  /// Equations may read what stands below them: operands come in a second round.
  void equations() {
    std::vector<std::vector<std::string>> reads;
    for (size_t i = 0; i < cascade.equations.size(); ++i) {
      const Equation &equation = cascade.equations[i];
      const Tensor &tensor = cascade.tensors[equation.tensor];
      EquationParts parts;
      SmallVector<Attribute> lhs;
      parts.first = firstVariable(equation);
      names.vars = labelsFrom(variableNames, parts.first);
      for (const ExprRef &entry : equation.lhs)
        lhs.push_back(expr(entry));
      parts.tensor = tensor.name;
      parts.lhs = builder.getArrayAttr(lhs);
      parts.rhs = expr(equation.rhs);
      parts.where = expr(equation.where);
      parts.init = expr(equation.init);
      parts.empty = expr(tensor.empty);
      parts.initRank = equation.initRank;
      parts.initBackward = equation.initBackward;
      parts.annotated = tensor.annotated;
      parts.recurrence = equation.init || cyclic.count(i);
      Location loc = at(equation.range);
      if (Location header = at(tensor.range); header != loc)
        loc = FusedLoc::get(context, {loc, header});
      Operation *op = buildEquation(builder, loc, parts, typeOf(tensor), {});
      values[equation.tensor] = op->getResult(0);
      reads.push_back(tensorNamesRead(expressionsOf(llvm::cast<EquationOp>(op))));
    }
    for (size_t i = 0; i < cascade.equations.size(); ++i) {
      SmallVector<Value> operands;
      for (const std::string &name : reads[i])
        operands.push_back(values[cascade.tensorNamed(name)]);
      values[cascade.equations[i].tensor].getDefiningOp()->setOperands(operands);
    }
  }
};
} // namespace

CascadeOp toOps(OpBuilder &builder, const Cascade &cascade) { return Writer(builder, cascade).write(); }

OwningOpRef<ModuleOp> toModule(MLIRContext *context, const std::vector<Cascade> &cascades) {
  context->loadDialect<EinDialect>();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context)));
  OpBuilder builder(context);
  builder.setInsertionPointToEnd(module->getBody());
  for (const Cascade &cascade : cascades)
    toOps(builder, cascade);
  return module;
}

} // namespace einfall::ein::ir
