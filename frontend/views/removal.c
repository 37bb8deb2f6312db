/* An operator's word that a lost replica will not come back, so that nobody misses it any longer. It is as durable as the
 * view: a removal is a view without it. Whoever comes back after all is a learner like any other, and expected again once
 * it is admitted. */
#include "frontend/views/internal.h"

#include <stdio.h>

static bool is_gone(struct views *v, uint32_t id)
{
	return !vm_expected(v, id);
}

/* Why it cannot be done at all; false: it can, perhaps not yet. */
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
		vm_operator_open(v, &v->removal, token, id);
}

/* RULE 3, 10: a member is left out on the operator's word only while another one, which has entered this very view, leads
 * it: so whatever was acknowledged is held by who goes on. And only when it is dead as far as we can tell. */
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
	struct wish *wish = &v->removal;
	struct plan plan = {.resets_floor = false};
	char why[REPORT_TEXT_SIZE];

	must(v->mode == MODE_NORMAL);
	if (!wish->open || wish->view != 0)
		return;
	if (refuse(v, wish->id, why, sizeof why)) { /* it came back meanwhile */
		wish->open = false;
		vm_answer(v, wish->token, VIEWS_REFUSED, "%s", why);
		return;
	}
	if (v->ticket != 0 || v->now_ms < v->store_retry_ms || !may_remove(v, wish->id))
		return;
	plan.view = v->durable.view;
	vm_expected_settle(v, &plan.view);
	vm_view_member_drop(&plan.view, wish->id);
	vm_expected_drop(&plan.view, wish->id);
	snprintf(plan.why, sizeof plan.why, "the operator removes replica %u", wish->id);
	wish->view = VIEW_PROPOSED;
	wish->tried = true;
	vm_view_propose(v, &plan);
	must(v->next.view.primary == v->durable.view.primary);
	must(view_expects(&v->next.view, wish->id) == NULL);
}

void vm_removal_settle(struct views *v)
{
	struct wish *wish = &v->removal;
	char why[VIEWS_TEXT_SIZE];

	if (!wish->open)
		return;
	if (wish->view == VIEW_PROPOSED && v->ticket == 0 && is_gone(v, wish->id)) {
		struct known *k = vm_known_find(v, wish->id);

		if (k != NULL && k->link != LINK_UP) /* it may have come back while the view was stored: a learner */
			k->forgotten = true;         /* not shown until it says hello again */
		wish->open = false;
		vm_answer(v, wish->token, VIEWS_DONE, "replica %u is removed: %u %s expected now", wish->id,
			  vm_expected_count(v), vm_expected_count(v) == 1 ? "copy is" : "copies are");
		return;
	}
	if (wish->view == VIEW_PROPOSED && v->ticket == 0)
		wish->view = 0; /* it could not be stored: once more */
	if (v->now_ms < wish->until_ms)
		return;
	wish->open = false;
	if (wish->tried) {
		vm_answer(v, wish->token, VIEWS_UNSURE,
			  "the front-end cannot write its directory: whether replica %u is removed is not known yet",
			  wish->id);
		return;
	}
	vm_explain(v, why);
	vm_answer(v, wish->token, VIEWS_REFUSED,
		  "replica %u is not removed: no other member leads the view: %.300s", wish->id, why);
}
