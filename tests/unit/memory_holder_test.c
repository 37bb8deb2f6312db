/* The holder of a replica's memory: a killed process's connection closes at once however much memory it had; nothing
 * remains; it does not keep the process's own files open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/memory_holder.h"

#define MEMORY_BYTES ((size_t)300 << 20)

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct replica {
	pid_t pid, holder;
	int connection; /* its other end belongs to the replica alone */
};

/* A process with much memory and one connection. */
static struct replica start(bool held)
{
	struct replica replica;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	replica.pid = fork();
	assert_true(replica.pid >= 0);
	if (replica.pid == 0) {
		pid_t holder = held ? memory_holder_start() : -1;
		uint8_t *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		close(ends[0]);
		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, 1, MEMORY_BYTES);
		if (write(ends[1], &holder, sizeof holder) != (ssize_t)sizeof holder)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	replica.connection = ends[0];
	assert_int_equal(read(replica.connection, &replica.holder, sizeof replica.holder), sizeof replica.holder);
	assert_int_equal(replica.holder > 0, held);
	return replica;
}

/* From kill -9 to the end of the connection. The holder, which this process inherits, takes its time to release the
 * memory, and then ends too. */
static double closes_after_ms(struct replica *replica, bool until_holder_ends)
{
	double killed = now_ms();
	char byte;

	assert_int_equal(kill(replica->pid, SIGKILL), 0);
	assert_int_equal(read(replica->connection, &byte, 1), 0);

	double closed = now_ms();

	close(replica->connection);
	assert_int_equal(waitpid(replica->pid, NULL, 0), replica->pid);
	if (replica->holder > 0 && !until_holder_ends)
		assert_int_equal(kill(replica->holder, SIGKILL), 0);
	if (replica->holder > 0)
		assert_int_equal(waitpid(replica->holder, NULL, 0), replica->holder);
	return closed - killed;
}

static void a_killed_process_closes_at_once(void **state)
{
	double least_alone = 1e9, least_held = 1e9;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct replica alone = start(false);
		double took = closes_after_ms(&alone, false);

		least_alone = took < least_alone ? took : least_alone;

		struct replica held = start(true);

		took = closes_after_ms(&held, i == 0);
		least_held = took < least_held ? took : least_held;
	}
	assert_true(least_held * 3 < least_alone); /* measured: 0.2 and 20 ms */
}

static void stopped_at_once(void **state)
{
	(void)state;
	pid_t holder = memory_holder_start();

	assert_true(holder > 0);
	assert_int_equal(kill(holder, 0), 0);
	memory_holder_stop(holder);
	assert_int_equal(kill(holder, 0), -1);
	memory_holder_stop(-1);
}

/* Signals sent to all processes of a terminal or a service have no effect on it while the process lives. */
static void signals_do_not_end_it(void **state)
{
	const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

	(void)state;
	pid_t holder = memory_holder_start();

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		assert_int_equal(kill(holder, signals[i]), 0);
	assert_int_equal(kill(holder, SIGSTOP), 0);
	assert_int_equal(waitpid(holder, NULL, WUNTRACED), holder);
	assert_int_equal(kill(holder, SIGCONT), 0);
	assert_int_equal(waitpid(holder, NULL, WCONTINUED), holder);
	assert_int_equal(waitpid(holder, NULL, WNOHANG), 0);
	memory_holder_stop(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_process_closes_at_once),
		cmocka_unit_test(stopped_at_once),
		cmocka_unit_test(signals_do_not_end_it),
	};

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
