/* Purpose: no peer of the server transport costs the others anything: one that stalls, lies, floods or does not read
 * delays no other, and every limit on what it may hold is kept. Well-behaved peers are in rpc_server_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_fixture.h"

/* --- peers that stall or lie -------------------------------------------------------------------------------------- */

static void stalled_peers_delay_no_other(void **state)
{
	struct echo echo;
	uint8_t bytes[64];
	size_t size = raw_call(bytes, 3, ECHO_NOW, 1);

	(void)state;
	echo_open(&echo, NULL);

	int two_bytes = raw_connect(&echo);
	int half = raw_connect(&echo);

	raw_send(two_bytes, bytes, 2);
	raw_send(half, bytes, size / 2);
	echo_settle(echo.base);
	echo_expect_prompt_answer(&echo);

	/* And when the rest arrives, they are served. */
	raw_send(two_bytes, bytes + 2, size - 2);
	raw_send(half, bytes + size / 2, size - size / 2);
	assert_int_equal(raw_success(&echo, half, 3), 2);
	assert_int_equal(raw_success(&echo, two_bytes, 3), 2);
	close(two_bytes);
	close(half);
	echo_close(&echo);
}

static void fragments_make_one_call(void **state)
{
	struct echo echo;
	uint8_t bytes[64];
	size_t size = raw_call(bytes, 4, ECHO_NOW, 5) - 4;

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	for (size_t i = 0; i < size; i++) {
		uint32_t mark = htonl((i + 1 == size ? 0x80000000u : 0) | 1);

		raw_send(fd, &mark, 4);
		raw_send(fd, bytes + 4 + i, 1);
	}
	assert_int_equal(raw_success(&echo, fd, 4), 6);
	close(fd);
	echo_close(&echo);
}

static void bad_records_close_their_connection_only(void **state)
{
	static const uint32_t bad[][8] = {
		{0x80000000u | 1025},                  /* over the limit */
		{1000},                                /* with the fragment after it: over the limit */
		{0x80000000u | 8, 1, 0},               /* too short for a call */
		{0x80000000u},                         /* empty */
		{0x80000000u | 24, 1, REPLY, 0, 0, 0, 0}, /* a reply */
		{0x80000000u | 24, 1, 7, 2, 1, 1, 1},  /* neither call nor reply */
	};
	static const size_t bytes[] = {4, 1012, 12, 4, 28, 28};
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;

	(void)state;
	echo_open(&echo, &limits);

	int good = raw_connect(&echo);

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint32_t words[253] = {0};
		int fd = raw_connect(&echo);

		for (size_t j = 0; j < 8; j++)
			words[j] = htonl(bad[i][j]);
		words[251] = htonl(25);
		raw_send(fd, words, bytes[i]);
		raw_expect_close(&echo, fd);
		close(fd);
	}
	assert_int_equal(rpc_server_counts(echo.server).oversized_records, 2);
	assert_int_equal(rpc_server_counts(echo.server).garbage_records, 4);
	raw_send_call(good, 1, ECHO_NOW, 1);
	assert_int_equal(raw_success(&echo, good, 1), 2);
	close(good);
	echo_close(&echo);
}

/* A thousand peers that each sent two bytes cost nothing but their descriptors: the good one is served in one
 * iteration. */
static void thousand_idle_connections(void **state)
{
	enum { IDLE = 1000 };
	struct rlimit old;
	struct rlimit wanted;
	struct echo echo;
	int *idle = calloc(IDLE, sizeof *idle);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	wanted = old;
	if (old.rlim_cur < 3ul * IDLE) {
		wanted.rlim_cur = 3ul * IDLE;
		if (setrlimit(RLIMIT_NOFILE, &wanted) != 0)
			skip();
	}
	echo_open(&echo, NULL);
	for (int i = 0; i < IDLE; i++) {
		idle[i] = raw_connect(&echo);
		raw_send(idle[i], "\200", 2);
		if (i % 64 == 0)
			echo_settle(echo.base);
	}
	echo_until(echo.base, rpc_server_counts(echo.server).connections == IDLE);
	echo_settle(echo.base);

	int fd = raw_connect(&echo);

	echo_until(echo.base, rpc_server_counts(echo.server).connections == IDLE + 1);
	raw_send_call(fd, 1, ECHO_NOW, 1);
	event_base_loop(echo.base, EVLOOP_ONCE);
	assert_int_equal(raw_success(&echo, fd, 1), 2);
	close(fd);
	for (int i = 0; i < IDLE; i++)
		close(idle[i]);
	echo_close(&echo);
	setrlimit(RLIMIT_NOFILE, &old);
	free(idle);
}

