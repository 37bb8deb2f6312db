/* What an entry became is decided when it is applied, kept, and the same after a restart or a full push: it is folded once more
 * from the operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/shop.h"
#include "tests/unit/support_decided.h"
#include "tests/unit/support_orders.h"

static enum client_known look_up(const struct machine *machine, uint64_t request, const void *body, size_t size, uint64_t *op)
{
	return machine_lookup(machine, client_number(1), request, decided_content(body, size), op);
}

static void check_decided(const struct machine *machine)
{
	uint8_t order[LIMIT_BODY_BYTES], nothing[LIMIT_BODY_BYTES], refused[LIMIT_BODY_BYTES];
	size_t order_size = decided_order(order, 1), nothing_size = decided_void(nothing, 1);
	size_t refused_size = decided_refusal(refused, 1);
	uint64_t op = 0;

	assert_int_equal(machine_op(machine), DECIDED_OPS);
	assert_int_equal(machine_outcome(machine, DECIDED_DONE).result, OUTCOME_APPLIED);
	assert_int_equal(machine_outcome(machine, DECIDED_REFUSED).result, OUTCOME_REFUSAL);
	assert_int_equal(machine_outcome(machine, DECIDED_REFUSED).reason, JH_REASON_BAD_REQUEST);
	assert_int_equal(machine_outcome(machine, DECIDED_REFUSED).values_count, 1);
	assert_int_equal(machine_outcome(machine, DECIDED_REFUSED).values[0], REFUSAL_VALUE);
	assert_int_equal(machine_outcome(machine, DECIDED_VOID).result, OUTCOME_NOTHING);
	assert_int_equal(look_up(machine, REQUEST_DONE, order, order_size, &op), CLIENT_DECIDED);
	assert_int_equal(op, DECIDED_DONE);
	assert_int_equal(look_up(machine, REQUEST_DONE, nothing, nothing_size, &op), CLIENT_REUSED);
	assert_int_equal(look_up(machine, REQUEST_REFUSED, refused, refused_size, &op), CLIENT_DECIDED);
	assert_int_equal(op, DECIDED_REFUSED);
	assert_int_equal(look_up(machine, REQUEST_REFUSED, order, order_size, &op), CLIENT_REUSED);
	assert_int_equal(look_up(machine, REQUEST_VOIDED, nothing, nothing_size, &op), CLIENT_DECIDED);
	assert_int_equal(look_up(machine, REQUEST_VOIDED, order, order_size, &op), CLIENT_REUSED);
	assert_int_equal(op, DECIDED_VOID);
	assert_int_equal(look_up(machine, REQUEST_PASSED, order, order_size, &op), CLIENT_PASSED);
	assert_int_equal(look_up(machine, REQUEST_LATER, order, order_size, &op), CLIENT_NEW);
	/* Neither a refused one nor a void one is an order. */
	assert_int_equal(postcode_orders_total(orders_in(machine), "DH1 3LE", 7), 1);
}

/* Rule 11: every request that was decided stays decided, whatever it became. */
static void decided_requests_are_kept(void **state)
{
	struct machine *machine = decided_machine();

	(void)state;
	check_decided(machine);
	machine_free(machine);
}

/* Rules 11, 12: a full push carries the operations, and whoever takes it comes to the same outcomes and the same fold. */
static void a_copy_has_the_same_outcomes(void **state)
{
	struct machine *machine = decided_machine(), *copy = machine_new(100);
	uint8_t bytes[4096];
	char error[200];
	uint64_t next;
	size_t size = history_encode(machine_history(machine), 0, DECIDED_OPS, &next, bytes, sizeof bytes);

	(void)state;
	assert_int_equal(next, DECIDED_OPS);
	assert_true(machine_decode(copy, 0, bytes, size, error, sizeof error));
	check_decided(copy);
	assert_true(digest_equal(machine_fold(copy), machine_fold(machine)));
	machine_free(machine);
	machine_free(copy);
}

