#include "server/replica/replica.h"

#include <stdio.h>
#include <string.h>

#include "rpc/base/shortage.h"
#include "server/replica/check.h"
#include "server/replica/connections.h"
#include "server/replica/damage.h"
#include "server/replica/durable.h"
#include "server/replica/fold.h"
#include "server/replica/joint.h"
#include "server/replica/output.h"
#include "server/replica/peers.h"
#include "server/replica/recover.h"
#include "server/replica/recv_push.h"
#include "server/replica/role.h"
#include "server/replica/room.h"
#include "server/replica/send_push.h"
#include "server/replica/state.h"
#include "server/replica/submit.h"
#include "server/replica/view_change.h"
#include "server/replica/writes.h"

struct replica *replica_new(const struct replica_options *options, const struct replica_service *service)
{
	struct replica *r = calloc(1, sizeof *r);

	must_allocate(r);
	must(options->id > 0);
	r->options = *options;
	r->service = *service;
	r->log = replica_log_new();
	r->staged_log = replica_log_new();
	r->sessions = sessions_new();
	r->waiters = waiters_new();
	r->submits.ring = calloc(LIMIT_HELD_CALLS, sizeof *r->submits.ring);
	r->reads.ring = calloc(LIMIT_HELD_CALLS, sizeof *r->reads.ring);
	must_allocate(r->submits.ring);
	must_allocate(r->reads.ring);
	r->next_ticket = 1;
	r->next_token = 1;
	return r;
}

void replica_free(struct replica *r)
{
	if (r == NULL)
		return;
	replica_log_free(r->log);
	replica_log_free(r->staged_log);
	sessions_free(r->sessions);
	validations_free(&r->validations);
	free(r->submits.ring);
	free(r->reads.ring);
	free(r->writes);
	waiters_free(r->waiters);
	free(r);
}

void replica_actions_free(struct replica_actions *actions)
{
	free(actions->list);
	*actions = (struct replica_actions){0};
}

static void take_disk(struct replica *r, bool full)
{
	if (r->disk_full == full)
		return;
	r->disk_full = full;
	replica_say(r, LOG_LEVEL_WARN, full ? "disk full: no room for the next journal segment" : "disk has room again");
	replica_news(r);
}

static void take_heartbeat(struct replica *r, const struct replica_heartbeat *heartbeat)
{
	r->min_members = heartbeat->min_members;
	r->full_wait_ms = heartbeat->full_wait_ms;
	if (heartbeat->peers != NULL)
		replica_peers_sync(r, heartbeat->peers);
	if (!heartbeat->retire)
		return;
	/* One that goes on serving a view of an old generation hears here only that it is over (RULE 3). */
	replica_depose(r, heartbeat->view);
	if (!replica_is_serving(r))
		replica_do(r, DO_RETIRE)->retire.text =
			replica_text(r, "%s", r->state == STATE_DAMAGED ? r->detail : "told by the view manager");
}

static void take(struct replica *r, const struct replica_event *event)
{
	switch (event->kind) {
	case REPLICA_RECOVER_BASE:
	case REPLICA_RECOVER_META:
	case REPLICA_RECOVER_BATCH:
	case REPLICA_RECOVER_STAGED:
	case REPLICA_RECOVER_STATE:
		replica_recover(r, event);
		return;
	case REPLICA_START:
		replica_start(r, event->start.tail_cut, event->start.damage);
		return;
	case REPLICA_SUBMIT:
		replica_submit(r, &event->submit);
		return;
	case REPLICA_PROPOSE:
		replica_propose(r, &event->propose);
		return;
	case REPLICA_DECLINE:
		replica_decline(r, &event->decline);
		return;
	case REPLICA_QUERY:
		replica_query(r, &event->query);
		return;
	case REPLICA_FLUSH:
		replica_go_on(r);
		replica_write_log(r);
		replica_push_all(r);
		break;
	case REPLICA_DURABLE:
		replica_durable(r, event->durable.ticket);
		break;
	case REPLICA_DISK:
		take_disk(r, event->disk.full);
		break;
	case REPLICA_DAMAGE:
		replica_damaged(r, event->damage.text);
		break;
	case REPLICA_PUSH:
		replica_recv_push(r, &event->push);
		break;
	case REPLICA_STAGED:
		replica_staged(r, &event->staged);
		break;
	case REPLICA_INSTALL:
		replica_install(r, &event->install);
		break;
	case REPLICA_BIND:
		replica_bind(r, &event->bind);
		break;
	case REPLICA_HEARTBEAT:
		take_heartbeat(r, &event->heartbeat);
		break;
	case REPLICA_MANAGER:
		r->manager_connected = event->manager.connected;
		replica_stop_check(r);
		break;
	case REPLICA_STOP:
		replica_stop(r, event->stop.failure);
		break;
	case REPLICA_PEER_UP:
		replica_peer_up(r, &event->peer_up);
		break;
	case REPLICA_PEER_DOWN:
		replica_peer_down(r, &event->peer_down);
		break;
	case REPLICA_ACK:
		replica_recv_ack(r, &event->ack);
		break;
	case REPLICA_PONG:
		replica_pong(r, &event->pong);
		break;
	case REPLICA_TICK:
		replica_peers_tick(r);
		replica_expire_reads(r);
		replica_release_held(r); /* what held them back may end without an answer from anybody */
		replica_stop_check(r);
		break;
	}
	replica_needs_refresh(r);
	replica_room_refresh(r);
}

