#include "frontend/views/takeover.h"

#include <stdio.h>
#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/binding.h"
#include "frontend/views/candidates.h"
#include "frontend/views/connection.h"
#include "frontend/views/expected.h"
#include "frontend/views/fold.h"
#include "frontend/views/id_list.h"
#include "frontend/views/known.h"
#include "frontend/views/mode.h"
#include "frontend/views/operator_request.h"
#include "frontend/views/reasons.h"
#include "frontend/views/view_change.h"

struct takeover {
	const struct view *highest; /* NULL: none heard */
	bool two_clusters;
	struct joint required[LIMIT_REPLICAS * 2];
	uint32_t required_count;
	struct id_list away;    /* required, and not here: none is bound before they are */
	struct id_list waiting; /* required, and not bound yet */
	struct id_list unheard; /* registered, perhaps alive, and not heard yet: may know of a higher view */
};

static bool heard_view(const struct known *k)
{
	return k->id != 0 && k->identified && k->report.view.number > 0;
}

static void require(struct takeover *t, uint32_t id, struct uuid uuid)
{
	for (uint32_t i = 0; i < t->required_count; i++) {
		if (t->required[i].id == id && uuid_equal(t->required[i].uuid, uuid))
			return;
	}
	if (t->required_count == LIMIT_REPLICAS * 2)
		return; /* cannot happen: members and learners are at most LIMIT_REPLICAS each */
	t->required[t->required_count].id = id;
	t->required[t->required_count].uuid = uuid;
	t->required_count++;
}

static void look(struct views *v, struct takeover *t)
{
	memset(t, 0, sizeof *t);
	/* A report counts even when its replica is gone by now. */
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && k->registered && !k->identified && !vm_known_dead(v, k))
			vm_id_list_add(&t->unheard, k->id);
		if (!heard_view(k))
			continue;
		if (t->highest != NULL && !uuid_equal(t->highest->cluster, k->report.view.cluster))
			t->two_clusters = true;
		if (t->highest == NULL || k->report.view.number > t->highest->number)
			t->highest = &k->report.view;
	}
	if (t->highest == NULL)
		return;
	for (uint32_t i = 0; i < t->highest->members_count; i++)
		require(t, t->highest->members[i].id, t->highest->members[i].uuid);
	/* RULE 18: a joint learner may be the primary of a view that was made after its admission and never reached
	 * us. */
	for (uint32_t i = 0; i < t->highest->members_count; i++) {
		const struct known *k = vm_known_member(v, &t->highest->members[i]);

		for (uint32_t j = 0; k != NULL && j < k->report.joint_count; j++)
			require(t, k->report.joint[j].id, k->report.joint[j].uuid);
	}
	for (uint32_t i = 0; i < t->required_count; i++) {
		const struct known *k = vm_known_find(v, t->required[i].id);
		bool here = k != NULL && k->identified && k->link == LINK_UP &&
			    uuid_equal(k->identity.uuid, t->required[i].uuid);

		if (!here)
			vm_id_list_add(&t->away, t->required[i].id);
		if (!here || !k->bound)
			vm_id_list_add(&t->waiting, t->required[i].id);
	}
	must(t->away.count <= t->waiting.count); /* a replica that is away is not bound */
	must(t->waiting.count <= t->required_count);
}

/* A replica that is bound to another front-end and hears it; NULL: none. */
static const struct known *managed(const struct views *v)
{
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && k->link == LINK_UP && vm_known_standing(v, k) == STANDING_BOUND && k->report.managed)
			return k;
	}
	return NULL;
}

static const char *frontend_of(const struct known *k)
{
	return k->report.frontend[0] != '\0' ? k->report.frontend : "an address that they do not know yet";
}

void vm_takeover_explain_managed(struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	const struct known *k = managed(v);

	if (k == NULL)
		snprintf(text, VIEWS_TEXT_SIZE, "another front-end manages the replicas");
	else
		snprintf(text, VIEWS_TEXT_SIZE, "replica %u is managed by the front-end at %s", k->id, frontend_of(k));
}

static uint64_t managed_until(const struct views *v)
{
	return v->managed_ms + MANAGED_MS + (uint64_t)v->manager.bytes[5] * MANAGED_MS / 256;
}

uint64_t vm_takeover_deadline(const struct views *v)
{
	return v->managed_ms != 0 && managed_until(v) > v->now_ms ? managed_until(v) : 0;
}

