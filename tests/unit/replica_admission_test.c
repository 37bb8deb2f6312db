/* Rules 8, 11, 12 and 19 at one primary whose state machine refuses requests: what the applied state refuses, what waits until
 * the log is applied, and the room that is kept for what ends a doubt. As in replica_requests_test it is replica 1 and the peer is
 * replica 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc/base/limits.h"
#include "tests/unit/support_replica.h"

#define NOTHING (-1)

/* A primary of two entries (requests 0 and 1), and a member that is connected and holds them. */
static void with_a_member(void)
{
	core_begin_admitting(2, 0);
	two_members(SELF);
	lead();
	peer_up(1);
	acknowledge(2);
	acknowledge(2); /* of the new commit point */
	assert_int_equal(state_now(), STATE_SERVING);
}

static uint64_t submit_with(uint8_t request, uint64_t floor, bool ends_doubt)
{
	core_step(&(struct replica_event){.kind = REPLICA_SUBMIT,
					  .submit = {.token = ++rig.token, .view = 2, .client = named(0xC1), .number = request,
						     .content = digest_of(&request, 1), .floor = floor, .ends_doubt = ends_doubt}});
	return rig.token;
}

static void propose_with(uint64_t token, uint8_t request, bool ends_doubt)
{
	core_step(&(struct replica_event){.kind = REPLICA_PROPOSE,
					  .propose = {.request = {.token = token, .view = 2, .client = named(0xC1), .number = request,
								  .content = digest_of(&request, 1), .ends_doubt = ends_doubt},
						      .body = &request, .size = 1}});
}

static void flush(void)
{
	core_step(&(struct replica_event){.kind = REPLICA_FLUSH});
}

static bool validates(uint64_t token)
{
	for (uint32_t i = 0; i < rig.actions.count; i++) {
		if (rig.actions.list[i].kind == DO_VALIDATE && rig.actions.list[i].validate.token == token)
			return true;
	}
	return false;
}

/* A SUBMIT that waits; its token. */
static uint64_t waits(uint8_t request)
{
	submit_with(request, 0, false);
	assert_null(did(DO_VALIDATE));
	assert_null(did(DO_ANSWER));
	return rig.token;
}

/* The entry of a request is in the log, and not on the peer's disk yet. */
static uint64_t in_the_log(uint8_t request)
{
	uint64_t token;

	rig.admission = ADMISSION_GIVEN;
	token = submit_with(request, 0, false);
	assert_true(validates(token));
	propose_with(token, request, false);
	flush();
	return token;
}

/* What the last step answered to the call; NOTHING. */
static int answered(uint64_t token)
{
	for (uint32_t i = 0; i < rig.actions.count; i++) {
		if (rig.actions.list[i].kind == DO_ANSWER && rig.actions.list[i].answer.token == token)
			return (int)rig.actions.list[i].answer.verdict;
	}
	return NOTHING;
}

static void commit(uint64_t op)
{
	durable();
	acknowledge(op);
}

/* --- refused by the applied state --------------------------------------------------------------------------------- */

/* Rule 8: a refusal without an entry names the op that it was true at; nothing is validated, and nothing enters the log. */
static void the_applied_state_refuses(void **state)
{
	uint64_t call;

	(void)state;
	with_a_member();
	rig.admission = ADMISSION_REFUSED;
	call = submit_with(7, 2, false);
	assert_int_equal(answered(call), VERDICT_NOT_ADMITTED);
	assert_int_equal(did(DO_ANSWER)->answer.applied, 2);
	assert_null(did(DO_VALIDATE));
	core_end();
}

/* Rule 8: whose client has been shown more than is applied here is not refused by less. */
static void nobody_is_refused_below_its_floor(void **state)
{
	(void)state;
	with_a_member();
	rig.admission = ADMISSION_REFUSED;
	assert_int_equal(answered(submit_with(7, 3, false)), VERDICT_MOVED);
	core_end();
}

