/* Answers of providers, cached until they expire: postcode -> exists or not. Bounded: sets of eight places, and a full
 * set evicts the least recently used answer. Pure: the caller passes the time. A failure to ask is never cached: it
 * concerns a provider, not a postcode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTCODE_CACHE_GOOD_MS (24u * 3600u * 1000u) /* a postcode that exists today exists tomorrow */
#define POSTCODE_CACHE_BAD_MS (10u * 60u * 1000u)    /* a new one may be added at any time */

struct postcode_cache;

/* entries: the maximum number of postcodes, rounded down to a power of two of sets, at least one set of eight. */
struct postcode_cache *postcode_cache_new(size_t entries);
void postcode_cache_free(struct postcode_cache *cache); /* NULL is fine */

/* True with *exists when the answer is known and has not expired. postcode: normalised. */
bool postcode_cache_find(struct postcode_cache *cache, const char *postcode, uint64_t now_ms, bool *exists);

/* Stores the newest answer in place of an older one. */
void postcode_cache_put(struct postcode_cache *cache, const char *postcode, uint64_t now_ms, bool exists);
