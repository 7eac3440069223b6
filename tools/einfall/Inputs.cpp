//===- Inputs.cpp - the arguments of a call from the command line -------------===//
#include "tools/einfall/Inputs.h"
#include "tools/einfall/Command.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

namespace einfall::cli {

using ein::Kind;
using ein::Role;
using ein::TensorId;

static const std::set<std::string> generators = {"@normal", "@uniform", "@zeros", "@arange"};

Call::Call(const ein::Cascade &cascade, const driver::Description &description)
    : cascade(cascade), description(description) {
  for (TensorId t = 0; t < static_cast<TensorId>(cascade.tensors.size()); ++t)
    if (cascade.tensors[t].role == Role::Output)
      outputIds.push_back(t);
}

int64_t memoryLimit() {
  int64_t pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? pages / 4 * 3 * size : INT64_MAX;
}

/// `width`: bytes an element, where that is not the type's.
static void requireMemory(const ein::Tensor &tensor, const std::vector<int64_t> &shape, double width = 0) {
  double bytes = width ? width : ein::bitWidth(tensor.type) / 8.0;
  std::string extents;
  for (size_t k = 0; k < shape.size(); ++k) {
    bytes *= static_cast<double>(shape[k]);
    extents += fmt::format("{}{}", k ? " x " : "", shape[k]);
  }
  if (bytes > static_cast<double>(memoryLimit()))
    wrongInput(
        fmt::format("tensor '{}' ({}) needs {:.3g} bytes, more than the {:.3g} this machine has for a call",
                    tensor.name, extents, bytes, static_cast<double>(memoryLimit())),
        "ein-c1");
}

static std::string inputNames(const ein::Cascade &cascade) {
  std::vector<std::string> names;
  for (const ein::Tensor &tensor : cascade.tensors)
    if (tensor.role == Role::Input)
      names.push_back(tensor.name);
  for (const ein::ScalarArg &scalar : cascade.scalars)
    names.push_back(scalar.name);
  return names.empty() ? "it has none" : "it has " + listed(names);
}

void Call::add(const std::vector<std::string> &specs, uint64_t seedOfCall, bool fill) {
  seed = seedOfCall;
  std::set<std::string> given;
  for (const Pair &spec : splitPairs("--in", specs)) {
    given.insert(spec.name);
    auto scalar = std::find_if(cascade.scalars.begin(), cascade.scalars.end(),
                               [&](const ein::ScalarArg &s) { return s.name == spec.name; });
    if (scalar != cascade.scalars.end()) {
      addScalar(static_cast<ein::ScalarId>(scalar - cascade.scalars.begin()), spec.value);
      continue;
    }
    TensorId tensor = cascade.tensorNamed(spec.name);
    if (tensor < 0 || cascade.tensors[tensor].role != Role::Input)
      wrongInput(fmt::format("'{}' is no input of '{}'; {}", spec.name, cascade.name, inputNames(cascade)),
                 "ein-c1");
    Input input{tensor, {}, {}, {}};
    if (spec.value[0] == '@') {
      if (!generators.count(spec.value))
        wrongInput(fmt::format("'{}': there is no generator '{}', only @normal, @uniform, @zeros and @arange",
                               spec.name, spec.value),
                   "ein-c1");
      input.generator = spec.value;
    } else {
      double number;
      auto end = spec.value.data() + spec.value.size();
      if (std::from_chars(spec.value.data(), end, number).ptr == end &&
          spec.value.find(".npy") == std::string::npos)
        wrongInput(
            fmt::format("'{}' is a tensor and '{}' a number; give a file or @zeros", spec.name, spec.value),
            "ein-c1");
      std::string error;
      if (!driver::readNpy(spec.value, input.data, error))
        wrongInput(fmt::format("input '{}': {}", spec.name, error), "ein-c1");
      if (!driver::holds(input.data, cascade.tensors[tensor].type, error))
        wrongInput(
            fmt::format("input '{}' is {}: {}", spec.name, ein::name(cascade.tensors[tensor].type), error),
            "ein-c1");
    }
    inputs.push_back(std::move(input));
  }
  if (!fill)
    return;
  for (TensorId t = 0; t < static_cast<TensorId>(cascade.tensors.size()); ++t)
    if (cascade.tensors[t].role == Role::Input && !cascade.tensors[t].defaultValue &&
        !given.count(cascade.tensors[t].name))
      inputs.push_back({t, "@normal", {}, {}});
  for (size_t s = 0; s < cascade.scalars.size(); ++s)
    if (!cascade.scalars[s].defaultValue && !given.count(cascade.scalars[s].name))
      scalars.push_back({static_cast<ein::ScalarId>(s), false, 1, 1.0});
}

void Call::addScalar(ein::ScalarId id, const std::string &text) {
  const ein::ScalarArg &scalar = cascade.scalars[id];
  const char *begin = text.data(), *end = begin + text.size();
  Scalar value{id, false};
  if (text == "true" || text == "false") {
    if (scalar.type != ein::Type::Bool)
      wrongInput(fmt::format("scalar '{}' is {}, '{}' is a bool", scalar.name, ein::name(scalar.type), text),
                 "ein-c1");
    value.i = text == "true";
  } else if (auto result = std::from_chars(begin, end, value.i);
             result.ptr != end || result.ec != std::errc()) {
    value.isFloat = true;
    auto number = std::from_chars(begin, end, value.f);
    if (number.ptr != end || number.ec != std::errc())
      wrongInput(fmt::format("scalar '{}': '{}' is no number", scalar.name, text), "ein-c1");
  }
  scalars.push_back(value);
}

std::vector<int64_t> Call::shapeOf(TensorId id) const {
  const ein::Tensor &tensor = cascade.tensors[id];
  std::vector<int64_t> shape;
  for (size_t k = 0; k < tensor.ranks.size(); ++k)
    shape.push_back(bound.extent[tensor.ranks[k]] + (k < tensor.plus.size() ? tensor.plus[k] : 0));
  return shape;
}

/// A dense row-major view; rows of i4 begin at whole bytes.
static einfall_tensor denseView(ein::Type type, const std::vector<int64_t> &shape, void *data) {
  einfall_tensor view{};
  view.data = data;
  view.type = static_cast<einfall_type>(type);
  view.rank = static_cast<int32_t>(shape.size());
  int64_t stride = 1;
  for (int k = view.rank - 1; k >= 0; --k) {
    view.shape[k] = shape[k];
    view.stride[k] = stride;
    int64_t extent = shape[k];
    if (type == ein::Type::I4 && k == view.rank - 1)
      extent += extent & 1;
    if (__builtin_mul_overflow(stride, std::max<int64_t>(extent, 1), &stride))
      wrongInput("a tensor has more than 2^63 elements", "ein-c1");
  }
  return view;
}

void Call::view(Input &input, const std::vector<int64_t> &shape) {
  const ein::Tensor &tensor = cascade.tensors[input.tensor];
  if (shape.size() > EINFALL_MAX_RANKS)
    wrongInput(fmt::format("'{}' has {} ranks; at most {} are possible", tensor.name, shape.size(),
                           EINFALL_MAX_RANKS),
               "ein-c1");
  input.view = denseView(tensor.type, shape, input.data.data.data());
}

/// Binds with the inputs that are `known`; the others count as optional.
bool Call::solve(const std::vector<bool> &known, std::string &error) {
  static const char someValue[16] = {};
  einfall_kernel kernel = *description.get();
  std::vector<einfall_tensor_info> infos(kernel.tensors, kernel.tensors + kernel.tensor_count);
  std::vector<einfall_argument> arguments;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string &name = cascade.tensors[inputs[i].tensor].name;
    if (known[i])
      arguments.push_back({name.c_str(), &inputs[i].view, 0, 0, 0});
    else
      for (einfall_tensor_info &info : infos)
        if (name == info.name && !info.default_value)
          info.default_value = someValue;
  }
  for (const Scalar &s : scalars)
    arguments.push_back({cascade.scalars[s.id].name.c_str(), nullptr, s.isFloat, s.i, s.f});
  kernel.tensors = infos.data();
  char text[1024] = "";
  einfall_status status = einfall_bind(&kernel, arguments.data(), static_cast<int32_t>(arguments.size()), 0,
                                       &bound, text, sizeof text);
  error = text;
  if (status == EINFALL_INTERNAL)
    throw Stop{Defect, error};
  return status == EINFALL_OK;
}

