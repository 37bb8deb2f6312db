/* One replica of the order history: PacificA's primary/backup replication with Viewstamped Replication's client table,
 * as the rules of docs/replication.md say. It holds rules 1, 2, 4 to 9, 11, 12 and its half of 3, 10, 13 to 15.
 *
 * Pure: a function from (state, event) to (state, actions). It opens no socket, reads no clock, starts no thread and
 * knows no wire format; bodies of operations are opaque bytes. Everything in an actions record is already permitted, in
 * the order given: an acknowledgement appears in the step that receives DURABLE for it, not beside the write.
 * replica_step cannot fail.
 *
 * It neither validates operations (the service does) nor decides who is primary (the view manager does). */
#pragma once

#include <stddef.h>

#include "rpc/cluster/protocol.h"
#include "server/replica/action.h"
#include "server/replica/event.h"

struct replica;

enum replica_push_mode { PUSH_AUTO, PUSH_FULL, PUSH_DELTA };

struct replica_options {
	uint32_t id;
	enum replica_push_mode push_mode;
	uint64_t push_full_limit;   /* bytes; auto: state up to this travels whole when few orders do */
	uint32_t heartbeat_ms;      /* silence after which a peer with a push in flight is asked for a sign of life */
	uint32_t suspect_ms;        /* silence after which it counts as unreachable */
	uint32_t stall_ms;          /* a push unanswered for this long while the peer lives: its disk is late */
	uint32_t read_hold_ms;      /* how long a read waits for the floor */
	uint64_t orders_max;        /* ops above this are refused */
	uint64_t log_bytes_max;     /* applied entries kept for peers that lag */
};

enum replica_known {
	KNOWN_NEW,
	KNOWN_DECIDED, /* an entry has the number, with this content */
	KNOWN_REUSED,  /* an entry has the number, with other content */
	KNOWN_PASSED   /* an entry has a higher number of the client, and none this one */
};

enum replica_admission {
	ADMISSION_GIVEN,
	ADMISSION_REFUSED, /* the applied state refuses it already */
	ADMISSION_WAITS    /* decided once the log is applied */
};

/* Pure questions to the state machine. They see the applied state only. */
struct replica_service {
	void *context;
	/* Rule 11: what the history says of (client, request). Unless new, *op is the entry that this rests on. */
	enum replica_known (*lookup)(void *context, struct uuid client, uint64_t request, struct digest content,
				     uint64_t *op);
	/* The client and request number of the operation in body, and the digest of its content. False: malformed. */
	bool (*key)(void *context, const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request,
		    struct digest *content);
	/* Whether the applied state, and what the log will make of it, allow the request of this token. NULL: always. */
	enum replica_admission (*admit)(void *context, uint64_t token);
	/* The digest of what the applied state is folded from, as it was at an op that was applied not long ago. False: it is not
	 * known any more. NULL: never. */
	bool (*fold_at)(void *context, uint64_t op, struct digest *fold);
	/* Size of the encoded applied state in bytes, of one order history at most LIMIT_STATE_CHUNK_BYTES for one
	 * push. */
	uint64_t (*state_bytes)(void *context);
};

struct replica *replica_new(const struct replica_options *options, const struct replica_service *service);
void replica_free(struct replica *replica);

/* Clears actions, takes the event, fills actions. Arguments are borrowed for the call. */
void replica_step(struct replica *replica, const struct replica_event *event, struct replica_actions *actions);

/* What it says of itself; the shell adds what only it knows (the figures, push). */
void replica_report(const struct replica *replica, struct report *report);

/* What WRITE_META puts on disk. */
void replica_meta_now(const struct replica *replica, struct replica_meta *meta);

/* An entry of the log; borrowed until the next step. */
struct replica_entry replica_entry_at(const struct replica *replica, uint64_t op);

/* The latest wall clock, as it must show at now_ms (monotonic), that a member other than this one has reported in this view;
 * clocks before not_before_us are left out. False: there is none. RULE 16 */
bool replica_clock_of_others(const struct replica *replica, uint64_t now_ms, int64_t not_before_us, int64_t *clock_us);

bool replica_is_damaged(const struct replica *replica); /* for good: RULE 14 */
uint64_t replica_commit(const struct replica *replica);
uint64_t replica_last_op(const struct replica *replica);
const struct view *replica_view(const struct replica *replica);
struct uuid replica_bound(const struct replica *replica);

/* The last few hundred trace lines, oldest first, for must_on_failure. */
void replica_trace_dump(const struct replica *replica, void (*line)(void *context, const char *text), void *context);
