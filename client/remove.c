/* remove: a lost replica is no longer expected. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/admin.h"
#include "client/command.h"
#include "client/session.h"
#include "rpc/base/limits.h"

static error_t parse(int key, char *text, struct argp_state *state)
{
	uint64_t *id = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num > 0) {
			argp_error(state, "too many arguments");
			return EINVAL;
		}
		return command_number(state, "ID", text, 1, LIMIT_REPLICA_ID, id) ? 0 : EINVAL;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which replica's ID?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "ID",
	.doc = "Says that replica ID, which was stopped or lost, will not come back: status misses it no longer. Its data "
	       "directory is not touched; started again, it learns, is admitted, and is expected again.",
};

int command_remove(struct client_options options, int argc, char **argv)
{
	struct jh_remove_args args = {0};
	struct jh_admin_result result;
	struct session *session;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;
	uint64_t id = 0;
	int status;

	if (!command_parse(&argp, &options, argc, argv, &id, &status))
		return status;
	args.id = (u_int)id;
	session = session_new(&options);
	outcome = session_remove(session, &args, &result, error);
	status = admin_show(&options, outcome, &result, error);
	session_free(session);
	return status;
}
