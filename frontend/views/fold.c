#include "frontend/views/fold.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/known.h"

static struct fold_mark *mark_of(struct fold_marks *marks, uint32_t id, struct uuid uuid)
{
	for (uint32_t i = 0; i < marks->count; i++) {
		if (marks->list[i].id == id && uuid_equal(marks->list[i].uuid, uuid))
			return &marks->list[i];
	}
	return NULL;
}

static void drop_at(struct fold_marks *marks, uint32_t place)
{
	must(place < marks->count);
	memmove(&marks->list[place], &marks->list[place + 1], (marks->count - place - 1) * sizeof marks->list[0]);
	marks->count--;
}

static void drop(struct fold_marks *marks, uint32_t id)
{
	for (uint32_t i = 0; i < marks->count; i++) {
		if (marks->list[i].id == id) {
			drop_at(marks, i);
			return;
		}
	}
}

/* Instead of one of the same id. RULE 19: no more than replicas can be expected, and no op that the view file cannot hold. */
static void set(struct fold_marks *marks, const struct known *k, uint64_t differs_op, uint64_t equal_op)
{
	uint32_t place;

	must(differs_op > 0);
	if (differs_op > (uint64_t)INT64_MAX)
		return;
	drop(marks, k->id);
	if (marks->count == LIMIT_REPLICAS)
		return;
	for (place = marks->count; place > 0 && marks->list[place - 1].id > k->id; place--)
		marks->list[place] = marks->list[place - 1];
	marks->list[place] = (struct fold_mark){.id = k->id, .uuid = k->identity.uuid, .differs_op = differs_op,
						.equal_op = equal_op < differs_op ? equal_op : differs_op - 1};
	marks->count++;
}

/* It was compared with a serving primary at or above the op where it differed: digests are chained, so all below is equal too. */
static bool equal_again(const struct report *report, uint64_t differs_op)
{
	return report->fold_differs_op == 0 && report->fold_equal_op >= differs_op;
}

/* The member itself knows best at which op. */
static bool says_more(const struct report *report, const struct fold_mark *mark)
{
	return report->fold_differs_op != mark->differs_op ||
	       (report->fold_equal_op > mark->equal_op && report->fold_equal_op < mark->differs_op);
}

static void learn_of(struct views *v, const struct known *k, bool is_member, bool serves)
{
	const struct report *report = &k->report;
	const struct fold_mark *mark = mark_of(&v->marks, k->id, k->identity.uuid);

	if (serves) { /* what it computes is what clients are told now; it forgets its own mark first */
		if (mark != NULL && report->fold_differs_op == 0)
			drop(&v->marks, k->id);
	} else if (report->fold_differs_op != 0) {
		if (mark == NULL ? is_member : says_more(report, mark))
			set(&v->marks, k, report->fold_differs_op, report->fold_equal_op);
	} else if (mark != NULL && equal_again(report, mark->differs_op) && vm_known_standing(v, k) == STANDING_OURS) {
		drop(&v->marks, k->id);
	}
}

/* The member may not know yet what its primary reports, and the primary reports no op: it was one that it had committed. */
static void learn_of_need(struct views *v, const struct view *view, const struct report *primary, const struct need *need)
{
	const struct known *k = vm_known_find(v, need->id);

	if (need->kind != NEED_FOLD || need->view != view->number || need->id == view->primary || primary->commit == 0 ||
	    view_member_exact(view, need->id, need->uuid) == NULL) /* RULE 10 */
		return;
	if (k == NULL || !k->identified || !uuid_equal(k->identity.uuid, need->uuid) ||
	    mark_of(&v->marks, need->id, need->uuid) != NULL || equal_again(&k->report, primary->commit))
		return;
	set(&v->marks, k, primary->commit, k->report.fold_equal_op);
}

void vm_fold_learn(struct views *v, const struct view *view)
{
	const struct view_member *leads = view_member_by_id(view, view->primary);
	const struct known *primary = leads == NULL ? NULL : vm_known_member(v, leads);
	const struct known *serving = vm_primary_serving(v);

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && k->identified)
			learn_of(v, k, view->members_count > 1 && view_member_exact(view, k->id, k->identity.uuid) != NULL,
				 k == serving);
	}
	if (primary == NULL || primary->report.view.number != view->number)
		return;
	for (uint32_t n = 0; n < primary->report.needs_count; n++)
		learn_of_need(v, view, &primary->report, &primary->report.needs[n]);
}

