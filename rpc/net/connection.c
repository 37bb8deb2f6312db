/* One peer's bytes: reading, passing on whole records, writing answers, and the limits of a connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/server_internal.h"

#define READ_BYTES 65536
/* Beyond this many times output_bytes, the answers to a peer that does not read end its connection. */
#define OUTPUT_HARD_FACTOR 4
#define CLOCK_EVERY 16 /* calls between two readings of the clock */

static void stop_reading(struct rpc_connection *connection)
{
	if (!connection->reading)
		return;
	connection->reading = false;
	event_del(&connection->readable);
}

static void start_reading(struct rpc_connection *connection)
{
	if (connection->reading)
		return;
	connection->reading = true;
	event_add(&connection->readable, NULL);
}

static size_t output_bytes(const struct rpc_connection *connection)
{
	const uint8_t *bytes;

	return record_writer_pending(&connection->output, &bytes);
}

/* Back-pressure with hysteresis: a connection at its limit must not be added to epoll and removed again with every
 * call. */
static bool may_read(struct rpc_connection *connection)
{
	const struct rpc_server_limits *limits = &connection->server->limits;
	size_t output = output_bytes(connection);

	if (connection->calls_count >= limits->calls_in_flight || output >= limits->output_bytes)
		connection->throttled = true;
	else if (connection->calls_count <= limits->calls_in_flight / 2 && output <= limits->output_bytes / 2)
		connection->throttled = false;
	return !connection->throttled && !connection->half_closed &&
	       (connection->pinned || connection->surplus || !connection->server->clients_paused);
}

/* Calls not yet answered, or answers not yet accepted by the kernel. */
static bool owes_answers(const struct rpc_connection *connection)
{
	return connection->calls_count > 0 || output_bytes(connection) > 0;
}

static void need_resume(struct rpc_connection *connection)
{
	connection->in_resume = true;
	TAILQ_INSERT_TAIL(&connection->server->resumes, connection, resume);
	server_need_resume(connection->server);
}

static void need_flush(struct rpc_connection *connection)
{
	if (connection->in_flush)
		return;
	connection->in_flush = true;
	TAILQ_INSERT_TAIL(&connection->server->flushes, connection, flush);
	server_need_turn(connection->server);
}

void connection_check_resume(struct rpc_connection *connection)
{
	if (connection->closed)
		return;
	if (connection->half_closed && !owes_answers(connection))
		need_flush(connection); /* which closes it */
	else if (!connection->reading && !connection->in_resume && may_read(connection))
		need_resume(connection);
}

/* Updates the count of what the connection holds now. */
static void count_held(struct rpc_connection *connection)
{
	struct rpc_server *server = connection->server;
	size_t held = record_reader_held(&connection->input) + record_writer_held(&connection->output);

	must(server->counts.held_bytes >= connection->held_bytes);
	server->counts.held_bytes = server->counts.held_bytes - connection->held_bytes + held;
	connection->held_bytes = held;
}

static void connection_free(struct rpc_connection *connection)
{
	record_reader_free(&connection->input);
	record_writer_free(&connection->output);
	free(connection);
}

static struct connection_list *list_of(struct rpc_connection *connection)
{
	struct rpc_server *server = connection->server;

	return connection->pinned ? &server->pinned : connection->surplus ? &server->surplus : &server->clients;
}

/* Closes, and leaves only the memory to be freed. */
static void hang_up(struct rpc_connection *connection)
{
	struct rpc_server *server = connection->server;

	connection->closed = true;
	stop_reading(connection);
	event_del(&connection->writable);
	TAILQ_REMOVE(list_of(connection), connection, link);
	server->surplus_count -= connection->surplus;
	if (connection->in_flush)
		TAILQ_REMOVE(&server->flushes, connection, flush);
	if (connection->in_resume)
		TAILQ_REMOVE(&server->resumes, connection, resume);
	must(server->counts.connections > 0);
	server->counts.connections--;
	must(server->counts.held_bytes >= connection->held_bytes);
	server->counts.held_bytes -= connection->held_bytes;
	connection->held_bytes = 0;
	close(connection->fd);
	transport_detach(connection);
	if (server->closed != NULL)
		server->closed(server->closed_context, connection);
}

