/* The replica's program (rpc/replica.x): hellos, and what the view manager and the primary call. */
#pragma once

#include "rpc/cluster/protocol.h"
#include "rpc/replica.h"
#include "server/replica/replica.h"

struct requests;
struct service;
struct peer_sessions;

struct service_options {
	const struct replica *replica;
	struct peer_sessions *sessions;
	struct requests *requests;
	const char *address;         /* where this replica is found; borrowed */
	/* An event for the core. What it points to is borrowed. */
	void (*event)(void *context, struct replica_event *event);
	struct identity (*identity)(const void *context);
	void (*report)(const void *context, struct report *report);
	void *context;
};

struct service *service_new(const struct service_options *options);
void service_free(struct service *service);
/* DO_NEWS, DO_INSTALLED, DO_BOUND, DO_ACK of the core. */
void service_news(struct service *service);
void service_installed(const struct replica_installed *installed);
void service_bound(uint64_t token, bool ok);
void service_ack(const struct replica_acknowledge *acknowledge);

/* The program's dispatcher, to be registered with the service as its context. */
void service_dispatch(struct svc_req *request, SVCXPRT *transport);
void jh_replica_1(struct svc_req *request, SVCXPRT *transport); /* what rpcgen made of it */
