/* What the journal held, record by record, before START. The same words as at run time, but nothing is sent and nothing is
 * written: the result is the log, the view and the commit mark that were durable. */
#include <inttypes.h>
#include <string.h>

#include "rpc/base/log.h"
#include "server/replica/internal.h"

static void recover_base(struct replica *r, const struct replica_event *event)
{
	replica_log_reset(r->log, event->op, event->digest);
	r->commit = r->applied = event->op;
	r->applied_digest = event->digest;
}

static void recover_meta(struct replica *r, const struct replica_meta *meta)
{
	if (meta->view.number < r->view.number)
		r->recovery_broken = true; /* RULE 2: view numbers only rise */
	r->uuid = meta->uuid;
	r->bound = meta->bound;
	r->view = meta->view;
	r->whole_view = meta->whole_view;
	r->joint_count = meta->joint_count;
	memcpy(r->joint, meta->joint, sizeof r->joint);
}

/* Entries that the snapshot covers are only checked: their digest must lead to the snapshot's. */
static bool skip_covered(const struct replica_log *log, const struct replica_event *event, uint32_t *skipped)
{
	uint64_t base = replica_log_base(log);
	struct digest digest = event->digest;
	struct digest ours;

	*skipped = 0;
	for (uint64_t op = event->op; op < base && *skipped < event->entries_count; op++) {
		digest = digest_chain(digest, event->entries[*skipped].body, event->entries[*skipped].size);
		(*skipped)++;
	}
	if (event->op + *skipped < base)
		return true; /* all of it is older than the snapshot */
	return replica_log_digest(log, event->op + *skipped, &ours) && digest_equal(ours, digest);
}

static bool recover_entries(struct replica_log *log, const struct replica_event *event)
{
	uint32_t skipped;

	if (!skip_covered(log, event, &skipped))
		return false;

	uint64_t from = event->op + skipped;

	if (from < replica_log_base(log))
		return true;
	if (replica_log_last(log) > from)
		replica_log_cut(log, from);
	for (uint32_t i = skipped; i < event->entries_count; i++)
		replica_log_append(log, event->entries[i].view, event->entries[i].body, event->entries[i].size);
	return true;
}

static void recover_batch(struct replica *r, const struct replica_event *event)
{
	if (event->op < r->commit && event->op + event->entries_count >= replica_log_base(r->log) &&
	    event->op >= replica_log_base(r->log) && r->commit > replica_log_base(r->log)) {
		r->recovery_broken = true; /* RULE 5: nobody cuts below the commit point */
		return;
	}
	if (!recover_entries(r->log, event)) {
		r->recovery_broken = true;
		return;
	}

	uint64_t last = replica_log_last(r->log);
	uint64_t commit = event->commit < last ? event->commit : last;

	if (r->recovery_broken || commit <= r->commit)
		return;
	/* The shell reads the entries of APPLY after this step: only those applied before may go. */
	replica_log_trim(r->log, r->applied, r->options.log_bytes_max);
	/* RULE 7: only up to a durable commit mark. */
	r->commit = commit;
	replica_do(r, DO_APPLY)->op = commit;
	r->applied = commit;
	must(replica_log_digest(r->log, commit, &r->applied_digest));
}

static void recover_staged(struct replica *r, const struct replica_event *event)
{
	struct digest ours;

	if (!replica_log_digest(r->staged_log, event->op, &ours) || !digest_equal(ours, event->digest))
		replica_log_reset(r->staged_log, event->op, event->digest);
	for (uint32_t i = 0; i < event->entries_count; i++)
		replica_log_append(r->staged_log, event->entries[i].view, event->entries[i].body, event->entries[i].size);
}

/* The replacement took effect. The shell has loaded a snapshot at or after its op, or there is damage. */
static void recover_state(struct replica *r, const struct replica_event *event)
{
	uint64_t base = replica_log_base(r->log);
	struct digest ours;

	if (event->op > base && !event->ok) {
		r->recovery_broken = true;
		return;
	}
	must(replica_log_digest(r->log, base, &ours));
	if (r->commit > base) {
		/* Entries applied on top of the snapshot belong to the old log: cannot be, a replacement is never older. */
		r->recovery_broken = true;
		return;
	}
	r->recovery_broken = false;
	replica_log_reset(r->log, base, ours);
	if (event->last_op > base) {
		bool holds = replica_log_digest(r->staged_log, event->last_op, &(struct digest){0}) &&
			     replica_log_base(r->staged_log) <= base;

		if (!holds) {
			r->recovery_broken = true;
			return;
		}
		for (uint64_t op = base + 1; op <= event->last_op; op++) {
			const struct log_entry *entry = replica_log_at(r->staged_log, op);

			replica_log_append(r->log, entry->view, entry->body, entry->size);
		}
	}
	replica_log_reset(r->staged_log, 0, (struct digest){0});
}

void replica_recover(struct replica *r, const struct replica_event *event)
{
	must(!r->started);
	switch (event->kind) {
	case REPLICA_RECOVER_BASE:
		recover_base(r, event);
		break;
	case REPLICA_RECOVER_META:
		recover_meta(r, event->meta);
		break;
	case REPLICA_RECOVER_BATCH:
		recover_batch(r, event);
		break;
	case REPLICA_RECOVER_STAGED:
		recover_staged(r, event);
		break;
	default:
		recover_state(r, event);
		break;
	}
}
