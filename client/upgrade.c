/* upgrade: the cluster uses the newest format that all its programs speak. */
#include <argp.h>
#include <errno.h>

#include "client/admin.h"
#include "client/command.h"
#include "client/session.h"

static error_t parse(int key, char *text, struct argp_state *state)
{
	(void)text;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "too many arguments");
	return EINVAL;
}

static const struct argp argp = {
	.parser = parse,
	.doc = "Said once after every program of the cluster was replaced by a newer one: from then on it uses the newest format "
	       "that all of them speak. Older programs cannot come back then; until it is said, they can. It is refused, and "
	       "nothing changes, while some program is an older one, or a copy that should exist is not there to be asked.",
};

int command_upgrade(struct client_options options, int argc, char **argv)
{
	struct jh_admin_result result;
	struct session *session;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;
	int status;

	if (!command_parse(&argp, &options, argc, argv, NULL, &status))
		return status;
	session = session_new(&options);
	outcome = session_upgrade(session, &result, error);
	/* Said again it only finds out, when it was done. */
	status = admin_show_doubt(&options, outcome, &result, error, "upgrade", "whether it was done, and does it if not");
	session_free(session);
	return status;
}
