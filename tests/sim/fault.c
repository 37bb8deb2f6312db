/* What goes wrong, how often, and whom it meets: all of it drawn from the seed. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/checker.h"

enum fault {
	FAULT_KILL, FAULT_PAUSE, FAULT_BREAK, FAULT_BLOCK, FAULT_WIPE, FAULT_FRONT_KILL, FAULT_FRONT_PAUSE, FAULT_SWITCHOVER,
	FAULT_STOP, FAULT_STORES, FAULT_STALL, FAULT_POWER, FAULT_KILL_PRIMARY, FAULT_FLAP, FAULT_FULL, FAULT_WRITE,
	FAULT_STRAY, FAULT_COPY, FAULT_RESTORE, FAULT_DAMAGE, FAULTS
};

static void start_later(struct world *w, struct node *node, uint32_t within_us)
{
	world_at(w, world_draw(w, within_us), (struct world_event){.kind = EV_START, .node = node->id});
}

static uint32_t down_us(struct world *w)
{
	if (w->profile.short_lives)
		return 30000;
	return world_percent(w, 20) ? 5000000 : 400000;
}

void fault_kill(struct world *w, struct node *node)
{
	if (!node->alive)
		return;
	world_say(w, "replica %" PRIu32 " is killed", node->id);
	node_kill(w, node);
	w->counts->kills++;
	start_later(w, node, down_us(w));
	if (w->profile.short_lives && world_percent(w, 60)) /* and once more, wherever it is by then */
		world_at(w, world_draw(w, 80000), (struct world_event){.kind = EV_FAULT, .value = 1000 + node->id});
}

static void kill_front(struct world *w)
{
	if (!w->front->alive)
		return;
	front_kill(w);
	w->counts->front_kills++;
	if (w->profile.lose_directory && world_percent(w, 30)) {
		world_say(w, "the front-end's directory is lost");
		memset(&w->front->stored, 0, sizeof w->front->stored);
	}
	if (w->profile.old_directory && w->front->old.view.number > 0 && world_percent(w, 30)) {
		world_say(w, "the front-end's directory is restored from view %" PRIu64, w->front->old.view.number);
		w->front->stored = w->front->old;
		w->front->restored = true;
		w->counts->old_directories++;
	}
	world_at(w, world_draw(w, world_percent(w, 30) ? 1500000 : 50000),
		 (struct world_event){.kind = EV_START, .node = w->front->process});
}

bool fault_survives_without(const struct world *w, const struct view *view, const struct node *node)
{
	if (view_member_exact(view, node->id, node->disk.image.uuid) == NULL)
		return true;
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct node *other = &w->nodes[view->members[i].id];

		if (other != node && uuid_equal(other->disk.image.uuid, view->members[i].uuid))
			return true;
	}
	return false;
}

static bool joint_somewhere(const struct world *w, const struct node *node)
{
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		const struct disk *disk = &w->nodes[id].disk;
		const struct replica_meta *meta = NULL;

		for (uint32_t i = disk->count; i > 0 && meta == NULL; i--)
			meta = disk->records[i - 1].meta;
		for (uint32_t i = 0; meta != NULL && i < meta->joint_count; i++) {
			if (uuid_equal(meta->joint[i].uuid, node->disk.image.uuid))
				return true;
		}
	}
	return false;
}

/* The first front-end's directory may not say who holds what. */
bool fault_unsure(const struct world *w)
{
	return w->profile.lose_directory || w->profile.old_directory || w->profile.two_fronts;
}

/* --- the second act ----------------------------------------------------------------------------------------------- */

#define NEVER (UINT64_MAX / 2)

/* Dead, stopped, cut off or with a disk that hangs: and so forever. */
static void freeze(struct world *w, struct node *node)
{
	uint32_t dice = world_draw(w, 4);

	world_say(w, "replica %" PRIu32 " stays frozen: %" PRIu32, node->id, dice);
	w->counts->frozen++;
	if (dice == 0 && node->alive)
		node_kill(w, node);
	else if (dice == 1)
		node->paused_until_us = NEVER;
	else if (dice == 2)
		node->disk.stalled_until_us = NEVER;
	for (uint32_t id = 0; id <= w->profile.nodes && dice == 3; id++)
		w->blocked_until_us[id][node->id] = w->blocked_until_us[node->id][id] = NEVER;
}

