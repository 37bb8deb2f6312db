#include "frontend/views/reasons.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/id_list.h"
#include "frontend/views/known.h"

/* Far above what a healthy disk takes. */
#define STORE_SLOW_MS 1000

bool vm_store_is_slow(const struct views *v)
{
	return v->ticket != 0 && v->now_ms >= v->ticket_ms + STORE_SLOW_MS;
}

bool vm_explain_store(const struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	if (vm_store_is_slow(v)) {
		snprintf(text, VIEWS_TEXT_SIZE,
			 "making view %llu waits for this front-end's own disk, which has taken more than %d s to store it: look "
			 "at the disk of its --data-dir (%.200s)",
			 (unsigned long long)v->next.view.number, STORE_SLOW_MS / 1000, v->next_why);
		return true;
	}
	if (v->mode == MODE_NORMAL || v->ticket != 0 || v->store_retry_ms <= v->now_ms)
		return false;
	snprintf(text, VIEWS_TEXT_SIZE, "the view cannot be stored in the front-end's own directory: its log says why");
	return true;
}

static void append(char *text, size_t size, const char *part)
{
	size_t used = strlen(text);

	if (used + strlen(part) < size) /* a part that does not fit is left out */
		memcpy(text + used, part, strlen(part) + 1);
}

/* Which replica promote --force should take: the one with the highest op. */
static const struct known *best_heir(const struct views *v, const struct view *view)
{
	const struct known *best = NULL;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0 || !k->identified || k->link != LINK_UP || k->report.view.number == 0 ||
		    k->report.state == STATE_DAMAGED || !uuid_equal(k->report.view.cluster, view->cluster))
			continue;
		if (best == NULL || k->report.op > best->report.op)
			best = k;
	}
	return best;
}

void vm_explain_replaced(struct views *v, const struct view *view, bool all_needed, char text[static VIEWS_TEXT_SIZE])
{
	struct id_list replaced = {.count = 0};
	const struct known *heir = best_heir(v, view);
	char ids[VIEWS_TEXT_SIZE], part[VIEWS_TEXT_SIZE];

	for (uint32_t i = 0; i < view->members_count; i++) {
		if (vm_member_replaced(v, &view->members[i]))
			vm_id_list_add(&replaced, view->members[i].id);
	}
	if (replaced.count == 0)
		return;
	snprintf(part, sizeof part, "; %.100s answers with another data directory than the member's",
		 vm_id_list_text(&replaced, ids));
	append(text, VIEWS_TEXT_SIZE, part);
	if (!all_needed && replaced.count < view->members_count)
		return; /* a member that is merely away will do */
	append(text, VIEWS_TEXT_SIZE, ": start it on the old one");
	if (heir == NULL)
		snprintf(part, sizeof part, ", for no other replica here holds this cluster's orders");
	else
		snprintf(part, sizeof part, ", or go on without it: justhungry promote --force %u", heir->id);
	append(text, VIEWS_TEXT_SIZE, part);
}

void vm_explain_foreign(const struct views *v, char *text, size_t size)
{
	struct id_list foreign = {.count = 0};
	uint64_t orders = 0;
	char ids[VIEWS_TEXT_SIZE], part[VIEWS_TEXT_SIZE];

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0 || k->forgotten || vm_known_standing(v, k) != STANDING_FOREIGN)
			continue;
		vm_id_list_add(&foreign, k->id);
		if (k->report.op > orders)
			orders = k->report.op;
	}
	if (foreign.count == 0)
		return;
	snprintf(part, sizeof part, "; %.100s of another cluster hold%s %llu order%s and %s left alone", vm_id_list_text(&foreign, ids),
		 foreign.count == 1 ? "s" : "", (unsigned long long)orders, orders == 1 ? "" : "s",
		 foreign.count == 1 ? "is" : "are");
	append(text, size, part);
	if (orders > 0)
		append(text, size, ": to go back to these orders stop this front-end and its replicas, and start "
		       "justhungry-frontend with an empty --data-dir");
}

void vm_explain_formats(const struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];
		size_t used = strlen(text);
		int more;

		if (k->id == 0 || k->hello_status != HELLO_FORMAT || k->note_kind != NOTE_OTHER_FORMAT)
			continue;
		more = snprintf(text + used, VIEWS_TEXT_SIZE - used, "; replica %u %s", k->id, k->note);
		if (more < 0 || (size_t)more >= VIEWS_TEXT_SIZE - used) {
			text[used] = '\0'; /* a part that does not fit is left out */
			return;
		}
	}
}
