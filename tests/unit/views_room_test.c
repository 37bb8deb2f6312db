/* Members and learners with a full disk or too little capacity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_three.h"

static void full(uint32_t id, bool is)
{
	views_rig.fakes[id].report.disk_full = is;
	rig_report(&views_rig, id);
}

/* Rule 13: a full primary is switched over to a member that has room, and stays a member; without such a member it
 * stays primary. */
static void a_full_primary_hands_over(void **state)
{
	(void)state;
	three();
	full(2, true);
	serves(1, "1 2 3");
	full(1, true);
	serves(3, "1 2 3");
	full(3, true);
	serves(3, "1 2 3");
	full(1, false);
	serves(1, "1 2 3");
	rig_stop(&views_rig);
}

/* Rule 13: a member that the primary has long reported as full is evicted, although no request waits (all are refused).
 * If the primary fails meanwhile, nobody is evicted for it. */
static void who_is_full_for_long_is_evicted(void **state)
{
	(void)state;
	three();
	full(2, true);
	rig_wait(&views_rig, 3000);
	serves(1, "1 2 3");
	rig_need(&views_rig, 1, NEED_FULL, 2);
	serves(1, "1 3");
	assert_true(rig_logged(&views_rig, "evicted: replica 2"));
	rig_stop(&views_rig);

	three_in_demand();
	views_rig.fakes[1].report.needs_count = 1;
	views_rig.fakes[1].report.needs[0] = (struct need){NEED_FULL, views_rig.view, 2, rig_uuid(2)};
	views_rig.fakes[1].report.state = STATE_NEED_NEW_VIEW;
	full(1, false);
	serves(1, "1 2 3");
	rig_stop(&views_rig);
}

/* Rule 13: the admission of a learner whose disk is full makes a view without it. */
static void a_full_learner_is_not_admitted(void **state)
{
	(void)state;
	three();
	views_rig.fakes[4].alive = views_rig.fakes[4].registered = true;
	views_rig.fakes[4].report.state = STATE_CATCHING_UP;
	rig_dump(&views_rig);
	full(4, true);
	rig_need(&views_rig, 1, NEED_ADMIT, 4);
	assert_int_equal(views_rig.view, 2);
	serves(1, "1 2 3");
	full(4, false);
	rig_need(&views_rig, 1, NEED_ADMIT, 4);
	serves(1, "1 2 3 4");
	rig_stop(&views_rig);
}

/* Status shows the reason that a stopped replica gave, and why a learner that is too small or full is not admitted. */
static void status_says_why(void **state)
{
	struct views_row rows[LIMIT_REPLICAS];
	char text[VIEWS_TEXT_SIZE];
	int health;

	(void)state;
	three();
	views_rig.fakes[4].alive = views_rig.fakes[4].registered = true;
	views_rig.fakes[4].report.state = STATE_CATCHING_UP;
	views_rig.fakes[4].report.orders_max = 3;
	views_rig.fakes[1].report.op = 5;
	views_rig.fakes[1].report.orders_max = 6;
	rig_report(&views_rig, 1);
	rig_dump(&views_rig);
	views_summary(views_rig.views, views_rig.now_ms, text, &health);
	assert_string_equal(text, "degraded: 3 copies, replica 4 has room for 3 orders only");
	views_rig.fakes[2].report.stopping = true;
	snprintf(views_rig.fakes[2].report.detail, sizeof views_rig.fakes[2].report.detail,
		 "cannot make its next journal segment: Read-only file system");
	rig_report(&views_rig, 2);
	rig_kill(&views_rig, 2);
	views_rows(views_rig.views, views_rig.now_ms, rows);
	assert_string_equal(rows[1].note, "ended: cannot make its next journal segment: Read-only file system");
	rig_stop(&views_rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_primary_hands_over),
		cmocka_unit_test(who_is_full_for_long_is_evicted),
		cmocka_unit_test(a_full_learner_is_not_admitted),
		cmocka_unit_test(status_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
