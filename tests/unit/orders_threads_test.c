/* The order history between threads (run under TSan): a snapshot thread may read while the loop applies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "rpc/base/must.h"
#include "server/machine/orders.h"
#include "support_orders.h"

#define ORDERS_MAX 200000

static char error[200];

struct encoder {
	const struct orders *orders;
	uint64_t through_op;
	struct digest digest;
	_Atomic bool go, done;
	bool equal;
};

static void *encode_state(void *context)
{
	struct encoder *encoder = context;
	static uint8_t bytes[8192];
	struct orders *copy = orders_new(ORDERS_MAX);
	uint64_t next = 0;

	while (!atomic_load(&encoder->go))
		;
	while (next < orders_initial_count(encoder->orders) + encoder->through_op) {
		size_t size = orders_encode(encoder->orders, next, encoder->through_op, &next, bytes, sizeof bytes);

		must(orders_decode(copy, 0, bytes, size, error, sizeof error));
		must(orders_bytes(encoder->orders) >= orders_bytes(copy));
	}
	encoder->equal = digest_equal(orders_digest(copy), encoder->digest);
	orders_free(copy);
	atomic_store(&encoder->done, true);
	return NULL;
}

/* A thread encodes the state as of an op while the loop applies further orders: the bytes are those of that op. */
static void state_is_encoded_while_orders_arrive(void **state)
{
	struct orders *orders = orders_new(ORDERS_MAX);
	struct encoder encoder = {.orders = orders, .through_op = 20000};
	uint8_t body[LIMIT_BODY_BYTES];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, encode_state, &encoder), 0);
	for (uint64_t i = 1; i < ORDERS_MAX && !atomic_load(&encoder.done); i++) {
		size_t size = make_usual_body(body, client_number(i), 1, (uint32_t)(i % 1000));

		assert_int_equal(orders_apply(orders, body, size), ORDERS_APPLIED);
		if (i == encoder.through_op) {
			encoder.digest = orders_digest(orders);
			atomic_store(&encoder.go, true);
		}
	}
	pthread_join(thread, NULL);
	assert_true(encoder.equal);
	orders_free(orders);
}

static void *follow_orders(void *context)
{
	struct encoder *encoder = context;
	static uint8_t bytes[8192];
	struct orders *copy = orders_new(ORDERS_MAX);
	uint64_t next = 0;

	while (next < encoder->through_op) {
		uint64_t through_op = orders_op(encoder->orders);
		size_t size = orders_encode(encoder->orders, next, through_op, &next, bytes, sizeof bytes);

		must(orders_decode(copy, 0, bytes, size, error, sizeof error));
	}
	encoder->digest = orders_digest(copy);
	orders_free(copy);
	return NULL;
}

/* Whoever sees an order counted may read it, with nothing else between the threads (TSan sees what is missing). */
static void counted_orders_may_be_read(void **state)
{
	struct orders *orders = orders_new(ORDERS_MAX);
	struct encoder encoder = {.orders = orders, .through_op = 50000};
	uint8_t body[LIMIT_BODY_BYTES];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, follow_orders, &encoder), 0);
	for (uint64_t i = 1; i <= encoder.through_op; i++) {
		size_t size = make_usual_body(body, client_number(i), 1, (uint32_t)(i % 1000));

		assert_int_equal(orders_apply(orders, body, size), ORDERS_APPLIED);
	}
	pthread_join(thread, NULL);
	assert_true(digest_equal(encoder.digest, orders_digest(orders)));
	orders_free(orders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_is_encoded_while_orders_arrive),
		cmocka_unit_test(counted_orders_may_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
