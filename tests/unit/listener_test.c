/* Purpose: which addresses are registered with rpcbind, and what each of its answers means to a daemon: when it is
 * ready, when it must end, and which line is printed. The answers are given by hand: no rpcbind is asked, and nothing
 * listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rpc/net/address.h"
#include "rpc/net/listener.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"
#include "tests/unit/support_log.h"

#define PROGRAM 0x21000000u

typedef void (*result_fn)(void *context, enum registry_set_result set, const char *error);

/* What is kept registered. */
static struct {
	char address[RPC_ADDRESS_TEXT];
	result_fn result;
	void *context;
} kept[4];
static uint32_t kept_count;

/* Replaces the registry. */
void registry_keep(struct registry *registry, uint32_t program, uint32_t version, const char *address, result_fn result,
		   void *context)
{
	assert_null(registry);
	assert_int_equal(program, PROGRAM);
	assert_int_equal(version, 3);
	assert_true(kept_count < 4);
	snprintf(kept[kept_count].address, sizeof kept[0].address, "%s", address);
	kept[kept_count].result = result;
	kept[kept_count++].context = context;
}

static void answer(uint32_t which, enum registry_set_result set)
{
	assert_true(which < kept_count);
	kept[which].result(kept[which].context, set, set == REGISTRY_SET ? NULL : "a line of rpcbind's");
}

static bool has_v6 = true;
static uint16_t next_port;

/* Replaces the server, on a host that has 127.*, and perhaps ::1. */
bool rpc_server_listen(struct rpc_server *server, const char *text, char *bound, size_t bound_size, char *error,
		       size_t error_size)
{
	struct rpc_address address;

	assert_null(server);
	assert_true(rpc_address_parse(text, &address));
	if (!rpc_address_is_wildcard(&address) &&
	    (!rpc_address_is_loopback(&address) || (address.storage.ss_family == AF_INET6 && !has_v6))) {
		snprintf(error, error_size, "cannot listen on %s", text);
		return false;
	}
	rpc_address_set_port(&address, next_port++);
	rpc_address_format(&address, bound, bound_size);
	return true;
}

/* --- a daemon ----------------------------------------------------------------------------------------------------- */

struct daemon {
	struct listener *listener;
	char address[RPC_ADDRESS_TEXT], error[256];
	uint32_t ready, failed, replaced;
};

static void on_ready(void *context)
{
	((struct daemon *)context)->ready++;
}

static void on_failed(void *context, const char *line)
{
	assert_string_equal(line, "a line of rpcbind's");
	((struct daemon *)context)->failed++;
}

static void on_replaced(void *context, const char *line)
{
	assert_string_equal(line, "a line of rpcbind's");
	((struct daemon *)context)->replaced++;
}

static const struct listener_options like_a_server = {.ready = on_ready, .failed = on_failed, .replaced = on_replaced};
static const struct listener_options like_a_frontend = {.ready = on_ready, .failed = on_failed, .ready_when_all = true};

/* addresses: up to a NULL. */
static bool begin(struct daemon *daemon, const struct listener_options *like, const char *const *addresses,
		  const char *advertise)
{
	struct listener_options options = *like;

	*daemon = (struct daemon){.ready = 0};
	kept_count = 0;
	next_port = 4001;
	while (addresses[options.addresses_count] != NULL)
		options.addresses_count++;
	options.program = PROGRAM;
	options.version = 3;
	options.addresses = addresses;
	options.advertise = advertise;
	options.context = daemon;
	daemon->listener = listener_new(&options, daemon->address, sizeof daemon->address, daemon->error,
					sizeof daemon->error);
	return daemon->listener != NULL;
}

static void end(struct daemon *daemon)
{
	listener_free(daemon->listener);
	has_v6 = true;
}

static const char *log_read(void)
{
	const char *text = log_text();

	stop_listening(NULL);
	return text;
}

