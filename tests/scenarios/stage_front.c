/* A front-end's process: the view manager's core, the router, a view file, and connections to the replicas
 * (frontend/manager.c, links.c, requests.c). */
#include "tests/scenarios/stage.h"
#include "tests/unit/support_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *name_of(const struct front_process *f)
{
	return stage_name(f->process->number);
}

static uint64_t now(const struct stage *s, const struct front_process *f)
{
	return stage_now(s, f->process);
}

/* A, and A' after it has lost its directory. */
const char *manager_name(const struct stage *s, struct uuid manager)
{
	static const char *const names[STAGE_FRONTS][8] = {{"A", "A'", "A''", "A'3", "A'4", "A'5", "A'6", "A'7"},
							   {"B", "B'", "B''", "B'3", "B'4", "B'5", "B'6", "B'7"}};

	for (uint32_t i = 0; i < STAGE_FRONTS; i++) {
		for (uint32_t j = 0; j < s->fronts[i].managers_count; j++) {
			if (uuid_equal(s->fronts[i].managers[j], manager))
				return names[i][j];
		}
	}
	return "nobody known";
}

static void note_manager(struct front_process *f)
{
	struct uuid manager = views_manager(f->views);

	for (uint32_t i = 0; i < f->managers_count; i++) {
		if (uuid_equal(f->managers[i], manager))
			return;
	}
	must(f->managers_count < 8);
	f->managers[f->managers_count++] = manager;
}

/* --- the view manager's actions ----------------------------------------------------------------------------------- */

static bool reads_able(struct front_process *f, uint32_t id, const struct report *report)
{
	const struct view *view = views_current(f->views);

	return report->state == STATE_FOLLOWING && report->view.number == view->number &&
	       view_member_exact(view, id, report->uuid) != NULL && router_serving(f->router);
}

static void route(struct stage *s, struct front_process *f, uint32_t id, uint64_t view, uint64_t commit)
{
	static struct views_row rows[LIMIT_REPLICAS];
	uint32_t count;

	stage_say(s, "%s routes to %" PRIu32 " in view %" PRIu64 ", floor %" PRIu64, name_of(f), id, view,
		  commit > router_floor(f->router) ? commit : router_floor(f->router));
	router_route(f->router, view, id, commit, now(s, f));
	count = views_rows(f->views, now(s, f), rows);
	for (uint32_t i = 0; i < count; i++) {
		if (rows[i].reachable && rows[i].report != NULL)
			router_reader(f->router, rows[i].id, reads_able(f, rows[i].id, rows[i].report));
	}
}

static void connect_to(struct stage *s, struct front_process *f, uint32_t id, const char *address)
{
	const struct view *view = views_current(f->views);
	struct item *hello = item_new(ITEM_HELLO);

	router_link(f->router, id, false, now(s, f));
	if (f->links[id] != NULL)
		net_close(s, f->links[id], 0);
	f->links[id] = net_open(s, f->process->number, id, (uint32_t)strtoul(address, NULL, 10));
	hello->me = (struct identity){.uuid = views_manager(f->views), .incarnation = f->process->incarnation,
				      .cluster = view->cluster, .generation = view->generation};
	hello->you.id = id;
	net_send(s, f->links[id], 0, hello);
}

static void disconnect(struct stage *s, struct front_process *f, uint32_t id)
{
	struct conn *conn = f->links[id];

	f->links[id] = NULL;
	if (conn != NULL)
		net_close(s, conn, 0);
	router_link(f->router, id, false, now(s, f));
}

static void manage(struct stage *s, struct front_process *f, uint32_t id, enum item_kind kind, uint64_t view,
		   bool retire)
{
	struct conn *conn = f->links[id];
	struct item *item;

	if (conn == NULL)
		return;
	item = item_new(kind);
	item->number = view;
	item->retire = retire;
	item->take_over = f->take_over;
	item->manager = views_manager(f->views);
	item->view = *views_current(f->views);
	item->has_peers = true;
	views_peers(f->views, &item->peers);
	net_send(s, conn, 0, item);
}

static void store(struct stage *s, struct front_process *f, uint64_t ticket)
{
	struct item *item = item_new(ITEM_FILE);
	struct text text = {.size = 0};

	f->storing = *views_to_store(f->views);
	item->from = item->to = f->process->number;
	item->ticket = ticket;
	show_view(&text, &f->storing.view);
	stage_say(s, "%s writes %s to its file", name_of(f), text.bytes);
	free(text.bytes);
	item_queue(s, item);
}

