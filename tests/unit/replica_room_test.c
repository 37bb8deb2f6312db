/* What keeps orders out for want of room: the lowest capacity, full disks and those that stay full, and learners that would
 * bring either into the view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_replica.h"

#define FULL_WAIT_MS 1000u

static struct report report_now(void)
{
	struct report report;

	replica_report(rig.core, &report);
	return report;
}

static void tick(uint64_t after_ms)
{
	rig.now_ms += after_ms;
	core_step(&(struct replica_event){.kind = REPLICA_TICK});
}

/* The peer's answer to the last push: it holds op, and how its disk does. */
static void answer(uint64_t op, bool full)
{
	acknowledge_with(&(struct replica_ack){.status = PUSH_OK, .view = rig.view.number, .uuid = named(PEER), .op = op,
					       .state_next = STATE_NEXT_KEEP, .disk_full = full});
}

static void heartbeat(uint32_t min_members)
{
	core_step(&(struct replica_event){.kind = REPLICA_HEARTBEAT,
					  .heartbeat = {.min_members = min_members, .full_wait_ms = FULL_WAIT_MS,
							.peers = &rig.peers}});
}

/* Serving, with a member of that capacity (0: it does not say). */
static void with_a_member(uint64_t orders_max)
{
	core_begin(0, 0);
	two_members(SELF);
	lead();
	peer_up_with(&(struct report){.whole_view = 1, .digest = initial_digest(), .orders_max = orders_max});
	answer(0, false);
	assert_int_equal(state_now(), STATE_SERVING);
	heartbeat(1);
}

/* Serving alone, with a learner that is level. */
static void with_a_learner(uint64_t orders_max, bool full)
{
	core_begin(0, 0);
	lead();
	heartbeat(1);
	peer_up_with(&(struct report){.whole_view = 1, .digest = initial_digest(), .orders_max = orders_max,
				      .disk_full = full});
	answer(0, full);
}

static void order(uint8_t request)
{
	submit(2, request);
	assert_non_null(did(DO_VALIDATE));
	propose(2, request);
}

static void one_need(enum need_kind kind)
{
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, kind);
	assert_int_equal(report_now().needs[0].id, PEER);
}

/* Rule 19: the smallest of the members says when it is full, by its name; nothing that it could not hold enters the log. */
static void the_lowest_capacity_counts(void **state)
{
	(void)state;
	with_a_member(1);
	order(1);
	assert_int_equal(replica_last_op(rig.core), 1);
	submit(2, 2);
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_FULL);
	assert_int_equal(did(DO_ANSWER)->answer.id, PEER);
	assert_int_equal(did(DO_ANSWER)->answer.limit, 1);
	assert_int_equal(report_now().refusing, REFUSING_FULL);
	assert_int_equal(report_now().refusing_id, PEER);
	core_end();
}

/* Rule 19: a learner that begins to count while orders are in validation may hold less than all of them. */
static void validated_orders_may_not_fit_any_more(void **state)
{
	(void)state;
	core_begin(0, 0);
	lead();
	heartbeat(1);
	submit(2, 1);
	assert_non_null(did(DO_VALIDATE));

	uint64_t first = rig.token;

	submit(2, 2);
	assert_non_null(did(DO_VALIDATE));
	peer_up_with(&(struct report){.whole_view = 1, .digest = initial_digest(), .orders_max = 1});
	answer(0, false);
	durable();
	assert_int_equal(report_now().joint_count, 1);
	rig.token = first;
	propose(2, 1);
	assert_int_equal(replica_last_op(rig.core), 1);
	rig.token = first + 1;
	propose(2, 2);
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_FULL);
	assert_int_equal(replica_last_op(rig.core), 1);
	core_end();
}

/* Rule 19: a learner that holds less than the log gets none of it and never counts. */
static void a_small_learner_gets_nothing(void **state)
{
	(void)state;
	core_begin(4, 4);
	lead();
	heartbeat(1);
	peer_up_with(&(struct report){.whole_view = 1, .digest = initial_digest(), .orders_max = 3});
	assert_null(did(DO_PUSH));
	tick(100);
	assert_null(did(DO_PUSH));
	assert_int_equal(report_now().joint_count, 0);
	assert_int_equal(report_now().refusing, REFUSING_NONE);
	core_end();
}

/* Rule 19: a member that came back with less room than the log is waited for in vain: it is reported at once. */
static void a_member_that_became_small_is_reported(void **state)
{
	(void)state;
	with_a_member(8);
	order(1);
	order(2);
	order(3);
	core_step(&(struct replica_event){.kind = REPLICA_PEER_DOWN, .peer_down = {.id = PEER, .uuid = named(PEER)}});
	peer_up_with(&(struct report){.whole_view = 2, .digest = initial_digest(), .orders_max = 1});
	assert_null(did(DO_PUSH));
	one_need(NEED_FULL);
	core_end();
}

