/* The peers of a replica: the lines of server/service.c, from outside, over its own sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/cluster/convert.h"
#include "server/peers/peer_sessions.h"
#include "tests/unit/support_node.h"

static uint32_t sessions_count(void)
{
	return peer_sessions_count(node_rig.node->sessions);
}

static struct report report_now(void)
{
	struct report report;

	node_report(node_rig.node, &report);
	return report;
}

/* --- rule 17: hellos ---------------------------------------------------------------------------------------------- */

static struct identity member_called(uint8_t mark)
{
	struct identity who = manager_called(mark);

	who.id = 2;
	who.purpose = PURPOSE_PUSH;
	who.cluster = node_rig.view.cluster;
	who.generation = node_rig.view.generation;
	return who;
}

/* Sends it on a connection of its own; a refused hello opens no session. */
static jh_hello_status hello_of(const struct identity *who, const struct identity *meant)
{
	struct caller caller;
	uint32_t before = sessions_count();

	caller_open(&caller);

	jh_hello_status status = say_hello(&caller, who, meant);

	assert_int_equal(sessions_count() - before, status == JH_HELLO_OK ? 1 : 0);
	caller_close(&caller);
	loop_for(2);
	assert_int_equal(sessions_count(), before);
	return status;
}

/* Rule 17: a hello of another format, program base, cluster or generation is refused, and says so. */
static void hellos_are_checked(void **state)
{
	struct caller manager;
	struct identity who = manager_called(0xA);

	(void)state;
	node_rig_begin();
	who.formats = (struct format_range){FORMAT_HIGH + 1, FORMAT_HIGH + 2};
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_FORMAT);
	assert_non_null(strstr(hello_said, "upgrade the replica"));
	node_leads(&manager);
	who = member_called(2);
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_OK);
	/* The format in use, as either end knows it. */
	who.formats = (struct format_range){FORMAT_LOW, FORMAT_HIGH + 1};
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_OK);
	who.format = FORMAT_HIGH + 1;
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_FORMAT);
	assert_non_null(strstr(hello_said, "the cluster uses 4"));
	assert_non_null(strstr(hello_said, "upgrade the replica"));
	who = member_called(2);
	who.program_base++;
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_FORMAT);
	assert_non_null(strstr(hello_said, "program base"));
	who = member_called(2);
	who.cluster = called(0xCC);
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_CLUSTER);
	who = member_called(2);
	who.generation = called(0x66);
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_CLUSTER);
	who = manager_called(0xA);
	who.cluster = called(0xCC);
	assert_int_equal(hello_of(&who, NULL), JH_HELLO_CLUSTER);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 17: one that means another id, another data directory or another process is refused. */
static void hellos_name_whom_they_mean(void **state)
{
	struct caller manager;
	struct identity who, me, meant;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	who = member_called(2);
	me = node_identity(node_rig.node);
	assert_int_equal(hello_of(&who, &me), JH_HELLO_OK);
	meant = me;
	meant.id = 3;
	assert_int_equal(hello_of(&who, &meant), JH_HELLO_NOT_ME);
	meant = me;
	meant.uuid = called(0x99);
	assert_int_equal(hello_of(&who, &meant), JH_HELLO_NOT_ME);
	meant = me;
	meant.incarnation = called(0x99);
	assert_int_equal(hello_of(&who, &meant), JH_HELLO_NOT_ME);
	caller_close(&manager);
	node_rig_end();
}

/* Queues a view for the node; it is in the node's socket, unread, when this returns. */
static void send_view(struct caller *manager, struct question *question, jh_manage_result *result)
{
	static const struct peers none;
	jh_install_args args;

	memset(result, 0, sizeof *result);
	convert_install_to_wire(&node_rig.view, &none, &args);
	install_view_1(&args, NULL, ask(manager, question, (xdrproc_t)xdr_jh_manage_result, result));
	xdr_free((xdrproc_t)xdr_jh_install_args, &args);
	rpc_channel_flush(manager->channel);
}

/* Sends a hello without waiting for its answer. */
static void send_hello(struct caller *caller, uint8_t mark, struct question *question, jh_hello_result *result)
{
	const struct identity who = manager_called(mark), unknown = {.id = 0};
	jh_hello_args args = {.known = 0};

	memset(result, 0, sizeof *result);
	convert_identity_to_wire(&who, &args.me);
	convert_identity_to_wire(&unknown, &args.you);
	hello_1(&args, NULL, ask(caller, question, (xdrproc_t)xdr_jh_hello_result, result));
	xdr_free((xdrproc_t)xdr_jh_hello_args, &args);
	rpc_channel_flush(caller->channel);
}

