#include "server/answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "rpc/replica.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"

#define TEXT_SIZE 512

jh_basis answers_basis(const struct answers_source *source)
{
	return (jh_basis){.generation = convert_uuid_to_wire(source->generation), .op = machine_op(source->machine)};
}

static jh_text text_of(const char *text)
{
	return (jh_text){.jh_text_len = (u_int)strlen(text), .jh_text_val = (char *)(uintptr_t)text};
}

static void reply_write(struct rpc_call *call, jh_outcome outcome, const jh_problem *problem)
{
	jh_submit_result result = {.result = {.outcome = outcome}};

	result.result.jh_write_result_u.problem = *problem;
	rpc_call_reply(call, (xdrproc_t)xdr_jh_submit_result, &result);
}

static void reply_read(struct rpc_call *call, jh_outcome outcome, const jh_problem *problem)
{
	jh_query_result result = {.result = {.outcome = outcome}};

	result.result.jh_read_result_u.problem = *problem;
	rpc_call_reply(call, (xdrproc_t)xdr_jh_query_result, &result);
}

void answers_problem(struct rpc_call *call, const struct answers_source *source, bool is_read, jh_outcome outcome,
		     jh_reason reason, const char *text)
{
	jh_problem problem = {.basis = answers_basis(source), .reason = reason, .error = text_of(text)};

	(is_read ? reply_read : reply_write)(call, outcome, &problem);
}

void answers_moved(struct rpc_call *call, bool is_read)
{
	jh_problem problem = {.error = text_of("")};

	(is_read ? reply_read : reply_write)(call, JH_MOVED, &problem);
}

/* --- decided by the log ------------------------------------------------------------------------------------------- */

static const struct operation *operation_at(const struct machine *machine, uint64_t op)
{
	const struct history *history = machine_history(machine);
	const struct operation *operation;
	struct body body;
	size_t size;
	const uint8_t *bytes = history_body(history, history_entry_of(history, op), &size);

	operation = operation_parse(bytes, size, &body);
	must(operation != NULL);
	return operation;
}

static void reply_done(struct rpc_call *call, const struct answers_source *source, const struct operation *operation,
		       uint64_t op)
{
	jh_submit_result result = {.result = {.outcome = JH_DONE}};
	jh_write_done *done = &result.result.jh_write_result_u.done;

	done->basis = answers_basis(source);
	done->basis.final = TRUE;
	operation->answer(machine_shop(source->machine), op, &done->answer);
	rpc_call_reply(call, (xdrproc_t)xdr_jh_submit_result, &result);
}

static void reply_final(struct rpc_call *call, const struct answers_source *source, jh_outcome outcome, jh_problem *problem,
			const char *text)
{
	problem->basis = answers_basis(source);
	problem->basis.final = TRUE;
	problem->error = text_of(text);
	reply_write(call, outcome, problem);
}

static void explain(const struct operation *operation, const struct outcome *refusal, char *text, size_t size)
{
	snprintf(text, size, "the %s was refused", operation->name);
	if (operation->explain != NULL)
		operation->explain(refusal, text, size);
}

/* final: the refusal is kept; else it is of the state applied now, and speaks for its call only. */
static void refuse(struct rpc_call *call, const struct answers_source *source, const struct operation *operation,
		   const struct outcome *refusal, bool final)
{
	jh_problem problem = {.basis = answers_basis(source), .reason = (jh_reason)refusal->reason,
			      .values = {.values_len = refusal->values_count,
					 .values_val = (quad_t *)(uintptr_t)refusal->values}};
	char text[TEXT_SIZE];

	explain(operation, refusal, text, sizeof text);
	problem.basis.final = final;
	problem.error = text_of(text);
	reply_write(call, JH_REFUSED, &problem);
}

static void refuse_void(struct rpc_call *call, const struct answers_source *source, const char *text)
{
	jh_problem problem = {.reason = JH_REASON_VOID};

	reply_final(call, source, JH_REFUSED, &problem, text);
}

/* The number belongs to an operation of this outcome, with other content. */
static void reply_reused(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
			 uint64_t op, const struct outcome *became)
{
	const struct operation *operation = operation_at(source->machine, op);
	jh_became wire = {.kind = (jh_operation_kind)operation->kind, .op = op, .result = (jh_entry_result)became->result};
	jh_problem problem = {.reason = JH_REASON_KEY_REUSED, .became = &wire};
	char text[TEXT_SIZE];

	snprintf(text, sizeof text,
		 "request number %" PRIu64 " of this client was already used for other content: %s %" PRIu64 ", which was %s",
		 request->number, operation->name, op, became->result == OUTCOME_REFUSAL ? "refused" : "done");
	reply_final(call, source, JH_KEY_REUSED, &problem, text);
}

