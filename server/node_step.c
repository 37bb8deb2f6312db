/* A step: an event goes to the core, and its actions are carried out. */
#include <inttypes.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "server/disk/disk_records.h"
#include "server/disk/file_watch.h"
#include "server/disk/journal.h"
#include "server/disk/snapshotter.h"
#include "server/disk/staging.h"
#include "server/machine/machine.h"
#include "server/node_internal.h"
#include "server/peers/peer_links.h"
#include "server/requests.h"
#include "server/service.h"
#include "server/shop/machine_service.h"

#define NEARLY_FULL_PERCENT 80 /* RULE 19: of --max-orders; from then on status and the log warn */

/* --- carrying out ------------------------------------------------------------------------------------------------- */

/* RULE 19: warn of a limit while there is time to raise it. */
bool node_nearly_full(const struct node *node)
{
	return machine_op(node->machine) * 100 >= node->options.orders_max * NEARLY_FULL_PERCENT;
}

void node_warn_of_full(struct node *node)
{
	if (node->warned_of_full || !node_nearly_full(node))
		return;
	node->warned_of_full = true;
	log_warn("node", "%" PRIu64 " of the %" PRIu64 " orders that --max-orders allows are placed: beyond them orders "
		 "are refused; start every replica with a higher limit, one after the other",
		 machine_op(node->machine), node->options.orders_max);
}

static void apply(struct node *node, uint64_t op)
{
	machine_service_apply(node->machine, node->replica, op);
	if (machine_last_time_us(node->machine) > node->last_time_us)
		node->last_time_us = machine_last_time_us(node->machine);
	node_warn_of_full(node);
}

/* A replica that was given other --initial-orders than the cluster began with says in its log which of them count. */
static void tell_whose_initial_orders(const struct machine *ours, const struct machine *cluster)
{
	if (machine_op(ours) > 0 || machine_same_loaded(ours, cluster))
		return;
	log_warn("staging", "the cluster began with other initial orders (%" PRIu64 ") than this replica was loaded with (%" PRIu64
		 "): the cluster's count, and replace them",
		 history_loaded(machine_history(cluster)), history_loaded(machine_history(ours)));
}

/* The replacement is durable: the live history changes in one step. */
static void adopt(struct node *node, uint64_t op)
{
	struct machine *machine = staging_adopt(node->staging, op);

	tell_whose_initial_orders(node->machine, machine);
	snapshotter_release(node->snapshotter, node->machine);
	node->machine = machine;
	node->snapshot_op = op;
	file_watch_adopted(node->files);
}

static void write_record(struct node *node, const struct replica_write *write)
{
	if (node->journal == NULL)
		return; /* damaged: nothing more is written, and nothing becomes durable */
	/* The core's own bounds are far below the journal's queue. */
	bool queued = disk_record_append(node->journal, node->replica, node->options.daemon.program_base, write);

	must(queued);
}

static void carry_out(struct node *node, const struct replica_action *action)
{
	switch (action->kind) {
	case DO_WRITE:
		write_record(node, &action->write);
		break;
	case DO_APPLY:
		apply(node, action->apply.op);
		break;
	case DO_ADOPT:
		adopt(node, action->adopt.op);
		break;
	case DO_STAGE:
		staging_take(node->staging, action->stage.token, action->stage.piece);
		break;
	case DO_UNSTAGE:
		staging_drop(node->staging);
		break;
	case DO_VALIDATE:
		requests_validate(action->validate.token);
		break;
	case DO_ANSWER:
		requests_answer(&action->answer);
		break;
	case DO_READ:
	case DO_READ_MOVED:
		requests_answer_read(action->read.token, action->kind == DO_READ_MOVED);
		break;
	case DO_PUSH:
		peer_links_push(node->links, &action->push);
		break;
	case DO_PING:
		peer_links_ping(node->links, &action->ping);
		break;
	case DO_ACK:
		service_ack(&action->ack);
		break;
	case DO_INSTALLED:
		service_installed(&action->installed);
		break;
	case DO_BOUND:
		service_bound(action->bound.token, action->bound.ok);
		break;
	case DO_CONNECT:
		peer_links_connect(node->links, &action->connect);
		break;
	case DO_DISCONNECT:
		peer_links_disconnect(node->links, &action->disconnect);
		break;
	case DO_NEWS:
		service_news(node->service);
		break;
	case DO_RETIRE:
		if (!node->directory_gone) /* else it says so until it stops, see check_damaged */
			node_end(node, NODE_RETIRED, action->retire.text);
		break;
	case DO_EXIT:
		node_end(node, node->failing ? NODE_FAILED : NODE_STOPPED, "stopped");
		break;
	case DO_LOG:
		log_line((enum log_level)action->log.level, "replica", "%s", action->log.text);
		break;
	}
}

static void carry_out_all(struct node *node)
{
	for (uint32_t i = 0; i < node->actions.count; i++)
		carry_out(node, &node->actions.list[i]);
}

/* --- stepping ----------------------------------------------------------------------------------------------------- */

static void step(struct node *node, struct replica_event *event)
{
	event->now_ms = rpc_clock_us() / 1000;
	replica_step(node->replica, event, &node->actions);
	carry_out_all(node);
}

static void propose(struct node *node, struct replica_event *event, int64_t time_us)
{
	uint64_t last_op = replica_last_op(node->replica);

	step(node, event);
	if (event->kind == REPLICA_PROPOSE && replica_last_op(node->replica) > last_op)
		node->last_time_us = time_us; /* RULE 16 */
}

static void after_step(struct node *node)
{
	for (;;) {
		struct replica_event event;
		int64_t time_us = 0;

		if (node->deferred_count > 0) {
			event = node->deferred[node->deferred_first];
			node->deferred_first = (node->deferred_first + 1) % NODE_DEFERRED_MAX;
			node->deferred_count--;
			step(node, &event);
		} else if (requests_next(node->requests, &event, &time_us)) {
			propose(node, &event, time_us);
		} else {
			break;
		}
	}
}

/* Borrowed data would be gone by the time a deferred event is handled. */
static void defer(struct node *node, const struct replica_event *event)
{
	must(node->deferred_count < NODE_DEFERRED_MAX);
	must(!replica_event_borrows(event->kind));
	node->deferred[(node->deferred_first + node->deferred_count++) % NODE_DEFERRED_MAX] = *event;
}

void node_step(struct node *node, struct replica_event *event)
{
	if (node->stepping) {
		defer(node, event);
		return;
	}
	node->stepping = true;
	step(node, event);
	after_step(node);
	node->stepping = false;
}

void node_flush(struct node *node)
{
	if (node->stepping)
		return; /* the step under way flushes at its end */
	node->stepping = true;
	after_step(node);
	step(node, &(struct replica_event){.kind = REPLICA_FLUSH});
	after_step(node);
	node->stepping = false;
}

void node_start(struct node *node, struct replica_event *event)
{
	must(!node->stepping);
	node->stepping = true;
	event->now_ms = rpc_clock_us() / 1000;
	replica_step(node->replica, event, &node->actions);
	if (replica_is_damaged(node->replica) && node->journal != NULL) { /* RULE 14 */
		journal_abandon(node->journal);
		node->journal = NULL;
	}
	carry_out_all(node);
	after_step(node);
	node->stepping = false;
}