static uint32_t lines_of(const char *text)
{
	uint32_t count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

#define ADDRESSES(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const nothing[] = {NULL};

/* --- what is registered ------------------------------------------------------------------------------------------- */

static void loopback_by_default(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_true(begin(&daemon, &like_a_server, nothing, NULL));
	assert_int_equal(kept_count, 2);
	assert_string_equal(kept[0].address, "127.0.0.1:4001");
	assert_string_equal(kept[1].address, "[::1]:4002");
	assert_string_equal(daemon.address, "127.0.0.1:4001");
	end(&daemon);

	has_v6 = false;
	assert_true(begin(&daemon, &like_a_server, nothing, NULL));
	assert_int_equal(kept_count, 1);
	end(&daemon);
}

static void one_of_each_family(void **state)
{
	struct daemon daemon;

	(void)state;
	listen_to_log();
	assert_true(begin(&daemon, &like_a_frontend, ADDRESSES("127.0.0.2", "127.0.0.1"), NULL));
	assert_non_null(strstr(log_read(), "listening on 127.0.0.1:4002 too, but not registered there: rpcbind takes one "
					   "address of a kind, and that is 127.0.0.2:4001\n"));
	assert_int_equal(kept_count, 1);
	assert_string_equal(kept[0].address, "127.0.0.2:4001");
	answer(0, REGISTRY_SET);
	assert_int_equal(daemon.ready, 1);
	end(&daemon);
}

static void advertised_and_nothing_else(void **state)
{
	struct daemon daemon;

	(void)state;
	listen_to_log();
	assert_true(begin(&daemon, &like_a_frontend, ADDRESSES("::", "0.0.0.0", "127.0.0.1"), "192.0.2.7"));
	assert_string_equal(log_read(), "");
	assert_int_equal(kept_count, 1);
	assert_string_equal(kept[0].address, "192.0.2.7:4002");
	assert_string_equal(daemon.address, "192.0.2.7:4002");
	end(&daemon);

	/* Others cannot reach what listens on this host alone. */
	listen_to_log();
	assert_true(begin(&daemon, &like_a_frontend, nothing, "192.0.2.7:4711"));
	assert_non_null(strstr(log_read(), "advertising 192.0.2.7:4711 but listening on this host only"));
	assert_int_equal(kept_count, 1);
	assert_string_equal(kept[0].address, "192.0.2.7:4711");
	end(&daemon);
}

static void advertised_without_a_port(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_false(begin(&daemon, &like_a_frontend, ADDRESSES("127.0.0.1"), "2001:db8::7"));
	assert_string_equal(daemon.error, "--advertise 2001:db8::7 needs a port, or a --listen address of the same kind");
	assert_int_equal(kept_count, 0);
	end(&daemon);
}

static void no_address_of_this_host(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_false(begin(&daemon, &like_a_server, ADDRESSES("127.0.0.1", "192.0.2.7"), NULL));
	assert_string_equal(daemon.error, "cannot listen on 192.0.2.7");
	assert_int_equal(kept_count, 0);
	end(&daemon);
}

/* --- answers of rpcbind ------------------------------------------------------------------------------------------- */

/* The first makes a server ready: the other is only an additional address. */
static void server_is_ready_with_the_first(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_true(begin(&daemon, &like_a_server, nothing, NULL));
	answer(1, REGISTRY_SET);
	assert_int_equal(daemon.ready, 0);
	answer(0, REGISTRY_SET);
	assert_int_equal(daemon.ready, 1);
	answer(1, REGISTRY_FAILED);
	answer(1, REGISTRY_SET);
	assert_int_equal(daemon.ready, 1);
	assert_int_equal(daemon.failed + daemon.replaced, 0);
	end(&daemon);
}

/* Another front-end might be registered at the other. */
static void frontend_is_ready_with_all(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_true(begin(&daemon, &like_a_frontend, nothing, NULL));
	answer(0, REGISTRY_SET);
	assert_int_equal(daemon.ready, 0);
	answer(1, REGISTRY_SLOW);
	assert_int_equal(daemon.ready, 0);
	answer(1, REGISTRY_SET);
	assert_int_equal(daemon.ready, 1);
	end(&daemon);
}

/* An rpcbind without IPv6 is fine, as long as IPv6 was not requested. */
static void frontend_goes_without_v6(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_true(begin(&daemon, &like_a_frontend, nothing, NULL));
	listen_to_log();
	answer(1, REGISTRY_FAILED);
	answer(0, REGISTRY_SET);
	assert_string_equal(log_read(), "");
	assert_int_equal(daemon.ready, 1);
	assert_int_equal(daemon.failed, 0);
	end(&daemon);

	assert_true(begin(&daemon, &like_a_frontend, ADDRESSES("127.0.0.1", "::1"), NULL));
	answer(0, REGISTRY_SET);
	answer(1, REGISTRY_FAILED);
	assert_int_equal(daemon.ready, 0);
	assert_int_equal(daemon.failed, 1);
	answer(1, REGISTRY_SET); /* nothing follows */
	assert_int_equal(daemon.ready, 0);
	end(&daemon);
}

/* A slow one may still come; one that has refused will not. */
static void first_refused(void **state)
{
	static const struct listener_options *const likes[] = {&like_a_server, &like_a_frontend};
	struct daemon daemon;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(begin(&daemon, likes[i], ADDRESSES("127.0.0.1"), NULL));
		listen_to_log();
		answer(0, REGISTRY_SLOW);
		assert_non_null(strstr(log_read(), "registry a line of rpcbind's\n"));
		assert_int_equal(daemon.ready + daemon.failed, 0);
		answer(0, REGISTRY_FAILED);
		assert_int_equal(daemon.failed, 1);
		answer(0, REGISTRY_FAILED);
		assert_int_equal(daemon.failed, 1);
		end(&daemon);
	}
}

