/* For tests of postcode checks: both providers, played by tests/integration/postcode_provider, whose head says what
 * each base URL makes of a question; and orders that ask. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rpc/base/clock.h"
#include "server/shop/postcode_check.h"

#define DEADLINE_MS 800u
#define GUARD_S 60 /* a test that waits this long has hung */

struct provider {
	pid_t pid;
	int input;
	int port;
	struct event_base *base;
	int beat;
	struct event *pulse; /* something happens every few milliseconds, so that no turn of the loop lasts */
};
extern struct provider provider;

struct outcome {
	int answers_count;
	bool at_once;
	enum postcode_verdict verdict;
	int64_t at_us;
};

static inline int64_t now_us(void)
{
	return (int64_t)rpc_clock_us();
}

/* Set-up and tear-down of a group of tests: fills `provider`. */
int start_provider(void **state);
int stop_provider(void **state);
/* Questions that both providers have been asked so far. */
void count_questions(unsigned long *postcodes_io, unsigned long *getthedata);

unsigned long questions(void); /* of both together */

/* The true clock, whatever the test has made of it: the guard against waiting for ever. */
int64_t true_us(void);
/* Run the loop until all have their answer; until so many questions were heard; and for a while, so that what should not
 * come has had its time to come. The pulse ends each turn. */
void wait_for(const struct outcome *outcomes, size_t size);
void until_heard(unsigned long count);
void linger(unsigned ms);

/* The paths are base URLs of the provider's; fails the test when there is no such checker. */
struct postcode_checker *checker_with(enum postcode_mode mode, const char *postcodes_io, const char *getthedata);
/* The same with a deadline of the test's own, for what no slowness of the machine's may end. */
struct postcode_checker *checker_within(uint32_t deadline_ms, enum postcode_mode mode, const char *postcodes_io,
					const char *getthedata);
/* outcome: filled now or when the answer comes, by order_answered. */
void order_asks(struct postcode_checker *checker, const char *postcode, struct outcome *outcome);
/* context: the struct outcome. */
void order_answered(void *context, enum postcode_verdict verdict);
/* What the order is told; once. */
enum postcode_verdict verdict_of(struct postcode_checker *checker, const char *postcode);
/* Fails the test when there is no such checker. */
struct postcode_checker *checker_of(const struct postcode_options *options);
