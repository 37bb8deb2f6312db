/* Snapshots: what was written is read back as the same state; whatever is damaged, cut, missing or newer is told
 * apart and never loaded; what fails leaves nothing behind; and writing goes on beside applying (run under TSan).
 * SNAPSHOT_TEST_MEASURE=1 prints what a million orders cost instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "server/snapshot_format.h"
#include "support_orders.h"

#define ORDERS_MAX 2000000

static char error[SNAPSHOT_ERROR_SIZE];
static char directory[] = "/tmp/snapshot-test-XXXXXX";
static const struct snapshot_pace at_once = {0};

static int make_directory(void **state)
{
	(void)state;
	memcpy(directory + sizeof directory - 7, "XXXXXX", 7);
	return mkdtemp(directory) == NULL;
}

/* Removes the directory and all that is in it; returns how many files there were. */
static int empty_directory(const char *path)
{
	DIR *files = opendir(path);
	struct dirent *file;
	int count = 0;

	must(files != NULL);
	while ((file = readdir(files)) != NULL)
		if (file->d_name[0] != '.') {
			must(unlinkat(dirfd(files), file->d_name, 0) == 0);
			count++;
		}
	closedir(files);
	return count;
}

static int remove_directory(void **state)
{
	(void)state;
	empty_directory(directory);
	return rmdir(directory);
}

/* initial loaded orders, then ops 1 .. ops. */
static struct orders *make_orders(uint32_t initial, uint32_t ops)
{
	struct orders *orders = orders_new(ORDERS_MAX);
	uint8_t body[LIMIT_BODY_BYTES];

	for (uint32_t i = 0; i < initial; i++) {
		size_t size = make_usual_body(body, client_number(0), 0, i);

		assert_true(orders_load_initial(orders, body, size, error, sizeof error));
	}
	for (uint32_t i = 1; i <= ops; i++) {
		size_t size = make_usual_body(body, client_number(i), i, i * 7919u % 1000);

		assert_int_equal(orders_apply(orders, body, size), ORDERS_APPLIED);
	}
	return orders;
}

static struct snapshot_summary summary_of(const struct orders *orders)
{
	return (struct snapshot_summary){orders_op(orders), orders_initial_count(orders), orders_digest(orders)};
}

static const char *path_of(uint64_t op)
{
	static char path[256];

	assert_true(snapshot_path(directory, op, path, sizeof path));
	return path;
}

static void write_now(const struct orders *orders)
{
	struct snapshot_summary summary = summary_of(orders);

	assert_int_equal(snapshot_write(directory, orders, &summary, &at_once, error, sizeof error), SNAPSHOT_WRITTEN);
}

/* Loads and compares with the state that was written. */
static void assert_loads(const char *path, const struct orders *orders)
{
	struct orders *loaded;
	struct snapshot_summary summary;

	assert_int_equal(snapshot_load(path, ORDERS_MAX, &loaded, &summary, error, sizeof error), SNAPSHOT_LOADED);
	assert_int_equal(summary.op, orders_op(orders));
	assert_int_equal(summary.initial_count, orders_initial_count(orders));
	assert_true(digest_equal(summary.digest, orders_digest(orders)));
	assert_int_equal(orders_op(loaded), orders_op(orders));
	assert_int_equal(orders_initial_count(loaded), orders_initial_count(orders));
	assert_true(digest_equal(orders_digest(loaded), orders_digest(orders)));
	assert_int_equal(orders_last_time_us(loaded), orders_last_time_us(orders));
	orders_free(loaded);
}

static enum snapshot_outcome outcome_of(const char *path, uint64_t orders_max)
{
	struct orders *loaded;
	struct snapshot_summary summary;
	enum snapshot_outcome outcome = snapshot_load(path, orders_max, &loaded, &summary, error, sizeof error);

	assert_true((outcome == SNAPSHOT_LOADED) == (loaded != NULL));
	orders_free(loaded);
	return outcome;
}

/* States of no, few and many orders (several chunks) are read back; only the snapshot itself stays in the directory. */
static void states_are_read_back(void **state)
{
	static const uint32_t sizes[][2] = {{0, 0}, {4, 0}, {0, 1}, {4, 3}, {4, 20000}};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct orders *orders = make_orders(sizes[i][0], sizes[i][1]);

		write_now(orders);
		assert_loads(path_of(sizes[i][1]), orders);
		assert_int_equal(empty_directory(directory), 1);
		orders_free(orders);
	}
}

