/* justhungry-frontend: starts and stops all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/frontend.h"
#include "rpc/base/log.h"
#include "rpc/cluster/identify.h"
#include "rpc/base/shortage.h"
#include "rpc/net/listener.h"
#include "rpc/net/loop.h"
#include "rpc/program/process.h"
#include "rpc/program/standard_output.h"
#include "rpc/program/signals.h"

#define ERROR_SIZE 512
#define FILE_BYTES (1u << 20) /* a view file is never longer */

struct program {
	struct frontend frontend;
	struct views_stored stored;
	struct listener *listener;
	struct signals *signals;
};

static void fail(struct frontend *frontend, const char *error)
{
	log_error("frontend", "%s", error);
	frontend->exit_status = 1;
	event_base_loopbreak(frontend->base);
}

/* --- listening ---------------------------------------------------------------------------------------------------- */

static void on_registered(void *context)
{
	struct program *program = context;
	struct frontend *frontend = &program->frontend;

	frontend->discovery = discovery_new(frontend->base, frontend->registry, frontend->options.daemon.program_base,
					    frontend->options.replica_hosts, &manager_discovery_events, frontend);
	if (frontend->discovery == NULL) {
		fail(frontend, "--replica-hosts needs 1 to 64 names, separated by commas");
		return;
	}
	manager_begin(frontend, &program->stored);
	log_plain(STDOUT_FILENO, "ready justhungry-frontend program=%u address=%s pid=%ld", frontend->options.daemon.program_base,
		  frontend->address, (long)getpid());
}

static void on_not_registered(void *context, const char *line)
{
	struct program *program = context;

	fail(&program->frontend, line);
}

/* Nothing begins before every address is registered, so that no client finds another front-end under our number. Whoever is
 * registered there later ends nothing: the replicas hear us, and bind nobody else (rule 20). */
static bool begin_to_listen(struct program *program, char *error, size_t error_size)
{
	struct frontend *frontend = &program->frontend;
	const struct daemon_options *options = &frontend->options.daemon;

	program->listener = listener_new(
		&(struct listener_options){.server = frontend->server, .registry = frontend->registry,
					   .program = options->program_base, .version = JH_FRONTEND_V1,
					   .addresses = options->listen, .addresses_count = options->listen_count,
					   .advertise = options->advertise, .ready_when_all = true,
					   .ready = on_registered, .failed = on_not_registered, .context = program},
		frontend->address, sizeof frontend->address, error, error_size);
	return program->listener != NULL;
}

/* --- the process -------------------------------------------------------------------------------------------------- */

static void stop_asked(void *context, int signal)
{
	struct frontend *frontend = context;

	(void)signal;
	event_base_loopbreak(frontend->base);
}

static void store_lost(void *context, const char *line)
{
	struct frontend *frontend = context;
	char text[ERROR_SIZE];

	if (frontend->exit_status != 0)
		return;
	snprintf(text, sizeof text, "stopping: %s: start it again, and it asks the replicas for their view", line);
	fail(frontend, text);
}

/* False with one line in error. */
static bool start(struct program *program, char *error, size_t error_size)
{
	struct frontend *frontend = &program->frontend;
	const struct daemon_options *options = &frontend->options.daemon;
	struct rpc_server_limits limits = rpc_server_limits_default();

	limits.connections = process_connections(frontend->options.max_clients);
	if (limits.connections < frontend->options.max_clients)
		log_warn("frontend", "%zu clients at once instead of --max-clients %u: raise `ulimit -n` (LimitNOFILE=)",
			 limits.connections, frontend->options.max_clients);
	limits.surplus = LIMIT_CONNECTIONS_SURPLUS;
	frontend->clients_max = limits.connections;
	limits.calls_in_flight = LIMIT_CLIENT_CALLS;
	frontend->started_us = rpc_clock_us();
	frontend->base = loop_new();
	must_allocate(frontend->base);
	program->signals = signals_watch(frontend->base, "frontend", stop_asked, frontend);
	registry_names_others_by(identify_name, PROGRAM_BASE_CHOICE);
	/* RULE 20: nothing is written before it is sure that no other process is the front-end. */
	if (!listener_is_possible(options->program_base, JH_FRONTEND_V1, options->listen, options->listen_count, error,
				  error_size))
		return false;
	frontend->store = store_open_directory(frontend->base, options->data_dir, &program->stored,
					       manager_saved, frontend, error, error_size);
	if (frontend->store == NULL)
		return false;
	frontend->store->lost = store_lost;
	frontend->server = rpc_server_new(frontend->base, &limits);
	frontend->registry = registry_new(frontend->base);
	frontend->links = links_new(frontend->base, options->program_base, &manager_links_events, frontend);
	frontend->announced = announced_new();
	requests_start(frontend);
	manager_start(frontend);
	status_start(frontend);
	service_start(frontend);
	if (!begin_to_listen(program, error, error_size))
		return false;
	links_set_self(frontend->links, frontend->address, options->suspect_ms);
	return true;
}

/* What is still under way is not answered: its clients ask again, with the same number (rule 11). */
static void stop(struct program *program)
{
	struct frontend *frontend = &program->frontend;

	if (frontend->registry != NULL) {
		registry_unset_all(frontend->registry);
		registry_free(frontend->registry);
	}
	listener_free(program->listener);
	discovery_free(frontend->discovery);
	announced_free(frontend->announced);
	links_free(frontend->links);
	if (frontend->server != NULL)
		rpc_server_free(frontend->server);
	status_stop(frontend);
	manager_stop(frontend);
	requests_stop(frontend);
	if (frontend->store != NULL)
		store_close(frontend->store);
	signals_free(program->signals);
	event_base_free(frontend->base);
}

const char *argp_program_version = "justhungry-frontend " JH_VERSION;

int main(int argc, char **argv)
{
	struct program *program = calloc(1, sizeof *program);
	char error[ERROR_SIZE];

	process_begin(PROCESS_DAEMON, "frontend");
	standard_output_watch("justhungry-frontend", STANDARD_OUTPUT_UNWRITTEN);
	must_allocate(program);
	frontend_options_parse(argc, argv, &program->frontend.options);
	process_serve("frontend", FILE_BYTES);
	log_start();
	if (start(program, error, sizeof error)) {
		loop_meter_attach(&program->frontend.meter);
		event_base_dispatch(program->frontend.base);
	} else {
		fail(&program->frontend, error);
	}
	stop(program);

	int status = program->frontend.exit_status;

	free(program);
	return status;
}
