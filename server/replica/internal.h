/* The state of one replica, shared by the files of the core alone. */
#pragma once

#include "rpc/base/must.h"
#include "server/replica/validations.h"
#include "server/replica/log.h"
#include "server/replica/replica.h"
#include "server/replica/sessions.h"
#include "server/replica/waiters.h"

enum peer_link { LINK_NONE, LINK_CONNECTING, LINK_UP };

/* A learner on its way into the view (rule 9): recorded, then counted, never back within one view. */
enum peer_joint { JOINT_NO, JOINT_WRITING, JOINT_COUNTED };

/* Another replica, by (id, uuid), as a primary sees it. */
struct replica_peer {
	uint32_t id;
	struct uuid uuid;
	bool listed;               /* in the front-end's peer list: it runs, at address */
	struct uuid incarnation;
	char address[LIMIT_ADDRESS_BYTES];

	enum peer_link link;
	bool unreachable;          /* the last attempt to connect failed */
	uint64_t retry_ms;
	uint64_t attempt_ms;       /* when the connection attempt under way began */
	uint32_t attempts;         /* how many were given up before it */
	uint64_t heard_ms;
	uint64_t pinged_ms;        /* 0: no ping in flight */

	/* What it has proved in this view; cleared by a new view and by a new incarnation (rules 4, 5). */
	bool proved;
	uint64_t acked_op;
	uint64_t acked_ever;       /* in this view, by any incarnation: less than this is lost data (rule 3) */
	bool has_view;             /* it acknowledged in this view: no need to send the record again */

	uint64_t applied;          /* its applied op, as last reported: at a hello, or with the base it asks for */
	uint64_t sent_op;          /* what it holds or has been sent on this connection */
	uint64_t sent_commit;
	uint64_t push_token;       /* 0: none in flight */
	uint64_t push_end;
	uint64_t push_sent_ms;
	bool push_state;
	uint64_t commit_token;     /* a push that carries nothing but the commit point; does not hold back a real one */
	bool needs_state;
	uint64_t state_next;
	bool lost_data;

	uint64_t orders_max;       /* its capacity, for the life of that process; 0: not heard */
	bool disk_full;
	uint64_t full_since_ms;
	bool clock_known;          /* it reported its wall clock in this view: */
	int64_t clock_us;          /* the time reported, */
	uint64_t clock_ms;         /* and when that was heard */

	enum peer_joint joint;
	uint64_t joint_ticket;
	uint64_t joint_backoff_ms;
	uint64_t joint_not_before_ms;
	uint64_t learning_since_ms;  /* 0: not on deltas yet */
};

#define PEERS_MAX (2 * LIMIT_REPLICAS) /* members' old uuids included */

/* A write under way, in the order of tickets. */
struct pending_write {
	uint64_t ticket;
	bool batch;
	uint64_t end_op;     /* the log is durable up to here once it is done; lowered by a cut */
	bool view;           /* the current view, when it was written */
	bool adopt;          /* a replacement */
};

struct pending_ack {
	uint64_t token;
	uint64_t ticket;     /* answered when this is durable, */
	uint64_t op;         /* and the log up to here */
};

struct held_queue {
	struct held_call *ring;
	uint32_t first;
	uint32_t count;
};

#define TRACE_LINES 256
#define TRACE_SIZE 160

struct replica {
	struct replica_options options;
	struct replica_service service;
	uint64_t now_ms;
	uint64_t tick_ms;              /* of the last TICK */
	struct replica_actions *out;   /* of the step under way */

	/* --- what is on disk, or on its way there */
	struct uuid uuid;
	struct uuid bound;
	struct view view;
	struct view durable_view;
	struct uuid durable_bound;
	uint64_t whole_view;
	uint64_t durable_whole_view;
	uint32_t joint_count;          /* (id, uuid) of learners counted in this view, as written down */
	struct joint joint[LIMIT_REPLICAS];
	uint64_t next_ticket;
	uint64_t durable_ticket;
	struct pending_write *writes;  /* ring */
	uint32_t writes_first, writes_count, writes_room;
	uint32_t batches_in_flight;

