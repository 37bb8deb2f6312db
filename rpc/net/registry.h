/* rpcbind (RFC 1833): registering our own programs and finding others. Every call here may block for as long as a
 * dead host takes, so daemons use the asynchronous half, which runs them on a thread of its own and answers on the
 * event loop. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

struct registry_entry {
	uint32_t program;
	uint32_t version;
	char netid[16];     /* "tcp", "tcp6" */
	char address[64];   /* numeric "127.0.0.1:40001" or "[::1]:40001", made from the universal address; a
			     * wildcard address is replaced by the host that was asked */
	char owner[32];     /* as rpcbind prints it: "superuser", a uid, "unknown" */
};

/* --- blocking (clients, and the thread of the asynchronous half) -------------------------------------------------- */

/* All tcp and tcp6 entries of `program` low..high that host's rpcbind lists (host: name or numeric address;
 * "127.0.0.1" and "localhost" use 127.0.0.1:111). Returns the count written to entries, at most entries_max, or less
 * than 0 with one line in error: "cannot reach rpcbind on HOST:111: start it with `rpcbind` as root" with the cause,
 * or, for a local one that answers on its socket but not on the network, the remedy. timeout_ms is the deadline for
 * all of it. */
int registry_dump(const char *host, uint32_t low, uint32_t high, struct registry_entry *entries, int entries_max,
		  uint32_t timeout_ms, char *error, size_t error_size);

/* The same, and gives up at once when cancel_fd becomes readable (0: none). */
int registry_dump_or_cancel(const char *host, uint32_t low, uint32_t high, struct registry_entry *entries,
			    int entries_max, uint32_t timeout_ms, int cancel_fd, char *error, size_t error_size);

/* Instead of a count: rpcbind is there and has not answered in time (otherwise -1). */
#define REGISTRY_DUMP_LATE (-2)

enum registry_set_result {
	REGISTRY_SET,        /* registered, or it already was with our address */
	REGISTRY_TAKEN,      /* a live process is at the registered address (REGISTRY_ALIVE): `error` names address and
				owner */
	REGISTRY_SLOW,       /* rpcbind is there and has not answered in time: it may have registered it; repeat */
	REGISTRY_FAILED      /* no rpcbind, or it refused: `error` says which and what to do */
};

/* Describes, in a few words for the log, the process that serves a program. Called on whichever thread registers. */
#define REGISTRY_WHO_SIZE 96
typedef void (*registry_name_fn)(const char *address, uint32_t program, uint32_t timeout_ms,
				 char who[static REGISTRY_WHO_SIZE]);
/* Call before the first registration; otherwise all others are "another program". `choices`, a static text: the
 * options that give this process another number, to complete the advice "choose another ...". */
void registry_names_others_by(registry_name_fn name, const char *choices);

/* Before anything is written: true, with the line of REGISTRY_TAKEN, when a live process serves the program already,
 * in any version. False when rpcbind cannot be asked: registering will report that. */
bool registry_taken(uint32_t program, char *error, size_t error_size);

enum registry_life {
	REGISTRY_ALIVE,  /* an RPC server answers there, even if it refuses the call */
	REGISTRY_DEAD,   /* nothing answers in time, or the port belongs to another program by now */
	REGISTRY_UNKNOWN /* this process cannot ask (no descriptor), which proves nothing: `error` says why */
};

/* Calls procedure 0 of (program, version) at the address over plain TCP; the deadline covers the whole call. */
enum registry_life registry_ping(const char *address, uint32_t program, uint32_t version, uint32_t timeout_ms,
				 char *error, size_t error_size);

/* Automatic clean-up: unsets (program, version, netid of address) in the local rpcbind only when the entry still has
 * `address`, its owner is this uid (or we are root), and it is REGISTRY_DEAD. Returns true when it was removed. */
bool registry_clean(uint32_t program, uint32_t version, const char *address);

/* --- asynchronous ------------------------------------------------------------------------------------------------- */

struct registry;

/* One worker thread for the local rpcbind, and one for each dump under way: a dead host delays no other. */
struct registry *registry_new(struct event_base *base);
/* Cancels the dumps under way and waits for other jobs, at most until their deadlines. Unsets nothing. Not to be called
 * from within one of its call-backs. */
void registry_free(struct registry *registry);

/* Keeps a registration alive: sets it now and again every second (a restarted rpcbind has forgotten it). After each
 * REGISTRY_SLOW it waits twice as long for the answer, up to 16 s. `result` is called on the loop with the first result
 * and with every one that differs from the last. `error` is NULL with REGISTRY_SET. */
void registry_keep(struct registry *registry, uint32_t program, uint32_t version, const char *address,
		   void (*result)(void *context, enum registry_set_result set, const char *error), void *context);
/* Stops keeping and unsets all, blocking at most 500 ms. */
void registry_unset_all(struct registry *registry);

/* One dump; `done` is called on the loop. count is less than 0 with error set on failure; otherwise error is NULL. */
void registry_dump_async(struct registry *registry, const char *host, uint32_t low, uint32_t high, uint32_t timeout_ms,
			 void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
				      const char *error),
			 void *context);

/* registry_clean on the worker, and when that removed the entry, the program's other dead ones too; without a result. A
 * request that is queued already is not queued twice, and with 256 in the queue it is dropped: ask again when the entry
 * is seen again. */
void registry_clean_async(struct registry *registry, uint32_t program, uint32_t version, const char *address);
