/* One replica's disk: records in order, durable or not yet; a crash keeps a beginning of what was not. Beside the
 * records the checker keeps what they amount to. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/checker.h"

/* --- histories ---------------------------------------------------------------------------------------------------- */

static void reserve(struct sequence *sequence, uint32_t count)
{
	if (count <= sequence->room)
		return;
	sequence->room = count * 2 + 16;
	sequence->bodies = realloc(sequence->bodies, sequence->room * sizeof *sequence->bodies);
	must(sequence->bodies != NULL);
}

void sequence_init(struct sequence *sequence, uint64_t init)
{
	*sequence = (struct sequence){.init = init, .digest = digest_of(&init, sizeof init)};
}

void sequence_free(struct sequence *sequence)
{
	free(sequence->bodies);
	*sequence = (struct sequence){0};
}

void sequence_append(struct world *w, struct sequence *sequence, uint32_t body)
{
	uint8_t bytes[OPERATION_BYTES];
	uint32_t size = body_bytes(w, body, bytes);

	reserve(sequence, sequence->count + 1);
	sequence->bodies[sequence->count++] = body;
	sequence->digest = digest_chain(sequence->digest, bytes, size);
}

/* The digest is right only for the whole. */
void sequence_copy(struct sequence *to, const struct sequence *from, uint32_t count)
{
	must(count <= from->count);
	reserve(to, count);
	to->init = from->init;
	to->digest = from->digest;
	to->count = count;
	if (count > 0)
		memcpy(to->bodies, from->bodies, count * sizeof *to->bodies);
}

/* --- the checker's reading ---------------------------------------------------------------------------------------- */

static void image_put(struct image *image, uint64_t op, struct world_entry entry)
{
	image->log = world_grow(image->log, op, &image->room, sizeof *image->log);
	image->log[op] = entry;
	image->last = op;
}

static void image_batch(struct image *image, const struct record *record)
{
	must(record->op <= image->last);
	image->last = record->op;
	for (uint64_t i = 0; i < record->last_op - record->op; i++)
		image_put(image, record->op + 1 + i, record->entries[i]);
}

static void image_state(struct disk *disk, const struct record *state)
{
	struct image *image = &disk->image;
	const struct sequence *sequence = disk->has_incoming ? &disk->incoming : &disk->snapshot;

	must(disk->has_incoming || disk->has_snapshot);
	must(sequence->count == state->op);
	image->init = sequence->init;
	image->last = 0;
	for (uint32_t i = 0; i < sequence->count; i++)
		image_put(image, i + 1, (struct world_entry){.body = sequence->bodies[i]});
	for (uint32_t i = 0; i < disk->count; i++) {
		if (disk->records[i].kind == WRITE_STAGED && disk->records[i].group == state->group)
			image_batch(image, &disk->records[i]);
	}
	must(image->last == state->last_op);
}

static void image_take(struct disk *disk, const struct record *record)
{
	if (record->commit > disk->image.commit)
		disk->image.commit = record->commit;
	switch (record->kind) {
	case WRITE_META:
		disk->image.uuid = record->meta->uuid;
		disk->image.meta = record->meta;
		disk->image.view = record->meta->view.number;
		break;
	case WRITE_BATCH:
		image_batch(&disk->image, record);
		break;
	case WRITE_STAGED:
		break;
	case WRITE_STATE:
		image_state(disk, record);
		break;
	}
}

/* A learner may have applied, and written a snapshot of, more than its journal holds: then the snapshot counts. */
static bool snapshot_counts(const struct disk *disk)
{
	uint32_t count = disk->has_snapshot ? disk->snapshot.count : 0;

	return count > 0 &&
	       (disk->image.last < count || disk->image.log[count].body != disk->snapshot.bodies[count - 1]);
}

uint64_t disk_last(const struct disk *disk)
{
	return snapshot_counts(disk) ? disk->snapshot.count : disk->image.last;
}

uint32_t disk_body(const struct disk *disk, uint64_t op)
{
	must(op > 0);
	must(op <= disk_last(disk));
	return snapshot_counts(disk) ? disk->snapshot.bodies[op - 1] : disk->image.log[op].body;
}

/* A start goes on from there. */
void disk_settle(struct disk *disk)
{
	if (!snapshot_counts(disk))
		return;
	disk->image.last = 0;
	for (uint32_t i = 0; i < disk->snapshot.count; i++)
		image_put(&disk->image, i + 1, (struct world_entry){.body = disk->snapshot.bodies[i]});
}

/* --- records ------------------------------------------------------------------------------------------------------ */

