/* What the files of the view manager share (vm_...; its public face is views_...). Nobody else includes this.
 *
 * Every event first changes what is known (hello.c, liveness.c, operator.c, view_change.c), then views_step looks at
 * all that is known and decides anew (formation.c, takeover.c, election.c). So a decision never hangs on an edge that
 * may be missed or come twice: reports are levels. */
#pragma once

#include <stddef.h>

#include "frontend/views/views.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"

#define CONNECT_WAIT_MS 1000     /* a connection that is not open with a hello by then is given up, and tried again */
#define ATTEMPT_FIRST_MS 20      /* the first attempt to connect; each further one gets twice the time, up to the above
				    */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 1000
#define QUICK_TRIES 3            /* a broken connection is made again at once so often before the back-off begins */
#define STORE_RETRY_MS 1000      /* after a failed STORE */
#define BIND_WAIT_MS 1000        /* after that long without an answer the connection is made again */
#define OPERATOR_WAIT_MS 5000    /* a switchover or promotion that is not done by then is answered as failed */
/* RULE 3: promote --force begins a generation of numbers above all that the old one may have reached where nobody
 * hears of it: wherever the two meet, the promoted branch is the higher. */
#define VIEWS_PER_GENERATION 1000000
#define FOREIGN_LOOK_MS 10000    /* how often a replica that is not ours is looked at again */
/* A newcomer ends when it has been told for so long that a living front-end is there: its predecessor may have died a moment
 * ago. Plus a part of its own, up to as much again, so that of two newcomers that bind against each other one stays. */
#define MANAGED_MS 1000
#define SAY_AGAIN_MS 5000        /* how often a state that lasts is logged again */

/* What a known's note is about, for those who decide by it. NOTE_NONE: nothing has been said of it yet. */
enum note_kind { NOTE_NONE, NOTE_ANYTHING, NOTE_OTHER_FORMAT };
/* As enum jh_health of frontend.x; tests/unit/views_wire_test.c compares them. */
enum health { HEALTH_OK = 0, HEALTH_DEGRADED = 1, HEALTH_UNAVAILABLE = 2 };

/*        START without a stored view              any replica was in a view
 *   IDLE ----------------------------> FORMING ---------------------------> TAKEOVER
 *     |                                   | first view stored                | highest + 1 stored
 *     | START with a stored view          v                                  v
 *     +---------------------------------> NORMAL <---------------------------+
 *                                         | |  a replica of ours knows a higher view: back to TAKEOVER (rule 20)
 *                                         v  the replicas are bound to a successor (rule 20)
 *                                       EXITED                                                                  */
enum mode { MODE_IDLE, MODE_FORMING, MODE_TAKEOVER, MODE_NORMAL, MODE_EXITED };

enum link { LINK_DOWN, LINK_CONNECTING, LINK_UP };

/* What a replica is to this cluster, by its last hello. */
enum standing {
	STANDING_UNKNOWN,        /* it never answered a hello */
	STANDING_OURS,
	STANDING_BOUND,          /* bound to another manager */
	STANDING_OLD_GENERATION, /* of our cluster, from before a promote --force */
	STANDING_FOREIGN,        /* of another cluster: never touched */
	STANDING_REFUSED         /* another format, or not who we meant */
};

/* One replica that was registered, or is a member. */
struct known {
	uint32_t id; /* 0: a free place */

	char address[LIMIT_ADDRESS_BYTES]; /* as registered last */
	char tried[LIMIT_ADDRESS_BYTES];   /* of the connection open, in making, or lost last */
	bool registered;                   /* in the last dump */
	bool forgotten;                    /* auto-cleaned: not shown until it says hello again */

	enum link link;
	uint64_t connect_ms; /* CONNECTING: since when */
	uint64_t up_ms;      /* UP: since when */
	uint64_t down_ms;    /* not UP: since when; or since we were late last */
	uint64_t lost_ms;    /* not UP: since when, without what we were late by */
	int64_t lost_us;     /* the same by the wall clock, for people */
	uint64_t refused_said_ms;
	uint64_t heard_ms;   /* UP: the last report */
	uint64_t alive_ms;   /* the last sign of life that was no report; may be of an older connection */
	uint64_t retry_ms;   /* DOWN: when to connect again */
	uint32_t backoff_ms;
	uint32_t quick_tries;
	uint32_t attempts;        /* to connect, that were given up since it was last up */
	bool refused;           /* nobody listens there: the process is dead */
	bool hung;              /* it was silent for suspect_ms */
	uint64_t connect_floor; /* the floor as the connection was begun, if its id was a member's then; else 0 */
	uint64_t connection;    /* counts hellos: tells a connection that was made again */

