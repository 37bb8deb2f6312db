/* Single steps of a backup at the edges of what it may believe, answer and forget. As in replica_follow_test the peer
 * is the primary of view 2, and this replica's disk holds three entries of view 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/support_replica.h"

static void follow(uint64_t commit)
{
	core_begin(3, commit);
	two_members(PEER);
}

static struct report report_now(void)
{
	struct report report;

	replica_report(rig.core, &report);
	return report;
}

static const struct replica_ack *answer(void)
{
	assert_non_null(did(DO_ACK));
	return &did(DO_ACK)->ack.ack;
}

static void made_whole(void)
{
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	durable();
	assert_int_equal(answer()->op, 3);
	assert_int_equal(state_now(), STATE_FOLLOWING);
}

/* --- rules 4, 5, 6: what a push proves ---------------------------------------------------------------------------- */

/* Rule 4: all three are on disk, but only the first is known to be the primary's: nothing else is acknowledged. */
static void acknowledges_what_is_proved(void **state)
{
	(void)state;
	follow(0);
	push(0, initial_digest(), 1, 0, 1, 3, 0);
	durable();
	assert_int_equal(answer()->status, PUSH_OK);
	assert_int_equal(answer()->op, 1);
	core_end();
}

/* Rule 5: what was proved equal to the last primary's log says nothing of the next one's. */
static void proofs_end_with_their_view(void **state)
{
	(void)state;
	follow(0);
	made_whole();
	rig.view.number = 3;
	push(0, initial_digest(), 1, 0, 1, 3, 0);
	durable();
	assert_int_equal(answer()->status, PUSH_OK);
	assert_int_equal(answer()->op, 1);
	core_end();
}

/* Rule 5: after the first one a push of a view only extends, also one that ends below what is here. */
static void a_later_push_cuts_nothing(void **state)
{
	(void)state;
	follow(0);
	made_whole();
	push(0, initial_digest(), 1, 0, 1, 1, 0);
	assert_int_equal(answer()->op, 3);
	assert_int_equal(replica_last_op(rig.core), 3);
	core_end();
}

static void is_damage(void)
{
	assert_int_equal(answer()->status, PUSH_DAMAGED);
	assert_int_equal(state_now(), STATE_DAMAGED);
	assert_int_equal(replica_last_op(rig.core), 3);
	core_end();
}

/* Rule 5: nobody cuts below the commit point: neither an entry that differs nor a log that ends there. */
static void what_is_committed_is_not_cut(void **state)
{
	(void)state;
	follow(2);
	push(0, initial_digest(), 2, 50, 1, 3, 0);
	is_damage();
	follow(2);
	push(0, initial_digest(), 1, 0, 1, 1, 0);
	is_damage();
}

/* Rule 6: one view and op with two bodies cannot be. */
static void one_view_and_op_is_one_body(void **state)
{
	(void)state;
	follow(0);
	push(0, initial_digest(), 1, 50, 1, 3, 0);
	is_damage();
}

/* Rule 14: within one view logs do not differ, above the commit point either. */
static void no_other_history_within_a_view(void **state)
{
	(void)state;
	follow(0);
	made_whole();
	push(2, digest_of("another", 7), 2, 50, 1, 3, 0);
	is_damage();
}

/* Rule 5: the cut is written before the record that calls the log whole, also while an older write is under way. */
static void a_cut_is_written_first(void **state)
{
	uint64_t cut = 0, whole = 0;
	struct digest third = initial_digest();

	(void)state;
	follow(0);
	made_whole();
	for (uint8_t body = 0; body < 3; body++)
		third = digest_chain(third, &body, 1);
	push(3, third, 2, 3, 1, 4, 0);
	assert_int_equal(replica_last_op(rig.core), 4);
	rig.view.number = 3;
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	assert_int_equal(replica_last_op(rig.core), 3);
	for (uint32_t i = 0; i < rig.actions.count; i++) {
		const struct replica_action *action = &rig.actions.list[i];

		if (action->kind == DO_WRITE && action->write.kind == WRITE_BATCH)
			cut = action->write.ticket;
		else if (action->kind == DO_WRITE && action->write.kind == WRITE_META)
			whole = action->write.ticket;
	}
	assert_true(cut > 0 && cut < whole);
	core_end();
}

/* Rule 7: a primary that takes back what it pushed in this very view takes back the commit point with it: nothing beyond
 * the log is committed once the view is durable. */
