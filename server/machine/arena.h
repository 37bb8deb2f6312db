/* A range of memory that grows at its end and never moves: address space is reserved at once, memory is committed
 * step by step. So a flat array needs no reallocation (no call takes long), and what was written and published may
 * be read by another thread while it grows. It gives nothing back before arena_release. Memory comes zeroed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena {
	uint8_t *base; /* constant; multiple of the page size */
	size_t used;
	size_t committed;
	size_t reserved;
};

/* Reserves address space (no memory, also none of the overcommit limit). The operator's trouble (no address space)
 * ends the process with one line: nothing can be served without it. */
void arena_reserve(struct arena *arena, size_t size);

/* May take tens of milliseconds for gigabytes: not on an event loop. */
void arena_release(struct arena *arena);

/* The rare half of arena_take. Out of memory ends the process with one line: a replica that cannot hold the history
 * cannot go on, and what it acknowledged is in its journal. */
void arena_commit(struct arena *arena, size_t size);

/* The next size bytes, zero, right behind those taken before. The caller stays within what it reserved. */
static inline void *arena_take(struct arena *arena, size_t size)
{
	if (size > arena->committed - arena->used)
		arena_commit(arena, size);

	uint8_t *taken = arena->base + arena->used;

	arena->used += size;
	return taken;
}
