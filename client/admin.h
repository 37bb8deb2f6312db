/* Output of switchover, promote, remove and upgrade. */
#pragma once

#include "client/command.h"
#include "rpc/frontend.h"

/* Prints the outcome and frees result (which holds data only when done); returns the exit status. */
int admin_show(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
	       const char *error);

/* The same; of an unknown outcome it says that `command` tells `what`. */
int admin_show_doubt(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
		     const char *error, const char *command, const char *what);

/* {outcome, text, view, primary, error}; error may be NULL. */
void admin_show_json(enum outcome outcome, const struct jh_admin_result *result, const char *error);
