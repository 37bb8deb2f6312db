/* The chains of the history's entries: whatever lies between a key's entries, each is found by depth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/machine/chains.h"
#include "support_orders.h"

#define ENTRIES 60000
#define KEYS 5

/* What the chains should say, as plain lists. */
static struct {
	uint32_t key[ENTRIES];    /* KEYS: in no chain */
	uint32_t depth[ENTRIES];
	uint32_t members[KEYS][ENTRIES];
	uint32_t counts[KEYS];
} model;

static struct chains chains;

static bool bears(const void *key, uint32_t entry)
{
	return model.key[entry] == *(const uint32_t *)key;
}

static void add(uint32_t entry, uint32_t key)
{
	uint32_t hash = chains_hash(&chains, &key, sizeof key);

	chains_prefetch(&chains, hash);
	chains_add(&chains, entry, hash, chains_find(&chains, hash, bears, &key));
	model.key[entry] = key;
	model.members[key][model.counts[key]++] = entry;
	model.depth[entry] = model.counts[key];
}

/* The entries of several keys, one of them rare, and some of none: nearly half, also the first and the last. */
static int fill(void **state)
{
	struct random random = {1};

	(void)state;
	chains_init(&chains, ENTRIES);
	for (uint32_t entry = 0; entry < ENTRIES; entry++) {
		uint32_t key = (uint32_t)random_below(&random, (KEYS - 1) * 2);

		model.key[entry] = KEYS;
		if (entry == 0 || entry == ENTRIES - 1)
			continue;
		if (entry % 20000 == 1)
			add(entry, KEYS - 1);
		else if (key < KEYS - 1)
			add(entry, key);
	}
	return 0;
}

static int release(void **state)
{
	(void)state;
	chains_release(&chains);
	return 0;
}

static uint32_t newest(uint32_t key)
{
	uint32_t *place = chains_find(&chains, chains_hash(&chains, &key, sizeof key), bears, &key);

	return place == NULL ? CHAINS_NONE : *place;
}

static void each_key_has_its_own_entries(void **state)
{
	uint32_t absent = KEYS + 1;

	(void)state;
	assert_int_equal(newest(absent), CHAINS_NONE);
	for (uint32_t key = 0; key < KEYS; key++) {
		uint32_t entry = newest(key);

		assert_true(model.counts[key] > 2);
		for (uint32_t i = model.counts[key]; i-- > 0; entry = chains_previous(&chains, entry))
			assert_int_equal(entry, model.members[key][i]);
		assert_int_equal(entry, CHAINS_NONE);
	}
	for (uint32_t entry = 0; entry < ENTRIES; entry++)
		assert_int_equal(chains_depth(&chains, entry), model.depth[entry]);
}

/* What was skipped lies in no chain, and so does what has not been added yet. */
static void entries_between_are_in_no_chain(void **state)
{
	uint32_t skipped = 0;

	(void)state;
	for (uint32_t entry = 0; entry < ENTRIES; entry++) {
		if (model.key[entry] < KEYS)
			continue;
		skipped++;
		assert_int_equal(chains_depth(&chains, entry), 0);
		assert_int_equal(chains_previous(&chains, entry), CHAINS_NONE);
	}
	assert_true(skipped > ENTRIES / 3);
	assert_int_equal(chains_depth(&chains, ENTRIES + 5), 0);
	assert_int_equal(chains_depth(&chains, CHAINS_NONE), 0);
}

static void any_depth_is_found(void **state)
{
	struct random random = {2};

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t key = (uint32_t)random_below(&random, KEYS);
		uint32_t from = (uint32_t)random_below(&random, model.counts[key]);
		uint32_t depth = 1 + (uint32_t)random_below(&random, (uint64_t)from + 1);

		assert_int_equal(chains_at_depth(&chains, model.members[key][from], depth), model.members[key][depth - 1]);
	}
}

static void memory_is_bounded(void **state)
{
	(void)state;
	assert_in_range(chains_memory(&chains), (ENTRIES - 1) * 12, ENTRIES * 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_has_its_own_entries),
		cmocka_unit_test(entries_between_are_in_no_chain),
		cmocka_unit_test(any_depth_is_found),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, fill, release);
}
