/* What a sequence of attempts at one request amounts to (rule 12): a pure state machine, no clock and no socket. It
 * refuses to call a request refused or unavailable once an earlier attempt may have been executed.
 *
 *                 NOT_SENT, BUSY                 DONE
 *      begin ---> OPEN <----.  -------------------------------> DONE
 *                  |  `-----'   REFUSED, nothing left before
 *                  |           -------------------------------> REFUSED
 *   LOST, TIMED_OUT, UNKNOWN
 *                  v           DONE -------------------------> DONE
 *           OPEN, may_have_happened
 *                              REFUSED, or the deadline ------> UNKNOWN      */
#pragma once

#include <stdbool.h>

enum attempt {
	ATTEMPT_NOT_SENT,  /* nobody was reached: nothing left this process */
	ATTEMPT_LOST,      /* sent; the connection ended before the answer, or the answer makes no sense */
	ATTEMPT_TIMED_OUT, /* sent; no answer in time */
	ATTEMPT_DONE,      /* the rest: what the front-end answered */
	ATTEMPT_REFUSED,
	ATTEMPT_UNKNOWN,
	ATTEMPT_UNAVAILABLE, /* this call was not passed on; says nothing of earlier ones */
	ATTEMPT_BUSY         /* the same, and it will pass */
};

enum outcome { OUTCOME_OPEN, OUTCOME_DONE, OUTCOME_REFUSED, OUTCOME_UNKNOWN, OUTCOME_UNAVAILABLE };

enum request_kind {
	REQUEST_WRITE, /* numbered: asking again executes it once (rule 11) */
	REQUEST_AGAIN, /* a write that another process asked for before, with an outcome unknown: a refusal is the
			  primary's word after it consulted table and log, but that nobody answers now says nothing */
	REQUEST_READ,  /* changes nothing: a lost one is simply repeated, and is never unknown */
	REQUEST_ONCE   /* changes something and has no number (switchover): never repeated once it may have left */
};

struct request_track {
	enum request_kind kind;
	bool patient;           /* "unavailable" is asked again, too, until the caller gives up */
	bool may_have_happened; /* an earlier attempt may have been executed */
	enum outcome outcome;
};

struct request_track outcome_begin(enum request_kind kind, bool patient);

/* Takes in how one attempt ended. True: ask again, the same request with the same number. False: track->outcome is
 * final. Must not be called after that. */
bool outcome_attempt(struct request_track *track, enum attempt attempt);

/* The deadline has passed: the request ends as unknown or unavailable. Returns it. */
enum outcome outcome_give_up(struct request_track *track);

/* "done", "refused", "unknown", "unavailable". */
const char *outcome_name(enum outcome outcome);

/* The process's exit status for a final outcome: 0, 3, 5, 4. */
int outcome_exit_status(enum outcome outcome);
