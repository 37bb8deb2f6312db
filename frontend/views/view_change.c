#include "frontend/views/view_change.h"

#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/connection.h"
#include "frontend/views/expected.h"
#include "frontend/views/fold.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/mode.h"
#include "frontend/views/view_members.h"

static const char *members_text(const struct view *view, char text[static VIEWS_TEXT_SIZE])
{
	struct id_list list = {.count = 0};

	for (uint32_t i = 0; i < view->members_count; i++)
		vm_id_list_add(&list, view->members[i].id);
	return vm_id_list_text(&list, text);
}

static uint64_t highest_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void store_next(struct views *v)
{
	v->ticket = ++v->tickets;
	v->ticket_ms = v->now_ms;
	vm_do_store(v);
}

void vm_view_propose(struct views *v, struct plan *plan)
{
	struct view *view = &plan->view;

	/* RULE 10: one STORE at a time, because the next view is derived from the latest durable one. */
	must(v->ticket == 0);
	must(v->mode != MODE_EXITED);
	/* RULE 2: numbers only rise, and a view whose STORE failed may be on the disk all the same. */
	view->number = highest_of(highest_of(v->durable.view.number, v->highest_number), view->number) + 1;
	view->manager = v->manager;
	view->maker = v->manager;
	if (!uuid_equal(view->keeper.uuid, v->manager))
		view->keeper = (struct keeper){.epoch = view->keeper.epoch + 1, .uuid = v->manager};
	must(view->format >= v->durable.view.format); /* nothing that is stored becomes unreadable */
	must(format_range_includes(v->options.formats, view->format));
	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct known *k = vm_known_member(v, &view->members[i]);

		if (k != NULL && k->tried[0] != '\0')
			memcpy(view->members[i].address, k->tried, sizeof k->tried);
	}
	vm_expected_settle(v, view);
	for (uint32_t i = 0; i < view->members_count; i++)
		must(view_expects(view, view->members[i].id) != NULL);
	for (uint32_t i = 0; i < view->expected_count; i++)
		must((view_member_by_id(view, view->expected[i].id) == NULL) == (view->expected[i].lost_us != 0));
	vm_view_must_be_whole(view);
	v->highest_number = view->number;
	v->next.manager = v->manager;
	v->next.view = *view;
	v->next_resets_floor = plan->resets_floor;
	memcpy(v->next_why, plan->why, sizeof v->next_why);
	v->next.marks = v->marks;
	vm_fold_settle(view, &v->next.marks);
	v->next_is_current = false;
	store_next(v);
}

void vm_view_consider_marks(struct views *v)
{
	must(v->mode == MODE_NORMAL);
	if (v->ticket != 0 || v->now_ms < v->store_retry_ms || vm_fold_is_stored(v)) /* RULE 10 */
		return;
	v->next = v->durable;
	v->next.marks = v->marks;
	v->next_resets_floor = false;
	v->next_is_current = true;
	store_next(v);
}

void vm_view_adopt(struct views *v, const struct views_stored *stored)
{
	vm_view_must_be_whole(&stored->view);
	must(stored->view.number > v->durable.view.number);
	must(uuid_equal(stored->manager, v->manager));
	v->durable = *stored;
	vm_fold_settle(&stored->view, &v->marks);
	v->highest_number = highest_of(v->highest_number, stored->view.number);
	vm_become(v, MODE_NORMAL);
	v->managed_ms = 0; /* replicas of another front-end that came meanwhile are not ours */
	v->install_ms = 0;
	v->said[0] = '\0';
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		v->known[i].evict_since_ms = 0; /* needs of an older view say nothing (rule 10) */
		if (v->known[i].id != 0 && v->known[i].link == LINK_UP)
			vm_connection_check_format(v, &v->known[i], stored->view.format);
	}
	for (uint32_t i = 0; i < stored->view.members_count; i++) {
		struct known *k = vm_known_ensure(v, stored->view.members[i].id);

		/* It may have been restarted while it was being admitted. Of replicas that are gone there are only old
		 * reports. */
		if (k != NULL && k->link == LINK_UP)
			vm_connection_check_floor(v, k);
	}
	for (uint32_t i = 0; i < stored->view.expected_count; i++)
		vm_known_ensure(v, stored->view.expected[i].id); /* so that status shows what is missing */
}

void vm_view_stored(struct views *v, uint64_t ticket, bool ok)
{
	struct fold_marks before = v->durable.marks;
	char text[VIEWS_TEXT_SIZE];

	if (ticket != v->ticket || ticket == 0)
		return;
	v->ticket = 0;
	if (!ok) { /* RULE 2 */
		/* RULE 13: the current view goes on. */
		v->store_retry_ms = v->now_ms + STORE_RETRY_MS;
		vm_say(v, LOG_LEVEL_ERROR, "view %llu could not be stored%s: tried again in %u ms",
		       (unsigned long long)v->next.view.number, v->next_is_current ? " with what its members compute" : "",
		       STORE_RETRY_MS);
		return;
	}
	if (v->mode == MODE_TAKEOVER && !uuid_equal(v->next.manager, v->manager))
		return; /* proposed before our data directory turned out to be an old copy */
	v->store_retry_ms = 0;
	if (v->next_is_current) {
		must(v->next.view.number == v->durable.view.number);
		v->durable.marks = v->next.marks;
		vm_fold_say(v, &before);
		return;
	}
	v->start_until_ms = 0;
	if (v->next_resets_floor) {
		vm_do_reset_floor(v);
		for (uint32_t i = 0; i < LIMIT_REPLICAS; i++)
			v->known[i].connect_floor = 0;
	}
	vm_view_adopt(v, &v->next);
	vm_say(v, v->next_resets_floor ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "view %llu: primary %u, members: %s (%s)",
	       (unsigned long long)v->next.view.number, v->next.view.primary, members_text(&v->next.view, text),
	       v->next_why);
	vm_fold_say(v, &before);
}
