/* What others are shown: one row for each replica, one line about the whole, and the peer list. */
#include "frontend/views/views.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/candidates.h"
#include "frontend/views/clocks.h"
#include "frontend/views/expected.h"
#include "frontend/views/explain.h"
#include "frontend/views/fold.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/reasons.h"
#include "frontend/views/state.h"

/* Why a known replica does not count as a copy; false: it does, or vm_expected_lost() names it. */
static bool missing(struct views *v, const struct known *k, char *text, size_t size)
{
	const struct known *primary = vm_primary_known(v);
	char room[64];
	const char *what = NULL;

	if (k->id == 0 || vm_known_standing(v, k) == STANDING_FOREIGN)
		return false;
	/* An entry that was only registered and never admitted was left by a dead process. */
	if (k->link != LINK_UP && (k->forgotten || !k->identified || vm_known_expected(v, k->id)))
		return false;
	if (!vm_known_reachable(v, k))
		what = k->link == LINK_UP ? "is not usable" : "is down";
	else if (k->lost_data)
		what = "has lost data";
	else if (!vm_known_is_member(v, k) ||
		 (v->durable.view.primary != k->id && k->report.state != STATE_FOLLOWING))
		what = "is catching up";
	if (what != NULL && vm_known_reachable(v, k) && !k->lost_data && !vm_known_is_member(v, k)) {
		/* RULE 13, 19: it is not admitted before there is room. */
		snprintf(room, sizeof room, "has room for %llu orders only", (unsigned long long)k->report.orders_max);
		if (primary != NULL && k->report.orders_max != 0 && k->report.orders_max < primary->report.op &&
		    k->report.orders_max < primary->report.orders_max)
			what = room;
		else if (k->report.disk_full)
			what = "is no member, its disk is full";
	}
	if (what == NULL)
		return false;
	snprintf(text, size, ", replica %u %s", k->id, what);
	return true;
}

/* RULE 8: whether the place is a member's that computes another state; nobody is told before that is stored. */
static bool differs(struct views *v, const struct known *k, char *text, size_t size)
{
	const struct fold_mark *mark = k->id != 0 && vm_known_is_member(v, k) ? vm_fold_told(v, k) : NULL;

	if (mark == NULL)
		return false;
	snprintf(text, size, ", ");
	vm_fold_describe(v, mark, text + 2, size - 2);
	return true;
}

/* "degraded: 2 of 3 copies, replica 2 lost since ...": true when every expected copy is there. */
static bool explain_copies(struct views *v, uint32_t copies, char text[static VIEWS_TEXT_SIZE])
{
	uint32_t expected = vm_expected_count(v);
	char part[VIEWS_TEXT_SIZE / 2];
	size_t used;
	bool whole = copies >= expected;

	must(copies <= expected); /* every member is expected */
	if (copies < expected)
		used = (size_t)snprintf(text, VIEWS_TEXT_SIZE, "degraded: %u of %u copies", copies, expected);
	else
		used = (size_t)snprintf(text, VIEWS_TEXT_SIZE, "degraded: %u %s", copies, copies == 1 ? "copy" : "copies");
	vm_expected_lost(v, part, sizeof part);
	used += (size_t)snprintf(text + used, VIEWS_TEXT_SIZE - used, "%s", part);
	for (uint32_t i = 0; i < 2 * LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i % LIMIT_REPLICAS];

		if (!(i < LIMIT_REPLICAS ? differs : missing)(v, k, part, sizeof part))
			continue;
		whole = false;
		if (used + strlen(part) < VIEWS_TEXT_SIZE / 2 + 100)
			used += (size_t)snprintf(text + used, VIEWS_TEXT_SIZE - used, "%s", part);
		must(used < VIEWS_TEXT_SIZE);
	}
	return whole;
}

/* RULE 13: the replicas whose full disk keeps orders out. */
static void without_room(struct views *v, struct id_list *list)
{
	const struct view *current = &v->durable.view;
	const struct known *primary = vm_primary_known(v);

	list->count = 0;
	for (uint32_t i = 0; i < current->members_count; i++) {
		const struct known *k = vm_known_member(v, &current->members[i]);

		if (k != NULL && vm_known_reachable(v, k) && k->report.disk_full)
			vm_id_list_add(list, k->id);
	}
	for (uint32_t i = 0; primary != NULL && i < primary->report.joint_count; i++) {
		const struct known *k = vm_known_find(v, primary->report.joint[i].id);

		if (k != NULL && vm_known_reachable(v, k) && !vm_known_is_member(v, k) && k->report.disk_full)
			vm_id_list_add(list, k->id);
	}
}

