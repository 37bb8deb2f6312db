#include "server/replica/recv_push.h"

#include <inttypes.h>
#include <string.h>

#include "server/replica/commit.h"
#include "server/replica/damage.h"
#include "server/replica/fold.h"
#include "server/replica/output.h"
#include "server/replica/role.h"
#include "server/replica/view_change.h"
#include "server/replica/writes.h"

/* --- acknowledgements --------------------------------------------------------------------------------------------- */

static struct replica_ack *ack(struct replica *r, uint64_t token, enum replica_push_status status)
{
	struct replica_acknowledge *acknowledge = &replica_do(r, DO_ACK)->ack;

	acknowledge->token = token;
	acknowledge->ack = (struct replica_ack){.status = status,
						.view = r->durable_view.number,
						.uuid = r->uuid,
						.commit = r->applied,
						.commit_digest = r->applied_digest,
						.state_next = STATE_NEXT_KEEP,
						.fold_op = r->fold.op,
						.fold = r->fold.digest,
						.disk_full = r->disk_full};
	return &acknowledge->ack;
}

/* RULE 4: never more than what is durable and proved equal in this view. */
static void ack_proved(struct replica *r, uint64_t token)
{
	must(replica_view_durable(r)); /* RULE 2 */
	ack(r, token, PUSH_OK)->op = r->proved_end < r->durable_op ? r->proved_end : r->durable_op;
}

static bool is_durable(const struct replica *r, uint64_t ticket, uint64_t op)
{
	return ticket <= r->durable_ticket && op <= r->durable_op; /* RULE 4 */
}

static void ack_when(struct replica *r, uint64_t token, uint64_t ticket, uint64_t op)
{
	if (is_durable(r, ticket, op)) {
		ack_proved(r, token);
		return;
	}
	if (r->acks_count == sizeof r->acks / sizeof r->acks[0]) {
		ack(r, token, PUSH_REFUSED); /* a primary has two in flight; this one breaks the bounds */
		return;
	}
	r->acks[r->acks_count++] = (struct pending_ack){.token = token, .ticket = ticket, .op = op};
}

void replica_answer_acks(struct replica *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->acks_count; i++) {
		if (is_durable(r, r->acks[i].ticket, r->acks[i].op))
			ack_proved(r, r->acks[i].token); /* RULE 1 */
		else
			r->acks[kept++] = r->acks[i];
	}
	r->acks_count = kept;
}

static void damaged_by(struct replica *r, uint64_t token, const char *why)
{
	replica_damaged(r, why);
	ack(r, token, PUSH_DAMAGED);
}

/* --- the log ------------------------------------------------------------------------------------------------------ */

enum entry_fit { ENTRY_SAME, ENTRY_NEW, ENTRY_OTHER, ENTRY_DAMAGE };

/* Compares the primary's entry with ours at op. RULE 6: (view, op) names one body forever. */
static enum entry_fit compare(const struct replica_log *log, uint64_t op, const struct replica_entry *theirs)
{
	if (op > replica_log_last(log))
		return ENTRY_NEW;

	const struct log_entry *ours = replica_log_at(log, op);
	bool same_body = ours->size == theirs->size && memcmp(ours->body, theirs->body, ours->size) == 0;

	if (ours->view == theirs->view)
		return same_body ? ENTRY_SAME : ENTRY_DAMAGE;
	return ENTRY_OTHER;
}

/* Entries after base join the log; a tail that differs goes. Returns NULL, or what is wrong. */
static const char *take_entries(struct replica *r, struct replica_log *log, const struct replica_push *push)
{
	uint64_t held = replica_log_base(log);

	for (uint32_t i = 0; i < push->entries_count; i++) {
		uint64_t op = push->base_op + 1 + i;

		if (op <= held)
			continue; /* applied long ago and proved by a later digest */
		switch (compare(log, op, &push->entries[i])) {
		case ENTRY_SAME:
			continue;
		case ENTRY_DAMAGE:
			return "an entry differs from the primary's with the same view and op";
		case ENTRY_OTHER:
			if (log == r->log && op <= r->commit)
				return "a committed entry differs from the primary's"; /* RULE 5, 14 */
			if (log == r->log && r->whole_here)
				return "an entry differs from the primary's within one view"; /* RULE 5 */
			if (log == r->log)
				replica_cut(r, op - 1);
			else
				replica_log_cut(log, op - 1);
			break;
		case ENTRY_NEW:
			break;
		}
		replica_log_append(log, push->entries[i].view, push->entries[i].body, push->entries[i].size);
	}
	return NULL;
}

