/* Single steps of a primary at the edges of what it may believe of others, and owes to those who wait. As in
 * replica_rules_test it is replica 1 and the peer is replica 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc/base/limits.h"
#include "tests/unit/support_replica.h"

static struct report report_now(void)
{
	struct report report;

	replica_report(rig.core, &report);
	return report;
}

/* Two orders, and a member that is connected and holds them. */
static void with_a_member(void)
{
	core_begin(2, 0);
	two_members(SELF);
	lead();
	peer_up(1);
	acknowledge(2);
	acknowledge(2); /* of the new commit point */
	assert_int_equal(state_now(), STATE_SERVING);
}

static void tick(uint64_t after_ms)
{
	rig.now_ms += after_ms;
	core_step(&(struct replica_event){.kind = REPLICA_TICK});
}

static void order(uint8_t request)
{
	submit(2, request);
	assert_non_null(did(DO_VALIDATE));
	propose(2, request);
}

static void peer_says(const struct report *report)
{
	core_step(&(struct replica_event){.kind = REPLICA_PEER_UP,
					  .peer_up = {.peer = {.id = PEER, .uuid = named(PEER)},
						      .incarnation = named(0x12), .report = report}});
}

static void peer_down(void)
{
	core_step(&(struct replica_event){.kind = REPLICA_PEER_DOWN, .peer_down = {.id = PEER, .uuid = named(PEER)}});
}

static void one_need(enum need_kind kind)
{
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, kind);
}

/* --- rules 3, 14: who lost data ----------------------------------------------------------------------------------- */

/* Rule 3: a member that acknowledges less than it did before has lost data. */
static void acknowledgements_do_not_fall(void **state)
{
	(void)state;
	with_a_member();
	order(7);
	acknowledge(1);
	one_need(NEED_LOST_DATA);
	core_end();
}

/* Rule 3: of this view. What it acknowledged in an older one, and did not hold alone, may have been cut in the view
 * between; then it lost nothing. */
static void acknowledgements_end_with_their_view(void **state)
{
	struct report report = {.id = PEER, .uuid = named(PEER), .whole_view = 4, .op = 2, .digest_op = 0,
				.digest = initial_digest()};

	(void)state;
	with_a_member();
	order(7);
	acknowledge(3); /* and our own disk is late: it is not committed */
	rig.view.number = 4;
	install(&rig.view);
	durable();
	report.view = rig.view;
	peer_down();
	peer_says(&report);
	assert_int_equal(report_now().needs_count, 0);
	acknowledge(3);
	peer_down();
	peer_says(&report);
	one_need(NEED_LOST_DATA);
	core_end();
}

/* Rule 3: another that holds committed orders beyond the log of a primary that has not settled accuses that primary,
 * and once it serves that other one. */
static void who_holds_more_than_the_primary(void **state)
{
	struct report more = {.id = PEER, .uuid = named(PEER), .whole_view = 1, .digest_op = 5,
			      .digest = digest_of("five", 4)};

	(void)state;
	core_begin(2, 0);
	two_members(SELF);
	lead();
	assert_int_equal(state_now(), STATE_SETTLING);
	peer_says(&more);
	assert_int_equal(state_now(), STATE_DAMAGED);
	with_a_member();
	peer_down();
	peer_says(&more);
	assert_int_equal(state_now(), STATE_SERVING);
	one_need(NEED_LOST_DATA);
	core_end();
}

/* Rule 14: one whose committed history differs from ours is named, and gets no push. */
static void another_committed_history_is_named(void **state)
{
	const struct report other = {.id = PEER, .uuid = named(PEER), .whole_view = 1, .digest_op = 2,
				     .digest = digest_of("another", 7)};

	(void)state;
	with_a_member();
	peer_down();
	peer_says(&other);
	assert_null(did(DO_PUSH));
	one_need(NEED_LOST_DATA);
	core_end();
}

/* Rule 14: one that calls itself damaged is named, and gets no push. */
static void the_damaged_are_named(void **state)
{
	const struct replica_ack damaged = {.status = PUSH_DAMAGED, .view = 2, .uuid = named(PEER)};

	(void)state;
	with_a_member();
	order(7);
	core_step(&(struct replica_event){.kind = REPLICA_ACK,
					  .ack = {.from = {.id = PEER, .uuid = named(PEER)},
						  .token = did(DO_PUSH)->push.token, .ack = &damaged}});
	assert_null(did(DO_PUSH));
	one_need(NEED_LOST_DATA);
	core_end();
}

/* Rule 14: a replica that turns out damaged answers every call. */
static void the_damaged_answer_who_waits(void **state)
{
	const struct report more = {.id = PEER, .uuid = named(PEER), .whole_view = 1, .digest_op = 5,
				    .digest = digest_of("five", 4)};

	(void)state;
	core_begin(2, 0);
	two_members(SELF);
	lead();
	submit(2, 7);
	assert_null(did(DO_ANSWER));
	peer_says(&more);
	assert_int_equal(state_now(), STATE_DAMAGED);
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_MOVED);
	core_end();
}

