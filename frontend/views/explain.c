#include "frontend/views/explain.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/candidates.h"
#include "frontend/views/fold.h"
#include "frontend/views/formation.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/reasons.h"
#include "frontend/views/takeover.h"

static void explain_no_candidate(struct views *v, const struct id_list *away, char text[static VIEWS_TEXT_SIZE])
{
	const struct view *current = &v->durable.view;
	struct id_list differ = {.count = 0};
	char ids[VIEWS_TEXT_SIZE], others[VIEWS_TEXT_SIZE];

	vm_id_list_text(away, others);
	for (uint32_t i = 0; i < current->members_count; i++) {
		const struct known *k = vm_known_member(v, &current->members[i]);

		if (k != NULL && vm_known_reachable(v, k) && vm_fold_told(v, k) != NULL)
			vm_id_list_add(&differ, k->id);
	}
	if (differ.count > 0) /* RULE 8 */
		snprintf(text, VIEWS_TEXT_SIZE,
			 "no primary: %.100s compute%s another state than clients were told; %s%.100s; the way out without others "
			 "is: justhungry promote --force ID",
			 vm_id_list_text(&differ, ids), differ.count == 1 ? "s" : "",
			 away->count > 0 ? "waiting for " : "no other is left: ", others);
	else
		snprintf(
			text, VIEWS_TEXT_SIZE,
			"no primary: no member that answers is sure to hold all orders (data lost, or the end of its log cut "
			"off); %s%.200s; the way out is: justhungry promote --force ID",
			away->count > 0 ? "waiting for " : "no other is left: ", others);
}

static void explain_no_primary(struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	const struct view *current = &v->durable.view;
	struct id_list away;
	char ids[VIEWS_TEXT_SIZE];

	vm_members_that(v, false, &away);
	if (v->start_until_ms != 0)
		snprintf(text, VIEWS_TEXT_SIZE, "no primary: just started, giving %.200s time to answer",
			 vm_id_list_text(&away, ids));
	else if (v->store_retry_ms > v->now_ms)
		snprintf(text, VIEWS_TEXT_SIZE,
			 "no primary: the next view cannot be stored in the front-end's directory");
	else if (away.count == current->members_count)
		snprintf(text, VIEWS_TEXT_SIZE, "no primary: waiting for %.200s", vm_id_list_text(&away, ids));
	else if (vm_candidate_best(v, current, 0) == NULL)
		explain_no_candidate(v, &away, text);
	else
		snprintf(text, VIEWS_TEXT_SIZE, "no primary: replica %u does not answer", current->primary);
	vm_explain_replaced(v, current, false, text);
}

void vm_explain(struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	const struct view *current = &v->durable.view;
	const struct known *primary = v->mode == MODE_NORMAL ? vm_primary_known(v) : NULL;
	struct id_list away;
	char ids[VIEWS_TEXT_SIZE];

	memset(text, 0, VIEWS_TEXT_SIZE);
	if (v->managed_ms != 0) {
		vm_takeover_explain_managed(v, text);
	} else if (vm_explain_store(v, text)) {
		return;
	} else if (v->mode == MODE_FORMING) {
		vm_formation_explain(v, text);
	} else if (v->mode == MODE_TAKEOVER) {
		vm_takeover_explain(v, text);
	} else if (v->mode != MODE_NORMAL) {
		snprintf(text, VIEWS_TEXT_SIZE, "this front-end does not manage the cluster");
	} else if (v->ticket != 0 && v->next_is_current) {
		snprintf(text, VIEWS_TEXT_SIZE, "no primary: storing what is known of the members");
	} else if (v->ticket != 0) {
		snprintf(text, VIEWS_TEXT_SIZE, "making view %llu: %.300s", (unsigned long long)v->next.view.number,
			 v->next_why);
	} else if (primary == NULL || !vm_known_reachable(v, primary) || vm_candidate_best(v, current, 0) == NULL) {
		explain_no_primary(v, text);
	} else {
		vm_members_that(v, false, &away);
		snprintf(text, VIEWS_TEXT_SIZE, "view %llu settles at replica %u", (unsigned long long)current->number,
			 current->primary);
		if (away.count > 0)
			snprintf(text, VIEWS_TEXT_SIZE, "view %llu settles at replica %u: waiting for %.200s",
				 (unsigned long long)current->number, current->primary, vm_id_list_text(&away, ids));
	}
	vm_explain_formats(v, text);
}
