/* Time, chance, and the two acts: a storm, then calm. */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "tests/sim/checker.h"

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

/* Each process has a clock of its own, which began somewhere: two of them cannot be compared. */
uint64_t world_clock(struct world *w)
{
	return world_draw(w, 1000000);
}

uint64_t world_ms(const struct world *w)
{
	return w->now_us / 1000;
}

uint64_t world_requests(const struct world *w)
{
	return w->counts->done + w->counts->reads + w->counts->refused;
}

/* The last lines are kept only when they will be read: formatting them all would cost half the speed. A run that
 * fails without them is run again with them (world.h). */
void world_say(struct world *w, const char *format, ...)
{
	char *line = w->ring[w->ring_at % RING_LINES];
	va_list arguments;
	int used;

	if (!w->options.trace && !w->options.record)
		return;
	w->ring_at++;
	used = snprintf(line, RING_BYTES, "%8" PRIu64 ".%03" PRIu64 " ", w->now_us / 1000, w->now_us % 1000);
	va_start(arguments, format);
	vsnprintf(line + used, RING_BYTES - (size_t)used, format, arguments);
	va_end(arguments);
	if (w->options.trace)
		fprintf(stderr, "%s\n", line);
}

static void print_line(void *context, const char *text)
{
	fprintf(stderr, "  %" PRIu32 ": %s\n", *(const uint32_t *)context, text);
}

static void print_ring(const struct world *w)
{
	uint64_t first = w->ring_at > RING_LINES ? w->ring_at - RING_LINES : 0;

	for (uint64_t at = first; at < w->ring_at && !w->options.trace; at++)
		fprintf(stderr, "%s\n", w->ring[at % RING_LINES]);
}

/* Never returns: either the same run begins again, with its lines kept, or what happened is printed. */
static void report(void *context)
{
	struct world *w = context;

	if (w->options.on_failure != NULL && !w->options.trace && !w->options.record)
		w->options.on_failure(w->seed);
	for (uint32_t id = 1; id <= w->profile.nodes && w->options.trace; id++) {
		if (w->nodes[id].core != NULL)
			replica_trace_dump(w->nodes[id].core, print_line, &id);
	}
	print_ring(w);
	if (w->verdict[0] == 0)
		snprintf(w->verdict, sizeof w->verdict, "RULE 0: a core's own invariant broke, see above");
	fflush(stderr);
	printf("seed %" PRIu64 " failed at %" PRIu64 " us, revision " JH_REVISION "\nchecker: %s\n", w->seed, w->now_us,
	       w->verdict);
	fflush(stdout);
	_exit(1);
}

