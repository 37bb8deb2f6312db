/* Purpose: the files on disks do not change unnoticed. Each record of a journal, a whole segment with every kind of
 * record, a snapshot and view.json are written today as they are kept in tests/golden, and the kept ones are read as
 * what they were. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

#include "frontend/keeper/view_file.h"
#include "server/disk/journal_recover.h"
#include "server/disk/snapshot.h"
#include "server/machine/operation.h"
#include "server/shop/initial_orders.h"
#include "server/shop/order_encoding.h"
#include "tests/unit/support_golden.h"
#include "tests/unit/support_orders.h"
#include "tests/unit/support_samples.h"
#include "tests/unit/support_scratch.h"

#define SALT 0x1234567890abcdefu
#define SEQUENCE 41u
#define RECORDS 8u

static const struct golden_number disk = {"JH_DISK_FORMAT", JH_DISK_FORMAT, "disk"};
static const struct golden_number snapshots = {"SNAPSHOT_FORMAT", SNAPSHOT_FORMAT, "snapshot"};
static const struct golden_number view_files = {"VIEW_FILE_FORMAT", VIEW_FILE_FORMAT, "view-file"};

/* --- records ------------------------------------------------------------------------------------------------------ */

static void record(const char *file, const char *what, jh_disk_record *sample)
{
	golden_xdr(&(struct golden){&disk, file, what}, (xdrproc_t)xdr_jh_disk_record, sample, sizeof *sample);
}

static jh_disk_record meta_record(void)
{
	static jh_joint joint;
	jh_disk_record meta = {.kind = JH_DISK_META};

	joint.id = 4;
	SAMPLE_FILL(joint.uuid, 4);
	meta.jh_disk_record_u.meta = (jh_disk_meta){.id = 2, .program_base = SAMPLE_BASE, .view = sample_view(),
						    .whole_view = 11, .tail_cut = 34, .fold_differs_op = 35, .joint = {1, &joint}};
	SAMPLE_FILL(meta.jh_disk_record_u.meta.uuid, 2);
	SAMPLE_FILL(meta.jh_disk_record_u.meta.bound, 0x3a);
	return meta;
}

static jh_disk_batch batch_of(uint64_t base_op)
{
	jh_disk_batch batch = {.base_op = base_op, .durable_op = base_op - 1, .commit = base_op - 2,
			       .entries = {2, sample_entries()}};

	SAMPLE_FILL(batch.base_digest, 0xd1);
	return batch;
}

static jh_disk_record state_record(void)
{
	jh_disk_record state = {.kind = JH_DISK_STATE};

	state.jh_disk_record_u.state = (jh_disk_state){.op = 40, .last_op = 44};
	SAMPLE_FILL(state.jh_disk_record_u.state.digest, 0xd5);
	return state;
}

static void test_records(void **state)
{
	jh_disk_record meta = meta_record(), replaced = state_record(), cut = {.kind = JH_DISK_CUT};
	jh_disk_record batch = {.kind = JH_DISK_BATCH}, staged = {.kind = JH_DISK_STAGED};

	(void)state;
	batch.jh_disk_record_u.batch = batch_of(31);
	staged.jh_disk_record_u.staged = batch_of(40);
	record("meta", "disk.x: record META", &meta);
	record("batch", "disk.x: record BATCH", &batch);
	record("state", "disk.x: record STATE", &replaced);
	record("staged", "disk.x: record STAGED", &staged);
	record("cut", "disk.x: record CUT", &cut);
}

static struct text_span text_of(const char *bytes, u_int size)
{
	return (struct text_span){.bytes = bytes, .size = size};
}