/* Rule 19: a backup takes nothing beyond the capacity that it reported. */
static void a_backup_takes_no_more_than_it_holds(void **state)
{
	(void)state;
	core_begin(0, 0);
	two_members(PEER);
	push(0, initial_digest(), 2, 0, 9, 9, 0);
	assert_null(did(DO_ACK));
	core_end();
	core_begin(0, 0);
	two_members(PEER);
	push(5, initial_digest(), 2, 0, 5, 10, 0);
	assert_int_equal(did(DO_ACK)->ack.ack.status, PUSH_REFUSED);
	core_end();
}

/* Rule 13: a member's full disk refuses orders and is waited for; for longer than --full-wait-s it is reported, though no
 * order waits. Room ends that. */
static void who_is_full_for_long_is_reported(void **state)
{
	(void)state;
	with_a_member(8);
	order(1);
	durable();
	answer(1, true);
	assert_int_equal(report_now().refusing, REFUSING_DISK_FULL);
	assert_int_equal(report_now().refusing_id, PEER);
	tick(FULL_WAIT_MS - 1);
	assert_int_equal(report_now().needs_count, 0);
	tick(1);
	one_need(NEED_FULL);
	answer(1, false);
	assert_int_equal(report_now().needs_count, 0);
	assert_int_equal(report_now().refusing, REFUSING_NONE);
	core_end();
}

/* Rule 13: nobody is given up for a primary that has no room either, nor where too few would be left. */
static void nobody_is_given_up_for_nothing(void **state)
{
	(void)state;
	with_a_member(8);
	order(1);
	answer(1, true);
	core_step(&(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = true}});
	tick(UINT64_C(2) * FULL_WAIT_MS);
	assert_int_equal(report_now().needs_count, 0);
	core_step(&(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = false}});
	one_need(NEED_FULL);
	heartbeat(2);
	assert_int_equal(report_now().needs_count, 0);
	core_end();
}

/* Rule 13: a learner whose disk is full gets no orders and does not count; once it has room it does. */
static void a_full_learner_does_not_count(void **state)
{
	(void)state;
	with_a_learner(8, true);
	order(1);
	assert_null(did(DO_PUSH));
	durable(); /* committed without it */
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_DECIDED);
	tick(60);
	assert_non_null(did(DO_PUSH)); /* it is asked how it does */
	assert_int_equal(did(DO_PUSH)->push.push.entries_count, 0);
	assert_int_equal(report_now().joint_count, 0);
	answer(0, false);
	assert_int_equal(did(DO_PUSH)->push.push.entries_count, 1);
	answer(1, false);
	assert_int_equal(report_now().joint_count, 1);
	core_end();
}

/* Rule 13: nor does one that is level, but says with the same word that its disk is full. */
static void a_full_learner_that_is_level_does_not_count(void **state)
{
	(void)state;
	core_begin(2, 2);
	lead();
	heartbeat(1);
	peer_up_with(&(struct report){.whole_view = 1, .digest = initial_digest(), .orders_max = 8});
	assert_int_equal(did(DO_PUSH)->push.push.entries_count, 2);
	answer(2, true);
	assert_int_equal(report_now().joint_count, 0);
	tick(60);
	answer(2, false);
	assert_int_equal(report_now().joint_count, 1);
	core_end();
}

/* Rule 13: one that becomes full while it counts is no copy that anybody relies on: it is reported at once. */
static void a_counted_learner_leaves_at_once(void **state)
{
	(void)state;
	with_a_learner(8, false);
	durable();
	one_need(NEED_ADMIT);
	order(1);
	answer(1, true);
	one_need(NEED_FULL);
	core_end();
}

/* Rule 16: the latest clock that another member told in this view, as it must show now; and none of before. */
static void clocks_of_the_others(void **state)
{
	int64_t clock_us = 0;

	(void)state;
	with_a_member(8);
	order(1);
	acknowledge_with(&(struct replica_ack){.status = PUSH_OK, .view = 2, .uuid = named(PEER), .op = 1,
					       .state_next = STATE_NEXT_KEEP, .clock_us = 5000000});
	assert_true(replica_clock_of_others(rig.core, rig.now_ms + 10, 0, &clock_us));
	assert_int_equal(clock_us, 5010000);
	assert_false(replica_clock_of_others(rig.core, rig.now_ms, 5000001, &clock_us));
	rig.view.number = 3;
	install(&rig.view);
	assert_false(replica_clock_of_others(rig.core, rig.now_ms, 0, &clock_us));
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_capacity_counts),
		cmocka_unit_test(validated_orders_may_not_fit_any_more),
		cmocka_unit_test(a_small_learner_gets_nothing),
		cmocka_unit_test(a_member_that_became_small_is_reported),
		cmocka_unit_test(a_backup_takes_no_more_than_it_holds),
		cmocka_unit_test(who_is_full_for_long_is_reported),
		cmocka_unit_test(nobody_is_given_up_for_nothing),
		cmocka_unit_test(a_full_learner_does_not_count),
		cmocka_unit_test(a_full_learner_that_is_level_does_not_count),
		cmocka_unit_test(a_counted_learner_leaves_at_once),
		cmocka_unit_test(clocks_of_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
