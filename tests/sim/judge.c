/* The truth that no core is asked for: which operation stands at which op for ever, what clients were told, what the
 * disks hold. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/internal.h"

#define BODY_HEAD 28

/* --- operations --------------------------------------------------------------------------------------------------- */

uint32_t body_new(struct world *w, uint32_t client, uint64_t request, uint64_t content)
{
	uint64_t room = w->bodies_room;

	w->bodies = world_grow(w->bodies, w->bodies_count, &room, sizeof *w->bodies);
	w->bodies_room = (uint32_t)room;
	w->bodies[w->bodies_count] = (struct body){.client = client, .request = request, .content = content,
						   .size = BODY_HEAD + world_draw(w, 200)};
	return w->bodies_count++;
}

/* Two executions of one request would have different bodies: the number of the body is in it. */
uint32_t body_bytes(const struct world *w, uint32_t number, uint8_t bytes[static 256])
{
	const struct body *body = &w->bodies[number];

	memcpy(bytes, &number, 4);
	memcpy(bytes + 4, &body->client, 4);
	memcpy(bytes + 8, &body->request, 8);
	memcpy(bytes + 16, &body->content, 8);
	for (uint32_t i = 24; i < body->size; i++)
		bytes[i] = (uint8_t)(number + i);
	return body->size;
}

uint32_t body_of(struct world *w, const uint8_t *bytes, uint32_t size)
{
	uint8_t expected[256];
	uint32_t number;

	must(size >= BODY_HEAD);
	memcpy(&number, bytes, sizeof number);
	must(number < w->bodies_count);
	if (body_bytes(w, number, expected) != size || memcmp(expected, bytes, size) != 0)
		world_fail(w, 6, "the body of operation %" PRIu32 " changed on its way", number);
	return number;
}

struct uuid client_uuid(uint32_t index)
{
	struct uuid uuid = {.bytes = {0xC1}};

	memcpy(uuid.bytes + 4, &index, sizeof index);
	return uuid;
}

struct digest content_digest(uint64_t content)
{
	return digest_of(&content, sizeof content);
}

/* --- what is applied ---------------------------------------------------------------------------------------------- */

static void execute(struct world *w, uint32_t number, uint64_t op)
{
	const struct body *body = &w->bodies[number];
	struct client *client = &w->clients[body->client];
	uint64_t room = client->executed_room;

	for (uint32_t i = 0; i < client->executed_count; i++) {
		if (client->executed[i].request == body->request)
			world_fail(w, 11,
				   "request %" PRIu64 " of client %" PRIu32 " executed twice: ops %" PRIu64
				   " and %" PRIu64,
				   body->request, body->client, client->executed[i].op, op);
	}
	for (uint32_t i = 0; i < client->refused_count; i++) {
		if (client->refused[i] == body->request)
			world_fail(w, 12, "request %" PRIu64 " of client %" PRIu32 " executed after it was refused",
				   body->request, body->client);
	}
	client->executed = world_grow(client->executed, client->executed_count, &room, sizeof *client->executed);
	client->executed_room = (uint32_t)room;
	client->executed[client->executed_count++] =
		(struct executed){.request = body->request, .content = body->content, .op = op};
}

void judge_applied(struct world *w, const struct node *node, uint64_t op, uint32_t body)
{
	if (op <= w->committed_count) {
		if (w->committed[op - 1] != body)
			world_fail(w, 6, "replica %" PRIu32 " applies another operation at op %" PRIu64, node->id, op);
		return;
	}
	must(op == w->committed_count + 1);
	w->committed = world_grow(w->committed, w->committed_count, &w->committed_room, sizeof *w->committed);
	w->committed[w->committed_count++] = body;
	execute(w, body, op);
}

/* RULE 6 */
void judge_named(struct world *w, uint64_t view, uint64_t op, uint32_t body)
{
	if ((w->names_count + 1) * 2 > w->names_room) {
		uint64_t room = w->names_room == 0 ? 4096 : w->names_room * 2;
		void *old = w->names;
		uint64_t old_room = w->names_room;

		w->names = world_alloc(room * sizeof *w->names);
		w->names_room = room;
		w->names_count = 0;
		for (uint64_t i = 0; i < old_room; i++) {
			typeof(w->names) name = (typeof(w->names))old + i;

			if (name->op != 0)
				judge_named(w, name->view, name->op, name->body);
		}
		free(old);
	}
	for (uint64_t at = (view * 0x9E3779B97F4A7C15u + op) * 0x9E3779B97F4A7C15u >> 20;; at++) {
		typeof(w->names) name = &w->names[at & (w->names_room - 1)];

		if (name->op == 0) {
			name->view = view;
			name->op = op;
			name->body = body;
			w->names_count++;
			return;
		}
		if (name->view != view || name->op != op)
			continue;
		if (name->body != body)
			world_fail(w, 6, "view %" PRIu64 " op %" PRIu64 " names two operations", view, op);
		return;
	}
}

