/* Durable means that the disk was asked to keep it: nothing is reported durable before a sync that began after its
 * write has returned (rules 1, 2). This program counts the syncs of everything it links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frontend/keeper/store.h"
#include "server/disk/snapshot.h"
#include "tests/unit/support_journal.h"
#include "tests/unit/support_scratch.h"

static atomic_uint data_syncs, full_syncs, segment_syncs;

/* Operations on the files of this thread while watching: Write, Header, Sync, Rename. */
static bool watching;
static char steps[32];
static unsigned watched_steps;

static void step(char what)
{
	if (!watching || watched_steps + 1 >= sizeof steps)
		return;
	steps[watched_steps++] = what;
	steps[watched_steps] = '\0';
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	step(offset == 0 ? 'h' : 'w');
	return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int rename(const char *from, const char *to)
{
	step('r');
	return (int)syscall(SYS_rename, from, to);
}

static void count_segment(int fd)
{
	char link[32], name[SCRATCH_PATH_SIZE];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, name, sizeof name - 1);

	name[size > 0 ? size : 0] = '\0';
	if (strstr(name, "/journal-0") != NULL)
		atomic_fetch_add(&segment_syncs, 1);
}

int fdatasync(int fd)
{
	int result = (int)syscall(SYS_fdatasync, fd);

	step('s');
	count_segment(fd);
	atomic_fetch_add(&data_syncs, 1);
	return result;
}

int fsync(int fd)
{
	int result = (int)syscall(SYS_fsync, fd);

	step('s');
	atomic_fetch_add(&full_syncs, 1);
	return result;
}

/* Rule 1: an append that is reported durable was synced after it was made. */
static void appends_are_synced(void **state)
{
	struct disk disk;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	for (int i = 0; i < 20; i++) {
		unsigned before = atomic_load(&data_syncs);

		disk_wait(&disk, disk_append(&disk, 1, 100));
		assert_true(atomic_load(&data_syncs) > before);
	}
	disk_close(&disk);
	disk_free(&disk);
}

/* Rule 1: data that a killed process had written, and not synced, may have been read from memory only: a start that
 * continues from it writes it to the disk first. */
static void a_start_syncs_what_it_found(void **state)
{
	struct disk disk, killed;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	disk_wait(&disk, disk_append(&disk, 1, 100));
	disk_copy(&killed, &disk);
	disk_free(&disk);
	segment_syncs = 0;
	assert_int_equal(disk_open(&killed), JOURNAL_OK);
	assert_true(atomic_load(&segment_syncs) > 0);
	disk_free(&killed);
}

/* Rule 1: a snapshot's header says that it is whole: it is written when everything else is on the disk, and the file
 * gets its name when the header is, too. */
static void snapshots_are_synced_in_order(void **state)
{
	const struct snapshot_summary nothing = {.op = 0};
	char path[SCRATCH_PATH_SIZE], error[SNAPSHOT_ERROR_SIZE];
	struct snapshot_writer *writer;

	(void)state;
	scratch_new(path);
	writer = snapshot_begin(path, SNAPSHOT_TEMPORARY, 0, error, sizeof error);
	assert_non_null(writer);
	watched_steps = 0;
	watching = true;
	assert_true(snapshot_finish(writer, &nothing, error, sizeof error));
	assert_true(snapshot_publish(path, SNAPSHOT_TEMPORARY, 0, error, sizeof error));
	watching = false;
	/* Trailer, sync, header, sync; name, and the directory's sync. */
	assert_string_equal(steps, "wshsrs");
	scratch_remove(path);
}

struct world {
	struct event_base *base;
	bool ok;
};

static void saved(void *context, uint64_t ticket, bool ok, const char *error)
{
	struct world *world = context;

	(void)ticket;
	(void)error;
	world->ok = ok;
	event_base_loopbreak(world->base);
}

/* Rule 2: a view that is reported stored has its bytes and then its name on stable storage. */
static void views_are_synced(void **state)
{
	struct world world = {.base = event_base_new()};
	struct views_stored stored;
	char path[SCRATCH_PATH_SIZE], name[SCRATCH_PATH_SIZE + 16], error[256];

	(void)state;
	scratch_new(path);
	snprintf(name, sizeof name, "%s/frontend", path);

	struct store *store = store_open_directory(world.base, name, &stored, saved, &world, error, sizeof error);

	assert_non_null(store);
	memset(&stored, 0, sizeof stored);
	stored.manager = uuid_draw();
	for (uint64_t ticket = 1; ticket <= 5; ticket++) {
		unsigned data_before = atomic_load(&data_syncs), full_before = atomic_load(&full_syncs);

		world.ok = false;
		store_save(store, ticket, &stored);
		event_base_dispatch(world.base);
		assert_true(world.ok);
		assert_true(atomic_load(&data_syncs) > data_before);
		assert_true(atomic_load(&full_syncs) > full_before);
	}
	store_close(store);
	event_base_free(world.base);
	scratch_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_are_synced),
		cmocka_unit_test(a_start_syncs_what_it_found),
		cmocka_unit_test(snapshots_are_synced_in_order),
		cmocka_unit_test(views_are_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
