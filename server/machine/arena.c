#include "server/machine/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"

/* Large enough that system calls are rare, one in twenty thousand orders. Memory is first touched page by page, as it
 * is used: a huge page would take 5 ms of the event loop where the host of a virtual machine has to find it. */
#define COMMIT_STEP ((size_t)2 << 20)

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
	size_t mapped = reserved + COMMIT_STEP; /* to start at a huge page */
	uint8_t *base = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		out_of_memory("reserve", mapped);

	size_t skip = (COMMIT_STEP - (uintptr_t)base % COMMIT_STEP) % COMMIT_STEP;

	if (skip > 0)
		must(munmap(base, skip) == 0);
	must(munmap(base + skip + reserved, COMMIT_STEP - skip) == 0);
	*arena = (struct arena){.base = base + skip, .reserved = reserved};
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
