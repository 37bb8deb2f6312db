#include "server/disk/journal_internal.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/disk.h"

#define SEGMENT_GROWTH 8u
#define RESERVE_BYTES (4u << 20)    /* kept for META records when the disk is full; at most a quarter of a segment */
#define KEPT_QUEUE_BYTES (4u << 20) /* the memory of a queue that grew larger is released */

/* Memory suitable for O_DIRECT. */
static void *aligned_new(size_t size)
{
	void *bytes = NULL;

	if (posix_memalign(&bytes, SEGMENT_DATA, size) != 0)
		shortage_of_memory(__func__);
	return bytes;
}

static bool fatal(struct journal *journal, const char *what)
{
	char line[JOURNAL_ERROR_SIZE];

	/* RULE 13: no retry. Only recovery can find out what the disk holds now. */
	snprintf(line, sizeof line, "cannot %s the journal in %s: %s: stopping; start it again once that is fixed", what,
		 journal->path, disk_error(errno));
	journal->options.fatal(journal->options.context, line);
	return false;
}

static uint32_t reserve_of(uint32_t segment_size)
{
	return segment_size / 4 < RESERVE_BYTES ? segment_size / 4 : RESERVE_BYTES;
}

static uint32_t next_size(const struct journal *journal)
{
	uint64_t grown = (uint64_t)journal->segment.size * SEGMENT_GROWTH;

	return grown < journal->options.segment_bytes ? (uint32_t)grown : journal->options.segment_bytes;
}

void journal_publish_room(struct journal *journal)
{
	uint32_t left = journal->segment.size - journal->offset;

	atomic_store(&journal->reserve, reserve_of(journal->segment.size));
	atomic_store(&journal->room, (int64_t)left - reserve_of(journal->segment.size));
	/* Early enough to zero it slowly, late enough that an idle replica has only one small file. */
	if (left < journal->segment.size / 4 * 3)
		keeper_prepare(journal->keeper, next_size(journal));
}

void journal_remember_meta(struct journal *journal, const void *payload, uint32_t size)
{
	struct frame_header frame = {.size = htole32(size)};
	size_t padded = round_up(frame_span(size), SEGMENT_DATA);

	free(journal->meta);
	journal->meta = aligned_new(padded);
	memset(journal->meta, 0, padded);
	memcpy(journal->meta, &frame, sizeof frame);
	memcpy(journal->meta + sizeof frame, payload, size);
	journal->meta_size = size;
}

/* Remembers META, which every later segment repeats first, and tells the keeper which ops the segment holds. */
static void note_record(struct journal *journal, const struct frame_header *frame)
{
	const uint8_t *payload = (const uint8_t *)(frame + 1);
	uint32_t size = le32toh(frame->size);
	uint32_t kind, count = 0;
	uint64_t op = 0;

	memcpy(&kind, payload, sizeof kind);
	kind = be32toh(kind);
	if (kind == JH_DISK_META) {
		journal_remember_meta(journal, payload, size);
		return;
	}
	must(journal->meta != NULL); /* the first record of a journal identifies its replica */
	memcpy(&op, payload + (kind == JH_DISK_STATE ? STATE_BYTES - sizeof op : 4), sizeof op);
	if (kind == JH_DISK_BATCH || kind == JH_DISK_STAGED)
		memcpy(&count, payload + 44, sizeof count);
	keeper_note(journal->keeper, kind, be64toh(op) + be32toh(count));
}

/* Writes frames, `size` bytes in whole sectors, and counts what is durable from now on. */
static bool write_frames(struct journal *journal, const uint8_t *bytes, size_t size)
{
	if (!segment_write(&journal->segment, bytes, size, journal->offset))
		return fatal(journal, "write");
	/* RULE 13: data in a file without a name is on no disk, nor is data that was truncated away. */
	if (segment_file(&journal->segment).lost) {
		atomic_store(&journal->lost, true);
		return false;
	}
	journal->offset += (uint32_t)size;
	atomic_fetch_add(&journal->writes, 1);
	atomic_fetch_add(&journal->bytes, size);
	keeper_note_end(journal->keeper, journal->offset);
	journal_publish_room(journal);
	return true;
}

static bool write_meta_copy(struct journal *journal)
{
	struct frame_header *frame = (struct frame_header *)journal->meta;
	uint32_t size = (uint32_t)round_up(frame_span(journal->meta_size), journal->segment.sector);

	frame_seal(frame, journal->segment.salt, journal->sequence + 1, journal->sequence, size);
	if (!write_frames(journal, journal->meta, size))
		return false;
	journal->sequence++;
	return true;
}

static bool rotate(struct journal *journal)
{
	struct segment next;

	switch (keeper_take(journal->keeper, journal->sequence + 1, next_size(journal), &next)) {
	case KEEPER_GIVEN_UP:
		return false;
	case KEEPER_BROKEN:
		return fatal(journal, "begin a segment of");
	case KEEPER_TAKEN:
		break;
	}
	segment_close(&journal->segment);
	journal->segment = next;
	journal->offset = SEGMENT_DATA;
	atomic_fetch_add(&journal->rotations, 1);
	journal_publish_room(journal);
	return true;
}

