/* A write at a replica, from its arrival to its answer, around the core: what server/requests.c and answers.c do. */
#include <inttypes.h>

#include "server/shop/order_time.h"
#include "tests/sim/checker.h"

static struct call *call_of(uint64_t token)
{
	return (struct call *)(uintptr_t)token;
}

/* --- requests that are not decided yet ---------------------------------------------------------------------------- */

static void begins_undecided(struct call *call, bool waits)
{
	must(!call->is_undecided);
	call->is_undecided = true;
	call->waits = waits;
	call->undecided = call->node->undecided;
	call->node->undecided = call;
}

static void ends_undecided(struct call *call)
{
	struct call **at = &call->node->undecided;

	if (!call->is_undecided)
		return;
	while (*at != call)
		at = &(*at)->undecided;
	*at = call->undecided;
	call->is_undecided = false;
}

void decide_submitted(struct world *w, struct node *node, struct call *call)
{
	for (const struct call *other = node->undecided; other != NULL; other = other->undecided) {
		if (other->asking.client != call->asking.client || other->asking.request != call->asking.request)
			continue;
		w->counts->joined++;
		w->counts->joined_waits += other->waits;
		w->counts->voids_in_validation += (other->asking.content == CONTENT_VOID) != (call->asking.content == CONTENT_VOID);
	}
}

enum replica_admission decide_admit(void *context, uint64_t token)
{
	struct node *node = context;
	struct call *call = call_of(token);
	enum replica_admission admission;

	if (call->waits)
		ends_undecided(call);
	call->asked_op = node->live.count;
	admission = wanted_is_declined(call->asking.content) ? ADMISSION_GIVEN
							     : state_admit(node->machine, node->core, call->asking.content);
	if (admission == ADMISSION_WAITS) {
		node->world->counts->waits++;
		begins_undecided(call, true);
	}
	return admission;
}

/* --- validation --------------------------------------------------------------------------------------------------- */

void decide_validate(struct world *w, struct node *node, struct call *call)
{
	uint64_t after = world_percent(w, 10) ? world_draw(w, 20000) : 0;

	check_accepted(w, node, call);
	begins_undecided(call, false);
	call->declined = wanted_is_declined(call->asking.content);
	if (!call->declined) {
		call->body = body_new(w, &call->asking);
		call->proposed = true;
	}
	world_at(w, after,
		 (struct world_event){.kind = EV_VALIDATED, .node = node->id, .life = node->life, .pointer = call});
}

/* As server/node.c. */
static int64_t date(struct world *w, struct node *node)
{
	int64_t previous_us = node->last_time_us, others_us;
	bool known = replica_clock_of_others(node->core, world_ms(w) + node->clock_ms,
					     order_time_not_before(previous_us), &others_us);

	return order_time_after(previous_us, node_wall_us(w, node), known ? &others_us : NULL);
}

void decide_validated(struct world *w, struct node *node, struct call *call)
{
	uint8_t bytes[OPERATION_BYTES];
	uint64_t last_op = replica_last_op(node->core);
	struct replica_request request = call_write(call);
	int64_t time_us = 0;

	ends_undecided(call);
	w->counts->late_validations += call->asking.view != replica_view(node->core)->number;
	if (call->declined) {
		node_step(w, node, &(struct replica_event){.kind = REPLICA_DECLINE, .decline = request});
	} else {
		time_us = date(w, node);
		node_step(w, node, &(struct replica_event){.kind = REPLICA_PROPOSE,
							   .propose = {.request = request, .body = bytes,
								       .size = body_bytes(w, call->body, bytes)}});
	}
	if (!call->declined && node->alive && replica_last_op(node->core) > last_op) {
		check_dated(w, node, node->last_time_us, time_us);
		w->bodies[call->body].time_us = node->last_time_us = time_us;
	}
	node_flush_soon(w, node);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static enum told told_by_the_log(const struct asking *asking, enum replica_verdict verdict, enum became became)
{
	if (asking->content == CONTENT_VOID)
		return became == BECAME_DONE ? TOLD_REFUSED_FOR_GOOD : TOLD_DONE;
	if (became == BECAME_VOID || became == BECAME_PASSED)
		return TOLD_REFUSED_FOR_GOOD;
	if (verdict == VERDICT_REUSED)
		return TOLD_REUSED;
	return became == BECAME_DONE ? TOLD_DONE : TOLD_REFUSED_FOR_GOOD;
}

static enum told told(const struct node *node, const struct asking *asking, const struct replica_answer *answer)
{
	switch (answer->verdict) {
	case VERDICT_PASSED:
		return told_by_the_log(asking, answer->verdict, BECAME_PASSED);
	case VERDICT_DECIDED:
	case VERDICT_REUSED:
		return told_by_the_log(asking, answer->verdict, state_became(node->machine, answer->op));
	case VERDICT_NOT_ADMITTED:
	case VERDICT_DECLINED:
		return TOLD_REFUSED;
	case VERDICT_FULL:
	case VERDICT_DISK_FULL:
	case VERDICT_TOO_FEW:
		return TOLD_UNAVAILABLE;
	case VERDICT_BUSY:
		return TOLD_BUSY;
	case VERDICT_MOVED:
		break;
	}
	return TOLD_MOVED;
}

/* Which corners this answer reaches. */
static void count_answer(struct world *w, const struct call *call, const struct replica_answer *answer)
{
	const struct truth *truth;

	w->counts->not_admitted += answer->verdict == VERDICT_NOT_ADMITTED;
	if (answer->verdict != VERDICT_DECIDED && answer->verdict != VERDICT_REUSED)
		return;
	truth = &w->truth[answer->op - 1];
	if (call->asking.content == CONTENT_VOID)
		w->counts->voids_refused += truth->became == BECAME_DONE;
	else
		w->counts->told_void += truth->became == BECAME_VOID;
	w->counts->kept_told += truth->became == BECAME_REFUSED && answer->verdict == VERDICT_DECIDED &&
				!(call->proposed && call->body == w->committed[answer->op - 1]);
}

static bool says_nothing_happened(enum told as)
{
	return as == TOLD_REFUSED || as == TOLD_UNAVAILABLE || as == TOLD_BUSY;
}

void decide_answer(struct world *w, struct node *node, const struct replica_answer *answer)
{
	struct call *call = call_of(answer->token);
	enum told as;

	check_answered(w, node, call, answer);
	if (call->waits)
		ends_undecided(call);
	as = told(node, &call->asking, answer);
	if (call->proposed && says_nothing_happened(as))
		w->bodies[call->body].did_nothing = true;
	count_answer(w, call, answer);
	serve_reply(w, call, &(struct message){.kind = MSG_REPLY_SUBMIT,
					       .answering = {.verdict = answer->verdict, .told = as, .op = answer->op,
							     .shows = answer->applied}});
}
