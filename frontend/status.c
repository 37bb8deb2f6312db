#include "frontend/status.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "frontend/announced.h"
#include "frontend/manager.h"
#include "frontend/router/router.h"
#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/cluster/figures_wire.h"
#include "rpc/net/loop.h"
#include "rpc/net/server.h"

#define STATUS_CALLS_MAX 1024 /* waiting for a round of heartbeats */
#define WAIT_MS 30
#define LISTED_WAIT_US 2500000u /* two rounds of discovery have begun since */
#define TURNED_AWAY_US 10000000u /* status mentions it for so long */

struct status_call {
	struct rpc_call *call;
	STAILQ_ENTRY(status_call) entry;
};

STAILQ_HEAD(status_calls, status_call);

struct status {
	struct status_options options;
	const struct views *views;
	uint64_t started_us;
	uint64_t turned_away_us; /* when a client was last told so; 0: never */
	struct event *late;
	struct status_calls asked, waiting; /* of the round under way; for the next one */
	uint32_t calls;
	uint32_t due_count;
	uint32_t due[LIMIT_REPLICAS];       /* ids not heard yet */
};

/* --- the answer --------------------------------------------------------------------------------------------------- */

static void fill_rows(const struct status *status, uint64_t now_ms, jh_cluster_status *result)
{
	struct views_row rows[LIMIT_REPLICAS];
	uint32_t count = views_rows(status->views, now_ms, rows);

	result->replicas.replicas_len = count;
	result->replicas.replicas_val = calloc(count + 1, sizeof *result->replicas.replicas_val);
	must_allocate(result->replicas.replicas_val);
	for (uint32_t i = 0; i < count; i++) {
		jh_replica_row *row = &result->replicas.replicas_val[i];
		struct report told;

		if (rows[i].report != NULL) {
			told = *rows[i].report;
			told.fold_differs_op = rows[i].differs_op; /* RULE 8: only what is stored here, too */
		}
		convert_row(rows[i].id, rows[i].report == NULL ? NULL : &told, rows[i].role, rows[i].member, rows[i].address, rows[i].age_ms,
			    rows[i].note, row);
		row->expected = rows[i].expected;
		row->lost_us = rows[i].lost_us;
		/* A replica tells us only whether it hears another front-end than us. */
		row->managed = row->managed ||
			       (rows[i].reachable && rows[i].report != NULL &&
				uuid_equal(rows[i].report->view.manager, views_manager(status->views)));
	}
}

/* Listed by discovery, or connected all the same. */
static bool known(void *context, uint32_t id)
{
	const struct status *status = context;

	return status->options.listed(status->options.context, id) || views_answers(status->views, id);
}

/* RULE 19: some clients could not order although the cluster accepts orders. */
static void tell_of_clients(const struct status *status, char summary[static VIEWS_TEXT_SIZE], int *health)
{
	size_t used;

	if (status->turned_away_us == 0 || rpc_clock_us() - status->turned_away_us > TURNED_AWAY_US)
		return;
	if (*health == JH_HEALTH_OK) {
		*health = JH_HEALTH_DEGRADED;
		memmove(summary + strlen("degraded"), summary + strlen("ok"), VIEWS_TEXT_SIZE - strlen("degraded"));
		memcpy(summary, "degraded", strlen("degraded"));
		summary[VIEWS_TEXT_SIZE - 1] = '\0';
	}
	used = strlen(summary);
	snprintf(summary + used, VIEWS_TEXT_SIZE - used, "; clients are turned away: all %llu of --max-clients wait for answers",
		 (unsigned long long)status->options.clients_max);
}

static void fill_figures(const struct status *status, jh_cluster_status *result)
{
	struct figures figures = {.count = 0};

	figures_set(&figures, FIGURE_QUEUED, router_waiting(status->options.router));
	figures_set(&figures, FIGURE_UPTIME_S, (int64_t)((rpc_clock_us() - status->started_us) / 1000000u));
	figures_set(&figures, FIGURE_LOOP_MAX_US, loop_meter_max_us(status->options.meter));
	figures_to_wire(&figures, &result->figures.figures_len, &result->figures.figures_val);
}

