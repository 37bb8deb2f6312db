#include "frontend/client_requests.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "frontend/link_answer.h"
#include "frontend/links.h"
#include "frontend/router/router.h"
#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/server.h"

#define DEFAULT_TIMEOUT_MS 10000
#define RETRY_MS 50
#define SPARE_REQUESTS LIMIT_QUEUE_REQUESTS

/* One request of a client, from its call to its answer. */
struct client_request {
	struct router_request head; /* first: the router hands out pointers to it */
	struct rpc_call *call;
	struct link_call *link_call; /* the latest SUBMIT or QUERY of it under way */
	union {
		jh_submit_args submit;
		jh_query_args query;
	} args;
	TAILQ_ENTRY(client_request) entry; /* of `spare` */
};

TAILQ_HEAD(spare_requests, client_request);

struct client_requests {
	struct client_requests_options options;
	struct router *router;
	struct event *tick; /* while requests wait */
	bool ticking;
	struct spare_requests spare;
	uint32_t spare_count;
};

static struct client_request *request_new(struct client_requests *requests, struct rpc_call *call)
{
	struct client_request *request = TAILQ_FIRST(&requests->spare);

	if (request != NULL) {
		TAILQ_REMOVE(&requests->spare, request, entry);
		requests->spare_count--;
	} else {
		request = malloc(sizeof *request);
		must_allocate(request);
	}
	memset(request, 0, sizeof *request);
	request->call = call;
	return request;
}

static void request_free(struct client_requests *requests, struct client_request *request)
{
	if (request->head.is_read)
		xdr_free((xdrproc_t)xdr_jh_query_args, &request->args.query);
	else
		xdr_free((xdrproc_t)xdr_jh_submit_args, &request->args.submit);
	if (requests->spare_count >= SPARE_REQUESTS) {
		free(request);
		return;
	}
	TAILQ_INSERT_HEAD(&requests->spare, request, entry);
	requests->spare_count++;
}

/* --- effects of the router ---------------------------------------------------------------------------------------- */

static void send_call(void *context, struct router_request *head, uint32_t to, uint64_t view, uint64_t floor,
		      bool at_primary, uint32_t timeout_ms)
{
	struct client_requests *requests = context;
	struct client_request *request = (struct client_request *)head;

	link_call_forget(&request->link_call);
	if (head->is_read) {
		request->args.query.view = view;
		request->args.query.floor = floor;
		request->args.query.at_primary = at_primary;
		links_query(requests->options.links, to, &request->args.query, timeout_ms, request,
			    &request->link_call);
	} else {
		request->args.submit.view = view;
		request->args.submit.floor = floor;
		links_submit(requests->options.links, to, &request->args.submit, timeout_ms, request,
			     &request->link_call);
	}
	must(request->link_call != NULL); /* the router sends only where there is a link */
}

/* The problem that a client is told when the front-end itself ends its request. */
static jh_problem problem_of(const struct client_requests *requests, enum router_end end, const char *text)
{
	jh_reason reason = JH_REASON_NONE;

	if (end == ROUTER_END_BUSY)
		reason = JH_REASON_BUSY;
	else if (!router_serving(requests->router))
		reason = JH_REASON_NO_PRIMARY;
	/* Borrowed: rpc_call_reply encodes at once. */
	return (jh_problem){.reason = reason,
			    .error = {.jh_text_len = (u_int)strnlen(text, JH_TEXT_MAX),
				      .jh_text_val = (char *)(uintptr_t)text}};
}

static void answer_call(void *context, struct router_request *head, enum router_end end, const void *payload,
			const char *text)
{
	struct client_requests *requests = context;
	struct client_request *request = (struct client_request *)head;
	jh_outcome outcome = end == ROUTER_END_UNKNOWN ? JH_UNKNOWN : JH_UNAVAILABLE;

	link_call_forget(&request->link_call);
	if (end == ROUTER_END_ANSWERED) {
		rpc_call_reply(request->call, (xdrproc_t)link_answer_encode, payload);
	} else if (head->is_read) {
		jh_read_result result = {.outcome = outcome};

		result.jh_read_result_u.problem = problem_of(requests, end, text);
		rpc_call_reply(request->call, (xdrproc_t)xdr_jh_read_result, &result);
	} else {
		jh_write_result result = {.outcome = outcome};

		result.jh_write_result_u.problem = problem_of(requests, end, text);
		rpc_call_reply(request->call, (xdrproc_t)xdr_jh_write_result, &result);
	}
	request_free(requests, request);
}

