#include "client/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "client/output.h"
#include "rpc/program/standard_output.h"

void admin_show_json(enum outcome outcome, const struct jh_admin_result *result, const char *error)
{
	json_t *object = json_object();

	json_object_set_new(object, "outcome", json_string(outcome_name(outcome)));
	json_object_set_new(object, "text", output_text(result->text.jh_text_val, result->text.jh_text_len));
	json_object_set_new(object, "view", output_number(result->view));
	json_object_set_new(object, "primary", result->primary ? output_number(result->primary) : json_null());
	json_object_set_new(object, "error", error ? output_text(error, strlen(error)) : json_null());
	output_json_take(object);
}

static int show_done(const struct client_options *options, const struct jh_admin_result *result)
{
	char done[96];
	char *text = output_said(options, result->text.jh_text_val, result->text.jh_text_len);

	if (options->json)
		admin_show_json(OUTCOME_DONE, result, NULL);
	else if (*text)
		printf("%s\n", text);
	else
		printf("primary %u, view %llu\n", result->primary, (unsigned long long)result->view);
	free(text);
	snprintf(done, sizeof done, "it is done: primary %u, view %llu", result->primary,
		 (unsigned long long)result->view);
	return standard_output_written(done) ? EXIT_DONE : EXIT_UNWRITTEN;
}

int admin_show(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
	       const char *error)
{
	return admin_show_doubt(options, outcome, result, error, "status", "which replica is primary now");
}

int admin_show_doubt(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
		     const char *error, const char *command, const char *what)
{
	char line[2048];
	int status;

	if (outcome == OUTCOME_DONE) {
		status = show_done(options, result);
		xdr_free((xdrproc_t)xdr_jh_admin_result, result);
		return status;
	}
	if (outcome == OUTCOME_UNKNOWN) {
		char *tells = advice_command(options, command);

		snprintf(line, sizeof line, "outcome unknown: %s; `%s` tells %s", error, tells, what);
		free(tells);
		error = line;
	}
	return output_problem(options, outcome, error);
}