static void fill(const struct status *status, jh_cluster_status *result)
{
	const struct view *view = views_current(status->views);
	uint64_t now_ms = rpc_clock_ms();
	char summary[VIEWS_TEXT_SIZE], why[VIEWS_TEXT_SIZE];
	int health;
	jh_text address = convert_text_dup(status->options.address);

	memset(result, 0, sizeof *result);
	views_summary(status->views, now_ms, summary, &health);
	tell_of_clients(status, summary, &health);
	announced_explain(status->options.announced, rpc_clock_us(), LISTED_WAIT_US, known, (void *)(uintptr_t)status,
			  summary + strlen(summary), sizeof summary - strlen(summary));
	result->accepts_orders = views_accepts_orders(status->views, why);
	result->why_not = convert_text_dup(why);
	result->copies = views_copies(status->views, &result->expected);
	result->cluster = convert_uuid_to_wire(view->cluster);
	result->health = (jh_health)health;
	result->summary = convert_text_dup(summary);
	result->view = view->number;
	/* Not serving yet, but with the next request. */
	if (!views_serving(status->views, &result->primary))
		result->primary = health == JH_HEALTH_UNAVAILABLE ? 0 : view->primary;
	result->floor = router_floor(status->options.router);
	result->address.jh_address_len = address.jh_text_len;
	result->address.jh_address_val = address.jh_text_val;
	fill_rows(status, now_ms, result);
	fill_figures(status, result);
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

static void ask_all(struct status *status);

static void answer_all(struct status *status)
{
	jh_cluster_status answer;

	evtimer_del(status->late);
	status->due_count = 0;
	fill(status, &answer);
	while (!STAILQ_EMPTY(&status->asked)) {
		struct status_call *asked = STAILQ_FIRST(&status->asked);

		STAILQ_REMOVE_HEAD(&status->asked, entry);
		rpc_call_reply(asked->call, (xdrproc_t)xdr_jh_cluster_status, &answer);
		free(asked);
		status->calls--;
	}
	xdr_free((xdrproc_t)xdr_jh_cluster_status, &answer);
	if (!STAILQ_EMPTY(&status->waiting))
		ask_all(status);
}

static void too_late(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	answer_all(context);
}

static void ask_all(struct status *status)
{
	struct timeval wait = {.tv_usec = WAIT_MS * 1000L};
	struct views_row rows[LIMIT_REPLICAS];
	uint32_t count = views_rows(status->views, rpc_clock_ms(), rows);

	must(status->due_count == 0);
	STAILQ_CONCAT(&status->asked, &status->waiting);
	for (uint32_t i = 0; i < count; i++) {
		if (!rows[i].reachable)
			continue;
		status->due[status->due_count++] = rows[i].id;
		manager_ask(status->options.manager, rows[i].id);
	}
	if (status->due_count == 0)
		answer_all(status);
	else
		evtimer_add(status->late, &wait);
}

void status_heard(struct status *status, uint32_t id)
{
	for (uint32_t i = 0; i < status->due_count; i++) {
		if (status->due[i] != id)
			continue;
		status->due[i] = status->due[--status->due_count];
		if (status->due_count == 0)
			answer_all(status);
		return;
	}
}

void status_turned_away(struct status *status)
{
	status->turned_away_us = rpc_clock_us();
}

bool_t status_asked(struct status *status, jh_cluster_status *result, struct svc_req *request)
{
	if (status->calls >= STATUS_CALLS_MAX) { /* RULE 19: answered from what is known */
		fill(status, result);
		return TRUE;
	}

	struct status_call *call = malloc(sizeof *call);

	must_allocate(call);
	memset(result, 0, sizeof *result);
	call->call = rpc_call_take(request);
	STAILQ_INSERT_TAIL(&status->waiting, call, entry);
	status->calls++;
	if (status->due_count == 0)
		ask_all(status);
	return FALSE;
}

/* --- start and stop ----------------------------------------------------------------------------------------------- */

struct status *status_new(const struct status_options *options)
{
	struct status *status = calloc(1, sizeof *status);

	must_allocate(status);
	status->options = *options;
	status->views = manager_views(options->manager);
	status->started_us = rpc_clock_us();
	STAILQ_INIT(&status->asked);
	STAILQ_INIT(&status->waiting);
	status->late = evtimer_new(options->base, too_late, status);
	must_allocate(status->late);
	return status;
}

static void drop_all(struct status_calls *calls)
{
	while (!STAILQ_EMPTY(calls)) {
		struct status_call *call = STAILQ_FIRST(calls);

		STAILQ_REMOVE_HEAD(calls, entry);
		rpc_call_drop(call->call);
		free(call);
	}
}

void status_free(struct status *status)
{
	if (status == NULL)
		return;
	drop_all(&status->asked);
	drop_all(&status->waiting);
	event_free(status->late);
	free(status);
}