/* The push reached the primary's end: the log is whole in this view (RULE 3, 5, 8). */
static void made_whole(struct replica *r)
{
	r->whole_here = true;
	r->whole_view = r->view.number;
	r->tail_cut = 0;
	replica_become(r, r->role, STATE_FOLLOWING);
	if (!r->stopping)
		r->detail[0] = 0;
	r->entered_whole_ticket = replica_write_meta(r); /* after the entries: it must not be durable before them */
	replica_say(r, LOG_LEVEL_INFO, "following view=%" PRIu64 " op=%" PRIu64, r->view.number,
		    replica_log_last(r->log));
	replica_news(r);
}

static void take_delta(struct replica *r, const struct replica_received *received)
{
	const struct replica_push *push = received->push;
	uint64_t end = push->base_op + push->entries_count;
	const char *wrong = take_entries(r, r->log, push);

	if (wrong == NULL && !r->whole_here && end == push->last_op && replica_log_last(r->log) > end) {
		/* RULE 5: what the primary does not have goes, unless it is committed. */
		if (end < r->commit)
			wrong = "the primary's log ends below the commit point";
		else
			replica_cut(r, end);
	}
	if (wrong != NULL) {
		damaged_by(r, received->token, wrong);
		return;
	}
	if (end > r->proved_end)
		r->proved_end = end;
	must(r->proved_end <= replica_log_last(r->log));
	if (r->whole_here) {
		replica_write_log(r);
	} else {
		replica_write_log_now(r); /* RULE 5: a cut is on disk before the log is called whole */
		if (end == push->last_op)
			made_whole(r);
	}

	/* RULE 7: the lower of the push's commit point and what the push proved equal. */
	uint64_t commit = push->commit < r->proved_end ? push->commit : r->proved_end;

	if (commit > r->commit_heard)
		r->commit_heard = commit;
	replica_commit_to(r, r->commit_heard);
	replica_fold_heard(r, push->fold_op, push->fold);
	/* Entries that were there already are durable or about to be; a push of nothing is answered at once. */
	if (push->entries_count == 0 && r->entered_whole_ticket <= r->durable_ticket)
		ack_when(r, received->token, 0, 0);
	else
		ack_when(r, received->token, r->entered_whole_ticket, end);
}

/* --- a replacement ------------------------------------------------------------------------------------------------ */

/* The state is there; once the entries above it reach the primary's end, all of it becomes ours in one step. */
static bool replace_when_whole(struct replica *r, uint64_t last_op)
{
	if (!r->staged_complete || r->adopting || replica_log_last(r->staged_log) != last_op)
		return false;
	/* Deltas may have come in between (another primary, another connection): a state that is older by now would take back
	 * what is applied or acknowledged. */
	if (r->staged_op < r->commit || last_op < r->proved_end) { /* RULE 7 */
		r->staged_complete = false;
		replica_do(r, DO_UNSTAGE);
		return false;
	}
	replica_write_replacement(r);
	r->proved_end = last_op;
	made_whole(r);
	return true;
}

static void ask_for_state(struct replica *r, uint64_t token, uint64_t next)
{
	ack(r, token, PUSH_OK)->state_next = next;
}

static void take_state(struct replica *r, const struct replica_received *received)
{
	const struct replica_push *push = received->push;

	if (r->staging_token != 0 || r->adopting) {
		ack(r, received->token, PUSH_REFUSED);
		return;
	}
	/* RULE 7: older than our own commit point */
	if (push->base_op < r->commit) {
		ack(r, received->token, PUSH_NEED_BASE);
		return;
	}
	replica_log_reset(r->staged_log, push->base_op, push->base_digest);
	if (take_entries(r, r->staged_log, push) != NULL) {
		ack(r, received->token, PUSH_REFUSED);
		return;
	}
	r->staged_complete = false;
	r->staging_token = received->token;
	r->staging_last_op = push->last_op;
	r->staging_commit = push->commit;
	r->staged_op = push->base_op;
	r->staged_digest = push->base_digest;

	replica_do(r, DO_STAGE)->stage = (struct replica_stage){.token = received->token, .op = push->base_op,
								.digest = push->base_digest, .piece = push->piece};
}

