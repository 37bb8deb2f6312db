/* When a replica is suspected (rule 15): silence, a network that drops packets, a stalled disk; and when it is not: a
 * broken connection, busy replies, a stall of our own loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/support_three.h"

/* Rule 15: a replica counts as failed after suspect_ms of silence, and not before. */
static void silence_is_failure(void **state)
{
	uint64_t since;

	(void)state;
	three_in_demand();
	rig_wait(&views_rig, 1000);
	views_rig.fakes[1].hung = true;
	since = views_rig.now_ms;
	while (views_rig.stores == 0 && views_rig.now_ms < since + 5000)
		rig_wait(&views_rig, 1);
	assert_in_range(views_rig.now_ms - since, 200, 301);
	serves(2, "2 3");
	/* It continues with an old view, and is found again. */
	views_rig.fakes[1].hung = false;
	rig_wait(&views_rig, 3000);
	assert_true(views_rig.fakes[1].connected);
	assert_int_equal(views_rig.primary, 2);
	rig_stop(&views_rig);
}

static void alive_event(uint32_t id, uint64_t heard_ms)
{
	struct views_event event = {.kind = VIEWS_ALIVE, .alive = {.id = id, .heard_ms = heard_ms}};

	rig_step(&views_rig, &event);
}

/* Rule 15: a replica whose reports wait behind other answers is not silent while those arrive, and is once they
 * stop. */
static void any_answer_is_life(void **state)
{
	uint64_t since;

	(void)state;
	three_in_demand();
	rig_wait(&views_rig, 1000);
	views_rig.fakes[1].hung = true;
	for (int i = 0; i < 100; i++) {
		alive_event(1, views_rig.now_ms);
		rig_wait(&views_rig, 20);
	}
	assert_int_equal(views_rig.stores, 0);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.primary, 1);
	/* A sign of life counts from its arrival, not from when it is passed on. */
	alive_event(1, views_rig.now_ms);
	since = views_rig.now_ms;
	while (views_rig.stores == 0 && views_rig.now_ms < since + 5000) {
		rig_wait(&views_rig, 1);
		alive_event(1, since);
	}
	assert_in_range(views_rig.now_ms - since, 250, 301);
	assert_int_equal(views_rig.primary, 2);
	rig_stop(&views_rig);
}

/* Rule 15: signs of life prove nothing about the disk. */
static void life_is_no_report(void **state)
{
	(void)state;
	three_in_demand();
	report_of_disk(2, 10);
	report_of_disk(3, 10);
	report_of_disk(1, 3000);
	alive_event(1, views_rig.now_ms);
	assert_true(views_rig.routed);
	assert_int_not_equal(views_rig.primary, 1);
	rig_stop(&views_rig);
}

/* Rule 15: a stall of our own loop makes nobody suspected. */
static void a_late_loop_suspects_nobody(void **state)
{
	(void)state;
	three_in_demand();
	rig_wait(&views_rig, 1000);
	views_rig.now_ms += 5000;
	rig_tick(&views_rig);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.stores, 0);
	assert_true(rig_logged(&views_rig, "late"));
	rig_wait(&views_rig, 1000);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.stores, 0);
	/* And suspicion goes on afterwards. */
	views_rig.fakes[1].hung = true;
	rig_wait(&views_rig, 400);
	assert_int_equal(views_rig.primary, 2);
	rig_stop(&views_rig);
}

/* When a connection breaks and the process lives: hold, reconnect at once, go on in the same view. */
static void a_broken_connection_is_no_death(void **state)
{
	uint64_t routes;

	(void)state;
	three();
	routes = views_rig.routes;
	lost_event(1, false);
	assert_non_null(rig_did(&views_rig, VIEWS_DO_HOLD));
	assert_non_null(rig_did(&views_rig, VIEWS_DO_CONNECT));
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.view, 1);
	assert_int_equal(views_rig.routes, routes + 1); /* the router must submit again */
	assert_int_equal(views_rig.stores, 0);
	rig_stop(&views_rig);
}

/* Rule 15: a network that drops packets: connections are not refused, so it takes suspect_ms. */
static void unreachable_is_dead_in_time(void **state)
{
	(void)state;
	three_in_demand();
	views_rig.fakes[1].cut = true;
	lost_event(1, false);
	assert_int_equal(views_rig.stores, 0);
	rig_wait(&views_rig, 200);
	assert_int_equal(views_rig.stores, 0);
	rig_wait(&views_rig, 100);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.primary, 2);
	rig_stop(&views_rig);
}

/* Rule 15: a primary with a stalled disk is replaced when another disk is better; a single replica never is. */
static void a_stalled_disk_loses_the_lead(void **state)
{
	(void)state;
	three();
	for (uint32_t id = 3; id >= 1; id--)
		report_of_disk(id, 3000);
	rig_demand(&views_rig, 1);
	assert_int_equal(views_rig.stores, 0); /* no disk is better */
	report_of_disk(2, 10);
	serves(2, "2");
	report_of_disk(2, 9000);
	rig_wait(&views_rig, 1000);
	assert_true(rig_members(&views_rig, "2"));
	rig_stop(&views_rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_failure),
		cmocka_unit_test(any_answer_is_life),
		cmocka_unit_test(life_is_no_report),
		cmocka_unit_test(a_late_loop_suspects_nobody),
		cmocka_unit_test(a_broken_connection_is_no_death),
		cmocka_unit_test(unreachable_is_dead_in_time),
		cmocka_unit_test(a_stalled_disk_loses_the_lead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
