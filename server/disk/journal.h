/* The journal: what a replica has promised to remember, as one sequence of records on stable storage. It takes encoded
 * records (union jh_disk_record of rpc/disk.x) from the event loop, writes everything queued with one write and one
 * sync on a disk thread (group commit), and reports durable tickets back to the loop. Of a record it knows only the
 * kind and the ops it covers. It decides nothing about views, commits or cuts, and never repairs what may have been
 * promised (rule 14).
 *
 * On disk: segments `journal-<first sequence, 20 digits>`, preallocated and zeroed ahead of use, so that a sync
 * touches no file system metadata, and non-zero bytes after the last record belong to an unfinished write. Each
 * segment begins with a header (format version, replica uuid, a random salt) and a copy of the latest META record. A
 * record's frame carries the salt, its sequence number, the last sequence known durable when it was written, and a
 * checksum over all of that and the payload, so that bytes from an earlier use of the file cannot be mistaken for a
 * record. A write begins in a fresh sector, so bytes once acknowledged are never rewritten.
 *
 * Threads: every function is for the event loop's thread; the callbacks document where they run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/uuid.h"
#include "server/disk/journal_batch.h"

struct event_base;
struct journal;

#define JOURNAL_ERROR_SIZE 512
#define JOURNAL_RECORD_BYTES (2u << 20)  /* the largest payload; a push of entries is at most half of it */
#define JOURNAL_SEGMENT_BYTES (64u << 20)
#define JOURNAL_QUEUE_BYTES (64u << 20)  /* records not yet given to the disk */

/* --- recovery ----------------------------------------------------------------------------------------------------- */

enum journal_outcome {
	JOURNAL_OK,           /* also when there is no journal yet */
	JOURNAL_TAIL_CUT,     /* an unfinished write was cut off; nothing of it was ever acknowledged here (rule 14) */
	JOURNAL_DAMAGED,      /* durable data cannot be read: set the files aside */
	JOURNAL_NEWER_FORMAT, /* written by a newer program: not damage, upgrade */
	JOURNAL_OLDER_FORMAT, /* written by an older program: not damage either, and this one must not change it */
	JOURNAL_FOREIGN,      /* segments of different replicas are mixed */
	JOURNAL_IO_ERROR      /* the disk or the file system failed: proves nothing about the records */
};

/* One record as it was appended; everything is borrowed for the call. */
struct journal_record {
	uint64_t sequence;
	uint32_t kind;               /* enum jh_disk_kind */
	const void *payload;         /* the encoded union, as given to journal_append */
	uint32_t size;
	bool repeated;               /* a META that is first in a segment and repeats the one before it */
	struct journal_batch batch;  /* kinds BATCH and STAGED: its head, and the iterator of its entries, already
					checked */
};

struct journal_recovery {
	enum journal_outcome outcome;
	char error[JOURNAL_ERROR_SIZE]; /* one line for every outcome but OK: what, where, what to do */
	struct uuid uuid;               /* of the segments; nil when there are none */
	uint32_t segments;
	uint64_t records;               /* delivered */
	uint64_t sequence;              /* of the last record; 0: none */
	uint64_t op;                    /* the last op of the log that results from the records */
	uint64_t bytes;                 /* read as records, headers included */
};

/* Called for every record in order. Returning false, with one line in error, makes the outcome DAMAGED: the records
 * are whole but inconsistent. (The chain digest batch.base_digest is for the reader to compare, because only it knows
 * the state below the first record.) */
typedef bool journal_reader(void *context, const struct journal_record *record, char *error, size_t error_size);

/* Reads a journal without repairing anything (--check). Safe on a copy, or when the directory is locked. */
void journal_check(const char *directory, journal_reader *reader, void *context, struct journal_recovery *recovery);

/* --- opening and closing ------------------------------------------------------------------------------------------ */

