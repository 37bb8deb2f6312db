/* Connections, heartbeats and suspicion (rule 15). One connection to each replica; judged by what comes over it, never
 * by rpcbind, which is for finding only (rule 17). */
#include "frontend/views/internal.h"

#include <stdio.h>
#include <string.h>

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t connect_wait_ms(const struct views *v)
{
	return v->options.suspect_ms > CONNECT_WAIT_MS ? v->options.suspect_ms : CONNECT_WAIT_MS;
}

/* A connection that a dying process still took, or whose packets got lost, is never answered; the next attempt is. */
static uint32_t attempt_wait_ms(const struct views *v, const struct known *k)
{
	must(k->attempts < 32);
	uint32_t wait_ms = (uint32_t)ATTEMPT_FIRST_MS << k->attempts;

	return wait_ms < connect_wait_ms(v) ? wait_ms : connect_wait_ms(v);
}

static void connect_to(struct views *v, struct known *k)
{
	must(k->link == LINK_DOWN);
	if (k->address[0] == '\0')
		return;
	k->link = LINK_CONNECTING;
	k->connect_ms = v->now_ms;
	memcpy(k->tried, k->address, sizeof k->tried);
	/* Every answer that raised the floor so far was acknowledged by all members: what a member says after this
	 * moment must reach it (rule 3). Taken now and not at the hello, since a report may be older than the floor
	 * beside it. A learner whose admission is being stored counted when it was asked for. */
	bool counted = view_member_by_id(&v->durable.view, k->id) != NULL ||
		       (v->ticket != 0 && view_member_by_id(&v->next.view, k->id) != NULL);

	k->connect_floor = counted ? v->floor : 0;
	vm_do_connect(v, k);
}

void vm_liveness_found(struct views *v, uint32_t id, const char *address)
{
	if (id == 0 || address == NULL || address[0] == '\0')
		return;
	struct known *k = vm_known_ensure(v, id);

	if (k == NULL) {
		char text[VIEWS_TEXT_SIZE];

		snprintf(text, sizeof text, "replica %u is registered, but there are %u already: not used", id,
			 LIMIT_REPLICAS);
		vm_say_state(v, text);
		return;
	}
	k->registered = true;
	if (k->link == LINK_UP && strcmp(address, k->tried) != 0) {
		/* RULE 17: a registration ends no live connection. */
		vm_say_of(v, k, LOG_LEVEL_WARN, "registered at %s too, while it answers at %s", address, k->tried);
		return;
	}
	snprintf(k->address, sizeof k->address, "%s", address);
	if (k->link != LINK_DOWN)
		return;
	if (strcmp(k->address, k->tried) != 0 || v->now_ms >= k->retry_ms)
		connect_to(v, k);
}

