/* The router's shell: client requests in memory, their calls to replicas, their answers, the router's clock. */
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "frontend/link_answer.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

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
	TAILQ_ENTRY(client_request) entry; /* frontend->spare */
};

static struct client_request *request_new(struct frontend *frontend, struct rpc_call *call)
{
	struct client_request *request = TAILQ_FIRST(&frontend->spare);

	if (request != NULL) {
		TAILQ_REMOVE(&frontend->spare, request, entry);
		frontend->spare_count--;
	} else {
		request = malloc(sizeof *request);
		must_allocate(request);
	}
	memset(request, 0, sizeof *request);
	request->call = call;
	return request;
}

static void request_free(struct frontend *frontend, struct client_request *request)
{
	if (request->head.is_read)
		xdr_free((xdrproc_t)xdr_jh_query_args, &request->args.query);
	else
		xdr_free((xdrproc_t)xdr_jh_submit_args, &request->args.submit);
	if (frontend->spare_count >= SPARE_REQUESTS) {
		free(request);
		return;
	}
	TAILQ_INSERT_HEAD(&frontend->spare, request, entry);
	frontend->spare_count++;
}

/* --- effects of the router ---------------------------------------------------------------------------------------- */

static void send_call(void *context, struct router_request *head, uint32_t to, uint64_t view, uint64_t floor,
		      bool at_primary, uint32_t timeout_ms)
{
	struct frontend *frontend = context;
	struct client_request *request = (struct client_request *)head;

	link_call_forget(&request->link_call);
	if (head->is_read) {
		request->args.query.view = view;
		request->args.query.floor = floor;
		request->args.query.at_primary = at_primary;
		links_query(frontend->links, to, &request->args.query, timeout_ms, request, &request->link_call);
	} else {
		request->args.submit.view = view;
		links_submit(frontend->links, to, &request->args.submit, timeout_ms, request, &request->link_call);
	}
	must(request->link_call != NULL); /* the router sends only where there is a link */
}

/* The words of an end that is the front-end's own. */
static jh_problem problem_of(const struct frontend *frontend, enum router_end end, const char *text)
{
	jh_reason reason = JH_REASON_NONE;

	if (end == ROUTER_END_BUSY)
		reason = JH_REASON_BUSY;
	else if (!router_serving(frontend->router))
		reason = JH_REASON_NO_PRIMARY;
	/* Borrowed: rpc_call_reply encodes at once. */
	return (jh_problem){.reason = reason,
			    .error = {.jh_text_len = (u_int)strnlen(text, JH_TEXT_MAX),
				      .jh_text_val = (char *)(uintptr_t)text}};
}

static void answer_call(void *context, struct router_request *head, enum router_end end, const void *payload,
			const char *text)
{
	struct frontend *frontend = context;
	struct client_request *request = (struct client_request *)head;
	jh_outcome outcome = end == ROUTER_END_UNKNOWN ? JH_UNKNOWN : JH_UNAVAILABLE;

	link_call_forget(&request->link_call);
	if (end == ROUTER_END_ANSWERED) {
		rpc_call_reply(request->call, (xdrproc_t)link_answer_encode, payload);
	} else if (head->is_read) {
		jh_read_result result = {.outcome = outcome};

		result.jh_read_result_u.problem = problem_of(frontend, end, text);
		rpc_call_reply(request->call, (xdrproc_t)xdr_jh_read_result, &result);
	} else {
		jh_write_result result = {.outcome = outcome};

		result.jh_write_result_u.problem = problem_of(frontend, end, text);
		rpc_call_reply(request->call, (xdrproc_t)xdr_jh_write_result, &result);
	}
	request_free(frontend, request);
}

/* Silence, not "unavailable": the client hears the connection end and asks the next front-end, with the same number. */
static void forget_call(void *context, struct router_request *head)
{
	struct client_request *request = (struct client_request *)head;

	link_call_forget(&request->link_call);
	rpc_call_drop(request->call);
	request_free(context, request);
}

