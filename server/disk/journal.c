#include "server/disk/journal.h"

#include <endian.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/disk_error.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/thread.h"
#include "server/disk/journal_internal.h"
#include "server/disk/journal_recover.h"

#define FIRST_SEGMENT_BYTES (8u << 20) /* zeroed while the process starts, 25 ms; an idle replica needs no more */
#define LEAST_SEGMENT_BYTES (64u << 10)

/* --- the loop's side ---------------------------------------------------------------------------------------------- */

/* Address space for the largest queue; memory is committed with use, so that growing never copies (the loop must not
 * stall). */
static void queue_map(struct queue *queue, size_t capacity)
{
	queue->capacity = capacity + SEGMENT_DATA;
	queue->bytes = mmap(NULL, queue->capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    -1, 0);
	if (queue->bytes == MAP_FAILED)
		shortage("journal", "map a queue: mmap");
}

/* Opens a frame for a payload of this size and returns where the payload goes; NULL when the queue is full. With the
 * lock held. */
static uint8_t *frame_begin(struct journal *journal, size_t size)
{
	struct queue *queue = journal->filling;
	uint32_t span = frame_span(size);

	must(size >= 4 && size % 4 == 0);
	must(size <= JOURNAL_RECORD_BYTES);
	must(size <= journal->options.segment_bytes / 4);
	if (atomic_load(&journal->queued_bytes) + span > journal->options.queue_bytes)
		return NULL;
	must(queue->used + span + SEGMENT_DATA <= queue->capacity);

	struct frame_header frame = {.size = htole32((uint32_t)size), .span = htole32(span)};
	uint8_t *at = queue->bytes + queue->used;

	memcpy(at, &frame, sizeof frame);
	memset(at + span - 8, 0, 8); /* the padding; the payload overwrites the rest */
	return at + sizeof frame;
}

static void frame_end(struct journal *journal, uint64_t ticket, size_t size)
{
	struct queue *queue = journal->filling;

	must(queue->records == 0 || ticket >= queue->ticket);
	if (queue->used == 0)
		atomic_store(&journal->filling_since, rpc_clock_us());
	queue->used += frame_span(size);
	queue->ticket = ticket;
	queue->records++;
	atomic_fetch_add(&journal->queued_bytes, frame_span(size));
	if (queue->records == 1)
		pthread_cond_signal(&journal->queued);
}

bool journal_append(struct journal *journal, uint64_t ticket, const void *payload, size_t size)
{
	pthread_mutex_lock(&journal->lock);
	uint8_t *at = frame_begin(journal, size);

	if (at != NULL) {
		memcpy(at, payload, size);
		frame_end(journal, ticket, size);
	}
	pthread_mutex_unlock(&journal->lock);
	return at != NULL;
}

bool journal_append_batch(struct journal *journal, uint64_t ticket, const struct journal_batch *batch,
			  const struct journal_entry *entries, uint32_t entries_count)
{
	size_t size = journal_batch_size(entries, entries_count);

	pthread_mutex_lock(&journal->lock);
	uint8_t *at = frame_begin(journal, size);

	if (at != NULL) {
		journal_batch_encode(batch, entries, entries_count, at);
		frame_end(journal, ticket, size);
	}
	pthread_mutex_unlock(&journal->lock);
	return at != NULL;
}

static void on_completion(evutil_socket_t fd, short what, void *context)
{
	struct journal *journal = context;
	uint64_t count;

	(void)what;
	/* EAGAIN is fine: only the ticket below matters. */
	if (read((int)fd, &count, sizeof count) < 0)
		must(errno == EAGAIN || errno == EINTR);
	uint64_t ticket = atomic_load(&journal->durable_ticket);

	if (ticket == journal->reported_ticket)
		return;
	must(ticket > journal->reported_ticket);
	journal->reported_ticket = ticket;
	journal->options.durable(journal->options.context, ticket);
}

void journal_trim(struct journal *journal, uint64_t op)
{
	keeper_trim(journal->keeper, op);
}

/* Without the reserve: a value below 0 is how much of that is used up. */
static int64_t room_left(const struct journal *journal)
{
	return atomic_load(&journal->room) - (int64_t)atomic_load(&journal->queued_bytes);
}

static bool no_room_left(const struct journal *journal)
{
	return room_left(journal) <= 0;
}

bool journal_disk_full(const struct journal *journal)
{
	int failed = keeper_failing(journal->keeper);

	return failed != 0 && keeper_is_space(failed) && no_room_left(journal);
}

