#include "frontend/views/formation.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/binding.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/takeover.h"
#include "frontend/views/view_change.h"
#include "frontend/views/view_members.h"

struct formation {
	struct id_list unheard; /* registered, and never answered a hello */
	bool tried;             /* for one of these the reason is known */
	struct id_list fresh;   /* never in a view, and connected now */
	bool history;           /* somebody has been in a view */
};

static void look(struct views *v, struct formation *f)
{
	memset(f, 0, sizeof *f);
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id == 0)
			continue;
		if (!k->identified) {
			if (k->registered)
				vm_id_list_add(&f->unheard, k->id);
			f->tried |= k->registered && k->note_kind != NOTE_NONE;
			continue;
		}
		if (k->report.view.number > 0 || !uuid_is_nil(k->identity.cluster))
			f->history = true;
		else if (vm_known_standing(v, k) == STANDING_BOUND)
			vm_id_list_add(&f->unheard,
				       k->id); /* bound by a take-over that came to nothing: bind it first */
		else if (vm_known_reachable(v, k) && !k->lost_data)
			vm_id_list_add(&f->fresh, k->id);
	}
}

static bool may_form(const struct views *v, const struct formation *f)
{
	/* RULE 18 */
	return v->options.new_cluster && v->dump_complete && f->unheard.count == 0 && f->fresh.count > 0 &&
	       !f->history;
}

void vm_formation_explain(struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	struct formation f;
	char ids[VIEWS_TEXT_SIZE];

	look(v, &f);
	if (!v->dump_complete)
		snprintf(text, VIEWS_TEXT_SIZE,
			 "no cluster yet: waiting for the rpcbind of every --replica-hosts to answer");
	else if (f.unheard.count > 0)
		snprintf(text, VIEWS_TEXT_SIZE, "no cluster yet: waiting for %.300s, registered but not answering%s",
			 vm_id_list_text(&f.unheard, ids),
			 f.tried ? ": continue or restart what hangs; the entry of what is gone goes by itself" : "");
	else if (f.fresh.count == 0)
		snprintf(text, VIEWS_TEXT_SIZE,
			 "no cluster yet: no replica is registered: start justhungry-server --id 1 --data-dir DIR%.31s",
			 v->options.base_option);
	else if (!v->options.new_cluster)
		snprintf(
			text, VIEWS_TEXT_SIZE,
			"no stored view, and %.200s answered that they have never been in one: to form a new cluster "
			"of them restart justhungry-frontend with --new-cluster added to the options it has (--data-dir DIR%.31s)",
			vm_id_list_text(&f.fresh, ids), v->options.base_option);
	else
		snprintf(text, VIEWS_TEXT_SIZE, "forming a new cluster");
}

/* The highest that all of them and we speak: each of these programs may still be the older one of its successor. */
static uint32_t highest_format(struct views *v, const struct formation *f)
{
	uint32_t format = v->options.formats.high;

	for (uint32_t i = 0; i < f->fresh.count; i++) {
		const struct known *k = vm_known_find(v, f->fresh.ids[i]);

		must(k != NULL);
		format = k->identity.formats.high < format ? k->identity.formats.high : format;
	}
	must(format_range_includes(v->options.formats, format)); /* else its hello was refused */
	return format;
}

static void form(struct views *v, const struct formation *f)
{
	struct plan plan = {.resets_floor = false};
	/* One replica, with the order history that it was loaded with; the others join as learners. */
	const struct known *first = vm_known_find(v, f->fresh.ids[0]);

	must(first != NULL);
	must(first->link == LINK_UP);
	must(v->durable.view.number == 0);
	plan.view.cluster = v->fresh[0];
	plan.view.generation = v->fresh[1];
	must(!uuid_equal(v->fresh[0], v->manager));
	vm_view_member_add(&plan.view, first->id, first->identity.uuid);
	plan.view.primary = first->id;
	plan.view.format = highest_format(v, f);
	snprintf(plan.why, sizeof plan.why, "new cluster");
	vm_view_propose(v, &plan);
	must(v->next.view.number == 1 || v->tickets > 1); /* higher only after a failed STORE */
}

void vm_formation_consider(struct views *v)
{
	struct formation f;

	must(v->mode == MODE_FORMING);
	if (v->ticket != 0 || v->now_ms < v->store_retry_ms)
		return;
	look(v, &f);
	if (f.history) {
		/* RULE 18: a lost view file is not an empty cluster. */
		vm_takeover_begin(v);
		vm_takeover_consider(v);
		return;
	}
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		if (k->id != 0 && k->link == LINK_UP && vm_known_standing(v, k) == STANDING_BOUND)
			vm_bind(v, k);
	}
	if (may_form(v, &f))
		form(v, &f);
}
