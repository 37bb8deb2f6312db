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
		(struct never){.request = client->request, .content = client->content, .any = any};
}

static void check_done(struct world *w, const struct client *client, uint64_t op)
{
	const struct executed *done = check_executed(client, client->request);

	if (done == NULL || done->op != op || done->content != client->content)
		world_fail(w, 11,
			   "client %" PRIu32 " request %" PRIu64 " is told op %" PRIu64 ", executed at op %" PRIu64,
			   client->index, client->request, op, done == NULL ? 0 : done->op);
	if (!client->asked_before && op <= client->unseen)
		world_fail(w, 8,
			   "client %" PRIu32 " request %" PRIu64 " is at op %" PRIu64
			   ", first asked for after op %" PRIu64 " had been shown",
			   client->index, client->request, op, client->unseen);
	if (op > w->shown)
		w->shown = op;
	w->counts->done++;
}

/* A final answer of a write. RULE 11, 12. */
void check_told(struct world *w, struct client *client, const struct answering *answer)
{
	const struct executed *done = check_executed(client, client->request);

	if (answer->verdict == VERDICT_DECIDED) {
		check_done(w, client, answer->op);
		return;
	}
	w->counts->refused++;
	if (answer->verdict == VERDICT_REUSED) {
		note_never(client, false);
	} else if (answer->verdict == VERDICT_PASSED) {
		note_never(client, true);
	} else if (done != NULL && !client->track.may_have_happened) { /* else another call may have been faster */
		world_fail(w, 12, "client %" PRIu32 " request %" PRIu64 " is refused, executed at op %" PRIu64,
			   client->index, client->request, done->op);
	}
}

/* RULE 12: what the client believes in the end, from all its attempts together. */
void check_outcome(struct world *w, struct client *client)
{
	enum outcome outcome = client->track.outcome;
	const struct executed *done;

	if (client->reads)
		return;
	done = check_executed(client, client->request);
	if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_UNAVAILABLE) {
		if (done != NULL && done->content == client->content)
			world_fail(w, 12, "client %" PRIu32 " ends request %" PRIu64 " as %s, and it was executed",
				   client->index, client->request, outcome_name(outcome));
		note_never(client, false);
	}
	if (outcome == OUTCOME_UNKNOWN)
		w->counts->unknown++;
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
