#include "frontend/router/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define REASON_SIZE 480
#define WHEEL_SLOTS 512
#define TIMEOUT_MAX_MS 3600000u

_Static_assert(ROUTER_WRITES_WINDOW + ROUTER_READS_WINDOW < LIMIT_CALLS_IN_FLIGHT, "room for heartbeats");

TAILQ_HEAD(requests, router_request);

/* Requests of one kind, from arrival to answer. Any of them may be under way: one that is sent back, or given up with
 * its view, stands between others that are. `cursor` is where the search for the next one to send goes on. What stands
 * before it and is not under way waits for its time (again_ms), which sets the cursor back to the first. */
struct line {
	struct requests all;
	struct router_request *cursor; /* NULL: at the end */
	uint32_t under_way;            /* with sent set */
	uint32_t window;
};

/*             route                      route (another view or primary): all is sent again
 *   HELD -------------> ROUTED ------------------------------> ROUTED
 *    ^                    |
 *    +-------- hold ------+
 */
struct router {
	struct router_options options;
	struct router_shell shell;
	void *context;
	struct line writes, reads;
	uint32_t count;
	bool paused;
	bool routed;
	uint64_t view;
	uint32_t primary;
	uint64_t floor;
	char reason[REASON_SIZE];
	uint32_t readers[LIMIT_REPLICAS];
	uint32_t readers_count;
	uint32_t turn; /* round robin over readers and the primary */
	bool linked[LIMIT_PROGRAM_NUMBERS];
	uint64_t again_ms; /* when the first that waits before a cursor may go again; UINT64_MAX: none does */
	struct requests wheel[WHEEL_SLOTS];
	uint64_t wheel_tick; /* slots up to this tick have been looked at */
};

struct router *router_new(const struct router_options *options, const struct router_shell *shell, void *context)
{
	struct router *router = calloc(1, sizeof *router);

	must_allocate(router);
	must(options->queue_max > 0);
	router->options = *options;
	router->shell = *shell;
	router->context = context;
	TAILQ_INIT(&router->writes.all);
	TAILQ_INIT(&router->reads.all);
	router->writes.window = options->writes_window > 0 ? options->writes_window : ROUTER_WRITES_WINDOW;
	router->reads.window = options->reads_window > 0 ? options->reads_window : ROUTER_READS_WINDOW;
	router->again_ms = UINT64_MAX;
	for (int i = 0; i < WHEEL_SLOTS; i++)
		TAILQ_INIT(&router->wheel[i]);
	snprintf(router->reason, sizeof router->reason, "no primary: starting");
	return router;
}

static void forget_all(struct router *router, struct line *line)
{
	struct router_request *request;

	while ((request = TAILQ_FIRST(&line->all)) != NULL) {
		TAILQ_REMOVE(&line->all, request, order);
		router->shell.forget(router->context, request);
	}
}

void router_free(struct router *router)
{
	forget_all(router, &router->writes);
	forget_all(router, &router->reads);
	free(router);
}

uint32_t router_waiting(const struct router *router)
{
	return router->count;
}

uint64_t router_floor(const struct router *router)
{
	return router->floor;
}

bool router_serving(const struct router *router)
{
	return router->routed;
}

static struct line *line_of(struct router *router, const struct router_request *request)
{
	return request->is_read ? &router->reads : &router->writes;
}

static struct requests *slot_of(struct router *router, uint64_t deadline_ms)
{
	return &router->wheel[deadline_ms / ROUTER_TICK_MS % WHEEL_SLOTS];
}

/* --- the end of a request: the one place where a client gets its answer ------------------------------------------- */

static void not_under_way(struct router *router, struct router_request *request)
{
	struct line *line = line_of(router, request);

	if (!request->sent)
		return;
	must(line->under_way > 0);
	request->sent = false;
	line->under_way--;
}

