#include "rpc/net/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/listen_socket.h"
#include "rpc/net/server_internal.h"

#define LISTEN_BACKLOG 4096
#define ACCEPTS_A_TURN 64
#define ACCEPT_AGAIN_MS 100  /* after descriptors ran out */
#define TURN_BUDGET_US 4000  /* half of what an iteration of the loop may take; the owner's work comes on top */
#define SWEEP_CLOSES 256     /* idle connections closed per second: keeps a sweep short */

struct rpc_server_limits rpc_server_limits_default(void)
{
	return (struct rpc_server_limits){
		.record_bytes = LIMIT_RECORD_BYTES,
		.connections = LIMIT_CONNECTIONS,
		.surplus = 0,
		.calls_in_flight = LIMIT_CALLS_IN_FLIGHT,
		.output_bytes = LIMIT_OUTPUT_BYTES,
		.held_bytes = LIMIT_HELD_BYTES,
		.client_idle_s = LIMIT_CLIENT_IDLE_S,
	};
}

static bool may_complain(struct rpc_server *server)
{
	uint64_t now_us = rpc_clock_us();

	if (server->complained_us != 0 && now_us - server->complained_us < 1000000u)
		return false;
	server->complained_us = now_us;
	return true;
}

void server_complain(struct rpc_server *server, const struct rpc_connection *connection, const char *what)
{
	if (may_complain(server))
		log_warn("rpc", "%s peer=%s", what, connection->peer);
}

/* --- the end of a turn -------------------------------------------------------------------------------------------- */

void server_need_turn(struct rpc_server *server)
{
	if (server->turn_active)
		return;
	server->turn_active = true;
	event_active(&server->turn, EV_TIMEOUT, 0);
}

static struct rpc_connection *largest(const struct connection_list *list)
{
	struct rpc_connection *connection, *found = NULL;

	TAILQ_FOREACH(connection, list, link)
		if (connection->held_bytes > (found == NULL ? 0 : found->held_bytes))
			found = connection;
	return found;
}

/* RULE 19: each connection is within its bounds, but thousands of them that each send half a record, or read no
 * answer, are together more than a host has. The one that holds the most has done the least to finish. */
static void keep_within_held(struct rpc_server *server)
{
	while (server->counts.held_bytes > server->limits.held_bytes) {
		struct rpc_connection *victim = largest(&server->clients);

		if (victim == NULL)
			victim = largest(&server->surplus);
		if (victim == NULL)
			victim = largest(&server->pinned);
		must(victim != NULL);
		server->counts.connections_evicted++;
		server_complain(server, victim, "too much memory held for peers: closed the one that holds the most");
		rpc_connection_close(victim);
	}
}

static void end_turn(evutil_socket_t fd, short what, void *context)
{
	struct rpc_server *server = context;
	struct rpc_connection *connection;

	(void)fd;
	(void)what;
	server->turn_active = false;
	server->turn_started_us = 0;
	if (server->dispatched) {
		server->dispatched = false;
		if (server->turn_end != NULL)
			server->turn_end(server->turn_end_context);
	}
	while ((connection = TAILQ_FIRST(&server->flushes)) != NULL) {
		TAILQ_REMOVE(&server->flushes, connection, flush);
		connection->in_flush = false;
		connection_flush(connection);
	}
	keep_within_held(server);
}

void server_begin_turn(struct rpc_server *server, uint64_t now_us)
{
	if (server->turn_started_us == 0)
		server->turn_started_us = now_us;
	server_need_turn(server);
}

bool server_turn_is_long(const struct rpc_server *server, uint64_t now_us)
{
	return server->turn_started_us != 0 && now_us - server->turn_started_us > TURN_BUDGET_US;
}

void server_need_resume(struct rpc_server *server)
{
	if (server->resume_added)
		return;
	server->resume_added = true;
	event_add(&server->resume, &(struct timeval){0});
}

static void resume_connections(evutil_socket_t fd, short what, void *context)
{
	struct rpc_server *server = context;
	struct rpc_connection *connection;
	size_t count = 0;

	(void)fd;
	(void)what;
	server->resume_added = false;
	/* Each at most once, and at least one, so that a busy loop still makes progress. */
	TAILQ_FOREACH(connection, &server->resumes, resume)
		count++;
	while (count-- > 0 && (connection = TAILQ_FIRST(&server->resumes)) != NULL) {
		TAILQ_REMOVE(&server->resumes, connection, resume);
		connection->in_resume = false;
		connection_resume(connection);
		if (server_turn_is_long(server, rpc_clock_us()))
			break;
	}
	if (!TAILQ_EMPTY(&server->resumes))
		server_need_resume(server);
}

/* --- services ----------------------------------------------------------------------------------------------------- */

