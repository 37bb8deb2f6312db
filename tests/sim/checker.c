/* The truth that no core is asked for: which operation stands at which op forever, what the disks hold. */
#include "tests/sim/checker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- what is applied ---------------------------------------------------------------------------------------------- */

/* RULE 1, 7: the first to apply an operation is a primary, or a backup that it told; either way each member of the view
 * has it on its disk. */
static void check_first(struct world *w, const struct node *node, uint64_t op, uint32_t body)
{
	const struct view *view = replica_view(node->core);

	if (node->recovering)
		world_fail(w, 7, "replica %" PRIu32 " applies op %" PRIu64 " at its start, and nobody had committed it",
			   node->id, op);
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct node *member = check_disk_of(w, &view->members[i]);

		if (member == NULL || (disk_last(&member->disk) >= op && disk_body(&member->disk, op) == body))
			continue;
		world_fail(w, member == node ? 1 : 7,
			   "replica %" PRIu32 " applies op %" PRIu64 " in view %" PRIu64
			   ", which is not on member %" PRIu32 "'s disk (it ends at op %" PRIu64 ")",
			   node->id, op, view->number, member->id, disk_last(&member->disk));
	}
}

void check_applied(struct world *w, const struct node *node, uint64_t op, uint32_t body)
{
	if (op > LIMIT_OPERATIONS(node->orders_max))
		world_fail(w, 19, "replica %" PRIu32 " applies op %" PRIu64 ", the most it holds is %" PRIu64, node->id, op,
			   LIMIT_OPERATIONS(node->orders_max));
	if (op <= w->committed_count) {
		if (w->committed[op - 1] != body)
			world_fail(w, 7, "replica %" PRIu32 " applies another operation at op %" PRIu64, node->id, op);
		return;
	}
	must(op == w->committed_count + 1);
	check_first(w, node, op, body);
	w->committed = world_grow(w->committed, w->committed_count, &w->committed_room, sizeof *w->committed);
	w->committed[w->committed_count++] = body;
	check_decides(w, op, body);
}

/* RULE 6 */
void check_named(struct world *w, uint64_t view, uint64_t op, uint32_t body)
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
				check_named(w, name->view, name->op, name->body);
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

/* RULE 2 */
void check_spoken(struct world *w, const struct node *node, uint64_t view, const char *what)
{
	if (node->disk.image.view < view)
		world_fail(w, 2, "replica %" PRIu32 " sends %s in view %" PRIu64 ", its disk knows view %" PRIu64,
			   node->id, what, view, node->disk.image.view);
}

/* The entry at an acknowledged op is the one that the primary of that view has there. */
static bool proved_equal(const struct world *w, const struct node *node, uint64_t op)
{
	const struct view *view = replica_view(node->core);
	const struct node *primary = &w->nodes[view->primary];

	if (!primary->alive || replica_view(primary->core)->number != view->number || disk_last(&primary->disk) < op)
		return true; /* nobody can know */
	return disk_body(&primary->disk, op) == disk_body(&node->disk, op);
}

/* RULE 4 */
void check_acked(struct world *w, const struct node *node, const struct replica_ack *ack)
{
	if (ack->status != PUSH_OK)
		return;
	check_spoken(w, node, ack->view, "an acknowledgement");
	if (ack->op > disk_last(&node->disk))
		world_fail(w, 4, "replica %" PRIu32 " acknowledges op %" PRIu64 ", its disk ends at op %" PRIu64, node->id,
			   ack->op, disk_last(&node->disk));
	if (ack->op > 0 && !proved_equal(w, node, ack->op))
		world_fail(w, 4, "replica %" PRIu32 " acknowledges op %" PRIu64 " and holds another operation there",
			   node->id, ack->op);
	if (ack->view > 0 && !uuid_equal(ack->uuid, node->disk.image.uuid))
		world_fail(w, 4, "replica %" PRIu32 " acknowledges with another uuid than its disk's", node->id);
	if (ack->commit > w->committed_count)
		world_fail(w, 7, "replica %" PRIu32 " names commit point %" PRIu64 ", committed is %" PRIu64, node->id,
			   ack->commit, w->committed_count);
}

