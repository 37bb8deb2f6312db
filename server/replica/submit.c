/* Requests: writes from their arrival to their answer, reads until they may be answered. Every token is in exactly one
 * place: held, with the judge, waiting for an op of the log, or answered. */
#include <inttypes.h>

#include "rpc/base/rule.h"
#include "rpc/base/shortage.h"
#include "server/replica/internal.h"

/* --- answers ------------------------------------------------------------------------------------------------------ */

static struct replica_action *answer(struct replica *r, uint64_t token, enum replica_verdict verdict)
{
	struct replica_action *action = replica_do(r, DO_ANSWER);

	action->token = token;
	action->verdict = verdict;
	r->requests_out++;
	must(r->requests_out <= r->requests_in);
	return action;
}

static void answer_done(struct replica *r, uint64_t token, uint64_t op)
{
	must(op <= r->applied);      /* RULE 1: on every member, and RULE 8: applied */
	must(op <= r->commit);
	answer(r, token, VERDICT_DONE)->op = op;
}

static void answer_read(struct replica *r, uint64_t token, bool moved)
{
	replica_do(r, moved ? DO_READ_MOVED : DO_READ)->token = token;
	r->requests_out++;
}

/* --- waiting for an op of the log --------------------------------------------------------------------------------- */

static void wait_for(struct replica *r, uint64_t token, uint64_t op)
{
	struct log_entry *entry = replica_log_at(r->log, op);

	if (r->waiters_free == 0) {
		uint32_t room = r->waiters_room == 0 ? 256 : r->waiters_room * 2;

		r->waiters = realloc(r->waiters, room * sizeof *r->waiters);
		must_allocate(r->waiters);
		for (uint32_t i = room; i > r->waiters_room; i--) {
			r->waiters[i - 1].next = r->waiters_free;
			r->waiters_free = i;
		}
		r->waiters_room = room;
	}

	uint32_t index = r->waiters_free;

	r->waiters_free = r->waiters[index - 1].next;
	r->waiters[index - 1] = (struct waiter){.token = token, .next = entry->waiter};
	entry->waiter = index;
	r->waiting++;
}

/* Takes the tokens that wait for entry; calls DONE or MOVED for each. */
static void end_waiters(struct replica *r, struct log_entry *entry, uint64_t op, bool done)
{
	while (entry->waiter != 0) {
		uint32_t index = entry->waiter;
		struct waiter *waiter = &r->waiters[index - 1];
		uint64_t token = waiter->token;

		entry->waiter = waiter->next;
		waiter->next = r->waiters_free;
		r->waiters_free = index;
		r->waiting--;
		if (done)
			answer_done(r, token, op);
		else
			answer(r, token, VERDICT_MOVED);
	}
}

void replica_answer_waiters(struct replica *r, uint64_t first, uint64_t last)
{
	for (uint64_t op = first; op <= last && r->waiting > 0; op++)
		end_waiters(r, replica_log_at(r->log, op), op, true);
}

/* --- held calls --------------------------------------------------------------------------------------------------- */

