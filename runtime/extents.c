/*===- extents.c - solve the extents of a call ------------------------------------===
 *
 * What may say an extent, in this order:
 *
 *   1. a number fixed at compile time,
 *   2. the shape of an input (less `plus`),
 *   3. a definition `rank M = |NP| * |C|`, or a default `split M = (N, C = 64)`;
 *      a default is silent where 1 or 2 spoke,
 *   4. a split: whole = product of its parts; one unknown part from the whole
 *      (the first is rounded up, another must divide exactly),
 *   5. the shape of an output, for what nothing else says.
 *
 * Definitions may need scalars and scalars' defaults may need extents, so 3 and
 * 4 repeat until nothing changes; a split speaks only when 3 has nothing more
 * to say. Whatever speaks second must agree with what was said first.
 *
 *===----------------------------------------------------------------------------===*/
#include "Internal.h"
#include "einfall/element.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "1024 in 'K'", "64 fixed at compile time": an extent and who said it. */
typedef struct Origin {
  char text[160];
} Origin;

static const char *rankName(const Binder *b, int32_t rank) { return b->kernel->ranks[rank].name; }

/* "T = (N, C)". */
static void printSplit(const Binder *b, int32_t split, char *text, size_t size) {
  const einfall_split_info *info = &b->kernel->splits[split];
  int used = snprintf(text, size, "%s = (", rankName(b, info->whole));
  for (int32_t k = 0; k < info->part_count && used > 0 && (size_t)used < size; ++k)
    used += snprintf(text + used, size - (size_t)used, "%s%s%s", k ? ", " : "", rankName(b, info->parts[k]),
                     k + 1 == info->part_count ? ")" : "");
}

static Origin originOf(const Binder *b, int64_t extent, Source source) {
  Origin o;
  char split[96];
  switch (source.kind) {
  case FROM_FIXED:
    snprintf(o.text, sizeof o.text, "%" PRId64 " fixed at compile time", extent);
    break;
  case FROM_TENSOR:
    snprintf(o.text, sizeof o.text, "%" PRId64 " in '%s'", extent, b->kernel->tensors[source.number].name);
    break;
  case FROM_DEFINITION:
    snprintf(o.text, sizeof o.text, "%" PRId64 " by its definition", extent);
    break;
  case FROM_DEFAULT:
    snprintf(o.text, sizeof o.text, "%" PRId64 " by default", extent);
    break;
  default:
    printSplit(b, source.number, split, sizeof split);
    snprintf(o.text, sizeof o.text, "%" PRId64 " by the split %s", extent, split);
    break;
  }
  return o;
}

/* Records or compares an extent. */
static einfall_status say(Binder *b, int32_t rank, int64_t extent, Source source) {
  int64_t *known = &b->binding->extent[rank];
  if (*known < 0) {
    *known = extent;
    b->source[rank] = source;
    return EINFALL_OK;
  }
  if (*known == extent)
    return EINFALL_OK;
  Origin first = originOf(b, *known, b->source[rank]), second = originOf(b, extent, source);
  return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "rank %s: %s, %s", rankName(b, rank), first.text,
                        second.text);
}

static einfall_status sayShapes(Binder *b, int32_t role) {
  for (int32_t t = 0; t < b->kernel->tensor_count; ++t) {
    const einfall_tensor_info *info = &b->kernel->tensors[t];
    if (!b->tensor[t] || info->role != role)
      continue;
    for (int32_t k = 0; k < info->rank; ++k) {
      const int64_t points = b->tensor[t]->shape[k], plus = info->plus ? info->plus[k] : 0;
      if (points < plus)
        return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                              "rank %s + %" PRId64 " of '%s' needs at least %" PRId64 " points, %" PRId64
                              " given",
                              rankName(b, info->ranks[k]), plus, info->name, plus, points);
      einfall_status status = say(b, info->ranks[k], points - plus, (Source){FROM_TENSOR, t});
      if (status)
        return status;
    }
  }
  return EINFALL_OK;
}

static ProgramInput programInput(const Binder *b) {
  return (ProgramInput){b->binding->extent,     b->kernel->scalars, b->binding->fscalar,
                        b->binding->iscalar,    b->scalarKnown,     b->kernel->rank_count,
                        b->kernel->scalar_count};
}

