/* Members that compute another state than the serving primary: what the view manager keeps, tells and does about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_three.h"

#define OK 0
#define DEGRADED 1
#define UNAVAILABLE 2

static void differs(uint32_t id, uint64_t differs_op, uint64_t equal_op)
{
	struct report *report = &views_rig.fakes[id].report;

	report->fold_differs_op = differs_op;
	report->fold_equal_op = equal_op;
	report->news++;
	rig_report(&views_rig, id);
}

static void says(int health, const char *wanted)
{
	char text[VIEWS_TEXT_SIZE];
	int is;

	views_summary(views_rig.views, views_rig.now_ms, text, &is);
	assert_string_equal(text, wanted);
	assert_int_equal(is, health);
}

static void says_part(const char *wanted)
{
	char text[VIEWS_TEXT_SIZE];
	int is;

	views_summary(views_rig.views, views_rig.now_ms, text, &is);
	if (strstr(text, wanted) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", wanted, text);
}

static uint64_t row_says(uint32_t id)
{
	struct views_row rows[LIMIT_REPLICAS];

	assert_true(views_rows(views_rig.views, views_rig.now_ms, rows) >= id);
	assert_int_equal(rows[id - 1].id, id);
	return rows[id - 1].differs_op;
}

/* The front-end starts again with what is on its disk. */
static void restart_front_end(void)
{
	struct views_stored disk = views_rig.disk;

	rig_stop(&views_rig);
	rig_start(&views_rig, &disk);
	rig_dump(&views_rig);
}

static void versions(void)
{
	for (uint32_t id = 1; id <= 3; id++)
		snprintf(views_rig.fakes[id].report.version, sizeof views_rig.fakes[id].report.version, "0.%u.0", id == 1 ? 2u : 1u);
	for (uint32_t id = 1; id <= 3; id++)
		rig_report(&views_rig, id);
}

/* Rule 8: a member that computes another state is not promoted, although it has the best log. It stays a member and counts as a
 * copy. When nobody else answers there is no primary, until the operator forces one. */
static void another_state_is_not_promoted(void **state)
{
	(void)state;
	three();
	views_rig.fakes[2].report.op = 20;
	differs(2, 17, 16);
	serves(1, "1 2 3");
	rig_demand(&views_rig, 1);
	rig_kill(&views_rig, 1);
	rig_wait(&views_rig, 1000);
	serves(3, "2 3");
	rig_kill(&views_rig, 3);
	rig_wait(&views_rig, 1000);
	assert_false(views_rig.routed);
	assert_true(rig_members(&views_rig, "2 3"));
	says(UNAVAILABLE, "no primary: replica 2 computes another state than clients were told; waiting for replica 3; the way out "
			  "without others is: justhungry promote --force ID");
	rig_promote(&views_rig, 2, false);
	assert_non_null(strstr(views_rig.answer, "replica 2 COMPUTES ANOTHER STATE than clients were told"));
	rig_promote(&views_rig, 2, true);
	assert_true(views_rig.answer_ok);
	serves(2, "2");
	assert_int_equal(views_rig.disk.marks.count, 0); /* there is no other state any more */
	differs(2, 0, 0);
	rig_restart(&views_rig, 3);
	assert_true(views_rig.routed);
	rig_stop(&views_rig);
}

/* Rule 8: a forced primary that ends before it has served still carries its own mark, and leads all the same. */
static void the_only_member_leads(void **state)
{
	(void)state;
	three_in_demand();
	differs(2, 17, 16);
	rig_kill(&views_rig, 1);
	rig_kill(&views_rig, 3);
	rig_wait(&views_rig, 1000);
	assert_false(views_rig.routed);
	views_rig.fakes[2].stubborn = true;
	rig_promote(&views_rig, 2, true);
	assert_true(rig_members(&views_rig, "2"));
	assert_false(views_rig.routed);
	views_rig.fakes[2].stubborn = false;
	rig_kill(&views_rig, 2);
	rig_restart(&views_rig, 2);
	serves(2, "2");
	rig_stop(&views_rig);
}

/* Rule 8: what is known of a member is stored before it is told, with the view, and outlives the front-end. Until then it decides
 * all the same. */
static void stored_before_it_is_told(void **state)
{
	(void)state;
	three();
	versions();
	views_rig.hold_stores = true;
	differs(2, 17, 16);
	assert_int_not_equal(views_rig.ticket, 0);
	says(OK, "ok");
	assert_int_equal(row_says(2), 0);
	assert_true(views_differs(views_rig.views, 2));
	assert_int_equal(views_rig.disk.marks.count, 0);
	rig_stored_event(&views_rig, true);
	assert_int_equal(views_rig.disk.view.number, 1); /* no other view is made for it */
	says(DEGRADED, "degraded: 3 copies, replica 2 (0.1.0) computes another state than primary 1 (0.2.0) from op 17 on");
	assert_int_equal(row_says(2), 17);
	assert_true(rig_logged(&views_rig, "replica 2 (0.1.0) computes another state than primary 1 (0.2.0) from op 17 on: one of"));
	views_rig.hold_stores = false;
	rig_kill(&views_rig, 2);
	restart_front_end();
	rig_wait(&views_rig, 3000);
	serves(1, "1 2 3");
	assert_int_equal(views_rig.disk.marks.count, 1);
	assert_int_equal(views_rig.disk.marks.list[0].differs_op, 17);
	rig_stop(&views_rig);
}