/* The body that everything about an order is made of: by rpcgen's converter, and by our own. */
static void test_body(void **state)
{
	const struct golden golden = {&disk, "body", "shop.x: the body of an order"};
	static struct golden_bytes own, kept;
	jh_body sample = sample_body();
	const jh_order *order = &sample.operation.jh_operation_u.order;
	struct body body = {.format = 3, .request = sample.request, .time_us = sample.time_us, .check = (uint32_t)sample.check};
	struct order made = {.customer = text_of(order->customer.customer_val, order->customer.customer_len),
			     .postcode = text_of(order->postcode.postcode_val, order->postcode.postcode_len),
			     .items_count = order->items.items_len};

	(void)state;
	golden_xdr(&golden, (xdrproc_t)xdr_jh_body, &sample, sizeof sample);
	memcpy(&body.client, &sample.client, sizeof body.client);
	for (u_int i = 0; i < order->items.items_len; i++)
		made.items[i] = text_of(order->items.items_val[i].jh_item_val, order->items.items_val[i].jh_item_len);
	body.actor = text_of(sample.extra->actor.actor_val, sample.extra->actor.actor_len);
	body.note = text_of(sample.extra->note.note_val, sample.extra->note.note_len);
	body.forgotten = true;
	body.outcome = (struct outcome){.result = OUTCOME_REFUSAL, .reason = JH_REASON_FULL, .values_count = 2, .values = {3, 4}};
	memset(&body.content_digest, 0xdd, sizeof body.content_digest);
	own.size = order_encode_body(&body, &made, own.at, LIMIT_BODY_BYTES);
	golden_equal(&golden, &own);
	golden_read(&golden, &kept);
	assert_non_null(operation_parse(kept.at, kept.size, &body));
	assert_true(order_parse(body.content, body.content_size, &made));
	assert_int_equal(body.request, sample.request);
	assert_int_equal(body.time_us, sample.time_us);
	assert_int_equal(body.check, sample.check);
	assert_int_equal(made.items_count, order->items.items_len);
}

/* --- a segment ---------------------------------------------------------------------------------------------------- */

/* last: the last of its write, which ends at a sector. */
static void put_frame(struct golden_bytes *bytes, uint64_t sequence, const void *payload, size_t size, bool last)
{
	uint32_t span = frame_span(size);
	static _Alignas(8) uint8_t memory[8192];
	struct frame_header *frame = (struct frame_header *)(void *)memory;

	if (last)
		span += (uint32_t)(SEGMENT_SECTOR - (bytes->size + span) % SEGMENT_SECTOR) % SEGMENT_SECTOR;
	assert_true(sizeof *frame + size <= sizeof memory && span <= sizeof memory);
	memset(memory, 0, sizeof memory);
	frame->size = htole32((uint32_t)size);
	if (size > 0)
		memcpy(frame + 1, payload, size);
	frame_seal(frame, SALT, sequence, sequence - 1, span);
	golden_put(bytes, memory, span);
}

static void put_record(struct golden_bytes *bytes, uint64_t sequence, jh_disk_record *value)
{
	static uint8_t payload[8192];
	XDR xdr;

	xdrmem_create(&xdr, (char *)payload, sizeof payload, XDR_ENCODE);
	assert_true(xdr_jh_disk_record(&xdr, value));
	put_frame(bytes, sequence, payload, xdr_getpos(&xdr), false);
}

static void put_batch(struct golden_bytes *bytes, uint64_t sequence, uint64_t base_op, bool staged)
{
	static uint8_t payload[8192];
	const jh_log_entry *wire = sample_entries();
	struct journal_entry entries[2];
	struct journal_batch batch = {.base_op = base_op, .durable_op = base_op, .commit = base_op, .staged = staged};

	memset(&batch.base_digest, 0xd1, sizeof batch.base_digest);
	for (int i = 0; i < 2; i++)
		entries[i] = (struct journal_entry){.view = wire[i].view, .body = wire[i].body.body_val,
						    .size = wire[i].body.body_len};
	assert_true(journal_batch_size(entries, 2) <= sizeof payload);
	journal_batch_encode(&batch, entries, 2, payload);
	put_frame(bytes, sequence, payload, journal_batch_size(entries, 2), false);
}

/* As the journal lays it out: header, zeros to the first frame, a META first, every other kind, a mark. */
static void make_segment(struct golden_bytes *bytes)
{
	struct segment_header header = {.magic = {'J', 'H', 'J', 'O', 'U', 'R', 'N', '\n'},
					.version = htole32(SEGMENT_VERSION), .salt = htole64(SALT)};
	static const uint8_t zeros[SEGMENT_DATA];
	jh_disk_record meta = meta_record(), state = state_record(), cut = {.kind = JH_DISK_CUT};
	uint64_t sequence = SEQUENCE;

	memset(&header.uuid, 2, sizeof header.uuid);
	header.checksum = htole64(XXH3_64bits(&header, offsetof(struct segment_header, checksum)));
	bytes->size = 0;
	golden_put(bytes, &header, sizeof header);
	golden_put(bytes, zeros, sizeof zeros - sizeof header);
	put_record(bytes, sequence++, &meta);
	put_batch(bytes, sequence++, 31, false);
	put_batch(bytes, sequence++, 33, false);
	put_batch(bytes, sequence++, 40, true);
	put_batch(bytes, sequence++, 42, true);
	put_record(bytes, sequence++, &state);
	put_record(bytes, sequence++, &cut);
	put_record(bytes, sequence++, &meta);
	assert_int_equal(sequence, SEQUENCE + RECORDS);
	put_frame(bytes, sequence, NULL, 0, true);
	golden_put(bytes, zeros, sizeof zeros - bytes->size % sizeof zeros); /* a file's size is a multiple of that */
}

