/* A replica's connections: calls that arrive (server/service.c, requests.c), and its own ones to other replicas
 * (server/peers/peer_links.c). */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool taken_by(const struct conn *conn, const struct process *process)
{
	return conn->process[1] == process->number && conn->life[1] == process->life && conn->open[1];
}

static bool is_late(const struct stage *s, const struct replica_process *p)
{
	return speaker_clock_is_late(p->tick_ms * 1000, s->now_ms * 1000);
}

static bool manages(const struct replica_process *p, const struct conn *conn)
{
	return conn->established && speaker_manages(&conn->speaker, replica_bound(p->core));
}

static bool managed_by(const struct stage *s, const struct replica_process *p, const struct conn *but, uint32_t *by)
{
	struct uuid bound = replica_bound(p->core);

	for (const struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		if (!taken_by(conn, p->process) || !conn->established ||
		    !speaker_is_present(&conn->speaker, bound, but == NULL ? NULL : &but->speaker, is_late(s, p),
					s->now_ms * 1000))
			continue;
		*by = conn->process[0];
		return true;
	}
	return false;
}

void serve_tick(struct stage *s, struct replica_process *p)
{
	bool late = is_late(s, p);

	p->tick_ms = s->now_ms;
	for (struct conn *conn = s->conns; conn != NULL && late; conn = conn->next) {
		if (taken_by(conn, p->process) && conn->established)
			speaker_heard(&conn->speaker, 0, s->now_ms * 1000);
	}
}

void serve_report(const struct stage *s, const struct replica_process *p, const struct conn *conn, struct report *report)
{
	uint32_t by;

	replica_process_report(s, p, report);
	report->managed = managed_by(s, p, conn, &by);
	if (report->managed)
		snprintf(report->frontend, sizeof report->frontend, "%s", stage_name(by));
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* The token of a call: its address. */
static uint64_t call_new(struct replica_process *p, const struct item *item)
{
	struct call *call = stage_alloc(sizeof *call);

	call->next = p->calls;
	call->asked = *item;
	call->asked.entries = NULL;
	call->asked.state = NULL;
	p->calls = call;
	return (uint64_t)(uintptr_t)call;
}

struct item *serve_reply(struct stage *s, struct replica_process *p, uint64_t token, enum item_kind kind,
			 struct conn **conn)
{
	const struct item *asked = &((struct call *)(uintptr_t)token)->asked;
	struct item *reply = item_new(kind);

	(void)s;
	(void)p;
	*conn = asked->conn;
	reply->call = asked->call;
	reply->request = asked->request;
	reply->serial = asked->serial;
	memcpy(reply->body, asked->body, STAGE_BODY);
	return reply;
}

void serve_forget(struct replica_process *p)
{
	while (p->calls != NULL) {
		struct call *call = p->calls;

		p->calls = call->next;
		free(call);
	}
}

void serve_news(struct stage *s, struct replica_process *p)
{
	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		struct item *item;

		if (!taken_by(conn, p->process) || !conn->established || !speaker_is_manager(&conn->speaker))
			continue;
		item = item_new(ITEM_REPORT);
		serve_report(s, p, conn, &item->report);
		net_send(s, conn, 1, item);
	}
}

/* --- hello: rules 17 and 20 --------------------------------------------------------------------------------------- */

static void tell_manager(struct stage *s, struct replica_process *p)
{
	bool connected = false;

	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next)
		connected = connected || (taken_by(conn, p->process) && manages(p, conn));
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_MANAGER,
							   .manager = {.connected = connected}});
}

static void close_others(struct stage *s, struct replica_process *p, const struct conn *than, bool all_managers)
{
	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		if (conn == than || !taken_by(conn, p->process) || !conn->established ||
		    !(speaker_replaces(&than->speaker, &conn->speaker) ||
		      (all_managers && speaker_is_manager(&conn->speaker))))
			continue;
		conn->established = false;
		net_close(s, conn, 1);
	}
}

