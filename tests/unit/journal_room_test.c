/* The journal on a disk that refuses writes: a full one is waited for, and reported; anything else ends the process,
 * but no sooner than necessary (rule 13). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/disk.h"
#include "support_journal.h"

static bool has_failed(const struct disk *disk)
{
	return atomic_load(&disk->fatal);
}

/* RULE 13: a failed write is fatal once, and nothing is reported durable after it. */
static void test_write_error_is_fatal(void **state)
{
	struct disk disk;
	struct rlimit before, small;

	(void)state;
	disk_new(&disk);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 16 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 20; i++)
		disk_append(&disk, 4, 1000);

	bool failed = disk_until(&disk, has_failed);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(failed);
	event_base_loop(disk.base, EVLOOP_NONBLOCK);

	uint64_t durable = disk.durable;

	assert_true(durable < disk.next_ticket - 1);
	assert_true(journal_oldest_write_us(disk.journal) > 0);
	assert_true(journal_append(disk.journal, disk.next_ticket++, (const uint8_t[4]){0, 0, 0, JH_DISK_META}, 4));
	disk_close(&disk);
	assert_int_equal(disk.durable, durable);
	assert_true(disk_check(&disk) <= JOURNAL_TAIL_CUT);
	disk_free(&disk);
}

static bool cannot_make_the_next(const struct disk *disk)
{
	bool last;

	return journal_failing(disk->journal, &last) == EMFILE;
}

/* RULE 13: whether the next segment can be made is found out when it is needed. The cause of an earlier failure may be
 * gone since, and is no reason to end. */
static void test_an_old_failure_is_not_the_present_one(void **state)
{
	struct disk disk;
	struct rlimit before, none;
	uint64_t last = 0;
	int lowest_free;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	lowest_free = dup(0);
	close(lowest_free);
	none = (struct rlimit){.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 1000 && !cannot_make_the_next(&disk); i++)
		disk_wait(&disk, disk_append(&disk, 1, 400));

	bool failed = cannot_make_the_next(&disk);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(failed);
	for (int i = 0; i < 200; i++)
		last = disk_append(&disk, 4, 400);
	disk_wait(&disk, last);
	assert_false(has_failed(&disk));
	disk_close(&disk);
	disk_free(&disk);
}

static bool mount_small(const char *path)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, "size=512k") == 0;
}

static void fill_disk(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	static const uint8_t bytes[4096] = {1};

	assert_true(fd >= 0);
	while (write(fd, bytes, sizeof bytes) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static bool is_full(const struct disk *disk)
{
	return journal_disk_full(disk->journal);
}

static bool has_room(const struct disk *disk)
{
	return !journal_disk_full(disk->journal);
}

/* RULE 13: without room for the next segment it says so while there is still room for META, and recovers without a
 * restart. */
static void test_disk_full(void **state)
{
	struct disk disk;
	char filler[SCRATCH_PATH_SIZE + 16];

	(void)state;
	disk_new(&disk);
	if (!mount_small(disk.path)) {
		disk_free(&disk);
		skip();
	}
	snprintf(filler, sizeof filler, "%s/filler", disk.path);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	fill_disk(filler);

	int orders = 0;

	/* A segment of this size is filled faster than the keeper's thread may get a processor: the reserve for META
	 * is not touched before it has reported that there is no next one. */
	for (; !journal_disk_full(disk.journal) && orders < 1000; orders++) {
		disk_wait(&disk, disk_append(&disk, 1, 400));
		if (journal_counters(disk.journal).size_bytes >= disk.options.segment_bytes / 4 * UINT64_C(3))
			assert_true(disk_until(&disk, is_full));
	}
	assert_true(orders > 30);
	assert_true(orders < 200);
	for (uint32_t i = 0; i < 20; i++) {
		disk_wait(&disk, written_append_meta(&disk, i + 2)); /* views continue */
		assert_true(journal_disk_full(disk.journal));
	}
	assert_int_equal(unlink(filler), 0);
	assert_true(disk_until(&disk, has_room));
	for (int i = 0; i < 100; i++)
		disk_wait(&disk, disk_append(&disk, 1, 400));
	assert_true(journal_counters(disk.journal).rotations >= 1);

	/* Filled past the reserve it waits, and a start finds what was durable. */
	fill_disk(filler);
	for (int i = 0; i < 200; i++)
		disk_append(&disk, 1, 4000);
	assert_true(journal_queued_bytes(disk.journal) > 0);
	disk_close(&disk);
	uint64_t durable = disk.durable;

	assert_true(disk_check(&disk) <= JOURNAL_TAIL_CUT);
	assert_true(disk.batches >= (uint64_t)orders + 100);
	assert_true(durable >= (uint64_t)orders + 100);
	assert_int_equal(umount2(disk.path, MNT_DETACH), 0);
	disk_free(&disk);
}

static bool is_failing(const struct disk *disk)
{
	bool last;

	return journal_failing(disk->journal, &last) != 0;
}

static bool is_over(const struct disk *disk)
{
	return disk->fatal;
}

/* RULE 13: anything other than lack of space is not called a full disk. As long as the segment has room it is only
 * reported; beyond the reserve the process ends. */
static void test_unwritable_is_not_full(void **state)
{
	struct disk disk;
	char moved[SCRATCH_PATH_SIZE + 16];
	bool last = true;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	/* A directory has the name of the next segment. */
	snprintf(moved, sizeof moved, "%s/%s", disk.path, "journal-next");
	assert_int_equal(mkdir(moved, 0700), 0);
	while (journal_counters(disk.journal).size_bytes < disk.options.segment_bytes / 2)
		disk_wait(&disk, disk_append(&disk, 1, 400));
	assert_true(disk_until(&disk, is_failing));
	assert_int_equal(journal_failing(disk.journal, &last), EISDIR);
	assert_false(last);
	assert_false(journal_disk_full(disk.journal));
	while (!last) {
		disk_wait(&disk, disk_append(&disk, 1, 400));
		journal_failing(disk.journal, &last);
	}
	assert_false(journal_disk_full(disk.journal));
	assert_false(disk.fatal);
	for (int i = 0; i < 200; i++)
		disk_append(&disk, 1, 4000);
	assert_true(disk_until(&disk, is_over));
	disk_close(&disk);
	assert_int_equal(rmdir(moved), 0);
	disk_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_error_is_fatal),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_unwritable_is_not_full),
		cmocka_unit_test(test_an_old_failure_is_not_the_present_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
