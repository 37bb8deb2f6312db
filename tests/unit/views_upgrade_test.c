/* The format in use: which one a new cluster begins with, that it never falls, who may take part, and how an operator
 * raises it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void speaks(uint32_t id, uint32_t low, uint32_t high)
{
	rig.fakes[id].identity.formats = (struct format_range){low, high};
	snprintf(rig.fakes[id].identity.version, sizeof rig.fakes[id].identity.version, "0.%u", high);
}

/* A cluster in format 3, of a front-end and replicas that each speak 3 to so much. */
static void cluster_of(uint32_t frontend, uint32_t first, uint32_t second, uint32_t third)
{
	rig_options(&rig);
	rig.options.formats.high = frontend;
	speaks(1, 3, first);
	speaks(2, 3, second);
	speaks(3, 3, third);
	rig_cluster(&rig, 3);
}

static void cluster(uint32_t high)
{
	cluster_of(high, high, high, high);
}

static void answers(bool ok, const char *text)
{
	assert_string_equal(rig.answer, text);
	assert_int_equal(rig.answer_ok, ok);
}

/* --- the operator ------------------------------------------------------------------------------------------------- */

static void the_format_is_raised_once_all_speak_it(void **state)
{
	const struct view *view;

	(void)state;
	cluster_of(5, 5, 4, 5);
	rig_upgrade(&rig);
	answers(true, "format 4 is in use since view 2: programs that do not speak it cannot come back");
	view = &rig.disk.view;
	assert_int_equal(view->format, 4);
	assert_int_equal(view->number, 2);
	assert_int_equal(view->primary, 1);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_true(rig.routed);
	assert_int_equal(rig.view, 2);
	assert_true(rig_logged(&rig, "upgrades from format 3 to 4: older programs cannot come back"));
	/* From now on every view has it. */
	rig_switchover(&rig, 3);
	assert_true(rig.answer_ok);
	assert_int_equal(rig.disk.view.format, 4);
	rig_upgrade(&rig);
	answers(false, "replica 2 (version 0.4) speaks no format above 4: upgrade its program first");
	rig_stop(&rig);
}

static void there_may_be_nothing_to_upgrade(void **state)
{
	(void)state;
	cluster(3);
	rig_upgrade(&rig);
	answers(true, "already at format 3: nothing to upgrade");
	assert_int_equal(rig.stores, 0);
	rig_stop(&rig);
}

static void the_oldest_program_is_named(void **state)
{
	(void)state;
	cluster_of(4, 4, 4, 3);
	rig_upgrade(&rig);
	answers(false, "replica 3 (version 0.3) speaks no format above 3: upgrade its program first");
	/* A learner's counts, too: it would be admitted. */
	rig_kill(&rig, 3);
	speaks(3, 3, 4);
	rig_restart(&rig, 3);
	speaks(4, 3, 3);
	rig_join(&rig, 4);
	rig_upgrade(&rig);
	answers(false, "replica 4 (version 0.3) speaks no format above 3: upgrade its program first");
	assert_int_equal(rig.stores, 0);
	rig_stop(&rig);
	/* And the front-end's. */
	cluster_of(3, 4, 4, 4);
	rig_upgrade(&rig);
	answers(false, "the front-end speaks no format above 3: upgrade its program first");
	rig_stop(&rig);
}

/* Rule 17: one that could not be asked might not be able to come back. */
static void who_is_missing_is_named(void **state)
{
	(void)state;
	cluster(4);
	rig_kill(&rig, 3);
	rig_upgrade(&rig);
	answers(false, "replica 3 is expected and cannot be asked: start it, or remove it, and then upgrade");
	rig_demand(&rig, 1);
	rig_need(&rig, 1, NEED_EVICT, 3);
	rig_demand(&rig, 0);
	assert_true(rig_members(&rig, "1 2"));
	rig_upgrade(&rig);
	answers(false, "replica 3 is expected and cannot be asked: start it, or remove it, and then upgrade");
	assert_int_equal(rig.disk.view.format, 3);
	rig_remove(&rig, 3);
	rig_upgrade(&rig);
	assert_true(rig.answer_ok);
	assert_int_equal(rig.disk.view.format, 4);
	rig_stop(&rig);
}

static void an_upgrade_waits_for_a_primary(void **state)
{
	(void)state;
	cluster(4);
	rig.fakes[1].report.state = STATE_SETTLING;
	rig.fakes[1].report.news++;
	rig.fakes[2].stubborn = true;
	rig_report(&rig, 1);
	rig_upgrade(&rig);
	assert_int_equal(rig.answers, 0);
	rig_upgrade(&rig);
	answers(false, "another upgrade is under way: try again");
	rig.fakes[1].report.state = STATE_SERVING;
	rig.fakes[1].report.news++;
	rig_report(&rig, 1);
	assert_true(rig.answer_ok);
	assert_int_equal(rig.answers, 2);
	assert_int_equal(rig.disk.view.format, 4);
	rig_stop(&rig);
}

