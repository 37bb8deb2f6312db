/* The log reports a provider's failure when it begins, when it changes and when it is over, and only so often for an
 * unstable one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/shop/postcode_trouble.h"

static void test_begins_changes_and_is_over(void **state)
{
	struct postcode_trouble trouble = {0};

	(void)state;
	assert_false(postcode_trouble_is_over(&trouble));
	assert_true(postcode_trouble_is_news(&trouble, 5, POSTCODE_FAULT_CONNECT, 0));
	assert_false(postcode_trouble_is_news(&trouble, 6, POSTCODE_FAULT_CONNECT, 0));
	assert_false(postcode_trouble_is_news(&trouble, 1000000000, POSTCODE_FAULT_CONNECT, 0));
	assert_true(postcode_trouble_is_news(&trouble, 1000000001, POSTCODE_FAULT_STATUS, 403));
	assert_false(postcode_trouble_is_news(&trouble, 1000000002, POSTCODE_FAULT_STATUS, 403));
	assert_true(postcode_trouble_is_news(&trouble, 1000000003, POSTCODE_FAULT_STATUS, 503));
	assert_true(postcode_trouble_is_over(&trouble));
	assert_false(postcode_trouble_is_over(&trouble));
	assert_true(postcode_trouble_is_news(&trouble, 1000000004, POSTCODE_FAULT_STATUS, 503));
}

/* A provider that fails every other question: some lines at once, one a minute in the long run, and never "answers
 * again" where the last line was not that it fails. */
static void test_bounded(void **state)
{
	struct postcode_trouble trouble = {0};
	unsigned begun = 0, over = 0;

	(void)state;
	for (uint64_t now_ms = 0; now_ms < 3600000; now_ms += 100) {
		begun += postcode_trouble_is_news(&trouble, now_ms, POSTCODE_FAULT_STATUS, 429);
		over += postcode_trouble_is_over(&trouble);
		if (now_ms == 1000)
			assert_int_equal(begun, POSTCODE_TROUBLE_LINES);
	}
	assert_int_equal(begun, over);
	assert_in_range(begun, 60, 60 + POSTCODE_TROUBLE_LINES);
}

/* A suppressed line is written once there is room, if it still holds. */
static void test_said_later(void **state)
{
	struct postcode_trouble trouble = {0};

	(void)state;
	for (unsigned i = 0; i < POSTCODE_TROUBLE_LINES; i++) {
		assert_true(postcode_trouble_is_news(&trouble, 0, POSTCODE_FAULT_TIMEOUT, 0));
		assert_true(postcode_trouble_is_over(&trouble));
	}
	assert_false(postcode_trouble_is_news(&trouble, 1, POSTCODE_FAULT_TIMEOUT, 0));
	assert_true(postcode_trouble_is_news(&trouble, POSTCODE_TROUBLE_LINE_EVERY_MS, POSTCODE_FAULT_TIMEOUT, 0));
	assert_true(postcode_trouble_is_over(&trouble));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_changes_and_is_over),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_said_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
