/* The front-end's process: the view manager's core, a store, and connections to the replicas (frontend/manager.c,
 * links.c). Its router is in world_route.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/checker.h"

uint64_t front_ms(const struct world *w)
{
	return world_ms(w) + w->front->clock_ms;
}

/* --- the view manager's actions ----------------------------------------------------------------------------------- */

static void step(struct world *w, struct views_event *event);

static bool reads_able(struct world *w, uint32_t id, const struct report *report)
{
	const struct view *view = views_current(w->front->views);

	return report->state == STATE_FOLLOWING && report->view.number == view->number &&
	       view_member_exact(view, id, report->uuid) != NULL && router_serving(w->front->router);
}

static void route(struct world *w, uint32_t id, uint64_t view, uint64_t commit)
{
	static struct views_row rows[LIMIT_REPLICAS];
	uint32_t count;

	router_route(w->front->router, view, id, commit, front_ms(w));
	count = views_rows(w->front->views, front_ms(w), rows);
	for (uint32_t i = 0; i < count; i++) {
		if (rows[i].reachable && rows[i].report != NULL)
			router_reader(w->front->router, rows[i].id, reads_able(w, rows[i].id, rows[i].report));
	}
}

static void connect_to(struct world *w, uint32_t id, const char *address)
{
	const struct view *view = views_current(w->front->views);
	struct hello *hello = world_alloc(sizeof *hello);

	router_link(w->front->router, id, false, front_ms(w));
	if (w->front->links[id] != NULL)
		net_close(w, w->front->links[id], CLIENT_END);
	w->front->links[id] = net_open(w, w->front->process, id, address);
	hello->me = (struct identity){.uuid = views_manager(w->front->views), .incarnation = w->front->incarnation,
				      .cluster = view->cluster, .generation = view->generation};
	hello->you.id = id;
	net_send(w, w->front->links[id], CLIENT_END, &(struct message){.kind = MSG_HELLO, .hello = hello});
}

static void disconnect(struct world *w, uint32_t id)
{
	if (w->front->links[id] != NULL)
		net_close(w, w->front->links[id], CLIENT_END);
	w->front->links[id] = NULL;
	router_link(w->front->router, id, false, front_ms(w));
}

static void manage(struct world *w, uint32_t id, enum message_kind kind, uint64_t view, bool retire)
{
	struct conn *conn = w->front->links[id];
	struct managing *managing;

	if (conn == NULL || (kind == MSG_HEARTBEAT && conn->heartbeats >= 8))
		return;
	managing = world_alloc(sizeof *managing);
	managing->number = view;
	managing->retire = retire;
	managing->take_over = w->front->take_over;
	managing->manager = views_manager(w->front->views);
	managing->view = *views_current(w->front->views);
	views_peers(w->front->views, &managing->peers);
	managing->has_peers = kind == MSG_INSTALL || memcmp(&managing->peers, &conn->told, sizeof conn->told) != 0 ||
			      world_percent(w, 5);
	if (kind == MSG_HEARTBEAT) {
		conn->heartbeats++;
		conn->told = managing->peers;
	} else {
		world_say(w, "front-end: %s to %" PRIu32, kind == MSG_INSTALL ? "INSTALL" : "BIND", id);
	}
	if (kind == MSG_INSTALL && (managing->view.number != w->front->stored.view.number ||
				    !view_equal(&managing->view, &w->front->stored.view)))
		world_fail(w, 2, "view %" PRIu64 " is installed and not stored", managing->view.number);
	net_send(w, conn, CLIENT_END, &(struct message){.kind = kind, .managing = managing});
}

static void store(struct world *w, uint64_t ticket)
{
	w->front->storing = *views_to_store(w->front->views);
	check_stored(w, &w->front->stored.view, &w->front->storing.view);
	w->front->storing_ticket = ticket;
	world_at(w, 200 + world_draw(w, world_percent(w, 10) ? 300000 : 3000),
		 (struct world_event){.kind = EV_STORED, .node = w->front->process, .life = w->front->life, .value = ticket});
}

