/* Settings that the client takes from its environment, so that people who always use the same cluster need not give
 * them each time. An option on the command line takes precedence. The daemons read none of it: their command lines are
 * complete. */
#pragma once

#include <stddef.h>

#include "client/command.h"

#define ENVIRONMENT_FRONTEND "JUSTHUNGRY_FRONTEND"
#define ENVIRONMENT_PROGRAM_BASE "JUSTHUNGRY_PROGRAM_BASE"

/* NULL when it is not set or empty. */
const char *environment_value(const char *name);

/* Applies the environment's settings. An invalid value is left for environment_check, because an option may override
 * it. */
void environment_read(struct client_options *options);

/* False: options still holds such a value, and error names the variable. */
bool environment_check(const struct client_options *options, char *error, size_t error_size);
