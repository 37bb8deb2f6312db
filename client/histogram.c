#include "client/histogram.h"

#include "rpc/base/must.h"

/* Values below 2 * SUB have a bucket each; above, the top SUB_BITS + 1 bits of the value select it. */
static uint32_t bucket_of(uint64_t value)
{
	uint32_t shift;

	if (value >> HISTOGRAM_MAX_BITS)
		value = (1ull << HISTOGRAM_MAX_BITS) - 1;
	if (value < (2u << HISTOGRAM_SUB_BITS))
		return (uint32_t)value;
	shift = (uint32_t)(63 - __builtin_clzll(value)) - HISTOGRAM_SUB_BITS;
	return (shift << HISTOGRAM_SUB_BITS) + (uint32_t)(value >> shift);
}

/* The middle of a bucket, so that the error is half its width. */
static uint64_t value_of(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < (2u << HISTOGRAM_SUB_BITS))
		return bucket;
	shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	return ((uint64_t)(bucket - (shift << HISTOGRAM_SUB_BITS)) << shift) + ((1ull << shift) >> 1);
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
	uint32_t bucket = bucket_of(value);

	must(bucket < HISTOGRAM_BUCKETS);
	histogram->counts[bucket]++;
	histogram->total++;
	if (value > histogram->max)
		histogram->max = value;
}

uint64_t histogram_at(const struct histogram *histogram, uint32_t per_mille)
{
	uint64_t wanted, seen = 0, value;

	must(per_mille <= 1000);
	if (!histogram->total)
		return 0;
	/* The smallest rank that covers the share, at least the first; split so that it cannot overflow. */
	wanted = histogram->total / 1000 * per_mille + (histogram->total % 1000 * per_mille + 999) / 1000;
	if (!wanted)
		wanted = 1;
	for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		seen += histogram->counts[bucket];
		if (seen >= wanted) {
			value = value_of(bucket);
			return value < histogram->max ? value : histogram->max;
		}
	}
	must_not_reach("the counts add up to total");
}
