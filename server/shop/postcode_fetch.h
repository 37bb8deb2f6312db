/* HTTP GET on the event loop: libcurl's multi interface driven by libevent. It knows nothing of postcodes and has no
 * deadline of its own: the caller decides how long to wait, and cancels. Neither start, cancel nor free blocks, even
 * while a name server does not answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "server/shop/postcode_trouble.h"

struct event_base;
struct postcode_fetcher;
struct postcode_fetch;

struct postcode_fetched {
	long status;      /* HTTP's; 0: no complete answer, or a body over the limit */
	const char *body; /* valid until the call-back returns; not NUL-terminated */
	size_t body_size;
	enum postcode_fault fault; /* NONE: an answer came, whatever it says */
	const char *why;           /* text of a fault that fits a line, without quotes and controls */
	bool kept;                 /* it used a connection kept from an earlier fetch */
};

/* body_max: a longer body is invalid; the rest of it is not read. */
struct postcode_fetcher *postcode_fetcher_new(struct event_base *base, size_t body_max);
/* Fetches under way are dropped without a call-back. Not to be called from within `done`. */
void postcode_fetcher_free(struct postcode_fetcher *fetcher);
struct event_base *postcode_fetcher_base(const struct postcode_fetcher *fetcher);

/* done is called once, from the loop, never from within this call; the fetch is freed by then. proxy: NULL: none,
 * whatever the environment says. fresh: not on a kept connection. */
struct postcode_fetch *postcode_fetch_start(struct postcode_fetcher *fetcher, const char *url, const char *proxy,
					    bool fresh,
					    void (*done)(void *context, const struct postcode_fetched *fetched),
					    void *context);
void postcode_fetch_cancel(struct postcode_fetch *fetch);

/* Whether it has been sent over a kept connection. */
bool postcode_fetch_is_on_kept(const struct postcode_fetch *fetch);
/* "while its name is being resolved", ... a static text. */
const char *postcode_fetch_stage(const struct postcode_fetch *fetch);
