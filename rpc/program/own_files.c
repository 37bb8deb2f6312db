#include "rpc/program/own_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/program/directory_lock.h"

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

static bool begins_with_one_of(const char *name, const char *const *prefixes)
{
	for (; *prefixes != NULL; prefixes++) {
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	}
	return false;
}

/* Copies the name of the first foreign file, in order of names; empty: there is none, or there is one of ours. False
 * with errno. */
static bool find_strange(DIR *files, const char *const *ours, char strange[static NAME_MAX + 1])
{
	static const char *const anywhere[] = {".", "..", DIRECTORY_LOCK_NAME, "lost+found", NULL};

	struct dirent *file;

	strange[0] = '\0';
	while (errno = 0, (file = readdir(files)) != NULL) {
		if (begins_with_one_of(file->d_name, ours) || strcmp(file->d_name, "set-aside") == 0) {
			strange[0] = '\0';
			return true;
		}
		if (!is_one_of(file->d_name, anywhere) && (strange[0] == '\0' || strcmp(file->d_name, strange) < 0))
			snprintf(strange, NAME_MAX + 1, "%s", file->d_name);
	}
	return errno == 0;
}

static bool fail_list(const char *path, char *error, size_t error_size)
{
	snprintf(error, error_size, "cannot list %s: %s: nothing there was changed", path, disk_error(errno));
	return false;
}

bool own_files_only(int directory, const char *path, const char *const *ours, char *error, size_t error_size)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	char strange[NAME_MAX + 1];

	if (files == NULL) {
		if (fd >= 0)
			close(fd);
		return fail_list(path, error, error_size);
	}

	bool listed = find_strange(files, ours, strange) || fail_list(path, error, error_size);

	closedir(files);
	if (!listed)
		return false;
	if (strange[0] == '\0')
		return true;
	snprintf(error, error_size,
		 "the data directory %.150s holds other files (%.100s) and none of ours: nothing there was changed; "
		 "choose an empty or a new one with --data-dir", path, strange);
	return false;
}
