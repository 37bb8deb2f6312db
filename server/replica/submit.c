#include "server/replica/submit.h"

#include "server/replica/joint.h"
#include "server/replica/output.h"
#include "server/replica/role.h"
#include "server/replica/room.h"
#include "server/replica/writes.h"

/* --- answers ------------------------------------------------------------------------------------------------------ */

static struct replica_answer *answer(struct replica *r, uint64_t token, enum replica_verdict verdict)
{
	struct replica_answer *answer = &replica_do(r, DO_ANSWER)->answer;

	answer->token = token;
	answer->verdict = verdict;
	answer->applied = r->applied;
	r->requests_out++;
	must(r->requests_out <= r->requests_in);
	return answer;
}

/* What rests on an entry of the log. */
static void answer_entry(struct replica *r, uint64_t token, enum replica_verdict verdict, uint64_t op)
{
	must(op <= r->applied);      /* RULE 1: on every member, and RULE 8: applied */
	must(op <= r->commit);
	answer(r, token, verdict)->op = op;
}

static void answer_read(struct replica *r, uint64_t token, bool moved)
{
	replica_do(r, moved ? DO_READ_MOVED : DO_READ)->read.token = token;
	r->requests_out++;
}

/* The state machine knows what earlier steps applied: an APPLY of this one is still to be carried out. */
static bool state_is_behind(const struct replica *r)
{
	return r->service.admit != NULL && r->applied > r->carried_out;
}

/* --- waiting for an op of the log --------------------------------------------------------------------------------- */

static void wait_for(struct replica *r, const struct held_call *call, uint64_t op)
{
	must(op > r->applied);
	waiters_add(r->waiters, &replica_log_at(r->log, op)->waiter, call);
}

static void consider(struct replica *r, const struct held_call *call);
static uint32_t leave_validation(struct replica *r, struct held_call *call);
static void decide_later(struct replica *r, uint32_t later);

/* Most are answered now: by an entry, or by what has their number. A call that waited to be admitted is considered from the
 * start, and so are the later calls of its request. */
static void decide_waiters(struct replica *r, uint32_t list)
{
	struct held_call call;

	while (waiters_take(r->waiters, &list, &call)) {
		uint32_t later = leave_validation(r, &call);

		consider(r, &call);
		decide_later(r, later);
	}
}

static uint32_t take_list(uint32_t *list)
{
	uint32_t taken = *list;

	*list = 0;
	return taken;
}

void replica_answer_waiters(struct replica *r, uint64_t first, uint64_t last)
{
	for (uint64_t op = first; op <= last && waiters_count(r->waiters) > 0; op++)
		decide_waiters(r, take_list(&replica_log_at(r->log, op)->waiter));
}

void replica_go_on(struct replica *r)
{
	must(!state_is_behind(r));
	decide_waiters(r, take_list(&r->turn_end));
	replica_release_held(r);
}

/* --- held calls --------------------------------------------------------------------------------------------------- */

static bool hold(struct held_queue *queue, const struct held_call *call)
{
	if (queue->count == LIMIT_HELD_CALLS)
		return false; /* RULE 19 */
	queue->ring[(queue->first + queue->count++) % LIMIT_HELD_CALLS] = *call;
	return true;
}

static struct held_call unhold(struct held_queue *queue)
{
	struct held_call call = queue->ring[queue->first];

	must(queue->count > 0);
	queue->first = (queue->first + 1) % LIMIT_HELD_CALLS;
	queue->count--;
	return call;
}

/* --- writes ------------------------------------------------------------------------------------------------------- */

/* RULE 11: the log not yet applied, then the history. *op: the entry that the answer rests on, 0: one applied long ago. */
static enum replica_known known(struct replica *r, const struct held_call *call, uint64_t *op)
{
	uint64_t log_op = 0;
	enum replica_known in_log =
		sessions_lookup(r->sessions, call->client, call->request, call->content, &log_op);