void rpc_server_register(struct rpc_server *server, rpcprog_t program, rpcvers_t version,
			 void (*dispatch)(struct svc_req *, SVCXPRT *), void *context)
{
	struct service *service = calloc(1, sizeof *service);

	must_allocate(service);
	must(server_find(server, program, version) == NULL);
	*service = (struct service){.program = program, .version = version, .dispatch = dispatch, .context = context};
	SLIST_INSERT_HEAD(&server->services, service, link);
}

const struct service *server_find(const struct rpc_server *server, rpcprog_t program, rpcvers_t version)
{
	const struct service *service;

	SLIST_FOREACH(service, &server->services, link)
		if (service->program == program && service->version == version)
			return service;
	return NULL;
}

bool server_versions(const struct rpc_server *server, rpcprog_t program, rpcvers_t *low, rpcvers_t *high)
{
	const struct service *service;
	bool found = false;

	SLIST_FOREACH(service, &server->services, link) {
		if (service->program != program)
			continue;
		if (!found || service->version < *low)
			*low = service->version;
		if (!found || service->version > *high)
			*high = service->version;
		found = true;
	}
	return found;
}

/* --- connections -------------------------------------------------------------------------------------------------- */

/* Makes room for one more: the longest silent client without a call in flight; if all have one, the longest silent,
 * first among those that have ended their half and may well be gone. Where newcomers can be told that there is no room,
 * no client loses the answer it waits for. */
static bool evict_client(struct rpc_server *server)
{
	struct rpc_connection *victim;

	TAILQ_FOREACH(victim, &server->clients, link)
		if (victim->calls_count == 0)
			break;
	if (victim == NULL)
		TAILQ_FOREACH(victim, &server->clients, link)
			if (victim->half_closed)
				break;
	if (victim == NULL && server->limits.surplus == 0)
		victim = TAILQ_FIRST(&server->clients);
	if (victim == NULL)
		return false;
	server->counts.connections_evicted++;
	server_complain(server, victim, "too many connections: closed the longest idle client");
	rpc_connection_close(victim);
	return true;
}

/* They have not called anything, so no answer is awaited. */
static void sweep_surplus(struct rpc_server *server, uint64_t now_us)
{
	struct rpc_connection *connection = TAILQ_FIRST(&server->surplus);

	while (connection != NULL && now_us - connection->heard_us > LIMIT_SURPLUS_S * UINT64_C(1000000)) {
		if (connection->calls_count > 0) {
			connection = TAILQ_NEXT(connection, link);
			continue;
		}
		rpc_connection_close(connection);
		connection = TAILQ_FIRST(&server->surplus);
	}
}

static void sweep_idle(evutil_socket_t fd, short what, void *context)
{
	struct rpc_server *server = context;
	struct rpc_connection *connection = TAILQ_FIRST(&server->clients);
	uint64_t now_us = rpc_clock_us();
	uint64_t idle_us = (uint64_t)server->limits.client_idle_s * 1000000u;

	int closes = 0;

	(void)fd;
	(void)what;
	sweep_surplus(server, now_us);
	while (connection != NULL && now_us - connection->heard_us > idle_us && closes < SWEEP_CLOSES) {
		if (connection->calls_count > 0) {
			connection = TAILQ_NEXT(connection, link);
			continue;
		}
		/* From the head again: the owner may close the next one, too, in its call-back. */
		rpc_connection_close(connection);
		closes++;
		connection = TAILQ_FIRST(&server->clients);
	}
}

void rpc_server_pause_clients(struct rpc_server *server, bool paused)
{
	struct rpc_connection *connection;

	if (server->clients_paused == paused)
		return;
	/* A paused connection stops reading when it next becomes readable: silent ones cost nothing. */
	server->clients_paused = paused;
	if (!paused)
		TAILQ_FOREACH(connection, &server->clients, link)
			connection_check_resume(connection);
}

/* --- listening ---------------------------------------------------------------------------------------------------- */

