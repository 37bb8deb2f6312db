#include "server/node.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/disk_error.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/clock.h"
#include "rpc/cluster/convert.h"
#include "rpc/program/process.h"
#include "rpc/program/signals.h"
#include "rpc/net/loop.h"
#include "rpc/cluster/strangers.h"
#include "server/announce.h"
#include "server/background.h"
#include "server/listen.h"
#include "server/memory_watch.h"
#include "server/shop/order_time.h"
#include "server/shop/orders_service.h"

/* A damaged replica waits so long for the view manager's word that another member serves (RULE 14). */
#define DAMAGED_WAIT_US 15000000u
#define LEAVE_DELAY_MS 20 /* answers given in the last step are on their way */
#define SET_ASIDE_US 5000000u
#define NEARLY_FULL_PERCENT 80 /* RULE 19: of --max-orders; from then on status and the log warn */

/* --- carrying out ------------------------------------------------------------------------------------------------- */

/* RULE 19: a limit that comes near is told while there is time to raise it. */
static bool nearly_full(const struct node *node)
{
	return orders_op(node->orders) * 100 >= node->options.orders_max * NEARLY_FULL_PERCENT;
}

/* RULE 11: applying checks again. What cannot be applied must not be in a log: stop rather than differ from the
 * others. RULE 19: nor is there more in it than we announce that we can hold. */
void node_apply(struct node *node, uint64_t op)
{
	while (orders_op(node->orders) < op) {
		struct replica_entry entry = replica_entry_at(node->replica, orders_op(node->orders) + 1);

		must(orders_apply(node->orders, entry.body, entry.size) == ORDERS_APPLIED);
	}
	if (orders_last_time_us(node->orders) > node->last_time_us)
		node->last_time_us = orders_last_time_us(node->orders);
	if (!node->warned_of_full && nearly_full(node)) {
		node->warned_of_full = true;
		log_warn("node", "%" PRIu64 " of the %" PRIu64 " orders that --max-orders allows are placed: beyond them orders "
			 "are refused; start every replica with a higher limit, one after the other",
			 orders_op(node->orders), node->options.orders_max);
	}
}

static void write_record(struct node *node, const struct replica_action *action)
{
	bool queued = false;

	if (node->journal == NULL)
		return; /* damaged: nothing more is written, and nothing becomes durable */
	switch (action->write) {
	case WRITE_META:
		queued = disk_append_meta(node, action->ticket);
		break;
	case WRITE_BATCH:
	case WRITE_STAGED:
		queued = disk_append_batch(node, action);
		break;
	case WRITE_STATE:
		queued = disk_append_state(node, action);
		break;
	}
	must(queued); /* the core's own bounds are far below the journal's queue */
}

static struct request *request_of(const struct replica_action *action)
{
	return (struct request *)(uintptr_t)action->token;
}

static void carry_out(struct node *node, const struct replica_action *action)
{
	switch (action->kind) {
	case DO_WRITE:
		write_record(node, action);
		break;
	case DO_APPLY:
		node_apply(node, action->op);
		break;
	case DO_ADOPT:
		staging_adopt(node, action->op);
		break;
	case DO_STAGE:
		staging_take(node, action->token, action->op, action->digest);
		break;
	case DO_UNSTAGE:
		staging_drop(node);
		break;
	case DO_JUDGE:
		request_judge(request_of(action));
		break;
	case DO_ANSWER:
		request_answer(request_of(action), action);
		break;
	case DO_READ:
	case DO_READ_MOVED:
		request_read(request_of(action), action->kind == DO_READ_MOVED);
		break;
	case DO_PUSH:
		links_push(node, action);
		break;
	case DO_PING:
		links_ping(node, action->id, action->uuid);
		break;
	case DO_ACK:
		service_ack(node, action);
		break;
	case DO_INSTALLED:
		service_installed(node, action);
		break;
	case DO_BOUND:
		service_bound(node, action);
		break;
	case DO_CONNECT:
		links_connect(node, action);
		break;
	case DO_DISCONNECT:
		links_disconnect(node, action->id, action->uuid);
		break;
	case DO_NEWS:
		service_news(node);
		break;
	case DO_RETIRE:
		if (!node->directory_gone) /* else it says so until it stops, see check_damaged */
			node_end(node, NODE_RETIRED, action->text);
		break;
	case DO_EXIT:
		node_end(node, node->failing ? NODE_FAILED : NODE_STOPPED, "stopped");
		break;
	case DO_LOG:
		log_line((enum log_level)action->level, "replica", "%s", action->text);
		break;
	}
}

static void carry_out_all(struct node *node)
{
	for (uint32_t i = 0; i < node->actions.count; i++)
		carry_out(node, &node->actions.list[i]);
}

