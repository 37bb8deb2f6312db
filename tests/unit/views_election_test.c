/* Who becomes primary and who stays a member when replicas die, hang, come back, lose data or lag (rules 2, 3, 6, 10,
 * 15). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void lost_event(uint32_t id, bool refused)
{
	struct views_event event = {.kind = VIEWS_LOST, .id = id, .refused = refused};

	rig.fakes[id].connected = false;
	rig_step(&rig, &event);
}

static void three(void)
{
	rig_options(&rig);
	rig_cluster(&rig, 3);
	assert_true(rig_members(&rig, "1 2 3"));
}

/* A request waits from the start. */
static void three_in_demand(void)
{
	three();
	rig_demand(&rig, 1);
}

static void serves(uint32_t primary, const char *members)
{
	assert_true(rig.routed);
	assert_int_equal(rig.primary, primary);
	assert_true(rig_members(&rig, members));
}

static void report_of_disk(uint32_t id, uint32_t write_age_ms)
{
	rig.fakes[id].report.write_age_ms = write_age_ms;
	rig_report(&rig, id);
}

static void report_of_stopping(uint32_t id)
{
	rig.fakes[id].report.stopping = true;
	rig.fakes[id].report.news++;
	rig_report(&rig, id);
}

/* The step that sees the primary dead stores, the step that sees the view stored installs it: nothing waits for a
 * timer. */
static void failover_is_two_steps(void **state)
{
	(void)state;
	three();
	rig.hold_stores = true;
	rig_demand(&rig, 1);
	rig.fakes[1].alive = false;
	lost_event(1, true);
	assert_non_null(rig_did(&rig, VIEWS_DO_HOLD));
	assert_non_null(rig_did(&rig, VIEWS_DO_STORE));
	assert_null(rig_did(&rig, VIEWS_DO_INSTALL)); /* RULE 2 */
	assert_int_equal(views_current(rig.views)->number, 1);
	rig_stored_event(&rig, true);
	assert_non_null(rig_did(&rig, VIEWS_DO_INSTALL));
	assert_true(rig.routed);
	assert_int_equal(rig.view, 2);
	assert_int_equal(rig.primary, 2);
	assert_true(rig_members(&rig, "2 3")); /* in one view: a request waits */
	assert_int_equal(rig.stores, 1);
	rig_stop(&rig);
}

/* Rule 10: nobody waits, so the dead primary stays a member; when somebody does, it goes at once. */
static void shrinks_only_on_demand(void **state)
{
	(void)state;
	three();
	rig_kill(&rig, 1);
	assert_int_equal(views_current(rig.views)->number, 2);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_int_equal(views_current(rig.views)->primary, 2);
	assert_false(rig.routed);
	rig_wait(&rig, 10000);
	assert_int_equal(rig.stores, 1);
	assert_non_null(strstr(rig.hold, "settles at replica 2: waiting for replica 1"));
	rig_demand(&rig, 1);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "2 3"));
	assert_int_equal(rig.view, 3);
	rig_stop(&rig);
}

/* Nothing was asked for meanwhile and it comes back: all three are members as before. */
static void comes_back_as_a_member(void **state)
{
	(void)state;
	three();
	rig_kill(&rig, 1);
	rig_restart(&rig, 1);
	serves(2, "1 2 3");
	rig_stop(&rig);
}

/* Rule 6: it restarted so fast that only the incarnation tells; it says that it needs a new view and may be primary of
 * it. */
static void restarted_primary_gets_a_new_view(void **state)
{
	(void)state;
	three();
	rig.fakes[1].alive = false;
	rig_restart(&rig, 1);
	rig_event(&rig, VIEWS_LOST, 1);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 2);
	assert_int_equal(rig.primary, 1);
	rig_stop(&rig);
}

/* Rule 10: the members of the next view come from the latest durable one, and one STORE is in flight at a time. */
static void one_store_at_a_time(void **state)
{
	(void)state;
	three_in_demand();
	rig.hold_stores = true;
	rig_kill(&rig, 1);
	assert_int_equal(rig.stores, 1);
	rig_kill(&rig, 2);
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 1);
	rig_stored_event(&rig, true); /* view 2 with primary 2, who is dead by now */
	assert_int_equal(views_current(rig.views)->number, 2);
	assert_int_equal(rig.fakes[2].installs, 0);
	assert_int_equal(rig.stores, 2);
	rig_stored_event(&rig, true);
	assert_int_equal(rig.view, 3);
	assert_int_equal(rig.primary, 3);
	assert_true(rig_members(&rig, "3"));
	rig_stop(&rig);
}

/* Rules 2, 13: no new view file, so the old view goes on and nobody hears of the new one; it is tried again later,
 * under another number. */
