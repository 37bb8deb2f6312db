/* A replica's connections: calls that arrive (server/service.c, requests.c), and its own ones to other replicas
 * (server/peers/peer_links.c). */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/checker.h"

/* --- calls -------------------------------------------------------------------------------------------------------- */

static struct call *take(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	struct call *call = world_alloc(sizeof *call);

	*call = (struct call){.next = w->calls, .conn = conn, .node = node, .id = message->call, .kind = message->kind,
			      .life = node->life};
	w->calls = call;
	return call;
}

struct replica_request call_write(const struct call *call)
{
	const struct asking *asking = &call->asking;

	return (struct replica_request){.token = (uint64_t)(uintptr_t)call, .view = asking->view,
					.client = client_uuid(asking->client), .number = asking->request,
					.content = operation_content(asking->content), .floor = asking->floor,
					.ends_doubt = asking->content == CONTENT_VOID};
}

void serve_reply(struct world *w, struct call *call, struct message *message)
{
	check_token(w, call);
	message->call = call->id;
	/* Which other manager is heard, as server/service.c tells each caller. */
	if (message->kind == MSG_REPLY_REPORT || message->kind == MSG_REPLY_WATCH || message->kind == MSG_REPLY_INSTALL ||
	    message->kind == MSG_REPLY_BIND)
		message->managed->report.managed = serve_managed(w, call->node, call->conn);
	else if (message->kind == MSG_REPLY_HELLO)
		message->hello->report.managed = serve_managed(w, call->node, call->conn);
	net_send(w, call->conn, SERVER_END, message);
}

static struct managed *managed_new(struct world *w, const struct node *node)
{
	struct managed *managed = world_alloc(sizeof *managed);

	managed->ok = true;
	node_report(w, node, &managed->report);
	return managed;
}

void serve_news(struct world *w, struct node *node)
{
	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		if (conn->process[SERVER_END] != node->id || conn->life[SERVER_END] != node->life ||
		    conn->watch == NULL || !conn->open[SERVER_END])
			continue;
		serve_reply(w, conn->watch,
			    &(struct message){.kind = MSG_REPLY_WATCH, .managed = managed_new(w, node)});
		conn->watch = NULL;
	}
}

static bool ours(const struct conn *conn, const struct node *node)
{
	return conn->process[SERVER_END] == node->id && conn->life[SERVER_END] == node->life && conn->open[SERVER_END];
}

/* RULE 20: asked anew for every call, a view may have bound us meanwhile. */
static bool manages(const struct node *node, const struct conn *conn)
{
	return conn->established && speaker_manages(&conn->speaker, replica_bound(node->core));
}

bool serve_managed(const struct world *w, const struct node *node, const struct conn *but)
{
	struct uuid bound = replica_bound(node->core);
	bool late = speaker_clock_is_late(node->tick_us, w->now_us);

	for (const struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		if (ours(conn, node) && conn->established &&
		    speaker_is_present(&conn->speaker, bound, but == NULL ? NULL : &but->speaker, late, w->now_us))
			return true;
	}
	return false;
}

void serve_tick(struct world *w, struct node *node)
{
	bool late = speaker_clock_is_late(node->tick_us, w->now_us);

	node->tick_us = w->now_us;
	for (struct conn *conn = w->conns; conn != NULL && late; conn = conn->next) {
		if (ours(conn, node) && conn->established)
			speaker_heard(&conn->speaker, 0, w->now_us);
	}
}

static void tell_manager(struct world *w, struct node *node)
{
	bool connected = false;

	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next)
		connected = connected || (ours(conn, node) && manages(node, conn));
	node_step(w, node, &(struct replica_event){.kind = REPLICA_MANAGER, .manager = {.connected = connected}});
}

void serve_closed(struct world *w, struct node *node, struct conn *conn)
{
	bool manager = conn->established && speaker_is_manager(&conn->speaker);

	conn->established = false;
	conn->watch = NULL;
	if (manager)
		tell_manager(w, node);
}

/* RULE 17 */
static void close_others(struct world *w, struct node *node, struct conn *than, bool all_managers)
{
	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		if (conn == than || !ours(conn, node) || !conn->established ||
		    !(speaker_replaces(&than->speaker, &conn->speaker) ||
		      (all_managers && speaker_is_manager(&conn->speaker))))
			continue;
		conn->established = false;
		conn->watch = NULL;
		net_close(w, conn, SERVER_END);
	}
}