	*op = log_op;
	if (in_log == KNOWN_DECIDED || in_log == KNOWN_REUSED)
		return in_log;

	uint64_t history_op = 0;
	enum replica_known in_history = r->service.lookup(r->service.context, call->client, call->request,
							  call->content, &history_op);

	if (in_history == KNOWN_NEW)
		return in_log;
	*op = history_op;
	return in_history;
}

/* Answers a request that is known already, now or once it is decided; false when it is new. */
static bool answer_known(struct replica *r, const struct held_call *call)
{
	uint64_t op = 0;
	enum replica_known as = known(r, call, &op);

	if (as == KNOWN_NEW)
		return false;
	/* RULE 12: an entry that is not applied may be lost with its view, and a call still in transit may be executed
	 * then. So every answer that rests on the entry waits for it, and is "moved" if the view ends first. */
	if (op > r->applied) {
		wait_for(r, call, op);
		return true;
	}
	answer_entry(r, call->token, as == KNOWN_DECIDED ? VERDICT_DECIDED : as == KNOWN_REUSED ? VERDICT_REUSED : VERDICT_PASSED,
		     op);
	return true;
}

static void answer_refusal(struct replica *r, uint64_t token, const struct refusal *refusal)
{
	struct replica_answer *refused = answer(r, token, refusal->verdict);

	refused->id = refusal->id;
	refused->limit = refusal->limit;
}

/* RULE 13, 19: answers the call if so many new orders have no room. */
static bool answer_no_room(struct replica *r, const struct held_call *call, uint64_t operations)
{
	struct refusal refusal;

	if (!replica_refuses(r, operations, call->ends_doubt, &refusal))
		return false;
	answer_refusal(r, call->token, &refusal);
	return true;
}

/* Counts as in validation until it has waited: a later call of the request waits for this one (RULE 12). */
static void wait_to_be_admitted(struct replica *r, const struct held_call *call, uint32_t *list)
{
	struct held_call waiting = *call;

	waiting.admitting = true;
	must(validations_add(&r->validations, call->client, call->request));
	r->validating++;
	r->admitting++;
	waiters_add(r->waiters, list, &waiting);
}

/* Answers a call that the applied state refuses, and keeps one that the log may refuse; false when it is neither. */
static bool answer_not_admitted(struct replica *r, const struct held_call *call)
{
	if (r->service.admit == NULL)
		return false;
	if (state_is_behind(r)) {
		wait_to_be_admitted(r, call, &r->turn_end); /* RULE 8: refused by the state that the answer names, or not at all */
		return true;
	}
	switch (r->service.admit(r->service.context, call->token)) {
	case ADMISSION_GIVEN:
		return false;
	case ADMISSION_REFUSED:
		/* RULE 8: who has been shown more than we have applied is not refused by less. */
		answer(r, call->token, call->floor <= r->applied ? VERDICT_NOT_ADMITTED : VERDICT_MOVED);
		return true;
	case ADMISSION_WAITS:
		must(replica_log_last(r->log) > r->applied);
		wait_to_be_admitted(r, call, &replica_log_at(r->log, replica_log_last(r->log))->waiter);
		return true;
	}
	must_not_reach("an admission");
}

static bool log_is_full(const struct replica *r)
{
	return replica_log_last(r->log) - r->commit + r->validating >= LIMIT_UNAPPLIED_ENTRIES || replica_intake_slowed(r);
}

/* RULE 12: an older call of the request may still enter the log, so this one cannot be refused yet and waits for it. */
static bool wait_for_older(struct replica *r, const struct held_call *call)
{
	uint32_t *older = validations_waiters(r->validations, call->client, call->request);

	if (older == NULL)
		return false;
	if (r->joined == LIMIT_HELD_CALLS) {
		answer(r, call->token, VERDICT_BUSY); /* RULE 19 */
		return true;
	}
	waiters_add(r->waiters, older, call);
	r->joined++;
	return true;
}