static bool core_has_data(const struct world *w, const struct view *view)
{
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct node *node = check_disk_of(w, &view->members[i]);

		if (node != NULL && !node->frozen)
			return true;
	}
	return false;
}

/* A random core is healed, the others stay as they are; a member that has everything must be in the core, and the
 * front-end must know who that is. */
void fault_freeze(struct world *w)
{
	bool unsure = fault_unsure(w) || w->fronts[0].stored.view.number == 0;

	for (uint32_t id = 1; id <= w->profile.nodes && w->profile.freeze && !unsure; id++) {
		struct node *node = &w->nodes[id];

		node->frozen = world_percent(w, 40);
		if (!node->frozen)
			continue;
		if (core_has_data(w, &w->front->stored.view) &&
		    (w->front->storing_ticket == 0 || core_has_data(w, &w->front->storing.view)))
			freeze(w, node);
		else
			node->frozen = false;
	}
}

/* --- the first act ------------------------------------------------------------------------------------------------ */

/* Never the last disk of a view that holds what was acknowledged; without the front-end's directory, no member's at
 * all. */
static void wipe(struct world *w, struct node *node)
{
	bool front_has_it =
		w->front->stored.view.number > 0 && !fault_unsure(w);

	if (!fault_survives_without(w, &w->front->stored.view, node) ||
	    (w->front->storing_ticket != 0 && !fault_survives_without(w, &w->front->storing.view, node)))
		return;
	if (!front_has_it || !w->profile.wipe_members) {
		for (uint32_t id = 1; id <= w->profile.nodes; id++) {
			const struct disk *disk = &w->nodes[id].disk;

			for (uint32_t i = 0; i < disk->count; i++) {
				if (disk->records[i].kind == WRITE_META &&
				    view_member_exact(&disk->records[i].meta->view, node->id, node->disk.image.uuid) !=
					    NULL)
					return;
			}
		}
		if (joint_somewhere(w, node) ||
		    view_member_exact(&w->front->stored.view, node->id, node->disk.image.uuid) != NULL ||
		    view_member_exact(&w->front->storing.view, node->id, node->disk.image.uuid) != NULL)
			return;
	}
	if (node->alive) {
		node_kill(w, node);
		start_later(w, node, 300000);
	}
	world_say(w, "replica %" PRIu32 "'s disk is wiped", node->id);
	disk_wipe(node);
	w->counts->wipes++;
}

/* An old copy of a disk looks like the disk of a replica that was away: only the floor, and what the others saw
 * it acknowledge, can. So the front-end that knows them lives on, and one disk at a time is hurt. */
static void hurt(struct world *w, struct node *node, bool damage)
{
	struct disk *disk = &node->disk;

	if (!w->profile.hurt_disks || check_any_hurt(w) || disk->image.view == 0 || (!damage && node->copy.count == 0) ||
	    !fault_survives_without(w, &w->front->stored.view, node) ||
	    (w->front->storing_ticket != 0 && !fault_survives_without(w, &w->front->storing.view, node)))
		return;
	if (node->alive) {
		node_kill(w, node);
		start_later(w, node, 300000);
	}
	if (damage) {
		world_say(w, "replica %" PRIu32 "'s disk flips a bit", node->id);
		w->counts->damaged++;
		disk->damaged = true;
	} else {
		world_say(w, "replica %" PRIu32 "'s disk is restored from an old copy", node->id);
		w->counts->restored++;
		disk_copy(disk, &node->copy);
	}
	disk->hurt = true;
}

static void pause(struct world *w, uint64_t *until_us)
{
	*until_us = w->now_us + world_draw(w, world_percent(w, 40) ? 2000000 : 120000);
	w->counts->pauses++;
}

static void break_one(struct world *w)
{
	uint32_t live = 0;

	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next)
		live += conn->open[0] && conn->open[1] && !conn->broken;
	live = world_draw(w, live);
	for (struct conn *conn = w->conns; conn != NULL; conn = conn->next) {
		if (conn->open[0] && conn->open[1] && !conn->broken && live-- == 0) {
			world_say(w, "the connection %" PRIu32 " - %" PRIu32 " breaks", conn->process[0],
				  conn->process[1]);
			net_break(w, conn);
			w->counts->breaks++;
			return;
		}
	}
}

