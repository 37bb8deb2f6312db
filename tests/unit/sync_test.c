/* Durable means that the disk was asked to keep it: nothing is called durable before a sync that began after its write
 * has returned (rules 1, 2). This program counts the syncs of everything it links. */
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

#include "frontend/store.h"
#include "tests/unit/support_journal.h"
#include "tests/unit/support_scratch.h"

static atomic_uint data_syncs, full_syncs;

int fdatasync(int fd)
{
	int result = (int)syscall(SYS_fdatasync, fd);

	atomic_fetch_add(&data_syncs, 1);
	return result;
}

int fsync(int fd)
{
	int result = (int)syscall(SYS_fsync, fd);

	atomic_fetch_add(&full_syncs, 1);
	return result;
}

/* Rule 1: an append that is reported durable was synced since it was made. */
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

/* Rule 2: a view that is said to be stored has its bytes and then its name on stable storage. */
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
		cmocka_unit_test(views_are_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
