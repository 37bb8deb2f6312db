/* One replica of the order history: PacificA's primary/backup replication with Viewstamped Replication's client table,
 * as the rules of docs/replication.md say. It holds rules 1, 2, 4 to 9, 11, 12 and its half of 3, 10, 13 to 15.
 *
 * Pure: a function from (state, event) to (state, actions). It opens no socket, reads no clock, starts no thread and
 * knows no wire format; bodies of operations are opaque bytes. Everything in an actions record is already permitted, in
 * the order given: an acknowledgement appears in the step that receives DURABLE for it, not beside the write.
 * replica_step cannot fail.
 *
 * It refuses to judge an operation (that is the service's) and to decide who is primary (the view manager's). */
#pragma once

#include <stddef.h>

#include "rpc/cluster/protocol.h"

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

enum replica_known { KNOWN_NEW, KNOWN_REPEAT, KNOWN_CONFLICT, KNOWN_SUPERSEDED };

/* Pure questions to the state machine. They see the applied state only. */
struct replica_service {
	void *context;
	/* Rule 11: what the history says of (client, request). KNOWN_REPEAT sets *op. */
	enum replica_known (*lookup)(void *context, struct uuid client, uint64_t request, struct digest content,
				     uint64_t *op);
	/* Who asked for the operation in body, and the digest of its content. False: malformed. */
	bool (*key)(void *context, const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request,
		    struct digest *content);
	/* Size of the encoded applied state in bytes, of one order history at most LIMIT_STATE_CHUNK_BYTES for one
	 * push. */
	uint64_t (*state_bytes)(void *context);
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
	bool disk_full;
	int64_t clock_us;         /* its wall clock; the shell's to fill in. RULE 16 */
};

/* Found on disk. */
struct replica_meta {
	uint32_t id;
	struct uuid uuid;
	struct uuid bound;        /* manager; nil: none (rule 20) */
	struct view view;
	uint64_t whole_view;
	uint64_t tail_cut;        /* as in a report, until the log is whole again in a view (rule 14) */
	uint32_t joint_count;
	struct joint joint[LIMIT_REPLICAS];
};

enum replica_event_kind {
	/* Recovery, in this order: META and BATCH and STAGED and STATE as the journal holds them, then START. */
	REPLICA_RECOVER_BASE,    /* first: the snapshot's op and digest (0 and the initial history's without one) */
	REPLICA_RECOVER_META,
	REPLICA_RECOVER_BATCH,   /* base_op, base_digest, entries, commit */
	REPLICA_RECOVER_STAGED,
	REPLICA_RECOVER_STATE,   /* op, digest, last_op */
	REPLICA_START,           /* damaged: text says why; tail_cut */

	REPLICA_SUBMIT,          /* token, view, client, request, content: a write arrives */
	REPLICA_PROPOSE,         /* token, client, request, content, body: it was judged good */
	REPLICA_DECLINE,         /* token, client, request, content: it was judged bad */
	REPLICA_QUERY,           /* token, view, floor: a read arrives */
	REPLICA_FLUSH,           /* the turn is over: what it brought may leave in one push and one write */

	REPLICA_DURABLE,         /* ticket and all before it */
	REPLICA_DISK,            /* disk_full changed */
	REPLICA_DAMAGE,          /* text: its files are not what it wrote any more; nothing becomes durable after this */

	REPLICA_PUSH,            /* token, from: a push arrives from (id, uuid) that said hello */
	REPLICA_STAGED,          /* token: the shell took the state piece: ok, next, complete */
	REPLICA_INSTALL,         /* token, install, peers: INSTALL_VIEW from our manager */
	REPLICA_BIND,            /* token, manager */
	REPLICA_HEARTBEAT,       /* from our manager: peers (NULL: unchanged), retire, min_members, full_wait_ms */
	REPLICA_MANAGER,         /* connected: whether a manager's connection is there */
	REPLICA_STOP,            /* SIGTERM; text: a failure that this process does not survive for long, else NULL */

	REPLICA_PEER_UP,         /* id, uuid, incarnation; report: our connection to a peer is open, hello answered */
	REPLICA_PEER_DOWN,       /* id, uuid: it ended, could not be made, or hello was refused */
	REPLICA_ACK,             /* id, uuid, token (DO_PUSH's), ack: a push was answered */
	REPLICA_PONG,            /* id, uuid */

	REPLICA_TICK             /* every REPLICA_TICK_MS: all timers are looked at then */
};

#define REPLICA_TICK_MS 25

struct replica_event {
	enum replica_event_kind kind;
	uint64_t now_ms;                /* monotonic */
	uint64_t token;
	uint64_t ticket;
	uint64_t view;
	uint64_t floor;
	struct uuid client;
	uint64_t request;
	struct digest content;
	const uint8_t *body;
	uint32_t size;
	uint32_t id;                    /* peer */
	struct uuid uuid;
	struct uuid incarnation;
	const struct report *report;
	const struct replica_push *push;
	const struct replica_ack *ack;
	const struct replica_meta *meta;
	const struct view *install;
	const struct peers *peers;
	struct uuid manager;
	uint64_t op;
	uint64_t last_op;
	uint64_t commit;
	uint64_t tail_cut;
	struct digest digest;
	const struct replica_entry *entries;
	uint32_t entries_count;
	uint64_t next;                  /* STAGED */
	uint32_t min_members;
	uint32_t full_wait_ms;          /* a disk full for longer costs its member the place; 0: never */
	bool complete;
	bool ok;
	bool disk_full;
	bool retire;
	bool connected;
	bool damaged;
	const char *text;
};

