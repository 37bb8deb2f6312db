/* The time that an order is stored with (rule 16). No decision anywhere depends on it; but it never falls, so one order
 * dated by a clock that is far ahead would date all that follow it. Hence others' clocks bound ours. All in microseconds
 * since 1970; clocks may show anything. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How far the primary's clock may be ahead of the others' before it is not believed. */
#define ORDER_TIME_AHEAD_US (60 * INT64_C(1000000))

/* clock_us: the primary's wall clock; others_us: the latest of those of the other members, NULL when none is known that
 * order_time_not_before() lets count. previous_us: of the order before. Never before that; else at most
 * ORDER_TIME_AHEAD_US later than the others' latest. */
int64_t order_time_after(int64_t previous_us, int64_t clock_us, const int64_t *others_us);

/* Clocks of others that show less do not count: they contradict an order that is in the log, and there would be no time
 * that they allow. Twice as far as the primary may be ahead: else an order dated at that limit would discredit the very clock
 * that set it, once its word is a moment older or another, slower one is the latest. */
int64_t order_time_not_before(int64_t previous_us);

/* By a replica's own clock: an order dated later than this has no real time. A little more than what the primary may be
 * ahead, since clocks and messages take their time. */
int64_t order_time_latest(int64_t clock_us);
