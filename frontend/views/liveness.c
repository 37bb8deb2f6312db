#include "frontend/views/liveness.h"

#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/connection.h"
#include "frontend/views/known.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* An entry that is gone from rpcbind and never answered a hello was not ours, or nothing is known that could be
 * lost. */
static bool was_never_there(const struct views *v, const struct known *k)
{
	return !k->registered && !k->identified && !vm_known_expected(v, k->id);
}

void vm_liveness_dumped(struct views *v, bool complete, const uint32_t *ids, uint32_t count)
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++)
		v->known[i].registered = false;
	for (uint32_t i = 0; i < count; i++) {
		struct known *k = ids[i] == 0 ? NULL : vm_known_ensure(v, ids[i]);

		if (k != NULL)
			k->registered = true;
	}
	for (uint32_t i = 0; complete && i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		if (k->id == 0 || !was_never_there(v, k))
			continue;
		if (k->link != LINK_DOWN)
			vm_do_disconnect(v, k);
		memset(k, 0, sizeof *k);
	}
	v->dumped = true;
	v->dump_complete = complete;
}

/* RULE 15: a report may have to wait behind megabytes of answers on the same connection, but a replica that sends those
 * is not silent. They prove no more than that: the state of its disk and what it has heard are known from reports
 * alone. */
void vm_liveness_alive(struct views *v, uint32_t id, uint64_t heard_ms)
{
	struct known *k = vm_known_find(v, id);

	must(heard_ms <= v->now_ms);
	if (k != NULL && k->link == LINK_UP && heard_ms > k->alive_ms)
		k->alive_ms = heard_ms;
}

static uint64_t last_sign_ms(const struct known *k)
{
	return k->alive_ms > k->heard_ms ? k->alive_ms : k->heard_ms;
}

/* RULE 15: our own loop stalled, so silence proves nothing: all timers are restarted before anyone is suspected. */
void vm_liveness_late(struct views *v)
{
	must(v->now_ms > v->deadline_ms);
	uint64_t late = v->now_ms - v->deadline_ms;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		k->heard_ms = v->now_ms;
		k->connect_ms = v->now_ms;
		k->down_ms = v->now_ms;
		k->lost_ms += late;
		if (k->evict_since_ms != 0)
			k->evict_since_ms = v->now_ms;
	}
	if (v->start_until_ms != 0)
		v->start_until_ms += late;
	v->beat_ms = v->now_ms;
	v->clocks_from_ms = v->now_ms + 2 * (uint64_t)v->options.heartbeat_ms;
	if (v->late_said_ms != 0 && v->now_ms < v->late_said_ms + SAY_AGAIN_MS)
		return;
	v->late_said_ms = v->now_ms;
	vm_say(v, LOG_LEVEL_WARN, "own event loop was late: timers start again late_ms=%llu", (unsigned long long)late);
}

/* A lost replica leaves the peer list after forget_ms of our own time, and the status as well unless it is expected. No
 * decision depends on it, so a stall of our own loop does not restart this timer. */
static void auto_clean(struct views *v, struct known *k)
{
	if (k->link == LINK_UP || k->forgotten || v->now_ms < k->lost_ms + v->options.forget_ms)
		return;
	k->forgotten = true;
	vm_do_clean(v, k);
	if (view_member_by_id(&v->durable.view, k->id) != NULL)
		return;
	if (vm_known_expected(v, k->id)) {
		vm_say(v, LOG_LEVEL_WARN, "replica %u: lost for %u s, and missed until it comes back or is removed: "
		       "justhungry remove %u", k->id, v->options.forget_ms / 1000, k->id);
		return;
	}
	vm_say(v, LOG_LEVEL_INFO, "replica %u: forgotten after %u s", k->id, v->options.forget_ms / 1000);
	/* While a take-over collects views, the report of a replica counts even when the replica is gone (rule 18). */
	if (!k->registered && v->mode == MODE_NORMAL && k->link == LINK_DOWN)
		memset(k, 0, sizeof *k);
}

/* A replica that is bound to another manager gets heartbeats as well: its answers tell whether it still hears that
 * manager (RULE 20). A damaged replica writes nothing any more, so it cannot confirm a binding to us; it must be told
 * all the same that it may give up its data (RULE 14), and it obeys whoever asked it last to be bound. */
static bool beats(const struct views *v, const struct known *k)
{
	if (k->link != LINK_UP)
		return false;
	enum standing standing = vm_known_standing(v, k);

	return standing == STANDING_OURS || standing == STANDING_OLD_GENERATION || standing == STANDING_BOUND;
}

static void suspect_or_retry(struct views *v, struct known *k)
{
	if (beats(v, k) && v->now_ms > last_sign_ms(k) + v->options.suspect_ms) {
		/* RULE 15: a silent replica is treated as failed. It may come back. */
		vm_say_of(v, k, LOG_LEVEL_WARN, "silent for %u ms: suspected", v->options.suspect_ms);
		k->hung = true;
		vm_connection_close(v, k, k->backoff_ms);
	} else {
		vm_connection_tick(v, k);
	}
}

void vm_liveness_tick(struct views *v)
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		if (v->known[i].id != 0)
			suspect_or_retry(v, &v->known[i]);
		if (v->known[i].id != 0)
			auto_clean(v, &v->known[i]);
	}
	if (v->now_ms < v->beat_ms)
		return;
	v->beat_ms = v->now_ms + v->options.heartbeat_ms;
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		if (v->known[i].id != 0 && beats(v, &v->known[i]))
			vm_connection_beat(v, &v->known[i]);
	}
}

uint64_t vm_liveness_deadline(struct views *v)
{
	uint64_t deadline = v->beat_ms;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0)
			continue;
		if (k->link == LINK_UP) {
			if (beats(v, k))
				deadline = min_u64(deadline, last_sign_ms(k) + v->options.suspect_ms + 1);
			continue;
		}
		if (!vm_known_dead(v, k))
			deadline = min_u64(deadline, k->down_ms + v->options.suspect_ms);
		deadline = min_u64(deadline, vm_connection_deadline(v, k));
	}
	return deadline;
}
