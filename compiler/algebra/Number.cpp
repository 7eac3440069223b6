//===- Number.cpp - arithmetic of constants -----------------------------------===//
#include "compiler/algebra/Number.h"
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>

namespace einfall::algebra {
namespace {

using Wide = __int128;

Wide gcd(Wide a, Wide b) {
  if (a < 0)
    a = -a;
  if (b < 0)
    b = -b;
  while (b) {
    Wide r = a % b;
    a = b;
    b = r;
  }
  return a;
}

/// Brings num/den to lowest terms; false if that does not fit 64 bits.
bool reduce(Wide num, Wide den, int64_t &n, int64_t &d) {
  if (den < 0)
    num = -num, den = -den;
  Wide g = num == 0 ? den : gcd(num, den);
  num /= g, den /= g;
  constexpr Wide limit = std::numeric_limits<int64_t>::max();
  if (num > limit || num < -limit || den > limit)
    return false;
  n = int64_t(num), d = int64_t(den);
  return true;
}

} // namespace

Number Number::real(double value) {
  Number n;
  n.den_ = 0;
  n.real_ = value;
  return n;
}

Number Number::ratio(int64_t num, int64_t den) {
  Number n;
  if (!reduce(num, den, n.num_, n.den_))
    return real(double(num) / double(den));
  return n;
}

Number Number::of(double value) {
  if (!std::isfinite(value) || std::fabs(value) > 1e15)
    return real(value);
  // Convergents of the continued fraction until one rounds to `value`.
  double x = value;
  int64_t p0 = 1, q0 = 0, p1 = int64_t(std::floor(x)), q1 = 1;
  for (int step = 0; step < 40; ++step) {
    if (double(p1) / double(q1) == value)
      return ratio(p1, q1);
    double rest = x - std::floor(x);
    if (rest <= 0)
      break;
    x = 1 / rest;
    if (x > 1e12)
      break;
    int64_t a = int64_t(std::floor(x));
    Wide p2 = Wide(a) * p1 + p0, q2 = Wide(a) * q1 + q0;
    if (q2 > 1000000 || p2 > Wide(1) << 60 || p2 < -(Wide(1) << 60))
      break;
    p0 = p1, q0 = q1, p1 = int64_t(p2), q1 = int64_t(q2);
  }
  return real(value);
}

Number Number::operator+(const Number &b) const {
  Number r;
  if (exact() && b.exact() &&
      reduce(Wide(num_) * b.den_ + Wide(b.num_) * den_, Wide(den_) * b.den_, r.num_, r.den_))
    return r;
  return real(value() + b.value());
}

Number Number::operator*(const Number &b) const {
  Number r;
  if (exact() && b.exact() && reduce(Wide(num_) * b.num_, Wide(den_) * b.den_, r.num_, r.den_))
    return r;
  return real(value() * b.value());
}

Number Number::inverse() const { return exact() ? ratio(den_, num_) : real(1 / real_); }

Number Number::pow(int64_t k) const {
  if (!exact())
    return real(std::pow(real_, double(k)));
  Number base = k < 0 ? inverse() : *this, result(1);
  if (k > 4096 || k < -4096)
    return real(std::pow(value(), double(k)));
  for (uint64_t n = k < 0 ? uint64_t(-k) : uint64_t(k); n; n >>= 1) {
    if (n & 1)
      result = result * base;
    base = base * base;
  }
  return result;
}

int64_t Number::floor() const {
  if (!exact())
    return int64_t(std::floor(real_));
  return num_ >= 0 ? num_ / den_ : -((-num_ + den_ - 1) / den_);
}

int Number::compare(const Number &b) const {
  if (exact() != b.exact())
    return exact() ? -1 : 1;
  if (!exact()) {
    if (real_ == b.real_ || (std::isnan(real_) && std::isnan(b.real_)))
      return 0;
    return real_ < b.real_ || std::isnan(real_) ? -1 : 1;
  }
  Wide l = Wide(num_) * b.den_, r = Wide(b.num_) * den_;
  return l < r ? -1 : l > r ? 1 : 0;
}

size_t Number::hash() const {
  if (!exact())
    return std::hash<double>()(real_);
  return std::hash<int64_t>()(num_) * 31 + std::hash<int64_t>()(den_);
}

std::string Number::print() const {
  if (isInteger())
    return std::to_string(num_);
  if (exact())
    return std::to_string(num_) + "/" + std::to_string(den_);
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", real_);
  return text;
}

} // namespace einfall::algebra
