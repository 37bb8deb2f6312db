#include "tests/unit/support_views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/base/must.h"
#include "tests/unit/support_fakes.h"

struct uuid rig_uuid(uint32_t n)
{
	struct uuid uuid = {.bytes = {1}};

	memcpy(uuid.bytes + 4, &n, sizeof n);
	return uuid;
}

struct uuid rig_draw(struct rig *rig)
{
	return rig_uuid((uint32_t)(100000 + rig->drawn++));
}

void rig_options(struct rig *rig)
{
	memset(rig, 0, sizeof *rig);
	rig->options = (struct views_options){.formats = {3, 3},
					      .heartbeat_ms = 50,
					      .suspect_ms = 250,
					      .stall_ms = 2000,
					      .start_wait_ms = 2000,
					      .forget_ms = 20000,
					      .new_cluster = true};
	rig->now_ms = 1000;
	for (uint32_t id = 1; id <= RIG_REPLICAS; id++)
		fake_init(rig, id);
}

static void act(struct rig *rig, const struct views_action *action)
{
	switch (action->kind) {
	case VIEWS_DO_CONNECT:
		fake_connect(rig, action->connect.id);
		break;
	case VIEWS_DO_DISCONNECT:
		rig->fakes[action->disconnect.id].connected = false;
		break;
	case VIEWS_DO_HEARTBEAT:
		rig->fakes[action->heartbeat.id].retired |= action->heartbeat.retire;
		if (fake_answers(&rig->fakes[action->heartbeat.id]))
			rig_report(rig, action->heartbeat.id);
		break;
	case VIEWS_DO_STORE:
		assert_int_equal(rig->ticket, 0); /* RULE 10: one at a time */
		rig->stores++;
		rig->ticket = action->store.ticket;
		if (!rig->hold_stores)
			rig_stored_event(rig, !rig->fail_stores);
		break;
	case VIEWS_DO_INSTALL:
		fake_installed(rig, action->install.id);
		break;
	case VIEWS_DO_BIND:
		fake_bound(rig, action->bind.id);
		break;
	case VIEWS_DO_ROUTE:
		must(action->route.view <= rig->disk.view.number);
		rig->routed = true;
		rig->primary = action->route.id;
		rig->view = action->route.view;
		rig->routes++;
		rig->floor = action->route.commit > rig->floor ? action->route.commit : rig->floor;
		break;
	case VIEWS_DO_HOLD:
		rig->routed = false;
		snprintf(rig->hold, sizeof rig->hold, "%s", action->hold.text);
		break;
	case VIEWS_DO_ANSWER:
		rig->answers++;
		rig->answer_ok = action->answer.outcome == VIEWS_DONE;
		rig->answer_unsure = action->answer.outcome == VIEWS_UNSURE;
		snprintf(rig->answer, sizeof rig->answer, "%s", action->answer.text);
		break;
	case VIEWS_DO_RESET_FLOOR:
		rig->floor_resets++;
		rig->floor = 0;
		break;
	case VIEWS_DO_CLEAN:
		rig->cleaned++;
		break;
	case VIEWS_DO_LOG:
		snprintf(rig->log[rig->logs++ % 64], VIEWS_TEXT_SIZE, "%s", action->log.text);
		break;
	case VIEWS_DO_EXIT:
		rig->exited = true;
		snprintf(rig->exit_text, sizeof rig->exit_text, "%s", action->exit.text);
		break;
	}
}

static void queue(struct rig *rig, const struct views_actions *actions)
{
	rig->deadline_ms = actions->deadline_ms;
	rig->queue = realloc(rig->queue, (rig->queued + actions->count + 1) * sizeof rig->queue[0]);
	must(rig->queue != NULL);
	memcpy(rig->queue + rig->queued, actions->list, actions->count * sizeof rig->queue[0]);
	rig->queued += actions->count;
}

/* Whose report it carries; NULL: none. */
static struct fake *reporter_of(struct rig *rig, const struct views_event *event)
{
	switch (event->kind) {
	case VIEWS_HELLO:
		return event->hello.report == NULL ? NULL : &rig->fakes[event->hello.id];
	case VIEWS_REPORT:
		return &rig->fakes[event->report.id];
	case VIEWS_BOUND:
		return &rig->fakes[event->bound.id];
	default:
		return NULL;
	}
}

