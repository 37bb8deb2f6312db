/* What clients were told, attempt by attempt, and what they believe in the end: none of it may turn out wrong. */
#include <inttypes.h>

#include "tests/sim/checker.h"

/* RULE 12: a client that was told so may rely on it, whatever calls are still on their way. */
static void note_never(struct client *client, bool any)
{
	uint64_t room = client->never_room;

	client->never = world_grow(client->never, client->never_count, &room, sizeof *client->never);
	client->never_room = (uint32_t)room;
	client->never[client->never_count++] =
		(struct never){.request = client->request, .content = client->sent, .any = any};
}

static void check_done(struct world *w, const struct client *client, uint64_t op)
{
	const struct decided *decided = check_decided(client, client->request);

	if (!check_done_with(client, client->request, client->sent) || decided->op != op)
		world_fail(w, 11,
			   "client %" PRIu32 " request %" PRIu64 " is told op %" PRIu64 ", decided at op %" PRIu64,
			   client->index, client->request, op, decided == NULL ? 0 : decided->op);
	if (!client->asked_before && op <= client->unseen)
		world_fail(w, 8,
			   "client %" PRIu32 " request %" PRIu64 " is at op %" PRIu64
			   ", first asked for after op %" PRIu64 " had been shown",
			   client->index, client->request, op, client->unseen);
	w->counts->admitted_later += client->not_admitted == client->request;
}

/* Made nothing, or not executed and never to be: a doubt ends here. */
static void check_nothing(struct world *w, struct client *client)
{
	const struct decided *decided = check_decided(client, client->request);
	bool passed = client->decided_count > 0 && client->decided[client->decided_count - 1].request > client->request;

	if (decided == NULL ? !passed : decided->became == BECAME_DONE)
		world_fail(w, 12, "client %" PRIu32 " request %" PRIu64 " is told that it did nothing for good, %s", client->index,
			   client->request, decided == NULL ? "and no entry says so" : "and it was executed");
	note_never(client, true);
}

static void check_refused(struct world *w, struct client *client)
{
	const struct decided *decided = check_decided(client, client->request);

	if (client->sent != CONTENT_VOID)
		check_nothing(w, client);
	else if (decided == NULL || decided->became != BECAME_DONE)
		world_fail(w, 12, "client %" PRIu32 " is told that request %" PRIu64 " was executed, which is not so", client->index,
			   client->request);
}

static void check_reused(struct world *w, struct client *client)
{
	const struct decided *decided = check_decided(client, client->request);

	if (decided == NULL || decided->content == client->sent || decided->content == CONTENT_VOID)
		world_fail(w, 12, "client %" PRIu32 " is told that request %" PRIu64 " has other content, which is not so",
			   client->index, client->request);
	note_never(client, false);
}

/* An answer to a write: each one that is final agrees with the log, so no two of a request contradict each other. RULE 11, 12. */
void check_told(struct world *w, struct client *client, const struct answering *answer)
{
	if (answer->shows > w->shown && (answer->told == TOLD_DONE || answer->told == TOLD_REFUSED ||
					 answer->told == TOLD_REFUSED_FOR_GOOD || answer->told == TOLD_REUSED))
		w->shown = answer->shows;
	switch (answer->told) {
	case TOLD_DONE:
		w->counts->done++;
		if (client->sent == CONTENT_VOID)
			check_nothing(w, client);
		else
			check_done(w, client, answer->op);
		return;
	case TOLD_REFUSED_FOR_GOOD:
		check_refused(w, client);
		break;
	case TOLD_REUSED:
		check_reused(w, client);
		break;
	case TOLD_REFUSED:
	case TOLD_UNAVAILABLE:
		if (answer->verdict == VERDICT_NOT_ADMITTED)
			client->not_admitted = client->request;
		/* In doubt another call may have been faster. */
		if (!client->track.may_have_happened && check_done_with(client, client->request, client->sent))
			world_fail(w, 12, "client %" PRIu32 " request %" PRIu64 " is refused, and was executed", client->index,
				   client->request);
		break;
	case TOLD_BUSY:
	case TOLD_MOVED:
		world_fail(w, 12, "client %" PRIu32 " is told what only front-ends are told", client->index);
	}
	w->counts->refused++;
}

/* RULE 12: what the client believes in the end, from all its attempts together. */
void check_outcome(struct world *w, struct client *client)
{
	enum outcome outcome = client->track.outcome;

	if (client->reads)
		return;
	if (outcome == OUTCOME_UNKNOWN)
		w->counts->unknown++;
	if ((outcome != OUTCOME_REFUSED && outcome != OUTCOME_UNAVAILABLE) || client->content == CONTENT_VOID)
		return;
	if (check_done_with(client, client->request, client->content))
		world_fail(w, 12, "client %" PRIu32 " ends request %" PRIu64 " as %s, and it was executed",
			   client->index, client->request, outcome_name(outcome));
	note_never(client, false);
}

/* RULE 8 */
void check_read(struct world *w, struct client *client, uint64_t op)
{
	if (op < client->must_see)
		world_fail(w, 8, "a read shows op %" PRIu64 " after an answer had shown op %" PRIu64, op,
			   client->must_see);
	if (op > w->committed_count)
		world_fail(w, 8, "a read shows op %" PRIu64 ", committed is %" PRIu64, op, w->committed_count);
	if (op > w->shown)
		w->shown = op;
	w->counts->reads++;
}
