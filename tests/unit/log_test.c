/* The log never blocks its caller, whether standard error is not read, closed, or full; dropped lines are counted,
 * repeated ones folded, and the last ones written before the end. Each test is a process of its own, whose standard
 * error is a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"

#define LINES 5000 /* more than pipe and queue hold */
#define TEXT_BYTES ((size_t)4 << 20)

struct speaker {
	pid_t pid;
	int said; /* read end of its standard error */
	int go;   /* for each `wait_to_go` a byte from it, which says that it waits, and one to it */
};

static int go_fd;

static void wait_to_go(void)
{
	char byte = 'w';

	if (write(go_fd, &byte, 1) != 1 || read(go_fd, &byte, 1) != 1)
		_exit(99);
}

static void go(const struct speaker *speaker)
{
	char byte;

	assert_int_equal(read(speaker->go, &byte, 1), 1);
	assert_int_equal(write(speaker->go, "g", 1), 1);
}

static struct speaker speak(void (*say)(void))
{
	int said[2], going[2];
	struct speaker speaker;

	assert_int_equal(pipe(said), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, going), 0);
	speaker.pid = fork();
	assert_true(speaker.pid >= 0);
	if (speaker.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		go_fd = going[0];
		dup2(said[1], STDERR_FILENO);
		close(said[0]);
		close(said[1]);
		close(going[1]);
		log_in_background();
		log_start();
		say();
		exit(7);
	}
	close(said[1]);
	close(going[0]);
	speaker.said = said[0];
	speaker.go = going[1];
	return speaker;
}

static char *hear(const struct speaker *speaker, bool to_the_end)
{
	static char text[TEXT_BYTES];
	size_t size = 0;
	ssize_t got;

	do {
		got = read(speaker->said, text + size, sizeof text - 1 - size);
		assert_true(got >= 0);
		size += (size_t)got;
	} while (got > 0 && (to_the_end || text[size - 1] != '\n'));
	text[size] = '\0';
	return text;
}

static void ends(struct speaker *speaker, int status)
{
	int ended;

	assert_int_equal(waitpid(speaker->pid, &ended, 0), speaker->pid);
	if (status >= 0)
		assert_int_equal(WEXITSTATUS(ended), status);
	else
		assert_int_equal(WTERMSIG(ended), -status);
	close(speaker->said);
	close(speaker->go);
}

static unsigned count(const char *text, const char *what)
{
	unsigned found = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		found++;
	return found;
}

/* --- no reader ---------------------------------------------------------------------------------------------------- */

static void say_much(void)
{
	for (int i = 0; i < LINES; i++)
		log_info("test", "line %d", i);
	wait_to_go();
	log_info("test", "behind");
}

static void unread_lines_are_dropped_and_counted(void **state)
{
	unsigned written, dropped = 0;

	(void)state;
	struct speaker speaker = speak(say_much);

	go(&speaker); /* it waits for that: logging everything did not block */

	const char *text = hear(&speaker, true);

	written = count(text, "Z info test ");
	for (const char *at = text; (at = strstr(at, " lines dropped")) != NULL; at++) {
		const char *digits = at;

		while (digits[-1] >= '0' && digits[-1] <= '9')
			digits--;
		dropped += (unsigned)strtoul(digits, NULL, 10);
	}
	assert_true(dropped > 0);
	assert_int_equal(written + dropped, LINES + 1);
	assert_non_null(strstr(text, "test line 0\n"));
	ends(&speaker, 7);
}

static void say_and_end(void)
{
	for (int i = 0; i < LINES; i++)
		log_info("test", "line %d", i);
}

static void who_ends_does_not_wait_for_a_reader(void **state)
{
	(void)state;
	struct speaker speaker = speak(say_and_end);

	ends(&speaker, 7);
}

static void say_and_break(void)
{
	log_warn("test", "before");
	must_failed("water is dry", "test.c", 1, "test");
}

static void the_last_words_are_written(void **state)
{
	(void)state;
	struct speaker speaker = speak(say_and_break);
	const char *text = hear(&speaker, true);

	assert_non_null(strstr(text, "warn test before\nbroken invariant: water is dry at test.c:1 in test"));
	ends(&speaker, -SIGABRT);
}

static void say_much_and_break(void)
{
	say_and_end();
	must_failed("water is dry", "test.c", 1, "test");
}

static void a_broken_invariant_does_not_wait_for_a_reader(void **state)
{
	(void)state;
	struct speaker speaker = speak(say_much_and_break);

	ends(&speaker, -SIGABRT);
}

/* --- failing writes ----------------------------------------------------------------------------------------------- */

static int real_stderr;

static void say_into(int fd)
{
	real_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	for (int i = 0; i < 3; i++)
		log_info("test", "lost %d", i);
	log_flush();
	dup2(real_stderr, STDERR_FILENO);
	log_info("test", "found");
}

static void say_into_full_file(void)
{
	say_into(open("/dev/full", O_WRONLY));
}

static void say_into_nothing(void)
{
	int fd = open("/dev/null", O_RDONLY); /* fails like a closed one */

	say_into(fd);
}

static void say_into_closed_pipe(void)
{
	int ends_of[2];

	if (pipe(ends_of) != 0)
		_exit(98);
	close(ends_of[0]);
	say_into(ends_of[1]);
}

static void what_cannot_be_written_is_counted(void **state)
{
	void (*const says[])(void) = {say_into_full_file, say_into_nothing, say_into_closed_pipe};

	(void)state;
	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
		struct speaker speaker = speak(says[i]);
		const char *text = hear(&speaker, true);

		assert_null(strstr(text, "lost"));
		assert_non_null(strstr(text, "warn log 3 lines dropped"));
		assert_non_null(strstr(text, "info test found\n"));
		ends(&speaker, 7);
	}
}

/* --- repeated lines ----------------------------------------------------------------------------------------------- */

static void say_the_same(void)
{
	for (int i = 0; i < 100; i++)
		log_warn("test", "read-only");
	log_warn("test", "something else");
	log_warn("test", "read-only");
	log_plain(STDERR_FILENO, "as it is");
	log_plain(STDERR_FILENO, "as it is");
	log_warn("test", "read-only");
	log_warn("test", "read-only");
}

static void the_same_again_is_counted(void **state)
{
	(void)state;
	struct speaker speaker = speak(say_the_same);
	const char *text = hear(&speaker, true);

	assert_int_equal(count(text, "test read-only\n"), 3);
	assert_int_equal(count(text, "log last line repeated 99 times\n"), 1);
	assert_int_equal(count(text, "as it is\n"), 2);
	assert_int_equal(count(text, "log last line repeated 1 times\n"), 1); /* written before the end */
	assert_true(strstr(text, "repeated 99 times") < strstr(text, "something else"));
	ends(&speaker, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unread_lines_are_dropped_and_counted),
		cmocka_unit_test(who_ends_does_not_wait_for_a_reader),
		cmocka_unit_test(the_last_words_are_written),
		cmocka_unit_test(a_broken_invariant_does_not_wait_for_a_reader),
		cmocka_unit_test(what_cannot_be_written_is_counted),
		cmocka_unit_test(the_same_again_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