/* How many bytes of whole frames at `bytes` fit in the segment. */
static size_t frames_that_fit(const struct journal *journal, const uint8_t *bytes, size_t used)
{
	size_t left = journal->segment.size - journal->offset, fit = 0;

	while (fit < used) {
		const struct frame_header *frame = (const struct frame_header *)(bytes + fit);
		size_t end = fit + le32toh(frame->span);

		if (round_up(end, journal->segment.sector) > left)
			break;
		fit = end;
	}
	return fit;
}

/* Seals the frames at bytes; the span of the last one extends to the end of its sector, `padded`. */
static void seal_frames(struct journal *journal, uint8_t *bytes, size_t used, size_t padded)
{
	uint64_t sequence = journal->sequence;

	for (size_t at = 0; at < used;) {
		struct frame_header *frame = (struct frame_header *)(bytes + at);
		uint32_t span = le32toh(frame->span);

		must(at + span <= used);
		at += span;
		frame_seal(frame, journal->segment.salt, ++sequence, journal->sequence,
			   at == used ? span + (uint32_t)(padded - used) : span);
	}
}

static void note_frames(struct journal *journal, const uint8_t *bytes, size_t used)
{
	for (size_t at = 0; at < used;) {
		const struct frame_header *frame = (const struct frame_header *)(bytes + at);

		journal->sequence++;
		/* The last span now includes its padding, and ends the loop. */
		at += le32toh(frame->span);
		note_record(journal, frame);
	}
}

/* Writes `fit` bytes of frames that precede `rest` bytes of further ones, which are then moved to the front. */
static bool write_front(struct journal *journal, uint8_t *bytes, size_t fit, size_t rest)
{
	size_t padded = round_up(fit, journal->segment.sector);

	memmove(bytes + padded, bytes + fit, rest);
	memset(bytes + fit, 0, padded - fit);
	seal_frames(journal, bytes, fit, padded);
	if (!write_frames(journal, bytes, padded))
		return false;
	note_frames(journal, bytes, fit);
	memmove(bytes, bytes + padded, rest);
	return true;
}

/* Writes a whole queue: one write and one sync, or more only where a segment ends within it. */
static bool write_queue(struct journal *journal, const struct queue *queue)
{
	for (size_t rest = queue->used; rest > 0;) {
		/* Also where the first write of a segment had not finished before a crash. */
		if (journal->offset == SEGMENT_DATA && journal->meta != NULL && !write_meta_copy(journal))
			return false;
		size_t fit = frames_that_fit(journal, queue->bytes, rest);

		if (fit == 0) {
			must(journal->offset <= journal->segment.size);
			if (!rotate(journal))
				return false;
			continue;
		}
		rest -= fit;
		if (!write_front(journal, queue->bytes, fit, rest))
			return false;
	}
	return true;
}

static void complete(struct journal *journal, struct queue *queue)
{
	static const uint64_t one = 1;

	/* RULE 1: only here, after the sync. */
	atomic_fetch_add(&journal->records, queue->records);
	atomic_fetch_sub(&journal->queued_bytes, queue->used);
	atomic_store(&journal->durable_ticket, queue->ticket);
	atomic_store(&journal->writing_since, 0);
	must(write(journal->completion_fd, &one, sizeof one) == sizeof one);
	if (queue->used > KEPT_QUEUE_BYTES)
		madvise(queue->bytes, queue->capacity, MADV_DONTNEED);
	queue->used = 0;
	queue->records = 0;
}

/* A clean end: should the last record rot, it will not pass for an unfinished write. */
static void write_mark(struct journal *journal)
{
	if (journal->sequence == 0 || journal->offset == SEGMENT_DATA ||
	    journal->segment.size - journal->offset < SEGMENT_DATA)
		return;
	struct frame_header *frame = aligned_new(SEGMENT_DATA);

	memset(frame, 0, SEGMENT_DATA);
	frame_seal(frame, journal->segment.salt, journal->sequence + 1, journal->sequence, journal->segment.sector);
	write_frames(journal, (uint8_t *)frame, journal->segment.sector);
	free(frame);
}

static struct queue *next_queue(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	while (journal->filling->used == 0 && !journal->closing)
		pthread_cond_wait(&journal->queued, &journal->lock);
	struct queue *queue = journal->filling;

	if (queue->used > 0) {
		atomic_store(&journal->writing_since, atomic_load(&journal->filling_since));
		atomic_store(&journal->filling_since, 0);
		journal->filling = queue == &journal->queues[0] ? &journal->queues[1] : &journal->queues[0];
		must(journal->filling->used == 0);
	}
	pthread_mutex_unlock(&journal->lock);
	return queue->used > 0 ? queue : NULL;
}

void *journal_disk_main(void *argument)
{
	struct journal *journal = argument;

	for (struct queue *queue; (queue = next_queue(journal)) != NULL;) {
		if (!write_queue(journal, queue))
			return NULL;
		complete(journal, queue);
	}
	if (journal->marks)
		write_mark(journal);
	return NULL;
}

