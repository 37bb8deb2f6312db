#include "rpc/base/shortage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rpc/base/log.h"

static const struct {
	int error;
	int resource; /* -1: not a limit of this process */
	uint64_t unit;
	const char *advice; /* with the limit, if there is one: %PRIu64 */
} known[] = {
	{EMFILE, RLIMIT_NOFILE, 1, "this process may have %" PRIu64 " open: raise `ulimit -n` (LimitNOFILE=)"},
	{ENFILE, -1, 1, "this host has no more: raise the sysctl fs.file-max"},
	{EAGAIN, RLIMIT_AS, 1024, "a thread's stack needs room: this process may use %" PRIu64 " KiB: raise `ulimit -v` (LimitAS=)"},
	{EAGAIN, RLIMIT_DATA, 1024,
	 "a thread's stack needs room: this process may use %" PRIu64 " KiB of data: raise `ulimit -d` (LimitDATA=)"},
	{EAGAIN, RLIMIT_NPROC, 1,
	 "this user may have %" PRIu64 " processes and threads: raise `ulimit -u` (LimitNPROC=, TasksMax=)"},
	{EAGAIN, -1, 1, "no more processes and threads: raise TasksMax= or pids.max of its service or container"},
	{ENOMEM, RLIMIT_AS, 1024, "this process may use %" PRIu64 " KiB: raise `ulimit -v` (LimitAS=)"},
	{ENOMEM, RLIMIT_DATA, 1024, "this process may use %" PRIu64 " KiB of data: raise `ulimit -d` (LimitDATA=)"},
	{ENOMEM, -1, 1, "give this host, or its container, more memory"},
	{EFBIG, RLIMIT_FSIZE, 1024, "a file may have %" PRIu64 " KiB: raise `ulimit -f` (LimitFSIZE=)"},
	{ENOSPC, -1, 1, "raise the sysctl fs.epoll.max_user_watches"},
};

const char *shortage_text(int error, char *text, size_t size)
{
	struct rlimit limit;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].error != error)
			continue;

		int used = snprintf(text, size, "%s: ", strerror(error));

		if (known[i].resource < 0) {
			snprintf(text + used, size - (size_t)used, "%s", known[i].advice);
			return text;
		}
		if (getrlimit((__rlimit_resource_t)known[i].resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
			continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the table's own */
		snprintf(text + used, size - (size_t)used, known[i].advice, (uint64_t)limit.rlim_cur / known[i].unit);
#pragma GCC diagnostic pop
		return text;
	}
	snprintf(text, size, "%s", strerror(error));
	return text;
}

static int (*before_exit)(void);

void shortage_last(int (*last)(void))
{
	before_exit = last;
}

_Noreturn static void end(const char *component, const char *call, int error)
{
	char text[SHORTAGE_TEXT];

	log_error(component, "cannot %s: %s", call, shortage_text(error, text, sizeof text));
	log_flush();
	_exit(before_exit != NULL ? before_exit() : 1);
}

_Noreturn void shortage(const char *component, const char *call)
{
	end(component, call, errno);
}

_Noreturn void shortage_of_memory(const char *function)
{
	char call[128];

	snprintf(call, sizeof call, "allocate memory (in %s)", function);
	end("memory", call, ENOMEM);
}
