//===- Inputs.h - the arguments of a call from the command line ---------------===//
//
// SOURCE of an input is a file (`q.npy`), a number (scalars), or a generator:
//
//   @normal    standard normal deviates       integers: uniform in 0..7 (i4, i8: -8..7)
//   @uniform   uniform in [0, 1)              bools: a fair coin
//   @zeros     0
//   @arange    0, 1, 2, .. in row-major order, saturating at the type
//
// Element i of input NAME depends on --seed, NAME and i alone, so the same call
// has the same numbers on every machine: splitmix64 of a key, Box-Muller for
// normal deviates, one rounding to the declared type.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/driver/Driver.h"
#include "compiler/driver/Npy.h"
#include "dialects/ein/Interpreter.h"
#include <string>
#include <vector>

namespace einfall::cli {

/// One value of the generator `kind` as `type` holds it.
ein::Array generate(const std::string &kind, ein::Type type, const std::vector<int64_t> &shape, uint64_t seed,
                    const std::string &name);

/// What a call may use: three quarters of the machine's memory. More is refused
/// by name rather than left to the system, which would end the process.
int64_t memoryLimit();

class Call {
public:
  Call(const ein::Cascade &cascade, const driver::Description &description);

  /// Reads files and numbers; `specs` are the words of `--in`. With `fill`,
  /// required inputs that are not named are @normal (scalars: 1).
  void add(const std::vector<std::string> &specs, uint64_t seed, bool fill = false);
  /// Solves the extents, generates what must be generated, checks the whole call.
  void bind();

  const einfall_binding &binding() const { return bound; }
  /// Shape of a header tensor, `plus` included.
  std::vector<int64_t> shapeOf(ein::TensorId tensor) const;
  int64_t extentOf(ein::RankId rank) const { return bound.extent[rank]; }

  /// For the interpreter.
  ein::Environment environment() const;
  /// The same with some inputs only, and of these only tensors of at most
  /// `elements` elements.
  ein::Environment environment(const std::vector<ein::TensorId> &tensors, int64_t elements) const;
  /// For a kernel: inputs, then one output for each buffer of `outputs`, in
  /// header order. The result points into this object and into `outputs`.
  std::vector<einfall_argument> arguments(std::vector<driver::Bytes> &outputs);
  /// Header outputs, in order.
  const std::vector<ein::TensorId> &outputs() const { return outputIds; }
  size_t inputBytes() const;

private:
  struct Input {
    ein::TensorId tensor;
    std::string generator; ///< empty: from a file
    driver::Npy data;
    einfall_tensor view{};
  };
  struct Scalar {
    ein::ScalarId id;
    bool isFloat;
    int64_t i = 0;
    double f = 0;
  };
  const ein::Cascade &cascade;
  const driver::Description &description;
  std::vector<Input> inputs;
  std::vector<Scalar> scalars;
  std::vector<ein::TensorId> outputIds;
  std::vector<einfall_tensor> outputViews;
  uint64_t seed = 0;
  einfall_binding bound{};

  void addScalar(ein::ScalarId id, const std::string &text);
  void view(Input &input, const std::vector<int64_t> &shape);
  bool solve(const std::vector<bool> &known, std::string &error);
};

} // namespace einfall::cli
