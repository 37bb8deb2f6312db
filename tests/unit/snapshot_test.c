/* Snapshots: what was written is read back as the same state; a failure leaves nothing; and writing continues beside
 * applying (run under TSan). Damage is in snapshot_damage_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "server/disk/snapshot_format.h"
#include "support_orders.h"
#include "support_snapshot.h"

static const struct snapshot_pace at_once = {0};

static void write_now(const struct machine *machine)
{
	struct snapshot_summary summary = summary_of(machine);

	assert_int_equal(snapshot_write(directory, machine_history(machine), &summary, &at_once, error, sizeof error), SNAPSHOT_WRITTEN);
}

/* Loads and compares with the state that was written. */
static void assert_loads(const char *path, const struct machine *machine)
{
	struct machine *loaded;
	struct snapshot_summary summary;

	assert_int_equal(snapshot_load(path, ORDERS_MAX, &loaded, &summary, error, sizeof error), SNAPSHOT_LOADED);
	assert_int_equal(summary.op, machine_op(machine));
	assert_int_equal(summary.initial_count, history_loaded(machine_history(machine)));
	assert_true(digest_equal(summary.digest, history_digest(machine_history(machine))));
	assert_int_equal(machine_op(loaded), machine_op(machine));
	assert_int_equal(history_loaded(machine_history(loaded)), history_loaded(machine_history(machine)));
	assert_true(digest_equal(history_digest(machine_history(loaded)), history_digest(machine_history(machine))));
	assert_int_equal(machine_last_time_us(loaded), machine_last_time_us(machine));
	machine_free(loaded);
}

/* States of no, few and many orders (several chunks) are read back; only the snapshot itself stays in the directory. */
static void states_are_read_back(void **state)
{
	static const uint32_t sizes[][2] = {{0, 0}, {4, 0}, {0, 1}, {4, 3}, {4, 20000}};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct machine *machine = make_orders(sizes[i][0], sizes[i][1]);

		write_now(machine);
		assert_loads(path_of(sizes[i][1]), machine);
		assert_int_equal(empty_directory(directory), 1);
		machine_free(machine);
	}
}

/* The state as of an earlier op, smaller than the reserved room: equal to what it was, and no room is kept. */
static void earlier_states_are_written(void **state)
{
	struct machine *machine = make_orders(4, 20000), *earlier = make_orders(4, 10);
	struct snapshot_summary summary = summary_of(earlier);
	struct stat status;

	(void)state;
	assert_int_equal(snapshot_write(directory, machine_history(machine), &summary, &at_once, error, sizeof error), SNAPSHOT_WRITTEN);
	assert_loads(path_of(10), earlier);
	assert_int_equal(stat(path_of(10), &status), 0);
	assert_in_range(status.st_blocks * 512, 0, 65536);
	machine_free(machine);
	machine_free(earlier);
}

/* A state received in chunks of any kind makes the same file, under its temporary name until it is published. */
static void received_states_are_read_back(void **state)
{
	struct machine *machine = make_orders(4, 50);
	struct snapshot_summary summary = summary_of(machine);
	struct snapshot_writer *writer =
		snapshot_begin(directory, SNAPSHOT_INCOMING, history_bytes(machine_history(machine)), error, sizeof error);
	uint8_t chunk[500];
	char temporary[256];
	uint64_t op;

	(void)state;
	assert_non_null(writer);
	for (uint64_t next = 0; next < 54;) {
		size_t size = history_encode(machine_history(machine), next, 50, &next, chunk, sizeof chunk);

		assert_true(snapshot_append(writer, chunk, size, error, sizeof error));
	}
	snprintf(temporary, sizeof temporary, "%s/%s", directory, SNAPSHOT_INCOMING);
	assert_int_equal(outcome_of(temporary, ORDERS_MAX), SNAPSHOT_DAMAGED); /* not finished: no header */
	assert_true(snapshot_finish(writer, &summary, error, sizeof error));
	assert_false(snapshot_newest(directory, UINT64_MAX, &op));
	assert_loads(temporary, machine);
	assert_true(snapshot_publish(directory, SNAPSHOT_INCOMING, 50, error, sizeof error));
	assert_true(snapshot_newest(directory, UINT64_MAX, &op));
	assert_int_equal(op, 50);
	assert_loads(path_of(50), machine);
	machine_free(machine);
}