void rig_step(struct rig *rig, struct views_event *event)
{
	static struct views_actions actions;

	event->now_ms = rig->now_ms;
	event->wall_us = (int64_t)rig->now_ms * 1000;
	struct fake *reporter = reporter_of(rig, event);

	if (reporter != NULL)
		reporter->report.clock_us = event->wall_us + reporter->clock_ahead_us;
	event->floor = rig->floor;
	event->fresh[0] = rig_draw(rig);
	event->fresh[1] = rig_draw(rig);
	views_step(rig->views, event, &actions);
	queue(rig, &actions);
	if (rig->draining)
		return;
	/* The outermost step carries all out in the order in which they were asked for, as the shell does. */
	memcpy(&rig->actions, &actions, sizeof actions);
	rig->draining = true;
	for (size_t i = 0; i < rig->queued; i++) {
		struct views_action action = rig->queue[i];

		act(rig, &action);
	}
	rig->queued = 0;
	rig->draining = false;
}

void rig_tick(struct rig *rig)
{
	rig_step(rig, &(struct views_event){.kind = VIEWS_TICK});
}

void rig_lost(struct rig *rig, uint32_t id, bool refused)
{
	rig_step(rig, &(struct views_event){.kind = VIEWS_LOST, .lost = {.id = id, .refused = refused}});
}

void rig_report(struct rig *rig, uint32_t id)
{
	struct views_event event = {.kind = VIEWS_REPORT, .report = {.id = id, .report = &rig->fakes[id].report}};

	if (rig->fakes[id].connected)
		rig_step(rig, &event);
}

void rig_start(struct rig *rig, const struct views_stored *stored)
{
	struct views_event event = {.kind = VIEWS_START, .start = {.stored = stored}};

	rig->views = views_new(&rig->options);
	rig->ticket = 0;
	rig->routed = false;
	rig->primary = 0;
	rig->floor = 0;
	if (stored != NULL)
		rig->disk = *stored;
	for (uint32_t id = 1; id <= RIG_REPLICAS; id++)
		rig->fakes[id].connected = false;
	rig_step(rig, &event);
}

void rig_stop(struct rig *rig)
{
	views_free(rig->views);
	rig->views = NULL;
	free(rig->queue);
	rig->queue = NULL;
}

void rig_register(struct rig *rig, uint32_t id)
{
	char address[LIMIT_ADDRESS_BYTES];
	struct views_event event = {.kind = VIEWS_FOUND, .found = {.id = id, .address = address}};

	rig->fakes[id].registered = true;
	snprintf(address, sizeof address, "127.0.0.1:%u", 4000 + id);
	rig_step(rig, &event);
}

void rig_dump(struct rig *rig)
{
	uint32_t ids[RIG_REPLICAS];
	struct views_event event = {.kind = VIEWS_DUMPED, .dumped = {.complete = true, .ids = ids}};

	for (uint32_t id = 1; id <= RIG_REPLICAS; id++) {
		if (!rig->fakes[id].registered)
			continue;
		rig_register(rig, id);
		ids[event.dumped.ids_count++] = id;
	}
	rig_step(rig, &event);
}

void rig_stored(struct rig *rig, struct views_stored *stored, uint64_t number, uint32_t count)
{
	memset(stored, 0, sizeof *stored);
	stored->manager = rig_uuid(9000);
	stored->view.number = number;
	stored->view.primary = 1;
	stored->view.cluster = rig_uuid(9001);
	stored->view.generation = rig_uuid(9002);
	stored->view.manager = stored->manager;
	stored->view.format = 3;
	stored->view.keeper = (struct keeper){.epoch = 1, .uuid = stored->manager};
	stored->view.maker = stored->manager;
	for (uint32_t id = 1; id <= count; id++) {
		struct view_member *member = &stored->view.members[stored->view.members_count++];

		member->id = id;
		member->uuid = rig_uuid(id);
		stored->view.expected[stored->view.expected_count++].id = id;
	}
	for (uint32_t id = 1; id <= count; id++) {
		fake_enter(rig, id, &stored->view, id == 1 ? STATE_SERVING : STATE_FOLLOWING);
		rig->fakes[id].alive = true;
		rig->fakes[id].registered = true;
		rig->fakes[id].report.op = 10;
		rig->fakes[id].report.commit = 10;
	}
}

