/* Text from users: every encoding that RFC 3629 forbids and every control character is refused, everything else
 * accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rpc/base/utf8.h"

#define VALID(text) utf8_valid_text(text, sizeof(text) - 1)

static void words_are_valid(void **state)
{
	(void)state;
	assert_true(VALID(""));
	assert_true(VALID("fish & chips ~"));
	assert_true(VALID("cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"
			  "e"));
	assert_true(VALID("\xe2\x82\xac \xf0\x9f\x8d\x95"));
	assert_true(VALID("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf")); /* the edges of the excluded ranges */
}

static void forbidden_encodings_are_refused(void **state)
{
	(void)state;
	assert_false(VALID("\x80"));             /* continues nothing */
	assert_false(VALID("a\xc3"));            /* cut */
	assert_false(VALID("\xe2\x82"));
	assert_false(VALID("\xf0\x9f\x8d"));
	assert_false(VALID("\xc3("));            /* not continued */
	assert_false(VALID("\xc0\xaf"));         /* longer than needed */
	assert_false(VALID("\xc1\xbf"));
	assert_false(VALID("\xe0\x9f\xbf"));
	assert_false(VALID("\xf0\x8f\xbf\xbf"));
	assert_false(VALID("\xed\xa0\x80"));     /* surrogates */
	assert_false(VALID("\xed\xbf\xbf"));
	assert_false(VALID("\xf4\x90\x80\x80")); /* above U+10FFFF */
	assert_false(VALID("\xf8\x88\x80\x80\x80"));
	assert_false(VALID("\xff"));
}

static void control_characters_are_refused(void **state)
{
	(void)state;
	for (int c = 0; c < 0x20; c++) {
		char text[3] = {'a', (char)c, 'b'};

		assert_false(utf8_valid_text(text, 3));
	}
	assert_false(VALID("\x7f"));
	assert_false(VALID("\xc2\x80"));
	assert_false(VALID("\xc2\x9f"));
	assert_true(VALID("\xc2\xa0"));
}

/* All code points, encoded here by the book, against what the header says. */
static void every_character_is_validated(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		char text[4];
		size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		uint32_t rest = c;

		for (size_t i = size - 1; i > 0; i--, rest >>= 6)
			text[i] = (char)(0x80 | (rest & 0x3f));
		text[0] = (char)((0xf00u >> size & 0xff) | rest);
		assert_int_equal(utf8_valid_text(text, size), c >= 0xa0 && (c < 0xd800 || c > 0xdfff));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_valid),
		cmocka_unit_test(forbidden_encodings_are_refused),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(every_character_is_validated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
