#include "server/replica/fold.h"

#include <inttypes.h>

#include "server/replica/output.h"
#include "server/replica/writes.h"

/* Written down first, so that no restart forgets it. */
static void mark(struct replica *r, uint64_t op)
{
	if (r->fold.differs_op == op)
		return;
	r->fold.differs_op = op;
	r->fold.ticket = replica_write_meta(r);
}

/* Only as long as the primary that was heard is the one of our view. */
static void compare(struct replica *r, uint64_t op, struct digest theirs, struct digest ours)
{
	bool equal = digest_equal(theirs, ours);

	if (equal) {
		if (r->fold.differs_op != 0)
			replica_say(r, LOG_LEVEL_INFO, "the state computed from the operations is the primary's again at op=%" PRIu64, op);
		r->fold.equal_op = op;
		mark(r, 0);
		return;
	}
	if (r->fold.differs_op != 0)
		return;
	replica_say(r, LOG_LEVEL_ERROR, "the state computed from the operations differs from primary %" PRIu32 "'s at op=%" PRIu64
		    " (equal up to op=%" PRIu64 "): one of the two programs is wrong; no reads are answered here until it is equal",
		    r->view.primary, op, r->fold.equal_op);
	mark(r, op);
}

bool replica_fold_begin(struct replica *r)
{
	uint64_t differed_op = r->fold.differs_op;
	struct digest ours;

	if (!r->started || r->service.fold_at == NULL || r->adopting)
		return false;
	if (r->service.fold_at(r->service.context, r->applied, &ours)) {
		r->fold.op = r->applied;
		r->fold.digest = ours;
	}
	if (r->fold.heard_op == 0 || r->fold.heard_op > r->applied)
		return false;
	if (r->fold.heard_view == r->view.number && (r->role == ROLE_BACKUP || r->role == ROLE_LEARNER) &&
	    r->service.fold_at(r->service.context, r->fold.heard_op, &ours))
		compare(r, r->fold.heard_op, r->fold.heard_digest, ours);
	r->fold.heard_op = 0;
	return differed_op == 0 && r->fold.differs_op != 0;
}

void replica_fold_heard(struct replica *r, uint64_t op, struct digest fold)
{
	if (op == 0)
		return;
	r->fold.heard_view = r->view.number;
	r->fold.heard_op = op;
	r->fold.heard_digest = fold;
}

void replica_fold_of_peer(struct replica *r, struct replica_peer *peer, uint64_t op, struct digest fold)
{
	struct digest ours;
	bool differs;

	if (op == 0 || r->state != STATE_SERVING || r->service.fold_at == NULL ||
	    !r->service.fold_at(r->service.context, op, &ours))
		return;
	differs = !digest_equal(ours, fold);
	if (differs && !peer->fold_differs)
		replica_say(r, LOG_LEVEL_ERROR, "the state that replica %" PRIu32 " computes from the operations differs at op=%" PRIu64
			    ": one of the two programs is wrong", peer->id, op);
	peer->fold_differs = differs;
}

void replica_fold_stands(struct replica *r)
{
	must(r->state == STATE_SERVING);
	mark(r, 0);
}

void replica_fold_durable(struct replica *r)
{
	if (r->fold.ticket > r->durable_ticket || r->fold.durable_differs_op == r->fold.differs_op)
		return;
	r->fold.durable_differs_op = r->fold.differs_op;
	replica_news(r);
}
