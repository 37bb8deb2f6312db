/* The keeper of views: where the view manager's latest view is durable before anybody is told of it (rule 2). An
 * interface, so that another keeper (etcd, for several front-ends) can take its place; this one keeps a data
 * directory:
 *
 *     DIR/view.json    manager, cluster, generation, view, primary, members; replaced atomically
 *     DIR/lock         who uses the directory; both are locked: one front-end a directory (rule 20)
 *     DIR/set-aside/   damaged view files; nothing is ever deleted (rule 14)
 *
 * Never copy or restore this directory: an old copy is treated as lost (rule 20). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend/views/views.h"

struct event_base;
struct store;

/* On the loop. ok: `ticket`'s view is durable; else error says in one line why not. */
typedef void (*store_saved_fn)(void *context, uint64_t ticket, bool ok, const char *error);

struct store_keeper {
	/* Starts to make a copy of `stored` durable, off the loop; saved is called once. Saves end in order. */
	void (*save)(struct store *store, uint64_t ticket, const struct views_stored *stored);
	void (*close)(struct store *store); /* waits for the save under way */
};

/* Head of each implementation's struct. */
struct store {
	const struct store_keeper *keeper;
	/* On the loop, once: what was stored is no longer where the next start looks for it, and cannot be stored
	 * again; the line says why. The front-end must stop, as it can guarantee nothing any more (rule 2). Set by the
	 * owner. */
	void (*lost)(void *context, const char *line);
};

static inline void store_save(struct store *store, uint64_t ticket, const struct views_stored *stored)
{
	store->keeper->save(store, ticket, stored);
}

static inline void store_close(struct store *store)
{
	store->keeper->close(store);
}

/* Opens (and makes, mode 0700) the directory, locks it and reads what is stored; without a view file, or with a
 * damaged one (then set aside and logged), *stored is all zero. NULL with one line in error when it cannot be used:
 * in use by another process, not writable, written by a newer or an older version (then nothing in it is changed). */
struct store *store_open_directory(struct event_base *base, const char *path, struct views_stored *stored,
				   store_saved_fn saved, void *context, char *error, size_t error_size);
