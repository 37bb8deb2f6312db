#include "frontend/views/candidates.h"

#include "frontend/views/fold.h"
#include "frontend/views/known.h"

bool vm_candidate_stalled(struct views *v, const struct view *view, const struct known *k)
{
	if (k->report.write_age_ms <= v->options.stall_ms)
		return false;
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct known *other = vm_known_member(v, &view->members[i]);

		/* RULE 15: only if another member's disk is better. */
		if (other != NULL && other != k && vm_known_reachable(v, other) && !other->lost_data &&
		    other->report.write_age_ms <= v->options.stall_ms)
			return true;
	}
	return false;
}

/* True when a is the better primary. RULE 3: an uncut tail first, then the view in which its log was made whole, then
 * its op; then room on its disk, which only saves a switchover. */
static bool better(struct views *v, const struct view *view, const struct known *a, const struct known *b)
{
	bool stalled_a = vm_candidate_stalled(v, view, a);
	bool stalled_b = vm_candidate_stalled(v, view, b);

	if (a->report.stopping != b->report.stopping) /* RULE 10 */
		return b->report.stopping;
	if (stalled_a != stalled_b) /* RULE 15 */
		return stalled_b;
	if ((a->report.tail_cut == 0) != (b->report.tail_cut == 0))
		return a->report.tail_cut == 0;
	if (a->report.whole_view != b->report.whole_view)
		return a->report.whole_view > b->report.whole_view;
	if (a->report.op != b->report.op)
		return a->report.op > b->report.op;
	if (a->report.disk_full != b->report.disk_full)
		return b->report.disk_full;
	if ((a->id == view->primary) != (b->id == view->primary))
		return a->id == view->primary;
	return a->id < b->id;
}

/* RULE 3, 14: what was cut off may have been acknowledged, and after our own start no floor is known that could exclude
 * it. A member that has not been heard yet may hold it. */
bool vm_candidate_cut_in_doubt(struct views *v, const struct view *view, const struct known *k)
{
	const struct view *all = v->durable.view.number > 0 ? &v->durable.view : view;
	enum replica_state state = k->report.state;

	if (k->report.tail_cut == 0 || v->floor > 0 || state == STATE_FOLLOWING || state == STATE_SETTLING ||
	    state == STATE_SERVING)
		return false; /* no cut, a floor that decides, or whole again since */
	for (uint32_t i = 0; i < all->members_count; i++) {
		if (vm_known_member(v, &all->members[i]) == NULL)
			return true;
	}
	return false;
}

const struct view_member *vm_candidate_best(struct views *v, const struct view *view, uint32_t without)
{
	const struct view_member *best = NULL;

	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct view_member *member = &view->members[i];
		/* RULE 3: only a member with the same uuid; a replica that lost data is no candidate. */
		const struct known *k = vm_known_member(v, member);

		if (k == NULL || !vm_known_reachable(v, k) || k->lost_data || member->id == without ||
		    vm_candidate_cut_in_doubt(v, view, k))
			continue;
		if (vm_fold_differs(v, k)) /* RULE 8: clients were told another state than it computes */
			continue;
		if (best == NULL || better(v, view, k, vm_known_member(v, best)))
			best = member;
	}
	return best;
}
