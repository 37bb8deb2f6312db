/* Purpose: through rpcgen's unmodified stubs many calls share one connection without blocking; every call is
 * answered exactly once, whatever becomes of the peer; and closing is safe in every call-back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "echo_fixture.h"
#include "rpc/address.h"
#include "rpc/channel.h"
#include "rpc/clock.h"

#define PATIENT_MS 60000

/* One call and what became of it. */
struct asked {
	unsigned answers;
	enum rpc_status status;
	u_int value;
	char error[128];
	struct rpc_channel **close; /* closed in the call-back */
};

/* A channel's owner. */
struct owner {
	unsigned connects, closes, turn_ends;
	char reason[256];
	bool close_on_connect, close_on_close, close_on_turn_end;
	struct rpc_channel *channel;
};

static void close_channel(struct rpc_channel **channel)
{
	rpc_channel_close(*channel);
	*channel = NULL;
}

static void answered(void *context, const struct rpc_reply *reply)
{
	struct asked *asked = context;

	asked->answers++;
	asked->status = reply->status;
	if (reply->status == RPC_ANSWERED)
		assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_u_int, &asked->value));
	else
		snprintf(asked->error, sizeof asked->error, "%s", reply->error);
	if (asked->close != NULL && *asked->close != NULL)
		close_channel(asked->close);
}

static void on_connected(void *context)
{
	struct owner *owner = context;

	owner->connects++;
	if (owner->close_on_connect)
		close_channel(&owner->channel);
}

static void on_closed(void *context, const char *reason)
{
	struct owner *owner = context;

	owner->closes++;
	snprintf(owner->reason, sizeof owner->reason, "%s", reason);
	if (owner->close_on_close)
		close_channel(&owner->channel);
}

static void on_turn_end(void *context)
{
	struct owner *owner = context;

	owner->turn_ends++;
	if (owner->close_on_turn_end)
		close_channel(&owner->channel);
}

static void owner_open(struct owner *owner, struct event_base *base, const char *address)
{
	static const struct rpc_channel_events events = {on_connected, on_closed, on_turn_end};

	memset(owner, 0, sizeof *owner);
	owner->channel = rpc_channel_open(base, address, ECHO_PROGRAM, ECHO_VERSION, &events, owner);
}

static void ask_now(struct owner *owner, struct asked *asked, u_int value)
{
	assert_int_equal(echo_now_1(&value, NULL, rpc_channel_call(owner->channel, PATIENT_MS, answered, asked)),
			 RPC_SUCCESS);
	assert_int_equal(asked->answers, 0);
}

static void ask_later(struct owner *owner, struct asked *asked, u_int value, uint32_t timeout_ms)
{
	assert_int_equal(echo_later_1(&value, NULL, rpc_channel_call(owner->channel, timeout_ms, answered, asked)),
			 RPC_SUCCESS);
}

/* --- a peer made of bytes ----------------------------------------------------------------------------------------- */

static int listen_raw(char *text, size_t size)
{
	struct rpc_address address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(rpc_address_parse("127.0.0.1", &address));
	assert_int_equal(bind(fd, (struct sockaddr *)&address.storage, address.length), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address.storage, &address.length), 0);
	rpc_address_format(&address, text, size);
	return fd;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* Calls made before the connection is up leave when it is; nobody is called back from within the stub. */
static void calls_queue_until_connected(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked asked[3] = {0};

	(void)state;
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (u_int i = 0; i < 3; i++)
		ask_now(&owner, &asked[i], 10 * i);
	assert_int_equal(rpc_channel_calls_in_flight(owner.channel), 3);
	assert_true(rpc_channel_output_bytes(owner.channel) > 0);
	assert_int_equal(owner.connects, 0);
	echo_until(echo.base, asked[2].answers == 1);
	for (u_int i = 0; i < 3; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].status, RPC_ANSWERED);
		assert_int_equal(asked[i].value, 10 * i + 1);
	}
	assert_int_equal(owner.connects, 1);
	assert_int_equal(owner.turn_ends, 1);
	assert_int_equal(rpc_channel_calls_in_flight(owner.channel), 0);
	assert_int_equal(rpc_channel_output_bytes(owner.channel), 0);
	assert_string_equal(rpc_channel_address(owner.channel), echo.address);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
}

/* More calls than the first table holds, answered from the last to the first. */
static void many_answers_in_the_other_order(void **state)
{
	enum { CALLS = 500 };
	struct echo echo;
	struct owner owner;
	struct asked *asked = calloc(CALLS, sizeof *asked);

	(void)state;
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (u_int i = 0; i < CALLS; i++)
		ask_later(&owner, &asked[i], i, PATIENT_MS);
	echo_until(echo.base, echo.held_count == CALLS);
	while (echo.held_count > 0)
		echo_answer(&echo, echo.held_count - 1);
	echo_until(echo.base, rpc_channel_calls_in_flight(owner.channel) == 0);
	for (u_int i = 0; i < CALLS; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].value, i + 1);
	}
	rpc_channel_close(owner.channel);
	echo_close(&echo);
	free(asked);
}

