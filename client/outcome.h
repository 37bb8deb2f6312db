/* What a sequence of attempts at one request amounts to (rule 12): a pure state machine, no clock and no socket. It
 * never reports a request as refused or unavailable while an earlier attempt may still be executed.
 *
 *             .-------.  NOT_SENT, BUSY
 *             v       |
 *   begin --> not in doubt -- DONE --------------------------------------> DONE
 *                  |    `---- REFUSED, REFUSED_FOR_GOOD -----------------> REFUSED
 *   LOST, TIMED_OUT, UNKNOWN; or begun AGAIN
 *                  v
 *         .---> in doubt ---- DONE --------------------------------------> DONE
 *         |        |    `---- REFUSED_FOR_GOOD --------------------------> REFUSED
 *         |        |    `---- REFUSED, not REQUEST_WRITE; deadline ---> UNKNOWN
 *         |     REFUSED, REQUEST_WRITE
 *         |        v
 *         |  in doubt, voids  DONE (void: it was not and will not be) ---> REFUSED
 *         |        |    `---- REFUSED; deadline -------------------------> UNKNOWN
 *         `--------'
 *        REFUSED_FOR_GOOD: the request was executed; once. Its repeat is told DONE.
 *
 * UNAVAILABLE ends a request that is not in doubt and not patient; else it is repeated like BUSY. */
#pragma once

#include <stdbool.h>

enum attempt {
	ATTEMPT_NOT_SENT,  /* no process was reached: nothing left this one */
	ATTEMPT_LOST,      /* sent; the connection ended before the answer, or the answer could not be decoded */
	ATTEMPT_TIMED_OUT, /* sent; no answer in time */
	ATTEMPT_DONE,      /* from here on: the front-end's answer */
	ATTEMPT_REFUSED,   /* this attempt did nothing and will not; says nothing about earlier ones */
	ATTEMPT_REFUSED_FOR_GOOD, /* an applied entry of the log decides: no attempt will ever be executed */
	ATTEMPT_UNKNOWN,
	ATTEMPT_UNAVAILABLE, /* this call was not passed on; says nothing about earlier ones */
	ATTEMPT_BUSY         /* the same, and the cause is momentary */
};

enum outcome { OUTCOME_OPEN, OUTCOME_DONE, OUTCOME_REFUSED, OUTCOME_UNKNOWN, OUTCOME_UNAVAILABLE };

enum request_kind {
	REQUEST_WRITE, /* numbered by us: a repeat is executed at most once (rule 11), and nobody else uses the number */
	REQUEST_KEPT,  /* the same, but the number is to be used again (a line of a file): not made void by itself */
	REQUEST_AGAIN, /* a write whose number was given to us: it may have been sent before, and others may still repeat it */
	REQUEST_VOID,  /* makes a number nothing, as asked for: may be repeated like a write */
	REQUEST_READ,  /* changes nothing: a lost one is simply repeated, and is never unknown */
	REQUEST_ONCE   /* changes state and has no number (switchover): never repeated once it may have left */
};

struct request_track {
	enum request_kind kind;
	bool patient;           /* "unavailable" is repeated, too, until the caller gives up */
	bool may_have_happened; /* in doubt: an earlier attempt may have been executed, or may still be */
	bool voids;             /* the next attempt is a VOID of the number instead of the request */
	bool executed;          /* a VOID was refused because the request was executed */
	bool decided;           /* the log decided the outcome: no later answer will differ */
	enum outcome outcome;
};

struct request_track outcome_begin(enum request_kind kind, bool patient);

/* Records how one attempt ended. True: there is another one, with the same number: the same request, or a VOID
 * (track->voids). False: track->outcome is final, and this must not be called again. */
bool outcome_attempt(struct request_track *track, enum attempt attempt);

/* The deadline has passed: the request ends as unknown or unavailable, which is returned. */
enum outcome outcome_give_up(struct request_track *track);

/* "done", "refused", "unknown", "unavailable". */
const char *outcome_name(enum outcome outcome);

/* The process's exit status for a final outcome: 0, 3, 5, 4. */
int outcome_exit_status(enum outcome outcome);
