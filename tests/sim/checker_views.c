/* The truth about views: what each number names, on which disks it is, and who was in it; and about the end, when all
 * must be level. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/checker.h"

/* NULL: wiped since, so it cannot be known. */
const struct node *check_disk_of(const struct world *w, const struct view_member *member)
{
	const struct node *node = &w->nodes[member->id];

	return uuid_equal(node->disk.image.uuid, member->uuid) && !node->disk.hurt ? node : NULL;
}

bool check_any_hurt(const struct world *w)
{
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (w->nodes[id].disk.hurt)
			return true;
	}
	return false;
}

static const struct replica_meta *highest_meta(const struct world *w)
{
	const struct replica_meta *highest = NULL;

	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		const struct replica_meta *meta = w->nodes[id].disk.image.meta;

		if (meta != NULL && meta->view.number > 0 &&
		    (highest == NULL || meta->view.number > highest->view.number))
			highest = meta;
	}
	return highest;
}

/* --- what reaches a disk ------------------------------------------------------------------------------------------ */

/* RULE 2: one number names one view. */
static void check_number(struct world *w, const struct node *node, const struct view *view)
{
	if (view->number >= w->numbered_room)
		w->numbered = world_grow(w->numbered, view->number, &w->numbered_room, sizeof *w->numbered);
	if (w->numbered[view->number].number == 0)
		w->numbered[view->number] = *view;
	if (!view_equal(&w->numbered[view->number], view))
		world_fail(w, uuid_equal(w->numbered[view->number].manager, view->manager) ? 2 : 20,
			   "replica %" PRIu32 " writes another view %" PRIu64 " than a disk knew before", node->id,
			   view->number);
}

static void ends_unnoticed(struct world *w)
{
	w->over = true;
	w->counts->unnoticed++;
}

/* RULE 3: a primary on an old copy of its disk has all that any client was shown; that much the view manager knows.
 * What was committed and never shown is lost with it, and no promise is broken. */
static void check_old_copy(struct world *w, const struct node *node, const struct view *view)
{
	const struct replica_meta *highest = highest_meta(w);

	if (view->primary != node->id || !node->disk.hurt || (highest != NULL && highest->view.number >= view->number))
		return; /* or its disk was so late that others have gone on since */
	if (disk_last(&node->disk) < w->shown)
		world_fail(w, 3,
			   "replica %" PRIu32 " leads view %" PRIu64 " on an old copy that ends at op %" PRIu64
			   "; a client was shown op %" PRIu64,
			   node->id, view->number, disk_last(&node->disk), w->shown);
	if (disk_last(&node->disk) < w->committed_count)
		ends_unnoticed(w);
}

/* A view, a binding, a joint learner: before it is on the disk. */
void check_record(struct world *w, const struct node *node, const struct replica_meta *meta)
{
	const struct replica_meta *before = node->disk.image.meta;

	if (meta->view.number < node->disk.image.view)
		world_fail(w, 2, "replica %" PRIu32 "'s disk falls from view %" PRIu64 " to %" PRIu64, node->id,
			   node->disk.image.view, meta->view.number);
	if (meta->view.number == 0)
		return;
	if (before != NULL && before->view.number == meta->view.number && view_equal(&before->view, &meta->view))
		return;
	if (before != NULL && before->view.number > 0 && !uuid_equal(before->view.cluster, meta->view.cluster))
		world_fail(w, 17, "replica %" PRIu32 " enters view %" PRIu64 " of another cluster", node->id,
			   meta->view.number);
	if (before != NULL && !uuid_is_nil(before->bound) && !uuid_equal(before->bound, meta->view.manager))
		world_fail(w, 20, "replica %" PRIu32 " enters view %" PRIu64 " of a manager that it is not bound to",
			   node->id, meta->view.number);
	check_number(w, node, &meta->view);
	check_old_copy(w, node, &meta->view);
}

static bool keeps(const struct record *record, uint64_t op, uint32_t body)
{
	return op <= record->op ||
	       (op <= record->last_op && record->entries[op - record->op - 1].body == body);
}

/* RULE 5: a push never removes an entry that matches, and never cuts below the commit point: of the whole cluster for a
 * member of the highest view, else of the replica itself. An evicted member may hold what was committed since, and a
 * deposed primary may cut that. */
void check_batch(struct world *w, const struct node *node, const struct record *record)
{
	const struct image *image = &node->disk.image;
	const struct replica_meta *highest = highest_meta(w);
	bool member = highest != NULL && view_member_exact(&highest->view, node->id, image->uuid) != NULL;
	uint64_t kept = member ? w->committed_count : image->commit;

	for (uint64_t op = record->op + 1; op <= image->last && op <= kept && op <= w->committed_count; op++) {
		if (image->log[op].body == w->committed[op - 1] && !keeps(record, op, image->log[op].body))
			world_fail(w, 5, "replica %" PRIu32 "'s disk loses op %" PRIu64 ", which is committed", node->id,
				   op);
	}
}