bool vm_fold_differs(struct views *v, const struct known *k)
{
	return k->identified && mark_of(&v->marks, k->id, k->identity.uuid) != NULL && k != vm_primary_serving(v);
}

const struct fold_mark *vm_fold_told(struct views *v, const struct known *k)
{
	/* RULE 8: what is not stored may be forgotten again. */
	return vm_fold_differs(v, k) ? mark_of(&v->durable.marks, k->id, k->identity.uuid) : NULL;
}

void vm_fold_settle(const struct view *view, struct fold_marks *marks)
{
	for (uint32_t i = marks->count; i-- > 0;) {
		const struct fold_mark *mark = &marks->list[i];
		const struct view_member *member = view_member_by_id(view, mark->id);

		if (member == NULL ? view_expects(view, mark->id) == NULL :
				     !uuid_equal(member->uuid, mark->uuid) || view->members_count == 1)
			drop_at(marks, i);
	}
}

bool vm_fold_is_stored(const struct views *v)
{
	if (v->marks.count != v->durable.marks.count)
		return false;
	for (uint32_t i = 0; i < v->marks.count; i++) {
		const struct fold_mark *known = &v->marks.list[i], *stored = &v->durable.marks.list[i];

		if (known->id != stored->id || !uuid_equal(known->uuid, stored->uuid) ||
		    known->differs_op != stored->differs_op || known->equal_op != stored->equal_op)
			return false;
	}
	return true;
}

static const char *version_of(const struct known *k, char *text, size_t size)
{
	text[0] = '\0';
	if (k != NULL && k->identified && k->report.version[0] != '\0')
		snprintf(text, size, " (%s)", k->report.version);
	return text;
}

void vm_fold_describe(struct views *v, const struct fold_mark *mark, char *text, size_t size)
{
	char theirs[LIMIT_VERSION_BYTES + 8], ours[LIMIT_VERSION_BYTES + 8], from[64];

	version_of(vm_known_find(v, mark->id), theirs, sizeof theirs);
	version_of(vm_primary_known(v), ours, sizeof ours);
	if (mark->equal_op + 1 < mark->differs_op)
		snprintf(from, sizeof from, "an op between %llu and %llu", (unsigned long long)mark->equal_op + 1,
			 (unsigned long long)mark->differs_op);
	else
		snprintf(from, sizeof from, "op %llu", (unsigned long long)mark->differs_op);
	if (mark->id == v->durable.view.primary)
		snprintf(text, size, "replica %u%s computes another state than the primary before it from %s on", mark->id, theirs,
			 from);
	else
		snprintf(text, size, "replica %u%s computes another state than primary %u%s from %s on", mark->id, theirs,
			 v->durable.view.primary, ours, from);
}

void vm_fold_say(struct views *v, const struct fold_marks *before)
{
	struct fold_marks old = *before;
	char text[VIEWS_TEXT_SIZE / 2];

	for (uint32_t i = 0; i < v->durable.marks.count; i++) {
		const struct fold_mark *mark = &v->durable.marks.list[i];

		if (mark_of(&old, mark->id, mark->uuid) != NULL)
			continue;
		vm_fold_describe(v, mark, text, sizeof text);
		vm_say(v, LOG_LEVEL_ERROR, "%s: one of the two programs is wrong; it is asked nothing and not promoted", text);
	}
	for (uint32_t i = 0; i < old.count; i++) {
		if (mark_of(&v->durable.marks, old.list[i].id, old.list[i].uuid) == NULL)
			vm_say(v, LOG_LEVEL_INFO, "replica %u is no longer said to compute another state", old.list[i].id);
	}
}

static void check(const struct fold_marks *marks)
{
	must(marks->count <= LIMIT_REPLICAS);
	for (uint32_t i = 0; i < marks->count; i++) {
		must(i == 0 || marks->list[i - 1].id < marks->list[i].id);
		must(!uuid_is_nil(marks->list[i].uuid));
		must(marks->list[i].equal_op < marks->list[i].differs_op);
	}
}

void vm_fold_check(const struct views *v)
{
	check(&v->marks);
	check(&v->durable.marks);
}
