/* For each key (a client, a postcode) the chain of its entries in the history, from the newest back. Entries are
 * numbered as in the history, added in that order, and never removed. Jumps skip parts of a chain, so that any depth
 * is found in a logarithmic number of steps (E. W. Myers, "An applicative random-access stack", IPL 17, 1983). No key
 * is stored: the caller says whether an entry has the one sought. At most 26 bytes per entry. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/machine/arena.h"
#include "server/machine/linear_hash.h"

#define CHAINS_NONE UINT32_MAX /* no entry */

struct chains {
	struct arena links;
	struct linear_hash newest; /* key -> its newest entry */
	uint64_t seed;             /* drawn, so that a client cannot know which keys share a bucket */
};

void chains_init(struct chains *chains, uint32_t entries_max);
void chains_release(struct chains *chains);
uint64_t chains_memory(const struct chains *chains); /* bytes in use */

uint32_t chains_hash(const struct chains *chains, const void *key, size_t size);
/* Prefetches what chains_find of this hash reads first. */
void chains_prefetch(const struct chains *chains, uint32_t hash);
/* Where the newest entry of a key is stored; NULL: it has none. Valid until the next chains_add. */
uint32_t *chains_find(const struct chains *chains, uint32_t hash, bool (*bears)(const void *key, uint32_t entry),
		      const void *key);

/* Adds an entry above all others, of the key that newest (chains_find's, of this hash) belongs to. Entries in between
 * are in no chain. */
void chains_add(struct chains *chains, uint32_t entry, uint32_t hash, uint32_t *newest);

uint32_t chains_depth(const struct chains *chains, uint32_t entry); /* of its chain, up to this entry; 0: in none */
uint32_t chains_previous(const struct chains *chains, uint32_t entry);
/* The entry at this depth (from 1) of the chain that entry is in, which must be at least as long. */
uint32_t chains_at_depth(const struct chains *chains, uint32_t entry, uint32_t depth);
