/* Seeds of what stands on disks, and of texts that others write. */
#include "seeds.h"

#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include <rpc/rpcb_prot.h>

#include "frontend/keeper/view_file.h"
#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "rpc/disk.h"
#include "server/disk/journal_batch.h"
#include "server/disk/journal_segment.h"
#include "server/disk/snapshot.h"
#include "server/shop/initial_orders.h"

static void put_frame(struct bytes *bytes, uint64_t salt, uint64_t sequence, const void *payload, size_t size)
{
	static _Alignas(8) uint8_t memory[32768];
	struct frame_header *frame = (struct frame_header *)(void *)memory;

	memset(memory, 0, sizeof memory);
	frame->size = htole32((uint32_t)size);
	memcpy(frame + 1, payload, size);
	frame_seal(frame, salt, sequence, sequence - 1, frame_span(size));
	bytes_put(bytes, memory, frame_span(size));
}

static void save_payload(const char *what, const void *payload, size_t size)
{
	static struct bytes bytes;

	bytes.size = 0;
	bytes_put_u8(&bytes, 4);
	bytes_put(&bytes, payload, size);
	seed_save("journal", what, bytes.at, bytes.size);
}

static void put_record(struct bytes *bytes, uint64_t salt, uint64_t sequence, jh_disk_record *record)
{
	static struct bytes payload;

	payload.size = 0;
	bytes_put_xdr(&payload, (xdrproc_t)xdr_jh_disk_record, record);
	put_frame(bytes, salt, sequence, payload.at, payload.size);
	save_payload(record->kind == JH_DISK_META ? "payload-meta" : "payload-state", payload.at, payload.size);
}

static void put_batch(struct bytes *bytes, uint64_t salt, uint64_t sequence, uint64_t from, struct digest *digest,
		      bool staged)
{
	static uint8_t payload[32768];
	uint8_t bodies[2][LIMIT_BODY_BYTES];
	struct journal_entry entries[2];
	struct journal_batch batch = {.base_op = from, .base_digest = *digest, .durable_op = from, .commit = from,
				      .staged = staged};

	for (unsigned i = 0; i < 2; i++) {
		entries[i] = (struct journal_entry){.view = 2, .body = bodies[i],
						    .size = (uint32_t)seed_order(bodies[i], from + 1 + i, "DH1 3LE")};
		*digest = digest_chain(*digest, bodies[i], entries[i].size);
	}
	must(journal_batch_size(entries, 2) <= sizeof payload);
	journal_batch_encode(&batch, entries, 2, payload);
	put_frame(bytes, salt, sequence, payload, journal_batch_size(entries, 2));
	save_payload("payload-batch", payload, journal_batch_size(entries, 2));
}

static void seed_journal(void)
{
	static struct bytes bytes;
	const uint64_t salt = 0x1234567890abcdefu;
	struct segment_header header = {.magic = {'J', 'H', 'J', 'O', 'U', 'R', 'N', '\n'},
					.version = htole32(SEGMENT_VERSION), .salt = htole64(salt),
					.uuid = seed_uuid(1)};
	struct view view = seed_view(2, 2);
	struct digest digest = {0, 0}, staged = {5, 6};
	jh_disk_record meta = {.kind = JH_DISK_META}, state = {.kind = JH_DISK_STATE};
	jh_disk_meta *wire = &meta.jh_disk_record_u.meta;

	header.checksum = htole64(XXH3_64bits(&header, offsetof(struct segment_header, checksum)));
	wire->id = 1;
	wire->program_base = BASE;
	wire->uuid = convert_uuid_to_wire(seed_uuid(1));
	convert_view_to_wire(&view, &wire->view);
	wire->whole_view = 2;
	bytes_put_u8(&bytes, 0);
	bytes_put(&bytes, &header, sizeof header);
	put_record(&bytes, salt, 1, &meta);
	put_batch(&bytes, salt, 2, 0, &digest, false);
	put_batch(&bytes, salt, 3, 2, &digest, false);
	put_frame(&bytes, salt, 4, "", 0);
	seed_save("journal", "batches", bytes.at, bytes.size);
	bytes.at[0] = 3;
	put_batch(&bytes, salt, 5, 9, &staged, true);
	put_batch(&bytes, salt, 6, 11, &staged, true);
	state.jh_disk_record_u.state.op = 0;
	state.jh_disk_record_u.state.last_op = 0;
	put_record(&bytes, salt, 7, &state);
	put_record(&bytes, salt, 8, &meta);
	seed_save("journal", "replacement", bytes.at, bytes.size);
	bytes.at[0] = 1;
	seed_save("journal", "torn", bytes.at, bytes.size - 21);
	xdr_free((xdrproc_t)xdr_jh_disk_record, &meta);
}

static void read_file(struct bytes *bytes, const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t size;

	must(fd >= 0);
	size = read(fd, bytes->at, sizeof bytes->at);
	must(size >= 0);
	bytes->size = (size_t)size;
	close(fd);
}

