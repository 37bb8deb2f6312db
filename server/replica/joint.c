#include "server/replica/joint.h"

#include <inttypes.h>
#include <string.h>

#include "server/replica/output.h"
#include "server/replica/peer.h"
#include "server/replica/role.h"
#include "server/replica/room.h"
#include "server/replica/writes.h"

#define SLOW_INTAKE_AFTER_MS 10000

static bool within_one_push(const struct replica *r, const struct replica_peer *peer)
{
	return replica_log_last(r->log) - peer->acked_op <= LIMIT_PUSH_ENTRIES / 2;
}

/* RULE 9: near the end and level with the commit point, a learner is written down; it counts once that is durable. */
void replica_joint_consider(struct replica *r, struct replica_peer *peer)
{
	if (!replica_is_serving(r) || peer->joint != JOINT_NO || replica_peer_member(r, peer) || peer->lost_data ||
	    peer->link != LINK_UP || !peer->proved) {
		return;
	}
	if (peer->disk_full || replica_peer_too_small(r, peer)) {
		peer->learning_since_ms = 0; /* RULE 13, 19: it would keep the orders of all others out */
		return;
	}
	if (peer->learning_since_ms == 0)
		peer->learning_since_ms = r->now_ms;
	if (peer->acked_op < r->commit || !within_one_push(r, peer) || r->now_ms < peer->joint_not_before_ms)
		return;
	if (r->view.members_count + r->joint_count >= LIMIT_REPLICAS)
		return; /* RULE 19 */
	must(r->joint_count < LIMIT_REPLICAS);
	r->joint[r->joint_count++] = (struct joint){.id = peer->id, .uuid = peer->uuid};
	peer->joint = JOINT_WRITING;
	peer->joint_ticket = replica_write_meta(r);
	replica_trace(r, "joint replica=%" PRIu32, peer->id);
}

void replica_joint_durable(struct replica *r)
{
	for (uint32_t i = 0; i < r->peers_count; i++) {
		struct replica_peer *peer = &r->peers[i];

		if (peer->joint == JOINT_WRITING && peer->joint_ticket <= r->durable_ticket)
			peer->joint = JOINT_COUNTED; /* RULE 9: stops counting only by a higher view without it */
	}
}

/* Design rule 9: a learner that does not get near the end in 10 s holds new orders back while its push is under way. */
bool replica_intake_slowed(const struct replica *r)
{
	for (uint32_t i = 0; i < r->peers_count; i++) {
		const struct replica_peer *peer = &r->peers[i];

		if (peer->learning_since_ms != 0 && peer->joint == JOINT_NO && peer->link == LINK_UP && peer->proved &&
		    !within_one_push(r, peer) && r->now_ms - peer->learning_since_ms > SLOW_INTAKE_AFTER_MS &&
		    peer->push_token != 0)
			return true;
	}
	return false;
}

static void add_need(const struct replica *r, struct need *needs, uint32_t *count, enum need_kind kind,
		     const struct replica_peer *peer)
{
	if (*count < LIMIT_REPLICAS)
		needs[(*count)++] =
			(struct need){.kind = kind, .view = r->view.number, .id = peer->id, .uuid = peer->uuid};
}

static bool same_needs(const struct replica *r, const struct need *needs, uint32_t count)
{
	bool same = count == r->needs_count;

	for (uint32_t i = 0; same && i < count; i++)
		same = needs[i].kind == r->needs[i].kind && needs[i].view == r->needs[i].view &&
		       needs[i].id == r->needs[i].id && uuid_equal(needs[i].uuid, r->needs[i].uuid);
	return same;
}

/* RULE 13, the exception to rule 10: a replica without room keeps orders out, so none can wait for it. A learner has been no
 * copy so far, and goes at once. One that cannot hold what is in the log already would be waited for in vain. */
static bool without_room(const struct replica *r, const struct replica_peer *peer)
{
	if (peer->link != LINK_UP || !replica_peer_counts(r, peer))
		return false;
	if (replica_peer_too_small(r, peer) || replica_full_too_long(r, peer))
		return true;
	return peer->disk_full && !replica_peer_member(r, peer);
}

/* RULE 10: reported, never acted on; and only when a request waits for it, or the view cannot settle without it. */
void replica_needs_refresh(struct replica *r)
{
	struct need needs[LIMIT_REPLICAS];
	uint32_t count = 0;
	bool leads = r->role == ROLE_PRIMARY && (r->state == STATE_SETTLING || r->state == STATE_SERVING) &&
		     replica_view_durable(r);
	bool waits = r->state == STATE_SETTLING || replica_log_last(r->log) > r->commit || r->submits.count > 0;

	for (uint32_t i = 0; leads && i < r->peers_count; i++) {
		const struct replica_peer *peer = &r->peers[i];
		bool counts = replica_peer_counts(r, peer);

		if (peer->lost_data)
			add_need(r, needs, &count, NEED_LOST_DATA, peer);
		else if (without_room(r, peer))
			add_need(r, needs, &count, NEED_FULL, peer);
		else if (counts && waits && replica_cannot_be_reached(r, peer))
			add_need(r, needs, &count, NEED_EVICT, peer);
		else if (peer->joint == JOINT_COUNTED && !replica_peer_member(r, peer) && peer->acked_op >= r->commit)
			add_need(r, needs, &count, NEED_ADMIT, peer);
		else if (peer->fold_differs && counts && r->state == STATE_SERVING)
			add_need(r, needs, &count, NEED_FOLD, peer);
	}
	if (same_needs(r, needs, count))
		return;
	r->needs_count = count;
	memcpy(r->needs, needs, count * sizeof *needs);
	replica_news(r);
}
