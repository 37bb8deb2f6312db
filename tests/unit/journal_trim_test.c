/* Which segments are removed, when, and in what order: never one that a start would need (rules 1, 14). This program
 * replaces libc's fdatasync, fsync, unlinkat and renameat. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/disk.h"
#include "server/disk/journal_segment.h"
#include "tests/unit/support_journal.h"

static atomic_bool held;                       /* fdatasync waits */
static atomic_bool waiting;                    /* and one is waiting */
static atomic_uint removed, removed_unsynced, unsynced_at_once;

int fdatasync(int fd)
{
	while (atomic_load(&held)) {
		atomic_store(&waiting, true);
		usleep(200);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	struct stat info;

	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		atomic_store(&removed_unsynced, 0);
	return (int)syscall(SYS_fsync, fd);
}

int unlinkat(int directory, const char *name, int flags)
{
	uint64_t first;

	if (segment_name_parse(name, &first)) {
		unsigned now = atomic_fetch_add(&removed_unsynced, 1) + 1;

		if (now > atomic_load(&unsynced_at_once))
			atomic_store(&unsynced_at_once, now);
		atomic_fetch_add(&removed, 1);
	}
	return (int)syscall(SYS_unlinkat, directory, name, flags);
}

static const struct disk *listed;              /* its files are listed while a segment gets its name */
static atomic_uint named, listed_too_soon;

int renameat(int from, const char *name, int to, const char *new_name)
{
	struct journal_file *files;
	uint32_t count = listed == NULL ? 0 : journal_files(listed->journal, &files);

	for (uint32_t i = 0; i < count; i++)
		if (faccessat(to, files[i].name, F_OK, 0) != 0)
			atomic_fetch_add(&listed_too_soon, 1);
	if (listed != NULL) {
		free(files);
		atomic_fetch_add(&named, 1);
	}
	return (int)syscall(SYS_renameat2, from, name, to, new_name, 0U);
}

static void begin(struct disk *disk)
{
	atomic_store(&held, false);
	atomic_store(&waiting, false);
	atomic_store(&removed, 0);
	atomic_store(&removed_unsynced, 0);
	atomic_store(&unsynced_at_once, 0);
	disk_new(disk);
	assert_int_equal(disk_open(disk), JOURNAL_OK);
	disk_wait(disk, written_append_meta(disk, 1));
}

/* Appends single orders until there is one segment more; returns the last op of the one that is full. */
static uint64_t fill_segment(struct disk *disk)
{
	const uint64_t segments = journal_counters(disk->journal).segments;

	while (journal_counters(disk->journal).segments == segments)
		disk_wait(disk, disk_append(disk, 1, 3000));
	return disk->op - 1;
}

static bool is_there(const struct disk *disk, uint64_t first)
{
	char path[SCRATCH_PATH_SIZE + SEGMENT_NAME_SIZE], name[SEGMENT_NAME_SIZE];

	snprintf(path, sizeof path, "%s/%s", disk->path, segment_name(first, name));
	return access(path, F_OK) == 0;
}

/* Long enough for the keeper to do what it must not. */
static void stays(struct disk *disk, uint64_t first)
{
	for (int i = 0; i < 30; i++) {
		assert_true(is_there(disk, first));
		usleep(1000);
	}
}

/* Rule 14: however long a disk takes to give a new segment its name, none is listed before: the file watch would take
 * it for deleted. */
static void listed_by_its_name(void **state)
{
	struct disk disk;

	(void)state;
	begin(&disk);
	listed = &disk;
	fill_segment(&disk);
	fill_segment(&disk);
	assert_int_equal(atomic_load(&named), 2);
	assert_int_equal(atomic_load(&listed_too_soon), 0);
	listed = NULL;
	disk_close(&disk);
	disk_free(&disk);
}

/* Rule 14: a segment is removed when its last op is covered, and not one op sooner. */
static void up_to_the_last_op_of_it(void **state)
{
	struct disk disk;

	(void)state;
	begin(&disk);
	uint64_t last = fill_segment(&disk);

	fill_segment(&disk);
	for (uint64_t op = last - 3; op < last; op++) {
		journal_trim(disk.journal, op);
		stays(&disk, 1);
	}
	journal_trim(disk.journal, last);
	disk_until_segments(&disk, 2);
	disk_close(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.first_op, last + 1);
	disk_free(&disk);
}

/* Rule 14: the same where the end of the log was written as a staged replacement: entries that do not end the log, and
 * yet are needed until a snapshot covers them; also after a start, which reads what the writer recorded. */
static void staged_entries_count(void **state)
{
	(void)state;
	for (int started_again = 0; started_again < 2; started_again++) {
		static uint8_t body[7000];
		struct disk disk;

		begin(&disk);
		for (uint64_t op = 20; op < 26; op++) {
			const struct journal_batch batch = {.base_op = op, .commit = 20, .staged = true};
			const struct journal_entry entry = {.view = 7, .body = body, .size = sizeof body};

			assert_true(journal_append_batch(disk.journal, disk.next_ticket, &batch, &entry, 1));
			disk_wait(&disk, disk.next_ticket++);
		}
		while (journal_counters(disk.journal).segments == 1)
			disk_wait(&disk, written_append_meta(&disk, 1));
		if (started_again) {
			disk_close(&disk);
			assert_int_equal(disk_open(&disk), JOURNAL_OK);
		}
		journal_trim(disk.journal, 25);
		stays(&disk, 1);
		journal_trim(disk.journal, 26);
		disk_until_segments(&disk, 1);
		disk_free(&disk);
	}
}

static void append_state(struct disk *disk, uint64_t op, uint64_t last_op)
{
	jh_disk_record record = {.kind = JH_DISK_STATE, .jh_disk_record_u.state = {.op = op, .last_op = last_op}};
	uint8_t payload[64];
	XDR xdr;

	xdrmem_create(&xdr, (char *)payload, sizeof payload, XDR_ENCODE);
	assert_true(xdr_jh_disk_record(&xdr, &record));
	assert_true(journal_append(disk->journal, disk->next_ticket, payload, xdr_getpos(&xdr)));
	disk_wait(disk, disk->next_ticket++);
}

/* Rule 14: a replacement covers everything before it, up to the end of its staged entries and not only up to its
 * state. */
static void a_replacement_covers_to_its_end(void **state)
{
	(void)state;
	for (int started_again = 0; started_again < 2; started_again++) {
		struct disk disk;

		begin(&disk);
		uint64_t second = fill_segment(&disk) + 2; /* its first record: META was record 1, every order is one */

		while (disk.op < 40)
			disk_wait(&disk, disk_append(&disk, 1, 3000));
		append_state(&disk, 20, 26);
		if (started_again) {
			disk_close(&disk);
			assert_int_equal(disk_open(&disk), JOURNAL_OK);
		}
		journal_trim(disk.journal, 25);
		stays(&disk, second);
		journal_trim(disk.journal, 26);
		disk_until_segments(&disk, 1);
		disk_free(&disk);
	}
}

/* Rule 14: until META is durable in the newest segment, the one that has it stays: without any, the journal's owner
 * would be unknown. */
static void not_before_meta_is_in_the_newest(void **state)
{
	struct disk disk;

	(void)state;
	begin(&disk);
	for (bool begun = false; !begun;) {
		uint64_t next = disk.op + 2; /* META was record 1, and every order is one */

		atomic_store(&waiting, false);
		atomic_store(&held, true);
		uint64_t ticket = disk_append(&disk, 1, 3000);

		while (!atomic_load(&waiting))
			usleep(200);
		begun = is_there(&disk, next);
		if (begun) { /* its first write, which is META's copy, is the one that waits */
			journal_trim(disk.journal, disk.op);
			stays(&disk, 1);
		}
		atomic_store(&held, false);
		disk_wait(&disk, ticket);
	}
	disk_until_segments(&disk, 1);
	disk_close(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_true(disk.metas > 0);
	disk_free(&disk);
}

/* Rule 1: one after the other, each durably: what remains is always a complete suffix of the journal, whenever the
 * power fails. */
static void one_at_a_time(void **state)
{
	struct disk disk;

	(void)state;
	begin(&disk);
	for (int i = 0; i < 4; i++)
		fill_segment(&disk);
	journal_trim(disk.journal, disk.op);
	disk_until_segments(&disk, 1);
	disk_close(&disk);
	assert_int_equal(atomic_load(&removed), 4);
	assert_int_equal(atomic_load(&unsynced_at_once), 1);
	disk_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_by_its_name),
		cmocka_unit_test(up_to_the_last_op_of_it),
		cmocka_unit_test(staged_entries_count),
		cmocka_unit_test(a_replacement_covers_to_its_end),
		cmocka_unit_test(not_before_meta_is_in_the_newest),
		cmocka_unit_test(one_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
