/* Rules 11 and 12 at one primary, step by step: what is known of a request, and when it may be said. As in
 * replica_rules_test it is replica 1 and the peer is replica 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc/base/limits.h"
#include "tests/unit/support_replica.h"

#define NOTHING (-1)

/* A primary of two orders (requests 0 and 1), and a member that is connected and holds them. */
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

/* A SUBMIT that is validated; its token. */
static uint64_t ask(uint8_t request)
{
	submit(2, request);
	assert_non_null(did(DO_VALIDATE));
	assert_int_equal(did(DO_VALIDATE)->validate.token, rig.token);
	return rig.token;
}

/* A SUBMIT that waits; its token. */
static uint64_t waits(uint8_t request)
{
	submit(2, request);
	assert_null(did(DO_VALIDATE));
	assert_null(did(DO_ANSWER));
	return rig.token;
}

static uint64_t waits_with_other_content(uint8_t request)
{
	core_step(&(struct replica_event){.kind = REPLICA_SUBMIT,
					  .submit = {.token = ++rig.token, .view = 2, .client = named(0xC1),
						     .number = request, .content = digest_of("other", 5)}});
	assert_null(did(DO_VALIDATE));
	assert_null(did(DO_ANSWER));
	return rig.token;
}

static void validated_good(uint64_t token, uint8_t request)
{
	uint64_t last = rig.token;

	rig.token = token;
	propose(2, request);
	rig.token = last;
}

static void validated_bad(uint64_t token, uint8_t request)
{
	core_step(&(struct replica_event){.kind = REPLICA_DECLINE,
					  .decline = {.token = token, .view = 2, .client = named(0xC1),
						      .number = request, .content = digest_of(&request, 1)}});
}

static void disk_is_full(bool full)
{
	core_step(&(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = full}});
}

/* What the last step answered to the call; NOTHING. */
static int answered(uint64_t token)
{
	int verdict = NOTHING;

	for (uint32_t i = 0; i < rig.actions.count; i++) {
		if (rig.actions.list[i].kind != DO_ANSWER || rig.actions.list[i].answer.token != token)
			continue;
		assert_int_equal(verdict, NOTHING);
		verdict = (int)rig.actions.list[i].answer.verdict;
	}
	return verdict;
}

static void commit(uint64_t op)
{
	durable();
	acknowledge(op);
}

/* --- what the log knows ------------------------------------------------------------------------------------------- */

/* Rule 11: the number of an order that is only in the log, with another content, is an error, and one below it is
 * final. */
static void numbers_in_the_log(void **state)
{
	uint64_t other, lower;

	(void)state;
	with_a_member();
	validated_good(ask(7), 7);
	other = waits_with_other_content(7);
	lower = waits(6);
	durable();
	assert_null(did(DO_ANSWER));
	acknowledge(3);
	assert_int_equal(answered(other), VERDICT_REUSED);
	assert_int_equal(answered(lower), VERDICT_PASSED);
	core_end();
}

/* Rule 11: an order that is in the log, or has just been applied, has its number also when a later one of its client
 * has one: a repeat of it gets its answer, and is not called superseded. */
static void repeats_come_before_superseded(void **state)
{
	uint64_t first, second, again;

	(void)state;
	with_a_member();
	first = ask(7);
	validated_good(first, 7);
	second = ask(8);
	validated_good(second, 8);
	again = waits(7);
	durable();
	acknowledge(3);
	assert_int_equal(answered(first), VERDICT_DECIDED);
	assert_int_equal(answered(again), VERDICT_DECIDED);
	assert_int_equal(answered(second), NOTHING);
	core_end();
}

/* Rule 11: the same of an order that the history has, while a later one of its client is in the log: it gets its answer,
 * at once; and what is below it is superseded for good, at once. */
static void the_history_comes_before_superseded(void **state)
{
	(void)state;
	with_a_member();
	rig.executed_request = 5;
	rig.executed_op = 2;
	validated_good(ask(7), 7);
	submit(2, 5);
	assert_int_equal(answered(rig.token), VERDICT_DECIDED);
	assert_int_equal(did(DO_ANSWER)->answer.op, 2);
	submit(2, 4);
	assert_int_equal(answered(rig.token), VERDICT_PASSED);
	waits(6); /* that rests on the entry alone */
	core_end();
}

/* Rule 12: the entry that a verdict rests on may be lost with its view, and an older call of the lower number be
 * executed then. So nobody is told "superseded" or "other content" of an entry that is not applied; they wait. */
