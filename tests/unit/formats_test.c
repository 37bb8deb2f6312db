/* Directories that an older program wrote, or a newer one whose cluster was upgraded (docs/formats.md): refused by name,
 * without changing a byte of them. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>
#include <event2/event.h>

#include "server/disk/check.h"
#include "server/disk/disk_records.h"
#include "server/disk/journal.h"
#include "server/disk/journal_segment.h"
#include "server/disk/snapshot_format.h"
#include "tests/unit/support_node.h"

static char kept[SCRATCH_PATH_SIZE], said[SCRATCH_PATH_SIZE + 8];

static bool shell(const char *format, const char *one, const char *other)
{
	char command[3 * SCRATCH_PATH_SIZE];

	assert_in_range(snprintf(command, sizeof command, format, one, other), 1, sizeof command - 1);
	return system(command) == 0;
}

/* A directory of one order, stopped. */
static void directory_begin_old(void)
{
	struct caller manager;

	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	caller_close(&manager);
	node_finish();
	scratch_new(kept);
	snprintf(said, sizeof said, "%s.said", kept);
}

static void directory_end(void)
{
	unlink(said);
	scratch_remove(kept);
	node_rig_end();
}

/* The file claims format 1, as the old program wrote it: with a valid checksum, or without. */
static void make_old(const char *name, bool checksum)
{
	uint8_t bytes[HEADER_BYTES];
	char path[2 * SCRATCH_PATH_SIZE];

	snprintf(path, sizeof path, "%s/%s", node_rig.directory, name);
	int file = open(path, O_RDWR);

	assert_true(file >= 0);
	assert_int_equal(pread(file, bytes, sizeof bytes, 0), sizeof bytes);
	if (strncmp(name, "journal-", 8) == 0) {
		struct segment_header header;

		memcpy(&header, bytes, sizeof header);
		header.version = htole32(1);
		if (checksum)
			header.checksum = htole64(XXH3_64bits(&header, offsetof(struct segment_header, checksum)));
		memcpy(bytes, &header, sizeof header);
	} else {
		encode_word(bytes + 8, 1);
		if (checksum)
			encode_hyper(bytes + HEADER_BYTES - 8, XXH3_64bits(bytes, HEADER_BYTES - 8));
	}
	assert_int_equal(pwrite(file, bytes, sizeof bytes, 0), sizeof bytes);
	close(file);
}

/* A start, or --check, in a process of its own; returns its exit status. */
static int status_of(bool check)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (freopen(said, "w", stderr) == NULL)
			_exit(99);
		if (check)
			_exit(check_directory(node_rig.directory, 100, false));
		node_begin();
		_exit(98);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void is_refused(const char *file)
{
	assert_true(shell("cp -a '%s/.' '%s'", node_rig.directory, kept));
	for (int check = 0; check < 2; check++) {
		assert_int_equal(status_of(check != 0), 1);
		assert_true(shell("grep -q '%s has format 1, .* format 3 ' '%s'", file, said));
		assert_true(shell("test $(wc -l <'%s') = 1%s", said, ""));
		assert_true(shell("diff -r '%s' '%s'", kept, node_rig.directory));
		/* Nor their times, which tell when something was written. */
		assert_true(shell("l() { cd \"$1\" && find . -printf '%%P %%T@\\n' | sort; }; "
				  "test \"$(l '%s')\" = \"$(l '%s')\"", node_rig.directory, kept));
	}
}

/* Whichever of its files is old, and whatever else is wrong with that one. */
static void an_older_directory_is_refused(void **state)
{
	static const char segment[] = "journal-00000000000000000001", snapshot[] = "snapshot-00000000000000000000";

	(void)state;
	directory_begin_old();
	make_old(segment, true);
	is_refused(segment);
	make_old(segment, false);
	is_refused(segment);
	make_old(snapshot, true);
	is_refused("");
	directory_end();

	directory_begin_old();
	make_old(snapshot, true);
	is_refused(snapshot);
	make_old(snapshot, false);
	is_refused(snapshot);
	directory_end();
}

/* Nor is a file removed that was about to get its name. */
static void an_older_received_state_is_refused(void **state)
{
	(void)state;
	directory_begin_old();
	assert_true(shell("cp '%s/snapshot-00000000000000000000' '%s/incoming.tmp'", node_rig.directory,
			  node_rig.directory));
	make_old(SNAPSHOT_INCOMING, true);
	is_refused(SNAPSHOT_INCOMING);
	directory_end();
}

/* --- files of this format, of a cluster that uses a newer one ----------------------------------------------------- */

static bool read_nothing(void *context, const struct journal_record *record, char *error, size_t size)
{
	(void)context;
	(void)record;
	(void)error;
	(void)size;
	return true;
}

static void ignore_ticket(void *context, uint64_t ticket)
{
	(void)context;
	(void)ticket;
}

static void fail_on_line(void *context, const char *line)
{
	(void)context;
	fail_msg("%s", line);
}

/* As the newer program leaves it after its cluster was upgraded: the last META says so. */
static void upgrade_view(void)
{
	static struct replica_meta meta;
	struct replica_actions actions = {0};
	const struct replica_options options = {.id = NODE_ID, .log_bytes_max = LIMIT_LOG_BYTES};
	const struct replica_service service = {0};
	struct journal_recovery recovery;
	struct event_base *base = event_base_new();
	struct replica *replica = replica_new(&options, &service);

	meta = (struct replica_meta){.id = NODE_ID, .uuid = node_rig.view.members[0].uuid, .bound = node_rig.view.manager,
				     .view = node_rig.view};
	meta.view.number = 2;
	meta.view.format = FORMAT_HIGH + 1;
	replica_step(replica, &(struct replica_event){.kind = REPLICA_RECOVER_BASE}, &actions);
	replica_step(replica, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta}, &actions);

	struct journal *journal = journal_open(node_rig.directory, &(struct journal_options){.base = base, .uuid = meta.uuid,
				     .durable = ignore_ticket, .fatal = fail_on_line}, read_nothing, NULL, &recovery);

	assert_non_null(journal);
	assert_true(disk_record_append(journal, replica, NODE_BASE,
				       &(struct replica_write){.kind = WRITE_META, .ticket = 1}));
	journal_close(journal);
	replica_free(replica);
	replica_actions_free(&actions);
	event_base_free(base);
}

static void a_directory_of_an_upgraded_cluster_is_refused(void **state)
{
	(void)state;
	directory_begin_old();
	upgrade_view();
	assert_true(shell("cp '%s/snapshot-00000000000000000000' '%s/incoming.tmp'", node_rig.directory, node_rig.directory));
	assert_true(shell("cp -a '%s/.' '%s'", node_rig.directory, kept));
	for (int check = 0; check < 2; check++) {
		assert_int_equal(status_of(check != 0), 1);
		assert_true(shell("grep -q '%s belongs to a cluster that uses format 4; .*upgrade justhungry-server' '%s'",
				  node_rig.directory, said));
		assert_true(shell("test $(wc -l <'%s') = 1%s", said, ""));
		assert_true(shell("diff -r '%s' '%s'", kept, node_rig.directory));
	}
	directory_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_older_directory_is_refused),
		cmocka_unit_test(an_older_received_state_is_refused),
		cmocka_unit_test(a_directory_of_an_upgraded_cluster_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
