#include "server/disk/snapshotter.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/net/background.h"
#include "server/disk/journal.h"
#include "server/disk/snapshot.h"
#include "server/machine/machine.h"

#define JOURNAL_BYTES_BEFORE_FIRST (64u << 20)
#define BYTES_PER_SECOND (32u << 20) /* far below a disk's speed, so that it never delays a journal write */
#define RETRY_US 30000000u

struct snapshotter {
	struct snapshotter_options options;
	struct background *thread;
	_Atomic bool stop;
	bool running;
	bool any;                /* one was written since the start, */
	bool fresh;              /* just now: */
	uint64_t bytes_last;     /* of the journal when the last one was done */
	uint64_t not_before_us;
};

struct snapshot_job {
	struct snapshotter *snapshotter;
	const struct history *history;
	struct snapshot_summary summary;
	enum snapshot_written written;
	char error[SNAPSHOT_ERROR_SIZE];
};

struct snapshotter *snapshotter_new(struct event_base *base, const struct snapshotter_options *options)
{
	struct snapshotter *snapshotter = calloc(1, sizeof *snapshotter);

	must_allocate(snapshotter);
	snapshotter->options = *options;
	snapshotter->thread = background_new(base);
	return snapshotter;
}

void snapshotter_free(struct snapshotter *snapshotter)
{
	if (snapshotter == NULL)
		return;
	atomic_store(&snapshotter->stop, true);
	background_free(snapshotter->thread);
	free(snapshotter);
}

static void write_snapshot(void *context)
{
	struct snapshot_job *job = context;
	const char *directory = job->snapshotter->options.directory;
	struct snapshot_pace pace = {.bytes_per_second = BYTES_PER_SECOND, .stop = &job->snapshotter->stop};

	job->written = snapshot_write(directory, job->history, &job->summary, &pace, job->error, sizeof job->error);
	if (job->written == SNAPSHOT_WRITTEN)
		snapshot_remove_below(directory, job->summary.op);
}

static void snapshot_written(void *context)
{
	struct snapshot_job *job = context;
	struct snapshotter *snapshotter = job->snapshotter;

	snapshotter->running = false;
	if (job->written == SNAPSHOT_WRITTEN) {
		snapshotter->any = snapshotter->fresh = true;
		snapshotter->options.written(snapshotter->options.context, job->summary.op);
	} else if (job->written == SNAPSHOT_FAILED) {
		log_warn("snapshot", "%s", job->error); /* RULE 13: a temporary file: retried later */
		snapshotter->not_before_us = rpc_clock_us() + RETRY_US;
	}
	free(job);
}

void snapshotter_consider(struct snapshotter *snapshotter, const struct history *history, const struct journal *journal)
{
	uint64_t first = snapshotter->options.bytes_first;
	uint64_t least = first != 0 ? first : JOURNAL_BYTES_BEFORE_FIRST;
	uint64_t enough = history_bytes(history) < least ? least : history_bytes(history);

	if (snapshotter->running || rpc_clock_us() < snapshotter->not_before_us)
		return;

	struct journal_counters counters = journal_counters(journal);

	if (snapshotter->fresh)
		snapshotter->bytes_last = counters.bytes;
	snapshotter->fresh = false;
	/* What remains after a snapshot may already exceed the threshold: then wait until some more has arrived. */
	if (counters.size_bytes < enough || (snapshotter->any && counters.bytes - snapshotter->bytes_last < enough / 2))
		return;

	struct snapshot_job *job = calloc(1, sizeof *job);

	must_allocate(job);
	job->snapshotter = snapshotter;
	job->history = history;
	job->summary = snapshot_summary_of(history);
	snapshotter->running = true;
	atomic_store(&snapshotter->stop, false);
	background_run(snapshotter->thread, write_snapshot, snapshot_written, job);
}

static void free_machine(void *context)
{
	machine_free(context);
}

void snapshotter_release(struct snapshotter *snapshotter, struct machine *machine)
{
	atomic_store(&snapshotter->stop, true);
	background_run(snapshotter->thread, free_machine, NULL, machine);
}
