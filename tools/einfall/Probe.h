//===- Probe.h - what this machine can do, measured now --------------------------===//
//
// A share of peak is only worth something against a peak measured on the same
// threads, at the same clock, between the same runs. A burst is a few
// milliseconds of independent multiply-adds in registers with the best
// instruction for the type, or of reading memory that no cache holds.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "einfall/runtime.h"
#include <string>
#include <vector>

namespace einfall::cli {

class Probe {
public:
  enum class Arithmetic { F64, F32, BF16 };
  Probe(einfall_pool *pool, Arithmetic arithmetic);

  void arithmeticBurst();
  void readBurst();
  /// Medians over the bursts so far; 0 without.
  double flops() const; ///< a second, all threads
  double bytes() const; ///< a second, all threads
  const char *instruction() const { return kernel.name; }

  /// Works on registers for `rounds`; a multiply-add counts 2.
  struct Kernel {
    const char *name;
    double (*run)(int64_t rounds);
    double flopsPerRound;
  };

private:
  einfall_pool *pool;
  int threads;
  Kernel kernel;
  int64_t rounds;
  std::vector<double> flopRates, byteRates;
  std::vector<char> memory;
  double parallel(einfall_task task, void *environment);
};

} // namespace einfall::cli