/* The checks, in their required order. A call that has waited starts again with the first. */
static void consider(struct replica *r, const struct held_call *call)
{
	must(replica_is_serving(r));
	if (answer_known(r, call)) /* RULE 11 */
		return;
	if (wait_for_older(r, call)) /* RULE 12 */
		return;
	if (answer_not_admitted(r, call))
		return;
	/* RULE 19: what is in validation takes the room of orders; a doubt has room of its own, until the log itself has none. */
	if (answer_no_room(r, call, call->ends_doubt ? 1 : r->validating + 1))
		return;
	must(validations_add(&r->validations, call->client, call->request));
	r->validating++;
	replica_do(r, DO_VALIDATE)->validate.token = call->token;
}

static struct held_call call_of(const struct replica_request *request)
{
	return (struct held_call){.token = request->token,
				  .view = request->view,
				  .client = request->client,
				  .request = request->number,
				  .content = request->content,
				  .floor = request->floor,
				  .ends_doubt = request->ends_doubt};
}

void replica_submit(struct replica *r, const struct replica_request *request)
{
	struct held_call call = call_of(request);

	r->requests_in++;
	/* RULE 4: exactly the view it serves, or is about to. */
	if (request->view != r->view.number || r->role != ROLE_PRIMARY ||
	    (r->state != STATE_SERVING && r->state != STATE_SETTLING)) {
		answer(r, request->token, VERDICT_MOVED);
		return;
	}
	if (r->state == STATE_SETTLING || r->submits.count > 0 || log_is_full(r)) {
		if (!hold(&r->submits, &call))
			answer(r, request->token, VERDICT_BUSY);
		return;
	}
	consider(r, &call);
}

void replica_release_held(struct replica *r)
{
	while (r->submits.count > 0 && replica_is_serving(r) && !log_is_full(r) && !state_is_behind(r)) {
		struct held_call call = unhold(&r->submits);

		consider(r, &call);
	}
}

/* Returns the list of the later calls of its request; empty when it was in none. */
static uint32_t leave_validation(struct replica *r, struct held_call *call)
{
	if (!call->admitting)
		return 0;
	call->admitting = false;
	must(r->validating > 0);
	must(r->admitting > 0);
	r->validating--;
	r->admitting--;
	return validations_remove(&r->validations, call->client, call->request);
}

/* The validation is complete; much may have happened meanwhile. True when the request is still ours to decide. */
static bool validated(struct replica *r, const struct held_call *call, uint32_t *later)
{
	must(r->validating > 0);
	r->validating--;
	*later = validations_remove(&r->validations, call->client, call->request);
	if (call->view != r->view.number || !replica_is_serving(r)) {
		answer(r, call->token, VERDICT_MOVED); /* RULE 12 */
		return false;
	}
	/* RULE 11 */
	return !answer_known(r, call);
}

/* Later calls of a request whose validation is complete: the first of them may be validated now. */
static void decide_later(struct replica *r, uint32_t later)
{
	struct held_call call;

	while (waiters_take(r->waiters, &later, &call)) {
		r->joined--;
		consider(r, &call);
	}
}

static void propose(struct replica *r, const struct replica_proposal *proposal, const struct held_call *call)
{
	struct refusal refusal;

	if (answer_not_admitted(r, call))
		return;
	if (replica_is_full(r, 1, call->ends_doubt, &refusal)) { /* RULE 19: a learner that counts since may hold less */
		answer_refusal(r, call->token, &refusal);
		return;
	}
	must(proposal->size > 0);
	must(proposal->size <= LIMIT_BODY_BYTES);
	replica_log_append(r->log, r->view.number, proposal->body, proposal->size);

	uint64_t op = replica_log_last(r->log);

	sessions_add(r->sessions, call->client, call->request, call->content, op);
	wait_for(r, call, op);
}

