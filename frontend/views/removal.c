#include "frontend/views/removal.h"

#include <stdio.h>

#include "frontend/views/actions.h"
#include "frontend/views/expected.h"
#include "frontend/views/explain.h"
#include "frontend/views/known.h"
#include "frontend/views/operator_request.h"
#include "frontend/views/view_change.h"
#include "frontend/views/view_members.h"

static bool is_gone(struct views *v, uint32_t id)
{
	return !vm_known_expected(v, id);
}

/* Why the removal is impossible; false: it is possible, perhaps later. */
static bool refuse(struct views *v, uint32_t id, char *why, size_t size)
{
	const struct known *k = vm_known_find(v, id);

	if (v->mode != MODE_NORMAL)
		snprintf(why, size, "there is no view yet: nothing can be removed");
	else if (k != NULL && k->link == LINK_UP)
		snprintf(why, size, "replica %u runs: stop it first", id);
	else if (is_gone(v, id))
		snprintf(why, size, "replica %u is not expected: it was never admitted, or has been removed", id);
	else if (v->durable.view.members_count == 1 && v->durable.view.primary == id)
		snprintf(why, size, "replica %u holds the only copy: there is nobody to go on without it", id);
	else
		return false;
	return true;
}

void vm_removal_asked(struct views *v, uint64_t token, uint32_t id)
{
	char why[REPORT_TEXT_SIZE];

	v->tokens_opened++;
	if (refuse(v, id, why, sizeof why))
		vm_answer(v, token, VIEWS_REFUSED, "%s", why);
	else if (v->removal.open)
		vm_answer(v, token, VIEWS_REFUSED, "another removal is under way: try again");
	else
		vm_request_open(v, &v->removal, token, id);
}

/* RULE 3, 10: a member is removed only when it is dead as far as we can tell, and only while another member, which has
 * entered this very view, is primary: so the members that remain hold whatever was acknowledged. */
static bool may_remove(struct views *v, uint32_t id)
{
	const struct view_member *member = view_member_by_id(&v->durable.view, id);
	const struct known *primary = vm_primary_known(v);

	if (member == NULL)
		return true;
	return v->durable.view.primary != id && vm_member_dead(v, member) && primary != NULL &&
	       vm_known_reachable(v, primary) && !primary->lost_data && primary->report.entered &&
	       primary->report.view.number == v->durable.view.number &&
	       (primary->report.state == STATE_SERVING || primary->report.state == STATE_SETTLING);
}

void vm_removal_consider(struct views *v)
{
	struct operator_request *request = &v->removal;
	struct plan plan = {.resets_floor = false};
	char why[REPORT_TEXT_SIZE];

	must(v->mode == MODE_NORMAL);
	if (!request->open || request->view != 0)
		return;
	if (refuse(v, request->id, why, sizeof why)) { /* it came back meanwhile */
		request->open = false;
		vm_answer(v, request->token, VIEWS_REFUSED, "%s", why);
		return;
	}
	if (v->ticket != 0 || v->now_ms < v->store_retry_ms || !may_remove(v, request->id))
		return;
	plan.view = v->durable.view;
	vm_expected_settle(v, &plan.view);
	vm_view_member_drop(&plan.view, request->id);
	vm_expected_drop(&plan.view, request->id);
	snprintf(plan.why, sizeof plan.why, "the operator removes replica %u", request->id);
	request->view = VIEW_PROPOSED;
	request->tried = true;
	vm_view_propose(v, &plan);
	must(v->next.view.primary == v->durable.view.primary);
	must(view_expects(&v->next.view, request->id) == NULL);
}

void vm_removal_settle(struct views *v)
{
	struct operator_request *request = &v->removal;
	char why[VIEWS_TEXT_SIZE], what[64];
	bool answered;

	if (!request->open)
		return;
	if (request->view == VIEW_PROPOSED && v->ticket == 0 && is_gone(v, request->id)) {
		struct known *k = vm_known_find(v, request->id);

		if (k != NULL && k->link != LINK_UP) /* or it came back while the view was stored, as a learner */
			k->forgotten = true;         /* not shown until it says hello again */
		request->open = false;
		vm_answer(v, request->token, VIEWS_DONE, "replica %u is removed: %u %s expected now", request->id,
			  vm_expected_count(v), vm_expected_count(v) == 1 ? "copy is" : "copies are");
		return;
	}
	snprintf(what, sizeof what, "replica %u is removed", request->id);
	if (vm_request_waits(v, request, what, &answered) || answered)
		return;
	vm_explain(v, why);
	vm_answer(v, request->token, VIEWS_REFUSED,
		  "replica %u is not removed: no other member leads the view: %.300s", request->id, why);
}
