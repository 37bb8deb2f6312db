/* An order's time never falls, whatever the wall clock does (rule 16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/shop/order_time.h"

/* Rule 16: a clock that is set back an hour, and then further, changes no order of times; a normal one is used. */
static void jumps_of_the_clock(void **state)
{
	static const int64_t hour_us = INT64_C(3600) * 1000000;
	const int64_t clocks_us[] = {10 * hour_us, 10 * hour_us + 5, 9 * hour_us, 0,
				     10 * hour_us + 6, 30 * hour_us, 11 * hour_us};
	const int64_t times_us[] = {10 * hour_us,     10 * hour_us + 5, 10 * hour_us + 5, 10 * hour_us + 5,
				    10 * hour_us + 6, 30 * hour_us,     30 * hour_us};
	int64_t time_us = 0;

	(void)state;
	for (size_t i = 0; i < sizeof clocks_us / sizeof *clocks_us; i++) {
		time_us = order_time_after(time_us, clocks_us[i], NULL);
		assert_int_equal(time_us, times_us[i]);
	}
}

/* Rule 16: a clock that is 70 years ahead dates orders a minute later than the others' latest, no more; a right one is
 * not held back by one that is behind; and no sum overflows. */
static void bounded_by_the_others(void **state)
{
	static const int64_t s_us = INT64_C(1000000), year_us = INT64_C(365) * 86400 * 1000000;
	const int64_t now_us = 56 * year_us, right_us = now_us + 5 * s_us, behind_us = now_us - 30 * s_us;
	const int64_t most_us = INT64_MAX, least_us = INT64_MIN;

	(void)state;
	assert_int_equal(order_time_after(now_us, now_us + 70 * year_us, &right_us), right_us + 60 * s_us);
	assert_int_equal(order_time_after(now_us, now_us + 10 * s_us, &behind_us), now_us + 10 * s_us);
	assert_int_equal(order_time_after(now_us + 70 * year_us, right_us, NULL), now_us + 70 * year_us);
	assert_int_equal(order_time_after(now_us, now_us - 70 * year_us, &right_us), now_us);
	assert_int_equal(order_time_after(now_us, now_us + s_us, &most_us), now_us + s_us);
	assert_int_equal(order_time_after(now_us, most_us, &least_us), now_us);
	assert_int_equal(order_time_not_before(least_us), least_us);
	assert_int_equal(order_time_latest(most_us), most_us);
	assert_int_equal(order_time_not_before(now_us), now_us - 120 * s_us);
	assert_true(order_time_not_before(order_time_after(now_us, most_us, &right_us)) < right_us - 30 * s_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jumps_of_the_clock),
		cmocka_unit_test(bounded_by_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
