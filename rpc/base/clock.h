/* The monotonic clock of the RPC runtime, in microseconds: deadlines are made from it and from no other clock (rule
 * 16). And the wall clock, which may be wrong and may jump. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t rpc_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* Microseconds since 1970. */
static inline int64_t rpc_wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
