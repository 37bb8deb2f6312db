/* What the front-end is made of, for the files that put it together: manager.c drives the view manager, requests.c
 * the router, service.c answers clients, main.c starts and stops all. No protocol decision is made in any of them. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "frontend/announced.h"
#include "frontend/discovery.h"
#include "frontend/driver/driver.h"
#include "frontend/links.h"
#include "frontend/options.h"
#include "frontend/router/router.h"
#include "frontend/keeper/store.h"
#include "frontend/views/views.h"
#include "rpc/base/clock.h"
#include "rpc/frontend.h"
#include "rpc/net/loop.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"

#define STATUS_CALLS_MAX 1024 /* waiting for a round of heartbeats */
#define OPERATORS_MAX 16 /* switchovers, promotions and removals waiting for their outcome */

struct operator_call {
	uint64_t token; /* 0: free */
	struct rpc_call *call;
};

struct status;
TAILQ_HEAD(client_requests, client_request);

struct frontend {
	struct frontend_options options;
	struct event_base *base;
	struct loop_meter meter;
	struct rpc_server *server;
	struct registry *registry;
	struct discovery *discovery;
	struct announced *announced;
	struct store *store;
	struct links *links;
	char address[64];        /* the one clients find first, for status */
	uint64_t clients_max;    /* --max-clients, or what descriptors allow */
	uint64_t turned_away_us; /* when one more was last told so; 0: never */
	uint64_t started_us;
	int exit_status;

	struct status *status;   /* status.c */

	/* requests.c */
	struct router *router;
	struct event *tick;      /* while requests wait */
	bool ticking;
	struct client_requests spare;
	uint32_t spare_count;

	/* manager.c */
	struct views *views;
	struct driver *driver;
	struct event *deadline;
	struct event *demand;    /* made active when the router says that requests wait */
	bool begun;              /* the view manager knows what was stored */
	uint64_t next_token;
	struct operator_call operators[OPERATORS_MAX];
};

/* Monotonic, as everything here (rule 16). */
static inline uint64_t frontend_now_ms(void)
{
	return rpc_clock_us() / 1000;
}

/* --- requests.c --------------------------------------------------------------------------------------------------- */

void requests_start(struct frontend *frontend);
void requests_stop(struct frontend *frontend);
/* Take the operation or query out of args (they are left empty) and answer the call later. */
void requests_write(struct frontend *frontend, jh_place_args *args, struct rpc_call *call);
void requests_read(struct frontend *frontend, jh_read_args *args, struct rpc_call *call);
/* links' call-back for SUBMIT and QUERY. */
void requests_answered(void *context, void *owner, const struct link_answer *answer);

/* --- manager.c ---------------------------------------------------------------------------------------------------- */

void manager_start(struct frontend *frontend);
/* From here on views are made; before it clients only wait. */
void manager_begin(struct frontend *frontend, const struct views_stored *stored);
void manager_stop(struct frontend *frontend);
extern const struct links_events manager_links_events;
extern const struct discovery_events manager_discovery_events;
/* store's call-back. */
void manager_saved(void *context, uint64_t ticket, bool ok, const char *error);
/* Answers the call later; false when too many operators wait, or before the beginning. */
bool manager_switchover(struct frontend *frontend, uint32_t id, struct rpc_call *call);
bool manager_promote(struct frontend *frontend, uint32_t id, bool confirm, struct rpc_call *call);
bool manager_remove(struct frontend *frontend, uint32_t id, struct rpc_call *call);

/* --- status.c ----------------------------------------------------------------------------------------------------- */

void status_start(struct frontend *frontend);
void status_stop(struct frontend *frontend);
/* A replica has reported, or its connection ended. */
void status_heard(struct frontend *frontend, uint32_t id);

/* --- service.c ---------------------------------------------------------------------------------------------------- */

/* Serves rpc/frontend.x. */
void service_start(struct frontend *frontend);