static void serve_hello(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	const struct hello *hello = message->hello;
	struct hello *reply = world_alloc(sizeof *reply);
	struct call *call = take(w, node, conn, message);

	reply->me = node_identity(node);
	reply->status = speaker_hello(&reply->me, replica_bound(node->core), &hello->me, &hello->you);
	world_say(w, "replica %" PRIu32 " hears the hello of %" PRIu32 ": %" PRIu32, node->id, hello->me.id,
		  (uint32_t)reply->status);
	if (speaker_is_admitted(reply->status)) {
		conn->established = true;
		conn->speaker = speaker_of(&hello->me, w->now_us);
		close_others(w, node, conn, false);
		if (speaker_is_manager(&conn->speaker))
			tell_manager(w, node);
	}
	if (!node->alive) {
		free(reply);
		return;
	}
	node_report(w, node, &reply->report);
	serve_reply(w, call, &(struct message){.kind = MSG_REPLY_HELLO, .hello = reply});
}

static void refuse(struct world *w, struct node *node, struct call *call, enum message_kind kind)
{
	struct managed *managed = managed_new(w, node);

	managed->ok = false;
	serve_reply(w, call, &(struct message){.kind = kind, .managed = managed});
}

static void serve_heartbeat(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	const struct managing *managing = message->managing;
	struct call *call = take(w, node, conn, message);

	if (manages(node, conn)) {
		speaker_heard(&conn->speaker, 0, w->now_us);
		node_step(w, node, &(struct replica_event){.kind = REPLICA_HEARTBEAT,
							   .heartbeat = {.view = managing->number,
									 .peers = managing->has_peers ? &managing->peers : NULL,
									 .min_members = w->profile.min_members,
									 .full_wait_ms = w->profile.full_wait_ms,
									 .retire = managing->retire}});
	}
	if (node->alive)
		serve_reply(w, call, &(struct message){.kind = MSG_REPLY_REPORT, .managed = managed_new(w, node)});
}

static void serve_install(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	const struct managing *managing = message->managing;
	struct call *call = take(w, node, conn, message);

	if (!manages(node, conn) || !speaker_is_manager_named(&conn->speaker, managing->view.manager)) {
		refuse(w, node, call, MSG_REPLY_INSTALL);
		return;
	}
	node_step(w, node, &(struct replica_event){.kind = REPLICA_INSTALL,
						   .install = {.token = (uint64_t)(uintptr_t)call, .view = &managing->view,
							       .peers = managing->has_peers ? &managing->peers : NULL}});
}

static void serve_bind(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	const struct managing *managing = message->managing;
	struct call *call = take(w, node, conn, message);

	if (!conn->established || !speaker_is_manager_named(&conn->speaker, managing->manager)) {
		refuse(w, node, call, MSG_REPLY_BIND);
		return;
	}
	if (!managing->take_over && serve_managed(w, node, conn)) {
		w->counts->left_alone++;
		refuse(w, node, call, MSG_REPLY_BIND);
		return;
	}
	close_others(w, node, conn, true);
	speaker_heard(&conn->speaker, 0, w->now_us);
	node_step(w, node, &(struct replica_event){.kind = REPLICA_BIND,
						   .bind = {.token = (uint64_t)(uintptr_t)call,
							    .manager = managing->manager}});
	if (node->alive)
		tell_manager(w, node);
}

/* A view that no manager of ours made: of another cluster, of another manager, or another one by a number that is
 * taken. */
void serve_stray(struct world *w, struct node *node)
{
	struct view view = *replica_view(node->core);
	struct call *call = world_alloc(sizeof *call);
	uint32_t dice = world_draw(w, 3);

	*call = (struct call){.next = w->calls, .node = node, .kind = MSG_INSTALL, .life = node->life};
	w->calls = call;
	if (view.number == 0)
		return;
	w->counts->strays++;
	view.primary = node->id;
	if (dice == 0)
		view.cluster = world_uuid(w);
	else if (dice == 1)
		view.manager = world_uuid(w);
	if (dice < 2)
		view.number += world_draw(w, 3);
	else
		view.members[0].uuid = world_uuid(w);
	world_say(w, "replica %" PRIu32 " is sent a stray view %" PRIu64, node->id, view.number);
	node_step(w, node, &(struct replica_event){.kind = REPLICA_INSTALL,
						   .install = {.token = (uint64_t)(uintptr_t)call, .view = &view}});
	node_flush_soon(w, node);
}

