//===- einfall.hpp - the C interface as C++ values ---------------------------------===//
//
//   einfall::Program attention = einfall::Program::fromFile("attention.ein");
//   attention.run({{"Q", q}, {"K", k}, {"V", v}, {"O", o}}, einfall::Pool());
//
// Header only, over einfall.h. Failures are exceptions of type einfall::Error,
// with the status and the text of the call that failed.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "einfall.h"
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace einfall {

class Error : public std::runtime_error {
public:
  Error(einfall_status status, const std::string &text) : std::runtime_error(text), status(status) {}
  einfall_status status;
};

/// A dense row-major tensor over memory of the caller.
inline einfall_tensor dense(void *data, einfall_type type, std::initializer_list<int64_t> shape) {
  return einfall_dense(data, type, int32_t(shape.size()), shape.begin());
}
inline einfall_tensor dense(float *data, std::initializer_list<int64_t> shape) {
  return dense(data, EINFALL_F32, shape);
}
inline einfall_tensor dense(double *data, std::initializer_list<int64_t> shape) {
  return dense(data, EINFALL_F64, shape);
}

/// A named tensor or number.
class Argument {
public:
  Argument(std::string name, const einfall_tensor &tensor)
      : name_(std::move(name)), isTensor_(true), tensor_(tensor), plain_{} {}
  Argument(std::string name, double value) : name_(std::move(name)), plain_{nullptr, nullptr, 1, 0, value} {}
  Argument(std::string name, int64_t value) : name_(std::move(name)), plain_{nullptr, nullptr, 0, value, 0} {}
  Argument(std::string name, int value) : Argument(std::move(name), int64_t(value)) {}
  /// Valid while this object lives and stays where it is.
  einfall_argument plain() const {
    einfall_argument argument = plain_;
    argument.name = name_.c_str();
    argument.tensor = isTensor_ ? &tensor_ : nullptr;
    return argument;
  }

private:
  std::string name_;
  bool isTensor_ = false;
  einfall_tensor tensor_{};
  einfall_argument plain_;
};

/// Threads that live as long as the object; 0: one for each core.
class Pool {
public:
  explicit Pool(int threads = 0) : pool_(einfall_pool_create(threads), einfall_pool_destroy) {
    if (!pool_)
      throw Error(EINFALL_OUT_OF_MEMORY, "out of memory: the pool could not be created");
  }
  einfall_pool *get() const { return pool_.get(); }
  int threads() const { return einfall_pool_threads(pool_.get()); }

private:
  std::unique_ptr<einfall_pool, void (*)(einfall_pool *)> pool_;
};

/// Keys as in einfall_options_set: {{"rank.E", "64"}, {"target", "x86-64-v3"}}.
using Options = std::map<std::string, std::string>;

/// A compiled cascade.
class Program {
public:
  static Program fromText(const std::string &name, const std::string &text, const Options &options = {}) {
    return Program(options,
                   [&](const einfall_options *o, einfall_program **program, char *error, size_t size) {
                     return einfall_compile(name.c_str(), text.c_str(), o, program, error, size);
                   });
  }
  static Program fromFile(const std::string &path, const Options &options = {}) {
    return Program(options,
                   [&](const einfall_options *o, einfall_program **program, char *error, size_t size) {
                     return einfall_compile_file(path.c_str(), o, program, error, size);
                   });
  }

  void run(const std::vector<Argument> &arguments) const { runOn(arguments, nullptr); }
  void run(const std::vector<Argument> &arguments, const Pool &pool) const { runOn(arguments, pool.get()); }

  /// The shape that output `name` has in a call with these inputs.
  std::vector<int64_t> shapeOf(const std::string &name, const std::vector<Argument> &arguments) const {
    einfall_binding binding;
    const einfall_kernel *kernel = einfall_program_kernel(program_.get());
    const std::vector<einfall_argument> list = plain(arguments);
    std::string error(4096, '\0');
    check(einfall_bind(kernel, list.data(), int32_t(list.size()), 0, &binding, error.data(), error.size()),
          error);
    for (int32_t t = 0; t < kernel->tensor_count; ++t) {
      const einfall_tensor_info &info = kernel->tensors[t];
      std::vector<int64_t> shape;
      for (int32_t r = 0; r < info.rank; ++r)
        shape.push_back(binding.extent[info.ranks[r]] + info.plus[r]);
      if (name == info.name)
        return shape;
    }
    throw Error(EINFALL_BAD_ARGUMENT, std::string("'") + kernel->name + "' has no tensor '" + name + "'");
  }

  /// As einfall_program_text; empty: no such text.
  std::string text(const std::string &what) const {
    const char *found = einfall_program_text(program_.get(), what.c_str());
    return found ? found : "";
  }
  const einfall_program *get() const { return program_.get(); }

private:
  template <class Compile>
  Program(const Options &options, Compile compile) : program_(nullptr, einfall_program_destroy) {
    std::unique_ptr<einfall_options, void (*)(einfall_options *)> list(einfall_options_create(),
                                                                       einfall_options_destroy);
    std::string error(1 << 16, '\0');
    for (const auto &[key, value] : options)
      check(einfall_options_set(list.get(), key.c_str(), value.c_str(), error.data(), error.size()), error);
    einfall_program *program = nullptr;
    check(compile(list.get(), &program, error.data(), error.size()), error);
    program_.reset(program);
  }
  static std::vector<einfall_argument> plain(const std::vector<Argument> &arguments) {
    std::vector<einfall_argument> list;
    for (const Argument &argument : arguments)
      list.push_back(argument.plain());
    return list;
  }
  static void check(einfall_status status, const std::string &error) {
    if (status != EINFALL_OK)
      throw Error(status, error.c_str());
  }
  void runOn(const std::vector<Argument> &arguments, einfall_pool *pool) const {
    const std::vector<einfall_argument> list = plain(arguments);
    std::string error(4096, '\0');
    check(einfall_program_run(program_.get(), list.data(), int32_t(list.size()), pool, error.data(),
                              error.size()),
          error);
  }
  std::unique_ptr<einfall_program, void (*)(einfall_program *)> program_;
};

} // namespace einfall
