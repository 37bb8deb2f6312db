#include "frontend/views/views.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/admission.h"
#include "frontend/views/clocks.h"
#include "frontend/views/connection.h"
#include "frontend/views/election.h"
#include "frontend/views/fold.h"
#include "frontend/views/formation.h"
#include "frontend/views/hello.h"
#include "frontend/views/liveness.h"
#include "frontend/views/mode.h"
#include "frontend/views/operator.h"
#include "frontend/views/removal.h"
#include "frontend/views/serving.h"
#include "frontend/views/state.h"
#include "frontend/views/takeover.h"
#include "frontend/views/upgrade.h"
#include "frontend/views/view_change.h"
#include "rpc/base/shortage.h"

struct views *views_new(const struct views_options *options)
{
	struct views *v = calloc(1, sizeof *v);

	must_allocate(v);
	must(options->heartbeat_ms > 0);
	must(options->suspect_ms > options->heartbeat_ms);
	must(format_range_valid(options->formats));
	v->options = *options;
	v->deadline_ms = UINT64_MAX;
	return v;
}

void views_free(struct views *v)
{
	free(v);
}

static void start(struct views *v, const struct views_stored *stored)
{
	must(v->mode == MODE_IDLE);
	v->beat_ms = v->now_ms;
	v->manager = stored != NULL && !uuid_is_nil(stored->manager) ? stored->manager : v->fresh[0];
	if (stored == NULL || stored->view.number == 0) {
		vm_become(v, MODE_FORMING);
		return;
	}
	v->marks = stored->marks;
	vm_view_adopt(v, stored);
	v->start_until_ms = v->now_ms + v->options.start_wait_ms; /* RULE 3 */
	if (v->options.new_cluster)
		vm_say(v, LOG_LEVEL_WARN, "--new-cluster is ignored: view %llu is stored",
		       (unsigned long long)stored->view.number);
}

static void learn(struct views *v, const struct views_event *event)
{
	switch (event->kind) {
	case VIEWS_START:
		start(v, event->start.stored);
		return;
	case VIEWS_FOUND:
		vm_connection_found(v, event->found.id, event->found.address);
		return;
	case VIEWS_DUMPED:
		vm_liveness_dumped(v, event->dumped.complete, event->dumped.ids, event->dumped.ids_count);
		return;
	case VIEWS_HELLO:
		vm_hello_answered(v, &event->hello);
		return;
	case VIEWS_REPORT:
		vm_hello_report(v, event->report.id, event->report.report);
		return;
	case VIEWS_ALIVE:
		vm_liveness_alive(v, event->alive.id, event->alive.heard_ms);
		return;
	case VIEWS_LOST:
		vm_connection_lost(v, event->lost.id, event->lost.refused);
		return;
	case VIEWS_BOUND:
		vm_hello_bound(v, event->bound.id, event->bound.report);
		return;
	case VIEWS_STORED:
		vm_view_stored(v, event->stored.ticket, event->stored.ok);
		return;
	case VIEWS_DEMAND:
		v->waiting = event->demand.waiting;
		return;
	case VIEWS_SWITCHOVER:
		vm_operator_switchover(v, event->operator.token, event->operator.id);
		return;
	case VIEWS_PROMOTE:
		vm_operator_promote(v, event->operator.token, event->operator.id, event->operator.confirm);
		return;
	case VIEWS_REMOVE:
		vm_removal_asked(v, event->operator.token, event->operator.id);
		return;
	case VIEWS_UPGRADE:
		vm_upgrade_asked(v, event->operator.token);
		return;
	case VIEWS_TICK:
		/* Replicas are suspected only on TICK, after pending replies have been read (rule 15). */
		vm_liveness_tick(v);
		vm_clocks_tick(v);
		return;
	}
}

