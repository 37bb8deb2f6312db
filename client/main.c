/* justhungry: the command line. Parses the global options and passes the rest to a command. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/charset.h"
#include "client/command.h"
#include "client/environment.h"
#include "client/interrupt.h"
#include "rpc/base/shortage.h"
#include "rpc/program/arguments.h"
#include "rpc/program/process.h"
#include "rpc/program/standard_output.h"

struct invocation {
	struct client_options options;
	int argc; /* of the command; 0: none was given */
	char **argv;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct invocation *invocation = state->input;
	char *names;

	(void)text;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &invocation->options;
		return 0;
	case ARGP_KEY_ARG:
		if (command_asks_for_help(state->argc - state->next + 1, state->argv + state->next - 1))
			argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		/* In order: everything after this belongs to the command. */
		invocation->argc = state->argc - state->next + 1;
		invocation->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		names = command_names();
		argp_error(state, "which command? There are %s", names);
		free(names);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* argp prints the text after the vertical tab below the options. */
static char *describe_commands(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	must_allocate(out);
	fputs("Orders food from Just Hungry: through one front-end to a primary replica and all its backups."
	      "\vCommands (each explains itself with --help, as \"help COMMAND\" does):\n",
	      out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "  %-12s%s\n", command->name, command->summary);
	fputs("\nEnvironment: " ENVIRONMENT_FRONTEND " and " ENVIRONMENT_PROGRAM_BASE " stand for --frontend and --program-base "
	      "where these are not given.\n",
	      out);
	fputs("\nExit status: 0 done, 2 usage, 3 refused (nothing happened), 4 service unavailable (nothing happened), "
	      "5 outcome unknown (the commands that ask again, which is executed once, and that cancel are printed), 6 done, but "
	      "the answer could not be written.",
	      out);
	fclose(out);
	return text;
}

static bool has_ended(void)
{
	return interrupt_signal() != 0;
}

int main(int argc, char **argv)
{
	process_begin(PROCESS_COMMAND, "justhungry");
	charset_begin();
	interrupt_catch();
	standard_output_watch("justhungry", EXIT_UNWRITTEN);
	standard_output_interrupt(interrupt_fd(), has_ended);

	struct invocation invocation = {.options = client_options_default()};
	const struct argp_child children[] = {{&command_global_argp, 0, NULL, 0}, {0}};
	struct argp argp = {.parser = parse, .args_doc = "COMMAND [ARGUMENT...]", .children = children};
	char *doc = describe_commands();

	environment_read(&invocation.options);
	argp.doc = doc;
	argp_program_version = "justhungry " JH_VERSION;
	argp_err_exit_status = EXIT_USAGE;
	arguments_parse(&argp, argc, argv, ARGP_IN_ORDER, &invocation);
	free(doc);
	/* Ends with EXIT_UNWRITTEN when a status of 0 would hide that output failed. */
	return command_run(&invocation.options, invocation.argc, invocation.argv);
}
