#include "rpc/base/postcode.h"

#include <stdint.h>
#include <string.h>

#include "rpc/base/utf8.h"

/* The letters that BS 7666 allows, by position. District digits are not restricted by it. */
static const char AREA_FIRST[] = "ABCDEFGHIJKLMNOPRSTUWYZ";   /* not Q V X */
static const char AREA_SECOND[] = "ABCDEFGHKLMNOPQRSTUVWXY";  /* not I J Z */
static const char THIRD_OF_A9A[] = "ABCDEFGHJKPSTUW";
static const char FOURTH_OF_AA9A[] = "ABEHMNPRVWXY";
static const char UNIT[] = "ABDEFGHJLNPQRSTUWXYZ";            /* not C I K M O V */

/* Postcodes that follow no rule: Girobank's, which is in the standard by name, Father Christmas's, and one for each
 * overseas territory that has adopted this form. */
static const char *const SPECIAL[] = {"GIR 0AA",  "XM4 5HQ",  "ASCN 1ZZ", "BBND 1ZZ", "BIQQ 1ZZ", "FIQQ 1ZZ",
				      "PCRN 1ZZ", "SIQQ 1ZZ", "STHL 1ZZ", "TDCU 1ZZ", "TKCA 1ZZ"};
#define SPECIAL_COUNT (sizeof SPECIAL / sizeof SPECIAL[0])

/* Areas (the letters before the first digit) that the providers' data does not cover. */
static const char *const BEYOND[] = {"BF", "BX", "GX", "GY", "IM", "JE", "XX"};

#define INWARD 3
#define OUTWARD_MAX 4
#define PLAIN_MAX (OUTWARD_MAX + 1 + INWARD + 1) /* and a blank after it */

/* Invisible characters that come with a postcode copied from a page or a document: soft hyphen, characters of no
 * width, direction marks. Direction overrides are not among them, because they change the postcode that is
 * displayed. */
static bool is_dust(uint32_t character)
{
	return character == 0xad || character == 0x61c || (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x202a && character <= 0x202c) || character == 0x2060 ||
	       (character >= 0x2066 && character <= 0x2069) || character == 0xfeff;
}

/* Converts the text to ASCII: any white space becomes one blank, leading blanks and invisible characters are dropped.
 * Returns its size, or 0 when it contains anything else, or more than any postcode. */
static size_t plain_text(const char *text, size_t size, char out[static PLAIN_MAX])
{
	size_t used = 0, taken;

	for (size_t at = 0; at < size; at += taken) {
		uint32_t character;

		taken = utf8_take((const uint8_t *)text + at, size - at, &character);
		if (taken == 0)
			return 0;
		if (is_dust(character))
			continue;
		if (utf8_space(character)) {
			if (used == 0 || out[used - 1] == ' ')
				continue;
			character = ' ';
		}
		if (character > 0x7f || used == PLAIN_MAX)
			return 0;
		out[used++] = (char)character;
	}
	return used > 0 && out[used - 1] == ' ' ? used - 1 : used;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* strchr alone would find the NUL that ends the set. */
static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_special(const char *postcode)
{
	for (size_t i = 0; i < SPECIAL_COUNT; i++)
		if (strcmp(postcode, SPECIAL[i]) == 0)
			return true;
	return false;
}

/* No area of the standard begins with X. */
static bool is_returns(const char *outward, size_t size)
{
	return (size == 3 || size == 4) && outward[0] == 'X' && outward[1] == 'X' && is_digit(outward[2]) &&
	       (size == 3 || is_digit(outward[3]));
}

static bool outward_is_good(const char *outward, size_t size)
{
	if (is_returns(outward, size))
		return true;
	if (size < 2 || !is_one_of(outward[0], AREA_FIRST))
		return false;
	const char *district = outward + 1;
	const char *last_letters = THIRD_OF_A9A;
	if (!is_digit(*district)) {
		if (!is_one_of(*district, AREA_SECOND))
			return false;
		district++;
		last_letters = FOURTH_OF_AA9A;
	}
	size_t left = size - (size_t)(district - outward);
	if (left < 1 || left > 2 || !is_digit(district[0]))
		return false;
	return left == 1 || is_digit(district[1]) || is_one_of(district[1], last_letters);
}

static bool inward_is_good(const char *inward)
{
	return is_digit(inward[0]) && is_one_of(inward[1], UNIT) && is_one_of(inward[2], UNIT);
}

/* Blanks may stand around the postcode and where its space belongs, nowhere else: "D H1 3LE" is more likely a mistake
 * in the order's arguments than a postcode. Writes the outward part, a space, and the inward part; false when the
 * sizes cannot fit. */
static bool split(const char *typed, size_t typed_size, char out[static POSTCODE_SIZE], size_t *outward_size)
{
	char text[PLAIN_MAX];
	size_t size = plain_text(typed, typed_size, text);

	if (size < INWARD + 2)
		return false;
	const char *inward = text + size - INWARD;
	size -= INWARD;
	if (text[size - 1] == ' ')
		size--;
	if (size > OUTWARD_MAX)
		return false;
	char *to = out;
	for (size_t i = 0; i < size; i++)
		*to++ = upper(text[i]);
	*to++ = ' ';
	for (size_t i = 0; i < INWARD; i++)
		*to++ = upper(inward[i]);
	*to = '\0';
	*outward_size = size;
	return true;
}

bool postcode_normalise(const char *text, size_t size, char out[static POSTCODE_SIZE])
{
	size_t outward_size;

	if (!split(text, size, out, &outward_size))
		return false;
	if (is_special(out))
		return true;
	return outward_is_good(out, outward_size) && inward_is_good(out + outward_size + 1);
}

bool postcode_is_beyond_directories(const char *postcode)
{
	for (size_t i = 0; i < sizeof BEYOND / sizeof BEYOND[0]; i++)
		if (strncmp(postcode, BEYOND[i], 2) == 0 && is_digit(postcode[2]))
			return true;
	return is_special(postcode);
}
