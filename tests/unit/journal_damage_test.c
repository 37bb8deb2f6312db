/* Rule 14, byte by byte: an unfinished write is cut and nothing else is; durable data that cannot be read is damage;
 * and bytes from an earlier use of the file are never taken for a record. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/base/must.h"
#include "rpc/disk.h"
#include "server/disk/journal_segment.h"
#include "support_journal.h"

#define BATCHES 5

/* Position of a record in the newest segment. */
struct place {
	uint32_t offset, size, span; /* size: header and payload */
	uint64_t sequence;
};

static void read_at(int fd, void *bytes, size_t size, uint32_t offset)
{
	assert_int_equal(pread(fd, bytes, size, offset), size);
}

static void write_at(int fd, const void *bytes, size_t size, uint32_t offset)
{
	assert_int_equal(pwrite(fd, bytes, size, offset), size);
}

static uint64_t salt_of(int fd)
{
	uint8_t block[SEGMENT_DATA];
	struct segment_header header;

	read_at(fd, block, sizeof block, 0);
	assert_int_equal(segment_header_read(block, &header), SEGMENT_HEADER_OK);
	return header.salt;
}

static uint32_t find_places(int fd, struct place *places, uint32_t most)
{
	uint64_t salt = salt_of(fd);
	uint32_t count = 0;

	for (uint32_t at = SEGMENT_DATA; count < most && at < 64 << 10;) {
		struct frame_header frame;

		read_at(fd, &frame, sizeof frame, at);
		if (le64toh(frame.salt) != salt)
			break;
		places[count++] = (struct place){.offset = at,
						 .size = (uint32_t)sizeof frame + le32toh(frame.size),
						 .span = le32toh(frame.span),
						 .sequence = le64toh(frame.sequence)};
		at += le32toh(frame.span);
	}
	return count;
}

/* A journal of META and BATCHES batches of two ops, each a write of its own; copied as a crash would leave it. */
static void make_crashed(struct disk *crashed)
{
	struct disk disk;

	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	for (int i = 0; i < BATCHES; i++)
		disk_wait(&disk, disk_append(&disk, 2, 100));
	disk_copy(crashed, &disk);
	disk_free(&disk);
}

/* The last write torn at every byte, or with any one byte wrong: the batch is complete, or cut, and nothing else
 * moved. */
static void test_torn_everywhere(void **state)
{
	struct disk disk;
	struct place places[16];

	(void)state;
	make_crashed(&disk);
	int fd = disk_segment(&disk, 0, NULL);

	assert_int_equal(find_places(fd, places, 16), BATCHES + 1);
	const struct place *last = &places[BATCHES];
	static uint8_t whole[4096], broken[4096];

	must(last->span > 0);
	assert_true(last->span <= sizeof whole);
	read_at(fd, whole, last->span, last->offset);
	for (uint32_t at = 0; at < 2 * last->span; at++) {
		bool torn = at < last->span;
		uint32_t from = at % last->span;

		memcpy(broken, whole, last->span);
		if (torn)
			memset(broken + from, 0, last->span - from);
		else
			broken[from] ^= 0x40;
		write_at(fd, broken, last->span, last->offset);
		enum journal_outcome outcome = disk_check(&disk);
		/* The last bytes of the payload may be padding or zero; then nothing is torn off. */
		bool same = memcmp(broken, whole, last->size) == 0;
		/* Nothing was written; also when the random checksum begins with zeros and only those are left. */
		bool blank = broken[0] == 0 && memcmp(broken, broken + 1, last->span - 1) == 0;

		assert_int_equal(disk.last_op, same ? 2 * BATCHES : 2 * BATCHES - 2);
		assert_int_equal(outcome, same || blank ? JOURNAL_OK : JOURNAL_TAIL_CUT);
		assert_int_equal(disk.recovery.op, disk.last_op);
	}
	/* Once cut at a start, it is gone for good, and the log continues from there. */
	memset(whole + last->span / 2, 0, last->span / 2);
	write_at(fd, whole, last->span, last->offset);
	close(fd);
	assert_int_equal(disk_open(&disk), JOURNAL_TAIL_CUT);
	assert_non_null(strstr(disk.recovery.error, "tail cut at op 8"));
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	disk_wait(&disk, disk_append(&disk, 3, 50));
	disk_close(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.last_op, 2 * BATCHES + 1);
	disk_free(&disk);
}

/* Rule 14: any wrong byte in a record that a later one knew durable is damage, never a cut; nothing on disk is changed
 * for it. */