/* Rule 12: a view that was handed to the disk may be there although that failed. */
static void without_a_disk_it_is_not_known(void **state)
{
	(void)state;
	cluster(4);
	rig.fail_stores = true;
	rig_upgrade(&rig);
	rig_wait(&rig, 6000);
	assert_true(rig.answer_unsure);
	assert_non_null(strstr(rig.answer, "whether format 4 is in use is not known yet"));
	assert_int_equal(views_current(rig.views)->format, 3);
	rig_stop(&rig);
}

/* --- who may take part -------------------------------------------------------------------------------------------- */

/* Rule 17: an older program is refused and says which side must be upgraded; it is neither a member that is there nor
 * admitted. */
static void an_older_program_does_not_come_back(void **state)
{
	(void)state;
	cluster(4);
	rig_upgrade(&rig);
	rig_kill(&rig, 3);
	speaks(3, 3, 3);
	rig_restart(&rig, 3);
	assert_false(rig.fakes[3].connected);
	assert_true(rig_logged(&rig, "replica 3: speaks cluster format 3, the cluster uses 4: upgrade the replica"));
	rig_demand(&rig, 1);
	rig_need(&rig, 1, NEED_EVICT, 3);
	assert_true(rig_members(&rig, "1 2"));
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_true(rig_members(&rig, "1 2"));
	speaks(3, 3, 4);
	rig_restart(&rig, 3);
	rig_wait(&rig, 10000); /* it is looked at again */
	assert_true(rig.fakes[3].connected);
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_stop(&rig);
}

/* A new replica of an older program refuses us: it is shown as what it is, not by its own words. */
static void an_older_learner_is_named(void **state)
{
	struct views_event event = {.kind = VIEWS_HELLO,
				    .hello = {.id = 4, .status = HELLO_FORMAT, .text = "replica 4 speaks another",
					      .identity = &rig.fakes[4].identity, .report = &rig.fakes[4].report}};

	(void)state;
	cluster(4);
	rig_upgrade(&rig);
	speaks(4, 3, 3);
	rig.fakes[4].cut = true;
	rig_join(&rig, 4);
	rig_step(&rig, &event);
	assert_true(rig_logged(&rig, "replica 4: speaks cluster format 3, the cluster uses 4: upgrade the replica"));
	assert_non_null(rig_did(&rig, VIEWS_DO_DISCONNECT));
	/* For another reason it is told in its words. */
	rig_wait(&rig, 10000);
	speaks(4, 3, 4);
	rig_step(&rig, &event);
	assert_true(rig_logged(&rig, "replica 4: refused our hello: replica 4 speaks another"));
	rig_stop(&rig);
}

/* Rule 17: nor does one that came while the view was being stored. */
static void who_came_meanwhile_is_closed(void **state)
{
	(void)state;
	cluster(4);
	rig.hold_stores = true;
	rig_upgrade(&rig);
	assert_int_equal(rig.answers, 0);
	speaks(4, 3, 3);
	rig_join(&rig, 4);
	assert_true(rig.fakes[4].connected);
	rig_stored_event(&rig, true);
	assert_true(rig.answer_ok);
	assert_false(rig.fakes[4].connected);
	assert_true(rig.fakes[3].connected);
	assert_true(rig_logged(&rig, "replica 4: speaks cluster format 3, the cluster uses 4: upgrade the replica"));
	rig_stop(&rig);
}

/* A replica of another cluster is left alone as such, whatever that one uses. */
static void another_cluster_has_its_own(void **state)
{
	(void)state;
	cluster(4);
	speaks(4, 3, 5);
	rig.fakes[4].identity.cluster = rig_uuid(4711);
	rig.fakes[4].identity.format = 5;
	rig_join(&rig, 4);
	assert_true(rig_logged(&rig, "belongs to another cluster"));
	rig_stop(&rig);
}

/* --- a new cluster, and one that is taken over -------------------------------------------------------------------- */

static uint32_t formed_by(uint32_t frontend, uint32_t first, uint32_t second)
{
	uint32_t format;

	rig_options(&rig);
	rig.options.formats.high = frontend;
	speaks(1, 3, first);
	speaks(2, 3, second);
	for (uint32_t id = 1; id <= 2; id++)
		rig.fakes[id].alive = rig.fakes[id].registered = true;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	format = rig.disk.view.format;
	assert_int_equal(rig.disk.view.number, 1);
	assert_int_equal(rig.disk.view.keeper.epoch, 1);
	assert_true(uuid_equal(rig.disk.view.keeper.uuid, rig.disk.manager));
	assert_true(uuid_equal(rig.disk.view.maker, rig.disk.manager));
	rig_stop(&rig);
	return format;
}