static void seed_snapshot(unsigned count, const char *what)
{
	static struct bytes bytes;
	struct machine *machine = seed_history(count);
	struct snapshot_summary summary = {.op = count, .initial_count = history_loaded(machine_history(machine)),
					   .digest = history_digest(machine_history(machine))};
	const struct snapshot_pace pace = {0};
	char directory[] = "/tmp/jh-seeds-XXXXXX", path[128], error[SNAPSHOT_ERROR_SIZE];
	uint64_t next;

	must(mkdtemp(directory) != NULL);
	must(snapshot_write(directory, machine_history(machine), &summary, &pace, error, sizeof error) == SNAPSHOT_WRITTEN);
	must(snapshot_path(directory, count, path, sizeof path));
	read_file(&bytes, path);
	seed_save("snapshot", what, bytes.at, bytes.size);
	unlink(path);
	rmdir(directory);

	bytes.size = 0;
	bytes_put_u8(&bytes, (unsigned)history_loaded(machine_history(machine)) * 2 + 1);
	bytes.size += history_encode(machine_history(machine), 0, count, &next, bytes.at + 1, sizeof bytes.at - 1);
	seed_save("body", what, bytes.at, bytes.size);
	machine_free(machine);
}

static void seed_body(void)
{
	static struct bytes bytes;

	bytes_put_u8(&bytes, 0);
	bytes.size += seed_order(bytes.at + 1, 1, "DH1 3LE");
	seed_save("body", "order", bytes.at, bytes.size);
}

static void seed_view_file(void)
{
	struct views_stored stored = {.manager = seed_uuid(0x3a), .view = seed_view(2, 1)};
	char *text = view_file_write(&stored);

	seed_save_text("view_file", "three", text);
	free(text);
	stored.view = (struct view){.number = 0};
	text = view_file_write(&stored);
	seed_save_text("view_file", "none", text);
	free(text);
	seed_save_text("view_file", "newer", "{\"format\": 3}");
}

static void seed_rpcbind_dump(void)
{
	static const char *const entries[][3] = {
		{"tcp", "0.0.0.0.0.111", "superuser"}, {"tcp", "127.0.0.1.156.65", "1000"},
		{"tcp6", "::1.156.65", "unknown"}, {"local", "/run/rpcbind.sock", "superuser"},
		{"tcp6", "::.156.65", "0"}, {"udp", "10.0.0.1.0.111", "a very long name of an owner, indeed"}};
	static struct bytes bytes;
	uint32_t word;

	for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		rpcb entry = {.r_prog = BASE + i, .r_vers = 1, .r_netid = (char *)(uintptr_t)entries[i][0],
			      .r_addr = (char *)(uintptr_t)entries[i][1], .r_owner = (char *)(uintptr_t)entries[i][2]};

		word = htonl(1);
		bytes_put(&bytes, &word, 4);
		bytes_put_xdr(&bytes, (xdrproc_t)xdr_rpcb, &entry);
	}
	word = 0;
	bytes_put(&bytes, &word, 4);
	seed_save("rpcbind_dump", "six", bytes.at, bytes.size);
}

static void seed_texts(void)
{
	seed_save("postcode_answer", "io-true", "\0{\"status\":200,\"result\":true}", 29);
	seed_save("postcode_answer", "io-false", "\0{\"status\":200,\"result\":false}", 30);
	seed_save_text("postcode_answer", "io-retired",
		  "\x02{\"status\":404,\"error\":\"Postcode not found\",\"terminated\":{\"year\":1996}}");
	seed_save_text("postcode_answer", "gtd-match",
		       "\x01{\"status\":\"match\",\"match_type\":\"unit_postcode\",\"data\":{\"postcode\":\"DH1 3LE\",\"status\":\"live\"}}");
	seed_save_text("postcode_answer", "gtd-terminated",
		       "\x01{\"status\":\"match\",\"match_type\":\"unit_postcode\",\"data\":{\"postcode\":\"DH1 3LE\",\"status\":\"terminated\"}}");
	seed_save_text("postcode_answer", "gtd-no-match", "\x03{\"status\":\"no_match\"}");
	seed_save_text("postcode_answer", "io-forces", "\x80{\"status\":200,\"result\":false}");
	seed_save_text("order_line", "file", "DH1 3LE\tburger\tfries\r\nSW1A 1AA\tcr\xc3\xa8me\n\nGIR 0AA\tx\n");
	seed_save_text("order_line", "bad", "DH1\t3LE\n\xff\xfe\t\x1b[31m\n\t\t\t\nno items\n");
	seed_save_text("order_line", "marked", "\xef\xbb\xbf# Monday\r\n \t\r\nM1\xc2\xa0\x31" "AA\tsoup\r\nM1 1AA\ta\rb\n\xe2\x80\x8b\tx");
	seed_save_text("initial_orders", "marked", "\xef\xbb\xbf" "DH1 3LE\t\tsoup\r\nDH1 3LE\t\xe3\x80\x80\tpie");
	seed_save_text("initial_orders", "file", "# comment\nDH1 3LE\tAnn\tburger\tfries\r\ndh13lg\t\tvegetables\n\n");
	seed_save_text("initial_orders", "bad", "DH1 3LE\tAnn\n");
}

void seed_files(void)
{
	seed_journal();
	seed_snapshot(0, "loaded");
	seed_snapshot(5, "orders");
	seed_body();
	seed_view_file();
	seed_rpcbind_dump();
	seed_texts();
}
