/* The breaker: one order waits one deadline for a dead provider, which is then probed by one question at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/shop/postcode_breaker.h"

/* One deadline passed is enough: no other waits until the pause is over. */
static void test_one_slow_failure_opens(void **state)
{
	struct postcode_breaker breaker = {0};
	uint32_t probe;

	(void)state;
	assert_true(postcode_breaker_ask(&breaker, 100, &probe));
	assert_int_equal(probe, 0);
	assert_true(postcode_breaker_failed(&breaker, 1100, probe, POSTCODE_FAILURE_SLOW));
	assert_false(postcode_breaker_would_allow(&breaker, 1100));
	assert_false(postcode_breaker_ask(&breaker, 1100 + POSTCODE_BREAKER_PAUSE_MS - 1, &probe));
	assert_true(postcode_breaker_would_allow(&breaker, 1100 + POSTCODE_BREAKER_PAUSE_MS));
}

/* Fast failures are tolerated until some come in a row. */
static void test_fast_failures_in_a_row_open(void **state)
{
	struct postcode_breaker breaker = {0};

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 1; i < POSTCODE_BREAKER_FAILURES; i++)
			assert_false(postcode_breaker_failed(&breaker, 5, 0, POSTCODE_FAILURE_FAST));
		assert_true(postcode_breaker_would_allow(&breaker, 5));
		assert_false(postcode_breaker_succeeded(&breaker));
	}
	for (uint32_t i = 1; i < POSTCODE_BREAKER_FAILURES; i++)
		assert_false(postcode_breaker_failed(&breaker, 5, 0, POSTCODE_FAILURE_FAST));
	assert_true(postcode_breaker_failed(&breaker, 5, 0, POSTCODE_FAILURE_FAST));
	assert_false(postcode_breaker_would_allow(&breaker, 6));
}

/* After the pause exactly one question goes out; its failure doubles the pause, up to a limit; its success closes and
 * resets. */
static void test_one_probe_at_a_time_and_longer_pauses(void **state)
{
	static const uint32_t pauses_ms[] = {5000, 10000, 20000, 40000, 60000, 60000};
	struct postcode_breaker breaker = {0};
	uint64_t now_ms = 0;
	uint32_t probe = 0, other;

	(void)state;
	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		assert_true(postcode_breaker_failed(&breaker, now_ms, probe, POSTCODE_FAILURE_SLOW));
		assert_false(postcode_breaker_ask(&breaker, now_ms + pauses_ms[i] - 1, &other));
		now_ms += pauses_ms[i];
		assert_true(postcode_breaker_ask(&breaker, now_ms, &probe));
		assert_true(probe > 0);
		assert_false(postcode_breaker_ask(&breaker, now_ms + 1000000, &other));
	}
	assert_true(postcode_breaker_succeeded(&breaker));
	assert_true(postcode_breaker_ask(&breaker, now_ms, &probe));
	assert_int_equal(probe, 0);
	postcode_breaker_failed(&breaker, now_ms, probe, POSTCODE_FAILURE_SLOW);
	assert_true(postcode_breaker_would_allow(&breaker, now_ms + pauses_ms[0]));
}

/* A probe that fails fast is a failure like any other: no three tries for a provider known to be dead. */
static void test_a_probe_that_fails_fast_opens_again(void **state)
{
	struct postcode_breaker breaker = {0};
	uint32_t probe;

	(void)state;
	postcode_breaker_failed(&breaker, 0, 0, POSTCODE_FAILURE_SLOW);
	assert_true(postcode_breaker_ask(&breaker, 5000, &probe));
	assert_true(postcode_breaker_failed(&breaker, 5001, probe, POSTCODE_FAILURE_FAST));
	assert_false(postcode_breaker_would_allow(&breaker, 5001 + 9999));
}

/* A question older than the failure ends later: its failure neither prolongs the pause nor ends the probe, its success
 * closes. */
static void test_older_questions(void **state)
{
	struct postcode_breaker breaker = {0};
	uint32_t probe;

	(void)state;
	postcode_breaker_failed(&breaker, 0, 0, POSTCODE_FAILURE_SLOW);
	assert_false(postcode_breaker_failed(&breaker, 4000, 0, POSTCODE_FAILURE_SLOW));
	assert_true(postcode_breaker_ask(&breaker, 5000, &probe));
	assert_false(postcode_breaker_failed(&breaker, 5001, 0, POSTCODE_FAILURE_SLOW));
	assert_false(postcode_breaker_would_allow(&breaker, 100000));
	assert_true(postcode_breaker_succeeded(&breaker));
	/* The probe is still under way and is now an ordinary question. */
	assert_false(postcode_breaker_failed(&breaker, 5002, probe, POSTCODE_FAILURE_FAST));
	assert_true(postcode_breaker_would_allow(&breaker, 5002));
}

/* A dropped probe says nothing: the next order may try, and the pause does not grow. */
static void test_a_dropped_probe_is_given_back(void **state)
{
	struct postcode_breaker breaker = {0};
	uint32_t probe;

	(void)state;
	postcode_breaker_failed(&breaker, 0, 0, POSTCODE_FAILURE_SLOW);
	assert_true(postcode_breaker_ask(&breaker, 5000, &probe));
	postcode_breaker_dropped(&breaker, 5100, 0);
	assert_false(postcode_breaker_would_allow(&breaker, 5100));
	postcode_breaker_dropped(&breaker, 5100, probe);
	assert_true(postcode_breaker_ask(&breaker, 5100, &probe));
	assert_true(postcode_breaker_failed(&breaker, 5200, probe, POSTCODE_FAILURE_SLOW));
	assert_true(postcode_breaker_would_allow(&breaker, 5200 + 10000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_slow_failure_opens),
		cmocka_unit_test(test_fast_failures_in_a_row_open),
		cmocka_unit_test(test_one_probe_at_a_time_and_longer_pauses),
		cmocka_unit_test(test_a_probe_that_fails_fast_opens_again),
		cmocka_unit_test(test_older_questions),
		cmocka_unit_test(test_a_dropped_probe_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
