/* Shared by the files of the world alone. See world.h. */
#pragma once

#include <stddef.h>

#include "client/outcome.h"
#include "frontend/driver/driver.h"
#include "frontend/router/router.h"
#include "frontend/views/views.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "server/replica/replica.h"
#include "tests/sim/net.h"
#include "tests/sim/operations.h"
#include "tests/sim/world.h"

#define RING_LINES 60
#define RING_BYTES 240
#define WORLD_NODES 4
#define WORLD_CLIENTS 10
#define WORLD_STRAYS 20 /* calls that are late on their way to a front-end, at once */
#define WORLD_DOUBTS 8
#define FRONT 0u /* as the number of a process, and as the id in a hello */
#define SECOND_FRONT (WORLD_NODES + 1u)
#define PROCESSES (WORLD_NODES + 2)

struct world;
struct call;
struct client;

/* --- time --------------------------------------------------------------------------------------------------------- */

enum world_event_kind {
	EV_DELIVER,    /* the next message of conn towards end `value` */
	EV_REFUSED,    /* conn: nobody listens there */
	EV_HELLO_LATE, /* conn: no hello within a second */
	EV_TICK,
	EV_FLUSH,
	EV_DISK,       /* the write under way reached the disk */
	EV_DURABLE,    /* and the process hears of it: ticket */
	EV_STAGED,     /* pointer: struct staged */
	EV_PUBLISH,    /* the received state gets its name */
	EV_SNAPSHOT,   /* pointer: struct sequence */
	EV_VALIDATED,     /* pointer: struct call */
	EV_START,
	EV_VIEWS_TICK,
	EV_ROUTER_TICK,
	EV_DEMAND,
	EV_STORED,
	EV_DISCOVER,
	EV_CALL_LATE,  /* pointer: struct client; value: serial */
	EV_CLIENT,     /* pointer: struct client */
	EV_ROOM,       /* the disk has room again */
	EV_FAULT
};

struct world_event {
	uint64_t at_us;
	uint64_t order;
	enum world_event_kind kind;
	uint32_t node;  /* whose */
	uint32_t life;  /* of that process: void in another one; 0: in any */
	struct conn *conn;
	uint64_t value;
	void *pointer;
};

/* --- the state machine, and its truth ----------------------------------------------------------------------------- */

struct body {
	uint32_t client;
	uint64_t request, content;
	int64_t time_us;       /* 0: not dated yet */
	bool did_nothing;      /* as the call that it was made for was told */
};

/* The operations that a replica holds, after what it was loaded with when it was new. */
struct sequence {
	uint64_t init;
	struct digest digest;
	uint32_t count, room;
	uint32_t *bodies;
};

struct staging {
	struct sequence sequence;
	bool complete;         /* and in the file */
	uint32_t pieces;
};

struct staged {
	uint64_t token, next;
	bool ok, complete;
};

/* --- disk --------------------------------------------------------------------------------------------------------- */

struct record {
	enum replica_write_kind kind;
	uint64_t ticket;
	uint32_t segment;
	uint32_t group;              /* STAGED and STATE of one replacement */
	struct replica_meta *meta;
	uint64_t op, last_op, commit, durable_op;
	struct digest digest;
	struct world_entry *entries; /* op + 1 ... last_op */
};

/* What the durable records amount to, worked out beside the core: the checker's own reading of the disk. */
struct image {
	struct uuid uuid;
	const struct replica_meta *meta; /* the latest; NULL: none */
	uint64_t view;
	uint64_t last;
	uint64_t commit;            /* highest op that a record says was committed */
	uint64_t init;
	struct world_entry *log;    /* by op; view 0: inside a state */
	uint64_t room;
};

struct disk {
	struct record *records;      /* durable */
	uint32_t count, room;
	struct record *pending;
	uint32_t pending_count, pending_room;
	uint32_t under_way;          /* of the pending ones */
	uint64_t oldest_us;          /* when the oldest pending one was written */
	uint64_t stalled_until_us;
	bool full;                   /* no room for the next segment */
	bool failing;                /* the next write fails */
	bool hurt;                   /* an old copy, or damaged: its data counts for nothing until it is given up */
	bool damaged;                /* and the next start finds out */
	uint32_t segment, in_segment, groups;
	bool has_snapshot;
	struct sequence snapshot;
	bool has_incoming;
	struct sequence incoming;     /* received whole, not named yet */
	struct image image;
};

