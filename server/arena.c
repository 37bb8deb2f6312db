#include "server/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"

#define SMALL_PAGE 4096

/* Once half of a step is used the next one is asked for: at 50,000 orders a second that is 200 ms ahead. */
#define HALF_STEP (ARENA_STEP / 2)

static size_t round_up(size_t size, size_t step)
{
	return (size + step - 1) / step * step;
}

_Noreturn static void out_of_memory(const char *what, size_t size)
{
	log_error("orders",
		  "cannot %s %zu MiB for the order history: %s; give this host more memory or lower --max-orders",
		  what, size >> 20, strerror(errno));
	_exit(1); /* on any thread */
}

void arena_reserve(struct arena *arena, struct arena_keeper *keeper, size_t size)
{
	size_t reserved = round_up(size, ARENA_STEP);
	size_t mapped = reserved + ARENA_STEP; /* to begin at a huge page */
	uint8_t *base = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		out_of_memory("reserve", mapped);

	size_t skip = (ARENA_STEP - (uintptr_t)base % ARENA_STEP) % ARENA_STEP;

	if (skip > 0)
		must(munmap(base, skip) == 0);
	must(munmap(base + skip + reserved, ARENA_STEP - skip) == 0);
	*arena = (struct arena){.base = base + skip, .reserved = reserved, .keeper = keeper};
}

void arena_release(struct arena *arena)
{
	if (arena->base != NULL) {
		arena_keeper_forget(arena->keeper, arena);
		must(munmap(arena->base, arena->reserved) == 0);
	}
	*arena = (struct arena){0};
}

void arena_make_step(const struct arena *arena, size_t at)
{
	uint8_t *step = arena->base + at;

	must(at + ARENA_STEP <= arena->reserved);
	if (mprotect(step, ARENA_STEP, PROT_READ | PROT_WRITE) != 0)
		out_of_memory("allocate", at + ARENA_STEP);
	/* A small history stays in small pages, and takes no more of them than it uses. */
	if (at == 0)
		return;
	/* The kernel closes a killed process's connections only after it has given its memory back: 25 ms for 260 MB
	 * in small pages, added to every failover, and hardly anything in huge ones. What the kernel says does not
	 * matter: it is the same memory either way. */
	
	madvise(step, ARENA_STEP, MADV_HUGEPAGE);
	for (size_t page = 0; page < ARENA_STEP; page += SMALL_PAGE)
		*(volatile uint8_t *)(step + page) = 0;
}

void arena_grow(struct arena *arena, size_t size)
{
	must(size <= arena->reserved - arena->used);
	size_t ready = round_up(arena->used + size, HALF_STEP);
	size_t wanted = round_up(ready + HALF_STEP, ARENA_STEP);

	if (wanted > arena->reserved)
		wanted = arena->reserved;
	if (arena->used == 0 && wanted == ARENA_STEP) {
		/* Nobody but this thread knows the arena yet. */
		arena_make_step(arena, 0);
		arena->made = arena->wanted = ARENA_STEP;
	}
	arena_keeper_make_ready(arena->keeper, arena, round_up(ready, ARENA_STEP), wanted);
	arena->ready = ready;
}