struct text_asked {
	unsigned answers;
	echo_text text;
};

static void text_answered(void *context, const struct rpc_reply *reply)
{
	struct text_asked *asked = context;

	asked->answers++;
	assert_int_equal(reply->status, RPC_ANSWERED);
	assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_echo_text, &asked->text));
}

/* A megabyte there and back: many reads and writes in both directions. */
static void large_records_pass(void **state)
{
	enum { SIZE = 1048576 };
	struct echo echo;
	struct owner owner;
	struct text_asked asked[4] = {0};
	echo_text text = {.bytes = {.bytes_len = SIZE, .bytes_val = malloc(SIZE)}};

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		text.bytes.bytes_val[i] = (char)(i * 7 + i / 251);
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (int i = 0; i < 4; i++)
		echo_text_1(&text, NULL, rpc_channel_call(owner.channel, PATIENT_MS, text_answered, &asked[i]));
	for (int i = 0; i < 4; i++) {
		echo_until(echo.base, asked[i].answers == 1);
		assert_int_equal(asked[i].text.bytes.bytes_len, SIZE);
		assert_memory_equal(asked[i].text.bytes.bytes_val, text.bytes.bytes_val, SIZE);
		xdr_free((xdrproc_t)xdr_echo_text, &asked[i].text);
	}
	rpc_channel_close(owner.channel);
	echo_close(&echo);
	free(text.bytes.bytes_val);
}

static void rejected(void **state)
{
	static const struct rpc_channel_events events = {.closed = on_closed};
	struct echo echo;
	struct owner owner = {0};
	struct asked asked[2] = {0};
	u_int value = 1;

	(void)state;
	echo_open(&echo, NULL);
	owner.channel = rpc_channel_open(echo.base, echo.address, ECHO_PROGRAM, 9, &events, &owner);
	echo_now_1(&value, NULL, rpc_channel_call(owner.channel, PATIENT_MS, answered, &asked[0]));
	echo_until(echo.base, asked[0].answers == 1);
	assert_int_equal(asked[0].status, RPC_REJECTED);
	assert_non_null(strstr(asked[0].error, "versions 1 to 1"));
	rpc_channel_close(owner.channel);

	/* Arguments over their bound are our own mistake; the connection goes on. */
	echo_text text = {.bytes = {.bytes_len = 1048577, .bytes_val = calloc(1, 1048577)}};

	owner_open(&owner, echo.base, echo.address);
	memset(asked, 0, sizeof asked);
	echo_text_1(&text, NULL, rpc_channel_call(owner.channel, PATIENT_MS, answered, &asked[0]));
	assert_int_equal(asked[0].answers, 0);
	ask_now(&owner, &asked[1], 1);
	echo_until(echo.base, asked[1].answers == 1);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[0].status, RPC_REJECTED);
	assert_int_equal(asked[1].status, RPC_ANSWERED);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
	free(text.bytes.bytes_val);
}

/* --- deadlines ---------------------------------------------------------------------------------------------------- */

static void set_flag(evutil_socket_t fd, short what, void *context)
{
	bool *flag = context;

	(void)fd;
	(void)what;
	*flag = true;
}

/* Each call has its own, in whatever order they were made; a late answer is nobody's, and does no harm. */
static void deadline_passes_for_one_call(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked patient = {0};
	struct asked hasty[2] = {0};
	struct asked after = {0};
	bool second_passed = false;

	(void)state;
	echo_open(&echo, NULL);
	event_base_once(echo.base, -1, EV_TIMEOUT, set_flag, &second_passed, &(struct timeval){.tv_sec = 1});
	owner_open(&owner, echo.base, echo.address);
	ask_later(&owner, &patient, 1, PATIENT_MS);
	ask_later(&owner, &hasty[0], 2, 40);
	ask_later(&owner, &hasty[1], 3, 20);
	echo_until(echo.base, hasty[1].answers == 1);
	echo_until(echo.base, hasty[0].answers == 1);
	assert_false(second_passed); /* timers of one loop fire in their order, however slow the machine */
	assert_int_equal(hasty[0].status, RPC_TIMED_OUT);
	assert_int_equal(hasty[1].status, RPC_TIMED_OUT);
	assert_int_equal(patient.answers, 0);
	echo_until(echo.base, echo.held_count == 3);
	while (echo.held_count > 0)
		echo_answer(&echo, 0);
	ask_now(&owner, &after, 9);
	echo_until(echo.base, after.answers == 1);
	assert_int_equal(patient.answers, 1);
	assert_int_equal(patient.value, 2);
	assert_int_equal(hasty[0].answers, 1);
	assert_int_equal(hasty[1].answers, 1);
	assert_int_equal(owner.closes, 0);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
}

