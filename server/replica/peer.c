#include "server/replica/peer.h"

#include "server/replica/output.h"

struct replica_peer *replica_peer_find(struct replica *r, uint32_t id, struct uuid uuid)
{
	for (uint32_t i = 0; i < r->peers_count; i++) {
		if (r->peers[i].id == id && uuid_equal(r->peers[i].uuid, uuid))
			return &r->peers[i];
	}
	return NULL;
}

struct replica_name replica_peer_name(const struct replica_peer *peer)
{
	return (struct replica_name){.id = peer->id, .uuid = peer->uuid};
}

bool replica_peer_member(const struct replica *r, const struct replica_peer *peer)
{
	return view_member_exact(&r->view, peer->id, peer->uuid) != NULL;
}

bool replica_peer_counts(const struct replica *r, const struct replica_peer *peer)
{
	return replica_peer_member(r, peer) || peer->joint == JOINT_COUNTED;
}

bool replica_peer_too_small(const struct replica *r, const struct replica_peer *peer)
{
	bool would_lower = !replica_peer_counts(r, peer) && peer->orders_max < r->options.orders_max;

	/* One that does not count yet and takes fewer orders than there are would end the orders of all, though the room that is kept
	 * for what ends a doubt lets it hold the log. */
	return peer->orders_max != 0 &&
	       (would_lower ? peer->orders_max : LIMIT_OPERATIONS(peer->orders_max)) < replica_log_last(r->log);
}

bool replica_cannot_be_reached(const struct replica *r, const struct replica_peer *peer)
{
	/* A front-end that has just started has not heard of a hung replica, and does not list it. */
	if (peer->link == LINK_NONE)
		return !peer->listed || peer->unreachable; /* RULE 15 */
	if (peer->link == LINK_CONNECTING)
		return peer->unreachable || r->now_ms - peer->heard_ms > r->options.suspect_ms;
	if (peer->push_token == 0 && peer->commit_token == 0)
		return false;
	if (r->now_ms - peer->heard_ms > r->options.suspect_ms)
		return true;
	/* It lives but does not answer a push: its disk is late (RULE 15). A state under transfer takes as long as
	 * it takes. */
	return peer->push_token != 0 && !peer->push_state && r->now_ms - peer->push_sent_ms > r->options.stall_ms;
}

uint32_t replica_members_gone(const struct replica *r)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < r->peers_count; i++)
		gone += replica_peer_member(r, &r->peers[i]) && replica_cannot_be_reached(r, &r->peers[i]);
	return gone;
}

void replica_peer_disconnect(struct replica *r, struct replica_peer *peer)
{
	if (peer->link == LINK_NONE)
		return;
	replica_do(r, DO_DISCONNECT)->disconnect = replica_peer_name(peer);
	peer->link = LINK_NONE;
	peer->push_token = peer->commit_token = 0;
	peer->pinged_ms = 0;
}
