/* One file of the journal: its name, its header, the frames in it, and how it is prepared. It knows no queues and no
 * threads. Layout, little-endian:
 *
 *   0     struct segment_header, zero to SEGMENT_DATA
 *   4096  frames: struct frame_header, payload, zero to `span`; the span of a write's last frame ends at a sector
 *   ...   zero to the end: other bytes there are an unfinished write, or damage
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/uuid.h"
#include "rpc/disk.h"

#define SEGMENT_VERSION JH_DISK_FORMAT
#define SEGMENT_DATA 4096u       /* first frame; also the alignment of buffers for O_DIRECT */
#define SEGMENT_NEXT "journal-next"   /* prepared, without a record */
#define SEGMENT_NAME_SIZE 32
#define SEGMENT_CHUNK (64u << 10) /* zeroed at a time */
#define SEGMENT_SECTOR 512u       /* the smallest in use: every write ends at a multiple of it */

struct segment_header {
	char magic[8];
	uint32_t version;
	uint32_t reserved;
	uint64_t salt;
	struct uuid uuid;
	uint64_t checksum; /* of all before it */
};

struct frame_header {
	uint64_t salt;     /* the segment's; never 0. It serves as the magic number */
	uint64_t checksum; /* XXH3-64, seeded with the salt, of everything after it, payload included */
	uint64_t sequence;
	uint64_t durable;  /* the last sequence known durable when this was written: RULE 14 */
	uint32_t size;     /* of the payload; 0: a mark that only carries `durable` */
	uint32_t span;     /* from this frame to the next; a multiple of 8 */
};

_Static_assert(sizeof(struct segment_header) == 48 && sizeof(struct frame_header) == 40, "layouts on disk");

struct segment {
	int fd;
	uint64_t salt;
	uint32_t size;   /* of the file */
	uint32_t sector; /* every write begins and ends at a multiple of it */
	bool syncs;      /* opened for records: each write is durable when it returns */
};

/* The span of a frame inside a write. */
static inline uint32_t frame_span(size_t payload_size)
{
	return (uint32_t)((sizeof(struct frame_header) + payload_size + 7) & ~(size_t)7);
}

/* Fills in a frame's header; the payload follows it in memory. */
void frame_seal(struct frame_header *frame, uint64_t salt, uint64_t sequence, uint64_t durable, uint32_t span);

/* True when the bytes at `at`, of which `available` may be read, are a complete frame of this salt. */
bool frame_valid(const void *at, size_t available, uint64_t salt);

const char *segment_name(uint64_t first_sequence, char name[static SEGMENT_NAME_SIZE]);
/* False when the name is not that of a numbered segment. */
bool segment_name_parse(const char *name, uint64_t *first_sequence);

enum segment_header_state {
	SEGMENT_HEADER_OK,
	SEGMENT_HEADER_NEWER,
	SEGMENT_HEADER_OLDER,
	SEGMENT_HEADER_BAD
};

/* bytes: at least SEGMENT_DATA of them. */
enum segment_header_state segment_header_read(const void *bytes, struct segment_header *header);

/* Opens for writing with O_DIRECT and an fdatasync after each write, without O_DIRECT where the file system does not
 * support it. Measured here (ext4, virtio), p50 of one durable write of 4 kB: 147 us into a fallocated file, 94 us
 * zeroed ahead with fdatasync or O_DSYNC, 88 us zeroed ahead with O_DIRECT | O_DSYNC. offset: where writing continues.
 * Does not change the salt. False with errno. */
bool segment_open(int directory, const char *name, uint32_t offset, struct segment *segment);
void segment_close(struct segment *segment);

/* Makes `name` a fresh segment, replacing a file of that name: all its space reserved, its header with a new salt
 * durable. It reads as zero, but writing is fast only where segment_zero_chunk has been. False with errno; no file is
 * left then. */
bool segment_create(int directory, const char *name, uint32_t size, struct uuid uuid, struct segment *segment);

/* Which file it is, and whether it is still complete: it has a name, and every byte that was reserved for it. */
struct segment_file {
	uint64_t device, inode, size;
	bool lost;
};
struct segment_file segment_file(const struct segment *segment);

/* Writes zeros over SEGMENT_CHUNK bytes at offset, not durably; false with errno. */
bool segment_zero_chunk(const struct segment *segment, uint32_t offset);

/* Completes a new segment: all of it is durable, and its fd can be used by segment_write. False with errno. */
bool segment_finish(int directory, const char *name, struct segment *segment);

/* Writes size bytes (whole sectors) at offset; durable when it returns if the segment came from segment_open or
 * segment_finish. False with errno. bytes: aligned to SEGMENT_DATA. */
bool segment_write(const struct segment *segment, const void *bytes, size_t size, uint32_t offset);
