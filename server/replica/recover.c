#include "server/replica/recover.h"

#include <string.h>

#include "server/replica/output.h"

static void recover_base(struct replica *r, uint64_t op, struct digest digest)
{
	replica_log_reset(r->log, op, digest);
	r->commit = r->applied = r->recovery_base = op;
	r->applied_digest = digest;
}

static void recover_meta(struct replica *r, const struct replica_meta *meta)
{
	if (meta->view.number < r->view.number) {
		r->recovery_broken = true; /* RULE 2: view numbers only rise, also through damage */
		return;
	}
	r->uuid = meta->uuid;
	r->bound = meta->bound;
	r->view = meta->view;
	r->whole_view = meta->whole_view;
	r->tail_cut = meta->tail_cut;
	r->fold.differs_op = r->fold.durable_differs_op = meta->fold_differs_op;
	r->joint_count = meta->joint_count; /* RULE 9 */
	memcpy(r->joint, meta->joint, sizeof r->joint);
}

/* Steps over the entries that the snapshot (or what is trimmed) covers. False when they lead elsewhere than to it. */
static bool skip_covered(const struct replica_log *log, const struct replica_recovered *batch, uint32_t *skipped)
{
	uint64_t base = replica_log_base(log);
	struct digest digest = batch->base_digest;
	struct digest ours;

	*skipped = 0;
	for (uint64_t op = batch->base_op; op < base && *skipped < batch->entries_count; op++) {
		digest = digest_chain(digest, batch->entries[*skipped].body, batch->entries[*skipped].size);
		(*skipped)++;
	}
	if (batch->base_op + *skipped < base)
		return true; /* all of it is older than the snapshot */
	/* RULE 14 */
	return replica_log_digest(log, batch->base_op + *skipped, &ours) && digest_equal(ours, digest);
}

enum batch_fit { BATCH_TAKEN, BATCH_OTHER_BRANCH, BATCH_GAP };

/* The log is what the batches say from the snapshot on. A batch from before the snapshot may belong to a tail that
 * was cut later: it ends on another digest at the snapshot's op, and with what follows it counts for nothing until a
 * batch fits again. */
static enum batch_fit recover_entries(struct replica *r, const struct replica_recovered *batch)
{
	uint64_t base = replica_log_base(r->log);
	uint32_t skipped;

	if (!skip_covered(r->log, batch, &skipped)) {
		if (batch->base_op > base && !r->recovery_astray)
			return BATCH_GAP; /* what led here is missing */
		replica_log_cut(r->log, base);
		return BATCH_OTHER_BRANCH;
	}

	uint64_t from = batch->base_op + skipped > base ? batch->base_op + skipped : base;

	/* Also what ends below the snapshot has cut everything above it. */
	if (replica_log_last(r->log) > from)
		replica_log_cut(r->log, from);
	for (uint32_t i = skipped; i < batch->entries_count; i++)
		replica_log_append(r->log, batch->entries[i].view, batch->entries[i].body, batch->entries[i].size);
	return BATCH_TAKEN;
}

static void recover_batch(struct replica *r, const struct replica_recovered *batch)
{
	if (batch->base_op < r->commit && r->commit > r->recovery_base) {
		r->recovery_broken = true; /* RULE 5: no cut goes below the commit point */
		return;
	}

	enum batch_fit fit = recover_entries(r, batch);

	r->recovery_astray = fit == BATCH_OTHER_BRANCH;
	if (fit == BATCH_GAP) /* RULE 14 */
		r->recovery_broken = true;
	if (r->recovery_broken || fit != BATCH_TAKEN)
		return;

	uint64_t last = replica_log_last(r->log);
	uint64_t commit = batch->commit < last ? batch->commit : last; /* RULE 7 */

	if (commit <= r->commit)
		return;
	/* The shell reads the entries of APPLY after this step: only those applied before may go. */
	replica_log_trim(r->log, r->applied, r->options.log_bytes_max);
	/* RULE 7: only up to a durable commit mark. */
	r->commit = commit;
	replica_do(r, DO_APPLY)->apply.op = commit;
	r->applied = commit;
	must(replica_log_digest(r->log, commit, &r->applied_digest));
}

/* Staged entries of a replacement that never took effect may still be there: each record says what it follows. */
static void recover_staged(struct replica *r, const struct replica_recovered *batch)
{
	struct digest ours;

	if (!replica_log_digest(r->staged_log, batch->base_op, &ours) || !digest_equal(ours, batch->base_digest))
		replica_log_reset(r->staged_log, batch->base_op, batch->base_digest);
	else
		replica_log_cut(r->staged_log, batch->base_op);
	for (uint32_t i = 0; i < batch->entries_count; i++)
		replica_log_append(r->staged_log, batch->entries[i].view, batch->entries[i].body,
				   batch->entries[i].size);
}

/* The replacement took effect. The shell has loaded a snapshot at or after its op, or there is damage. */
static void recover_state(struct replica *r, uint64_t op, uint64_t last_op)
{
	uint64_t base = replica_log_base(r->log);
	struct digest ours, staged;

	if (op > base || r->commit > base) { /* RULE 14 */
		/* Entries applied on top of the snapshot belong to the old log: cannot be, a replacement is never
		 * older. */
		r->recovery_broken = true;
		return;
	}
	must(replica_log_digest(r->log, base, &ours));
	r->recovery_broken = false;
	r->recovery_astray = false;
	replica_log_reset(r->log, base, ours);
	if (last_op > base) {
		if (replica_log_last(r->staged_log) < last_op ||
		    !replica_log_digest(r->staged_log, base, &staged)) {
			r->recovery_broken = true; /* RULE 14 */
			return;
		}
		r->recovery_astray = !digest_equal(ours, staged); /* its tail was cut before the snapshot's op */
	}
	for (uint64_t at = base + 1; at <= last_op && !r->recovery_astray; at++) {
		const struct log_entry *entry = replica_log_at(r->staged_log, at);

		replica_log_append(r->log, entry->view, entry->body, entry->size);
	}
	replica_log_reset(r->staged_log, 0, (struct digest){0});
}

void replica_recover(struct replica *r, const struct replica_event *event)
{
	must(!r->started);
	switch (event->kind) {
	case REPLICA_RECOVER_BASE:
		recover_base(r, event->base.op, event->base.digest);
		break;
	case REPLICA_RECOVER_META:
		recover_meta(r, event->meta);
		break;
	case REPLICA_RECOVER_BATCH:
		recover_batch(r, &event->batch);
		break;
	case REPLICA_RECOVER_STAGED:
		recover_staged(r, &event->batch);
		break;
	default:
		must(event->kind == REPLICA_RECOVER_STATE);
		recover_state(r, event->state.op, event->state.last_op);
		break;
	}
}
