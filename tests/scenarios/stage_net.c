/* The network: connections, and what lies in them. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- items -------------------------------------------------------------------------------------------------------- */

struct item *item_new(enum item_kind kind)
{
	struct item *item = stage_alloc(sizeof *item);

	item->kind = kind;
	return item;
}

void item_free(struct item *item)
{
	free(item->entries);
	free(item->state);
	free(item);
}

void item_remove(struct stage *s, struct item *item)
{
	struct item **place = &s->first;

	s->last = NULL;
	while (*place != NULL) {
		if (*place == item)
			*place = item->next;
		if (*place == NULL)
			break;
		s->last = *place;
		place = &(*place)->next;
	}
	item->next = NULL;
}

void item_queue(struct stage *s, struct item *item)
{
	item->next = NULL;
	if (s->last != NULL)
		s->last->next = item;
	else
		s->first = item;
	s->last = item;
}

const char *item_name(enum item_kind kind)
{
	static const char *const names[] = {"HELLO", "HELLO-REPLY", "HEARTBEAT", "REPORT", "INSTALL", "INSTALLED",
					    "BIND", "BOUND", "SUBMIT", "ANSWER", "QUERY", "READ", "PUSH",
					    "ACK", "PING", "PONG",
					    "CLOSED", "REFUSED", "disk", "validate", "file"};

	return names[kind];
}

/* Signs of life come all the time and are not worth a line. */
static bool is_noise(enum item_kind kind)
{
	return kind == ITEM_HELLO || kind == ITEM_HELLO_REPLY || kind == ITEM_HEARTBEAT || kind == ITEM_REPORT ||
	       kind == ITEM_PING || kind == ITEM_PONG || kind == ITEM_CLOSED || kind == ITEM_REFUSED ||
	       kind == ITEM_INSTALLED;
}

static void describe_push(const struct item *item, struct text *text)
{
	text_add(text, "view %" PRIu64, item->push.view);
	if (item->push.record != NULL)
		text_add(text, " (its record comes along)");
	if (item->push.has_state)
		text_add(text, ", the whole state as of op %" PRIu64, item->push.base_op);
	else if (item->push.entries_count > 0)
		text_add(text, ", after op %" PRIu64, item->push.base_op);
	for (uint32_t i = 0; i < item->push.entries_count; i++)
		text_add(text, "%s %" PRIu64 ":%s", i == 0 ? " entries" : ",", item->push.base_op + 1 + i,
			 item->entries[i].body);
	text_add(text, ", commit %" PRIu64, item->push.commit);
}

static void describe_ack(const struct item *item, struct text *text)
{
	static const char *const names[] = {"ok", "OLD VIEW", "NEED BASE", "NEED RECORD", "DAMAGED", "REFUSED"};

	text_add(text, "%s, view %" PRIu64, names[item->ack.status], item->ack.view);
	if (item->ack.status == PUSH_OK)
		text_add(text, ", op %" PRIu64, item->ack.op);
	if (item->ack.disk_full)
		text_add(text, ", disk full");
}

void item_describe(const struct stage *s, const struct item *item, struct text *text)
{
	text_add(text, "%s -> %s %s", stage_name(item->from), stage_name(item->to), item_name(item->kind));
	switch (item->kind) {
	case ITEM_INSTALL:
		text_add(text, " ");
		show_view(text, &item->view);
		break;
	case ITEM_BIND:
		text_add(text, " to %s", manager_name(s, item->manager));
		break;
	case ITEM_BOUND:
		text_add(text, " %s, in view %" PRIu64, item->ok ? "yes" : "no", item->report.view.number);
		break;
	case ITEM_SUBMIT:
		text_add(text, " view %" PRIu64 ": %s", item->number, item->body);
		break;
	case ITEM_QUERY:
		text_add(text, " view %" PRIu64 ", floor %" PRIu64 ": %s", item->number, item->floor, item->body);
		break;
	case ITEM_ANSWER:
		text_add(text, " %s: %s", item->body, stage_told(item).text);
		if (stage_told(item).names_op)
			text_add(text, ", op %" PRIu64, item->op);
		break;
	case ITEM_READ:
		if (item->moved)
			text_add(text, " %s: not here", item->body);
		else
			text_add(text, " %s: shows op %" PRIu64, item->body, item->op);
		break;
	case ITEM_PUSH:
		text_add(text, " ");
		describe_push(item, text);
		break;
	case ITEM_ACK:
		text_add(text, " ");
		describe_ack(item, text);
		break;
	default:
		break;
	}
}

