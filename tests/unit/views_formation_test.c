/* How a view manager gets its first view: a new cluster, its own stored view, a take-over, an old copy of its data
 * directory; and how it learns that another front-end took over (rules 3, 18, 20). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void begin(uint32_t replicas)
{
	rig_options(&rig);
	for (uint32_t id = 1; id <= replicas; id++)
		rig.fakes[id].alive = true;
}

/* Rule 18: a cluster is formed only after every host has answered. One replica alone is view 1; the others join as
 * learners and are admitted when the primary reports that they are level. */
static void forms_of_three(void **state)
{
	(void)state;
	begin(3);
	rig_start(&rig, NULL);
	rig_register(&rig, 2);
	rig_register(&rig, 3);
	rig_register(&rig, 1);
	assert_int_equal(rig.stores, 0); /* the dump is not complete */
	rig_dump(&rig);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 1);
	assert_int_equal(rig.view, 1);
	assert_true(rig_members(&rig, "1"));
	assert_false(uuid_is_nil(rig.disk.view.cluster));
	assert_false(uuid_equal(rig.disk.view.cluster, rig.disk.view.generation));
	rig_need(&rig, 1, NEED_ADMIT, 2);
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_int_equal(rig.primary, 1);
	rig_stop(&rig);
}

static void says_what_to_start(void **state)
{
	(void)state;
	begin(0);
	strcpy(rig.options.base_option, " --program-base 561000000");
	rig_start(&rig, NULL);
	rig_dump(&rig);
	assert_non_null(
		strstr(rig.hold, "start justhungry-server --id 1 --data-dir DIR --program-base 561000000"));
	rig_stop(&rig);
}

/* Rule 18: without --new-cluster nothing is formed, and the text says what to type. */
static void needs_the_word(void **state)
{
	(void)state;
	begin(2);
	rig.options.new_cluster = false;
	strcpy(rig.options.base_option, " --program-base 7");
	rig_start(&rig, NULL);
	rig_register(&rig, 1);
	rig_register(&rig, 2);
	rig_dump(&rig);
	rig_wait(&rig, 10000);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "--new-cluster added to the options it has (--data-dir DIR --program-base 7)"));
	assert_non_null(strstr(rig.hold, "replicas 1, 2"));
	assert_true(rig.logs < 12); /* logged, but not at every tick */
	rig_stop(&rig);
}

/* Rule 18: a registered replica that has not answered may have been in a view: formation waits for it. */
static void waits_for_every_registered(void **state)
{
	(void)state;
	begin(1);
	rig_start(&rig, NULL);
	rig_register(&rig, 1);
	rig_register(&rig, 2); /* refused */
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "replica 2"));
	rig.fakes[2].alive = true;
	rig_wait(&rig, 1000);
	assert_true(rig.routed);
	rig_stop(&rig);
}

/* Rule 18: despite --new-cluster, a replica that has been in a view causes a take-over, which waits for every
 * member. */
static void takes_over_when_all_are_bound(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 7, 3);
	rig.fakes[3].alive = false;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 30000);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "waiting for replica 3"));
	assert_true(rig.logs < 40);
	rig.fakes[3].alive = true;
	rig_wait(&rig, 1000);
	rig_dump(&rig); /* it was auto-cleaned: only a dump finds it again */
	assert_true(rig.routed);
	assert_int_equal(rig.view, 8);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_false(uuid_equal(rig.disk.manager, stored.manager));
	assert_true(uuid_equal(rig.disk.view.cluster, stored.view.cluster));
	assert_true(uuid_equal(rig.disk.view.generation, stored.view.generation));
	rig_stop(&rig);
}

/* Rule 18: all are heard first. The only member of view 3 is bound at once, but a registered replica that is slow to
 * answer may know of a higher view. */
static void takes_over_after_asking_all(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 3, 1);
	rig.fakes[2].alive = true;
	rig.fakes[2].registered = true;
	rig.fakes[2].hung = true;
	rig_start(&rig, NULL);
	rig_register(&rig, 1);
	rig_wait(&rig, 100);
	assert_int_equal(rig.stores, 0); /* it is not known yet who is registered */
	rig_dump(&rig);
	rig_wait(&rig, 100);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "asking replica 2"));
	rig_wait(&rig, 300); /* after suspect_ms it no longer counts: it is not a member */
	assert_true(rig.routed);
	assert_int_equal(rig.view, 4);
	rig_stop(&rig);
}

