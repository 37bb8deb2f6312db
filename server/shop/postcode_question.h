/* One question to one provider. A connection that was kept from an earlier question may have died without a word (a
 * router forgot it, the host slept): when such a one is silent for a while, or breaks, the question is asked once more on
 * a fresh connection, and only what becomes of that is the provider's doing. No deadline of its own: who asks cancels. */
#pragma once

#include <stdint.h>

#include "server/shop/postcode_fetch.h"

struct postcode_question;

/* done is called once, from the loop, never from within this call; the question is gone when it is called. proxy:
 * NULL: none. patience_ms: how long a kept connection may be silent before a fresh one is tried beside it; whichever
 * answers first counts. */
struct postcode_question *postcode_question_ask(struct postcode_fetcher *fetcher, const char *url, const char *proxy,
						uint32_t patience_ms,
						void (*done)(void *context, const struct postcode_fetched *fetched),
						void *context);
void postcode_question_cancel(struct postcode_question *question);

/* How far it has come: "the name is being resolved", ... kept for ever. */
const char *postcode_question_stage(const struct postcode_question *question);