static void front_says(struct world *w, const char *text)
{
	w->counts->full_moves += strstr(text, "disk is full: switchover") != NULL;
	world_say(w, "front-end %" PRIu32 " says: %s", w->front->process, text);
	if (strstr(text, "learner") != NULL)
		w->counts->admissions++;
	if (w->profile.hurt_disks) /* said again until it has been done */
		return;
	if (strstr(text, "lost data") != NULL || strstr(text, "damaged") != NULL ||
	    strstr(text, "set its data aside and to") != NULL)
		world_fail(w, 14, "the front-end says: %s", text);
}

static void clean(struct node *node, const char *address)
{
	if (strcmp(node->registered, address) == 0 && !node->alive)
		node->registered[0] = 0;
}

static void front_exits(struct world *w, const char *text)
{
	world_say(w, "front-end %" PRIu32 " exits: %s", w->front->process, text);
	if (strstr(text, "managed") != NULL)
		w->counts->left_alone++;
	else
		w->counts->replaced++;
	if (!w->profile.old_directory && !w->profile.two_fronts)
		world_fail(w, 20, "the only front-end exits: %s", text);
	w->front->exiting = true;
}

static void carry_out(struct world *w, const struct views_action *action)
{
	switch (action->kind) {
	case VIEWS_DO_CONNECT:
		connect_to(w, action->connect.id, action->connect.address);
		return;
	case VIEWS_DO_DISCONNECT:
		disconnect(w, action->disconnect.id);
		return;
	case VIEWS_DO_HEARTBEAT:
		manage(w, action->heartbeat.id, MSG_HEARTBEAT, action->heartbeat.view,
		       action->heartbeat.retire);
		return;
	case VIEWS_DO_STORE:
		store(w, action->store.ticket);
		return;
	case VIEWS_DO_INSTALL:
		check_goes_on(w);
		manage(w, action->install.id, MSG_INSTALL, views_current(w->front->views)->number, false);
		return;
	case VIEWS_DO_BIND:
		manage(w, action->bind.id, MSG_BIND, 0, false);
		return;
	case VIEWS_DO_ROUTE:
		check_goes_on(w);
		world_say(w, "front-end %" PRIu32 ": view %" PRIu64 " is served by %" PRIu32, w->front->process,
			  action->route.view, action->route.id);
		route(w, action->route.id, action->route.view, action->route.commit);
		return;
	case VIEWS_DO_HOLD:
		router_hold(w->front->router, action->hold.text);
		return;
	case VIEWS_DO_ANSWER:
	case VIEWS_DO_RESET_FLOOR:
		return;
	case VIEWS_DO_CLEAN:
		clean(&w->nodes[action->clean.id], action->clean.address);
		return;
	case VIEWS_DO_LOG:
		front_says(w, action->log.text);
		return;
	case VIEWS_DO_EXIT:
		front_exits(w, action->exit.text);
		return;
	}
}

static void step_one(struct world *w, struct views_event *event)
{
	struct front *front = w->front;

	event->now_ms = front_ms(w);
	event->wall_us = (int64_t)w->now_us;
	event->floor = router_floor(front->router);
	event->fresh[0] = world_uuid(w);
	event->fresh[1] = world_uuid(w);
	views_step(front->views, event, front->actions);
	for (uint32_t i = 0; i < front->actions->count; i++)
		carry_out(w, &front->actions->list[i]);
	if (front->exiting) { /* the operator puts its directory away, as it says, and starts another */
		front_kill(w);
		memset(&front->stored, 0, sizeof front->stored);
		if (w->calm || !w->profile.two_fronts || world_percent(w, 50))
			world_at(w, world_draw(w, 1000000), (struct world_event){.kind = EV_START, .node = front->process});
		return;
	}
	front->tick_serial++;
	if (front->actions->deadline_ms == UINT64_MAX)
		return;
	must(front->actions->deadline_ms >= front->clock_ms);
	uint64_t at_us = (front->actions->deadline_ms - front->clock_ms) * 1000;

	world_at(w, at_us > w->now_us ? at_us - w->now_us : 0,
		 (struct world_event){.kind = EV_VIEWS_TICK, .node = front->process, .life = front->life,
				      .value = front->tick_serial});
}

static void tell_demand(struct world *w)
{
	uint32_t waiting = router_waiting(w->front->router);

	if ((waiting > 0) == w->front->demand_told)
		return;
	w->front->demand_told = waiting > 0;
	step_one(w, &(struct views_event){.kind = VIEWS_DEMAND, .demand = {.waiting = waiting}});
}

