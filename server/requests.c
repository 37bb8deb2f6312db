#include "server/requests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "rpc/base/client_alias.h"
#include "rpc/base/clock.h"
#include "rpc/base/escape.h"
#include "rpc/base/must.h"
#include "rpc/base/order_text.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "server/machine/machine.h"
#include "server/shop/postcode_check.h"
#include "server/shop/postcode_orders.h"
#include "server/shop/shop.h"

/* For how long the check of an earlier order counts: a postcode stays, a provider that could not be asked may be
 * back soon. */
#define RECALL_EXISTS_US (24ll * 3600 * 1000000)
#define RECALL_UNASKED_US (60ll * 1000000)

/* A write or a read on its way. */
struct request {
	struct requests *requests;
	struct rpc_call *call;
	uint64_t view;
	struct uuid client;
	uint64_t number;
	struct digest content;
	bool is_read;
	jh_query query;              /* is_read: taken from the call's arguments, freed with the request */
	enum jh_reason reason;       /* why it was declined */
	const char *why;
	char *bad_text;              /* `why`, when a text of the order is none: freed with the request */
	char postcode[ESCAPE_ROOM(LIMIT_POSTCODE_BYTES)]; /* normalised, or as typed (escaped) when it is none */
	STAILQ_ENTRY(request) next;  /* in validated */
	LIST_ENTRY(request) live;
	uint32_t size;
	uint8_t body[];
};

struct requests {
	struct requests_options options;
	LIST_HEAD(, request) live;
	STAILQ_HEAD(, request) validated;
};

struct requests *requests_new(const struct requests_options *options)
{
	struct requests *requests = calloc(1, sizeof *requests);

	must_allocate(requests);
	requests->options = *options;
	STAILQ_INIT(&requests->validated);
	return requests;
}

static void request_free(struct request *request)
{
	LIST_REMOVE(request, live);
	if (request->is_read)
		xdr_free((xdrproc_t)xdr_jh_query, &request->query);
	free(request->bad_text);
	free(request);
}

void requests_free(struct requests *requests)
{
	for (struct request *request = LIST_FIRST(&requests->live), *next; request != NULL; request = next) {
		next = LIST_NEXT(request, live);
		rpc_call_drop(request->call);
		request_free(request);
	}
	free(requests);
}

static uint64_t token_of(const struct request *request)
{
	return (uint64_t)(uintptr_t)request;
}

static struct request *request_of(uint64_t token)
{
	return (struct request *)(uintptr_t)token;
}

static const struct postcode_orders *orders_of(const struct request *request)
{
	return shop_postcode_orders(machine_shop(*request->requests->options.machine));
}

static void begin(struct requests *requests, struct request *request, struct svc_req *call)
{
	request->requests = requests;
	request->call = rpc_call_take(call);
	LIST_INSERT_HEAD(&requests->live, request, live);
}

static void step(const struct requests *requests, struct replica_event *event)
{
	requests->options.event(requests->options.context, event);
}

