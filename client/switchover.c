/* switchover: moves the primary while the service continues. */
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

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (state->arg_num > 0) {
		argp_error(state, "too many arguments");
		return EINVAL;
	}
	return command_number(state, "ID", text, 1, LIMIT_REPLICA_ID, id) ? 0 : EINVAL;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "[ID]",
	.doc = "Makes replica ID the primary, or another member when no ID is given, without losing or refusing a "
	       "request. Returns when the new primary serves.",
};

int command_switchover(struct client_options options, int argc, char **argv)
{
	struct jh_switchover_args args = {0};
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
	outcome = session_switchover(session, &args, &result, error);
	status = admin_show(&options, outcome, &result, error);
	session_free(session);
	return status;
}
