/* Purpose: the text names the cause that an operator can remove: the front-end's own disk, another data directory of a
 * member, orders that replicas of another cluster hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

static void summary_says(const char *part)
{
	char text[VIEWS_TEXT_SIZE];
	int health;

	views_summary(rig.views, rig.now_ms, text, &health);
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* Storing the view that replaces a dead primary takes seconds: the cause is our own disk, not the replica. */
static void the_front_ends_own_disk_hangs(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 2);
	rig.hold_stores = true;
	rig_kill(&rig, 1);
	rig_demand(&rig, 1);
	assert_true(rig.ticket != 0);
	summary_says("making view");
	assert_null(strstr(rig.hold, "own disk"));
	rig_wait(&rig, 1500);
	summary_says("front-end's own disk");
	assert_non_null(strstr(rig.hold, "front-end's own disk")); /* what waiting clients are told */
	assert_true(rig_logged(&rig, "front-end's own disk"));
	rig_stored_event(&rig, true);
	assert_null(strstr(rig.hold, "own disk"));
	rig_stop(&rig);
}

/* During a take-over the member of the last view answers, but with an empty data directory. */
static void a_member_that_came_back_empty_is_named(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 2);
	rig_kill(&rig, 1);
	rig_demand(&rig, 1);
	rig_demand(&rig, 0);
	assert_true(rig_members(&rig, "2"));
	rig_kill(&rig, 2);
	rig_wipe(&rig, 2);
	rig_restart(&rig, 1);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	summary_says("replica 2 answers with another data directory");
	summary_says("justhungry promote --force 1");
	rig_stop(&rig);
}

static void nobody_else_holds_the_orders(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 1);
	rig_kill(&rig, 1);
	rig_wipe(&rig, 1);
	rig_dump(&rig);
	rig_wait(&rig, 3000);
	summary_says("replica 1 answers with another data directory");
	summary_says("start it on the old one");
	summary_says("no other replica here holds this cluster's orders");
	rig_stop(&rig);
}

/* Beside a healthy new cluster status names the orders of the old one: how many, and how to get back to them. */
static void foreign_orders_are_counted(void **state)
{
	(void)state;
	rig_options(&rig);
	rig_cluster(&rig, 2);
	summary_says("ok");
	for (uint32_t id = 3; id <= 4; id++) {
		rig.fakes[id].alive = true;
		rig.fakes[id].identity.cluster = rig_uuid(555);
		rig.fakes[id].report.view = rig.disk.view;
		rig.fakes[id].report.view.cluster = rig_uuid(555);
		rig.fakes[id].report.op = 13480 + id;
		rig_register(&rig, id);
	}
	rig_dump(&rig);
	summary_says("replicas 3, 4 of another cluster hold 13484 orders");
	summary_says("empty --data-dir");
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_front_ends_own_disk_hangs),
		cmocka_unit_test(a_member_that_came_back_empty_is_named),
		cmocka_unit_test(nobody_else_holds_the_orders),
		cmocka_unit_test(foreign_orders_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
