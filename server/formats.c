#include "server/formats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "server/journal_segment.h"
#include "server/snapshot.h"

#define HEAD_BYTES sizeof(struct segment_header) /* no snapshot is that short */

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* False for files of another kind, and for those that have no beginning to read: that is for recovery to judge. */
static bool read_head(int directory, const char *name, uint8_t bytes[static HEAD_BYTES])
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool whole = fd >= 0 && pread(fd, bytes, HEAD_BYTES, 0) == (ssize_t)HEAD_BYTES;

	if (fd >= 0)
		close(fd);
	return whole;
}

/* The older format that the file claims, and the one that is read; 0: it claims none. */
static uint32_t older_format(int directory, const char *name, int *current)
{
	bool journal = begins_with(name, "journal-");
	uint8_t bytes[HEAD_BYTES];
	struct segment_header header;
	uint32_t claimed;

	if (!journal && !begins_with(name, "snapshot") && !begins_with(name, "incoming"))
		return 0;
	if (!read_head(directory, name, bytes))
		return 0;
	if (journal) {
		*current = SEGMENT_VERSION;
		return segment_header_read(bytes, &header) == SEGMENT_HEADER_OLDER ? header.version : 0;
	}
	*current = SNAPSHOT_FORMAT;
	claimed = snapshot_format_claimed(bytes);
	return claimed < SNAPSHOT_FORMAT ? claimed : 0;
}

bool formats_known(int directory, const char *path, char *error, size_t error_size)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	uint32_t older = 0;
	int current;

	if (files == NULL) {
		/* Else it would pass for an empty one, and a new history would be begun in it. */
		snprintf(error, error_size, "cannot list %s: %s: nothing there was changed", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	for (struct dirent *file; older == 0 && (file = readdir(files)) != NULL;) {
		older = older_format(directory, file->d_name, &current);
		if (older != 0)
			snprintf(error, error_size,
				 "%s/%s has format %u, written before 1.0 by an older version; this one reads format "
				 "%d and has changed nothing there: start with an empty --data-dir as a new replica "
				 "beside the others, or use the older program",
				 path, file->d_name, older, current);
	}
	closedir(files);
	return older == 0;
}
