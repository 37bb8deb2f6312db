#include "client/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/environment.h"
#include "client/output.h"
#include "client/place.h"
#include "rpc/base/escape.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/utf8.h"

#define HOST_MAX 255 /* of DNS, RFC 1035 section 2.3.4 */

const struct command commands[] = {
	{"order", "place an order", command_order},
	{"cancel", "make sure that an order in doubt is not placed", command_cancel},
	{"history", "show the orders to a postcode", command_history},
	{"status", "show the view, the primary and every replica", command_status},
	{"shell", "type commands one after the other", command_shell},
	{"switchover", "move the primary without losing or refusing a request", command_switchover},
	{"promote", "the way out when members are lost for good", command_promote},
	{"remove", "miss a lost replica no longer", command_remove},
	{"upgrade", "use the newest format, after all programs were replaced", command_upgrade},
	{"bench", "measure orders and reads a second", command_bench},
	{NULL, NULL, NULL},
};

struct client_options client_options_default(void)
{
	return (struct client_options){
		.frontend = "127.0.0.1",
		.program_base = PROGRAM_BASE_DEFAULT,
		.timeout_ms = TIMEOUT_DEFAULT_MS,
	};
}

char *command_names(void)
{
	char *names = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&names, &size);

	must_allocate(out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "%s%s", command == commands ? "" : ", ", command->name);
	must(fclose(out) == 0);
	return names;
}

bool command_asks_for_help(int argc, char *const *argv)
{
	return argc > 0 && strcmp(argv[0], "help") == 0 && (argc == 1 || strcmp(argv[1], "help") == 0);
}

/* "help COMMAND" is "COMMAND --help". */
static int help_with(const struct client_options *options, char *name)
{
	char option[] = "--help", *argv[] = {name, option, NULL};

	return command_run(options, 2, argv);
}

int command_run(const struct client_options *options, int argc, char **argv)
{
	char name[64], *known, *asked;

	if (argc > 1 && strcmp(argv[0], "help") == 0 && strcmp(argv[1], "help") != 0)
		return help_with(options, argv[1]);
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, argv[0]) != 0)
			continue;
		snprintf(name, sizeof name, "justhungry %s", command->name);
		argv[0] = name;
		return command->run(*options, argc, argv);
	}
	known = command_names();
	asked = escape_dup(argv[0], strlen(argv[0]), ESCAPE_STRICT);
	output_complain("justhungry: there is no command \"%s\"; there are %s, help", asked, known);
	free(asked);
	free(known);
	return EXIT_USAGE;
}

bool command_is_host(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= HOST_MAX && utf8_valid_text(text, size) && !strpbrk(text, " /@") &&
	       !place_is_malformed(text);
}

bool command_number(const struct argp_state *state, const char *option, const char *text, uint64_t low, uint64_t high,
		    uint64_t *number)
{
	if (arguments_is_number(text, low, high, number))
		return true;
	argp_error(state, "%s: \"%s\" is not a whole number from %llu to %llu", option, text, (unsigned long long)low,
		   (unsigned long long)high);
	return false;
}

bool command_client_id(const struct argp_state *state, const char *text, struct uuid *client)
{
	if (uuid_parse(text, client) && !uuid_is_nil(*client))
		return true;
	argp_error(state, "--client-id: \"%s\" is not a UUID like 123e4567-e89b-42d3-a456-426614174000", text);
	return false;
}

/* --- the global options ----------------------------------------------------------------------------------------- */

enum { KEY_FRONTEND = 0x100, KEY_PROGRAM_BASE, KEY_TIMEOUT, KEY_JSON, KEY_USAGE };

static error_t parse_timeout(struct client_options *options, const char *text, const struct argp_state *state)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0.001 || seconds > 86400) {
		argp_error(state, "--timeout: \"%s\" is not a number of seconds from 0.001 to 86400", text);
		return EINVAL;
	}
	options->timeout_ms = (uint32_t)(seconds * 1000 + 0.5);
	return 0;
}

static error_t parse_global(int key, char *text, struct argp_state *state)
{
	struct client_options *options = state->input;
	uint64_t number;

	switch (key) {
	case KEY_FRONTEND:
		if (!command_is_host(text)) {
			argp_error(state, "--frontend is neither a host nor a HOST:PORT (a port is a number from 1 to "
					  "65535)");
			return EINVAL;
		}
		options->frontend = text;
		options->frontend_from_environment = false;
		return 0;
	case KEY_PROGRAM_BASE:
		if (!command_number(state, "--program-base", text, 1, PROGRAM_BASE_MAX, &number))
			return EINVAL;
		options->program_base = (uint32_t)number;
		return 0;
	case KEY_TIMEOUT:
		return parse_timeout(options, text, state);
	case KEY_JSON:
		options->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp_option command_global_options[] = {
	{NULL, 0, NULL, 0, "Of every command:", 10},
	{"frontend", KEY_FRONTEND, "HOST", 0,
	 "Host whose rpcbind names the front-end; HOST:PORT goes there without asking an rpcbind "
	 "($" ENVIRONMENT_FRONTEND ", else 127.0.0.1)", 10},
	{"program-base", KEY_PROGRAM_BASE, "N", 0, "RPC program number of the front-end ($" ENVIRONMENT_PROGRAM_BASE
	 ", else 540000000)", 10},
	{"timeout", KEY_TIMEOUT, "SECONDS", 0, "How long to ask before giving up (10)", 10},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 10},
	{0},
};

const struct argp command_global_argp = {.options = command_global_options, .parser = parse_global};

/* --- parsing that returns --------------------------------------------------------------------------------------- */

/* argp's own --help ends the process, and with ARGP_NO_EXIT it continues parsing; this one stops the parse with
 * ECANCELED. */
static error_t parse_help(int key, char *text, struct argp_state *state)
{
	(void)text;
	if (key != '?' && key != KEY_USAGE)
		return ARGP_ERR_UNKNOWN;
	argp_state_help(state, stdout, key == '?' ? ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK : ARGP_HELP_USAGE);
	return ECANCELED;
}

static const struct argp_option help_options[] = {
	{"help", '?', NULL, 0, "Show this help", -1},
	{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1},
	{0},
};

static const struct argp help_argp = {.options = help_options, .parser = parse_help};

struct parse_inputs {
	void *command;
	struct client_options *options;
};

static error_t parse_outer(int key, char *text, struct argp_state *state)
{
	const struct parse_inputs *inputs = state->input;

	(void)text;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = inputs->command;
	state->child_inputs[1] = inputs->options;
	return 0;
}

bool command_parse(const struct argp *argp, struct client_options *options, int argc, char **argv, void *input,
		   int *status)
{
	const struct argp command = {.options = argp->options, .parser = argp->parser};
	const struct argp_child children[] = {
		{&command, 0, NULL, 0}, {&command_global_argp, 0, NULL, 0}, {&help_argp, 0, NULL, 0}, {0}};
	const struct argp outer = {
		.parser = parse_outer, .args_doc = argp->args_doc, .doc = argp->doc, .children = children};
	struct parse_inputs inputs = {.command = input, .options = options};
	char complaint[256];
	error_t error = arguments_parse(&outer, argc, argv, ARGP_IN_ORDER | ARGP_NO_EXIT | ARGP_NO_HELP, &inputs);

	*status = error == ECANCELED ? EXIT_DONE : EXIT_USAGE;
	if (!error && !environment_check(options, complaint, sizeof complaint)) {
		output_complain("%s: %s", argv[0], complaint);
		return false;
	}
	return !error;
}
