/* Purpose: percentiles are within 1 % of the exact ones at every magnitude, and the maximum is exact, because bench's
 * numbers are compared with those of other systems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/histogram.h"

static void *new_histogram(void)
{
	void *histogram = calloc(1, sizeof(struct histogram));

	assert_non_null(histogram);
	return histogram;
}

static void assert_close(uint64_t got, uint64_t exact)
{
	uint64_t off = got > exact ? got - exact : exact - got;

	if (off * 100 > exact)
		fail_msg("%llu is not within 1 %% of %llu", (unsigned long long)got, (unsigned long long)exact);
}

static void test_every_value_is_read_back_within_one_percent(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < 1ull << HISTOGRAM_MAX_BITS; value += 1 + value / 97) {
		struct histogram *histogram = new_histogram();

		histogram_record(histogram, value);
		histogram_record(histogram, UINT64_MAX); /* so that max does not correct the answer */
		assert_close(histogram_at(histogram, 500), value);
		if (value < 256)
			assert_int_equal(histogram_at(histogram, 500), value);
		free(histogram);
	}
}

static void test_ranks(void **state)
{
	struct histogram *histogram = new_histogram();

	(void)state;
	for (uint64_t value = 1; value <= 100000; value++)
		histogram_record(histogram, value);
	assert_close(histogram_at(histogram, 500), 50000);
	assert_close(histogram_at(histogram, 990), 99000);
	assert_close(histogram_at(histogram, 999), 99900);
	assert_int_equal(histogram_at(histogram, 1000), 100000);
	assert_int_equal(histogram_at(histogram, 0), 1);
	assert_int_equal(histogram->max, 100000);
	free(histogram);
}

static void test_few_values(void **state)
{
	struct histogram *histogram = new_histogram();

	(void)state;
	assert_int_equal(histogram_at(histogram, 990), 0);
	histogram_record(histogram, 10);
	histogram_record(histogram, 20);
	histogram_record(histogram, 30);
	assert_int_equal(histogram_at(histogram, 500), 20);
	assert_int_equal(histogram_at(histogram, 999), 30);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_is_read_back_within_one_percent),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_few_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
