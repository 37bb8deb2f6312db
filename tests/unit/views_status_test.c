/* What the view manager reports of the cluster: one line about the whole, and a row for each replica. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void expect_summary(int expected, const char *words)
{
	char text[VIEWS_TEXT_SIZE];
	int health;

	views_summary(rig.views, rig.now_ms, text, &health);
	assert_string_equal(text, words);
	assert_int_equal(health, expected);
}

static void status_in_words(void **state)
{
	struct views_row rows[LIMIT_REPLICAS];
	struct peers peers;

	(void)state;
	rig_usual_cluster(&rig, 3);
	expect_summary(0, "ok");
	rig_kill(&rig, 3);
	expect_summary(1, "degraded: 2 of 3 copies, replica 3 lost since 1970-01-01T00:00:01Z");
	rig_need(&rig, 1, NEED_EVICT, 3);
	views_peers(rig.views, &peers);
	assert_int_equal(peers.count, 2);
	assert_int_equal(views_rows(rig.views, rig.now_ms, rows), 3);
	assert_int_equal(rows[2].role, ROLE_DOWN);
	assert_false(rows[2].member);
	rig_wait(&rig, 25000);
	/* Its registration is cleaned, but it is still expected. */
	assert_int_equal(views_rows(rig.views, rig.now_ms, rows), 3);
	assert_true(rows[2].expected);
	assert_int_equal(rows[2].lost_us, 1000000);
	assert_int_equal(rig.cleaned, 1);
	expect_summary(1, "degraded: 2 of 3 copies, replica 3 lost since 1970-01-01T00:00:01Z");
	rig_kill(&rig, 2);
	rig_wait(&rig, 25000);
	assert_int_equal(views_rows(rig.views, rig.now_ms, rows), 3);
	expect_summary(1, "degraded: 1 of 3 copies, replica 2 lost since 1970-01-01T00:00:26Z, replica 3 lost since "
			  "1970-01-01T00:00:01Z");
	rig_kill(&rig, 1);
	expect_summary(2, "no primary: waiting for replicas 1, 2");
	rig_stop(&rig);
}

/* Rule 13: all are there, and orders are refused. */
static void status_names_the_full_disk(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.fakes[2].report.disk_full = true;
	rig_report(&rig, 2);
	expect_summary(1, "degraded: 3 copies; orders are refused: disk full on replica 2");
	rig.fakes[1].report.disk_full = rig.fakes[3].report.disk_full = true;
	rig_report(&rig, 3); /* before 1, or that would be switched over to it */
	rig_report(&rig, 1);
	expect_summary(1, "degraded: 3 copies; orders are refused: disk full on replicas 1, 2, 3");
	for (uint32_t i = 1; i <= 3; i++) {
		rig.fakes[i].report.disk_full = false;
		rig_report(&rig, i);
	}
	expect_summary(0, "ok");
	rig_stop(&rig);
}

/* Rule 10: --min-members, and which replicas it lacks. Rule 19: an approaching limit is named, and health is still
 * ok. */
static void status_tells_of_refusals_and_limits(void **state)
{
	(void)state;
	rig_options(&rig);
	rig.options.min_members = 2;
	rig_cluster(&rig, 2);
	expect_summary(0, "ok");
	snprintf(rig.fakes[2].report.detail, sizeof rig.fakes[2].report.detail, "holds 8 of the 10 orders");
	rig_report(&rig, 2);
	expect_summary(0, "ok; replica 2 holds 8 of the 10 orders");
	rig_kill(&rig, 2);
	rig_demand(&rig, 1);
	expect_summary(1, "degraded: 1 of 2 copies, replica 2 lost since 1970-01-01T00:00:01Z; orders are refused: "
			  "--min-members asks for 2 copies");
	rig_stop(&rig);
}

/* Rule 10: without requests the dead stay members. The next request would be served, so status must not deny it. */
static void status_of_a_view_that_nobody_waits_for(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_kill(&rig, 1);
	assert_false(rig.routed);
	expect_summary(1, "degraded: 2 of 3 copies, replica 1 lost since 1970-01-01T00:00:01Z; view 2 is served from the next "
			  "request on");
	rig_demand(&rig, 1);
	assert_true(rig.routed);
	expect_summary(1, "degraded: 2 of 3 copies, replica 1 lost since 1970-01-01T00:00:01Z");
	rig_stop(&rig);
}

/* A replica that has just become silent is not dead yet, and a request would wait for it. */
static void status_waits_for_who_may_live(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.fakes[3].cut = true;
	rig.fakes[3].connected = false;
	rig_lost(&rig, 3, false);
	rig_kill(&rig, 1);
	expect_summary(2, "view 2 settles at replica 2: waiting for replicas 1, 3");
	rig_wait(&rig, UINT64_C(2) * rig.options.suspect_ms);
	expect_summary(1, "degraded: 1 of 3 copies, replica 1 lost since 1970-01-01T00:00:01Z, replica 3 lost since "
			  "1970-01-01T00:00:01Z; view 2 is served from the next request on");
	rig_stop(&rig);
}

/* Rule 16: a clock that is far from most others is logged once, and named in status while it is; unreal order times are
 * reported by replicas with a right clock. */
