/* Directories that an older program wrote (docs/formats.md): refused by name, without changing a byte of them. */
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

#include "server/disk/check.h"
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
			_exit(check_directory(node_rig.directory, 100));
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
		assert_true(shell("grep -q '%s has format 1, .* format 2 ' '%s'", file, said));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_older_directory_is_refused),
		cmocka_unit_test(an_older_received_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