/* A hundred calls of a millisecond each, read at once: the other peer's call comes in between, and the order stays. */
static void a_burst_leaves_room_for_others(void **state)
{
	struct echo echo;
	uint8_t bytes[100 * 48];
	size_t size = 0;

	(void)state;
	echo_open(&echo, NULL);

	int burst = raw_connect(&echo);
	int other = raw_connect(&echo);

	echo_until(echo.base, rpc_server_counts(echo.server).connections == 2);
	for (uint32_t i = 0; i < 100; i++)
		size += raw_call(bytes + size, i, ECHO_NOW, i);
	echo.burn_us = 1000;
	raw_send(burst, bytes, size);
	raw_send_call(other, 1, ECHO_LATER, 1);
	echo_until(echo.base, echo.held_count == 1);
	assert_true(echo.now_calls < 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(raw_success(&echo, burst, i), i + 1);
	close(burst);
	close(other);
	echo_close(&echo);
}

/* --- limits ------------------------------------------------------------------------------------------------------- */

static void evicts_the_longest_idle_client(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;
	int fd[6];

	(void)state;
	echo_open(&echo, &limits);

	/* 0 is the oldest but pinned; 1 has a call in flight; 2 spoke after 3. */
	for (int i = 0; i < 4; i++) {
		fd[i] = raw_connect(&echo);
		echo_until(echo.base, rpc_server_counts(echo.server).connections == (size_t)i + 1);
	}
	echo.pin_callers = true;
	raw_send_call(fd[0], 1, ECHO_NOW, 1);
	raw_success(&echo, fd[0], 1);
	echo.pin_callers = false;
	raw_send_call(fd[1], 1, ECHO_LATER, 1);
	echo_until(echo.base, echo.held_count == 1);
	raw_send_call(fd[3], 1, ECHO_NOW, 1);
	raw_success(&echo, fd[3], 1);
	raw_send_call(fd[2], 1, ECHO_NOW, 1);
	raw_success(&echo, fd[2], 1);

	fd[4] = raw_connect(&echo);
	raw_expect_close(&echo, fd[3]);
	fd[5] = raw_connect(&echo);
	raw_expect_close(&echo, fd[2]);
	assert_int_equal(rpc_server_counts(echo.server).connections_evicted, 2);
	assert_int_equal(rpc_server_counts(echo.server).connections, 4);
	assert_true(raw_is_open(fd[0]));
	echo_answer(&echo, 0);
	assert_int_equal(raw_success(&echo, fd[1], 1), 2);
	for (int i = 0; i < 6; i++)
		close(fd[i]);
	echo_close(&echo);
}

/* When all are cluster connections, the new one is closed. */
static void never_evicts_the_pinned(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;
	int fd[5];

	(void)state;
	echo_open(&echo, &limits);
	echo.pin_callers = true;
	for (int i = 0; i < 4; i++) {
		fd[i] = raw_connect(&echo);
		raw_send_call(fd[i], 1, ECHO_NOW, 1);
		raw_success(&echo, fd[i], 1);
	}
	fd[4] = raw_connect(&echo);
	raw_expect_close(&echo, fd[4]);
	for (int i = 0; i < 4; i++)
		assert_true(raw_is_open(fd[i]));
	for (int i = 0; i < 5; i++)
		close(fd[i]);
	echo_close(&echo);
}

/* Rule 19: one more than the limit, while all wait for answers: no client loses one. The new one's first call is
 * answered (with the limit's name, by the served program) and then it is closed; one that sends no call is closed
 * soon; and these are limited, too. */
static void one_too_many_is_answered(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;
	int fd[4], more[3];

	(void)state;
	limits.surplus = 2;
	echo_open(&echo, &limits);
	for (int i = 0; i < 4; i++) {
		fd[i] = raw_connect(&echo);
		raw_send_call(fd[i], 1, ECHO_LATER, (uint32_t)i);
		echo_until(echo.base, echo.held_count == (size_t)i + 1);
	}
	rpc_server_pause_clients(echo.server, true); /* they are no load */
	more[0] = raw_connect(&echo);
	raw_send_call(more[0], 1, ECHO_NOW, 1);
	assert_int_equal(raw_success(&echo, more[0], 1), 2);
	raw_expect_close(&echo, more[0]);
	close(more[0]);
	rpc_server_pause_clients(echo.server, false);
	for (int i = 0; i < 3; i++) {
		more[i] = raw_connect(&echo);
		echo_until(echo.base, rpc_server_counts(echo.server).turned_away == (uint64_t)i + 2);
	}
	raw_expect_close(&echo, more[0]); /* the first of three */
	assert_int_equal(rpc_server_counts(echo.server).connections, 6);
	raw_expect_close(&echo, more[2]); /* it sends no call */
	for (size_t i = 0; i < 4; i++) {
		echo_answer(&echo, 0);
		assert_int_equal(raw_success(&echo, fd[i], 1), i + 1);
		close(fd[i]);
	}
	for (int i = 0; i < 3; i++)
		close(more[i]);
	assert_int_equal(rpc_server_counts(echo.server).connections_evicted, 0);
	echo_close(&echo);
}

/* Beyond the limit the calls stay where they are, in order, and follow when there is room. */
static void calls_in_flight_are_bounded(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;
	uint8_t bytes[100 * 48];
	size_t size = 0;

	(void)state;
	echo_open(&echo, &limits);

	int fd = raw_connect(&echo);

	for (uint32_t i = 0; i < 100; i++)
		size += raw_call(bytes + size, i, ECHO_LATER, i);
	raw_send(fd, bytes, size);
	for (uint32_t i = 0; i < 100; i++) {
		echo_until(echo.base, echo.held_count > 0);
		echo_settle(echo.base);
		assert_true(echo.held_count <= 8);
		assert_int_equal(echo.held_values[0], i);
		echo_answer(&echo, 0);
		assert_int_equal(raw_success(&echo, fd, i), i + 1);
	}
	echo_expect_prompt_answer(&echo);
	close(fd);
	echo_close(&echo);
}

/* A peer that sends calls and never reads: we stop reading from it, its waiting answers are bounded, others are
 * served; and when it reads at last, it gets every answer. */
static void a_peer_that_does_not_read_is_bounded(void **state)
{
	enum { CALLS = 2000, FILL = 65000 };
	struct rpc_server_limits limits = rpc_server_limits_default();
	struct echo echo;
	uint8_t *bytes = malloc(48ul * CALLS);
	uint32_t *words = malloc(FILL + 64);
	size_t size = 0;
	size_t sent = 0;

	(void)state;
	limits.output_bytes = 1u << 20;
	echo_open(&echo, &limits);

	int fd = raw_connect(&echo);

	for (uint32_t i = 0; i < CALLS; i++)
		size += raw_call(bytes + size, i, ECHO_FILL, FILL);
	for (int i = 0; i < 200; i++) {
		ssize_t count = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);

		if (count > 0)
			sent += (size_t)count;
		event_base_loop(echo.base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(sent, size); /* small enough for the kernel's buffers */
	/* What the kernel took, the limit, and one. The kernel's share is some megabytes; all of it would be 130 MB. */
	assert_true(echo.fill_calls < CALLS / 2);
	assert_true(raw_is_open(fd));
	echo_expect_prompt_answer(&echo);
	for (uint32_t i = 0; i < CALLS; i++) {
		assert_int_equal(raw_reply(&echo, fd, words, FILL / 4 + 16), 7 + FILL / 4);
		assert_int_equal(words[0], i);
	}
	assert_int_equal(echo.fill_calls, CALLS);
	close(fd);
	echo_close(&echo);
	free(bytes);
	free(words);
}

/* Rule 19: each of many peers may hold some memory with a partial record; together they are bounded: those that hold
 * the most are closed, and one that sends whole records stays. */
static void many_half_records_are_bounded(void **state)
{
	enum { PEERS = 100, HALF = 9000 };
	struct rpc_server_limits limits = rpc_server_limits_default();
	struct echo echo;
	uint8_t half[HALF] = {0x80, 0x01, 0, 0};
	int fd[PEERS];

	(void)state;
	limits.held_bytes = 256u << 10;
	echo_open(&echo, &limits);

	int good = raw_connect(&echo);

	for (int i = 0; i < PEERS; i++) {
		fd[i] = raw_connect(&echo);
		raw_send(fd[i], half, sizeof half);
		raw_send_call(good, (uint32_t)i, ECHO_NOW, 1);
		assert_int_equal(raw_success(&echo, good, (uint32_t)i), 2);
		echo_settle(echo.base);
		assert_true(rpc_server_counts(echo.server).held_bytes <= limits.held_bytes);
	}
	assert_true(rpc_server_counts(echo.server).held_bytes > limits.held_bytes / 2);
	assert_true(rpc_server_counts(echo.server).connections_evicted >= PEERS / 2);
	for (int i = 0; i < PEERS; i++)
		close(fd[i]);
	close(good);
	echo_until(echo.base, rpc_server_counts(echo.server).connections == 0);
	assert_int_equal(rpc_server_counts(echo.server).held_bytes, 0);
	echo_close(&echo);
}

/* Calls read before cannot be stopped by not reading: their answers, unread, end the connection at four times the
 * limit. */
static void unread_deferred_answers_end_the_connection(void **state)
{
	enum { CALLS = 300 };
	struct rpc_server_limits limits = rpc_server_limits_default();
	struct echo echo;
	echo_text text = {.bytes = {.bytes_len = 100000, .bytes_val = calloc(1, 100000)}};

	(void)state;
	limits.output_bytes = 1u << 20;
	echo_open(&echo, &limits);

	int fd = raw_connect(&echo);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int));
	for (uint32_t i = 0; i < CALLS; i++)
		raw_send_call(fd, i, ECHO_LATER, i);
	echo_until(echo.base, echo.held_count == CALLS);
	for (uint32_t i = 0; i < CALLS; i++)
		rpc_call_reply(echo.held[i], (xdrproc_t)xdr_echo_text, &text);
	echo.held_count = 0;
	assert_int_equal(echo.closes, 0); /* never from within a reply */
	echo_until(echo.base, echo.closes == 1);
	close(fd);
	echo_close(&echo);
	free(text.bytes.bytes_val);
}