/* --- rules 4, 17: views and connections --------------------------------------------------------------------------- */

static void refuses(const struct view *view)
{
	install(view);
	assert_null(did(DO_WRITE));
	assert_non_null(did(DO_INSTALLED));
	assert_false(did(DO_INSTALLED)->installed.ok);
}

/* Rule 4: a view below the present one is refused, and so is one that another leads. */
static void only_the_next_view_of_its_own(void **state)
{
	struct view other;

	(void)state;
	with_a_member();
	other = rig.view;
	other.number = 1;
	refuses(&other);
	other.number = 3;
	other.primary = PEER;
	refuses(&other);
	assert_int_equal(state_now(), STATE_SERVING);
	core_end();
}

/* Rule 17: a hello of another process than the one that is listed opens nothing. */
static void only_the_incarnation_that_is_listed(void **state)
{
	const struct report report = {.id = PEER, .uuid = named(PEER), .whole_view = 1, .digest = initial_digest()};

	(void)state;
	core_begin(2, 0);
	two_members(SELF);
	lead();
	core_step(&(struct replica_event){.kind = REPLICA_PEER_UP,
					  .peer_up = {.peer = {.id = PEER, .uuid = named(PEER)},
						      .incarnation = named(0x13), .report = &report}});
	assert_null(did(DO_PUSH));
	peer_says(&report);
	assert_non_null(did(DO_PUSH));
	core_end();
}

/* The peer's process ends and another one begins on its directory. */
static void another_process(void)
{
	rig.peers.list[0].incarnation = named(0x13);
	core_step(&(struct replica_event){.kind = REPLICA_HEARTBEAT,
					  .heartbeat = {.peers = &rig.peers, .min_members = 1}});
}

/* Rule 4: what another incarnation of a member had proved, this one has not. */
static void proofs_end_with_their_incarnation(void **state)
{
	(void)state;
	with_a_member();
	order(7);
	acknowledge(3);
	another_process();
	durable();
	assert_int_equal(replica_commit(rig.core), 2);
	core_end();
}

/* --- rule 9: learners --------------------------------------------------------------------------------------------- */

static void with_a_learner(void)
{
	core_begin(2, 2);
	lead();
	peer_up(1);
	acknowledge(2);
	durable();
	assert_int_equal(report_now().joint_count, 1);
}

/* Rule 9: a joint learner counts until a higher view is without it, connected, listed or not. */
static void a_joint_learner_counts_to_the_end(void **state)
{
	(void)state;
	with_a_learner();
	peer_down();
	rig.peers.count = 0;
	core_step(&(struct replica_event){.kind = REPLICA_HEARTBEAT,
					  .heartbeat = {.peers = &rig.peers, .min_members = 1}});
	order(7);
	durable();
	assert_int_equal(replica_commit(rig.core), 2);
	rig.view.number = 3;
	install(&rig.view);
	durable();
	assert_int_equal(replica_commit(rig.core), 3);
	core_end();
}

/* Rule 9: nor is anything committed without it while its new process has proved nothing. */
static void a_joint_learner_proves_itself(void **state)
{
	(void)state;
	with_a_learner();
	order(7);
	acknowledge(3);
	another_process();
	durable();
	assert_int_equal(replica_commit(rig.core), 2);
	core_end();
}

/* The learner of the last view fails while it counts; a view without it comes, and the learner is back. */
static void a_learner_fails(uint64_t view)
{
	peer_down();
	rig.view.number = view;
	install(&rig.view);
	durable();
	assert_int_equal(report_now().joint_count, 0);
	tick(60);
	peer_up(1);
	acknowledge(2);
	durable();
}

/* Rule 9: a learner that failed while it counted waits 1 s before it is counted again, then 2 s. */
static void a_learner_that_failed_waits(void **state)
{
	(void)state;
	with_a_learner();
	for (uint64_t view = 3; view <= 4; view++) {
		a_learner_fails(view);
		assert_int_equal(report_now().joint_count, 0);
		tick(view == 3 ? 800 : 1800);
		durable();
		assert_int_equal(report_now().joint_count, 0);
		tick(300);
		durable();
		assert_int_equal(report_now().joint_count, 1);
	}
	core_end();
}

/* --- rules 11, 12: requests --------------------------------------------------------------------------------------- */

/* Rule 12: a primary that has been deposed while an order was in validation says "moved", and writes nothing. */
static void deposed_while_it_was_validated(void **state)
{
	const struct replica_ack higher = {.status = PUSH_OLD_VIEW, .view = 9, .uuid = named(PEER)};

	(void)state;
	with_a_member();
	submit(2, 7);
	assert_non_null(did(DO_VALIDATE));
	core_step(&(struct replica_event){.kind = REPLICA_ACK,
					  .ack = {.from = {.id = PEER, .uuid = named(PEER)}, .ack = &higher}});
	assert_int_equal(state_now(), STATE_DEPOSED);
	propose(2, 7);
	assert_int_equal(replica_last_op(rig.core), 2);
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_MOVED);
	core_end();
}

