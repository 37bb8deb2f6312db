/* Purpose: the process named by an entry of rpcbind is dead only when none is there or another program is; any other
 * answer is a sign of life, and a failure to ask is no proof of death (rule 20). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <rpc/rpc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/net/address.h"
#include "rpc/net/registry.h"

#define PROGRAM 0x21000000u
#define PATIENCE_MS 20000u /* every peer answers or closes at once */
#define CALL_BYTES 44u     /* the record mark and a call without arguments */

/* A peer's reply after the xid, in words; none: it closes. */
static const struct {
	const char *what;
	uint32_t words[7];
	uint32_t count;
	enum registry_life life;
} answers[] = {
	{"success", {REPLY, MSG_ACCEPTED, 0, 0, SUCCESS}, 5, REGISTRY_ALIVE},
	{"no such procedure", {REPLY, MSG_ACCEPTED, 0, 0, PROC_UNAVAIL}, 5, REGISTRY_ALIVE},
	{"undecodable arguments", {REPLY, MSG_ACCEPTED, 0, 0, GARBAGE_ARGS}, 5, REGISTRY_ALIVE},
	{"a system error", {REPLY, MSG_ACCEPTED, 0, 0, SYSTEM_ERR}, 5, REGISTRY_ALIVE},
	{"credentials refused", {REPLY, MSG_DENIED, AUTH_ERROR, AUTH_TOOWEAK}, 4, REGISTRY_ALIVE},
	{"another version of RPC", {REPLY, MSG_DENIED, RPC_MISMATCH, 3, 3}, 5, REGISTRY_ALIVE},
	{"another version of the program", {REPLY, MSG_ACCEPTED, 0, 0, PROG_MISMATCH, 2, 3}, 7, REGISTRY_ALIVE},
	{"another program", {REPLY, MSG_ACCEPTED, 0, 0, PROG_UNAVAIL}, 5, REGISTRY_DEAD},
	{"no reply of RPC", {CALL, 7, 7, 7, 7}, 5, REGISTRY_DEAD},
	{"nothing", {0}, 0, REGISTRY_DEAD},
};

#define ANSWERS (sizeof answers / sizeof *answers)

static void answer_one(int fd, size_t which)
{
	uint32_t call[CALL_BYTES / 4];
	uint32_t reply[9] = {htonl(0x80000000u | (answers[which].count + 1) * 4)};

	if (recv(fd, call, sizeof call, MSG_WAITALL) != (ssize_t)sizeof call || answers[which].count == 0)
		return;
	reply[1] = call[1];
	for (uint32_t i = 0; i < answers[which].count; i++)
		reply[i + 2] = htonl(answers[which].words[i]);
	send(fd, reply, (answers[which].count + 2) * sizeof *reply, MSG_NOSIGNAL);
}

/* Each connection gets the next answer. */
static void *answer_all(void *context)
{
	for (size_t i = 0; i < ANSWERS; i++) {
		int fd = accept(*(int *)context, NULL, NULL);

		answer_one(fd, i);
		close(fd);
	}
	return NULL;
}

static int listen_at(char address[RPC_ADDRESS_TEXT])
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct rpc_address own;

	assert_true(rpc_address_parse("127.0.0.1", &own));
	assert_int_equal(bind(listener, (struct sockaddr *)&own.storage, own.length), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&own.storage, &own.length), 0);
	rpc_address_format(&own, address, RPC_ADDRESS_TEXT);
	return listener;
}

static void every_answer(void **state)
{
	char address[RPC_ADDRESS_TEXT];
	char error[256] = "";
	int listener = listen_at(address);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, answer_all, &listener), 0);
	for (size_t i = 0; i < ANSWERS; i++)
		if (registry_ping(address, PROGRAM, 1, PATIENCE_MS, error, sizeof error) != answers[i].life)
			fail_msg("who answers with %s: %s", answers[i].what, error);
	pthread_join(thread, NULL);
	close(listener);
	assert_int_equal(registry_ping(address, PROGRAM, 1, PATIENCE_MS, error, sizeof error), REGISTRY_DEAD);
	assert_int_equal(registry_ping("nowhere", PROGRAM, 1, PATIENCE_MS, error, sizeof error), REGISTRY_DEAD);
}

/* A process without descriptors cannot tell whether others are alive. */
static void a_shortage_proves_nothing(void **state)
{
	struct rlimit before;
	char address[RPC_ADDRESS_TEXT];
	char error[256] = "";
	int listener = listen_at(address);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	enum registry_life life = registry_ping(address, PROGRAM, 1, PATIENCE_MS, error, sizeof error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(life, REGISTRY_UNKNOWN);
	assert_true(error[0] != '\0');
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer),
		cmocka_unit_test(a_shortage_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
