/* Purpose: registrations appear in rpcbind as given, a live one of another process is never stolen, a dead one is
 * replaced or cleaned, and no dead or trickling host holds a caller longer than the deadline. Without a running
 * rpcbind most is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_fixture.h"
#include "rpc/base/clock.h"
#include "rpc/net/address.h"
#include "rpc/net/blocking_call.h"
#include "rpc/net/registry.h"
#include "rpc/net/registry_internal.h"
#include "rpc/net/registry_mappings.h"
#include "rpc/net/resolve.h"

static enum registry_set_result set(uint32_t program, uint32_t version, const char *address, char *error,
				    size_t error_size)
{
	return registry_set_by(program, version, address, REGISTRY_PATIENCE_US, 0, error, error_size);
}

static void unset(uint32_t program, uint32_t version, const char *address)
{
	registry_unset_by(program, version, address, rpc_clock_us() + REGISTRY_PATIENCE_US);
}

/* Programs of this process's own, so that parallel runs do not collide. */
static uint32_t own_program(uint32_t which)
{
	return 0x21000000u + (uint32_t)getpid() % 0x100000u * 8 + which;
}

static void need_rpcbind(void)
{
	struct registry_entry entry;
	char error[256];

	if (registry_dump("127.0.0.1", 100000, 100000, &entry, 1, 2000, error, sizeof error) != 1)
		skip();
}

/* rpcbind's entry of the program; "" when there is none. */
static const char *registered(uint32_t program)
{
	static char address[64];
	struct registry_entry entry;
	char error[256] = "";
	int count = registry_dump("127.0.0.1", program, program, &entry, 1, 5000, error, sizeof error);

	if (count < 0)
		fail_msg("%s", error);
	snprintf(address, sizeof address, "%s", count == 1 ? entry.address : "");
	return address;
}

/* --- an echo server on a thread, because the registry's blocking half needs a live one ---------------------------- */

struct served {
	struct echo echo;
	uint32_t program;
	pthread_t thread;
	atomic_bool stop;
};

static void look_for_stop(evutil_socket_t fd, short what, void *context)
{
	struct served *served = context;

	(void)fd;
	(void)what;
	if (atomic_load(&served->stop))
		event_base_loopbreak(served->echo.base);
}

static void *serve(void *context)
{
	struct served *served = context;
	struct event *look = event_new(served->echo.base, -1, EV_PERSIST, look_for_stop, served);

	event_add(look, &(struct timeval){.tv_usec = 5000});
	event_base_dispatch(served->echo.base);
	event_free(look);
	return NULL;
}

static void serve_start(struct served *served, uint32_t program)
{
	echo_open(&served->echo, NULL);
	served->program = program;
	rpc_server_register(served->echo.server, program, 1, echo_program_1, &served->echo);
	atomic_store(&served->stop, false);
	assert_int_equal(pthread_create(&served->thread, NULL, serve, served), 0);
}

static void serve_stop(struct served *served)
{
	atomic_store(&served->stop, true);
	pthread_join(served->thread, NULL);
	echo_close(&served->echo);
}

/* --- blocking ----------------------------------------------------------------------------------------------------- */

