/* The keeper of views without room for anything new (rule 13). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/support_store.h"

/* RULE 13: without room for a line of its own a front-end starts with the view it has; one that it cannot store is
 * reported, and with room again it is stored. */
static void starts_without_room(struct world *world, const struct views_stored *old, void (*make_room)(struct world *))
{
	struct views_stored next = *old, back;
	struct store *store = open_store(world, &back);

	if (store == NULL) {
		fail_msg("%s", world->error);
		return;
	}
	assert_memory_equal(&back, old, sizeof back);
	next.view.number++;
	world->failed = 0;
	save_and_wait(world, store, &next);
	assert_int_equal(world->failed, 1);
	make_room(world);
	save_and_wait(world, store, &next);
	assert_int_equal(world->failed, 1);
	store_close(store);
}

static void stored_before(struct world *world, struct views_stored *old)
{
	struct store *store = open_store(world, old);

	assert_non_null(store);
	make_stored(old, 1);
	save_and_wait(world, store, old);
	assert_int_equal(world->failed, 0);
	store_close(store);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void allow_files(struct world *world)
{
	struct rlimit limit;

	(void)world;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit_file_size(limit.rlim_max);
}

/* For a test that failed in between, too. */
static int tear_down_full(void **state)
{
	struct world *world = *state;

	allow_files(world);
	umount(world->directory);
	return store_tear_down(state);
}

static void a_start_that_can_write_nothing(void **state)
{
	struct world *world = *state;
	struct views_stored old;

	signal(SIGXFSZ, SIG_IGN);
	stored_before(world, &old);
	limit_file_size(0);
	starts_without_room(world, &old, allow_files);
}

static void remove_ballast(struct world *world)
{
	assert_int_equal(unlink(in_directory(world, "ballast")), 0);
}

/* The lock file is gone, and there is no room for another one, nor for a byte. */
static void a_start_on_a_full_disk(void **state)
{
	struct world *world = *state;
	struct views_stored old;

	assert_int_equal(mkdir(world->directory, 0700), 0);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", world->directory, "tmpfs", 0, "size=64k,nr_inodes=4") != 0)
		skip(); /* needs root */
	stored_before(world, &old);
	/* With the directory and view.json that makes four: the last one is the ballast's. */
	assert_int_equal(unlink(in_directory(world, "lock")), 0);
	write_file(in_directory(world, "taken"), "");
	write_file(in_directory(world, "ballast"), "");
	assert_int_equal(open(in_directory(world, "lock"), O_WRONLY | O_CREAT, 0600), -1);
	assert_int_equal(errno, ENOSPC);
	starts_without_room(world, &old, remove_ballast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_start_that_can_write_nothing, store_set_up, tear_down_full),
		cmocka_unit_test_setup_teardown(a_start_on_a_full_disk, store_set_up, tear_down_full), /* last: it mounts */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
