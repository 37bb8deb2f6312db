#include "server/disk/journal_newest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/disk.h"
#include "server/disk/journal_segment.h"
#include "server/machine/encoding.h"

struct metas {
	void (*pass)(void *context, const void *payload, uint32_t size);
	void *context;
	uint32_t count;
};

static void read_frames(const uint8_t *bytes, size_t size, struct metas *metas)
{
	struct segment_header header;
	struct frame_header frame;

	if (segment_header_read(bytes, &header) != SEGMENT_HEADER_OK)
		return;
	for (size_t at = SEGMENT_DATA; frame_valid(bytes + at, size - at, header.salt); at += le32toh(frame.span)) {
		const uint8_t *payload = bytes + at + sizeof frame;

		memcpy(&frame, bytes + at, sizeof frame);
		if (le32toh(frame.size) < sizeof(uint32_t) || decode_word(payload) != JH_DISK_META)
			continue;
		metas->pass(metas->context, payload, le32toh(frame.size));
		metas->count++;
	}
}

/* Mapped, because only its beginning is looked at: a segment is seldom full. */
static void read_segment(int directory, uint64_t sequence, struct metas *metas)
{
	char name[SEGMENT_NAME_SIZE];
	int fd = openat(directory, segment_name(sequence, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	void *bytes = MAP_FAILED;

	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= SEGMENT_DATA)
		bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes != MAP_FAILED) {
		read_frames(bytes, (size_t)info.st_size, metas);
		munmap(bytes, (size_t)info.st_size);
	}
	close(fd);
}

/* *sequence: of the newest segment below it; false: there is none. */
static bool find_below(DIR *files, uint64_t *sequence)
{
	uint64_t below = *sequence, first;
	struct dirent *file;
	bool found = false;

	rewinddir(files);
	while ((file = readdir(files)) != NULL) {
		if (!segment_name_parse(file->d_name, &first) || first >= below || (found && first < *sequence))
			continue;
		*sequence = first;
		found = true;
	}
	return found;
}

void journal_newest_metas(int directory, void (*meta)(void *context, const void *payload, uint32_t size), void *context)
{
	struct metas metas = {.pass = meta, .context = context};
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sequence = UINT64_MAX;

	if (files == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	/* One that was begun when the process ended has no record yet. */
	while (metas.count == 0 && find_below(files, &sequence))
		read_segment(directory, sequence, &metas);
	closedir(files);
}