/* The given entry exists, and nothing else is unset (rule 20). */
static void set_dump_unset(void **state)
{
	uint32_t program = own_program(0);
	struct registry_entry entries[4];
	char error[256] = "";
	char owner[16];

	(void)state;
	need_rpcbind();
	assert_int_equal(set(program, 1, "127.0.0.1:1", error, sizeof error), REGISTRY_SET);
	assert_int_equal(set(program, 1, "127.0.0.1:1", error, sizeof error), REGISTRY_SET); /* again */
	assert_int_equal(set(program, 1, "[::1]:2", error, sizeof error), REGISTRY_SET);
	assert_int_equal(registry_dump("localhost", program, program, entries, 4, 5000, error, sizeof error), 2);
	snprintf(owner, sizeof owner, "%u", geteuid());
	for (int i = 0; i < 2; i++) {
		bool v6 = strcmp(entries[i].netid, "tcp6") == 0;

		assert_string_equal(entries[i].netid, v6 ? "tcp6" : "tcp");
		assert_string_equal(entries[i].address, v6 ? "[::1]:2" : "127.0.0.1:1");
		assert_string_equal(entries[i].owner, geteuid() == 0 ? "superuser" : owner);
		assert_int_equal(entries[i].program, program);
		assert_int_equal(entries[i].version, 1);
	}
	assert_int_equal(registry_dump("localhost", program, program, entries, 1, 5000, error, sizeof error), 1);
	unset(program, 1, "127.0.0.1:9"); /* not the registered one: stays */
	unset(program, 1, "[::1]:2");
	assert_string_equal(registered(program), "127.0.0.1:1");
	unset(program, 1, "127.0.0.1:1");
	assert_string_equal(registered(program), "");
}

/* A wildcard stands for the host that was asked. */
static void wildcard_is_the_host_asked(void **state)
{
	uint32_t program = own_program(1);
	struct registry_entry entries[4];
	char error[256] = "";

	(void)state;
	need_rpcbind();
	assert_int_equal(set(program, 1, "0.0.0.0:7", error, sizeof error), REGISTRY_SET);
	assert_int_equal(set(program, 1, "[::]:8", error, sizeof error), REGISTRY_SET);
	assert_int_equal(registry_dump("127.0.0.1", program, program, entries, 4, 5000, error, sizeof error), 2);
	for (int i = 0; i < 2; i++)
		assert_string_equal(entries[i].address,
				    strcmp(entries[i].netid, "tcp") == 0 ? "127.0.0.1:7" : "[::1]:8");
	unset(program, 1, "0.0.0.0:7");
	unset(program, 1, "[::]:8");
	assert_string_equal(registered(program), "");
}

/* RULE 20: a process that answers keeps its registration; one that does not is replaced. */
static void the_living_keep_theirs(void **state)
{
	struct served served;
	char error[256] = "";

	(void)state;
	need_rpcbind();
	serve_start(&served, own_program(5));
	assert_int_equal(set(served.program, 1, served.echo.address, error, sizeof error), REGISTRY_SET);
	assert_int_equal(set(served.program, 1, "127.0.0.1:1", error, sizeof error), REGISTRY_TAKEN);
	assert_non_null(strstr(error, served.echo.address));
	error[0] = '\0';
	assert_true(registry_taken(served.program, error, sizeof error));
	assert_non_null(strstr(error, served.echo.address));
	assert_false(registry_taken(served.program + 1, error, sizeof error));
	assert_false(registry_clean(served.program, 1, served.echo.address));
	serve_stop(&served);
	assert_false(registry_taken(served.program, error, sizeof error)); /* dead */
	assert_false(registry_clean(served.program, 1, "127.0.0.1:1")); /* not the registered one */
	assert_int_equal(set(served.program, 1, "127.0.0.1:1", error, sizeof error), REGISTRY_SET);
	assert_string_equal(registered(served.program), "127.0.0.1:1");
	assert_true(registry_clean(served.program, 1, "127.0.0.1:1"));
	assert_false(registry_clean(served.program, 1, "127.0.0.1:1"));
	assert_string_equal(registered(served.program), "");
}

/* RULE 20: a process that serves another version of the program keeps its registration; a port that another program
 * has by now is free for cleaning. */
