//===- ConvertBack.cpp - operations to cascade values --------------------------===//
#include "dialects/ein/ir/Convert.h"
#include "dialects/ein/ir/Tables.h"

using namespace mlir;

namespace einfall::ein::ir {

namespace {
class Reader {
public:
  explicit Reader(CascadeOp op) : op(op), tables(op) {}

  std::optional<Cascade> read() {
    cascade.name = op.getSymName().str();
    if (auto file = llvm::dyn_cast<FileLineColRange>(op.getLoc()))
      cascade.file = file.getFilename() == "-" ? "" : file.getFilename().str();
    ranks();
    for (auto [name, rank] : llvm::zip_equal(tables.names.vars, tables.variableRanks))
      cascade.variables.push_back({name, rank});
    declarations();
    tensors();
    equations();
    steps();
    if (failed)
      return std::nullopt;
    return std::move(cascade);
  }

private:
  CascadeOp op;
  Tables tables;
  Cascade cascade;
  bool failed = false;

  ExprRef expr(ExprAttr attr) { return expr(attr, tables.names); }
  ExprRef expr(ExprAttr attr, const Names &names) {
    if (!attr)
      return nullptr;
    std::string missing;
    ExprRef e = attr.resolve(names, missing);
    if (!e && !failed) {
      failed = true;
      op.emitOpError() << "'" << missing << "' is not defined [ein-r4]";
    }
    return e ? e : integer(0);
  }

  void ranks() {
    for (RankOp rank : tables.ranks) {
      Rank r;
      r.name = rank.getSymName().str();
      if (auto aliases = rank.getAliasesAttr())
        for (auto alias : aliases.getAsRange<StringAttr>())
          r.aliases.push_back(alias.str());
      if (auto fixed = rank.getFixedAttr())
        r.fixed = fixed.getInt();
      r.definition = expr(rank.getDefinitionAttr());
      r.isDefault = rank.getIsDefault();
      r.range = rangeOf(rank.getLoc());
      cascade.ranks.push_back(r);
    }
  }

  void declarations() {
    for (SplitOp split : tables.splits) {
      Split s{tables.rank(split.getWhole()), {}, rangeOf(split.getLoc())};
      for (auto part : split.getParts().getAsRange<FlatSymbolRefAttr>())
        s.parts.push_back(tables.rank(part.getValue()));
      cascade.splits.push_back(s);
    }
    for (ScalarOp scalar : tables.scalars)
      cascade.scalars.push_back({scalar.getSymName().str(), *parseType(std::string_view(scalar.getType())),
                                 expr(scalar.getDefaultValueAttr()), rangeOf(scalar.getLoc())});
  }

  /// An equation has its own range and, if different, that of the declaration.
  static std::pair<SourceRange, SourceRange> ranges(Location loc) {
    if (auto fused = llvm::dyn_cast<FusedLoc>(loc); fused && fused.getLocations().size() == 2)
      return {rangeOf(fused.getLocations()[0]), rangeOf(fused.getLocations()[1])};
    return {rangeOf(loc), rangeOf(loc)};
  }

  void tensors() {
    auto outputs = llvm::cast<OutputsOp>(op.getBody().front().back());
    for (Operation *definition : tables.tensors) {
      auto type = llvm::cast<TensorType>(definition->getResult(0).getType());
      Tensor t;
      t.name = tensorNameOf(definition).str();
      t.type = type.getElement();
      for (StringAttr rank : type.getRanks())
        t.ranks.push_back(tables.rank(rank));
      t.plus.assign(type.getPlus().begin(), type.getPlus().end());
      t.depends.assign(type.getDepends().begin(), type.getDepends().end());
      t.everywhere = type.getEverywhere();
      t.range = ranges(definition->getLoc()).second;
      if (auto input = llvm::dyn_cast<InputOp>(definition)) {
        t.role = Role::Input;
        t.defaultValue = expr(input.getDefaultValueAttr());
      } else {
        auto equation = llvm::cast<EquationOp>(definition);
        t.role = llvm::is_contained(outputs.getTensors(), definition->getResult(0)) ? Role::Output
                                                                                    : Role::Intermediate;
        t.annotated = equation.getAnnotated();
        t.empty = expr(equation.getEmptyAttr());
      }
      cascade.tensors.push_back(t);
    }
  }

  void equations() {
    for (Operation &operation : op.getBody().front()) {
      auto equation = llvm::dyn_cast<EquationOp>(operation);
      if (!equation)
        continue;
      Names names = tables.namesOf(equation);
      Equation e;
      e.tensor = tables.tensor(equation.getTensorName());
      for (auto entry : equation.getLhs().getAsRange<ExprAttr>()) {
        e.lhs.push_back(expr(entry, names));
        walk(e.lhs.back(), [&](const Expr &x) {
          if (x.op == ExprOp::Coord)
            e.vars.push_back(x.id);
        });
      }
      e.rhs = expr(equation.getRhs(), names);
      e.where = expr(equation.getWhereAttr(), names);
      e.init = expr(equation.getInitAttr(), names);
      if (auto at = equation.getInitRankAttr())
        e.initRank = static_cast<int>(at.getInt());
      e.initBackward = equation.getInitBackward();
      e.range = ranges(equation.getLoc()).first;
      cascade.equations.push_back(e);
    }
  }

  void steps() {
    for (auto step : op.getSteps().getAsRange<StepAttr>()) {
      Component c;
      for (StringAttr tensor : step.getTensors())
        c.equations.push_back(cascade.equationIndexOf(tables.tensor(tensor)));
      c.rank = tables.rank(step.getRank());
      c.backward = step.getBackward();
      c.inner = tables.rank(step.getInner());
      c.innerBackward = step.getInnerBackward();
      cascade.schedule.push_back(c);
    }
  }
};
} // namespace

std::optional<Cascade> fromOps(CascadeOp cascade) { return Reader(cascade).read(); }

} // namespace einfall::ein::ir
