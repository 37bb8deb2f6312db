/* The order history: it applies, looks up (rule 11), pages, and travels as bytes without changing; an order costs
 * little memory and is found at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rpc/base/format.h"
#include "rpc/shop.h"
#include "server/machine/body.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"
#include "support_orders.h"

#define ITEMS(...) ((const char *const[]){__VA_ARGS__, NULL})

static char error[200];

static void apply(struct machine *machine, struct uuid client, uint64_t request, const char *postcode,
		  const char *const *items)
{
	uint8_t body[LIMIT_BODY_BYTES];
	size_t size = make_body(body, client, request, (int64_t)request * 10, postcode, items);

	assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
}

static struct digest content_of(const char *postcode, const char *const *items)
{
	uint8_t body[LIMIT_BODY_BYTES];
	struct digest content;
	size_t size = make_body(body, client_number(99), 99, 99, postcode, items);

	assert_true(operation_key(body, size, NULL, NULL, &content, NULL));
	return content;
}

static struct machine *with_initial(void)
{
	struct machine *machine = machine_new(1000);
	uint8_t body[LIMIT_BODY_BYTES];
	struct uuid nil = {{0}};
	size_t size = make_body(body, nil, 0, 0, "DH1 3LE", ITEMS("burger", "fries"));

	assert_true(machine_load(machine, body, size, error, sizeof error));
	size = make_body(body, nil, 0, 0, "DH1 3LG", ITEMS("vegetables"));
	assert_true(machine_load(machine, body, size, error, sizeof error));
	return machine;
}

static void assert_text(struct text_span text, const char *expected)
{
	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.size);
}

/* Orders get their op and their number within the postcode, loaded ones come first, and every field is kept. */
static void applied_orders_are_seen(void **state)
{
	struct machine *machine = with_initial();
	struct order_view view, views[8];

	(void)state;
	assert_int_equal(machine_op(machine), 0);
	assert_int_equal(history_count(machine_history(machine)), 2);
	assert_false(postcode_orders_by_op(orders_in(machine), 0, &view));
	assert_false(postcode_orders_by_op(orders_in(machine), 1, &view));
	apply(machine, client_number(1), 7, "DH1 3LE", ITEMS("pizza"));
	assert_int_equal(machine_op(machine), 1);
	assert_int_equal(history_loaded(machine_history(machine)), 2);
	assert_int_equal(machine_last_time_us(machine), 70);
	assert_true(postcode_orders_by_op(orders_in(machine), 1, &view));
	assert_int_equal(view.op, 1);
	assert_int_equal(view.number, 2);
	assert_int_equal(view.request, 7);
	assert_int_equal(view.time_us, 70);
	assert_int_equal(view.check, JH_CHECK_EXISTS);
	assert_true(uuid_equal(view.client, client_number(1)));
	assert_text(view.order.postcode, "DH1 3LE");
	assert_int_equal(view.order.items_count, 1);
	assert_text(view.order.items[0], "pizza");
	assert_int_equal(postcode_orders_total(orders_in(machine), "DH1 3LE", 7), 2);
	assert_int_equal(postcode_orders_total(orders_in(machine), "DH1 3LG", 7), 1);
	assert_int_equal(postcode_orders_total(orders_in(machine), "DH1 3LH", 7), 0);
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LH", 7, 0, 8, views), 0);
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, 0, 8, views), 2);
	assert_int_equal(views[0].op, 0);
	assert_text(views[0].order.items[1], "fries");
	assert_int_equal(views[1].op, 1);
	machine_free(machine);
}

