/* The data directory: created, owned by one process; files that are set aside are moved, whole and in a safe order,
 * never lost. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/disk/directory.h"
#include "tests/unit/support_scratch.h"

struct place {
	char root[SCRATCH_PATH_SIZE];
	char path[SCRATCH_PATH_SIZE + 16]; /* of the data directory, not yet existing */
	char error[DIRECTORY_ERROR_SIZE];
};

static void place_new(struct place *place)
{
	memset(place, 0, sizeof *place);
	scratch_new(place->root);
	snprintf(place->path, sizeof place->path, "%s/data", place->root);
}

static struct directory *open_own(struct place *place)
{
	return directory_open(place->path, DIRECTORY_OWN, place->error, sizeof place->error);
}

static bool begun(struct directory *directory)
{
	char error[DIRECTORY_ERROR_SIZE];

	return directory != NULL && directory_begin(directory, error, sizeof error);
}

static void make_file(const struct directory *directory, const char *name)
{
	int fd = openat(directory_fd(directory), name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, name, strlen(name)), (ssize_t)strlen(name));
	close(fd);
}

static bool has_file(const struct directory *directory, const char *name)
{
	return faccessat(directory_fd(directory), name, F_OK, 0) == 0;
}

/* Created when missing, private, and found again. */
static void test_made(void **state)
{
	struct place place;
	struct stat info;

	(void)state;
	place_new(&place);
	for (int i = 0; i < 2; i++) {
		struct directory *directory = open_own(&place);

		assert_non_null(directory);
		assert_string_equal(directory_path(directory), place.path);
		assert_int_equal(stat(place.path, &info), 0);
		assert_int_equal(info.st_mode & 07777, 0700);
		assert_int_equal(directory_set_aside_count(directory), 0);
		directory_close(directory);
	}
	scratch_remove(place.root);
}

/* One process at a time: the second is told which has it, a check only notes it, and the lock ends with its owner's
 * death. */
static void test_locked(void **state)
{
	struct place place;
	int ready[2];
	char byte, pid[32];

	(void)state;
	place_new(&place);
	assert_int_equal(pipe(ready), 0);
	pid_t owner = fork();

	if (owner == 0) {
		if (!begun(open_own(&place)) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_null(open_own(&place));
	snprintf(pid, sizeof pid, "process %ld", (long)owner);
	assert_non_null(strstr(place.error, pid));
	assert_non_null(strstr(place.error, place.path));

	struct directory *checked = directory_open(place.path, DIRECTORY_CHECK, place.error, sizeof place.error);

	assert_non_null(checked);
	assert_int_equal(directory_in_use(checked), owner);
	directory_close(checked);
	assert_int_equal(kill(owner, SIGKILL), 0);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	checked = directory_open(place.path, DIRECTORY_CHECK, place.error, sizeof place.error);
	assert_int_equal(directory_in_use(checked), 0);

	struct directory *directory = open_own(&place); /* while a check reads it */

	assert_non_null(directory);
	directory_close(directory);
	directory_close(checked);
	close(ready[0]);
	close(ready[1]);
	scratch_remove(place.root);
}

/* Rule 20. Another host that has the same directory does not see our lock on it, only the one on the file, and we see
 * its. */
static void test_locked_elsewhere(void **state)
{
	struct place place;
	char error[DIRECTORY_ERROR_SIZE], path[sizeof place.path + 8];

	(void)state;
	place_new(&place);
	snprintf(path, sizeof path, "%s/lock", place.path);
	assert_int_equal(mkdir(place.path, 0700), 0);

	int elsewhere = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(elsewhere, "4711\n", 5), 5);
	assert_int_equal(flock(elsewhere, LOCK_EX | LOCK_NB), 0);

	assert_null(open_own(&place));
	assert_non_null(strstr(place.error, "in use by process 4711"));

	/* It comes between our check and our start. */
	assert_int_equal(unlink(path), 0);

	struct directory *directory = open_own(&place);

	assert_non_null(directory);
	close(elsewhere);
	elsewhere = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(elsewhere, "4711\n", 5), 5);
	assert_int_equal(flock(elsewhere, LOCK_EX | LOCK_NB), 0);
	assert_false(directory_begin(directory, error, sizeof error));
	assert_non_null(strstr(error, "in use by process 4711"));
	directory_close(directory);
	assert_int_equal(flock(elsewhere, LOCK_UN), 0);
	directory = open_own(&place);
	assert_true(begun(directory));
	assert_int_not_equal(flock(elsewhere, LOCK_EX | LOCK_NB), 0);
	directory_close(directory);
	assert_int_equal(flock(elsewhere, LOCK_EX | LOCK_NB), 0);
	close(elsewhere);
	scratch_remove(place.root);
}

