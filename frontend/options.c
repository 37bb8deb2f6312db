#include "frontend/options.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "frontend/discovery.h"
#include "rpc/base/limits.h"
#include "rpc/frontend.h"
#include "rpc/program/arguments.h"

_Static_assert(PROGRAM_BASE_DEFAULT == JH_FRONTEND, "rpc/frontend.x names the number that no option says");

enum key {
	KEY_REPLICA_HOSTS = 0x100,
	KEY_AUTOCLEAN,
	KEY_MIN_MEMBERS,
	KEY_START_WAIT,
	KEY_FULL_WAIT,
	KEY_NEW_CLUSTER,
	KEY_TAKE_OVER,
	KEY_MAX_CLIENTS
};

static const struct argp_option list[] = {
	DAEMON_OPTIONS("where the view is kept; made when missing, with those above it (required)",
		       "RPC program number of the front-end", "time between heartbeats to a replica",
		       "a replica silent for longer counts as failed",
		       "a replica whose disk is late by this counts as failed"),
	{"replica-hosts", KEY_REPLICA_HOSTS, "HOST,HOST...", 0, "whose rpcbind is asked for replicas (127.0.0.1)", 0},
	{"autoclean-s", KEY_AUTOCLEAN, "N", 0, "a dead replica that is no member is forgotten after this (20)", 0},
	{"min-members", KEY_MIN_MEMBERS, "N", 0, "refuse orders while fewer replicas hold them (1)", 0},
	{"start-wait-ms", KEY_START_WAIT, "N", 0, "members get this to answer a start before the view shrinks (2000)", 0},
	{"full-wait-s", KEY_FULL_WAIT, "N", 0, "a replica whose disk is full for longer leaves the view, so that orders go on (60)", 0},
	{"new-cluster", KEY_NEW_CLUSTER, NULL, 0, "form a cluster of replicas that have never been in one", 0},
	{"take-over", KEY_TAKE_OVER, NULL, 0,
	 "manage replicas whose present front-end is alive; that one ends (without it: only when they hear none)", 0},
	{"max-clients", KEY_MAX_CLIENTS, "N", 0, "client connections (4608)", 0},
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

static void check(const struct argp_state *state, const struct frontend_options *options)
{
	if (options->daemon.data_dir == NULL)
		argp_error(state, "--data-dir DIR is needed: the directory that keeps the front-end's view");
	if (options->daemon.suspect_ms < 2 * options->daemon.heartbeat_ms)
		argp_error(state, "--suspect-ms %u is less than two heartbeats of %u ms", options->daemon.suspect_ms,
			   options->daemon.heartbeat_ms);
}

static error_t parse_time(int key, const char *text, struct argp_state *state)
{
	struct frontend_options *options = state->input;
	struct views_options *views = &options->views;

	switch (key) {
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
		return daemon_options_parse(key, text, state, &options->daemon);
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct frontend_options *options = state->input;

	switch (key) {
	case KEY_REPLICA_HOSTS:
		options->replica_hosts = hosts(state, arguments_hosts(state, "replica-hosts", text));
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
	case ARGP_KEY_END:
		check(state, options);
		return 0;
	default:
		return parse_time(key, text, state);
	}
}

void frontend_options_parse(int argc, char **argv, struct frontend_options *options)
{
	static const struct argp argp = {
		list, parse, NULL,
		"The address that the clients of a Just Hungry cluster talk to; it decides which replica is primary.\v"
		"Never copy or restore the data directory.",
		NULL, NULL, NULL};

	*options = (struct frontend_options){
		.daemon = daemon_options_default(),
		.replica_hosts = "127.0.0.1",
		.max_clients = LIMIT_CONNECTIONS,
		.views = {.start_wait_ms = 2000,
			  .forget_ms = 20000,
			  .min_members = 1,
			  .full_wait_ms = 60000},
	};
	argp_err_exit_status = 2;
	arguments_parse(&argp, argc, argv, ARGP_IN_ORDER, options);
	options->views.heartbeat_ms = options->daemon.heartbeat_ms;
	options->views.suspect_ms = options->daemon.suspect_ms;
	options->views.stall_ms = options->daemon.stall_ms;
	if (options->daemon.program_base != PROGRAM_BASE_DEFAULT)
		snprintf(options->views.base_option, sizeof options->views.base_option, " --program-base %u",
			 options->daemon.program_base);
}