static void step(struct node *node, struct replica_event *event)
{
	event->now_ms = rpc_clock_us() / 1000;
	replica_step(node->replica, event, &node->actions);
	carry_out_all(node);
}

static void propose(struct node *node, struct request *request)
{
	bool declined = request->reason != JH_REASON_NONE;
	uint64_t last_op = replica_last_op(node->replica);
	int64_t time_us = declined ? 0 : request_date(request);

	step(node, &(struct replica_event){.kind = declined ? REPLICA_DECLINE : REPLICA_PROPOSE,
					   .token = (uint64_t)(uintptr_t)request, .view = request->view,
					   .client = request->client, .request = request->number,
					   .content = request->content, .body = request->body, .size = request->size});
	if (!declined && replica_last_op(node->replica) > last_op) /* RULE 16: the request may be answered and gone */
		node->last_time_us = time_us;
}

static void after_step(struct node *node)
{
	while (node->judged != NULL || node->deferred_count > 0) {
		if (node->deferred_count > 0) {
			struct replica_event event = node->deferred[node->deferred_first];

			node->deferred_first = (node->deferred_first + 1) % NODE_DEFERRED_MAX;
			node->deferred_count--;
			step(node, &event);
			continue;
		}

		struct request *request = node->judged;

		node->judged = request->next;
		if (node->judged == NULL)
			node->judged_end = &node->judged;
		propose(node, request);
	}
}

/* What an event points to is gone when its turn comes. */
static void defer(struct node *node, const struct replica_event *event)
{
	must(node->deferred_count < NODE_DEFERRED_MAX);
	must(event->push == NULL && event->ack == NULL && event->report == NULL);
	must(event->install == NULL && event->peers == NULL && event->body == NULL);
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
		return; /* the step's own end flushes what matters */
	node->stepping = true;
	after_step(node);
	step(node, &(struct replica_event){.kind = REPLICA_FLUSH});
	after_step(node);
	node->stepping = false;
}

void node_start(struct node *node, struct replica_event *event)
{
	struct report report;

	must(!node->stepping);
	node->stepping = true;
	event->now_ms = rpc_clock_us() / 1000;
	replica_step(node->replica, event, &node->actions);
	replica_report(node->replica, &report);
	node->damaged = report.state == STATE_DAMAGED;
	if (node->damaged && node->journal != NULL) { /* RULE 14 */
		journal_abandon(node->journal);
		node->journal = NULL;
	}
	carry_out_all(node);
	after_step(node);
	node->stepping = false;
}

/* --- what it says of itself --------------------------------------------------------------------------------------- */

void node_report(const struct node *node, struct report *report)
{
	replica_report(node->replica, report);
	report->orders = orders_count(node->orders);
	report->uptime_s = (rpc_clock_us() - node->start_us) / 1000000;
	report->loop_max_us = loop_meter_max_us(&node->meter);
	report->set_aside = node->set_aside_count;
	if (node->journal != NULL) /* RULE 15 */
		report->write_age_ms = (uint32_t)(journal_oldest_write_us(node->journal) / 1000);
	managed_report(node, report);
	if (node->push_kind != NULL)
		snprintf(report->push, sizeof report->push, "%s %" PRIu64 " B", node->push_kind, node->push_bytes);
	report->clock_us = rpc_wall_us();
	report->time_suspect_op = orders_dated_after(node->orders, order_time_latest(report->clock_us));
	if (report->detail[0] != '\0')
		return;
	if (node->trouble[0] != '\0')
		snprintf(report->detail, sizeof report->detail, "%s", node->trouble);
	else if (nearly_full(node))
		snprintf(report->detail, sizeof report->detail, "holds %" PRIu64 " of the %" PRIu64
			 " orders that its --max-orders allows", orders_op(node->orders), node->options.orders_max);
}

struct identity node_identity(const struct node *node)
{
	const struct view *view = replica_view(node->replica);

