#include "frontend/options.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "frontend/discovery.h"
#include "rpc/program/arguments.h"
#include "rpc/base/limits.h"
#include "rpc/frontend.h"

enum key {
	KEY_DATA_DIR = 0x100,
	KEY_REPLICA_HOSTS,
	KEY_LISTEN,
	KEY_ADVERTISE,
	KEY_PROGRAM_BASE,
	KEY_HEARTBEAT,
	KEY_SUSPECT,
	KEY_STALL,
	KEY_AUTOCLEAN,
	KEY_MIN_MEMBERS,
	KEY_START_WAIT,
	KEY_FULL_WAIT,
	KEY_NEW_CLUSTER,
	KEY_TAKE_OVER,
	KEY_MAX_CLIENTS,
	KEY_LOG_LEVEL
};

static const struct argp_option list[] = {
	{"data-dir", KEY_DATA_DIR, "DIR", 0, "where the view is kept; made when missing, with those above it (required)", 0},
	{"replica-hosts", KEY_REPLICA_HOSTS, "HOST,HOST...", 0, "whose rpcbind is asked for replicas (127.0.0.1)", 0},
	{"listen", KEY_LISTEN, "ADDRESS[:PORT]", 0, "may be given again (127.0.0.1 and ::1, any port)", 0},
	{"advertise", KEY_ADVERTISE, "ADDRESS[:PORT]", 0, "register this address instead of the one listened on", 0},
	{"program-base", KEY_PROGRAM_BASE, "N", 0, "RPC program number of the front-end (540000000)", 0},
	{"heartbeat-ms", KEY_HEARTBEAT, "N", 0, "time between heartbeats to a replica (50)", 0},
	{"suspect-ms", KEY_SUSPECT, "N", 0, "a replica silent for longer counts as failed (250)", 0},
	{"stall-ms", KEY_STALL, "N", 0, "a replica whose disk is late by this counts as failed (2000)", 0},
	{"autoclean-s", KEY_AUTOCLEAN, "N", 0, "a dead replica that is no member is forgotten after this (20)", 0},
	{"min-members", KEY_MIN_MEMBERS, "N", 0, "refuse orders while fewer replicas hold them (1)", 0},
	{"start-wait-ms", KEY_START_WAIT, "N", 0, "members get this to answer a start before the view shrinks (2000)", 0},
	{"full-wait-s", KEY_FULL_WAIT, "N", 0, "a replica whose disk is full for longer leaves the view, so that orders go on (60)", 0},
	{"new-cluster", KEY_NEW_CLUSTER, NULL, 0, "form a cluster of replicas that have never been in one", 0},
	{"take-over", KEY_TAKE_OVER, NULL, 0,
	 "manage replicas whose present front-end is alive; that one ends (without it: only when they hear none)", 0},
	{"max-clients", KEY_MAX_CLIENTS, "N", 0, "client connections (4608)", 0},
	{"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "debug, info, warn or error (info)", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static const char *hosts(const struct argp_state *state, const char *text)
{
	uint32_t count = 1;

	for (const char *at = text; *at != '\0'; at++)
		count += *at == ',';
	if (text[0] == '\0' || text[0] == ',' || text[strlen(text) - 1] == ',' || strstr(text, ",,") != NULL ||
	    count > DISCOVERY_HOSTS_MAX)
		argp_error(state, "--replica-hosts %s: 1 to %d names are needed, separated by commas", text,
			   DISCOVERY_HOSTS_MAX);
	return text;
}

static void check(const struct argp_state *state, const struct options *options)
{
	if (options->data_dir == NULL)
		argp_error(state, "--data-dir DIR is needed: the directory that keeps the front-end's view");
	if (options->views.suspect_ms < 2 * options->views.heartbeat_ms)
		argp_error(state, "--suspect-ms %u is less than two heartbeats of %u ms", options->views.suspect_ms,
			   options->views.heartbeat_ms);
}

static error_t parse_time(int key, const char *text, struct argp_state *state)
{
	struct views_options *views = &((struct options *)state->input)->views;

	switch (key) {
	case KEY_HEARTBEAT:
		views->heartbeat_ms = (uint32_t)arguments_number(state, "heartbeat-ms", text, 5, 10000);
		return 0;
	case KEY_SUSPECT:
		views->suspect_ms = (uint32_t)arguments_number(state, "suspect-ms", text, 10, 600000);
		return 0;
	case KEY_STALL:
		views->stall_ms = (uint32_t)arguments_number(state, "stall-ms", text, 10, 600000);
		return 0;
	case KEY_START_WAIT:
		views->start_wait_ms = (uint32_t)arguments_number(state, "start-wait-ms", text, 0, 600000);
		return 0;
	case KEY_FULL_WAIT:
		views->full_wait_ms = (uint32_t)arguments_number(state, "full-wait-s", text, 1, 86400) * 1000;
		return 0;
	case KEY_AUTOCLEAN:
		views->forget_ms = (uint32_t)arguments_number(state, "autoclean-s", text, 1, 86400) * 1000;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_DATA_DIR:
		options->data_dir = text;
		return 0;
	case KEY_REPLICA_HOSTS:
		options->replica_hosts = hosts(state, arguments_hosts(state, "replica-hosts", text));
		return 0;
	case KEY_LISTEN:
		if (options->listen_count == OPTIONS_LISTEN_MAX)
			argp_error(state, "--listen may be given %d times", OPTIONS_LISTEN_MAX);
		options->listen[options->listen_count++] = arguments_address(state, "listen", text);
		return 0;
	case KEY_ADVERTISE:
		options->advertise = arguments_address(state, "advertise", text);
		return 0;
	case KEY_PROGRAM_BASE:
		options->program_base = (uint32_t)arguments_number(state, "program-base", text, 1, UINT32_MAX - 4096);
		return 0;
	case KEY_MIN_MEMBERS:
		options->views.min_members = (uint32_t)arguments_number(state, "min-members", text, 1, LIMIT_REPLICAS);
		return 0;
	case KEY_NEW_CLUSTER:
		options->views.new_cluster = true;
		return 0;
	case KEY_TAKE_OVER:
		options->views.take_over = true;
		return 0;
	case KEY_MAX_CLIENTS:
		options->max_clients = (uint32_t)arguments_number(state, "max-clients", text, 1, 7680);
		return 0;
	case KEY_LOG_LEVEL:
		arguments_log_level(state, text);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is no option; see --help", text);
		return 0;
	case ARGP_KEY_END:
		check(state, options);
		return 0;
	default:
		return parse_time(key, text, state);
	}
}

void options_parse(int argc, char **argv, struct options *options)
{
	static const struct argp argp = {
		list, parse, NULL,
		"The address that the clients of a Just Hungry cluster talk to; it decides which replica is primary.\v"
		"Never copy or restore the data directory.",
		NULL, NULL, NULL};

	*options = (struct options){
		.replica_hosts = "127.0.0.1",
		.program_base = JH_FRONTEND,
		.max_clients = LIMIT_CONNECTIONS,
		.views = {.heartbeat_ms = 50,
			  .suspect_ms = 250,
			  .stall_ms = 2000,
			  .start_wait_ms = 2000,
			  .forget_ms = 20000,
			  .min_members = 1,
			  .full_wait_ms = 60000},
	};
	argp_err_exit_status = 2;
	arguments_parse(&argp, argc, argv, ARGP_IN_ORDER, options);
	if (options->program_base != JH_FRONTEND)
		snprintf(options->views.base_option, sizeof options->views.base_option, " --program-base %u",
			 options->program_base);
}
