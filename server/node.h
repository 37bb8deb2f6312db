/* One replica process: hands events to the core (server/replica/) and carries its actions out. Shared by the files
 * of the shell only; none of them makes a decision of the protocol. All of it runs on the event loop's thread. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rpc/base/escape.h"
#include "rpc/net/loop.h"
#include "rpc/net/registry.h"
#include "rpc/replica.h"
#include "rpc/net/server.h"
#include "server/disk/directory.h"
#include "server/disk/journal.h"
#include "server/machine/orders.h"
#include "server/shop/postcode_check.h"
#include "server/replica/replica.h"

struct node;

struct node_options {
	uint32_t id;
	uint32_t program_base;
	const char *data_dir;
	const char *frontend;        /* host whose front-end is told that we are here; NULL: none */
	const char *listen[8];
	uint32_t listen_count;
	const char *advertise;       /* ADDRESS[:PORT] to register instead of what we listen on; NULL: that */
	const char *initial_orders;  /* NULL: compiled in */
	uint64_t orders_max;
	uint32_t segment_bytes;      /* 0: the journal's own choice */
	uint64_t snapshot_bytes;     /* of the journal before the first snapshot; 0: the snapshotter's own choice */
	struct postcode_options postcodes;
	struct replica_options replica;
};

/* A write or a read on its way: what the core's token stands for. */
struct request {
	struct node *node;
	struct rpc_call *call;
	uint64_t view;
	struct uuid client;
	uint64_t number;
	struct digest content;
	bool is_read;
	jh_query query;              /* is_read: taken from the call's arguments, freed with the request */
	enum jh_reason reason;       /* why it was declined */
	const char *why;
	char *bad_text;              /* `why`, when a text of the order is none: freed with the request */
	char postcode[ESCAPE_ROOM(LIMIT_POSTCODE_BYTES)]; /* normalised, or as typed (escaped) when it is none */
	struct request *next;        /* in node->judged */
	LIST_ENTRY(request) live;
	uint32_t size;
	uint8_t body[];
};

/* A cluster call that the core answers later: what its token stands for. */
struct taken {
	LIST_ENTRY(taken) link;
	struct rpc_call *call;
};

/* A connection that said hello. */
struct greeted {
	struct greeted *next;
	struct rpc_connection *connection;
	uint32_t id;                 /* 0: a view manager */
	struct uuid uuid, incarnation;
	uint64_t heard_us;           /* manager: the last hello or heartbeat, */
	uint64_t silence_us;         /* and how long none need come */
	struct rpc_call *watch;      /* manager: a WATCH that hangs */
};

/* An address that rpcbind is told of. */
struct registration {
	struct node *node;
	char address[LIMIT_ADDRESS_BYTES];
	bool failed;                 /* the last try */
};

/* What the last looks at the files said (files.c). */
struct files_seen {
	bool looking;                /* one is under way */
	uint64_t next_us;
	uint32_t wrong;              /* looks in a row that found something wrong */
	uint64_t snapshot_op, device, inode, size;
	uint64_t adoptions;          /* histories replaced: snapshots get other files */
};

struct link;
struct staging;
struct snapshotter;
struct background;

#define NODE_DEFERRED_MAX 16

/* How this process ends. */
enum node_end {
	NODE_RUNS,
	NODE_STOPPED,   /* asked to: exit status 0 */
	NODE_FAILED,    /* its line has been said: exit status 1 */
	NODE_RETIRED    /* gives up its uuid and starts again (RULE 14) */
};

struct node {
	struct node_options options;
	struct event_base *base;
	struct event *timer;
	struct signals *signals;
	struct memory_watch *memory; /* NULL: nobody holds the memory */
	struct loop_meter meter;
	struct rpc_server *server;
	struct registry *registry;
	struct directory *directory;
	struct journal *journal;
	struct postcode_checker *checker;
	struct replica *replica;
	struct replica_actions actions;
	struct orders *orders;
	int64_t last_time_us;        /* of the newest order in the log: RULE 16 */
	struct greeted *greeted;
	struct link *links;
	struct staging *staging;
	uint64_t staging_failed;     /* token of a piece that was not taken; 0: none */
	uint64_t staging_retry_us;
	const jh_state_chunk *piece; /* of the push under way */
	LIST_HEAD(, request) requests;
	LIST_HEAD(, taken) taken;
	struct background *receiver; /* files of states that come from a primary */
	struct snapshotter *snapshotter;
	struct request *judged, **judged_end;
	char address[LIMIT_ADDRESS_BYTES];
	struct uuid uuid, incarnation;
	uint64_t start_us;
	uint64_t push_bytes;
	const char *push_kind;
	bool stepping;
	struct replica_event deferred[NODE_DEFERRED_MAX]; /* ring: what a step's actions brought about; without
							     pointers */
	uint32_t deferred_first, deferred_count;
	struct registration registrations[2];   /* tcp, tcp6 */
	uint32_t registrations_count;
	bool ready;                  /* rpcbind has taken the first of them */
	struct strangers *strangers; /* NULL: not looked for yet */
	struct rpc_channel *announcing;
	uint64_t announced_us;       /* when a front-end was looked for last */
	bool disk_full;
	char trouble[160];           /* of the journal, while it can still take orders; "" when there is none */
	bool failing;                /* and now it cannot: this process stops */
	bool warned_of_full;         /* the log has said that --max-orders is near */
	bool damaged;
	uint64_t damaged_us;         /* since when; RULE 14 */
	bool directory_gone;         /* the path leads elsewhere: there is nothing to set aside, and nowhere to go on */
	uint64_t snapshot_op;        /* of the newest snapshot that this replica stands on */
	struct files_seen files_seen;
	uint32_t set_aside_count;    /* looked up now and then, in the background */
	uint64_t set_aside_us;
	uint32_t other_format; /* the last one that a hello had, of which the log tells; 0: none */
	uint64_t complained_us;
	char frontend[LIMIT_ADDRESS_BYTES];  /* of the manager heard last; empty: none yet */
	uint64_t frontend_us;        /* then */
	uint64_t tick_us;            /* of our own clock's last tick */
	bool stopping;               /* a signal has asked for it, or its journal cannot go on */
	bool asked;                  /* to stop, by a signal */
	enum node_end end;
	char ending[256];            /* why */
	bool freeing;
};

