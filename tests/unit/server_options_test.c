/* The command line of justhungry-server: what is asked for arrives, and what makes no sense ends with status 2 and a
 * line that names the option. */
#include <argp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/options.h"

#define ARGUMENTS_MAX 16

static void parse(struct server_options *options, const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX + 2] = {(char *)(uintptr_t)"justhungry-server"};
	int argc = 1;

	for (; arguments[argc - 1] != NULL; argc++) {
		assert_true(argc < ARGUMENTS_MAX);
		argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
	}
	options_parse(argc, argv, options);
}

static void defaults(void **state)
{
	struct server_options options;

	(void)state;
	parse(&options, (const char *[]){"--id", "7", "--data-dir", "/d", NULL});
	assert_int_equal(options.node.id, 7);
	assert_int_equal(options.node.replica.id, 7);
	assert_string_equal(options.node.data_dir, "/d");
	assert_int_equal(options.node.program_base, 540000000);
	assert_int_equal(options.node.orders_max, 10000000);
	assert_int_equal(options.node.replica.orders_max, 10000000);
	assert_int_equal(options.node.replica.push_mode, PUSH_AUTO);
	assert_int_equal(options.node.replica.push_full_limit, 65536);
	assert_int_equal(options.node.postcodes.mode, POSTCODE_AUTO);
	assert_null(options.node.postcodes.proxy);
	assert_int_equal(options.node.postcodes.deadline_ms, 1000);
	assert_int_equal(options.node.listen_count, 0);
	assert_null(options.node.advertise);
	assert_null(options.node.frontend);
	assert_null(options.check);
}

static void given(void **state)
{
	struct server_options options;

	(void)state;
	parse(&options, (const char *[]){"--id=4095", "--data-dir=/d", "--listen=0.0.0.0", "--listen=[::1]:4711",
					 "--advertise=192.0.2.7", "--push=delta", "--max-orders=5",
					 "--program-base=541000000", "--postcode-check=strict", "--postcode-proxy=http://p:3128",
					 "--suspect-ms=100", "--heartbeat-ms=20", NULL});
	assert_int_equal(options.node.listen_count, 2);
	assert_string_equal(options.node.listen[1], "[::1]:4711");
	assert_string_equal(options.node.advertise, "192.0.2.7");
	assert_int_equal(options.node.replica.push_mode, PUSH_DELTA);
	assert_int_equal(options.node.replica.orders_max, 5);
	assert_int_equal(options.node.orders_max, 5);
	assert_int_equal(options.node.program_base, 541000000);
	assert_int_equal(options.node.postcodes.mode, POSTCODE_STRICT);
	assert_string_equal(options.node.postcodes.proxy, "http://p:3128");
	assert_int_equal(options.node.replica.suspect_ms, 100);
	assert_int_equal(options.node.replica.heartbeat_ms, 20);
}

/* --check needs neither id nor data directory. */
static void only_check(void **state)
{
	struct server_options options;

	(void)state;
	parse(&options, (const char *[]){"--check", "/d", NULL});
	assert_string_equal(options.check, "/d");
}

/* In a child: it ends there. */
static void refused(const char *const *arguments, const char *named)
{
	char said[2048] = "";
	int ends[2], status;
	ssize_t size;

	assert_int_equal(pipe(ends), 0);

	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct server_options options;

		dup2(ends[1], STDERR_FILENO);
		parse(&options, arguments);
		_exit(0);
	}
	close(ends[1]);
	size = read(ends[0], said, sizeof said - 1);
	close(ends[0]);
	assert_true(size > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_non_null(strstr(said, named));
}

static void nonsense(void **state)
{
	(void)state;
	refused((const char *[]){"--data-dir", "/d", NULL}, "--id N is needed");
	refused((const char *[]){"--id", "1", NULL}, "--data-dir DIR is needed");
	refused((const char *[]){"--id", "0", "--data-dir", "/d", NULL}, "--id");
	refused((const char *[]){"--id", "4096", "--data-dir", "/d", NULL}, "--id");
	refused((const char *[]){"--id", "1x", "--data-dir", "/d", NULL}, "--id");
	refused((const char *[]){"--id", "1", "--data-dir", "/d", "more", NULL}, "more");
	refused((const char *[]){"--listen", "localhost", NULL}, "--listen");
	refused((const char *[]){"--advertise", "0.0.0.0", NULL}, "--advertise 0.0.0.0");
	refused((const char *[]){"--advertise", "[::]:4711", NULL}, "--advertise");
	refused((const char *[]){"--advertise", "here", NULL}, "--advertise");
	refused((const char *[]){"--push", "some", NULL}, "--push some");
	refused((const char *[]){"--postcode-check", "never", NULL}, "--postcode-check never");
	refused((const char *[]){"--max-orders", "-1", NULL}, "--max-orders");
	refused((const char *[]){"--id", "1", "--data-dir", "/d", "--heartbeat-ms", "300", NULL}, "--suspect-ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(given),
		cmocka_unit_test(only_check),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
