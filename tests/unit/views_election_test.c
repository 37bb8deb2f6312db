/* The primary and the members after replicas die, stop, come back, lose data or lag (rules 2, 3, 6, 10). When a replica
 * counts as dead is tested in views_liveness_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_three.h"

static void report_of_stopping(uint32_t id)
{
	views_rig.fakes[id].report.stopping = true;
	views_rig.fakes[id].report.news++;
	rig_report(&views_rig, id);
}

/* The step that finds the primary dead stores a view, and the step that learns it is stored installs it: no timer is
 * involved. */
static void failover_is_two_steps(void **state)
{
	(void)state;
	three();
	views_rig.hold_stores = true;
	rig_demand(&views_rig, 1);
	views_rig.fakes[1].alive = false;
	lost_event(1, true);
	assert_non_null(rig_did(&views_rig, VIEWS_DO_HOLD));
	assert_non_null(rig_did(&views_rig, VIEWS_DO_STORE));
	assert_null(rig_did(&views_rig, VIEWS_DO_INSTALL)); /* RULE 2 */
	assert_int_equal(views_current(views_rig.views)->number, 1);
	rig_stored_event(&views_rig, true);
	assert_non_null(rig_did(&views_rig, VIEWS_DO_INSTALL));
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.view, 2);
	assert_int_equal(views_rig.primary, 2);
	assert_true(rig_members(&views_rig, "2 3")); /* in one view: a request waits */
	assert_int_equal(views_rig.stores, 1);
	rig_stop(&views_rig);
}

/* Rule 10: a dead primary stays a member until a request waits, and is then evicted at once. */
static void shrinks_only_on_demand(void **state)
{
	(void)state;
	three();
	rig_kill(&views_rig, 1);
	assert_int_equal(views_current(views_rig.views)->number, 2);
	assert_true(rig_members(&views_rig, "1 2 3"));
	assert_int_equal(views_current(views_rig.views)->primary, 2);
	assert_false(views_rig.routed);
	rig_wait(&views_rig, 10000);
	assert_int_equal(views_rig.stores, 1);
	assert_non_null(strstr(views_rig.hold, "settles at replica 2: waiting for replica 1"));
	rig_demand(&views_rig, 1);
	assert_true(views_rig.routed);
	assert_true(rig_members(&views_rig, "2 3"));
	assert_int_equal(views_rig.view, 3);
	rig_stop(&views_rig);
}

/* When it comes back before any request, all three are members as before. */
static void comes_back_as_a_member(void **state)
{
	(void)state;
	three();
	rig_kill(&views_rig, 1);
	rig_restart(&views_rig, 1);
	serves(2, "1 2 3");
	rig_stop(&views_rig);
}

/* Rule 6: after a restart so fast that only the incarnation shows it, the primary asks for a new view and may lead
 * it. */
static void restarted_primary_gets_a_new_view(void **state)
{
	(void)state;
	three();
	views_rig.fakes[1].alive = false;
	rig_restart(&views_rig, 1);
	rig_lost(&views_rig, 1, false);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.view, 2);
	assert_int_equal(views_rig.primary, 1);
	rig_stop(&views_rig);
}

/* Rule 10: the members of the next view come from the latest durable one, and one STORE is in flight at a time. */
static void one_store_at_a_time(void **state)
{
	(void)state;
	three_in_demand();
	views_rig.hold_stores = true;
	rig_kill(&views_rig, 1);
	assert_int_equal(views_rig.stores, 1);
	rig_kill(&views_rig, 2);
	rig_wait(&views_rig, 3000);
	assert_int_equal(views_rig.stores, 1);
	rig_stored_event(&views_rig, true); /* view 2 with primary 2, who is dead by now */
	assert_int_equal(views_current(views_rig.views)->number, 2);
	assert_int_equal(views_rig.fakes[2].installs, 0);
	assert_int_equal(views_rig.stores, 2);
	rig_stored_event(&views_rig, true);
	assert_int_equal(views_rig.view, 3);
	assert_int_equal(views_rig.primary, 3);
	assert_true(rig_members(&views_rig, "3"));
	rig_stop(&views_rig);
}

/* Rules 2, 13: while a view cannot be stored, the old one goes on and the new one is not sent; it is retried later with
 * another number. */
