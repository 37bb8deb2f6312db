/* What a node has on disk: read at the start, looked after, closed at the end. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/disk_error.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/net/background.h"
#include "server/disk/directory.h"
#include "server/disk/file_watch.h"
#include "server/disk/journal.h"
#include "server/disk/recovery.h"
#include "server/disk/snapshotter.h"
#include "server/disk/staging.h"
#include "server/machine/machine.h"
#include "server/node_internal.h"

/* A damaged replica waits so long for the view manager's word that another member serves (RULE 14). */
#define DAMAGED_WAIT_US 15000000u
#define SET_ASIDE_US 5000000u

/* --- what its parts tell ------------------------------------------------------------------------------------------ */

static void durable(void *context, uint64_t ticket)
{
	struct node *node = context;

	node_step(node, &(struct replica_event){.kind = REPLICA_DURABLE, .durable = {.ticket = ticket}});
	node_flush(node);
}

/* RULE 13: on the disk thread. No retry; what was acknowledged is on disk, and a start is the tested way back to it. */
static void disk_failed(void *context, const char *line)
{
	(void)context;
	log_error("journal", "%s", line);
	log_flush();
	_exit(1);
}

static void on_staged(void *context, uint64_t token, bool ok, uint64_t next, bool complete)
{
	node_step(context, &(struct replica_event){.kind = REPLICA_STAGED,
						   .staged = {.token = token, .ok = ok, .next = next,
							      .complete = complete}});
	node_flush(context);
}

static void on_snapshot(void *context, uint64_t op)
{
	struct node *node = context;

	if (node->journal == NULL)
		return; /* damaged meanwhile */
	log_info("snapshot", "written op=%" PRIu64, op);
	journal_trim(node->journal, op);
	node->snapshot_op = op;
}

