/* Single steps of a primary that is sent orders: each test takes it to the edge of a rule (4, 11, 12, 13, 19), as
 * those of replica_rules_test.c do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/support_replica.h"

/* A submit that is validated. */
static void ask(uint8_t request)
{
	submit(2, request);
	assert_non_null(did(DO_VALIDATE));
}

/* Rule 4: a submit counts in exactly the view that is served; for any other the answer is "moved". */
static void submits_name_the_view(void **state)
{
	(void)state;
	core_leads_alone();
	for (uint64_t other = 1; other <= 3; other += 2)
		submit_refused(other, 1, VERDICT_MOVED);
	ask(1);
	core_end();
}

/* Rule 11: what is in the log is not validated once more: the repeat waits for the first one's answer. */
static void a_repeat_is_not_validated(void **state)
{
	(void)state;
	core_leads_alone();
	ask(1);
	propose(2, 1);
	submit(2, 1);
	assert_null(did(DO_VALIDATE));
	assert_null(did(DO_ANSWER));
	durable();
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_DECIDED);
	core_end();
}

/* Rule 11: looked up again when it is proposed: meanwhile the client's next request has entered the log, and numbers
 * only rise. */
static void what_was_overtaken_is_not_executed(void **state)
{
	uint64_t first;

	(void)state;
	core_leads_alone();
	ask(1);
	first = rig.token;
	ask(2);
	propose(2, 2);
	rig.token = first;
	propose(2, 1);
	assert_int_equal(replica_last_op(rig.core), 1);
	assert_null(did(DO_ANSWER)); /* rule 12: not before the other one is applied */
	durable();
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.token, first);
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_PASSED);
	core_end();
}

/* Rule 12: what was in validation while the view changed is "moved", neither refused nor in the log. */
static void moved_while_it_was_validated(void **state)
{
	struct view next;

	(void)state;
	core_leads_alone();
	ask(1);
	next = next_view();
	install(&next);
	durable();
	assert_int_equal(state_now(), STATE_SERVING);
	propose(2, 1);
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, VERDICT_MOVED);
	assert_int_equal(replica_last_op(rig.core), 0);
	core_end();
}

/* Rule 13: a full disk refuses orders, by name of the replica; room heals it; reads go on. */
static void a_full_disk_refuses(void **state)
{
	(void)state;
	core_leads_alone();
	core_step(&(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = true}});
	submit_refused(2, 1, VERDICT_DISK_FULL);
	assert_int_equal(did(DO_ANSWER)->answer.id, SELF);
	query(2, 0);
	assert_non_null(did(DO_READ));
	core_step(&(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = false}});
	ask(1);
	core_end();
}

/* Rule 19: past --max-orders the answer is that it is full; those in validation count. */
static void orders_are_bounded(void **state)
{
	(void)state;
	core_begin(7, 7);
	lead();
	ask(8);
	submit_refused(2, 9, VERDICT_FULL);
	core_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submits_name_the_view),
		cmocka_unit_test(a_repeat_is_not_validated),
		cmocka_unit_test(what_was_overtaken_is_not_executed),
		cmocka_unit_test(moved_while_it_was_validated),
		cmocka_unit_test(a_full_disk_refuses),
		cmocka_unit_test(orders_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
