#include "frontend/views/upgrade.h"

#include <stdio.h>

#include "frontend/views/actions.h"
#include "frontend/views/explain.h"
#include "frontend/views/known.h"
#include "frontend/views/operator_request.h"
#include "frontend/views/view_change.h"

/* Who must speak the new format: the expected, whether members or not, and whoever else is connected, to learn. */
static bool is_asked(const struct views *v, const struct known *k)
{
	return vm_known_expected(v, k->id) || vm_known_reachable(v, k);
}

/* The highest format that all speak; *limit: a replica that speaks no higher one, NULL: it is the front-end. */
static uint32_t highest_format(const struct views *v, const struct known **limit)
{
	uint32_t format = v->options.formats.high;

	*limit = NULL;
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0 || !is_asked(v, k) || k->identity.formats.high >= format)
			continue;
		format = k->identity.formats.high;
		*limit = k;
	}
	return format;
}

/* Whether somebody speaks a higher one. */
static bool is_surpassed(const struct views *v, uint32_t format)
{
	bool surpassed = v->options.formats.high > format;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		surpassed |= k->id != 0 && is_asked(v, k) && k->identity.formats.high > format;
	}
	return surpassed;
}

/* RULE 17: an expected replica that is not heard may have a program that does not speak the format, and could not come
 * back. NULL: all are heard. */
static const struct known *unheard(struct views *v)
{
	const struct known *first = NULL;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && vm_known_expected(v, k->id) && !vm_known_reachable(v, k) &&
		    (first == NULL || k->id < first->id))
			first = k;
	}
	return first;
}

/* Why nothing can be upgraded; false: it can, to *format. */
static bool refuse(struct views *v, char *why, size_t size, uint32_t *format)
{
	const uint32_t in_use = v->durable.view.format;
	const struct known *away = unheard(v), *limit;

	*format = highest_format(v, &limit);
	if (v->mode != MODE_NORMAL)
		snprintf(why, size, "there is no view yet: nothing can be upgraded");
	else if (away != NULL)
		snprintf(why, size, "replica %u is expected and cannot be asked: start it, or remove it, and then upgrade", away->id);
	else if (*format <= in_use && limit == NULL)
		snprintf(why, size, "the front-end speaks no format above %u: upgrade its program first", in_use);
	else if (*format <= in_use)
		snprintf(why, size, "replica %u%s%s%s speaks no format above %u: upgrade its program first", limit->id,
			 limit->identity.version[0] != '\0' ? " (version " : "", limit->identity.version,
			 limit->identity.version[0] != '\0' ? ")" : "", limit->identity.formats.high);
	else
		return false;
	return true;
}

void vm_upgrade_asked(struct views *v, uint64_t token)
{
	const uint32_t in_use = v->durable.view.format;
	char why[REPORT_TEXT_SIZE];
	uint32_t format;
	bool refused = refuse(v, why, sizeof why, &format);

	v->tokens_opened++;
	if (v->mode == MODE_NORMAL && unheard(v) == NULL && !is_surpassed(v, in_use))
		vm_answer(v, token, VIEWS_DONE, "already at format %u: nothing to upgrade", in_use);
	else if (refused)
		vm_answer(v, token, VIEWS_REFUSED, "%s", why);
	else if (v->upgrade.open)
		vm_answer(v, token, VIEWS_REFUSED, "another upgrade is under way: try again");
	else
		vm_request_open(v, &v->upgrade, token, 0);
}

void vm_upgrade_consider(struct views *v)
{
	struct operator_request *request = &v->upgrade;
	struct plan plan = {.resets_floor = false};
	char why[REPORT_TEXT_SIZE];

	must(v->mode == MODE_NORMAL);
	if (!request->open || request->view != 0 || v->ticket != 0 || v->now_ms < v->store_retry_ms)
		return;
	if (refuse(v, why, sizeof why, &request->format)) { /* somebody came or went meanwhile */
		request->open = false;
		vm_answer(v, request->token, request->tried ? VIEWS_UNSURE : VIEWS_REFUSED, "%s", why);
		return;
	}
	if (vm_primary_serving(v) == NULL)
		return;
	plan.view = v->durable.view;
	plan.view.format = request->format;
	snprintf(plan.why, sizeof plan.why, "the operator upgrades from format %u to %u: older programs cannot come back",
		 v->durable.view.format, request->format);
	request->view = VIEW_PROPOSED;
	request->tried = true;
	vm_view_propose(v, &plan);
	must(v->next.view.primary == v->durable.view.primary);
	must(v->next.view.members_count == v->durable.view.members_count);
	must(v->next.view.format > v->durable.view.format);
}

void vm_upgrade_settle(struct views *v)
{
	struct operator_request *request = &v->upgrade;
	char why[VIEWS_TEXT_SIZE], what[64];
	bool answered;

	if (!request->open)
		return;
	if (request->view == VIEW_PROPOSED && v->ticket == 0 && v->durable.view.format >= request->format) {
		request->open = false;
		vm_answer(v, request->token, VIEWS_DONE,
			  "format %u is in use since view %llu: programs that do not speak it cannot come back",
			  v->durable.view.format, (unsigned long long)v->durable.view.number);
		return;
	}
	snprintf(what, sizeof what, "format %u is in use", request->format);
	if (vm_request_waits(v, request, what, &answered) || answered)
		return;
	vm_explain(v, why);
	vm_answer(v, request->token, VIEWS_REFUSED, "nothing is upgraded: no replica serves: %.300s", why);
}
