/* What the primary requests of the view manager: evictions, admissions, dropping data (rules 3, 9, 10, 14). Operator
 * requests are in views_operator_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

static struct rig rig;

/* Rule 10: a lost backup is evicted only when the serving primary reports that a write waits for it. */
static void evicts_when_a_write_waits(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 5);
	rig_kill(&rig, 3);
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 0);
	assert_true(rig.routed);
	rig_need(&rig, 1, NEED_EVICT, 3);
	assert_true(rig.routed);
	assert_int_equal(rig.view, 2);
	assert_true(rig_members(&rig, "1 2"));
	assert_int_equal(rig.primary, 1);
	rig_stop(&rig);
}

/* Entries that killed processes left on two hosts are both tried after every dump, which is not logged each time. */
static void two_dead_entries_do_not_fill_the_log(void **state)
{
	const char *const addresses[] = {"10.0.0.3:1", "10.0.0.4:1"};
	uint64_t logs;

	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_kill(&rig, 3);
	logs = rig.logs;
	for (int i = 0; i < 60; i++) {
		rig_step(&rig, &(struct views_event){.kind = VIEWS_FOUND,
						     .found = {.id = 3, .address = addresses[i % 2]}});
		rig_wait(&rig, 500);
	}
	assert_true(rig_logged(&rig, "nobody listens at 10.0.0."));
	assert_in_range(rig.logs - logs, 1, 10); /* in half a minute */
	rig_stop(&rig);
}

/* Rule 10: a need of another view, or of another uuid, or about the primary itself, is ignored. */
static void ignores_what_does_not_count(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_kill(&rig, 3);
	rig_need(&rig, 1, NEED_EVICT, 3);
	assert_int_equal(rig.stores, 1);
	rig.fakes[1].report.needs_count = 1;
	rig.fakes[1].report.needs[0] = (struct need){NEED_EVICT, 1, 2, rig_uuid(2)};
	rig_report(&rig, 1);
	rig_wait(&rig, 500); /* long enough to be confirmed, if it counted */
	rig.fakes[1].report.needs[0] = (struct need){NEED_EVICT, 2, 2, rig_uuid(66)};
	rig_report(&rig, 1);
	rig.fakes[1].report.needs[0] = (struct need){NEED_LOST_DATA, 2, 1, rig_uuid(1)};
	rig_report(&rig, 1);
	rig.fakes[2].report.needs_count = 1;
	rig.fakes[2].report.needs[0] = (struct need){NEED_EVICT, 2, 1, rig_uuid(1)};
	rig_report(&rig, 2);
	rig_wait(&rig, 3000);
	assert_int_equal(rig.stores, 1);
	rig_stop(&rig);
}

/* Rule 10: a primary that reports half or more of the backups dead while they answer us is itself suspected. */
static void the_reporter_may_be_the_suspect(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	rig_need(&rig, 1, NEED_EVICT, 2);
	assert_int_equal(rig.stores, 0); /* it may have been stopped just now: only a later answer counts */
	rig_wait(&rig, 300);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 2);
	assert_true(rig_members(&rig, "2 3"));
	rig_stop(&rig);
}

/* The same report about a backup that has really stopped: it is evicted, the primary stays. */
static void a_stopped_backup_is_no_suspicion(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	rig_wait(&rig, 500);
	rig.fakes[2].hung = true;
	rig_wait(&rig, 100);
	rig_need(&rig, 1, NEED_EVICT, 2);
	rig_wait(&rig, 400);
	assert_true(rig.routed);
	assert_int_equal(rig.primary, 1);
	assert_true(rig_members(&rig, "1 3"));
	rig_stop(&rig);
}

/* One of many backups that the primary alone cannot reach is evicted. */
static void one_of_many_is_evicted(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 5);
	rig_need(&rig, 1, NEED_EVICT, 4);
	rig_wait(&rig, 300);
	assert_true(rig_members(&rig, "1 2 3 5"));
	assert_int_equal(rig.primary, 1);
	rig_stop(&rig);
}

