#include "frontend/views/known.h"

#include <string.h>

#include "frontend/views/id_list.h"

struct known *vm_known_find(struct views *v, uint32_t id)
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		if (v->known[i].id == id && id != 0)
			return &v->known[i];
	}
	return NULL;
}

bool vm_known_expected(const struct views *v, uint32_t id)
{
	return view_expects(&v->durable.view, id) != NULL || view_member_by_id(&v->durable.view, id) != NULL;
}

static struct known *free_place(struct views *v)
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		if (v->known[i].id == 0)
			return &v->known[i];
	}
	/* Next, an entry that is kept only so that a stale registration does not make a row come and go; failing that,
	 * the row of a replica that is lost and expected, which the summary still names. */
	struct known *lost = NULL;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		if (k->link != LINK_DOWN || (!k->forgotten && k->address[0] != '\0') ||
		    view_member_by_id(&v->durable.view, k->id) != NULL)
			continue;
		if (!vm_known_expected(v, k->id))
			return k;
		lost = k;
	}
	return lost;
}

struct known *vm_known_ensure(struct views *v, uint32_t id)
{
	must(id != 0);
	struct known *k = vm_known_find(v, id);

	if (k != NULL)
		return k;
	k = free_place(v);
	if (k == NULL)
		return NULL;
	must(k->link == LINK_DOWN);
	must(k->id == 0 || view_member_by_id(&v->durable.view, k->id) == NULL);
	memset(k, 0, sizeof *k);
	k->id = id;
	k->down_ms = v->now_ms;
	k->lost_ms = v->now_ms;
	k->lost_us = v->wall_us;
	k->backoff_ms = BACKOFF_FIRST_MS;
	k->quick_tries = QUICK_TRIES;
	return k;
}

struct known *vm_known_member(struct views *v, const struct view_member *member)
{
	struct known *k = vm_known_find(v, member->id);

	/* RULE 3: a wiped data directory has a new uuid and is no longer the member. */
	return k != NULL && k->identified && uuid_equal(k->identity.uuid, member->uuid) ? k : NULL;
}

bool vm_known_is_member(const struct views *v, const struct known *k)
{
	return k->identified && view_member_exact(&v->durable.view, k->id, k->identity.uuid) != NULL;
}

enum standing vm_known_standing(const struct views *v, const struct known *k)
{
	const struct view *current = &v->durable.view;

	if (!k->identified)
		return STANDING_UNKNOWN;
	if (k->hello_status == HELLO_FORMAT || k->hello_status == HELLO_NOT_ME)
		return STANDING_REFUSED;
	if (vm_known_is_member(v, k))
		return k->hello_status == HELLO_BOUND && !k->bound ? STANDING_BOUND : STANDING_OURS;
	if (current->number > 0 && !uuid_is_nil(k->identity.cluster) &&
	    !uuid_equal(k->identity.cluster, current->cluster))
		return STANDING_FOREIGN;
	if (k->hello_status == HELLO_BOUND && !k->bound)
		return STANDING_BOUND;
	if (current->number > 0 && !uuid_is_nil(k->identity.generation) &&
	    !uuid_equal(k->identity.generation, current->generation))
		return STANDING_OLD_GENERATION;
	return STANDING_OURS;
}

bool vm_known_reachable(const struct views *v, const struct known *k)
{
	return k->link == LINK_UP && vm_known_standing(v, k) == STANDING_OURS;
}

bool vm_known_dead(const struct views *v, const struct known *k)
{
	if (k->link == LINK_UP)
		return false;
	/* RULE 15 */
	return k->refused || k->hung || v->now_ms >= k->down_ms + v->options.suspect_ms;
}

bool vm_member_reachable(struct views *v, const struct view_member *member)
{
	const struct known *k = vm_known_member(v, member);

	return k != NULL && vm_known_reachable(v, k);
}

bool vm_member_replaced(struct views *v, const struct view_member *member)
{
	const struct known *k = vm_known_find(v, member->id);

	return k != NULL && k->link == LINK_UP && !uuid_equal(k->identity.uuid, member->uuid);
}

bool vm_member_dead(struct views *v, const struct view_member *member)
{
	const struct known *k = vm_known_find(v, member->id);

	if (k == NULL)
		return true; /* not registered, and the table is full */
	if (vm_member_replaced(v, member))
		return true;
	return vm_known_dead(v, k);
}

struct known *vm_primary_known(struct views *v)
{
	const struct view *current = &v->durable.view;

	if (current->number == 0)
		return NULL;
	const struct view_member *member = view_member_by_id(current, current->primary);

	must(member != NULL);
	return vm_known_member(v, member);
}

struct known *vm_primary_serving(struct views *v)
{
	const struct view *current = &v->durable.view;
	struct known *k = v->mode == MODE_NORMAL ? vm_primary_known(v) : NULL;

	if (k == NULL || !vm_known_reachable(v, k))
		return NULL;
	/* A report of a lower view proves nothing about this one, and a process that has not entered the view does not
	 * serve in it (rule 6). */
	if (k->report.view.number != current->number || !uuid_equal(k->report.view.generation, current->generation))
		return NULL;
	return k->report.state == STATE_SERVING && k->report.entered ? k : NULL;
}

void vm_members_that(struct views *v, bool reachable, struct id_list *list)
{
	list->count = 0;
	for (uint32_t i = 0; i < v->durable.view.members_count; i++) {
		if (vm_member_reachable(v, &v->durable.view.members[i]) == reachable)
			vm_id_list_add(list, v->durable.view.members[i].id);
	}
}
