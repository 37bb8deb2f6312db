/* A primary's connections to the other replicas: opened with a hello, then pushes and pings. When to connect, what to
 * push and what a silence means is for the core to decide: what happens here comes to it as an event. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/cluster/protocol.h"
#include "server/replica/replica.h"

struct event_base;
struct machine;
struct peer_links;

struct peer_links_options {
	struct event_base *base;
	uint32_t program_base;
	const struct replica *replica;
	struct machine *const *machine;    /* where the history is to be found */
	/* On the loop. What the event points to is borrowed. */
	void (*event)(void *context, struct replica_event *event);
	/* All events of this turn have been delivered. */
	void (*turn_end)(void *context);
	/* Our identity, for the hello. */
	struct identity (*identity)(const void *context);
	/* Whether a line about a peer that misbehaves may be logged now. */
	bool (*may_complain)(void *context);
	void *context;
};

struct peer_links *peer_links_new(const struct peer_links_options *options);
void peer_links_free(struct peer_links *links);
/* DO_CONNECT, DO_DISCONNECT, DO_PUSH, DO_PING of the core. */
void peer_links_connect(struct peer_links *links, const struct replica_connect *connect);
void peer_links_disconnect(struct peer_links *links, const struct replica_name *name);
void peer_links_push(struct peer_links *links, const struct replica_send *sent);
void peer_links_ping(struct peer_links *links, const struct replica_name *name);
/* "delta 640 B", the last push; empty: there was none. */
void peer_links_last_push(const struct peer_links *links, char *text, size_t size);
