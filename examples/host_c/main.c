/*===- main.c - a C program with an ahead-of-time kernel ------------------------------===
 *
 *   einfall compile ../causal_gqa.ein --dtype all=f32 -o build
 *   cc -I build -I ../../runtime/include main.c build/causal_gqa.o libeinfall_rt.a -lpthread -lm
 *
 * Three queries at the end of a sequence of eight keys, four query heads that
 * share two key heads. The result is compared with the formula, written out as
 * loops. No LLVM, no C++ library: `build.sh` does both steps.
 *
 *===-------------------------------------------------------------------------------===*/
#include "causal_gqa.h"
#include <math.h>
#include <stdio.h>

enum { B = 1, H = 4, J = 2, P = 3, M = 8, E = 16, F = 5 };

static float Q[B][H][P][E], K[B][J][M][E], V[B][J][M][F], O[B][H][P][F], LSE[B][H][P];

/* Fills with numbers in [-1, 1], the same on every machine. */
static void fill(float *data, size_t count, unsigned seed) {
  for (size_t k = 0; k < count; ++k) {
    seed = seed * 1664525u + 1013904223u;
    data[k] = (float)(seed >> 8) / 8388608.0f - 1.0f;
  }
}

/* Softmax over the keys that query p may see: m <= p + M - P. */
static double expected(int h, int p, int f, double *lse) {
  const int j = h / (H / J), last = p + M - P;
  double score[M], largest = -INFINITY, sum = 0, value = 0;
  for (int m = 0; m <= last; ++m) {
    score[m] = 0;
    for (int e = 0; e < E; ++e)
      score[m] += (double)Q[0][h][p][e] * (double)K[0][j][m][e] / sqrt(E);
    largest = fmax(largest, score[m]);
  }
  for (int m = 0; m <= last; ++m) {
    sum += exp(score[m] - largest);
    value += exp(score[m] - largest) * (double)V[0][j][m][f];
  }
  *lse = largest + log(sum);
  return value / sum;
}

static double largestError(void) {
  double error = 0, lse;
  for (int h = 0; h < H; ++h)
    for (int p = 0; p < P; ++p)
      for (int f = 0; f < F; ++f) {
        error = fmax(error, fabs((double)O[0][h][p][f] - expected(h, p, f, &lse)));
        error = fmax(error, fabs((double)LSE[0][h][p] - lse));
      }
  return error;
}

int main(void) {
  const int64_t qShape[] = {B, H, P, E}, kShape[] = {B, J, M, E}, vShape[] = {B, J, M, F};
  const int64_t oShape[] = {B, H, P, F}, lseShape[] = {B, H, P}, wrongShape[] = {B, J, M - 1, F};
  fill(&Q[0][0][0][0], sizeof Q / sizeof(float), 1);
  fill(&K[0][0][0][0], sizeof K / sizeof(float), 2);
  fill(&V[0][0][0][0], sizeof V / sizeof(float), 3);

  const einfall_tensor q = einfall_dense(Q, EINFALL_F32, 4, qShape),
                       k = einfall_dense(K, EINFALL_F32, 4, kShape),
                       v = einfall_dense(V, EINFALL_F32, 4, vShape),
                       o = einfall_dense(O, EINFALL_F32, 4, oShape),
                       lse = einfall_dense(LSE, EINFALL_F32, 3, lseShape),
                       wrong = einfall_dense(V, EINFALL_F32, 4, wrongShape);
  struct causal_gqa_args args = {.Q = &q, .K = &k, .V = &v, .O = &o, .LSE = &lse}; /* scale: 1 / sqrt(|E|) */
  char error[512];

  einfall_pool *pool = einfall_pool_create(0);
  if (!pool || causal_gqa_run(&args, pool, error, sizeof error) != EINFALL_OK) {
    fprintf(stderr, "%s\n", pool ? error : "out of memory");
    return 1;
  }
  printf("%d threads, largest error %.1e\n", (int)einfall_pool_threads(pool), largestError());

  /* A wrong call says what is wrong and touches nothing. */
  args.V = &wrong;
  if (causal_gqa_run(&args, pool, error, sizeof error) != EINFALL_OK)
    printf("refused: %s\n", error);
  einfall_pool_destroy(pool);
  return largestError() < 1e-5 ? 0 : 1;
}