/* Pages of a long history, read from the newest back and from every position, show each number once, in order. */
static void history_pages(void **state)
{
	struct machine *machine = machine_new(2000);
	struct order_view views[10];

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		apply(machine, client_number(i), i, i % 2 ? "DH1 3LE" : "DH1 3LG", ITEMS("pizza"));
	for (uint32_t before = 1; before <= 501; before++) {
		uint32_t expected = before - 1 < 10 ? before - 1 : 10;

		assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, before, 10, views), expected);
		for (uint32_t i = 0; i < expected; i++) {
			assert_int_equal(views[i].number, before - expected + i);
			assert_int_equal(views[i].op, views[i].number * 2 - 1);
		}
	}
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, 0, 10, views), 10);
	assert_int_equal(views[9].number, 500);
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, UINT32_MAX, 1, views), 1);
	assert_int_equal(views[0].number, 500);
	assert_int_equal(postcode_orders_list(orders_in(machine), "DH1 3LE", 7, 0, 0, views), 0);
	machine_free(machine);
}

/* Rule 11: a repeat finds its order, other content is a conflict, a number below the last without an order is
 * superseded. */
static void requests_are_looked_up(void **state)
{
	struct machine *machine = with_initial();
	struct digest pizza = content_of("DH1 3LE", ITEMS("pizza")), soup = content_of("DH1 3LE", ITEMS("soup"));
	struct uuid client = client_number(5), nil = {{0}};
	uint64_t op = 0;

	(void)state;
	assert_int_equal(machine_lookup(machine, client, 1, pizza, &op), CLIENT_NEW);
	assert_int_equal(machine_lookup(machine, nil, 0, pizza, &op), CLIENT_NEW);
	for (uint64_t request = 2; request <= 400; request += 2)
		apply(machine, client, request, "DH1 3LE", ITEMS("pizza"));
	for (uint64_t request = 2; request <= 400; request += 2) {
		op = 0;
		assert_int_equal(machine_lookup(machine, client, request, pizza, &op), CLIENT_DECIDED);
		assert_int_equal(op, request / 2);
		assert_int_equal(machine_lookup(machine, client, request, soup, &op), CLIENT_REUSED);
		assert_int_equal(op, request / 2);
		assert_int_equal(machine_lookup(machine, client, request - 1, pizza, &op), CLIENT_PASSED);
	}
	assert_int_equal(machine_lookup(machine, client, 0, pizza, &op), CLIENT_PASSED);
	assert_int_equal(machine_lookup(machine, client, 401, pizza, &op), CLIENT_NEW);
	assert_int_equal(machine_lookup(machine, client_number(6), 2, pizza, &op), CLIENT_NEW);
	machine_free(machine);
}

/* The key of a request covers the client's part and leaves out what the primary assigns. */
static void content_leaves_out_what_is_assigned(void **state)
{
	struct body body = {.format = FORMAT_LOW, .client = client_number(1), .request = 2, .time_us = -3, .check = 1};
	struct order order = {.postcode = {"DH1 3LE", 7}, .items_count = 1, .items = {{"pizza", 5}}};
	uint8_t bytes[LIMIT_BODY_BYTES];
	struct digest first, second;
	struct uuid client;
	uint64_t request;
	int64_t time_us;

	(void)state;
	size_t size = order_encode_body(&body, &order, bytes, sizeof bytes);

	assert_true(operation_key(bytes, size, &client, &request, &first, &time_us));
	assert_true(uuid_equal(client, body.client));
	assert_int_equal(request, 2);
	assert_int_equal(time_us, -3);
	body.time_us = 77;
	body.check = 2;
	size = order_encode_body(&body, &order, bytes, sizeof bytes);
	assert_true(operation_key(bytes, size, NULL, NULL, &second, NULL));
	assert_true(digest_equal(first, second));
	order.customer = (struct text_span){"A", 1};
	size = order_encode_body(&body, &order, bytes, sizeof bytes);
	assert_true(operation_key(bytes, size, NULL, NULL, &second, NULL));
	assert_false(digest_equal(first, second));
	assert_false(operation_key(bytes, size - 4, NULL, NULL, &second, NULL));
}