static bool hear(void *context, const struct journal_record *heard, char *error, size_t size)
{
	static const uint32_t kinds[RECORDS] = {JH_DISK_META,	JH_DISK_BATCH, JH_DISK_BATCH, JH_DISK_STAGED,
						JH_DISK_STAGED, JH_DISK_STATE, JH_DISK_CUT,   JH_DISK_META};
	unsigned int *count = context;
	struct journal_batch batch = heard->batch;
	struct journal_entry entry;

	(void)error;
	(void)size;
	assert_true(*count < RECORDS);
	assert_int_equal(heard->kind, kinds[*count]);
	assert_int_equal(heard->sequence, SEQUENCE + *count);
	if (heard->kind == JH_DISK_BATCH || heard->kind == JH_DISK_STAGED) {
		assert_true(journal_batch_next(&batch, &entry));
		assert_int_equal(entry.view, 11);
		assert_true(journal_batch_next(&batch, &entry));
		assert_int_equal(entry.view, 12);
		assert_false(journal_batch_next(&batch, &entry));
	}
	(*count)++;
	return true;
}

static void save(const char *path, const struct golden_bytes *bytes)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, bytes->at, bytes->size), bytes->size);
	close(file);
}

static void test_segment(void **state)
{
	const struct golden golden = {&disk, "journal", "journal: a segment with every kind of record"};
	static struct golden_bytes bytes, kept;
	char directory[SCRATCH_PATH_SIZE], path[SCRATCH_PATH_SIZE + SEGMENT_NAME_SIZE + 1], name[SEGMENT_NAME_SIZE];
	struct journal_recovery recovery;
	unsigned int count = 0;

	(void)state;
	make_segment(&bytes);
	golden_equal(&golden, &bytes);
	golden_read(&golden, &kept);
	scratch_new(directory);
	snprintf(path, sizeof path, "%s/%s", directory, segment_name(SEQUENCE, name));
	save(path, &kept);
	journal_check(directory, hear, &count, &recovery);
	if (recovery.outcome != JOURNAL_OK || count != RECORDS)
		fail_msg("journal: the golden segment of format %u no longer reads: %u of %u records, %s",
			 JH_DISK_FORMAT, count, RECORDS, recovery.error);
	assert_int_equal(recovery.op, 44);
	scratch_remove(directory);
}

/* --- a snapshot --------------------------------------------------------------------------------------------------- */

static bool load(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return machine_load(context, body, size, error, error_size);
}

/* Three orders that were loaded, two that were made. */
static struct machine *make_orders(struct snapshot_summary *summary)
{
	static const char loaded[] = "DH1 3LE\tAnn\tburger\tfries\nDH1 3LG\t\tvegetables\nSW1A 1AA\tZo\xc3\xab\ttea\n";
	char path[SCRATCH_PATH_SIZE + 8], directory[SCRATCH_PATH_SIZE], error[INITIAL_ORDERS_ERROR_SIZE];
	struct machine *machine = machine_new(1000);
	const jh_log_entry *made = sample_entries();
	FILE *file;

	scratch_new(directory);
	snprintf(path, sizeof path, "%s/orders", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(loaded, file);
	fclose(file);
	if (!initial_orders_load(path, load, machine, error, sizeof error))
		fail_msg("%s", error);
	scratch_remove(directory);
	for (int i = 0; i < 2; i++)
		assert_int_equal(machine_apply(machine, made[i].body.body_val, made[i].body.body_len), MACHINE_APPLIED);
	*summary = (struct snapshot_summary){.op = 2, .initial_count = 3, .digest = history_digest(machine_history(machine))};
	return machine;
}

static void read_back(const char *path, struct golden_bytes *bytes)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	assert_true(file >= 0);
	size = read(file, bytes->at, sizeof bytes->at);
	assert_in_range(size, 1, sizeof bytes->at - 1);
	bytes->size = (size_t)size;
	close(file);
}