void replica_propose(struct replica *r, const struct replica_proposal *proposal)
{
	struct held_call call = call_of(&proposal->request);
	uint32_t later;

	if (validated(r, &call, &later))
		propose(r, proposal, &call);
	decide_later(r, later);
}

void replica_decline(struct replica *r, const struct replica_request *request)
{
	struct held_call call = call_of(request);
	uint32_t later;

	if (validated(r, &call, &later))
		answer(r, call.token, VERDICT_DECLINED);
	decide_later(r, later);
}

/* A new primary: the requests in its log that are not applied yet are known requests. */
void replica_index_log(struct replica *r)
{
	sessions_clear(r->sessions);
	for (uint64_t op = r->applied + 1; op <= replica_log_last(r->log); op++) {
		const struct log_entry *entry = replica_log_at(r->log, op);
		struct uuid client;
		uint64_t request;
		struct digest content;

		must(r->service.key(r->service.context, entry->body, entry->size, &client, &request, &content));
		sessions_add(r->sessions, client, request, content, op);
	}
}

/* --- reads -------------------------------------------------------------------------------------------------------- */

/* RULE 8: this view, and a log made whole in it. */
static bool may_read(const struct replica *r, uint64_t view)
{
	if (view != r->view.number || r->adopting || !replica_view_durable(r)) /* RULE 2 */
		return false;
	if (r->role == ROLE_PRIMARY)
		return r->state == STATE_SERVING;
	if (r->fold.differs_op != 0) /* RULE 8: clients are told what the primary computes */
		return false;
	return r->role == ROLE_BACKUP && r->state == STATE_FOLLOWING && r->whole_here;
}

void replica_query(struct replica *r, const struct replica_query *query)
{
	struct held_call call = {
		.token = query->token, .view = query->view, .floor = query->floor, .since_ms = r->now_ms};

	r->requests_in++;
	if (!may_read(r, query->view)) {
		answer_read(r, query->token, true);
		return;
	}
	if (r->applied >= query->floor) { /* RULE 8 */
		answer_read(r, query->token, false);
		return;
	}
	if (r->role == ROLE_PRIMARY || !hold(&r->reads, &call))
		answer_read(r, query->token, true);
}

void replica_release_reads(struct replica *r)
{
	for (uint32_t count = r->reads.count; count > 0; count--) {
		struct held_call call = unhold(&r->reads);

		if (!may_read(r, call.view))
			answer_read(r, call.token, true);
		else if (r->applied >= call.floor)
			answer_read(r, call.token, false);
		else
			must(hold(&r->reads, &call));
	}
}

void replica_expire_reads(struct replica *r)
{
	while (r->reads.count > 0 && r->now_ms - r->reads.ring[r->reads.first].since_ms >= r->options.read_hold_ms)
		answer_read(r, unhold(&r->reads).token, true);
}

static void all_moved(void *context, uint32_t *list)
{
	struct replica *r = context;
	struct held_call call;

	while (waiters_take(r->waiters, list, &call)) {
		must(leave_validation(r, &call) == 0);
		answer(r, call.token, VERDICT_MOVED);
	}
}

/* RULE 4: everything held ends as moved. Requests in validation are answered when it completes. */
void replica_drop_requests(struct replica *r)
{
	while (r->submits.count > 0)
		answer(r, unhold(&r->submits).token, VERDICT_MOVED);
	while (r->reads.count > 0)
		answer_read(r, unhold(&r->reads).token, true);
	validations_each(r->validations, all_moved, r);
	r->joined = 0;
	all_moved(r, &r->turn_end);
	for (uint64_t op = r->applied + 1; op <= replica_log_last(r->log) && waiters_count(r->waiters) > 0; op++)
		all_moved(r, &replica_log_at(r->log, op)->waiter);
	must(waiters_count(r->waiters) == 0);
	sessions_clear(r->sessions);
}
