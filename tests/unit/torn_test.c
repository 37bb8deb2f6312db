/* Power fails, and the node starts on what was on the disk by then: it serves what it had acknowledged, accepts
 * orders, and the next start finds the same again (rules 1, 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/cluster/convert.h"
#include "rpc/disk.h"
#include "server/disk/journal_segment.h"
#include "server/disk/recovery.h"
#include "server/disk/snapshot.h"
#include "server/disk/staging.h"
#include "server/machine/machine.h"
#include "server/shop/initial_orders.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_node.h"

#define SECTOR 512u

static uint64_t request;

static struct report report_now(void)
{
	struct report report;

	node_report(node_rig.node, &report);
	return report;
}

static void lead(struct caller *manager)
{
	node_rig.view.number++;
	assert_int_equal(manager_opens(manager, 0xA), JH_HELLO_OK);
	assert_int_equal(install_view(manager, &node_rig.view), JH_MANAGE_OK);
	while (report_now().state == STATE_SETTLING)
		loop_for(1);
	assert_int_equal(report_now().state, STATE_SERVING);
}

static void order(struct caller *manager)
{
	assert_int_equal(order_now(manager, ++request, "soup").outcome, JH_DONE);
}

static bool has_temporary(void)
{
	static const char *const names[] = {SNAPSHOT_TEMPORARY, SNAPSHOT_INCOMING};
	char path[SCRATCH_PATH_SIZE + 32];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", node_rig.directory, names[i]);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* A start on these files, which hold so many orders; more of them, a stop, and the same orders at the next start. */
static void starts_on(const struct image *image, uint64_t least, uint64_t most)
{
	struct caller manager;
	struct report report;
	uint64_t found;

	image_put(image, node_rig.directory);
	node_begin();
	found = report_now().op;
	assert_false(has_temporary());
	assert_string_equal(report_now().detail, "");
	assert_in_range(found, least, most);
	lead(&manager);
	order(&manager);
	order(&manager);
	report = report_now();
	assert_int_equal(report.op, found + 2);
	caller_close(&manager);
	node_finish();
	node_begin();
	assert_int_not_equal(report_now().state, STATE_DAMAGED);
	assert_int_equal(report_now().op, found + 2);
	lead(&manager);
	assert_true(digest_equal(report_now().digest, report.digest));
	caller_close(&manager);
	node_finish();
}

static uint32_t file_index(const struct image *image, const char *prefix)
{
	for (uint32_t i = image->count; i-- > 0;) {
		if (strncmp(image->files[i].name, prefix, strlen(prefix)) == 0)
			return i;
	}
	fail_msg("no %s", prefix);
	return 0;
}

/* Where the last write of the journal begins and ends: the frames that call the same record durable. */
static uint32_t last_write(const struct image *image, uint32_t *end)
{
	const uint8_t *bytes = image->files[file_index(image, "journal-0")].bytes;
	struct segment_header header;
	struct frame_header frame;
	uint64_t durable = UINT64_MAX;
	uint32_t begin = 0, at = SEGMENT_DATA;

	assert_int_equal(segment_header_read(bytes, &header), SEGMENT_HEADER_OK);
	for (; frame_valid(bytes + at, (8u << 20) - at, header.salt); at += frame.span) {
		memcpy(&frame, bytes + at, sizeof frame);
		if (frame.durable != durable)
			begin = at;
		durable = frame.durable;
	}
	*end = at;
	return begin;
}

/* Starts on the image with each sector of its last write missing, and with each prefix of it alone. */
static void tear_last_write(struct image *image, uint64_t least, uint64_t most)
{
	uint8_t *bytes = image->files[file_index(image, "journal-0")].bytes;
	uint8_t whole[16384];
	uint32_t end, begin = last_write(image, &end), size = end - begin;

	assert_in_range(size, SECTOR, sizeof whole);
	memcpy(whole, bytes + begin, size);
	for (uint32_t at = 0; at < size; at += SECTOR) {
		memset(bytes + begin + at, 0, SECTOR);
		starts_on(image, least, most);
		memset(bytes + begin + at, 0, size - at);
		starts_on(image, least, most);
		memcpy(bytes + begin, whole, size);
	}
	starts_on(image, most, most);
}

