/* Invisible characters are escaped wherever a text is shown, no escape can be forged, and escaped text stays as it
 * is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/utf8.h"

static void shows(const char *bytes, size_t size, enum escape how, const char *expected)
{
	char *copy = escape_dup(bytes, size, how);

	assert_string_equal(copy, expected);
	free(copy);
}

#define SHOWS(text, how, expected) shows(text, sizeof(text) - 1, how, expected)

static void what_cannot_be_seen_is_written_out(void **state)
{
	(void)state;
	SHOWS("caf\xc3\xa9 \xe5\xaf\xbf\xe5\x8f\xb8 \xf0\x9f\x8d\x95", ESCAPE_TEXT, "caf\xc3\xa9 \xe5\xaf\xbf\xe5\x8f\xb8 \xf0\x9f\x8d\x95");
	SHOWS("\x1b[2J\r\n\t\0\x7f", ESCAPE_TEXT, "\\x1b[2J\\x0d\\x0a\\x09\\x00\\x7f");
	SHOWS("\xc2\x9b", ESCAPE_TEXT, "\\u{9b}");              /* a terminal's escape in eight bits */
	SHOWS("pi\xe2\x80\x8bzza", ESCAPE_TEXT, "pi\\u{200b}zza"); /* zero width space */
	SHOWS("pi\xc2\xadzza", ESCAPE_TEXT, "pi\\u{ad}zza");       /* soft hyphen */
	SHOWS("\xe2\x80\xae", ESCAPE_TEXT, "\\u{202e}");          /* right-to-left override */
	SHOWS("\xef\xbb\xbf", ESCAPE_TEXT, "\\u{feff}");          /* byte order mark */
	SHOWS("\xf3\xa0\x81\x81", ESCAPE_TEXT, "\\u{e0041}");     /* tag A */
	SHOWS("\xef\xb8\x8f", ESCAPE_TEXT, "\\u{fe0f}");          /* variation selector */
	SHOWS("\xe3\x85\xa4", ESCAPE_TEXT, "\\u{3164}");          /* Hangul filler */
	SHOWS("\xff\xc3", ESCAPE_TEXT, "\\xff\\xc3");
	SHOWS("\xed\xa0\x80\xc0\x80", ESCAPE_TEXT, "\\xed\\xa0\\x80\\xc0\\x80"); /* a surrogate, a NUL in two bytes */
	shows(NULL, 0, ESCAPE_TEXT, "");
}

static void backslashes_tell_words_from_lines(void **state)
{
	(void)state;
	SHOWS("\\u{200b}", ESCAPE_TEXT, "\\\\u{200b}"); /* typed that way */
	SHOWS("invalid: \\u{200b}\n", ESCAPE_LINE, "invalid: \\u{200b}\\x0a");
}

/* Blanks of other widths stay in an item, and are escaped in the message that refuses it. */
static void strict_shows_blanks(void **state)
{
	(void)state;
	SHOWS("a b\xe3\x80\x80" "c", ESCAPE_TEXT, "a b\xe3\x80\x80" "c");
	SHOWS("a b\xc2\xa0" "c\xe3\x80\x80", ESCAPE_STRICT, "a b\\u{a0}c\\u{3000}");
}

static void what_does_not_fit_is_cut_whole(void **state)
{
	char to[8];

	(void)state;
	assert_string_equal(escape_into(to, sizeof to, "0123456789", 10, ESCAPE_LINE), "0123456");
	assert_string_equal(escape_into(to, sizeof to, "abcdef\xc3\xa9", 8, ESCAPE_LINE), "abcdef");
	assert_string_equal(escape_into(to, sizeof to, "a\xe2\x80\x8b", 4, ESCAPE_LINE), "a");
	assert_string_equal(escape_into(to, 1, "a", 1, ESCAPE_LINE), "");
}

/* Every character: the result is safe, and escaping it again changes nothing. */
static void the_result_is_safe(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char text[4], once[ESCAPE_ROOM(4)], again[ESCAPE_ROOM(sizeof once)];
		size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		uint32_t rest = c, character;

		for (size_t i = size - 1; i > 0; i--, rest >>= 6)
			text[i] = (char)(0x80 | (rest & 0x3f));
		text[0] = (char)((size == 1 ? 0 : 0xf00u >> size & 0xff) | rest);
		escape_into(once, sizeof once, text, size, ESCAPE_STRICT);
		assert_true(utf8_valid_text(once, strlen(once)));
		assert_true(c == ' ' || !utf8_blank(once, strlen(once)));
		assert_true(utf8_take((const uint8_t *)once, strlen(once), &character) > 0);
		assert_false(utf8_unseen(character));
		assert_string_equal(escape_into(again, sizeof again, once, strlen(once), ESCAPE_LINE), once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_seen_is_written_out),
		cmocka_unit_test(backslashes_tell_words_from_lines),
		cmocka_unit_test(strict_shows_blanks),
		cmocka_unit_test(what_does_not_fit_is_cut_whole),
		cmocka_unit_test(the_result_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
