/*===- support.h - functions that generated code calls ----------------------------===
 *
 * Sorting and selecting along one rank (ein-r18). The caller gathers one row of
 * `n` values and, where points may be missing, one byte a point (`exists`, 0:
 * missing; NULL: all exist). Order everywhere: largest first, NaN last, ties by
 * the smaller coordinate. None of these allocates.
 *
 *===----------------------------------------------------------------------------===*/
#ifndef EINFALL_SUPPORT_H
#define EINFALL_SUPPORT_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills `order[0 .. m)` with the coordinates that exist, in order, returns m.
 * `argsort[n; s] x` is order[s] for 0 <= s < m. `order` holds n entries. */
int64_t einfall_order_f32(const float *x, const uint8_t *exists, int64_t n, int64_t *order);
int64_t einfall_order_f64(const double *x, const uint8_t *exists, int64_t n, int64_t *order);
int64_t einfall_order_i64(const int64_t *x, const uint8_t *exists, int64_t n, int64_t *order);

/* `place[n] x`: place[c] = how many points come before c; only where it exists.
 * `order` is room for n entries and afterwards as above. Returns m. */
int64_t einfall_place_f32(const float *x, const uint8_t *exists, int64_t n, int64_t *place, int64_t *order);
int64_t einfall_place_f64(const double *x, const uint8_t *exists, int64_t n, int64_t *place, int64_t *order);
int64_t einfall_place_i64(const int64_t *x, const uint8_t *exists, int64_t n, int64_t *place, int64_t *order);

/* `top[n; k] x`: selected[c] = 1 at the k largest (all that exist when fewer),
 * else 0. `heap` is room for min(k, n) entries, at least one. Returns how many
 * were selected. O(n log k). */
int64_t einfall_top_f32(const float *x, const uint8_t *exists, int64_t n, int64_t k, uint8_t *selected,
                        int64_t *heap);
int64_t einfall_top_f64(const double *x, const uint8_t *exists, int64_t n, int64_t k, uint8_t *selected,
                        int64_t *heap);
int64_t einfall_top_i64(const int64_t *x, const uint8_t *exists, int64_t n, int64_t k, uint8_t *selected,
                        int64_t *heap);

/* `top_mass[n; t] x`: selected[c] = 1 on the shortest prefix, largest first,
 * whose sum reaches t times the total, else on all. `order` holds n entries and
 * afterwards as above. Returns how many were selected. */
int64_t einfall_top_mass_f32(const float *x, const uint8_t *exists, int64_t n, double t, uint8_t *selected,
                             int64_t *order);
int64_t einfall_top_mass_f64(const double *x, const uint8_t *exists, int64_t n, double t, uint8_t *selected,
                             int64_t *order);
int64_t einfall_top_mass_i64(const int64_t *x, const uint8_t *exists, int64_t n, double t, uint8_t *selected,
                             int64_t *order);

/* `coordinates[n; s] c`: the coordinates where `holds` is not 0, ascending, in
 * `list`; returns how many. */
int64_t einfall_coordinates(const uint8_t *holds, int64_t n, int64_t *list);

#ifdef __cplusplus
}
#endif
#endif
