/* Purpose: --frontend accepts a host, or a host and a port, in every spelling of the host; an invalid port is refused
 * as such, and not resolved as a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "client/locate.h"
#include "client/place.h"

#define PATIENCE_MS 20000

static void hosts_with_a_port(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} places[] = {
		{"localhost:40001", "localhost", 40001}, {"host.example:1", "host.example", 1},
		{"192.0.2.7:65535", "192.0.2.7", 65535}, {"[::1]:40001", "::1", 40001},
	};
	char host[PLACE_HOST];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		assert_true(place_has_port(places[i].text, host, &port));
		assert_string_equal(host, places[i].host);
		assert_int_equal(port, places[i].port);
		assert_false(place_is_malformed(places[i].text));
	}
}

static void hosts_without(void **state)
{
	static const char *const hosts[] = {"localhost", "192.0.2.7", "::1", "[::1]", "fe80::1", "a.example"};
	char host[PLACE_HOST];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		assert_false(place_has_port(hosts[i], host, &port));
		assert_false(place_is_malformed(hosts[i]));
	}
}

static void neither(void **state)
{
	static const char *const places[] = {"localhost:",  "localhost:0",  "localhost:65536", "localhost:http", "a:+1",
					     ":40001",      "[::1]:",       "[::1]:0",         "[::1",           "[localhost]:1",
					     "localhost:99999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (!place_is_malformed(places[i]))
			fail_msg("\"%s\" passes", places[i]);
	}
}

/* Whatever a hosts file says: both families, one after the other. */
static void localhost_is_both_loopbacks(void **state)
{
	char address[64], error[256] = "";

	(void)state;
	assert_true(place_resolve("localhost", 40001, 0, PATIENCE_MS, address, error, sizeof error));
	assert_string_equal(address, "127.0.0.1:40001");
	assert_true(place_resolve("localhost", 40001, 1, PATIENCE_MS, address, error, sizeof error));
	assert_string_equal(address, "[::1]:40001");
	assert_true(place_resolve("::1", 40001, 7, PATIENCE_MS, address, error, sizeof error));
	assert_string_equal(address, "[::1]:40001");
}

static void a_name_that_does_not_exist(void **state)
{
	char address[64], error[256] = "";

	(void)state;
	assert_false(place_resolve("nobody.invalid", 40001, 0, PATIENCE_MS, address, error, sizeof error));
	assert_non_null(strstr(error, "cannot find host nobody.invalid: "));
}

static void what_is_here(void **state)
{
	(void)state;
	assert_true(place_is_here("localhost", PATIENCE_MS));
	assert_true(place_is_here("127.0.0.1", PATIENCE_MS));
	assert_true(place_is_here("::1", PATIENCE_MS));
	assert_false(place_is_here("192.0.2.7", PATIENCE_MS));
}

/* Of a host with a loopback address and an external one, both are tried from the host itself, and only the latter from
 * elsewhere. */
static void which_of_two_addresses(void **state)
{
	static const struct {
		const char *asked, *first, *second;
	} hosts[] = {{"127.0.0.1", "127.0.0.1:4001", "192.0.2.7:4002"}, {"192.0.2.7", "192.0.2.7:4002", "192.0.2.7:4002"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct client_options options = client_options_default();
		char error[512];

		options.frontend = hosts[i].asked;
		for (unsigned int turn = 0; turn < 2; turn++) {
			struct registry_entry entries[] = {{.address = "127.0.0.1:4001"}, {.address = "192.0.2.7:4002"}};

			assert_string_equal(locate_choose(&options, entries, 2, turn, PATIENCE_MS, error, sizeof error),
					    turn ? hosts[i].second : hosts[i].first);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_with_a_port),
		cmocka_unit_test(hosts_without),
		cmocka_unit_test(neither),
		cmocka_unit_test(localhost_is_both_loopbacks),
		cmocka_unit_test(a_name_that_does_not_exist),
		cmocka_unit_test(what_is_here),
		cmocka_unit_test(which_of_two_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