/* The two front-ends share a host. */
static void obstruct(struct world *w, uint32_t from, uint32_t to, uint64_t until_us)
{
	w->blocked_until_us[from][to] = until_us;
	if (from == FRONT)
		w->blocked_until_us[SECOND_FRONT][to] = until_us;
	if (to == FRONT)
		w->blocked_until_us[from][SECOND_FRONT] = until_us;
}

/* One pair, one side of the cluster against the other, or one process against all; both ways or one. */
static void block(struct world *w)
{
	uint32_t all = (1u << (w->profile.nodes + 1)) - 1;
	uint64_t until = w->now_us + world_draw(w, world_percent(w, 50) ? 1500000 : 100000);
	uint32_t from = 1u << world_draw(w, w->profile.nodes + 1);
	uint32_t to = world_percent(w, 60) ? 1u << world_draw(w, w->profile.nodes + 1) : all;
	bool both = world_percent(w, 60);

	if (world_percent(w, 20))
		from = 1 + world_draw(w, all);
	to &= ~from;
	world_say(w, "nothing passes from processes %#" PRIx32 " to %#" PRIx32 "%s until %" PRIu64, from, to,
		  both ? " and back" : "", until / 1000);
	w->counts->partitions++;
	for (uint32_t a = 0; a <= w->profile.nodes; a++) {
		for (uint32_t b = 0; b <= w->profile.nodes; b++) {
			if ((from >> a & 1) == 0 || (to >> b & 1) == 0)
				continue;
			obstruct(w, a, b, until);
			if (both)
				obstruct(w, b, a, until);
		}
	}
}

static void fill(struct world *w, struct node *node)
{
	world_say(w, "replica %" PRIu32 "'s disk is full", node->id);
	node->disk.full = true;
	w->counts->full_disks++;
	node_disk(w, node);
	world_at(w, world_draw(w, world_percent(w, 25) ? 8000000 : world_percent(w, 50) ? 1000000 : 100000),
		 (struct world_event){.kind = EV_ROOM, .node = node->id});
}

static struct node *primary_of(struct world *w)
{
	uint32_t id = w->front->stored.view.primary;

	return &w->nodes[id > 0 ? id : 1 + world_draw(w, w->profile.nodes)];
}

static void power_cut(struct world *w)
{
	world_say(w, "the power fails");
	for (uint32_t id = 1; id <= w->profile.nodes; id++)
		fault_kill(w, &w->nodes[id]);
	if (world_percent(w, 50))
		kill_front(w);
}

static void strike(struct world *w, enum fault fault)
{
	struct node *node = &w->nodes[1 + world_draw(w, w->profile.nodes)];

	w->front = &w->fronts[w->fronts[1].alive && world_percent(w, 50)];
	switch (fault) {
	case FAULT_KILL:
		fault_kill(w, node);
		break;
	case FAULT_KILL_PRIMARY:
		fault_kill(w, primary_of(w));
		break;
	case FAULT_PAUSE:
		if (world_percent(w, 40))
			node = primary_of(w);
		world_say(w, "replica %" PRIu32 " is stopped for a while", node->id);
		if (node->alive)
			pause(w, &node->paused_until_us);
		break;
	case FAULT_FRONT_PAUSE:
		world_say(w, "the front-end is stopped for a while");
		if (w->front->alive)
			pause(w, &w->front->paused_until_us);
		break;
	case FAULT_BREAK:
		break_one(w);
		break;
	case FAULT_FLAP:
		for (uint32_t i = 2 + world_draw(w, 6); i > 0; i--)
			break_one(w);
		break;
	case FAULT_BLOCK:
		block(w);
		break;
	case FAULT_WIPE:
		wipe(w, node);
		break;
	case FAULT_FRONT_KILL:
		kill_front(w);
		break;
	case FAULT_SWITCHOVER:
		if (w->front->alive && w->front->paused_until_us <= w->now_us)
			front_switchover(w);
		break;
	case FAULT_STOP:
		if (node->alive && node->paused_until_us <= w->now_us)
			node_step(w, node, &(struct replica_event){.kind = REPLICA_STOP});
		break;
	case FAULT_STORES:
		w->front->fail_stores = world_percent(w, 40);
		break;
	case FAULT_STALL:
		node->disk.stalled_until_us = w->now_us + world_draw(w, world_percent(w, 30) ? 4000000 : 300000);
		break;
	case FAULT_FULL:
		fill(w, node);
		break;
	case FAULT_WRITE:
		node->disk.failing = node->alive;
		break;
	case FAULT_COPY:
		if (w->profile.hurt_disks)
			disk_copy(&node->copy, &node->disk);
		break;
	case FAULT_RESTORE:
	case FAULT_DAMAGE:
		hurt(w, node, fault == FAULT_DAMAGE);
		break;
	case FAULT_STRAY:
		if (node->alive && node->paused_until_us <= w->now_us)
			serve_stray(w, node);
		break;
	default:
		power_cut(w);
		break;
	}
}

