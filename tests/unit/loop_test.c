/* The meter of the loop's iterations: one that works or blocks for long is seen, waiting for events is not. And data
 * that arrived while the process was stopped is read before a timer decides that it is late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rpc/net/loop.h"

static uint64_t own_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* That much of its own running time: the machine may give it less than the wall clock's. */
static void work(evutil_socket_t fd, short what, void *context)
{
	uint64_t end_us = own_us() + *(const uint64_t *)context;

	(void)fd;
	(void)what;
	while (own_us() < end_us)
		;
}

/* The sleep is the blocking call. */
static void block(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	usleep((useconds_t) * (const uint64_t *)context);
}

static uint32_t longest_turn(event_callback_fn act, uint64_t act_us, uint32_t wait_ms)
{
	struct event_base *base = event_base_new();
	struct timeval wait = {.tv_usec = (suseconds_t)(wait_ms * 1000)};
	struct event *first = evtimer_new(base, act, &act_us);
	struct event *last = evtimer_new(base, act, &(uint64_t){0});
	struct loop_meter meter = {0};

	evtimer_add(first, &wait);
	loop_meter_attach(&meter);
	event_base_dispatch(base);
	evtimer_add(last, &wait); /* its wait ends the iteration of the first */
	event_base_dispatch(base);
	loop_meter_attach(NULL);
	event_free(first);
	event_free(last);
	event_base_free(base);
	return loop_meter_max_us(&meter);
}

static void a_turn_that_works_is_seen(void **state)
{
	(void)state;
	assert_true(longest_turn(work, 50000, 1) >= 49000);
}

static void a_turn_that_blocks_is_seen(void **state)
{
	(void)state;
	assert_true(longest_turn(block, 30000, 1) >= 30000);
}

static void waiting_is_no_turn(void **state)
{
	(void)state;
	assert_true(longest_turn(work, 0, 300) < 150000);
}

/* --- a process that is stopped and continued ---------------------------------------------------------------------- */

static int stop_pipe[2];
static bool stop_next_wait;
static char order_of_events[8];

/* Replaces the system's: a wait in which the process is stopped ends like this. */
int epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout_ms, const sigset_t *mask)
{
	if (!stop_next_wait)
		return (int)syscall(SYS_epoll_pwait, epoll, events, count, timeout_ms, mask, sizeof(uint64_t));
	stop_next_wait = false;
	assert_int_equal(write(stop_pipe[1], "x", 1), 1);
	usleep(((useconds_t)timeout_ms + 1) * 1000); /* the timer is due, too */
	errno = EINTR;
	return -1;
}

static void note(evutil_socket_t fd, short what, void *context)
{
	char byte;

	if (fd >= 0)
		assert_int_equal(read(fd, &byte, 1), 1);
	strcat(order_of_events, context);
	(void)what;
}

/* RULE 15 */
static void what_came_is_read_before_timers(void **state)
{
	struct event_base *base = loop_new();
	struct timeval wait = {.tv_usec = 20000};

	(void)state;
	assert_int_equal(pipe(stop_pipe), 0);
	struct event *timer = evtimer_new(base, note, "t"), *reader = event_new(base, stop_pipe[0], EV_READ, note, "r");

	event_add(timer, &wait);
	event_add(reader, NULL);
	stop_next_wait = true;
	event_base_dispatch(base);
	assert_string_equal(order_of_events, "rt");
	event_free(timer);
	event_free(reader);
	event_base_free(base);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_works_is_seen),
		cmocka_unit_test(a_turn_that_blocks_is_seen),
		cmocka_unit_test(waiting_is_no_turn),
		cmocka_unit_test(what_came_is_read_before_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