static void what_is_taken_back_is_not_committed(void **state)
{
	(void)state;
	follow(0);
	push(0, initial_digest(), 1, 0, 3, 5, 3);
	push(0, initial_digest(), 2, 0, 1, 5, 0);
	assert_int_equal(replica_last_op(rig.core), 1);
	durable();
	assert_int_equal(replica_commit(rig.core), 0);
	core_end();
}

/* --- rules 3, 4, 17: who may push --------------------------------------------------------------------------------- */

static void push_of(uint32_t id, struct uuid uuid, uint64_t base_op, uint32_t count, uint64_t last_op)
{
	static const uint8_t body = 0;
	const struct replica_entry entries[2] = {{.view = 1, .body = &body, .size = 1},
						 {.view = 1, .body = &body, .size = 1}};
	const struct replica_push content = {.view = rig.view.number, .record = &rig.view, .base_op = base_op,
					     .base_digest = initial_digest(), .last_op = last_op, .entries = entries,
					     .entries_count = count};

	core_step(&(struct replica_event){.kind = REPLICA_PUSH,
					  .push = {.token = ++rig.token, .from = {.id = id, .uuid = uuid},
						   .push = &content}});
}

static void refused(void)
{
	assert_int_equal(answer()->status, PUSH_REFUSED);
	assert_int_equal(replica_view(rig.core)->number, 1);
	assert_null(did(DO_WRITE));
}

/* Rules 4 and 17: only the primary of a view pushes it, from the data directory that is its member; and what cannot be
 * is no push. */
static void pushes_come_from_the_primary(void **state)
{
	(void)state;
	follow(0);
	rig.view.members_count = 3;
	rig.view.members[2] = (struct view_member){.id = 3, .uuid = named(3)};
	push_of(3, named(3), 0, 1, 3);
	refused();
	push_of(PEER, named(0x99), 0, 1, 3);
	refused();
	push_of(PEER, named(PEER), 5, 0, 3);
	refused();
	push_of(PEER, named(PEER), 0, 2, 1);
	refused();
	push_of(PEER, named(PEER), 0, 1, 3);
	assert_int_equal(replica_view(rig.core)->number, 2);
	core_end();
}

/* Rule 3: the branch that an operator gave up does not come back as an equal: a push of another generation is
 * refused. */
static void pushes_name_the_generation(void **state)
{
	(void)state;
	follow(0);
	rig.view.generation = named(0x66);
	push_of(PEER, named(PEER), 0, 1, 3);
	refused();
	core_end();
}

/* --- rules 2, 8: reads -------------------------------------------------------------------------------------------- */

/* Rule 2: not a word, and no answer to a read, of a view that is not on disk yet. */
static void reads_wait_for_the_view_on_disk(void **state)
{
	(void)state;
	follow(0);
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	query(2, 0);
	assert_null(did(DO_READ));
	assert_non_null(did(DO_READ_MOVED));
	durable();
	query(2, 0);
	assert_non_null(did(DO_READ));
	core_end();
}

/* Rule 8: a learner answers no read: nothing waits for it to hold what is committed. */
static void learners_answer_no_read(void **state)
{
	(void)state;
	core_begin(3, 0);
	rig.view.primary = PEER;
	rig.view.members[0] = (struct view_member){.id = PEER, .uuid = named(PEER)};
	push(0, initial_digest(), 1, 0, 3, 3, 3);
	durable();
	assert_int_equal(state_now(), STATE_FOLLOWING);
	query(2, 0);
	assert_null(did(DO_READ));
	assert_non_null(did(DO_READ_MOVED));
	core_end();
}

/* --- a replacement ------------------------------------------------------------------------------------------------ */

/* A whole state of op 5, which has nothing to do with what is here. */
static void push_state(void)
{
	const struct replica_push content = {.view = rig.view.number, .record = &rig.view, .has_state = true,
					     .base_op = 5, .base_digest = digest_of("five", 4), .last_op = 5, .commit = 5};

	core_step(&(struct replica_event){.kind = REPLICA_PUSH,
					  .push = {.token = ++rig.token, .from = {.id = PEER, .uuid = named(PEER)},
						   .push = &content}});
	assert_non_null(did(DO_STAGE));
	core_step(&(struct replica_event){.kind = REPLICA_STAGED,
					  .staged = {.token = rig.token, .ok = true, .complete = true}});
}

/* Rules 4 and 8: until a replacement is on disk, a crash leaves the old log: that is what a report claims, no read is
 * answered and nothing is acknowledged. */
