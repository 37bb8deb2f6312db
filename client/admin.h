/* What switchover and promote show. */
#pragma once

#include "client/command.h"
#include "rpc/frontend.h"

/* Shows how it ended and frees result (which holds something only when done); returns the exit status. */
int admin_show(const struct client_options *options, enum outcome outcome, struct jh_admin_result *result,
	       const char *error);

/* {outcome, text, view, primary, error}; error may be NULL. */
void admin_show_json(enum outcome outcome, const struct jh_admin_result *result, const char *error);