static struct record *add(struct record **list, uint32_t *count, uint32_t *room)
{
	uint64_t wide = *room;

	*list = world_grow(*list, *count, &wide, sizeof **list);
	*room = (uint32_t)wide;
	return &(*list)[(*count)++];
}

static void take_entries(struct world *w, struct node *node, struct record *record)
{
	uint64_t count = record->last_op - record->op;

	record->entries = world_alloc(count * sizeof *record->entries);
	for (uint64_t i = 0; i < count; i++) {
		struct replica_entry entry = replica_entry_at(node->core, record->op + 1 + i);

		record->entries[i] =
			(struct world_entry){.view = entry.view, .body = body_of(w, entry.body, entry.size)};
		check_named(w, entry.view, record->op + 1 + i, record->entries[i].body);
	}
}

void disk_append(struct world *w, struct node *node, const struct replica_write *write, uint32_t group)
{
	struct disk *disk = &node->disk;
	struct record *record = add(&disk->pending, &disk->pending_count, &disk->pending_room);

	*record = (struct record){.kind = write->kind, .ticket = write->ticket, .group = group};
	switch (write->kind) {
	case WRITE_META:
		record->meta = world_alloc(sizeof *record->meta);
		replica_meta_now(node->core, record->meta);
		break;
	case WRITE_BATCH:
	case WRITE_STAGED:
		record->op = write->batch.base_op;
		record->digest = write->batch.base_digest;
		record->last_op = write->batch.last_op;
		record->commit = write->batch.commit;
		record->durable_op = write->batch.durable_op;
		take_entries(w, node, record);
		break;
	case WRITE_STATE:
		record->op = write->state.op;
		record->digest = write->state.digest;
		record->last_op = write->state.last_op;
		break;
	}
	if (disk->pending_count == 1)
		disk->oldest_us = w->now_us;
	disk_begin(w, node);
}

static uint64_t write_us(struct world *w, const struct disk *disk)
{
	if (disk->stalled_until_us > w->now_us)
		return disk->stalled_until_us - w->now_us + world_draw(w, 1000);
	if (world_percent(w, w->profile.slow_disk_percent))
		return world_draw(w, 60000);
	return 50 + world_draw(w, world_percent(w, 5) ? 5000 : 300);
}

/* Whatever is pending forms one write. */
void disk_begin(struct world *w, struct node *node)
{
	struct disk *disk = &node->disk;

	if (disk->under_way > 0 || disk->pending_count == 0)
		return;
	disk->under_way = world_percent(w, 50) ? disk->pending_count : 1 + world_draw(w, disk->pending_count);
	world_at(w, write_us(w, disk), (struct world_event){.kind = EV_DISK, .node = node->id, .life = node->life});
}

/* A new segment begins with META, so that older ones can go. */
static void turn_segment(struct world *w, struct disk *disk)
{
	const struct replica_meta *meta = NULL;

	if (disk->in_segment++ < 6 + world_draw(w, 20))
		return;
	for (uint32_t i = disk->count; i > 0 && meta == NULL; i--)
		meta = disk->records[i - 1].meta;
	must(meta != NULL);
	disk->segment++;
	disk->in_segment = 0;

	struct record *record = add(&disk->records, &disk->count, &disk->room);

	*record = (struct record){.kind = WRITE_META, .segment = disk->segment, .meta = world_alloc(sizeof *meta)};
	*record->meta = *meta;
	disk->image.meta = record->meta;
}

static void make_durable(struct world *w, const struct node *node, struct disk *disk, uint32_t count)
{
	must(count <= disk->pending_count);
	for (uint32_t i = 0; i < count; i++) {
		if (disk->count > 0)
			turn_segment(w, disk);

		struct record *record = add(&disk->records, &disk->count, &disk->room);

		if (disk->pending[i].kind == WRITE_META)
			check_record(w, node, disk->pending[i].meta);
		else if (disk->pending[i].kind == WRITE_BATCH)
			check_batch(w, node, &disk->pending[i]);
		*record = disk->pending[i];
		record->segment = disk->segment;
		image_take(disk, record);
		if (record->kind == WRITE_META)
			check_bound(w, record->meta->bound);
	}
	disk->pending_count -= count;
	memmove(disk->pending, disk->pending + count, disk->pending_count * sizeof *disk->pending);
	disk->oldest_us = w->now_us;
}

