//===- Probe.cpp - what this machine can do, measured now ------------------------===//
#include "tools/einfall/Probe.h"
#include "tools/einfall/Command.h"
#include <algorithm>
#include <cstring>
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace einfall::cli {

namespace {

/// Enough chains to cover the latency of two units: 2 units x 4 cycles and slack.
constexpr int chains = 12;

#ifdef __x86_64__
#define EINFALL_PROBE(NAME, TARGET, VECTOR, SET, STEP, SUM)                                                  \
  __attribute__((target(TARGET), noinline)) double NAME(int64_t rounds) {                                    \
    VECTOR a[chains];                                                                                        \
    for (int c = 0; c < chains; ++c)                                                                         \
      a[c] = SET(2 + c);                                                                                     \
    const VECTOR x = SET(0.999), y = SET(0.001);                                                             \
    for (int64_t r = 0; r < rounds; ++r) {                                                                   \
      _Pragma("clang loop unroll(full)") for (int c = 0; c < chains; ++c) a[c] = STEP(a[c], x, y);           \
    }                                                                                                        \
    double sum = 0;                                                                                          \
    for (int c = 0; c < chains; ++c)                                                                         \
      sum += SUM(a[c]);                                                                                      \
    return sum;                                                                                              \
  }

#define FIRST(v) static_cast<double>((v)[0])
EINFALL_PROBE(fmaF32x16, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, FIRST)
EINFALL_PROBE(fmaF64x8, "avx512f", __m512d, _mm512_set1_pd, _mm512_fmadd_pd, FIRST)
EINFALL_PROBE(fmaF32x8, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, FIRST)
EINFALL_PROBE(fmaF64x4, "avx2,fma", __m256d, _mm256_set1_pd, _mm256_fmadd_pd, FIRST)

__attribute__((target("avx512f,avx512bf16"), noinline)) double dotBF16x32(int64_t rounds) {
  __m512 a[chains];
  for (int c = 0; c < chains; ++c)
    a[c] = _mm512_set1_ps(1 + c);
  const __m512 tiny = _mm512_set1_ps(0x1p-20f);
  const __m512bh x = _mm512_cvtne2ps_pbh(tiny, tiny);
  for (int64_t r = 0; r < rounds; ++r) {
    _Pragma("clang loop unroll(full)") for (int c = 0; c < chains; ++c) a[c] = _mm512_dpbf16_ps(a[c], x, x);
  }
  double sum = 0;
  for (int c = 0; c < chains; ++c)
    sum += static_cast<double>(a[c][0]);
  return sum;
}
#endif

template <typename T>
double scalarChains(int64_t rounds) {
  T a[chains];
  for (int c = 0; c < chains; ++c)
    a[c] = T(2 + c);
  for (int64_t r = 0; r < rounds; ++r)
    for (int c = 0; c < chains; ++c)
      a[c] = a[c] * T(0.999) + T(0.001);
  double sum = 0;
  for (T x : a)
    sum += static_cast<double>(x);
  return sum;
}

Probe::Kernel choose(Probe::Arithmetic arithmetic) {
  using A = Probe::Arithmetic;
#ifdef __x86_64__
  __builtin_cpu_init();
  if (arithmetic == A::BF16 && __builtin_cpu_supports("avx512bf16"))
    return {"vdpbf16ps zmm", dotBF16x32, chains * 64.0};
  if (__builtin_cpu_supports("avx512f"))
    return arithmetic == A::F64 ? Probe::Kernel{"vfmadd pd zmm", fmaF64x8, chains * 16.0}
                                : Probe::Kernel{"vfmadd ps zmm", fmaF32x16, chains * 32.0};
  if (__builtin_cpu_supports("fma"))
    return arithmetic == A::F64 ? Probe::Kernel{"vfmadd pd ymm", fmaF64x4, chains * 8.0}
                                : Probe::Kernel{"vfmadd ps ymm", fmaF32x8, chains * 16.0};
#endif
  return arithmetic == A::F64 ? Probe::Kernel{"multiply and add, f64", scalarChains<double>, chains * 2.0}
                              : Probe::Kernel{"multiply and add, f32", scalarChains<float>, chains * 2.0};
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

volatile double sink; ///< keeps results alive

struct Burst {
  const Probe::Kernel *kernel;
  int64_t rounds;
};
void arithmeticTask(const einfall_frame *, void *environment, int64_t, int64_t) {
  auto *burst = static_cast<Burst *>(environment);
  sink = burst->kernel->run(burst->rounds);
}

struct Slices {
  const char *data;
  size_t size; ///< of one slice, a multiple of 512
};
void readTask(const einfall_frame *, void *environment, int64_t task, int64_t) {
  auto *slices = static_cast<Slices *>(environment);
  const char *p = slices->data + static_cast<size_t>(task) * slices->size;
  uint64_t sums[8] = {};
  for (size_t i = 0; i < slices->size; i += 64) {
    uint64_t line[8];
    std::memcpy(line, p + i, 64);
    for (int k = 0; k < 8; ++k)
      sums[k] += line[k];
  }
  uint64_t sum = 0;
  for (uint64_t s : sums)
    sum += s;
  sink = static_cast<double>(sum);
}

constexpr size_t memorySize = size_t(256) << 20;

} // namespace

Probe::Probe(einfall_pool *pool, Arithmetic arithmetic)
    : pool(pool), threads(einfall_pool_threads(pool)), kernel(choose(arithmetic)), rounds(1000) {
  // A burst of about three milliseconds.
  double start = now();
  sink = kernel.run(rounds * 10);
  double seconds = std::max(now() - start, 1e-7);
  rounds = std::max<int64_t>(rounds, static_cast<int64_t>(rounds * 10 * (0.003 / seconds)));
}

/// One task a thread; seconds until all are done.
double Probe::parallel(einfall_task task, void *environment) {
  einfall_frame frame{};
  frame.pool = pool;
  frame.thread_count = threads;
  double start = now();
  einfall_parallel(&frame, task, environment, threads);
  return std::max(now() - start, 1e-9);
}

void Probe::arithmeticBurst() {
  Burst burst{&kernel, rounds};
  double seconds = parallel(arithmeticTask, &burst);
  flopRates.push_back(kernel.flopsPerRound * static_cast<double>(rounds) * threads / seconds);
}

void Probe::readBurst() {
  if (memory.empty())
    memory.assign(memorySize, 1);
  Slices slices{memory.data(), memorySize / static_cast<size_t>(threads) / 512 * 512};
  double seconds = parallel(readTask, &slices);
  byteRates.push_back(static_cast<double>(slices.size) * threads / seconds);
}

double Probe::flops() const { return median(flopRates); }
double Probe::bytes() const { return median(byteRates); }

} // namespace einfall::cli
