#include "client/outcome.h"

#include "rpc/base/must.h"

struct request_track outcome_begin(enum request_kind kind, bool patient)
{
	/* RULE 12: a number that was given to us may have been used before, and that call may still be in transit. */
	return (struct request_track){.kind = kind,
				      .patient = patient,
				      .may_have_happened = kind == REQUEST_AGAIN,
				      .outcome = OUTCOME_OPEN};
}

/* Ends the request. The only place that sets a final outcome. `decided`: the log decided it, for every attempt. */
static bool settle(struct request_track *track, enum outcome outcome, bool decided)
{
	must(track->outcome == OUTCOME_OPEN);
	must(outcome != OUTCOME_OPEN);
	/* RULE 12: an earlier attempt may still be executed, so only an entry of the log ends the doubt. A refusal of
	 * a later attempt says nothing about it: the earlier call may reach the primary after the later one. */
	if (track->may_have_happened && !decided)
		outcome = OUTCOME_UNKNOWN;
	track->outcome = outcome;
	track->decided = decided;
	return false;
}

static bool may_have_left(struct request_track *track)
{
	if (track->kind == REQUEST_READ)
		return true;
	track->may_have_happened = true;
	if (track->kind == REQUEST_ONCE)
		return settle(track, OUTCOME_UNKNOWN, false);
	return true;
}

/* A refusal without an entry of the log. In doubt, a VOID under the same number ends it; but not a second VOID after one
 * that was refused, because whoever contradicts itself would be asked in circles. */
static bool refused(struct request_track *track)
{
	/* RULE 12: a number that was given to us may be repeated by others, who still want it executed. */
	bool is_ours = track->kind == REQUEST_WRITE;

	if (track->may_have_happened && is_ours && !track->executed) {
		track->voids = true;
		return true;
	}
	return settle(track, OUTCOME_REFUSED, false);
}

/* How the VOID of our own request ended. */
static bool voided(struct request_track *track, enum attempt attempt)
{
	must(track->may_have_happened);
	must(!track->executed);
	switch (attempt) {
	case ATTEMPT_DONE:
		return settle(track, OUTCOME_REFUSED, true);
	case ATTEMPT_REFUSED_FOR_GOOD:
		/* RULE 12: what was refused is the VOID: the request was executed, and its repeat gets the answer. */
		track->voids = false;
		track->executed = true;
		return true;
	case ATTEMPT_REFUSED:
		return settle(track, OUTCOME_REFUSED, false);
	case ATTEMPT_NOT_SENT:
	case ATTEMPT_LOST:
	case ATTEMPT_TIMED_OUT:
	case ATTEMPT_UNKNOWN:
	case ATTEMPT_UNAVAILABLE:
	case ATTEMPT_BUSY:
		return true;
	}
	must_not_reach("an attempt ends in one of its ways");
}

bool outcome_attempt(struct request_track *track, enum attempt attempt)
{
	must(track->outcome == OUTCOME_OPEN);
	if (track->voids)
		return voided(track, attempt);
	switch (attempt) {
	case ATTEMPT_NOT_SENT:
	case ATTEMPT_BUSY:
		return true;
	case ATTEMPT_LOST:
	case ATTEMPT_TIMED_OUT:
	case ATTEMPT_UNKNOWN:
		return may_have_left(track);
	case ATTEMPT_DONE:
		return settle(track, OUTCOME_DONE, true);
	case ATTEMPT_REFUSED_FOR_GOOD:
		return settle(track, OUTCOME_REFUSED, true);
	case ATTEMPT_REFUSED:
		return refused(track);
	case ATTEMPT_UNAVAILABLE:
		/* In doubt it is worth repeating: the next answer may decide. */
		if (track->patient || track->may_have_happened)
			return true;
		return settle(track, OUTCOME_UNAVAILABLE, false);
	}
	must_not_reach("an attempt ends in one of its ways");
}

enum outcome outcome_give_up(struct request_track *track)
{
	if (track->outcome == OUTCOME_OPEN)
		settle(track, OUTCOME_UNAVAILABLE, false);
	must(track->outcome != OUTCOME_OPEN);
	return track->outcome;
}

const char *outcome_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DONE:
		return "done";
	case OUTCOME_REFUSED:
		return "refused";
	case OUTCOME_UNKNOWN:
		return "unknown";
	case OUTCOME_UNAVAILABLE:
		return "unavailable";
	case OUTCOME_OPEN:
		break;
	}
	must_not_reach("an outcome that is final");
}

int outcome_exit_status(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DONE:
		return 0;
	case OUTCOME_REFUSED:
		return 3;
	case OUTCOME_UNKNOWN:
		return 5;
	case OUTCOME_UNAVAILABLE:
		return 4;
	case OUTCOME_OPEN:
		break;
	}
	must_not_reach("an outcome that is final");
}