void replica_staged(struct replica *r, const struct replica_staged *staged)
{
	uint64_t token = r->staging_token;

	if (token == 0 || staged->token != token)
		return; /* of a view that is over */
	r->staging_token = 0;
	if (r->state == STATE_DAMAGED) { /* found since: nothing heals that in this process */
		ack(r, token, PUSH_DAMAGED);
		return;
	}
	if (!staged->ok) {
		ask_for_state(r, token, 0);
		return;
	}
	if (!staged->complete) {
		ask_for_state(r, token, staged->next);
		return;
	}
	r->staged_complete = true;
	if (replace_when_whole(r, r->staging_last_op)) {
		r->commit_heard = r->staging_commit < r->proved_end ? r->staging_commit : r->proved_end;
		ack_when(r, token, r->entered_whole_ticket, r->proved_end);
	} else {
		ask_for_state(r, token, STATE_NEXT_KEEP);
	}
}

static void extend_staged(struct replica *r, const struct replica_received *received)
{
	const struct replica_push *push = received->push;

	if (take_entries(r, r->staged_log, push) != NULL) {
		r->staged_complete = false;
		replica_do(r, DO_UNSTAGE);
		ack(r, received->token, PUSH_NEED_BASE);
		return;
	}
	if (replace_when_whole(r, push->last_op)) {
		r->commit_heard = push->commit < r->proved_end ? push->commit : r->proved_end;
		ack_when(r, received->token, r->entered_whole_ticket, r->proved_end);
	} else {
		ask_for_state(r, received->token, STATE_NEXT_KEEP);
	}
}

/* --- the push ----------------------------------------------------------------------------------------------------- */

/* Whether this push may speak to us at all; answers it when not. RULE 4, 17, 20. */
static bool admissible(struct replica *r, const struct replica_received *received)
{
	const struct replica_push *push = received->push;
	const struct view *view = push->view > r->view.number ? push->record : &r->view;

	if (r->state == STATE_DAMAGED) { /* RULE 14 */
		ack(r, received->token, PUSH_DAMAGED);
		return false;
	}
	if (push->view < r->view.number) { /* RULE 4 */
		ack(r, received->token, PUSH_OLD_VIEW)->view = r->durable_view.number;
		return false;
	}
	if (view == NULL) {
		ack(r, received->token, PUSH_NEED_RECORD);
		return false;
	}
	if (view->number != push->view || received->from.id == r->options.id || view->primary != received->from.id ||
	    view_member_exact(view, received->from.id, received->from.uuid) == NULL || push->base_op > push->last_op ||
	    push->entries_count > push->last_op - push->base_op ||
	    push->base_op + push->entries_count > LIMIT_OPERATIONS(r->options.orders_max)) { /* RULE 19: as it said itself */
		ack(r, received->token, PUSH_REFUSED);
		return false;
	}
	if (push->view > r->view.number) {
		/* RULE 3 */
		bool other_generation = !uuid_equal(r->view.generation, view->generation);
		bool other_cluster = !uuid_is_nil(r->view.cluster) &&
				     (!uuid_equal(r->view.cluster, view->cluster) || other_generation);
		bool other_manager = !uuid_is_nil(r->bound) && !uuid_equal(r->bound, view->manager);

		if (other_cluster || other_manager) {
			ack(r, received->token, PUSH_REFUSED);
			return false;
		}
		replica_enter_view(r, view);
	}
	return true;
}

void replica_recv_push(struct replica *r, const struct replica_received *received)
{
	const struct replica_push *push = received->push;
	struct digest ours;

	if (!admissible(r, received))
		return;
	must(r->role == ROLE_BACKUP || r->role == ROLE_LEARNER);

	if (replica_log_digest(r->log, push->base_op, &ours)) {
		if (digest_equal(ours, push->base_digest)) {
			take_delta(r, received);
			return;
		}
		/* RULE 14: below the commit point a mismatch is damage, never silent. */
		if (push->base_op <= r->commit) {
			if (push->has_state && r->view.number > 0 && r->whole_view == 0) {
				take_state(r, received); /* a fresh replica's own initial history: overwritten */
				return;
			}
			damaged_by(r, received->token, "the committed history differs from the primary's");
			return;
		}
		if (r->whole_here && push->base_op <= r->proved_end) { /* RULE 14 */
			damaged_by(r, received->token, "the log differs from the primary's within one view");
			return;
		}
	}
	if (push->has_state) {
		take_state(r, received);
		return;
	}
	if (r->staged_complete && replica_log_digest(r->staged_log, push->base_op, &ours) &&
	    digest_equal(ours, push->base_digest)) {
		extend_staged(r, received);
		return;
	}
	ack(r, received->token, PUSH_NEED_BASE);
}
