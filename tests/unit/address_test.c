/* Purpose: the three forms of an address convert into each other and back, and anything that is no address is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/net/address.h"

static void spellings_agree(void **state)
{
	static const struct {
		const char *text, *formatted, *universal, *netid;
	} rows[] = {
		{"127.0.0.1:40001", "127.0.0.1:40001", "127.0.0.1.156.65", "tcp"},
		{"0.0.0.0", "0.0.0.0:0", "0.0.0.0.0.0", "tcp"},
		{"192.0.2.7:65535", "192.0.2.7:65535", "192.0.2.7.255.255", "tcp"},
		{"[::1]:111", "[::1]:111", "::1.0.111", "tcp6"},
		{"::", "[::]:0", "::.0.0", "tcp6"},
		{"[2001:db8::7]", "[2001:db8::7]:0", "2001:db8::7.0.0", "tcp6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rpc_address address;
		struct rpc_address again;
		char text[RPC_ADDRESS_TEXT];

		assert_true(rpc_address_parse(rows[i].text, &address));
		rpc_address_format(&address, text, sizeof text);
		assert_string_equal(text, rows[i].formatted);
		rpc_address_to_universal(&address, text, sizeof text);
		assert_string_equal(text, rows[i].universal);
		assert_string_equal(rpc_address_netid(&address), rows[i].netid);
		assert_true(rpc_address_from_universal(text, &again));
		assert_true(rpc_address_same(&address, &again));
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"", ":", "localhost", "localhost:1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
		"127.0.0.1:1x", "1.2.3:4", "[::1", "[::1]4", "[127.0.0.1]:4", "[::1]:", "::1:x", "127.0.0.1:000001",
		"1111111111111111111111111111111111111111111111111111111111111111111111111"};
	static const char *const universals[] = {
		"", ".", "..", "127.0.0.1", "127.0.0.1.1", "127.0.0.1.1.256", "127.0.0.1.256.1", "127.0.0.1.1.",
		"a.b.c.d.1.1", "/run/rpcbind.sock", "::1.1"};
	struct rpc_address address;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(rpc_address_parse(texts[i], &address));
	for (size_t i = 0; i < sizeof universals / sizeof universals[0]; i++)
		assert_false(rpc_address_from_universal(universals[i], &address));
}

static void wildcard_and_loopback(void **state)
{
	struct rpc_address address;
	struct rpc_address other;

	(void)state;
	assert_true(rpc_address_parse("0.0.0.0:1", &address));
	assert_true(rpc_address_is_wildcard(&address));
	assert_false(rpc_address_is_loopback(&address));
	assert_true(rpc_address_parse("[::]:1", &address));
	assert_true(rpc_address_is_wildcard(&address));
	assert_true(rpc_address_parse("[::1]:1", &address));
	assert_true(rpc_address_is_loopback(&address));
	assert_true(rpc_address_parse("127.8.9.1:1", &other));
	assert_true(rpc_address_is_loopback(&other));
	assert_false(rpc_address_same(&address, &other));
	rpc_address_set_port(&other, 4711);
	assert_int_equal(rpc_address_port(&other), 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_agree),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(wildcard_and_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
