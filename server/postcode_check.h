/* Does this postcode exist? Asks postcodes.io, then getthedata.com, through libcurl's multi interface on the event loop,
 * and remembers the answers. Never blocks the loop (name servers that never answer included), never follows a redirect.
 * It refuses to decide what an order is worth: it only says what is known of a postcode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/postcode.h"

struct event_base;
struct postcode_checker;

enum postcode_mode { POSTCODE_AUTO, POSTCODE_STRICT, POSTCODE_GRAMMAR };

enum postcode_verdict {
	POSTCODE_EXISTS,       /* a provider knows it */
	POSTCODE_FORMAT_ONLY,  /* the grammar accepts it and nobody could be asked (auto), or nobody was (grammar) */
	POSTCODE_INVALID,      /* a provider says there is no such postcode */
	POSTCODE_UNREACHABLE,  /* strict: no provider could be asked */
	POSTCODE_BUSY          /* too many checks are under way (bounded) */
};

struct postcode_options {
	enum postcode_mode mode;
	const char *postcodes_io;   /* base URL, "https://api.postcodes.io" */
	const char *getthedata;     /* base URL, "https://api.getthedata.com" */
	uint32_t deadline_ms;       /* for one check, both providers together; default 1000 */
};

struct postcode_options postcode_options_default(void);

/* NULL with one line in error for a bad URL. */
struct postcode_checker *postcode_checker_new(struct event_base *base, const struct postcode_options *options, char *error,
					      unsigned long error_size);
/* Checks under way are forgotten without a call-back. Never blocks; not to be called from within `answered`. NULL is fine. */
void postcode_checker_free(struct postcode_checker *checker);

/* Answers at once, true with *verdict, when it is known without asking: cached, or mode grammar, or the breakers of both
 * providers are open. Otherwise false, and `answered` is called later from the loop, exactly once, at most deadline_ms from
 * now. normalised: from postcode_normalise. Concurrent checks of one postcode share one question. */
bool postcode_check(struct postcode_checker *checker, const char *normalised, enum postcode_verdict *verdict,
		    void (*answered)(void *context, enum postcode_verdict verdict), void *context);