static void carry_out(struct stage *s, struct front_process *f, const struct views_action *action, bool *ended)
{
	static const char *const outcomes[] = {
		[VIEWS_REFUSED] = "no", [VIEWS_DONE] = "done", [VIEWS_UNSURE] = "unsure"};

	switch (action->kind) {
	case VIEWS_DO_CONNECT:
		connect_to(s, f, action->connect.id, action->connect.address);
		return;
	case VIEWS_DO_DISCONNECT:
		disconnect(s, f, action->disconnect.id);
		return;
	case VIEWS_DO_HEARTBEAT:
		manage(s, f, action->heartbeat.id, ITEM_HEARTBEAT, action->heartbeat.view, action->heartbeat.retire);
		return;
	case VIEWS_DO_STORE:
		store(s, f, action->store.ticket);
		return;
	case VIEWS_DO_INSTALL:
		manage(s, f, action->install.id, ITEM_INSTALL, views_current(f->views)->number, false);
		return;
	case VIEWS_DO_BIND:
		manage(s, f, action->bind.id, ITEM_BIND, 0, false);
		return;
	case VIEWS_DO_ROUTE:
		route(s, f, action->route.id, action->route.view, action->route.commit);
		return;
	case VIEWS_DO_HOLD:
		router_hold(f->router, action->hold.text);
		return;
	case VIEWS_DO_ANSWER:
		stage_say(s, "%s tells the operator: %s: %s", name_of(f), outcomes[action->answer.outcome],
			  action->answer.text);
		return;
	case VIEWS_DO_RESET_FLOOR:
		stage_say(s, "%s forgets its floor", name_of(f));
		router_reset_floor(f->router);
		return;
	case VIEWS_DO_CLEAN:
		return;
	case VIEWS_DO_LOG:
		stage_say(s, "%s: %s", name_of(f), action->log.text);
		return;
	case VIEWS_DO_EXIT:
		stage_say(s, "%s ends: %s", name_of(f), action->exit.text);
		*ended = true;
		return;
	}
}

static void step_one(struct stage *s, struct front_process *f, struct views_event *event)
{
	bool ended = false;

	event->now_ms = now(s, f);
	event->wall_us = (int64_t)s->now_ms * 1000; /* what jumps is the clock that timers stand on */
	event->floor = router_floor(f->router);
	event->fresh[0] = stage_draw(s);
	event->fresh[1] = stage_draw(s);
	views_step(f->views, event, &f->actions);
	note_manager(f);
	for (uint32_t i = 0; i < f->actions.count; i++)
		carry_out(s, f, &f->actions.list[i], &ended);
	if (ended)
		front_kill(s, f);
}

void front_tell_demand(struct stage *s, struct front_process *f)
{
	uint32_t waiting = router_waiting(f->router);

	if ((waiting > 0) == f->demand_told)
		return;
	f->demand_told = waiting > 0;
	step_one(s, f, &(struct views_event){.kind = VIEWS_DEMAND, .demand = {.waiting = waiting}});
}

void front_step(struct stage *s, struct front_process *f, struct views_event *event)
{
	front_tell_demand(s, f);
	if (f->process->alive)
		step_one(s, f, event);
}

/* --- what comes to it --------------------------------------------------------------------------------------------- */

static void take_report(struct stage *s, struct front_process *f, const struct item *item)
{
	bool bound = item->kind == ITEM_BOUND && item->ok;

	if (bound)
		router_link(f->router, item->from, true, now(s, f));
	else
		router_reader(f->router, item->from, reads_able(f, item->from, &item->report));
	if (bound)
		front_step(s, f, &(struct views_event){.kind = VIEWS_BOUND,
						       .bound = {.id = item->from, .report = &item->report}});
	else
		front_step(s, f, &(struct views_event){.kind = VIEWS_REPORT,
						       .report = {.id = item->from, .report = &item->report}});
}

static void take_hello(struct stage *s, struct front_process *f, const struct item *item)
{
	if (item->status == 0)
		router_link(f->router, item->from, true, now(s, f));
	front_step(s, f, &(struct views_event){.kind = VIEWS_HELLO,
					       .hello = {.id = item->from, .status = item->status, .text = "no",
							 .identity = &item->me, .report = &item->report}});
}

static enum router_reply reply_of(const struct item *item)
{
	return item->kind == ITEM_READ ? reply_of_read(item->moved) : reply_of_verdict(item->verdict);
}

