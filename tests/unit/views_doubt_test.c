/* Messages that do not fit: from another data directory, from another process, from before a stall of our own loop,
 * from a view of which no member can be asked any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void says(uint32_t id)
{
	rig.fakes[id].report.news++;
	rig_report(&rig, id);
}

/* --- rules 9, 10: what the primary asks for ----------------------------------------------------------------------- */

/* The primary names id 3 with the uuid of the data directory that it had before. */
static void need_of_another_directory(enum need_kind kind)
{
	struct report *report = &rig.fakes[1].report;

	report->needs[0] = (struct need){.kind = kind, .view = report->view.number, .id = 3, .uuid = rig_uuid(333)};
	report->needs_count = 1;
	says(1);
}

/* Rule 10: a need that names another uuid concerns no present replica: no member leaves, and no data is dropped. */
static void needs_name_the_directory(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	need_of_another_directory(NEED_EVICT);
	rig.fakes[3].cut = true;
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 0);
	rig.fakes[3].cut = false;
	rig_wait(&rig, 2000);
	need_of_another_directory(NEED_LOST_DATA);
	rig_wait(&rig, 1000);
	assert_int_equal(rig.stores, 0);
	assert_false(rig.fakes[3].retired);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_stop(&rig);
}

/* Rules 9 and 10: an admission that names another uuid than the one that answers makes a view without it. */
static void admissions_name_the_directory(void **state)
{
	struct report *report = &rig.fakes[1].report;

	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_join(&rig, 3);
	report->needs[0] = (struct need){.kind = NEED_ADMIT, .view = 1, .id = 3, .uuid = rig_uuid(333)};
	report->needs_count = 1;
	says(1);
	assert_int_equal(rig.stores, 1);
	assert_true(rig_members(&rig, "1 2"));
	rig_stop(&rig);
}

/* Rules 9 and 14: a replica that has lost data is not admitted; the view is made without it. */
static void who_lost_data_is_not_admitted(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_join(&rig, 3);
	rig_need(&rig, 1, NEED_LOST_DATA, 3);
	rig.fakes[1].report.needs_count = 0;
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_int_equal(rig.stores, 1);
	assert_true(rig_members(&rig, "1 2"));
	rig_stop(&rig);
}

/* Rule 14: a member is told to set its data aside only when the view without it is stored. */
static void a_member_keeps_its_data(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.hold_stores = true;
	rig.fakes[3].report.state = STATE_DAMAGED;
	says(3);
	rig_wait(&rig, 500);
	assert_int_equal(rig.stores, 1);
	assert_false(rig.fakes[3].retired);
	rig_stored_event(&rig, true);
	rig_wait(&rig, 500);
	assert_true(rig_members(&rig, "1 2"));
	assert_true(rig.fakes[3].retired);
	rig_stop(&rig);
}

/* --- rules 3, 6, 15: who leads ------------------------------------------------------------------------------------ */

/* Rule 10: a replica that is about to stop does not become primary while another one can. */
static void who_stops_is_the_last_choice(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	rig.fakes[2].report.stopping = true;
	says(2);
	rig_kill(&rig, 1);
	assert_int_equal(rig.stores, 1);
	assert_int_equal(rig.primary, 3);
	rig_stop(&rig);
}

/* Rule 15: nor does one with a stalled disk while another disk is not stalled. */
static void who_stalls_is_the_last_choice(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.fakes[2].report.write_age_ms = 3000;
	says(2);
	rig.hold_stores = true;
	rig_kill(&rig, 1);
	assert_int_equal(views_to_store(rig.views)->view.primary, 3);
	rig_stop(&rig);
}

/* Rules 4 and 6: a primary that stepped down gets a new view. */
static void who_stepped_down_gets_a_new_view(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 2);
	rig.fakes[1].report.state = STATE_DEPOSED;
	says(1);
	assert_int_equal(rig.stores, 1);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 2);
	rig_stop(&rig);
}

