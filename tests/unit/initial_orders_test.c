/* The history before the log: the four compiled-in orders, and every line of a file either becomes an order or is
 * reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/postcode.h"
#include "server/shop/initial_orders.h"
#include "tests/unit/support_orders.h"
#include "tests/unit/support_scratch.h"

static char error[INITIAL_ORDERS_ERROR_SIZE];

static bool load(void *context, const void *body, size_t size, char *problem, size_t problem_size)
{
	return machine_load(context, body, size, problem, problem_size);
}

static bool load_bytes(struct machine *machine, const void *bytes, size_t size)
{
	char directory[SCRATCH_PATH_SIZE], path[SCRATCH_PATH_SIZE + 16];

	scratch_new(directory);
	snprintf(path, sizeof path, "%s/orders", directory);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);

	bool good = initial_orders_load(path, load, machine, error, sizeof error);

	scratch_remove(directory);
	if (!good && strncmp(error, path, strlen(path)) == 0) /* the tests look at the rest */
		memmove(error, error + strlen(path), strlen(error + strlen(path)) + 1);
	return good;
}

static bool load_text(struct machine *machine, const char *text)
{
	return load_bytes(machine, text, strlen(text));
}

static void refuses(const char *text, const char *expected)
{
	struct machine *machine = machine_new(100);

	assert_false(load_text(machine, text));
	assert_string_equal(error, expected);
	machine_free(machine);
}

static void assert_text(struct text_span text, const char *expected)
{
	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.size);
}

static void compiled_in_orders_are_the_four(void **state)
{
	struct machine *machine = machine_new(100);
	struct order_view views[3];

	(void)state;
	assert_true(initial_orders_built_in(load, machine, error, sizeof error));
	assert_int_equal(history_loaded(machine_history(machine)), 4);
	assert_int_equal(machine_op(machine), 0);
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, 0, 3, views), 2);
	assert_int_equal(views[0].order.items_count, 2);
	assert_text(views[0].order.items[0], "burger");
	assert_text(views[0].order.items[1], "fries");
	assert_int_equal(views[1].order.items_count, 1);
	assert_text(views[1].order.items[0], "pizza");
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LG", 7, 0, 3, views), 2);
	assert_text(views[0].order.items[0], "fried chicken");
	assert_text(views[0].order.items[1], "chips");
	assert_text(views[1].order.items[0], "vegetables");
	assert_true(uuid_is_nil(views[1].client));
	assert_int_equal(views[1].time_us, 0);
	assert_int_equal(views[1].check, 0);
	machine_free(machine);
}

static void lines_become_orders(void **state)
{
	struct machine *machine = machine_new(100);
	struct order_view views[3];

	(void)state;
	assert_true(load_text(machine, "# a comment\n"
				      "\n"
				      "dh13le\tZo\xc3\xab\tburger\tfries & sauce\r\n"
				      "DH1 3LE\t\tpizza"));
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, 0, 3, views), 2);
	assert_text(views[0].order.customer, "Zo\xc3\xab");
	assert_text(views[0].order.items[1], "fries & sauce");
	assert_text(views[1].order.customer, "");
	assert_text(views[1].order.items[0], "pizza");
	assert_true(load_text(machine, ""));
	assert_true(load_text(machine, "\xef\xbb\xbf  # as a spreadsheet saves it\r\n"
				      "\t\t\r\n"
				      "DH1\xc2\xa0\x33LE\xe2\x80\x8b\t\tsoup\r"));
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, 0, 3, views), 3);
	assert_text(views[2].order.items[0], "soup");
	machine_free(machine);
}

