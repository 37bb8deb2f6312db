/* Reads in the router: they are spread over all replicas that can answer, and respect the floor (rule 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/support_router.h"

/* Reads are spread over the backups that follow and the primary, with view and floor. */
static void reads_go_round(void **state)
{
	struct world *world = *state;
	int to[8] = {0};

	router_link(world->router, 2, true, world->now_ms);
	router_link(world->router, 3, true, world->now_ms);
	serve(world, 4, 1, 17);
	router_reader(world->router, 2, true);
	router_reader(world->router, 3, true);
	router_reader(world->router, 3, true);
	for (int i = 0; i < 30; i++) {
		struct request *read = read_one(world, 0);

		to[read->to]++;
		assert_int_equal(read->view, 4);
		assert_int_equal(read->floor, 17);
		assert_int_equal(read->at_primary, read->to == 1);
		reply(world, read, ROUTER_REPLY_DONE, 17);
	}
	assert_int_equal(to[1], 10);
	assert_int_equal(to[2], 10);
	assert_int_equal(to[3], 10);
}

/* RULE 8: in a new view no backup gets reads before it is known to follow there, and none while no primary serves. */
static void a_new_view_forgets_the_readers(void **state)
{
	struct world *world = *state;

	router_link(world->router, 2, true, world->now_ms);
	serve(world, 4, 1, 17);
	router_reader(world->router, 2, true);
	router_hold(world->router, "no primary");
	assert_int_equal(read_one(world, 0)->sends, 0);
	serve(world, 5, 3, 18);
	for (int i = 0; i < 6; i++) {
		struct request *read = read_one(world, 0);

		assert_int_equal(read->to, 3);
		assert_int_equal(read->floor, 18);
		assert_true(read->at_primary);
	}
}

static struct request *read_at_backup(struct world *world)
{
	struct request *read = read_one(world, 0);

	return read->to == 2 ? read : read_one(world, 0);
}

/* RULE 8: a read that a backup sends back, refuses, or answers from below the floor goes to the primary at once. */
static void a_backup_that_cannot_answer_is_passed_over(void **state)
{
	static const enum router_reply no[] = {ROUTER_REPLY_AGAIN, ROUTER_REPLY_REFUSED, ROUTER_REPLY_UNAVAILABLE,
					       ROUTER_REPLY_DONE};
	struct world *world = *state;

	router_link(world->router, 2, true, world->now_ms);
	serve(world, 1, 1, 17);
	router_reader(world->router, 2, true);
	for (int i = 0; i < 4; i++) {
		struct request *read = read_at_backup(world);

		assert_int_equal(read->to, 2);
		assert_int_equal(read->timeout_ms, 250);
		reply(world, read, no[i], 16);
		assert_int_equal(read->answers, 0);
		assert_int_equal(read->sends, 2);
		assert_int_equal(read->to, 1);
		assert_true(read->at_primary);
		reply(world, read, i % 2 == 0 ? ROUTER_REPLY_DONE : ROUTER_REPLY_REFUSED, 17);
		assert_int_equal(read->answers, 1);
	}
}

/* Reads lost with a backup's connection are asked again at once. */
static void reads_of_a_lost_backup_go_elsewhere(void **state)
{
	struct world *world = *state;

	router_link(world->router, 2, true, world->now_ms);
	serve(world, 1, 1, 17);
	router_reader(world->router, 2, true);

	struct request *read = read_at_backup(world);

	router_link(world->router, 2, false, world->now_ms);
	assert_int_equal(read->sends, 2);
	assert_int_equal(read->to, 1);
	/* Later reads do not try it, not even when it is connected again, before it reports that it follows. */
	for (int i = 0; i < 6; i++) {
		if (i == 3)
			router_link(world->router, 2, true, world->now_ms);
		assert_int_equal(read_one(world, 0)->to, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_go_round, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_new_view_forgets_the_readers, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_backup_that_cannot_answer_is_passed_over, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(reads_of_a_lost_backup_go_elsewhere, router_set_up, router_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
