#include "server/shop/postcode_check.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/shop/postcode_breaker.h"
#include "server/shop/postcode_cache.h"
#include "server/shop/postcode_provider.h"
#include "server/shop/postcode_question.h"
#include "server/shop/postcode_reach.h"

#define DEADLINE_MS_DEFAULT 1000
/* The first provider's share of the deadline, provided that a second one can be asked. */
#define FIRST_PERCENT 60

struct waiter {
	void (*answered)(void *context, enum postcode_verdict verdict);
	void *context;
	struct waiter *next;
};

/* One postcode being looked up, at one provider after the other. */
struct check {
	struct postcode_checker *checker;
	char postcode[POSTCODE_SIZE];
	uint64_t deadline_ms;
	struct event *timer;         /* the end of the current provider's share */
	struct postcode_question *question; /* NULL while no provider is being asked */
	enum postcode_provider provider;
	uint32_t probe;
	bool moving_on; /* its provider was found dead by another check: do not wait for it */
	bool unreachable; /* a provider was skipped or failed */
	bool probes_only; /* both providers were dead, and this check only tests whether they still are */
	struct waiter *first;
	struct waiter **last;
	UT_hash_handle hh;
};

struct postcode_checker {
	struct event_base *base;
	enum postcode_mode mode;
	uint32_t deadline_ms;
	char bases[POSTCODE_PROVIDERS][POSTCODE_BASE_BYTES];
	char proxy[POSTCODE_PROXY_BYTES];          /* empty: none */
	bool on_this_host[POSTCODE_PROVIDERS];
	struct postcode_breaker breakers[POSTCODE_PROVIDERS];
	struct postcode_trouble troubles[POSTCODE_PROVIDERS];
	struct postcode_cache *cache;
	struct postcode_fetcher *fetcher;
	struct check *checks; /* by postcode */
	uint32_t waiters_count;
	uint32_t answering; /* call-backs on the stack */
	bool asked; /* any question was asked */
};

struct postcode_options postcode_options_default(void)
{
	return (struct postcode_options){
		.mode = POSTCODE_AUTO,
		.postcodes_io = "https://api.postcodes.io",
		.getthedata = "https://api.getthedata.com",
		.deadline_ms = DEADLINE_MS_DEFAULT,
	};
}

struct postcode_checker *postcode_checker_new(struct event_base *base, const struct postcode_options *options,
					      char *error, unsigned long error_size)
{
	struct postcode_checker *checker = calloc(1, sizeof(*checker));

	must_allocate(checker);
	must(options->deadline_ms > 0);
	checker->base = base;
	checker->mode = options->mode;
	checker->deadline_ms = options->deadline_ms;
	if (!postcode_provider_base("--postcodes-io", options->postcodes_io, checker->bases[POSTCODES_IO], error,
				    error_size) ||
	    !postcode_provider_base("--getthedata", options->getthedata, checker->bases[GETTHEDATA], error,
				    error_size) ||
	    (options->proxy && !postcode_reach_proxy(options->proxy, checker->proxy, error, error_size))) {
		free(checker);
		return NULL;
	}
	for (unsigned provider = 0; provider < POSTCODE_PROVIDERS; provider++)
		checker->on_this_host[provider] = postcode_reach_is_loopback(checker->bases[provider]);
	if (checker->mode != POSTCODE_GRAMMAR) {
		checker->cache = postcode_cache_new(LIMIT_POSTCODE_CACHE);
		checker->fetcher = postcode_fetcher_new(base, POSTCODE_ANSWER_BYTES);
	}
	return checker;
}

void postcode_checker_announce(const struct postcode_checker *checker)
{
	const char *bases[POSTCODE_PROVIDERS];

	if (checker->mode == POSTCODE_GRAMMAR) {
		log_info("postcode", "postcodes are not sent anywhere: --postcode-check grammar");
		return;
	}
	for (unsigned provider = 0; provider < POSTCODE_PROVIDERS; provider++)
		bases[provider] = checker->bases[provider];
	postcode_reach_announce(bases, POSTCODE_PROVIDERS, checker->proxy);
}

