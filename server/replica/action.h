/* What the replica core asks its shell to do: one record an action, whose arm holds what that kind needs. Nothing reads
 * an arm of another kind. */
#pragma once

#include "server/replica/messages.h"

/* --- the arms ----------------------------------------------------------------------------------------------------- */

enum replica_write_kind { WRITE_META, WRITE_BATCH, WRITE_STAGED, WRITE_STATE };

/* Entries base_op + 1 .. last_op (replica_entry_at), after a log with that digest. */
struct replica_write_batch {
	uint64_t base_op;
	struct digest base_digest;
	uint64_t last_op;
	uint64_t commit;
	uint64_t durable_op;
};

/* The staged state as of op takes effect, with the staged entries up to last_op. */
struct replica_write_state {
	uint64_t op;
	struct digest digest;
	uint64_t last_op;
};

struct replica_write {
	enum replica_write_kind kind;
	uint64_t ticket;                          /* DURABLE names it */
	union {                                   /* META: replica_meta_now */
		struct replica_write_batch batch; /* BATCH, STAGED */
		struct replica_write_state state; /* STATE */
	};
};

struct replica_stage {
	uint64_t token;
	uint64_t op;                /* the whole state is as of this op, */
	struct digest digest;       /* with this digest */
	const struct staging_piece *piece; /* the push's */
};

enum replica_verdict {
	VERDICT_DECIDED,      /* by the entry at op, whatever it became */
	VERDICT_MOVED,        /* not the serving primary of that view */
	VERDICT_DECLINED,     /* by the validation */
	VERDICT_REUSED,       /* the entry at op has the number, with other content */
	VERDICT_PASSED,       /* no entry has the number, and the one at op a higher one of the client */
	VERDICT_NOT_ADMITTED, /* by the state applied now */
	VERDICT_FULL,         /* id: which replica holds no more than limit operations */
	VERDICT_DISK_FULL,    /* id: on which replica */
	VERDICT_TOO_FEW,      /* limit: how many members there are */
	VERDICT_BUSY
};

struct replica_answer {
	uint64_t token;
	enum replica_verdict verdict;
	uint64_t op;
	uint64_t applied;     /* the verdict was given with the history applied up to this op */
	uint32_t id;
	uint64_t limit;
};

struct replica_send {
	struct replica_name to;
	uint64_t token;             /* ACK names it */
	struct replica_push push;
};

struct replica_acknowledge {
	uint64_t token;
	struct replica_ack ack;
};

/* Texts are borrowed from the replica until its next step. */
struct replica_installed {
	uint64_t token;
	bool ok;                    /* the view is durable here; else refused: */
	const char *text;
};

struct replica_connect {
	struct replica_name to;
	struct uuid incarnation;
	char address[LIMIT_ADDRESS_BYTES];
};

/* --- the record --------------------------------------------------------------------------------------------------- */

enum replica_action_kind {
	DO_WRITE,          /* append to the journal */
	DO_APPLY,          /* apply every entry up to op to the live state */
	DO_ADOPT,          /* the staged state, of this op, is durable: it is the live one now */
	DO_STAGE,          /* take the state piece of this push; REPLICA_STAGED follows */
	DO_UNSTAGE,        /* drop a state that is only partly taken */
	DO_VALIDATE,       /* validate the operation; PROPOSE or DECLINE follows */
	DO_ANSWER,         /* the outcome of a SUBMIT */
	DO_READ,           /* answer the query from the live state */
	DO_READ_MOVED,     /* refuse the query */
	DO_PUSH,           /* REPLICA_ACK with that token or REPLICA_PEER_DOWN follows */
	DO_PING,           /* procedure 0; PONG follows */
	DO_ACK,            /* answer a push */
	DO_INSTALLED,      /* answer an INSTALL */
	DO_BOUND,          /* answer a BIND */
	DO_CONNECT,        /* open a connection and say hello; PEER_UP or PEER_DOWN follows */
	DO_DISCONNECT,
	DO_NEWS,           /* the report changed: answer WATCH calls */
	DO_RETIRE,         /* set everything aside, draw a new uuid, start again */
	DO_EXIT,           /* stop the process: stopping is done */
	DO_LOG             /* a line, of enum log_level */
};

#define REPLICA_TEXT_SIZE 240

struct replica_action {
	enum replica_action_kind kind;
	union {
		struct replica_write write;
		struct { uint64_t op; } apply;
		struct { uint64_t op; } adopt;
		struct replica_stage stage;
		struct { uint64_t token; } validate;
		struct replica_answer answer;
		struct { uint64_t token; } read;      /* READ, READ_MOVED */
		struct replica_send push;
		struct replica_name ping;
		struct replica_acknowledge ack;
		struct replica_installed installed;
		struct { uint64_t token; bool ok; } bound;
		struct replica_connect connect;
		struct replica_name disconnect;
		struct { const char *text; } retire;
		struct { int level; const char *text; } log;
	};
};

struct replica_actions {
	uint32_t count;
	uint32_t room;
	struct replica_action *list;   /* grows; free with replica_actions_free */
};

void replica_actions_free(struct replica_actions *actions);
