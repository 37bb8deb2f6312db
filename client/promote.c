/* promote --force: the operator's way out when members are lost for good (rule 3). */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/admin.h"
#include "client/advice.h"
#include "client/command.h"
#include "client/output.h"
#include "client/session.h"
#include "client/text.h"
#include "rpc/base/limits.h"

struct promote_command {
	bool force;
	uint64_t id;
};

enum { KEY_FORCE = 0x200 };

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct promote_command *command = state->input;

	switch (key) {
	case KEY_FORCE:
		command->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0) {
			argp_error(state, "too many arguments");
			return EINVAL;
		}
		return command_number(state, "ID", text, 1, LIMIT_REPLICA_ID, &command->id) ? 0 : EINVAL;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which replica's ID?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"force", KEY_FORCE, NULL, 0, "Do it; without it, only what may be lost is shown", 0},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "ID",
	.doc = "Makes replica ID the only member, as it is, when the members that hold every order are lost for "
	       "good. Orders that were acknowledged may be lost.",
};

/* Without --force: what would be lost, and exit status 2. */
static int show_loss(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
		     const char *error, uint64_t id)
{
	struct advice *advice;
	char *text, *command, number[24];

	if (outcome != OUTCOME_DONE)
		return admin_show(options, outcome, result, error);
	advice = advice_client(options, "promote");
	snprintf(number, sizeof number, "%" PRIu64, id);
	advice_option(advice, "force", NULL);
	advice_word(advice, number);
	command = advice_take(advice);
	text = output_said(options, result->text.jh_text_val, result->text.jh_text_len);
	fprintf(stderr,
		"justhungry promote: nothing was changed. %s\n"
		"To do it all the same: %s\n",
		text, command);
	free(command);
	free(text);
	if (options->json)
		admin_show_json(OUTCOME_REFUSED, result, "nothing was changed: --force was not given");
	xdr_free((xdrproc_t)xdr_jh_admin_result, result);
	return EXIT_USAGE;
}

int command_promote(struct client_options options, int argc, char **argv)
{
	struct promote_command command = {0};
	struct jh_promote_args args = {0};
	struct jh_admin_result result;
	struct session *session;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;
	int status;

	if (!command_parse(&argp, &options, argc, argv, &command, &status))
		return status;
	args.id = (u_int)command.id;
	args.confirm = command.force;
	session = session_new(&options);
	outcome = session_promote(session, &args, &result, error);
	if (command.force)
		status = admin_show(&options, outcome, &result, error);
	else
		status = show_loss(&options, outcome, &result, error, command.id);
	session_free(session);
	return status;
}
