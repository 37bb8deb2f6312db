#include "rpc/program/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/program/signals.h"

#define DESCRIPTORS 8192     /* libtirpc sizes tables by the limit: not more */
#define DESCRIPTORS_LEAST 64 /* an idle daemon has 16 open */
#define DESCRIPTORS_OWN 40   /* of these, for anything but client connections */
#define STACK_BYTES ((rlim_t)8 << 20)
#define STACK_LEAST ((rlim_t)1 << 20)

/* Opened in the wrong mode, so that reading from it or writing to it fails as it did when it was closed. */
static void open_closed(void)
{
	static const int contrary[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* It gets this number, because all lower ones are open. Without /dev/null, something else that accepts
		 * no bytes. */
		if (open("/dev/null", contrary[fd]) < 0 && epoll_create1(0) < 0)
			_exit(1); /* a limit of less than three descriptors: and no way to report it */
	}
}

static void raise_limit(__rlimit_resource_t resource, rlim_t least, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0 || limit.rlim_cur >= least)
		return;
	limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
	setrlimit(resource, &limit);
}

static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	raise_limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
	raise_limit(RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY);
	raise_limit(RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY);
	raise_limit(RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY);
	raise_limit(RLIMIT_STACK, STACK_BYTES, STACK_BYTES);
}

static void reset_signals(enum process_kind kind)
{
	struct sigaction inherited;
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		/* A handler is a sanitizer's, because exec leaves none. A command in the background ignores control-C
		 * for its shell. */
		if (kind == PROCESS_COMMAND && number != SIGCHLD)
			continue;
		if (sigaction(number, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN)
			signal(number, SIG_DFL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (kind == PROCESS_DAEMON)
		signal(SIGTTOU, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static rlim_t allowed(__rlimit_resource_t resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

void process_begin(enum process_kind kind, const char *component)
{
	if (kind == PROCESS_DAEMON)
		raise_limits();
	open_closed();
	if (kind == PROCESS_DAEMON) {
		close_range(STDERR_FILENO + 1, ~0U, 0);
		umask(077);
	} else {
		log_as_command(component);
	}
	reset_signals(kind);
	if (allowed(RLIMIT_STACK) < STACK_LEAST) {
		log_error(component, "the stack may have %" PRIu64 " KiB and needs %" PRIu64 " at least: raise `ulimit -s` (LimitSTACK=)",
			  (uint64_t)allowed(RLIMIT_STACK) >> 10, (uint64_t)STACK_LEAST >> 10);
		exit(1);
	}
}

void process_serve(const char *component, uint64_t file_bytes)
{
	if (allowed(RLIMIT_NOFILE) < DESCRIPTORS_LEAST) {
		log_error(component, "this process may have %" PRIu64 " descriptors open and needs %d at least: raise `ulimit -n` "
			  "(LimitNOFILE=)", (uint64_t)allowed(RLIMIT_NOFILE), DESCRIPTORS_LEAST);
		exit(1);
	}
	if (allowed(RLIMIT_FSIZE) < file_bytes) {
		log_error(component, "a file may have %" PRIu64 " KiB and needs %" PRIu64 " at least: raise `ulimit -f` (LimitFSIZE=)",
			  (uint64_t)allowed(RLIMIT_FSIZE) >> 10, file_bytes >> 10);
		exit(1);
	}
	signals_hold();
	log_in_background();
}

size_t process_connections(size_t wanted)
{
	rlim_t open = allowed(RLIMIT_NOFILE);
	rlim_t left = open > (rlim_t)2 * DESCRIPTORS_OWN ? open - DESCRIPTORS_OWN : open / 3;

	return left < wanted ? (size_t)left : wanted;
}

void process_note(int file, const char *component)
{
	char text[32];
	int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(file, 0) == 0 && pwrite(file, text, (size_t)size, 0) == size)
		return;
	if (ftruncate(file, 0) != 0)
		log_warn(component, "the file lock of the data directory may name another process: %s", strerror(errno));
}
