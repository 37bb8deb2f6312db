/* fuzz_seeds DIR: writes DIR/NAME/seed-WHAT for each fuzzer, with the encoders that the daemons use. DIR is
 * tests/fuzz/corpus; run it again after a change of a format, and look at the difference. Nothing in it is drawn at
 * random. */
#include <arpa/inet.h>
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <rpc/rpc.h>
#include <rpc/rpcb_prot.h>

#include "frontend/view_file.h"
#include "rpc/base/must.h"
#include "rpc/convert.h"
#include "rpc/disk.h"
#include "rpc/message.h"
#include "server/body.h"
#include "server/initial_orders.h"
#include "server/journal_batch.h"
#include "server/journal_segment.h"
#include "server/orders.h"
#include "server/snapshot.h"

#define BASE 540000000u

/* --- bytes -------------------------------------------------------------------------------------------------------- */

struct bytes {
	uint8_t at[65536];
	size_t size;
};

static void put(struct bytes *bytes, const void *from, size_t size)
{
	must(size <= sizeof bytes->at - bytes->size);
	if (size > 0)
		memcpy(bytes->at + bytes->size, from, size);
	bytes->size += size;
}

static void put_u8(struct bytes *bytes, unsigned value)
{
	put(bytes, &(uint8_t){(uint8_t)value}, 1);
}

static void put_xdr(struct bytes *bytes, xdrproc_t encode, void *value)
{
	XDR xdr;

	xdrmem_create(&xdr, (char *)bytes->at + bytes->size, (u_int)(sizeof bytes->at - bytes->size), XDR_ENCODE);
	must(encode(&xdr, value, 0));
	bytes->size += xdr_getpos(&xdr);
}

static const char *corpus;

