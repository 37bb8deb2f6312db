/* Purpose: text shows local times, with the offset that holds at that time, whatever the zone, the season and the
 * century; and UTC times from front-end and replicas are shown the same way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/local_time.h"

/* The rules are in TZ itself: a machine need not have the zone's file. */
#define LONDON "GMT0BST,M3.5.0/1,M10.5.0"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define KATHMANDU "<+0545>-5:45"
#define MARQUESAS "<-0930>9:30"

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void shows(const char *tz, int64_t time_us, const char *expected)
{
	char out[LOCAL_TIME_SIZE];

	zone(tz);
	assert_string_equal(local_time(time_us, out), expected);
}

static void test_zones_and_seasons(void **state)
{
	(void)state;
	shows("UTC0", INT64_C(1795239148000001), "2026-11-21 05:32:28+00:00");
	shows("no such zone", INT64_C(1795239148000000), "2026-11-21 05:32:28+00:00");
	shows(LONDON, INT64_C(1795239148000000), "2026-11-21 05:32:28+00:00");
	shows(LONDON, INT64_C(1782864000000000), "2026-07-01 01:00:00+01:00");
	shows(KATHMANDU, INT64_C(1795239148000000), "2026-11-21 11:17:28+05:45");
	shows(MARQUESAS, INT64_C(1795239148000000), "2026-11-20 20:02:28-09:30");
	shows("<-0030>0:30", INT64_C(1795239148000000), "2026-11-21 05:02:28-00:30");
}

/* The hour that occurs twice is distinguished only by the offset. */
static void test_the_clock_is_put_back(void **state)
{
	(void)state;
	shows(NEW_YORK, INT64_C(1793509200000000), "2026-11-01 01:00:00-04:00");
	shows(NEW_YORK, INT64_C(1793512800000000), "2026-11-01 01:00:00-05:00");
	shows(LONDON, INT64_C(1774745999999999), "2026-03-29 00:59:59+00:00");
	shows(LONDON, INT64_C(1774746000000000), "2026-03-29 02:00:00+01:00");
}

static void test_far_off_clocks(void **state)
{
	(void)state;
	shows(KATHMANDU, INT64_C(2147483648000000), "2038-01-19 08:59:08+05:45");
	shows("UTC0", -1, "1969-12-31 23:59:59+00:00");
	shows(MARQUESAS, 1, "1969-12-31 14:30:00-09:30");
	shows("UTC0", INT64_C(253402300799999999), "9999-12-31 23:59:59+00:00");
	shows(KATHMANDU, INT64_C(253402300799999999), "10000-01-01 05:44:59+05:45");
	shows("UTC0", INT64_MAX, "294247-01-10 04:00:54+00:00");
	shows("UTC0", INT64_MIN, "-290308-12-21 19:59:05+00:00");
	shows("LMT0:01:15", INT64_C(-4000000000000000), "1843-03-31 16:52:05-00:01:15");
}

static void rewrites(const char *text, const char *expected)
{
	char *out = local_time_rewrite(text);

	assert_string_equal(out, expected);
	free(out);
}

static void test_what_others_say_in_utc(void **state)
{
	(void)state;
	zone(KATHMANDU);
	rewrites("", "");
	rewrites("degraded: 1 of 3 copies, replica 2 lost since 2026-11-21T05:32:28Z, replica 3 lost since "
		 "2026-11-21T23:59:59Z",
		 "degraded: 1 of 3 copies, replica 2 lost since 2026-11-21 11:17:28+05:45, replica 3 lost since "
		 "2026-11-22 05:44:59+05:45");
	rewrites("10000-01-01T00:00:00Z", "10000-01-01 05:45:00+05:45");
	rewrites("since -290308-12-21T19:59:05Z!", "since -290308-12-22 01:44:05+05:45!");
	rewrites("(1970-01-01T00:00:01Z)", "(1970-01-01 05:45:01+05:45)");
}

static void test_what_is_no_time_stays(void **state)
{
	static const char *const none[] = {
		"2026-11-21", "2026-11-21T05:32:28", "2026-11-21T05:32Z", "x2026-11-21T05:32:28Z", "2026-11-21T 5:32:28Z",
		"20261121T053228Z", "set-aside/20261121T053228Z-journal", "127.0.0.1:40001", "\xe5\xaf\xbf\xe5\x8f\xb8",
	};

	(void)state;
	zone(KATHMANDU);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		rewrites(none[i], none[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones_and_seasons),
		cmocka_unit_test(test_the_clock_is_put_back),
		cmocka_unit_test(test_far_off_clocks),
		cmocka_unit_test(test_what_others_say_in_utc),
		cmocka_unit_test(test_what_is_no_time_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