/* A fault of the path is reported in one line that names it; a check creates nothing. */
static void test_bad_paths(void **state)
{
	struct place place;

	(void)state;
	place_new(&place);
	assert_null(directory_open(place.path, DIRECTORY_CHECK, place.error, sizeof place.error));
	assert_non_null(strstr(place.error, place.path));
	assert_int_not_equal(access(place.path, F_OK), 0);

	int fd = open(place.path, O_WRONLY | O_CREAT, 0600); /* a file in its place */

	close(fd);
	assert_null(open_own(&place));
	assert_non_null(strstr(place.error, strerror(ENOTDIR)));
	assert_int_equal(unlink(place.path), 0);
	snprintf(place.path, sizeof place.path, "/proc/no/data"); /* missing parents are created, where possible */
	assert_null(open_own(&place));
	assert_non_null(strstr(place.error, strerror(ENOENT)));
	assert_non_null(strstr(place.error, "/proc/no,"));
	assert_non_null(strstr(place.error, "--data-dir"));
	assert_null(strchr(place.error, '\n'));
	scratch_remove(place.root);
}

/* A directory with foreign files: refused before anything is written. */
static void test_not_writable(void **state)
{
	struct place place;

	(void)state;
	place_new(&place);
	assert_int_equal(mkdir(place.path, 0555), 0);
	assert_int_equal(chmod(place.path, 0555), 0);
	assert_int_equal(chmod(place.root, 0755), 0);
	pid_t child = fork();

	if (child == 0) {
		if (geteuid() == 0 && seteuid(65534) != 0)
			_exit(77);
		_exit(open_own(&place) == NULL && strstr(place.error, "cannot write in") != NULL ? 0 : 1);
	}
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	scratch_remove(place.root);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* Setting aside moves what it should and nothing else, and twice in the same second makes two places. */
static void test_set_aside(void **state)
{
	static const char *const prefixes[] = {"snapshot", "journal-"};
	struct place place;
	uint32_t moved = 99;

	(void)state;
	place_new(&place);
	struct directory *directory = open_own(&place);

	assert_true(begun(directory));
	assert_true(directory_set_aside(directory, prefixes, 2, "damaged", &moved, place.error, sizeof place.error));
	assert_int_equal(moved, 0);
	assert_int_equal(directory_set_aside_count(directory), 0);
	for (uint32_t round = 1; round <= 3; round++) {
		make_file(directory, "journal-00000000000000000001");
		make_file(directory, "journal-00000000000000000002");
		make_file(directory, "snapshot-7");
		if (round == 1) {
			make_file(directory, "other");
			assert_int_equal(mkdirat(directory_fd(directory), "journal-directory", 0700), 0);
		}
		assert_true(directory_set_aside(directory, prefixes, 2, "damaged", &moved, place.error,
						sizeof place.error));
		assert_int_equal(moved, 3);
		assert_false(has_file(directory, "journal-00000000000000000001"));
		assert_false(has_file(directory, "journal-00000000000000000002"));
		assert_false(has_file(directory, "snapshot-7"));
		assert_true(has_file(directory, "other"));
		assert_true(has_file(directory, "lock"));
		assert_true(has_file(directory, "journal-directory"));
		assert_int_equal(directory_set_aside_count(directory), round);
	}
	directory_close(directory);

	char command[SCRATCH_PATH_SIZE + 128];

	snprintf(command, sizeof command,
		 "test $(cat '%s'/data/set-aside/*-damaged*/journal-00000000000000000002 | wc -c) = 84", place.root);
	assert_int_equal(system(command), 0);
	scratch_remove(place.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_locked_elsewhere),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_not_writable),
		cmocka_unit_test(test_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
