/* A start: the newest good snapshot, then the journal, record by record, into the core. Also --check, which does the
 * same and changes nothing. */
#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/clock.h"
#include "rpc/cluster/convert.h"
#include "rpc/disk.h"
#include "server/disk/formats.h"
#include "server/disk/journal_segment.h"
#include "server/node.h"
#include "server/disk/snapshot.h"

/* All of an unapplied log at once, of the largest orders: LIMIT_UNAPPLIED_ENTRIES of LIMIT_BODY_BYTES. */
#define QUEUE_BYTES (160u << 20)

struct recovery {
	struct node *node;
	bool has_meta;
	bool cut;                      /* the journal's own word of it, and no META of the core since (RULE 14) */
	struct replica_meta meta;
	uint32_t program_base;
	bool replaced;                 /* the journal has a replacement; the last one: */
	uint64_t last_state_op;
	struct digest last_state_digest;
	char error[512];               /* damage, as one line */
};

_Noreturn void recovery_refuse(const char *line)
{
	log_error("recovery", "%s", line);
	exit(1);
}

/* --- records into the core ---------------------------------------------------------------------------------------- */

static void hand(struct node *node, struct replica_event *event)
{
	replica_step(node->replica, event, &node->actions);
	for (uint32_t i = 0; i < node->actions.count; i++) {
		if (node->actions.list[i].kind == DO_APPLY)
			node_apply(node, node->actions.list[i].op);
	}
}

static bool read_meta(struct recovery *recovery, const struct journal_record *record, char *error, size_t size)
{
	struct replica_meta meta;

	if (!disk_meta_decode(record->payload, record->size, &meta, &recovery->program_base)) {
		snprintf(error, size, "its META is malformed");
		return false;
	}
	recovery->has_meta = true;
	recovery->meta = meta;
	if (!record->repeated)
		recovery->cut = false;
	hand(recovery->node, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	return true;
}

/* RULE 19: it held more once than it may now. */
_Noreturn static void refuse_as_full(const struct recovery *recovery, uint64_t op)
{
	char line[512];

	snprintf(line, sizeof line, "the order history in %.300s has %" PRIu64 " orders, more than --max-orders %" PRIu64
		 ": start this replica with a higher one", recovery->node->options.data_dir, op,
		 recovery->node->options.orders_max);
	recovery_refuse(line);
}

static bool read_batch(struct recovery *recovery, const struct journal_record *record, char *error, size_t size)
{
	static struct replica_entry entries[LIMIT_PUSH_ENTRIES];
	struct journal_batch batch = record->batch;
	struct journal_entry entry;
	uint32_t count = 0;

	if (batch.base_op + batch.entries_count > recovery->node->options.orders_max)
		refuse_as_full(recovery, batch.base_op + batch.entries_count);
	while (journal_batch_next(&batch, &entry)) {
		int64_t time_us;

		if (!orders_body_key(entry.body, entry.size, NULL, NULL, NULL, &time_us)) {
			snprintf(error, size, "an entry of it is no operation");
			return false;
		}
		if (time_us > recovery->node->last_time_us)
			recovery->node->last_time_us = time_us;
		entries[count++] = (struct replica_entry){.view = entry.view, .body = entry.body, .size = entry.size};
	}
	hand(recovery->node,
	     &(struct replica_event){.kind = record->batch.staged ? REPLICA_RECOVER_STAGED : REPLICA_RECOVER_BATCH,
				     .op = record->batch.base_op, .digest = record->batch.base_digest,
				     .commit = record->batch.commit, .entries = entries, .entries_count = count});
	return true;
}

static bool decode_state(const struct journal_record *record, jh_disk_record *wire)
{
	XDR xdr;

	memset(wire, 0, sizeof *wire);
	xdrmem_create(&xdr, (char *)(uintptr_t)record->payload, record->size, XDR_DECODE);
	return xdr_jh_disk_record(&xdr, wire) && wire->kind == JH_DISK_STATE;
}

static bool read_state(struct recovery *recovery, const struct journal_record *record, char *error, size_t size)
{
	jh_disk_record wire;

	if (!decode_state(record, &wire)) {
		snprintf(error, size, "its STATE is malformed");
		return false;
	}
	hand(recovery->node, &(struct replica_event){.kind = REPLICA_RECOVER_STATE,
						     .op = wire.jh_disk_record_u.state.op,
						     .last_op = wire.jh_disk_record_u.state.last_op});
	return true;
}

static bool read_record(void *context, const struct journal_record *record, char *error, size_t size)
{
	switch (record->kind) {
	case JH_DISK_META:
		return read_meta(context, record, error, size);
	case JH_DISK_BATCH:
	case JH_DISK_STAGED:
		return read_batch(context, record, error, size);
	case JH_DISK_CUT:
		((struct recovery *)context)->cut = true;
		return true;
	default:
		return read_state(context, record, error, size);
	}
}

/* --- the state to begin with -------------------------------------------------------------------------------------- */

static bool note_state(void *context, const struct journal_record *record, char *error, size_t size)
{
	struct recovery *recovery = context;
	jh_disk_record wire;

	(void)error;
	(void)size;
	if (record->kind == JH_DISK_STATE && decode_state(record, &wire)) {
		recovery->replaced = true;
		recovery->last_state_op = wire.jh_disk_record_u.state.op;
		recovery->last_state_digest = convert_digest_from_wire(wire.jh_disk_record_u.state.digest);
	}
	return true;
}

/* Of the op of the newest snapshot: what a fresh replica was loaded with (op 0) is replaced by the primary's. Or the
 * replacement has its name since, and the file is what came later of another one. */
static bool is_last_state(const struct recovery *recovery, const char *path)
{
	struct orders *orders;
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE];

	if (snapshot_load(path, recovery->node->options.orders_max + ROOM_FOR_LOADED, &orders, &summary, error,
			  sizeof error) != SNAPSHOT_LOADED)
		return false;
	orders_free(orders);
	return summary.op == recovery->last_state_op && digest_equal(summary.digest, recovery->last_state_digest);
}

