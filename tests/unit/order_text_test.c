/* One validation of texts for all callers: the message names the text, and shows what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/order_text.h"
#include "rpc/base/utf8.h"

static char error[ORDER_TEXT_ERROR_SIZE];

static void refuses(const char *bytes, size_t size, const char *expected)
{
	assert_false(order_item_good(2, bytes, size, error));
	assert_string_equal(error, expected);
}

#define REFUSES(text, expected) refuses(text, sizeof(text) - 1, expected)

static void texts(void **state)
{
	static const char *const good[] = {"pizza", " pizza ", "caf\xc3\xa9", "\xe5\xaf\xbf\xe5\x8f\xb8", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
					   "pi\xc2\xadzza", "\xe2\x80\x8b.", "\\"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(order_item_good(1, good[i], strlen(good[i]), error));
	REFUSES("", "item 2 is empty");
	REFUSES("caf\xe9", "item 2 is not text: it must be UTF-8 without control characters: \"caf\\xe9\"");
	REFUSES("a\0b", "item 2 is not text: it must be UTF-8 without control characters: \"a\\x00b\"");
	REFUSES("a\rb", "item 2 is not text: it must be UTF-8 without control characters: \"a\\x0db\"");
	REFUSES("\xed\xa0\x80", "item 2 is not text: it must be UTF-8 without control characters: \"\\xed\\xa0\\x80\"");
}

/* Each invisible character, alone and with others, makes a blank item and a blank customer. */
static void blanks(void **state)
{
	static const char *const blank[] = {
		" ", "   ", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xe2\x80\x83", "\xe1\x9a\x80",
		"\xe2\x81\xa0", "\xc2\xad", "\xe2\x80\x8d", "\xe2\x80\xae", "\xe3\x85\xa4", "\xe2\xa0\x80", "\xef\xb8\x8f",
		"\xf3\xa0\x81\x81", "\xf3\xa0\x84\x80", "\xe1\xa0\x8e", "\xcd\x8f", "\xe2\x80\xa8", "\xef\xbe\xa0",
	};
	char both[64];

	(void)state;
	for (size_t i = 0; i < sizeof blank / sizeof *blank; i++) {
		snprintf(both, sizeof both, "%s \xe2\x80\x8b%s", blank[i], blank[i]);
		assert_false(order_item_good(1, blank[i], strlen(blank[i]), error));
		assert_non_null(strstr(error, "item 1 is blank"));
		assert_false(order_item_good(1, both, strlen(both), error));
		assert_non_null(strstr(error, "\\u{200b}"));
		assert_false(order_customer_good(blank[i], strlen(blank[i]), error));
		assert_non_null(strstr(error, "the customer's name is blank"));
	}
	REFUSES("\xe3\x80\x80 ", "item 2 is blank, nothing of it can be seen: \"\\u{3000} \"");
	assert_true(order_customer_good("", 0, error)); /* no customer was named */
}

/* The fault is in the excerpt, wherever it is in the text, and the line fits whatever the text is. */
static void the_fault_is_shown(void **state)
{
	char text[LIMIT_ITEM_BYTES + 1];

	(void)state;
	for (size_t at = 0; at < LIMIT_ITEM_BYTES; at++) {
		for (size_t i = 0; i < LIMIT_ITEM_BYTES; i++)
			text[i] = i % 2 ? '\xa9' : '\xc3';
		text[at] = '\x1b';
		assert_false(order_item_good(32, text, LIMIT_ITEM_BYTES, error));
		assert_true(strlen(error) < sizeof error - 1);
		assert_true(error[strlen(error) - 1] == '"');
		assert_non_null(strstr(error, at % 2 ? "\\xc3" : "\\x1b"));
		assert_true(utf8_valid_text(error, strlen(error)));
	}
	memset(text, 'x', sizeof text);
	assert_true(order_item_good(1, text, LIMIT_ITEM_BYTES, error));
	assert_false(order_item_good(1, text, LIMIT_ITEM_BYTES + 1, error));
	assert_string_equal(error, "item 1 is too long: 129 bytes, the limit is 128");
	assert_true(order_customer_good(text, LIMIT_CUSTOMER_BYTES, error));
	assert_false(order_customer_good(text, LIMIT_CUSTOMER_BYTES + 1, error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(blanks),
		cmocka_unit_test(the_fault_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
