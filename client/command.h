/* The commands of `justhungry`: their common parts, and the table that main and the shell run them from. */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/outcome.h"
#include "rpc/base/uuid.h"
#include "rpc/program/arguments.h"

#define TIMEOUT_DEFAULT_MS 10000u

enum exit_status { EXIT_DONE = 0, EXIT_USAGE = 2, EXIT_REFUSED = 3, EXIT_UNAVAILABLE = 4, EXIT_UNKNOWN = 5,
		   EXIT_UNWRITTEN = 6 /* done, but the answer could not be written */ };

/* The global options. Each command gets a copy, because they are also accepted after the command's name. */
struct client_options {
	const char *frontend; /* host whose rpcbind names the front-end; or HOST:PORT, which needs no rpcbind */
	bool frontend_from_environment; /* and not from an option: error messages name the variable */
	uint32_t program_base; /* 0: the value in the environment is invalid (environment.h) */
	uint32_t timeout_ms; /* for one request, all attempts together */
	bool json;
};

struct client_options client_options_default(void);

/* A command parses its own arguments (argv[0] is its full name, "justhungry order") and returns the exit status. It may
 * run many times in one process (the shell). */
struct command {
	const char *name;
	const char *summary;
	int (*run)(struct client_options options, int argc, char **argv);
};

extern const struct command commands[]; /* ends with a NULL name */

/* "order, history, ...", to be freed. */
char *command_names(void);

/* Is it "help" alone, or "help help": help on the whole program? */
bool command_asks_for_help(int argc, char *const *argv);

/* argv[0] is the command's name, or "help" followed by one. Exit status 2 and a hint when there is no such command. */
int command_run(const struct client_options *options, int argc, char **argv);

/* argp for the global options, a child of every command's argp; its input is a struct client_options. */
extern const struct argp_option command_global_options[];
extern const struct argp command_global_argp;

/* Parses argv with the command's argp and the global options, without ever ending the process, because the shell goes
 * on. True: continue. False: return *status (a help text was shown, or a usage error). `argp` may use options, parser,
 * args_doc and doc. */
bool command_parse(const struct argp *argp, struct client_options *options, int argc, char **argv, void *input,
		   int *status);

/* Can text be the name or address of a host? Whether that host exists is found out when it is resolved. */
bool command_is_host(const char *text);

/* For use in a parser: reads a whole number low..high, or reports with argp_error and returns false. */
bool command_number(const struct argp_state *state, const char *option, const char *text, uint64_t low, uint64_t high,
		    uint64_t *number);

/* The value of --client-id, likewise; never nil. */
bool command_client_id(const struct argp_state *state, const char *text, struct uuid *client);

/* For the test that runs them all. */
extern const struct argp command_order_argp;

int command_order(struct client_options options, int argc, char **argv);
int command_cancel(struct client_options options, int argc, char **argv);
int command_history(struct client_options options, int argc, char **argv);
int command_status(struct client_options options, int argc, char **argv);
int command_shell(struct client_options options, int argc, char **argv);
int command_switchover(struct client_options options, int argc, char **argv);
int command_promote(struct client_options options, int argc, char **argv);
int command_remove(struct client_options options, int argc, char **argv);
int command_upgrade(struct client_options options, int argc, char **argv);
int command_bench(struct client_options options, int argc, char **argv);
