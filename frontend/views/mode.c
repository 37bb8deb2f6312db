#include "frontend/views/mode.h"

#include "frontend/views/fold.h"
#include "frontend/views/known.h"
#include "frontend/views/view_members.h"

#define BIT(mode) (1u << (mode))

/* From each mode, those that may follow. */
static const unsigned moves[] = {
	[MODE_IDLE] = BIT(MODE_FORMING) | BIT(MODE_NORMAL),
	[MODE_FORMING] = BIT(MODE_TAKEOVER) | BIT(MODE_NORMAL) | BIT(MODE_EXITED),
	[MODE_TAKEOVER] = BIT(MODE_NORMAL) | BIT(MODE_EXITED),
	[MODE_NORMAL] = BIT(MODE_NORMAL) | BIT(MODE_TAKEOVER) | BIT(MODE_EXITED), /* each view is adopted */
	[MODE_EXITED] = 0, /* RULE 20: a replaced front-end sends nothing more */
};

void vm_become(struct views *v, enum mode mode)
{
	must(mode <= MODE_EXITED);
	must((moves[v->mode] & BIT(mode)) != 0);
	v->mode = mode;
}

static void check_routed(const struct views *v)
{
	const struct known *k = vm_known_find((struct views *)(uintptr_t)v, v->routed_id);

	must(v->routed_id == v->durable.view.primary); /* RULE 4 */
	must(v->routed_view == v->durable.view.number);
	must(k != NULL);
	must(k->connection == v->routed_connection);
	must(vm_known_reachable(v, k));
	must(k->report.entered); /* RULE 6 */
}

static void check_mode(const struct views *v)
{
	switch (v->mode) {
	case MODE_IDLE:
		must_not_reach("the first event is START");
		break;
	case MODE_FORMING:
	case MODE_TAKEOVER:
		/* RULE 18: without a view of our own no replica serves, and there is nothing to move or to remove. */
		must(v->durable.view.number == 0);
		must(!v->routed);
		must(!v->switchover.open);
		must(!v->removal.open && !v->upgrade.open);
		break;
	case MODE_NORMAL:
		vm_view_must_be_whole(&v->durable.view);
		must(uuid_equal(v->durable.manager, v->manager));
		must(v->managed_ms == 0);
		if (v->routed)
			check_routed(v);
		break;
	case MODE_EXITED:
		must(!v->routed);
		must(!v->switchover.open && !v->promotion.open && !v->removal.open && !v->upgrade.open);
		must(v->deadline_ms == UINT64_MAX);
		break;
	}
}

static void check_store(const struct views *v)
{
	must(v->highest_number >= v->durable.view.number);
	must(v->ticket <= v->tickets);
	if (v->ticket == 0)
		return;
	must(v->ticket == v->tickets); /* one STORE at a time, the last one asked for */
	must(v->ticket_ms <= v->now_ms);
	if (v->next_is_current && v->mode != MODE_TAKEOVER) {
		must(v->next.view.number == v->durable.view.number);
	} else if (!v->next_is_current) {
		must(v->next.view.number == v->highest_number); /* RULE 2 */
		must(v->next.view.number > v->durable.view.number);
	}
	must(uuid_equal(v->next.manager, v->next.view.manager)); /* RULE 20 */
}

static void check_request(const struct views *v, const struct operator_request *request)
{
	if (!request->open)
		return;
	must(v->now_ms < request->until_ms); /* otherwise it has been answered */
	/* A request that waits for the disk needs a STORE in flight: otherwise it would never be answered. */
	must(request->view != VIEW_PROPOSED || v->ticket != 0);
	must(request->view != VIEW_PROPOSED || request->tried); /* RULE 12 */
}

/* State of a connection does not outlive it. */
static void check_known(const struct views *v, const struct known *k)
{
	bool up = k->link == LINK_UP;

	if (k->id == 0) { /* a free entry has nothing open */
		must(k->link == LINK_DOWN);
		must(!k->identified && !k->registered);
		return;
	}
	must(k->link == LINK_DOWN || k->tried[0] != '\0');
	must(up || (!k->bound && !k->bind_open && !k->confirmed)); /* RULE 20 */
	must(!up || k->identified);
	must(!up || (!k->refused && !k->hung && !k->forgotten)); /* RULE 15 */
	must(k->backoff_ms <= BACKOFF_MOST_MS);
	must(k->quick_tries <= QUICK_TRIES);
	must(k->evict_since_ms <= v->now_ms);
	if (!k->identified)
		return;
	/* RULE 17: what is recorded under an id came from the replica with that id. */
	must(k->identity.id == k->id);
	must(k->report.id == k->id);
	must(uuid_equal(k->identity.uuid, k->report.uuid));
}

void vm_check(const struct views *v)
{
	check_mode(v);
	check_store(v);
	vm_fold_check(v);
	must(!v->switchover.open || !v->promotion.open);
	check_request(v, &v->switchover);
	check_request(v, &v->promotion);
	check_request(v, &v->removal);
	check_request(v, &v->upgrade);
	must(v->tokens_opened == v->tokens_answered + (v->switchover.open ? 1 : 0) + (v->promotion.open ? 1 : 0) +
					 (v->removal.open ? 1 : 0) + (v->upgrade.open ? 1 : 0)); /* each exactly once */
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		check_known(v, &v->known[i]);
		for (uint32_t j = 0; v->known[i].id != 0 && j < i; j++)
			must(v->known[j].id != v->known[i].id);
	}
}
