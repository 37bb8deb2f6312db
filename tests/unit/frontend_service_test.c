/* What clients call at the front-end and the router's shell (frontend/client_service.c, client_requests.c), over a real
 * connection, with links to replicas that this test plays: arguments are validated, the router's clock runs while any
 * request waits, and an answer reaches the call that it belongs to, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/client_requests.h"
#include "frontend/client_service.h"
#include "frontend/link_answer.h"
#include "frontend/links.h"
#include "frontend/manager.h"
#include "frontend/router/router.h"
#include "frontend/status.h"
#include "rpc/base/clock.h"
#include "rpc/replica.h"
#include "rpc/net/channel.h"
#include "rpc/net/server.h"

#define PATIENCE_MS 20000 /* of a test that fails */
#define CALLS 16
#define PROGRAM_BASE 540000000

/* --- simulated links ---------------------------------------------------------------------------------------------- */

struct link_call {
	struct link_call **slot; /* NULL: dropped, or answered */
	void *owner;
	uint32_t to;
	uint64_t view;
	uint64_t request;
	bool at_primary;
};

static struct {
	struct event_base *base;
	struct rpc_server *server;
	struct client_requests *requests;
	struct client_service *service;
	struct router *router;
	struct rpc_channel *channel;
	struct link_call sent[CALLS];
	int sent_count;
	int announced;
	enum views_event_kind operator_kind; /* of the last operator request */
	struct views_operator operator;
} rig;

static struct link_call *link_new(uint32_t to, void *owner, struct link_call **slot)
{
	struct link_call *call = &rig.sent[rig.sent_count++];

	assert_true(rig.sent_count < CALLS);
	assert_null(*slot); /* the older call of the same request is out of date */
	*call = (struct link_call){.slot = slot, .owner = owner, .to = to};
	*slot = call;
	return call;
}

void links_submit(struct links *links, uint32_t id, jh_submit_args *args, uint32_t timeout_ms, void *owner,
		  struct link_call **slot)
{
	struct link_call *call = link_new(id, owner, slot);

	(void)links;
	(void)timeout_ms;
	call->view = args->view;
	call->request = args->request;
	assert_int_equal(args->client.bytes[0], 0x41);
}

void links_query(struct links *links, uint32_t id, jh_query_args *args, uint32_t timeout_ms, void *owner,
		 struct link_call **slot)
{
	struct link_call *call = link_new(id, owner, slot);

	(void)links;
	(void)timeout_ms;
	call->view = args->view;
	call->at_primary = args->at_primary;
}

void link_call_forget(struct link_call **slot)
{
	if (*slot == NULL)
		return;
	(*slot)->slot = NULL;
	*slot = NULL;
}

/* As frontend/links.c: the answer to a forgotten call is dropped. */
static void answer_with(int number, const struct link_answer *answer)
{
	struct link_call *call = &rig.sent[number];

	if (call->slot == NULL)
		return;
	link_call_forget(call->slot);
	client_requests_answered(rig.requests, call->owner, answer);
}

static void answer_done(int number, uint64_t op)
{
	jh_submit_result result = {.result = {.outcome = JH_DONE}};
	char bytes[256];
	XDR encode, decode;

	result.result.jh_write_result_u.done = (jh_write_done){
		.basis = {.op = op},
		.answer = {.kind = JH_OPERATION_ORDER, .jh_operation_answer_u = {.order = {.op = op}}}};
	xdrmem_create(&encode, bytes, sizeof bytes, XDR_ENCODE);
	assert_true(xdr_jh_submit_result(&encode, &result));
	xdrmem_create(&decode, bytes, xdr_getpos(&encode), XDR_DECODE);

	const struct rpc_reply reply = {.status = RPC_ANSWERED, .results = &decode, .bytes = bytes, .size = xdr_getpos(&encode)};
	const struct link_answer answer = link_answer_of(&reply);
	assert_int_equal(answer.kind, LINK_DONE);
	answer_with(number, &answer);
}

/* --- other parts of a front-end ----------------------------------------------------------------------------------- */

bool manager_operator(struct manager *manager, enum views_event_kind kind, uint32_t id, bool confirm,
		      struct rpc_call *call)
{
	(void)manager;
	(void)call;
	rig.operator_kind = kind;
	rig.operator = (struct views_operator){.id = id, .confirm = confirm};
	return false;
}

bool_t status_asked(struct status *status, jh_cluster_status *result, struct svc_req *request)
{
	(void)status;
	(void)result;
	(void)request;
	return FALSE;
}

