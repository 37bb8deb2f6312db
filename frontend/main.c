/* justhungry-frontend: makes the parts, tells each what the others say, and starts and stops all. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/announced.h"
#include "frontend/client_requests.h"
#include "frontend/client_service.h"
#include "frontend/discovery.h"
#include "frontend/keeper/store.h"
#include "frontend/links.h"
#include "frontend/manager.h"
#include "frontend/options.h"
#include "frontend/status.h"
#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/identify.h"
#include "rpc/frontend.h"
#include "rpc/net/listener.h"
#include "rpc/net/loop.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"
#include "rpc/program/process.h"
#include "rpc/program/signals.h"
#include "rpc/program/standard_output.h"

#define ERROR_SIZE 512
#define FILE_BYTES (1u << 20) /* a view file is never longer */

struct program {
	struct frontend_options options;
	struct event_base *base;
	struct loop_meter meter;
	struct signals *signals;
	struct rpc_server *server;
	struct registry *registry;
	struct listener *listener;
	struct store *store;
	struct views_stored stored;
	struct links *links;
	struct client_requests *requests;
	struct manager *manager;
	struct discovery *discovery; /* NULL: our own addresses are not registered yet */
	struct announced *announced;
	struct status *status;
	struct client_service *service;
	char address[64];            /* the one clients find first */
	int exit_status;
};

static void end_with_failure(struct program *program)
{
	program->exit_status = 1;
	event_base_loopbreak(program->base);
}

static void fail(struct program *program, const char *error)
{
	log_error("frontend", "%s", error);
	end_with_failure(program);
}

/* --- who hears of what -------------------------------------------------------------------------------------------- */

static void on_hello(void *context, uint32_t id, enum hello_status status, const char *text,
		     const struct identity *identity, const struct report *report)
{
	const struct program *program = context;

	manager_hello(program->manager, &(struct views_hello){.id = id,
							      .status = status,
							      .text = text,
							      .identity = identity,
							      .report = report});
}

static void on_report(void *context, uint32_t id, const struct report *report)
{
	const struct program *program = context;

	manager_report(program->manager, id, report);
}

static void on_bound(void *context, uint32_t id, const struct report *report)
{
	const struct program *program = context;

	manager_bound(program->manager, id, report);
}

static void on_lost(void *context, uint32_t id, bool refused)
{
	const struct program *program = context;

	manager_lost(program->manager, id, refused);
}

static void on_answered(void *context, void *owner, const struct link_answer *answer)
{
	const struct program *program = context;

	client_requests_answered(program->requests, owner, answer);
}

static const struct links_events links_events = {
	.hello = on_hello,
	.report = on_report,
	.bound = on_bound,
	.lost = on_lost,
	.answered = on_answered,
};

static void on_found(void *context, uint32_t id, const char *address)
{
	const struct program *program = context;

	manager_found(program->manager, id, address);
}

static void on_dumped(void *context, bool complete, const uint32_t *ids, uint32_t count)
{
	const struct program *program = context;

	manager_dumped(program->manager, complete, ids, count);
}

static void on_dead(void *context, uint32_t id, const char *address)
{
	const struct program *program = context;

	manager_dead(program->manager, id, address);
}

static const struct discovery_events discovery_events = {
	.found = on_found,
	.dumped = on_dumped,
	.dead = on_dead,
};

static void on_saved(void *context, uint64_t ticket, bool ok, const char *error)
{
	const struct program *program = context;

	manager_saved(program->manager, ticket, ok, error);
}

static void on_store_lost(void *context, const char *line)
{
	struct program *program = context;
	char text[ERROR_SIZE];

	if (program->exit_status != 0)
		return;
	snprintf(text, sizeof text, "stopping: %s: start it again, and it asks the replicas for their view", line);
	fail(program, text);
}

static void on_demand(void *context)
{
	const struct program *program = context;

	manager_demand(program->manager);
}

static void on_doubt(void *context, uint32_t id)
{
	const struct program *program = context;

	discovery_doubt(program->discovery, id);
}

static void on_heard(void *context, uint32_t id)
{
	const struct program *program = context;

	status_heard(program->status, id);
}

static void on_leave(void *context, const char *why)
{
	(void)why; /* has been logged */
	end_with_failure(context);
}

static bool is_listed(void *context, uint32_t id)
{
	const struct program *program = context;

	return program->discovery == NULL || discovery_lists(program->discovery, id);
}

static void on_announced(void *context)
{
	const struct program *program = context;

	if (program->discovery != NULL)
		discovery_wake(program->discovery);
}

static void on_stop(void *context, int signal)
{
	const struct program *program = context;

	(void)signal;
	event_base_loopbreak(program->base);
}

/* --- listening ---------------------------------------------------------------------------------------------------- */

static void on_registered(void *context)
{
	struct program *program = context;
	uint32_t program_base = program->options.daemon.program_base;

	program->discovery = discovery_new(program->base, program->registry, program_base,
					   program->options.replica_hosts, &discovery_events, program);
	if (program->discovery == NULL) {
		fail(program, "--replica-hosts needs 1 to 64 names, separated by commas");
		return;
	}
	manager_begin(program->manager, &program->stored);
	log_plain(STDOUT_FILENO, "ready justhungry-frontend program=%u address=%s pid=%ld", program_base,
		  program->address, (long)getpid());
}

static void on_not_registered(void *context, const char *line)
{
	fail(context, line);
}

