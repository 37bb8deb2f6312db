/* An order's time never falls, whatever the wall clock does (rule 16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/order_time.h"

/* Rule 16: a clock that is set back an hour, and then further, changes no order of times; one that runs on is taken. */
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
		time_us = order_time_after(time_us, clocks_us[i]);
		assert_int_equal(time_us, times_us[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jumps_of_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
