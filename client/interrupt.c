#include "client/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "client/command.h"
#include "rpc/base/shortage.h"

static volatile sig_atomic_t first;
static const char *volatile last_words;
static volatile sig_atomic_t may_have_left;
static int wake_fd; /* 0: not created yet */
static struct termios found; /* the terminal's modes, before we changed them */
static volatile sig_atomic_t found_known;

/* Signals that end a process by default and are sent by others, not raised by a fault of its own. */
static bool is_an_end(int number)
{
	switch (number) {
	case SIGHUP:
	case SIGINT:
	case SIGQUIT:
	case SIGUSR1:
	case SIGUSR2:
	case SIGALRM:
	case SIGTERM:
	case SIGSTKFLT:
	case SIGXCPU:
	case SIGVTALRM:
	case SIGPROF:
	case SIGPOLL:
	case SIGPWR:
		return true;
	default:
		return number >= SIGRTMIN && number <= SIGRTMAX;
	}
}

/* Faults: raised by the program, or sent by another process. */
static bool is_a_crash(int number)
{
	switch (number) {
	case SIGABRT:
	case SIGTRAP:
	case SIGSYS:
#ifndef __SANITIZE_ADDRESS__ /* which has its own handlers */
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
#endif
		return true;
	default:
		return false;
	}
}

static void note(int number)
{
	int before = errno;

	if (!first)
		first = number;
	eventfd_write(wake_fd, 1);
	errno = before;
}

/* Shortage: a request that had not begun to leave was not executed. */
static int speak_last(void)
{
	const char *words = last_words;

	if (!words || !may_have_left)
		return EXIT_UNAVAILABLE;
	fputs(words, stderr);
	return EXIT_UNKNOWN;
}

/* Async-signal-safe. SA_RESETHAND: the signal ends the process when it is raised again. */
static void speak_and_die(int number)
{
	const char *words = last_words;

	if (words && may_have_left && write(STDERR_FILENO, words, strlen(words)) < 0)
		first = number; /* no command is waiting: there is nothing else to do */
	raise(number);
}

static void set_handlers(void (*handler)(int))
{
	/* Without SA_RESTART, so that a blocked system call returns. */
	struct sigaction action = {.sa_handler = handler}, inherited;

	sigfillset(&action.sa_mask);
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (!is_an_end(number) || sigaction(number, NULL, &inherited))
			continue;
		if (number != SIGHUP || inherited.sa_handler != SIG_IGN)
			sigaction(number, &action, NULL);
	}
}

void interrupt_catch(void)
{
	struct sigaction crash = {.sa_handler = speak_and_die, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	if (!wake_fd) {
		shortage_last(speak_last);
		wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (wake_fd < 0)
			shortage("signals", "wait for signals: eventfd");
		for (int number = 1; number < SIGRTMIN; number++)
			if (is_a_crash(number))
				sigaction(number, &crash, NULL);
	}
	set_handlers(note);
}

int interrupt_signal(void)
{
	return first;
}

const char *interrupt_name(void)
{
	static char name[24];
	const char *known = sigabbrev_np(first);

	if (known)
		snprintf(name, sizeof name, "SIG%s", known);
	else
		snprintf(name, sizeof name, "signal %d", (int)first);
	return name;
}

int interrupt_fd(void)
{
	return wake_fd;
}

void interrupt_take(void)
{
	eventfd_t count;

	if (wake_fd && eventfd_read(wake_fd, &count))
		return; /* nothing to read */
}

void interrupt_forget(void)
{
	interrupt_take();
	first = 0;
}

/* A line reader restores the terminal by itself, except while it is changing the modes. In the background the modes
 * belong to another program. */
static void end_as_found(int number)
{
	if (tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetattr(STDIN_FILENO, TCSANOW, &found);
	signal(number, SIG_DFL);
	raise(number); /* once this handler returns */
}

bool interrupt_rest(void)
{
	if (!found_known)
		found_known = tcgetattr(STDIN_FILENO, &found) == 0;
	set_handlers(found_known ? end_as_found : SIG_DFL);
	return !first;
}

void interrupt_last_words(const char *words)
{
	may_have_left = 0;
	last_words = words;
}

void interrupt_may_have_left(void)
{
	may_have_left = 1;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static ssize_t read_or_stop(void *cookie, char *bytes, size_t size)
{
	int fd = (int)(intptr_t)cookie;

	for (;;) {
		struct pollfd waits[] = {{.fd = fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
		ssize_t count;

		if (first) {
			errno = EINTR;
			return -1;
		}
		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (first || !waits[0].revents)
			continue;
		count = read(fd, bytes, size);
		if (count >= 0 || (errno != EINTR && errno != EAGAIN))
			return count;
	}
}

FILE *interrupt_reader(int fd)
{
	FILE *file = fopencookie((void *)(intptr_t)fd, "r", (cookie_io_functions_t){.read = read_or_stop});

	must_allocate(file);
	return file;
}
