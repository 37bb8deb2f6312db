/* The clients: each has one request in flight, asks again, at whatever front-end is there, for as long as
 * client/outcome.c says that it may, or gives up. What it gave up it may come back to, as another process that was handed
 * the number; and a call may be so late on its way to a front-end that its client has given it up when it arrives. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/checker.h"

static void client_later(struct client *client)
{
	struct world *w = client->world;

	world_at(w, world_draw(w, w->profile.think_us),
		 (struct world_event){.kind = EV_CLIENT, .node = w->front->process, .pointer = client});
}

/* As server/requests.c words it and client/answer.c reads it. */
static enum attempt attempt_of_verdict(enum replica_verdict verdict)
{
	switch (verdict) {
	case VERDICT_DECIDED:
		return ATTEMPT_DONE;
	case VERDICT_REUSED:
	case VERDICT_PASSED:
		return ATTEMPT_REFUSED_FOR_GOOD;
	case VERDICT_DECLINED:
	case VERDICT_NOT_ADMITTED:
		return ATTEMPT_REFUSED;
	case VERDICT_FULL:
	case VERDICT_DISK_FULL:
	case VERDICT_TOO_FEW:
		return ATTEMPT_UNAVAILABLE;
	case VERDICT_BUSY:
	case VERDICT_MOVED:
		break;
	}
	must_not_reach("an answer that the router passes on");
}

static enum attempt attempt_of(const struct client *client, enum router_end how, const struct answering *answer)
{
	switch (how) {
	case ROUTER_END_ANSWERED:
		return client->reads ? ATTEMPT_DONE : attempt_of_verdict(answer->verdict);
	case ROUTER_END_UNKNOWN:
		return ATTEMPT_UNKNOWN;
	case ROUTER_END_UNAVAILABLE:
		return ATTEMPT_UNAVAILABLE;
	case ROUTER_END_BUSY:
		return ATTEMPT_BUSY;
	}
	must_not_reach("a request ends in one of its ways");
}

bool client_stray(const struct client *client)
{
	return client->index >= WORLD_CLIENTS;
}

/* The request is over for its client, whatever became of it. */
static void client_ends(struct world *w, struct client *client)
{
	client->pending = false;
	check_outcome(w, client);
	if (client->reads)
		return;
	if (client->track.kind == REQUEST_AGAIN && client->track.outcome != OUTCOME_UNKNOWN)
		w->counts->decided++;
	if (client->track.outcome == OUTCOME_UNKNOWN)
		client->doubts[client->doubts_count++ % WORLD_DOUBTS] =
			(struct doubt){.request = client->request, .content = client->content};
}

static void client_attempted(struct world *w, struct client *client, enum attempt attempt, bool limit)
{
	bool again = outcome_attempt(&client->track, attempt);

	/* In the second act a limit (--max-orders) may be there to stay: a client that has heard of it is served. Nothing is
	 * made void here. */
	if (again && (client->track.voids || (w->calm ? limit : world_percent(w, w->profile.give_up_percent)))) {
		outcome_give_up(&client->track); /* the next request has a higher number, or is asked for again */
		again = false;
	}
	if (!again)
		client_ends(w, client);
}

void client_answered(struct world *w, struct client *client, enum router_end how, const struct answering *answer)
{
	must(how != ROUTER_END_ANSWERED || answer != NULL);
	if (!client->in_router)
		world_fail(w, 12, "client %" PRIu32 " request %" PRIu64 " is answered twice", client->index,
			   client->request);
	client->in_router = false;
	client->serial++;
	if (client_stray(client))
		return;
	client_later(client);
	if (how == ROUTER_END_ANSWERED && client->reads)
		check_read(w, client, answer->op);
	else if (how == ROUTER_END_ANSWERED && answer->verdict != VERDICT_BUSY)
		check_told(w, client, answer);
	client_attempted(w, client, attempt_of(client, how, answer),
			 how == ROUTER_END_ANSWERED && attempt_of(client, how, answer) == ATTEMPT_UNAVAILABLE);
}

