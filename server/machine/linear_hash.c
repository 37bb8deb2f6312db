#include "server/machine/linear_hash.h"

#include <stddef.h>

#include "rpc/base/must.h"

#define BUCKET_ENTRIES 7
/* Average number of entries per bucket. Within a round unsplit buckets hold up to twice as many as split ones; at 5
 * most entries still lie in the first bucket of their chain, and an entry costs about 14 bytes. */
#define FILL 5
#define BUCKETS_AT_START 64

/* One cache line, so that a find reads one, with the hashes beside the values, so that neither a find nor a split
 * reads a key. */
struct bucket {
	uint32_t hashes[BUCKET_ENTRIES];
	uint32_t values[BUCKET_ENTRIES];
	uint32_t count;
	uint32_t next; /* overflow bucket + 1; 0: none */
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

void linear_hash_init(struct linear_hash *index, uint32_t entries_max)
{
	size_t buckets_max = (size_t)entries_max / FILL + BUCKETS_AT_START + 1;
	/* Even if all hashes are equal: one chain with everything, and its copy while it is split. */
	size_t overflow_max = buckets_max + 2 * ((size_t)entries_max / BUCKET_ENTRIES + 1);

	*index = (struct linear_hash){.buckets_count = BUCKETS_AT_START, .round = BUCKETS_AT_START};
	arena_reserve(&index->buckets, buckets_max * sizeof(struct bucket));
	arena_reserve(&index->overflow, overflow_max * sizeof(struct bucket));
	arena_take(&index->buckets, BUCKETS_AT_START * sizeof(struct bucket));
}

void linear_hash_release(struct linear_hash *index)
{
	arena_release(&index->buckets);
	arena_release(&index->overflow);
}

static struct bucket *bucket_at(const struct linear_hash *index, uint32_t number)
{
	return (struct bucket *)(void *)index->buckets.base + number;
}

static struct bucket *overflow_at(const struct linear_hash *index, uint32_t next)
{
	return next == 0 ? NULL : (struct bucket *)(void *)index->overflow.base + (next - 1);
}

static struct bucket *bucket_of(const struct linear_hash *index, uint32_t hash)
{
	uint32_t number = hash & (index->round * 2 - 1);

	return bucket_at(index, number < index->buckets_count ? number : number - index->round);
}

void linear_hash_prefetch(const struct linear_hash *index, uint32_t hash)
{
	__builtin_prefetch(bucket_of(index, hash));
}

uint32_t *linear_hash_find(const struct linear_hash *index, uint32_t hash,
			   bool (*match)(const void *key, uint32_t value), const void *key)
{
	for (struct bucket *bucket = bucket_of(index, hash); bucket != NULL; bucket = overflow_at(index, bucket->next))
		for (uint32_t i = 0; i < bucket->count; i++)
			if (bucket->hashes[i] == hash && match(key, bucket->values[i]))
				return &bucket->values[i];
	return NULL;
}

static uint32_t overflow_take(struct linear_hash *index)
{
	uint32_t next = index->overflow_free;

	if (next != 0) {
		struct bucket *bucket = overflow_at(index, next);

		index->overflow_free = bucket->next;
		*bucket = (struct bucket){0};
		return next;
	}
	arena_take(&index->overflow, sizeof(struct bucket));
	return (uint32_t)(index->overflow.used / sizeof(struct bucket));
}

/* Adds to the end of a chain; returns the bucket that is now its last. */
static struct bucket *chain_add(struct linear_hash *index, struct bucket *bucket, uint32_t hash, uint32_t value)
{
	while (bucket->count == BUCKET_ENTRIES) {
		if (bucket->next == 0)
			bucket->next = overflow_take(index);
		bucket = overflow_at(index, bucket->next);
	}
	bucket->hashes[bucket->count] = hash;
	bucket->values[bucket->count] = value;
	bucket->count++;
	return bucket;
}

/* Cuts a chain after bucket and keeps the rest for reuse. */
static void chain_cut(struct linear_hash *index, struct bucket *bucket)
{
	uint32_t next = bucket->next;

	bucket->next = 0;
	while (next != 0) {
		struct bucket *cut = overflow_at(index, next);
		uint32_t after = cut->next;

		cut->next = index->overflow_free;
		index->overflow_free = next;
		next = after;
	}
}

/* Splits the next bucket of the round in two: entries with the round's bit set move to a new bucket at the end. */
static void split(struct linear_hash *index)
{
	struct bucket *keep = bucket_at(index, index->buckets_count - index->round);
	struct bucket *move = arena_take(&index->buckets, sizeof(struct bucket));
	uint32_t kept = 0;

	must(keep != NULL);
	/* Entries that stay are written behind the read position in the same chain: keep and kept never overtake from
	 * and i. */
	for (struct bucket *from = keep; from != NULL; from = overflow_at(index, from->next)) {
		uint32_t count = from->count;

		for (uint32_t i = 0; i < count; i++) {
			uint32_t hash = from->hashes[i];

			if (hash & index->round) {
				move = chain_add(index, move, hash, from->values[i]);
				continue;
			}
			if (kept == BUCKET_ENTRIES) {
				keep->count = kept;
				keep = overflow_at(index, keep->next);
				must(keep != NULL);
				kept = 0;
			}
			keep->hashes[kept] = hash;
			keep->values[kept] = from->values[i];
			kept++;
		}
	}
	keep->count = kept;
	chain_cut(index, keep);
	if (++index->buckets_count == index->round * 2)
		index->round *= 2;
}

void linear_hash_insert(struct linear_hash *index, uint32_t hash, uint32_t value)
{
	chain_add(index, bucket_of(index, hash), hash, value);
	if (++index->entries > (uint64_t)index->buckets_count * FILL)
		split(index);
}

uint64_t linear_hash_memory(const struct linear_hash *index)
{
	return index->buckets.used + index->overflow.used;
}
