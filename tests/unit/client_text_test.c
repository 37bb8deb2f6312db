/* Purpose: a customer's text cannot move another's cursor; the command that repeats a request survives a shell with
 * every odd character; times and durations read as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/text.h"

static void assert_escaped(const char *bytes, size_t size, const char *expected)
{
	char *escaped = text_escape(bytes, size);

	assert_string_equal(escaped, expected);
	free(escaped);
}

static void test_nothing_acts_on_the_terminal(void **state)
{
	(void)state;
	assert_escaped("caf\xc3\xa9 \xf0\x9f\x8d\x95", 10, "caf\xc3\xa9 \xf0\x9f\x8d\x95");
	assert_escaped("\033[2Jpizza\r\n", 11, "\\x1b[2Jpizza\\x0d\\x0a");
	assert_escaped("a\0b", 3, "a\\x00b");
	assert_escaped("\xc2\x9b", 2, "\\u{9b}");           /* CSI as one C1 character */
	assert_escaped("\xe2\x80\xae", 3, "\\u{202e}");     /* right-to-left override */
	assert_escaped("\xff\xc3", 2, "\\xff\\xc3");          /* not UTF-8; cut short */
	assert_escaped("\\x1b", 4, "\\\\x1b");                /* an escape cannot be forged */
}

static void test_columns(void **state)
{
	(void)state;
	assert_int_equal(text_columns("caf\xc3\xa9"), 4);
	assert_int_equal(text_columns(""), 0);
}

/* Every byte that a word can hold, alone and with others, comes back from our own splitting as one word. */
static void test_quoting_survives_splitting(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char word[] = {'a', (char)byte, (char)byte, ' ', '\'', (char)byte, 0};
		char *quoted = text_shell_quote(word), line[64];
		struct words words;

		snprintf(line, sizeof line, "%s %s", quoted, quoted);
		words = words_split(line);
		assert_null(words.error);
		assert_int_equal(words.count, 2);
		assert_string_equal(words.word[0], word);
		assert_string_equal(words.word[1], word);
		assert_null(words.word[2]);
		words_free(&words);
		free(quoted);
	}
}

static void assert_quoted(const char *word, const char *expected)
{
	char *quoted = text_shell_quote(word);

	assert_string_equal(quoted, expected);
	free(quoted);
}

static void test_quoting_only_where_needed(void **state)
{
	(void)state;
	assert_quoted("pizza", "pizza");
	assert_quoted("DH1 3LE", "'DH1 3LE'");
	assert_quoted("", "''");
	assert_quoted("chef's", "'chef'\\''s'");
	assert_quoted("$(reboot)", "'$(reboot)'");
	assert_quoted("~root", "'~root'");
}

static void test_splitting(void **state)
{
	struct words words = words_split("  order \"DH1 3LE\" 'a \\ b'  c\\ d \"say \\\"hi\\\"\" \"\" # a comment");

	(void)state;
	assert_null(words.error);
	assert_int_equal(words.count, 6);
	assert_string_equal(words.word[0], "order");
	assert_string_equal(words.word[1], "DH1 3LE");
	assert_string_equal(words.word[2], "a \\ b");
	assert_string_equal(words.word[3], "c d");
	assert_string_equal(words.word[4], "say \"hi\"");
	assert_string_equal(words.word[5], "");
	words_free(&words);
}

static void test_splitting_complains(void **state)
{
	static const char *const bad[] = {"order \"DH1", "order 'x", "order x\\"};
	char many[2 * WORDS_MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct words words = words_split(bad[i]);

		assert_non_null(words.error);
		words_free(&words);
	}
	for (size_t i = 0; i < sizeof many - 1; i++)
		many[i] = i % 2 ? ' ' : 'x';
	many[sizeof many - 1] = 0;
	struct words words = words_split(many);
	assert_non_null(words.error);
	words_free(&words);
}

static void test_times(void **state)
{
	char out[TEXT_TIME_SIZE];

	(void)state;
	assert_string_equal(text_time(1700000000000001, out), "2023-11-14T22:13:20.000001Z");
	assert_string_equal(text_time(-1, out), "1969-12-31T23:59:59.999999Z");
	/* A clock that is far off must not make a time unreadable. */
	assert_string_equal(text_time(INT64_C(253402300799999999), out), "9999-12-31T23:59:59.999999Z");
	assert_string_equal(text_time(INT64_C(253402300800000000), out), "10000-01-01T00:00:00.000000Z");
	assert_string_equal(text_time(INT64_MAX, out), "294247-01-10T04:00:54.775807Z");
	assert_string_equal(text_time(INT64_C(-61000000000000000), out), "0036-12-26T11:33:20.000000Z");
	assert_string_equal(text_time(INT64_MIN, out), "-290308-12-21T19:59:05.224192Z");
	assert_string_equal(text_duration(59, out), "59 s");
	assert_string_equal(text_duration(185, out), "3 m 5 s");
	assert_string_equal(text_duration(UINT64_C(3600) * 25, out), "1 d 1 h");
}

static void test_unquoted_postcodes_are_noticed(void **state)
{
	static const char *const outward[] = {"M1", "M60", "CR2", "DN55", "W1A", "EC1A", "dh1", "ASCN", "GIR"};
	static const char *const not_outward[] = {"DH1 3LE", "pizza", "1", "A", "", "EC1AA"};

	(void)state;
	for (size_t i = 0; i < sizeof outward / sizeof *outward; i++)
		assert_true(text_postcode_halves(outward[i], "3le"));
	for (size_t i = 0; i < sizeof not_outward / sizeof *not_outward; i++)
		assert_false(text_postcode_halves(not_outward[i], "3LE"));
	assert_false(text_postcode_halves("DH1", "pizza"));
	assert_false(text_postcode_halves("DH1", "3L"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_acts_on_the_terminal),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_quoting_survives_splitting),
		cmocka_unit_test(test_quoting_only_where_needed),
		cmocka_unit_test(test_splitting),
		cmocka_unit_test(test_splitting_complains),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_unquoted_postcodes_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
