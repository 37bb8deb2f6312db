#include "server/shop/postcode_cache.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "rpc/base/must.h"
#include "rpc/base/postcode.h"
#include "rpc/base/shortage.h"

#define WAYS 8

struct place {
	uint64_t key;        /* the postcode's at most eight characters; 0: empty */
	uint64_t expires_ms;
	uint64_t used;       /* the cache's clock when it was last stored or found */
	bool exists;
};

struct postcode_cache {
	size_t sets_count; /* a power of two */
	uint64_t clock;    /* counts uses */
	struct place places[];
};

static uint64_t key_of(const char *postcode)
{
	uint64_t key = 0;
	size_t size = strlen(postcode);

	must(size > 0);
	must(size <= sizeof(key));
	_Static_assert(POSTCODE_SIZE - 1 <= sizeof(key), "a postcode fits its key");
	memcpy(&key, postcode, size);
	return key;
}

static struct place *set_of(struct postcode_cache *cache, uint64_t key)
{
	return &cache->places[(XXH3_64bits(&key, sizeof(key)) & (cache->sets_count - 1)) * WAYS];
}

static struct place *place_of(struct postcode_cache *cache, uint64_t key)
{
	struct place *set = set_of(cache, key);

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

struct postcode_cache *postcode_cache_new(size_t entries)
{
	size_t sets = 1;

	while (sets * 2 * WAYS <= entries)
		sets *= 2;
	/* calloc leaves untouched pages to the kernel: an idle cache costs nothing. */
	struct postcode_cache *cache = calloc(1, sizeof(*cache) + sets * WAYS * sizeof(struct place));
	must_allocate(cache);
	cache->sets_count = sets;
	return cache;
}

void postcode_cache_free(struct postcode_cache *cache)
{
	free(cache);
}

bool postcode_cache_find(struct postcode_cache *cache, const char *postcode, uint64_t now_ms, bool *exists)
{
	struct place *place = place_of(cache, key_of(postcode));

	if (!place || now_ms >= place->expires_ms)
		return false;
	place->used = ++cache->clock;
	*exists = place->exists;
	return true;
}

/* The place to overwrite: an empty one, else an expired one, else the least recently used one. */
static struct place *victim_of(struct place *set, uint64_t now_ms)
{
	struct place *victim = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == 0 || now_ms >= set[i].expires_ms)
			return &set[i];
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	return victim;
}

void postcode_cache_put(struct postcode_cache *cache, const char *postcode, uint64_t now_ms, bool exists)
{
	uint64_t key = key_of(postcode);
	struct place *place = place_of(cache, key);

	if (!place)
		place = victim_of(set_of(cache, key), now_ms);
	*place = (struct place){
		.key = key,
		.expires_ms = now_ms + (exists ? POSTCODE_CACHE_GOOD_MS : POSTCODE_CACHE_BAD_MS),
		.used = ++cache->clock,
		.exists = exists,
	};
}