void rpc_connection_close(struct rpc_connection *connection)
{
	if (connection->closed)
		return;
	hang_up(connection);
	if (!connection->busy)
		connection_free(connection);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* Writes what the kernel accepts. Marks the connection broken rather than closing it, because it may be called within
 * a reply. */
static void send_output(struct rpc_connection *connection)
{
	const uint8_t *bytes;
	size_t size = record_writer_pending(&connection->output, &bytes);

	if (size == 0)
		return;

	ssize_t sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		connection->broken = true;
		return;
	}
	if (sent > 0)
		record_writer_sent(&connection->output, (size_t)sent);
	if ((size_t)(sent > 0 ? sent : 0) == size) {
		if (connection->blocked)
			event_del(&connection->writable);
		connection->blocked = false;
	} else if (!connection->blocked) {
		connection->blocked = true;
		event_add(&connection->writable, NULL);
	}
}

void connection_answered(struct rpc_connection *connection)
{
	size_t limit = connection->server->limits.output_bytes;
	size_t output = output_bytes(connection);

	need_flush(connection);
	if (output >= limit && !connection->blocked) {
		send_output(connection);
		output = output_bytes(connection);
	}
	if (output / OUTPUT_HARD_FACTOR >= limit && !connection->broken) {
		server_complain(connection->server, connection, "closed a peer that does not read its answers");
		connection->broken = true;
	}
}

/* What follows a send, successful or not. */
static void sent_all_it_could(struct rpc_connection *connection)
{
	count_held(connection);
	if (connection->broken || (connection->half_closed && !owes_answers(connection)))
		rpc_connection_close(connection);
	else
		connection_check_resume(connection);
}

void connection_flush(struct rpc_connection *connection)
{
	if (!connection->broken && !connection->blocked)
		send_output(connection);
	sent_all_it_could(connection);
}

