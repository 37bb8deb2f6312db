/* cancel: makes a request void, so that it is never executed, unless it was already. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "client/command.h"
#include "client/interrupt.h"
#include "client/output.h"
#include "client/session.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/program/standard_output.h"

struct cancel_command {
	struct uuid client; /* nil: not given */
	uint64_t request;   /* 0: not given */
};

enum { KEY_CLIENT = 0x200, KEY_REQUEST };

static error_t check_complete(const struct cancel_command *command, const struct argp_state *state)
{
	if (uuid_is_nil(command->client))
		argp_error(state, "--client-id is missing: the client id that the order printed");
	else if (command->request == 0)
		argp_error(state, "--request is missing: the request number that the order printed");
	else
		return 0;
	return EINVAL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct cancel_command *command = state->input;

	switch (key) {
	case KEY_CLIENT:
		return command_client_id(state, text, &command->client) ? 0 : EINVAL;
	case KEY_REQUEST:
		return command_number(state, "--request", text, 1, UINT64_MAX, &command->request) ? 0 : EINVAL;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is too much: --client-id and --request name the order", text);
		return EINVAL;
	case ARGP_KEY_END:
		return check_complete(command, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"client-id", KEY_CLIENT, "UUID", 0, "The client id that the order printed", 0},
	{"request", KEY_REQUEST, "N", 0, "Its request number", 0},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "--client-id UUID --request N",
	.doc = "Ends the doubt about an order whose outcome is unknown: unless it was placed already, it is void from now on, "
	       "and never placed, whoever repeats it.\vExit status 3: it was refused, usually because the order was placed before, "
	       "which stays so. May be repeated at will.",
};

static void print_json(const struct cancel_command *command, const struct session *session, enum outcome outcome,
		       const char *error, const char *again)
{
	char uuid[UUID_TEXT_SIZE];
	json_t *object = json_object();

	json_object_set_new(object, "outcome", json_string(outcome_name(outcome)));
	json_object_set_new(object, "client", json_string(uuid_format(command->client, uuid)));
	json_object_set_new(object, "request", output_number(command->request));
	output_why(object, session_decided(session), session_why(session));
	json_object_set_new(object, "error", error ? output_text(error, strlen(error)) : json_null());
	if (again)
		json_object_set_new(object, "ask_again", output_text(again, strlen(again)));
	output_json_take(object);
}

static int say_void(const struct client_options *options, const struct cancel_command *command,
		    const struct session *session)
{
	char done[160];

	snprintf(done, sizeof done, "Request %" PRIu64 " is void: it was not executed and never will be.", command->request);
	if (options->json)
		print_json(command, session, OUTCOME_DONE, NULL, NULL);
	else
		puts(done);
	return standard_output_written(done) ? EXIT_DONE : EXIT_UNWRITTEN;
}

/* The command itself, to be freed. */
static char *ask_again(const struct client_options *options, const struct cancel_command *command)
{
	struct advice *advice = advice_client(options, "cancel");

	advice_request(advice, command->client, command->request);
	return advice_take(advice);
}

/* It was executed: what it is, and what cannot be done about it. */
static void say_executed(const struct cancel_command *command, const struct answer_why *why,
			 char error[static SESSION_ERROR_SIZE])
{
	const char *kind = answer_kind_name(why->became.kind);

	snprintf(error, SESSION_ERROR_SIZE,
		 "request %" PRIu64 " was executed before: %s %" PRIu64 ", which cannot be taken back yet", command->request,
		 kind ? kind : "operation", (uint64_t)why->became.op);
}

static int say_problem(const struct client_options *options, const struct cancel_command *command,
		       const struct session *session, enum outcome outcome, char error[static SESSION_ERROR_SIZE],
		       const char *again)
{
	const struct answer_why *why = session_why(session);

	if (outcome == OUTCOME_REFUSED && why->reason == JH_REASON_DONE_BEFORE && why->tells_became)
		say_executed(command, why, error);
	if (outcome == OUTCOME_UNKNOWN) {
		output_complain("justhungry: outcome unknown: %s", error);
		fprintf(stderr, "The request may be void, or not. This asks again, as often as is needed:\n  %s\n", again);
	} else {
		output_error(error);
	}
	if (options->json)
		print_json(command, session, outcome, error, outcome == OUTCOME_UNKNOWN ? again : NULL);
	return outcome_exit_status(outcome);
}

static int cancel(const struct client_options *options, const struct cancel_command *command)
{
	struct session *session = session_new(options);
	char *again = ask_again(options, command), *words = NULL, error[SESSION_ERROR_SIZE];
	enum outcome outcome;
	int status;

	if (asprintf(&words, "justhungry: outcome unknown: this program ends before it is answered; this asks again:\n  %s\n",
		     again) < 0)
		shortage_of_memory(__func__);
	interrupt_last_words(words);
	outcome = session_cancel(session, convert_uuid_to_wire(command->client), command->request, error);
	if (outcome == OUTCOME_DONE)
		status = say_void(options, command, session);
	else
		status = say_problem(options, command, session, outcome, error, again);
	interrupt_last_words(NULL);
	free(words);
	free(again);
	session_free(session);
	return status;
}

int command_cancel(struct client_options options, int argc, char **argv)
{
	struct cancel_command command = {.request = 0};
	int status;

	if (!command_parse(&argp, &options, argc, argv, &command, &status))
		return status;
	return cancel(&options, &command);
}