/* RULE 17: rpcbind is for discovery. Its absence is reported in one line, whatever the number of addresses. */
static void rpcbind_restarted(void **state)
{
	struct daemon daemon;
	const char *text;

	(void)state;
	assert_true(begin(&daemon, &like_a_frontend, ADDRESSES("127.0.0.1", "::1"), NULL));
	answer(0, REGISTRY_SET);
	answer(1, REGISTRY_SET);
	assert_int_equal(daemon.ready, 1);
	listen_to_log();
	answer(0, REGISTRY_FAILED);
	answer(1, REGISTRY_FAILED);
	text = log_read();
	assert_int_equal(lines_of(text), 1);
	assert_non_null(strstr(text, "a line of rpcbind's: serving on, and registering again when it is back"));
	listen_to_log();
	answer(0, REGISTRY_SET);
	answer(1, REGISTRY_SET);
	text = log_read();
	assert_int_equal(lines_of(text), 2);
	assert_non_null(strstr(text, "registered again address=127.0.0.1:"));
	assert_non_null(strstr(text, "registered again address=[::1]:"));
	assert_int_equal(daemon.failed, 0);
	end(&daemon);
}

/* RULE 20: before it is ready another live process ends it; later the daemon decides. */
static void taken(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_true(begin(&daemon, &like_a_server, ADDRESSES("127.0.0.1"), NULL));
	answer(0, REGISTRY_TAKEN);
	assert_int_equal(daemon.failed, 1);
	assert_int_equal(daemon.replaced, 0);
	end(&daemon);

	assert_true(begin(&daemon, &like_a_server, ADDRESSES("127.0.0.1"), NULL));
	answer(0, REGISTRY_SET);
	answer(0, REGISTRY_TAKEN);
	assert_int_equal(daemon.failed, 0);
	assert_int_equal(daemon.replaced, 1);
	answer(0, REGISTRY_SET);
	answer(0, REGISTRY_TAKEN);
	assert_int_equal(daemon.replaced, 1);
	end(&daemon);

	assert_true(begin(&daemon, &like_a_frontend, ADDRESSES("127.0.0.1"), NULL));
	answer(0, REGISTRY_SET);
	listen_to_log();
	answer(0, REGISTRY_TAKEN);
	assert_non_null(strstr(log_read(), "a line of rpcbind's"));
	assert_int_equal(daemon.failed, 0);
	end(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_by_default),
		cmocka_unit_test(one_of_each_family),
		cmocka_unit_test(advertised_and_nothing_else),
		cmocka_unit_test(advertised_without_a_port),
		cmocka_unit_test(no_address_of_this_host),
		cmocka_unit_test(server_is_ready_with_the_first),
		cmocka_unit_test(frontend_is_ready_with_all),
		cmocka_unit_test(frontend_goes_without_v6),
		cmocka_unit_test(first_refused),
		cmocka_unit_test(rpcbind_restarted),
		cmocka_unit_test(taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
