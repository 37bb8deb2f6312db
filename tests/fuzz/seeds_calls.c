/* Seeds of what is said: calls and answers. */
#include "replica_calls.h"
#include "seeds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "rpc/net/message.h"

static struct peers three_peers(void)
{
	struct peers peers = {.count = 3};

	for (uint32_t i = 0; i < 3; i++) {
		peers.list[i] = (struct peer){.id = i + 1, .uuid = seed_uuid((uint8_t)(i + 1)),
					      .incarnation = seed_uuid((uint8_t)(0xa0 + i))};
		snprintf(peers.list[i].address, sizeof peers.list[i].address, "[::1]:4000%u", i);
	}
	return peers;
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
	struct report report = {.news = 7, .id = id, .uuid = seed_uuid((uint8_t)id), .view = seed_view(2, 1),
				.role = role, .state = state, .whole_view = 2, .op = 3, .commit = 3, .digest_op = 3,
				.push = "delta 640 B", .detail = "a bit is wrong", .joint_count = 1,
				.needs_count = 1};

	report.joint[0] = (struct joint){.id = 4, .uuid = seed_uuid(4)};
	report.needs[0] = (struct need){.kind = NEED_ADMIT, .view = 2, .id = 4, .uuid = seed_uuid(4)};
	figures_set(&report.figures, FIGURE_ORDERS, 7);
	figures_set(&report.figures, "of_a_newer_program", -1);
	return report;
}

/* --- clients' calls ----------------------------------------------------------------------------------------------- */

static void frontend_call(struct record_writer *writer, const char *what, unsigned procedure, xdrproc_t encode,
			  void *args)
{
	struct bytes bytes = {.size = 0};

	bytes_put_u8(&bytes, procedure * 2 + 1);
	bytes_put_xdr(&bytes, encode, args);
	seed_save("frontend_calls", what, bytes.at, bytes.size);
	must(call_encode(writer, 40 + procedure, BASE, JH_FRONTEND_V2, procedure, encode, args));
}

