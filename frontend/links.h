/* The front-end's connections to replicas: one for each, opened with a hello (rule 17), with a pending WATCH, and
 * everything that the view manager and the router send. It translates answers and decides nothing: when to connect, what
 * to trust and when to suspect a replica is decided by frontend/views.
 *
 * An answer that belongs to a replica's older connection is never delivered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/cluster/protocol.h"
#include "rpc/replica.h"

struct event_base;
struct links;
struct link_call;

enum link_answer_kind {
	LINK_DONE,        /* JH_DONE: op is what it reflects */
	LINK_REFUSED,     /* JH_REFUSED */
	LINK_UNAVAILABLE, /* JH_UNAVAILABLE: this call changed nothing, and asking again now will not help */
	LINK_NOT_EXECUTED, /* the call was rejected: certainly not executed */
	LINK_AGAIN        /* moved, busy, timed out, not understood: the outcome is open */
};

struct link_answer {
	enum link_answer_kind kind;
	uint64_t op;
	const char *bytes; /* the result as encoded; borrowed for the call-back. NULL without an answer */
	size_t size;
};

/* Call-backs; links_connect, _disconnect and all that sends may be called in them. */
struct links_events {
	/* The session is established; text: why not. Report and identity are borrowed, and NULL when the other end did
	 * not understand the hello. */
	void (*hello)(void *context, uint32_t id, enum hello_status status, const char *text,
		      const struct identity *identity, const struct report *report);
	void (*report)(void *context, uint32_t id, const struct report *report);
	void (*bound)(void *context, uint32_t id, const struct report *report);
	/* The connection has ended or could not be made; refused: nobody listens there. */
	void (*lost)(void *context, uint32_t id, bool refused);
	/* A SUBMIT or QUERY that was not forgotten. Calls that end with their connection are not answered: lost covers
	 * them. */
	void (*answered)(void *context, void *owner, const struct link_answer *answer);
};

struct links *links_new(struct event_base *base, uint32_t program_base, const struct links_events *events,
			void *context);
void links_free(struct links *links); /* closes all, without a call-back */

/* Opens a connection and says hello as `me`; an older one of the same id is closed first, without `lost`. */
void links_connect(struct links *links, uint32_t id, const char *address, const struct identity *me);
void links_disconnect(struct links *links, uint32_t id); /* no `lost` follows */

/* When anything last came over the present connection, by rpc_clock_us; 0: nothing yet, or no connection. */
uint64_t links_heard_us(const struct links *links, uint32_t id);

/* The peer list; heartbeats carry it when it has changed, and every second. */
void links_set_peers(struct links *links, const struct peers *peers);

/* What heartbeats tell about this front-end: where clients find it, and after which silence it is suspected. */
void links_set_self(struct links *links, const char *address, uint32_t suspect_ms);

/* Each is dropped when there is no connection: `lost` has been or will be called. */
void links_heartbeat(struct links *links, uint32_t id, uint64_t view, bool retire, uint32_t min_members,
		     uint32_t full_wait_ms);
void links_install(struct links *links, uint32_t id, const struct view *view);
void links_bind(struct links *links, uint32_t id, struct uuid manager, bool take_over);

/* args are encoded at once. *call names the call until it is answered, lost or forgotten; then it becomes NULL. */
void links_submit(struct links *links, uint32_t id, jh_submit_args *args, uint32_t timeout_ms, void *owner,
		  struct link_call **call);
void links_query(struct links *links, uint32_t id, jh_query_args *args, uint32_t timeout_ms, void *owner,
		 struct link_call **call);
void link_call_forget(struct link_call **call); /* *call may be NULL */
