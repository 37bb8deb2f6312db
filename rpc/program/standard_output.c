#include "rpc/program/standard_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/shortage.h"

/* The process has one standard output. */
static struct {
	const char *program;
	FILE *original;
	int unwritten_status;
	int error; /* of the first write that failed */
	bool told;
	int interrupt_fd;
	bool (*ended)(void);
} output;

/* Waits until some bytes can be written without blocking, or write would fail. */
static bool wait_for_room(void)
{
	for (;;) {
		bool ended = output.ended != NULL && output.ended();
		struct pollfd waits[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
					 {.fd = output.ended != NULL ? output.interrupt_fd : -1, .events = POLLIN}};

		if (poll(waits, 2, ended ? 0 : -1) < 0 && errno != EINTR)
			return false;
		if (waits[0].revents != 0)
			return true;
		if (ended) {
			errno = EINTR;
			return false;
		}
	}
}

/* At most PIPE_BUF at a time: a pipe has that much room when poll says that it has some. */
static ssize_t write_some(void *cookie, const char *bytes, size_t size)
{
	size_t done = 0;

	(void)cookie;
	while (done < size && output.error == 0) {
		ssize_t count = -1;

		if (wait_for_room())
			count = write(STDOUT_FILENO, bytes + done, size - done < PIPE_BUF ? size - done : PIPE_BUF);
		if (count >= 0)
			done += (size_t)count;
		else if ((errno != EINTR && errno != EAGAIN) || (output.ended != NULL && output.ended()))
			output.error = errno;
	}
	return (ssize_t)done;
}

static void check_at_exit(int status, void *context)
{
	(void)context;
	if (!standard_output_written(NULL) && status == 0)
		_exit(output.unwritten_status);
}

void standard_output_watch(const char *program, int unwritten_status)
{
	output.program = program;
	output.unwritten_status = unwritten_status;
	output.original = stdout;
	stdout = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_some});
	must_allocate(stdout);
	setvbuf(stdout, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
	on_exit(check_at_exit, NULL);
}

void standard_output_interrupt(int fd, bool (*ended)(void))
{
	output.interrupt_fd = fd;
	output.ended = ended;
}

int standard_output_flush(void)
{
	fflush(stdout);
	return output.error;
}

bool standard_output_written(const char *done)
{
	int error = standard_output_flush();

	if (error == 0)
		return true;
	if (!output.told)
		fprintf(stderr, "%s: %s%s could not be written to standard output: %s\n", output.program,
			done != NULL ? done : "", done != NULL ? ", but the answer" : "the answer", disk_error(error));
	output.told = true;
	return false;
}

FILE *standard_output_original(void)
{
	return output.original;
}
