/* The checker of tests/chaos must reject every history that breaks the promise, and no other: a verdict "passed" is
 * worth only as much as this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/chaos/checker.h"

/* Two clients, postcodes 0 and 1; 2:1 is unknown and happened, 2:2 is unknown and did not, 2:3 was refused. */
#define GOOD                                                                                                           \
	"order 1 1 0 10 20 done 1 1\n"                                                                                 \
	"read 0 21 25 1 1 1:1:1\n"                                                                                     \
	"order 1 2 0 30 50 done 2 2\n"                                                                                 \
	"order 2 1 0 35 90 unknown 0 0\n"                                                                              \
	"read 0 55 70 3 3 1:2:2 2:1:3\n"                                                                               \
	"read 1 71 75 3 0\n"                                                                                           \
	"order 1 3 1 80 95 done 4 1\n"                                                                                 \
	"order 2 2 1 91 99 unknown 0 0\n"                                                                              \
	"order 2 3 1 100 101 refused 0 0\n"                                                                            \
	"order 2 4 1 102 103 unavailable 0 0\n"
#define GOOD_END                                                                                                       \
	"final 0 1 1:1:1\n"                                                                                            \
	"final 0 2 1:2:2\n"                                                                                            \
	"final 0 3 2:1:3\n"                                                                                            \
	"final 1 1 1:3:4\n"

static struct verdict verdict_on(const char *text)
{
	struct history history = {0};
	struct verdict verdict;
	char line[128];
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	assert_true(history_read(&history, file, line, sizeof line));
	fclose(file);

	bool good = check_history(&history, &verdict);
	size_t objections = 0;

	for (int i = 0; i < WRONG_KINDS; i++)
		objections += verdict.wrong[i];
	assert_int_equal(good, objections == 0);
	history_free(&history);
	return verdict;
}

static void assert_only(const char *text, enum wrong wrong)
{
	struct verdict verdict = verdict_on(text);

	for (int i = 0; i < WRONG_KINDS; i++) {
		if (i == (int)wrong)
			assert_in_range(verdict.wrong[i], 1, SIZE_MAX);
		else
			assert_int_equal(verdict.wrong[i], 0);
	}
}

static void a_good_history_passes(void **state)
{
	struct verdict verdict = verdict_on(GOOD GOOD_END);

	(void)state;
	for (int i = 0; i < WRONG_KINDS; i++)
		assert_int_equal(verdict.wrong[i], 0);
}

static void a_lost_order_is_found(void **state)
{
	(void)state;
	assert_only(GOOD "order 3 1 1 110 120 done 5 2\n" GOOD_END, WRONG_LOST);
}

/* Only a read shows it: it was unknown, was seen, and is gone. */
static void an_unknown_order_that_was_seen_must_stay(void **state)
{
	(void)state;
	assert_only(GOOD "read 1 130 140 5 2 1:3:4 2:2:5\n" GOOD_END, WRONG_SHOWN);
}

static void a_doubled_order_is_found(void **state)
{
	(void)state;
	assert_only(GOOD GOOD_END "final 1 2 1:3:5\n", WRONG_DOUBLED);
}

static void an_op_used_twice_is_found(void **state)
{
	(void)state;
	assert_only("order 1 1 0 10 20 done 1 1\norder 2 1 1 10 20 done 1 1\nfinal 0 1 1:1:1\nfinal 1 1 2:1:1\n",
		    WRONG_DOUBLED);
}

static void an_order_that_moved_is_found(void **state)
{
	(void)state;
	assert_only("order 1 1 0 10 20 done 1 1\norder 2 1 0 10 20 done 2 2\nfinal 0 1 2:1:1\nfinal 0 2 1:1:2\n",
		    WRONG_MOVED);
}

static void a_refused_order_that_happened_is_found(void **state)
{
	(void)state;
	assert_only(GOOD "order 3 1 1 110 120 refused 0 0\n" GOOD_END "final 1 2 3:1:5\n", WRONG_REFUSED);
	assert_only(GOOD "order 3 1 1 110 120 unavailable 0 0\n" GOOD_END "final 1 2 3:1:5\n", WRONG_REFUSED);
}

static void a_foreign_order_is_found(void **state)
{
	(void)state;
	assert_only(GOOD GOOD_END "final 1 2 7:7:5\n", WRONG_FOREIGN);
	assert_in_range(verdict_on(GOOD GOOD_END "final 1 2 -\n").wrong[WRONG_FOREIGN], 1, SIZE_MAX);
}

static void a_gap_in_the_numbers_is_found(void **state)
{
	(void)state;
	assert_only(GOOD "order 3 1 1 110 120 done 5 3\n" GOOD_END "final 1 3 3:1:5\n", WRONG_NUMBERED);
}

