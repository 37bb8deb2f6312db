/* A range of memory that grows at its end and never moves: address space is reserved at once, memory is committed step
 * by step. A flat array therefore needs no reallocation (no call takes long), and data that was written and published
 * may be read by another thread while the array grows. Nothing is given back before arena_release. Memory is zeroed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena {
	uint8_t *base; /* constant; multiple of the page size */
	size_t used;
	size_t committed;
	size_t reserved;
};

/* Reserves address space (no memory, and nothing of the overcommit limit). Without enough address space, which the
 * operator must provide, the process ends with one line, because it could serve nothing. */
void arena_reserve(struct arena *arena, size_t size);

/* May take tens of milliseconds for gigabytes: not on an event loop. */
void arena_release(struct arena *arena);

/* The slow path of arena_take. Out of memory ends the process with one line: a replica that cannot hold the history
 * cannot continue, and what it acknowledged is in its journal. */
void arena_commit(struct arena *arena, size_t size);

/* The next size bytes, zeroed, directly after those taken before. The caller stays within what it reserved. */
static inline void *arena_take(struct arena *arena, size_t size)
{
	if (size > arena->committed - arena->used)
		arena_commit(arena, size);

	uint8_t *taken = arena->base + arena->used;

	arena->used += size;
	return taken;
}
