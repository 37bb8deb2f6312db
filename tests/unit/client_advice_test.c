/* Purpose: a suggested command reaches the cluster that was asked, also when it comes from the front-end, which cannot
 * know how it was reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/advice.h"

static struct client_options far(void)
{
	struct client_options options = client_options_default();

	options.frontend = "host a";
	options.program_base = 42;
	return options;
}

static void test_nothing_is_repeated_that_is_usual(void **state)
{
	struct client_options options = client_options_default();
	char *command = advice_command(&options, "status");

	(void)state;
	assert_string_equal(command, "justhungry status");
	free(command);
	command = advice_take(advice_daemon(&options, "justhungry-frontend"));
	assert_string_equal(command, "justhungry-frontend");
	free(command);
}

static void test_timeouts_are_exact(void **state)
{
	struct client_options options = client_options_default();
	static const struct {
		uint32_t ms;
		const char *command;
	} table[] = {{1, "justhungry status --timeout 0.001"},
		     {1500, "justhungry status --timeout 1.500"},
		     {86399999, "justhungry status --timeout 86399.999"},
		     {60000, "justhungry status --timeout 60"}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		options.timeout_ms = table[i].ms;
		char *command = advice_command(&options, "status");

		assert_string_equal(command, table[i].command);
		free(command);
	}
}

static void completes(const char *line, const char *expected)
{
	struct client_options options = far();
	char *said = advice_complete(&options, line);

	assert_string_equal(said, expected);
	free(said);
}

static void test_what_the_frontend_says_is_completed(void **state)
{
	(void)state;
	completes("the way out is: justhungry promote --force ID",
		  "the way out is: justhungry promote --frontend 'host a' --program-base 42 --force ID");
	completes("`justhungry remove 2`, or justhungry status",
		  "`justhungry remove --frontend 'host a' --program-base 42 2`, or justhungry status --frontend 'host a' "
		  "--program-base 42");
	/* Another program, and a text that is no command. */
	completes("start justhungry-server --id 1, justhungry statuses, a justhungry", "start justhungry-server --id 1, "
		  "justhungry statuses, a justhungry");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_repeated_that_is_usual),
		cmocka_unit_test(test_timeouts_are_exact),
		cmocka_unit_test(test_what_the_frontend_says_is_completed),
	};

	unsetenv("JUSTHUNGRY_FRONTEND");
	unsetenv("JUSTHUNGRY_PROGRAM_BASE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
