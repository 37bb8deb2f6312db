/* The monotonic clock of the RPC runtime, in microseconds: all deadlines use it and no other clock (rule 16). And the
 * wall clock, which may be wrong and may jump. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t rpc_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static inline uint64_t rpc_clock_ms(void)
{
	return rpc_clock_us() / 1000;
}

/* Since 1970; before it tv_sec alone is below 0. */
static inline struct timespec rpc_wall_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

/* Microseconds since 1970. */
static inline int64_t rpc_wall_us(void)
{
	struct timespec now = rpc_wall_now();

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
