#include "server/disk/journal_recover.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/disk.h"

/* The journal was written past the page cache, so it is read directly from the disk: 1.3 GB/s with O_DIRECT in pieces
 * of this size, 0.6 GB/s through the cache (measured). */
#define READ_BYTES (4u << 20)
/* The shortest frame that holds a record; a CUT record has this size. */
#define CUT_BYTES 48u

/* State of reading one journal. */
struct recover {
	int directory;
	const char *path;
	journal_reader *reader;
	void *context;
	struct journal_recovery *recovery;
	struct recovered *recovered;
	uint8_t *bytes; /* one segment at a time */
	size_t capacity;
	char name[SEGMENT_NAME_SIZE]; /* of that segment */
	uint32_t size;
	uint64_t expected; /* the next frame's sequence */
};

/* Sets the outcome, once; returns false for the caller to pass on. */
__attribute__((format(printf, 3, 4))) static bool fail(struct recover *recover, enum journal_outcome outcome,
						       const char *format, ...)
{
	struct journal_recovery *recovery = recover->recovery;
	va_list arguments;

	recovery->outcome = outcome;
	va_start(arguments, format);
	vsnprintf(recovery->error, sizeof recovery->error, format, arguments);
	va_end(arguments);
	return false;
}

static bool fail_io(struct recover *recover, const char *what)
{
	return fail(recover, JOURNAL_IO_ERROR, "cannot %s %s/%s: %s", what,
		    recover->path, recover->name, disk_error(errno));
}

/* --- listing ------------------------------------------------------------------------------------------------------ */

static bool fail_list(struct recover *recover)
{
	return fail(recover, JOURNAL_IO_ERROR, "cannot list %s: %s", recover->path, disk_error(errno));
}

static int by_sequence(const void *a, const void *b)
{
	const struct segment_info *left = a, *right = b;

	return (left->first_sequence > right->first_sequence) - (left->first_sequence < right->first_sequence);
}

