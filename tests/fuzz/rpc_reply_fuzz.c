/* The bytes received on a channel: the record stream, reply headers, and the results of every procedure that the
 * front-end and the replicas call, with their conversion.
 *
 * Input: what the peer sends, on a connection on which a call of each procedure waits (xid 1 and up, the order of
 * `results`). Each call must be answered exactly once. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "frontend/link_answer.h"
#include "fuzz.h"
#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "rpc/net/channel.h"
#include "rpc/net/message.h"

#define PROGRAM 540000001u

#define REPORT_BYTES_MAX (1 << 20)

static struct report report;

static size_t encode(jh_report *wire, uint8_t *bytes, u_int size)
{
	XDR xdr;

	xdrmem_create(&xdr, (char *)bytes, size, XDR_ENCODE);
	must(xdr_jh_report(&xdr, wire));

	size_t used = XDR_GETPOS(&xdr);

	XDR_DESTROY(&xdr);
	return used;
}

static void take_report(const jh_report *wire)
{
	jh_replica_row row;

	if (!convert_report_from_wire(wire, &report))
		return;
	must(report.view.members_count <= LIMIT_REPLICAS);
	must(report.joint_count <= LIMIT_REPLICAS);
	must(report.needs_count <= LIMIT_REPLICAS);
	convert_row(report.id, &report, report.role, true, "127.0.0.1:1", 0, report.detail, &row);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);

	/* What was taken goes out again as it came. */
	static uint8_t bytes[REPORT_BYTES_MAX], bytes_back[REPORT_BYTES_MAX];
	jh_report again, once_more;
	struct report back;

	convert_report_to_wire(&report, &again);
	must(convert_report_from_wire(&again, &back));
	convert_report_to_wire(&back, &once_more);

	size_t size = encode(&again, bytes, sizeof bytes);

	must(encode(&once_more, bytes_back, sizeof bytes_back) == size);
	must(memcmp(bytes_back, bytes, size) == 0);
	xdr_free((xdrproc_t)xdr_jh_report, &again);
	xdr_free((xdrproc_t)xdr_jh_report, &once_more);
}

static void take_hello(const struct rpc_reply *reply)
{
	jh_hello_result wire = {0};
	struct identity who;
	char text[JH_TEXT_MAX];

	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_hello_result, &wire))
		return;
	convert_text(text, sizeof text, wire.error.jh_text_val, wire.error.jh_text_len);
	if (convert_identity_from_wire(&wire.me, &who))
		take_report(&wire.report);
	xdr_free((xdrproc_t)xdr_jh_hello_result, &wire);
}

static void take_heartbeat(const struct rpc_reply *reply)
{
	jh_report wire = {0};

	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_report, &wire))
		return;
	take_report(&wire);
	xdr_free((xdrproc_t)xdr_jh_report, &wire);
}

static void take_manage(const struct rpc_reply *reply)
{
	jh_manage_result wire = {0};

	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_manage_result, &wire))
		return;
	take_report(&wire.report);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &wire);
}

static void take_submit(const struct rpc_reply *reply)
{
	if (reply->status == RPC_ANSWERED)
		(void)link_answer_of(reply);
}

static void take_query(const struct rpc_reply *reply)
{
	if (reply->status == RPC_ANSWERED)
		(void)link_answer_of(reply);
}

/* Decodes into zeroed memory, and frees. */
static void take_plain(const struct rpc_reply *reply, xdrproc_t decode)
{
	union {
		jh_push_result push;
		jh_write_result write;
		jh_read_result read;
		jh_replica_row row;
		jh_cluster_status status;
		jh_admin_result admin;
	} wire = {0};

	if (rpc_reply_decode(reply, decode, &wire))
		xdr_free(decode, &wire);
}

static void take_push(const struct rpc_reply *reply)
{
	take_plain(reply, (xdrproc_t)xdr_jh_push_result);
}

static void take_write(const struct rpc_reply *reply)
{
	take_plain(reply, (xdrproc_t)xdr_jh_write_result);
}

