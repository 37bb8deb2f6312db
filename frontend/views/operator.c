#include "frontend/views/operator.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/binding.h"
#include "frontend/views/candidates.h"
#include "frontend/views/expected.h"
#include "frontend/views/explain.h"
#include "frontend/views/fold.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/operator_request.h"
#include "frontend/views/view_change.h"
#include "frontend/views/view_members.h"

void vm_operator_switchover(struct views *v, uint64_t token, uint32_t id)
{
	const struct view *current = &v->durable.view;
	const struct known *k = vm_known_find(v, id);

	v->tokens_opened++;
	if (v->mode != MODE_NORMAL)
		vm_answer(v, token, VIEWS_REFUSED, "there is no view yet: nothing to switch over");
	else if (v->switchover.open || v->promotion.open)
		vm_answer(v, token, VIEWS_REFUSED, "another switchover or promotion is under way: try again");
	else if (id != 0 && id == current->primary && vm_primary_serving(v) != NULL)
		vm_answer(v, token, VIEWS_DONE, "replica %u is already the primary of view %llu", id,
			  (unsigned long long)current->number);
	else if (id != 0 && view_member_by_id(current, id) == NULL)
		vm_answer(v, token, VIEWS_REFUSED, "replica %u is not a member of view %llu", id,
			  (unsigned long long)current->number);
	else if (id != 0 && (k == NULL || !vm_known_is_member(v, k) || !vm_known_reachable(v, k)))
		vm_answer(v, token, VIEWS_REFUSED, "replica %u is not reachable", id);
	else if (id != 0 && k->report.disk_full)
		vm_answer(v, token, VIEWS_REFUSED, "the disk of replica %u is full: it could take no orders", id);
	else if (id != 0 && vm_fold_differs(v, k)) /* RULE 8 */
		vm_answer(v, token, VIEWS_REFUSED,
			  "replica %u computes another state than the primary: replace the program that is wrong", id);
	else if (current->members_count == 1)
		vm_answer(v, token, VIEWS_REFUSED, "replica %u is the only member: there is nobody to switch over to",
			  current->primary);
	else
		vm_request_open(v, &v->switchover, token, id);
}

static bool may_lead(struct views *v, const struct known *k)
{
	return vm_known_is_member(v, k) && vm_known_reachable(v, k) && !k->lost_data && !k->report.stopping &&
	       k->id != v->durable.view.primary && k->report.state == STATE_FOLLOWING &&
	       k->report.view.number == v->durable.view.number && !k->report.disk_full &&
	       !vm_candidate_stalled(v, &v->durable.view, k) && !vm_fold_differs(v, k); /* RULE 8 */
}

uint32_t vm_operator_target(struct views *v)
{
	struct operator_request *request = &v->switchover;

	if (!request->open || request->view != 0 || vm_primary_serving(v) == NULL)
		return 0;
	for (uint32_t i = 0; i < v->durable.view.members_count && request->id == 0; i++) {
		const struct known *k = vm_known_member(v, &v->durable.view.members[i]);

		if (k != NULL && may_lead(v, k)) {
			const struct view_member *best =
				vm_candidate_best(v, &v->durable.view, v->durable.view.primary);

			request->id = best != NULL && may_lead(v, vm_known_find(v, best->id)) ? best->id : k->id;
		}
	}
	const struct known *k = request->id == 0 ? NULL : vm_known_find(v, request->id);

	return k != NULL && may_lead(v, k) ? request->id : 0;
}

static uint64_t highest_op_heard(const struct views *v, uint64_t *view)
{
	uint64_t op = v->floor;

	*view = v->durable.view.number;
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0 || !k->identified || vm_known_standing(v, k) == STANDING_FOREIGN)
			continue;
		op = k->report.op > op ? k->report.op : op;
		*view = k->report.view.number > *view ? k->report.view.number : *view;
	}
	return op;
}

/* What the operator must know about this data before it becomes the only copy. */
static const char *blemish(struct views *v, const struct known *k)
{
	if (k->lost_data)
		return "HAS LOST DATA, and ";
	if (vm_fold_differs(v, k) || k->report.fold_differs_op != 0) /* RULE 8 */
		return "COMPUTES ANOTHER STATE than clients were told, which will be the only one, and ";
	return k->report.tail_cut != 0 ? "cut the end of its log off at its start, and " : "";
}