/* The state as of an earlier op, smaller than the room that was reserved: equal to what it was, and no room is kept. */
static void earlier_states_are_written(void **state)
{
	struct orders *orders = make_orders(4, 20000), *earlier = make_orders(4, 10);
	struct snapshot_summary summary = summary_of(earlier);
	struct stat status;

	(void)state;
	assert_int_equal(snapshot_write(directory, orders, &summary, &at_once, error, sizeof error), SNAPSHOT_WRITTEN);
	assert_loads(path_of(10), earlier);
	assert_int_equal(stat(path_of(10), &status), 0);
	assert_in_range(status.st_blocks * 512, 0, 65536);
	orders_free(orders);
	orders_free(earlier);
}

/* A state received in chunks of any kind makes the same file, under its temporary name until it is published. */
static void received_states_are_read_back(void **state)
{
	struct orders *orders = make_orders(4, 50);
	struct snapshot_summary summary = summary_of(orders);
	struct snapshot_writer *writer =
		snapshot_begin(directory, SNAPSHOT_INCOMING, orders_bytes(orders), error, sizeof error);
	uint8_t chunk[500];
	char temporary[256];
	uint64_t op;

	(void)state;
	assert_non_null(writer);
	for (uint64_t next = 0; next < 54;) {
		size_t size = orders_encode(orders, next, 50, &next, chunk, sizeof chunk);

		assert_true(snapshot_append(writer, chunk, size, error, sizeof error));
	}
	snprintf(temporary, sizeof temporary, "%s/%s", directory, SNAPSHOT_INCOMING);
	assert_int_equal(outcome_of(temporary, ORDERS_MAX), SNAPSHOT_DAMAGED); /* not finished: no header */
	assert_true(snapshot_finish(writer, &summary, error, sizeof error));
	assert_false(snapshot_newest(directory, UINT64_MAX, &op));
	assert_loads(temporary, orders);
	assert_true(snapshot_publish(directory, SNAPSHOT_INCOMING, 50, error, sizeof error));
	assert_true(snapshot_newest(directory, UINT64_MAX, &op));
	assert_int_equal(op, 50);
	assert_loads(path_of(50), orders);
	orders_free(orders);
}

/* What was received and is not what was announced is refused and removed: another digest, another op, a chunk that
 * is none. */
static void wrong_states_are_not_finished(void **state)
{
	struct orders *orders = make_orders(4, 50);
	uint8_t chunk[20000];
	uint64_t next;
	size_t size = orders_encode(orders, 0, 50, &next, chunk, sizeof chunk);

	(void)state;
	assert_int_equal(next, 54);
	for (int wrong = 0; wrong < 3; wrong++) {
		struct snapshot_summary summary = summary_of(orders);
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
	orders_free(orders);
}

/* --- damage ------------------------------------------------------------------------------------------------------- */

struct file {
	uint8_t bytes[8192];
	size_t size;
};

static void read_file(const char *path, struct file *file)
{
	int from = open(path, O_RDONLY);
	ssize_t size = read(from, file->bytes, sizeof file->bytes);

	assert_in_range(size, 1, sizeof file->bytes - 1);
	file->size = (size_t)size;
	close(from);
}

static enum snapshot_outcome outcome_of_bytes(const struct file *file, size_t size)
{
	char path[256];

	snprintf(path, sizeof path, "%s/copy", directory);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(to, file->bytes, size), size);
	close(to);
	return outcome_of(path, 1000);
}

/* A small snapshot of several chunks. */
static void make_file(struct file *file)
{
	struct orders *orders = make_orders(4, 20);
	struct snapshot_summary summary = summary_of(orders);
	struct snapshot_writer *writer = snapshot_begin(directory, SNAPSHOT_INCOMING, 0, error, sizeof error);
	uint8_t chunk[700];

	for (uint64_t next = 0; next < 24;) {
		size_t size = orders_encode(orders, next, 20, &next, chunk, sizeof chunk);

		assert_true(snapshot_append(writer, chunk, size, error, sizeof error));
	}
	assert_true(snapshot_finish(writer, &summary, error, sizeof error));
	assert_true(snapshot_publish(directory, SNAPSHOT_INCOMING, 20, error, sizeof error));
	read_file(path_of(20), file);
	orders_free(orders);
}