void world_fail(struct world *w, uint32_t rule, const char *format, ...)
{
	int used = snprintf(w->verdict, sizeof w->verdict, "RULE %" PRIu32 ": ", rule);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(w->verdict + used, sizeof w->verdict - (size_t)used, format, arguments);
	va_end(arguments);
	report(w);
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

static void push(struct world *w, const struct world_event *event)
{
	uint32_t at = w->heap_count++;

	while (at > 0 && earlier(event, &w->heap[(at - 1) / 2])) {
		w->heap[at] = w->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	w->heap[at] = *event;
}

void world_at(struct world *w, uint64_t after_us, struct world_event event)
{
	uint64_t room = w->heap_room;

	event.at_us = w->now_us + after_us;
	event.order = w->orders++;
	w->heap = world_grow(w->heap, w->heap_count, &room, sizeof *w->heap);
	w->heap_room = (uint32_t)room;
	push(w, &event);
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

/* --- one event ---------------------------------------------------------------------------------------------------- */

static void start(struct world *w, uint32_t process)
{
	w->front = front_of(w, process);
	if (w->front != NULL) {
		if (!w->front->alive && !(w->calm && process == SECOND_FRONT))
			front_start(w);
	} else if (!w->nodes[process].alive && !w->nodes[process].frozen) {
		node_start(w, &w->nodes[process]);
	}
}

static void drop(const struct world_event *event)
{
	if (event->kind == EV_SNAPSHOT)
		sequence_free(event->pointer);
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
	       kind == EV_SNAPSHOT || kind == EV_VALIDATED;
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
	case EV_ROOM:
		w->nodes[event->node].disk.full = false;
		break;
	case EV_FAULT:
		if (w->calm)
			break;
		if (event->value > 1000)
			fault_kill(w, &w->nodes[event->value - 1000]);
		else
			fault_next(w);
		break;
	default:
		if (of_front(event->kind)) {
			w->front = front_of(w, event->node);
			must(w->front != NULL);
			front_event(w, event);
		} else {
			node_event(w, &w->nodes[event->node], event);
			drop(event);
		}
		break;
	}
}

/* Chance decides everything else, so its state stands for all that happened before. */
static void note_event(struct world *w, const struct world_event *event)
{
	uint64_t words[] = {w->hash, event->at_us, (uint64_t)event->kind << 32 | event->node, event->value, w->random,
			    w->committed_count, w->shown};

	w->hash = XXH3_64bits(words, sizeof words);
}

#define WAKING_US 600 /* what a process was sent while it was stopped comes within this time */

static void advance(struct world *w)
{
	struct world_event event = next_event(w);
	uint64_t paused = of_process(event.kind) ? net_paused_until(w, event.node) : 0;

	must(event.at_us >= w->now_us);
	w->now_us = event.at_us;
	w->counts->events++;
	note_event(w, &event);
	if (event.life != 0 && event.life != net_life(w, event.node)) {
		drop(&event);
		return;
	}
	if (paused > w->now_us) {
		/* What came meanwhile is there when it wakes; sockets before timers. */
		world_at(w,
			 paused - w->now_us +
				 world_draw(w, event.kind == EV_TICK || event.kind == EV_VIEWS_TICK ? WAKING_US : 200),
			 event);
		return;
	}
	run_event(w, &event);
}

/* --- the acts ----------------------------------------------------------------------------------------------------- */

static void begin(struct world *w)
{
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		w->nodes[id].id = id;
		w->nodes[id].init = w->profile.other_histories ? id : 1;
		disk_wipe(&w->nodes[id]);
		world_at(w, world_draw(w, world_percent(w, 20) ? 3000000 : 200000), /* some join later */
			 (struct world_event){.kind = EV_START, .node = id});
	}
	world_at(w, world_draw(w, 200000), (struct world_event){.kind = EV_START, .node = FRONT});
	for (uint32_t i = 1 + world_draw(w, 3); i > 0 && w->profile.two_fronts; i--) {
		w->counts->second_fronts++;
		world_at(w, 300000 + world_draw(w, w->profile.storm_ms * 1000),
			 (struct world_event){.kind = EV_START, .node = SECOND_FRONT});
	}
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		w->clients[i] = (struct client){.world = w, .index = i, .as = i, .reads = i % 4 == 3};
		world_at(w, world_draw(w, 300000), (struct world_event){.kind = EV_CLIENT, .pointer = &w->clients[i]});
	}
	for (uint32_t i = WORLD_CLIENTS; i < WORLD_CLIENTS + WORLD_STRAYS; i++)
		w->clients[i] = (struct client){.world = w, .index = i};
	world_at(w, 300000 + world_draw(w, 300000), (struct world_event){.kind = EV_FAULT});
}

/* A stopped process goes on before its time: what was held back until then comes now, its timers, too. */
static void wake(struct world *w, uint32_t process, uint64_t *paused_until_us)
{
	uint64_t until_us = *paused_until_us;
	uint32_t count = w->heap_count;

	*paused_until_us = 0;
	if (until_us <= w->now_us)
		return;
	w->heap_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct world_event event = w->heap[i];

		if (of_process(event.kind) && event.node == process && event.at_us >= until_us &&
		    event.at_us < until_us + WAKING_US)
			event.at_us = w->now_us + (event.at_us - until_us);
		push(w, &event);
	}
}

