/* A state that arrives from the primary, piece by piece: decoded into a history beside the live one, and written to a
 * file beside the snapshots. It becomes the live one when the core says so, never before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"

struct background;
struct machine;
struct staging;

struct staging_options {
	const char *directory;          /* outlives it */
	uint64_t orders_max;
	struct background *background;  /* for work that takes long */
	/* On the loop: the piece of that token was accepted. next: the first order still wanted; complete: all of it
	 * is durable. Not ok: it was not accepted, and everything before it is discarded. */
	void (*taken)(void *context, uint64_t token, bool ok, uint64_t next, bool complete);
	void *context;
};

/* Some orders of a history as of op. Borrowed for the call. */
struct staging_piece {
	uint64_t op;
	struct digest digest;
	uint64_t initial_count, total;  /* number of orders in all */
	uint64_t first;                 /* index of the first order in this piece */
	const void *records;            /* as history_encode writes them */
	size_t size;
};

struct staging *staging_new(const struct staging_options *options);
/* Call after staging_drop, and when its background has ended. */
void staging_free(struct staging *staging);
/* taken() follows, now or later. A piece that begins with order 0 starts a new transfer. */
void staging_take(struct staging *staging, uint64_t token, const struct staging_piece *piece);
/* Takes the complete state: its history is now the caller's; its file gets a snapshot's name in the background. */
struct machine *staging_adopt(struct staging *staging, uint64_t op);
void staging_drop(struct staging *staging);
/* Called from time to time: reports a piece that failed a while ago. */
void staging_tick(struct staging *staging);