static void pause_clients(void *context, bool paused)
{
	struct frontend *frontend = context;

	rpc_server_pause_clients(frontend->server, paused);
}

/* Later in this turn: the router must not be called back, nor a step of the view manager interrupted. */
static void demand_rose(void *context)
{
	struct frontend *frontend = context;

	event_active(frontend->demand, EV_TIMEOUT, 0);
}

void requests_answered(void *context, void *owner, const struct link_answer *answer)
{
	static const enum router_reply replies[] = {
		[LINK_DONE] = ROUTER_REPLY_DONE,
		[LINK_REFUSED] = ROUTER_REPLY_REFUSED,
		[LINK_UNAVAILABLE] = ROUTER_REPLY_UNAVAILABLE,
		[LINK_NOT_EXECUTED] = ROUTER_REPLY_NOT_EXECUTED,
		[LINK_AGAIN] = ROUTER_REPLY_AGAIN,
	};
	struct frontend *frontend = context;
	struct client_request *request = owner;

	router_answered(frontend->router, &request->head, replies[answer->kind], answer->op, answer, frontend_now_ms());
}

/* --- the router's clock ------------------------------------------------------------------------------------------- */

static void keep_ticking(struct frontend *frontend)
{
	if (frontend->ticking)
		return;
	frontend->ticking = true;
	evtimer_add(frontend->tick, &(struct timeval){.tv_usec = ROUTER_TICK_MS * 1000L});
}

static void tick(evutil_socket_t fd, short what, void *context)
{
	struct frontend *frontend = context;

	(void)fd;
	(void)what;
	frontend->ticking = false;
	router_tick(frontend->router, frontend_now_ms());
	if (router_waiting(frontend->router) > 0)
		keep_ticking(frontend);
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

void requests_write(struct frontend *frontend, jh_place_args *args, struct rpc_call *call)
{
	struct client_request *request = request_new(frontend, call);
	jh_submit_args *submit = &request->args.submit;

	submit->client = args->client;
	submit->request = args->request;
	submit->operation = args->operation;
	memset(&args->operation, 0, sizeof args->operation);
	args->operation.kind = JH_OPERATION_ORDER; /* an empty one, for rpcgen to free */
	keep_ticking(frontend);
	router_write(frontend->router, &request->head, frontend_now_ms(), args->timeout_ms);
}

void requests_read(struct frontend *frontend, jh_read_args *args, struct rpc_call *call)
{
	struct client_request *request = request_new(frontend, call);

	request->head.is_read = true;
	request->args.query.query = args->query;
	memset(&args->query, 0, sizeof args->query);
	args->query.kind = JH_QUERY_HISTORY;
	keep_ticking(frontend);
	router_read(frontend->router, &request->head, frontend_now_ms(), args->timeout_ms);
}

void requests_start(struct frontend *frontend)
{
	static const struct router_shell shell = {
		.send = send_call,
		.answer = answer_call,
		.pause = pause_clients,
		.demand = demand_rose,
		.forget = forget_call,
	};
	struct router_options options = {.queue_max = LIMIT_QUEUE_REQUESTS,
					 .default_timeout_ms = DEFAULT_TIMEOUT_MS,
					 .backup_timeout_ms = frontend->options.views.suspect_ms,
					 .retry_ms = RETRY_MS,
					 .writes_window = ROUTER_WRITES_WINDOW,
					 .reads_window = ROUTER_READS_WINDOW};

	TAILQ_INIT(&frontend->spare);
	frontend->router = router_new(&options, &shell, frontend);
	frontend->tick = evtimer_new(frontend->base, tick, frontend);
	must_allocate(frontend->tick);
}

void requests_stop(struct frontend *frontend)
{
	struct client_request *request;

	if (frontend->router == NULL)
		return;
	event_free(frontend->tick);
	router_free(frontend->router);
	while ((request = TAILQ_FIRST(&frontend->spare)) != NULL) {
		TAILQ_REMOVE(&frontend->spare, request, entry);
		free(request);
	}
}
