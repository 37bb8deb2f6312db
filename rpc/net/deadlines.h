/* The earliest of many deadlines: a binary heap of entries embedded in their owners. It runs no timer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct deadline {
	uint64_t at_us;
	size_t index; /* where in the heap; kept by it */
};

struct deadlines {
	struct deadline **heap;
	size_t count, capacity;
};

void deadlines_free(struct deadlines *deadlines);

/* Borrowed until removed; at_us must not change meanwhile. */
void deadlines_add(struct deadlines *deadlines, struct deadline *deadline);
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

/* NULL when there is none. */
struct deadline *deadlines_first(const struct deadlines *deadlines);