/* Every byte changed, every length cut, something added, chunks exchanged: damaged, with one line that names the
 * file. */
static void damage_is_noticed(void **state)
{
	const size_t chunk = HEADER_BYTES + FRAME_BYTES;
	struct file file, bad;

	(void)state;
	make_file(&file);
	assert_int_equal(outcome_of_bytes(&file, file.size), SNAPSHOT_LOADED);
	for (size_t at = 0; at < file.size; at++)
		for (int bit = 0; bit < 8; bit += 7) {
			bad = file;
			bad.bytes[at] ^= (uint8_t)(1 << bit);
			assert_int_equal(outcome_of_bytes(&bad, file.size), SNAPSHOT_DAMAGED);
			assert_non_null(strstr(error, directory));
			assert_null(strchr(error, '\n'));
			if (at >= chunk && at < chunk + get_32(file.bytes + HEADER_BYTES))
				assert_non_null(strstr(error, "the checksum of chunk 1 of 4"));
		}
	for (size_t size = 0; size < file.size; size++)
		assert_int_equal(outcome_of_bytes(&file, size), SNAPSHOT_DAMAGED);
	bad = file;
	bad.bytes[file.size] = 0;
	assert_int_equal(outcome_of_bytes(&bad, file.size + 1), SNAPSHOT_DAMAGED);

	/* The first two chunks exchanged, their numbers made right: whole chunks, but another history. */
	uint8_t *first = bad.bytes + HEADER_BYTES;
	size_t size = FRAME_BYTES + get_32(first);

	bad = file;
	assert_int_equal(get_32(first + size), get_32(first));
	memcpy(first, file.bytes + HEADER_BYTES + size, size);
	memcpy(first + size, file.bytes + HEADER_BYTES, size);
	put_32(first + 4, 1);
	put_32(first + size + 4, 2);
	assert_int_equal(outcome_of_bytes(&bad, file.size), SNAPSHOT_DAMAGED);
}

/* A header that its checksum covers but that does not describe what follows is damage too. */
static void wrong_announcements_are_noticed(void **state)
{
	struct file file, bad;

	(void)state;
	make_file(&file);
	for (size_t at = 16; at < 72; at += 8) {
		bad = file;
		put_64(bad.bytes + at, get_64(bad.bytes + at) + 1);
		put_64(bad.bytes + HEADER_BYTES - 8, XXH3_64bits(bad.bytes, HEADER_BYTES - 8));
		assert_int_equal(outcome_of_bytes(&bad, file.size), SNAPSHOT_DAMAGED);
	}
}

/* Newer is not damaged: the checksum holds, the version is higher, whatever the header's size. Nor are these:
 * missing, more orders than allowed, and what cannot be read. */
static void other_troubles_are_told_apart(void **state)
{
	struct file file, newer = {.size = 300};

	(void)state;
	make_file(&file);
	memcpy(newer.bytes, file.bytes, 16);
	put_32(newer.bytes + 8, SNAPSHOT_FORMAT + 1);
	put_32(newer.bytes + 12, 256);
	put_64(newer.bytes + 248, XXH3_64bits(newer.bytes, 248));
	assert_int_equal(outcome_of_bytes(&newer, newer.size), SNAPSHOT_NEWER_FORMAT);
	assert_non_null(strstr(error, "upgrade"));
	newer.bytes[100] ^= 1;
	assert_int_equal(outcome_of_bytes(&newer, newer.size), SNAPSHOT_DAMAGED);

	assert_int_equal(outcome_of(path_of(20), 24), SNAPSHOT_LOADED);
	assert_int_equal(outcome_of(path_of(20), 23), SNAPSHOT_TOO_LARGE);
	assert_non_null(strstr(error, "--max-orders"));
	assert_int_equal(outcome_of(path_of(21), 24), SNAPSHOT_MISSING);
	assert_int_equal(outcome_of(directory, 24), SNAPSHOT_IO_ERROR);
}

/* --- a full disk -------------------------------------------------------------------------------------------------- */