	/* --- the log */
	struct replica_log *log;
	uint64_t written_op;           /* handed to the disk */
	uint64_t durable_op;
	bool cut_pending;              /* the log was cut and nothing written since says so */
	uint64_t commit;
	uint64_t applied;
	struct digest applied_digest;
	uint64_t tail_cut;
	uint64_t recovery_base;        /* the snapshot's op */
	bool recovery_broken;          /* a record did not fit; only a replacement heals that */
	bool recovery_astray;          /* the last batch was of a tail cut before the snapshot: it counts for nothing */

	/* --- a replacement being assembled aside */
	struct replica_log *staged_log;
	bool staging;                  /* the shell is taking a piece */
	bool staged_complete;          /* state as of staged_op is all there */
	bool adopting;                 /* written, not durable yet: nothing is applied meanwhile, */
	uint64_t replaced_durable_op;  /* and the old log is what a crash would leave: up to here */
	uint64_t staging_token;
	uint64_t staging_last_op;
	uint64_t staging_commit;
	uint64_t staged_op;
	struct digest staged_digest;
	uint64_t commit_heard;         /* commit point of the pushes; applied once adopted */

	/* --- role */
	enum replica_role role;
	enum replica_state state;
	bool entered;
	bool started;
	bool whole_here;               /* backup: its log was made whole in this view by this process */
	uint64_t entered_whole_ticket; /* the latest record of view or wholeness: nothing is acknowledged before it */
	uint64_t proved_end;           /* backup: equal to the primary's up to here */
	uint64_t settle_op;            /* primary: commit this before serving */
	uint64_t view_ticket;          /* the record of the current view is durable with this */
	uint64_t install_tokens[8];
	uint32_t install_count;
	struct { uint64_t token, ticket; } bind;
	struct pending_ack acks[64];
	uint32_t acks_count;

	/* --- requests */
	struct sessions *sessions;
	struct waiters *waiters;       /* for an op of the log, or for an older call of the same request */
	uint64_t joined;               /* how many of these wait for an older call */
	uint64_t validating;           /* requests in validation: */
	struct validation *validations;
	struct held_queue submits;     /* while settling, or the log is full */
	struct held_queue reads;       /* until the commit point reaches their floor */
	uint64_t requests_in;
	uint64_t requests_out;

	/* --- peers */
	struct replica_peer peers[PEERS_MAX];
	uint32_t peers_count;
	uint64_t next_token;
	uint32_t min_members;
	uint32_t full_wait_ms;         /* 0: not heard */

	bool disk_full;
	enum refusing refusing;        /* as reported last */
	uint32_t refusing_id;
	bool manager_connected;
	bool stopping;
	uint64_t stop_by_ms;
	bool exiting;
	uint64_t news;
	uint32_t needs_count;
	struct need needs[LIMIT_REPLICAS];
	char detail[REPORT_TEXT_SIZE];

	char trace[TRACE_LINES][TRACE_SIZE];
	uint64_t trace_count;
	char text[64][REPLICA_TEXT_SIZE]; /* of the actions of one step */
	uint32_t text_next;
};

/* replica.c: actions, trace lines and texts */
struct replica_action *replica_do(struct replica *r, enum replica_action_kind kind);
__attribute__((format(printf, 2, 3))) void replica_trace(struct replica *r, const char *format, ...);
__attribute__((format(printf, 3, 4))) void replica_say(struct replica *r, int level, const char *format, ...);
__attribute__((format(printf, 2, 3))) const char *replica_text(struct replica *r, const char *format, ...);
void replica_news(struct replica *r);
void replica_damaged(struct replica *r, const char *why);

/* role.c: the gate of role and state, and what must hold in each state */
void replica_become(struct replica *r, enum replica_role role, enum replica_state state);
void replica_check_role(const struct replica *r);
bool replica_is_primary_of(const struct replica *r, const struct view *view);
/* NONE for view 0. */
enum replica_role replica_role_in(const struct replica *r, const struct view *view);

/* check.c: what must hold after each step */
void replica_check(const struct replica *r);

/* writes.c: everything that goes to the journal, and what follows when it is there */
uint64_t replica_write_meta(struct replica *r);
void replica_write_log(struct replica *r);
void replica_write_log_now(struct replica *r);
void replica_write_replacement(struct replica *r);
void replica_cut(struct replica *r, uint64_t op);
void replica_durable(struct replica *r, uint64_t ticket);
bool replica_view_durable(const struct replica *r);