/* The front-end that had it is gone. */
void client_lost(struct world *w, struct client *client)
{
	client->in_router = false;
	client->serial++;
	if (client_stray(client))
		return;
	client_later(client);
	client_attempted(w, client, ATTEMPT_LOST, false);
}

/* An order that was answered before, or given up, or other content under the number of one. */
static bool choose_again(struct world *w, struct client *client)
{
	uint32_t dice = world_draw(w, 100), doubts = client->doubts_count;

	if (client->executed_count > 0 && dice < 6) {
		const struct executed *old = &client->executed[world_draw(w, client->executed_count)];

		client->request = old->request;
		client->content = old->content + (dice < 2 ? 16 : 0);
	} else if (doubts > 0 && !w->calm && dice >= 6 && dice < 6 + w->profile.again_percent) {
		const struct doubt *old =
			&client->doubts[world_draw(w, doubts < WORLD_DOUBTS ? doubts : WORLD_DOUBTS)];

		w->counts->again++;
		client->request = old->request;
		client->content = old->content + (world_percent(w, 15) ? 16 : 0);
	} else {
		return false;
	}
	client->asked_before = true;
	client->track = outcome_begin(REQUEST_AGAIN, client->track.patient);
	return true;
}

static void choose_request(struct world *w, struct client *client)
{
	client->pending = true;
	client->asked_before = false;
	client->must_see = client->unseen = w->shown;
	client->track = outcome_begin(client->reads ? REQUEST_READ : REQUEST_WRITE, w->calm || world_percent(w, 70));
	if (client->reads || choose_again(w, client))
		return;
	client->request = ++client->highest;
	client->content = world_draw(w, 1000000);
}

static void ask(struct world *w, struct client *client)
{
	memset(&client->head, 0, sizeof client->head);
	client->in_router = true;
	client->home = w->front;
	front_asked(w, client);
}

/* The call lingers on its way to a front-end: its client hears nothing, and it arrives later. */
static bool is_late(struct world *w, struct client *client)
{
	if (client->reads || w->calm || !world_percent(w, w->profile.late_percent))
		return false;
	for (uint32_t i = WORLD_CLIENTS; i < WORLD_CLIENTS + WORLD_STRAYS; i++) {
		struct client *stray = &w->clients[i];

		if (stray->pending || stray->in_router)
			continue;
		stray->pending = true;
		stray->as = client->as;
		stray->request = client->request;
		stray->content = client->content;
		world_at(w, world_draw(w, world_percent(w, 50) ? 100000 : 3000000),
			 (struct world_event){.kind = EV_CLIENT, .node = w->front->process, .pointer = stray});
		client_later(client);
		client_attempted(w, client, ATTEMPT_TIMED_OUT, false);
		return true;
	}
	return false;
}

static void stray_arrives(struct world *w, struct client *stray)
{
	stray->pending = false;
	if (!w->front->alive)
		return;
	w->counts->late_calls++;
	ask(w, stray);
}

void client_turn(struct world *w, struct client *client)
{
	if (client->in_router)
		return;
	w->front = &w->fronts[w->fronts[1].alive && (!w->fronts[0].alive || world_percent(w, 40))];
	if (client_stray(client)) {
		stray_arrives(w, client);
		return;
	}
	if (!w->front->alive) {
		world_at(w, 20000 + world_draw(w, 50000),
			 (struct world_event){.kind = EV_CLIENT, .node = w->front->process, .pointer = client});
		return;
	}
	if (!client->pending && w->calm && client->lives == UINT64_MAX && world_requests(w) >= w->enough)
		return; /* has proved that the service lives */
	if (!client->pending) {
		if (w->calm)
			client->lives = UINT64_MAX;
		choose_request(w, client);
	}
	if (!is_late(w, client))
		ask(w, client);
}
