/* A front-end's process: the view manager, the router and their driver, a view file, and connections to the replicas
 * (frontend/manager.c, links.c, client_requests.c). */
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

/* A, and A' after it has lost its data directory. */
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

/* --- what its driver asks for ------------------------------------------------------------------------------------- */

static void get_clock(void *context, uint64_t *now_ms, int64_t *wall_us)
{
	const struct front_process *f = context;

	*now_ms = now(f->stage, f);
	*wall_us = (int64_t)f->stage->now_ms * 1000; /* what jumps is the clock that timers stand on */
}

static struct uuid draw(void *context)
{
	const struct front_process *f = context;

	return stage_draw(f->stage);
}

static void decided(void *context)
{
	note_manager(context);
}

static void connect_to(void *context, uint32_t id, const char *address, const struct identity *me)
{
	struct front_process *f = context;
	struct stage *s = f->stage;
	struct item *hello = item_new(ITEM_HELLO);

	if (f->links[id] != NULL)
		net_close(s, f->links[id], 0);
	f->links[id] = net_open(s, f->process->number, id, (uint32_t)strtoul(address, NULL, 10));
	hello->me = *me;
	hello->you.id = id;
	net_send(s, f->links[id], 0, hello);
}

static void disconnect(void *context, uint32_t id)
{
	struct front_process *f = context;
	struct conn *conn = f->links[id];

	f->links[id] = NULL;
	if (conn != NULL)
		net_close(f->stage, conn, 0);
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

static void heartbeat(void *context, uint32_t id, uint64_t view, bool retire)
{
	struct front_process *f = context;

	manage(f->stage, f, id, ITEM_HEARTBEAT, view, retire);
}

static void install(void *context, uint32_t id, const struct view *view)
{
	struct front_process *f = context;

	manage(f->stage, f, id, ITEM_INSTALL, view->number, false);
}

static void bind_to(void *context, uint32_t id, struct uuid manager)
{
	struct front_process *f = context;

	(void)manager; /* every message names it */
	manage(f->stage, f, id, ITEM_BIND, 0, false);
}

static void store(void *context, uint64_t ticket, const struct views_stored *stored)
{
	struct front_process *f = context;
	struct stage *s = f->stage;
	struct item *item = item_new(ITEM_FILE);
	struct text text = {.size = 0};

	f->storing = *stored;
	item->from = item->to = f->process->number;
	item->ticket = ticket;
	show_view(&text, &f->storing.view);
	for (uint32_t i = 0; i < stored->marks.count; i++)
		text_add(&text, "; %" PRIu32 " computes another state", stored->marks.list[i].id);
	stage_say(s, "%s writes %s to its file", name_of(f), text.bytes);
	free(text.bytes);
	item_queue(s, item);
}

static void serves(void *context, uint32_t id, uint64_t view, uint64_t commit)
{
	struct front_process *f = context;
	uint64_t floor = router_floor(f->router);

	stage_say(f->stage, "%s routes to %" PRIu32 " in view %" PRIu64 ", floor %" PRIu64, name_of(f), id, view,
		  commit > floor ? commit : floor);
}

static void answer_operator(void *context, uint64_t token, enum views_outcome outcome, const char *text)
{
	static const char *const outcomes[] = {
		[VIEWS_REFUSED] = "no", [VIEWS_DONE] = "done", [VIEWS_UNSURE] = "unsure"};
	struct front_process *f = context;

	(void)token;
	stage_say(f->stage, "%s tells the operator: %s: %s", name_of(f), outcomes[outcome], text);
}

static void reset_floor(void *context)
{
	struct front_process *f = context;

	stage_say(f->stage, "%s forgets its floor", name_of(f));
}

static void clean(void *context, uint32_t id, const char *address)
{
	(void)context;
	(void)id;
	(void)address;
}

static void say(void *context, int level, const char *text)
{
	struct front_process *f = context;

	(void)level;
	stage_say(f->stage, "%s: %s", name_of(f), text);
}

static void leave(void *context, const char *text)
{
	struct front_process *f = context;

	stage_say(f->stage, "%s ends: %s", name_of(f), text);
	f->leaving = true;
}

static void set_deadline(void *context, uint64_t deadline_ms, uint64_t now_ms)
{
	struct front_process *f = context;

	(void)now_ms;
	f->deadline_ms = deadline_ms;
}

static const struct driver_shell shell = {
	.clock = get_clock,
	.draw = draw,
	.decided = decided,
	.connect = connect_to,
	.disconnect = disconnect,
	.heartbeat = heartbeat,
	.store = store,
	.install = install,
	.bind = bind_to,
	.serves = serves,
	.answer = answer_operator,
	.forgets_floor = reset_floor,
	.clean = clean,
	.log = say,
	.leave = leave,
	.deadline = set_deadline,
};

static void end_if_leaving(struct front_process *f)
{
	if (f->leaving)
		front_kill(f->stage, f);
}

void front_tell_demand(struct front_process *f)
{
	driver_demand(f->driver);
	end_if_leaving(f);
}

void front_step(struct front_process *f, const struct views_event *event)
{
	driver_step(f->driver, event);
	end_if_leaving(f);
}

/* --- what comes to it --------------------------------------------------------------------------------------------- */

static void take_report(struct front_process *f, const struct item *item)
{
	if (item->kind == ITEM_BOUND && item->ok)
		driver_bound(f->driver, item->from, &item->report);
	else
		driver_report(f->driver, item->from, &item->report);
	end_if_leaving(f);
}

/* As rpc/cluster/hello.c reads it. */
static void take_hello(struct front_process *f, const struct item *item)
{
	char text[REPORT_TEXT_SIZE] = "no";

	if (item->status == HELLO_OTHER_FORMAT)
		format_range_explain(item->me.formats, f->process->formats, item->me.format, "the replica", "the front-end",
				     text, sizeof text);
	driver_hello(f->driver, &(struct views_hello){.id = item->from, .status = item->status, .text = text,
						      .identity = &item->me, .report = &item->report});
	end_if_leaving(f);
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
		router_answered(f->router, &request->head, reply_of(item), item->kind == ITEM_READ ? item->op : item->shows, item, now(s, f));
}

static void take_file(struct front_process *f, const struct item *item)
{
	if (!f->fails) {
		f->stored = f->storing;
		f->has_file = true;
	}
	front_step(f, &(struct views_event){.kind = VIEWS_STORED,
					       .stored = {.ticket = item->ticket, .ok = !f->fails}});
}

void front_take(struct stage *s, struct front_process *f, struct item *item)
{
	if (item->kind == ITEM_FILE) {
		take_file(f, item);
		return;
	}
	if (f->links[item->from] != item->conn)
		return; /* of a connection that was closed */
	switch (item->kind) {
	case ITEM_HELLO_REPLY:
		take_hello(f, item);
		return;
	case ITEM_REPORT:
	case ITEM_INSTALLED:
	case ITEM_BOUND:
		take_report(f, item);
		return;
	case ITEM_ANSWER:
	case ITEM_READ:
		take_answer(s, f, item);
		return;
	case ITEM_CLOSED:
	case ITEM_REFUSED:
		item->conn->open[0] = false;
		f->links[item->from] = NULL;
		driver_lost(f->driver, item->from, item->kind == ITEM_REFUSED);
		end_if_leaving(f);
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
	if (f->deadline_ms <= now(s, f))
		front_step(f, &(struct views_event){.kind = VIEWS_TICK});
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
		front_step(f, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = address}});
	}
	if (f->process->alive)
		front_step(f, &(struct views_event){.kind = VIEWS_DUMPED,
						       .dumped = {.complete = !s->hosts_silent, .ids = ids,
								  .ids_count = count}});
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void front_start(struct stage *s, struct front_process *f, bool may_form, bool take_over)
{
	const struct views_options options = {.formats = f->process->formats, .heartbeat_ms = 50,
					      .suspect_ms = 250, .stall_ms = 2000,
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
	f->leaving = false;
	f->take_over = take_over;
	f->views = views_new(&options);
	f->router = router_new(&routing, &front_router_shell, f);
	f->driver = driver_new(f->views, f->router, f->process->incarnation, &shell, f);
	if (f->has_file)
		stage_say(s, "%s starts, its file holds view %" PRIu64, name_of(f), f->stored.view.number);
	else
		stage_say(s, "%s starts without a view file", name_of(f));
	front_step(f, &(struct views_event){.kind = VIEWS_START,
					       .start = {.stored = f->has_file ? &f->stored : NULL}});
	front_discover(s, f);
}

void front_kill(struct stage *s, struct front_process *f)
{
	must(f->process->alive);
	net_kill(s, f->process->number);
	f->process->alive = f->process->paused = false;
	memset(f->links, 0, sizeof f->links);
	driver_free(f->driver);
	router_free(f->router);
	views_free(f->views);
	f->driver = NULL;
	f->router = NULL;
	f->views = NULL;
}
