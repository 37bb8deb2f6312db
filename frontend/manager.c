/* The view manager's shell: hands it every event with the time, carries out what it decides, in its order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"

/* --- actions ------------------------------------------------------------------------------------------------------ */

static struct identity own_identity(const struct frontend *frontend)
{
	const struct view *view = views_current(frontend->views);

	return (struct identity){.format = JH_CLUSTER_FORMAT,
				 .program_base = frontend->options.daemon.program_base,
				 .uuid = views_manager(frontend->views),
				 .incarnation = frontend->incarnation,
				 .cluster = view->cluster,
				 .generation = view->generation};
}

/* Whether reads may go to the replica that reports this; the router forgets readers with their link and with their
 * view. */
static void judge_reader(struct frontend *frontend, uint32_t id, const struct report *report)
{
	const struct view *view = views_current(frontend->views);
	bool able = report->state == STATE_FOLLOWING && report->view.number == view->number &&
		    view_member_exact(view, id, report->uuid) != NULL;

	router_reader(frontend->router, id, able && router_serving(frontend->router));
}

static void route(struct frontend *frontend, uint32_t id, uint64_t view, uint64_t commit, uint64_t now_ms)
{
	struct views_row rows[LIMIT_REPLICAS];

	router_route(frontend->router, view, id, commit, now_ms);

	uint32_t count = views_rows(frontend->views, now_ms, rows);

	for (uint32_t i = 0; i < count; i++)
		if (rows[i].reachable && rows[i].report != NULL)
			judge_reader(frontend, rows[i].id, rows[i].report);
}

static void answer_operator(struct frontend *frontend, uint64_t token, enum views_outcome outcome,
			    const char *text)
{
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

static void reset_floor(struct frontend *frontend)
{
	if (router_serving(frontend->router))
		router_hold(frontend->router, "no primary: the operator promotes a replica");
	router_reset_floor(frontend->router);
}

static void clean(struct frontend *frontend, uint32_t id, const char *address)
{
	if (address[0] != '\0')
		registry_clean_async(frontend->registry, frontend->options.daemon.program_base + id, JH_REPLICA_V1,
				     address);
}

static void leave(struct frontend *frontend, const char *why)
{
	log_error("views", "%s", why);
	frontend->exit_status = 1;
	event_base_loopbreak(frontend->base);
}

static void connect_replica(struct frontend *frontend, uint32_t id, const char *address, uint64_t now_ms)
{
	struct identity me = own_identity(frontend);

	router_link(frontend->router, id, false, now_ms);
	links_connect(frontend->links, id, address, &me);
}

static void disconnect_replica(struct frontend *frontend, uint32_t id, uint64_t now_ms)
{
	links_disconnect(frontend->links, id);
	router_link(frontend->router, id, false, now_ms);
}

static void carry_out(struct frontend *frontend, const struct views_action *action, uint64_t now_ms)
{
	switch (action->kind) {
	case VIEWS_DO_CONNECT:
		connect_replica(frontend, action->connect.id, action->connect.address, now_ms);
		return;
	case VIEWS_DO_DISCONNECT:
		disconnect_replica(frontend, action->disconnect.id, now_ms);
		return;
	case VIEWS_DO_HEARTBEAT:
		links_heartbeat(frontend->links, action->heartbeat.id, action->heartbeat.view, action->heartbeat.retire,
				frontend->options.views.min_members, frontend->options.views.full_wait_ms);
		return;
	case VIEWS_DO_STORE:
		store_save(frontend->store, action->store.ticket, views_to_store(frontend->views));
		return;
	case VIEWS_DO_INSTALL:
		links_install(frontend->links, action->install.id, views_current(frontend->views));
		return;
	case VIEWS_DO_BIND:
		links_bind(frontend->links, action->bind.id, views_manager(frontend->views),
			   frontend->options.views.take_over);
		return;
	case VIEWS_DO_ROUTE:
		route(frontend, action->route.id, action->route.view, action->route.commit, now_ms);
		return;
	case VIEWS_DO_HOLD:
		router_hold(frontend->router, action->hold.text);
		return;
	case VIEWS_DO_ANSWER:
		answer_operator(frontend, action->answer.token, action->answer.outcome, action->answer.text);
		return;
	case VIEWS_DO_RESET_FLOOR:
		reset_floor(frontend);
		return;
	case VIEWS_DO_CLEAN:
		clean(frontend, action->clean.id, action->clean.address);
		return;
	case VIEWS_DO_LOG:
		log_line((enum log_level)action->log.level, "views", "%s", action->log.text);
		return;
	case VIEWS_DO_EXIT:
		leave(frontend, action->exit.text);
		return;
	}
	must_not_reach("an action is one of its kinds");
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static void set_deadline(struct frontend *frontend, uint64_t deadline_ms, uint64_t now_ms)
{
	uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};

	if (deadline_ms == UINT64_MAX)
		evtimer_del(frontend->deadline);
	else
		evtimer_add(frontend->deadline, &wait);
}

static void step_one(struct frontend *frontend, struct views_event *event)
{
	struct views_actions *actions = frontend->actions;
	struct peers peers;

	event->now_ms = frontend_now_ms();
	event->wall_us = rpc_wall_us();
	event->floor = router_floor(frontend->router);
	event->fresh[0] = uuid_draw();
	event->fresh[1] = uuid_draw();
	actions->count = 0;
	views_step(frontend->views, event, actions);
	must(actions->count <= VIEWS_ACTIONS_MAX);
	if (actions->count > 0) {
		memset(&peers, 0, sizeof peers);
		views_peers(frontend->views, &peers);
		links_set_directory(frontend->links, &peers);
	}
	for (uint32_t i = 0; i < actions->count; i++)
		carry_out(frontend, &actions->list[i], event->now_ms);
	set_deadline(frontend, actions->deadline_ms, event->now_ms);
}

/* While somebody serves, requests come and go without the view manager hearing of each; before it decides anything
 * else it is told whether any wait. */
static void tell_demand(struct frontend *frontend)
{
	uint32_t waiting = router_waiting(frontend->router);
	struct views_event event = {.kind = VIEWS_DEMAND, .demand = {.waiting = waiting}};

	if ((waiting > 0) == frontend->demand_told || !frontend->begun)
		return;
	frontend->demand_told = waiting > 0;
	step_one(frontend, &event);
}

static void step(struct frontend *frontend, struct views_event *event)
{
	must(!frontend->stepping);
	frontend->stepping = true;
	tell_demand(frontend);
	step_one(frontend, event);
	frontend->stepping = false;
}

/* Signs of life that are no reports: before anybody is judged silent, and not at every read. */
static void tell_alive(struct frontend *frontend)
{
	struct views_row rows[LIMIT_REPLICAS];
	uint64_t now_ms = frontend_now_ms();
	uint32_t count = views_rows(frontend->views, now_ms, rows);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t heard_ms = links_heard_us(frontend->links, rows[i].id) / 1000;

		if (rows[i].reachable && now_ms - heard_ms < rows[i].age_ms)
			step(frontend, &(struct views_event){.kind = VIEWS_ALIVE,
							     .alive = {.id = rows[i].id, .heard_ms = heard_ms}});
	}
}