/* Histories that became something else have another fold, also where the bodies differ in nothing else that is kept. */
static void the_fold_is_of_the_outcomes(void **state)
{
	struct machine *machine = decided_machine(), *other = machine_new(100);
	uint8_t body[LIMIT_BODY_BYTES];

	(void)state;
	assert_int_equal(machine_apply(other, body, decided_order(body, REQUEST_DONE)), MACHINE_APPLIED);
	assert_false(digest_equal(machine_fold(other), machine_fold(machine)));
	assert_int_equal(machine_apply(other, body, decided_void(body, REQUEST_REFUSED)), MACHINE_APPLIED);
	assert_int_equal(machine_apply(other, body, decided_void(body, REQUEST_VOIDED)), MACHINE_APPLIED);
	assert_false(digest_equal(machine_fold(other), machine_fold(machine)));
	machine_free(machine);
	machine_free(other);
}

/* Rule 11: an entry under a number that was decided before changes nothing, whatever it is, and the number stays what it was. */
static void what_comes_later_is_passed_over(void **state)
{
	static const uint64_t requests[] = {REQUEST_DONE, REQUEST_REFUSED, REQUEST_VOIDED, REQUEST_PASSED};
	struct machine *machine = decided_machine();
	uint8_t body[LIMIT_BODY_BYTES];
	uint64_t op = 0;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(machine_apply(machine, body, decided_order(body, requests[i])), MACHINE_APPLIED);
		assert_int_equal(machine_outcome(machine, machine_op(machine)).result, OUTCOME_PASSED);
		assert_int_equal(machine_apply(machine, body, decided_void(body, requests[i])), MACHINE_APPLIED);
		assert_int_equal(machine_outcome(machine, machine_op(machine)).result, OUTCOME_PASSED);
	}
	assert_int_equal(postcode_orders_total(orders_in(machine), "DH1 3LE", 7), 1);
	assert_int_equal(look_up(machine, REQUEST_VOIDED, body, decided_void(body, 1), &op), CLIENT_DECIDED);
	assert_int_equal(op, DECIDED_VOID);
	assert_int_equal(look_up(machine, REQUEST_PASSED, body, decided_void(body, 1), &op), CLIENT_PASSED);
	machine_free(machine);
}

static void encoded_outcomes_are_read_back(void **state)
{
	struct outcome outcome = {.result = OUTCOME_REFUSAL, .reason = 3}, read;
	uint8_t bytes[OUTCOME_BYTES];

	(void)state;
	for (int i = 0; i < OUTCOME_VALUES; i++)
		outcome_value(&outcome, INT64_MIN + i);

	struct encoder encoder = {.at = bytes, .left = sizeof bytes};

	outcome_encode(&outcome, &encoder);
	assert_false(encoder.failed);
	assert_int_equal(encoder.left, 0);
	assert_true(outcome_decode(&(struct decoder){.at = bytes, .left = sizeof bytes}, &read));
	assert_memory_equal(&read, &outcome, sizeof read);
	for (size_t size = 0; size < sizeof bytes; size++)
		assert_false(outcome_decode(&(struct decoder){.at = bytes, .left = size}, &read));
	encode_word(bytes, OUTCOME_PASSED + 1);
	assert_false(outcome_decode(&(struct decoder){.at = bytes, .left = sizeof bytes}, &read));
	encode_word(bytes, OUTCOME_REFUSAL);
	encode_word(bytes + 8, OUTCOME_VALUES + 1);
	assert_false(outcome_decode(&(struct decoder){.at = bytes, .left = sizeof bytes}, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decided_requests_are_kept),
		cmocka_unit_test(a_copy_has_the_same_outcomes),
		cmocka_unit_test(the_fold_is_of_the_outcomes),
		cmocka_unit_test(what_comes_later_is_passed_over),
		cmocka_unit_test(encoded_outcomes_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
