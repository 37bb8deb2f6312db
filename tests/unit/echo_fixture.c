#include "echo_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/net/address.h"

#define PATIENCE_S 10

/* --- the program -------------------------------------------------------------------------------------------------- */

bool_t echo_now_1_svc(u_int *argument, u_int *result, struct svc_req *request)
{
	struct echo *echo = rpc_call_context(request);

	uint64_t since_us = rpc_clock_us();

	echo->now_calls++;
	while (rpc_clock_us() - since_us < echo->burn_us)
		continue;
	if (echo->pin_callers)
		rpc_connection_pin(rpc_call_connection(request));
	if (echo->close_callers)
		rpc_connection_close(rpc_call_connection(request));
	*result = *argument + 1;
	return TRUE;
}

bool_t echo_later_1_svc(u_int *argument, u_int *result, struct svc_req *request)
{
	struct echo *echo = rpc_call_context(request);

	(void)result;
	assert_true(echo->held_count < ECHO_HELD);
	echo->held_values[echo->held_count] = *argument;
	echo->held[echo->held_count++] = rpc_call_take(request);
	return FALSE;
}

bool_t echo_text_1_svc(echo_text *argument, echo_text *result, struct svc_req *request)
{
	(void)request;
	result->bytes.bytes_len = argument->bytes.bytes_len;
	result->bytes.bytes_val = malloc(argument->bytes.bytes_len + 1);
	memcpy(result->bytes.bytes_val, argument->bytes.bytes_val, argument->bytes.bytes_len);
	return TRUE;
}

bool_t echo_fill_1_svc(u_int *argument, echo_text *result, struct svc_req *request)
{
	struct echo *echo = rpc_call_context(request);

	echo->fill_calls++;
	result->bytes.bytes_len = *argument;
	result->bytes.bytes_val = calloc(1, *argument + 1u);
	return TRUE;
}

bool_t echo_pair_1_svc(echo_pair *argument, u_int *result, struct svc_req *request)
{
	(void)request;
	*result = argument->first.first_len + argument->second.second_len;
	return TRUE;
}

int echo_program_1_freeresult(SVCXPRT *transport, xdrproc_t decode, caddr_t result)
{
	(void)transport;
	/* After ECHO_LATER the result was only on the stack; only texts are freed. */
	if (decode == (xdrproc_t)xdr_echo_text)
		xdr_free(decode, result);
	return TRUE;
}

static void count_close(void *context, struct rpc_connection *connection)
{
	struct echo *echo = context;

	(void)connection;
	echo->closes++;
}

static void count_turn_end(void *context)
{
	struct echo *echo = context;

	echo->turn_ends++;
}

void echo_open(struct echo *echo, const struct rpc_server_limits *limits)
{
	struct rpc_server_limits standard = rpc_server_limits_default();
	char error[256] = "";

	memset(echo, 0, sizeof *echo);
	echo->base = event_base_new();
	echo->server = rpc_server_new(echo->base, limits == NULL ? &standard : limits);
	rpc_server_register(echo->server, ECHO_PROGRAM, ECHO_VERSION, echo_program_1, echo);
	rpc_server_on_close(echo->server, count_close, echo);
	rpc_server_on_turn_end(echo->server, count_turn_end, echo);
	if (!rpc_server_listen(echo->server, "127.0.0.1:0", echo->address, sizeof echo->address, error, sizeof error))
		fail_msg("%s", error);
}

void echo_close(struct echo *echo)
{
	rpc_server_free(echo->server);
	for (size_t i = 0; i < echo->held_count; i++)
		rpc_call_drop(echo->held[i]);
	event_base_free(echo->base);
}