/* The last actions: every operator request is answered, and nothing is routed any more. */
static void leave(struct views *v, const char *text)
{
	must(v->mode != MODE_EXITED);
	vm_request_close_all(v, text);
	if (v->routed)
		vm_do_hold(v, text);
	v->routed = false;
	vm_become(v, MODE_EXITED);
	vm_do_exit(v, text);
}

bool vm_takeover_managed(struct views *v)
{
	const struct known *k = v->options.take_over ? NULL : managed(v);
	char text[VIEWS_TEXT_SIZE];
	struct takeover t;

	must(v->mode == MODE_FORMING || v->mode == MODE_TAKEOVER);
	look(v, &t);
	if (k == NULL) { /* RULE 20 */
		v->managed_ms = 0;
		return false;
	}
	if (v->managed_ms == 0)
		v->managed_ms = v->now_ms == 0 ? 1 : v->now_ms;
	if (v->now_ms < managed_until(v) || t.two_clusters)
		return true;
	snprintf(text, sizeof text, "replicas are managed by the front-end at %s: use that one, or --take-over",
		 frontend_of(k));
	leave(v, text);
	return true;
}

void vm_takeover_begin(struct views *v)
{
	must(v->mode == MODE_FORMING || v->mode == MODE_NORMAL);
	enum mode was = v->mode;

	vm_become(v, MODE_TAKEOVER);
	memset(&v->durable.view, 0, sizeof v->durable.view);
	v->durable.marks.count = v->marks.count = 0; /* each member that is asked has its own on its disk */
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		vm_connection_unbound(v, k);
		/* A replica is bound only over a connection whose hello named the new manager. */
		if (was == MODE_NORMAL && k->link != LINK_DOWN)
			vm_connection_close(v, k, 0);
	}
	vm_say(v, LOG_LEVEL_WARN, "no view of our own, but replicas have been in one: taking over");
}

static void explain_away(struct views *v, const struct takeover *t, char text[static VIEWS_TEXT_SIZE])
{
	char ids[VIEWS_TEXT_SIZE];

	snprintf(text, VIEWS_TEXT_SIZE, "take-over of view %llu: waiting for %.300s", (unsigned long long)t->highest->number,
		 vm_id_list_text(&t->away, ids));
	vm_explain_replaced(v, t->highest, true, text);
}

void vm_takeover_explain(struct views *v, char text[static VIEWS_TEXT_SIZE])
{
	struct takeover t;
	char ids[VIEWS_TEXT_SIZE];

	look(v, &t);
	if (t.two_clusters)
		snprintf(text, VIEWS_TEXT_SIZE,
			 "take-over: replicas of more than one cluster answer: stop those that do not belong here "
			 "and restart this front-end");
	else if (t.unheard.count > 0)
		snprintf(text, VIEWS_TEXT_SIZE, "take-over: asking %.300s", vm_id_list_text(&t.unheard, ids));
	else if (t.away.count > 0)
		explain_away(v, &t, text);
	else if (t.waiting.count > 0)
		snprintf(text, VIEWS_TEXT_SIZE, "take-over of view %llu: waiting for %.300s",
			 (unsigned long long)t.highest->number, vm_id_list_text(&t.waiting, ids));
	else if (t.highest != NULL && vm_candidate_best(v, t.highest, 0) == NULL)
		snprintf(text, VIEWS_TEXT_SIZE,
			 "take-over of view %llu: no member is sure to hold all orders and to compute what clients were told; the way "
			 "out is: justhungry promote --force ID",
			 (unsigned long long)t.highest->number);
	else if (t.highest != NULL)
		snprintf(text, VIEWS_TEXT_SIZE, "take-over of view %llu: all its members are bound",
			 (unsigned long long)t.highest->number);
	else
		snprintf(
			text, VIEWS_TEXT_SIZE,
			"take-over: whoever had been in a view came back without its data; to form a new cluster restart "
			"justhungry-frontend with --new-cluster added to the options it has (--data-dir DIR%.31s)",
			v->options.base_option);
}

static void bind_required(struct views *v, const struct takeover *t)
{
	for (uint32_t i = 0; i < t->required_count; i++) {
		struct known *k = vm_known_find(v, t->required[i].id);

		if (k != NULL && k->link == LINK_UP && k->identified && uuid_equal(k->identity.uuid, t->required[i].uuid))
			vm_bind(v, k);
	}
}