static void calm_down(struct world *w)
{
	world_say(w, "--- calm ---");
	w->calm = true;
	w->fronts[0].fail_stores = false;
	w->front = &w->fronts[1];
	if (w->front->alive)
		front_kill(w);
	w->front = &w->fronts[0];
	w->profile.slow_network_percent = w->profile.slow_disk_percent = 0;
	w->profile.think_us = 10000;
	memset(w->blocked_until_us, 0, sizeof w->blocked_until_us);
	fault_freeze(w);
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (w->nodes[id].frozen)
			continue;
		w->nodes[id].disk.stalled_until_us = 0;
		w->nodes[id].disk.full = w->nodes[id].disk.failing = false;
		wake(w, id, &w->nodes[id].paused_until_us);
		if (w->nodes[id].alive && w->nodes[id].orders_max < w->profile.orders_max)
			node_kill(w, &w->nodes[id]); /* to be started with a higher limit */
		world_at(w, 0, (struct world_event){.kind = EV_START, .node = id});
	}
	wake(w, FRONT, &w->fronts[0].paused_until_us);
	world_at(w, 0, (struct world_event){.kind = EV_START, .node = FRONT});
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++)
		world_at(w, 1000, (struct world_event){.kind = EV_CLIENT, .pointer = &w->clients[i]});
}

static bool proved_alive(const struct world *w)
{
	for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
		if (!client_is_served(w, &w->clients[i]))
			return false;
	}
	return true;
}

/* Every request gets its answer and all replicas become equal members, or data that is needed is gone. A learner
 * that failed often waits up to a minute before it is counted again. */
static void second_act(struct world *w)
{
	uint64_t until_us = w->now_us + 180000000;
	uint64_t look_us = w->now_us, ask_us = w->now_us + 5000000;
	char why[200] = "not every client was served";

	calm_down(w);
	while (!w->over) {
		advance(w);
		if (w->now_us < look_us)
			continue;
		look_us = w->now_us + 100000;
		if (proved_alive(w) && world_requests(w) >= w->enough && check_level(w, why, sizeof why))
			return;
		if (w->now_us >= ask_us) { /* RULE 10: a view shrinks only when a request waits for it */
			w->clients[0].lives = 0;
			world_at(w, 0, (struct world_event){.kind = EV_CLIENT, .pointer = &w->clients[0]});
			ask_us = w->now_us + 5000000;
		}
		if (w->now_us < until_us)
			continue;
		if (check_data_is_gone(w)) {
			w->counts->stuck++;
			return;
		}
		world_fail(w, 15, "three minutes of calm, and %s", why);
	}
}

static void end(struct world *w)
{
	for (uint32_t i = 0; i < 2; i++) {
		w->front = &w->fronts[i];
		if (w->front->alive)
			front_kill(w);
	}
	for (uint32_t id = 1; id <= w->profile.nodes; id++) {
		if (w->nodes[id].alive)
			node_kill(w, &w->nodes[id]);
		disk_free(&w->nodes[id].disk);
		disk_free(&w->nodes[id].copy);
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
		free(w->clients[i].decided);
		free(w->clients[i].never);
	}
	free(w->bodies);
	free(w->committed);
	free(w->truth);
	free(w->names);
	free(w->numbered);
	free(w->held);
}

/* The first act lasts as long as the seed says, and on until enough was asked and answered; but not forever: a storm
 * may be such that nothing gets through. What lacks is then asked in the second act. */
static void first_act(struct world *w)
{
	uint64_t end_us = w->now_us + w->profile.storm_ms * UINT64_C(1000);
	uint64_t last_us = w->now_us + 20000000;

	while (w->now_us < end_us || (world_requests(w) < w->enough && w->now_us < last_us)) {
		if (w->over)
			return;
		advance(w);
	}
}

uint64_t world_run(const struct world_options *options, uint64_t seed, struct world_counts *counts)
{
	struct world *w = world_alloc(sizeof *w);
	uint64_t hash;

	w->options = *options;
	w->seed = seed;
	w->random = seed * 0xD1342543DE82EF95u + 7;
	w->counts = counts;
	w->now_us = 1000000;
	w->fronts[1].process = SECOND_FRONT;
	w->front = &w->fronts[0];
	w->enough = world_requests(w) + options->requests;
	must_on_failure(report, w);
	fault_profile(w);
	begin(w);
	first_act(w);
	second_act(w);
	end(w);
	must_on_failure(NULL, NULL);
	counts->runs++;
	counts->short_runs += world_requests(w) < w->enough;
	hash = w->hash;
	free(w);
	return hash;
}
