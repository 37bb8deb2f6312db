#include "frontend/views/view_members.h"

#include <string.h>

void vm_view_member_add(struct view *view, uint32_t id, struct uuid uuid)
{
	uint32_t place = view->members_count;

	must(view->members_count < LIMIT_REPLICAS);
	must(view_member_by_id(view, id) == NULL);
	while (place > 0 && view->members[place - 1].id > id) {
		view->members[place] = view->members[place - 1];
		place--;
	}
	memset(&view->members[place], 0, sizeof view->members[place]);
	view->members[place].id = id;
	view->members[place].uuid = uuid;
	view->members_count++;
}

void vm_view_member_drop(struct view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->members_count; i++) {
		if (view->members[i].id != id)
			continue;
		memmove(&view->members[i], &view->members[i + 1],
			(view->members_count - i - 1) * sizeof view->members[0]);
		view->members_count--;
		return;
	}
}

void vm_view_must_be_whole(const struct view *view)
{
	must(view->number > 0);
	must(view->members_count > 0);
	must(view->members_count <= LIMIT_REPLICAS);
	/* RULE 3: the primary is a member, and each id is there once. */
	must(view_member_by_id(view, view->primary) != NULL);
	must(view->members[0].id > 0);
	for (uint32_t i = 0; i < view->members_count; i++) {
		must(i == 0 || view->members[i - 1].id < view->members[i].id);
		must(!uuid_is_nil(view->members[i].uuid));
	}
	must(view->expected_count <= LIMIT_REPLICAS);
	for (uint32_t i = 1; i < view->expected_count; i++)
		must(view->expected[i - 1].id < view->expected[i].id);
	must(!uuid_is_nil(view->cluster));
	must(!uuid_is_nil(view->generation));
	must(!uuid_is_nil(view->manager));
	must(!uuid_is_nil(view->maker));
	must(!uuid_is_nil(view->keeper.uuid));
	must(view->keeper.epoch > 0);
	must(view->format > 0);
}