static void take_hello(struct stage *s, struct replica_process *p, struct item *item)
{
	struct item *reply = item_new(ITEM_HELLO_REPLY);
	struct conn *conn = item->conn;

	reply->me = replica_process_identity(p);
	reply->status = speaker_hello(&reply->me, replica_bound(p->core), &item->me, &item->you);
	if (speaker_is_admitted(reply->status)) {
		conn->established = true;
		conn->speaker = speaker_of(&item->me, s->now_ms * 1000);
		close_others(s, p, conn, false);
		if (speaker_is_manager(&conn->speaker))
			tell_manager(s, p);
	} else {
		stage_say(s, "%s refuses the hello of %s: %s", stage_name(p->process->number), stage_name(item->from),
			  reply->status == HELLO_NOT_ME	      ? "another process is meant" :
			  reply->status == HELLO_OTHER_FORMAT ? "another format" : "another cluster or generation");
	}
	if (!p->process->alive) {
		item_free(reply);
		return;
	}
	serve_report(s, p, conn, &reply->report);
	net_send(s, conn, 1, reply);
}

/* --- the view manager's calls ------------------------------------------------------------------------------------- */

static void take_heartbeat(struct stage *s, struct replica_process *p, const struct item *item)
{
	struct conn *conn = item->conn;
	struct item *reply;

	if (manages(p, conn)) {
		speaker_heard(&conn->speaker, 0, s->now_ms * 1000);
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_HEARTBEAT,
								   .heartbeat = {.view = item->number,
										 .peers = item->has_peers ? &item->peers : NULL,
										 .retire = item->retire,
										 .min_members = s->min_members}});
	}
	if (!p->process->alive || !conn->open[1])
		return;
	reply = item_new(ITEM_REPORT);
	serve_report(s, p, conn, &reply->report);
	net_send(s, conn, 1, reply);
}

static void take_install(struct stage *s, struct replica_process *p, const struct item *item)
{
	if (!manages(p, item->conn) || !speaker_is_manager_named(&item->conn->speaker, item->view.manager))
		return;
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_INSTALL,
							   .install = {.token = call_new(p, item), .view = &item->view,
								       .peers = &item->peers}});
}

static void take_bind(struct stage *s, struct replica_process *p, const struct item *item)
{
	struct conn *conn = item->conn;
	uint32_t by;

	if (!conn->established || !speaker_is_manager_named(&conn->speaker, item->manager))
		return;
	if (!item->take_over && managed_by(s, p, conn, &by)) {
		struct item *reply = item_new(ITEM_BOUND);

		stage_say(s, "%s is not bound: it hears %s", stage_name(p->process->number), stage_name(by));
		serve_report(s, p, conn, &reply->report);
		net_send(s, conn, 1, reply);
		return;
	}
	close_others(s, p, conn, true);
	speaker_heard(&conn->speaker, 0, s->now_ms * 1000);
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_BIND,
							   .bind = {.token = call_new(p, item),
								    .manager = item->manager}});
	tell_manager(s, p);
}

static void take_request(struct stage *s, struct replica_process *p, const struct item *item)
{
	uint64_t token = call_new(p, item);
	struct conn *conn = item->conn;

	if (conn != NULL && !manages(p, conn)) {
		enum item_kind kind = item->kind == ITEM_QUERY ? ITEM_READ : ITEM_ANSWER;
		struct item *reply = serve_reply(s, p, token, kind, &conn);

		reply->moved = true;
		reply->verdict = VERDICT_MOVED;
		net_send(s, conn, 1, reply);
		return;
	}
	if (item->kind == ITEM_SUBMIT)
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_SUBMIT, .submit = stage_write(item, token)});
	else
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_QUERY,
								   .query = {.token = token, .view = item->number,
									     .floor = item->at_primary ? 0 : item->floor}});
}

/* --- pushes ------------------------------------------------------------------------------------------------------- */

void replica_process_push(struct stage *s, struct replica_process *p, const struct replica_send *sent)
{
	const struct replica_push *push = &sent->push;
	struct conn *conn = serve_link(s, p, &sent->to);
	struct item *item = item_new(ITEM_PUSH);

	must(conn != NULL);
	item->call = sent->token;
	item->push = *push;
	if (push->record != NULL) {
		item->record = *push->record;
		item->push.record = &item->record;
	}
	if (push->has_state) {
		must(push->base_op == p->live.count);
		item->state = stage_alloc(sizeof *item->state);
		*item->state = p->live;
	}
	item->entries = stage_alloc(push->entries_count * sizeof *item->entries);
	for (uint32_t i = 0; i < push->entries_count; i++) {
		struct replica_entry entry = replica_entry_at(p->core, push->base_op + 1 + i);

		item->entries[i].view = entry.view;
		memcpy(item->entries[i].body, entry.body, STAGE_BODY);
	}
	net_send(s, conn, 0, item);
}