/* Definitions and defaults. A default is silent where an extent is known. */
static einfall_status sayDefinitions(Binder *b, int *changed) {
  for (int32_t r = 0; r < b->kernel->rank_count; ++r) {
    const einfall_rank_info *info = &b->kernel->ranks[r];
    const SourceKind kind = info->is_default ? FROM_DEFAULT : FROM_DEFINITION;
    if (!info->definition || b->source[r].kind == kind || (info->is_default && b->binding->extent[r] >= 0))
      continue;
    ProgramInput input = programInput(b);
    const Value v = einfallrt_evaluate(info->definition, &input);
    if (v.state == VALUE_UNKNOWN)
      continue;
    if (v.state != VALUE_KNOWN || v.isFloat)
      return einfallrt_fail(
          b->error, v.state == VALUE_BAD_PROGRAM || v.isFloat ? EINFALL_INTERNAL : EINFALL_BAD_ARGUMENT,
          "rank %s: its definition %s", info->name, einfallrt_reason(v.state));
    if (v.i < 0)
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT,
                            "rank %s: its definition gives %" PRId64 ", an extent cannot be negative",
                            info->name, v.i);
    *changed |= b->binding->extent[r] < 0;
    einfall_status status = say(b, r, v.i, (Source){kind, 0});
    if (status)
      return status;
  }
  return EINFALL_OK;
}

static einfall_status sayScalars(Binder *b, int *changed) {
  for (int32_t s = 0; s < b->kernel->scalar_count; ++s) {
    const einfall_scalar_info *info = &b->kernel->scalars[s];
    if (b->scalarKnown[s] || !info->default_value)
      continue;
    ProgramInput input = programInput(b);
    const Value v = einfallrt_evaluate(info->default_value, &input);
    if (v.state == VALUE_UNKNOWN)
      continue;
    if (v.state != VALUE_KNOWN)
      return einfallrt_fail(b->error, v.state == VALUE_BAD_PROGRAM ? EINFALL_INTERNAL : EINFALL_BAD_ARGUMENT,
                            "scalar '%s': its default %s", info->name, einfallrt_reason(v.state));
    if (einfall_type_is_float(info->type)) {
      b->binding->fscalar[s] = einfall_round_float(info->type, v.isFloat ? v.f : (double)v.i);
    } else {
      int64_t low, high;
      einfall_type_range(info->type, &low, &high);
      if (v.isFloat || v.i < low || v.i > high)
        return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "scalar '%s': its default does not fit %s",
                              info->name, einfall_type_name(info->type));
      b->binding->iscalar[s] = v.i;
      b->binding->fscalar[s] = (double)v.i;
    }
    b->scalarKnown[s] = 1;
    *changed = 1;
  }
  return EINFALL_OK;
}

/* Product of the parts of a split except `skip`; -1: one is unknown, -2: overflow. */
static int64_t productOf(const Binder *b, const einfall_split_info *split, int32_t skip) {
  int64_t product = 1;
  for (int32_t k = 0; k < split->part_count; ++k) {
    if (k == skip)
      continue;
    const int64_t extent = b->binding->extent[split->parts[k]];
    if (extent < 0)
      return -1;
    if (__builtin_mul_overflow(product, extent, &product))
      return -2;
  }
  return product;
}

/* "|J| = 4" or "|J|*|A| = 8": the parts except `skip`. */
static void printProduct(const Binder *b, const einfall_split_info *split, int32_t skip, int64_t product,
                         char *text, size_t size) {
  int used = 0, first = 1;
  text[0] = 0;
  for (int32_t k = 0; k < split->part_count && (size_t)used < size; ++k) {
    if (k == skip)
      continue;
    used +=
        snprintf(text + used, size - (size_t)used, "%s|%s|", first ? "" : "*", rankName(b, split->parts[k]));
    first = 0;
  }
  if ((size_t)used < size)
    snprintf(text + used, size - (size_t)used, " = %" PRId64, product);
}

static int64_t roundUp(int64_t whole, int64_t block) {
  return block == 0 ? 0 : whole / block + (whole % block != 0);
}

static einfall_status tooLarge(const Binder *b, int32_t split) {
  char text[96];
  printSplit(b, split, text, sizeof text);
  return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "split %s: the product of its parts exceeds 64 bits",
                        text);
}

