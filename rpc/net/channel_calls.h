/* The calls of a channel that wait for an answer, indexed by xid and by deadline. Answering them is the channel's. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rpc/net/channel.h"
#include "rpc/net/deadlines.h"

/* A call on its way. Where it stands:
 *
 *     rpc_channel_call --stub--> in the table --answer, deadline, loss--> answered
 *                          \---> failed (not encodable, channel dead) --end of turn--> answered */
struct call {
	struct deadline deadline; /* first: the heap returns pointers to it */
	uint32_t xid;
	rpc_reply_fn answered;
	void *context;
	enum rpc_status failure;
	TAILQ_ENTRY(call) link; /* in a bucket, the channel's `failed`, or `spare` */
};

TAILQ_HEAD(call_queue, call);

struct call_table {
	struct call_queue *buckets; /* by xid; xids rise by one, so chains are short */
	size_t buckets_count;
	size_t count;
	struct deadlines deadlines;
	struct call_queue spare;
	size_t spare_count;
};

void call_table_init(struct call_table *table);
void call_table_free(struct call_table *table); /* including its calls */
void call_queue_free(struct call_queue *queue); /* the calls in it */

/* Allocates a call, outside the table, and frees one. */
struct call *call_table_new_call(struct call_table *table);
void call_table_free_call(struct call_table *table, struct call *call);

/* xid and deadline are set, and do not change. */
void call_table_add(struct call_table *table, struct call *call);
void call_table_take(struct call_table *table, struct call *call);

struct call *call_table_find(struct call_table *table, uint32_t xid); /* NULL: none */
struct call *call_table_first(const struct call_table *table);        /* of the earliest deadline; NULL: none */
