/* A replica's disk: records that become durable when the hand that holds it lets go, and what a new process finds. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct digest history_digest(const struct history *history, uint32_t op)
{
	struct digest digest = digest_of("initial", 7);

	must(op <= history->count);
	for (uint32_t i = 0; i < op; i++)
		digest = digest_chain(digest, history->list[i], STAGE_BODY);
	return digest;
}

static void record_free(struct record *record)
{
	free(record->entries);
	free(record);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void say_meta(struct stage *s, const struct replica_process *p, const struct replica_meta *meta)
{
	struct text text = {.size = 0};

	text_add(&text, "%s writes view %" PRIu64 ", whole in %" PRIu64, stage_name(p->process->number),
		 meta->view.number, meta->whole_view);
	if (!uuid_is_nil(meta->bound))
		text_add(&text, ", bound to %s", manager_name(s, meta->bound));
	for (uint32_t i = 0; i < meta->joint_count; i++)
		text_add(&text, ", counts %" PRIu32, meta->joint[i].id);
	stage_say(s, "%s", text.bytes);
	free(text.bytes);
}

static void say_entries(struct stage *s, const struct replica_process *p, const struct record *record)
{
	struct text text = {.size = 0};

	text_add(&text, "%s writes", stage_name(p->process->number));
	if (record->last_op == record->op)
		text_add(&text, " that its log ends at op %" PRIu64, record->op);
	for (uint64_t op = record->op + 1; op <= record->last_op; op++)
		text_add(&text, "%s %" PRIu64 ":%s", op == record->op + 1 ? "" : ",", op,
			 record->entries[op - record->op - 1].body);
	stage_say(s, "%s%s", text.bytes, record->kind == WRITE_STAGED ? " (aside)" : "");
	free(text.bytes);
}

static void copy_entries(const struct replica_process *p, struct record *record)
{
	record->entries = stage_alloc((record->last_op - record->op) * sizeof *record->entries);
	for (uint64_t op = record->op + 1; op <= record->last_op; op++) {
		struct replica_entry entry = replica_entry_at(p->core, op);
		struct entry *copy = &record->entries[op - record->op - 1];

		must(entry.size == STAGE_BODY);
		copy->view = entry.view;
		memcpy(copy->body, entry.body, STAGE_BODY);
	}
}

void disk_write(struct stage *s, struct replica_process *p, const struct replica_write *write)
{
	struct record *record = stage_alloc(sizeof *record);
	struct item *item = item_new(ITEM_DISK);

	record->kind = write->kind;
	record->ticket = write->ticket;
	switch (write->kind) {
	case WRITE_META:
		replica_meta_now(p->core, &record->meta);
		say_meta(s, p, &record->meta);
		break;
	case WRITE_BATCH:
	case WRITE_STAGED:
		record->op = write->batch.base_op;
		record->digest = write->batch.base_digest;
		record->last_op = write->batch.last_op;
		record->commit = write->batch.commit;
		copy_entries(p, record);
		say_entries(s, p, record);
		break;
	case WRITE_STATE:
		record->op = write->state.op;
		record->digest = write->state.digest;
		record->last_op = write->state.last_op;
		stage_say(s, "%s writes that the state as of op %" PRIu64 " replaces its own",
			  stage_name(p->process->number), record->op);
		break;
	}
	must(p->disk.count < STAGE_RECORDS);
	p->disk.records[p->disk.count++] = record;
	item->from = item->to = p->process->number;
	item->ticket = write->ticket;
	item->since_ms = s->now_ms;
	item_queue(s, item);
}

void disk_durable(struct stage *s, struct replica_process *p, uint64_t ticket)
{
	const char *name = stage_name(p->process->number);

	for (uint32_t i = 0; i < p->disk.count; i++) {
		struct record *record = p->disk.records[i];

		if (record->durable || record->ticket > ticket)
			continue;
		record->durable = true;
		if (record->kind == WRITE_META)
			stage_say(s, "%s synced view %" PRIu64 ", whole in %" PRIu64, name, record->meta.view.number,
				  record->meta.whole_view);
		else
			stage_say(s, "%s synced op %" PRIu64, name, record->last_op);
		if (record->kind == WRITE_STATE && p->disk.has_incoming) {
			p->disk.snapshot = p->disk.incoming;
			p->disk.has_snapshot = true;
			p->disk.has_incoming = false;
		}
	}
}

void disk_crash(struct disk *disk)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < disk->count; i++) {
		if (disk->records[i]->durable)
			disk->records[kept++] = disk->records[i];
		else
			record_free(disk->records[i]);
	}
	disk->count = kept;
	disk->has_incoming = false;
	/* Tickets begin anew in the next process. */
	for (uint32_t i = 0; i < disk->count; i++)
		disk->records[i]->ticket = 0;
}