static void step(struct world *w, struct views_event *event)
{
	if (w->front->alive)
		tell_demand(w);
	if (w->front->alive) /* it may have ended meanwhile */
		step_one(w, event);
}

/* --- what the replicas say ---------------------------------------------------------------------------------------- */

static void watch(struct world *w, struct conn *conn)
{
	if (conn->watching)
		return;
	conn->watching = true;
	net_send(w, conn, CLIENT_END, &(struct message){.kind = MSG_WATCH, .seen = conn->news});
}

static void take_report(struct world *w, struct conn *conn, const struct message *message, enum views_event_kind kind)
{
	const struct report *report = &message->managed->report;

	conn->news = report->news;
	if (message->kind == MSG_REPLY_WATCH)
		conn->watching = false;
	if (message->kind == MSG_REPLY_WATCH || (message->kind == MSG_REPLY_BIND && message->managed->ok))
		watch(w, conn);
	if (kind == VIEWS_BOUND)
		router_link(w->front->router, conn->id, true, front_ms(w));
	else
		router_reader(w->front->router, conn->id, reads_able(w, conn->id, report));
	if (kind == VIEWS_BOUND)
		step(w, &(struct views_event){.kind = VIEWS_BOUND, .bound = {.id = conn->id, .report = report}});
	else
		step(w, &(struct views_event){.kind = VIEWS_REPORT, .report = {.id = conn->id, .report = report}});
}

static void take_hello(struct world *w, struct conn *conn, const struct hello *hello)
{
	conn->up = true;
	conn->news = hello->report.news;
	if (hello->status == 0) {
		watch(w, conn);
		router_link(w->front->router, conn->id, true, front_ms(w));
	}
	step(w, &(struct views_event){.kind = VIEWS_HELLO,
				      .hello = {.id = conn->id, .status = hello->status, .text = "no",
						.identity = &hello->me, .report = &hello->report}});
}

void front_heard(struct world *w, struct conn *conn, const struct message *message)
{
	if (w->front->links[conn->id] != conn)
		return;
	switch (message->kind) {
	case MSG_REPLY_HELLO:
		take_hello(w, conn, message->hello);
		return;
	case MSG_REPLY_REPORT:
		conn->heartbeats--;
		take_report(w, conn, message, VIEWS_REPORT);
		return;
	case MSG_REPLY_WATCH:
	case MSG_REPLY_INSTALL:
		take_report(w, conn, message, VIEWS_REPORT);
		return;
	case MSG_REPLY_BIND:
		take_report(w, conn, message, message->managed->ok ? VIEWS_BOUND : VIEWS_REPORT);
		return;
	default:
		route_answered(w, message);
		return;
	}
}

void front_lost(struct world *w, struct conn *conn, bool refused)
{
	if (w->front->links[conn->id] != conn)
		return;
	w->front->links[conn->id] = NULL;
	router_link(w->front->router, conn->id, false, front_ms(w));
	step(w, &(struct views_event){.kind = VIEWS_LOST, .lost = {.id = conn->id, .refused = refused}});
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void discover(struct world *w)
{
	uint32_t ids[WORLD_NODES], count = 0;

	for (uint32_t id = 1; id <= w->profile.nodes && w->front->alive; id++) {
		char address[LIMIT_ADDRESS_BYTES];

		if (w->nodes[id].registered[0] == 0)
			continue;
		memcpy(address, w->nodes[id].registered, sizeof address);
		ids[count++] = id;
		step(w, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = address}});
	}
	step(w, &(struct views_event){.kind = VIEWS_DUMPED,
				      .dumped = {.complete = true, .ids = ids, .ids_count = count}});
}

static void store_ends(struct world *w)
{
	/* A take-over has asked everybody: its view is no old one. */
	if (!uuid_equal(w->front->stored.view.manager, w->front->storing.view.manager))
		w->front->restored = false;
	w->front->stored = w->front->storing;
	w->ever_stored = true;
}

static void stored(struct world *w, uint64_t ticket)
{
	bool ok = !w->front->fail_stores;

	if (ok) {
		if (world_percent(w, 20))
			w->front->old = w->front->stored;
		store_ends(w);
	}
	w->front->storing_ticket = 0;
	step(w, &(struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = ticket, .ok = ok}});
}