static void test_snapshot(void **state)
{
	const struct golden golden = {&snapshots, "snapshot", "snapshot: five orders"};
	static struct golden_bytes bytes, kept;
	const struct snapshot_pace pace = {0};
	char directory[SCRATCH_PATH_SIZE], path[SCRATCH_PATH_SIZE + 40], error[SNAPSHOT_ERROR_SIZE] = "";
	struct snapshot_summary summary, found;
	struct machine *machine = make_orders(&summary);
	struct order_view order;

	(void)state;
	scratch_new(directory);
	assert_int_equal(snapshot_write(directory, machine_history(machine), &summary, &pace, error, sizeof error), SNAPSHOT_WRITTEN);
	machine_free(machine);
	assert_true(snapshot_path(directory, summary.op, path, sizeof path));
	read_back(path, &bytes);
	golden_equal(&golden, &bytes);
	golden_read(&golden, &kept);
	save(path, &kept);
	if (snapshot_load(path, 1000, &machine, &found, error, sizeof error) != SNAPSHOT_LOADED)
		fail_msg("snapshot: the golden one of format %u no longer reads: %s", SNAPSHOT_FORMAT, error);
	assert_int_equal(history_count(machine_history(machine)), 5);
	assert_int_equal(found.op, 2);
	assert_true(digest_equal(found.digest, summary.digest));
	assert_true(postcode_orders_by_op(orders_in(machine), 2, &order));
	assert_int_equal(order.time_us, sample_body().time_us);
	assert_int_equal(order.number, 2);
	assert_int_equal(machine_outcome(machine, 1).result, OUTCOME_REFUSAL);
	machine_free(machine);
	scratch_remove(directory);
}

/* --- view.json ---------------------------------------------------------------------------------------------------- */

static struct uuid uuid_of(uint8_t byte)
{
	struct uuid uuid;

	memset(&uuid, byte, sizeof uuid);
	return uuid;
}

static struct views_stored stored_sample(void)
{
	struct views_stored stored = {.manager = uuid_of(0x3a)};
	struct view *view = &stored.view;

	*view = (struct view){.number = 12, .primary = 2, .cluster = uuid_of(0xc1), .generation = uuid_of(0x6e),
			      .manager = uuid_of(0x3a), .format = 3, .name = "caf\xc3\xa9", .keeper = {2, uuid_of(0x3b)},
			      .maker = uuid_of(0x3c), .members_count = 2, .expected_count = 3};
	for (uint32_t i = 0; i < 3; i++) {
		view->expected[i] = (struct expected){.id = i + 1, .lost_us = i < 2 ? 0 : 1700000000000000};
		if (i == 2)
			break;
		view->members[i] = (struct view_member){.id = i + 1, .uuid = uuid_of((uint8_t)(i + 1))};
		snprintf(view->members[i].address, sizeof view->members[i].address, "127.0.0.1:4000%u", i);
	}
	stored.marks.count = 1;
	stored.marks.list[0] = (struct fold_mark){.id = 1, .uuid = uuid_of(1), .differs_op = 17, .equal_op = 12};
	return stored;
}

static void test_view_file(void **state)
{
	const struct golden golden = {&view_files, "view", "view.json: a view of two members"};
	static struct golden_bytes bytes, kept;
	struct views_stored stored = stored_sample(), found;
	char *text = view_file_write(&stored), why[160] = "";

	(void)state;
	bytes.size = 0;
	golden_put(&bytes, text, strlen(text));
	free(text);
	golden_equal(&golden, &bytes);
	golden_read(&golden, &kept);
	if (view_file_read((const char *)kept.at, kept.size, &found, why, sizeof why) != VIEW_FILE_GOOD)
		fail_msg("view.json: the golden one of format %d no longer reads: %s", VIEW_FILE_FORMAT, why);
	assert_true(uuid_equal(found.manager, stored.manager));
	assert_true(view_equal(&found.view, &stored.view));
	assert_int_equal(found.marks.count, 1);
	assert_int_equal(found.marks.list[0].id, 1);
	assert_true(uuid_equal(found.marks.list[0].uuid, uuid_of(1)));
	assert_int_equal(found.marks.list[0].differs_op, 17);
	assert_int_equal(found.marks.list[0].equal_op, 12);
	for (uint32_t i = 0; i < 2; i++)
		assert_string_equal(found.view.members[i].address, stored.view.members[i].address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),	 cmocka_unit_test(test_body),	   cmocka_unit_test(test_segment),
		cmocka_unit_test(test_snapshot), cmocka_unit_test(test_view_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