/* What is registered no more and never said a word was none of ours, or is gone without having told anything. */
static bool was_never_there(const struct views *v, const struct known *k)
{
	return !k->registered && !k->greeted && !vm_expected(v, k->id);
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

static void go_down(struct views *v, struct known *k)
{
	must(k->link != LINK_DOWN);
	if (k->link == LINK_UP) {
		k->down_ms = v->now_ms;
		k->lost_ms = v->now_ms;
		k->lost_us = v->wall_us;
		k->attempts = 0;
		/* Only a connection that lasted earns new quick tries: one that breaks at every hello must not spin. */
		if (v->now_ms >= k->up_ms + BACKOFF_MOST_MS) {
			k->backoff_ms = BACKOFF_FIRST_MS;
			k->quick_tries = QUICK_TRIES;
		}
	}
	k->link = LINK_DOWN;
	k->retry_ms = v->now_ms + k->backoff_ms;
	vm_takeover_lost(v, k);
}

static void back_off(struct known *k)
{
	k->backoff_ms = k->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : k->backoff_ms * 2;
}

void vm_liveness_lost(struct views *v, uint32_t id, bool refused)
{
	struct known *k = vm_known_find(v, id);

	if (k == NULL || k->link == LINK_DOWN)
		return;
	bool was_up = k->link == LINK_UP;

	go_down(v, k);
	if (refused) {
		/* Dead processes may have left entries on two hosts, and both are tried with every dump. */
		bool said = k->refused && v->now_ms < k->refused_said_ms + SAY_AGAIN_MS;

		k->refused = true;
		back_off(k);
		if (said)
			return;
		k->refused_said_ms = v->now_ms;
		vm_say_of(v, k, LOG_LEVEL_WARN, "nobody listens at %s", k->tried);
		return;
	}
	if (was_up)
		vm_say_of(v, k, LOG_LEVEL_WARN, "connection lost");
	/* A broken connection to a living process, or a dying one whose listener was still open: ask again at once, so
	 * that a kill is known as such within a round trip. */
	if (k->quick_tries > 0) {
		k->quick_tries--;
		connect_to(v, k);
	} else {
		back_off(k);
	}
}

/* RULE 15: a report may have to wait behind answers of megabytes on the one connection, but who sends those is not
 * silent. It says no more than that: how a disk does, and what the replica has heard, only a report can tell. */
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

void vm_liveness_disconnect(struct views *v, struct known *k, uint32_t retry_ms)
{
	must(k->link != LINK_DOWN);
	vm_do_disconnect(v, k);
	go_down(v, k);
	k->retry_ms = v->now_ms + retry_ms;
}

/* RULE 15: our own loop was late, so silence proves nothing: everybody gets the whole time again. */
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

/* A lost replica leaves the directory after forget_ms of our own time, and the status, too, unless it is expected: nobody
 * fails by that, so being late does not give it all of that again. */
static void auto_clean(struct views *v, struct known *k)
{
	if (k->link == LINK_UP || k->forgotten || v->now_ms < k->lost_ms + v->options.forget_ms)
		return;
	k->forgotten = true;
	vm_do_clean(v, k);
	if (view_member_by_id(&v->durable.view, k->id) != NULL)
		return;
	if (vm_expected(v, k->id)) {
		vm_say(v, LOG_LEVEL_WARN, "replica %u: lost for %u s, and missed until it comes back or is removed: "
		       "justhungry remove %u", k->id, v->options.forget_ms / 1000, k->id);
		return;
	}
	vm_say(v, LOG_LEVEL_INFO, "replica %u: forgotten after %u s", k->id, v->options.forget_ms / 1000);
	/* What a replica was heard to say must outlive it while a take-over gathers views (rule 18). */
	if (!k->registered && v->mode == MODE_NORMAL && k->link == LINK_DOWN)
		memset(k, 0, sizeof *k);
}

/* One that is bound to another manager is asked as well: its answers tell whether it hears that one (RULE 20). A damaged
 * replica writes nothing any more, so it can not confirm that it is bound to us; it must hear all the same that it may give
 * its data up (RULE 14). It listens to whoever asked it last to be bound. */
static bool beats(const struct views *v, const struct known *k)
{
	if (k->link != LINK_UP)
		return false;
	enum standing standing = vm_known_standing(v, k);

	return standing == STANDING_OURS || standing == STANDING_OLD_GENERATION || standing == STANDING_BOUND;
}

/* RULE 14: only when another member serves may data be given up. */
static bool should_retire(struct views *v, const struct known *k)
{
	const struct known *serving = vm_primary_serving(v);

	if (serving == NULL || serving == k || vm_known_is_member(v, k))
		return false;
	if (vm_known_standing(v, k) == STANDING_BOUND && k->report.state != STATE_DAMAGED)
		return false; /* it would not listen */
	return k->lost_data || k->report.state == STATE_DAMAGED || vm_known_standing(v, k) == STANDING_OLD_GENERATION;
}

void vm_liveness_beat(struct views *v, struct known *k)
{
	bool retire = should_retire(v, k);

	vm_do_heartbeat(v, k, retire);
	if (retire)
		vm_say_of(v, k, LOG_LEVEL_WARN, "told to set its data aside and to come back as a learner");
}

static void judge(struct views *v, struct known *k)
{
	if (beats(v, k) && v->now_ms > last_sign_ms(k) + v->options.suspect_ms) {
		/* RULE 15: silent is failed. It may come back. */
		vm_say_of(v, k, LOG_LEVEL_WARN, "silent for %u ms: suspected", v->options.suspect_ms);
		k->hung = true;
		vm_liveness_disconnect(v, k, k->backoff_ms);
	} else if (k->link == LINK_CONNECTING && v->now_ms < k->connect_ms + attempt_wait_ms(v, k)) {
		return;
	} else if (k->link == LINK_CONNECTING && attempt_wait_ms(v, k) < connect_wait_ms(v)) {
		k->attempts++;
		vm_do_disconnect(v, k);
		k->link = LINK_DOWN;
		connect_to(v, k);
	} else if (k->link == LINK_CONNECTING) {
		vm_say_of(v, k, LOG_LEVEL_WARN, "no hello from %s within %u ms", k->tried, connect_wait_ms(v));
		k->hung = true;
		vm_liveness_disconnect(v, k, k->backoff_ms);
		back_off(k);
	} else if (k->link == LINK_DOWN && v->now_ms >= k->retry_ms && !k->forgotten) {
		connect_to(v, k);
	}
}

void vm_liveness_tick(struct views *v)
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		if (v->known[i].id != 0)
			judge(v, &v->known[i]);
		if (v->known[i].id != 0)
			auto_clean(v, &v->known[i]);
	}
	if (v->now_ms < v->beat_ms)
		return;
	v->beat_ms = v->now_ms + v->options.heartbeat_ms;
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		if (v->known[i].id != 0 && beats(v, &v->known[i]))
			vm_liveness_beat(v, &v->known[i]);
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
		if (k->link == LINK_CONNECTING)
			deadline = min_u64(deadline, k->connect_ms + attempt_wait_ms(v, k));
		else if (!k->forgotten && k->address[0] != '\0')
			deadline = min_u64(deadline, k->retry_ms);
	}
	return deadline;
}