/* node.c */
/* Hands the event to the core, carries its actions out, then whatever follows at once (judged requests). Within a
 * step's actions it is put off to the end of the step. */
void node_step(struct node *node, struct replica_event *event);
/* What came in this turn may leave in one push and one write. */
void node_flush(struct node *node);
/* Applies the log's entries up to op. */
void node_apply(struct node *node, uint64_t op);
void node_report(const struct node *node, struct report *report);
struct identity node_identity(const struct node *node);
/* Leaves the loop when what was answered is on its way. The first call counts. */
void node_end(struct node *node, enum node_end end, const char *why);
/* START: as node_step, but a log that turns out damaged is closed before anything is written (RULE 14). */
void node_start(struct node *node, struct replica_event *event);
/* At most one of these lines a second: peers that are refused come back at once. */
bool node_may_complain(struct node *node);

/* recovery.c */
/* Beyond --max-orders: the loaded ones. */
#define ROOM_FOR_LOADED 100000
/* The operator's errors: one line, and the end of the process. */
_Noreturn void recovery_refuse(const char *line);
/* From the files to the core, START included. Ends the process with one line for what is no damage; sets
 * node->damaged. */
void recovery_run(struct node *node, void (*durable)(void *context, uint64_t ticket),
		  void (*fatal)(void *context, const char *line));
/* --check: prints {id, uuid, view, op, digest, damaged}; returns the exit status. */
int recovery_check(const char *data_dir, uint64_t orders_max);
/* RULE 14: everything goes to DIR/set-aside; the next start draws a new uuid. */
bool recovery_set_aside(struct directory *directory, const char *reason, char *error, size_t error_size);

/* first_history.c: the loaded orders, or the end of the process with one line */
void first_history_begin(struct node *node);

/* files.c: whether the files are still those of their names; called every turn of the timer */
void files_look(struct node *node);
/* RULE 14: this replica's files are not what it wrote: it serves and writes nothing more. */
void node_damage(struct node *node, const char *why);

/* disk_records.c */
bool disk_append_meta(struct node *node, uint64_t ticket);
bool disk_append_batch(struct node *node, const struct replica_action *action);
bool disk_append_state(struct node *node, const struct replica_action *action);
bool disk_meta_decode(const void *payload, uint32_t size, struct replica_meta *meta, uint32_t *program_base);

/* managed.c: which view manager is heard */
void managed_greeted(struct greeted *from);
void managed_heartbeat(struct node *node, struct greeted *from, const char *address, uint32_t suspect_ms);
void managed_tick(struct node *node);
/* RULE 20: another process than this one, which manages us and is heard. */
bool managed_by_another(const struct node *node, const struct greeted *from);
void managed_report(const struct node *node, struct report *report);

/* requests.c: SUBMIT and QUERY, from the call to the answer */
void request_judge(struct request *request);
/* Writes the time into the body of one that was judged good, and returns it. */
int64_t request_date(struct request *request);
void request_answer(struct request *request, const struct replica_action *action);
void request_read(struct request *request, bool moved);
/* At the end of the process: those that nobody will answer. */
void requests_drop(struct node *node);
bool_t request_submit(struct node *node, jh_submit_args *args, struct svc_req *call);
bool_t request_query(struct node *node, jh_query_args *args, struct svc_req *call);

/* service.c: hellos and the cluster's own calls */
void service_closed(struct node *node, struct rpc_connection *connection);
void service_news(struct node *node);
void service_installed(struct node *node, const struct replica_action *action);
void service_bound(struct node *node, const struct replica_action *action);
void service_ack(struct node *node, const struct replica_action *action);
void service_drop(struct node *node);
void jh_replica_1(struct svc_req *request, SVCXPRT *transport);
void service_dispatch(struct svc_req *request, SVCXPRT *transport);

/* peer_links.c: our connections to other replicas, while primary */
void links_connect(struct node *node, const struct replica_action *action);
void links_disconnect(struct node *node, uint32_t id, struct uuid uuid);
void links_push(struct node *node, const struct replica_action *action);
void links_ping(struct node *node, uint32_t id, struct uuid uuid);
void links_free(struct node *node);

/* staging.c: a state that comes from the primary, piece by piece */
void staging_take(struct node *node, uint64_t token, uint64_t op, struct digest digest);
void staging_adopt(struct node *node, uint64_t op);
void staging_drop(struct node *node);
/* Answers for a piece that failed a while ago. */
void staging_tick(struct node *node);

/* snapshotter.c: snapshots of our own state, in the background */
struct snapshotter *snapshotter_new(struct node *node);
void snapshotter_free(struct snapshotter *snapshotter);
void snapshotter_consider(struct snapshotter *snapshotter);
/* Frees a history in the background, after a snapshot of it that may be under way was given up. */
void snapshotter_release(struct snapshotter *snapshotter, struct orders *orders);

struct node *node_new(const struct node_options *options);
/* Runs until SIGTERM or the end; returns the exit status, or NODE_START_AGAIN after giving up the uuid. */
#define NODE_START_AGAIN (-1)
int node_run(struct node *node);
void node_free(struct node *node);
