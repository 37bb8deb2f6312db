/* One replica's process: what server/node.c, requests.c and snapshotter.c do around the core. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/checker.h"

/* --- questions to the state machine ------------------------------------------------------------------------------- */

static enum replica_known lookup(void *context, struct uuid client, uint64_t request, struct digest content,
				 uint64_t *op)
{
	const struct node *node = context;

	return state_lookup(node->machine, client, request, content, op);
}

static bool key(void *context, const uint8_t *bytes, uint32_t size, struct uuid *client, uint64_t *request,
		struct digest *content)
{
	struct node *node = context;

	body_of(node->world, bytes, size);
	return state_key(bytes, size, client, request, content);
}

static bool fold_at(void *context, uint64_t op, struct digest *fold)
{
	const struct node *node = context;

	return state_fold_at(node->machine, op, fold);
}

static uint64_t state_bytes(void *context)
{
	const struct node *node = context;
	uint64_t per_entry = LIMIT_STATE_CHUNK_BYTES / node->world->profile.piece_entries;

	/* So that more than piece_entries do not fit in one push. */
	return node->live.count * per_entry;
}

/* --- time, capacity and what is applied --------------------------------------------------------------------------- */

void node_know_time(const struct world *w, struct node *node, uint32_t body)
{
	if (w->bodies[body].time_us > node->last_time_us)
		node->last_time_us = w->bodies[body].time_us;
}

void node_apply_up_to(struct world *w, struct node *node, uint64_t op)
{
	while (node->live.count < op) {
		struct replica_entry entry = replica_entry_at(node->core, node->live.count + 1);
		uint32_t body = body_of(w, entry.body, entry.size);

		check_applied(w, node, node->live.count + 1, body);
		node_know_time(w, node, body);
		sequence_append(w, &node->live, body);
		state_apply(node->machine, entry.body, entry.size);
		check_folded(w, node, node->live.count);
	}
}

/* The state is rebuilt from the operations: nothing of it is on a disk or in a push. */
void node_fold(struct world *w, struct node *node)
{
	state_free(node->machine);
	node->machine = state_new();
	for (uint32_t op = 1; op <= node->live.count; op++) {
		uint8_t bytes[OPERATION_BYTES];

		state_apply(node->machine, bytes, body_bytes(w, node->live.bodies[op - 1], bytes));
		check_folded(w, node, op);
	}
}

int64_t world_wall_us(const struct world *w)
{
	return INT64_C(1800000000000000) + (int64_t)w->now_us;
}

int64_t node_wall_us(const struct world *w, const struct node *node)
{
	return world_wall_us(w) + node->wall_ahead_us;
}

/* RULE 16: a clock that is 70 years off, or an hour; never the others', so that there is a truth to compare with. */
static int64_t draw_wall(struct world *w, const struct node *node)
{
	static const int64_t s_us = INT64_C(1000000), day_us = INT64_C(86400000000);
	const int64_t off_us[] = {0, -3600 * s_us, 3600 * s_us, 25550 * day_us, -25550 * day_us};

	if (w->profile.liar == node->id)
		return off_us[world_draw(w, 5)];
	return (int64_t)world_draw(w, 1000000) - 500000;
}

/* No less than its disk holds: a start with less ends with a line. */
static uint64_t draw_capacity(struct world *w, const struct node *node)
{
	const struct disk *disk = &node->disk;
	uint64_t least = disk->image.last > disk->image.commit ? disk->image.last : disk->image.commit;
	uint64_t capacity = w->profile.orders_max;

	if (w->calm || capacity > 1000)
		return capacity;
	if (disk->has_snapshot && disk->snapshot.count > least)
		least = disk->snapshot.count;
	if (disk->has_incoming && disk->incoming.count > least)
		least = disk->incoming.count;
	capacity -= world_draw(w, 39);
	while (LIMIT_OPERATIONS(capacity) < least)
		capacity++;
	return capacity;
}

static void flush(struct world *w, struct node *node)
{
	node->flush_due = false;
	node_step(w, node, &(struct replica_event){.kind = REPLICA_FLUSH});
}