/* Rules 3, 9: several admissions at once make one view; an old uuid of the same id leaves in the same step. */
static void admits_in_one_view(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_kill(&rig, 3);
	rig_wipe(&rig, 3);
	rig_join(&rig, 4);
	rig.hold_stores = true;
	rig_need(&rig, 1, NEED_ADMIT, 3); /* stored for this one, */
	rig_need(&rig, 1, NEED_ADMIT, 4); /* and this waits for the next view */
	assert_int_not_equal(rig.ticket, 0);
	rig_stored_event(&rig, true);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_true(uuid_equal(views_current(rig.views)->members[2].uuid, rig.fakes[3].identity.uuid));
	assert_true(rig.routed);
	rig.hold_stores = false;
	rig_need(&rig, 1, NEED_ADMIT, 4);
	assert_true(rig_members(&rig, "1 2 3 4"));
	assert_int_equal(rig.stores, 2);
	rig_stop(&rig);
}

/* Rule 3: the floor applies to a learner from the moment its admission is being stored. */
static void admitted_below_the_floor(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_join(&rig, 3);
	rig.hold_stores = true;
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_int_not_equal(rig.ticket, 0);
	rig_kill(&rig, 3);
	rig.fakes[3].report.op = rig.floor - 1; /* its data directory was an old copy */
	rig_restart(&rig, 3);
	rig.hold_stores = false;
	rig_stored_event(&rig, true);
	rig_wait(&rig, 100);
	assert_true(rig_logged(&rig, "has lost data: holds op"));
	assert_true(rig_members(&rig, "1 2"));
	rig_stop(&rig);
}

/* It does not apply to a wiped member, which has acknowledged nothing. */
static void admitted_after_a_wipe(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_demand(&rig, 1);
	rig_kill(&rig, 3);
	rig_wipe(&rig, 3);
	rig.fakes[3].report.op = 0;
	rig_kill(&rig, 3);
	rig_restart(&rig, 3);
	rig_need(&rig, 1, NEED_ADMIT, 3);
	rig_wait(&rig, 100);
	assert_true(rig_members(&rig, "1 2 3"));
	assert_false(rig_logged(&rig, "has lost data"));
	rig_stop(&rig);
}

/* Rule 9: an admission is never refused. A learner that is gone gets a view without it, so that it stops being
 * counted. */
static void an_admission_always_makes_a_view(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_join(&rig, 3);
	rig_kill(&rig, 3);
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_int_equal(rig.view, 2);
	assert_true(rig.routed);
	assert_true(rig_members(&rig, "1 2"));
	rig_wait(&rig, 2000);
	assert_int_equal(rig.stores, 1);
	rig_stop(&rig);
}

/* Rule 14: a damaged backup is told to set its data aside only after it has left the view. */
static void damage_leads_to_retirement(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig.fakes[3].report.state = STATE_DAMAGED;
	rig.fakes[3].report.news++;
	rig_report(&rig, 3);
	assert_true(rig_members(&rig, "1 2"));
	rig_wait(&rig, 200);
	assert_true(rig.fakes[3].retired);
	assert_false(rig.fakes[1].retired);
	/* With its new uuid it is an ordinary learner, which is not told again. */
	rig.fakes[3].report.uuid = rig_uuid(333);
	rig.fakes[3].identity.uuid = rig_uuid(333);
	rig.fakes[3].report.state = STATE_IDLE;
	rig.fakes[3].report.view.number = 0;
	rig.fakes[3].report.news++;
	rig_report(&rig, 3);
	rig.fakes[3].retired = false;
	rig_wait(&rig, 500);
	assert_false(rig.fakes[3].retired);
	rig_need(&rig, 1, NEED_ADMIT, 3);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_stop(&rig);
}

