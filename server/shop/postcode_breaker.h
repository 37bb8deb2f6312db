/* A circuit breaker for one provider: after it has failed, orders stop waiting for it. One order waits one deadline for
 * a dead provider, the next ones do not ask it, and from time to time a single one may try again. Pure: the caller
 * passes the time and asks the questions.
 *
 *               a timeout, or 3 failures in a row
 *     CLOSED ----------------------------------------> OPEN  no questions for 5 s, doubled by each failed probe up
 *        ^                                             |  ^  to 60 s
 *        |  success                        pause over  |  |  the probe failed
 *        +--------------------- PROBING <--------------+  |
 *                                  +----------------------+
 *                               one question at a time
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define POSTCODE_BREAKER_FAILURES 3u
#define POSTCODE_BREAKER_PAUSE_MS 5000u
#define POSTCODE_BREAKER_PAUSE_MAX_MS 60000u

enum postcode_breaker_state { POSTCODE_BREAKER_CLOSED, POSTCODE_BREAKER_OPEN, POSTCODE_BREAKER_PROBING };

enum postcode_failure {
	POSTCODE_FAILURE_FAST, /* refused, or an invalid answer: costs little, so a few in a row are tolerated */
	POSTCODE_FAILURE_SLOW  /* a deadline passed: one is enough, or every order would wait that long */
};

struct postcode_breaker {
	enum postcode_breaker_state state;
	uint32_t failures_count; /* in a row, while closed */
	uint32_t pause_ms;       /* of the current or last pause; 0: none since the last success */
	uint64_t retry_at_ms;    /* while open */
	uint32_t probe;          /* number of the last probe permitted; from 1 */
};

/* All zero: a closed breaker. */

/* Whether a question may be asked now; holds only for the moment and reserves nothing. */
bool postcode_breaker_would_allow(const struct postcode_breaker *breaker, uint64_t now_ms);

/* As above, and takes the probe when only that is permitted: *probe is then its number, else 0. Each permitted
 * question ends with exactly one of the three calls below, with the same probe. */
bool postcode_breaker_ask(struct postcode_breaker *breaker, uint64_t now_ms, uint32_t *probe);

/* Any success closes the breaker, even that of a question older than the failure: the provider works. True if it was
 * not closed before. */
bool postcode_breaker_succeeded(struct postcode_breaker *breaker);

/* True when this failure opened it. While it is not closed, only the failure of the current probe has any effect. */
bool postcode_breaker_failed(struct postcode_breaker *breaker, uint64_t now_ms, uint32_t probe,
			     enum postcode_failure failure);

/* The question was dropped before its result was known. If it was a probe, the next order may try. */
void postcode_breaker_dropped(struct postcode_breaker *breaker, uint64_t now_ms, uint32_t probe);
