#include "client/line_history.h"

#include <editline/readline.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/environment.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define OLD_FILE ".justhungry_history"
#define LINES 1000           /* kept by a shell */
#define BYTES_MAX (512 << 10) /* a longer file is cut to half this size when a shell starts */
#define LOCK_TRIES 50
#define LOCK_PAUSE_MS 10

/* libedit reads only files with this header. One line each follows, encoded as by vis(3). */
static const char cookie[] = "_HiStOrY_V2_\n";

struct line_history {
	char *name; /* NULL: no history is kept */
	bool told;
};

/* --- location --------------------------------------------------------------------------------------------------- */

static bool exists(const char *name)
{
	struct stat status;

	return name != NULL && lstat(name, &status) == 0;
}

static char *find_name(void)
{
	const char *home = environment_value("HOME"), *state = environment_value("XDG_STATE_HOME");
	char *old = NULL, *name = NULL;

	if (home != NULL)
		must(asprintf(&old, "%s/" OLD_FILE, home) >= 0);
	if (state == NULL || *state != '/') /* the XDG base directory specification says to ignore relative paths */
		return old;
	must(asprintf(&name, "%s/justhungry/history", state) >= 0);
	if (!exists(old) || exists(name)) {
		free(old);
		return name;
	}
	free(name);
	return old;
}

/* A failure shows when the file is opened. */
static void make_parents(const char *name)
{
	char *path = strdup(name);

	must_allocate(path);
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	free(path);
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static void tell(struct line_history *history, const char *problem)
{
	if (!history->told)
		fprintf(stderr,
			"justhungry: the lines typed here are not kept: %s: %s: set XDG_STATE_HOME to a directory for such "
			"files\n",
			history->name, problem);
	history->told = true;
}

/* Returns a descriptor of a plain file that only its owner can read, or -1 with the problem reported. */
static int open_file(struct line_history *history)
{
	/* Non-blocking: a pipe must not keep the shell from its prompt. */
	int fd = open(history->name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	char begin[sizeof cookie - 1];
	struct stat status;
	const char *problem = NULL;
	ssize_t size;

	if (fd < 0 || fstat(fd, &status) != 0) {
		tell(history, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	size = S_ISREG(status.st_mode) ? pread(fd, begin, sizeof begin, 0) : 0;
	if (S_ISCHR(status.st_mode))
		history->told = true; /* a link to /dev/null: the user wants no history */
	if (!S_ISREG(status.st_mode))
		problem = "not a file";
	else if (size < 0)
		problem = strerror(errno);
	else if (size > 0 && ((size_t)size < sizeof begin || memcmp(begin, cookie, sizeof begin) != 0))
		problem = "there is something else in it";
	if (problem != NULL) {
		tell(history, problem);
		close(fd);
		return -1;
	}
	if (status.st_mode & (S_IRWXG | S_IRWXO))
		fchmod(fd, 0600); /* orders of others are private; a failure to change the mode is ignored */
	return fd;
}

/* False: another process has held the lock for long, or there are no locks here. */
static bool lock(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		poll(NULL, 0, LOCK_PAUSE_MS);
	}
	return false;
}

static void write_file(struct line_history *history, int fd, const char *bytes, size_t size)
{
	ssize_t count = write(fd, bytes, size);

	if (count < 0 || (size_t)count < size)
		tell(history, count < 0 ? strerror(errno) : "it has no room left");
}

/* Keeps the newest half of a file that has grown too large. In place, because its name may be a link, and other shells
 * wait for the lock on this very file. */
static void shorten(struct line_history *history, int fd)
{
	struct stat status;
	char *bytes, *from;
	ssize_t size;

	if (fstat(fd, &status) != 0 || status.st_size <= BYTES_MAX)
		return;
	bytes = malloc(BYTES_MAX / 2 + sizeof cookie);
	must_allocate(bytes);
	size = pread(fd, bytes + sizeof cookie - 1, BYTES_MAX / 2, status.st_size - BYTES_MAX / 2);
	from = size > 0 ? memchr(bytes + sizeof cookie - 1, '\n', (size_t)size) : NULL;
	if (from != NULL) {
		from -= sizeof cookie - 2; /* the header ends where that line does */
		memcpy(from, cookie, sizeof cookie - 1);
		if (ftruncate(fd, 0) == 0)
			write_file(history, fd, from, (size_t)(bytes + sizeof cookie - 1 + size - from));
	}
	free(bytes);
}

struct line_history *line_history_open(void)
{
	struct line_history *history = calloc(1, sizeof *history);
	struct stat status;
	int fd;

	must_allocate(history);
	history->name = find_name();
	stifle_history(LINES);
	if (history->name == NULL)
		return history;
	if (environment_value("XDG_STATE_HOME") != NULL)
		make_parents(history->name);
	fd = open_file(history);
	if (fd >= 0 && lock(fd))
		shorten(history, fd);
	/* A read-only file is read, too. */
	if (stat(history->name, &status) == 0 && S_ISREG(status.st_mode))
		read_history(history->name);
	if (fd >= 0)
		close(fd); /* and so releases the lock */
	return history;
}

/* In libedit's encoding: every byte that is not plain is three octal digits. */
static size_t encode(const char *line, char *to)
{
	char *begin = to;

	for (; *line; line++) {
		unsigned char byte = (unsigned char)*line;

		if (byte > ' ' && byte < 0x7f && byte != '\\')
			*to++ = *line;
		else
			to += sprintf(to, "\\%03o", byte);
	}
	*to++ = '\n';
	return (size_t)(to - begin);
}

static bool ends_in_line_end(int fd, off_t size)
{
	char last;

	return pread(fd, &last, 1, size - 1) != 1 || last == '\n';
}

void line_history_add(struct line_history *history, const char *line)
{
	struct stat status;
	char *bytes;
	size_t size = 0;
	int fd;

	add_history(line);
	fd = history->name != NULL ? open_file(history) : -1;
	if (fd < 0)
		return;
	bytes = malloc(sizeof cookie + 1 + 4 * strlen(line) + 1);
	must_allocate(bytes);
	/* Even without the lock it is a single append. */
	if (!lock(fd) || fstat(fd, &status) != 0)
		status.st_size = 1;
	if (status.st_size == 0) {
		size = sizeof cookie - 1;
		memcpy(bytes, cookie, size);
	} else if (!ends_in_line_end(fd, status.st_size)) {
		bytes[size++] = '\n';
	}
	size += encode(line, bytes + size);
	write_file(history, fd, bytes, size);
	free(bytes);
	close(fd);
}

void line_history_close(struct line_history *history)
{
	free(history->name);
	free(history);
}