/* RULE 13: no order goes on while a member has no room, as far as the primary was told. */
static void check_room(struct world *w, const struct node *node)
{
	const struct view *view = replica_view(node->core);

	if (node->full_told)
		world_fail(w, 13, "replica %" PRIu32 " takes an order and its disk is full", node->id);
	for (const struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		if (conn->process[CLIENT_END] == node->id && conn->life[CLIENT_END] == node->life &&
		    conn->open[CLIENT_END] && conn->up && conn->full &&
		    view_member_exact(view, conn->id, conn->uuid) != NULL)
			world_fail(w, 13, "replica %" PRIu32 " takes an order and the disk of member %" PRIu32 " is full",
				   node->id, conn->id);
	}
}

/* RULE 4: a request is validated, and so on its way to the log, only in the view that is served. */
void check_accepted(struct world *w, const struct node *node, const struct call *call)
{
	const struct view *view = replica_view(node->core);

	if (call->asking.view != view->number || view->primary != node->id)
		world_fail(w, 4, "replica %" PRIu32 " takes in view %" PRIu64 " what was asked in view %" PRIu64,
			   node->id, view->number, call->asking.view);
	if (view->members_count < w->profile.min_members)
		world_fail(w, 10, "replica %" PRIu32 " takes an order with %" PRIu32 " members", node->id,
			   view->members_count);
	check_room(w, node);
}

/* On its disk, or on its way there: a read does not depend on which. */
static bool whole_in_its_view(const struct node *node, const struct replica_meta *meta)
{
	for (uint32_t i = 0; i < node->disk.pending_count; i++) {
		const struct replica_meta *next = node->disk.pending[i].meta;

		if (next != NULL && next->view.number == meta->view.number && next->whole_view == meta->view.number)
			return true;
	}
	return meta->whole_view == meta->view.number;
}

/* RULE 8: a read is answered by a member of its view, whose log was made whole in it, and at its floor. */
void check_released(struct world *w, const struct node *node, const struct call *call)
{
	const struct replica_meta *meta = node->disk.image.meta;

	if (meta == NULL || meta->view.number < call->asking.view ||
	    replica_view(node->core)->number != call->asking.view)
		world_fail(w, 8, "replica %" PRIu32 " answers a read of view %" PRIu64 ", its own is %" PRIu64, node->id,
			   call->asking.view, replica_view(node->core)->number);
	if (meta->view.number == call->asking.view &&
	    (view_member_exact(&meta->view, node->id, meta->uuid) == NULL || !whole_in_its_view(node, meta)))
		world_fail(w, 8,
			   "replica %" PRIu32 " answers a read of view %" PRIu64
			   ", where it is no member or its log was made whole only in view %" PRIu64,
			   node->id, call->asking.view, meta->whole_view);
	if (!call->asking.at_primary && node->live.count < call->asking.floor)
		world_fail(w, 8, "replica %" PRIu32 " answers a read at op %" PRIu32 ", its floor is op %" PRIu64,
			   node->id, node->live.count, call->asking.floor);
}

/* RULE 12: one answer for one question. */
void check_token(struct world *w, struct call *call)
{
	if (call->answered)
		world_fail(w, 12, "replica %" PRIu32 " answers a call twice", call->node->id);
	call->answered = true;
}

/* --- after every event -------------------------------------------------------------------------------------------- */

/* RULE 6, 7: the commit point never falls; one process serves a view. */
void check_node(struct world *w, struct node *node)
{
	uint64_t commit = replica_commit(node->core);

	if (commit < node->commit_seen)
		world_fail(w, 7, "replica %" PRIu32 ": commit fell from %" PRIu64 " to %" PRIu64, node->id,
			   node->commit_seen, commit);
	node->commit_seen = commit;
	if (replica_view(node->core)->number < node->view_seen)
		world_fail(w, 2, "replica %" PRIu32 ": view fell from %" PRIu64 " to %" PRIu64, node->id, node->view_seen,
			   replica_view(node->core)->number);
	node->view_seen = replica_view(node->core)->number;
	if (commit > w->committed_count)
		world_fail(w, 7, "replica %" PRIu32 ": commit point %" PRIu64 ", committed is %" PRIu64, node->id, commit,
			   w->committed_count);
}