enum replica_verdict {
	VERDICT_DONE,         /* op */
	VERDICT_MOVED,        /* not the serving primary of that view */
	VERDICT_DECLINED,     /* as the shell judged it */
	VERDICT_CONFLICT,
	VERDICT_SUPERSEDED,
	VERDICT_FULL,         /* id: which replica holds no more than op orders */
	VERDICT_DISK_FULL,    /* id: on which replica */
	VERDICT_TOO_FEW,      /* op: how many members there are */
	VERDICT_BUSY
};

enum replica_write_kind { WRITE_META, WRITE_BATCH, WRITE_STAGED, WRITE_STATE };

enum replica_action_kind {
	DO_WRITE,          /* ticket, write: append to the journal. META: replica_meta_now. BATCH and STAGED: base_op
			      (op),
			      digest, entries op + 1 .. last_op (replica_entry_at), commit, durable_op.
			      STATE: op, digest, last_op */
	DO_APPLY,          /* apply every entry up to op to the live state */
	DO_ADOPT,          /* the staged state is durable: it is the live one now */
	DO_STAGE,          /* token, piece: take the state piece of this push; REPLICA_STAGED follows */
	DO_UNSTAGE,        /* forget a half-taken state */
	DO_JUDGE,          /* token: validate the operation; PROPOSE or DECLINE follows */
	DO_ANSWER,         /* token, verdict, op */
	DO_READ,           /* token: answer the query from the live state */
	DO_READ_MOVED,     /* token: refuse the query */
	DO_PUSH,           /* id, uuid, token, push: REPLICA_ACK with that token or REPLICA_PEER_DOWN follows */
	DO_PING,           /* id, uuid: procedure 0; PONG follows */
	DO_ACK,            /* token, ack */
	DO_INSTALLED,      /* token, ok: the view is durable here, or refused with text */
	DO_BOUND,          /* token, ok */
	DO_CONNECT,        /* id, uuid, incarnation, address: open a connection and say hello */
	DO_DISCONNECT,     /* id, uuid */
	DO_NEWS,           /* the report changed: answer WATCH calls */
	DO_RETIRE,         /* set everything aside, draw a new uuid, start again; text */
	DO_EXIT,           /* stop the process: stopping is done */
	DO_LOG             /* level (enum log_level), text */
};

#define REPLICA_TEXT_SIZE 240

struct replica_action {
	enum replica_action_kind kind;
	enum replica_verdict verdict;
	enum replica_write_kind write;
	uint32_t id;
	struct uuid uuid;
	struct uuid incarnation;
	uint64_t token;
	uint64_t ticket;
	uint64_t op;
	uint64_t last_op;
	uint64_t commit;
	uint64_t durable_op;
	struct digest digest;
	struct replica_push push;
	struct replica_ack ack;
	bool ok;
	int level;
	char address[LIMIT_ADDRESS_BYTES];
	const struct staging_piece *piece; /* the event's */
	const char *text;      /* borrowed from the replica until its next step */
};

struct replica_actions {
	uint32_t count;
	uint32_t room;
	struct replica_action *list;   /* grows; free with replica_actions_free */
};

struct replica *replica_new(const struct replica_options *options, const struct replica_service *service);
void replica_free(struct replica *replica);
void replica_actions_free(struct replica_actions *actions);

/* Clears actions, takes the event, fills actions. Arguments are borrowed for the call. */
void replica_step(struct replica *replica, const struct replica_event *event, struct replica_actions *actions);

/* What it says of itself; the shell adds what only it knows (orders, uptime, loop, push, set_aside). */
void replica_report(const struct replica *replica, struct report *report);

/* What WRITE_META puts on disk. */
void replica_meta_now(const struct replica *replica, struct replica_meta *meta);

/* An entry of the log; borrowed until the next step. */
struct replica_entry replica_entry_at(const struct replica *replica, uint64_t op);

/* The latest wall clock, as it must show at now_ms (monotonic), that a member other than this one has reported in this view;
 * clocks before not_before_us are left out. False: there is none. RULE 16 */
bool replica_clock_of_others(const struct replica *replica, uint64_t now_ms, int64_t not_before_us, int64_t *clock_us);

uint64_t replica_commit(const struct replica *replica);
uint64_t replica_last_op(const struct replica *replica);
const struct view *replica_view(const struct replica *replica);
struct uuid replica_bound(const struct replica *replica);

/* The last few hundred trace lines, oldest first, for must_on_failure. */
void replica_trace_dump(const struct replica *replica, void (*line)(void *context, const char *text), void *context);
