/* The state of one replica, shared by the files of the core, and included by no other.
 *
 * Each file calls only files of lower layers (or of its own, without a circle); tests/unit/rooms.sh checks it:
 *
 *   replica                                the step: events in, actions out
 *   durable  connections  check            what follows from a completed write, from a connection and from silence
 *   recv_push  send_push                   the two halves of a push
 *   view_change  commit                    what a view and the commit point change
 *   peers                                  which others there are
 *   damage  recover
 *   submit                                 requests, from their arrival to their answer
 *   joint                                  learners; what the view manager is asked for
 *   room                                   what keeps orders out
 *   fold                                   what the operations fold into, compared with the primary's
 *   writes  role  peer                     parts of the state
 *   output                                 actions, their texts, the trace
 *   log  sessions  validations  waiters    data structures that do not know this one */
#pragma once

#include "rpc/base/must.h"
#include "server/replica/log.h"
#include "server/replica/replica.h"
#include "server/replica/sessions.h"
#include "server/replica/validations.h"
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
	bool fold_differs;         /* what it computes from the operations is not what we compute */

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
	struct {
		uint64_t op;               /* what our state machine had applied when the step began, */
		struct digest digest;      /* and its digest then */
		uint64_t heard_view, heard_op;     /* the primary's, not compared yet; op 0: none */
		struct digest heard_digest;
		uint64_t equal_op;         /* compared and equal up to here */
		uint64_t differs_op;       /* the first that differed; 0: none. As written down with this ticket: */
		uint64_t ticket;
		uint64_t durable_differs_op;
	} fold;
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
	uint64_t joined;               /* how many of these wait for an older call, */
	uint64_t admitting;            /* and how many to be admitted: they count as in validation, too */
	uint32_t turn_end;             /* the list of those that are decided at the end of the turn */
	uint64_t carried_out;          /* applied by the shell: what the last step left as applied */
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