static void failed_store_is_tried_again(void **state)
{
	(void)state;
	three_in_demand();
	views_rig.fail_stores = true;
	rig_kill(&views_rig, 2);
	rig_need(&views_rig, 1, NEED_EVICT, 2);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.view, 1);
	assert_int_equal(views_rig.stores, 1);
	rig_wait(&views_rig, 500);
	assert_int_equal(views_rig.stores, 1);
	views_rig.fail_stores = false;
	rig_wait(&views_rig, 1000);
	assert_int_equal(views_rig.stores, 2);
	assert_true(rig_members(&views_rig, "1 3"));
	assert_int_equal(views_rig.view, 3);
	rig_stop(&views_rig);
}

/* Rule 3: by the view of the whole log, then by op; a replica with a cut tail only when there is no other. */
static void the_best_is_chosen(void **state)
{
	(void)state;
	rig_options(&views_rig);
	rig_cluster(&views_rig, 4);
	views_rig.fakes[2].report.op = 20;
	views_rig.fakes[2].report.whole_view = 0;
	views_rig.fakes[3].report.op = 11;
	views_rig.fakes[4].report.op = 15;
	views_rig.fakes[4].report.tail_cut = 15;
	for (uint32_t id = 2; id <= 4; id++)
		rig_report(&views_rig, id);
	rig_kill(&views_rig, 1);
	assert_int_equal(views_current(views_rig.views)->primary, 3);
	rig_kill(&views_rig, 3);
	assert_int_equal(views_current(views_rig.views)->primary, 2);
	rig_kill(&views_rig, 2);
	assert_int_equal(views_current(views_rig.views)->primary, 4);
	rig_stop(&views_rig);
}

/* Rule 3: never a learner, never another data directory. */
static void never_a_stranger(void **state)
{
	(void)state;
	rig_options(&views_rig);
	rig_cluster(&views_rig, 2);
	views_rig.fakes[3].alive = true;
	views_rig.fakes[3].registered = true;
	views_rig.fakes[3].report.op = 100;
	rig_dump(&views_rig);
	rig_demand(&views_rig, 1);
	rig_kill(&views_rig, 2);
	rig_wipe(&views_rig, 2);
	views_rig.fakes[2].report.op = 100;
	rig_report(&views_rig, 2);
	rig_kill(&views_rig, 1);
	rig_wait(&views_rig, 5000);
	assert_false(views_rig.routed);
	assert_int_equal(views_rig.stores, 0);
	assert_non_null(strstr(views_rig.hold, "waiting for replicas 1, 2"));
	rig_stop(&views_rig);
}

/* Rule 3: a member that comes back with less than was acknowledged is evicted, and told to drop its data once another
 * one serves. */
static void below_the_floor_is_evicted(void **state)
{
	(void)state;
	three();
	assert_int_equal(views_rig.floor, 10);
	views_rig.fakes[2].alive = false;
	rig_kill(&views_rig, 2);
	views_rig.fakes[2].report.op = 7;
	rig_restart(&views_rig, 2);
	assert_true(rig_members(&views_rig, "1 3"));
	assert_true(rig_logged(&views_rig, "holds op 7, but op 10"));
	assert_true(views_rig.fakes[2].retired);
	assert_true(views_rig.routed);
	rig_stop(&views_rig);
}

/* Rule 3: a member that comes back with an older view than it was in has an old copy, however many orders it holds. */
static void a_view_that_fell_is_lost_data(void **state)
{
	(void)state;
	three();
	views_rig.fakes[2].alive = false;
	rig_kill(&views_rig, 2);
	views_rig.fakes[2].report.view.number--;
	rig_restart(&views_rig, 2);
	assert_true(rig_members(&views_rig, "1 3"));
	assert_true(rig_logged(&views_rig, "has lost data: knows view"));
	assert_true(views_rig.fakes[2].retired);
	rig_stop(&views_rig);
}

