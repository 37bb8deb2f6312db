/* UK postcodes: normal form and grammar (BS 7666). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define POSTCODE_SIZE 9 /* "AA9A 9AA" and a NUL */

/* Why postcode_normalise refuses, for people. */
#define POSTCODE_NO_FORM "it does not have the form of a British postcode, like DH1 3LE"

/* Trims white space of any kind, drops invisible characters that come with copied text (no width, soft hyphen,
 * direction marks but not overrides), upper-cases, puts one space before the last three, and checks the strict
 * grammar: A9 9AA, A99 9AA, AA9 9AA, AA99 9AA, A9A 9AA, AA9A 9AA with its letter restrictions (BFPO's BF1 and the
 * non-geographic BX among them), and what Royal Mail uses outside it: GIR 0AA, XX9 9AA and XX99 9AA (returns to mail
 * order), XM4 5HQ (Father Christmas) and the one postcode of each overseas territory that has one in this form (ASCN
 * 1ZZ ... TKCA 1ZZ). Post codes of territories that use another form (AI-2640, KY1-1100, MSR1110, VG1110) are refused.
 * Text need not be NUL-terminated; a NUL or any other character that is not ASCII makes it invalid. False: no
 * postcode; out is then undefined. */
bool postcode_normalise(const char *text, size_t size, char out[static POSTCODE_SIZE]);

/* Whether a postcode lies in an area that the data of the Office for National Statistics, on which both providers are
 * built, does not cover completely: the forces' (BF), those that are not places (BX, XX, XM4 5HQ, GIR 0AA), the Crown
 * dependencies (GY, IM, JE), Gibraltar (GX) and the overseas territories. There "not found" proves nothing. postcode:
 * normalised. */
bool postcode_is_beyond_directories(const char *postcode);
