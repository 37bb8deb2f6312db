/* One replica process: an event loop that hands events to the core (server/replica/) and carries its actions out. It puts
 * all parts of a replica together, and makes no decision of the protocol. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/program/daemon_options.h"
#include "server/replica/replica.h"
#include "server/shop/postcode_check.h"

struct memory_watch;
struct node;

struct node_options {
	uint32_t id;
	struct daemon_options daemon;
	const char *frontend;        /* host whose front-end is told that we are here; NULL: none */
	const char *initial_orders;  /* NULL: compiled in */
	uint64_t orders_max;
	uint32_t segment_bytes;      /* 0: the journal's own choice */
	uint64_t snapshot_bytes;     /* of the journal before the first snapshot; 0: the snapshotter's own choice */
	struct memory_watch *memory; /* NULL: no jh-memory */
	struct postcode_options postcodes;
	struct replica_options replica;
};

/* Reads the directory. Ends the process with one line when it cannot. */
struct node *node_new(const struct node_options *options);
/* Runs until SIGTERM or the end; returns the exit status, or NODE_START_AGAIN after giving up the uuid. */
#define NODE_START_AGAIN (-1)
int node_run(struct node *node);
void node_free(struct node *node);

struct identity node_identity(const struct node *node);
void node_report(const struct node *node, struct report *report);
/* What the core last did, oldest first. */
void node_trace_dump(const struct node *node, void (*line)(void *context, const char *text), void *context);
