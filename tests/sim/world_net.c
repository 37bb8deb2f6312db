/* Connections: two queues, each in order; between connections there is no order. A message is one event, and every
 * event takes the queue's head, so delays need no care. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/internal.h"

uint32_t net_life(const struct world *w, uint32_t process)
{
	const struct front *front = front_of((struct world *)(uintptr_t)w, process);

	if (front != NULL)
		return front->alive ? front->life : 0;
	return w->nodes[process].alive ? w->nodes[process].life : 0;
}

uint64_t net_paused_until(const struct world *w, uint32_t process)
{
	const struct front *front = front_of((struct world *)(uintptr_t)w, process);

	return front != NULL ? front->paused_until_us : w->nodes[process].paused_until_us;
}

static void message_free(struct message *message)
{
	switch (message->kind) {
	case MSG_HELLO:
	case MSG_REPLY_HELLO:
		free(message->hello);
		break;
	case MSG_HEARTBEAT:
	case MSG_INSTALL:
	case MSG_BIND:
		free(message->managing);
		break;
	case MSG_REPLY_REPORT:
	case MSG_REPLY_WATCH:
	case MSG_REPLY_INSTALL:
	case MSG_REPLY_BIND:
		free(message->managed);
		break;
	case MSG_PUSH:
		free(message->pushing->pieces);
		free(message->pushing->entries);
		free(message->pushing);
		break;
	default:
		break;
	}
	free(message);
}

static uint64_t delay_us(struct world *w)
{
	if (world_percent(w, w->profile.slow_network_percent))
		return world_draw(w, 80000);
	return 20 + world_draw(w, world_percent(w, 3) ? 3000 : 120);
}

static void queue(struct world *w, struct conn *conn, uint32_t end, const struct message *message)
{
	struct message *copy = world_alloc(sizeof *copy);

	*copy = *message;
	copy->next = NULL;
	if (conn->tail[end] != NULL)
		conn->tail[end]->next = copy;
	else
		conn->head[end] = copy;
	conn->tail[end] = copy;
	world_at(w, delay_us(w),
		 (struct world_event){.kind = EV_DELIVER, .node = conn->process[end], .conn = conn, .value = end});
}

static void drop_all(struct conn *conn, uint32_t end)
{
	while (conn->head[end] != NULL) {
		struct message *message = conn->head[end];

		conn->head[end] = message->next;
		message_free(message);
	}
	conn->tail[end] = NULL;
}

/* Takes what the message points to. No connection: nobody asked (serve_stray). */
void net_send(struct world *w, struct conn *conn, uint32_t from_end, const struct message *message)
{
	if (conn == NULL || !conn->open[from_end] || conn->broken || conn->refused || !conn->open[!from_end]) {
		struct message *copy = world_alloc(sizeof *copy);

		*copy = *message;
		message_free(copy);
		return;
	}
	queue(w, conn, !from_end, message);
}

/* The other end hears of it behind what is on its way. */
void net_close(struct world *w, struct conn *conn, uint32_t end)
{
	if (!conn->open[end])
		return;
	conn->open[end] = false;
	if (conn->open[!end] && !conn->broken && !conn->refused)
		queue(w, conn, !end, &(struct message){.kind = MSG_CLOSED});
}

/* A reset: each end hears of it when it does, and what is on its way may be lost. */
void net_break(struct world *w, struct conn *conn)
{
	if (conn->broken || conn->refused)
		return;
	for (uint32_t end = 0; end < 2; end++) {
		if (world_percent(w, 50))
			drop_all(conn, end);
		if (conn->open[end])
			queue(w, conn, end, &(struct message){.kind = MSG_CLOSED});
	}
	conn->broken = true;
}

void net_kill(struct world *w, uint32_t process)
{
	uint32_t life = net_life(w, process);

	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		for (uint32_t end = 0; end < 2; end++) {
			if (conn->process[end] != process || conn->life[end] != life || !conn->open[end])
				continue;
			if (world_percent(w, 40))
				drop_all(conn, !end);
			net_close(w, conn, end);
			drop_all(conn, end);
		}
	}
}

struct conn *net_open(struct world *w, uint32_t from, uint32_t to, const char *address)
{
	struct conn *conn = world_alloc(sizeof *conn);

	*conn = (struct conn){.next = w->conns, .process = {from, to}, .life = {net_life(w, from), net_life(w, to)},
			      .open = {true, true}, .id = to};
	w->conns = conn;
	if (!w->nodes[to].alive || strcmp(w->nodes[to].address, address) != 0) {
		conn->refused = true;
		conn->open[SERVER_END] = false;
		world_at(w, delay_us(w),
			 (struct world_event){.kind = EV_REFUSED, .node = from, .life = conn->life[0], .conn = conn});
	}
	return conn;
}

static void lost(struct world *w, struct conn *conn, uint32_t end, bool refused)
{
	if (!conn->open[end])
		return;
	conn->open[end] = false;
	w->front = front_of(w, conn->process[end]);
	if (w->front != NULL)
		front_lost(w, conn, refused);
	else if (end == CLIENT_END)
		links_lost(w, &w->nodes[conn->process[end]], conn);
	else
		serve_closed(w, &w->nodes[conn->process[end]], conn);
}

static void receive(struct world *w, struct conn *conn, uint32_t end, const struct message *message)
{
	w->front = front_of(w, conn->process[end]);
	if (w->front != NULL)
		front_heard(w, conn, message);
	else if (end == CLIENT_END)
		links_heard(w, &w->nodes[conn->process[end]], conn, message);
	else
		serve_message(w, &w->nodes[conn->process[end]], conn, message);
}

void net_deliver(struct world *w, const struct world_event *event)
{
	struct conn *conn = event->conn;
	uint32_t end = (uint32_t)event->value;
	struct message *message = conn->head[end];
	bool there = net_life(w, conn->process[end]) == conn->life[end] && conn->open[end];

	if (event->kind == EV_REFUSED) {
		lost(w, conn, CLIENT_END, true);
		return;
	}
	if (event->kind == EV_HELLO_LATE) {
		if (!conn->up && conn->open[CLIENT_END]) {
			net_close(w, conn, CLIENT_END);
			conn->open[CLIENT_END] = true;
			lost(w, conn, CLIENT_END, false);
		}
		return;
	}
	if (message == NULL)
		return;
	if (there && w->blocked_until_us[conn->process[!end]][conn->process[end]] > w->now_us) {
		struct world_event again = *event;

		world_at(w, w->blocked_until_us[conn->process[!end]][conn->process[end]] - w->now_us + delay_us(w), again);
		return;
	}
	conn->head[end] = message->next;
	if (message->next == NULL)
		conn->tail[end] = NULL;
	if (there && message->kind == MSG_CLOSED)
		lost(w, conn, end, false);
	else if (there)
		receive(w, conn, end, message);
	message_free(message);
}

void net_free(struct world *w)
{
	while (w->conns != NULL) {
		struct conn *conn = w->conns;

		w->conns = conn->next;
		drop_all(conn, 0);
		drop_all(conn, 1);
		free(conn);
	}
}