void status_turned_away(struct status *status)
{
	(void)status;
}

static void on_announced(void *context)
{
	(void)context;
	rig.announced++;
}

static void no_demand(void *context)
{
	(void)context;
}

static void on_closed(void *context, enum rpc_end end, const char *reason)
{
	(void)end;
	(void)context;
	fail_msg("the connection ended: %s", reason);
}

static int begin(void **state)
{
	static const struct rpc_channel_events events = {.closed = on_closed};
	struct rpc_server_limits limits = rpc_server_limits_default();
	char address[64], error[256];

	(void)state;
	memset(&rig, 0, sizeof rig);
	rig.base = event_base_new();
	rig.server = rpc_server_new(rig.base, &limits);
	assert_true(rpc_server_listen(rig.server, "127.0.0.1:0", address, sizeof address, error, sizeof error));
	rig.requests = client_requests_new(&(struct client_requests_options){
		.base = rig.base, .server = rig.server, .suspect_ms = 250, .demand = no_demand});
	rig.router = client_requests_router(rig.requests);
	rig.service = client_service_new(&(struct client_service_options){.server = rig.server,
							    .program_base = PROGRAM_BASE,
							    .requests = rig.requests,
							    .announce = on_announced});
	rig.channel = rpc_channel_open(rig.base, address, PROGRAM_BASE, JH_FRONTEND_V2, &events, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	rpc_channel_close(rig.channel);
	rpc_server_free(rig.server);
	client_service_free(rig.service);
	client_requests_free(rig.requests);
	event_base_free(rig.base);
	return 0;
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

struct asked {
	bool answered;
	jh_outcome outcome;
	jh_reason reason;
	uint64_t op;
};

static void on_write(void *context, const struct rpc_reply *reply)
{
	struct asked *asked = context;
	jh_write_result result = {0};

	assert_false(asked->answered);
	asked->answered = true;
	assert_int_equal(reply->status, RPC_ANSWERED);
	assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_jh_write_result, &result));
	asked->outcome = result.outcome;
	if (result.outcome == JH_DONE)
		asked->op = result.jh_write_result_u.done.answer.jh_operation_answer_u.order.op;
	else
		asked->reason = result.jh_write_result_u.problem.reason;
	xdr_free((xdrproc_t)xdr_jh_write_result, &result);
}

static void on_read(void *context, const struct rpc_reply *reply)
{
	struct asked *asked = context;
	jh_read_result result = {0};

	assert_false(asked->answered);
	asked->answered = true;
	assert_int_equal(reply->status, RPC_ANSWERED);
	assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_jh_read_result, &result));
	asked->outcome = result.outcome;
	if (result.outcome != JH_DONE)
		asked->reason = result.jh_read_result_u.problem.reason;
	xdr_free((xdrproc_t)xdr_jh_read_result, &result);
}

static void on_operator(void *context, const struct rpc_reply *reply)
{
	struct asked *asked = context;
	jh_admin_result result = {0};

	assert_false(asked->answered);
	asked->answered = true;
	assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_jh_admin_result, &result));
	asked->outcome = result.outcome;
	xdr_free((xdrproc_t)xdr_jh_admin_result, &result);
}

static jh_place_args good_order(jh_item *item)
{
	jh_place_args args = {.client = {{0x41}}, .request = 7, .operation = {.kind = JH_OPERATION_ORDER}};

	*item = (jh_item){.jh_item_val = (char *)(uintptr_t)"pizza", .jh_item_len = 5};
	args.operation.jh_operation_u.order.items.items_val = item;
	args.operation.jh_operation_u.order.items.items_len = 1;
	return args;
}

static void place(jh_place_args args, uint32_t timeout_ms, struct asked *asked)
{
	*asked = (struct asked){0};
	args.timeout_ms = timeout_ms;
	place_order_2(&args, NULL, rpc_channel_call(rig.channel, PATIENCE_MS, on_write, asked));
}

static void order(uint32_t timeout_ms, struct asked *asked)
{
	jh_item item;

	place(good_order(&item), timeout_ms, asked);
}

static void read_page(uint32_t limit, uint32_t timeout_ms, struct asked *asked)
{
	jh_read_args args = {.timeout_ms = timeout_ms, .query = {.kind = JH_QUERY_HISTORY}};

	*asked = (struct asked){0};
	args.query.jh_query_u.history.limit = limit;
	read_history_2(&args, NULL, rpc_channel_call(rig.channel, PATIENCE_MS, on_read, asked));
}