static void wrong_lines_are_named(void **state)
{
	char text[8192];

	(void)state;
	refuses("\nnowhere\t\tpizza\n", ":2: invalid postcode: nowhere (" POSTCODE_NO_FORM ")");
	refuses("DH1 3LE\n", ":1: no tab: expected POSTCODE<TAB>customer<TAB>item...");
	refuses("DH1 3LE: pizza\n", ":1: no tab: expected POSTCODE<TAB>customer<TAB>item...");
	refuses("DH1 3LE\tAnn\n", ":1: no items: expected POSTCODE<TAB>customer<TAB>item...");
	refuses("DH1 3LE\tAnn\tpizza\t\tsoup\n", ":1: item 2 is empty");
	refuses("DH1 3LE\tAnn\tpizza\t\n", ":1: item 2 is empty");
	refuses("DH1 3LE\tAnn\tpizza\nDH1 3LE\tAnn\tcr\xe8me\n",
		":2: item 1 is not text: it must be UTF-8 without control characters: \"cr\\xe8me\"");
	refuses("DH1 3LE\t\x01\tpizza\n",
		":1: the customer's name is not text: it must be UTF-8 without control characters: \"\\x01\"");
	refuses("\x1b[2J\t\tpizza\n", ":1: invalid postcode: \\x1b[2J (" POSTCODE_NO_FORM ")");
	refuses("DH1 3LE\t\xc2\xa0\tpizza\n", ":1: the customer's name is blank, nothing of it can be seen: \"\\u{a0}\"");
	refuses("DH1 3LE\tAnn\tpizza\t \n", ":1: item 2 is blank, nothing of it can be seen: \" \"");
	refuses("DH1\xf3\xa0\x81\x81 3LE\t\tpizza\n", ":1: invalid postcode: DH1\\u{e0041} 3LE (" POSTCODE_NO_FORM ")");
	refuses("DH1 3LE\t\tpizza\rDH1 3LE\t\tsoup\n",
		":1: column 15 is a carriage return without a line feed: lines end in LF or CR LF");
	snprintf(text, sizeof text, "DH1 3LE\t%065d\tpizza\n", 1);
	refuses(text, ":1: the customer's name is too long: 65 bytes, the limit is 64");
	snprintf(text, sizeof text, "DH1 3LE\t\t%0129d\n", 1);
	refuses(text, ":1: item 1 is too long: 129 bytes, the limit is 128");
	snprintf(text, sizeof text, "%033d\t\tpizza\n", 1);
	refuses(text, ":1: invalid postcode: 000000000000000000000000000000001 (" POSTCODE_NO_FORM ")");
	snprintf(text, sizeof text, "DH1 3LE\t%07000d\tpizza\n", 1);
	refuses(text, ":1: the customer's name is too long: 7000 bytes, the limit is 64");

	int used = snprintf(text, sizeof text, "DH1 3LE\t");

	for (int i = 0; i < 33; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, "\tx");
	refuses(text, ":1: more than 32 items");

	struct machine *machine = machine_new(2);

	assert_false(load_bytes(machine, "DH1 3LE\t\tpi\0zza\n", 16));
	assert_string_equal(error, ":1: column 12 is a NUL byte");
	assert_false(load_text(machine, "DH1 3LE\t\ta\nDH1 3LE\t\tb\nDH1 3LE\t\tc\n"));
	assert_string_equal(error, ":3: initial order 3: more orders than --max-orders allows");
	assert_false(initial_orders_load("/nowhere/at-all", load, machine, error, sizeof error));
	assert_string_equal(error, "cannot open the initial orders /nowhere/at-all: No such file or directory");
	assert_false(initial_orders_load("/tmp", load, machine, error, sizeof error));
	assert_string_equal(error, "cannot read the initial orders /tmp: Is a directory");
	machine_free(machine);
}

/* The longest line that is still an order is accepted. */
static void longest_line_is_taken(void **state)
{
	struct machine *machine = machine_new(2);
	char text[8192];
	int used = snprintf(text, sizeof text, "%32s\t%064d", "DH1 3LE", 1);

	(void)state;
	for (int i = 0; i < 32; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, "\t%0128d", i);
	snprintf(text + used, sizeof text - (size_t)used, "\r\n");
	assert_true(load_text(machine, text));
	assert_int_equal(history_count(machine_history(machine)), 1);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiled_in_orders_are_the_four),
		cmocka_unit_test(lines_become_orders),
		cmocka_unit_test(wrong_lines_are_named),
		cmocka_unit_test(longest_line_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
