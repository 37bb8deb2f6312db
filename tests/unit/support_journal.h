/* For tests of the journal: a directory of its own, a journal in it, and waiting for its reports. */
#pragma once

#include <event2/event.h>
#include <stdatomic.h>

#include "server/disk/journal.h"
#include "tests/unit/support_scratch.h"

struct disk {
	char path[SCRATCH_PATH_SIZE];
	struct event_base *base;
	struct journal *journal;
	struct journal_options options;
	struct journal_recovery recovery;
	uint64_t next_ticket;   /* to give */
	uint64_t durable;       /* reported */
	uint64_t op;            /* last appended */
	atomic_bool fatal;
	/* The records that recovery delivered. */
	uint64_t metas, states, staged, cuts, batches, entries, first_op, last_op, last_commit;
	bool refuse;            /* the reader refuses every batch */
};

/* A new empty directory; segments of 64 KiB. */
void disk_new(struct disk *disk);
/* Closes what is open and removes the directory. */
void disk_free(struct disk *disk);
/* As disk_new, but with the present files of another one: what a crash at this moment leaves. */
void disk_copy(struct disk *copy, const struct disk *disk);

/* Opens the journal and counts the delivered records, asserting that ops and bodies are what disk_append made. */
enum journal_outcome disk_open(struct disk *disk);
void disk_close(struct disk *disk);
enum journal_outcome disk_check(struct disk *disk);

/* Append without waiting; the META payload carries `mark`. Returns the ticket. */
uint64_t written_append_meta(struct disk *disk, uint32_t mark);
uint64_t written_append_state(struct disk *disk, uint64_t op);
uint64_t disk_append(struct disk *disk, uint32_t entries_count, uint32_t body_size);
/* Runs the loop until the ticket is durable. */
void disk_wait(struct disk *disk, uint64_t ticket);
/* Polls for work of the journal's threads that causes no event. False: not within 20 s. */
bool disk_until(const struct disk *disk, bool (*holds)(const struct disk *disk));
/* Until at most that many segments are left; fails the test when that does not happen. */
void disk_until_segments(const struct disk *disk, uint64_t most);

/* Opens the newest (0), second newest (1) ... segment for reading and writing; returns its name unless name is NULL. */
int disk_segment(const struct disk *disk, uint32_t from_newest, char *name);
