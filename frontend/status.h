/* CLUSTER_STATUS. Every reachable replica gets a heartbeat, and the answer waits for their reports, but not for a slow
 * one, whose row shows its age. Calls that come meanwhile are answered in the next round. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/frontend.h"

struct announced;
struct event_base;
struct loop_meter;
struct manager;
struct router;
struct status;

struct status_options {
	struct event_base *base;
	struct manager *manager;
	const struct router *router;
	struct announced *announced;
	const struct loop_meter *meter;
	const char *address;  /* the one clients find first; read when somebody asks */
	uint64_t clients_max; /* --max-clients, or what descriptors allow */
	/* Whether discovery finds that id, or may still do so. */
	bool (*listed)(void *context, uint32_t id);
	void *context;
};

struct status *status_new(const struct status_options *options);
void status_free(struct status *status); /* NULL is fine */

/* As a handler of rpcgen's: false when the call is answered later. */
bool_t status_asked(struct status *status, jh_cluster_status *result, struct svc_req *request);

/* A replica has reported, or its connection ended. */
void status_heard(struct status *status, uint32_t id);

/* RULE 19: a client was turned away. Status mentions it for a while. */
void status_turned_away(struct status *status);
