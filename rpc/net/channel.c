#include "rpc/net/channel.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "rpc/net/address.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/channel_calls.h"
#include "rpc/base/clock.h"
#include "rpc/net/message.h"
#include "rpc/net/record.h"

#define READ_BYTES 65536
/* A host that swallows packets must not hold a channel for the kernel's two minutes. */
#define CONNECT_DEADLINE_MS 5000

/*   CONNECTING --writable--> UP --read or write error--> DEAD
 *        \-----refused, no route, deadline, address-----/
 * Each move is made by come_up or die. */
enum state { CONNECTING, UP, DEAD };

struct rpc_channel {
	char address[RPC_ADDRESS_TEXT];
	rpcprog_t program;
	rpcvers_t version;
	struct rpc_channel_events events;
	void *context;
	enum state state;
	int fd;
	struct event readable, writable, flush, timer;
	bool flush_active;
	bool blocked; /* UP and the kernel takes no more: `writable` is added */
	bool refused; /* nobody listens at the address */
	bool no_rpc;  /* what came is no reply */
	int start_errno; /* the socket could not be made: told from the loop */
	int send_errno;  /* writing failed: told once nothing is left to read */
	uint64_t timer_us; /* when `timer` fires; 0: not added */
	uint64_t connect_by_us;
	uint64_t heard_us;
	struct record_reader input;
	struct record_writer output;
	struct call_table calls;
	struct call_queue failed; /* not encodable, or made on a dead channel: told at the end of the turn */
	size_t in_flight; /* in `calls` or `failed` */
	uint32_t next_xid;
	CLIENT client;
	struct call *next_call; /* handed to rpc_channel_call, not yet to a stub */
	int depth;  /* call-backs on the stack: the memory stays until they are back */
	bool closed;
};

/* --- calls -------------------------------------------------------------------------------------------------------- */

static void tell(struct rpc_channel *channel, struct call *call, const struct rpc_reply *reply)
{
	rpc_reply_fn answered = call->answered;
	void *context = call->context;

	must(channel->in_flight > 0);
	channel->in_flight--;
	call_table_free_call(&channel->calls, call);
	answered(context, reply);
}

static void tell_failure(struct rpc_channel *channel, struct call *call, enum rpc_status status, const char *error)
{
	tell(channel, call, &(struct rpc_reply){.status = status, .error = error});
}

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

/* Around everything that calls back. */
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

/* Answers every call RPC_LOST, once each, then says closed. New calls made meanwhile go to `failed`. Within
 * enter/leave. */
static void die(struct rpc_channel *channel, const char *reason)
{
	struct call *call;

	if (channel->state == DEAD)
		return;
	must(channel->depth > 0);
	channel->state = DEAD;
	let_go_of_socket(channel);
	while (!channel->closed && (call = call_table_first(&channel->calls)) != NULL) {
		call_table_take(&channel->calls, call);
		tell_failure(channel, call, RPC_LOST, reason);
	}
	if (!channel->closed)
		channel->events.closed(channel->context, reason);
}

static void cannot_connect(struct rpc_channel *channel, const char *why)
{
	char reason[160];

	snprintf(reason, sizeof reason, "cannot connect to %s: %s", channel->address, why);
	die(channel, reason);
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

static void need_flush(struct rpc_channel *channel)
{
	if (channel->flush_active)
		return;
	channel->flush_active = true;
	/* libevent appends it to the active events: it runs after all that this iteration has found. */
	event_active(&channel->flush, EV_TIMEOUT, 0);
}

/* A write error is told from the loop: the reader first hears what the peer still said. */
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
	struct call_queue failed = TAILQ_HEAD_INITIALIZER(failed);
	struct call *call;

	(void)fd;
	(void)what;
	channel->flush_active = false;
	rpc_channel_flush(channel);
	enter(channel);
	TAILQ_CONCAT(&failed, &channel->failed, link);
	while (!channel->closed && (call = TAILQ_FIRST(&failed)) != NULL) {
		TAILQ_REMOVE(&failed, call, link);
		tell_failure(channel, call, call->failure,
			     call->failure == RPC_LOST ? "the connection has ended"
						       : "the arguments cannot be encoded");
	}
	call_queue_free(&failed);
	leave(channel);
}

/* --- deadlines ---------------------------------------------------------------------------------------------------- */