static void closes_idle_clients(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;

	(void)state;
	limits.client_idle_s = 1;
	echo_open(&echo, &limits);

	int pinned = raw_connect(&echo);
	int busy = raw_connect(&echo);
	int idle = raw_connect(&echo);

	echo.pin_callers = true;
	raw_send_call(pinned, 1, ECHO_NOW, 1);
	raw_success(&echo, pinned, 1);
	raw_send_call(busy, 1, ECHO_LATER, 1);
	echo_until(echo.base, echo.held_count == 1);
	echo_until(echo.base, echo.closes == 1);
	assert_false(raw_is_open(idle));
	assert_true(raw_is_open(pinned));
	assert_true(raw_is_open(busy));
	close(pinned);
	close(busy);
	close(idle);
	echo_close(&echo);
}

/* Without descriptors the listener stays readable: the loop must pause, not spin; and accept again later. */
static void running_out_of_descriptors_does_not_spin(void **state)
{
	struct rlimit old;
	struct echo echo;
	int steps = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);
	int highest = dup(fd);

	close(highest);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)highest, old.rlim_max}), 0);
	event_base_loopexit(echo.base, &(struct timeval){.tv_usec = 250000});
	while (!event_base_got_exit(echo.base)) {
		event_base_loop(echo.base, EVLOOP_ONCE);
		steps++;
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(steps < 50);
	assert_int_equal(rpc_server_counts(echo.server).connections, 0);
	raw_send_call(fd, 1, ECHO_NOW, 1);
	assert_int_equal(raw_success(&echo, fd, 1), 2);
	close(fd);
	echo_close(&echo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stalled_peers_delay_no_other),
		cmocka_unit_test(fragments_make_one_call),
		cmocka_unit_test(bad_records_close_their_connection_only),
		cmocka_unit_test(thousand_idle_connections),
		cmocka_unit_test(a_burst_leaves_room_for_others),
		cmocka_unit_test(evicts_the_longest_idle_client),
		cmocka_unit_test(never_evicts_the_pinned),
		cmocka_unit_test(one_too_many_is_answered),
		cmocka_unit_test(calls_in_flight_are_bounded),
		cmocka_unit_test(a_peer_that_does_not_read_is_bounded),
		cmocka_unit_test(many_half_records_are_bounded),
		cmocka_unit_test(unread_deferred_answers_end_the_connection),
		cmocka_unit_test(closes_idle_clients),
		cmocka_unit_test(running_out_of_descriptors_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