/* On a file system of 1 MiB in a mount namespace of this process: room is refused at the start when the size is
 * known, and at any later write when not; both are reported with one line and leave nothing behind; a smaller state
 * then still fits. */
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
	struct orders *orders = make_orders(4, 20000);
	struct snapshot_summary summary = summary_of(orders);

	assert_int_equal(snapshot_write(small, orders, &summary, &at_once, error, sizeof error), SNAPSHOT_FAILED);
	assert_non_null(strstr(error, "No space left on device"));
	assert_int_equal(empty_directory(small), 0);

	struct snapshot_writer *writer = snapshot_begin(small, SNAPSHOT_INCOMING, 0, error, sizeof error);
	static uint8_t chunk[LIMIT_STATE_CHUNK_BYTES];
	bool good = true;

	assert_non_null(writer);
	for (uint64_t next = 0; next < 20004 && good;) {
		size_t size = orders_encode(orders, next, 20000, &next, chunk, sizeof chunk);

		good = snapshot_append(writer, chunk, size, error, sizeof error);
	}
	assert_false(good);
	assert_non_null(strstr(error, "No space left on device"));
	snapshot_abandon(writer);
	assert_int_equal(empty_directory(small), 0);
	orders_free(orders);

	orders = make_orders(4, 100);
	summary = summary_of(orders);
	assert_int_equal(snapshot_write(small, orders, &summary, &at_once, error, sizeof error), SNAPSHOT_WRITTEN);
	assert_int_equal(empty_directory(small), 1);
	orders_free(orders);
	assert_int_equal(umount(small), 0);
	assert_int_equal(rmdir(small), 0);
}

/* --- beside the loop ---------------------------------------------------------------------------------------------- */

struct work {
	const struct orders *orders;
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
		snapshot_write(directory, work->orders, &work->summary, &work->pace, work->error, sizeof work->error);
	atomic_store(&work->done, true);
	return NULL;
}

/* While a thread writes the state as of op 20,000 the loop applies on: the file is the state as of op 20,000. */
static void states_are_written_while_orders_arrive(void **state)
{
	struct orders *orders = make_orders(4, 20000), *same = make_orders(4, 20000);
	struct work work = {.orders = orders, .summary = summary_of(orders)};
	uint8_t body[LIMIT_BODY_BYTES];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_on_thread, &work), 0);
	for (uint32_t i = 20001; i < ORDERS_MAX - 4 && !atomic_load(&work.done); i++) {
		size_t size = make_usual_body(body, client_number(i), i, i % 1000);

		assert_int_equal(orders_apply(orders, body, size), ORDERS_APPLIED);
	}
	pthread_join(thread, NULL);
	assert_int_equal(work.result, SNAPSHOT_WRITTEN);
	assert_loads(path_of(20000), same);
	orders_free(orders);
	orders_free(same);
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

/* A throttled thread that would sleep for hours gives up when told, and leaves nothing behind. */
static void writing_is_stopped(void **state)
{
	struct orders *orders = make_orders(4, 20000);
	struct work work = {.orders = orders, .summary = summary_of(orders), .pace = {.bytes_per_second = 10}};
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
	orders_free(orders);
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

/* The newest is found, then the next older; other names are not snapshots; what is old or unfinished is removed, no
 * more. */
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

/* --- costs -------------------------------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(void)
{
	struct orders *orders = make_orders(4, 1000000), *loaded;
	struct snapshot_summary summary = summary_of(orders);
	double start = now_s();

	must(snapshot_write(directory, orders, &summary, &at_once, error, sizeof error) == SNAPSHOT_WRITTEN);
	printf("write: %.0f ms for %.1f MB\n", (now_s() - start) * 1e3, (double)orders_bytes(orders) / 1e6);
	orders_free(orders);
	start = now_s();
	must(snapshot_load(path_of(1000000), ORDERS_MAX, &loaded, &summary, error, sizeof error) == SNAPSHOT_LOADED);
	printf("load: %.0f ms\n", (now_s() - start) * 1e3);
	orders_free(loaded);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(states_are_read_back),
		IN_DIRECTORY(earlier_states_are_written),
		IN_DIRECTORY(received_states_are_read_back),
		IN_DIRECTORY(wrong_states_are_not_finished),
		IN_DIRECTORY(damage_is_noticed),
		IN_DIRECTORY(wrong_announcements_are_noticed),
		IN_DIRECTORY(other_troubles_are_told_apart),
		IN_DIRECTORY(states_are_written_while_orders_arrive),
		IN_DIRECTORY(writing_is_stopped),
		IN_DIRECTORY(files_are_found_and_removed),
		IN_DIRECTORY(full_disk_is_reported),
	};

	if (getenv("SNAPSHOT_TEST_MEASURE") != NULL) {
		make_directory(NULL);
		measure();
		return remove_directory(NULL);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