/* RULE 13: a failed write ends the process. */
void disk_done(struct world *w, struct node *node)
{
	struct disk *disk = &node->disk;

	if (disk->failing) {
		world_say(w, "replica %" PRIu32 "'s disk fails a write", node->id);
		w->counts->failed_writes++;
		fault_kill(w, node);
		return;
	}

	uint64_t ticket = disk->pending[disk->under_way - 1].ticket;

	make_durable(w, node, disk, disk->under_way);
	disk->under_way = 0;
	/* The process hears of it a little later, and the next write does not wait for that. */
	world_at(w, world_draw(w, 40),
		 (struct world_event){.kind = EV_DURABLE, .node = node->id, .life = node->life, .value = ticket});
	disk_begin(w, node);
}

static void record_free(struct record *record)
{
	free(record->meta);
	free(record->entries);
}

/* A beginning of what was under way may be there; nothing says how much. */
void disk_crash(struct world *w, struct node *node)
{
	struct disk *disk = &node->disk;
	uint32_t kept = world_draw(w, disk->pending_count + 1);

	if (world_percent(w, 30))
		kept = 0;
	make_durable(w, node, disk, kept);
	for (uint32_t i = 0; i < disk->pending_count; i++)
		record_free(&disk->pending[i]);
	w->counts->torn_starts += disk->pending_count > 0;
	w->counts->between += disk->count > 0 && disk->records[disk->count - 1].kind == WRITE_STAGED;
	disk->pending_count = 0;
	disk->under_way = 0;
	disk->failing = false;
}

/* The end of what a segment's records say; a replacement stands for everything before it. */
static uint64_t segment_end(const struct disk *disk, uint32_t segment)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < disk->count; i++) {
		const struct record *record = &disk->records[i];

		if (record->kind == WRITE_META)
			continue;
		if (record->kind == WRITE_STATE && record->segment >= segment && end > record->last_op)
			end = record->last_op;
		if (record->segment == segment && record->last_op > end)
			end = record->last_op;
	}
	return end;
}

/* As server/disk/journal_keeper.c: from the oldest on, what the snapshot covers; never the newest. */
void disk_trim(struct node *node)
{
	struct disk *disk = &node->disk;
	uint32_t gone = 0;

	while (disk->count > 0 && disk->records[gone].segment < disk->segment) {
		uint32_t segment = disk->records[gone].segment;

		if (segment_end(disk, segment) > disk->snapshot.count)
			break;
		while (disk->records[gone].segment == segment)
			record_free(&disk->records[gone++]);
	}
	if (gone == 0)
		return;
	disk->count -= gone;
	memmove(disk->records, disk->records + gone, disk->count * sizeof *disk->records);
}

void disk_wipe(struct node *node)
{
	disk_free(&node->disk);
	node->disk.image.init = node->init;
}

static void record_copy(struct disk *disk, struct record *to, const struct record *from)
{
	uint64_t count = from->last_op - from->op;

	*to = *from;
	if (from->meta != NULL) {
		to->meta = world_alloc(sizeof *to->meta);
		*to->meta = *from->meta;
		disk->image.meta = to->meta;
	}
	if (from->entries != NULL) {
		to->entries = world_alloc(count * sizeof *to->entries);
		memcpy(to->entries, from->entries, count * sizeof *to->entries);
	}
}

/* What is durable. */
void disk_copy(struct disk *to, const struct disk *from)
{
	disk_free(to);
	to->records = world_alloc(from->count * sizeof *to->records);
	to->count = to->room = from->count;
	to->image = from->image;
	for (uint32_t i = 0; i < from->count; i++)
		record_copy(to, &to->records[i], &from->records[i]);
	to->image.log = NULL;
	to->image.room = 0;
	to->image.log = world_grow(NULL, from->image.last, &to->image.room, sizeof *to->image.log);
	if (from->image.last > 0)
		memcpy(to->image.log, from->image.log, (from->image.last + 1) * sizeof *to->image.log);
	to->segment = from->segment;
	to->in_segment = from->in_segment;
	to->groups = from->groups;
	to->has_snapshot = from->has_snapshot;
	if (from->has_snapshot)
		sequence_copy(&to->snapshot, &from->snapshot, from->snapshot.count);
	to->has_incoming = from->has_incoming;
	if (from->has_incoming)
		sequence_copy(&to->incoming, &from->incoming, from->incoming.count);
}

void disk_free(struct disk *disk)
{
	for (uint32_t i = 0; i < disk->count; i++)
		record_free(&disk->records[i]);
	for (uint32_t i = 0; i < disk->pending_count; i++)
		record_free(&disk->pending[i]);
	free(disk->records);
	free(disk->pending);
	free(disk->image.log);
	sequence_free(&disk->snapshot);
	sequence_free(&disk->incoming);
	*disk = (struct disk){0};
}