/* No answer rather than "unavailable": the client sees the connection end and repeats the same number elsewhere. */
static void forget_call(void *context, struct router_request *head)
{
	struct client_request *request = (struct client_request *)head;

	link_call_forget(&request->link_call);
	rpc_call_drop(request->call);
	request_free(context, request);
}

static void pause_clients(void *context, bool paused)
{
	struct client_requests *requests = context;

	rpc_server_pause_clients(requests->options.server, paused);
}

static void demand_rose(void *context)
{
	struct client_requests *requests = context;

	requests->options.demand(requests->options.context);
}

void client_requests_answered(struct client_requests *requests, void *owner, const struct link_answer *answer)
{
	static const enum router_reply replies[] = {
		[LINK_DONE] = ROUTER_REPLY_DONE,
		[LINK_REFUSED] = ROUTER_REPLY_REFUSED,
		[LINK_UNAVAILABLE] = ROUTER_REPLY_UNAVAILABLE,
		[LINK_NOT_EXECUTED] = ROUTER_REPLY_NOT_EXECUTED,
		[LINK_AGAIN] = ROUTER_REPLY_AGAIN,
	};
	struct client_request *request = owner;

	router_answered(requests->router, &request->head, replies[answer->kind], answer->op, answer, rpc_clock_ms());
}

/* --- the router's clock ------------------------------------------------------------------------------------------- */

static void keep_ticking(struct client_requests *requests)
{
	if (requests->ticking)
		return;
	requests->ticking = true;
	evtimer_add(requests->tick, &(struct timeval){.tv_usec = ROUTER_TICK_MS * 1000L});
}

static void tick(evutil_socket_t fd, short what, void *context)
{
	struct client_requests *requests = context;

	(void)fd;
	(void)what;
	requests->ticking = false;
	router_tick(requests->router, rpc_clock_ms());
	if (router_waiting(requests->router) > 0)
		keep_ticking(requests);
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

void client_requests_write(struct client_requests *requests, jh_place_args *args, struct rpc_call *call)
{
	struct client_request *request = request_new(requests, call);
	jh_submit_args *submit = &request->args.submit;

	submit->client = args->client;
	submit->request = args->request;
	submit->operation = args->operation;
	submit->actor.actor_len = submit->note.note_len = 0; /* client_service.c refuses any other */
	memset(&args->operation, 0, sizeof args->operation);
	args->operation.kind = JH_OPERATION_ORDER; /* an empty one, for rpcgen to free */
	keep_ticking(requests);
	router_write(requests->router, &request->head, rpc_clock_ms(), args->timeout_ms);
}

void client_requests_read(struct client_requests *requests, jh_read_args *args, struct rpc_call *call)
{
	struct client_request *request = request_new(requests, call);

	request->head.is_read = true;
	request->args.query.query = args->query;
	memset(&args->query, 0, sizeof args->query);
	args->query.kind = JH_QUERY_HISTORY;
	keep_ticking(requests);
	router_read(requests->router, &request->head, rpc_clock_ms(), args->timeout_ms);
}

struct client_requests *client_requests_new(const struct client_requests_options *options)
{
	static const struct router_shell shell = {
		.send = send_call,
		.answer = answer_call,
		.pause = pause_clients,
		.demand = demand_rose,
		.forget = forget_call,
	};
	struct router_options routing = {.queue_max = LIMIT_QUEUE_REQUESTS,
					 .default_timeout_ms = DEFAULT_TIMEOUT_MS,
					 .backup_timeout_ms = options->suspect_ms,
					 .retry_ms = RETRY_MS,
					 .writes_window = ROUTER_WRITES_WINDOW,
					 .reads_window = ROUTER_READS_WINDOW};

	struct client_requests *requests = calloc(1, sizeof *requests);

	must_allocate(requests);
	requests->options = *options;
	TAILQ_INIT(&requests->spare);
	requests->router = router_new(&routing, &shell, requests);
	requests->tick = evtimer_new(options->base, tick, requests);
	must_allocate(requests->tick);
	return requests;
}

void client_requests_free(struct client_requests *requests)
{
	struct client_request *request;

	if (requests == NULL)
		return;
	event_free(requests->tick);
	router_free(requests->router);
	while ((request = TAILQ_FIRST(&requests->spare)) != NULL) {
		TAILQ_REMOVE(&requests->spare, request, entry);
		free(request);
	}
	free(requests);
}

struct router *client_requests_router(struct client_requests *requests)
{
	return requests->router;
}
