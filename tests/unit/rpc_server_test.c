/* Purpose: the server transport answers each call under its own xid in any order, may be paused, reports the end of
 * each turn, and survives connections that end at the worst moment. rpcgen's unmodified dispatch function runs on it.
 * Peers that stall, lie or take too much are in rpc_server_peers_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "echo_fixture.h"
#include "rpc/net/address.h"

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void answers_in_the_other_order(void **state)
{
	struct echo echo;
	uint8_t bytes[128];

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);
	size_t size = raw_call(bytes, 7, ECHO_LATER, 100);

	size += raw_call(bytes + size, 8, ECHO_LATER, 200);
	raw_send(fd, bytes, size);
	echo_until(echo.base, echo.held_count == 2);
	echo_answer(&echo, 1);
	assert_int_equal(raw_success(&echo, fd, 8), 201);
	echo_answer(&echo, 0);
	assert_int_equal(raw_success(&echo, fd, 7), 101);
	close(fd);
	echo_close(&echo);
}

static void dropped_and_failed_calls(void **state)
{
	struct echo echo;
	uint32_t words[16];

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	raw_send_call(fd, 1, ECHO_LATER, 1);
	raw_send_call(fd, 2, ECHO_LATER, 2);
	echo_until(echo.base, echo.held_count == 2);
	rpc_call_drop(echo.held[0]);
	rpc_call_system_error(echo.held[1]);
	echo.held_count = 0;
	assert_int_equal(raw_reply(&echo, fd, words, 16), 6);
	assert_int_equal(words[0], 2);
	assert_int_equal(words[5], SYSTEM_ERR);
	close(fd);
	echo_close(&echo);
}

/* A result longer than a record may be is a system error for that call, and for no other. */
static void result_over_the_limit(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;
	uint32_t words[16];

	(void)state;
	echo_open(&echo, &limits);

	int fd = raw_connect(&echo);

	raw_send_call(fd, 5, ECHO_FILL, 4000);
	raw_send_call(fd, 6, ECHO_NOW, 1);
	assert_int_equal(raw_reply(&echo, fd, words, 16), 6);
	assert_int_equal(words[0], 5);
	assert_int_equal(words[5], SYSTEM_ERR);
	assert_int_equal(raw_success(&echo, fd, 6), 2);
	close(fd);
	echo_close(&echo);
}

/* Sends a call of 13 words, 10 of them its head, and returns the reply's words. */
static size_t ask(struct echo *echo, const uint32_t *head, uint32_t *words)
{
	uint32_t call[14] = {htonl(0x80000000u | 52)};
	int fd = raw_connect(echo);

	for (int i = 0; i < 13; i++)
		call[i + 1] = htonl(head[i]);
	raw_send(fd, call, sizeof call);

	size_t count = raw_reply(echo, fd, words, 16);

	close(fd);
	return count;
}

static void says_no_as_the_rfc_asks(void **state)
{
	struct echo echo;
	uint32_t words[16];

	(void)state;
	echo_open(&echo, NULL);

	/* rpcinfo probes with version 0 and reads the range from the answer. */
	assert_int_equal(ask(&echo, (uint32_t[13]){1, CALL, 2, ECHO_PROGRAM, 0, 0}, words), 8);
	assert_int_equal(words[5], PROG_MISMATCH);
	assert_int_equal(words[6], 1);
	assert_int_equal(words[7], 1);
	ask(&echo, (uint32_t[13]){1, CALL, 2, ECHO_PROGRAM + 1, 1, 0}, words);
	assert_int_equal(words[5], PROG_UNAVAIL);
	ask(&echo, (uint32_t[13]){1, CALL, 2, ECHO_PROGRAM, 1, 99}, words);
	assert_int_equal(words[5], PROC_UNAVAIL);
	/* One whole text, and one that is missing: what was allocated for the first is freed (LeakSanitizer). */
	ask(&echo, (uint32_t[13]){1, CALL, 2, ECHO_PROGRAM, 1, ECHO_PAIR, [10] = 4, [12] = 100}, words);
	assert_int_equal(words[5], GARBAGE_ARGS);
	ask(&echo, (uint32_t[13]){1, CALL, 3, ECHO_PROGRAM, 1, 0}, words);
	assert_int_equal(words[2], MSG_DENIED);
	assert_int_equal(words[3], RPC_MISMATCH);
	ask(&echo, (uint32_t[13]){1, CALL, 2, ECHO_PROGRAM, 1, 0, 6 /* RPCSEC_GSS */}, words);
	assert_int_equal(words[2], MSG_DENIED);
	assert_int_equal(words[3], AUTH_ERROR);
	/* Procedure 0 always answers, also with AUTH_SYS credentials. */
	assert_int_equal(ask(&echo, (uint32_t[13]){9, CALL, 2, ECHO_PROGRAM, 1, 0, AUTH_SYS}, words), 6);
	assert_int_equal(words[0], 9);
	assert_int_equal(words[5], SUCCESS);
	echo_close(&echo);
}