static struct replica_request write_of(const struct request *request)
{
	return (struct replica_request){.token = token_of(request), .view = request->view, .client = request->client,
					.number = request->number, .content = request->content};
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void reply_problem(struct request *request, enum jh_outcome outcome, enum jh_reason reason, const char *text)
{
	jh_write_result result = {.outcome = outcome};

	/* A read's problem is encoded the same way: see jh_read_result. */
	result.jh_write_result_u.problem.reason = reason;
	result.jh_write_result_u.problem.error.jh_text_len = (u_int)strlen(text);
	result.jh_write_result_u.problem.error.jh_text_val = (char *)(uintptr_t)text;
	rpc_call_reply(request->call, (xdrproc_t)xdr_jh_write_result, &result);
}

static void reply_placed(struct request *request, uint64_t op)
{
	struct order_view order;
	jh_write_result result = {.outcome = JH_DONE};
	jh_order_placed *placed = &result.jh_write_result_u.answer.jh_operation_answer_u.order;

	must(postcode_orders_by_op(orders_of(request), op, &order));
	result.jh_write_result_u.answer.kind = JH_OPERATION_ORDER;
	placed->postcode.postcode_val = (char *)(uintptr_t)order.order.postcode.bytes;
	placed->postcode.postcode_len = order.order.postcode.size;
	placed->number = order.number;
	placed->op = op; /* RULE 8 */
	placed->time_us = order.time_us;
	placed->check = (jh_check)order.check;
	rpc_call_reply(request->call, (xdrproc_t)xdr_jh_write_result, &result);
}

void requests_answer(const struct replica_answer *answer)
{
	struct request *request = request_of(answer->token);
	char text[ORDER_TEXT_ERROR_SIZE];

	switch (answer->verdict) {
	case VERDICT_DONE:
		reply_placed(request, answer->op);
		break;
	case VERDICT_MOVED:
		reply_problem(request, JH_MOVED, JH_REASON_NONE, "");
		break;
	case VERDICT_DECLINED:
		if (request->reason == JH_REASON_INVALID_POSTCODE)
			snprintf(text, sizeof text, "invalid postcode: %s (%s)", request->postcode, request->why);
		else
			snprintf(text, sizeof text, "%s", request->why);
		reply_problem(request, request->reason == JH_REASON_BUSY ? JH_UNAVAILABLE : JH_REFUSED, request->reason,
			      text);
		break;
	case VERDICT_CONFLICT:
		snprintf(text, sizeof text,
			 "request number %" PRIu64 " of this client was already used for another order: "
			 "use a higher number",
			 request->number);
		reply_problem(request, JH_REFUSED, JH_REASON_CONFLICT, text);
		break;
	case VERDICT_SUPERSEDED:
		snprintf(text, sizeof text, "request number %" PRIu64 " is below this client's last and made no order: "
			 "use a higher number", request->number);
		reply_problem(request, JH_REFUSED, JH_REASON_SUPERSEDED, text);
		break;
	case VERDICT_FULL:
		snprintf(text, sizeof text, "the order history is full: replica %" PRIu32 " holds at most %" PRIu64
			 " orders: start every replica with a higher --max-orders", answer->id, answer->limit);
		reply_problem(request, JH_UNAVAILABLE, JH_REASON_FULL, text);
		break;
	case VERDICT_DISK_FULL:
		snprintf(text, sizeof text, "disk full on replica %" PRIu32 ": free space there (or raise the quota, if its log "
			 "names one), then order again", answer->id);
		reply_problem(request, JH_UNAVAILABLE, JH_REASON_DISK_FULL, text);
		break;
	case VERDICT_TOO_FEW:
		snprintf(text, sizeof text,
			 "too few copies of the orders (%" PRIu64 "), --min-members asks for more: start more "
			 "replicas",
			 answer->limit);
		reply_problem(request, JH_UNAVAILABLE, JH_REASON_TOO_FEW_MEMBERS, text);
		break;
	case VERDICT_BUSY:
		reply_problem(request, JH_UNAVAILABLE, JH_REASON_BUSY,
			      "the primary has too many orders in hand: order again");
		break;
	}
	request_free(request);
}

/* --- validation --------------------------------------------------------------------------------------------------- */

static void decline(struct request *request, enum jh_reason reason, const char *why)
{
	request->reason = reason;
	request->why = why;
}

static void validated(struct request *request)
{
	STAILQ_INSERT_TAIL(&request->requests->validated, request, next);
}

static void take_verdict(struct request *request, enum postcode_verdict verdict)
{
	switch (verdict) {
	case POSTCODE_EXISTS:
		body_assign_check(request->body, JH_CHECK_EXISTS);
		break;
	case POSTCODE_FORMAT_ONLY:
		body_assign_check(request->body, JH_CHECK_FORMAT_ONLY);
		break;
	case POSTCODE_INVALID:
		decline(request, JH_REASON_INVALID_POSTCODE, "postcodes.io knows no such postcode");
		break;
	case POSTCODE_UNREACHABLE:
		decline(request, JH_REASON_POSTCODE_UNCHECKED,
			"could not validate postcode: no provider that may know it answers, and --postcode-check is "
			"strict: order again later");
		break;
	case POSTCODE_UNCONFIRMED:
		decline(request, JH_REASON_POSTCODE_UNCHECKED,
			"could not validate postcode: the providers hold no directory of its area, and --postcode-check is "
			"strict");
		break;
	case POSTCODE_BUSY:
		decline(request, JH_REASON_BUSY, "too many postcodes are being checked: order again");
		break;
	}
	validated(request);
}

static void checked(void *context, enum postcode_verdict verdict)
{
	struct request *request = context;
	const struct requests *requests = request->requests;

	take_verdict(request, verdict);
	requests->options.turn_end(requests->options.context);
}

/* The result of the last order to this postcode need not be asked for again, least of all by a primary that has just
 * taken over while all clients wait. */
static void recall(struct request *request)
{
	struct postcode_checker *checker = request->requests->options.checker;
	struct order_view last;

	if (!postcode_wonders(checker, request->postcode) ||
	    postcode_orders_list(orders_of(request), request->postcode, strlen(request->postcode), 0, 1, &last) == 0)
		return;

	int64_t age_us = rpc_wall_us() - last.time_us;

	if (last.check == JH_CHECK_EXISTS && age_us < RECALL_EXISTS_US)
		postcode_recall(checker, request->postcode, POSTCODE_EXISTS);
	else if (last.check == JH_CHECK_FORMAT_ONLY && age_us < RECALL_UNASKED_US)
		postcode_recall(checker, request->postcode, POSTCODE_FORMAT_ONLY);
}

/* Now, or when the provider has answered. */
void requests_validate(uint64_t token)
{
	struct request *request = request_of(token);
	enum postcode_verdict verdict;

	if (request->reason != JH_REASON_NONE) { /* malformed postcode, or an invalid text */
		validated(request);
		return;
	}
	recall(request);
	if (postcode_check(request->requests->options.checker, request->postcode, &verdict, checked, request))
		take_verdict(request, verdict);
}

/* --- SUBMIT ------------------------------------------------------------------------------------------------------- */

static struct text_span text_of(const char *bytes, u_int size)
{
	return (struct text_span){.bytes = bytes, .size = size};
}

/* Whether each text of the order is valid. If not, the order is declined once client table and log were consulted
 * (RULE 12), so that a repeat of an order which an older version placed still gets its answer. */
static bool texts_good(struct request *request, const struct order *order)
{
	char error[ORDER_TEXT_ERROR_SIZE];
	bool good = order_customer_good(order->customer.bytes, order->customer.size, error);

	for (uint32_t i = 0; good && i < order->items_count; i++)
		good = order_item_good(i + 1, order->items[i].bytes, order->items[i].size, error);
	if (good)
		return true;
	request->bad_text = strdup(error);
	must_allocate(request->bad_text);
	decline(request, JH_REASON_BAD_REQUEST, request->bad_text);
	return false;
}

/* The front-end has checked the shape; what slips through is refused here as malformed. */
static struct request *make_request(const jh_submit_args *args)
{
	const jh_order *asked = &args->operation.jh_operation_u.order;
	uint8_t encoded[LIMIT_BODY_BYTES];
	char postcode[POSTCODE_SIZE];
	bool good = postcode_normalise(asked->postcode.postcode_val, asked->postcode.postcode_len, postcode);
	const struct body body = {.client = convert_uuid_from_wire(args->client), .request = args->request,
				  .check = JH_CHECK_FORMAT_ONLY};
	struct order order = {.customer = text_of(asked->customer.customer_val, asked->customer.customer_len),
			      .items_count = asked->items.items_len};

