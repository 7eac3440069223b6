/*===- bind.c - match the arguments of a call with the header ----------------------===
 *
 * Names, roles, types and rank counts are checked here; then extents.c solves
 * what the shapes mean, and memory.c looks at pointers and strides. Nothing is
 * read from or written to any tensor.
 *
 *===----------------------------------------------------------------------------===*/
#include "Internal.h"
#include "einfall/element.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static einfall_status checkKernel(const einfall_kernel *kernel, ErrorText error) {
  if (kernel->abi != EINFALL_ABI)
    return einfallrt_fail(error, EINFALL_INTERNAL,
                          "the kernel was compiled for ABI %d of the runtime, this is ABI %d",
                          (int)kernel->abi, EINFALL_ABI);
  if (kernel->rank_count > EINFALL_MAX_EXTENTS || kernel->tensor_count > EINFALL_MAX_TENSORS ||
      kernel->scalar_count > EINFALL_MAX_SCALARS)
    return einfallrt_fail(error, EINFALL_INTERNAL, "cascade '%s' exceeds %d ranks, %d tensors or %d scalars",
                          kernel->name, EINFALL_MAX_EXTENTS, EINFALL_MAX_TENSORS, EINFALL_MAX_SCALARS);
  return EINFALL_OK;
}

/* "Q[B,H,P,E] : bf16", as in the header. */
static void printDeclaration(const einfall_kernel *kernel, const einfall_tensor_info *info, char *text,
                             size_t size) {
  int used = snprintf(text, size, "%s", info->name);
  for (int32_t k = 0; k < info->rank && used > 0 && (size_t)used < size; ++k) {
    const int32_t plus = info->plus ? info->plus[k] : 0;
    char tail[24] = "";
    if (plus)
      snprintf(tail, sizeof tail, " + %d", (int)plus);
    used += snprintf(text + used, size - (size_t)used, "%s%s%s%s", k ? "," : "[",
                     kernel->ranks[info->ranks[k]].name, tail, k + 1 == info->rank ? "]" : "");
  }
  if (used > 0 && (size_t)used < size)
    snprintf(text + used, size - (size_t)used, " : %s", einfall_type_name(info->type));
}

static int sameRepresentation(int32_t a, int32_t b) {
  const int aIndex = a == EINFALL_INDEX || a == EINFALL_I64, bIndex = b == EINFALL_INDEX || b == EINFALL_I64;
  return a == b || (aIndex && bIndex);
}

static einfall_status bindTensor(Binder *b, int32_t number, const einfall_argument *argument) {
  const einfall_tensor_info *info = &b->kernel->tensors[number];
  const einfall_tensor *t = argument->tensor;
  char declared[256];
  if (!t) {
    printDeclaration(b->kernel, info, declared, sizeof declared);
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' is a tensor, %s; a number was given",
                          info->name, declared);
  }
  if (b->tensor[number])
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' is given twice", info->name);
  if (t->rank != info->rank) {
    printDeclaration(b->kernel, info, declared, sizeof declared);
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' has %d rank%s, its declaration %d: %s",
                          info->name, (int)t->rank, t->rank == 1 ? "" : "s", (int)info->rank, declared);
  }
  if (!sameRepresentation((int32_t)t->type, info->type))
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' holds %s, its declaration says %s",
                          info->name, einfall_type_name((int32_t)t->type), einfall_type_name(info->type));
  for (int32_t k = 0; k < t->rank; ++k)
    if (t->shape[k] < 0)
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' has the extent %" PRId64 " at rank %s",
                            info->name, t->shape[k], b->kernel->ranks[info->ranks[k]].name);
  b->tensor[number] = t;
  return EINFALL_OK;
}

