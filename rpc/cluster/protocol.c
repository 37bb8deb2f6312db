#include "rpc/cluster/protocol.h"

const struct view_member *view_member_by_id(const struct view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->members_count; i++) {
		if (view->members[i].id == id)
			return &view->members[i];
	}
	return NULL;
}

const struct view_member *view_member_exact(const struct view *view, uint32_t id, struct uuid uuid)
{
	const struct view_member *member = view_member_by_id(view, id);

	return member != NULL && uuid_equal(member->uuid, uuid) ? member : NULL;
}

const struct expected *view_expects(const struct view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->expected_count; i++) {
		if (view->expected[i].id == id)
			return &view->expected[i];
	}
	return NULL;
}

bool view_equal(const struct view *a, const struct view *b)
{
	if (a->number != b->number || a->primary != b->primary || a->members_count != b->members_count ||
	    a->expected_count != b->expected_count ||
	    !uuid_equal(a->cluster, b->cluster) || !uuid_equal(a->generation, b->generation) ||
	    !uuid_equal(a->manager, b->manager))
		return false;
	for (uint32_t i = 0; i < a->members_count; i++) {
		if (view_member_exact(b, a->members[i].id, a->members[i].uuid) == NULL)
			return false;
	}
	for (uint32_t i = 0; i < a->expected_count; i++) {
		if (a->expected[i].id != b->expected[i].id || a->expected[i].lost_us != b->expected[i].lost_us)
			return false;
	}
	return true;
}

const char *replica_role_name(enum replica_role role)
{
	static const char *const names[] = {"none", "primary", "backup", "learner", "down", "foreign"};

	return role <= ROLE_FOREIGN ? names[role] : "?";
}

const char *replica_state_name(enum replica_state state)
{
	static const char *const names[] = {"idle",	    "settling",	      "serving", "following",
					    "catching up", "needs new view", "deposed", "damaged"};

	return state <= STATE_DAMAGED ? names[state] : "?";
}