static bool_t nothing(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

static void save_stream(const char *what, unsigned piece, const uint8_t *stream, size_t size)
{
	struct bytes bytes = {.size = 0};

	bytes_put_u8(&bytes, piece * 2);
	bytes_put(&bytes, stream, size);
	seed_save("frontend_calls", what, bytes.at, bytes.size);
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

			bytes_put(&bytes, &head, 4);
			bytes_put(&bytes, stream + 4 + at, length);
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
	jh_remove_args remove = {.id = 3};
	char address[] = "127.0.0.1:40001";
	jh_announce_args announce = {.id = 2, .address = {15, address}};
	uint32_t old[] = {htonl(0x80000000u | 24), htonl(9), htonl(CALL), htonl(3), htonl(BASE), htonl(1), htonl(0)};
	uint32_t long_record[] = {htonl(0xfffffff0u), htonl(1)};
	struct record_writer writer;
	const uint8_t *stream;

	memset(place.client.bytes, 0xcc, sizeof place.client);
	record_writer_init(&writer, LIMIT_RECORD_BYTES);
	frontend_call(&writer, "null", NULLPROC, nothing, NULL);
	frontend_call(&writer, "place", PLACE_ORDER, (xdrproc_t)xdr_jh_place_args, &place);
	frontend_call(&writer, "read", READ_HISTORY, (xdrproc_t)xdr_jh_read_args, &read);
	frontend_call(&writer, "status", CLUSTER_STATUS, nothing, NULL);
	frontend_call(&writer, "switchover", SWITCHOVER, (xdrproc_t)xdr_jh_switchover_args, &switchover);
	frontend_call(&writer, "promote", PROMOTE, (xdrproc_t)xdr_jh_promote_args, &promote);
	frontend_call(&writer, "remove", REMOVE, (xdrproc_t)xdr_jh_remove_args, &remove);
	frontend_call(&writer, "upgrade", UPGRADE, nothing, NULL);
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

	bytes_put(stream, head, sizeof head);
	bytes_put_xdr(stream, encode, result);
	head[0] = htonl(0x80000000u | (uint32_t)(stream->size - start - 4));
	memcpy(stream->at + start, head, 4);
}

static void put_no(struct bytes *stream, uint32_t xid, uint32_t stat)
{
	uint32_t words[] =
		{htonl(0x80000000u | 32), htonl(xid), htonl(REPLY), 0, 0, 0, htonl(stat), htonl(1), htonl(2)};

	bytes_put(stream, words, sizeof words);
}

static jh_hello_result a_hello_result(uint32_t id)
{
	struct report report = a_report(id, ROLE_LEARNER, STATE_CATCHING_UP);
	struct identity identity = {.formats = FORMAT_RANGE_OWN, .purpose = PURPOSE_PUSH, .program_base = BASE, .id = id, .uuid = seed_uuid((uint8_t)id),
				    .incarnation = seed_uuid(0xa1), .cluster = seed_uuid(0xc1),
				    .generation = seed_uuid(0x6e)};
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
	jh_order_placed *order_placed = &placed.jh_write_result_u.done.answer.jh_operation_answer_u.order;
	jh_history *shown = &read.jh_read_result_u.done.answer.jh_query_answer_u.history;

	convert_report_to_wire(&backup, &manage.report);
	convert_row(2, &backup, ROLE_BACKUP, true, "127.0.0.1:40001", 5, "", &row);
	placed.jh_write_result_u.done.answer.kind = JH_OPERATION_ORDER;
	*order_placed = (jh_order_placed){.postcode = {6, postcode_text}, .number = 1, .op = 5};
	refused.jh_write_result_u.problem.reason = JH_REASON_KEY_REUSED;
	refused.jh_write_result_u.problem.error = convert_text_dup("used");
	read.jh_read_result_u.done.basis.op = 5;
	read.jh_read_result_u.done.answer.kind = JH_QUERY_HISTORY;
	*shown = (jh_history){.postcode = {6, postcode_text}, .total = 1, .orders = {1, &order}};
	status.replicas.replicas_len = 1;
	status.replicas.replicas_val = &row;

	put_answer(&stream, 1, (xdrproc_t)xdr_jh_hello_result, &hello);
	put_answer(&stream, 2, (xdrproc_t)xdr_jh_report, &manage.report);
	put_answer(&stream, 3, (xdrproc_t)xdr_jh_manage_result, &manage);
	seed_save("rpc_reply", "reports", stream.at, stream.size);
	put_answer(&first, 4, (xdrproc_t)xdr_jh_write_result, &placed);
	put_answer(&first, 5, (xdrproc_t)xdr_jh_read_result, &read);
	put_answer(&first, 7, (xdrproc_t)xdr_jh_write_result, &refused);
	put_answer(&first, 8, (xdrproc_t)xdr_jh_read_result, &read);
	seed_save("rpc_reply", "answers", first.at, first.size);
	put_answer(&stream, 6, (xdrproc_t)xdr_jh_push_result, &pushed);
	put_answer(&stream, 9, (xdrproc_t)xdr_jh_replica_row, &row);
	put_answer(&stream, 10, (xdrproc_t)xdr_jh_cluster_status, &status);
	put_answer(&stream, 11, (xdrproc_t)xdr_jh_admin_result, &admin);
	bytes_put(&stream, first.at, first.size);
	seed_save("rpc_reply", "all", stream.at, stream.size);
	stream.size = 0;
	for (uint32_t stat = PROG_UNAVAIL; stat <= SYSTEM_ERR + 1; stat++)
		put_no(&stream, stat, stat);
	seed_save("rpc_reply", "refusals", stream.at, stream.size);

	xdr_free((xdrproc_t)xdr_jh_hello_result, &hello);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &manage);
	xdr_free((xdrproc_t)xdr_jh_write_result, &refused);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	free(status.summary.jh_text_val);
	xdr_free((xdrproc_t)xdr_jh_admin_result, &admin);
}

/* --- a replica's calls -------------------------------------------------------------------------------------------- */

static void put_message(struct bytes *bytes, enum message message, unsigned flags, xdrproc_t encode, void *args)
{
	size_t start = bytes->size;

	bytes_put(bytes, (uint8_t[]){(uint8_t)message, (uint8_t)flags, 0, 0}, 4);
	if (encode != NULL)
		bytes_put_xdr(bytes, encode, args);

	size_t size = bytes->size - start - 4;

	bytes->at[start + 2] = (uint8_t)(size >> 8);
	bytes->at[start + 3] = (uint8_t)size;
}

#define PUT(bytes, message, flags, type, args) put_message(bytes, message, flags, (xdrproc_t)xdr_##type, args)