/* Removes the check without answering its waiters: the caller takes them over or drops them. */
static struct waiter *check_free(struct check *check)
{
	struct waiter *waiters = check->first;

	HASH_DEL(check->checker->checks, check);
	if (check->question)
		postcode_question_cancel(check->question);
	event_free(check->timer);
	free(check);
	return waiters;
}

void postcode_checker_free(struct postcode_checker *checker)
{
	if (!checker)
		return;
	must(checker->answering == 0);
	while (checker->checks) {
		struct waiter *waiter = check_free(checker->checks);
		while (waiter) {
			struct waiter *next = waiter->next;
			free(waiter);
			waiter = next;
		}
	}
	postcode_fetcher_free(checker->fetcher);
	postcode_cache_free(checker->cache);
	free(checker);
}

static enum postcode_verdict verdict_unasked(const struct postcode_checker *checker)
{
	return checker->mode == POSTCODE_STRICT ? POSTCODE_UNREACHABLE : POSTCODE_FORMAT_ONLY;
}

/* No provider is left, and none has said yes or no. */
static enum postcode_verdict verdict_unknown(const struct check *check)
{
	enum postcode_verdict verdict = verdict_unasked(check->checker);

	return verdict == POSTCODE_UNREACHABLE && !check->unreachable ? POSTCODE_UNCONFIRMED : verdict;
}

/* The check is freed before its waiters are answered, because they may ask for the same postcode again. */
static void finish(struct check *check, enum postcode_verdict verdict)
{
	struct postcode_checker *checker = check->checker;
	struct waiter *waiter = check_free(check);

	checker->answering++;
	while (waiter) {
		struct waiter *next = waiter->next;
		waiter->answered(waiter->context, verdict);
		free(waiter);
		checker->waiters_count--;
		waiter = next;
	}
	checker->answering--;
}

/* Other checks waiting for a provider that has just been found dead would each wait as long as the first one did. Each
 * moves on in a call-back of its own, so that no list changes while it is being walked. */
static void move_others_on(struct postcode_checker *checker, enum postcode_provider provider)
{
	for (struct check *check = checker->checks; check; check = check->hh.next) {
		if (!check->question || check->provider != provider || check->moving_on)
			continue;
		check->moving_on = true;
		event_active(check->timer, EV_TIMEOUT, 0);
	}
}

static void provider_failed(struct check *check, enum postcode_failure failure, enum postcode_fault fault, long status,
			    const char *why)
{
	struct postcode_checker *checker = check->checker;

	check->unreachable = true;
	if (postcode_trouble_is_news(&checker->troubles[check->provider], rpc_clock_ms(), fault, status))
		log_warn("postcode", "provider unreachable provider=%s reason=%s url=%s why=\"%s\"",
			 postcode_provider_name(check->provider), postcode_fault_name(fault),
			 checker->bases[check->provider], why);
	if (postcode_breaker_failed(&checker->breakers[check->provider], rpc_clock_ms(), check->probe, failure))
		move_others_on(checker, check->provider);
}

static void provider_succeeded(struct check *check)
{
	postcode_breaker_succeeded(&check->checker->breakers[check->provider]);
	if (postcode_trouble_is_over(&check->checker->troubles[check->provider]))
		log_info("postcode", "provider answers again provider=%s", postcode_provider_name(check->provider));
}

/* It answered, but the answer decides nothing. */
static void provider_answered_badly(struct check *check, const struct postcode_fetched *fetched, const char *why)
{
	enum postcode_fault fault = fetched->fault;
	char status[64];

	if (fault == POSTCODE_FAULT_NONE)
		fault = postcode_provider_status_answers(fetched->status) ? POSTCODE_FAULT_ANSWER : POSTCODE_FAULT_STATUS;
	if (fault == POSTCODE_FAULT_STATUS) {
		snprintf(status, sizeof status, "HTTP %ld", fetched->status);
		why = status;
	} else if (fault != POSTCODE_FAULT_ANSWER || fetched->why[0]) {
		why = fetched->why;
	}
	provider_failed(check, POSTCODE_FAILURE_FAST, fault, fetched->status, why);
}

