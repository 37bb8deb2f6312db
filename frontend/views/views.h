/* The view manager (PacificA's configuration manager): decides which replicas are members and which one is primary. It
 * implements rules 2, 3, 10, 15, 18 and 20 of docs/replication.md, and its half of 5, 6, 9, 14.
 *
 * Pure: a function from (state, event) to (state, actions). It opens no socket, reads no clock, starts no thread, draws
 * no random number (the shell hands it fresh uuids with each event). Everything in an actions record is already
 * permitted: an INSTALL of a view appears in the step that learns that the view is stored, not beside the STORE.
 * views_step cannot fail.
 *
 * It does not route requests (frontend/router/router.c), find replicas (frontend/discovery.c) or touch the disk
 * (frontend/keeper/). */
#pragma once

#include "rpc/cluster/protocol.h"

struct views;

struct views_options {
	uint32_t heartbeat_ms;   /* --heartbeat-ms 50 */
	uint32_t suspect_ms;     /* --suspect-ms 250 */
	uint32_t stall_ms;       /* --stall-ms 2000 */
	uint32_t start_wait_ms;  /* --start-wait-ms 2000 */
	uint32_t forget_ms;      /* --autoclean-s 20: a lost replica is dropped from status after this, unless it is
				    expected */
	uint32_t min_members;    /* --min-members 1: for status; the primary refuses (heartbeats carry it there) */
	uint32_t full_wait_ms;   /* --full-wait-s 60: heartbeats carry it to the primary, which reports */
	struct format_range formats; /* that this front-end speaks */
	bool new_cluster;        /* --new-cluster */
	bool take_over;          /* --take-over: from a front-end that is alive */
	char base_option[32];    /* " --program-base N" when it is not the default: for commands that are suggested */
};

/* A member that computes another state from the operations than a serving primary did. */
struct fold_mark {
	uint32_t id;
	struct uuid uuid;
	uint64_t differs_op; /* compared and found different at this one, */
	uint64_t equal_op;   /* and equal at this lower one: the first that differs lies between */
};

struct fold_marks {
	uint32_t count;
	struct fold_mark list[LIMIT_REPLICAS]; /* rising id, each id once */
};

/* What view.json holds. manager is nil when there was no file. */
struct views_stored {
	struct uuid manager;
	struct view view; /* number 0: none yet */
	struct fold_marks marks;
};

enum views_event_kind {
	VIEWS_START,       /* the view file has been read; stored is NULL when there was none */
	VIEWS_FOUND,       /* discovery saw replica id at address (each dump names all again; cheap to repeat) */
	VIEWS_DUMPED,      /* one round of dumps is over; ids is every id registered anywhere */
	VIEWS_HELLO,       /* the connection to id is open both ways */
	VIEWS_REPORT,      /* id answered a heartbeat, watch, install or bind */
	VIEWS_ALIVE,       /* at heard_ms something came from id, perhaps part of an answer: sent before a TICK */
	VIEWS_LOST,        /* the connection to id ended or could not be made */
	VIEWS_BOUND,       /* id answered BIND: it is durably bound to us; its report is from after the binding */
	VIEWS_STORED,      /* the STORE with this ticket is durable (ok), or failed */
	VIEWS_DEMAND,      /* the router: `waiting` requests wait; cheap, sent whenever it changes from or to 0 */
	VIEWS_SWITCHOVER,  /* an operator request: make id (0: choose) the primary */
	VIEWS_PROMOTE,     /* an operator request: force id, or with confirm false tell what that would cost */
	VIEWS_REMOVE,      /* an operator request: id is expected no longer */
	VIEWS_UPGRADE,     /* an operator request: use the highest format that all speak */
	VIEWS_TICK         /* the deadline the last step gave has come (or earlier) */
};

struct views_hello {
	uint32_t id;
	enum hello_status status;
	const char *text;                /* the other end's words when it refused; may be NULL */
	const struct identity *identity; /* who answered; NULL, as is report, when the answer is not understood */
	const struct report *report;
};

struct views_operator {
	uint64_t token; /* DO_ANSWER comes with it, once */
	uint32_t id;    /* not of UPGRADE */
	bool confirm;   /* of PROMOTE alone */
};

struct views_event {
	enum views_event_kind kind;
	uint64_t now_ms;          /* monotonic; never falls */
	int64_t wall_us;          /* the wall clock, for what people read; decides nothing (rule 16) */
	uint64_t floor;           /* the router's: highest op any answer passed on has shown (0: none or unknown) */
	struct uuid fresh[2];     /* two random uuids, for a manager, cluster or generation made in this step */
	union { /* no arm: TICK */
		struct {
			const struct views_stored *stored;
		} start;
		struct {
			uint32_t id;
			const char *address;
		} found;
		struct {
			bool complete; /* every --replica-hosts answered */
			const uint32_t *ids;
			uint32_t ids_count;
		} dumped;
		struct views_hello hello;
		struct {
			uint32_t id;
			const struct report *report;
		} report, bound;
		struct {
			uint32_t id;
			uint64_t heard_ms; /* not after now_ms */
		} alive;
		struct {
			uint32_t id;
			bool refused; /* nobody listens there: it is dead */
		} lost;
		struct {
			uint64_t ticket;
			bool ok;
		} stored;
		struct {
			uint64_t waiting; /* 0: none */
		} demand;
		struct views_operator operator; /* SWITCHOVER, PROMOTE, REMOVE, UPGRADE */
	};
};

