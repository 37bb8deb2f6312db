#include "server/disk/journal_segment.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xxhash.h>

#include "rpc/base/must.h"

static const char segment_magic[8] = {'J', 'H', 'J', 'O', 'U', 'R', 'N', '\n'};
static const char name_prefix[] = "journal-";
static const _Alignas(SEGMENT_DATA) uint8_t zeros[SEGMENT_CHUNK];

/* --- frames ------------------------------------------------------------------------------------------------------- */

#define CHECKED_FROM offsetof(struct frame_header, sequence)

static uint64_t frame_checksum(const void *frame, uint32_t payload_size, uint64_t salt)
{
	const uint8_t *bytes = frame;

	return XXH3_64bits_withSeed(bytes + CHECKED_FROM, sizeof(struct frame_header) - CHECKED_FROM + payload_size,
				    salt);
}

void frame_seal(struct frame_header *frame, uint64_t salt, uint64_t sequence, uint64_t durable, uint32_t span)
{
	uint32_t size = le32toh(frame->size);

	must(durable < sequence);
	must(span >= frame_span(size) && span % 8 == 0);
	frame->salt = htole64(salt);
	frame->sequence = htole64(sequence);
	frame->durable = htole64(durable);
	frame->span = htole32(span);
	frame->checksum = htole64(frame_checksum(frame, size, salt));
}

bool frame_valid(const void *at, size_t available, uint64_t salt)
{
	struct frame_header frame;

	if (available < sizeof frame)
		return false;
	memcpy(&frame, at, sizeof frame);
	uint32_t size = le32toh(frame.size);
	uint32_t span = le32toh(frame.span);

	if (le64toh(frame.salt) != salt || size > available - sizeof frame)
		return false;
	return span >= frame_span(size) && span <= available && span % 8 == 0 &&
	       le64toh(frame.durable) < le64toh(frame.sequence) &&
	       le64toh(frame.checksum) == frame_checksum(at, size, salt);
}

/* --- names and headers -------------------------------------------------------------------------------------------- */

const char *segment_name(uint64_t first_sequence, char name[static SEGMENT_NAME_SIZE])
{
	snprintf(name, SEGMENT_NAME_SIZE, "%s%020" PRIu64, name_prefix, first_sequence);
	return name;
}

bool segment_name_parse(const char *name, uint64_t *first_sequence)
{
	size_t prefix = sizeof name_prefix - 1;

	if (strncmp(name, name_prefix, prefix) != 0 || strlen(name + prefix) != 20 ||
	    strspn(name + prefix, "0123456789") != 20)
		return false;
	errno = 0;
	*first_sequence = strtoull(name + prefix, NULL, 10);
	return errno == 0;
}

static uint64_t header_checksum(const struct segment_header *header)
{
	return htole64(XXH3_64bits(header, offsetof(struct segment_header, checksum)));
}

enum segment_header_state segment_header_read(const void *bytes, struct segment_header *header)
{
	memcpy(header, bytes, sizeof *header);
	if (memcmp(header->magic, segment_magic, sizeof segment_magic) != 0)
		return SEGMENT_HEADER_BAD;
	header->version = le32toh(header->version);
	if (header->version > SEGMENT_VERSION)
		return SEGMENT_HEADER_NEWER; /* the position of later fields may have changed */
	if (header->version < SEGMENT_VERSION && header->version > 0)
		return SEGMENT_HEADER_OLDER;
	header->version = htole32(header->version);
	if (header->checksum != header_checksum(header)) /* RULE 14 */
		return SEGMENT_HEADER_BAD;
	header->version = le32toh(header->version);
	header->salt = le64toh(header->salt);
	return header->version == SEGMENT_VERSION && header->salt != 0 ? SEGMENT_HEADER_OK : SEGMENT_HEADER_BAD;
}

static uint64_t salt_draw(void)
{
	uint64_t salt = 0;

	/* Not a small number either: a scan for the salt should not stop at counters and sizes. */
	while (salt >> 32 == 0)
		must(getrandom(&salt, sizeof salt, 0) == sizeof salt);
	return salt;
}

static bool header_write(struct segment *segment, struct uuid uuid)
{
	_Alignas(SEGMENT_DATA) uint8_t block[SEGMENT_DATA] = {0};
	struct segment_header header = {.version = htole32(SEGMENT_VERSION), .uuid = uuid};

	segment->salt = salt_draw();
	header.salt = htole64(segment->salt);
	memcpy(header.magic, segment_magic, sizeof segment_magic);
	header.checksum = header_checksum(&header);
	memcpy(block, &header, sizeof header);
	return segment_write(segment, block, sizeof block, 0);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/* The alignment of offsets for O_DIRECT here; 0: the file system does not say, or requires too much. */
static uint32_t direct_alignment(int fd)
{
	struct statx info;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) != 0 || (info.stx_mask & STATX_DIOALIGN) == 0 ||
	    info.stx_dio_offset_align == 0 || info.stx_dio_offset_align > SEGMENT_DATA ||
	    info.stx_dio_mem_align > SEGMENT_DATA)
		return 0;
	return info.stx_dio_offset_align < SEGMENT_SECTOR ? SEGMENT_SECTOR : info.stx_dio_offset_align;
}