/* Rule 13: when it cannot be stored it is tried again, and the view that there is goes on. */
static void a_failed_store_is_tried_again(void **state)
{
	(void)state;
	three();
	views_rig.fail_stores = true;
	differs(2, 17, 16);
	says(OK, "ok");
	serves(1, "1 2 3");
	assert_true(rig_logged(&views_rig, "view 1 could not be stored with what its members compute"));
	views_rig.fail_stores = false;
	rig_wait(&views_rig, 1500);
	assert_int_equal(row_says(2), 17);
	assert_int_equal(views_rig.view, 1);
	assert_int_equal(views_rig.stores, 2);
	rig_stop(&views_rig);
}

/* The primary's report is enough; the member's own tells more. Only equality at or above the op that differed ends it. */
static void only_equality_ends_it(void **state)
{
	(void)state;
	three();
	differs(3, 0, 4);
	rig_need(&views_rig, 1, NEED_FOLD, 3);
	serves(1, "1 2 3");
	assert_int_equal(views_rig.view, 1);
	says(DEGRADED, "degraded: 3 copies, replica 3 computes another state than primary 1 from an op between 5 and 10 on");
	views_rig.fakes[1].report.needs_count = 0;
	rig_report(&views_rig, 1);
	assert_int_equal(row_says(3), 10);
	differs(3, 7, 6);
	says(DEGRADED, "degraded: 3 copies, replica 3 computes another state than primary 1 from op 7 on");
	differs(3, 7, 0); /* a new process has compared nothing yet */
	says(DEGRADED, "degraded: 3 copies, replica 3 computes another state than primary 1 from op 7 on");
	differs(3, 0, 6);
	assert_int_equal(row_says(3), 7);
	differs(3, 0, 7);
	says(OK, "ok");
	assert_int_equal(views_rig.disk.marks.count, 0);
	assert_true(rig_logged(&views_rig, "replica 3 is no longer said to compute another state"));
	rig_need(&views_rig, 1, NEED_FOLD, 2);
	assert_int_equal(views_rig.disk.marks.count, 1);
	rig_wipe(&views_rig, 2); /* other data under the same id, which are admitted later */
	assert_int_equal(row_says(2), 0);
	rig_stop(&views_rig);
}

/* Rule 10: what the primary says in another view, of itself, or of another data directory counts for nothing. */
static void reports_that_do_not_count(void **state)
{
	struct need *need = &views_rig.fakes[1].report.needs[0];

	(void)state;
	three();
	rig_need(&views_rig, 1, NEED_FOLD, 1);
	assert_int_equal(views_rig.stores, 0);
	need->id = 2;
	rig_report(&views_rig, 1);
	assert_int_equal(views_rig.stores, 0);
	need->uuid = rig_uuid(2);
	need->view = 7;
	rig_report(&views_rig, 1);
	assert_int_equal(views_rig.stores, 0);
	need->view = 1;
	views_rig.fakes[1].report.commit = (uint64_t)INT64_MAX + 1; /* no view file could hold it */
	rig_report(&views_rig, 1);
	assert_int_equal(views_rig.stores, 0);
	views_rig.fakes[1].report.commit = 10;
	rig_report(&views_rig, 1);
	assert_int_equal(views_rig.stores, 1);
	rig_stop(&views_rig);
}

/* Rule 9: a joint learner that computes another state goes on being admitted: no view is made to be rid of it. */
static void learners_are_not_turned_away(void **state)
{
	struct report *primary = &views_rig.fakes[1].report;

	(void)state;
	three();
	rig_join(&views_rig, 4);
	primary->joint_count = 1;
	primary->joint[0] = (struct joint){.id = 4, .uuid = rig_uuid(4)};
	rig_need(&views_rig, 1, NEED_FOLD, 4);
	assert_int_equal(views_rig.view, 1);
	assert_int_equal(views_rig.stores, 0);
	differs(4, 9, 8);
	assert_int_equal(views_rig.stores, 0);
	primary->needs_count = 0;
	rig_need(&views_rig, 1, NEED_ADMIT, 4);
	serves(1, "1 2 3 4");
	assert_int_equal(row_says(4), 9);
	rig_stop(&views_rig);
}

