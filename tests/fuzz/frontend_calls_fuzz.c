/* The bytes that clients send: the record stream, call headers and the arguments of every procedure of rpc/frontend.x,
 * through the real transport, rpcgen's dispatch and the real handlers, router and view manager of a front-end that
 * knows no replica.
 *
 * Input: a byte of mode. Even: the rest is the stream as it arrives over TCP, in pieces of mode / 2 bytes (0: all at
 * once). Odd: the rest is the arguments of procedure mode / 2 % 8, after a valid header, as one record. All answers
 * must be whole records with replies in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frontend/announced.h"
#include "frontend/client_requests.h"
#include "frontend/client_service.h"
#include "frontend/manager.h"
#include "frontend/status.h"
#include "fuzz.h"
#include "rpc/base/must.h"
#include "rpc/net/loop.h"
#include "rpc/net/message.h"
#include "rpc/net/record.h"
#include "rpc/net/server_internal.h"

#define BASE 540000000u
#define ANSWERS_BYTES 65536

struct frontend {
	struct event_base *base;
	struct loop_meter meter;
	struct rpc_server *server;
	struct announced *announced;
	struct client_requests *requests;
	struct manager *manager;
	struct status *status;
	struct client_service *service;
};

static void nothing(void *context)
{
	(void)context;
}

static bool is_listed(void *context, uint32_t id)
{
	(void)context;
	(void)id;
	return true;
}

static void frontend_open(struct frontend *frontend, struct event_base *base)
{
	const struct views_options views = {.formats = FORMAT_RANGE_OWN, .heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000};
	struct rpc_server_limits limits = rpc_server_limits_default();

	memset(frontend, 0, sizeof *frontend);
	limits.calls_in_flight = 8; /* a small input reaches them */
	frontend->base = base;
	frontend->server = rpc_server_new(base, &limits);
	frontend->announced = announced_new();
	frontend->requests = client_requests_new(&(struct client_requests_options){
		.base = base, .server = frontend->server, .suspect_ms = views.suspect_ms, .demand = nothing});
	frontend->manager = manager_new(&(struct manager_options){.base = base,
								  .views = &views,
								  .program_base = BASE,
								  .router = client_requests_router(frontend->requests)});
	frontend->status = status_new(&(struct status_options){.base = base,
							       .manager = frontend->manager,
							       .router = client_requests_router(frontend->requests),
							       .announced = frontend->announced,
							       .meter = &frontend->meter,
							       .address = "",
							       .listed = is_listed});
	frontend->service = client_service_new(&(struct client_service_options){.server = frontend->server,
								  .program_base = BASE,
								  .requests = frontend->requests,
								  .manager = frontend->manager,
								  .status = frontend->status,
								  .announced = frontend->announced,
								  .announce = nothing});
}

static void frontend_close(struct frontend *frontend)
{
	rpc_server_free(frontend->server);
	client_service_free(frontend->service);
	status_free(frontend->status);
	manager_free(frontend->manager);
	client_requests_free(frontend->requests);
	announced_free(frontend->announced);
}

static void turn(struct event_base *base)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Reads what is available; false when the front-end has closed. */
static bool read_answers(int fd, struct record_reader *reader)
{
	static uint8_t bytes[ANSWERS_BYTES];
	const uint8_t *record;
	struct reply_head head;
	size_t size;
	ssize_t count;

	while ((count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		record_reader_feed(reader, bytes, (size_t)count);
		while (record_reader_next(reader, &record, &size) == RECORD_WHOLE)
			must(reply_head_parse(record, size, &head) != REPLY_GARBAGE);
	}
	return count < 0 && errno == EAGAIN;
}

static void talk(struct event_base *base, int fd, const uint8_t *bytes, size_t size, size_t piece)
{
	struct record_reader reader;
	bool open;

	record_reader_init(&reader, LIMIT_RECORD_BYTES);
	turn(base);
	open = read_answers(fd, &reader);
	if (piece == 0 || size / piece > 64)
		piece = size / 64 + 1;
	while (size > 0 && open) {
		ssize_t sent = send(fd, bytes, size < piece ? size : piece, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
		}
		turn(base);
		open = read_answers(fd, &reader) && sent > 0;
	}
	record_reader_free(&reader);
}

static bool_t put_raw(XDR *xdr, struct fuzz_input *input)
{
	return XDR_PUTBYTES(xdr, (const char *)input->at, (u_int)input->left);
}

/* The record is in memory of exactly its size, unlike in the connection's buffer. */
static void talk_call(struct frontend *frontend, int fd, struct fuzz_input *input, uint8_t mode)
{
	struct rpc_connection *connection = TAILQ_FIRST(&frontend->server->clients);
	struct record_writer writer;
	const uint8_t *bytes;
	size_t size;

	record_writer_init(&writer, LIMIT_RECORD_BYTES);
	must(call_encode(&writer, 7, BASE, JH_FRONTEND_V2, mode / 2 % 8, (xdrproc_t)put_raw, input));
	size = record_writer_pending(&writer, &bytes) - 4;

	uint8_t *exact = malloc(size);

	must(exact != NULL);
	memcpy(exact, bytes + 4, size);
	must(transport_dispatch(connection, exact, size));
	free(exact);
	record_writer_free(&writer);
	talk(frontend->base, fd, NULL, 0, 1); /* reads the answer */
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	static struct event_base *base;
	struct fuzz_input input = {bytes, size};
	struct rpc_address peer = {.length = 0};
	struct frontend frontend;
	uint8_t mode = fuzz_u8(&input);
	int fds[2];

	if (base == NULL)
		base = event_base_new();
	frontend_open(&frontend, base);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	must(evutil_make_socket_nonblocking(fds[0]) == 0);
	connection_new(frontend.server, fds[0], &peer, false);
	if (mode % 2 == 0)
		talk(base, fds[1], input.at, input.left, mode / 2);
	else
		talk_call(&frontend, fds[1], &input, mode);
	/* Half the inputs end with the client hanging up, half with the front-end stopping. */
	if (size % 2 == 0) {
		close(fds[1]);
		turn(base);
		frontend_close(&frontend);
	} else {
		frontend_close(&frontend);
		close(fds[1]);
	}
}
