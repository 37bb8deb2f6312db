#include "tests/unit/support_arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 24

void arguments_given(parse_fn parse, const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX + 2] = {(char *)(uintptr_t)"justhungry"};
	int argc = 1;

	for (; arguments[argc - 1] != NULL; argc++) {
		assert_true(argc < ARGUMENTS_MAX);
		argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
	}
	parse(argc, argv);
}

void arguments_refused(parse_fn parse, const char *const *arguments, const char *named)
{
	char said[2048] = "";
	int ends[2], status;
	ssize_t size;

	assert_int_equal(pipe(ends), 0);

	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		arguments_given(parse, arguments);
		_exit(0);
	}
	close(ends[1]);
	size = read(ends[0], said, sizeof said - 1);
	close(ends[0]);
	assert_true(size > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_non_null(strstr(said, named));
}