/* --- processes ---------------------------------------------------------------------------------------------------- */

struct node {
	struct world *world;
	uint32_t id;
	uint32_t life;
	bool alive;
	uint64_t paused_until_us;
	uint64_t clock_ms;            /* what its clock shows beyond ours: RULE 16 */
	uint64_t tick_us;             /* of its timer's last turn; 0: none */
	int64_t wall_ahead_us;        /* what its wall clock does */
	int64_t last_time_us;         /* of the newest order in its log */
	uint64_t orders_max;
	uint64_t init;
	struct uuid uuid, incarnation;
	char address[LIMIT_ADDRESS_BYTES];
	char registered[LIMIT_ADDRESS_BYTES];
	struct replica *core;
	struct replica_actions actions;
	struct sequence live;
	struct machine *machine;      /* folded from it */
	struct call *undecided;       /* in validation, or waiting for the log: linked by `undecided` */
	struct staging *staging;
	const struct pushing *piece;
	struct disk disk;
	struct disk copy;      /* somebody's backup of it */
	bool flush_due;
	bool frozen;           /* in the second act: nothing helps it any more */
	bool full_told;
	bool ending, retiring;
	bool snapshot_under_way, publish_due;
	uint64_t adoptions;
	uint64_t commit_seen;
	uint64_t view_seen;
	bool recovering;
};

struct call {
	struct call *next;
	struct conn *conn;
	struct node *node;
	uint64_t id;
	enum message_kind kind;
	struct asking asking;
	uint32_t life;         /* of the node it came to */
	bool answered;
	bool declined;
	uint32_t body;         /* the number, once there is one */
	bool proposed;         /* there is */
	struct call *undecided;
	bool is_undecided, waits; /* for the log */
	uint64_t asked_op;     /* the state that admission was asked of */
};

struct front {
	uint32_t process;
	uint32_t life;
	bool alive;
	uint64_t paused_until_us;
	uint64_t clock_ms;            /* what its clock shows beyond ours */
	struct views *views;
	struct router *router;
	struct driver *driver;
	uint64_t tick_serial;
	bool take_over;
	bool demand_due, router_due;
	struct conn *links[WORLD_NODES + 1];
	struct views_stored stored;   /* on its disk */
	struct views_stored storing;
	uint64_t storing_ticket;
	bool fail_stores, exiting;
	struct views_stored old;      /* its disk some time ago, */
	bool restored;                /* and it is that again */
	uint64_t operator_token;
};

struct client {
	struct router_request head; /* must be first */
	struct world *world;
	uint32_t index;
	uint32_t as;       /* whose requests it makes: its own, or of the client whose late call it is */
	bool reads;
	struct request_track track;
	bool in_router;
	struct front *home; /* in whose router */
	bool pending;      /* the present request has no final answer */
	bool asked_before; /* an old one, or its number with other content */
	uint64_t request, content, highest;
	uint64_t original; /* what was first asked for under the number, as far as this client knows */
	uint64_t sent;     /* by the last call: the content, or CONTENT_VOID to end a doubt */
	uint64_t serial;   /* of the last call */
	uint64_t must_see;
	uint64_t unseen;   /* the present request was first asked when answers had shown up to here */
	uint64_t lives;    /* of the front-end that holds it */
	struct decided {   /* by an entry */
		uint64_t request, content, op;
		enum became became;
	} *decided;        /* in the order of the log, and so by rising number */
	uint32_t decided_count, decided_room;
	uint64_t not_admitted; /* its last request that was told so */
	struct never {     /* was told that this will not be executed; any: whatever the content */
		uint64_t request, content;
		bool any;
	} *never;
	uint32_t never_count, never_room;
	struct doubt {     /* ended as unknown, and not yet ended otherwise */
		uint64_t request, content;
	} doubts[WORLD_DOUBTS];
	uint32_t doubts_count;
};

