/* Power fails during a write: whatever recovery keeps, the journal continues after it as after a write of its own, and
 * a tail that was cut is known until the core says otherwise (rule 14). */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/base/must.h"
#include "server/disk/journal_segment.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_journal.h"

#define SECTOR 512u
#define RECORDS 10u

/* The disk thread waits in here, so that a test controls which records go out in one write. No power really fails, so
 * nothing needs to be synced. */
static atomic_bool held, waiting;

static void look(void);

int fdatasync(int fd)
{
	(void)fd;
	while (atomic_load(&held)) {
		atomic_store(&waiting, true);
		usleep(200);
	}
	look();
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	return 0;
}

/* The disk's contents at each sync, while this is watched. */
static struct disk *watched;
static struct image at_sync[8];
static uint32_t syncs_count;

static void look(void)
{
	if (watched == NULL)
		return;
	assert_true(syncs_count < sizeof at_sync / sizeof at_sync[0]);
	image_take(&at_sync[syncs_count++], watched->path);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* One write of so many records, of one op each, behind one of a single op. */
static void write_together(struct disk *disk, uint32_t records, uint32_t body_size)
{
	uint64_t ticket;

	atomic_store(&waiting, false);
	atomic_store(&held, true);
	ticket = disk_append(disk, 1, 40);
	while (!atomic_load(&waiting))
		usleep(200);
	for (uint32_t i = 0; i < records; i++)
		ticket = disk_append(disk, 1, body_size);
	atomic_store(&held, false);
	disk_wait(disk, ticket);
}

/* The frames of a segment. */
struct frame {
	uint32_t offset, end; /* end: of the span */
	uint64_t sequence, durable;
};

static uint32_t find_frames(const uint8_t *bytes, size_t size, struct frame *frames, uint32_t most)
{
	struct segment_header header;
	uint32_t count = 0;

	assert_int_equal(segment_header_read(bytes, &header), SEGMENT_HEADER_OK);
	for (uint32_t at = SEGMENT_DATA; at < size && frame_valid(bytes + at, size - at, header.salt);) {
		struct frame_header frame;

		memcpy(&frame, bytes + at, sizeof frame);
		assert_true(count < most);
		frames[count] = (struct frame){.offset = at, .sequence = le64toh(frame.sequence),
					       .durable = le64toh(frame.durable)};
		at += le32toh(frame.span);
		frames[count++].end = at;
	}
	return count;
}

/* --- continuing --------------------------------------------------------------------------------------------------- */

struct torn {
	struct disk disk;
	uint8_t *bytes;         /* of the last file, as the crash leaves it */
	struct image whole;
	uint64_t least, most;   /* ops that must and may be found */
	uint64_t cut, sound;    /* outcomes seen */
	uint64_t seen[512];     /* (end, outcome) pairs already tested the long way */
	uint32_t seen_count;
};

static void append_and_wait(struct disk *disk)
{
	disk_wait(disk, disk_append(disk, 1, 100));
	disk_append(disk, 2, 200);
	disk_wait(disk, disk_append(disk, 1, 100));
}

static bool holds_record(const struct torn *torn)
{
	const size_t size = torn->whole.files[torn->whole.count - 1].size;
	struct frame frames[64];

	return find_frames(torn->bytes, size, frames, 64) > 0;
}

/* A start, another one at once, orders, a stop or a kill, and a start: everything is there, and nothing else. */
static void goes_on(struct torn *torn, bool stop)
{
	struct disk *disk = &torn->disk;
	enum journal_outcome outcome = disk_open(disk);
	uint64_t kept = disk->recovery.op;
	bool told = disk->cuts > 0;

	assert_true(outcome == JOURNAL_OK || outcome == JOURNAL_TAIL_CUT);
	assert_in_range(kept, torn->least, torn->most);
	journal_abandon(disk->journal);
	disk->journal = NULL;
	assert_int_equal(disk_open(disk), JOURNAL_OK);
	assert_int_equal(disk->recovery.op, kept);
	/* With the first record of a segment only a copy of META is lost. */
	assert_int_equal(disk->cuts > 0, told || (outcome == JOURNAL_TAIL_CUT && holds_record(torn)));
	if (disk->metas == 0)
		disk_wait(disk, written_append_meta(disk, 1));
	append_and_wait(disk);
	if (!stop) {
		struct image now = {0};

		image_take(&now, disk->path);
		disk_close(disk);
		image_put(&now, disk->path);
		image_free(&now);
	} else {
		disk_close(disk);
	}
	assert_int_equal(disk_open(disk), JOURNAL_OK);
	assert_int_equal(disk->recovery.op, kept + 4);
	append_and_wait(disk);
	disk_close(disk);
	assert_int_equal(disk_check(disk), JOURNAL_OK);
	assert_int_equal(disk->recovery.op, kept + 8);
}

/* Replaces the last file by torn->bytes, and checks; continues with orders where this end of the log is a new one, or
 * always. */
static void try_bytes(struct torn *torn, bool always)
{
	struct image *image = &torn->whole;
	uint8_t *whole = image->files[image->count - 1].bytes;
	uint64_t key;
	bool known = false;

	image->files[image->count - 1].bytes = torn->bytes;
	image_put(image, torn->disk.path);
	image->files[image->count - 1].bytes = whole;

	enum journal_outcome outcome = disk_check(&torn->disk);

	assert_true(outcome == JOURNAL_OK || outcome == JOURNAL_TAIL_CUT);
	assert_in_range(torn->disk.recovery.op, torn->least, torn->most);
	torn->cut += outcome == JOURNAL_TAIL_CUT;
	torn->sound += outcome == JOURNAL_OK;
	key = torn->disk.recovery.bytes * 2 + (outcome == JOURNAL_OK);
	for (uint32_t i = 0; i < torn->seen_count; i++)
		known = known || torn->seen[i] == key;
	if (!known && torn->seen_count < sizeof torn->seen / sizeof torn->seen[0])
		torn->seen[torn->seen_count++] = key;
	if (always || !known)
		goes_on(torn, (torn->cut & 1) != 0);
}

/* The write from `begin` to `end` of the last file is under way when the power fails; `behind` is what follows it.
 * Every prefix of it reaches the disk, every sector alone, all but one, and single bytes are wrong. */
static void tear(struct torn *torn, uint32_t begin, uint32_t end, const uint8_t *behind)
{
	const uint8_t *whole = torn->whole.files[torn->whole.count - 1].bytes;
	size_t size = torn->whole.files[torn->whole.count - 1].size;
	uint32_t sectors = (end - begin) / SECTOR;

	assert_int_equal(begin % SECTOR, 0);
	assert_int_equal(end % SECTOR, 0);
	for (uint32_t at = begin; at <= end; at++) {
		bool at_sector = (at - begin) % SECTOR == 0;

		memcpy(torn->bytes, whole, at);
		memcpy(torn->bytes + at, behind + at, size - at);
		if (at_sector || at % 7 == 0)
			try_bytes(torn, at_sector);
		if (at == end || at % 5 != 0)
			continue;
		memcpy(torn->bytes, whole, end);
		memcpy(torn->bytes + end, behind + end, size - end);
		torn->bytes[at] ^= 0x40;
		try_bytes(torn, false);
		memset(torn->bytes + at, 0, end - at < 8 ? end - at : 8);
		try_bytes(torn, false);
	}
	for (uint32_t i = 0; i < 2 * sectors; i++) {
		uint32_t one = begin + i / 2 * SECTOR;
		bool only = i % 2 == 0; /* only that one arrived, or only that one did not */

		memcpy(torn->bytes, whole, size);
		memcpy(torn->bytes + begin, (only ? behind : whole) + begin, end - begin);
		memcpy(torn->bytes + end, behind + end, size - end);
		memcpy(torn->bytes + one, (only ? whole : behind) + one, SECTOR);
		try_bytes(torn, true);
	}
}

static void torn_end(struct torn *torn)
{
	image_free(&torn->whole);
	free(torn->bytes);
	disk_free(&torn->disk);
}

/* All writes of the last file from that frame on; every frame but the file's first is a batch of one op. */
static void tear_each(struct torn *torn, uint32_t from)
{
	static const uint8_t zeros[64 << 10];
	const struct image *whole = &torn->whole;
	const uint64_t last_op = torn->disk.op;
	struct frame frames[64];
	uint32_t count = find_frames(whole->files[whole->count - 1].bytes, whole->files[whole->count - 1].size, frames, 64);

	for (uint32_t first = from, next; first < count; first = next) {
		for (next = first + 1; next < count && frames[next].durable == frames[first].durable;)
			next++;
		torn->least = last_op - (count - (first == 0 ? 1 : first));
		torn->most = last_op - (count - next);
		torn->seen_count = 0;
		tear(torn, frames[first].offset, frames[next - 1].end, zeros);
	}
}

/* The last ten records, together in writes of so many. */
static void torn_writes(uint32_t together, uint32_t body_size)
{
	struct torn torn = {0};
	struct frame frames[64];

	disk_new(&torn.disk);
	assert_int_equal(disk_open(&torn.disk), JOURNAL_OK);
	disk_wait(&torn.disk, written_append_meta(&torn.disk, 1));
	disk_wait(&torn.disk, disk_append(&torn.disk, 1, 100));
	for (uint32_t records = 0; records < RECORDS; records += together + 1)
		write_together(&torn.disk, together, body_size);
	image_take(&torn.whole, torn.disk.path);
	disk_close(&torn.disk);
	assert_int_equal(torn.whole.count, 1);
	torn.bytes = malloc(torn.whole.files[0].size);

	uint32_t count = find_frames(torn.whole.files[0].bytes, torn.whole.files[0].size, frames, 64), first = count;

	/* The write that the tenth last is in, and those behind it. */
	while (first > 2 && (count - first < RECORDS || frames[first].durable == frames[first - 1].durable))
		first--;
	tear_each(&torn, first);
	assert_true(torn.cut > 0);
	assert_true(torn.sound > 0);
	torn_end(&torn);
}

static void writes_of_one(void **state)
{
	(void)state;
	torn_writes(0, 100);
}

static void writes_of_two(void **state)
{
	(void)state;
	torn_writes(2, 60);
}

static void writes_of_many(void **state)
{
	(void)state;
	torn_writes(9, 200);
}

/* After the end is what the blocks held in an earlier use: another journal's records, or noise. */
static void old_content_behind_the_end(void **state)
{
	static uint8_t behind[64 << 10];
	struct torn torn = {0};
	struct frame frames[64];
	struct image other;
	uint32_t noise = 1;

	(void)state;
	disk_new(&torn.disk);
	assert_int_equal(disk_open(&torn.disk), JOURNAL_OK);
	disk_wait(&torn.disk, written_append_meta(&torn.disk, 1));
	for (int i = 0; i < 30; i++)
		disk_wait(&torn.disk, disk_append(&torn.disk, 1, 100));
	image_take(&other, torn.disk.path);
	torn_end(&torn);

	torn = (struct torn){.least = 1, .most = 4};
	disk_new(&torn.disk);
	assert_int_equal(disk_open(&torn.disk), JOURNAL_OK);
	disk_wait(&torn.disk, written_append_meta(&torn.disk, 1));
	write_together(&torn.disk, 3, 200);
	image_take(&torn.whole, torn.disk.path);
	disk_close(&torn.disk);
	torn.bytes = malloc(torn.whole.files[0].size);

	uint32_t count = find_frames(torn.whole.files[0].bytes, torn.whole.files[0].size, frames, 64), first = 2;

	while (first + 1 < count && frames[first].durable != frames[first + 1].durable)
		first++;
	torn.least = first - 1; /* META, then one op each */
	assert_int_equal(count, 5);
	memcpy(behind, other.files[0].bytes, sizeof behind);
	tear(&torn, frames[first].offset, frames[count - 1].end, behind);
	for (uint32_t i = 0; i < sizeof behind; i++)
		behind[i] = (uint8_t)((noise = noise * 1103515245 + 12345) >> 16);
	tear(&torn, frames[first].offset, frames[count - 1].end, behind);
	image_free(&other);
	torn_end(&torn);
}

/* Between two syncs any of the differing sectors may have reached the disk, or all but one. */
static void between_syncs(struct torn *torn, const struct image *before, const struct image *after)
{
	const uint8_t *old = before->files[0].bytes, *new = after->files[0].bytes;

	for (uint32_t at = 0; at < before->files[0].size; at += SECTOR) {
		if (memcmp(old + at, new + at, SECTOR) == 0)
			continue;
		for (int most = 0; most < 2; most++) {
			memcpy(torn->bytes, most ? new : old, before->files[0].size);
			memcpy(torn->bytes + at, (most ? old : new) + at, SECTOR);
			try_bytes(torn, true);
			assert_true(torn->disk.cuts > 0);
		}
	}
}

/* Power fails again while the tail is being cut: whatever of that has reached the disk, the cut is still to be made,
 * or is known. */
static void a_cut_that_is_torn(void **state)
{
	(void)state;
	for (uint32_t kept = 0; kept < 2; kept++) { /* records of the torn write: none, or one that ends in a sector */
		struct torn torn = {.least = 1 + kept, .most = 1 + kept};
		struct frame frames[64] = {0};

		disk_new(&torn.disk);
		assert_int_equal(disk_open(&torn.disk), JOURNAL_OK);
		disk_wait(&torn.disk, written_append_meta(&torn.disk, 1));
		write_together(&torn.disk, 6, 300);
		image_take(&torn.whole, torn.disk.path);
		disk_close(&torn.disk);
		torn.bytes = calloc(1, torn.whole.files[0].size);

		uint32_t count = find_frames(torn.whole.files[0].bytes, torn.whole.files[0].size, frames, 64);
		uint8_t *broken = torn.whole.files[0].bytes + frames[count - 6 + kept].offset;

		memset(broken, 0, kept == 0 ? SECTOR : 8);
		memset(torn.whole.files[0].bytes + frames[count - 1].end, 0,
		       torn.whole.files[0].size - frames[count - 1].end);
		image_put(&torn.whole, torn.disk.path);
		syncs_count = 0;
		watched = &torn.disk;
		assert_int_equal(disk_open(&torn.disk), JOURNAL_TAIL_CUT);
		watched = NULL;
		journal_abandon(torn.disk.journal);
		torn.disk.journal = NULL;
		assert_true(syncs_count >= 2);
		for (uint32_t i = 0; i < syncs_count; i++)
			between_syncs(&torn, i == 0 ? &torn.whole : &at_sync[i - 1], &at_sync[i]);
		while (syncs_count > 0)
			image_free(&at_sync[--syncs_count]);
		torn_end(&torn);
	}
}

/* A write that ends where its segment does, or just before, or continues in the next one. */
static void segment_ends(void **state)
{
	(void)state;
	for (uint32_t left = 512; left <= 3072; left += 512) {
		struct torn torn = {0};
		struct frame frames[64];

		disk_new(&torn.disk);
		assert_int_equal(disk_open(&torn.disk), JOURNAL_OK);
		disk_wait(&torn.disk, written_append_meta(&torn.disk, 1));
		for (int i = 0; i < 8; i++) /* 7 KiB each */
			disk_wait(&torn.disk, disk_append(&torn.disk, 1, 7000));
		for (uint32_t at = SEGMENT_DATA + 512 + 8 * 7168; at < (64 << 10) - left; at += 512)
			disk_wait(&torn.disk, disk_append(&torn.disk, 1, 100));
		write_together(&torn.disk, 4, 200);
		image_take(&torn.whole, torn.disk.path);
		disk_close(&torn.disk);

		const uint32_t last = torn.whole.count - 1;

		torn.bytes = malloc(torn.whole.files[last].size);

		uint32_t count =
			find_frames(torn.whole.files[last].bytes, torn.whole.files[last].size, frames, 64);

		while (last == 0 && frames[count - 1].durable == frames[count - 2].durable)
			count--;
		tear_each(&torn, last == 0 ? count - 1 : 0);
		torn_end(&torn);
	}
}

int main(void)
{
	/* In memory where possible: thousands of starts. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_of_one),
		cmocka_unit_test(writes_of_two),
		cmocka_unit_test(writes_of_many),
		cmocka_unit_test(old_content_behind_the_end),
		cmocka_unit_test(segment_ends),
		cmocka_unit_test(a_cut_that_is_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
