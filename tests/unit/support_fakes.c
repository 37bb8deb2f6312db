#include "tests/unit/support_fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

void fake_init(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];

	memset(fake, 0, sizeof *fake);
	fake->identity.id = id;
	fake->identity.formats = (struct format_range){3, 3};
	fake->identity.uuid = rig_uuid(id);
	fake->identity.incarnation = rig_draw(rig);
	fake->report.id = id;
	fake->report.uuid = fake->identity.uuid;
	fake->report.op = 2;
}

static void hello(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];
	struct views_event event = {.kind = VIEWS_HELLO,
				    .hello = {.id = id, .identity = &fake->identity, .report = &fake->report}};
	struct uuid manager = views_manager(rig->views);

	fake->connected = true;
	fake->session_with = manager;
	if (!uuid_is_nil(fake->bound) && !uuid_equal(fake->bound, manager)) {
		event.hello.status = 4;
		event.hello.text = "bound to another manager";
	}
	rig_step(rig, &event);
}

void fake_enter(struct rig *rig, uint32_t id, const struct view *view, enum replica_state state)
{
	struct fake *fake = &rig->fakes[id];

	fake->report.view = *view;
	fake->report.state = state;
	fake->report.role = id == view->primary ? ROLE_PRIMARY : ROLE_BACKUP;
	fake->report.entered = id == view->primary;
	fake->report.whole_view = view->number;
	fake->report.needs_count = 0;
	fake->report.joint_count = 0;
	fake->report.news++;
	fake->bound = view->manager;
	fake->identity.cluster = view->cluster;
	fake->identity.generation = view->generation;
	fake->identity.format = view->format;
}

bool fake_answers(const struct fake *fake)
{
	return fake->alive && !fake->hung && !fake->cut;
}

/* All members are there: the primary's first push reaches them, and it serves. */
static void settle(struct rig *rig, const struct view *view)
{
	bool all = true;

	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct fake *fake = &rig->fakes[view->members[i].id];

		all = all && fake_answers(fake) && uuid_equal(fake->identity.uuid, view->members[i].uuid) &&
		      fake->report.view.number <= view->number;
	}
	if (!all || rig->fakes[view->primary].report.view.number != view->number ||
	    rig->fakes[view->primary].report.state != STATE_SETTLING)
		return;
	for (uint32_t i = 0; i < view->members_count; i++) {
		uint32_t id = view->members[i].id;

		rig->fakes[id].report.op = rig->fakes[view->primary].report.op;
		rig->fakes[id].report.commit = rig->fakes[view->primary].report.op;
		fake_enter(rig, id, view, id == view->primary ? STATE_SERVING : STATE_FOLLOWING);
	}
	for (uint32_t i = 0; i < view->members_count; i++)
		rig_report(rig, view->members[i].id);
}

void fake_settle_all(struct rig *rig)
{
	const struct view view = *views_current(rig->views);

	if (view.number > 0 && rig->fakes[view.primary].connected)
		settle(rig, &view);
}

void fake_installed(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];
	const struct view view = *views_current(rig->views);

	assert_int_equal(rig->disk.view.number, view.number); /* RULE 2: on disk before it is spoken of */
	fake->installs++;
	if (!fake_answers(fake) || !fake->connected || fake->stubborn)
		return;
	if (fake->report.view.number < view.number)
		fake_enter(rig, id, &view, STATE_SETTLING);
	rig_report(rig, id);
	settle(rig, &view);
}

void fake_bound(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];

	if (!fake_answers(fake) || !fake->connected || !uuid_equal(fake->session_with, views_manager(rig->views)))
		return;
	fake->bound = views_manager(rig->views);
	fake->report.view.manager = fake->bound;
	if (fake->robbed_of != 0) {
		struct fake *other = &rig->fakes[fake->robbed_of];

		fake->robbed_of = 0;
		other->bound = other->session_with = other->report.view.manager = rig_uuid(777);
	}
	fake->hung = fake->hangs_once_bound;
	fake->hangs_once_bound = false;

	struct views_event event = {.kind = VIEWS_BOUND, .bound = {.id = id, .report = &fake->report}};

	rig_step(rig, &event);
}

void fake_connect(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];

	if (fake->alive && (fake->hung || fake->cut))
		return;
	if (fake->alive) {
		hello(rig, id);
		fake_settle_all(rig);
		return;
	}
	struct views_event event = {.kind = VIEWS_LOST, .lost = {.id = id, .refused = true}};

	rig_step(rig, &event);
}

void fake_new_process(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];

	fake->alive = true;
	fake->hung = false;
	fake->cut = false;
	fake->identity.incarnation = rig_draw(rig);
	fake->report.news = 0;
	fake->report.needs_count = 0;
	fake->report.stopping = false;
	fake->report.entered = false;
	fake->report.state =
		fake->report.view.number > 0 && fake->report.view.primary == id ? STATE_NEED_NEW_VIEW : STATE_IDLE;
}