struct profile {
	uint32_t nodes;
	uint32_t fault_ms;            /* mean time between faults */
	uint32_t weight[24];
	uint64_t log_bytes_max;
	uint64_t orders_max;
	uint32_t min_members;
	uint32_t full_wait_ms;
	uint32_t liar;                /* the one whose wall clock may be wrong; 0: nobody's */
	uint32_t piece_entries;
	uint32_t snapshot_percent;
	enum replica_push_mode push_mode;
	uint32_t slow_network_percent;
	uint32_t slow_disk_percent;
	uint32_t think_us;
	uint32_t late_percent;        /* of the orders whose first call arrives when its client has given it up */
	uint32_t give_up_percent, again_percent, void_percent;
	uint32_t writes_window, reads_window; /* calls of a front-end under way at once; 0: as many as usual */
	uint32_t storm_ms;
	bool other_histories;         /* replicas are loaded with different ones */
	bool lose_directory;          /* the front-end's, now and then */
	bool old_directory;           /* or is restored from an old copy */
	bool wipe_members;
	bool hurt_disks;              /* old copies come back, bits flip; then the front-end lives and knows the floor */
	bool two_fronts;              /* somebody starts a second one, */
	bool take_over;               /* with --take-over */
	bool freeze;                  /* some replicas are not healed in the second act */
	bool short_lives;             /* a restart may be followed by another kill at once */
};

struct world {
	struct world_options options;
	uint64_t seed, random;
	uint64_t hash;                /* of all that happened */
	char ring[RING_LINES][RING_BYTES];
	uint64_t ring_at;
	uint64_t enough;              /* requests to be answered, in all runs so far and this one */
	char verdict[400];
	struct world_counts *counts;
	struct profile profile;
	uint64_t now_us;
	bool calm;
	bool over;                    /* what follows was promised to nobody */
	struct world_event *heap;
	uint32_t heap_count, heap_room;
	uint64_t orders;
	struct conn *conns;
	struct call *calls;
	struct node nodes[WORLD_NODES + 1];
	struct front fronts[2];
	struct front *front;          /* whose turn it is */
	bool ever_stored;             /* a view, by any front-end */
	struct client clients[WORLD_CLIENTS + WORLD_STRAYS]; /* the last are late calls */
	uint64_t blocked_until_us[PROCESSES][PROCESSES]; /* from, to */
	/* the truth */
	struct body *bodies;
	uint32_t bodies_count, bodies_room;
	uint32_t *committed;          /* body by op - 1, */
	struct truth {
		enum became became;       /* what it became by our own reckoning, */
		int64_t counters[COUNTERS]; /* what the counters are then, */
		bool folded;
		struct digest fold;       /* and the fold of whoever applied it first */
	} *truth;
	uint64_t truth_room;
	uint64_t committed_count, committed_room;
	uint64_t shown;               /* highest op any answer to a client has shown */
	struct { uint64_t view; uint32_t node, life; } serving[512]; /* by view modulo */
	struct { uint64_t view, op; uint32_t body; } *names; /* (view, op) -> body, open addressing */
	uint64_t names_count, names_room;
	struct view *numbered;        /* the view that each number names, as the first disk had it; 0: none yet */
	uint64_t numbered_room;
	struct { struct uuid manager; uint64_t view; } *held; /* all members of that highest view were bound to it at once */
	uint64_t held_count, held_room;
};

/* world.c */
uint32_t world_draw(struct world *w, uint32_t below);
bool world_percent(struct world *w, uint32_t percent);
struct uuid world_uuid(struct world *w);
void world_at(struct world *w, uint64_t after_us, struct world_event event);
uint64_t world_requests(const struct world *w);
uint64_t world_ms(const struct world *w);
uint64_t world_clock(struct world *w);
__attribute__((format(printf, 2, 3))) void world_say(struct world *w, const char *format, ...);
/* The checker objects: rule is the one of docs/replication.md that was broken. */
__attribute__((format(printf, 3, 4))) _Noreturn void world_fail(struct world *w, uint32_t rule, const char *format,
								...);
void *world_alloc(size_t size);
void *world_grow(void *list, uint64_t count, uint64_t *room, size_t size);

/* fault.c */
void fault_profile(struct world *w);
void fault_next(struct world *w);
void fault_kill(struct world *w, struct node *node);
void fault_freeze(struct world *w);
bool fault_unsure(const struct world *w);
bool fault_survives_without(const struct world *w, const struct view *view, const struct node *node);

/* world_disk.c */
void disk_append(struct world *w, struct node *node, const struct replica_write *write, uint32_t group);
void disk_begin(struct world *w, struct node *node);
void disk_done(struct world *w, struct node *node);
void disk_crash(struct world *w, struct node *node);
void disk_wipe(struct node *node);
void disk_free(struct disk *disk);
void disk_copy(struct disk *to, const struct disk *from);
void disk_trim(struct node *node);
uint64_t disk_last(const struct disk *disk);
uint32_t disk_body(const struct disk *disk, uint64_t op);
void disk_settle(struct disk *disk);
void sequence_copy(struct sequence *to, const struct sequence *from, uint32_t count);
void sequence_init(struct sequence *sequence, uint64_t init);
void sequence_append(struct world *w, struct sequence *sequence, uint32_t body);
void sequence_free(struct sequence *sequence);

