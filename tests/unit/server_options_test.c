/* The command line of justhungry-server: options take effect, and invalid ones end it with status 2 and a line that
 * names the option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/options.h"
#include "tests/unit/support_arguments.h"

static struct server_options parsed;

static void parse_into(int argc, char **argv)
{
	server_options_parse(argc, argv, &parsed);
}

static void parse(struct server_options *options, const char *const *arguments)
{
	arguments_given(parse_into, arguments);
	*options = parsed;
}

static void defaults(void **state)
{
	struct server_options options;

	(void)state;
	parse(&options, (const char *[]){"--id", "7", "--data-dir", "/d", NULL});
	assert_int_equal(options.node.id, 7);
	assert_int_equal(options.node.replica.id, 7);
	assert_string_equal(options.node.daemon.data_dir, "/d");
	assert_int_equal(options.node.daemon.program_base, 540000000);
	assert_int_equal(options.node.orders_max, 10000000);
	assert_int_equal(options.node.replica.orders_max, 10000000);
	assert_int_equal(options.node.replica.push_mode, PUSH_AUTO);
	assert_int_equal(options.node.replica.heartbeat_ms, 50);
	assert_int_equal(options.node.replica.suspect_ms, 250);
	assert_int_equal(options.node.replica.stall_ms, 2000);
	assert_int_equal(options.node.replica.push_full_limit, 65536);
	assert_int_equal(options.node.postcodes.mode, POSTCODE_AUTO);
	assert_null(options.node.postcodes.proxy);
	assert_int_equal(options.node.postcodes.deadline_ms, 1000);
	assert_int_equal(options.node.daemon.listen_count, 0);
	assert_null(options.node.daemon.advertise);
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
					 "--suspect-ms=100", "--heartbeat-ms=20", "--stall-ms=3000", NULL});
	assert_int_equal(options.node.daemon.listen_count, 2);
	assert_string_equal(options.node.daemon.listen[1], "[::1]:4711");
	assert_string_equal(options.node.daemon.advertise, "192.0.2.7");
	assert_int_equal(options.node.replica.push_mode, PUSH_DELTA);
	assert_int_equal(options.node.replica.orders_max, 5);
	assert_int_equal(options.node.orders_max, 5);
	assert_int_equal(options.node.daemon.program_base, 541000000);
	assert_int_equal(options.node.postcodes.mode, POSTCODE_STRICT);
	assert_string_equal(options.node.postcodes.proxy, "http://p:3128");
	assert_int_equal(options.node.replica.suspect_ms, 100);
	assert_int_equal(options.node.replica.heartbeat_ms, 20);
	assert_int_equal(options.node.replica.stall_ms, 3000);
}

/* --check needs neither id nor data directory. */
static void only_check(void **state)
{
	struct server_options options;

	(void)state;
	parse(&options, (const char *[]){"--check", "/d", NULL});
	assert_string_equal(options.check, "/d");
}

static void refused(const char *const *arguments, const char *named)
{
	arguments_refused(parse_into, arguments, named);
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