/* Rule 12: what was done may be the very reason why the state refuses the next: a repeat is looked up first, in the history and
 * in the log. */
static void a_repeat_is_looked_up_before_it_is_refused(void **state)
{
	uint64_t own, again;

	(void)state;
	with_a_member();
	rig.executed_request = 5;
	rig.executed_op = 2;
	rig.admission = ADMISSION_REFUSED;
	assert_int_equal(answered(submit_with(5, 0, false)), VERDICT_DECIDED);
	own = in_the_log(7);
	rig.admission = ADMISSION_REFUSED;
	again = waits(7);
	commit(3);
	assert_int_equal(answered(own), VERDICT_DECIDED);
	assert_int_equal(answered(again), VERDICT_DECIDED);
	core_end();
}

/* Rule 12: the state may have changed while the request was validated: it is asked once more, and what it refuses then does not
 * enter the log. */
static void it_is_asked_again_after_the_validation(void **state)
{
	uint64_t call;

	(void)state;
	with_a_member();
	rig.admission = ADMISSION_GIVEN;
	call = submit_with(7, 0, false);
	assert_true(validates(call));
	rig.admission = ADMISSION_REFUSED;
	propose_with(call, 7, false);
	assert_int_equal(answered(call), VERDICT_NOT_ADMITTED);
	assert_int_equal(replica_last_op(rig.core), 2);
	core_end();
}

/* --- waiting to be admitted --------------------------------------------------------------------------------------- */

/* Rules 11, 12: a call that waits for the log counts as in validation: a later call of its request waits for it, also when
 * the state would refuse it, and is decided after it. */
static void a_waiting_call_holds_back_its_duplicate(void **state)
{
	uint64_t first, second;

	(void)state;
	with_a_member();
	in_the_log(7);
	rig.admission = ADMISSION_WAITS;
	first = waits(8);
	rig.admission = ADMISSION_REFUSED;
	second = waits(8);
	rig.admission = ADMISSION_GIVEN;
	commit(3);
	assert_int_equal(answered(first), NOTHING);
	flush();
	assert_true(validates(first));
	assert_false(validates(second));
	assert_int_equal(answered(second), NOTHING);
	propose_with(first, 8, false);
	flush();
	commit(4);
	assert_int_equal(answered(first), VERDICT_DECIDED);
	assert_int_equal(answered(second), VERDICT_DECIDED);
	core_end();
}

/* Rule 8: what waited for the log is decided by the state that has applied it, which is so behind the step that commits; the
 * refusal names that op. */
static void it_is_decided_by_what_is_applied(void **state)
{
	uint64_t call;

	(void)state;
	with_a_member();
	in_the_log(7);
	rig.admission = ADMISSION_WAITS;
	call = waits(8);
	rig.admission = ADMISSION_REFUSED;
	commit(3);
	assert_int_equal(answered(call), NOTHING);
	flush();
	assert_int_equal(answered(call), VERDICT_NOT_ADMITTED);
	assert_int_equal(did(DO_ANSWER)->answer.applied, 3);
	core_end();
}

/* It waits once more when the log has grown meanwhile. */
static void it_may_wait_again(void **state)
{
	uint64_t call;

	(void)state;
	with_a_member();
	in_the_log(7);
	rig.admission = ADMISSION_WAITS;
	call = waits(9);
	in_the_log(8);
	rig.admission = ADMISSION_WAITS;
	acknowledge(3); /* the push of the second entry has yet to be sent */
	durable();
	flush();
	assert_int_equal(answered(call), NOTHING);
	rig.admission = ADMISSION_REFUSED;
	commit(4);
	flush();
	assert_int_equal(answered(call), VERDICT_NOT_ADMITTED);
	core_end();
}

