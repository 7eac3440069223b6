/*===- einfall.h - compile and run cascades from C ------------------------------------===
 *
 *   einfall_program *program;
 *   char error[4096];
 *   if (einfall_compile_file("attention.ein", NULL, &program, error, sizeof error))
 *     fputs(error, stderr);
 *   einfall_program_run(program, arguments, count, pool, error, sizeof error);
 *
 * Handles are opaque. A call that can fail returns an `einfall_status` and fills
 * a text of at most `error_size` bytes, its end included; what does not fit is
 * cut. After a failure nothing was written to any output. Arguments, tensors and
 * pools are those of einfall/runtime.h.
 *
 * A program may be run from several threads at once. Options and programs are
 * otherwise used by one thread at a time.
 *
 * Every function says since which version of this interface it exists.
 *
 *===-------------------------------------------------------------------------------===*/
#ifndef EINFALL_H
#define EINFALL_H
#include "einfall/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EINFALL_API_VERSION 1

/* The version of the library that is loaded. Since 1. */
int32_t einfall_api_version(void);

/* ---- options ---- */

typedef struct einfall_options einfall_options;

/* NULL: out of memory. Since 1. */
einfall_options *einfall_options_create(void);
void einfall_options_destroy(einfall_options *options);

/* Keys, with the meaning of the command line. Since 1.
 *   target    native (default), x86-64-v3, x86-64-v4, a processor's name
 *   entry     which cascade, where a text has several
 *   require   fused: refuse to store an intermediate with two token ranks
 *   rank.E    an extent fixed at compile time
 *   param.w   a compile-time constant
 *   dtype.Q   an element type; dtype.all: of every float tensor
 * Unknown keys and malformed values are errors; names are checked when compiling. */
einfall_status einfall_options_set(einfall_options *options, const char *key, const char *value, char *error,
                                   size_t error_size);

/* ---- programs ---- */

typedef struct einfall_program einfall_program;

/* Checks, compiles and loads a cascade. `name` stands in messages for the file.
 * `options` NULL: defaults. EINFALL_BAD_ARGUMENT: the text or an option is wrong,
 * `error` holds the diagnostics; EINFALL_INTERNAL: a defect of Einfall. Since 1. */
einfall_status einfall_compile(const char *name, const char *text, const einfall_options *options,
                               einfall_program **program, char *error, size_t error_size);
einfall_status einfall_compile_file(const char *path, const einfall_options *options,
                                    einfall_program **program, char *error, size_t error_size);
void einfall_program_destroy(einfall_program *program);

/* The description, for einfall_bind (extents of a call, without running it).
 * Lives as long as the program. Since 1. */
const einfall_kernel *einfall_program_kernel(const einfall_program *program);

/* Checks every argument, then runs. pool NULL: the calling thread alone. Since 1. */
einfall_status einfall_program_run(const einfall_program *program, const einfall_argument *arguments,
                                   int32_t count, einfall_pool *pool, char *error, size_t error_size);

/* Texts of a program: "name", "ein" (canonical), "header" and "json" (NAME.h and
 * NAME.json of an ahead-of-time kernel), "explain" (JSON: passes, rewrites, what
 * is stored). NULL: no such text. Lives as long as the program. Since 1. */
const char *einfall_program_text(const einfall_program *program, const char *what);

/* The relocatable object, as `einfall compile` writes it. Since 1. */
const void *einfall_program_object(const einfall_program *program, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
