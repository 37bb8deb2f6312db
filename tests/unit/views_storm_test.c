/* Random deaths, hangs, cuts, wipes and restarts of replicas and of the front-end, with and without its data directory,
 * from seeds. At any time one number names one view, no view is sent before it is stored (the rig checks that), and the
 * serving primary holds every acknowledged order (rules 2, 3, 10, 18). When the storm is over, a primary serves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/support_views.h"

#define REPLICAS 4
#define ROUNDS 150
#ifndef SEEDS
#define SEEDS 120
#endif
#define NUMBERS 4096

static struct rig rig;
static uint64_t random_state;
static uint64_t acked;
static uint64_t writes;
static uint64_t recovered;
static struct uuid cluster;
static struct view spoken[NUMBERS]; /* by number: as a replica entered it */

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

static void check(void)
{
	const struct view *view = &rig.disk.view;
	const struct view *current = views_current(rig.views);

	/* A view that a front-end lost with its data directory before sending it does not count. */
	for (uint32_t id = 1; id <= REPLICAS; id++) {
		const struct view *heard = &rig.fakes[id].report.view;
		struct view *before = &spoken[heard->number];

		assert_true(heard->number < NUMBERS);
		if (before->number != 0 && uuid_equal(before->cluster, heard->cluster)) {
			assert_int_equal(before->primary, heard->primary);
			assert_int_equal(before->members_count, heard->members_count);
			for (uint32_t i = 0; i < heard->members_count; i++)
				assert_true(uuid_equal(before->members[i].uuid, heard->members[i].uuid));
		}
		if (heard->number > 0)
			*before = *heard;
	}
	if (!rig.routed)
		return;
	/* The only member was wiped and the data directory lost: no replica is left that has ever been in a view. */
	if (!uuid_equal(cluster, view->cluster))
		acked = 0;
	cluster = view->cluster;
	assert_int_equal(current->number, rig.view);
	assert_true(rig.fakes[rig.primary].report.op >= acked);
	assert_non_null(view_member_exact(view, rig.primary, rig.fakes[rig.primary].identity.uuid));
}

static bool acknowledges(uint32_t id, struct uuid uuid, uint64_t view)
{
	const struct fake *fake = &rig.fakes[id];

	return fake->alive && !fake->hung && !fake->cut && fake->report.view.number == view &&
	       uuid_equal(fake->identity.uuid, uuid);
}

/* An order: acknowledged when every member of the view has it, and every joint learner (rule 9). */
static void write_one(void)
{
	const struct view *view = views_current(rig.views);
	const struct report *primary = &rig.fakes[rig.primary].report;

	if (!rig.routed || view->number != rig.view || primary->state != STATE_SERVING)
		return;
	for (uint32_t i = 0; i < view->members_count; i++) {
		if (!acknowledges(view->members[i].id, view->members[i].uuid, view->number))
			return;
	}
	for (uint32_t i = 0; i < primary->joint_count; i++) {
		if (!acknowledges(primary->joint[i].id, primary->joint[i].uuid, view->number))
			return;
	}
	for (uint32_t i = 0; i < view->members_count; i++)
		rig.fakes[view->members[i].id].report.op++;
	for (uint32_t i = 0; i < primary->joint_count; i++)
		rig.fakes[primary->joint[i].id].report.op++;
	acked = rig.fakes[rig.primary].report.op;
	rig.fakes[rig.primary].report.commit = acked;
	rig.floor = acked;
	writes++;
}

/* What the primary would request: to evict replicas that do not answer it, to admit learners that are level. */
static void primary_asks(void)
{
	const struct view view = *views_current(rig.views);

	if (!rig.routed || !rig.fakes[rig.primary].connected ||
	    rig.fakes[rig.primary].report.view.number != view.number)
		return;
	uint32_t primary = rig.primary;

	for (uint32_t id = 1; id <= REPLICAS; id++) {
		struct fake *fake = &rig.fakes[id];
		bool member = view_member_exact(&view, id, fake->identity.uuid) != NULL;
		bool answers = fake->alive && !fake->hung && !fake->cut;

		if (id == primary || rig.fakes[primary].report.view.number != view.number ||
		    rig.fakes[primary].report.needs_count > 8)
			continue;
		if (member && !answers) {
			rig_need(&rig, primary, NEED_EVICT, id);
		} else if (!member && answers && view_member_by_id(&view, id) == NULL &&
			   rig.fakes[primary].report.joint_count == 0) {
			struct report *report = &rig.fakes[primary].report;

			/* Rules 2 and 9: the learner has stored the view, and the primary that the learner counts. */
			fake->report.op = report->op;
			fake->report.whole_view = view.number;
			fake->report.view = view;
			fake->report.state = STATE_FOLLOWING;
			fake->bound = view.manager;
			fake->identity.cluster = view.cluster;
			fake->identity.generation = view.generation;
			report->joint[report->joint_count++] = (struct joint){id, fake->identity.uuid};
			rig_need(&rig, primary, NEED_ADMIT, id);
		}
	}
	rig.fakes[primary].report.needs_count = 0;
}