static void set_timer(struct rpc_channel *channel, uint64_t at_us, uint64_t now_us)
{
	uint64_t wait_us = at_us > now_us ? at_us - now_us : 0;
	struct timeval wait = {.tv_sec = (time_t)(wait_us / 1000000u), .tv_usec = (suseconds_t)(wait_us % 1000000u)};

	if (channel->timer_us != 0 && channel->timer_us <= at_us)
		return;
	channel->timer_us = at_us;
	event_add(&channel->timer, &wait);
}

/* The timer is left alone when a call is answered: firing once for nothing is cheaper than moving it for every call. */
static void timer_fired(evutil_socket_t fd, short what, void *context)
{
	struct rpc_channel *channel = context;
	struct call *call;
	uint64_t now_us = rpc_clock_us();

	(void)fd;
	(void)what;
	channel->timer_us = 0;
	enter(channel);
	while (!channel->closed && (call = call_table_first(&channel->calls)) != NULL &&
	       call->deadline.at_us <= now_us) {
		call_table_take(&channel->calls, call);
		tell_failure(channel, call, RPC_TIMED_OUT, "no answer within the deadline");
	}
	if (!channel->closed && channel->state == CONNECTING && channel->connect_by_us <= now_us)
		cannot_connect(channel, "no answer");
	if (!channel->closed && channel->state != DEAD) {
		call = call_table_first(&channel->calls);
		if (call != NULL)
			set_timer(channel, call->deadline.at_us, now_us);
		if (channel->state == CONNECTING)
			set_timer(channel, channel->connect_by_us, now_us);
	}
	leave(channel);
}

/* --- the CLIENT of a stub ----------------------------------------------------------------------------------------- */

static void fail_later(struct rpc_channel *channel, struct call *call, enum rpc_status status)
{
	call->failure = status;
	TAILQ_INSERT_TAIL(&channel->failed, call, link);
	need_flush(channel);
}

static enum clnt_stat client_call(CLIENT *client, rpcproc_t procedure, xdrproc_t encode, void *arguments,
				  xdrproc_t decode, void *results, struct timeval timeout)
{
	struct rpc_channel *channel = client->cl_private;
	struct call *call = channel->next_call;

	(void)decode;
	(void)results;
	(void)timeout;
	must(call != NULL);
	channel->next_call = NULL;
	channel->in_flight++;
	call->xid = channel->next_xid++;
	if (channel->state == DEAD) {
		fail_later(channel, call, RPC_LOST);
		return RPC_SUCCESS;
	}
	if (!call_encode(&channel->output, call->xid, channel->program, channel->version, procedure, encode,
			 arguments)) {
		fail_later(channel, call, RPC_REJECTED);
		return RPC_SUCCESS;
	}
	call_table_add(&channel->calls, call);
	if (channel->timer_us == 0 || call->deadline.at_us < channel->timer_us)
		set_timer(channel, call->deadline.at_us, rpc_clock_us());
	need_flush(channel);
	return RPC_SUCCESS;
}

static void client_abort(CLIENT *client)
{
	(void)client;
}

static void client_geterr(CLIENT *client, struct rpc_err *error)
{
	(void)client;
	*error = (struct rpc_err){.re_status = RPC_SUCCESS};
}

static bool_t client_freeres(CLIENT *client, xdrproc_t decode, void *results)
{
	(void)client;
	xdr_free(decode, results);
	return TRUE;
}

static bool_t client_control(CLIENT *client, u_int request, void *info)
{
	(void)client;
	(void)request;
	(void)info;
	return FALSE;
}

static struct clnt_ops client_ops = {
	.cl_call = client_call,
	.cl_abort = client_abort,
	.cl_geterr = client_geterr,
	.cl_freeres = client_freeres,
	.cl_destroy = client_abort,
	.cl_control = client_control,
};

