#include "rpc/program/make_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/shortage.h"

#define SHOWN_MAX 140u /* bytes: a message about two of them fits in 512 */

struct making {
	const char *wanted; /* as given */
	char *part;         /* as far as it has been checked */
	char *error;
	size_t error_size;
};

/* The end of a path that is too long for one line. */
static const char *shown(const char *path)
{
	size_t size = strlen(path);

	return size > SHOWN_MAX ? path + size - SHOWN_MAX : path;
}

/* Reports one line; returns false for the caller to pass on. */
static bool fail(const struct making *making, const char *what, const char *reason)
{
	if (strcmp(making->part, making->wanted) == 0)
		snprintf(making->error, making->error_size,
			 "cannot %s the data directory %s: %s: create it, or choose another with --data-dir", what,
			 shown(making->part), reason);
	else
		snprintf(making->error, making->error_size,
			 "cannot %s %s, which the data directory %s is to be in: %s: create it, or choose another with "
			 "--data-dir",
			 what, shown(making->part), shown(making->wanted), reason);
	return false;
}

/* fsync of the directory that contains path's last part. */
static bool sync_above(const char *path)
{
	char *above = strdup(path);

	must_allocate(above);
	char *slash = strrchr(above, '/');

	if (slash != NULL)
		slash[slash == above] = '\0'; /* "/" stays */
	int fd = open(slash != NULL ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	int problem = errno;

	if (fd >= 0)
		close(fd);
	free(above);
	errno = problem;
	return synced;
}

/* Makes the part so far, unless it exists. */
static bool make_part(const struct making *making)
{
	struct stat info;

	if (stat(making->part, &info) == 0)
		return S_ISDIR(info.st_mode) || fail(making, "use", strerror(ENOTDIR));
	if (errno != ENOENT)
		return fail(making, "use", disk_error(errno));
	if (mkdir(making->part, 0700) != 0 && errno != EEXIST)
		return fail(making, "create", disk_error(errno));
	/* Made by another process meanwhile, or a link. */
	if (stat(making->part, &info) != 0)
		return fail(making, "use", errno == ENOENT ? "it is a symbolic link that leads nowhere" : disk_error(errno));
	return sync_above(making->part) || fail(making, "make durable", disk_error(errno));
}

bool make_path(const char *path, char *error, size_t error_size)
{
	char *part = strdup(path);
	struct making making = {.wanted = path, .part = part, .error = error, .error_size = error_size};
	bool made = true;

	must_allocate(part);
	if (*path == '\0')
		made = fail(&making, "use", "it has no name");
	/* Each part ends where a slash, or the path, does: it is cut off there for the time being. */
	for (char *end = part; made && *end != '\0';) {
		while (*end == '/')
			end++;
		if (*end == '\0')
			break;
		end += strcspn(end, "/");

		char slash = *end;

		*end = '\0';
		made = make_part(&making);
		*end = slash;
	}
	free(part);
	return made;
}
