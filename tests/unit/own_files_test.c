/* Purpose: a mistyped --data-dir does no harm: a directory that holds foreign files and none of ours is refused and
 * named; what may be in a new one, or beside our own files, is no reason to refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/program/own_files.h"
#include "tests/unit/support_scratch.h"

static char path[SCRATCH_PATH_SIZE];
static char error[512];
static int directory;

static void begin(void)
{
	scratch_new(path);
	directory = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(directory >= 0);
}

static void end(void)
{
	close(directory);
	scratch_remove(path);
}

static void put(const char *name)
{
	int file = openat(directory, name, O_WRONLY | O_CREAT, 0600);

	assert_true(file >= 0);
	close(file);
}

static bool is_ours(void)
{
	static const char *const ours[] = {"snapshot", "journal-", NULL};

	error[0] = '\0';
	return own_files_only(directory, path, ours, error, sizeof error);
}

static void a_new_directory_is_fine(void **state)
{
	(void)state;
	begin();
	assert_true(is_ours());
	put("lock");
	assert_int_equal(mkdirat(directory, "lost+found", 0700), 0);
	assert_true(is_ours());
	end();
}

static void foreign_files_are_refused(void **state)
{
	char line[2 * SCRATCH_PATH_SIZE];

	(void)state;
	begin();
	put("lock"); /* proves nothing */
	put("passwd");
	put(".profile");
	put("my-journal-1");
	assert_false(is_ours());
	snprintf(line, sizeof line, "the data directory %s holds other files (.profile) and none of ours: nothing there was "
		 "changed; choose an empty or a new one with --data-dir", path);
	assert_string_equal(error, line);
	end();
}

static void what_lies_beside_our_own_is_left_alone(void **state)
{
	static const char *const proofs[] = {"journal-next", "snapshot-00000000000000000000", "set-aside"};

	(void)state;
	for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++) {
		begin();
		put("a-note");
		put("z-note");
		assert_false(is_ours());
		put(proofs[i]);
		assert_true(is_ours());
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_directory_is_fine),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(what_lies_beside_our_own_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