static void take_read(const struct rpc_reply *reply)
{
	take_plain(reply, (xdrproc_t)xdr_jh_read_result);
}

static void take_row(const struct rpc_reply *reply)
{
	take_plain(reply, (xdrproc_t)xdr_jh_replica_row);
}

static void take_status(const struct rpc_reply *reply)
{
	take_plain(reply, (xdrproc_t)xdr_jh_cluster_status);
}

static void take_admin(const struct rpc_reply *reply)
{
	take_plain(reply, (xdrproc_t)xdr_jh_admin_result);
}

/* seeds_calls.c writes its answers in this order. */
static void (*const results[])(const struct rpc_reply *reply) = {
	take_hello, take_heartbeat, take_manage, take_submit, take_query, take_push,
	take_write, take_read,	    take_row,	 take_status, take_admin,
};

#define CALLS (sizeof results / sizeof results[0])

struct waiting {
	unsigned answered[CALLS];
	unsigned index[CALLS];
	bool closed;
};

static struct waiting waiting;

static void answered(void *context, const struct rpc_reply *reply)
{
	unsigned index = *(const unsigned *)context;

	waiting.answered[index]++;
	results[index](reply);
}

static void closed(void *context, enum rpc_end end, const char *reason)
{
	(void)end;
	(void)context;
	must(reason != NULL);
	must(!waiting.closed);
	waiting.closed = true;
}

/* A listener of this process; its address as text. */
static int listener(char *address, size_t size)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof own;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	must(bind(fd, (struct sockaddr *)&own, length) == 0);
	must(listen(fd, 8) == 0);
	must(getsockname(fd, (struct sockaddr *)&own, &length) == 0);
	snprintf(address, size, "127.0.0.1:%u", ntohs(own.sin_port));
	return fd;
}

static void turn(struct event_base *base)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Each record in memory of exactly its size, which the channel's buffer is not, so that a look past its end is
 * noticed. */
static void read_heads(const uint8_t *bytes, size_t size)
{
	struct record_reader reader;
	struct reply_head head;
	const uint8_t *record;
	size_t length;

	record_reader_init(&reader, LIMIT_RECORD_BYTES);
	record_reader_feed(&reader, bytes, size);
	while (record_reader_next(&reader, &record, &length) == RECORD_WHOLE) {
		uint8_t *exact = malloc(length);

		must(exact != NULL || length == 0);
		if (length > 0)
			memcpy(exact, record, length);
		if (reply_head_parse(exact, length, &head) == REPLY_SUCCESS)
			must(head.results_at <= length);
		free(exact);
	}
	record_reader_free(&reader);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	static const struct rpc_channel_events events = {.closed = closed};
	static struct event_base *base;
	static char address[32];
	static int listening;
	u_int nothing = 0;

	if (base == NULL) {
		base = event_base_new();
		listening = listener(address, sizeof address);
	}
	waiting = (struct waiting){0};
	read_heads(bytes, size);

	struct rpc_channel *channel = rpc_channel_open(base, address, PROGRAM, 1, &events, NULL);
	int peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

	must(peer >= 0);
	for (unsigned i = 0; i < CALLS; i++) {
		struct timeval unused = {0};

		waiting.index[i] = i;
		CLIENT *client = rpc_channel_call(channel, 100000, answered, &waiting.index[i]);

		clnt_call(client, i + 1, (xdrproc_t)xdr_u_int, &nothing, (xdrproc_t)xdr_u_int, &nothing, unused);
	}
	turn(base);
	/* The peer reads nothing; what it says in two halves arrives in two pieces. */
	(void)!send(peer, bytes, size / 2, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn(base);
	(void)!send(peer, bytes + size / 2, size - size / 2, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn(base);
	/* no TIME_WAIT */
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	close(peer);
	turn(base);
	must(waiting.closed);
	for (unsigned i = 0; i < CALLS; i++)
		must(waiting.answered[i] == 1);
	rpc_channel_close(channel);
}