/* A received state counts only if the journal's last replacement is of its op; then it only missed getting its name. */
static bool find_received(struct recovery *recovery, const char *directory)
{
	struct journal_recovery read;
	char path[PATH_MAX];
	uint64_t newest = 0;

	if (snprintf(path, sizeof path, "%s/%s", directory, SNAPSHOT_INCOMING) >= (int)sizeof path ||
	    access(path, F_OK) != 0)
		return false;
	journal_check(directory, note_state, recovery, &read);
	snapshot_newest(directory, UINT64_MAX, &newest);
	if (!recovery->replaced || recovery->last_state_op < newest)
		return false;
	return recovery->last_state_op > newest || is_last_state(recovery, path);
}

static void name_received(struct recovery *recovery, const char *directory)
{
	char error[SNAPSHOT_ERROR_SIZE];

	if (find_received(recovery, directory) &&
	    !snapshot_publish(directory, SNAPSHOT_INCOMING, recovery->last_state_op, error, sizeof error))
		recovery_refuse(error);
}

static bool journal_exists(const char *directory)
{
	DIR *files = opendir(directory);
	bool found = false;

	if (files == NULL)
		return false;
	for (struct dirent *file; !found && (file = readdir(files)) != NULL;)
		found = strncmp(file->d_name, "journal-", 8) == 0 && strcmp(file->d_name, SEGMENT_NEXT) != 0;
	closedir(files);
	return found;
}

static bool load_snapshot(struct recovery *recovery, const char *path)
{
	struct node *node = recovery->node;
	struct snapshot_summary summary;

	switch (snapshot_load(path, node->options.orders_max + ROOM_FOR_LOADED, &node->orders, &summary,
			      recovery->error, sizeof recovery->error)) {
	case SNAPSHOT_LOADED:
		node->snapshot_op = summary.op;
		return true;
	case SNAPSHOT_DAMAGED:
	case SNAPSHOT_MISSING:
		node->orders = orders_new(node->options.orders_max + ROOM_FOR_LOADED);
		return false;
	default:
		recovery_refuse(recovery->error);
	}
}

/* A journal and a snapshot are always there together, the snapshot first; only a process that was killed in its very
 * first start leaves the first snapshot alone. False: damage, and an empty history to stand on, of which nothing is
 * served. */
static bool load_state(struct recovery *recovery, const char *received)
{
	struct node *node = recovery->node;
	const char *directory = node->options.data_dir;
	bool has_journal = journal_exists(directory);
	char path[PATH_MAX];
	uint64_t op = 0;

	if (received != NULL)
		return load_snapshot(recovery, received);
	if (snapshot_newest(directory, UINT64_MAX, &op) && (has_journal || op == 0)) {
		must(snapshot_path(directory, op, path, sizeof path));
		return load_snapshot(recovery, path);
	}
	node->orders = orders_new(node->options.orders_max + ROOM_FOR_LOADED);
	if (!has_journal && op == 0) /* RULE 14 */
		return true; /* nothing at all */
	snprintf(recovery->error, sizeof recovery->error, "%s has a %s but no %s: files are missing", directory,
		 has_journal ? "journal" : "snapshot", has_journal ? "snapshot" : "journal");
	return false;
}