static void a_refusal_is_a_sign_of_life(void **state)
{
	struct served served;
	uint32_t another = own_program(4);
	char error[256] = "";

	(void)state;
	need_rpcbind();
	serve_start(&served, own_program(5)); /* it serves version 1 */
	assert_int_equal(set(served.program, 2, served.echo.address, error, sizeof error), REGISTRY_SET);
	assert_int_equal(set(served.program, 2, "127.0.0.1:1", error, sizeof error), REGISTRY_TAKEN);
	assert_true(registry_taken(served.program, error, sizeof error));
	assert_false(registry_clean(served.program, 2, served.echo.address));
	unset(served.program, 2, served.echo.address);
	assert_int_equal(set(another, 1, served.echo.address, error, sizeof error), REGISTRY_SET);
	assert_false(registry_taken(another, error, sizeof error));
	assert_int_equal(set(another, 1, "127.0.0.1:1", error, sizeof error), REGISTRY_SET);
	assert_true(registry_clean(another, 1, "127.0.0.1:1"));
	serve_stop(&served);
}

/* A stock client finds the server through rpcbind. */
static void stock_client_finds_the_server(void **state)
{
	struct served served;
	char error[256] = "";
	u_int value = 41;
	u_int result = 0;

	(void)state;
	need_rpcbind();
	serve_start(&served, own_program(6));
	assert_int_equal(set(served.program, 1, served.echo.address, error, sizeof error), REGISTRY_SET);

	CLIENT *client = clnt_create("127.0.0.1", served.program, 1, "tcp");

	assert_non_null(client);
	assert_int_equal(echo_now_1(&value, &result, client), RPC_SUCCESS);
	assert_int_equal(result, 42);
	clnt_destroy(client);
	unset(served.program, 1, served.echo.address);
	serve_stop(&served);
}

static void bad_addresses_are_told(void **state)
{
	char error[256] = "";

	(void)state;
	assert_int_equal(set(1, 1, "example.org:1", error, sizeof error), REGISTRY_FAILED);
	assert_non_null(strstr(error, "numeric"));
	assert_int_equal(set(1, 1, "127.0.0.1", error, sizeof error), REGISTRY_FAILED);
	assert_int_equal(registry_dump("", 1, 1, NULL, 0, 100, error, sizeof error), -1);
}