static bool list_segments(struct recover *recover)
{
	struct recovered *recovered = recover->recovered;
	uint32_t count = 0, capacity = 0;
	int fd = openat(recover->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (listing == NULL) {
		if (fd >= 0)
			close(fd);
		return fail_list(recover);
	}
	while (errno = 0, (entry = readdir(listing)) != NULL) {
		uint64_t first;

		if (!segment_name_parse(entry->d_name, &first))
			continue;
		if (count == capacity) {
			capacity = capacity == 0 ? 16 : capacity * 2;
			recovered->infos = realloc(recovered->infos, capacity * sizeof *recovered->infos);
			must_allocate(recovered->infos);
		}
		recovered->infos[count++] = (struct segment_info){.first_sequence = first};
	}

	int failed = errno;

	closedir(listing);
	errno = failed;
	if (failed != 0) /* RULE 14: what could not be listed is not known to be missing */
		return fail_list(recover);
	if (count > 0)
		qsort(recovered->infos, count, sizeof *recovered->infos, by_sequence);
	recover->recovery->segments = count;
	return true;
}

/* --- one segment -------------------------------------------------------------------------------------------------- */

/* Where O_DIRECT does not work: uses the page cache. False when the cache was already in use. */
static bool through_cache(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_DIRECT) != 0 && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

static bool fail_kind(struct recover *recover)
{
	return fail(recover, JOURNAL_IO_ERROR, "%s/%s is no regular file: move it away", recover->path, recover->name);
}

static bool read_whole(struct recover *recover, int fd, struct segment_info *own)
{
	struct stat info;
	size_t done = 0;

	if (fstat(fd, &info) != 0)
		return fail_io(recover, "read");
	if (!S_ISREG(info.st_mode))
		return fail_kind(recover);
	own->device = info.st_dev;
	own->inode = info.st_ino;
	own->size = (uint64_t)info.st_size;
	if (info.st_size < SEGMENT_DATA || info.st_size > UINT32_MAX || info.st_size % SEGMENT_DATA != 0)
		return fail(recover, JOURNAL_DAMAGED, "%s/%s has %lld bytes: it is damaged", recover->path,
			    recover->name, (long long)info.st_size);
	recover->size = (uint32_t)info.st_size;
	if (recover->size > recover->capacity) {
		free(recover->bytes);
		void *bytes;

		if (posix_memalign(&bytes, SEGMENT_DATA, recover->size) != 0)
			shortage_of_memory(__func__);
		recover->bytes = bytes;
		recover->capacity = recover->size;
	}
	while (done < recover->size) {
		size_t left = recover->size - done;
		ssize_t got = pread(fd, recover->bytes + done, left < READ_BYTES ? left : READ_BYTES, (off_t)done);

		if (got < 0 && (errno == EINTR || (errno == EINVAL && through_cache(fd))))
			continue;
		if (got <= 0)
			return fail_io(recover, "read");
		done += (size_t)got;
	}
	return true;
}

static bool load_segment(struct recover *recover, uint32_t index)
{
	struct journal_recovery *recovery = recover->recovery;
	struct segment_header header;

	segment_name(recover->recovered->infos[index].first_sequence, recover->name);
	/* Without waiting for a writer, in case a pipe has that name. */
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = openat(recover->directory, recover->name, flags | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		fd = openat(recover->directory, recover->name, flags);
	if (fd < 0)
		return errno == ELOOP ? fail_kind(recover) : fail_io(recover, "open");
	bool read = read_whole(recover, fd, &recover->recovered->infos[index]);

	close(fd);
	if (!read)
		return false;
	switch (segment_header_read(recover->bytes, &header)) {
	case SEGMENT_HEADER_NEWER:
		return fail(recover, JOURNAL_NEWER_FORMAT,
			    "%s/%s has journal format %" PRIu32 " and this program knows up to %d: it needs an upgrade",
			    recover->path, recover->name, header.version, SEGMENT_VERSION);
	case SEGMENT_HEADER_OLDER:
		return fail(recover, JOURNAL_OLDER_FORMAT,
			    "%s/%s has journal format %" PRIu32 " and this program reads format %d: use the older one",
			    recover->path, recover->name, header.version, SEGMENT_VERSION);
	case SEGMENT_HEADER_BAD:
		return fail(recover, JOURNAL_DAMAGED, "%s/%s has no valid header: it is damaged", recover->path,
			    recover->name);
	case SEGMENT_HEADER_OK:
		break;
	}
	if (index > 0 && !uuid_equal(header.uuid, recovery->uuid))
		return fail(recover, JOURNAL_FOREIGN,
			    "%s/%s belongs to another replica than the segments before it: restore the files of one "
			    "backup only",
			    recover->path, recover->name);
	recovery->uuid = header.uuid;
	recover->recovered->salt = header.salt;
	return true;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

void segment_info_add(struct segment_info *infos, uint32_t count, uint32_t kind, uint64_t op_end)
{
	struct segment_info *own = &infos[count - 1];

	if (kind == JH_DISK_STATE) {
		/* Its snapshot, durable before this record was written, and the staged batches up to op_end replace
		 * everything before it: a later snapshot at op_end or above covers it all. */
		for (uint32_t i = 0; i < count; i++)
			if (infos[i].op > op_end)
				infos[i].op = op_end;
	}
	if (kind != JH_DISK_META && op_end > own->op)
		own->op = op_end;
}

static bool read_record(struct recover *recover, uint32_t index, const struct frame_header *frame, const void *payload)
{
	struct journal_recovery *recovery = recover->recovery;
	struct journal_record record = {.sequence = recover->expected,
					.payload = payload,
					.size = le32toh(frame->size),
					.repeated = recover->expected > 1 &&
						    recover->expected == recover->recovered->infos[index].first_sequence};
	uint64_t staged_end = 0;
	uint32_t kind = 0;

	if (record.size >= sizeof kind)
		memcpy(&kind, payload, sizeof kind);
	record.kind = be32toh(kind);
	if (record.kind > JH_DISK_CUT)
		return fail(recover, JOURNAL_NEWER_FORMAT,
			    "%s/%s has a record of kind %" PRIu32
			    " that this program does not know: it needs an upgrade",
			    recover->path, recover->name, record.kind);
	if (record.kind == JH_DISK_META) {
		recover->recovered->meta = realloc(recover->recovered->meta, record.size);
		must_allocate(recover->recovered->meta);
		memcpy(recover->recovered->meta, payload, record.size);
		recover->recovered->meta_size = record.size;
	} else if (record.kind == JH_DISK_STATE && record.size == STATE_BYTES) {
		uint64_t last_op;

		memcpy(&last_op, (const uint8_t *)payload + STATE_BYTES - sizeof last_op, sizeof last_op);
		recovery->op = be64toh(last_op);
	} else if ((record.kind == JH_DISK_BATCH || record.kind == JH_DISK_STAGED) &&
		   journal_batch_decode(payload, record.size, &record.batch)) {
		if (!record.batch.staged)
			recovery->op = record.batch.base_op + record.batch.entries_count;
		else
			staged_end = record.batch.base_op + record.batch.entries_count;
	} else if (record.kind != JH_DISK_CUT || record.size != sizeof kind) {
		return fail(recover, JOURNAL_DAMAGED, "%s/%s: record %" PRIu64 " is malformed: it is damaged",
			    recover->path, recover->name, record.sequence);
	}
	if (recover->recovered->meta == NULL) /* RULE 14 */
		return fail(recover, JOURNAL_DAMAGED, "%s/%s does not begin with META: it is damaged", recover->path,
			    recover->name);
	/* Staged entries do not end the log, but a segment that holds them is needed until a snapshot covers them. */
	segment_info_add(recover->recovered->infos, index + 1, record.kind, staged_end > 0 ? staged_end : recovery->op);

	char why[256] = "it does not follow from what is before it";

	if (!recover->reader(recover->context, &record, why, sizeof why))
		return fail(recover, JOURNAL_DAMAGED, "%s/%s: record %" PRIu64 ": %s", recover->path, recover->name,
			    record.sequence, why);
	recovery->records++;
	return true;
}

/* Reads the frames of the loaded segment up to the first invalid one; sets the tail to it. */
static bool read_frames(struct recover *recover, uint32_t index)
{
	struct recovered *recovered = recover->recovered;
	uint32_t offset = SEGMENT_DATA;

	while (frame_valid(recover->bytes + offset, recover->size - offset, recovered->salt)) {
		struct frame_header frame;

		memcpy(&frame, recover->bytes + offset, sizeof frame);
		if (le64toh(frame.sequence) != recover->expected) /* RULE 14 */
			break;
		if (frame.size != 0 && !read_record(recover, index, &frame, recover->bytes + offset + sizeof frame))
			return false;
		recover->recovery->sequence = recover->expected++;
		offset += le32toh(frame.span);
	}
	recovered->tail = offset;
	recovered->infos[index].bytes = offset;
	recover->recovery->bytes += offset;
	return true;
}

/* The end of the last non-zero word at or after the tail. */
static uint32_t find_dirty_end(const struct recover *recover)
{
	uint32_t end = recover->size;

	while (end > recover->recovered->tail) {
		uint64_t word;

		memcpy(&word, recover->bytes + end - sizeof word, sizeof word);
		if (word != 0)
			break;
		end -= (uint32_t)sizeof word;
	}
	return end;
}

/* RULE 14. A later frame which says that the unreadable one was durable. */
static bool find_witness(const struct recover *recover, struct frame_header *frame)
{
	const struct recovered *recovered = recover->recovered;

	for (uint32_t at = recovered->tail; at < recovered->dirty_end; at += 8) {
		size_t available = recover->size - at;

		if (available < sizeof *frame)
			break;
		memcpy(frame, recover->bytes + at, sizeof *frame);
		if (le64toh(frame->durable) >= recover->expected && le64toh(frame->salt) == recovered->salt &&
		    frame_valid(recover->bytes + at, available, recovered->salt))
			return true;
	}
	return false;
}

/* RULE 14. Every write ends at a sector, and after the tail of the last segment there should be zeros. Otherwise there
 * is either an unfinished write, or a durable record that cannot be read. Only one write is ever under way, and it may
 * reach the disk in any order, so a whole frame after a broken one proves nothing by itself. But every frame says what
 * was durable when its write began: a frame that calls the broken one durable was written after the broken one had
 * been acknowledged. */
static bool classify_tail(struct recover *recover)
{
	struct recovered *recovered = recover->recovered;
	struct frame_header witness;

	recovered->dirty_end = find_dirty_end(recover);
	if (recovered->dirty_end == recovered->tail && recovered->tail % SEGMENT_SECTOR == 0)
		return true;
	if (find_witness(recover, &witness))
		return fail(recover, JOURNAL_DAMAGED,
			    "%s/%s: record %" PRIu64 " at byte %" PRIu32 " cannot be read, and record %" PRIu64
			    " behind it says that it was durable: it is damaged",
			    recover->path, recover->name, recover->expected, recovered->tail,
			    le64toh(witness.sequence));
	/* Within a write another frame follows, and that one is no shorter. */
	if (recover->size - recovered->tail < CUT_BYTES)
		return fail(recover, JOURNAL_DAMAGED, "%s/%s ends where no write ends: it is damaged", recover->path,
			    recover->name);
	fail(recover, JOURNAL_TAIL_CUT, "%s/%s: a last write did not finish: tail cut at op %" PRIu64 ", byte %" PRIu32,
	     recover->path, recover->name, recover->recovery->op, recovered->tail);
	return true;
}

static bool read_segment(struct recover *recover, uint32_t index)
{
	const struct segment_info *infos = recover->recovered->infos;

	if (!load_segment(recover, index))
		return false;
	if (index == 0)
		recover->expected = infos[0].first_sequence;
	/* A segment is started only when everything before it is durable. */
	if (recover->expected != infos[index].first_sequence) /* RULE 14 */
		return fail(recover, JOURNAL_DAMAGED,
			    "%s/%s should begin with record %" PRIu64 ": what is before it is damaged or missing",
			    recover->path, recover->name, recover->expected);
	if (!read_frames(recover, index))
		return false;
	/* Older segments are removed only when META is durable in a newer one. */
	if (recover->expected != 1 && recover->recovered->meta == NULL) /* RULE 14 */
		return fail(recover, JOURNAL_DAMAGED, "%s/%s holds no META record: it is damaged", recover->path,
			    recover->name);
	return index + 1 < recover->recovery->segments || classify_tail(recover);
}

/* --- the whole journal -------------------------------------------------------------------------------------------- */

void recover_read(int directory, const char *path, journal_reader *reader, void *context,
		  struct journal_recovery *recovery, struct recovered *recovered)
{
	struct recover recover = {.directory = directory,
				  .path = path,
				  .reader = reader,
				  .context = context,
				  .recovery = recovery,
				  .recovered = recovered};

	*recovery = (struct journal_recovery){.outcome = JOURNAL_OK};
	*recovered = (struct recovered){0};
	if (list_segments(&recover))
		for (uint32_t i = 0; i < recovery->segments; i++)
			if (!read_segment(&recover, i))
				break;
	free(recover.bytes);
}

/* --- the end of the log ------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *bytes, size_t size, uint32_t offset)
{
	const uint8_t *from = bytes;

	while (size > 0) {
		ssize_t done = pwrite(fd, from, size, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		from += done;
		size -= (size_t)done;
		offset += (uint32_t)done;
	}
	return true;
}

static bool write_zeros(int fd, uint32_t from, uint32_t end)
{
	static const uint8_t zeros[SEGMENT_CHUNK];
	uint32_t size;

	for (; from < end; from += size) {
		size = end - from < sizeof zeros ? end - from : (uint32_t)sizeof zeros;
		if (!write_all(fd, zeros, size, from))
			return false;
	}
	return true;
}

/* The CUT record fills the last kept sector, and more where the disk has larger sectors. What was kept is durable by
 * now, and the record says so. */
static bool write_cut(int fd, struct journal_recovery *recovery, struct recovered *recovered)
{
	uint8_t bytes[CUT_BYTES + SEGMENT_DATA] = {0};
	uint32_t kind = htobe32(JH_DISK_CUT), end = recovered->tail + CUT_BYTES;
	struct frame_header frame = {.size = htole32(sizeof kind)};

	end = (end + SEGMENT_DATA - 1) / SEGMENT_DATA * SEGMENT_DATA;
	memcpy(bytes, &frame, sizeof frame);
	memcpy(bytes + sizeof frame, &kind, sizeof kind);
	frame_seal((struct frame_header *)(void *)bytes, recovered->salt, recovery->sequence + 1, recovery->sequence,
		   end - recovered->tail);
	if (!write_all(fd, bytes, end - recovered->tail, recovered->tail) || fdatasync(fd) != 0)
		return false;
	recovery->sequence++;
	recovered->tail = recovered->dirty_end = end;
	recovered->infos[recovery->segments - 1].bytes = end;
	return true;
}

/* A segment without a record has lost at most its copy of META: it is started over, and there is nothing to report. */
static bool cut(int fd, struct journal_recovery *recovery, struct recovered *recovered)
{
	static const uint64_t evidence = UINT64_MAX; /* no salt */
	uint32_t from = recovered->tail;

	if (recovered->tail > SEGMENT_DATA) {
		if (!write_all(fd, &evidence, sizeof evidence, from) || fdatasync(fd) != 0)
			return false;
		from += (uint32_t)sizeof evidence;
	}
	return write_zeros(fd, from, recovered->dirty_end) && fdatasync(fd) == 0 &&
	       (recovered->tail == SEGMENT_DATA || write_cut(fd, recovery, recovered));
}

bool recover_cut(int directory, const char *name, struct journal_recovery *recovery, struct recovered *recovered)
{
	int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0;

	if (done && recovery->outcome == JOURNAL_TAIL_CUT)
		done = cut(fd, recovery, recovered);
	/* Also when there is nothing to cut: what a killed process wrote may have been read from memory, not yet from
	 * disk. */
	done = done && fdatasync(fd) == 0;

	int failed = errno;

	if (fd >= 0)
		close(fd);
	errno = failed;
	return done;
}