/* --- the end of a connection -------------------------------------------------------------------------------------- */

static void loss_answers_every_call_once(void **state)
{
	enum { CALLS = 100 };
	struct echo echo;
	struct owner owner;
	struct asked asked[CALLS] = {0};
	struct asked after = {0};

	(void)state;
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (u_int i = 0; i < CALLS; i++)
		ask_later(&owner, &asked[i], i, PATIENT_MS);
	echo_until(echo.base, echo.held_count == CALLS);
	echo_answer(&echo, 3);
	echo_until(echo.base, asked[3].answers == 1);
	rpc_connection_close(rpc_call_peer(echo.held[0]));
	echo_until(echo.base, owner.closes == 1);
	for (u_int i = 0; i < CALLS; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].status, i == 3 ? RPC_ANSWERED : RPC_LOST);
	}
	assert_int_equal(rpc_channel_calls_in_flight(owner.channel), 0);

	/* A call on the dead channel is lost too, but not from within. */
	ask_now(&owner, &after, 1);
	echo_until(echo.base, after.answers == 1);
	assert_int_equal(after.status, RPC_LOST);
	echo_settle(echo.base);
	assert_int_equal(owner.closes, 1);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
}

static void refused_is_reported(void **state)
{
	struct event_base *base = event_base_new();
	struct owner owner;
	struct asked asked = {0};
	char address[64];

	(void)state;
	close(listen_raw(address, sizeof address));
	owner_open(&owner, base, address);
	ask_now(&owner, &asked, 1);
	assert_int_equal(owner.closes, 0);
	echo_until(base, owner.closes == 1);
	assert_int_equal(asked.answers, 1);
	assert_int_equal(asked.status, RPC_LOST);
	assert_non_null(strstr(owner.reason, "refused"));
	assert_non_null(strstr(owner.reason, address));
	assert_int_equal(owner.connects, 0);
	rpc_channel_close(owner.channel);

	owner_open(&owner, base, "example.org:1");
	asked.answers = 0;
	ask_now(&owner, &asked, 1);
	echo_until(base, owner.closes == 1);
	assert_int_equal(asked.status, RPC_LOST);
	rpc_channel_close(owner.channel);
	event_base_free(base);
}

/* The peer sends `words`, record mark first; returns when the channel has read them. */
static void hear(const uint32_t *words, size_t count, struct owner *owner, struct asked *asked, bool until_closed)
{
	struct event_base *base = event_base_new();
	char address[64];
	int listener = listen_raw(address, sizeof address);

	memset(asked, 0, sizeof *asked);
	owner_open(owner, base, address);
	ask_now(owner, asked, 1);
	echo_until(base, owner->connects == 1);

	int fd = accept(listener, NULL, NULL);
	uint32_t sent[16];

	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++)
		sent[i] = htonl(words[i]);
	raw_send(fd, sent, 4 * count);
	if (until_closed)
		echo_until(base, owner->closes == 1);
	else
		echo_until(base, asked->answers == 1);
	rpc_channel_close(owner->channel);
	close(fd);
	close(listener);
	event_base_free(base);
}

/* The owner is told when anything came, long before the answer is whole. */
static void part_of_an_answer_is_heard(void **state)
{
	static const uint8_t part[] = {0x80, 0, 0, 28, 0, 0};
	struct event_base *base = event_base_new();
	struct owner owner;
	struct asked asked = {0};
	char address[64];
	int listener = listen_raw(address, sizeof address);

	(void)state;
	owner_open(&owner, base, address);
	ask_now(&owner, &asked, 1);
	echo_until(base, owner.connects == 1);
	assert_int_equal(rpc_channel_heard_us(owner.channel), 0);

	int fd = accept(listener, NULL, NULL);
	uint64_t before_us = rpc_clock_us();

	raw_send(fd, part, sizeof part);
	echo_until(base, rpc_channel_heard_us(owner.channel) != 0);
	assert_in_range(rpc_channel_heard_us(owner.channel), before_us, rpc_clock_us());
	assert_int_equal(asked.answers, 0);
	rpc_channel_close(owner.channel);
	close(fd);
	close(listener);
	event_base_free(base);
}