static void serve_request(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	const struct asking *asking = &message->asking;
	struct call *call = take(w, node, conn, message);

	call->asking = *asking;
	if (!manages(node, conn)) {
		bool write = message->kind == MSG_SUBMIT;

		serve_reply(w, call, &(struct message){.kind = write ? MSG_REPLY_SUBMIT : MSG_REPLY_QUERY,
						       .answering = {.verdict = VERDICT_MOVED, .told = TOLD_MOVED, .moved = true}});
		return;
	}
	if (message->kind == MSG_SUBMIT) {
		decide_submitted(w, node, call);
		node_step(w, node, &(struct replica_event){.kind = REPLICA_SUBMIT, .submit = call_write(call)});
		return;
	}
	node_step(w, node, &(struct replica_event){.kind = REPLICA_QUERY,
						   .query = {.token = (uint64_t)(uintptr_t)call,
								     .view = asking->view,
								     .floor = asking->at_primary ? 0 : asking->floor}});
}

static void receive_push(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	const struct pushing *pushing = message->pushing;
	struct call *call = take(w, node, conn, message);
	struct replica_push push = pushing->push;
	uint8_t (*bytes)[OPERATION_BYTES] = world_alloc((push.entries_count + 1) * sizeof *bytes);
	struct replica_entry *entries = world_alloc((push.entries_count + 1) * sizeof *entries);

	for (uint32_t i = 0; i < push.entries_count; i++)
		entries[i] = (struct replica_entry){.view = pushing->entries[i].view, .body = bytes[i],
						    .size = body_bytes(w, pushing->entries[i].body, bytes[i])};
	push.entries = entries;
	if (push.record != NULL)
		push.record = &pushing->record;
	node->piece = pushing;
	if (conn->established && speaker_pushes(&conn->speaker))
		node_step(w, node, &(struct replica_event){.kind = REPLICA_PUSH,
							   .push = {.token = (uint64_t)(uintptr_t)call,
								    .from = {.id = conn->speaker.identity.id,
									     .uuid = conn->speaker.identity.uuid},
								    .push = &push}});
	node->piece = NULL;
	free(bytes);
	free(entries);
}

void serve_message(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	switch (message->kind) {
	case MSG_HELLO:
		serve_hello(w, node, conn, message);
		break;
	case MSG_HEARTBEAT:
		serve_heartbeat(w, node, conn, message);
		break;
	case MSG_INSTALL:
		serve_install(w, node, conn, message);
		break;
	case MSG_BIND:
		serve_bind(w, node, conn, message);
		break;
	case MSG_WATCH: {
		struct managed *managed = managed_new(w, node);
		struct call *call = take(w, node, conn, message);

		if (managed->report.news != message->seen) {
			serve_reply(w, call, &(struct message){.kind = MSG_REPLY_WATCH, .managed = managed});
		} else {
			free(managed);
			conn->watch = call;
		}
		break;
	}
	case MSG_PING:
		serve_reply(w, take(w, node, conn, message), &(struct message){.kind = MSG_REPLY_PING});
		break;
	case MSG_PUSH:
		receive_push(w, node, conn, message);
		break;
	default:
		serve_request(w, node, conn, message);
		break;
	}
	node_flush_soon(w, node);
}

/* --- to other replicas -------------------------------------------------------------------------------------------- */

struct conn *links_find(struct world *w, struct node *node, const struct replica_name *name)
{
	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		if (conn->process[CLIENT_END] == node->id && conn->life[CLIENT_END] == node->life &&
		    conn->open[CLIENT_END] && conn->id == name->id && uuid_equal(conn->uuid, name->uuid))
			return conn;
	}
	return NULL;
}

void serve_connect(struct world *w, struct node *node, const struct replica_connect *connect)
{
	struct conn *conn = links_find(w, node, &connect->to);
	struct hello *hello = world_alloc(sizeof *hello);

	if (conn != NULL)
		net_close(w, conn, CLIENT_END);
	conn = net_open(w, node->id, connect->to.id, connect->address);
	conn->uuid = connect->to.uuid;
	conn->incarnation = connect->incarnation;
	hello->me = node_identity(node);
	hello->me.purpose = PURPOSE_PUSH;
	hello->you = speaker_meant(&hello->me, &connect->to, connect->incarnation);
	net_send(w, conn, CLIENT_END, &(struct message){.kind = MSG_HELLO, .hello = hello});
	world_at(w, 1000000,
		 (struct world_event){.kind = EV_HELLO_LATE, .node = node->id, .life = node->life, .conn = conn});
}

