//===- Number.h - exact rationals with a floating escape ----------------------===//
//
// Constants of a symbolic expression. A number is a rational of two 64-bit
// integers as long as that is possible; where a result no longer fits, or where
// a literal such as 0.7071067811865476 is no small fraction, it is a double and
// says so (`exact()`). Rewrites that need certainty look at `exact()`.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <string>

namespace einfall::algebra {

class Number {
public:
  Number(int64_t n = 0) : num_(n) {}
  Number(int n) : num_(n) {}
  /// num / den in lowest terms; `den` is not 0.
  static Number ratio(int64_t num, int64_t den);
  /// The fraction with a denominator of at most 10^6 that rounds to exactly
  /// `value` (0.1 is 1/10), else the double itself.
  static Number of(double value);

  bool exact() const { return den_ != 0; }
  bool isInteger() const { return den_ == 1; }
  int64_t num() const { return num_; } ///< exact numbers only
  int64_t den() const { return den_; } ///< exact numbers only
  double value() const { return exact() ? double(num_) / double(den_) : real_; }
  bool isZero() const { return exact() ? num_ == 0 : real_ == 0; }
  bool isOne() const { return exact() && num_ == 1 && den_ == 1; }
  int sign() const { return value() > 0 ? 1 : value() < 0 ? -1 : 0; }

  Number operator+(const Number &b) const;
  Number operator*(const Number &b) const;
  Number operator-() const { return *this * Number(-1); }
  Number operator-(const Number &b) const { return *this + -b; }
  /// 1 / *this; not for zero.
  Number inverse() const;
  /// Integer powers; a negative power of zero is not allowed.
  Number pow(int64_t k) const;
  /// Largest integer not above it.
  int64_t floor() const;

  /// A total order; an exact number and a double are never equal.
  int compare(const Number &b) const;
  bool operator==(const Number &b) const { return compare(b) == 0; }
  bool operator!=(const Number &b) const { return compare(b) != 0; }
  size_t hash() const;
  /// `3`, `-1/2`, `0.70710678118654757`.
  std::string print() const;

private:
  static Number real(double value);
  int64_t num_ = 0, den_ = 1; ///< den_ == 0: the value is real_
  double real_ = 0;
};

} // namespace einfall::algebra
