/* A node's own snapshots: ops that they cover leave the journal and nothing else does, whatever happens while one is
 * being written, and one that fails is retried (rules 13, 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/disk/snapshot.h"
#include "server/disk/snapshotter.h"
#include "server/machine/machine.h"
#include "tests/unit/support_node.h"

/* The writes of a snapshot under its temporary name wait, and say that they do. */
static atomic_bool snapshots_wait, snapshot_waits;

ssize_t pwrite(int fd, const void *bytes, size_t bytes_count, off_t offset)
{
	char link[32], name[SCRATCH_PATH_SIZE];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, name, sizeof name - 1);

	name[size > 0 ? size : 0] = '\0';
	while (strstr(name, SNAPSHOT_TEMPORARY) != NULL && atomic_load(&snapshots_wait)) {
		atomic_store(&snapshot_waits, true);
		usleep(1000);
	}
	return syscall(SYS_pwrite64, fd, bytes, bytes_count, offset);
}

static uint64_t request;

static struct report report_now(void)
{
	struct report report;

	node_report(node_rig.node, &report);
	return report;
}

static void orders(struct caller *manager, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(order_now(manager, ++request, "soup").outcome, JH_DONE);
}

static void begin(struct caller *manager)
{
	request = 0;
	atomic_store(&snapshots_wait, false);
	atomic_store(&snapshot_waits, false);
	node_sizes = (struct node_sizes){.segment_bytes = 64 << 10, .snapshot_bytes = 100 << 10, .orders_max = 10000};
	node_rig_begin();
	node_leads(manager);
}

static uint64_t newest_snapshot(void)
{
	uint64_t op = UINT64_MAX;

	assert_true(snapshot_newest(node_rig.directory, UINT64_MAX, &op));
	return op;
}

/* A kill -9 leaves the whole history. */
static void is_whole_when_killed(struct caller *manager)
{
	struct report before = report_now(), after;

	caller_close(manager);
	node_killed();
	after = report_now();
	assert_string_equal(after.detail, "");
	assert_int_equal(after.op, before.op);
	node_rig.view.number++;
	assert_int_equal(manager_opens(manager, 0xA), JH_HELLO_OK);
	assert_int_equal(install_view(manager, &node_rig.view), JH_MANAGE_OK);
	loop_for(2);
	after = report_now();
	assert_int_equal(after.digest_op, before.digest_op);
	assert_true(digest_equal(after.digest, before.digest));
}

static void until(bool (*holds)(void))
{
	for (int i = 0; i < 400 && !holds(); i++)
		loop_for(1);
	assert_true(holds());
}

static bool waits(void)
{
	return atomic_load(&snapshot_waits);
}

static bool named(void)
{
	return newest_snapshot() > 0;
}

static bool trimmed(void)
{
	char path[SCRATCH_PATH_SIZE + 64];

	snprintf(path, sizeof path, "%s/journal-%020d", node_rig.directory, 1);
	return access(path, F_OK) != 0;
}

/* Rule 14: orders applied while the snapshot was being written are not in it, and stay in the journal. */
static void the_journal_keeps_what_no_snapshot_has(void **state)
{
	struct caller manager;

	(void)state;
	begin(&manager);
	atomic_store(&snapshots_wait, true);
	while (!waits())
		orders(&manager, 10);
	orders(&manager, 400); /* three segments more */
	assert_int_equal(newest_snapshot(), 0);
	atomic_store(&snapshots_wait, false);
	until(named);
	until(trimmed);
	loop_for(4); /* everything else to be removed is removed by now */
	is_whole_when_killed(&manager);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 13: nothing is removed for a snapshot that failed, and there is another one later. */
static void a_snapshot_that_failed_is_tried_again(void **state)
{
	struct caller manager;
	char path[SCRATCH_PATH_SIZE + 64];

	(void)state;
	begin(&manager);
	snprintf(path, sizeof path, "%s/%s/in-the-way", node_rig.directory, SNAPSHOT_TEMPORARY);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	orders(&manager, 400);
	loop_for(8);
	assert_int_equal(newest_snapshot(), 0);
	assert_false(trimmed());
	is_whole_when_killed(&manager);

	/* Also in the process in which it failed. */
	orders(&manager, 20);
	loop_for(8);
	snprintf(path, sizeof path, "%s/%s", node_rig.directory, SNAPSHOT_TEMPORARY);
	assert_int_equal(rmdir(path), 0);
	atomic_fetch_add(&monotonic_ahead_us, 31000000);
	until(named);
	until(trimmed);
	is_whole_when_killed(&manager);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 14: a replaced history leaves no snapshot any more. */
static void a_replaced_history_is_given_up(void **state)
{
	struct caller manager;

	(void)state;
	begin(&manager);
	atomic_store(&snapshots_wait, true);
	while (!waits())
		orders(&manager, 10);
	event_del(node_rig.node->timer); /* no other one */
	snapshotter_release(node_rig.node->snapshotter, machine_new(10));
	atomic_store(&snapshots_wait, false);
	loop_for(20);
	assert_int_equal(newest_snapshot(), 0);
	caller_close(&manager);
	node_rig_end();
}

/* One after the other, each replacing the one before it. */
static void one_after_the_other(void **state)
{
	struct caller manager;
	uint64_t last = 0, older;

	(void)state;
	begin(&manager);
	for (int i = 0; i < 3; i++) {
		while (newest_snapshot() == last)
			orders(&manager, 10);
		last = newest_snapshot();
	}
	loop_for(4);
	assert_false(snapshot_newest(node_rig.directory, newest_snapshot(), &older));
	is_whole_when_killed(&manager);
	caller_close(&manager);
	node_rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_journal_keeps_what_no_snapshot_has),
		cmocka_unit_test(a_snapshot_that_failed_is_tried_again),
		cmocka_unit_test(a_replaced_history_is_given_up),
		cmocka_unit_test(one_after_the_other),
	};

	/* In memory where possible: thousands of orders. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