static void connection_writable(evutil_socket_t fd, short what, void *context)
{
	struct rpc_connection *connection = context;

	(void)fd;
	(void)what;
	send_output(connection);
	sent_all_it_could(connection);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* It has used its one call, and is closed once it has the answer. */
static void end_surplus(struct rpc_connection *connection)
{
	connection->half_closed = true;
	need_flush(connection);
}

/* Dispatches the complete records. A handler may close this connection, so its memory is freed here. */
static void dispatch_input(struct rpc_connection *connection)
{
	struct rpc_server *server = connection->server;
	const uint8_t *record;
	size_t size;
	unsigned dispatched = 0;

	must(!connection->busy);
	connection->busy = true;
	server->dispatching = true;
	while (!connection->closed && !connection->broken) {
		if (!may_read(connection)) {
			record_reader_stash(&connection->input);
			stop_reading(connection);
			break;
		}

		/* 64 KiB may hold a thousand calls: a burst of one peer must not keep the others waiting. */
		if (++dispatched % CLOCK_EVERY == 0 && server_turn_is_long(server, rpc_clock_us())) {
			record_reader_stash(&connection->input);
			stop_reading(connection);
			need_resume(connection);
			break;
		}

		enum record_status status = record_reader_next(&connection->input, &record, &size);

		if (status == RECORD_MORE)
			break;
		if (status == RECORD_TOO_LONG) {
			server->counts.oversized_records++;
			server_complain(server, connection, "closed a peer that sent a record over the limit");
			hang_up(connection);
		} else if (!transport_dispatch(connection, record, size)) {
			server->counts.garbage_records++;
			server_complain(server, connection, "closed a peer that sent what is no RPC call");
			if (!connection->closed)
				hang_up(connection);
		} else if (connection->surplus && !connection->closed) {
			end_surplus(connection);
		}
	}
	server->dispatching = false;
	connection->busy = false;
	if (connection->closed) {
		connection_free(connection);
		return;
	}
	count_held(connection);
	if (connection->broken)
		need_flush(connection);
}

void connection_resume(struct rpc_connection *connection)
{
	if (!may_read(connection))
		return;
	server_begin_turn(connection->server, rpc_clock_us());
	start_reading(connection);
	if (record_reader_has_input(&connection->input))
		dispatch_input(connection);
}

static void heard(struct rpc_connection *connection, uint64_t now_us)
{
	connection->heard_us = now_us;
	if (connection->pinned || connection->surplus)
		return;
	TAILQ_REMOVE(&connection->server->clients, connection, link);
	TAILQ_INSERT_TAIL(&connection->server->clients, connection, link);
}

/* The peer sends nothing more. A client may still read: one that shuts down its half after the request (`nc -N`) is
 * owed the answer, since its order is under way. It is not read from any more, so the end of file does not wake the
 * loop again. A member of the cluster never shuts down one half: there it means the end of the process, which is
 * noticed at once. */
static void end_of_input(struct rpc_connection *connection)
{
	if (connection->pinned || !owes_answers(connection)) {
		rpc_connection_close(connection);
		return;
	}
	connection->half_closed = true;
	stop_reading(connection);
}

static void connection_readable(evutil_socket_t fd, short what, void *context)
{
	struct rpc_connection *connection = context;
	struct rpc_server *server = connection->server;
	_Alignas(16) uint8_t bytes[READ_BYTES];

	(void)what;
	if (connection->broken)
		return;
	if (!may_read(connection)) {
		stop_reading(connection);
		return;
	}
	/* Stashed records were dispatched before reading resumed, so the order of calls is the peer's. */
	must(!record_reader_has_input(&connection->input));

	uint64_t now_us = rpc_clock_us();

	/* The kernel reports this connection again in the next iteration. */
	if (server_turn_is_long(server, now_us))
		return;
	server_begin_turn(server, now_us);

	ssize_t count = recv(fd, bytes, sizeof bytes, 0);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count == 0) {
		end_of_input(connection);
		return;
	}
	if (count < 0) {
		rpc_connection_close(connection);
		return;
	}
	heard(connection, now_us);
	record_reader_feed(&connection->input, bytes, (size_t)count);
	dispatch_input(connection);
}

void connection_new(struct rpc_server *server, int fd, const struct rpc_address *peer, bool surplus)
{
	struct rpc_connection *connection = calloc(1, sizeof *connection);

	must_allocate(connection);
	connection->server = server;
	connection->fd = fd;
	connection->heard_us = rpc_clock_us();
	connection->surplus = surplus;
	rpc_address_format(peer, connection->peer, sizeof connection->peer);
	record_reader_init(&connection->input, server->limits.record_bytes);
	record_writer_init(&connection->output, server->limits.record_bytes);
	LIST_INIT(&connection->calls);
	event_assign(&connection->readable, server->base, fd, EV_READ | EV_PERSIST, connection_readable, connection);
	event_assign(&connection->writable, server->base, fd, EV_WRITE | EV_PERSIST, connection_writable, connection);
	TAILQ_INSERT_TAIL(list_of(connection), connection, link);
	server->surplus_count += surplus;
	server->counts.connections++;
	start_reading(connection);
}

/* --- for the owner ------------------------------------------------------------------------------------------------ */

void rpc_connection_set_user(struct rpc_connection *connection, void *user)
{
	connection->user = user;
}

void *rpc_connection_user(const struct rpc_connection *connection)
{
	return connection->user;
}

bool rpc_connection_surplus(const struct rpc_connection *connection)
{
	return connection->surplus;
}

const char *rpc_connection_peer_text(const struct rpc_connection *connection)
{
	return connection->peer;
}

void rpc_connection_pin(struct rpc_connection *connection)
{
	if (connection->pinned || connection->closed)
		return;
	TAILQ_REMOVE(list_of(connection), connection, link);
	connection->server->surplus_count -= connection->surplus;
	connection->surplus = false;
	connection->pinned = true;
	TAILQ_INSERT_TAIL(&connection->server->pinned, connection, link);
	if (connection->half_closed) {
		connection->broken = true;
		need_flush(connection);
		return;
	}
	connection_check_resume(connection);
}