/* Rule 18: a joint learner may know of a later view. */
static void takes_over_with_the_joint(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 7, 2);
	rig.fakes[2].report.joint_count = 1;
	rig.fakes[2].report.joint[0] = (struct joint){.id = 3, .uuid = rig_uuid(3)};
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 5000);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "waiting for replica 3"));
	/* It does: views 8 and 9 exist, and the learner is the primary of view 9. */
	rig.fakes[3].alive = true;
	rig.fakes[3].registered = true;
	rig.fakes[3].report.view = stored.view;
	rig.fakes[3].report.view.number = 9;
	rig.fakes[3].report.view.primary = 3;
	rig.fakes[3].report.view.members[2].id = 3;
	rig.fakes[3].report.view.members[2].uuid = rig_uuid(3);
	rig.fakes[3].report.view.members_count = 3;
	rig.fakes[3].report.op = 12;
	rig.fakes[3].report.whole_view = 9;
	rig_dump(&rig);
	assert_int_equal(views_current(rig.views)->number, 10);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_int_equal(rig.primary, 3);
	rig_stop(&rig);
}

/* A higher view that is reported only after the binding restarts the take-over from that view. */
static void starts_again_from_a_higher_view(void **state)
{
	struct views_stored stored;
	struct view higher;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 7, 2);
	rig.fakes[2].alive = false;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	higher = stored.view;
	higher.number = 8;
	higher.members[2].id = 3;
	higher.members[2].uuid = rig_uuid(3);
	higher.members_count = 3;
	rig.fakes[2].alive = true;
	rig.fakes[2].report.view = higher;
	rig_wait(&rig, 1000);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "view 8: waiting for replica 3"));
	rig.fakes[3].alive = true;
	rig.fakes[3].registered = true;
	rig_dump(&rig);
	assert_int_equal(views_current(rig.views)->number, 9);
	rig_stop(&rig);
}

/* Rule 20: two front-ends take over at once. While we bind replica 2, the other one binds replica 1, which was ours.
 * Without confirmation both could believe that they hold all, make view 8, and evict the other half. */
static void bound_at_one_instant(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 7, 2);
	rig.fakes[2].robbed_of = 1;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	assert_int_equal(rig.stores, 0);
	rig_wait(&rig, 3000); /* it is connected and bound again */
	assert_true(uuid_equal(rig.fakes[1].bound, rig.disk.manager));
	assert_true(rig.routed);
	assert_int_equal(rig.view, 8);
	rig_stop(&rig);
}

/* Rule 20: replica 1 confirmed its binding when all were bound; then 3 was lost, and another front-end bound 1. When 3
 * is bound again, the old confirmation of 1 no longer counts: it is asked again, and has not answered. */
static void asked_again_is_not_confirmed(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 7, 3);
	rig.fakes[3].hangs_once_bound = true;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 0);
	rig.fakes[1].bound = rig.fakes[1].session_with = rig.fakes[1].report.view.manager = rig_uuid(777);
	rig.fakes[3].hung = false;
	rig.hold_stores = true;
	for (int i = 0; i < 500 && rig.stores == 0; i++)
		rig_wait(&rig, 10);
	assert_int_equal(rig.stores, 1);
	assert_true(uuid_equal(rig.fakes[1].bound, views_manager(rig.views)));
	rig_stop(&rig);
}

/* A restarted front-end finds its primary serving: nothing changes, and nothing is waited for. */
static void goes_on_with_its_view(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 5, 3);
	rig.fakes[2].alive = false;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 5);
	rig_wait(&rig, 5000);
	assert_int_equal(rig.stores, 0);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_stop(&rig);
}

/* Rule 3: at our own start the members get start_wait_ms before the view shrinks, even under demand. */
static void members_get_time_at_start(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 5, 3);
	rig.fakes[1].alive = false;
	rig_start(&rig, &stored);
	rig_demand(&rig, 1);
	rig_dump(&rig);
	rig_wait(&rig, 1900);
	assert_int_equal(rig.stores, 0);
	assert_non_null(strstr(rig.hold, "replica 1"));
	rig_wait(&rig, 200);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "2 3"));
	rig_stop(&rig);
}

/* All are there again: no need to wait, and the best of them becomes primary; the old one on a tie. */
static void no_wait_when_all_are_there(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 5, 3);
	rig.fakes[1].report.state = STATE_NEED_NEW_VIEW;
	rig.fakes[1].report.entered = false;
	rig.fakes[3].report.op = 11;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 6);
	assert_int_equal(rig.primary, 3);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_stop(&rig);
}

static void nobody_there(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 5, 3);
	for (uint32_t id = 1; id <= 3; id++)
		rig.fakes[id].alive = false;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	rig_demand(&rig, 5);
	rig_wait(&rig, 60000);
	assert_int_equal(rig.stores, 0);
	assert_string_equal(rig.hold, "no primary: waiting for replicas 1, 2, 3");
	assert_true(rig.logs < 40);
	rig_stop(&rig);
}

/* Rule 20: a replica of ours is in a higher view than ours: our data directory is an old copy and is treated as
 * lost. */