void front_event(struct world *w, const struct world_event *event)
{
	if (!w->front->alive)
		return;
	switch (event->kind) {
	case EV_VIEWS_TICK:
		if (event->value == w->front->tick_serial)
			step(w, &(struct views_event){.kind = VIEWS_TICK});
		return;
	case EV_ROUTER_TICK:
		w->front->router_due = false;
		router_tick(w->front->router, front_ms(w));
		if (router_waiting(w->front->router) > 0)
			route_tick_soon(w);
		return;
	case EV_DEMAND:
		w->front->demand_due = false;
		tell_demand(w);
		return;
	case EV_STORED:
		stored(w, event->value);
		return;
	case EV_DISCOVER:
		discover(w);
		if (event->value == 0)
			world_at(w, 1000000, *event);
		return;
	default:
		route_call_late(w, event->pointer, event->value);
		return;
	}
}

void front_switchover(struct world *w)
{
	uint32_t id = world_draw(w, w->profile.nodes + 1);

	/* An operator who moves the primary now and then says which lost one will not come back, rightly or wrongly. */
	uint64_t token = ++w->front->operator_token;

	if (id > 0 && world_percent(w, 30))
		step(w, &(struct views_event){.kind = VIEWS_REMOVE, .remove = {.token = token, .id = id}});
	else
		step(w, &(struct views_event){.kind = VIEWS_SWITCHOVER, .switchover = {.token = token, .id = id}});
}

/* --- life --------------------------------------------------------------------------------------------------------- */

struct front *front_of(struct world *w, uint32_t process)
{
	if (process == FRONT)
		return &w->fronts[0];
	return process == SECOND_FRONT ? &w->fronts[1] : NULL;
}

void front_start(struct world *w)
{
	struct router_options router_options = {.queue_max = 1000, .default_timeout_ms = 5000, .backup_timeout_ms = 250,
						.retry_ms = 50, .writes_window = w->profile.writes_window,
						.reads_window = w->profile.reads_window};
	/* The operator's word for a new cluster is given once. */
	struct views_options options = {.heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000, .start_wait_ms = 2000,
					.forget_ms = 20000, .new_cluster = !w->ever_stored && w->front->process == FRONT,
					.take_over = w->profile.take_over && w->front->process == SECOND_FRONT};

	must(!w->front->alive);
	w->front->alive = true;
	w->front->life++;
	w->front->take_over = options.take_over;
	w->front->incarnation = world_uuid(w);
	w->front->clock_ms = world_clock(w);
	w->front->views = views_new(&options);
	w->front->router = router_new(&router_options, &route_shell, w);
	w->front->actions = world_alloc(sizeof *w->front->actions);
	w->front->demand_told = w->front->demand_due = w->front->router_due = false;
	world_say(w, "front-end %" PRIu32 " starts, stored view %" PRIu64, w->front->process, w->front->stored.view.number);
	bool has_file = w->front->stored.view.number > 0;

	step_one(w, &(struct views_event){.kind = VIEWS_START, .start = {.stored = has_file ? &w->front->stored : NULL}});
	world_at(w, world_draw(w, 20000),
		 (struct world_event){.kind = EV_DISCOVER, .node = w->front->process, .life = w->front->life});
}

void front_kill(struct world *w)
{
	must(w->front->alive);
	world_say(w, "front-end %" PRIu32 " is killed", w->front->process);
	net_kill(w, w->front->process);
	/* A file is replaced in one step: it is the old one or the new one. */
	if (w->front->storing_ticket != 0 && !w->front->fail_stores && world_percent(w, 50))
		store_ends(w);
	w->front->storing_ticket = 0;
	w->front->alive = w->front->exiting = false;
	w->front->paused_until_us = 0;
	memset(w->front->links, 0, sizeof w->front->links);
	router_free(w->front->router);
	views_free(w->front->views);
	free(w->front->actions);
	for (uint32_t i = 0; i < WORLD_CLIENTS + WORLD_STRAYS; i++) {
		if (w->clients[i].in_router && w->clients[i].home == w->front)
			client_lost(w, &w->clients[i]);
	}
}