CLIENT *rpc_channel_call(struct rpc_channel *channel, uint32_t timeout_ms, rpc_reply_fn answered, void *context)
{
	must(!channel->closed);
	must(channel->next_call == NULL);

	struct call *call = call_table_new_call(&channel->calls);

	call->answered = answered;
	call->context = context;
	call->deadline.at_us = rpc_clock_us() + (uint64_t)timeout_ms * 1000u;
	channel->next_call = call;
	return &channel->client;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static enum rpc_status failure_of(enum reply_verdict verdict, const struct reply_head *head)
{
	if (verdict == REPLY_FAILED)
		return RPC_PEER_FAILED;
	return head->no_program ? RPC_NOT_SERVED : RPC_REJECTED;
}

/* False when the record is no reply. */
static bool take_reply(struct rpc_channel *channel, const uint8_t *record, size_t size)
{
	struct reply_head head;
	enum reply_verdict verdict = reply_head_parse(record, size, &head);

	if (verdict == REPLY_GARBAGE)
		return false;

	struct call *call = call_table_find(&channel->calls, head.xid);

	/* Its deadline has passed, or it was never ours. */
	if (call == NULL)
		return true;
	call_table_take(&channel->calls, call);
	if (verdict != REPLY_SUCCESS) {
		tell(channel, call, &(struct rpc_reply){.status = failure_of(verdict, &head), .error = head.why,
							.version_low = head.version_low,
							.version_high = head.version_high});
		return true;
	}

	XDR results;

	xdrmem_create(&results, (char *)(uintptr_t)(record + head.results_at), (u_int)(size - head.results_at),
		      XDR_DECODE);
	tell(channel, call, &(struct rpc_reply){.status = RPC_ANSWERED, .results = &results});
	return true;
}

/* Tells every whole answer there is; NULL, or why the connection must end. */
static const char *take_input(struct rpc_channel *channel)
{
	const uint8_t *record;
	size_t size;

	while (!channel->closed) {
		enum record_status status = record_reader_next(&channel->input, &record, &size);

		if (status == RECORD_MORE)
			return NULL;
		channel->no_rpc = status == RECORD_TOO_LONG || !take_reply(channel, record, size);
		if (status == RECORD_TOO_LONG)
			return "the peer sent a record over the limit";
		if (channel->no_rpc)
			return "the peer sent what is no RPC reply";
	}
	return NULL;
}

static void channel_readable(evutil_socket_t fd, short what, void *context)
{
	struct rpc_channel *channel = context;
	_Alignas(16) uint8_t bytes[READ_BYTES];
	const char *reason = NULL;

	(void)what;
	enter(channel);

	ssize_t count = recv(fd, bytes, sizeof bytes, 0);

	if (count > 0) {
		channel->heard_us = rpc_clock_us();
		record_reader_feed(&channel->input, bytes, (size_t)count);
		reason = take_input(channel);
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
		die(channel, reason);
	leave(channel);
}

/* --- connecting --------------------------------------------------------------------------------------------------- */

/* A connect to an ephemeral port on loopback that nobody listens on may meet itself (simultaneous open). RULE 17 */
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
		channel->refused = error == ECONNREFUSED;
		cannot_connect(channel, error == EINVAL ? "no numeric address with a port" : strerror(error));
		return;
	}
	if (connected_to_itself(channel->fd)) { /* RULE 17 */
		channel->refused = true;
		cannot_connect(channel, "nobody listens there");
		return;
	}
	channel->state = UP;
	event_del(&channel->writable);
	event_add(&channel->readable, NULL);
	if (channel->events.connected != NULL)
		channel->events.connected(channel->context);
	if (!channel->closed)
		need_flush(channel);
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
	channel->client = (CLIENT){.cl_ops = &client_ops, .cl_private = channel};
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
	set_timer(channel, channel->connect_by_us, now_us);
	return channel;
}

bool rpc_channel_refused(const struct rpc_channel *channel)
{
	return channel->refused;
}

bool rpc_channel_no_rpc(const struct rpc_channel *channel)
{
	return channel->no_rpc;
}

size_t rpc_channel_calls_in_flight(const struct rpc_channel *channel)
{
	return channel->in_flight;
}

size_t rpc_channel_output_bytes(const struct rpc_channel *channel)
{
	const uint8_t *bytes;

	return record_writer_pending(&channel->output, &bytes);
}

const char *rpc_channel_address(const struct rpc_channel *channel)
{
	return channel->address;
}

uint64_t rpc_channel_heard_us(const struct rpc_channel *channel)
{
	return channel->heard_us;
}

bool rpc_status_not_executed(enum rpc_status status)
{
	return status == RPC_REJECTED || status == RPC_NOT_SERVED;
}

bool rpc_reply_decode(const struct rpc_reply *reply, xdrproc_t decode, void *result)
{
	if (reply->status != RPC_ANSWERED)
		return false;
	if (decode(reply->results, result, 0))
		return true;
	xdr_free(decode, result);
	return false;
}