enum views_action_kind {
	VIEWS_DO_CONNECT,     /* open a connection to id at address and say hello (whatever uuid is there) */
	VIEWS_DO_DISCONNECT,  /* close it; no LOST follows */
	VIEWS_DO_HEARTBEAT,   /* send HEARTBEAT to id; the shell adds the peer list (views_peers) */
	VIEWS_DO_STORE,       /* write and fsync views_to_store() under ticket; VIEWS_STORED follows */
	VIEWS_DO_INSTALL,     /* send INSTALL_VIEW to id: the current view and the peer list */
	VIEWS_DO_BIND,        /* send BIND_MANAGER to id with our manager uuid */
	VIEWS_DO_ROUTE,       /* the router: id serves `view`: (re-)submit there, and raise the floor to commit */
	VIEWS_DO_HOLD,        /* the router: no replica serves now; keep requests; text says why, for who asks too long */
	VIEWS_DO_ANSWER,      /* the outcome of the operator request with that token, and a text */
	VIEWS_DO_RESET_FLOOR, /* promote --force */
	VIEWS_DO_CLEAN,       /* auto-clean: unset id's registration at address ("": none) if it is ours and dead */
	VIEWS_DO_LOG,         /* one line */
	VIEWS_DO_EXIT         /* log text as an error and exit with status 1: replaced by a successor, ... */
};

enum views_outcome {
	VIEWS_REFUSED, /* nothing has been done */
	VIEWS_DONE,
	VIEWS_UNSURE   /* what was asked for has begun, and may still be done (RULE 12) */
};

#define VIEWS_TEXT_SIZE 480

struct views_action {
	enum views_action_kind kind;
	union { /* no arm: RESET_FLOOR */
		struct {
			uint32_t id;
			char address[LIMIT_ADDRESS_BYTES];
		} connect, clean;
		struct {
			uint32_t id;
		} disconnect, install, bind;
		struct {
			uint32_t id;
			uint64_t view; /* the current one's number */
			bool retire;   /* set your data aside and come back as a learner */
		} heartbeat;
		struct {
			uint64_t ticket;
		} store;
		struct {
			uint32_t id;
			uint64_t view;
			uint64_t commit;
		} route;
		struct {
			char text[VIEWS_TEXT_SIZE];
		} hold, exit;
		struct {
			uint64_t token;
			enum views_outcome outcome;
			char text[VIEWS_TEXT_SIZE];
		} answer;
		struct {
			int level; /* enum log_level */
			char text[VIEWS_TEXT_SIZE];
		} log;
	};
};

#define VIEWS_ACTIONS_MAX 512

struct views_actions {
	uint32_t count;
	struct views_action list[VIEWS_ACTIONS_MAX];
	uint64_t deadline_ms;        /* step again with TICK then; UINT64_MAX: never */
};

struct views *views_new(const struct views_options *options);
void views_free(struct views *views);

void views_step(struct views *views, const struct views_event *event, struct views_actions *actions);

/* Borrowed until the next step. */
const struct view *views_current(const struct views *views);       /* latest durable view; number 0: none */
const struct views_stored *views_to_store(const struct views *views); /* what the last DO_STORE wants on disk */
struct uuid views_manager(const struct views *views);
struct format_range views_formats(const struct views *views);
void views_peers(const struct views *views, struct peers *peers);   /* the peer list: replicas that said hello */

/* One row a known replica, for status. */
struct views_row {
	uint32_t id;
	enum replica_role role;      /* DOWN when not reachable, FOREIGN when of another cluster */
	bool member;
	bool expected;               /* admitted once and not removed */
	int64_t lost_us;             /* expected, and neither a member nor there: since when (wall clock); 0: it is */
	bool reachable;
	uint64_t differs_op;         /* it computes another state than the primary, which shows at this op; 0: it does not */
	uint64_t age_ms;             /* of the report; UINT64_MAX: none yet */
	const struct report *report; /* NULL: none yet */
	char address[LIMIT_ADDRESS_BYTES];
	char note[REPORT_TEXT_SIZE]; /* why it is down or foreign */
};
uint32_t views_rows(const struct views *views, uint64_t now_ms, struct views_row rows[static LIMIT_REPLICAS]);

/* "ok", "degraded: 1 copy", "no primary: waiting for replicas 2, 3" ...; *health as enum jh_health. */
void views_summary(const struct views *views, uint64_t now_ms, char text[static VIEWS_TEXT_SIZE], int *health);
/* Whether the next order would be accepted, now or once the view under way serves; else why not, in a few words. */
bool views_accepts_orders(const struct views *views, char why[static VIEWS_TEXT_SIZE]);
/* Members that are there; *expected: how many copies there should be. */
uint32_t views_copies(const struct views *views, uint32_t *expected);
/* It is known to compute another state than the primary: it takes no reads. */
bool views_differs(const struct views *views, uint32_t id);
/* A connection to that replica is open. */
bool views_answers(const struct views *views, uint32_t id);
bool views_serving(const struct views *views, uint32_t *primary);
