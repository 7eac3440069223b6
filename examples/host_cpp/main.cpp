//===- main.cpp - a C++ program that compiles a cascade while it runs ------------------===//
//
//   c++ -std=c++20 -I ../../compiler/driver -I ../../runtime/include main.cpp -leinfall
//
// The cascade is a text in the program: cosine-similarity attention with a
// temperature for each head. Nothing in Einfall knows this variant.
//
//===----------------------------------------------------------------------===//
#include "einfall.hpp"
#include <cmath>
#include <cstdio>
#include <random>

namespace {

const char *const text = R"(
// Keys and queries on the unit sphere, one learned temperature a head.
cascade cosine(Q[H,P,E] : f32, K[H,M,E] : f32, V[H,M,F] : f32, Tau[H] : f32) -> (O[H,P,F] : f32) {
  QN[h,p]    = rsqrt(sum[e] Q[h,p,e] * Q[h,p,e])
  KN[h,m]    = rsqrt(sum[e] K[h,m,e] * K[h,m,e])
  S[h,p,m]   = Tau[h] * QN[h,p] * KN[h,m] * (sum[e] Q[h,p,e] * K[h,m,e])
  X[h,p]     = max[m] S[h,p,m]
  N[h,p,m]   = exp(S[h,p,m] - X[h,p])
  D[h,p]     = sum[m] N[h,p,m]
  A[h,p,m]   = N[h,p,m] / D[h,p]
  O[h,p,f]   = A[h,p,m] * V[h,m,f]
}
)";

constexpr int64_t H = 3, P = 17, M = 40, E = 8, F = 6;

std::vector<float> random(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(engine);
  return values;
}

/// The same by loops, in float64.
double expected(const std::vector<float> &q, const std::vector<float> &k, const std::vector<float> &v,
                double tau, int64_t h, int64_t p, int64_t f) {
  double sum = 0, value = 0;
  for (int64_t m = 0; m < M; ++m) {
    double dot = 0, qq = 0, kk = 0;
    for (int64_t e = 0; e < E; ++e) {
      const double a = q[size_t((h * P + p) * E + e)], b = k[size_t((h * M + m) * E + e)];
      dot += a * b;
      qq += a * a;
      kk += b * b;
    }
    const double weight = std::exp(tau * dot / std::sqrt(qq * kk));
    sum += weight;
    value += weight * double(v[size_t((h * M + m) * F + f)]);
  }
  return value / sum;
}

} // namespace

int main() try {
  const einfall::Program cosine = einfall::Program::fromText("cosine.ein", text);
  std::vector<float> q = random(H * P * E, 1), k = random(H * M * E, 2), v = random(H * M * F, 3),
                     tau = {1, 5, 10};
  std::vector<einfall::Argument> arguments = {{"Q", einfall::dense(q.data(), {H, P, E})},
                                              {"K", einfall::dense(k.data(), {H, M, E})},
                                              {"V", einfall::dense(v.data(), {H, M, F})},
                                              {"Tau", einfall::dense(tau.data(), {H})}};
  const std::vector<int64_t> shape = cosine.shapeOf("O", arguments);
  std::vector<float> o(size_t(shape[0] * shape[1] * shape[2]));
  arguments.push_back({"O", einfall::dense(o.data(), {shape[0], shape[1], shape[2]})});
  const einfall::Pool pool;
  cosine.run(arguments, pool);

  double error = 0;
  for (int64_t h = 0; h < H; ++h)
    for (int64_t p = 0; p < P; ++p)
      for (int64_t f = 0; f < F; ++f)
        error = std::fmax(error, std::fabs(double(o[size_t((h * P + p) * F + f)]) -
                                           expected(q, k, v, double(tau[size_t(h)]), h, p, f)));
  std::printf("%d threads, O[%d,%d,%d], largest error %.1e\n", pool.threads(), int(shape[0]), int(shape[1]),
              int(shape[2]), error);

  // Wrong texts and wrong calls are exceptions with a text.
  try {
    einfall::Program::fromText("wrong.ein", "cascade c(X[P] : f32) -> (Y[P] : f32) { Y[p] = Z[p] }");
    return 1;
  } catch (const einfall::Error &refused) {
    std::printf("%s", refused.what());
  }
  return error < 1e-5 ? 0 : 1;
} catch (const einfall::Error &failed) {
  std::fprintf(stderr, "%s\n", failed.what());
  return 1;
}
