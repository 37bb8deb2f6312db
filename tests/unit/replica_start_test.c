/* A replica's start, record by record: what makes no log is damage, and what was durable is known again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/support_replica.h"

/* A core that has read a snapshot of that op and nothing else. */
static void begin(uint64_t op)
{
	static const struct replica_service service = {.lookup = nothing_is_known};
	const struct replica_options options = {.id = SELF, .heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000,
						.read_hold_ms = 100, .orders_max = 8, .log_bytes_max = 100000};

	core_begin(0, 0); /* for its view */
	replica_free(rig.core);
	rig.core = replica_new(&options, &service);
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_BASE,
					  .base = {.op = op, .digest = initial_digest()}});
}

static void meta(uint64_t view)
{
	struct replica_meta meta = {.id = SELF, .uuid = named(SELF), .bound = named(0xA), .view = rig.view,
				    .whole_view = view};

	meta.view.number = view;
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
}

static struct replica_event batch_event(uint64_t op, struct digest digest, uint32_t count, uint64_t commit)
{
	static const uint8_t body = 1;
	static const struct replica_entry entries[3] = {{.view = 1, .body = &body, .size = 1},
							{.view = 1, .body = &body, .size = 1},
							{.view = 1, .body = &body, .size = 1}};

	return (struct replica_event){.kind = REPLICA_RECOVER_BATCH,
				      .batch = {.base_op = op, .base_digest = digest, .commit = commit,
						.entries = entries, .entries_count = count}};
}

static void batch(uint64_t op, struct digest digest, uint32_t count, uint64_t commit)
{
	struct replica_event event = batch_event(op, digest, count, commit);

	core_step(&event);
}

static enum replica_state start(void)
{
	core_step(&(struct replica_event){.kind = REPLICA_START});
	durable();
	return state_now();
}

/* A start that is damaged says so, whatever else the journal holds. */
static void is_damaged(void)
{
	assert_int_equal(start(), STATE_DAMAGED);
	core_end();
}

/* Rule 2: view numbers only rise, in a journal too. */
static void views_rise(void **state)
{
	(void)state;
	begin(0);
	meta(2);
	meta(3);
	assert_int_equal(start(), STATE_NEED_NEW_VIEW);
	assert_int_equal(replica_view(rig.core)->number, 3);
	begin(0);
	meta(3);
	meta(2);
	is_damaged();
}

/* Rule 5: no batch cuts what an earlier one says to be committed. */
static void what_was_committed_is_not_cut(void **state)
{
	(void)state;
	begin(0);
	meta(1);
	batch(0, initial_digest(), 3, 0);
	batch(0, initial_digest(), 2, 0);
	assert_int_equal(start(), STATE_NEED_NEW_VIEW);
	assert_int_equal(replica_last_op(rig.core), 2);
	begin(0);
	meta(1);
	batch(0, initial_digest(), 3, 2);
	batch(0, initial_digest(), 2, 0);
	is_damaged();
}

/* Rule 14: a batch carries the digest of all before it: one that does not follow is damage, and so is a gap. */
static void batches_follow_each_other(void **state)
{
	(void)state;
	begin(0);
	meta(1);
	batch(0, initial_digest(), 3, 2);
	batch(3, digest_of("another", 7), 1, 2);
	is_damaged();
	begin(0);
	meta(1);
	batch(0, initial_digest(), 2, 1);
	batch(4, initial_digest(), 1, 1);
	is_damaged();
}

/* Rule 14: a replacement took effect, and its state, or what follows it, is not there. */
static void a_replacement_is_there(void **state)
{
	(void)state;
	begin(0);
	meta(1);
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_STATE, .state = {.op = 5, .last_op = 5}});
	is_damaged();
	begin(0);
	meta(1);

	struct replica_event staged = batch_event(0, initial_digest(), 3, 0);

	staged.kind = REPLICA_RECOVER_STAGED;
	core_step(&staged);
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_STATE, .state = {.op = 2, .last_op = 3}});
	is_damaged();
	begin(5);
	meta(1);
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_STATE, .state = {.op = 5, .last_op = 6}});
	is_damaged();
	begin(5);
	meta(1);
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_STATE, .state = {.op = 5, .last_op = 5}});
	assert_int_equal(start(), STATE_NEED_NEW_VIEW);
	core_end();
}

/* Rule 14: what was staged for a replacement that never took effect is no part of the next one, though both begin at the
 * same op. */
static void an_unfinished_replacement_is_forgotten(void **state)
{
	static const uint8_t other_body = 9;
	static const struct replica_entry others[2] = {{.view = 1, .body = &other_body, .size = 1},
						       {.view = 1, .body = &other_body, .size = 1}};
	struct replica_event staged = batch_event(0, initial_digest(), 3, 0);

	(void)state;
	begin(0);
	meta(1);
	staged.kind = REPLICA_RECOVER_STAGED;
	core_step(&staged);
	staged.batch.entries = others;
	staged.batch.entries_count = 2;
	core_step(&staged);
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_STATE, .state = {.op = 0, .last_op = 2}});
	assert_int_equal(start(), STATE_NEED_NEW_VIEW);
	assert_int_equal(replica_last_op(rig.core), 2);
	for (uint64_t op = 1; op <= 2; op++)
		assert_int_equal(*(const uint8_t *)replica_entry_at(rig.core, op).body, other_body);
	core_end();
}

/* Rule 9: who was counted as the process died is named by the next one too: a take-over needs it (rule 18). */
static void joint_learners_are_remembered(void **state)
{
	struct replica_meta with_joint;
	struct report report;

	(void)state;
	begin(0);
	with_joint = (struct replica_meta){.id = SELF, .uuid = named(SELF), .bound = named(0xA), .view = rig.view,
					   .joint_count = 1, .joint = {{.id = PEER, .uuid = named(PEER)}}};
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &with_joint});
	start();
	replica_report(rig.core, &report);
	assert_int_equal(report.joint_count, 1);
	assert_int_equal(report.joint[0].id, PEER);
	core_end();
}

/* Rule 7: a state below the own commit point is not taken, also where the log does not reach down to it any more. */
static void an_older_state_is_not_taken(void **state)
{
	struct replica_push old = {.has_state = true, .base_op = 3, .base_digest = digest_of("three", 5), .last_op = 3};

	(void)state;
	begin(5);
	two_members(PEER);
	meta(1);
	start();
	old.view = rig.view.number;
	old.record = &rig.view;
	core_step(&(struct replica_event){.kind = REPLICA_PUSH,
					  .push = {.token = ++rig.token, .from = {.id = PEER, .uuid = named(PEER)},
						   .push = &old}});
	assert_null(did(DO_STAGE));
	assert_int_equal(did(DO_ACK)->ack.ack.status, PUSH_NEED_BASE);
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_rise),
		cmocka_unit_test(what_was_committed_is_not_cut),
		cmocka_unit_test(batches_follow_each_other),
		cmocka_unit_test(a_replacement_is_there),
		cmocka_unit_test(an_unfinished_replacement_is_forgotten),
		cmocka_unit_test(joint_learners_are_remembered),
		cmocka_unit_test(an_older_state_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