/* --- what the view manager stores --------------------------------------------------------------------------------- */

/* The first member of the view that is bound to another manager; NULL: none. */
static const struct node *not_bound(const struct world *w, const struct view *view, const struct uuid manager)
{
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct node *member = check_disk_of(w, &view->members[i]);

		if (member != NULL && !uuid_equal(member->disk.image.meta->bound, manager))
			return member;
	}
	return NULL;
}

/* RULE 20: a manager that held every member of the highest view at one instant has cut off all others there. It may be
 * replaced before it has stored what it makes of that; then no disk holds its view, which check_record ensures. */
void check_bound(struct world *w, const struct uuid manager)
{
	const struct replica_meta *highest = highest_meta(w);

	if (highest == NULL || uuid_is_nil(manager) || not_bound(w, &highest->view, manager) != NULL)
		return;
	if (w->held_count > 0 && w->held[w->held_count - 1].view == highest->view.number &&
	    uuid_equal(w->held[w->held_count - 1].manager, manager))
		return;
	w->held = world_grow(w->held, w->held_count, &w->held_room, sizeof *w->held);
	w->held[w->held_count].manager = manager;
	w->held[w->held_count++].view = highest->view.number;
}

static bool held_below(const struct world *w, const struct view *view)
{
	for (uint64_t i = 0; i < w->held_count; i++) {
		if (uuid_equal(w->held[i].manager, view->manager) && w->held[i].view < view->number)
			return true;
	}
	return false;
}

/* RULE 18, 20: a manager without the view before this one has asked every replica, and bound it. */
static void check_take_over(struct world *w, const struct view *view)
{
	const struct replica_meta *highest = highest_meta(w);
	const struct node *member;

	if (highest == NULL)
		return;
	if (!uuid_equal(highest->view.cluster, view->cluster))
		world_fail(w, 18, "a front-end forms a cluster with view %" PRIu64 " beside replica %" PRIu32 "'s",
			   view->number, highest->id);
	if (held_below(w, view))
		return;
	if (highest->view.number >= view->number)
		world_fail(w, 18, "a front-end makes view %" PRIu64 " and replica %" PRIu32 "'s disk knows view %" PRIu64,
			   view->number, highest->id, highest->view.number);
	member = not_bound(w, &highest->view, view->manager);
	if (member != NULL)
		world_fail(w, 20,
			   "a front-end takes over with view %" PRIu64 " and never held all members of view %" PRIu64
			   " at once, not member %" PRIu32,
			   view->number, highest->view.number, member->id);
}

/* RULE 9: a learner holds all that was committed when it becomes a member. */
static void check_admitted(struct world *w, const struct view *view, const struct view_member *member)
{
	const struct node *node = check_disk_of(w, member);

	if (node == NULL || !uuid_equal(node->disk.image.meta->bound, view->manager))
		return; /* wiped, or somebody else's since: then nobody installs this view */
	if (disk_last(&node->disk) < w->committed_count ||
	    (w->committed_count > 0 &&
	     disk_body(&node->disk, w->committed_count) != w->committed[w->committed_count - 1]))
		world_fail(w, 9,
			   "view %" PRIu64 " admits replica %" PRIu32 ", whose disk ends at op %" PRIu64
			   "; committed is %" PRIu64,
			   view->number, member->id, disk_last(&node->disk), w->committed_count);
}

static bool knows_other(const struct view *known, const struct view *view)
{
	return known->number >= view->number && !view_equal(known, view);
}

/* On its disk, or handed to a disk that is slow: of this a replica says nothing yet (rule 2). */
static bool will_know_other(const struct node *node, const struct view *view)
{
	for (uint32_t i = 0; i < node->disk.pending_count; i++) {
		const struct replica_meta *meta = node->disk.pending[i].meta;

		if (meta != NULL && knows_other(&meta->view, view))
			return true;
	}
	return node->disk.image.meta != NULL && knows_other(&node->disk.image.meta->view, view);
}

/* RULE 2, 18: a manager's numbers rise. One with an old directory finds out from any member of a newer view; when it
 * meets none, this cannot be noticed, and what was ordered since is lost (docs/testing.md). */
static void check_reused(struct world *w, const struct view *view)
{
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		const struct replica_meta *meta = w->nodes[id].disk.image.meta;

		if (w->front->restored && will_know_other(&w->nodes[id], view)) {
			ends_unnoticed(w);
			return;
		}
		if (meta != NULL && knows_other(&meta->view, view) && uuid_equal(meta->view.manager, view->manager))
			world_fail(w, 2, "view %" PRIu64 " is made, and replica %" PRIu32 "'s disk knows view %" PRIu64,
				   view->number, id, meta->view.number);
	}
}

/* One with an old directory installs its view again, or passes on what its primary says, and meets no replica that
 * could tell it of a newer one. */
