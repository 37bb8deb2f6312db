/* A state that a replica is sent instead of entries: taken piece by piece, adopted, and named, as server/disk/staging.c
 * does it. */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/checker.h"

void staging_drop(struct node *node)
{
	if (node->staging == NULL)
		return;
	sequence_free(&node->staging->sequence);
	free(node->staging);
	node->staging = NULL;
}

static void staging_answer(struct world *w, struct node *node, uint64_t token, bool ok, uint64_t next, bool complete)
{
	struct staged *staged = world_alloc(sizeof *staged);

	*staged = (struct staged){.token = token, .ok = ok, .next = next, .complete = complete};
	world_at(w, world_draw(w, world_percent(w, 10) ? 30000 : 300),
		 (struct world_event){.kind = EV_STAGED, .node = node->id, .life = node->life, .pointer = staged});
}

void node_publish(struct node *node, struct sequence *sequence)
{
	struct disk *disk = &node->disk;

	if (disk->has_snapshot && disk->snapshot.count > sequence->count)
		return;
	sequence_copy(&disk->snapshot, sequence, sequence->count);
	disk->has_snapshot = true;
}

void node_publish_received(struct node *node)
{
	node->publish_due = false;
	must(node->disk.has_incoming);
	node_publish(node, &node->disk.incoming);
	node->disk.has_incoming = false;
}

/* As server/disk/staging.c. The file is complete before STAGED says so. */
void staging_take(struct world *w, struct node *node, const struct replica_stage *stage)
{
	const struct pushing *piece = node->piece;
	uint64_t first = piece->push.state_first;

	if (first == 0) {
		staging_drop(node);
		if (node->publish_due) /* one thread does both, in order */
			node_publish_received(node);
		node->staging = world_alloc(sizeof *node->staging);
		sequence_init(&node->staging->sequence, piece->init);
		node->disk.has_incoming = false;
	}

	struct staging *staging = node->staging;

	if (staging == NULL || staging->sequence.count != first) {
		staging_answer(w, node, stage->token, true, staging == NULL ? 0 : staging->sequence.count, false);
		return;
	}
	for (uint32_t i = 0; i < piece->pieces_count; i++)
		sequence_append(w, &staging->sequence, piece->pieces[i]);
	staging->pieces++;
	w->counts->pieces += staging->pieces > 1;

	bool complete = staging->sequence.count >= piece->total;

	if (complete &&
	    (staging->sequence.count != stage->op || !digest_equal(staging->sequence.digest, stage->digest)))
		world_fail(w, 14, "replica %" PRIu32 ": the primary's state does not add up to its digest", node->id);
	if (complete) {
		sequence_copy(&node->disk.incoming, &staging->sequence, staging->sequence.count);
		node->disk.has_incoming = true;
		staging->complete = true;
	}
	staging_answer(w, node, stage->token, true, staging->sequence.count, complete);
}

void staging_adopt(struct world *w, struct node *node, uint64_t op)
{
	must(node->staging != NULL);
	must(node->staging->sequence.count == op);
	if (op < node->live.count)
		world_fail(w, 7, "replica %" PRIu32 " adopts a state as of op %" PRIu64 " over op %" PRIu32, node->id, op,
			   node->live.count);
	for (uint64_t at = 1; at <= op; at++)
		check_applied(w, node, at, node->staging->sequence.bodies[at - 1]);
	for (uint64_t at = 1; at <= op; at++)
		node_know_time(w, node, node->staging->sequence.bodies[at - 1]);
	sequence_free(&node->live);
	node->live = node->staging->sequence;
	node->staging->sequence = (struct sequence){0};
	staging_drop(node);
	node_fold(w, node);
	w->counts->adoptions++;
	node->adoptions++;
	node->publish_due = true;
	world_at(w, world_draw(w, 2000),
		 (struct world_event){.kind = EV_PUBLISH, .node = node->id, .life = node->life});
}