static void failed_store_is_tried_again(void **state)
{
	(void)state;
	three_in_demand();
	rig.fail_stores = true;
	rig_kill(&rig, 2);
	rig_need(&rig, 1, NEED_EVICT, 2);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 1);
	assert_int_equal(rig.stores, 1);
	rig_wait(&rig, 500);
	assert_int_equal(rig.stores, 1);
	rig.fail_stores = false;
	rig_wait(&rig, 1000);
	assert_int_equal(rig.stores, 2);
	assert_true(rig_members(&rig, "1 3"));
	assert_int_equal(rig.view, 3);
	rig_stop(&rig);
}

/* Rule 3: whole view first, then op; one that cut its tail only when nobody else is there. */
static void the_best_is_chosen(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 4);
	rig.fakes[2].report.op = 20;
	rig.fakes[2].report.whole_view = 0;
	rig.fakes[3].report.op = 11;
	rig.fakes[4].report.op = 15;
	rig.fakes[4].report.tail_cut = 15;
	for (uint32_t id = 2; id <= 4; id++)
		rig_report(&rig, id);
	rig_kill(&rig, 1);
	assert_int_equal(views_current(rig.views)->primary, 3);
	rig_kill(&rig, 3);
	assert_int_equal(views_current(rig.views)->primary, 2);
	rig_kill(&rig, 2);
	assert_int_equal(views_current(rig.views)->primary, 4);
	rig_stop(&rig);
}

/* Rule 3: never a learner, never another data directory. */
static void never_a_stranger(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 2);
	rig.fakes[3].alive = true;
	rig.fakes[3].registered = true;
	rig.fakes[3].report.op = 100;
	rig_dump(&rig);
	rig_demand(&rig, 1);
	rig_kill(&rig, 2);
	rig_wipe(&rig, 2);
	rig.fakes[2].report.op = 100;
	rig_report(&rig, 2);
	rig_kill(&rig, 1);
	rig_wait(&rig, 5000);
	assert_false(rig.routed);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "waiting for replicas 1, 2"));
	rig_stop(&rig);
}

/* Rule 3: who comes back with less than was acknowledged is evicted, and told to give up its data once somebody serves.
 */
static void below_the_floor_is_evicted(void **state)
{
	(void)state;
	three();
	assert_int_equal(rig.floor, 10);
	rig.fakes[2].alive = false;
	rig_kill(&rig, 2);
	rig.fakes[2].report.op = 7;
	rig_restart(&rig, 2);
	assert_true(rig_members(&rig, "1 3"));
	assert_true(rig_logged(&rig, "holds op 7, but op 10"));
	assert_true(rig.fakes[2].retired);
	assert_true(rig.routed);
	rig_stop(&rig);
}

/* Rule 3: who comes back with an older view than it was in has an old copy, however many orders are in it. */
static void a_view_that_fell_is_lost_data(void **state)
{
	(void)state;
	three();
	rig.fakes[2].alive = false;
	rig_kill(&rig, 2);
	rig.fakes[2].report.view.number--;
	rig_restart(&rig, 2);
	assert_true(rig_members(&rig, "1 3"));
	assert_true(rig_logged(&rig, "has lost data: knows view"));
	assert_true(rig.fakes[2].retired);
	rig_stop(&rig);
}

/* Rule 6: and when it was the primary, its view is not installed at it a second time. */
static void a_primary_that_fell_gets_no_view(void **state)
{
	uint64_t installs;

	(void)state;
	three();
	installs = rig.fakes[1].installs;
	rig.fakes[1].report.view.number--;
	rig.fakes[1].report.entered = false;
	rig.fakes[1].report.state = STATE_IDLE;
	rig.fakes[1].identity.incarnation = rig_uuid(77); /* there again before anybody heard that it was gone */
	lost_event(1, false);
	rig_wait(&rig, 1000);
	assert_int_equal(rig.fakes[1].installs, installs);
	assert_int_equal(rig.primary, 2);
	assert_true(rig_members(&rig, "2 3"));
	rig_stop(&rig);
}

/* Rule 10: a primary that has not entered its view may be gone too: until it has, nobody is left out for its sake. */
static void nobody_goes_before_the_view_is_entered(void **state)
{
	(void)state;
	three();
	rig.fakes[2].stubborn = true;
	rig_kill(&rig, 1);
	rig_demand(&rig, 1);
	rig_wait(&rig, 500);
	assert_true(rig_members(&rig, "1 2 3"));
	rig.fakes[2].stubborn = false;
	rig_wait(&rig, 500);
	assert_true(rig_members(&rig, "2 3"));
	assert_true(rig.routed);
	rig_stop(&rig);
}