struct journal_options {
	struct event_base *base;
	struct uuid uuid;             /* stamped on a new journal; recovery.uuid has that of an existing one */
	uint32_t segment_bytes;       /* 0: JOURNAL_SEGMENT_BYTES; at least 64 KiB. The first segments are smaller and
				       * grow to it */
	uint32_t queue_bytes;         /* 0: JOURNAL_QUEUE_BYTES */
	/* On the loop: every ticket up to this one is on stable storage. Cumulative; may skip tickets, never
	 * decreases. */
	void (*durable)(void *context, uint64_t ticket);
	/* On the disk thread, once: a write or sync failed. The process must end with this line; nothing is retried
	 * and no further ticket is reported (rule 13). */
	void (*fatal)(void *context, const char *line);
	void *context;
};

/* Reads the journal in `directory` (which exists, and is locked by the caller), delivers its records, cuts an
 * unfinished tail durably, and continues after it; creates an empty journal where there is none. NULL for any outcome
 * but OK and TAIL_CUT; then nothing on disk has changed. The first record of a new journal must be a META record. */
struct journal *journal_open(const char *directory, const struct journal_options *options, journal_reader *reader,
			     void *reader_context, struct journal_recovery *recovery);

/* Writes what is queued (and waits for it), marks everything as durable on disk, frees. Reports no further tickets. */
void journal_close(struct journal *journal);

/* Frees a journal that can no longer be trusted (rule 14): writes no mark to disk and discards the queue. */
void journal_abandon(struct journal *journal);

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* Queues a record: payload is one encoded union jh_disk_record, a multiple of 4 bytes, at most JOURNAL_RECORD_BYTES
 * (and a quarter of segment_bytes). Tickets begin at 1 and rise. Copies, never blocks. False when the queue is full
 * (rule 19). */
bool journal_append(struct journal *journal, uint64_t ticket, const void *payload, size_t size);

/* The same for a BATCH or STAGED record, encoded directly into the queue: entries are ops batch->base_op + 1, ... */
bool journal_append_batch(struct journal *journal, uint64_t ticket, const struct journal_batch *batch,
			  const struct journal_entry *entries, uint32_t entries_count);

/* Everything up to `op` is in a durable snapshot: segments entirely at or below it are removed, in the background. All
 * records before a STATE record count as covered by its snapshot. */
void journal_trim(struct journal *journal, uint64_t op);

/* --- state -------------------------------------------------------------------------------------------------------- */

/* True while the next segment cannot be made for lack of space and only the reserve is left, which META records and
 * entries already in the log need: refuse orders (rule 13). Retried every second; becomes false by itself. */
bool journal_disk_full(const struct journal *journal);

/* errno while the next segment cannot be made for another reason, else 0. Also retried every second. With *last, only
 * the reserve of the present segment is left, and at its end the process ends, so stop in good order now (rule 13). */
int journal_failing(const struct journal *journal, bool *last);

/* The missing space is that of a quota. */
bool journal_over_quota(const struct journal *journal);

/* The segment in use has been deleted or truncated: nothing becomes durable any more, and the replica is damaged (rule
 * 13). */
bool journal_is_lost(const struct journal *journal);

/* The files of the journal, by the names that they should have in its directory. */
struct journal_file {
	char name[32];
	uint64_t device, inode, size;
};

/* The caller frees *files; returns their count. */
uint32_t journal_files(const struct journal *journal, struct journal_file **files);

/* How long the oldest record not yet durable has been waiting, in microseconds; 0: none waits (rule 15). */
uint64_t journal_oldest_write_us(const struct journal *journal);

/* What is queued and not yet written: for tests, which check that the queue empties. */
uint64_t journal_queued_bytes(const struct journal *journal);

struct journal_counters {
	uint64_t records, writes, bytes; /* since the start; a write is one write with its sync */
	uint64_t rotations;
	uint64_t size_bytes;             /* of records in all segments, about: decides when to make a snapshot */
	uint64_t segments;
};

struct journal_counters journal_counters(const struct journal *journal);