static void put_install(struct bytes *bytes, uint64_t number, uint32_t primary)
{
	struct view view = seed_view(number, primary);
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
	struct view view = seed_view(number, 2);
	jh_log_entry entries[8];
	jh_view record;
	jh_push_args push = {.view = number, .base_op = from, .last_op = to, .commit = commit};

	for (uint64_t op = from + 1; op <= to; op++) {
		uint64_t i = op - from - 1;

		entries[i].view = number;
		entries[i].body.body_len = (u_int)seed_order(bodies[i], op, "DH1 3LE");
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
	struct machine *machine = seed_history(count);
	struct view view = seed_view(3, 2);
	uint64_t next;
	jh_view record;
	jh_state_chunk chunk = {.op = count, .initial_count = history_loaded(machine_history(machine)),
				.total = history_count(machine_history(machine))};
	jh_push_args push = {.view = 3, .record = &record, .state = &chunk, .base_op = count,
			     .last_op = count, .commit = count};

	convert_view_to_wire(&view, &record);
	chunk.records.records_len = (u_int)history_encode(machine_history(machine), 0, count, &next, records, sizeof records);
	chunk.records.records_val = (char *)records;
	chunk.digest = convert_digest_to_wire(history_digest(machine_history(machine)));
	push.base_digest = convert_digest_to_wire(history_digest(machine_history(machine)));
	PUT(bytes, HEAR_PUSH, 0, jh_push_args, &push);
	xdr_free((xdrproc_t)xdr_jh_view, &record);
	machine_free(machine);
}

static void put_submit(struct bytes *bytes, uint64_t view, uint64_t request)
{
	jh_submit_args submit = {.view = view, .request = request, .operation = an_operation()};

	memset(submit.client.bytes, 0xcd, sizeof submit.client);
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
	struct machine *machine = seed_history(0);
	jh_push_result ack = {.status = JH_PUSH_OK, .view = view, .op = op, .state_next = UINT64_MAX};

	ack.commit_digest = convert_digest_to_wire(history_digest(machine_history(machine)));
	machine_free(machine);
	ack.uuid = convert_uuid_to_wire(seed_uuid((uint8_t)(2 + connection)));
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
	seed_save("replica_calls", "backup", bytes.at, bytes.size);
	bytes.size = 0;
	put_state_push(&bytes, 4);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_push(&bytes, 3, false, 4, 6, 5);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_plain(&bytes, HEAR_STOP, 0);
	seed_save("replica_calls", "state", bytes.at, bytes.size);
}

/* A peer as it is before the first push: level with a new primary. */
static void put_peer_up(struct bytes *bytes, unsigned connection)
{
	struct machine *machine = seed_history(0);
	struct report report = {.id = 2 + connection, .uuid = seed_uuid((uint8_t)(2 + connection)), .role = ROLE_BACKUP,
				.digest = history_digest(machine_history(machine))};
	jh_hello_result answer = a_hello_result(2 + connection);

	xdr_free((xdrproc_t)xdr_jh_report, &answer.report);
	convert_report_to_wire(&report, &answer.report);
	PUT(bytes, HEAR_PEER_UP, connection, jh_hello_result, &answer);
	xdr_free((xdrproc_t)xdr_jh_hello_result, &answer);
	machine_free(machine);
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
	seed_save("replica_calls", "primary", bytes.at, bytes.size);
}

static void seed_others(void)
{
	static struct bytes bytes;
	struct identity identity = {.formats = FORMAT_RANGE_OWN, .purpose = PURPOSE_PUSH, .program_base = BASE, .id = 2, .uuid = seed_uuid(2),
				    .incarnation = seed_uuid(0xa1)};
	jh_hello_args hello = {.known = 0};
	jh_bind_args bind;

	convert_identity_to_wire(&identity, &hello.me);
	convert_identity_to_wire(&identity, &hello.you);
	bind.manager = convert_uuid_to_wire(seed_uuid(0x3b));
	PUT(&bytes, HEAR_HELLO, 0, jh_hello_args, &hello);
	xdr_free((xdrproc_t)xdr_jh_hello_args, &hello);
	PUT(&bytes, HEAR_BIND, 0, jh_bind_args, &bind);
	put_plain(&bytes, HEAR_DURABLE, 0);
	put_install(&bytes, 5, 2);
	seed_save("replica_calls", "bind", bytes.at, bytes.size);
}

void seed_calls(void)
{
	seed_frontend_calls();
	seed_rpc_reply();
	seed_backup();
	seed_primary();
	seed_others();
}
