/* Purpose: a signal at the shell's prompt leaves the terminal as it was found, also when it arrives while the modes
 * are being set; a terminal that belongs to another program, with the shell in the background, is not changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "client/charset.h"
#include "client/command.h"
#include "client/interrupt.h"

static bool raises; /* a signal as soon as line editing has started */

/* libedit's, too. */
int tcsetattr(int fd, int when, const struct termios *modes)
{
	static int (*real)(int, int, const struct termios *);
	int result;

	if (real == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "tcsetattr");

		memcpy(&real, &symbol, sizeof real);
	}
	result = real(fd, when, modes);
	if (raises && !(modes->c_lflag & ICANON)) {
		raises = false;
		raise(SIGTERM);
	}
	return result;
}

/* Runs it on a terminal of its own. Returns its exit status, and the terminal's modes before and after it. */
static int run_on_terminal(void (*run)(void), struct termios *before, struct termios *after)
{
	int terminal, side, status;
	pid_t child;

	assert_int_equal(openpty(&terminal, &side, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(side, before), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(terminal);
		setsid();
		ioctl(side, TIOCSCTTY, 0);
		for (int fd = 0; fd <= 2; fd++)
			dup2(side, fd);
		run();
		_exit(EXIT_DONE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(tcgetattr(side, after), 0);
	close(side);
	close(terminal);
	return status;
}

static void run_shell(void)
{
	char name[] = "shell", *argv[] = {name, NULL};

	unsetenv("HOME"); /* no history */
	unsetenv("XDG_STATE_HOME");
	setenv("TERM", "xterm", 1);
	charset_begin();
	interrupt_catch();
	raises = true;
	command_shell(client_options_default(), 1, argv);
}

static void test_a_signal_while_modes_are_set(void **state)
{
	struct termios before, after;
	int status = run_on_terminal(run_shell, &before, &after);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
}

/* The program that has the terminal meanwhile has set modes of its own. */
static void run_in_background(void)
{
	struct termios modes;
	int status;
	pid_t child;

	interrupt_catch();
	interrupt_rest();
	tcgetattr(STDIN_FILENO, &modes);
	modes.c_lflag &= (tcflag_t)~ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		raise(SIGTERM);
	}
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
		_exit(EXIT_USAGE);
}

static void test_a_signal_in_the_background(void **state)
{
	struct termios before, after;
	int status = run_on_terminal(run_in_background, &before, &after);

	(void)state;
	assert_int_equal(status, 0);
	assert_true(before.c_lflag & ECHO);
	assert_false(after.c_lflag & ECHO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_signal_while_modes_are_set),
		cmocka_unit_test(test_a_signal_in_the_background),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
