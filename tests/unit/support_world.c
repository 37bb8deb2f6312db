/* Time, chance, and the two acts: a storm, then calm. */
#include "tests/unit/support_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support_world_parts.h"

static struct world *present; /* for must_on_failure */

void *world_alloc(size_t size)
{
	void *bytes = calloc(1, size > 0 ? size : 1);

	must(bytes != NULL);
	return bytes;
}

/* Room for one more than count. */
void *world_grow(void *list, uint64_t count, uint64_t *room, size_t size)
{
	uint64_t old = *room;

	if (count < old)
		return list;
	*room = count * 2 + 16;
	list = realloc(list, *room * size);
	must(list != NULL);
	memset((char *)list + old * size, 0, (*room - old) * size);
	return list;
}

uint64_t world_ms(const struct world *w)
{
	return w->now_us / 1000;
}

void world_say(struct world *w, const char *format, ...)
{
	va_list arguments;

	if (!w->tracing)
		return;
	fprintf(stderr, "%8" PRIu64 ".%03" PRIu64 " ", w->now_us / 1000, w->now_us % 1000);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static void print_line(void *context, const char *text)
{
	fprintf(stderr, "  %" PRIu32 ": %s\n", *(const uint32_t *)context, text);
}

static void dump(void *context)
{
	struct world *w = present;

	(void)context;
	if (w == NULL)
		return;
	for (uint32_t id = 1; id <= w->profile.nodes && w->tracing; id++) {
		if (w->nodes[id].core != NULL)
			replica_trace_dump(w->nodes[id].core, print_line, &id);
	}
	fprintf(stderr,
		"seed %" PRIu64 " at %" PRIu64 " us: JH_WORLD_SEED=%" PRIu64
		" JH_WORLD_TRACE=1 runs it alone, with a trace\n",
		w->seed, w->now_us, w->seed);
}

void world_fail(struct world *w, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "FAILED ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	present = w;
	dump(NULL);
	must_on_failure(NULL, NULL);
	abort();
}

/* --- chance ------------------------------------------------------------------------------------------------------- */

static uint64_t next_random(struct world *w)
{
	uint64_t z = w->random += 0x9E3779B97F4A7C15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint32_t world_draw(struct world *w, uint32_t below)
{
	return below == 0 ? 0 : (uint32_t)((next_random(w) >> 32) * below >> 32);
}

bool world_percent(struct world *w, uint32_t percent)
{
	return percent > 0 && world_draw(w, 100) < percent;
}

struct uuid world_uuid(struct world *w)
{
	struct uuid uuid;
	uint64_t halves[2] = {next_random(w), next_random(w)};

	memcpy(uuid.bytes, halves, sizeof halves);
	return uuid;
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static bool earlier(const struct world_event *a, const struct world_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void world_at(struct world *w, uint64_t after_us, struct world_event event)
{
	uint64_t room = w->heap_room;
	uint32_t at = w->heap_count;

	event.at_us = w->now_us + after_us;
	event.order = w->orders++;
	w->heap = world_grow(w->heap, w->heap_count, &room, sizeof *w->heap);
	w->heap_room = (uint32_t)room;
	w->heap_count++;
	while (at > 0 && earlier(&event, &w->heap[(at - 1) / 2])) {
		w->heap[at] = w->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	w->heap[at] = event;
}

static struct world_event next_event(struct world *w)
{
	struct world_event first = w->heap[0];
	struct world_event last = w->heap[--w->heap_count];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = at * 2 + 1;

		if (child >= w->heap_count)
			break;
		if (child + 1 < w->heap_count && earlier(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!earlier(&w->heap[child], &last))
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	if (w->heap_count > 0)
		w->heap[at] = last;
	return first;
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

enum fault {
	FAULT_KILL, FAULT_PAUSE, FAULT_BREAK, FAULT_BLOCK, FAULT_WIPE, FAULT_FRONT_KILL, FAULT_FRONT_PAUSE, FAULT_SWITCHOVER,
	FAULT_STOP, FAULT_STORES, FAULT_STALL, FAULT_POWER, FAULT_KILL_PRIMARY, FAULT_FLAP, FAULTS
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

static void kill(struct world *w, struct node *node)
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
	if (!w->front.alive)
		return;
	front_kill(w);
	w->counts->front_kills++;
	if (w->profile.lose_directory && world_percent(w, 30)) {
		world_say(w, "the front-end's directory is lost");
		memset(&w->front.stored, 0, sizeof w->front.stored);
	}
	world_at(w, world_draw(w, world_percent(w, 30) ? 1500000 : 50000),
		 (struct world_event){.kind = EV_START, .node = FRONT});
}

static bool survives_without(const struct world *w, const struct view *view, const struct node *node)
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

/* Never the last disk of a view that holds what was acknowledged; without the front-end's directory, no member's at
 * all. */
static void wipe(struct world *w, struct node *node)
{
	bool front_has_it = w->front.stored.view.number > 0 && !w->profile.lose_directory;

	if (!survives_without(w, &w->front.stored.view, node) ||
	    (w->front.storing_ticket != 0 && !survives_without(w, &w->front.storing.view, node)))
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
		    view_member_exact(&w->front.stored.view, node->id, node->disk.image.uuid) != NULL ||
		    view_member_exact(&w->front.storing.view, node->id, node->disk.image.uuid) != NULL)
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

static void block(struct world *w)
{
	uint32_t a = world_draw(w, w->profile.nodes + 1);
	uint32_t b = world_draw(w, w->profile.nodes + 1);
	uint64_t until = w->now_us + world_draw(w, world_percent(w, 50) ? 1500000 : 100000);

	if (a == b)
		return;
	world_say(w, "nothing passes between %" PRIu32 " and %" PRIu32 " until %" PRIu64, a, b, until / 1000);
	w->blocked_until_us[a][b] = w->blocked_until_us[b][a] = until;
}

static struct node *primary_of(struct world *w)
{
	uint32_t id = w->front.stored.view.primary;

	return &w->nodes[id > 0 ? id : 1 + world_draw(w, w->profile.nodes)];
}

static void power_cut(struct world *w)
{
	world_say(w, "the power fails");
	for (uint32_t id = 1; id <= w->profile.nodes; id++)
		kill(w, &w->nodes[id]);
	if (world_percent(w, 50))
		kill_front(w);
}

static void strike(struct world *w, enum fault fault)
{
	struct node *node = &w->nodes[1 + world_draw(w, w->profile.nodes)];

	switch (fault) {
	case FAULT_KILL:
		kill(w, node);
		break;
	case FAULT_KILL_PRIMARY:
		kill(w, primary_of(w));
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
		if (w->front.alive)
			pause(w, &w->front.paused_until_us);
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
		if (w->front.alive && w->front.paused_until_us <= w->now_us)
			front_switchover(w);
		break;
	case FAULT_STOP:
		if (node->alive && node->paused_until_us <= w->now_us)
			node_step(w, node, &(struct replica_event){.kind = REPLICA_STOP});
		break;
	case FAULT_STORES:
		w->front.fail_stores = world_percent(w, 40);
		break;
	case FAULT_STALL:
		node->disk.stalled_until_us = w->now_us + world_draw(w, world_percent(w, 30) ? 4000000 : 300000);
		break;
	default:
		power_cut(w);
		break;
	}
}

static void next_fault(struct world *w)
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

/* --- one event ---------------------------------------------------------------------------------------------------- */

static void start(struct world *w, uint32_t process)
{
	if (process == FRONT) {
		if (!w->front.alive)
			front_start(w);
	} else if (!w->nodes[process].alive) {
		node_start(w, &w->nodes[process]);
	}
}

static void drop(const struct world_event *event)
{
	if (event->kind == EV_SNAPSHOT)
		history_free(event->pointer);
	if (event->kind == EV_SNAPSHOT || event->kind == EV_STAGED)
		free(event->pointer);
}

static bool of_front(enum world_event_kind kind)
{
	return kind == EV_VIEWS_TICK || kind == EV_ROUTER_TICK || kind == EV_DEMAND || kind == EV_STORED ||
	       kind == EV_DISCOVER || kind == EV_CALL_LATE;
}

static bool of_process(enum world_event_kind kind)
{
	return of_front(kind) || kind == EV_DELIVER || kind == EV_REFUSED || kind == EV_HELLO_LATE || kind == EV_TICK ||
	       kind == EV_FLUSH || kind == EV_DURABLE || kind == EV_STAGED || kind == EV_PUBLISH ||
	       kind == EV_SNAPSHOT || kind == EV_JUDGED;
}

static void run_event(struct world *w, const struct world_event *event)
{
	switch (event->kind) {
	case EV_DELIVER:
	case EV_REFUSED:
	case EV_HELLO_LATE:
		net_deliver(w, event);
		break;
	case EV_DISK:
		disk_done(w, &w->nodes[event->node]);
		break;
	case EV_START:
		start(w, event->node);
		break;
	case EV_CLIENT:
		client_turn(w, event->pointer);
		break;
	case EV_FAULT:
		if (w->calm)
			break;
		if (event->value > 1000)
			kill(w, &w->nodes[event->value - 1000]);
		else
			next_fault(w);
		break;
	default:
		if (of_front(event->kind)) {
			front_event(w, event);
		} else {
			node_event(w, &w->nodes[event->node], event);
			drop(event);
		}
		break;
	}
}

static void advance(struct world *w)
{
	struct world_event event = next_event(w);
	uint64_t paused = of_process(event.kind) ? net_paused_until(w, event.node) : 0;

	must(event.at_us >= w->now_us);
	w->now_us = event.at_us;
	w->counts->events++;
	if (event.life != 0 && event.life != net_life(w, event.node)) {
		drop(&event);
		return;
	}
	if (paused > w->now_us) {
		/* What came meanwhile is there when it wakes; sockets before timers. */
		world_at(w,
			 paused - w->now_us +
				 world_draw(w, event.kind == EV_TICK || event.kind == EV_VIEWS_TICK ? 600 : 200),
			 event);
		return;
	}
	run_event(w, &event);
}

/* --- the acts ----------------------------------------------------------------------------------------------------- */

static void draw_profile(struct world *w)
{
	static const uint32_t usual[FAULTS] = {10, 8, 10, 6, 3, 4, 2, 4, 2, 1, 3, 1, 8, 2};
	struct profile *profile = &w->profile;

	profile->nodes = 3 + world_draw(w, 2);
	profile->fault_ms = 5 + world_draw(w, world_percent(w, 50) ? 80 : 500);
	for (uint32_t i = 0; i < FAULTS; i++)
		profile->weight[i] = world_percent(w, 30) ? 0 : usual[i] * (1 + world_draw(w, 4));
	profile->weight[FAULT_KILL]++;
	profile->log_bytes_max = world_percent(w, 60) ? 500 + world_draw(w, 6000) : LIMIT_LOG_BYTES;
	profile->piece_entries = world_percent(w, 60) ? 3 + world_draw(w, 20) : 400;
	profile->snapshot_percent = world_percent(w, 60) ? 1 + world_draw(w, 15) : 0;
	profile->push_mode = (enum replica_push_mode)world_draw(w, 3);
	profile->slow_network_percent = world_percent(w, 40) ? world_draw(w, 15) : 0;
	profile->slow_disk_percent = world_percent(w, 40) ? world_draw(w, 30) : 0;
	profile->think_us = 1000 + world_draw(w, world_percent(w, 50) ? 10000 : 100000);
	profile->storm_ms = 2000 + world_draw(w, 8000);
	profile->other_histories = world_percent(w, 20);
	profile->lose_directory = world_percent(w, 25);
	profile->wipe_members = world_percent(w, 50);
	profile->short_lives = world_percent(w, 35);
}

static void begin(struct world *w)
{
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		w->nodes[id].id = id;
		w->nodes[id].init = w->profile.other_histories ? id : 1;
		disk_wipe(&w->nodes[id]);
		world_at(w, world_draw(w, 200000), (struct world_event){.kind = EV_START, .node = id});
	}
	world_at(w, world_draw(w, 200000), (struct world_event){.kind = EV_START, .node = FRONT});
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		w->clients[i] = (struct client){.world = w, .index = i, .reads = i % 4 == 3};
		world_at(w, world_draw(w, 300000), (struct world_event){.kind = EV_CLIENT, .pointer = &w->clients[i]});
	}
	world_at(w, 300000 + world_draw(w, 300000), (struct world_event){.kind = EV_FAULT});
}

static void calm_down(struct world *w)
{
	world_say(w, "--- calm ---");
	w->calm = true;
	w->front.fail_stores = false;
	w->profile.slow_network_percent = w->profile.slow_disk_percent = 0;
	w->profile.think_us = 10000;
	memset(w->blocked_until_us, 0, sizeof w->blocked_until_us);
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		w->nodes[id].disk.stalled_until_us = 0;
		w->nodes[id].paused_until_us = 0;
		world_at(w, 0, (struct world_event){.kind = EV_START, .node = id});
	}
	w->front.paused_until_us = 0;
	world_at(w, 0, (struct world_event){.kind = EV_START, .node = FRONT});
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++)
		world_at(w, 1000, (struct world_event){.kind = EV_CLIENT, .pointer = &w->clients[i]});
}

static bool proved_alive(const struct world *w)
{
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		if (w->clients[i].lives != UINT64_MAX)
			return false;
	}
	return true;
}

/* Every request gets its answer and all replicas become equal members, or data that is needed is gone. A learner
 * that failed often waits up to a minute before it is counted again. */
static void second_act(struct world *w)
{
	uint64_t until_us = w->now_us + 180000000;
	uint64_t look_us = w->now_us;
	char why[200] = "not every client was served";

	calm_down(w);
	for (;;) {
		advance(w);
		if (w->now_us < look_us)
			continue;
		look_us = w->now_us + 100000;
		if (proved_alive(w) && judge_level(w, why, sizeof why))
			return;
		if (w->now_us < until_us)
			continue;
		if (judge_data_is_gone(w)) {
			w->counts->stuck++;
			return;
		}
		world_fail(w, "three minutes of calm, and %s", why);
	}
}

static void end(struct world *w)
{
	if (w->front.alive)
		front_kill(w);
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (w->nodes[id].alive)
			node_kill(w, &w->nodes[id]);
		disk_free(&w->nodes[id].disk);
	}
	for (uint32_t i = 0; i < w->heap_count; i++)
		drop(&w->heap[i]);
	free(w->heap);
	net_free(w);
	while (w->calls != NULL) {
		struct call *call = w->calls;

		w->calls = call->next;
		free(call);
	}
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		free(w->clients[i].executed);
		free(w->clients[i].refused);
	}
	free(w->bodies);
	free(w->committed);
	free(w->names);
}

void world_run(uint64_t seed, bool trace, struct world_counts *counts)
{
	struct world *w = world_alloc(sizeof *w);

	w->seed = seed;
	w->random = seed * 0xD1342543DE82EF95u + 7;
	w->tracing = trace;
	w->counts = counts;
	w->now_us = 1000000;
	present = w;
	must_on_failure(dump, NULL);
	draw_profile(w);
	begin(w);
	while (w->now_us < 1000000 + w->profile.storm_ms * 1000u)
		advance(w);
	second_act(w);
	end(w);
	must_on_failure(NULL, NULL);
	present = NULL;
	free(w);
}
