/* Single steps of a backup, and of a start, for rules whose breach a whole cluster shows only rarely. The peer is the
 * primary of view 2; this replica's disk holds three entries of view 1. */
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

static enum replica_push_status status(void)
{
	assert_non_null(did(DO_ACK));
	return did(DO_ACK)->ack.ack.status;
}

/* All three entries are the primary's too. */
static void made_whole(void)
{
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	durable();
	assert_int_equal(status(), PUSH_OK);
	assert_int_equal(did(DO_ACK)->ack.ack.op, 3);
	assert_int_equal(state_now(), STATE_FOLLOWING);
}

/* Rule 5: once the log is whole in a view nothing in it is cut any more: an entry that differs is damage. */
static void a_whole_log_is_not_cut(void **state)
{
	(void)state;
	follow(0);
	made_whole();
	push(0, initial_digest(), 2, 50, 1, 3, 0);
	assert_int_equal(status(), PUSH_DAMAGED);
	assert_int_equal(replica_last_op(rig.core), 3);
	core_end();
}

/* Rule 7: the primary has committed more than this push shows to be equal here; what else is in the log may be a tail
 * that does not survive. */
static void applies_only_what_is_proved(void **state)
{
	(void)state;
	follow(0);
	push(0, initial_digest(), 1, 0, 1, 3, 2);
	durable();
	assert_int_equal(replica_commit(rig.core), 1);
	core_end();
}

/* Rule 7: no batch on disk says that these three were committed, so a start applies none of them. */
static void a_start_applies_what_was_committed(void **state)
{
	(void)state;
	core_begin(3, 0);
	assert_int_equal(replica_last_op(rig.core), 3);
	assert_int_equal(replica_commit(rig.core), 0);
	core_begin(3, 2);
	assert_int_equal(replica_commit(rig.core), 2);
	core_end();
}

/* Rule 8: a backup whose log is not known to be whole in this view answers no read of it. */
static void reads_need_a_whole_log(void **state)
{
	(void)state;
	follow(0);
	push(0, initial_digest(), 1, 0, 1, 3, 1);
	durable();
	query(2, 0);
	assert_null(did(DO_READ));
	assert_non_null(did(DO_READ_MOVED));
	push(0, initial_digest(), 1, 0, 3, 3, 1);
	durable();
	query(2, 1);
	assert_non_null(did(DO_READ));
	core_end();
}

/* Rule 14: another history at or below the commit point is damage, and says so. */
static void another_history_is_damage(void **state)
{
	(void)state;
	follow(2);
	push(2, digest_of("another", 7), 2, 50, 1, 3, 2);
	assert_int_equal(status(), PUSH_DAMAGED);
	assert_int_equal(state_now(), STATE_DAMAGED);
	core_end();
}

static void refuses_to_enter(void)
{
	push(0, initial_digest(), 1, 0, 3, 3, 0);
	assert_int_equal(status(), PUSH_REFUSED);
	assert_int_equal(replica_view(rig.core)->number, 1);
	core_end();
}

/* Rule 17: a push of a view of another cluster changes nothing here. */
static void pushes_name_the_cluster(void **state)
{
	(void)state;
	follow(0);
	rig.view.cluster = named(0xCC);
	refuses_to_enter();
}

/* Rule 20: nor does one of a view that another manager made. */
static void pushes_name_the_manager(void **state)
{
	(void)state;
	follow(0);
	rig.view.manager = named(0xAA);
	refuses_to_enter();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_log_is_not_cut),
		cmocka_unit_test(applies_only_what_is_proved),
		cmocka_unit_test(a_start_applies_what_was_committed),
		cmocka_unit_test(reads_need_a_whole_log),
		cmocka_unit_test(another_history_is_damage),
		cmocka_unit_test(pushes_name_the_cluster),
		cmocka_unit_test(pushes_name_the_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
