/* Purpose: the mode changes only by the moves in the diagram of enum mode; any other ends the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontend/views/mode.h"

/* In a child, because an illegal move ends the process. */
static bool may_become(enum mode from, enum mode to)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		static struct views views;

		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		views.mode = from;
		vm_become(&views, to);
		_exit(views.mode == to ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT : WEXITSTATUS(status) == 0);
	return !WIFSIGNALED(status);
}

/* Rule 20: EXITED is final. Rule 18: FORMING is never entered again after a view. */
static void only_these_moves_are_made(void **state)
{
	static const char *const expected[] = {
		[MODE_IDLE] = "-F-N-", [MODE_FORMING] = "--TNE", [MODE_TAKEOVER] = "---NE",
		[MODE_NORMAL] = "--TNE", [MODE_EXITED] = "-----",
	};
	static const enum mode modes[] = {MODE_IDLE, MODE_FORMING, MODE_TAKEOVER, MODE_NORMAL, MODE_EXITED};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(may_become(modes[i], modes[j]), expected[modes[i]][j] != '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_these_moves_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
