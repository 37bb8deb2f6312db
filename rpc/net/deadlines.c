#include "rpc/net/deadlines.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

static void place(struct deadlines *deadlines, size_t index, struct deadline *deadline)
{
	deadlines->heap[index] = deadline;
	deadline->index = index;
}

static void rise(struct deadlines *deadlines, struct deadline *deadline, size_t index)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (deadlines->heap[parent]->at_us <= deadline->at_us)
			break;
		place(deadlines, index, deadlines->heap[parent]);
		index = parent;
	}
	place(deadlines, index, deadline);
}

static void sink(struct deadlines *deadlines, struct deadline *deadline, size_t index)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= deadlines->count)
			break;
		if (child + 1 < deadlines->count && deadlines->heap[child + 1]->at_us < deadlines->heap[child]->at_us)
			child++;
		if (deadline->at_us <= deadlines->heap[child]->at_us)
			break;
		place(deadlines, index, deadlines->heap[child]);
		index = child;
	}
	place(deadlines, index, deadline);
}

void deadlines_add(struct deadlines *deadlines, struct deadline *deadline)
{
	if (deadlines->count == deadlines->capacity) {
		size_t capacity = deadlines->capacity == 0 ? 64 : deadlines->capacity * 2;

		deadlines->heap = realloc(deadlines->heap, capacity * sizeof(struct deadline *));
		must_allocate(deadlines->heap);
		deadlines->capacity = capacity;
	}
	rise(deadlines, deadline, deadlines->count++);
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
	size_t index = deadline->index;

	must(index < deadlines->count);
	must(deadlines->heap[index] == deadline);

	struct deadline *last = deadlines->heap[--deadlines->count];

	if (last == deadline)
		return;
	if (last->at_us < deadline->at_us)
		rise(deadlines, last, index);
	else
		sink(deadlines, last, index);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->count == 0 ? NULL : deadlines->heap[0];
}

void deadlines_free(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){0};
}
