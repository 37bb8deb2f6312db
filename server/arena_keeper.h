/* A thread that makes memory ready before it is needed. The first touch of a huge page costs a tenth of a millisecond on
 * bare metal and 5 ms in a virtual machine whose host has to find the memory first; on the event loop every client would
 * wait for that. One keeper serves the arenas of one history. The thread starts with the first page asked for. */
#pragma once

#include <stddef.h>

struct arena;
struct arena_keeper;

struct arena_keeper *arena_keeper_new(void);

/* After all its arenas were released. NULL is fine. */
void arena_keeper_free(struct arena_keeper *keeper);

/* Have `wanted` bytes of the arena ready; returns once `needed` of them are, at once when they were asked for in time.
 * Both count from the arena's beginning, in whole steps. */
void arena_keeper_make_ready(struct arena_keeper *keeper, struct arena *arena, size_t needed, size_t wanted);

/* Touches the arena no more once this returns. */
void arena_keeper_forget(struct arena_keeper *keeper, struct arena *arena);
