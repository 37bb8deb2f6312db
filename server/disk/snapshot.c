#include "server/disk/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/disk/snapshot_format.h"

#define SYNC_BYTES (1u << 20)
#define SLEEP_SLICE_US 20000
#define NAME_PREFIX "snapshot-"
#define NAME_DIGITS 20

struct snapshot_writer {
	char path[PATH_MAX];
	int file;
	uint64_t written; /* bytes of the file so far */
	uint64_t synced;
	uint64_t checksum;
	struct snapshot_header so_far;
};

/* --- a state received in chunks ----------------------------------------------------------------------------------- */

static bool fail(const struct snapshot_writer *writer, const char *what, char *error, size_t error_size)
{
	snprintf(error, error_size, "cannot write the snapshot %s: %s", writer->path, what);
	return false;
}

static bool reserve(struct snapshot_writer *writer, uint64_t bytes)
{
	uint64_t frames = bytes / (LIMIT_STATE_CHUNK_BYTES / 2) + 2;
	off_t total = (off_t)(HEADER_BYTES + bytes + frames * FRAME_BYTES);

	/* Also so that a journal's fsync need not allocate our blocks first. */
	return bytes == 0 || fallocate(writer->file, FALLOC_FL_KEEP_SIZE, 0, total) == 0 || errno == EOPNOTSUPP;
}

struct snapshot_writer *snapshot_begin(const char *directory, const char *name, uint64_t bytes, char *error,
				       size_t error_size)
{
	struct snapshot_writer *writer = calloc(1, sizeof *writer);

	must_allocate(writer);
	writer->written = writer->synced = HEADER_BYTES;
	int length = snprintf(writer->path, sizeof writer->path, "%s/%s", directory, name);

	if (length >= (int)sizeof writer->path) {
		snprintf(error, error_size, "cannot write a snapshot: the path of the data directory is too long");
		free(writer);
		return NULL;
	}
	writer->file = open(writer->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (writer->file < 0) {
		fail(writer, disk_error(errno), error, error_size);
		free(writer);
		return NULL;
	}
	if (!reserve(writer, bytes)) {
		fail(writer, disk_error(errno), error, error_size);
		snapshot_abandon(writer);
		return NULL;
	}
	return writer;
}

void snapshot_abandon(struct snapshot_writer *writer)
{
	if (writer == NULL)
		return;
	close(writer->file);
	unlink(writer->path);
	free(writer);
}

static bool write_all(struct snapshot_writer *writer, const void *bytes, size_t size, uint64_t offset)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		ssize_t done = pwrite(writer->file, at, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		offset += (uint64_t)done;
		size -= (size_t)done;
	}
	return true;
}

static bool write_frame(struct snapshot_writer *writer, struct frame frame)
{
	uint8_t bytes[FRAME_BYTES];

	encode_word(bytes, frame.size);
	encode_word(bytes + 4, frame.number);
	encode_hyper(bytes + 8, frame.checksum);
	if (!write_all(writer, bytes, sizeof bytes, writer->written))
		return false;
	writer->written += sizeof bytes;
	return true;
}

/* Waits until the written data is on its way to the disk, so that dirty pages never pile up before a journal's
 * fsync. */
static bool write_out(struct snapshot_writer *writer)
{
	const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	uint64_t size = writer->written - writer->synced;

	if (size < SYNC_BYTES)
		return true;
	if (sync_file_range(writer->file, (off_t)writer->synced, (off_t)size, all) != 0 && errno != ENOSYS &&
	    errno != EINVAL)
		return false;
	writer->synced = writer->written;
	return true;
}

/* Tracks count and digest over whole records; false when they are not whole. */
static bool follow(struct snapshot_header *so_far, const uint8_t *records, size_t size)
{
	while (size > 0) {
		if (size < 4)
			return false;
		uint32_t body = decode_word(records);

		if (body % 4 != 0 || body > size - 4)
			return false;
		so_far->summary.digest = digest_chain(so_far->summary.digest, records + 4, body);
		so_far->orders_count++;
		so_far->bytes += 4 + body;
		records += 4 + body;
		size -= 4 + body;
	}
	return true;
}

