/* The journal: everything reported durable comes back whole and in order, whatever a crash leaves; damage is never
 * taken for a crash. Damage itself is in journal_damage_test.c, a failing or full disk in journal_room_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/disk.h"
#include "support_journal.h"

/* The hand-written coding of a batch writes and reads exactly rpcgen's bytes. */
static void test_batch_bytes(void **state)
{
	uint8_t by_hand[512], by_rpcgen[512], bodies[3][64] = {"a", "four", "longer than that"};
	struct journal_entry entries[3], entry;
	struct journal_batch batch = {
		.base_op = 41, .base_digest = {.low = 0x1122334455667788, .high = 0x99}, .durable_op = 40,
		.commit = 39};
	jh_log_entry wire[3];
	struct jh_disk_record record = {.kind = JH_DISK_BATCH};
	struct jh_disk_batch *body = &record.jh_disk_record_u.batch;
	static const uint8_t digest[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, [15] = 0x99};
	XDR xdrs;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		entries[i] = (struct journal_entry){.view = i + 5, .body = bodies[i], .size = i * 7 + 1};
		wire[i].view = i + 5;
		wire[i].body.body_len = i * 7 + 1;
		wire[i].body.body_val = (char *)bodies[i];
	}
	body->base_op = 41;
	memcpy(body->base_digest.bytes, digest, sizeof digest);
	body->durable_op = 40;
	body->commit = 39;
	body->entries.entries_len = 3;
	body->entries.entries_val = wire;
	xdrmem_create(&xdrs, (char *)by_rpcgen, sizeof by_rpcgen, XDR_ENCODE);
	assert_true(xdr_jh_disk_record(&xdrs, &record));

	size_t size = journal_batch_size(entries, 3);

	assert_int_equal(size, xdr_getpos(&xdrs));
	journal_batch_encode(&batch, entries, 3, by_hand);
	assert_memory_equal(by_hand, by_rpcgen, size);

	struct journal_batch read;

	assert_true(journal_batch_decode(by_rpcgen, size, &read));
	assert_int_equal(read.base_op, 41);
	assert_true(digest_equal(read.base_digest, batch.base_digest));
	assert_int_equal(read.durable_op, 40);
	assert_int_equal(read.commit, 39);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(journal_batch_next(&read, &entry));
		assert_int_equal(entry.view, i + 5);
		assert_int_equal(entry.size, i * 7 + 1);
		assert_memory_equal(entry.body, bodies[i], entry.size);
	}
	assert_false(journal_batch_next(&read, &entry));
	for (size_t cut = 0; cut < size; cut++)
		assert_false(journal_batch_decode(by_rpcgen, cut, &read));

	record.kind = JH_DISK_STAGED; /* the same body in the other arm */
	batch.staged = true;
	xdr_setpos(&xdrs, 0);
	assert_true(xdr_jh_disk_record(&xdrs, &record));
	journal_batch_encode(&batch, entries, 3, by_hand);
	assert_memory_equal(by_hand, by_rpcgen, size);
	assert_true(journal_batch_decode(by_rpcgen, size, &read));
	assert_true(read.staged);
}

/* STAGED batches come back, and are not part of the log until the STATE record that ends at their last op. */
static void test_staged(void **state)
{
	struct disk disk;
	struct journal_batch staged = {.base_op = 30, .staged = true};
	struct journal_entry entries[2] = {{.view = 7, .body = "body", .size = 4}, {.view = 7, .body = "b", .size = 1}};

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	written_append_meta(&disk, 1);
	disk_append(&disk, 3, 10);
	assert_true(journal_append_batch(disk.journal, disk.next_ticket++, &staged, entries, 2));
	disk_wait(&disk, disk.next_ticket - 1);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.staged, 1);
	assert_int_equal(disk.recovery.op, 3);
	disk_wait(&disk, written_append_state(&disk, 32));
	disk_close(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.recovery.op, 32);
	disk_free(&disk);
}

/* Everything comes back, in order, over many segments, at every start; every segment begins with META. */
static void test_round_trip(void **state)
{
	struct disk disk;
	uint64_t appended = 0;

	(void)state;
	disk_new(&disk);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(disk_open(&disk), JOURNAL_OK);
		assert_int_equal(disk.entries, appended);
		assert_int_equal(disk.op, appended);
		assert_int_equal(disk.recovery.op, appended);
		assert_true(uuid_equal(disk.recovery.uuid, disk.options.uuid));
		written_append_meta(&disk, 1);
		for (int i = 0; i < 100; i++) {
			uint64_t ticket = disk_append(&disk, 10, 300);

			appended += 10;
			if (i % 10 == 0)
				disk_wait(&disk, ticket);
		}
		disk_wait(&disk, disk.next_ticket - 1);
		struct journal_counters counters = journal_counters(disk.journal);

		assert_int_equal(counters.records, 101);
		assert_true(counters.writes >= 10);
		assert_true(counters.rotations >= 4);
		assert_true(counters.size_bytes > appended * 300);
		assert_int_equal(journal_queued_bytes(disk.journal), 0);
		assert_int_equal(journal_oldest_write_us(disk.journal), 0);
		assert_false(journal_disk_full(disk.journal));
		disk_close(&disk);
		assert_int_equal(disk_check(&disk), JOURNAL_OK);
		assert_int_equal(disk.entries, appended);
		assert_true(disk.metas >= disk.recovery.segments);
		assert_true(disk.recovery.segments >= 4);
	}
	disk_free(&disk);
}

