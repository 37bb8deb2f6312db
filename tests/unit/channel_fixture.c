#include "channel_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "rpc/net/address.h"

static void close_channel(struct rpc_channel **channel)
{
	rpc_channel_close(*channel);
	*channel = NULL;
}

void answered(void *context, const struct rpc_reply *reply)
{
	struct asked *asked = context;

	asked->answers++;
	asked->status = reply->status;
	if (reply->status == RPC_ANSWERED)
		assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_u_int, &asked->value));
	else
		snprintf(asked->error, sizeof asked->error, "%s", reply->error);
	if (asked->close != NULL && *asked->close != NULL)
		close_channel(asked->close);
}

static void on_connected(void *context)
{
	struct owner *owner = context;

	owner->connects++;
	if (owner->close_on_connect)
		close_channel(&owner->channel);
}

static void on_closed(void *context, enum rpc_end end, const char *reason)
{
	struct owner *owner = context;

	owner->closes++;
	owner->end = end;
	snprintf(owner->reason, sizeof owner->reason, "%s", reason);
	if (owner->close_on_close)
		close_channel(&owner->channel);
}

static void on_turn_end(void *context)
{
	struct owner *owner = context;

	owner->turn_ends++;
	if (owner->close_on_turn_end)
		close_channel(&owner->channel);
}

void owner_open_version(struct owner *owner, struct event_base *base, const char *address, u_int version)
{
	static const struct rpc_channel_events events = {on_connected, on_closed, on_turn_end};

	memset(owner, 0, sizeof *owner);
	owner->channel = rpc_channel_open(base, address, ECHO_PROGRAM, version, &events, owner);
}

void owner_open(struct owner *owner, struct event_base *base, const char *address)
{
	owner_open_version(owner, base, address, ECHO_VERSION);
}

void ask_now(struct owner *owner, struct asked *asked, u_int value)
{
	assert_int_equal(echo_now_1(&value, NULL, rpc_channel_call(owner->channel, PATIENT_MS, answered, asked)),
			 RPC_SUCCESS);
	assert_int_equal(asked->answers, 0);
}

void ask_later(struct owner *owner, struct asked *asked, u_int value, uint32_t timeout_ms)
{
	assert_int_equal(echo_later_1(&value, NULL, rpc_channel_call(owner->channel, timeout_ms, answered, asked)),
			 RPC_SUCCESS);
}

int listen_raw(char *text, size_t size)
{
	struct rpc_address address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(rpc_address_parse("127.0.0.1", &address));
	assert_int_equal(bind(fd, (struct sockaddr *)&address.storage, address.length), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address.storage, &address.length), 0);
	rpc_address_format(&address, text, size);
	return fd;
}
