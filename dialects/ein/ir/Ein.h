//===- Ein.h - the ein dialect -------------------------------------------------===//
//
// Include this to use the dialect. Operations: EinOps.td (read it: every
// operation has an example). From and to plain values: Convert.h.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include "dialects/ein/ir/ExprText.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/ein/ir/EinDialect.h.inc"

namespace einfall::ein::ir::detail {
struct ExprAttrStorage; // the only hand-written storage: Ein.cpp
}

#define GET_ATTRDEF_CLASSES
#include "dialects/ein/ir/EinAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/ein/ir/EinTypes.h.inc"

#include "dialects/ein/ir/EinInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/ein/ir/EinOps.h.inc"