static void on_fetched(void *context, const struct postcode_fetched *fetched);

/* How long the current provider may take. */
static uint64_t share_ms_of(const struct check *check, uint64_t now)
{
	const struct postcode_checker *checker = check->checker;
	uint64_t left_ms = check->deadline_ms > now ? check->deadline_ms - now : 0;

	if (check->provider == POSTCODES_IO && postcode_breaker_would_allow(&checker->breakers[GETTHEDATA], now))
		left_ms = left_ms * FIRST_PERCENT / 100;
	return left_ms;
}

/* Asks the next provider, from this one on, that may be asked. False: none is left, or no time. */
static bool ask_from(struct check *check, unsigned from)
{
	struct postcode_checker *checker = check->checker;
	uint64_t now = rpc_clock_ms();

	must(!check->question);
	if (now >= check->deadline_ms) {
		check->unreachable |= from < POSTCODE_PROVIDERS;
		return false;
	}
	for (unsigned provider = from; provider < POSTCODE_PROVIDERS; provider++) {
		if (!postcode_breaker_ask(&checker->breakers[provider], now, &check->probe)) {
			check->unreachable = true;
			continue;
		}
		char url[POSTCODE_URL_BYTES];
		postcode_provider_url(provider, checker->bases[provider], check->postcode, url);
		checker->asked = true;
		check->provider = provider;
		check->moving_on = false;
		uint64_t share_ms = share_ms_of(check, now);
		struct timeval share = {.tv_sec = (time_t)(share_ms / 1000),
					.tv_usec = (suseconds_t)(share_ms % 1000 * 1000)};
		event_add(check->timer, &share);
		const char *proxy = checker->proxy[0] && !checker->on_this_host[provider] ? checker->proxy : NULL;
		check->question = postcode_question_ask(checker->fetcher, url, proxy, POSTCODE_PATIENCE_MS, on_fetched, check);
		return true;
	}
	return false;
}

static void ask_next(struct check *check)
{
	event_del(check->timer);
	if (!ask_from(check, check->provider + 1u))
		finish(check, verdict_unknown(check));
}

static void on_fetched(void *context, const struct postcode_fetched *fetched)
{
	struct check *check = context;
	const char *why;
	enum postcode_answer answer = postcode_provider_answer(check->provider, check->postcode, fetched->status,
							       fetched->body, fetched->body_size, &why);

	check->question = NULL;
	if (answer == POSTCODE_ANSWER_FAILED)
		provider_answered_badly(check, fetched, why);
	else
		provider_succeeded(check);
	if (answer == POSTCODE_ANSWER_FAILED || answer == POSTCODE_ANSWER_UNKNOWN) {
		ask_next(check);
		return;
	}
	bool exists = answer == POSTCODE_ANSWER_EXISTS;
	postcode_cache_put(check->checker->cache, check->postcode, rpc_clock_ms(), exists);
	finish(check, exists ? POSTCODE_EXISTS : POSTCODE_INVALID);
}

static void on_share_over(evutil_socket_t nothing, short what, void *context)
{
	struct check *check = context;

	(void)nothing;
	(void)what;
	must(check->question);
	const char *stage = postcode_question_stage(check->question);
	postcode_question_cancel(check->question);
	check->question = NULL;
	check->unreachable = true;
	if (check->moving_on)
		postcode_breaker_dropped(&check->checker->breakers[check->provider], rpc_clock_ms(), check->probe);
	else
		provider_failed(check, POSTCODE_FAILURE_SLOW, POSTCODE_FAULT_TIMEOUT, 0, stage);
	ask_next(check);
}

