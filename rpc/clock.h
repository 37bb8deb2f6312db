/* The monotonic clock of the RPC runtime, in microseconds. Deadlines are made from it and from no other clock (rule
 * 16). */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t rpc_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
