#include "server/shop/postcode_breaker.h"

#include <stddef.h>

#include "rpc/base/must.h"

bool postcode_breaker_would_allow(const struct postcode_breaker *breaker, uint64_t now_ms)
{
	switch (breaker->state) {
	case POSTCODE_BREAKER_CLOSED:
		return true;
	case POSTCODE_BREAKER_OPEN:
		return now_ms >= breaker->retry_at_ms;
	case POSTCODE_BREAKER_PROBING:
		return false;
	}
	must_not_reach("a breaker is in one of its states");
}

bool postcode_breaker_ask(struct postcode_breaker *breaker, uint64_t now_ms, uint32_t *probe)
{
	*probe = 0;
	if (!postcode_breaker_would_allow(breaker, now_ms))
		return false;
	if (breaker->state == POSTCODE_BREAKER_OPEN) {
		breaker->state = POSTCODE_BREAKER_PROBING;
		if (++breaker->probe == 0)
			breaker->probe = 1;
		*probe = breaker->probe;
	}
	return true;
}

bool postcode_breaker_succeeded(struct postcode_breaker *breaker)
{
	bool was_closed = breaker->state == POSTCODE_BREAKER_CLOSED;

	breaker->state = POSTCODE_BREAKER_CLOSED;
	breaker->failures_count = 0;
	breaker->pause_ms = 0;
	return !was_closed;
}

/* An older question may have closed the breaker while the probe was under way: the probe is then an ordinary
 * question. */
static bool is_the_probe(const struct postcode_breaker *breaker, uint32_t probe)
{
	return breaker->state == POSTCODE_BREAKER_PROBING && probe == breaker->probe;
}

static uint32_t longer(uint32_t pause_ms)
{
	if (pause_ms == 0)
		return POSTCODE_BREAKER_PAUSE_MS;
	return pause_ms >= POSTCODE_BREAKER_PAUSE_MAX_MS / 2 ? POSTCODE_BREAKER_PAUSE_MAX_MS : pause_ms * 2;
}

bool postcode_breaker_failed(struct postcode_breaker *breaker, uint64_t now_ms, uint32_t probe,
			     enum postcode_failure failure)
{
	if (breaker->state == POSTCODE_BREAKER_CLOSED) {
		breaker->failures_count++;
		if (failure == POSTCODE_FAILURE_FAST && breaker->failures_count < POSTCODE_BREAKER_FAILURES)
			return false;
	} else if (!is_the_probe(breaker, probe)) {
		return false;
	}
	breaker->state = POSTCODE_BREAKER_OPEN;
	breaker->failures_count = 0;
	breaker->pause_ms = longer(breaker->pause_ms);
	breaker->retry_at_ms = now_ms + breaker->pause_ms;
	must(breaker->pause_ms <= POSTCODE_BREAKER_PAUSE_MAX_MS);
	return true;
}

void postcode_breaker_dropped(struct postcode_breaker *breaker, uint64_t now_ms, uint32_t probe)
{
	if (!is_the_probe(breaker, probe))
		return;
	breaker->state = POSTCODE_BREAKER_OPEN;
	breaker->retry_at_ms = now_ms;
}
