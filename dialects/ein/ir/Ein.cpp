//===- Ein.cpp - dialect, types and attributes: storage and syntax ------------===//
#include "dialects/ein/ir/Ein.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace einfall::ein::ir::detail {
/// The key is the text; the tree and the name tables are parsed from it once.
struct ExprAttrStorage : public AttributeStorage {
  using KeyTy = llvm::StringRef;
  ExprAttrStorage(llvm::StringRef text, ExprRef tree, Names names)
      : text(text), tree(std::move(tree)), names(std::move(names)) {}
  bool operator==(const KeyTy &key) const { return key == text; }
  static llvm::hash_code hashKey(const KeyTy &key) { return llvm::hash_value(key); }
  static ExprAttrStorage *construct(AttributeStorageAllocator &allocator, const KeyTy &key) {
    Names names;
    std::string error;
    ExprRef tree = parseExpr(key, names, error);
    assert(tree && "expression text is checked before it becomes an attribute");
    return new (allocator.allocate<ExprAttrStorage>())
        ExprAttrStorage(allocator.copyInto(key), std::move(tree), std::move(names));
  }
  llvm::StringRef text;
  ExprRef tree;
  Names names;
};
} // namespace einfall::ein::ir::detail

#define GET_ATTRDEF_CLASSES
#include "dialects/ein/ir/EinAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/ein/ir/EinTypes.cpp.inc"

#include "dialects/ein/ir/EinDialect.cpp.inc"
#include "dialects/ein/ir/EinInterfaces.cpp.inc"

namespace einfall::ein::ir {

void EinDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/ein/ir/EinAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/ein/ir/EinTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/ein/ir/EinOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// ExprAttr
//===----------------------------------------------------------------------===//

ExprAttr ExprAttr::get(MLIRContext *context, const ExprRef &e) {
  return Base::get(context, llvm::StringRef(printExpr(e)));
}

ExprAttr ExprAttr::get(MLIRContext *context, const ExprRef &e, const Names &names) {
  return Base::get(context, llvm::StringRef(printExpr(e, &names)));
}

ExprAttr ExprAttr::parseText(MLIRContext *context, llvm::StringRef text, std::string &error) {
  Names names;
  ExprRef tree = parseExpr(text, names, error);
  if (!tree)
    return {};
  // Printed again, so that blanks and needless parentheses make no difference.
  return get(context, tree, names);
}

llvm::StringRef ExprAttr::getText() const { return getImpl()->text; }
const ExprRef &ExprAttr::getExpr() const { return getImpl()->tree; }
const Names &ExprAttr::getNames() const { return getImpl()->names; }

ExprRef ExprAttr::resolve(const Names &to, std::string &missing) const {
  return rename(getExpr(), getNames(), to, missing);
}

Attribute ExprAttr::parse(AsmParser &parser, mlir::Type) {
  std::string text, error;
  SMLoc loc;
  if (parser.parseLess() || (loc = parser.getCurrentLocation(), parser.parseString(&text)) ||
      parser.parseGreater())
    return {};
  ExprAttr attr = parseText(parser.getContext(), text, error);
  if (!attr)
    parser.emitError(loc, "malformed expression: ") << error;
  return attr;
}

void ExprAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printString(getText());
  printer << ">";
}

//===----------------------------------------------------------------------===//
// StepAttr
//===----------------------------------------------------------------------===//

/// A name as a bare identifier.
static ParseResult parseName(AsmParser &parser, StringAttr &name) {
  std::string text;
  if (parser.parseKeywordOrString(&text))
    return failure();
  name = StringAttr::get(parser.getContext(), text);
  return success();
}

Attribute StepAttr::parse(AsmParser &parser, mlir::Type) {
  SmallVector<StringAttr> tensors;
  StringAttr rank = StringAttr::get(parser.getContext(), ""), inner = rank;
  bool backward = false, innerBackward = false;
  auto tensor = [&] { return parseName(parser, tensors.emplace_back()); };
  if (parser.parseLess() || parser.parseCommaSeparatedList(tensor))
    return {};
  if (succeeded(parser.parseOptionalKeyword("along"))) {
    if (parseName(parser, rank))
      return {};
    backward = succeeded(parser.parseOptionalKeyword("down"));
    if (succeeded(parser.parseOptionalKeyword("then"))) {
      if (parseName(parser, inner))
        return {};
      innerBackward = succeeded(parser.parseOptionalKeyword("down"));
    }
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), tensors, rank, backward, inner, innerBackward);
}

void StepAttr::print(AsmPrinter &printer) const {
  printer << "<";
  llvm::interleaveComma(getTensors(), printer.getStream(),
                        [&](StringAttr name) { printer.printKeywordOrString(name); });
  auto along = [&](llvm::StringRef word, StringAttr rank, bool backward) {
    if (rank.empty())
      return;
    printer << word;
    printer.printKeywordOrString(rank);
    if (backward)
      printer << " down";
  };
  along(" along ", getRank(), getBackward());
  along(" then ", getInner(), getInnerBackward());
  printer << ">";
}

//===----------------------------------------------------------------------===//
// TensorType
//===----------------------------------------------------------------------===//

mlir::Type TensorType::parse(AsmParser &parser) {
  SmallVector<StringAttr> ranks;
  SmallVector<int64_t> plus;
  SmallVector<bool> depends;
  auto rank = [&]() -> ParseResult {
    if (parseName(parser, ranks.emplace_back()))
      return failure();
    plus.push_back(0);
    if (succeeded(parser.parseOptionalPlus()) && failed(parser.parseInteger(plus.back())))
      return failure();
    depends.push_back(succeeded(parser.parseOptionalQuestion()));
    return success();
  };
  llvm::StringRef word;
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, rank) ||
      parser.parseComma())
    return {};
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return {};
  std::optional<ein::Type> element = ein::parseType(word);
  if (!element) {
    parser.emitError(loc, "unknown element type '") << word << "' [ein-r8]";
    return {};
  }
  bool everywhere = true;
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("partial"))
      return {};
    everywhere = false;
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), ranks, plus, depends, *element, everywhere);
}

void TensorType::print(AsmPrinter &printer) const {
  printer << "<[";
  for (size_t i = 0; i < getRankCount(); ++i) {
    if (i)
      printer << ", ";
    printer.printKeywordOrString(getRanks()[i]);
    if (getPlus()[i])
      printer << " + " << getPlus()[i];
    if (getDepends()[i])
      printer << "?";
  }
  printer << "], " << ein::name(getElement());
  if (!getEverywhere())
    printer << ", partial";
  printer << ">";
}

} // namespace einfall::ein::ir