static void tell_cost(struct views *v, uint64_t token, const struct known *k)
{
	uint64_t view;
	uint64_t highest = highest_op_heard(v, &view);
	struct id_list missing = {.count = 0};
	const struct view *members = v->mode == MODE_NORMAL ? &v->durable.view : &k->report.view;
	char ids[VIEWS_TEXT_SIZE];

	for (uint32_t i = 0; i < members->members_count; i++) {
		if (members->members[i].id != k->id && !vm_member_reachable(v, &members->members[i]))
			vm_id_list_add(&missing, members->members[i].id);
	}
	vm_answer(
		v, token, VIEWS_DONE,
		"replica %u %sholds op %llu, made whole in view %llu; the highest op heard of is %llu, "
		"the highest view %llu; of view %llu %.120s cannot be asked. Every order after op %llu may be lost "
		"forever, acknowledged or not; the others will set their data aside",
		k->id, blemish(v, k), (unsigned long long)k->report.op, (unsigned long long)k->report.whole_view,
		(unsigned long long)highest, (unsigned long long)view, (unsigned long long)members->number,
		vm_id_list_text(&missing, ids), (unsigned long long)k->report.op);
}

/* RULE 14: a damaged replica accepts no view, so a generation made for it would have no primary. */
static void answer_damaged(struct views *v, uint64_t token, const struct known *k)
{
	vm_answer(v, token, VIEWS_REFUSED,
		  "replica %u is damaged (%.150s): it cannot be promoted. Promote another one, or start it on a whole copy "
		  "of its directory",
		  k->id, k->report.detail);
}

void vm_operator_promote(struct views *v, uint64_t token, uint32_t id, bool confirm)
{
	const struct known *k = id == 0 ? NULL : vm_known_find(v, id);
	const struct known *serving = vm_primary_serving(v);

	v->tokens_opened++;
	if (k == NULL || k->link != LINK_UP || !k->identified)
		vm_answer(v, token, VIEWS_REFUSED, "replica %u is not reachable", id);
	else if (vm_known_standing(v, k) == STANDING_FOREIGN)
		vm_answer(v, token, VIEWS_REFUSED, "replica %u belongs to another cluster", id);
	else if (k->report.view.number == 0)
		vm_answer(v, token, VIEWS_REFUSED,
			  "replica %u has never been in a view: it holds none of this cluster's orders", id);
	else if (serving != NULL) /* RULE 3 */
		vm_answer(v, token, VIEWS_REFUSED,
			  "replica %u serves view %llu: nothing is to be forced; use switchover to move the primary",
			  serving->id, (unsigned long long)v->durable.view.number);
	else if (k->report.state == STATE_DAMAGED) /* RULE 14 */
		answer_damaged(v, token, k);
	else if (v->switchover.open || v->promotion.open)
		vm_answer(v, token, VIEWS_REFUSED, "another switchover or promotion is under way: try again");
	else if (!confirm)
		tell_cost(v, token, k);
	else
		vm_request_open(v, &v->promotion, token, id);
}

/* The new generation expects the same copies as before, by the newest list that is known. */
static void take_expected(struct views *v, const struct known *k, struct view *view)
{
	const struct view *newest = &v->durable.view;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *other = &v->known[i];

		if (other->id != 0 && other->identified && other->report.view.number > newest->number &&
		    uuid_equal(other->report.view.cluster, k->report.view.cluster))
			newest = &other->report.view;
	}
	view->expected_count = newest->expected_count;
	memcpy(view->expected, newest->expected, sizeof view->expected);
	for (uint32_t i = 0; i < newest->members_count; i++)
		vm_expected_add(v, view, newest->members[i].id);
}

/* What the cluster has beyond its generations, by the newest view that is known here: its name, keeper and format. The format
 * never falls; a replica that does not speak it has not been let in. */
static void take_properties(const struct views *v, const struct known *k, struct view *view)
{
	const struct view *newest = v->durable.view.number > 0 ? &v->durable.view : &k->report.view;
	uint32_t format = k->report.view.format;

	must(newest->format > 0);
	memcpy(view->name, newest->name, sizeof view->name);
	view->keeper = newest->keeper;
	view->format = newest->format > format ? newest->format : format;
}

