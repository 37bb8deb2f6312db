/* What each replica computes from the operations is compared with the primary's at equal applied op. A replica whose own differs
 * goes on storing, answers no read, and says so until it was equal to a serving primary. It is replica 1, the peer replica 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/support_replica.h"

static struct report report_now(void)
{
	struct report report;

	replica_report(rig.core, &report);
	return report;
}

static struct digest digest_after(uint64_t ops)
{
	struct digest digest = initial_digest();

	for (uint8_t body = 0; body < ops; body++)
		digest = digest_chain(digest, &body, 1);
	return digest;
}

/* The next order of the primary, which is committed with the push after it. */
static void next_order(uint64_t op)
{
	rig.fold_op = op - 1; /* what the primary has computed when it sends this */
	push(op - 1, digest_after(op - 1), 2, (uint8_t)(op - 1), 1, op, op - 1);
	durable();
}

static void follow(void)
{
	core_begin(0, 0);
	two_members(PEER);
	rig.fold_op = 0;
	push(0, initial_digest(), 2, 0, 0, 0, 0);
	durable();
	assert_int_equal(state_now(), STATE_FOLLOWING);
}

static bool reads(void)
{
	query(2, 0);
	return did(DO_READ) != NULL;
}

/* Equal: nothing is said, and reads are answered. */
static void equal_states_are_equal(void **state)
{
	(void)state;
	follow();
	for (uint64_t op = 1; op <= 4; op++)
		next_order(op);
	assert_true(reads());
	assert_int_equal(report_now().fold_differs_op, 0);
	assert_int_equal(report_now().fold_equal_op, 3);
	core_end();
}

/* Rule 8. Differing: on disk before it is reported; stored and acknowledged as before, but nothing is read here. */
static void another_state_answers_no_read(void **state)
{
	(void)state;
	follow();
	rig.fold_wrong_from = 2;
	next_order(1);
	next_order(2);
	query(2, 9);
	assert_null(did(DO_READ_MOVED)); /* it waits for that op, and not for its time to be over: */
	rig.fold_op = 2;
	push(2, digest_after(2), 2, 2, 1, 3, 2);
	durable();
	assert_non_null(did(DO_READ_MOVED));
	assert_false(reads());
	assert_int_equal(report_now().fold_differs_op, 0); /* not on disk yet */
	durable();
	assert_int_equal(report_now().fold_differs_op, 2);
	assert_int_equal(report_now().fold_equal_op, 1);
	next_order(4);
	assert_non_null(did(DO_ACK));
	assert_int_equal(did(DO_ACK)->ack.ack.op, 4);
	assert_false(reads());
	core_end();
}

/* Rule 8. A restart forgets nothing: only equality with a serving primary removes the mark. */
static void the_mark_outlives_the_process(void **state)
{
	(void)state;
	rig.fold_differs_op = 7;
	follow();
	assert_int_equal(report_now().fold_differs_op, 7);
	assert_false(reads());
	next_order(1);
	assert_false(reads());
	next_order(2);
	assert_int_equal(report_now().fold_differs_op, 7); /* it is equal, and not on disk yet */
	durable();
	assert_int_equal(report_now().fold_differs_op, 0);
	assert_true(reads());
	rig.fold_differs_op = 0;
	core_end();
}

/* What a primary computed is what clients are told: it is right by definition, once it serves. */
static void the_primarys_stands(void **state)
{
	(void)state;
	rig.fold_differs_op = 7;
	core_begin(2, 2);
	lead();
	durable();
	assert_int_equal(state_now(), STATE_SERVING);
	assert_int_equal(report_now().fold_differs_op, 0);
	assert_true(reads());
	rig.fold_differs_op = 0;
	core_end();
}

/* A serving primary, whose member has acknowledged an order and told another state than ours. */
static void a_member_differs(void)
{
	core_begin(2, 0);
	two_members(SELF);
	lead();
	peer_up(1);
	acknowledge(2);
	rig.fold_op = 2;
	acknowledge(2);
	assert_int_equal(state_now(), STATE_SERVING);
	assert_int_equal(report_now().needs_count, 0);
	rig.fold_wrong_from = 1; /* then theirs is another one, too */
	submit(2, 2);
	propose(2, 2);
	acknowledge(3);
}

/* A member whose acknowledgement tells another state is reported, and is needed no less. */
static void a_member_that_differs_is_reported(void **state)
{
	(void)state;
	a_member_differs();
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, NEED_FOLD);
	assert_int_equal(report_now().needs[0].id, PEER);
	assert_int_equal(replica_commit(rig.core), 2); /* the own disk is late; the member's proof counts as before */
	durable();
	assert_int_equal(replica_commit(rig.core), 3);
	core_end();
}

/* Rule 8. What was seen of a member in an older view is no news in a later one: it is compared anew first. */
static void a_new_view_compares_anew(void **state)
{
	struct view next;

	(void)state;
	a_member_differs();
	durable();
	assert_int_equal(report_now().needs_count, 1);
	next = next_view();
	install(&next);
	durable();
	assert_int_equal(state_now(), STATE_SETTLING);
	assert_int_equal(report_now().needs_count, 0);
	rig.fold_op = 0;
	acknowledge(3);
	assert_int_equal(state_now(), STATE_SERVING);
	assert_int_equal(report_now().needs_count, 0);
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_states_are_equal),
		cmocka_unit_test(another_state_answers_no_read),
		cmocka_unit_test(the_mark_outlives_the_process),
		cmocka_unit_test(the_primarys_stands),
		cmocka_unit_test(a_member_that_differs_is_reported),
		cmocka_unit_test(a_new_view_compares_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