/* A received state that is not the announced one is refused and removed: another digest, another op, an invalid
 * chunk. */
static void wrong_states_are_not_finished(void **state)
{
	struct machine *machine = make_orders(4, 50);
	uint8_t chunk[20000];
	uint64_t next;
	size_t size = history_encode(machine_history(machine), 0, 50, &next, chunk, sizeof chunk);

	(void)state;
	assert_int_equal(next, 54);
	for (int wrong = 0; wrong < 3; wrong++) {
		struct snapshot_summary summary = summary_of(machine);
		struct snapshot_writer *writer = snapshot_begin(directory, SNAPSHOT_INCOMING, 0, error, sizeof error);

		summary.op += wrong == 0;
		summary.initial_count -= wrong == 1;
		summary.digest.high ^= wrong == 2;
		assert_true(snapshot_append(writer, chunk, size, error, sizeof error));
		assert_false(snapshot_finish(writer, &summary, error, sizeof error));
		assert_non_null(strstr(error, "not the state that was announced"));
		assert_int_equal(empty_directory(directory), 0);
	}
	struct snapshot_writer *writer = snapshot_begin(directory, SNAPSHOT_INCOMING, 0, error, sizeof error);

	assert_false(snapshot_append(writer, chunk, size - 4, error, sizeof error));
	assert_false(snapshot_append(writer, chunk, 0, error, sizeof error));
	assert_false(snapshot_append(writer, chunk, 2, error, sizeof error));
	snapshot_abandon(writer);
	assert_int_equal(empty_directory(directory), 0);
	assert_null(snapshot_begin("/nowhere/at-all", SNAPSHOT_INCOMING, 0, error, sizeof error));
	assert_string_equal(error, "cannot write the snapshot /nowhere/at-all/incoming.tmp: No such file or directory");
	machine_free(machine);
}

/* --- a full disk -------------------------------------------------------------------------------------------------- */

/* On a file system of 1 MiB in a mount namespace of this process: lack of space is reported at the start when the size
 * is known, and at any later write when not; both with one line and without leaving a file; a smaller state then still
 * fits. */
static void full_disk_is_reported(void **state)
{
	char small[256];

	(void)state;
	snprintf(small, sizeof small, "%s/small", directory);
	assert_int_equal(mkdir(small, 0700), 0);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", small, "tmpfs", 0, "size=1m") != 0) {
		rmdir(small);
		skip(); /* needs root */
	}
	struct machine *machine = make_orders(4, 20000);
	struct snapshot_summary summary = summary_of(machine);

	assert_int_equal(snapshot_write(small, machine_history(machine), &summary, &at_once, error, sizeof error), SNAPSHOT_FAILED);
	assert_non_null(strstr(error, "No space left on device"));
	assert_int_equal(empty_directory(small), 0);

	struct snapshot_writer *writer = snapshot_begin(small, SNAPSHOT_INCOMING, 0, error, sizeof error);
	static uint8_t chunk[LIMIT_STATE_CHUNK_BYTES];
	bool good = true;

	assert_non_null(writer);
	for (uint64_t next = 0; next < 20004 && good;) {
		size_t size = history_encode(machine_history(machine), next, 20000, &next, chunk, sizeof chunk);

		good = snapshot_append(writer, chunk, size, error, sizeof error);
	}
	assert_false(good);
	assert_non_null(strstr(error, "No space left on device"));
	snapshot_abandon(writer);
	assert_int_equal(empty_directory(small), 0);
	machine_free(machine);

	machine = make_orders(4, 100);
	summary = summary_of(machine);
	assert_int_equal(snapshot_write(small, machine_history(machine), &summary, &at_once, error, sizeof error), SNAPSHOT_WRITTEN);
	assert_int_equal(empty_directory(small), 1);
	machine_free(machine);
	assert_int_equal(umount(small), 0);
	assert_int_equal(rmdir(small), 0);
}

/* --- beside the loop ---------------------------------------------------------------------------------------------- */

struct work {
	const struct machine *machine;
	struct snapshot_summary summary;
	struct snapshot_pace pace;
	_Atomic bool stop, done;
	_Atomic pid_t thread;
	enum snapshot_written result;
	char error[SNAPSHOT_ERROR_SIZE];
};