/* Nothing begins before every address is registered, so that no client finds another front-end under our number. Whoever
 * is registered there later ends nothing: the replicas hear us, and bind to no other (rule 20). */
static bool begin_to_listen(struct program *program, char *error, size_t error_size)
{
	const struct daemon_options *options = &program->options.daemon;

	program->listener = listener_new(
		&(struct listener_options){.server = program->server, .registry = program->registry,
					   .program = options->program_base, .version = JH_FRONTEND_V2,
					   .addresses = options->listen, .addresses_count = options->listen_count,
					   .advertise = options->advertise, .ready_when_all = true,
					   .ready = on_registered, .failed = on_not_registered, .context = program},
		program->address, sizeof program->address, error, error_size);
	return program->listener != NULL;
}

/* --- the process -------------------------------------------------------------------------------------------------- */

/* Clients that are served at once: --max-clients, or what descriptors allow. */
static uint64_t clients_max(const struct frontend_options *options)
{
	uint64_t count = process_connections(options->max_clients);

	if (count < options->max_clients)
		log_warn("frontend",
			 "%llu clients at once instead of --max-clients %u: raise `ulimit -n` (LimitNOFILE=)",
			 (unsigned long long)count, options->max_clients);
	return count;
}

static void make_parts(struct program *program, uint64_t clients)
{
	const struct frontend_options *options = &program->options;
	uint32_t program_base = options->daemon.program_base;
	struct rpc_server_limits limits = rpc_server_limits_default();

	limits.connections = clients;
	limits.surplus = LIMIT_CONNECTIONS_SURPLUS;
	limits.calls_in_flight = LIMIT_CLIENT_CALLS;
	program->server = rpc_server_new(program->base, &limits);
	program->registry = registry_new(program->base);
	program->links = links_new(program->base, program_base, &links_events, program);
	program->announced = announced_new();
	program->requests = client_requests_new(&(struct client_requests_options){.base = program->base,
								    .links = program->links,
								    .server = program->server,
								    .suspect_ms = options->views.suspect_ms,
								    .demand = on_demand,
								    .context = program});
	program->manager = manager_new(&(struct manager_options){.base = program->base,
								 .views = &options->views,
								 .program_base = program_base,
								 .router = client_requests_router(program->requests),
								 .links = program->links,
								 .store = program->store,
								 .registry = program->registry,
								 .doubt = on_doubt,
								 .heard = on_heard,
								 .leave = on_leave,
								 .context = program});
	program->status = status_new(&(struct status_options){.base = program->base,
							      .manager = program->manager,
							      .router = client_requests_router(program->requests),
							      .announced = program->announced,
							      .meter = &program->meter,
							      .address = program->address,
							      .clients_max = clients,
							      .listed = is_listed,
							      .context = program});
	program->service = client_service_new(&(struct client_service_options){.server = program->server,
								 .program_base = program_base,
								 .requests = program->requests,
								 .manager = program->manager,
								 .status = program->status,
								 .announced = program->announced,
								 .clients_max = clients,
								 .announce = on_announced,
								 .context = program});
}

/* False with one line in error. */
static bool start(struct program *program, char *error, size_t error_size)
{
	const struct daemon_options *options = &program->options.daemon;
	uint64_t clients = clients_max(&program->options);

	program->base = loop_new();
	must_allocate(program->base);
	program->signals = signals_watch(program->base, "frontend", on_stop, program);
	registry_names_others_by(identify_name, PROGRAM_BASE_CHOICE);
	/* RULE 20: nothing is written before it is sure that no other process is the front-end. */
	if (!listener_is_possible(options->program_base, options->listen, options->listen_count, error, error_size))
		return false;
	program->store = store_open_directory(program->base, options->data_dir, &program->stored, on_saved, program,
					      error, error_size);
	if (program->store == NULL)
		return false;
	program->store->lost = on_store_lost;
	make_parts(program, clients);
	if (!begin_to_listen(program, error, error_size))
		return false;
	links_set_self(program->links, program->address, options->suspect_ms);
	return true;
}

/* What is still under way is not answered: its clients ask again, with the same number (rule 11). */
static void stop(struct program *program)
{
	if (program->registry != NULL) {
		registry_unset_all(program->registry);
		registry_free(program->registry);
	}
	listener_free(program->listener);
	discovery_free(program->discovery);
	announced_free(program->announced);
	links_free(program->links);
	if (program->server != NULL)
		rpc_server_free(program->server);
	client_service_free(program->service);
	status_free(program->status);
	manager_free(program->manager);
	client_requests_free(program->requests);
	if (program->store != NULL)
		store_close(program->store);
	signals_free(program->signals);
	event_base_free(program->base);
}

const char *argp_program_version = "justhungry-frontend " JH_VERSION;

int main(int argc, char **argv)
{
	struct program *program = calloc(1, sizeof *program);
	char error[ERROR_SIZE];

	process_begin(PROCESS_DAEMON, "frontend");
	standard_output_watch("justhungry-frontend", STANDARD_OUTPUT_UNWRITTEN);
	must_allocate(program);
	frontend_options_parse(argc, argv, &program->options);
	process_serve("frontend", FILE_BYTES);
	log_start();
	if (start(program, error, sizeof error)) {
		loop_meter_attach(&program->meter);
		event_base_dispatch(program->base);
	} else {
		fail(program, error);
	}
	stop(program);

	int status = program->exit_status;

	free(program);
	return status;
}
