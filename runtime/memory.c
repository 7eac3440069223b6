/*===- memory.c - may the memory of the arguments be used? --------------------------===
 *
 * After the extents are known and before anything is written: sizes that fit
 * 64 bits, pointers, alignment, strides, overlap.
 *
 *===----------------------------------------------------------------------------===*/
#include "Internal.h"
#include "einfall/element.h"
#include <inttypes.h>

/* Bytes of a dense tensor; -1: more than 63 bits hold. */
static int64_t denseBytes(const Binder *b, const einfall_tensor_info *info) {
  int64_t points = 1;
  int isEmpty = 0;
  for (int32_t k = 0; k < info->rank; ++k) {
    int64_t extent = b->binding->extent[info->ranks[k]];
    if (__builtin_add_overflow(extent, info->plus ? info->plus[k] : 0, &extent))
      return -1;
    isEmpty |= extent == 0;
    if (!isEmpty && __builtin_mul_overflow(points, extent, &points))
      return -1;
  }
  if (isEmpty)
    return 0;
  const int64_t bits = einfall_type_bits(info->type);
  if (bits == 4)
    return points / 2 + 1;
  return __builtin_mul_overflow(points, bits / 8, &points) ? -1 : points;
}

/* The span of addresses fits a signed 64-bit number of bytes. */
static int spanFits(const einfall_tensor *t) {
  int64_t low = 0, high = 0, span;
  for (int32_t k = 0; k < t->rank; ++k) {
    if (t->shape[k] == 0)
      return 1;
    if (__builtin_mul_overflow(t->shape[k] - 1, t->stride[k], &span) ||
        __builtin_add_overflow(span < 0 ? low : high, span, span < 0 ? &low : &high))
      return 0;
  }
  const int64_t bytes = (einfall_type_bits((int32_t)t->type) + 7) / 8;
  return !__builtin_mul_overflow(low, bytes, &low) && !__builtin_add_overflow(high, 1, &high) &&
         !__builtin_mul_overflow(high, bytes, &high) && !__builtin_sub_overflow(high, low, &span);
}

static einfall_status checkStrides(const Binder *b, const einfall_tensor_info *info,
                                   const einfall_tensor *t) {
  if (!spanFits(t))
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s': its strides reach further than 64 bits",
                          info->name);
  for (int32_t k = 0; info->type == EINFALL_I4 && k < t->rank; ++k) {
    if (t->shape[k] <= 1)
      continue;
    if (k + 1 == t->rank && t->stride[k] != 1)
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                            "'%s' holds i4: its last rank %s must be dense, its stride is %" PRId64,
                            info->name, b->kernel->ranks[info->ranks[k]].name, t->stride[k]);
    if (k + 1 < t->rank && t->stride[k] % 2 != 0)
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                            "'%s' holds i4: rows must begin at a byte, the stride of rank %s is %" PRId64
                            ", odd",
                            info->name, b->kernel->ranks[info->ranks[k]].name, t->stride[k]);
  }
  return EINFALL_OK;
}

static einfall_status checkTensor(const Binder *b, int32_t number) {
  const einfall_tensor_info *info = &b->kernel->tensors[number];
  const einfall_tensor *t = b->tensor[number];
  const int64_t dense = denseBytes(b, info);
  if (dense < 0)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' has more bytes than 64 bits count",
                          info->name);
  if (!t || dense == 0)
    return EINFALL_OK;
  einfall_status status = checkStrides(b, info, t);
  if (status)
    return status;
  if (!t->data)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' has no data (a null pointer)", info->name);
  const uintptr_t alignment = (uintptr_t)(einfall_type_bits(info->type) + 7) / 8;
  if ((uintptr_t)t->data % alignment)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                          "'%s' is not aligned: elements of %s begin at multiples of %d bytes", info->name,
                          einfall_type_name(info->type), (int)alignment);
  if (info->role == EINFALL_OUTPUT && einfallrt_aliases_itself(t)) {
    for (int32_t k = 0; k < t->rank; ++k)
      if (t->stride[k] == 0 && t->shape[k] > 1)
        return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                              "output '%s': rank %s has %" PRId64 " points at stride 0", info->name,
                              b->kernel->ranks[info->ranks[k]].name, t->shape[k]);
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "output '%s': its strides reach one element twice",
                          info->name);
  }
  return EINFALL_OK;
}

einfall_status einfallrt_check_memory(const Binder *b) {
  const einfall_kernel *kernel = b->kernel;
  for (int32_t t = 0; t < kernel->tensor_count; ++t) {
    einfall_status status = checkTensor(b, t);
    if (status)
      return status;
  }
  for (int32_t out = 0; out < kernel->tensor_count; ++out)
    for (int32_t t = 0; t < kernel->tensor_count; ++t) {
      if (kernel->tensors[out].role != EINFALL_OUTPUT || !b->tensor[out] || !b->tensor[t] || t == out ||
          (kernel->tensors[t].role == EINFALL_OUTPUT && t < out))
        continue;
      if (einfallrt_overlap(b->tensor[out], b->tensor[t]))
        return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "output '%s' shares memory with '%s'",
                              kernel->tensors[out].name, kernel->tensors[t].name);
    }
  return EINFALL_OK;
}
