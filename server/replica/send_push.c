#include "server/replica/send_push.h"

#include <inttypes.h>

#include "server/replica/commit.h"
#include "server/replica/damage.h"
#include "server/replica/fold.h"
#include "server/replica/joint.h"
#include "server/replica/output.h"
#include "server/replica/peer.h"
#include "server/replica/peers.h"
#include "server/replica/room.h"
#include "server/replica/submit.h"
#include "server/replica/view_change.h"
#include "server/replica/writes.h"

#define FEW_ORDERS 8 /* auto: with more than these in a push the whole state is not sent along */

static bool may_push(const struct replica *r)
{
	return r->role == ROLE_PRIMARY && (r->state == STATE_SETTLING || r->state == STATE_SERVING) &&
	       replica_view_durable(r); /* RULE 2 */
}

/* How many entries after base fit in one push. */
static uint32_t entries_after(const struct replica *r, uint64_t base_op)
{
	uint64_t last = replica_log_last(r->log);
	uint64_t bytes = 0;
	uint32_t count = 0;

	while (base_op + count < last && count < LIMIT_PUSH_ENTRIES) {
		bytes += replica_log_at(r->log, base_op + count + 1)->size;
		if (bytes > LIMIT_PUSH_BYTES && count > 0)
			break;
		count++;
	}
	return count;
}

static bool state_fits_one_push(const struct replica *r)
{
	return r->service.state_bytes(r->service.context) <= LIMIT_STATE_CHUNK_BYTES;
}

/* Whether the full state travels although the peer does not need it: --push. Never to a peer that has applied more
 * than we have (after a start of everybody it may have): it could not compare, and would ask for another base forever. */
static bool prefers_full(const struct replica *r, const struct replica_peer *peer)
{
	uint64_t from = peer->sent_op < r->applied ? peer->sent_op : r->applied;
	uint64_t entries = replica_log_last(r->log) - from;
	uint64_t bytes;

	if (r->options.push_mode == PUSH_DELTA || r->applied < replica_log_base(r->log) || r->applied < peer->applied)
		return false;
	if (r->options.push_mode == PUSH_FULL)
		return state_fits_one_push(r) && r->applied + entries_after(r, r->applied) > peer->sent_op;
	bytes = r->service.state_bytes(r->service.context);
	return bytes <= r->options.push_full_limit && bytes <= LIMIT_STATE_CHUNK_BYTES && entries <= FEW_ORDERS;
}

static void send(struct replica *r, struct replica_peer *peer, struct replica_push *push, bool with_content)
{
	struct replica_send *sent = &replica_do(r, DO_PUSH)->push;

	must(may_push(r));
	must(peer->link == LINK_UP);
	must(!peer->lost_data); /* RULE 14 */
	must(push->base_op >= replica_log_base(r->log)); /* the shell reads the entries after it */
	must(push->base_op + push->entries_count <= push->last_op);
	must((with_content ? peer->push_token : peer->commit_token) == 0); /* one of each kind in flight */
	push->view = r->view.number;
	push->record = peer->has_view ? NULL : &r->view;
	push->last_op = replica_log_last(r->log);
	push->commit = r->commit;
	if (r->state == STATE_SERVING) {
		push->fold_op = r->fold.op;
		push->fold = r->fold.digest;
	}
	sent->to = replica_peer_name(peer);
	sent->token = r->next_token++;
	sent->push = *push;
	peer->sent_commit = r->commit;
	if (!with_content) {
		peer->commit_token = sent->token;
		return;
	}
	peer->push_token = sent->token;
	peer->push_sent_ms = r->now_ms;
	peer->push_state = push->has_state;
	peer->push_end = push->base_op + push->entries_count;
	if (peer->commit_token == 0 && peer->push_end >= peer->sent_op)
		peer->heard_ms = r->now_ms; /* silence counts from when there is something to answer */
}

/* A state of the committed history as of now; with the entries above it when it fits in one push. Since the history
 * only grows, later pieces may be of a later op: the last one's digest proves them all. */
static void send_state(struct replica *r, struct replica_peer *peer, uint64_t first)
{
	struct replica_push push = {.has_state = true, .state_first = first, .base_op = r->applied,
				    .base_digest = r->applied_digest, .last_op = replica_log_last(r->log)};

	if (first == 0 && state_fits_one_push(r))
		push.entries_count = entries_after(r, push.base_op);
	send(r, peer, &push, true);
}

/* RULE 13: only an acknowledgement tells that a member has room again, and while orders are refused no push asks for
 * one. */
static bool ask_about_disk(const struct replica *r, const struct replica_peer *peer)
{
	return peer->disk_full && r->now_ms - peer->heard_ms >= r->options.heartbeat_ms;
}

static bool full_learner(const struct replica *r, const struct replica_peer *peer)
{
	return peer->disk_full && !replica_peer_counts(r, peer); /* RULE 13 */
}