/* RULE 10, 13, 19: whether orders are refused although there is a primary. text says why; else it is "". */
static bool explain_refusals(struct views *v, uint32_t copies, char text[static VIEWS_TEXT_SIZE])
{
	const struct known *primary = vm_primary_serving(v);
	struct id_list full;
	char ids[VIEWS_TEXT_SIZE];

	text[0] = '\0';
	without_room(v, &full);
	if (copies < v->options.min_members)
		snprintf(text, VIEWS_TEXT_SIZE, "--min-members asks for %u copies", v->options.min_members);
	else if (full.count > 0)
		snprintf(text, VIEWS_TEXT_SIZE, "disk full on %.200s", vm_id_list_text(&full, ids));
	else if (primary != NULL && primary->report.refusing == REFUSING_FULL)
		snprintf(text, VIEWS_TEXT_SIZE, "replica %u holds as many orders as its --max-orders allows",
			 primary->report.refusing_id != 0 ? primary->report.refusing_id : primary->id);
	else if (primary != NULL && primary->report.refusing == REFUSING_DISK_FULL)
		snprintf(text, VIEWS_TEXT_SIZE, "disk full on replica %u", primary->report.refusing_id);
	else if (primary != NULL && primary->report.refusing == REFUSING_TOO_FEW)
		snprintf(text, VIEWS_TEXT_SIZE, "fewer copies are reached than --min-members asks for");
	else
		return false;
	return true;
}

/* RULE 19: replicas that will soon refuse orders. Health does not change by it. */
static void warn_of_limits(const struct views *v, char *text, size_t size)
{
	size_t used = strlen(text);

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0 || !vm_known_is_member(v, k) || !vm_known_reachable(v, k) ||
		    k->report.state == STATE_DAMAGED || k->report.detail[0] == '\0')
			continue;

		int more = snprintf(text + used, size - used, "; replica %u %s", k->id, k->report.detail);

		if (more < 0 || (size_t)more >= size - used) {
			text[used] = '\0'; /* a part that does not fit is left out */
			return;
		}
		used += (size_t)more;
	}
}

/* RULE 10: a settling view that waits only for dead members, because no request has come yet. The next request gets a
 * view without them: this anticipates assess_members() of election.c. */
static bool serves_when_asked(struct views *v)
{
	const struct view *current = &v->durable.view;
	const struct known *primary = v->mode == MODE_NORMAL ? vm_primary_known(v) : NULL;
	bool waits = false;

	if (primary == NULL || !vm_known_reachable(v, primary) || primary->lost_data || v->ticket != 0 ||
	    v->waiting > 0 || v->start_until_ms != 0 || v->store_retry_ms > v->now_ms)
		return false;
	if (primary->report.view.number != current->number || primary->report.state != STATE_SETTLING)
		return false;
	for (uint32_t i = 0; i < current->members_count; i++) {
		const struct view_member *member = &current->members[i];

		if (vm_member_reachable(v, member))
			continue;
		if (!vm_member_dead(v, member))
			return false;
		waits = true;
	}
	return waits;
}

/* Orders are only delayed: there is a candidate for primary, and the view change under way completes by itself.
 * Settling takes at most one disk write of each member, for which stall_ms are allowed. */
static bool only_held(struct views *v)
{
	char text[VIEWS_TEXT_SIZE];

	return v->mode == MODE_NORMAL && v->held_ms != 0 && v->now_ms - v->held_ms < v->options.stall_ms &&
	       !vm_explain_store(v, text) && vm_candidate_best(v, &v->durable.view, 0) != NULL;
}

void views_summary(const struct views *views, uint64_t now_ms, char text[static VIEWS_TEXT_SIZE], int *health)
{
	/* Nothing is changed; the finders return what others may change. */
	struct views *v = (struct views *)(uintptr_t)views;
	struct id_list here;
	char refusals[VIEWS_TEXT_SIZE];
	size_t used;
	bool whole;

	(void)now_ms;
	if (!v->routed && !serves_when_asked(v)) {
		*health = HEALTH_UNAVAILABLE;
		vm_explain(v, text);
		vm_explain_foreign(v, text, VIEWS_TEXT_SIZE);
		return;
	}
	vm_members_that(v, true, &here);
	whole = explain_copies(v, here.count, text) && v->routed;
	used = strlen(text);
	if (!v->routed)
		used += (size_t)snprintf(text + used, VIEWS_TEXT_SIZE - used,
					 "; view %llu is served from the next request on",
					 (unsigned long long)v->durable.view.number);
	must(used < VIEWS_TEXT_SIZE);
	if (explain_refusals(v, here.count, refusals)) {
		whole = false;
		snprintf(text + used, VIEWS_TEXT_SIZE - used, "; orders are refused: %.300s", refusals);
	}
	*health = HEALTH_DEGRADED;
	if (whole && here.count >= 2) {
		*health = HEALTH_OK;
		snprintf(text, VIEWS_TEXT_SIZE, "ok");
	}
	warn_of_limits(v, text, VIEWS_TEXT_SIZE);
	vm_explain_formats(v, text);
	used = strlen(text);
	vm_clocks_explain(v, text + used, VIEWS_TEXT_SIZE - used);
	vm_explain_foreign(v, text, VIEWS_TEXT_SIZE);
}

