#include "rpc/program/directory_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/program/process.h"

/* The process id in the lock file; -1: there is none. */
static pid_t read_owner(int directory)
{
	char text[32] = {0};
	int file = openat(directory, DIRECTORY_LOCK_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool read_any = file >= 0 && pread(file, text, sizeof text - 1, 0) > 0;

	if (file >= 0)
		close(file);

	long pid = read_any ? strtol(text, NULL, 10) : -1;

	return pid > 0 ? (pid_t)pid : -1;
}

static bool fail_in_use(const struct directory_lock *lock, char *error, size_t error_size)
{
	long owner = (long)read_owner(lock->directory);
	char who[40] = "another process";

	if (owner > 0)
		snprintf(who, sizeof who, "process %ld", owner);
	snprintf(error, error_size,
		 "the data directory %s is in use by %s: choose another with --data-dir; stop that process only if this one is "
		 "to take its place",
		 lock->path, who);
	return false;
}

/* False with errno; the file stays open when only the lock failed. */
static bool lock_file(struct directory_lock *lock, int flags)
{
	lock->file = openat(lock->directory, DIRECTORY_LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
	return lock->file >= 0 && flock(lock->file, LOCK_EX | LOCK_NB) == 0;
}

bool directory_lock_take(struct directory_lock *lock, int directory, const char *path, char *error, size_t error_size)
{
	*lock = (struct directory_lock){.directory = directory, .path = path, .file = -1};
	if (flock(directory, LOCK_EX | LOCK_NB) != 0) { /* RULE 20 */
		if (errno == EBADF && lock_file(lock, O_CREAT)) /* a directory cannot be locked here: only the file */
			return true;
		if (errno == EWOULDBLOCK)
			return fail_in_use(lock, error, error_size);
		snprintf(error, error_size, "cannot lock the data directory %s: %s: use a file system with flock", path,
			 disk_error(errno));
		return false;
	}
	if (!lock_file(lock, 0) && errno == EWOULDBLOCK)
		return fail_in_use(lock, error, error_size);
	return true;
}

bool directory_lock_note(struct directory_lock *lock, const char *component, char *error, size_t error_size)
{
	if (lock->file < 0 && !lock_file(lock, O_CREAT)) { /* RULE 20 */
		if (errno == EWOULDBLOCK)
			return fail_in_use(lock, error, error_size);
		if (lock->file < 0 && errno != ENOSPC && errno != EDQUOT) { /* RULE 13: stored data is served all the
									     * same */
			snprintf(error, error_size,
				 "cannot write %s/" DIRECTORY_LOCK_NAME ": %s: give the data directory to the user that runs "
				 "this, or choose another with --data-dir",
				 lock->path, disk_error(errno));
			return false;
		}
	}
	if (lock->file >= 0)
		process_note(lock->file, component);
	return true;
}

void directory_lock_release(struct directory_lock *lock)
{
	if (lock->file >= 0)
		close(lock->file);
	lock->file = -1;
}

/* A shared lock is requested only to see whether it could be had: it must not keep a daemon from starting. */
pid_t directory_lock_holder(int directory)
{
	if (flock(directory, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? read_owner(directory) : 0;
	flock(directory, LOCK_UN);
	return 0;
}

const char *directory_lock_astray(int directory, const char *path)
{
	struct stat own, named;

	if (fstat(directory, &own) != 0)
		return NULL; /* proves nothing, like any other error below */
	if (stat(path, &named) == 0)
		return own.st_dev == named.st_dev && own.st_ino == named.st_ino ? NULL : "replaced by another one";
	return errno == ENOENT || errno == ENOTDIR || errno == ESTALE ? "deleted or moved" : NULL;
}
