#include "client/outcome.h"

#include "rpc/base/must.h"
#include "rpc/base/rule.h"

struct request_track outcome_begin(enum request_kind kind, bool patient)
{
	return (struct request_track){.kind = kind, .patient = patient, .outcome = OUTCOME_OPEN};
}

/* Ends the request. The only place that sets a final outcome. */
static bool settle(struct request_track *track, enum outcome outcome)
{
	must(track->outcome == OUTCOME_OPEN);
	must(outcome != OUTCOME_OPEN);
	/* RULE 12: an earlier attempt may have been executed, so only "done" can be told for sure. A refusal of a later
	 * attempt says nothing of one that still travels: the first may reach the primary after it. */
	if (RULE_FORBIDS(rule_12_a_doubt_stays, track->may_have_happened && outcome != OUTCOME_DONE))
		outcome = OUTCOME_UNKNOWN;
	if (RULE_FORBIDS(rule_12_asked_before_is_never_unavailable,
			 track->kind == REQUEST_AGAIN && outcome == OUTCOME_UNAVAILABLE))
		outcome = OUTCOME_UNKNOWN;
	track->outcome = outcome;
	return false;
}

static bool may_have_left(struct request_track *track)
{
	if (track->kind == REQUEST_READ)
		return true;
	track->may_have_happened = true;
	if (track->kind == REQUEST_ONCE)
		return settle(track, OUTCOME_UNKNOWN);
	return true;
}

bool outcome_attempt(struct request_track *track, enum attempt attempt)
{
	must(track->outcome == OUTCOME_OPEN);
	switch (attempt) {
	case ATTEMPT_NOT_SENT:
	case ATTEMPT_BUSY:
		return true;
	case ATTEMPT_LOST:
	case ATTEMPT_TIMED_OUT:
	case ATTEMPT_UNKNOWN:
		return may_have_left(track);
	case ATTEMPT_DONE:
		return settle(track, OUTCOME_DONE);
	case ATTEMPT_REFUSED:
		return settle(track, OUTCOME_REFUSED);
	case ATTEMPT_UNAVAILABLE:
		/* After an unknown one it is worth asking on: the next answer may tell. */
		if (track->patient || track->may_have_happened || track->kind == REQUEST_AGAIN)
			return true;
		return settle(track, OUTCOME_UNAVAILABLE);
	}
	must_not_reach("an attempt ends in one of its ways");
}

enum outcome outcome_give_up(struct request_track *track)
{
	if (track->outcome == OUTCOME_OPEN)
		settle(track, OUTCOME_UNAVAILABLE);
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
