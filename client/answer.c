#include "client/answer.h"

enum attempt answer_attempt(jh_outcome outcome, jh_reason reason, bool final)
{
	switch (outcome) {
	case JH_DONE:
		return ATTEMPT_DONE;
	case JH_REFUSED:
		return final ? ATTEMPT_REFUSED_FOR_GOOD : ATTEMPT_REFUSED; /* RULE 12 */
	case JH_KEY_REUSED:
		return ATTEMPT_REFUSED_FOR_GOOD;
	case JH_UNAVAILABLE:
		return reason == JH_REASON_BUSY ? ATTEMPT_BUSY : ATTEMPT_UNAVAILABLE;
	case JH_UNKNOWN:
	case JH_MOVED: /* never sent to clients; if it arrives anyway it proves nothing */
		break;
	}
	return ATTEMPT_UNKNOWN;
}
