/*===- runtime.h - what a compiled cascade needs to run -----------------------===
 *
 * C11, no LLVM, no C++ library. A compiled cascade is one `einfall_kernel`: a
 * constant description of its tensors, ranks and scalars, and two generated
 * functions. `einfall_run` binds arguments to it, checks every extent, type and
 * stride *before the first write*, and runs it on a pool of threads.
 *
 * The same structures serve ahead-of-time objects, the JIT and the interpreter
 * (which only uses `einfall_bind`).
 *
 *===---------------------------------------------------------------------------===*/
#ifndef EINFALL_RUNTIME_H
#define EINFALL_RUNTIME_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EINFALL_ABI 1

/* Element types; values are those of the compiler's `ein::Type`. */
typedef enum einfall_type {
  EINFALL_F64,
  EINFALL_F32,
  EINFALL_F16,
  EINFALL_BF16,
  EINFALL_F8E4M3,
  EINFALL_F8E5M2,
  EINFALL_I64,
  EINFALL_I32,
  EINFALL_I16,
  EINFALL_I8,
  EINFALL_I4,
  EINFALL_U8,
  EINFALL_BOOL,
  EINFALL_INDEX
} einfall_type;

#define EINFALL_MAX_RANKS 16    /* of one tensor */
#define EINFALL_MAX_EXTENTS 64  /* ranks of one cascade */
#define EINFALL_MAX_SCALARS 64  /* scalars of one cascade */
#define EINFALL_MAX_TENSORS 256 /* tensors in one header */

/* A tensor argument. `stride` is in elements, one per rank; i4 packs two
 * elements a byte along the last rank, which must be dense. */
typedef struct einfall_tensor {
  void *data;
  einfall_type type;
  int32_t rank;
  int64_t shape[EINFALL_MAX_RANKS];
  int64_t stride[EINFALL_MAX_RANKS];
} einfall_tensor;

/* Error codes of the calls below. */
typedef enum einfall_status {
  EINFALL_OK = 0,
  EINFALL_BAD_ARGUMENT = 1, /* the message names tensor, rank and numbers; nothing was written */
  EINFALL_OUT_OF_MEMORY = 2,
  EINFALL_INTERNAL = 3
} einfall_status;

/* ---- description of a kernel (constant data, filled by the compiler) ---- */

/* Extents and scalar defaults are postfix programs over int64 and double. */
typedef enum einfall_opcode {
  EINFALL_OP_END,
  EINFALL_OP_INT,
  EINFALL_OP_FLOAT,
  EINFALL_OP_EXTENT,
  EINFALL_OP_SCALAR,
  EINFALL_OP_NEG,
  EINFALL_OP_ADD,
  EINFALL_OP_SUB,
  EINFALL_OP_MUL,
  EINFALL_OP_DIV,
  EINFALL_OP_IDIV,
  EINFALL_OP_MOD,
  EINFALL_OP_POW,
  EINFALL_OP_MIN,
  EINFALL_OP_MAX,
  EINFALL_OP_LT,
  EINFALL_OP_LE,
  EINFALL_OP_GT,
  EINFALL_OP_GE,
  EINFALL_OP_EQ,
  EINFALL_OP_NE,
  EINFALL_OP_AND,
  EINFALL_OP_OR,
  EINFALL_OP_NOT,
  EINFALL_OP_IF, /* c a b -> c ? a : b, both evaluated */
  EINFALL_OP_FLOAT_OF,
  EINFALL_OP_INT_OF,
  EINFALL_OP_CALL,  /* operand: ein::Fn */
  EINFALL_OP_CAST,  /* operand: einfall_type; rounds, integers toward zero and saturating */
  EINFALL_OP_ELSE,  /* x v -> x, or v where x has no value (a division by 0) */
  EINFALL_OP_EXISTS /* x -> 1 where x has a value, else 0 */
} einfall_opcode;

typedef struct einfall_instruction {
  int32_t opcode;
  int32_t operand; /* rank, scalar or function number */
  union {
    int64_t i;
    double f;
  } value;
} einfall_instruction;

typedef struct einfall_rank_info {
  const char *name;
  int64_t fixed;                         /* -1: not fixed at compile time */
  const einfall_instruction *definition; /* NULL: none */
  int32_t is_default;                    /* an argument's extent wins over the definition */
} einfall_rank_info;

typedef struct einfall_split_info {
  int32_t whole, part_count;
  const int32_t *parts; /* outermost first */
} einfall_split_info;

enum { EINFALL_INPUT = 0, EINFALL_OUTPUT = 1 };

typedef struct einfall_tensor_info {
  const char *name;
  int32_t role, type, rank;
  const int32_t *ranks;      /* rank numbers */
  const int32_t *plus;       /* `ptr[B + 1]`: 1 */
  const void *default_value; /* one element; NULL: the argument is required */
} einfall_tensor_info;