bool replica_event_borrows(enum replica_event_kind kind)
{
	switch (kind) {
	case REPLICA_RECOVER_META:
	case REPLICA_RECOVER_BATCH:
	case REPLICA_RECOVER_STAGED:
	case REPLICA_START:
	case REPLICA_PROPOSE:
	case REPLICA_DAMAGE:
	case REPLICA_PUSH:
	case REPLICA_INSTALL:
	case REPLICA_HEARTBEAT:
	case REPLICA_STOP:
	case REPLICA_PEER_UP:
	case REPLICA_ACK:
		return true;
	case REPLICA_RECOVER_BASE:
	case REPLICA_RECOVER_STATE:
	case REPLICA_SUBMIT:
	case REPLICA_DECLINE:
	case REPLICA_QUERY:
	case REPLICA_FLUSH:
	case REPLICA_DURABLE:
	case REPLICA_DISK:
	case REPLICA_STAGED:
	case REPLICA_BIND:
	case REPLICA_MANAGER:
	case REPLICA_PEER_DOWN:
	case REPLICA_PONG:
	case REPLICA_TICK:
		return false;
	}
	must_not_reach("a kind of event");
}

void replica_step(struct replica *r, const struct replica_event *event, struct replica_actions *actions)
{
	uint64_t commit = r->commit;
	uint64_t view = r->view.number;

	must(event->now_ms >= r->now_ms);
	actions->count = 0;
	r->out = actions;
	r->now_ms = event->now_ms;
	sessions_applied(r->sessions, r->applied); /* by now the history has them */
	if (replica_fold_begin(r))
		replica_release_reads(r);
	r->carried_out = r->applied;
	take(r, event);
	r->out = NULL;

	replica_check(r, event->kind);
	must(r->commit >= commit);             /* RULE 7: never falls within one incarnation */
	must(r->view.number >= view);          /* RULE 2 */
}

void replica_report(const struct replica *r, struct report *report)
{
	memset(report, 0, sizeof *report);
	report->news = r->news;
	report->id = r->options.id;
	report->uuid = r->uuid;
	/* RULE 2: not a word of a view that is not durable */
	report->view = r->durable_view;
	if (report->view.number > 0)
		report->view.manager = r->durable_bound; /* RULE 20: bound since, perhaps, to a successor */
	report->role = r->role;
	report->state = r->state;
	report->entered = r->entered;
	if (!replica_view_durable(r) && r->state != STATE_DAMAGED) {
		report->state = STATE_DEPOSED;
		report->entered = false;
	}
	report->whole_view = r->durable_whole_view;
	report->op = r->durable_op;
	/* RULE 4: a crash leaves the old log or the new one */
	if (r->adopting)
		report->op = r->replaced_durable_op < r->written_op ? r->replaced_durable_op : r->written_op;
	report->commit = r->commit;
	report->digest_op = r->applied;
	report->digest = r->applied_digest;
	report->tail_cut = r->tail_cut;
	report->fold_differs_op = r->fold.durable_differs_op;
	report->fold_equal_op = r->fold.equal_op;
	report->pending = r->requests_in - r->requests_out;
	replica_report_room(r, report);
	report->stopping = r->stopping;
	snprintf(report->detail, sizeof report->detail, "%s", r->detail);
	report->joint_count = r->joint_count;
	memcpy(report->joint, r->joint, sizeof report->joint);
	report->needs_count = r->needs_count;
	memcpy(report->needs, r->needs, sizeof report->needs);
}

void replica_meta_now(const struct replica *r, struct replica_meta *meta)
{
	memset(meta, 0, sizeof *meta);
	meta->id = r->options.id;
	meta->uuid = r->uuid;
	meta->bound = r->bound;
	meta->view = r->view;
	meta->whole_view = r->whole_view;
	meta->tail_cut = r->tail_cut;
	meta->fold_differs_op = r->fold.differs_op;
	meta->joint_count = r->joint_count;
	memcpy(meta->joint, r->joint, sizeof meta->joint);
}

struct replica_entry replica_entry_at(const struct replica *r, uint64_t op)
{
	const struct log_entry *entry = replica_log_at(r->log, op);

	return (struct replica_entry){.view = entry->view, .body = entry->body, .size = entry->size};
}

bool replica_is_damaged(const struct replica *r)
{
	return r->state == STATE_DAMAGED;
}

uint64_t replica_commit(const struct replica *r)
{
	return r->commit;
}

uint64_t replica_last_op(const struct replica *r)
{
	return replica_log_last(r->log);
}

const struct view *replica_view(const struct replica *r)
{
	return &r->view;
}

struct uuid replica_bound(const struct replica *r)
{
	return r->bound;
}
