/* The meter of the loop's turns: a turn that works or blocks for long is seen, waiting for events is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>
#include <time.h>
#include <unistd.h>

#include "rpc/loop.h"

static uint64_t own_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* For so long of its own running time: the machine may give it less than the wall's. */
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
	evtimer_add(last, &wait); /* its wait ends the turn of the first */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_works_is_seen),
		cmocka_unit_test(a_turn_that_blocks_is_seen),
		cmocka_unit_test(waiting_is_no_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