/* Rules 12, 14: one that turns out damaged while an order is in validation goes on, and says "moved" when it has been. */
static void damaged_while_it_was_validated(void **state)
{
	(void)state;
	with_a_member();
	order(7);
	submit(2, 8);
	assert_non_null(did(DO_VALIDATE));
	acknowledge(9); /* more than there is */
	assert_int_equal(state_now(), STATE_DAMAGED);
	propose(2, 8);
	assert_int_equal(replica_last_op(rig.core), 3);
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_MOVED);
	core_end();
}

/* --- rules 10, 15, 19, 20 ----------------------------------------------------------------------------------------- */

/* Rule 15: a backup that lives, and does not acknowledge an order for so long, is reported. */
static void a_late_disk_of_a_backup_is_reported(void **state)
{
	(void)state;
	with_a_member();
	order(7);
	for (int i = 0; i < 190; i++) {
		tick(10);
		core_step(&(struct replica_event){.kind = REPLICA_PONG, .pong = {.id = PEER, .uuid = named(PEER)}});
	}
	assert_int_equal(report_now().needs_count, 0);
	for (int i = 0; i < 20; i++) {
		tick(10);
		core_step(&(struct replica_event){.kind = REPLICA_PONG, .pong = {.id = PEER, .uuid = named(PEER)}});
	}
	one_need(NEED_EVICT);
	core_end();
}

/* Rule 15: a ping ends with its connection: over the next one the peer is asked again. */
static void a_ping_ends_with_its_connection(void **state)
{
	const struct replica_ack refused = {.status = PUSH_REFUSED, .view = 2, .uuid = named(PEER)};

	(void)state;
	with_a_member();
	order(7);
	tick(50);
	assert_non_null(did(DO_PING));
	acknowledge_with(&refused);
	assert_non_null(did(DO_DISCONNECT));
	tick(100);
	assert_non_null(did(DO_CONNECT));
	peer_up(1);
	assert_non_null(did(DO_PUSH));
	tick(50);
	assert_non_null(did(DO_PING));
	core_end();
}

/* Rule 10: a primary that stops hands over before it ends, and ends when there is nobody to do it. */
static void a_primary_that_stops_hands_over(void **state)
{
	(void)state;
	with_a_member();
	core_step(&(struct replica_event){.kind = REPLICA_MANAGER, .manager = {.connected = true}});
	durable();
	core_step(&(struct replica_event){.kind = REPLICA_STOP});
	assert_null(did(DO_EXIT));
	assert_true(report_now().stopping);
	tick(10);
	assert_null(did(DO_EXIT));
	tick(2000);
	assert_non_null(did(DO_EXIT));
	core_end();
}

/* Rule 19: orders that wait while a view settles are bounded; one more is told so. */
static void held_orders_are_bounded(void **state)
{
	(void)state;
	core_begin(2, 0);
	two_members(SELF);
	lead();
	for (int i = 0; i < LIMIT_HELD_CALLS; i++) {
		submit(2, 7);
		assert_null(did(DO_ANSWER));
	}
	submit(2, 7);
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_BUSY);
	core_end();
}

/* Rule 20: until a binding is on disk a report names the manager that is. */
static void a_report_names_the_durable_manager(void **state)
{
	(void)state;
	with_a_member();
	durable();
	order(7); /* a write before it */
	core_step(&(struct replica_event){.kind = REPLICA_BIND,
					  .bind = {.token = ++rig.token, .manager = named(0xAA)}});
	assert_true(uuid_equal(report_now().view.manager, named(0xA)));
	core_step(&(struct replica_event){.kind = REPLICA_DURABLE, .durable = {.ticket = rig.written - 1}});
	assert_true(uuid_equal(report_now().view.manager, named(0xA)));
	durable();
	assert_true(uuid_equal(report_now().view.manager, named(0xAA)));
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledgements_do_not_fall),
		cmocka_unit_test(acknowledgements_end_with_their_view),
		cmocka_unit_test(who_holds_more_than_the_primary),
		cmocka_unit_test(another_committed_history_is_named),
		cmocka_unit_test(the_damaged_are_named),
		cmocka_unit_test(the_damaged_answer_who_waits),
		cmocka_unit_test(only_the_next_view_of_its_own),
		cmocka_unit_test(only_the_incarnation_that_is_listed),
		cmocka_unit_test(proofs_end_with_their_incarnation),
		cmocka_unit_test(a_joint_learner_counts_to_the_end),
		cmocka_unit_test(a_joint_learner_proves_itself),
		cmocka_unit_test(a_learner_that_failed_waits),
		cmocka_unit_test(deposed_while_it_was_validated),
		cmocka_unit_test(damaged_while_it_was_validated),
		cmocka_unit_test(a_late_disk_of_a_backup_is_reported),
		cmocka_unit_test(a_ping_ends_with_its_connection),
		cmocka_unit_test(a_primary_that_stops_hands_over),
		cmocka_unit_test(held_orders_are_bounded),
		cmocka_unit_test(a_report_names_the_durable_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
