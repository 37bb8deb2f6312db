/* Nobody thought of it: kills, hangs, broken and stalled connections, power cuts, wiped disks, front-ends that die and
 * lose their directory, from seeds. No promise of docs/replication.md may break while it lasts, and when it is over
 * every request is answered and all replicas are equal members (support_world.h).
 *
 * JH_WORLD_SEEDS=N runs so many seeds, JH_WORLD_FIRST=S from S on; JH_WORLD_SEED=S one, JH_WORLD_TRACE=1 with a
 * trace. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/support_world.h"

#define SEEDS_USUALLY 60

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void storms(void **state)
{
	uint64_t only = number_from("JH_WORLD_SEED", 0);
	uint64_t first = only != 0 ? only : number_from("JH_WORLD_FIRST", 1);
	uint64_t count = only != 0 ? 1 : number_from("JH_WORLD_SEEDS", SEEDS_USUALLY);
	struct world_counts sum = {0};

	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++)
		world_run(seed, number_from("JH_WORLD_TRACE", 0) != 0, &sum);
	print_message("%" PRIu64 " seeds: done %" PRIu64 " reads %" PRIu64 " refused %" PRIu64 " kills %" PRIu64
		      " front-end kills %" PRIu64 " pauses %" PRIu64 " breaks %" PRIu64 " wipes %" PRIu64
		      " adoptions %" PRIu64 " pieces %" PRIu64 " cuts %" PRIu64 " torn %" PRIu64 " between %" PRIu64
		      " stuck %" PRIu64 " highest view %" PRIu64 " events %" PRIu64 "\n",
		      count, sum.done, sum.reads, sum.refused, sum.kills, sum.front_kills, sum.pauses, sum.breaks,
		      sum.wipes, sum.adoptions, sum.pieces, sum.cuts, sum.torn_starts, sum.between, sum.stuck,
		      sum.views, sum.events);
	if (count < SEEDS_USUALLY)
		return;
	/* The storms are not so bad that nothing is tested, and reach the corners. */
	assert_true(sum.done > 100 * count);
	assert_true(sum.reads > 20 * count);
	assert_true(sum.adoptions > count);
	assert_true(sum.cuts > 0);
	assert_true(sum.torn_starts > count);
	assert_true(sum.stuck * 5 < count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
