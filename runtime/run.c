/*===- run.c - one call of a kernel ---------------------------------------------------===
 *
 * Bind, size, allocate, run. Everything that can fail happens before the first
 * write to an output: generated code itself cannot fail.
 *
 *===----------------------------------------------------------------------------===*/
#include "Internal.h"
#include "einfall/element.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* What the frame points to besides the binding. */
typedef struct Call {
  Binder binder;
  einfall_binding binding;
  void *data[EINFALL_MAX_TENSORS];
  const int64_t *stride[EINFALL_MAX_TENSORS];
  int64_t rowStride[EINFALL_MAX_RANKS]; /* 0, .., 0, 1: a row of i4 defaults */
  unsigned char *row;                   /* its bytes; NULL: no such tensor */
} Call;

static const int64_t zeroStride[EINFALL_MAX_RANKS];

/* An input left out is its default everywhere: one element at stride 0. i4, which
 * has no stride in its last rank, is one row of defaults at stride 0 elsewhere.
 * Returns the bytes of the longest such row. */
static int64_t bindDefault(Call *call, int32_t number) {
  const einfall_tensor_info *info = &call->binder.kernel->tensors[number];
  call->data[number] = (void *)(uintptr_t)info->default_value; /* inputs are only read */
  call->stride[number] = zeroStride;
  if (info->type != EINFALL_I4 || info->rank == 0)
    return 0;
  const int32_t last = info->rank - 1;
  return (call->binding.extent[info->ranks[last]] + (info->plus ? info->plus[last] : 0)) / 2 + 1;
}

static int64_t bindData(Call *call) {
  int64_t rowBytes = 0;
  for (int32_t t = 0; t < call->binder.kernel->tensor_count; ++t) {
    const einfall_tensor *tensor = call->binder.tensor[t];
    if (tensor) {
      call->data[t] = tensor->data;
      call->stride[t] = tensor->stride;
      continue;
    }
    const int64_t bytes = bindDefault(call, t);
    rowBytes = bytes > rowBytes ? bytes : rowBytes;
  }
  return rowBytes;
}

/* Rows of i4 defaults, one a tensor, both halves of every byte alike. */
static einfall_status makeRows(Call *call, int64_t rowBytes, ErrorText error) {
  const einfall_kernel *kernel = call->binder.kernel;
  if (rowBytes == 0)
    return EINFALL_OK;
  size_t total;
  if (__builtin_mul_overflow((size_t)rowBytes, (size_t)kernel->tensor_count, &total) ||
      !(call->row = malloc(total)))
    return einfallrt_fail(error, EINFALL_OUT_OF_MEMORY,
                          "out of memory: rows of defaults, %" PRId64 " bytes each", rowBytes);
  for (int32_t t = 0; t < kernel->tensor_count; ++t) {
    const einfall_tensor_info *info = &kernel->tensors[t];
    if (call->binder.tensor[t] || info->type != EINFALL_I4 || info->rank == 0)
      continue;
    const unsigned char half = *(const unsigned char *)info->default_value & 15;
    unsigned char *row = call->row + (size_t)t * (size_t)rowBytes;
    memset(row, half | half << 4, (size_t)rowBytes);
    call->data[t] = row;
    call->stride[t] = call->rowStride + EINFALL_MAX_RANKS - info->rank;
  }
  return EINFALL_OK;
}

/* Workspace and scratch lie in one block: [workspace | thread 0 | thread 1 ..]. */
static einfall_status allocate(einfall_frame *frame, const int64_t *sizes, void **block, size_t *capacity,
                               ErrorText error) {
  int64_t workspace, scratch, all;
  if (sizes[0] < 0 || sizes[1] < 0 || __builtin_add_overflow(sizes[0], ALIGNMENT - 1, &workspace) ||
      __builtin_add_overflow(sizes[1], ALIGNMENT - 1, &scratch))
    return einfallrt_fail(error, EINFALL_OUT_OF_MEMORY, "out of memory: the workspace exceeds 64 bits");
  workspace = workspace / ALIGNMENT * ALIGNMENT;
  scratch = scratch / ALIGNMENT * ALIGNMENT;
  if (__builtin_mul_overflow(scratch, frame->thread_count, &all) ||
      __builtin_add_overflow(all, workspace, &all))
    return einfallrt_fail(error, EINFALL_OUT_OF_MEMORY, "out of memory: the workspace exceeds 64 bits");
  frame->scratch_bytes = scratch;
  if (all == 0)
    return EINFALL_OK;
  char *memory = einfallrt_take_block(frame->pool, (size_t)all, capacity);
  if (!memory)
    return einfallrt_fail(error, EINFALL_OUT_OF_MEMORY,
                          "out of memory: %" PRId64 " bytes of workspace and %" PRId64
                          " of scratch for each of %" PRId64 " threads",
                          workspace, scratch, frame->thread_count);
  *block = memory;
  frame->workspace = memory;
  frame->scratch = memory + workspace;
  return EINFALL_OK;
}

static einfall_status runBound(Call *call, einfall_pool *pool, ErrorText error) {
  const einfall_kernel *kernel = call->binder.kernel;
  if (!kernel->sizes || !kernel->main)
    return einfallrt_fail(error, EINFALL_INTERNAL, "'%s' is a description without code", kernel->name);
  call->rowStride[EINFALL_MAX_RANKS - 1] = 1;
  einfall_status status = makeRows(call, bindData(call), error);
  if (status)
    return status;
  einfall_frame frame = {.extent = call->binding.extent,
                         .data = call->data,
                         .stride = call->stride,
                         .fscalar = call->binding.fscalar,
                         .iscalar = call->binding.iscalar,
                         .thread_count = einfall_pool_threads(pool),
                         .pool = pool};
  int64_t sizes[2] = {0, 0};
  kernel->sizes(&frame, sizes);
  void *block = NULL;
  size_t capacity = 0;
  status = allocate(&frame, sizes, &block, &capacity, error);
  if (!status) {
    kernel->main(&frame);
    einfallrt_give_block(pool, block, capacity);
  }
  free(call->row);
  return status;
}

einfall_status einfall_run(const einfall_kernel *kernel, const einfall_argument *arguments, int32_t count,
                           einfall_pool *pool, char *error, size_t error_size) {
  Call call = {0};
  const ErrorText text = {error, error_size};
  einfall_status status = einfallrt_bind(&call.binder, kernel, arguments, count, 1, &call.binding, text);
  return status ? status : runBound(&call, pool, text);
}