void links_lost(struct world *w, struct node *node, struct conn *conn)
{
	world_say(w, "replica %" PRIu32 " loses its connection to %" PRIu32, node->id, conn->id);
	node_step(w, node, &(struct replica_event){.kind = REPLICA_PEER_DOWN,
						   .peer_down = {.id = conn->id, .uuid = conn->uuid}});
	node_flush_soon(w, node);
}

static void fill_state(struct world *w, const struct node *node, struct pushing *pushing)
{
	uint32_t first = (uint32_t)pushing->push.state_first;
	uint32_t left;

	must(pushing->push.base_op == node->live.count);
	must(digest_equal(pushing->push.base_digest, node->live.digest));
	if (first > node->live.count)
		first = node->live.count;
	left = node->live.count - first;
	if (left > w->profile.piece_entries)
		left = w->profile.piece_entries;
	pushing->push.state_first = first;
	pushing->init = node->live.init;
	pushing->total = node->live.count;
	pushing->pieces_count = left;
	pushing->pieces = world_alloc(left * sizeof *pushing->pieces);
	if (left > 0)
		memcpy(pushing->pieces, node->live.bodies + first, left * sizeof *pushing->pieces);
}

void serve_push(struct world *w, struct node *node, const struct replica_send *sent)
{
	struct conn *conn = links_find(w, node, &sent->to);
	const struct replica_push *push = &sent->push;
	struct pushing *pushing = world_alloc(sizeof *pushing);

	must(conn != NULL);
	must(conn->up);
	check_spoken(w, node, push->view, "a push");
	pushing->push = *push;
	if (push->record != NULL)
		pushing->record = *push->record;
	if (push->has_state)
		fill_state(w, node, pushing);
	pushing->entries = world_alloc(push->entries_count * sizeof *pushing->entries);
	for (uint32_t i = 0; i < push->entries_count; i++) {
		uint64_t op = push->base_op + 1 + i;
		struct replica_entry entry = replica_entry_at(node->core, op);

		pushing->entries[i] = (struct world_entry){.view = entry.view,
							   .body = body_of(w, entry.body, entry.size)};
		check_named(w, entry.view, op, pushing->entries[i].body);
	}
	world_say(w,
		  "replica %" PRIu32 " pushes to %" PRIu32 ": view %" PRIu64 " base %" PRIu64 " +%" PRIu32
		  " last %" PRIu64 " commit %" PRIu64 "%s%s",
		  node->id, sent->to.id, push->view, push->base_op, push->entries_count,
		  push->last_op, push->commit, push->has_state ? " state" : "",
		  push->record != NULL ? " record" : "");
	net_send(w, conn, CLIENT_END, &(struct message){.kind = MSG_PUSH, .call = sent->token, .pushing = pushing});
}

static void links_hello_answered(struct world *w, struct node *node, struct conn *conn, const struct hello *hello)
{
	const struct replica_name name = {.id = conn->id, .uuid = conn->uuid};

	if (!speaker_is_meant(&name, conn->incarnation, hello->status, &hello->me)) {
		net_close(w, conn, CLIENT_END);
		links_lost(w, node, conn);
		return;
	}
	conn->up = true;
	conn->full = hello->report.disk_full;
	node_step(w, node, &(struct replica_event){.kind = REPLICA_PEER_UP,
						   .peer_up = {.peer = name, .incarnation = conn->incarnation,
							       .report = &hello->report}});
}

void links_heard(struct world *w, struct node *node, struct conn *conn, const struct message *message)
{
	switch (message->kind) {
	case MSG_REPLY_HELLO:
		links_hello_answered(w, node, conn, message->hello);
		break;
	case MSG_REPLY_PING:
		node_step(w, node, &(struct replica_event){.kind = REPLICA_PONG,
							   .pong = {.id = conn->id, .uuid = conn->uuid}});
		break;
	case MSG_REPLY_PUSH:
		world_say(w,
			  "replica %" PRIu32 " hears from %" PRIu32 ": ack %d view %" PRIu64 " op %" PRIu64
			  " commit %" PRIu64 " next %" PRId64,
			  node->id, conn->id, (int)message->ack.status, message->ack.view, message->ack.op,
			  message->ack.commit, (int64_t)message->ack.state_next);
		conn->full = message->ack.disk_full;
		node_step(w, node, &(struct replica_event){.kind = REPLICA_ACK,
							   .ack = {.from = {.id = conn->id, .uuid = conn->uuid},
								   .token = message->call, .ack = &message->ack}});
		break;
	default:
		must_not_reach("a reply that a server of ours sends");
	}
	node_flush_soon(w, node);
}
