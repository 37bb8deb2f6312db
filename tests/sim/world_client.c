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

/* As client/answer.c reads it. */
static enum attempt attempt_of_told(enum told told)
{
	switch (told) {
	case TOLD_DONE:
		return ATTEMPT_DONE;
	case TOLD_REFUSED_FOR_GOOD:
	case TOLD_REUSED:
		return ATTEMPT_REFUSED_FOR_GOOD;
	case TOLD_REFUSED:
		return ATTEMPT_REFUSED;
	case TOLD_UNAVAILABLE:
		return ATTEMPT_UNAVAILABLE;
	case TOLD_BUSY:
	case TOLD_MOVED:
		break;
	}
	must_not_reach("an answer that the router passes on");
}

static enum attempt attempt_of(const struct client *client, enum router_end how, const struct answering *answer)
{
	switch (how) {
	case ROUTER_END_ANSWERED:
		return client->reads ? ATTEMPT_DONE : attempt_of_told(answer->told);
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

bool client_is_served(const struct world *w, const struct client *client)
{
	return w->calm && client->lives == UINT64_MAX && client->doubts_count == 0;
}

/* What is known of the number now: nothing, or all that it takes. */
static void doubt_ends(struct client *client)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < client->doubts_count; i++) {
		const struct doubt *doubt = &client->doubts[i];

		if (doubt->request != client->request ||
		    (client->content != CONTENT_VOID && doubt->content != client->content))
			client->doubts[kept++] = *doubt;
	}
	client->doubts_count = kept;
}

static void doubt_begins(struct client *client)
{
	doubt_ends(client);
	if (client->doubts_count == WORLD_DOUBTS) /* the oldest is never asked for again */
		memmove(client->doubts, client->doubts + 1, --client->doubts_count * sizeof *client->doubts);
	client->doubts[client->doubts_count++] = (struct doubt){.request = client->request, .content = client->content};
}

/* The request is over for its client, whatever became of it. */
static void client_ends(struct world *w, struct client *client)
{
	bool unknown = client->track.outcome == OUTCOME_UNKNOWN || client->track.outcome == OUTCOME_UNAVAILABLE;

	client->pending = false;
	check_outcome(w, client);
	if (client->reads)
		return;
	w->counts->decided += client->track.kind == REQUEST_AGAIN && !unknown;
	w->counts->own_voids += client->track.voids;
	if (!unknown)
		doubt_ends(client);
	else if (client->content != CONTENT_VOID && client->track.outcome == OUTCOME_UNKNOWN)
		doubt_begins(client);
	w->counts->doubts += w->calm && !unknown && client->content == CONTENT_VOID;
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
	else if (how == ROUTER_END_ANSWERED)
		check_told(w, client, answer);
	client_attempted(w, client, attempt_of(client, how, answer),
			 how == ROUTER_END_ANSWERED && attempt_of(client, how, answer) == ATTEMPT_UNAVAILABLE);
	if (how == ROUTER_END_ANSWERED && w->calm && client->content == CONTENT_VOID && !client->pending &&
	    (answer->verdict == VERDICT_FULL || answer->verdict == VERDICT_TOO_FEW)) {
		w->counts->doubts_left += client->doubts_count;
		client->doubts_count = 0;
	}
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

static void ask_for(struct world *w, struct client *client, const struct doubt *doubt, bool makes_void)
{
	w->counts->again++;
	client->request = doubt->request;
	client->content = client->original = doubt->content;
	if (makes_void)
		client->content = CONTENT_VOID;
	else if (world_percent(w, 15))
		client->content += CONTENT_OTHER;
}

/* An order that was answered before, or given up, or other content or VOID under the number of one. In the second act every
 * doubt is ended. */
static bool choose_again(struct world *w, struct client *client)
{
	uint32_t dice = world_draw(w, 100), doubts = client->doubts_count;

	if (client->decided_count > 0 && dice < 8) {
		const struct decided *old = &client->decided[world_draw(w, client->decided_count)];

		client->request = old->request;
		client->content = client->original = old->content;
		if (dice < 2)
			client->content = CONTENT_VOID;
		else if (dice < 4 && old->content != CONTENT_VOID)
			client->content += CONTENT_OTHER;
	} else if (doubts > 0 && w->calm) {
		ask_for(w, client, &client->doubts[0], true);
	} else if (doubts > 0 && dice >= 8 && dice < 8 + w->profile.again_percent) {
		ask_for(w, client, &client->doubts[world_draw(w, doubts)], world_percent(w, w->profile.void_percent));
	} else {
		return false;
	}
	client->asked_before = true;
	client->track = outcome_begin(client->content == CONTENT_VOID ? REQUEST_VOID : REQUEST_AGAIN, client->track.patient);
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
	client->content = client->original = world_draw(w, 1000000);
}

static void ask(struct world *w, struct client *client)
{
	memset(&client->head, 0, sizeof client->head);
	client->in_router = true;
	client->sent = client->track.voids ? CONTENT_VOID : client->content;
	client->home = w->front;
	front_asked(w, client);
}

/* A call of the request that lingers on its way to a front-end: its client hears nothing of it. */
static bool send_late(struct world *w, const struct client *client, uint64_t content, uint32_t within_us)
{
	for (uint32_t i = WORLD_CLIENTS; i < WORLD_CLIENTS + WORLD_STRAYS; i++) {
		struct client *stray = &w->clients[i];

		if (stray->pending || stray->in_router)
			continue;
		stray->pending = true;
		stray->as = client->as;
		stray->request = client->request;
		stray->content = content;
		world_at(w, world_draw(w, within_us),
			 (struct world_event){.kind = EV_CLIENT, .node = w->front->process, .pointer = stray});
		return true;
	}
	return false;
}

static bool is_late(struct world *w, struct client *client)
{
	if (client->reads || w->calm || !world_percent(w, w->profile.late_percent) ||
	    !send_late(w, client, client->track.voids ? CONTENT_VOID : client->content, world_percent(w, 50) ? 100000 : 3000000))
		return false;
	client_later(client);
	client_attempted(w, client, ATTEMPT_TIMED_OUT, false);
	return true;
}

/* In doubt, an older call may arrive together with this one. */
static void overtake(struct world *w, const struct client *client)
{
	bool voids = client->content == CONTENT_VOID || client->track.voids;

	if (!client->reads && (voids || client->track.may_have_happened) && !w->calm &&
	    world_percent(w, voids ? 40 : w->profile.late_percent))
		send_late(w, client, client->original, world_percent(w, 50) ? 2000 : 30000);
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
	if (!client->pending && client_is_served(w, client) && world_requests(w) >= w->enough)
		return; /* has proved that the service lives */
	if (!client->pending) {
		if (w->calm)
			client->lives = UINT64_MAX;
		choose_request(w, client);
	}
	if (is_late(w, client))
		return;
	overtake(w, client);
	ask(w, client);
}