static void restart_frontend(bool keeps_directory)
{
	if (!keeps_directory)
		memset(&rig.disk, 0, sizeof rig.disk);
	struct views_stored disk = rig.disk;

	rig_stop(&rig);
	rig_start(&rig, disk.view.number > 0 ? &disk : NULL);
	rig_dump(&rig);
}

static void wipe(uint32_t id)
{
	if (draw(4) == 0)
		rig_wipe(&rig, id);
}

static void one_thing(void)
{
	uint32_t id = 1 + draw(REPLICAS);
	struct fake *fake = &rig.fakes[id];

	switch (draw(14)) {
	case 0:
	case 1:
		if (fake->alive)
			rig_kill(&rig, id);
		break;
	case 2:
	case 3:
	case 4:
		if (!fake->alive)
			rig_restart(&rig, id);
		break;
	case 5:
		fake->hung = !fake->hung;
		break;
	case 6:
		fake->cut = !fake->cut;
		break;
	case 7:
		if (!fake->alive)
			wipe(id);
		break;
	case 8:
		restart_frontend(draw(6) != 0);
		break;
	case 9:
		if (draw(2) == 0)
			rig_switchover(&rig, draw(REPLICAS + 1));
		else
			rig_remove(&rig, 1 + draw(REPLICAS));
		break;
	case 10:
		fake->stubborn = !fake->stubborn;
		break;
	case 11:
		rig.fail_stores = draw(3) == 0;
		break;
	default:
		rig_demand(&rig, draw(2));
		break;
	}
}

static void pass_time(void)
{
	rig_wait(&rig, draw(3) == 0 ? draw(3000) : draw(120));
	rig_dump(&rig);
	write_one();
	primary_asks();
	write_one();
	check();
}

/* When data that is needed is gone for good, rules 3 and 18 rightly wait for the operator. */
static bool data_is_gone(void)
{
	struct view highest = rig.disk.view;

	for (uint32_t id = 1; id <= REPLICAS; id++) {
		if (rig.fakes[id].report.view.number > highest.number)
			highest = rig.fakes[id].report.view;
	}
	if (highest.number == 0)
		return true;
	for (uint32_t i = 0; i < highest.members_count; i++) {
		const struct fake *fake = &rig.fakes[highest.members[i].id];

		if (!uuid_equal(fake->identity.uuid, highest.members[i].uuid))
			return true;
		for (uint32_t j = 0; j < fake->report.joint_count; j++) {
			const struct joint *joint = &fake->report.joint[j];

			if (!uuid_equal(rig.fakes[joint->id].identity.uuid, joint->uuid))
				return true;
		}
	}
	return false;
}

static void calm(void)
{
	rig.fail_stores = false;
	for (uint32_t id = 1; id <= REPLICAS; id++) {
		rig.fakes[id].stubborn = false;
		rig.fakes[id].hung = false;
		rig.fakes[id].cut = false;
		if (!rig.fakes[id].alive)
			rig_restart(&rig, id);
	}
	rig_demand(&rig, 1);
	for (int i = 0; i < 10; i++)
		pass_time();
	for (int i = 0; i < 10; i++) {
		rig_dump(&rig);
		rig_wait(&rig, 1000);
	}
}

static void storm(uint64_t seed)
{
	random_state = seed * 0x9E3779B97F4A7C15u + 1;
	acked = 0;
	memset(spoken, 0, sizeof spoken);
	rig_options(&rig);
	for (uint32_t id = 1; id <= REPLICAS; id++)
		rig.fakes[id].alive = rig.fakes[id].registered = true;
	rig_start(&rig, NULL);
	rig_dump(&rig);
	for (int round = 0; round < ROUNDS && !rig.exited; round++) {
		one_thing();
		check();
		pass_time();
	}
	calm();
	check();
	assert_false(rig.exited);
	if (!rig.routed && !data_is_gone())
		print_message("seed %llu: %s\n", (unsigned long long)seed, rig.hold);
	assert_true(rig.routed || data_is_gone());
	recovered += rig.routed;
	rig_stop(&rig);
}

static uint64_t failing;

static int say_seed(void **state)
{
	(void)state;
	if (failing != 0)
		print_message("last seed %llu: SEED=... runs it alone\n", (unsigned long long)failing);
	return 0;
}

static void storms(void **state)
{
	const char *only = getenv("SEED");

	(void)state;
	if (only != NULL) {
		storm(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		failing = seed;
		storm(seed);
	}
	/* The storms must leave something to test. */
	assert_true(writes > 1000);
	assert_true(recovered * 2 > SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(storms, say_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
