/* One replica's process: what server/node.c, recovery.c and staging.c do around the core. The state machine is a list
 * of operations (stage_decide.c). */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- actions ------------------------------------------------------------------------------------------------------ */

static const char *name_of(const struct replica_process *p)
{
	return stage_name(p->process->number);
}

static void apply(struct stage *s, struct replica_process *p, uint64_t op)
{
	while (p->live.count < op) {
		struct replica_entry entry = replica_entry_at(p->core, p->live.count + 1);

		must(p->live.count < STAGE_OPS);
		must(entry.size == STAGE_BODY);
		memcpy(p->live.list[p->live.count++], entry.body, STAGE_BODY);
		stage_say(s, "%s applies %" PRIu32 ":%s", name_of(p), p->live.count, (const char *)entry.body);
	}
}

static void adopt(struct stage *s, struct replica_process *p, uint64_t op)
{
	must(p->staged.count == op);
	p->live = p->staged;
	stage_say(s, "%s has the state as of op %" PRIu64 " now", name_of(p), op);
}

/* The whole state is in one push. It is in a file before the core hears that it is there. */
static void stage_piece(struct replica_process *p, const struct replica_stage *stage)
{
	must(p->piece != NULL);
	p->staged = *p->piece;
	must(p->staged.count == stage->op);
	must(digest_equal(history_digest(&p->staged, p->staged.count), stage->digest));
	p->disk.incoming = p->staged;
	p->disk.has_incoming = true;
}

static void send_answer(struct stage *s, const struct replica_process *p, struct conn *conn, struct item *reply)
{
	struct text text = {.size = 0};

	if (conn != NULL) {
		net_send(s, conn, 1, reply);
		return;
	}
	/* Asked by hand. */
	reply->from = p->process->number;
	item_describe(s, reply, &text);
	stage_say(s, "%s", text.bytes);
	free(text.bytes);
	item_free(reply);
}

static void answer(struct stage *s, struct replica_process *p, const struct replica_answer *answer)
{
	struct conn *conn;
	struct item *reply = serve_reply(s, p, answer->token, ITEM_ANSWER, &conn);

	reply->verdict = answer->verdict;
	if (reply->verdict == VERDICT_DECLINED && strstr(reply->body, " busy") != NULL)
		reply->verdict = VERDICT_BUSY; /* too many postcodes are being checked: as server/requests.c words it */
	reply->op = answer->op;
	reply->became = BECAME_PASSED;
	if (reply->verdict == VERDICT_DECIDED || reply->verdict == VERDICT_REUSED)
		reply->became = stage_became(&p->live, reply->op);
	reply->shows = answer->applied;
	send_answer(s, p, conn, reply);
}

static void answer_read(struct stage *s, struct replica_process *p, uint64_t token, bool moved)
{
	struct conn *conn;
	struct item *reply = serve_reply(s, p, token, ITEM_READ, &conn);

	reply->moved = moved;
	reply->op = p->live.count;
	send_answer(s, p, conn, reply);
}

static void validate(struct stage *s, struct replica_process *p, uint64_t token)
{
	struct item *item = item_new(ITEM_VALIDATED);

	item->from = item->to = p->process->number;
	item->ticket = token;
	item_queue(s, item);
}

static void answer_manager(struct stage *s, struct replica_process *p, uint64_t token, enum item_kind kind, bool ok)
{
	struct conn *conn;
	struct item *reply = serve_reply(s, p, token, kind, &conn);

	must(conn != NULL);
	reply->ok = ok;
	serve_report(s, p, conn, &reply->report);
	net_send(s, conn, 1, reply);
}

static void installed(struct stage *s, struct replica_process *p, const struct replica_installed *installed)
{
	if (!installed->ok)
		stage_say(s, "%s refuses the view: %s", name_of(p), installed->text);
	answer_manager(s, p, installed->token, ITEM_INSTALLED, installed->ok);
}

static void acknowledge(struct stage *s, struct replica_process *p, const struct replica_acknowledge *acknowledge)
{
	struct conn *conn;
	struct item *reply = serve_reply(s, p, acknowledge->token, ITEM_ACK, &conn);

	must(conn != NULL);
	reply->ack = acknowledge->ack;
	net_send(s, conn, 1, reply);
}

static void ping(struct stage *s, struct replica_process *p, const struct replica_name *name)
{
	struct conn *conn = serve_link(s, p, name);

	must(conn != NULL);
	net_send(s, conn, 0, item_new(ITEM_PING));
}

static void disconnect(struct stage *s, struct replica_process *p, const struct replica_name *name)
{
	struct conn *conn = serve_link(s, p, name);

	if (conn != NULL)
		net_close(s, conn, 0);
}

/* Where a step's actions leave the step for the shell: after it, in order. */
struct after {
	bool retire, exit;
	uint64_t staged_token;
	bool staged;
};

