/* A thread for slow work (files, freeing much memory): one job after the other, and the event loop hears when each is
 * done. */
#pragma once

struct event_base;
struct background;

struct background *background_new(struct event_base *base);

/* Finishes the work already given; instead of calling `done`, which would have freed it, frees the context. NULL is
 * fine. */
void background_free(struct background *background);

/* work runs on the thread; then done (may be NULL) on the loop. With `done` the context is malloc'ed and freed
 * there. */
void background_run(struct background *background, void (*work)(void *context), void (*done)(void *context),
		    void *context);
