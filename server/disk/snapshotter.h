/* Snapshots of a replica's own state, written in the background when the journal has grown by as much as a snapshot would
 * take, so that a start reads at most about twice the history. */
#pragma once

#include <stdint.h>

struct event_base;
struct journal;
struct history;
struct machine;
struct snapshotter;

struct snapshotter_options {
	const char *directory;       /* outlives it */
	uint64_t bytes_first;        /* of the journal before the first snapshot; 0: the default */
	/* On the loop: a snapshot of that op is durable and has its name. */
	void (*written)(void *context, uint64_t op);
	void *context;
};

struct snapshotter *snapshotter_new(struct event_base *base, const struct snapshotter_options *options);
/* Abandons a snapshot under way; returns when its thread has ended. */
void snapshotter_free(struct snapshotter *snapshotter);
/* Starts a snapshot when it is time. Until it is written, the history may only be appended to, or passed to release. */
void snapshotter_consider(struct snapshotter *snapshotter, const struct history *history, const struct journal *journal);
/* Frees a history in the background, after abandoning a snapshot of it that may be under way. */
void snapshotter_release(struct snapshotter *snapshotter, struct machine *machine);