/* Rule 12: after its validation it may have to wait as well, and then begins again with the first check. */
static void it_may_wait_after_the_validation(void **state)
{
	uint64_t call;

	(void)state;
	with_a_member();
	rig.admission = ADMISSION_GIVEN;
	call = submit_with(8, 0, false);
	in_the_log(7);
	rig.admission = ADMISSION_WAITS;
	propose_with(call, 8, false);
	assert_int_equal(answered(call), NOTHING);
	assert_int_equal(replica_last_op(rig.core), 3);
	rig.admission = ADMISSION_GIVEN;
	commit(3);
	flush();
	assert_true(validates(call));
	core_end();
}

/* Rules 4, 12: when the view changes it ends as moved, and so does who waits for it. */
static void it_ends_with_the_view(void **state)
{
	uint64_t first, second;
	struct view next;

	(void)state;
	with_a_member();
	in_the_log(7);
	rig.admission = ADMISSION_WAITS;
	first = waits(8);
	second = waits(8);
	next = next_view();
	install(&next);
	assert_int_equal(answered(first), VERDICT_MOVED);
	assert_int_equal(answered(second), VERDICT_MOVED);
	core_end();
}

/* What is held while a view settles is asked of the state that the settled log made. */
static void held_calls_ask_the_settled_state(void **state)
{
	uint64_t call;

	(void)state;
	core_begin_admitting(2, 0);
	two_members(SELF);
	lead();
	peer_up(1);
	rig.admission = ADMISSION_REFUSED;
	call = waits(7);
	acknowledge(2);
	assert_int_equal(state_now(), STATE_SERVING);
	assert_int_equal(answered(call), NOTHING);
	flush();
	assert_int_equal(answered(call), VERDICT_NOT_ADMITTED);
	assert_int_equal(did(DO_ANSWER)->answer.applied, 2);
	core_end();
}

/* --- the room that is kept ---------------------------------------------------------------------------------------- */

/* Rule 19: what is in validation may be declined: it takes the room of orders, and none of that which is kept. */
static void validation_takes_no_doubts_room(void **state)
{
	uint64_t first, second;

	(void)state;
	core_begin(6, 6);
	lead();
	submit_with(7, 0, false);
	submit_with(8, 0, false);
	assert_int_equal(answered(submit_with(9, 0, false)), VERDICT_FULL);
	first = submit_with(10, 0, true);
	assert_true(validates(first));
	second = submit_with(11, 0, true);
	assert_true(validates(second));
	core_end();
}

/* Rule 19: a doubt can be ended with the log full for orders, before and after its validation; but not without end. */
static void a_doubt_has_room_of_its_own(void **state)
{
	uint64_t call, order;

	(void)state;
	core_begin(7, 7);
	lead();
	order = submit_with(7, 0, false);
	call = submit_with(8, 0, true);
	assert_true(validates(call));
	propose_with(order, 7, false);
	assert_int_equal(answered(submit_with(9, 0, false)), VERDICT_FULL);
	assert_int_equal(did(DO_ANSWER)->answer.limit, 8);
	propose_with(call, 8, true);
	flush();
	durable();
	assert_int_equal(answered(call), VERDICT_DECIDED);
	assert_int_equal(replica_last_op(rig.core), 9);
	assert_int_equal(answered(submit_with(9, 0, true)), VERDICT_FULL);
	assert_int_equal(did(DO_ANSWER)->answer.limit, LIMIT_OPERATIONS(8));
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_applied_state_refuses),
		cmocka_unit_test(nobody_is_refused_below_its_floor),
		cmocka_unit_test(a_repeat_is_looked_up_before_it_is_refused),
		cmocka_unit_test(it_is_asked_again_after_the_validation),
		cmocka_unit_test(a_waiting_call_holds_back_its_duplicate),
		cmocka_unit_test(it_is_decided_by_what_is_applied),
		cmocka_unit_test(it_may_wait_again),
		cmocka_unit_test(it_may_wait_after_the_validation),
		cmocka_unit_test(it_ends_with_the_view),
		cmocka_unit_test(held_calls_ask_the_settled_state),
		cmocka_unit_test(validation_takes_no_doubts_room),
		cmocka_unit_test(a_doubt_has_room_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