static void far_clocks_are_named(void **state)
{
	static const int64_t year_us = INT64_C(31556952) * 1000000;

	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.fakes[2].clock_ahead_us = 70 * year_us;
	rig.fakes[2].report.time_suspect_op = 1; /* by its clock: not believed */
	rig_wait(&rig, 200);
	assert_true(rig_logged(&rig, "the clock of replica 2 is 70 years ahead of the others': set it right"));
	expect_summary(0, "ok; the clock of replica 2 is 70 years ahead");

	uint64_t lines = rig.logs;

	rig_wait(&rig, 200);
	assert_int_equal(rig.logs, lines);
	rig.fakes[1].report.time_suspect_op = 17;
	rig_report(&rig, 1);
	expect_summary(0, "ok; order times are not real from op 17 on: the last is repeated until the clocks reach it; the "
			  "clock of replica 2 is 70 years ahead");
	rig.fakes[2].clock_ahead_us = 0;
	rig.fakes[1].report.time_suspect_op = 0;
	rig_wait(&rig, 200);
	assert_true(rig_logged(&rig, "the clock of replica 2 agrees with the others again"));
	for (uint32_t i = 1; i <= 3; i++)
		rig.fakes[i].clock_ahead_us = -3600 * INT64_C(1000000);
	rig.fakes[2].report.time_suspect_op = 0;
	rig_wait(&rig, 200);
	expect_summary(0, "ok; the front-end's clock is 60 minutes ahead");
	rig_stop(&rig);
}

static void takes_orders(bool expected, const char *why_not)
{
	char why[VIEWS_TEXT_SIZE];

	assert_int_equal(views_accepts_orders(rig.views, why), expected);
	assert_string_equal(why, why_not);
}

/* Rule 10, 13, 19: whether the next order would be accepted is reported separately: a primary alone is not enough. */
static void status_tells_whether_orders_are_taken(void **state)
{
	uint32_t expected;

	(void)state;
	rig_options(&rig);
	rig.options.min_members = 2;
	rig_cluster(&rig, 3);
	takes_orders(true, "");
	assert_int_equal(views_copies(rig.views, &expected), 3);
	assert_int_equal(expected, 3);
	rig.fakes[1].report.refusing = REFUSING_FULL;
	rig.fakes[1].report.refusing_id = 3;
	rig_report(&rig, 1);
	takes_orders(false, "replica 3 holds as many orders as its --max-orders allows");
	expect_summary(1, "degraded: 3 copies; orders are refused: replica 3 holds as many orders as its --max-orders allows");
	rig.fakes[1].report.refusing = REFUSING_DISK_FULL;
	rig_report(&rig, 1);
	takes_orders(false, "disk full on replica 3");
	rig.fakes[1].report.refusing = REFUSING_TOO_FEW;
	rig_report(&rig, 1);
	takes_orders(false, "fewer copies are reached than --min-members asks for");
	rig.fakes[1].report.refusing = REFUSING_NONE;
	rig_report(&rig, 1);
	expect_summary(0, "ok");
	rig_kill(&rig, 1); /* no request waits: the next one is served */
	takes_orders(true, "");
	rig_kill(&rig, 2);
	rig_kill(&rig, 3);
	takes_orders(false, "no primary: waiting for replicas 1, 2, 3");
	assert_int_equal(views_copies(rig.views, &expected), 0);
	assert_int_equal(expected, 3);
	rig_stop(&rig);
}

/* While a view settles, requests are only delayed, which is no alarm. It is one when that lasts, when there is no
 * candidate for primary, and when our own disk is stuck with the view. */
static void held_orders_are_taken(void **state)
{
	char why[VIEWS_TEXT_SIZE];

	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.fakes[3].cut = true;
	rig.fakes[3].connected = false;
	rig_lost(&rig, 3, false);
	rig_kill(&rig, 1);
	expect_summary(2, "view 2 settles at replica 2: waiting for replicas 1, 3");
	takes_orders(true, "");
	rig_kill(&rig, 2);
	takes_orders(false, "no primary: waiting for replicas 1, 2, 3");
	rig_stop(&rig);

	rig_usual_cluster(&rig, 3);
	rig.fakes[2].stubborn = true;
	rig_switchover(&rig, 2);
	assert_false(rig.routed);
	takes_orders(true, "");
	rig_wait(&rig, rig.options.stall_ms / 2);
	takes_orders(true, "");
	rig_wait(&rig, rig.options.stall_ms);
	takes_orders(false, "view 2 settles at replica 2");
	rig_stop(&rig);

	rig_usual_cluster(&rig, 3);
	rig.hold_stores = true;
	rig_kill(&rig, 1);
	rig_demand(&rig, 1);
	takes_orders(true, "");
	rig_wait(&rig, 1500); /* longer than any disk should take */
	assert_false(views_accepts_orders(rig.views, why));
	rig_stop(&rig);
}

/* Rule 10: too few copies are reported while a view settles, too. */
static void held_orders_may_be_too_few_copies(void **state)
{
	(void)state;
	rig_options(&rig);
	rig.options.min_members = 2;
	rig_cluster(&rig, 2);
	rig_kill(&rig, 1);
	rig_demand(&rig, 1);
	takes_orders(false, "--min-members asks for 2 copies");
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_in_words),
		cmocka_unit_test(status_names_the_full_disk),
		cmocka_unit_test(far_clocks_are_named),
		cmocka_unit_test(status_tells_of_refusals_and_limits),
		cmocka_unit_test(status_of_a_view_that_nobody_waits_for),
		cmocka_unit_test(status_waits_for_who_may_live),
		cmocka_unit_test(status_tells_whether_orders_are_taken),
		cmocka_unit_test(held_orders_are_taken),
		cmocka_unit_test(held_orders_may_be_too_few_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
