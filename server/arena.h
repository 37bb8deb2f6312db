/* A range of memory that grows at its end and never moves: address space is reserved at once, memory is added step by
 * step, ahead of its use (arena_keeper.h). So a flat array needs no reallocation (no call takes long), and what was
 * written and published may be read by another thread while it grows. It gives nothing back before arena_release. Memory
 * comes zeroed. An arena stays where it is while it is in use. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/arena_keeper.h"

/* One huge page: a system call in twenty thousand orders. */
#define ARENA_STEP ((size_t)2 << 20)

struct arena {
	uint8_t *base; /* constant; multiple of ARENA_STEP */
	size_t used;
	size_t ready;  /* may be used without asking */
	size_t reserved;
	struct arena_keeper *keeper;

	/* The keeper's, under its lock. */
	size_t made, wanted;
	struct arena *next;
};

/* Reserves address space (no memory, also none of the overcommit limit). The operator's trouble (no address space)
 * ends the process with one line: nothing can be served without it. */
void arena_reserve(struct arena *arena, struct arena_keeper *keeper, size_t size);

/* May take tens of milliseconds for gigabytes: not on an event loop. */
void arena_release(struct arena *arena);

/* The rare half of arena_take. Out of memory ends the process with one line: a replica that cannot hold the history
 * cannot go on, and what it acknowledged is in its journal. */
void arena_grow(struct arena *arena, size_t size);

/* For the keeper: has the step that begins `at` bytes into the arena backed by memory. On any thread. */
void arena_make_step(const struct arena *arena, size_t at);

/* The next size bytes, zero, right behind those taken before. The caller stays within what it reserved. */
static inline void *arena_take(struct arena *arena, size_t size)
{
	if (size > arena->ready - arena->used)
		arena_grow(arena, size);

	uint8_t *taken = arena->base + arena->used;

	arena->used += size;
	return taken;
}