/* view_change.c */
void replica_enter_view(struct replica *r, const struct view *view);
void replica_depose(struct replica *r, uint64_t higher);
void replica_install(struct replica *r, const struct replica_install *install);
void replica_answer_installs(struct replica *r);
void replica_answer_bind(struct replica *r, bool ok);
void replica_bind(struct replica *r, const struct replica_bind *bind);
void replica_start(struct replica *r, uint64_t tail_cut, const char *damage);
void replica_stop(struct replica *r, const char *failure);
void replica_stop_check(struct replica *r);

/* commit.c */
void replica_advance(struct replica *r);
void replica_commit_to(struct replica *r, uint64_t op);

/* submit.c */
void replica_submit(struct replica *r, const struct replica_request *request);
void replica_propose(struct replica *r, const struct replica_proposal *proposal);
void replica_decline(struct replica *r, const struct replica_request *request);
void replica_query(struct replica *r, const struct replica_query *query);
void replica_release_held(struct replica *r);
void replica_release_reads(struct replica *r);
void replica_answer_waiters(struct replica *r, uint64_t first, uint64_t last);
void replica_drop_requests(struct replica *r);
void replica_index_log(struct replica *r);
void replica_expire_reads(struct replica *r);

/* recv_push.c: the backup's half */
void replica_recv_push(struct replica *r, const struct replica_received *received);
void replica_staged(struct replica *r, const struct replica_staged *staged);
void replica_answer_acks(struct replica *r);

/* send_push.c: the primary's half */
void replica_push_all(struct replica *r);
void replica_recv_ack(struct replica *r, const struct replica_acked *acked);

/* peers.c */
void replica_peers_sync(struct replica *r, const struct peers *list);
void replica_peers_reset(struct replica *r);
void replica_peers_connect(struct replica *r);
void replica_peer_up(struct replica *r, const struct replica_peer_up *up);
void replica_peer_down(struct replica *r, const struct replica_name *name);
void replica_pong(struct replica *r, const struct replica_name *name);
void replica_peer_disconnect(struct replica *r, struct replica_peer *peer);
void replica_peer_base(struct replica *r, struct replica_peer *peer, uint64_t op, struct digest digest);
void replica_peers_tick(struct replica *r);
struct replica_peer *replica_peer_find(struct replica *r, uint32_t id, struct uuid uuid);
struct replica_name replica_peer_name(const struct replica_peer *peer);
bool replica_peer_member(const struct replica *r, const struct replica_peer *peer);

/* room.c */
struct refusal {
	enum replica_verdict verdict;  /* FULL, DISK_FULL, TOO_FEW */
	uint32_t id;                   /* whose capacity or disk */
	uint64_t limit;                /* FULL: it holds so many; TOO_FEW: members there are */
};
/* Whether so many more orders are to be kept out of the log. */
bool replica_is_full(const struct replica *r, uint64_t orders, struct refusal *refusal);
bool replica_refuses(const struct replica *r, uint64_t orders, struct refusal *refusal);
bool replica_peer_counts(const struct replica *r, const struct replica_peer *peer);
bool replica_peer_too_small(const struct replica *r, const struct replica_peer *peer);
void replica_peer_disk(struct replica *r, struct replica_peer *peer, bool full);
bool replica_full_too_long(const struct replica *r, const struct replica_peer *peer);
void replica_report_room(const struct replica *r, struct report *report);
void replica_room_refresh(struct replica *r);

/* joint.c */
void replica_joint_consider(struct replica *r, struct replica_peer *peer);
void replica_joint_durable(struct replica *r);
void replica_needs_refresh(struct replica *r);
bool replica_intake_slowed(const struct replica *r);
/* Members that would be reported if an order waited for them. */
uint32_t replica_members_gone(const struct replica *r);
bool replica_cannot_be_reached(const struct replica *r, const struct replica_peer *peer);

/* recover.c */
void replica_recover(struct replica *r, const struct replica_event *event);

static inline bool replica_is_serving(const struct replica *r)
{
	return r->role == ROLE_PRIMARY && r->state == STATE_SERVING;
}
