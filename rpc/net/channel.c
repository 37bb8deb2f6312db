/* The connection of a channel: made, written to, read from, and its end. The calls on it are in channel_client.c. */
#include "rpc/net/channel.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/channel_internal.h"

#define READ_BYTES 65536
/* A host that drops packets must not hold a channel for the kernel's two minutes. */
#define CONNECT_DEADLINE_MS 5000

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void channel_free(struct rpc_channel *channel)
{
	call_queue_free(&channel->failed);
	free(channel->next_call);
	call_table_free(&channel->calls);
	record_reader_free(&channel->input);
	record_writer_free(&channel->output);
	free(channel);
}

/* Brackets every call-back. */
static void enter(struct rpc_channel *channel)
{
	channel->depth++;
}

static void leave(struct rpc_channel *channel)
{
	must(channel->depth > 0);
	if (--channel->depth == 0 && channel->closed)
		channel_free(channel);
}

static void let_go_of_socket(struct rpc_channel *channel)
{
	event_del(&channel->readable);
	event_del(&channel->writable);
	event_del(&channel->timer);
	channel->timer_us = 0;
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

/* Answers every call with RPC_LOST, then calls `closed`. Within enter/leave. */
static void die(struct rpc_channel *channel, enum rpc_end end, const char *reason)
{
	if (channel->state == DEAD)
		return;
	must(channel->depth > 0);
	channel->state = DEAD;
	let_go_of_socket(channel);
	channel_lose_calls(channel, reason);
	if (!channel->closed)
		channel->events.closed(channel->context, end, reason);
}

static void cannot_connect(struct rpc_channel *channel, enum rpc_end end, const char *why)
{
	char reason[160];

	snprintf(reason, sizeof reason, "cannot connect to %s: %s", channel->address, why);
	die(channel, end, reason);
}

void rpc_channel_close(struct rpc_channel *channel)
{
	if (channel == NULL || channel->closed)
		return;
	channel->closed = true;
	let_go_of_socket(channel);
	event_del(&channel->flush);
	channel->state = DEAD;
	if (channel->depth == 0)
		channel_free(channel);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

void channel_need_flush(struct rpc_channel *channel)
{
	if (channel->flush_active)
		return;
	channel->flush_active = true;
	/* libevent appends it to the active events: it runs after everything that this iteration has found. */
	event_active(&channel->flush, EV_TIMEOUT, 0);
}

/* A write error is reported from the loop: what the peer has still sent is read first. */
static void send_output(struct rpc_channel *channel)
{
	const uint8_t *bytes;
	size_t size = record_writer_pending(&channel->output, &bytes);

	if (size == 0 || channel->send_errno != 0)
		return;

	ssize_t sent = send(channel->fd, bytes, size, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		channel->send_errno = errno;
		event_active(&channel->readable, EV_READ, 0);
		return;
	}
	if (sent > 0)
		record_writer_sent(&channel->output, (size_t)sent);
	if ((size_t)(sent > 0 ? sent : 0) == size) {
		if (channel->blocked)
			event_del(&channel->writable);
		channel->blocked = false;
	} else if (!channel->blocked) {
		channel->blocked = true;
		event_add(&channel->writable, NULL);
	}
}

void rpc_channel_flush(struct rpc_channel *channel)
{
	if (channel->state == UP && !channel->blocked)
		send_output(channel);
}

static void flush_turn(evutil_socket_t fd, short what, void *context)
{
	struct rpc_channel *channel = context;

	(void)fd;
	(void)what;
	channel->flush_active = false;
	rpc_channel_flush(channel);
	enter(channel);
	channel_tell_failed(channel);
	leave(channel);
}

/* --- deadlines ---------------------------------------------------------------------------------------------------- */

void channel_set_timer(struct rpc_channel *channel, uint64_t at_us, uint64_t now_us)
{
	uint64_t wait_us = at_us > now_us ? at_us - now_us : 0;
	struct timeval wait = {.tv_sec = (time_t)(wait_us / 1000000u), .tv_usec = (suseconds_t)(wait_us % 1000000u)};

	if (channel->timer_us != 0 && channel->timer_us <= at_us)
		return;
	channel->timer_us = at_us;
	event_add(&channel->timer, &wait);
}

/* The timer is left alone when a call is answered: an occasional idle firing is cheaper than moving it for every
 * call. */
static void timer_fired(evutil_socket_t fd, short what, void *context)
{
	struct rpc_channel *channel = context;
	uint64_t now_us = rpc_clock_us();

	(void)fd;
	(void)what;
	channel->timer_us = 0;
	enter(channel);
	channel_expire_calls(channel, now_us);
	if (!channel->closed && channel->state == CONNECTING && channel->connect_by_us <= now_us)
		cannot_connect(channel, RPC_END_LOST, "no answer");
	if (!channel->closed && channel->state != DEAD) {
		struct call *call = call_table_first(&channel->calls);

		if (call != NULL)
			channel_set_timer(channel, call->deadline.at_us, now_us);
		if (channel->state == CONNECTING)
			channel_set_timer(channel, channel->connect_by_us, now_us);
	}
	leave(channel);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* Delivers every complete answer; NULL, or why the connection must end, as RPC_END_NO_RPC. */
static const char *take_input(struct rpc_channel *channel)
{
	const uint8_t *record;
	size_t size;

	while (!channel->closed) {
		enum record_status status = record_reader_next(&channel->input, &record, &size);

		if (status == RECORD_MORE)
			return NULL;
		if (status == RECORD_TOO_LONG)
			return "the peer sent a record over the limit";
		if (!channel_take_reply(channel, record, size))
			return "the peer sent what is no RPC reply";
	}
	return NULL;
}

static void channel_readable(evutil_socket_t fd, short what, void *context)
{
	struct rpc_channel *channel = context;
	_Alignas(16) uint8_t bytes[READ_BYTES];
	enum rpc_end end = RPC_END_LOST;
	const char *reason = NULL;

	(void)what;
	enter(channel);

	ssize_t count = recv(fd, bytes, sizeof bytes, 0);

	if (count > 0) {
		channel->heard_us = rpc_clock_us();
		record_reader_feed(&channel->input, bytes, (size_t)count);
		reason = take_input(channel);
		end = RPC_END_NO_RPC;
		if (!channel->closed && reason == NULL && channel->events.turn_end != NULL)
			channel->events.turn_end(channel->context);
		if (!channel->closed && channel->state == UP && channel->send_errno != 0)
			event_active(&channel->readable, EV_READ, 0);
	} else if (count == 0) {
		reason = "the peer closed the connection";
	} else if (errno != EAGAIN && errno != EINTR) {
		reason = strerror(errno);
	} else if (channel->send_errno != 0) {
		reason = strerror(channel->send_errno);
	}
	if (reason != NULL && !channel->closed)
		die(channel, end, reason);
	leave(channel);
}

/* --- connecting --------------------------------------------------------------------------------------------------- */

/* A connect to an ephemeral port on loopback that nothing listens on may meet itself (simultaneous open). RULE 17 */
static bool connected_to_itself(int fd)
{
	struct rpc_address own = {.length = sizeof own.storage};
	struct rpc_address peer = {.length = sizeof peer.storage};

	return getsockname(fd, (struct sockaddr *)&own.storage, &own.length) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) == 0 && rpc_address_same(&own, &peer);
}

static void come_up(struct rpc_channel *channel)
{
	int error = channel->start_errno;
	socklen_t length = sizeof error;

	if (error == 0 && getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = errno;
	if (error != 0) {
		cannot_connect(channel, error == ECONNREFUSED ? RPC_END_REFUSED : RPC_END_LOST,
			       error == EINVAL ? "no numeric address with a port" : strerror(error));
		return;
	}
	if (connected_to_itself(channel->fd)) { /* RULE 17 */
		cannot_connect(channel, RPC_END_REFUSED, "nobody listens there");
		return;
	}
	channel->state = UP;
	event_del(&channel->writable);
	event_add(&channel->readable, NULL);
	if (channel->events.connected != NULL)
		channel->events.connected(channel->context);
	if (!channel->closed)
		channel_need_flush(channel);
}

static void channel_writable(evutil_socket_t fd, short what, void *context)
{
	struct rpc_channel *channel = context;

	(void)fd;
	(void)what;
	enter(channel);
	if (channel->state == CONNECTING)
		come_up(channel);
	else
		send_output(channel);
	leave(channel);
}

/* The socket, connecting; or -1 with errno. */
static int start_connect(const char *text)
{
	struct rpc_address address;

	if (!rpc_address_parse(text, &address) || rpc_address_port(&address) == 0) {
		errno = EINVAL;
		return -1;
	}

	int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(fd, (const struct sockaddr *)&address.storage, address.length) == 0 || errno == EINPROGRESS)
		return fd;

	int reason = errno;

	close(fd);
	errno = reason;
	return -1;
}

struct rpc_channel *rpc_channel_open(struct event_base *base, const char *address, rpcprog_t program, rpcvers_t version,
				     const struct rpc_channel_events *events, void *context)
{
	struct rpc_channel *channel = calloc(1, sizeof *channel);
	uint64_t now_us = rpc_clock_us();

	must_allocate(channel);
	must(events->closed != NULL);
	snprintf(channel->address, sizeof channel->address, "%s", address);
	channel->program = program;
	channel->version = version;
	channel->events = *events;
	channel->context = context;
	channel->state = CONNECTING;
	channel->client = (CLIENT){.cl_ops = &channel_client_ops, .cl_private = channel};
	channel->next_xid = 1;
	TAILQ_INIT(&channel->failed);
	call_table_init(&channel->calls);
	record_reader_init(&channel->input, LIMIT_RECORD_BYTES);
	record_writer_init(&channel->output, LIMIT_RECORD_BYTES);
	channel->fd = start_connect(address);
	event_assign(&channel->readable, base, channel->fd, EV_READ | EV_PERSIST, channel_readable, channel);
	event_assign(&channel->writable, base, channel->fd, EV_WRITE | EV_PERSIST, channel_writable, channel);
	event_assign(&channel->flush, base, -1, 0, flush_turn, channel);
	event_assign(&channel->timer, base, -1, 0, timer_fired, channel);
	if (channel->fd < 0) {
		channel->start_errno = errno;
		event_active(&channel->writable, EV_WRITE, 0);
		return channel;
	}
	event_add(&channel->writable, NULL);
	channel->connect_by_us = now_us + CONNECT_DEADLINE_MS * UINT64_C(1000);
	channel_set_timer(channel, channel->connect_by_us, now_us);
	return channel;
}

const char *rpc_channel_address(const struct rpc_channel *channel)
{
	return channel->address;
}

uint64_t rpc_channel_heard_us(const struct rpc_channel *channel)
{
	return channel->heard_us;
}
