#include "server/replica/writes.h"

#include <inttypes.h>

#include "rpc/base/shortage.h"
#include "server/replica/output.h"

static struct pending_write *write_at(struct replica *r, uint32_t index)
{
	return &r->writes[(r->writes_first + index) % r->writes_room];
}

static struct pending_write *add_write(struct replica *r)
{
	if (r->writes_count == r->writes_room) {
		uint32_t room = r->writes_room == 0 ? 64 : r->writes_room * 2;
		struct pending_write *writes = calloc(room, sizeof *writes);

		must_allocate(writes);
		for (uint32_t i = 0; i < r->writes_count; i++)
			writes[i] = *write_at(r, i);
		free(r->writes);
		r->writes = writes;
		r->writes_first = 0;
		r->writes_room = room;
	}

	struct pending_write *write = write_at(r, r->writes_count++);

	*write = (struct pending_write){.ticket = r->next_ticket++};
	return write;
}

uint64_t replica_write_meta(struct replica *r)
{
	struct pending_write *write = add_write(r);

	write->view = true;
	replica_do(r, DO_WRITE)->write = (struct replica_write){.kind = WRITE_META, .ticket = write->ticket};
	return write->ticket;
}

static void write_entries(struct replica *r, enum replica_write_kind kind, uint64_t ticket,
			  const struct replica_write_batch *batch)
{
	struct replica_write *write = &replica_do(r, DO_WRITE)->write;

	write->kind = kind;
	write->ticket = ticket;
	write->batch = *batch;
	must(replica_log_digest(r->log, batch->base_op, &write->batch.base_digest));
}

static void write_batch(struct replica *r, uint64_t base_op, uint64_t last_op)
{
	struct pending_write *write = add_write(r);

	must(base_op <= last_op);
	must(base_op >= replica_log_base(r->log));
	write->batch = true;
	write->end_op = last_op;
	r->batches_in_flight++;
	write_entries(r, WRITE_BATCH, write->ticket,
		      &(struct replica_write_batch){.base_op = base_op, .last_op = last_op,
						    .commit = r->commit < last_op ? r->commit : last_op,
						    .durable_op = r->durable_op < base_op ? r->durable_op : base_op});
	r->written_op = last_op;
	r->cut_pending = false;
}

/* The end of a batch from base: bounded in entries and bytes. */
static uint64_t batch_end(const struct replica *r, uint64_t base_op)
{
	uint64_t last = replica_log_last(r->log);
	uint64_t bytes = 0;
	uint64_t op = base_op;

	while (op < last && op - base_op < LIMIT_PUSH_ENTRIES) {
		bytes += replica_log_at(r->log, op + 1)->size;
		if (bytes > LIMIT_PUSH_BYTES && op > base_op)
			break;
		op++;
	}
	return op;
}

void replica_write_log_now(struct replica *r)
{
	while (r->cut_pending || r->written_op < replica_log_last(r->log))
		write_batch(r, r->written_op, batch_end(r, r->written_op));
}

/* One batch at a time: what arrives meanwhile forms the next one. */
void replica_write_log(struct replica *r)
{
	if (r->batches_in_flight == 0)
		replica_write_log_now(r);
}

/* RULE 5: the one place where entries leave the log. Never below the commit point. */
void replica_cut(struct replica *r, uint64_t op)
{
	must(op >= r->commit);
	must(op < replica_log_last(r->log));
	replica_say(r, LOG_LEVEL_INFO,
		    "cutting entries that did not survive the view change: from=%" PRIu64 " to=%" PRIu64, op + 1,
		    replica_log_last(r->log));
	replica_log_cut(r->log, op);
	if (r->written_op > op) {
		r->written_op = op;
		r->cut_pending = true;
	}
	if (r->durable_op > op)
		r->durable_op = op;
	if (r->proved_end > op)
		r->proved_end = op;
	if (r->commit_heard > op) /* RULE 7: what was cut is no longer proved */
		r->commit_heard = op;
	for (uint32_t i = 0; i < r->writes_count; i++) {
		struct pending_write *write = write_at(r, i);

		if (write->end_op > op)
			write->end_op = op;
	}
}

/* The replacement takes effect in one record. Staged batches before it mean nothing without it, so
 * that a member that dies in between still has the whole log it acknowledged. */
void replica_write_replacement(struct replica *r)
{
	struct replica_log *old = r->log;
	uint64_t last = replica_log_last(r->staged_log);

	must(r->staged_complete);
	must(!r->adopting);
	must(replica_log_base(r->staged_log) == r->staged_op);
	must(r->staged_op >= r->commit); /* RULE 7: a replacement takes nothing back */
	r->log = r->staged_log;
	r->staged_log = old;
	replica_log_reset(r->staged_log, 0, (struct digest){0});
	for (uint32_t i = 0; i < r->writes_count; i++)
		write_at(r, i)->end_op = 0;
	r->replaced_durable_op = r->durable_op;
	r->durable_op = 0;

	for (uint64_t base = r->staged_op; base < last;) {
		uint64_t end = batch_end(r, base);

		write_entries(r, WRITE_STAGED, add_write(r)->ticket,
			      &(struct replica_write_batch){.base_op = base, .last_op = end, .commit = r->staged_op});
		base = end;
	}

	struct pending_write *write = add_write(r);

	write->adopt = true;
	write->end_op = last;
	write->batch = true;
	r->batches_in_flight++;
	replica_do(r, DO_WRITE)->write = (struct replica_write){
		.kind = WRITE_STATE, .ticket = write->ticket,
		.state = {.op = r->staged_op, .digest = r->staged_digest, .last_op = last}};
	r->written_op = last;
	r->cut_pending = false;
	r->adopting = true;
	r->staged_complete = false;
}

bool replica_view_durable(const struct replica *r)
{
	return r->view_ticket <= r->durable_ticket; /* RULE 2 */
}

static void adopt(struct replica *r)
{
	uint64_t op = replica_log_base(r->log);
	struct digest digest;

	must(replica_log_digest(r->log, op, &digest));
	r->adopting = false;
	r->recovery_broken = false;
	r->applied = op;
	r->applied_digest = digest;
	if (r->commit < op)
		r->commit = op;
	replica_do(r, DO_ADOPT)->adopt.op = op;
	replica_say(r, LOG_LEVEL_INFO, "order history replaced by the primary's: op=%" PRIu64, op);
}

void replica_writes_completed(struct replica *r, uint64_t ticket)
{
	must(ticket < r->next_ticket);
	while (r->writes_count > 0 && write_at(r, 0)->ticket <= ticket) {
		struct pending_write write = *write_at(r, 0);

		r->writes_first = (r->writes_first + 1) % r->writes_room;
		r->writes_count--;
		r->durable_ticket = write.ticket;
		if (write.batch) {
			r->batches_in_flight--;
			if (write.end_op > r->durable_op)
				r->durable_op = write.end_op;
		}
		if (write.adopt)
			adopt(r);
	}
	if (replica_view_durable(r)) {
		r->durable_view = r->view;
		if (r->entered_whole_ticket <= r->durable_ticket)
			r->durable_whole_view = r->whole_view; /* a record of its own, after the entries */
		if (r->bind.token == 0 || r->bind.ticket <= r->durable_ticket) /* RULE 20 */
			r->durable_bound = r->bound;
	}
}
