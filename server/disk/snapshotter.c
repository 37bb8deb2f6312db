/* Snapshots of our own state, written in the background when the journal has grown by as much as a snapshot would
 * take, so that a start reads at most about twice the history. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "server/background.h"
#include "rpc/base/clock.h"
#include "server/node.h"
#include "server/disk/snapshot.h"

#define JOURNAL_BYTES_BEFORE_FIRST (64u << 20)
#define BYTES_PER_SECOND (32u << 20) /* far below what a disk takes: it never stands before a journal write */
#define RETRY_US 30000000u

struct snapshotter {
	struct node *node;
	struct background *thread;
	_Atomic bool stop;
	bool running;
	bool any;                /* one was written since the start */
	uint64_t bytes_last;     /* of the journal when the last one was done */
	uint64_t not_before_us;
};

struct snapshot_job {
	struct snapshotter *snapshotter;
	const char *directory;
	struct orders *orders;
	struct snapshot_summary summary;
	enum snapshot_written written;
	char error[SNAPSHOT_ERROR_SIZE];
};

struct snapshotter *snapshotter_new(struct node *node)
{
	struct snapshotter *snapshotter = calloc(1, sizeof *snapshotter);

	must_allocate(snapshotter);
	snapshotter->node = node;
	snapshotter->thread = background_new(node->base);
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
	struct snapshot_pace pace = {.bytes_per_second = BYTES_PER_SECOND, .stop = &job->snapshotter->stop};

	job->written =
		snapshot_write(job->directory, job->orders, &job->summary, &pace, job->error, sizeof job->error);
	if (job->written == SNAPSHOT_WRITTEN)
		snapshot_remove_below(job->directory, job->summary.op);
}

static void snapshot_written(void *context)
{
	struct snapshot_job *job = context;
	struct snapshotter *snapshotter = job->snapshotter;
	struct node *node = snapshotter->node;

	snapshotter->running = false;
	if (node->journal == NULL) {
		free(job); /* damaged meanwhile */
		return;
	}
	if (job->written == SNAPSHOT_WRITTEN) {
		log_info("snapshot", "written op=%" PRIu64, job->summary.op);
		journal_trim(node->journal, job->summary.op);
		node->snapshot_op = job->summary.op;
		snapshotter->any = true;
		snapshotter->bytes_last = journal_counters(node->journal).bytes;
	} else if (job->written == SNAPSHOT_FAILED) {
		log_warn("snapshot", "%s", job->error); /* RULE 13: a temporary file: tried again later */
		snapshotter->not_before_us = rpc_clock_us() + RETRY_US;
	}
	free(job);
}

void snapshotter_consider(struct snapshotter *snapshotter)
{
	struct node *node = snapshotter->node;
	uint64_t least = node->options.snapshot_bytes != 0 ? node->options.snapshot_bytes : JOURNAL_BYTES_BEFORE_FIRST;
	uint64_t enough = orders_bytes(node->orders) < least ? least : orders_bytes(node->orders);

	if (snapshotter->running || node->journal == NULL || rpc_clock_us() < snapshotter->not_before_us)
		return;

	struct journal_counters counters = journal_counters(node->journal);

	/* What is left after a snapshot may be enough by itself: then some more must have come. */
	if (counters.size_bytes < enough || (snapshotter->any && counters.bytes - snapshotter->bytes_last < enough / 2))
		return;

	struct snapshot_job *job = calloc(1, sizeof *job);

	must_allocate(job);
	job->snapshotter = snapshotter;
	job->directory = node->options.data_dir;
	job->orders = node->orders;
	job->summary = (struct snapshot_summary){.op = orders_op(node->orders),
						 .initial_count = orders_initial_count(node->orders),
						 .digest = orders_digest(node->orders)};
	snapshotter->running = true;
	atomic_store(&snapshotter->stop, false);
	background_run(snapshotter->thread, write_snapshot, snapshot_written, job);
}

static void free_orders(void *context)
{
	orders_free(context);
}

void snapshotter_release(struct snapshotter *snapshotter, struct orders *orders)
{
	atomic_store(&snapshotter->stop, true);
	background_run(snapshotter->thread, free_orders, NULL, orders);
}