/* An entry for another transport is not found, whatever its address looks like. */
static void only_tcp_is_taken(void **state)
{
	static const struct {
		const char *netid, *address;
		bool taken;
	} registered[] = {
		{"tcp", "127.0.0.1.156.65", true},   {"tcp6", "::1.156.65", true},	{"udp", "127.0.0.1.156.65", false},
		{"udp6", "::1.156.65", false},	     {"tcp6", "127.0.0.1.156.65", false}, {"tcp", "::1.156.65", false},
		{"local", "/run/rpcbind.sock", false}, {"", "127.0.0.1.156.65", false},	{"tcp", "127.0.0.1.0.0", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof registered / sizeof *registered; i++) {
		struct mapping mapping = {.program = 1, .version = 1};
		struct registry_entry entry;

		snprintf(mapping.netid, sizeof mapping.netid, "%s", registered[i].netid);
		snprintf(mapping.address, sizeof mapping.address, "%s", registered[i].address);
		assert_int_equal(mapping_take(&mapping, NULL, 0, &entry), registered[i].taken);
	}
}

/* --- deadlines ---------------------------------------------------------------------------------------------------- */

static bool_t no_words(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

struct trickler {
	int listener;
	atomic_bool stop;
};

/* Accepts, then sends a byte of a long record now and then: each read of a stock client would succeed, forever. */
static void *trickle(void *context)
{
	struct trickler *trickler = context;
	int fd = accept(trickler->listener, NULL, NULL);

	send(fd, "\200\001", 2, MSG_NOSIGNAL);
	while (!atomic_load(&trickler->stop)) {
		send(fd, "", 1, MSG_NOSIGNAL);
		usleep(10000); /* the pause is the attack: the next byte comes before a read's own timeout */
	}
	close(fd);
	return NULL;
}

static void a_trickling_peer_cannot_exceed_the_deadline(void **state)
{
	struct trickler trickler = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
	struct rpc_address address;
	pthread_t thread;
	char error[128] = "";
	uint64_t deadline_us = rpc_clock_us() + 100000;

	(void)state;
	assert_true(rpc_address_parse("127.0.0.1", &address));
	assert_int_equal(bind(trickler.listener, (struct sockaddr *)&address.storage, address.length), 0);
	assert_int_equal(listen(trickler.listener, 1), 0);
	assert_int_equal(getsockname(trickler.listener, (struct sockaddr *)&address.storage, &address.length), 0);
	assert_int_equal(pthread_create(&thread, NULL, trickle, &trickler), 0);

	struct blocking_call call = {.address = &address, .program = 1, .version = 1, .encode = no_words,
				     .decode = no_words, .deadline_us = deadline_us};

	/* The peer never stops by itself, so returning at all is the proof; ctest's timeout would end it. */
	assert_int_equal(blocking_call(&call, error, sizeof error), BLOCKING_LATE);
	assert_string_equal(error, strerror(ETIMEDOUT));
	assert_true(rpc_clock_us() >= deadline_us);

	/* Nor beyond the moment when it is told to give up, however late the deadline is; the peer accepts no more. */
	call.deadline_us = rpc_clock_us() + 600000000;
	call.cancel_fd = eventfd(1, 0);
	assert_int_equal(blocking_call(&call, error, sizeof error), BLOCKING_LATE);
	assert_string_equal(error, strerror(ECANCELED));
	close(call.cancel_fd);
	atomic_store(&trickler.stop, true);
	pthread_join(thread, NULL);
	close(trickler.listener);
}

static void numeric_hosts_need_no_resolver(void **state)
{
	struct rpc_address addresses[4];
	char text[RPC_ADDRESS_TEXT];
	char error[128] = "";

	(void)state;
	/* With a deadline that has passed, only calls that need no answer succeed. */
	assert_int_equal(resolve_host("localhost", 111, 0, 0, addresses, 4, error, sizeof error), 1);
	rpc_address_format(&addresses[0], text, sizeof text);
	assert_string_equal(text, "127.0.0.1:111");
	assert_int_equal(resolve_host("::1", 111, 0, 0, addresses, 4, error, sizeof error), 1);
	rpc_address_format(&addresses[0], text, sizeof text);
	assert_string_equal(text, "[::1]:111");
	assert_int_equal(resolve_host("nowhere.invalid", 111, 0, 0, addresses, 4, error, sizeof error), 0);
	assert_true(error[0] != '\0');
}

/* --- asynchronous ------------------------------------------------------------------------------------------------- */

struct heard {
	unsigned results, dumps;
	enum registry_set_result set;
	int count;
	char address[64];
	char error[256];
};

static void on_result(void *context, enum registry_set_result set, const char *error)
{
	struct heard *heard = context;

	heard->results++;
	heard->set = set;
	snprintf(heard->error, sizeof heard->error, "%s", error == NULL ? "" : error);
}

static void on_dump(void *context, const char *host, const struct registry_entry *entries, int count, const char *error)
{
	struct heard *heard = context;

	assert_non_null(host);
	heard->dumps++;
	heard->count = count;
	if (count > 0)
		snprintf(heard->address, sizeof heard->address, "%s", entries[0].address);
	snprintf(heard->error, sizeof heard->error, "%s", error == NULL ? "" : error);
}

/* An unset by another process is repaired within the next round, and the unchanged result is not reported again. */
static void keeps_a_registration_alive(void **state)
{
	need_rpcbind();

	struct event_base *base = event_base_new();
	struct registry *registry = registry_new(base);
	struct heard heard = {0};
	uint32_t program = own_program(2);

	(void)state;
	registry_keep(registry, program, 1, "127.0.0.1:5", on_result, &heard);
	echo_until(base, heard.results == 1);
	assert_int_equal(heard.set, REGISTRY_SET);
	assert_string_equal(heard.error, "");
	unset(program, 1, "127.0.0.1:5");
	heard.count = 0;
	while (heard.count == 0) {
		unsigned dumps = heard.dumps;

		registry_dump_async(registry, "127.0.0.1", program, program, 5000, on_dump, &heard);
		echo_until(base, heard.dumps == dumps + 1);
		assert_true(heard.count >= 0);
	}
	assert_string_equal(heard.address, "127.0.0.1:5");
	assert_int_equal(heard.results, 1);
	registry_unset_all(registry);
	assert_string_equal(registered(program), "");
	registry_free(registry);
	event_base_free(base);
}

static void async_clean_removes_the_dead(void **state)
{
	need_rpcbind();

	struct event_base *base = event_base_new();
	struct registry *registry = registry_new(base);
	uint32_t program = own_program(3);
	char error[256];

	(void)state;
	assert_int_equal(set(program, 1, "127.0.0.1:6", error, sizeof error), REGISTRY_SET);
	registry_clean_async(registry, program, 1, "127.0.0.1:6");
	while (*registered(program) != '\0')
		event_base_loop(base, EVLOOP_NONBLOCK);

	/* With the other address of the same process, which would be waited for all over again. A program of its own:
	 * the first cleaning may still look for the others. */
	struct registry_entry entries[2];

	program = own_program(7);
	assert_int_equal(set(program, 1, "127.0.0.1:6", error, sizeof error), REGISTRY_SET);
	assert_int_equal(set(program, 1, "[::1]:6", error, sizeof error), REGISTRY_SET);
	registry_clean_async(registry, program, 1, "127.0.0.1:6");
	for (uint64_t until_us = rpc_clock_us() + 20000000; rpc_clock_us() < until_us; usleep(20000)) {
		/* Not all the time: rpcbind has to answer the cleaner, too. */
		if (registry_dump("127.0.0.1", program, program, entries, 2, 5000, error, sizeof error) == 0)
			break;
	}
	if (registry_dump("127.0.0.1", program, program, entries, 2, 5000, error, sizeof error) != 0)
		fail_msg("%s %s", entries[0].address, error);
	registry_free(registry);
	event_base_free(base);
}

static void failures_and_ends_of_the_async_half(void **state)
{
	struct event_base *base = event_base_new();
	struct registry *registry = registry_new(base);
	struct heard heard = {0};

	(void)state;
	registry_dump_async(registry, "", 1, 1, 100, on_dump, &heard);
	echo_until(base, heard.dumps == 1);
	assert_int_equal(heard.count, -1);
	assert_true(heard.error[0] != '\0');
	/* Freed with work under way and results not yet reported: no call-back follows. */
	for (int i = 0; i < 20; i++)
		registry_dump_async(registry, i % 2 == 0 ? "127.0.0.1" : "nowhere.invalid", 1, 1, 500, on_dump, &heard);
	registry_keep(registry, own_program(4), 1, "not an address", on_result, &heard);
	registry_clean_async(registry, own_program(4), 1, "not an address");
	registry_free(registry);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(heard.dumps, 1);
	assert_int_equal(heard.results, 0);
	registry_free(NULL);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: threads that outlived their registry would access freed memory during the others. */
		cmocka_unit_test(failures_and_ends_of_the_async_half),
		cmocka_unit_test(set_dump_unset),
		cmocka_unit_test(wildcard_is_the_host_asked),
		cmocka_unit_test(the_living_keep_theirs),
		cmocka_unit_test(a_refusal_is_a_sign_of_life),
		cmocka_unit_test(stock_client_finds_the_server),
		cmocka_unit_test(bad_addresses_are_told),
		cmocka_unit_test(a_trickling_peer_cannot_exceed_the_deadline),
		cmocka_unit_test(only_tcp_is_taken),
		cmocka_unit_test(numeric_hosts_need_no_resolver),
		cmocka_unit_test(keeps_a_registration_alive),
		cmocka_unit_test(async_clean_removes_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