/* Rule 15: when our own loop stalls at the start, the members still get all of their time. */
static void late_at_the_start(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 5, 3);
	for (uint32_t id = 1; id <= 3; id++)
		rig.fakes[id].report.state = id == 1 ? STATE_NEED_NEW_VIEW : STATE_CATCHING_UP;
	rig.fakes[3].cut = true;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	rig_demand(&rig, 1);
	rig.now_ms += 5000;
	rig_tick(&rig);
	rig_wait(&rig, 1000);
	assert_int_equal(rig.stores, 0);
	rig_wait(&rig, 1500);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "1 2"));
	rig_stop(&rig);
}

/* --- rule 17: who answers ----------------------------------------------------------------------------------------- */

/* Rule 17: a replica with another id or format at the registered address is not the one that was meant. */
static void another_process_answers(void **state)
{
	struct identity other;
	struct report report;

	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_kill(&rig, 2);
	rig.fakes[2].cut = true;
	rig_restart(&rig, 2);
	rig_step(&rig, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = 2, .address = "10.0.0.9:9"}});
	other = rig.fakes[2].identity;
	report = rig.fakes[2].report;
	other.id = 3;
	rig_step(&rig, &(struct views_event){.kind = VIEWS_HELLO,
					     .hello = {.id = 2, .identity = &other, .report = &report}});
	assert_true(rig_logged(&rig, "another process answers"));
	rig_stop(&rig);
}

/* Rule 17: another cluster format is recognised by the hello status, not by the words of the text. */
static void another_format_answers(void **state)
{
	static const char text[] = "newer: upgrade the front-end";
	struct views_event event = {.kind = VIEWS_HELLO, .hello = {.id = 2, .status = HELLO_OTHER_FORMAT, .text = text}};
	const struct identity nobody = {.format = 0}; /* nothing of it is understood */
	const struct report nothing = {.news = 0};
	char summary[VIEWS_TEXT_SIZE];
	int health;

	(void)state;
	for (int i = 0; i < 4; i++) {
		bool own_words = i % 2 == 1;

		rig_usual_cluster(&rig, 2);
		rig_kill(&rig, 1);
		rig_kill(&rig, 2);
		rig.fakes[2].cut = true;
		rig_restart(&rig, 2);
		rig_step(&rig, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = 2, .address = "10.0.0.9:9"}});
		event.hello.status = own_words ? HELLO_FORMAT : HELLO_OTHER_FORMAT;
		event.hello.identity = i < 2 ? NULL : &nobody;
		event.hello.report = i < 2 ? NULL : &nothing;
		rig_step(&rig, &event);
		assert_true(rig_logged(&rig, own_words ? "replica 2: refused our hello: newer: upgrade"
						       : "replica 2: newer: upgrade"));
		views_summary(rig.views, rig.now_ms, summary, &health);
		assert_int_equal(strstr(summary, "; replica 2 newer") != NULL, !own_words);
		rig_stop(&rig);
	}
}

/* --- rules 18, 20: take-overs ------------------------------------------------------------------------------------- */

/* Replicas 1 to 3, all members of view 7 of another manager, and a front-end without a view file. */
static void lost_file(struct views_stored *stored)
{
	rig_options(&rig);
	rig_stored(&rig, stored, 7, 3);
}

static void begins(void)
{
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
}

/* Rule 18: a member that comes back with another data directory is not the one that must be bound. */
static void the_wiped_are_not_asked(void **state)
{
	struct views_stored stored;

	(void)state;
	lost_file(&stored);
	rig.fakes[2].identity.uuid = rig.fakes[2].report.uuid = rig_uuid(222);
	rig.fakes[2].report.view.number = 0;
	rig.fakes[2].bound = (struct uuid){0};
	begins();
	assert_false(rig.routed);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "waiting for replica 2"));
	rig_stop(&rig);
}

