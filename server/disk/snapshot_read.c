#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/limits.h"
#include "rpc/base/shortage.h"
#include "server/disk/snapshot_format.h"

/* Plain reads instead of a mapping: a disk error or a truncated file is then an error code, not a signal. */
struct reader {
	const char *path;
	int file;
	uint8_t *chunk;
	struct snapshot_header header;
	struct machine *machine;
	char *error;
	size_t error_size;
};

static enum snapshot_outcome damaged(struct reader *reader, const char *what)
{
	snprintf(reader->error, reader->error_size, "the snapshot %s is damaged: %s", reader->path, what);
	return SNAPSHOT_DAMAGED;
}

static enum snapshot_outcome io_error(struct reader *reader)
{
	snprintf(reader->error, reader->error_size, "cannot read the snapshot %s: %s", reader->path, disk_error(errno));
	return SNAPSHOT_IO_ERROR;
}

/* LOADED when all size bytes were read. */
static enum snapshot_outcome read_all(struct reader *reader, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	while (size > 0) {
		ssize_t done = read(reader->file, at, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return io_error(reader);
		if (done == 0)
			return damaged(reader, "it is cut off");
		at += done;
		size -= (size_t)done;
	}
	return SNAPSHOT_LOADED;
}

uint32_t snapshot_format_claimed(const void *bytes)
{
	return memcmp(bytes, MAGIC, 8) == 0 ? decode_word((const uint8_t *)bytes + 8) : 0;
}

static enum snapshot_outcome read_header(struct reader *reader)
{
	uint8_t bytes[HEADER_BYTES_MAX];
	enum snapshot_outcome outcome = read_all(reader, bytes, 16);

	if (outcome != SNAPSHOT_LOADED)
		return outcome;
	uint32_t version = decode_word(bytes + 8), size = decode_word(bytes + 12);

	if (memcmp(bytes, MAGIC, 8) != 0)
		return damaged(reader, "it does not begin like a snapshot");
	if (version > 0 && version < SNAPSHOT_FORMAT) {
		snprintf(reader->error, reader->error_size,
			 "the snapshot %s has format %u, this program reads format %d: use the older one", reader->path,
			 version, SNAPSHOT_FORMAT);
		return SNAPSHOT_OLDER_FORMAT;
	}
	if (version > SNAPSHOT_FORMAT) { /* the position of later fields may have changed */
		snprintf(reader->error, reader->error_size,
			 "the snapshot %s has format %u, this program knows up to %d: upgrade justhungry-server",
			 reader->path, version, SNAPSHOT_FORMAT);
		return SNAPSHOT_NEWER_FORMAT;
	}
	if (size < 24 || size > HEADER_BYTES_MAX)
		return damaged(reader, "its header has an impossible size");
	outcome = read_all(reader, bytes + 16, size - 16);
	if (outcome != SNAPSHOT_LOADED)
		return outcome;
	if (decode_hyper(bytes + size - 8) != XXH3_64bits(bytes, size - 8))
		return damaged(reader, "its header's checksum is wrong");
	if (version != SNAPSHOT_FORMAT || size != HEADER_BYTES)
		return damaged(reader, "its header is none that was ever written");
	reader->header = (struct snapshot_header){
		.summary = {.op = decode_hyper(bytes + 16),
			    .initial_count = decode_hyper(bytes + 24),
			    .digest = {.low = decode_hyper(bytes + 48), .high = decode_hyper(bytes + 56)}},
		.orders_count = decode_hyper(bytes + 32),
		.bytes = decode_hyper(bytes + 40),
		.chunks = decode_hyper(bytes + 64),
	};
	return SNAPSHOT_LOADED;
}

static enum snapshot_outcome read_frame(struct reader *reader, struct frame *frame)
{
	uint8_t bytes[FRAME_BYTES];
	enum snapshot_outcome outcome = read_all(reader, bytes, sizeof bytes);

	if (outcome == SNAPSHOT_LOADED)
		*frame = (struct frame){decode_word(bytes), decode_word(bytes + 4), decode_hyper(bytes + 8)};
	return outcome;
}

static enum snapshot_outcome read_chunk(struct reader *reader, uint32_t number, uint64_t *checksum)
{
	char what[256];
	struct frame frame;
	enum snapshot_outcome outcome = read_frame(reader, &frame);

	if (outcome != SNAPSHOT_LOADED)
		return outcome;
	if (frame.number != number || frame.size == 0 || frame.size > LIMIT_STATE_CHUNK_BYTES)
		return damaged(reader, "a chunk's frame is wrong");
	outcome = read_all(reader, reader->chunk, frame.size);
	if (outcome != SNAPSHOT_LOADED)
		return outcome;
	if (frame.checksum != XXH3_64bits(reader->chunk, frame.size)) {
		snprintf(what, sizeof what, "the checksum of chunk %u of %llu is wrong", number,
			 (unsigned long long)reader->header.chunks);
		return damaged(reader, what);
	}
	*checksum = chain_checksum(*checksum, frame.checksum);
	if (!machine_decode(reader->machine, reader->header.summary.initial_count, reader->chunk, frame.size, what,
			   sizeof what))
		return damaged(reader, what);
	return SNAPSHOT_LOADED;
}

static enum snapshot_outcome read_trailer(struct reader *reader, uint64_t checksum)
{
	struct frame frame;
	uint8_t more;
	enum snapshot_outcome outcome = read_frame(reader, &frame);

	if (outcome != SNAPSHOT_LOADED)
		return outcome;
	if (frame.size != 0 || frame.number != reader->header.chunks || frame.checksum != checksum)
		return damaged(reader, "its trailer is wrong");
	ssize_t got = read(reader->file, &more, 1);

	if (got < 0)
		return io_error(reader);
	return got == 0 ? SNAPSHOT_LOADED : damaged(reader, "something follows its end");
}

/* What was decoded matches what the header announced. */
static bool as_announced(const struct reader *reader)
{
	const struct snapshot_header *header = &reader->header;
	const struct history *history = machine_history(reader->machine);

	return history_count(history) == header->orders_count && history_bytes(history) == header->bytes &&
	       history_op(history) == header->summary.op && history_loaded(history) == header->summary.initial_count &&
	       digest_equal(history_digest(history), header->summary.digest);
}

static enum snapshot_outcome read_file(struct reader *reader, uint64_t orders_max)
{
	uint64_t checksum = 0;
	enum snapshot_outcome outcome = read_header(reader);

	if (outcome != SNAPSHOT_LOADED)
		return outcome;
	if (reader->header.orders_count > orders_max) {
		snprintf(reader->error, reader->error_size,
			 "the snapshot %s has %llu orders, more than --max-orders %llu: start with a higher one",
			 reader->path, (unsigned long long)reader->header.orders_count, (unsigned long long)orders_max);
		return SNAPSHOT_TOO_LARGE;
	}
	reader->machine = machine_new(orders_max);
	for (uint64_t number = 1; number <= reader->header.chunks && outcome == SNAPSHOT_LOADED; number++)
		outcome = read_chunk(reader, (uint32_t)number, &checksum);
	if (outcome == SNAPSHOT_LOADED)
		outcome = read_trailer(reader, checksum);
	if (outcome == SNAPSHOT_LOADED && !as_announced(reader))
		outcome = damaged(reader, "its orders are not those that its header announces");
	return outcome;
}

static bool is_regular(int file)
{
	struct stat info;

	return fstat(file, &info) == 0 && S_ISREG(info.st_mode);
}

enum snapshot_outcome snapshot_load(const char *path, uint64_t orders_max, struct machine **machine,
				    struct snapshot_summary *summary, char *error, size_t error_size)
{
	struct reader reader = {.path = path, .error = error, .error_size = error_size};

	*machine = NULL;
	reader.file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reader.file < 0) {
		bool missing = errno == ENOENT;

		io_error(&reader);
		return missing ? SNAPSHOT_MISSING : SNAPSHOT_IO_ERROR;
	}
	if (!is_regular(reader.file)) {
		close(reader.file);
		snprintf(error, error_size, "the snapshot %s is no regular file: move it away", path);
		return SNAPSHOT_IO_ERROR;
	}
	posix_fadvise(reader.file, 0, 0, POSIX_FADV_SEQUENTIAL);
	reader.chunk = malloc(LIMIT_STATE_CHUNK_BYTES);
	must_allocate(reader.chunk);
	enum snapshot_outcome outcome = read_file(&reader, orders_max);

	if (outcome == SNAPSHOT_LOADED) {
		*machine = reader.machine;
		*summary = reader.header.summary;
	} else {
		machine_free(reader.machine);
	}
	free(reader.chunk);
	close(reader.file);
	return outcome;
}
