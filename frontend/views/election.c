#include "frontend/views/election.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/admission.h"
#include "frontend/views/candidates.h"
#include "frontend/views/expected.h"
#include "frontend/views/fold.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/operator.h"
#include "frontend/views/view_change.h"
#include "frontend/views/view_members.h"

enum fate {
	FATE_KEEP,   /* the primary stays */
	FATE_WAIT,   /* not reachable, but not given up yet */
	FATE_FAILED, /* a new primary is needed */
	FATE_MOVE    /* it serves, and somebody else is to: planned */
};

struct election {
	const struct view *current;
	enum fate fate;
	uint32_t target;           /* MOVE: to whom */
	uint32_t without;          /* must not become primary; 0: none */
	bool lost;                 /* the primary does not answer any more */
	bool drop[LIMIT_REPLICAS]; /* by place in the current view */
	struct id_list dropped;
	struct needs needs;
	char why[REPORT_TEXT_SIZE];
};

/* A backup that could take over now without losing what is in flight; 0: none. full: one with a full disk will do. */
static uint32_t following(struct views *v, const struct view *view, uint32_t without, bool full)
{
	struct view whole = *view;

	for (uint32_t i = view->members_count; i-- > 0;) {
		const struct known *k = vm_known_member(v, &view->members[i]);

		if (k == NULL || k->report.state != STATE_FOLLOWING || k->report.view.number != view->number ||
		    k->report.stopping || (k->report.disk_full && !full) || vm_candidate_stalled(v, view, k))
			vm_view_member_drop(&whole, view->members[i].id);
	}
	const struct view_member *best = vm_candidate_best(v, &whole, without);

	return best == NULL ? 0 : best->id;
}

static void primary_failed(struct election *e, const char *what)
{
	e->fate = FATE_FAILED;
	snprintf(e->why, sizeof e->why, "replica %u %s", e->current->primary, what);
}

static void primary_moves(struct election *e, uint32_t target, const char *what)
{
	if (target == 0 || target == e->current->primary)
		return;
	e->fate = FATE_MOVE;
	e->target = target;
	snprintf(e->why, sizeof e->why, "%s %u", what, target);
}

static void assess_primary(struct views *v, struct election *e)
{
	const struct view_member *member = view_member_by_id(e->current, e->current->primary);
	const struct known *k = vm_primary_known(v);

	if (k == NULL || !vm_known_reachable(v, k)) {
		e->fate = FATE_WAIT;
		e->lost = vm_member_dead(v, member);
		if (e->lost)
			primary_failed(e, "is lost");
		return;
	}
	if (k->lost_data) {
		primary_failed(e, "lost data");
	} else if (vm_fold_differs(v, k)) { /* RULE 8: heard while the view was made */
		primary_failed(e, "computes another state");
	} else if (k->report.view.number == e->current->number && k->report.state == STATE_NEED_NEW_VIEW) {
		primary_failed(e, "restarted"); /* RULE 6 */
	} else if (k->report.view.number == e->current->number && k->report.state == STATE_DEPOSED) { /* RULE 4 */
		primary_failed(e, "stepped down");
	} else if (e->needs.primary_is_suspect) {
		primary_failed(e, "reports members dead that answer: it is the suspect");
		e->without = k->id;
	} else if (vm_candidate_stalled(v, e->current, k)) {
		primary_failed(e, "has a stalled disk");
	} else if (k->report.stopping) {
		uint32_t target = following(v, e->current, k->id, false);

		primary_moves(e, target != 0 ? target : following(v, e->current, k->id, true),
			   "the primary stops: switchover to");
	} else if (k->report.disk_full && vm_primary_serving(v) != NULL) {
		primary_moves(e, following(v, e->current, k->id, false), "the primary's disk is full: switchover to"); /* RULE 13 */
	} else {
		primary_moves(e, vm_operator_target(v), "switchover to");
	}
}

/* RULE 10: which members the next view leaves out. A member that is merely lost stays, unless a request waits for
 * it. */
