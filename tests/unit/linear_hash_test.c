/* The growing index: whatever the hashes, each value is found again and replaced in place, and memory stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "server/machine/linear_hash.h"
#include "support_orders.h"

#define ENTRIES 100000

static bool equals(const void *key, uint32_t value)
{
	return *(const uint32_t *)key == value;
}

/* The hash of value i: spread, all low bits equal, few different ones, or all the same. */
static uint32_t hash_kind(int kind, uint32_t i)
{
	struct random random = {i};

	switch (kind) {
	case 0:
		return (uint32_t)random_below(&random, UINT32_MAX);
	case 1:
		return i << 12;
	case 2:
		return i % 5000;
	default:
		return 7;
	}
}

static void values_are_found(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		const uint32_t entries = kind == 3 ? 2000 : ENTRIES;
		struct linear_hash index;

		linear_hash_init(&index, entries);
		for (uint32_t i = 0; i < entries; i++) {
			assert_null(linear_hash_find(&index, hash_kind(kind, i), equals, &i));
			linear_hash_insert(&index, hash_kind(kind, i), i);
			/* A value inserted before, wherever splits have moved it. */
			struct random random = {i};
			uint32_t old = (uint32_t)random_below(&random, (uint64_t)i + 1);

			assert_non_null(linear_hash_find(&index, hash_kind(kind, old), equals, &old));
		}
		for (uint32_t i = 0; i < entries; i++) {
			uint32_t *place = linear_hash_find(&index, hash_kind(kind, i), equals, &i);

			assert_non_null(place);
			assert_int_equal(*place, i);
			*place = i + entries;
		}
		for (uint32_t i = 0; i < entries; i++) {
			uint32_t replaced = i + entries;

			assert_null(linear_hash_find(&index, hash_kind(kind, i), equals, &i));
			assert_non_null(linear_hash_find(&index, hash_kind(kind, i), equals, &replaced));
		}
		linear_hash_release(&index);
	}
}

/* Spread hashes cost at most 20 bytes per entry at every size, so the limit of 100 bytes per order holds with two
 * indexes. */
static void memory_is_bounded(void **state)
{
	struct linear_hash index;

	(void)state;
	linear_hash_init(&index, ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		linear_hash_insert(&index, hash_kind(0, i), i);
		if (i > 1000)
			assert_in_range(linear_hash_memory(&index), 1, (uint64_t)i * 20);
	}
	linear_hash_release(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
