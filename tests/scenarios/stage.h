/* A stage for the real cores: replicas 1 to 5 (server/replica/) and front-ends A and B (frontend/views/,
 * frontend/router/router.h), each with a hand-operated disk, and a hand-operated network between them. Nothing happens by
 * itself but what is free to happen: stage_run delivers what no hold keeps back, in the order in which it was sent,
 * until all is quiet, and time passes in stage_wait only. Everything that is done becomes a line of the trace.
 *
 * The stage plays the shells (server/service.c, server/node.c, frontend/manager.c, frontend/links.c) and refuses to
 * decide anything that a core decides. */
#pragma once

#include <stddef.h>

#include "client/outcome.h"
#include "frontend/driver/driver.h"
#include "frontend/router/router.h"
#include "frontend/views/views.h"
#include "rpc/base/must.h"
#include "server/peers/speaker.h"
#include "server/replica/replica.h"

#define STAGE_REPLICAS 5
#define STAGE_FRONTS 2
#define STAGE_PROCESSES (1 + STAGE_REPLICAS + STAGE_FRONTS) /* by number; 0: nobody */
#define STAGE_OPS 64
#define STAGE_BODY 64
#define STAGE_RECORDS 512
#define STAGE_REQUESTS 64
#define STAGE_WORDS 16
#define STAGE_HOLDS 32

struct stage;

struct text {
	char *bytes;
	size_t size, room;
};

/* --- what lies in queues ------------------------------------------------------------------------------------------ */

enum became { BECAME_DONE, BECAME_REFUSED, BECAME_VOID, BECAME_PASSED };

enum item_kind {
	ITEM_HELLO, ITEM_HELLO_REPLY, ITEM_HEARTBEAT, ITEM_REPORT, ITEM_INSTALL, ITEM_INSTALLED, ITEM_BIND, ITEM_BOUND,
	ITEM_SUBMIT, ITEM_ANSWER, ITEM_QUERY, ITEM_READ, ITEM_PUSH, ITEM_ACK, ITEM_PING, ITEM_PONG,
	ITEM_CLOSED,   /* the other end closed, or its process died */
	ITEM_REFUSED,  /* nobody listens there */
	ITEM_DISK,     /* a write is durable: ticket */
	ITEM_VALIDATED,   /* the postcode of a submit has been looked at */
	ITEM_FILE      /* a front-end's view file has been written */
};

struct entry {
	uint64_t view;
	char body[STAGE_BODY];
};

/* Operations by op: list[op - 1]. */
struct history {
	uint32_t count;
	char list[STAGE_OPS][STAGE_BODY];
};

/* One connection. End 0 opened it, end 1 took it. */
struct conn {
	struct conn *next;
	uint32_t process[2], life[2];
	bool open[2];
	bool swallowed;             /* what is sent over it arrives nowhere */
	bool established;           /* the taker's: the hello was good, of */
	struct speaker speaker;
	struct uuid uuid, incarnation; /* the opener's: whom it means */
};

struct item {
	struct item *next;
	enum item_kind kind;
	struct conn *conn;          /* NULL: disk, validation, file */
	uint32_t from, to;          /* processes; of a disk, validation or file both its owner */
	uint64_t call;              /* of a cluster call: the asker's */
	uint64_t ticket;
	uint64_t since_ms;          /* of a disk: when it was written */
	struct identity me, you;
	enum hello_status status;
	struct report report;
	struct view view;
	uint64_t number;
	bool has_peers, retire, ok, take_over;
	struct peers peers;
	struct uuid manager;
	uint64_t floor;
	bool at_primary;
	char body[STAGE_BODY];      /* who asks for what */
	uint32_t request;           /* place of the request in the stage */
	uint64_t serial;
	enum replica_verdict verdict;
	enum became became;         /* of a verdict that rests on an entry */
	bool moved;
	uint64_t op;
	uint64_t shows; /* an answer: the history up to here */
	struct replica_push push;
	struct view record;
	struct entry *entries;
	struct history *state;
	struct replica_ack ack;
};

/* --- disks -------------------------------------------------------------------------------------------------------- */