static void assess_members(struct views *v, struct election *e)
{
	const struct known *leads = vm_primary_known(v);
	must(e->fate == FATE_FAILED || leads != NULL);
	/* A primary that has not entered this view may be gone as well, or hold an old copy, without our knowing yet:
	 * then the best of the others is needed. */
	bool settling = e->fate != FATE_KEEP ||
			(vm_primary_serving(v) == NULL && leads->report.view.number == e->current->number);

	for (uint32_t i = 0; i < e->current->members_count; i++) {
		const struct view_member *member = &e->current->members[i];
		const struct known *k = vm_known_member(v, member);
		bool reachable = k != NULL && vm_known_reachable(v, k);
		bool primary = member->id == e->current->primary;

		if ((k != NULL && k->lost_data) || e->needs.lost_data[i])
			e->drop[i] = true; /* RULE 14 */
		if (settling && vm_member_replaced(v, member))
			e->drop[i] = true; /* it is certain that it never comes back */
		if (e->fate == FATE_KEEP && primary)
			continue;
		if (e->fate == FATE_MOVE && member->id == e->target)
			continue;
		if (e->needs.evict[i] || (e->needs.full[i] && e->fate == FATE_KEEP))
			e->drop[i] = true;
		if (member->id == e->without)
			e->drop[i] = true;
		if (v->waiting == 0)
			continue;
		/* When the primary failed under load, members that do not answer are left out at once: one view change,
		 * not two. */
		if (e->fate == FATE_FAILED && !reachable)
			e->drop[i] = true;
		if (settling && !reachable && vm_member_dead(v, member))
			e->drop[i] = true;
		if (reachable && vm_candidate_stalled(v, e->current, k))
			e->drop[i] = true; /* RULE 15 */
	}
}

static bool everybody_answers(struct views *v)
{
	for (uint32_t i = 0; i < v->durable.view.members_count; i++) {
		if (!vm_member_reachable(v, &v->durable.view.members[i]))
			return false;
	}
	return true;
}

/* RULE 3: after our own start the members get start_wait_ms to answer before anything is decided without them. */
static bool waits_at_start(struct views *v)
{
	if (v->start_until_ms == 0)
		return false;
	if (v->now_ms < v->start_until_ms && !everybody_answers(v))
		return true;
	v->start_until_ms = 0;
	return false;
}

static void apply_drops(struct election *e, struct view *view)
{
	for (uint32_t i = 0; i < e->current->members_count; i++) {
		if (!e->drop[i])
			continue;
		vm_view_member_drop(view, e->current->members[i].id);
		vm_id_list_add(&e->dropped, e->current->members[i].id);
	}
}

static void give_reason(struct election *e, char *text, size_t size)
{
	char ids[VIEWS_TEXT_SIZE];
	/* Without these words the log line would call it lost and list it as a member, and not say why (RULE 10). */
	bool stays = e->lost && !e->drop[view_member_by_id(e->current, e->current->primary) - e->current->members];
	int used = snprintf(text, size, "%s%s", e->why, stays ? ", and a member until a request waits" : "");

	if (e->dropped.count > 0 && used >= 0 && (size_t)used < size)
		used += snprintf(text + used, size - (size_t)used, "%sevicted: %.100s", used == 0 ? "" : "; ",
				 vm_id_list_text(&e->dropped, ids));
	if (e->needs.admit && used >= 0 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used, "%slearners", used == 0 ? "" : "; ");
}

void vm_election_consider(struct views *v)
{
	struct election e = {.current = &v->durable.view, .fate = FATE_KEEP};
	struct plan plan = {.resets_floor = false};

	must(v->mode == MODE_NORMAL);
	if (v->ticket != 0 || v->now_ms < v->store_retry_ms) /* RULE 10 */
		return;
	vm_needs_read(v, &e.needs);
	if (waits_at_start(v)) {
		/* Admissions of a serving primary need not wait for the others to answer. */
		memset(e.needs.evict, 0, sizeof e.needs.evict);
		memset(e.needs.full, 0, sizeof e.needs.full);
		memset(e.needs.lost_data, 0, sizeof e.needs.lost_data);
		if (vm_primary_serving(v) == NULL)
			return;
	} else {
		assess_primary(v, &e);
		if (e.fate == FATE_WAIT)
			return;
		assess_members(v, &e);
	}
	plan.view = *e.current;
	vm_expected_settle(v, &plan.view);
	apply_drops(&e, &plan.view);
	if (e.fate == FATE_KEEP && e.dropped.count == 0 && !e.needs.admit)
		return;
	if (e.fate == FATE_FAILED) {
		const struct view_member *best = vm_candidate_best(v, &plan.view, e.without);

		if (best == NULL)
			return; /* vm_explain() names who is waited for; the last member is never evicted */
		plan.view.primary = best->id;
	} else if (e.fate == FATE_MOVE) {
		plan.view.primary = e.target;
	}
	vm_needs_admit(v, &e.needs, &plan.view);
	must(e.fate != FATE_WAIT);
	must(e.without == 0 || plan.view.primary != e.without);
	/* RULE 3: the primary has been a member; it is not a learner admitted in this view under the same id. */
	const struct view_member *leads = view_member_by_id(&plan.view, plan.view.primary);

	must(leads != NULL);
	must(view_member_exact(e.current, leads->id, leads->uuid) != NULL);
	give_reason(&e, plan.why, sizeof plan.why);
	if (e.fate == FATE_MOVE && v->switchover.open && plan.view.primary == v->switchover.id) {
		v->switchover.view = VIEW_PROPOSED;
		v->switchover.tried = true;
	}
	vm_view_propose(v, &plan);
}