/* --- what is said ------------------------------------------------------------------------------------------------- */

static const struct node *disk_of(const struct world *w, const struct view_member *member)
{
	const struct node *node = &w->nodes[member->id];

	return uuid_equal(node->disk.image.uuid, member->uuid) ? node : NULL; /* wiped since: nobody can know */
}

/* RULE 1, by the disks: alive or not, every member of the view holds what is answered. */
void judge_answered(struct world *w, const struct node *node, const struct call *call,
		    const struct replica_action *action)
{
	const struct view *view = replica_view(node->core);
	uint64_t op = action->op;

	if (action->verdict != VERDICT_DONE)
		return;
	if (op == 0 || op > w->committed_count)
		world_fail(w, 1, "replica %" PRIu32 " answers op %" PRIu64 " that nobody applied", node->id, op);

	uint32_t number = w->committed[op - 1];
	const struct body *body = &w->bodies[number];

	if (body->client != call->asking.client || body->request != call->asking.request ||
	    body->content != call->asking.content)
		world_fail(w, 11, "op %" PRIu64 " answers another request than client %" PRIu32 "'s %" PRIu64, op,
			   call->asking.client, call->asking.request);
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct node *member = disk_of(w, &view->members[i]);

		if (member == NULL)
			continue;
		if (disk_last(&member->disk) < op || disk_body(&member->disk, op) != number)
			world_fail(w, 1,
				   "replica %" PRIu32 " answers op %" PRIu64 " in view %" PRIu64
				   ", which is not on member %" PRIu32 "'s disk (it ends at op %" PRIu64 ")",
				   node->id, op, view->number, member->id, disk_last(&member->disk));
	}
}

/* RULE 2 */
void judge_spoken(struct world *w, const struct node *node, uint64_t view, const char *what)
{
	if (node->disk.image.view < view)
		world_fail(w, 2, "replica %" PRIu32 " sends %s in view %" PRIu64 ", its disk knows view %" PRIu64,
			   node->id, what, view, node->disk.image.view);
}

/* RULE 4 */
void judge_acked(struct world *w, const struct node *node, const struct replica_ack *ack)
{
	if (ack->status != PUSH_OK)
		return;
	judge_spoken(w, node, ack->view, "an acknowledgement");
	if (ack->op > disk_last(&node->disk))
		world_fail(w, 4, "replica %" PRIu32 " acknowledges op %" PRIu64 ", its disk ends at op %" PRIu64, node->id,
			   ack->op, disk_last(&node->disk));
}

static const struct executed *executed_of(const struct client *client, uint64_t request)
{
	for (uint32_t i = client->executed_count; i > 0; i--) {
		if (client->executed[i - 1].request == request)
			return &client->executed[i - 1];
	}
	return NULL;
}

static void note_refused(struct client *client)
{
	uint64_t room = client->refused_room;

	client->refused = world_grow(client->refused, client->refused_count, &room, sizeof *client->refused);
	client->refused_room = (uint32_t)room;
	client->refused[client->refused_count++] = client->request;
}

/* A final answer of a write. RULE 11, 12. */
void judge_told(struct world *w, struct client *client, const struct answering *answer)
{
	const struct executed *done = executed_of(client, client->request);

	switch (answer->verdict) {
	case VERDICT_DONE:
		if (done == NULL || done->op != answer->op || done->content != client->content)
			world_fail(w, 11,
				   "client %" PRIu32 " request %" PRIu64 " is told op %" PRIu64
				   ", executed at op %" PRIu64,
				   client->index, client->request, answer->op, done == NULL ? 0 : done->op);
		if (answer->op > w->shown)
			w->shown = answer->op;
		w->counts->done++;
		return;
	case VERDICT_CONFLICT:
		if (!client->conflict)
			world_fail(w, 11,
				   "client %" PRIu32 " request %" PRIu64 ": conflict, and it never sent anything else",
				   client->index, client->request);
		return;
	case VERDICT_SUPERSEDED:
		if (client->repeat || client->conflict || client->request == client->highest)
			world_fail(w, 11, "client %" PRIu32 " request %" PRIu64 " is called superseded", client->index,
				   client->request);
		break;
	default:
		break;
	}
	if (done != NULL)
		world_fail(w, 12, "client %" PRIu32 " request %" PRIu64 " is refused, executed at op %" PRIu64,
			   client->index, client->request, done->op);
	note_refused(client);
	w->counts->refused++;
}