static void deadline_came(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	tell_alive(context);
	step(context, &(struct views_event){.kind = VIEWS_TICK});
}

static void demand_came(evutil_socket_t fd, short what, void *context)
{
	struct frontend *frontend = context;

	(void)fd;
	(void)what;
	must(!frontend->stepping);
	frontend->stepping = true;
	tell_demand(frontend);
	frontend->stepping = false;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void replica_hello(void *context, uint32_t id, enum hello_status status, const char *text,
			  const struct identity *identity, const struct report *report)
{
	struct frontend *frontend = context;

	if (status == HELLO_OK)
		router_link(frontend->router, id, true, frontend_now_ms());
	/* The address was one of ours once, and is another cluster's now, or another service's. */
	if (identity == NULL || identity->program_base != frontend->options.daemon.program_base)
		discovery_doubt(frontend->discovery, id);
	step(frontend, &(struct views_event){.kind = VIEWS_HELLO,
					     .hello = {.id = id,
						       .status = status,
						       .text = text,
						       .identity = identity,
						       .report = report}});
}

static void replica_report(void *context, uint32_t id, const struct report *report)
{
	struct frontend *frontend = context;

	judge_reader(frontend, id, report);
	step(frontend, &(struct views_event){.kind = VIEWS_REPORT, .report = {.id = id, .report = report}});
	status_heard(frontend, id);
}

static void replica_bound(void *context, uint32_t id, const struct report *report)
{
	struct frontend *frontend = context;

	router_link(frontend->router, id, true, frontend_now_ms());
	step(frontend, &(struct views_event){.kind = VIEWS_BOUND, .bound = {.id = id, .report = report}});
}

static void replica_lost(void *context, uint32_t id, bool refused)
{
	struct frontend *frontend = context;

	router_link(frontend->router, id, false, frontend_now_ms());
	step(frontend, &(struct views_event){.kind = VIEWS_LOST, .lost = {.id = id, .refused = refused}});
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
	step(context, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = address}});
}

static void round_dumped(void *context, bool complete, const uint32_t *ids, uint32_t count)
{
	step(context, &(struct views_event){.kind = VIEWS_DUMPED,
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
	if (!ok)
		log_error("store", "%s", error);
	step(context, &(struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = ticket, .ok = ok}});
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
	step(frontend, &(struct views_event){.kind = VIEWS_SWITCHOVER, .switchover = {.token = token, .id = id}});
	return true;
}

bool manager_promote(struct frontend *frontend, uint32_t id, bool confirm, struct rpc_call *call)
{
	uint64_t token = keep_operator(frontend, call);

	if (token == 0)
		return false;
	step(frontend, &(struct views_event){.kind = VIEWS_PROMOTE,
					     .promote = {.token = token, .id = id, .confirm = confirm}});
	return true;
}

bool manager_remove(struct frontend *frontend, uint32_t id, struct rpc_call *call)
{
	uint64_t token = keep_operator(frontend, call);

	if (token == 0)
		return false;
	step(frontend, &(struct views_event){.kind = VIEWS_REMOVE, .remove = {.token = token, .id = id}});
	return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void manager_start(struct frontend *frontend)
{
	frontend->actions = calloc(1, sizeof *frontend->actions);
	must_allocate(frontend->actions);
	frontend->incarnation = uuid_draw();
	frontend->views = views_new(&frontend->options.views);
	frontend->deadline = evtimer_new(frontend->base, deadline_came, frontend);
	frontend->demand = event_new(frontend->base, -1, 0, demand_came, frontend);
	must(frontend->views != NULL);
	must_allocate(frontend->deadline);
	must_allocate(frontend->demand);
}

void manager_begin(struct frontend *frontend, const struct views_stored *stored)
{
	must(!frontend->begun);
	frontend->stepping = true;
	step_one(frontend, &(struct views_event){.kind = VIEWS_START, .start = {.stored = stored}});
	frontend->stepping = false;
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
	views_free(frontend->views);
	free(frontend->actions);
}