/* The end of a turn of the event loop: at once, or after a few more messages. */
void node_flush_soon(struct world *w, struct node *node)
{
	if (!node->alive || node->flush_due)
		return;
	if (world_percent(w, 60)) {
		flush(w, node);
		return;
	}
	node->flush_due = true;
	world_at(w, world_draw(w, 200), (struct world_event){.kind = EV_FLUSH, .node = node->id, .life = node->life});
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

void node_report(const struct world *w, const struct node *node, struct report *report)
{
	replica_report(node->core, report);
	report->clock_us = node_wall_us(w, node);
	if (node->disk.pending_count > 0)
		report->write_age_ms = (uint32_t)((w->now_us - node->disk.oldest_us) / 1000);
	check_report((struct world *)(uintptr_t)w, node, report);
}

struct identity node_identity(const struct node *node)
{
	const struct view *view = replica_view(node->core);

	return (struct identity){.formats = FORMAT_RANGE_OWN, .format = view->format, .id = node->id, .uuid = node->uuid, .incarnation = node->incarnation,
				 .cluster = view->cluster, .generation = view->generation};
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void snapshot_consider(struct world *w, struct node *node)
{
	struct sequence *copy;

	if (node->snapshot_under_way || !world_percent(w, w->profile.snapshot_percent))
		return;
	copy = world_alloc(sizeof *copy);
	sequence_copy(copy, &node->live, node->live.count);
	node->snapshot_under_way = true;
	world_at(w, world_draw(w, 20000),
		 (struct world_event){.kind = EV_SNAPSHOT, .node = node->id, .life = node->life, .pointer = copy,
				      .value = node->adoptions});
}

/* The shell looks at its disk now and then. */
void node_disk(struct world *w, struct node *node)
{
	if (!node->alive || node->paused_until_us > w->now_us || node->full_told == node->disk.full)
		return;
	node->full_told = node->disk.full;
	node_step(w, node, &(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = node->disk.full}});
	node_flush_soon(w, node);
}

static void tick(struct world *w, struct node *node)
{
	world_at(w, REPLICA_TICK_MS * 1000, (struct world_event){.kind = EV_TICK, .node = node->id, .life = node->life});
	serve_tick(w, node);
	node_step(w, node, &(struct replica_event){.kind = REPLICA_TICK});
	if (node->alive)
		snapshot_consider(w, node);
	node_disk(w, node);
	node_flush_soon(w, node);
}

static void staged(struct world *w, struct node *node, struct staged *staged)
{
	node_step(w, node, &(struct replica_event){.kind = REPLICA_STAGED,
						   .staged = {.token = staged->token, .ok = staged->ok,
							      .next = staged->next, .complete = staged->complete}});
	node_flush_soon(w, node);
}

void node_event(struct world *w, struct node *node, const struct world_event *event)
{
	struct sequence *sequence = event->pointer;

	switch (event->kind) {
	case EV_TICK:
		tick(w, node);
		break;
	case EV_FLUSH:
		flush(w, node);
		break;
	case EV_DURABLE:
		node_step(w, node, &(struct replica_event){.kind = REPLICA_DURABLE,
							   .durable = {.ticket = event->value}});
		if (node->alive)
			flush(w, node);
		break;
	case EV_STAGED:
		staged(w, node, event->pointer);
		break;
	case EV_PUBLISH:
		if (node->publish_due)
			node_publish_received(node);
		break;
	case EV_SNAPSHOT:
		node->snapshot_under_way = false;
		if (event->value == node->adoptions) { /* a replacement stops one under way */
			node_publish(node, sequence);
			disk_trim(node);
		}
		break;
	default:
		decide_validated(w, node, event->pointer);
		break;
	}
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void node_start(struct world *w, struct node *node)
{
	const struct replica_service service = {.context = node, .lookup = lookup, .key = key, .admit = decide_admit,
						.fold_at = fold_at, .state_bytes = state_bytes};

	node->orders_max = draw_capacity(w, node);
	node->wall_ahead_us = draw_wall(w, node);
	node->last_time_us = 0;

	const struct replica_options options = {.id = node->id, .push_mode = w->profile.push_mode,
						.push_full_limit = LIMIT_STATE_CHUNK_BYTES / 4, .heartbeat_ms = 50,
						.suspect_ms = 250, .stall_ms = 2000, .read_hold_ms = 200,
						.orders_max = node->orders_max, .log_bytes_max = w->profile.log_bytes_max};

	must(!node->alive);
	node->world = w;
	node->life++;
	node->alive = true;
	node->full_told = false;
	node->flush_due = node->snapshot_under_way = node->publish_due = false;
	node->tick_us = node->commit_seen = node->view_seen = 0;
	node->uuid = world_uuid(w);
	node->incarnation = world_uuid(w);
	node->clock_ms = world_clock(w);
	snprintf(node->address, sizeof node->address, "%" PRIu32 ":%" PRIu32, node->id, node->life);
	node->core = replica_new(&options, &service);
	node_recover(w, node);
	world_say(w, "replica %" PRIu32 " starts, op %" PRIu64 " commit %" PRIu32, node->id,
		  replica_last_op(node->core), node->live.count);
	memcpy(node->registered, node->address, sizeof node->registered);
	node_step(w, node, &(struct replica_event){.kind = REPLICA_START,
						   .start = {.tail_cut = world_percent(w, 20) ? replica_last_op(node->core) + 1 : 0,
							     .damage = node->disk.damaged ? "damage below the mark" : NULL}});
	if (!node->alive)
		return;
	world_at(w, REPLICA_TICK_MS * 1000, (struct world_event){.kind = EV_TICK, .node = node->id, .life = node->life});
	for (uint32_t i = 0; i < 2; i++)
		world_at(w, world_draw(w, 2000),
			 (struct world_event){.kind = EV_DISCOVER, .node = w->fronts[i].process, .life = w->fronts[i].life,
					      .value = 1});
}

void node_kill(struct world *w, struct node *node)
{
	must(node->alive);
	net_kill(w, node->id);
	node->alive = false;
	node->paused_until_us = 0;
	disk_crash(w, node);
	staging_drop(node);
	replica_free(node->core);
	node->core = NULL;
	replica_actions_free(&node->actions);
	sequence_free(&node->live);
	state_free(node->machine);
	node->machine = NULL;
	node->undecided = NULL;
}