	return (struct identity){.format = JH_CLUSTER_FORMAT, .program_base = node->options.program_base,
				 .id = node->options.id, .uuid = node->uuid, .incarnation = node->incarnation,
				 .cluster = view->cluster, .generation = view->generation};
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

void node_end(struct node *node, enum node_end end, const char *why)
{
	struct timeval soon = {.tv_usec = LEAVE_DELAY_MS * 1000L};

	if (node->end != NODE_RUNS)
		return;
	node->end = end;
	snprintf(node->ending, sizeof node->ending, "%s", why);
	event_base_loopexit(node->base, &soon);
}

static void durable(void *context, uint64_t ticket)
{
	struct node *node = context;

	node_step(node, &(struct replica_event){.kind = REPLICA_DURABLE, .ticket = ticket});
	node_flush(node);
}

/* RULE 13: on the disk thread. No retry; what was acknowledged is on disk, and a start is the tested way back to it. */
static void disk_failed(void *context, const char *line)
{
	(void)context;
	log_error("journal", "%s", line);
	log_flush();
	_exit(1);
}

static void check_disk(struct node *node)
{
	bool full = node->journal != NULL && journal_disk_full(node->journal);

	if (full != node->disk_full) {
		node->disk_full = full;
		node_step(node, &(struct replica_event){.kind = REPLICA_DISK, .disk_full = full});
	}
}

/* RULE 13: a journal that cannot go on, but not for want of space, is this replica's failure. As long as it has room for
 * orders somebody may mend that; what is left then is for handing over. */
static void check_journal(struct node *node)
{
	bool last = false;
	int error = node->journal == NULL ? 0 : journal_failing(node->journal, &last);

	if (node->failing)
		return;
	node->trouble[0] = '\0';
	if (node->journal != NULL && journal_over_quota(node->journal))
		error = EDQUOT; /* there is no room, but freeing space is not what helps */
	if (error == 0)
		return;
	snprintf(node->trouble, sizeof node->trouble, "cannot make its next journal segment: %.120s", disk_error(error));
	if (!last)
		return;
	log_error("node", "stopping: cannot make the next journal segment in %s, and the present one is full: %s: mend that, "
		  "then start this replica again", node->options.data_dir, disk_error(error));
	node->failing = true;
	node->stopping = true;
	node_step(node, &(struct replica_event){.kind = REPLICA_STOP, .text = node->trouble});
}

/* RULE 14: come back as a learner when the view manager says so; else stop and say why. */
static void check_damaged(struct node *node)
{
	struct report report;
	bool damaged = node->damaged;

	if (node->end != NODE_RUNS)
		return;
	replica_report(node->replica, &report);
	node->damaged = report.state == STATE_DAMAGED;
	if (node->damaged && !damaged)
		node->damaged_us = rpc_clock_us();
	if (!node->damaged || rpc_clock_us() - node->damaged_us < DAMAGED_WAIT_US)
		return;
	if (node->directory_gone)
		log_error("node", "stopping: damaged (%s): start this replica again with an empty --data-dir, and it learns "
			  "from the others; when there is none, look for where the directory has gone", report.detail);
	else
		log_error("node",
		  "stopping: damaged (%s), and within %u s no view manager confirmed that another member serves: start "
		  "the front-end and the other replicas first, then this one again; nothing in %s was changed or "
		  "removed",
		  report.detail, DAMAGED_WAIT_US / 1000000, node->options.data_dir);
	node_end(node, NODE_FAILED, "damaged");
}

/* --- what was set aside, for status: a directory is read off the loop --------------------------------------------- */

struct set_aside {
	struct node *node;
	uint32_t count;
};

static void count_set_aside(void *context)
{
	struct set_aside *set_aside = context;

	set_aside->count = directory_set_aside_count(set_aside->node->directory);
}

static void set_aside_counted(void *context)
{
	struct set_aside *set_aside = context;

	set_aside->node->set_aside_count = set_aside->count;
	free(set_aside);
}

static void look_set_aside(struct node *node)
{
	struct set_aside *set_aside;

	if (rpc_clock_us() - node->set_aside_us < SET_ASIDE_US)
		return;
	node->set_aside_us = rpc_clock_us();
	set_aside = calloc(1, sizeof *set_aside);
	must_allocate(set_aside);
	set_aside->node = node;
	background_run(node->receiver, count_set_aside, set_aside_counted, set_aside);
}

void node_damage(struct node *node, const char *why)
{
	char text[DIRECTORY_ERROR_SIZE];

	snprintf(text, sizeof text, "%s", why);
	node_step(node, &(struct replica_event){.kind = REPLICA_DAMAGE, .text = text});
	if (node->journal != NULL)
		journal_abandon(node->journal);
	node->journal = NULL;
	node->trouble[0] = '\0';
}

static void tick(evutil_socket_t fd, short what, void *context)
{
	struct node *node = context;

	(void)fd;
	(void)what;
	managed_tick(node);
	node_step(node, &(struct replica_event){.kind = REPLICA_TICK});
	files_look(node);
	check_disk(node);
	check_journal(node);
	check_damaged(node);
	look_set_aside(node);
	if (node->memory != NULL)
		memory_watch_tick(node->memory);
	staging_tick(node);
	snapshotter_consider(node->snapshotter);
	node_flush(node);
}

static void turn_end(void *context)
{
	node_flush(context);
}

static void closed(void *context, struct rpc_connection *connection)
{
	service_closed(context, connection);
}

static void on_signal(void *context, int signal)
{
	struct node *node = context;

	if (node->asked && signal == SIGXCPU)
		return; /* it comes every second */
	if (node->asked || node->journal == NULL) { /* asked twice; or damaged: nothing to hand over */
		node_end(node, NODE_STOPPED, node->asked ? "stopped at once: asked twice" : "stopped");
		return;
	}
	node->asked = true;
	if (node->stopping)
		return; /* by itself, and what it hands over goes on */
	node->stopping = true;
	node_step(node, &(struct replica_event){.kind = REPLICA_STOP});
	node_flush(node);
}

bool node_may_complain(struct node *node)
{
	uint64_t now_us = rpc_clock_us();

	if (node->complained_us != 0 && now_us - node->complained_us < 1000000)
		return false;
	node->complained_us = now_us;
	return true;
}

struct node *node_new(const struct node_options *options)
{
	static const struct timeval period = {.tv_usec = 25000};
	struct node *node = calloc(1, sizeof *node);
	char error[DIRECTORY_ERROR_SIZE];

