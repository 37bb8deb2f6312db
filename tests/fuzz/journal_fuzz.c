/* A journal segment, as a disk or a crash may leave it.
 *
 * Input: a byte of mode, the 48 bytes of the segment's header, then frames; the zeros between and after them, which
 * a file has and a corpus need not, are inserted here. Mode bit 0: header and frames get valid checksums; bit 1:
 * also the sequence numbers; bit 2: instead, the rest is one record's payload. Records that are read go through the
 * same decoders and into the same core as at a start. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "fuzz.h"
#include "rpc/base/must.h"
#include "rpc/disk.h"
#include "server/disk/disk_records.h"
#include "server/disk/journal.h"
#include "server/disk/journal_segment.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"

#define FILE_MAX (64u << 10)

static uint8_t file[FILE_MAX];

static void mend_header(struct segment_header *header)
{
	if (header->salt == 0)
		header->salt = 1;
	header->checksum = htole64(XXH3_64bits(header, offsetof(struct segment_header, checksum)));
}

static void mend_frames(uint64_t salt, size_t end, bool number)
{
	uint64_t sequence = 1;

	for (size_t at = SEGMENT_DATA; end - at >= sizeof(struct frame_header);) {
		struct frame_header frame;
		size_t left = end - at;

		memcpy(&frame, file + at, sizeof frame);

		uint32_t size = le32toh(frame.size);

		if (size > left - sizeof frame)
			size = (uint32_t)((left - sizeof frame) & ~(size_t)3);

		uint32_t span = frame_span(size);
		uint64_t number_now = number ? sequence++ : le64toh(frame.sequence);

		if (span > FILE_MAX - at || number_now == 0)
			return;
		frame.size = htole32(size);
		memcpy(file + at, &frame, sizeof frame);
		frame_seal((struct frame_header *)(void *)(file + at), salt, number_now, number_now - 1, span);
		at += span;
		if (at > end)
			return;
	}
}

/* Lays the input out as a file; returns its size. */
static size_t lay_out(struct fuzz_input *input, uint8_t mode)
{
	struct segment_header header = {0};
	size_t size = sizeof header;
	const uint8_t *bytes = fuzz_take(input, &size);

	memset(file, 0, sizeof file);
	if (size > 0)
		memcpy(&header, bytes, size);
	if (mode & 1)
		mend_header(&header);
	memcpy(file, &header, sizeof header);
	size = FILE_MAX - SEGMENT_DATA - 64;
	bytes = fuzz_take(input, &size);
	if (size > 0)
		memcpy(file + SEGMENT_DATA, bytes, size);
	if (mode & 1)
		mend_frames(le64toh(header.salt), SEGMENT_DATA + size, mode & 2);
	return (SEGMENT_DATA + size + 64 + SEGMENT_DATA - 1) / SEGMENT_DATA * SEGMENT_DATA;
}

static void hand(struct replica *replica, struct replica_actions *actions, const struct replica_event *event)
{
	replica_step(replica, event, actions);
}

struct reading {
	struct replica *replica;
	struct replica_actions actions;
};

static bool read_meta(struct reading *reading, const struct journal_record *record)
{
	struct replica_meta meta;
	uint32_t base;

	if (!disk_meta_decode(record->payload, record->size, &meta, &base))
		return false;
	hand(reading->replica, &reading->actions, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	return true;
}

static bool read_state(struct reading *reading, const struct journal_record *record)
{
	jh_disk_record wire = {0};
	XDR xdr;

	xdrmem_create(&xdr, (char *)(uintptr_t)record->payload, record->size, XDR_DECODE);
	if (!xdr_jh_disk_record(&xdr, &wire) || wire.kind != JH_DISK_STATE) {
		xdr_free((xdrproc_t)xdr_jh_disk_record, &wire);
		return false;
	}
	hand(reading->replica, &reading->actions,
	     &(struct replica_event){.kind = REPLICA_RECOVER_STATE,
				     .state = {.op = wire.jh_disk_record_u.state.op,
					       .last_op = wire.jh_disk_record_u.state.last_op}});
	return true;
}

static bool read_batch(struct reading *reading, const struct journal_record *record)
{
	static struct replica_entry entries[LIMIT_PUSH_ENTRIES];
	struct journal_batch batch = record->batch;
	struct journal_entry entry;
	uint32_t count = 0;

	while (journal_batch_next(&batch, &entry)) {
		int64_t time_us;

		if (!operation_key(entry.body, entry.size, NULL, NULL, NULL, &time_us))
			return false;
		entries[count++] = (struct replica_entry){.view = entry.view, .body = entry.body, .size = entry.size};
	}
	must(count == record->batch.entries_count);
	hand(reading->replica, &reading->actions,
	     &(struct replica_event){.kind = record->batch.staged ? REPLICA_RECOVER_STAGED : REPLICA_RECOVER_BATCH,
				     .batch = {.base_op = record->batch.base_op,
					       .base_digest = record->batch.base_digest, .commit = record->batch.commit,
					       .entries = entries, .entries_count = count}});
	return true;
}

static bool read_record(void *context, const struct journal_record *record, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	switch (record->kind) {
	case JH_DISK_META:
		return read_meta(context, record);
	case JH_DISK_BATCH:
	case JH_DISK_STAGED:
		return read_batch(context, record);
	case JH_DISK_CUT:
		return true;
	default:
		return read_state(context, record);
	}
}

/* A payload in memory of exactly its size, which a segment's is not. */
static void read_payload(struct reading *reading, const struct fuzz_input *input)
{
	struct journal_record record = {.sequence = 1, .payload = input->at, .size = (uint32_t)input->left};

	if (journal_batch_decode(record.payload, record.size, &record.batch))
		read_batch(reading, &record);
	else if (!read_meta(reading, &record))
		read_state(reading, &record);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	static const struct replica_options options = {.id = 1, .orders_max = 1000, .log_bytes_max = LIMIT_LOG_BYTES};
	static const struct replica_service service;
	struct fuzz_input input = {bytes, size};
	uint8_t mode = fuzz_u8(&input);
	struct reading reading = {.replica = replica_new(&options, &service)};
	struct journal_recovery recovery;
	char name[SEGMENT_NAME_SIZE];

	hand(reading.replica, &reading.actions, &(struct replica_event){.kind = REPLICA_RECOVER_BASE});
	if (mode & 4) {
		read_payload(&reading, &input);
		goto out;
	}
	fuzz_file(segment_name(1, name), file, lay_out(&input, mode));
	journal_check(fuzz_directory(), read_record, &reading, &recovery);
	must((recovery.error[0] == '\0') == (recovery.outcome == JOURNAL_OK));
	must(recovery.outcome != JOURNAL_IO_ERROR);
	hand(reading.replica, &reading.actions,
	     &(struct replica_event){.kind = REPLICA_START,
				     .start = {.damage = recovery.outcome == JOURNAL_DAMAGED ? recovery.error : NULL}});
out:
	replica_free(reading.replica);
	replica_actions_free(&reading.actions);
}