/* The killed node's files, without what came after the last write that the journal had completed. */
static void take(struct image *image)
{
	node_killed_and_gone();
	image_take(image, node_rig.directory);
}

/* Orders not yet answered may be there or not; answered ones must be. One alone, and many together. */
static void a_torn_journal(void **state)
{
	struct caller manager;
	struct question questions[12];
	jh_write_result results[12];
	struct image image;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	order(&manager);
	order(&manager);
	caller_close(&manager);
	take(&image);
	tear_last_write(&image, 1, 2);
	image_free(&image);

	/* On the way: one order; and while it is, eleven more. */
	node_begin();
	lead(&manager);
	order(&manager);
	uint64_t sure = report_now().op;

	for (int many = 0; many < 2; many++) {
		atomic_store(&disk_hangs, true);
		for (int i = 0; i < (many ? 12 : 1); i++) {
			submit_order(&manager, &questions[i], &results[i], ++request, "a pie that is larger than others");
			if (i == 0)
				loop_for(2);
		}
		loop_for(2);
		atomic_store(&disk_hangs, false);
		for (int i = 0; i < (many ? 12 : 1); i++) {
			loop_until(&questions[i].over);
			assert_int_equal(results[i].outcome, JH_DONE);
			xdr_free((xdrproc_t)xdr_jh_write_result, &results[i]);
		}
	}
	caller_close(&manager);
	take(&image);
	tear_last_write(&image, sure + 2, sure + 13);
	image_free(&image);
	node_rig_end();
}

/* --- snapshots ---------------------------------------------------------------------------------------------------- */

static void write_snapshot_now(void)
{
	const struct snapshot_pace at_once = {0};
	const struct machine *machine = node_rig.node->machine;
	const struct snapshot_summary summary = {.op = machine_op(machine),
						 .initial_count = history_loaded(machine_history(machine)),
						 .digest = history_digest(machine_history(machine))};
	char error[SNAPSHOT_ERROR_SIZE];

	assert_int_equal(snapshot_write(node_rig.directory, machine_history(machine), &summary, &at_once, error, sizeof error),
			 SNAPSHOT_WRITTEN);
}

/* The files without one of them, or with another name for it, or only its beginning. */
static void starts_on_variant(const struct image *image, uint32_t index, const char *name, size_t size, uint64_t op)
{
	struct image variant = *image;

	if (size == 0) {
		variant.files[index] = variant.files[--variant.count];
	} else {
		snprintf(variant.files[index].name, IMAGE_NAME_SIZE, "%s", name);
		variant.files[index].size = size;
	}
	starts_on(&variant, op, op);
}

/* A snapshot is being written, has its name, and the one before it is gone. */
static void a_snapshot_being_named(void **state)
{
	struct caller manager;
	struct image image;
	uint32_t old, new;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	for (int i = 0; i < 5; i++)
		order(&manager);
	write_snapshot_now();
	order(&manager);
	caller_close(&manager);
	take(&image);
	old = file_index(&image, "snapshot-00000000000000000000");
	new = file_index(&image, "snapshot-00000000000000000005");

	size_t size = image.files[new].size;

	for (size_t part = 1; part <= size; part += size / 8)
		starts_on_variant(&image, new, SNAPSHOT_TEMPORARY, part, 6);
	starts_on_variant(&image, new, SNAPSHOT_TEMPORARY, size, 6);
	starts_on(&image, 6, 6);
	starts_on_variant(&image, old, NULL, 0, 6);
	image_free(&image);
	node_rig_end();
}

/* --- replacements ------------------------------------------------------------------------------------------------- */

#define STATE_OP 3u
#define STAGED_OPS 5u

/* A primary's own orders. */
struct primary {
	struct machine *machine;              /* as of STATE_OP */
	uint8_t bodies[STAGED_OPS][LIMIT_BODY_BYTES];
	uint32_t sizes[STAGED_OPS];
};

static bool load_order(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return machine_load(context, body, size, error, error_size);
}

