/* The time that an order is stored with (rule 16). No decision depends on it, but it never falls, so a single order
 * dated by a clock that is far ahead would determine the dates of all later orders. Therefore the clocks of the other
 * members bound ours. All values are microseconds since 1970; clocks may show anything. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How far the primary's clock may be ahead of the others' and still be used. */
#define ORDER_TIME_AHEAD_US (60 * INT64_C(1000000))

/* clock_us: the primary's wall clock; others_us: the latest clock of the other members, NULL when none is known that
 * order_time_not_before() lets count. previous_us: of the order before. The result is never before that; otherwise at
 * most ORDER_TIME_AHEAD_US later than the others' latest. */
int64_t order_time_after(int64_t previous_us, int64_t clock_us, const int64_t *others_us);

/* Clocks of others that show less do not count: they contradict an order in the log, and no time would satisfy both.
 * The limit is twice as far as the primary may be ahead: otherwise an order dated at that limit would discredit the
 * very clock that allowed it, once that clock's report is a moment older or another, slower one is the latest. */
int64_t order_time_not_before(int64_t previous_us);

/* By a replica's own clock: an order dated later than this has no real time. A little more than what the primary may
 * be ahead, because clocks and messages have delays. */
int64_t order_time_latest(int64_t clock_us);
