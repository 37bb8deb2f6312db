#include "server/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"

/* Small enough that committing never shows on the event loop (pages fault in one by one), large enough that system
 * calls are rare: one in ten thousand orders. */
#define COMMIT_STEP ((size_t)1 << 20)

static size_t round_up(size_t size)
{
	return (size + COMMIT_STEP - 1) / COMMIT_STEP * COMMIT_STEP;
}

_Noreturn static void out_of_memory(const char *what, size_t size)
{
	log_error("orders",
		  "cannot %s %zu MiB for the order history: %s; give this host more memory or lower --max-orders",
		  what, size >> 20, strerror(errno));
	exit(1);
}

void arena_reserve(struct arena *arena, size_t size)
{
	size_t reserved = round_up(size);
	void *base = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		out_of_memory("reserve", reserved);
	*arena = (struct arena){.base = base, .reserved = reserved};
}

void arena_release(struct arena *arena)
{
	if (arena->base != NULL)
		must(munmap(arena->base, arena->reserved) == 0);
	*arena = (struct arena){0};
}

void arena_commit(struct arena *arena, size_t size)
{
	must(size <= arena->reserved - arena->used);
	size_t step = round_up(arena->used + size) - arena->committed;

	if (mprotect(arena->base + arena->committed, step, PROT_READ | PROT_WRITE) != 0)
		out_of_memory("allocate", arena->committed + step);
	arena->committed += step;
	must(arena->committed <= arena->reserved);
}
