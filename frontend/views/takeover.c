/* Taking over replicas that have been in views of another manager (rules 18 and 20): bind every member of the highest
 * view heard and every joint learner that any of them names; when all are durably bound and nobody told of a higher
 * view, make the next one. And noticing that somebody took over from us. */
#include "frontend/views/internal.h"

#include <stdio.h>
#include <string.h>

struct takeover {
	const struct view *highest; /* NULL: none heard */
	bool two_clusters;
	struct joint required[LIMIT_REPLICAS * 2];
	uint32_t required_count;
	struct id_list away;    /* required, and not here: nobody is bound before they are */
	struct id_list waiting; /* required, and not bound yet */
	struct id_list unheard; /* registered, perhaps alive, and not heard yet: may know of a higher view */
};

static bool heard_view(const struct known *k)
{
	return k->id != 0 && k->greeted && k->report.view.number > 0;
}

static void require(struct takeover *t, uint32_t id, struct uuid uuid)
{
	for (uint32_t i = 0; i < t->required_count; i++) {
		if (t->required[i].id == id && uuid_equal(t->required[i].uuid, uuid))
			return;
	}
	if (t->required_count == LIMIT_REPLICAS * 2)
		return; /* cannot be: members and learners are at most LIMIT_REPLICAS each */
	t->required[t->required_count].id = id;
	t->required[t->required_count].uuid = uuid;
	t->required_count++;
}

static void look(struct views *v, struct takeover *t)
{
	memset(t, 0, sizeof *t);
	/* What was heard counts also when who said it is gone by now. */
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && k->registered && !k->greeted && !vm_known_dead(v, k))
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
	/* RULE 18: a joint learner may be the primary of a view that was made after its admission and never heard of
	 * here. */
	for (uint32_t i = 0; i < t->highest->members_count; i++) {
		const struct known *k = vm_known_member(v, &t->highest->members[i]);

		for (uint32_t j = 0; k != NULL && j < k->report.joint_count; j++)
			require(t, k->report.joint[j].id, k->report.joint[j].uuid);
	}
	for (uint32_t i = 0; i < t->required_count; i++) {
		const struct known *k = vm_known_find(v, t->required[i].id);
		bool here = k != NULL && k->greeted && k->link == LINK_UP &&
			    uuid_equal(k->identity.uuid, t->required[i].uuid);

		if (!here)
			vm_id_list_add(&t->away, t->required[i].id);
		if (!here || !k->bound)
			vm_id_list_add(&t->waiting, t->required[i].id);
	}
	must(t->away.count <= t->waiting.count); /* nobody is bound who is not here */
	must(t->waiting.count <= t->required_count);
}

/* A replica that another front-end manages and that hears it; NULL: none. */
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
	vm_exit_with(v, text);
	return true;
}

/* Its connection is gone, or its data is: nobody knows whose it is now. */
void vm_takeover_lost(struct views *v, struct known *k)
{
	if (k->bound)
		v->bind_round++;
	k->bound = false;
	k->bind_open = false;
	k->confirmed = false;
	k->bind_round = 0;
}

/* One BIND at a time on a connection, so that an answer is the last question's. */
static void ask(struct views *v, struct known *k, uint64_t round)
{
	must(k->link == LINK_UP);
	if (k->bind_open && v->now_ms >= k->bind_ms)
		vm_liveness_disconnect(v, k, 0);
	if (k->bind_open || k->link != LINK_UP)
		return;
	k->bind_open = true;
	k->bind_ms = v->now_ms + BIND_WAIT_MS;
	k->bind_round = round;
	k->confirmed = false; /* RULE 20: what it said in an earlier round it may have taken back since */
	vm_do_bind(v, k);
}

void vm_takeover_bind(struct views *v, struct known *k)
{
	if (!k->bound)
		ask(v, k, 0);
}

void vm_takeover_begin(struct views *v)
{
	must(v->mode == MODE_FORMING || v->mode == MODE_NORMAL);
	enum mode was = v->mode;

	vm_become(v, MODE_TAKEOVER);
	memset(&v->durable.view, 0, sizeof v->durable.view);
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		vm_takeover_lost(v, k);
		/* A binding is taken from a connection that was opened in the new manager's name. */
		if (was == MODE_NORMAL && k->link != LINK_DOWN)
			vm_liveness_disconnect(v, k, 0);
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

		if (k != NULL && k->link == LINK_UP && k->greeted && uuid_equal(k->identity.uuid, t->required[i].uuid))
			vm_takeover_bind(v, k);
	}
}

/* RULE 20: all are bound. Each is asked whether it was so all the time since its first answer. */
static bool confirmed(struct views *v, const struct takeover *t)
{
	bool all = true;

	for (uint32_t i = 0; i < t->required_count; i++) {
		struct known *k = vm_known_find(v, t->required[i].id);

		must(k != NULL && k->bound);
		if (k->confirmed && k->bind_round == v->bind_round)
			continue;
		all = false;
		ask(v, k, v->bind_round);
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
	/* RULE 20: first all are asked, then they are bound: a take-over that cannot be done harms nobody. */
	if (t.away.count > 0)
		return;
	if (t.waiting.count > 0) { /* RULE 18 */
		v->bind_round++;
		bind_required(v, &t);
		return;
	}
	if (!confirmed(v, &t)) /* RULE 20 */
		return;
	/* RULE 18, 20: all are bound, each told its view after that, and this is the highest. */
	const struct view_member *best = vm_election_best(v, t.highest, 0);

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
	vm_exit_with(v, text);
}

/* RULE 20: we bound or made every member of ours; a member elsewhere, or a view as high as ours that is not ours, means
 * a successor. But who lost data, or can not read it all, says whose it was before we bound it. */
static bool has_successor(const struct views *v, const struct known *k)
{
	return k->report.view.number >= v->durable.view.number || (vm_known_is_member(v, k) && !k->lost_data);
}

/* RULE 20: a learner, or one that left us, that hears another front-end than us. It is shown, and asked on. */
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

		if (k->id == 0 || !k->greeted || k->link != LINK_UP)
			continue;
		enum standing standing = vm_known_standing(v, k);

		if (!heard_view(k)) { /* a predecessor bound it and never made a view with it */
			if (standing == STANDING_BOUND && !left_alone(v, k))
				vm_takeover_bind(v, k);
			continue;
		}
		if (standing == STANDING_BOUND) {
			if (has_successor(v, k)) { /* RULE 20 */
				replaced(v, k);
				return;
			}
			if (!left_alone(v, k))
				vm_takeover_bind(v, k); /* a predecessor left it behind */
			continue;
		}
		if (standing != STANDING_OURS && standing != STANDING_OLD_GENERATION)
			continue;
		if (k->report.view.number <= v->durable.view.number || /* RULE 20 */
		    !uuid_equal(k->report.view.manager, v->manager))
			continue;
		/* RULE 20: we never spoke of a view that we do not hold: our directory is an old copy. */
		vm_say(v, LOG_LEVEL_ERROR,
		       "replica %u is in view %llu and our stored view is %llu: the directory is an old copy", k->id,
		       (unsigned long long)k->report.view.number, (unsigned long long)v->durable.view.number);
		v->manager = v->fresh[0];
		vm_operator_close(v, "the front-end's directory is an old copy: taking over");
		vm_takeover_begin(v);
		return;
	}
}