static int open_with(int directory, const char *name, int flags, uint32_t *sector)
{
	int fd = openat(directory, name, O_RDWR | O_CLOEXEC | O_DIRECT | flags, 0600);

	if (fd >= 0) {
		*sector = direct_alignment(fd);
		if (*sector != 0)
			return fd;
		close(fd);
	} else if (errno != EINVAL) {
		return -1;
	}
	*sector = SEGMENT_SECTOR;
	return openat(directory, name, O_RDWR | O_CLOEXEC | flags, 0600);
}

bool segment_open(int directory, const char *name, uint32_t offset, struct segment *segment)
{
	struct stat info;

	segment->fd = open_with(directory, name, 0, &segment->sector);
	segment->syncs = true;
	if (segment->fd < 0)
		return false;
	if (fstat(segment->fd, &info) != 0 ||
	    (offset % segment->sector != 0 && fcntl(segment->fd, F_SETFL, 0) != 0)) {
		segment_close(segment);
		return false;
	}
	if (offset % segment->sector != 0)
		segment->sector = SEGMENT_SECTOR; /* copied here from a disk with smaller sectors: continue through the
						   * page cache */
	segment->size = (uint32_t)info.st_size;
	return true;
}

void segment_close(struct segment *segment)
{
	if (segment->fd >= 0)
		close(segment->fd);
	segment->fd = -1;
}

struct segment_file segment_file(const struct segment *segment)
{
	struct statx info;

	/* The times are never requested: a kernel with fine-grained times would then have a new one to write with the
	 * next record, and each sync would take half as long again (ext4, measured). */
	if (statx(segment->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_NLINK | STATX_SIZE, &info) != 0)
		return (struct segment_file){0}; /* unknown: the next write will fail if the file does */
	return (struct segment_file){.device = makedev(info.stx_dev_major, info.stx_dev_minor),
				     .inode = info.stx_ino,
				     .size = info.stx_size,
				     .lost = info.stx_nlink == 0 || info.stx_size < segment->size};
}

/* Reserves the space of the whole file now, so that no write into it can fail for lack of it. */
static bool reserve(int fd, uint32_t size)
{
	int failed = posix_fallocate(fd, 0, size);

	errno = failed;
	return failed == 0;
}

bool segment_create(int directory, const char *name, uint32_t size, struct uuid uuid, struct segment *segment)
{
	must(size % SEGMENT_DATA == 0 && size > SEGMENT_DATA);
	segment->size = size;
	segment->syncs = false;
	segment->fd = open_with(directory, name, O_CREAT | O_TRUNC, &segment->sector);
	if (segment->fd < 0)
		return false;
	if (reserve(segment->fd, size) && header_write(segment, uuid) && fsync(segment->fd) == 0)
		return true;

	int failed = errno;

	segment_close(segment);
	unlinkat(directory, name, 0); /* half a segment must not use up the last space */
	errno = failed;
	return false;
}

bool segment_finish(int directory, const char *name, struct segment *segment)
{
	uint64_t salt = segment->salt;

	if (fsync(segment->fd) != 0)
		return false;
	segment_close(segment);
	if (!segment_open(directory, name, SEGMENT_DATA, segment))
		return false;
	segment->salt = salt;
	return true;
}

bool segment_zero_chunk(const struct segment *segment, uint32_t offset)
{
	must(offset >= SEGMENT_DATA && offset % SEGMENT_DATA == 0 && offset < segment->size);
	uint32_t size = segment->size - offset < SEGMENT_CHUNK ? segment->size - offset : SEGMENT_CHUNK;

	return segment_write(segment, zeros, size, offset);
}

bool segment_write(const struct segment *segment, const void *bytes, size_t size, uint32_t offset)
{
	const uint8_t *from = bytes;

	must(offset % segment->sector == 0 && size % segment->sector == 0);
	must(size <= segment->size && offset <= segment->size - size);
	while (size > 0) {
		ssize_t done = pwrite(segment->fd, from, size, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		/* Devices do not stop a write inside a sector; a file system that runs out of space may. */
		if (done == 0 || (size_t)done % segment->sector != 0) {
			errno = ENOSPC;
			return false;
		}
		from += done;
		size -= (size_t)done;
		offset += (uint32_t)done;
	}
	/* RULE 1 */
	return !segment->syncs || fdatasync(segment->fd) == 0;
}
