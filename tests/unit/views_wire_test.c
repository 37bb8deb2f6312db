/* The pure view manager includes no generated header, so it repeats two enums of the .x files: they must not drift
 * apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "frontend/views/state.h"
#include "rpc/replica.h"

static void hello_statuses_agree(void **state)
{
	(void)state;
	assert_int_equal(HELLO_OK, JH_HELLO_OK);
	assert_int_equal(HELLO_FORMAT, JH_HELLO_FORMAT);
	assert_int_equal(HELLO_NOT_ME, JH_HELLO_NOT_ME);
	assert_int_equal(HELLO_CLUSTER, JH_HELLO_CLUSTER);
	assert_int_equal(HELLO_BOUND, JH_HELLO_BOUND);
	assert_true(HELLO_OTHER_FORMAT > (int)JH_HELLO_BOUND); /* our own, and no status of the wire */
}

static void health_agrees(void **state)
{
	(void)state;
	assert_int_equal(HEALTH_OK, JH_HEALTH_OK);
	assert_int_equal(HEALTH_DEGRADED, JH_HEALTH_DEGRADED);
	assert_int_equal(HEALTH_UNAVAILABLE, JH_HEALTH_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_statuses_agree),
		cmocka_unit_test(health_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