static void carry_out(struct stage *s, struct replica_process *p, const struct replica_action *action,
		      struct after *after)
{
	switch (action->kind) {
	case DO_WRITE:
		disk_write(s, p, &action->write);
		break;
	case DO_APPLY:
		apply(s, p, action->apply.op);
		break;
	case DO_ADOPT:
		adopt(s, p, action->adopt.op);
		break;
	case DO_STAGE:
		stage_piece(p, &action->stage);
		after->staged = true;
		after->staged_token = action->stage.token;
		break;
	case DO_UNSTAGE:
		memset(&p->staged, 0, sizeof p->staged);
		break;
	case DO_VALIDATE:
		validate(s, p, action->validate.token);
		break;
	case DO_ANSWER:
		answer(s, p, &action->answer);
		break;
	case DO_READ:
	case DO_READ_MOVED:
		answer_read(s, p, action->read.token, action->kind == DO_READ_MOVED);
		break;
	case DO_PUSH:
		replica_process_push(s, p, &action->push);
		break;
	case DO_PING:
		ping(s, p, &action->ping);
		break;
	case DO_ACK:
		acknowledge(s, p, &action->ack);
		break;
	case DO_INSTALLED:
		installed(s, p, &action->installed);
		break;
	case DO_BOUND:
		answer_manager(s, p, action->bound.token, ITEM_BOUND, action->bound.ok);
		break;
	case DO_CONNECT:
		serve_connect(s, p, &action->connect);
		break;
	case DO_DISCONNECT:
		disconnect(s, p, &action->disconnect);
		break;
	case DO_NEWS:
		serve_news(s, p);
		break;
	case DO_RETIRE:
		stage_say(s, "%s sets its data aside and comes back with a new uuid: %s", name_of(p), action->retire.text);
		after->retire = true;
		break;
	case DO_EXIT:
		stage_say(s, "%s has stopped", name_of(p));
		after->exit = true;
		break;
	case DO_LOG:
		stage_say(s, "%s: %s", name_of(p), action->log.text);
		break;
	}
}

void replica_process_step(struct stage *s, struct replica_process *p, struct replica_event *event)
{
	struct after after = {.staged = false};

	event->now_ms = stage_now(s, p->process);
	replica_step(p->core, event, &p->actions);
	for (uint32_t i = 0; i < p->actions.count; i++)
		carry_out(s, p, &p->actions.list[i], &after);
	if (after.staged)
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_STAGED,
								   .staged = {.token = after.staged_token, .ok = true,
									      .complete = true,
									      .next = p->staged.count}});
	if (after.exit || after.retire)
		replica_process_kill(s, p);
	if (after.retire) {
		disk_wipe(&p->disk);
		replica_process_start(s, p, 0, NULL);
	}
}

/* --- what comes to it --------------------------------------------------------------------------------------------- */

static void validated(struct stage *s, struct replica_process *p, const struct item *item)
{
	const struct item *asked = &((struct call *)(uintptr_t)item->ticket)->asked;
	bool good = strstr(asked->body, " bad") == NULL && strstr(asked->body, " busy") == NULL;
	struct replica_request write = stage_write(asked, item->ticket);

	stage_say(s, "%s validates %s: %s", name_of(p), asked->body, good ? "good" : "no");
	if (good)
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_PROPOSE,
								   .propose = {.request = write,
									       .body = (const uint8_t *)asked->body,
									       .size = STAGE_BODY}});
	else
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_DECLINE, .decline = write});
}

void replica_process_take(struct stage *s, struct replica_process *p, struct item *item)
{
	switch (item->kind) {
	case ITEM_DISK:
		disk_durable(s, p, item->ticket);
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_DURABLE,
								   .durable = {.ticket = item->ticket}});
		break;
	case ITEM_VALIDATED:
		validated(s, p, item);
		break;
	default:
		serve_take(s, p, item);
		break;
	}
	/* The turn is over: what it brought may leave. */
	if (p->process->alive)
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_FLUSH});
}

/* --- life --------------------------------------------------------------------------------------------------------- */

struct identity replica_process_identity(const struct replica_process *p)
{
	const struct view *view = replica_view(p->core);

	return (struct identity){.formats = p->process->formats, .format = view->format, .id = p->process->number,
				 .uuid = p->uuid, .incarnation = p->process->incarnation,
				 .cluster = view->cluster, .generation = view->generation};
}

void replica_process_report(const struct stage *s, const struct replica_process *p, struct report *report)
{
	replica_report(p->core, report);
	report->clock_us = (int64_t)s->now_ms * 1000;
	for (const struct item *item = s->first; item != NULL; item = item->next) {
		if (item->kind != ITEM_DISK || item->to != p->process->number)
			continue;
		report->write_age_ms = (uint32_t)(s->now_ms - item->since_ms);
		return; /* the oldest */
	}
}

void replica_process_start(struct stage *s, struct replica_process *p, uint64_t tail_cut, const char *damage)
{
	const struct replica_service service = stage_service(p);
	const struct replica_options options = {.id = p->process->number, .push_mode = PUSH_DELTA, .heartbeat_ms = 50,
						.suspect_ms = 250, .stall_ms = 2000, .read_hold_ms = 200,
						.orders_max = s->orders_max, .log_bytes_max = 1 << 20};

	must(!p->process->alive);
	p->process->alive = p->process->registered = true;
	p->process->paused = false;
	p->process->life++;
	p->tick_ms = 0;
	p->other_from = p->next_other_from;
	p->process->incarnation = stage_draw(s);
	if (uuid_is_nil(p->disk.uuid))
		p->disk.uuid = stage_draw(s);
	p->uuid = p->disk.uuid;
	p->core = replica_new(&options, &service);
	disk_recover(s, p);
	stage_say(s, "%s starts with op %" PRIu64 ", applied %" PRIu32, name_of(p), replica_last_op(p->core),
		  p->live.count);
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_START,
							   .start = {.tail_cut = tail_cut, .damage = damage}});
	for (uint32_t i = 0; i < STAGE_FRONTS; i++) {
		if (s->fronts[i].process->alive && !s->fronts[i].process->paused)
			front_discover(s, &s->fronts[i]);
	}
}

void replica_process_kill(struct stage *s, struct replica_process *p)
{
	must(p->process->alive);
	net_kill(s, p->process->number);
	p->process->alive = p->process->paused = false;
	disk_crash(&p->disk);
	serve_forget(p);
	replica_free(p->core);
	p->core = NULL;
	replica_actions_free(&p->actions);
	memset(&p->live, 0, sizeof p->live);
	memset(&p->staged, 0, sizeof p->staged);
}
