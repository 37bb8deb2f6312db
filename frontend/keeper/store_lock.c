#include "frontend/keeper/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/program/process.h"

#define LOCK_FILE "lock"

static bool fail_in_use(int directory, const char *path, char *error, size_t error_size)
{
	char text[32];
	int fd = openat(directory, LOCK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t count = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

	if (fd >= 0)
		close(fd);
	text[count > 0 ? count : 0] = '\0';
	snprintf(error, error_size, "data directory %s is in use by %s%.*s", path,
		 count > 1 ? "process " : "another process", count > 1 ? (int)strcspn(text, "\n") : 0, text);
	return false;
}

/* False with errno; the file is open all the same when it is only not locked. */
static bool lock_file(int directory, int flags, int *file)
{
	*file = openat(directory, LOCK_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	return *file >= 0 && flock(*file, LOCK_EX | LOCK_NB) == 0;
}

/* RULE 20. The lock is on the directory and not only on a file in it: what a cleaner can remove locks nothing. Where several
 * hosts have the directory (NFS) that lock is known to one of them, and that on a file to all. */
bool store_lock_take(int directory, const char *path, int *file, char *error, size_t error_size)
{
	if (flock(directory, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return fail_in_use(directory, path, error, error_size);
		snprintf(error, error_size, "cannot lock data directory %s: %s: use a file system with flock", path,
			 disk_error(errno));
		return false;
	}
	if (!lock_file(directory, 0, file) && errno == EWOULDBLOCK)
		return fail_in_use(directory, path, error, error_size);
	return true;
}

/* RULE 13: on a full disk it stays empty, and the stored view is served all the same. */
bool store_lock_note(int directory, const char *path, int *file, char *error, size_t error_size)
{
	if (*file < 0 && !lock_file(directory, O_CREAT, file)) {
		if (errno == EWOULDBLOCK)
			return fail_in_use(directory, path, error, error_size);
		if (*file < 0 && errno != ENOSPC && errno != EDQUOT) {
			snprintf(error, error_size, "cannot write to data directory %s: %s", path, disk_error(errno));
			return false;
		}
	}
	if (*file >= 0)
		process_note(*file, "store");
	return true;
}
