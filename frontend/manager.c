/* The shell of the view manager's driver: its clock and deadline, connections, the disk and the operators' calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"

/* --- what the driver asks for --------------------------------------------------------------------------------------- */

static void get_clock(void *context, uint64_t *now_ms, int64_t *wall_us)
{
	(void)context;
	*now_ms = frontend_now_ms();
	*wall_us = rpc_wall_us();
}

static struct uuid draw(void *context)
{
	(void)context;
	return uuid_draw();
}

static void tell_peers(void *context)
{
	struct frontend *frontend = context;
	struct peers peers;

	views_peers(frontend->views, &peers);
	links_set_directory(frontend->links, &peers);
}

static void connect_replica(void *context, uint32_t id, const char *address, const struct identity *me)
{
	struct frontend *frontend = context;
	struct identity own = *me;

	own.format = JH_CLUSTER_FORMAT;
	own.program_base = frontend->options.daemon.program_base;
	links_connect(frontend->links, id, address, &own);
}

static void disconnect_replica(void *context, uint32_t id)
{
	struct frontend *frontend = context;

	links_disconnect(frontend->links, id);
}

static void heartbeat(void *context, uint32_t id, uint64_t view, bool retire)
{
	struct frontend *frontend = context;

	links_heartbeat(frontend->links, id, view, retire, frontend->options.views.min_members,
			frontend->options.views.full_wait_ms);
}

static void save(void *context, uint64_t ticket, const struct views_stored *stored)
{
	struct frontend *frontend = context;

	store_save(frontend->store, ticket, stored);
}

static void install(void *context, uint32_t id, const struct view *view)
{
	struct frontend *frontend = context;

	links_install(frontend->links, id, view);
}

static void bind_replica(void *context, uint32_t id, struct uuid manager)
{
	struct frontend *frontend = context;

	links_bind(frontend->links, id, manager, frontend->options.views.take_over);
}

static void answer_operator(void *context, uint64_t token, enum views_outcome outcome, const char *text)
{
	struct frontend *frontend = context;
	static const jh_outcome outcomes[] = {
		[VIEWS_REFUSED] = JH_REFUSED, [VIEWS_DONE] = JH_DONE, [VIEWS_UNSURE] = JH_UNKNOWN};

	for (int i = 0; i < OPERATORS_MAX; i++) {
		struct operator_call *operator = &frontend->operators[i];
		jh_admin_result result = {.outcome = outcomes[outcome]};

		if (operator->token != token)
			continue;
		result.text = convert_text_dup(text);
		result.view = views_current(frontend->views)->number;
		views_serving(frontend->views, &result.primary);
		rpc_call_reply(operator->call, (xdrproc_t)xdr_jh_admin_result, &result);
		xdr_free((xdrproc_t)xdr_jh_admin_result, &result);
		operator->token = 0;
		return;
	}
}

static void clean(void *context, uint32_t id, const char *address)
{
	struct frontend *frontend = context;

	if (address[0] != '\0')
		registry_clean_async(frontend->registry, frontend->options.daemon.program_base + id, JH_REPLICA_V1, address);
}

static void say(void *context, int level, const char *text)
{
	(void)context;
	log_line((enum log_level)level, "views", "%s", text);
}

static void leave(void *context, const char *why)
{
	struct frontend *frontend = context;

	log_error("views", "%s", why);
	frontend->exit_status = 1;
	event_base_loopbreak(frontend->base);
}

static void set_deadline(void *context, uint64_t deadline_ms, uint64_t now_ms)
{
	struct frontend *frontend = context;
	uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};

	if (deadline_ms == UINT64_MAX)
		evtimer_del(frontend->deadline);
	else
		evtimer_add(frontend->deadline, &wait);
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

/* Signs of life that are no reports: before anybody is judged silent, and not at every read. */
static void tell_alive(struct frontend *frontend)
{
	struct views_row rows[LIMIT_REPLICAS];
	uint64_t now_ms = frontend_now_ms();
	uint32_t count = views_rows(frontend->views, now_ms, rows);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t heard_ms = links_heard_us(frontend->links, rows[i].id) / 1000;

		if (rows[i].reachable && now_ms - heard_ms < rows[i].age_ms)
			driver_step(frontend->driver, &(struct views_event){.kind = VIEWS_ALIVE,
							     .alive = {.id = rows[i].id, .heard_ms = heard_ms}});
	}
}

static void deadline_came(evutil_socket_t fd, short what, void *context)
{
	struct frontend *frontend = context;

	(void)fd;
	(void)what;
	tell_alive(frontend);
	driver_step(frontend->driver, &(struct views_event){.kind = VIEWS_TICK});
}

static void demand_came(evutil_socket_t fd, short what, void *context)
{
	struct frontend *frontend = context;

	(void)fd;
	(void)what;
	driver_demand(frontend->driver);
}

