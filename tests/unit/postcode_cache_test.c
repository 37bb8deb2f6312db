/* The cache of postcode answers: what is kept, for how long, and that it never grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "server/shop/postcode_cache.h"

static void test_remembers_until_it_expires(void **state)
{
	struct postcode_cache *cache = postcode_cache_new(1024);
	bool exists = false;

	(void)state;
	assert_false(postcode_cache_find(cache, "DH1 3LE", 0, &exists));
	postcode_cache_put(cache, "DH1 3LE", 1000, true);
	postcode_cache_put(cache, "ZY1 1AA", 1000, false);
	assert_true(postcode_cache_find(cache, "DH1 3LE", 1000 + POSTCODE_CACHE_GOOD_MS - 1, &exists));
	assert_true(exists);
	assert_false(postcode_cache_find(cache, "DH1 3LE", 1000 + POSTCODE_CACHE_GOOD_MS, &exists));
	assert_true(postcode_cache_find(cache, "ZY1 1AA", 1000 + POSTCODE_CACHE_BAD_MS - 1, &exists));
	assert_false(exists);
	assert_false(postcode_cache_find(cache, "ZY1 1AA", 1000 + POSTCODE_CACHE_BAD_MS, &exists));
	assert_false(postcode_cache_find(cache, "DH1 3LF", 1000, &exists));
	postcode_cache_free(cache);
}

/* A postcode that was retired, or created: the newer answer counts. */
static void test_the_newest_answer_counts(void **state)
{
	struct postcode_cache *cache = postcode_cache_new(8);
	bool exists = true;

	(void)state;
	postcode_cache_put(cache, "DH1 3LE", 0, true);
	postcode_cache_put(cache, "DH1 3LE", 1, false);
	assert_true(postcode_cache_find(cache, "DH1 3LE", 2, &exists));
	assert_false(exists);
	assert_false(postcode_cache_find(cache, "DH1 3LE", 1 + POSTCODE_CACHE_BAD_MS, &exists));
	postcode_cache_free(cache);
}

/* One set of eight: the ninth replaces an expired one first, else the least recently used. */
static void test_full_gives_up_the_least_useful(void **state)
{
	struct postcode_cache *cache = postcode_cache_new(8);
	char postcode[32];
	bool exists;

	(void)state;
	for (int i = 0; i < 8; i++) {
		snprintf(postcode, sizeof(postcode), "DH%d 3LE", i % 10);
		postcode_cache_put(cache, postcode, 0, true);
	}
	assert_true(postcode_cache_find(cache, "DH0 3LE", 1, &exists));
	postcode_cache_put(cache, "DH8 3LE", 1, false);
	assert_true(postcode_cache_find(cache, "DH0 3LE", 2, &exists));
	assert_false(postcode_cache_find(cache, "DH1 3LE", 2, &exists));
	assert_true(postcode_cache_find(cache, "DH8 3LE", 2, &exists));
	postcode_cache_put(cache, "DH9 3LE", 1 + POSTCODE_CACHE_BAD_MS, true);
	assert_true(postcode_cache_find(cache, "DH2 3LE", 2, &exists));
	assert_true(postcode_cache_find(cache, "DH9 3LE", 2, &exists));
	postcode_cache_free(cache);
}

/* Far more postcodes than places: no more are kept than there are places, and most places are in use. */
static void test_bounded(void **state)
{
	enum { PLACES = 1024, POSTCODES = 20000 };
	struct postcode_cache *cache = postcode_cache_new(PLACES);
	unsigned found = 0;

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < POSTCODES; i++) {
			char postcode[32];
			bool exists;
			snprintf(postcode, sizeof(postcode), "%c%d %d%c%c", "ABDEF"[i / 4000 % 5], i / 400 % 10,
				 i / 40 % 10, "ABDEFGHJLN"[i / 4 % 10], "ABDE"[i % 4]);
			if (pass == 0)
				postcode_cache_put(cache, postcode, 0, true);
			else
				found += postcode_cache_find(cache, postcode, 1, &exists);
		}
	}
	assert_true(found <= PLACES);
	assert_true(found > PLACES * 9 / 10);
	postcode_cache_free(cache);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers_until_it_expires),
		cmocka_unit_test(test_the_newest_answer_counts),
		cmocka_unit_test(test_full_gives_up_the_least_useful),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