static void wait_for(struct check *check, void (*answered)(void *context, enum postcode_verdict verdict), void *context)
{
	struct waiter *waiter = malloc(sizeof(*waiter));

	must_allocate(waiter);
	*waiter = (struct waiter){.answered = answered, .context = context};
	*check->last = waiter;
	check->last = &waiter->next;
	check->checker->waiters_count++;
}

static struct check *check_new(struct postcode_checker *checker, const char *postcode)
{
	struct check *check = calloc(1, sizeof(*check));

	must_allocate(check);
	check->checker = checker;
	must(strlen(postcode) < sizeof check->postcode);
	snprintf(check->postcode, sizeof check->postcode, "%s", postcode);
	check->deadline_ms = rpc_clock_ms() + checker->deadline_ms;
	check->last = &check->first;
	check->timer = evtimer_new(checker->base, on_share_over, check);
	must_allocate(check->timer);
	HASH_ADD_STR(checker->checks, postcode, check);
	return check;
}

static bool known_at_once(struct postcode_checker *checker, const char *postcode, enum postcode_verdict *verdict)
{
	uint64_t now = rpc_clock_ms();
	bool exists;

	if (checker->mode == POSTCODE_GRAMMAR) {
		*verdict = POSTCODE_FORMAT_ONLY;
		return true;
	}
	if (!postcode_cache_find(checker->cache, postcode, now, &exists))
		return false;
	*verdict = exists ? POSTCODE_EXISTS : POSTCODE_INVALID;
	return true;
}

bool postcode_wonders(struct postcode_checker *checker, const char *normalised)
{
	enum postcode_verdict verdict;

	return !known_at_once(checker, normalised, &verdict);
}

void postcode_recall(struct postcode_checker *checker, const char *normalised, enum postcode_verdict verdict)
{
	if (!postcode_wonders(checker, normalised))
		return;
	if (verdict == POSTCODE_EXISTS)
		postcode_cache_put(checker->cache, normalised, rpc_clock_ms(), true);
	if (verdict != POSTCODE_FORMAT_ONLY || checker->asked || postcode_is_beyond_directories(normalised))
		return;
	checker->asked = true;
	for (unsigned provider = 0; provider < POSTCODE_PROVIDERS; provider++)
		postcode_breaker_failed(&checker->breakers[provider], rpc_clock_ms(), 0, POSTCODE_FAILURE_SLOW);
}

/* Whether a check could only probe providers that were dead. */
static bool only_probes(const struct postcode_checker *checker)
{
	for (unsigned provider = 0; provider < POSTCODE_PROVIDERS; provider++) {
		if (checker->breakers[provider].state == POSTCODE_BREAKER_CLOSED)
			return false;
	}
	return true;
}

bool postcode_check(struct postcode_checker *checker, const char *normalised, enum postcode_verdict *verdict,
		    void (*answered)(void *context, enum postcode_verdict verdict), void *context)
{
	struct check *check;

	must(strlen(normalised) < POSTCODE_SIZE);
	if (known_at_once(checker, normalised, verdict))
		return true;
	HASH_FIND_STR(checker->checks, normalised, check);
	if (checker->waiters_count == LIMIT_POSTCODE_WAITERS ||
	    (!check && HASH_COUNT(checker->checks) == LIMIT_POSTCODE_CHECKS)) {
		*verdict = POSTCODE_BUSY;
		return true;
	}
	if (!check) {
		check = check_new(checker, normalised);
		if (!ask_from(check, 0)) {
			check_free(check);
			*verdict = verdict_unasked(checker);
			return true;
		}
		check->probes_only = checker->mode == POSTCODE_AUTO && only_probes(checker);
	}
	if (check->probes_only) {
		*verdict = POSTCODE_FORMAT_ONLY;
		return true;
	}
	wait_for(check, answered, context);
	return false;
}
