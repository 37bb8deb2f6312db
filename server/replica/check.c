#include "server/replica/check.h"

#include "server/replica/peer.h"
#include "server/replica/role.h"
#include "server/replica/writes.h"

static void check_log(const struct replica *r)
{
	uint64_t last = replica_log_last(r->log);

	must(r->durable_op <= r->written_op);
	must(r->written_op <= last);
	must(r->commit <= last);
	must(r->applied == r->commit);         /* RULE 8: the state is that of the commit point */
	must(r->proved_end <= last);
	must(r->commit_heard <= r->proved_end); /* RULE 7 */
	must(r->next_ticket - 1 - r->durable_ticket == r->writes_count); /* each ticket is durable or in flight */
	must(!r->adopting || r->batches_in_flight > 0);                  /* or nothing would ever end it */
	must(!r->adopting || !r->staged_complete);
}

static void check_digest(const struct replica *r)
{
	struct digest digest;

	if (r->adopting)
		return;
	/* The report's digest is that of our log up to the applied op. */
	must(replica_log_digest(r->log, r->applied, &digest));
	must(digest_equal(digest, r->applied_digest));
	must(!r->staged_complete || replica_log_base(r->staged_log) == r->staged_op);
}

static void check_writes(const struct replica *r)
{
	uint32_t batches = 0;

	for (uint32_t i = 0; i < r->writes_count; i++) {
		const struct pending_write *write = &r->writes[(r->writes_first + i) % r->writes_room];

		must(write->ticket == r->durable_ticket + 1 + i);
		must(write->end_op <= r->written_op); /* RULE 5: a cut reaches what is in flight */
		batches += write->batch;
	}
	must(batches == r->batches_in_flight);
}

static void check_view(const struct replica *r)
{
	must(r->role == replica_role_in(r, &r->view));
	must(r->view_ticket <= r->entered_whole_ticket);
	must(r->entered_whole_ticket < r->next_ticket);
	must(r->durable_view.number <= r->view.number);
	must(!replica_view_durable(r) || r->durable_view.number == r->view.number); /* RULE 2 */
	must(!r->whole_here || r->whole_view == r->view.number);                    /* RULE 3 */
}

/* Everything that waits for the disk waits for a write that is not durable yet: else it would never be answered. */
static void check_answers(const struct replica *r)
{
	must(r->install_count == 0 || !replica_view_durable(r));
	must(r->bind.token == 0 || r->bind.ticket > r->durable_ticket);
	for (uint32_t i = 0; i < r->acks_count; i++) {
		must(r->acks[i].ticket > r->durable_ticket || r->acks[i].op > r->durable_op);
		must(r->acks[i].ticket < r->next_ticket);
	}
}

/* Every request ends in exactly one answer. */
static void check_requests(const struct replica *r)
{
	bool leads = r->role == ROLE_PRIMARY && (r->state == STATE_SETTLING || r->state == STATE_SERVING);

	must(r->requests_in - r->requests_out ==
	     waiters_count(r->waiters) + r->validating - r->admitting + r->submits.count + r->reads.count);
	must(r->joined + r->admitting <= waiters_count(r->waiters));
	must(r->admitting <= r->validating);
	must((r->validations == NULL) == (r->validating == 0));
	/* RULE 4: no held call outlives its view. */
	must(r->submits.count == 0 || leads);
	must(waiters_count(r->waiters) == 0 || replica_is_serving(r));
	must(r->reads.count == 0 || (r->role == ROLE_BACKUP && r->state == STATE_FOLLOWING));
}

static void check_peer(const struct replica *r, const struct replica_peer *peer)
{
	must(peer->id != r->options.id);
	must(peer->link == LINK_NONE || r->role == ROLE_PRIMARY);
	/* A push is in flight only on a connection. */
	must(peer->link == LINK_UP || (peer->push_token == 0 && peer->commit_token == 0));
	must(peer->link == LINK_UP || peer->pinged_ms == 0);
	must(peer->push_token < r->next_token);
	must(peer->sent_commit <= r->commit);
	/* RULE 4, 5: nothing is held to be acknowledged that this view's log does not have. */
	must(peer->proved || peer->acked_op == 0);
	must(peer->acked_op <= peer->acked_ever);
	must(peer->acked_ever <= replica_log_last(r->log));
	if (peer->joint == JOINT_NO)
		return;
	must(!replica_peer_member(r, peer));
	must((peer->joint == JOINT_WRITING) == (peer->joint_ticket > r->durable_ticket)); /* RULE 9 */
}

static void check_peers(const struct replica *r)
{
	uint32_t joint = 0;

	must(r->peers_count <= PEERS_MAX);
	for (uint32_t i = 0; i < r->peers_count; i++) {
		check_peer(r, &r->peers[i]);
		joint += r->peers[i].joint != JOINT_NO;
	}
	if (r->state != STATE_SETTLING && r->state != STATE_SERVING)
		return;
	must(joint == r->joint_count); /* RULE 9: exactly the learners that are recorded count */
	must(r->view.members_count + r->joint_count <= LIMIT_REPLICAS);
}

/* What it takes to place an order but for the flush, which ends each turn of the loop. */
static bool is_of_an_order(enum replica_event_kind kind)
{
	switch (kind) {
	case REPLICA_SUBMIT:
	case REPLICA_PROPOSE:
	case REPLICA_DECLINE:
	case REPLICA_QUERY:
	case REPLICA_DURABLE:
	case REPLICA_PUSH:
	case REPLICA_ACK:
		return true;
	default:
		return false;
	}
}

void replica_check(const struct replica *r, enum replica_event_kind after)
{
	if (is_of_an_order(after))
		return;
	check_requests(r);
	replica_check_role(r);
	check_log(r);
	if (after == REPLICA_FLUSH)
		return;
	check_digest(r);
	check_writes(r);
	if (!r->started)
		return;
	check_view(r);
	check_answers(r);
	check_peers(r);
}
