//===- Bits.h - elements as bit patterns --------------------------------------===//
//
// How an element of a type is stored: the binary formats behind ein-r8, for
// files and for tests. `f16` and `f8e5m2` are laid out like IEEE formats, `bf16`
// is the upper half of a float32; `f8e4m3` (the "fn" variant) has no infinity,
// and its one NaN is all ones.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Interpreter.h"

namespace einfall::ein {

/// Bits of `value` as an element of a float type, rounded as `roundTo`. Every
/// NaN becomes the positive quiet one.
uint64_t encodeFloat(Type type, double value);
double decodeFloat(Type type, uint64_t bits);

/// The same for all types: integers in two's complement (saturated), bool 0 or 1.
/// The low `bitWidth(type)` bits count.
uint64_t encode(Type type, Cell value);
Cell decode(Type type, uint64_t bits);

} // namespace einfall::ein
