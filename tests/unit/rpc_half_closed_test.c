/* Purpose: a client that half-closes its connection after its calls gets their answers, at no cost to the loop and for
 * no longer than that; a member of the cluster that does so is gone, and that is noticed at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_fixture.h"

static void note(evutil_socket_t fd, short what, void *fired)
{
	(void)fd;
	(void)what;
	*(bool *)fired = true;
}

static void a_half_closed_peer_gets_its_answers(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	raw_send_call(fd, 1, ECHO_LATER, 10);
	raw_send_call(fd, 2, ECHO_LATER, 20);
	raw_send_call(fd, 3, ECHO_NOW, 30);
	raw_send(fd, "\200\0", 2); /* and half a mark that is never completed */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(raw_success(&echo, fd, 3), 31);
	echo_until(echo.base, echo.held_count == 2);
	echo_settle(echo.base);
	assert_int_equal(echo.closes, 0);
	echo_answer(&echo, 1);
	assert_int_equal(raw_success(&echo, fd, 2), 21);
	assert_true(raw_is_open(fd));
	echo_answer(&echo, 0);
	assert_int_equal(raw_success(&echo, fd, 1), 11);
	raw_expect_close(&echo, fd);
	assert_int_equal(echo.closes, 1);
	assert_int_equal(rpc_server_counts(echo.server).connections, 0);
	close(fd);
	echo_close(&echo);
}

/* The end of file makes the socket readable for good: a loop that watched it again would never sleep. */
static void a_half_closed_peer_does_not_spin(void **state)
{
	struct echo echo;
	struct event *timer;
	bool fired = false;

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	raw_send_call(fd, 1, ECHO_LATER, 1);
	shutdown(fd, SHUT_WR);
	echo_until(echo.base, echo.held_count == 1);
	echo_settle(echo.base);
	/* The first event that wakes the loop is the timer. */
	timer = evtimer_new(echo.base, note, &fired);
	event_add(timer, &(struct timeval){.tv_usec = 20000});
	event_base_loop(echo.base, EVLOOP_ONCE);
	assert_true(fired);
	event_free(timer);
	rpc_call_drop(echo.held[--echo.held_count]); /* an answer that never comes ends it, too */
	raw_expect_close(&echo, fd);
	close(fd);
	echo_close(&echo);
}

/* More than the socket holds: the connection lasts until the peer has read it all. */
static void a_half_closed_peer_reads_slowly(void **state)
{
	enum { BYTES = 4 << 20, CALLS = 8 };
	struct echo echo;
	size_t got = 0;
	static uint8_t bytes[1 << 16];

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	for (uint32_t i = 0; i < CALLS; i++)
		raw_send_call(fd, i, ECHO_FILL, BYTES / CALLS);
	shutdown(fd, SHUT_WR);
	echo_until(echo.base, echo.fill_calls == CALLS);
	echo_settle(echo.base);
	assert_int_equal(echo.closes, 0);
	for (ssize_t count = 1; count != 0;) {
		event_base_loop(echo.base, EVLOOP_NONBLOCK);
		count = recv(fd, bytes, sizeof bytes, 0);
		got += count > 0 ? (size_t)count : 0;
	}
	assert_int_equal(got, BYTES + CALLS * (4 + 24 + 4));
	assert_int_equal(echo.closes, 1);
	close(fd);
	echo_close(&echo);
}

/* A member of the cluster never half-closes: its process is gone, and those who wait for it must learn it at once. */
static void the_end_of_a_pinned_peer_is_noticed_at_once(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);
	echo.pin_callers = true;

	int fd = raw_connect(&echo);

	raw_send_call(fd, 1, ECHO_NOW, 1);
	assert_int_equal(raw_success(&echo, fd, 1), 2);
	raw_send_call(fd, 2, ECHO_LATER, 1);
	echo_until(echo.base, echo.held_count == 1);
	shutdown(fd, SHUT_WR);
	raw_expect_close(&echo, fd);
	assert_int_equal(echo.closes, 1);
	assert_null(rpc_call_peer(echo.held[0]));
	close(fd);
	echo_close(&echo);
}

/* A peer that half-closed while its hello was still being processed does not become a member. */
static void a_half_closed_peer_is_not_pinned(void **state)
{
	struct echo echo;

	(void)state;
	echo_open(&echo, NULL);

	int fd = raw_connect(&echo);

	raw_send_call(fd, 1, ECHO_LATER, 1);
	shutdown(fd, SHUT_WR);
	echo_until(echo.base, echo.held_count == 1);
	echo_settle(echo.base);
	rpc_connection_pin(rpc_call_peer(echo.held[0]));
	raw_expect_close(&echo, fd);
	assert_int_equal(echo.closes, 1);
	close(fd);
	echo_close(&echo);
}

/* A peer that is gone looks the same at first; its answer then ends the connection. */
static void a_half_closed_peer_that_is_gone(void **state)
{
	struct rpc_server_limits limits = echo_small_limits();
	struct echo echo;
	int fd[4];

	(void)state;
	echo_open(&echo, &limits);
	for (unsigned i = 0; i < 4; i++) {
		fd[i] = raw_connect(&echo);
		raw_send_call(fd[i], i, ECHO_LATER, i);
		echo_until(echo.base, echo.held_count == i + 1);
	}
	close(fd[2]);
	close(fd[3]);
	echo_settle(echo.base);
	assert_int_equal(echo.closes, 0);
	/* Room for a new connection is made by one of those that may be gone, not by the one silent for longest. */
	echo_expect_prompt_answer(&echo);
	assert_true(raw_is_open(fd[0]));
	while (echo.held_count > 0)
		echo_answer(&echo, 0);
	echo_until(echo.base, rpc_server_counts(echo.server).connections == 2);
	assert_int_equal(raw_success(&echo, fd[0], 0), 1);
	assert_int_equal(raw_success(&echo, fd[1], 1), 2);
	close(fd[0]);
	close(fd[1]);
	echo_close(&echo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_half_closed_peer_gets_its_answers),
		cmocka_unit_test(a_half_closed_peer_does_not_spin),
		cmocka_unit_test(a_half_closed_peer_reads_slowly),
		cmocka_unit_test(the_end_of_a_pinned_peer_is_noticed_at_once),
		cmocka_unit_test(a_half_closed_peer_is_not_pinned),
		cmocka_unit_test(a_half_closed_peer_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