/* A kill -9 at any moment leaves everything that was reported durable by then. */
static void test_killed_any_time(void **state)
{
	struct disk disk, copy;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	written_append_meta(&disk, 1);
	for (uint32_t i = 0; i < 60; i++) {
		uint64_t op = disk.op;

		disk_wait(&disk, disk.next_ticket - 1);
		for (uint32_t more = 0; more < i % 5; more++)
			disk_append(&disk, 5, 400); /* under way while the copy is made */
		disk_copy(&copy, &disk);
		enum journal_outcome outcome = disk_open(&copy);

		assert_true(outcome == JOURNAL_OK || outcome == JOURNAL_TAIL_CUT);
		assert_true(copy.recovery.op >= op);
		disk_wait(&copy, written_append_meta(&copy, 2));
		disk_close(&copy);
		assert_int_equal(disk_check(&copy), JOURNAL_OK);
		disk_free(&copy);
	}
	disk_free(&disk);
}

/* The tickets of a queue that spans several segments are in one order, and a full queue refuses. */
static void test_large_queue(void **state)
{
	struct disk disk;

	(void)state;
	disk_new(&disk);
	disk.options.queue_bytes = 1 << 20;
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	uint64_t last = written_append_meta(&disk, 1);

	for (int i = 0; i < 60; i++)
		last = disk_append(&disk, 4, 3000);
	disk_wait(&disk, last);
	assert_true(journal_counters(disk.journal).rotations > 5);

	/* 16 KiB payloads until it refuses: the disk is at most as fast as memory, so this ends by the limit or by the
	 * count. */
	static const uint8_t meta[16 << 10] = {[3] = JH_DISK_META};
	int refused = 0;

	for (int i = 0; i < 100000 && refused == 0; i++) {
		if (journal_append(disk.journal, disk.next_ticket, meta, sizeof meta))
			disk.next_ticket++;
		else
			refused++;
		assert_true(journal_queued_bytes(disk.journal) <= 1 << 20);
	}
	assert_int_equal(refused, 1);
	assert_true(journal_oldest_write_us(disk.journal) > 0);
	disk_wait(&disk, disk.next_ticket - 1);
	disk_close(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.entries, 240);
	disk_free(&disk);
}

/* Trimming removes whole segments at or below the snapshot's op, and keeps all above it, and META. */
static void test_trim(void **state)
{
	struct disk disk;
	uint64_t last = 0, middle;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	written_append_meta(&disk, 1);
	for (int i = 0; i < 100; i++)
		last = disk_append(&disk, 10, 300);
	disk_wait(&disk, last);
	uint64_t segments = journal_counters(disk.journal).segments;

	middle = disk.op / 2;
	assert_true(segments >= 4);
	journal_trim(disk.journal, middle);
	disk_until_segments(&disk, segments / 2 + 1);
	assert_true(journal_counters(disk.journal).segments > 1);
	disk_close(&disk);

	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	assert_true(disk.first_op > 1);
	assert_true(disk.first_op <= middle + 1);
	assert_int_equal(disk.last_op, 1000);
	assert_true(disk.metas > 0);
	journal_trim(disk.journal, 2000);
	disk_until_segments(&disk, 1);
	disk_wait(&disk, disk_append(&disk, 1, 10));
	disk_close(&disk);
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.recovery.op, 1001);
	assert_true(disk.metas > 0);
	disk_free(&disk);
}

/* A STATE record replaces everything before it: segments of the replaced history may be removed although their ops are
 * higher. */
static void test_trim_behind_state(void **state)
{
	struct disk disk;
	uint64_t last = 0;

	(void)state;
	disk_new(&disk);
	assert_int_equal(disk_open(&disk), JOURNAL_OK);
	written_append_meta(&disk, 1);
	for (int i = 0; i < 50; i++)
		last = disk_append(&disk, 10, 300);
	disk_wait(&disk, last);
	written_append_state(&disk, 20);
	disk_wait(&disk, disk_append(&disk, 1, 100));
	disk_close(&disk);
	for (int reopened = 0; reopened < 2; reopened++) {
		assert_int_equal(disk_open(&disk), JOURNAL_OK);
		if (reopened == 0)
			assert_true(journal_counters(disk.journal).segments > 1);
		journal_trim(disk.journal, reopened == 0 ? 19 : 20);
		disk_until_segments(&disk, reopened == 0 ? UINT64_MAX : 1);
		disk_close(&disk);
	}
	assert_int_equal(disk_check(&disk), JOURNAL_OK);
	assert_int_equal(disk.states, 1);
	assert_int_equal(disk.recovery.op, 21);
	disk_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_bytes),
		cmocka_unit_test(test_staged),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_killed_any_time),
		cmocka_unit_test(test_large_queue),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_trim_behind_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
