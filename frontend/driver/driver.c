#include "frontend/driver/driver.h"

#include <stdlib.h>

#include "frontend/router/router.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

struct driver {
	struct views *views;
	struct router *router;
	struct uuid incarnation;
	const struct driver_shell *shell;
	void *context;
	bool begun;       /* START was told */
	bool stepping;
	bool left;        /* EXIT was carried out */
	bool demand_told; /* what the view manager last heard */
	struct views_actions actions;
};

struct driver *driver_new(struct views *views, struct router *router, struct uuid incarnation,
			  const struct driver_shell *shell, void *context)
{
	struct driver *d = calloc(1, sizeof *d);

	must_allocate(d);
	d->views = views;
	d->router = router;
	d->incarnation = incarnation;
	d->shell = shell;
	d->context = context;
	return d;
}

void driver_free(struct driver *d)
{
	free(d);
}

static uint64_t now_ms(const struct driver *d)
{
	uint64_t now_ms;
	int64_t wall_us;

	d->shell->clock(d->context, &now_ms, &wall_us);
	return now_ms;
}

/* --- actions ------------------------------------------------------------------------------------------------------ */

/* A member that follows in the current view may serve reads. The router forgets readers with their link and with their
 * view. */
static void tell_reader(struct driver *d, uint32_t id, const struct report *report)
{
	const struct view *view = views_current(d->views);
	bool able = report->state == STATE_FOLLOWING && report->view.number == view->number &&
		    view_member_exact(view, id, report->uuid) != NULL;
	/* RULE 8: clients are told what the primary computes. */
	bool differs = report->fold_differs_op != 0 || views_differs(d->views, id);

	router_reader(d->router, id, able && !differs && router_serving(d->router));
}

static void tell_readers(struct driver *d, uint64_t now_ms)
{
	struct views_row rows[LIMIT_REPLICAS];
	uint32_t count = views_rows(d->views, now_ms, rows);

	for (uint32_t i = 0; i < count; i++)
		if (rows[i].reachable && rows[i].report != NULL)
			tell_reader(d, rows[i].id, rows[i].report);
}

static void route(struct driver *d, uint32_t id, uint64_t view, uint64_t commit, uint64_t now_ms)
{
	if (d->shell->serves != NULL)
		d->shell->serves(d->context, id, view, commit);
	router_route(d->router, view, id, commit, now_ms);
	tell_readers(d, now_ms);
}

static void connect_to(struct driver *d, uint32_t id, const char *address, uint64_t now_ms)
{
	const struct view *view = views_current(d->views);
	const struct identity me = {.formats = views_formats(d->views),
				    .format = view->format,
				    .purpose = PURPOSE_MANAGER,
				    .uuid = views_manager(d->views),
				    .incarnation = d->incarnation,
				    .cluster = view->cluster,
				    .generation = view->generation};

	router_link(d->router, id, false, now_ms);
	d->shell->connect(d->context, id, address, &me);
}

static void disconnect(struct driver *d, uint32_t id, uint64_t now_ms)
{
	d->shell->disconnect(d->context, id);
	router_link(d->router, id, false, now_ms);
}

static void reset_floor(struct driver *d)
{
	if (d->shell->forgets_floor != NULL)
		d->shell->forgets_floor(d->context);
	if (router_serving(d->router))
		router_hold(d->router, "no primary: the operator promotes a replica");
	router_reset_floor(d->router); /* RULE 3 */
}

static void leave(struct driver *d, const char *text)
{
	d->left = true;
	d->shell->leave(d->context, text);
}

