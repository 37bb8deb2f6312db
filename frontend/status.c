/* CLUSTER_STATUS. What is shown is asked for: each replica that is there gets a heartbeat, and the answer waits for
 * theirs, but not for one that is slow; its row says how old it is. Calls that come meanwhile are answered in the
 * next round. */
#include <string.h>

#include "frontend/frontend.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"

#define WAIT_MS 30
#define LISTED_WAIT_US 2500000u /* two rounds of discovery have begun since */
#define TURNED_AWAY_US 10000000u /* status tells of it for so long */

struct status_call {
	struct rpc_call *call;
	STAILQ_ENTRY(status_call) entry;
};

STAILQ_HEAD(status_calls, status_call);

struct status {
	struct frontend *frontend;
	struct event *late;
	struct status_calls asked, waiting; /* of the round under way; for the next one */
	uint32_t calls;
	uint32_t due_count;
	uint32_t due[LIMIT_REPLICAS];       /* ids not heard yet */
};

/* --- the answer --------------------------------------------------------------------------------------------------- */

static void fill_rows(const struct frontend *frontend, uint64_t now_ms, jh_cluster_status *status)
{
	struct views_row rows[LIMIT_REPLICAS];
	uint32_t count = views_rows(frontend->views, now_ms, rows);

	status->replicas.replicas_len = count;
	status->replicas.replicas_val = calloc(count + 1, sizeof *status->replicas.replicas_val);
	must_allocate(status->replicas.replicas_val);
	for (uint32_t i = 0; i < count; i++) {
		jh_replica_row *row = &status->replicas.replicas_val[i];

		convert_row(rows[i].id, rows[i].report, rows[i].role, rows[i].member, rows[i].address, rows[i].age_ms,
			    rows[i].note, row);
		row->expected = rows[i].expected;
		row->lost_us = rows[i].lost_us;
		/* To us a replica says whether it hears another one than us. */
		row->managed = row->managed ||
			       (rows[i].reachable && rows[i].report != NULL &&
				uuid_equal(rows[i].report->view.manager, views_manager(frontend->views)));
	}
}

/* Whom discovery finds, or who answers all the same. */
static bool known(void *context, uint32_t id)
{
	const struct frontend *frontend = context;

	return frontend->discovery == NULL || discovery_lists(frontend->discovery, id) ||
	       views_answers(frontend->views, id);
}

/* RULE 19: some who wanted to order could not, though the cluster takes orders. */
static void tell_of_clients(const struct frontend *frontend, char summary[static VIEWS_TEXT_SIZE], int *health)
{
	size_t used;

	if (frontend->turned_away_us == 0 || rpc_clock_us() - frontend->turned_away_us > TURNED_AWAY_US)
		return;
	if (*health == JH_HEALTH_OK) {
		*health = JH_HEALTH_DEGRADED;
		memmove(summary + strlen("degraded"), summary + strlen("ok"), VIEWS_TEXT_SIZE - strlen("degraded"));
		memcpy(summary, "degraded", strlen("degraded"));
		summary[VIEWS_TEXT_SIZE - 1] = '\0';
	}
	used = strlen(summary);
	snprintf(summary + used, VIEWS_TEXT_SIZE - used, "; clients are turned away: all %llu of --max-clients wait for answers",
		 (unsigned long long)frontend->clients_max);
}

static void fill(const struct frontend *frontend, jh_cluster_status *status)
{
	const struct view *view = views_current(frontend->views);
	uint64_t now_ms = frontend_now_ms();
	char summary[VIEWS_TEXT_SIZE], why[VIEWS_TEXT_SIZE];
	int health;
	jh_text address = convert_text_dup(frontend->address);

	memset(status, 0, sizeof *status);
	views_summary(frontend->views, now_ms, summary, &health);
	tell_of_clients(frontend, summary, &health);
	announced_explain(frontend->announced, rpc_clock_us(), LISTED_WAIT_US, known, (void *)(uintptr_t)frontend,
			  summary + strlen(summary), sizeof summary - strlen(summary));
	status->accepts_orders = views_accepts_orders(frontend->views, why);
	status->why_not = convert_text_dup(why);
	status->copies = views_copies(frontend->views, &status->expected);
	status->cluster = convert_uuid_to_wire(view->cluster);
	status->health = (jh_health)health;
	status->summary = convert_text_dup(summary);
	status->view = view->number;
	/* Not serving yet, but with the next request. */
	if (!views_serving(frontend->views, &status->primary))
		status->primary = health == JH_HEALTH_UNAVAILABLE ? 0 : view->primary;
	status->floor = router_floor(frontend->router);
	status->queued = router_waiting(frontend->router);
	status->uptime_s = (rpc_clock_us() - frontend->started_us) / 1000000u;
	status->loop_max_us = loop_meter_max_us(&frontend->meter);
	status->address.jh_address_len = address.jh_text_len;
	status->address.jh_address_val = address.jh_text_val;
	fill_rows(frontend, now_ms, status);
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

static void ask_all(struct status *status);

static void answer_all(struct status *status)
{
	jh_cluster_status answer;

	evtimer_del(status->late);
	status->due_count = 0;
	fill(status->frontend, &answer);
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
	struct frontend *frontend = status->frontend;
	struct timeval wait = {.tv_usec = WAIT_MS * 1000L};
	struct views_row rows[LIMIT_REPLICAS];
	uint32_t count = views_rows(frontend->views, frontend_now_ms(), rows);

	must(status->due_count == 0);
	STAILQ_CONCAT(&status->asked, &status->waiting);
	for (uint32_t i = 0; i < count; i++) {
		if (!rows[i].reachable)
			continue;
		status->due[status->due_count++] = rows[i].id;
		links_heartbeat(frontend->links, rows[i].id, views_current(frontend->views)->number, false,
				frontend->options.views.min_members, frontend->options.views.full_wait_ms);
	}
	if (status->due_count == 0)
		answer_all(status);
	else
		evtimer_add(status->late, &wait);
}

void status_heard(struct frontend *frontend, uint32_t id)
{
	struct status *status = frontend->status;

	for (uint32_t i = 0; i < status->due_count; i++) {
		if (status->due[i] != id)
			continue;
		status->due[i] = status->due[--status->due_count];
		if (status->due_count == 0)
			answer_all(status);
		return;
	}
}

bool_t cluster_status_1_svc(void *args, jh_cluster_status *result, struct svc_req *request)
{
	struct frontend *frontend = rpc_call_context(request);
	struct status *status = frontend->status;

	(void)args;
	if (status->calls >= STATUS_CALLS_MAX) { /* RULE 19: answered from what is known */
		fill(frontend, result);
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

void status_start(struct frontend *frontend)
{
	struct status *status = calloc(1, sizeof *status);

	must_allocate(status);
	frontend->status = status;
	status->frontend = frontend;
	STAILQ_INIT(&status->asked);
	STAILQ_INIT(&status->waiting);
	status->late = evtimer_new(frontend->base, too_late, status);
	must_allocate(status->late);
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

void status_stop(struct frontend *frontend)
{
	struct status *status = frontend->status;

	if (status == NULL)
		return;
	drop_all(&status->asked);
	drop_all(&status->waiting);
	event_free(status->late);
	free(status);
	frontend->status = NULL;
}
