#include "server/disk/recovery.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/disk.h"
#include "rpc/program/own_files.h"
#include "server/disk/disk_records.h"
#include "server/disk/first_history.h"
#include "server/disk/formats.h"
#include "server/disk/journal_newest.h"
#include "server/disk/journal_segment.h"
#include "server/disk/received.h"
#include "server/disk/recovery_internal.h"
#include "server/disk/snapshot.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"
#include "server/shop/machine_service.h"

/* A whole unapplied log of the largest orders: LIMIT_UNAPPLIED_ENTRIES of LIMIT_BODY_BYTES. */
#define QUEUE_BYTES (160u << 20)

_Noreturn void recovery_refuse(const char *line)
{
	log_error("recovery", "%s", line);
	exit(1);
}

/* --- records into the core ---------------------------------------------------------------------------------------- */

void recovery_hand(struct recovery *recovery, struct replica_event *event)
{
	replica_step(recovery->replica, event, &recovery->actions);
	for (uint32_t i = 0; i < recovery->actions.count; i++) {
		if (recovery->actions.list[i].kind == DO_APPLY)
			machine_service_apply(*recovery->machine, recovery->replica,
					     recovery->actions.list[i].apply.op);
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
	recovery_hand(recovery, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	return true;
}

/* RULE 19: it once held more than it may now. */
_Noreturn static void refuse_as_full(const struct recovery *recovery, uint64_t op)
{
	char line[512];

	snprintf(line, sizeof line, "the order history in %.300s has %" PRIu64 " orders, more than --max-orders %" PRIu64
		 ": start this replica with a higher one", recovery->data_dir, op,
		 recovery->options.orders_max);
	recovery_refuse(line);
}

static bool read_batch(struct recovery *recovery, const struct journal_record *record, char *error, size_t size)
{
	static struct replica_entry entries[LIMIT_PUSH_ENTRIES];
	struct journal_batch batch = record->batch;
	struct journal_entry entry;
	uint32_t count = 0;

	if (batch.base_op + batch.entries_count > LIMIT_OPERATIONS(recovery->options.orders_max))
		refuse_as_full(recovery, batch.base_op + batch.entries_count);
	while (journal_batch_next(&batch, &entry)) {
		int64_t time_us;

		if (!operation_key(entry.body, entry.size, NULL, NULL, NULL, &time_us)) {
			snprintf(error, size, "an entry of it is no operation");
			return false;
		}
		if (time_us > recovery->found->last_time_us)
			recovery->found->last_time_us = time_us;
		entries[count++] = (struct replica_entry){.view = entry.view, .body = entry.body, .size = entry.size};
	}
	recovery_hand(recovery, &(struct replica_event){
		.kind = record->batch.staged ? REPLICA_RECOVER_STAGED : REPLICA_RECOVER_BATCH,
		.batch = {.base_op = record->batch.base_op, .base_digest = record->batch.base_digest,
			  .commit = record->batch.commit, .entries = entries, .entries_count = count}});
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
	recovery_hand(recovery, &(struct replica_event){.kind = REPLICA_RECOVER_STATE,
							.state = {.op = wire.jh_disk_record_u.state.op,
								  .last_op = wire.jh_disk_record_u.state.last_op}});
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

/* --- the initial state -------------------------------------------------------------------------------------------- */

/* RULE 14: what the disk cannot show is not known to be missing. */
_Noreturn static void refuse_unlisted(const char *directory)
{
	char line[512];

	snprintf(line, sizeof line, "cannot list %.300s: %s", directory, disk_error(errno));
	recovery_refuse(line);
}

static bool newest_snapshot(const char *directory, uint64_t *op)
{
	bool found = snapshot_newest(directory, UINT64_MAX, op);

	if (!found && errno != 0)
		refuse_unlisted(directory);
	return found;
}

/* Neither a disk error nor another format says anything about the records. */
static void refuse_unread(const struct journal_recovery *read)
{
	if (read->outcome != JOURNAL_OK && read->outcome != JOURNAL_TAIL_CUT && read->outcome != JOURNAL_DAMAGED)
		recovery_refuse(read->error);
}

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

static bool is_last_state(const struct recovery *recovery, const char *path)
{
	struct machine *machine;
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE];

	if (snapshot_load(path, LIMIT_OPERATIONS(recovery->options.orders_max) + MACHINE_LOADED_MAX, &machine, &summary, error,
			  sizeof error) != SNAPSHOT_LOADED)
		return false;
	machine_free(machine);
	return summary.op == recovery->last_state_op && digest_equal(summary.digest, recovery->last_state_digest);
}

bool recovery_find_received(struct recovery *recovery, const char *directory)
{
	struct journal_recovery read;
	char path[PATH_MAX];
	uint64_t newest = 0;

	if (snprintf(path, sizeof path, "%s/%s", directory, SNAPSHOT_INCOMING) >= (int)sizeof path ||
	    access(path, F_OK) != 0)
		return false;
	journal_check(directory, note_state, recovery, &read);
	refuse_unread(&read);
	recovery->journal_damaged = read.outcome == JOURNAL_DAMAGED;
	newest_snapshot(directory, &newest);
	switch (received_state(recovery->replaced, recovery->last_state_op, newest)) {
	case RECEIVED_UNFINISHED:
		return false;
	case RECEIVED_STANDS:
		return true;
	case RECEIVED_IF_EQUAL:
		return is_last_state(recovery, path);
	}
	return false;
}

/* A received state gets its name when the journal depends on it; otherwise it is removed with everything unfinished. */
static void settle_received(struct recovery *recovery, const char *directory)
{
	char error[SNAPSHOT_ERROR_SIZE];
	bool stands_on_it = recovery_find_received(recovery, directory);

	if (recovery->journal_damaged)
		return; /* RULE 14: the file's state is unknown, and it may be the newest that exists */
	if (stands_on_it &&
	    !snapshot_publish(directory, SNAPSHOT_INCOMING, recovery->last_state_op, error, sizeof error))
		recovery_refuse(error);
	snapshot_remove_temporary(directory);
}

static bool journal_exists(const char *directory)
{
	DIR *files = opendir(directory);
	struct dirent *file;
	bool found = false;

	if (files == NULL)
		refuse_unlisted(directory);
	while (errno = 0, !found && (file = readdir(files)) != NULL)
		found = strncmp(file->d_name, "journal-", 8) == 0 && strcmp(file->d_name, SEGMENT_NEXT) != 0;
	if (errno != 0)
		refuse_unlisted(directory);
	closedir(files);
	return found;
}

static struct machine *empty_history(const struct recovery *recovery)
{
	return machine_new(LIMIT_OPERATIONS(recovery->options.orders_max) + MACHINE_LOADED_MAX);
}

static bool load_snapshot(struct recovery *recovery, const char *path)
{
	struct snapshot_summary summary;

	switch (snapshot_load(path, LIMIT_OPERATIONS(recovery->options.orders_max) + MACHINE_LOADED_MAX, recovery->machine, &summary,
			      recovery->error, sizeof recovery->error)) {
	case SNAPSHOT_LOADED:
		recovery->found->snapshot_op = summary.op;
		return true;
	case SNAPSHOT_DAMAGED:
	case SNAPSHOT_MISSING:
		*recovery->machine = empty_history(recovery);
		return false;
	default:
		recovery_refuse(recovery->error);
	}
}

bool recovery_load_state(struct recovery *recovery, const char *received)
{
	const char *directory = recovery->data_dir;
	bool has_journal = journal_exists(directory);
	char path[PATH_MAX];
	uint64_t op = 0;

	if (received != NULL)
		return load_snapshot(recovery, received);
	if (newest_snapshot(directory, &op) && (has_journal || op == 0)) {
		must(snapshot_path(directory, op, path, sizeof path));
		return load_snapshot(recovery, path);
	}
	*recovery->machine = empty_history(recovery);
	if (!has_journal && op == 0) /* RULE 14 */
		return true; /* the directory is empty */
	snprintf(recovery->error, sizeof recovery->error, "%s has a %s but no %s: files are missing", directory,
		 has_journal ? "journal" : "snapshot", has_journal ? "snapshot" : "journal");
	return false;
}

/* --- the start ---------------------------------------------------------------------------------------------------- */

static void check_owner(const struct recovery *recovery)
{
	const struct recovery_options *options = &recovery->options;
	char line[512];

	if (!recovery->has_meta)
		return;
	if (recovery->meta.id != options->id) {
		snprintf(line, sizeof line,
			 "%s belongs to replica %" PRIu32 ", not %" PRIu32 ": give each replica a data "
			 "directory of its own",
			 recovery->data_dir, recovery->meta.id, options->id);
		recovery_refuse(line);
	}
	if (recovery->program_base != options->program_base) {
		snprintf(line, sizeof line, "%s belongs to a cluster with program base %" PRIu32 ", not %" PRIu32
			 ": use --program-base or another directory", recovery->data_dir, recovery->program_base,
			 options->program_base);
		recovery_refuse(line);
	}
}

void recovery_begin_core(struct recovery *recovery)
{
	const struct machine *machine = *recovery->machine;
	struct replica_meta meta = {.id = recovery->options.id, .uuid = recovery->found->uuid};

	recovery_hand(recovery, &(struct replica_event){.kind = REPLICA_RECOVER_BASE,
							.base = {.op = machine_op(machine),
								 .digest = history_digest(machine_history(machine))}});
	recovery_hand(recovery, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	recovery->found->last_time_us = machine_last_time_us(machine);
}

bool recovery_read_journal(struct recovery *recovery, const struct journal_options *open,
			   struct journal_recovery *read)
{
	struct journal *journal = NULL;

	if (open != NULL)
		journal = journal_open(recovery->data_dir, open, read_record, recovery, read);
	else
		journal_check(recovery->data_dir, read_record, recovery, read);
	refuse_unread(read);
	if (open != NULL && journal == NULL)
		snprintf(recovery->error, sizeof recovery->error, "%s", read->error);
	recovery->found->journal = journal;
	return journal != NULL;
}

static void note_format(void *context, const void *payload, uint32_t size)
{
	uint32_t *format = context, program_base;
	struct replica_meta meta;

	if (disk_meta_decode(payload, size, &meta, &program_base))
		*format = meta.view.format;
}

/* Not damage: the program that wrote it was a newer one, or a much older one. */
static void refuse_format_in_use(const struct directory *directory)
{
	char line[512];
	uint32_t format = 0;

	journal_newest_metas(directory_fd(directory), note_format, &format);
	if (format_range_includes(FORMAT_RANGE_OWN, format))
		return;
	snprintf(line, sizeof line, "%.300s belongs to a cluster that uses format %" PRIu32 "; this program speaks %d to %d and "
		 "has changed nothing there: %s justhungry-server", directory_path(directory), format, FORMAT_LOW, FORMAT_HIGH,
		 format > FORMAT_HIGH ? "upgrade" : "use an older");
	recovery_refuse(line);
}

void recovery_refuse_other_formats(const struct directory *directory)
{
	char error[DIRECTORY_ERROR_SIZE];

	if (!formats_known(directory_fd(directory), directory_path(directory), error, sizeof error))
		recovery_refuse(error);
	refuse_format_in_use(directory);
}

uint64_t recovery_tail_cut(const struct recovery *recovery, const struct journal_recovery *read)
{
	bool cut = read->outcome == JOURNAL_TAIL_CUT || recovery->cut;

	return !cut ? 0 : replica_last_op(recovery->replica) + 1;
}

static void begin_directory(struct recovery *recovery, struct directory *directory)
{
	static const char *const ours[] = {"snapshot", "incoming", "journal-", NULL};

	recovery_refuse_other_formats(directory);
	if (!own_files_only(directory_fd(directory), recovery->data_dir, ours, recovery->error, sizeof recovery->error))
		recovery_refuse(recovery->error);
	if (!directory_begin(directory, recovery->error, sizeof recovery->error))
		recovery_refuse(recovery->error);
	settle_received(recovery, recovery->data_dir);
}

static void begin_history(struct recovery *recovery)
{
	const char *initial_orders = recovery->options.initial_orders;

	if (!journal_exists(recovery->data_dir)) {
		machine_free(*recovery->machine);
		*recovery->machine =
			first_history_begin(recovery->data_dir, initial_orders, recovery->options.orders_max);
		log_info("recovery", "%s is new: it begins with %" PRIu64 " loaded orders", recovery->data_dir,
			 history_count(machine_history(*recovery->machine)));
	} else if (initial_orders != NULL) {
		log_info("recovery", "--initial-orders is not used: %s holds a history already", recovery->data_dir);
	}
}

void recovery_run(const struct recovery_options *options, struct directory *directory, struct replica *replica,
		  struct machine **machine, struct recovered *recovered)
{
	struct recovery *recovery = calloc(1, sizeof *recovery);
	const struct journal_options journal = {.base = options->base, .durable = options->durable, .fatal = options->fatal,
						.context = options->context, .segment_bytes = options->segment_bytes,
						.queue_bytes = QUEUE_BYTES, .uuid = uuid_draw()};
	struct journal_recovery read;

	must_allocate(recovery);
	*recovery = (struct recovery){.options = *options, .data_dir = directory_path(directory), .replica = replica,
				      .machine = machine, .found = recovered};
	*recovered = (struct recovered){.uuid = journal.uuid}; /* RULE 3: until META says another */
	begin_directory(recovery, directory);

	bool good = recovery_load_state(recovery, NULL);

	if (good)
		begin_history(recovery);
	recovery_begin_core(recovery);
	good = recovery_read_journal(recovery, good ? &journal : NULL, &read);
	check_owner(recovery);
	if (recovery->has_meta)
		recovered->uuid = recovery->meta.uuid;
	if (read.outcome == JOURNAL_TAIL_CUT)
		log_warn("recovery", "%s", read.error);
	if (!good)
		snprintf(recovered->damage, sizeof recovered->damage, "%s", recovery->error);
	recovered->tail_cut = recovery_tail_cut(recovery, &read);
	recovered->records = read.records;
	replica_actions_free(&recovery->actions);
	free(recovery);
}

bool recovery_set_aside(struct directory *directory, const char *reason, char *error, size_t error_size)
{
	static const char *const prefixes[] = {"snapshot", "incoming", "journal-"};

	return directory_set_aside(directory, prefixes, sizeof prefixes / sizeof prefixes[0], reason, NULL, error,
				   error_size);
}