static void carry_out(struct driver *d, const struct views_action *action, uint64_t now_ms)
{
	const struct driver_shell *shell = d->shell;

	switch (action->kind) {
	case VIEWS_DO_CONNECT:
		connect_to(d, action->connect.id, action->connect.address, now_ms);
		return;
	case VIEWS_DO_DISCONNECT:
		disconnect(d, action->disconnect.id, now_ms);
		return;
	case VIEWS_DO_HEARTBEAT:
		shell->heartbeat(d->context, action->heartbeat.id, action->heartbeat.view, action->heartbeat.retire);
		return;
	case VIEWS_DO_STORE:
		shell->store(d->context, action->store.ticket, views_to_store(d->views));
		return;
	case VIEWS_DO_INSTALL:
		shell->install(d->context, action->install.id, views_current(d->views));
		return;
	case VIEWS_DO_BIND:
		shell->bind(d->context, action->bind.id, views_manager(d->views));
		return;
	case VIEWS_DO_ROUTE:
		route(d, action->route.id, action->route.view, action->route.commit, now_ms);
		return;
	case VIEWS_DO_HOLD:
		router_hold(d->router, action->hold.text);
		return;
	case VIEWS_DO_ANSWER:
		shell->answer(d->context, action->answer.token, action->answer.outcome, action->answer.text);
		return;
	case VIEWS_DO_RESET_FLOOR:
		reset_floor(d);
		return;
	case VIEWS_DO_CLEAN:
		shell->clean(d->context, action->clean.id, action->clean.address);
		return;
	case VIEWS_DO_LOG:
		shell->log(d->context, action->log.level, action->log.text);
		return;
	case VIEWS_DO_EXIT:
		leave(d, action->exit.text);
		return;
	}
	must_not_reach("an action is one of its kinds");
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static void step_one(struct driver *d, const struct views_event *event)
{
	struct views_event timed = *event;

	d->shell->clock(d->context, &timed.now_ms, &timed.wall_us);
	timed.floor = router_floor(d->router);
	for (int i = 0; i < 2 && !d->left; i++) /* one that has left makes nothing new */
		timed.fresh[i] = d->shell->draw(d->context);
	views_step(d->views, &timed, &d->actions);
	must(d->actions.count <= VIEWS_ACTIONS_MAX);
	if (d->actions.count > 0 && d->shell->decided != NULL)
		d->shell->decided(d->context);
	for (uint32_t i = 0; i < d->actions.count; i++)
		carry_out(d, &d->actions.list[i], timed.now_ms);
	d->shell->deadline(d->context, d->actions.deadline_ms, timed.now_ms);
}

/* While somebody serves, requests come and go without the view manager hearing of each; before it decides anything
 * else it is told whether any wait. */
static void tell_demand(struct driver *d)
{
	uint32_t waiting = router_waiting(d->router);

	if (!d->begun || (waiting > 0) == d->demand_told)
		return;
	d->demand_told = waiting > 0;
	step_one(d, &(struct views_event){.kind = VIEWS_DEMAND, .demand = {.waiting = waiting}});
}

void driver_step(struct driver *d, const struct views_event *event)
{
	must(!d->stepping);
	must(d->begun == (event->kind != VIEWS_START));
	d->stepping = true;
	tell_demand(d);
	step_one(d, event);
	d->begun = true;
	d->stepping = false;
}

void driver_demand(struct driver *d)
{
	must(!d->stepping);
	d->stepping = true;
	tell_demand(d);
	d->stepping = false;
}

void driver_hello(struct driver *d, const struct views_hello *hello)
{
	if (hello->status == HELLO_OK)
		router_link(d->router, hello->id, true, now_ms(d));
	driver_step(d, &(struct views_event){.kind = VIEWS_HELLO, .hello = *hello});
}

void driver_report(struct driver *d, uint32_t id, const struct report *report)
{
	tell_reader(d, id, report);
	driver_step(d, &(struct views_event){.kind = VIEWS_REPORT, .report = {.id = id, .report = report}});
	if (report->needs_count > 0 && !d->left)
		tell_readers(d, now_ms(d)); /* it may have named one that computes another state */
}

void driver_bound(struct driver *d, uint32_t id, const struct report *report)
{
	router_link(d->router, id, true, now_ms(d));
	driver_step(d, &(struct views_event){.kind = VIEWS_BOUND, .bound = {.id = id, .report = report}});
}

void driver_lost(struct driver *d, uint32_t id, bool refused)
{
	router_link(d->router, id, false, now_ms(d));
	driver_step(d, &(struct views_event){.kind = VIEWS_LOST, .lost = {.id = id, .refused = refused}});
}
