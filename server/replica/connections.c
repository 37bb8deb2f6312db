#include "server/replica/connections.h"

#include <inttypes.h>

#include "server/replica/joint.h"
#include "server/replica/output.h"
#include "server/replica/peer.h"
#include "server/replica/peers.h"
#include "server/replica/room.h"
#include "server/replica/send_push.h"
#include "server/replica/view_change.h"

#define RETRY_MS 50
#define ATTEMPT_FIRST_MS 20  /* for a connection and its hello; each further attempt gets twice the time */
#define ATTEMPT_MOST_MS 1000

void replica_peer_up(struct replica *r, const struct replica_peer_up *up)
{
	struct replica_peer *peer = replica_peer_find(r, up->peer.id, up->peer.uuid);
	const struct report *report = up->report;

	/* RULE 17 */
	if (peer == NULL || peer->link != LINK_CONNECTING || !uuid_equal(peer->incarnation, up->incarnation))
		return;
	if (report->view.number > r->view.number) {
		/* What it holds beyond our log was committed in a view that we are not in: it lost nothing, and
		 * neither did we. */
		replica_depose(r, report->view.number);
		return;
	}
	peer->link = LINK_UP;
	peer->attempts = 0;
	peer->unreachable = false;
	peer->heard_ms = r->now_ms;
	peer->has_view = false;
	peer->sent_commit = 0;
	peer->orders_max = report->orders_max;
	replica_peer_disk(r, peer, report->disk_full);
	if (report->state == STATE_DAMAGED || (report->view.number == r->view.number &&
					       report->op < peer->acked_ever && report->state != STATE_DEPOSED)) {
		/* RULE 3. A replica that is entering a higher view, not durable yet, may have cut its tail for it. */
		replica_say(r, LOG_LEVEL_ERROR,
			    "replica %" PRIu32 " has lost data: op=%" PRIu64 " acknowledged=%" PRIu64, peer->id,
			    report->op, peer->acked_ever);
		peer->lost_data = true;
	} else if (report->whole_view == 0) {
		/* New, perhaps in a view already but never whole: everything travels, over whatever it was loaded
		 * with. */
		peer->needs_state = true;
		peer->state_next = 0;
		peer->applied = 0;
	} else {
		replica_peer_base(r, peer, report->digest_op, report->digest);
	}
	replica_push_all(r);
}

void replica_peer_down(struct replica *r, const struct replica_name *name)
{
	struct replica_peer *peer = replica_peer_find(r, name->id, name->uuid);

	if (peer == NULL || peer->link == LINK_NONE)
		return;
	if (peer->link == LINK_CONNECTING) {
		peer->unreachable = true;
		peer->attempts = 0;
		peer->retry_ms = r->now_ms + RETRY_MS;
	} else {
		peer->retry_ms = r->now_ms; /* once more at once: a broken connection is not a dead process */
	}
	peer->link = LINK_NONE;
	peer->push_token = peer->commit_token = 0;
	peer->pinged_ms = 0;
	replica_peers_connect(r);
}

void replica_pong(struct replica *r, const struct replica_name *name)
{
	struct replica_peer *peer = replica_peer_find(r, name->id, name->uuid);

	if (peer == NULL)
		return;
	peer->heard_ms = r->now_ms;
	peer->pinged_ms = 0;
}

/* A connection that a dying process still took is never answered, and neither is its hello; the next attempt is
 * refused. */
static void give_up_attempt(struct replica *r, struct replica_peer *peer)
{
	uint64_t wait_ms = (uint64_t)ATTEMPT_FIRST_MS << peer->attempts;

	if (wait_ms > ATTEMPT_MOST_MS)
		wait_ms = ATTEMPT_MOST_MS;
	if (peer->link != LINK_CONNECTING || r->now_ms - peer->attempt_ms < wait_ms)
		return;
	replica_peer_disconnect(r, peer);
	if (wait_ms < ATTEMPT_MOST_MS)
		peer->attempts++;
	peer->retry_ms = r->now_ms;
}

/* RULE 15: signs of life. If our own loop stalled, all peer timers restart before any peer is suspected. */
void replica_peers_tick(struct replica *r)
{
	bool late = r->now_ms - r->tick_ms > REPLICA_TICK_MS + r->options.heartbeat_ms;

	r->tick_ms = r->now_ms;
	for (uint32_t i = 0; i < r->peers_count; i++) {
		struct replica_peer *peer = &r->peers[i];
		bool asked = peer->push_token != 0 || peer->commit_token != 0 || peer->link == LINK_CONNECTING;

		if (late) {
			peer->heard_ms = r->now_ms;
			peer->push_sent_ms = r->now_ms;
			peer->attempt_ms = r->now_ms;
		}
		give_up_attempt(r, peer);
		if (!asked || peer->link != LINK_UP)
			continue;
		if (r->now_ms - peer->heard_ms >= r->options.heartbeat_ms && peer->pinged_ms == 0) {
			replica_do(r, DO_PING)->ping = replica_peer_name(peer);
			peer->pinged_ms = r->now_ms;
		}
	}
	replica_peers_connect(r);
	for (uint32_t i = 0; i < r->peers_count; i++)
		replica_joint_consider(r, &r->peers[i]);
	replica_push_all(r);
}
