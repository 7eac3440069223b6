/*===- overlap.c - may two elements share memory? ----------------------------------===
 *
 * A strided tensor touches base + sum(i_k * stride_k). Two questions before a
 * kernel may write: does an output reach the same place twice, and does it touch
 * memory of another argument?
 *
 * The second is exact enough for views of one buffer. Example: O and K are the
 * halves of rows of 128 floats. Their address ranges interleave, but with the
 * row stride S = 512 bytes as a clock face, O always lies in [0, 256) of the
 * circle and K in [256, 512): they never meet.
 *
 *===----------------------------------------------------------------------------===*/
#include "Internal.h"
#include "einfall/element.h"
#include <stdlib.h>

/* Bytes touched lie in [low, high) relative to data. Strides and extents were
 * checked for overflow before (memory.c). */
static void reach(const einfall_tensor *t, int64_t *low, int64_t *high) {
  const int64_t bits = einfall_type_bits((int32_t)t->type);
  int64_t first = 0, last = 0;
  for (int32_t k = 0; k < t->rank; ++k) {
    const int64_t span = (t->shape[k] - 1) * t->stride[k];
    if (span < 0)
      first += span;
    else
      last += span;
  }
  *low = bits == 4 ? first / 2 : first * (bits / 8);
  *high = bits == 4 ? last / 2 + 1 : (last + 1) * (bits / 8);
}

static int isEmpty(const einfall_tensor *t) {
  for (int32_t k = 0; k < t->rank; ++k)
    if (t->shape[k] == 0)
      return 1;
  return 0;
}

int einfallrt_aliases_itself(const einfall_tensor *t) {
  int64_t stride[EINFALL_MAX_RANKS], extent[EINFALL_MAX_RANKS];
  int32_t count = 0;
  if (isEmpty(t))
    return 0;
  for (int32_t k = 0; k < t->rank; ++k) { /* insertion sort by stride, extents of 1 left out */
    if (t->shape[k] == 1)
      continue;
    const int64_t magnitude = t->stride[k] < 0 ? -t->stride[k] : t->stride[k];
    int32_t at = count++;
    for (; at > 0 && stride[at - 1] > magnitude; --at) {
      stride[at] = stride[at - 1];
      extent[at] = extent[at - 1];
    }
    stride[at] = magnitude;
    extent[at] = t->shape[k];
  }
  int64_t reached = 0; /* largest offset of the ranks so far */
  for (int32_t k = 0; k < count; ++k) {
    if (stride[k] <= reached)
      return 1;
    reached += (extent[k] - 1) * stride[k];
  }
  return 0;
}

/* Where `t` lies on a circle of `circumference` bytes: start and width. 0: not in one piece. */
static int onCircle(const einfall_tensor *t, int64_t circumference, uint64_t *start, int64_t *width) {
  const int64_t bytes = einfall_type_bits((int32_t)t->type) / 8;
  einfall_tensor inner = *t;
  inner.rank = 0;
  for (int32_t k = 0; k < t->rank; ++k) {
    if (t->shape[k] == 1 || (t->stride[k] * bytes) % circumference == 0)
      continue;
    inner.shape[inner.rank] = t->shape[k];
    inner.stride[inner.rank++] = t->stride[k];
  }
  int64_t low, high;
  reach(&inner, &low, &high);
  *start = ((uint64_t)(uintptr_t)t->data + (uint64_t)low) % (uint64_t)circumference;
  *width = high - low;
  return *width <= circumference;
}

static int apartOnCircle(const einfall_tensor *a, const einfall_tensor *b, int64_t circumference) {
  uint64_t startA, startB;
  int64_t widthA, widthB;
  if (!onCircle(a, circumference, &startA, &widthA) || !onCircle(b, circumference, &startB, &widthB))
    return 0;
  const uint64_t round = (uint64_t)circumference;
  return (startB + round - startA) % round >= (uint64_t)widthA &&
         (startA + round - startB) % round >= (uint64_t)widthB;
}

int einfallrt_overlap(const einfall_tensor *a, const einfall_tensor *b) {
  if (isEmpty(a) || isEmpty(b))
    return 0;
  int64_t lowA, highA, lowB, highB;
  reach(a, &lowA, &highA);
  reach(b, &lowB, &highB);
  const uintptr_t startA = (uintptr_t)a->data + (uintptr_t)lowA,
                  startB = (uintptr_t)b->data + (uintptr_t)lowB;
  if (startA + (uintptr_t)(highA - lowA) <= startB || startB + (uintptr_t)(highB - lowB) <= startA)
    return 0;
  if (a->type == EINFALL_I4 || b->type == EINFALL_I4)
    return 1;
  const int64_t bytes = einfall_type_bits((int32_t)a->type) / 8;
  for (int32_t k = 0; k < a->rank; ++k) {
    const int64_t circumference = llabs(a->stride[k] * bytes);
    if (a->shape[k] > 1 && circumference > 0 && apartOnCircle(a, b, circumference))
      return 0;
  }
  return 1;
}