/* Rules 12 and 17: a hello on a new connection closes the same peer's older one, and data unread there is never read:
 * an order repeated on the new connection cannot be overtaken by its first copy. */
static void a_hello_closes_older_connections(void **state)
{
	struct caller old, new;
	struct question hello, view;
	jh_hello_result answer;
	jh_manage_result managed;

	(void)state;
	node_rig_begin();
	assert_int_equal(manager_opens(&old, 0xA), JH_HELLO_OK);
	caller_open(&new);
	send_hello(&new, 0xA, &hello, &answer);
	send_view(&old, &view, &managed);
	loop_until(&hello.over);
	assert_int_equal(answer.status, JH_HELLO_OK);
	xdr_free((xdrproc_t)xdr_jh_hello_result, &answer);
	loop_until(&old.closed);
	assert_true(view.over);
	assert_int_equal(view.rpc, RPC_LOST);
	assert_int_equal(report_now().view.number, 0);
	assert_int_equal(sessions_count(), 1);
	assert_false(new.closed);
	caller_close(&old);
	caller_close(&new);
	node_rig_end();
}

/* --- rule 20: one view manager ------------------------------------------------------------------------------------ */

/* Rule 20: the binding of a successor closes the old manager's connections; data unread there is never read. */
static void binding_closes_the_old_manager(void **state)
{
	struct caller old, successor;
	struct question bind, view;
	jh_manage_result bound = {0}, managed;
	jh_bind_args args = {.take_over = FALSE};

	(void)state;
	node_rig_begin();
	assert_int_equal(manager_opens(&old, 0xA), JH_HELLO_OK);
	assert_int_equal(manager_opens(&successor, 0xB), JH_HELLO_OK);
	assert_false(old.closed);
	args.manager = convert_uuid_to_wire(called(0xB));
	bind_manager_1(&args, NULL, ask(&successor, &bind, (xdrproc_t)xdr_jh_manage_result, &bound));
	rpc_channel_flush(successor.channel);
	send_view(&old, &view, &managed);
	loop_until(&bind.over);
	assert_int_equal(bound.status, JH_MANAGE_OK);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &bound);
	loop_until(&old.closed);
	assert_int_equal(view.rpc, RPC_LOST);
	assert_int_equal(report_now().view.number, 0);
	assert_true(uuid_equal(replica_bound(node_rig.node->replica), called(0xB)));
	assert_false(successor.closed);
	caller_close(&old);
	caller_close(&successor);
	node_rig_end();
}

/* Rule 20: a manager that this replica is not bound to may say hello and bind it, and none of its other calls
 * counts. */
