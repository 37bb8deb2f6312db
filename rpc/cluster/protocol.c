#include "rpc/cluster/protocol.h"

#include <stdio.h>
#include <string.h>

#define RANGE_TEXT 32

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
	    !uuid_equal(a->manager, b->manager) || a->format != b->format || strcmp(a->name, b->name) != 0 ||
	    a->keeper.epoch != b->keeper.epoch || !uuid_equal(a->keeper.uuid, b->keeper.uuid) ||
	    !uuid_equal(a->maker, b->maker))
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

uint32_t identity_format_in_use(const struct identity *a, const struct identity *b)
{
	return a->format > b->format ? a->format : b->format;
}

bool format_range_agrees(struct format_range theirs, struct format_range ours, uint32_t in_use)
{
	return format_range_overlaps(theirs, ours) && format_range_includes(theirs, in_use) &&
	       format_range_includes(ours, in_use);
}

/* "3", "3 to 4". */
static const char *numbers(struct format_range range, char text[static RANGE_TEXT])
{
	if (range.low == range.high)
		snprintf(text, RANGE_TEXT, "%u", range.low);
	else
		snprintf(text, RANGE_TEXT, "%u to %u", range.low, range.high);
	return text;
}

const char *format_range_explain(struct format_range theirs, struct format_range ours, uint32_t in_use, const char *them,
				 const char *us, char *text, size_t size)
{
	char they[RANGE_TEXT], we[RANGE_TEXT];
	const char *s = theirs.low == theirs.high ? "" : "s";

	numbers(theirs, they);
	numbers(ours, we);
	if (!format_range_overlaps(theirs, ours))
		snprintf(text, size, OTHER_FORMAT_TEXT "%s %s, %s %s: upgrade %s", s, they, us, we,
			 theirs.low > ours.high ? us : them);
	else if (!format_range_includes(theirs, in_use))
		snprintf(text, size, OTHER_FORMAT_TEXT "%s %s, the cluster uses %u: %s %s", s, they, in_use,
			 theirs.high < in_use ? "upgrade" : "run an older version of", them);
	else
		snprintf(text, size, OTHER_FORMAT_TEXT "%s %s, the cluster uses %u, %s %s: %s %s", s, they, in_use, us, we,
			 ours.high < in_use ? "upgrade" : "run an older version of", us);
	return text;
}
