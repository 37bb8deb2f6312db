#include "server/replica/waiters.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define ROOM_FIRST 256

/* Places of one array, linked by index + 1. */
struct place {
	struct held_call call;
	uint32_t next;
};

struct waiters {
	struct place *places;
	uint32_t room;
	uint32_t free; /* list of those not in use */
	uint64_t count;
};

struct waiters *waiters_new(void)
{
	struct waiters *waiters = calloc(1, sizeof *waiters);

	must_allocate(waiters);
	return waiters;
}

void waiters_free(struct waiters *waiters)
{
	if (waiters == NULL)
		return;
	free(waiters->places);
	free(waiters);
}

static void grow(struct waiters *waiters)
{
	uint32_t room = waiters->room == 0 ? ROOM_FIRST : waiters->room * 2;

	waiters->places = realloc(waiters->places, room * sizeof *waiters->places);
	must_allocate(waiters->places);
	for (uint32_t i = room; i > waiters->room; i--) {
		waiters->places[i - 1].next = waiters->free;
		waiters->free = i;
	}
	waiters->room = room;
}

void waiters_add(struct waiters *waiters, uint32_t *list, const struct held_call *call)
{
	if (waiters->free == 0)
		grow(waiters);

	uint32_t index = waiters->free;
	struct place *place = &waiters->places[index - 1];

	waiters->free = place->next;
	*place = (struct place){.call = *call, .next = *list};
	*list = index;
	waiters->count++;
}

bool waiters_take(struct waiters *waiters, uint32_t *list, struct held_call *call)
{
	uint32_t index = *list;

	if (index == 0)
		return false;
	must(index <= waiters->room);
	must(waiters->count > 0);

	struct place *place = &waiters->places[index - 1];

	*call = place->call;
	*list = place->next;
	place->next = waiters->free;
	waiters->free = index;
	waiters->count--;
	return true;
}

uint64_t waiters_count(const struct waiters *waiters)
{
	return waiters->count;
}