static void only_the_bound_manager_is_heard(void **state)
{
	struct caller manager, other;
	struct view view;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	assert_int_equal(manager_opens(&other, 0xB), JH_HELLO_BOUND);
	view = node_rig.view;
	view.number = 2;
	assert_int_equal(install_view(&other, &view), JH_MANAGE_REFUSED);
	view.manager = called(0xB);
	assert_int_equal(install_view(&other, &view), JH_MANAGE_REFUSED);
	assert_int_equal(bind_manager(&other, 0xC), JH_MANAGE_REFUSED);
	assert_int_equal(order_now(&other, 2, "pie").outcome, JH_MOVED);
	assert_int_equal(history_now(&other, 1, 0, true).outcome, JH_MOVED);
	heartbeat(&other, 9, false);
	assert_int_equal(order_now(&manager, 2, "pie").outcome, JH_DONE);
	assert_int_equal(report_now().view.number, 1);
	/* Nor may the one it is bound to bring another's view, or bind it to another. */
	view.number = 2;
	assert_int_equal(install_view(&manager, &view), JH_MANAGE_REFUSED);
	assert_int_equal(bind_manager(&manager, 0xB), JH_MANAGE_REFUSED);
	caller_close(&other);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 20: a manager brings its own views, also to a replica that is not yet bound. */
static void a_manager_brings_its_own_views(void **state)
{
	struct caller other;

	(void)state;
	node_rig_begin();
	assert_int_equal(manager_opens(&other, 0xB), JH_HELLO_OK);
	assert_int_equal(install_view(&other, &node_rig.view), JH_MANAGE_REFUSED);
	assert_int_equal(report_now().view.number, 0);
	/* Nor one that it could not read back. */
	node_rig.view.manager = called(0xB);
	node_rig.view.format = FORMAT_HIGH + 1;
	assert_int_equal(install_view(&other, &node_rig.view), JH_MANAGE_REFUSED);
	assert_int_equal(report_now().view.number, 0);
	caller_close(&other);
	node_rig_end();
}

#define PATIENT_MS 60000 /* far longer than any machine takes for a test's steps meanwhile */

/* The manager may be silent for that long from now on. */
static jh_report beat(struct caller *manager, const char *address, uint32_t suspect_ms)
{
	struct question question;
	jh_report report = {0};
	jh_heartbeat_args args = {.view = 1, .frontend = convert_address_dup(address), .suspect_ms = suspect_ms};

	heartbeat_1(&args, NULL, ask(manager, &question, (xdrproc_t)xdr_jh_report, &report));
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	xdr_free((xdrproc_t)xdr_jh_heartbeat_args, &args);
	return report;
}

static bool hears(struct caller *asker, const char *address)
{
	jh_report report = beat(asker, "203.0.113.1:1", PATIENT_MS);
	bool managed = report.managed;

	assert_int_equal(report.frontend.jh_address_len, strlen(address));
	assert_memory_equal(report.frontend.jh_address_val, address, strlen(address));
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	return managed;
}

/* Rule 20: a replica that hears the manager it is bound to lets no other bind it, unless an operator requests a
 * take-over, and tells the newcomer where that manager is; when it is silent or gone, the newcomer binds as before. */
static void a_heard_manager_is_not_replaced(void **state)
{
	struct caller manager, again, other;
	struct question question;
	jh_manage_result bound = {0};
	jh_bind_args forced = {.take_over = TRUE};
	jh_report report;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	report = beat(&manager, "192.0.2.1:4000", PATIENT_MS);
	assert_false(report.managed); /* by another than the caller */
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	assert_true(report_now().managed);
	assert_int_equal(manager_opens(&other, 0xB), JH_HELLO_BOUND);
	assert_true(hears(&other, "192.0.2.1:4000"));
	assert_int_equal(bind_manager(&other, 0xB), JH_MANAGE_REFUSED);
	assert_false(manager.closed);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	/* Silent for longer than permitted: not heard. */
	report = beat(&manager, "192.0.2.1:4000", 1);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	while (hears(&other, "192.0.2.1:4000")) /* a loop that was late starts counting anew */
		loop_for(1);
	/* Gone, too; its last address is passed on. */
	report = beat(&manager, "192.0.2.1:4000", PATIENT_MS);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	assert_true(hears(&other, "192.0.2.1:4000"));
	caller_close(&manager);
	while (report_now().managed)
		loop_for(1);
	assert_string_equal(report_now().frontend, "192.0.2.1:4000");
	/* The same one is back: hello is enough. And an operator may request it. */
	assert_int_equal(manager_opens(&again, 0xA), JH_HELLO_OK);
	report = beat(&again, "192.0.2.1:4000", PATIENT_MS);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	assert_int_equal(bind_manager(&other, 0xB), JH_MANAGE_REFUSED);
	forced.manager = convert_uuid_to_wire(called(0xB));
	bind_manager_1(&forced, NULL, ask(&other, &question, (xdrproc_t)xdr_jh_manage_result, &bound));
	loop_until(&question.over);
	assert_int_equal(bound.status, JH_MANAGE_OK);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &bound);
	loop_until(&again.closed);
	/* No manager is heard: no option is needed. */
	caller_close(&other);
	assert_int_equal(manager_opens(&other, 0xC), JH_HELLO_BOUND);
	while (bind_manager(&other, 0xC) != JH_MANAGE_OK)
		loop_for(1);
	caller_close(&again);
	caller_close(&other);
	node_rig_end();
}

