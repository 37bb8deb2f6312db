/* Single steps of a primary, for rules whose breach a whole cluster shows only rarely, because another line keeps it
 * from doing harm most of the time. Each test takes it to the edge and asks for the one thing that it must not do. What
 * becomes of orders is in replica_orders_test.c. */
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

/* A primary of so many orders, and a member that is connected and has said of none that it holds it. */
static void with_a_silent_member(uint32_t entries_count)
{
	core_begin(entries_count, 0);
	two_members(SELF);
	lead();
	peer_up(1);
}

/* Two orders, and both members hold them. */
static void with_a_member(void)
{
	with_a_silent_member(2);
	acknowledge(2);
	acknowledge(2); /* of the new commit point */
	assert_int_equal(state_now(), STATE_SERVING);
}

static void refuses(const struct view *other)
{
	install(other);
	assert_null(did(DO_WRITE));
	assert_non_null(did(DO_INSTALLED));
	assert_false(did(DO_INSTALLED)->installed.ok);
}

/* --- rules 2, 6, 17, 20: views ------------------------------------------------------------------------------------ */

/* Rule 2: one number names one view: another one of that number is refused, the same one is answered again. */
static void a_number_names_one_view(void **state)
{
	struct view other;

	(void)state;
	core_leads_alone();
	other = rig.view;
	other.members_count = 2;
	other.members[1] = (struct view_member){.id = PEER, .uuid = named(PEER)};
	refuses(&other);
	install(&rig.view);
	assert_true(did(DO_INSTALLED)->installed.ok);
	core_end();
}

/* Rule 6: a process that found itself primary on its disk never leads that view again. */
static void a_restarted_primary_needs_a_new_view(void **state)
{
	struct view found;

	(void)state;
	core_begin(2, 0);
	assert_int_equal(state_now(), STATE_NEED_NEW_VIEW);
	found = rig.view;
	found.number = 1;
	refuses(&found);
	lead();
	assert_int_equal(state_now(), STATE_SERVING);
	core_end();
}

/* Rule 17: a view of another cluster is refused. */
static void views_name_the_cluster(void **state)
{
	struct view other;

	(void)state;
	core_leads_alone();
	other = next_view();
	other.cluster = named(0xCC);
	refuses(&other);
	core_end();
}

/* Rule 20: a view of another manager than the one this replica is bound to is refused. */
static void views_name_the_manager(void **state)
{
	struct view other;

	(void)state;
	core_leads_alone();
	other = next_view();
	other.manager = named(0xAA);
	refuses(&other);
	core_end();
}

/* Rule 20: bound is said when it is on disk, not when anything else is. */
static void bound_is_on_disk(void **state)
{
	uint64_t before;

	(void)state;
	core_leads_alone();
	submit(2, 1);
	propose(2, 1);
	before = rig.written;
	core_step(&(struct replica_event){.kind = REPLICA_BIND,
					  .bind = {.token = ++rig.token, .manager = named(0xAA)}});
	assert_int_equal(did(DO_WRITE)->write.ticket, before + 1);
	core_step(&(struct replica_event){.kind = REPLICA_DURABLE, .durable = {.ticket = before}});
	assert_null(did(DO_BOUND));
	durable();
	assert_non_null(did(DO_BOUND));
	assert_true(did(DO_BOUND)->bound.ok);
	core_end();
}

/* --- rules 3, 4, 5, 7: what a peer's word is worth ---------------------------------------------------------------- */

static void comes_back_with_less(enum replica_state state)
{
	core_step(&(struct replica_event){.kind = REPLICA_PEER_DOWN, .peer_down = {.id = PEER, .uuid = named(PEER)}});

	struct report report = {.id = PEER, .uuid = named(PEER), .view = rig.view, .whole_view = 2, .op = 1,
				.state = state, .digest = initial_digest()};

	core_step(&(struct replica_event){.kind = REPLICA_PEER_UP,
					  .peer_up = {.peer = {.id = PEER, .uuid = named(PEER)},
						      .incarnation = named(0x12), .report = &report}});
}

/* Rule 3: a member that comes back with less than it acknowledged in this view has lost data. */
static void a_member_that_forgot_is_named(void **state)
{
	(void)state;
	with_a_member();
	comes_back_with_less(STATE_DEPOSED); /* it has cut its tail for a view that is not durable yet */
	assert_int_equal(report_now().needs_count, 0);
	comes_back_with_less(STATE_CATCHING_UP);
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, NEED_LOST_DATA);
	core_end();
}

/* Rule 3: a member that holds more of this view than its primary does has it from the process that was primary before,
 * on this same directory: the directory is an old copy, and the member has lost nothing. */
