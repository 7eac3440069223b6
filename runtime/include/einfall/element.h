/*===- element.h - one element of a tensor as bits ------------------------------===
 *
 * Conversions between a number and the bits that an element of each type holds.
 * Used where single values matter (defaults, scalars, files); generated code
 * converts on its own.
 *
 *===----------------------------------------------------------------------------===*/
#ifndef EINFALL_ELEMENT_H
#define EINFALL_ELEMENT_H
#include "einfall/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `bf16`, as written in `.ein` text; "?" for a number that is no type. */
const char *einfall_type_name(int32_t type);

/* Storage in bits: 4 for i4, 8 for bool, 64 for index; 0 for no type. */
int32_t einfall_type_bits(int32_t type);

/* 1 for f64 .. f8e5m2, 0 for integers and bool. */
int32_t einfall_type_is_float(int32_t type);

/* Smallest and largest value of an integer type or bool. */
void einfall_type_range(int32_t type, int64_t *low, int64_t *high);

/* Bits (in the low end) of `value` as a float type: round to nearest even,
 * overflow to infinity (f8e4m3, which has none, to NaN). */
uint64_t einfall_encode_float(int32_t type, double value);
double einfall_decode_float(int32_t type, uint64_t bits);

/* Toward zero, saturating, NaN to 0: `cast` to an integer type. */
int64_t einfall_saturate(int32_t type, double value);

/* `value` as an element of a float type holds it. */
double einfall_round_float(int32_t type, double value);

/* The element (its bits in the low end) that a constant program gives, one
 * that reads no extent and no scalar. 0: the program has no value. */
int32_t einfall_constant_element(const einfall_instruction *program, int32_t type, uint64_t *bits);

#ifdef __cplusplus
}
#endif
#endif