	order.postcode = good ? text_of(postcode, (u_int)strlen(postcode))
			      : text_of(asked->postcode.postcode_val, asked->postcode.postcode_len);
	for (uint32_t i = 0; i < order.items_count; i++)
		order.items[i] = text_of(asked->items.items_val[i].jh_item_val, asked->items.items_val[i].jh_item_len);

	size_t size = order_encode(&body, &order, encoded, sizeof encoded);
	if (size == 0)
		return NULL;

	struct request *request = malloc(sizeof *request + size);

	must_allocate(request);
	*request = (struct request){.view = args->view, .client = body.client, .number = body.request,
				    .size = (uint32_t)size, .content = body_content_digest(encoded, size)}; /* RULE 11 */
	memcpy(request->body, encoded, size);
	escape_into(request->postcode, sizeof request->postcode, order.postcode.bytes, order.postcode.size, ESCAPE_STRICT);
	if (texts_good(request, &order) && !good)
		decline(request, JH_REASON_INVALID_POSTCODE, POSTCODE_NO_FORM);
	return request;
}

bool_t requests_submit(struct requests *requests, jh_submit_args *args, struct svc_req *call)
{
	struct request *request = args->operation.kind == JH_OPERATION_ORDER ? make_request(args) : NULL;

	if (request == NULL) {
		rpc_call_system_error(rpc_call_take(call));
		return FALSE;
	}
	begin(requests, request, call);
	step(requests, &(struct replica_event){.kind = REPLICA_SUBMIT, .submit = write_of(request)});
	return FALSE;
}

bool requests_next(struct requests *requests, struct replica_event *event, int64_t *time_us)
{
	struct request *request = STAILQ_FIRST(&requests->validated);

	if (request == NULL)
		return false;
	STAILQ_REMOVE_HEAD(&requests->validated, next);

	if (request->reason != JH_REASON_NONE) {
		*event = (struct replica_event){.kind = REPLICA_DECLINE, .decline = write_of(request)};
		return true;
	}
	*time_us = requests->options.date(requests->options.context);
	body_assign_time(request->body, *time_us);
	*event = (struct replica_event){.kind = REPLICA_PROPOSE,
					.propose = {.request = write_of(request), .body = request->body,
						    .size = request->size}};
	return true;
}

/* --- QUERY -------------------------------------------------------------------------------------------------------- */

bool_t requests_query(struct requests *requests, jh_query_args *args, struct svc_req *call)
{
	struct request *request = calloc(1, sizeof *request);

	must_allocate(request);
	request->is_read = true;
	request->view = args->view;
	request->query = args->query; /* ours now: rpcgen's freeargs finds nothing */
	memset(&args->query, 0, sizeof args->query);
	args->query.kind = JH_QUERY_HISTORY;
	begin(requests, request, call);
	step(requests, &(struct replica_event){.kind = REPLICA_QUERY,
					       .query = {.token = token_of(request), .view = args->view,
							 .floor = args->at_primary ? 0 : args->floor}}); /* RULE 8 */
	return FALSE;
}

static void fill_order(const struct order_view *from, struct uuid cluster, jh_item *items, jh_history_order *to)
{
	to->number = from->number;
	to->op = from->op;
	to->time_us = from->time_us;
	to->check = (jh_check)from->check;
	to->client = convert_uuid_to_wire(client_alias(cluster, from->client));
	to->request = from->request;
	to->customer.customer_val = (char *)(uintptr_t)from->order.customer.bytes;
	to->customer.customer_len = from->order.customer.size;
	to->items.items_val = items;
	to->items.items_len = from->order.items_count;
	for (uint32_t i = 0; i < from->order.items_count; i++) {
		items[i].jh_item_val = (char *)(uintptr_t)from->order.items[i].bytes;
		items[i].jh_item_len = from->order.items[i].size;
	}
}

static void reply_history(struct request *request, const char *postcode)
{
	static struct order_view views[LIMIT_HISTORY_PAGE];
	static jh_history_order orders[LIMIT_HISTORY_PAGE];
	static jh_item items[LIMIT_HISTORY_PAGE][LIMIT_ITEMS];
	const jh_history_query *query = &request->query.jh_query_u.history;
	const struct requests_options *options = &request->requests->options;
	const struct postcode_orders *index = orders_of(request);
	uint32_t size = (uint32_t)strlen(postcode);
	uint32_t limit = query->limit == 0 || query->limit > LIMIT_HISTORY_PAGE ? LIMIT_HISTORY_PAGE : query->limit;
	uint32_t count = postcode_orders_list(index, postcode, size, query->before, limit, views);
	jh_read_result result = {.outcome = JH_DONE};
	jh_history *answer = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;

	for (uint32_t i = 0; i < count; i++)
		fill_order(&views[i], options->cluster(options->context), items[i], &orders[i]);
	result.jh_read_result_u.done.op = machine_op(*options->machine); /* RULE 8: the op this answer reflects */
	result.jh_read_result_u.done.answer.kind = JH_QUERY_HISTORY;
	answer->postcode.postcode_val = (char *)(uintptr_t)postcode;
	answer->postcode.postcode_len = size;
	answer->total = postcode_orders_total(index, postcode, size);
	answer->orders.orders_val = orders;
	answer->orders.orders_len = count;
	rpc_call_reply(request->call, (xdrproc_t)xdr_jh_read_result, &result);
}

void requests_answer_read(uint64_t token, bool moved)
{
	struct request *request = request_of(token);
	const jh_history_query *query = &request->query.jh_query_u.history;
	char postcode[POSTCODE_SIZE];

	if (moved) {
		reply_problem(request, JH_MOVED, JH_REASON_NONE, "");
	} else if (!postcode_normalise(query->postcode.postcode_val, query->postcode.postcode_len, postcode)) {
		char typed[ESCAPE_ROOM(LIMIT_POSTCODE_BYTES)], text[sizeof typed + 32 + sizeof POSTCODE_NO_FORM];

		escape_into(typed, sizeof typed, query->postcode.postcode_val, query->postcode.postcode_len, ESCAPE_STRICT);
		snprintf(text, sizeof text, "invalid postcode: %s (" POSTCODE_NO_FORM ")", typed);
		reply_problem(request, JH_REFUSED, JH_REASON_INVALID_POSTCODE, text);
	} else {
		reply_history(request, postcode);
	}
	request_free(request);
}
