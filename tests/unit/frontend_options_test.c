/* The command line of justhungry-frontend, and with it the options that both daemons have: what is asked for arrives, and
 * what makes no sense ends with status 2 and a line that names the option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frontend/options.h"
#include "rpc/base/limits.h"
#include "tests/unit/support_arguments.h"

static struct frontend_options options;

static void parse(int argc, char **argv)
{
	frontend_options_parse(argc, argv, &options);
}

static void refused(const char *const *arguments, const char *named)
{
	arguments_refused(parse, arguments, named);
}

static void defaults(void **state)
{
	(void)state;
	arguments_given(parse, (const char *[]){"--data-dir", "/d", NULL});
	assert_string_equal(options.daemon.data_dir, "/d");
	assert_string_equal(options.replica_hosts, "127.0.0.1");
	assert_int_equal(options.daemon.listen_count, 0);
	assert_null(options.daemon.advertise);
	assert_int_equal(options.daemon.program_base, 540000000);
	assert_int_equal(options.max_clients, LIMIT_CONNECTIONS);
	assert_int_equal(options.views.heartbeat_ms, 50);
	assert_int_equal(options.views.suspect_ms, 250);
	assert_int_equal(options.views.stall_ms, 2000);
	assert_int_equal(options.views.start_wait_ms, 2000);
	assert_int_equal(options.views.forget_ms, 20000);
	assert_int_equal(options.views.full_wait_ms, 60000);
	assert_int_equal(options.views.min_members, 1);
	assert_string_equal(options.views.base_option, "");
	assert_false(options.views.new_cluster);
	assert_false(options.views.take_over);
}

static void given(void **state)
{
	(void)state;
	arguments_given(parse, (const char *[]){"--data-dir=/d", "--listen=0.0.0.0", "--listen=[::1]:4711",
						"--advertise=192.0.2.7", "--program-base=541000000", "--heartbeat-ms=20",
						"--suspect-ms=100", "--stall-ms=3000", "--replica-hosts=a,b",
						"--start-wait-ms=0", "--full-wait-s=7", "--autoclean-s=8", "--min-members=2",
						"--max-clients=9", "--new-cluster", "--take-over", NULL});
	assert_int_equal(options.daemon.listen_count, 2);
	assert_string_equal(options.daemon.listen[0], "0.0.0.0");
	assert_string_equal(options.daemon.listen[1], "[::1]:4711");
	assert_string_equal(options.daemon.advertise, "192.0.2.7");
	assert_int_equal(options.daemon.program_base, 541000000);
	assert_string_equal(options.views.base_option, " --program-base 541000000");
	assert_int_equal(options.daemon.suspect_ms, 100);
	assert_int_equal(options.views.heartbeat_ms, 20);
	assert_int_equal(options.views.suspect_ms, 100);
	assert_int_equal(options.views.stall_ms, 3000);
	assert_string_equal(options.replica_hosts, "a,b");
	assert_int_equal(options.views.start_wait_ms, 0);
	assert_int_equal(options.views.full_wait_ms, 7000);
	assert_int_equal(options.views.forget_ms, 8000);
	assert_int_equal(options.views.min_members, 2);
	assert_int_equal(options.max_clients, 9);
	assert_true(options.views.new_cluster);
	assert_true(options.views.take_over);
}

static void nonsense(void **state)
{
	(void)state;
	refused((const char *[]){"--new-cluster", NULL}, "--data-dir DIR is needed");
	refused((const char *[]){"--data-dir", "/d", "--heartbeat-ms", "126", NULL}, "--suspect-ms");
	refused((const char *[]){"--replica-hosts", "a,,b", NULL}, "--replica-hosts");
	refused((const char *[]){"--min-members", "0", NULL}, "--min-members");
}

/* Of both daemons. */
static void common_nonsense(void **state)
{
	(void)state;
	refused((const char *[]){"--data-dir", "/d", "more", NULL}, "more: there are only options");
	refused((const char *[]){"--listen", "localhost", NULL}, "--listen");
	refused((const char *[]){"--listen=::1", "--listen=::1", "--listen=::1", "--listen=::1", "--listen=::1", "--listen=::1",
				 "--listen=::1", "--listen=::1", "--listen=::1", NULL}, "--listen: at most 8 addresses");
	refused((const char *[]){"--advertise", "0.0.0.0", NULL}, "--advertise 0.0.0.0");
	refused((const char *[]){"--advertise", "[::]:4711", NULL}, "--advertise");
	refused((const char *[]){"--advertise", "here", NULL}, "--advertise");
	refused((const char *[]){"--program-base", "0", NULL}, "--program-base");
	refused((const char *[]){"--program-base", "4294963201", NULL}, "--program-base"); /* no room for 4095 replicas */
	refused((const char *[]){"--heartbeat-ms", "4", NULL}, "--heartbeat-ms");
	refused((const char *[]){"--suspect-ms", "1s", NULL}, "--suspect-ms");
	refused((const char *[]){"--stall-ms", "-1", NULL}, "--stall-ms");
	refused((const char *[]){"--log-level", "loud", NULL}, "--log-level");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(given),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(common_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