/* Rule 15, 20: a process that was stopped has not read what its manager sent meanwhile, so silence proves nothing. */
static void who_slept_is_not_taken_over(void **state)
{
	struct caller manager, other;
	jh_report report;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	report = beat(&manager, "192.0.2.1:4000", PATIENT_MS);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	assert_int_equal(manager_opens(&other, 0xB), JH_HELLO_BOUND);
	loop_for(2);
	report = beat(&manager, "192.0.2.1:4000", PATIENT_MS);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	atomic_fetch_add(&monotonic_ahead_us, 10 * PATIENT_MS * INT64_C(1000));
	assert_int_equal(bind_manager(&other, 0xB), JH_MANAGE_REFUSED);
	caller_close(&other);
	caller_close(&manager);
	node_rig_end();
	atomic_store(&monotonic_ahead_us, 0);
}

/* Rule 20: a manager that binds a replica is heard by that, although its hello was long ago, so that a third one cannot bind
 * it before the first heartbeat. */
static void who_binds_is_heard(void **state)
{
	struct caller manager, other, third;
	struct question question;
	jh_manage_result bound = {0};
	jh_bind_args forced = {.manager = convert_uuid_to_wire(called(0xB)), .take_over = TRUE};

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(manager_opens(&other, 0xB), JH_HELLO_BOUND);
	loop_for(12); /* ticks of 25 ms: longer than it may be silent before its first heartbeat */
	bind_manager_1(&forced, NULL, ask(&other, &question, (xdrproc_t)xdr_jh_manage_result, &bound));
	loop_until(&question.over);
	assert_int_equal(bound.status, JH_MANAGE_OK);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &bound);
	assert_string_equal(report_now().frontend, "");
	assert_int_equal(manager_opens(&third, 0xC), JH_HELLO_BOUND);
	assert_int_equal(bind_manager(&third, 0xC), JH_MANAGE_REFUSED);
	caller_close(&third);
	caller_close(&other);
	caller_close(&manager);
	node_rig_end();
}

/* A front-end that listens on all addresses is found where its calls come from. */
static void a_wildcard_is_where_it_comes_from(void **state)
{
	struct caller manager;
	jh_report report;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	report = beat(&manager, "0.0.0.0:4000", PATIENT_MS);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	assert_string_equal(report_now().frontend, "127.0.0.1:4000");
	report = beat(&manager, "nonsense", PATIENT_MS);
	xdr_free((xdrproc_t)xdr_jh_report, &report);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 20: a binding outlives the process. */
static void a_binding_survives(void **state)
{
	struct caller manager, other;

	(void)state;
	node_rig_begin();
	assert_int_equal(manager_opens(&manager, 0xA), JH_HELLO_OK);
	assert_int_equal(bind_manager(&manager, 0xA), JH_MANAGE_OK);
	caller_close(&manager);
	node_killed();
	assert_int_equal(manager_opens(&other, 0xB), JH_HELLO_BOUND);
	caller_close(&other);
	node_rig_end();
}

/* --- rule 19 ------------------------------------------------------------------------------------------------------ */

/* Rule 19: sessions are bounded; one too many is refused with that reason. */
static void sessions_are_bounded(void **state)
{
	static struct caller callers[4 * LIMIT_REPLICAS + 1];
	const uint32_t most = 4 * LIMIT_REPLICAS;

	(void)state;
	node_rig_begin();
	for (uint32_t i = 0; i <= most; i++) {
		struct identity who = manager_called((uint8_t)i);

		who.id = 2;
		who.purpose = PURPOSE_PUSH;
		who.uuid.bytes[1] = (uint8_t)(1 + i / 256);
		caller_open(&callers[i]);
		assert_int_equal(say_hello(&callers[i], &who, NULL), i < most ? JH_HELLO_OK : JH_HELLO_NOT_ME);
	}
	assert_int_equal(sessions_count(), most);
	for (uint32_t i = 0; i <= most; i++)
		caller_close(&callers[i]);
	node_rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hellos_are_checked),
		cmocka_unit_test(hellos_name_whom_they_mean),
		cmocka_unit_test(a_hello_closes_older_connections),
		cmocka_unit_test(binding_closes_the_old_manager),
		cmocka_unit_test(only_the_bound_manager_is_heard),
		cmocka_unit_test(a_manager_brings_its_own_views),
		cmocka_unit_test(a_heard_manager_is_not_replaced),
		cmocka_unit_test(who_slept_is_not_taken_over),
		cmocka_unit_test(who_binds_is_heard),
		cmocka_unit_test(a_wildcard_is_where_it_comes_from),
		cmocka_unit_test(a_binding_survives),
		cmocka_unit_test(sessions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
