/* One question to one provider. A connection that was kept from an earlier question may have died unnoticed (a router
 * forgot it, the host slept). When such a connection is silent for a while, or breaks, the question is repeated once
 * on a new connection, and only that result counts for or against the provider. No deadline of its own: the caller
 * cancels. */
#pragma once

#include <stdint.h>

#include "server/shop/postcode_fetch.h"

struct postcode_question;

/* done is called once, from the loop, never from within this call; the question is freed by then. proxy: NULL: none.
 * patience_ms: how long a kept connection may be silent before a new one is tried beside it; whichever answers first
 * counts. */
struct postcode_question *postcode_question_ask(struct postcode_fetcher *fetcher, const char *url, const char *proxy,
						uint32_t patience_ms,
						void (*done)(void *context, const struct postcode_fetched *fetched),
						void *context);
void postcode_question_cancel(struct postcode_question *question);

/* How far it has got: "the name is being resolved", ... a static text. */
const char *postcode_question_stage(const struct postcode_question *question);
