/* For tests of a replica's shell: one node in this process, on a loop that also carries the connections of its peers.
 * It listens on loopback and is not registered. The test controls its clocks and its disk: this file replaces libc's
 * clock_gettime, fdatasync, opendir and readdir. */
#pragma once

#include <stdatomic.h>

#include "rpc/net/channel.h"
#include "rpc/replica.h"
#include "server/node_internal.h"
#include "tests/unit/support_scratch.h"

#define NODE_ID 1
#define NODE_BASE 7000u

struct node_rig {
	struct node *node;
	char directory[SCRATCH_PATH_SIZE];
	char address[LIMIT_ADDRESS_BYTES];
	struct view view;                 /* number 1, by manager 0xA; the node is its only member */
	struct uuid shown_client;         /* of the newest order that history_now was shown */
};
extern struct node_rig node_rig;

/* Used by every node_begin; 0: the default, 100 orders. */
struct node_sizes {
	uint32_t segment_bytes;
	uint64_t snapshot_bytes;
	uint64_t orders_max;
};
extern struct node_sizes node_sizes;

extern _Atomic int64_t wall_ahead_us;      /* how far the wall clock is ahead */
extern _Atomic int64_t monotonic_ahead_us;
extern atomic_bool disk_hangs;             /* fdatasync waits */
extern atomic_bool disk_fails;             /* and then fails with EIO */
extern atomic_uint listing_fails;          /* the n-th opendir or readdir from now on fails with EIO; 0: none does */

/* A new directory, removed by node_rig_end. */
void node_rig_begin(void);
void node_rig_end(void);
/* Starts and ends a process on that directory. */
void node_begin(void);
/* The same in a process of its own, whose n-th opendir or readdir fails: an exit status, 1 when it refuses to start,
 * or one of these. */
enum { NODE_BEGAN_WITH = 10, NODE_BEGAN_WITHOUT, NODE_BEGAN_WRONG };
int node_begins_as(unsigned listing, uint64_t op);
void node_finish(void);
/* The directory becomes what a kill -9 at this moment leaves, and the node a new process on that. */
void node_killed(void);
/* The same, without a new process. */
void node_killed_and_gone(void);
/* As node_killed, with a byte of that text in the journal changed in between. */
void node_killed_and_spoilt(const char *text);
/* Changes a byte of that text, which is in the journal of a finished node. */
void spoil(const char *text);

/* One connection to the node. */
struct caller {
	struct rpc_channel *channel;
	bool connected, closed;
};

void caller_open(struct caller *caller);
void caller_close(struct caller *caller);

/* A call, and later its answer. result is the caller's, zeroed; rpc is RPC_ANSWERED when it was decoded. */
struct question {
	bool over;
	enum rpc_status rpc;
	xdrproc_t decode;
	void *result;
};

/* To be passed to rpc_channel_call by a stub's caller. */
CLIENT *ask(struct caller *caller, struct question *question, xdrproc_t decode, void *result);
/* Runs the loop until *flag, or fails the test. */
void loop_until(const bool *flag);
/* Runs it for so many ticks of its timer. */
void loop_for(unsigned ticks);

struct uuid called(uint8_t mark);
/* The identity of a view manager or another replica, before it knows a cluster. */
struct identity manager_called(uint8_t mark);
/* Sends a hello and waits for the answer. meant: NULL, no one in particular. */
extern char hello_said[JH_TEXT_MAX + 1]; /* the text of the last answer */
jh_hello_status say_hello(struct caller *caller, const struct identity *me, const struct identity *meant);
/* Connected, with a session as the manager of that mark; OK or BOUND. */
jh_hello_status manager_opens(struct caller *caller, uint8_t mark);
jh_manage_status install_view(struct caller *manager, const struct view *view);
jh_manage_status bind_manager(struct caller *manager, uint8_t mark);
/* Sends a heartbeat and waits for its answer. */
void heartbeat(struct caller *manager, uint32_t min_members, bool retire);
/* The node is the serving primary of node_rig.view. */
void node_leads(struct caller *manager);
/* The same process, or another one since, leads a view of the next number. */
void lead_again(struct caller *manager);

/* An order of client 0xC1 for item "soup", under the number of the node's view. */
void submit_order(struct caller *manager, struct question *question, jh_write_result *result, uint64_t request,
		  const char *item);
/* The same, waiting for the answer. */
jh_write_result order_now(struct caller *manager, uint64_t request, const char *item);
jh_read_result history_now(struct caller *manager, uint64_t view, uint64_t floor, bool at_primary);
