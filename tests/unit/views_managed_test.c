/* A front-end that is started beside a living one does no harm: it hears all before it binds any, and ends when the
 * replicas report another front-end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

/* Replicas 1..3 in view 4 of another front-end, which they hear. */
static void managed_cluster(bool take_over)
{
	struct views_stored stored;

	rig_options(&rig);
	rig.options.take_over = take_over;
	rig_stored(&rig, &stored, 4, 3);
	for (uint32_t id = 1; id <= 3; id++) {
		rig.fakes[id].report.managed = true;
		snprintf(rig.fakes[id].report.frontend, sizeof rig.fakes[id].report.frontend, "192.0.2.1:4000");
	}
}

static bool anybody_bound_to(struct uuid manager)
{
	for (uint32_t id = 1; id <= RIG_REPLICAS; id++) {
		if (uuid_equal(rig.fakes[id].bound, manager))
			return true;
	}
	return false;
}

/* Rule 20: whether all replicas hear it or only one is found, the new front-end binds nobody and ends. */
static void a_newcomer_ends(void **state)
{
	(void)state;
	for (int seen = 1; seen <= 3; seen += 2) {
		managed_cluster(false);
		for (uint32_t id = (uint32_t)seen + 1; id <= 3; id++)
			rig.fakes[id].registered = false;
		rig_start(&rig, NULL);
		rig_dump(&rig);
		rig_wait(&rig, 900);
		assert_false(rig.exited); /* a predecessor may have died just now */
		rig_wait(&rig, 1200);
		assert_true(rig.exited);
		assert_string_equal(rig.exit_text, "replicas are managed by the front-end at 192.0.2.1:4000: use that one, "
						   "or --take-over");
		assert_false(anybody_bound_to(views_manager(rig.views)));
		assert_int_equal(rig.stores, 0);
		rig_stop(&rig);
	}
}

/* When the other one dies while the new front-end waits, the take-over begins. */
static void a_successor_does_not_end(void **state)
{
	(void)state;
	managed_cluster(false);
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 500);
	for (uint32_t id = 1; id <= 3; id++)
		rig.fakes[id].report.managed = false;
	rig_wait(&rig, 3000);
	assert_false(rig.exited);
	assert_true(rig.routed);
	rig_stop(&rig);
}

/* Rule 20: even with --take-over nobody is bound before all that are required are there. */
static void all_are_asked_before_any_is_bound(void **state)
{
	(void)state;
	managed_cluster(true);
	rig.fakes[3].alive = false;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 5000);
	assert_false(rig.exited);
	assert_false(anybody_bound_to(views_manager(rig.views)));
	assert_non_null(strstr(rig.hold, "take-over of view 4: waiting for replica 3"));
	rig_restart(&rig, 3);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_stop(&rig);
}

/* A replica of another front-end that appears while the view of a take-over is being stored is not one of its members:
 * once that view is stored, nothing waits for the other front-end. */
static void a_store_under_way_is_the_end_of_hesitation(void **state)
{
	char why[VIEWS_TEXT_SIZE];

	(void)state;
	managed_cluster(false);
	for (uint32_t id = 1; id <= 3; id++)
		rig.fakes[id].report.managed = false;
	rig.hold_stores = true;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 500);
	assert_int_equal(rig.stores, 1);
	rig.fakes[4].alive = rig.fakes[4].registered = true;
	rig.fakes[4].bound = rig_uuid(77);
	rig.fakes[4].report.managed = true;
	rig_register(&rig, 4);
	rig_dump(&rig);
	rig_wait(&rig, 100);
	rig.hold_stores = false;
	rig_stored_event(&rig, true);
	rig_wait(&rig, 300);
	assert_false(rig.exited);
	assert_true(rig.routed);
	rig.hold_stores = true;
	rig_kill(&rig, 1);
	rig_demand(&rig, 1);
	assert_false(rig.routed);
	assert_true(views_accepts_orders(rig.views, why));
	rig_stop(&rig);
}

/* No new cluster is formed with a replica that another front-end has bound and manages. */
static void no_cluster_of_what_is_managed(void **state)
{
	(void)state;
	rig_options(&rig);
	rig.fakes[1].alive = rig.fakes[1].registered = true;
	rig.fakes[1].bound = rig_uuid(77);
	rig.fakes[1].report.managed = true;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	assert_true(rig.exited);
	assert_int_equal(rig.stores, 0);
	assert_true(uuid_equal(rig.fakes[1].bound, rig_uuid(77)));
	rig_stop(&rig);
}

/* A serving front-end neither binds a replica that another one manages nor ends because of it. */
static void who_serves_leaves_others_alone(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 2);
	rig.fakes[3].alive = rig.fakes[3].registered = true;
	rig.fakes[3].bound = rig_uuid(77);
	rig.fakes[3].report.managed = true;
	snprintf(rig.fakes[3].report.frontend, sizeof rig.fakes[3].report.frontend, "192.0.2.7:4000");
	rig_dump(&rig);
	rig_wait(&rig, 5000);
	assert_true(rig.routed);
	assert_true(uuid_equal(rig.fakes[3].bound, rig_uuid(77)));
	assert_true(rig_logged(&rig, "replica 3: is managed by the front-end at 192.0.2.7:4000"));
	rig.fakes[3].report.managed = false; /* the other one is gone: it may be bound now */
	rig_wait(&rig, 1000);
	assert_false(uuid_equal(rig.fakes[3].bound, rig_uuid(77)));
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_ends),
		cmocka_unit_test(a_successor_does_not_end),
		cmocka_unit_test(all_are_asked_before_any_is_bound),
		cmocka_unit_test(a_store_under_way_is_the_end_of_hesitation),
		cmocka_unit_test(no_cluster_of_what_is_managed),
		cmocka_unit_test(who_serves_leaves_others_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
