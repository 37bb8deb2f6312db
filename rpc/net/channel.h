/* The asynchronous ONC RPC client channel: a CLIENT for rpcgen's client stubs whose cl_call queues the encoded call
 * and returns RPC_SUCCESS at once; the answer is matched by xid and delivered by a call-back. Many calls share one
 * connection; each has a deadline for the whole call. Calls queued within one iteration of the loop leave in one
 * write.
 *
 * Usage with an rpcgen -M stub: submit_1(&args, NULL, rpc_channel_call(channel, timeout_ms, submitted, context));
 * where `submitted` gets the raw answer and decodes it with rpc_reply_decode. The channel neither retries nor
 * reconnects: that is the owner's decision. One thread, the event loop's. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct rpc_channel;

enum rpc_status {
	RPC_ANSWERED,   /* the peer accepted the call and answered */
	RPC_LATE,  /* the deadline passed: the call may have been executed */
	RPC_LOST,       /* the connection ended first: the call may have been executed */
	RPC_PEER_FAILED, /* the peer had a system error: the call may have been executed */
	RPC_REJECTED,    /* certainly not executed: the peer does not serve the program, the version or the procedure,
			    could not decode the arguments, or refuses RPC version or credentials; or the arguments could
			    not be encoded */
	RPC_NOT_SERVED   /* the same, and the peer serves another program: it is not the intended one */
};

/* The call was certainly not executed: the answer proves it. */
bool rpc_status_not_executed(enum rpc_status status);

struct rpc_reply {
	enum rpc_status status;
	XDR *results;          /* RPC_ANSWERED: positioned at the results */
	const void *bytes;     /* RPC_ANSWERED: the same as raw bytes, to the end of the record */
	size_t size;
	const char *error;     /* otherwise: one line why */
	uint32_t version_low, version_high; /* RPC_REJECTED for the version: those that the peer serves; else 0 */
};

/* Called exactly once for each call, never from within rpc_channel_call or the stub. The reply is borrowed for the
 * call-back. rpc_channel_close may be called in it. */
typedef void (*rpc_reply_fn)(void *context, const struct rpc_reply *reply);

/* Decodes the results into zeroed memory; false when they are malformed. Free with xdr_free(decode, result). */
bool rpc_reply_decode(const struct rpc_reply *reply, xdrproc_t decode, void *result);

/* How a channel ended: what decisions are made on. The reason beside it is for people. */
enum rpc_end {
	RPC_END_LOST,    /* there was a connection, or there may be a process that cannot be reached now */
	RPC_END_REFUSED, /* there was none, and nothing listens at the address: the process that did is gone */
	RPC_END_NO_RPC   /* the bytes received are no RPC reply: no RPC server listens there */
};

struct rpc_channel_events {
	void (*connected)(void *context);                 /* TCP is up; calls queued before it leave now. May be NULL */
	/* Once: connect failed or the connection ended; all calls in flight have been answered RPC_LOST before. The
	 * channel is dead; the owner still calls rpc_channel_close. */
	void (*closed)(void *context, enum rpc_end end, const char *reason);
	void (*turn_end)(void *context);                   /* after all answers of one read were delivered. May be
							      NULL */
};

/* Starts a non-blocking connect to a numeric address "127.0.0.1:40001" / "[::1]:40001". Never fails at once: an
 * error is reported by `closed`, from the loop. A socket whose own address equals its peer's is closed (rule 17).
 * TCP_NODELAY is set. */
struct rpc_channel *rpc_channel_open(struct event_base *base, const char *address, rpcprog_t program, rpcvers_t version,
				     const struct rpc_channel_events *events, void *context);

/* Closes at once and frees; calls in flight are dropped without a call-back, and no call-back follows. Safe in any of
 * its call-backs. NULL is fine. */
void rpc_channel_close(struct rpc_channel *channel);

/* The CLIENT to pass to exactly one rpcgen stub call; valid until then. timeout_ms counts from now. (clnt_call itself
 * is a macro that evaluates its CLIENT twice: not this expression.) */
CLIENT *rpc_channel_call(struct rpc_channel *channel, uint32_t timeout_ms, rpc_reply_fn answered, void *context);

/* Writes what is queued now instead of at the end of the iteration. */
void rpc_channel_flush(struct rpc_channel *channel);

const char *rpc_channel_address(const struct rpc_channel *channel);

/* When bytes last arrived, be it a part of an answer, by rpc_clock_us; 0: never yet. */
uint64_t rpc_channel_heard_us(const struct rpc_channel *channel);
