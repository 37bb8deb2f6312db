/* What the two halves of a channel share, and no other file: channel.c has the connection, channel_client.c the calls
 * on it. Call-backs are made by either, within enter and leave. */
#pragma once

#include <event2/event_struct.h>

#include "rpc/net/address.h"
#include "rpc/net/channel.h"
#include "rpc/net/channel_calls.h"
#include "rpc/net/record.h"

/*   CONNECTING --writable--> UP --read or write error--> DEAD
 *        \-----refused, no route, deadline, address-----/
 * Each move is made by come_up or die. */
enum channel_state { CONNECTING, UP, DEAD };

struct rpc_channel {
	char address[RPC_ADDRESS_TEXT];
	rpcprog_t program;
	rpcvers_t version;
	struct rpc_channel_events events;
	void *context;
	enum channel_state state;
	int fd;
	struct event readable, writable, flush, timer;
	bool flush_active;
	bool blocked; /* UP and the kernel's buffer is full: `writable` is added */
	int start_errno; /* the socket could not be made: reported from the loop */
	int send_errno;  /* writing failed: reported once nothing is left to read */
	uint64_t timer_us; /* when `timer` fires; 0: not added */
	uint64_t connect_by_us;
	uint64_t heard_us;
	struct record_reader input;
	struct record_writer output;
	struct call_table calls;
	struct call_queue failed; /* not encodable, or made on a dead channel: answered at the end of the turn */
	size_t in_flight; /* in `calls` or `failed` */
	uint32_t next_xid;
	CLIENT client;
	struct call *next_call; /* given to rpc_channel_call, not yet to a stub */
	int depth;  /* call-backs on the stack: the memory is kept until they return */
	bool closed;
};

/* channel.c */
/* What is queued is written, and what failed is answered, at the end of this turn of the loop. */
void channel_need_flush(struct rpc_channel *channel);
/* Makes the timer fire then, or earlier. */
void channel_set_timer(struct rpc_channel *channel, uint64_t at_us, uint64_t now_us);

/* channel_client.c */
extern struct clnt_ops channel_client_ops;
/* Answers the call that this reply belongs to, if it still waits. False when the record is no reply. */
bool channel_take_reply(struct rpc_channel *channel, const uint8_t *record, size_t size);
/* The connection has ended: answers every call with RPC_LOST, once. New calls made meanwhile go to `failed`. */
void channel_lose_calls(struct rpc_channel *channel, const char *reason);
/* Answers the calls whose deadline has passed with RPC_LATE. */
void channel_expire_calls(struct rpc_channel *channel, uint64_t now_us);
/* Answers the calls that were never sent. */
void channel_tell_failed(struct rpc_channel *channel);