/* A report that is merely older than the floor is no loss. */
static void an_old_report_is_no_loss(void **state)
{
	(void)state;
	three();
	rig.floor = 50;
	rig_report(&rig, 2);
	rig_demand(&rig, 1);
	rig_kill(&rig, 1);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "2 3"));
	rig_stop(&rig);
}

/* Rules 3, 14: all that answer have lost data: nobody is made primary, the way out is named, and no data is given up. */
static void nobody_with_all_orders(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 2);
	rig_demand(&rig, 1);
	rig_kill(&rig, 2);
	rig_kill(&rig, 1);
	rig.fakes[2].report.op = 7;
	rig_restart(&rig, 2);
	rig_wait(&rig, 1000);
	assert_false(rig.routed);
	assert_non_null(strstr(rig.hold, "promote --force"));
	assert_non_null(strstr(rig.hold, "waiting for replica 1"));
	assert_false(rig.fakes[2].retired); /* rule 14: nobody serves */
	rig_stop(&rig);
}

/* Rule 15: silent for suspect_ms is failed, and not before. */
static void silence_is_failure(void **state)
{
	uint64_t since;

	(void)state;
	three_in_demand();
	rig_wait(&rig, 1000);
	rig.fakes[1].hung = true;
	since = rig.now_ms;
	while (rig.stores == 0 && rig.now_ms < since + 5000)
		rig_wait(&rig, 1);
	assert_in_range(rig.now_ms - since, 200, 301);
	serves(2, "2 3");
	/* It wakes up, behind the times, and is found again. */
	rig.fakes[1].hung = false;
	rig_wait(&rig, 3000);
	assert_true(rig.fakes[1].connected);
	assert_int_equal(rig.primary, 2);
	rig_stop(&rig);
}

static void alive_event(uint32_t id, uint64_t heard_ms)
{
	struct views_event event = {.kind = VIEWS_ALIVE, .id = id, .heard_ms = heard_ms};

	rig_step(&rig, &event);
}

/* Rule 15: whose reports wait behind other answers is not silent while those come, and is once they stop. */
static void any_answer_is_life(void **state)
{
	uint64_t since;

	(void)state;
	three_in_demand();
	rig_wait(&rig, 1000);
	rig.fakes[1].hung = true;
	for (int i = 0; i < 100; i++) {
		alive_event(1, rig.now_ms);
		rig_wait(&rig, 20);
	}
	assert_int_equal(rig.stores, 0);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 1);
	/* What is told late counts from when it came. */
	alive_event(1, rig.now_ms);
	since = rig.now_ms;
	while (rig.stores == 0 && rig.now_ms < since + 5000) {
		rig_wait(&rig, 1);
		alive_event(1, since);
	}
	assert_in_range(rig.now_ms - since, 250, 301);
	assert_int_equal(rig.primary, 2);
	rig_stop(&rig);
}

/* Rule 15: it says nothing of how the disk does. */
static void life_is_no_report(void **state)
{
	(void)state;
	three_in_demand();
	report_of_disk(2, 10);
	report_of_disk(3, 10);
	report_of_disk(1, 3000);
	alive_event(1, rig.now_ms);
	assert_true(rig.routed);
	assert_int_not_equal(rig.primary, 1);
	rig_stop(&rig);
}

/* Rule 15: our own loop was late: nobody is judged by that. */
static void a_late_loop_judges_nobody(void **state)
{
	(void)state;
	three_in_demand();
	rig_wait(&rig, 1000);
	rig.now_ms += 5000;
	rig_event(&rig, VIEWS_TICK, 0);
	assert_true(rig.routed);
	assert_int_equal(rig.stores, 0);
	assert_true(rig_logged(&rig, "late"));
	rig_wait(&rig, 1000);
	assert_true(rig.routed);
	assert_int_equal(rig.stores, 0);
	/* And the judging is not switched off by it. */
	rig.fakes[1].hung = true;
	rig_wait(&rig, 400);
	assert_int_equal(rig.primary, 2);
	rig_stop(&rig);
}

/* A connection that breaks while the process lives: hold, connect at once, go on in the same view. */
static void a_broken_connection_is_no_death(void **state)
{
	uint64_t routes;

	(void)state;
	three();
	routes = rig.routes;
	lost_event(1, false);
	assert_non_null(rig_did(&rig, VIEWS_DO_HOLD));
	assert_non_null(rig_did(&rig, VIEWS_DO_CONNECT));
	assert_true(rig.routed);
	assert_int_equal(rig.view, 1);
	assert_int_equal(rig.routes, routes + 1); /* the router must submit again */
	assert_int_equal(rig.stores, 0);
	rig_stop(&rig);
}

/* Rule 15, a network that swallows: not refused, only unreachable for suspect_ms. */
static void unreachable_is_dead_in_time(void **state)
{
	(void)state;
	three_in_demand();
	rig.fakes[1].cut = true;
	lost_event(1, false);
	assert_int_equal(rig.stores, 0);
	rig_wait(&rig, 200);
	assert_int_equal(rig.stores, 0);
	rig_wait(&rig, 100);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 2);
	rig_stop(&rig);
}

