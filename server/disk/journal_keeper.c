#include "server/disk/journal_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/disk_error.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/thread.h"

#define RETRY_US 1000000u  /* after a failure to make a segment (rule 13) */
#define CHUNK_PAUSE_US 900 /* between chunks zeroed: limits it to about 64 MiB/s, a journal write waits for one chunk */

/* The next segment:  NONE -> WANTED -> READY -> NONE (taken), and WANTED again after a failure. */
enum next_state { NEXT_NONE, NEXT_WANTED, NEXT_READY };

struct journal_keeper {
	int directory;
	const char *path;
	struct uuid uuid;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* Under the lock. */
	enum next_state next;
	uint32_t next_size;
	struct segment next_segment;
	uint64_t retry_at_us;     /* not before then, by rpc_clock_us */
	uint64_t begun, finished; /* attempts, by number */
	uint64_t asked;           /* this attempt, or a later one, tells whether it still fails; 0: not requested */
	bool closing;
	bool stopping;
	uint64_t trim_op;
	struct segment_info *infos;
	uint32_t count, capacity;

	atomic_bool hurry;   /* a caller waits: stop zeroing */
	atomic_int failing;  /* errno of the last attempt to make a segment; 0: it succeeded */
	_Atomic uint64_t bytes, segments;
};

bool keeper_sync_directory(int directory)
{
	/* RULE 1 */
	return fsync(directory) == 0;
}

bool keeper_is_space(int error)
{
	/* RULE 13: these are cured by making room; anything else is a failure of this replica. */
	return error == ENOSPC || error == EDQUOT;
}

static void publish_sizes(struct journal_keeper *keeper)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < keeper->count; i++)
		bytes += keeper->infos[i].bytes;
	atomic_store(&keeper->bytes, bytes);
	atomic_store(&keeper->segments, keeper->count);
}

/* --- making the next segment -------------------------------------------------------------------------------------- */

static bool zero_fill(struct journal_keeper *keeper, const struct segment *segment)
{
	for (uint32_t at = SEGMENT_DATA; at < segment->size && !atomic_load(&keeper->hurry); at += SEGMENT_CHUNK) {
		if (!segment_zero_chunk(segment, at))
			return false;
		usleep(CHUNK_PAUSE_US);
	}
	return true;
}

static bool make_segment(struct journal_keeper *keeper, uint32_t size, struct segment *segment)
{
	if (!segment_create(keeper->directory, SEGMENT_NEXT, size, keeper->uuid, segment))
		return false;
	if (zero_fill(keeper, segment) && segment_finish(keeper->directory, SEGMENT_NEXT, segment))
		return true;

	int failed = errno;

	segment_close(segment);
	unlinkat(keeper->directory, SEGMENT_NEXT, 0);
	errno = failed;
	return false;
}

/* Called with the lock held and returns with it; releases it during the work. */
static void make_next(struct journal_keeper *keeper)
{
	struct segment segment;
	uint32_t size = keeper->next_size;
	uint64_t attempt = ++keeper->begun;

	pthread_mutex_unlock(&keeper->lock);
	bool made = make_segment(keeper, size, &segment);
	int failed = errno;

	pthread_mutex_lock(&keeper->lock);
	keeper->finished = attempt;
	if (made) {
		keeper->asked = 0;
		keeper->next_segment = segment;
		keeper->next = NEXT_READY;
		if (atomic_exchange(&keeper->failing, 0) != 0)
			log_info("journal", "the next segment can be made again directory=%s", keeper->path);
	} else {
		keeper->retry_at_us = rpc_clock_us() + RETRY_US;
		if (atomic_exchange(&keeper->failing, failed) != failed)
			log_error("journal", "cannot make the next segment of %" PRIu32 " bytes in %s: %s%s", size,
				  keeper->path, disk_error(failed),
				  keeper_is_space(failed) ? "" : ": fix that before the present one is full: this replica ends then");
	}
	pthread_cond_broadcast(&keeper->changed);
}

