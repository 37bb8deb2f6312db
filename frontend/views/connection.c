#include "frontend/views/connection.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/known.h"

static uint32_t connect_wait_ms(const struct views *v)
{
	return v->options.suspect_ms > CONNECT_WAIT_MS ? v->options.suspect_ms : CONNECT_WAIT_MS;
}

/* A connection that a dying process accepted, or whose packets were lost, is never answered; another attempt may be. */
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
	/* Every answer that raised the floor so far was acknowledged by all members, so what a member reports from now
	 * on must reach it (rule 3). The floor is taken here and not at the hello, because a report may be older than
	 * the floor of the moment it arrives. A learner counted from the moment its admission was requested. */
	bool counted = view_member_by_id(&v->durable.view, k->id) != NULL ||
		       (v->ticket != 0 && view_member_by_id(&v->next.view, k->id) != NULL);

	k->connect_floor = counted ? v->floor : 0;
	vm_do_connect(v, k);
}

void vm_connection_found(struct views *v, uint32_t id, const char *address)
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

void vm_connection_unbound(struct views *v, struct known *k)
{
	if (k->bound)
		v->bind_round++;
	k->bound = false;
	k->bind_open = false;
	k->confirmed = false;
	k->bind_round = 0;
}

static void go_down(struct views *v, struct known *k)
{
	must(k->link != LINK_DOWN);
	if (k->link == LINK_UP) {
		k->down_ms = v->now_ms;
		k->lost_ms = v->now_ms;
		k->lost_us = v->wall_us;
		k->attempts = 0;
		/* Only a connection that lasted restores the quick tries: one that breaks at every hello must not
		 * spin. */
		if (v->now_ms >= k->up_ms + BACKOFF_MOST_MS) {
			k->backoff_ms = BACKOFF_FIRST_MS;
			k->quick_tries = QUICK_TRIES;
		}
	}
	k->link = LINK_DOWN;
	k->retry_ms = v->now_ms + k->backoff_ms;
	vm_connection_unbound(v, k);
}

static void back_off(struct known *k)
{
	k->backoff_ms = k->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : k->backoff_ms * 2;
}

void vm_connection_lost(struct views *v, uint32_t id, bool refused)
{
	struct known *k = vm_known_find(v, id);

	if (k == NULL || k->link == LINK_DOWN)
		return;
	bool was_up = k->link == LINK_UP;

	go_down(v, k);
	if (refused) {
		/* Dead processes may have left entries on two hosts; both are tried after every dump. */
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
	/* Either the process lives, or it was dying while its listener was still open. Another attempt at once tells
	 * these apart within a round trip. */
	if (k->quick_tries > 0) {
		k->quick_tries--;
		connect_to(v, k);
	} else {
		back_off(k);
	}
}

void vm_connection_close(struct views *v, struct known *k, uint32_t retry_ms)
{
	must(k->link != LINK_DOWN);
	vm_do_disconnect(v, k);
	go_down(v, k);
	k->retry_ms = v->now_ms + retry_ms;
}

void vm_connection_tick(struct views *v, struct known *k)
{
	if (k->link == LINK_CONNECTING && v->now_ms < k->connect_ms + attempt_wait_ms(v, k)) {
		return;
	} else if (k->link == LINK_CONNECTING && attempt_wait_ms(v, k) < connect_wait_ms(v)) {
		k->attempts++;
		vm_do_disconnect(v, k);
		k->link = LINK_DOWN;
		connect_to(v, k);
	} else if (k->link == LINK_CONNECTING) {
		vm_say_of(v, k, LOG_LEVEL_WARN, "no hello from %s within %u ms", k->tried, connect_wait_ms(v));
		k->hung = true;
		vm_connection_close(v, k, k->backoff_ms);
		back_off(k);
	} else if (k->link == LINK_DOWN && v->now_ms >= k->retry_ms && !k->forgotten) {
		connect_to(v, k);
	}
}

uint64_t vm_connection_deadline(const struct views *v, const struct known *k)
{
	must(k->link != LINK_UP);
	if (k->link == LINK_CONNECTING)
		return k->connect_ms + attempt_wait_ms(v, k);
	return !k->forgotten && k->address[0] != '\0' ? k->retry_ms : UINT64_MAX;
}

/* RULE 14: data may be given up only while another member serves. */
static bool should_retire(struct views *v, const struct known *k)
{
	const struct known *serving = vm_primary_serving(v);

	if (serving == NULL || serving == k || vm_known_is_member(v, k))
		return false;
	if (vm_known_standing(v, k) == STANDING_BOUND && k->report.state != STATE_DAMAGED)
		return false; /* it would not obey */
	return k->lost_data || k->report.state == STATE_DAMAGED || vm_known_standing(v, k) == STANDING_OLD_GENERATION;
}

void vm_connection_beat(struct views *v, struct known *k)
{
	bool retire = should_retire(v, k);

	vm_do_heartbeat(v, k, retire);
	if (retire)
		vm_say_of(v, k, LOG_LEVEL_WARN, "told to set its data aside and to come back as a learner");
}

/* RULE 3: a member that came back with less than every member had acknowledged before we began to connect has lost
 * data. This is decided by the hello alone: a later report may simply be older than the floor. */
void vm_connection_check_floor(struct views *v, struct known *k)
{
	if (!vm_known_is_member(v, k) || k->connect_floor == 0 || k->lost_data || k->report.op >= k->connect_floor)
		return;
	k->lost_data = true;
	vm_say_of(v, k, LOG_LEVEL_ERROR, "has lost data: holds op %llu, but op %llu was acknowledged",
		  (unsigned long long)k->report.op, (unsigned long long)k->connect_floor);
}

const char *vm_connection_explain_format(const struct views *v, struct format_range theirs, uint32_t in_use,
					 char text[static REPORT_TEXT_SIZE])
{
	return format_range_explain(theirs, v->options.formats, in_use, "the replica", "the front-end", text,
				    REPORT_TEXT_SIZE);
}

bool vm_connection_check_format(struct views *v, struct known *k, uint32_t in_use)
{
	char text[REPORT_TEXT_SIZE];

	must(k->link == LINK_UP);
	must(k->identified);
	if (format_range_agrees(k->identity.formats, v->options.formats, in_use))
		return true;
	k->hello_status = HELLO_FORMAT;
	vm_say_of(v, k, LOG_LEVEL_ERROR, "%s", vm_connection_explain_format(v, k->identity.formats, in_use, text));
	k->note_kind = NOTE_OTHER_FORMAT;
	vm_connection_close(v, k, FOREIGN_LOOK_MS);
	return false;
}