static void say_sent(struct stage *s, const struct item *item)
{
	struct text text = {.size = 0};

	if (is_noise(item->kind))
		return;
	item_describe(s, item, &text);
	stage_say(s, "%s%s", text.bytes,
		  s->cut[item->from][item->to] ? "   (lost)" : stage_held(s, item) ? "   (held)" : "");
	free(text.bytes);
}

/* --- connections -------------------------------------------------------------------------------------------------- */

struct conn *net_open(struct stage *s, uint32_t from, uint32_t to, uint32_t life)
{
	struct conn *conn = stage_alloc(sizeof *conn);

	*conn = (struct conn){.next = s->conns, .process = {from, to}, .life = {s->processes[from].life, life},
			      .open = {true, true}};
	s->conns = conn;
	if (s->cut[from][to] || s->cut[to][from])
		return conn;
	if (!s->processes[to].alive || s->processes[to].life != life) {
		struct item *item = item_new(ITEM_REFUSED);

		item->conn = conn;
		item->from = to;
		item->to = from;
		conn->open[1] = false;
		item_queue(s, item);
	}
	return conn;
}

/* `end` is the sender's. */
void net_send(struct stage *s, struct conn *conn, uint32_t end, struct item *item)
{
	item->conn = conn;
	item->from = conn->process[end];
	item->to = conn->process[1 - end];
	say_sent(s, item);
	if (!conn->open[end] || !conn->open[1 - end] || conn->swallowed || s->cut[item->from][item->to]) {
		item_free(item);
		return;
	}
	item_queue(s, item);
}

/* What lies in it towards this end is discarded unread (rule 17). */
static void discard(struct stage *s, const struct conn *conn, uint32_t end)
{
	for (struct item *item = s->first; item != NULL;) {
		struct item *next = item->next;

		if (item->conn == conn && item->to == conn->process[end]) {
			item_remove(s, item);
			item_free(item);
		}
		item = next;
	}
}

void net_close(struct stage *s, struct conn *conn, uint32_t end)
{
	if (!conn->open[end])
		return;
	net_send(s, conn, end, item_new(ITEM_CLOSED));
	conn->open[end] = false;
	discard(s, conn, end);
}

/* Both ends hear of it, and what lay in it is lost. */
void net_break(struct stage *s, uint32_t a, uint32_t b)
{
	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		bool between = (conn->process[0] == a && conn->process[1] == b) ||
			       (conn->process[0] == b && conn->process[1] == a);

		if (!between || !conn->open[0] || !conn->open[1])
			continue;
		discard(s, conn, 0);
		discard(s, conn, 1);
		net_send(s, conn, 0, item_new(ITEM_CLOSED));
		net_send(s, conn, 1, item_new(ITEM_CLOSED));
	}
}

/* A network that swallows: nothing from a arrives at b any more, and a does not learn that. */
void net_cut(struct stage *s, uint32_t a, uint32_t b, bool cut)
{
	s->cut[a][b] = s->cut[b][a] = cut;
	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		if ((conn->process[0] == a && conn->process[1] == b) ||
		    (conn->process[0] == b && conn->process[1] == a))
			conn->swallowed = true;
	}
}

void net_kill(struct stage *s, uint32_t process)
{
	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		for (uint32_t end = 0; end < 2; end++) {
			if (conn->process[end] == process && conn->life[end] == s->processes[process].life)
				net_close(s, conn, end);
		}
	}
	for (struct item *item = s->first; item != NULL;) {
		struct item *next = item->next;

		if (item->to == process) {
			item_remove(s, item);
			item_free(item);
		}
		item = next;
	}
}