static void verdicts_wait_for_their_entry(void **state)
{
	uint64_t own, other, lower, again;

	(void)state;
	with_a_member();
	own = ask(7);
	validated_good(own, 7);
	other = waits_with_other_content(7);
	lower = waits(6);
	again = waits(7);
	durable();
	assert_null(did(DO_ANSWER)); /* on the own disk alone it is not applied */
	acknowledge(3);
	assert_int_equal(answered(own), VERDICT_DECIDED);
	assert_int_equal(answered(again), VERDICT_DECIDED);
	assert_int_equal(answered(other), VERDICT_REUSED);
	assert_int_equal(answered(lower), VERDICT_PASSED);
	core_end();
}

/* Rule 12: below two entries, it rests on the one that is applied first; between them on the one above it. */
static void superseded_rests_on_the_first_above(void **state)
{
	uint64_t below, between;

	(void)state;
	with_a_member();
	validated_good(ask(4), 4);
	validated_good(ask(7), 7);
	below = waits(3);
	between = waits(5);
	durable();
	acknowledge(3);
	assert_int_equal(answered(below), VERDICT_PASSED);
	assert_int_equal(answered(between), NOTHING);
	waits(2); /* this history does not know the first one, and the log has forgotten it: it rests on the second */
	commit(4);
	assert_int_equal(answered(between), VERDICT_PASSED);
	core_end();
}

/* Rules 4, 12: when the view changes, calls that wait for an entry end as moved: the next view decides. */
static void waits_end_with_the_view(void **state)
{
	uint64_t own, other, lower, later;
	struct view next;

	(void)state;
	with_a_member();
	own = ask(7);
	validated_good(own, 7);
	other = waits_with_other_content(7);
	lower = waits(6);
	ask(8);
	later = waits(8);
	next = rig.view;
	next.number = 3;
	install(&next);
	assert_int_equal(answered(own), VERDICT_MOVED);
	assert_int_equal(answered(other), VERDICT_MOVED);
	assert_int_equal(answered(lower), VERDICT_MOVED);
	assert_int_equal(answered(later), VERDICT_MOVED);
	core_end();
}

/* Rule 12: what is held while a view settles is looked up in what that very step commits, before any limit: --max-orders
 * is reached by the log, which has it. */
static void held_calls_are_looked_up_in_what_is_just_applied(void **state)
{
	uint64_t again, fresh;

	(void)state;
	core_begin(8, 0);
	two_members(SELF);
	lead();
	peer_up(1);
	again = waits(7);
	fresh = waits(8);
	acknowledge(8);
	assert_int_equal(state_now(), STATE_SERVING);
	assert_int_equal(answered(again), VERDICT_DECIDED);
	assert_int_equal(answered(fresh), VERDICT_FULL);
	core_end();
}

static void submit_of(uint32_t client, uint64_t token)
{
	const struct uuid uuid = {.bytes = {0xC2, (uint8_t)(client >> 8), (uint8_t)client}};

	core_step(&(struct replica_event){.kind = REPLICA_SUBMIT,
					  .submit = {.token = token, .view = 2, .client = uuid, .number = 1,
						     .content = digest_of("tea", 3)}});
}

static void declined_of(uint32_t client, uint64_t token)
{
	const struct uuid uuid = {.bytes = {0xC2, (uint8_t)(client >> 8), (uint8_t)client}};

	core_step(&(struct replica_event){.kind = REPLICA_DECLINE,
					  .decline = {.token = token, .view = 2, .client = uuid, .number = 1,
						      .content = digest_of("tea", 3)}});
}

/* Rules 12, 19: when the log would be full with what the validation accepts, the next ones are held. They come first when there
 * is room again: a later call of one that is held must not be refused before the older one is decided. */
static void nobody_overtakes_the_held(void **state)
{
	const uint32_t most = LIMIT_UNAPPLIED_ENTRIES;

	(void)state;
	core_begin_with(0, 0, 1000000);
	lead();
	for (uint32_t i = 0; i < most; i++) {
		submit_of(i, 1000 + i);
		assert_non_null(did(DO_VALIDATE));
	}
	submit_of(most, 1);
	assert_null(did(DO_VALIDATE));
	assert_null(did(DO_ANSWER));
	declined_of(0, 1000);
	disk_is_full(true);
	submit_of(most, 2); /* there is room now, and the older call has not been decided */
	assert_null(did(DO_ANSWER));
	core_step(&(struct replica_event){.kind = REPLICA_TICK});
	assert_int_equal(answered(1), VERDICT_DISK_FULL);
	assert_int_equal(answered(2), VERDICT_DISK_FULL);
	core_end();
}

