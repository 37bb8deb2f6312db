/* The front-end's process: the view manager and its driver, a store, and connections to the replicas
 * (frontend/manager.c, links.c). Its router is in world_route.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/checker.h"

uint64_t front_ms(const struct world *w)
{
	return world_ms(w) + w->front->clock_ms;
}

/* --- what its driver asks for ------------------------------------------------------------------------------------- */

static void get_clock(void *context, uint64_t *now_ms, int64_t *wall_us)
{
	const struct world *w = context;

	*now_ms = front_ms(w);
	*wall_us = (int64_t)w->now_us;
}

static struct uuid draw(void *context)
{
	return world_uuid(context);
}

static void connect_to(void *context, uint32_t id, const char *address, const struct identity *me)
{
	struct world *w = context;
	struct hello *hello = world_alloc(sizeof *hello);

	if (w->front->links[id] != NULL)
		net_close(w, w->front->links[id], CLIENT_END);
	w->front->links[id] = net_open(w, w->front->process, id, address);
	hello->me = *me;
	hello->you.id = id;
	net_send(w, w->front->links[id], CLIENT_END, &(struct message){.kind = MSG_HELLO, .hello = hello});
}

static void disconnect(void *context, uint32_t id)
{
	struct world *w = context;

	if (w->front->links[id] != NULL)
		net_close(w, w->front->links[id], CLIENT_END);
	w->front->links[id] = NULL;
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

static void heartbeat(void *context, uint32_t id, uint64_t view, bool retire)
{
	manage(context, id, MSG_HEARTBEAT, view, retire);
}

static void install(void *context, uint32_t id, const struct view *view)
{
	check_goes_on(context);
	manage(context, id, MSG_INSTALL, view->number, false);
}

static void bind_to(void *context, uint32_t id, struct uuid manager)
{
	(void)manager; /* every message names it */
	manage(context, id, MSG_BIND, 0, false);
}

static void store(void *context, uint64_t ticket, const struct views_stored *stored)
{
	struct world *w = context;

	w->front->storing = *stored;
	check_stored(w, &w->front->stored.view, &w->front->storing.view);
	w->front->storing_ticket = ticket;
	world_at(w, 200 + world_draw(w, world_percent(w, 10) ? 300000 : 3000),
		 (struct world_event){.kind = EV_STORED, .node = w->front->process, .life = w->front->life, .value = ticket});
}

static void serves(void *context, uint32_t id, uint64_t view, uint64_t commit)
{
	struct world *w = context;

	(void)commit;
	check_goes_on(w);
	world_say(w, "front-end %" PRIu32 ": view %" PRIu64 " is served by %" PRIu32, w->front->process, view, id);
}

static void answer_operator(void *context, uint64_t token, enum views_outcome outcome, const char *text)
{
	(void)context;
	(void)token;
	(void)outcome;
	(void)text;
}

static void clean(void *context, uint32_t id, const char *address)
{
	struct world *w = context;
	struct node *node = &w->nodes[id];

	if (strcmp(node->registered, address) == 0 && !node->alive)
		node->registered[0] = 0;
}

static void say(void *context, int level, const char *text)
{
	struct world *w = context;

	(void)level;
	w->counts->full_moves += strstr(text, "disk is full: switchover") != NULL;
	world_say(w, "front-end %" PRIu32 " says: %s", w->front->process, text);
	if (strstr(text, "learner") != NULL)
		w->counts->admissions++;
	if (w->profile.hurt_disks) /* repeated until it has been done */
		return;
	if (strstr(text, "lost data") != NULL || strstr(text, "damaged") != NULL ||
	    strstr(text, "set its data aside and to") != NULL)
		world_fail(w, 14, "the front-end says: %s", text);
}

static void leave(void *context, const char *text)
{
	struct world *w = context;

	world_say(w, "front-end %" PRIu32 " exits: %s", w->front->process, text);
	if (strstr(text, "managed") != NULL)
		w->counts->left_alone++;
	else
		w->counts->replaced++;
	if (!w->profile.old_directory && !w->profile.two_fronts)
		world_fail(w, 20, "the only front-end exits: %s", text);
	w->front->exiting = true;
}

static void set_deadline(void *context, uint64_t deadline_ms, uint64_t now_ms)
{
	struct world *w = context;
	struct front *front = w->front;

	(void)now_ms;
	if (front->exiting)
		return;
	front->tick_serial++;
	if (deadline_ms == UINT64_MAX)
		return;
	must(deadline_ms >= front->clock_ms);
	uint64_t at_us = (deadline_ms - front->clock_ms) * 1000;

	world_at(w, at_us > w->now_us ? at_us - w->now_us : 0,
		 (struct world_event){.kind = EV_VIEWS_TICK, .node = front->process, .life = front->life,
				      .value = front->tick_serial});
}

static const struct driver_shell shell = {
	.clock = get_clock,
	.draw = draw,
	.connect = connect_to,
	.disconnect = disconnect,
	.heartbeat = heartbeat,
	.store = store,
	.install = install,
	.bind = bind_to,
	.serves = serves,
	.answer = answer_operator,
	.clean = clean,
	.log = say,
	.leave = leave,
	.deadline = set_deadline,
};

/* An operator sets the data directory of a front-end that has exited aside, as it asks for, and starts another one. */
static void end_if_exiting(struct world *w)
{
	struct front *front = w->front;

	if (!front->exiting)
		return;
	front_kill(w);
	memset(&front->stored, 0, sizeof front->stored);
	if (w->calm || !w->profile.two_fronts || world_percent(w, 50))
		world_at(w, world_draw(w, 1000000), (struct world_event){.kind = EV_START, .node = front->process});
}

static void step(struct world *w, struct views_event *event)
{
	if (!w->front->alive)
		return;
	driver_step(w->front->driver, event);
	end_if_exiting(w);
}

/* --- what the replicas say ---------------------------------------------------------------------------------------- */

static void watch(struct world *w, struct conn *conn)
{
	if (conn->watching)
		return;
	conn->watching = true;
	net_send(w, conn, CLIENT_END, &(struct message){.kind = MSG_WATCH, .seen = conn->news});
}

static void take_report(struct world *w, struct conn *conn, const struct message *message)
{
	const struct report *report = &message->managed->report;
	bool bound = message->kind == MSG_REPLY_BIND && message->managed->ok;

	conn->news = report->news;
	if (message->kind == MSG_REPLY_WATCH)
		conn->watching = false;
	if (message->kind == MSG_REPLY_WATCH || bound)
		watch(w, conn);
	if (bound)
		driver_bound(w->front->driver, conn->id, report);
	else
		driver_report(w->front->driver, conn->id, report);
	end_if_exiting(w);
}

static void take_hello(struct world *w, struct conn *conn, const struct hello *hello)
{
	conn->up = true;
	conn->news = hello->report.news;
	if (hello->status == HELLO_OK)
		watch(w, conn);
	driver_hello(w->front->driver, &(struct views_hello){.id = conn->id, .status = hello->status, .text = "no",
							     .identity = &hello->me, .report = &hello->report});
	end_if_exiting(w);
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
		take_report(w, conn, message);
		return;
	case MSG_REPLY_WATCH:
	case MSG_REPLY_INSTALL:
	case MSG_REPLY_BIND:
		take_report(w, conn, message);
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
	driver_lost(w->front->driver, conn->id, refused);
	end_if_exiting(w);
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
	/* A take-over has heard all: its view is not an old one. */
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
		driver_demand(w->front->driver);
		end_if_exiting(w);
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

	/* An operator who now and then moves the primary, or removes a lost replica, rightly or wrongly. */
	uint64_t token = ++w->front->operator_token;

	if (id > 0 && world_percent(w, 30))
		step(w, &(struct views_event){.kind = VIEWS_REMOVE, .operator = {.token = token, .id = id}});
	else
		step(w, &(struct views_event){.kind = VIEWS_SWITCHOVER, .operator = {.token = token, .id = id}});
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
	/* --new-cluster is given once. */
	struct views_options options = {.formats = FORMAT_RANGE_OWN, .heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000, .start_wait_ms = 2000,
					.forget_ms = 20000, .new_cluster = !w->ever_stored && w->front->process == FRONT,
					.take_over = w->profile.take_over && w->front->process == SECOND_FRONT};

	struct uuid incarnation;

	must(!w->front->alive);
	w->front->alive = true;
	w->front->life++;
	w->front->take_over = options.take_over;
	incarnation = world_uuid(w);
	w->front->clock_ms = world_clock(w);
	w->front->views = views_new(&options);
	w->front->router = router_new(&router_options, &route_shell, w);
	w->front->driver = driver_new(w->front->views, w->front->router, incarnation, &shell, w);
	w->front->demand_due = w->front->router_due = false;
	world_say(w, "front-end %" PRIu32 " starts, stored view %" PRIu64, w->front->process, w->front->stored.view.number);
	bool has_file = w->front->stored.view.number > 0;

	step(w, &(struct views_event){.kind = VIEWS_START, .start = {.stored = has_file ? &w->front->stored : NULL}});
	world_at(w, world_draw(w, 20000),
		 (struct world_event){.kind = EV_DISCOVER, .node = w->front->process, .life = w->front->life});
}

void front_kill(struct world *w)
{
	must(w->front->alive);
	world_say(w, "front-end %" PRIu32 " is killed", w->front->process);
	net_kill(w, w->front->process);
	/* The file is replaced atomically: it is the old one or the new one. */
	if (w->front->storing_ticket != 0 && !w->front->fail_stores && world_percent(w, 50))
		store_ends(w);
	w->front->storing_ticket = 0;
	w->front->alive = w->front->exiting = false;
	w->front->paused_until_us = 0;
	memset(w->front->links, 0, sizeof w->front->links);
	driver_free(w->front->driver);
	router_free(w->front->router);
	views_free(w->front->views);
	for (uint32_t i = 0; i < WORLD_CLIENTS + WORLD_STRAYS; i++) {
		if (w->clients[i].in_router && w->clients[i].home == w->front)
			client_lost(w, &w->clients[i]);
	}
}
