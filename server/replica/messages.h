/* What replicas say to each other, and what both the core and its shell call it. */
#pragma once

#include "rpc/cluster/protocol.h"

/* Another replica, and the data directory that is meant. */
struct replica_name {
	uint32_t id;
	struct uuid uuid;
};

struct replica_entry {
	uint64_t view;          /* in which it was appended */
	const uint8_t *body;
	uint32_t size;
};

struct staging_piece;

/* Entries are base_op + 1 ... */
struct replica_push {
	uint64_t view;
	const struct view *record;    /* NULL: the receiver has it */
	bool has_state;               /* a piece of the state as of base_op comes along; base_op and base_digest are
					 its */
	uint64_t state_first;         /* order the piece begins with */
	const struct staging_piece *piece; /* of a received push: the piece itself, for the shell; handed on by DO_STAGE */
	uint64_t base_op;
	struct digest base_digest;
	uint64_t last_op;             /* the sender's last op */
	uint64_t commit;
	uint64_t fold_op;             /* of the state that the serving primary has computed; 0: not told */
	struct digest fold;
	uint32_t entries_count;
	const struct replica_entry *entries; /* received ones; of a sent push ask replica_entry_at */
};

enum replica_push_status {
	PUSH_OK = 0,
	PUSH_OLD_VIEW = 1,
	PUSH_NEED_BASE = 2,
	PUSH_NEED_RECORD = 3,
	PUSH_DAMAGED = 4,
	PUSH_REFUSED = 5
};

#define STATE_NEXT_KEEP UINT64_MAX /* the receiver holds the state as of that op, or has got all of it */

struct replica_ack {
	enum replica_push_status status;
	uint64_t view;
	struct uuid uuid;
	uint64_t op;              /* durable and proved equal in this view (rule 4) */
	uint64_t commit;          /* applied there, */
	struct digest commit_digest;   /* with this digest: a base to push from */
	uint64_t state_next;      /* first order still wanted of a state under transfer */
	uint64_t fold_op;         /* of the state that it has computed; 0: not told */
	struct digest fold;
	bool disk_full;
	int64_t clock_us;         /* its wall clock; the shell's to fill in. RULE 16 */
};
