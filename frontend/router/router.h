/* The router: which replica gets a client's request, when the request is sent again, and when the client is told that
 * it has ended. It implements the front-end's half of rules 8 and 12 of docs/replication.md.
 *
 * Pure: it opens no socket, reads no clock and knows no XDR; a request is the head of a struct of its shell's, and
 * effects leave through struct router_shell. It does not decide who is primary (frontend/views): it learns that by
 * route and hold. Every request ends in exactly one answer. Work per request does not depend on how many wait. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct router;

/* Head of the shell's struct for one client request; zeroed before router_write or router_read. It belongs to the
 * router until it is answered. */
struct router_request {
	bool is_read;
	bool sent;       /* a call of it is under way */
	bool left;       /* a SUBMIT of it may have left: from now on it may have happened (rule 12) */
	bool to_primary; /* a read that no backup could answer */
	bool rejected;   /* the last call was: a SUBMIT that was certainly not executed */
	uint32_t calls;  /* SUBMITs or QUERYs of it so far, without those certainly not executed */
	uint32_t to;     /* replica the last call went to */
	uint64_t floor;  /* of the last QUERY */
	uint64_t deadline_ms;
	uint64_t again_ms; /* sent back by the primary: not sent again before */
	TAILQ_ENTRY(router_request) order; /* arrival */
	TAILQ_ENTRY(router_request) slot;  /* deadline wheel */
};

enum router_end {
	ROUTER_END_ANSWERED,    /* `payload` is what the replica said: pass it on */
	ROUTER_END_UNKNOWN,     /* a write that may have happened; text says why that is not known */
	ROUTER_END_UNAVAILABLE, /* not passed on, nothing happened through this call; text says why */
	ROUTER_END_BUSY         /* more requests than the queue may ever hold */
};

/* Effects. They must not call back into the router. */
struct router_shell {
	/* Sends SUBMIT or QUERY. An older call of the same request is out of date from now on: its answer must not
	 * reach the router any more. timeout_ms bounds this call. */
	void (*send)(void *context, struct router_request *request, uint32_t to, uint64_t view, uint64_t floor,
		     bool at_primary, uint32_t timeout_ms);
	/* Ends the request; it is the shell's again, calls of it under way are out of date. text is one line. */
	void (*answer)(void *context, struct router_request *request, enum router_end end, const void *payload,
		       const char *text);
	/* The queue is full, or has come down to three quarters: stop or start reading from clients. */
	void (*pause)(void *context, bool paused);
	/* No replica serves, and the first request waits. */
	void (*demand)(void *context);
	/* The router is freed: the request is the shell's again, without an answer. */
	void (*forget)(void *context, struct router_request *request);
};

/* Calls under way. Together they stay below what a replica accepts on one connection (LIMIT_CALLS_IN_FLIGHT): past
 * that it would stop reading, and heartbeats would wait behind requests. */
#define ROUTER_WRITES_WINDOW 4096
#define ROUTER_READS_WINDOW 3072

struct router_options {
	uint32_t queue_max;         /* LIMIT_QUEUE_REQUESTS */
	uint32_t default_timeout_ms; /* for a client that names none */
	uint32_t backup_timeout_ms; /* a backup silent for longer: the primary is asked */
	uint32_t retry_ms;          /* a serving primary that sent a request back is asked again after this */
	uint32_t writes_window, reads_window; /* calls under way at once, the rest waits; 0: ROUTER_*_WINDOW */
};

/* options and shell are copied. */
struct router *router_new(const struct router_options *options, const struct router_shell *shell, void *context);
void router_free(struct router *router);

/* --- clients ------------------------------------------------------------------------------------------------------ */

/* timeout_ms: how long the caller waits, 0: not given. The answer comes a little before. It may come within the
 * call. */
void router_write(struct router *router, struct router_request *request, uint64_t now_ms, uint32_t timeout_ms);
void router_read(struct router *router, struct router_request *request, uint64_t now_ms, uint32_t timeout_ms);

/* --- views -------------------------------------------------------------------------------------------------------- */

/* `primary` serves `view`, and commit is its commit point: the floor is known from now on (rule 8). All that is in
 * flight to anybody else goes to it, in the order of arrival. Readers are forgotten when the view is another one. */
void router_route(struct router *router, uint64_t view, uint32_t primary, uint64_t commit, uint64_t now_ms);
/* No replica serves; reason is the text for requests that time out ("no primary: waiting for replicas 2, 3"). */
void router_hold(struct router *router, const char *reason);
/* promote --force: what was acknowledged may be gone (rule 3). Only while no replica serves. */
void router_reset_floor(struct router *router);

/* --- replicas ----------------------------------------------------------------------------------------------------- */

/* Calls to id can be sent (a hello has been answered), or all its calls under way are lost. */
void router_link(struct router *router, uint32_t id, bool up, uint64_t now_ms);
/* id is a backup of the routed view, with its log made whole in it: reads may go there. */
void router_reader(struct router *router, uint32_t id, bool able);

enum router_reply {
	ROUTER_REPLY_DONE,    /* payload passes to the client; op is what the answer reflects */
	ROUTER_REPLY_REFUSED, /* payload passes to the client when it comes from the primary */
	ROUTER_REPLY_UNAVAILABLE, /* this call changed nothing: passes only while no other call may have (rule 12) */
	ROUTER_REPLY_NOT_EXECUTED, /* rejected before it was looked at: as if this call had not been made */
	ROUTER_REPLY_AGAIN    /* moved, busy, timed out, garbage: the outcome of this call is open */
};

/* The answer to the request's latest call. Ignored when the router has given that call up meanwhile (another view,
 * another primary, a lost connection): the request waits to be sent again, and only its next call may end it. */
void router_answered(struct router *router, struct router_request *request, enum router_reply reply, uint64_t op,
		     const void *payload, uint64_t now_ms);

/* --- time --------------------------------------------------------------------------------------------------------- */

/* To be called every ROUTER_TICK_MS while router_waiting is above 0 (more often does no harm). */
#define ROUTER_TICK_MS 16
void router_tick(struct router *router, uint64_t now_ms);

uint32_t router_waiting(const struct router *router); /* requests not yet answered */
uint64_t router_floor(const struct router *router);   /* highest op an answer passed on has shown; 0: none or unknown */
bool router_serving(const struct router *router);     /* between route and hold */