/* --- requests in validation --------------------------------------------------------------------------------------- */

/* Rule 12: an older call may still enter the log, so nobody refuses a later one of the same request meanwhile, whatever
 * the limits say: it waits for the older one, and is decided again. */
static void a_later_call_waits_for_the_older(void **state)
{
	uint64_t first, second, third;

	(void)state;
	with_a_member();
	first = ask(7);
	disk_is_full(true);
	second = waits(7);
	third = waits(7);
	validated_good(first, 7);
	assert_null(did(DO_ANSWER));
	commit(3);
	assert_int_equal(answered(first), VERDICT_DECIDED);
	assert_int_equal(answered(second), VERDICT_DECIDED);
	assert_int_equal(answered(third), VERDICT_DECIDED);
	core_end();
}

/* Rule 12: a call that is declined says nothing of the later ones: the next of them is validated, the rest waits
 * for that one, and a limit counts now. */
static void a_later_call_is_decided_again(void **state)
{
	uint64_t first, second, third;

	(void)state;
	with_a_member();
	first = ask(7);
	second = waits(7);
	third = waits(7);
	validated_bad(first, 7);
	assert_int_equal(answered(first), VERDICT_DECLINED);
	assert_int_equal(answered(second), NOTHING);
	assert_int_equal(answered(third), NOTHING);
	assert_non_null(did(DO_VALIDATE));
	first = did(DO_VALIDATE)->validate.token;
	second = first == second ? third : second;
	disk_is_full(true);
	validated_bad(first, 7);
	assert_int_equal(answered(first), VERDICT_DECLINED);
	assert_int_equal(answered(second), VERDICT_DISK_FULL);
	core_end();
}

/* Rule 12: in validation since an older view, it can enter no log any more; what waited for it is decided then. */
static void a_later_call_outlives_the_older_view(void **state)
{
	uint64_t first, second;
	struct view next;

	(void)state;
	core_begin(0, 0);
	lead();
	first = ask(1);
	next = rig.view;
	next.number = 3;
	install(&next);
	durable();
	assert_int_equal(state_now(), STATE_SERVING);
	submit(3, 1);
	second = rig.token;
	assert_null(did(DO_VALIDATE));
	assert_null(did(DO_ANSWER));
	validated_good(first, 1);
	assert_int_equal(answered(first), VERDICT_MOVED);
	assert_int_equal(answered(second), NOTHING);
	assert_non_null(did(DO_VALIDATE));
	assert_int_equal(did(DO_VALIDATE)->validate.token, second);
	core_end();
}

/* Rule 19: those that wait for an older call are bounded; one more is told that it is too many. */
static void joined_calls_are_bounded(void **state)
{
	uint64_t first;

	(void)state;
	with_a_member();
	first = ask(7);
	for (int i = 0; i < LIMIT_HELD_CALLS; i++)
		waits(7);
	submit(2, 7);
	assert_int_equal(answered(rig.token), VERDICT_BUSY);
	validated_good(first, 7);
	validated_bad(ask(8), 8);
	ask(8);
	waits(8); /* there is room again */
	core_end();
	core_begin(0, 0);
	lead();
	ask(1);
	for (int i = 0; i < LIMIT_HELD_CALLS; i++)
		waits(1);
	rig.view.number = 3; /* and again when the view has sent them away */
	install(&rig.view);
	durable();
	submit(3, 1);
	assert_int_equal(answered(rig.token), NOTHING);
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_in_the_log),
		cmocka_unit_test(repeats_come_before_superseded),
		cmocka_unit_test(the_history_comes_before_superseded),
		cmocka_unit_test(verdicts_wait_for_their_entry),
		cmocka_unit_test(superseded_rests_on_the_first_above),
		cmocka_unit_test(nobody_overtakes_the_held),
		cmocka_unit_test(a_later_call_waits_for_the_older),
		cmocka_unit_test(waits_end_with_the_view),
		cmocka_unit_test(held_calls_are_looked_up_in_what_is_just_applied),
		cmocka_unit_test(a_later_call_is_decided_again),
		cmocka_unit_test(a_later_call_outlives_the_older_view),
		cmocka_unit_test(joined_calls_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