/* Rule 6: if it was the primary, its view is not installed there a second time. */
static void a_primary_that_fell_gets_no_view(void **state)
{
	uint64_t installs;

	(void)state;
	three();
	installs = views_rig.fakes[1].installs;
	views_rig.fakes[1].report.view.number--;
	views_rig.fakes[1].report.entered = false;
	views_rig.fakes[1].report.state = STATE_IDLE;
	views_rig.fakes[1].identity.incarnation = rig_uuid(77); /* back before its loss was noticed */
	lost_event(1, false);
	rig_wait(&views_rig, 1000);
	assert_int_equal(views_rig.fakes[1].installs, installs);
	assert_int_equal(views_rig.primary, 2);
	assert_true(rig_members(&views_rig, "2 3"));
	rig_stop(&views_rig);
}

/* Rule 10: a member whose data directory has been replaced never comes back, so the view does not wait for it, although
 * no request waits. */
static void nobody_waits_for_a_wiped_member(void **state)
{
	(void)state;
	three();
	rig_kill(&views_rig, 1);
	assert_true(rig_members(&views_rig, "1 2 3"));
	assert_false(views_rig.routed);
	rig_wipe(&views_rig, 1);
	assert_true(views_rig.routed);
	assert_true(rig_members(&views_rig, "2 3"));
	rig_stop(&views_rig);
}

/* Rules 3, 14: after our own start it is unknown what was acknowledged. A member with a cut tail waits until all
 * others, which may hold what was cut, have been heard. */
static void a_cut_tail_waits_for_the_others(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&views_rig);
	rig_stored(&views_rig, &stored, 5, 3);
	views_rig.floor = 0;
	views_rig.fakes[1].alive = views_rig.fakes[3].alive = false;
	views_rig.fakes[2].report.tail_cut = 4;
	views_rig.fakes[2].report.state = STATE_CATCHING_UP;
	rig_start(&views_rig, &stored);
	rig_dump(&views_rig);
	rig_demand(&views_rig, 1);
	rig_wait(&views_rig, 5000);
	assert_false(views_rig.routed);
	assert_non_null(strstr(views_rig.hold, "waiting for replicas 1, 3"));
	assert_non_null(strstr(views_rig.hold, "promote --force"));
	views_rig.fakes[1].alive = views_rig.fakes[3].alive = true;
	rig_restart(&views_rig, 3);
	rig_restart(&views_rig, 1);
	assert_true(views_rig.routed);
	assert_int_not_equal(views_rig.primary, 2);
	rig_stop(&views_rig);
}

/* Nor is a view installed at it that was stored before the front-end died. */
static void a_cut_tail_gets_no_stored_view(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&views_rig);
	rig_stored(&views_rig, &stored, 5, 3);
	views_rig.floor = 0;
	views_rig.fakes[2].alive = views_rig.fakes[3].alive = false;
	views_rig.fakes[1].report.view.number = 4;
	views_rig.fakes[1].report.tail_cut = 4;
	views_rig.fakes[1].report.state = STATE_CATCHING_UP;
	views_rig.fakes[1].report.entered = false;
	rig_start(&views_rig, &stored);
	rig_dump(&views_rig);
	rig_demand(&views_rig, 1);
	rig_wait(&views_rig, 5000);
	assert_int_equal(views_rig.fakes[1].installs, 0);
	assert_false(views_rig.routed);
	views_rig.fakes[2].alive = views_rig.fakes[3].alive = true;
	rig_restart(&views_rig, 2);
	rig_restart(&views_rig, 3);
	assert_true(views_rig.routed);
	rig_stop(&views_rig);
}

/* Rule 10: a primary that has not entered its view may be gone as well: until it has, no member is evicted for it. */
static void nobody_goes_before_the_view_is_entered(void **state)
{
	(void)state;
	three();
	views_rig.fakes[2].stubborn = true;
	rig_kill(&views_rig, 1);
	rig_demand(&views_rig, 1);
	rig_wait(&views_rig, 500);
	assert_true(rig_members(&views_rig, "1 2 3"));
	views_rig.fakes[2].stubborn = false;
	rig_wait(&views_rig, 500);
	assert_true(rig_members(&views_rig, "2 3"));
	assert_true(views_rig.routed);
	rig_stop(&views_rig);
}

/* A report that is merely older than the floor is no loss. */
static void an_old_report_is_no_loss(void **state)
{
	(void)state;
	three();
	views_rig.floor = 50;
	rig_report(&views_rig, 2);
	rig_demand(&views_rig, 1);
	rig_kill(&views_rig, 1);
	assert_true(views_rig.routed);
	assert_true(rig_members(&views_rig, "2 3"));
	rig_stop(&views_rig);
}