static void a_new_cluster_begins_with_what_all_speak(void **state)
{
	(void)state;
	assert_int_equal(formed_by(3, 3, 3), 3);
	assert_int_equal(formed_by(5, 6, 7), 5);
	assert_int_equal(formed_by(5, 4, 7), 4);
	assert_int_equal(formed_by(5, 7, 3), 3);
}

/* Whoever takes over is the next keeper; name and format are the cluster's. */
static void a_take_over_keeps_the_format(void **state)
{
	struct views_stored stored;
	struct uuid manager;

	(void)state;
	rig_options(&rig);
	rig.options.formats.high = 4;
	rig_stored(&rig, &stored, 7, 2);
	stored.view.format = 4;
	snprintf(stored.view.name, sizeof stored.view.name, "quay");
	for (uint32_t id = 1; id <= 2; id++) {
		speaks(id, 3, 4);
		rig.fakes[id].report.view = stored.view;
	}
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 2000);
	manager = views_manager(rig.views);
	assert_int_equal(rig.disk.view.number, 8);
	assert_int_equal(rig.disk.view.format, 4);
	assert_string_equal(rig.disk.view.name, "quay");
	assert_int_equal(rig.disk.view.keeper.epoch, 2);
	assert_true(uuid_equal(rig.disk.view.keeper.uuid, manager));
	assert_true(uuid_equal(rig.disk.view.maker, manager));
	/* It stays the keeper. */
	rig_switchover(&rig, 2);
	assert_int_equal(rig.disk.view.keeper.epoch, 2);
	rig_stop(&rig);
}

/* Rule 17: an older front-end takes over no cluster whose format was raised, also not while it was looking. */
static void an_older_front_end_takes_nothing_over(void **state)
{
	struct views_stored stored;

	(void)state;
	rig_options(&rig);
	rig_stored(&rig, &stored, 7, 2);
	rig.fakes[2].alive = false;
	speaks(1, 3, 4);
	rig.fakes[1].bound = rig_uuid(777); /* by a newer front-end */
	rig_start(&rig, NULL);
	rig_dump(&rig);
	assert_true(rig.fakes[1].connected);
	rig.fakes[1].report.view.format = 4;
	rig.fakes[1].report.view.number++;
	rig.fakes[1].report.news++;
	rig_report(&rig, 1);
	assert_false(rig.fakes[1].connected);
	assert_true(rig_logged(&rig, "speaks cluster formats 3 to 4, the cluster uses 4, the front-end 3: upgrade the front-end"));
	rig_wait(&rig, 5000);
	assert_int_equal(rig.stores, 0);
	rig_stop(&rig);
}

static void a_forced_promotion_keeps_the_format(void **state)
{
	(void)state;
	cluster(4);
	rig_upgrade(&rig);
	rig_kill(&rig, 1);
	rig_kill(&rig, 3);
	rig.fakes[2].report.view.format = 3; /* it has not heard of it */
	rig.fakes[2].report.state = STATE_CATCHING_UP;
	rig.fakes[2].report.news++;
	rig.fakes[2].stubborn = true;
	rig_report(&rig, 2);
	rig_wait(&rig, 3000);
	rig.fakes[2].stubborn = false;
	rig_promote(&rig, 2, true);
	assert_int_equal(rig.disk.view.members_count, 1);
	assert_int_equal(rig.disk.view.primary, 2);
	assert_int_equal(rig.disk.view.format, 4);
	assert_int_equal(rig.disk.view.keeper.epoch, 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_raised_once_all_speak_it),
		cmocka_unit_test(there_may_be_nothing_to_upgrade),
		cmocka_unit_test(the_oldest_program_is_named),
		cmocka_unit_test(who_is_missing_is_named),
		cmocka_unit_test(an_upgrade_waits_for_a_primary),
		cmocka_unit_test(without_a_disk_it_is_not_known),
		cmocka_unit_test(an_older_program_does_not_come_back),
		cmocka_unit_test(an_older_learner_is_named),
		cmocka_unit_test(who_came_meanwhile_is_closed),
		cmocka_unit_test(another_cluster_has_its_own),
		cmocka_unit_test(a_new_cluster_begins_with_what_all_speak),
		cmocka_unit_test(a_take_over_keeps_the_format),
		cmocka_unit_test(an_older_front_end_takes_nothing_over),
		cmocka_unit_test(a_forced_promotion_keeps_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