void Call::bind() {
  auto isI4 = [&](const Input &input) { return cascade.tensors[input.tensor].type == ein::Type::I4; };
  std::vector<bool> known;
  bool generated = false, packed = false;
  for (Input &input : inputs) {
    if (input.generator.empty())
      view(input, driver::shapeAs(input.data, cascade.tensors[input.tensor].type));
    generated |= !input.generator.empty();
    packed |= input.generator.empty() && isI4(input);
    known.push_back(input.generator.empty());
  }
  std::string error;
  if (packed) {
    // A file of i4 does not tell an odd last extent from the next even one: the
    // other inputs decide, where they can.
    std::vector<bool> others = known;
    for (size_t i = 0; i < inputs.size(); ++i)
      others[i] = others[i] && !isI4(inputs[i]);
    if (solve(others, error))
      for (Input &input : inputs)
        if (input.generator.empty() && isI4(input))
          if (auto shape = shapeOf(input.tensor); driver::fits(input.data, ein::Type::I4, shape))
            view(input, shape);
  }
  if (generated) {
    if (!solve(known, error))
      wrongInput(error + (error.find("extent") != std::string::npos && error.find("no ") != std::string::npos
                              ? "; generated inputs need the extents by --rank NAME=N"
                              : ""),
                 "ein-c1");
    for (Input &input : inputs) {
      if (input.generator.empty())
        continue;
      const ein::Tensor &tensor = cascade.tensors[input.tensor];
      std::vector<int64_t> shape = shapeOf(input.tensor);
      requireMemory(tensor, shape, sizeof(ein::Cell) + 4);
      input.data = driver::fromArray(generate(input.generator, tensor.type, shape, seed, tensor.name));
      view(input, shape);
    }
  }
  if (!solve(std::vector<bool>(inputs.size(), true), error))
    wrongInput(error, "ein-c1");
}