static void test_damage_below_the_mark(void **state)
{
	struct disk disk;
	struct place places[16];

	(void)state;
	make_crashed(&disk);
	int fd = disk_segment(&disk, 0, NULL);

	assert_int_equal(find_places(fd, places, 16), BATCHES + 1);
	for (uint32_t i = 0; i < BATCHES; i++) {
		for (uint32_t at = places[i].offset; at < places[i].offset + places[i].size; at += 3) {
			uint8_t byte, wrong;

			read_at(fd, &byte, 1, at);
			wrong = (uint8_t)(byte ^ 1);
			write_at(fd, &wrong, 1, at);
			assert_int_equal(disk_open(&disk), JOURNAL_DAMAGED);
			assert_non_null(strstr(disk.recovery.error, "damaged"));
			read_at(fd, &wrong, 1, at);
			assert_int_equal(wrong, byte ^ 1);
			write_at(fd, &byte, 1, at);
		}
	}
	/* A record missing where one should be: zeros, followed by something else. */
	uint8_t zeros[4096] = {0};

	write_at(fd, zeros, places[2].span, places[2].offset);
	assert_int_equal(disk_check(&disk), JOURNAL_DAMAGED);
	close(fd);
	disk_free(&disk);
}

/* After an orderly end the last record is covered by a mark too. */
static void test_damage_after_clean_end(void **state)
{
	struct disk disk;
	struct place places[16];
	uint8_t byte = 0xff;

	(void)state;
	make_crashed(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_close(&disk);
	int fd = disk_segment(&disk, 0, NULL);

	assert_int_equal(find_places(fd, places, 16), BATCHES + 2);
	write_at(fd, &byte, 1, places[BATCHES].offset + 60);
	assert_int_equal(disk_check(&disk), JOURNAL_DAMAGED);
	close(fd);
	disk_free(&disk);
}

/* Appends a frame with an empty batch. */
static uint32_t forge(int fd, uint32_t offset, uint64_t salt, uint64_t sequence, uint64_t durable, uint64_t op)
{
	struct {
		struct frame_header frame;
		uint8_t payload[48];
	} record = {0};
	struct journal_batch batch = {.base_op = op, .base_digest = {.low = op * 3, .high = op * 5}};

	journal_batch_encode(&batch, NULL, 0, record.payload);
	record.frame.size = htole32(48);
	frame_seal(&record.frame, salt, sequence, durable, 512);
	write_at(fd, &record, sizeof record, offset);
	return offset + 512;
}

/* One write of several records reaches the disk in any order: a whole record after a broken one proves nothing unless
 * it says that the broken one was durable. */
static void test_torn_group(void **state)
{
	(void)state;
	for (uint64_t marks = 0; marks < 2; marks++) {
		struct disk disk;
		struct place places[16];

		make_crashed(&disk);
		int fd = disk_segment(&disk, 0, NULL);
		uint64_t salt = salt_of(fd);

		find_places(fd, places, 16);
		const struct place *last = &places[BATCHES];
		uint32_t behind = last->offset + last->span;

		forge(fd, behind + 512, salt, last->sequence + 2, last->sequence + marks, 2ull * BATCHES);
		assert_int_equal(disk_check(&disk), marks == 0 ? JOURNAL_TAIL_CUT : JOURNAL_DAMAGED);
		assert_int_equal(disk.last_op, 2ull * BATCHES);
		if (marks == 0) {
			/* The cut record stays cut when its sequence number is reused. */
			assert_int_equal(disk_open(&disk), JOURNAL_TAIL_CUT);
			disk_wait(&disk, disk_append(&disk, 1, 10));
			struct disk crashed;

			disk_copy(&crashed, &disk);
			assert_int_equal(disk_check(&crashed), JOURNAL_OK);
			assert_int_equal(crashed.batches, BATCHES + 1);
			disk_free(&crashed);
		}
		close(fd);
		disk_free(&disk);
	}
}

/* Whole frames of another salt, or of a number out of turn, are no records. */
static void test_stale_bytes(void **state)
{
	struct disk disk;
	struct place places[16];

	(void)state;
	make_crashed(&disk);
	int fd = disk_segment(&disk, 0, NULL);
	uint64_t salt = salt_of(fd);

	find_places(fd, places, 16);
	const struct place *last = &places[BATCHES];
	uint32_t behind = last->offset + last->span;

	forge(fd, behind, salt ^ 2, last->sequence + 1, last->sequence, 2ull * BATCHES);
	assert_int_equal(disk_check(&disk), JOURNAL_TAIL_CUT);
	assert_int_equal(disk.batches, BATCHES);
	forge(fd, behind, salt, last->sequence, last->sequence - 1, 2ull * BATCHES);
	assert_int_equal(disk_check(&disk), JOURNAL_TAIL_CUT);
	assert_int_equal(disk.batches, BATCHES);
	forge(fd, behind, salt, last->sequence + 1, last->sequence, 2ull * BATCHES); /* and this is one: the forger
											works */
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.batches, BATCHES + 1);
	close(fd);
	disk_free(&disk);
}

