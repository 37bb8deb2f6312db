/* Output of switchover, promote and remove. */
#pragma once

#include "client/command.h"
#include "rpc/frontend.h"

/* Prints the outcome and frees result (which holds data only when done); returns the exit status. */
int admin_show(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
	       const char *error);

/* {outcome, text, view, primary, error}; error may be NULL. */
void admin_show_json(enum outcome outcome, const struct jh_admin_result *result, const char *error);