/* RULE 5: before it serves, what earlier views left in its log is committed, and every member has the view. */
static void check_settled(struct world *w, const struct node *node, const struct report *report)
{
	const struct disk *disk = &node->disk;

	for (uint64_t op = report->commit + 1; op <= disk_last(disk); op++) {
		if (disk->image.log[op].view < report->view.number)
			world_fail(w, 5,
				   "replica %" PRIu32 " serves view %" PRIu64 ", op %" PRIu64 " of view %" PRIu64
				   " is not committed",
				   node->id, report->view.number, op, disk->image.log[op].view);
	}
	for (uint32_t i = 0; i < report->view.members_count; i++) {
		const struct node *member = check_disk_of(w, &report->view.members[i]);

		if (member != NULL && member->disk.image.view < report->view.number)
			world_fail(w, 5,
				   "replica %" PRIu32 " serves view %" PRIu64 ", member %" PRIu32
				   "'s disk knows view %" PRIu64,
				   node->id, report->view.number, member->id, member->disk.image.view);
	}
}

static void check_serving(struct world *w, const struct node *node, const struct report *report)
{
	typeof(&w->serving[0]) slot = &w->serving[report->view.number % (sizeof w->serving / sizeof w->serving[0])];

	if (report->state != STATE_SERVING)
		return;
	if (slot->view == report->view.number && (slot->node != node->id || slot->life != node->life))
		world_fail(w, 6, "view %" PRIu64 " is served by two processes", report->view.number);
	check_settled(w, node, report);
	slot->view = report->view.number;
	slot->node = node->id;
	slot->life = node->life;
}

void check_report(struct world *w, const struct node *node, const struct report *report)
{
	check_serving(w, node, report);
	for (uint32_t i = 0; i < report->needs_count; i++)
		w->counts->full_needs += report->needs[i].kind == NEED_FULL;
	if (report->view.number > w->counts->views)
		w->counts->views = report->view.number;
	if (report->view.number > 0)
		check_spoken(w, node, report->view.number, "a report");
	if (node->disk.image.meta != NULL && report->whole_view > node->disk.image.meta->whole_view)
		world_fail(w, 2, "replica %" PRIu32 " reports a log made whole in view %" PRIu64 ", its disk says %" PRIu64,
			   node->id, report->whole_view, node->disk.image.meta->whole_view);
	if (report->op > disk_last(&node->disk))
		world_fail(w, 4, "replica %" PRIu32 " reports op %" PRIu64 ", its disk ends at op %" PRIu64, node->id,
			   report->op, disk_last(&node->disk));
	if (report->digest_op == node->live.count && !digest_equal(report->digest, node->live.digest))
		world_fail(w, 14, "replica %" PRIu32 " names another digest than its history's at op %" PRIu64, node->id,
			   report->digest_op);
}

/* RULE 16: no time before the last one; and as long as the log's times are real, none that is more than a minute late where
 * another member, whose clock is right, has told it. */
void check_dated(struct world *w, const struct node *node, int64_t previous_us, int64_t time_us)
{
	int64_t latest_us = world_wall_us(w) + INT64_C(61000000);

	if (time_us < previous_us)
		world_fail(w, 16, "replica %" PRIu32 " dates an order %" PRId64 " us before the last one", node->id,
			   previous_us - time_us);
	if (previous_us <= latest_us && time_us > latest_us && replica_view(node->core)->members_count > 1)
		world_fail(w, 16, "replica %" PRIu32 " dates an order %" PRId64 " s ahead", node->id,
			   (time_us - latest_us) / 1000000 + 61);
	w->counts->late_clocks += node->wall_ahead_us > INT64_C(61000000);
}
