//===- EinSyntax.h - custom directives of the operations' syntax ---------------===//
//
// Inside an operation an expression is just its quoted text; see EinOps.td.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/ir/Ein.h"

namespace einfall::ein::ir {

inline mlir::ParseResult parseExpr(mlir::OpAsmParser &parser, ExprAttr &attr) {
  std::string text, error;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parser.parseString(&text))
    return mlir::failure();
  attr = ExprAttr::parseText(parser.getContext(), text, error);
  if (!attr)
    return parser.emitError(loc, "malformed expression: ") << error;
  return mlir::success();
}
inline void printExpr(mlir::OpAsmPrinter &printer, mlir::Operation *, ExprAttr attr) {
  printer.printString(attr.getText());
}

inline mlir::ParseResult parseInt(mlir::OpAsmParser &parser, mlir::IntegerAttr &attr) {
  int64_t value;
  if (parser.parseInteger(value))
    return mlir::failure();
  attr = parser.getBuilder().getI64IntegerAttr(value);
  return mlir::success();
}
inline void printInt(mlir::OpAsmPrinter &printer, mlir::Operation *, mlir::IntegerAttr attr) {
  printer << attr.getInt();
}

inline mlir::ParseResult parseLhs(mlir::OpAsmParser &parser, mlir::ArrayAttr &attr) {
  llvm::SmallVector<mlir::Attribute> items;
  auto item = [&]() -> mlir::ParseResult {
    ExprAttr expr;
    if (parseExpr(parser, expr))
      return mlir::failure();
    items.push_back(expr);
    return mlir::success();
  };
  if (parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Square, item))
    return mlir::failure();
  attr = parser.getBuilder().getArrayAttr(items);
  return mlir::success();
}
inline void printLhs(mlir::OpAsmPrinter &printer, mlir::Operation *, mlir::ArrayAttr attr) {
  printer << "[";
  llvm::interleaveComma(attr.getAsRange<ExprAttr>(), printer.getStream(),
                        [&](ExprAttr e) { printer.printString(e.getText()); });
  printer << "]";
}

inline mlir::ParseResult parseVariables(mlir::OpAsmParser &parser, mlir::ArrayAttr &attr) {
  llvm::SmallVector<mlir::Attribute> items;
  auto item = [&]() -> mlir::ParseResult {
    std::string name, rank;
    if (parser.parseKeywordOrString(&name) || parser.parseColon() || parser.parseKeywordOrString(&rank))
      return mlir::failure();
    mlir::Builder &builder = parser.getBuilder();
    items.push_back(
        VariableAttr::get(parser.getContext(), builder.getStringAttr(name), builder.getStringAttr(rank)));
    return mlir::success();
  };
  if (parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Square, item))
    return mlir::failure();
  attr = parser.getBuilder().getArrayAttr(items);
  return mlir::success();
}
inline void printVariables(mlir::OpAsmPrinter &printer, mlir::Operation *, mlir::ArrayAttr attr) {
  printer << "[";
  llvm::interleaveComma(attr.getAsRange<VariableAttr>(), printer.getStream(), [&](VariableAttr v) {
    printer.printKeywordOrString(v.getName());
    printer << ": ";
    printer.printKeywordOrString(v.getRank());
  });
  printer << "]";
}

inline mlir::ParseResult parseSteps(mlir::OpAsmParser &parser, mlir::ArrayAttr &attr) {
  llvm::SmallVector<mlir::Attribute> items;
  auto item = [&]() -> mlir::ParseResult {
    auto step = llvm::dyn_cast_or_null<StepAttr>(StepAttr::parse(parser, {}));
    if (!step)
      return mlir::failure();
    items.push_back(step);
    return mlir::success();
  };
  if (parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Square, item))
    return mlir::failure();
  attr = parser.getBuilder().getArrayAttr(items);
  return mlir::success();
}
inline void printSteps(mlir::OpAsmPrinter &printer, mlir::Operation *, mlir::ArrayAttr attr) {
  printer << "[";
  llvm::interleaveComma(attr.getAsRange<StepAttr>(), printer.getStream(),
                        [&](StepAttr step) { step.print(printer); });
  printer << "]";
}

} // namespace einfall::ein::ir