/* --- removing old ones -------------------------------------------------------------------------------------------- */

/* Removes the oldest segment; locking as in make_next. One at a time, each durably, so that what remains is always a
 * complete suffix. */
static void remove_oldest(struct journal_keeper *keeper)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(keeper->infos[0].first_sequence, name);
	keeper->count--;
	memmove(keeper->infos, keeper->infos + 1, keeper->count * sizeof *keeper->infos);
	publish_sizes(keeper);
	pthread_mutex_unlock(&keeper->lock);
	if (unlinkat(keeper->directory, name, 0) != 0 || !keeper_sync_directory(keeper->directory))
		log_warn("journal", "cannot remove the old segment %s/%s: %s", keeper->path, name, disk_error(errno));
	pthread_mutex_lock(&keeper->lock);
	keeper->retry_at_us = 0; /* there may be room now */
}

static bool may_remove_oldest(const struct journal_keeper *keeper)
{
	/* Not before the newest segment has its copy of META: without any, the journal's owner would be unknown. */
	return keeper->count > 1 && keeper->infos[0].op <= keeper->trim_op &&
	       keeper->infos[keeper->count - 1].bytes > SEGMENT_DATA;
}

static void *keeper_main(void *argument)
{
	struct journal_keeper *keeper = argument;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping) {
		bool wanted = keeper->next == NEXT_WANTED;

		if (may_remove_oldest(keeper))
			remove_oldest(keeper);
		else if (wanted && rpc_clock_us() >= keeper->retry_at_us)
			make_next(keeper);
		else if (wanted)
			thread_cond_wait_until(&keeper->changed, &keeper->lock, keeper->retry_at_us);
		else
			pthread_cond_wait(&keeper->changed, &keeper->lock);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

/* --- public functions --------------------------------------------------------------------------------------------- */

struct journal_keeper *keeper_start(int directory, const char *path, struct uuid uuid, struct segment_info *infos,
				    uint32_t count)
{
	struct journal_keeper *keeper = calloc(1, sizeof *keeper);

	must_allocate(keeper);
	must(count > 0);
	*keeper = (struct journal_keeper){.directory = directory, .path = path, .uuid = uuid, .infos = infos, .count = count,
					  .capacity = count};
	publish_sizes(keeper);
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->changed, NULL);
	if (!thread_start(&keeper->thread, keeper_main, keeper))
		shortage("journal", "start the thread that makes segments: pthread_create");
	pthread_setname_np(keeper->thread, "jh-keeper");
	return keeper;
}

void keeper_stop(struct journal_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	atomic_store(&keeper->hurry, true);
	pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	if (keeper->next == NEXT_READY) {
		segment_close(&keeper->next_segment);
		unlinkat(keeper->directory, SEGMENT_NEXT, 0);
	}
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper->infos);
	free(keeper);
}

void keeper_prepare(struct journal_keeper *keeper, uint32_t size)
{
	pthread_mutex_lock(&keeper->lock);
	if (keeper->next == NEXT_NONE) {
		keeper->next = NEXT_WANTED;
		keeper->next_size = size;
		keeper->retry_at_us = 0;
		pthread_cond_broadcast(&keeper->changed);
	}
	pthread_mutex_unlock(&keeper->lock);
}

static void add_info(struct journal_keeper *keeper, uint64_t first_sequence, struct segment_file file)
{
	if (keeper->count == keeper->capacity) {
		keeper->capacity *= 2;
		keeper->infos = realloc(keeper->infos, keeper->capacity * sizeof *keeper->infos);
		must_allocate(keeper->infos);
	}
	keeper->infos[keeper->count++] = (struct segment_info){.first_sequence = first_sequence, .bytes = SEGMENT_DATA,
								  .device = file.device, .inode = file.inode,
								  .size = file.size};
	publish_sizes(keeper);
}