/* A VOID of a number under which something else stands. */
static void reply_not_void(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
			   uint64_t op)
{
	const struct operation *operation = operation_at(source->machine, op);
	jh_became wire = {.kind = (jh_operation_kind)operation->kind, .op = op, .result = JH_ENTRY_DONE};
	jh_problem problem = {.reason = JH_REASON_DONE_BEFORE, .became = &wire};
	char text[TEXT_SIZE];

	snprintf(text, sizeof text, "request number %" PRIu64 " of this client was done before: it is %s %" PRIu64, request->number,
		 operation->name, op);
	reply_final(call, source, JH_REFUSED, &problem, text);
}

/* VOID has no content to differ: it is done whatever made its number nothing. */
static void reply_void(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
		       uint64_t op, const struct outcome *became)
{
	if (became->result == OUTCOME_APPLIED)
		reply_not_void(call, source, request, op);
	else
		reply_done(call, source, operation_of_kind(JH_OPERATION_VOID), op);
}

void answers_decided(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
		     enum replica_verdict verdict, uint64_t op)
{
	const struct operation *operation = operation_of_kind(request->kind);
	struct outcome became = {.result = OUTCOME_PASSED};
	char text[TEXT_SIZE];

	must(operation != NULL);
	if (verdict != VERDICT_PASSED)
		became = machine_outcome(source->machine, op);
	if (request->kind == JH_OPERATION_VOID) {
		reply_void(call, source, request, op, &became);
		return;
	}
	switch (became.result) {
	case OUTCOME_APPLIED:
	case OUTCOME_REFUSAL:
		if (verdict == VERDICT_REUSED)
			reply_reused(call, source, request, op, &became);
		else if (became.result == OUTCOME_APPLIED)
			reply_done(call, source, operation, op);
		else
			refuse(call, source, operation, &became, true);
		return;
	case OUTCOME_NOTHING:
		snprintf(text, sizeof text, "request number %" PRIu64 " of this client was cancelled and did nothing: it is void",
			 request->number);
		break;
	case OUTCOME_PASSED:
		snprintf(text, sizeof text, "request number %" PRIu64 " is below this client's last and did nothing: it is void",
			 request->number);
		break;
	}
	refuse_void(call, source, text);
}

/* --- decided for this call only ----------------------------------------------------------------------------------- */

void answers_not_admitted(struct rpc_call *call, const struct answers_source *source,
			  const struct answers_request *request, const struct outcome *refusal)
{
	refuse(call, source, operation_of_kind(request->kind), refusal, false);
}

static void explain_full(const struct answers_request *request, const struct replica_answer *answer, char text[static TEXT_SIZE])
{
	if (operation_of_kind(request->kind)->ends_doubt)
		snprintf(text, TEXT_SIZE, "the history is full, also the room that is kept for this: replica %" PRIu32 " holds at most %"
			 PRIu64 " operations: start every replica with a higher --max-orders", answer->id, answer->limit);
	else
		snprintf(text, TEXT_SIZE, "the order history is full: replica %" PRIu32 " holds at most %" PRIu64
			 " orders: start every replica with a higher --max-orders", answer->id, answer->limit);
}

void answers_no_room(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
		     const struct replica_answer *answer)
{
	jh_reason reason = JH_REASON_BUSY;
	char text[TEXT_SIZE];

	switch (answer->verdict) {
	case VERDICT_FULL:
		reason = JH_REASON_FULL;
		explain_full(request, answer, text);
		break;
	case VERDICT_DISK_FULL:
		reason = JH_REASON_DISK_FULL;
		snprintf(text, sizeof text, "disk full on replica %" PRIu32 ": free space there (or raise the quota, if its log "
			 "names one), then try again", answer->id);
		break;
	case VERDICT_TOO_FEW:
		reason = JH_REASON_TOO_FEW_MEMBERS;
		snprintf(text, sizeof text,
			 "too few copies of the orders (%" PRIu64 "), --min-members asks for more: start more "
			 "replicas",
			 answer->limit);
		break;
	default:
		must(answer->verdict == VERDICT_BUSY);
		snprintf(text, sizeof text, "the primary has too many orders in hand: try again");
	}
	answers_problem(call, source, false, JH_UNAVAILABLE, reason, text);
}