static void an_old_copy_accuses_itself(void **state)
{
	(void)state;
	with_a_silent_member(2);
	acknowledge(3);
	assert_int_equal(state_now(), STATE_DAMAGED);
	assert_int_equal(report_now().needs_count, 0);
	core_end();
}

/* Rule 4: an acknowledgement of another view, or of another data directory, moves nothing. */
static void acknowledgements_name_view_and_uuid(void **state)
{
	(void)state;
	with_a_silent_member(2);
	acknowledge_as(1, PEER, 2);
	assert_int_equal(replica_commit(rig.core), 0);
	assert_int_equal(state_now(), STATE_SETTLING);
	assert_non_null(did(DO_PUSH)); /* asked again */
	acknowledge_as(2, 0x77, 2);
	assert_int_equal(replica_commit(rig.core), 0);
	assert_int_equal(state_now(), STATE_SETTLING);
	acknowledge(2);
	assert_int_equal(replica_commit(rig.core), 2);
	assert_int_equal(state_now(), STATE_SERVING);
	core_end();
}

/* Rule 5: a member that has a part of the primary's log does not end the settling; it serves nothing until then. */
static void settles_before_it_serves(void **state)
{
	(void)state;
	with_a_silent_member(3);
	acknowledge(1);
	assert_int_equal(state_now(), STATE_SETTLING);
	query(2, 0);
	assert_null(did(DO_READ));
	assert_non_null(did(DO_READ_MOVED));
	core_end();
}

/* Rule 5: what was acknowledged in the view before settles nothing in this one, although the primary is the same. */
static void each_view_settles_anew(void **state)
{
	struct view next;

	(void)state;
	with_a_member();
	next = next_view();
	install(&next);
	durable();
	assert_int_equal(state_now(), STATE_SETTLING);
	assert_non_null(did(DO_PUSH));
	acknowledge(2);
	assert_int_equal(state_now(), STATE_SERVING);
	core_end();
}

/* Rule 7: the commit point waits for every member. */
static void commits_with_every_member(void **state)
{
	(void)state;
	core_begin(2, 0);
	two_members(SELF);
	lead();
	assert_int_equal(replica_commit(rig.core), 0);
	peer_up(1);
	assert_int_equal(replica_commit(rig.core), 0);
	acknowledge(2);
	assert_int_equal(replica_commit(rig.core), 2);
	submit(2, 7);
	propose(2, 7);
	durable();
	assert_int_equal(replica_commit(rig.core), 2);
	acknowledge(3);
	assert_int_equal(replica_commit(rig.core), 3);
	core_end();
}

/* --- rule 8: reads ------------------------------------------------------------------------------------------------ */

/* Rule 8: a read of another view is refused. */
static void reads_name_the_view(void **state)
{
	(void)state;
	core_leads_alone();
	query(3, 0);
	assert_null(did(DO_READ));
	query(2, 0);
	assert_non_null(did(DO_READ));
	core_end();
}

/* Rule 8: when nothing is about to carry the new commit point to a backup, it travels alone, so that a backup of an
 * idle cluster can answer reads. */
static void an_idle_cluster_is_level(void **state)
{
	(void)state;
	with_a_silent_member(2);
	assert_int_equal(did(DO_PUSH)->push.push.commit, 0);
	acknowledge(2);
	assert_non_null(did(DO_PUSH));
	assert_int_equal(did(DO_PUSH)->push.push.commit, 2);
	assert_int_equal(did(DO_PUSH)->push.push.entries_count, 0);
	core_end();
}

/* --- rule 9: learners --------------------------------------------------------------------------------------------- */

/* The learner has got everything and says so up to op. */
static void learner(uint64_t op)
{
	peer_up(1);
	acknowledge(op);
}

/* Rule 9: once a learner is written down as joint, nothing is committed without it. */
static void a_joint_learner_counts(void **state)
{
	(void)state;
	core_begin(2, 2);
	lead();
	learner(2);
	durable();
	assert_int_equal(report_now().joint_count, 1);
	submit(2, 7);
	propose(2, 7);
	durable();
	assert_int_equal(replica_commit(rig.core), 2);
	assert_null(did(DO_ANSWER));
	acknowledge(3);
	assert_int_equal(replica_commit(rig.core), 3);
	core_end();
}

/* Rule 9: a joint learner is on the primary's disk before it counts, and before anybody is asked to admit it. */
static void a_joint_learner_is_written_down(void **state)
{
	(void)state;
	core_begin(2, 2);
	lead();
	learner(2);
	assert_non_null(did(DO_WRITE));
	assert_int_equal(did(DO_WRITE)->write.kind, WRITE_META);
	assert_int_equal(report_now().needs_count, 0);
	durable();
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, NEED_ADMIT);
	core_end();
}