/* The cause of the last failure may be gone by now: a new attempt is started at once, and its number returned. */
static uint64_t ask_again(struct journal_keeper *keeper)
{
	keeper->retry_at_us = 0;
	pthread_cond_broadcast(&keeper->changed);
	return keeper->begun + 1;
}

bool keeper_fails_still(struct journal_keeper *keeper)
{
	bool fails;

	pthread_mutex_lock(&keeper->lock);
	if (keeper->asked == 0 && keeper->next == NEXT_WANTED)
		keeper->asked = ask_again(keeper);
	fails = keeper->asked != 0 && keeper->finished >= keeper->asked;
	pthread_mutex_unlock(&keeper->lock);
	return fails;
}

enum keeper_taken keeper_take(struct journal_keeper *keeper, uint64_t first_sequence, uint32_t size,
			      struct segment *segment)
{
	char name[SEGMENT_NAME_SIZE];

	keeper_prepare(keeper, size);
	atomic_store(&keeper->hurry, true);
	pthread_mutex_lock(&keeper->lock);
	uint64_t fresh = ask_again(keeper);

	while (keeper->next != NEXT_READY) {
		int failed = atomic_load(&keeper->failing);

		if (failed != 0 && (keeper->closing || (!keeper_is_space(failed) && keeper->finished >= fresh))) {
			pthread_mutex_unlock(&keeper->lock);
			errno = failed;
			return keeper->closing ? KEEPER_GIVEN_UP : KEEPER_BROKEN;
		}
		pthread_cond_wait(&keeper->changed, &keeper->lock);
	}
	*segment = keeper->next_segment;
	keeper->next = NEXT_NONE;
	atomic_store(&keeper->hurry, false);
	pthread_mutex_unlock(&keeper->lock);
	/* The name must be durable before a record in the file counts as durable. */
	if (renameat(keeper->directory, SEGMENT_NEXT, keeper->directory, segment_name(first_sequence, name)) != 0 ||
	    !keeper_sync_directory(keeper->directory))
		return KEEPER_BROKEN;
	/* And not before: the file watch takes a file that has no name yet for deleted. */
	pthread_mutex_lock(&keeper->lock);
	add_info(keeper, first_sequence, segment_file(segment));
	pthread_mutex_unlock(&keeper->lock);
	return KEEPER_TAKEN;
}

void keeper_closing(struct journal_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->closing = true;
	pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
}

int keeper_failing(const struct journal_keeper *keeper)
{
	return atomic_load(&keeper->failing);
}

void keeper_note(struct journal_keeper *keeper, uint32_t kind, uint64_t op_end)
{
	pthread_mutex_lock(&keeper->lock);
	segment_info_add(keeper->infos, keeper->count, kind, op_end);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_note_end(struct journal_keeper *keeper, uint32_t offset)
{
	pthread_mutex_lock(&keeper->lock);
	if (keeper->infos[keeper->count - 1].bytes == SEGMENT_DATA)
		pthread_cond_broadcast(&keeper->changed); /* see may_remove_oldest */
	keeper->infos[keeper->count - 1].bytes = offset;
	publish_sizes(keeper);
	pthread_mutex_unlock(&keeper->lock);
}

uint32_t keeper_files(struct journal_keeper *keeper, struct segment_info **infos)
{
	uint32_t count;

	pthread_mutex_lock(&keeper->lock);
	count = keeper->count;
	*infos = malloc(count * sizeof **infos);
	must_allocate(*infos);
	memcpy(*infos, keeper->infos, count * sizeof **infos);
	pthread_mutex_unlock(&keeper->lock);
	return count;
}

void keeper_trim(struct journal_keeper *keeper, uint64_t op)
{
	pthread_mutex_lock(&keeper->lock);
	if (op > keeper->trim_op)
		keeper->trim_op = op;
	pthread_cond_broadcast(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_sizes(const struct journal_keeper *keeper, uint64_t *bytes, uint64_t *segments)
{
	*bytes = atomic_load(&keeper->bytes);
	*segments = atomic_load(&keeper->segments);
}
