/* Lost and removed replicas are told apart: an admitted replica is expected until an operator removes it. And the
 * answer to an operator request says what has happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void says(int expected, const char *words)
{
	char text[VIEWS_TEXT_SIZE];
	int health;

	views_summary(rig.views, rig.now_ms, text, &health);
	assert_string_equal(text, words);
	assert_int_equal(health, expected);
}

/* One of three dies and is evicted with the next order. */
static void lose(uint32_t id)
{
	rig_kill(&rig, id);
	rig_demand(&rig, 1);
	if (views_current(rig.views)->primary != id)
		rig_need(&rig, rig.primary, NEED_EVICT, id);
	rig_demand(&rig, 0);
}

static bool expects(const struct view *view, const char *ids)
{
	char text[256] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < view->expected_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, i == 0 ? "%u" : " %u", view->expected[i].id);
	return strcmp(text, ids) == 0;
}

/* The list is part of the view: stored with it, and learnt again by a front-end that lost its data directory. */
static void the_lost_are_missed_for_good(void **state)
{
	const struct view *stored = &rig.disk.view;

	(void)state;
	rig_usual_cluster(&rig, 3);
	lose(3);
	assert_true(rig_members(&rig, "1 2"));
	assert_true(expects(stored, "1 2 3"));
	assert_int_equal(stored->expected[2].lost_us, 1000000);
	assert_int_equal(stored->expected[0].lost_us, 0);
	rig_wait(&rig, 3600000);
	says(1, "degraded: 2 of 3 copies, replica 3 lost since 1970-01-01T00:00:01Z");

	/* The next front-end has the file; the one after that asks. */
	struct views_stored copy = rig.disk;

	rig_stop(&rig);
	rig_start(&rig, &copy);
	rig.fakes[3].registered = false;
	rig_dump(&rig);
	says(1, "degraded: 2 of 3 copies, replica 3 lost since 1970-01-01T00:00:01Z");
	rig_stop(&rig);
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_true(rig.routed);
	says(1, "degraded: 2 of 3 copies, replica 3 lost since 1970-01-01T00:00:01Z");
	rig_stop(&rig);
}

/* A stopped replica can be removed; a running or an unknown one cannot. */
static void the_removed_are_not_missed(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_remove(&rig, 2);
	assert_string_equal(rig.answer, "replica 2 runs: stop it first");
	rig_remove(&rig, 9);
	assert_string_equal(rig.answer, "replica 9 is not expected: it was never admitted, or has been removed");
	assert_int_equal(rig.stores, 0);
	lose(3);
	rig_remove(&rig, 3);
	assert_true(rig.answer_ok);
	assert_string_equal(rig.answer, "replica 3 is removed: 2 copies are expected now");
	assert_true(expects(&rig.disk.view, "1 2"));
	says(0, "ok");
	rig_remove(&rig, 3);
	assert_false(rig.answer_ok);
	/* If it comes back after all, it is admitted and expected again. */
	rig_restart(&rig, 3);
	rig_dump(&rig);
	assert_true(rig.fakes[3].connected);
	rig.fakes[1].report.joint_count = 1;
	rig.fakes[1].report.joint[0] = (struct joint){.id = 3, .uuid = rig.fakes[3].identity.uuid};
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_true(expects(&rig.disk.view, "1 2 3"));
	says(0, "ok");
	rig_stop(&rig);
}

/* Rule 3, 10: a dead member that has not been evicted yet can be removed as well, but only while another one is
 * primary: otherwise it may hold what no other does. */
static void a_dead_member_is_removed_while_another_leads(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_kill(&rig, 3);
	rig_remove(&rig, 3);
	rig_wait(&rig, 1000); /* not dead before suspect_ms */
	assert_true(rig.answer_ok);
	assert_true(rig_members(&rig, "1 2"));
	says(0, "ok");
	rig.fakes[2].stubborn = true; /* accepts no view any more, so there is no primary */
	rig_kill(&rig, 1);
	rig_wait(&rig, 1000);
	assert_false(rig.routed);
	rig_remove(&rig, 1);
	rig_wait(&rig, 6000);
	assert_false(rig.answer_ok);
	assert_false(rig.answer_unsure);
	assert_non_null(strstr(rig.answer, "replica 1 is not removed: no other member leads the view"));
	assert_true(rig_members(&rig, "1 2"));
	rig_stop(&rig);
}

static void the_last_copy_is_not_removed(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 1);
	rig_kill(&rig, 1);
	rig_remove(&rig, 1);
	assert_string_equal(rig.answer, "replica 1 holds the only copy: there is nobody to go on without it");
	rig_stop(&rig);
}

/* A view that cannot be stored is retried; the request that times out meanwhile is not answered as refused. */
static void a_removal_is_durable(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	lose(3);
	rig.fail_stores = true;
	rig_remove(&rig, 3);
	assert_int_equal(rig.answers, 0);
	rig.fail_stores = false;
	rig_wait(&rig, 1500);
	assert_true(rig.answer_ok);
	says(0, "ok");
	lose(2);
	rig.hold_stores = true;
	rig.answers = 0;
	rig_remove(&rig, 2);
	rig_wait(&rig, 6000);
	assert_int_equal(rig.answers, 1);
	assert_true(rig.answer_unsure);
	/* A view whose STORE failed may be on the disk all the same. */
	rig.hold_stores = false;
	rig_stored_event(&rig, false);
	rig.fail_stores = true;
	rig_remove(&rig, 2);
	rig_wait(&rig, 6000);
	assert_int_equal(rig.answers, 2);
	assert_false(rig.answer_ok);
	assert_true(rig.answer_unsure);
	rig_stop(&rig);
}