/* Rule 9: a learner below the commit point is not joint. */
static void a_joint_learner_is_level(void **state)
{
	(void)state;
	core_begin(2, 2);
	lead();
	learner(1);
	durable();
	assert_int_equal(report_now().joint_count, 0);
	core_end();
}

/* --- rules 10, 15: who is reported -------------------------------------------------------------------------------- */

static void tick(uint64_t after_ms)
{
	rig.now_ms += after_ms;
	core_step(&(struct replica_event){.kind = REPLICA_TICK});
}

/* Rule 10: a member that cannot be reached is reported when an order waits for it, and not before. */
static void the_idle_report_nobody(void **state)
{
	(void)state;
	with_a_member();
	for (int i = 0; i < 2; i++) /* the connection breaks, and the next one is refused */
		core_step(&(struct replica_event){.kind = REPLICA_PEER_DOWN,
						  .peer_down = {.id = PEER, .uuid = named(PEER)}});
	tick(10);
	assert_int_equal(report_now().needs_count, 0);
	submit(2, 7);
	propose(2, 7);
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, NEED_EVICT);
	core_end();
}

/* Rule 15: a front-end that has just started lists nobody that hangs. Its connection is there and swallows all, or there
 * was none, and no address to make one. */
static void the_unlisted_are_reported_too(void **state)
{
	(void)state;
	with_a_member();
	rig.peers.count = 0;
	core_step(&(struct replica_event){.kind = REPLICA_HEARTBEAT,
					  .heartbeat = {.peers = &rig.peers, .min_members = 1}});
	submit(2, 7);
	propose(2, 7);
	durable();
	tick(10);
	assert_int_equal(report_now().needs_count, 0);
	for (int i = 0; i < 30; i++)
		tick(10);
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, NEED_EVICT);
	core_end();
	core_begin(2, 0);
	two_members(SELF);
	rig.peers.count = 0;
	lead();
	assert_int_equal(state_now(), STATE_SETTLING);
	assert_int_equal(report_now().needs_count, 1);
	assert_int_equal(report_now().needs[0].kind, NEED_EVICT);
	core_end();
}

/* Rule 10: with --min-members orders are refused in a smaller view. */
static void too_few_members_refuse(void **state)
{
	(void)state;
	core_leads_alone();
	core_step(&(struct replica_event){.kind = REPLICA_HEARTBEAT, .heartbeat = {.min_members = 2}});
	submit_refused(2, 1, VERDICT_TOO_FEW);
	core_end();
}

/* Rule 10: one that is gone stays a member until an order waits for it. This order does not: it is refused. */
static void the_gone_are_not_counted(void **state)
{
	(void)state;
	with_a_member();
	core_step(&(struct replica_event){.kind = REPLICA_HEARTBEAT, .heartbeat = {.min_members = 2}});
	for (int i = 0; i < 2; i++) /* the connection breaks, and the next one is refused */
		core_step(&(struct replica_event){.kind = REPLICA_PEER_DOWN,
						  .peer_down = {.id = PEER, .uuid = named(PEER)}});
	submit_refused(2, 1, VERDICT_TOO_FEW);
	core_end();
}

/* Rule 15: a primary that was late itself has not heard because it did not listen: it reports nobody. */
static void a_late_primary_reports_nobody(void **state)
{
	(void)state;
	with_a_member();
	tick(25);
	submit(2, 7);
	propose(2, 7);
	tick(5000);
	assert_int_equal(report_now().needs_count, 0);
	for (int i = 0; i < 20; i++)
		tick(25);
	assert_int_equal(report_now().needs_count, 1); /* and now it is silent indeed */
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_names_one_view),
		cmocka_unit_test(a_restarted_primary_needs_a_new_view),
		cmocka_unit_test(views_name_the_cluster),
		cmocka_unit_test(views_name_the_manager),
		cmocka_unit_test(bound_is_on_disk),
		cmocka_unit_test(a_member_that_forgot_is_named),
		cmocka_unit_test(an_old_copy_accuses_itself),
		cmocka_unit_test(acknowledgements_name_view_and_uuid),
		cmocka_unit_test(settles_before_it_serves),
		cmocka_unit_test(each_view_settles_anew),
		cmocka_unit_test(commits_with_every_member),
		cmocka_unit_test(reads_name_the_view),
		cmocka_unit_test(an_idle_cluster_is_level),
		cmocka_unit_test(a_joint_learner_counts),
		cmocka_unit_test(a_joint_learner_is_written_down),
		cmocka_unit_test(a_joint_learner_is_level),
		cmocka_unit_test(the_idle_report_nobody),
		cmocka_unit_test(the_unlisted_are_reported_too),
		cmocka_unit_test(too_few_members_refuse),
		cmocka_unit_test(the_gone_are_not_counted),
		cmocka_unit_test(a_late_primary_reports_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