ein::Environment Call::environment() const {
  std::vector<TensorId> all;
  for (const Input &input : inputs)
    all.push_back(input.tensor);
  return environment(all, INT64_MAX);
}

ein::Environment Call::environment(const std::vector<TensorId> &tensors, int64_t elements) const {
  ein::Environment result;
  result.extent.assign(bound.extent, bound.extent + cascade.ranks.size());
  result.tensors.resize(cascade.tensors.size());
  result.scalars.resize(cascade.scalars.size());
  for (const Input &input : inputs) {
    if (std::find(tensors.begin(), tensors.end(), input.tensor) == tensors.end())
      continue;
    std::vector<int64_t> shape = shapeOf(input.tensor);
    double count = 1;
    for (int64_t extent : shape)
      count *= static_cast<double>(extent);
    if (count > static_cast<double>(elements))
      continue;
    requireMemory(cascade.tensors[input.tensor], shape, sizeof(ein::Cell));
    result.tensors[input.tensor] = driver::toArray(input.data, cascade.tensors[input.tensor].type, shape);
  }
  for (const Scalar &s : scalars)
    result.scalars[s.id] = ein::kindOf(cascade.scalars[s.id].type) == Kind::Float
                               ? ein::cellOf(s.isFloat ? s.f : static_cast<double>(s.i))
                               : ein::cellOf(s.isFloat ? static_cast<int64_t>(s.f) : s.i);
  return result;
}

std::vector<einfall_argument> Call::arguments(std::vector<driver::Bytes> &buffers) {
  std::vector<einfall_argument> result;
  for (const Input &input : inputs)
    result.push_back({cascade.tensors[input.tensor].name.c_str(), &input.view, 0, 0, 0});
  for (const Scalar &s : scalars)
    result.push_back({cascade.scalars[s.id].name.c_str(), nullptr, s.isFloat, s.i, s.f});
  outputViews.clear();
  outputViews.reserve(outputIds.size());
  buffers.clear();
  for (TensorId id : outputIds) {
    const ein::Tensor &tensor = cascade.tensors[id];
    std::vector<int64_t> shape = shapeOf(id);
    requireMemory(tensor, shape);
    auto bytes = driver::bytesOf(tensor.type, shape);
    buffers.emplace_back(static_cast<size_t>(*bytes));
    outputViews.push_back(denseView(tensor.type, shape, buffers.back().data()));
    result.push_back({tensor.name.c_str(), &outputViews.back(), 0, 0, 0});
  }
  return result;
}

size_t Call::inputBytes() const {
  size_t total = 0;
  for (const Input &input : inputs)
    total += input.data.data.size();
  return total;
}

} // namespace einfall::cli