static void take_connection(struct rpc_server *server, int fd, const struct rpc_address *peer)
{
	bool surplus = server->counts.connections - server->surplus_count >= server->limits.connections &&
		       !evict_client(server);

	if (surplus && server->limits.surplus == 0) {
		close(fd);
		return;
	}
	if (surplus) {
		server->counts.turned_away++;
		if (may_complain(server))
			log_warn("rpc", "all %zu client connections wait for answers: more are turned away",
				 server->limits.connections);
		if (server->surplus_count >= server->limits.surplus) /* RULE 19 */
			rpc_connection_close(TAILQ_FIRST(&server->surplus));
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	connection_new(server, fd, peer, surplus);
}

/* Descriptors ran out. The pending connection keeps the listener readable, so accepting pauses for a moment. */
static void rest(struct listener *listener)
{
	evict_client(listener->server);
	event_del(&listener->accept);
	event_add(&listener->again, &(struct timeval){.tv_usec = ACCEPT_AGAIN_MS * 1000L});
}

static void accept_ready(evutil_socket_t fd, short what, void *context)
{
	struct listener *listener = context;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct rpc_address peer = {.length = sizeof peer.storage};
		int accepted = accept4(fd, (struct sockaddr *)&peer.storage, &peer.length,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (accepted >= 0) {
			take_connection(listener->server, accepted, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			if (may_complain(listener->server))
				log_warn("rpc", "cannot accept a connection: %s: raise RLIMIT_NOFILE", strerror(errno));
			rest(listener);
			return;
		}
		/* A peer that gave up while queued must not keep those behind it waiting. */
		if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO)
			return;
	}
}

static void accept_again(evutil_socket_t fd, short what, void *context)
{
	struct listener *listener = context;

	(void)fd;
	(void)what;
	event_add(&listener->accept, NULL);
}

bool rpc_server_listen(struct rpc_server *server, const char *address, char *bound, size_t bound_size, char *error,
		       size_t error_size)
{
	struct rpc_address wanted;
	int fd = listen_socket_bind(address, &wanted, error, error_size);

	if (fd < 0 || !listen_socket_begin(fd, address, LISTEN_BACKLOG, error, error_size))
		return false;
	rpc_address_format(&wanted, bound, bound_size);

	struct listener *listener = calloc(1, sizeof *listener);

	must_allocate(listener);
	listener->server = server;
	listener->fd = fd;
	event_assign(&listener->accept, server->base, fd, EV_READ | EV_PERSIST, accept_ready, listener);
	event_assign(&listener->again, server->base, -1, 0, accept_again, listener);
	event_add(&listener->accept, NULL);
	SLIST_INSERT_HEAD(&server->listeners, listener, link);
	return true;
}

/* --- the server --------------------------------------------------------------------------------------------------- */

struct rpc_server *rpc_server_new(struct event_base *base, const struct rpc_server_limits *limits)
{
	struct rpc_server *server = calloc(1, sizeof *server);

	must_allocate(server);
	must(limits->connections > 0);
	must(limits->calls_in_flight > 0);
	must(limits->output_bytes > 0);
	must(limits->held_bytes > 0);
	server->base = base;
	server->limits = *limits;
	SLIST_INIT(&server->services);
	SLIST_INIT(&server->listeners);
	TAILQ_INIT(&server->clients);
	TAILQ_INIT(&server->pinned);
	TAILQ_INIT(&server->surplus);
	TAILQ_INIT(&server->flushes);
	TAILQ_INIT(&server->resumes);
	LIST_INIT(&server->spare_calls);
	event_assign(&server->turn, base, -1, 0, end_turn, server);
	event_assign(&server->resume, base, -1, 0, resume_connections, server);
	event_assign(&server->sweep, base, -1, EV_PERSIST, sweep_idle, server);
	if (limits->client_idle_s > 0)
		event_add(&server->sweep, &(struct timeval){.tv_sec = 1});
	return server;
}

static void free_listeners(struct rpc_server *server)
{
	struct listener *listener;

	while ((listener = SLIST_FIRST(&server->listeners)) != NULL) {
		SLIST_REMOVE_HEAD(&server->listeners, link);
		event_del(&listener->accept);
		event_del(&listener->again);
		close(listener->fd);
		free(listener);
	}
}

void rpc_server_free(struct rpc_server *server)
{
	struct rpc_connection *connection;
	struct service *service;

	if (server == NULL)
		return;
	must(!server->dispatching);
	free_listeners(server);
	while ((connection = TAILQ_FIRST(&server->clients)) != NULL)
		rpc_connection_close(connection);
	while ((connection = TAILQ_FIRST(&server->pinned)) != NULL)
		rpc_connection_close(connection);
	while ((connection = TAILQ_FIRST(&server->surplus)) != NULL)
		rpc_connection_close(connection);
	while ((service = SLIST_FIRST(&server->services)) != NULL) {
		SLIST_REMOVE_HEAD(&server->services, link);
		free(service);
	}
	transport_free_spare(server);
	event_del(&server->turn);
	event_del(&server->resume);
	event_del(&server->sweep);
	free(server);
}

void rpc_server_on_close(struct rpc_server *server, void (*closed)(void *context, struct rpc_connection *connection),
			 void *context)
{
	server->closed = closed;
	server->closed_context = context;
}

void rpc_server_on_turn_end(struct rpc_server *server, void (*turn_end)(void *context), void *context)
{
	server->turn_end = turn_end;
	server->turn_end_context = context;
}

struct rpc_server_counts rpc_server_counts(const struct rpc_server *server)
{
	return server->counts;
}