static void a_stale_read_is_found(void **state)
{
	(void)state;
	/* It lacks 2:1, which the read that ended at 70 showed although no client was told that it was done. */
	assert_only(GOOD "read 0 71 72 2 2 1:2:2\n" GOOD_END, WRONG_STALE);
	/* It lacks 1:3, acknowledged before it was asked for. */
	assert_only(GOOD "read 1 96 97 3 0\n" GOOD_END, WRONG_STALE);
	/* At the same time as the order: either result is right. */
	assert_int_equal(verdict_on(GOOD "read 1 94 97 3 0\n" GOOD_END).wrong[WRONG_STALE], 0);
}

/* An op that claims more than the list shows hides the same staleness. */
static void a_read_that_hides_an_order_is_found(void **state)
{
	(void)state;
	assert_only(GOOD "read 1 96 97 4 0\n" GOOD_END, WRONG_SHOWN);
	assert_only(GOOD "read 0 96 97 4 2 1:2:2\n" GOOD_END, WRONG_SHOWN);
}

static void a_read_that_is_no_prefix_is_found(void **state)
{
	(void)state;
	assert_only(GOOD "read 0 96 97 4 3 2:1:2 1:2:3\n" GOOD_END, WRONG_SHOWN);
	assert_only(GOOD "read 0 96 97 4 3 -\n" GOOD_END, WRONG_SHOWN);
	assert_only(GOOD "read 0 96 97 4 4 2:1:3 2:2:4\n" GOOD_END, WRONG_SHOWN);
}

static void reordered_orders_are_found(void **state)
{
	(void)state;
	assert_only("order 1 1 0 10 20 done 2 2\norder 2 1 0 30 40 done 1 1\nfinal 0 1 2:1:1\nfinal 0 2 1:1:2\n",
		    WRONG_REORDERED);
	/* Also across postcodes, and when no client was told how the second ended. */
	assert_only("order 1 1 0 10 20 done 2 1\norder 2 1 1 30 40 unknown 0 0\nfinal 0 1 1:1:2\nfinal 1 1 2:1:1\n",
		    WRONG_REORDERED);
	assert_int_equal(verdict_on("order 1 1 0 10 35 done 2 2\norder 2 1 0 30 40 done 1 1\n"
				    "final 0 1 2:1:1\nfinal 0 2 1:1:2\n")
				 .wrong[WRONG_REORDERED],
			 0);
}

static void an_order_shown_before_it_was_asked_for_is_found(void **state)
{
	(void)state;
	assert_only("read 0 1 5 1 1 1:1:1\norder 1 1 0 10 20 done 1 1\nfinal 0 1 1:1:1\n", WRONG_REORDERED);
}

static void half_a_history_is_not_read(void **state)
{
	static const char *const bad[] = {"order 1 1 0 10 20 done 1", "order 1 1 0 10 20 perhaps 1 1\n",
					  "read 0 21 25 1 1 1:1\n",   "final 0 1 1:1:1 \n",
					  "fault kill 1\n",           "hello\n"};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct history history = {0};
		FILE *file = fmemopen((void *)(uintptr_t)bad[i], strlen(bad[i]), "r");

		assert_non_null(file);
		assert_false(history_read(&history, file, line, sizeof line));
		fclose(file);
		history_free(&history);
	}
}

static void acknowledged_orders_are_counted_by_time(void **state)
{
	struct history history = {0};
	struct verdict verdict;
	char line[128], text[] = GOOD GOOD_END;
	FILE *file = fmemopen(text, strlen(text), "r");

	(void)state;
	assert_non_null(file);
	assert_true(history_read(&history, file, line, sizeof line));
	fclose(file);
	check_history(&history, &verdict);
	assert_int_equal(acknowledged_between(&history, 0, 1000), 3);
	assert_int_equal(acknowledged_between(&history, 20, 95), 2);
	history_free(&history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_history_passes),
		cmocka_unit_test(a_lost_order_is_found),
		cmocka_unit_test(an_unknown_order_that_was_seen_must_stay),
		cmocka_unit_test(a_doubled_order_is_found),
		cmocka_unit_test(an_op_used_twice_is_found),
		cmocka_unit_test(an_order_that_moved_is_found),
		cmocka_unit_test(a_refused_order_that_happened_is_found),
		cmocka_unit_test(a_foreign_order_is_found),
		cmocka_unit_test(a_gap_in_the_numbers_is_found),
		cmocka_unit_test(a_stale_read_is_found),
		cmocka_unit_test(a_read_that_hides_an_order_is_found),
		cmocka_unit_test(a_read_that_is_no_prefix_is_found),
		cmocka_unit_test(reordered_orders_are_found),
		cmocka_unit_test(an_order_shown_before_it_was_asked_for_is_found),
		cmocka_unit_test(half_a_history_is_not_read),
		cmocka_unit_test(acknowledged_orders_are_counted_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
