//===- Fixture.h - kernels described by hand ------------------------------------===//
#pragma once
#include "einfall/runtime.h"
#include <deque>
#include <string>
#include <vector>

/// A description whose parts live as long as the object.
class Fixture {
public:
  using Program = std::vector<einfall_instruction>;

  int rank(const char *name, int64_t fixed = -1, Program definition = {}, bool isDefault = false) {
    ranks_.push_back({name, fixed, keep(std::move(definition)), isDefault});
    return int(ranks_.size()) - 1;
  }
  void split(int whole, std::vector<int32_t> parts) {
    ints_.push_back(std::move(parts));
    splits_.push_back({whole, int32_t(ints_.back().size()), ints_.back().data()});
  }
  int tensor(const char *name, int role, int type, std::vector<int32_t> ranks, std::vector<int32_t> plus = {},
             const void *defaultValue = nullptr) {
    plus.resize(ranks.size());
    const int32_t count = int32_t(ranks.size());
    ints_.push_back(std::move(ranks));
    const int32_t *rankNumbers = ints_.back().data();
    ints_.push_back(std::move(plus));
    tensors_.push_back({name, role, type, count, rankNumbers, ints_.back().data(), defaultValue});
    return int(tensors_.size()) - 1;
  }
  int scalar(const char *name, int type, Program defaultValue = {}) {
    scalars_.push_back({name, type, keep(std::move(defaultValue))});
    return int(scalars_.size()) - 1;
  }
  const einfall_kernel *kernel() {
    kernel_ = {EINFALL_ABI,
               int32_t(ranks_.size()),
               int32_t(splits_.size()),
               int32_t(tensors_.size()),
               int32_t(scalars_.size()),
               "test",
               ranks_.data(),
               splits_.data(),
               tensors_.data(),
               scalars_.data(),
               sizes,
               main};
    return &kernel_;
  }
  void (*sizes)(const einfall_frame *, int64_t *) = nullptr;
  void (*main)(const einfall_frame *) = nullptr;

  // Instructions.
  static einfall_instruction op(int opcode, int operand = 0) { return {opcode, operand, {0}}; }
  static einfall_instruction integer(int64_t i) {
    einfall_instruction in{EINFALL_OP_INT, 0, {0}};
    in.value.i = i;
    return in;
  }
  static einfall_instruction number(double f) {
    einfall_instruction in{EINFALL_OP_FLOAT, 0, {0}};
    in.value.f = f;
    return in;
  }
  static einfall_instruction extent(int rank) { return op(EINFALL_OP_EXTENT, rank); }
  static einfall_instruction scalarOf(int number) { return op(EINFALL_OP_SCALAR, number); }

private:
  const einfall_instruction *keep(Program program) {
    if (program.empty())
      return nullptr;
    program.push_back(op(EINFALL_OP_END));
    programs_.push_back(std::move(program));
    return programs_.back().data();
  }
  std::deque<Program> programs_;
  std::deque<std::vector<int32_t>> ints_;
  std::vector<einfall_rank_info> ranks_;
  std::vector<einfall_split_info> splits_;
  std::vector<einfall_tensor_info> tensors_;
  std::vector<einfall_scalar_info> scalars_;
  einfall_kernel kernel_{};
};

/// Memory that tensors of a test may point to; aligned for every type.
inline void *someMemory(int which = 0) {
  alignas(64) static char memory[4][1 << 16];
  return memory[which];
}

/// A dense row-major tensor.
inline einfall_tensor dense(int type, std::vector<int64_t> shape, void *data = someMemory()) {
  einfall_tensor t{};
  t.data = data;
  t.type = einfall_type(type);
  t.rank = int32_t(shape.size());
  int64_t stride = 1;
  for (int k = t.rank; k-- > 0;) {
    t.shape[k] = shape[k];
    t.stride[k] = stride;
    stride *= shape[k] > 0 ? shape[k] : 1;
    if (type == EINFALL_I4 && k + 1 == t.rank)
      stride += stride % 2;
  }
  return t;
}

/// Arguments of one call and what binding them gave.
class Call {
public:
  Call &tensor(const char *name, einfall_tensor t) {
    tensors_.push_back(t);
    arguments_.push_back({name, &tensors_.back(), 0, 0, 0});
    return *this;
  }
  Call &integer(const char *name, int64_t i) {
    arguments_.push_back({name, nullptr, 0, i, 0});
    return *this;
  }
  Call &number(const char *name, double f) {
    arguments_.push_back({name, nullptr, 1, 0, f});
    return *this;
  }
  einfall_status bind(Fixture &fixture, bool needOutputs = false) {
    char text[512] = "";
    einfall_status status = einfall_bind(fixture.kernel(), arguments_.data(), int32_t(arguments_.size()),
                                         needOutputs, &binding, text, sizeof text);
    error = text;
    return status;
  }
  einfall_status run(Fixture &fixture, einfall_pool *pool = nullptr) {
    char text[512] = "";
    einfall_status status =
        einfall_run(fixture.kernel(), arguments_.data(), int32_t(arguments_.size()), pool, text, sizeof text);
    error = text;
    return status;
  }
  einfall_binding binding{};
  std::string error;

private:
  std::deque<einfall_tensor> tensors_;
  std::vector<einfall_argument> arguments_;
};
