/* Rule 11: the client table on its own, over a history of operations of any kind: numbers of a client rise, a repeat finds its
 * operation, and what is between two numbers is refused for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/machine/body.h"
#include "server/machine/client_table.h"
#include "server/machine/history.h"
#include "support_orders.h"

#define ENTRIES 5000
#define LOADED 2
#define CLIENTS 37

static struct history *history;
static struct client_table *table;

/* An operation of a kind that no table has. */
static size_t make(uint8_t *out, struct uuid client, uint64_t request, uint32_t content)
{
	struct body head = {.client = client, .request = request, .time_us = (int64_t)request, .kind = 77};
	struct encoder encoder = {.at = out, .left = 64};

	body_encode_head(&head, &encoder);
	encoder_word(&encoder, content);
	assert_false(encoder.failed);
	return 64 - encoder.left;
}

static enum client_known lookup(struct uuid client, uint64_t request, uint32_t content, uint64_t *op)
{
	uint8_t body[64];
	size_t size = make(body, client, request, content);
	struct body parsed;

	*op = 0;
	assert_true(body_parse(body, size, &parsed));
	return client_table_lookup(table, client, request, body_content_digest(&parsed), op);
}

static bool add(struct uuid client, uint64_t request, uint32_t content)
{
	uint8_t body[64];
	size_t size = make(body, client, request, content);
	struct client_place place = client_table_place(table, client);
	struct history_next next = history_next(history, body, size);

	if (!client_table_has_room(table, &place, request))
		return false;
	history_append(history, &next);
	client_table_add(table, &place, (uint32_t)history_count(history) - 1);
	return true;
}

static int begin(void **state)
{
	uint8_t body[64];

	(void)state;
	history = history_new(ENTRIES);
	table = client_table_new(history, ENTRIES);
	for (uint32_t i = 0; i < LOADED; i++) /* of no client, and in no chain */
		history_load(history, body, make(body, client_number(0), 0, i));
	return 0;
}

static int end(void **state)
{
	(void)state;
	client_table_free(table);
	history_free(history);
	return 0;
}

static void loaded_records_are_of_no_client(void **state)
{
	uint64_t op;

	(void)state;
	assert_int_equal(lookup(client_number(0), 0, 0, &op), CLIENT_NEW);
	assert_true(add(client_number(0), 0, 0));
	assert_int_equal(lookup(client_number(0), 0, 0, &op), CLIENT_DECIDED);
	assert_int_equal(op, 1);
}

/* Rule 11: one request makes one operation, and a number below the last makes none. */
static void numbers_rise(void **state)
{
	(void)state;
	assert_true(add(client_number(1), 5, 0));
	assert_false(add(client_number(1), 5, 0));
	assert_false(add(client_number(1), 5, 1));
	assert_false(add(client_number(1), 4, 0));
	assert_false(add(client_number(1), 0, 0));
	assert_true(add(client_number(2), 4, 0));
	assert_true(add(client_number(1), 6, 0));
	assert_true(add(client_number(1), UINT64_MAX, 0));
	assert_false(add(client_number(1), UINT64_MAX, 0));
	assert_int_equal(history_op(history), 4);
}

/* Rule 11: among many clients whose requests alternate, with gaps, each is found with its own op. */
static void requests_are_found(void **state)
{
	uint64_t op;

	(void)state;
	for (uint32_t i = 0; i < 3000; i++)
		assert_true(add(client_number(1 + i % CLIENTS), i / CLIENTS * 3 + 3, i));
	for (uint32_t i = 0; i < 3000; i++) {
		struct uuid client = client_number(1 + i % CLIENTS);
		uint64_t request = i / CLIENTS * 3 + 3;

		assert_int_equal(lookup(client, request, i, &op), CLIENT_DECIDED);
		assert_int_equal(op, i + 1);
		assert_int_equal(lookup(client, request, i + 1, &op), CLIENT_REUSED);
		assert_int_equal(op, i + 1);
		assert_int_equal(lookup(client, request - 1, i, &op), CLIENT_PASSED);
		assert_int_equal(lookup(client, request - 2, i, &op), CLIENT_PASSED);
		assert_int_equal(lookup(client, request + 300, i, &op), CLIENT_NEW);
	}
	assert_int_equal(lookup(client_number(CLIENTS + 1), 3, 0, &op), CLIENT_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loaded_records_are_of_no_client, begin, end),
		cmocka_unit_test_setup_teardown(numbers_rise, begin, end),
		cmocka_unit_test_setup_teardown(requests_are_found, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