static void primary_begin(struct primary *primary)
{
	struct caller manager;
	char error[256];

	node_rig_begin();
	node_leads(&manager);
	for (uint32_t i = 0; i < STAGED_OPS; i++)
		order(&manager);
	for (uint32_t i = 0; i < STAGED_OPS; i++) {
		struct replica_entry entry = replica_entry_at(node_rig.node->replica, i + 1);

		primary->sizes[i] = entry.size;
		memcpy(primary->bodies[i], entry.body, entry.size);
	}
	caller_close(&manager);
	node_rig_end();
	primary->machine = machine_new(100);
	assert_true(initial_orders_built_in(load_order, primary->machine, error, sizeof error));
	for (uint32_t i = 0; i < STATE_OP; i++)
		assert_int_equal(machine_apply(primary->machine, primary->bodies[i], primary->sizes[i]), MACHINE_APPLIED);
}

static void ignore(void *context, uint64_t ticket)
{
	(void)context;
	(void)ticket;
}

static bool take_any(void *context, const struct journal_record *record, char *error, size_t error_size)
{
	(void)context;
	(void)record;
	(void)error;
	(void)error_size;
	return true;
}

/* The records of a replacement, all in one write, after the journal of a finished node. */
static void append_replacement(const struct primary *primary, struct image *image)
{
	struct journal_options options = {.base = event_base_new(), .durable = ignore};
	struct journal_recovery recovery;
	struct journal *journal = journal_open(node_rig.directory, &options, take_any, NULL, &recovery);
	struct digest digest = history_digest(machine_history(primary->machine));
	uint8_t state[STATE_BYTES];
	jh_disk_record record = {.kind = JH_DISK_STATE,
				 .jh_disk_record_u.state = {.op = STATE_OP, .last_op = STAGED_OPS}};
	XDR xdr;

	record.jh_disk_record_u.state.digest = convert_digest_to_wire(digest);
	xdrmem_create(&xdr, (char *)state, sizeof state, XDR_ENCODE);
	assert_true(xdr_jh_disk_record(&xdr, &record));
	atomic_store(&disk_hangs, true);
	for (uint32_t i = STATE_OP; i < STAGED_OPS; i++) {
		const struct journal_batch batch = {.base_op = i, .base_digest = digest, .commit = STATE_OP, .staged = true};
		const struct journal_entry entry = {.view = 1, .body = primary->bodies[i], .size = primary->sizes[i]};

		assert_true(journal_append_batch(journal, i, &batch, &entry, 1));
		digest = digest_chain(digest, primary->bodies[i], primary->sizes[i]);
		if (i == STATE_OP) /* leaves by itself */
			while (journal_oldest_write_us(journal) < 2000)
				usleep(500);
	}
	assert_true(journal_append(journal, STAGED_OPS, state, sizeof state));
	atomic_store(&disk_hangs, false);
	while (journal_oldest_write_us(journal) != 0)
		usleep(500);
	image_take(image, node_rig.directory); /* before the mark of a clean end */
	journal_close(journal);
	event_base_free(options.base);
}

static void write_received(const struct primary *primary)
{
	const struct snapshot_summary summary = {.op = STATE_OP,
						 .initial_count = history_loaded(machine_history(primary->machine)),
						 .digest = history_digest(machine_history(primary->machine))};
	static uint8_t chunk[65536];
	char error[SNAPSHOT_ERROR_SIZE];
	struct snapshot_writer *writer = snapshot_begin(node_rig.directory, SNAPSHOT_INCOMING, 0, error, sizeof error);
	uint64_t next;
	size_t size = history_encode(machine_history(primary->machine), 0, STATE_OP, &next, chunk, sizeof chunk);

	assert_non_null(writer);
	assert_true(snapshot_append(writer, chunk, size, error, sizeof error));
	assert_true(snapshot_finish(writer, &summary, error, sizeof error));
}

