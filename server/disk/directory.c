#include "server/disk/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/disk_error.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/program/directory_lock.h"
#include "rpc/program/make_path.h"

#define SET_ASIDE_NAME_SIZE 128
#define SET_ASIDE_TRIES 1000

struct directory {
	char *path;
	int fd;
	struct directory_lock lock;
	pid_t user; /* CHECK: the process that has it locked */
};

/* Reports one line; returns false for the caller to pass on. */
__attribute__((format(printf, 3, 4))) static bool fail(char *error, size_t error_size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, error_size, format, arguments);
	va_end(arguments);
	return false;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static bool open_path(struct directory *directory, enum directory_mode mode, char *error, size_t error_size)
{
	const char *path = directory->path;

	if (mode == DIRECTORY_OWN && !make_path(path, error, error_size))
		return false;
	directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->fd < 0)
		return fail(error, error_size, "cannot open the data directory %s: %s",
			    path, disk_error(errno));
	if (mode == DIRECTORY_OWN && faccessat(directory->fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return fail(error, error_size,
			    "cannot write in the data directory %s: %s: give it to the user that runs this, or choose "
			    "another with "
			    "--data-dir",
			    path, disk_error(errno));
	return true;
}

struct directory *directory_open(const char *path, enum directory_mode mode, char *error, size_t error_size)
{
	struct directory *directory = calloc(1, sizeof *directory);

	must_allocate(directory);
	*directory = (struct directory){.path = strdup(path), .fd = -1, .lock = {.file = -1}};
	must_allocate(directory->path);
	if (!open_path(directory, mode, error, error_size))
		goto failed;
	if (mode == DIRECTORY_CHECK)
		directory->user = directory_lock_holder(directory->fd);
	else if (!directory_lock_take(&directory->lock, directory->fd, directory->path, error, error_size))
		goto failed;
	return directory;
failed:
	directory_close(directory);
	return NULL;
}

bool directory_begin(struct directory *directory, char *error, size_t error_size)
{
	return directory_lock_note(&directory->lock, "directory", error, error_size);
}

void directory_close(struct directory *directory)
{
	if (directory == NULL)
		return;
	directory_lock_release(&directory->lock);
	if (directory->fd >= 0)
		close(directory->fd);
	free(directory->path);
	free(directory);
}

const char *directory_path(const struct directory *directory)
{
	return directory->path;
}

int directory_fd(const struct directory *directory)
{
	return directory->fd;
}

bool directory_is_there(const struct directory *directory, char *error, size_t error_size)
{
	const char *astray = directory_lock_astray(directory->fd, directory->path);

	return astray == NULL ||
	       fail(error, error_size, "its data directory %s was %s while it ran", directory->path, astray);
}

pid_t directory_in_use(const struct directory *directory)
{
	return directory->user;
}

/* --- setting aside ------------------------------------------------------------------------------------------------ */

struct names {
	char **names;
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
}

static DIR *list(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (listing == NULL && fd >= 0)
		close(fd);
	return listing;
}

static bool is_regular(int directory, const char *name)
{
	struct stat info;

	return fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

/* The regular files whose names begin with prefix, sorted; false with errno. */
static bool find_names(int directory, const char *prefix, struct names *found)
{
	DIR *listing = list(directory, ".");
	struct dirent *entry;

	*found = (struct names){0};
	if (listing == NULL)
		return false;
	while (errno = 0, (entry = readdir(listing)) != NULL) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || strcmp(entry->d_name, DIRECTORY_LOCK_NAME) == 0 ||
		    !is_regular(directory, entry->d_name))
			continue;
		found->names = realloc(found->names, (found->count + 1) * sizeof *found->names);
		must_allocate(found->names);
		found->names[found->count] = strdup(entry->d_name);
		must_allocate(found->names[found->count]);
		found->count++;
	}

	int failed = errno;

	closedir(listing);
	if (found->count > 0)
		qsort(found->names, found->count, sizeof *found->names, by_name);
	errno = failed;
	return failed == 0;
}

/* Makes set-aside/<time>-<reason>, with a number appended when it exists, and opens it; -1 with errno. */
static int make_place(int directory, const char *reason, char name[static SET_ASIDE_NAME_SIZE])
{
	struct timespec now = rpc_wall_now();
	struct tm utc;
	char stamp[32];

	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
	if (mkdirat(directory, DIRECTORY_SET_ASIDE, 0700) != 0 && errno != EEXIST)
		return -1;
	for (int i = 1; i <= SET_ASIDE_TRIES; i++) {
		if (i == 1)
			snprintf(name, SET_ASIDE_NAME_SIZE, DIRECTORY_SET_ASIDE "/%s-%.64s", stamp, reason);
		else
			snprintf(name, SET_ASIDE_NAME_SIZE, DIRECTORY_SET_ASIDE "/%s-%.64s-%d", stamp, reason, i);
		if (mkdirat(directory, name, 0700) == 0)
			return openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* fsyncs all directories that the moves have changed: the destination, set-aside/ and the directory; false with
 * errno. */
static bool sync_moves(int directory, int place)
{
	int above = openat(directory, DIRECTORY_SET_ASIDE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (above < 0)
		return false;
	bool synced = fsync(place) == 0 && fsync(above) == 0 && fsync(directory) == 0; /* RULE 14 */

	close(above);
	return synced;
}

/* Moves the files of one prefix; the first move of all opens *place. False with errno. */
static bool move_names(int directory, const char *prefix, const char *reason, int *place,
		       char name[static SET_ASIDE_NAME_SIZE], uint32_t *moved)
{
	struct names found;
	bool done = find_names(directory, prefix, &found);

	for (size_t i = 0; done && i < found.count; i++) {
		if (*place < 0)
			*place = make_place(directory, reason, name);
		done = *place >= 0 && renameat(directory, found.names[i], *place, found.names[i]) == 0;
		*moved += done;
	}
	int failed = errno;

	names_free(&found);
	errno = failed;
	return done;
}

bool directory_set_aside(const struct directory *directory, const char *const *prefixes, size_t prefixes_count,
			 const char *reason, uint32_t *moved, char *error, size_t error_size)
{
	char name[SET_ASIDE_NAME_SIZE] = DIRECTORY_SET_ASIDE;
	int place = -1;
	uint32_t count = 0;
	bool done = true;

	must(strchr(reason, '/') == NULL);
	for (size_t i = 0; done && i < prefixes_count; i++)
		done = move_names(directory->fd, prefixes[i], reason, &place, name, &count);
	done = done && (place < 0 || sync_moves(directory->fd, place));
	if (!done)
		fail(error, error_size, "cannot set files aside in %s/%s: %s",
		     directory->path, name, disk_error(errno));
	if (place >= 0)
		close(place);
	if (moved != NULL)
		*moved = count;
	return done;
}

uint32_t directory_set_aside_count(const struct directory *directory)
{
	DIR *listing = list(directory->fd, DIRECTORY_SET_ASIDE);
	uint32_t count = 0;

	if (listing == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(listing);
	return count;
}
