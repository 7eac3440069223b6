//===- Generate.cpp - inputs without files --------------------------------------===//
#include "tools/einfall/Inputs.h"
#include <cmath>
#include <numbers>

namespace einfall::cli {

using ein::Kind;
using ein::Type;

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
static uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

static uint64_t keyOf(uint64_t seed, const std::string &name) {
  uint64_t key = splitmix64(seed);
  for (unsigned char c : name)
    key = splitmix64(key ^ c);
  return key;
}

/// 53 random bits, in [0, 1).
static double unit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

static double normal(uint64_t key, uint64_t i) {
  // Elements 2k and 2k + 1 are the two deviates of one pair.
  uint64_t pair = key + (i & ~uint64_t(1));
  double radius = std::sqrt(-2 * std::log(1 - unit(splitmix64(pair))));
  double angle = 2 * std::numbers::pi * unit(splitmix64(pair + 1));
  return radius * ((i & 1) ? std::sin(angle) : std::cos(angle));
}

ein::Array generate(const std::string &kind, Type type, const std::vector<int64_t> &shape, uint64_t seed,
                    const std::string &name) {
  ein::Array array;
  array.type = type;
  array.shape = shape;
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  array.value.resize(count);
  uint64_t key = keyOf(seed, name);
  bool isFloat = ein::kindOf(type) == Kind::Float;
  bool random = kind == "@normal" || kind == "@uniform";
  bool small = type == Type::I4 || type == Type::I8;
  for (int64_t i = 0; i < count; ++i) {
    double value = 0;
    if (kind == "@arange")
      value = static_cast<double>(i);
    else if (random && isFloat)
      value = kind == "@normal" ? normal(key, i) : unit(splitmix64(key + i));
    else if (random && type == Type::Bool)
      value = static_cast<double>(splitmix64(key + i) >> 63);
    else if (random)
      value = small ? static_cast<double>(splitmix64(key + i) >> 60) - 8
                    : static_cast<double>(splitmix64(key + i) >> 61);
    value = ein::roundTo(type, value);
    array.value[i] = isFloat ? ein::cellOf(value) : ein::cellOf(static_cast<int64_t>(value));
  }
  return array;
}

} // namespace einfall::cli