static bool hold(struct held_queue *queue, const struct held_call *call)
{
	if (RULE_FORBIDS(rule_19_held_calls_are_bounded, queue->count == LIMIT_HELD_CALLS))
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

/* RULE 11: the log not yet applied, then the history. */
static enum replica_known known(struct replica *r, struct uuid client, uint64_t request, struct digest content,
				uint64_t *op)
{
	enum replica_known in_log = sessions_lookup(r->sessions, client, request, content, op);

	if (in_log == KNOWN_REPEAT || in_log == KNOWN_CONFLICT)
		return in_log;

	enum replica_known in_history = r->service.lookup(r->service.context, client, request, content, op);

	return in_history != KNOWN_NEW ? in_history : in_log;
}

/* Answers what is known already; true when it did. */
static bool answer_known(struct replica *r, uint64_t token, struct uuid client, uint64_t request, struct digest content)
{
	uint64_t op = 0;

	switch (known(r, client, request, content, &op)) {
	case KNOWN_NEW:
		return false;
	case KNOWN_REPEAT:
		if (op <= r->applied)
			answer_done(r, token, op);
		else
			wait_for(r, token, op);
		return true;
	case KNOWN_CONFLICT:
		answer(r, token, VERDICT_CONFLICT);
		return true;
	case KNOWN_SUPERSEDED:
		answer(r, token, VERDICT_SUPERSEDED);
		return true;
	}
	return false;
}

static void answer_refusal(struct replica *r, uint64_t token, const struct refusal *refusal)
{
	struct replica_action *action = answer(r, token, refusal->verdict);

	action->id = refusal->id;
	action->op = refusal->limit;
}

/* RULE 13, 19: what keeps so many new orders out of the log. */
static bool answer_no_room(struct replica *r, uint64_t token, uint64_t orders)
{
	struct refusal refusal;

	if (!replica_refuses(r, orders, &refusal))
		return false;
	answer_refusal(r, token, &refusal);
	return true;
}

static bool log_is_full(const struct replica *r)
{
	return replica_log_last(r->log) - r->commit + r->judging >= LIMIT_UNAPPLIED_ENTRIES || replica_intake_slowed(r);
}

static void consider(struct replica *r, const struct held_call *call)
{
	must(replica_is_serving(r));
	if (RULE_FORBIDS(rule_11_looked_up_before_it_is_judged,
			 answer_known(r, call->token, call->client, call->request, call->content))) /* RULE 11 */
		return;
	/* RULE 12: an older call of it may still enter the log, so nobody can refuse it now. */
	if (judging_has(r->judged, call->client, call->request)) {
		answer(r, call->token, VERDICT_BUSY);
		return;
	}
	if (answer_no_room(r, call->token, r->judging + 1))
		return;
	must(judging_add(&r->judged, call->client, call->request));
	r->judging++;
	replica_do(r, DO_JUDGE)->token = call->token;
}

void replica_submit(struct replica *r, const struct replica_event *event)
{
	struct held_call call = {.token = event->token,
				 .view = event->view,
				 .client = event->client,
				 .request = event->request,
				 .content = event->content};

	r->requests_in++;
	/* RULE 4: exactly the view it serves, or is about to. */
	if (RULE_FORBIDS(rule_04_submit_of_exactly_this_view, event->view != r->view.number) ||
	    r->role != ROLE_PRIMARY || (r->state != STATE_SERVING && r->state != STATE_SETTLING)) {
		answer(r, event->token, VERDICT_MOVED);
		return;
	}
	if (r->state == STATE_SETTLING || r->submits.count > 0 || log_is_full(r)) {
		if (!hold(&r->submits, &call))
			answer(r, event->token, VERDICT_BUSY);
		return;
	}
	consider(r, &call);
}

void replica_release_held(struct replica *r)
{
	while (r->submits.count > 0 && replica_is_serving(r) && !log_is_full(r)) {
		struct held_call call = unhold(&r->submits);

		consider(r, &call);
	}
}

/* The judge has spoken; much may have happened meanwhile. True when the request is still ours to decide. */
static bool judged(struct replica *r, const struct replica_event *event)
{
	must(r->judging > 0);
	r->judging--;
	judging_remove(&r->judged, event->client, event->request);
	if (RULE_FORBIDS(rule_12_moved_while_it_was_judged, event->view != r->view.number) ||
	    RULE_FORBIDS(rule_12_deposed_while_it_was_judged, !replica_is_serving(r))) {
		answer(r, event->token, VERDICT_MOVED); /* RULE 12 */
		return false;
	}
	/* RULE 11 */
	return RULE_HOLDS(rule_11_looked_up_when_proposed,
			  !answer_known(r, event->token, event->client, event->request, event->content));
}

void replica_propose(struct replica *r, const struct replica_event *event)
{
	struct refusal refusal;

	if (!judged(r, event))
		return;
	if (replica_is_full(r, 1, &refusal)) { /* RULE 19: a learner that counts since may hold less */
		answer_refusal(r, event->token, &refusal);
		return;
	}
	must(event->size > 0);
	must(event->size <= LIMIT_BODY_BYTES);
	replica_log_append(r->log, r->view.number, event->body, event->size);

	uint64_t op = replica_log_last(r->log);

	sessions_add(r->sessions, event->client, event->request, event->content, op);
	wait_for(r, event->token, op);
}

void replica_decline(struct replica *r, const struct replica_event *event)
{
	if (judged(r, event))
		answer(r, event->token, VERDICT_DECLINED);
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
	if (RULE_FORBIDS(rule_08_reads_of_this_view_only, view != r->view.number) ||
	    RULE_FORBIDS(rule_08_no_read_of_a_replacement, r->adopting) ||
	    RULE_FORBIDS(rule_02_reads_of_a_durable_view, !replica_view_durable(r)))
		return false;
	if (r->role == ROLE_PRIMARY)
		return r->state == STATE_SERVING;
	return RULE_HOLDS(rule_08_learners_answer_no_read, r->role == ROLE_BACKUP) &&
	       RULE_HOLDS(rule_08_reads_of_a_whole_log_only, r->state == STATE_FOLLOWING && r->whole_here);
}

void replica_query(struct replica *r, const struct replica_event *event)
{
	struct held_call call = {
		.token = event->token, .view = event->view, .floor = event->floor, .since_ms = r->now_ms};

	r->requests_in++;
	if (!may_read(r, event->view)) {
		answer_read(r, event->token, true);
		return;
	}
	if (RULE_HOLDS(rule_08_reads_wait_for_the_floor, r->applied >= event->floor)) {
		answer_read(r, event->token, false);
		return;
	}
	if (r->role == ROLE_PRIMARY || !hold(&r->reads, &call))
		answer_read(r, event->token, true);
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

/* RULE 4: everything held ends as moved. What is with the judge ends when it speaks. */
void replica_drop_requests(struct replica *r)
{
	while (r->submits.count > 0)
		answer(r, unhold(&r->submits).token, VERDICT_MOVED);
	while (r->reads.count > 0)
		answer_read(r, unhold(&r->reads).token, true);
	if (r->waiting > 0) {
		for (uint64_t op = r->applied + 1; op <= replica_log_last(r->log); op++)
			end_waiters(r, replica_log_at(r->log, op), op, false);
	}
	must(r->waiting == 0);
	sessions_clear(r->sessions);
}
