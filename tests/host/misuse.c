/* Wrong calls of the C interface: each must come back with a status and a text. */
#include "einfall.h"
#include <stdio.h>
#include <string.h>

static char error[4096];
static int failures;

static void expect(const char *what, einfall_status got, einfall_status wanted, const char *part) {
  const int good = got == wanted && strstr(error, part) != NULL;
  printf("%s %s: %d '%s'\n", good ? "ok" : "bad", what, (int)got, good ? "" : error);
  failures += !good;
}

int main(void) {
  const char *const text = "cascade scaled(X[P] : f32, s : f32 = 2) -> (Y[P] : f32) { Y[p] = s * X[p] }";
  const char *const two = "cascade a(X[P] : f32) -> (Y[P] : f32) { Y[p] = X[p] }\n"
                          "cascade b(X[P] : f32) -> (Y[P] : f32) { Y[p] = X[p] }";
  einfall_program *program = NULL;
  einfall_options *options = einfall_options_create();

  expect("null text", einfall_compile("a", NULL, NULL, &program, error, sizeof error), EINFALL_BAD_ARGUMENT,
         "null");
  expect("null handle", einfall_compile("a", text, NULL, NULL, error, sizeof error), EINFALL_BAD_ARGUMENT,
         "null");
  expect("no error buffer", einfall_compile("a", "?", NULL, &program, NULL, 0), EINFALL_BAD_ARGUMENT, "");
  expect("no file", einfall_compile_file("/nowhere/x.ein", NULL, &program, error, sizeof error),
         EINFALL_BAD_ARGUMENT, "cannot read '/nowhere/x.ein'");
  expect("syntax", einfall_compile("a.ein", "cascade", NULL, &program, error, sizeof error),
         EINFALL_BAD_ARGUMENT, "[ein-r1]");
  expect("several", einfall_compile("a.ein", two, NULL, &program, error, sizeof error), EINFALL_BAD_ARGUMENT,
         "choose one with option 'entry'");
  expect("unknown option", einfall_options_set(options, "speed", "9", error, sizeof error),
         EINFALL_BAD_ARGUMENT, "no option 'speed'");
  expect("bad extent", einfall_options_set(options, "rank.P", "4x", error, sizeof error),
         EINFALL_BAD_ARGUMENT, "no extent");
  expect("bad type", einfall_options_set(options, "dtype.X", "f31", error, sizeof error),
         EINFALL_BAD_ARGUMENT, "no element type");
  expect("fixed extent", einfall_options_set(options, "rank.P", "4", error, sizeof error), EINFALL_OK, "");
  expect("target", einfall_options_set(options, "target", "pentium9", error, sizeof error), EINFALL_OK, "");
  expect("unknown target", einfall_compile("a.ein", text, options, &program, error, sizeof error),
         EINFALL_BAD_ARGUMENT, "unknown target 'pentium9'");
  einfall_options_set(options, "target", "native", error, sizeof error);
  expect("compile", einfall_compile("a.ein", text, options, &program, error, sizeof error), EINFALL_OK, "");
  if (!program)
    return 1;

  float x[4] = {1, 2, 3, 4}, y[4] = {0};
  const int64_t four = 4, three = 3;
  einfall_tensor tx = einfall_dense(x, EINFALL_F32, 1, &four), ty = einfall_dense(y, EINFALL_F32, 1, &four);
  einfall_tensor shorter = einfall_dense(x, EINFALL_F32, 1, &three);
  einfall_argument arguments[] = {einfall_tensor_argument("X", &tx), einfall_tensor_argument("Y", &ty)};
  expect("run", einfall_program_run(program, arguments, 2, NULL, error, sizeof error), EINFALL_OK, "");
  expect("result", y[3] == 8 ? EINFALL_OK : EINFALL_INTERNAL, EINFALL_OK, "");
  arguments[0].tensor = &shorter;
  expect("wrong shape", einfall_program_run(program, arguments, 2, NULL, error, sizeof error),
         EINFALL_BAD_ARGUMENT, "rank P: 4 fixed at compile time, 3 in 'X' [ein-c1]");
  expect("null program", einfall_program_run(NULL, arguments, 2, NULL, error, sizeof error),
         EINFALL_BAD_ARGUMENT, "null");
  size_t size = 0;
  expect("object", einfall_program_object(program, &size) && size > 0 ? EINFALL_OK : EINFALL_INTERNAL,
         EINFALL_OK, "");
  expect("texts",
         einfall_program_text(program, "header") && einfall_program_text(program, "explain") &&
                 !einfall_program_text(program, "nonsense") &&
                 strcmp(einfall_program_text(program, "name"), "scaled") == 0
             ? EINFALL_OK
             : EINFALL_INTERNAL,
         EINFALL_OK, "");
  einfall_program_destroy(program);
  einfall_program_destroy(NULL);
  einfall_options_destroy(options);
  einfall_options_destroy(NULL);
  return failures != 0;
}
