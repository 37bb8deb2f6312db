/* The router's shell: client requests in memory, their calls to replicas, their answers, the router's clock. */
#pragma once

#include <stdint.h>

#include "rpc/frontend.h"

struct event_base;
struct link_answer;
struct links;
struct client_requests;
struct router;
struct rpc_call;
struct rpc_server;

struct client_requests_options {
	struct event_base *base;
	struct links *links;
	struct rpc_server *server; /* whose clients are paused while the queue is full */
	uint32_t suspect_ms;
	void (*demand)(void *context); /* requests wait while no replica serves; must not call the router */
	void *context;
};

struct client_requests *client_requests_new(const struct client_requests_options *options);
/* After links and server. NULL is fine. */
void client_requests_free(struct client_requests *requests);

struct router *client_requests_router(struct client_requests *requests);

/* Take the operation or query out of args (they are left empty) and answer the call later. */
void client_requests_write(struct client_requests *requests, jh_place_args *args, struct rpc_call *call);
void client_requests_read(struct client_requests *requests, jh_read_args *args, struct rpc_call *call);

/* What struct links_events says of a SUBMIT or QUERY. */
void client_requests_answered(struct client_requests *requests, void *owner, const struct link_answer *answer);