	bool greeted; /* it answered a hello since we started */
	enum hello_status hello_status; /* never HELLO_OTHER_FORMAT: that is HELLO_FORMAT with its note_kind */
	struct identity identity;
	struct report report;
	uint64_t report_ms;

	bool lost_data;          /* what is under identity.uuid is not to be trusted: until it draws a new uuid */
	bool bound;              /* durably bound to our manager, as this connection's hello or BIND said */
	bool bind_open;          /* a BIND waits for its answer, */
	uint64_t bind_ms;        /* until then; */
	uint64_t bind_round;     /* asked in this round of a take-over to confirm the binding; 0: no */
	bool confirmed;          /* still bound, said after all were */
	uint64_t evict_since_ms; /* the primary names it for eviction since; 0: it does not */
	int64_t clock_us;        /* its wall clock, beyond ours as we heard it last */
	int64_t clock_far_us;    /* that is so far from the others'; 0: not far */

	char note[REPORT_TEXT_SIZE]; /* why it is down or foreign */
	enum note_kind note_kind;
	char said[REPORT_TEXT_SIZE]; /* the last line logged about it: never the same twice in a row */
};

#define VIEW_PROPOSED UINT64_MAX /* wish.view: its view is being stored */

/* An operator's command under way. At most one of each kind; every token is answered exactly once. */
struct wish {
	bool open;
	uint64_t token;
	uint32_t id;
	uint64_t until_ms;
	uint64_t view; /* the view made for it; 0: none yet */
	bool tried;    /* one was handed to the disk: even if that failed it may be there (RULE 2) */
};

struct views {
	struct views_options options;
	enum mode mode;
	struct known known[LIMIT_REPLICAS];

	/* Of the step under way. */
	struct views_actions *actions;
	uint64_t now_ms;
	int64_t wall_us;
	uint64_t floor;
	struct uuid fresh[2];

	int64_t clock_far_us;     /* our own wall clock: see struct known */
	uint64_t clocks_from_ms;  /* we were late: what we hear before is old */
	struct uuid manager;
	struct views_stored durable; /* the current view: the latest durable one */
	struct views_stored next;    /* the last that was to be stored */
	char next_why[REPORT_TEXT_SIZE];
	bool next_resets_floor;
	uint64_t ticket;      /* of the STORE in flight; 0: none */
	uint64_t ticket_ms;   /* since when */
	uint64_t tickets;
	uint64_t highest_number; /* ever tried: a number whose STORE failed is not used again */
	uint64_t store_retry_ms;
	uint64_t install_ms;  /* when INSTALL may be sent (again) */

	uint64_t waiting;        /* requests that wait at the router */
	uint64_t start_until_ms; /* members of the stored view get this long to answer; 0: over */
	uint64_t beat_ms;        /* next heartbeat round */
	uint64_t late_said_ms;
	uint64_t deadline_ms;    /* the one given last: finding it long past means that our own loop was late */
	bool dumped;        /* at least one round of dumps is over */
	bool dump_complete; /* the last one reached every host */

	bool routed;
	uint32_t routed_id;
	uint64_t routed_view;
	uint64_t routed_connection;
	uint64_t held_ms;           /* not routed any more: since when; 0: it is, or never was */
	char held[VIEWS_TEXT_SIZE]; /* the last HOLD's text */
	char said[VIEWS_TEXT_SIZE]; /* the last line about the whole cluster */
	uint64_t said_ms;

	uint64_t managed_ms; /* replicas say since then that they hear another front-end; 0: none does */
	uint64_t bind_round; /* of a take-over: begins again whenever somebody required is not bound */

	struct wish switchover;
	struct wish promotion;
	struct wish removal;
	uint64_t tokens_opened;
	uint64_t tokens_answered;
};

/* A view in the making: what election.c, formation.c, takeover.c and operator.c hand to view_change.c. */
struct plan {
	struct view view; /* number, manager and addresses are filled in by vm_view_propose */
	char why[REPORT_TEXT_SIZE];
	bool resets_floor;
};

/* mode.c: the gate of the mode, and what must hold after each step */
void vm_become(struct views *v, enum mode mode);
void vm_check(const struct views *v);

