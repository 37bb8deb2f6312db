#include "server/disk/check.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "server/disk/check_json.h"
#include "server/disk/recovery_internal.h"
#include "server/disk/snapshot.h"
#include "server/machine/machine.h"
#include "server/shop/machine_service.h"

static void print_check(const struct recovery *recovery, const struct report *report, const char *damaged)
{
	const struct machine *machine = *recovery->machine;
	char uuid[UUID_TEXT_SIZE], digest[DIGEST_TEXT_SIZE], fold[DIGEST_TEXT_SIZE];
	json_t *json = json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:b}", "id", (int)recovery->meta.id, "uuid",
				 uuid_format(recovery->meta.uuid, uuid), "view", (json_int_t)recovery->meta.view.number,
				 "format", (json_int_t)recovery->meta.view.format, "op", (json_int_t)machine_op(machine),
				 "commit", (json_int_t)report->commit, "digest",
				 digest_format(history_digest(machine_history(machine)), digest), "fold",
				 digest_format(machine_fold(machine), fold), "tail_cut", (json_int_t)report->tail_cut,
				 "damaged", damaged != NULL);

	must_allocate(json);
	if (damaged != NULL)
		json_object_set_new(json, "error", json_string(damaged));
	json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(json);
}

/* Reads everything; NULL, or what is damaged, as one line. */
static const char *check_files(struct recovery *recovery, struct report *report)
{
	const char *directory = recovery->data_dir;
	struct journal_recovery read;
	char received[PATH_MAX];
	bool has_received = recovery_find_received(recovery, directory) &&
			    snprintf(received, sizeof received, "%s/%s", directory, SNAPSHOT_INCOMING) <
				    (int)sizeof received;
	bool good = recovery_load_state(recovery, has_received ? received : NULL);

	recovery_begin_core(recovery);
	recovery_read_journal(recovery, NULL, &read);
	if (good && read.outcome == JOURNAL_DAMAGED) {
		snprintf(recovery->error, sizeof recovery->error, "%s", read.error);
		good = false;
	}
	if (good && !recovery->has_meta) {
		snprintf(recovery->error, sizeof recovery->error, "%s holds no replica's data", directory);
		recovery_refuse(recovery->error);
	}
	recovery_hand(recovery, &(struct replica_event){.kind = REPLICA_START,
							.start = {.tail_cut = recovery_tail_cut(recovery, &read)}});
	replica_report(recovery->replica, report);
	if (good && report->state == STATE_DAMAGED) {
		snprintf(recovery->error, sizeof recovery->error, "%s", report->detail);
		good = false;
	}
	return good ? NULL : recovery->error;
}

int check_directory(const char *data_dir, uint64_t orders_max, bool operations)
{
	struct recovery *recovery = calloc(1, sizeof *recovery);
	const struct replica_options options = {.id = 1, .orders_max = orders_max, .log_bytes_max = LIMIT_LOG_BYTES};
	const struct replica_service service = {0}; /* asked about submits and pushes, and there are none */
	struct machine *machine = NULL;
	struct recovered recovered = {0};
	struct report report;
	char error[DIRECTORY_ERROR_SIZE];
	struct directory *directory = directory_open(data_dir, DIRECTORY_CHECK, error, sizeof error);

	must_allocate(recovery);
	if (directory == NULL)
		recovery_refuse(error);
	if (directory_in_use(directory) != 0)
		log_warn("check", "%s is in use by process %d: what is read may be moving; check a copy", data_dir,
			 (int)directory_in_use(directory));
	recovery_refuse_other_formats(directory);
	*recovery = (struct recovery){.options = {.orders_max = orders_max}, .data_dir = data_dir, .machine = &machine,
				      .replica = replica_new(&options, &service), .found = &recovered};

	const char *damaged = check_files(recovery, &report);

	/* To the end of the log, where complete copies are equal. */
	machine_service_apply(machine, recovery->replica, replica_last_op(recovery->replica));
	if (operations && damaged == NULL)
		check_json_print(machine_history(machine), LIMIT_OPERATIONS(orders_max) + MACHINE_LOADED_MAX, report.commit,
				 stdout);
	print_check(recovery, &report, damaged);
	replica_free(recovery->replica);
	replica_actions_free(&recovery->actions);
	machine_free(machine);
	directory_close(directory);
	free(recovery);
	return damaged == NULL ? 0 : 1;
}
