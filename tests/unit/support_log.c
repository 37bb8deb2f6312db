#include "tests/unit/support_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int log_fd = -1, real_stderr = -1;
static char said[1 << 16];

void listen_to_log(void)
{
	fflush(stderr);
	log_fd = memfd_create("log", MFD_CLOEXEC);
	real_stderr = dup(STDERR_FILENO);
	dup2(log_fd, STDERR_FILENO);
}

const char *log_text(void)
{
	ssize_t size = pread(log_fd, said, sizeof said - 1, 0);

	said[size > 0 ? size : 0] = '\0';
	return said;
}

int stop_listening(void **state)
{
	(void)state;
	if (log_fd < 0)
		return 0;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(log_fd);
	log_fd = -1;
	return 0;
}

unsigned lines_with(const char *text)
{
	unsigned count = 0;

	for (const char *at = log_text(); (at = strstr(at, text)); at++)
		count++;
	return count;
}

void assert_said(const char *text)
{
	if (!strstr(log_text(), text)) {
		stop_listening(NULL);
		fail_msg("\"%s\" is not in the log:\n%s", text, said);
	}
}
