/* Operator requests: switchover and promote --force (rule 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void switchover_keeps_the_members(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_switchover(&rig, 3);
	assert_int_equal(rig.answers, 1);
	assert_true(rig.answer_ok);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 3);
	assert_int_equal(rig.view, 2);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_switchover(&rig, 0);
	assert_int_equal(rig.answers, 2);
	assert_true(rig.answer_ok);
	assert_int_not_equal(rig.primary, 3);
	rig_switchover(&rig, rig.primary);
	assert_true(rig.answer_ok);
	assert_non_null(strstr(rig.answer, "already"));
	assert_int_equal(rig.stores, 2);
	rig_stop(&rig);
}

/* Each refusal gives its reason; each token is answered once. */
static void switchover_refusals(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_switchover(&rig, 8);
	assert_false(rig.answer_ok);
	assert_string_equal(rig.answer, "replica 8 is not a member of view 1");
	rig_kill(&rig, 3);
	rig_switchover(&rig, 3);
	assert_false(rig.answer_ok);
	assert_string_equal(rig.answer, "replica 3 is not reachable");
	rig.fakes[2].report.state = STATE_CATCHING_UP;
	rig.fakes[2].report.news++;
	rig_report(&rig, 2);
	rig_switchover(&rig, 2);
	assert_int_equal(rig.answers, 2);
	rig_switchover(&rig, 2); /* one at a time */
	assert_int_equal(rig.answers, 3);
	assert_false(rig.answer_ok);
	rig_wait(&rig, 6000);
	assert_int_equal(rig.answers, 4);
	assert_false(rig.answer_ok);
	assert_string_equal(rig.answer, "replica 2 is not level with the primary yet");
	assert_true(rig.routed);
	rig_stop(&rig);
}

/* When the new primary dies during the switchover, the request fails and the service goes on. */
static void switchover_to_one_that_dies(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	rig.fakes[2].stubborn = true;
	rig_switchover(&rig, 2);
	assert_int_equal(rig.answers, 0);
	rig_kill(&rig, 2);
	assert_int_equal(rig.answers, 1);
	assert_false(rig.answer_ok);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "1 3"));
	rig_stop(&rig);
}

/* Rule 3: promote --force says what may be lost, does nothing without confirm, and makes a new generation. */
static void promote_is_the_way_out(void **state)
{
	struct uuid generation;

	(void)state;
	rig_usual_cluster(&rig, 3);
	generation = rig.disk.view.generation;
	rig_demand(&rig, 1);
	rig_promote(&rig, 2, true);
	assert_false(rig.answer_ok);
	assert_non_null(strstr(rig.answer, "replica 1 serves"));
	rig_need(&rig, 1, NEED_EVICT, 2);
	rig.fakes[2].hung = true;
	rig.fakes[3].hung = true;
	rig_need(&rig, 1, NEED_EVICT, 3);
	rig_wait(&rig, 1000);
	assert_true(rig_members(&rig, "1"));
	rig_kill(&rig, 1);
	rig.fakes[2].hung = false;
	rig.fakes[3].hung = false;
	rig.fakes[2].report.op = 8;
	rig_wait(&rig, 3000);
	assert_false(rig.routed);
	rig_promote(&rig, 2, false);
	assert_true(rig.answer_ok);
	assert_non_null(strstr(rig.answer, "holds op 8"));
	assert_non_null(strstr(rig.answer, "highest op heard of is 10"));
	assert_non_null(strstr(rig.answer, "replica 1"));
	assert_int_equal(rig.floor_resets, 0);
	uint64_t stores = rig.stores;
	uint64_t number = views_current(rig.views)->number;

	rig_promote(&rig, 2, true);
	assert_int_equal(rig.stores, stores + 1);
	assert_true(rig.answer_ok);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 2);
	assert_true(rig.view > number);
	assert_true(rig_members(&rig, "2"));
	assert_false(uuid_equal(rig.disk.view.generation, generation));
	assert_int_equal(rig.floor_resets, 1);
	/* The old branch cannot come back as an equal: it is told to set its data aside. */
	rig_restart(&rig, 1);
	rig_wait(&rig, 1000);
	assert_true(rig.fakes[1].retired);
	assert_true(rig.fakes[3].retired);
	assert_false(rig.fakes[2].retired);
	rig_stop(&rig);
}

/* It also ends a take-over that waits for a member that will never return. */
static void promote_during_a_takeover(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 7, 3);
	rig.fakes[1].alive = false;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_promote(&rig, 3, true);
	assert_true(rig.answer_ok);
	assert_int_equal(rig.view, 1000000);
	assert_int_equal(rig.primary, 3);
	assert_true(rig_members(&rig, "3"));
	/* Rule 3: the old branch comes back with views unknown here, bound to a manager that is gone. It is neither a
	 * successor nor an equal: it is bound, and told to set its data aside. */
	rig.fakes[1].report.view.number = 12;
	rig.fakes[1].alive = true;
	rig_wait(&rig, 3000);
	assert_false(rig.exited);
	assert_true(uuid_equal(rig.fakes[1].bound, rig.disk.manager));
	assert_true(rig.fakes[1].retired);
	rig_stop(&rig);
}

static void no_promotion_of_strangers(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 1);
	rig_join(&rig, 2);
	rig_kill(&rig, 1);
	rig_promote(&rig, 2, true);
	assert_false(rig.answer_ok);
	assert_non_null(strstr(rig.answer, "never been in a view"));
	rig_promote(&rig, 5, true);
	assert_false(rig.answer_ok);
	rig_promote(&rig, 0, true);
	assert_false(rig.answer_ok);
	assert_int_equal(rig.answers, 3);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switchover_keeps_the_members),
		cmocka_unit_test(switchover_refusals),
		cmocka_unit_test(switchover_to_one_that_dies),
		cmocka_unit_test(promote_is_the_way_out),
		cmocka_unit_test(promote_during_a_takeover),
		cmocka_unit_test(no_promotion_of_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
