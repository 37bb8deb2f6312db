#include "frontend/views/expected.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "rpc/base/wall.h"

uint32_t vm_expected_count(const struct views *v)
{
	const struct view *view = &v->durable.view;
	uint32_t count = view->expected_count;

	for (uint32_t i = 0; i < view->members_count; i++)
		count += view_expects(view, view->members[i].id) == NULL;
	must(count >= view->members_count);
	return count;
}

static void drop_at(struct view *view, uint32_t place)
{
	must(place < view->expected_count);
	memmove(&view->expected[place], &view->expected[place + 1],
		(view->expected_count - place - 1) * sizeof view->expected[0]);
	view->expected_count--;
	memset(&view->expected[view->expected_count], 0, sizeof view->expected[0]);
}

void vm_expected_drop(struct view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->expected_count; i++) {
		if (view->expected[i].id != id)
			continue;
		drop_at(view, i);
		return;
	}
}

/* RULE 19: at most as many are expected as a view may have members. When one more is admitted, the one that was lost
 * first is dropped. */
static void make_room(struct views *v, struct view *view)
{
	uint32_t first = LIMIT_REPLICAS;

	for (uint32_t i = 0; i < view->expected_count; i++) {
		if (view_member_by_id(view, view->expected[i].id) == NULL &&
		    (first == LIMIT_REPLICAS || view->expected[i].lost_us < view->expected[first].lost_us))
			first = i;
	}
	must(first < LIMIT_REPLICAS); /* the one that is to be added is a member and not among them */
	vm_say(v, LOG_LEVEL_WARN, "replica %u is lost and no longer expected: at most %d are, and another one was admitted",
	       view->expected[first].id, LIMIT_REPLICAS);
	drop_at(view, first);
}

void vm_expected_add(struct views *v, struct view *view, uint32_t id)
{
	uint32_t place;

	if (view_expects(view, id) != NULL)
		return;
	if (view->expected_count == LIMIT_REPLICAS)
		make_room(v, view);
	must(view->expected_count < LIMIT_REPLICAS);
	for (place = view->expected_count; place > 0 && view->expected[place - 1].id > id; place--)
		view->expected[place] = view->expected[place - 1];
	view->expected[place] = (struct expected){.id = id};
	view->expected_count++;
}

/* When it was lost, not when it was evicted: an eviction may have had to wait for the next order. */
static int64_t lost_since(struct views *v, uint32_t id)
{
	const struct known *k = vm_known_find(v, id);
	int64_t since = k == NULL || k->link == LINK_UP ? v->wall_us : k->lost_us;

	return since == 0 ? 1 : since;
}

void vm_expected_settle(struct views *v, struct view *view)
{
	for (uint32_t i = 0; i < view->members_count; i++)
		vm_expected_add(v, view, view->members[i].id);
	for (uint32_t i = 0; i < view->expected_count; i++) {
		struct expected *expected = &view->expected[i];

		if (view_member_by_id(view, expected->id) != NULL)
			expected->lost_us = 0;
		else if (expected->lost_us == 0)
			expected->lost_us = lost_since(v, expected->id);
	}
}

int64_t vm_expected_lost_us(const struct views *v, const struct known *k)
{
	const struct expected *expected = view_expects(&v->durable.view, k->id);

	if (k->link == LINK_UP || !vm_known_expected(v, k->id))
		return 0;
	return expected != NULL && expected->lost_us != 0 ? expected->lost_us : k->lost_us;
}

void vm_expected_lost(struct views *v, char *text, size_t size)
{
	const struct view *view = &v->durable.view;
	struct id_list ids = {.count = 0};
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < view->members_count; i++)
		vm_id_list_add(&ids, view->members[i].id);
	for (uint32_t i = 0; i < view->expected_count; i++)
		vm_id_list_add(&ids, view->expected[i].id);
	for (uint32_t i = 0; i < ids.count; i++) {
		const struct expected *expected = view_expects(view, ids.ids[i]);
		const struct known *k = vm_known_find(v, ids.ids[i]);
		char when[WALL_TEXT_SIZE];

		if (k != NULL && k->link == LINK_UP)
			continue;
		int64_t since = k != NULL ? vm_expected_lost_us(v, k) : expected != NULL ? expected->lost_us : 0;
		int more = snprintf(text + used, size - used, ", replica %u lost since %s", ids.ids[i],
				    wall_text(since, when));

		if (more < 0 || (size_t)more >= size - used) {
			text[used] = '\0'; /* a part that does not fit is left out */
			return;
		}
		used += (size_t)more;
	}
}