static void until_answered(const struct asked *asked)
{
	while (!asked->answered)
		event_base_loop(rig.base, EVLOOP_ONCE);
}

static void until_sent(int count)
{
	while (rig.sent_count < count)
		event_base_loop(rig.base, EVLOOP_ONCE);
}

static void serve(uint64_t view, uint32_t primary)
{
	router_link(rig.router, primary, true, rpc_clock_ms());
	router_route(rig.router, view, primary, 0, rpc_clock_ms());
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

/* The router's clock runs while any request waits, and again after it has stopped. Without it a client would reach its
 * own deadline, which means "unknown", instead of hearing that there is no primary. */
static void the_clock_runs_while_a_call_waits(void **state)
{
	struct asked a, b;

	(void)state;
	read_page(20, 100, &a);
	until_answered(&a);
	assert_int_equal(a.outcome, JH_UNAVAILABLE);
	assert_int_equal(a.reason, JH_REASON_NO_PRIMARY);
	order(100, &a);
	until_answered(&a);
	assert_int_equal(a.outcome, JH_UNAVAILABLE);
	assert_int_equal(a.reason, JH_REASON_NO_PRIMARY);
	order(60, &a);
	read_page(20, 200, &b); /* waits for longer than the other, by many ticks */
	until_answered(&b);
	assert_true(a.answered);
	assert_int_equal(router_waiting(rig.router), 0);
}

/* Rule 12: an order that was sent and is not answered in time is unknown, also while a primary serves; the late answer
 * is dropped, and does not reach the next order, which reuses the memory. */
static void a_late_answer_is_ignored(void **state)
{
	struct asked a, b;

	(void)state;
	serve(1, 4);
	order(100, &a);
	until_sent(1);
	assert_int_equal(rig.sent[0].to, 4);
	until_answered(&a);
	assert_int_equal(a.outcome, JH_UNKNOWN);
	assert_int_equal(a.reason, JH_REASON_NONE); /* there is a primary: that is not the reason */
	order(PATIENCE_MS, &b);
	until_sent(2);
	answer_done(0, 41);
	assert_false(b.answered);
	answer_done(1, 42);
	until_answered(&b);
	assert_int_equal(b.outcome, JH_DONE);
	assert_int_equal(b.op, 42);
}

/* In a new view the order goes to its primary with the new number; a later answer of the old one is ignored. */
static void each_call_names_its_view(void **state)
{
	struct asked a;

	(void)state;
	serve(1, 4);
	order(PATIENCE_MS, &a);
	until_sent(1);
	assert_int_equal(rig.sent[0].view, 1);
	serve(2, 5);
	assert_int_equal(rig.sent_count, 2);
	assert_int_equal(rig.sent[1].to, 5);
	assert_int_equal(rig.sent[1].view, 2);
	assert_int_equal(rig.sent[1].request, 7);
	answer_done(0, 41);
	assert_int_equal(router_waiting(rig.router), 1);
	answer_done(1, 42);
	until_answered(&a);
	assert_int_equal(a.op, 42);
	assert_int_equal(router_floor(rig.router), 42);
}

/* A read that a backup sends back goes to the primary, marked as one for the primary. */
static void a_read_that_comes_back_goes_to_the_primary(void **state)
{
	static const struct link_answer again = {.kind = LINK_AGAIN};
	struct asked a;
	int sent = 0;

	(void)state;
	serve(1, 4);
	router_link(rig.router, 5, true, rpc_clock_ms());
	router_reader(rig.router, 5, true);
	do {
		read_page(20, 200, &a);
		until_sent(++sent);
		assert_int_equal(rig.sent[sent - 1].at_primary, rig.sent[sent - 1].to == 4);
		if (rig.sent[sent - 1].to == 4)
			until_answered(&a); /* at the end of its time */
	} while (rig.sent[sent - 1].to == 4);
	answer_with(sent - 1, &again);
	assert_int_equal(rig.sent_count, sent + 1);
	assert_int_equal(rig.sent[sent].to, 4);
	assert_true(rig.sent[sent].at_primary);
	until_answered(&a);
	assert_int_equal(a.outcome, JH_UNAVAILABLE); /* a read is never unknown */
}

static void is_bad(jh_place_args args)
{
	struct asked asked;

	place(args, PATIENCE_MS, &asked);
	until_answered(&asked);
	assert_int_equal(asked.outcome, JH_REFUSED);
	assert_int_equal(asked.reason, JH_REASON_BAD_REQUEST);
	assert_int_equal(rig.sent_count, 0);
}

/* Invalid orders and pages are refused here and sent nowhere. */
static void bad_arguments_are_refused(void **state)
{
	jh_item item, second[2];
	jh_place_args args = good_order(&item);
	struct asked asked;

	(void)state;
	serve(1, 4);
	args.client.bytes[0] = 0;
	is_bad(args);
	args = good_order(&item);
	args.request = 0;
	is_bad(args);
	args = good_order(&item);
	args.operation.jh_operation_u.order.items.items_len = 0;
	is_bad(args);
	args = good_order(&item);
	second[0] = item;
	second[1] = (jh_item){.jh_item_val = (char *)(uintptr_t)"", .jh_item_len = 0};
	args.operation.jh_operation_u.order.items.items_val = second;
	args.operation.jh_operation_u.order.items.items_len = 2;
	is_bad(args);
	second[1] = (jh_item){.jh_item_val = (char *)(uintptr_t)"caf\xe9", .jh_item_len = 4};
	is_bad(args);
	second[1] = (jh_item){.jh_item_val = (char *)(uintptr_t)"\xe3\x80\x80 ", .jh_item_len = 4};
	is_bad(args);
	args = good_order(&item);
	args.operation.jh_operation_u.order.customer.customer_val = (char *)(uintptr_t)"\xe2\x80\x8b";
	args.operation.jh_operation_u.order.customer.customer_len = 3;
	is_bad(args);
	args = good_order(&item);
	args.operation.jh_operation_u.order.customer.customer_val = (char *)(uintptr_t)"a\nb";
	args.operation.jh_operation_u.order.customer.customer_len = 3;
	is_bad(args);
	for (uint32_t limit = 0; limit <= JH_PAGE_MAX + 1; limit += JH_PAGE_MAX + 1) {
		read_page(limit, PATIENCE_MS, &asked);
		until_answered(&asked);
		assert_int_equal(asked.outcome, JH_REFUSED);
		assert_int_equal(asked.reason, JH_REASON_BAD_REQUEST);
	}
	assert_int_equal(rig.sent_count, 0);
	read_page(JH_PAGE_MAX, PATIENCE_MS, &asked);
	until_sent(1);
}

static void operators_are_heard(void **state)
{
	struct asked asked[4] = {0};

	(void)state;
	switchover_2(&(jh_switchover_args){.id = 2}, NULL, rpc_channel_call(rig.channel, PATIENCE_MS, on_operator, &asked[0]));
	until_answered(&asked[0]);
	assert_int_equal(rig.operator_kind, VIEWS_SWITCHOVER);
	assert_int_equal(rig.operator.id, 2);
	promote_2(&(jh_promote_args){.id = 3, .confirm = TRUE}, NULL, rpc_channel_call(rig.channel, PATIENCE_MS, on_operator, &asked[1]));
	until_answered(&asked[1]);
	assert_int_equal(rig.operator_kind, VIEWS_PROMOTE);
	assert_int_equal(rig.operator.id, 3);
	assert_true(rig.operator.confirm);
	remove_2(&(jh_remove_args){.id = 4}, NULL, rpc_channel_call(rig.channel, PATIENCE_MS, on_operator, &asked[2]));
	until_answered(&asked[2]);
	assert_int_equal(rig.operator_kind, VIEWS_REMOVE);
	assert_int_equal(rig.operator.id, 4);
	assert_false(rig.operator.confirm);
	upgrade_2(NULL, NULL, rpc_channel_call(rig.channel, PATIENCE_MS, on_operator, &asked[3]));
	until_answered(&asked[3]);
	assert_int_equal(rig.operator_kind, VIEWS_UPGRADE);
	for (int i = 0; i < 4; i++) /* there was no room for them */
		assert_int_equal(asked[i].outcome, JH_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_clock_runs_while_a_call_waits, begin, end),
		cmocka_unit_test_setup_teardown(a_late_answer_is_ignored, begin, end),
		cmocka_unit_test_setup_teardown(each_call_names_its_view, begin, end),
		cmocka_unit_test_setup_teardown(a_read_that_comes_back_goes_to_the_primary, begin, end),
		cmocka_unit_test_setup_teardown(bad_arguments_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(operators_are_heard, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