/* RULE 20: all are bound. Each must confirm that it has been so without interruption since its first answer. */
static bool confirmed(struct views *v, const struct takeover *t)
{
	bool all = true;

	for (uint32_t i = 0; i < t->required_count; i++) {
		struct known *k = vm_known_find(v, t->required[i].id);

		must(k != NULL && k->bound);
		if (k->confirmed && k->bind_round == v->bind_round)
			continue;
		all = false;
		vm_bind_ask(v, k, v->bind_round);
	}
	return all;
}

void vm_takeover_consider(struct views *v)
{
	struct takeover t;
	struct plan plan = {.resets_floor = false};

	must(v->mode == MODE_TAKEOVER);
	if (v->ticket != 0 || v->now_ms < v->store_retry_ms)
		return;
	look(v, &t);
	if (t.highest == NULL || t.two_clusters || !v->dumped || t.unheard.count > 0) /* RULE 18 */
		return;
	/* RULE 20: no replica is bound before all have answered: a take-over that cannot succeed does no harm. */
	if (t.away.count > 0)
		return;
	if (t.waiting.count > 0) { /* RULE 18 */
		v->bind_round++;
		bind_required(v, &t);
		return;
	}
	if (!confirmed(v, &t)) /* RULE 20 */
		return;
	/* RULE 18, 20: all are bound, each has reported its view after that, and this is the highest. */
	vm_fold_learn(v, t.highest);
	const struct view_member *best = vm_candidate_best(v, t.highest, 0);

	if (best == NULL)
		return;
	plan.view = *t.highest;
	vm_expected_settle(v, &plan.view);
	plan.view.primary = best->id;
	snprintf(plan.why, sizeof plan.why, "take-over of view %llu", (unsigned long long)t.highest->number);
	vm_view_propose(v, &plan);
	must(v->next.view.number > t.highest->number); /* RULE 20 */
}

static void replaced(struct views *v, const struct known *k)
{
	char uuid[UUID_TEXT_SIZE];
	char text[VIEWS_TEXT_SIZE];

	snprintf(
		text, sizeof text,
		"replaced: replica %u is bound to another front-end%s%s, manager %s, view %llu: this one ends; "
		"its directory is not to be used again",
		k->id, k->report.managed ? " at " : "", k->report.managed ? frontend_of(k) : "",
		uuid_format(k->report.view.manager, uuid), (unsigned long long)k->report.view.number);
	leave(v, text);
}

/* RULE 20: every member of our view was bound to us. A member bound elsewhere, or a foreign view as high as ours,
 * proves a successor. A replica that lost data, or cannot read all of it, is no proof: it may report its manager from
 * before. */
static bool has_successor(const struct views *v, const struct known *k)
{
	return k->report.view.number >= v->durable.view.number || (vm_known_is_member(v, k) && !k->lost_data);
}

/* RULE 20: a learner or former member that hears another front-end. It is shown in status and still gets heartbeats. */
static bool left_alone(struct views *v, struct known *k)
{
	if (!k->report.managed || v->options.take_over)
		return false;
	vm_say_of(v, k, LOG_LEVEL_WARN, "is managed by the front-end at %s", frontend_of(k));
	return true;
}

void vm_takeover_watch(struct views *v)
{
	must(v->mode == MODE_NORMAL);
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		if (k->id == 0 || !k->identified || k->link != LINK_UP)
			continue;
		enum standing standing = vm_known_standing(v, k);

		if (!heard_view(k)) { /* a predecessor bound it without ever making a view */
			if (standing == STANDING_BOUND && !left_alone(v, k))
				vm_bind(v, k);
			continue;
		}
		if (standing == STANDING_BOUND) {
			if (has_successor(v, k)) { /* RULE 20 */
				replaced(v, k);
				return;
			}
			if (!left_alone(v, k))
				vm_bind(v, k); /* a predecessor left it behind */
			continue;
		}
		if (standing != STANDING_OURS && standing != STANDING_OLD_GENERATION)
			continue;
		if (k->report.view.number <= v->durable.view.number || /* RULE 20 */
		    !uuid_equal(k->report.view.manager, v->manager))
			continue;
		/* RULE 20: a view is never sent before it is stored, so our data directory is an old copy. */
		vm_say(v, LOG_LEVEL_ERROR,
		       "replica %u is in view %llu and our stored view is %llu: the directory is an old copy", k->id,
		       (unsigned long long)k->report.view.number, (unsigned long long)v->durable.view.number);
		v->manager = v->fresh[0];
		vm_request_close_all(v, "the front-end's directory is an old copy: taking over");
		vm_takeover_begin(v);
		return;
	}
}
