/* What providers have said, for a while: postcode -> exists or not, until it expires. Bounded: sets of eight places,
 * and in a full set the answer that was used longest ago makes room. Pure: the caller brings the time. It never
 * remembers "could not be asked": that says something of a provider, not of a postcode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTCODE_CACHE_GOOD_MS (24u * 3600u * 1000u) /* a postcode that exists today exists tomorrow */
#define POSTCODE_CACHE_BAD_MS (10u * 60u * 1000u)    /* a new one may be added at any time */

struct postcode_cache;

/* entries: how many postcodes at most, rounded down to what fits a power of two of sets, at least one set of eight. */
struct postcode_cache *postcode_cache_new(size_t entries);
void postcode_cache_free(struct postcode_cache *cache); /* NULL is fine */

/* True with *exists when the answer is known and has not expired. postcode: normalised. */
bool postcode_cache_find(struct postcode_cache *cache, const char *postcode, uint64_t now_ms, bool *exists);

/* Remembers the newest answer in place of an older one. */
void postcode_cache_put(struct postcode_cache *cache, const char *postcode, uint64_t now_ms, bool exists);
