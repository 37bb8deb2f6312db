#include "server/replica/commit.h"

#include <inttypes.h>

#include "server/replica/fold.h"
#include "server/replica/output.h"
#include "server/replica/peer.h"
#include "server/replica/role.h"
#include "server/replica/submit.h"
#include "server/replica/writes.h"

static void lower(uint64_t *lowest, uint64_t op)
{
	if (op < *lowest)
		*lowest = op;
}

/* False when a member or a counted learner has not proved anything in this view yet (RULE 5). */
static bool lowest_acknowledged(struct replica *r, uint64_t *lowest)
{
	/* RULE 1: this member too */
	*lowest = r->durable_op;
	for (uint32_t i = 0; i < r->view.members_count; i++) {
		const struct view_member *member = &r->view.members[i];

		if (member->id == r->options.id)
			continue;

		const struct replica_peer *peer = replica_peer_find(r, member->id, member->uuid);

		if (peer == NULL || !peer->proved)
			return false; /* RULE 5 */
		lower(lowest, peer->acked_op); /* RULE 7 */
	}
	for (uint32_t i = 0; i < r->peers_count; i++) {
		const struct replica_peer *peer = &r->peers[i];

		if (peer->joint != JOINT_COUNTED) /* RULE 9 */
			continue;
		if (!peer->proved)
			return false;
		lower(lowest, peer->acked_op);
	}
	return true;
}

/* The one gate of the commit point: never beyond the log, and never beyond what is proved. */
void replica_commit_to(struct replica *r, uint64_t op)
{
	/* RULE 2: reports and bases of pushes show the state, so it does not advance in a view before that view is
	 * durable. */
	if (r->adopting || op <= r->commit || !replica_view_durable(r))
		return;
	must(op <= replica_log_last(r->log));
	must(r->applied < op);

	uint64_t first = r->applied + 1;

	/* Only what an earlier step applied: the shell reads the entries of this step's APPLY after the step. */
	replica_log_trim(r->log, r->applied < r->durable_op ? r->applied : r->durable_op, r->options.log_bytes_max);
	r->commit = op;
	/* RULE 8: state changes here and nowhere else. */
	replica_do(r, DO_APPLY)->apply.op = op;
	r->applied = op;
	must(replica_log_digest(r->log, op, &r->applied_digest));
	replica_answer_waiters(r, first, op);
	replica_release_reads(r);
}

/* RULE 16: no decision rests on it; it only keeps one wrong clock from dating all orders to come. */
bool replica_clock_of_others(const struct replica *r, uint64_t now_ms, int64_t not_before_us, int64_t *clock_us)
{
	bool found = false;

	for (uint32_t i = 0; i < r->peers_count; i++) {
		const struct replica_peer *peer = &r->peers[i];
		int64_t shows_us;

		if (!peer->clock_known || !replica_peer_member(r, peer) ||
		    __builtin_add_overflow(peer->clock_us, (int64_t)(now_ms - peer->clock_ms) * 1000, &shows_us) ||
		    shows_us < not_before_us || (found && shows_us <= *clock_us))
			continue;
		*clock_us = shows_us;
		found = true;
	}
	return found;
}

void replica_advance(struct replica *r)
{
	uint64_t lowest;

	if (r->role != ROLE_PRIMARY || (r->state != STATE_SETTLING && r->state != STATE_SERVING))
		return;
	if (!replica_view_durable(r) || !lowest_acknowledged(r, &lowest))
		return;
	if (r->state == STATE_SETTLING) {
		if (lowest < r->settle_op)
			return; /* RULE 5: every member holds our log first */
		replica_commit_to(r, lowest);
		must(r->commit >= r->settle_op);
		replica_become(r, ROLE_PRIMARY, STATE_SERVING);
		replica_fold_stands(r);
		replica_say(r, LOG_LEVEL_INFO, "serving view=%" PRIu64 " op=%" PRIu64 " members=%" PRIu32,
			    r->view.number, r->commit, r->view.members_count);
		replica_news(r);
	} else {
		replica_commit_to(r, lowest);
	}
	replica_release_held(r);
}