int journal_failing(const struct journal *journal, bool *last)
{
	int failed = keeper_failing(journal->keeper);

	*last = false;
	if (failed == 0 || keeper_is_space(failed))
		return 0;
	/* The cause may be gone by now; but handing over needs half of the reserve. */
	if (no_room_left(journal))
		*last = keeper_fails_still(journal->keeper) || room_left(journal) <= -atomic_load(&journal->reserve) / 2;
	return failed;
}

bool journal_over_quota(const struct journal *journal)
{
	return keeper_failing(journal->keeper) == EDQUOT;
}

bool journal_is_lost(const struct journal *journal)
{
	return atomic_load(&journal->lost);
}

uint32_t journal_files(const struct journal *journal, struct journal_file **files)
{
	struct segment_info *infos;
	uint32_t count = keeper_files(journal->keeper, &infos);

	*files = calloc(count, sizeof **files);
	must_allocate(*files);
	for (uint32_t i = 0; i < count; i++) {
		segment_name(infos[i].first_sequence, (*files)[i].name);
		(*files)[i].device = infos[i].device;
		(*files)[i].inode = infos[i].inode;
		(*files)[i].size = infos[i].size;
	}
	free(infos);
	return count;
}

uint64_t journal_oldest_write_us(const struct journal *journal)
{
	/* In this order: the disk thread sets `writing` before it clears `filling`. */
	uint64_t filling = atomic_load(&journal->filling_since);
	uint64_t writing = atomic_load(&journal->writing_since);
	uint64_t since = writing != 0 ? writing : filling;
	uint64_t now = rpc_clock_us();

	return since == 0 || now <= since ? 0 : now - since;
}

uint64_t journal_queued_bytes(const struct journal *journal)
{
	return atomic_load(&journal->queued_bytes);
}

struct journal_counters journal_counters(const struct journal *journal)
{
	struct journal_counters counters = {.records = atomic_load(&journal->records),
					    .writes = atomic_load(&journal->writes),
					    .bytes = atomic_load(&journal->bytes),
					    .rotations = atomic_load(&journal->rotations)};

	keeper_sizes(journal->keeper, &counters.size_bytes, &counters.segments);
	return counters;
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static bool io_error(struct journal_recovery *recovery, const char *what, const char *path)
{
	recovery->outcome = JOURNAL_IO_ERROR;
	snprintf(recovery->error, sizeof recovery->error,
		 "cannot %s the journal in %s: %s", what, path, disk_error(errno));
	return false;
}

/* The first segment of a new journal is complete before it gets its name. */
static bool begin_new(struct journal *journal, struct journal_recovery *recovery, struct recovered *recovered)
{
	char name[SEGMENT_NAME_SIZE];
	uint32_t size = journal->options.segment_bytes < FIRST_SEGMENT_BYTES ? journal->options.segment_bytes
									     : FIRST_SEGMENT_BYTES;
	bool made = segment_create(journal->directory, SEGMENT_NEXT, size, journal->options.uuid, &journal->segment);

	for (uint32_t at = SEGMENT_DATA; made && at < size; at += SEGMENT_CHUNK)
		made = segment_zero_chunk(&journal->segment, at);
	if (!made || !segment_finish(journal->directory, SEGMENT_NEXT, &journal->segment) ||
	    renameat(journal->directory, SEGMENT_NEXT, journal->directory, segment_name(1, name)) != 0 ||
	    !keeper_sync_directory(journal->directory))
		return io_error(recovery, "create", journal->path);
	recovered->infos = calloc(1, sizeof *recovered->infos);
	must_allocate(recovered->infos);
	const struct segment_file file = segment_file(&journal->segment);

	recovered->infos[0] = (struct segment_info){.first_sequence = 1, .bytes = SEGMENT_DATA,
						    .device = file.device, .inode = file.inode,
						    .size = file.size};
	recovery->segments = 1;
	recovery->uuid = journal->options.uuid;
	journal->offset = SEGMENT_DATA;
	return true;
}

/* Continues after the last record that was read. */
static bool begin_behind(struct journal *journal, struct journal_recovery *recovery, struct recovered *recovered)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(recovered->infos[recovery->segments - 1].first_sequence, name);
	if (!recover_cut(journal->directory, name, recovery, recovered) || !keeper_sync_directory(journal->directory) ||
	    !segment_open(journal->directory, name, recovered->tail, &journal->segment))
		return io_error(recovery, "open", journal->path);
	journal->segment.salt = recovered->salt;
	journal->offset = recovered->tail;
	/* A segment whose first write did not finish has lost its number in the header, but not in its name. */
	journal->sequence = recovery->sequence != 0 ? recovery->sequence : recovered->infos[0].first_sequence - 1;
	if (recovered->meta != NULL)
		journal_remember_meta(journal, recovered->meta, recovered->meta_size);
	return true;
}

