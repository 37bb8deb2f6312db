/* For tests of a channel: its owner, calls to the echo server through rpcgen's stubs, and the result of each. */
#pragma once

#include "echo_fixture.h"
#include "rpc/net/channel.h"

#define PATIENT_MS 60000

/* One call and its result. */
struct asked {
	unsigned answers;
	enum rpc_status status;
	u_int value;
	char error[128];
	struct rpc_channel **close; /* closed in the call-back */
};

/* A channel's owner. */
struct owner {
	unsigned connects, closes, turn_ends;
	enum rpc_end end; /* set with reason */
	char reason[256];
	bool close_on_connect, close_on_close, close_on_turn_end;
	struct rpc_channel *channel;
};

/* For a call's answer; context: the struct asked. */
void answered(void *context, const struct rpc_reply *reply);
void owner_open(struct owner *owner, struct event_base *base, const char *address);
/* As if the echo program were of that version. */
void owner_open_version(struct owner *owner, struct event_base *base, const char *address, u_int version);
void ask_now(struct owner *owner, struct asked *asked, u_int value);
/* ECHO_LATER: answered when the test says so. */
void ask_later(struct owner *owner, struct asked *asked, u_int value, uint32_t timeout_ms);

/* A peer made of bytes: listens, and gives its address. Returns the listener. */
int listen_raw(char *text, size_t size);