/* The one unknown part of a split whose whole is known. */
static einfall_status sayPart(Binder *b, int32_t number, int32_t unknown) {
  const einfall_split_info *split = &b->kernel->splits[number];
  const int64_t whole = b->binding->extent[split->whole], others = productOf(b, split, unknown);
  if (others == -2)
    return tooLarge(b, number);
  char text[96];
  printProduct(b, split, unknown, others, text, sizeof text);
  if (others == 0 ? whole != 0 : unknown != 0 && whole % others != 0)
    return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "|%s| = %" PRId64 " is no multiple of %s",
                          rankName(b, split->whole), whole, text);
  return say(b, split->parts[unknown], roundUp(whole, others), (Source){FROM_SPLIT, number});
}

/* Whole and parts are known: the number of blocks must be the one needed. */
static einfall_status checkSplit(Binder *b, int32_t number) {
  const einfall_split_info *split = &b->kernel->splits[number];
  const int64_t whole = b->binding->extent[split->whole], block = productOf(b, split, 0);
  const int64_t blocks = b->binding->extent[split->parts[0]];
  if (block == -2)
    return tooLarge(b, number);
  if (block == 0 ? whole == 0 : roundUp(whole, block) == blocks)
    return EINFALL_OK;
  char text[96];
  printProduct(b, split, 0, block, text, sizeof text);
  Origin a = originOf(b, whole, b->source[split->whole]), c = originOf(b, blocks, b->source[split->parts[0]]);
  return einfallrt_fail(
      b->error, EINFALL_BAD_ARGUMENT, "rank %s: %s, but |%s| is %s and %s: %" PRId64 " blocks are needed",
      rankName(b, split->whole), a.text, rankName(b, split->parts[0]), c.text, text, roundUp(whole, block));
}

/* One split that can add an extent; `checkAll`: the splits that cannot. */
static einfall_status saySplits(Binder *b, int checkAll, int *changed) {
  for (int32_t s = 0; s < b->kernel->split_count; ++s) {
    const einfall_split_info *split = &b->kernel->splits[s];
    int32_t unknown = -1, unknownCount = 0;
    for (int32_t k = 0; k < split->part_count; ++k)
      if (b->binding->extent[split->parts[k]] < 0) {
        unknown = k;
        ++unknownCount;
      }
    const int wholeKnown = b->binding->extent[split->whole] >= 0;
    einfall_status status = EINFALL_OK;
    if (wholeKnown && unknownCount == 1) {
      status = sayPart(b, s, unknown);
      *changed = 1;
    } else if (!wholeKnown && unknownCount == 0) {
      const int64_t product = productOf(b, split, -1);
      status = product == -2 ? tooLarge(b, s) : say(b, split->whole, product, (Source){FROM_SPLIT, s});
      *changed = 1;
    } else if (wholeKnown && unknownCount == 0 && checkAll) {
      status = checkSplit(b, s);
    }
    if (status || *changed)
      return status;
  }
  return EINFALL_OK;
}

static einfall_status propagate(Binder *b) {
  int changed = 1;
  while (changed) {
    changed = 0;
    einfall_status status = sayScalars(b, &changed);
    if (!status)
      status = sayDefinitions(b, &changed);
    if (!status && !changed)
      status = saySplits(b, 0, &changed);
    if (status)
      return status;
  }
  return EINFALL_OK;
}

static einfall_status checkComplete(Binder *b) {
  for (int32_t r = 0; r < b->kernel->rank_count; ++r)
    if (b->binding->extent[r] < 0)
      return einfallrt_fail(
          b->error, EINFALL_BAD_ARGUMENT,
          "rank %s has no extent: no argument given has it, and no split or definition yields it",
          rankName(b, r));
  for (int32_t s = 0; s < b->kernel->scalar_count; ++s)
    if (!b->scalarKnown[s])
      return einfallrt_fail(b->error, EINFALL_BAD_ARGUMENT, "scalar '%s': its default depends on itself",
                            b->kernel->scalars[s].name);
  return EINFALL_OK;
}

einfall_status einfallrt_solve(Binder *b) {
  for (int32_t r = 0; r < b->kernel->rank_count; ++r) {
    const int64_t fixed = b->kernel->ranks[r].fixed;
    b->binding->extent[r] = fixed >= 0 ? fixed : -1;
    b->source[r] = (Source){fixed >= 0 ? FROM_FIXED : FROM_NOWHERE, 0};
  }
  int changed = 0;
  einfall_status status = sayShapes(b, EINFALL_INPUT);
  if (!status)
    status = propagate(b);
  if (!status)
    status = sayShapes(b, EINFALL_OUTPUT);
  if (!status)
    status = propagate(b);
  if (!status)
    status = saySplits(b, 1, &changed);
  return status ? status : checkComplete(b);
}
