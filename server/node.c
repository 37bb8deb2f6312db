#include "server/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/figures.h"
#include "rpc/cluster/identify.h"
#include "rpc/net/listener.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"
#include "rpc/program/process.h"
#include "rpc/program/signals.h"
#include "server/announce.h"
#include "server/disk/directory.h"
#include "server/disk/journal.h"
#include "server/machine/machine.h"
#include "server/memory_watch.h"
#include "server/neighbours.h"
#include "server/node_internal.h"
#include "server/peers/peer_links.h"
#include "server/peers/peer_sessions.h"
#include "server/requests.h"
#include "server/service.h"
#include "server/shop/machine_service.h"
#include "server/shop/order.h"
#include "server/shop/order_time.h"
#include "server/shop/postcode_orders.h"

#define LEAVE_DELAY_MS 20 /* answers given in the last step are on their way */

/* --- what it says of itself --------------------------------------------------------------------------------------- */

void node_report(const struct node *node, struct report *report)
{
	replica_report(node->replica, report);
	figures_set(&report->figures, FIGURE_ORDERS,
		    (int64_t)postcode_orders_count(order_postcode_orders(machine_shop(node->machine))));
	figures_set(&report->figures, FIGURE_UPTIME_S, (int64_t)((rpc_clock_us() - node->start_us) / 1000000));
	figures_set(&report->figures, FIGURE_LOOP_MAX_US, loop_meter_max_us(&node->meter));
	figures_set(&report->figures, FIGURE_SET_ASIDE, node->set_aside_count);
	snprintf(report->version, sizeof report->version, "%s", JH_VERSION);
	if (node->journal != NULL) /* RULE 15 */
		report->write_age_ms = (uint32_t)(journal_oldest_write_us(node->journal) / 1000);
	peer_sessions_report(node->sessions, report);
	peer_links_last_push(node->links, report->push, sizeof report->push);
	report->clock_us = rpc_wall_us();
	report->time_suspect_op = machine_dated_after(node->machine, order_time_latest(report->clock_us));
	if (report->detail[0] != '\0')
		return;
	if (node->trouble[0] != '\0')
		snprintf(report->detail, sizeof report->detail, "%s", node->trouble);
	else if (node_nearly_full(node))
		snprintf(report->detail, sizeof report->detail, "holds %" PRIu64 " of the %" PRIu64
			 " orders that its --max-orders allows", machine_op(node->machine), node->options.orders_max);
}

struct identity node_identity(const struct node *node)
{
	const struct view *view = replica_view(node->replica);

	return (struct identity){.formats = FORMAT_RANGE_OWN, .format = view->format,
				 .program_base = node->options.daemon.program_base, .id = node->options.id,
				 .uuid = node->uuid, .incarnation = node->incarnation, .cluster = view->cluster,
				 .generation = view->generation, .version = JH_VERSION};
}

void node_trace_dump(const struct node *node, void (*line)(void *context, const char *text), void *context)
{
	replica_trace_dump(node->replica, line, context);
}

/* --- what its parts ask ------------------------------------------------------------------------------------------- */

static void on_event(void *context, struct replica_event *event)
{
	node_step(context, event);
}

static void on_turn_end(void *context)
{
	node_flush(context);
}

static struct identity identity(const void *context)
{
	return node_identity(context);
}

static void report(const void *context, struct report *report)
{
	node_report(context, report);
}

/* At most one of these lines a second: peers that are refused come back at once. */
static bool may_complain(void *context)
{
	struct node *node = context;
	uint64_t now_us = rpc_clock_us();

	if (node->complained_us != 0 && now_us - node->complained_us < 1000000)
		return false;
	node->complained_us = now_us;
	return true;
}

static void on_manager(void *context, bool is_connected)
{
	struct node *node = context;

	if (!node->freeing)
		node_step(node, &(struct replica_event){.kind = REPLICA_MANAGER,
							.manager = {.connected = is_connected}});
}