/* RULE 3: the new generation keeps the old branch from coming back as an equal. */
void vm_operator_consider(struct views *v)
{
	struct operator_request *request = &v->promotion;
	struct plan plan = {.resets_floor = true};
	struct known *k = request->open ? vm_known_find(v, request->id) : NULL;

	const struct known *serving = vm_primary_serving(v);

	if (request->open && request->view == 0 && serving != NULL) {
		request->open = false;
		vm_answer(v, request->token, VIEWS_REFUSED, "replica %u serves by now: nothing is to be forced",
			  serving->id);
		return;
	}
	if (k != NULL && request->view == 0 && k->identified && k->report.state == STATE_DAMAGED) { /* RULE 14 */
		request->open = false;
		answer_damaged(v, request->token, k);
		return;
	}
	if (k == NULL || request->view != 0 || v->ticket != 0 || k->link != LINK_UP || k->report.view.number == 0)
		return;
	if (!k->bound && (v->mode != MODE_NORMAL || vm_known_standing(v, k) == STANDING_BOUND)) {
		vm_bind(v, k);
		return;
	}
	plan.view.cluster = k->report.view.cluster;
	plan.view.generation = v->fresh[0];
	must(!uuid_equal(plan.view.generation, k->report.view.generation));
	highest_op_heard(v, &plan.view.number);
	uint64_t heard = plan.view.number;

	take_expected(v, k, &plan.view);
	take_properties(v, k, &plan.view);
	plan.view.number = (plan.view.number / VIEWS_PER_GENERATION + 1) * VIEWS_PER_GENERATION - 1; /* and 1 */
	vm_view_member_add(&plan.view, k->id, k->identity.uuid);
	plan.view.primary = k->id;
	k->lost_data = false;
	snprintf(plan.why, sizeof plan.why, "FORCED by the operator: orders after op %llu may be lost; new generation",
		 (unsigned long long)k->report.op);
	vm_say(v, LOG_LEVEL_ERROR, "promote --force %u: %s", k->id, plan.why);
	request->view = VIEW_PROPOSED;
	request->tried = true;
	vm_view_propose(v, &plan);
	must(v->next.view.number / VIEWS_PER_GENERATION > heard / VIEWS_PER_GENERATION);
	must(v->next.view.members_count == 1); /* no other replica of the old branch (RULE 3) */
}

static void settle(struct views *v, struct operator_request *request, const char *what)
{
	const struct view *current = &v->durable.view;
	const struct known *serving = vm_primary_serving(v);
	char why[VIEWS_TEXT_SIZE];

	if (!request->open)
		return;
	if (request->view == VIEW_PROPOSED && v->ticket == 0)
		request->view = current->primary == request->id ? current->number : 0; /* 0: try again */
	if (request == &v->switchover && request->view == 0 && request->id != 0 && current->primary == request->id)
		request->view = current->number; /* primary for another reason */
	bool made = request->view != 0 && request->view != VIEW_PROPOSED;
	bool done = made && serving != NULL && serving->id == request->id;
	bool moved_on = made && current->primary != request->id;

	if (!done && !moved_on && v->now_ms < request->until_ms)
		return;
	request->open = false;
	if (done) {
		vm_answer(v, request->token, VIEWS_DONE, "replica %u is the primary of view %llu", request->id,
			  (unsigned long long)current->number);
		return;
	}
	vm_explain(v, why);
	if (moved_on)
		vm_answer(v, request->token, VIEWS_UNSURE,
			  "it was done, and replica %u failed meanwhile: replica %u is the primary", request->id,
			  current->primary);
	else if (request->view != 0 || request->tried) /* a view was made: it may still take effect */
		vm_answer(v, request->token, VIEWS_UNSURE, "the %s has begun and did not end in time: %.300s", what, why);
	else if (request == &v->switchover && request->view == 0 && serving != NULL && request->id == 0)
		vm_answer(v, request->token, VIEWS_REFUSED, "no other member is level with the primary");
	else if (request == &v->switchover && request->view == 0 && serving != NULL)
		vm_answer(v, request->token, VIEWS_REFUSED, "replica %u is not level with the primary yet", request->id);
	else
		vm_answer(v, request->token, VIEWS_REFUSED, "the %s did not end in time: %.300s", what, why);
}

void vm_operator_settle(struct views *v)
{
	settle(v, &v->switchover, "switchover");
	settle(v, &v->promotion, "promotion");
}
