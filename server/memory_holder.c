#include "server/memory_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define STACK_BYTES ((size_t)64 << 10)
#define PIECE_BYTES ((uint64_t)1 << 20) /* given back in about 70 us */
#define PIECE_PAUSE_NS 1000000
#define ASK_PAUSE_NS 20000000
#define REGION_BYTES_MAX ((uint64_t)64 << 30) /* beyond it is a sanitizer's shadow: terabytes, and hardly any memory */
#define LINE_BYTES 512 /* of /proc/self/maps: what follows the first five fields does not matter */
#define LINE_BYTES_LEAST 16 /* "0-0 rw-p 0 0:0 0" */

/* What the holder runs is neither instrumented nor checked, and uses nothing but system calls: it has the replica's memory
 * and thread-local storage, errno among them. While the replica lives it calls only what cannot fail. */
#define IN_HOLDER __attribute__((no_sanitize("address", "thread", "undefined"), no_stack_protector))

/* glibc's clone under the name that ThreadSanitizer leaves alone: it takes every clone() for a fork. */
int __clone(int (*run)(void *context), void *stack, int flags, void *context, ...); // NOLINT(bugprone-reserved-identifier)

struct holder {
	pid_t replica;
	int end; /* descriptor for the process, readable once it has ended; -1: the kernel has no such thing */
};

IN_HOLDER static uint64_t hexadecimal(const char **text)
{
	uint64_t value = 0;

	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value * 16 + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (uint64_t)(c - 'a') + 10;
		else
			return value;
	}
}

/* A line of /proc/self/maps: "from-to rw-p offset ...". What is large, writable and private goes, without what libraries
 * have of their files (it never begins at offset 0); the holder's own stack is small. */
IN_HOLDER static void give_back(const char *line)
{
	uint64_t from = hexadecimal(&line);

	line++;
	uint64_t to = hexadecimal(&line);

	if (line[1] != 'r' || line[2] != 'w' || line[4] != 'p' || to - from < PIECE_BYTES ||
	    to - from > REGION_BYTES_MAX)
		return;
	line += 6;
	if (hexadecimal(&line) != 0)
		return;
	for (; from < to; from += PIECE_BYTES) {
		struct timespec pause = {.tv_nsec = PIECE_PAUSE_NS};
		uint64_t size = to - from < PIECE_BYTES ? to - from : PIECE_BYTES;

		syscall(SYS_madvise, from, size, MADV_DONTNEED);
		syscall(SYS_nanosleep, &pause, NULL);
	}
}

/* Whose memory it is: while any thread of the replica lives, no other is this process's parent. */
IN_HOLDER static bool replica_lives(pid_t replica)
{
	return syscall(SYS_getppid) == replica;
}

/* Returns when the replica has ended, and for no other reason: a descriptor that says so is asked again, and nothing that
 * anybody could write comes into it. Without one it asks now and then. */
IN_HOLDER static void wait_for_end(const struct holder *holder)
{
	struct timespec pause = {.tv_nsec = ASK_PAUSE_NS};

	if (holder->end >= 0) {
		struct pollfd ended = {.fd = holder->end, .events = POLLIN};

		syscall(SYS_poll, &ended, 1UL, -1L);
	}
	while (replica_lives(holder->replica))
		syscall(SYS_nanosleep, &pause, NULL);
}

IN_HOLDER static int hold(void *context)
{
	const struct holder *holder = context;
	char line[LINE_BYTES], block[4096];
	size_t length = 0;

	if (holder->end > 0)
		syscall(SYS_close_range, 0U, (unsigned)holder->end - 1, 0U);
	syscall(SYS_close_range, (unsigned)(holder->end + 1), ~0U, 0U);
	syscall(SYS_prctl, PR_SET_NAME, MEMORY_HOLDER_NAME, 0, 0, 0);
	syscall(SYS_setpriority, PRIO_PROCESS, 0, 19);
	wait_for_end(holder);

	/* The memory is this process's alone from here on. */
	long maps = syscall(SYS_open, "/proc/self/maps", O_RDONLY);

	for (;;) {
		long got = syscall(SYS_read, maps, block, sizeof block);

		if (got <= 0)
			break;
		for (long at = 0; at < got; at++) {
			if (block[at] != '\n') {
				if (length < LINE_BYTES - 1)
					line[length++] = block[at];
				continue;
			}
			line[length] = 0;
			if (length >= LINE_BYTES_LEAST)
				give_back(line);
			length = 0;
		}
	}
	syscall(SYS_exit_group, 0);
	return 0;
}

static pid_t without(const char *what, int error)
{
	char text[SHORTAGE_TEXT];

	log_warn("node", "no %s to hold the memory: %s; if this replica is killed, failover takes longer", what,
		 shortage_text(error, text, sizeof text));
	return -1;
}

pid_t memory_holder_start(void)
{
	uint8_t *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	struct holder *holder = (struct holder *)(void *)stack; /* at the far end of the stack, and as long-lived */
	sigset_t all, before;

	if (stack == MAP_FAILED)
		return without("stack", errno);
	holder->replica = getpid();
	holder->end = (int)syscall(SYS_pidfd_open, holder->replica, 0U);
	sigfillset(&all);
	must(sigprocmask(SIG_SETMASK, &all, &before) == 0);
	pid_t pid = __clone(hold, stack + STACK_BYTES, CLONE_VM | SIGCHLD, holder);
	int failed = errno;

	must(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
	if (holder->end >= 0)
		close(holder->end);
	return pid < 0 ? without("process", failed) : pid;
}

void memory_holder_stop(pid_t holder)
{
	if (holder < 0)
		return;
	kill(holder, SIGKILL); /* it may have been killed already */
	while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
		;
}
