/* The start of a replica: its disk, record by record, into the core, as server/disk/recovery.c does it; and then what
 * the core makes of it is compared with the checker's reading. */
#include <inttypes.h>
#include <stdlib.h>

#include "server/disk/received.h"
#include "tests/sim/checker.h"

static void hand(struct world *w, struct node *node, struct replica_event *event)
{
	replica_step(node->core, event, &node->actions);
	for (uint32_t i = 0; i < node->actions.count; i++) {
		if (node->actions.list[i].kind == DO_APPLY)
			node_apply_up_to(w, node, node->actions.list[i].apply.op);
	}
}

static void hand_record(struct world *w, struct node *node, const struct record *record)
{
	uint64_t count = record->last_op - record->op;
	uint8_t (*bytes)[OPERATION_BYTES] = world_alloc((count + 1) * sizeof *bytes);
	struct replica_entry *entries = world_alloc((count + 1) * sizeof *entries);
	struct replica_event event = {.kind = REPLICA_RECOVER_BATCH};

	switch (record->kind) {
	case WRITE_META:
		event = (struct replica_event){.kind = REPLICA_RECOVER_META, .meta = record->meta};
		node->uuid = record->meta->uuid;
		break;
	case WRITE_BATCH:
	case WRITE_STAGED:
		for (uint64_t i = 0; i < count; i++)
			node_know_time(w, node, record->entries[i].body);
		for (uint64_t i = 0; i < count; i++)
			entries[i] = (struct replica_entry){.view = record->entries[i].view, .body = bytes[i],
							    .size = body_bytes(w, record->entries[i].body, bytes[i])};
		if (record->kind == WRITE_STAGED)
			event.kind = REPLICA_RECOVER_STAGED;
		event.batch = (struct replica_recovered){.base_op = record->op, .base_digest = record->digest,
							 .commit = record->commit, .entries = entries,
							 .entries_count = (uint32_t)count};
		break;
	case WRITE_STATE:
		event = (struct replica_event){.kind = REPLICA_RECOVER_STATE,
					       .state = {.op = record->op, .last_op = record->last_op}};
		break;
	}
	hand(w, node, &event);
	free(bytes);
	free(entries);
}

static bool stands_on_received(const struct disk *disk)
{
	const struct record *last = NULL;

	for (uint32_t i = 0; i < disk->count; i++) {
		if (disk->records[i].kind == WRITE_STATE)
			last = &disk->records[i];
	}
	switch (received_state(last != NULL, last != NULL ? last->op : 0, disk->has_snapshot ? disk->snapshot.count : 0)) {
	case RECEIVED_UNFINISHED:
		return false;
	case RECEIVED_STANDS:
		return true;
	case RECEIVED_IF_EQUAL:
		return disk->incoming.count == last->op && digest_equal(disk->incoming.digest, last->digest);
	}
	return false;
}

static void name_received(struct node *node)
{
	struct disk *disk = &node->disk;

	if (disk->has_incoming && stands_on_received(disk))
		node_publish(node, &disk->incoming);
	disk->has_incoming = false;
}

/* The core's reading of the disk and the checker's. */
static void compare(struct world *w, struct node *node)
{
	uint64_t last = replica_last_op(node->core);

	disk_settle(&node->disk);
	if (replica_view(node->core)->number != node->disk.image.view)
		world_fail(w, 2, "replica %" PRIu32 " recovers view %" PRIu64 ", its disk knows view %" PRIu64, node->id,
			   replica_view(node->core)->number, node->disk.image.view);
	if (last != disk_last(&node->disk))
		world_fail(w, 14, "replica %" PRIu32 " recovers up to op %" PRIu64 ", its disk ends at op %" PRIu64,
			   node->id, last, disk_last(&node->disk));
	for (uint64_t op = node->live.count + 1; op <= last; op++) {
		struct replica_entry entry = replica_entry_at(node->core, op);

		if (body_of(w, entry.body, entry.size) != disk_body(&node->disk, op))
			world_fail(w, 14, "replica %" PRIu32 " recovers another operation at op %" PRIu64, node->id, op);
	}
	for (uint32_t op = 1; op <= node->live.count; op++) {
		if (node->live.bodies[op - 1] != disk_body(&node->disk, op))
			world_fail(w, 14, "replica %" PRIu32 " recovers another history at op %" PRIu32, node->id, op);
	}
}

void node_recover(struct world *w, struct node *node)
{
	struct replica_meta meta = {.id = node->id, .uuid = node->uuid};

	node->recovering = true;
	name_received(node);
	sequence_free(&node->live);
	sequence_init(&node->live, node->init);
	if (node->disk.has_snapshot)
		sequence_copy(&node->live, &node->disk.snapshot, node->disk.snapshot.count);
	for (uint32_t i = 0; i < node->live.count; i++)
		node_know_time(w, node, node->live.bodies[i]);
	node_fold(w, node);
	hand(w, node, &(struct replica_event){.kind = REPLICA_RECOVER_BASE,
					      .base = {.op = node->live.count, .digest = node->live.digest}});
	hand(w, node, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	for (uint32_t i = 0; i < node->disk.count; i++)
		hand_record(w, node, &node->disk.records[i]);
	node->recovering = false;
	compare(w, node);
}