/* Rules 3, 14: when all that answer have lost data, nobody becomes primary, promote --force is named, and no data is
 * dropped. */
static void nobody_with_all_orders(void **state)
{
	(void)state;
	rig_options(&views_rig);
	rig_cluster(&views_rig, 2);
	rig_demand(&views_rig, 1);
	rig_kill(&views_rig, 2);
	rig_kill(&views_rig, 1);
	views_rig.fakes[2].report.op = 7;
	rig_restart(&views_rig, 2);
	rig_wait(&views_rig, 1000);
	assert_false(views_rig.routed);
	assert_non_null(strstr(views_rig.hold, "promote --force"));
	assert_non_null(strstr(views_rig.hold, "waiting for replica 1"));
	assert_false(views_rig.fakes[2].retired); /* rule 14: nobody serves */
	rig_stop(&views_rig);
}

/* When all are stopped in turn without load, all stay members, and each alone can serve the next request. */
static void orderly_stop_keeps_all(void **state)
{
	(void)state;
	for (uint32_t last = 1; last <= 3; last++) {
		three();
		for (uint32_t id = 1; id <= 3; id++) {
			if (views_current(views_rig.views)->primary == id)
				report_of_stopping(id);
			rig_wait(&views_rig, 500);
			rig_kill(&views_rig, id);
			rig_wait(&views_rig, 30000);
			assert_true(rig_members(&views_rig, "1 2 3"));
		}
		struct views_stored disk = views_rig.disk;

		rig_stop(&views_rig);
		rig_start(&views_rig, &disk);
		rig_dump(&views_rig);
		rig_restart(&views_rig, last);
		rig_wait(&views_rig, 3000);
		assert_true(rig_members(&views_rig, "1 2 3"));
		rig_demand(&views_rig, 1);
		assert_true(views_rig.routed);
		assert_int_equal(views_rig.primary, last);
		rig_stop(&views_rig);
	}
}

/* SIGTERM of the primary causes a switchover before it ends: no request meets a dead primary. */
static void a_stopping_primary_hands_over(void **state)
{
	(void)state;
	three_in_demand();
	report_of_stopping(1);
	serves(2, "1 2 3");
	assert_int_equal(views_rig.stores, 1);
	rig_stop(&views_rig);
}

/* A report from before the INSTALL that arrives after it proves nothing about the new view. */
static void a_late_report_changes_nothing(void **state)
{
	struct report late;

	(void)state;
	three();
	late = views_rig.fakes[2].report;
	rig_demand(&views_rig, 1);
	rig_kill(&views_rig, 1);
	assert_true(views_rig.routed);
	struct views_event event = {.kind = VIEWS_REPORT, .report = {.id = 2, .report = &late}};

	rig_step(&views_rig, &event);
	assert_true(views_rig.routed);
	assert_null(rig_did(&views_rig, VIEWS_DO_INSTALL));
	rig_stop(&views_rig);
}

/* A lost INSTALL is repeated until the primary reports the view. */
static void install_is_repeated(void **state)
{
	(void)state;
	three_in_demand();
	views_rig.fakes[2].stubborn = true;
	rig_kill(&views_rig, 1);
	assert_false(views_rig.routed);
	rig_wait(&views_rig, 500);
	assert_true(views_rig.fakes[2].installs >= 5);
	assert_true(views_rig.fakes[2].installs <= 15);
	views_rig.fakes[2].stubborn = false;
	rig_wait(&views_rig, 100);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.view, 2);
	rig_stop(&views_rig);
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
		cmocka_unit_test(nobody_waits_for_a_wiped_member),
		cmocka_unit_test(a_cut_tail_waits_for_the_others),
		cmocka_unit_test(a_cut_tail_gets_no_stored_view),
		cmocka_unit_test(nobody_goes_before_the_view_is_entered),
		cmocka_unit_test(an_old_report_is_no_loss),
		cmocka_unit_test(nobody_with_all_orders),
		cmocka_unit_test(orderly_stop_keeps_all),
		cmocka_unit_test(a_stopping_primary_hands_over),
		cmocka_unit_test(a_late_report_changes_nothing),
		cmocka_unit_test(install_is_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
