#include "server/requests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "rpc/base/clock.h"
#include "rpc/base/escape.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "server/answers.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"
#include "server/queries.h"
#include "server/shop/order.h"
#include "server/shop/postcode_check.h"
#include "server/shop/postcode_orders.h"

/* For how long the check of an earlier order counts: a postcode stays, a provider that could not be asked may be
 * back soon. */
#define RECALL_EXISTS_US (24ll * 3600 * 1000000)
#define RECALL_UNASKED_US (60ll * 1000000)

/* A write or a read on its way. */
struct request {
	struct requests *requests;
	struct rpc_call *call;
	uint64_t view;
	bool is_read;
	jh_query query;              /* is_read: taken from the call's arguments, freed with the request */
	uint64_t floor;
	struct digest content;
	const struct operation *operation;
	struct operation_problem *problem; /* why it is declined; NULL: it is not. Freed with the request */
	struct outcome refusal;      /* by the state applied last */
	STAILQ_ENTRY(request) next;  /* in validated */
	LIST_ENTRY(request) live;
	struct body body;            /* of the bytes below */
	uint32_t size;
	uint8_t bytes[];
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
	free(request->problem);
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

static const struct machine *machine_of(const struct request *request)
{
	return *request->requests->options.machine;
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
	return (struct replica_request){.token = token_of(request), .view = request->view, .client = request->body.client,
					.number = request->body.request, .content = request->content,
					.floor = request->floor, .ends_doubt = request->operation->ends_doubt};
}

static struct answers_source source_of(const struct request *request)
{
	const struct requests_options *options = &request->requests->options;
	const struct view *view = replica_view(*options->replica);

	return (struct answers_source){.machine = *options->machine, .cluster = view->cluster,
				       .generation = view->generation};
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void answer_declined(const struct request *request, const struct answers_source *source)
{
	const struct operation_problem *problem = request->problem;
	bool busy = problem->reason == JH_REASON_BUSY;

	answers_problem(request->call, source, false, busy ? JH_UNAVAILABLE : JH_REFUSED, (jh_reason)problem->reason,
			problem->text);
}

void requests_answer(const struct replica_answer *answer)
{
	struct request *request = request_of(answer->token);
	const struct answers_source source = source_of(request);
	const struct answers_request asked = {.kind = request->operation->kind, .number = request->body.request};

	switch (answer->verdict) {
	case VERDICT_DECIDED:
	case VERDICT_REUSED:
	case VERDICT_PASSED:
		answers_decided(request->call, &source, &asked, answer->verdict, answer->op);
		break;
	case VERDICT_NOT_ADMITTED:
		answers_not_admitted(request->call, &source, &asked, &request->refusal);
		break;
	case VERDICT_MOVED:
		answers_moved(request->call, false);
		break;
	case VERDICT_DECLINED:
		answer_declined(request, &source);
		break;
	case VERDICT_FULL:
	case VERDICT_DISK_FULL:
	case VERDICT_TOO_FEW:
	case VERDICT_BUSY:
		answers_no_room(request->call, &source, &asked, answer);
		break;
	}
	request_free(request);
}

/* Whether the format that the view has now has this kind of operation. */
static bool has_format(const struct request *request)
{
	return replica_view(*request->requests->options.replica)->format >= request->operation->first_format;
}

/* --- admission ---------------------------------------------------------------------------------------------------- */

struct ahead {
	const struct replica *replica;
	uint64_t op;
};

static bool next_ahead(void *context, struct body *body)
{
	struct ahead *ahead = context;
	struct replica_entry entry;

	if (ahead->op == replica_last_op(ahead->replica))
		return false;
	entry = replica_entry_at(ahead->replica, ++ahead->op);
	must(body_parse(entry.body, entry.size, body));
	return true;
}

enum replica_admission requests_admit(void *context, uint64_t token)
{
	struct request *request = request_of(token);
	const struct machine *machine = machine_of(request);
	struct ahead log = {.replica = *request->requests->options.replica, .op = machine_op(machine)};
	const struct operation_ahead ahead = {.context = &log, .next = next_ahead};