/* Rule 14: the only member is not evicted and keeps its data. */
static void the_last_keeps_its_data(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 1);
	rig.fakes[1].report.state = STATE_DAMAGED;
	rig.fakes[1].report.news++;
	rig_report(&rig, 1);
	rig_demand(&rig, 1);
	rig_wait(&rig, 3000);
	assert_true(rig_members(&rig, "1"));
	assert_false(rig.fakes[1].retired);
	assert_false(rig.routed);
	assert_int_equal(rig.stores, 0);
	rig_stop(&rig);
}

/* Rule 14: while nobody serves, a damaged learner keeps its data, which may be the last copy. */
static void no_data_is_given_up_while_nobody_serves(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 1);
	rig_join(&rig, 2);
	rig_kill(&rig, 1);
	rig.fakes[2].report.state = STATE_DAMAGED;
	rig.fakes[2].report.news++;
	rig_report(&rig, 2);
	rig_wait(&rig, 3000);
	assert_false(rig.routed);
	assert_true(rig.fakes[2].connected);
	assert_false(rig.fakes[2].retired);
	rig_restart(&rig, 1);
	rig_wait(&rig, 1000);
	assert_true(rig.routed);
	assert_true(rig.fakes[2].retired);
	rig_stop(&rig);
}

/* Rule 9: a failed joint learner delays every write. A view without it stops it from being counted, and no report of it
 * is refused. */
static void a_joint_learner_that_fails(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 2);
	rig_join(&rig, 3);
	rig.fakes[1].report.joint_count = 1;
	rig.fakes[1].report.joint[0] = (struct joint){3, rig_uuid(3)};
	rig_kill(&rig, 3);
	rig_need(&rig, 1, NEED_EVICT, 3);
	assert_int_equal(rig.view, 2);
	assert_true(rig_members(&rig, "1 2"));
	rig.fakes[1].report.joint_count = 0;
	/* A learner that does not count concerns only the primary. */
	rig_need(&rig, 1, NEED_EVICT, 3);
	rig_wait(&rig, 1000);
	assert_int_equal(rig.view, 2);
	rig_stop(&rig);
}

/* Rule 10: while no request waits, a settling view evicts nobody, whatever its primary reports. */
static void settling_alone_evicts_nobody(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_kill(&rig, 1);
	rig_need(&rig, 2, NEED_EVICT, 1);
	rig_wait(&rig, 2000);
	assert_true(rig_members(&rig, "1 2 3"));
	rig_demand(&rig, 1);
	assert_true(rig_members(&rig, "2 3"));
	assert_true(rig.routed);
	rig_stop(&rig);
}

static void the_primary_names_who_lost_data(void **state)
{
	(void)state;
	rig_usual_cluster(&rig, 3);
	rig_need(&rig, 1, NEED_LOST_DATA, 2);
	assert_true(rig_members(&rig, "1 3"));
	rig_wait(&rig, 200);
	assert_true(rig.fakes[2].retired);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evicts_when_a_write_waits),
		cmocka_unit_test(two_dead_entries_do_not_fill_the_log),
		cmocka_unit_test(ignores_what_does_not_count),
		cmocka_unit_test(the_reporter_may_be_the_suspect),
		cmocka_unit_test(a_stopped_backup_is_no_suspicion),
		cmocka_unit_test(one_of_many_is_evicted),
		cmocka_unit_test(admits_in_one_view),
		cmocka_unit_test(admitted_below_the_floor),
		cmocka_unit_test(admitted_after_a_wipe),
		cmocka_unit_test(an_admission_always_makes_a_view),
		cmocka_unit_test(damage_leads_to_retirement),
		cmocka_unit_test(the_last_keeps_its_data),
		cmocka_unit_test(no_data_is_given_up_while_nobody_serves),
		cmocka_unit_test(a_joint_learner_that_fails),
		cmocka_unit_test(settling_alone_evicts_nobody),
		cmocka_unit_test(the_primary_names_who_lost_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
