#include "server/shop/order_time.h"

#define SLACK_US INT64_C(1000000)

static int64_t add(int64_t a_us, int64_t b_us)
{
	int64_t sum_us;

	if (__builtin_add_overflow(a_us, b_us, &sum_us))
		return b_us < 0 ? INT64_MIN : INT64_MAX;
	return sum_us;
}

int64_t order_time_not_before(int64_t previous_us)
{
	return add(previous_us, -2 * ORDER_TIME_AHEAD_US);
}

int64_t order_time_latest(int64_t clock_us)
{
	return add(clock_us, ORDER_TIME_AHEAD_US + SLACK_US);
}

int64_t order_time_after(int64_t previous_us, int64_t clock_us, const int64_t *others_us)
{
	if (others_us != NULL && clock_us > add(*others_us, ORDER_TIME_AHEAD_US)) /* RULE 16 */
		clock_us = add(*others_us, ORDER_TIME_AHEAD_US);
	/* RULE 16: the later of our clock, if it is plausible, and the previous order's time. */
	return clock_us < previous_us ? previous_us : clock_us;
}