/* What cannot be applied changes nothing: more than the maximum, malformed bytes. */
static void the_impossible_changes_nothing(void **state)
{
	struct machine *machine = machine_new(3);
	uint8_t body[LIMIT_BODY_BYTES];

	(void)state;
	apply(machine, client_number(1), 5, "DH1 3LE", ITEMS("pizza"));
	apply(machine, client_number(2), 1, "DH1 3LE", ITEMS("pizza"));

	struct digest digest = history_digest(machine_history(machine));
	uint64_t bytes = history_bytes(machine_history(machine));
	size_t size = make_body(body, client_number(1), 5, 1, "DH1 3LE", ITEMS("pizza"));

	assert_int_equal(machine_apply(machine, body, size - 1), MACHINE_MALFORMED);
	assert_int_equal(machine_apply(machine, body, 0), MACHINE_MALFORMED);
	assert_int_equal(machine_op(machine), 2);
	assert_int_equal(history_bytes(machine_history(machine)), bytes);
	assert_true(digest_equal(history_digest(machine_history(machine)), digest));
	assert_int_equal(postcode_orders_total(orders_in(machine), "DH1 3LE", 7), 2);
	apply(machine, client_number(1), 6, "DH1 3LE", ITEMS("pizza"));
	size = make_body(body, client_number(3), 1, 1, "DH1 3LE", ITEMS("pizza"));
	assert_int_equal(machine_apply(machine, body, size), MACHINE_FULL);
	assert_int_equal(history_count(machine_history(machine)), 3);
	machine_free(machine);
}

/* --- the state as bytes ------------------------------------------------------------------------------------------- */

static struct machine *decode(const uint8_t *bytes, size_t size, uint64_t initial_count, bool *good)
{
	struct machine *machine = machine_new(10000);

	*good = machine_decode(machine, initial_count, bytes, size, error, sizeof error);
	return machine;
}

/* A history that was converted to bytes and back, in pieces of any size, is the same: digest, numbers, lookups. */
static void bytes_make_the_same_history(void **state)
{
	struct machine *machine = with_initial(), *copy;
	uint8_t bytes[64 * 1024];
	struct digest content = content_of("DH1 3LG", ITEMS("pizza", "soup"));
	struct order_view views[2];
	uint64_t next, op;

	(void)state;
	for (uint64_t i = 1; i <= 300; i++)
		apply(machine, client_number(i % 17 + 1), i, i % 3 ? "DH1 3LE" : "DH1 3LG", ITEMS("pizza", "soup"));
	for (size_t piece = 120; piece < sizeof bytes; piece = piece * 3 / 2) {
		copy = machine_new(1000);
		for (uint64_t first = 0; first < 302; first = next) {
			size_t size = history_encode(machine_history(machine), first, 300, &next, bytes, piece);

			assert_true(size > 0 && size <= piece && next > first);
			assert_true(machine_decode(copy, 2, bytes, size, error, sizeof error));
		}
		assert_int_equal(machine_op(copy), 300);
		assert_true(digest_equal(history_digest(machine_history(copy)), history_digest(machine_history(machine))));
		assert_int_equal(history_bytes(machine_history(copy)), history_bytes(machine_history(machine)));
		assert_int_equal(machine_last_time_us(copy), 3000);
		assert_int_equal(postcode_orders_list(orders_in(copy), "DH1 3LG", 7, 0, 2, views), 2);
		assert_int_equal(views[1].op, 300);
		assert_int_equal(machine_lookup(copy, client_number(11), 300, content, &op), CLIENT_NEW);
		assert_int_equal(machine_lookup(copy, client_number(300 % 17 + 1), 300, content, &op), CLIENT_DECIDED);
		machine_free(copy);
	}
	/* As of an earlier op; and a buffer too small for one order. */
	assert_true(history_encode(machine_history(machine), 0, 0, &next, bytes, sizeof bytes) > 0);
	assert_int_equal(next, 2);
	assert_int_equal(history_encode(machine_history(machine), 2, 0, &next, bytes, sizeof bytes), 0);
	assert_int_equal(next, 2);
	assert_int_equal(history_encode(machine_history(machine), 2, 5, &next, bytes, 50), 0);
	assert_int_equal(next, 2);
	machine_free(machine);
}

/* Truncated anywhere but between two orders, bytes are refused; so are a wrong size, and too many
 * orders. */
