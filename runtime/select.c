/*===- select.c - order, place, top, top_mass along one row ---------------------------===
 *
 * One body for three element types: select_row.inc is included once for each.
 * The order is total (ties go to the smaller coordinate), so that every
 * algorithm gives the same answer on every machine.
 *
 *===----------------------------------------------------------------------------===*/
#include "einfall/support.h"

/* NaN != NaN: a NaN comes after every number. */
#define DEFINE_BEFORE(NAME, TYPE)                                                                            \
  static int NAME(const TYPE *x, int64_t a, int64_t b) {                                                     \
    const int nanA = x[a] != x[a], nanB = x[b] != x[b];                                                      \
    if (nanA != nanB)                                                                                        \
      return nanB;                                                                                           \
    if (!nanA && x[a] != x[b])                                                                               \
      return x[a] > x[b];                                                                                    \
    return a < b;                                                                                            \
  }

#define ELEMENT float
#define NAMED(base) base##_f32
#include "select_row.inc"
#undef ELEMENT
#undef NAMED

#define ELEMENT double
#define NAMED(base) base##_f64
#include "select_row.inc"
#undef ELEMENT
#undef NAMED

#define ELEMENT int64_t
#define NAMED(base) base##_i64
#include "select_row.inc"
#undef ELEMENT
#undef NAMED

int64_t einfall_coordinates(const uint8_t *holds, int64_t n, int64_t *list) {
  int64_t count = 0;
  for (int64_t c = 0; c < n; ++c)
    if (holds[c])
      list[count++] = c;
  return count;
}