static void decide(struct views *v)
{
	if (v->mode == MODE_NORMAL)
		vm_takeover_watch(v);
	switch (v->mode) {
	case MODE_FORMING:
		if (!vm_takeover_managed(v))
			vm_formation_consider(v);
		break;
	case MODE_TAKEOVER:
		if (!vm_takeover_managed(v)) {
			vm_operator_consider(v);
			vm_takeover_consider(v);
		}
		break;
	case MODE_NORMAL:
		vm_needs_note(v);
		vm_fold_learn(v, &v->durable.view);
		vm_serving_install(v);
		vm_operator_consider(v);
		vm_removal_consider(v);
		vm_upgrade_consider(v);
		vm_election_consider(v);
		vm_view_consider_marks(v);
		break;
	case MODE_IDLE:
	case MODE_EXITED:
		break;
	}
	if (v->mode == MODE_EXITED)
		return;
	vm_serving_route(v);
	vm_operator_settle(v);
	vm_removal_settle(v);
	vm_upgrade_settle(v);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

static uint64_t deadline(struct views *v)
{
	uint64_t at = vm_liveness_deadline(v);

	/* Both may be past while a STORE is under way or waits for its retry, which wakes us then. */
	if (v->start_until_ms > v->now_ms)
		at = earliest(at, v->start_until_ms);
	if (v->store_retry_ms > v->now_ms)
		at = earliest(at, v->store_retry_ms);
	at = earliest(at, vm_takeover_deadline(v));
	if (v->switchover.open)
		at = earliest(at, v->switchover.until_ms);
	if (v->promotion.open)
		at = earliest(at, v->promotion.until_ms);
	if (v->removal.open)
		at = earliest(at, v->removal.until_ms);
	if (v->upgrade.open)
		at = earliest(at, v->upgrade.until_ms);
	return at;
}

/* A replaced front-end does nothing more, but every operator request is answered. */
static void answer_only(struct views *v, const struct views_event *event)
{
	if (event->kind != VIEWS_SWITCHOVER && event->kind != VIEWS_PROMOTE && event->kind != VIEWS_REMOVE &&
	    event->kind != VIEWS_UPGRADE)
		return;
	v->tokens_opened++;
	vm_answer(v, event->operator.token, VIEWS_REFUSED, "this front-end is replaced by another one");
}

void views_step(struct views *v, const struct views_event *event, struct views_actions *actions)
{
	uint64_t highest_number = v->highest_number;
	uint64_t number = v->durable.view.number;

	must(event->now_ms >= v->now_ms);
	must((event->kind == VIEWS_START) == (v->mode == MODE_IDLE));
	actions->count = 0;
	v->actions = actions;
	v->now_ms = event->now_ms;
	v->wall_us = event->wall_us;
	v->floor = event->floor;
	memcpy(v->fresh, event->fresh, sizeof v->fresh);
	if (v->mode == MODE_EXITED) {
		answer_only(v, event);
	} else {
		if (v->deadline_ms != UINT64_MAX && v->now_ms > v->deadline_ms + v->options.heartbeat_ms) /* RULE 15 */
			vm_liveness_late(v);
		learn(v, event);
		decide(v);
	}
	v->deadline_ms = v->mode == MODE_EXITED ? UINT64_MAX : deadline(v);
	actions->deadline_ms = v->deadline_ms;
	v->actions = NULL;
	vm_check(v);
	must(v->highest_number >= highest_number);                           /* RULE 2 */
	must(v->durable.view.number >= number || v->mode != MODE_NORMAL); /* RULE 20: except for an old copy */
}

const struct view *views_current(const struct views *v)
{
	return &v->durable.view;
}

const struct views_stored *views_to_store(const struct views *v)
{
	return &v->next;
}

struct uuid views_manager(const struct views *v)
{
	return v->manager;
}

struct format_range views_formats(const struct views *v)
{
	return v->options.formats;
}

bool views_serving(const struct views *v, uint32_t *primary)
{
	if (primary != NULL)
		*primary = v->routed ? v->routed_id : 0;
	return v->routed;
}
