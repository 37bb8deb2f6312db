/* Validates postcodes. Asks postcodes.io, then getthedata.com, which can confirm but never refuse, through libcurl's
 * multi interface on the event loop, and caches the answers. Never blocks the loop (not even with name servers that
 * never answer), never follows a redirect. It only reports what is known about a postcode; what follows for an order
 * is the caller's decision. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/postcode.h"

struct event_base;
struct postcode_checker;

enum postcode_mode { POSTCODE_AUTO, POSTCODE_STRICT, POSTCODE_GRAMMAR };

enum postcode_verdict {
	POSTCODE_EXISTS,       /* a provider knows it */
	POSTCODE_FORMAT_ONLY,  /* the grammar accepts it and no provider could say more (auto) or was asked (grammar) */
	POSTCODE_INVALID,      /* postcodes.io says that there is no such postcode */
	POSTCODE_UNREACHABLE,  /* strict: a provider that might know could not be asked */
	POSTCODE_UNCONFIRMED,  /* strict: all were asked, and none has complete data for this area */
	POSTCODE_BUSY          /* too many checks are under way (bounded) */
};

struct postcode_options {
	enum postcode_mode mode;
	const char *postcodes_io;   /* base URL, "https://api.postcodes.io" */
	const char *getthedata;     /* base URL, "https://api.getthedata.com" */
	const char *proxy;          /* URL; NULL: none, whatever the environment says */
	uint32_t deadline_ms;       /* for one check, both providers together; default 1000 */
};

struct postcode_options postcode_options_default(void);

/* How long a kept connection may be silent before the question is repeated on a new one. */
#define POSTCODE_PATIENCE_MS 250u

/* NULL with one line in error for a bad URL. */
struct postcode_checker *postcode_checker_new(struct event_base *base, const struct postcode_options *options,
					      char *error, unsigned long error_size);
/* Logs where postcodes are sent, how, and what is missing for it. */
void postcode_checker_announce(const struct postcode_checker *checker);
/* Checks under way are dropped without a call-back. Never blocks; not to be called from within `answered`. NULL is
 * fine. */
void postcode_checker_free(struct postcode_checker *checker);

/* Whether a check of this postcode cannot be answered from the cache: cheap to ask before postcode_recall. */
bool postcode_wonders(struct postcode_checker *checker, const char *normalised);

/* What an earlier order to this postcode, made by this process or another, says about it; the caller passes it when it
 * is recent. EXISTS is cached. FORMAT_ONLY, before this process has asked anything itself and for a postcode that
 * postcodes.io would know, means that no provider could be asked a moment ago: the checker then starts as if it had
 * found both providers dead, so that after a change of the primary no order repeats the last primary's wait. Others
 * are ignored. */
void postcode_recall(struct postcode_checker *checker, const char *normalised, enum postcode_verdict verdict);

/* Answers at once, true with *verdict, when the answer is known without asking: cached, or mode grammar, or the
 * breakers of both providers are open (with auto also while they are being probed: no order waits for that). Otherwise
 * false, and `answered` is called later from the loop, exactly once, at most deadline_ms from now. normalised: from
 * postcode_normalise. Concurrent checks of one postcode share one question. */
bool postcode_check(struct postcode_checker *checker, const char *normalised, enum postcode_verdict *verdict,
		    void (*answered)(void *context, enum postcode_verdict verdict), void *context);
