#include "server/replica/room.h"

#include <inttypes.h>

#include "server/replica/output.h"
#include "server/replica/peer.h"
#include "server/replica/role.h"

void replica_peer_disk(struct replica *r, struct replica_peer *peer, bool full)
{
	if (peer->disk_full == full)
		return;
	peer->disk_full = full;
	peer->full_since_ms = r->now_ms;
	replica_say(r, LOG_LEVEL_WARN, full ? "disk full on replica %" PRIu32 : "replica %" PRIu32
		    " has disk space again", peer->id);
}

/* The lowest capacity among the replicas that must hold an order. An unreachable member does not keep orders out: it leaves the
 * view when an order waits for it, and should it return before that, it is too small for the log. */
static struct refusal lowest_capacity(const struct replica *r)
{
	struct refusal lowest = {.verdict = VERDICT_FULL, .id = r->options.id, .limit = r->options.orders_max};

	for (uint32_t i = 0; i < r->peers_count; i++) {
		const struct replica_peer *peer = &r->peers[i];
		/* Written down already, it may count before the next order is in the log. */
		bool counts = (replica_peer_counts(r, peer) && !replica_cannot_be_reached(r, peer)) ||
			      peer->joint == JOINT_WRITING;

		if (counts && peer->orders_max != 0 && peer->orders_max < lowest.limit) { /* RULE 19 */
			lowest.id = peer->id;
			lowest.limit = peer->orders_max;
		}
	}
	return lowest;
}

/* The replica whose disk has no room for what is to come; 0: none. */
static uint32_t full_disk(const struct replica *r)
{
	if (r->disk_full) /* RULE 13 */
		return r->options.id;
	for (uint32_t i = 0; i < r->peers_count; i++) {
		const struct replica_peer *peer = &r->peers[i];

		if (peer->disk_full && peer->link == LINK_UP && replica_peer_counts(r, peer)) /* RULE 13 */
			return peer->id;
	}
	return 0;
}

bool replica_is_full(const struct replica *r, uint64_t operations, bool ends_doubt, struct refusal *refusal)
{
	*refusal = lowest_capacity(r);
	if (ends_doubt)
		refusal->limit = LIMIT_OPERATIONS(refusal->limit);
	return replica_log_last(r->log) + operations > refusal->limit; /* RULE 19 */
}

bool replica_refuses(const struct replica *r, uint64_t operations, bool ends_doubt, struct refusal *refusal)
{
	/* RULE 10: an unreachable member stays in the view until an order waits for it; this one need not. */
	uint32_t gone = replica_members_gone(r);
	uint32_t there = r->view.members_count - gone;
	uint32_t full;

	*refusal = (struct refusal){.verdict = VERDICT_TOO_FEW, .limit = there};
	if (there < r->min_members)
		return true;
	if (replica_is_full(r, operations, ends_doubt, refusal))
		return true;
	full = full_disk(r);
	*refusal = (struct refusal){.verdict = VERDICT_DISK_FULL, .id = full};
	return full != 0;
}

void replica_report_room(const struct replica *r, struct report *report)
{
	struct refusal refusal;

	report->orders_max = r->options.orders_max;
	report->disk_full = r->disk_full;
	if (!replica_is_serving(r) || !replica_refuses(r, 1, false, &refusal))
		return;
	report->refusing_id = refusal.id;
	report->refusing = refusal.verdict == VERDICT_FULL ? REFUSING_FULL
			   : refusal.verdict == VERDICT_DISK_FULL ? REFUSING_DISK_FULL : REFUSING_TOO_FEW;
}

/* Why orders are refused is news. */
void replica_room_refresh(struct replica *r)
{
	struct report now = {0};

	replica_report_room(r, &now);
	if (now.refusing == r->refusing && now.refusing_id == r->refusing_id)
		return;
	r->refusing = now.refusing;
	r->refusing_id = now.refusing_id;
	replica_news(r);
}

/* RULE 13: whether a disk full for so long costs its member the place. Not while ours is full as well: then nothing is won,
 * and we are to hand over first; and not where too few would be left to take orders. */
bool replica_full_too_long(const struct replica *r, const struct replica_peer *peer)
{
	uint32_t full = 0;

	if (r->disk_full || r->full_wait_ms == 0 || r->state != STATE_SERVING || !peer->disk_full ||
	    r->now_ms - peer->full_since_ms < r->full_wait_ms)
		return false;
	for (uint32_t i = 0; i < r->peers_count; i++)
		full += replica_peer_member(r, &r->peers[i]) && r->peers[i].disk_full;
	return r->view.members_count >= full + r->min_members;
}
