#include "rpc/base/log_queue.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/log_internal.h"
#include "rpc/base/thread.h"

#define LINES 512 /* more than a whole trace */
#define FOLD_MS 10000
#define FLUSH_MS 1000
#define ANSWER_MS 1000 /* standard output is read or not: no log line waits longer for it */

struct line {
	int fd;
	uint64_t stands_for; /* number of lines lost when this one is */
	size_t size;
	char text[LOG_LINE_BYTES + 1]; /* and the line end */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t given;   /* a line was queued, for the thread */
	pthread_cond_t drained; /* the thread is done, for a process that is ending */
	bool holds;
	bool runs;
	bool writing; /* a line has left the queue and is not written yet */
	bool fails;   /* the last line could not be written */
	uint64_t flush_by_ms; /* 0: no flush requested */
	uint64_t dropped;     /* since the last line in the queue; or unwritten, before the first */
	/* folding: the last line from its `same` on */
	char last[LOG_LINE_BYTES];
	size_t last_size;
	uint64_t repeated;
	uint64_t repeated_by_ms; /* the count is written at the latest then */
	uint32_t first, count;
	struct line lines[LINES];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .given = PTHREAD_COND_INITIALIZER, .drained = PTHREAD_COND_INITIALIZER};

static void wait_until(pthread_cond_t *condition, uint64_t ms)
{
	thread_cond_wait_until(condition, &queue.lock, ms * 1000);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* False with errno when not everything was written. by_ms: how long to wait for a reader that does not read; 0:
 * forever. A pipe that is writable at all takes a whole line. */
static bool write_line(const struct line *line, uint64_t by_ms)
{
	size_t done = 0;

	while (done < line->size) {
		struct pollfd ready = {.fd = line->fd, .events = POLLOUT};
		int wait_ms = -1;

		if (by_ms != 0) {
			uint64_t now = rpc_clock_ms();

			wait_ms = now < by_ms ? (int)(by_ms - now) : 0;
		}

		int polled = poll(&ready, 1, wait_ms);

		if (polled == 0) {
			errno = ETIMEDOUT;
			return false;
		}
		if (polled < 0 && errno != EINTR)
			return false;

		ssize_t wrote = polled < 0 ? 0 : write(line->fd, line->text + done, line->size - done);

		if (wrote > 0)
			done += (size_t)wrote;
		else if (wrote < 0 && errno != EINTR && errno != EAGAIN)
			return false;
	}
	return true;
}

/* --- the queue, under the lock ------------------------------------------------------------------------------------ */

static void push(int fd, const char *text, size_t size, uint64_t stands_for)
{
	struct line *line = &queue.lines[(queue.first + queue.count++) % LINES];

	line->fd = fd;
	line->stands_for = stands_for;
	memcpy(line->text, text, size);
	line->text[size] = '\n';
	line->size = size + 1;
	pthread_cond_signal(&queue.given);
}

/* "TIME LEVEL log ...": about the log itself. */
static void push_of_log(const char *format, uint64_t number, uint64_t stands_for)
{
	char text[160];
	size_t same;
	size_t used = log_head(text, sizeof text, "", &same);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of the two below */
	used += (size_t)snprintf(text + used, sizeof text - used, format, number);
#pragma GCC diagnostic pop
	push(STDERR_FILENO, text, used, stands_for);
}

/* The number of dropped lines is written in the place where they are missing. */
static void tell_dropped(void)
{
	if (queue.dropped > 0)
		push_of_log("warn log %" PRIu64 " lines dropped: standard error was not read, or writing to it failed", queue.dropped,
			    queue.dropped);
	queue.dropped = 0;
}

static void add(int fd, const char *text, size_t size)
{
	if (queue.count + (queue.dropped > 0) >= LINES) {
		queue.dropped++;
		return;
	}
	tell_dropped();
	push(fd, text, size, fd == STDERR_FILENO);
}

static void tell_repeated(void)
{
	if (queue.repeated > 0 && queue.count < LINES)
		push_of_log("info log last line repeated %" PRIu64 " times", queue.repeated, queue.repeated);
	else
		queue.dropped += queue.repeated;
	queue.repeated = 0;
}

static bool is_repeated(const char *text, size_t size)
{
	if (size != queue.last_size || memcmp(text, queue.last, size) != 0)
		return false;
	if (queue.repeated++ == 0) {
		queue.repeated_by_ms = rpc_clock_ms() + FOLD_MS;
		pthread_cond_signal(&queue.given); /* the thread does not know of that deadline yet */
	}
	return true;
}

/* Writes one line with the lock released. */
static void write_next(uint64_t by_ms)
{
	struct line line = queue.lines[queue.first];

	queue.first = (queue.first + 1) % LINES;
	queue.count--;
	queue.writing = true;
	pthread_mutex_unlock(&queue.lock);
	if (line.fd != STDERR_FILENO && by_ms == 0)
		by_ms = rpc_clock_ms() + ANSWER_MS;

	bool failed = !write_line(&line, by_ms);

	pthread_mutex_lock(&queue.lock);
	queue.writing = false;
	if (failed)
		queue.dropped += line.stands_for;
	queue.fails = failed;
}

static void *write_all(void *context)
{
	(void)context;
	pthread_mutex_lock(&queue.lock);
	for (;;) {
		if (queue.repeated > 0 && rpc_clock_ms() >= queue.repeated_by_ms)
			tell_repeated();
		if (queue.count == 0 && !queue.fails)
			tell_dropped(); /* while writing fails, the next line will do */
		if (queue.count > 0) {
			write_next(0);
			continue;
		}
		pthread_cond_broadcast(&queue.drained);
		if (queue.repeated > 0)
			wait_until(&queue.given, queue.repeated_by_ms);
		else
			pthread_cond_wait(&queue.given, &queue.lock);
	}
	return NULL;
}

/* --- public functions --------------------------------------------------------------------------------------------- */

void log_queue_hold(void)
{
	pthread_mutex_lock(&queue.lock);
	queue.holds = true;
	pthread_mutex_unlock(&queue.lock);
}

bool log_queue_start(void)
{
	if (!thread_start_detached(write_all, NULL))
		return false;
	pthread_mutex_lock(&queue.lock);
	queue.runs = true;
	pthread_mutex_unlock(&queue.lock);
	return true;
}

void log_queue_put(int fd, const char *text, size_t size, size_t same)
{
	if (size > LOG_LINE_BYTES)
		size = LOG_LINE_BYTES;
	pthread_mutex_lock(&queue.lock);
	if (!queue.holds) {
		struct line line = {.fd = fd, .size = size + 1};

		pthread_mutex_unlock(&queue.lock);
		memcpy(line.text, text, size);
		line.text[size] = '\n';
		while (write(fd, line.text, line.size) < 0 && errno == EINTR)
			;
		return;
	}
	if (same >= size || !is_repeated(text + same, size - same)) {
		tell_repeated();
		queue.last_size = same < size ? size - same : 0;
		memcpy(queue.last, text + (same < size ? same : 0), queue.last_size);
		add(fd, text, size);
	}
	pthread_mutex_unlock(&queue.lock);
}

void log_queue_flush(void)
{
	pthread_mutex_lock(&queue.lock);
	tell_repeated();
	if (queue.flush_by_ms == 0)
		queue.flush_by_ms = rpc_clock_ms() + FLUSH_MS;
	while (!queue.runs && queue.count > 0)
		write_next(queue.flush_by_ms); /* at once when the time has passed without a reader */
	while (queue.runs && (queue.count > 0 || queue.writing) && rpc_clock_ms() < queue.flush_by_ms)
		wait_until(&queue.drained, queue.flush_by_ms);
	pthread_mutex_unlock(&queue.lock);
}