static void start_threads(struct journal *journal, const struct journal_recovery *recovery, struct recovered *recovered)
{
	pthread_mutex_init(&journal->lock, NULL);
	pthread_cond_init(&journal->queued, NULL);
	queue_map(&journal->queues[0], journal->options.queue_bytes);
	queue_map(&journal->queues[1], journal->options.queue_bytes);
	journal->filling = &journal->queues[0];
	journal->keeper = keeper_start(journal->directory, journal->path, recovery->uuid, recovered->infos,
				       recovery->segments);
	recovered->infos = NULL;
	journal_publish_room(journal);
	journal->completion_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (journal->completion_fd < 0)
		shortage("journal", "tell the loop of writes: eventfd");
	journal->completion = event_new(journal->options.base, journal->completion_fd, EV_READ | EV_PERSIST,
					on_completion, journal);
	must_allocate(journal->completion);
	must(event_add(journal->completion, NULL) == 0);
	if (!thread_start(&journal->thread, journal_disk_main, journal))
		shortage("journal", "start the thread that writes: pthread_create");
	pthread_setname_np(journal->thread, "jh-journal");
}

static void journal_free(struct journal *journal)
{
	segment_close(&journal->segment);
	if (journal->directory >= 0)
		close(journal->directory);
	for (int i = 0; i < 2; i++)
		if (journal->queues[i].bytes != NULL)
			munmap(journal->queues[i].bytes, journal->queues[i].capacity);
	free(journal->meta);
	free(journal->path);
	free(journal);
}

static bool begin(struct journal *journal, journal_reader *reader, void *context, struct journal_recovery *recovery,
		  struct recovered *recovered)
{
	if (journal->directory < 0)
		return io_error(recovery, "open", journal->path);
	recover_read(journal->directory, journal->path, reader, context, recovery, recovered);
	if (recovery->outcome != JOURNAL_OK && recovery->outcome != JOURNAL_TAIL_CUT)
		return false;
	unlinkat(journal->directory, SEGMENT_NEXT, 0); /* left by a killed process: never named, so without records */
	return recovery->segments == 0 ? begin_new(journal, recovery, recovered)
				       : begin_behind(journal, recovery, recovered);
}

struct journal *journal_open(const char *directory, const struct journal_options *options, journal_reader *reader,
			     void *reader_context, struct journal_recovery *recovery)
{
	struct journal *journal = calloc(1, sizeof *journal);
	struct recovered recovered = {0};

	must_allocate(journal);
	*recovery = (struct journal_recovery){.outcome = JOURNAL_OK};
	journal->options = *options;
	if (options->segment_bytes == 0)
		journal->options.segment_bytes = JOURNAL_SEGMENT_BYTES;
	if (options->queue_bytes == 0)
		journal->options.queue_bytes = JOURNAL_QUEUE_BYTES;
	must(journal->options.segment_bytes >= LEAST_SEGMENT_BYTES);
	journal->segment.fd = -1;
	journal->path = strdup(directory);
	must_allocate(journal->path);
	journal->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	bool begun = begin(journal, reader, reader_context, recovery, &recovered);

	if (begun)
		start_threads(journal, recovery, &recovered);
	free(recovered.infos);
	free(recovered.meta);
	if (begun)
		return journal;
	journal_free(journal);
	return NULL;
}

static void close_journal(struct journal *journal, bool mark)
{
	pthread_mutex_lock(&journal->lock);
	journal->marks = mark;
	journal->closing = true;
	pthread_cond_signal(&journal->queued);
	pthread_mutex_unlock(&journal->lock);
	keeper_closing(journal->keeper);
	pthread_join(journal->thread, NULL);
	keeper_stop(journal->keeper);
	event_free(journal->completion);
	close(journal->completion_fd);
	pthread_cond_destroy(&journal->queued);
	pthread_mutex_destroy(&journal->lock);
	journal_free(journal);
}

void journal_close(struct journal *journal)
{
	close_journal(journal, true);
}

void journal_abandon(struct journal *journal)
{
	close_journal(journal, false);
}

void journal_check(const char *directory, journal_reader *reader, void *context, struct journal_recovery *recovery)
{
	struct recovered recovered = {0};
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*recovery = (struct journal_recovery){.outcome = JOURNAL_OK};
	if (fd < 0) {
		io_error(recovery, "open", directory);
		return;
	}
	recover_read(fd, directory, reader, context, recovery, &recovered);
	close(fd);
	free(recovered.infos);
	free(recovered.meta);
}
