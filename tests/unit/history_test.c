/* The history on its own, with bodies of no kind at all: entries keep their bytes and numbers, the digest is a chain over
 * them, and what was prepared follows the last entry or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/machine/history.h"

#define LOADED 3
#define OPS 200

/* Body n: of a length of its own, a multiple of 4, also 0. */
static size_t make(uint32_t n, uint8_t *out)
{
	size_t size = n % 7 * 4;

	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(n * 31 + i);
	return size;
}

static void append(struct history *history, uint32_t n)
{
	uint8_t body[64];
	struct history_next next = history_next(history, body, make(n, body));

	history_append(history, &next);
}

static struct history *make_history(void)
{
	struct history *history = history_new(LOADED + OPS);
	uint8_t body[64];

	for (uint32_t n = 0; n < LOADED; n++)
		history_load(history, body, make(n, body));
	for (uint32_t n = LOADED; n < LOADED + OPS; n++)
		append(history, n);
	return history;
}

static void entries_keep_their_bytes(void **state)
{
	struct history *history = make_history();
	uint8_t body[64];
	size_t size;

	(void)state;
	assert_int_equal(history_count(history), LOADED + OPS);
	assert_int_equal(history_loaded(history), LOADED);
	assert_int_equal(history_op(history), OPS);
	for (uint32_t n = 0; n < LOADED + OPS; n++) {
		const uint8_t *kept = history_body(history, n, &size);

		assert_int_equal(size, make(n, body));
		assert_memory_equal(kept, body, size);
		assert_int_equal(history_op_of(history, n), n < LOADED ? 0 : n - LOADED + 1);
	}
	for (uint64_t op = 1; op <= OPS; op++)
		assert_int_equal(history_op_of(history, history_entry_of(history, op)), op);
	history_free(history);
}

/* The digest is what digest_chain makes of the bodies, loaded ones first, and that of the loaded ones stays. */
static void the_digest_is_a_chain(void **state)
{
	struct history *history = history_new(LOADED + OPS);
	struct digest digest = {0, 0}, loaded = {0, 0};
	uint8_t body[64];

	(void)state;
	assert_true(digest_equal(history_digest(history), digest));
	for (uint32_t n = 0; n < LOADED + OPS; n++) {
		size_t size = make(n, body);

		digest = digest_chain(digest, body, size);
		if (n < LOADED) {
			history_load(history, body, size);
			loaded = digest;
		} else {
			append(history, n);
		}
		assert_true(digest_equal(history_digest(history), digest));
		assert_true(digest_equal(history_loaded_digest(history), loaded));
	}
	history_free(history);
}

/* To look at the next digest changes nothing. */
static void what_is_not_appended_leaves_nothing(void **state)
{
	struct history *history = make_history();
	struct digest digest = history_digest(history);
	struct history_next next = history_next(history, "abcd", 4);

	(void)state;
	assert_false(digest_equal(next.digest, digest));
	assert_true(digest_equal(history_digest(history), digest));
	assert_int_equal(history_op(history), OPS);
	history_free(history);
}

/* A digest that was worked out before another body followed would be that of another history: the process ends. */
static void what_was_overtaken_is_not_appended(void **state)
{
	struct history *history = history_new(OPS);
	struct history_next next;
	int status = 0;
	pid_t child;

	(void)state;
	next = history_next(history, "abcd", 4);
	append(history, 1);
	child = fork();
	if (child == 0) {
		fclose(stderr);
		history_append(history, &next);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	history_free(history);
}

/* Every piece holds whole records; together they are what history_bytes says: 4 bytes of size and the body, each. */
static void pieces_are_whole_records(void **state)
{
	struct history *history = make_history();
	uint8_t out[4096], body[64];
	size_t expected = 0;
	uint64_t next;

	(void)state;
	for (uint32_t n = 0; n < LOADED + OPS; n++)
		expected += 4 + make(n, body);
	assert_int_equal(history_bytes(history), expected);
	for (size_t room = 28; room < sizeof out; room += 97) {
		size_t all = 0;

		for (uint64_t first = 0; first < LOADED + OPS; first = next) {
			size_t used = history_encode(history, first, OPS, &next, out, room);
			size_t at = 0;

			assert_true(used <= room && next > first);
			for (uint64_t n = first; n < next; n++) {
				size_t size = make((uint32_t)n, body);

				assert_memory_equal(out + at, ((const uint8_t[4]){0, 0, 0, (uint8_t)size}), 4);
				assert_memory_equal(out + at + 4, body, size);
				at += 4 + size;
			}
			assert_int_equal(at, used);
			all += used;
		}
		assert_int_equal(all, expected);
	}
	history_free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_keep_their_bytes),
		cmocka_unit_test(the_digest_is_a_chain),
		cmocka_unit_test(what_is_not_appended_leaves_nothing),
		cmocka_unit_test(what_was_overtaken_is_not_appended),
		cmocka_unit_test(pieces_are_whole_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