static void save(const char *fuzzer, const char *what, const void *bytes, size_t size)
{
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", corpus, fuzzer);
	must(mkdir(path, 0755) == 0 || access(path, W_OK) == 0);
	snprintf(path, sizeof path, "%s/%s/seed-%s", corpus, fuzzer, what);

	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	must(fd >= 0);
	must(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static void save_text(const char *fuzzer, const char *what, const char *text)
{
	save(fuzzer, what, text, strlen(text));
}

/* --- the things of a small cluster -------------------------------------------------------------------------------- */

static struct uuid uuid_of(uint8_t byte)
{
	struct uuid uuid;

	memset(uuid.bytes, byte, sizeof uuid.bytes);
	return uuid;
}

static struct view view_of(uint64_t number, uint32_t primary)
{
	struct view view = {.number = number, .primary = primary, .cluster = uuid_of(0xc1), .generation = uuid_of(0x6e),
			    .manager = uuid_of(0x3a), .members_count = 3};

	for (uint32_t i = 0; i < 3; i++) {
		view.members[i] = (struct view_member){.id = i + 1, .uuid = uuid_of((uint8_t)(i + 1))};
		snprintf(view.members[i].address, sizeof view.members[i].address, "127.0.0.1:4000%u", i);
	}
	return view;
}

static struct peers three_peers(void)
{
	struct peers peers = {.count = 3};

	for (uint32_t i = 0; i < 3; i++) {
		peers.list[i] = (struct peer){.id = i + 1, .uuid = uuid_of((uint8_t)(i + 1)),
					      .incarnation = uuid_of((uint8_t)(0xa0 + i))};
		snprintf(peers.list[i].address, sizeof peers.list[i].address, "[::1]:4000%u", i);
	}
	return peers;
}

static struct order_text text_of(const char *text)
{
	return (struct order_text){.bytes = text, .size = (uint32_t)strlen(text)};
}

static size_t body_of(uint8_t *out, uint64_t request, const char *postcode)
{
	struct body body = {.client = uuid_of(0xcc), .request = request, .time_us = 1700000000000000 + (int64_t)request,
			    .check = 1, .customer = text_of("Zo\xc3\xab"), .postcode = text_of(postcode), .items_count = 2,
			    .items = {text_of("margherita"), text_of("cr\xc3\xa8me br\xc3\xbbl\xc3\xa9" "e")}};
	size_t size = body_encode(&body, out, LIMIT_BODY_BYTES);

	must(size > 0);
	return size;
}

static bool load(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return orders_load_initial(context, body, size, error, error_size);
}

/* The history that a replica begins with, and `count` orders after it. */
static struct orders *history(unsigned count)
{
	struct orders *orders = orders_new(1000);
	char error[INITIAL_ORDERS_ERROR_SIZE];
	uint8_t body[LIMIT_BODY_BYTES];

	must(initial_orders_built_in(load, orders, error, sizeof error));
	for (unsigned i = 1; i <= count; i++)
		must(orders_apply(orders, body, body_of(body, i, "DH1 3LE")) == ORDERS_APPLIED);
	return orders;
}

static char customer_text[] = "Ann", postcode_text[] = "dh13le", item_text[] = "burger";
static jh_item some_items[2] = {{6, item_text}, {6, item_text}};

static jh_operation an_operation(void)
{
	jh_operation operation = {.kind = JH_OPERATION_ORDER};

	operation.jh_operation_u.order = (jh_order){
		.customer = {3, customer_text}, .postcode = {6, postcode_text}, .items = {2, some_items}};
	return operation;
}

static jh_query a_query(void)
{
	jh_query query = {.kind = JH_QUERY_HISTORY};

	query.jh_query_u.history = (jh_history_query){.postcode = {6, postcode_text}, .limit = 10};
	return query;
}

static struct report a_report(uint32_t id, enum replica_role role, enum replica_state state)
{
	struct report report = {.news = 7, .id = id, .uuid = uuid_of((uint8_t)id), .view = view_of(2, 1), .role = role,
				.state = state, .whole_view = 2, .op = 3, .commit = 3, .digest_op = 3, .orders = 7,
				.push = "delta 640 B", .detail = "40 %", .joint_count = 1, .needs_count = 1};

	report.joint[0] = (struct joint){.id = 4, .uuid = uuid_of(4)};
	report.needs[0] = (struct need){.kind = NEED_ADMIT, .view = 2, .id = 4, .uuid = uuid_of(4)};
	return report;
}

/* --- clients' calls ----------------------------------------------------------------------------------------------- */

static void frontend_call(struct record_writer *writer, const char *what, unsigned procedure, xdrproc_t encode,
			  void *args)
{
	struct bytes bytes = {.size = 0};

	put_u8(&bytes, procedure * 2 + 1);
	put_xdr(&bytes, encode, args);
	save("frontend_calls", what, bytes.at, bytes.size);
	must(call_encode(writer, 40 + procedure, BASE, JH_FRONTEND_V1, procedure, encode, args));
}

static bool_t nothing(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

static void save_stream(const char *what, unsigned piece, const uint8_t *stream, size_t size)
{
	struct bytes bytes = {.size = 0};

	put_u8(&bytes, piece * 2);
	put(&bytes, stream, size);
	save("frontend_calls", what, bytes.at, bytes.size);
}

/* The stream's records, each in fragments of 20 bytes. */
static void save_fragments(const uint8_t *stream, size_t size)
{
	struct bytes bytes = {.size = 0};

	while (size > 0) {
		uint32_t mark;

		memcpy(&mark, stream, 4);
		mark = ntohl(mark) & 0x7fffffffu;
		for (uint32_t at = 0; at < mark; at += 20) {
			uint32_t length = mark - at < 20 ? mark - at : 20;
			uint32_t head = htonl(length | (at + length == mark ? 0x80000000u : 0));

			put(&bytes, &head, 4);
			put(&bytes, stream + 4 + at, length);
		}
		stream += 4 + mark;
		size -= 4 + mark;
	}
	save_stream("fragments", 7, bytes.at, bytes.size);
}

static void seed_frontend_calls(void)
{
	jh_place_args place = {.request = 1, .timeout_ms = 1000, .operation = an_operation()};
	jh_read_args read = {.timeout_ms = 1000, .query = a_query()};
	jh_switchover_args switchover = {.id = 2};
	jh_promote_args promote = {.id = 2, .confirm = TRUE};
	char address[] = "127.0.0.1:40001";
	jh_announce_args announce = {.id = 2, .address = {15, address}};
	uint32_t old[] = {htonl(0x80000000u | 24), htonl(9), htonl(CALL), htonl(3), htonl(BASE), htonl(1), htonl(0)};
	uint32_t long_record[] = {htonl(0xfffffff0u), htonl(1)};
	struct record_writer writer;
	const uint8_t *stream;

	memset(place.client, 0xcc, sizeof place.client);
	record_writer_init(&writer, LIMIT_RECORD_BYTES);
	frontend_call(&writer, "null", NULLPROC, nothing, NULL);
	frontend_call(&writer, "place", PLACE_ORDER, (xdrproc_t)xdr_jh_place_args, &place);
	frontend_call(&writer, "read", READ_HISTORY, (xdrproc_t)xdr_jh_read_args, &read);
	frontend_call(&writer, "status", CLUSTER_STATUS, nothing, NULL);
	frontend_call(&writer, "switchover", SWITCHOVER, (xdrproc_t)xdr_jh_switchover_args, &switchover);
	frontend_call(&writer, "promote", PROMOTE, (xdrproc_t)xdr_jh_promote_args, &promote);
	frontend_call(&writer, "announce", ANNOUNCE, (xdrproc_t)xdr_jh_announce_args, &announce);

	size_t size = record_writer_pending(&writer, &stream);

	save_stream("stream", 0, stream, size);
	save_stream("pieces", 5, stream, size);
	save_fragments(stream, size);
	save_stream("version-3", 0, (const uint8_t *)old, sizeof old);
	save_stream("too-long", 0, (const uint8_t *)long_record, sizeof long_record);
	save_stream("half", 3, stream, size - 9);
	record_writer_free(&writer);
}

/* --- answers on a channel ----------------------------------------------------------------------------------------- */

static void put_answer(struct bytes *stream, uint32_t xid, xdrproc_t encode, void *result)
{
	size_t start = stream->size;
	uint32_t head[] = {0, htonl(xid), htonl(REPLY), 0, 0, 0, 0};

	put(stream, head, sizeof head);
	put_xdr(stream, encode, result);
	head[0] = htonl(0x80000000u | (uint32_t)(stream->size - start - 4));
	memcpy(stream->at + start, head, 4);
}

static void put_no(struct bytes *stream, uint32_t xid, uint32_t stat)
{
	uint32_t words[] =
		{htonl(0x80000000u | 32), htonl(xid), htonl(REPLY), 0, 0, 0, htonl(stat), htonl(1), htonl(2)};

	put(stream, words, sizeof words);
}

static jh_hello_result a_hello_result(uint32_t id)
{
	struct report report = a_report(id, ROLE_LEARNER, STATE_CATCHING_UP);
	struct identity identity = {.format = 1, .program_base = BASE, .id = id, .uuid = uuid_of((uint8_t)id),
				    .incarnation = uuid_of(0xa1), .cluster = uuid_of(0xc1), .generation = uuid_of(0x6e)};
	jh_hello_result hello = {.status = JH_HELLO_OK, .error = convert_text_dup("")};

	convert_identity_to_wire(&identity, &hello.me);
	convert_report_to_wire(&report, &hello.report);
	return hello;
}

static void seed_rpc_reply(void)
{
	static struct bytes stream, first;
	struct report backup = a_report(2, ROLE_BACKUP, STATE_FOLLOWING);
	jh_hello_result hello = a_hello_result(2);
	jh_manage_result manage = {.status = JH_MANAGE_REFUSED, .error = convert_text_dup("say hello first")};
	jh_write_result placed = {.outcome = JH_DONE}, refused = {.outcome = JH_REFUSED};
	jh_read_result read = {.outcome = JH_DONE};
	jh_push_result pushed = {.status = JH_PUSH_OK, .view = 2, .op = 3};
	jh_replica_row row;
	jh_cluster_status status = {.health = JH_HEALTH_OK, .summary = convert_text_dup("ok"), .view = 2, .primary = 1};
	jh_admin_result admin = {.outcome = JH_DONE, .text = convert_text_dup("moved"), .view = 3, .primary = 2};
	jh_history_order order = {.number = 1, .op = 1, .customer = {3, customer_text}, .items = {2, some_items}};
	jh_order_placed *order_placed = &placed.jh_write_result_u.answer.jh_operation_answer_u.order;
	jh_history *shown = &read.jh_read_result_u.done.answer.jh_query_answer_u.history;

	convert_report_to_wire(&backup, &manage.report);
	convert_row(2, &backup, ROLE_BACKUP, true, "127.0.0.1:40001", 5, "", &row);
	placed.jh_write_result_u.answer.kind = JH_OPERATION_ORDER;
	*order_placed = (jh_order_placed){.postcode = {6, postcode_text}, .number = 1, .op = 5};
	refused.jh_write_result_u.problem.reason = JH_REASON_CONFLICT;
	refused.jh_write_result_u.problem.error = convert_text_dup("used");
	read.jh_read_result_u.done.op = 5;
	read.jh_read_result_u.done.answer.kind = JH_QUERY_HISTORY;
	*shown = (jh_history){.postcode = {6, postcode_text}, .total = 1, .orders = {1, &order}};
	status.replicas.replicas_len = 1;
	status.replicas.replicas_val = &row;

	put_answer(&stream, 1, (xdrproc_t)xdr_jh_hello_result, &hello);
	put_answer(&stream, 2, (xdrproc_t)xdr_jh_report, &manage.report);
	put_answer(&stream, 3, (xdrproc_t)xdr_jh_manage_result, &manage);
	save("rpc_reply", "reports", stream.at, stream.size);
	put_answer(&first, 4, (xdrproc_t)xdr_jh_write_result, &placed);
	put_answer(&first, 5, (xdrproc_t)xdr_jh_read_result, &read);
	put_answer(&first, 7, (xdrproc_t)xdr_jh_write_result, &refused);
	put_answer(&first, 8, (xdrproc_t)xdr_jh_read_result, &read);
	save("rpc_reply", "answers", first.at, first.size);
	put_answer(&stream, 6, (xdrproc_t)xdr_jh_push_result, &pushed);
	put_answer(&stream, 9, (xdrproc_t)xdr_jh_replica_row, &row);
	put_answer(&stream, 10, (xdrproc_t)xdr_jh_cluster_status, &status);
	put_answer(&stream, 11, (xdrproc_t)xdr_jh_admin_result, &admin);
	put(&stream, first.at, first.size);
	save("rpc_reply", "all", stream.at, stream.size);
	stream.size = 0;
	for (uint32_t stat = PROG_UNAVAIL; stat <= SYSTEM_ERR + 1; stat++)
		put_no(&stream, stat, stat);
	save("rpc_reply", "refusals", stream.at, stream.size);

	xdr_free((xdrproc_t)xdr_jh_hello_result, &hello);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &manage);
	xdr_free((xdrproc_t)xdr_jh_write_result, &refused);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	free(status.summary.jh_text_val);
	xdr_free((xdrproc_t)xdr_jh_admin_result, &admin);
}

/* --- a replica's calls -------------------------------------------------------------------------------------------- */

/* As enum message in replica_calls_fuzz.c. */
enum message {
	HEAR_PUSH, HEAR_INSTALL, HEAR_HEARTBEAT, HEAR_BIND, HEAR_SUBMIT, HEAR_QUERY, HEAR_DURABLE, HEAR_FLUSH, HEAR_TICK,
	HEAR_PEER_UP, HEAR_PEER_DOWN, HEAR_ACK, HEAR_PONG, HEAR_DISK, HEAR_HELLO, HEAR_STOP
};

static void put_message(struct bytes *bytes, enum message message, unsigned flags, xdrproc_t encode, void *args)
{
	size_t start = bytes->size;

	put(bytes, (uint8_t[]){(uint8_t)message, (uint8_t)flags, 0, 0}, 4);
	if (encode != NULL)
		put_xdr(bytes, encode, args);

	size_t size = bytes->size - start - 4;

	bytes->at[start + 2] = (uint8_t)(size >> 8);
	bytes->at[start + 3] = (uint8_t)size;
}

#define PUT(bytes, message, flags, type, args) put_message(bytes, message, flags, (xdrproc_t)xdr_##type, args)

static void put_install(struct bytes *bytes, uint64_t number, uint32_t primary)
{
	struct view view = view_of(number, primary);
	struct peers peers = three_peers();
	jh_install_args install;

	convert_install_to_wire(&view, &peers, &install);
	PUT(bytes, HEAR_INSTALL, 0, jh_install_args, &install);
	xdr_free((xdrproc_t)xdr_jh_install_args, &install);
}

/* From replica 2, primary of view `number`: orders from + 1 .. to, with the right digest. */
static void put_push(struct bytes *bytes, uint64_t number, bool with_record, uint64_t from, uint64_t to,
		     uint64_t commit)
{
	static uint8_t bodies[8][LIMIT_BODY_BYTES];
	struct view view = view_of(number, 2);
	jh_log_entry entries[8];
	jh_view record;
	jh_push_args push = {.view = number, .base_op = from, .last_op = to, .commit = commit};

	for (uint64_t op = from + 1; op <= to; op++) {
		uint64_t i = op - from - 1;

		entries[i].view = number;
		entries[i].body.body_len = (u_int)body_of(bodies[i], op, "DH1 3LE");
		entries[i].body.body_val = (char *)bodies[i];
	}
	push.entries.entries_len = (u_int)(to - from);
	push.entries.entries_val = entries;
	if (with_record) {
		convert_view_to_wire(&view, &record);
		push.record = &record;
	}
	PUT(bytes, HEAR_PUSH, 1, jh_push_args, &push);
	if (with_record)
		xdr_free((xdrproc_t)xdr_jh_view, &record);
}

static void put_state_push(struct bytes *bytes, unsigned count)
{
	static uint8_t records[32768];
	struct orders *orders = history(count);
	struct view view = view_of(3, 2);
	uint64_t next;
	jh_view record;
	jh_state_chunk chunk = {.op = count, .initial_count = orders_initial_count(orders), .total = orders_count(orders)};
	jh_push_args push = {.view = 3, .record = &record, .state = &chunk, .base_op = count, .last_op = count, .commit = count};

	convert_view_to_wire(&view, &record);
	chunk.records.records_len = (u_int)orders_encode(orders, 0, count, &next, records, sizeof records);
	chunk.records.records_val = (char *)records;
	convert_digest_to_wire(orders_digest(orders), chunk.digest);
	convert_digest_to_wire(orders_digest(orders), push.base_digest);
	PUT(bytes, HEAR_PUSH, 0, jh_push_args, &push);
	xdr_free((xdrproc_t)xdr_jh_view, &record);
	orders_free(orders);
}

static void put_submit(struct bytes *bytes, uint64_t view, uint64_t request)
{
	jh_submit_args submit = {.view = view, .request = request, .operation = an_operation()};

	memset(submit.client, 0xcd, sizeof submit.client);
	PUT(bytes, HEAR_SUBMIT, 0, jh_submit_args, &submit);
}

static void put_plain(struct bytes *bytes, enum message message, unsigned flags)
{
	put_message(bytes, message, flags, NULL, NULL);
}

static void put_heartbeat(struct bytes *bytes)
{
	struct peers peers = three_peers();
	jh_heartbeat_args heartbeat = {.view = 1, .directory_version = 1, .has_peers = TRUE, .min_members = 1};

	convert_peers_to_wire(&peers, &heartbeat.peers.peers_len, &heartbeat.peers.peers_val);
	PUT(bytes, HEAR_HEARTBEAT, 0, jh_heartbeat_args, &heartbeat);
	xdr_free((xdrproc_t)xdr_jh_heartbeat_args, &heartbeat);
}

static void put_ack(struct bytes *bytes, uint64_t view, uint64_t op, unsigned connection)
{
	struct orders *orders = history(0);
	jh_push_result ack = {.status = JH_PUSH_OK, .view = view, .op = op, .state_next = UINT64_MAX};

	convert_digest_to_wire(orders_digest(orders), ack.commit_digest);
	orders_free(orders);
	convert_uuid_to_wire(uuid_of((uint8_t)(2 + connection)), ack.uuid);
	PUT(bytes, HEAR_ACK, connection, jh_push_result, &ack);
}

static void seed_backup(void)
{
	static struct bytes bytes;

	put_heartbeat(&bytes);
	put_push(&bytes, 2, true, 0, 2, 0);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_push(&bytes, 2, false, 2, 5, 2);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_push(&bytes, 2, false, 5, 5, 5);
	put_plain(&bytes, HEAR_TICK, 40);
	put_push(&bytes, 4, true, 5, 6, 5);
	put_plain(&bytes, HEAR_DURABLE, 0);
	save("replica_calls", "backup", bytes.at, bytes.size);
	bytes.size = 0;
	put_state_push(&bytes, 4);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_push(&bytes, 3, false, 4, 6, 5);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_plain(&bytes, HEAR_STOP, 0);
	save("replica_calls", "state", bytes.at, bytes.size);
}

/* A peer as it is before the first push: level with a new primary. */
static void put_peer_up(struct bytes *bytes, unsigned connection)
{
	struct orders *orders = history(0);
	struct report report = {.id = 2 + connection, .uuid = uuid_of((uint8_t)(2 + connection)), .role = ROLE_BACKUP,
				.digest = orders_digest(orders)};
	jh_hello_result greeted = a_hello_result(2 + connection);

	xdr_free((xdrproc_t)xdr_jh_report, &greeted.report);
	convert_report_to_wire(&report, &greeted.report);
	PUT(bytes, HEAR_PEER_UP, connection, jh_hello_result, &greeted);
	xdr_free((xdrproc_t)xdr_jh_hello_result, &greeted);
	orders_free(orders);
}

static void seed_primary(void)
{
	static struct bytes bytes;
	jh_query_args query = {.view = 1, .floor = 0, .at_primary = TRUE, .query = a_query()};

	put_install(&bytes, 1, 1);
	put_plain(&bytes, HEAR_DURABLE, 0);
	for (unsigned i = 0; i < 2; i++)
		put_peer_up(&bytes, i);
	/* The state, then the entries behind it, of which there are none: then it serves. */
	for (unsigned i = 0; i < 4; i++) {
		if (i % 2 == 0)
			put_plain(&bytes, HEAR_FLUSH, 0);
		put_ack(&bytes, 1, 0, i % 2);
	}
	put_submit(&bytes, 1, 1);
	put_submit(&bytes, 1, 2);
	PUT(&bytes, HEAR_QUERY, 0, jh_query_args, &query);
	put_plain(&bytes, HEAR_FLUSH, 0);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_plain(&bytes, HEAR_PONG, 0);
	for (unsigned i = 0; i < 2; i++)
		put_ack(&bytes, 1, 2, i);
	put_plain(&bytes, HEAR_DISK, 0);
	put_submit(&bytes, 1, 3);
	put_plain(&bytes, HEAR_PEER_DOWN, 1);
	put_plain(&bytes, HEAR_TICK, 255);
	put_install(&bytes, 2, 1);
	put_plain(&bytes, HEAR_DURABLE, 0);
	save("replica_calls", "primary", bytes.at, bytes.size);
}

static void seed_others(void)
{
	static struct bytes bytes;
	struct identity identity = {.format = 1, .program_base = BASE, .id = 2, .uuid = uuid_of(2), .incarnation = uuid_of(0xa1)};
	jh_hello_args hello;
	jh_bind_args bind;

	convert_identity_to_wire(&identity, &hello.me);
	convert_identity_to_wire(&identity, &hello.you);
	convert_uuid_to_wire(uuid_of(0x3b), bind.manager);
	PUT(&bytes, HEAR_HELLO, 0, jh_hello_args, &hello);
	PUT(&bytes, HEAR_BIND, 0, jh_bind_args, &bind);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_install(&bytes, 5, 2);
	save("replica_calls", "bind", bytes.at, bytes.size);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void put_frame(struct bytes *bytes, uint64_t salt, uint64_t sequence, const void *payload, size_t size)
{
	static _Alignas(8) uint8_t memory[32768];
	struct frame_header *frame = (struct frame_header *)(void *)memory;

	memset(memory, 0, sizeof memory);
	frame->size = htole32((uint32_t)size);
	memcpy(frame + 1, payload, size);
	frame_seal(frame, salt, sequence, sequence - 1, frame_span(size));
	put(bytes, memory, frame_span(size));
}

static void save_payload(const char *what, const void *payload, size_t size)
{
	static struct bytes bytes;

	bytes.size = 0;
	put_u8(&bytes, 4);
	put(&bytes, payload, size);
	save("journal", what, bytes.at, bytes.size);
}

static void put_record(struct bytes *bytes, uint64_t salt, uint64_t sequence, jh_disk_record *record)
{
	static struct bytes payload;

	payload.size = 0;
	put_xdr(&payload, (xdrproc_t)xdr_jh_disk_record, record);
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
						    .size = (uint32_t)body_of(bodies[i], from + 1 + i, "DH1 3LE")};
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
	struct segment_header header = {.magic = {'J', 'H', 'J', 'O', 'U', 'R', 'N', '\n'}, .version = htole32(SEGMENT_VERSION),
					.salt = htole64(salt), .uuid = uuid_of(1)};
	struct view view = view_of(2, 2);
	struct digest digest = {0, 0}, staged = {5, 6};
	jh_disk_record meta = {.kind = JH_DISK_META}, state = {.kind = JH_DISK_STATE};
	jh_disk_meta *wire = &meta.jh_disk_record_u.meta;

	header.checksum = htole64(XXH3_64bits(&header, offsetof(struct segment_header, checksum)));
	wire->id = 1;
	wire->program_base = BASE;
	convert_uuid_to_wire(uuid_of(1), wire->uuid);
	convert_view_to_wire(&view, &wire->view);
	wire->whole_view = 2;
	put_u8(&bytes, 0);
	put(&bytes, &header, sizeof header);
	put_record(&bytes, salt, 1, &meta);
	put_batch(&bytes, salt, 2, 0, &digest, false);
	put_batch(&bytes, salt, 3, 2, &digest, false);
	put_frame(&bytes, salt, 4, "", 0);
	save("journal", "batches", bytes.at, bytes.size);
	bytes.at[0] = 3;
	put_batch(&bytes, salt, 5, 9, &staged, true);
	put_batch(&bytes, salt, 6, 11, &staged, true);
	state.jh_disk_record_u.state.op = 0;
	state.jh_disk_record_u.state.last_op = 0;
	put_record(&bytes, salt, 7, &state);
	put_record(&bytes, salt, 8, &meta);
	save("journal", "replacement", bytes.at, bytes.size);
	bytes.at[0] = 1;
	save("journal", "torn", bytes.at, bytes.size - 21);
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
	struct orders *orders = history(count);
	struct snapshot_summary summary = {.op = count, .initial_count = orders_initial_count(orders),
					   .digest = orders_digest(orders)};
	const struct snapshot_pace pace = {0};
	char directory[] = "/tmp/jh-seeds-XXXXXX", path[128], error[SNAPSHOT_ERROR_SIZE];
	uint64_t next;

	must(mkdtemp(directory) != NULL);
	must(snapshot_write(directory, orders, &summary, &pace, error, sizeof error) == SNAPSHOT_WRITTEN);
	must(snapshot_path(directory, count, path, sizeof path));
	read_file(&bytes, path);
	save("snapshot", what, bytes.at, bytes.size);
	unlink(path);
	rmdir(directory);

	bytes.size = 0;
	put_u8(&bytes, (unsigned)orders_initial_count(orders) * 2 + 1);
	bytes.size += orders_encode(orders, 0, count, &next, bytes.at + 1, sizeof bytes.at - 1);
	save("body", what, bytes.at, bytes.size);
	orders_free(orders);
}

static void seed_body(void)
{
	static struct bytes bytes;

	put_u8(&bytes, 0);
	bytes.size += body_of(bytes.at + 1, 1, "DH1 3LE");
	save("body", "order", bytes.at, bytes.size);
}

static void seed_view_file(void)
{
	struct views_stored stored = {.manager = uuid_of(0x3a), .view = view_of(2, 1)};
	char *text = view_file_write(&stored);

	save_text("view_file", "three", text);
	free(text);
	stored.view = (struct view){.number = 0};
	text = view_file_write(&stored);
	save_text("view_file", "none", text);
	free(text);
	save_text("view_file", "newer", "{\"format\": 2}");
}

static void seed_rpcbind_dump(void)
{
	static const char *const entries[][3] = {{"tcp", "0.0.0.0.0.111", "superuser"}, {"tcp", "127.0.0.1.156.65", "1000"},
						 {"tcp6", "::1.156.65", "unknown"}, {"local", "/run/rpcbind.sock", "superuser"},
						 {"tcp6", "::.156.65", "0"}, {"udp", "10.0.0.1.0.111", "a very long name of an owner, indeed"}};
	static struct bytes bytes;
	uint32_t word;

	for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		rpcb entry = {.r_prog = BASE + i, .r_vers = 1, .r_netid = (char *)(uintptr_t)entries[i][0],
			      .r_addr = (char *)(uintptr_t)entries[i][1], .r_owner = (char *)(uintptr_t)entries[i][2]};

		word = htonl(1);
		put(&bytes, &word, 4);
		put_xdr(&bytes, (xdrproc_t)xdr_rpcb, &entry);
	}
	word = 0;
	put(&bytes, &word, 4);
	save("rpcbind_dump", "six", bytes.at, bytes.size);
}

static void seed_texts(void)
{
	save("postcode_answer", "io-true", "\0{\"status\":200,\"result\":true}", 29);
	save("postcode_answer", "io-false", "\0{\"status\":200,\"result\":false}", 30);
	save_text("postcode_answer", "io-retired",
		  "\x02{\"status\":404,\"error\":\"Postcode not found\",\"terminated\":{\"year\":1996}}");
	save_text("postcode_answer", "gtd-match", "\x01{\"status\":\"match\",\"data\":{}}");
	save_text("postcode_answer", "gtd-no-match", "\x03{\"status\":\"no_match\"}");
	save_text("postcode_answer", "gtd-ireland", "\x81{\"status\":\"no_match\"}");
	save_text("order_line", "file", "DH1 3LE\tburger\tfries\r\nSW1A 1AA\tcr\xc3\xa8me\n\nGIR 0AA\tx\n");
	save_text("order_line", "bad", "DH1\t3LE\n\xff\xfe\t\x1b[31m\n\t\t\t\nno items\n");
	save_text("initial_orders", "file", "# comment\nDH1 3LE\tAnn\tburger\tfries\r\ndh13lg\t\tvegetables\n\n");
	save_text("initial_orders", "bad", "DH1 3LE\tAnn\n");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: fuzz_seeds DIR\n");
		return 2;
	}
	corpus = argv[1];
	must(mkdir(corpus, 0755) == 0 || access(corpus, W_OK) == 0);
	seed_frontend_calls();
	seed_rpc_reply();
	seed_backup();
	seed_primary();
	seed_others();
	seed_journal();
	seed_snapshot(0, "loaded");
	seed_snapshot(5, "orders");
	seed_body();
	seed_view_file();
	seed_rpcbind_dump();
	seed_texts();
	return 0;
}