static void *write_on_thread(void *context)
{
	struct work *work = context;

	atomic_store(&work->thread, gettid());
	work->result =
		snapshot_write(directory, machine_history(work->machine), &work->summary, &work->pace, work->error, sizeof work->error);
	atomic_store(&work->done, true);
	return NULL;
}

/* While a thread writes the state as of op 20,000 the loop continues to apply: the file is the state as of op
 * 20,000. */
static void states_are_written_while_orders_arrive(void **state)
{
	struct machine *machine = make_orders(4, 20000), *same = make_orders(4, 20000);
	struct work work = {.machine = machine, .summary = summary_of(machine)};
	uint8_t body[LIMIT_BODY_BYTES];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_on_thread, &work), 0);
	for (uint32_t i = 20001; i < ORDERS_MAX - 4 && !atomic_load(&work.done); i++) {
		size_t size = make_usual_body(body, client_number(i), i, i % 1000);

		assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
	}
	pthread_join(thread, NULL);
	assert_int_equal(work.result, SNAPSHOT_WRITTEN);
	assert_loads(path_of(20000), same);
	machine_free(machine);
	machine_free(same);
}

static bool sleeps(pid_t thread)
{
	char path[64], is = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
	FILE *file = fopen(path, "r");

	must(file != NULL && fscanf(file, "%*d (%*[^)]) %c", &is) == 1);
	fclose(file);
	return is == 'S';
}

/* A throttled thread that would sleep for hours gives up when told, and leaves nothing. */
static void writing_is_stopped(void **state)
{
	struct machine *machine = make_orders(4, 20000);
	struct work work = {.machine = machine, .summary = summary_of(machine), .pace = {.bytes_per_second = 10}};
	char temporary[256];
	struct stat status;
	pthread_t thread;

	(void)state;
	work.pace.stop = &work.stop;
	snprintf(temporary, sizeof temporary, "%s/%s", directory, SNAPSHOT_TEMPORARY);
	assert_int_equal(pthread_create(&thread, NULL, write_on_thread, &work), 0);
	while (stat(temporary, &status) != 0 || status.st_size < 250000 || !sleeps(work.thread))
		sched_yield();
	atomic_store(&work.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(work.result, SNAPSHOT_STOPPED);
	assert_int_equal(empty_directory(directory), 0);
	machine_free(machine);
}

/* --- the files of a directory ------------------------------------------------------------------------------------- */

static void touch(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	int file = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(file >= 0);
	close(file);
}

/* The newest is found, then the next older; other names are not snapshots; old and unfinished ones are removed,
 * nothing else. */
static void files_are_found_and_removed(void **state)
{
	uint64_t op;

	(void)state;
	assert_false(snapshot_newest(directory, UINT64_MAX, &op));
	assert_false(snapshot_newest("/nowhere/at-all", UINT64_MAX, &op));
	touch("snapshot-00000000000000000007");
	touch("snapshot-00000000000000000300");
	touch("snapshot-00000000000000000021");
	touch("snapshot-000000000000000009999");
	touch("snapshot-0000000000000000999x");
	touch("snapshot-99999999999999999999");
	touch("snapshot.tmp");
	touch("incoming.tmp");
	touch("journal-00000000000000000001");
	assert_true(snapshot_newest(directory, UINT64_MAX, &op));
	assert_int_equal(op, 300);
	assert_true(snapshot_newest(directory, 300, &op));
	assert_int_equal(op, 21);
	assert_true(snapshot_newest(directory, 21, &op));
	assert_int_equal(op, 7);
	assert_false(snapshot_newest(directory, 7, &op));
	snapshot_remove_temporary(directory);
	snapshot_remove_below(directory, 300);
	assert_true(snapshot_newest(directory, UINT64_MAX, &op));
	assert_int_equal(op, 300);
	assert_false(snapshot_newest(directory, 300, &op));
	assert_int_equal(empty_directory(directory), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(states_are_read_back),
		IN_DIRECTORY(earlier_states_are_written),
		IN_DIRECTORY(received_states_are_read_back),
		IN_DIRECTORY(wrong_states_are_not_finished),
		IN_DIRECTORY(states_are_written_while_orders_arrive),
		IN_DIRECTORY(writing_is_stopped),
		IN_DIRECTORY(files_are_found_and_removed),
		IN_DIRECTORY(full_disk_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