/* Rule 18: the highest view counts even when the replica that reported it is long gone. */
static void what_was_heard_outlives_who_said_it(void **state)
{
	struct views_stored stored;

	(void)state;
	lost_file(&stored);
	rig.fakes[1].report.view.number = 9;
	rig.fakes[2].alive = false;
	begins();
	assert_int_equal(rig.stores, 0);
	rig.fakes[1].registered = false;
	rig_kill(&rig, 1);
	rig_dump(&rig);
	rig_wait(&rig, 60000);
	rig.fakes[2].alive = true;
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "take-over of view 9: waiting for replica 1"));
	rig_stop(&rig);
}

/* Rules 17 and 18: with replicas of two clusters no view is made of either. */
static void two_clusters_answer(void **state)
{
	struct views_stored stored;

	(void)state;
	lost_file(&stored);
	rig.fakes[4] = rig.fakes[3];
	rig.fakes[4].identity.id = rig.fakes[4].report.id = 4;
	rig.fakes[4].identity.uuid = rig.fakes[4].report.uuid = rig_uuid(4);
	rig.fakes[4].identity.cluster = rig.fakes[4].report.view.cluster = rig_uuid(9999);
	begins();
	assert_false(rig.routed);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "more than one cluster"));
	rig_stop(&rig);
}

/* Rule 18: a new cluster is not begun with a replica that is damaged. */
static void no_cluster_of_the_damaged(void **state)
{
	(void)state;
	rig_options(&rig);
	rig.options.new_cluster = true;
	for (uint32_t id = 1; id <= 2; id++)
		rig.fakes[id].alive = rig.fakes[id].registered = true;
	rig.fakes[1].report.state = STATE_DAMAGED;
	begins();
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 2);
	rig_stop(&rig);
}

/* Rule 20: a STORE from before the data directory turned out to be an old copy makes no view. */
static void a_store_of_before_the_takeover(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	rig.hold_stores = true;
	rig_kill(&rig, 3);
	rig_need(&rig, 1, NEED_EVICT, 3);
	assert_int_equal(rig.stores, 1);
	rig.fakes[2].report.view.number = 9;
	says(2);
	assert_true(rig_logged(&rig, "old copy"));
	rig_stored_event(&rig, true);
	assert_int_equal(views_current(rig.views)->number, 0);
	assert_false(rig.routed);
	rig_stop(&rig);
}

/* Rule 20: a learner that was unbound at its hello and has since been bound to our predecessor is bound to us. */
static void bound_since_to_a_predecessor(void **state)
{
	struct report *report = &rig.fakes[3].report;

	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_join(&rig, 3);
	rig_switchover(&rig, 2);
	assert_int_equal(rig.view, 2);
	report->view = rig.disk.view;
	report->view.number = 1;
	report->view.manager = rig.fakes[3].bound = rig_uuid(9999);
	says(3);
	rig_wait(&rig, 500);
	assert_false(rig.exited);
	assert_true(uuid_equal(rig.fakes[3].bound, rig.disk.manager));
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_name_the_directory),
		cmocka_unit_test(admissions_name_the_directory),
		cmocka_unit_test(who_lost_data_is_not_admitted),
		cmocka_unit_test(a_member_keeps_its_data),
		cmocka_unit_test(who_stops_is_the_last_choice),
		cmocka_unit_test(who_stalls_is_the_last_choice),
		cmocka_unit_test(who_stepped_down_gets_a_new_view),
		cmocka_unit_test(late_at_the_start),
		cmocka_unit_test(another_process_answers),
		cmocka_unit_test(another_format_answers),
		cmocka_unit_test(the_wiped_are_not_asked),
		cmocka_unit_test(what_was_heard_outlives_who_said_it),
		cmocka_unit_test(two_clusters_answer),
		cmocka_unit_test(no_cluster_of_the_damaged),
		cmocka_unit_test(a_store_of_before_the_takeover),
		cmocka_unit_test(bound_since_to_a_predecessor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
