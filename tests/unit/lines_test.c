/* The one reader of lines: a text file is read as the same lines whatever editor wrote it, and an incomplete line is
 * refused whole, by its column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/lines.h"

static struct lines *lines;
static struct line line;
static FILE *file;

static void begin(const char *bytes, size_t size)
{
	file = fmemopen((void *)(uintptr_t)bytes, size, "r");
	assert_non_null(file);
	lines = lines_new(file);
}

#define BEGIN(text) begin(text, sizeof(text) - 1)

static void is_one(uint64_t number, const char *text)
{
	assert_int_equal(lines_next(lines, &line), LINES_ONE);
	assert_int_equal(line.number, number);
	assert_int_equal(line.size, strlen(text));
	assert_string_equal(line.text, text);
}

static void is_refused(uint64_t number, const char *part)
{
	assert_int_equal(lines_next(lines, &line), LINES_REFUSED);
	assert_int_equal(line.number, number);
	if (!strstr(line.error, part))
		fail_msg("\"%s\" does not say \"%s\"", line.error, part);
}

static void is_end(void)
{
	assert_int_equal(lines_next(lines, &line), LINES_END);
	lines_free(lines);
	fclose(file);
}

static void ends_of_lines(void **state)
{
	(void)state;
	BEGIN("one\ntwo\r\n\r\n\nfive\r\nsix");
	is_one(1, "one");
	is_one(2, "two");
	is_one(5, "five");
	is_one(6, "six");
	is_end();
	BEGIN("one\r");
	is_one(1, "one");
	is_end();
}

static void byte_order_mark(void **state)
{
	(void)state;
	BEGIN("\xef\xbb\xbfone\n\xef\xbb\xbftwo\n");
	is_one(1, "one");
	is_one(2, "\xef\xbb\xbftwo"); /* only at the very beginning */
	is_end();
	BEGIN("\xef\xbb\xbf");
	is_end();
	BEGIN("\xef\xbb\xbf\r\n# a comment\n\n");
	is_end();
	BEGIN("\xff\xfeo\0n\0e\0\n\0");
	is_refused(1, "UTF-16");
	is_refused(2, "column 1 is a NUL");
	is_end();
}

static void nothing_to_see(void **state)
{
	(void)state;
	BEGIN(" \n\t\t\n\xc2\xa0\xe3\x80\x80\n\xe2\x80\x8b\n#\n  # caf\xe9\n\tx #\n\x1a");
	is_one(7, "\tx #");
	is_end();
}

static void halves_are_refused(void **state)
{
	(void)state;
	BEGIN("caf\xc3\xa9 x\0y\nnext\na\xff\rb\r\nlast\0");
	is_refused(1, "column 7 is a NUL byte");
	is_one(2, "next");
	is_refused(3, "column 3 is a carriage return");
	is_refused(4, "column 5 is a NUL byte");
	is_end();
	BEGIN("# old\rDH1 3LE\tpizza\r"); /* a file with CR alone is one comment otherwise */
	is_refused(1, "column 6 is a carriage return");
	is_end();
}

/* The longest line is returned, with a mark and a CR LF around it, and a line one byte longer is refused to its end. */
static void long_lines(void **state)
{
	(void)state;
	for (int more = 0; more <= 70000; more += more ? 69999 : 1) {
		char *text = malloc(LINES_BYTES_MAX + 80100);
		size_t size = (size_t)(LINES_BYTES_MAX + more);

		memcpy(text, "\xef\xbb\xbf", 3);
		memset(text + 3, 'x', size);
		memcpy(text + 3 + size, "\r\nnext\n# ", 9);
		memset(text + 12 + size, 'x', size % 10000);
		begin(text, 12 + size + size % 10000);
		if (more == 0) {
			assert_int_equal(lines_next(lines, &line), LINES_ONE);
			assert_int_equal(line.size, LINES_BYTES_MAX);
		} else {
			is_refused(1, "longer than 65536 bytes");
		}
		is_one(2, "next");
		is_end();
		free(text);
	}
}

static ssize_t read_then_fail(void *cookie, char *bytes, size_t size)
{
	bool *read = cookie;

	(void)size;
	if (*read) {
		errno = EIO;
		return -1;
	}
	*read = true;
	memcpy(bytes, "one\nhal", 7);
	return 7;
}

/* A line that was read in part before the input failed is not returned. */
static void input_that_fails(void **state)
{
	bool read = false;

	(void)state;
	file = fopencookie(&read, "r", (cookie_io_functions_t){.read = read_then_fail});
	lines = lines_new(file);
	is_one(1, "one");
	assert_int_equal(lines_next(lines, &line), LINES_FAILED);
	assert_int_equal(errno, EIO);
	assert_int_equal(line.number, 2);
	lines_free(lines);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_of_lines),      cmocka_unit_test(byte_order_mark), cmocka_unit_test(nothing_to_see),
		cmocka_unit_test(halves_are_refused), cmocka_unit_test(long_lines),	 cmocka_unit_test(input_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
