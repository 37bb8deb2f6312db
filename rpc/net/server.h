/* The asynchronous ONC RPC server transport (RFC 5531 over TCP, record marking of section 11) on libevent.
 *
 * It reads whole records, gives each call an SVCXPRT of its own, and calls the unmodified dispatch function that
 * `rpcgen -M` wrote. A handler that knows the answer returns TRUE; one that does not takes the call (rpc_call_take),
 * returns FALSE, and answers later, in any order: each answer goes out under its own call's xid. A peer that sends 2
 * bytes and stalls, half a record, a record over the limit or garbage delays no other peer. A client that ends its half
 * of the connection after its calls still gets their answers; then the connection is closed.
 *
 * It knows no program and makes no protocol decision. One thread, the event loop's. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct rpc_server;
struct rpc_connection;
struct rpc_call;

struct rpc_server_limits {
	size_t record_bytes;      /* a longer record closes its connection */
	size_t connections;       /* one more closes the longest idle client connection; never a pinned one */
	size_t surplus;           /* additional ones while all of those wait for answers: see rpc_connection_surplus.
				   * 0: one that waits is closed instead */
	size_t calls_in_flight;   /* per connection: beyond it we stop reading from it */
	size_t output_bytes;      /* answers not yet read by the peer: beyond it we stop reading from it */
	size_t held_bytes;        /* partial records and unread answers of all connections: beyond it, at the end of
				   * the iteration, those that hold the most are closed, pinned ones last */
	uint32_t client_idle_s;   /* unpinned connections silent for longer, with no call in flight, are closed */
};

struct rpc_server_limits rpc_server_limits_default(void); /* rpc/base/limits.h */

struct rpc_server *rpc_server_new(struct event_base *base, const struct rpc_server_limits *limits);
void rpc_server_free(struct rpc_server *server); /* closes all; taken calls become unanswerable but may still be
						  * dropped */

/* Serves (program, version) with rpcgen's dispatch function. A call of another version gets PROG_MISMATCH with the
 * range served, of another program PROG_UNAVAIL. Procedure 0 of a served version always answers; version 0, as rpcinfo
 * probes it, gets PROG_MISMATCH. `context` is what rpc_call_context returns in the handlers. */
void rpc_server_register(struct rpc_server *server, rpcprog_t program, rpcvers_t version,
			 void (*dispatch)(struct svc_req *, SVCXPRT *), void *context);

/* Listens on a numeric address ("127.0.0.1:0", "[::1]:0", "0.0.0.0:4711", "192.0.2.1"; no port or port 0:
 * ephemeral). On failure returns false and writes one line into error. On success the bound address, port included,
 * is in `bound`. */
bool rpc_server_listen(struct rpc_server *server, const char *address, char *bound, size_t bound_size, char *error,
		       size_t error_size);

/* Stops or starts reading from unpinned connections (back-pressure when a queue is full). Idempotent. */
void rpc_server_pause_clients(struct rpc_server *server, bool paused);

/* Called when a connection ends, before its memory is freed: drop all references to it. */
void rpc_server_on_close(struct rpc_server *server, void (*closed)(void *context, struct rpc_connection *connection),
			 void *context);

/* Called after all calls that one iteration read have been dispatched (to batch what arrived together). May be NULL. */
void rpc_server_on_turn_end(struct rpc_server *server, void (*turn_end)(void *context), void *context);

struct rpc_server_counts {
	uint64_t calls, garbage_records, oversized_records, connections_evicted;
	uint64_t turned_away;     /* surplus connections */
	size_t connections, held_bytes;
};
struct rpc_server_counts rpc_server_counts(const struct rpc_server *server);

/* --- within a handler --------------------------------------------------------------------------------------------- */

void *rpc_call_context(const struct svc_req *request);
struct rpc_connection *rpc_call_connection(const struct svc_req *request);

/* Keeps the call for a later answer; the handler then returns FALSE. Exactly one of reply, error or drop must follow.
 * Without it, a handler that returns FALSE drops the call silently. */
struct rpc_call *rpc_call_take(struct svc_req *request);

/* Answers a taken call and ends it; `result` is encoded before it returns. Safe after its connection died: then it only
 * frees. */
void rpc_call_reply(struct rpc_call *call, xdrproc_t encode, const void *result);
void rpc_call_system_error(struct rpc_call *call); /* SYSTEM_ERR */
void rpc_call_drop(struct rpc_call *call);
struct rpc_connection *rpc_call_peer(const struct rpc_call *call); /* NULL when the connection died */

/* --- connections -------------------------------------------------------------------------------------------------- */

/* The owner's mark on a connection (whose session it is); NULL at first. */
void rpc_connection_set_user(struct rpc_connection *connection, void *user);
void *rpc_connection_user(const struct rpc_connection *connection);
const char *rpc_connection_peer_text(const struct rpc_connection *connection); /* "192.0.2.1:40001" */

/* Marks a cluster connection: never evicted, never idle, not paused with the clients; closed as soon as the peer sends
 * no more. A connection whose peer has already half-closed is closed at the end of the iteration instead. */
void rpc_connection_pin(struct rpc_connection *connection);

/* A connection beyond the limit: its first call may be answered, if only with the name of the limit; then it is closed.
 * Once pinned it counts like the others. */
bool rpc_connection_surplus(const struct rpc_connection *connection);

/* Closes now, discarding what was received and not yet dispatched (rule 17), and answers not yet sent. Safe to call
 * from within a handler of the same connection: the rest of the records read with it are discarded. */
void rpc_connection_close(struct rpc_connection *connection);
