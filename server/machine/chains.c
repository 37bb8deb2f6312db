#include "server/machine/chains.h"

#include <string.h>
#include <xxhash.h>

#include "rpc/base/must.h"
#include "rpc/base/uuid.h"

struct link {
	uint32_t depth;
	uint32_t previous;
	uint32_t jump;
};

void chains_init(struct chains *chains, uint32_t entries_max)
{
	struct uuid seed = uuid_draw();

	memcpy(&chains->seed, seed.bytes, sizeof chains->seed);
	arena_reserve(&chains->links, ((size_t)entries_max + 1) * sizeof(struct link));
	linear_hash_init(&chains->newest, entries_max);
}

void chains_release(struct chains *chains)
{
	arena_release(&chains->links);
	linear_hash_release(&chains->newest);
}

uint64_t chains_memory(const struct chains *chains)
{
	return chains->links.used + linear_hash_memory(&chains->newest);
}

/* --- the newest of each key --------------------------------------------------------------------------------------- */

uint32_t chains_hash(const struct chains *chains, const void *key, size_t size)
{
	return (uint32_t)XXH3_64bits_withSeed(key, size, chains->seed);
}

void chains_prefetch(const struct chains *chains, uint32_t hash)
{
	linear_hash_prefetch(&chains->newest, hash);
}

uint32_t *chains_find(const struct chains *chains, uint32_t hash, bool (*bears)(const void *key, uint32_t entry),
		      const void *key)
{
	return linear_hash_find(&chains->newest, hash, bears, key);
}

/* --- links -------------------------------------------------------------------------------------------------------- */

static const struct link none = {0, CHAINS_NONE, CHAINS_NONE};

static size_t count_of(const struct chains *chains)
{
	return chains->links.used / sizeof(struct link);
}

/* Also for an entry beyond the last one added, and for CHAINS_NONE. */
static struct link link_at(const struct chains *chains, uint32_t entry)
{
	if (entry >= count_of(chains))
		return none;
	return ((const struct link *)(const void *)chains->links.base)[entry];
}

static struct link link_after(const struct chains *chains, uint32_t newest)
{
	struct link before = link_at(chains, newest);
	struct link jump = link_at(chains, before.jump);
	uint32_t span = before.depth - jump.depth;
	bool merges = span == jump.depth - link_at(chains, jump.jump).depth;

	return (struct link){.depth = before.depth + 1, .previous = newest, .jump = merges ? jump.jump : newest};
}

void chains_add(struct chains *chains, uint32_t entry, uint32_t hash, uint32_t *newest)
{
	struct link *link;

	must(entry >= count_of(chains));
	must(newest == NULL || *newest < entry);
	while (count_of(chains) < entry) {
		link = arena_take(&chains->links, sizeof *link);
		*link = none;
	}
	link = arena_take(&chains->links, sizeof *link);
	*link = link_after(chains, newest == NULL ? CHAINS_NONE : *newest);
	if (newest != NULL)
		*newest = entry;
	else
		linear_hash_insert(&chains->newest, hash, entry);
}

uint32_t chains_depth(const struct chains *chains, uint32_t entry)
{
	return link_at(chains, entry).depth;
}

uint32_t chains_previous(const struct chains *chains, uint32_t entry)
{
	return link_at(chains, entry).previous;
}

uint32_t chains_at_depth(const struct chains *chains, uint32_t entry, uint32_t depth)
{
	struct link link = link_at(chains, entry);

	must(depth >= 1 && depth <= link.depth);
	while (link.depth > depth) {
		struct link jump = link_at(chains, link.jump);

		entry = jump.depth >= depth ? link.jump : link.previous;
		link = link_at(chains, entry);
	}
	return entry;
}