static void push_to(struct replica *r, struct replica_peer *peer)
{
	if (peer->link != LINK_UP || peer->lost_data) /* RULE 14 */
		return;
	if (replica_peer_too_small(r, peer))
		return;
	if (peer->needs_state) {
		if (peer->push_token == 0)
			send_state(r, peer, peer->state_next);
		return;
	}

	uint64_t last = replica_log_last(r->log);

	must(peer->sent_op <= last);
	if (peer->sent_op < replica_log_base(r->log)) { /* too far behind for deltas */
		peer->needs_state = true;
		peer->state_next = 0;
		push_to(r, peer);
		return;
	}

	struct replica_push push = {.base_op = peer->sent_op, .last_op = last};
	bool fresh = last > peer->sent_op || !peer->has_view || (!peer->proved && peer->push_token == 0);

	must(replica_log_digest(r->log, push.base_op, &push.base_digest));
	if (full_learner(r, peer)) {
		/* RULE 13: orders would use up the space that it reserves for its views. */
		if ((!peer->has_view || ask_about_disk(r, peer)) && peer->push_token == 0 && peer->commit_token == 0)
			send(r, peer, &push, false);
	} else if (fresh && peer->push_token == 0) {
		if (peer->sent_op < last && prefers_full(r, peer)) {
			send_state(r, peer, 0);
			return;
		}
		push.entries_count = entries_after(r, push.base_op);
		send(r, peer, &push, true);
	} else if (last == peer->sent_op && (peer->sent_commit < r->commit || ask_about_disk(r, peer)) && /* RULE 8 */
		   peer->push_token == 0 && peer->commit_token == 0) {
		send(r, peer, &push, false); /* RULE 8: no push is about to carry it */
	}
}

void replica_push_all(struct replica *r)
{
	if (!may_push(r))
		return;
	for (uint32_t i = 0; i < r->peers_count; i++)
		push_to(r, &r->peers[i]);
}

/* RULE 4: what an acknowledgement may claim. */
static void take_proof(struct replica *r, struct replica_peer *peer, const struct replica_ack *ack)
{
	if (ack->op > replica_log_last(r->log)) {
		/* RULE 3, 6: only its primary makes entries of a view. A process that was it before us, on this directory,
		 * made these, so the directory is an old copy. The peer that holds more has lost nothing. */
		replica_say(r, LOG_LEVEL_ERROR, "replica %" PRIu32 " holds op=%" PRIu64 " of this view beyond our log=%" PRIu64,
			    peer->id, ack->op, replica_log_last(r->log));
		replica_damaged(r, "another holds orders of this view that its primary does not");
		return;
	}
	if (peer->proved && ack->op < peer->acked_op) {
		replica_say(r, LOG_LEVEL_ERROR, "replica %" PRIu32 " acknowledged op=%" PRIu64 " against acked=%" PRIu64
			    " last=%" PRIu64, peer->id, ack->op, peer->acked_op, replica_log_last(r->log));
		peer->lost_data = true;
		return;
	}
	peer->proved = true;
	peer->acked_op = ack->op;
	if (ack->op > peer->acked_ever)
		peer->acked_ever = ack->op;
	peer->clock_known = true;
	peer->clock_us = ack->clock_us;
	peer->clock_ms = r->now_ms;
}

static void take_ok(struct replica *r, struct replica_peer *peer, const struct replica_ack *ack, bool content)
{
	peer->has_view = true;
	if (content && peer->push_state && ack->state_next != STATE_NEXT_KEEP) {
		peer->needs_state = true;
		peer->state_next = ack->state_next;
		return;
	}
	if (content && peer->push_state) {
		peer->needs_state = false;
		peer->sent_op = peer->push_end;
		if (ack->op == 0)
			return; /* staged, nothing proved yet: the entries follow */
	} else if (content) {
		peer->sent_op = peer->push_end;
	} else if (ack->op == 0 && !replica_peer_counts(r, peer)) {
		return; /* a full learner that was only asked about its disk, between a staged state and its entries */
	}
	take_proof(r, peer, ack);
	replica_fold_of_peer(r, peer, ack->fold_op, ack->fold);
}

void replica_recv_ack(struct replica *r, const struct replica_acked *acked)
{
	struct replica_peer *peer = replica_peer_find(r, acked->from.id, acked->from.uuid);
	const struct replica_ack *ack = acked->ack;

	if (ack->view > r->view.number) {
		replica_depose(r, ack->view);
		return;
	}
	if (peer == NULL || (acked->token != peer->push_token && acked->token != peer->commit_token))
		return;

	bool content = acked->token == peer->push_token;

	if (content)
		peer->push_token = 0;
	else
		peer->commit_token = 0;
	peer->heard_ms = r->now_ms;
	replica_peer_disk(r, peer, ack->disk_full);
	switch (ack->status) {
	case PUSH_OK:
		/* RULE 4: of this view and this uuid, or it counts for nothing. */
		if (ack->view == r->view.number && uuid_equal(ack->uuid, peer->uuid))
			take_ok(r, peer, ack, content);
		break;
	case PUSH_NEED_RECORD:
		peer->has_view = false;
		break;
	case PUSH_NEED_BASE:
		replica_peer_base(r, peer, ack->commit, ack->commit_digest);
		break;
	case PUSH_DAMAGED:
		peer->lost_data = true; /* RULE 14 */
		break;
	case PUSH_OLD_VIEW:
	case PUSH_REFUSED:
		peer->retry_ms = r->now_ms + 100;
		replica_peer_disconnect(r, peer);
		break;
	}
	replica_joint_consider(r, peer);
	replica_advance(r);
	replica_release_held(r);
	replica_push_all(r);
}
