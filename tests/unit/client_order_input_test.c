/* Purpose: every mistake in an order that the client can see is named with its limit before anything is sent, with the
 * exit status that the documentation promises; and bench's orders match their documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/order_input.h"
#include "client/workload.h"
#include "rpc/base/postcode.h"

static char error[ORDER_ERROR_SIZE];

static enum order_mistake check(const char *const *words, size_t count, const char *customer)
{
	struct order_input input;

	error[0] = 0;
	return order_input_from_words(words, count, customer, &input, error);
}

static void assert_says(const char *part)
{
	if (!strstr(error, part))
		fail_msg("\"%s\" does not say \"%s\"", error, part);
}

/* A word of so many bytes, until the next call. */
static const char *word_of(size_t size)
{
	static char word[512];

	memset(word, 'x', size);
	word[size] = 0;
	return word;
}

static void test_a_good_order(void **state)
{
	const char *const words[] = {"DH1 3LE", "pizza", "Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"};
	struct order_input input;

	(void)state;
	assert_int_equal(order_input_from_words(words, 3, "Ada", &input, error), ORDER_FINE);
	assert_string_equal(input.postcode, "DH1 3LE");
	assert_int_equal(input.items_count, 2);
	assert_string_equal(input.items[1], words[2]);
}

static void test_items(void **state)
{
	const char *words[ORDER_WORDS_MAX] = {"DH1 3LE"};

	(void)state;
	assert_int_equal(check(words, 1, NULL), ORDER_MISUSED);
	assert_says("1 to 32");
	words[0] = "pizza\x1b";
	assert_int_equal(check(words, 1, NULL), ORDER_MISUSED);
	assert_says("\"pizza\\x1b\" is taken for the postcode");
	words[0] = "DH1 3LE";
	for (size_t i = 1; i < ORDER_WORDS_MAX; i++)
		words[i] = "chips";
	assert_int_equal(check(words, 1 + JH_ITEMS_MAX, NULL), ORDER_FINE);
	assert_int_equal(check(words, 2 + JH_ITEMS_MAX, NULL), ORDER_MISUSED);
	assert_says("too many items: 33, the limit is 32");
	assert_int_equal(check(words, 1000, NULL), ORDER_MISUSED);
	assert_says("999");
	words[2] = word_of(JH_ITEM_MAX);
	assert_int_equal(check(words, 3, NULL), ORDER_FINE);
	words[2] = word_of(JH_ITEM_MAX + 1);
	assert_int_equal(check(words, 3, NULL), ORDER_MISUSED);
	assert_says("item 2 is too long: 129 bytes, the limit is 128");
	words[2] = "";
	assert_int_equal(check(words, 3, NULL), ORDER_MISUSED);
	assert_says("item 2 is empty");
	words[2] = "\xff";
	assert_int_equal(check(words, 3, NULL), ORDER_MISUSED);
	assert_says("UTF-8");
}

/* The most likely first attempt. */
static void test_a_line_without_a_tab(void **state)
{
	char line[] = "DH1 3LE pizza", error[ORDER_ERROR_SIZE] = "";
	struct order_input input;

	(void)state;
	assert_int_equal(order_input_from_line(line, strlen(line), NULL, &input, error), ORDER_MISUSED);
	if (strstr(error, "there is no tab") == NULL)
		fail_msg("\"%s\" names no tab", error);
}

static void test_customer(void **state)
{
	const char *const words[] = {"DH1 3LE", "pizza"};

	(void)state;
	assert_int_equal(check(words, 2, word_of(JH_CUSTOMER_MAX)), ORDER_FINE);
	assert_int_equal(check(words, 2, word_of(JH_CUSTOMER_MAX + 1)), ORDER_MISUSED);
	assert_says("the limit is 64");
}

static void test_postcodes(void **state)
{
	const char *const unquoted[] = {"DH1", "3LE", "pizza"};
	const char *words[] = {"no postcode at all", "pizza"};

	(void)state;
	assert_int_equal(check(unquoted, 3, NULL), ORDER_MISUSED);
	assert_says("did you mean \"DH1 3LE\"?");
	/* A postcode that can be sent is left for the replicas to validate. */
	assert_int_equal(check(words, 2, NULL), ORDER_FINE);
	words[0] = word_of(JH_POSTCODE_MAX);
	assert_int_equal(check(words, 2, NULL), ORDER_FINE);
	words[0] = word_of(JH_POSTCODE_MAX + 1);
	assert_int_equal(check(words, 2, NULL), ORDER_INVALID_POSTCODE);
	assert_says("invalid postcode: ");
}

static void test_lines(void **state)
{
	char good[] = "DH1 3LE\tpizza\tgarlic bread", nul[] = "DH1 3LE\tpi\0za", alone[] = "DH1 3LE";
	struct order_input input;

	(void)state;
	assert_int_equal(order_input_from_line(good, sizeof good - 1, NULL, &input, error), ORDER_FINE);
	assert_int_equal(input.items_count, 2);
	assert_string_equal(input.items[1], "garlic bread");
	assert_int_equal(order_input_from_line(nul, sizeof nul - 1, NULL, &input, error), ORDER_MISUSED);
	assert_says("NUL");
	assert_int_equal(order_input_from_line(alone, sizeof alone - 1, NULL, &input, error), ORDER_MISUSED);
	assert_says("no items");
}

static int compare_postcodes(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void test_bench_postcodes_are_valid_normal_and_distinct(void **state)
{
	enum { COUNT = 100000 };
	char(*all)[WORKLOAD_POSTCODE_SIZE] = calloc(COUNT, sizeof *all);

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		char normal[POSTCODE_SIZE];

		workload_postcode(i, all[i]);
		assert_true(postcode_normalise(all[i], strlen(all[i]), normal));
		assert_string_equal(normal, all[i]);
	}
	assert_string_equal(all[0], "DH1 3LE");
	assert_string_equal(all[1], "DH1 3LG");
	qsort(all, COUNT, sizeof *all, compare_postcodes);
	for (uint32_t i = 1; i < COUNT; i++)
		assert_string_not_equal(all[i - 1], all[i]);
	free(all);
}

static void test_bench_orders_are_large_enough_to_compare(void **state)
{
	(void)state;
	for (uint64_t turn = 0; turn < 8; turn++) {
		jh_operation operation = {.kind = JH_OPERATION_ORDER};
		jh_item items[2];

		workload_order(turn, "DH1 3LE", items, &operation.jh_operation_u.order);
		assert_int_equal(xdr_sizeof((xdrproc_t)xdr_jh_operation, &operation), 72);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_order),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_a_line_without_a_tab), cmocka_unit_test(test_customer),
		cmocka_unit_test(test_postcodes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bench_postcodes_are_valid_normal_and_distinct),
		cmocka_unit_test(test_bench_orders_are_large_enough_to_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