/* RULE 8 */
void judge_read(struct world *w, struct client *client, uint64_t op)
{
	if (op < client->must_see)
		world_fail(w, 8, "a read shows op %" PRIu64 " after an answer had shown op %" PRIu64, op,
			   client->must_see);
	if (op > w->committed_count)
		world_fail(w, 8, "a read shows op %" PRIu64 ", committed is %" PRIu64, op, w->committed_count);
	if (op > w->shown)
		w->shown = op;
	w->counts->reads++;
}

/* --- after every event -------------------------------------------------------------------------------------------- */

/* RULE 6, 7: the commit point never falls; one process serves a view. */
void judge_node(struct world *w, struct node *node)
{
	uint64_t commit = replica_commit(node->core);

	if (commit < node->commit_seen)
		world_fail(w, 7, "replica %" PRIu32 ": commit fell from %" PRIu64 " to %" PRIu64, node->id,
			   node->commit_seen, commit);
	node->commit_seen = commit;
}

static void judge_serving(struct world *w, const struct node *node, const struct report *report)
{
	typeof(&w->serving[0]) slot = &w->serving[report->view.number % (sizeof w->serving / sizeof w->serving[0])];

	if (report->state != STATE_SERVING)
		return;
	if (slot->view == report->view.number && (slot->node != node->id || slot->life != node->life))
		world_fail(w, 6, "view %" PRIu64 " is served by two processes", report->view.number);
	slot->view = report->view.number;
	slot->node = node->id;
	slot->life = node->life;
}

void judge_report(struct world *w, const struct node *node, const struct report *report)
{
	judge_serving(w, node, report);
	if (report->view.number > w->counts->views)
		w->counts->views = report->view.number;
	if (report->view.number > 0)
		judge_spoken(w, node, report->view.number, "a report");
	if (report->op > disk_last(&node->disk))
		world_fail(w, 4, "replica %" PRIu32 " reports op %" PRIu64 ", its disk ends at op %" PRIu64, node->id,
			   report->op, disk_last(&node->disk));
	if (report->digest_op == node->live.count && !digest_equal(report->digest, node->live.digest))
		world_fail(w, 14, "replica %" PRIu32 " names another digest than its history's at op %" PRIu64, node->id,
			   report->digest_op);
}

/* --- the second act ----------------------------------------------------------------------------------------------- */

/* All live replicas are members, follow, and hold the same. */
bool judge_level(struct world *w, char *why, size_t size)
{
	const struct node *first = &w->nodes[1];

	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		if (w->clients[i].pending || w->clients[i].in_router) {
			snprintf(why, size, "client %" PRIu32 " waits for request %" PRIu64, i, w->clients[i].request);
			return false;
		}
	}
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		const struct node *node = &w->nodes[id];
		struct report report;

		if (!node->alive) {
			snprintf(why, size, "replica %" PRIu32 " is not there", id);
			return false;
		}
		node_report(w, node, &report);
		if ((report.state != STATE_SERVING && report.state != STATE_FOLLOWING) || report.role == ROLE_LEARNER ||
		    node->live.count != w->committed_count || report.op != w->committed_count ||
		    !digest_equal(node->live.digest, first->live.digest)) {
			snprintf(why, size,
				 "replica %" PRIu32 " is %s %s in view %" PRIu64 ", commit %" PRIu64 " of %" PRIu64, id,
				 replica_role_name(report.role), replica_state_name(report.state), report.view.number,
				 report.commit, w->committed_count);
			return false;
		}
		for (uint64_t op = 1; op <= w->committed_count; op++) {
			if (disk_body(&node->disk, op) != w->committed[op - 1])
				world_fail(w, 6, "replica %" PRIu32 "'s disk holds another operation at op %" PRIu64, id,
					   op);
		}
	}
	return true;
}

/* Some data that is needed is gone for good: then rules 3 and 18 wait, rightly, for the operator. */
bool judge_data_is_gone(struct world *w)
{
	const struct view *highest = &w->front.stored.view;

	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (w->nodes[id].alive && replica_view(w->nodes[id].core)->number > highest->number)
			highest = replica_view(w->nodes[id].core);
	}
	for (uint32_t i = 0; i < highest->members_count; i++) {
		if (disk_of(w, &highest->members[i]) != NULL && !w->profile.lose_directory)
			return false;
		if (disk_of(w, &highest->members[i]) == NULL && w->profile.lose_directory)
			return true;
	}
	return !w->profile.lose_directory;
}