/* actions.c: the only place that appends to the actions, each of which must be permitted. */
void vm_do_connect(struct views *v, const struct known *k);
void vm_do_disconnect(struct views *v, const struct known *k);
void vm_do_heartbeat(struct views *v, const struct known *k, bool retire);
void vm_do_bind(struct views *v, const struct known *k);
void vm_do_store(struct views *v);
void vm_do_install(struct views *v, const struct known *k);
void vm_do_route(struct views *v, const struct known *k);
void vm_do_hold(struct views *v, const char *text);
void vm_do_reset_floor(struct views *v);
void vm_do_clean(struct views *v, const struct known *k);
__attribute__((format(printf, 3, 4))) void vm_say(struct views *v, enum log_level level, const char *format, ...);
/* Logged only when it differs from what was said last of this replica; also becomes its note, of NOTE_ANYTHING. */
__attribute__((format(printf, 4, 5))) void vm_say_of(struct views *v, struct known *k, enum log_level level,
						  const char *format, ...);
/* A state of the whole that lasts: logged when it changes and every SAY_AGAIN_MS. */
void vm_say_state(struct views *v, const char *text);
void vm_answer(struct views *v, uint64_t token, enum views_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void vm_exit_with(struct views *v, const char *text);

/* A list of ids in words, "replicas 2, 3": begin with list.count 0. */
struct id_list {
	uint32_t count;
	uint32_t ids[LIMIT_REPLICAS];
};
void vm_id_list_add(struct id_list *list, uint32_t id);
const char *vm_id_list_text(const struct id_list *list, char text[static VIEWS_TEXT_SIZE]);

/* known.c */
struct known *vm_known_find(struct views *v, uint32_t id);
/* NULL: the table is full. */
struct known *vm_known_ensure(struct views *v, uint32_t id);
/* The replica that is this member, same uuid; NULL when its id was never heard of or is another data directory now. */
struct known *vm_known_member(struct views *v, const struct view_member *member);
enum standing vm_known_standing(const struct views *v, const struct known *k);
/* A connection is open and what it says may be used to choose primary and members. */
bool vm_known_reachable(const struct views *v, const struct known *k);
/* Gone for good as far as we can tell: refused, silent, or not reachable for suspect_ms (rule 15). */
bool vm_known_dead(const struct views *v, const struct known *k);
bool vm_known_is_member(const struct views *v, const struct known *k);
bool vm_member_reachable(struct views *v, const struct view_member *member);
bool vm_member_dead(struct views *v, const struct view_member *member);
/* Another data directory answers under its id: the member never comes back. */
bool vm_member_replaced(struct views *v, const struct view_member *member);
struct known *vm_primary_known(struct views *v);
/* The primary as it should be now: reachable, in the current view, entered and serving. NULL: nobody. */
struct known *vm_primary_serving(struct views *v);

/* liveness.c: connections, heartbeats, suspicion. */
void vm_liveness_found(struct views *v, uint32_t id, const char *address);
void vm_liveness_dumped(struct views *v, bool complete, const uint32_t *ids, uint32_t count);
void vm_liveness_lost(struct views *v, uint32_t id, bool refused);
void vm_liveness_alive(struct views *v, uint32_t id, uint64_t heard_ms);
void vm_liveness_disconnect(struct views *v, struct known *k, uint32_t retry_ms);
void vm_liveness_late(struct views *v);
void vm_liveness_tick(struct views *v);
void vm_liveness_beat(struct views *v, struct known *k);
uint64_t vm_liveness_deadline(struct views *v);

/* hello.c: what replicas say of themselves. */
void vm_hello_answered(struct views *v, const struct views_hello *hello);
void vm_hello_check_floor(struct views *v, struct known *k);
void vm_hello_report(struct views *v, uint32_t id, const struct report *report);
void vm_hello_bound(struct views *v, uint32_t id, const struct report *report);

/* clocks.c */
#define CLOCK_TEXT_SIZE 32
void vm_clocks_heard(struct views *v, struct known *k, const struct report *report);
void vm_clocks_tick(struct views *v);
/* What is wrong with the clocks, each part begun with "; ". */
void vm_clocks_explain(const struct views *v, char *text, size_t size);

/* election.c */
void vm_election_consider(struct views *v);
/* The best member of view to be primary (rule 3), NULL: none can. without: an id that must not be it, or 0. */
const struct view_member *vm_election_best(struct views *v, const struct view *view, uint32_t without);
/* Its disk is late while another member's is better (rule 15). */
bool vm_election_stalled(struct views *v, const struct view *view, const struct known *k);
bool vm_election_cut_in_doubt(struct views *v, const struct view *view, const struct known *k);

/* admission.c: what the primary asks for. */
struct needs {
	bool admit;                      /* about a learner that counts: a view must be made, with or without it */
	struct joint learners[LIMIT_REPLICAS];
	uint32_t learners_count;
	bool evict[LIMIT_REPLICAS];      /* by place in the current view */
	bool full[LIMIT_REPLICAS];       /* by place: it has no room, and the primary has */
	bool lost_data[LIMIT_REPLICAS];
	bool primary_is_suspect;
};
void vm_needs_read(struct views *v, struct needs *needs);
/* Remembers since when the primary names whom. */
void vm_needs_note(struct views *v);
void vm_needs_admit(struct views *v, const struct needs *needs, struct view *view);

/* formation.c, takeover.c */
void vm_formation_consider(struct views *v);
void vm_formation_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
void vm_takeover_begin(struct views *v);
/* RULE 20: replicas hear another front-end, and nobody has said --take-over: nothing is bound or formed. May end us. */
bool vm_takeover_managed(struct views *v);
uint64_t vm_takeover_deadline(const struct views *v);
void vm_takeover_consider(struct views *v);
void vm_takeover_explain_managed(struct views *v, char text[static VIEWS_TEXT_SIZE]);
void vm_takeover_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
/* NORMAL: are we replaced, is our view an old copy, is somebody left bound to a predecessor? */
void vm_takeover_watch(struct views *v);
void vm_takeover_bind(struct views *v, struct known *k);
void vm_takeover_lost(struct views *v, struct known *k);

/* expected.c: the copies that there should be. */
/* It was admitted, or is a member: true when somebody would miss it. */
bool vm_expected(const struct views *v, uint32_t id);
void vm_expected_add(struct views *v, struct view *view, uint32_t id);
void vm_expected_drop(struct view *view, uint32_t id);
/* Every member is expected, and whoever is none is lost from now on: the last touch of a view in the making. */
void vm_expected_settle(struct views *v, struct view *view);
uint32_t vm_expected_count(const struct views *v);
/* ", replica 2 lost since 2026-11-30T19:00:00Z": those that are not there. */
void vm_expected_lost(struct views *v, char *text, size_t size);
int64_t vm_expected_lost_us(const struct views *v, const struct known *k);

/* operator.c */
void vm_operator_switchover(struct views *v, uint64_t token, uint32_t id);
void vm_operator_promote(struct views *v, uint64_t token, uint32_t id, bool confirm);
/* The member to switch over to now, 0: none (yet). */
uint32_t vm_operator_target(struct views *v);
/* Makes the forced view if one is asked for and can be made now. */
void vm_operator_consider(struct views *v);
/* Answers what is done or late. */
void vm_operator_settle(struct views *v);
void vm_operator_close(struct views *v, const char *why);
void vm_operator_open(struct views *v, struct wish *wish, uint64_t token, uint32_t id);

/* removal.c */
void vm_removal_asked(struct views *v, uint64_t token, uint32_t id);
void vm_removal_consider(struct views *v);
void vm_removal_settle(struct views *v);

/* view_change.c: the gates. */
void vm_view_must_be_whole(const struct view *view);
void vm_view_propose(struct views *v, struct plan *plan);
void vm_view_stored(struct views *v, uint64_t ticket, bool ok);
void vm_view_adopt(struct views *v, const struct views_stored *stored);
void vm_view_install(struct views *v);
void vm_view_route(struct views *v);
void vm_view_member_add(struct view *view, uint32_t id, struct uuid uuid);
void vm_view_member_drop(struct view *view, uint32_t id);

/* reasons.c: what waiting for replicas does not mend. */
bool vm_store_is_slow(const struct views *v);
/* True with a text: it is the front-end's own disk. */
bool vm_explain_store(const struct views *v, char text[static VIEWS_TEXT_SIZE]);
/* Both append, begun with "; ", or nothing. */
void vm_explain_replaced(struct views *v, const struct view *view, bool all_needed, char text[static VIEWS_TEXT_SIZE]);
void vm_explain_foreign(const struct views *v, char *text, size_t size);

/* rows.c: why nobody serves, in words. */
void vm_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
