/* The view manager's shell: its clock and deadline, connections to replicas, the disk and the operators' calls. It
 * makes no protocol decision; frontend/driver/driver.h carries out those of the view manager. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frontend/views/views.h"

struct event_base;
struct links;
struct manager;
struct registry;
struct router;
struct rpc_call;
struct store;

struct manager_options {
	struct event_base *base;
	const struct views_options *views; /* copied */
	uint32_t program_base;
	struct router *router;
	struct links *links;
	struct store *store;
	struct registry *registry;
	void (*doubt)(void *context, uint32_t id); /* the process at the address of id may not be ours */
	void (*heard)(void *context, uint32_t id); /* id has reported, or its connection has ended */
	void (*leave)(void *context, const char *why); /* the process is to end, with status 1 */
	void *context;
};

struct manager *manager_new(const struct manager_options *options);
/* Before the router. Operators that wait get no answer. NULL is fine. */
void manager_free(struct manager *manager);

/* From here on views are made; before it clients only wait, and operators are turned away. */
void manager_begin(struct manager *manager, const struct views_stored *stored);

const struct views *manager_views(const struct manager *manager);

/* Asks id for a report now. */
void manager_ask(struct manager *manager, uint32_t id);

/* The router says that requests wait: the view manager hears it later in this turn of the loop. */
void manager_demand(struct manager *manager);

/* What struct links_events, struct discovery_events and the store say. */
void manager_hello(struct manager *manager, const struct views_hello *hello);
void manager_report(struct manager *manager, uint32_t id, const struct report *report);
void manager_bound(struct manager *manager, uint32_t id, const struct report *report);
void manager_lost(struct manager *manager, uint32_t id, bool refused);
void manager_found(struct manager *manager, uint32_t id, const char *address);
void manager_dumped(struct manager *manager, bool complete, const uint32_t *ids, uint32_t count);
void manager_dead(struct manager *manager, uint32_t id, const char *address);
void manager_saved(struct manager *manager, uint64_t ticket, bool ok, const char *error);

/* An operator request: SWITCHOVER, PROMOTE, REMOVE or UPGRADE. Answers the call later; false when too many wait, or before
 * manager_begin. */
bool manager_operator(struct manager *manager, enum views_event_kind kind, uint32_t id, bool confirm,
		      struct rpc_call *call);
