#include "server/arena_keeper.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/thread.h"
#include "server/arena.h"

struct arena_keeper {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t asked, made;
	struct arena *first;      /* arenas with made < wanted */
	const struct arena *busy; /* the thread is at it, without the lock */
	bool running, stopping;
};

static void put(struct arena_keeper *keeper, struct arena *arena)
{
	struct arena **at = &keeper->first;

	while (*at != NULL && *at != arena)
		at = &(*at)->next;
	if (*at == NULL) {
		arena->next = NULL;
		*at = arena;
	}
}

static void take_out(struct arena_keeper *keeper, const struct arena *arena)
{
	for (struct arena **at = &keeper->first; *at != NULL; at = &(*at)->next) {
		if (*at == arena) {
			*at = arena->next;
			return;
		}
	}
}

static void *run(void *context)
{
	struct arena_keeper *keeper = context;

	thread_give_way();
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping) {
		struct arena *arena = keeper->first;

		if (arena == NULL) {
			pthread_cond_wait(&keeper->asked, &keeper->lock);
			continue;
		}
		size_t made = arena->made;

		take_out(keeper, arena);
		keeper->busy = arena;
		pthread_mutex_unlock(&keeper->lock);
		arena_make_step(arena, made);
		pthread_mutex_lock(&keeper->lock);
		keeper->busy = NULL;
		arena->made = made + ARENA_STEP;
		/* Behind the others: who waits for a page does not wait for all pages of somebody else. */
		if (arena->made < arena->wanted)
			put(keeper, arena);
		pthread_cond_broadcast(&keeper->made);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

struct arena_keeper *arena_keeper_new(void)
{
	struct arena_keeper *keeper = calloc(1, sizeof *keeper);

	must(keeper != NULL);
	pthread_mutex_init(&keeper->lock, NULL);
	thread_cond_init(&keeper->asked);
	thread_cond_init(&keeper->made);
	return keeper;
}

void arena_keeper_free(struct arena_keeper *keeper)
{
	if (keeper == NULL)
		return;
	must(keeper->first == NULL && keeper->busy == NULL);
	if (keeper->running) {
		pthread_mutex_lock(&keeper->lock);
		keeper->stopping = true;
		pthread_cond_signal(&keeper->asked);
		pthread_mutex_unlock(&keeper->lock);
		pthread_join(keeper->thread, NULL);
	}
	pthread_cond_destroy(&keeper->asked);
	pthread_cond_destroy(&keeper->made);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

void arena_keeper_make_ready(struct arena_keeper *keeper, struct arena *arena, size_t needed, size_t wanted)
{
	must(needed <= wanted);
	pthread_mutex_lock(&keeper->lock);
	if (arena->wanted < wanted) {
		if (!keeper->running)
			keeper->running = thread_start(&keeper->thread, run, keeper);
		arena->wanted = wanted;
		if (keeper->busy != arena) /* or else the thread sees it when it is back */
			put(keeper, arena);
		pthread_cond_signal(&keeper->asked);
	}
	while (arena->made < needed) {
		if (keeper->running) {
			pthread_cond_wait(&keeper->made, &keeper->lock);
		} else { /* the system has no more threads: memory is still to be had, only not in time */
			arena_make_step(arena, arena->made);
			arena->made += ARENA_STEP;
		}
	}
	pthread_mutex_unlock(&keeper->lock);
}

void arena_keeper_forget(struct arena_keeper *keeper, struct arena *arena)
{
	pthread_mutex_lock(&keeper->lock);
	arena->wanted = 0;
	take_out(keeper, arena);
	while (keeper->busy == arena)
		pthread_cond_wait(&keeper->made, &keeper->lock);
	pthread_mutex_unlock(&keeper->lock);
}
