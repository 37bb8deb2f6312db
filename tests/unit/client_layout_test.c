/* Purpose: text is fitted to a terminal without cutting a word, an address or a command: at 60, 80, 120 and 200
 * columns, and at widths where nothing fits; wide and zero-width characters are counted in cells, under every
 * locale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/charset.h"
#include "client/layout.h"
#include "client/text.h"

static void assert_laid_out(const char *text, size_t columns, size_t indent, const char *expected)
{
	char *laid = NULL;
	size_t size;
	FILE *out = open_memstream(&laid, &size);

	layout_text(out, text, columns, indent);
	fclose(out);
	assert_string_equal(laid, expected);
	free(laid);
}

static const char advice[] = "replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR --program-base "
			     "541000000`, or remove it";

static void test_a_command_is_never_cut(void **state)
{
	(void)state;
	assert_laid_out(advice, 60, 0,
			"replica 3 is down: start it with\n"
			"justhungry-server --id 3 --data-dir DIR --program-base 541000000\n" /* 64 */
			"or remove it\n");
	assert_laid_out(advice, 80, 0,
			"replica 3 is down: start it with\n"
			"  justhungry-server --id 3 --data-dir DIR --program-base 541000000\n"
			"or remove it\n");
	assert_laid_out(advice, 120, 0,
			"replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR --program-base 541000000`, or remove it\n");
	assert_laid_out(advice, 200, 0,
			"replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR --program-base 541000000`, or remove it\n");
	assert_laid_out(advice, 0, 0,
			"replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR --program-base 541000000`, or remove it\n");
	/* The brackets and the comma around it are not part of the copied command. */
	assert_laid_out("start it (`justhungry-server --id 3`), or wait", 30, 2,
			"start it\n    justhungry-server --id 3\n  or wait\n");
	assert_laid_out("see `a b`", 20, 0, "see `a b`\n");
	assert_laid_out("an unclosed ` is no command", 14, 0, "an unclosed `\nis no command\n");
}

static void test_words_are_never_cut(void **state)
{
	static const char text[] = "front-end [2001:db8:85a3::8a2e:370:7334]:40231 up 3 m\nsecond line";

	(void)state;
	assert_laid_out(text, 60, 2, "front-end [2001:db8:85a3::8a2e:370:7334]:40231 up 3 m\nsecond line\n");
	assert_laid_out(text, 40, 2, "front-end\n  [2001:db8:85a3::8a2e:370:7334]:40231\n  up 3 m\nsecond line\n");
	assert_laid_out(text, 1, 2, "front-end\n[2001:db8:85a3::8a2e:370:7334]:40231\nup\n3\nm\nsecond\nline\n");
	assert_laid_out("    a b", 5, 4, "    a\n    b\n");
	assert_laid_out("", 60, 0, "");
	assert_laid_out("\n\n", 60, 0, "\n\n");
}

static void test_untrusted_text(void **state)
{
	char *laid = NULL;
	size_t size;
	FILE *out = open_memstream(&laid, &size);

	(void)state;
	layout_words(out, "  #1     fish `n chips, mushy `peas and more`", 24, 6);
	fclose(out);
	assert_string_equal(laid, "  #1     fish `n chips,\n      mushy `peas and\n      more`\n");
	free(laid);
}

static void test_cells_are_counted(void **state)
{
	static const char *const locales[] = {"C", "C.UTF-8", "POSIX", "xx_XX", "de_DE.ISO-8859-1"};

	(void)state;
	for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
		setenv("LC_ALL", locales[i], 1);
		charset_begin();
		assert_int_equal(text_columns("\u5bff\u53f8"), 4);
		assert_int_equal(text_columns("jalapen\u0303o"), 8); /* a combining tilde */
		assert_int_equal(text_columns("caf\u00e9"), 4);
		assert_int_equal(text_columns("a\u200bb"), 2);
		assert_int_equal(text_columns("\U0001f355"), 2);
		assert_laid_out("\u5bff\u53f8 \u5bff\u53f8", 8, 0, "\u5bff\u53f8\n\u5bff\u53f8\n");
		assert_laid_out("\u5bff\u53f8 \u5bff\u53f8", 9, 0, "\u5bff\u53f8 \u5bff\u53f8\n");
	}
	assert_int_equal(text_columns("\xff"), 1); /* not UTF-8 */
}

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(layout_rows("", 10), 0);
	assert_int_equal(layout_rows("\n", 10), 1);
	assert_int_equal(layout_rows("0123456789\n", 10), 1);
	assert_int_equal(layout_rows("0123456789a\nb", 10), 3);
	assert_int_equal(layout_rows("\033[1;32m0123456789\033[0m\n", 10), 1);
	assert_int_equal(layout_rows("abc\n", 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_command_is_never_cut),
		cmocka_unit_test(test_words_are_never_cut),
		cmocka_unit_test(test_untrusted_text),
		cmocka_unit_test(test_cells_are_counted),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