void rig_cluster(struct rig *rig, uint32_t count)
{
	struct views_stored stored;

	rig_stored(rig, &stored, 1, count);
	rig_start(rig, &stored);
	rig_dump(rig);
	must(rig->routed);
}

void rig_usual_cluster(struct rig *rig, uint32_t count)
{
	rig_options(rig);
	rig_cluster(rig, count);
}

void rig_join(struct rig *rig, uint32_t id)
{
	rig->fakes[id].alive = true;
	rig->fakes[id].registered = true;
	rig->fakes[id].report.state = STATE_CATCHING_UP;
	rig_dump(rig);
}

void rig_demand(struct rig *rig, uint64_t waiting)
{
	struct views_event event = {.kind = VIEWS_DEMAND, .demand = {.waiting = waiting}};

	rig_step(rig, &event);
}

void rig_kill(struct rig *rig, uint32_t id)
{
	rig->fakes[id].alive = false;
	rig->fakes[id].connected = false;
	rig_lost(rig, id, false);
}

void rig_restart(struct rig *rig, uint32_t id)
{
	fake_new_process(rig, id);
	rig_wait(rig, 1000);
	fake_settle_all(rig);
}

void rig_wipe(struct rig *rig, uint32_t id)
{
	struct fake *fake = &rig->fakes[id];
	bool registered = fake->registered;

	fake_init(rig, id);
	fake->registered = registered;
	fake->identity.uuid = rig_draw(rig);
	fake->report.uuid = fake->identity.uuid;
	rig_restart(rig, id);
}

void rig_need(struct rig *rig, uint32_t from, enum need_kind kind, uint32_t about)
{
	struct report *report = &rig->fakes[from].report;

	report->needs[report->needs_count++] = (struct need){
		.kind = kind, .view = report->view.number, .id = about, .uuid = rig->fakes[about].identity.uuid};
	report->news++;
	rig_report(rig, from);
}

void rig_wait(struct rig *rig, uint64_t ms)
{
	uint64_t end = rig->now_ms + ms;

	while (rig->now_ms < end) {
		uint64_t deadline = rig->deadline_ms;

		if (deadline <= rig->now_ms)
			deadline = rig->now_ms + 1;
		rig->now_ms = deadline < end ? deadline : end;
		rig_tick(rig);
		fake_settle_all(rig);
	}
}

void rig_stored_event(struct rig *rig, bool ok)
{
	struct views_event event = {.kind = VIEWS_STORED, .stored = {.ticket = rig->ticket, .ok = ok}};

	must(rig->ticket != 0);
	rig->ticket = 0;
	if (ok)
		rig->disk = *views_to_store(rig->views);
	rig_step(rig, &event);
}

void rig_switchover(struct rig *rig, uint32_t id)
{
	struct views_event event = {.kind = VIEWS_SWITCHOVER, .operator = {.token = 7, .id = id}};

	rig_step(rig, &event);
}

void rig_remove(struct rig *rig, uint32_t id)
{
	struct views_event event = {.kind = VIEWS_REMOVE, .operator = {.token = 9, .id = id}};

	rig_step(rig, &event);
}

void rig_upgrade(struct rig *rig)
{
	rig_step(rig, &(struct views_event){.kind = VIEWS_UPGRADE, .operator = {.token = 10}});
}

void rig_promote(struct rig *rig, uint32_t id, bool confirm)
{
	struct views_event event = {.kind = VIEWS_PROMOTE, .operator = {.token = 8, .id = id, .confirm = confirm}};

	rig_step(rig, &event);
}

const struct views_action *rig_did(const struct rig *rig, enum views_action_kind kind)
{
	for (uint32_t i = 0; i < rig->actions.count; i++) {
		if (rig->actions.list[i].kind == kind)
			return &rig->actions.list[i];
	}
	return NULL;
}

bool rig_logged(const struct rig *rig, const char *text)
{
	for (uint64_t i = 0; i < 64 && i < rig->logs; i++) {
		if (strstr(rig->log[i], text) != NULL)
			return true;
	}
	return false;
}

bool rig_members(const struct rig *rig, const char *ids)
{
	const struct view *view = views_current(rig->views);
	char text[256] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < view->members_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, i == 0 ? "%u" : " %u", view->members[i].id);
	return strcmp(text, ids) == 0;
}
