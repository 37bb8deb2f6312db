#include "frontend/views/admission.h"

#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/candidates.h"
#include "frontend/views/known.h"
#include "frontend/views/view_members.h"

#define CONFIRM_BEATS 2 /* a member that answered this many heartbeats after it was named is alive */

static const struct known *needs_source(struct views *v)
{
	const struct known *primary = vm_primary_known(v);

	if (primary == NULL || !vm_known_reachable(v, primary))
		return NULL;
	return primary->report.view.number == v->durable.view.number ? primary : NULL;
}

/* RULE 10: a need names (view, id, uuid) and is ignored unless the view is the current one. */
static bool counts(const struct views *v, const struct need *need)
{
	return need->view == v->durable.view.number && need->id != v->durable.view.primary;
}

void vm_needs_note(struct views *v)
{
	bool named[LIMIT_REPLICAS] = {false};
	const struct known *primary = needs_source(v);

	for (uint32_t n = 0; primary != NULL && n < primary->report.needs_count; n++) {
		const struct need *need = &primary->report.needs[n];
		const struct known *k = vm_known_find(v, need->id);

		if (need->kind == NEED_EVICT && k != NULL && counts(v, need))
			named[k - v->known] = true;
	}
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		if (!named[i])
			k->evict_since_ms = 0;
		else if (k->evict_since_ms == 0)
			k->evict_since_ms = v->now_ms == 0 ? 1 : v->now_ms;
	}
}

static void read_evictions(struct views *v, const struct known *primary, struct needs *needs)
{
	const struct view *current = &v->durable.view;
	uint32_t backups = current->members_count - 1;
	uint32_t answering = 0;
	uint32_t confirmed = 0;
	bool alive[LIMIT_REPLICAS] = {false};

	/* RULE 10: while no request waits, a settling view waits for its members. */
	if (primary->report.state != STATE_SERVING && v->waiting == 0)
		return;
	for (uint32_t n = 0; n < primary->report.needs_count; n++) {
		const struct need *need = &primary->report.needs[n];
		const struct view_member *member = view_member_exact(current, need->id, need->uuid);

		if (need->kind != NEED_EVICT || member == NULL || !counts(v, need))
			continue;
		const struct known *k = vm_known_member(v, member);
		size_t place = (size_t)(member - current->members);

		if (k == NULL || !vm_known_reachable(v, k) || vm_candidate_stalled(v, current, k)) {
			needs->evict[place] = k == NULL || !vm_known_reachable(v, k) ? vm_member_dead(v, member) : true;
			continue;
		}
		if (k->report.stopping) { /* it has announced its end */
			needs->evict[place] = true;
			continue;
		}
		/* It answers us. So does a process that was stopped just now, until suspect_ms has passed: only an
		 * answer well after it was named proves that it runs. */
		alive[place] = true;
		answering++;
		if (k->heard_ms >= k->evict_since_ms + (uint64_t)CONFIRM_BEATS * v->options.heartbeat_ms)
			confirmed++;
	}
	if (answering == 0 || confirmed < answering)
		return;
	/* RULE 10: a primary that reports half or more of the backups dead while they answer us is itself suspected. */
	if (answering * 2 >= backups) {
		needs->primary_is_suspect = true;
		return;
	}
	for (uint32_t i = 0; i < current->members_count; i++)
		needs->evict[i] = needs->evict[i] || alive[i];
}

static bool is_joint(const struct report *report, const struct need *need)
{
	for (uint32_t i = 0; i < report->joint_count; i++) {
		if (report->joint[i].id == need->id && uuid_equal(report->joint[i].uuid, need->uuid))
			return true;
	}
	return false;
}

static void read_loss(struct views *v, const struct need *need, struct needs *needs)
{
	const struct view_member *member = view_member_exact(&v->durable.view, need->id, need->uuid); /* RULE 10 */
	struct known *k = vm_known_find(v, need->id);

	if (member != NULL)
		needs->lost_data[member - v->durable.view.members] = true;
	if (k == NULL || !k->identified || !uuid_equal(k->identity.uuid, need->uuid) || k->lost_data)
		return;
	k->lost_data = true; /* RULE 14 */
	vm_say_of(v, k, LOG_LEVEL_ERROR, "has lost data, says the primary: holds op %llu",
		  (unsigned long long)k->report.op);
}

static void read_admission(struct views *v, const struct need *need, struct needs *needs)
{
	if (view_member_exact(&v->durable.view, need->id, need->uuid) != NULL)
		return;
	/* RULE 9: an admission is never refused. A view without the learner at least stops it from being counted. */
	needs->admit = true;
	const struct known *k = vm_known_find(v, need->id);

	if (k == NULL || !vm_known_reachable(v, k) || k->report.disk_full || /* RULE 13: orders would stop */
	    !uuid_equal(k->identity.uuid, need->uuid) || k->lost_data) /* RULE 10, 14 */
		return;
	for (uint32_t i = 0; i < needs->learners_count; i++) {
		if (needs->learners[i].id == need->id)
			return;
	}
	must(needs->learners_count < LIMIT_REPLICAS);
	needs->learners[needs->learners_count].id = need->id;
	needs->learners[needs->learners_count].uuid = need->uuid;
	needs->learners_count++;
}

/* RULE 13: the exception to rule 10. No order waits for this member, because all orders are refused on its account. */
static void read_full(struct views *v, const struct known *primary, const struct need *need, struct needs *needs)
{
	const struct view_member *member = view_member_exact(&v->durable.view, need->id, need->uuid);

	if (member != NULL && (primary->report.state == STATE_SERVING || v->waiting > 0))
		needs->full[member - v->durable.view.members] = true;
}

void vm_needs_read(struct views *v, struct needs *needs)
{
	const struct known *primary = needs_source(v);

	memset(needs, 0, sizeof *needs);
	if (primary == NULL)
		return;
	read_evictions(v, primary, needs);
	for (uint32_t n = 0; n < primary->report.needs_count && n < LIMIT_REPLICAS; n++) {
		const struct need *need = &primary->report.needs[n];

		if (!counts(v, need))
			continue;
		if (need->kind == NEED_ADMIT)
			read_admission(v, need, needs);
		else if (need->kind == NEED_LOST_DATA)
			read_loss(v, need, needs);
		else if (need->kind == NEED_FULL)
			read_full(v, primary, need, needs);
		/* RULE 9: only a higher view without it stops a failed joint learner from being counted. */
		if (need->kind != NEED_ADMIT && need->kind != NEED_FOLD && is_joint(&primary->report, need) &&
		    view_member_exact(&v->durable.view, need->id, need->uuid) == NULL)
			needs->admit = true;
	}
}

void vm_needs_admit(struct views *v, const struct needs *needs, struct view *view)
{
	for (uint32_t i = 0; i < needs->learners_count; i++) {
		const struct joint *learner = &needs->learners[i];

		if (view_member_exact(view, learner->id, learner->uuid) != NULL)
			continue;
		must(learner->id != view->primary); /* RULE 3 */
		/* RULE 3: admitting a new uuid drops the old uuid of that id in the same step. */
		vm_view_member_drop(view, learner->id);
		if (view->members_count == LIMIT_REPLICAS) {
			vm_say(v, LOG_LEVEL_WARN, "replica %u is not admitted: a view holds at most %d members",
			       learner->id, LIMIT_REPLICAS);
			continue;
		}
		vm_view_member_add(view, learner->id, learner->uuid);
	}
}