void echo_answer(struct echo *echo, size_t index)
{
	assert_true(index < echo->held_count);

	u_int result = echo->held_values[index] + 1;
	struct rpc_call *call = echo->held[index];

	echo->held_count--;
	memmove(&echo->held[index], &echo->held[index + 1], (echo->held_count - index) * sizeof(struct rpc_call *));
	memmove(&echo->held_values[index], &echo->held_values[index + 1],
		(echo->held_count - index) * sizeof(unsigned));
	rpc_call_reply(call, (xdrproc_t)xdr_u_int, &result);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static void lost_patience(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	fail_msg("nothing happened for %d seconds", PATIENCE_S);
}

void echo_step(struct event_base *base)
{
	struct event *patience = evtimer_new(base, lost_patience, NULL);

	evtimer_add(patience, &(struct timeval){.tv_sec = PATIENCE_S});
	event_base_loop(base, EVLOOP_ONCE);
	event_free(patience);
}

void echo_settle(struct event_base *base)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* --- a raw peer --------------------------------------------------------------------------------------------------- */

int raw_connect(const struct echo *echo)
{
	struct rpc_address address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_true(rpc_address_parse(echo->address, &address));
	assert_int_equal(connect(fd, (struct sockaddr *)&address.storage, address.length), 0);
	assert_int_equal(evutil_make_socket_nonblocking(fd), 0);
	return fd;
}

void raw_send(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

size_t raw_call(uint8_t *bytes, uint32_t xid, uint32_t procedure, uint32_t argument)
{
	uint32_t words[] = {0x80000000u | 44, xid, 0, 2, ECHO_PROGRAM, ECHO_VERSION, procedure, 0, 0, 0, 0, argument};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		words[i] = htonl(words[i]);
	memcpy(bytes, words, sizeof words);
	return sizeof words;
}

void raw_send_call(int fd, uint32_t xid, uint32_t procedure, uint32_t argument)
{
	uint8_t bytes[64];

	raw_send(fd, bytes, raw_call(bytes, xid, procedure, argument));
}

/* One iteration of the loop; fails the test when `since_us` is too long ago. */
static void step_since(const struct echo *echo, uint64_t since_us)
{
	if (rpc_clock_us() - since_us > PATIENCE_S * UINT64_C(1000000))
		fail_msg("waited for %d seconds", PATIENCE_S);
	event_base_loop(echo->base, EVLOOP_NONBLOCK);
}

static void receive(const struct echo *echo, int fd, void *bytes, size_t size)
{
	size_t got = 0;
	uint64_t since_us = rpc_clock_us();

	while (got < size) {
		ssize_t count = recv(fd, (uint8_t *)bytes + got, size - got, 0);

		if (count > 0)
			got += (size_t)count;
		else if (count == 0)
			fail_msg("the server closed the connection");
		else if (errno == EAGAIN)
			step_since(echo, since_us);
		else
			fail_msg("%s", strerror(errno));
	}
}

size_t raw_reply(const struct echo *echo, int fd, uint32_t *words, size_t words_max)
{
	uint32_t mark;

	receive(echo, fd, &mark, sizeof mark);
	mark = ntohl(mark);
	assert_true((mark & 0x80000000u) != 0);

	size_t size = mark & 0x7fffffffu;

	assert_int_equal(size % 4, 0);
	assert_true(size / 4 <= words_max);
	receive(echo, fd, words, size);
	for (size_t i = 0; i < size / 4; i++)
		words[i] = ntohl(words[i]);
	return size / 4;
}

uint32_t raw_success(const struct echo *echo, int fd, uint32_t xid)
{
	uint32_t words[16] = {0};

	assert_int_equal(raw_reply(echo, fd, words, 16), 7);
	assert_int_equal(words[0], xid);
	assert_int_equal(words[1], REPLY);
	assert_int_equal(words[2], MSG_ACCEPTED);
	assert_int_equal(words[5], SUCCESS);
	return words[6];
}

bool raw_is_open(int fd)
{
	char byte;
	ssize_t count = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return count > 0 || (count < 0 && errno == EAGAIN);
}

void raw_expect_close(const struct echo *echo, int fd)
{
	uint64_t since_us = rpc_clock_us();

	while (raw_is_open(fd))
		step_since(echo, since_us);
}

struct rpc_server_limits echo_small_limits(void)
{
	struct rpc_server_limits limits = rpc_server_limits_default();

	limits.record_bytes = 1024;
	limits.connections = 4;
	limits.calls_in_flight = 8;
	limits.output_bytes = 65536;
	return limits;
}

void echo_expect_prompt_answer(struct echo *echo)
{
	int fd = raw_connect(echo);

	raw_send_call(fd, 77, ECHO_NOW, 41);
	assert_int_equal(raw_success(echo, fd, 77), 42);
	close(fd);
	echo_settle(echo->base);
}