static void old_copy_of_the_directory(void **state)
{
	struct views_stored stored;
	struct views_stored old;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 9, 3);
	old = stored;
	old.view.number = 5;
	old.view.members_count = 2;
	rig.fakes[3].alive = false;
	rig_start(&rig, &old);
	rig_dump(&rig);
	rig_wait(&rig, 5000);
	assert_false(rig.routed);
	assert_int_equal(rig.stores, 0);
	assert_true(rig_logged(&rig, "old copy"));
	assert_non_null(strstr(rig.hold, "view 9: waiting for replica 3"));
	rig.fakes[3].alive = true;
	rig_wait(&rig, 1000);
	assert_int_equal(views_current(rig.views)->number, 10);
	assert_false(uuid_equal(rig.disk.manager, old.manager));
	rig_stop(&rig);
}

/* Rule 20: when our members are bound to a successor, this front-end ends, names it, and does nothing more. */
static void ends_when_replaced(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 5, 2);
	rig.fakes[2].bound = rig_uuid(777);
	rig.fakes[2].report.view.manager = rig_uuid(777);
	rig_start(&rig, &stored);
	rig_dump(&rig);
	assert_true(rig.exited);
	assert_non_null(strstr(rig.exit_text, "replica 2"));
	rig_tick(&rig);
	assert_int_equal(rig.actions.count, 0);
	rig_switchover(&rig, 2);
	assert_int_equal(rig.answers, 1);
	assert_false(rig.answer_ok);
	rig_stop(&rig);
}

/* A learner that a predecessor left in a lower view is bound; it is no proof of a successor. */
static void binds_who_was_left_behind(void **state)
{
	struct views_stored stored;

	(void)state;
	begin(0);
	rig_stored(&rig, &stored, 5, 2);
	rig.fakes[3].alive = true;
	rig.fakes[3].registered = true;
	rig.fakes[3].bound = rig_uuid(777);
	rig.fakes[3].report.view = stored.view;
	rig.fakes[3].report.view.number = 3;
	rig.fakes[3].report.view.manager = rig_uuid(777);
	rig.fakes[3].identity.cluster = stored.view.cluster;
	rig.fakes[3].identity.generation = stored.view.generation;
	rig_start(&rig, &stored);
	rig_dump(&rig);
	assert_false(rig.exited);
	assert_true(uuid_equal(rig.fakes[3].bound, stored.manager));
	rig_stop(&rig);
}

/* Rule 17: a new address in rpcbind does not end the connection of a replica that answers. */
static void another_registration_ends_nothing(void **state)
{
	struct views_event event = {.kind = VIEWS_FOUND, .found = {.id = 2, .address = "127.0.0.1:9"}};
	uint64_t routes;

	(void)state;
	begin(0);
	rig_cluster(&rig, 2);
	routes = rig.routes;
	rig_step(&rig, &event);
	assert_null(rig_did(&rig, VIEWS_DO_DISCONNECT));
	assert_null(rig_did(&rig, VIEWS_DO_CONNECT));
	assert_true(rig_logged(&rig, "registered at 127.0.0.1:9 too"));
	rig_wait(&rig, 1000);
	assert_true(rig.fakes[2].connected);
	assert_int_equal(rig.routes, routes);
	rig_stop(&rig);
}

/* A replica of another cluster is shown and never touched. */
static void leaves_strangers_alone(void **state)
{
	struct views_row rows[LIMIT_REPLICAS];

	(void)state;
	begin(0);
	rig_cluster(&rig, 2);
	rig.fakes[3].alive = true;
	rig.fakes[3].registered = true;
	rig.fakes[3].identity.cluster = rig_uuid(555);
	rig.fakes[3].report.view.number = 40;
	rig.fakes[3].report.view.cluster = rig_uuid(555);
	rig.fakes[3].report.state = STATE_DAMAGED;
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_false(rig.fakes[3].retired);
	assert_false(rig.fakes[3].connected);
	assert_true(rig.routed);
	assert_int_equal(views_rows(rig.views, rig.now_ms, rows), 3);
	assert_int_equal(rows[2].role, ROLE_FOREIGN);
	assert_int_equal(rig.stores, 0);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_three),
		cmocka_unit_test(says_what_to_start),
		cmocka_unit_test(needs_the_word),
		cmocka_unit_test(waits_for_every_registered),
		cmocka_unit_test(takes_over_when_all_are_bound),
		cmocka_unit_test(takes_over_after_asking_all),
		cmocka_unit_test(takes_over_with_the_joint),
		cmocka_unit_test(starts_again_from_a_higher_view),
		cmocka_unit_test(bound_at_one_instant),
		cmocka_unit_test(asked_again_is_not_confirmed),
		cmocka_unit_test(goes_on_with_its_view),
		cmocka_unit_test(members_get_time_at_start),
		cmocka_unit_test(no_wait_when_all_are_there),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(old_copy_of_the_directory),
		cmocka_unit_test(ends_when_replaced),
		cmocka_unit_test(binds_who_was_left_behind),
		cmocka_unit_test(another_registration_ends_nothing),
		cmocka_unit_test(leaves_strangers_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