struct record {
	enum replica_write_kind kind;
	uint64_t ticket;
	bool durable;
	struct replica_meta meta;
	uint64_t op, last_op, commit;
	struct digest digest;
	struct entry *entries;
};

struct disk {
	struct record *records[STAGE_RECORDS];
	uint32_t count;
	bool has_snapshot, has_incoming;
	struct history snapshot, incoming;
	struct uuid uuid;
};

/* --- processes ---------------------------------------------------------------------------------------------------- */

struct process {
	uint32_t number;
	uint32_t life;
	bool alive, paused;
	bool registered;            /* with rpcbind */
	struct format_range formats; /* that its program speaks */
	uint64_t skew_ms;           /* its clock is ahead by this */
	struct uuid incarnation;
};

/* A call that a replica's core answers later: what its token stands for. */
struct call {
	struct call *next;
	struct item asked;
};

struct replica_process {
	struct process *process;
	struct replica *core;
	struct replica_actions actions;
	struct disk disk, saved;
	struct uuid uuid;
	struct history live;
	struct history staged;
	struct history *piece;      /* of the push being stepped */
	uint64_t other_from;        /* its program computes another state from this op on; 0: never */
	uint64_t next_other_from;   /* the same of its next process */
	uint64_t tick_ms;           /* of its timer's last turn; 0: none */
	struct call *calls;
};

struct front_process {
	struct stage *stage;
	struct process *process;
	struct views *views;
	struct router *router;
	struct driver *driver;
	uint64_t deadline_ms;
	struct conn *links[STAGE_REPLICAS + 1];
	struct views_stored stored, saved, storing;
	bool has_file, has_saved;
	bool fails;                 /* writes of its file fail */
	bool leaving;               /* it has said that it ends */
	bool may_form, take_over;
	struct uuid managers[8];
	uint32_t managers_count;
};

/* One request of a client at a front-end. */
struct request {
	struct router_request head; /* must be first */
	struct stage *stage;
	uint32_t place;
	uint32_t front;             /* process */
	char body[STAGE_BODY];
	bool is_read, open;
	uint64_t serial;
	uint64_t late_ms;
};

struct client {
	char name[16];
	struct request_track track;
	char asked[STAGE_BODY];
};

struct hold {
	char lane[40];
};

struct stage {
	struct text out;
	uint32_t silent;
	uint64_t now_ms;
	uint64_t drawn;
	uint64_t calls;
	struct item *first, *last;
	struct conn *conns;
	struct process processes[STAGE_PROCESSES];
	struct replica_process replicas[STAGE_REPLICAS + 1];
	struct front_process fronts[STAGE_FRONTS];
	struct request requests[STAGE_REQUESTS];
	uint32_t requests_count;
	struct client clients[8];
	uint32_t clients_count;
	struct hold holds[STAGE_HOLDS];
	uint32_t holds_count;
	bool cut[STAGE_PROCESSES][STAGE_PROCESSES];
	bool hosts_silent;          /* an rpcbind of --replica-hosts does not answer */
	uint64_t orders_max;
	uint32_t min_members, queue_max, window; /* window: calls of a router under way at once; 0: as many as usual */
};

/* stage.c */
__attribute__((format(printf, 2, 3))) void stage_say(struct stage *s, const char *format, ...);
__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
void *stage_alloc(size_t size);
struct uuid stage_draw(struct stage *s);
const char *stage_name(uint32_t process);
uint64_t stage_now(const struct stage *s, const struct process *process);
void stage_init(struct stage *s);
void stage_free(struct stage *s);
/* Whether a hold keeps it back. A lane is "1>2", "1>2 PUSH", "disk 2", "validate 1", "file A". */
bool stage_matches(const struct item *item, const char *lane);
bool stage_held(const struct stage *s, const struct item *item);
void stage_take(struct stage *s, struct item *item);  /* does what it says, and frees it */
void stage_run(struct stage *s);
void stage_wait(struct stage *s, uint64_t ms);
struct replica_process *stage_replica(struct stage *s, uint32_t process);
struct front_process *stage_front(struct stage *s, uint32_t process); /* NULL: a replica */