/* A primary's state replaces two orders of another history, or does not; nothing in between. */
static void a_staged_replacement(void **state)
{
	static struct primary primary, other;
	struct caller manager;
	struct image image;

	(void)state;
	primary_begin(&primary);
	primary_begin(&other);
	node_rig_begin();
	node_leads(&manager);
	order(&manager);
	order(&manager);
	caller_close(&manager);
	node_finish();
	write_received(&primary);
	append_replacement(&primary, &image);

	uint8_t *bytes = image.files[file_index(&image, "journal-0")].bytes;
	uint8_t whole[16384];
	uint32_t end, begin = last_write(&image, &end);

	assert_in_range(end - begin, SECTOR, sizeof whole);
	memcpy(whole, bytes + begin, end - begin);
	starts_on(&image, STAGED_OPS, STAGED_OPS);
	for (uint32_t at = 0; at < end - begin; at += 64) {
		memset(bytes + begin + at, 0, end - begin - at);
		starts_on(&image, 2, at > end - begin - 400 ? STAGED_OPS : 2);
		memcpy(bytes + begin, whole, end - begin);
	}
	/* It has its name, and the former one is gone. */
	uint32_t incoming = file_index(&image, "incoming");

	snprintf(image.files[incoming].name, IMAGE_NAME_SIZE, "snapshot-%020u", STATE_OP);
	starts_on(&image, STAGED_OPS, STAGED_OPS);
	starts_on_variant(&image, file_index(&image, "snapshot-00000000000000000000"), NULL, 0, STAGED_OPS);
	/* Beside it lies a later state, as of the same op but of another history. */
	image_put(&image, node_rig.directory);
	write_received(&other);
	image_free(&image);
	image_take(&image, node_rig.directory);
	starts_on(&image, STAGED_OPS, STAGED_OPS);
	image_free(&image);
	machine_free(primary.machine);
	machine_free(other.machine);
	node_rig_end();
}

/* What the disk cannot show for the moment is not taken for missing (rule 14), whichever listing fails: the process
 * does not start, or it starts with everything that was there. */
static void a_listing_that_fails(void **state)
{
	static struct primary primary;
	struct caller manager;
	struct image image;
	unsigned refused = 0;
	int status;

	(void)state;
	primary_begin(&primary);
	node_rig_begin();
	node_leads(&manager);
	order(&manager);
	caller_close(&manager);
	node_finish();
	write_received(&primary);
	append_replacement(&primary, &image);
	for (unsigned listing = 1;; listing++) {
		image_put(&image, node_rig.directory);
		status = node_begins_as(listing, STAGED_OPS);
		if (status == NODE_BEGAN_WITHOUT)
			break;
		if (status != 1)
			assert_int_equal(status, NODE_BEGAN_WITH);
		refused += status == 1;
		assert_int_equal(node_begins_as(0, STAGED_OPS), NODE_BEGAN_WITH); /* the next start has everything */
	}
	assert_in_range(refused, 10, 1000);
	image_free(&image);
	machine_free(primary.machine);
	node_rig_end();
}

/* A state that has been received and adopted has a snapshot's name, and replaces the one before. */
static void a_received_state_gets_its_name(void **state)
{
	static struct primary primary;
	static uint8_t chunk[65536];
	struct staging_piece piece = {.op = STATE_OP, .records = chunk};
	uint64_t next, op = 0, older;

	(void)state;
	primary_begin(&primary);
	node_rig_begin();
	piece.total = history_count(machine_history(primary.machine));
	piece.initial_count = history_loaded(machine_history(primary.machine));
	piece.digest = history_digest(machine_history(primary.machine));
	piece.size = history_encode(machine_history(primary.machine), 0, STATE_OP, &next, chunk, sizeof chunk);
	staging_take(node_rig.node->staging, 1, &piece);
	machine_free(staging_adopt(node_rig.node->staging, STATE_OP));
	for (int i = 0; i < 400 && (has_temporary() || op == 0 || snapshot_newest(node_rig.directory, op, &older)); i++) {
		loop_for(1);
		assert_true(snapshot_newest(node_rig.directory, UINT64_MAX, &op));
	}
	assert_int_equal(op, STATE_OP);
	assert_false(has_temporary());
	machine_free(primary.machine);
	node_rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_torn_journal),
		cmocka_unit_test(a_snapshot_being_named),
		cmocka_unit_test(a_staged_replacement),
		cmocka_unit_test(a_listing_that_fails),
		cmocka_unit_test(a_received_state_gets_its_name),
	};

	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