static void unknown_xids_are_ignored_and_garbage_ends(void **state)
{
	struct owner owner;
	struct asked asked;

	(void)state;
	/* An answer to nobody, then ours. */
	hear((uint32_t[]){0x80000000u | 28, 999, REPLY, 0, 0, 0, 0, 5, 0x80000000u | 28, 1, REPLY, 0, 0, 0, 0, 5}, 16,
	     &owner, &asked, false);
	assert_int_equal(asked.value, 5);
	assert_int_equal(owner.closes, 0);

	/* With a verifier that is skipped. */
	hear((uint32_t[]){0x80000000u | 36, 1, REPLY, 0, 5, 8, 1, 2, 0, 7}, 10, &owner, &asked, false);
	assert_int_equal(asked.value, 7);

	static const uint32_t bad[][8] = {
		{0x80000000u | 24, 1, CALL, 0, 0, 0, 0, 0},   /* no reply */
		{0x80000000u | 8, 1, REPLY},                  /* too short */
		{0x80000000u | 24, 1, REPLY, 7, 0, 0, 0, 0},  /* neither accepted nor denied */
		{0x80000000u | 24, 1, REPLY, 0, 0, 0, 99, 0}, /* no such status */
		{0x80000000u | 24, 1, REPLY, 0, 0, 40, 0, 0}, /* a verifier longer than the record */
		{0x80000000u | (5u << 20)},                   /* over the limit */
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		hear(bad[i], 8, &owner, &asked, true);
		assert_int_equal(asked.answers, 1);
		assert_int_equal(asked.status, RPC_LOST);
		assert_int_equal(owner.closes, 1);
	}
}

/* --- closing in call-backs ---------------------------------------------------------------------------------------- */

static void closing_is_safe_in_every_callback(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked asked[3];

	(void)state;
	echo_open(&echo, NULL);

	/* In an answer: those behind it are forgotten. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	asked[1].close = &owner.channel;
	for (u_int i = 0; i < 3; i++)
		ask_now(&owner, &asked[i], i);
	echo_until(echo.base, owner.channel == NULL);
	echo_settle(echo.base);
	assert_int_equal(asked[0].answers + asked[1].answers, 2);
	assert_int_equal(asked[2].answers, 0);
	assert_int_equal(owner.closes + owner.turn_ends, 0);

	/* In connected, with calls queued. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	owner.close_on_connect = true;
	ask_now(&owner, &asked[0], 1);
	echo_until(echo.base, owner.channel == NULL);
	echo_settle(echo.base);
	assert_int_equal(asked[0].answers, 0);

	/* In turn_end. */
	owner_open(&owner, echo.base, echo.address);
	owner.close_on_turn_end = true;
	ask_now(&owner, &asked[0], 1);
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].answers, 1);

	/* In closed; and in the answer that says that the call was lost. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	owner.close_on_close = true;
	ask_later(&owner, &asked[0], 1, PATIENT_MS);
	echo_until(echo.base, echo.held_count == 1);
	rpc_connection_close(rpc_call_peer(echo.held[0]));
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].status, RPC_LOST);

	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	asked[0].close = &owner.channel;
	ask_later(&owner, &asked[0], 1, PATIENT_MS);
	ask_later(&owner, &asked[1], 1, PATIENT_MS);
	echo_until(echo.base, echo.held_count == 3);
	rpc_connection_close(rpc_call_peer(echo.held[1]));
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].answers + asked[1].answers, 1);
	assert_int_equal(owner.closes, 0);

	/* In a deadline. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	asked[0].close = &owner.channel;
	ask_later(&owner, &asked[0], 1, 10);
	ask_later(&owner, &asked[1], 1, 10);
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[1].answers, 0);
	rpc_channel_close(NULL);
	echo_close(&echo);
}

/* --- a socket that meets itself ----------------------------------------------------------------------------------- */

/* A network of its own whose only ephemeral port is 40000: a connect to it meets itself. Exit status for the parent. */
static int meet_oneself(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;

	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0 || range < 0 || write(range, "40000 40000", 11) != 11)
		return 77;

	struct event_base *base = event_base_new();
	struct owner owner;

	owner_open(&owner, base, "127.0.0.1:40000");
	while (owner.closes == 0 && owner.connects == 0)
		event_base_loop(base, EVLOOP_ONCE);
	return owner.connects == 0 && strstr(owner.reason, "nobody listens") != NULL ? 0 : 1;
}

/* RULE 17 */
static void never_talks_to_itself(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(meet_oneself());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_queue_until_connected),
		cmocka_unit_test(many_answers_in_the_other_order),
		cmocka_unit_test(large_records_pass),
		cmocka_unit_test(rejected),
		cmocka_unit_test(deadline_passes_for_one_call),
		cmocka_unit_test(loss_answers_every_call_once),
		cmocka_unit_test(refused_is_reported),
		cmocka_unit_test(part_of_an_answer_is_heard),
		cmocka_unit_test(unknown_xids_are_ignored_and_garbage_ends),
		cmocka_unit_test(closing_is_safe_in_every_callback),
		cmocka_unit_test(never_talks_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
