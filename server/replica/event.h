/* What the replica core is told: one record an event, whose arm holds what that kind needs. Nothing reads an arm of
 * another kind. */
#pragma once

#include "server/replica/messages.h"

/* A META record, as found on disk. */
struct replica_meta {
	uint32_t id;
	struct uuid uuid;
	struct uuid bound;        /* manager; nil: none (rule 20) */
	struct view view;
	uint64_t whole_view;
	uint64_t tail_cut;        /* as in a report, until the log is whole again in a view (rule 14) */
	uint64_t fold_differs_op; /* as in a report */
	uint32_t joint_count;
	struct joint joint[LIMIT_REPLICAS];
};

/* --- the arms ----------------------------------------------------------------------------------------------------- */

/* A log that follows base_op, where its digest is base_digest: entries base_op + 1 ... */
struct replica_recovered {
	uint64_t base_op;
	struct digest base_digest;
	uint64_t commit;
	const struct replica_entry *entries;
	uint32_t entries_count;
};

/* A write, as it arrives and as it comes back from its validation. */
struct replica_request {
	uint64_t token;
	uint64_t view;
	struct uuid client;
	uint64_t number;
	struct digest content;
	uint64_t floor;     /* a client has been shown this op: a refusal by less proves nothing */
	bool ends_doubt;    /* may use the room that is kept for this */
};

struct replica_proposal {
	struct replica_request request;
	const uint8_t *body;
	uint32_t size;
};

struct replica_query {
	uint64_t token;
	uint64_t view;
	uint64_t floor;
};

struct replica_received {
	uint64_t token;
	struct replica_name from;       /* as its hello said */
	const struct replica_push *push;
};

struct replica_staged {
	uint64_t token;
	bool ok;                        /* the piece fitted */
	uint64_t next;                  /* first order still wanted */
	bool complete;
};

struct replica_install {
	uint64_t token;
	const struct view *view;
	const struct peers *peers;      /* NULL: unchanged */
};

struct replica_bind {
	uint64_t token;
	struct uuid manager;
};

struct replica_heartbeat {
	uint64_t view;
	const struct peers *peers;      /* NULL: unchanged */
	uint32_t min_members;
	uint32_t full_wait_ms;          /* a disk full for longer costs its member the place; 0: never */
	bool retire;
};

struct replica_peer_up {
	struct replica_name peer;
	struct uuid incarnation;
	const struct report *report;
};

struct replica_acked {
	struct replica_name from;
	uint64_t token;                 /* DO_PUSH's */
	const struct replica_ack *ack;
};

/* --- the record --------------------------------------------------------------------------------------------------- */

enum replica_event_kind {
	/* Recovery, in this order: META and BATCH and STAGED and STATE as the journal holds them, then START. */
	REPLICA_RECOVER_BASE,    /* first: the snapshot's op and digest (0 and the initial history's without one) */
	REPLICA_RECOVER_META,
	REPLICA_RECOVER_BATCH,
	REPLICA_RECOVER_STAGED,
	REPLICA_RECOVER_STATE,   /* the staged state as of op took effect, with the staged entries up to last_op */
	REPLICA_START,

	REPLICA_SUBMIT,          /* a write arrives */
	REPLICA_PROPOSE,         /* its validation accepted it */
	REPLICA_DECLINE,         /* its validation declined it */
	REPLICA_QUERY,           /* a read arrives */
	REPLICA_FLUSH,           /* the turn is over: what it brought may leave in one push and one write */

	REPLICA_DURABLE,         /* ticket and all before it */
	REPLICA_DISK,            /* full, or no longer full */
	REPLICA_DAMAGE,          /* the files no longer hold what was written; nothing becomes durable after this */

	REPLICA_PUSH,
	REPLICA_STAGED,          /* the shell took the state piece */
	REPLICA_INSTALL,         /* INSTALL_VIEW from our manager */
	REPLICA_BIND,
	REPLICA_HEARTBEAT,       /* from our manager */
	REPLICA_MANAGER,         /* whether a manager is connected */
	REPLICA_STOP,            /* SIGTERM, or a failure that this process does not survive for long */

	REPLICA_PEER_UP,         /* our connection to a peer is open, hello answered */
	REPLICA_PEER_DOWN,       /* it ended, could not be made, or hello was refused */
	REPLICA_ACK,             /* a push was answered */
	REPLICA_PONG,

	REPLICA_TICK             /* every REPLICA_TICK_MS: all timers are looked at then */
};

#define REPLICA_TICK_MS 25

struct replica_event {
	enum replica_event_kind kind;
	uint64_t now_ms;                /* monotonic */
	union {
		struct { uint64_t op; struct digest digest; } base;
		const struct replica_meta *meta;
		struct replica_recovered batch;   /* RECOVER_BATCH, RECOVER_STAGED */
		struct { uint64_t op, last_op; } state;
		struct { uint64_t tail_cut; const char *damage; } start; /* damage: NULL: none */
		struct replica_request submit;
		struct replica_proposal propose;
		struct replica_request decline;
		struct replica_query query;
		struct { uint64_t ticket; } durable;
		struct { bool full; } disk;
		struct { const char *text; } damage;
		struct replica_received push;
		struct replica_staged staged;
		struct replica_install install;
		struct replica_bind bind;
		struct replica_heartbeat heartbeat;
		struct { bool connected; } manager;
		struct { const char *failure; } stop;                     /* NULL: none */
		struct replica_peer_up peer_up;
		struct replica_name peer_down;
		struct replica_acked ack;
		struct replica_name pong;
	};
};

/* Whether events of this kind point to what is only lent for the step: such an event cannot be kept for later. */
bool replica_event_borrows(enum replica_event_kind kind);
