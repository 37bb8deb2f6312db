/* Memory that grows: it stays where it is, comes zeroed, is never handed out before it is there, and may be released while
 * the keeper is still at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/arena.h"

#define ARENAS 3

static void everything_is_kept(void **state)
{
	const size_t piece = 100, pieces = 5 * ARENA_STEP / piece;
	struct arena_keeper *keeper = arena_keeper_new();
	struct arena arenas[ARENAS];

	(void)state;
	for (int i = 0; i < ARENAS; i++)
		arena_reserve(&arenas[i], keeper, 5 * ARENA_STEP);
	for (size_t at = 0; at < pieces; at++) {
		for (int i = 0; i < ARENAS; i++) {
			uint8_t *taken = arena_take(&arenas[i], piece);
			static const uint8_t zero[100];

			assert_ptr_equal(taken, arenas[i].base + at * piece);
			assert_memory_equal(taken, zero, piece);
			memset(taken, (int)(at % 250) + 1, piece);
		}
	}
	for (size_t at = 0; at < pieces; at++) {
		for (int i = 0; i < ARENAS; i++)
			assert_int_equal(arenas[i].base[at * piece + piece - 1], at % 250 + 1);
	}
	for (int i = 0; i < ARENAS; i++)
		arena_release(&arenas[i]);
	arena_keeper_free(keeper);
}

/* The last bytes of what was reserved can be had, also in one piece, and from one step to the next. */
static void to_the_end(void **state)
{
	struct arena_keeper *keeper = arena_keeper_new();
	struct arena arena;

	(void)state;
	arena_reserve(&arena, keeper, 3 * ARENA_STEP);
	memset(arena_take(&arena, 3 * ARENA_STEP), 1, 3 * ARENA_STEP);
	assert_int_equal(arena.used, arena.reserved);
	arena_release(&arena);

	arena_reserve(&arena, keeper, 1);
	memset(arena_take(&arena, ARENA_STEP - 1), 1, ARENA_STEP - 1);
	arena_take(&arena, 1);
	arena_release(&arena);
	arena_keeper_free(keeper);
}

/* Just asked for, the next step may be in the making when the arena goes. */
static void released_at_any_moment(void **state)
{
	struct arena_keeper *keeper = arena_keeper_new();

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		struct arena arena;

		arena_reserve(&arena, keeper, 4 * ARENA_STEP);
		memset(arena_take(&arena, ARENA_STEP / 2 + i * 8), 1, ARENA_STEP / 2 + i * 8);
		arena_release(&arena);
	}
	arena_keeper_free(keeper);
}

/* A history of a few orders costs neither a thread nor a huge page. */
static void small_stays_small(void **state)
{
	struct arena_keeper *keeper = arena_keeper_new();
	struct arena arena;

	(void)state;
	arena_reserve(&arena, keeper, 4 * ARENA_STEP);
	arena_take(&arena, ARENA_STEP / 2);
	assert_int_equal(arena.made, ARENA_STEP);
	assert_int_equal(arena.wanted, ARENA_STEP);
	arena_release(&arena);
	arena_keeper_free(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_kept),
		cmocka_unit_test(to_the_end),
		cmocka_unit_test(released_at_any_moment),
		cmocka_unit_test(small_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