/* --- pausing ------------------------------------------------------------------------------------------------------ */

static void pause_holds_clients_and_not_the_pinned(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);

	int pinned = raw_connect(&echo);
	int client = raw_connect(&echo);

	echo.pin_callers = true;
	raw_send_call(pinned, 1, ECHO_NOW, 1);
	raw_success(&echo, pinned, 1);
	echo.pin_callers = false;

	rpc_server_pause_clients(echo.server, true);
	rpc_server_pause_clients(echo.server, true);
	raw_send_call(client, 5, ECHO_NOW, 5);
	raw_send_call(pinned, 2, ECHO_NOW, 2);
	assert_int_equal(raw_success(&echo, pinned, 2), 3);
	echo_settle(echo.base);
	assert_int_equal(echo.now_calls, 2);
	rpc_server_pause_clients(echo.server, false);
	assert_int_equal(raw_success(&echo, client, 5), 6);
	close(pinned);
	close(client);
	echo_close(&echo);
}

/* --- turns -------------------------------------------------------------------------------------------------------- */

/* Calls that arrived together end in one turn, over all connections. */
static void one_turn_end_for_what_came_together(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);

	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = raw_connect(&echo);
	echo_until(echo.base, rpc_server_counts(echo.server).connections == 3);
	echo_settle(echo.base);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t j = 0; j < 4; j++)
			raw_send_call(fd[i], j, ECHO_LATER, j);
	event_base_loop(echo.base, EVLOOP_ONCE);
	assert_int_equal(echo.held_count, 12);
	assert_int_equal(echo.turn_ends, 1);
	/* A turn that only writes answers has read no calls. */
	while (echo.held_count > 0)
		echo_answer(&echo, 0);
	echo_settle(echo.base);
	assert_int_equal(echo.turn_ends, 1);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	echo_close(&echo);
}

/* --- ends at the worst moments ------------------------------------------------------------------------------------ */

static void closing_in_a_handler_discards_the_rest(void **state)
{
	struct echo echo;
	uint8_t bytes[128];

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);
	size_t size = raw_call(bytes, 1, ECHO_NOW, 1);

	size += raw_call(bytes + size, 2, ECHO_NOW, 2);
	echo.close_callers = true;
	raw_send(fd, bytes, size);
	raw_expect_close(&echo, fd);
	assert_int_equal(echo.now_calls, 1);
	assert_int_equal(echo.closes, 1);
	close(fd);
	echo_close(&echo);
}