bool snapshot_append(struct snapshot_writer *writer, const void *records, size_t size, char *error, size_t error_size)
{
	struct frame frame = {.size = (uint32_t)size, .number = (uint32_t)writer->so_far.chunks + 1};

	if (size == 0 || size > LIMIT_STATE_CHUNK_BYTES || !follow(&writer->so_far, records, size))
		return fail(writer, "a chunk of the state is malformed", error, error_size);
	frame.checksum = XXH3_64bits(records, size);
	if (!write_frame(writer, frame) || !write_all(writer, records, size, writer->written))
		return fail(writer, disk_error(errno), error, error_size);
	writer->written += size;
	writer->checksum = chain_checksum(writer->checksum, frame.checksum);
	writer->so_far.chunks++;
	if (!write_out(writer))
		return fail(writer, disk_error(errno), error, error_size);
	return true;
}

static bool write_header(struct snapshot_writer *writer, const struct snapshot_header *header)
{
	uint8_t bytes[HEADER_BYTES] = {0};

	memcpy(bytes, MAGIC, 8);
	encode_word(bytes + 8, SNAPSHOT_FORMAT);
	encode_word(bytes + 12, HEADER_BYTES);
	encode_hyper(bytes + 16, header->summary.op);
	encode_hyper(bytes + 24, header->summary.initial_count);
	encode_hyper(bytes + 32, header->orders_count);
	encode_hyper(bytes + 40, header->bytes);
	encode_hyper(bytes + 48, header->summary.digest.low);
	encode_hyper(bytes + 56, header->summary.digest.high);
	encode_hyper(bytes + 64, header->chunks);
	encode_hyper(bytes + HEADER_BYTES - 8, XXH3_64bits(bytes, HEADER_BYTES - 8));
	return write_all(writer, bytes, sizeof bytes, 0);
}

/* The file is complete only with its header, which is written after everything else is durable. */
static bool complete(struct snapshot_writer *writer)
{
	struct frame trailer = {.number = (uint32_t)writer->so_far.chunks, .checksum = writer->checksum};

	return write_frame(writer, trailer) && ftruncate(writer->file, (off_t)writer->written) == 0 &&
	       fdatasync(writer->file) == 0 && write_header(writer, &writer->so_far) && fsync(writer->file) == 0;
}

bool snapshot_finish(struct snapshot_writer *writer, const struct snapshot_summary *expected, char *error,
		     size_t error_size)
{
	struct snapshot_header *so_far = &writer->so_far;

	so_far->summary.op = expected->op;
	so_far->summary.initial_count = expected->initial_count;
	if (so_far->orders_count != expected->initial_count + expected->op ||
	    !digest_equal(so_far->summary.digest, expected->digest)) {
		fail(writer, "what was appended is not the state that was announced", error, error_size);
		goto abandon;
	}
	if (!complete(writer)) {
		fail(writer, disk_error(errno), error, error_size);
		goto abandon;
	}
	close(writer->file);
	free(writer);
	return true;
abandon:
	snapshot_abandon(writer);
	return false;
}

static bool sync_directory(const char *directory)
{
	int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = file >= 0 && fsync(file) == 0; /* RULE 1 */
	int problem = errno;

	if (file >= 0)
		close(file);
	errno = problem;
	return good;
}

bool snapshot_publish(const char *directory, const char *name, uint64_t op, char *error, size_t error_size)
{
	char from[PATH_MAX], to[PATH_MAX];
	bool fits = snprintf(from, sizeof from, "%s/%s", directory, name) < (int)sizeof from &&
		    snapshot_path(directory, op, to, sizeof to);

	if (fits && rename(from, to) == 0 && sync_directory(directory))
		return true;
	snprintf(error, error_size, "cannot give the snapshot %s/%s its name: %s", directory, name,
		 fits ? disk_error(errno) : "its path is too long");
	return false;
}

/* --- this replica's own state ------------------------------------------------------------------------------------- */

static bool stopped(const struct snapshot_pace *pace)
{
	return pace->stop != NULL && atomic_load_explicit(pace->stop, memory_order_relaxed);
}

static void sleep_between(const struct snapshot_pace *pace, uint64_t size)
{
	uint64_t left_us = pace->bytes_per_second == 0 ? 0 : size * 1000000 / pace->bytes_per_second;

	while (left_us > 0 && !stopped(pace)) {
		uint64_t slice_us = left_us < SLEEP_SLICE_US ? left_us : SLEEP_SLICE_US;
		struct timespec slice = {.tv_nsec = (long)slice_us * 1000};

		nanosleep(&slice, NULL);
		left_us -= slice_us;
	}
}