/* RULE 14: the files no longer hold what was written: the replica serves and writes nothing more. */
static void on_damage(void *context, const char *why, bool directory_gone)
{
	struct node *node = context;
	char text[DIRECTORY_ERROR_SIZE];

	if (node->journal == NULL || node->end != NODE_RUNS)
		return;
	node->directory_gone = directory_gone;
	snprintf(text, sizeof text, "%s", why);
	node_step(node, &(struct replica_event){.kind = REPLICA_DAMAGE, .damage = {.text = text}});
	file_watch_end(node->files);
	journal_abandon(node->journal);
	node->journal = NULL;
	node->trouble[0] = '\0';
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */

static void make_parts(struct node *node)
{
	const char *path = directory_path(node->directory);

	node->background = background_new(node->base);
	node->snapshotter = snapshotter_new(node->base, &(struct snapshotter_options){
		.directory = path, .bytes_first = node->options.snapshot_bytes, .written = on_snapshot, .context = node});
	node->staging = staging_new(&(struct staging_options){.directory = path, .orders_max = node->options.orders_max,
							      .background = node->background, .taken = on_staged,
							      .context = node});
	node->files = file_watch_new(&(struct file_watch_options){.directory = node->directory,
								  .background = node->background, .damaged = on_damage,
								  .context = node});
	node->set_aside_count = directory_set_aside_count(node->directory);
	node->set_aside_us = rpc_clock_us();
}

void node_disk_begin(struct node *node)
{
	const struct node_options *options = &node->options;
	uint64_t began_us = rpc_clock_us();
	struct recovered found;

	make_parts(node);
	recovery_run(&(struct recovery_options){.id = options->id, .program_base = options->daemon.program_base,
						.initial_orders = options->initial_orders,
						.orders_max = options->orders_max,
						.segment_bytes = options->segment_bytes, .base = node->base,
						.durable = durable, .fatal = disk_failed, .context = node},
		     node->directory, node->replica, &node->machine, &found);
	node->journal = found.journal;
	node->uuid = found.uuid;
	node->last_time_us = found.last_time_us;
	node->snapshot_op = found.snapshot_op;
	node_warn_of_full(node);
	node_start(node, &(struct replica_event){.kind = REPLICA_START,
						 .start = {.damage = found.journal == NULL ? found.damage : NULL,
							   .tail_cut = found.tail_cut}});
	if (!replica_is_damaged(node->replica))
		log_info("recovery", "recovered view=%" PRIu64 " op=%" PRIu64 " commit=%" PRIu64 " orders=%" PRIu64
			 " records=%" PRIu64 " took_ms=%" PRIu64, replica_view(node->replica)->number,
			 replica_last_op(node->replica), replica_commit(node->replica),
			 history_count(machine_history(node->machine)), found.records, (rpc_clock_us() - began_us) / 1000);
}

/* --- looking after it --------------------------------------------------------------------------------------------- */

static void check_disk(struct node *node)
{
	bool full = node->journal != NULL && journal_disk_full(node->journal);

	if (full != node->disk_full) {
		node->disk_full = full;
		node_step(node, &(struct replica_event){.kind = REPLICA_DISK, .disk = {.full = full}});
	}
}

/* RULE 13: a journal that cannot go on, but not for want of space, is this replica's failure. As long as it has room for
 * orders an operator may fix that; the space left then is for handing over. */
static void check_journal(struct node *node)
{
	bool last = false;
	int error = node->journal == NULL ? 0 : journal_failing(node->journal, &last);

	if (node->failing)
		return;
	node->trouble[0] = '\0';
	if (node->journal != NULL && journal_over_quota(node->journal))
		error = EDQUOT; /* there is no room, and freeing space does not help */
	if (error == 0)
		return;
	snprintf(node->trouble, sizeof node->trouble, "cannot make its next journal segment: %.120s", disk_error(error));
	if (!last)
		return;
	log_error("node", "stopping: cannot make the next journal segment in %s, and the present one is full: %s: fix that, "
		  "then start this replica again", node->options.daemon.data_dir, disk_error(error));
	node->failing = true;
	node->stopping = true;
	node_step(node, &(struct replica_event){.kind = REPLICA_STOP, .stop = {.failure = node->trouble}});
}

/* RULE 14: come back as a learner when the view manager says so; else stop and say why. */
static void check_damaged(struct node *node)
{
	struct report report;

	if (node->end != NODE_RUNS || !replica_is_damaged(node->replica))
		return;
	if (node->damaged_us == 0)
		node->damaged_us = rpc_clock_us();
	if (rpc_clock_us() - node->damaged_us < DAMAGED_WAIT_US)
		return;
	replica_report(node->replica, &report);
	if (node->directory_gone)
		log_error("node", "stopping: damaged (%s): start this replica again with an empty --data-dir, and it learns "
			  "from the others; when there is none, look for where the directory has gone", report.detail);
	else
		log_error("node",
		  "stopping: damaged (%s), and within %u s no view manager confirmed that another member serves: start "
		  "the front-end and the other replicas first, then this one again; nothing in %s was changed or "
		  "removed",
		  report.detail, DAMAGED_WAIT_US / 1000000, node->options.daemon.data_dir);
	node_end(node, NODE_FAILED, "damaged");
}

/* --- what was set aside, for status: a directory is read off the loop --------------------------------------------- */

struct set_aside {
	struct node *node;
	uint32_t count;
};

static void count_set_aside(void *context)
{
	struct set_aside *set_aside = context;

	set_aside->count = directory_set_aside_count(set_aside->node->directory);
}

static void set_aside_counted(void *context)
{
	struct set_aside *set_aside = context;

	set_aside->node->set_aside_count = set_aside->count;
	free(set_aside);
}

static void look_set_aside(struct node *node)
{
	struct set_aside *set_aside;

	if (rpc_clock_us() - node->set_aside_us < SET_ASIDE_US)
		return;
	node->set_aside_us = rpc_clock_us();
	set_aside = calloc(1, sizeof *set_aside);
	must_allocate(set_aside);
	set_aside->node = node;
	background_run(node->background, count_set_aside, set_aside_counted, set_aside);
}

void node_disk_tick(struct node *node)
{
	if (node->journal != NULL && node->end == NODE_RUNS)
		file_watch_look(node->files, node->journal, node->snapshot_op);
	check_disk(node);
	check_journal(node);
	check_damaged(node);
	look_set_aside(node);
	staging_tick(node->staging);
	if (node->journal != NULL)
		snapshotter_consider(node->snapshotter, machine_history(node->machine), node->journal);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

/* Nothing may write to the directory while and after it is set aside. */
void node_disk_close(struct node *node)
{
	if (node->background == NULL)
		return; /* closed already */
	staging_drop(node->staging);
	background_free(node->background);
	node->background = NULL;
	staging_free(node->staging);
	file_watch_free(node->files);
	snapshotter_free(node->snapshotter);
	if (node->journal != NULL)
		journal_close(node->journal);
	node->journal = NULL;
}

bool node_disk_set_aside(struct node *node)
{
	char error[DIRECTORY_ERROR_SIZE];

	node_disk_close(node);
	if (!recovery_set_aside(node->directory, replica_is_damaged(node->replica) ? "damaged" : "retired", error, sizeof error)) {
		log_error("node", "%s", error);
		return false;
	}
	log_warn("node", "all data set aside in %s/%s, starting again as a new replica: %s", node->options.daemon.data_dir,
		 DIRECTORY_SET_ASIDE, node->ending);
	return true;
}