	must_allocate(node);
	node->options = *options;
	node->start_us = rpc_clock_us();
	node->incarnation = uuid_draw();
	node->judged_end = &node->judged;
	node->directory = directory_open(options->data_dir, DIRECTORY_OWN, error, sizeof error);
	if (node->directory == NULL) {
		log_error("node", "%s", error);
		exit(1);
	}
	/* RULE 20: and nothing is written before it is sure that no other process is this replica. */
	if (registry_taken(options->program_base + options->id, JH_REPLICA_V1, error, sizeof error)) {
		log_error("node", "%s", error);
		exit(1);
	}
	node->base = loop_new();
	must_allocate(node->base);
	/* Before the start, which may take a second: asked to stop meanwhile we stop in order right after it. */
	node->signals = signals_watch(node->base, "node", on_signal, node);

	const struct replica_service service = orders_service(&node->orders);

	node->replica = replica_new(&options->replica, &service);

	struct rpc_server_limits limits = rpc_server_limits_default();

	limits.connections = process_connections(limits.connections);
	node->server = rpc_server_new(node->base, &limits);
	rpc_server_register(node->server, options->program_base + options->id, JH_REPLICA_V1, service_dispatch, node);
	rpc_server_on_close(node->server, closed, node);
	rpc_server_on_turn_end(node->server, turn_end, node);
	node->receiver = background_new(node->base);
	node->snapshotter = snapshotter_new(node);
	node->checker = postcode_checker_new(node->base, &options->postcodes, error, sizeof error);
	if (node->checker == NULL) {
		log_error("node", "%s", error);
		exit(2);
	}
	node->set_aside_count = directory_set_aside_count(node->directory);
	node->set_aside_us = rpc_clock_us();
	recovery_run(node, durable, disk_failed);
	postcode_checker_announce(node->checker); /* now that there is somebody to send any */
	node->damaged_us = rpc_clock_us();
	node->registry = registry_new(node->base);
	node->timer = event_new(node->base, -1, EV_PERSIST, tick, node);
	event_add(node->timer, &period);
	return node;
}

/* Nothing may write to the directory while and after it is set aside. */
static void close_files(struct node *node)
{
	staging_drop(node);
	background_free(node->receiver);
	node->receiver = NULL;
	snapshotter_free(node->snapshotter);
	node->snapshotter = NULL;
	if (node->journal != NULL)
		journal_close(node->journal);
	node->journal = NULL;
}

static int retire(struct node *node)
{
	char error[DIRECTORY_ERROR_SIZE];

	close_files(node);
	if (!recovery_set_aside(node->directory, node->damaged ? "damaged" : "retired", error, sizeof error)) {
		log_error("node", "%s", error);
		return 1;
	}
	log_warn("node", "all data set aside in %s/%s, starting again as a new replica: %s", node->options.data_dir,
		 DIRECTORY_SET_ASIDE, node->ending);
	return NODE_START_AGAIN;
}

int node_run(struct node *node)
{
	if (!listen_all(node))
		return 1;
	loop_meter_attach(&node->meter);
	event_base_dispatch(node->base);
	loop_meter_attach(NULL);
	registry_unset_all(node->registry);
	switch (node->end) {
	case NODE_RETIRED:
		return retire(node);
	case NODE_STOPPED:
		log_info("node", "%s", node->ending);
		return 0;
	default:
		return 1; /* its line has been said */
	}
}

void node_free(struct node *node)
{
	node->freeing = true;
	announce_cancel(node);
	registry_free(node->registry);
	strangers_free(node->strangers);
	links_free(node);
	rpc_server_free(node->server);
	postcode_checker_free(node->checker);
	requests_drop(node);
	service_drop(node);
	close_files(node);
	event_free(node->timer);
	signals_free(node->signals);
	replica_free(node->replica);
	replica_actions_free(&node->actions);
	orders_free(node->orders);
	directory_close(node->directory);
	event_base_free(node->base);
	free(node);
}
