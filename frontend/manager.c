#include "frontend/manager.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "frontend/driver/driver.h"
#include "frontend/keeper/store.h"
#include "frontend/links.h"
#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/frontend.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"

#define OPERATORS_MAX 16 /* switchovers, promotions, removals and upgrades waiting for their outcome */

struct operator_call {
	uint64_t token; /* 0: free */
	struct rpc_call *call;
};

struct manager {
	struct manager_options options;
	struct views_options views_options;
	struct views *views;
	struct driver *driver;
	struct event *deadline;
	struct event *demand; /* made active when the router says that requests wait */
	bool begun;           /* the view manager knows what was stored */
	uint64_t next_token;
	struct operator_call operators[OPERATORS_MAX];
};

/* --- what the driver asks for ------------------------------------------------------------------------------------- */

static void get_clock(void *context, uint64_t *now_ms, int64_t *wall_us)
{
	(void)context;
	*now_ms = rpc_clock_ms();
	*wall_us = rpc_wall_us();
}

static struct uuid draw(void *context)
{
	(void)context;
	return uuid_draw();
}

static void tell_peers(void *context)
{
	struct manager *manager = context;
	struct peers peers;

	views_peers(manager->views, &peers);
	links_set_peers(manager->options.links, &peers);
}

static void connect_replica(void *context, uint32_t id, const char *address, const struct identity *me)
{
	struct manager *manager = context;
	struct identity own = *me;

	own.program_base = manager->options.program_base;
	snprintf(own.version, sizeof own.version, "%s", JH_VERSION);
	links_connect(manager->options.links, id, address, &own);
}

static void disconnect_replica(void *context, uint32_t id)
{
	struct manager *manager = context;

	links_disconnect(manager->options.links, id);
}

static void heartbeat(void *context, uint32_t id, uint64_t view, bool retire)
{
	struct manager *manager = context;

	links_heartbeat(manager->options.links, id, view, retire, manager->views_options.min_members,
			manager->views_options.full_wait_ms);
}

static void save(void *context, uint64_t ticket, const struct views_stored *stored)
{
	struct manager *manager = context;

	store_save(manager->options.store, ticket, stored);
}

static void install(void *context, uint32_t id, const struct view *view)
{
	struct manager *manager = context;

	links_install(manager->options.links, id, view);
}

static void bind_replica(void *context, uint32_t id, struct uuid uuid)
{
	struct manager *manager = context;

	links_bind(manager->options.links, id, uuid, manager->views_options.take_over);
}

static void answer_operator(void *context, uint64_t token, enum views_outcome outcome, const char *text)
{
	struct manager *manager = context;
	static const jh_outcome outcomes[] = {
		[VIEWS_REFUSED] = JH_REFUSED, [VIEWS_DONE] = JH_DONE, [VIEWS_UNSURE] = JH_UNKNOWN};

	for (int i = 0; i < OPERATORS_MAX; i++) {
		struct operator_call *operator = &manager->operators[i];
		jh_admin_result result = {.outcome = outcomes[outcome]};

		if (operator->token != token)
			continue;
		result.text = convert_text_dup(text);
		result.view = views_current(manager->views)->number;
		views_serving(manager->views, &result.primary);
		rpc_call_reply(operator->call, (xdrproc_t)xdr_jh_admin_result, &result);
		xdr_free((xdrproc_t)xdr_jh_admin_result, &result);
		operator->token = 0;
		return;
	}
}

static void clean(void *context, uint32_t id, const char *address)
{
	struct manager *manager = context;

	if (address[0] != '\0')
		registry_clean_async(manager->options.registry, manager->options.program_base + id, JH_REPLICA_V1,
				     address);
}

static void say(void *context, int level, const char *text)
{
	(void)context;
	log_line((enum log_level)level, "views", "%s", text);
}

static void leave(void *context, const char *why)
{
	struct manager *manager = context;

	log_error("views", "%s", why);
	manager->options.leave(manager->options.context, why);
}

static void set_deadline(void *context, uint64_t deadline_ms, uint64_t now_ms)
{
	struct manager *manager = context;
	uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};

	if (deadline_ms == UINT64_MAX)
		evtimer_del(manager->deadline);
	else
		evtimer_add(manager->deadline, &wait);
}

static const struct driver_shell shell = {
	.clock = get_clock,
	.draw = draw,
	.decided = tell_peers,
	.connect = connect_replica,
	.disconnect = disconnect_replica,
	.heartbeat = heartbeat,
	.store = save,
	.install = install,
	.bind = bind_replica,
	.answer = answer_operator,
	.clean = clean,
	.log = say,
	.leave = leave,
	.deadline = set_deadline,
};

/* --- events ------------------------------------------------------------------------------------------------------- */

static void step(struct manager *manager, struct views_event event)
{
	driver_step(manager->driver, &event);
}