void fault_next(struct world *w)
{
	uint32_t sum = 0, dice;

	for (uint32_t i = 0; i < FAULTS; i++)
		sum += w->profile.weight[i];
	dice = world_draw(w, sum);
	for (uint32_t i = 0; i < FAULTS; i++) {
		if (dice < w->profile.weight[i]) {
			strike(w, (enum fault)i);
			break;
		}
		dice -= w->profile.weight[i];
	}
	world_at(w, 1000 + world_draw(w, w->profile.fault_ms * 2000), (struct world_event){.kind = EV_FAULT});
}

void fault_profile(struct world *w)
{
	static const uint32_t usual[FAULTS] = {10, 8, 10, 6, 3, 4, 2, 4, 2, 1, 3, 1, 8, 2, 2, 2, 2, 6, 8, 5};
	struct profile *profile = &w->profile;

	profile->nodes = 3 + world_draw(w, 2);
	profile->fault_ms = 5 + world_draw(w, world_percent(w, 50) ? 80 : 500);
	for (uint32_t i = 0; i < FAULTS; i++)
		profile->weight[i] = world_percent(w, 30) ? 0 : usual[i] * (1 + world_draw(w, 4));
	profile->weight[FAULT_KILL]++;
	profile->log_bytes_max = world_percent(w, 60) ? 500 + world_draw(w, 6000) : LIMIT_LOG_BYTES;
	profile->orders_max = world_percent(w, 10) ? 40 + world_draw(w, 400) : 1000000;
	profile->min_members = world_percent(w, 10) ? 2 : 1;
	profile->full_wait_ms = 100 + world_draw(w, 2000);
	profile->liar = world_percent(w, 40) ? 1 + world_draw(w, profile->nodes) : 0;
	profile->piece_entries = world_percent(w, 60) ? 3 + world_draw(w, 20) : 400;
	profile->snapshot_percent = world_percent(w, 60) ? 1 + world_draw(w, 15) : 0;
	profile->push_mode = (enum replica_push_mode)world_draw(w, 3);
	profile->slow_network_percent = world_percent(w, 40) ? world_draw(w, 15) : 0;
	profile->slow_disk_percent = world_percent(w, 40) ? world_draw(w, 30) : 0;
	profile->think_us = 1000 + world_draw(w, world_percent(w, 50) ? 10000 : 100000);
	profile->give_up_percent = 5;
	if (world_percent(w, 50)) { /* clients that give up, go on, and come back to what they gave up */
		profile->late_percent = 1 + world_draw(w, 20);
		profile->give_up_percent = 5 + world_draw(w, 40);
		profile->again_percent = 5 + world_draw(w, 30);
		profile->void_percent = world_percent(w, 80) ? 10 + world_draw(w, 60) : 0;
	}
	if (world_percent(w, 40)) { /* more wait than may be under way */
		profile->writes_window = 1 + world_draw(w, 4);
		profile->reads_window = 1 + world_draw(w, 3);
	}
	profile->storm_ms = 2000 + world_draw(w, 8000);
	profile->other_histories = world_percent(w, 20);
	profile->lose_directory = world_percent(w, 25);
	profile->wipe_members = world_percent(w, 50);
	profile->short_lives = world_percent(w, 35);
	profile->old_directory = world_percent(w, 25);
	profile->two_fronts = world_percent(w, 20);
	profile->take_over = world_percent(w, 50);
	profile->hurt_disks = !fault_unsure(w) && world_percent(w, 30);
	if (profile->hurt_disks)
		profile->weight[FAULT_FRONT_KILL] = profile->weight[FAULT_POWER] = profile->weight[FAULT_WIPE] = 0;
	else
		profile->weight[FAULT_COPY] = profile->weight[FAULT_RESTORE] = profile->weight[FAULT_DAMAGE] = 0;
	profile->freeze = !profile->hurt_disks && world_percent(w, 50);
}
