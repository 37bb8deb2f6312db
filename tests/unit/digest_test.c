/* The chain digest: two histories that differ anywhere have different digests from there on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/base/digest.h"

static struct digest chain_of(const char *const *bodies, size_t count)
{
	struct digest digest = {0};

	for (size_t i = 0; i < count; i++)
		digest = digest_chain(digest, bodies[i], strlen(bodies[i]));
	return digest;
}

/* In the first body, in the last, in their order, in where one ends and the next begins. */
static void histories_have_their_own(void **state)
{
	const char *const one[] = {"soup", "pie", "bread"};
	const char *const others[][3] = {
		{"soap", "pie", "bread"}, {"soup", "pie", "broad"}, {"pie", "soup", "bread"}, {"soupp", "ie", "bread"},
	};

	(void)state;
	assert_true(digest_equal(chain_of(one, 3), chain_of(one, 3)));
	assert_false(digest_equal(chain_of(one, 3), chain_of(one, 2)));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(digest_equal(chain_of(one, 3), chain_of(others[i], 3)));
}

/* Every bit of the digest before counts, and every byte of the body. */
static void all_of_it_counts(void **state)
{
	const struct digest before = {.low = 1, .high = 2};
	const struct digest link = digest_chain(before, "soup", 4);

	(void)state;
	for (int bit = 0; bit < 64; bit++) {
		struct digest low = before, high = before;

		low.low ^= UINT64_C(1) << bit;
		high.high ^= UINT64_C(1) << bit;
		assert_false(digest_equal(link, digest_chain(low, "soup", 4)));
		assert_false(digest_equal(link, digest_chain(high, "soup", 4)));
		assert_false(digest_equal(before, low));
		assert_false(digest_equal(before, high));
	}
	assert_false(digest_equal(link, digest_chain(before, "soup", 3)));
	assert_false(digest_equal(link, digest_chain(before, "soup\0", 5)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories_have_their_own),
		cmocka_unit_test(all_of_it_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
