/* The formats that a program speaks: one number for what is stored, what is said, and the rules by which operations are
 * applied (docs/formats.md). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/format.h"

#define FORMAT_RANGE_SINCE 3    /* a hello of an older program names a single format */
#define FORMAT_HIGHEST 1000u    /* of any version to come; a larger number is none */

struct format_range {
	uint32_t low, high;
};

/* This program's. */
#define FORMAT_RANGE_OWN ((struct format_range){FORMAT_LOW, FORMAT_HIGH})

/* Both ends are formats, in this order. */
bool format_range_valid(struct format_range range);
bool format_range_overlaps(struct format_range a, struct format_range b);
/* True of format 0, which is none. */
bool format_range_includes(struct format_range range, uint32_t format);
