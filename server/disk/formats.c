#include "server/disk/formats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/must.h"
#include "server/disk/journal_segment.h"
#include "server/disk/snapshot.h"

#define HEAD_BYTES sizeof(struct segment_header) /* no snapshot is shorter */

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* False for files of another kind, and for files without a readable beginning, which recovery deals with. */
static bool read_head(int directory, const char *name, uint8_t bytes[static HEAD_BYTES])
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool whole = fd >= 0 && pread(fd, bytes, HEAD_BYTES, 0) == (ssize_t)HEAD_BYTES;

	if (fd >= 0)
		close(fd);
	return whole;
}

/* The format that the file claims; 0: none. *current: the one that this program reads. */
static uint32_t format_of(int directory, const char *name, uint32_t *current)
{
	bool journal = begins_with(name, "journal-");
	uint8_t bytes[HEAD_BYTES];
	struct segment_header header;

	if (!journal && !begins_with(name, "snapshot") && !begins_with(name, "incoming"))
		return 0;
	if (!read_head(directory, name, bytes))
		return 0;
	if (journal) {
		*current = SEGMENT_VERSION;
		return segment_header_read(bytes, &header) == SEGMENT_HEADER_BAD ? 0 : header.version;
	}
	*current = SNAPSHOT_FORMAT;
	return snapshot_format_claimed(bytes);
}

static void say(const char *path, const char *name, uint32_t format, uint32_t current, char *error, size_t error_size)
{
	if (format > current)
		snprintf(error, error_size,
			 "%s/%s has format %u, written by a newer version; this one reads format %u and has changed "
			 "nothing there: upgrade justhungry-server",
			 path, name, format, current);
	else
		snprintf(error, error_size,
			 "%s/%s has format %u, written before 1.0 by an older version; this one reads format %u and "
			 "has changed nothing there: start with an empty --data-dir as a new replica beside the "
			 "others, or use the older program",
			 path, name, format, current);
}

/* Otherwise the directory would pass for an empty one, and a new history would be started in it. */
static bool fail_list(const char *path, char *error, size_t error_size)
{
	snprintf(error, error_size, "cannot list %s: %s: nothing there was changed", path, disk_error(errno));
	return false;
}

bool formats_known(int directory, const char *path, char *error, size_t error_size)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *file;
	uint32_t format, current;
	bool known = true;

	if (files == NULL) {
		if (fd >= 0)
			close(fd);
		return fail_list(path, error, error_size);
	}
	while (errno = 0, known && (file = readdir(files)) != NULL) {
		format = format_of(directory, file->d_name, &current);
		known = format == 0 || format == current;
		if (!known)
			say(path, file->d_name, format, current, error, error_size);
	}
	if (errno != 0)
		known = fail_list(path, error, error_size);
	closedir(files);
	return known;
}
