/* Purpose: lines typed in several shells at once are all kept, readable only by their owner, where the user's
 * environment says; and a file that cannot be kept costs the history, never the shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <editline/readline.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/line_history.h"
#include "support_scratch.h"

#define SHELLS 4
#define LINES 60

static char home[SCRATCH_PATH_SIZE], file[SCRATCH_PATH_SIZE + 64], said[SCRATCH_PATH_SIZE + 64];

static int set_up(void **state)
{
	(void)state;
	scratch_new(home);
	snprintf(file, sizeof file, "%s/.justhungry_history", home);
	snprintf(said, sizeof said, "%s/said", home);
	setenv("HOME", home, 1);
	unsetenv("XDG_STATE_HOME");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(home);
	return 0;
}

/* A shell in a process of its own, because libedit's list is the process's: types `count` lines that begin with
 * `text`, after checking that it has `before` lines. Its exit status is 0 if so. */
static pid_t begin_shell(const char *text, int count, int before)
{
	struct line_history *history;
	char line[256];
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!freopen(said, "a", stderr))
		_exit(2);
	history = line_history_open();
	if (before >= 0 && history_length != before)
		_exit(1);
	for (int i = 0; i < count; i++) {
		snprintf(line, sizeof line, "%s %d", text, i);
		line_history_add(history, line);
	}
	line_history_close(history);
	fflush(stderr);
	_exit(0);
}

static void end_shell(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void shell(const char *text, int count, int before)
{
	end_shell(begin_shell(text, count, before));
}

static void put_file(const char *text, mode_t mode)
{
	FILE *out = fopen(file, "w");

	fputs(text, out);
	fclose(out);
	chmod(file, mode);
}

static char *read_file(const char *name)
{
	static char text[4096];
	FILE *in = fopen(name, "r");
	size_t size = in ? fread(text, 1, sizeof text - 1, in) : 0;

	text[size] = 0;
	if (in)
		fclose(in);
	return text;
}

static void test_shells_at_once_lose_nothing(void **state)
{
	pid_t shells[SHELLS];
	char text[64];
	int found = 0;

	(void)state;
	for (int i = 0; i < SHELLS; i++) {
		snprintf(text, sizeof text, "order \"DH1 3LE\" shell-%d", i);
		shells[i] = begin_shell(text, LINES, -1);
	}
	for (int i = 0; i < SHELLS; i++)
		end_shell(shells[i]);
	assert_string_equal(read_file(said), "");
	assert_int_equal(read_history(file), 0);
	for (int i = 0; i < history_length; i++)
		found += strncmp(history_get(history_base + i)->line, "order \"DH1 3LE\" shell-", 22) == 0;
	assert_int_equal(found, SHELLS * LINES);
	clear_history();
}

static void test_every_byte_comes_back(void **state)
{
	static const char odd[] = "jalape\xc3\xb1o \\040 \\ # \t \xff ~ ^ \xe5\xaf\xbf";

	(void)state;
	shell(odd, 2, 0);
	shell("more", 1, 2);
	assert_int_equal(read_history(file), 0);
	assert_int_equal(history_length, 3);
	assert_memory_equal(history_get(history_base)->line, odd, strlen(odd));
	clear_history();
}

static void test_only_the_owner_reads_it(void **state)
{
	struct stat status;

	(void)state;
	umask(0);
	shell("new", 1, 0);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	put_file("_HiStOrY_V2_\nold\n", 0644);
	shell("new", 1, 1);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	umask(022);
}

static void test_where_it_is(void **state)
{
	char directory[SCRATCH_PATH_SIZE + 64], inside[SCRATCH_PATH_SIZE + 96];

	(void)state;
	snprintf(directory, sizeof directory, "%s/a/state", home);
	snprintf(inside, sizeof inside, "%s/justhungry/history", directory);
	setenv("XDG_STATE_HOME", directory, 1);
	shell("state", 2, 0);
	shell("state", 1, 2);
	assert_int_equal(access(inside, F_OK), 0);
	assert_int_equal(access(file, F_OK), -1);
	/* A user who already had a file keeps it. */
	assert_int_equal(unlink(inside), 0);
	put_file("_HiStOrY_V2_\nold\n", 0600);
	shell("more", 1, 1);
	assert_int_equal(access(inside, F_OK), -1);
	assert_int_equal(unlink(file), 0);
	setenv("XDG_STATE_HOME", "relative", 1);
	shell("home", 1, 0);
	assert_int_equal(access(file, F_OK), 0);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	shell("nowhere", 1, 0);
	assert_string_equal(read_file(said), "");
}

static void says_once(const char *words)
{
	char *text = read_file(said);

	assert_non_null(strstr(text, "justhungry: the lines typed here are not kept: "));
	assert_non_null(strstr(text, words));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	unlink(said);
}

static void test_what_cannot_be_kept(void **state)
{
	(void)state;
	assert_int_equal(mkdir(file, 0700), 0);
	shell("directory", 3, 0);
	says_once("Is a directory");
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	shell("pipe", 3, 0);
	says_once("not a file");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(symlink("/dev/null", file), 0);
	shell("nothing", 3, 0);
	assert_string_equal(read_file(said), "");
	assert_int_equal(unlink(file), 0);
	put_file("a letter to my mother\n", 0600);
	shell("letter", 3, 0);
	says_once("something else");
	assert_string_equal(read_file(file), "a letter to my mother\n");
	setenv("HOME", "/proc/nowhere", 1);
	shell("home", 3, 0);
	says_once("No such file");
}

/* A line that was cut off, by a full disk or a crash, does not spoil the next one. */
static void test_after_a_torn_line(void **state)
{
	(void)state;
	put_file("_HiStOrY_V2_\nwhole\ntor", 0600);
	shell("next", 1, 2);
	assert_string_equal(read_file(file), "_HiStOrY_V2_\nwhole\ntor\nnext\\0400\n");
}

static void test_a_long_file_is_shortened(void **state)
{
	struct stat status;
	FILE *out = fopen(file, "w");

	(void)state;
	fputs("_HiStOrY_V2_\n", out);
	for (int i = 0; i < 60000; i++)
		fprintf(out, "line\\040%d\n", i);
	fclose(out);
	shell("last", 1, 1000);
	assert_int_equal(stat(file, &status), 0);
	assert_in_range(status.st_size, 200 << 10, 300 << 10);
	assert_int_equal(read_history(file), 0);
	assert_string_equal(history_get(history_base + history_length - 2)->line, "line 59999");
	assert_string_equal(history_get(history_base + history_length - 1)->line, "last 0");
	clear_history();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shells_at_once_lose_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_byte_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_the_owner_reads_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_where_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_after_a_torn_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_long_file_is_shortened, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
