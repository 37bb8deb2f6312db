/* Names after a crash: a file that counts is in its directory durably before anything refers to it (rules 1, 14). This
 * program counts the syncs of directories of everything it links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/disk/directory.h"
#include "server/disk/snapshot.h"
#include "tests/unit/support_journal.h"
#include "tests/unit/support_scratch.h"

static atomic_uint directory_syncs;

int fsync(int fd)
{
	struct stat info;

	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		atomic_fetch_add(&directory_syncs, 1);
	return (int)syscall(SYS_fsync, fd);
}

/* Rule 1: a record counts as durable only when its segment's name is durable. */
static void segments_have_their_names(void **state)
{
	struct disk disk;
	unsigned before;

	(void)state;
	disk_new(&disk);
	before = atomic_load(&directory_syncs);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	assert_true(atomic_load(&directory_syncs) > before);
	disk_wait(&disk, written_append_meta(&disk, 1));
	before = atomic_load(&directory_syncs);
	while (journal_counters(disk.journal).rotations < 3)
		disk_wait(&disk, disk_append(&disk, 1, 8000));
	assert_true(atomic_load(&directory_syncs) >= before + 3);
	disk_close(&disk);
	disk_free(&disk);
}

static void make_file(const char *directory, const char *name)
{
	char path[SCRATCH_PATH_SIZE + 64];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
}

/* Rules 1 and 14: a snapshot that the journal is trimmed for has a durable name, and so have files set aside: at their
 * new place, in its parent and where they were. */
static void moved_files_have_their_names(void **state)
{
	static const char *const prefixes[] = {"snapshot"};
	char path[SCRATCH_PATH_SIZE], error[512];
	uint32_t moved;
	unsigned before;

	(void)state;
	scratch_new(path);
	make_file(path, SNAPSHOT_TEMPORARY);
	before = atomic_load(&directory_syncs);
	assert_true(snapshot_publish(path, SNAPSHOT_TEMPORARY, 5, error, sizeof error));
	assert_true(atomic_load(&directory_syncs) > before);

	struct directory *directory = directory_open(path, DIRECTORY_OWN, error, sizeof error);

	assert_non_null(directory);
	before = atomic_load(&directory_syncs);
	assert_true(directory_set_aside(directory, prefixes, 1, "damaged", &moved, error, sizeof error));
	assert_int_equal(moved, 1);
	assert_true(atomic_load(&directory_syncs) >= before + 3);
	directory_close(directory);
	scratch_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_have_their_names),
		cmocka_unit_test(moved_files_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
