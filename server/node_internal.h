/* For node.c, node_disk.c, node_step.c and their tests alone. */
#pragma once

#include <event2/event.h>

#include "rpc/net/loop.h"
#include "server/node.h"

#define NODE_DEFERRED_MAX 16

/* How this process ends. */
enum node_end {
	NODE_RUNS,
	NODE_STOPPED,   /* asked to: exit status 0 */
	NODE_FAILED,    /* the reason is in the log: exit status 1 */
	NODE_RETIRED    /* gives up its uuid and starts again (RULE 14) */
};

struct node {
	struct node_options options;
	struct uuid uuid, incarnation;
	uint64_t start_us;
	char address[LIMIT_ADDRESS_BYTES];      /* where it is found */

	/* The loop, and what else is on it. */
	struct event_base *base;
	struct event *timer;
	struct loop_meter meter;
	struct signals *signals;
	struct rpc_server *server;
	struct registry *registry;
	struct listener *listener;
	struct announcer *announcer;
	struct neighbours *neighbours;
	struct service *service;
	struct peer_sessions *sessions;
	struct requests *requests;
	struct postcode_checker *checker;
	struct peer_links *links;

	/* The core and its state. */
	struct replica *replica;
	struct machine *machine;
	int64_t last_time_us;                   /* of the newest order in the log: RULE 16 */
	bool warned_of_full;                    /* the log has said that --max-orders is near */

	/* A step. Events that its actions cause are deferred to its end; they borrow nothing. */
	struct replica_actions actions;
	bool stepping;
	struct replica_event deferred[NODE_DEFERRED_MAX]; /* ring */
	uint32_t deferred_first, deferred_count;

	/* The disk. */
	struct directory *directory;
	struct journal *journal;                /* NULL: damaged, nothing more is written */
	struct background *background;          /* states that come from a primary, looks at files */
	struct snapshotter *snapshotter;
	struct staging *staging;
	struct file_watch *files;
	uint64_t snapshot_op;                   /* of the newest snapshot that this replica stands on */
	uint32_t set_aside_count;               /* looked up now and then, in the background */
	uint64_t set_aside_us;
	bool disk_full;
	char trouble[160];                      /* of the journal, while it can still take orders; "" when there is none */
	bool failing;                           /* and now it cannot: this process stops */
	uint64_t damaged_us;                    /* since when; 0: it is not; RULE 14 */
	bool directory_gone;                    /* there is nothing to set aside, and nowhere to go on */

	/* The end. */
	uint64_t complained_us;
	bool stopping;                          /* a signal has asked for it, or its journal cannot go on */
	bool asked;                             /* by a signal */
	bool freeing;
	enum node_end end;
	char ending[256];                       /* why */
};

/* --- node_step.c -------------------------------------------------------------------------------------------------- */

/* Hands the event to the core, carries its actions out, then whatever follows at once (validated requests). Within a
 * step's actions it is deferred to the end of the step. */
void node_step(struct node *node, struct replica_event *event);
/* What came in this turn may leave in one push and one write. */
void node_flush(struct node *node);
/* START: as node_step, but a log that turns out damaged is closed before anything is written (RULE 14). */
void node_start(struct node *node, struct replica_event *event);
/* RULE 19: whether --max-orders is near; the log says so once. */
bool node_nearly_full(const struct node *node);
void node_warn_of_full(struct node *node);

/* --- node_disk.c -------------------------------------------------------------------------------------------------- */

/* Reads the directory into the core, START included. Ends the process with one line when it cannot. */
void node_disk_begin(struct node *node);
/* Every turn of the timer. */
void node_disk_tick(struct node *node);
/* Nothing is written any more. */
void node_disk_close(struct node *node);
/* RULE 14: closes, and sets all aside; false with a line in the log. */
bool node_disk_set_aside(struct node *node);

/* --- node.c ------------------------------------------------------------------------------------------------------- */

/* Leaves the loop when what was answered is on its way. The first call counts. */
void node_end(struct node *node, enum node_end end, const char *why);
