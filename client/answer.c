#include "client/answer.h"

/* RULE 12: the primary gives these two reasons only for an entry that is applied; any other refusal is about its call
 * alone. */
static bool decided_by_the_log(jh_reason reason)
{
	return reason == JH_REASON_CONFLICT || reason == JH_REASON_SUPERSEDED;
}

enum attempt answer_attempt(jh_outcome outcome, jh_reason reason)
{
	switch (outcome) {
	case JH_DONE:
		return ATTEMPT_DONE;
	case JH_REFUSED:
		return decided_by_the_log(reason) ? ATTEMPT_REFUSED_FOR_GOOD : ATTEMPT_REFUSED; /* RULE 12 */
	case JH_UNAVAILABLE:
		return reason == JH_REASON_BUSY ? ATTEMPT_BUSY : ATTEMPT_UNAVAILABLE;
	case JH_UNKNOWN:
	case JH_MOVED: /* never sent to clients; if it arrives anyway it proves nothing */
		break;
	}
	return ATTEMPT_UNKNOWN;
}
