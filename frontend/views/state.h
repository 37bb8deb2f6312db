/* The state of the view manager, shared by its files (vm_...; the public interface is views_...). No other file
 * includes this.
 *
 * Every event first updates what is known (hello.c, connection.c, liveness.c, operator.c, view_change.c), then
 * views_step decides anew from all that is known (formation.c, takeover.c, election.c). Decisions are level-triggered:
 * none depends on an event that may be lost or come twice.
 *
 * Each file calls only files of lower layers (or of its own, without a circle); tests/unit/rooms.sh checks it:
 *
 *   views                                             the step: events in, actions out
 *   election  operator  removal  upgrade              what is decided
 *   serving  rows                                     and shown while there is a view
 *   explain                                           why no replica serves
 *   formation  takeover                               the first view of our own
 *   view_change  binding  admission  hello  liveness  what events change
 *   connection  operator_request  clocks  expected    parts of the state
 *   actions  mode  candidates  reasons  fold
 *   known
 *   id_list  view_members                             helpers without state */
#pragma once

#include <stddef.h>

#include "frontend/views/views.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"

#define CONNECT_WAIT_MS 1000     /* a connection whose hello is not answered by then is closed and retried */
#define ATTEMPT_FIRST_MS 20      /* of the first attempt to connect; doubled for each further one, up to the above */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 1000
#define QUICK_TRIES 3            /* so often a broken connection is retried at once before the back-off begins */
#define STORE_RETRY_MS 1000      /* after a failed STORE */
#define BIND_WAIT_MS 1000        /* after that long without an answer the connection is made again */
#define OPERATOR_WAIT_MS 5000    /* a switchover or promotion that is not done by then is answered as failed */
/* RULE 3: promote --force begins a generation whose numbers are above all that the old one may have reached out of our
 * sight: wherever the two meet, the promoted branch is the higher. */
#define VIEWS_PER_GENERATION 1000000
#define FOREIGN_LOOK_MS 10000    /* how often a replica that is not ours is looked at again */
/* A new front-end ends after replicas have reported another one for so long; a predecessor may have died just now. A
 * random part of up to the same length is added, so that of two new front-ends that bind against each other one
 * stays. */
#define MANAGED_MS 1000
#define SAY_AGAIN_MS 5000        /* how often a lasting state is logged again */

/* What the note of a replica is about. NOTE_NONE: nothing has been noted yet. */
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
	bool forgotten;                    /* auto-cleaned: not shown before its next hello */

	enum link link;
	uint64_t connect_ms; /* CONNECTING: since when */
	uint64_t up_ms;      /* UP: since when */
	uint64_t down_ms;    /* not UP: since when, or since our own loop stalled last */
	uint64_t lost_ms;    /* not UP: since when, not counting such stalls */
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
	uint64_t connect_floor; /* the floor when the connection was begun, if its id was a member's; else 0 */
	uint64_t connection;    /* counts hellos: tells a connection that was made again */

	bool identified; /* it has answered a hello since we started: identity and report are valid */
	enum hello_status hello_status; /* never HELLO_OTHER_FORMAT: that is HELLO_FORMAT with its note_kind */
	struct identity identity;
	struct report report;
	uint64_t report_ms;

	bool lost_data;          /* the data under identity.uuid cannot be trusted, until it draws a new uuid */
	bool bound;              /* durably bound to our manager, as this connection's hello or BIND said */
	bool bind_open;          /* a BIND waits for its answer */
	uint64_t bind_ms;        /* at most until then */
	uint64_t bind_round;     /* asked in this round of a take-over to confirm the binding; 0: no */
	bool confirmed;          /* still bound, as reported after all others were bound */
	uint64_t evict_since_ms; /* since when the primary names it for eviction; 0: it does not */
	int64_t clock_us;        /* its wall clock minus ours, at the last report */
	int64_t clock_far_us;    /* by so much it differs from the others; 0: not far */

	char note[REPORT_TEXT_SIZE]; /* why it is down or foreign */
	enum note_kind note_kind;
	char said[REPORT_TEXT_SIZE]; /* the last line logged about it, which is not repeated */
};

#define VIEW_PROPOSED UINT64_MAX /* request.view: its view is being stored */

/* An operator's command under way. At most one of each kind; every token is answered exactly once. */
struct operator_request {
	bool open;
	uint64_t token;
	uint32_t id;
	uint32_t format; /* of an upgrade: to this one */
	uint64_t until_ms;
	uint64_t view; /* the view made for it; 0: none yet */
	bool tried;    /* one was handed to the disk, and may be there even if that failed (RULE 2) */
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

	int64_t clock_far_us;     /* of our own wall clock, as in struct known */
	uint64_t clocks_from_ms;  /* our own loop stalled: older reports are ignored */
	struct uuid manager;
	struct views_stored durable; /* the current view: the latest durable one */
	struct views_stored next;    /* the last one proposed */
	bool next_is_current;        /* it is the current view, stored again with other marks */
	struct fold_marks marks;     /* as known now; stored soon */
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
	uint64_t deadline_ms;    /* of the last step: when it is long past, our own loop stalled */
	bool dumped;        /* at least one round of dumps is over */
	bool dump_complete; /* the last one reached every host */

	bool routed;
	uint32_t routed_id;
	uint64_t routed_view;
	uint64_t routed_connection;
	uint64_t held_ms;           /* since when nothing is routed; 0: something is, or never was */
	char held[VIEWS_TEXT_SIZE]; /* the last HOLD's text */
	char said[VIEWS_TEXT_SIZE]; /* the last line about the whole cluster */
	uint64_t said_ms;

	uint64_t managed_ms; /* since when replicas report that they hear another front-end; 0: none does */
	uint64_t bind_round; /* of a take-over: a new round begins whenever a required replica is not bound */

	struct operator_request switchover;
	struct operator_request promotion;
	struct operator_request removal;
	struct operator_request upgrade;
	uint64_t tokens_opened;
	uint64_t tokens_answered;
};