/* Rule 8: a switchover goes to another member, and not to one that computes another state. */
static void no_switchover_to_another_state(void **state)
{
	(void)state;
	three();
	differs(2, 9, 8);
	rig_switchover(&views_rig, 2);
	assert_false(views_rig.answer_ok);
	assert_string_equal(views_rig.answer,
			    "replica 2 computes another state than the primary: replace the program that is wrong");
	rig_switchover(&views_rig, 0);
	assert_true(views_rig.answer_ok);
	serves(3, "1 2 3");
	views_rig.fakes[3].report.disk_full = true;
	rig_report(&views_rig, 3);
	serves(1, "1 2 3");
	uint64_t view = views_rig.view;

	rig_switchover(&views_rig, 0); /* 3 is full */
	rig_wait(&views_rig, 6000);
	assert_false(views_rig.answer_ok);
	assert_int_equal(views_rig.view, view);
	rig_stop(&views_rig);
}

/* Rule 8: a primary that turns out to compute another state before it serves gives way; a serving one does not, because clients
 * are told what it computes. */
static void heard_while_the_view_is_made(void **state)
{
	(void)state;
	three_in_demand();
	views_rig.hold_stores = true;
	rig_kill(&views_rig, 1);
	rig_wait(&views_rig, 300);
	assert_int_not_equal(views_rig.ticket, 0);
	assert_int_equal(views_to_store(views_rig.views)->view.primary, 2);
	differs(2, 9, 8);
	views_rig.hold_stores = false;
	rig_stored_event(&views_rig, true);
	serves(3, "2 3");
	assert_int_equal(views_rig.fakes[2].installs, 0);
	differs(3, 9, 8);
	serves(3, "2 3");
	assert_int_equal(row_says(3), 0);
	rig_stop(&views_rig);
}

/* Rule 8, 18: a front-end that lost its directory hears it from the members. */
static void a_lost_directory_is_no_way_out(void **state)
{
	(void)state;
	three();
	views_rig.fakes[2].report.op = 20;
	differs(2, 17, 16);
	rig_stop(&views_rig);
	rig_start(&views_rig, NULL);
	rig_dump(&views_rig);
	rig_wait(&views_rig, 3000);
	serves(1, "1 2 3");
	assert_int_equal(views_rig.disk.marks.count, 1);
	assert_int_equal(row_says(2), 17);
	rig_stop(&views_rig);

	three();
	for (uint32_t id = 1; id <= 3; id++)
		views_rig.fakes[id].report.fold_differs_op = 17;
	rig_stop(&views_rig);
	rig_start(&views_rig, NULL);
	rig_dump(&views_rig);
	rig_wait(&views_rig, 3000);
	says(UNAVAILABLE, "take-over of view 1: no member is sure to hold all orders and to compute what clients were told; the way "
			  "out is: justhungry promote --force ID");
	rig_promote(&views_rig, 3, true);
	serves(3, "3");
	rig_stop(&views_rig);
}

/* A member that was evicted is marked until it is removed. */
static void a_removal_ends_it(void **state)
{
	(void)state;
	three_in_demand();
	differs(3, 9, 8);
	rig_kill(&views_rig, 3);
	rig_need(&views_rig, 1, NEED_EVICT, 3);
	rig_wait(&views_rig, 1000);
	serves(1, "1 2");
	assert_int_equal(views_rig.disk.marks.count, 1);
	uint64_t stores = views_rig.stores;

	rig_remove(&views_rig, 3);
	rig_wait(&views_rig, 1000);
	assert_true(views_rig.answer_ok);
	assert_int_equal(views_rig.stores, stores + 1); /* with the view */
	assert_int_equal(views_rig.disk.marks.count, 0);
	rig_stop(&views_rig);
}

/* Members that are lost and members that compute another state are both named. */
static void all_others_differ(void **state)
{
	(void)state;
	three();
	differs(2, 9, 8);
	differs(3, 8, 7);
	assert_int_equal(views_rig.disk.marks.count, 2);
	says_part("replica 2 computes another state than primary 1 from op 9 on, replica 3 computes another state than primary 1 from op 8 on");
	rig_kill(&views_rig, 1);
	restart_front_end();
	rig_wait(&views_rig, 3000);
	says_part("no primary: replicas 2, 3 compute another state than clients were told; waiting for replica 1;");
	assert_int_equal(views_rig.fakes[2].installs + views_rig.fakes[3].installs, 0);
	rig_restart(&views_rig, 1);
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.primary, 1);
	rig_stop(&views_rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_state_is_not_promoted),
		cmocka_unit_test(the_only_member_leads),
		cmocka_unit_test(stored_before_it_is_told),
		cmocka_unit_test(a_failed_store_is_tried_again),
		cmocka_unit_test(only_equality_ends_it),
		cmocka_unit_test(reports_that_do_not_count),
		cmocka_unit_test(learners_are_not_turned_away),
		cmocka_unit_test(no_switchover_to_another_state),
		cmocka_unit_test(heard_while_the_view_is_made),
		cmocka_unit_test(a_lost_directory_is_no_way_out),
		cmocka_unit_test(a_removal_ends_it),
		cmocka_unit_test(all_others_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