void check_goes_on(struct world *w)
{
	const struct view *view = &w->front->stored.view;

	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (!w->over && w->front->restored && will_know_other(&w->nodes[id], view))
			ends_unnoticed(w);
	}
}

void check_stored(struct world *w, const struct view *before, const struct view *view)
{
	const struct view_member *primary = view_member_by_id(view, view->primary);

	if (view->number == 0 || (before->number == view->number && view_equal(before, view)))
		return;
	if (view->number <= before->number)
		world_fail(w, 2, "view %" PRIu64 " is stored after view %" PRIu64, view->number, before->number);
	if (primary == NULL)
		world_fail(w, 3, "view %" PRIu64 " has a primary that is no member", view->number);
	if (before->number == 0 || !uuid_equal(before->manager, view->manager)) {
		check_take_over(w, view);
		return;
	}
	check_reused(w, view);
	if (w->over)
		return;
	if (view_member_exact(before, primary->id, primary->uuid) == NULL)
		world_fail(w, 3, "view %" PRIu64 " makes replica %" PRIu32 " primary, no member of view %" PRIu64,
			   view->number, primary->id, before->number);
	for (uint32_t i = 0; i < view->members_count; i++) {
		if (i > 0 && view->members[i].id <= view->members[i - 1].id)
			world_fail(w, 3, "view %" PRIu64 " holds replica %" PRIu32 " twice", view->number,
				   view->members[i].id);
		if (view_member_exact(before, view->members[i].id, view->members[i].uuid) == NULL)
			check_admitted(w, view, &view->members[i]);
	}
}

/* --- the second act ----------------------------------------------------------------------------------------------- */

/* RULE 12: a question has an answer, if only that another replica is to be asked. */
static bool all_answered(const struct world *w, char *why, size_t size)
{
	for (const struct call *call = w->calls; call != NULL; call = call->next) {
		const struct node *node = call->node;

		if (call->answered || (call->kind != MSG_SUBMIT && call->kind != MSG_QUERY) || !node->alive ||
		    node->frozen || call->life != node->life)
			continue;
		snprintf(why, size, "replica %" PRIu32 " never answers request %" PRIu64 " of client %" PRIu32, node->id,
			 call->asking.request, call->asking.client);
		return false;
	}
	return true;
}

/* All live replicas are members, follow, have answered all, and hold the same. */
bool check_level(struct world *w, char *why, size_t size)
{
	const struct node *first = NULL;

	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		if (w->clients[i].pending || w->clients[i].in_router) {
			snprintf(why, size, "client %" PRIu32 " waits for request %" PRIu64, i, w->clients[i].request);
			return false;
		}
	}
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		const struct node *node = &w->nodes[id];
		struct report report;

		if (node->frozen)
			continue;
		if (first == NULL)
			first = node;
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
	return all_answered(w, why, size);
}

/* The healthy were on their way back when the last view was made, and the frozen and wiped ones not yet suspected. */
static bool all_away(const struct world *w, const struct view *view)
{
	uint32_t away = 0;

	for (uint32_t i = 0; i < view->members_count; i++)
		away += w->nodes[view->members[i].id].frozen || check_disk_of(w, &view->members[i]) == NULL;
	return away == view->members_count;
}

/* RULE 18: a learner that a member names is waited for too; this one was wiped before it was named. */
static bool joint_is_gone(const struct world *w, const struct view *view)
{
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct replica_meta *meta = w->nodes[view->members[i].id].disk.image.meta;

		for (uint32_t j = 0; meta != NULL && j < meta->joint_count; j++) {
			if (!uuid_equal(w->nodes[meta->joint[j].id].disk.image.uuid, meta->joint[j].uuid))
				return true;
		}
	}
	return false;
}

/* RULE 14: the end of its log was cut, and what was cut may be on a disk that stays away. */
static bool cut_in_doubt(const struct world *w)
{
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		struct report report;

		if (!w->nodes[id].alive || w->nodes[id].frozen)
			continue;
		replica_report(w->nodes[id].core, &report);
		if (report.tail_cut != 0 && report.state != STATE_FOLLOWING && report.state != STATE_SETTLING &&
		    report.state != STATE_SERVING)
			return true;
	}
	return false;
}

/* Some data that is needed is gone for good: then rules 3 and 18 wait, rightly, for the operator. */
bool check_data_is_gone(struct world *w)
{
	const struct view *highest = &w->fronts[0].stored.view;

	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (w->nodes[id].alive && replica_view(w->nodes[id].core)->number > highest->number)
			highest = replica_view(w->nodes[id].core);
	}
	if (all_away(w, highest) || cut_in_doubt(w) || (fault_unsure(w) && joint_is_gone(w, highest)))
		return true;
	for (uint32_t i = 0; i < highest->members_count; i++) {
		if (check_disk_of(w, &highest->members[i]) != NULL && !fault_unsure(w))
			return false;
		if (check_disk_of(w, &highest->members[i]) == NULL && fault_unsure(w))
			return true;
	}
	return !fault_unsure(w);
}