static void end(struct router *router, struct router_request *request, enum router_end how, const void *payload,
		const char *text)
{
	struct line *line = line_of(router, request);

	/* RULE 12: a write that may have left is never reported as not having happened. */
	must(how == ROUTER_END_ANSWERED || how == ROUTER_END_UNKNOWN || !request->left);
	not_under_way(router, request);
	if (line->cursor == request)
		line->cursor = TAILQ_NEXT(request, order);
	TAILQ_REMOVE(&line->all, request, order);
	TAILQ_REMOVE(slot_of(router, request->deadline_ms), request, slot);
	must(router->count > 0);
	router->count--;
	router->shell.answer(router->context, request, how, payload, text);
	if (router->paused && router->count <= router->options.queue_max / 4 * 3) {
		router->paused = false;
		router->shell.pause(router->context, false);
	}
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static uint32_t choose_reader(struct router *router)
{
	uint32_t turn = router->turn++ % (router->readers_count + 1);

	return turn < router->readers_count ? router->readers[turn] : router->primary;
}

static uint32_t call_timeout(const struct router *router, const struct router_request *request, bool at_primary,
			     uint64_t now_ms)
{
	uint64_t left = request->deadline_ms > now_ms ? request->deadline_ms - now_ms : 0;

	/* One second more, so that the router answers at the deadline and not the channel. */
	return at_primary ? (uint32_t)left + 1000 : router->options.backup_timeout_ms;
}

static bool may_send(const struct router *router)
{
	return router->routed && router->linked[router->primary];
}

static void send(struct router *router, struct router_request *request, uint64_t now_ms)
{
	uint32_t to = router->primary;

	must(may_send(router));
	must(!request->sent);
	if (request->is_read && !request->to_primary)
		to = choose_reader(router);
	else if (!request->is_read)
		request->left = true;
	request->sent = true;
	request->rejected = false;
	request->again_ms = 0;
	request->calls++;
	request->to = to;
	request->floor = router->floor; /* RULE 8: known, because a route is */
	line_of(router, request)->under_way++;
	router->shell.send(router->context, request, to, router->view, router->floor, to == router->primary,
			   call_timeout(router, request, to == router->primary, now_ms));
}

static void wait_until(struct router *router, struct router_request *request, uint64_t again_ms)
{
	must(!request->sent);
	request->again_ms = again_ms;
	if (again_ms < router->again_ms)
		router->again_ms = again_ms;
}

/* Sends what waits, in the order of arrival, as far as the window allows. */
static void pump(struct router *router, struct line *line, uint64_t now_ms)
{
	while (line->cursor != NULL && may_send(router) && line->under_way < line->window) {
		struct router_request *request = line->cursor;

		line->cursor = TAILQ_NEXT(request, order);
		if (request->sent)
			continue;
		if (request->again_ms > now_ms)
			wait_until(router, request, request->again_ms);
		else
			send(router, request, now_ms);
	}
}

static void pump_from_the_first(struct router *router, uint64_t now_ms)
{
	router->again_ms = UINT64_MAX;
	router->reads.cursor = TAILQ_FIRST(&router->reads.all);
	router->writes.cursor = TAILQ_FIRST(&router->writes.all);
	pump(router, &router->writes, now_ms);
	pump(router, &router->reads, now_ms);
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

static void accept_request(struct router *router, struct router_request *request, uint64_t now_ms, uint32_t timeout_ms)
{
	struct line *line = line_of(router, request);
	uint64_t wait = timeout_ms == 0 ? router->options.default_timeout_ms : timeout_ms;

	/* A tenth less than the caller waits, so that it gets the reason before its own timeout. */
	wait = (wait > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : wait) * 9 / 10;
	request->deadline_ms = now_ms + wait;
	if (router->count == 0)
		router->wheel_tick = now_ms / ROUTER_TICK_MS;
	TAILQ_INSERT_TAIL(&line->all, request, order);
	TAILQ_INSERT_TAIL(slot_of(router, request->deadline_ms), request, slot);
	router->count++;
	if (line->cursor == NULL)
		line->cursor = request;
	if (router->count >= router->options.queue_max * 2) {
		/* What was already read when the pause began may exceed the queue; not without end. RULE 19 */
		end(router, request, ROUTER_END_BUSY, NULL, "too many requests wait in the front-end");
		return;
	}
	if (!router->paused && router->count >= router->options.queue_max) {
		router->paused = true;
		router->shell.pause(router->context, true);
	}
	if (!router->routed && router->count == 1)
		router->shell.demand(router->context);
	pump(router, line, now_ms);
}

void router_write(struct router *router, struct router_request *request, uint64_t now_ms, uint32_t timeout_ms)
{
	must(!request->is_read);
	accept_request(router, request, now_ms, timeout_ms);
}

void router_read(struct router *router, struct router_request *request, uint64_t now_ms, uint32_t timeout_ms)
{
	request->is_read = true;
	accept_request(router, request, now_ms, timeout_ms);
}

/* --- views -------------------------------------------------------------------------------------------------------- */

/* RULE 17: answers from another primary, or of another view, are ignored from now on. */
static void give_up_calls(struct router *router, struct line *line)
{
	struct router_request *request;

	TAILQ_FOREACH(request, &line->all, order) {
		not_under_way(router, request);
		request->again_ms = 0;
	}
	must(line->under_way == 0);
}

void router_route(struct router *router, uint64_t view, uint32_t primary, uint64_t commit, uint64_t now_ms)
{
	must(primary > 0 && primary <= LIMIT_REPLICA_ID);
	must(view >= router->view);
	if (view != router->view || primary != router->primary) {
		router->readers_count = 0; /* RULE 8 */
		give_up_calls(router, &router->writes);
		give_up_calls(router, &router->reads);
	}
	router->routed = true;
	router->view = view;
	router->primary = primary;
	if (commit > router->floor)
		router->floor = commit; /* RULE 8 */
	pump_from_the_first(router, now_ms);
}

void router_hold(struct router *router, const char *reason)
{
	bool was = router->routed;

	router->routed = false;
	snprintf(router->reason, sizeof router->reason, "%s", reason);
	if (was && router->count > 0)
		router->shell.demand(router->context);
}

void router_reset_floor(struct router *router)
{
	must(!router->routed);
	router->floor = 0;
}

/* --- replicas ----------------------------------------------------------------------------------------------------- */

static void lose_calls(struct router *router, struct line *line, uint32_t id)
{
	struct router_request *request;

	TAILQ_FOREACH(request, &line->all, order) {
		if (!request->sent || request->to != id)
			continue;
		not_under_way(router, request);
		wait_until(router, request, 0);
	}
}

void router_link(struct router *router, uint32_t id, bool up, uint64_t now_ms)
{
	must(id > 0 && id <= LIMIT_REPLICA_ID);
	router->linked[id] = up;
	if (!up) {
		router_reader(router, id, false);
		lose_calls(router, &router->writes, id);
		lose_calls(router, &router->reads, id);
	}
	/* Calls lost with the primary's connection are sent again on its next one; reads lost with a backup's, now. */
	if (may_send(router))
		pump_from_the_first(router, now_ms);
}

void router_reader(struct router *router, uint32_t id, bool able)
{
	uint32_t at = 0;

	while (at < router->readers_count && router->readers[at] != id)
		at++;
	if (able && at == router->readers_count && id != router->primary && at < LIMIT_REPLICAS)
		router->readers[router->readers_count++] = id;
	else if (!able && at < router->readers_count)
		router->readers[at] = router->readers[--router->readers_count];
}

/* The outcome of the call is open. A read that a backup sent back goes to the primary at once; what the primary sent
 * back waits for the next route, or for the tick. */
static void take_back(struct router *router, struct router_request *request, uint64_t now_ms)
{
	bool from_primary = request->to == router->primary;

	not_under_way(router, request);
	if (request->is_read)
		request->to_primary = true;
	if (request->is_read && !from_primary && may_send(router)) {
		send(router, request, now_ms);
		return;
	}
	wait_until(router, request, from_primary ? now_ms + router->options.retry_ms : 0);
}

void router_answered(struct router *router, struct router_request *request, enum router_reply reply, uint64_t op,
		     const void *payload, uint64_t now_ms)
{
	struct line *line = line_of(router, request);

	/* RULE 12, 17: of a call that was given up. An earlier view may still lose what it answers. */
	if (!request->sent)
		return;
	bool shows = reply == ROUTER_REPLY_DONE || reply == ROUTER_REPLY_REFUSED;

	if (shows && op < request->floor) {
		/* RULE 8: the answer shows, or was decided by, less than some client has already seen. */
		reply = ROUTER_REPLY_AGAIN;
	}
	if (reply != ROUTER_REPLY_DONE && request->is_read && request->to != router->primary)
		reply = ROUTER_REPLY_AGAIN;
	if (reply == ROUTER_REPLY_UNAVAILABLE && !request->is_read && request->calls > 1)
		reply = ROUTER_REPLY_AGAIN; /* RULE 12: an earlier call may have happened */
	if (reply == ROUTER_REPLY_NOT_EXECUTED) {
		must(request->calls > 0);
		request->calls--;
		request->rejected = true;
		/* RULE 12: it leaves no doubt behind, and takes none of an earlier call's away. */
		if (request->calls == 0)
			request->left = false;
		reply = ROUTER_REPLY_AGAIN;
	}
	if (reply == ROUTER_REPLY_AGAIN) {
		take_back(router, request, now_ms);
	} else {
		/* RULE 8: the floor rises before the answer is passed on. */
		if (shows && op > router->floor)
			router->floor = op;
		end(router, request, ROUTER_END_ANSWERED, payload, NULL);
	}
	pump(router, line, now_ms);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static void expire(struct router *router, struct router_request *request)
{
	char text[REASON_SIZE];
	const char *why = router->reason;

	if (router->routed && request->rejected)
		why = "the primary rejects the call and executes nothing: it is of another version";
	else if (router->routed)
		why = "the primary has not answered in time";
	if (request->left)
		snprintf(text, sizeof text, "the outcome is not known: %.400s", why);
	else
		snprintf(text, sizeof text, "%s", why);
	/* RULE 12 */
	end(router, request, request->left ? ROUTER_END_UNKNOWN : ROUTER_END_UNAVAILABLE, NULL, text);
}

static void expire_slot(struct router *router, struct requests *slot, uint64_t now_ms)
{
	struct router_request *request = TAILQ_FIRST(slot);

	while (request != NULL) {
		struct router_request *next = TAILQ_NEXT(request, slot);

		if (request->deadline_ms <= now_ms)
			expire(router, request);
		request = next;
	}
}

void router_tick(struct router *router, uint64_t now_ms)
{
	uint64_t tick = now_ms / ROUTER_TICK_MS;
	uint64_t first = router->wheel_tick;

	if (tick >= first + WHEEL_SLOTS)
		first = tick - WHEEL_SLOTS + 1;
	/* The slot of the present tick is checked again next time: it is not over yet. */
	for (uint64_t at = first; at <= tick && router->count > 0; at++)
		expire_slot(router, &router->wheel[at % WHEEL_SLOTS], now_ms);
	router->wheel_tick = tick;
	if (may_send(router) && now_ms >= router->again_ms)
		pump_from_the_first(router, now_ms);
	pump(router, &router->writes, now_ms);
	pump(router, &router->reads, now_ms);
}