static void take_push(struct stage *s, struct replica_process *p, struct item *item)
{
	struct replica_entry entries[STAGE_OPS];
	struct replica_push push = item->push;

	if (!item->conn->established || !speaker_pushes(&item->conn->speaker))
		return;
	must(push.entries_count <= STAGE_OPS);
	for (uint32_t i = 0; i < push.entries_count; i++)
		entries[i] = (struct replica_entry){.view = item->entries[i].view, .size = STAGE_BODY,
						    .body = (const uint8_t *)item->entries[i].body};
	push.entries = entries;
	if (push.record != NULL)
		push.record = &item->record;
	p->piece = item->state;
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_PUSH,
							   .push = {.token = call_new(p, item),
								    .from = {.id = item->from, .uuid = item->conn->speaker.identity.uuid},
								    .push = &push}});
	p->piece = NULL;
}

/* --- to other replicas -------------------------------------------------------------------------------------------- */

struct conn *serve_link(struct stage *s, const struct replica_process *p, const struct replica_name *name)
{
	for (struct conn *conn = s->conns; conn != NULL; conn = conn->next) {
		if (conn->process[0] == p->process->number && conn->life[0] == p->process->life && conn->open[0] &&
		    conn->process[1] == name->id && uuid_equal(conn->uuid, name->uuid))
			return conn;
	}
	return NULL;
}

/* An address is the number of a process's life: a new process listens elsewhere. */
void serve_connect(struct stage *s, struct replica_process *p, const struct replica_connect *connect)
{
	struct conn *conn = serve_link(s, p, &connect->to);
	struct item *hello = item_new(ITEM_HELLO);

	if (conn != NULL)
		net_close(s, conn, 0);
	conn = net_open(s, p->process->number, connect->to.id, (uint32_t)strtoul(connect->address, NULL, 10));
	conn->uuid = connect->to.uuid;
	conn->incarnation = connect->incarnation;
	hello->me = replica_process_identity(p);
	hello->me.purpose = PURPOSE_PUSH;
	hello->you = speaker_meant(&hello->me, &connect->to, connect->incarnation);
	net_send(s, conn, 0, hello);
}

static void hello_answered(struct stage *s, struct replica_process *p, const struct item *item)
{
	struct conn *conn = item->conn;
	const struct replica_name name = {.id = conn->process[1], .uuid = conn->uuid};

	if (!speaker_is_meant(&name, conn->incarnation, item->status, &item->me)) {
		net_close(s, conn, 0);
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_PEER_DOWN,
								   .peer_down = name});
		return;
	}
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_PEER_UP,
							   .peer_up = {.peer = name, .incarnation = conn->incarnation,
								       .report = &item->report}});
}

static void closed(struct stage *s, struct replica_process *p, const struct item *item)
{
	struct conn *conn = item->conn;
	uint32_t end = conn->process[0] == p->process->number && conn->life[0] == p->process->life ? 0 : 1;
	bool manager = end == 1 && conn->established && speaker_is_manager(&conn->speaker);

	conn->open[end] = false;
	conn->established = false;
	if (end == 0)
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_PEER_DOWN,
								   .peer_down = {.id = conn->process[1],
										 .uuid = conn->uuid}});
	else if (manager)
		tell_manager(s, p);
}

void serve_take(struct stage *s, struct replica_process *p, struct item *item)
{
	switch (item->kind) {
	case ITEM_HELLO:
		take_hello(s, p, item);
		break;
	case ITEM_HEARTBEAT:
		take_heartbeat(s, p, item);
		break;
	case ITEM_INSTALL:
		take_install(s, p, item);
		break;
	case ITEM_BIND:
		take_bind(s, p, item);
		break;
	case ITEM_SUBMIT:
	case ITEM_QUERY:
		take_request(s, p, item);
		break;
	case ITEM_PUSH:
		take_push(s, p, item);
		break;
	case ITEM_PING:
		net_send(s, item->conn, 1, item_new(ITEM_PONG));
		break;
	case ITEM_HELLO_REPLY:
		hello_answered(s, p, item);
		break;
	case ITEM_PONG:
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_PONG,
								   .pong = {.id = item->from,
									    .uuid = item->conn->uuid}});
		break;
	case ITEM_ACK:
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_ACK,
								   .ack = {.from = {.id = item->from, .uuid = item->conn->uuid},
									   .token = item->call, .ack = &item->ack}});
		break;
	case ITEM_CLOSED:
	case ITEM_REFUSED:
		closed(s, p, item);
		break;
	default:
		must_not_reach("what a replica is sent");
	}
}