/* --- segments ----------------------------------------------------------------------------------------------------- */

static void make_segments(struct disk *disk)
{
	disk_new(disk);
	assert_int_equal(disk_open(disk), JOURNAL_OK);
	written_append_meta(disk, 1);
	for (int i = 0; i < 60; i++)
		disk_wait(disk, disk_append(disk, 10, 300));
	disk_close(disk);
}

/* Rule 14: a segment that is not the last must be whole, and none may be missing between two. */
static void test_older_segments(void **state)
{
	struct disk disk;
	char name[SEGMENT_NAME_SIZE], path[SCRATCH_PATH_SIZE + 64];
	struct place places[512];

	(void)state;
	make_segments(&disk);
	int fd = disk_segment(&disk, 1, name);
	uint32_t count = find_places(fd, places, 512);
	uint8_t byte = 0x55;

	write_at(fd, &byte, 1, places[count - 1].offset + 70); /* its very last record: behind it only zeros */
	close(fd);
	assert_int_equal(disk_open(&disk), JOURNAL_DAMAGED);
	snprintf(path, sizeof path, "%s/%s", disk.path, name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(disk_open(&disk), JOURNAL_DAMAGED);
	disk_free(&disk);
}

/* Rule 14: the segment's owner, and the salt that seals its records, are checked too: any byte of them. */
static void test_headers(void **state)
{
	const size_t version = offsetof(struct segment_header, version);
	struct disk disk;

	(void)state;
	make_crashed(&disk);
	int fd = disk_segment(&disk, 0, NULL);

	for (uint32_t at = 0; at < sizeof(struct segment_header); at++) {
		bool other = at >= version && at < version + sizeof(uint32_t);
		bool older = at == version && (SEGMENT_VERSION ^ 1) < SEGMENT_VERSION;
		uint8_t byte, wrong;

		read_at(fd, &byte, 1, at);
		wrong = (uint8_t)(byte ^ 1);
		write_at(fd, &wrong, 1, at);
		assert_int_equal(disk_check(&disk), older ? JOURNAL_OLDER_FORMAT :
							other ? JOURNAL_NEWER_FORMAT : JOURNAL_DAMAGED);
		write_at(fd, &byte, 1, at);
	}
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	close(fd);
	disk_free(&disk);
}

/* Rule 14: a journal that does not name its owner is damaged, even if its records are whole. */
static void test_records_without_meta(void **state)
{
	struct disk disk;
	struct place places[16];

	(void)state;
	make_crashed(&disk);
	int fd = disk_segment(&disk, 0, NULL);

	find_places(fd, places, 16);
	assert_int_equal(places[0].span, 512);
	forge(fd, places[0].offset, salt_of(fd), places[0].sequence, 0, 0);
	assert_int_equal(disk_check(&disk), JOURNAL_DAMAGED);
	assert_non_null(strstr(disk.recovery.error, "does not begin with META"));
	close(fd);
	disk_free(&disk);
}

/* Rule 14: nor is the newest segment a complete journal before its first record: the earlier ones are missing. */
static void test_segment_without_meta(void **state)
{
	struct disk disk;
	struct place places[512] = {0};
	char name[SEGMENT_NAME_SIZE], path[SCRATCH_PATH_SIZE + 64];
	uint8_t zeros[512] = {0};

	(void)state;
	make_segments(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	int fd = disk_segment(&disk, 0, NULL);
	uint32_t count = find_places(fd, places, 512);

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t at = places[i].offset; at < places[i].offset + places[i].span; at += sizeof zeros)
			write_at(fd, zeros, sizeof zeros, at);
	close(fd);
	for (uint64_t older = disk.recovery.segments - 1; older > 0; older--) {
		close(disk_segment(&disk, 1, name));
		snprintf(path, sizeof path, "%s/%s", disk.path, name);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(disk_check(&disk), JOURNAL_DAMAGED);
	assert_int_equal(disk.recovery.segments, 1);
	disk_free(&disk);
}

/* A crash between naming a new segment and its first record, or within that record: the log continues, META first. */
static void test_new_segment_torn(void **state)
{
	(void)state;
	for (int torn = 0; torn < 2; torn++) {
		struct disk disk;
		uint8_t zeros[4096] = {0};
		struct place places[512] = {0};

		make_segments(&disk);
		int fd = disk_segment(&disk, 0, NULL);
		uint32_t count = find_places(fd, places, 512);

		for (uint32_t i = torn ? 1 : 0; i < count; i++)
			for (uint32_t at = places[i].offset; at < places[i].offset + places[i].span; at += 512)
				write_at(fd, zeros, 512, at);
		if (torn)
			write_at(fd, zeros, 20, places[0].offset + sizeof(struct frame_header));
		close(fd);
		assert_int_equal(disk_open(&disk), torn ? JOURNAL_TAIL_CUT : JOURNAL_OK);
		uint64_t op = disk.op;

		disk_wait(&disk, disk_append(&disk, 1, 100));
		journal_trim(disk.journal, op);
		disk_until_segments(&disk, 1);
		disk_close(&disk);
		assert_int_equal(disk_check(&disk), JOURNAL_OK);
		assert_int_equal(disk.recovery.op, op + 1);
		assert_int_equal(disk.metas, 1);
		assert_int_equal(disk.recovery.segments, 1);
		disk_free(&disk);
	}
}

/* Not damage: a newer format or an older one, a kind of record added later, files of another replica. */
static void test_not_ours(void **state)
{
	struct disk disk, other;
	uint32_t version = htole32(SEGMENT_VERSION + 1);
	uint8_t unknown[8] = {[3] = JH_DISK_CUT + 1};

	(void)state;
	make_segments(&disk);
	int fd = disk_segment(&disk, 0, NULL);

	write_at(fd, &version, sizeof version, offsetof(struct segment_header, version));
	assert_int_equal(disk_open(&disk), JOURNAL_NEWER_FORMAT);
	assert_non_null(strstr(disk.recovery.error, "upgrade"));
	version = htole32(SEGMENT_VERSION - 1);
	write_at(fd, &version, sizeof version, offsetof(struct segment_header, version));
	close(fd);
	assert_int_equal(disk_open(&disk), JOURNAL_OLDER_FORMAT);
	assert_non_null(strstr(disk.recovery.error, "older"));
	disk_free(&disk);

	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_wait(&disk, written_append_meta(&disk, 1));
	fd = disk_segment(&disk, 0, NULL);
	struct {
		struct frame_header frame;
		uint8_t payload[8];
	} record = {.frame.size = htole32(8)};

	memcpy(record.payload, unknown, sizeof unknown);
	frame_seal(&record.frame, salt_of(fd), 2, 1, 512);
	disk_copy(&other, &disk);
	close(fd);
	fd = disk_segment(&other, 0, NULL);
	write_at(fd, &record, sizeof record, SEGMENT_DATA + 512);
	close(fd);
	assert_int_equal(disk_open(&other), JOURNAL_NEWER_FORMAT);
	disk_free(&other);
	disk_free(&disk);

	make_segments(&disk);
	make_segments(&other);
	char name[SEGMENT_NAME_SIZE], from[SCRATCH_PATH_SIZE + 64], to[SCRATCH_PATH_SIZE + 64];

	close(disk_segment(&disk, 0, name));
	snprintf(to, sizeof to, "%s/%s", disk.path, name);
	close(disk_segment(&other, 0, name));
	snprintf(from, sizeof from, "%s/%s", other.path, name);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(disk_open(&disk), JOURNAL_FOREIGN);
	disk_free(&other);
	disk_free(&disk);
}

/* Whole records that the reader knows to be inconsistent are damage, and stay as they are. */
static void test_reader_refuses(void **state)
{
	struct disk disk;

	(void)state;
	make_crashed(&disk);
	disk.refuse = true;
	assert_int_equal(disk_open(&disk), JOURNAL_DAMAGED);
	assert_non_null(strstr(disk.recovery.error, "the chain is broken"));
	disk.refuse = false;
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	disk_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_torn_everywhere),	       cmocka_unit_test(test_damage_below_the_mark),
		cmocka_unit_test(test_damage_after_clean_end), cmocka_unit_test(test_torn_group),
		cmocka_unit_test(test_stale_bytes),	       cmocka_unit_test(test_older_segments),
		cmocka_unit_test(test_headers),		       cmocka_unit_test(test_records_without_meta),
		cmocka_unit_test(test_segment_without_meta),   cmocka_unit_test(test_new_segment_torn),
		cmocka_unit_test(test_not_ours),	       cmocka_unit_test(test_reader_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
