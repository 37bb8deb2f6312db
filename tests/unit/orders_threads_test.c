/* The order history between threads (run under TSan): a snapshot thread may read while the loop applies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "rpc/base/must.h"
#include "server/machine/machine.h"
#include "support_orders.h"

#define ORDERS_MAX 200000

static char error[200];

struct encoding_thread {
	const struct machine *machine;
	uint64_t through_op;
	struct digest digest;
	_Atomic bool go, done;
	bool equal;
};

static void *encode_state(void *context)
{
	struct encoding_thread *encoder = context;
	static uint8_t bytes[8192];
	struct machine *copy = machine_new(ORDERS_MAX);
	uint64_t next = 0;

	while (!atomic_load(&encoder->go))
		;
	while (next < history_loaded(machine_history(encoder->machine)) + encoder->through_op) {
		size_t size = history_encode(machine_history(encoder->machine), next, encoder->through_op, &next,
					     bytes, sizeof bytes);

		must(machine_decode(copy, 0, bytes, size, error, sizeof error));
		must(history_bytes(machine_history(encoder->machine)) >= history_bytes(machine_history(copy)));
	}
	encoder->equal = digest_equal(history_digest(machine_history(copy)), encoder->digest);
	machine_free(copy);
	atomic_store(&encoder->done, true);
	return NULL;
}

/* A thread encodes the state as of an op while the loop applies further orders: the bytes are those of that op. */
static void state_is_encoded_while_orders_arrive(void **state)
{
	struct machine *machine = machine_new(ORDERS_MAX);
	struct encoding_thread encoder = {.machine = machine, .through_op = 20000};
	uint8_t body[LIMIT_BODY_BYTES];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, encode_state, &encoder), 0);
	for (uint64_t i = 1; i < ORDERS_MAX && !atomic_load(&encoder.done); i++) {
		size_t size = make_usual_body(body, client_number(i), 1, (uint32_t)(i % 1000));

		assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
		if (i == encoder.through_op) {
			encoder.digest = history_digest(machine_history(machine));
			atomic_store(&encoder.go, true);
		}
	}
	pthread_join(thread, NULL);
	assert_true(encoder.equal);
	machine_free(machine);
}

static void *follow_orders(void *context)
{
	struct encoding_thread *encoder = context;
	static uint8_t bytes[8192];
	struct machine *copy = machine_new(ORDERS_MAX);
	uint64_t next = 0;

	while (next < encoder->through_op) {
		uint64_t through_op = machine_op(encoder->machine);
		size_t size = history_encode(machine_history(encoder->machine), next, through_op, &next, bytes, sizeof bytes);

		must(machine_decode(copy, 0, bytes, size, error, sizeof error));
	}
	encoder->digest = history_digest(machine_history(copy));
	machine_free(copy);
	return NULL;
}

/* A thread that sees an order counted may read it, without further synchronisation (TSan detects what is missing). */
static void counted_orders_may_be_read(void **state)
{
	struct machine *machine = machine_new(ORDERS_MAX);
	struct encoding_thread encoder = {.machine = machine, .through_op = 50000};
	uint8_t body[LIMIT_BODY_BYTES];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, follow_orders, &encoder), 0);
	for (uint64_t i = 1; i <= encoder.through_op; i++) {
		size_t size = make_usual_body(body, client_number(i), 1, (uint32_t)(i % 1000));

		assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
	}
	pthread_join(thread, NULL);
	assert_true(digest_equal(encoder.digest, history_digest(machine_history(machine))));
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_is_encoded_while_orders_arrive),
		cmocka_unit_test(counted_orders_may_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
