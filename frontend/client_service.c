#include "frontend/client_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/announced.h"
#include "frontend/client_requests.h"
#include "frontend/manager.h"
#include "frontend/status.h"
#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/order_text.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/net/server.h"

#define SAY_SIZE ORDER_TEXT_ERROR_SIZE

/* rpcgen makes it and declares it nowhere. */
void jh_frontend_1(struct svc_req *request, SVCXPRT *transport);

struct client_service {
	struct client_service_options options;
};

struct client_service *client_service_new(const struct client_service_options *options)
{
	struct client_service *service = calloc(1, sizeof *service);

	must_allocate(service);
	service->options = *options;
	rpc_server_register(options->server, options->program_base, JH_FRONTEND_V1, jh_frontend_1, service);
	return service;
}

void client_service_free(struct client_service *service)
{
	free(service);
}

static const struct client_service_options *options_of(const struct svc_req *request)
{
	const struct client_service *service = rpc_call_context(request);

	return &service->options;
}

/* --- orders and history ------------------------------------------------------------------------------------------- */

/* False with one line in say when the order cannot be one. The bounds of lengths and counts are XDR's: more does not
 * decode. */
static bool order_good(const jh_order *order, char say[static SAY_SIZE])
{
	if (order->items.items_len == 0) {
		snprintf(say, SAY_SIZE, "an order needs at least one item (at most %d)", JH_ITEMS_MAX);
		return false;
	}
	if (!order_customer_good(order->customer.customer_val, order->customer.customer_len, say))
		return false;
	for (u_int i = 0; i < order->items.items_len; i++) {
		const jh_item *item = &order->items.items_val[i];

		if (!order_item_good(i + 1, item->jh_item_val, item->jh_item_len, say))
			return false;
	}
	return true;
}

static bool place_args_good(const jh_place_args *args, char say[static SAY_SIZE])
{
	if (uuid_is_nil(convert_uuid_from_wire(args->client))) {
		snprintf(say, SAY_SIZE, "the client id is nil: draw one at random, it makes repeats harmless");
		return false;
	}
	if (args->request == 0) {
		snprintf(say, SAY_SIZE, "request numbers start at 1");
		return false;
	}
	return order_good(&args->operation.jh_operation_u.order, say);
}

/* RULE 19: the client is one too many, and is told so; nothing of what it asks is done. */
static bool turned_away(struct svc_req *request, char say[static SAY_SIZE])
{
	const struct client_service_options *options = options_of(request);

	if (!rpc_connection_surplus(rpc_call_connection(request)))
		return false;
	status_turned_away(options->status);
	snprintf(say, SAY_SIZE, "all %llu clients that the front-end serves at once (--max-clients) wait for answers: try again",
		 (unsigned long long)options->clients_max);
	return true;
}

bool_t place_order_1_svc(jh_place_args *args, jh_write_result *result, struct svc_req *request)
{
	char say[SAY_SIZE];

	if (turned_away(request, say)) {
		result->outcome = JH_UNAVAILABLE;
		result->jh_write_result_u.problem.reason = JH_REASON_BUSY;
		result->jh_write_result_u.problem.error = convert_text_dup(say);
		return TRUE;
	}
	if (!place_args_good(args, say)) {
		result->outcome = JH_REFUSED;
		result->jh_write_result_u.problem.reason = JH_REASON_BAD_REQUEST;
		result->jh_write_result_u.problem.error = convert_text_dup(say);
		return TRUE;
	}
	memset(result, 0, sizeof *result); /* rpcgen frees it even when the answer comes later */
	client_requests_write(options_of(request)->requests, args, rpc_call_take(request));
	return FALSE;
}

bool_t read_history_1_svc(jh_read_args *args, jh_read_result *result, struct svc_req *request)
{
	uint32_t limit = args->query.jh_query_u.history.limit;
	char say[SAY_SIZE];

	if (turned_away(request, say)) {
		result->outcome = JH_UNAVAILABLE;
		result->jh_read_result_u.problem.reason = JH_REASON_BUSY;
		result->jh_read_result_u.problem.error = convert_text_dup(say);
		return TRUE;
	}
	if (limit < 1 || limit > JH_PAGE_MAX) {
		snprintf(say, sizeof say, "a page of history has 1 to %d orders, not %u", JH_PAGE_MAX, limit);
		result->outcome = JH_REFUSED;
		result->jh_read_result_u.problem.reason = JH_REASON_BAD_REQUEST;
		result->jh_read_result_u.problem.error = convert_text_dup(say);
		return TRUE;
	}
	memset(result, 0, sizeof *result);
	client_requests_read(options_of(request)->requests, args, rpc_call_take(request));
	return FALSE;
}

bool_t cluster_status_1_svc(void *args, jh_cluster_status *result, struct svc_req *request)
{
	(void)args;
	return status_asked(options_of(request)->status, result, request);
}

/* --- operators ---------------------------------------------------------------------------------------------------- */

static void too_many_operators(struct rpc_call *call)
{
	jh_admin_result result = {.outcome = JH_UNAVAILABLE,
				  .text = convert_text_dup("starting, or too many operators wait: try again")};

	rpc_call_reply(call, (xdrproc_t)xdr_jh_admin_result, &result);
	xdr_free((xdrproc_t)xdr_jh_admin_result, &result);
}

static bool admin_turned_away(struct svc_req *request, jh_admin_result *result)
{
	char say[SAY_SIZE];

	if (!turned_away(request, say))
		return false;
	*result = (jh_admin_result){.outcome = JH_UNAVAILABLE, .text = convert_text_dup(say)};
	return true;
}

bool_t switchover_1_svc(jh_switchover_args *args, jh_admin_result *result, struct svc_req *request)
{
	if (admin_turned_away(request, result))
		return TRUE;

	struct rpc_call *call = rpc_call_take(request);

	memset(result, 0, sizeof *result);
	if (!manager_switchover(options_of(request)->manager, args->id, call))
		too_many_operators(call);
	return FALSE;
}

bool_t promote_1_svc(jh_promote_args *args, jh_admin_result *result, struct svc_req *request)
{
	if (admin_turned_away(request, result))
		return TRUE;

	struct rpc_call *call = rpc_call_take(request);

	memset(result, 0, sizeof *result);
	if (!manager_promote(options_of(request)->manager, args->id, args->confirm != FALSE, call))
		too_many_operators(call);
	return FALSE;
}

bool_t remove_1_svc(jh_remove_args *args, jh_admin_result *result, struct svc_req *request)
{
	if (admin_turned_away(request, result))
		return TRUE;

	struct rpc_call *call = rpc_call_take(request);

	memset(result, 0, sizeof *result);
	if (!manager_remove(options_of(request)->manager, args->id, call))
		too_many_operators(call);
	return FALSE;
}

bool_t announce_1_svc(jh_announce_args *args, void *result, struct svc_req *request)
{
	const struct client_service_options *options = options_of(request);
	char address[LIMIT_ADDRESS_BYTES];

	(void)result;
	/* Who it is and where, discovery finds out for itself; what it never finds is shown. */
	if (args->id >= 1 && args->id <= LIMIT_REPLICA_ID && convert_address_from_wire(&args->address, address))
		announced_heard(options->announced, args->id, address,
				rpc_connection_peer_text(rpc_call_connection(request)), rpc_clock_us());
	options->announce(options->context);
	return TRUE;
}

int jh_frontend_1_freeresult(SVCXPRT *transport, xdrproc_t encode, caddr_t result)
{
	(void)transport;
	xdr_free(encode, result);
	return TRUE;
}
