/* For tests of postcode checks: both providers, simulated by tests/integration/postcode_provider, whose head describes
 * what each base URL answers; and orders that ask. */
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
	struct event *pulse; /* an event every few milliseconds, so that no iteration of the loop lasts */
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
/* Questions to both providers so far. */
void count_questions(unsigned long *postcodes_io, unsigned long *getthedata);

unsigned long questions(void); /* of both together */

/* The true clock, whatever the test has made of it: guards against waiting forever. */
int64_t true_us(void);
/* Run the loop until all have their answer; until so many questions were received; and for a while, so that an
 * unwanted event would have had its time. The pulse ends each iteration. */
void wait_for(const struct outcome *outcomes, size_t size);
void until_heard(unsigned long count);
void linger(unsigned ms);

/* The paths are base URLs of the provider's; fails the test when no such checker can be made. */
struct postcode_checker *checker_with(enum postcode_mode mode, const char *postcodes_io, const char *getthedata);
/* The same with a deadline of the test's own, for tests that a slow machine must not end. */
struct postcode_checker *checker_within(uint32_t deadline_ms, enum postcode_mode mode, const char *postcodes_io,
					const char *getthedata);
/* outcome: filled now or when the answer arrives, by order_answered. */
void order_asks(struct postcode_checker *checker, const char *postcode, struct outcome *outcome);
/* context: the struct outcome. */
void order_answered(void *context, enum postcode_verdict verdict);
/* What the order is told; once. */
enum postcode_verdict verdict_of(struct postcode_checker *checker, const char *postcode);
/* Fails the test when there is no such checker. */
struct postcode_checker *checker_of(const struct postcode_options *options);