static void take_answer(struct stage *s, struct front_process *f, const struct item *item)
{
	struct request *request = &s->requests[item->request];

	bool given_up = request->open && !request->head.sent;

	if (given_up || !request->open || request->serial != item->serial)
		stage_say(s, "%s knows that this answer is out of date", name_of(f));
	if (request->open && request->serial == item->serial)
		router_answered(f->router, &request->head, reply_of(item), item->op, item, now(s, f));
}

static void take_file(struct stage *s, struct front_process *f, const struct item *item)
{
	if (!f->fails) {
		f->stored = f->storing;
		f->has_file = true;
	}
	front_step(s, f, &(struct views_event){.kind = VIEWS_STORED,
					       .stored = {.ticket = item->ticket, .ok = !f->fails}});
}

void front_take(struct stage *s, struct front_process *f, struct item *item)
{
	if (item->kind == ITEM_FILE) {
		take_file(s, f, item);
		return;
	}
	if (f->links[item->from] != item->conn)
		return; /* of a connection that we have given up */
	switch (item->kind) {
	case ITEM_HELLO_REPLY:
		take_hello(s, f, item);
		return;
	case ITEM_REPORT:
	case ITEM_INSTALLED:
	case ITEM_BOUND:
		take_report(s, f, item);
		return;
	case ITEM_ANSWER:
	case ITEM_READ:
		take_answer(s, f, item);
		return;
	case ITEM_CLOSED:
	case ITEM_REFUSED:
		item->conn->open[0] = false;
		f->links[item->from] = NULL;
		router_link(f->router, item->from, false, now(s, f));
		front_step(s, f, &(struct views_event){.kind = VIEWS_LOST,
						       .lost = {.id = item->from,
								.refused = item->kind == ITEM_REFUSED}});
		return;
	default:
		must_not_reach("what a front-end is sent");
	}
}

void front_tick(struct stage *s, struct front_process *f)
{
	for (uint32_t i = 0; i < s->requests_count; i++) {
		struct request *request = &s->requests[i];

		if (request->open && request->front == f->process->number && request->head.sent &&
		    request->late_ms <= now(s, f))
			router_answered(f->router, &request->head, ROUTER_REPLY_AGAIN, 0, NULL, now(s, f));
	}
	router_tick(f->router, now(s, f));
	if (f->actions.deadline_ms <= now(s, f))
		front_step(s, f, &(struct views_event){.kind = VIEWS_TICK});
}

void front_discover(struct stage *s, struct front_process *f)
{
	uint32_t ids[STAGE_REPLICAS], count = 0;

	for (uint32_t id = 1; id <= STAGE_REPLICAS && f->process->alive; id++) {
		char address[LIMIT_ADDRESS_BYTES];

		if (!s->processes[id].registered)
			continue;
		snprintf(address, sizeof address, "%" PRIu32, s->processes[id].life);
		ids[count++] = id;
		front_step(s, f, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = address}});
	}
	if (f->process->alive)
		front_step(s, f, &(struct views_event){.kind = VIEWS_DUMPED,
						       .dumped = {.complete = !s->hosts_silent, .ids = ids,
								  .ids_count = count}});
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void front_start(struct stage *s, struct front_process *f, bool may_form, bool take_over)
{
	const struct views_options options = {.heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000,
					      .start_wait_ms = 2000, .forget_ms = 20000, .new_cluster = may_form,
					      .take_over = take_over};
	const struct router_options routing = {.queue_max = s->queue_max, .default_timeout_ms = 10000,
					       .backup_timeout_ms = 1000, .retry_ms = 50, .writes_window = s->window,
					       .reads_window = s->window};

	must(!f->process->alive);
	f->process->alive = true;
	f->process->paused = false;
	f->process->life++;
	f->process->incarnation = stage_draw(s);
	f->demand_told = false;
	f->take_over = take_over;
	f->views = views_new(&options);
	f->router = router_new(&routing, &front_router_shell, f);
	if (f->has_file)
		stage_say(s, "%s starts, its file holds view %" PRIu64, name_of(f), f->stored.view.number);
	else
		stage_say(s, "%s starts without a view file", name_of(f));
	front_step(s, f, &(struct views_event){.kind = VIEWS_START,
					       .start = {.stored = f->has_file ? &f->stored : NULL}});
	front_discover(s, f);
}

void front_kill(struct stage *s, struct front_process *f)
{
	must(f->process->alive);
	net_kill(s, f->process->number);
	f->process->alive = f->process->paused = false;
	memset(f->links, 0, sizeof f->links);
	router_free(f->router);
	views_free(f->views);
	f->router = NULL;
	f->views = NULL;
}
