/* A hash index from 32-bit hashes to 32-bit values that grows one bucket per insert (linear hashing: W. Litwin,
 * "Linear Hashing: A New Tool for File and Table Addressing", VLDB 1980). It never rehashes everything, so no insert
 * takes long. It keeps no keys: the caller says whether a value with the right hash is the one sought. Nothing is ever
 * removed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/machine/arena.h"

struct linear_hash {
	struct arena buckets;
	struct arena overflow;
	uint64_t entries;
	uint32_t buckets_count; /* round <= buckets_count < 2 * round */
	uint32_t round;         /* a power of two: buckets when this round of splits began */
	uint32_t overflow_free; /* first free overflow bucket + 1; 0: none */
};

/* entries_max: inserting more is a bug of the caller. */
void linear_hash_init(struct linear_hash *index, uint32_t entries_max);
void linear_hash_release(struct linear_hash *index);

/* The place of the value with this hash that match accepts, to read or replace; NULL when there is none. Valid until
 * the next insert. */
uint32_t *linear_hash_find(const struct linear_hash *index, uint32_t hash,
			   bool (*match)(const void *key, uint32_t value), const void *key);

void linear_hash_insert(struct linear_hash *index, uint32_t hash, uint32_t value);

/* Prefetches what a find of this hash reads first. */
void linear_hash_prefetch(const struct linear_hash *index, uint32_t hash);

/* Bytes of memory in use. */
uint64_t linear_hash_memory(const struct linear_hash *index);