typedef struct einfall_scalar_info {
  const char *name;
  int32_t type;
  const einfall_instruction *default_value; /* NULL: required */
} einfall_scalar_info;

/* What generated code sees. Extents by rank number, tensors and scalars by
 * their number in the description. */
typedef struct einfall_frame {
  const int64_t *extent;
  void *const *data;
  const int64_t *const *stride;
  const double *fscalar;  /* float scalars; integers converted */
  const int64_t *iscalar; /* integer and bool scalars */
  char *workspace;        /* shared, 64-byte aligned */
  char *scratch;          /* thread_count regions of scratch_bytes each */
  int64_t scratch_bytes;
  int64_t thread_count;
  void *pool;
} einfall_frame;

typedef void (*einfall_task)(const einfall_frame *frame, void *environment, int64_t task, int64_t thread);

typedef struct einfall_kernel {
  int32_t abi; /* EINFALL_ABI */
  int32_t rank_count, split_count, tensor_count, scalar_count;
  const char *name;
  const einfall_rank_info *ranks;
  const einfall_split_info *splits;
  const einfall_tensor_info *tensors; /* header order: inputs, outputs */
  const einfall_scalar_info *scalars;
  /* sizes[0]: bytes of workspace, sizes[1]: bytes of scratch a thread; only
   * frame->extent and the scalars are valid. */
  void (*sizes)(const einfall_frame *frame, int64_t *sizes);
  void (*main)(const einfall_frame *frame);
} einfall_kernel;

/* ---- calls ---- */

/* A named argument. Scalars: tensor is NULL and the value is in i or f as the
 * scalar's type asks (`is_float` says which one the caller filled). */
typedef struct einfall_argument {
  const char *name;
  const einfall_tensor *tensor;
  int32_t is_float;
  int64_t i;
  double f;
} einfall_argument;

/* Extents and scalars of a call, in the order of the description. */
typedef struct einfall_binding {
  int64_t extent[EINFALL_MAX_EXTENTS];
  double fscalar[EINFALL_MAX_SCALARS];  /* rounded to the declared type; integers converted */
  int64_t iscalar[EINFALL_MAX_SCALARS]; /* integers and bools; 0 for floats */
} einfall_binding;

/* Solves all extents from the arguments' shapes, fixed extents, definitions and
 * splits, and checks everything that can be checked. Outputs may be absent here
 * (their shape is then what the binding says). `error` receives a text of one
 * line that ends with the rule, `[ein-c1]`. Reads no element of any tensor.
 * `index` tensors are int64 in memory; no other types are interchangeable. */
einfall_status einfall_bind(const einfall_kernel *kernel, const einfall_argument *arguments, int32_t count,
                            int32_t need_outputs, einfall_binding *binding, char *error, size_t error_size);

/* A pool of pinned persistent threads; the calling thread takes part.
 * threads <= 0: all cores this process may use. NULL: out of memory. */
typedef struct einfall_pool einfall_pool;
einfall_pool *einfall_pool_create(int32_t threads);
void einfall_pool_destroy(einfall_pool *pool);
int32_t einfall_pool_threads(const einfall_pool *pool);

/* Binds, allocates the workspace, runs. pool NULL: the calling thread alone. */
einfall_status einfall_run(const einfall_kernel *kernel, const einfall_argument *arguments, int32_t count,
                           einfall_pool *pool, char *error, size_t error_size);

/* ---- conveniences ---- */

static inline einfall_argument einfall_tensor_argument(const char *name, const einfall_tensor *tensor) {
  einfall_argument argument = {name, tensor, 0, 0, 0};
  return argument;
}
static inline einfall_argument einfall_float_argument(const char *name, double value) {
  einfall_argument argument = {name, NULL, 1, 0, value};
  return argument;
}
static inline einfall_argument einfall_integer_argument(const char *name, int64_t value) {
  einfall_argument argument = {name, NULL, 0, value, 0};
  return argument;
}

/* A dense row-major tensor; rows of i4 begin at a byte. */
static inline einfall_tensor einfall_dense(void *data, einfall_type type, int32_t rank,
                                           const int64_t *shape) {
  einfall_tensor tensor = {data, type, rank, {0}, {0}};
  int64_t stride = 1;
  for (int32_t k = rank - 1; k >= 0; --k) {
    tensor.shape[k] = shape[k];
    tensor.stride[k] = stride;
    stride *= shape[k] > 0 ? shape[k] : 1;
    if (type == EINFALL_I4 && k == rank - 1)
      stride += stride % 2;
  }
  return tensor;
}

/* ---- called by generated code ---- */

/* Runs task 0 .. count-1, each once, in any order on any thread. */
void einfall_parallel(const einfall_frame *frame, einfall_task task, void *environment, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
