/* What server.c (listening, limits, the end of a turn), connection.c (one peer's bytes) and transport.c (one call's
 * SVCXPRT) share. No other file includes it.
 *
 * A turn: the loop calls connection_readable for every readable connection; each reads once and dispatches what
 * came. The first thing that happens activates server->turn, which libevent appends to the queue of active events,
 * so it runs after all of them in the same iteration: it tells the owner that the turn ended, then writes each
 * connection's answers at once. A turn that has dispatched for some milliseconds stops there, in the middle of a
 * connection's input if need be. */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <rpc/rpc.h>
#include <rpc/svc_mt.h>
#include <sys/queue.h>

#include "rpc/net/address.h"
#include "rpc/net/record.h"
#include "rpc/net/server.h"

struct service {
	rpcprog_t program;
	rpcvers_t version;
	void (*dispatch)(struct svc_req *, SVCXPRT *);
	void *context;
	SLIST_ENTRY(service) link;
};

struct listener {
	struct rpc_server *server;
	int fd;
	struct event accept;
	struct event again; /* accepting was stopped because descriptors ran out */
	SLIST_ENTRY(listener) link;
};

/* One call from its record to its answer. It is the SVCXPRT that the dispatch function works on. */
struct rpc_call {
	SVCXPRT xprt;
	SVCXPRT_EXT extension;
	struct svc_req request;
	XDR arguments;
	struct rpc_connection *connection; /* NULL: it died; then nothing may be reached through it, including the
					    * server */
	const struct service *service;
	uint32_t xid;
	bool dispatching; /* the dispatch function is still using xprt */
	bool taken;
	bool answered;
	bool ended;       /* a taken call was answered or dropped while still dispatching */
	LIST_ENTRY(rpc_call) link; /* connection->calls, or server->spare_calls */
};

LIST_HEAD(call_list, rpc_call);
TAILQ_HEAD(connection_list, rpc_connection);

struct rpc_connection {
	struct rpc_server *server;
	int fd;
	struct event readable, writable;
	struct record_reader input;
	struct record_writer output;
	struct call_list calls;
	size_t calls_count;
	size_t held_bytes;      /* as counted in server->counts */
	uint64_t heard_us;      /* when bytes last came */
	void *user;
	bool pinned;
	bool surplus;           /* beyond the limit: closed after its first answer */
	bool busy;              /* on the stack of dispatch_input, which then frees the memory after a close */
	bool closed;
	bool broken;            /* to be closed at the end of the turn, never from within a reply */
	bool reading;           /* `readable` is added */
	bool half_closed;       /* the peer sends no more and is owed answers: closed when it has them */
	bool throttled;         /* beyond a limit, until it has fallen to half of it */
	bool blocked;           /* the kernel's buffer is full: `writable` is added */
	bool in_flush, in_resume;
	char peer[RPC_ADDRESS_TEXT];
	TAILQ_ENTRY(rpc_connection) link;   /* server->clients, pinned or surplus */
	TAILQ_ENTRY(rpc_connection) flush;  /* server->flushes */
	TAILQ_ENTRY(rpc_connection) resume; /* server->resumes */
};

struct rpc_server {
	struct event_base *base;
	struct rpc_server_limits limits;
	SLIST_HEAD(, service) services;
	SLIST_HEAD(, listener) listeners;
	struct connection_list clients; /* the longest silent first */
	struct connection_list pinned;
	struct connection_list surplus; /* in order of arrival */
	size_t surplus_count;           /* of server->counts.connections */
	struct connection_list flushes; /* with answers to write at the end of the turn */
	struct connection_list resumes; /* that may read again, or have input left */
	struct call_list spare_calls;
	size_t spare_calls_count;
	struct event turn, resume, sweep;
	bool turn_active;
	bool resume_added;
	bool dispatched;        /* calls since the last turn_end */
	bool clients_paused;
	bool dispatching;
	uint64_t turn_started_us;
	uint64_t complained_us;
	struct rpc_server_counts counts;
	void (*closed)(void *context, struct rpc_connection *connection);
	void *closed_context;
	void (*turn_end)(void *context);
	void *turn_end_context;
};

/* --- server.c */

/* Schedules the end of this turn, once, after everything that is active now. */
void server_need_turn(struct rpc_server *server);
/* Lets the connections on `resumes` go on in the next iteration: other sockets and timers come first. */
void server_need_resume(struct rpc_server *server);
/* Begins the turn, if it has not begun. */
void server_begin_turn(struct rpc_server *server, uint64_t now_us);
/* The turn has dispatched for long enough: the rest waits for the next. */
bool server_turn_is_long(const struct rpc_server *server, uint64_t now_us);
const struct service *server_find(const struct rpc_server *server, rpcprog_t program, rpcvers_t version);
/* The versions of the program served; false when there is none. */
bool server_versions(const struct rpc_server *server, rpcprog_t program, rpcvers_t *low, rpcvers_t *high);
/* At most one warning per second: a peer must not fill the log. */
void server_complain(struct rpc_server *server, const struct rpc_connection *connection, const char *what);

/* --- connection.c */

/* Takes ownership of fd and starts to read. */
void connection_new(struct rpc_server *server, int fd, const struct rpc_address *peer, bool surplus);
/* Writes what is queued, or closes when it is broken. */
void connection_flush(struct rpc_connection *connection);
/* Continues with remaining input, and with reading, if limits allow. */
void connection_resume(struct rpc_connection *connection);
/* Call after queueing something in output. */
void connection_answered(struct rpc_connection *connection);
/* One call or some bytes fewer, or the pause over: puts it on server->resumes if it waited for that. */
void connection_check_resume(struct rpc_connection *connection);

/* --- transport.c */

/* Runs one record through the dispatch function; false when it is no call. */
bool transport_dispatch(struct rpc_connection *connection, const uint8_t *record, size_t size);
/* The connection is gone: its calls may still be dropped. */
void transport_detach(struct rpc_connection *connection);
void transport_free_spare(struct rpc_server *server);