static einfall_status bindScalar(Binder *b, int32_t number, const einfall_argument *argument) {
  const einfall_scalar_info *info = &b->kernel->scalars[number];
  const char *type = einfall_type_name(info->type);
  if (argument->tensor)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' is a scalar of type %s; a tensor was given",
                          info->name, type);
  if (b->scalarKnown[number])
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' is given twice", info->name);
  if (einfall_type_is_float(info->type)) {
    const double given = argument->is_float ? argument->f : (double)argument->i;
    const double value = einfall_round_float(info->type, given);
    if (isfinite(given) && !isfinite(value))
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "scalar '%s': %g does not fit %s", info->name,
                            given, type);
    b->binding->fscalar[number] = value;
    b->scalarKnown[number] = 1;
    return EINFALL_OK;
  }
  int64_t low, high, value = argument->i;
  einfall_type_range(info->type, &low, &high);
  if (argument->is_float) {
    if (argument->f != trunc(argument->f) || !isfinite(argument->f))
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "scalar '%s' is %s, %g is no integer", info->name,
                            type, argument->f);
    if (argument->f < -0x1p63 || argument->f >= 0x1p63)
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "scalar '%s': %g does not fit %s", info->name,
                            argument->f, type);
    value = (int64_t)argument->f;
  }
  if (value < low || value > high)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                          "scalar '%s': %" PRId64 " is outside %s (%" PRId64 " .. %" PRId64 ")", info->name,
                          value, type, low, high);
  b->binding->iscalar[number] = value;
  b->binding->fscalar[number] = (double)value;
  b->scalarKnown[number] = 1;
  return EINFALL_OK;
}

/* "Q, K, V, scale, O": what the header offers. */
static void listNames(const einfall_kernel *kernel, char *text, size_t size) {
  int used = 0;
  text[0] = 0;
  for (int32_t k = 0; k < kernel->tensor_count + kernel->scalar_count && (size_t)used < size; ++k) {
    const char *name =
        k < kernel->tensor_count ? kernel->tensors[k].name : kernel->scalars[k - kernel->tensor_count].name;
    used += snprintf(text + used, size - (size_t)used, "%s%s", k ? ", " : "", name);
  }
}

static einfall_status bindOne(Binder *b, const einfall_argument *argument) {
  if (!argument->name)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "an argument has no name");
  for (int32_t t = 0; t < b->kernel->tensor_count; ++t)
    if (strcmp(b->kernel->tensors[t].name, argument->name) == 0)
      return bindTensor(b, t, argument);
  for (int32_t s = 0; s < b->kernel->scalar_count; ++s)
    if (strcmp(b->kernel->scalars[s].name, argument->name) == 0)
      return bindScalar(b, s, argument);
  char names[256];
  listNames(b->kernel, names, sizeof names);
  return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "'%s' has no argument '%s'; it has %s",
                        b->kernel->name, argument->name, names);
}

static einfall_status checkPresence(const Binder *b, int32_t needOutputs) {
  char declared[256];
  for (int32_t t = 0; t < b->kernel->tensor_count; ++t) {
    const einfall_tensor_info *info = &b->kernel->tensors[t];
    if (b->tensor[t] || (info->role == EINFALL_INPUT ? info->default_value != NULL : !needOutputs))
      continue;
    printDeclaration(b->kernel, info, declared, sizeof declared);
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "%s '%s' is missing: %s",
                          info->role == EINFALL_INPUT ? "input" : "output", info->name, declared);
  }
  for (int32_t s = 0; s < b->kernel->scalar_count; ++s)
    if (!b->scalarKnown[s] && !b->kernel->scalars[s].default_value)
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "scalar '%s' is missing: %s : %s",
                            b->kernel->scalars[s].name, b->kernel->scalars[s].name,
                            einfall_type_name(b->kernel->scalars[s].type));
  return EINFALL_OK;
}

einfall_status einfallrt_bind(Binder *b, const einfall_kernel *kernel, const einfall_argument *arguments,
                              int32_t count, int32_t needOutputs, einfall_binding *binding, ErrorText error) {
  if (error.text && error.size)
    error.text[0] = 0;
  if (!kernel || !binding || count < 0 || (count > 0 && !arguments))
    return einfallrt_fail(error, EINFALL_BAD_ARGUMENT, "the call passes a null pointer or a negative count");
  einfall_status status = checkKernel(kernel, error);
  if (status)
    return status;
  memset(b, 0, sizeof *b);
  memset(binding, 0, sizeof *binding);
  b->kernel = kernel;
  b->binding = binding;
  b->error = error;
  for (int32_t k = 0; k < count && !status; ++k)
    status = bindOne(b, &arguments[k]);
  if (!status)
    status = checkPresence(b, needOutputs);
  if (!status)
    status = einfallrt_solve(b);
  return status ? status : einfallrt_check_memory(b);
}

einfall_status einfall_bind(const einfall_kernel *kernel, const einfall_argument *arguments, int32_t count,
                            int32_t need_outputs, einfall_binding *binding, char *error, size_t error_size) {
  Binder binder;
  return einfallrt_bind(&binder, kernel, arguments, count, need_outputs, binding,
                        (ErrorText){error, error_size});
}
