/* For a test of deadlines, included by its one file: it replaces libc's clock_gettime, in libevent and libcurl too.
 * The monotonic clock is a hundred times slower than the true one, so that no slowness of the machine makes anything
 * late, and jumps when the test says so. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOW_CLOCK_FACTOR 100

static _Atomic int64_t slow_clock_ahead_ns;
static _Atomic int64_t slow_clock_begin_ns; /* when the program read it first, by the true clock */

static inline int64_t slow_clock_true_ns(clockid_t clock)
{
	struct timespec now;

	return syscall(SYS_clock_gettime, clock, &now) == 0 ? now.tv_sec * INT64_C(1000000000) + now.tv_nsec : -1;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t unset = 0;

	if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE && clock != CLOCK_MONOTONIC_RAW &&
	    clock != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, clock, now);
	int64_t true_ns = slow_clock_true_ns(CLOCK_MONOTONIC);
	atomic_compare_exchange_strong(&slow_clock_begin_ns, &unset, true_ns);
	int64_t ns = slow_clock_begin_ns + (true_ns - slow_clock_begin_ns) / SLOW_CLOCK_FACTOR + slow_clock_ahead_ns;
	now->tv_sec = (time_t)(ns / 1000000000);
	now->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

static inline void slow_clock_jump(int64_t ms)
{
	slow_clock_ahead_ns += ms * 1000000;
}