static void damaged_bytes_are_refused(void **state)
{
	struct machine *machine = with_initial(), *copy;
	uint8_t bytes[4096];
	uint64_t next;
	bool good;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		apply(machine, client_number(1), i, "DH1 3LE", ITEMS("pizza"));
	size_t size = history_encode(machine_history(machine), 0, 5, &next, bytes, sizeof bytes);
	unsigned whole = 0;

	for (size_t cut = 0; cut <= size; cut++) {
		machine_free(decode(bytes, cut, 2, &good));
		whole += good;
	}
	assert_int_equal(whole, 8); /* 0 to 7 orders */
	for (size_t i = 0; i < 4; i++) {
		bytes[i] ^= 0x81;
		machine_free(decode(bytes, size, 2, &good));
		assert_false(good);
		bytes[i] ^= 0x81;
	}
	copy = decode(bytes, size, 2, &good);
	assert_true(good);
	size_t second = history_encode(machine_history(machine), 2, 5, &next, bytes, sizeof bytes);

	assert_false(machine_decode(copy, 3, bytes, second, error, sizeof error));
	machine_free(copy);
	copy = machine_new(4);
	assert_false(machine_decode(copy, 0, bytes, second, error, sizeof error));
	assert_non_null(strstr(error, "--max-orders"));
	machine_free(copy);
	machine_free(machine);
}

/* --- against a naive model ---------------------------------------------------------------------------------------- */

#define MODEL_ORDERS 200000
#define MODEL_CLIENTS 40000
#define MODEL_POSTCODES 900

struct model {
	uint64_t last_request[MODEL_CLIENTS + 1];
	uint32_t total[MODEL_POSTCODES];
	struct {
		uint32_t client, postcode, number;
		uint64_t request;
		bool passed; /* its number, or a higher one, was used before */
	} orders[MODEL_ORDERS];
};

static void check_order(const struct machine *machine, const struct model *model, uint64_t op)
{
	struct order_view view, page[3];
	struct digest content;
	uint8_t body[LIMIT_BODY_BYTES];
	uint32_t postcode = model->orders[op - 1].postcode, number = model->orders[op - 1].number;
	struct uuid client = client_number(model->orders[op - 1].client);
	uint64_t request = model->orders[op - 1].request, found;
	size_t size = make_usual_body(body, client, request, postcode);

	assert_int_equal(machine_outcome(machine, op).result, model->orders[op - 1].passed ? OUTCOME_PASSED : OUTCOME_APPLIED);
	if (model->orders[op - 1].passed) {
		assert_false(postcode_orders_by_op(orders_in(machine), op, &view));
		return;
	}
	assert_true(operation_key(body, size, NULL, NULL, &content, NULL));
	assert_true(postcode_orders_by_op(orders_in(machine), op, &view));
	assert_true(uuid_equal(view.client, client) && view.request == request && view.number == number);
	assert_int_equal(machine_lookup(machine, client, request, content, &found), CLIENT_DECIDED);
	assert_int_equal(found, op);
	assert_int_equal(postcode_orders_list(orders_in(machine), view.order.postcode.bytes, view.order.postcode.size,
					      number + 1, 3, page),
			 number < 3 ? number : 3);
	assert_int_equal(page[number < 3 ? number - 1 : 2].op, op);
	assert_int_equal(postcode_orders_total(orders_in(machine), view.order.postcode.bytes, view.order.postcode.size),
			 model->total[postcode]);
}

