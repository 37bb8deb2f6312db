/* Purpose: the messages between programs do not change unnoticed. Every call and every answer of rpc/frontend.x and
 * rpc/replica.x, as whole records with the headers of RFC 5531, equals the one kept in tests/golden. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/base/limits.h"
#include "rpc/net/message.h"
#include "tests/unit/support_golden.h"
#include "tests/unit/support_samples.h"

#define XID 0x4a480001u

/* Clients' number is the version of the program, as rpcinfo shows it. */
static const struct golden_number clients = {"JH_FRONTEND_V2 (the program's version)", JH_FRONTEND_V2, "clients"};
static const struct golden_number cluster = {"JH_CLUSTER_FORMAT", JH_CLUSTER_FORMAT, "cluster"};

static bool_t nothing(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

static void call(const struct golden *golden, uint32_t program, uint32_t version, uint32_t procedure,
		 xdrproc_t convert, void *args, size_t size)
{
	struct record_writer writer;
	struct golden_bytes head = {.size = 0};
	const uint8_t *record;

	record_writer_init(&writer, LIMIT_RECORD_BYTES);
	assert_true(call_encode(&writer, XID, program, version, procedure, convert, args));
	assert_in_range(record_writer_pending(&writer, &record), 44, GOLDEN_BYTES);
	golden_put(&head, record, 44); /* the record's mark and the call's head */
	record_writer_free(&writer);
	golden_xdr_behind(golden, &head, convert, args, size);
}

static void answer(const struct golden *golden, xdrproc_t convert, void *result, size_t size)
{
	static struct golden_bytes kept, empty;
	struct golden_bytes head = {.size = 0};
	struct reply_head parsed;
	uint32_t words[7] = {0, htonl(XID), htonl(REPLY)};
	char *room = (char *)empty.at;
	XDR xdr;

	xdrmem_create(&xdr, room, sizeof empty.at, XDR_ENCODE);
	assert_true(convert(&xdr, result, 0));
	words[0] = htonl(0x80000000u | (24 + xdr_getpos(&xdr)));
	golden_put(&head, words, sizeof words);
	golden_xdr_behind(golden, &head, convert, result, size);
	golden_read(golden, &kept);
	assert_int_equal(reply_head_parse(kept.at + 4, kept.size - 4, &parsed), REPLY_SUCCESS);
	assert_int_equal(parsed.results_at, 24);
}

#define CONVERT(type) (xdrproc_t)xdr_##type

#define CLIENT_CALL(name, procedure, type, args)                                                                       \
	call(&(struct golden){&clients, name ".call", "frontend.x: call of " #procedure}, SAMPLE_BASE,                \
	     JH_FRONTEND_V2, procedure, CONVERT(type), args, sizeof(type))
#define CLIENT_ANSWER(name, procedure, type, result)                                                                   \
	answer(&(struct golden){&clients, name ".answer", "frontend.x: answer to " #procedure}, CONVERT(type), result, \
	       sizeof(type))
#define REPLICA_CALL(name, procedure, type, args)                                                                      \
	call(&(struct golden){&cluster, name ".call", "replica.x: call of " #procedure}, SAMPLE_BASE + 2,              \
	     JH_REPLICA_V1, procedure, CONVERT(type), args, sizeof(type))
#define REPLICA_ANSWER(name, procedure, type, result)                                                                  \
	answer(&(struct golden){&cluster, name ".answer", "replica.x: answer to " #procedure}, CONVERT(type), result,  \
	       sizeof(type))

static jh_write_result placed(void)
{
	jh_write_result result = {.outcome = JH_DONE};

	result.jh_write_result_u.done.basis = sample_basis(true);
	result.jh_write_result_u.done.answer.kind = JH_OPERATION_ORDER;
	result.jh_write_result_u.done.answer.jh_operation_answer_u.order = sample_placed();
	return result;
}

static jh_write_result not_placed(jh_outcome outcome, jh_reason reason)
{
	jh_write_result result = {.outcome = outcome};

	result.jh_write_result_u.problem = sample_problem(reason);
	return result;
}

static jh_read_result history(void)
{
	jh_read_result result = {.outcome = JH_DONE};

	result.jh_read_result_u.done = sample_history();
	return result;
}

static jh_read_result no_history(jh_outcome outcome, jh_reason reason)
{
	jh_read_result result = {.outcome = outcome};

	result.jh_read_result_u.problem = sample_problem(reason);
	return result;
}

static void test_what_clients_ask(void **state)
{
	jh_place_args place = {.request = 7, .timeout_ms = 5000, .operation = sample_operation()};
	jh_read_args read = {.timeout_ms = 5000, .query = sample_query()};
	jh_switchover_args switchover = {.id = 2};
	jh_promote_args promote = {.id = 3, .confirm = TRUE};
	jh_announce_args announce = {.id = 2, .address = sample_address()};
	jh_remove_args remove = {.id = 4};

	(void)state;
	SAMPLE_FILL(place.client, 0xcc);
	CLIENT_CALL("place_order", PLACE_ORDER, jh_place_args, &place);
	CLIENT_CALL("read_history", READ_HISTORY, jh_read_args, &read);
	call(&(struct golden){&clients, "cluster_status.call", "frontend.x: call of CLUSTER_STATUS"}, SAMPLE_BASE,
	     JH_FRONTEND_V2, CLUSTER_STATUS, nothing, NULL, 0);
	CLIENT_CALL("switchover", SWITCHOVER, jh_switchover_args, &switchover);
	CLIENT_CALL("promote", PROMOTE, jh_promote_args, &promote);
	CLIENT_CALL("announce", ANNOUNCE, jh_announce_args, &announce);
	CLIENT_CALL("remove", REMOVE, jh_remove_args, &remove);
	call(&(struct golden){&clients, "upgrade.call", "frontend.x: call of UPGRADE"}, SAMPLE_BASE, JH_FRONTEND_V2, UPGRADE,
	     nothing, NULL, 0);
}

static void test_what_clients_hear(void **state)
{
	jh_write_result done = placed(), refused = not_placed(JH_REFUSED, JH_REASON_INVALID_POSTCODE);
	jh_write_result key_reused = not_placed(JH_KEY_REUSED, JH_REASON_KEY_REUSED);
	jh_write_result voided = not_placed(JH_REFUSED, JH_REASON_VOID);
	jh_write_result unknown = not_placed(JH_UNKNOWN, JH_REASON_NO_PRIMARY);
	jh_write_result busy = not_placed(JH_UNAVAILABLE, JH_REASON_BUSY);
	jh_read_result shown = history(), not_shown = no_history(JH_UNAVAILABLE, JH_REASON_NO_PRIMARY);
	jh_cluster_status status = sample_status();
	jh_admin_result admin = {.outcome = JH_UNKNOWN, .text = sample_text("begun"), .view = 12, .primary = 2};

	(void)state;
	CLIENT_ANSWER("place_order", PLACE_ORDER, jh_write_result, &done);
	CLIENT_ANSWER("place_order.refused", PLACE_ORDER, jh_write_result, &refused);
	CLIENT_ANSWER("place_order.key_reused", PLACE_ORDER, jh_write_result, &key_reused);
	CLIENT_ANSWER("place_order.void", PLACE_ORDER, jh_write_result, &voided);
	CLIENT_ANSWER("place_order.unknown", PLACE_ORDER, jh_write_result, &unknown);
	CLIENT_ANSWER("place_order.busy", PLACE_ORDER, jh_write_result, &busy);
	CLIENT_ANSWER("read_history", READ_HISTORY, jh_read_result, &shown);
	CLIENT_ANSWER("read_history.unavailable", READ_HISTORY, jh_read_result, &not_shown);
	CLIENT_ANSWER("cluster_status", CLUSTER_STATUS, jh_cluster_status, &status);
	CLIENT_ANSWER("switchover", SWITCHOVER, jh_admin_result, &admin);
	CLIENT_ANSWER("promote", PROMOTE, jh_admin_result, &admin);
	answer(&(struct golden){&clients, "announce.answer", "frontend.x: answer to ANNOUNCE"}, nothing, NULL, 0);
	CLIENT_ANSWER("remove", REMOVE, jh_admin_result, &admin);
	CLIENT_ANSWER("upgrade", UPGRADE, jh_admin_result, &admin);
}

static void test_what_replicas_are_asked(void **state)
{
	jh_hello_args hello = {.me = sample_identity(0), .you = sample_identity(2), .known = 33};
	jh_heartbeat_args heartbeat = {.view = 12, .directory_version = 5, .has_peers = TRUE,
				       .peers = {2, sample_peers()}, .retire = TRUE, .min_members = 2,
				       .full_wait_ms = 60000, .frontend = sample_address(), .suspect_ms = 250};
	jh_watch_args watch = {.seen = 101};
	jh_install_args install = {.view = sample_view(), .peers = {2, sample_peers()}};
	jh_bind_args bind = {.take_over = TRUE};
	jh_submit_args submit = {.view = 12, .request = 7, .operation = sample_operation()};
	jh_query_args query = {.view = 12, .floor = 32, .at_primary = TRUE, .query = sample_query()};

	(void)state;
	SAMPLE_FILL(bind.manager, 0x3b);
	SAMPLE_FILL(submit.client, 0xcc);
	REPLICA_CALL("hello", HELLO, jh_hello_args, &hello);
	REPLICA_CALL("heartbeat", HEARTBEAT, jh_heartbeat_args, &heartbeat);
	REPLICA_CALL("watch", WATCH, jh_watch_args, &watch);
	REPLICA_CALL("install_view", INSTALL_VIEW, jh_install_args, &install);
	REPLICA_CALL("bind_manager", BIND_MANAGER, jh_bind_args, &bind);
	REPLICA_CALL("submit", SUBMIT, jh_submit_args, &submit);
	REPLICA_CALL("query", QUERY, jh_query_args, &query);
	call(&(struct golden){&cluster, "replica_status.call", "replica.x: call of REPLICA_STATUS"}, SAMPLE_BASE + 2,
	     JH_REPLICA_V1, REPLICA_STATUS, nothing, NULL, 0);
}

static void test_what_is_pushed(void **state)
{
	static char records[] = "records of orders, as orders_encode makes them..";
	jh_view record = sample_view();
	jh_state_chunk chunk = {.op = 31, .initial_count = 4, .total = 35, .first = 2,
				.records = {sizeof records - 1, records}};
	jh_push_args push = {.view = 12, .record = &record, .state = &chunk, .base_op = 31, .last_op = 33, .commit = 32,
			     .probe = 9, .fold_op = 30, .entries = {2, sample_entries()}};
	jh_push_args plain = {.view = 12, .base_op = 31, .last_op = 31, .commit = 31};
	jh_push_result result = {.status = JH_PUSH_NEED_BASE, .view = 12, .op = 33, .commit = 32, .state_next = 3,
				 .probe = 9, .fold_op = 30,
				 .disk_full = TRUE, .clock_us = 1700000000000000, .error = sample_text("why")};

	(void)state;
	SAMPLE_FILL(chunk.digest, 0xd1);
	SAMPLE_FILL(push.base_digest, 0xd2);
	SAMPLE_FILL(push.fold, 0xf1);
	SAMPLE_FILL(result.fold, 0xf2);
	SAMPLE_FILL(plain.base_digest, 0xd3);
	SAMPLE_FILL(result.uuid, 2);
	SAMPLE_FILL(result.commit_digest, 0xd4);
	REPLICA_CALL("push", PUSH, jh_push_args, &push);
	REPLICA_CALL("push.plain", PUSH, jh_push_args, &plain);
	REPLICA_ANSWER("push", PUSH, jh_push_result, &result);
}

static void test_what_replicas_answer(void **state)
{
	jh_hello_result hello = {.status = JH_HELLO_BOUND, .error = sample_text("bound to another"),
				 .me = sample_identity(2), .report = sample_report()};
	jh_manage_result manage = {.status = JH_MANAGE_REFUSED, .error = sample_text("say hello first"),
				   .report = sample_report()};
	jh_report report = sample_report();
	jh_submit_result done = {.touches = sample_touches(), .result = placed()};
	jh_submit_result moved = {.result = not_placed(JH_MOVED, JH_REASON_NONE)};
	jh_query_result shown = {.touches = sample_touches(), .result = history()};
	jh_query_result read_moved = {.result = no_history(JH_MOVED, JH_REASON_NONE)};
	jh_replica_row row = sample_row();

	(void)state;
	REPLICA_ANSWER("hello", HELLO, jh_hello_result, &hello);
	REPLICA_ANSWER("heartbeat", HEARTBEAT, jh_report, &report);
	REPLICA_ANSWER("watch", WATCH, jh_report, &report);
	REPLICA_ANSWER("install_view", INSTALL_VIEW, jh_manage_result, &manage);
	REPLICA_ANSWER("bind_manager", BIND_MANAGER, jh_manage_result, &manage);
	REPLICA_ANSWER("submit", SUBMIT, jh_submit_result, &done);
	REPLICA_ANSWER("submit.moved", SUBMIT, jh_submit_result, &moved);
	REPLICA_ANSWER("query", QUERY, jh_query_result, &shown);
	REPLICA_ANSWER("query.moved", QUERY, jh_query_result, &read_moved);
	REPLICA_ANSWER("replica_status", REPLICA_STATUS, jh_replica_row, &row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_clients_ask),
		cmocka_unit_test(test_what_clients_hear),
		cmocka_unit_test(test_what_replicas_are_asked),
		cmocka_unit_test(test_what_is_pushed),
		cmocka_unit_test(test_what_replicas_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
