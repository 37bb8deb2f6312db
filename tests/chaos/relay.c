/* A slow network, beyond what a packet filter can do: connections that stay open while their bytes are late.
 *
 *     relay PORT MARK FIFO
 *
 * Accepts the connections that nft redirects to PORT, and connects each to its original destination (SO_ORIGINAL_DST;
 * MARK keeps that connection from being redirected too). The dialler's socket names its real peer, and the peer sees
 * the dialler's own address: only the delay is noticeable. Lines read from FIFO say how bytes travel from now on in all
 * connections, new ones too:
 *
 *     pass                        at once, waiting bytes first
 *     delay MS WAY                that much later, in their order
 *     trickle BYTES WAY           that many per second in each connection
 *     stall WAY                   not at all; connections are still accepted
 *
 * WAY: out (from the dialler), in, or both; the other direction passes. The end of a connection travels behind its
 * bytes, so while they wait neither side learns that the other has died. `pass` prints how many bytes had to wait since
 * the last one. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "tests/chaos/relay_flow.h"

#define TICK_MS 5

struct connection {
	LIST_ENTRY(connection) entry;
	struct relay *relay;
	struct flow out, in;
	bool broken; /* by an error: passed on as an error */
};

struct relay {
	struct event_base *base;
	struct way out, in;
	int mark;
	uint64_t tick_ms, waited;
	LIST_HEAD(, connection) connections;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- connections -------------------------------------------------------------------------------------------------- */

static void end_connection(struct connection *connection)
{
	const struct linger at_once = {.l_onoff = 1};
	struct bufferevent *sides[] = {connection->out.from, connection->in.from};

	for (int i = 0; i < 2; i++) {
		if (connection->broken)
			setsockopt(bufferevent_getfd(sides[i]), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		bufferevent_free(sides[i]);
	}
	LIST_REMOVE(connection, entry);
	evbuffer_free(connection->out.held);
	evbuffer_free(connection->in.held);
	free(connection);
}

static void travel_both(struct connection *connection, uint64_t now, uint64_t passed_ms)
{
	bool out = flow_travel(&connection->out, now, passed_ms);
	bool in = flow_travel(&connection->in, now, passed_ms);

	if (out || in || (connection->out.ended && connection->in.ended))
		end_connection(connection);
}

static void arrived(struct bufferevent *side, void *context)
{
	struct connection *connection = context;
	struct flow *flow = side == connection->out.from ? &connection->out : &connection->in;
	uint64_t now = now_ms();
	size_t size = flow_hold(flow, now);

	if (flow->way->manner != PASS)
		connection->relay->waited += size;
	travel_both(connection, now, 0);
}

static void happened(struct bufferevent *side, short what, void *context)
{
	struct connection *connection = context;
	struct flow *flow = side == connection->out.from ? &connection->out : &connection->in;

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	flow_hold(flow, now_ms());
	flow->ended = true;
	connection->broken |= (what & BEV_EVENT_ERROR) != 0;
	travel_both(connection, now_ms(), 0);
}

static struct bufferevent *make_side(struct connection *connection, evutil_socket_t fd)
{
	const int yes = 1;
	struct bufferevent *side = bufferevent_socket_new(connection->relay->base, fd, BEV_OPT_CLOSE_ON_FREE);

	must(side != NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	bufferevent_setcb(side, arrived, NULL, happened, connection);
	return side;
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int length,
		     void *context)
{
	struct relay *relay = context;
	struct connection *connection = calloc(1, sizeof *connection);
	struct sockaddr_in to;
	socklen_t size = sizeof to;
	char name[INET_ADDRSTRLEN];
	int other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)listener;
	(void)from;
	(void)length;
	must(connection != NULL && other >= 0);
	must(setsockopt(other, SOL_SOCKET, SO_MARK, &relay->mark, sizeof relay->mark) == 0);
	must(getsockopt(fd, IPPROTO_IP, SO_ORIGINAL_DST, &to, &size) == 0);
	printf("carries %s:%u\n", inet_ntop(AF_INET, &to.sin_addr, name, sizeof name), ntohs(to.sin_port));
	connection->relay = relay;

	struct bufferevent *dialler = make_side(connection, fd), *dialled = make_side(connection, other);

	connection->out = flow_make(&relay->out, dialler, dialled);
	connection->in = flow_make(&relay->in, dialled, dialler);
	LIST_INSERT_HEAD(&relay->connections, connection, entry);
	bufferevent_enable(dialler, EV_READ | EV_WRITE);
	bufferevent_enable(dialled, EV_READ | EV_WRITE);
	/* A failure comes as an event, at once or later; then the connection may be gone. */
	bufferevent_socket_connect(dialled, (struct sockaddr *)&to, sizeof to);
}

/* --- the driver's commands ---------------------------------------------------------------------------------------- */

static void travel_all(struct relay *relay, uint64_t passed_ms)
{
	struct connection *connection, *next;
	uint64_t now = now_ms();

	for (connection = LIST_FIRST(&relay->connections); connection != NULL; connection = next) {
		next = LIST_NEXT(connection, entry);
		travel_both(connection, now, passed_ms);
	}
}

static void tick(evutil_socket_t fd, short what, void *context)
{
	struct relay *relay = context;
	uint64_t now = now_ms();

	(void)fd;
	(void)what;
	travel_all(relay, now - relay->tick_ms);
	relay->tick_ms = now;
}

static void obey(struct relay *relay, const char *line)
{
	static const char *const manners[] = {"pass", "delay", "trickle", "stall"};
	char manner[16] = "", which[8] = "both";
	struct way way = {PASS, 0};
	int words = sscanf(line, "%15s %" SCNu64 " %7s", manner, &way.amount, which);

	if (words == 1)
		sscanf(line, "%15s %7s", manner, which);
	while (way.manner <= STALL && strcmp(manners[way.manner], manner) != 0)
		way.manner++;
	must(way.manner <= STALL);
	relay->out = strcmp(which, "in") == 0 ? (struct way){PASS, 0} : way;
	relay->in = strcmp(which, "out") == 0 ? (struct way){PASS, 0} : way;
	if (way.manner == PASS) {
		printf("passes: %" PRIu64 " bytes had to wait\n", relay->waited);
		relay->waited = 0;
	}
	travel_all(relay, 0);
}

static void told(evutil_socket_t fd, short what, void *context)
{
	char lines[256];
	ssize_t size = read(fd, lines, sizeof lines - 1);
	char *rest = lines, *line;

	(void)what;
	if (size <= 0)
		return;
	lines[size] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			obey(context, line);
}

int main(int argc, char **argv)
{
	const struct timeval every = {.tv_usec = TICK_MS * 1000L};
	struct relay relay = {.base = event_base_new(), .tick_ms = now_ms()};
	struct sockaddr_in here = {.sin_family = AF_INET};
	int fifo;

	if (argc != 4) {
		fprintf(stderr, "usage: relay PORT MARK FIFO\n");
		return 2;
	}
	must(relay.base != NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	here.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	relay.mark = atoi(argv[2]);
	fifo = open(argv[3], O_RDWR | O_NONBLOCK | O_CLOEXEC); /* for writing too: so it never ends */

	struct evconnlistener *listener = evconnlistener_new_bind(relay.base, accepted, &relay,
								  LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
								  (struct sockaddr *)&here, sizeof here);

	if (fifo < 0 || !listener) {
		fprintf(stderr, "relay: %s, port %s: %s\n", argv[3], argv[1], strerror(errno));
		return 1;
	}
	event_add(event_new(relay.base, fifo, EV_READ | EV_PERSIST, told, &relay), NULL);
	event_add(event_new(relay.base, -1, EV_PERSIST, tick, &relay), &every);
	printf("ready\n");
	return event_base_dispatch(relay.base) == 0 ? 0 : 1;
}