/* Orders of busy and of one-time clients, repeats and old numbers among them: after each, and at the end for all. */
static void random_orders_match_the_model(void **state)
{
	struct machine *machine = machine_new(MODEL_ORDERS);
	struct model *model = calloc(1, sizeof *model);
	struct random random = {3};
	struct digest digest = {0, 0};
	uint8_t body[LIMIT_BODY_BYTES];
	uint64_t op = 0;

	(void)state;
	while (op < MODEL_ORDERS) {
		uint32_t client = 1 + (uint32_t)random_below(&random, random_below(&random, 3) ? MODEL_CLIENTS : 50);
		uint32_t postcode = (uint32_t)random_below(&random, random_below(&random, 4) ? MODEL_POSTCODES : 3);
		bool old = model->last_request[client] > 0 && random_below(&random, 20) == 0;
		uint64_t request = old ? random_below(&random, model->last_request[client] + 1) :
					 model->last_request[client] + 1 + random_below(&random, 3);
		size_t size = make_usual_body(body, client_number(client), request, postcode);
		enum machine_applied applied = machine_apply(machine, body, size);

		assert_int_equal(applied, MACHINE_APPLIED);
		digest = digest_chain(digest, body, size);
		model->orders[op].passed = old;
		op++;
		if (old)
			continue;
		model->last_request[client] = request;
		model->orders[op - 1].client = client;
		model->orders[op - 1].postcode = postcode;
		model->orders[op - 1].number = ++model->total[postcode];
		model->orders[op - 1].request = request;
		if (op % 16 == 0)
			check_order(machine, model, 1 + random_below(&random, op));
	}
	assert_true(digest_equal(history_digest(machine_history(machine)), digest));
	for (op = 1; op <= MODEL_ORDERS; op += 3)
		check_order(machine, model, op);
	free(model);
	machine_free(machine);
}

/* --- costs -------------------------------------------------------------------------------------------------------- */

/* At most 80 bytes per order in addition to its encoded bytes, also when each has a client and a postcode of its
 * own. */
static void memory_is_bounded(void **state)
{
	(void)state;
	for (uint32_t postcodes = 1; postcodes <= 100000; postcodes *= 100000) {
		struct machine *machine = machine_new(100000);
		uint8_t body[LIMIT_BODY_BYTES];

		for (uint32_t i = 0; i < 100000; i++) {
			size_t size = make_usual_body(body, client_number(i + 1), 1, i % postcodes);

			assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
		}
		assert_in_range(machine_memory(machine) - history_bytes(machine_history(machine)), 1, 100000 * 80);
		machine_free(machine);
	}
}

/* The processor time of finding the oldest order of one client, and of one postcode, in a history of `count`: the
 * least of some tries. */
static double oldest_s(uint32_t count)
{
	struct machine *machine = machine_new(count);
	struct order_view view;
	struct digest content = {0, 0};
	double least = 1e9;
	uint8_t body[LIMIT_BODY_BYTES];
	uint64_t op;

	for (uint32_t i = 1; i <= count; i++) {
		size_t size = make_usual_body(body, client_number(1), i, 1);

		assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
	}
	assert_true(postcode_orders_by_op(orders_in(machine), 1, &view));
	struct text_span text = view.order.postcode;

	for (int tries = 0; tries < 20; tries++) {
		clock_t start = clock();

		for (int i = 0; i < 50; i++) {
			assert_int_equal(machine_lookup(machine, client_number(1), 1, content, &op), CLIENT_REUSED);
			assert_int_equal(postcode_orders_list(orders_in(machine), text.bytes, text.size, 2, 1, &view), 1);
			assert_int_equal(view.op, 1);
		}
		double took = (double)(clock() - start + 1) / CLOCKS_PER_SEC;

		least = took < least ? took : least;
	}
	machine_free(machine);
	return least;
}

/* However many orders a client or a postcode has, an old one is found at once: no read may hold up the loop. */
static void old_orders_are_found_at_once(void **state)
{
	(void)state;
	assert_true(oldest_s(100000) < oldest_s(1000) * 20); /* a walk would take 100 times as long */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applied_orders_are_seen),
		cmocka_unit_test(history_pages),
		cmocka_unit_test(requests_are_looked_up),
		cmocka_unit_test(content_leaves_out_what_is_assigned),
		cmocka_unit_test(the_impossible_changes_nothing),
		cmocka_unit_test(bytes_make_the_same_history),
		cmocka_unit_test(damaged_bytes_are_refused),
		cmocka_unit_test(random_orders_match_the_model),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(old_orders_are_found_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
