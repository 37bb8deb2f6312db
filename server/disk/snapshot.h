/* Snapshots: the committed state as of op c in one file, `DIR/snapshot-<c, 20 digits>`. It holds the same
 * records as a full push (history_encode), so a received snapshot equals one that was written here. A snapshot is
 * written to a temporary file, fsynced, renamed, and the directory fsynced: under its name it is always complete.
 *
 * A file is (all numbers big-endian):
 *
 *     header   128 bytes: magic "JHSNAPSH", u32 version, u32 header bytes, u64 op, u64 loaded orders, u64 orders,
 *              u64 bytes of all records, digest (16), u64 chunks, zeros; the last 8 bytes are XXH3-64 of those before
 *     chunks   u32 bytes (a multiple of 4, at most 256 KiB), u32 number (from 1), u64 XXH3-64 of the bytes; the bytes:
 *              whole records
 *     trailer  u32 0, u32 chunks, u64 XXH3-64 over the chunks' checksums
 *
 * Every later format keeps the first 16 bytes, which distinguishes newer from damaged. The header is written last: an
 * unfinished file has none.
 *
 * The caller decides when to make a snapshot and moves damaged files (rule 14); no thread is started here. A failed
 * write is reported, leaves no file, and may be retried later (rule 13: these are the temporary files). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "server/machine/machine.h"

#define SNAPSHOT_FORMAT 3
#define SNAPSHOT_ERROR_SIZE 512
#define SNAPSHOT_TEMPORARY "snapshot.tmp" /* being written from this replica's own state */
#define SNAPSHOT_INCOMING "incoming.tmp"  /* being received from a primary */

/* A summary of a state: equal summaries mean equal states. */
struct snapshot_summary {
	uint64_t op;
	uint64_t initial_count;
	struct digest digest; /* history_digest at op */
};

/* Of the present state. */
struct snapshot_summary snapshot_summary_of(const struct history *history);

/* --- writing this replica's own state, on a thread of its own ----------------------------------------------------- */

enum snapshot_written {
	SNAPSHOT_WRITTEN,
	SNAPSHOT_FAILED, /* error has one line; no file is left */
	SNAPSHOT_STOPPED
};

struct snapshot_pace {
	uint64_t bytes_per_second;  /* the thread sleeps between chunks; 0: as fast as the disk allows */
	const _Atomic bool *stop;   /* set: give up within 20 ms; NULL: never */
};

/* Writes the state as of summary->op, taken from the history while later ops are appended (summary was taken on the
 * appending thread). history must remain valid until it returns. Data goes to the disk a MiB at a time, so that a
 * journal's fsync never waits for more than that. */
enum snapshot_written snapshot_write(const char *directory, const struct history *history,
				     const struct snapshot_summary *summary, const struct snapshot_pace *pace,
				     char *error, size_t error_size);

/* --- writing a state received in chunks --------------------------------------------------------------------------- */

struct snapshot_writer;

/* name: SNAPSHOT_TEMPORARY or SNAPSHOT_INCOMING; a file of that name is replaced. bytes: of all records, to reserve
 * space for (0: unknown). NULL with one line in error. All functions below may wait for the disk: not for an event
 * loop. */
struct snapshot_writer *snapshot_begin(const char *directory, const char *name, uint64_t bytes, char *error,
				       size_t error_size);

/* Adds whole records, at most LIMIT_STATE_CHUNK_BYTES. It tracks size prefixes and the digest but does not parse
 * bodies: the receiver of a state also passes each chunk to machine_decode. False with one line in error; then only
 * abandon. */
bool snapshot_append(struct snapshot_writer *writer, const void *records, size_t size, char *error, size_t error_size);

/* Makes the file complete and durable under its temporary name, and frees the writer. False with one line in error,
 * and the file removed, also when what was appended is not the state that `expected` describes. */
bool snapshot_finish(struct snapshot_writer *writer, const struct snapshot_summary *expected, char *error,
		     size_t error_size);

/* Removes the file and frees the writer (NULL: nothing). */
void snapshot_abandon(struct snapshot_writer *writer);

/* Gives a finished file its name, durably. */
bool snapshot_publish(const char *directory, const char *name, uint64_t op, char *error, size_t error_size);

/* --- reading ------------------------------------------------------------------------------------------------------ */

enum snapshot_outcome {
	SNAPSHOT_LOADED,
	SNAPSHOT_MISSING,
	SNAPSHOT_DAMAGED,      /* must be set aside (rule 14) */
	SNAPSHOT_NEWER_FORMAT, /* of a newer program: not damaged, upgrade */
	SNAPSHOT_OLDER_FORMAT, /* of an older program: not damaged, and this one must not change it */
	SNAPSHOT_TOO_LARGE,    /* more orders than orders_max */
	SNAPSHOT_IO_ERROR      /* the disk or the file system failed: proves nothing about the file's bytes */
};

/* The format that a file's first 16 bytes claim; 0: not a snapshot. */
uint32_t snapshot_format_claimed(const void *bytes);

/* Reads and verifies a whole snapshot. LOADED: *machine is the caller's (machine_free), summary describes it. For
 * every other outcome *machine is NULL and error has one line: what, on what, what to do. */
enum snapshot_outcome snapshot_load(const char *path, uint64_t orders_max, struct machine **machine,
				    struct snapshot_summary *summary, char *error, size_t error_size);

/* --- the files of a directory ------------------------------------------------------------------------------------- */

/* DIR/snapshot-<op>; false when it does not fit. */
bool snapshot_path(const char *directory, uint64_t op, char *path, size_t size);

/* The op of the newest snapshot that is older than `below` (UINT64_MAX: of the newest); false when there is none: with
 * errno 0, or with the error that prevented listing. */
bool snapshot_newest(const char *directory, uint64_t below, uint64_t *op);

/* Removes the snapshots of ops below op. */
void snapshot_remove_below(const char *directory, uint64_t op);

/* Removes unfinished files of a killed process under the temporary names. */
void snapshot_remove_temporary(const char *directory);
