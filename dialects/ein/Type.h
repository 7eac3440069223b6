//===- Type.h - element types of the Einfall language (ein-r8) --------------===//
//
// A tensor stores one of these element types; a scalar expression has one of
// three *kinds* (float, integer, bool). How a kind is computed (f32 or f64) is
// a property of the equation (ein-r24), not of the expression.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace einfall::ein {

enum class Type : uint8_t { F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I16, I8, I4, U8, Bool, Index };

/// What a scalar expression evaluates to.
enum class Kind : uint8_t { Float, Int, Bool };

/// `bf16`, `index`, ... as written in `.ein` text.
std::string_view name(Type type);
std::optional<Type> parseType(std::string_view text);
Kind kindOf(Type type);
/// Storage width in bits: 4 for `i4`, 8 for `bool`, 64 for `index`.
unsigned bitWidth(Type type);

/// Rounds a float64 value to what an element of `type` can hold: round to
/// nearest even for floats (overflow to infinity; f8e4m3 overflows to NaN),
/// toward zero and saturating for integers (NaN becomes 0), != 0 for bool.
double roundTo(Type type, double value);

} // namespace einfall::ein