bool views_accepts_orders(const struct views *views, char why[static VIEWS_TEXT_SIZE])
{
	struct views *v = (struct views *)(uintptr_t)views;
	struct id_list here;

	if (!v->routed && !serves_when_asked(v) && !only_held(v)) {
		vm_explain(v, why);
		return false;
	}
	vm_members_that(v, true, &here);
	return !explain_refusals(v, here.count, why);
}

uint32_t views_copies(const struct views *views, uint32_t *expected)
{
	struct views *v = (struct views *)(uintptr_t)views;
	struct id_list here;

	vm_members_that(v, true, &here);
	*expected = vm_expected_count(v);
	return here.count;
}

bool views_differs(const struct views *views, uint32_t id)
{
	struct views *v = (struct views *)(uintptr_t)views;
	const struct known *k = vm_known_find(v, id);

	return k != NULL && vm_fold_differs(v, k);
}

bool views_answers(const struct views *views, uint32_t id)
{
	const struct known *k = vm_known_find((struct views *)(uintptr_t)views, id);

	return k != NULL && k->link == LINK_UP;
}

static enum replica_role role_of(const struct views *v, const struct known *k)
{
	if (vm_known_standing(v, k) == STANDING_FOREIGN)
		return ROLE_FOREIGN;
	if (k->link != LINK_UP || !k->identified || vm_known_standing(v, k) == STANDING_REFUSED)
		return ROLE_DOWN;
	if (vm_known_is_member(v, k))
		return k->id == v->durable.view.primary ? ROLE_PRIMARY : ROLE_BACKUP;
	return v->durable.view.number == 0 ? ROLE_NONE : ROLE_LEARNER;
}

uint32_t views_rows(const struct views *v, uint64_t now_ms, struct views_row rows[static LIMIT_REPLICAS])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];
		const struct view_member *member = view_member_by_id(&v->durable.view, k->id);
		struct views_row row;
		uint32_t place = count;

		if (k->id == 0 || (k->forgotten && !vm_known_expected(v, k->id)))
			continue;
		memset(&row, 0, sizeof row);
		row.id = k->id;
		row.expected = vm_known_expected(v, k->id);
		row.lost_us = vm_expected_lost_us(v, k);
		row.role = role_of(v, k);
		row.member = vm_known_is_member(v, k) || (!k->identified && member != NULL);
		row.reachable = k->link == LINK_UP;
		row.report = k->identified ? &k->report : NULL;
		row.differs_op = vm_fold_told((struct views *)(uintptr_t)v, k) != NULL ?
					 vm_fold_told((struct views *)(uintptr_t)v, k)->differs_op : 0;
		row.age_ms = k->identified ? now_ms - k->report_ms : UINT64_MAX;
		snprintf(row.address, sizeof row.address, "%s",
			 k->tried[0] != '\0' || member == NULL ? k->tried : member->address);
		if (row.role == ROLE_DOWN || row.role == ROLE_FOREIGN || k->lost_data)
			snprintf(row.note, sizeof row.note, "%s", k->note[0] != '\0' ? k->note : "not registered");
		/* RULE 13: the reason that it gave for its end. */
		if (row.role == ROLE_DOWN && k->identified && k->report.stopping && k->report.detail[0] != '\0')
			snprintf(row.note, sizeof row.note, "ended: %.140s", k->report.detail);
		while (place > 0 && rows[place - 1].id > row.id) {
			rows[place] = rows[place - 1];
			place--;
		}
		must(!row.member || row.expected);
		must(place == 0 || rows[place - 1].id < row.id); /* in rising order, each once */
		rows[place] = row;
		count++;
	}
	return count;
}

void views_peers(const struct views *v, struct peers *peers)
{
	memset(peers, 0, sizeof *peers);
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0 || !k->identified || vm_known_standing(v, k) != STANDING_OURS)
			continue;
		if (!vm_known_is_member(v, k) && (k->link != LINK_UP || k->lost_data))
			continue;             /* gone, or about to set its data aside (rule 14) */
		uint32_t at = peers->count++; /* rising ids */

		for (; at > 0 && peers->list[at - 1].id > k->id; at--)
			peers->list[at] = peers->list[at - 1];
		must(at == 0 || peers->list[at - 1].id < k->id);
		struct peer *peer = &peers->list[at];

		memset(peer, 0, sizeof *peer);
		peer->id = k->id;
		peer->uuid = k->identity.uuid;
		peer->incarnation = k->identity.incarnation;
		memcpy(peer->address, k->tried, sizeof peer->address);
	}
}
