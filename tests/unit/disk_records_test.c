/* The journal's META record: the core's values survive the way to bytes and back, and no bytes whatever do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "server/disk/disk_records.h"
#include "server/disk/journal.h"
#include "tests/unit/support_scratch.h"

struct read_back {
	bool found;
	bool good;
	struct replica_meta meta;
	uint32_t program_base;
	uint8_t payload[32768];
	uint32_t size;
};

static struct uuid uuid_of(uint8_t byte)
{
	struct uuid uuid;

	memset(&uuid, byte, sizeof uuid);
	return uuid;
}

/* As large as possible. */
static void largest_meta(struct replica_meta *meta)
{
	*meta = (struct replica_meta){.id = 1, .uuid = uuid_of(1), .bound = uuid_of(200), .whole_view = 76, .tail_cut = 77, .fold_differs_op = 78,
				      .joint_count = LIMIT_REPLICAS};
	meta->view = (struct view){.number = 77, .format = 3, .keeper = {4, uuid_of(203)}, .maker = uuid_of(204), .primary = 1, .cluster = uuid_of(201), .generation = uuid_of(202),
				   .manager = uuid_of(200), .members_count = LIMIT_REPLICAS,
				   .expected_count = LIMIT_REPLICAS};
	memset(meta->view.name, 'n', LIMIT_CLUSTER_NAME_BYTES);
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		meta->view.members[i].id = i + 1;
		meta->view.members[i].uuid = uuid_of((uint8_t)(i + 1));
		snprintf(meta->view.members[i].address, sizeof meta->view.members[i].address,
			 "[2001:db8:1111:2222:3333:4444:5555:%04x]:40001", i);
		meta->view.expected[i] = (struct expected){.id = i + 1, .lost_us = INT64_MAX - i};
		meta->joint[i] = (struct joint){.id = 4000 + i, .uuid = uuid_of((uint8_t)(100 + i))};
	}
}

static bool read_record(void *context, const struct journal_record *record, char *error, size_t size)
{
	struct read_back *back = context;

	(void)error;
	(void)size;
	back->found = true;
	back->good = disk_meta_decode(record->payload, record->size, &back->meta, &back->program_base);
	assert_true(record->size <= sizeof back->payload);
	memcpy(back->payload, record->payload, record->size);
	back->size = record->size;
	return true;
}

static void ignore_ticket(void *context, uint64_t ticket)
{
	(void)context;
	(void)ticket;
}

static void fail_on_line(void *context, const char *line)
{
	(void)context;
	fail_msg("%s", line);
}

/* Through a core, a journal on disk, and its reader. */
static struct read_back *there_and_back(const struct replica_meta *meta)
{
	static struct replica_actions actions;
	const struct replica_options options = {.id = 1, .log_bytes_max = LIMIT_LOG_BYTES};
	const struct replica_service service = {0};
	struct journal_recovery recovery;
	struct read_back *back = calloc(1, sizeof *back);
	char directory[SCRATCH_PATH_SIZE];

	assert_non_null(back);
	scratch_new(directory);

	struct event_base *base = event_base_new();
	struct replica *replica = replica_new(&options, &service);

	replica_step(replica, &(struct replica_event){.kind = REPLICA_RECOVER_BASE}, &actions);
	replica_step(replica, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = meta}, &actions);

	struct journal *journal = journal_open(directory, &(struct journal_options){.base = base, .uuid = meta->uuid,
				    .durable = ignore_ticket, .fatal = fail_on_line}, read_record, back, &recovery);

	assert_non_null(journal);
	assert_true(disk_record_append(journal, replica, 540000000,
				&(struct replica_write){.kind = WRITE_META, .ticket = 1}));
	journal_close(journal);
	journal_check(directory, read_record, back, &recovery);
	assert_int_equal(recovery.outcome, JOURNAL_OK);
	replica_free(replica);
	replica_actions_free(&actions);
	event_base_free(base);
	scratch_remove(directory);
	assert_true(back->found);
	return back;
}

static void meta_comes_back(void **state)
{
	static struct replica_meta meta;
	struct read_back *back;

	(void)state;
	largest_meta(&meta);
	back = there_and_back(&meta);
	assert_true(back->good);
	assert_int_equal(back->program_base, 540000000);
	assert_int_equal(back->meta.id, 1);
	assert_true(uuid_equal(back->meta.uuid, meta.uuid));
	assert_true(uuid_equal(back->meta.bound, meta.bound));
	assert_int_equal(back->meta.whole_view, 76);
	assert_int_equal(back->meta.tail_cut, 77);
	assert_int_equal(back->meta.fold_differs_op, 78);
	assert_true(view_equal(&back->meta.view, &meta.view));
	assert_int_equal(back->meta.joint_count, LIMIT_REPLICAS);
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		assert_int_equal(back->meta.joint[i].id, meta.joint[i].id);
		assert_true(uuid_equal(back->meta.joint[i].uuid, meta.joint[i].uuid));
	}
	free(back);
}

/* A replica that was never in a view has an empty one. */
static void meta_without_a_view(void **state)
{
	const struct replica_meta meta = {.id = 1, .uuid = uuid_of(9)};
	struct read_back *back = there_and_back(&meta);

	(void)state;
	assert_true(back->good);
	assert_int_equal(back->meta.view.number, 0);
	assert_true(uuid_is_nil(back->meta.bound));
	free(back);
}

/* Cut anywhere it is malformed, and so is another kind of record; the sanitizers watch the decoder. */
static void malformed(void **state)
{
	static struct replica_meta meta, out;
	struct read_back *back;
	uint32_t base;

	(void)state;
	largest_meta(&meta);
	back = there_and_back(&meta);
	for (uint32_t size = 0; size < back->size; size += 4) {
		uint8_t *exact = malloc(size == 0 ? 1 : size);

		assert_non_null(exact);
		memcpy(exact, back->payload, size);
		assert_false(disk_meta_decode(exact, size, &out, &base));
		free(exact);
	}
	for (uint32_t at = 0; at < back->size; at++) {
		back->payload[at] ^= 0xff; /* valid or not: no harm */
		disk_meta_decode(back->payload, back->size, &out, &base);
		back->payload[at] ^= 0xff;
	}
	back->payload[3] = 3; /* JH_DISK_STATE */
	assert_false(disk_meta_decode(back->payload, back->size, &out, &base));
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meta_comes_back),
		cmocka_unit_test(meta_without_a_view),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
