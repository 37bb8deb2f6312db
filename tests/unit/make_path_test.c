/* Purpose: a data directory is created with all missing parents, for its owner alone, each on disk before anything is
 * made in it; and a failure names the part that failed. This program watches its own mkdir and fsync. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rpc/program/make_path.h"
#include "tests/unit/support_scratch.h"

#define ERROR_SIZE 512

static char root[SCRATCH_PATH_SIZE];
static char steps[32]; /* m: a directory made; s: one synced */
static ino_t synced;   /* the last */
static int sync_errno; /* the result of fsync */

static void step(char what)
{
	size_t used = strlen(steps);

	if (used + 1 < sizeof steps)
		steps[used] = what;
}

int mkdir(const char *path, mode_t mode)
{
	int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	if (result == 0)
		step('m');
	return result;
}

int fsync(int fd)
{
	struct stat info;

	step('s');
	if (fstat(fd, &info) == 0)
		synced = info.st_ino;
	errno = sync_errno;
	return sync_errno ? -1 : (int)syscall(SYS_fsync, fd);
}

static ino_t inode_of(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return info.st_ino;
}

static void makes(const char *path, const char *expected_steps, const char *in)
{
	char error[ERROR_SIZE] = "";
	struct stat info;

	memset(steps, 0, sizeof steps);
	if (!make_path(path, error, sizeof error))
		fail_msg("%s", error);
	assert_string_equal(steps, expected_steps);
	assert_int_equal(stat(path, &info), 0);
	assert_true(S_ISDIR(info.st_mode));
	if (!in)
		return;
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(synced, inode_of(in));
}

static void test_all_that_is_missing(void **state)
{
	char path[SCRATCH_PATH_SIZE + 32], in[SCRATCH_PATH_SIZE + 32];

	(void)state;
	snprintf(path, sizeof path, "%s/a/b/c", root);
	snprintf(in, sizeof in, "%s/a/b", root);
	makes(path, "msmsms", in);
	makes(path, "", NULL);
	snprintf(path, sizeof path, "%s//a/./b/../d//", root);
	snprintf(in, sizeof in, "%s/a", root);
	makes(path, "ms", in);
	assert_int_equal(chdir(root), 0);
	makes("e", "ms", ".");
	makes("f/g/", "msms", "f");
	makes("./h", "ms", ".");
	makes(".", "", NULL);
	makes("/", "", NULL);
	assert_int_equal(symlink("f", "link"), 0);
	makes("link/i", "ms", "f");
}

static void refuses(const char *path, const char *part, const char *why)
{
	char error[ERROR_SIZE] = "";

	assert_false(make_path(path, error, sizeof error));
	if (!strstr(error, part) || !strstr(error, why) || !strstr(error, "--data-dir") || strchr(error, '\n'))
		fail_msg("%s: %s", path, error);
}

static void test_the_part_that_failed_is_named(void **state)
{
	char name[NAME_MAX + 64] = "long/";

	(void)state;
	assert_int_equal(chdir(root), 0);
	close(open("file", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	refuses("file/a/b", " file, which the data directory file/a/b ", "Not a directory");
	refuses("file", "the data directory file:", "Not a directory");
	refuses("new/../dangling/b", " new/../dangling, which", "leads nowhere");
	refuses("loop/b", " loop, which", "Too many levels");
	refuses("", "the data directory ", "it has no name");
	refuses("/proc/no/such", " /proc/no, which the data directory /proc/no/such ", "cannot create");
	memset(name + 5, 'x', NAME_MAX + 1);
	refuses(name, "xxx", "File name too long");
	if (geteuid() != 0) {
		assert_int_equal(mkdir("closed", 0500), 0);
		refuses("closed/a/b", " closed/a, which", "Permission denied");
	}
}

static void test_what_may_be_lost_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(chdir(root), 0);
	sync_errno = EIO;
	refuses("unsynced/a", " unsynced, which", "cannot make durable");
	sync_errno = 0;
	assert_int_equal(access("unsynced/a", F_OK), -1);
}

static int set_up(void **state)
{
	(void)state;
	scratch_new(root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(root);
	return chdir("/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_that_is_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_part_that_failed_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_may_be_lost_is_not_used, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