/* world_node.c */
void node_start(struct world *w, struct node *node);
void node_kill(struct world *w, struct node *node);
void node_event(struct world *w, struct node *node, const struct world_event *event);
void node_flush_soon(struct world *w, struct node *node);
void node_disk(struct world *w, struct node *node);
void node_report(const struct world *w, const struct node *node, struct report *report);
int64_t world_wall_us(const struct world *w); /* the right time */
int64_t node_wall_us(const struct world *w, const struct node *node);
struct identity node_identity(const struct node *node);
void node_know_time(const struct world *w, struct node *node, uint32_t body);
void node_apply_up_to(struct world *w, struct node *node, uint64_t op);
void node_fold(struct world *w, struct node *node);

/* world_actions.c */
void node_step(struct world *w, struct node *node, struct replica_event *event);

/* world_recover.c */
void node_recover(struct world *w, struct node *node);

/* world_staging.c */
void staging_take(struct world *w, struct node *node, const struct replica_stage *stage);
void staging_drop(struct node *node);
void staging_adopt(struct world *w, struct node *node, uint64_t op);
void node_publish(struct node *node, struct sequence *sequence);
void node_publish_received(struct node *node);

/* world_serve.c: the replica's side of connections */
void serve_message(struct world *w, struct node *node, struct conn *conn, const struct message *message);
void serve_closed(struct world *w, struct node *node, struct conn *conn);
void serve_news(struct world *w, struct node *node);
bool serve_managed(const struct world *w, const struct node *node, const struct conn *but);
/* SUBMIT, as its core knows it. */
struct replica_request call_write(const struct call *call);
/* A turn of its timer. */
void serve_tick(struct world *w, struct node *node);
void serve_push(struct world *w, struct node *node, const struct replica_send *sent);
void serve_connect(struct world *w, struct node *node, const struct replica_connect *connect);
void serve_reply(struct world *w, struct call *call, struct message *message);
void links_heard(struct world *w, struct node *node, struct conn *conn, const struct message *message);
void links_lost(struct world *w, struct node *node, struct conn *conn);
void serve_stray(struct world *w, struct node *node);
struct conn *links_find(struct world *w, struct node *node, const struct replica_name *name);

/* world_front.c */
struct front *front_of(struct world *w, uint32_t process); /* NULL: a replica */
void front_start(struct world *w);
void front_kill(struct world *w);
void front_event(struct world *w, const struct world_event *event);
void front_heard(struct world *w, struct conn *conn, const struct message *message);
void front_lost(struct world *w, struct conn *conn, bool refused);
void front_switchover(struct world *w);
uint64_t front_ms(const struct world *w);

/* world_route.c: the front-end's router */
extern const struct router_shell route_shell;
void route_tick_soon(struct world *w);
void front_asked(struct world *w, struct client *client);
void route_answered(struct world *w, const struct message *message);
void route_call_late(struct world *w, struct client *client, uint64_t serial);

/* world_client.c */
void client_turn(struct world *w, struct client *client);
void client_answered(struct world *w, struct client *client, enum router_end how, const struct answering *answer);
void client_lost(struct world *w, struct client *client);
bool client_stray(const struct client *client); /* it is a late call: nobody hears its answer */
bool client_is_served(const struct world *w, const struct client *client); /* in the second act: answered, and in no doubt */

/* checker_operations.c: operations, by number, and their bytes */
uint32_t body_new(struct world *w, const struct asking *asking);
uint32_t body_bytes(const struct world *w, uint32_t body, uint8_t bytes[static OPERATION_BYTES]);
uint32_t body_of(struct world *w, const uint8_t *bytes, uint32_t size);
struct uuid client_uuid(uint32_t index);

/* world_decide.c: what a replica answers, as server/requests.c and answers.c do it */
enum replica_admission decide_admit(void *context, uint64_t token);
void decide_submitted(struct world *w, struct node *node, struct call *call);
void decide_validate(struct world *w, struct node *node, struct call *call);
void decide_validated(struct world *w, struct node *node, struct call *call);
void decide_answer(struct world *w, struct node *node, const struct replica_answer *answer);