uint64_t disk_tear(struct disk *disk)
{
	for (uint32_t i = disk->count; i-- > 0;) {
		uint64_t op = disk->records[i]->op;

		if (disk->records[i]->kind != WRITE_BATCH)
			continue;
		record_free(disk->records[i]);
		for (disk->count--; i < disk->count; i++)
			disk->records[i] = disk->records[i + 1];
		return op;
	}
	must_not_reach("a batch on this disk");
}

void disk_wipe(struct disk *disk)
{
	for (uint32_t i = 0; i < disk->count; i++)
		record_free(disk->records[i]);
	memset(disk, 0, sizeof *disk);
}

void disk_copy(struct disk *to, const struct disk *from)
{
	disk_wipe(to);
	*to = *from;
	for (uint32_t i = 0; i < from->count; i++) {
		const struct record *record = from->records[i];
		uint64_t count = record->last_op - record->op;

		to->records[i] = stage_alloc(sizeof *record);
		*to->records[i] = *record;
		if (record->entries == NULL)
			continue;
		to->records[i]->entries = stage_alloc(count * sizeof *record->entries);
		memcpy(to->records[i]->entries, record->entries, count * sizeof *record->entries);
	}
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* Before START a core only says how far to apply. */
static void hand(struct stage *s, struct replica_process *p, struct replica_event *event)
{
	event->now_ms = stage_now(s, p->process);
	replica_step(p->core, event, &p->actions);
	for (uint32_t i = 0; i < p->actions.count; i++) {
		if (p->actions.list[i].kind != DO_APPLY)
			continue;
		while (p->live.count < p->actions.list[i].apply.op) {
			struct replica_entry entry = replica_entry_at(p->core, p->live.count + 1);

			memcpy(p->live.list[p->live.count++], entry.body, STAGE_BODY);
		}
	}
}

static void hand_batch(struct stage *s, struct replica_process *p, const struct record *record)
{
	uint64_t count = record->last_op - record->op;
	struct replica_entry entries[STAGE_OPS];

	must(count <= STAGE_OPS);
	for (uint64_t i = 0; i < count; i++)
		entries[i] = (struct replica_entry){.view = record->entries[i].view, .size = STAGE_BODY,
						    .body = (const uint8_t *)record->entries[i].body};
	hand(s, p, &(struct replica_event){.kind = record->kind == WRITE_BATCH ? REPLICA_RECOVER_BATCH : REPLICA_RECOVER_STAGED,
					   .batch = {.base_op = record->op, .base_digest = record->digest,
						     .commit = record->commit, .entries = entries,
						     .entries_count = (uint32_t)count}});
}

void disk_recover(struct stage *s, struct replica_process *p)
{
	struct replica_meta none = {.id = p->process->number, .uuid = p->uuid};

	memset(&p->live, 0, sizeof p->live);
	if (p->disk.has_snapshot)
		p->live = p->disk.snapshot;
	hand(s, p, &(struct replica_event){.kind = REPLICA_RECOVER_BASE,
					   .base = {.op = p->live.count,
						    .digest = history_digest(&p->live, p->live.count)}});
	hand(s, p, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &none});
	for (uint32_t i = 0; i < p->disk.count; i++) {
		const struct record *record = p->disk.records[i];

		if (record->kind == WRITE_META)
			hand(s, p, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &record->meta});
		else if (record->kind == WRITE_STATE)
			hand(s, p, &(struct replica_event){.kind = REPLICA_RECOVER_STATE,
							   .state = {.op = record->op, .last_op = record->last_op}});
		else
			hand_batch(s, p, record);
	}
}
