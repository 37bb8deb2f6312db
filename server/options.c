#include "server/options.h"

#include <argp.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/program/arguments.h"

enum key {
	KEY_ID = 0x100, KEY_FRONTEND, KEY_PUSH, KEY_PUSH_FULL_LIMIT, KEY_INITIAL_ORDERS, KEY_POSTCODE_CHECK, KEY_POSTCODES_IO,
	KEY_GETTHEDATA, KEY_POSTCODE_PROXY, KEY_POSTCODE_MS, KEY_MAX_ORDERS, KEY_SEGMENT_BYTES, KEY_CHECK, KEY_JSON
};

static const struct argp_option list[] = {
	DAEMON_OPTIONS("journal and snapshots; made when missing, with those above it (required)",
		       "RPC program number of the front-end; ours is N + id",
		       "silence after which a backup is asked for a sign of life", "a backup silent for longer is reported",
		       "a backup whose disk is late by this is reported"),
	{"id", KEY_ID, "N", 0, "this replica's number, 1 to 4095 (required)", 0},
	{"frontend", KEY_FRONTEND, "HOST", 0, "tell the front-end there that we have started", 0},
	{"push", KEY_PUSH, "MODE", 0, "how orders travel to backups: auto, full or delta (auto)", 0},
	{"push-full-limit", KEY_PUSH_FULL_LIMIT, "BYTES", 0, "auto: send the full state up to this size (65536)", 0},
	{"initial-orders", KEY_INITIAL_ORDERS, "FILE", 0, "the history a fresh replica starts with (four built-in orders); a cluster's own takes its place", 0},
	{"postcode-check", KEY_POSTCODE_CHECK, "MODE", 0, "auto or strict: each postcode is sent to the two providers "
		"below; grammar: it is sent nowhere (auto)", 0},
	{"postcodes-io", KEY_POSTCODES_IO, "URL", 0, "first provider (https://api.postcodes.io)", 0},
	{"getthedata", KEY_GETTHEDATA, "URL", 0, "second provider, which can confirm only (https://api.getthedata.com)", 0},
	{"postcode-proxy", KEY_POSTCODE_PROXY, "URL", 0, "reach the providers through it (none, whatever the environment says)", 0},
	{"postcode-timeout-ms", KEY_POSTCODE_MS, "N", 0, "for one check, both providers together (1000)", 0},
	{"max-orders", KEY_MAX_ORDERS, "N", 0, "orders are refused when there are so many operations (10000000)", 0},
	{"segment-bytes", KEY_SEGMENT_BYTES, "N", 0, "size of a journal segment, 8388608 to 1073741824 (67108864)", 0},
	{"check", KEY_CHECK, "DIR", 0, "verify a data directory offline, print what it holds as JSON, and exit", 0},
	{"json", KEY_JSON, NULL, 0, "with --check: first print each operation, a line of JSON each. It shows client ids, with "
		"which anyone can repeat or cancel requests", 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static enum postcode_mode postcode_mode(const struct argp_state *state, const char *text)
{
	if (strcmp(text, "auto") == 0)
		return POSTCODE_AUTO;
	if (strcmp(text, "strict") == 0)
		return POSTCODE_STRICT;
	if (strcmp(text, "grammar") != 0)
		argp_error(state, "--postcode-check %s: auto, strict or grammar is needed", text);
	return POSTCODE_GRAMMAR;
}

static enum replica_push_mode push_mode(const struct argp_state *state, const char *text)
{
	if (strcmp(text, "auto") == 0)
		return PUSH_AUTO;
	if (strcmp(text, "full") == 0)
		return PUSH_FULL;
	if (strcmp(text, "delta") != 0)
		argp_error(state, "--push %s: auto, full or delta is needed", text);
	return PUSH_DELTA;
}

static error_t parse_replica(int key, const char *text, struct argp_state *state)
{
	struct node_options *node = &((struct server_options *)state->input)->node;
	struct replica_options *replica = &node->replica;

	switch (key) {
	case KEY_PUSH:
		replica->push_mode = push_mode(state, text);
		return 0;
	case KEY_PUSH_FULL_LIMIT:
		replica->push_full_limit = arguments_number(state, "push-full-limit", text, 0, LIMIT_STATE_CHUNK_BYTES);
		return 0;
	case KEY_MAX_ORDERS:
		node->orders_max = replica->orders_max = arguments_number(state, "max-orders", text, 1, 1000000000);
		return 0;
	case KEY_SEGMENT_BYTES:
		/* At least four of the largest records fit. */
		node->segment_bytes = (uint32_t)arguments_number(state, "segment-bytes", text, 8u << 20, 1u << 30);
		return 0;
	default:
		return daemon_options_parse(key, text, state, &node->daemon);
	}
}

static error_t parse_postcodes(int key, char *text, struct argp_state *state)
{
	struct postcode_options *postcodes = &((struct server_options *)state->input)->node.postcodes;

	switch (key) {
	case KEY_POSTCODE_CHECK:
		postcodes->mode = postcode_mode(state, text);
		return 0;
	case KEY_POSTCODES_IO:
		postcodes->postcodes_io = text;
		return 0;
	case KEY_GETTHEDATA:
		postcodes->getthedata = text;
		return 0;
	case KEY_POSTCODE_PROXY:
		postcodes->proxy = text;
		return 0;
	case KEY_POSTCODE_MS:
		postcodes->deadline_ms = (uint32_t)arguments_number(state, "postcode-timeout-ms", text, 10, 60000);
		return 0;
	default:
		return parse_replica(key, text, state);
	}
}

static void check(const struct argp_state *state, const struct server_options *options)
{
	if (options->check != NULL)
		return;
	if (options->check_json)
		argp_error(state, "--json is for --check DIR");
	if (options->node.id == 0)
		argp_error(state, "--id N is needed: this replica's number, 1 to 4095, another one for each replica");
	if (options->node.daemon.data_dir == NULL)
		argp_error(state, "--data-dir DIR is needed: the directory that keeps this replica's orders");
	if (options->node.daemon.suspect_ms <= options->node.daemon.heartbeat_ms)
		argp_error(state,
			   "--suspect-ms %u must be above --heartbeat-ms %u: a replica is asked before it is suspected",
			   options->node.daemon.suspect_ms, options->node.daemon.heartbeat_ms);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct server_options *options = state->input;
	struct node_options *node = &options->node;

	switch (key) {
	case KEY_ID:
		node->id = (uint32_t)arguments_number(state, "id", text, 1, LIMIT_REPLICA_ID);
		return 0;
	case KEY_FRONTEND:
		node->frontend = arguments_hosts(state, "frontend", text);
		return 0;
	case KEY_INITIAL_ORDERS:
		node->initial_orders = text;
		return 0;
	case KEY_CHECK:
		options->check = text;
		return 0;
	case KEY_JSON:
		options->check_json = true;
		return 0;
	case ARGP_KEY_END:
		check(state, options);
		return 0;
	default:
		return parse_postcodes(key, text, state);
	}
}

void server_options_parse(int argc, char **argv, struct server_options *options)
{
	static const struct argp argp = {
		.options = list, .parser = parse, .doc = "One replica of the Just Hungry ordering service."};

	*options = (struct server_options){.node = {.daemon = daemon_options_default(),
						    .orders_max = LIMIT_ORDERS_DEFAULT,
						    .postcodes = postcode_options_default(),
						    .replica = {.push_mode = PUSH_AUTO, .push_full_limit = 65536,
								.read_hold_ms = 100, .orders_max = LIMIT_ORDERS_DEFAULT,
								.log_bytes_max = LIMIT_LOG_BYTES}}};
	argp_err_exit_status = 2;
	arguments_parse(&argp, argc, argv, ARGP_IN_ORDER, options);

	struct node_options *node = &options->node;

	node->replica.id = node->id;
	node->replica.heartbeat_ms = node->daemon.heartbeat_ms;
	node->replica.suspect_ms = node->daemon.suspect_ms;
	node->replica.stall_ms = node->daemon.stall_ms;
}
