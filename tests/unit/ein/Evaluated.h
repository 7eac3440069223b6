// A cascade from text, evaluated on given extents and inputs.
#pragma once
#include "dialects/ein/Interpreter.h"
#include "frontend/Frontend.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

namespace einfall {

using Index = std::vector<int64_t>;

class Evaluated {
public:
  explicit Evaluated(const std::string &text) {
    frontend::Result result = frontend::load("test.ein", text);
    INFO(text);
    INFO(result.diagnostics.render());
    REQUIRE(result.diagnostics.empty());
    REQUIRE(result.cascades.size() == 1);
    cascade = result.cascades[0];
    environment.extent.assign(cascade.ranks.size(), 0);
    for (size_t r = 0; r < cascade.ranks.size(); ++r)
      if (cascade.ranks[r].fixed)
        environment.extent[r] = *cascade.ranks[r].fixed;
    environment.tensors.resize(cascade.tensors.size());
    environment.scalars.resize(cascade.scalars.size());
  }

  Evaluated &extent(const std::string &rank, int64_t value) {
    int r = cascade.rankNamed(rank);
    REQUIRE(r >= 0);
    environment.extent[r] = value;
    return *this;
  }
  Evaluated &scalar(const std::string &name, double value) {
    for (size_t s = 0; s < cascade.scalars.size(); ++s)
      if (cascade.scalars[s].name == name)
        environment.scalars[s] = kindOf(cascade.scalars[s].type) == ein::Kind::Float
                                     ? ein::cellOf(value)
                                     : ein::cellOf(static_cast<int64_t>(value));
    return *this;
  }
  /// Fills an input; extents must be set before.
  Evaluated &input(const std::string &name, const std::function<double(const Index &)> &f) {
    int t = cascade.tensorNamed(name);
    REQUIRE(t >= 0);
    const ein::Tensor &tensor = cascade.tensors[t];
    ein::Array array{tensor.type, {}, {}, {}};
    int64_t count = 1;
    for (size_t i = 0; i < tensor.ranks.size(); ++i) {
      array.shape.push_back(environment.extent[tensor.ranks[i]] + tensor.plus[i]);
      count *= array.shape.back();
    }
    for (int64_t n = 0; n < count; ++n) {
      Index at(array.shape.size());
      int64_t rest = n;
      for (size_t i = at.size(); i-- > 0; rest /= array.shape[i])
        at[i] = rest % array.shape[i];
      double x = f(at);
      array.value.push_back(kindOf(tensor.type) == ein::Kind::Float ? ein::cellOf(x)
                                                                    : ein::cellOf(static_cast<int64_t>(x)));
    }
    environment.tensors[t] = std::move(array);
    return *this;
  }
  Evaluated &values(const std::string &name, std::vector<double> list) {
    size_t next = 0;
    return input(name, [&](const Index &) { return list.at(next++); });
  }
  /// Different reproducible numbers in [-1, 1) for every input.
  Evaluated &random(const std::string &name) {
    uint64_t state = std::hash<std::string>()(name);
    return input(name, [state](const Index &) mutable {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return double(state >> 33) / double(1u << 30) - 1;
    });
  }

  Evaluated &run() {
    std::string error;
    bool done = evaluate(cascade, environment, error);
    INFO(error);
    REQUIRE(done);
    return *this;
  }
  /// The message of a call that must be refused.
  std::string refusal() {
    std::string error;
    REQUIRE_FALSE(evaluate(cascade, environment, error));
    return error;
  }

  double at(const std::string &name, const Index &index) const {
    auto [array, offset] = locate(name, index);
    return kindOf(array->type) == ein::Kind::Float ? array->value[offset].f : double(array->value[offset].i);
  }
  int64_t exact(const std::string &name, const Index &index) const {
    auto [array, offset] = locate(name, index);
    return array->value[offset].i;
  }
  bool has(const std::string &name, const Index &index) const {
    auto [array, offset] = locate(name, index);
    return array->present.empty() || array->present[offset];
  }
  std::vector<double> all(const std::string &name) const {
    const ein::Array &array = *environment.tensors[cascade.tensorNamed(name)];
    std::vector<double> list;
    for (ein::Cell c : array.value)
      list.push_back(kindOf(array.type) == ein::Kind::Float ? c.f : double(c.i));
    return list;
  }

  ein::Cascade cascade;
  ein::Environment environment;

private:
  std::pair<const ein::Array *, int64_t> locate(const std::string &name, const Index &index) const {
    const auto &array = environment.tensors[cascade.tensorNamed(name)];
    REQUIRE(array);
    REQUIRE(array->shape.size() == index.size());
    int64_t offset = 0;
    for (size_t i = 0; i < index.size(); ++i) {
      REQUIRE(index[i] < array->shape[i]);
      offset = offset * array->shape[i] + index[i];
    }
    return {&*array, offset};
  }
};

inline bool near(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::fabs(a - b) <= 1e-12 * (1 + std::fabs(b));
}

} // namespace einfall