/* stage_net.c */
struct item *item_new(enum item_kind kind);
void item_free(struct item *item);
void item_queue(struct stage *s, struct item *item);
void item_remove(struct stage *s, struct item *item);
const char *item_name(enum item_kind kind);
void item_describe(const struct stage *s, const struct item *item, struct text *text);
struct conn *net_open(struct stage *s, uint32_t from, uint32_t to, uint32_t life);
void net_send(struct stage *s, struct conn *conn, uint32_t end, struct item *item);
void net_close(struct stage *s, struct conn *conn, uint32_t end);
void net_break(struct stage *s, uint32_t a, uint32_t b);
void net_cut(struct stage *s, uint32_t a, uint32_t b, bool cut);
void net_kill(struct stage *s, uint32_t process);

/* stage_replica.c */
void replica_process_start(struct stage *s, struct replica_process *p, uint64_t tail_cut, const char *damage);
void replica_process_kill(struct stage *s, struct replica_process *p);
void replica_process_step(struct stage *s, struct replica_process *p, struct replica_event *event);
void replica_process_take(struct stage *s, struct replica_process *p, struct item *item);
struct identity replica_process_identity(const struct replica_process *p);
/* Its report for the caller at the other end of conn: it names the other front-end that is heard. */
void serve_report(const struct stage *s, const struct replica_process *p, const struct conn *conn, struct report *report);
void replica_process_report(const struct stage *s, const struct replica_process *p, struct report *report);
void replica_process_push(struct stage *s, struct replica_process *p, const struct replica_send *sent);

/* stage_serve.c: the connections of a replica */
void serve_take(struct stage *s, struct replica_process *p, struct item *item);
/* A turn of its timer. */
void serve_tick(struct stage *s, struct replica_process *p);
void serve_news(struct stage *s, struct replica_process *p);
struct item *serve_reply(struct stage *s, struct replica_process *p, uint64_t token, enum item_kind kind,
			 struct conn **conn);
void serve_connect(struct stage *s, struct replica_process *p, const struct replica_connect *connect);
struct conn *serve_link(struct stage *s, const struct replica_process *p, const struct replica_name *name);
void serve_forget(struct replica_process *p);

/* stage_decide.c */
bool body_split(const char *body, struct uuid *client, uint64_t *request, struct digest *content);
struct replica_service stage_service(struct replica_process *p);
struct replica_request stage_write(const struct item *asked, uint64_t token); /* the SUBMIT, as the core knows it */
/* What the operation there became when it was applied. */
enum became stage_became(const struct history *history, uint64_t op);
struct told {
	enum attempt attempt; /* for the client */
	const char *text;
	bool names_op;
};
struct told stage_told(const struct item *answer);

/* stage_disk.c */
void disk_write(struct stage *s, struct replica_process *p, const struct replica_write *write);
void disk_durable(struct stage *s, struct replica_process *p, uint64_t ticket);
void disk_crash(struct disk *disk);
void disk_copy(struct disk *to, const struct disk *from);
void disk_wipe(struct disk *disk);
void disk_recover(struct stage *s, struct replica_process *p);
/* Takes the last batch away. Returns the op after which it is cut. */
uint64_t disk_tear(struct disk *disk);
struct digest history_digest(const struct history *history, uint32_t op);

/* stage_front.c */
void front_start(struct stage *s, struct front_process *f, bool may_form, bool take_over);
void front_kill(struct stage *s, struct front_process *f);
void front_step(struct front_process *f, const struct views_event *event);
void front_take(struct stage *s, struct front_process *f, struct item *item);
void front_discover(struct stage *s, struct front_process *f);
void front_tick(struct stage *s, struct front_process *f);
/* Tells the view manager before its next step whether a request waits. */
void front_tell_demand(struct front_process *f);
const char *manager_name(const struct stage *s, struct uuid manager);

/* stage_client.c */
extern const struct router_shell front_router_shell;
enum request_kind front_kind(const char *command); /* what it asks for */
void front_ask(struct stage *s, struct front_process *f, const char *body, enum request_kind kind,
	       uint32_t timeout_ms);

/* stage_show.c */
void show_process(struct stage *s, uint32_t process);
void show_history(struct stage *s, const struct replica_process *p);
void show_view(struct text *text, const struct view *view);

/* stage_commands.c */
void stage_command(struct stage *s, const char *line);