/* It comes back while the view without it is being stored: it is a learner then, and shown as one. */
static void who_comes_back_while_it_is_removed_is_shown(void **state)
{
	struct views_row rows[LIMIT_REPLICAS];

	(void)state;
	rig_usual_cluster(&rig, 3);
	lose(3);
	rig.hold_stores = true;
	rig_remove(&rig, 3);
	rig_restart(&rig, 3);
	rig_dump(&rig);
	assert_true(rig.fakes[3].connected);
	rig.hold_stores = false;
	rig_stored_event(&rig, true);
	assert_true(rig.answer_ok);
	assert_int_equal(views_rows(rig.views, rig.now_ms, rows), 3);
	assert_int_equal(rows[2].role, ROLE_LEARNER);
	assert_false(rows[2].expected);
	rig_stop(&rig);
}

/* Rule 19: the list is bounded. With one more admission the replica that was lost first is dropped, which is logged. */
static void the_list_is_bounded(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 1, 2);
	for (uint32_t i = 2; i < LIMIT_REPLICAS; i++) {
		stored.view.expected[i] = (struct expected){.id = 1000 + i, .lost_us = 5000 + i};
		stored.view.expected_count = i + 1;
	}
	rig_start(&rig, &stored);
	rig_dump(&rig);
	assert_true(rig.routed);
	rig_register(&rig, 3);
	rig.fakes[3].alive = true;
	rig_wait(&rig, 2000);
	rig_dump(&rig);
	assert_true(rig.fakes[3].connected);
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_int_equal(rig.disk.view.expected_count, LIMIT_REPLICAS);
	assert_int_equal(rig.disk.view.expected[2].id, 3);
	assert_int_equal(rig.disk.view.expected[3].id, 1003);
	assert_true(rig_logged(&rig, "replica 1002 is lost and no longer expected: at most 64 are"));
	rig_stop(&rig);
}

/* Rule 14: a damaged replica accepts no view, so it cannot be promoted; the preview says so, too. */
static void a_damaged_replica_is_not_promoted(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 4, 2);
	rig.fakes[1].alive = false;
	rig.fakes[2].report.state = STATE_DAMAGED;
	snprintf(rig.fakes[2].report.detail, sizeof rig.fakes[2].report.detail, "journal-7: checksum");
	rig_start(&rig, &stored);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	for (int confirm = 0; confirm <= 1; confirm++) {
		rig_promote(&rig, 2, confirm);
		assert_false(rig.answer_ok);
		assert_non_null(strstr(rig.answer, "replica 2 is damaged (journal-7: checksum): it cannot be promoted"));
		assert_int_equal(rig.stores, 0);
	}
	rig_stop(&rig);
}

/* Damaged between the question and the view. */
static void damaged_while_it_waits_to_be_promoted(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 4, 2);
	rig.fakes[1].alive = false;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	rig.hold_stores = true;
	rig_wait(&rig, 3000);
	assert_int_not_equal(rig.ticket, 0);
	rig_promote(&rig, 2, true);
	rig.fakes[2].report.state = STATE_DAMAGED;
	rig_report(&rig, 2);
	assert_non_null(strstr(rig.answer, "replica 2 is damaged"));
	assert_false(rig.answer_unsure);
	rig_stop(&rig);
}

/* The preview describes the data; a promotion that has begun and times out is not answered as refused. */
static void a_promotion_that_has_begun_is_not_refused(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 4, 2);
	rig.fakes[1].alive = false;
	rig.fakes[2].report.tail_cut = 9;
	rig.fakes[2].report.state = STATE_CATCHING_UP;
	rig.fakes[2].stubborn = true;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	rig_promote(&rig, 2, false);
	assert_non_null(strstr(rig.answer, "replica 2 cut the end of its log off at its start, and holds op 10"));
	rig_promote(&rig, 2, true);
	assert_int_equal(rig.stores, 1);
	rig_wait(&rig, 6000);
	assert_false(rig.answer_ok);
	assert_true(rig.answer_unsure);
	assert_true(expects(&rig.disk.view, "1 2"));
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lost_are_missed_for_good),
		cmocka_unit_test(the_removed_are_not_missed),
		cmocka_unit_test(a_dead_member_is_removed_while_another_leads),
		cmocka_unit_test(the_last_copy_is_not_removed),
		cmocka_unit_test(a_removal_is_durable),
		cmocka_unit_test(who_comes_back_while_it_is_removed_is_shown),
		cmocka_unit_test(the_list_is_bounded),
		cmocka_unit_test(a_damaged_replica_is_not_promoted),
		cmocka_unit_test(damaged_while_it_waits_to_be_promoted),
		cmocka_unit_test(a_promotion_that_has_begun_is_not_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