static void answer_after_the_connection_died_only_frees(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	for (uint32_t i = 0; i < 3; i++)
		raw_send_call(fd, i, ECHO_LATER, i);
	echo_until(echo.base, echo.held_count == 3);
	assert_non_null(rpc_call_peer(echo.held[0]));
	/* With a reset: after a mere end of file the peer may still read. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger)), 0);
	close(fd);
	echo_until(echo.base, echo.closes == 1);
	assert_null(rpc_call_peer(echo.held[0]));
	echo_answer(&echo, 2);
	rpc_call_system_error(echo.held[1]);
	rpc_call_drop(echo.held[0]);
	echo.held_count = 0;
	echo_expect_prompt_answer(&echo);
	echo_close(&echo);
}

/* echo_close frees the server first and drops the calls then. */
static void calls_outlive_the_server(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	raw_send_call(fd, 1, ECHO_LATER, 1);
	echo_until(echo.base, echo.held_count == 1);
	echo_close(&echo);
	assert_int_equal(echo.closes, 1);
	close(fd);
}

/* --- listening and stock clients ---------------------------------------------------------------------------------- */

static void listening_fails_with_one_line(void **state)
{
	struct echo echo;
	char bound[64];
	char error[256] = "";

	(void)state;
	echo_open(&echo, NULL);
	assert_false(rpc_server_listen(echo.server, echo.address, bound, sizeof bound, error, sizeof error));
	assert_non_null(strstr(error, echo.address));
	assert_non_null(strstr(error, "in use"));
	assert_false(rpc_server_listen(echo.server, "example.org:1", bound, sizeof bound, error, sizeof error));
	assert_false(rpc_server_listen(echo.server, "192.0.2.1", bound, sizeof bound, error, sizeof error));
	echo_close(&echo);
}

/* In a process of its own: libtirpc's blocking client through rpcgen's stubs. */
static int stock_client(const char *text)
{
	struct rpc_address address;
	int fd = RPC_ANYSOCK;
	u_int argument = 1;
	u_int result = 0;
	char hello[] = "hello";
	echo_text said = {.bytes = {.bytes_len = 5, .bytes_val = hello}};
	echo_text heard = {0};

	if (!rpc_address_parse(text, &address))
		return 1;

	CLIENT *client = clnttcp_create((struct sockaddr_in *)&address.storage, ECHO_PROGRAM, ECHO_VERSION, &fd, 0, 0);

	if (client == NULL)
		return 2;
	client->cl_auth = authunix_create_default();
	for (unsigned i = 0; i < 100; i++) {
		argument = i;
		if (echo_now_1(&argument, &result, client) != RPC_SUCCESS || result != i + 1)
			return 3;
	}
	if (echo_text_1(&said, &heard, client) != RPC_SUCCESS || heard.bytes.bytes_len != 5 ||
	    memcmp(heard.bytes.bytes_val, "hello", 5) != 0)
		return 4;
	argument = 300000;
	xdr_free((xdrproc_t)xdr_echo_text, &heard);
	if (echo_fill_1(&argument, &heard, client) != RPC_SUCCESS || heard.bytes.bytes_len != 300000)
		return 5;
	return 0;
}

static void serves_stock_clients(void **state)
{
	struct echo echo;
	int status = 0;

	(void)state;
	echo_open(&echo, NULL);

	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(stock_client(echo.address));
	while (waitpid(child, &status, WNOHANG) == 0)
		event_base_loop(echo.base, EVLOOP_NONBLOCK);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	echo_close(&echo);
}

/* A dispatch function that takes the call, answers it, and only then returns. */
static void dispatch_at_once(struct svc_req *request, SVCXPRT *transport)
{
	u_int argument = 0;

	assert_true(svc_getargs(transport, (xdrproc_t)xdr_u_int, &argument));

	struct rpc_call *call = rpc_call_take(request);

	argument *= 2;
	rpc_call_reply(call, (xdrproc_t)xdr_u_int, &argument);
	svc_freeargs(transport, (xdrproc_t)xdr_u_int, &argument);
}

static void a_taken_call_may_be_answered_within_its_handler(void **state)
{
	struct echo echo;
	uint32_t words[] = {0x80000000u | 44, 5, CALL, 2, ECHO_PROGRAM, 2, 1, 0, 0, 0, 0, 21};

	(void)state;
	echo_open(&echo, NULL);
	rpc_server_register(echo.server, ECHO_PROGRAM, 2, dispatch_at_once, NULL);

	int fd = raw_connect(&echo);

	for (size_t i = 0; i < 12; i++)
		words[i] = htonl(words[i]);
	raw_send(fd, words, sizeof words);
	assert_int_equal(raw_success(&echo, fd, 5), 42);
	close(fd);
	echo_close(&echo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_the_other_order),
		cmocka_unit_test(dropped_and_failed_calls),
		cmocka_unit_test(result_over_the_limit),
		cmocka_unit_test(says_no_as_the_rfc_asks),
		cmocka_unit_test(pause_holds_clients_and_not_the_pinned),
		cmocka_unit_test(one_turn_end_for_what_came_together),
		cmocka_unit_test(closing_in_a_handler_discards_the_rest),
		cmocka_unit_test(answer_after_the_connection_died_only_frees),
		cmocka_unit_test(calls_outlive_the_server),
		cmocka_unit_test(listening_fails_with_one_line),
		cmocka_unit_test(serves_stock_clients),
		cmocka_unit_test(a_taken_call_may_be_answered_within_its_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
