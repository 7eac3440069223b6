/*===- Internal.h - what the files of the runtime share --------------------------===*/
#ifndef EINFALL_RUNTIME_INTERNAL_H
#define EINFALL_RUNTIME_INTERNAL_H
#include "einfall/runtime.h"
#include <stdarg.h>

/* ---- error.c ---- */

/* Where the text of an error goes. */
typedef struct ErrorText {
  char *text;
  size_t size;
} ErrorText;

/* Writes a text and returns `status`, so that a check reads `return fail(..)`.
 * Bad arguments get the rule ` [ein-c1]` at the end, even of a cut text. */
einfall_status einfallrt_fail(ErrorText error, einfall_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- program.c ---- */

/* Why an evaluation has no number. */
typedef enum ValueState {
  VALUE_KNOWN,
  VALUE_UNKNOWN, /* needs an extent or scalar that is not known yet */
  VALUE_DIVIDES_BY_0,
  VALUE_OVERFLOWS,
  VALUE_NEGATIVE_EXPONENT,
  VALUE_BAD_PROGRAM
} ValueState;

typedef struct Value {
  ValueState state;
  int32_t isFloat;
  int64_t i;
  double f;
} Value;

/* What a program may read; `extent[r]` is -1 while unknown, `scalarKnown` 0. */
typedef struct ProgramInput {
  const int64_t *extent;
  const einfall_scalar_info *scalars;
  const double *fscalar;
  const int64_t *iscalar;
  const char *scalarKnown;
  int32_t extentCount, scalarCount;
} ProgramInput;

Value einfallrt_evaluate(const einfall_instruction *program, const ProgramInput *input);

/* "divides by 0", "exceeds 64 bits"; for messages. */
const char *einfallrt_reason(ValueState state);

/* ---- binding ---- */

/* Who said an extent first; for the messages of a conflict. */
typedef enum SourceKind {
  FROM_NOWHERE,
  FROM_FIXED,
  FROM_TENSOR,
  FROM_DEFINITION,
  FROM_DEFAULT,
  FROM_SPLIT
} SourceKind;

typedef struct Source {
  SourceKind kind;
  int32_t number; /* of the tensor or split */
} Source;

typedef struct Binder {
  const einfall_kernel *kernel;
  const einfall_tensor *tensor[EINFALL_MAX_TENSORS]; /* by description number; NULL: absent */
  einfall_binding *binding;
  Source source[EINFALL_MAX_EXTENTS];
  char scalarKnown[EINFALL_MAX_SCALARS];
  ErrorText error;
} Binder;

/* bind.c: einfall_bind that also leaves the tensors in `binder`. */
einfall_status einfallrt_bind(Binder *binder, const einfall_kernel *kernel, const einfall_argument *arguments,
                              int32_t count, int32_t need_outputs, einfall_binding *binding, ErrorText error);

/* extents.c: solves extents and scalar defaults to a fixed point. */
einfall_status einfallrt_solve(Binder *binder);

/* memory.c: data pointers, strides, overlap; after the extents are known. */
einfall_status einfallrt_check_memory(const Binder *binder);

/* overlap.c: 1 if two different elements of `t` may share memory. */
int einfallrt_aliases_itself(const einfall_tensor *t);
/* 1 unless no byte of `a` is a byte of `b`. Exact for views of one dense buffer. */
int einfallrt_overlap(const einfall_tensor *a, const einfall_tensor *b);

/* ---- pool.c ---- */

/* Keeps one block of memory between calls: large workspaces would otherwise
 * be mapped and cleared by the system at every call. */
void *einfallrt_take_block(einfall_pool *pool, size_t bytes, size_t *capacity);
void einfallrt_give_block(einfall_pool *pool, void *block, size_t capacity);

#endif
