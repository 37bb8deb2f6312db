/* Shared by journal.c (the loop's side) and journal_disk.c (the disk thread). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "server/disk/journal.h"
#include "server/disk/journal_keeper.h"
#include "server/disk/journal_segment.h"

/* Frames waiting to be written, as they will be on disk except for what frame_seal fills in. Aligned for O_DIRECT,
 * with room for the padding of one sector beyond `used`. */
struct queue {
	uint8_t *bytes;
	size_t used, capacity;
	uint64_t ticket; /* of the last frame */
	uint64_t records;
};

/* Two queues: the loop fills one while the disk thread writes the other. */
struct journal {
	struct journal_options options;
	char *path;
	int directory;
	struct journal_keeper *keeper;
	pthread_t thread;
	int completion_fd;
	struct event *completion;
	uint64_t reported_ticket; /* owned by the loop */

	pthread_mutex_t lock;
	pthread_cond_t queued;
	struct queue *filling; /* under the lock */
	bool closing;          /* under the lock */
	bool marks;            /* closing: with a mark at the end; also under the lock */

	/* Owned by the disk thread. */
	struct queue queues[2];
	struct queue *writing;
	struct segment segment;
	uint32_t offset;
	uint64_t sequence; /* of the last record written: all up to it is durable */
	uint8_t *meta;     /* the last META frame written, aligned and padded to sectors; NULL: none yet */
	uint32_t meta_size; /* of its payload */

	/* Shared. */
	_Atomic uint64_t durable_ticket;
	_Atomic uint64_t queued_bytes;
	atomic_bool lost;                              /* the segment in use was deleted or truncated */
	_Atomic uint64_t filling_since, writing_since; /* monotonic us; 0: empty */
	_Atomic int64_t room;                          /* left in this segment beyond the reserve */
	_Atomic int64_t reserve; /* of the segment in use: the part that `room` excludes */
	_Atomic uint64_t records, writes, bytes, rotations;
};

static inline size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* The disk thread: writes queues until the journal is closing or broken. */
void *journal_disk_main(void *journal);

/* Stores META, the last one read or written, as the one that the next segments repeat. */
void journal_remember_meta(struct journal *journal, const void *payload, uint32_t size);

/* Publishes for the loop how much room there is, and has the next segment made when it is time. */
void journal_publish_room(struct journal *journal);