	(void)context;
	if (request->operation->admit == NULL || request->problem != NULL || !has_format(request)) /* declined for that */
		return ADMISSION_GIVEN;
	request->refusal = (struct outcome){.result = OUTCOME_REFUSAL};
	request->body.format = replica_view(*request->requests->options.replica)->format; /* by whose rules it would be applied */
	switch (request->operation->admit(machine_shop(machine), &request->body, &ahead, &request->refusal)) {
	case OPERATION_ADMITTED:
		return ADMISSION_GIVEN;
	case OPERATION_REFUSED_NOW:
		return ADMISSION_REFUSED;
	case OPERATION_WAITS:
		return ADMISSION_WAITS;
	}
	must_not_reach("an admission");
}

/* --- validation --------------------------------------------------------------------------------------------------- */

static void decline(struct request *request, enum jh_reason reason, const char *text)
{
	free(request->problem);
	request->problem = calloc(1, sizeof *request->problem);
	must_allocate(request->problem);
	request->problem->reason = reason;
	snprintf(request->problem->text, sizeof request->problem->text, "%s", text);
}

static void decline_postcode(struct request *request, const char *postcode)
{
	char text[OPERATION_TEXT_SIZE];

	snprintf(text, sizeof text, "invalid postcode: %s (postcodes.io knows no such postcode)", postcode);
	decline(request, JH_REASON_INVALID_POSTCODE, text);
}

/* The postcode to be validated; empty: none. */
static const char *postcode_of(const struct request *request, char text[static POSTCODE_SIZE])
{
	struct text_span postcode = {0};

	if (request->operation->postcode != NULL)
		postcode = request->operation->postcode(&request->body);
	must(postcode.size < POSTCODE_SIZE);
	if (postcode.size > 0)
		memcpy(text, postcode.bytes, postcode.size);
	text[postcode.size] = '\0';
	return text;
}

static void validated(struct request *request)
{
	STAILQ_INSERT_TAIL(&request->requests->validated, request, next);
}

static void take_verdict(struct request *request, enum postcode_verdict verdict)
{
	char postcode[POSTCODE_SIZE];

	switch (verdict) {
	case POSTCODE_EXISTS:
		body_assign_check(request->bytes, JH_CHECK_EXISTS);
		break;
	case POSTCODE_FORMAT_ONLY:
		body_assign_check(request->bytes, JH_CHECK_FORMAT_ONLY);
		break;
	case POSTCODE_INVALID:
		decline_postcode(request, postcode_of(request, postcode));
		break;
	case POSTCODE_UNREACHABLE:
		decline(request, JH_REASON_POSTCODE_UNCHECKED,
			"could not validate postcode: no provider that may know it answers, and --postcode-check is "
			"strict: try again later");
		break;
	case POSTCODE_UNCONFIRMED:
		decline(request, JH_REASON_POSTCODE_UNCHECKED,
			"could not validate postcode: the providers hold no directory of its area, and --postcode-check is "
			"strict");
		break;
	case POSTCODE_BUSY:
		decline(request, JH_REASON_BUSY, "too many postcodes are being checked: try again");
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
static void recall(const struct request *request, const char *postcode)
{
	struct postcode_checker *checker = request->requests->options.checker;
	const struct postcode_orders *orders = order_postcode_orders(machine_shop(machine_of(request)));
	struct order_view last;

	if (!postcode_wonders(checker, postcode) ||
	    postcode_orders_list(orders, postcode, strlen(postcode), 0, 1, &last) == 0)
		return;

	int64_t age_us = rpc_wall_us() - last.time_us;

	if (last.check == JH_CHECK_EXISTS && age_us < RECALL_EXISTS_US)
		postcode_recall(checker, postcode, POSTCODE_EXISTS);
	else if (last.check == JH_CHECK_FORMAT_ONLY && age_us < RECALL_UNASKED_US)
		postcode_recall(checker, postcode, POSTCODE_FORMAT_ONLY);
}

/* Now, or when the provider has answered. */
void requests_validate(uint64_t token)
{
	struct request *request = request_of(token);
	char postcode[POSTCODE_SIZE];
	enum postcode_verdict verdict;

	if (request->problem != NULL || postcode_of(request, postcode)[0] == '\0') {
		validated(request);
		return;
	}
	recall(request, postcode);
	if (postcode_check(request->requests->options.checker, postcode, &verdict, checked, request))
		take_verdict(request, verdict);
}

/* --- SUBMIT ------------------------------------------------------------------------------------------------------- */

/* NULL: no body can be made of the arguments. The front-end has checked their shape. */
static struct request *make_request(const jh_submit_args *args)
{
	const struct operation *operation = operation_of_kind(args->operation.kind);

	if (operation == NULL)
		return NULL;

	const struct body head = {.format = operation->first_format, .client = convert_uuid_from_wire(args->client),
				  .request = args->request, .check = JH_CHECK_NONE,
				  .actor = {.bytes = args->actor.actor_val, .size = args->actor.actor_len},
				  .note = {.bytes = args->note.note_val, .size = args->note.note_len},
				  .kind = args->operation.kind};
	struct operation_problem problem = {.reason = JH_REASON_NONE};
	uint8_t encoded[LIMIT_BODY_BYTES];
	struct encoder encoder = {.at = encoded, .left = sizeof encoded};
	struct request *request;

	body_encode_head(&head, &encoder);
	if (!operation->encode(&args->operation, &encoder, &problem) || encoder.failed)
		return NULL;

	size_t size = sizeof encoded - encoder.left;

	request = calloc(1, sizeof *request + size);
	must_allocate(request);
	request->view = args->view;
	request->floor = args->floor;
	request->operation = operation;
	request->size = (uint32_t)size;
	memcpy(request->bytes, encoded, size);
	must(body_parse(request->bytes, size, &request->body));
	request->content = body_content_digest(&request->body); /* RULE 11 */
	if (problem.reason != JH_REASON_NONE)
		decline(request, (jh_reason)problem.reason, problem.text);
	return request;
}

bool_t requests_submit(struct requests *requests, jh_submit_args *args, struct svc_req *call)
{
	struct request *request = make_request(args);

	if (request == NULL) {
		rpc_call_system_error(rpc_call_take(call));
		return FALSE;
	}
	begin(requests, request, call);
	step(requests, &(struct replica_event){.kind = REPLICA_SUBMIT, .submit = write_of(request)});
	return FALSE;
}

/* By the rules of the format that the view has now. */
static void assign_format(struct request *request)
{
	uint32_t format = replica_view(*request->requests->options.replica)->format;
	char text[OPERATION_TEXT_SIZE];

	if (has_format(request)) {
		body_assign_format(request->bytes, format);
		return;
	}
	snprintf(text, sizeof text,
		 "this cluster uses format %" PRIu32 ", and \"%s\" needs format %" PRIu32 ": upgrade every program, then "
		 "run `justhungry upgrade`", format, request->operation->name, request->operation->first_format);
	decline(request, JH_REASON_FORMAT, text);
}

bool requests_next(struct requests *requests, struct replica_event *event, int64_t *time_us)
{
	struct request *request = STAILQ_FIRST(&requests->validated);

	if (request == NULL)
		return false;
	STAILQ_REMOVE_HEAD(&requests->validated, next);

	if (request->problem == NULL)
		assign_format(request);
	if (request->problem != NULL) {
		*event = (struct replica_event){.kind = REPLICA_DECLINE, .decline = write_of(request)};
		return true;
	}
	*time_us = requests->options.date(requests->options.context);
	body_assign_time(request->bytes, *time_us);
	*event = (struct replica_event){.kind = REPLICA_PROPOSE,
					.propose = {.request = write_of(request), .body = request->bytes,
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

void requests_answer_read(uint64_t token, bool moved)
{
	struct request *request = request_of(token);
	const struct answers_source source = source_of(request);

	if (moved)
		answers_moved(request->call, true);
	else
		queries_answer(request->call, &source, &request->query);
	request_free(request);
}