/* Signs of life other than reports: passed on before anybody is suspected, and not with every read. */
static void tell_alive(struct manager *manager)
{
	struct views_row rows[LIMIT_REPLICAS];
	uint64_t now_ms = rpc_clock_ms();
	uint32_t count = views_rows(manager->views, now_ms, rows);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t heard_ms = links_heard_us(manager->options.links, rows[i].id) / 1000;

		if (rows[i].reachable && now_ms - heard_ms < rows[i].age_ms)
			step(manager, (struct views_event){.kind = VIEWS_ALIVE,
							   .alive = {.id = rows[i].id, .heard_ms = heard_ms}});
	}
}

static void deadline_came(evutil_socket_t fd, short what, void *context)
{
	struct manager *manager = context;

	(void)fd;
	(void)what;
	tell_alive(manager);
	step(manager, (struct views_event){.kind = VIEWS_TICK});
}

static void demand_came(evutil_socket_t fd, short what, void *context)
{
	struct manager *manager = context;

	(void)fd;
	(void)what;
	driver_demand(manager->driver);
}

void manager_demand(struct manager *manager)
{
	event_active(manager->demand, EV_TIMEOUT, 0);
}

void manager_hello(struct manager *manager, const struct views_hello *hello)
{
	/* The address belongs to another cluster or service by now. */
	if (hello->identity == NULL || hello->identity->program_base != manager->options.program_base)
		manager->options.doubt(manager->options.context, hello->id);
	driver_hello(manager->driver, hello);
}

void manager_report(struct manager *manager, uint32_t id, const struct report *report)
{
	driver_report(manager->driver, id, report);
	manager->options.heard(manager->options.context, id);
}

void manager_bound(struct manager *manager, uint32_t id, const struct report *report)
{
	driver_bound(manager->driver, id, report);
}

void manager_lost(struct manager *manager, uint32_t id, bool refused)
{
	driver_lost(manager->driver, id, refused);
	manager->options.heard(manager->options.context, id);
}

void manager_found(struct manager *manager, uint32_t id, const char *address)
{
	step(manager, (struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = address}});
}

void manager_dumped(struct manager *manager, bool complete, const uint32_t *ids, uint32_t count)
{
	step(manager, (struct views_event){.kind = VIEWS_DUMPED,
					   .dumped = {.complete = complete, .ids = ids, .ids_count = count}});
}

/* Auto-clean ahead of time: it is certain that no process has that number there. */
void manager_dead(struct manager *manager, uint32_t id, const char *address)
{
	registry_clean_async(manager->options.registry, manager->options.program_base + id, JH_REPLICA_V1, address);
}

void manager_saved(struct manager *manager, uint64_t ticket, bool ok, const char *error)
{
	if (!ok)
		log_error("store", "%s", error);
	step(manager, (struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = ticket, .ok = ok}});
}

/* --- operators ---------------------------------------------------------------------------------------------------- */

/* Keeps the call and returns its token; 0: no room, or not begun. */
static uint64_t keep_operator(struct manager *manager, struct rpc_call *call)
{
	for (int i = 0; i < OPERATORS_MAX && manager->begun; i++) {
		if (manager->operators[i].token != 0)
			continue;
		manager->operators[i] = (struct operator_call){.token = ++manager->next_token, .call = call};
		return manager->next_token;
	}
	return 0;
}

bool manager_operator(struct manager *manager, enum views_event_kind kind, uint32_t id, bool confirm,
		      struct rpc_call *call)
{
	uint64_t token = keep_operator(manager, call);

	must(kind == VIEWS_SWITCHOVER || kind == VIEWS_PROMOTE || kind == VIEWS_REMOVE || kind == VIEWS_UPGRADE);
	if (token == 0)
		return false;
	step(manager, (struct views_event){.kind = kind, .operator = {.token = token, .id = id, .confirm = confirm}});
	return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

struct manager *manager_new(const struct manager_options *options)
{
	struct manager *manager = calloc(1, sizeof *manager);

	must_allocate(manager);
	manager->options = *options;
	manager->views_options = *options->views;
	manager->views_options.formats = FORMAT_RANGE_OWN;
	manager->options.views = &manager->views_options;
	manager->views = views_new(&manager->views_options);
	manager->driver = driver_new(manager->views, options->router, uuid_draw(), &shell, manager);
	manager->deadline = evtimer_new(options->base, deadline_came, manager);
	manager->demand = event_new(options->base, -1, 0, demand_came, manager);
	must_allocate(manager->deadline);
	must_allocate(manager->demand);
	return manager;
}

void manager_begin(struct manager *manager, const struct views_stored *stored)
{
	must(!manager->begun);
	step(manager, (struct views_event){.kind = VIEWS_START, .start = {.stored = stored}});
	manager->begun = true;
	manager_demand(manager); /* clients may wait already */
}

const struct views *manager_views(const struct manager *manager)
{
	return manager->views;
}

void manager_ask(struct manager *manager, uint32_t id)
{
	heartbeat(manager, id, views_current(manager->views)->number, false);
}

void manager_free(struct manager *manager)
{
	if (manager == NULL)
		return;
	for (int i = 0; i < OPERATORS_MAX; i++)
		if (manager->operators[i].token != 0)
			rpc_call_drop(manager->operators[i].call);
	event_free(manager->deadline);
	event_free(manager->demand);
	driver_free(manager->driver);
	views_free(manager->views);
	free(manager);
}