static enum snapshot_written write_chunks(struct snapshot_writer *writer, const struct history *history, uint64_t op,
					  const struct snapshot_pace *pace, char *error, size_t error_size)
{
	uint64_t count = history_loaded(history) + op;
	enum snapshot_written result = SNAPSHOT_WRITTEN;
	uint8_t *chunk = malloc(LIMIT_STATE_CHUNK_BYTES);

	must_allocate(chunk);
	for (uint64_t next = 0; next < count && result == SNAPSHOT_WRITTEN;) {
		size_t size = history_encode(history, next, op, &next, chunk, LIMIT_STATE_CHUNK_BYTES);

		if (!snapshot_append(writer, chunk, size, error, error_size))
			result = SNAPSHOT_FAILED;
		else if (stopped(pace))
			result = SNAPSHOT_STOPPED;
		else
			sleep_between(pace, size);
	}
	free(chunk);
	return result;
}

struct snapshot_summary snapshot_summary_of(const struct history *history)
{
	return (struct snapshot_summary){.op = history_op(history), .initial_count = history_loaded(history),
					 .digest = history_digest(history)};
}

enum snapshot_written snapshot_write(const char *directory, const struct history *history,
				     const struct snapshot_summary *summary, const struct snapshot_pace *pace,
				     char *error, size_t error_size)
{
	struct snapshot_writer *writer =
		snapshot_begin(directory, SNAPSHOT_TEMPORARY, history_bytes(history), error, error_size);

	if (writer == NULL)
		return SNAPSHOT_FAILED;
	must(summary->initial_count == history_loaded(history));
	enum snapshot_written result = write_chunks(writer, history, summary->op, pace, error, error_size);

	if (result != SNAPSHOT_WRITTEN) {
		snapshot_abandon(writer);
		return result;
	}
	if (!snapshot_finish(writer, summary, error, error_size))
		return SNAPSHOT_FAILED;
	if (!snapshot_publish(directory, SNAPSHOT_TEMPORARY, summary->op, error, error_size)) {
		snapshot_remove_temporary(directory);
		return SNAPSHOT_FAILED;
	}
	return SNAPSHOT_WRITTEN;
}

/* --- the files of a directory ------------------------------------------------------------------------------------- */

bool snapshot_path(const char *directory, uint64_t op, char *path, size_t size)
{
	return snprintf(path, size, "%s/" NAME_PREFIX "%0*" PRIu64, directory, NAME_DIGITS, op) < (int)size;
}

static bool parse_name(const char *name, uint64_t *op)
{
	const size_t prefix = sizeof NAME_PREFIX - 1;

	if (strncmp(name, NAME_PREFIX, prefix) != 0 || strlen(name) != prefix + NAME_DIGITS ||
	    strspn(name + prefix, "0123456789") != NAME_DIGITS)
		return false;
	errno = 0;
	*op = strtoull(name + prefix, NULL, 10);
	return errno == 0;
}

bool snapshot_newest(const char *directory, uint64_t below, uint64_t *op)
{
	DIR *files = opendir(directory);
	struct dirent *file;
	bool found = false;
	uint64_t other;

	if (files == NULL)
		return false;
	while (errno = 0, (file = readdir(files)) != NULL)
		if (parse_name(file->d_name, &other) && other < below && (!found || other > *op)) {
			*op = other;
			found = true;
		}

	int failed = errno;

	closedir(files);
	errno = failed;
	return found && failed == 0;
}

void snapshot_remove_below(const char *directory, uint64_t op)
{
	char path[PATH_MAX];
	uint64_t older = op;

	while (snapshot_newest(directory, older, &older))
		if (!snapshot_path(directory, older, path, sizeof path) || unlink(path) != 0)
			return; /* retried after the next snapshot */
}

void snapshot_remove_temporary(const char *directory)
{
	static const char *const names[] = {SNAPSHOT_TEMPORARY, SNAPSHOT_INCOMING};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (snprintf(path, sizeof path, "%s/%s", directory, names[i]) < (int)sizeof path)
			unlink(path);
}