/* Rule 15: it answers, but its disk does not; another's does. A single one is never given up. */
static void a_stalled_disk_loses_the_lead(void **state)
{
	(void)state;
	three();
	for (uint32_t id = 3; id >= 1; id--)
		report_of_disk(id, 3000);
	rig_demand(&rig, 1);
	assert_int_equal(rig.stores, 0); /* nobody's is better */
	report_of_disk(2, 10);
	serves(2, "2");
	report_of_disk(2, 9000);
	rig_wait(&rig, 1000);
	assert_true(rig_members(&rig, "2"));
	rig_stop(&rig);
}

/* An orderly stop of one after the other under no load: all stay members, and each alone can serve when asked. */
static void orderly_stop_keeps_all(void **state)
{
	(void)state;
	for (uint32_t last = 1; last <= 3; last++) {
		three();
		for (uint32_t id = 1; id <= 3; id++) {
			if (views_current(rig.views)->primary == id)
				report_of_stopping(id);
			rig_wait(&rig, 500);
			rig_kill(&rig, id);
			rig_wait(&rig, 30000);
			assert_true(rig_members(&rig, "1 2 3"));
		}
		struct views_stored disk = rig.disk;

		rig_stop(&rig);
		rig_start(&rig, &disk);
		rig_dump(&rig);
		rig_restart(&rig, last);
		rig_wait(&rig, 3000);
		assert_true(rig_members(&rig, "1 2 3"));
		rig_demand(&rig, 1);
		assert_true(rig.routed);
		assert_int_equal(rig.primary, last);
		rig_stop(&rig);
	}
}

/* SIGTERM of the primary moves the lead before it goes: no request meets a dead primary. */
static void a_stopping_primary_hands_over(void **state)
{
	(void)state;
	three_in_demand();
	report_of_stopping(1);
	serves(2, "1 2 3");
	assert_int_equal(rig.stores, 1);
	rig_stop(&rig);
}

/* A report from before the INSTALL that comes after it says nothing about the new view. */
static void a_late_report_changes_nothing(void **state)
{
	struct report late;

	(void)state;
	three();
	late = rig.fakes[2].report;
	rig_demand(&rig, 1);
	rig_kill(&rig, 1);
	assert_true(rig.routed);
	struct views_event event = {.kind = VIEWS_REPORT, .id = 2, .report = &late};

	rig_step(&rig, &event);
	assert_true(rig.routed);
	assert_null(rig_did(&rig, VIEWS_DO_INSTALL));
	rig_stop(&rig);
}

/* An INSTALL that got lost is sent again until the primary shows the view. */
static void install_is_repeated(void **state)
{
	(void)state;
	three_in_demand();
	rig.fakes[2].stubborn = true;
	rig_kill(&rig, 1);
	assert_false(rig.routed);
	rig_wait(&rig, 500);
	assert_true(rig.fakes[2].installs >= 5);
	assert_true(rig.fakes[2].installs <= 15);
	rig.fakes[2].stubborn = false;
	rig_wait(&rig, 100);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 2);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failover_is_two_steps),
		cmocka_unit_test(shrinks_only_on_demand),
		cmocka_unit_test(comes_back_as_a_member),
		cmocka_unit_test(restarted_primary_gets_a_new_view),
		cmocka_unit_test(one_store_at_a_time),
		cmocka_unit_test(failed_store_is_tried_again),
		cmocka_unit_test(the_best_is_chosen),
		cmocka_unit_test(never_a_stranger),
		cmocka_unit_test(below_the_floor_is_evicted),
		cmocka_unit_test(a_view_that_fell_is_lost_data),
		cmocka_unit_test(a_primary_that_fell_gets_no_view),
		cmocka_unit_test(nobody_goes_before_the_view_is_entered),
		cmocka_unit_test(an_old_report_is_no_loss),
		cmocka_unit_test(nobody_with_all_orders),
		cmocka_unit_test(silence_is_failure),
		cmocka_unit_test(any_answer_is_life),
		cmocka_unit_test(life_is_no_report),
		cmocka_unit_test(a_late_loop_judges_nobody),
		cmocka_unit_test(a_broken_connection_is_no_death),
		cmocka_unit_test(unreachable_is_dead_in_time),
		cmocka_unit_test(a_stalled_disk_loses_the_lead),
		cmocka_unit_test(orderly_stop_keeps_all),
		cmocka_unit_test(a_stopping_primary_hands_over),
		cmocka_unit_test(a_late_report_changes_nothing),
		cmocka_unit_test(install_is_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