/* --- the start ---------------------------------------------------------------------------------------------------- */

static void check_owner(const struct recovery *recovery)
{
	const struct node_options *options = &recovery->node->options;
	char line[512];

	if (!recovery->has_meta)
		return;
	if (recovery->meta.id != options->id) {
		snprintf(line, sizeof line,
			 "%s belongs to replica %" PRIu32 ", not %" PRIu32 ": give each replica a data "
			 "directory of its own",
			 options->data_dir, recovery->meta.id, options->id);
		recovery_refuse(line);
	}
	if (recovery->program_base != options->program_base) {
		snprintf(line, sizeof line, "%s belongs to a cluster with program base %" PRIu32 ", not %" PRIu32
			 ": use --program-base or another directory", options->data_dir, recovery->program_base,
			 options->program_base);
		recovery_refuse(line);
	}
}

static void begin_core(struct node *node)
{
	struct replica_meta meta = {.id = node->options.id, .uuid = node->uuid};

	hand(node, &(struct replica_event){.kind = REPLICA_RECOVER_BASE, .op = orders_op(node->orders),
					   .digest = orders_digest(node->orders)});
	hand(node, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	node->last_time_us = orders_last_time_us(node->orders);
}

static bool is_damage(enum journal_outcome outcome)
{
	return outcome == JOURNAL_DAMAGED;
}

/* The journal, opened, or only read when the snapshot is damaged already: damaged files are not written to (RULE
 * 14). */
static bool read_journal(struct recovery *recovery, bool open, const struct journal_options *options,
			 struct journal_recovery *read)
{
	struct node *node = recovery->node;
	const char *directory = node->options.data_dir;

	if (open)
		node->journal = journal_open(directory, options, read_record, recovery, read);
	else
		journal_check(directory, read_record, recovery, read);
	if (read->outcome != JOURNAL_OK && read->outcome != JOURNAL_TAIL_CUT && !is_damage(read->outcome))
		recovery_refuse(read->error);
	if (open && node->journal == NULL)
		snprintf(recovery->error, sizeof recovery->error, "%s", read->error);
	return node->journal != NULL;
}

static void refuse_other_formats(const struct directory *directory)
{
	char error[DIRECTORY_ERROR_SIZE];

	if (!formats_known(directory_fd(directory), directory_path(directory), error, sizeof error))
		recovery_refuse(error);
}

/* RULE 14: the first op that may have been cut off; 0: none that META does not tell of. */
static uint64_t tail_cut(const struct recovery *recovery, const struct journal_recovery *read)
{
	bool cut = read->outcome == JOURNAL_TAIL_CUT || recovery->cut;

	return !cut ? 0 : replica_last_op(recovery->node->replica) + 1;
}

void recovery_run(struct node *node, void (*durable)(void *context, uint64_t ticket),
		  void (*fatal)(void *context, const char *line))
{
	struct recovery *recovery = calloc(1, sizeof *recovery);
	const char *directory = node->options.data_dir;
	struct journal_recovery read;
	uint64_t began_us = rpc_clock_us();

	must_allocate(recovery);
	recovery->node = node;
	refuse_other_formats(node->directory);
	if (!directory_begin(node->directory, recovery->error, sizeof recovery->error))
		recovery_refuse(recovery->error);
	/* RULE 3: until META says another */
	node->uuid = uuid_draw();
	name_received(recovery, directory);
	snapshot_remove_temporary(directory);

	bool good = load_state(recovery, NULL);

	if (good && !journal_exists(directory)) {
		first_history_begin(node);
		log_info("recovery", "%s is new: it begins with %" PRIu64 " loaded orders", directory,
			 orders_count(node->orders));
	} else if (node->options.initial_orders != NULL) {
		log_info("recovery", "--initial-orders is not used: %s holds a history already", directory);
	}
	begin_core(node);
	good = read_journal(recovery, good,
			    &(struct journal_options){.base = node->base, .uuid = node->uuid, .durable = durable,
						      .segment_bytes = node->options.segment_bytes,
						      .queue_bytes = QUEUE_BYTES, .fatal = fatal, .context = node},
			    &read);
	check_owner(recovery);
	if (recovery->has_meta)
		node->uuid = recovery->meta.uuid;
	if (read.outcome == JOURNAL_TAIL_CUT)
		log_warn("recovery", "%s", read.error);
	node_start(node, &(struct replica_event){.kind = REPLICA_START, .damaged = !good, .text = recovery->error,
						 .tail_cut = tail_cut(recovery, &read)});
	if (!node->damaged)
		log_info("recovery", "recovered view=%" PRIu64 " op=%" PRIu64 " commit=%" PRIu64 " orders=%" PRIu64
			 " records=%" PRIu64 " took_ms=%" PRIu64, replica_view(node->replica)->number,
			 replica_last_op(node->replica), replica_commit(node->replica), orders_count(node->orders),
			 read.records, (rpc_clock_us() - began_us) / 1000);
	free(recovery);
}

bool recovery_set_aside(struct directory *directory, const char *reason, char *error, size_t error_size)
{
	static const char *const prefixes[] = {"snapshot", "incoming", "journal-"};

	return directory_set_aside(directory, prefixes, sizeof prefixes / sizeof prefixes[0], reason, NULL, error,
				   error_size);
}

/* --- --check ------------------------------------------------------------------------------------------------------ */

/* At the end of the log, which is where whole copies are equal. */
static struct digest digest_at_end(const struct node *node, const struct report *report)
{
	struct digest digest = report->digest;

	for (uint64_t op = report->digest_op + 1; op <= replica_last_op(node->replica); op++) {
		struct replica_entry entry = replica_entry_at(node->replica, op);

		digest = digest_chain(digest, entry.body, entry.size);
	}
	return digest;
}

static void print_check(const struct recovery *recovery, const struct report *report, const char *damaged)
{
	const struct node *node = recovery->node;
	char uuid[UUID_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
	json_t *json = json_pack("{s:i, s:s, s:I, s:I, s:I, s:s, s:I, s:b}", "id", (int)recovery->meta.id, "uuid",
				 uuid_format(recovery->meta.uuid, uuid), "view", (json_int_t)recovery->meta.view.number,
				 "op", (json_int_t)replica_last_op(node->replica), "commit", (json_int_t)report->commit,
				 "digest", digest_format(digest_at_end(node, report), digest), "tail_cut",
				 (json_int_t)report->tail_cut, "damaged", damaged != NULL);

	must_allocate(json);
	if (damaged != NULL)
		json_object_set_new(json, "error", json_string(damaged));
	json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(json);
}

/* Reads all of it; NULL, or what is damaged, as one line. */
static const char *check_files(struct recovery *recovery, struct report *report)
{
	struct node *node = recovery->node;
	const char *directory = node->options.data_dir;
	struct journal_recovery read;
	char received[PATH_MAX];
	bool has_received = find_received(recovery, directory) &&
			    snprintf(received, sizeof received, "%s/%s", directory, SNAPSHOT_INCOMING) <
				    (int)sizeof received;
	bool good = load_state(recovery, has_received ? received : NULL);

	begin_core(node);
	read_journal(recovery, false, NULL, &read);
	if (good && is_damage(read.outcome)) {
		snprintf(recovery->error, sizeof recovery->error, "%s", read.error);
		good = false;
	}
	if (good && !recovery->has_meta) {
		snprintf(recovery->error, sizeof recovery->error, "%s holds no replica's data", directory);
		recovery_refuse(recovery->error);
	}
	hand(node, &(struct replica_event){.kind = REPLICA_START, .tail_cut = tail_cut(recovery, &read)});
	replica_report(node->replica, report);
	if (good && report->state == STATE_DAMAGED) {
		snprintf(recovery->error, sizeof recovery->error, "%s", report->detail);
		good = false;
	}
	return good ? NULL : recovery->error;
}

int recovery_check(const char *data_dir, uint64_t orders_max)
{
	struct node *node = calloc(1, sizeof *node);
	struct recovery *recovery = calloc(1, sizeof *recovery);
	const struct replica_options options = {.id = 1, .orders_max = orders_max, .log_bytes_max = LIMIT_LOG_BYTES};
	const struct replica_service service = {0}; /* asked about what is submitted and pushed, and nothing is */
	struct report report;
	char error[DIRECTORY_ERROR_SIZE];

	must_allocate(node);
	must_allocate(recovery);
	recovery->node = node;
	node->options.data_dir = data_dir;
	node->options.orders_max = orders_max;
	node->directory = directory_open(data_dir, DIRECTORY_CHECK, error, sizeof error);
	if (node->directory == NULL)
		recovery_refuse(error);
	if (directory_in_use(node->directory) != 0)
		log_warn("check", "%s is in use by process %d: what is read may be moving; check a copy", data_dir,
			 (int)directory_in_use(node->directory));
	refuse_other_formats(node->directory);
	node->replica = replica_new(&options, &service);

	const char *damaged = check_files(recovery, &report);

	print_check(recovery, &report, damaged);
	replica_free(node->replica);
	replica_actions_free(&node->actions);
	orders_free(node->orders);
	directory_close(node->directory);
	free(node);
	free(recovery);
	return damaged == NULL ? 0 : 1;
}
