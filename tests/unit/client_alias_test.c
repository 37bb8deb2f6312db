/* What others see of a client id: the vectors are those of `printf '\x00\x01...' | sha256sum`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/base/client_alias.h"

static struct uuid parsed(const char *text)
{
	struct uuid uuid;

	assert_true(uuid_parse(text, &uuid));
	return uuid;
}

static void known_answers(void **state)
{
	static const char *const answers[][3] = {
		{"00010203-0405-0607-0809-0a0b0c0d0e0f", "10111213-1415-1617-1819-1a1b1c1d1e1f", "630dcd29-66c4-3366-9112-5448bbb25b4f"},
		{"0cbabfec-38f8-4c5e-b2dc-4a8e579cd6bc", "123e4567-e89b-42d3-a456-426614174000", "42e3c18d-7d23-8bfc-23bb-cb8b89460d51"},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char text[UUID_TEXT_SIZE];

		assert_string_equal(uuid_format(client_alias(parsed(answers[i][0]), parsed(answers[i][1])), text),
				    answers[i][2]);
	}
}

static void nobody_stays_nobody(void **state)
{
	const struct uuid nil = {{0}};

	(void)state;
	assert_true(uuid_is_nil(client_alias(parsed("00010203-0405-0607-0809-0a0b0c0d0e0f"), nil)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(nobody_stays_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
