//===- Tile.h - the tile dialect --------------------------------------------===//
//
// How a cascade is computed: storage, kernels, loops. See TileOps.td for every
// operation with an example.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/ir/Ein.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/tile/TileDialect.h.inc"
#define GET_OP_CLASSES
#include "dialects/tile/TileOps.h.inc"