/* RULE 16: as an order enters the log, and of no account if it does not: in a view that has ended meanwhile the others'
 * clocks are not known, and a time made then must not be the last one. */
static int64_t date(void *context)
{
	const struct node *node = context;
	int64_t previous_us = node->last_time_us;

	if (previous_us < machine_last_time_us(node->machine)) /* it was transferred whole, and not added to since */
		previous_us = machine_last_time_us(node->machine);

	int64_t others_us;
	bool known = replica_clock_of_others(node->replica, rpc_clock_us() / 1000, order_time_not_before(previous_us),
					     &others_us);

	return order_time_after(previous_us, rpc_wall_us(), known ? &others_us : NULL);
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

static void tick(evutil_socket_t fd, short what, void *context)
{
	struct node *node = context;

	(void)fd;
	(void)what;
	peer_sessions_tick(node->sessions);
	if (node->announcer != NULL)
		announcer_tick(node->announcer, peer_sessions_managed(node->sessions));
	node_step(node, &(struct replica_event){.kind = REPLICA_TICK});
	node_disk_tick(node);
	if (node->options.memory != NULL)
		memory_watch_tick(node->options.memory);
	node_flush(node);
}

static void on_closed(void *context, struct rpc_connection *connection)
{
	struct node *node = context;

	peer_sessions_ended(node->sessions, connection);
}

static void on_signal(void *context, int signal)
{
	struct node *node = context;

	if (node->asked && signal == SIGXCPU)
		return; /* this signal repeats every second */
	if (node->asked || node->journal == NULL) { /* asked twice; or damaged: nothing to hand over */
		node_end(node, NODE_STOPPED, node->asked ? "stopped at once: asked twice" : "stopped");
		return;
	}
	node->asked = true;
	if (node->stopping)
		return; /* stopping by itself: the hand-over goes on */
	node->stopping = true;
	node_step(node, &(struct replica_event){.kind = REPLICA_STOP});
	node_flush(node);
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */

_Noreturn static void refuse(const char *line, int status)
{
	log_error("node", "%s", line);
	exit(status);
}

static void make_server(struct node *node)
{
	struct rpc_server_limits limits = rpc_server_limits_default();

	limits.connections = process_connections(limits.connections);
	node->server = rpc_server_new(node->base, &limits);
	rpc_server_register(node->server, node->options.daemon.program_base + node->options.id, JH_REPLICA_V1,
			    service_dispatch, node->service);
	rpc_server_on_close(node->server, on_closed, node);
	rpc_server_on_turn_end(node->server, on_turn_end, node);
}

static void make_parts(struct node *node)
{
	const struct node_options *options = &node->options;
	char error[DIRECTORY_ERROR_SIZE];

	node->checker = postcode_checker_new(node->base, &options->postcodes, error, sizeof error);
	if (node->checker == NULL)
		refuse(error, 2);
	node->requests = requests_new(&(struct requests_options){.checker = node->checker, .machine = &node->machine,
								 .replica = &node->replica, .event = on_event, .turn_end = on_turn_end,
								 .date = date, .context = node});
	node->sessions = peer_sessions_new(&(struct peer_sessions_options){.replica = node->replica, .manager = on_manager,
								 .context = node});
	node->links = peer_links_new(&(struct peer_links_options){.base = node->base,
								  .program_base = options->daemon.program_base,
								  .replica = node->replica, .machine = &node->machine,
								  .event = on_event, .turn_end = on_turn_end,
								  .identity = identity, .may_complain = may_complain,
								  .context = node});
	node->service = service_new(&(struct service_options){.replica = node->replica, .sessions = node->sessions,
							      .requests = node->requests, .address = node->address,
							      .event = on_event, .identity = identity, .report = report,
							      .context = node});
	make_server(node);
}

struct node *node_new(const struct node_options *options)
{
	static const struct timeval period = {.tv_usec = REPLICA_TICK_MS * 1000L};
	struct node *node = calloc(1, sizeof *node);
	char error[DIRECTORY_ERROR_SIZE];

	must_allocate(node);
	node->options = *options;
	node->start_us = rpc_clock_us();
	node->incarnation = uuid_draw();
	node->directory = directory_open(options->daemon.data_dir, DIRECTORY_OWN, error, sizeof error);
	registry_names_others_by(identify_name, PROGRAM_BASE_CHOICE " or --id");
	/* RULE 20: and nothing is written before it is certain that no other process is this replica. Listening begins
	 * at the end: until then connections are refused, as if no process were there. */
	if (node->directory == NULL ||
	    !listener_is_possible(options->daemon.program_base + options->id, options->daemon.listen,
				  options->daemon.listen_count, error, sizeof error))
		refuse(error, 1);
	node->base = loop_new();
	must_allocate(node->base);
	/* Before the start, which may take a second: asked to stop meanwhile we stop in order right after it. */
	node->signals = signals_watch(node->base, "node", on_signal, node);

	struct replica_service service = machine_service(&node->machine);

	service.admit = requests_admit;

	node->replica = replica_new(&options->replica, &service);
	make_parts(node);
	node_disk_begin(node);
	postcode_checker_announce(node->checker); /* now that there may be orders to check */
	node->registry = registry_new(node->base);
	node->timer = event_new(node->base, -1, EV_PERSIST, tick, node);
	event_add(node->timer, &period);
	return node;
}

static void on_registered(void *context)
{
	struct node *node = context;

	log_plain(STDOUT_FILENO, "ready id=%" PRIu32 " program=%" PRIu32 " address=%s", node->options.id,
		  node->options.daemon.program_base + node->options.id, node->address);
	announce(node->announcer);
	neighbours_look(node->neighbours);
}

static void on_not_registered(void *context, const char *line)
{
	log_error("node", "%s", line);
	node_end(context, NODE_FAILED, line);
}

/* RULE 20: another process that is registered under our number has our id, too, and is the one that is found. */
static bool begin_to_listen(struct node *node)
{
	const struct node_options *options = &node->options;
	char error[256];

	node->announcer = announcer_new(&(struct announcer_options){.base = node->base, .registry = node->registry,
								    .program_base = options->daemon.program_base,
								    .id = options->id, .frontend = options->frontend,
								    .address = node->address});
	node->neighbours = neighbours_new(node->base, node->registry, options->daemon.program_base, options->id);
	node->listener = listener_new(&(struct listener_options){.server = node->server, .registry = node->registry,
								 .program = options->daemon.program_base + options->id,
								 .version = JH_REPLICA_V1,
								 .addresses = options->daemon.listen,
								 .addresses_count = options->daemon.listen_count,
								 .advertise = options->daemon.advertise,
								 .ready = on_registered, .failed = on_not_registered,
								 .replaced = on_not_registered, .context = node},
				      node->address, sizeof node->address, error, sizeof error);
	if (node->listener == NULL)
		log_error("node", "%s", error);
	return node->listener != NULL;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

int node_run(struct node *node)
{
	if (!begin_to_listen(node))
		return 1;
	loop_meter_attach(&node->meter);
	event_base_dispatch(node->base);
	loop_meter_attach(NULL);
	registry_unset_all(node->registry);
	switch (node->end) {
	case NODE_RETIRED:
		return node_disk_set_aside(node) ? NODE_START_AGAIN : 1;
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
	registry_free(node->registry);
	announcer_free(node->announcer);
	neighbours_free(node->neighbours);
	listener_free(node->listener);
	peer_links_free(node->links);
	rpc_server_free(node->server);
	peer_sessions_free(node->sessions);
	postcode_checker_free(node->checker);
	requests_free(node->requests);
	service_free(node->service);
	node_disk_close(node);
	event_free(node->timer);
	signals_free(node->signals);
	replica_free(node->replica);
	replica_actions_free(&node->actions);
	machine_free(node->machine);
	directory_close(node->directory);
	event_base_free(node->base);
	free(node);
}