static void a_replacement_counts_when_durable(void **state)
{
	(void)state;
	follow(2);
	push(0, initial_digest(), 1, 0, 0, 3, 0);
	durable();
	push_state();
	assert_null(did(DO_ACK));
	assert_null(did(DO_ADOPT));
	assert_int_equal(report_now().op, 3);
	query(2, 0);
	assert_null(did(DO_READ));
	durable();
	assert_non_null(did(DO_ADOPT));
	assert_int_equal(answer()->op, 5);
	assert_int_equal(report_now().op, 5);
	query(2, 5);
	assert_non_null(did(DO_READ));
	core_end();
}

/* A state of op 2 and what follows it up to last_op comes piece by piece; meanwhile all three entries turn out to be
 * the primary's. */
static void overtaken_state(uint64_t last_op, uint64_t commit)
{
	static const uint8_t bodies[] = {60, 61};
	const struct replica_entry entries[] = {{.view = 1, .body = &bodies[0], .size = 1},
						{.view = 1, .body = &bodies[1], .size = 1}};
	const struct replica_push old = {.view = 2, .has_state = true, .base_op = 2, .base_digest = digest_of("two", 3),
					 .last_op = last_op, .entries = entries,
					 .entries_count = (uint32_t)(last_op - 2)};

	follow(0);
	push(0, initial_digest(), 1, 0, 0, 3, 0);
	durable();
	core_step(&(struct replica_event){.kind = REPLICA_PUSH,
					  .push = {.token = ++rig.token, .from = {.id = PEER, .uuid = named(PEER)},
						   .push = &old}});
	assert_non_null(did(DO_STAGE));

	uint64_t staging = rig.token;

	push(0, initial_digest(), 1, 0, 3, 3, commit);
	durable();
	assert_int_equal(replica_commit(rig.core), commit);
	core_step(&(struct replica_event){.kind = REPLICA_STAGED,
					  .staged = {.token = staging, .ok = true, .complete = true}});
	assert_null(did(DO_WRITE));
	durable();
	assert_null(did(DO_ADOPT));
	assert_int_equal(replica_last_op(rig.core), 3);
	core_end();
}

/* Rule 7: a state that is older by now than what was acknowledged, or applied, replaces nothing. */
static void an_older_state_replaces_nothing(void **state)
{
	(void)state;
	overtaken_state(2, 0);
	overtaken_state(4, 3);
}

/* --- rule 14: damaged --------------------------------------------------------------------------------------------- */

/* Rule 14: a damaged replica takes no push and no view. */
static void the_damaged_take_nothing(void **state)
{
	(void)state;
	follow(2);
	push(2, digest_of("another", 7), 2, 50, 1, 3, 2);
	assert_int_equal(state_now(), STATE_DAMAGED);
	rig.view.number = 3;
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	assert_int_equal(answer()->status, PUSH_DAMAGED);
	assert_null(did(DO_WRITE));
	rig.view.primary = SELF;
	install(&rig.view);
	assert_null(did(DO_WRITE));
	assert_false(did(DO_INSTALLED)->installed.ok);
	core_end();
}

/* Rule 19: pushes that wait for the disk are bounded; one more is refused. */
static void waiting_pushes_are_bounded(void **state)
{
	(void)state;
	follow(0);
	for (int i = 0; i < 64; i++) {
		push(0, initial_digest(), 1, 0, 3, 3, 0);
		assert_null(did(DO_ACK));
	}
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	assert_int_equal(answer()->status, PUSH_REFUSED);
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledges_what_is_proved),
		cmocka_unit_test(proofs_end_with_their_view),
		cmocka_unit_test(a_later_push_cuts_nothing),
		cmocka_unit_test(what_is_committed_is_not_cut),
		cmocka_unit_test(one_view_and_op_is_one_body),
		cmocka_unit_test(no_other_history_within_a_view),
		cmocka_unit_test(a_cut_is_written_first),
		cmocka_unit_test(what_is_taken_back_is_not_committed),
		cmocka_unit_test(pushes_come_from_the_primary),
		cmocka_unit_test(pushes_name_the_generation),
		cmocka_unit_test(reads_wait_for_the_view_on_disk),
		cmocka_unit_test(learners_answer_no_read),
		cmocka_unit_test(a_replacement_counts_when_durable),
		cmocka_unit_test(an_older_state_replaces_nothing),
		cmocka_unit_test(the_damaged_take_nothing),
		cmocka_unit_test(waiting_pushes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
