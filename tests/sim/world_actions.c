/* Carries out the actions of a replica's core, as server/node_step.c does. */
#include <inttypes.h>
#include <string.h>

#include "rpc/base/log.h"
#include "tests/sim/checker.h"

static void logged(struct world *w, const struct node *node, int level, const char *text)
{
	world_say(w, "replica %" PRIu32 " says: %s", node->id, text);
	w->counts->cuts += strstr(text, "cutting entries") != NULL;
	/* No disk in this world loses what was durable: any word of damage or loss is the core's mistake. */
	if (level >= (int)LOG_LEVEL_ERROR && !check_any_hurt(w))
		world_fail(w, 14, "replica %" PRIu32 " says: %s", node->id, text);
}

/* A cluster call that the core answers later: what its token stands for. */
static struct call *call_of(uint64_t token)
{
	return (struct call *)(uintptr_t)token;
}

static void answer_read(struct world *w, struct node *node, uint64_t token, bool moved)
{
	struct call *call = call_of(token);

	if (!moved)
		check_released(w, node, call);
	serve_reply(w, call, &(struct message){.kind = MSG_REPLY_QUERY,
					       .answering = {.moved = moved, .op = node->live.count,
							     .shows = node->live.count}});
}

static void acknowledge(struct world *w, struct node *node, const struct replica_acknowledge *acknowledge)
{
	struct message reply = {.kind = MSG_REPLY_PUSH, .ack = acknowledge->ack};

	check_acked(w, node, &acknowledge->ack);
	reply.ack.clock_us = node_wall_us(w, node);
	serve_reply(w, call_of(acknowledge->token), &reply);
}

static void answer_manager(struct world *w, struct node *node, uint64_t token, enum message_kind kind, bool ok,
			   const char *text)
{
	struct managed *managed = world_alloc(sizeof *managed);

	managed->ok = ok;
	node_report(w, node, &managed->report);
	world_say(w, "replica %" PRIu32 " answers %s: %s %s", node->id, kind == MSG_REPLY_BIND ? "BIND" : "INSTALL",
		  ok ? "ok" : "no", text != NULL ? text : "");
	serve_reply(w, call_of(token), &(struct message){.kind = kind, .managed = managed});
}

static void ping(struct world *w, struct node *node, const struct replica_name *name)
{
	struct conn *conn = links_find(w, node, name);

	must(conn != NULL);
	net_send(w, conn, CLIENT_END, &(struct message){.kind = MSG_PING});
}

static void disconnect(struct world *w, struct node *node, const struct replica_name *name)
{
	struct conn *conn = links_find(w, node, name);

	if (conn != NULL)
		net_close(w, conn, CLIENT_END);
}

static void retire(struct world *w, struct node *node, const char *text)
{
	world_say(w, "replica %" PRIu32 " gives up its data: %s", node->id, text);
	node->retiring = node->disk.hurt;
	if (!node->retiring)
		world_fail(w, 14, "replica %" PRIu32 " gives up its data: %s", node->id, text);
}

static void carry_out(struct world *w, struct node *node, const struct replica_action *action, uint32_t group)
{
	switch (action->kind) {
	case DO_WRITE:
		disk_append(w, node, &action->write, group);
		break;
	case DO_APPLY:
		node_apply_up_to(w, node, action->apply.op);
		break;
	case DO_ADOPT:
		staging_adopt(w, node, action->adopt.op);
		break;
	case DO_STAGE:
		staging_take(w, node, &action->stage);
		break;
	case DO_UNSTAGE:
		staging_drop(node);
		break;
	case DO_VALIDATE:
		decide_validate(w, node, call_of(action->validate.token));
		break;
	case DO_ANSWER:
		decide_answer(w, node, &action->answer);
		break;
	case DO_READ:
	case DO_READ_MOVED:
		answer_read(w, node, action->read.token, action->kind == DO_READ_MOVED);
		break;
	case DO_ACK:
		acknowledge(w, node, &action->ack);
		break;
	case DO_INSTALLED:
		answer_manager(w, node, action->installed.token, MSG_REPLY_INSTALL, action->installed.ok,
			       action->installed.text);
		break;
	case DO_BOUND:
		answer_manager(w, node, action->bound.token, MSG_REPLY_BIND, action->bound.ok, NULL);
		break;
	case DO_PUSH:
		serve_push(w, node, &action->push);
		break;
	case DO_CONNECT:
		serve_connect(w, node, &action->connect);
		break;
	case DO_PING:
		ping(w, node, &action->ping);
		break;
	case DO_DISCONNECT:
		disconnect(w, node, &action->disconnect);
		break;
	case DO_NEWS:
		serve_news(w, node);
		break;
	case DO_RETIRE:
		retire(w, node, action->retire.text);
		break;
	case DO_EXIT:
		node->ending = true;
		break;
	case DO_LOG:
		logged(w, node, action->log.level, action->log.text);
		break;
	}
}

void node_step(struct world *w, struct node *node, struct replica_event *event)
{
	uint32_t group = ++node->disk.groups;

	must(node->alive);
	event->now_ms = world_ms(w) + node->clock_ms;
	replica_step(node->core, event, &node->actions);
	for (uint32_t i = 0; i < node->actions.count; i++)
		carry_out(w, node, &node->actions.list[i], group);
	check_node(w, node);
	if (node->retiring) { /* RULE 14: its data are set aside, and it starts as a new replica */
		node->retiring = node->ending = false;
		w->counts->retired++;
		node_kill(w, node);
		disk_wipe(node);
		world_at(w, world_draw(w, 100000), (struct world_event){.kind = EV_START, .node = node->id});
		return;
	}
	if (node->ending) {
		node->ending = false;
		world_say(w, "replica %" PRIu32 " stopped in an orderly way", node->id);
		node_kill(w, node);
		if (!w->calm)
			world_at(w, world_draw(w, 1000000), (struct world_event){.kind = EV_START, .node = node->id});
		else
			world_at(w, 1000, (struct world_event){.kind = EV_START, .node = node->id});
	}
}
