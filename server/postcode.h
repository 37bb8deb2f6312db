/* UK postcodes: normal form and grammar (BS 7666). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define POSTCODE_SIZE 9 /* "AA9A 9AA" and a NUL */

/* Trims blanks, upper-cases, puts one space before the last three, and checks the strict grammar: A9 9AA, A99 9AA,
 * AA9 9AA, AA99 9AA, A9A 9AA, AA9A 9AA with its letter restrictions, and GIR 0AA. Text need not be NUL-terminated; a
 * NUL or a non-ASCII byte within makes it invalid. False: no postcode; out is then undefined. */
bool postcode_normalise(const char *text, size_t size, char out[static POSTCODE_SIZE]);
