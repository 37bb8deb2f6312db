/* Latencies in log-linear buckets: exact below 256, then 128 buckets per octave, so that a value read back is within
 * 0.4 % of the recorded one. Fixed size, no allocation; up to 2^40 (12 days in microseconds), clamped above. */
#pragma once

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_MAX_BITS 40
#define HISTOGRAM_BUCKETS ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t total;
	uint64_t max; /* exact */
};

void histogram_record(struct histogram *histogram, uint64_t value);

/* The value that `per_mille` thousandths of all recorded values do not exceed, 0 .. 1000; 0 when none were recorded.
 * Never above max. */
uint64_t histogram_at(const struct histogram *histogram, uint32_t per_mille);
