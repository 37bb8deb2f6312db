/* justhungry-frontend: starts and stops all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/frontend.h"
#include "rpc/net/address.h"
#include "rpc/base/log.h"
#include "rpc/cluster/identify.h"
#include "rpc/base/shortage.h"
#include "rpc/net/listen_socket.h"
#include "rpc/net/loop.h"
#include "rpc/program/process.h"
#include "rpc/program/standard_output.h"
#include "rpc/program/signals.h"

#define ERROR_SIZE 512
#define FILE_BYTES (1u << 20) /* a view file is never longer */

/* One address of ours in rpcbind. */
struct registration {
	struct frontend *frontend;
	char address[64];
	bool optional; /* ::1, when nobody asked for it */
	bool settled;  /* its first result has come */
};

struct program {
	struct frontend frontend;
	struct views_stored stored;
	struct registration registrations[OPTIONS_LISTEN_MAX];
	uint32_t registrations_count;
	bool ready;
	struct signals *signals;
};

/* --- registration ------------------------------------------------------------------------------------------------- */

static void fail(struct frontend *frontend, const char *error)
{
	log_error("frontend", "%s", error);
	frontend->exit_status = 1;
	event_base_loopbreak(frontend->base);
}

/* All addresses are registered, so clients find nobody else here: begin. */
static void begin(struct program *program)
{
	struct frontend *frontend = &program->frontend;

	frontend->discovery = discovery_new(frontend->base, frontend->registry, frontend->options.program_base,
					    frontend->options.replica_hosts, &manager_discovery_events, frontend);
	if (frontend->discovery == NULL) {
		fail(frontend, "--replica-hosts needs 1 to 64 names, separated by commas");
		return;
	}
	manager_begin(frontend, &program->stored);
	program->ready = true;
	log_plain(STDOUT_FILENO, "ready justhungry-frontend program=%u address=%s pid=%ld", frontend->options.program_base,
		  frontend->address, (long)getpid());
}

static void begin_when_settled(struct program *program)
{
	for (uint32_t i = 0; i < program->registrations_count; i++)
		if (!program->registrations[i].settled)
			return;
	begin(program);
}

static void registered(void *context, enum registry_set_result set, const char *error)
{
	struct registration *registration = context;
	struct frontend *frontend = registration->frontend;
	struct program *program = (struct program *)frontend; /* its first member */

	if (frontend->exit_status != 0)
		return; /* one line was said already, and the loop is about to end */
	if (program->ready) {
		if (set == REGISTRY_SET)
			log_info("registry", "registered again address=%s", registration->address);
		else
			log_warn("registry", "%s", error);
		return;
	}
	if (set == REGISTRY_SLOW) {
		log_warn("registry", "%s", error);
		return;
	}
	if (set != REGISTRY_SET && !(registration->optional && set == REGISTRY_FAILED)) {
		fail(frontend, error); /* RULE 20: nobody steals a live registration */
		return;
	}
	registration->settled = true;
	begin_when_settled(program);
}

/* What to register for an address we listen on: --advertise stands for those of its family. */
static void registered_address(const struct frontend *frontend, const char *bound, char *text, size_t size)
{
	struct rpc_address own, advertised;

	snprintf(text, size, "%s", bound);
	if (frontend->options.advertise == NULL || !rpc_address_parse(bound, &own) ||
	    !rpc_address_parse(frontend->options.advertise, &advertised) ||
	    strcmp(rpc_address_netid(&own), rpc_address_netid(&advertised)) != 0)
		return;
	if (rpc_address_port(&advertised) == 0)
		rpc_address_set_port(&advertised, rpc_address_port(&own));
	rpc_address_format(&advertised, text, size);
}

static void add_registration(struct program *program, const char *bound, bool optional)
{
	struct registration *registration = &program->registrations[program->registrations_count++];

	registration->frontend = &program->frontend;
	registration->optional = optional;
	registered_address(&program->frontend, bound, registration->address, sizeof registration->address);
	if (program->registrations_count == 1)
		snprintf(program->frontend.address, sizeof program->frontend.address, "%s", registration->address);
}

static void register_all(struct program *program)
{
	struct frontend *frontend = &program->frontend;

	for (uint32_t i = 0; i < program->registrations_count; i++)
		registry_keep(frontend->registry, frontend->options.program_base, JH_FRONTEND_V1,
			      program->registrations[i].address, registered, &program->registrations[i]);
}

/* --- listening ---------------------------------------------------------------------------------------------------- */

static bool listen_on(struct program *program, const char *address, bool optional, char *error, size_t error_size)
{
	char bound[64];

	if (!rpc_server_listen(program->frontend.server, address, bound, sizeof bound, error, error_size))
		return optional;
	add_registration(program, bound, optional);
	return true;
}

static bool listen_all(struct program *program, char *error, size_t error_size)
{
	const struct options *options = &program->frontend.options;

	if (options->listen_count == 0)
		return listen_on(program, "127.0.0.1", false, error, error_size) &&
		       listen_on(program, "::1", true, error, error_size);
	for (uint32_t i = 0; i < options->listen_count; i++)
		if (!listen_on(program, options->listen[i], false, error, error_size))
			return false;
	return true;
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
	if (registry_taken(frontend->options.program_base, JH_FRONTEND_V1, error, error_size))
		return false;
	for (uint32_t i = 0; i < frontend->options.listen_count; i++)
		if (!listen_socket_possible(frontend->options.listen[i], error, error_size))
			return false;
	frontend->store = store_open_directory(frontend->base, frontend->options.data_dir, &program->stored,
					       manager_saved, frontend, error, error_size);
	if (frontend->store == NULL)
		return false;
	frontend->store->lost = store_lost;
	frontend->server = rpc_server_new(frontend->base, &limits);
	if (!listen_all(program, error, error_size))
		return false;
	frontend->registry = registry_new(frontend->base);
	frontend->links = links_new(frontend->base, frontend->options.program_base, &manager_links_events, frontend);
	links_set_self(frontend->links, frontend->address, frontend->options.views.suspect_ms);
	frontend->announced = announced_new();
	requests_start(frontend);
	manager_start(frontend);
	status_start(frontend);
	service_start(frontend);
	register_all(program);
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
	options_parse(argc, argv, &program->frontend.options);
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