static void replica_hello(void *context, uint32_t id, enum hello_status status, const char *text,
			  const struct identity *identity, const struct report *report)
{
	struct frontend *frontend = context;

	/* The address was one of ours once, and is another cluster's now, or another service's. */
	if (identity == NULL || identity->program_base != frontend->options.daemon.program_base)
		discovery_doubt(frontend->discovery, id);
	driver_hello(frontend->driver, &(struct views_hello){.id = id,
							     .status = status,
							     .text = text,
							     .identity = identity,
							     .report = report});
}

static void replica_report(void *context, uint32_t id, const struct report *report)
{
	struct frontend *frontend = context;

	driver_report(frontend->driver, id, report);
	status_heard(frontend, id);
}

static void replica_bound(void *context, uint32_t id, const struct report *report)
{
	struct frontend *frontend = context;

	driver_bound(frontend->driver, id, report);
}

static void replica_lost(void *context, uint32_t id, bool refused)
{
	struct frontend *frontend = context;

	driver_lost(frontend->driver, id, refused);
	status_heard(frontend, id);
}

const struct links_events manager_links_events = {
	.hello = replica_hello,
	.report = replica_report,
	.bound = replica_bound,
	.lost = replica_lost,
	.answered = requests_answered,
};

static void replica_found(void *context, uint32_t id, const char *address)
{
	struct frontend *frontend = context;

	driver_step(frontend->driver,
		    &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = address}});
}

static void round_dumped(void *context, bool complete, const uint32_t *ids, uint32_t count)
{
	struct frontend *frontend = context;

	driver_step(frontend->driver,
		    &(struct views_event){.kind = VIEWS_DUMPED,
					  .dumped = {.complete = complete, .ids = ids, .ids_count = count}});
}

/* Auto-clean before its time: it is certain that no process of that number is there. */
static void entry_is_dead(void *context, uint32_t id, const char *address)
{
	struct frontend *frontend = context;

	registry_clean_async(frontend->registry, frontend->options.daemon.program_base + id, JH_REPLICA_V1, address);
}

const struct discovery_events manager_discovery_events = {
	.found = replica_found,
	.dumped = round_dumped,
	.dead = entry_is_dead,
};

void manager_saved(void *context, uint64_t ticket, bool ok, const char *error)
{
	struct frontend *frontend = context;

	if (!ok)
		log_error("store", "%s", error);
	driver_step(frontend->driver,
		    &(struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = ticket, .ok = ok}});
}

/* --- operators ---------------------------------------------------------------------------------------------------- */

/* The token of a free place that now holds the call, or 0 (also before the beginning). */
static uint64_t keep_operator(struct frontend *frontend, struct rpc_call *call)
{
	for (int i = 0; i < OPERATORS_MAX && frontend->begun; i++) {
		if (frontend->operators[i].token != 0)
			continue;
		frontend->operators[i] = (struct operator_call){.token = ++frontend->next_token, .call = call};
		return frontend->next_token;
	}
	return 0;
}

bool manager_switchover(struct frontend *frontend, uint32_t id, struct rpc_call *call)
{
	uint64_t token = keep_operator(frontend, call);

	if (token == 0)
		return false;
	driver_step(frontend->driver, &(struct views_event){.kind = VIEWS_SWITCHOVER, .switchover = {.token = token, .id = id}});
	return true;
}

bool manager_promote(struct frontend *frontend, uint32_t id, bool confirm, struct rpc_call *call)
{
	uint64_t token = keep_operator(frontend, call);

	if (token == 0)
		return false;
	driver_step(frontend->driver, &(struct views_event){.kind = VIEWS_PROMOTE,
					     .promote = {.token = token, .id = id, .confirm = confirm}});
	return true;
}

bool manager_remove(struct frontend *frontend, uint32_t id, struct rpc_call *call)
{
	uint64_t token = keep_operator(frontend, call);

	if (token == 0)
		return false;
	driver_step(frontend->driver, &(struct views_event){.kind = VIEWS_REMOVE, .remove = {.token = token, .id = id}});
	return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void manager_start(struct frontend *frontend)
{
	frontend->views = views_new(&frontend->options.views);
	frontend->driver = driver_new(frontend->views, frontend->router, uuid_draw(), &shell, frontend);
	frontend->deadline = evtimer_new(frontend->base, deadline_came, frontend);
	frontend->demand = event_new(frontend->base, -1, 0, demand_came, frontend);
	must(frontend->views != NULL);
	must_allocate(frontend->deadline);
	must_allocate(frontend->demand);
}

void manager_begin(struct frontend *frontend, const struct views_stored *stored)
{
	must(!frontend->begun);
	driver_step(frontend->driver, &(struct views_event){.kind = VIEWS_START, .start = {.stored = stored}});
	frontend->begun = true;
	event_active(frontend->demand, EV_TIMEOUT, 0); /* clients may wait already */
}

void manager_stop(struct frontend *frontend)
{
	if (frontend->views == NULL)
		return;
	for (int i = 0; i < OPERATORS_MAX; i++)
		if (frontend->operators[i].token != 0)
			rpc_call_drop(frontend->operators[i].call);
	event_free(frontend->deadline);
	event_free(frontend->demand);
	driver_free(frontend->driver);
	views_free(frontend->views);
}
