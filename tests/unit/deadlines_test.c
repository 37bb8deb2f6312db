/* Purpose: the heap of deadlines always returns the earliest, whatever was added and removed in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>

#include "rpc/net/deadlines.h"

#define COUNT 300

static void names_the_earliest(void **state)
{
	struct deadlines deadlines = {0};
	struct deadline all[COUNT] = {0};
	bool inside[COUNT] = {false};
	uint32_t random = 1;

	(void)state;
	assert_null(deadlines_first(&deadlines));
	for (int step = 0; step < 20000; step++) {
		random = random * 1664525u + 1013904223u;

		int i = (int)(random >> 16) % COUNT;
		struct deadline *earliest = NULL;

		if (inside[i]) {
			deadlines_remove(&deadlines, &all[i]);
		} else {
			all[i].at_us = (random >> 8) % 100;
			deadlines_add(&deadlines, &all[i]);
		}
		inside[i] = !inside[i];
		for (int j = 0; j < COUNT; j++)
			if (inside[j] && (earliest == NULL || all[j].at_us < earliest->at_us))
				earliest = &all[j];
		if (earliest == NULL)
			assert_null(deadlines_first(&deadlines));
		else
			assert_int_equal(deadlines_first(&deadlines)->at_us, earliest->at_us);
	}
	deadlines_free(&deadlines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_the_earliest)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
