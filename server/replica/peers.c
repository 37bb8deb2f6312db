#include "server/replica/peers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/replica/damage.h"
#include "server/replica/output.h"
#include "server/replica/peer.h"
#include "server/replica/role.h"

#define JOINT_BACKOFF_FIRST_MS 1000
#define JOINT_BACKOFF_MOST_MS 60000

/* What was proved is worth nothing in another view, and nothing of another incarnation. */
static void forget_proof(struct replica_peer *peer)
{
	peer->proved = false;
	peer->acked_op = 0;
	peer->has_view = false;
	peer->push_token = 0;
	peer->commit_token = 0;
	peer->pinged_ms = 0;
	peer->needs_state = false;
	peer->learning_since_ms = 0;
	peer->fold_differs = false; /* RULE 8: compared anew */
}

static struct replica_peer *add_peer(struct replica *r, uint32_t id, struct uuid uuid)
{
	struct replica_peer *peer = replica_peer_find(r, id, uuid);

	if (peer != NULL || r->peers_count == PEERS_MAX)
		return peer;
	peer = &r->peers[r->peers_count++];
	memset(peer, 0, sizeof *peer);
	peer->id = id;
	peer->uuid = uuid;
	peer->joint_backoff_ms = JOINT_BACKOFF_FIRST_MS;
	return peer;
}

static void add_members(struct replica *r)
{
	for (uint32_t i = 0; i < r->view.members_count; i++) {
		const struct view_member *member = &r->view.members[i];

		if (member->id != r->options.id)
			add_peer(r, member->id, member->uuid);
	}
}

/* A peer that is neither listed nor counted is forgotten. */
static void drop_strangers(struct replica *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->peers_count; i++) {
		struct replica_peer *peer = &r->peers[i];

		if (peer->listed || replica_peer_member(r, peer) || peer->joint != JOINT_NO) { /* RULE 9 */
			if (kept != i)
				r->peers[kept] = *peer;
			kept++;
		} else {
			replica_peer_disconnect(r, peer);
		}
	}
	r->peers_count = kept;
}

void replica_peers_sync(struct replica *r, const struct peers *list)
{
	for (uint32_t i = 0; i < r->peers_count; i++)
		r->peers[i].listed = false;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct peer *found = &list->list[i];

		if (found->id == r->options.id)
			continue;

		struct replica_peer *peer = add_peer(r, found->id, found->uuid);

		if (peer == NULL)
			continue;
		peer->listed = true;
		if (!uuid_equal(peer->incarnation, found->incarnation) || strcmp(peer->address, found->address) != 0) {
			replica_peer_disconnect(r, peer);
			forget_proof(peer); /* RULE 4 */
			peer->incarnation = found->incarnation;
			snprintf(peer->address, sizeof peer->address, "%s", found->address);
			peer->retry_ms = 0;
			peer->unreachable = false;
			peer->lost_data = false;
		}
	}
	drop_strangers(r);
	replica_peers_connect(r);
}

void replica_peers_reset(struct replica *r)
{
	bool leads = replica_is_primary_of(r, &r->view) && r->state != STATE_DEPOSED;

	for (uint32_t i = 0; i < r->peers_count; i++) {
		struct replica_peer *peer = &r->peers[i];

		if (peer->joint == JOINT_COUNTED && (peer->link != LINK_UP || peer->disk_full) &&
		    !replica_peer_member(r, peer)) {
			/* RULE 9: it failed, or ran out of room, while it counted; not again at once. */
			peer->joint_not_before_ms = r->now_ms + peer->joint_backoff_ms;
			peer->joint_backoff_ms = peer->joint_backoff_ms * 2 < JOINT_BACKOFF_MOST_MS
							 ? peer->joint_backoff_ms * 2
							 : JOINT_BACKOFF_MOST_MS;
		}
		peer->joint = JOINT_NO;
		peer->clock_known = false; /* RULE 16: of this view, though by whichever incarnation */
		peer->acked_ever = 0;
		peer->lost_data = false;
		if (leads && peer->link == LINK_UP) {
			/* The connection stays; what is sent over it starts over from what the peer surely holds. */
			bool needs_state = peer->needs_state;
			uint64_t next = peer->state_next;

			forget_proof(peer);
			peer->needs_state = needs_state;
			peer->state_next = next;
			if (peer->sent_op > r->commit)
				peer->sent_op = r->commit;
		} else {
			replica_peer_disconnect(r, peer);
			forget_proof(peer);
			peer->retry_ms = 0;
		}
	}
	add_members(r);
	drop_strangers(r);
}

void replica_peers_connect(struct replica *r)
{
	if (r->role != ROLE_PRIMARY || (r->state != STATE_SETTLING && r->state != STATE_SERVING))
		return;
	for (uint32_t i = 0; i < r->peers_count; i++) {
		struct replica_peer *peer = &r->peers[i];

		if (peer->link != LINK_NONE || !peer->listed || r->now_ms < peer->retry_ms)
			continue;

		struct replica_connect *connect = &replica_do(r, DO_CONNECT)->connect;

		connect->to = replica_peer_name(peer);
		connect->incarnation = peer->incarnation;
		/* A copy: later in this step the peers may move. */
		snprintf(connect->address, sizeof connect->address, "%s", peer->address);
		peer->link = LINK_CONNECTING;
		peer->attempt_ms = r->now_ms;
		if (peer->attempts == 0)
			peer->heard_ms = r->now_ms;
	}
}

void replica_peer_base(struct replica *r, struct replica_peer *peer, uint64_t op, struct digest digest)
{
	struct digest ours;

	peer->applied = op;
	if (op > replica_log_last(r->log)) {
		replica_say(r, LOG_LEVEL_ERROR,
			    "replica %" PRIu32 " holds committed op=%" PRIu64 " beyond our log=%" PRIu64, peer->id, op,
			    replica_log_last(r->log));
		/* What is committed was on every member of its view, so a view made since has it, also from a replica that it
		 * evicted. A replica that lost data must not accuse one that did not, which would give up a good copy. RULE 3, 14 */
		if (r->state == STATE_SETTLING)
			replica_damaged(r, "another holds committed orders that this primary does not");
		else
			peer->lost_data = true;
		return;
	}
	if (op < replica_log_base(r->log)) {
		peer->needs_state = true;
		peer->state_next = 0;
		return;
	}
	must(replica_log_digest(r->log, op, &ours));
	if (!digest_equal(ours, digest)) { /* RULE 14 */
		replica_say(r, LOG_LEVEL_ERROR, "replica %" PRIu32 " differs from our committed history at op=%" PRIu64,
			    peer->id, op);
		peer->lost_data = true;
		return;
	}
	peer->needs_state = false;
	peer->sent_op = op;
}
